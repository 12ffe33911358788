"""Compiled code on disk: beside the source, or in NUMBA_CACHE_DIR, so that only the first process compiles."""

from __future__ import annotations

import contextlib
import glob
from functools import lru_cache
from pathlib import Path

import numba
from numba.core import sigutils
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from numba.core.runtime import rtsys

__all__ = ["callback", "dispatcher", "forget_stale"]


class Store(FunctionCache):
    """numba's cache of one function, which reads what is there without getting ready to compile.

    Getting ready, numba imports all that it can compile: a third of a second, which a process that finds everything on
    disk need not spend. Where something is not on disk, its compiler gets ready by itself.
    """

    if hasattr(FunctionCache, "_load_overload"):

        def load_overload(self, sig, target_context):
            rtsys.initialize(target_context)  # what compiled code counts the users of arrays by
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)


def dispatcher(function, **options):
    """The function, compiled for the arguments that it is called with, and kept on disk."""
    forget_stale(function)
    made = numba.njit(**options)(function)
    made._cache = Store(function)
    return made


def callback(function, signature, **options) -> int:
    """The address of the function, compiled at once for one signature, and kept on disk."""
    forget_stale(function)
    made = CFunc(function, sigutils.normalize_signature(signature), {}, options)
    made._cache = Store(function)
    made.compile()
    return made.address


@lru_cache(maxsize=1)
def _newest() -> float:
    """When the source of a kernel was changed last."""
    package = Path(__file__).parents[1]
    others = [file for file in (package / "evolution").glob("*.py") if "jit import" in file.read_text("utf-8")]
    files = [package / "dimensions.py", *(package / "kernels").glob("*.py"), *others]
    return max(file.stat().st_mtime for file in files)


def forget_stale(function) -> bool:
    """Take what was compiled of an older source from the cache: numba looks only at the function's own file.

    Returns whether something is left.
    """
    left = False
    with contextlib.suppress(OSError, RuntimeError):  # nothing can be written, or there is no place for a cache
        cache = FunctionCache(function)
        for index in Path(cache.cache_path).glob(f"{glob.escape(cache._impl.filename_base)}*.nbi"):
            if index.stat().st_mtime < _newest():
                index.unlink(missing_ok=True)
            else:
                left = True
    return left
