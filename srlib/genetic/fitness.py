"""Step 2, fitness evaluation: how good is a formula?

``l(E) = l_pred(E) + parsimony * C(E)`` (the symbolic-regression lecture, document 003). The prediction loss is taken
in units of the best constant's, so that 1 means "no better than a constant", and ``parsimony`` means the same on every
data set. For the squared loss it is the root of that share, the NRMSE: a parsimony of 0.001 says that one more node
must explain a thousandth of the target's standard deviation. (With the square itself, a law that is exact but long
would lose against a short approximation of 3 % error.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ..expression import Expression

__all__ = ["LOSSES", "Fitness"]


def _huber(r: np.ndarray) -> np.ndarray:
    size = np.abs(r)
    return np.where(size < 1, 0.5 * r * r, size - 0.5)


LOSSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"squared": np.square, "absolute": np.abs, "huber": _huber}


class Fitness:
    """The data, and how formulas are judged on them.

    Parameters
    ----------
    X : ndarray, shape (rows, features)
        The table.
    y : ndarray, shape (rows,)
        The target.
    sample_weight : ndarray, shape (rows,), optional
        Weights of the rows.
    parsimony : float
        What a node costs, in the unit of the prediction loss above.
    loss : {"squared", "absolute", "huber"}
        The loss of one row.
    linear_scaling : bool
        Judge a formula ``f`` by the best ``a + b*f`` (Keijzer 2003): evolution looks for the shape, least squares
        finds scale and offset. For the squared loss.

    Examples
    --------
    >>> fitness = Fitness(np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0]), parsimony=0.01)
    >>> fitness.loss(Expression.parse("2*x0")), fitness.of(Expression.parse("2*x0"))
    (0.0, 0.03)
    """

    def __init__(
        self, X, y, sample_weight=None, parsimony: float = 0.001, loss: str = "squared", linear_scaling: bool = False
    ):
        if loss not in LOSSES:
            raise ValueError(f"loss is {loss!r}: choose one of {', '.join(map(repr, LOSSES))}")
        if np.ndim(X) != 2 or np.shape(y) != np.shape(X)[:1] or len(y) == 0:
            raise ValueError(f"X has shape {np.shape(X)} and y {np.shape(y)}: give (rows, features) and (rows,)")
        if sample_weight is not None and np.shape(sample_weight) != np.shape(y):
            raise ValueError(
                f"sample_weight has shape {np.shape(sample_weight)}: give one weight for each of {len(y)} rows"
            )
        self.columns = [np.ascontiguousarray(column) for column in np.asarray(X, dtype=float).T]  # each (rows,)
        self.y = np.asarray(y, dtype=float)  # (rows,)
        self.weights = None if sample_weight is None else np.asarray(sample_weight) / np.sum(sample_weight)  # (rows,)
        self.parsimony, self.elementwise, self.linear_scaling = parsimony, LOSSES[loss], linear_scaling
        self.squared = loss == "squared"
        self.baseline = self._mean(self.elementwise(self.y - self._best_constant(loss))) or 1.0

    def _best_constant(self, loss: str) -> float:
        return float(np.average(self.y, weights=self.weights) if loss == "squared" else np.median(self.y))

    def _mean(self, values: np.ndarray) -> float:
        return float(values.mean() if self.weights is None else self.weights @ values)

    def loss(self, expression: Expression) -> float:
        """The prediction loss in the target's units; infinite if the formula has no finite value in some row.

        With linear scaling, the loss of the best ``a + b*f``.
        """
        with np.errstate(all="ignore"):
            values = expression.evaluate_columns(self.columns)  # (rows,) or a number
            if self.linear_scaling:
                offset, slope = self._line(values)
                values = offset + slope * values
            loss = self._mean(self.elementwise(values - self.y))
        return loss if math.isfinite(loss) else math.inf

    def _line(self, values) -> tuple[float, float]:
        """``(a, b)`` of the least-squares line ``a + b*values``."""
        centre, middle = self._mean(values + 0 * self.y), self._mean(self.y)
        shifted = values - centre
        variance = self._mean(shifted * shifted + 0 * self.y)
        varies = variance > 1e-24 * centre * centre  # not a constant up to rounding
        slope = self._mean(shifted * (self.y - middle)) / variance if varies else 0.0
        return middle - slope * centre, slope

    def forms(self, expression: Expression, loss: float) -> Iterator[tuple[Expression, float]]:
        """What the formula ``f`` stands for, with the loss of each form.

        Itself; with linear scaling also ``b*f``, ``f + a`` (or ``a - f``) and ``b*f + a``: many laws have no offset, or
        no factor, and the shorter form is then the law.
        """
        if not self.linear_scaling:
            yield expression, loss
            return
        with np.errstate(all="ignore"):
            values = expression.evaluate_columns(self.columns) + 0 * self.y  # (rows,)
            offset, slope = self._line(values)
            square, middle, sign = self._mean(values * values), self._mean(self.y), math.copysign(1.0, slope)
            factor = self._mean(values * self.y) / square if square > 0 else 0.0
            shift = middle - sign * self._mean(values)
            for a, b in ((0.0, 1.0), (0.0, factor), (shift, sign), (offset, slope)):
                loss = self._mean(self.elementwise(a + b * values - self.y))
                if math.isfinite(loss) and math.isfinite(a) and math.isfinite(b):
                    yield scaled(expression, a, b), loss

    def of(self, expression: Expression, loss: float | None = None) -> float:
        """The fitness; the lower the better."""
        loss = self.loss(expression) if loss is None else loss
        share = loss / self.baseline
        return (math.sqrt(share) if self.squared else share) + self.parsimony * expression.complexity


def scaled(expression: Expression, a: float, b: float) -> Expression:
    """``a + b*f`` in as few nodes as that takes."""
    if b == -1.0:
        return a - expression
    product = expression if b == 1.0 else b * expression
    return product if a == 0.0 else product + a
