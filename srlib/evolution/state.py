"""An archipelago as plain data: what a checkpoint keeps, and what a later fit goes on from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .archipelago import Archipelago
from .evolve import COUNTS
from .island import from_dict, to_dict

__all__ = ["restored", "snapshot"]

FILLED = COUNTS[6]


def snapshot(world: Archipelago, bins: int) -> Callable[[], dict]:
    """What gives the state of this moment as plain data for JSON, whenever it is called."""
    islands = [copy.deepcopy(replace(one, hall=None, log=None)) for one in world.islands]
    hall = replace(copy.deepcopy(islands[0]), population=copy.deepcopy(world.hall))
    hall.counts[FILLED] = bins
    counts, dice = world.counts.copy(), copy.deepcopy(world.rng.bit_generator.state)
    return lambda: {
        "islands": [to_dict(one) for one in islands], "hall": to_dict(hall), "complexities": counts.tolist(),
        "rng": dice,
    }  # fmt: skip


def restored(state: dict, size: int, room: int, bins: int) -> Archipelago:
    """The archipelago of :func:`snapshot`, for populations of ``size`` formulas of up to ``room`` nodes.

    Raises
    ------
    ValueError
        If it does not fit, or is damaged.
    """
    islands = [from_dict(data, size, room, bins) for data in state["islands"]]
    rng = np.random.default_rng()
    rng.bit_generator.state = state["rng"]
    world = Archipelago(islands, bins, room, rng)
    hall = from_dict(state["hall"], bins, room, bins).population
    for own, theirs in zip(world.hall, hall, strict=True):
        own[:] = theirs
    world.counts[:] = state["complexities"][:bins]
    return world
