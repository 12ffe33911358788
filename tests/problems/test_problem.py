"""One problem: its truth and family, fresh data, noise, and bad input."""

import pickle

import numpy as np
import pytest

from srlib import Expression, problems
from srlib.problems import Variable


def test_truth_is_the_family_with_numbers_and_free_says_which():
    planck = problems.load("planck")
    assert planck.truth.names == ("nu", "T")
    free = planck.truth.constants[list(planck.free)]
    k0, k1 = planck.parameters.values()
    assert free.tolist() == [k0, k1, k1]  # one constant may stand in two places
    assert 3.0 in np.delete(planck.truth.constants, planck.free)


def test_member_replaces_the_free_constants_only():
    newton = problems.load("newton")
    assert newton.member({"k": -1.5}) == Expression.parse("-1.5 + log(m1*m2) - 2*log(r)", names=newton.names)
    with pytest.raises(ValueError, match=r"lacks \['k'\]"):
        newton.member({})


def test_units_and_domains_are_by_name():
    gas = problems.load("ideal_gas")
    assert gas.units == {"n": "mol", "T": "K", "V": "m^3", "P": "Pa"}
    assert gas.domain["T"] == (300, 400, "linear")
    assert gas.extrapolation["T"] == (50, 2000, "linear")


@pytest.mark.parametrize("where", ["domain", "extrapolation"])
def test_samples_and_points_lie_in_their_ranges(where):
    for name in ("rydberg", "planck", "I.26.2", "b8"):
        problem = problems.load(name)
        X, y = problem.sample(300, rng=1, where=where)
        assert np.array_equal(y, problem.truth.evaluate(X)) and np.isfinite(y).all()
        for table in (X, problem.points(300, where)):
            assert table.shape == (300, len(problem.names))
            for column, (low, high, _) in zip(table.T, getattr(problem, where).values(), strict=True):
                assert low <= column.min() and column.max() <= high
                assert np.ptp(column) > 0.8 * (high - low)


def test_rydberg_draws_integers_where_the_law_has_a_value():
    X, _ = problems.load("rydberg").sample(200, rng=0)
    assert np.array_equal(X, X.round()) and (X[:, 1] > X[:, 0]).all()


def test_a_log_column_is_uniform_in_the_logarithm():
    X, _ = problems.load("newton").sample(4000, rng=0)
    share = np.mean(X[:, 0] < np.sqrt(3.7e8 * 7.37593e12))  # the middle of the range on a log scale
    assert abs(share - 0.5) < 0.03


def test_samples_repeat_with_their_seed_and_points_always():
    b1 = problems.load("b1")
    assert np.array_equal(b1.sample(5, rng=3)[0], b1.sample(5, rng=3)[0])
    assert not np.array_equal(b1.sample(5, rng=3)[0], b1.sample(5, rng=4)[0])
    legacy = [b1.sample(5, rng=np.random.RandomState(0))[0] for _ in range(2)]
    assert np.array_equal(*legacy)
    assert np.array_equal(b1.points(9), b1.points(9))


def test_noise_has_the_size_that_was_asked_for():
    b2 = problems.load("b2")
    X, clean = b2.sample(20_000, rng=0)
    _, noisy = b2.sample(20_000, rng=0, noise=0.1)
    assert np.std(noisy - clean) == pytest.approx(0.1 * np.std(clean), rel=0.03)
    sizes = {"sd": np.std(b2.y), "rms": np.sqrt(np.mean(b2.y**2)), "absolute": 1.0}
    for relative_to, size in sizes.items():
        added = [b2.with_noise(0.5, seed, relative_to).y - b2.y for seed in range(40)]
        assert np.std(added) == pytest.approx(0.5 * size, rel=0.03)


def test_with_noise_makes_a_noisy_copy_and_says_so():
    b1 = problems.load("b1")
    noisy = b1.with_noise(0.1, seed=0)
    assert b1.noise_free and not noisy.noise_free
    assert "0.1" in noisy.noise and not np.array_equal(noisy.y, b1.y)
    assert np.array_equal(noisy.X, b1.X)
    assert b1.with_noise(0.0) is b1


def test_to_frame_names_the_columns():
    newton = problems.load("newton")
    frame = newton.to_frame()
    assert list(frame.columns) == ["r", "m1", "m2"] and np.array_equal(frame.to_numpy(), newton.X)


def test_repr_tells_what_a_reader_needs():
    text = repr(problems.load("newton"))
    for piece in ("Newton's law", "log F [N]", "30 rows", "10 % relative", "m1 [kg] (first mass)", "log(m1*m2)"):
        assert piece in text


def test_problems_can_be_sent_to_another_process():
    rydberg = pickle.loads(pickle.dumps(problems.load("rydberg")))
    assert np.array_equal(rydberg.y, problems.load("rydberg").y)
    assert rydberg.truth == problems.load("rydberg").truth


def test_loading_twice_gives_independent_arrays():
    problems.load("b1").X[:] = 0
    assert problems.load("b1").X.any()


@pytest.mark.parametrize("n", [0, -3, 2.5, True, "ten", None])
def test_a_number_of_rows_must_be_a_positive_integer(n):
    with pytest.raises(ValueError, match=r"n=.*at least 1"):
        problems.load("b1").sample(n)
    with pytest.raises(ValueError, match=r"n=.*at least 1"):
        problems.load("b1").points(n)


@pytest.mark.parametrize("level", [-0.1, np.nan, np.inf, "much", None, [0.1]])
def test_a_noise_level_must_be_a_number_of_at_least_zero(level):
    with pytest.raises(ValueError, match="noise level .* at least 0"):
        problems.load("b1").with_noise(level)
    with pytest.raises(ValueError, match="noise level .* at least 0"):
        problems.load("b1").sample(5, noise=level)


def test_other_choices_are_named():
    with pytest.raises(ValueError, match="where='outside'.*extrapolation"):
        problems.load("b1").sample(5, where="outside")
    with pytest.raises(ValueError, match="relative_to='mean'.*'sd', 'rms', 'absolute'"):
        problems.load("b1").with_noise(0.1, relative_to="mean")


def test_a_variable_checks_its_range():
    with pytest.raises(ValueError, match="scale='cubic' of x"):
        Variable("x", "", 0, 1, "cubic")
    with pytest.raises(ValueError, match="empty"):
        Variable("x", "", 2, 1)
    with pytest.raises(ValueError, match="not positive"):
        Variable("x", "", 0, 1, "log")
