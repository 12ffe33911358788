"""Lesson 04: meta-training at work, and the fit of a new task step by step.

Training and adaptation are those of :mod:`srlib.meta`; the oscillator and the two landscapes are in
:mod:`.oscillators`, the pitfalls of document 000's numbers in :mod:`.pitfalls`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch

from srlib.eql import Unit
from srlib.meta import (
    Adapted,
    DampedOscillators,
    Family,
    FlatModel,
    GaussNewton,
    GradientDescent,
    MetaLearned,
    MetaStep,
    OffsetEQL,
    Sinusoids,
    Tasks,
    WavesAndExponentials,
    joint,
    maml,
    mlp,
    open_gates,
    open_units,
    tune_rate,
    with_units,
)

from ..controls import Choice, Slider
from ..live import LiveRun
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from .pictures import still

__all__ = [
    "DOCUMENT", "FACTORS", "FAMILIES", "FINN", "LOOKS", "Fit", "Meta", "draw_curves", "draw_meta", "fit_panel",
    "judged", "learn", "learn_formulas", "meta_run", "quietly", "still", "to_tune",
]  # fmt: skip

FAMILIES: dict[str, Family] = {
    "waves and exponentials": WavesAndExponentials(),
    "sinusoids of Finn and others": Sinusoids(),
    "damped oscillators": DampedOscillators(),
}
DOCUMENT, FINN = "waves and exponentials", "sinusoids of Finn and others"
SINE, EXPONENTIAL = Unit("sine", "sin(a)"), Unit("exponential", "exp(a)")
SCALES = (3.0, 0.5, 0.3)  # first frequencies of some radians per unit of x
FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # of the inner rates, the same ones for every method
RATE, OUTER = 0.05, 200  # inner rate, outer steps
LOOKS = {
    "MAML": {"color": VERMILLION, "linestyle": "-", "marker": "o"},
    "joint": {"color": BLUE, "linestyle": "--", "marker": "s"},
    "scratch": {"color": GREEN, "linestyle": ":", "marker": "^"},
}


def network(kind: str = "ReLU", seed: int = 0) -> FlatModel:
    """A network for gradient descent: 2 x 40 ReLU units, or eight sines with frequency, phase and amplitude."""
    if kind == "ReLU":
        return FlatModel(mlp(seed=seed))
    return FlatModel(OffsetEQL({SINE: 8}, scales=SCALES, seed=seed))


def judged(family: str = DOCUMENT, tasks: int = 100) -> Tasks:
    """Fresh tasks to judge by."""
    return FAMILIES[family].sample(tasks, (10**9,), query=50)


def to_tune(family: str = DOCUMENT) -> Tasks:
    """Others, to choose rates by."""
    return FAMILIES[family].sample(50, (10**9 + 1,), query=50)


@lru_cache(maxsize=16)
def learn(method: str, family: str = DOCUMENT, laws: int = 0, kind: str = "ReLU", seed: int = 0) -> MetaLearned:
    """The lesson's training of a method on a family; with ``laws`` on so many that are drawn once."""
    family, start = FAMILIES[family], network(kind, seed)
    family = family.fixed(laws, (seed, 7)) if laws else family
    if method == "scratch":
        return MetaLearned.from_scratch(start, RATE, GradientDescent(10.0))
    if method == "joint":
        found = joint(start, family, steps=500, tasks=15, learning_rate=1e-2, seed=seed)
        return replace(found, rate=RATE, method=GradientDescent(10.0))
    return maml(
        start, family, steps=OUTER, tasks=laws or 15, inner_steps=5, rate=RATE, method=GradientDescent(10.0),
        learn_rates=True, learning_rate=1e-2, seed=seed,
    )  # fmt: skip


UNITS = {Unit("one", "1"): 1, "identity": 1, SINE: 2, EXPONENTIAL: 2}


@lru_cache(maxsize=4)
def learn_formulas(seed: int = 0, steps: int = 100) -> dict[str, MetaLearned]:
    """Networks that are adapted by Gauss-Newton steps, to be read as formulas, by what was learned of them.

    "nothing": six units as they start. "which units": the units that "units and start" has left open, with their first
    values. "units and start": meta-trained, units chosen, meta-trained again.
    """
    family = FAMILIES[DOCUMENT]
    model = FlatModel(OffsetEQL(UNITS, scales=SCALES, seed=seed))
    settings = {"steps": steps, "tasks": 15, "inner_steps": 5, "rate": 1.0, "method": GaussNewton(),
                "learn_rates": True, "log_floor": 1e-6}  # fmt: skip
    wide = maml(model, family, learning_rate=2e-2, seed=seed, **settings)
    opened = open_gates(wide, family.sample(30, (seed, 11)), most=4)
    learned = maml(model, family, learning_rate=1e-2, seed=(seed, 1), begin=opened, **settings)
    scratch = MetaLearned.from_scratch(model, 1.0, GaussNewton())
    return {
        "nothing": scratch, "which units": with_units(scratch, open_units(learned)), "units and start": learned,
    }  # fmt: skip


def quietly(learned: MetaLearned, tasks: Tasks, steps: int, factor: float = 1.0, keep=None) -> Adapted:
    """Adapt without a warning about tasks that diverge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return learned.adapt(tasks, steps, factor=factor, keep=keep)


# ---------------------------------------------------------------- the fit of a new task


@dataclass(frozen=True)
class Fit:
    """A new task, and each method's curve on it after so many steps, at a tuned rate times ``factor``."""

    x: np.ndarray
    truth: np.ndarray
    seen: np.ndarray  # (points, 2)
    steps: int
    curves: dict[str, tuple[np.ndarray, np.ndarray]]  # name: before, after
    errors: dict[str, np.ndarray]  # by step


def fit_panel(methods: Mapping[str, MetaLearned], family: str = DOCUMENT) -> Panel:
    """A new task, its number of points, the inner steps, and the rate: how each method's curve moves."""
    own, drawn = to_tune(family), FAMILIES[family]
    tuned = {name: tune_rate(learned, own, FACTORS) for name, learned in methods.items()}

    def compute(task, points, steps, factor):
        tasks = drawn.sample(1, (424242, int(task)), support=int(points), query=1)
        law = tasks.laws[0]
        x = np.linspace(*law.domain, 201)
        dense = torch.from_numpy(x)[None, :, None]
        tasks = Tasks(tasks.x_support, tasks.y_support, dense, torch.from_numpy(law.values(x))[None, :, None])
        curves, errors = {}, {}
        for name, learned in methods.items():
            adapted = quietly(learned, tasks, 50, tuned[name] * float(factor))
            curves[name] = (adapted.predictions[0, 0, :, 0].numpy(), adapted.predictions[int(steps), 0, :, 0].numpy())
            errors[name] = adapted.query_errors[:, 0].numpy()
        seen = torch.cat([tasks.x_support, tasks.y_support], dim=2)[0].numpy()
        return Fit(x, law.values(x), seen, int(steps), curves, errors)

    controls = [
        Slider("task", 0, 30, 1, 1, label="new task number"),
        Slider("points", 2, 20, 1, 10, label="points K"),
        Slider("steps", 0, 50, 1, 5, label="inner steps"),
        Slider("factor", 0.03, 10.0, 0.25, 1.0, label="inner rate, times tuned", log=True),
    ]
    return Panel(compute, _draw_fit, controls, _describe_fit, "A new task, step by step", (10.5, 4.4))


def _draw_fit(result: Fit, fig) -> None:
    left, right = fig.subplots(1, 2, width_ratios=(3, 2))
    left.plot(result.x, result.truth, color=BLACK, linewidth=4, alpha=0.25, linestyle="-", label="the law")
    for name, (before, after) in result.curves.items():
        look = LOOKS[name]
        left.plot(result.x, before, color=look["color"], linewidth=0.9, linestyle=":")
        left.plot(result.x, after, color=look["color"], linestyle=look["linestyle"], linewidth=2, label=name)
        errors = np.clip(np.where(np.isfinite(result.errors[name]), result.errors[name], 1e3), 1e-6, 1e3)
        right.plot(errors, color=look["color"], linestyle=look["linestyle"], linewidth=2)
        right.plot(result.steps, errors[result.steps], look["marker"], color=look["color"], markersize=8)
    left.plot(*result.seen.T, "o", color=ORANGE, markersize=7, markeredgecolor=BLACK, label="support set")
    span = max(np.ptp(result.truth), 1.0)
    left.set(xlabel="x", ylabel="f", ylim=(result.truth.min() - 0.5 * span, result.truth.max() + 0.5 * span))
    left.set_title(f"after {result.steps} inner steps (faint: before the first)", fontsize=12)
    left.legend(fontsize=9, loc="best", ncols=2)
    right.axhline(np.mean(result.truth**2), color=GREY, linewidth=1, linestyle="-.")
    right.set(yscale="log", xlabel="inner step (dash-dotted: predicting 0)", ylabel="query MSE")


def _describe_fit(result: Fit) -> str:
    words = ", ".join(f"{name} {errors[result.steps]:.2g}" for name, errors in result.errors.items())
    return f"Query error after {result.steps} steps: {words}; predicting 0 gives {np.mean(result.truth**2):.2g}."


# ---------------------------------------------------------------- meta-training at work


@dataclass(frozen=True)
class Meta:
    """A meta-training at some moment: errors by outer step, and three new tasks as it adapts to them now."""

    family: str
    order: int
    inner_steps: int
    history: np.ndarray  # (outer steps, 3): number, before, after
    tasks: Tasks
    before: np.ndarray  # (tasks, points)
    after: np.ndarray
    curve: np.ndarray  # median query error of fresh tasks by inner step
    zero: float
    total: int


def meta_run(outer: int = 150) -> LiveRun:
    """MAML with the reader's family, points, inner rate, inner steps and order."""

    def work(job, family, support, rate, inner_steps, order):
        drawn, seen = FAMILIES[family], []
        fresh, steps = drawn.sample(60, (5, 5), support=int(support), query=50), max(10, int(inner_steps))
        shown = _dense(drawn.sample(3, (6, 6), support=int(support)))
        model, method = network(), GradientDescent(10.0)

        def snapshot(theta) -> Meta:
            now = MetaLearned(model, theta.clone(), float(rate), method)
            lines = quietly(now, shown, int(inner_steps)).predictions[..., 0].numpy()
            medians = quietly(now, fresh, steps).query_errors.median(dim=1).values.numpy()
            zero = fresh.zero_errors().median().item()
            past = np.array(seen)
            return Meta(family, int(order), int(inner_steps), past, shown, lines[0], lines[-1], medians, zero, outer)

        def watch(event: MetaStep) -> bool:
            seen.append((event.number, event.before, event.after))
            job.report(event.number / event.total, f"outer step {event.number} of {event.total}")
            if event.number % 25 == 0 or event.number == event.total:
                job.publish(snapshot(event.theta))
            return bool(job.stopping)

        maml(
            model, drawn, steps=outer, tasks=15, support=int(support), inner_steps=int(inner_steps), rate=float(rate),
            order=int(order), method=method, learning_rate=1e-2, callbacks=[watch],
        )  # fmt: skip

    controls = [
        Choice("family", list(FAMILIES), label="family"),
        Slider("support", 2, 20, 1, 10, label="points K"),
        Slider("rate", 1e-3, 1.0, 0.25, 0.1, label="inner rate α", log=True),
        Slider("inner_steps", 1, 10, 1, 5, label="inner steps"),
        Choice("order", {"second (MAML)": 2, "first (FOMAML)": 1}, 2, label="order"),
    ]
    return LiveRun(work, draw_meta, controls, _describe_meta, "Meta-training at work", (10.5, 6.2))


def _dense(tasks: Tasks, points: int = 201) -> Tasks:
    """The same tasks, with evenly spread query points."""
    x = np.stack([np.linspace(*law.domain, points) for law in tasks.laws])
    y = np.stack([law.values(one) for law, one in zip(tasks.laws, x, strict=True)])
    x, y = torch.from_numpy(x)[:, :, None], torch.from_numpy(y)[:, :, None]
    return Tasks(tasks.x_support, tasks.y_support, x, y, tasks.laws)


def draw_meta(result: Meta, fig) -> None:
    """Three new tasks above; below the errors by outer step, and by inner step now."""
    top, bottom = fig.subfigures(2, 1, height_ratios=(1, 1))
    for task, ax in enumerate(top.subplots(1, 3)):
        x, truth = (one[task, :, 0].numpy() for one in (result.tasks.x_query, result.tasks.y_query))
        ax.plot(x, truth, color=BLACK, linewidth=4, alpha=0.25, linestyle="-", label="the law")
        ax.plot(x, result.before[task], color=GREY, linewidth=1.5, linestyle=":", label="before")
        ax.plot(x, result.after[task], color=VERMILLION, linestyle="-", label=f"{result.inner_steps} steps")
        ax.plot(
            result.tasks.x_support[task, :, 0], result.tasks.y_support[task, :, 0], "o", color=ORANGE, markersize=5,
            markeredgecolor=BLACK,
        )  # fmt: skip
        span = max(float(np.ptp(truth)), 1.0)
        ax.set(xlabel="x", ylim=(truth.min() - 0.4 * span, truth.max() + 0.6 * span))
        ax.set_title(f"new task {task + 1}", fontsize=11)
        if task == 0:
            ax.legend(fontsize=8, loc="upper center", ncols=3)
    left, right = bottom.subplots(1, 2)
    for column, colour, style, label in ((1, GREY, ":", "before"), (2, VERMILLION, "-", "after")):
        values = np.clip(np.nan_to_num(result.history[:, column], nan=1e3, posinf=1e3), 1e-6, 1e3)
        left.plot(result.history[:, 0], values, color=colour, linestyle=style, linewidth=1.2, label=label)
    left.set(yscale="log", xlabel="outer step", ylabel="mean query MSE", xlim=(0, result.total))
    left.legend(fontsize=9)
    right.plot(np.clip(np.nan_to_num(result.curve, posinf=1e3), 1e-6, 1e3), "o-", color=VERMILLION, markersize=4)
    right.axhline(result.zero, color=GREY, linestyle="-.", linewidth=1)
    right.set(yscale="log", xlabel="inner step, 60 new tasks (dash-dotted: 0)", ylabel="median query MSE")


def _describe_meta(result: Meta) -> str:
    return (
        f"Outer step {int(result.history[-1, 0])} of {result.total}, {result.family}, order {result.order}: median "
        f"query error {result.curve[0]:.2g} before and {result.curve[result.inner_steps]:.2g} after "
        f"{result.inner_steps} inner steps; predicting 0 gives {result.zero:.2g}."
    )


def draw_curves(curves: Mapping[str, np.ndarray], steps, zero: float, ax) -> None:
    """Median query errors by inner step, of each method."""
    for name, values in curves.items():
        ax.plot(steps, values, **LOOKS[name], linewidth=2, markersize=6, label=name)
    ax.axhline(zero, color=GREY, linewidth=1.5, linestyle="-.", label="predicting 0")
    ax.set(yscale="log", xlabel="inner steps", ylabel="query MSE, median", xticks=steps)
    ax.legend(fontsize=10)
