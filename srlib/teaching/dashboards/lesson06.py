"""Lesson 06: who teaches whom, a network at work on Burgers' equation, and its shock at any time.

The trainings are in :mod:`.pinns`.
"""

from __future__ import annotations

import numpy as np

from ..controls import Choice, Slider, Toggle
from ..live import LiveRun
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from .pictures import still
from .pinns import REACH, Setup, Solving, exact, fitted_front, record, teach

__all__ = [
    "burgers_run", "draw_losses", "draw_moment", "draw_school", "draw_shocks", "film_panel", "still", "time_panel",
]  # fmt: skip

LATE = 0.75  # the time at which the shock is shown beside the map
DARKEST, FAINTEST = 1.0, -3.0  # decades of the residual that the map tells apart


# ---------------------------------------------------------------- who teaches whom


def draw_school(ax) -> None:
    """The way from an equation to a formula and back, as boxes and arrows."""
    boxes = (
        (0.0, "differential\nequation and\nconditions", BLACK), (1.0, "teacher:\na network,\nPINN", BLUE),
        (2.0, "questions and\nanswers,\na table", GREY), (3.0, "student:\nsymbolic\nregression", ORANGE),
        (4.0, "formula", GREEN),
    )  # fmt: skip
    for x, words, colour in boxes:
        ax.text(x, 0.62, words, ha="center", va="center", fontsize=12, bbox={
            "boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": colour, "linewidth": 2.2})  # fmt: skip
    for x, words in ((0.5, "trains"), (1.5, "is asked"), (2.5, "train"), (3.5, "finds")):
        ax.annotate("", (x + 0.12, 0.62), (x - 0.12, 0.62), arrowprops={"arrowstyle": "-|>", "linewidth": 1.6})
        ax.text(x, 0.88, words, ha="center", fontsize=11, color="#444444")
    back = {"arrowstyle": "-|>", "linewidth": 1.8, "color": VERMILLION, "connectionstyle": "arc3,rad=-0.16"}
    ax.annotate("", (0.0, 0.36), (4.0, 0.5), arrowprops=back)
    ax.text(2.0, -0.02, "is put into the equation: is it the solution?", ha="center", fontsize=12, color=VERMILLION)
    ax.set(xlim=(-0.55, 4.5), ylim=(-0.12, 1.05))
    ax.axis("off")


def draw_losses(trainings, ax) -> None:
    """Losses of several trainings by evaluations of the loss; ``trainings`` maps a label to a PINN."""
    looks = ((GREY, "-"), (BLUE, "--"), (VERMILLION, "-"))
    for (label, pinn), (colour, line) in zip(trainings.items(), looks, strict=True):
        evaluations, _, losses = zip(*pinn.history, strict=True)
        ax.plot(evaluations, losses, color=colour, linestyle=line, label=label)
    ax.set(yscale="log", xlabel="evaluations of the loss and its gradient", ylabel="loss")
    ax.legend(fontsize=11)


# ---------------------------------------------------------------- a training


def draw_moment(made: Solving, fig, at: int = -1) -> None:
    """The residual with the points, the solution late, and the error up to now."""
    fig.figure.set_layout_engine("none")
    moment = made.moments[at]
    _draw_map(fig, fig.add_axes((0.085, 0.14, 0.385, 0.75)), made, moment)
    right = fig.add_axes((0.66, 0.58, 0.32, 0.31))
    x = np.linspace(-1, 1, 401)
    right.plot(x, exact(made.setup.nu, LATE, x), color=GREY, linewidth=4, linestyle="-", alpha=0.6, label="exact")
    right.plot(x, moment.pinn.at(t=LATE)(x), color=BLUE, linestyle="--", label="network")
    right.set(xlabel="x", ylim=(-1.25, 1.25), yticks=(-1, 0, 1))
    right.set_title(f"u at t = {LATE}", fontsize=12)
    right.legend(fontsize=10, loc="upper right")
    below = fig.add_axes((0.66, 0.14, 0.32, 0.27))
    steps = [one.number for one in made.moments]
    below.plot(steps, [one.error for one in made.moments], color=BLUE, linestyle="-", label="relative error")
    below.plot(steps, [one.loss for one in made.moments], color=ORANGE, linestyle="--", label="loss")
    below.axvline(made.setup.adam, color=GREY, linewidth=1, linestyle=":")
    below.axvline(moment.number, color=VERMILLION, linewidth=1.2)
    low = min(one.loss for one in made.moments)
    below.set(yscale="log", xlabel="step (dotted: Adam ends)", xlim=(0, made.setup.total), ylim=(0.3 * low, 30))
    below.legend(fontsize=9, loc="upper right", ncols=2)


def _draw_map(fig, ax, made: Solving, moment) -> None:
    known = made.reference
    size = np.log10(np.abs(moment.residual) + 1e-12)
    levels = np.linspace(FAINTEST, DARKEST, 9)  # few shades: a small file
    shades = ax.contourf(known.t, known.x, np.clip(size, FAINTEST, DARKEST), levels, cmap="cividis", extend="both")
    ax.plot(moment.points[:, 1], moment.points[:, 0], ".", color="white", markersize=2.2, alpha=0.8, linestyle="none")
    bar = fig.colorbar(shades, cax=fig.add_axes((0.485, 0.14, 0.014, 0.75)), ticks=[-3, -2, -1, 0, 1])
    bar.ax.set_yticklabels(["0.001", "0.01", "0.1", "1", "10"], fontsize=10)
    ax.set(xlabel="t", ylabel="x", xlim=(0, known.t[-1]), ylim=(-1, 1))
    ax.grid(False)
    ax.set_title(f"|residual| and the {len(moment.points)} points, step {moment.number}", fontsize=12)


def describe(made: Solving, at: int = -1) -> str:
    """Loss, error, and where the points are."""
    moment = made.moments[at]
    near = np.mean(np.abs(moment.points[:, 0]) < 0.1)
    return (
        f"Step {moment.number} ({moment.phase}): the loss is {moment.loss:.1e}, the relative error {moment.error:.2g}; "
        f"{near:.0%} of the points have |x| < 0.1, where the shock is."
    )


def film_panel(setup: Setup | None = None) -> Panel:
    """A recorded training, moment by moment."""
    made = record(setup or Setup())
    last = len(made.moments) - 1
    return Panel(
        lambda moment: moment, lambda moment, fig: draw_moment(made, fig, moment),
        [Slider("moment", 0, last, 1, last, label="moment")], lambda moment: describe(made, moment),
        "The residual while the network learns", (10.5, 4.8),
    )  # fmt: skip


def burgers_run() -> LiveRun:
    """A training with the reader's settings."""

    def work(job, viscosity, width, layers, points, weight, refine, optimiser, iterations, seed):
        setup = Setup(float(viscosity), int(width), int(layers), int(points), float(weight), bool(refine), optimiser,
                      iterations=int(iterations), seed=int(seed))  # fmt: skip

        def watch(made: Solving) -> bool:
            job.report(made.last.number / setup.total, f"step {made.last.number} of {setup.total}")
            return job.publish(made)

        return teach(setup, watch)

    usual = Setup()
    controls = [
        Slider("viscosity", 1.0, 10.0, 0.5, usual.viscosity, label="viscosity, 0.01/π"),
        Slider("width", 4, 40, 4, usual.width, label="width"),
        Slider("layers", 1, 6, 1, usual.layers, label="hidden layers"),
        Slider("points", 50, 2000, 50, usual.points, label="points"),
        Slider("weight", 0.01, 100.0, 0.5, usual.weight, label="conditions' weight", log=True),
        Toggle("refine", usual.refine, label="points follow residual"),
        Choice("optimiser", {"BFGS": "bfgs", "L-BFGS": "lbfgs", "Adam alone": ""}, usual.optimiser,
               label="after Adam"),
        Slider("iterations", 50, 1500, 50, usual.iterations, label="iterations"),
        Slider("seed", 0, 20, 1, 0, label="seed"),
    ]  # fmt: skip
    return LiveRun(work, draw_moment, controls, describe, "A network at work on Burgers' equation", (10.5, 4.8))


# ---------------------------------------------------------------- the solution at a time


def time_panel(setup: Setup | None = None) -> Panel:
    """Network, exact solution and the front's formula at any time."""
    made = record(setup or Setup())
    pinn, nu = made.last.pinn, made.setup.nu

    def compute(t):
        return float(t), fitted_front(pinn.at(t=float(t)))

    def draw(result, fig):
        t, front = result
        for ax, x, words in zip(fig.subplots(1, 2), (np.linspace(-1, 1, 401), np.linspace(-REACH, REACH, 201)),
                                (f"u at t = {t:.2f}", "near x = 0"), strict=True):  # fmt: skip
            ax.plot(x, exact(nu, t, x), color=GREY, linewidth=5, alpha=0.6, linestyle="-", label="exact")
            ax.plot(x, pinn.at(t=t)(x), color=BLUE, linestyle="--", label="network")
            ax.plot(x, front(x), color=VERMILLION, linestyle=":", linewidth=2.6, label="formula")
            ax.set(xlabel="x", ylabel="u", ylim=(-1.3, 1.3), xlim=(x[0], x[-1]))
            ax.set_title(words, fontsize=13)
        fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=11)

    def sentence(result):
        t, front = result
        return (
            f"At t = {t:.2f} the nearest front to the network has A = {front.A:.2f} and k = {front.k:.0f}; A/(2ν) is "
            f"{front.A / (2 * nu):.0f}. It misses the network by {front.left:.1g} at most for |x| < {REACH}."
        )

    return Panel(compute, draw, [Slider("t", 0.0, 0.99, 0.01, 0.75, label="time t")], sentence,
                 "Through the solution in time", (10.5, 4.0))  # fmt: skip


def draw_shocks(made: Solving, ax, times) -> list[tuple[float, float, float]]:
    """k against A/(2ν) of the network's front and the exact one's; returns t, A and k of the network's."""
    nu, rows = made.setup.nu, []
    for label, colour, marker, solution in (
        ("exact solution", GREY, "o", lambda t: lambda x: exact(nu, t, x)),
        ("network", BLUE, "x", lambda t: made.last.pinn.at(t=t)),
    ):
        fronts = [fitted_front(solution(t)) for t in times]
        ax.plot([f.A / (2 * nu) for f in fronts], [f.k for f in fronts], marker, color=colour, markersize=9,
                linestyle="none", label=label)  # fmt: skip
        rows = [(t, f.A, f.k) for t, f in zip(times, fronts, strict=True)]
    ends = [0.95 * min(ax.get_xlim()[0], ax.get_ylim()[0]), 1.05 * max(ax.get_xlim()[1], ax.get_ylim()[1])]
    ax.plot(ends, ends, color=BLACK, linewidth=1, linestyle="-", label="k = A/(2ν)")
    ax.set(xlabel="A/(2ν)", ylabel="k")
    ax.legend(fontsize=11)
    return rows
