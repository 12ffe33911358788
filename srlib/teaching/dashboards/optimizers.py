"""Lesson 08: the rules of the lesson, what they did on quadratics and digits, and formulas of few terms for it.

Everything is computed by :mod:`srlib.distill.l2o`.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import orthogonal_mp

from srlib.distill.l2o import (
    DigitsMLP,
    Family,
    FormulaRule,
    Quadratics,
    Rule,
    Trajectories,
    adam,
    lags,
    meta_train,
    momentum,
    record,
    rp_s,
    sgd,
)

__all__ = [
    "AVERAGES", "FAMILIES", "FEATURES", "LAGS", "LEARNED", "RULES", "SMALL", "Short", "learned_rule", "recorded",
    "rule_named", "short_rule", "training_of", "without_idle",
]  # fmt: skip

LAGS = 20
AVERAGES = ("avg90_gt", "avg99_gt", "rms90_mt", "rms99_mt")
SMALL = DigitsMLP(hidden=(8,))  # what rules are trained on
FAMILIES: dict[str, Family] = {"noisy quadratics": Quadratics(10, noise=0.3), "digits": SMALL}
LEARNED = "RP_s, learned"
RULES = ("momentum", "Adam", LEARNED)
FEATURES = {
    "g and its past": ("g",),
    "gt and its past": ("gt",),
    "mt, gt and their past": ("mt", "gt"),
    "mt, gt, their past, long averages": ("mt", "gt", "averages"),
}
STORED = "l2o_rp_s_0.json"


@lru_cache(maxsize=1)
def learned_rule() -> tuple[Rule, str]:
    """RP_s after 300 episodes, as ``python -m srlib.reproduce l2o`` has stored it, and where it comes from.

    Away from the course's folder it is trained here, for a third of the episodes.
    """
    rule = rp_s(seed=0)
    folders = [Path.cwd(), *Path.cwd().parents]
    places = [folder / name / STORED for folder in folders for name in ("results", "course/results")]
    stored = next((path for path in places if path.exists()), None)
    if stored is None:
        meta_train(rule, SMALL, episodes=100, optimizees=2, steps=(20, 40, 60, 100), objective="sum", seed=0)
        return rule, "trained here, 100 episodes"
    weights = json.loads(stored.read_text(encoding="utf-8"))["weights"]
    rule.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    return rule, "stored with the course, 300 episodes"


def training_of(rule: Rule, episodes: int, seed: int = 0, unroll: int = 20, callbacks=()):
    """The lesson's meta-training, on two new digits networks in each episode.

    A network learns from the losses of episodes of one unroll. A formula's constants are tuned over two, by the losses'
    logarithms, which give small losses their weight, and with second derivatives: without these the meta-gradient does
    not see that large steps oscillate.
    """
    how = {"objective": "sum", "learning_rate": 5e-3, "steps": unroll}
    if isinstance(rule, FormulaRule):
        how = {"objective": "log", "learning_rate": 0.05, "order": 2, "steps": 2 * unroll}
    return meta_train(
        rule, SMALL, episodes=episodes, optimizees=2, unroll=unroll, seed=seed, callbacks=callbacks, **how
    )


def rule_named(name: str) -> Rule:
    """A rule of :data:`RULES`, or gradient descent."""
    if name == LEARNED:
        return learned_rule()[0]
    return {"gradient descent": sgd, "momentum": momentum, "Adam": adam}[name](0.05)


@lru_cache(maxsize=8)
def recorded(name: str, family: str, steps: int = 100) -> tuple[Trajectories, Trajectories]:
    """What a rule did on 8 optimizees, two of them held out: 20 lags of g, gt and mt, and averages of these."""
    features = [*(lag for signal in ("g", "gt", "mt") for lag in lags(signal, LAGS)), *AVERAGES, "t"]
    runs = record(
        rule_named(name), FAMILIES[family].sample(8, (0, 5)), steps, features, coordinates=10, every=2, idle=True
    )
    return tuple(without_idle(part) for part in runs.split())


def without_idle(runs: Trajectories) -> Trajectories:
    """Without the rows whose gradient is exactly 0: weights of black pixels, where an update changes nothing."""
    return runs.rows(runs.X[:, runs.names.index("gt")] != 0)


# ---------------------------------------------------------------- rules of few terms


@dataclass(frozen=True)
class Short:
    """Formulas with 1, 2, … terms for a rule, and how well each agrees with it.

    Attributes
    ----------
    rule, family, features : str
    train, held : list of float
        R2 by the number of terms.
    terms : list of (float, str)
        Of the formula that is shown: weights and features, the largest first.
    known, told : ndarray, shape (rows,)
        Updates on held-out optimizees, and what that formula says.
    gamma : float
    """

    rule: str
    family: str
    features: str
    train: list[float]
    held: list[float]
    terms: list[tuple[float, str]]
    known: np.ndarray
    told: np.ndarray
    gamma: float


def _r2(known, told) -> float:
    return float(1 - np.mean((known - told) ** 2) / np.var(known))


def short_rule(
    rule: str = LEARNED, family: str = "digits", features: str = "mt, gt and their past", history: int = 5,
    most: int = 6, gamma: float = 1.0,
) -> Short:  # fmt: skip
    """The rule as a sum of few terms ``w * gamma * tanh(x / gamma)``, chosen one after the other.

    Terms are added greedily (scikit-learn's orthogonal matching pursuit). ``gamma`` is in units of the root mean square
    of each feature; at 100 the terms are linear.
    """
    names = [
        name for signal in FEATURES[features]
        for name in (AVERAGES if signal == "averages" else lags(signal, history) if history else (signal,))
    ]  # fmt: skip
    train, held = (part.only(names) for part in recorded(rule, family))
    widths = gamma * np.sqrt(np.mean(train.X**2, axis=0))
    inputs = [widths * np.tanh(part.X / widths) for part in (train, held)]
    lengths = np.linalg.norm(inputs[0], axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # features that are nearly the same end the pursuit early
        path = orthogonal_mp(inputs[0] / lengths, train.y, n_nonzero_coefs=min(most, len(names)), return_path=True)
    path = path.reshape(len(names), -1) / lengths[:, None]  # (features, terms)
    scores = [[_r2(part.y, X @ w) for w in path.T] for part, X in zip((train, held), inputs, strict=True)]
    last = path[:, -1]
    order = [at for at in np.argsort(-np.abs(last) * lengths) if last[at]]
    return Short(
        rule, family, features, *scores, [(float(last[at]), names[at]) for at in order], held.y, inputs[1] @ last,
        float(gamma),
    )  # fmt: skip
