"""Constants that the data cannot tell from a readable number - 2, 1/3, pi, 1e-7 - written so."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from .constants import covariance, mean_squared_error, refit
from .expression import Expression
from .numerals import EASY, numerals, spelled
from .prune import pruned, simplified

if TYPE_CHECKING:
    import pandas as pd

    from .data import Data

__all__ = ["readable", "readable_table"]

TRIES = 3  # numbers tried for a constant, the likeliest first
MOST = 9.0  # the squared number of standard errors that a constant may be off, whatever the odds
GOOD_ODDS = 4.0  # twice the logarithm of the odds that a number such as 11/3 or pi**2 needs
SLACK = 4.0  # the quadratic forecast of a loss may be wrong by this factor before a number is not even tried


def readable(
    expression: Expression,
    columns: Sequence[np.ndarray],
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
    *,
    loss: Callable[[Expression], float] | None = None,
    resolution: float | None = None,
    digits: int = 4,
    algebra: bool = True,
    decimals: bool = True,
    until: float = math.inf,
) -> Expression:
    """The formula with readable constants, as far as the data allow it.

    Constants that may be 0 are dropped. One of the others after another, the most certain first, becomes a number that
    people write: a small whole number, a simple fraction, a multiple of pi, a power of ten. Then two constants that are
    equal or opposite within their errors become one, and the others are rounded to as few digits as possible. After
    each step the constants that are still free are fitted again.

    A step is taken if the Bayesian information criterion favours it: the formula has one free parameter less, so that
    ``rows*log(loss after/loss before)`` may be up to ``log(rows)``. Two amendments go by the odds that chance alone
    leads so near to a number that is as simple: the limit may rise to three standard errors where the odds are that
    good (an exponent of 2.0012 ± 0.0004), and numbers such as 11/3 or pi**2 need good odds anyway, while 3.7 only says
    how far the data go. Where the loss is nothing but rounding errors, it must stay so.

    Parameters
    ----------
    expression : Expression
        The formula.
    columns : sequence of ndarray, each of shape (rows,)
        The features.
    y : ndarray, shape (rows,)
        The target.
    sample_weight : ndarray, shape (rows,), optional
        Weights of the squared errors.
    loss : callable, optional
        ``loss(expression) -> float`` judges each step; by default the (weighted) mean squared error.
    resolution : float, optional
        A loss up to this is nothing but rounding errors.
    digits : int
        The most significant digits of a decimal number.
    algebra : bool
        Whether sympy simplifies what has become simpler (``x0 + -1*x1``); parts without effect (``1*x0``) go anyway.
    decimals : bool
        Whether constants that are no special number are rounded to as few digits as the data allow.
    until : float
        What has not been tried at this time of ``time.monotonic()`` is left as it is.

    Returns
    -------
    Expression

    Examples
    --------
    >>> x = np.linspace(0, 3, 50)
    >>> y = 2 * np.sin(np.pi * x) + 0.01 * np.cos(50 * x)
    >>> print(readable(Expression.parse("1.98*sin(3.12*x0 + 0.03)*1.01 + 0.002"), [x], y).format(6))
    2*sin(3.14159*x0)
    """
    rows = len(y) if sample_weight is None else int(np.count_nonzero(sample_weight))
    if loss is None:

        def loss(one):
            return mean_squared_error(one, columns, y, sample_weight)

    if resolution is None:
        resolution = (1e-13 * float(np.sqrt(np.mean(np.square(y))))) ** 2
    every = np.eye(len(expression.constants))
    fitted = refit(expression, columns, y, sample_weight, until=until, directions=every)
    start = min((expression, fitted), key=loss)
    rounding = _Rounding(start, columns, y, sample_weight, loss, resolution, rows, until)
    steps = [partial(rounding.number, dearest, digits) for dearest in (0.0, EASY, math.inf)]
    for step in (*steps[:2], rounding.tie, *steps[2:][: int(decimals)]):
        while step():
            pass
    result = rounding.expression
    shorten = [partial(pruned, columns=columns, until=until), partial(simplified, columns=columns)]
    for shorter in shorten[: 1 + int(algebra)]:
        if time.monotonic() < until:
            result = rounding.unless_worse(result, shorter(result))
    return result


def readable_table(expressions: Sequence[Expression], data: Data, resolution: float = 0.0) -> pd.DataFrame:
    """The table of :meth:`srlib.front.ParetoFront.rounded`, without the complexities."""
    import pandas as pd

    columns, y, weights, loss = data
    forms = [readable(one, columns, y, weights, loss=loss, resolution=resolution or None) for one in expressions]
    before, after = [loss(one) for one in expressions], [loss(one) for one in forms]
    floor = resolution or np.finfo(float).tiny
    return pd.DataFrame(
        {
            "equation": [one.format(6) for one in expressions],
            "rounded": [spelled(one) for one in forms],
            "loss": before,
            "rounded_loss": after,
            "cost": [max(b, floor) / max(a, floor) - 1 for a, b in zip(before, after, strict=True)],
            "expression": forms,
        }
    )


class _Rounding:
    """A formula some of whose constants are fixed or tied.

    Its constants move along the columns of ``directions`` (constants, parameters): each column is one parameter that
    is still free, with entries 1 or -1 at the constants that are this parameter or its opposite.
    """

    def __init__(self, expression, columns, y, sample_weight, loss, resolution: float, rows: int, until: float):
        self.columns, self.y, self.sample_weight, self.judge = columns, y, sample_weight, loss
        self.resolution, self.rows, self.until = max(resolution, np.finfo(float).tiny), rows, until
        self.weight = float(len(y) if sample_weight is None else np.sum(sample_weight))
        self.expression, self.loss = expression, loss(expression)
        self.directions = np.eye(len(expression.constants))  # (constants, parameters)
        self.refused: set = set()

    def rise(self, loss: float) -> float:
        """``rows*log(loss after/loss before)``, in which losses of rounding size are all the same."""
        if not (math.isfinite(loss) and math.isfinite(self.loss)):
            return math.inf if not math.isfinite(loss) else -math.inf
        return self.rows * math.log(max(loss, self.resolution) / max(self.loss, self.resolution))

    def odds(self, value: float, spread: float, variance: float, cost: float = 0.0) -> float:
        """Twice the logarithm of the odds against coming this near to a number of that cost by chance."""
        if not variance > 0 or value == 0:
            return math.inf if value else 0.0
        error = math.sqrt(spread) * math.sqrt(variance)
        if not 0 < error < math.inf:  # of numbers such as 1e-200
            return -math.inf if error else math.inf
        return 2 * (math.log(abs(value)) - math.log(error) - 0.5 * math.log(2 * math.pi) - cost)

    def limit(self, odds: float) -> float:
        """What :meth:`rise` may be for one free parameter less."""
        return max(math.log(self.rows), min(odds, MOST))

    def parameters(self) -> np.ndarray:
        """The values of the free parameters."""
        return self.directions.T @ self.expression.constants / np.sum(self.directions**2, axis=0)

    def take(self, constants: np.ndarray, directions: np.ndarray, limit: float) -> bool:
        """Take these constants, those that are still free fitted again, if the loss rises by at most ``limit``."""
        if time.monotonic() >= self.until or not np.isfinite(constants).all():
            return False
        candidate = self.expression.with_constants(constants)
        loss = self.judge(candidate)
        if directions.shape[1] and loss > self.resolution:
            fitted = refit(candidate, self.columns, self.y, self.sample_weight, until=self.until, directions=directions)
            if (fitted_loss := self.judge(fitted)) < loss:
                candidate, loss = fitted, fitted_loss
        if self.rise(loss) > limit:
            return False
        self.expression, self.loss, self.directions = candidate, loss, directions
        return True

    def number(self, dearest: float, digits: int) -> bool:
        """Give one free parameter a readable number that costs at most ``dearest``; whether one was found."""
        if self.directions.shape[1] == 0 or time.monotonic() >= self.until:
            return False
        matrix, variance = self.covariance()
        for k in self.most_certain_first(matrix):
            for number, limit in self.likely(k, matrix, variance, dearest, digits):
                attempt = (self.directions[:, k].tobytes(), number)
                if attempt not in self.refused and self.fix(k, number, matrix, limit):
                    return True
                self.refused.add(attempt)
        return False

    def covariance(self) -> tuple[np.ndarray, float]:
        return covariance(self.expression, self.columns, self.y, self.sample_weight, self.directions)

    def most_certain_first(self, matrix: np.ndarray) -> Iterator[int]:
        """The parameters that others can make up for, the innermost first; then by their relative errors."""
        with np.errstate(all="ignore"):
            relative = np.sqrt(np.diagonal(matrix)) / np.abs(self.parameters())
        order = np.lexsort((-np.arange(len(relative)), np.where(np.isnan(relative), -1.0, relative)))
        return map(int, order)

    def likely(self, k: int, matrix: np.ndarray, variance: float, dearest: float, digits: int):
        """The numbers worth a try, each with its limit, by the forecast of the loss and what it costs to say them."""
        value, spread = float(self.parameters()[k]), float(matrix[k, k])
        if not spread > 0:  # NaN: others make up for it
            return [(number, self.limit(0.0)) for number in (0.0, 1.0, -1.0)]
        scored = []
        for number, cost in numerals(value, digits):
            odds = self.odds(value, spread, variance, cost)
            error = (number - value) * (number - value) / spread / self.weight  # infinite rather than an OverflowError
            if self.rise(self.loss + error / SLACK) > self.limit(odds):
                continue
            rise = self.rise(self.loss + error)
            if float(f"{number:.{digits - 1}e}") == number or rise <= odds - GOOD_ODDS:
                scored.append((rise > self.limit(odds), rise + 2 * cost, cost, number, self.limit(odds)))
        best = itertools.takewhile(lambda one: one[2] <= dearest, sorted(scored)[:TRIES])
        return [(number, limit) for _, _, _, number, limit in best]

    def fix(self, k: int, number: float, matrix: np.ndarray, limit: float) -> bool:
        """Parameter ``k`` becomes a number; the others begin where the quadratic forecast sees them."""
        constants, change = self.expression.constants, number - self.parameters()[k]
        column = self.directions[:, k]
        rest = np.delete(self.directions, k, axis=1)
        fixed = np.where(column == 0, constants, column * number)  # exactly the number, not up to rounding
        if math.isfinite(matrix[k, k]):
            with np.errstate(all="ignore"):
                answer = np.nan_to_num(np.delete(matrix[:, k], k) / matrix[k, k]) * change
                shifted = fixed + rest @ answer
            if np.isfinite(shifted).all() and self.judge(self.expression.with_constants(shifted)) <= self.loss:
                fixed = shifted
        return self.take(fixed, rest, limit)

    def tie(self) -> bool:
        """Make two free parameters one, if their difference or sum is within its error of zero; whether it could."""
        free = self.directions.shape[1]
        if free < 2 or time.monotonic() >= self.until:
            return False
        (matrix, variance), values, pairs = self.covariance(), self.parameters(), []
        for i in range(free):
            for j in range(i):
                sign = math.copysign(1.0, values[i] * values[j])
                spread = matrix[i, i] + matrix[j, j] - 2 * sign * matrix[i, j]
                if not spread > 0:
                    continue
                error = (values[i] - sign * values[j]) ** 2 / spread / self.weight
                limit = self.limit(self.odds(values[i], spread, variance))
                attempt = (self.directions[:, i].tobytes(), self.directions[:, j].tobytes())
                if attempt not in self.refused and self.rise(self.loss + error / SLACK) <= limit:
                    pairs.append((error, i, j, sign, limit, attempt))
        for _, i, j, sign, limit, attempt in sorted(pairs)[:TRIES]:
            one = self.directions[:, i] + sign * self.directions[:, j]
            value = 0.5 * (values[i] + sign * values[j])
            constants = np.where(one == 0, self.expression.constants, one * value)
            rest = np.delete(self.directions, (i, j), axis=1)
            if self.take(constants, np.column_stack([rest, one]), limit):
                return True
            self.refused.add(attempt)
        return False

    def unless_worse(self, before: Expression, after: Expression) -> Expression:
        """The second formula, unless it explains the data worse than the first."""
        limit = max(self.judge(before), self.resolution) * (1 + 1e-9)
        return after if self.judge(after) <= limit else before
