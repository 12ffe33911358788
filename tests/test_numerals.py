"""Numbers as people write them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srlib import Expression
from srlib.numerals import EASY, numerals, spelled


@pytest.mark.parametrize(
    "number",
    [0, 1, -1, 2, -7, 19, 0.5, -0.25, 1 / 3, 2 / 3, -4 / 3, 10, 1e-7, 1e22, math.pi, -math.pi / 2, 2 * math.pi, math.e,
     math.sqrt(2), 1 / math.sqrt(2 * math.pi), math.log(2)],
)  # fmt: skip
def test_a_number_that_people_write_is_offered_exactly_and_is_easy(number):
    near = number * (1 + 1e-7) if number else 1e-9
    costs = dict(numerals(near))
    assert number in costs and costs[number] <= EASY


@pytest.mark.parametrize("number", [0.3, 6.63e-34, -365.2, 9.81, 4.84e-11, 1.7e300])
def test_decimals_are_offered_exactly_but_are_dearer(number):
    costs = dict(numerals(number * (1 + 1e-9), digits=4))
    assert costs[number] > EASY


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 6))
def test_there_are_numbers_on_both_sides_as_near_as_the_digits_allow(value, digits):
    found = [number for number, _ in numerals(value, digits)]
    assert all(map(math.isfinite, found)) and len(set(found)) == len(found)
    if 1e-290 < abs(value) < 1e300:
        step = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits)
        assert min(abs(number - value) for number in found) <= 0.51 * step
        assert min(found) <= value <= max(found)


def test_more_digits_cost_more():
    costs = dict(numerals(2.345, digits=4))
    assert costs[2.0] < costs[2.3] < costs[2.35] < costs[2.345]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x0 + -1.5707963267948966", "x0 - pi/2"),
        ("sin(6.283185307179586*x0)", "sin(2*pi*x0)"),
        ("x0**0.5", "x0**(1/2)"),
        ("2.5*x0**-0.6666666666666666", "2.5*x0**(-2/3)"),
        ("x0/1.4142135623730951", "x0/sqrt(2)"),
        ("3.14159*x0", "3.14159*x0"),
        ("2.718281828459045", "e"),
        ("3 + 4*x1", "3 + 4*x1"),
    ],
)
def test_special_numbers_are_spelled(text, shown):
    assert spelled(Expression.parse(text)) == shown


def test_features_keep_their_names():
    named = Expression.parse("3.141592653589793*`wind speed`", names=["pi day", "wind speed"])
    assert spelled(named) == "pi*`wind speed`"
    clash = Expression.parse("3.141592653589793*pi", names=["pi"])  # pi is the feature here
    assert spelled(clash) == "3.14159*pi"


@given(st.lists(st.sampled_from([0.5, -1 / 3, math.pi, -2 * math.pi, math.e, 1.25, 1e-9, 7.0]), min_size=3, max_size=3))
def test_the_spelled_formula_has_the_same_value(constants):
    expression = Expression.parse("2*x0**3 - (x1 - 4)").with_constants(constants)
    X = np.array([[1.3, 0.2], [2.0, -5.0]])
    again = Expression.parse(spelled(expression, 17))
    assert again.evaluate(X) == pytest.approx(expression.evaluate(X), rel=1e-14)
