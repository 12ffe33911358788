"""Lesson 03: equation learners trained and recorded, moment by moment, for twenty starts at a time.

Training, cutting and fitting are those of :mod:`srlib.eql`. The pictures are in :mod:`.learner_panels`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch

from srlib import problems
from srlib.eql import (
    Architecture,
    Phase,
    Training,
    levenberg_marquardt,
    read_units,
    to_expression,
)
from srlib.eql.extraction import used_weights
from srlib.eql.search import one_torch_thread
from srlib.eql.sparsity import read_sparsity
from srlib.expression import Expression
from srlib.problems import Problem, Variable
from srlib.recovery import recovers

from .pictures import cut

__all__ = [
    "FITS", "FUNCTIONS", "LESSON_UNITS", "Outcome", "Recording", "SYMBOLS", "Setup", "TRIALS", "count_starts",
    "diagonal", "record", "recordings", "relative_errors", "spell", "target",
]  # fmt: skip

LESSON_UNITS = {"constant": 1, "identity": 2, "square": 2, "sin": 2, "exp": 2, "product": 2}
SYMBOLS = {
    "constant": "1",
    "identity": "id",
    "square": "sq",
    "sin": "sin",
    "exp": "exp",
    "sigmoid": "σ",
    "product": "×",
}
ROWS, TRIALS, EVERY = 128, 20, 20
FIT_STEPS = 60
SPELLED = 30  # weights of a network whose formula is printed; a longer one is read by nobody, and counts as no law
CLOSE = 1e-4  # relative error inside; a formula that misses by more is not the law
FITS = 0.05  # relative error inside that looks like a good fit


@lru_cache(maxsize=1)
def target() -> Problem:
    """The lesson's own data: x*y + sin(3 x), without noise."""
    X = np.random.default_rng(0).uniform(-1, 1, (ROWS, 2))
    sides = tuple(Variable(name, "", -1, 1, wide=(-2, 2)) for name in ("x", "y"))
    return Problem(
        "target", "A product and a sine", "lesson", sides, "f", "",
        Expression.parse("k0*x*y + k1*sin(k2*x)", names=("x", "y", "k0", "k1", "k2")),
        {"k0": 1.0, "k1": 1.0, "k2": 3.0}, X, X[:, 0] * X[:, 1] + np.sin(3 * X[:, 0]),
        noise_free=True, law=r"f = xy + \sin 3x", source="made for this lesson",
    )  # fmt: skip


FUNCTIONS = {
    "x y + sin 3x": "target", "sin 2πx": "eql-4", "x y": "eql-6", "0.5 x y + 0.5 z": "eql-8",
    "x² + sin 2πy": "eql-12", "exp(-x²)": "eql-10", "x² + 3x + 1  (f2 of document 000)": "f2",
    "x sin x - 3  (f1 of document 000)": "f1",
}  # fmt: skip


def _problem(name: str) -> Problem:
    return target() if name == "target" else problems.load(name)


@dataclass(frozen=True)
class Setup:
    """How networks are built and trained."""

    function: str = "target"
    penalty: str = "L0.5"
    strength: float = 5e-3
    threshold: float = 0.02
    layers: int = 2
    seed: int = 0
    trials: int = TRIALS
    units: tuple[tuple[str, int], ...] = tuple(LESSON_UNITS.items())

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Short versions of the paper's phases."""
        if self.penalty == "L0":
            return (Phase(1300, 0.03, self.strength),)
        return (
            Phase(300, 0.03, self.strength), Phase(700, 0.01, self.strength),
            Phase(300, 0.002, 0.0, cut=self.threshold),
        )  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """The networks of a setup after the cut, their weights fitted by least squares."""

    weights: np.ndarray  # (trials, weights)
    inside: np.ndarray  # (trials,), rms errors over the target's spread
    outside: np.ndarray
    active: np.ndarray
    recovered: np.ndarray  # of bool

    @property
    def best(self) -> int:
        """The trial with the lowest error, the smallest where several are as good."""
        return int(np.lexsort((self.active, np.maximum(self.inside, 1e-6).round(6)))[0])


@dataclass(frozen=True)
class Recording:
    """A training, moment by moment, for all trials."""

    setup: Setup
    problem: Problem
    architecture: Architecture
    steps: tuple[int, ...]
    errors: tuple[np.ndarray, ...]  # of each moment (trials,), relative rms
    weights: tuple[np.ndarray, ...]  # of each moment (trials, weights)
    outcome: Outcome | None = None

    def active(self, moment: int, trial: int) -> int:
        """Weights above the threshold that matter to the output."""
        alive = np.abs(self.weights[moment][trial]) > self.setup.threshold
        return int(used_weights(self.architecture, alive).sum())

    def formula(self, moment: int, trial: int, longest: int = 90) -> str:
        """What a trial's network spells at a moment."""
        return spell(self.architecture, self.weights[moment][trial], self.setup.threshold, self.problem.names, longest)


def spell(architecture, weights, threshold, names, longest: int = 90, digits: int = 3) -> str:
    """The formula of a network without its small weights; only a count if it is too long to print."""
    count = int(used_weights(architecture, np.abs(weights) > threshold).sum())
    if count == 0:
        return "0 (nothing is left)"
    if count > SPELLED:
        return f"a formula of {count} weights, too long to print"
    return cut(to_expression(architecture, weights, threshold, names).format(digits), longest)


# ---------------------------------------------------------------- training, recorded


def recordings(setup: Setup) -> Iterator[Recording]:
    """Train, and yield what is recorded so far, now and then; the last one has its outcome."""
    problem = _problem(setup.function)
    X, y = problem.X[:ROWS], problem.y[:ROWS]
    architecture = Architecture(X.shape[1], read_units(dict(setup.units)), setup.layers)
    seeds = [(setup.seed, trial) for trial in range(setup.trials)]
    spread = float(np.std(y))
    with one_torch_thread(), np.errstate(all="ignore"):
        training = Training(architecture, X, y, read_sparsity(setup.penalty), setup.phases, seeds)
        made = Recording(
            setup, problem, architecture, (0,), (np.sqrt(training.errors()) / spread,), (training.final_weights(),)
        )
        for snapshot in training.run(EVERY):
            made = replace(
                made, steps=(*made.steps, snapshot.step), weights=(*made.weights, training.final_weights()),
                errors=(*made.errors, np.sqrt(snapshot.errors) / spread),
            )  # fmt: skip
            yield made
        yield replace(made, outcome=_harvest(made, X, y, spread))


def _harvest(made: Recording, X, y, spread: float) -> Outcome:
    architecture, problem = made.architecture, made.problem
    weights = np.where(np.abs(made.weights[-1]) > made.setup.threshold, made.weights[-1], 0.0)
    alive = np.stack([used_weights(architecture, one != 0) for one in weights])
    weights, errors = levenberg_marquardt(architecture, X, y, weights * alive, steps=FIT_STEPS)
    inside, active = np.sqrt(errors) / spread, (weights != 0).sum(axis=1)
    X_out, y_out = problem.sample(500, 1, where="extrapolation")
    outside = relative_errors(architecture, weights, X_out, y_out)
    found = [
        error < CLOSE and count <= SPELLED
        and recovers(to_expression(architecture, one, names=problem.names), problem).verdict == "recovered"
        for one, error, count in zip(weights, inside, active, strict=True)
    ]  # fmt: skip
    return Outcome(weights, inside, outside, active, np.array(found))


def relative_errors(architecture, weights, X, y) -> np.ndarray:
    """Root mean square errors of networks, (trials,), over the spread of the target."""
    from srlib.eql.network import forward

    flat = torch.from_numpy(weights)
    output, _ = forward(architecture, architecture.matrices(flat), torch.from_numpy(np.ascontiguousarray(X.T)))
    with np.errstate(all="ignore"):
        return np.sqrt(np.mean((output.numpy() - y) ** 2, axis=1)) / np.std(y)


@lru_cache(maxsize=12)
def record(setup: Setup) -> Recording:
    """The whole recording of a training."""
    *_, made = recordings(setup)
    return made


def count_starts(setups: Mapping[str, Setup]) -> dict[str, Outcome]:
    """The outcomes of several setups, by their names."""
    return {name: record(setup).outcome for name, setup in setups.items()}


def diagonal(problem: Problem, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """A line through the data and beyond: all columns the same; the places (count,) and the rows."""
    places = np.linspace(-2, 2, count)
    return places, np.repeat(places[:, None], len(problem.names), axis=1)
