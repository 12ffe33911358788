"""The equation learner: the protocol of arXiv 1912.04825, and what EQLRegressor makes of the same functions.

Success is decided by :func:`srlib.recovers`, after least squares on the weights that training has left; the paper
counts by eye. Errors are root mean squares over the target's standard deviation, on fresh rows of the domain and of
(-2, 2).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from .. import problems
from ..compare.laws import PUBLISHED
from ..compare.picked import VERDICTS
from ..eql import (
    PAPER_L0,
    PAPER_L05,
    PAPER_UNITS,
    Architecture,
    EQLRegressor,
    HardConcrete,
    Phase,
    SmoothedL05,
    Training,
    levenberg_marquardt,
    read_units,
    to_expression,
)
from ..eql.search import one_torch_thread
from ..problems import Problem
from ..recovery import recovers
from .eql_digits import DigitsRow, digits
from .part import Part

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS"]

FUNCTIONS = tuple(f"eql-{k}" for k in range(1, 13))
COMPARED = ("id", "gaussian1", "exp", "sin", "f1", "f2")  # document 000
LAW_UNITS = {
    "paper": PAPER_UNITS,
    "log": {"constant": 1, "identity": 2, "square": 2, "exp": 2, "log": 3, "sqrt": 2, "product": 2, "division": 2},
}
ROWS, CUT, FIT_STEPS = 256, 0.01, 60
LONGEST = 120  # weights; longer formulas are not compared with the law
TOGETHER = 20
METHODS = {  # name: penalty, phases, first standard deviations
    "L0.5": (SmoothedL05(), PAPER_L05, (0.1, 0.5, 1.0)),
    "L0": (HardConcrete(), PAPER_L0, (0.5, 0.5, 0.5)),
}


# ------------------------------------------------------------ networks as the paper trains them


@dataclass(frozen=True)
class TrialRow:
    """One trial; ``seconds`` are those of the whole batch that it was trained in."""

    sparsity: str
    strength: float
    problem: str
    trial: int
    train: float
    interpolation: float
    extrapolation: float
    refit_train: float
    refit_extrapolation: float
    verdict: str
    active: int
    restarts: int
    seconds: float
    equation: str


@lru_cache(maxsize=2)
def _batch(sparsity: str, strength: float, name: str, trials: int, pace: float):
    """All trials of a function trained together: architecture, weights, refitted weights, restarts, seconds."""
    problem, (penalty, phases, scales) = problems.load(name), METHODS[sparsity]
    X, y = _data(problem)
    phases = tuple(
        Phase(round(p.steps * pace), p.learning_rate, strength if p.strength else 0.0, p.cut) for p in phases
    )
    architecture = Architecture(X.shape[1], read_units(PAPER_UNITS), layers=2)
    began = time.perf_counter()
    with one_torch_thread():
        training = Training(architecture, X, y, penalty, phases, [(0, trial) for trial in range(trials)], scales)
        for snapshot in training.run(every=1000):
            restarts = snapshot.restarts
        seconds = time.perf_counter() - began
        weights = training.final_weights()
        weights[np.abs(weights) <= CUT] = 0.0
        fitted, _ = levenberg_marquardt(architecture, X, y, weights, steps=FIT_STEPS)
    return architecture, weights, fitted, restarts, seconds


def _data(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """The problem's own rows, or as many as the paper takes."""
    return (problem.X, problem.y) if len(problem.y) >= ROWS else problem.sample(ROWS, rng=0)


def _relative(expression, X, y) -> float:
    with np.errstate(all="ignore"):
        return float(f"{np.sqrt(np.mean((expression.evaluate(X) - y) ** 2)) / np.std(y):.4g}")


def _trial(sparsity: str, strength: float, name: str, trial: int, pace: float) -> TrialRow:
    problem = problems.load(name)
    architecture, weights, fitted, restarts, seconds = _batch(sparsity, strength, name, TOGETHER, pace)
    raw, refit = (to_expression(architecture, one[trial], names=problem.names) for one in (weights, fitted))
    X, y = _data(problem)
    inside, outside = problem.sample(1000, 1), problem.sample(1000, 1, where="extrapolation")
    active = int((fitted[trial] != 0).sum())
    verdict = recovers(refit, problem).verdict if active <= LONGEST else "no"
    return TrialRow(
        sparsity, strength, name, trial, _relative(raw, X, y), _relative(raw, *inside), _relative(raw, *outside),
        _relative(refit, X, y), _relative(refit, *outside), verdict, active, restarts, float(f"{seconds:.3g}"),
        raw.format(4)[:200],
    )  # fmt: skip


def protocol(sparsity: str, strength: float, problem: str, trial: int) -> TrialRow:
    """One of the paper's trials, at its settings."""
    return _trial(sparsity, strength, problem, trial, 1.0)


def penalties(sparsity: str, strength: float, problem: str, trial: int) -> TrialRow:
    """One trial of document 000's comparison, with a quarter of the steps."""
    return _trial(sparsity, strength, problem, trial, 0.25)


def by_function(table: pd.DataFrame) -> pd.DataFrame:
    """For each penalty, strength and function: successes, and medians over the trials."""
    groups = table.groupby(["sparsity", "strength", "problem"], sort=False)
    return groups.agg(
        trials=("trial", "size"),
        recovered=("verdict", lambda v: int((v == "recovered").sum())),
        raw_below_1e2=("extrapolation", lambda e: int((e < 1e-2).sum())),
        interpolation=("interpolation", "median"),
        extrapolation=("extrapolation", "median"),
        best_extrapolation=("extrapolation", "min"),
        active=("active", "median"),
        seconds=("seconds", "first"),
    )


# ------------------------------------------------------------ the estimator


@dataclass(frozen=True)
class FitRow:
    """One fit of EQLRegressor; a budget of 0 seconds is none."""

    units: str
    problem: str
    seed: int
    budget: float
    verdict: str
    on_front: str
    extrapolation: float
    seconds: float
    complexity: float
    equation: str


def fit(units: str, problem: str, seed: int, budget: float = 0.0) -> FitRow:
    """EQLRegressor on a problem: its defaults but for the units."""
    data = problems.load(problem)
    options = {} if units == "default" else {"units": LAW_UNITS[units]}
    model = EQLRegressor(random_state=seed, time_limit=budget or None, **options)
    model._prepare()  # compilation, once on a machine, is no part of a fit
    began = time.perf_counter()
    model.fit(data.X, data.y)
    seconds = time.perf_counter() - began
    best, outside = model.best(), data.sample(1000, 1, where="extrapolation")
    verdicts = [recovers(entry.expression, data).verdict for entry in model.front_]
    return FitRow(
        units, problem, seed, budget, recovers(best, data).verdict, min(verdicts, key=VERDICTS.index),
        _relative(best, *outside), round(seconds, 2), float(best.complexity), best.format(6)[:200],
    )  # fmt: skip


def by_problem(table: pd.DataFrame) -> pd.DataFrame:
    """For each alphabet and problem: fits, laws picked and on the front, worst error and longest time."""
    found = table.groupby(["units", "problem"], sort=False).agg(
        runs=("seed", "size"),
        picked=("verdict", lambda v: int((v == "recovered").sum())),
        on_front=("on_front", lambda v: int((v == "recovered").sum())),
        worst_extrapolation=("extrapolation", "max"),
        slowest=("seconds", "max"),
    )
    published = [PUBLISHED[name]["EQL"] if name in PUBLISHED else None for _, name in found.index]
    return found if not any(p is not None for p in published) else found.assign(published_of_5=published)


# ------------------------------------------------------------ time


@dataclass(frozen=True)
class TimingRow:
    """Seconds of a training at the paper's 22,000 steps (L0.5, exp(-x**2))."""

    mode: str
    run: int
    trials: int
    steps: int
    seconds: float
    cpu_seconds: float


def timing(mode: str, run: int) -> TimingRow:
    """Twenty trials together, or one of them alone."""
    problem = problems.load("eql-10")
    penalty, phases, scales = METHODS["L0.5"]
    seeds = [(0, k) for k in range(TOGETHER)] if mode == "together" else [(0, run)]
    with one_torch_thread():
        architecture = Architecture(1, read_units(PAPER_UNITS), layers=2)
        training = Training(architecture, problem.X, problem.y, penalty, phases, seeds, scales)
        began, cpu = time.perf_counter(), time.process_time()
        for snapshot in training.run(every=1000):
            steps = snapshot.step
    return TimingRow(
        mode, run, len(seeds), steps, round(time.perf_counter() - began, 1), round(time.process_time() - cpu, 1)
    )


def ratio(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds for twenty trials both ways; those alone are the mean of the ones that were run, times twenty."""
    found = table.groupby("mode")[["seconds", "cpu_seconds"]].mean()
    found.loc["alone"] *= TOGETHER
    found.loc["alone / together"] = found.loc["alone"] / found.loc["together"]
    return found.round(2)


def _trials(strengths: dict[str, tuple[float, ...]], functions):
    def jobs(seeds: int, budget):
        for sparsity, values in strengths.items():
            for strength, problem in product(values, functions):
                for trial in range(min(seeds, TOGETHER)):
                    yield sparsity, strength, problem, trial

    return jobs


def _fits(units, names, seconds: float = 0.0):
    def jobs(seeds: int, budget):
        for seed, alphabet, name in product(range(seeds), units, names):
            yield alphabet, name, seed, seconds if budget is None else budget

    return jobs


TRIAL_KEY, FIT_KEY = ("sparsity", "strength", "problem", "trial"), ("units", "problem", "seed", "budget")
PARTS = {
    "digits": Part(
        "Sums of two digits from images, an equation learner on top of an encoder", "eql_digits.csv", digits,
        DigitsRow, ("seed",), lambda seeds, budget: ((seed,) for seed in range(seeds)), 3,
        lambda table: table.set_index("seed"),
    ),
    "default": Part(
        "EQLRegressor() on the paper's functions", "eql_default.csv", fit, FitRow, FIT_KEY,
        _fits(("default",), FUNCTIONS), 5, by_problem,
    ),
    "timing": Part(
        "Twenty trials of 22,000 steps", "eql_timing.csv", timing, TimingRow, ("mode", "run"),
        lambda seeds, budget: [("together", 0), *(("alone", k) for k in range(seeds))], TOGETHER, ratio,
    ),
    "penalties": Part(
        "Document 000: regularisation methods", "eql_penalties.csv", penalties, TrialRow, TRIAL_KEY,
        _trials({"L0.5": (5e-3,), "L0": (1e-2, 1e-3)}, COMPARED), TOGETHER, by_function,
    ),
    "laws": Part(
        "The laws of document 003", "eql_laws.csv", fit, FitRow, FIT_KEY,
        _fits(tuple(LAW_UNITS), tuple(PUBLISHED), seconds=20.0), 5, by_problem,
    ),
    "protocol": Part(
        "The paper's protocol", "eql_protocol.csv", protocol, TrialRow, TRIAL_KEY,
        _trials({"L0.5": (5e-3,), "L0": (1e-2,)}, FUNCTIONS), TOGETHER, by_function,
    ),
}  # fmt: skip
