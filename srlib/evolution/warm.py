"""The compilation of the engine, so that it happens where one expects it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np

__all__ = ["compile_engine", "compile_one_half"]

_done = False
ONE_HALF = "from srlib.evolution.warm import compile_one_half; compile_one_half()"


def compile_engine(say: Callable[[str], None] = lambda text: None) -> None:
    """Compile the engine; nothing is done where an earlier process has compiled it.

    One compilation serves all operators, losses, options and sizes of data. Where there are two processors, a second
    process compiles one half. ``say`` is told if it will take long.
    """
    global _done
    if _done:
        return
    _done = True  # the tiny fit below asks again
    from ..kernels.jit import COMPILED

    if not COMPILED or _is_cached():
        return
    try:
        _compile(say)
    except BaseException:  # interrupted, say: the next fit tries again, and says so
        _done = False
        raise


def _compile(say: Callable[[str], None]) -> None:
    from .evolve import gates
    from .regressor import EvolutionRegressor

    say("compiling the engine of the evolution, once on this machine: this takes about half a minute")
    with _second_process() if (os.cpu_count() or 1) > 1 else contextlib.nullcontext():
        _compile_other_half()
    gates()
    x = np.linspace(0.1, 2, 40)
    tiny = EvolutionRegressor(
        1, populations=1, population_size=20, ncycles_per_iteration=50, unary_operators=["sin"], regression=False,
        batching=True, batch_size=30, optimize_probability=0.5, random_state=0, n_jobs=1,
    )  # fmt: skip
    tiny.fit(np.column_stack([x, x**2]), x * np.sin(1.3 * x) + 0.1 * np.cos(40 * x))


def _is_cached() -> bool:
    """Whether all large functions are on disk, and what a tiny fit needs last."""
    from ..kernels.evaluate import derivatives_of
    from ..kernels.jit import forget_stale
    from .evolve import enter_mutate, enter_settle, evolve
    from .island import optimize_members
    from .judge import enter_judge
    from .leaner import enter_leaner

    kernels = evolve, optimize_members, derivatives_of
    entries = enter_judge, enter_leaner, enter_settle, enter_mutate, *(one.__wrapped__ for one in kernels)
    return all([forget_stale(one) for one in entries])


def compile_one_half() -> None:
    """What the second process compiles into the cache; :func:`compile_engine` finds it there."""
    from ..kernels.gate import entrance
    from .evolve import compile_evolve
    from .judge import enter_judge
    from .leaner import enter_leaner

    entrance(enter_judge)
    entrance(enter_leaner)
    compile_evolve()


def _compile_other_half() -> None:
    from ..kernels.fit import fit_address
    from ..kernels.gate import entrance
    from ..kernels.program import alphabet
    from .evolve import enter_mutate, enter_settle

    alphabet()
    fit_address()
    entrance(enter_settle)
    entrance(enter_mutate)


@contextlib.contextmanager
def _second_process():
    """A process that runs :func:`compile_one_half`; if it fails, this one has to compile all."""
    path = os.pathsep.join([one for one in sys.path if one] + [os.getcwd()] * ("" in sys.path))
    process = subprocess.Popen(
        [sys.executable, "-c", ONE_HALF], env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
        process.wait()
    finally:
        process.terminate()
        process.wait()
