"""Lesson 03: the pictures of equation learners: a graph that thins out, a live run, and success counted over starts.

The trainings are in :mod:`.learner`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import torch

from srlib.eql import Architecture
from srlib.eql.extraction import used_weights

from ..controls import Choice, Slider
from ..live import LiveRun
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from .learner import FITS, FUNCTIONS, SYMBOLS, TRIALS, Outcome, Recording, Setup, diagonal, record, recordings, spell

__all__ = ["draw_frames", "draw_network", "draw_recording", "draw_strip", "film_panel", "learner_run"]


def draw_network(
    ax,
    architecture: Architecture,
    weights: np.ndarray,
    names: Sequence[str],
    threshold: float = 0.0,
    letters: float = 10,
) -> None:
    """The network as a graph: a line for each weight, as thick and dark as the weight is large.

    Blue weights are positive, red ones (dashed) negative; grey ones lead to no output, or come from nothing.
    ``letters`` is the size of the units' names in points.
    """
    from matplotlib.collections import LineCollection

    alive = np.abs(weights) > threshold
    used = used_weights(architecture, alive)
    columns = [_heights(architecture.features)] + [_heights(architecture.width)] * architecture.layers + [[0.5]]
    owner = np.empty(architecture.shapes[0][1], int)  # the unit that an argument belongs to
    beside = np.zeros(architecture.shapes[0][1])  # the two arguments of a product end a little apart
    for unit in range(architecture.width):
        at_unit = list(architecture.arguments(unit)[1])
        owner[at_unit] = unit
        if len(at_unit) == 2:
            beside[at_unit] = 0.018, -0.018
    lines = []  # strength, ends, width, colour, style
    touched = [set() for _ in columns]
    at = 0
    for layer, (n, m) in enumerate(architecture.shapes):
        for row, column in np.ndindex(n, m):
            w, there, matters = weights[at], alive[at], used[at]
            at += 1
            if not there:
                continue
            to, aside = (0, 0.0) if layer == architecture.layers else (owner[column], beside[column])
            ends = (layer, columns[layer][row]), (layer + 1, columns[layer + 1][to] + aside)
            strong = min(abs(float(w)), 1.0) if matters else 0.0
            hue = (VERMILLION if w < 0 else BLUE) if matters else GREY
            lines.append((strong, ends, 0.5 + 3.1 * strong, _towards_white(hue, strong), "--" if w < 0 else "-"))
            if matters:
                touched[layer].add(row)
                touched[layer + 1].add(to)
    if lines:  # the strong ones over the faint ones
        _, ends, widths, colours, styles = zip(*sorted(lines, key=lambda line: line[0]), strict=True)
        ax.add_collection(LineCollection(ends, linewidths=widths, colors=colours, linestyles=styles, zorder=1))
    labels = [list(names), *[_unit_labels(architecture)] * architecture.layers, ["f"]]
    for layer, (heights, words) in enumerate(zip(columns, labels, strict=True)):
        for unit, (height, word) in enumerate(zip(heights, words, strict=True)):
            lit = unit in touched[layer]
            colour = BLACK if lit else "#B0B0B0"
            ax.text(
                layer, height, word, ha="center", va="center", fontsize=letters, color=colour, zorder=3,
                bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour, "linewidth": 1.2},
            )  # fmt: skip
    ax.set(xlim=(-0.25, architecture.layers + 1.25), ylim=(-0.06, 1.06))
    ax.axis("off")


def _heights(count: int) -> list[float]:
    return list(np.linspace(1, 0, count)) if count > 2 else list(np.linspace(0.7, 0.3, count)) if count == 2 else [0.5]


def _unit_labels(architecture: Architecture) -> list[str]:
    return [SYMBOLS.get(unit.name, unit.name) for unit, copies in architecture.units for _ in range(copies)]


def _towards_white(colour: str, strength: float):
    """The colour of a weight, fainter in eight steps; opaque, so that a picture has few colours and a small file."""
    from matplotlib.colors import to_rgb

    share = 0.15 + 0.85 * round(8 * strength) / 8
    return tuple(1 - share * (1 - part) for part in to_rgb(colour))


def _draw_errors(ax, made: Recording, trial: int, moment: int | None = None) -> None:
    """The errors of all trials by step, one of them in front, and where the phases end."""
    errors = np.array(made.errors)  # (moments, trials)
    ax.plot(made.steps, errors, color=GREY, linewidth=0.7, alpha=0.5, linestyle="-")
    ax.plot(made.steps, errors[:, trial], color=VERMILLION, linewidth=2.2, linestyle="-")
    ends = np.cumsum([phase.steps for phase in made.setup.phases])
    for end in ends[:-1]:
        ax.axvline(end, color=GREY, linewidth=1, linestyle=":")
    if moment is not None:
        ax.plot(made.steps[moment], errors[moment, trial], "o", color=VERMILLION, markersize=9)
    ax.set(yscale="log", xlabel="step", ylabel="error / spread", xlim=(0, ends[-1]), ylim=(1e-3, 10))


def _parts(fig, bottom: float):
    """Place axes by hand, so that the network does not move while its formula changes."""
    fig.figure.set_layout_engine("none")
    return fig.add_axes((0.01, bottom, 0.50, 0.90 - bottom))


# ---------------------------------------------------------------- the film


def film_panel(setup: Setup | None = None) -> Panel:
    """The network of any trial at any moment of its training, and the formula that it spells."""
    made = record(setup or Setup())
    last = len(made.steps) - 1

    def draw(place, fig):
        moment, trial = place
        ax = _parts(fig, 0.11)
        draw_network(ax, made.architecture, made.weights[moment][trial], made.problem.names, made.setup.threshold)
        ax.set_title(f"step {made.steps[moment]}: {made.active(moment, trial)} weights that matter", fontsize=12)
        right = fig.add_axes((0.63, 0.26, 0.35, 0.62))
        _draw_errors(right, made, trial, moment)
        right.set_title("errors of all starts; dotted: next phase", fontsize=11)
        fig.text(0.02, 0.035, "f = " + made.formula(moment, trial, 105), fontsize=11, parse_math=False)

    def describe(place):
        moment, trial = place
        return (
            f"Start {trial} after {made.steps[moment]} steps: error {made.errors[moment][trial]:.2g} of the spread, "
            f"f = {made.formula(moment, trial)}."
        )

    controls = [
        Slider("moment", 0, last, 1, last, label="moment of the training"),
        Slider("start", 0, made.setup.trials - 1, 1, made.outcome.best, label="which start"),
    ]
    return Panel(lambda moment, start: (moment, start), draw, controls, describe, "The network thins out", (10.5, 5.4))


def draw_frames(made: Recording, trial: int, moments: Sequence[int], fig) -> None:
    """The network of one trial at some moments, each with what it spells: the film on paper."""
    fig.figure.set_layout_engine("none")
    columns = 3
    rows = -(-len(moments) // columns)
    for place, moment in enumerate(moments):
        row, column = divmod(place, columns)
        bottom = 1 - (row + 1) / rows
        ax = fig.add_axes((column / columns + 0.005, bottom + 0.19 / rows, 0.98 / columns, 0.72 / rows))
        network = made.architecture, made.weights[moment][trial], made.problem.names, made.setup.threshold
        draw_network(ax, *network, letters=7.5)
        ax.set_title(f"step {made.steps[moment]}: {made.active(moment, trial)} weights", fontsize=11)
        words = fill(made.formula(moment, trial, 88), 46)
        fig.text(
            column / columns + 0.02, bottom + 0.15 / rows, words, fontsize=9, va="top", parse_math=False,
            color=VERMILLION,
        )  # fmt: skip


# ---------------------------------------------------------------- the live run


def draw_recording(made: Recording, fig) -> None:
    """The best network so far, all errors, the formula beyond the data, and the outcome of each start."""
    trial = int(np.nanargmin(made.errors[-1])) if made.outcome is None else made.outcome.best
    weights = made.weights[-1] if made.outcome is None else made.outcome.weights
    threshold = made.setup.threshold if made.outcome is None else 0.0
    ax = _parts(fig, 0.17)
    draw_network(ax, made.architecture, weights[trial], made.problem.names, threshold)
    ax.set_title(f"start {trial}, step {made.steps[-1]}", fontsize=12)
    _draw_errors(top := fig.add_axes((0.60, 0.63, 0.38, 0.29)), made, trial)
    top.set_title("errors of all starts", fontsize=11)
    _draw_beyond(fig.add_axes((0.60, 0.19, 0.38, 0.29)), made, weights[trial])
    formula = spell(made.architecture, weights[trial], threshold, made.problem.names, 100)
    if made.outcome is None:
        words = "training …"
    else:
        count = int(made.outcome.recovered.sum())
        words = f"after least squares: {count} of {made.setup.trials} starts recover the law; the best one's formula:"
    fig.text(0.02, 0.075, words, fontsize=11, color="#555555")
    fig.text(0.02, 0.025, f"f = {formula}", fontsize=12, parse_math=False, color=VERMILLION)


def _draw_beyond(ax, made: Recording, weights: np.ndarray) -> None:
    """Law and network along the diagonal."""
    from srlib.eql.network import forward

    places, X = diagonal(made.problem)
    with np.errstate(all="ignore"):
        truth = made.problem.truth.evaluate(X)
        matrices = made.architecture.matrices(torch.from_numpy(weights[None].copy()))
        values = forward(made.architecture, matrices, torch.from_numpy(X.T.copy()))[0].numpy()[0]
    ax.axvspan(-1, 1, color=ORANGE, alpha=0.15, linewidth=0)
    ax.plot(places, truth, color=BLACK, linewidth=3.5, alpha=0.35, linestyle="-", label="law")
    ax.plot(places, values, color=VERMILLION, linestyle="--", label="network")
    room = max(float(np.ptp(truth)), 1e-9)
    ax.set(xlabel="all columns equal; data in the shade", ylim=(truth.min() - 0.4 * room, truth.max() + 0.4 * room))
    ax.legend(fontsize=9, loc="best")


def _describe(made: Recording) -> str:
    if made.outcome is None:
        return f"Step {made.steps[-1]}: the lowest error is {np.nanmin(made.errors[-1]):.2g} of the spread."
    best, found = made.outcome.best, int(made.outcome.recovered.sum())
    formula = spell(made.architecture, made.outcome.weights[best], 0.0, made.problem.names)
    return f"{found} of {made.setup.trials} starts recover the law. The best one's formula: {formula}."


def learner_run() -> LiveRun:
    """Twenty networks trained at once, with the reader's function, penalty, strength, threshold and depth."""

    def work(job, function, penalty, strength, threshold, layers):
        setup = Setup(function, penalty, float(strength), float(threshold), int(layers))
        total = sum(phase.steps for phase in setup.phases)
        for number, made in enumerate(recordings(setup)):
            job.report(made.steps[-1] / total, f"step {made.steps[-1]} of {total}")
            if number % 5 == 0 or made.outcome is not None:
                yield made

    controls = [
        Choice("function", FUNCTIONS, "target", label="function"),
        Choice("penalty", {"smoothed L0.5": "L0.5", "L1": "L1", "relaxed L0": "L0"}, "L0.5", label="penalty"),
        Slider("strength", 1e-5, 0.3, 0.25, 5e-3, label="strength λ", log=True),
        Slider("threshold", 1e-3, 0.3, 0.25, 0.02, label="threshold", log=True),
        Slider("layers", 1, 3, 1, 2, label="hidden layers"),
    ]
    return LiveRun(work, draw_recording, controls, _describe, "Twenty networks at work", (10.5, 6.4))


# ---------------------------------------------------------------- success over starts


def draw_strip(outcomes: Mapping[str, Outcome], fig) -> None:
    """A row of squares for each setup, one for each start: the law, a good fit that is not the law, or neither."""
    ax = fig.subplots()
    for row, outcome in enumerate(outcomes.values()):
        for start, (found, inside) in enumerate(zip(outcome.recovered, outcome.inside, strict=True)):
            colour, sign = (GREEN, "✓") if found else (ORANGE, "~") if inside < FITS else ("#D0D0D0", "×")
            ax.add_patch(_square(start, row, colour))
            ax.text(start, row, sign, ha="center", va="center", fontsize=11, color=BLACK)
        words = f"{int(outcome.recovered.sum())} ({np.median(outcome.active):.0f})"
        ax.text(len(outcome.recovered), row, words, va="center", fontsize=12)
    ax.set_yticks(range(len(outcomes)), outcomes)
    ax.set_xticks(range(0, TRIALS, 5))
    ax.set(xlim=(-0.6, 22.5), ylim=(len(outcomes) - 0.4, -0.6), xlabel="start")
    words = "✓ the law    ~ fits inside, is not the law    × neither    right: laws (median of weights)"
    ax.set_title(words, fontsize=11)
    ax.grid(visible=False)


def _square(x: float, y: float, colour: str):
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.45, y - 0.42), 0.9, 0.84, facecolor=colour, edgecolor="white")
