"""Lesson 04: a family of oscillators, and what joint training and MAML see of a family in two parameters."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import nn

from srlib.meta import DampedOscillators, FlatModel, Law, Tasks, adapt, landscape
from srlib.meta.landscape import Landscape

from ..controls import Choice, Slider
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION

__all__ = [
    "Oscillator", "Places", "compute_landscape", "compute_oscillator", "draw_landscape", "draw_oscillator", "kind_of",
    "landscape_panel", "lines", "oscillator_panel",
]  # fmt: skip

KINDS = {"under": "underdamped", "critical": "critically damped", "over": "overdamped"}


def kind_of(zeta: float) -> str:
    """The kind of an oscillator with this damping."""
    return "under" if zeta < 1 else "critical" if zeta == 1 else "over"


# ---------------------------------------------------------------- the oscillator


@dataclass(frozen=True)
class Oscillator:
    """One oscillator: its law, the motion, ten measured points, and the two roots of its equation."""

    zeta: float
    omega: float
    law: Law
    time: np.ndarray
    position: np.ndarray
    seen: np.ndarray  # times of the ten points
    roots: tuple[complex, complex]


def _spelled(law: Law) -> str:
    """The law with its numbers, over t."""
    numbers = {name: f"{value:.3g}" for name, value in law.constants.items()}
    text = re.sub(r"\b\w+\b", lambda word: numbers.get(word[0], "t" if word[0] == "x" else word[0]), law.form)
    return text.replace("+ -", "- ")


def compute_oscillator(zeta: float = 0.2, omega: float = 6.0) -> Oscillator:
    """The motion from position 1 at rest, from the law of its kind."""
    zeta, omega = round(float(zeta), 6), float(omega)  # a slider's 1 may be off by rounding, and is critical
    law = DampedOscillators().law(zeta, omega)
    time = np.linspace(*law.domain, 401)
    root = np.sqrt(complex(zeta * zeta - 1))
    roots = tuple(complex(omega * (-zeta + sign * root)) for sign in (1, -1))
    seen = np.sort(np.random.default_rng(0).uniform(*law.domain, 10))
    return Oscillator(zeta, omega, law, time, law.values(time), seen, roots)


def draw_oscillator(result: Oscillator, fig) -> None:
    """The motion with ten points on the left, the roots on the right."""
    left, right = fig.subplots(1, 2, width_ratios=(2, 1))
    left.axhline(0, color=GREY, linewidth=0.8, linestyle="-")
    left.plot(result.time, result.position, color=BLUE, linewidth=2.2, linestyle="-")
    left.plot(result.seen, result.law.values(result.seen), "o", color=VERMILLION, markersize=6)
    left.set(xlabel="time t (s)", ylabel="position x (m)", ylim=(-1.1, 1.1))
    left.set_title(f"{KINDS[kind_of(result.zeta)]}: x = {_spelled(result.law)}", fontsize=11)
    right.axhline(0, color=GREY, linewidth=0.8, linestyle="-")
    right.axvline(0, color=GREY, linewidth=0.8, linestyle="-")
    right.plot([r.real for r in result.roots], [r.imag for r in result.roots], "D", color=VERMILLION, markersize=8)
    right.set(xlabel="real part of r (1/s)", ylabel="imaginary part (1/s)", xlim=(-40, 6), ylim=(-11, 11))
    right.set_title("roots r of r² + 2ζω₀r + ω₀² = 0", fontsize=11)


def describe_oscillator(result: Oscillator) -> str:
    """The kind and the formula."""
    shown = ", ".join(f"{r.real:.3g}" if r.imag == 0 else f"{r.real:.3g}{r.imag:+.3g}i" for r in result.roots)
    return (
        f"ζ = {result.zeta:.2f}, ω₀ = {result.omega:.1f} per second: {KINDS[kind_of(result.zeta)]}, "
        f"x = {_spelled(result.law)}; roots {shown}."
    )


def oscillator_panel() -> Panel:
    """Damping and frequency."""
    controls = [
        Slider("zeta", 0.0, 2.0, 0.05, 0.2, label="damping ζ"),
        Slider("omega", 2.0, 10.0, 0.5, 6.0, label="frequency ω₀ (1/s)"),
    ]
    return Panel(compute_oscillator, draw_oscillator, controls, describe_oscillator, "A damped oscillator", (10, 3.8))


# ---------------------------------------------------------------- two parameters

SLOPES, OFFSETS = np.linspace(-1.0, 3.0, 41), np.linspace(-1.5, 2.5, 41)
# Three lines seen on a wide stretch of x, where a step gets far, and three on a narrow one, where it does not.
LINES = ((2.2, 1.6, 1.0), (2.5, 1.2, 1.0), (1.9, 1.9, 1.0), (-0.3, -0.8, 0.25), (0.1, -0.5, 0.25), (-0.5, -0.2, 0.25))


@lru_cache(maxsize=1)
def lines(points: int = 20) -> Tasks:
    """Six tasks that are lines, ``slope*x + offset``; each is seen around 0 or on its own stretch of x."""
    x = np.linspace(-1.7, 1.7, points)
    xs = np.stack([reach * x for *_, reach in LINES])
    ys = np.stack([slope * one + offset for one, (slope, offset, _) in zip(xs, LINES, strict=True)])
    x, y = torch.from_numpy(xs)[:, :, None], torch.from_numpy(ys)[:, :, None]
    return Tasks(x, y, x, y)


@dataclass(frozen=True)
class Places:
    """The two landscapes, their lowest points, a place, both gradients there, and where the tasks go from it."""

    rate: float
    steps: int
    order: int
    field: Landscape
    best: dict[str, np.ndarray]
    at: np.ndarray
    gradients: dict[str, np.ndarray]
    ways: np.ndarray  # (steps + 1, tasks, 2)


def _line() -> nn.Module:
    return nn.Linear(1, 1, dtype=torch.float64)  # its weight is the slope, its bias the offset


@lru_cache(maxsize=16)
def _field(rate: float, steps: int, order: int) -> Landscape:
    return landscape(_line(), lines(), SLOPES, OFFSETS, rate, steps, order)


def compute_landscape(
    rate: float = 0.3, steps: int = 1, slope: float = 0.0, offset: float = 2.0, order: int = 2
) -> Places:
    """Look at both objectives, from one place."""
    field = _field(float(rate), int(steps), int(order))
    best = {}
    for name, heights in (("joint", field.joint), ("maml", field.maml)):
        row, column = np.unravel_index(np.argmin(heights), heights.shape)
        best[name] = np.array([field.first[column], field.second[row]])
    at = np.array([float(slope), float(offset)])
    here = landscape(_line(), lines(), at[:1], at[1:], float(rate), int(steps), int(order))
    gradients = {"joint": here.joint_gradient[0, 0], "maml": here.maml_gradient[0, 0]}
    ways = adapt(FlatModel(_line()), torch.from_numpy(at), lines(), int(steps), float(rate)).theta.numpy()
    return Places(float(rate), int(steps), int(order), field, best, at, gradients, ways)


def draw_landscape(result: Places, fig) -> None:
    """Joint training's objective on the left, MAML's on the right; an arrow is downhill."""
    panels = fig.subplots(1, 2, sharey=True)
    titles = {"joint": "joint: mean error where you stand", "maml": f"MAML: after {result.steps} step(s) of each task"}
    for ax, (name, title), heights in zip(panels, titles.items(), (result.field.joint, result.field.maml), strict=True):
        levels = np.quantile(heights, np.linspace(0, 1, 10)[1:-1])
        if levels[0] < levels[-1]:
            ax.contour(
                result.field.first, result.field.second, heights, np.unique(levels), colors=GREY, linewidths=0.8
            )
        for number, (slope, offset, reach) in enumerate(LINES):
            label = {0: "tasks seen wide", 3: "tasks seen narrow"}.get(number)
            ax.plot(slope, offset, "o" if reach == 1 else "s", color=BLUE if reach == 1 else GREEN, label=label)
        if name == "maml":
            for task in range(len(LINES)):
                ax.plot(*result.ways[:, task].T, "-", color=ORANGE, linewidth=1.3, marker=".", markersize=5)
        ax.plot(*result.best[name], "*", color=VERMILLION, markersize=17, label="lowest point")
        ax.plot(*result.at, "D", color=BLACK, markersize=7, label="you")
        downhill = -result.gradients[name]
        size = float(np.hypot(*downhill))
        if size > 1e-9:
            to = result.at + 0.9 * downhill / max(size, 1e-12)
            ax.annotate("", to, result.at, arrowprops={"arrowstyle": "-|>", "color": BLACK, "linewidth": 2.2})
        ax.set_title(title, fontsize=12)
        ax.set(xlabel="slope", xlim=(SLOPES[0], SLOPES[-1]), ylim=(OFFSETS[0], OFFSETS[-1]))
    panels[0].set(ylabel="offset")
    panels[0].legend(fontsize=9, loc="lower right")


def describe_landscape(result: Places) -> str:
    """The two lowest points, and the angle between the two arrows."""
    joint, maml = result.gradients["joint"], result.gradients["maml"]
    sizes = float(np.hypot(*joint)), float(np.hypot(*maml))
    if min(sizes) > 1e-9:
        cosine = float(np.clip(joint @ maml / (sizes[0] * sizes[1]), -1, 1))
        angle = f"the two arrows differ by {math.degrees(math.acos(cosine)):.0f} degrees"
    else:
        angle = "one of the arrows has no length"
    places = {name: f"({at[0]:.1f}, {at[1]:.1f})" for name, at in result.best.items()}
    return (
        f"Rate {result.rate:.2g}, {result.steps} inner step(s): joint training is lowest at {places['joint']}, MAML at "
        f"{places['maml']} (slope, offset). Where you stand {angle}."
    )


def landscape_panel() -> Panel:
    """The inner rate and steps, the order, and where you stand."""
    controls = [
        Slider("rate", 0.05, 0.5, 0.05, 0.3, label="inner rate α"),
        Slider("steps", 1, 10, 1, 1, label="inner steps"),
        Slider("slope", -1.0, 3.0, 0.1, 0.0, label="you: slope"),
        Slider("offset", -1.5, 2.5, 0.1, 2.0, label="you: offset"),
        Choice("order", {"second (MAML)": 2, "first (FOMAML)": 1}, 2, label="order"),
    ]
    return Panel(
        compute_landscape, draw_landscape, controls, describe_landscape, "Where joint training and MAML want to go",
        (10.5, 4.8),
    )  # fmt: skip
