"""Who has children, who is accepted, who goes: tournament, adaptive parsimony (frecency), annealing, replacement."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.jit import allocating, kernel

__all__ = ["acceptable_loss", "oldest", "tournament", "frecency", "update_frequencies"]

WINDOW = 100_000  # formulas that the histogram of complexities remembers


@kernel
def frecency(complexity, frequency):
    """The share of a complexity among the formulas of late; in a bin of its own, or 0."""
    at = int(complexity + 0.5)
    return frequency[at] if 0 <= at < len(frequency) else 0.0


@allocating
def tournament(costs, complexities, frequency, scaling, n_s, p, rng):
    """The index of a parent (Algorithm 3 of the lecture, document 003).

    ``n_s`` members are drawn without replacement and ranked by ``cost * exp(scaling * frecency)``; the best wins with
    probability ``p``, otherwise the second with probability ``p``, and so on; the last one left wins anyway.
    """
    many = min(n_s, len(costs))
    order, rank = np.empty(many, np.int64), np.empty(many)
    for k in range(many):
        fresh = False
        while not fresh:
            order[k] = int(rng.random() * len(costs))
            fresh = True
            for j in range(k):
                fresh = fresh and order[j] != order[k]
        share = frecency(complexities[order[k]], frequency)
        rank[k] = math.log(costs[order[k]] + 1e-300) + scaling * share
    for place in range(many):
        best = place
        for k in range(place + 1, many):
            if rank[k] < rank[best]:
                best = k
        rank[place], rank[best] = rank[best], rank[place]
        order[place], order[best] = order[best], order[place]
        if place == many - 1 or rng.random() < p:
            return order[place]
    return order[0]


@kernel
def acceptable_loss(cost, parsimony, complexity, new_complexity, temperature, alpha, annealing, ratio, rng):
    """The largest loss with which a mutated formula is accepted; minus infinity if it is rejected whatever it is.

    It is accepted with probability ``exp(-(new - old)/(alpha T)) * ratio``, with old and new costs (loss + parsimony *
    complexity) and the ratio of the old complexity's frecency to the new one's. The dice are thrown before the formula
    is evaluated, so that the evaluation can be given up as soon as it is worse than this.
    """
    dice = rng.random()
    if not annealing:
        return np.inf if dice < ratio else -np.inf
    room = -alpha * temperature * math.log(dice / ratio) if dice > 0.0 and ratio > 0.0 else 0.0
    return cost + room - parsimony * new_complexity


@kernel
def oldest(births):
    """The index of the member that was born first."""
    best = 0
    for i in range(1, len(births)):
        if births[i] < births[best]:
            best = i
    return best


def update_frequencies(counts: np.ndarray, complexities: np.ndarray) -> None:
    """Add members to the histogram of complexities, and forget evenly once it holds more than the window.

    Each size above 1 loses the same number (as in SymbolicRegression.jl's ``move_window!``), so that none is forgotten.
    """
    bins = np.clip(np.floor(complexities + 0.5).astype(int), 0, len(counts) - 1)  # the bins of frecency()
    np.add.at(counts, bins, 1.0)
    excess = counts.sum() - WINDOW
    while excess > 1e-6:
        above = counts > 1.0
        if not above.any():
            break
        cut = min(excess / above.sum(), float((counts[above] - 1.0).min()) if above.any() else 0.0)
        cut = max(cut, excess / above.sum() * 1e-3)
        counts[above] = np.maximum(counts[above] - cut, 1.0)
        excess = counts.sum() - WINDOW
