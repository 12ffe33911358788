"""Lesson 05: GMEQL networks in training, recorded moment by moment, and what is left of them as formulas.

Sampling, training and fitting are those of :mod:`srlib.gmeql`. The pictures are in :mod:`.sampler_panels`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from srlib import problems
from srlib.expression import Expression
from srlib.gmeql import DEFAULT, PAPER, Architecture, Settings, Training, begin, signatures
from srlib.kernels.many import ManyFits
from srlib.parameters import one_blas_thread
from srlib.problems import Problem
from srlib.recovery import recovers

__all__ = [
    "LESSON_LAYERS", "Moment", "Outcome", "Recording", "Setup", "VARIANTS", "WAYS", "all_edges", "harvest",
    "law_edges", "record", "recordings", "run_variants",
]  # fmt: skip

LESSON_LAYERS = (("identity", "square", "sin", "cos"), ("plus", "times"))
ROWS, EVERY, SHOWN = 100, 20, 6
ROUNDS, STEPS, TOTAL = 3, 60, 600
EXACT = 1e-6  # mean absolute error over the target's spread
FIT_STEPS, FIT_GAIN = 60, 1e-6
WAYS = {"paper: mixtures": "soft", "one-hot, shared weights": "hard", "one-hot, refitted": "refit"}


@dataclass(frozen=True)
class Setup:
    """A short training on a hundred rows of b6.

    Attributes
    ----------
    way : {"soft", "hard", "refit"}
        Mixtures as in the paper; one-hot samples trained alike; one-hot samples with weights by least squares.
    temperature : float
    instances : int
        p.
    resampled : float
        The share of an elite's connections that are drawn anew; 1: elites do not guide.
    stage1 : bool
        Whether three short rounds train the structure alone. The steps are the same in all without it.
    offline : {"density", "match", None}
    repository : int
    seed : int
    learning_rate : float
        Ten times the paper's: the training is a ninetieth of the paper's.
    """

    way: str = "soft"
    temperature: float = 2 / 3
    instances: int = 40
    resampled: float = 0.2
    stage1: bool = True
    offline: str | None = "density"
    repository: int = 100
    seed: int = 0
    learning_rate: float = 0.01

    @property
    def settings(self) -> Settings:
        common = {name: getattr(self, name) for name in ("temperature", "instances", "resampled", "repository")}
        if self.way == "refit":  # has no stage 1: weights are never shared
            return replace(DEFAULT, stage2=TOTAL, offline=self.offline, **common)
        rounds = ROUNDS if self.stage1 else 0
        return replace(
            PAPER, samples=self.way, rounds=rounds, steps=STEPS, stage2=TOTAL - rounds * STEPS, offline=self.offline,
            learning_rate=self.learning_rate, **common,
        )  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """What is to be seen of a training after a step."""

    step: int
    stage: int
    best: float  # the lowest error in the repository: that of a mixture where samples are soft
    hard: float  # of the same instance with its connections one-hot
    typical: float  # the median error of this step's instances
    probabilities: np.ndarray  # (rows, widest)
    edges: np.ndarray | None  # of the best elite, (rows,)
    elites: tuple[tuple[float, str], ...]  # error and formula


@dataclass(frozen=True)
class Outcome:
    """The best formula among all elites after their weights were fitted by least squares, and where the law's was."""

    expression: Expression
    error: float  # mean absolute error
    verdict: str
    rank: int | None  # of the law's structure in the repository, from 1; None if it is not there
    kept: int  # elites in the repository


@dataclass(frozen=True)
class Recording:
    """A training, moment by moment."""

    setup: Setup
    problem: Problem
    architecture: Architecture
    moments: tuple[Moment, ...]
    outcome: Outcome | None = None

    @property
    def last(self) -> Moment:
        return self.moments[-1]


def _moment(training: Training, names, typical: float) -> Moment:
    elites = training.elites
    shown = range(min(SHOWN, len(elites)))
    forms = [(float(elites.errors[rank]), training.form(rank)) for rank in shown]
    spelled = tuple((error, "no finite value" if form is None else form.expression(names).format(3))
                    for error, form in forms)  # fmt: skip
    edges = elites.take("edges", np.array([0]))[0] if len(elites) else None
    with np.errstate(all="ignore"):
        found = training.errors()
    errors = found.get("soft", found.get("hard", np.nan)), found.get("hard", np.nan)
    stage = 1 if training.number <= training.settings.rounds * training.settings.steps else 2
    return Moment(training.number, stage, *errors, typical, training.probabilities(), edges, spelled)


def recordings(setup: Setup, every: int = EVERY) -> Iterator[Recording]:
    """Train, and yield what is recorded so far, now and then; the last one has its outcome.

    A training with refitted weights ends when a formula is exact.
    """
    problem = problems.load("b6")
    X, y = problem.X[:ROWS], problem.y[:ROWS]
    architecture, settings = Architecture(X.shape[1], LESSON_LAYERS), setup.settings
    spread, made = float(np.std(y)), Recording(setup, problem, architecture, ())
    with np.errstate(all="ignore"), one_blas_thread():
        training = begin(architecture, X, y, settings, seed=setup.seed)
        while training.number < settings.total:
            step = training.step()
            done = settings.refit and len(training.elites) and training.errors()["hard"] < EXACT * spread
            if done or training.number == 1 or training.number % every == 0 or training.number == settings.total:
                typical = float(np.nanmedian(step.errors)) if np.isfinite(step.errors).any() else np.nan
                made = replace(made, moments=(*made.moments, _moment(training, problem.names, typical)))
                yield made
            if done:
                break
        yield replace(made, outcome=harvest(training, problem, X, y))


def harvest(training: Training, problem: Problem, X, y) -> Outcome:
    """Refit the formulas of all elites; the smallest of the exact ones, or the most accurate one.

    An offset that is 0 but for rounding is left out.
    """
    forms = [training.form(rank) for rank in range(len(training.elites))]
    forms = [form for form in forms if form is not None and form.bodies]
    if not forms:
        mean = Expression.parse(f"{np.mean(y)}", names=problem.names)
        return Outcome(mean, float(np.mean(np.abs(y - np.mean(y)))), "no", None, len(training.elites))
    _, errors, values, coefficients = ManyFits(X.T, y)([form.terms for form in forms], steps=FIT_STEPS, gain=FIT_GAIN)
    errors = np.where(np.isfinite(errors), errors, np.inf)
    exact = errors < EXACT * np.std(y)
    sizes = np.array([form.terms.size for form in forms])
    at = int(np.lexsort((np.where(exact, 0.0, errors), np.where(exact, sizes, 0), ~exact))[0])
    numbers = coefficients[at].copy()
    numbers[0] *= abs(numbers[0]) > EXACT * np.std(y)
    expression = forms[at].fitted(values[at], numbers).expression(problem.names)
    place = np.flatnonzero(training.elites.keys == signatures(training.architecture, law_edges()[None])[0])
    rank = int(place[0]) + 1 if len(place) else None
    return Outcome(expression, float(errors[at]), recovers(expression, problem).verdict, rank, len(training.elites))


def law_edges() -> np.ndarray:
    """An instance of the lesson's network that is the law: sin of x1, cos of x2, their product."""
    taken = {
        "layer 1, sin 0, input 0": 0, "layer 1, cos 0, input 0": 1, "layer 2, times 0, input 0": 2,
        "layer 2, times 0, input 1": 3, "output": 1,
    }  # fmt: skip
    return np.array([taken.get(name, 0) for name in Architecture(2, LESSON_LAYERS).connection_names()])


def all_edges() -> np.ndarray:
    """All instances of the lesson's network, (instances, rows)."""
    architecture = Architecture(2, LESSON_LAYERS)
    return np.stack([axis.ravel() for axis in np.meshgrid(*map(np.arange, architecture.reach[:, 0]), indexing="ij")], 1)


@lru_cache(maxsize=32)
def record(setup: Setup, every: int = EVERY) -> Recording:
    """The whole recording of a training."""
    *_, made = recordings(setup, every)
    return made


VARIANTS: Mapping[str, Setup] = {
    "as the paper": Setup(),
    "no stage 1": Setup(stage1=False),
    "elites do not guide": Setup(resampled=1.0),
    "no offline training": Setup(offline=None),
    "equation 11": Setup(offline="match"),
    "one-hot samples": Setup(way="hard"),
    "one-hot, refitted": Setup(way="refit"),
}


def run_variants(seeds: int = 3, names=None) -> dict[str, tuple[Recording, ...]]:
    """Short trainings of each variant, one for each seed; only their ends are recorded."""
    chosen = list(VARIANTS if names is None else names)
    return {
        name: tuple(record(replace(VARIANTS[name], seed=seed), TOTAL) for seed in range(seeds)) for name in chosen
    }
