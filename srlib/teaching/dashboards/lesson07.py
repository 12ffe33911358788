"""Lesson 07: particles in motion, a message on its way through the network, and the rotator of messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from srlib.distill.gnn import POTENTIALS, Trajectories, energies, simulate
from srlib.distill.gnn.graphs import edges
from srlib.distill.gnn.messages import fit_trimmed

from ..controls import Choice, Slider
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION
from .forces import Recording, Setup, data, record
from .forces_panels import WORDS
from .pictures import still

__all__ = [
    "Motion", "add_play", "compute_motion", "follow_panel", "motion_panel", "rotated", "rotator_panel", "still",
]  # fmt: skip

COLOURS, MARKERS = (BLUE, VERMILLION, GREEN, PURPLE), ("o", "s", "^", "D")
FRAMES = 100
SEEN = 600  # messages that the rotator shows
PARTS = {"1 part": 1, "4 parts": 4, "8 parts": 8}

# ---------------------------------------------------------------- particles in motion


@dataclass(frozen=True)
class Motion:
    """A simulation up to one of its frames.

    Attributes
    ----------
    potential : str
    frame : int
    times : ndarray, shape (100,)
    x : ndarray, shape (100, n, 2)
    m, q : ndarray, shape (n,)
    kinetic, pair : ndarray, shape (100,)
        Energies.
    drift : float
        Of the whole simulation.
    """

    potential: str
    frame: int
    times: np.ndarray = field(repr=False)
    x: np.ndarray = field(repr=False)
    m: np.ndarray = field(repr=False)
    q: np.ndarray = field(repr=False)
    kinetic: np.ndarray = field(repr=False)
    pair: np.ndarray = field(repr=False)
    drift: float


@lru_cache(maxsize=32)
def _moved(potential: str, particles: int, parts: int, seed: int) -> tuple[Trajectories, np.ndarray, np.ndarray]:
    run = simulate(potential, 1, particles, substeps=parts, random_state=(70, seed))
    frames = len(run.times)
    q, m = (np.repeat(one, frames, axis=0) for one in (run.start.q, run.start.m))
    return run, *energies(potential, run.x[0], run.v[0], q, m)


def compute_motion(
    potential: str = "spring", particles: int = 4, parts: int = 4, seed: int = 1, frame: int = FRAMES
) -> Motion:
    """A few particles under a potential; each step of the original's size is done in ``parts`` parts."""
    run, kinetic, pair = _moved(potential, int(particles), int(parts), int(seed))
    start = run.start
    return Motion(
        potential, int(frame), run.times, run.x[0], start.m[0], start.q[0], kinetic, pair, float(run.drift[0])
    )  # fmt: skip


def draw_motion(result: Motion, fig) -> None:
    """Where the particles are and were, and what became of the energy."""
    left, right = fig.subplots(1, 2, width_ratios=(1.1, 1))
    upto = slice(0, result.frame)
    for k in range(result.x.shape[1]):
        colour, marker = COLOURS[k % 4], MARKERS[k % 4]
        left.plot(*result.x[upto, k].T, color=colour, linewidth=1.3, alpha=0.7, linestyle="-")
        left.plot(*result.x[result.frame - 1, k], marker, color=colour, markersize=6 + 5 * result.m[k] ** 0.5,
                  markeredgecolor="white")  # fmt: skip
    middle, reach = result.x.mean(axis=(0, 1)), np.percentile(np.abs(result.x - result.x.mean(axis=(0, 1))), 97) + 0.5
    left.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach), aspect="equal",
             xlabel="x (large marks: heavy particles)", ylabel="y")  # fmt: skip
    left.set_title(f"{result.potential}, time {result.times[result.frame - 1]:.2f}", fontsize=12)
    curves = (("kinetic", result.kinetic, ORANGE, "--"), ("potential", result.pair, BLUE, ":"),
              ("total", result.kinetic + result.pair, BLACK, "-"))  # fmt: skip
    for label, values, colour, line in curves:
        right.plot(result.times[upto], values[upto], color=colour, linestyle=line, label=label)
    low, high = min(result.pair.min(), 0), (result.kinetic + result.pair).max()
    low, high = min(low, result.kinetic.min()), max(high, result.kinetic.max(), result.pair.max())
    right.set(xlabel="time", ylabel="energy", xlim=(0, result.times[-1]), ylim=(low, high + 0.3 * (high - low)))
    right.set_title(f"energy drift {result.drift:.1e}", fontsize=12)
    right.legend(fontsize=10, loc="upper center", ncols=3, columnspacing=1, handlelength=1.6)


def describe_motion(result: Motion) -> str:
    """Time and drift."""
    return (
        f"{result.x.shape[1]} particles under {result.potential} up to time {result.times[result.frame - 1]:.2f}; the "
        f"energy drifts by {result.drift:.1e} in the whole simulation."
    )


def motion_panel() -> Panel:
    """Potential, particles, substeps, seed and time; with a Play button for the time."""
    controls = [
        Choice("potential", tuple(POTENTIALS), "spring"),
        Slider("particles", 2, 8, 1, 4),
        Choice("parts", PARTS, 4, label="each step in"),
        Slider("seed", 0, 20, 1, 1),
        Slider("frame", 1, FRAMES, 1, FRAMES),
    ]
    panel = Panel(compute_motion, draw_motion, controls, describe_motion, "Particles in motion", (10, 4.6))
    add_play(panel, "frame", 3)
    return panel


def add_play(panel: Panel, name: str, step: int = 1, milliseconds: int = 350) -> None:
    """Put a Play button under the controls of a panel, which moves one of its sliders."""
    import ipywidgets as w

    holder = panel.controls.widgets[name]
    play = w.Play(value=holder.min, min=holder.min, max=holder.max, step=step, interval=milliseconds)
    play.observe(lambda change: setattr(holder, "value", change["new"]), "value")
    line = w.HBox([w.HTML("<b>Play</b>"), play])
    panel.box.children = (*panel.box.children[:-1], line, panel.box.children[-1])


# ---------------------------------------------------------------- a message on its way


@dataclass(frozen=True)
class Way:
    """One graph, one receiver, the messages to it, and what the node model makes of their sum."""

    receiver: int
    x: np.ndarray  # (n, 2)
    m: np.ndarray  # (n,)
    senders: np.ndarray  # (n - 1,)
    messages: np.ndarray  # (n - 1, components)
    shown: np.ndarray  # (n - 1, 2): messages through the inverse of the fitted line, as forces
    forces: np.ndarray  # (n - 1, 2): the true ones
    told: np.ndarray  # (2,): acceleration
    truth: np.ndarray


def compute_way(made: Recording, graph: int, receiver: int) -> Way:
    """Ask a trained network about one particle of a test graph."""
    import torch

    test = data(made.setup.potential)[1]
    row = np.linspace(0, len(test) - 1, 20).astype(int)[graph]
    one = test.take([row])
    with torch.no_grad():
        states = made.network.tensor(one.states)
        messages = made.network.messages(states)[0].double().numpy()
        told = made.network(states)[0, receiver].double().numpy()
    receivers, senders = edges(one.n)
    mine = receivers == receiver
    fit = made.messages.fit("force")
    back = (messages[mine][:, list(fit.components)] - fit.b) @ np.linalg.inv(fit.A).T
    return Way(receiver, one.states[0, :, :2], one.states[0, :, -1], senders[mine], messages[mine], back,
               one.forces()[mine], told, one.accelerations[0, receiver])  # fmt: skip


def draw_way(way: Way, fig) -> None:
    """The particles with the arrows of the messages, and the three parts with their numbers."""
    fig.figure.set_layout_engine("none")
    ax = fig.add_axes((0.09, 0.12, 0.37, 0.78))
    middle = (way.x.max(axis=0) + way.x.min(axis=0)) / 2
    reach = (way.x.max(axis=0) - way.x.min(axis=0)).max() / 2 + 0.6
    scale = 0.5 * reach / max(np.linalg.norm(way.forces, axis=1).max(), 1e-9)
    for k in range(len(way.x)):
        ax.plot(*way.x[k], MARKERS[k % 4], color=COLOURS[k % 4], markersize=7 + 5 * way.m[k] ** 0.5, zorder=3)
        ax.annotate(str(k), way.x[k], xytext=(9, 9), textcoords="offset points", fontsize=12)
    here = way.x[way.receiver]
    for sender, told, force in zip(way.senders, way.shown, way.forces, strict=True):
        for vector, colour, width in ((force, GREY, 6), (told, COLOURS[sender % 4], 2)):
            ax.annotate("", here + scale * vector, here, zorder=4,
                        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": width, "shrinkA": 0,
                                    "shrinkB": 0, "alpha": 0.55 if colour == GREY else 1})  # fmt: skip
    ax.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach), xlabel="x",
           ylabel="y")  # fmt: skip
    ax.set_title(f"forces on particle {way.receiver}: true (grey), from messages", fontsize=11)
    i, lines = way.receiver, []
    for sender, message in zip(way.senders, way.messages, strict=True):
        lines.append(f"φₑ({i}, {sender}) = ({message[0]:6.2f}, {message[1]:6.2f})")
    total = way.messages.sum(axis=0)
    boxes = (
        ("edge model: a message from each", "\n".join(lines), BLUE, 0.6),
        ("aggregation: their sum", f"Σ = ({total[0]:.2f}, {total[1]:.2f})", ORANGE, 0.37),
        ("node model: acceleration", f"φᵥ(Σ, m = {way.m[i]:.2f}) = ({way.told[0]:.2f}, {way.told[1]:.2f})\n"
         f"true:            ({way.truth[0]:.2f}, {way.truth[1]:.2f})", GREEN, 0.08),
    )  # fmt: skip
    for title, text, colour, y in boxes:
        height = 0.1 + 0.055 * (text.count("\n") + 1)
        fig.text(0.53, y + height - 0.02, title, fontsize=12, color=colour, weight="bold", va="top")
        fig.text(0.55, y + height - 0.085, text, fontsize=12, va="top", family="monospace", parse_math=False)
    for y in (0.585, 0.33):
        fig.text(0.65, y, "↓", fontsize=18, ha="center", va="center", color=GREY)


def describe_way(way: Way) -> str:
    """What is predicted, what is true."""
    return (
        f"Particle {way.receiver} gets {len(way.senders)} messages; the network's acceleration is "
        f"({way.told[0]:.2f}, {way.told[1]:.2f}), the true one ({way.truth[0]:.2f}, {way.truth[1]:.2f})."
    )


def follow_panel(setup: Setup) -> Panel:
    """Follow the messages to one particle through a trained network whose messages have two components."""
    made = record(setup)
    controls = [Slider("graph", 0, 19, 1, 3, label="test graph"), Slider("receiver", 0, 3, 1, 1)]
    return Panel(
        lambda graph, receiver: compute_way(made, graph, receiver), draw_way, controls, describe_way,
        "A message on its way", (10.5, 4.8),
    )  # fmt: skip


# ---------------------------------------------------------------- the rotator


@dataclass(frozen=True)
class Rotated:
    """A combination of the two components against the two components of a target."""

    angle: float
    target: str
    mixture: np.ndarray  # (edges,)
    truth: np.ndarray  # (edges, 2)
    r2: tuple[float, float]  # with each, best 90 % of rows


def rotated(made: Recording, angle: float, target: str = "force") -> Rotated:
    """``cos(angle) e1 + sin(angle) e2`` of the standardised messages, and how far it is F_x alone, or F_y alone."""
    said = made.messages
    values = said.values[:, list(said.top())]
    spread = np.subtract(*np.percentile(values, [75, 25], axis=0)) + 1e-12
    turn = np.radians(float(angle))
    mixture = ((values - np.median(values, axis=0)) / spread) @ [np.cos(turn), np.sin(turn)]
    truth = said.targets(target)
    every = slice(None, None, max(1, len(mixture) // SEEN))
    mixture, truth = mixture[every], truth[every]
    r2 = tuple(fit_trimmed(truth[:, k : k + 1], mixture)[3] for k in range(2))
    return Rotated(float(angle), target, mixture, truth, r2)


def draw_rotated(result: Rotated, fig) -> None:
    """Two scatter plots: against the x and against the y component."""
    for k, ax in enumerate(fig.subplots(1, 2, sharey=True)):
        good = result.r2[k] > 0.99
        ax.plot(result.truth[:, k], result.mixture, "o", color=GREEN if good else BLUE, markersize=3,
                alpha=0.5, linestyle="none")  # fmt: skip
        word = WORDS[result.target]
        name = word.replace("F", f"F_{'xy'[k]}")
        limit = np.percentile(np.abs(result.truth[:, k]), 94)
        ax.set(xlim=(-limit, limit), xlabel=f"{name} (true)")
        ax.set_title(f"R² {result.r2[k]:.3f}", fontsize=13, color=GREEN if good else BLACK)
        if k == 0:
            high = np.percentile(np.abs(result.mixture), 94)
            ax.set(ylim=(-high, high), ylabel="cos φ · e1 + sin φ · e2")


def describe_rotated(result: Rotated) -> str:
    """The two R2."""
    return (
        f"At φ = {result.angle:.0f}° the combination explains the x component of {WORDS[result.target]} with R² "
        f"{result.r2[0]:.3f} and the y component with {result.r2[1]:.3f} (best 90 % of messages)."
    )


def rotator_panel(networks: dict[str, Setup]) -> Panel:
    """Which combination of the two components is F_x, and which F_y?"""
    controls = [
        Choice("network", tuple(networks)),
        Choice("target", {"the force F": "force", "the acceleration F/m": "acceleration"}, "force",
               label="compare with"),
        Slider("angle", 0, 180, 2, 0, label="angle φ, degrees"),
    ]  # fmt: skip
    return Panel(
        lambda network, target, angle: rotated(record(networks[network]), angle, target), draw_rotated, controls,
        describe_rotated, "Message rotator", (9.5, 4.4),
    )  # fmt: skip
