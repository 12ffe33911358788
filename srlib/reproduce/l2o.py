"""Learning to optimise: rules recovered from trajectories, networks distilled, formulas tuned, and races (document
001).

Sizes are for two cores: networks are trained on digits networks with 8 hidden units, and judged on the half of the
digits that they never saw. Trained networks and formulas are kept in ``course/results``, where later parts find them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ..distill.l2o import Quadratics, adam, lags, linear_rule, momentum, record, sgd, tanh_sum
from ..eql.search import one_torch_thread
from .l2o_cost import CostRow, cost
from .l2o_learned import FORMS, DistillationRow, distillation, search
from .l2o_race import RaceRow, by_method, compete, jobs_of_races
from .l2o_tuning import FACTORS, TUNED, HorizonRow, TunedRow, horizon, tuning
from .part import Part, rounded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS"]


# ------------------------------------------------------------ hand-made rules from their trajectories


@dataclass(frozen=True)
class RecoveryRow:
    """A hand-made rule, from what it did on noisy quadratics.

    ``r2`` is that on optimizees that were held out, ``error`` the largest error there over the largest update.
    """

    rule: str
    form: str
    seed: int
    r2: float
    error: float
    complexity: float
    equation: str
    seconds: float


HAND_MADE = {"sgd": sgd(0.05), "momentum": momentum(0.05), "adam": adam(0.05)}
RECOVERED_FROM = {  # the features, and how the formula is found
    ("sgd", "search, 10 lags"): (lags("g", 10), "search"),
    ("momentum", "linear, 20 lags"): (lags("g", 20), "linear"),
    ("momentum", "linear, 100 lags"): (lags("g", 100), "linear"),
    ("momentum", "search, averages"): (("g", "m", "v"), "search"),
    ("adam", "linear, 20 lags"): (lags("g", 20), "linear"),
    ("adam", "tanh, 20 lags"): (lags("g", 20), "tanh"),
    ("adam", "linear, 20 lags of gt"): (lags("gt", 20), "linear"),
    ("adam", "search, averages"): (("g", "m", "v", "t"), "search"),
    ("adam", "search, corrected averages"): (("g", "mhat", "vhat"), "search"),
}


@one_torch_thread()
def recover(name: str, form: str, seed: int) -> RecoveryRow:
    """One rule from one set of features."""
    began, (features, how) = time.perf_counter(), RECOVERED_FROM[name, form]
    runs = record(HAND_MADE[name], Quadratics(10, noise=0.3).sample(12, (seed, 3)), 150, features, coordinates=10)
    train, held = runs.split()
    if how == "linear":
        found = linear_rule(train)
    elif how == "tanh":
        found = tanh_sum(train, ("g",), 20)
    else:
        found = search(train, held, seed, ("sqrt",)).best()
    told = found.evaluate(held.X) - held.y
    return RecoveryRow(
        name, form, seed, rounded(held.r2(found), 6), rounded(np.abs(told).max() / np.abs(held.y).max(), 6),
        found.complexity, found.format(6)[:300], round(time.perf_counter() - began, 1),
    )  # fmt: skip


# ------------------------------------------------------------ parts


def _seeds(pairs):
    return lambda seeds, budget: ((*pair, seed) for seed, pair in product(range(seeds), pairs))


def _without(*columns):
    def summary(table: pd.DataFrame) -> pd.DataFrame:
        return table.drop(columns=list(columns))

    return summary


PARTS = {
    "recovery": Part(
        "Hand-made rules from their trajectories", "l2o_recovery.csv", recover, RecoveryRow, ("rule", "form", "seed"),
        _seeds(list(RECOVERED_FROM)), 1, _without("seconds"),
    ),
    "distillation": Part(
        "Networks as formulas", "l2o_distillation.csv", distillation, DistillationRow, ("teacher", "form", "seed"),
        _seeds([(name, form) for name, forms in FORMS.items() for form in forms]), 1, _without("equation"),
    ),
    "tuned": Part(
        "Constants tuned through the unroll", "l2o_tuned.csv", tuning, TunedRow, ("teacher", "form", "how", "seed"),
        _seeds(TUNED), 1, _without("equation"),
    ),
    "horizon": Part(
        "Larger and smaller steps, over short and long runs", "l2o_horizon.csv", horizon, HorizonRow,
        ("teacher", "form", "factor", "seed"), _seeds([("rp_s", "eq. 6, 2 lags", factor) for factor in FACTORS]), 1,
        _without("seconds"),
    ),
    "races": Part(
        "Loss after training, 10 new networks", "l2o_races.csv", compete, RaceRow, ("setting", "method", "seed"),
        jobs_of_races, 1, by_method,
    ),
    "cost": Part(
        "Cost of a step", "l2o_cost.csv", cost, CostRow, ("rule", "parameters", "run"),
        lambda seeds, budget: product(("sgd", "adam", "rp_s", "dm", "rp 20 20", "template", "eq. 6, 2 lags"),
                                      (10_000, 100_000), range(seeds)), 3, _without(),
    ),
}  # fmt: skip
