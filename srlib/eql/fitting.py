"""Networks fitted exactly: Levenberg-Marquardt on the weights that are left, and pruning of those that matter least.

Gradient descent leaves errors near 1e-3, so that a formula which is right and one that is nearly right look the same.
A few steps of least squares tell them apart. Everything here is in float64 and for all trials at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch

from .extraction import used_weights
from .network import Architecture, backward, forward

__all__ = ["Stage", "levenberg_marquardt", "prune"]

RIDGE = 1e-9  # of the mean curvature: weights that only scale each other have none of their own
GAIN = 1e-3  # a step that gains less than this share, three times in a row, ends a fit
FLOOR = 1e-30  # of the target's mean square: rounding errors
FIRST_STEPS, STEPS = 60, 12  # of the first fit of a network, and after each removal
SINGLES, BLOCKS = 5, (2, 4, 8, 16)  # removals that are tried: so many single weights, and so many at once
HARMLESS = 1.02  # times the error: what a removal costs nothing


class _Problem:
    """The data, and the Jacobian of a network by the weights that are left.

    All trials have one table, or each its own: then X and y have one more dimension, in front.
    """

    def __init__(self, architecture: Architecture, X: np.ndarray, y: np.ndarray, sample_weight=None):
        self.architecture = architecture
        self.X = torch.from_numpy(np.ascontiguousarray(np.swapaxes(X, -1, -2)))  # (features, rows)
        rows = y.shape[-1]
        share = np.full(rows, 1 / rows) if sample_weight is None else sample_weight / sample_weight.sum()
        self.root = torch.from_numpy(np.sqrt(share))  # (rows,)
        self.y = torch.from_numpy(np.ascontiguousarray(y))
        self.power = (self.root * self.y).square().sum(dim=-1)  # (), or (trials,)
        rows, columns, at_row, at_column = [], [], 0, 0
        for n, m in architecture.shapes:
            rows.append(at_row + np.repeat(np.arange(n), m))
            columns.append(at_column + np.tile(np.arange(m), n))
            at_row, at_column = at_row + n, at_column + m
        self.row = torch.from_numpy(np.concatenate(rows))  # (weights,) of all inputs of all layers
        self.column = torch.from_numpy(np.concatenate(columns))

    def of(self, trials: torch.Tensor) -> _Problem:
        """The problem of some of the trials, by their numbers."""
        if self.y.ndim == 1:
            return self
        some = copy(self)
        some.X, some.y, some.power = self.X[trials], self.y[trials], self.power[trials]
        return some

    def residuals(self, weights: torch.Tensor) -> torch.Tensor:
        """Shape (trials, rows), each row times the root of its share."""
        output, _ = forward(self.architecture, self.architecture.matrices(weights), self.X)
        return (output - self.y) * self.root

    def jacobian(self, weights: torch.Tensor, at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Residuals, and their derivatives (trials, active, rows) by the weights ``at`` (trials, active)."""
        matrices = self.architecture.matrices(weights)
        output, tape = forward(self.architecture, matrices, self.X)
        one = self.root.expand_as(output)
        deltas = torch.cat(backward(self.architecture, matrices, tape, one), dim=1)  # (trials, columns, rows)
        first = tape.inputs[0].expand(len(weights), -1, -1)
        inputs = torch.cat([first, *tape.inputs[1:]], dim=1)  # (trials, inputs of all layers, rows)
        trial = torch.arange(len(weights))[:, None]
        return (output - self.y) * self.root, inputs[trial, self.row[at]] * deltas[trial, self.column[at]]


def _active(alive: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The numbers of the weights left in each trial, (trials, active), and which of these are no padding."""
    most = max(int(alive.sum(dim=1).max()), 1)
    kept, at = torch.sort(alive.to(torch.int8), dim=1, descending=True, stable=True)
    return at[:, :most], kept[:, :most].bool()


def levenberg_marquardt(
    architecture: Architecture,
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    sample_weight=None,
    steps: int = 30,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the weights that are not 0, each trial by itself.

    Parameters
    ----------
    architecture : Architecture
    X : ndarray, shape (rows, features) or (trials, rows, features)
    y : ndarray, shape (rows,) or (trials, rows)
        One table for all trials, or one for each.
    weights : ndarray, shape (trials, weights)
    sample_weight : ndarray, shape (rows,), optional
    steps : int
        At most.
    stopped : callable
        Asked before each step whether to end here.

    Returns
    -------
    weights : ndarray, shape (trials, weights)
    errors : ndarray, shape (trials,)
        The (weighted) mean squared errors; infinite where a network has no finite value.
    """
    problem, start = _Problem(architecture, X, y, sample_weight), torch.from_numpy(weights)
    fitted, errors = _fit(problem, start, start != 0, steps, stopped=stopped)
    return fitted.numpy(), errors.numpy()


def _fit(
    problem: _Problem, weights: torch.Tensor, alive: torch.Tensor, steps: int, goal: float = 0.0,
    stopped: Callable[[], bool] = lambda: False,
):  # fmt: skip
    """Steps of Levenberg-Marquardt; a trial also ends at an error below the ``goal``."""
    weights, (at, real) = weights.clone(), _active(alive)
    damping = torch.full((len(weights),), 1e-3, dtype=torch.float64)
    errors = _finite(problem.residuals(weights).square().sum(dim=1))
    idle = torch.zeros(len(weights), dtype=torch.int64)
    goal = (FLOOR * problem.power).clamp(min=goal)
    for _ in range(steps):
        busy = torch.nonzero((idle < 3) & (errors > goal) & errors.isfinite()).squeeze(1)
        if len(busy) == 0 or stopped():
            break
        own = problem.of(busy)
        step = _step(own, weights[busy], at[busy], real[busy], damping[busy])
        trial = weights[busy].scatter_add(1, at[busy], step)
        found = _finite(own.residuals(trial).square().sum(dim=1))
        better = found < errors[busy]
        idle[busy] = torch.where(better & (found < (1 - GAIN) * errors[busy]), 0, idle[busy] + 1)
        weights[busy] = torch.where(better[:, None], trial, weights[busy])
        errors[busy] = torch.where(better, found, errors[busy])
        damping[busy] = torch.where(better, damping[busy] * 0.2, damping[busy] * 8).clamp(1e-12, 1e6)
    return weights, errors


def _step(problem, weights, at, real, damping) -> torch.Tensor:
    """The change of the active weights, (trials, active); 0 where the equations cannot be solved."""
    residuals, J = problem.jacobian(weights, at)
    J = torch.where(real[:, :, None], J, 0.0)
    H = J @ J.mT  # (trials, active, active)
    diagonal = H.diagonal(dim1=1, dim2=2)
    ridge = damping[:, None] * (diagonal + 1e-6 * diagonal.mean(dim=1, keepdim=True)) + ~real + 1e-300
    H = H + torch.diag_embed(ridge)
    step, _ = torch.linalg.solve_ex(H, -(J @ residuals[:, :, None]))
    return torch.nan_to_num(step.squeeze(2), 0.0, 0.0, 0.0) * real


def _finite(errors: torch.Tensor) -> torch.Tensor:
    return torch.where(errors.isfinite(), errors, torch.inf)


@dataclass(frozen=True)
class Stage:
    """A network on the way of its pruning.

    Attributes
    ----------
    weights : ndarray, shape (weights,)
    active : int
        How many are not 0.
    error : float
        The (weighted) mean squared error.
    """

    weights: np.ndarray
    active: int
    error: float


def prune(
    architecture: Architecture, X: np.ndarray, y: np.ndarray, weights: np.ndarray, sample_weight=None,
    tolerance: float = 0.0, stopped: Callable[[], bool] = lambda: False,
) -> list[list[Stage]]:  # fmt: skip
    """Take weights out one after another, those first that matter least, and fit the rest each time.

    What a weight matters is the rise of the error if it becomes 0 and the others answer, to second order:
    ``w**2/(2 (H**-1)_ww)`` (optimal brain surgeon; B. Hassibi and D. Stork 1993). Several removals are tried at a time,
    of one and of more weights. The largest that hardly raises the error is taken, or else the single one that raises it
    least, down to the last weight.

    Parameters
    ----------
    architecture, X, y, weights, sample_weight
        As in :func:`levenberg_marquardt`.
    tolerance : float
        An error that is as good as none; a removal may always rise to it.
    stopped : callable
        Asked after each removal whether to end here.

    Returns
    -------
    list of list of Stage
        For each trial its networks, from the one given (fitted) to the smallest.
    """
    problem = _Problem(architecture, X, y, sample_weight)
    power, mean = float(problem.power), float(problem.root.square() @ problem.y)
    tolerance, spread = max(tolerance, FLOOR * power), power - mean * mean
    chains: list[list[Stage]] = [[] for _ in weights]
    going = np.arange(len(weights))
    weights = torch.from_numpy(weights)
    alive = _used(architecture, weights != 0)
    weights, errors = _fit(problem, weights * alive, alive, FIRST_STEPS, tolerance)
    while True:
        for trial, one, left, error in zip(going, weights, alive, errors.tolist(), strict=True):
            if error < math.inf:
                chains[trial].append(Stage(one.numpy().copy(), int(left.sum()), error))
        more = (alive.sum(dim=1) > 1) & (errors < spread)
        if not more.any() or stopped():
            return chains
        going, weights, alive, errors = going[more.numpy()], weights[more], alive[more], errors[more]
        weights, alive, errors = _best_removals(problem, weights, alive, errors, tolerance)


def _best_removals(problem: _Problem, weights, alive, errors, tolerance: float):
    """Each trial with fewer weights: the best of some removals."""
    at, matter, answers = _saliencies(problem, weights, alive)
    order = matter.argsort(dim=1)
    sizes = [range(k, k + 1) for k in range(SINGLES)] + [range(k) for k in BLOCKS]
    trials, active = torch.arange(len(weights)), alive.sum(dim=1)
    tried_weights, tried_alive = [], []
    for ranks in sizes:
        ranks = [min(rank, order.shape[1] - 1) for rank in ranks]
        one, left = weights.clone(), alive.clone()
        for rank in ranks:
            real = rank < active - int(len(ranks) > 1)  # a block leaves at least one weight
            which = order[:, rank]
            if len(ranks) == 1:
                answer = torch.where(real[:, None], answers[trials, which], 0.0)
                one = one.scatter_add(1, at, torch.nan_to_num(answer, 0.0, 0.0, 0.0))
            left[trials, at[trials, which]] &= ~real
        left = _used(problem.architecture, left)
        tried_weights.append(one * left)
        tried_alive.append(left)
    count = len(sizes)
    one, left = torch.stack(tried_weights, 1).flatten(0, 1), torch.stack(tried_alive, 1).flatten(0, 1)
    one, found = _fit(problem, one, left, STEPS, tolerance)
    found = torch.where(left.any(dim=1), found, torch.inf).unflatten(0, (-1, count))  # (trials, removals)
    left_over = left.sum(dim=1).unflatten(0, (-1, count))
    found = torch.where(left_over < active[:, None], found, torch.inf)
    free = found <= torch.clamp(errors * HARMLESS, min=tolerance)[:, None]
    fewest = torch.where(free, left_over, 10**9).argmin(dim=1)
    least = found[:, :SINGLES].argmin(dim=1)
    best = torch.where(free.any(dim=1), fewest, least)
    pick = trials * count + best
    weights, errors = _fit(problem, one[pick], left[pick], STEPS, tolerance)
    return weights, left[pick], torch.where(found[trials, best].isfinite(), errors, torch.inf)


def _used(architecture: Architecture, alive: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.stack([used_weights(architecture, one) for one in alive.numpy()]))


def _saliencies(problem: _Problem, weights, alive) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The active weights' numbers, what each matters, and the answer of all to its removal, (trials, removed, all)."""
    at, real = _active(alive)
    _, J = problem.jacobian(weights, at)
    J = torch.where(real[:, :, None], torch.nan_to_num(J, 0.0, 0.0, 0.0), 0.0)
    H = J @ J.mT
    mean = H.diagonal(dim1=1, dim2=2).sum(dim=1, keepdim=True) / real.sum(dim=1, keepdim=True).clamp(min=1)
    H = H + torch.diag_embed(RIDGE * mean + 1e-300 + ~real * 1.0)
    inverse, _ = torch.linalg.inv_ex(H)
    w = weights.gather(1, at)
    variance = inverse.diagonal(dim1=1, dim2=2).clamp(min=1e-300)
    matter = torch.where(real, torch.nan_to_num(w * w / variance / 2, torch.inf), torch.inf)
    return at, matter, -(w / variance)[:, :, None] * inverse
