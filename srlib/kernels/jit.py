"""How kernels are compiled: by numba when they are first called, once for all processes, without holding the GIL.

``NUMBA_DISABLE_JIT=1`` in the environment runs the same functions as plain Python, so that a debugger can step
through a search.
"""

from __future__ import annotations

import math
from functools import cached_property, update_wrapper

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic, overload

from .inner import InnerCompiler
from .store import callback, dispatcher, forget_stale

__all__ = [
    "COMPILED", "add_to_exponent", "address_of", "allocating", "array_at", "bits_of_float", "bits_of_single",
    "block_function", "by_precision", "call1", "call2", "call_block", "contracting", "exponent_of_single",
    "float_of_bits", "forget_stale", "kernel", "mantissa_of_single", "reduction",
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
        update_wrapper(self, function)

    @cached_property
    def _inner(self):
        """For other kernels; nobody asks for it where all is compiled already."""
        inner = {"pipeline_class": InnerCompiler} if InnerCompiler else {}
        options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, **inner, **self._options}
        return numba.njit(**options)(self._function)

    @cached_property
    def _outer(self):
        """For Python."""
        return dispatcher(self._function, **self._options)

    @property
    def _numba_type_(self):
        """What other kernels see."""
        return self._inner._numba_type_

    def __call__(self, *args):
        return self._outer(*args)

    def compile(self, *kinds) -> None:
        """Compile for Python, for arguments of these numba types."""
        self._outer.compile(kinds)


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

    # the same for single precision, in whole steps, because numba would widen 32-bit numbers in between
    INT32, FLOAT32 = ir.IntType(32), ir.FloatType()

    @intrinsic
    def bits_of_single(context, x, plus):
        """The low bits of a float32, as an integer, plus a number."""

        def code(context, builder, signature, arguments):
            x, plus = arguments
            return builder.add(builder.bitcast(x, INT32), builder.trunc(plus, INT32))

        return types.int32(types.float32, types.int64), code

    @intrinsic
    def add_to_exponent(context, x, k):
        """``x * 2**k``, where the low bits of the float32 k are the whole number."""

        def code(context, builder, signature, arguments):
            x, k = (builder.bitcast(one, INT32) for one in arguments)
            return builder.bitcast(builder.add(x, builder.shl(k, ir.Constant(INT32, 23))), FLOAT32)

        return types.float32(types.float32, types.float32), code

    @intrinsic
    def mantissa_of_single(context, x):
        """The m of a float32 ``m * 2**k``, from 1 to 2."""

        def code(context, builder, signature, arguments):
            kept = builder.and_(builder.bitcast(arguments[0], INT32), ir.Constant(INT32, 0x007FFFFF))
            return builder.bitcast(builder.or_(kept, ir.Constant(INT32, 0x3F800000)), FLOAT32)

        return types.float32(types.float32), code

    @intrinsic
    def exponent_of_single(context, x):
        """The k of a positive float32 ``m * 2**k``, as a float32."""

        def code(context, builder, signature, arguments):
            bits = builder.lshr(builder.bitcast(arguments[0], INT32), ir.Constant(INT32, 23))
            return builder.sitofp(builder.sub(bits, ir.Constant(INT32, 127)), FLOAT32)

        return types.float32(types.float32), code

    def by_precision(single):
        """Make a kernel of one float64 call another, ``single``, if it is given a float32."""

        def decorate(double):
            def function(x):
                return double(x)

            def choose(x):
                return (lambda x: single(x)) if x == types.float32 else (lambda x: double(x))

            overload(function, inline="always")(choose)
            return function

        return decorate

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
        return callback(function, signature, error_model="numpy")

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

    def bits_of_single(x, plus):
        """The low bits of a float32, as an integer, plus a number."""
        return int(np.float32(x).view(np.int32)) + plus

    def add_to_exponent(x, k):
        """``x * 2**k``, where the low bits of the float32 k are the whole number."""
        k = int(k.view(np.int32)) & 0x1FF
        return np.float32(math.ldexp(x, k - 512 if k > 255 else k))

    def mantissa_of_single(x):
        """The m of a float32 ``m * 2**k``, from 1 to 2."""
        return np.int32(int(np.float32(x).view(np.int32)) & 0x007FFFFF | 0x3F800000).view(np.float32)

    def exponent_of_single(x):
        """The k of a positive float32 ``m * 2**k``, as a float32."""
        return np.float32((int(np.float32(x).view(np.int32)) >> 23) - 127)

    def by_precision(single):
        """Make a function of one float64 call another, ``single``, if it is given a float32."""
        return lambda double: lambda x: single(x) if isinstance(x, np.float32) else double(x)

    def call1(address, a):
        """``f(a)`` of the compiled function at an address."""
        return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(int(address))(a)

    def call2(address, a, b):
        """``f(a, b)`` of the compiled function at an address."""
        return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)(int(address))(a, b)
