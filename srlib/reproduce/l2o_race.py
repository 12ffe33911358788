"""Races on digits that no rule was trained on: learned rules and formulas against tuned hand-made ones."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ..distill.l2o import DigitsConvNet, DigitsMLP, Rule, adam, cosine, momentum, rmsprop, run_rule, sgd, tune
from ..eql.search import one_torch_thread
from .l2o_learned import TEACHERS, formula, read_rule, teacher, tuned
from .part import rounded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RaceRow", "by_method", "compete", "jobs_of_races"]

JUDGED = 10  # networks, each with its own start and minibatches
SETTINGS = {  # the networks, and the steps of a run
    "width 16": (DigitsMLP(hidden=(16,)), 200),
    "width 64": (DigitsMLP(hidden=(64,)), 400),
    "convnet": (DigitsConvNet(), 200),
}
RATES = {
    "sgd": (sgd, (0.1, 0.3, 1.0, 3.0)),
    "momentum": (momentum, (0.03, 0.1, 0.2, 0.3, 0.6, 1.0)),
    "rmsprop": (rmsprop, (0.003, 0.01, 0.03, 0.1)),
    "adam": (adam, (0.01, 0.02, 0.03, 0.06, 0.1, 0.3)),
    # no baseline of the document: what RNNprop's features are averaged with
    "adam, betas 0.95": (functools.partial(adam, beta1=0.95, beta2=0.95), (0.01, 0.02, 0.03, 0.06, 0.1, 0.3)),
}
FORMULAS = {
    "rp_s eq. 6, 20 lags": ("rp_s", "eq. 6, 20 lags"),
    "rp_s eq. 6, 2 lags": ("rp_s", "eq. 6, 2 lags"),
    "rp_s search": ("rp_s", "search, averages and t"),
    "dm search": ("dm", "search, averages and t"),
    "template": ("none", "template"),
}


@dataclass(frozen=True)
class RaceRow:
    """The mean loss of the last 20 steps: its mean, standard deviation and median over ten networks.

    ``held_out`` and ``accuracy`` are means on digits that these networks were not trained on. Hand-made rules have the
    scale and schedule that were best on other networks of the same kind, trained for as many steps.
    """

    setting: str
    method: str
    seed: int
    scale: float
    scheduled: bool
    mean: float
    sd: float
    median: float
    held_out: float
    accuracy: float
    diverged: int
    seconds: float


@one_torch_thread()
def compete(setting: str, method: str, seed: int) -> RaceRow:
    """One method, on networks that begin and draw their minibatches as those of all other methods."""
    began = time.perf_counter()
    rule, scheduled = entrant(setting, method, seed)
    family, steps = SETTINGS[setting]
    judged = replace(family, half=1).sample(JUDGED, (seed, 7))
    with torch.no_grad():
        outcome = run_rule(rule, judged, steps, schedule=cosine(steps) if scheduled else None)
        losses = outcome.final()
        held, right = judged.judged(outcome.theta), judged.accuracies(outcome.theta)
    numbers = (losses.mean(), losses.std(), losses.median(), held.mean(), right.mean())
    return RaceRow(
        setting, method, seed, rule.scale, scheduled, *(rounded(one.item()) for one in numbers),
        int(outcome.diverged.sum()), round(time.perf_counter() - began, 1),
    )  # fmt: skip


def entrant(setting: str, method: str, seed: int) -> tuple[Rule, bool]:
    """The rule, and whether it runs with a cosine schedule."""
    if method in RATES:
        return best_of_grid(setting, method, seed)
    if method in TEACHERS:
        return teacher(method, seed), False
    if method.endswith(", tuned"):
        return tuned(*FORMULAS[method.removesuffix(", tuned")], seed), False
    return read_rule(str(formula(*FORMULAS[method], seed))), False


@functools.cache
def best_of_grid(setting: str, method: str, seed: int) -> tuple[Rule, bool]:
    """A hand-made rule with the best of its scales, with or without a cosine, on 4 networks and the other half."""
    make, scales = RATES[method]
    family, steps = SETTINGS[setting]
    found = tune(make, family.sample(4, (seed, 8)), steps, scales)
    return make(found.scale), found.scheduled


def jobs_of_races(seeds: int, budget):
    """All methods, the hand-made ones first."""
    learned = ["rp_s", "dm"]
    for name in FORMULAS:
        learned += [f"{name}, tuned"] if name == "template" else [name, f"{name}, tuned"]
    for seed in range(seeds):
        for setting in SETTINGS:
            for method in (*RATES, *learned):
                yield setting, method, seed


def by_method(table: pd.DataFrame) -> pd.DataFrame:
    """The rows, best first within each setting."""
    columns = ["setting", "method", "seed", "scale", "scheduled", "mean", "sd", "held_out", "accuracy", "diverged"]
    return table.sort_values(["setting", "seed", "mean"])[columns]
