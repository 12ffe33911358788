"""Formulas that are the same in other words."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .constants import refit, standard_errors
from .expression import Expression
from .operators import CONSTANT

if TYPE_CHECKING:
    from .front import Entry, ParetoFront

__all__ = ["as_the_other", "equal_to_sympy", "probes", "without_duplicates"]

AGREE = 1e-9  # the largest relative difference of two formulas that are the same
ROUNDING = 1e-13  # by this share the numbers in a formula are shaken, to see which values rounding may change
FEWEST = 20  # points on which both have a value
NEAR = 10.0  # constants are first fitted where the ratio of two formulas is its median up to this factor
FIRST = 60  # points that lie together, and where nothing is negative unless the data are
STEPS = 30  # of Levenberg-Marquardt
LONGEST = 100  # nodes; sympy takes its time for longer formulas
DIGITS = 6  # of constants, for sympy


def without_duplicates(front: ParetoFront, seconds: float = 10.0) -> ParetoFront:
    """See :meth:`srlib.front.ParetoFront.without_duplicates`."""
    until, new = time.monotonic() + seconds, front.copy()
    count = max((feature for entry in front for feature in entry.expression.features), default=-1) + 1
    columns = probes(count, None if front.data is None else front.data.columns)
    kept: list[Entry] = []
    for entry in front:
        place, same = _find(entry.expression, [one.expression for one in kept], columns, until)
        if same is None:
            kept.append(entry)
        elif same != kept[place].expression:
            kept[place] = _with_constants_of(kept[place], same, entry, front)
    new._entries = []
    new.update(kept)
    return new


def _find(
    longer: Expression, simpler: list[Expression], columns: np.ndarray, until: float
) -> tuple[int, Expression | None]:
    """The place of a formula that is the longer one in other words, and that formula with the right constants."""
    for place in reversed(range(len(simpler))):
        if time.monotonic() >= until:
            break
        same = as_the_other(simpler[place], longer, columns)
        if same is None and not _differ(simpler[place], longer, columns) and equal_to_sympy(simpler[place], longer):
            same = simpler[place]
        if same is not None:
            return place, same
    return -1, None


def _with_constants_of(entry: Entry, fitted: Expression, other: Entry, front: ParetoFront) -> Entry:
    """The simpler formula with constants that make it the other one, if that is no loss."""
    if front.data is None:
        return replace(entry, expression=fitted, loss=other.loss, errors=())
    columns, y, weights, judge = front.data
    loss = judge(fitted)
    if not loss < entry.loss:
        return entry
    errors = tuple(standard_errors(fitted, columns, y, weights)) if entry.errors else ()
    return replace(entry, expression=fitted, loss=loss, errors=errors)


def probes(features: int, columns: np.ndarray | None = None) -> np.ndarray:
    """Points on which formulas are compared, shape (features, points).

    Within the range of the data, if they are known: rows of them, and points between. Otherwise of all magnitudes:
    formulas that differ only where the features are large must not be taken for the same.
    """
    rng = np.random.default_rng(0)
    if columns is not None and len(columns) >= features:
        some = columns[:, np.linspace(0, columns.shape[1] - 1, min(100, columns.shape[1])).astype(int)]
        low, high = some.min(axis=1, keepdims=True), some.max(axis=1, keepdims=True)
        return np.concatenate([some, low + (high - low) * rng.uniform(size=(len(columns), 100))], axis=1)
    positive, around = rng.uniform(0.2, 3, (features, 60)), rng.uniform(-3, 3, (features, 60))
    large = 10.0 ** rng.uniform(-15, 15, (features, 80)) * rng.choice([1.0, 1.0, -1.0], (features, 80))
    return np.concatenate([positive, around, large], axis=1)


def _values(expression: Expression, columns: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return expression.evaluate_columns(columns) + np.zeros(columns.shape[1])


def _blur(expression: Expression, columns: np.ndarray) -> np.ndarray:
    """How much each value depends on the last digits of the numbers in it, shape (points,)."""
    leaves = np.flatnonzero(expression.codes <= CONSTANT)
    codes = expression.codes.copy()
    codes[leaves] = -1 - np.arange(len(leaves))  # each leaf a feature of its own
    apart = Expression(codes, np.zeros(len(codes)))
    exact = np.array([_values(expression.subtree(int(leaf)), columns) for leaf in leaves])  # (leaves, points)
    rng, value, blur = np.random.default_rng(0), _values(apart, exact), np.zeros(columns.shape[1])
    for _ in range(3):
        shaken = _values(apart, exact * (1 + ROUNDING * rng.choice([-1.0, 1.0], exact.shape)))
        with np.errstate(all="ignore"):
            blur = np.maximum(blur, np.nan_to_num(np.abs(shaken - value), nan=math.inf))
    return blur


def _clear(target: np.ndarray, blur: np.ndarray) -> np.ndarray:
    """Whether each value is known well enough to be compared."""
    return (blur <= AGREE * np.abs(target)) & (target != 0)


def as_the_other(shorter: Expression, longer: Expression, columns: np.ndarray) -> Expression | None:
    """The shorter formula with constants that make it equal to the longer one on these points; None if there are none.

    Where the longer one has no value, the shorter one may have any.

    Examples
    --------
    >>> print(as_the_other(Expression.parse("3*x0"), Expression.parse("2*(x0 + 1) - 2"), probes(1)).format(6))
    2*x0
    >>> as_the_other(Expression.parse("3*x0"), Expression.parse("2*(x0 + 1)"), probes(1))
    """
    values = _values(longer, columns)
    known = np.isfinite(values)
    points, target = np.ascontiguousarray(columns[:, known]), values[known]
    blur = _blur(longer, points)
    if _clear(target, blur).sum() < FEWEST:
        return None
    start = _values(shorter, points)
    if _agree(start, target, blur):
        return shorter
    if len(shorter.constants) == 0 or not set(shorter.features) <= set(longer.features):
        return None
    # relative residuals: f / target = 1
    ratio = shorter.with_names(None) / Expression.variable(len(points))
    clear, first = _clear(target, blur), np.flatnonzero(known) < FIRST
    for reach, among in ((NEAR, clear & first), (NEAR, clear), (math.inf, clear)):
        used = among & _near(_values(ratio, np.vstack([points, target])), among, reach)
        if used.sum() >= FEWEST:
            some, ones = np.vstack([points, target])[:, used], np.ones(int(used.sum()))
            ratio = refit(ratio, some, ones, max_steps=STEPS, directions=np.eye(len(ratio.constants)))
    same = shorter.with_constants(ratio.constants)
    return same if _agree(_values(same, points), target, blur) else None


def _near(ratio: np.ndarray, among: np.ndarray, reach: float) -> np.ndarray:
    """Where a ratio is finite and of its usual size: far from there an exponential or a pole would rule the fit."""
    with np.errstate(all="ignore"):
        size = np.abs(ratio)
        usual = np.median(size[among & (size < math.inf)]) if (among & (size < math.inf)).any() else 1.0
        return (size < math.inf) & (size <= reach * usual) & (size >= usual / reach)


def _agree(a: np.ndarray, b: np.ndarray, blur: np.ndarray) -> bool:
    """Finite and equal to rounding, at every point."""
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(a - b) <= AGREE * np.maximum(np.abs(a), np.abs(b)) + blur))


def _rounded(expression: Expression) -> Expression:
    """The formula with its constants to so many digits as sympy is given."""
    return expression.with_constants([float(f"{c:.{DIGITS}g}") for c in expression.constants])


def _differ(a: Expression, b: Expression, columns: np.ndarray) -> bool:
    """Whether formulas are so clearly different that sympy, which is slow, need not be asked.

    That is where the values to be compared are many and most of them differ by far more than rounding.
    """
    pair = _rounded(a), _rounded(b)
    values, blurs = [_values(one, columns) for one in pair], [_blur(one, columns) for one in pair]
    with np.errstate(all="ignore"):
        known = np.isfinite(values).all(axis=0) & _clear(values[0], blurs[0]) & _clear(values[1], blurs[1])
        far = np.abs(values[0] - values[1]) > 100 * AGREE * np.maximum(*np.abs(values))
    return bool(known.sum() >= FEWEST and far[known].mean() > 0.5)


def equal_to_sympy(a: Expression, b: Expression) -> bool:
    """Whether sympy, which orders and merges as it builds, makes the same of both; constants count to six digits.

    Examples
    --------
    >>> equal_to_sympy(Expression.parse("2.0000001*x0 + x1"), Expression.parse("x1 - -2*x0"))
    True
    """
    if max(a.size, b.size) > LONGEST:
        return False
    try:
        one, other = _rounded(a).sympy(), _rounded(b).sympy()
    except ValueError:
        return False
    return not one.has(math.nan) and bool(one - other == 0)
