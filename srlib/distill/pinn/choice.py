"""Which formula of a front is the solution: the equation decides, not the fit."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...expression import Expression
from ...front import ParetoFront
from ...validation import check_number
from ..student import agreement
from .check import PhysicsCheck, check_physics, refine_constants, teacher_values
from .equations import DifferentialProblem

__all__ = ["PhysicsChoice", "choose_by_physics"]

FAR = 0.3  # a formula whose constants fit the teacher's values worse than this (relative RMS) is not looked at


@dataclass(frozen=True)
class PhysicsChoice:
    """A formula that was chosen by the equation.

    Attributes
    ----------
    expression : Expression
        With its constants refined.
    check : PhysicsCheck
        Of this expression.
    before : PhysicsCheck
        With the constants that the student fitted.
    holds : bool
        Whether equation and conditions hold to the tolerance that was asked for.
    tried : tuple of (Expression, float)
        The formulas that were looked at, refined, and their worst relative residuals.
    """

    expression: Expression
    check: PhysicsCheck
    before: PhysicsCheck
    holds: bool
    tried: tuple[tuple[Expression, float], ...] = field(repr=False)


def choose_by_physics(
    problem: DifferentialProblem, front: ParetoFront, X, y, *, tolerance: float = 1e-6, teacher: float = 1e-6,
) -> PhysicsChoice:  # fmt: skip
    """The simplest formula of a front that satisfies the equation and the conditions once its constants are refined.

    A student fits its teacher's errors, too, so that the most accurate formula is longer than the solution. The
    equation does not know these errors.

    Parameters
    ----------
    problem : DifferentialProblem
    front : ParetoFront
        Formulas over the problem's variables, such as ``distill(...).front``.
    X, y : array_like, shape (rows, variables), (rows,)
        The teacher's values; formulas far from them are left out, so that u = 0 does not win.
    tolerance : float
        Of the relative residuals (:class:`~srlib.distill.pinn.check.PhysicsCheck`).
    teacher : float
        See :func:`~srlib.distill.pinn.check.refine_constants`.

    Returns
    -------
    PhysicsChoice
        If no formula holds, the one whose worst relative residual is least.

    Raises
    ------
    ValueError
        If no formula is near the teacher's values, or X and y do not go together.
    """
    check_number("tolerance", tolerance, above=0)
    X, y = teacher_values(problem, X, y)
    tried, best = [], None
    for entry in front:
        if not agreement(y, entry.expression.evaluate(X))[1] <= FAR:
            continue
        refined = refine_constants(problem, entry.expression, X, y, teacher=teacher)
        check = check_physics(problem, refined)
        tried.append((refined, check.worst))
        if best is None or check.worst < best[1].worst:
            best = refined, check, entry.expression
        if check.holds(tolerance):
            break
    if best is None:
        raise ValueError(f"front has no formula within {FAR:.0%} of the teacher: let the student search longer")
    return PhysicsChoice(*best[:2], check_physics(problem, best[2]), best[1].holds(tolerance), tuple(tried))
