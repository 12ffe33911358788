"""The Gumbel-Max trick, the density of its samples, the repository of elites."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chisquare

from srlib.gmeql import Architecture, Repository, density_gradient, log_density, power_law, samples, signatures
from srlib.gmeql.sampling import match_gradient, probabilities
from tests.gmeql.networks import random_instances, wired

# ---------------------------------------------------------------- samples


@pytest.mark.parametrize("temperature", [0.1, 2 / 3, 5.0])
def test_the_largest_place_is_drawn_with_the_probabilities_of_the_softmax(temperature):
    z = np.array([0.3, -1.0, 1.2, 0.0])
    V = samples(z, temperature, 20_000, 0)
    assert V.sum(axis=1) == pytest.approx(1)
    counts = np.bincount(V.argmax(axis=1), minlength=4)
    assert chisquare(counts, 20_000 * probabilities(z)).pvalue > 1e-3


def test_a_low_temperature_gives_one_hot_vectors_and_a_high_one_uniform_ones():
    z = np.array([0.3, -1.0, 1.2])
    assert np.mean(samples(z, 0.01, 2000, 0).max(axis=1) > 0.999) > 0.9
    assert samples(z, 1000.0, 2000, 0) == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: samples(np.zeros(3), 0.0, 5, 0), "temperature is 0"),
        (lambda: samples(np.zeros(3), 1.0, 0, 0), "count is 0"),
        (lambda: Repository(0), "size is 0"),
        (lambda: Repository(3, exponent=-1.0), "exponent is -1"),
    ],
)
def test_what_cannot_be_sampled(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_padding_is_never_drawn():
    real = np.array([[True, True, False], [True, True, True]])
    assert probabilities(np.zeros((2, 3)), real)[0].tolist() == [0.5, 0.5, 0.0]


# ---------------------------------------------------------------- density


def test_the_density_of_two_places_integrates_to_one():
    z = np.array([0.4, -0.3])
    total, _ = quad(lambda v: np.exp(log_density(z, np.log([v, 1 - v]), 0.8)), 0, 1)
    assert total == pytest.approx(1, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), temperature=st.floats(0.2, 3))
def test_equation_7_is_the_gradient_that_autograd_finds(seed, temperature):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    z, log_V = rng.standard_normal((3, 5)), np.log(rng.dirichlet(np.ones(5), 3))
    theirs, fixed = torch.from_numpy(z).requires_grad_(), torch.from_numpy(log_V)
    terms = theirs - (temperature + 1) * fixed - torch.logsumexp(theirs - temperature * fixed, -1, keepdim=True)
    terms.sum().backward()
    assert density_gradient(z, log_V, temperature) == pytest.approx(theirs.grad.numpy(), rel=1e-9, abs=1e-10)
    step = 1e-6 * rng.standard_normal(z.shape)
    rise = log_density(z + step, log_V, temperature) - log_density(z - step, log_V, temperature)
    slope = np.sum(step * density_gradient(z, log_V, temperature), axis=-1)
    assert rise == pytest.approx(2 * slope, rel=1e-4, abs=1e-12)


def test_equation_11_makes_equation_7_vanish():
    log_V = np.log(np.random.default_rng(0).dirichlet(np.ones(4), 6))
    z = 0.7 * log_V
    assert density_gradient(z, log_V, 0.7) == pytest.approx(0, abs=1e-12)
    assert match_gradient(z, log_V, 0.7) == pytest.approx(0, abs=1e-12)
    h, loss = 1e-6, lambda z: np.sum((np.exp(z) - np.exp(0.7 * log_V)) ** 2)
    z = z + 0.3
    step = h * np.random.default_rng(1).standard_normal(z.shape)
    slope = (loss(z + step) - loss(z - step)) / 2
    assert -np.sum(step * match_gradient(z, log_V, 0.7)) == pytest.approx(slope, rel=1e-5)


# ---------------------------------------------------------------- signatures

NAMES = ["x0", "x1"]
SMALL = Architecture(2, [["identity", "square", "sin", "sin"], ["plus", "times", "division"], ["plus", "times"]])


def signature(**connections):
    words = {name.replace("_", " "): value for name, value in connections.items()}
    words = {f"{name[1:]}" if name.startswith("L") else name: value for name, value in words.items()}
    return int(signatures(SMALL, wired(SMALL, words, NAMES)[None])[0])


def product(a, b, **more):
    return signature(L3_plus_0="times 0, times 0", L2_times_0=f"{a}, {b}", output="plus 0", **more)


def test_the_same_expression_in_other_nodes_has_the_same_signature():
    one = product("sin 0", "square 0", L1_sin_0="x0", L1_square_0="x1")
    assert one == product("sin 1", "square 0", L1_sin_1="x0", L1_square_0="x1")
    assert one == product("square 0", "sin 0", L1_sin_0="x0", L1_square_0="x1")
    assert one == product("sin 0", "square 0", L1_sin_0="x0", L1_square_0="x1", L1_sin_1="x1")  # not connected
    assert one != product("sin 0", "square 0", L1_sin_0="x1", L1_square_0="x0")


def test_a_constant_factor_is_a_weight_and_no_part_of_the_expression():
    alone = signature(L1_sin_0="x0", L2_plus_0="sin 0, sin 0", L3_plus_0="plus 0, plus 0", output="plus 0")
    scaled = signature(
        L1_sin_0="x0", L1_identity_0="1", L2_plus_0="sin 0, sin 0", L2_times_0="identity 0, identity 0",
        L3_times_0="plus 0, times 0", L3_plus_0="plus 0, plus 0", output="plus 0",
    )  # fmt: skip
    assert alone == scaled
    quotient = {"L1_sin_0": "x0", "L1_square_0": "x1", "L3_plus_0": "division 0, division 0"}
    over, under = (signature(L2_division_0=both, **quotient) for both in ("sin 0, square 0", "square 0, sin 0"))
    assert over != under


def test_signatures_are_the_same_in_every_process():
    # checkpoints hold them
    assert signature(L2_plus_0="identity 0, identity 0", L3_plus_0="plus 0, plus 0") == 11429630205574272338
    assert product("sin 0", "square 0", L1_sin_0="x0", L1_square_0="x1") == 3256404207262666579


def test_weights_do_not_enter_and_the_better_of_two_stays():
    edges, weights = random_instances(SMALL, 2, 0)
    edges[1] = edges[0]
    keys = signatures(SMALL, edges)
    elites = Repository(5)
    elites.add(np.array([2.0, 1.0]), keys, {"w": weights.w})
    assert keys[0] == keys[1] and elites.errors.tolist() == [1.0] and (elites["w"][0] == weights.w[1]).all()


# ---------------------------------------------------------------- repository


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 6),
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 8), st.floats(0, 10) | st.just(float("nan"))), max_size=8), max_size=6
    ),
)
def test_the_repository_is_sorted_unique_bounded_and_keeps_the_best(size, batches):
    elites, best = Repository(size), {}
    for number, batch in enumerate(batches):
        keys = np.array([key for key, _ in batch], np.uint64)
        errors = np.array([error for _, error in batch], float)
        taken = elites.add(errors, keys, {"edges": np.array([[key, number] for key, _ in batch], int).reshape(-1, 2)})
        for key, error in batch:
            if np.isfinite(error):
                best[key] = min(error, best.get(key, np.inf))
        assert np.isfinite(errors[taken]).all()
        assert len(elites) <= size and len(set(elites.keys.tolist())) == len(elites)
        assert (np.diff(elites.errors) >= 0).all()
        assert elites.errors.tolist() == sorted(best.values())[:size]
        if len(elites):
            assert elites["edges"][:, 0].tolist() == elites.keys.tolist()
    again = Repository(size)
    again.restore(elites.snapshot())
    assert again.errors.tolist() == elites.errors.tolist() and again.keys.tolist() == elites.keys.tolist()


def test_elites_are_chosen_by_the_power_law():
    elites = Repository(4)
    elites.add(np.arange(3.0), np.arange(3, dtype=np.uint64), {"edges": np.arange(3)[:, None]})
    drawn = elites.choose(40_000, np.random.default_rng(0))
    counts = [(drawn == rank).sum() for rank in (0, 1, 2, -1)]  # the fourth rank is empty so far
    assert chisquare(counts, 40_000 * power_law(4)).pvalue > 1e-3
    known = np.bincount(elites.choose_known(40_000, np.random.default_rng(1)), minlength=3)
    assert chisquare(known, 40_000 * power_law(3)).pvalue > 1e-3
    assert power_law(400)[0] / power_law(400)[3] == pytest.approx(4**1.5)
