"""Optimisers at work: a batch of optimizees, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch

from ...validation import check_number
from .features import State
from .optimizees import Optimizees
from .rules import Rule

__all__ = ["Outcome", "Step", "blow_up_limit", "run_rule", "steps_of"]

BLOWN_UP = 1e3  # an optimizee whose loss is above so many times that of its start has diverged


def blow_up_limit(first_losses: torch.Tensor) -> torch.Tensor:
    """The loss above which an optimizee has diverged: 1000 times its first one, and at least 1000. (optimizees,)"""
    return BLOWN_UP * first_losses.detach().abs().clamp(min=1.0)


@dataclass(frozen=True)
class Step:
    """One step of all optimizees.

    Attributes
    ----------
    t : int
        Its number, from 1.
    before, theta : Tensor, shape (optimizees, parameters)
        The parameters before and after it.
    losses : Tensor, shape (optimizees,)
        Before it.
    gradients, updates : Tensor, shape (optimizees, parameters)
        The updates are those before scaling.
    state : dict of Tensor
        The rule's, after it.
    diverged : Tensor of bool, shape (optimizees,)
        Those that were stopped, in this step or before: their parameters stay as they were.
    """

    t: int
    before: torch.Tensor
    theta: torch.Tensor
    losses: torch.Tensor
    gradients: torch.Tensor
    updates: torch.Tensor
    state: State
    diverged: torch.Tensor


def steps_of(
    rule: Rule, optimizees: Optimizees, steps: int, *, theta: torch.Tensor | None = None, state: State | None = None,
    first: int = 1, order: int = 0, schedule: Callable[[int], float] | None = None,
    limit: torch.Tensor | None = None, diverged: torch.Tensor | None = None,
) -> Iterator[Step]:  # fmt: skip
    """Apply a rule to all optimizees, and yield each step.

    Parameters
    ----------
    rule : Rule
    optimizees : Optimizees
    steps : int
    theta, state, first, diverged
        Where to go on from; by default at the optimizees' start.
    order : {0, 1, 2}
        What is kept for gradients: 0 nothing; 1 how parameters depend on earlier updates, with the gradients that the
        rule sees as given numbers (as in the literature); 2 also how these depend on the parameters.
    schedule : callable, optional
        ``schedule(t)`` multiplies the rule's scale.
    limit : Tensor, shape (optimizees,), optional
        An optimizee is stopped when its loss is above; by default :func:`blow_up_limit` of the first losses here. Who
        goes on from an earlier step gives that of the very first ones.

    Notes
    -----
    An optimizee whose loss, gradient or update is not finite is stopped, too. When all are, the iteration ends.
    """
    check_number("steps", steps, least=1, whole=True)
    if order not in (0, 1, 2):
        raise ValueError(f"order is {order!r}: give 0, 1 or 2")
    theta = optimizees.start if theta is None else theta
    state = rule.start(theta.detach()) if state is None else state
    diverged = torch.zeros(len(theta), dtype=torch.bool) if diverged is None else diverged
    for t in range(first, first + steps):
        with torch.set_grad_enabled(order == 2):
            losses, gradients = optimizees.gradients(theta, t)
        if limit is None:
            limit = blow_up_limit(losses)
        with torch.set_grad_enabled(order > 0):  # not around the yield, where it would reach the caller
            bad = ~losses.isfinite() | (losses > limit) | ~gradients.isfinite().all(dim=1)
            gradients = torch.where((bad | diverged)[:, None], 0.0, gradients)
            updates, state = rule(gradients, state, t)
            diverged = diverged | bad | ~updates.isfinite().all(dim=1)
            updates = torch.where(diverged[:, None], 0.0, updates)
            size = rule.scale if schedule is None else rule.scale * schedule(t)
            before, theta = theta, theta + size * updates
        yield Step(t, before, theta, losses, gradients, updates, state, diverged)
        if bool(diverged.all()):
            return


@dataclass(frozen=True)
class Outcome:
    """How a rule did.

    Attributes
    ----------
    losses : Tensor, shape (steps, optimizees)
        Before each step; infinite from where an optimizee was stopped.
    theta : Tensor, shape (optimizees, parameters)
        In the end.
    diverged : Tensor of bool, shape (optimizees,)
    path : Tensor, shape (steps + 1, optimizees, parameters), optional
    """

    losses: torch.Tensor
    theta: torch.Tensor = field(repr=False)
    diverged: torch.Tensor = field(repr=False)
    path: torch.Tensor | None = field(default=None, repr=False)

    def final(self, last: int = 20) -> torch.Tensor:
        """The mean loss of each optimizee over the last steps, (optimizees,)."""
        return self.losses[-last:].mean(dim=0)


def run_rule(
    rule: Rule, optimizees: Optimizees, steps: int, *, schedule: Callable[[int], float] | None = None,
    path: bool = False,
) -> Outcome:  # fmt: skip
    """Apply a rule to optimizees from their start.

    Parameters
    ----------
    rule : Rule
    optimizees : Optimizees
    steps : int
    schedule : callable, optional
        See :func:`steps_of`.
    path : bool
        Whether to keep the parameters of all steps.

    Returns
    -------
    Outcome
    """
    theta, losses, places = optimizees.start, [], [optimizees.start]
    diverged = torch.zeros(len(theta), dtype=torch.bool)
    for step in steps_of(rule, optimizees, steps, schedule=schedule):
        losses.append(torch.where(step.diverged, math.inf, step.losses))
        theta, diverged = step.theta, step.diverged
        if path:
            places.append(theta)
    losses += [torch.full_like(losses[0], math.inf)] * (steps - len(losses))
    if path:
        places += [theta] * (steps + 1 - len(places))
    return Outcome(torch.stack(losses), theta, diverged, torch.stack(places) if path else None)
