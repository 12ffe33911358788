"""Networks that learned to optimise, the formulas that they were distilled to, and these tuned again."""

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
    mapping_complexity,
    meta_train,
    perception,
    record,
    rp_s,
    tanh_sum,
)
from ..eql.search import one_torch_thread
from ..expression import Expression
from ..run import read_checkpoint, write_checkpoint
from .part import rounded

__all__ = [
    "DistillationRow",
    "TunedRow",
    "distillation",
    "formula",
    "read_rule",
    "search",
    "teacher",
    "tuned",
    "tuning",
]

FOLDER = Path("course/results")
TRAINED_ON = DigitsMLP(hidden=(8,))
TEACHERS = {"rp_s": (rp_s, 300), "dm": (dm, 150)}  # and episodes of the meta-training
STEPS = 200
AVERAGES = ("avg90_gt", "avg99_gt", "rms90_mt", "rms99_mt", "t")
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


@functools.cache
def trajectories(name: str, seed: int) -> tuple[Trajectories, Trajectories]:
    """What a network did on 8 new optimizees in 200 steps: to train on, and two held out; with idle rows."""
    signals = ("mt", "gt") if name.startswith("rp") else ("logg", "signg")
    features = [feature for signal in signals for feature in lags(signal, 20)] + list(AVERAGES)
    features += [] if name.startswith("rp") else ["mt", "gt"]
    batch = TRAINED_ON.sample(8, (seed, 5))
    return record(teacher(name, seed), batch, STEPS, features, coordinates=20, every=2, beta1=0.95, beta2=0.95).split()


# ------------------------------------------------------------ distillation


def search(train: Trajectories, held: Trajectories, seed: int, unary=None, niterations: int = 5):
    """Symbolic regression of the updates; with the document's operators by default."""
    from ..evolution import EvolutionRegressor

    chosen = dict(DOCUMENT_OPERATORS) if unary is None else {"unary_operators": list(unary)}
    student = EvolutionRegressor(
        niterations,
        **chosen,
        maxsize=20,
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

    Rows whose gradient is exactly 0 (``idle`` is their share) are left out of the fit and of ``r2``: the step's loss
    does not see these weights, and the meta-training says little about their updates. A rule in use makes them all the
    same, so that ``r2_all``, on all rows, is the stricter number. ``field`` is the temporal perception field of the
    network (by gradient, our definition), ``mapping`` the mapping complexity: of the shortest formula whose R2 is
    within 0.01 of the best. ``equation`` is written in full.
    """

    teacher: str
    form: str
    seed: int
    r2: float
    r2_all: float
    train_r2: float
    idle: float
    complexity: float
    mapping: float
    field: float
    equation: str
    seconds: float


FORMS = {  # by teacher: how it is found, and from which features
    "rp_s": {
        "eq. 6, 20 lags": ("tanh", ("mt", "gt"), 20),
        "eq. 6, 2 lags": ("tanh", ("mt", "gt"), 2),
        "search, 4 lags": ("search", (*lags("mt", 4), *lags("gt", 4)), 0),
        "search, averages and t": ("search", ("mt", "gt", *AVERAGES), 0),
        "trees, all": ("trees", None, 0),
    },
    "dm": {
        "eq. 6, 20 lags": ("tanh", ("signg",), 20),
        "search, 4 lags": ("search", (*lags("logg", 4), *lags("signg", 4)), 0),
        "search, averages and t": ("search", ("logg", "signg", "mt", "gt", *AVERAGES), 0),
        "trees, all": ("trees", None, 0),
    },
}


@one_torch_thread()
def distillation(name: str, form: str, seed: int) -> DistillationRow:
    """One network, one form."""
    how, features, count = FORMS[name][form]
    train, every = trajectories(name, seed)
    train, held = (runs.rows(runs.X[:, runs.names.index("gt")] != 0) for runs in (train, every))
    field = perception(teacher(name, seed), TRAINED_ON.sample(2, (seed, 6)), 100, 50).field[0]
    began, simplest = time.perf_counter(), np.nan
    if how == "trees":  # what could be had, by no formula
        from sklearn.ensemble import HistGradientBoostingRegressor

        fitted = HistGradientBoostingRegressor(max_iter=200, random_state=seed).fit(train.X, train.y)
        scores, size, text = [fitted.score(runs.X, runs.y) for runs in (held, every, train)], np.nan, ""
    else:
        if how == "tanh":
            found = tanh_sum(train, features, count)
        else:
            learned = search(train.only(features), held.only(features), seed, niterations=4)
            found, simplest = learned.best(), mapping_complexity(learned.fidelity)
        scores, size, text = [runs.r2(found) for runs in (held, every, train)], found.complexity, str(found)
    return DistillationRow(
        name, form, seed, *(rounded(one, 6) for one in scores), rounded(1 - len(held) / len(every), 3), size, simplest,
        round(float(field), 2), text, round(time.perf_counter() - began, 1),
    )  # fmt: skip


def formula(name: str, form: str, seed: int = 0) -> Expression:
    """The formula of a distillation, read from its file if it is there."""
    return read_rule(_stored("l2o_distillation.csv", teacher=name, form=form, seed=seed) or
                     _again(name, form, seed)).expression()  # fmt: skip


@functools.cache
def _again(name, form, seed) -> str:
    return distillation(name, form, seed).equation


def _stored(file: str, **key) -> str | None:
    import pandas as pd

    if not (FOLDER / file).exists():
        return None
    table = pd.read_csv(FOLDER / file)
    rows = table[np.logical_and.reduce([table[name] == value for name, value in key.items()])]
    return None if rows.empty else rows.equation.iloc[0]


def read_rule(text: str, scale: float = 0.05) -> FormulaRule:
    """A rule from its text; averages as RNNprop's."""
    return FormulaRule(text, scale, operators=OPERATORS)


# ------------------------------------------------------------ constants tuned through the unroll


@dataclass(frozen=True)
class TunedRow:
    """A formula whose constants were meta-trained: mean losses of the first and the last episodes of 200 steps.

    ``diverged`` counts optimizees that were stopped, ``skipped`` unrolls whose meta-gradient was not finite.
    """

    teacher: str
    form: str
    seed: int
    first: float
    last: float
    diverged: int
    skipped: int
    equation: str
    seconds: float


TEMPLATES = {"template": "-0.8*tanh(1*mt + 0.1*gt)/(1 + 0.01*t)"}  # written down by us, not distilled
TUNED = [
    ("rp_s", "eq. 6, 2 lags"), ("rp_s", "eq. 6, 20 lags"), ("rp_s", "search, averages and t"), ("none", "template"),
    ("dm", "search, averages and t"),
]  # fmt: skip


@one_torch_thread()
def tuning(name: str, form: str, seed: int) -> TunedRow:
    """Fine-tune one formula, with second derivatives: without them the meta-gradient does not see oscillations."""
    began = time.perf_counter()
    rule = read_rule(TEMPLATES[form] if name == "none" else str(formula(name, form, seed)))
    done = meta_train(
        rule,
        TRAINED_ON,
        episodes=25,
        optimizees=2,
        steps=STEPS,
        unroll=50,
        learning_rate=0.02,
        order=2,
        seed=seed + 100,
    )
    first, last = (np.mean([one.last for one in part]) for part in (done.history[:5], done.history[-10:]))
    return TunedRow(
        name, form, seed, rounded(first), rounded(last), done.diverged,
        sum(one.skipped for one in done.history), str(rule.expression()),
        round(time.perf_counter() - began, 1),
    )  # fmt: skip


def tuned(name: str, form: str, seed: int = 0) -> FormulaRule:
    """The fine-tuned rule, read from its file if it is there."""
    return read_rule(_stored("l2o_tuned.csv", teacher=name, form=form, seed=seed) or _tuned_again(name, form, seed))


@functools.cache
def _tuned_again(name, form, seed) -> str:
    return tuning(name, form, seed).equation
