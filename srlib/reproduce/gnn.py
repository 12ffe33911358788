"""Graph networks on particles: the force laws, document 002's table, rollouts, leaks of the split, and speed.

Training sizes: 1,000 simulations of 100 graphs and 12 epochs of 200 batches of 64 (153,600 graphs seen), hidden width
64; 4 epochs for the table and the cures, whose column ``graphs`` says so. The document's networks of width 300 see 100
epochs of 10,000 simulations; the original 64 million graphs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ..distill.gnn import VARIANTS, Architecture, Graphs, Settings, read_messages, simulate, to_graphs, train
from ..eql.search import one_torch_thread
from ..metrics import acpcr, mae
from .gnn_laws import LawRow, UnitsRow, by_law, by_units, law, with_units
from .gnn_rollout import RolloutRow, rollouts, shown
from .gnn_speed import TRAININGS, SpeedRow, speed
from .part import Part, rounded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS"]

DOCUMENTS = ("r1", "r2", "spring", "charge")  # potentials
SIZE = Settings(epochs=12, steps=200, batch=64)
SHORT = 4 * SIZE.steps * SIZE.batch  # graphs that a training of the table or the cures sees
SIMULATIONS, JUDGED = 1000, 300
# Cranmer et al. 2020, test losses of r^-1, r^-2, spring and charge in two dimensions (sums over a graph; the
# normalisation of the table could not be confirmed)
PUBLISHED = {
    "plain": (0.077, 1.613, 0.047, 48.688), "bottleneck": (0.069, 1.640, 0.046, 50.012),
    "l1": (0.079, 1.184, 0.045, 51.906), "kl": (3.463, 9.252, 1.659, 59.927),
}  # fmt: skip
DOCUMENT_ACPCR = {("bottleneck", "mae"): (0.73, 0.17, 0.76, 0.13), ("custom", "huber"): (0.15, 0.05, 0.30, 0.03)}


@lru_cache(maxsize=2)
def data(potential: str, seed: int) -> tuple[Graphs, Graphs]:
    """Training graphs, and those of new simulations with another seed."""
    return (
        to_graphs(simulate(potential, SIMULATIONS, random_state=(seed, 1))),
        to_graphs(simulate(potential, JUDGED, random_state=(seed, 2))),
    )


def _settings(variant: str, seed: int, loss: str = "mae") -> tuple[Architecture, Settings]:
    return Architecture(variant, seed=seed), replace(SIZE, loss=loss, seed=seed)


@lru_cache(maxsize=1)
def fitted(potential: str, variant: str, seed: int, graphs: int | None = None):
    """A network trained with our settings, by default on all of their graphs, and the test graphs."""
    known, test = data(potential, seed)
    kind, settings = _settings(variant, seed)
    return train(known, kind, settings if graphs is None else _that_long(settings, graphs), test=test), test


def _that_long(settings: Settings, graphs: int) -> Settings:
    return replace(settings, epochs=max(1, graphs // (settings.steps * settings.batch)))


# ------------------------------------------------------------ the table


@dataclass(frozen=True)
class TableRow:
    """A model on new simulations.

    ``mae`` is per component, ``summed`` over a graph as the original prints it; ``published`` and ``document`` are the
    original's loss (of MAE) and the document's ACPCR, empty where there is none. ``top2`` is the share of the messages'
    variance in two components. R2 as in the laws, for each target. ``graphs`` is how many the training saw in
    ``seconds`` of the CPU.
    """

    potential: str
    model: str
    loss: str
    seed: int
    graphs: int
    test_loss: float
    mae: float
    summed: float
    published: str
    acpcr: float
    document: str
    r2_force: float
    trimmed_force: float
    r2_acceleration: float
    trimmed_acceleration: float
    top2: float
    seconds: float


def table(potential: str, model: str, loss: str, seed: int, graphs: int) -> TableRow:
    """Train one model of the table with one loss, relative to 1 + |a| in all of them."""
    return _table_row(potential, model, loss, seed, graphs, *_settings(model, seed, loss))


def _table_row(potential, model, loss, seed, graphs, kind: Architecture, settings: Settings) -> TableRow:
    known, test = data(potential, seed)
    began = time.process_time()
    with one_torch_thread():
        trained = train(known, kind, _that_long(settings, graphs), test=test)
        seconds = time.process_time() - began
        told = trained.network.predict(test.states)
        said = read_messages(trained.network, test)
    known, at = test.accelerations, DOCUMENTS.index(potential)
    error = mae(known.reshape(-1, 2), told.reshape(-1, 2))
    force, acceleration = said.fit("force"), said.fit("acceleration")
    return TableRow(
        potential, model, loss, seed, graphs, rounded(trained.history[-1].test_loss), rounded(error),
        rounded(error * test.n * test.dim), str(PUBLISHED[model][at]) if model in PUBLISHED and loss == "mae" else "",
        rounded(acpcr(known.reshape(-1, 2), told.reshape(-1, 2))),
        str(DOCUMENT_ACPCR[model, loss][at]) if (model, loss) in DOCUMENT_ACPCR else "",
        *(rounded(one.min()) for fit in (force, acceleration) for one in (fit.r2, fit.r2_trimmed)),
        rounded(said.concentration), round(seconds, 1),
    )  # fmt: skip


AS_DOCUMENT = Architecture("bottleneck", edge_inputs="raw", node_inputs="full", activation="relu")  # at our width
THEIR_STEPS = {"translate": 3.0, "learning_rate": 1e-3}
CURES = {
    "document": (AS_DOCUMENT, {"relative": False, **THEIR_STEPS}),
    "+ relative loss": (AS_DOCUMENT, THEIR_STEPS),
    "+ log inputs": (Architecture("bottleneck"), {}),
    "+ third law": (Architecture("antisymmetric"), {}),
}  # fmt: skip


def cure(potential: str, step: str, loss: str, seed: int, graphs: int) -> TableRow:
    """From the document's inputs, loss and learning rate to ours, one after another."""
    kind, options = CURES[step]
    settings = replace(SIZE, loss=loss, seed=seed, **options)
    return _table_row(potential, step, loss, seed, graphs, replace(kind, seed=seed), settings)


# ------------------------------------------------------------ the split


@dataclass(frozen=True)
class SplitRow:
    """The relative test error and ACPCR of one network on two tests.

    ``time_loss`` and ``time_acpcr`` are those of the test that the split of ``trained_on`` gives: the last times of its
    own simulations, or simulations of the same set that it has not seen. ``new_loss`` and ``new_acpcr`` are those of
    new simulations of another seed.
    """

    potential: str
    trained_on: str
    seed: int
    time_loss: float
    time_acpcr: float
    new_loss: float
    new_acpcr: float


def leak(potential: str, trained_on: str, seed: int) -> SplitRow:
    """Train on a part of few simulations, split by time (as the original) or by simulation, and compare the tests."""
    known = to_graphs(simulate(potential, 60, random_state=(seed, 3)))
    part, test = known.split(0.25, trained_on, seed)
    new = data(potential, seed)[1]
    with one_torch_thread():
        trained = train(part, Architecture("bottleneck", seed=seed), SIZE, test=test)
        told, told_new = (trained.network.predict(one.states) for one in (test, new))
    return SplitRow(
        potential, trained_on, seed, rounded(_relative(test, told)), rounded(_right(test, told)),
        rounded(_relative(new, told_new)), rounded(_right(new, told_new)),
    )  # fmt: skip


def _relative(test: Graphs, told: np.ndarray) -> float:
    scale = 1 + np.linalg.norm(test.accelerations, axis=2, keepdims=True)
    return float(np.mean(np.abs(told - test.accelerations) / scale))


def _right(test: Graphs, told: np.ndarray) -> float:
    return acpcr(test.accelerations.ravel(), told.ravel())


# ------------------------------------------------------------ summaries


def by_model(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds, and how many there are."""
    groups = rows.groupby(["potential", "model", "loss", "graphs"], sort=False)
    told = groups[["published", "document"]].first()
    means = groups.mean(numeric_only=True).drop(columns=["seed", *told.columns], errors="ignore")
    return means.round(4).join(told).assign(seeds=groups.size())


def as_it_is(rows: pd.DataFrame) -> pd.DataFrame:
    """All of it."""
    return rows


MODEL = ("potential", "model", "loss", "seed", "graphs")  # what tells one training from another
PARTS = {
    "laws": Part(
        "Force laws recovered from messages", "gnn_laws.csv", law, LawRow, ("potential", "variant", "seed"),
        lambda seeds, budget: (
            (potential, variant, seed)
            for seed, variant, potential in product(range(seeds), ("antisymmetric", "l1"), DOCUMENTS)
            if variant == "antisymmetric" or potential in ("r1", "spring")
        ), 5, by_law,
    ),
    "units": Part(
        "Laws with and without units that must balance", "gnn_units.csv", with_units, UnitsRow,
        ("potential", "variant", "seed", "graphs", "iterations", "units"),
        lambda seeds, budget: (
            (potential, "l1", seed, SHORT, 4, units)
            for potential, seed, units in product(("r1", "spring"), range(seeds), ("none", "free", "numbers"))
        ), 2, by_units,
    ),
    "cures": Part(
        "From the document's settings to ours", "gnn_cures.csv", cure, TableRow, MODEL,
        lambda seeds, budget: (
            (potential, step, "mae", seed, SHORT) for seed, potential, step in product(range(seeds), DOCUMENTS, CURES)
        ), 1, by_model,
    ),
    "table": Part(
        "Seven models and three losses on new simulations", "gnn_table.csv", table, TableRow,
        MODEL, lambda seeds, budget: (
            (potential, model, loss, seed, SHORT) for seed, loss, potential, model in product(
                range(seeds), ("mae", "huber", "mse"), DOCUMENTS, VARIANTS)
        ), 1, by_model,
    ),
    "rollouts": Part(
        "Simulators against the truth", "gnn_rollouts.csv", rollouts, RolloutRow, ("potential", "seed", "start"),
        lambda seeds, budget: product(DOCUMENTS, range(seeds), ("same", "more particles", "heavier")), 1, shown,
    ),
    "split": Part(
        "What a split by time leaks", "gnn_split.csv", leak, SplitRow, ("potential", "trained_on", "seed"),
        lambda seeds, budget: product(("spring", "r1"), ("time", "simulation"), range(seeds)), 2, as_it_is,
    ),
    "speed": Part(
        "Speed: simulation against a loop of odeint, training in graphs per second", "gnn_speed.csv", speed, SpeedRow,
        ("what", "run"), lambda seeds, budget: product((*DOCUMENTS, *TRAININGS), range(seeds)), 3, as_it_is,
    ),
}  # fmt: skip
