"""What a formula is judged by in the end: the user's loss on all of the user's rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..expression import Expression
from ..kernels.api import evaluate, mean_loss

__all__ = ["Objective"]


@dataclass(frozen=True)
class Objective:
    """The mean loss of a formula; holds the rows and nothing of the search, so that a front may keep it.

    Attributes
    ----------
    columns : ndarray, shape (features, rows)
        The table by its columns.
    y : ndarray, shape (rows,)
        The target.
    weight : ndarray, shape (rows,), or None
        Weights of the rows.
    loss : (int, float, int)
        Kind, parameter and address (:func:`srlib.evolution.prepare.read_loss`).
    """

    columns: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    loss: tuple[int, float, int]

    def __call__(self, expression: Expression) -> float:
        """The weighted mean loss; infinite if there is no finite value in some row."""
        return mean_loss(evaluate(expression, self.columns), self.y, self.weight, *self.loss)
