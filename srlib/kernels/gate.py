"""Gates: large compiled functions that others call by their address.

numba puts the code of everything that a function calls into that function once more, and compiles it once more. For a
few large functions that is most of the time which the very first fit of a user takes. A gate is compiled once; its
callers hand it the address of their arguments.
"""

from __future__ import annotations

import weakref

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import COMPILED
from .store import callback

__all__ = ["Kept", "caller", "entrance", "loader", "storage"]

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
            if context.enable_nrt:
                context.nrt.incref(builder, tuple_type, values)
            return values

        return tuple_type(types.int64), emit

    return load


def entrance(function) -> int:
    """The address of ``function(address_of_arguments) -> float``, compiled."""
    if not COMPILED:
        return 0
    return callback(function, types.float64(types.int64), error_model="numpy", _nrt=False)


class Kept:
    """A value that kernels find at an address, as long as this object lives.

    Passing hundreds of fields from function to function is what compilers are slow at.

    Parameters
    ----------
    value : NamedTuple of arrays
    put, release : callable
        Kernels that store the value in a memory, and drop it: see :func:`storage`. None where nothing is compiled.
    """

    _uncompiled = weakref.WeakValueDictionary()

    def __init__(self, value, put, release):
        self.value, self.memory = value, np.zeros(ROOM, np.int64)
        self.address = self.memory.ctypes.data
        if COMPILED:
            put(value, self.memory)
            weakref.finalize(self, release, self.memory)
        else:
            self._uncompiled[self.address] = self


def storage(kind):
    """``store(value, address)``, ``drop(address)`` and ``restore(address)`` for kernels, of values of one type."""
    if not COMPILED:
        return None, None, lambda address: Kept._uncompiled[int(address)].value

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

    return store, drop, loader(kind)
