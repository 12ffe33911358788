"""Distilled simulators and the network itself against the truth, also where the network was not trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..distill.gnn import Particles, distill_network, read_messages, rollout
from ..eql.search import one_torch_thread
from .part import rounded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RolloutRow", "rollouts", "shown"]

# particles, and mean and standard deviation of log m; trained on 4 and (0, 1)
STARTS = {"same": (4, (0.0, 1.0)), "more particles": (8, (0.0, 1.0)), "heavier": (4, (2.0, 0.5))}
SIMULATIONS = 30


@dataclass(frozen=True)
class RolloutRow:
    """The median RMS distance from the true positions at a quarter, half and the end of the time (500 steps).

    ``formula`` is the network written out, ``tuned`` the same with all constants fitted together to the accelerations
    of the training's graphs. ``moved`` is how far particles went from their start, in the same measure, at the end.
    ``messages`` and ``nodes`` are the tuned formulas.
    """

    potential: str
    seed: int
    start: str
    network25: float
    network50: float
    network100: float
    formula25: float
    formula50: float
    formula100: float
    tuned25: float
    tuned50: float
    tuned100: float
    moved: float
    messages: str
    nodes: str


@lru_cache(maxsize=1)
def _simulators(potential: str, seed: int):
    from .gnn import data, fitted

    with one_torch_thread():
        trained, test = fitted(potential, "antisymmetric", seed)
        said = read_messages(trained.network, test)
    formulas = distill_network(said, test, random_state=seed)
    return {"network": trained.network, "formula": formulas, "tuned": formulas.refit(data(potential, seed)[0])}


def rollouts(potential: str, seed: int, start: str) -> RolloutRow:
    """Roll out the antisymmetric network and its formulas from the same states."""
    simulators = _simulators(potential, seed)
    n, log_mass = STARTS[start]
    first = Particles.random(SIMULATIONS, n, 2, potential, (seed, 4), log_mass=log_mass)
    with one_torch_thread():
        run = rollout(potential, simulators, first)
    errors, last = run.errors, len(run.times) - 1
    at = [round(share * last) for share in (0.25, 0.5, 1)]
    moved = np.sqrt(((run.truth[:, -1] - run.truth[:, 0]) ** 2).sum(axis=2).mean(axis=1))
    return RolloutRow(
        potential, seed, start, *(rounded(errors[name].iloc[k], 3) for name in simulators for k in at),
        rounded(np.median(moved), 3), "; ".join(one.format(4) for one in simulators["tuned"].messages),
        "; ".join(one.format(4) for one in simulators["tuned"].nodes),
    )  # fmt: skip


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """The numbers."""
    return rows.drop(columns=["messages", "nodes"]).set_index(["potential", "start", "seed"])
