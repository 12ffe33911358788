"""How kernels are compiled: by numba when they are first called, once for all processes, without holding the GIL.

``NUMBA_DISABLE_JIT=1`` in the environment runs the same functions as plain Python, so that a debugger can step
through a search.
"""

from __future__ import annotations

import contextlib
import glob
from functools import lru_cache, update_wrapper
from pathlib import Path

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.caching import FunctionCache
from numba.extending import intrinsic

from .inner import InnerCompiler

__all__ = [
    "COMPILED", "address_of", "allocating", "array_at", "bits_of_float", "block_function", "call1", "call2",
    "call_block", "contracting", "float_of_bits", "forget_stale", "kernel", "reduction",
]  # fmt: skip

COMPILED = not config.DISABLE_JIT


class Kernel:
    """A function that numba compiles when it is first called, for Python and for other kernels separately.

    What only other kernels call needs no way in from Python, no place in the cache on disk, and no machine code of its
    own; together they are more than half of the time that compiling a small function takes.
    """

    def __init__(self, function, **options):
        # error_model="numpy": 1/0 is inf and no exception
        self._function = function
        self._options = {"nogil": True, "error_model": "numpy", "_nrt": False, **options}
        inner = {"pipeline_class": InnerCompiler} if InnerCompiler else {}
        self._inner = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **inner, **self._options)(function)
        self._outer = None
        update_wrapper(self, function)

    @property
    def _numba_type_(self):
        """What other kernels see."""
        return self._inner._numba_type_

    def _for_python(self):
        if self._outer is None:
            forget_stale(self._function)
            # cache=True: compiled code is kept beside the source, or in NUMBA_CACHE_DIR, so that only the first
            # process pays for the compilation
            self._outer = numba.njit(cache=True, **self._options)(self._function)
        return self._outer

    def __call__(self, *args):
        return self._for_python()(*args)

    def compile(self, *kinds) -> None:
        """Compile for Python, for arguments of these numba types."""
        self._for_python().compile(kinds)


def kernel(function):
    """Compile a function of numbers, arrays and named tuples of them that makes no new arrays.

    Then numba has not to count who holds them, which takes time when compiling and when running.
    """
    return Kernel(function) if COMPILED else function


def contracting(function):
    """Compile a function in which ``a * b + c`` may be one instruction, rounded once."""
    return Kernel(function, fastmath={"contract"}) if COMPILED else function


def allocating(function):
    """Compile a function that makes new arrays."""
    return Kernel(function, _nrt=True) if COMPILED else function


def reduction(function):
    """Compile a function whose sums may be added up in any order, which makes them quick.

    NaN and infinity keep their meaning.
    """
    return Kernel(function, fastmath={"reassoc", "contract"}) if COMPILED else function


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


if COMPILED:

    @intrinsic
    def float_of_bits(context, i):
        """The float whose bits are those of an integer."""

        def code(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], ir.DoubleType())

        return types.float64(types.int64), code

    @intrinsic
    def bits_of_float(context, x):
        """The bits of a float, as an integer."""

        def code(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], ir.IntType(64))

        return types.int64(types.float64), code

    def _call(arity):
        def code(context, builder, signature, arguments):
            function = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()] * arity)
            return builder.call(builder.inttoptr(arguments[0], function.as_pointer()), arguments[1:])

        return code

    @intrinsic
    def call1(context, address, a):
        """``f(a)`` of the compiled function at an address: users' functions need no new compilation of kernels."""
        return types.float64(types.int64, types.float64), _call(1)

    @intrinsic
    def call2(context, address, a, b):
        """``f(a, b)`` of the compiled function at an address."""
        return types.float64(types.int64, types.float64, types.float64), _call(2)

    @intrinsic
    def call_block(context, address, code, mem, adj, at):
        """Call the :func:`block_function` at an address.

        ``mem`` and ``adj`` are the addresses of arrays, ``at`` a tuple of eight whole numbers.
        """
        integer, pointer = ir.IntType(64), ir.DoubleType().as_pointer()

        def emit(context, builder, signature, arguments):
            address, code, mem, adj, at = arguments
            function = ir.FunctionType(ir.VoidType(), [integer, pointer, pointer, *[integer] * 8])
            places = [builder.extract_value(at, i) for i in range(8)]
            pointers = [builder.inttoptr(one, pointer) for one in (mem, adj)]
            builder.call(builder.inttoptr(address, function.as_pointer()), [code, *pointers, *places])
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4, types.UniTuple(types.int64, 8)), emit

    @allocating
    def array_at(pointer):
        """The array that begins at a pointer; its end is not known."""
        return numba.carray(pointer, (1 << 40,))

    @allocating
    def address_of(array):
        """Where an array begins, for :func:`call_block`."""
        return array.ctypes.data

    def block_function(function, dtype) -> int:
        """The address of ``function(code, mem, adj, *at)`` for numbers of a type, compiled on its own.

        What kernels call by its address is compiled once, and not once more into each of them: that halves the time
        which the very first fit takes.
        """
        pointer = types.CPointer(numba.from_dtype(np.dtype(dtype)))
        signature = types.void(types.int64, pointer, pointer, *[types.int64] * 8)
        forget_stale(function)
        return numba.cfunc(signature, cache=True, error_model="numpy")(function).address

else:
    import ctypes

    _blocks: list = []

    def array_at(array):
        """Uncompiled, an array stands for its own address."""
        return array

    def address_of(array):
        """Uncompiled, an array stands for its own address."""
        return array

    def call_block(address, code, mem, adj, at):
        """Call the :func:`block_function` of that number."""
        _blocks[address](code, mem, adj, *at)

    def block_function(function, dtype) -> int:
        """The number by which :func:`call_block` finds a function."""
        _blocks.append(function)
        return len(_blocks) - 1

    def float_of_bits(i):
        """The float whose bits are those of an integer."""
        return np.int64(i).view(np.float64)

    def bits_of_float(x):
        """The bits of a float, as an integer."""
        return np.float64(x).view(np.int64)

    def call1(address, a):
        """``f(a)`` of the compiled function at an address."""
        return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(int(address))(a)

    def call2(address, a, b):
        """``f(a, b)`` of the compiled function at an address."""
        return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)(int(address))(a, b)
