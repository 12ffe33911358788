"""Gates that all tasks share: which units of an equation learner a family needs, decided by adaptation."""

from __future__ import annotations

import warnings
from dataclasses import replace

import torch

from .models import OffsetEQL
from .outer import MetaLearned
from .tasks import Tasks

__all__ = ["close_gates", "open_units", "with_units"]

FLOOR = 1e-12  # an error that is as good as none, for the geometric mean


def open_units(learned: MetaLearned) -> list[int]:
    """The numbers of the units of the last layer that are open."""
    architecture = _architecture(learned)
    if learned.alive is None:
        return list(range(architecture.width))
    return torch.nonzero(learned.alive[-architecture.width :]).flatten().tolist()


def with_units(learned: MetaLearned, units) -> MetaLearned:
    """The same, with only these units of the last layer open: the weights to and from the others are 0 and stay so."""
    from ..eql.extraction import used_weights

    architecture = _architecture(learned)
    alive = torch.ones(architecture.size, dtype=torch.bool)
    closed = [unit for unit in range(architecture.width) if unit not in set(units)]
    alive[[architecture.size - architecture.width + unit for unit in closed]] = False
    alive = torch.from_numpy(used_weights(architecture, alive.numpy()))
    return replace(learned, theta=learned.theta * alive, alive=alive)


def close_gates(
    learned: MetaLearned, tasks: Tasks, count: int = 1, steps: int = 5, factor: float = 1.0, rise: float = 0.0
) -> MetaLearned:
    """Close units, each time the one without which the family is adapted to best.

    Parameters
    ----------
    learned : MetaLearned
        Of an :class:`~srlib.meta.OffsetEQL`.
    tasks : Tasks
        Whose query errors decide: their geometric mean, so that a task that is solved exactly counts for much.
    count : int
        Units to close at most.
    steps, factor
        As in :meth:`MetaLearned.adapt`.
    rise : float
        It ends where the mean logarithm of the error would rise by more than this.
    """
    score = _score(learned, tasks, steps, factor)
    for _ in range(count):
        units = open_units(learned)
        if len(units) == 1:
            break
        tried = [with_units(learned, [other for other in units if other != unit]) for unit in units]
        scores = [_score(one, tasks, steps, factor) for one in tried]
        best = min(range(len(units)), key=scores.__getitem__)
        if scores[best] > score + rise:
            break
        learned, score = tried[best], scores[best]
    return learned


def _score(learned: MetaLearned, tasks: Tasks, steps: int, factor: float) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        errors = learned.adapt(tasks, steps, factor=factor, keep=[steps]).query_errors[0]
    return errors.clamp(FLOOR, 1e6).log().mean().item()


def _architecture(learned: MetaLearned):
    if not isinstance(learned.model.module, OffsetEQL):
        raise ValueError(f"the model is a {type(learned.model.module).__name__}: gates belong to an OffsetEQL")
    return learned.model.module.architecture
