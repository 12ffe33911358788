"""Lesson 08: optimisers racing on a landscape, mapping curves, and rules as formulas of few terms.

Rules and recordings are in :mod:`.optimizers`, the unroll and live meta-training in :mod:`.unrolls`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch.func import vmap

from srlib.distill.l2o import Quadratics, Rosenbrock, adam, mapping_curve, momentum, race, sgd, steps_of

from ..controls import Choice, Slider
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from .optimizers import FAMILIES, FEATURES, LAGS, LEARNED, RULES, SMALL, Short, learned_rule, short_rule
from .pictures import cut, still

__all__ = [
    "Mapping", "Race", "compute_mapping", "compute_race", "distil_panel", "draw_mapping", "draw_race", "draw_short",
    "mapping_panel", "race_panel", "still",
]  # fmt: skip

LOOKS = {
    "gradient descent": {"color": GREY, "linestyle": ":", "marker": "v"},
    "momentum": {"color": BLUE, "linestyle": "--", "marker": "s"},
    "Adam": {"color": GREEN, "linestyle": "-.", "marker": "^"},
    LEARNED: {"color": VERMILLION, "linestyle": "-", "marker": "o"},
}
LANDSCAPES = {"a narrow valley": Quadratics(2, condition=30.0), "Rosenbrock's banana": Rosenbrock()}
LONGEST = 200


# ---------------------------------------------------------------- the race


@dataclass(frozen=True)
class Race:
    """Paths (steps + 1, 2) and losses (steps,) of each optimiser, and the landscape around them."""

    landscape: str
    paths: dict[str, np.ndarray]
    losses: dict[str, np.ndarray]
    grid: tuple[np.ndarray, np.ndarray, np.ndarray]
    start: np.ndarray


@lru_cache(maxsize=64)
def _run(landscape: str, name: str, rate: float):
    rule = learned_rule()[0] if name == LEARNED else {"gradient descent": sgd, "momentum": momentum, "Adam": adam}[
        name](rate)  # fmt: skip
    outcome = race({name: rule}, LANDSCAPES[landscape].sample(1, 3), LONGEST, path=True)[name]
    return outcome.path[:, 0].numpy(), outcome.losses[:, 0].numpy()


def compute_race(
    landscape: str = "a narrow valley", sgd_rate: float = 0.3, momentum_rate: float = 0.1, adam_rate: float = 0.1,
    steps: int = 60,
) -> Race:  # fmt: skip
    """Four optimisers from the same start; the learned one has no rate to choose."""
    rates = {"gradient descent": sgd_rate, "momentum": momentum_rate, "Adam": adam_rate, LEARNED: 0.05}
    runs = {name: _run(landscape, name, float(rate)) for name, rate in rates.items()}
    problem = LANDSCAPES[landscape].sample(1, 3)
    paths = {name: path[: steps + 1] for name, (path, _) in runs.items()}
    start = problem.start[0].numpy()
    place = np.concatenate([[start], *(path for path, _ in runs.values())])
    place = place[np.isfinite(place).all(axis=1) & (np.abs(place - start) < 7).all(axis=1)]
    low, high = place.min(axis=0) - 0.4, place.max(axis=0) + 0.4
    x, y = np.meshgrid(*(np.linspace(a, b, 60) for a, b in zip(low, high, strict=True)))
    points = torch.from_numpy(np.stack([x.ravel(), y.ravel()], axis=1))
    data = [part[0] for part in problem.draw(1)]
    values = vmap(lambda theta: problem.one_loss(theta, *data))(points).numpy().reshape(x.shape)
    return Race(landscape, paths, {name: losses[:steps] for name, (_, losses) in runs.items()}, (x, y, values), start)


def draw_race(result: Race, fig) -> None:
    """The paths on the landscape, and the losses."""
    left, right = fig.subplots(1, 2)
    x, y, values = result.grid
    levels = np.geomspace(max(values.min(), 1e-3), values.max(), 12)
    left.contour(x, y, values, levels=levels, colors="#B0B0B0", linewidths=0.8)
    for name, path in result.paths.items():
        look = LOOKS[name]
        left.plot(*path.T, color=look["color"], linestyle=look["linestyle"], linewidth=1.6)
        left.plot(*path[-1], look["marker"], color=look["color"], markersize=8)
        losses = np.maximum(result.losses[name], 1e-12)
        right.plot(np.arange(len(losses)), losses, **look, markevery=0.2, markersize=5, label=name)
    left.plot(*result.start, "*", color=BLACK, markersize=12)
    left.set(xlim=(x.min(), x.max()), ylim=(y.min(), y.max()), xlabel="first parameter", ylabel="second parameter")
    left.set_title(f"{result.landscape}, from the star", fontsize=12)
    right.set(yscale="log", xlabel="step", ylabel="loss")
    right.legend(fontsize=9)


def describe_race(result: Race) -> str:
    """Who is where."""
    last = {name: losses[-1] for name, losses in result.losses.items()}
    told = ", ".join(f"{name} {loss:.2g}" for name, loss in sorted(last.items(), key=lambda one: one[1]))
    return f"Losses after {len(next(iter(result.losses.values())))} steps on {result.landscape}: {told}."


def race_panel() -> Panel:
    """Landscape, rates, and how many steps."""
    controls = [
        Choice("landscape", list(LANDSCAPES), label="landscape"),
        Slider("steps", 2, LONGEST, 2, 60, label="steps"),
        Slider("sgd_rate", 0.01, 3.0, 0.1, 0.3, label="rate of gradient descent", log=True),
        Slider("momentum_rate", 0.01, 1.0, 0.1, 0.1, label="rate of momentum", log=True),
        Slider("adam_rate", 0.01, 1.0, 0.1, 0.1, label="rate of Adam", log=True),
    ]
    return Panel(compute_race, draw_race, controls, describe_race, "Optimisers racing", (10, 4.6))


# ---------------------------------------------------------------- mapping curves


@dataclass(frozen=True)
class Mapping:
    """The update of the learned rule against one feature, and that of a formula."""

    feature: str
    values: np.ndarray
    learned: dict[str, np.ndarray]  # after so many steps of a run
    formula: np.ndarray
    weights: tuple[float, float]
    gamma: float
    other: float


@lru_cache(maxsize=1)
def _states() -> dict[int, dict]:
    """The network's state, of one coordinate, in a run of 200 steps on digits."""
    problem, kept = SMALL.sample(1, (0, 6)), {}
    chosen = None
    for step in steps_of(learned_rule()[0], problem, LONGEST):
        if chosen is None:
            chosen = int(step.gradients[0].abs().argmax())
        kept[step.t] = {name: value[0, chosen].clone() for name, value in step.state.items()}
    return kept


def compute_mapping(
    feature: str = "mt", other: float = 0.0, after: int = 100, weight: float = -0.6, gamma: float = 0.5
) -> Mapping:
    """The curve at the start, and after so many steps of a run; and ``weight * gamma * tanh(feature / gamma)``."""
    rule, values = learned_rule()[0], np.linspace(-3, 3, 61)
    others = {"gt" if feature == "mt" else "mt": float(other)}
    curves = {"at the start": mapping_curve(rule, feature, values, others=others)}
    if after:
        state = {name: one.expand(len(values), *one.shape) for name, one in _states()[after].items()}
        curves[f"after {after} steps"] = mapping_curve(rule, feature, values, state=state, t=after, others=others)
    told = weight * gamma * np.tanh(values / gamma)
    return Mapping(feature, values, curves, told, (weight, 0.0), gamma, other)


def draw_mapping(result: Mapping, fig) -> None:
    """Curves of the network, and the formula in black."""
    ax = fig.subplots()
    looks = ((VERMILLION, "-"), (ORANGE, "--"))
    for (label, curve), (colour, line) in zip(result.learned.items(), looks, strict=False):
        ax.plot(result.values, curve, color=colour, linestyle=line, linewidth=3, label=f"{LEARNED}, {label}")
    words = f"{result.weights[0]:.2g} γ tanh({result.feature}/γ), γ = {result.gamma:.2g}"
    ax.plot(result.values, result.formula, color=BLACK, linewidth=1.6, linestyle="-.", label=words)
    ax.axhline(0, color=GREY, linewidth=0.8, linestyle="-")
    ax.set(xlabel=f"{result.feature}, with {'gt' if result.feature == 'mt' else 'mt'} = {result.other:g}",
           ylabel="update before scaling", ylim=(-1.05, 1.05))  # fmt: skip
    ax.legend(fontsize=10, loc="upper right")


def describe_mapping(result: Mapping) -> str:
    """How far the update goes, and how far the formula is from it."""
    told = [f"{label} from {curve.max():.2f} to {curve.min():.2f}" for label, curve in result.learned.items()]
    away = np.abs(list(result.learned.values())[-1] - result.formula).max()
    return (
        f"The update as {result.feature} goes from -3 to 3: {'; '.join(told)}. The formula is at most {away:.2f} away "
        "from the last of these curves."
    )


def mapping_panel() -> Panel:
    """Feature, the other feature, the moment, and the formula's two constants."""
    controls = [
        Choice("feature", ["mt", "gt"], label="feature"),
        Slider("other", -2.0, 2.0, 0.25, 0.0, label="the other feature"),
        Slider("after", 0, LONGEST, 10, 100, label="steps of a run"),
        Slider("weight", -2.0, 0.5, 0.05, -0.6, label="weight W"),
        Slider("gamma", 0.05, 20.0, 0.1, 0.5, label="γ", log=True),
    ]
    return Panel(compute_mapping, draw_mapping, controls, describe_mapping, "Mapping curve", (8, 4.4))


# ---------------------------------------------------------------- formulas of few terms


def draw_short(result: Short, fig) -> None:
    """Fidelity against the number of terms, and student against teacher."""
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.1))
    terms = np.arange(1, len(result.held) + 1)
    left.plot(terms, result.train, "s--", color=GREY, markersize=5, label="optimizees trained on")
    left.plot(terms, result.held, "o-", color=VERMILLION, markersize=6, label="held-out optimizees")
    left.set(xlabel="terms of the formula", ylabel="R² with the rule", ylim=(min(-0.05, *result.held) - 0.02, 1.05))
    left.xaxis.get_major_locator().set_params(integer=True)
    left.legend(fontsize=10, loc="lower right")
    right.plot(result.known[:600], result.told[:600], "o", color=BLUE, markersize=3, alpha=0.5, linestyle="none")
    ends = [result.known.min(), result.known.max()]
    right.plot(ends, ends, color=BLACK, linewidth=1, linestyle="-")
    right.set(xlabel=f"update of {result.rule}", ylabel=f"update of {len(result.terms)} terms")
    right.set_title(cut(_formula(result), 52), fontsize=11)


def _formula(result: Short) -> str:
    if result.gamma >= 100:
        pieces = [f"{weight:+.3g} {name}" for weight, name in result.terms]
    else:
        pieces = [f"{weight:+.3g} τ({name})" for weight, name in result.terms]
    return " ".join(pieces)


def describe_short(result: Short) -> str:
    """Fidelity of the shortest and of the longest."""
    return (
        f"{result.rule} on {result.family}, from {result.features}: R² on held-out optimizees {result.held[0]:.3f} "
        f"with one term and {result.held[-1]:.3f} with {len(result.held)}: {_formula(result)}."
    )


def distil_panel() -> Panel:
    """The rule, where it was watched, features, history, how many terms, γ."""
    controls = [
        Choice("rule", list(RULES), LEARNED, label="rule"),
        Choice("family", list(FAMILIES), "digits", label="optimizees"),
        Choice("features", list(FEATURES), "mt, gt and their past", label="features"),
        Slider("history", 0, LAGS, 1, 5, label="history, steps back"),
        Slider("most", 1, 12, 1, 6, label="terms at most"),
        Slider("gamma", 0.1, 100.0, 0.25, 100.0, label="γ (100: straight lines)", log=True),
    ]
    return Panel(short_rule, draw_short, controls, describe_short, "From trajectories to a formula", (10, 4.4))
