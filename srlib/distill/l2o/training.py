"""Meta-training: a rule's parameters by truncated back-propagation through unrolls.

It trains networks and the constants of formulas alike. Each episode draws new optimizees and runs the rule on them;
after each unroll of a few steps the rule's parameters take a step of Adam, and the graph is cut (M. Andrychowicz et
al., arXiv 1606.04474). The curriculum of episode lengths and imitation are those of T. Chen et al. (arXiv 2010.09089).
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field

import numpy as np
import torch

from ...eql.search import one_torch_thread
from ...run import asked_to_stop
from ...validation import check_choice, check_number
from ..checkpoint import read_training, write_training
from .early_stopping import Kept, Validation
from .objective import unroll_loss
from .optimizees import Family
from .rules import Rule
from .unroll import blow_up_limit

__all__ = ["Episode", "MetaTraining", "meta_train"]


@dataclass(frozen=True)
class Episode:
    """An episode has ended; callbacks get one after each.

    Attributes
    ----------
    number, total : int
        This episode, from 1, and how many are planned (0: until the time is over).
    elapsed : float
        Seconds since the training began, with those before a checkpoint.
    steps : int
        Its length.
    first, last : float
        The mean loss of the optimizees that did not diverge, in its first and its last unroll.
    diverged : int
        Optimizees that were stopped.
    unrolls, skipped : int
        Its unrolls, and after how many nothing was learned, because the meta-gradient was not finite.
    validation : float
        The score after it (:class:`~srlib.distill.l2o.Validation`); NaN where nobody looked.
    """

    number: int
    total: int
    elapsed: float
    steps: int
    first: float
    last: float
    diverged: int
    unrolls: int
    skipped: int
    validation: float = math.nan


@dataclass(frozen=True)
class MetaTraining:
    """What came of it.

    Attributes
    ----------
    rule : Rule
        The rule that was given, trained.
    history : tuple of Episode
    reason : {"completed", "time_limit", "callback", "interrupted"}
    kept : int or None
        With a validation: the episode after which the rule was what it is now; 0: as it was given.
    """

    rule: Rule = field(repr=False)
    history: tuple[Episode, ...] = field(repr=False)
    reason: str = "completed"
    kept: int | None = None

    @property
    def diverged(self) -> int:
        """Optimizees that were stopped, in all episodes."""
        return sum(one.diverged for one in self.history)


@one_torch_thread()
def meta_train(
    rule: Rule, family: Family | Sequence[Family], *, episodes: int | None = None, optimizees: int = 4,
    unroll: int = 20, steps: int | Sequence[int] = 200, learning_rate: float = 5e-3, decay: bool = True,
    objective: str = "log", counted: int | None = None, order: int = 1, clip: float = 10.0, max_norm: float = 1.0,
    imitate: Rule | None = None, share: float = 0.3, until: int | None = None, validation: Validation | None = None,
    seed: int = 0, time_limit: float | None = None, clock=time.monotonic, callbacks: Sequence[Callable] = (),
    checkpoint=None,
) -> MetaTraining:  # fmt: skip
    """Train a rule's parameters so that optimizees of a family are solved fast.

    Parameters
    ----------
    rule : Rule
        A network, or a :class:`~srlib.distill.l2o.FormulaRule`, whose constants are fine-tuned; changed in place.
    family : Family or sequence of Family
        Where each episode draws new optimizees from; several families take turns.
    episodes : int, optional
        How many; None: until the time limit.
    optimizees : int
        Of each episode.
    unroll : int
        Steps that are differentiated through.
    steps : int or sequence of int
        An episode's length. Several are a curriculum: each for the same share of the episodes, or of the time.
    learning_rate, decay
        Of Adam; whether it falls along half a cosine to a hundredth, over the episodes or the time.
    objective, counted, clip
        See :func:`unroll_loss`.
    order : {1, 2}
        Whether second derivatives of the optimizees count; see :func:`~srlib.distill.l2o.steps_of`.
    max_norm : float
        The meta-gradient's norm is cut to it.
    imitate, share, until
        A teacher to imitate, the share of the meta-loss, and the last episode in which (by default all).
    validation : Validation, optional
        The rule ends as it was when it did best there, which may be as it was given. By default as it is after the last
        episode.
    seed : int
        Of the optimizees.
    time_limit : float, optional
        Seconds, by ``clock``: ``time.process_time`` counts what the process computes and not what others do.
    callbacks : sequence of callable
        Called with each :class:`Episode`; one that returns something true ends the training. So does Ctrl-C.
    checkpoint : path, optional
        An NPZ file, where the state is kept after each tenth episode and at the end. A file that is there is gone on
        from; with ``episodes`` given the result is the same as without the interruption.

    Returns
    -------
    MetaTraining

    Raises
    ------
    ValueError
        If an argument cannot be used, or the checkpoint is that of another training.
    """
    families = (family,) if isinstance(family, Family) else tuple(family)
    lengths = [steps] if isinstance(steps, (int, np.integer)) else list(steps)
    _check(rule, families, lengths, episodes, time_limit, imitate)
    for name, value in (("optimizees", optimizees), ("unroll", unroll)):
        check_number(name, value, least=1, whole=True)
    check_number("learning_rate", learning_rate, above=0)
    check_number("max_norm", max_norm, above=0)
    check_number("until", until, least=1, whole=True, optional=True)
    check_number("seed", seed, least=0, whole=True)
    check_number("share", share, least=0, most=1)
    check_number("clip", clip, above=0)
    check_number("counted", counted, least=1, whole=True, optional=True)
    check_choice("objective", objective, ("log", "sum"))
    if order not in (1, 2):
        raise ValueError(f"order is {order!r}: give 1, or 2 for the second derivatives")
    parameters = [one for one in rule.parameters() if one.requires_grad]
    adam = torch.optim.Adam(parameters, lr=learning_rate)
    about = {
        "rule": _shown(rule), "families": repr(families), "episodes": episodes, "steps": lengths, "unroll": unroll,
        "optimizees": optimizees, "seed": seed, "learning_rate": learning_rate, "decay": decay, "objective": objective,
        "order": order, "clip": clip, "max_norm": max_norm, "imitate": imitate and _shown(imitate), "share": share,
        "until": until, "counted": counted, "validation": validation and repr(validation),
    }  # fmt: skip
    kept = None if validation is None else Kept(rule, validation)
    trained = rule if kept is None else kept
    history = [Episode(*row) for row in read_training(checkpoint, about, trained, adam)]
    if kept is not None:
        kept.begin([one.validation for one in history])
    reason = "completed"
    began = clock() - (history[-1].elapsed if history else 0.0)

    def passed() -> float:  # how much of the training is done, 0 to 1
        shares = [len(history) / episodes] if episodes else []
        shares += [(clock() - began) / time_limit] if time_limit else []
        return min(max(shares), 1.0)

    try:
        while passed() < 1:
            number, now = len(history) + 1, passed()
            for group in adam.param_groups:
                group["lr"] = learning_rate * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * now)) if decay else 1.0)
            length = lengths[min(int(now * len(lengths)), len(lengths) - 1)]
            batch = families[(number - 1) % len(families)].sample(optimizees, (seed, number))
            teacher = imitate if until is None or number <= until else None
            first, last, *counts = _episode(
                rule, batch, length, unroll, adam, parameters, max_norm,
                objective=objective, counted=counted, clip=clip, order=order, imitate=teacher, share=share,
            )  # fmt: skip
            score = math.nan if kept is None else kept.look(number, final=number == episodes)
            history.append(Episode(number, episodes or 0, clock() - began, length, first, last, *counts, score))
            if checkpoint is not None and number % 10 == 0:
                write_training(checkpoint, about, trained, adam, [astuple(one) for one in history])
            if asked_to_stop(callbacks, history[-1]):
                reason = "callback"
                break
        else:
            reason = "completed" if episodes and len(history) >= episodes else "time_limit"
    except KeyboardInterrupt:
        reason = "interrupted"
    if checkpoint is not None:
        write_training(checkpoint, about, trained, adam, [astuple(one) for one in history])
    if kept is not None:
        kept.end()
    if history and all(one.skipped == one.unrolls for one in history):
        warnings.warn(
            f"nothing was learned in {len(history)} episodes: no meta-gradient was finite; optimizees diverge (try a "
            "smaller scale), or the rule has no derivative somewhere",
            RuntimeWarning,
            stacklevel=3,
        )
    return MetaTraining(rule, tuple(history), reason, kept and kept.episode)


def _episode(rule, batch, length, unroll, adam, parameters, max_norm, **options):
    """One episode: the values of an :class:`Episode` from ``first`` on."""
    state, theta, diverged = rule.start(batch.start), batch.start, torch.zeros(len(batch), dtype=torch.bool)
    with torch.no_grad():
        first_losses = batch.losses(theta, 1).abs().clamp(min=1e-12)
    copied, means, skipped = None, [], 0
    for begin in range(1, length + 1, unroll):
        loss, last, copied, mean = unroll_loss(
            rule, batch, min(unroll, length + 1 - begin), theta=theta, state=state, first=begin, diverged=diverged,
            copied=copied, first_losses=first_losses, limit=blow_up_limit(first_losses), **options,
        )  # fmt: skip
        means.append(mean)
        adam.zero_grad()
        sound = loss.requires_grad and bool(loss.isfinite())
        if sound:
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm)
            sound = bool(norm.isfinite())
        if sound:
            adam.step()
        else:
            skipped += 1
        diverged = last.diverged
        if bool(diverged.all()):
            break
        theta, state = last.theta.detach(), {name: one.detach() for name, one in last.state.items()}
        copied = copied and {name: one.detach() for name, one in copied.items()}
    return means[0], means[-1], int(diverged.sum()), len(means), skipped


def _check(rule, families, lengths, episodes, time_limit, imitate) -> None:
    if not isinstance(rule, Rule) or not any(one.requires_grad and one.numel() for one in rule.parameters()):
        raise ValueError(f"rule is {rule!r:.80}: give a rule with parameters, such as rp_s() or FormulaRule('-2*mt')")
    if not (imitate is None or isinstance(imitate, Rule)):
        raise ValueError(f"imitate is {imitate!r:.80}: give a rule, such as adam(0.01)")
    if not families or not all(isinstance(one, Family) for one in families):
        raise ValueError(f"family is {families!r:.80}: give a family of optimizees, such as DigitsMLP()")
    if not lengths:
        raise ValueError("steps is empty: give the length of an episode, such as 200")
    for length in lengths:
        check_number("steps", length, least=1, whole=True)
    check_number("episodes", episodes, least=1, whole=True, optional=True)
    check_number("time_limit", time_limit, above=0, optional=True)
    if episodes is None and time_limit is None:
        raise ValueError("episodes and time_limit are both None: say when the training ends")


def _shown(rule: Rule) -> str:
    """What tells a rule from others, and does not change while it is trained."""
    return f"{getattr(rule, 'formula', rule)} of {rule.features!r}, scale {rule.scale!r}"
