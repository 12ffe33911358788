"""Training: phases of full-batch RMSProp on all trials at once, with gradients written by hand.

The phases of the paper's code (arXiv 1912.04825): a warm-up at a high learning rate and a longer phase, both with the
penalty; then small weights are cut and stay 0, and the others are fine-tuned without it. With relaxed L0 there is one
phase.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .network import Architecture, backward, forward
from .sparsity import HardConcrete, Penalty
from .units import SMALLEST_DENOMINATOR

__all__ = ["PAPER_L0", "PAPER_L05", "PenaltyEpochs", "Phase", "Snapshot", "Training", "initial_weights"]

DECAY, EPSILON = 0.9, 1e-10  # of RMSProp in TensorFlow 1, whose mean square starts from 1
LARGEST = 1e6  # an error, in units of the target's mean square, above which a trial has diverged
BLOCK = 100  # steps whose random numbers are drawn at a time
SMALLEST_U = 1e-6  # uniform numbers of gates keep this distance from 0 and 1


@dataclass(frozen=True)
class Phase:
    """A part of a training schedule.

    Attributes
    ----------
    steps : int
        How many.
    learning_rate : float
        Of RMSProp.
    strength : float
        The penalty's factor, lambda.
    cut : float, optional
        Before the phase, weights up to this size become 0 and stay so.
    """

    steps: int
    learning_rate: float
    strength: float = 0.0
    cut: float | None = None


@dataclass(frozen=True)
class PenaltyEpochs:
    """Steps on random inputs beyond the data, where nothing is known but that values are moderate (EQL-div, 2018).

    Such a step lowers ``max(abs(output) - bound, 0) + max(theta - b, 0)``, with b the guarded arguments, in the mean
    over the inputs; there is no target.

    Attributes
    ----------
    low, high : ndarray, shape (features,)
        The box from which the inputs are drawn.
    bound : float
        B, what outputs should not exceed.
    every : int
        One step in so many is a penalty epoch.
    """

    low: np.ndarray
    high: np.ndarray
    bound: float = 10.0
    every: int = 50

    @classmethod
    def around(cls, X: np.ndarray, factor: float, bound: float = 10.0, every: int = 50) -> PenaltyEpochs:
        """The box of a table (rows, features), so many times as wide in each feature."""
        middle, half = (X.max(axis=0) + X.min(axis=0)) / 2, (X.max(axis=0) - X.min(axis=0)) / 2
        return cls(middle - factor * half, middle + factor * half, bound, every)

    def inputs(self, rows: int, step: int) -> np.ndarray:
        """As many inputs as the table has rows, the same for all trials, shape (features, rows)."""
        draws = np.random.default_rng((step, 5)).random((len(self.low), rows))
        return self.low[:, None] + (self.high - self.low)[:, None] * draws


PAPER_L05 = (Phase(2_000, 0.1, 5e-3), Phase(10_001, 0.01, 5e-3), Phase(10_001, 0.001, 0.0, cut=0.01))
PAPER_L0 = (Phase(20_001, 0.01, 1e-2),)


@dataclass(frozen=True)
class Snapshot:
    """How a training stands.

    Attributes
    ----------
    step, total : int
        Steps done, and of all phases.
    phase : int
        The number of the phase, from 0.
    errors, penalties : ndarray, shape (trials,)
        The (weighted) mean squared error, and the penalty before its factor.
    restarts : int
        How often a trial has diverged and begun anew so far.
    """

    step: int
    total: int
    phase: int
    errors: np.ndarray
    penalties: np.ndarray
    restarts: int


def initial_weights(architecture: Architecture, seeds: Sequence, scales: Sequence[float]) -> torch.Tensor:
    """The weights that trials start from: normal, cut at two standard deviations.

    Parameters
    ----------
    architecture : Architecture
    seeds : sequence
        A seed of :func:`numpy.random.default_rng` for each trial.
    scales : (float, float, float)
        Standard deviations of the first layer, those between, and the output.

    Returns
    -------
    Tensor, shape (trials, weights), float64
    """
    from scipy.special import ndtr, ndtri

    first, between, last = scales
    sizes = [n * m for n, m in architecture.shapes]
    scale = np.repeat([first, *[between] * (len(sizes) - 2), last], sizes)  # (weights,)
    low, high = ndtr([-2.0, 2.0])
    uniform = [np.random.default_rng(seed).random(architecture.size) for seed in seeds]
    return torch.from_numpy(scale * ndtri(low + (high - low) * np.stack(uniform)))


class Training:
    """Independent trials on one data set, trained together.

    Parameters
    ----------
    architecture : Architecture
    X : ndarray, shape (rows, features)
    y : ndarray, shape (rows,)
    penalty : L1, SmoothedL05 or HardConcrete
    phases : sequence of Phase
    seeds : sequence
        One for each trial; a tuple of whole numbers or a whole number.
    scales : (float, float, float)
        See :func:`initial_weights`.
    sample_weight : ndarray, shape (rows,), optional
        Weights of the squared errors.
    dtype : torch.dtype
    beyond : PenaltyEpochs, optional

    Notes
    -----
    A trial's course depends on its seed alone, not on the trials beside it (up to rounding).
    """

    def __init__(
        self, architecture: Architecture, X: np.ndarray, y: np.ndarray, penalty: Penalty, phases: Sequence[Phase],
        seeds: Sequence, scales: Sequence[float] = (0.1, 0.5, 1.0), sample_weight: np.ndarray | None = None,
        dtype: torch.dtype = torch.float32, beyond: PenaltyEpochs | None = None,
    ):  # fmt: skip
        self.beyond = beyond
        self.architecture, self.penalty, self.phases, self.dtype = architecture, penalty, tuple(phases), dtype
        self.seeds = [seed if isinstance(seed, tuple) else (seed,) for seed in seeds]
        self.scales = scales
        self.X = torch.from_numpy(np.ascontiguousarray(X.T)).to(dtype)  # (features, rows)
        self.y = torch.from_numpy(np.ascontiguousarray(y)).to(dtype)
        share = np.full(len(y), 1 / len(y)) if sample_weight is None else sample_weight / sample_weight.sum()
        self.share = torch.from_numpy(share).to(dtype)  # (rows,)
        self.limit = LARGEST * max(float(share @ np.square(y)), np.finfo(float).tiny)
        self.weights = initial_weights(architecture, self.seeds, scales).to(dtype)  # (trials, weights)
        self.alive = torch.ones_like(self.weights)  # 0 where a weight was cut
        self.gated = architecture.size - architecture.width if isinstance(penalty, HardConcrete) else 0
        self.log_alpha = self._first_log_alpha(self.seeds)  # (trials, gated)
        self.restarts, self._cut_done = 0, False
        self._restarted = [0] * len(self.seeds)
        self._noise = [np.random.default_rng((*seed, 2)) for seed in self.seeds]

    def _first_log_alpha(self, seeds) -> torch.Tensor:
        if not self.gated:
            return self.weights[:, :0]
        draws = [np.random.default_rng((*seed, 1)).standard_normal(self.gated) for seed in seeds]
        return torch.from_numpy(self.penalty.start + 0.01 * np.stack(draws)).to(self.dtype)

    def final_weights(self) -> np.ndarray:
        """The weights as the network uses them without chance, shape (trials, weights), float64."""
        weights = self.weights * self.alive
        if self.gated:
            weights[:, : self.gated] *= self.penalty.gates(self.log_alpha)
        return weights.double().numpy()

    def errors(self) -> np.ndarray:
        """The (weighted) mean squared error of each trial, without chance, shape (trials,)."""
        weights = torch.from_numpy(self.final_weights()).to(self.dtype)
        output, _ = forward(self.architecture, self.architecture.matrices(weights), self.X)
        return ((output - self.y).square() @ self.share).double().numpy()

    def run(self, every: int = 100, stopped: Callable[[], bool] = lambda: False) -> Iterator[Snapshot]:
        """Train through all phases; yields how it stands after every so many steps and at the end of each phase.

        ``stopped`` is asked at the same times; when it says true, the training ends there.
        """
        done, total = 0, sum(phase.steps for phase in self.phases)
        for number, phase in enumerate(self.phases):
            if phase.cut is not None:
                self.cut(phase.cut)
            squares = [torch.ones_like(self.weights), torch.ones_like(self.log_alpha)]
            for step in range(1, phase.steps + 1):
                self._step(phase, squares, done)
                done += 1
                if step % every == 0 or step == phase.steps:
                    self._restart(squares)
                    yield Snapshot(done, total, number, self.errors(), self.penalties(), self.restarts)
                    if stopped():
                        return

    def penalties(self) -> np.ndarray:
        """The penalty of each trial, shape (trials,)."""
        return self.penalty.values(self.log_alpha if self.gated else self.weights).sum(dim=1).double().numpy()

    def cut(self, size: float) -> None:
        """Weights up to this size become 0 and stay so."""
        self._cut_done = True
        self.alive *= self.weights.abs() > size
        self.weights *= self.alive

    def _step(self, phase: Phase, squares: list[torch.Tensor], done: int) -> None:
        weights, gates = self.weights, None
        if self.gated:
            gates = self.penalty.sample(self.log_alpha, self._uniform(done))
            weights = weights.clone()
            weights[:, : self.gated] *= gates
        gradient = self._gradient(weights, done)
        if gates is not None:
            free = gradient[:, : self.gated]
            by_alpha = free * self.weights[:, : self.gated] * self.penalty.sample_slopes(gates)
            by_alpha.add_(self.penalty.slopes(self.log_alpha), alpha=phase.strength)
            free *= gates
            _rmsprop(self.log_alpha, by_alpha, squares[1], phase.learning_rate)
        elif phase.strength:
            gradient.add_(self.penalty.slopes(self.weights), alpha=phase.strength)
        gradient *= self.alive
        _rmsprop(self.weights, gradient, squares[0], phase.learning_rate)

    def _gradient(self, weights: torch.Tensor, done: int) -> torch.Tensor:
        """The derivative of the mean squared error by the weights, or of a penalty epoch's; shape (trials, weights)."""
        architecture, beyond, X, share = self.architecture, self.beyond, self.X, self.share
        least = max((done + 1) ** -0.5, SMALLEST_DENOMINATOR)  # theta(t) of EQL-div
        penalty_epoch = beyond is not None and (done + 1) % beyond.every == 0
        if penalty_epoch:
            X = torch.from_numpy(beyond.inputs(len(self.y), done)).to(self.dtype)
            share = torch.full_like(share, 1 / len(self.y))
        matrices = architecture.matrices(weights)
        output, tape = forward(architecture, matrices, X, least)
        if penalty_epoch:
            upstream = output.sign() * (output.abs() > beyond.bound) * share  # (trials, rows)
        else:
            upstream = (output - self.y).mul_(2 * share)
        deltas = backward(architecture, matrices, tape, upstream, least, share)
        parts = [torch.matmul(h, delta.mT).flatten(1) for h, delta in zip(tape.inputs, deltas, strict=True)]
        return torch.cat(parts, dim=1)

    def _uniform(self, done: int) -> torch.Tensor:
        """Uniform numbers for the gates of one step, shape (trials, gated)."""
        if done % BLOCK == 0 or not hasattr(self, "_drawn"):
            drawn = np.stack([rng.random((BLOCK, self.gated), np.float32) for rng in self._noise], axis=1)
            self._drawn = torch.from_numpy(drawn).clamp_(SMALLEST_U, 1 - SMALLEST_U).to(self.dtype)
        return self._drawn[done % BLOCK]

    def _restart(self, squares: list[torch.Tensor]) -> None:
        """Trials that have diverged begin anew from other weights; after a cut they are all 0 instead."""
        errors = self.errors()
        sound = (errors < self.limit) & self.weights.isfinite().all(dim=1).numpy()
        for trial in np.flatnonzero(~sound):
            self.restarts += 1
            self._restarted[trial] += 1
            fresh = (*self.seeds[trial], 3, self._restarted[trial])
            self.weights[trial] = initial_weights(self.architecture, [fresh], self.scales)[0].to(self.dtype)
            self.weights[trial] *= 0 if self._cut_done else self.alive[trial]
            if self.gated:
                self.log_alpha[trial] = self._first_log_alpha([fresh])[0]
            for square in squares:
                square[trial] = 1


def _rmsprop(weights: torch.Tensor, gradient: torch.Tensor, square: torch.Tensor, learning_rate: float) -> None:
    """One step of RMSProp, in place."""
    square.mul_(DECAY).addcmul_(gradient, gradient, value=1 - DECAY)
    weights.addcdiv_(gradient, (square + EPSILON).sqrt_(), value=-learning_rate)
