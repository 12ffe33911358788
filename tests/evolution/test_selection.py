"""Who is chosen, accepted and replaced: probabilities by chi-square, with fixed dice."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from srlib.evolution import selection
from srlib.evolution.selection import acceptable_loss, frecency, oldest, tournament, update_frequencies

LEVEL = 0.001  # the dice are fixed, so a test that passes once passes always


def flat(bins=30):
    return np.full(bins, 1 / bins)


def winners(costs, n_s, p, times, seed=0, scaling=0.0, complexities=None, frequency=None):
    costs = np.array(costs, float)
    complexities = np.arange(1.0, len(costs) + 1) if complexities is None else np.array(complexities, float)
    frequency, rng = flat() if frequency is None else frequency, np.random.default_rng(seed)
    picks = [tournament(costs, complexities, frequency, scaling, n_s, p, rng) for _ in range(times)]
    return np.bincount(picks, minlength=len(costs))


def wins_by_rank(n_s, p):
    """p, p(1-p), p(1-p)^2, … and what is left for the last."""
    return np.array([*(p * (1 - p) ** k for k in range(n_s - 1)), (1 - p) ** (n_s - 1)])


@pytest.mark.parametrize("n_s, p", [(1, 0.9), (2, 0.9), (3, 0.5), (5, 0.9), (6, 0.35)])
def test_all_compete(n_s, p):
    """With as many competitors as members the ranks are known: p(1-p)^k, the last one takes the rest."""
    rng = np.random.default_rng(n_s)
    order = rng.permutation(n_s)
    counts = winners(np.argsort(order) + 1.0, n_s, p, 20_000, seed=1)
    assert order[0] == np.argmin(np.argsort(order))
    expected = wins_by_rank(n_s, p) * 20_000
    enough = expected >= 5
    found = counts[order]
    if n_s > 1:
        pooled = [*found[enough], found[~enough].sum()], [*expected[enough], expected[~enough].sum()]
        found, expected = (np.array(part)[: None if (~enough).any() else -1] for part in pooled)
    assert len(found) == 1 or chisquare(found, expected).pvalue > LEVEL


@pytest.mark.parametrize("members, n_s, p", [(6, 3, 0.8), (5, 2, 1.0), (7, 4, 0.5), (4, 1, 0.3)])
def test_competitors_are_drawn_without_replacement(members, n_s, p):
    """The chance of each rank, by going through all draws of n_s of the members."""
    chance, wins = np.zeros(members), wins_by_rank(n_s, p)
    draws = list(permutations(range(members), n_s))
    for drawn in draws:
        for place, member in enumerate(sorted(drawn)):
            chance[member] += wins[place] / len(draws)
    counts = winners(np.arange(members) + 1.0, n_s, p, 20_000, seed=2)
    possible = chance > 0
    assert counts[~possible].sum() == 0  # the worst never win against all of the better ones
    assert chisquare(counts[possible], chance[possible] * 20_000).pvalue > LEVEL


def test_certain_and_impossible_winners():
    assert winners([5.0, 1.0, 3.0], 3, 1.0, 500).tolist() == [0, 500, 0]
    assert winners([5.0, 1.0, 3.0], 3, 0.0, 500).tolist() == [500, 0, 0]  # the last one left wins anyway
    assert winners([5.0, 1.0, 3.0], 100, 1.0, 500).tolist() == [0, 500, 0]  # more competitors than members
    assert winners([5.0], 4, 0.5, 10).tolist() == [10]
    assert winners([0.0, 1.0, np.inf], 3, 1.0, 100).tolist() == [100, 0, 0]


def test_infinite_costs_come_last():
    counts = winners([np.inf, 1.0, np.inf, 2.0], 4, 0.5, 8000, seed=3)
    assert chisquare([counts[1], counts[3], counts[0] + counts[2]], np.array([0.5, 0.25, 0.25]) * 8000).pvalue > LEVEL


@pytest.mark.parametrize("scaling", [0.0, 1.0, 20.0])
def test_crowded_complexities_count_against_a_formula(scaling):
    """The rank is by cost * exp(scaling * frecency)."""
    rng = np.random.default_rng(4)
    for _ in range(50):
        costs, complexities = rng.uniform(0.5, 2, 6), rng.integers(1, 10, 6)
        frequency = rng.dirichlet(np.ones(12))
        adjusted = costs * np.exp(scaling * frequency[complexities])
        counts = winners(costs, 6, 1.0, 20, scaling=scaling, complexities=complexities, frequency=frequency)
        assert counts.argmax() == adjusted.argmin() and counts.max() == 20


def test_frecency():
    frequency = np.array([0.1, 0.2, 0.3, 0.4])
    assert [frecency(c, frequency) for c in (0, 1, 2.4, 2.6, 3)] == [0.1, 0.2, 0.3, 0.4, 0.4]
    assert [frecency(c, frequency) for c in (3.6, 4, 100.0, -3.0)] == [0, 0, 0, 0]


# ------------------------------------------------------------ acceptance


def accepted(new, old, times=20_000, seed=0, *, parsimony=0.0, sizes=(3.0, 3.0), temperature=0.5, alpha=0.4, ratio=1.0,
             annealing=True):  # fmt: skip
    """How often a child of that loss is accepted."""
    rng = np.random.default_rng(seed)
    before, after = sizes
    cost = old + parsimony * before
    limits = [
        acceptable_loss(cost, parsimony, after, after, temperature, alpha, annealing, ratio, rng) for _ in range(times)
    ]
    return int(np.sum(new <= np.array(limits)))


@pytest.mark.parametrize(
    "new, old, options",
    [
        (1.1, 1.0, {}),
        (1.4, 1.0, {}),
        (1.1, 1.0, {"temperature": 0.05}),
        (2.0, 1.0, {"alpha": 3.0}),
        (1.0, 1.0, {"ratio": 0.4}),
        (1.1, 1.0, {"ratio": 0.7}),
        (1.2, 1.0, {"ratio": 1.3}),
        (0.9, 1.0, {"ratio": 0.3}),
        (1.0, 1.0, {"parsimony": 0.1, "sizes": (3.0, 5.0)}),
        (1.1, 1.0, {"parsimony": 0.05, "sizes": (5.0, 4.0), "ratio": 0.8}),
    ],
)
def test_acceptance_is_by_annealing(new, old, options):
    """exp(-(new - old)/(alpha T)) * ratio, with the parsimony within the costs."""
    values = {"parsimony": 0.0, "sizes": (3.0, 3.0), "temperature": 0.5, "alpha": 0.4, "ratio": 1.0, **options}
    worse = new - old + values["parsimony"] * (values["sizes"][1] - values["sizes"][0])
    chance = min(1.0, math.exp(-worse / (values["alpha"] * values["temperature"])) * values["ratio"])
    count = accepted(new, old, **options)
    if chance == 1:
        assert count == 20_000
    else:
        assert chisquare([count, 20_000 - count], [20_000 * chance, 20_000 * (1 - chance)]).pvalue > LEVEL


def test_what_is_better_is_always_accepted_by_annealing():
    assert accepted(0.99, 1.0) == 20_000
    assert accepted(1.0, 1.0) == 20_000
    assert accepted(1.0, 1.0, temperature=0.0, times=100) == 100
    assert accepted(1.0 + 1e-9, 1.0, temperature=0.0, times=100) == 0


@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0, 7.0])
def test_without_annealing_only_the_ratio_counts(ratio):
    chance = min(1.0, ratio)
    count = accepted(1e9, 1.0, annealing=False, ratio=ratio, times=4000)
    if chance in (0.0, 1.0):
        assert count == 4000 * chance
    else:
        assert chisquare([count, 4000 - count], [4000 * chance, 4000 * (1 - chance)]).pvalue > LEVEL


# ------------------------------------------------------------ replacement


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_the_oldest_is_who_was_born_first(births):
    assert oldest(np.array(births, np.int64)) == births.index(min(births))


# ------------------------------------------------------------ the histogram of complexities


def test_members_are_counted():
    counts = np.ones(6)
    update_frequencies(counts, np.array([1.0, 1.0, 2.4, 2.5, 2.6, 100.0, -3.0]))
    assert counts.tolist() == [2, 3, 2, 3, 1, 2]  # rounded, and the far ends in the outermost bins
    halves = np.arange(0, 5, 0.5)  # weights may be halves: the same bin as that of frecency()
    for one in halves:
        single = np.zeros(6)
        update_frequencies(single, np.array([one]))
        assert frecency(one, single) == 1
    update_frequencies(counts, np.array([]))
    assert counts.sum() == 13


@given(
    st.lists(st.floats(0, 3000), min_size=2, max_size=30), st.lists(st.integers(0, 29), max_size=60),
    st.integers(20, 500),
)  # fmt: skip
def test_the_window(start, members, window):
    counts = 1.0 + np.array(start)
    before = counts.copy()
    for member in members:
        before[min(member, len(counts) - 1)] += 1
    old, selection.WINDOW = selection.WINDOW, window
    try:
        update_frequencies(counts, np.array(members, float))
    finally:
        selection.WINDOW = old
    assert (counts >= 1).all()
    assert counts.sum() <= max(window, len(counts)) + 1e-6
    if before.sum() <= window:
        assert np.array_equal(counts, before)
    else:  # each loses the same, but for those that are down to 1
        lost = before - counts
        assert counts.sum() == pytest.approx(max(window, len(counts)), abs=1e-5)
        assert np.allclose(lost[counts > 1 + 1e-9], lost.max(), rtol=1e-6, atol=1e-6)


def test_the_window_of_a_search():
    rng, counts = np.random.default_rng(0), np.ones(31)
    for _ in range(300):
        update_frequencies(counts, rng.integers(1, 31, 1000).astype(float))
    assert counts.sum() == pytest.approx(selection.WINDOW) and counts.min() >= 1
    for _ in range(200):
        update_frequencies(counts, np.full(1000, 30.0))
    assert counts[30] > 0.9 * selection.WINDOW and counts[0] == 1
