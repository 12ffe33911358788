"""Mutations against a slow list of all trees that each may give, made on nested tuples without the library's arrays."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from srlib import Expression
from srlib.evolution import mutation
from srlib.evolution.trees import (
    Letters,
    copy,
    empty,
    grow_leaf,
    random_leaf,
    random_operator,
    random_tree,
    splice,
    write,
)
from srlib.kernels.program import alphabet
from srlib.operators import CONSTANT, find
from tests.strategies import expressions, tree

ALPHABET = alphabet()
UNARY, BINARY = [find("sin").code, find("cos").code], [find("add").code, find("div").code]
FEATURES = 2
LETTERS = Letters(np.array(UNARY, np.int32), np.array(BINARY, np.int32), FEATURES)
NEW = (CONSTANT, "new")  # a constant that was drawn just now, whatever its value
LEAVES = [NEW, *((-1 - j, 0.0) for j in range(FEATURES))]
OLD = (2.5, -7.0, 11.0)  # the constants of the formulas below; a new one is never that large
FORMULAS = [
    "x0", "2.5", "sin(x0)", "x0 + x1", "x0/2.5", "sin(cos(x1))", "sin(x0 + 2.5)", "cos(x0)/x1", "(x0 + x1)/2.5",
    "x0/(x1 + 2.5)", "sin(x0)/cos(x1)", "(x0 + 2.5)/(x1 + 11)", "cos(sin(x0)/(x1 + 2.5)) + 11", "x0 + (x0 + (x1 + x0))",
]  # fmt: skip


# ------------------------------------------------------------ trees as nested tuples


def formula_tree(text):
    formula = Expression.parse(text)
    assert set(formula.constants) <= set(OLD)
    return tree(formula)


def loaded(text_or_formula, room=40):
    formula = Expression.parse(text_or_formula) if isinstance(text_or_formula, str) else text_or_formula
    made = empty(room)
    write(made, formula.codes, formula.values, formula.size, ALPHABET)
    return made


def as_expression(made):
    """The formula of a tree; an error if it is none, or if the tree's own notes are wrong."""
    size = int(made.size[0])
    formula = Expression(made.codes[:size], made.values[:size])
    assert made.starts[:size].tolist() == [formula.span(node)[0] for node in range(size)]
    assert (made.values[:size][made.codes[:size] != CONSTANT] == 0).all()
    return formula


def as_tuples(made):
    """The formula of a tree as nested tuples, with new constants all alike."""

    def marked(node):
        if node[0] == CONSTANT and node[1] not in OLD:
            return NEW
        return (*node[:2], *map(marked, node[2:]))

    return marked(tree(as_expression(made)))


def operators():
    return [(code, 1) for code in UNARY] + [(code, 2) for code in BINARY]


def everywhere(node, change):
    """All trees in which one node is replaced by one of ``change(node)``."""
    results = set(change(node))
    for at in range(2, len(node)):
        results |= {(*node[:at], new, *node[at + 1 :]) for new in everywhere(node[at], change)}
    return results


def nodes(node):
    return [node, *itertools.chain.from_iterable(map(nodes, node[2:]))]


def grown(leaf):
    if len(leaf) > 2:
        return
    for code, arity in operators():
        for leaves in itertools.product(LEAVES, repeat=arity):
            yield (code, 0.0, *leaves)


def put_above(node):
    for code, arity in operators():
        if arity == 1:
            yield (code, 0.0, node)
        else:
            for leaf in LEAVES:
                yield from ((code, 0.0, node, leaf), (code, 0.0, leaf, node))


def other_operator(node):
    for family in (UNARY, BINARY):
        if node[0] in family:
            yield from ((code, *node[1:]) for code in family if code != node[0])


def other_feature(node):
    if node[0] < 0:
        yield from ((-1 - j, 0.0) for j in range(FEATURES) if -1 - j != node[0])


def swapped(node):
    if len(node) == 4:
        yield (*node[:2], node[3], node[2])


def rotated(node):
    for at in range(2, len(node)):
        pivot = node[at]
        for below in range(2, len(pivot)):
            sunk = (*node[:at], pivot[below], *node[at + 1 :])
            yield (*pivot[:below], sunk, *pivot[below + 1 :])


def deleted(node):
    return node[2:]


def random_trees(count):
    """All trees of so many operators that grow leaf by leaf."""
    found = set(LEAVES)
    for _ in range(count):
        found = {bigger for one in found for bigger in everywhere(one, grown)}
    return found


# name -> (the mutation's arguments after the tree, all results)
MUTATIONS = {
    "append_node": ((LETTERS, ALPHABET), lambda t: everywhere(t, grown)),
    "insert_node": ((LETTERS, ALPHABET), lambda t: everywhere(t, put_above)),
    "prepend_node": ((LETTERS, ALPHABET), lambda t: set(put_above(t))),
    "delete_node": ((ALPHABET,), lambda t: everywhere(t, deleted)),
    "mutate_operator": ((LETTERS, ALPHABET), lambda t: everywhere(t, other_operator)),
    "mutate_feature": ((LETTERS, ALPHABET), lambda t: everywhere(t, other_feature)),
    "swap_operands": ((ALPHABET,), lambda t: everywhere(t, swapped)),
    "rotate_tree": ((ALPHABET,), lambda t: everywhere(t, rotated)),
    "randomize": ((2, LETTERS, ALPHABET), lambda t: random_trees(1) | random_trees(2)),
}  # fmt: skip


def results_of(name, text, times, rng):
    """What the mutation gives, as often as asked; None where it says that nothing changed."""
    arguments, seen = MUTATIONS[name][0], []
    for _ in range(times):
        made = loaded(text)
        before = as_tuples(made)
        changed = getattr(mutation, name)(made, *arguments, rng)
        if not changed:
            assert as_tuples(made) == before
        seen.append(as_tuples(made) if changed else None)
    return seen


@pytest.mark.parametrize("name", [name for name in MUTATIONS if name != "randomize"])
@pytest.mark.parametrize("text", FORMULAS)
def test_all_results_and_no_others(name, text):
    possible = MUTATIONS[name][1](formula_tree(text))
    rng = np.random.default_rng(0)
    seen = set(results_of(name, text, 20 * len(possible) + 100, rng))
    if not possible:
        assert seen == {None}
    else:
        assert None not in seen
        assert seen == possible, (seen - possible, possible - seen)


def test_rotation_by_hand():
    """The two ways to lift the sum out of (a + b)/c, and all that a chain may become."""
    x0, x1, two = (-1, 0.0), (-2, 0.0), (CONSTANT, 2.5)
    add, div = BINARY
    rng = np.random.default_rng(1)
    assert set(results_of("rotate_tree", "(x0 + x1)/2.5", 100, rng)) == {
        (add, 0.0, (div, 0.0, x0, two), x1),
        (add, 0.0, x0, (div, 0.0, x1, two)),
    }
    sin, cos = UNARY
    assert set(results_of("rotate_tree", "sin(cos(x0))", 20, rng)) == {(cos, 0.0, (sin, 0.0, x0))}
    assert set(results_of("rotate_tree", "sin(x0 + 2.5)", 50, rng)) == {
        (add, 0.0, (sin, 0.0, x0), two),
        (add, 0.0, x0, (sin, 0.0, two)),
    }
    assert set(results_of("rotate_tree", "2.5/(x0 + x1)", 100, rng)) == {
        (add, 0.0, (div, 0.0, two, x0), x1),
        (add, 0.0, x0, (div, 0.0, two, x1)),
    }


def test_randomize_gives_all_small_trees():
    possible = random_trees(1) | random_trees(2)
    rng = np.random.default_rng(2)
    seen = results_of("randomize", "x0", 30 * len(possible), rng)
    assert set(seen) <= possible
    assert random_trees(1) <= set(seen) and len(set(seen)) > 0.8 * len(possible)
    many = np.mean([sum(len(node) > 2 for node in nodes(one)) == 1 for one in seen])
    assert abs(many - 0.5) < 0.02  # one operator as often as two


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_random_trees_have_so_many_operators(count):
    rng, made = np.random.default_rng(count), empty(40)
    possible = random_trees(count) if count < 3 else None
    seen = set()
    for _ in range(400 if count != 1 else 3000):
        random_tree(made, count, LETTERS, ALPHABET, rng)
        seen.add(as_tuples(made))
        assert int((made.codes[: made.size[0]] > 0).sum()) == count
    assert count > 1 or seen == possible
    assert possible is None or seen <= possible


def test_graft_replaces_any_node_by_any_small_tree():
    text = "sin(x0)/2.5"
    small = random_trees(0) | random_trees(1)
    possible = everywhere(formula_tree(text), lambda node: small)
    rng, spare, seen = np.random.default_rng(3), empty(40), set()
    for _ in range(10_000):
        made = loaded(text)
        assert mutation.graft(made, spare, 1, LETTERS, ALPHABET, rng)
        seen.add(as_tuples(made))
    assert seen == possible


@pytest.mark.parametrize("mother, father", [("x0", "x1"), ("sin(x0)", "x1/2.5"), ("(x0 + 2.5)/x1", "cos(x0/11)")])
def test_crossover_exchanges_any_two_subtrees(mother, father):
    def all_with_holes(node):
        return [(lambda new: new, node)] + [
            (lambda new, at=at, fill=fill: (*node[:at], fill(new), *node[at + 1 :]), part)
            for at in range(2, len(node))
            for fill, part in all_with_holes(node[at])
        ]

    possible = {
        (fill(other), give(part))
        for fill, part in all_with_holes(formula_tree(mother))
        for give, other in all_with_holes(formula_tree(father))
    }
    rng, seen = np.random.default_rng(4), set()
    for _ in range(40 * len(possible) + 40):
        one, two = loaded(mother), loaded(father)
        assert mutation.crossover(one, two, ALPHABET, rng)
        seen.add((as_tuples(one), as_tuples(two)))
    assert seen == possible


# ------------------------------------------------------------ constants


def test_a_constant_is_multiplied_or_divided():
    temperature, factor = 0.6, 2.0
    largest = 1.1 + factor * temperature
    rng, logs, places, signs = np.random.default_rng(5), [], [], []
    for _ in range(4000):
        made = loaded("2.5*x0 + -7/sin(11)")
        before = as_expression(made).constants
        assert mutation.mutate_constant(made, temperature, factor, 0.25, ALPHABET, rng)
        ratio = as_expression(made).constants / before
        (place,) = np.flatnonzero(ratio != 1)
        places.append(place)
        signs.append(ratio[place] < 0)
        logs.append(np.log(abs(ratio[place])) / np.log(largest))
    assert chisquare(np.bincount(places)).pvalue > 0.001
    assert abs(np.mean(signs) - 0.25) < 0.03
    assert kstest(logs, "uniform", (-1, 2)).pvalue > 0.001  # the exponent is uniform, up or down alike


def test_a_constant_at_temperature_zero_and_without_constants():
    rng = np.random.default_rng(6)
    made = loaded("2.5")
    for _ in range(100):
        before = made.values[0]
        assert mutation.mutate_constant(made, 0.0, 5.0, 0.0, ALPHABET, rng)
        assert 1 / 1.1 <= made.values[0] / before <= 1.1
    made = loaded("sin(x0)")
    assert not mutation.mutate_constant(made, 1.0, 1.0, 0.5, ALPHABET, rng)
    assert as_expression(made) == Expression.parse("sin(x0)")
    zero = loaded("0")
    assert mutation.mutate_constant(zero, 1.0, 1.0, 0.5, ALPHABET, rng) and zero.values[0] == 0


# ------------------------------------------------------------ what is equally likely


def test_new_leaves_are_half_constants():
    rng = np.random.default_rng(7)
    drawn = [random_leaf(LETTERS, rng) for _ in range(8000)]
    counts = [sum(code == kind for code, _ in drawn) for kind in (CONSTANT, -1, -2)]
    assert sum(counts) == 8000
    assert chisquare(counts, np.array([0.5, 0.25, 0.25]) * 8000).pvalue > 0.001
    assert kstest([value for code, value in drawn if code == CONSTANT], "norm").pvalue > 0.001
    assert all(value == 0 for code, value in drawn if code != CONSTANT)


def test_operators_are_equally_likely():
    letters = Letters(np.array(UNARY[:1], np.int32), np.array([*BINARY, find("mul").code], np.int32), 1)
    rng = np.random.default_rng(8)
    drawn = [random_operator(letters, rng) for _ in range(4000)]
    assert chisquare(np.unique(drawn, return_counts=True)[1]).pvalue > 0.001 and len(set(drawn)) == 4


@pytest.mark.parametrize(
    "kind, expected",
    [
        (CONSTANT, [1, 7]), (mutation.LEAF, [0, 1, 4, 7]), (mutation.FEATURE, [0, 4]),
        (mutation.OPERATOR, [2, 3, 5, 6, 8]), (mutation.BINARY, [2, 6, 8]), (mutation.ROTATABLE, [3, 6, 8]),
    ],
)  # fmt: skip
def test_nodes_of_a_kind_are_equally_likely(kind, expected):
    made = loaded("sin(x0 + 2.5)/cos(x1) + 11")  # x0 2.5 + sin x1 cos / 11 +
    rng = np.random.default_rng(9)
    picked = [mutation.pick_node(made, kind, ALPHABET, rng) for _ in range(2000)]
    found, counts = np.unique(picked, return_counts=True)
    assert found.tolist() == expected and chisquare(counts).pvalue > 0.001


def test_no_node_of_a_kind():
    rng = np.random.default_rng(0)
    assert mutation.pick_node(loaded("x0"), mutation.OPERATOR, ALPHABET, rng) == -1
    assert mutation.pick_node(loaded("sin(x0)"), mutation.BINARY, ALPHABET, rng) == -1
    assert mutation.pick_node(loaded("sin(x0)"), CONSTANT, ALPHABET, rng) == -1
    assert mutation.pick_node(loaded("2.5"), mutation.FEATURE, ALPHABET, rng) == -1


# ------------------------------------------------------------ few letters, little room


def test_alphabets_without_a_choice():
    rng = np.random.default_rng(10)
    lonely = Letters(np.array([], np.int32), np.array(BINARY[:1], np.int32), 1)
    made = loaded("x0 + sin(x0)")
    for _ in range(50):
        # div is none of the letters, sin has no letter to become: nothing to change
        assert not mutation.mutate_operator(made, lonely, ALPHABET, rng)
        assert not mutation.mutate_feature(made, lonely, ALPHABET, rng)
    assert as_expression(made) == Expression.parse("x0 + sin(x0)")
    for _ in range(20):
        random_tree(made, 3, lonely, ALPHABET, rng)
        assert set(made.codes[: made.size[0]].tolist()) <= {CONSTANT, -1, BINARY[0]}
    unary = Letters(np.array(UNARY, np.int32), np.array([], np.int32), 1)
    random_tree(made, 5, unary, ALPHABET, rng)
    assert made.size[0] == 6


GROWING = ["append_node", "insert_node", "prepend_node"]


@pytest.mark.parametrize("name", GROWING)
@pytest.mark.parametrize("text", ["x0", "sin(x0) + 2.5", "x0/(x1 + 2.5)"])
@pytest.mark.parametrize("spare", [0, 1, 2])
def test_growing_stops_at_the_room(name, text, spare):
    formula = Expression.parse(text)
    rng, gained = np.random.default_rng(11), set()
    for _ in range(200):
        made = loaded(text, formula.size + spare)
        changed = getattr(mutation, name)(made, LETTERS, ALPHABET, rng)
        result = as_expression(made)
        gained.add(result.size - formula.size)
        assert changed == (result.size > formula.size) and (changed or result == formula)
    assert gained == {0: {0}, 1: {0, 1}, 2: {1, 2}}[spare]


def test_crossover_without_room_changes_nothing():
    mother, father = "sin(x0) + 2.5", "cos(x0/11) + (x1 + 2.5)"
    rng, refused = np.random.default_rng(12), 0
    for _ in range(300):
        one, two = loaded(mother, 8), loaded(father, 8)
        if mutation.crossover(one, two, ALPHABET, rng):
            assert as_expression(one).size + as_expression(two).size == 12
        else:
            refused += 1
            assert as_expression(one) == Expression.parse(mother) and as_expression(two) == Expression.parse(father)
    assert 0 < refused < 300


def test_random_trees_stay_within_their_room():
    rng = np.random.default_rng(13)
    for room in (1, 2, 3, 5):
        for _ in range(50):
            made, spare = empty(room), empty(room)
            random_tree(made, 6, LETTERS, ALPHABET, rng)
            assert 1 <= as_expression(made).size <= room
            mutation.graft(made, spare, 4, LETTERS, ALPHABET, rng)
            assert as_expression(made).size <= room
            mutation.randomize(made, 7, LETTERS, ALPHABET, rng)
            assert as_expression(made).size <= room


def test_splice_and_copy():
    made, other = loaded("x0 + 2.5", 5), empty(5)
    copy(made, other, ALPHABET)
    codes, values = np.array([-2, UNARY[0], UNARY[1]], np.int32), np.zeros(3)
    assert splice(made, 0, 1, codes, values, 0, 3, ALPHABET)
    assert as_expression(made) == Expression.parse("cos(sin(x1)) + 2.5")
    assert not splice(made, 0, 1, codes, values, 0, 2, ALPHABET)  # no room
    assert as_expression(made) == Expression.parse("cos(sin(x1)) + 2.5")
    assert splice(made, 0, 3, codes, values, 0, 1, ALPHABET)
    assert as_expression(made) == Expression.parse("x1 + 2.5")
    assert as_expression(other) == Expression.parse("x0 + 2.5")
    assert not grow_leaf(loaded("x0", 1), 0, LETTERS, ALPHABET, np.random.default_rng(0))


# ------------------------------------------------------------ any formula

ANY = st.sampled_from([*MUTATIONS, "mutate_constant", "graft"])


@given(expressions(tokens=20), st.lists(ANY, min_size=1, max_size=6), st.integers(0, 2**32), st.integers(0, 6))
def test_results_are_whole_formulas(formula, names, seed, room):
    """Any formula over the whole alphabet, several mutations one after the other, with little room to grow."""
    made, spare, rng = loaded(formula, formula.size + room), empty(formula.size + room), np.random.default_rng(seed)
    for name in names:
        before = as_expression(made)
        if name == "mutate_constant":
            made.values[:] = np.clip(made.values, -1e300, 1e300)
            before = as_expression(made)
            changed = mutation.mutate_constant(made, 1.0, 1.0, 0.1, ALPHABET, rng)
        elif name == "graft":
            changed = mutation.graft(made, spare, 3, LETTERS, ALPHABET, rng)
        else:
            changed = getattr(mutation, name)(made, *MUTATIONS[name][0], rng)
        after = as_expression(made)
        assert changed or after == before
        growth = after.size - before.size
        low, high = {
            "append_node": (0, 2), "insert_node": (0, 2), "prepend_node": (0, 2), "delete_node": (-before.size, 0),
            "randomize": (-before.size, 5), "graft": (-before.size, 6),
        }.get(name, (0, 0))  # fmt: skip
        assert low <= growth <= high
        if name in ("rotate_tree", "swap_operands"):
            assert sorted(zip(after.codes.tolist(), after.values.tolist(), strict=True)) == sorted(
                zip(before.codes.tolist(), before.values.tolist(), strict=True)
            )


@given(expressions(tokens=16), expressions(tokens=16), st.integers(0, 2**32), st.integers(0, 8))
def test_children_of_a_crossing_are_whole_formulas(one, two, seed, room):
    size = max(one.size, two.size) + room
    mother, father = loaded(one, size), loaded(two, size)
    changed = mutation.crossover(mother, father, ALPHABET, np.random.default_rng(seed))
    first, second = as_expression(mother), as_expression(father)
    assert changed or (first == one and second == two)
    assert sorted([*first.codes.tolist(), *second.codes.tolist()]) == sorted([*one.codes.tolist(), *two.codes.tolist()])


def test_the_same_dice_give_the_same_tree():
    made = []
    for _ in range(2):
        one, rng = loaded("sin(x0)/(x1 + 2.5)"), np.random.default_rng(14)
        for name in ("append_node", "rotate_tree", "insert_node", "swap_operands", "delete_node", "mutate_operator"):
            getattr(mutation, name)(one, *MUTATIONS[name][0], rng)
        made.append(as_expression(one))
    assert made[0] == made[1]
