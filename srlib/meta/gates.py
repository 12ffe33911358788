"""Gates that all tasks share: which units of an equation learner a family needs, decided by adaptation."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from itertools import combinations

import torch

from ..eql.extraction import used_weights
from ..validation import check_number
from .models import OffsetEQL
from .outer import MetaLearned
from .tasks import Tasks

__all__ = ["open_gates", "open_units", "with_units"]

FLOOR = 1e-12  # an error that is as good as none, for the geometric mean


def open_units(learned: MetaLearned) -> list[int]:
    """The numbers of the units of the last layer that are open."""
    architecture = _architecture(learned)
    if learned.alive is None:
        return list(range(architecture.width))
    return torch.nonzero(learned.alive[-architecture.width :]).flatten().tolist()


def with_units(learned: MetaLearned, units) -> MetaLearned:
    """The same, with only these units of the last layer open: the weights to and from the others are 0 and stay so."""
    architecture = _architecture(learned)
    units = set(units)
    if unknown := units - set(range(architecture.width)):
        raise ValueError(f"units holds {min(unknown)}: the last layer has units 0 to {architecture.width - 1}")
    alive = torch.ones(architecture.size, dtype=torch.bool)
    closed = [unit for unit in range(architecture.width) if unit not in units]
    alive[[architecture.size - architecture.width + unit for unit in closed]] = False
    alive = torch.from_numpy(used_weights(architecture, alive.numpy()))
    return replace(learned, theta=learned.theta * alive, alive=alive)


def open_gates(
    learned: MetaLearned, tasks: Tasks, most: int = 5, steps: int = 30, factor: float = 1.0, gain: float = 0.3
) -> MetaLearned:
    """The same with a few units open: those with which the family is adapted to best, one or two more at a time.

    Pairs are tried, because neither of two exponentials is of much use alone.

    Parameters
    ----------
    learned : MetaLearned
        Of an :class:`~srlib.meta.OffsetEQL`.
    tasks : Tasks
        Whose query errors decide: their geometric mean, so that a task that is solved exactly counts for much. Take
        other tasks to judge the result by.
    most : int
        Units at most.
    steps, factor
        As in :meth:`MetaLearned.adapt`.
    gain : float
        It ends where the mean logarithm of the error would fall by less than this for each unit more.
    """
    check_number("most", most, least=1, whole=True)
    pool, units, score, best = open_units(learned), [], math.inf, learned
    while len(units) < min(most, len(pool)):
        others = [unit for unit in pool if unit not in units]
        additions = [one for count in (1, 2) for one in combinations(others, count) if len(units) + count <= most]
        tried = [with_units(learned, [*units, *one]) for one in additions]
        scores = [_score(one, tasks, steps, factor) for one in tried]
        before = 0.0 if score == math.inf else score
        gains = [(before - new) / len(one) for new, one in zip(scores, additions, strict=True)]
        at = max(range(len(gains)), key=gains.__getitem__)
        if score < math.inf and gains[at] < gain:
            break
        best, score, units = tried[at], scores[at], [*units, *additions[at]]
    return best


def _score(learned: MetaLearned, tasks: Tasks, steps: int, factor: float) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        errors = learned.adapt(tasks, steps, factor=factor, keep=[steps]).query_errors[0]
    return errors.clamp(FLOOR, 1e6).log().mean().item()


def _architecture(learned: MetaLearned):
    if not isinstance(learned.model.module, OffsetEQL):
        raise ValueError(f"the model is a {type(learned.model.module).__name__}: gates belong to an OffsetEQL")
    return learned.model.module.architecture
