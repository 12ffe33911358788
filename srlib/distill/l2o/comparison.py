"""A fair race: each optimiser with the scale that suits it best, found with the same budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from ...eql.search import one_torch_thread
from ...validation import check_number
from .optimizees import Optimizees
from .rules import Rule, cosine
from .unroll import Outcome, run_rule

__all__ = ["Tuned", "race", "tune"]


@dataclass(frozen=True)
class Tuned:
    """The best scale of a rule.

    Attributes
    ----------
    scale : float
    scheduled : bool
        Whether with a cosine schedule.
    loss : float
        The median over the optimizees of the mean loss in the last steps.
    tried : tuple of (float, bool, float)
        All scales, with the loss of each; infinite where most optimizees diverged.
    """

    scale: float
    scheduled: bool
    loss: float
    tried: tuple[tuple[float, bool, float], ...] = field(repr=False)


@one_torch_thread()
def tune(
    make: Callable[[torch.Tensor], Rule], optimizees: Optimizees, steps: int, scales: Sequence[float],
    schedules: Sequence[bool] = (False, True), last: int = 20,
) -> Tuned:  # fmt: skip
    """Try each scale, with and without a cosine schedule, on the same optimizees.

    Parameters
    ----------
    make : callable
        ``make(scale)`` gives the rule, such as :func:`~srlib.distill.l2o.adam`; all scales run at once, as a tensor.
    optimizees : Optimizees
        Not those that are judged on later.
    steps, last : int
        Steps of each run, and how many of them the loss is the mean of.
    scales : sequence of float
    schedules : sequence of bool

    Raises
    ------
    ValueError
        If there is nothing to try.
    """
    if not len(scales) or not len(schedules):
        raise ValueError(f"scales is {list(scales)} and schedules {list(schedules)}: give at least one of each")
    for scale in scales:
        check_number("scales", scale, above=0)
    check_number("last", last, least=1, whole=True)
    count, tried = len(optimizees), []
    every = optimizees.repeat(len(scales))
    column = torch.tensor(list(scales), dtype=optimizees.start.dtype).repeat_interleave(count)[:, None]
    for scheduled in schedules:
        with torch.no_grad():
            outcome = run_rule(make(column), every, steps, schedule=cosine(steps) if scheduled else None)
        losses = outcome.final(last).view(len(scales), count).median(dim=1).values
        tried += [
            (scale, scheduled, loss if math.isfinite(loss) else math.inf)
            for scale, loss in zip(scales, losses.tolist(), strict=True)
        ]
    scale, scheduled, loss = min(tried, key=lambda one: one[2])
    return Tuned(scale, scheduled, loss, tuple(tried))


@one_torch_thread()
def race(
    rules: Mapping[str, Rule | tuple[Rule, Callable[[int], float]]], optimizees: Optimizees, steps: int,
    path: bool = False,
) -> dict[str, Outcome]:  # fmt: skip
    """Let optimisers run from the same starts on the same data.

    Parameters
    ----------
    rules : mapping of str
        To each name a rule, or a rule and its schedule.
    optimizees : Optimizees
        On a landscape such as :class:`~srlib.distill.l2o.Rosenbrock` the paths can be drawn.
    steps : int
    path : bool
        Whether to keep the parameters of all steps.
    """
    outcomes = {}
    for name, given in rules.items():
        rule, schedule = given if isinstance(given, tuple) else (given, None)
        with torch.no_grad():
            outcomes[name] = run_rule(rule, optimizees, steps, schedule=schedule, path=path)
    return outcomes
