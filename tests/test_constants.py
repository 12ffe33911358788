"""Constants refitted to data."""

import numpy as np
import pytest

from srlib import Expression
from srlib.constants import refit

X = np.linspace(0.5, 3, 40)


@pytest.mark.parametrize(
    ("start", "truth"),
    [
        ("1*x0 + 0.5", "3.5*x0 + -7"),
        ("2*exp(-0.5*x0) + 0", "5*exp(-1.3*x0) + 0.25"),
        ("1e-11*x0/(x0 + 2)", "6.674e-11*x0/(x0 + 0.3)"),
    ],
)
def test_it_finds_the_constants_of_the_right_form(start, truth):
    y = Expression.parse(truth).evaluate(X[:, None])
    fitted = refit(Expression.parse(start), [X], y)
    assert fitted.constants == pytest.approx(Expression.parse(truth).constants, rel=1e-5)


def test_it_agrees_with_weighted_linear_least_squares():
    rng = np.random.default_rng(0)
    y, weights = 2 * X + rng.normal(size=40), rng.uniform(0.1, 3, 40)
    fitted = refit(Expression.parse("1*x0 + 1"), [X], y, weights)
    expected = np.polyfit(X, y, 1, w=np.sqrt(weights))
    assert fitted.constants == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("text", ["x0", "log(-1*x0)", "sqrt(x0 - 2)*1"])
def test_it_never_makes_things_worse(text):
    expression = Expression.parse(text)
    fitted = refit(expression, [X], X**2)
    with np.errstate(all="ignore"):
        before, after = (np.sum((e.evaluate(X[:, None]) - X**2) ** 2) for e in (expression, fitted))
    assert fitted == expression or after < before or np.isnan(before)


def test_more_constants_than_rows():
    fitted = refit(Expression.parse("1*x0 + 2*sin(3*x0) + 4"), [X[:2]], np.array([1.0, 5.0]))
    assert fitted.evaluate(X[:2, None]) == pytest.approx([1.0, 5.0], abs=1e-4)
