"""Step 1, initialisation: random formulas.

Koza's methods (Genetic Programming, 1992): *full* trees have all their leaves at the same level, *grown* ones
anywhere; *ramped half-and-half* mixes both over a range of depths, so that the first population has many shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT, Operator

__all__ = ["Primitives", "full", "grow", "ramped_half_and_half"]


@dataclass(frozen=True)
class Primitives:
    """What formulas are made of: operators, features, and constants drawn from a range.

    Parameters
    ----------
    operators : sequence of Operator
        The inner nodes.
    n_features : int
        The leaves ``x0 … x(n_features - 1)``.
    constant_range : (float, float) or None
        Where constants are drawn from, uniformly; None: no constants.
    constant_scale : float
        Unless it is 1, half of the constants have either sign and a size drawn log-uniformly between 1 and this.
    p_constant : float
        The share of constants among the leaves.
    names : tuple of str, optional
        The features' names.
    """

    operators: tuple[Operator, ...]
    n_features: int
    constant_range: tuple[float, float] | None = (-5.0, 5.0)
    constant_scale: float = 1.0
    p_constant: float = 0.25
    names: tuple[str, ...] | None = None

    def random_leaf(self, rng: Random) -> tuple[int, float]:
        """Code and value of a feature or a constant."""
        if self.constant_range is not None and rng.random() < self.p_constant:
            return CONSTANT, self.random_constant(rng)
        return -1 - rng.randrange(self.n_features), 0.0

    def random_constant(self, rng: Random) -> float:
        """A constant from the range, or (half of the time) of any size between 1 and the scale."""
        if self.constant_scale != 1 and rng.random() < 0.5:
            return rng.choice((-1, 1)) * self.constant_scale ** rng.random()
        return rng.uniform(*self.constant_range)

    def random_operator(self, rng: Random, arity: int | None = None) -> Operator:
        """An operator; with ``arity``, one that takes so many arguments."""
        choice = self.operators if arity is None else [one for one in self.operators if one.arity == arity]
        return rng.choice(choice)


def full(primitives: Primitives, depth: int, rng: Random) -> Expression:
    """A random formula whose leaves are all ``depth`` levels deep (a single node has depth 1)."""
    return _random_tree(primitives, depth, rng, p_leaf=0.0)


def grow(primitives: Primitives, depth: int, rng: Random) -> Expression:
    """A random formula of at most ``depth`` levels: each node below the root may be a leaf."""
    n_leaves = primitives.n_features + (primitives.constant_range is not None)
    return _random_tree(primitives, depth, rng, p_leaf=n_leaves / (n_leaves + len(primitives.operators)))


def _random_tree(primitives: Primitives, depth: int, rng: Random, p_leaf: float) -> Expression:
    codes: list[int] = []
    values: list[float] = []

    def subtree(levels: int, at_root: bool) -> None:
        if levels <= 1 or (not at_root and rng.random() < p_leaf):
            code, value = primitives.random_leaf(rng)
        else:
            operator = primitives.random_operator(rng)
            for _ in range(operator.arity):
                subtree(levels - 1, at_root=False)
            code, value = operator.code, 0.0
        codes.append(code)  # the parent after its children: postfix order
        values.append(value)

    subtree(depth, at_root=True)
    return Expression._trusted(np.array(codes, np.int32), np.array(values), primitives.names)


def ramped_half_and_half(
    primitives: Primitives, size: int, depths: tuple[int, int], rng: Random, maxsize: int | None = None
) -> list[Expression]:
    """``size`` random formulas: depths in turn from ``depths[0]`` to ``depths[1]``, half full and half grown.

    Formulas above ``maxsize`` nodes are drawn again (one level lower when that fails often).
    """
    first, last = depths
    trees = []
    for i in range(size):
        depth = first + (i // 2) % (last - first + 1)
        method = full if i % 2 == 0 else grow
        tree = method(primitives, depth, rng)
        while maxsize is not None and tree.size > maxsize and depth > 1:
            tree = method(primitives, depth, rng)
            depth -= rng.random() < 0.2
        trees.append(tree)
    return trees
