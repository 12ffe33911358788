"""Steps 4 and 5, crossover and mutation: new formulas from old ones.

No function changes the formulas it is given: they are immutable. All randomness comes from ``rng``, so a lesson can
repeat a step exactly.
"""

from __future__ import annotations

import math
from random import Random

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT, by_code
from .initialisation import Primitives, grow

__all__ = [
    "constant_mutation",
    "crossover",
    "hoist_mutation",
    "pick_node",
    "point_mutation",
    "subtree_mutation",
    "swap_subtrees",
]


def pick_node(expression: Expression, rng: Random, p_inner: float = 0.9) -> int:
    """A random node; an operator with probability ``p_inner`` (Koza: otherwise most picks would be mere leaves)."""
    codes = expression.codes.tolist()
    wanted_inner = rng.random() < p_inner
    nodes = [node for node, code in enumerate(codes) if (code > 0) == wanted_inner]
    return rng.choice(nodes) if nodes else rng.randrange(len(codes))


def swap_subtrees(mother: Expression, i: int, father: Expression, j: int) -> tuple[Expression, Expression]:
    """The two children when the subtree at node ``i`` changes places with the one at node ``j``.

    Examples
    --------
    >>> mother, father = Expression.parse("1.15*x1 + 0.86"), Expression.parse("x0**x0")
    >>> [str(child) for child in swap_subtrees(mother, 2, father, 0)]
    ['x0 + 0.86', '(1.15*x1)**x0']
    """
    return mother.replace(i, father.subtree(j)), father.replace(j, mother.subtree(i))


def crossover(mother: Expression, father: Expression, rng: Random) -> tuple[Expression, Expression]:
    """Subtree crossover: a random subtree of each parent changes places."""
    return swap_subtrees(mother, pick_node(mother, rng), father, pick_node(father, rng))


def subtree_mutation(expression: Expression, primitives: Primitives, rng: Random, depth: int = 3) -> Expression:
    """A random subtree is replaced by a newly grown one of at most ``depth`` levels."""
    return expression.replace(pick_node(expression, rng), grow(primitives, rng.randint(1, depth), rng))


def point_mutation(expression: Expression, primitives: Primitives, rng: Random) -> Expression:
    """One node becomes another of the same kind: an operator of as many arguments, or a leaf."""
    node = rng.randrange(expression.size)
    code, value = int(expression.codes[node]), 0.0
    if code <= 0:
        code, value = primitives.random_leaf(rng)
    else:
        others = [one for one in primitives.operators if one.arity == by_code(code).arity and one.code != code]
        code = rng.choice(others).code if others else code
    codes, values = expression.codes.copy(), expression.values.copy()
    codes[node], values[node] = code, value
    return Expression._trusted(codes, values, expression.names)


def hoist_mutation(expression: Expression, rng: Random) -> Expression:
    """A random subtree is replaced by a part of itself, so the formula shrinks: a remedy against bloat."""
    node = pick_node(expression, rng)
    start, stop = expression.span(node)
    return expression.replace(node, expression.subtree(rng.randrange(start, stop)))


def constant_mutation(expression: Expression, rng: Random, step: float = 0.5) -> Expression:
    """One constant moves: mostly by a factor around 1 (``exp`` of a normal of width ``step``), sometimes its sign.

    A factor finds 365 days as easily as 0.003 degrees, where a shift of fixed size would find only one of them.
    A constant of 0 is shifted instead. A formula without constants comes back as it is.
    """
    nodes = np.flatnonzero(expression.codes == CONSTANT)
    if len(nodes) == 0:
        return expression
    node, values = rng.choice(nodes), expression.values.copy()
    if values[node] == 0:
        values[node] = rng.gauss(0, step)
    else:
        values[node] *= math.exp(rng.gauss(0, step)) * (-1 if rng.random() < 0.1 else 1)
    if not math.isfinite(values[node]):
        return expression
    return Expression._trusted(expression.codes, values, expression.names)
