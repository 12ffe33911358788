"""The constants of formulas, tuned through the unroll."""

from __future__ import annotations

import functools
import math
import time
from dataclasses import dataclass

import torch

from ..distill.l2o import FormulaRule, Validation, meta_train, run_rule
from ..eql.search import one_torch_thread
from .l2o_learned import STEPS, TRAINED_ON, formula, read_rule, stored
from .part import rounded

__all__ = ["FACTORS", "HOW", "TEMPLATES", "TUNED", "HorizonRow", "TunedRow", "horizon", "tuned", "tuning"]


@dataclass(frozen=True)
class TunedRow:
    """A formula whose constants were meta-trained, by one of the ways of :data:`HOW`.

    Losses are final ones, of the last 20 of 200 steps, as geometric means over ten networks. ``before`` and ``after``
    are those on fresh networks, of the formula as it was given and as it came out; ``unchecked`` is that of the formula
    after the last episode, which is what comes out without a validation. ``kept`` is the episode that the validation
    chose, on 24 other networks; 0 for the formula as it was given. ``diverged`` counts optimizees that were stopped,
    ``skipped`` unrolls whose meta-gradient was not finite.
    """

    teacher: str
    form: str
    how: str
    seed: int
    before: float
    after: float
    unchecked: float
    kept: int
    episodes: int
    diverged: int
    skipped: int
    equation: str
    seconds: float


TEMPLATES = {"template": "-0.8*tanh(1*mt + 0.1*gt)/(1 + 0.01*t)"}  # written down by us, not distilled
HOW = {  # what is differentiated through, which of its losses count, and Adam's rate
    "unroll 50": {"unroll": 50, "learning_rate": 0.05},
    "whole run, last 20 steps": {"unroll": STEPS, "counted": 20, "learning_rate": 0.05},
    "whole run, last 20 steps, small rate": {"unroll": STEPS, "counted": 20, "learning_rate": 0.01},
}
BEST = "whole run, last 20 steps, small rate"
TUNED = [*(("rp_s", "eq. 6, 2 lags", how) for how in HOW), ("none", "template", BEST)]
EPISODES = 12


@one_torch_thread()
def tuning(name: str, form: str, how: str, seed: int) -> TunedRow:
    """Fine-tune one formula, with second derivatives: without them the meta-gradient does not see oscillations."""
    began = time.perf_counter()
    text = TEMPLATES[form] if name == "none" else str(formula(name, form, seed))
    rule, as_it_was = read_rule(text), read_rule(text)
    fresh = Validation(TRAINED_ON.sample(10, (seed, 21)), STEPS)
    unchecked = []

    def look(episode):
        if episode.number == EPISODES:  # before the best is put back
            unchecked.append(fresh.score(rule))

    done = meta_train(
        rule, TRAINED_ON, episodes=EPISODES, optimizees=6, steps=STEPS, order=2, seed=seed + 100,
        validation=Validation(TRAINED_ON.sample(24, (seed, 20)), STEPS, every=2), callbacks=[look], **HOW[how],
    )  # fmt: skip
    scores = (fresh.score(as_it_was), fresh.score(rule), *unchecked)
    return TunedRow(
        name, form, how, seed, *(rounded(math.exp(one)) for one in scores), done.kept, EPISODES, done.diverged,
        sum(one.skipped for one in done.history), str(rule.expression()), round(time.perf_counter() - began, 1),
    )  # fmt: skip


def tuned(name: str, form: str, seed: int = 0) -> FormulaRule:
    """The fine-tuned rule, read from its file if it is there."""
    key = {"teacher": name, "form": form, "how": BEST, "seed": seed}
    return read_rule(stored("l2o_tuned.csv", **key) or _again(name, form, seed))


@functools.cache
def _again(name, form, seed) -> str:
    return tuning(name, form, BEST, seed).equation


# ------------------------------------------------------------ what a horizon asks for


FACTORS = (0.5, 0.7, 0.9, 1.0, 1.1, 1.35, 1.6)


@dataclass(frozen=True)
class HorizonRow:
    """A distilled rule with its scale multiplied by a factor, on 16 networks that are the same for all factors.

    Losses are means over the first 20 and 50 steps of a run, and over the last 20 of 200, as geometric means over the
    networks. ``error`` is the standard error of the mean difference of the logarithm of the last one to that with
    factor 1.
    """

    teacher: str
    form: str
    factor: float
    seed: int
    first_20: float
    first_50: float
    last_20_of_200: float
    error: float
    seconds: float


@one_torch_thread()
def horizon(name: str, form: str, factor: float, seed: int) -> HorizonRow:
    """One factor: short runs ask for larger steps than long ones."""
    began = time.perf_counter()
    once, times = (final_losses(name, form, one, seed) for one in (1.0, factor))
    means = [losses.log().mean().exp().item() for losses in times]
    difference = (times[-1] / once[-1]).log()
    return HorizonRow(
        name, form, factor, seed, *map(rounded, means), rounded(float(difference.std() / len(difference) ** 0.5)),
        round(time.perf_counter() - began, 1),
    )  # fmt: skip


@functools.cache
def final_losses(name: str, form: str, factor: float, seed: int) -> tuple[torch.Tensor, ...]:
    """The three means of a :class:`HorizonRow` for each network."""
    rule = read_rule(str(formula(name, form, seed)))
    rule.scale = rule.scale * factor
    with torch.no_grad():
        losses = run_rule(rule, TRAINED_ON.sample(16, (seed, 9)), STEPS).losses
    return tuple(part.mean(dim=0) for part in (losses[:20], losses[:50], losses[-20:]))
