"""How kernels are compiled: by numba when they are first called, once for all processes, without holding the GIL.

``NUMBA_DISABLE_JIT=1`` in the environment runs the same functions as plain Python, so that a debugger can step
through a search.
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

__all__ = [
    "COMPILED", "address_of", "array_at", "bits_of_float", "block_function", "call1", "call2", "call_block",
    "float_of_bits", "kernel", "reduction",
]  # fmt: skip

COMPILED = not config.DISABLE_JIT

# error_model="numpy": 1/0 is inf and no exception. cache=True: compiled code is kept beside the source, or in
# NUMBA_CACHE_DIR, so that only the first process pays for the compilation.
kernel = numba.njit(cache=True, nogil=True, error_model="numpy")
# Sums may be added up in any order (that is what makes them quick), but NaN and infinity keep their meaning.
reduction = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})

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

    @kernel
    def array_at(pointer):
        """The array that begins at a pointer; its end is not known."""
        return numba.carray(pointer, (1 << 40,))

    @kernel
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
