"""What a formula is judged by in the end: the user's loss on all of the user's rows."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from ..expression import Expression
from ..kernels.api import evaluate, jacobian, mean_loss
from ..kernels.losses import HUBER, LOGCOSH, SQUARED

__all__ = ["Objective", "minimize_loss"]

SMOOTH = (SQUARED, HUBER, LOGCOSH)  # losses with a continuous derivative
DEPENDENT = 1e-12  # of the largest eigenvalue: smaller ones belong to constants that replace each other
FIRST_STEP = 0.1  # of the simplex, as a share of the mean error
EVALUATIONS = 400  # of the formula for each constant
ROWS_IN_ALL = 3e7  # evaluations times rows, for one formula: a fraction of a second


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
        """The weighted mean loss; infinite if there is no finite value in some row.

        Raises
        ------
        ValueError
            If a user's loss is negative: shares of a loss, and scores, then have no meaning.
        """
        loss = mean_loss(evaluate(expression, self.columns), self.y, self.weight, *self.loss)
        if loss < 0.0:
            raise ValueError(
                f"elementwise_loss has the mean {loss:.6g} for {expression.format(4)}: a loss must not be negative; "
                "add a constant to it, or take its exponential"
            )
        return loss


def minimize_loss(expression: Expression, objective: Objective, until: float = math.inf) -> Expression:
    """The formula with its constants moved to a minimum of any loss, near where they are.

    BFGS, and where the loss may have a kink the simplex search of Nelder and Mead after it (both
    :func:`scipy.optimize.minimize`). Parameters are combinations of the constants, each of which alone changes the
    predictions by the mean error, so that the loss is about equally steep in all of them.

    Parameters
    ----------
    expression : Expression
        The formula; without constants it comes back as it is.
    objective : Objective
        The loss.
    until : float
        At this time of ``time.monotonic()`` the best so far is good enough.

    Returns
    -------
    Expression
        Never worse than the one given.

    Examples
    --------
    >>> x = np.arange(5.0)
    >>> absolute = Objective(x[None], np.array([0.0, 2.0, 4.0, 6.0, 99.0]), None, (1, 0.0, 0))
    >>> print(minimize_loss(Expression.parse("2.5*x0"), absolute).format(6))
    2*x0
    """
    start, before = expression.constants, objective(expression)
    if len(start) == 0 or not 0 < before < math.inf:
        return expression
    directions = _directions(expression, objective)
    if directions is None:
        return expression
    from scipy.optimize import minimize

    most = max(100, min(EVALUATIONS * len(start), int(ROWS_IN_ALL / len(objective.y))))
    best, found, made = 1.0, expression, 0

    def relative_loss(z: np.ndarray) -> float:  # (parameters,)
        nonlocal best, found, made
        made += 1
        if made > most or time.monotonic() > until:
            raise _EnoughError
        try:
            moved = expression.with_constants(start + directions @ z)
        except ValueError:  # a step to infinity
            return 1e30
        loss = objective(moved) / before
        if loss < best:
            best, found = loss, moved
        return loss if loss < 1e30 else 1e30

    first = np.zeros(directions.shape[1])
    with np.errstate(all="ignore"):
        try:
            z = minimize(relative_loss, first, method="BFGS", options={"gtol": 1e-10}).x
            if objective.loss[0] not in SMOOTH:
                made = 0
                simplex = z + FIRST_STEP * np.concatenate([first[None], np.eye(len(z))])  # (parameters + 1, parameters)
                options = {"initial_simplex": simplex, "xatol": 1e-9, "fatol": 1e-13, "adaptive": len(z) > 3}
                minimize(relative_loss, z, method="Nelder-Mead", options={**options, "maxfev": most})
        except _EnoughError:
            pass
    return found


class _EnoughError(Exception):
    """Ends a minimisation."""


def _directions(expression: Expression, objective: Objective) -> np.ndarray | None:
    """Changes of the constants, shape (constants, parameters), that change the predictions by the mean error each.

    They are the principal axes of the Gauss-Newton matrix, without those along which nothing changes. None where a
    derivative is not finite.
    """
    values, J = jacobian(expression, objective.columns)  # (rows,), (rows, constants)
    length = np.abs(J).max(axis=0)
    length[length == 0] = 1.0
    J = J / length
    share = np.full(len(J), 1 / len(J)) if objective.weight is None else objective.weight / objective.weight.sum()
    if not (np.isfinite(J).all() and np.isfinite(values).all()):
        return None
    eigenvalues, axes = np.linalg.eigh(J.T @ (J * share[:, None]))
    kept = eigenvalues > DEPENDENT * eigenvalues[-1]
    if not kept.any():
        return None
    error = float(share @ np.abs(values - objective.y))
    return error * axes[:, kept] / np.sqrt(eigenvalues[kept]) / length[:, None]
