"""Lesson 07: pictures of trainings, the rotator of messages, a message on its way, and the training with one's own
settings."""

from __future__ import annotations

import numpy as np
import pandas as pd

from srlib.distill.gnn import VARIANTS
from srlib.distill.gnn.simulator import Rollout

from ..controls import Choice, Slider, Toggle
from ..live import LiveRun
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from .forces import INPUTS, Recording, Setup, learn, record, recording
from .pictures import cut

__all__ = ["describe", "draw_components", "draw_moment", "draw_rollout", "film_panel", "forces_run"]

WORDS = {"force": "F", "acceleration": "F/m"}
COMPONENTS = ((BLUE, "o"), (VERMILLION, "s"))
DOCUMENTS = ("r1", "r2", "spring", "charge")


def draw_moment(made: Recording, fig, at: int = -1, target: str = "force") -> None:
    """Messages against what a linear map makes of the target, importance of components, and how both changed."""
    fig.figure.set_layout_engine("none")
    moment = made.moments[at]
    spoken = made.learned is not None and moment is made.last
    bottom, height = (0.25, 0.65) if spoken else (0.16, 0.74)
    ax = fig.add_axes((0.08, bottom, 0.33, height))
    _draw_scatter(ax, moment, target)
    ax = fig.add_axes((0.49, bottom, 0.19, height))
    _draw_deviations(ax, moment)
    ax = fig.add_axes((0.765, bottom, 0.22, height))
    epochs = [one.number for one in made.moments]
    curves = (("R², F", [one.r2["force"] for one in made.moments], BLUE, "-"),
              ("R², F/m", [one.r2["acceleration"] for one in made.moments], ORANGE, "--"),
              ("ACPCR", [one.acpcr for one in made.moments], GREEN, ":"))  # fmt: skip
    for label, values, colour, line in curves:
        ax.plot(epochs, values, color=colour, linestyle=line, marker=".", label=label)
    ax.axvline(moment.number, color=GREY, linewidth=1)
    ax.set(xlabel="epoch", ylim=(-0.03, 1.3), xlim=(0.5, made.setup.epochs + 0.5), yticks=np.linspace(0, 1, 6))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(fontsize=9, loc="upper center", ncols=3, columnspacing=0.8, handlelength=1.5, borderpad=0.2)
    ax.set_title("over the epochs", fontsize=11)
    if spoken:
        colour = GREEN if made.verdict == "recovered" else VERMILLION
        words = f"message {moment.top[0]} = {cut(made.learned.best().format(3), 80)}   ({_verdict(made)})"
        fig.text(0.02, 0.05, words, fontsize=11, color=colour, parse_math=False)


def _verdict(made: Recording) -> str:
    outcome = {"recovered": "the law", "almost": "nearly the law"}.get(made.verdict, "not the law")
    return f"{outcome}, as {WORDS[made.target]}"


def _draw_scatter(ax, moment, target: str) -> None:
    values, expected = moment.values, moment.expected[target]
    limits = []
    for k, (colour, marker) in enumerate(COMPONENTS[: values.shape[1]]):
        middle, spread = np.median(values[:, k]), np.subtract(*np.percentile(values[:, k], [75, 25])) + 1e-9
        ax.plot((expected[:, k] - middle) / spread, (values[:, k] - middle) / spread, marker, color=colour,
                markersize=3, alpha=0.5, linestyle="none", label=f"component {moment.top[k]}")  # fmt: skip
        limits.append(np.percentile(np.abs((values[:, k] - middle) / spread), 95))
    limit = 1.2 * max(limits)
    ax.plot([-limit, limit], [-limit, limit], color=BLACK, linewidth=1, linestyle="-")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), ylabel="message (in its own spread)",
           xlabel=f"best linear function of {WORDS[target]}")  # fmt: skip
    ax.set_title(f"epoch {moment.number}: R² to {WORDS[target]} {moment.r2[target]:.3f}", fontsize=11)
    ax.legend(fontsize=9, loc="upper left")


def _draw_deviations(ax, moment) -> None:
    order = np.sort(moment.deviations)[::-1]
    share = order / max(order[0], 1e-12)
    shown = min(len(order), 30)
    colours = [BLUE if k < len(moment.top) else GREY for k in range(shown)]
    ax.bar(np.arange(1, shown + 1), share[:shown], color=colours)
    ax.set(xlabel="component, sorted" + (f" ({shown} of {len(order)})" if shown < len(order) else ""),
           ylim=(0, 1.05), xlim=(0.3, shown + 0.7))  # fmt: skip
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_title("standard deviation", fontsize=11)


def describe(made: Recording, at: int = -1, target: str = "force") -> str:
    """What the epoch has reached, in words."""
    moment = made.moments[at]
    words = (
        f"Epoch {moment.number} of {made.setup.epochs}, {made.setup.variant} on {made.setup.potential}: R² of the top "
        f"messages to forces {moment.r2['force']:.3f}, to F/m {moment.r2['acceleration']:.3f} (best 90 %); ACPCR "
        f"{moment.acpcr:.2f}; the top two of {len(moment.deviations)} components have {moment.concentration:.0%} of "
        "the variance."
    )
    if made.learned is None or moment is not made.last:
        return words
    return f"{words} Formula of the first message: {made.learned.best().format(3)}; {_verdict(made)}."


def film_panel(setup: Setup) -> Panel:
    """A recorded training, epoch by epoch."""
    made = record(setup)
    last = len(made.moments)
    controls = [
        Slider("epoch", 1, last, 1, last),
        Choice("target", {"the force F": "force", "the acceleration F/m": "acceleration"}, "force",
               label="compare with"),
    ]  # fmt: skip
    return Panel(
        lambda epoch, target: (epoch - 1, target),
        lambda chosen, fig: draw_moment(made, fig, *chosen), controls,
        lambda chosen: describe(made, *chosen), "Messages become forces", (11, 4.6),
    )  # fmt: skip


def forces_run() -> LiveRun:
    """A training with the reader's settings, and the formula at its end."""

    def work(job, potential, variant, loss, relative, alpha, inputs, epochs, seed, formula):
        setup = Setup(potential, variant, loss, relative, float(alpha), inputs, int(epochs), int(seed))

        def watch(made):
            job.report(0.8 * made.last.number / setup.epochs, f"epoch {made.last.number} of {setup.epochs}")
            return job.publish(made)

        made = recording(setup, watch)
        if formula and not job.stopping:
            job.report(0.85, "reading the message")
            made = learn(made)
        job.publish(made)
        return made

    controls = [
        Choice("potential", (*DOCUMENTS, "hidden"), "spring"),
        Choice("variant", VARIANTS, "antisymmetric", label="model"),
        Choice("loss", ("mae", "mse", "huber")),
        Toggle("relative", True, label="loss relative to 1 + |a|"),
        Slider("alpha", 0.001, 1.0, 0.25, 0.01, label="α₁, penalty", log=True),
        Choice("inputs", INPUTS, "log"),
        Slider("epochs", 1, 40, 1, 10),
        Slider("seed", 0, 20, 1, 0),
        Toggle("formula", True, label="read the message at the end"),
    ]
    return LiveRun(
        work, lambda made, fig: draw_moment(made, fig, -1, made.target), controls, describe,
        "A graph network at work", (11, 4.6),
    )  # fmt: skip


# ---------------------------------------------------------------- sparsity, simulators


def draw_components(runs: dict[str, Recording], fig) -> None:
    """Standard deviations of all components over the epochs, for several networks."""
    for ax, (name, made) in zip(np.atleast_1d(fig.subplots(1, len(runs))), runs.items(), strict=True):
        deviations = np.stack([one.deviations for one in made.moments])  # (epochs, components)
        epochs = [one.number for one in made.moments]
        order = np.argsort(-deviations[-1])
        ax.plot(epochs, deviations[:, order[2:]], color=GREY, linewidth=0.7, alpha=0.6, linestyle="-")
        ax.plot(epochs, deviations[:, order[:2]], color=BLUE, linewidth=2.4, linestyle="-", marker="o", markersize=4)
        ax.set(xlabel="epoch", ylabel="standard deviation", ylim=(0, None))
        ax.set_title(f"{name}: the top two have {made.last.concentration:.0%} of the variance", fontsize=11)


def draw_rollout(runs: dict[str, Rollout], fig) -> None:
    """Distances from the truth over time, for several sets of particles."""
    looks = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (ORANGE, ":"))
    axes = np.atleast_1d(fig.subplots(1, len(runs), sharey=True))
    for ax, (name, run) in zip(axes, runs.items(), strict=True):
        errors: pd.DataFrame = run.errors
        for (colour, line), column in zip(looks, errors.columns, strict=False):
            ax.plot(errors.index[1:], errors[column].to_numpy()[1:], color=colour, linestyle=line, label=column)
        ax.set(xlabel="time", yscale="log")
        ax.set_title(name, fontsize=12)
    axes[0].set_ylabel("distance from the truth (median)")
    axes[-1].legend(fontsize=10, loc="lower right")
