"""Networks that learned to optimise, and the formulas that they were distilled to."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..distill.l2o import (
    DOCUMENT_OPERATORS,
    DigitsMLP,
    FormulaRule,
    Rule,
    Trajectories,
    dm,
    lags,
    linear_rule,
    mapping_complexity,
    meta_train,
    perception,
    record,
    rp_s,
    tanh_sum,
    tanh_units,
)
from ..eql.search import one_torch_thread
from ..expression import Expression
from ..run import read_checkpoint, write_checkpoint
from .part import rounded

__all__ = ["DistillationRow", "distillation", "formula", "read_rule", "search", "stored", "teacher"]

FOLDER = Path("course/results")
TRAINED_ON = DigitsMLP(hidden=(8,))
TEACHERS = {"rp_s": (rp_s, 300), "dm": (dm, 60)}  # and episodes of the meta-training
SEEN = {"rp_s": ("mt", "gt"), "dm": ("logg", "signg")}
STEPS = 200
DECAYS = (50, 80, 90, 95, 99)  # hundredths
OPERATORS = [Expression.operator(text) for one in DOCUMENT_OPERATORS.values() for text in one if "=" in text]


# ------------------------------------------------------------ networks


@functools.cache
def teacher(name: str, seed: int = 0) -> Rule:
    """A network as it is meta-trained here, read from ``course/results`` if it is there."""
    make, episodes = TEACHERS[name]
    rule, path = make(seed=seed), FOLDER / f"l2o_{name}_{seed}.json"
    kept = read_checkpoint(path, "l2o network")
    if kept is None:
        with one_torch_thread():
            meta_train(
                rule, TRAINED_ON, episodes=episodes, optimizees=2, steps=(20, 40, 60, 100), objective="sum", seed=seed
            )
        weights = {key: np.vectorize(_nine)(value.numpy()).tolist() for key, value in rule.state_dict().items()}
        if FOLDER.is_dir():
            write_checkpoint(path, {"method": "l2o network", "weights": weights})
    else:
        rule.load_state_dict({key: torch.tensor(value) for key, value in kept["weights"].items()})
    return rule


def _nine(value) -> float:
    return float(f"{value:.9g}")  # which a float32 is read back from exactly


def averages(*signals: str) -> tuple[str, ...]:
    """Short and long averages of signals and of their squares."""
    return tuple(f"{kind}{decay}_{signal}" for signal in signals for kind in ("avg", "rms") for decay in DECAYS)


@functools.cache
def trajectories(name: str, seed: int) -> tuple[Trajectories, Trajectories]:
    """What a network did on 16 new optimizees in 200 steps: to train on, and four held out; with idle rows."""
    signals = SEEN[name]
    features = [feature for signal in signals for feature in lags(signal, 20)] + [*averages(*signals), "t"]
    features += [] if name.startswith("rp") else ["mt", "gt", *averages("mt", "gt")]
    batch = TRAINED_ON.sample(16, (seed, 5))
    return record(teacher(name, seed), batch, STEPS, features, coordinates=20, every=2, beta1=0.95, beta2=0.95).split()


# ------------------------------------------------------------ distillation


def search(
    train: Trajectories, held: Trajectories, seed: int, unary=None, niterations: int = 5, maxsize: int = 20
):  # fmt: skip
    """Symbolic regression of the updates; with the document's operators by default."""
    from ..evolution import EvolutionRegressor

    chosen = dict(DOCUMENT_OPERATORS) if unary is None else {"unary_operators": list(unary)}
    student = EvolutionRegressor(
        niterations,
        **chosen,
        maxsize=maxsize,
        populations=8,
        n_jobs=1,
        random_state=seed,
        model_selection="accuracy",
        readable=False,
    )
    return train.sample(1000, seed).distill(student, held)


@dataclass(frozen=True)
class DistillationRow:
    """A network as a formula of a given form; R2 on held-out optimizees.

    Rows whose gradient is exactly 0 (``idle`` is their share) are left out of ``r2``: the step's loss does not see
    these weights, and the meta-training says little about their updates. A rule in use makes them all the same, so
    that ``r2_all``, on all rows, is the stricter number. ``fitted`` tells to which rows the formula was fitted, those
    that are not idle ("busy") or all. ``field`` is the temporal perception field of the network (by gradient, our
    definition), ``mapping`` the mapping complexity: of the shortest formula whose R2 is within 0.01 of the best.
    ``equation`` is written in full.
    """

    teacher: str
    form: str
    seed: int
    fitted: str
    r2: float
    r2_all: float
    train_r2: float
    idle: float
    complexity: float
    mapping: float
    field: float
    equation: str
    seconds: float


@dataclass(frozen=True)
class Form:
    """How a formula is found ("eq. 6", "linear", "units", "search" or "trees"), from which features, on which rows."""

    how: str
    features: tuple[str, ...] = ()  # none: all that were recorded
    count: int = 0  # lags of eq. 6, tanh units
    fitted: str = "busy"


def forms(*signals: str) -> dict[str, Form]:
    """Those that are tried for a network that sees these signals."""
    long = (*signals, *averages(*signals), "t")
    return {
        "eq. 6, 20 lags": Form("eq. 6", signals, 20),
        "eq. 6, 2 lags": Form("eq. 6", signals, 2),
        "linear, now": Form("linear", signals),  # how the networks begin
        "linear, averages and t": Form("linear", long),
        "linear, averages and t, all rows": Form("linear", long, fitted="all"),
        "4 tanh units, averages and t": Form("units", long, 4),
        "4 tanh units, averages and t, all rows": Form("units", long, 4, "all"),
        "search, 4 lags": Form("search", tuple(name for signal in signals for name in lags(signal, 4))),
        "search, averages and t": Form("search", long),
        "search, averages and t, all rows": Form("search", long, fitted="all"),
        "trees, all": Form("trees"),
        "trees, all, all rows": Form("trees", fitted="all"),
    }


FORMS = {name: forms(*signals) for name, signals in SEEN.items()}


@one_torch_thread()
def distillation(name: str, form: str, seed: int) -> DistillationRow:
    """One network, one form."""
    chosen = FORMS[name][form]
    train, every = trajectories(name, seed)
    busy = [runs.X[:, runs.names.index("gt")] != 0 for runs in (train, every)]
    train, held = train.rows(busy[0] | (chosen.fitted == "all")), every.rows(busy[1])
    field = perception(teacher(name, seed), TRAINED_ON.sample(2, (seed, 6)), 100, 50).field[0]
    began, simplest = time.perf_counter(), np.nan
    if chosen.how == "trees":  # what could be had, by no formula
        from sklearn.ensemble import HistGradientBoostingRegressor

        fitted = HistGradientBoostingRegressor(max_iter=200, random_state=seed).fit(train.X, train.y)
        scores, size, text = [fitted.score(runs.X, runs.y) for runs in (held, every, train)], np.nan, ""
    else:
        given = train.only(chosen.features)
        if chosen.how == "search":
            judged = (held if chosen.fitted == "busy" else every).only(chosen.features)
            learned = search(given, judged, seed, niterations=8, maxsize=30)
            found, simplest = learned.best(), mapping_complexity(learned.fidelity)
        elif chosen.how == "eq. 6":
            found = tanh_sum(train, chosen.features, chosen.count)
        else:
            found = tanh_units(given, chosen.count, seed=seed) if chosen.how == "units" else linear_rule(given, 1e-6)
        scores, size, text = [runs.r2(found) for runs in (held, every, train)], found.complexity, str(found)
    return DistillationRow(
        name, form, seed, chosen.fitted, *(rounded(one, 6) for one in scores), rounded(1 - busy[1].mean(), 3), size,
        simplest, round(float(field), 2), text, round(time.perf_counter() - began, 1),
    )  # fmt: skip


def formula(name: str, form: str, seed: int = 0) -> Expression:
    """The formula of a distillation, read from its file if it is there."""
    return read_rule(stored("l2o_distillation.csv", teacher=name, form=form, seed=seed) or
                     _again(name, form, seed)).expression()  # fmt: skip


@functools.cache
def _again(name, form, seed) -> str:
    return distillation(name, form, seed).equation


def stored(file: str, **key) -> str | None:
    """The equation in the row of a table that is there, of this key."""
    import pandas as pd

    if not (FOLDER / file).exists():
        return None
    table = pd.read_csv(FOLDER / file)
    rows = table[np.logical_and.reduce([table[name] == value for name, value in key.items()])]
    return None if rows.empty else rows.equation.iloc[0]


def read_rule(text: str, scale: float = 0.05) -> FormulaRule:
    """A rule from its text; averages as RNNprop's."""
    return FormulaRule(text, scale, operators=OPERATORS)
