"""Mutations and crossover: one paragraph each, all on a :class:`~srlib.evolution.trees.Tree` that they change in place.

Each returns whether it changed anything; False means that there was nothing to change. Whether the result keeps to
the limits of the search is asked afterwards, by whoever called it. The list is PySR's (SymbolicRegression.jl's
``MutationFunctions``), with *graft* added; *simplify*, *optimize* and *do nothing* are in :mod:`.evolve`, because they
need the data or nothing at all.
"""

from __future__ import annotations

from ..kernels.jit import kernel
from ..kernels.program import ARITY
from ..operators import CONSTANT
from .trees import grow_leaf, random_leaf, random_operator, random_tree, room, splice, stash

__all__ = [
    "append_node", "crossover", "delete_node", "graft", "insert_node", "mutate_constant", "mutate_feature",
    "mutate_operator", "pick_node", "prepend_node", "randomize", "rotate_tree", "swap_operands",
]  # fmt: skip

LEAF, FEATURE, OPERATOR, BINARY, ROTATABLE = -1, -2, 1, 2, 3  # kinds of nodes to pick; 0 is a constant


@kernel
def _is(tree, node, kind, alphabet):
    code = tree.codes[node]
    if kind == CONSTANT:
        return code == CONSTANT
    if kind == LEAF:
        return code <= 0
    if kind == FEATURE:
        return code < 0
    if kind == BINARY:
        return code > 0 and alphabet.table[ARITY, code] == 2
    if kind == ROTATABLE:  # an operator with an operator below it
        if code <= 0:
            return False
        left = tree.starts[node - 1] - 1
        return tree.codes[node - 1] > 0 or (alphabet.table[ARITY, code] == 2 and tree.codes[left] > 0)
    return code > 0


@kernel
def pick_node(tree, kind, alphabet, rng):
    """A random node of a kind, or -1 if there is none."""
    many = 0
    for i in range(tree.size[0]):
        many += _is(tree, i, kind, alphabet)
    if many == 0:
        return -1
    pick = int(rng.random() * many)
    for i in range(tree.size[0]):
        if _is(tree, i, kind, alphabet):
            if pick == 0:
                return i
            pick -= 1
    return -1


@kernel
def mutate_constant(tree, temperature, factor, p_negate, alphabet, rng):
    """A constant is multiplied or divided by ``(1 + factor * temperature + 0.1)**u``, u uniform; seldom negated."""
    at = pick_node(tree, CONSTANT, alphabet, rng)
    if at < 0:
        return False
    change = (1.1 + factor * temperature) ** rng.random()
    if rng.random() < 0.5:
        change = 1.0 / change
    if rng.random() < p_negate:
        change = -change
    tree.values[at] *= change
    return True


@kernel
def mutate_operator(tree, letters, alphabet, rng):
    """An operator becomes another one of as many arguments."""
    at = pick_node(tree, OPERATOR, alphabet, rng)
    if at < 0:
        return False
    choice = letters.unary if alphabet.table[ARITY, tree.codes[at]] == 1 else letters.binary
    if len(choice) == 0 or (len(choice) == 1 and choice[0] == tree.codes[at]):
        return False
    before = tree.codes[at]
    while tree.codes[at] == before:
        tree.codes[at] = choice[int(rng.random() * len(choice))]
    return True


@kernel
def mutate_feature(tree, letters, alphabet, rng):
    """A feature becomes another one."""
    at = pick_node(tree, FEATURE, alphabet, rng)
    if at < 0 or letters.features < 2:
        return False
    other = int(rng.random() * (letters.features - 1))
    before = -1 - tree.codes[at]
    tree.codes[at] = -1 - (other + (other >= before))
    return True


@kernel
def swap_operands(tree, alphabet, rng):
    """The two arguments of an operator change places."""
    at = pick_node(tree, BINARY, alphabet, rng)
    if at < 0:
        return False
    first, middle = tree.starts[at], tree.starts[at - 1]
    end = stash(tree, first, middle, stash(tree, middle, at, room(tree)))
    return splice(tree, first, at, tree.codes, tree.values, room(tree), end, alphabet)


@kernel
def rotate_tree(tree, alphabet, rng):
    """An operator (the pivot) rises above its parent, which takes the place of one of the pivot's arguments.

    ``(a + b)*c`` becomes ``a + b*c`` or ``b + a*c``-like trees: the size stays, what belongs together changes.
    """
    root = pick_node(tree, ROTATABLE, alphabet, rng)
    if root < 0:
        return False
    pivot, left = root - 1, tree.starts[root - 1] - 1
    if alphabet.table[ARITY, tree.codes[root]] == 2 and tree.codes[left] > 0:
        if tree.codes[pivot] <= 0 or rng.random() < 0.5:
            pivot = left
    low, high = tree.starts[pivot], pivot - 1  # the pivot's arguments are low … high
    if alphabet.table[ARITY, tree.codes[pivot]] == 2 and rng.random() < 0.5:
        first, last = low, tree.starts[pivot - 1]  # its first argument goes down
    else:
        first, last = tree.starts[high], high + 1
    # root with the chosen argument in the place of the pivot, then the pivot with that in the argument's place
    end = stash(tree, low, first, room(tree))
    end = stash(tree, tree.starts[root], low, end)
    end = stash(tree, first, last, end)
    end = stash(tree, pivot + 1, root + 1, end)
    end = stash(tree, last, pivot + 1, end)
    return splice(tree, tree.starts[root], root + 1, tree.codes, tree.values, room(tree), end, alphabet)


@kernel
def append_node(tree, letters, alphabet, rng):
    """A leaf becomes an operator with new leaves."""
    return grow_leaf(tree, pick_node(tree, LEAF, alphabet, rng), letters, alphabet, rng)


@kernel
def insert_node(tree, letters, alphabet, rng):
    """A random node becomes an argument of a new operator; its other argument is a new leaf."""
    return _put_above(tree, int(rng.random() * tree.size[0]), letters, alphabet, rng)


@kernel
def prepend_node(tree, letters, alphabet, rng):
    """The whole formula becomes an argument of a new operator."""
    return _put_above(tree, tree.size[0] - 1, letters, alphabet, rng)


@kernel
def _put_above(tree, node, letters, alphabet, rng):
    code = random_operator(letters, rng)
    two = alphabet.table[ARITY, code] == 2
    leaf_first = two and rng.random() < 0.5
    start, end = tree.starts[node], room(tree)
    if leaf_first:
        tree.codes[end], tree.values[end] = random_leaf(letters, rng)
        end += 1
    end = stash(tree, start, node + 1, end)
    if two and not leaf_first:
        tree.codes[end], tree.values[end] = random_leaf(letters, rng)
        end += 1
    tree.codes[end], tree.values[end] = code, 0.0
    return splice(tree, start, node + 1, tree.codes, tree.values, room(tree), end + 1, alphabet)


@kernel
def delete_node(tree, alphabet, rng):
    """An operator is replaced by one of its arguments."""
    at = pick_node(tree, OPERATOR, alphabet, rng)
    if at < 0:
        return False
    argument = at - 1
    if alphabet.table[ARITY, tree.codes[at]] == 2 and rng.random() < 0.5:
        argument = tree.starts[at - 1] - 1
    end = stash(tree, tree.starts[argument], argument + 1, room(tree))
    return splice(tree, tree.starts[at], at + 1, tree.codes, tree.values, room(tree), end, alphabet)


@kernel
def randomize(tree, most_operators, letters, alphabet, rng):
    """A new random formula takes its place."""
    random_tree(tree, 1 + int(rng.random() * most_operators), letters, alphabet, rng)
    return True


@kernel
def graft(tree, spare, most_operators, letters, alphabet, rng):
    """A random subtree is replaced by a new random one."""
    random_tree(spare, int(rng.random() * (most_operators + 1)), letters, alphabet, rng)
    at = int(rng.random() * tree.size[0])
    return splice(tree, tree.starts[at], at + 1, spare.codes, spare.values, 0, spare.size[0], alphabet)


@kernel
def crossover(mother, father, alphabet, rng):
    """Random subtrees of two formulas change places; False, and nothing changed, if a child has no room."""
    i, j = int(rng.random() * mother.size[0]), int(rng.random() * father.size[0])
    first, other = mother.starts[i], father.starts[j]
    if max(mother.size[0] - (i - first) + (j - other), father.size[0] - (j - other) + (i - first)) > room(mother):
        return False
    end = stash(mother, first, i + 1, room(mother))
    splice(mother, first, i + 1, father.codes, father.values, other, j + 1, alphabet)
    splice(father, other, j + 1, mother.codes, mother.values, room(mother), end, alphabet)
    return True
