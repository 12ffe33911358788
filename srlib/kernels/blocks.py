"""The four entries to :mod:`.meaning`, each compiled once: values and derivatives, of one and of two arguments."""

from __future__ import annotations

from functools import lru_cache

from .jit import array_at, block_function
from .meaning import apply1, apply2, pull_back1, pull_back2

__all__ = ["block_functions"]


def _apply1(code, mem, adj, out, a, b, to_out, to_a, to_b, n, function):
    apply1(code, array_at(mem), out, a, n, function)


def _apply2(code, mem, adj, out, a, b, to_out, to_a, to_b, n, function):
    apply2(code, array_at(mem), out, a, b, n, function)


def _pull_back1(code, mem, adj, out, a, b, to_out, to_a, to_b, n, function):
    pull_back1(code, array_at(mem), array_at(adj), out, a, to_out, to_a, n, function)


def _pull_back2(code, mem, adj, out, a, b, to_out, to_a, to_b, n, function):
    pull_back2(code, array_at(mem), array_at(adj), out, a, b, to_out, to_a, to_b, n, function)


@lru_cache(maxsize=2)
def block_functions(dtype) -> tuple[int, int, int, int]:
    """What :func:`~srlib.kernels.jit.call_block` needs to find them: apply1, apply2, pull_back1, pull_back2.

    They read and write numbers of a type, float64 or float32.
    """
    return tuple(block_function(one, dtype) for one in (_apply1, _apply2, _pull_back1, _pull_back2))
