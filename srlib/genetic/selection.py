"""Step 3, selection: who has children?

Both functions take the population once and give back a function that draws one parent at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from random import Random

from .history import Individual

__all__ = ["roulette", "tournament"]


def tournament(population: Sequence[Individual], size: int) -> Callable[[Random], Individual]:
    """Draw ``size`` individuals at random; the fittest of them wins.

    The larger the tournament, the stronger the pressure; with ``size=1`` there is none, and evolution is a random
    walk.
    """

    if size < 1 or not population:
        raise ValueError(f"size is {size} and population has {len(population)} individuals: give at least 1 of each")

    def select(rng: Random) -> Individual:
        return min(rng.choices(population, k=size), key=lambda individual: individual.fitness)

    return select


def roulette(population: Sequence[Individual]) -> Callable[[Random], Individual]:
    """Spin a wheel on which an individual's slot is as wide as ``1 / (1 + fitness)`` (Koza's adjusted fitness)."""
    slots = [1 / (1 + individual.fitness) if math.isfinite(individual.fitness) else 0.0 for individual in population]
    if sum(slots) == 0:
        slots = [1.0] * len(population)
    wheel = list(accumulate(slots))

    def select(rng: Random) -> Individual:
        return rng.choices(population, cum_weights=wheel)[0]

    return select
