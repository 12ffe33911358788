"""The variants of meta-learning whose laws are counted: the full method, what it is compared with, and its ablation."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache

from ..eql import Unit
from ..meta import (
    Adam,
    FlatModel,
    GaussNewton,
    GradientDescent,
    MetaLearned,
    OffsetEQL,
    WavesAndExponentials,
    joint,
    maml,
    open_gates,
    open_units,
    with_units,
)

__all__ = ["UNITS", "VARIANTS", "model", "trained"]

# sin and exp without scalings: weights are frequencies; and units that the family does not need
UNITS = {
    Unit("one", "1"): 1, "identity": 1, "square": 1, Unit("sine", "sin(a)"): 4, Unit("exponential", "exp(a)"): 3
}  # fmt: skip
SCALES = (3.0, 0.5, 0.3)  # first frequencies up to 6 radians per unit of x
FIRST, SECOND = 300, 300  # outer steps before and after the gates are chosen
FOR_GATES, MOST_UNITS = 50, 4
FAMILY = WavesAndExponentials()
SETTINGS = {"inner_steps": 5, "rate": 1.0, "method": GaussNewton(), "learn_rates": True, "learning_rate": 1e-2,
            "log_floor": 1e-6}  # fmt: skip
DESCENT = {**SETTINGS, "method": GradientDescent(10.0), "rate": 0.01}
ABLATION = {  # what is changed in the settings
    "inner gradient descent": {"method": GradientDescent(10.0), "rate": 0.01},
    "error, not its logarithm": {"log_floor": None},
    "one rate, not learned": {"learn_rates": False},
    "first order": {"order": 1},
    "inner Adam": {"method": Adam(), "rate": 0.03},
}
VARIANTS = ("no gates", "gates only", "joint, gates", *ABLATION, "gates, random start", "ten fixed laws")


def model(seed: int) -> FlatModel:
    """The network as it starts."""
    return FlatModel(OffsetEQL(UNITS, scales=SCALES, seed=seed))


def trained(variant: str, seed: int) -> tuple[MetaLearned, float]:
    """A variant trained with a seed, and the seconds that took; the last ones are remembered."""
    return _trained(variant, seed)


@lru_cache(maxsize=64)
def _trained(variant: str, seed: int) -> tuple[MetaLearned, float]:
    began = time.perf_counter()
    return _train(variant, seed), time.perf_counter() - began


def _train(variant: str, seed: int) -> MetaLearned:
    start, gauss_newton = model(seed), GaussNewton()
    scratch = MetaLearned.from_scratch(start, 1.0, gauss_newton)
    match variant:
        case "maml":
            return _gated(start, SETTINGS, seed)
        case "scratch":
            return scratch
        case "joint":
            return _joint(start, seed)
        case "maml, gradient descent":
            return maml(start, FAMILY, steps=2 * FIRST, seed=seed, **{**DESCENT, "log_floor": None})
        case "scratch, gradient descent":
            return replace(scratch, rate=0.01, method=GradientDescent(10.0))
        case "joint, gradient descent":
            return replace(_joint(start, seed), rate=0.01, method=GradientDescent(10.0))
        case "no gates":
            return maml(start, FAMILY, steps=FIRST + SECOND, seed=seed, **SETTINGS)
        case "gates only":  # without meta-training: the gates choose among random units
            return _open(scratch, seed)
        case "gates, random start":  # the structure that the full method finds, with the values of the start
            return with_units(scratch, open_units(trained("maml", seed)[0]))
        case "ten fixed laws":
            return _gated(start, SETTINGS, seed, FAMILY.fixed(10, seed=(seed, 7)))
        case "joint, gates":
            return _open(_joint(start, seed), seed)
        case _ if variant in ABLATION:
            return _gated(start, {**SETTINGS, **ABLATION[variant]}, seed)
    raise ValueError(f"variant is {variant!r}: choose from maml, scratch, joint, {', '.join(VARIANTS)}")


def _joint(start: FlatModel, seed: int) -> MetaLearned:
    learned = joint(start, FAMILY, steps=2000, learning_rate=3e-3, seed=seed)
    return replace(learned, rate=1.0, method=GaussNewton())


def _gated(start: FlatModel, settings: dict, seed: int, family=FAMILY) -> MetaLearned:
    """Meta-train the whole network, choose its units, and go on with these."""
    first = maml(start, family, steps=FIRST, seed=seed, **settings)
    return maml(start, family, steps=SECOND, seed=(seed, 1), begin=_open(first, seed, family), **settings)


def _open(learned: MetaLearned, seed: int, family=FAMILY) -> MetaLearned:
    return open_gates(learned, family.sample(FOR_GATES, (seed, 10**9 + 2)), MOST_UNITS)
