"""Each step of the genetic algorithm against what it must do, on trees small enough to list every outcome."""

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from srlib import Expression
from srlib.genetic import (
    Fitness,
    Individual,
    Primitives,
    constant_mutation,
    crossover,
    full,
    grow,
    hoist_mutation,
    pick_node,
    point_mutation,
    ramped_half_and_half,
    replace,
    roulette,
    subtree_mutation,
    swap_subtrees,
    tournament,
)
from srlib.operators import find

parse = Expression.parse
PRIMITIVES = Primitives(tuple(find(name) for name in ("add", "mul", "sin", "cos")), n_features=2)


def outcomes(function, draws: int = 2000) -> set[str]:
    """Every different result of many draws."""
    rng = Random(0)
    return {str(function(rng)) for _ in range(draws)}


def individual(fitness: float, id: int = 0) -> Individual:
    return Individual(Expression.variable(0), fitness, fitness, id)


# ---------------------------------------------------------------- initialisation


def leaf_depths(expression: Expression) -> set[int]:
    """The depth of each leaf, by walking down from the root."""
    result, stack = set(), [(expression.size - 1, 1)]
    while stack:
        node, depth = stack.pop()
        below = expression.children(node)
        stack += [(child, depth + 1) for child in below]
        if not below:
            result.add(depth)
    return result


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_full_trees_have_all_leaves_at_the_same_level(seed, depth):
    assert leaf_depths(full(PRIMITIVES, depth, Random(seed))) == {depth}


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_grown_trees_stay_within_the_depth(seed, depth):
    tree = grow(PRIMITIVES, depth, Random(seed))
    assert tree.depth <= depth
    assert tree.size > 1 or depth == 1, "the root is an operator"


def test_ramped_half_and_half_has_every_depth_in_both_ways():
    trees = ramped_half_and_half(PRIMITIVES, 400, (2, 5), Random(1))
    by_depth = Counter(tree.depth for tree in trees[::2])  # the full ones
    assert by_depth == {2: 50, 3: 50, 4: 50, 5: 50}
    assert {tree.depth for tree in trees[1::2]} == {2, 3, 4, 5}


@pytest.mark.parametrize("maxsize", [3, 7])
def test_ramped_half_and_half_respects_the_size(maxsize):
    binary = Primitives((find("add"),), 1)
    assert max(tree.size for tree in ramped_half_and_half(binary, 100, (2, 6), Random(2), maxsize)) <= maxsize


def test_leaves_are_drawn_with_the_stated_probabilities():
    rng = Random(3)
    counts = Counter(PRIMITIVES.random_leaf(rng)[0] for _ in range(4000))
    observed = [counts[0], counts[-1], counts[-2]]  # constant, x0, x1
    assert chisquare(observed, [1000, 1500, 1500]).pvalue > 1e-4


def test_large_constants_appear_only_with_a_scale():
    plain = [PRIMITIVES.random_constant(Random(i)) for i in range(500)]
    wide = Primitives(PRIMITIVES.operators, 1, constant_scale=1000.0)
    drawn = [wide.random_constant(Random(i)) for i in range(500)]
    assert max(map(abs, plain)) <= 5
    assert 100 < max(map(abs, drawn)) <= 1000 and min(drawn) < -5


# ---------------------------------------------------------------- fitness


def test_fitness_is_loss_over_the_best_constants_loss_plus_parsimony():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    fitness = Fitness(X, y, parsimony=0.02)
    e = parse("x0 + 0.5*x1")
    mse = np.mean((X[:, 0] + 0.5 * X[:, 1] - y) ** 2)
    assert fitness.loss(e) == pytest.approx(mse)
    assert fitness.of(e) == pytest.approx(np.sqrt(mse / y.var()) + 0.02 * 5)


def test_weights_count_like_repeated_rows():
    X, y = np.array([[1.0], [2.0], [5.0]]), np.array([1.0, 3.0, 4.0])
    e = parse("x0*x0 - 1")
    repeated = Fitness(np.repeat(X, [1, 3, 2], axis=0), np.repeat(y, [1, 3, 2]))
    weighted = Fitness(X, y, [1, 3, 2])
    assert weighted.loss(e) == pytest.approx(repeated.loss(e))
    assert weighted.of(e) == pytest.approx(repeated.of(e))


@pytest.mark.parametrize(("loss", "expected"), [("squared", 4.0), ("absolute", 4 / 3), ("huber", 3.5 / 3)])
def test_losses(loss, expected):
    fitness = Fitness(
        np.array([[0.0], [0.0], [0.0]]), np.array([0.0, -np.sqrt(12) if loss == "squared" else -4, 0.0]), loss=loss
    )
    assert fitness.loss(parse("x0")) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["log(x0)", "1/x0", "exp(1000*(x0 + 1))*0", "exp(exp(exp(x0 + 9)))"])
def test_a_formula_without_a_finite_value_in_some_row_loses(text):
    assert Fitness(np.array([[1.0], [0.0]]), np.array([1.0, 2.0])).loss(parse(text)) == math.inf


# ---------------------------------------------------------------- selection


@pytest.mark.parametrize("size", [1, 2, 5])
def test_tournament_probabilities(size):
    """The k-th best of n wins if the best drawn is k: ((n-k+1)^s - (n-k)^s) / n^s, with replacement."""
    n, draws = 6, 6000
    population = [individual(fitness=k, id=k) for k in range(n)]
    select, rng = tournament(population, size), Random(4)
    counts = Counter(select(rng).id for _ in range(draws))
    expected = [draws * ((n - k) ** size - (n - k - 1) ** size) / n**size for k in range(n)]
    kept = [k for k in range(n) if expected[k] >= 5]
    tail = sum(expected[k] for k in range(n) if k not in kept)
    observed = [counts[k] for k in kept] + [sum(counts[k] for k in range(n) if k not in kept)] * (tail > 0)
    assert chisquare(observed, [expected[k] for k in kept] + [tail] * (tail > 0)).pvalue > 1e-4


def test_roulette_slots_are_as_wide_as_adjusted_fitness():
    population = [individual(0, 0), individual(1, 1), individual(3, 2), individual(math.inf, 3)]
    select, rng = roulette(population), Random(5)
    counts = Counter(select(rng).id for _ in range(7000))
    assert counts[3] == 0
    assert chisquare([counts[0], counts[1], counts[2]], [4000, 2000, 1000]).pvalue > 1e-4


def test_roulette_where_nobody_has_a_finite_fitness():
    select = roulette([individual(math.inf, 0), individual(math.inf, 1)])
    assert {select(Random(i)).id for i in range(20)} == {0, 1}


# ---------------------------------------------------------------- crossover and mutation


def test_the_lectures_crossover():
    """Document 003: 1.15y + 0.86 and x^x have the children x + 0.86 and (1.15y)^x."""
    mother, father = parse("1.15*y + 0.86", names=["x", "y"]), parse("x**x", names=["x", "y"])
    assert [str(child) for child in swap_subtrees(mother, 2, father, 0)] == ["x + 0.86", "(1.15*y)**x"]
    assert str(mother) == "1.15*y + 0.86" and str(father) == "x**x"


def test_crossover_gives_exactly_the_swaps_of_all_pairs_of_nodes():
    mother, father = parse("x0 + sin(x1)"), parse("cos(x0)*x1")
    possible = {str(swap_subtrees(mother, i, father, j)) for i in range(mother.size) for j in range(father.size)}
    drawn = outcomes(lambda rng: crossover(mother, father, rng), 3000)
    assert drawn == possible


def test_crossover_loses_no_node():
    rng = Random(6)
    for _ in range(200):
        mother, father = grow(PRIMITIVES, 5, rng), grow(PRIMITIVES, 5, rng)
        children = crossover(mother, father, rng)
        assert sum(child.size for child in children) == mother.size + father.size


def test_point_mutation_changes_one_node_to_its_own_kind():
    drawn = outcomes(lambda rng: point_mutation(parse("sin(x0) + x1"), Primitives(PRIMITIVES.operators, 2, None), rng))
    assert drawn == {
        "sin(x0) + x1", "sin(x1) + x1", "sin(x0) + x0", "cos(x0) + x1", "sin(x0)*x1",
    }  # fmt: skip


def test_point_mutation_with_no_other_operator_of_that_arity():
    only = Primitives((find("add"),), 1, None)
    assert outcomes(lambda rng: point_mutation(parse("x0 + x0"), only, rng)) == {"x0 + x0"}


def test_hoist_mutation_gives_every_part_in_place_of_its_whole():
    drawn = outcomes(lambda rng: hoist_mutation(parse("sin(x0) + x1"), rng))
    assert drawn == {"sin(x0) + x1", "x0 + x1", "sin(x0)", "x0", "x1"}


def test_hoist_mutation_never_grows():
    rng = Random(7)
    for _ in range(300):
        tree = grow(PRIMITIVES, 6, rng)
        assert hoist_mutation(tree, rng).size <= tree.size


def test_subtree_mutation_replaces_one_subtree():
    tree = parse("x0 + sin(x1)")
    names = Primitives((find("cos"),), 1, None)
    drawn = outcomes(lambda rng: subtree_mutation(tree, names, rng, depth=2))
    assert drawn == {
        "x0 + sin(x1)", "cos(x0) + sin(x1)", "x0 + x0", "x0 + cos(x0)", "x0 + sin(x0)", "x0 + sin(cos(x0))",
        "x0", "cos(x0)",
    }  # fmt: skip


def test_constant_mutation_moves_exactly_one_constant():
    tree, rng = parse("2*x0 + 0"), Random(8)
    for _ in range(200):
        moved = constant_mutation(tree, rng)
        assert np.array_equal(moved.codes, tree.codes)
        assert (moved.constants != tree.constants).sum() == 1
    signs = [np.sign(constant_mutation(parse("2*x0"), rng).constants[0]) for _ in range(2000)]
    assert chisquare([signs.count(-1), signs.count(1)], [200, 1800]).pvalue > 1e-4


def test_constant_mutation_without_constants():
    assert constant_mutation(parse("sin(x0)"), Random(0)) == parse("sin(x0)")


def test_pick_node_prefers_operators_as_stated():
    tree, rng = parse("sin(x0) + x1"), Random(9)  # nodes: x0 sin x1 add
    counts = Counter(pick_node(tree, rng) for _ in range(4000))
    assert chisquare([counts[i] for i in range(4)], [200, 1800, 200, 1800]).pvalue > 1e-4
    assert pick_node(Expression.variable(0), rng) == 0


# ---------------------------------------------------------------- replacement


@pytest.mark.parametrize("elitism", [0, 1, 3])
def test_replacement_keeps_the_fittest_parents_and_all_offspring(elitism):
    parents = [individual(fitness, id) for id, fitness in enumerate([3.0, 1.0, 2.0, 0.5])]
    offspring = [individual(9.0, 10 + i) for i in range(4 - elitism)]
    new = replace(parents, offspring, elitism)
    assert [one.id for one in new] == [3, 1, 2][:elitism] + [one.id for one in offspring]


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        (np.ones(3), np.ones(3), {}, "X has shape \\(3,\\)"),
        (np.ones((3, 1)), np.ones(2), {}, "X has shape \\(3, 1\\) and y \\(2,\\)"),
        (np.ones((3, 1)), np.ones(3), {"loss": "squard"}, "loss is 'squard': choose one of 'squared'"),
        (np.ones((3, 1)), np.ones(3), {"sample_weight": [1.0]}, "sample_weight has shape \\(1,\\)"),
    ],
)
def test_fitness_names_what_is_wrong(X, y, options, message):
    with pytest.raises(ValueError, match=message):
        Fitness(X, y, **options)


def test_a_tournament_needs_competitors():
    with pytest.raises(ValueError, match="size is 0"):
        tournament([individual(1.0)], 0)
