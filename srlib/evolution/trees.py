"""A formula in the making: postfix arrays with room to grow, and the one cut that all changes are made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..kernels.jit import kernel
from ..kernels.program import ARITY, spans
from ..operators import CONSTANT

__all__ = [
    "Letters", "Tree", "copy", "empty", "random_leaf", "random_operator", "random_tree", "room", "splice", "stash",
    "write",
]  # fmt: skip


class Tree(NamedTuple):
    """One formula in the making.

    Attributes
    ----------
    codes, values : ndarray, shape (2 * room + 3,)
        The postfix arrays of :class:`srlib.Expression`; only the first ``size[0]`` nodes count, at most ``room``. New
        parts are put together in the places from ``room`` on, so that no step has to ask for memory.
    starts : ndarray, shape (room,)
        Where the subtree of each node begins; kept up to date by every function here.
    size : ndarray, shape (1,)
    """

    codes: np.ndarray
    values: np.ndarray
    starts: np.ndarray
    size: np.ndarray


class Letters(NamedTuple):
    """What formulas are made of."""

    unary: np.ndarray  # codes of the operators of one argument, int32
    binary: np.ndarray  # of two
    features: int


def empty(room: int) -> Tree:
    """A tree with room for so many nodes."""
    many = 2 * room + 3
    return Tree(np.zeros(many, np.int32), np.zeros(many), np.zeros(room, np.int64), np.zeros(1, np.int64))


@kernel
def room(tree):
    """How many nodes a tree may have; and where new parts are put together."""
    return len(tree.starts)


@kernel
def stash(tree, first, last, at):
    """Copy nodes ``first … last - 1`` to the places from ``at`` on, behind the formula; returns where they end."""
    for i in range(first, last):
        tree.codes[at], tree.values[at] = tree.codes[i], tree.values[i]
        at += 1
    return at


@kernel
def write(tree, codes, values, size, alphabet):
    """Make the tree the formula of these arrays."""
    for i in range(size):
        tree.codes[i], tree.values[i] = codes[i], values[i]
    tree.size[0] = size
    spans(tree.codes, size, alphabet, tree.starts)


@kernel
def copy(source, tree, alphabet):
    """Make the tree a copy of another one."""
    write(tree, source.codes, source.values, source.size[0], alphabet)


@kernel
def splice(tree, start, stop, codes, values, first, last, alphabet):
    """Put nodes ``first … last - 1`` of other arrays in the place of nodes ``start … stop - 1``; False without room."""
    new, size = last - first, tree.size[0]
    shift = new - (stop - start)
    if size + shift > room(tree):
        return False
    if shift > 0:
        for i in range(size - 1, stop - 1, -1):
            tree.codes[i + shift], tree.values[i + shift] = tree.codes[i], tree.values[i]
    elif shift < 0:
        for i in range(stop, size):
            tree.codes[i + shift], tree.values[i + shift] = tree.codes[i], tree.values[i]
    for i in range(new):
        tree.codes[start + i], tree.values[start + i] = codes[first + i], values[first + i]
    tree.size[0] = size + shift
    spans(tree.codes, tree.size[0], alphabet, tree.starts)
    return True


@kernel
def random_leaf(letters, rng):
    """Code and value of a new leaf: half of them constants ~ N(0, 1), half features."""
    if rng.random() < 0.5:
        return CONSTANT, rng.standard_normal()
    return -1 - int(rng.random() * letters.features), 0.0


@kernel
def random_operator(letters, rng):
    """The code of any operator, all equally likely."""
    unary, binary = len(letters.unary), len(letters.binary)
    pick = int(rng.random() * (unary + binary))
    return letters.unary[pick] if pick < unary else letters.binary[pick - unary]


@kernel
def random_tree(tree, operators, letters, alphabet, rng):
    """A random formula of so many operators: a leaf, of which a random leaf becomes an operator again and again."""
    tree.codes[0], tree.values[0] = random_leaf(letters, rng)
    tree.size[0], tree.starts[0] = 1, 0
    for _ in range(operators):
        leaves = 0
        for i in range(tree.size[0]):
            leaves += tree.codes[i] <= 0
        pick = int(rng.random() * leaves)
        at = 0
        while tree.codes[at] > 0 or pick > 0:
            pick -= tree.codes[at] <= 0
            at += 1
        grow_leaf(tree, at, letters, alphabet, rng)


@kernel
def grow_leaf(tree, at, letters, alphabet, rng):
    """The leaf ``at`` becomes an operator whose arguments are new leaves; False without room."""
    code = random_operator(letters, rng)
    arity = alphabet.table[ARITY, code]
    new = room(tree)
    for k in range(arity):
        tree.codes[new + k], tree.values[new + k] = random_leaf(letters, rng)
    tree.codes[new + arity], tree.values[new + arity] = code, 0.0
    return splice(tree, at, at + 1, tree.codes, tree.values, new, new + arity + 1, alphabet)
