"""Constants refitted to data."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from srlib import Expression
from srlib.constants import covariance, mean_squared_error, refit, standard_errors, with_error

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


def test_constants_that_move_along_directions_only():
    y = 3 * X + 3 * X**2 + 5 + np.cos(X)
    start = Expression.parse("1*x0 + 1*x0**2 + 4")  # constants 1, 1, the exponent 2, 4
    together = np.array([[1.0], [1.0], [0.0], [0.0]])
    fitted = refit(start, [X], y, directions=together)
    a = np.sum((X + X**2) * (y - 4)) / np.sum((X + X**2) ** 2)
    assert fitted.constants == pytest.approx([a, a, 2, 4], rel=1e-9)
    assert refit(start, [X], y, directions=np.zeros((4, 0))) == start


CURVES = [
    ("3.5*x0 + -7", 1.0),
    ("5*exp(-1.3*x0) + 0.25", 1.0),
    ("2*sin(3*x0 + 0.5)", 1.0),
    ("6.6e-11*x0/(x0 + 0.3)", 1e-11),
    ("3e20*x0**1.5", 1e20),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("text", "scale"), CURVES)
def test_standard_errors_are_those_of_curve_fit(text, scale, weighted):
    rng = np.random.default_rng(1)
    truth = Expression.parse(text)
    weights = rng.uniform(0.2, 4, len(X)) if weighted else None
    y = truth.evaluate(X[:, None]) + 0.1 * scale * rng.normal(size=len(X))
    fitted = refit(truth, [X], y, weights)

    def function(x, *constants):
        return truth.with_constants(constants).evaluate(x[:, None])

    sigma = None if weights is None else 1 / np.sqrt(weights)
    _, expected = curve_fit(function, X, y, p0=fitted.constants, sigma=sigma, xtol=1e-12)
    found = standard_errors(fitted, [X], y, weights)
    assert found == pytest.approx(np.sqrt(np.diag(expected)), rel=1e-3)


def test_standard_errors_of_a_line_by_the_textbook():
    rng = np.random.default_rng(2)
    y = 2 * X + 1 + rng.normal(size=len(X))
    fitted = refit(Expression.parse("1*x0 + 1"), [X], y)
    s2 = np.sum((fitted.evaluate(X[:, None]) - y) ** 2) / (len(X) - 2)
    spread = np.sum((X - X.mean()) ** 2)
    expected = np.sqrt([s2 / spread, s2 * (1 / len(X) + X.mean() ** 2 / spread)])
    assert standard_errors(fitted, [X], y) == pytest.approx(expected, rel=1e-6)


def test_standard_errors_cover_the_truth_as_often_as_they_claim():
    rng, inside = np.random.default_rng(3), 0
    for _ in range(300):
        y = 2.5 * X + 0.3 * rng.normal(size=len(X))
        fitted = refit(Expression.parse("2.5*x0"), [X], y)
        inside += abs(fitted.constants[0] - 2.5) < standard_errors(fitted, [X], y)[0]
    assert 0.6 < inside / 300 < 0.75  # 0.68 for a normal distribution


def test_only_ratios_of_weights_count_and_rows_without_weight_do_not():
    rng = np.random.default_rng(4)
    y, weights = 2 * X + rng.normal(size=len(X)), rng.uniform(0.1, 3, len(X))
    line = Expression.parse("2*x0 + 0.1")
    expected = standard_errors(line, [X], y, weights)
    assert standard_errors(line, [X], y, 1e6 * weights) == pytest.approx(expected, rel=1e-9)
    more_X, more_y = np.append(X, [7.0, np.nan]), np.append(y, [1e9, 0.0])
    assert standard_errors(line, [more_X], more_y, np.append(weights, [0, 0])) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "determined"),
    [
        ("2*(3*x0) + 1.5", [False, False, True]),
        ("2*exp(0.5*x0 + 1) + 4", [False, True, False, True]),
        ("2*x0 + max(x0, -7)", [True, False]),
        ("0*sin(3*x0) + 2", [True, False, True]),
    ],
)
def test_constants_that_the_data_do_not_determine_have_no_error(text, determined):
    expression = Expression.parse(text)
    y = expression.evaluate(X[:, None]) + 0.1 * np.cos(9 * X)
    assert np.isfinite(standard_errors(expression, [X], y)).tolist() == determined


def test_a_constant_keeps_its_error_beside_others_that_have_none():
    y = 6 * X + 1.5 + 0.1 * np.cos(9 * X)
    plain = standard_errors(Expression.parse("6*x0 + 1.5"), [X], y)
    doubled = standard_errors(Expression.parse("2*(3*x0) + 1.5"), [X], y)
    assert doubled[2] == pytest.approx(plain[1], rel=1e-6)  # the freedom is that of two parameters, not three


def test_no_errors_without_rows_to_spare_or_values():
    assert np.isnan(standard_errors(Expression.parse("1*x0 + 2"), [X[:2]], X[:2])).all()
    assert np.isnan(standard_errors(Expression.parse("1*log(x0 - 1)"), [X], X)).all()
    assert standard_errors(Expression.parse("x0"), [X], X).shape == (0,)


def test_covariance_along_directions():
    y = 3 * X + 3 + 0.1 * np.cos(9 * X)
    matrix, variance = covariance(Expression.parse("3*x0 + 3"), [X], y, directions=np.array([[1.0], [1.0]]))
    assert matrix == pytest.approx(np.array([[1 / np.sum((X + 1) ** 2)]]), rel=1e-6)
    assert variance == pytest.approx(np.sum((0.1 * np.cos(9 * X)) ** 2) / (len(X) - 1))


def test_mean_squared_error():
    assert mean_squared_error(Expression.parse("x0 + 1"), [X], X, np.ones(40)) == pytest.approx(1.0)
    assert mean_squared_error(Expression.parse("2"), [X[:2]], np.array([3.0, 4.0]), np.array([3.0, 1.0])) == 1.75
    assert mean_squared_error(Expression.parse("log(x0 - 1)"), [X], X) == np.inf


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (2.4983, 0.0312, "2.50 ± 0.03"),
        (-0.0123, 0.0967, "0.0 ± 0.1"),
        (123456.7, 3.2, "123457 ± 3"),
        (1.05457e-34, 2.1e-38, "(1.0546 ± 0.0002)e-34"),
        (2.9979e8, 1.2e5, "(2.998 ± 0.001)e+08"),
        (0.5, 300.0, "0 ± 300"),
        (2.5, np.nan, "2.5 ± ?"),
        (0.1 + 0.2, 1e-17, "0.3"),
        (2.0, 0.0, "2"),
        (0.0, 0.02, "0.00 ± 0.02"),
    ],
)
def test_a_constant_with_its_error_in_text(value, error, text):
    assert with_error(value, error) == text
