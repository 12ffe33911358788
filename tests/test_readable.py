"""Constants that become readable, as far as data allow."""

import math
import re
import time

import numpy as np
import pytest

from srlib import Expression
from srlib.constants import mean_squared_error, refit
from srlib.numerals import spelled
from srlib.readable import readable

rng = np.random.default_rng(0)
X = rng.uniform(0.3, 3, (2, 100))

LAWS = [
    ("2*sin(3.141592653589793*x0)", "1.98*sin(3.12*x0 + 0.03)*1.01 + 0.002", "2*sin(3.141592653589793*x0)"),
    ("0.5*x0**2 + 3", "0.47*x0**2.1 + 2.9", "0.5*x0**2 + 3"),
    ("x0**0.6666666666666666/x1", "1.1*x0**0.63/x1**1.02", "x0**0.6666666666666666/x1"),
    ("3e20*x0/(x1 + 1)", "2.9e20*x0/(x1 + 1.1)", "3e+20*x0/(x1 + 1)"),
    ("6.63e-34*x0**3/(exp(x0/x1) - 1)", "6.5e-34*x0**2.9/(exp(1.02*x0/x1) - 1.01)", "6.63e-34*x0**3/(exp(x0/x1) - 1)"),
    ("x0 - x1", "1.1*x0 + -1.05*x1 + 0.1", "x0 - x1"),
]  # fmt: skip


@pytest.mark.parametrize("noise", [0.0, 1e-3])
@pytest.mark.parametrize(("law", "start", "expected"), LAWS)
def test_the_law_is_found_from_a_rough_fit(law, start, expected, noise):
    truth = Expression.parse(law).evaluate(X.T)
    y = truth + noise * truth.std() * np.random.default_rng(1).normal(size=100)
    found = readable(Expression.parse(start), X, y)
    assert found == Expression.parse(expected)


def test_five_constants_in_nine_of_ten_noisy_data_sets():
    law, right = Expression.parse("2*sin(3*x0) + 0.5*x0**2 - 3"), 0
    for seed in range(20):
        noise = np.random.default_rng(seed)
        truth = law.evaluate(X.T)
        y = truth + 0.05 * truth.std() * noise.normal(size=100)
        start = law.with_constants(law.constants * (1 + 0.02 * noise.normal(size=5)))
        right += readable(start, X, y) == law
    assert right >= 18


def test_random_constants_seldom_become_special_numbers():
    law, special = Expression.parse("2*sin(3*x0) + 0.5*x0**2 - 3"), 0
    for seed in range(20):
        noise = np.random.default_rng(seed)
        true = law.with_constants(law.constants * np.exp(0.3 * noise.normal(size=5)))
        y = true.evaluate(X.T) + 0.01 * noise.normal(size=100)
        found = readable(true, X, y, algebra=False)
        special += len(re.findall(r"pi|sqrt|log", spelled(found)))
    assert special <= 5  # of 100 constants


def test_noise_free_data_admit_exact_numbers_only():
    y = 3.0001 * X[0] + 0.5
    assert str(readable(Expression.parse("3*x0 + 0.4"), X, y).format(6)) == "3.0001*x0 + 0.5"
    y = 3.1415 * X[0]
    assert readable(Expression.parse("3*x0"), X, y).constants == pytest.approx([3.1415], rel=1e-14)


def test_rounding_never_costs_more_than_the_criterion_allows():
    truth = Expression.parse("1.37*exp(-0.83*x0) + 0.21*x1**1.6")
    y = truth.evaluate(X.T) + 0.02 * rng.normal(size=100)
    best = mean_squared_error(refit(truth, X, y), X, y)
    found = readable(truth, X, y)
    freed = 4
    assert 100 * math.log(mean_squared_error(found, X, y) / best) <= freed * max(math.log(100), 9)
    assert all(float(f"{c:.3e}") == c for c in found.constants)  # no more digits than four


def test_equal_and_opposite_constants_become_one():
    y = 3.72134 * X[0] + 3.72134 * np.sin(X[1])
    y += 0.01 * rng.normal(size=100)
    found = readable(Expression.parse("3.6*x0 + 3.8*sin(x1)"), X, y, digits=8)
    a, b = found.constants
    assert a == b == pytest.approx(3.7213, abs=0.01)
    y = 3.72134 * X[0] - 3.72134 * np.sin(X[1])
    y += 0.01 * rng.normal(size=100)
    a, b = readable(Expression.parse("3.6*x0 + -3.8*sin(x1)"), X, y, algebra=False).constants
    assert a == -b


def test_constants_that_differ_are_not_tied():
    y = 3.72134 * X[0] + 3.75 * np.sin(X[1]) + 1e-4 * rng.normal(size=100)
    a, b = readable(Expression.parse("3.6*x0 + 3.8*sin(x1)"), X, y).constants
    assert a == pytest.approx(3.72134, abs=2e-4) and b == pytest.approx(3.75, abs=2e-4)


def test_what_the_data_do_not_determine_is_simplified_away():
    y = 6 * X[0] * np.exp(-0.5 * X[1])
    found = readable(Expression.parse("2*(3*x0)*exp(-0.5*x1 + 0.1)"), X, y, algebra=False)
    assert sorted(found.constants) == [-0.5, 6]


def test_a_term_within_its_error_of_zero_goes():
    y = 2 * X[0] + 0.1 * rng.normal(size=100)
    assert str(readable(Expression.parse("2*x0 + 0.001*x1**1.3 - 0.01"), X, y)) == "2*x0"


def test_weights_count():
    y = np.where(X[0] < 1.5, 2 * X[0], 3.7 * X[0])
    weights = np.where(X[0] < 1.5, 1.0, 0.0)
    assert str(readable(Expression.parse("2.5*x0"), X, y, weights)) == "2*x0"


def test_another_loss_judges():
    y = 2 * X[0] + 0.05 * rng.normal(size=100)
    refuse = readable(Expression.parse("2.01*x0"), X, y, loss=lambda e: 1.0 if e.constants[0] != 2 else 5.0)
    assert refuse.constants[0] != 2


@pytest.mark.parametrize("text", ["x0", "log(-1*x0)", "1*x0 + 2*x1 + 3*x0*x1"])
def test_what_cannot_be_fitted_comes_back(text):
    expression = Expression.parse(text)
    found = readable(expression, X[:, :2], X[0, :2])
    with np.errstate(all="ignore"):
        before, after = (mean_squared_error(e, X[:, :2], X[0, :2]) for e in (expression, found))
    assert after <= max(before, 1e-20) or before == after == math.inf


def test_time_is_kept():
    expression = Expression.parse("2.1*x0 + 0.3")
    assert readable(expression, X, 2 * X[0], until=time.monotonic() - 1) == expression
