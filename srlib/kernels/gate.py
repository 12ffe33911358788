"""Gates: large compiled functions that others call by their address.

numba puts the code of everything that a function calls into that function once more, and compiles it once more. For a
few large functions that is most of the time which the very first fit of a user takes. A gate is compiled once; its
callers hand it the address of their arguments.
"""

from __future__ import annotations

import weakref

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import COMPILED

__all__ = ["Kept", "caller", "entrance", "keeper", "loader"]

ROOM = 1024  # eight-byte words that a kept value may take


def caller(tuple_type, function):
    """What a kernel calls: ``call(address, arguments)`` with the arguments as a tuple; the result is a float."""
    if not COMPILED:
        return lambda address, arguments: function(*arguments)

    @intrinsic
    def call(context, address, arguments):
        def emit(context, builder, signature, given):
            values = context.cast(builder, given[1], signature.args[1], tuple_type)
            place = cgutils.alloca_once_value(builder, values)
            integer = ir.IntType(64)
            function = ir.FunctionType(ir.DoubleType(), [integer])
            pointer = builder.inttoptr(given[0], function.as_pointer())
            return builder.call(pointer, [builder.ptrtoint(place, integer)])

        return types.float64(types.int64, arguments), emit

    return call


def loader(tuple_type):
    """The other side of :func:`caller`: the arguments that lie at an address."""
    if not COMPILED:
        return None

    @intrinsic
    def load(context, address):
        def emit(context, builder, signature, given):
            kind = context.get_value_type(tuple_type)
            values = builder.load(builder.inttoptr(given[0], kind.as_pointer()))
            context.nrt.incref(builder, tuple_type, values)
            return values

        return tuple_type(types.int64), emit

    return load


def entrance(function) -> int:
    """The address of ``function(address_of_arguments) -> float``, compiled."""
    if not COMPILED:
        return 0
    return numba.cfunc(types.float64(types.int64), cache=True, error_model="numpy")(function).address


class Kept:
    """A value that kernels find at an address, as long as this object lives."""

    def __init__(self, value, memory: np.ndarray):
        self.value, self.memory, self.address = value, memory, memory.ctypes.data


def keeper(kind):
    """``keep(value) -> Kept`` and, for kernels, ``restore(address)``: a large tuple of arrays passed on as one number.

    Passing hundreds of fields from function to function is what compilers are slow at.
    """
    if not COMPILED:
        values = weakref.WeakValueDictionary()

        def remember(value) -> Kept:
            kept = Kept(value, np.zeros(1, np.int64))
            values[kept.address] = kept
            return kept

        return remember, lambda address: values[int(address)].value

    @intrinsic
    def store(context, value, address):
        def emit(context, builder, signature, given):
            layout = context.get_value_type(kind)
            if context.get_abi_sizeof(layout) > 8 * ROOM:
                raise AssertionError("the value is larger than the memory that keeps it")
            context.nrt.incref(builder, kind, given[0])  # the arrays' own counts would fall to 0 after the call
            builder.store(given[0], builder.inttoptr(given[1], layout.as_pointer()))
            return context.get_dummy_value()

        return types.void(kind, types.int64), emit

    @intrinsic
    def drop(context, address):
        def emit(context, builder, signature, given):
            layout = context.get_value_type(kind)
            context.nrt.decref(builder, kind, builder.load(builder.inttoptr(given[0], layout.as_pointer())))
            return context.get_dummy_value()

        return types.void(types.int64), emit

    @numba.njit(error_model="numpy")
    def put(value, memory):
        store(value, memory.ctypes.data)

    @numba.njit(error_model="numpy")
    def release(memory):
        drop(memory.ctypes.data)

    def keep(value) -> Kept:
        memory = np.zeros(ROOM, np.int64)
        put(value, memory)
        kept = Kept(value, memory)
        weakref.finalize(kept, release, memory)
        return kept

    return keep, loader(kind)
