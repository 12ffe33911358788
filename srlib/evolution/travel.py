"""What a worker in another process must know before it can work on an island: the operators that a user has defined.

Formulas are arrays of codes, and the codes of a user's operators are given out in the order of their definition. A
worker defines the same operators in the same order, so that its codes are ours.
"""

from __future__ import annotations

import pickle
import threading
from dataclasses import dataclass

from ..expression import Expression
from ..functions import address, from_function, function_of
from ..kernels.losses import CUSTOM
from ..operators import Operator, builtin, by_code, register, registered

__all__ = ["Luggage", "pack", "unpack"]

_lock = threading.Lock()
_unpacked: dict[int, str | bytes] = {}  # what this process has defined for others, by code


@dataclass(frozen=True)
class Luggage:
    """The operators that a user has defined, in words that any process understands."""

    operators: tuple[str | bytes, ...]  # in the order of their codes: a definition, or a pickled function
    loss: int  # the code of the operator that is the loss; 0 if it is one of the list


def pack(loss: tuple[int, float, int]) -> Luggage:
    """All that was defined in this process, and which of them the loss is."""
    own = registered()[len(builtin()) :]
    code = next((one.code for one in own if loss[0] == CUSTOM and address(one) == loss[2]), 0)
    return Luggage(tuple(one.definition or _pickled(one) for one in own), code)


def unpack(luggage: Luggage, loss: tuple[int, float, int]) -> tuple[int, float, int]:
    """Define the operators; returns the loss with its address in this process."""
    with _lock:
        for code, words in enumerate(luggage.operators, len(builtin()) + 1):
            if _unpacked.get(code) != words:
                _define(code, words)
                _unpacked[code] = words
    return (*loss[:2], address(by_code(luggage.loss))) if luggage.loss else loss


def _define(code: int, words: str | bytes) -> None:
    if code <= len(registered()):  # of a parent process, or of other searches
        operator = by_code(code)
        same = operator.definition == words if isinstance(words, str) else code not in _unpacked
        same = same and (isinstance(words, str) or pickle.loads(words)[0] == operator.name)
    elif isinstance(words, str):
        same = Expression.operator(words).code == code
    else:
        name, arity, function, plain = pickle.loads(words)
        if plain:
            same = from_function(function, name).code == code
        else:
            same = register(Operator(name, arity, function, None, None)).code == code
    if not same:
        raise RuntimeError(
            "a worker knows other operators of a user than this process does: restart the executor's workers"
        )


def _pickled(operator: Operator) -> bytes:
    try:  # takes functions of a notebook, too; comes with scikit-learn's joblib, in it or beside it
        import cloudpickle
    except ImportError:
        from joblib.externals import cloudpickle

    function = function_of(operator)
    if function is None:
        return cloudpickle.dumps((operator.name, operator.arity, operator.numpy, False))
    return cloudpickle.dumps((operator.name, operator.arity, function, True))
