"""Lesson 05: the pictures of GMEQL: a network whose edges are as dark as they are likely, a live run, ablations.

The trainings are in :mod:`.sampler`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from srlib.gmeql import Architecture, Graph, graph

from ..controls import Choice, Slider, Toggle
from ..live import LiveRun
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from .pictures import cut
from .sampler import TOTAL, WAYS, Recording, Setup, record, recordings

__all__ = ["draw_ablation", "draw_graph", "draw_instance", "draw_moment", "film_panel", "sampler_run"]

WORDS = {"identity": "id", "square": "sq", "plus": "+", "times": "×", "division": "/", "output": "f"}


def draw_graph(ax, network: Graph, letters: float = 11) -> None:
    """The network: an edge as dark as it is likely; those of the given instance are red and dashed."""
    from matplotlib.collections import LineCollection

    places = [_heights(len(labels)) for labels in network.labels]
    inputs = {}  # of a node, its rows: two inputs of one node end a little apart
    for edge in network.edges:
        inputs.setdefault((edge.layer, edge.target), {}).setdefault(edge.row, None)
    lines, marked, lit = [], [], {(len(places) - 1, 0)}
    for edge in network.edges:
        rows = list(inputs[edge.layer, edge.target])
        aside = 0.0 if len(rows) == 1 else 0.03 * (1 - 2 * rows.index(edge.row) / (len(rows) - 1))
        start = edge.layer - 1, places[edge.layer - 1][edge.source]
        ends = start, (edge.layer, places[edge.layer][edge.target] + aside)
        lines.append((edge.probability, ends))
        if edge.chosen:
            marked.append(ends)
            lit |= {(edge.layer - 1, edge.source), (edge.layer, edge.target)}
    lines.sort(key=lambda line: line[0])  # the likely ones over the others
    shades = [_shade(probability) for probability, _ in lines]
    widths = [0.5 + 3.5 * probability for probability, _ in lines]
    ax.add_collection(LineCollection([ends for _, ends in lines], colors=shades, linewidths=widths, zorder=1))
    if marked:
        ax.add_collection(LineCollection(marked, colors=VERMILLION, linewidths=1.8, linestyles="--", zorder=2))
    for layer, labels in enumerate(network.labels):
        for node, label in enumerate(labels):
            colour = BLACK if not marked or (layer, node) in lit else "#A0A0A0"
            ax.text(
                layer, places[layer][node], WORDS.get(label, label), ha="center", va="center", fontsize=letters,
                color=colour, zorder=3,
                bbox={"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": colour, "linewidth": 1.2},
            )  # fmt: skip
    ax.set(xlim=(-0.3, len(places) - 0.7), ylim=(-0.1, 1.1))
    ax.axis("off")


def _heights(count: int) -> np.ndarray:
    return np.array([0.5]) if count == 1 else np.linspace(1, 0, count) if count > 2 else np.array([0.75, 0.25])


def _shade(probability: float):
    """Blue towards white in ten steps: opaque, so that a picture has few colours and a small file."""
    from matplotlib.colors import to_rgb

    share = 0.06 + 0.94 * round(10 * probability) / 10
    return tuple(1 - share * (1 - part) for part in to_rgb(BLUE))


def draw_instance(ax, architecture: Architecture, edges: np.ndarray, names: Sequence[str], weights=None) -> None:
    """One hard instance alone: only its edges that lead to the output, with weights beside them if given."""
    none = np.zeros((architecture.rows, architecture.widest))
    network = graph(architecture, none, edges, names)
    draw_graph(ax, network)
    if weights is None:
        return
    places = [_heights(len(labels)) for labels in network.labels]
    for edge in network.edges:
        if edge.chosen:
            x, share = edge.layer - 0.3, 0.7  # nearer to the end: lines cross in the middle
            y = (1 - share) * places[edge.layer - 1][edge.source] + share * places[edge.layer][edge.target]
            ax.text(x, y, f"{weights[edge.row]:g}", fontsize=10, color=VERMILLION, ha="center", va="center", zorder=4,
                    bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"})  # fmt: skip


# ---------------------------------------------------------------- a training


def draw_moment(made: Recording, fig, at: int = -1) -> None:
    """The network, the errors up to now, and the best elites."""
    fig.figure.set_layout_engine("none")
    moment = made.moments[at]
    ax = fig.add_axes((0.01, 0.34, 0.47, 0.57))
    draw_graph(ax, graph(made.architecture, moment.probabilities, moment.edges, made.problem.names))
    ax.set_title(f"step {moment.step}, stage {moment.stage}: dark = likely, red = best elite", fontsize=11)
    _draw_errors(fig.add_axes((0.58, 0.46, 0.40, 0.45)), made, moment)
    fig.text(0.02, 0.275, "the best elites: error, formula", fontsize=11, color="#555555")
    for row, (error, formula) in enumerate(moment.elites[:5]):
        words = f"{error:8.2g}   {cut(formula, 88)}"
        fig.text(0.02, 0.225 - 0.042 * row, words, fontsize=10, family="monospace", parse_math=False)
    if made.outcome is not None and moment is made.last:
        found = made.outcome.verdict == "recovered"
        words = f"after least squares, {'the law' if found else 'not the law'}: "
        words += f"{cut(made.outcome.expression.format(3), 66)}   error {made.outcome.error:.1g}"
        fig.text(0.02, 0.012, words, fontsize=11, parse_math=False, color=GREEN if found else VERMILLION)


def _draw_errors(ax, made: Recording, now) -> None:
    steps = [moment.step for moment in made.moments]
    curves = (("typical sample", [m.typical for m in made.moments], GREY, ":"),
              ("best one, made one-hot", [m.hard for m in made.moments], ORANGE, "--"),
              ("best in the repository", [m.best for m in made.moments], BLUE, "-"))  # fmt: skip
    for label, values, colour, line in curves:
        ax.plot(steps, np.maximum(values, 1e-12), color=colour, linestyle=line, label=label)
    ax.axhline(_constant(made), color=BLACK, linewidth=1, linestyle="-.", label="a constant")
    ends = made.setup.settings.rounds * made.setup.settings.steps
    if ends:
        ax.axvline(ends, color=GREY, linewidth=1)
    ax.axvline(now.step, color=VERMILLION, linewidth=1.2, linestyle="--")
    low = min(0.05, *(max(m.best, 1e-12) for m in made.moments))
    ax.set(yscale="log", xlabel="step (grey line: stage 2 begins)", ylabel="mean absolute error",
           ylim=(0.6 * low, 60 if low > 1e-3 else 1e4), xlim=(0, made.setup.settings.total))  # fmt: skip
    ax.legend(fontsize=9, loc="upper right", ncols=2)


def _constant(made: Recording) -> float:
    y = made.problem.y[:100]
    return float(np.mean(np.abs(y - np.median(y))))


def describe(made: Recording, at: int = -1) -> str:
    """Errors in words, and the outcome if there is one."""
    moment = made.moments[at]
    words = (
        f"Step {moment.step}: the lowest error in the repository is {moment.best:.2g}, the same network made one-hot "
        f"has {moment.hard:.2g}."
    )
    if made.outcome is None or moment is not made.last:
        return words
    verdict = "the law" if made.outcome.verdict == "recovered" else "not the law"
    return f"{words} After refitting all elites the best formula has {made.outcome.error:.1g} and is {verdict}."


def film_panel(setup: Setup | None = None) -> Panel:
    """A recorded training, moment by moment."""
    made = record(setup or Setup())
    last = len(made.moments) - 1
    controls = [Slider("moment", 0, last, 1, last, label="moment")]
    return Panel(
        lambda moment: moment, lambda moment, fig: draw_moment(made, fig, moment), controls,
        lambda moment: describe(made, moment), "The structure sharpens", (10.5, 5.8),
    )  # fmt: skip


def sampler_run() -> LiveRun:
    """A training with the reader's settings."""

    def work(job, way, temperature, instances, resampled, repository, stage1, offline, seed):
        setup = Setup(way, float(temperature), int(instances), float(resampled), bool(stage1), offline or None,
                      int(repository), int(seed))  # fmt: skip
        for made in recordings(setup):
            job.report(made.last.step / TOTAL, f"step {made.last.step} of {TOTAL}")
            yield made

    rules = {"equation 7": "density", "equation 11": "match", "none": ""}
    controls = [
        Choice("way", WAYS, "soft", label="samples"),
        Slider("temperature", 0.05, 10.0, 0.1, 2 / 3, label="temperature λ", log=True),
        Slider("instances", 5, 80, 5, 40, label="samples a step, p"),
        Slider("resampled", 0.1, 1.0, 0.1, 0.2, label="share drawn anew"),
        Slider("repository", 10, 400, 10, 100, label="repository size"),
        Toggle("stage1", True, label="stage 1"),
        Choice("offline", rules, "density", label="offline training"),
        Slider("seed", 0, 20, 1, 0, label="seed"),
    ]
    return LiveRun(work, draw_moment, controls, describe, "GMEQL at work on b6", (10.5, 5.8))


# ---------------------------------------------------------------- ablations


def draw_ablation(runs: Mapping[str, Sequence[Recording]], fig) -> None:
    """For each variant and seed three errors: of the best mixture, of the same made one-hot, after refitting."""
    ax = fig.subplots()
    looks = ((-0.2, BLUE, "o", "best in the repository"), (0.0, ORANGE, "^", "the same, made one-hot"),
             (0.2, GREEN, "s", "best formula, refitted"))  # fmt: skip
    first = next(iter(runs.values()))[0]
    for row, recordings_ in enumerate(runs.values()):
        errors = np.array([(made.last.best, made.last.hard, made.outcome.error) for made in recordings_])
        for (shift, colour, marker, label), column in zip(looks, errors.T, strict=True):
            ax.plot(np.maximum(column, 1e-12), np.full(len(column), row + shift), marker, color=colour, markersize=7,
                    alpha=0.75, linestyle="none", label=label if row == 0 else None)  # fmt: skip
        won = sum(made.outcome.verdict == "recovered" for made in recordings_)
        ranks = ", ".join(str(made.outcome.rank or "-") for made in recordings_)
        ax.text(4, row, f"{won} of {len(recordings_)}   ({ranks})", va="center", fontsize=11)
    ax.axvline(_constant(first), color=BLACK, linewidth=1, linestyle="-.", label="a constant")
    ax.set_yticks(range(len(runs)), runs)
    ax.set(xscale="log", xlim=(4e-13, 4e4), ylim=(len(runs) - 0.5, -1.35), xlabel="mean absolute error")
    ax.set_xticks([1e-12, 1e-9, 1e-6, 1e-3, 1])
    ax.text(4, -0.85, "law (ranks of its structure)", fontsize=11)
    ax.legend(fontsize=10, loc="upper left", ncols=2)
