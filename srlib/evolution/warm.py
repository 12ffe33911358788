"""The compilation of the engine, so that it happens where one expects it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["compile_engine"]

_done = False


def compile_engine(say: Callable[[str], None] = lambda text: None) -> None:
    """Compile the engine, or load what an earlier process has compiled; quick from the second time on.

    One compilation serves all operators, losses, options and sizes of data. ``say`` is told if it will take long.
    """
    global _done
    if _done:
        return
    _done = True  # the tiny fit below asks again
    from .judge import judge
    from .regressor import EvolutionRegressor

    if not _is_cached(judge):
        say("compiling the engine of the evolution, once on this machine: this takes up to half a minute")
    x = np.linspace(0.1, 2, 40)
    tiny = EvolutionRegressor(
        1, populations=1, population_size=20, ncycles_per_iteration=50, unary_operators=["sin"], regression=False,
        batching=True, batch_size=30, optimize_probability=0.5, random_state=0, n_jobs=1,
    )  # fmt: skip
    tiny.fit(np.column_stack([x, x**2]), x * np.sin(1.3 * x) + 0.1 * np.cos(40 * x))


def _is_cached(function) -> bool:
    """Whether numba has some compiled form of a function on disk; True where it cannot say."""
    try:
        cache = function._cache
        return bool(cache._cache_file._load_index()) if hasattr(cache, "_cache_file") else True
    except Exception:
        return True
