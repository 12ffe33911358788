"""Lesson 05: the Gumbel-Max trick on the simplex, how close to one-hot its samples are, and the choice of elites.

Samples and densities are those of :mod:`srlib.gmeql.sampling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from srlib.gmeql import gumbel, one_hot, power_law, probabilities, relaxed

from ..controls import Slider
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from .pictures import still

__all__ = [
    "Samples", "compute_ranks", "compute_samples", "draw_ranks", "draw_samples", "near_one_hot", "ranks_panel",
    "still", "temperature_panel",
]  # fmt: skip

DRAWS, DRAWN = 4000, 600
NEAR = 0.99  # of the largest place: a sample that counts as one-hot
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
COLOURS, MARKERS = (BLUE, VERMILLION, GREEN), ("o", "s", "^")


# ---------------------------------------------------------------- the simplex


@dataclass(frozen=True)
class Samples:
    """Samples of one connection with three instances.

    Attributes
    ----------
    z : ndarray, shape (3,)
    temperature : float
    V : ndarray, shape (draws, 3)
    wanted, seen : ndarray, shape (3,)
        Softmax of z; how often each place was the largest.
    near : ndarray, shape (3,)
        How often each place was above 0.99.
    """

    z: np.ndarray
    temperature: float
    V: np.ndarray
    wanted: np.ndarray
    seen: np.ndarray
    near: np.ndarray


def compute_samples(z1: float = 1.0, z2: float = 0.0, z3: float = -1.0, temperature: float = 2 / 3) -> Samples:
    """Samples from the same Gumbel numbers at each setting, so that a slider moves points and not chance."""
    z = np.array([z1, z2, z3], float)
    V = np.exp(relaxed(z, gumbel(np.random.default_rng(0), (DRAWS, 3)), float(temperature)))
    return Samples(z, float(temperature), V, probabilities(z), one_hot(np.log(V)).mean(axis=0), (V > NEAR).mean(axis=0))


def draw_samples(result: Samples, fig) -> None:
    """The samples in the triangle, and the frequencies of its corners."""
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.15))
    left.plot(*CORNERS[[0, 1, 2, 0]].T, color=GREY, linewidth=1.2, linestyle="-")
    largest = result.V.argmax(axis=1)
    points = result.V @ CORNERS
    for place, (colour, marker) in enumerate(zip(COLOURS, MARKERS, strict=True)):
        mine = points[:DRAWN][largest[:DRAWN] == place]
        left.plot(*mine.T, marker, color=colour, markersize=3.5, alpha=0.45, linestyle="none")
        side = (-0.07, -0.05), (1.07, -0.05), (0.5, 0.91)
        left.text(*side[place], f"place {place + 1}", ha="center", va="bottom" if place == 2 else "top", fontsize=12)
    left.set(xlim=(-0.2, 1.2), ylim=(-0.16, 1.0), aspect="equal")
    left.axis("off")
    left.set_title(f"{DRAWN} samples V, λ = {result.temperature:.2g}", fontsize=12)
    at = np.arange(3)
    bars = (("softmax of z", result.wanted, GREY, ""), ("is the largest", result.seen, BLUE, "//"),
            (f"is above {NEAR}", result.near, ORANGE, ".."))  # fmt: skip
    for shift, (label, heights, colour, hatch) in zip((-0.27, 0, 0.27), bars, strict=True):
        right.bar(at + shift, heights, 0.25, color=colour, hatch=hatch, edgecolor="white", label=label)
    right.set_xticks(at, [f"place {k + 1}" for k in at])
    right.set(ylabel=f"share of {DRAWS} samples", ylim=(0, 1.3), yticks=np.arange(0, 1.01, 0.2))
    right.legend(fontsize=10, loc="upper right", ncols=1)


def describe_samples(result: Samples) -> str:
    """Frequencies beside the softmax."""
    return (
        f"At λ = {result.temperature:.2g} the three places are the largest in {_listed(result.seen)} of the samples "
        f"(softmax: {_listed(result.wanted)}); in {result.near.sum():.2f} of all samples one of them is above {NEAR}."
    )


def _listed(numbers) -> str:
    return ", ".join(f"{number:.2f}" for number in numbers)


def temperature_panel() -> Panel:
    """Three structure parameters and the temperature."""
    controls = [
        *(Slider(f"z{k}", -4.0, 4.0, 0.25, value, label=f"z of place {k}") for k, value in ((1, 1.0), (2, 0.0),
                                                                                        (3, -1.0))),
        Slider("temperature", 0.05, 50.0, 0.1, 2 / 3, label="temperature λ", log=True),
    ]  # fmt: skip
    return Panel(compute_samples, draw_samples, controls, describe_samples, "Temperature bench", (10, 4.4))


def near_one_hot(z: Sequence[float], temperature: float, draws: int = 20_000, seed: int = 0) -> float:
    """The share of samples whose largest place is above 0.99."""
    z = np.asarray(z, float)
    V = np.exp(relaxed(z, gumbel(np.random.default_rng(seed), (draws, len(z))), float(temperature)))
    return float((V.max(axis=1) > NEAR).mean())


# ---------------------------------------------------------------- which elite is copied


@dataclass(frozen=True)
class Ranks:
    """Probabilities of the ranks of a repository, and their cumulated sum."""

    size: int
    exponent: float
    chances: np.ndarray
    half: int  # so many of the best are chosen in half of all draws


def compute_ranks(size: int = 400, exponent: float = 1.5) -> Ranks:
    """The power law by which an elite is chosen."""
    chances = power_law(int(size), float(exponent))
    return Ranks(int(size), float(exponent), chances, int(np.searchsorted(np.cumsum(chances), 0.5)) + 1)


def draw_ranks(result: Ranks, fig) -> None:
    """Chances by rank, and how they add up."""
    left, right = fig.subplots(1, 2)
    ranks = np.arange(1, result.size + 1)
    left.plot(ranks, result.chances, "o", color=BLUE, markersize=4, linestyle="none")
    left.set(xscale="log", yscale="log", xlabel="rank (1 is the best)", ylabel="chance to be copied", ylim=(1e-6, 2))
    right.step(ranks, np.cumsum(result.chances), where="post", color=BLACK, linestyle="-")
    right.axhline(0.5, color=ORANGE, linewidth=1.5, linestyle="--")
    right.set(xscale="log", xlabel="rank", ylabel="share of copies up to it", ylim=(0, 1.05))


def describe_ranks(result: Ranks) -> str:
    """Who is copied."""
    many = "the best one is" if result.half == 1 else f"the best {result.half} are"
    return (
        f"Of {result.size} elites, with exponent {result.exponent:.2g}, the last is copied with probability "
        f"{result.chances[-1]:.2g}; {many} copied in at least half of all draws."
    )


def ranks_panel() -> Panel:
    """Size of the repository and exponent."""
    controls = [
        Slider("size", 10, 400, 10, 400, label="repository size"),
        Slider("exponent", 0.25, 4.0, 0.25, 1.5, label="exponent"),
    ]
    return Panel(compute_ranks, draw_ranks, controls, describe_ranks, "Which elite is copied?", (9, 3.6))
