"""Lesson 04: how to fool yourself with meta-learning: the bookkeeping of document 000's released code, on or off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from srlib.eql import SmoothedL05
from srlib.meta import tune_rate

from ..controls import Toggle
from ..panel import Panel
from ..style import BLUE, GREY, VERMILLION
from .lesson04 import DOCUMENT, FACTORS, FAMILIES, judged, learn, quietly, to_tune

__all__ = ["Fooled", "Numbers", "compute_fooled", "fool_panel"]

STRENGTH = 5e-3  # of document 000's penalty


@dataclass(frozen=True)
class Numbers:
    """What the two methods' errors would be reported as, and the zero predictor's."""

    maml: float
    joint: float
    zero: float


@dataclass(frozen=True)
class Fooled:
    """Reported numbers with the reader's pitfalls, and the honest ones."""

    reported: Numbers
    honest: Numbers
    show_zero: bool


@lru_cache(maxsize=1)
def _judgement():
    """Both methods at their tuned rates and as the document has them; all numbers that the pitfalls combine."""
    tasks, own, found = judged(), to_tune(), {}
    train = FAMILIES[DOCUMENT].sample(15, (77,))
    for name, kind in (("maml", "MAML"), ("joint", "joint")):
        learned = learn(kind)
        factor = tune_rate(learned, own, FACTORS)
        adapted = quietly(learned, tasks, 5, factor, [0, 5])
        penalties = STRENGTH * SmoothedL05().values(adapted.theta).sum(dim=2)  # (2, tasks)
        before = quietly(learned, train, 5, factor, [0, 5])
        extra = STRENGTH * SmoothedL05().values(before.theta).sum(dim=2).sum(dim=1)
        found[name] = {
            "errors": adapted.query_errors.mean(dim=1).numpy(), "penalty": penalties.mean(dim=1).numpy(),
            "train": before.query_errors.sum(dim=1).numpy(), "train penalty": extra.numpy(),
        }  # fmt: skip
    return found, tasks.zero_errors().mean().item()


def compute_fooled(
    penalty: bool = True, cumulative: bool = True, unadapted: bool = True, hide_zero: bool = True
) -> Fooled:
    """Report the mean query error after five steps, with some of document 000's habits.

    ``penalty`` adds 0.005 times the smoothed L0.5 of the weights, ``cumulative`` adds the sum over the 15 tasks of a
    training batch to that over five tasks of validation before dividing by five (of MAML only), ``unadapted`` judges
    joint training before its first step, ``hide_zero`` leaves out what predicting zero scores.
    """
    found, zero = _judgement()

    def number(name, at, with_penalty, with_sum):
        own = found[name]
        value = own["errors"][at] + with_penalty * own["penalty"][at]
        if with_sum:
            value += (own["train"][at] + with_penalty * own["train penalty"][at]) / 5
        return float(value)

    reported = Numbers(
        number("maml", 1, penalty, cumulative), number("joint", 0 if unadapted else 1, penalty, False), zero
    )
    honest = Numbers(number("maml", 1, False, False), number("joint", 1, False, False), zero)
    return Fooled(reported, honest, not hide_zero)


def _draw_fooled(result: Fooled, fig) -> None:
    ax = fig.subplots()
    rows = [("reported", result.reported), ("honest", result.honest)]
    for at, (_, numbers) in enumerate(rows):
        bars = [("MAML", numbers.maml, VERMILLION, ""), ("joint", numbers.joint, BLUE, "//")]
        if result.show_zero or at == 1:
            bars.append(("predicting 0", numbers.zero, GREY, ".."))
        for place, (name, value, colour, hatch) in enumerate(bars):
            x = at + 0.27 * (place - 1)
            ax.bar(x, value, 0.25, color=colour, hatch=hatch, edgecolor="white", label=name if at else None)
            ax.text(x, value, f"{value:.2f}", ha="center", va="bottom", fontsize=11)
    ax.set_xticks([0, 1], ["as reported, with your pitfalls", "query MSE, adapted alike"])
    ax.set(ylabel="“error” after 5 steps, mean", ylim=(0, 1.25 * max(result.reported.maml, result.reported.joint, 1)))
    ax.legend(fontsize=10)


def _describe_fooled(result: Fooled) -> str:
    r, h = result.reported, result.honest
    return (
        f"Reported: MAML {r.maml:.2f}, joint {r.joint:.2f}. Query errors after the same five steps: MAML {h.maml:.2f}, "
        f"joint {h.joint:.2f}, predicting zero {h.zero:.2f}."
    )


def fool_panel() -> Panel:
    """Four pitfalls, each on or off."""
    controls = [
        Toggle("penalty", True, label="the loss contains the penalty"),
        Toggle("cumulative", True, label="MAML's sum is not reset"),
        Toggle("unadapted", True, label="joint is not adapted"),
        Toggle("hide_zero", True, label="nobody predicts zero"),
    ]
    return Panel(compute_fooled, _draw_fooled, controls, _describe_fooled, "How to fool yourself", (9, 4.2))
