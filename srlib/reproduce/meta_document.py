"""Document 000's experiment: its network and settings, judged as its released code does and as one should.

The code draws 10 functions for training and 5 for validation once a run, takes one inner step of 0.01, and Adam steps
of 1e-3. What it logs is the loss with the penalty. For MAML that sum is not reset between training and validation
functions, so that it is cumulative; for joint training the network is judged without any adaptation. Here the sum is
divided by the number of validation functions, which is our reading. The code's weights also have hard-concrete gates,
whose L0 penalty is not used; they are left out. It takes 20,001 outer steps, this 4,000.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from ..eql import PAPER_UNITS, UNITS, EQLNetwork, SmoothedL05, Unit
from ..eql.search import one_torch_thread
from ..meta import FlatModel, WavesAndExponentials, adaptation_curve, joint, maml, tune_rate
from ..meta.adapt import squared_errors
from .meta_laws import model as with_offsets

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DocumentRow", "document", "network", "shown"]

OUTER = 4_000
STRENGTH = 5e-3
PUBLISHED = {("maml", "in"): 0.68, ("joint", "in"): 0.72, ("maml", "out"): 8.76, ("joint", "out"): 6.75}
LAWS_TO_TRAIN, LAWS_TO_VALIDATE = 10, 5


def network(name: str, seed: int) -> torch.nn.Module:
    """The document's network, whose product has norm 1, or the one with offsets."""
    if name == "offsets":
        return with_offsets(seed).module
    units = {one: copies for one, copies in PAPER_UNITS.items() if one != "product"}
    units = {UNITS[one]: copies for one, copies in units.items()} | {Unit("plain product", "a*b"): 2}
    return EQLNetwork(1, units, layers=2, scales=(0.1, 0.5, 1.0), seed=seed, dtype=torch.float64)


@dataclass(frozen=True)
class DocumentRow:
    """One run: the published number, what the code would log, and query errors without the penalty.

    ``penalty`` is the share of ``logged`` that no function has anything to do with. ``zero`` is the mean error of
    predicting zero on the same 100 fresh tasks as ``first`` (before adaptation), ``one`` (one step of 0.01) and
    ``five`` (five steps at the tuned rate): means, and ``five_median`` beside ``zero_median``.
    """

    method: str
    domain: str
    seed: int
    published: float
    logged: float
    penalty: float
    zero: float
    first: float
    one: float
    five: float
    zero_median: float
    five_median: float
    factor: float
    seconds: float


@lru_cache(maxsize=2)
def _learned(method: str, seed: int):
    family, start = WavesAndExponentials().fixed(LAWS_TO_TRAIN, (seed, 1)), FlatModel(network("paper", seed))
    began = time.perf_counter()
    if method == "maml":
        learned = maml(
            start, family, steps=OUTER, tasks=LAWS_TO_TRAIN, inner_steps=1, rate=0.01, strength=STRENGTH, clip=None,
            decay=False, seed=seed,
        )  # fmt: skip
    else:
        learned = joint(
            start, family, steps=OUTER, tasks=LAWS_TO_TRAIN, sequential=True, strength=STRENGTH, decay=False, seed=seed
        )
    return learned, time.perf_counter() - began


def document(method: str, domain: str, seed: int) -> DocumentRow:
    """Train as the document does, and judge both ways."""
    family = WavesAndExponentials() if domain == "in" else WavesAndExponentials().out_of_domain()
    with one_torch_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        learned, seconds = _learned(method, seed)
        logged, penalty = _logged(method, learned, family, seed)
        tasks = family.sample(100, (seed, 10**9), query=50)
        own = WavesAndExponentials().sample(50, (seed, 10**9 + 1), query=50)
        factor = tune_rate(learned, own, (0.01, 0.1, 1.0, 10.0, 100.0), steps=5)
        plain = adaptation_curve(learned, tasks, (0, 1))
        tuned = adaptation_curve(learned, tasks, (5,), factor)
    numbers = (
        logged, penalty, tuned.zero_mean, plain.mean[0], plain.mean[1], tuned.mean[0], tuned.zero_median,
        tuned.median[0],
    )  # fmt: skip
    rounded = (float(f"{value:.4g}") for value in numbers)
    return DocumentRow(method, domain, seed, PUBLISHED[method, domain], *rounded, factor, round(seconds, 1))


def _logged(method: str, learned, family, seed: int) -> tuple[float, float]:
    """What the code's last line of a run shows for validation, and the penalty in it."""
    penalty = SmoothedL05()
    held_out = family.fixed(LAWS_TO_VALIDATE, (seed, 2)).sample(LAWS_TO_VALIDATE, (seed, 3))
    if method == "joint":
        tasks, steps = held_out, 0
    else:
        own = WavesAndExponentials().fixed(LAWS_TO_TRAIN, (seed, 1)).sample(LAWS_TO_TRAIN, (seed, 4))
        tasks, steps = held_out, 1
    theta = learned.adapt(tasks, steps, keep=[steps]).theta[0]
    errors = squared_errors(learned.model(theta, tasks.x_query), tasks.y_query)
    sizes = STRENGTH * penalty.values(theta).sum(dim=1)
    total, share = (errors + sizes).sum().item(), sizes.sum().item()
    if method == "maml":  # the sum still holds the training functions
        theta = learned.adapt(own, 1, keep=[1]).theta[0]
        errors = squared_errors(learned.model(theta, own.x_query), own.y_query)
        sizes = STRENGTH * penalty.values(theta).sum(dim=1)
        total, share = total + (errors + sizes).sum().item(), share + sizes.sum().item()
    return total / LAWS_TO_VALIDATE, share / LAWS_TO_VALIDATE


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Medians over the seeds."""
    return table.groupby(["method", "domain"], sort=False).median().drop(columns="seed")
