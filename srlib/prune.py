"""Shorter formulas with the same values: parts that do nothing are taken out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import numpy as np

from .expression import Expression
from .operators import CONSTANT

__all__ = ["pruned", "simplified"]

ROWS_TO_SCREEN = 500
OPPOSITE = {"+": "-", "-": "+"}
LONGEST = 100  # nodes; sympy takes its time for longer formulas


def pruned(
    expression: Expression, columns: Sequence[np.ndarray], tolerance: float = 0.0, until: float = math.inf
) -> Expression:
    """The formula without the parts whose removal changes none of its values by more than ``tolerance``.

    An operator gives way to one of its arguments (``1*x0``, ``x0 + 1e-20``, ``x0**1``, ``max(x0, -99)``), or a part
    that has the same value everywhere to that number (``2*3``, ``0*x0``, ``tanh(99*x0)``); a sum and a difference
    change places (``x0 - (0 - x1)``, ``x0 + -1*x1``) if the formula has both. The data decide: no algebra, so that all
    operators count, also those of the user's own. No operator is written that the formula does not have.

    Parameters
    ----------
    expression : Expression
        The formula; it comes back as it is if it has no finite value in some row.
    columns : sequence of ndarray, each of shape (rows,)
        The data on which the values must stay.
    tolerance : float
        The largest change of a value; changes of rounding size are always allowed.
    until : float
        No more attempts after this time of ``time.monotonic()``.

    Examples
    --------
    >>> print(pruned(Expression.parse("1*x0**1 + 1e-20*sin(x0) + (2 - 2)"), [np.linspace(1, 2, 9)]))
    x0
    """
    rows = max((len(column) for column in columns), default=1)
    some = [column[:: max(1, rows // ROWS_TO_SCREEN)] for column in columns]
    sets = (some, columns) if rows > ROWS_TO_SCREEN else (some,)
    with np.errstate(all="ignore"):
        values = [expression.evaluate_columns(one) for one in sets]  # the formula's own; changes never add up
        if not np.isfinite(values[-1]).all():
            return expression
        # a sum is rounded by its largest terms
        allowed = [tolerance + 1e-14 * _largest_part(expression, one) for one in sets]
        found: Expression | None = expression
        while found is not None:
            expression = found
            found = next((shorter for shorter in _shorter(expression, some) if time.monotonic() < until and all(
                np.max(np.abs(shorter.evaluate_columns(one) - own)) <= limit
                for one, own, limit in zip(sets, values, allowed, strict=True)
            )), None)  # fmt: skip
    return expression


def _shorter(expression: Expression, columns: Sequence[np.ndarray]) -> Iterator[Expression]:
    """The formula with one operator less, or with a part replaced by a number; large parts first."""
    signs = {expression.label(node) for node in np.flatnonzero(expression.codes > CONSTANT)} >= {"+", "-"}
    for node in reversed(range(expression.size)):
        if expression.codes[node] <= CONSTANT:
            continue
        for child in expression.children(node):
            yield expression.replace(node, expression.subtree(child))
        values = np.asarray(expression.subtree(node).evaluate_columns(columns))
        if np.isfinite(values).all():
            number = float(values.flat[0] if np.ptp(values) == 0 else np.mean(values))
            yield expression.replace(node, Expression([CONSTANT], [number], expression.names))
        if signs and expression.label(node) in OPPOSITE:
            yield from (expression.replace(node, form) for form in _other_sign(expression, node))


def _other_sign(expression: Expression, node: int) -> Iterator[Expression]:
    """For a sum or a difference at ``node``: ``a - b`` for ``a + -1*b`` and the like, also where that is wrong."""
    opposite = OPPOSITE[expression.label(node)]
    arguments = expression.children(node)
    for negated, other in (arguments, arguments[::-1]) if len(arguments) == 2 else ():
        children = expression.children(negated)
        if any(expression.codes[child] == CONSTANT for child in children):
            for child in children:
                yield Expression.apply(opposite, expression.subtree(other), expression.subtree(child))


def _largest_part(expression: Expression, columns: Sequence[np.ndarray]) -> float:
    """The largest finite value of the formula and of the terms of its outermost sum."""
    largest, terms = 0.0, [expression.size - 1]
    while terms:
        node = terms.pop()
        values = np.abs(expression.subtree(node).evaluate_columns(columns))
        largest = max(largest, float(np.max(np.where(np.isfinite(values), values, 0.0))))
        if expression.label(node) in ("+", "-") and len(expression.children(node)) == 2:
            terms += expression.children(node)
    return largest


def simplified(expression: Expression, columns: Sequence[np.ndarray]) -> Expression:
    """The formula as sympy writes it, where that is shorter and the values on the data are the same.

    Examples
    --------
    >>> print(simplified(Expression.parse("x0 + -1*x1 + (x0 + x0)"), [np.ones(3), np.arange(3.0)]))
    3*x0 - x1
    """
    if expression.size > LONGEST:
        return expression
    try:
        other = Expression.from_sympy(expression.sympy(), expression.names)
    except ValueError:  # an operator that sympy's alphabet here lacks, or nan
        return expression
    if other.complexity >= expression.complexity:
        return expression
    with np.errstate(all="ignore"):
        before, after = (np.asarray(one.evaluate_columns(columns)) for one in (expression, other))
        same = np.max(np.abs(before - after)) <= 1e-13 * np.max(np.abs(before))
    return other if same else expression
