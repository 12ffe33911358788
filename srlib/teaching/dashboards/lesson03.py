"""Lesson 03: penalties under the microscope, gates that open by chance, and a network beside a formula outside.

Penalties and gates are the objects of :mod:`srlib.eql.sparsity`. The networks at work are in :mod:`.learner`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from srlib.eql import L05, L1, HardConcrete, SmoothedL05

from ..controls import Choice, Slider
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from .learner import Outcome, diagonal, target
from .pictures import still

__all__ = [
    "Contest", "compute_gates", "compute_penalties", "compute_tug", "draw_contest", "fit_networks", "gate_panel",
    "penalty_panel", "still", "tug_panel",
]  # fmt: skip

LOOKS = {
    "L1": {"color": BLUE, "linestyle": "--"},
    "L0.5": {"color": VERMILLION, "linestyle": ":"},
    "smoothed L0.5": {"color": GREEN, "linestyle": "-"},
    "L0": {"color": BLACK, "linestyle": "-."},
}
STEEPEST = 12.0  # slopes are drawn up to this


def _on(function, w: np.ndarray) -> np.ndarray:
    return function(torch.from_numpy(np.asarray(w, float))).numpy()


# ---------------------------------------------------------------- penalties


@dataclass(frozen=True)
class Penalties:
    """Values and slopes of the penalties by name over weights ``w``, and at one weight."""

    a: float
    w: np.ndarray
    values: dict
    slopes: dict
    weight: float
    at: dict  # name: (value, slope)


def compute_penalties(a: float = 0.05, weight: float = 0.02, width: float = 0.2) -> Penalties:
    """Look at all penalties between plus and minus ``width``."""
    w = np.linspace(-width, width, 801)
    kinds = {"L1": L1(), "L0.5": L05(), "smoothed L0.5": SmoothedL05(float(a))}
    one = np.array([float(weight)])
    with np.errstate(all="ignore"):
        values = {name: _on(kind.values, w) for name, kind in kinds.items()} | {"L0": (w != 0).astype(float)}
        slopes = {name: _on(kind.slopes, w) for name, kind in kinds.items()} | {"L0": np.zeros_like(w)}
        at = {name: (float(_on(k.values, one)[0]), float(_on(k.slopes, one)[0])) for name, k in kinds.items()}
    return Penalties(float(a), w, values, slopes, float(weight), at)


def draw_penalties(result: Penalties, fig) -> None:
    """The penalties on the left, their slopes on the right."""
    left, right = fig.subplots(1, 2)
    for name, look in LOOKS.items():
        left.plot(result.w, result.values[name], **look, linewidth=2, label=name)
        slopes = np.where(np.abs(result.slopes[name]) > STEEPEST, np.nan, result.slopes[name])
        right.plot(result.w, slopes, **look, linewidth=2)
    left.plot([0], [0], "o", color=BLACK, markersize=6)
    for name, (value, slope) in result.at.items():
        left.plot(result.weight, value, "s", color=LOOKS[name]["color"], markersize=8)
        if abs(slope) <= STEEPEST:
            right.plot(result.weight, slope, "s", color=LOOKS[name]["color"], markersize=8)
    for ax in (left, right):
        ax.axvspan(-result.a, result.a, color=GREY, alpha=0.12, linewidth=0)
        ax.set(xlabel="weight w", xlim=(result.w[0], result.w[-1]))
        ax.locator_params(axis="x", nbins=5)
    left.set(ylabel="penalty", ylim=(0, 1.4))
    left.legend(fontsize=10, loc="upper center", ncols=2)
    right.set(ylabel="slope", ylim=(-STEEPEST, STEEPEST))
    left.set_title("penalty of one weight", fontsize=12)
    right.set_title(f"its slope; shaded: |w| < a = {result.a:.2g}", fontsize=12)


def describe_penalties(result: Penalties) -> str:
    """Slopes at the weight."""
    words = ", ".join(f"{name} {slope:.3g}" for name, (_, slope) in result.at.items())
    return f"Slopes at w = {result.weight:.3g}, with a = {result.a:.2g}: {words}; that of L0 is 0 or does not exist."


def penalty_panel() -> Panel:
    """The smoothing a, a weight, and how close to look."""
    controls = [
        Slider("a", 0.005, 0.5, 0.1, 0.05, label="smoothing a", log=True),
        Slider("weight", -0.2, 0.2, 0.005, 0.02, label="a weight w"),
        Choice("width", {"-1 … 1": 1.0, "-0.2 … 0.2": 0.2, "-0.02 … 0.02": 0.02}, 0.2, label="look at"),
    ]
    return Panel(compute_penalties, draw_penalties, controls, describe_penalties, "Penalties", (10, 4.2))


# ---------------------------------------------------------------- the tug of war


@dataclass(frozen=True)
class Tug:
    """Error plus penalty of one weight, by penalty: curves, and where each is least."""

    wanted: float
    strength: float
    w: np.ndarray
    curves: dict
    least: dict


def compute_tug(wanted: float = 0.5, strength: float = 0.15) -> Tug:
    """The data want ``w = wanted``, with error (w - wanted)**2; the penalty wants 0."""
    w = np.linspace(-0.25, 1.25, 3001)
    penalties = {
        "L1": _on(L1().values, w), "smoothed L0.5": _on(SmoothedL05().values, w),
        "L0": (np.abs(w) > 1e-9).astype(float),
    }  # fmt: skip
    curves = {name: (w - wanted) ** 2 + strength * penalty for name, penalty in penalties.items()}
    least = {name: float(w[np.argmin(curve)]) for name, curve in curves.items()}
    return Tug(float(wanted), float(strength), w, curves, least)


def draw_tug(result: Tug, fig) -> None:
    """Three sums of error and penalty, with their lowest points."""
    ax = fig.subplots()
    ax.plot(result.w, (result.w - result.wanted) ** 2, color=GREY, linewidth=1.2, linestyle="-", label="error alone")
    for name, curve in result.curves.items():
        ax.plot(result.w, curve, **LOOKS[name], linewidth=2, label=f"+ λ {name}: least at {result.least[name]:.2f}")
        place = int(np.argmin(curve))
        ax.plot(result.w[place], curve[place], "o", color=LOOKS[name]["color"], markersize=9)
    ax.axvline(result.wanted, color=ORANGE, linewidth=1.5, linestyle="-")
    top = max(curve[np.abs(result.w) < 1].max() for curve in result.curves.values())
    ax.set(xlabel="weight w (orange: what the data want)", ylabel="error + λ penalty", ylim=(0, 1.5 * top))
    ax.legend(fontsize=10, loc="upper center")


def describe_tug(result: Tug) -> str:
    """Who ends where."""
    ends = ", ".join(f"{name} at {place:.2f}" for name, place in result.least.items())
    return f"The data want w = {result.wanted:.2f}; with λ = {result.strength:.2g} the sum is least for {ends}."


def tug_panel() -> Panel:
    """What the data want, and the strength of the penalty."""
    controls = [
        Slider("wanted", 0.0, 1.0, 0.05, 0.5, label="the data want w ="),
        Slider("strength", 0.0, 0.6, 0.025, 0.15, label="strength λ"),
    ]
    return Panel(compute_tug, draw_tug, controls, describe_tug, "Tug of war for one weight", (8, 4))


# ---------------------------------------------------------------- gates

DRAWS = 4000


@dataclass(frozen=True)
class Gates:
    """A gate: samples, the probabilities of exactly 0 and 1, and the same over all log alpha."""

    log_alpha: float
    gate: HardConcrete
    samples: np.ndarray
    closed: float
    open: float
    at_test: float
    axis: np.ndarray
    curves: dict


def compute_gates(log_alpha: float = 0.0, beta: float = 2 / 3, gamma: float = -0.1, zeta: float = 1.1) -> Gates:
    """Samples at evenly spread uniform numbers, so that the picture is the same each time."""
    gate = HardConcrete(float(beta), float(gamma), float(zeta))
    u = torch.from_numpy((np.arange(DRAWS) + 0.5) / DRAWS)
    here, axis = torch.tensor([float(log_alpha)], dtype=torch.float64), torch.linspace(-6, 6, 241, dtype=torch.float64)
    curves = {
        "exactly 0": 1 - gate.values(axis),
        "exactly 1": gate.probability_of_one(axis),
        "at test time": gate.gates(axis),
    }
    return Gates(
        float(log_alpha), gate, gate.sample(here, u).numpy(), 1 - float(gate.values(here)),
        float(gate.probability_of_one(here)), float(gate.gates(here)), axis.numpy(),
        {name: curve.numpy() for name, curve in curves.items()},
    )  # fmt: skip


def draw_gates(result: Gates, fig) -> None:
    """The samples of one gate, and its probabilities over log alpha."""
    left, right = fig.subplots(1, 2)
    inside = result.samples[(result.samples > 0) & (result.samples < 1)]
    bars = left.hist(
        inside, bins=np.linspace(0, 1, 26), weights=np.full(len(inside), 1 / DRAWS), color=BLUE, alpha=0.7
    )[0]
    top = 1.3 * max(result.closed, result.open, bars.max())
    left.bar([-0.04, 1.04], [result.closed, result.open], 0.05, color=VERMILLION, hatch="//", edgecolor="white")
    left.axvline(result.at_test, color=BLACK, linewidth=2, linestyle="--", label="gate at test time")
    left.set(xlabel="gate z; hatched: exactly 0, exactly 1", ylabel="share of samples", ylim=(0, top), xlim=(-0.1, 1.1))
    left.legend(fontsize=10, loc="upper center")
    looks = ((VERMILLION, "-"), (BLUE, "--"), (BLACK, "-."))
    for (name, curve), (colour, line) in zip(result.curves.items(), looks, strict=True):
        label = name if name == "at test time" else f"probability of {name}"
        right.plot(result.axis, curve, color=colour, linestyle=line, linewidth=2, label=label)
    right.axvline(result.log_alpha, color=ORANGE, linewidth=1.5, linestyle="-")
    right.set(xlabel="log α (orange: this gate)", ylim=(-0.02, 1.3), xlim=(-6, 6))
    right.legend(fontsize=10, loc="upper center", ncols=1)


def describe_gates(result: Gates) -> str:
    """The probabilities of this gate."""
    return (
        f"log alpha {result.log_alpha:.2f}: closed with probability {result.closed:.2f}, fully open with "
        f"{result.open:.2f}, something between with {1 - result.closed - result.open:.2f}; {result.at_test:.2f} at "
        "test time."
    )


def gate_panel() -> Panel:
    """All parameters of the hard concrete distribution."""
    controls = [
        Slider("log_alpha", -6.0, 6.0, 0.25, 0.0, label="log α (learned)"),
        Slider("beta", 0.1, 2.0, 0.05, 0.65, label="temperature β"),
        Slider("gamma", -1.0, -0.02, 0.02, -0.1, label="stretch γ"),
        Slider("zeta", 1.02, 2.0, 0.02, 1.1, label="stretch ζ"),
    ]
    return Panel(compute_gates, draw_gates, controls, describe_gates, "A gate that opens by chance", (10, 4.4))


# ---------------------------------------------------------------- outside the data


@dataclass(frozen=True)
class Contest:
    """Plain networks of several starts on the lesson's data: curves along the diagonal, and errors."""

    hidden: int
    size: int
    curves: np.ndarray  # (starts, places)
    inside: np.ndarray  # (starts,), over the target's spread
    outside: np.ndarray


@lru_cache(maxsize=4)
def fit_networks(hidden: int = 11, starts: int = 10) -> Contest:
    """Multilayer perceptrons, two hidden layers of tanh, fitted by L-BFGS to the lesson's data."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    problem = target()
    X_out, y_out = problem.sample(500, 1, where="extrapolation")
    _, rows = diagonal(problem)
    curves, inside, outside = [], [], []
    for seed in range(starts):
        network = MLPRegressor(
            hidden_layer_sizes=(hidden, hidden), activation="tanh", solver="lbfgs", alpha=1e-4, max_iter=800,
            random_state=seed,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(problem.X, problem.y)
        curves.append(network.predict(rows))
        inside.append(np.sqrt(np.mean((network.predict(problem.X) - problem.y) ** 2)) / np.std(problem.y))
        outside.append(np.sqrt(np.mean((network.predict(X_out) - y_out) ** 2)) / np.std(y_out))
    size = sum(part.size for part in network.coefs_) + sum(part.size for part in network.intercepts_)
    return Contest(hidden, size, np.array(curves), np.array(inside), np.array(outside))


def draw_contest(networks: Contest, fig, learned: Outcome | None = None) -> None:
    """The networks along the diagonal; with the outcome of an equation learner also the errors of both."""
    problem = target()
    places, rows = diagonal(problem)
    axes = fig.subplots(1, 2 if learned is not None else 1, squeeze=False).ravel()
    ax = axes[0]
    ax.axvspan(-1, 1, color=ORANGE, alpha=0.15, linewidth=0)
    for number, curve in enumerate(networks.curves):
        label = f"{len(networks.curves)} networks" if number == 0 else None
        ax.plot(places, curve, color=BLUE, linewidth=1, alpha=0.6, linestyle="-", label=label)
    ax.plot(places, problem.truth.evaluate(rows), color=BLACK, linewidth=2.5, linestyle="--", label="the law")
    ax.set(xlabel="x = y (data in the shade)", ylabel="f", ylim=(-2, 6))
    ax.legend(fontsize=10, loc="upper left")
    if learned is not None:
        groups = ((networks.inside, networks.outside, BLUE, "o"), (learned.inside, learned.outside, GREEN, "^"))
        for inside, outside, colour, marker in groups:
            x, y = np.maximum(inside, 1e-9), np.clip(np.nan_to_num(outside, nan=1e3), 1e-9, 1e3)
            axes[1].plot(x, y, marker, color=colour, markersize=8, alpha=0.7, linestyle="none")
        axes[1].plot([1e-9, 1e3], [1e-9, 1e3], color=GREY, linewidth=1, linestyle=":")
        axes[1].set(xscale="log", yscale="log", xlim=(4e-10, 3), ylim=(4e-10, 2e3), xlabel="error inside / spread",
                    ylabel="error outside / spread")  # fmt: skip
        axes[1].set_title("○ networks   △ equation learner (one for each start)", fontsize=11)
