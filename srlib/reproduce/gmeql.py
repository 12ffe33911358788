"""The Gumbel-Max equation learner: tables and figures of document 004 (G. Chen 2020), and what the default does.

Success is decided by :func:`srlib.recovers` on the formula that the model picks; the paper decides by eye. Mean
absolute errors are those of equation 1, on 300 rows to learn from (with their noise) and on 300 others without noise.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from .. import problems
from ..compare.picked import VERDICTS
from ..events import Iteration
from ..gmeql import ARCHITECTURES, DEFAULT, PAPER, Architecture, GMEQLRegressor, Training
from ..problems import Problem
from ..recovery import recovers
from .gmeql_others import METHODS, OtherRow, closed_form, other
from .part import Part

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS"]

NAMES = tuple(f"b{k}" for k in range(1, 9))
PUBLISHED = dict(zip(NAMES, (61, 70, 45, 40, 53, 100, 47, 100), strict=True))  # % of runs, section 5
NOISY = {0.0: 70, 0.1: 65, 0.2: 35, 0.5: 32}  # % of runs on b2, figure 4
DEFAULTS = {"default": DEFAULT, "default, 500 steps": replace(DEFAULT, stage2=500)}
VARIANTS = {
    "paper": PAPER,
    "no stage 1": replace(PAPER, rounds=0),  # figure 2(i)
    "no elites": replace(PAPER, resampled=1.0, offline=None),  # figure 2(j)
    "no offline training": replace(PAPER, offline=None),  # figure 2(k)
    "equation 11": replace(PAPER, offline="match"),  # figure 3
    "hard samples": replace(PAPER, samples="hard"),
}
WHOLE = tuple(VARIANTS)
# Where the released code departs from the paper: the numbers that its training begins with, then also its numbers of
# steps and elites that are not copied. (Not its slower offline training, a learning rate of 0.0003.)
VARIANTS["code's first numbers"] = replace(PAPER, z_spread=0.5, w_center=1.0, w_spread=0.02)
VARIANTS["released code"] = replace(
    VARIANTS["code's first numbers"], rounds=6, steps=8000, stage2=50_000, resampled=1.0
)
CODE = tuple(name for name in VARIANTS if name not in WHOLE)
TENTH = "a tenth: "  # in a variant's name: a tenth of all steps
VARIANTS |= {
    TENTH + name: replace(one, steps=one.steps // 10, stage2=one.stage2 // 10) for name, one in VARIANTS.items()
}
CHECKPOINTS = 60  # points of a curve
WARM, TIMED = 100, 300  # steps before a step is timed, and steps that are


@dataclass(frozen=True)
class FitRow:
    """One fit of GMEQLRegressor.

    ``soft`` and ``hard`` are mean absolute errors of the best instance (:attr:`GMEQLRegressor.mae_`), ``refit`` that of
    the most accurate formula, ``test`` that of the picked one on new rows. ``curve`` holds the best error so far at 60
    steps that are equally far apart; by default (``refit``) that is not the plain mean absolute error, but the one by
    which its repository is sorted, which counts parameters, too (:class:`~srlib.gmeql.RefittedTraining`). A budget of
    0 seconds is none.
    """

    variant: str
    layers: str
    problem: str
    noise: float
    seed: int
    budget: float
    verdict: str
    on_front: str
    soft: float
    hard: float
    refit: float
    test: float
    seconds: float
    cpu_seconds: float
    steps: int
    instances: int
    dropped: int
    complexity: float
    equation: str
    curve: str


def load(name: str) -> Problem:
    """A problem, or by a name such as ``"b6*2"`` the one with all the numbers of its law so many times as large."""
    name, _, factor = name.partition("*")
    problem = problems.load(name)
    if not factor:
        return problem
    parameters = {key: float(factor) * value for key, value in problem.parameters.items()}
    return replace(problem, parameters=parameters, y=problem.member(parameters).evaluate(problem.X))


def noisy(problem: Problem, noise: float, seed: int) -> Problem:
    """The problem with normal numbers of this standard deviation added to its target, as the paper's appendix C."""
    if not noise:
        return problem
    y = problem.y + noise * np.random.default_rng((seed, 4)).standard_normal(len(problem.y))
    return replace(problem, y=y, noise=f"normal, sd {noise:g}", noise_free=False)


def fit(variant: str, layers: str, problem: str, noise: float, seed: int, budget: float) -> FitRow:
    """One fit: by default, or one of the variants of the paper's training at its full length."""
    data, curve = noisy(load(problem), noise, seed), {}
    preset = DEFAULTS.get(variant) or replace(VARIANTS[variant], until_exact=False)

    def watch(event):
        if isinstance(event, Iteration):
            curve[event.number] = event.details["best_error"]

    model = GMEQLRegressor(
        ARCHITECTURES[layers] if layers in ARCHITECTURES else layers, preset, random_state=seed,
        time_limit=budget or None, callbacks=[watch],
    )  # fmt: skip
    model._prepare()  # compilation, once on a machine, is no part of a fit
    began, cpu = time.perf_counter(), time.process_time()
    model.fit(data.X, data.y)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    best, (X, y) = model.best(), load(problem).sample(300, 1)
    with np.errstate(all="ignore"):
        test = float(np.mean(np.abs(best.evaluate(X) - y)))
    verdicts = [recovers(entry.expression, data).verdict for entry in model.front_]
    steps, errors = np.array([*curve]), np.array([*curve.values()])
    at = np.unique(np.linspace(0, len(steps) - 1, CHECKPOINTS).round().astype(int)) if len(steps) else []
    return FitRow(
        variant, layers, problem, noise, seed, budget, recovers(best, data).verdict, min(verdicts, key=VERDICTS.index),
        *(_short(model.mae_.get(name, np.nan)) for name in ("soft", "hard", "refit")), _short(test), round(seconds, 2),
        round(cpu, 2), int(steps[-1]) if len(steps) else 0, model.n_evaluations_, model.n_dropped_,
        float(best.complexity), best.format(6)[:200], ";".join(f"{steps[k]}:{errors[k]:.4g}" for k in at),
    )  # fmt: skip


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def curve_of(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and best errors of a row's ``curve``."""
    pairs = [part.split(":") for part in text.split(";")]
    return np.array([int(step) for step, _ in pairs]), np.array([float(error) for _, error in pairs])


def by_problem(table: pd.DataFrame) -> pd.DataFrame:
    """For each variant, problem and noise: successes beside the paper's, errors, and seconds."""
    found = table.groupby(["variant", "problem", "noise"], sort=False).agg(
        runs=("seed", "size"),
        picked=("verdict", lambda v: round(100 * float((v == "recovered").mean()))),
        on_front=("on_front", lambda v: round(100 * float((v == "recovered").mean()))),
        soft=("soft", "median"),
        hard=("hard", "median"),
        refit=("refit", "median"),
        test=("test", "median"),
        seconds=("seconds", "median"),
        slowest=("seconds", "max"),
        dropped=("dropped", "median"),
    )
    published = [
        NOISY.get(noise) if noise and name == "b2" else PUBLISHED[name] for _, name, noise in found.index
    ]  # fmt: skip
    found.insert(2, "paper", published)
    return found.rename(columns={"picked": "picked %", "on_front": "on front %", "paper": "paper %"})


# ------------------------------------------------------------ time


@dataclass(frozen=True)
class TimeRow:
    """Milliseconds of processor time of a step of stage 2, in all and by part (these under a profiler)."""

    layers: str
    problem: str
    seed: int
    steps: int
    step: float
    full_run_minutes: float
    forward: float
    backward: float
    repository: float
    signatures: float
    sampling: float
    online: float
    offline: float


def duration(layers: str, problem: str, seed: int) -> TimeRow:
    """A step of the paper's stage 2 with a full repository: how long it takes, and where the time goes."""
    data = problems.load(problem)
    settings = replace(PAPER, rounds=0)
    training = Training(Architecture(data.X.shape[1], ARCHITECTURES[layers]), data.X, data.y, settings, seed=seed)
    for _ in range(WARM):
        training.step()
    began = time.process_time()
    for _ in range(TIMED):
        training.step()
    step = (time.process_time() - began) / TIMED * 1e3
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(TIMED):
        training.step()
    profile.disable()
    found = pstats.Stats(profile).stats.items()
    inside = {  # of srlib's own functions: numpy has some of these names, too
        name: cumulative / TIMED * 1e3 for (file, _, name), (_, _, _, cumulative, _) in found if "gmeql" in file
    }  # fmt: skip
    parts = [inside[name] for name in ("forward", "backward", "add", "signatures")]
    parts.append(inside["gumbel"] + inside["relaxed"] + inside["_labels"])
    parts += [inside[name] for name in ("_train_online", "_train_offline")]
    minutes = step * PAPER.total / 60_000
    return TimeRow(layers, problem, seed, TIMED, round(step, 3), round(minutes, 2), *(round(p, 3) for p in parts))


FIT_KEY = ("variant", "layers", "problem", "noise", "seed", "budget")


def _default(variant, names, noises=(0.0,)):
    def jobs(seeds: int, budget):
        for seed, name, noise in product(range(seeds), names, noises):
            yield variant, "generic", name, noise, seed, budget or 0.0

    return jobs


def _paper(variants, names):
    def jobs(seeds: int, budget):
        for seed, name, variant in product(range(seeds), names, variants):
            yield variant, name, name, 0.0, seed, budget or 0.0

    return jobs


def _far(variants, factors):
    def jobs(seeds: int, budget):
        for seed, name, factor, variant in product(range(seeds), NAMES, factors, variants):
            yield variant, "generic" if variant in DEFAULTS else name, f"{name}*{factor}", 0.0, seed, budget or 0.0

    return jobs


def _one_by_one(names):
    return lambda seeds, budget: ((name, name, seed) for seed in range(seeds) for name in names)


PARTS = {
    "linear": Part(
        "b1 to b8 by least squares on fixed features", "gmeql_linear.csv", closed_form, OtherRow,
        ("method", "problem", "seed", "budget"),
        lambda seeds, budget: (("least squares", name, 0, 0.0) for name in NAMES), 1,
        lambda table: table.set_index("problem")[["verdict", "train", "test", "complexity"]],
    ),
    "default": Part(
        "GMEQLRegressor(), one network for all problems", "gmeql_default.csv", fit, FitRow, FIT_KEY,
        _default("default", NAMES), 20, by_problem,
    ),
    "noise": Part(
        "GMEQLRegressor on b2 with noise, where no formula is exact and every run takes all its steps",
        "gmeql_noise.csv", fit, FitRow, FIT_KEY, _default("default, 500 steps", ("b2",), tuple(NOISY)), 20,
        by_problem,
    ),
    "time": Part(
        "Milliseconds of a step of the paper's training", "gmeql_time.csv", duration, TimeRow,
        ("layers", "problem", "seed"), _one_by_one(NAMES), 1,
        lambda table: table.set_index("problem").drop(columns=["layers", "steps"]),
    ),
    "comparison": Part(
        "Other methods on the same problems", "gmeql_comparison.csv", other, OtherRow,
        ("method", "problem", "seed", "budget"),
        lambda seeds, budget: (
            (method, name, seed, budget or 0.0) for seed in range(seeds) for method in METHODS for name in NAMES
        ), 3,
        lambda table: table.groupby(["method", "problem"], sort=False).agg(
            runs=("seed", "size"), picked=("verdict", lambda v: int((v == "recovered").sum())),
            test=("test", "median"), seconds=("seconds", "median"),
        ),
    ),
    "paper": Part(
        "The paper's training at its full length", "gmeql_paper.csv", fit, FitRow, FIT_KEY, _paper(("paper",), NAMES),
        20, by_problem,
    ),
    "variants": Part(
        "Figures 2(i-k) and 3: the paper's training with one thing changed, on b2", "gmeql_variants.csv", fit, FitRow,
        FIT_KEY, _paper(WHOLE, ("b2",)), 20, by_problem,
    ),
    "tenth": Part(
        "The paper's training at a tenth of its length", "gmeql_tenth.csv", fit, FitRow, FIT_KEY,
        _paper((TENTH + "paper",), NAMES), 3, by_problem,
    ),
    "code": Part(
        "What the released code does otherwise, at a tenth of its length", "gmeql_code.csv", fit, FitRow, FIT_KEY,
        _paper(tuple(TENTH + name for name in CODE), NAMES), 3, by_problem,
    ),
    "far": Part(
        "b1 to b8 with all their numbers twice as large", "gmeql_far.csv", fit, FitRow, FIT_KEY,
        _far(("default", TENTH + "code's first numbers"), (2,)), 3,
        lambda table: table.groupby(["variant", "problem"], sort=False).agg(
            runs=("seed", "size"), picked=("verdict", lambda v: int((v == "recovered").sum())),
            seconds=("cpu_seconds", "median"),
        ),
    ),
    "tenth_variants": Part(
        "Figures 2(i-k) and 3 at a tenth of their length, on b2", "gmeql_tenth_variants.csv", fit, FitRow, FIT_KEY,
        _paper(tuple(TENTH + name for name in WHOLE), ("b2",)), 3, by_problem,
    ),
}  # fmt: skip
