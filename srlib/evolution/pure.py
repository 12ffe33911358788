"""Formulas whose constants are pure numbers, out of a search that lets constants have units.

Under ``dimensionless_constants_only`` few formulas balance, and hardly one of the short ones: an evolution that may
keep no others has nothing to climb on (``G*m1*m2/r**2`` is the shortest for a force). So the islands work under the
weaker rule, by which a constant takes the unit that is needed, and the front under the stricter one. What the islands
bring home has an offset, as a rule, which pure numbers forbid: it is tried without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..constants import refit
from ..expression import Expression
from ..kernels.losses import SQUARED
from ..operators import CONSTANT, find
from ..run import Run
from .objective import minimize_loss

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["in_pure_numbers", "without_offset"]

ADD, SUB, MUL = (find(name, 2).code for name in ("add", "sub", "mul"))


def in_pure_numbers(engine: Engine, expression: Expression, run: Run, until: float) -> Expression | None:
    """A formula that is not allowed without its offset, fitted to the data; None if that is no help."""
    if engine.front_units is None or engine.front_units.free_constants:
        return None
    shorter = without_offset(expression)
    if shorter == expression or not engine.allowed(shorter):
        return None
    if not run.front.wants(engine.loss(expression), engine.complexity(shorter)):  # with the offset it is no worse
        return None
    if engine.options.loss[0] == SQUARED:
        return refit(shorter, engine.columns, engine.y, engine.weight, until=until)
    return minimize_loss(shorter, engine.loss, until)


def without_offset(expression: Expression) -> Expression:
    """The formula without the constants that are added to it; itself if there are none.

    Examples
    --------
    >>> print(without_offset(Expression.parse("3 - (2*x0*x0 + 0.5)")))
    -1*(2*x0*x0)
    >>> print(without_offset(Expression.parse("(x0 + 1)*x1")))
    (x0 + 1)*x1
    """
    return _terms(expression) or expression


def _terms(expression: Expression) -> Expression | None:
    """The sum without its constants; None where nothing else is in it."""
    root = expression.codes[-1]
    if root == CONSTANT:
        return None
    if root not in (ADD, SUB):
        return expression
    left, right = (_terms(expression.subtree(node)) for node in expression.children(expression.size - 1))
    if right is None:
        return left
    if left is None:
        return right if root == ADD else Expression.constant(-1.0).with_names(expression.names) * right
    return left + right if root == ADD else left - right
