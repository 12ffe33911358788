"""Simplification of a formula in the making: constants are folded and merged, constant factors move outwards.

As in PySR nothing here is algebra proper; ``x - x`` stays (and is recognised as a duplicate by its values). Moving
factors outwards, ``(2*a)*b`` to ``2*(a*b)``, lets two of them meet and merge, and leaves each term with one factor,
which the fit then solves for.
"""

from __future__ import annotations

import numpy as np

from ..kernels.evaluate import forward
from ..kernels.jit import kernel
from ..kernels.meaning import ADD, DIV, MUL, SUB
from ..kernels.program import ARITY, AT, assemble
from ..operators import CONSTANT
from .trees import room, splice, stash

__all__ = ["fold", "move_factors", "simplify"]

ROUNDS = 30  # more rewritings than a formula of the largest size needs


@kernel
def simplify(tree, alphabet, work, may_multiply=True):
    """Fold constants and move factors outwards until nothing changes; False if a constant part has no finite value.

    ``may_multiply`` says whether products may be written where there were none.
    """
    for _ in range(ROUNDS):
        if not fold(tree, alphabet, work):
            return False
        if not move_factors(tree, alphabet, may_multiply):
            break
    for i in range(tree.size[0]):  # two factors that met may be too large
        if not abs(tree.values[i]) < np.inf:
            return False
    return True


@kernel
def fold(tree, alphabet, work):
    """Replace each operator whose arguments are constants by its value; False if that is not finite."""
    i = 0
    while i < tree.size[0]:
        code = tree.codes[i]
        if code > 0:
            arity = alphabet.table[ARITY, code]
            constant = tree.codes[i - 1] == CONSTANT and (arity == 1 or tree.codes[i - 2] == CONSTANT)
            if constant:
                first = i - arity
                length = assemble(tree.codes[first : i + 1], tree.values[first : i + 1], arity + 1, alphabet, work)
                forward(length, 0, 1, alphabet, work)
                value = work.mem[work.node[AT, length - 1]]
                if not abs(value) < np.inf:
                    return False
                new = room(tree)
                tree.codes[new], tree.values[new] = CONSTANT, value
                splice(tree, first, i + 1, tree.codes, tree.values, new, new + 1, alphabet)
                i = first
        i += 1
    return True


@kernel
def move_factors(tree, alphabet, may_multiply=True):
    """Rewrite one place where a constant can move outwards or meet another one; False if there is none.

    ``(c*a)*b`` and ``a*(c*b)`` become ``c*(a*b)``; ``(c*a)/b`` becomes ``c*(a/b)``; ``a/(c*b)`` becomes
    ``(1/c)*(a/b)``; ``(a + c) + d`` becomes ``a + (c + d)``; ``a - c`` within a sum likewise.
    """
    for i in range(tree.size[0]):
        code = tree.codes[i]
        if code == MUL or code == DIV:
            right, left = i - 1, tree.starts[i - 1] - 1
            if tree.codes[left] == CONSTANT and code == MUL:
                if _meet(tree, i, left, right, MUL, alphabet):
                    return True
                continue
            if tree.codes[left] == MUL and _rise(tree, i, left, True, code, alphabet):
                return True
            if tree.codes[right] == MUL and _rise(tree, i, right, False, code, alphabet):
                return True
            if tree.codes[right] == CONSTANT:  # the constant first
                if code == DIV and (tree.values[right] == 0.0 or not may_multiply):
                    continue
                value = tree.values[right] if code == MUL else 1.0 / tree.values[right]
                return _constant_first(tree, i, left, value, alphabet)
        elif code == ADD or code == SUB:
            right, left = i - 1, tree.starts[i - 1] - 1
            if tree.codes[right] == CONSTANT and (tree.codes[left] == ADD or tree.codes[left] == SUB):
                if tree.codes[left - 1] == CONSTANT:
                    inner = tree.values[left - 1] if tree.codes[left] == ADD else -tree.values[left - 1]
                    outer = tree.values[right] if code == ADD else -tree.values[right]
                    total = inner + outer if tree.codes[left] == ADD else -(inner + outer)
                    tree.values[left - 1] = total
                    return splice(tree, right, i + 1, tree.codes, tree.values, 0, 0, alphabet)
    return False


@kernel
def _meet(tree, node, left, right, code, alphabet):
    """``c*(d*a)`` becomes ``(c*d)*a``, and ``c*(d/a)`` becomes ``(c*d)/a``."""
    if tree.codes[right] != MUL and tree.codes[right] != DIV:
        return False
    inner = tree.starts[right - 1] - 1
    if tree.codes[inner] != CONSTANT:
        return False
    tree.values[inner] *= tree.values[left]
    end = stash(tree, tree.starts[right], right + 1, room(tree))
    return splice(tree, left, node + 1, tree.codes, tree.values, room(tree), end, alphabet)


@kernel
def _rise(tree, node, product, is_left, code, alphabet):
    """The constant factor of one argument of a product or quotient moves in front of the whole."""
    factor = tree.starts[product - 1] - 1  # move_factors has put it first
    if tree.codes[factor] != CONSTANT:
        return False
    value = tree.values[factor]
    if code == DIV and not is_left:
        if value == 0.0:
            return False
        value = 1.0 / value
    start, right, left = tree.starts[node], node - 1, tree.starts[node - 1] - 1
    end = room(tree)
    tree.codes[end], tree.values[end] = CONSTANT, value
    end += 1
    for argument in (left, right):
        first, last = tree.starts[argument], argument + 1
        if argument == product:
            first, last = factor + 1, product
        end = stash(tree, first, last, end)
    tree.codes[end], tree.codes[end + 1] = code, MUL
    tree.values[end : end + 2] = 0.0
    return splice(tree, start, node + 1, tree.codes, tree.values, room(tree), end + 2, alphabet)


@kernel
def _constant_first(tree, node, left, value, alphabet):
    """``a*c`` becomes ``c*a``, and ``a/c`` becomes ``(1/c)*a``."""
    start, new = tree.starts[node], room(tree)
    tree.codes[new], tree.values[new] = CONSTANT, value
    end = stash(tree, start, left + 1, new + 1)
    tree.codes[end], tree.values[end] = MUL, 0.0
    return splice(tree, start, node + 1, tree.codes, tree.values, new, end + 1, alphabet)
