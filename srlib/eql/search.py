"""One block of trials from their start to exact networks: trained together, cut, fitted, the best of them pruned."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import numpy as np
import torch

from .fitting import Stage, levenberg_marquardt, prune
from .network import Architecture, forward
from .sparsity import Penalty
from .training import PenaltyEpochs, Phase, Training

__all__ = ["Block", "Candidate", "Table", "one_torch_thread", "sparse_starts"]

EVERY = 20  # steps of training between two looks at whether to stop
FIT_STEPS = 40  # of least squares before pruning
MOST_ACTIVE = 50  # weights of a network after the cut; of denser ones the largest are kept
LAST_MOMENT = 0.35  # seconds that a block which is stopped has to make a formula of its best trial


@dataclass(frozen=True)
class Table:
    """The rows to learn from, and those that judge; scaled."""

    X: np.ndarray  # (rows, features)
    y: np.ndarray  # (rows,)
    sample_weight: np.ndarray  # (rows,)
    X_valid: np.ndarray
    y_valid: np.ndarray
    weight_valid: np.ndarray

    def validation_errors(self, architecture: Architecture, weights: np.ndarray) -> np.ndarray:
        """Mean squared errors on the rows that judge, by trial; 0 where there are none."""
        if len(self.y_valid) == 0:
            return np.zeros(len(weights))
        X = torch.from_numpy(np.ascontiguousarray(self.X_valid.T))
        output, _ = forward(architecture, architecture.matrices(torch.from_numpy(weights)), X)
        with np.errstate(all="ignore"):
            return np.average((output.numpy() - self.y_valid) ** 2, axis=1, weights=self.weight_valid)


@dataclass(frozen=True)
class Candidate:
    """A network that may become a formula, with its error on the rows that judge."""

    stage: Stage
    validation: float


@dataclass
class Block:
    """Trials that train together.

    Attributes
    ----------
    architecture, penalty, phases, scales, density, extrapolation
        See :class:`~srlib.eql.EQLRegressor`.
    table : Table
    seeds : sequence of tuple
        One for each trial.
    threshold : float
        Weights up to this size are cut after training.
    chains : int
        How many of the best trials are pruned.
    tolerance : float
        An error that is as good as none.
    """

    architecture: Architecture
    table: Table
    penalty: Penalty
    phases: Sequence[Phase]
    seeds: Sequence[tuple]
    scales: Sequence[float]
    density: tuple[float, float]
    threshold: float
    chains: int
    tolerance: float
    extrapolation: float | None = None
    stop: Event = field(default_factory=Event)
    restarts: int = 0
    step: int = 0
    errors: np.ndarray | None = None
    all_cut: int = 0
    stopped_at: float = math.inf

    def run(self) -> list[Candidate]:
        """Train, cut, fit and prune; stopped early, give what there is, hardly fitted."""
        with np.errstate(all="ignore"):
            table = self.table
            training = Training(
                self.architecture, table.X, table.y, self.penalty, self.phases, self.seeds, self.scales,
                table.sample_weight,
                beyond=None if self.extrapolation is None else PenaltyEpochs.around(table.X, self.extrapolation),
            )  # fmt: skip
            sparse_starts(training, self.density)
            for snapshot in training.run(EVERY, self.stop.is_set):
                self.step, self.errors, self.restarts = snapshot.step, snapshot.errors, snapshot.restarts
            return self._harvest(training.final_weights())

    def _harvest(self, weights: np.ndarray) -> list[Candidate]:
        table, chains = self.table, self.chains
        weights = np.where(np.abs(weights) > self.threshold, weights, 0.0)
        if weights.shape[1] > MOST_ACTIVE:  # a network that is denser takes long to fit, and is no formula anyway
            limit = -np.partition(-np.abs(weights), MOST_ACTIVE, axis=1)[:, MOST_ACTIVE, None]
            weights = np.where(np.abs(weights) > limit, weights, 0.0)
        empty = ~weights[:, -self.architecture.width :].any(axis=1)  # nothing reaches the output
        self.all_cut = int(empty.sum())
        if self.stop.is_set():  # the best trial as it stands, pruned for a moment
            chains = 1
            empty[np.argsort(np.nan_to_num(self.errors, nan=np.inf))[1:]] = True
        weights = weights[~empty]
        if len(weights) == 0:
            return []

        def stopped() -> bool:
            return self.stop.is_set() and time.monotonic() > self._first_seen() + LAST_MOMENT

        data = self.architecture, table.X, table.y
        fitted, errors = levenberg_marquardt(*data, weights, table.sample_weight, FIT_STEPS, stopped)
        active = (fitted != 0).sum(axis=1)
        order = np.lexsort((active, np.where(errors <= self.tolerance, 0.0, errors)))[:chains]
        stages = prune(*data, fitted[order], table.sample_weight, self.tolerance, stopped)
        return [candidate for chain in stages for candidate in self._judged(chain)]

    def _first_seen(self) -> float:
        """When the block saw that it should stop."""
        self.stopped_at = min(self.stopped_at, time.monotonic())
        return self.stopped_at

    def _judged(self, chain: list[Stage]) -> Iterator[Candidate]:
        """The stages that are worth a formula: not those that a smaller one equals."""
        best, kept = np.inf, []
        for stage in reversed(chain):
            if max(stage.error, self.tolerance) < 0.98 * best:
                best = max(stage.error, self.tolerance)
                kept.append(stage)
        if kept:
            errors = self.table.validation_errors(self.architecture, np.stack([stage.weights for stage in kept]))
            yield from map(Candidate, kept, errors.tolist())


def sparse_starts(training: Training, density: tuple[float, float]) -> None:
    """Give each trial a network of its own to start from: some kinds of units and some connections only.

    Trials that all begin with every connection end in the same few local minima. With two numbers for each trial, drawn
    from ``density``, a kind of unit is there in a layer with the first, and a connection with the second probability.
    (1, 1) leaves the dense networks of the paper.
    """
    if min(density) >= 1:
        return
    architecture = training.architecture
    for trial, seed in enumerate(training.seeds):
        rng = np.random.default_rng((*seed, 4))
        kinds, connections = rng.uniform(*density, 2)
        there = [np.ones(shape, bool) for shape in architecture.shapes]
        for layer in range(architecture.layers):
            chosen = rng.random(len(architecture.units)) < kinds
            if not chosen.any():
                chosen[rng.integers(len(chosen))] = True
            at_unit = 0
            for (unit, at, copies), is_there in zip(architecture.slots, chosen, strict=True):
                there[layer][:, at : at + copies * unit.arity] &= is_there
                there[layer + 1][at_unit : at_unit + copies] &= is_there
                at_unit += copies
        for matrix in there[:-1]:
            matrix &= rng.random(matrix.shape) < connections
        flat = np.concatenate([matrix.ravel() for matrix in there])
        training.alive[trial] = torch.from_numpy(flat).to(training.dtype)
    training.weights *= training.alive


@contextmanager
def one_torch_thread():
    """Tensors this small are slower with several threads; blocks run beside each other instead."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
