"""The meta-loss: how well a rule does over the steps of one unroll, ready to be differentiated."""

from __future__ import annotations

import math

import numpy as np
import torch

from .optimizees import Optimizees
from .rules import Rule
from .unroll import steps_of

__all__ = ["unroll_loss"]


def unroll_loss(
    rule: Rule, optimizees: Optimizees, steps: int, *, objective: str = "log", clip: float = 10.0,
    counted: int | None = None, imitate=None, share: float = 0.0, copied=None, first_losses=None, **where,
):  # fmt: skip
    """The meta-loss of one unroll.

    Parameters
    ----------
    rule, optimizees, steps
    objective : {"log", "sum"}
        The mean over steps and optimizees of the loss as a share of its first value, or of its logarithm ("log"), which
        gives small losses late in an episode their weight.
    clip : float
        Losses count up to so many times their first value; beyond it they give no gradient.
    counted : int, optional
        Only the losses after so many last steps count; by default all.
    imitate : Rule, optional
        A teacher: ``share`` of the meta-loss is then the mean squared difference of the two updates before scaling
        (each in units of the rule's scale), on the rule's own trajectory.
    share : float
    copied : dict of Tensor, optional
        The teacher's state.
    first_losses : Tensor, shape (optimizees,), optional
        By default those of the unroll's first step.
    **where
        ``theta``, ``state``, ``first``, ``order``, ``limit``, ``diverged``; see :func:`~srlib.distill.l2o.steps_of`.

    Returns
    -------
    loss : Tensor
        A scalar; the loss after the last step counts, too. 0 where all optimizees have diverged.
    last : Step or None
        The last step.
    copied : dict of Tensor
        The teacher's state.
    mean : float
        The mean loss of the steps, without the logarithm, of those that did not diverge.

    Notes
    -----
    With ``order=1`` the graph contains no second derivatives of the optimizees: a loss depends on earlier updates
    through its gradient, which is known. So each step costs one evaluation, not two.
    """
    order = where.setdefault("order", 1)
    if imitate is not None and copied is None:
        copied = imitate.start(optimizees.start)
    terms, differences, plain, last = [], [], [], None

    def count(losses, gradients, theta, diverged):
        sound = ~diverged & (losses.detach() <= clip * first_losses) & gradients.isfinite().all(dim=1)
        if order == 1:  # the same value, and the derivative by theta that is known
            known = torch.where(sound[:, None], gradients, 0.0)  # 0 times infinity would be NaN for all optimizees
            losses = losses + ((theta - theta.detach()) * known).sum(dim=1)
        worst = torch.as_tensor(clip, dtype=losses.dtype)
        relative = torch.where(sound, losses / first_losses, worst)
        terms.append((relative.clamp(min=1e-12).log() if objective == "log" else relative).mean())
        if not bool(diverged.all()):
            plain.append(losses.detach()[~diverged].mean().item())

    for step in steps_of(rule, optimizees, steps, **where):
        if first_losses is None:
            first_losses = step.losses.detach().abs().clamp(min=1e-12)
        if last is not None:  # the start of an unroll does not depend on the rule
            count(step.losses, step.gradients, step.before, step.diverged)
        if imitate is not None:
            with torch.set_grad_enabled(order == 2):
                wanted, copied = imitate(step.gradients, copied, step.t)
                wanted = wanted * imitate.scale / rule.scale
            differences.append(((step.updates - wanted) ** 2).mean())
        last = step
    if last is not None and not bool(last.diverged.all()):
        with torch.set_grad_enabled(order == 2):
            losses, gradients = optimizees.gradients(last.theta, last.t + 1)
        count(losses, gradients, last.theta, last.diverged | ~losses.detach().isfinite())
    terms = terms if counted is None else terms[-counted:]
    loss = torch.stack(terms).mean() if terms else torch.zeros(())
    if differences:
        loss = (1 - share) * loss + share * torch.stack(differences).mean()
    return loss, last, copied, (float(np.mean(plain)) if plain else math.inf)
