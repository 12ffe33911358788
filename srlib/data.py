"""Tables: in an order of their own, and as what the formulas of a front are judged by, with the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .constants import mean_squared_error
from .expression import Expression

__all__ = ["Data", "canonical", "data_of"]


class Data(NamedTuple):
    """The data and the loss."""

    columns: np.ndarray  # (features, rows)
    y: np.ndarray  # (rows,)
    sample_weight: np.ndarray | None  # (rows,)
    loss: Callable[[Expression], float]


def data_of(X, y, sample_weight=None, loss: Callable[[Expression], float] | None = None) -> Data:
    """The data, their shapes checked; arguments as in :meth:`srlib.front.ParetoFront.attach`."""
    table, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    weights = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    if table.ndim != 2 or y.shape != table.shape[:1] or (weights is not None and weights.shape != y.shape):
        shown = "" if weights is None else f" and sample_weight {weights.shape}"
        raise ValueError(
            f"X has shape {table.shape}, y {y.shape}{shown}: give (rows, features), and one value for each row"
        )
    columns = table.T  # (features, rows)
    return Data(columns, y, weights, loss or (lambda one: mean_squared_error(one, columns, y, weights)))


def canonical(X, y, sample_weight):
    """The table with equal rows once, in an order of its own, and how much each counts (None: all the same).

    So what is found depends neither on the order of rows nor on whether a row stands there twice or weighs 2.
    """
    rows = np.column_stack([X, y])
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    unique, inverse = np.unique(rows, axis=0, return_inverse=True)
    total = np.bincount(np.reshape(inverse, -1), weights=weights, minlength=len(unique))
    if sample_weight is None and len(unique) == len(rows):
        total = None
    return np.ascontiguousarray(unique[:, :-1]), np.ascontiguousarray(unique[:, -1]), total
