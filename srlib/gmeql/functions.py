"""Elementary functions: what the nodes of a GMEQL network compute, with their derivatives.

Nothing is protected: where a function has no real value the answer is NaN or infinite, so that a network computes what
its formula says, and an instance that leaves the domain loses. The released code clips quotients and takes roots of
absolute values; the root is here under a name of its own, ``sqrt_abs``, and it is printed as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..operators import suggest

__all__ = ["FUNCTIONS", "SUM", "NodeFunction", "find_function"]

SUM = "sum"  # the node that adds up all nodes of the layer before, each with a weight of its own


@dataclass(frozen=True)
class NodeFunction:
    """One kind of node.

    Attributes
    ----------
    name : str
    arity : int
        How many connections it has.
    value : callable
        ``value(*arguments)`` on arrays of one shape.
    slopes : callable
        ``slopes(arguments, value)``: the derivatives by each argument.
    """

    name: str
    arity: int
    value: Callable[..., np.ndarray]
    slopes: Callable[[Sequence[np.ndarray], np.ndarray], tuple]


def _power(k: int) -> NodeFunction:
    def raised(a, k):
        if k <= 1:
            return a if k else 1.0
        half = raised(a, k // 2)
        return half * half * a if k % 2 else half * half

    return NodeFunction(POWERS[k], 1, lambda a: raised(a, k), lambda args, v: (k * raised(args[0], k - 1),))


POWERS = {2: "square", 3: "cubic", 4: "fourth", 5: "fifth", 6: "sixth"}
FUNCTIONS: dict[str, NodeFunction] = {
    one.name: one
    for one in (
        NodeFunction("identity", 1, lambda a: a, lambda args, v: (1.0,)),
        *map(_power, POWERS),
        NodeFunction("sin", 1, np.sin, lambda args, v: (np.cos(args[0]),)),
        NodeFunction("cos", 1, np.cos, lambda args, v: (-np.sin(args[0]),)),
        NodeFunction("exp", 1, np.exp, lambda args, v: (v,)),
        NodeFunction("sqrt", 1, np.sqrt, lambda args, v: (0.5 / v,)),
        NodeFunction("sqrt_abs", 1, lambda a: np.sqrt(np.abs(a)), lambda args, v: (0.5 * np.sign(args[0]) / v,)),
        NodeFunction("plus", 2, np.add, lambda args, v: (1.0, 1.0)),
        NodeFunction("minus", 2, np.subtract, lambda args, v: (1.0, -1.0)),
        NodeFunction("times", 2, np.multiply, lambda args, v: (args[1], args[0])),
        NodeFunction("division", 2, np.divide, lambda args, v: (1.0 / args[1], -v / args[1])),
    )
}


def find_function(name: str) -> NodeFunction:
    """The function of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in FUNCTIONS:
        known = [*FUNCTIONS, SUM]
        raise ValueError(f"layers holds {name!r}{suggest(str(name), known)}; known are {', '.join(known)}")
    return FUNCTIONS[name]
