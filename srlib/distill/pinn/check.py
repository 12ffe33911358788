"""A formula put into the differential equation: the check that a fit cannot give, and constants tuned by it.

A formula that fits a network's values may be any function that is near them. One that makes the equation vanish, and
the conditions too, is the solution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import sympy

from ...expression import Expression
from ...operators import CONSTANT, by_code
from ...validation import check_number
from .equations import DifferentialProblem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PhysicsCheck", "check_physics", "refine_constants"]

ROWS = 2000  # points at which the equation is evaluated, and 200 for a condition
LONGEST = 120  # operations; sympy is not asked to simplify more
NOTHING = 1e-9  # a relative residual that may be 0


@dataclass(frozen=True)
class PhysicsCheck:
    """What is left of the equation and of each condition when a formula is put into them.

    Attributes
    ----------
    residual : sympy.Expr
        Of the equation; simplified where it nearly vanishes.
    exact : bool
        Whether sympy finds that the equation and all conditions vanish. Formulas with fitted constants hardly ever do.
    parts : tuple of (str, float, float, float)
        For "equation" and each condition: RMS and largest absolute value over a grid, and the RMS over that of the sum
        of its terms' sizes on the whole domain. Infinite where the formula has no finite value.
    """

    residual: sympy.Expr
    exact: bool
    parts: tuple[tuple[str, float, float, float], ...] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row for the equation and each condition."""
        import pandas as pd

        return pd.DataFrame(list(self.parts), columns=["part", "rms", "largest", "relative"]).set_index("part")

    @property
    def worst(self) -> float:
        """The largest relative residual of equation and conditions."""
        return max(relative for *_, relative in self.parts)

    def holds(self, tolerance: float = 1e-6) -> bool:
        """Whether all relative residuals are at most this."""
        return self.exact or self.worst <= tolerance


def check_physics(problem: DifferentialProblem, formula: Expression | sympy.Expr) -> PhysicsCheck:
    """Put a formula into a problem's equation and conditions.

    Parameters
    ----------
    problem : DifferentialProblem
    formula : Expression or sympy.Expr
        Over the problem's variables; an expression without names has them in the order of the columns.

    Returns
    -------
    PhysicsCheck

    Raises
    ------
    ValueError
        If the formula holds another variable.

    Examples
    --------
    >>> from srlib.distill.pinn import toy
    >>> check_physics(toy(), Expression.parse("3*sin(x) - x/2", names=["x"])).exact
    True
    >>> check = check_physics(toy(), Expression.parse("3*sin(x) - x/2 + cos(x)/10", names=["x"]))
    >>> check.table.relative.gt(1e-6).tolist()  # the equation holds, u(0) = 0 does not, u'(0) does
    [False, True, False]
    """
    formula = _named(formula, problem)
    everywhere = _everywhere(problem)
    rest, exact, parts = sympy.S.Zero, True, []
    for name, operator, X, fixed in _places(problem):
        r = operator.sympy(formula)
        values = _evaluate(r, problem, X)
        size = _size(operator.terms(formula), problem, everywhere)
        finite = bool(np.isfinite(values).all() and np.isfinite(size))
        rms = float(np.sqrt(np.mean(values**2))) if finite else np.inf
        largest = float(np.abs(values).max()) if finite else np.inf
        parts.append((name, rms, largest, rms / size if size > 0 and finite else rms))
        if finite and rms <= NOTHING * size:  # only then can it be 0, and sympy need not be asked otherwise
            short = sympy.simplify(r.subs(fixed)) if r.count_ops() <= LONGEST else r
            r, exact = (short if not fixed else r), exact and short == 0
        else:
            exact = False
        if name == "equation":
            rest = r
    return PhysicsCheck(rest, exact, tuple(parts))


def refine_constants(
    problem: DifferentialProblem, formula: Expression, X=None, y=None, *, teacher: float = 1e-6, max_steps: int = 100,
) -> Expression:  # fmt: skip
    """The formula with its constants moved to where equation, conditions and teacher agree best.

    Minimised is the mean square of the equation's residual, plus that of each condition, plus ``teacher`` times that of
    the difference from the teacher; each over its own scale. Derivatives by the constants are exact.

    Parameters
    ----------
    problem : DifferentialProblem
    formula : Expression
        Over the problem's variables. Whole exponents stay as they are.
    X : array_like, shape (rows, variables), optional
    y : array_like, shape (rows,), optional
        The teacher's values there. They hold what physics leaves open; their own errors enter by their weight only.
    teacher : float
        Their weight, at least 0.
    max_steps : int

    Returns
    -------
    Expression
        Not worse than the one given, in the sum that is minimised.

    Raises
    ------
    ValueError
        If X and y do not go together, or the formula holds another variable.
    """
    from scipy.optimize import least_squares

    check_number("teacher", teacher, least=0)
    if (X is None) != (y is None):
        raise ValueError("X and y are the teacher's points and values: give both, or neither")
    if X is not None:
        X, y = teacher_values(problem, X, y)
    formula = _named(formula, problem)
    start, free = formula.constants, _movable(formula)
    if not free.any():
        return formula
    symbolic, constants = _with_symbols(formula, problem)
    moving = [c for c, moves in zip(constants, free, strict=True) if moves]
    held = {c: sympy.Float(v) for c, v, moves in zip(constants, start, free, strict=True) if not moves}
    blocks: list[tuple[Callable, Callable, np.ndarray, float, np.ndarray | float]] = []

    def add(expression: sympy.Expr, points: np.ndarray, scale: float, target=0.0, weight: float = 1.0) -> None:
        expression = expression.subs({c: _whole(v) for c, v in held.items()})
        arguments = [*problem.u.args, *moving]
        value = sympy.lambdify(arguments, expression, "numpy", cse=True)
        slope = sympy.lambdify(arguments, [expression.diff(c) for c in moving], "numpy", cse=True)
        blocks.append((value, slope, points, np.sqrt(weight / len(points)) / (scale or 1.0), target))

    everywhere = _everywhere(problem)
    for _, operator, points, _ in _places(problem):
        add(operator.sympy(symbolic, constants), points, _size(operator.terms(formula), problem, everywhere))
    if X is not None and teacher > 0:
        add(symbolic, X, float(np.sqrt(np.mean(y**2))), y, teacher)

    def residuals(values):  # (moving,) -> (rows of all blocks,)
        with np.errstate(all="ignore"):
            found = [
                (np.broadcast_to(f(*points.T, *values), len(points)) - target) * factor
                for f, _, points, factor, target in blocks
            ]
        return np.nan_to_num(np.concatenate(found), nan=1e6, posinf=1e6, neginf=-1e6)

    def jacobian(values):  # (moving,) -> (rows of all blocks, moving)
        with np.errstate(all="ignore"):
            found = [
                np.stack([np.broadcast_to(one, len(points)) for one in df(*points.T, *values)], axis=1) * factor
                for _, df, points, factor, _ in blocks
            ]
        return np.nan_to_num(np.concatenate(found), nan=0.0, posinf=0.0, neginf=0.0)

    first = start[free]
    found = least_squares(
        residuals, first, jacobian, x_scale=np.where(first == 0, 1.0, np.abs(first)),
        xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=max_steps,
    )  # fmt: skip
    if not np.isfinite(found.x).all() or 2 * found.cost >= np.sum(residuals(first) ** 2):
        return formula
    values = start.copy()
    values[free] = found.x
    return formula.with_constants(values)


# ------------------------------------------------------------ helpers


def teacher_values(problem: DifferentialProblem, X, y) -> tuple[np.ndarray, np.ndarray]:
    """The teacher's points (rows, variables) and values (rows,), checked."""
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    if X.ndim == 1 and len(problem.names) == 1:
        X = X[:, None]
    if X.ndim != 2 or X.shape[1] != len(problem.names) or y.shape != (len(X),) or not len(X):
        raise ValueError(
            f"X has shape {X.shape} and y {y.shape}: give (rows, {len(problem.names)}) and (rows,), the columns of X "
            f"{', '.join(problem.names)}"
        )
    if not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise ValueError("X or y holds NaN or infinity: leave those rows out")
    return X, y


def _named(formula, problem: DifferentialProblem):
    if not isinstance(formula, Expression) or formula.names is not None:
        return formula
    if formula.features and formula.features[-1] >= len(problem.names):
        raise ValueError(f"the formula uses column {formula.features[-1]}, but {problem.u} has {len(problem.names)}")
    return formula.with_names(problem.names)


def _everywhere(problem: DifferentialProblem) -> np.ndarray:
    """A grid over the whole domain, (rows, variables)."""
    count = len(problem.names)
    return problem.grid(*[max(2, round(ROWS ** (1 / count)))] * count)


def _places(problem: DifferentialProblem) -> Iterator[tuple]:
    """Name, operator, points and fixed variables of the equation and of each condition."""
    yield "equation", problem.residual, _everywhere(problem), {}
    for condition, operator in zip(problem.conditions, problem.boundary, strict=True):
        free = len(problem.names) - len(condition.on)
        X = problem.grid(*[1 if n in condition.on else max(2, round(200 ** (1 / free))) for n in problem.names])
        for j, name in enumerate(problem.names):
            if name in condition.on:
                X[:, j] = condition.on[name]
        fixed = {v: sympy.nsimplify(condition.on[v.name]) for v in problem.u.args if v.name in condition.on}
        yield str(condition), operator, X, fixed


def _evaluate(expression: sympy.Expr, problem: DifferentialProblem, X: np.ndarray) -> np.ndarray:
    """The values at points (rows, variables), (rows,); NaN where there is no real one."""
    with np.errstate(all="ignore"):
        try:
            values = sympy.lambdify(problem.u.args, expression, "numpy", cse=True)(*X.T)
            values = np.asarray(values, dtype=complex)
        except (TypeError, ValueError, ZeroDivisionError):
            return np.full(len(X), np.nan)
    return np.broadcast_to(np.where(values.imag == 0, values.real, np.nan), len(X)).astype(float)


def _size(terms: list[sympy.Expr], problem: DifferentialProblem, X: np.ndarray) -> float:
    """The RMS over points of the sum of the terms' sizes: what their sum is small against.

    Taken over the whole domain also for a condition: where u = 0 at an end, u has no size there.
    """
    total = sum(np.abs(_evaluate(term, problem, X)) for term in terms)
    return float(np.sqrt(np.mean(total**2)))


def _movable(formula: Expression) -> np.ndarray:
    """Which constants may move, (constants,): all but whole exponents."""
    places = np.flatnonzero(formula.codes == CONSTANT)
    held = set()
    for node, code in enumerate(formula.codes.tolist()):
        if code > 0 and by_code(code).name == "pow":
            exponent = formula.children(node)[1]
            if formula.codes[exponent] == CONSTANT and float(formula.values[exponent]).is_integer():
                held.add(exponent)
    return np.array([place not in held for place in places], dtype=bool)


def _with_symbols(formula: Expression, problem: DifferentialProblem):
    """The formula in sympy with a symbol for each constant, and those symbols."""
    from ...expression.algebra import substitute

    codes, columns = formula.codes.copy(), max(formula.features, default=-1) + 1
    places = np.flatnonzero(codes == CONSTANT)
    codes[places] = -1 - (columns + np.arange(len(places)))
    constants = [sympy.Dummy(f"c{j}", real=True) for j in range(len(places))]
    variables = [sympy.Symbol(formula.feature_name(j)) for j in range(columns)]
    return substitute(Expression(codes, formula.values), [*variables, *constants]), constants


def _whole(value: sympy.Float) -> sympy.Expr:
    return sympy.Integer(int(value)) if float(value).is_integer() else value
