"""From adapted networks to formulas: small units are cut, the rest is fitted exactly, and the shortest that fits wins.

That is how EQLRegressor ends, too. Here all tasks are treated at once, and whole units are cut by what they contribute
on the support set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..constants import mean_squared_error, refit
from ..eql.extraction import to_expression, used_weights
from ..eql.fitting import levenberg_marquardt
from ..eql.network import forward
from ..expression import Expression
from ..recovery import recovers
from .models import FlatModel, OffsetEQL, without_ones
from .tasks import Tasks

__all__ = ["Recovered", "recover"]

FIT_STEPS = 30  # of least squares after each cut
NEAR = 1e-2  # a relative error above which a network is not worth a formula
EXACT = 1e-20  # of the target's mean square: an error of rounding


@dataclass(frozen=True)
class Recovered:
    """What became of a task.

    Attributes
    ----------
    expression : Expression or None
        Over x; None where the network does not fit, or has as many constants as the support set has points.
    units : int
        Units of the last layer that are left.
    error : float
        Mean squared error on the support set, relative to the target's mean square.
    verdict : str
        By :func:`srlib.recovers`; empty if nobody knows the law.
    """

    expression: Expression | None
    units: int
    error: float
    verdict: str


def recover(
    model: FlatModel, theta: torch.Tensor, tasks: Tasks, threshold: float | None = 0.05, tolerance: float = EXACT
) -> list[Recovered]:
    """The formula of each task's adapted network, and whether it is the law.

    Units of the last layer that contribute little on the support set are cut, and what is left is fitted to the support
    set by least squares. The query set is not used.

    Parameters
    ----------
    model : FlatModel
        Of an :class:`~srlib.meta.OffsetEQL`.
    theta : Tensor, shape (tasks, parameters)
        The adapted parameters.
    tasks : Tasks
    threshold : float, optional
        Units whose root mean square is below this share of the target's are cut, all at once. None cuts one after the
        other with a fit after each, and takes the smallest network that fits to the tolerance, or where none does the
        best: least squares from many starts, which finds laws also where adaptation has not.
    tolerance : float
        A mean squared error, relative to the target's mean square, that is as good as none. For noisy support sets
        give the noise's share.

    Returns
    -------
    list of Recovered
        One for each task.
    """
    if not isinstance(model.module, OffsetEQL):
        raise ValueError(f"model is a {type(model.module).__name__}: formulas can be read from an OffsetEQL only")
    architecture = model.module.architecture
    x, y = tasks.x_support[..., 0].double().numpy(), tasks.y_support[..., 0].double().numpy()  # (tasks, points)
    X, power = np.stack([x, np.ones_like(x)], axis=-1), np.maximum(np.mean(y * y, axis=1), 1e-300)
    weights = theta.detach().double().numpy().copy()
    if threshold is not None:
        small = _contributions(architecture, weights, X) < threshold * np.sqrt(power)[:, None]
        weights = _without(architecture, weights, small)
        found, errors = levenberg_marquardt(architecture, X, y, weights, steps=2 * FIT_STEPS)
        errors = errors / power
    else:
        found, errors = _stepwise(architecture, weights, X, y, power, tolerance)
    units = (found[:, -architecture.width :] != 0).sum(axis=1)
    laws = tasks.laws or [None] * len(tasks)
    return [_judged(architecture, *one) for one in zip(found, units, errors, x, y, laws, strict=True)]


def _stepwise(architecture, weights, X, y, power, tolerance: float):
    """The smallest network of each task that fits, (tasks, weights), and its relative error."""
    least, found = np.full(len(X), np.inf), weights.copy()
    for _ in range(architecture.width):
        fitted, errors = levenberg_marquardt(architecture, X, y, weights, steps=FIT_STEPS)
        errors = np.maximum(errors / power, tolerance)
        better = errors <= least
        found[better], least[better] = fitted[better], errors[better]
        weights = np.where(np.isfinite(errors)[:, None], fitted, weights)
        size = _contributions(architecture, weights, X)
        size[weights[:, -architecture.width :] == 0] = np.inf
        weights = _without(architecture, weights, size == size.min(axis=1, keepdims=True))
    return found, least


def _contributions(architecture, weights: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The root mean square of what each unit of the last layer adds to the output, (tasks, units)."""
    table = torch.from_numpy(np.ascontiguousarray(np.swapaxes(X, 1, 2)))
    matrices = architecture.matrices(torch.from_numpy(weights))
    _, tape = forward(architecture, matrices, table)
    size = tape.inputs[-1].square().mean(dim=-1).sqrt() * matrices[-1][..., 0].abs()
    return torch.nan_to_num(size, torch.inf).numpy()


def _without(architecture, weights: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Networks without some units of the last layer (tasks, units), and without what led to these only."""
    weights = weights.copy()
    weights[:, -architecture.width :][units] = 0.0
    return np.stack([one * used_weights(architecture, one != 0) for one in weights])


def _judged(architecture, weights: np.ndarray, units: int, error: float, x, y, law) -> Recovered:
    if not error < NEAR or np.count_nonzero(weights) >= len(y):  # no law, or more constants than the points determine
        return Recovered(None, int(units), float(error), "no" if law else "")
    form = without_ones(to_expression(architecture, weights))
    free = np.diag((form.constants != 2.0).astype(float))  # the 2 of a square stays
    form = refit(form, [x], y, directions=free[:, free.any(axis=0)]) if free.any() else form
    error = mean_squared_error(form, [x], y) / max(np.mean(y * y), 1e-300)
    return Recovered(form, int(units), error, recovers(form, law.problem()).verdict if law else "")
