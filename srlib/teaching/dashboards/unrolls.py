"""Lesson 08: the picture of an unroll, and meta-training at work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from srlib.distill.l2o import Episode, FormulaRule, mapping_curve, rp_s

from ..controls import Choice, Slider
from ..live import LiveRun
from ..style import BLACK, BLUE, GREEN, GREY, VERMILLION
from .optimizers import training_of
from .pictures import cut

__all__ = ["START", "Training", "draw_training", "draw_unroll", "meta_run"]


# ---------------------------------------------------------------- unrolled


def draw_unroll(fig, steps: int = 4) -> None:
    """The unrolled computation: parameters along the top, the same rule below each step."""
    ax = fig.subplots()
    box = {"boxstyle": "round,pad=0.35", "linewidth": 1.5}
    for t in range(steps + 1):
        ax.text(t, 2, f"$\\theta_{t}$", ha="center", va="center", bbox=box | {"fc": "white", "ec": BLACK})
        ax.text(t, 3, f"$L_{t}$", ha="center", va="center", bbox=box | {"fc": "white", "ec": VERMILLION})
        _arrow(ax, (t, 2.25), (t, 2.75), VERMILLION)
        if t == steps:
            continue
        ax.text(t + 0.5, 1, "rule", ha="center", va="center", bbox=box | {"fc": "#E8F1F8", "ec": BLUE})
        _arrow(ax, (t + 0.22, 2), (t + 0.78, 2), BLACK)
        _arrow(ax, (t + 0.1, 1.75), (t + 0.4, 1.25), GREY, "--")
        _arrow(ax, (t + 0.56, 1.25), (t + 0.86, 1.78), BLUE)
        if t:
            _arrow(ax, (t - 0.28, 1), (t + 0.28, 1), GREEN)
    ax.text(0.03, 1.35, "gradient", fontsize=10, color=GREY, ha="center")
    ax.text(0.98, 1.38, "update", fontsize=10, color=BLUE, ha="left")
    ax.text(1.0, 0.72, "state", fontsize=10, color=GREEN, ha="center", va="top")
    ax.set(xlim=(-0.4, steps + 0.4), ylim=(0.3, 3.4))
    ax.axis("off")


def _arrow(ax, start, end, color, line="-") -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": color, "linestyle": line, "linewidth": 1.6})


# ---------------------------------------------------------------- meta-training, live


@dataclass(frozen=True)
class Training:
    """A meta-training so far: its episodes, the mapping curve before it and now, the rule's weights and its formula."""

    history: tuple[Episode, ...]
    values: np.ndarray
    before: np.ndarray
    now: np.ndarray
    weights: dict[str, torch.Tensor]
    formula: str


START = "-0.3*tanh(1*mt + 0.1*gt)/(1 + 0.01*t)"  # written down by us, to be tuned


def meta_run() -> LiveRun:
    """Meta-training of a small network, or of a formula's constants, on digits."""

    def work(job, what, episodes, unroll, seed):
        rule = rp_s(seed=int(seed)) if what == "network" else FormulaRule(START, 0.05)
        values, seen = np.linspace(-3, 3, 41), []

        def curve():
            return mapping_curve(rule, "mt", values, t=1)

        before = curve()

        def callback(episode):
            seen.append(episode)
            words = "" if what == "network" else rule.expression().format(3)
            job.report(len(seen) / episodes, f"episode {len(seen)} of {episodes}")
            weights = {name: one.clone() for name, one in rule.state_dict().items()}
            return job.publish(Training(tuple(seen), values, before, curve(), weights, words))

        training_of(rule, int(episodes), int(seed), int(unroll), [callback])
        return job.snapshot

    controls = [
        Choice("what", {"network RP_s": "network", "the constants of a formula": "formula"}, "network", label="train"),
        Slider("episodes", 5, 120, 5, 45, label="episodes"),
        Slider("unroll", 10, 50, 10, 20, label="unroll, steps"),
        Slider("seed", 0, 20, 1, 0, label="seed"),
    ]
    return LiveRun(work, draw_training, controls, describe_training, "Learning to optimise", (10, 4.2))


def draw_training(result: Training, fig) -> None:
    """Losses by episode, and the mapping curve before and now."""
    left, right = fig.subplots(1, 2)
    number = [one.number for one in result.history]
    last = [one.last for one in result.history]
    if result.formula:
        left.plot(number, [one.first for one in result.history], "s--", color=GREY, markersize=4, label="first unroll")
        left.plot(number, last, "o-", color=VERMILLION, markersize=4, label="second unroll")
        left.set(yscale="log")
    else:
        left.plot(number, last, "o", color=VERMILLION, markersize=4, alpha=0.6, linestyle="none", label="an episode")
        smooth = [np.mean(last[max(at - 9, 0) : at + 1]) for at in range(len(last))]
        left.plot(number, smooth, color=BLACK, linestyle="-", label="mean of the last ten")
    left.set(xlabel="episode", ylabel="mean loss along the unroll")
    left.legend(fontsize=10)
    right.plot(result.values, result.before, color=GREY, linestyle="--", label="before the training")
    right.plot(result.values, result.now, color=VERMILLION, linestyle="-", label="now")
    right.set(xlabel="mt, with gt = 0, at the first step", ylabel="update before scaling", ylim=(-1.05, 1.05))
    right.legend(fontsize=10, loc="upper right")
    if result.formula:
        right.set_title(cut(result.formula, 48), fontsize=10)


def describe_training(result: Training) -> str:
    """How the last episodes went."""
    last = result.history[-1]
    return (
        f"Episode {last.number} of {last.steps} steps: the mean loss along its last unroll is "
        f"{last.last:.2f}{'; the formula is now ' + result.formula if result.formula else ''}."
    )
