"""Traffic between islands: the hall of fame's and the neighbours' best replace a few members (Algorithm 1)."""

from __future__ import annotations

import numpy as np

from .evolve import COUNTS, Rules, crowded
from .island import Island
from .judge import BIRTH, LOSS, Members

__all__ = ["best_of_each_complexity", "migrate", "receive", "take_better"]

CLOCK, FILLED = COUNTS[5], COUNTS[6]


def take_better(hall: Members, other: Members) -> np.ndarray:
    """Copy into the hall what is better at its complexity; returns the places that changed."""
    changed = np.flatnonzero(other.costs[:, LOSS] < hall.costs[:, LOSS])
    for own, theirs in zip(hall, other, strict=True):
        own[changed] = theirs[changed]
    return changed


def best_of_each_complexity(hall: Members) -> np.ndarray:
    """The places of the hall that are better than all shorter formulas."""
    losses = hall.costs[:, LOSS]
    least = np.minimum.accumulate(np.concatenate(([np.inf], losses[:-1])))
    return np.flatnonzero(losses < least)


def migrate(islands: list[Island], hall: Members, shares: tuple[float, float], rules: Rules, rng) -> None:
    """Poisson(share * members) formulas of the hall of fame, and of the other islands' best, go to each island."""
    from_hall, from_others = shares
    best = [best_of_each_complexity(island.hall) for island in islands]
    own = best_of_each_complexity(hall)
    for number, island in enumerate(islands):
        many = int(island.counts[FILLED])
        for _ in range(rng.poisson(from_hall * many)):
            if len(own):
                receive(island, hall, int(own[int(rng.random() * len(own))]), rules)
        others = [(i, place) for i, places in enumerate(best) if i != number for place in places]
        for _ in range(rng.poisson(from_others * many)):
            if others:
                i, place = others[int(rng.random() * len(others))]
                receive(island, islands[i].hall, int(place), rules)


def receive(island: Island, source: Members, place: int, rules: Rules) -> None:
    """An immigrant takes a member's place, by the island's own rule of replacement, or at random."""
    population, filled = island.population, int(island.counts[FILLED])
    loss, weight = source.costs[place]
    if rules.crowding:
        at = int(crowded(population.costs, filled, loss, weight, rules.quota))
    else:
        at = int(island.rng.random() * filled)
    if at < 0:
        return
    for own, theirs in zip(population, source, strict=True):
        own[at] = theirs[place]
    island.counts[CLOCK] += 1
    island.counts[FILLED] += at == filled
    population.info[at, BIRTH] = island.counts[CLOCK]
