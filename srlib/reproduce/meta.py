"""Meta-learning: Finn's sinusoids, document 000 as published and done right, adaptation, laws, ablation and speed.

Every method adapts by the same steps on the same tasks, after its inner rate was tuned with the same factors on other
tasks. Errors are mean squared errors on query sets, without any penalty.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..eql.search import one_torch_thread
from ..meta import (
    FlatModel,
    MetaLearned,
    Sinusoids,
    Tasks,
    WavesAndExponentials,
    adaptation_curve,
    joint,
    maml,
    mlp,
    recover,
    tune_rate,
)
from .meta_document import DocumentRow, document, shown
from .meta_laws import VARIANTS, trained
from .meta_speed import SpeedRow, speed
from .part import Part, rounded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS"]

STEPS = (0, 1, 5, 10, 100)
LAW_STEPS = (0, 5, 10, 20, 50, 100, 200, 500)
FACTORS = (0.01, 0.1, 1.0, 10.0, 100.0)
JUDGED, TUNED = 100, 50  # tasks
ANCHOR = 8000  # outer steps on Finn's sinusoids
FAMILY = WavesAndExponentials()
DOMAINS = {"in": FAMILY, "out": FAMILY.out_of_domain()}


def judged(family, seed: int) -> Tasks:
    """The tasks that a seed's results are judged on; no other draw uses this stream."""
    return family.sample(JUDGED, (seed, 10**9), query=50)


def to_tune(family, seed: int) -> Tasks:
    """The tasks that rates are tuned on."""
    return family.sample(TUNED, (seed, 10**9 + 1), query=50)


# ------------------------------------------------------------ Finn's sinusoids


@dataclass(frozen=True)
class CurveRow:
    """Query errors after so many inner steps: medians (m), means (a), the 5 % and 95 % quantiles after 5 steps.

    ``factor`` is that of the inner rates. For the zero predictor all steps are the same.
    """

    setting: str
    method: str
    domain: str
    seed: int
    factor: float
    m0: float
    m1: float
    m5: float
    m10: float
    m100: float
    low5: float
    high5: float
    a0: float
    a1: float
    a5: float
    a10: float
    a100: float
    diverged: int
    seconds: float


def _curve_row(setting, method, domain, seed, learned, factor, tasks, seconds) -> CurveRow:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        curve = adaptation_curve(learned, tasks, STEPS, factor)
    numbers = [*curve.median, curve.low[2], curve.high[2], *curve.mean]
    return CurveRow(
        setting, method, domain, seed, factor, *(rounded(value) for value in numbers), curve.diverged,
        round(seconds, 1),
    )  # fmt: skip


def _zero_row(setting, domain, seed, tasks) -> CurveRow:
    errors = tasks.zero_errors().numpy()
    median, mean = np.median(errors), errors.mean()
    low, high = np.quantile(errors, [0.05, 0.95])
    numbers = [*[median] * 5, low, high, *[mean] * 5]
    return CurveRow(setting, "zero", domain, seed, 0.0, *(rounded(value) for value in numbers), 0, 0.0)


def anchor(setting: str, method: str, domain: str, seed: int) -> CurveRow:
    """Finn's sinusoids: 2 x 40 ReLU, K = 10, 25 tasks, one inner step of 0.01; 8,000 outer steps instead of 70,000."""
    family = Sinusoids()
    tasks = judged(family, seed)
    if method == "zero":
        return _zero_row(setting, domain, seed, tasks)
    model, began = FlatModel(mlp(seed=seed, dtype=torch.float32)), time.perf_counter()
    with one_torch_thread():
        if method == "maml":
            learned = maml(model, family, steps=ANCHOR, tasks=25, inner_steps=1, rate=0.01, seed=seed)
        elif method == "joint":
            learned = joint(model, family, steps=ANCHOR, tasks=25, points=20, seed=seed)
        else:
            learned = MetaLearned.from_scratch(model)
        seconds = time.perf_counter() - began
        factor = tune_rate(learned, to_tune(family, seed), (0.1, 0.3, 1.0, 3.0, 10.0), steps=1)
        return _curve_row(setting, method, domain, seed, learned, factor, tasks, seconds)


# ------------------------------------------------------------ adaptation


def adaptation(setting: str, method: str, domain: str, seed: int) -> CurveRow:
    """Query errors by inner step on the family of document 000; ``setting`` names the inner optimiser.

    With gradient descent MAML is Meta-SGD on the unit network; with Gauss-Newton it is the full method of the laws.
    Rates are tuned in the distribution, also for tasks out of it.
    """
    tasks = judged(DOMAINS[domain], seed)
    if method == "zero":
        return _zero_row(setting, domain, seed, tasks)
    with one_torch_thread():
        learned, seconds = trained(method if setting == "Gauss-Newton" else f"{method}, gradient descent", seed)
        factor = tune_rate(learned, to_tune(FAMILY, seed), FACTORS, steps=5)
        return _curve_row(setting, method, domain, seed, learned, factor, tasks, seconds)


# ------------------------------------------------------------ laws


@dataclass(frozen=True)
class LawsRow:
    """The shares of 100 new tasks whose law is recovered after so many inner steps.

    ``waves`` and ``exponentials`` are those of each kind after 500 steps, ``stepwise0`` and ``stepwise`` the shares if
    units are cut one after another with a fit after each, after 0 and after 500 steps. ``m5`` is the median query error
    after 5 steps. A variant of which no law is recovered in 500 steps is no error, but a 0.
    """

    variant: str
    seed: int
    factor: float
    units: int
    m5: float
    s0: float
    s5: float
    s10: float
    s20: float
    s50: float
    s100: float
    s200: float
    s500: float
    waves: float
    exponentials: float
    stepwise0: float
    stepwise: float
    training: float
    seconds: float


def laws(variant: str, seed: int) -> LawsRow:
    """Train a variant, adapt to fresh tasks, and count the laws."""
    began = time.perf_counter()
    with one_torch_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        learned, training = trained(variant, seed)
        factor = tune_rate(learned, to_tune(FAMILY, seed), FACTORS, steps=50)
        tasks = judged(FAMILY, seed)
        adapted = learned.adapt(tasks, LAW_STEPS[-1], factor=factor, keep=LAW_STEPS)
        right = [_right(learned, theta, tasks) for theta in adapted.theta]
        stepwise = [_right(learned, adapted.theta[k], tasks, None) for k in (0, -1)]
    waves = np.array(["f" in law.constants for law in tasks.laws])
    units = learned.model.module.architecture.width if learned.alive is None else _open(learned)
    return LawsRow(
        variant, seed, factor, units, rounded(adapted.query_errors[1].median().item()),
        *(float(one.mean()) for one in right), rounded(right[-1][waves].mean()), rounded(right[-1][~waves].mean()),
        *(float(one.mean()) for one in stepwise), round(training, 1), round(time.perf_counter() - began, 1),
    )  # fmt: skip


def _open(learned: MetaLearned) -> int:
    from ..meta import open_units

    return len(open_units(learned))


def _right(learned, theta, tasks, threshold=0.05) -> np.ndarray:
    return np.array([one.verdict == "recovered" for one in recover(learned.model, theta, tasks, threshold)])


# ------------------------------------------------------------ summaries


def by_method(table: pd.DataFrame) -> pd.DataFrame:
    """Medians over the seeds."""
    groups = table.groupby(["setting", "method", "domain"], sort=False)
    columns = ["m0", "m1", "m5", "m10", "m100", "a1", "a5", "diverged", "seconds"]
    return groups[columns].median().assign(seeds=groups.size())


def by_variant(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds, and the first step at which half of the laws are recovered (0: never)."""
    shares = [f"s{k}" for k in LAW_STEPS]
    found = table.groupby("variant", sort=False)[
        ["m5", *shares, "waves", "exponentials", "stepwise0", "stepwise", "units", "seconds"]
    ].mean()
    half = [next((k for k in LAW_STEPS if row[f"s{k}"] >= 0.5), 0) for _, row in found.iterrows()]
    return found.round(3).assign(half=half, seeds=table.groupby("variant", sort=False).size())


CURVE_KEY = ("setting", "method", "domain", "seed")


def _curves(settings, methods, domains):
    def jobs(seeds: int, budget):
        for seed, *rest in product(range(seeds), settings, domains, methods):
            setting, domain, method = rest
            yield setting, method, domain, seed

    return jobs


def _variants(names):
    return lambda seeds, budget: ((name, seed) for seed, name in product(range(seeds), names))


METHODS = ("zero", "scratch", "joint", "maml")
PARTS = {
    "speed": Part(
        "One outer step, 25 tasks x 5 inner steps, second order (ms)", "meta_speed.csv", speed, SpeedRow,
        ("network", "run"), lambda seeds, budget: product(("paper", "offsets"), range(seeds)), 3,
        lambda table: table.groupby("network").median(),
    ),
    "laws": Part(
        "Laws recovered on new tasks", "meta_laws.csv", laws, LawsRow, ("variant", "seed"),
        _variants(("maml", "scratch", "joint")), 5, by_variant,
    ),
    "adaptation": Part(
        "Query errors by inner step, document 000's family", "meta_adaptation.csv", adaptation, CurveRow, CURVE_KEY,
        _curves(("Gauss-Newton", "gradient descent"), METHODS, ("in", "out")), 5, by_method,
    ),
    "anchor": Part(
        "Finn's sinusoids, K = 10", "meta_anchor.csv", anchor, CurveRow, CURVE_KEY,
        _curves(("2 x 40",), METHODS, ("in",)), 3, by_method,
    ),
    "ablation": Part(
        "What makes the difference: maml of meta_laws.csv, changed", "meta_ablation.csv", laws, LawsRow,
        ("variant", "seed"), _variants(VARIANTS), 3, by_variant,
    ),
    "document": Part(
        "Document 000, as its code does it and done right", "meta_document.csv", document, DocumentRow,
        ("method", "domain", "seed"), lambda seeds, budget: (
            (method, domain, seed) for seed, method, domain in product(range(seeds), ("maml", "joint"), ("in", "out"))
        ), 3, shown,
    ),
}  # fmt: skip
