"""Races on digits that no rule was trained on: learned rules and formulas against tuned hand-made ones."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ..distill.l2o import DigitsConvNet, DigitsMLP, Rule, adam, cosine, momentum, rmsprop, run_rule, sgd, tune
from ..eql.search import one_torch_thread
from .l2o_learned import TEACHERS, formula, read_rule, teacher
from .l2o_tuning import tuned
from .part import rounded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RaceRow", "by_method", "compete", "jobs_of_races"]

JUDGED = 10  # networks, each with its own start and minibatches
HOME = "width 16"
SETTINGS = {  # the networks, and the steps of a run
    HOME: (DigitsMLP(hidden=(16,)), 200),
    "width 64": (DigitsMLP(hidden=(64,)), 400),
    "convnet": (DigitsConvNet(), 200),
}
RATES = {  # five for each: the same budget
    "sgd": (sgd, (0.1, 0.3, 0.6, 1.0, 2.0)),
    "momentum": (momentum, (0.03, 0.1, 0.2, 0.3, 0.6)),
    "rmsprop": (rmsprop, (0.003, 0.006, 0.01, 0.03, 0.1)),
    "adam": (adam, (0.01, 0.03, 0.06, 0.1, 0.2)),
}
SCALES = (0.0125, 0.025, 0.05, 0.1, 0.2)  # of learned rules, which were trained with 0.05
FORMULAS = {
    "rp_s eq. 6, 2 lags": ("rp_s", "eq. 6, 2 lags"),
    "rp_s eq. 6, 20 lags": ("rp_s", "eq. 6, 20 lags"),
    "rp_s tanh units": ("rp_s", "4 tanh units, averages and t, all rows"),
    "dm tanh units": ("dm", "4 tanh units, averages and t, all rows"),
    "template": ("none", "template"),
}
RESCALED, MOVED, TUNED = ", scale tuned", f", as at {HOME}", ", tuned"


@dataclass(frozen=True)
class RaceRow:
    """The mean loss of the last 20 steps: its mean, standard deviation and median over ten networks.

    Each network has a seed of its own for its start and its minibatches, the same for all methods. ``held_out`` (with
    its standard deviation) and ``accuracy`` are on digits that these networks were not trained on. Hand-made rules, and
    learned ones with "scale tuned", have the scale and schedule that were best on ``tuned_on`` other networks of the
    same kind trained for as many steps, among ``tried`` pairs; ``edge`` tells whether the scale was the first or last
    of its grid. With "as at width 16" these come from networks of that width. Other learned rules are as they were
    trained, on 8 hidden units, with nothing tuned.
    """

    setting: str
    method: str
    seed: int
    networks: int
    steps: int
    tuned_on: int
    tried: int
    scale: float
    scheduled: bool
    edge: bool
    mean: float
    sd: float
    median: float
    held_out: float
    held_out_sd: float
    accuracy: float
    diverged: int
    seconds: float


@dataclass(frozen=True)
class Entrant:
    """A rule, and how it was tuned."""

    rule: Rule
    scheduled: bool = False
    tuned_on: int = 0
    tried: int = 0
    edge: bool = False


@one_torch_thread()
def compete(setting: str, method: str, seed: int) -> RaceRow:
    """One method, on networks that begin and draw their minibatches as those of all other methods."""
    began = time.perf_counter()
    one = entrant(setting, method, seed)
    family, steps = SETTINGS[setting]
    judged = replace(family, half=1).sample(JUDGED, (seed, 7))
    with torch.no_grad():
        outcome = run_rule(one.rule, judged, steps, schedule=cosine(steps) if one.scheduled else None)
        losses = outcome.final()
        held, right = judged.judged(outcome.theta), judged.accuracies(outcome.theta)
    numbers = (losses.mean(), losses.std(), losses.median(), held.mean(), held.std(), right.mean())
    return RaceRow(
        setting, method, seed, JUDGED, steps, one.tuned_on, one.tried, one.rule.scale, one.scheduled, one.edge,
        *(rounded(number.item()) for number in numbers), int(outcome.diverged.sum()),
        round(time.perf_counter() - began, 1),
    )  # fmt: skip


def entrant(setting: str, method: str, seed: int) -> Entrant:
    """The rule, its schedule, and how they were chosen."""
    if method.endswith(MOVED):
        return best_of_grid(HOME, method.removesuffix(MOVED), seed)
    if method in RATES or method.endswith(RESCALED):
        return best_of_grid(setting, method, seed)
    return Entrant(learned(method, seed))


def learned(method: str, seed: int) -> Rule:
    """A network, or a formula, with the scale that it was trained with."""
    if method in TEACHERS:
        return teacher(method, seed)
    if method.endswith(TUNED):
        return tuned(*FORMULAS[method.removesuffix(TUNED)], seed)
    return read_rule(str(formula(*FORMULAS[method], seed)))


@functools.cache
def best_of_grid(setting: str, method: str, seed: int) -> Entrant:
    """A rule with the best of its scales, with or without a cosine, on 4 networks and the other half of the digits."""
    make, scales = RATES[method] if method in RATES else (scaled(learned(method.removesuffix(RESCALED), seed)), SCALES)
    family, steps = SETTINGS[setting]
    others = family.sample(4, (seed, 8))
    found = tune(make, others, steps, scales)
    return Entrant(
        make(found.scale), found.scheduled, len(others), len(found.tried), found.scale in (scales[0], scales[-1])
    )


def scaled(rule: Rule) -> Callable[[float | torch.Tensor], Rule]:
    """What makes the rule with another scale."""

    def make(scale):
        other = copy.deepcopy(rule)
        other.scale = scale
        return other

    return make


def jobs_of_races(seeds: int, budget):
    """All methods, the hand-made ones first, and where rules are transferred these with their old settings, too.

    An LSTM that is tuned, or of DM's size, is left out on width 64: minutes for a row.
    """
    short, costly = next(iter(FORMULAS)), ("dm", f"rp_s{RESCALED}")
    formulas = [f"{name}{TUNED}" if name == "template" else name for name in FORMULAS]
    for seed in range(seeds):
        for setting in SETTINGS:
            moved = [] if setting == HOME else [f"{name}{MOVED}" for name in RATES]
            networks = ["rp_s", *(costly if setting != "width 64" else ())]
            for method in (*RATES, *moved, *formulas, f"{short}{TUNED}", f"{short}{RESCALED}", *networks):
                yield setting, method, seed


def by_method(table: pd.DataFrame) -> pd.DataFrame:
    """The rows, best first within each setting."""
    columns = ["setting", "method", "seed", "scale", "scheduled", "mean", "sd", "held_out", "accuracy", "diverged"]
    return table.sort_values(["setting", "seed", "mean"])[columns]
