"""Formulas carried from scaled columns to the user's and back: the same values, hardly more nodes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srlib import Expression
from srlib.evolution.rescale import FAR, Scales, choose_scales, into_scales, out_of_scales
from srlib.operators import find
from tests.strategies import expressions

rng = np.random.default_rng(0)
POWERS = st.sampled_from([4.0**k for k in (-56, -40, -17, -6, -1, 0, 1, 5, 12, 33, 49)])  # 1e-34 … 3e29
NAMES = "add sub mul div neg square cube sqrt cbrt inv abs exp log log2 log10 sin tanh pow min".split()
OPERATORS = [find(name) for name in NAMES]
CONSTANTS = st.sampled_from([0.5, -1.5, 2.25, 3.7, 0.1, 1.0, 2.0, -3.0])


def sizes(formula, X):
    """The largest value of any part; infinite if something has none."""
    with np.errstate(all="ignore"):
        parts = [np.abs(formula.subtree(node).evaluate(X)).max() for node in range(formula.size)]
    return max(parts) if np.isfinite(parts).all() else np.inf


def margin(formula, X):
    """By how much the values change with the last digits of the columns: what no other way of writing can beat."""
    value = formula.evaluate(X)
    shakes = [1 + 4e-16 * np.random.default_rng(seed).normal(size=X.shape) for seed in range(4)]
    shifted = [formula.evaluate(X * shake) for shake in shakes]
    return 50 * np.max([np.abs(one - value) for one in shifted], axis=0) + 1e-14 * sizes(formula, X)


@settings(max_examples=400)
@given(expressions(operators=OPERATORS, constants=CONSTANTS, tokens=14), st.tuples(POWERS, POWERS, POWERS), POWERS)
def test_values_are_the_same(formula, features, target):
    """Both ways, for scales from 1e-34 to 1e30."""
    scales = Scales(features, target)
    scaled = np.random.default_rng(1).uniform(0.5, 3, (20, 3))  # what the search sees
    X = scaled / scales.features  # what the user has
    with np.errstate(all="ignore"):
        expected = formula.evaluate(scaled)
        if not np.isfinite(expected).all() or sizes(formula, scaled) > 1e6:
            return
        outside = out_of_scales(formula, scales)
        assert np.isfinite(outside.constants).all()
        y = outside.evaluate(X) * target
        near = margin(formula, scaled) + 1e-12 * np.abs(expected)
        assert (np.abs(y - expected) <= near).all(), str(outside)
        back = into_scales(outside, scales)
        assert (np.abs(back.evaluate(scaled) - expected) <= 4 * near).all(), str(back)


@settings(max_examples=300)
@given(expressions(operators=OPERATORS, constants=CONSTANTS, tokens=14), st.tuples(POWERS, POWERS, POWERS), POWERS)
def test_no_more_nodes_than_there_are_places_for_a_factor(formula, features, target):
    """Each leaf can need a factor, each sum one for a side, each logarithm an offset; and the whole a factor."""
    outside = out_of_scales(formula, Scales(features, target))
    leaves = int((formula.codes < 0).sum())
    own = [find(name).code for name in ("add", "sub", "log", "log2", "log10")]
    places = leaves + sum(code in own for code in formula.codes.tolist()) + 1
    assert outside.size <= formula.size + 2 * places


@pytest.mark.parametrize(
    "text, expected",
    [
        ("3*x0", "12*x0"),  # the factor goes into the constant that is there
        ("x0*3", "x0*12"),
        ("x0/3", "4*(x0/3)"),
        ("3/x0", "0.75/x0"),
        ("3*x0*x1", "0.75*x0*x1"),
        ("2.5*square(x0)", "40*square(x0)"),
        ("2*sqrt(x0)", "4*sqrt(x0)"),
        ("5*inv(x0)", "1.25*inv(x0)"),
        ("3*x0 + 2*x0", "12*x0 + 8*x0"),
        ("2*(x0 + 3)", "8*(x0 + 0.75)"),
        ("log(x0) + 2", "log(x0) + 3.386294361119891"),
        ("3*x0**2", "48*x0**2"),
        ("x0*x2", "4*(x0*x2)"),
        ("sin(2*x0)", "sin(8*x0)"),
        ("x2 + 1", "x2 + 1"),
        ("exp(x2)/2", "exp(x2)/2"),
    ],
)
def test_factors_go_into_constants_that_are_there(text, expected):
    found = out_of_scales(Expression.parse(text), Scales([4.0, 1 / 16, 1.0], 1.0))
    expected = Expression.parse(expected)
    X = rng.uniform(0.5, 2, (30, 3))
    assert found.evaluate(X) == pytest.approx(expected.evaluate(X), rel=1e-13)
    assert found.size <= expected.size, str(found)


def test_laws_of_physics_keep_their_size():
    """Laws with one constant for each factor stay as they are written, whatever the units."""
    scales = Scales([4.0**24, 4.0**-16, 4.0**-3], 4.0**12)
    laws = "2.5*x0*x1/square(x2)", "3*square(x0)/x1", "0.5*x0**3.5*x2", "x0*1.5 - x1*2.5", "2*(x0*x1)", "7/x0 + 3/x1"
    for text in laws:
        formula = Expression.parse(text)
        found = out_of_scales(formula, scales)
        assert found.size == formula.size, str(found)
    planck = Expression.parse("2*cube(x0)/(exp(1.5*x0/x1) - 1)")
    assert out_of_scales(planck, scales).size <= planck.size
    assert into_scales(planck, scales).size <= planck.size


@pytest.mark.parametrize(
    "text",
    ["cube(cube(x0))", "1/cube(cube(x0))", "x0**40.5", "inv(square(cube(cube(x0))))", "cube(cube(x0))/cube(cube(x1))"],
)
def test_powers_that_overflow_stay_within(text):
    formula = Expression.parse(text)
    scaled = rng.uniform(0.5, 2, (20, 2))
    for features in ([4.0**-56, 4.0**49], [4.0**49, 4.0**49], [4.0**250, 4.0**-250]):
        for target in (1.0, 4.0**30, 4.0**-240):
            scales = Scales(features, target)
            outside = out_of_scales(formula, scales)
            values = outside.evaluate(scaled / scales.features) * target
            assert values == pytest.approx(formula.evaluate(scaled), rel=1e-11), str(outside)
            assert np.isfinite(into_scales(outside, scales).constants).all()


def test_divisions_by_zero_are_left_alone():
    outside = out_of_scales(Expression.parse("(log(x0) + 1)/0"), Scales([4.0], 1.0))
    assert np.isnan(outside.evaluate([[1.0]])).all()


def test_nothing_to_do():
    formula = Expression.parse("sin(x0) + 2*x1")
    trivial = Scales([1.0, 1.0], 1.0)
    assert trivial.trivial and out_of_scales(formula, trivial) is formula and into_scales(formula, trivial) is formula
    assert not Scales([1.0, 4.0], 1.0).trivial and not Scales([1.0, 1.0], 0.25).trivial
    assert out_of_scales(formula, Scales([1.0, 1.0, 16.0], 1.0)) == formula  # a column that it does not use


def test_a_constant_and_a_feature_alone():
    scales = Scales([16.0], 4.0)
    assert out_of_scales(Expression.constant(8.0), scales) == Expression.constant(2.0)
    assert out_of_scales(Expression.variable(0), scales) == Expression.parse("4*x0")
    assert into_scales(Expression.parse("4*x0"), scales).evaluate([[3.0]]) == 3.0


def test_users_operators_are_left_whole():
    mix = Expression.operator("blended(x, y) = x*y + sin(x)")
    formula = Expression.apply(mix, Expression.variable(0), Expression.variable(1)) * 2
    scales = Scales([4.0**30, 4.0**-20], 4.0**5)
    scaled = rng.uniform(0.5, 2, (20, 2))
    outside = out_of_scales(formula, scales)
    values = outside.evaluate(scaled / scales.features) * scales.target
    assert values == pytest.approx(formula.evaluate(scaled), rel=1e-13)


# ------------------------------------------------------------ the choice of scales


@pytest.mark.parametrize("size", [1e-34, 1e-12, 1e-4, 0.01, 1.0, 500.0, 5e3, 1e15, 1e30, 1e-300, 1e300])
def test_columns_come_to_order_one(size):
    X = np.column_stack([rng.uniform(0.5, 2, 50) * size, rng.normal(size=50)])
    y = rng.normal(size=50) * size
    scales = choose_scales(X, y)
    assert scales.features[1] == 1.0
    middle, spread = np.median(X[:, 0]), np.std(y / size) * size
    for scale, typical in ((scales.features[0], middle), (scales.target, spread)):
        assert np.log2(scale) % 2 == 0  # a power of 4: no digit changes, and its root is one of 2
        assert (scale == 1.0) == (1 / FAR < typical < FAR)
        assert scale == 1.0 or 0.49 < typical * scale < 2.01


def test_the_smallest_and_largest_numbers():
    for X, y in (([[5e-324], [1e-323]], [0.0, 5e-324]), ([[1.7e308], [-1.7e308]], [1.7e308, -1.7e308])):
        scales = choose_scales(np.array(X), np.array(y))
        for scale in (*scales.features, scales.target):
            assert 0 < scale < np.inf and 0 < 1 / scale < np.inf


def test_columns_that_have_no_size():
    X = np.column_stack([np.zeros(20), np.full(20, 1e9), np.where(np.arange(20) < 15, 0.0, 1e-20)])
    scales = choose_scales(X, np.full(20, 3.0))
    assert scales.features[0] == 1.0 and scales.target == 1.0
    assert 0.1 < 1e9 * scales.features[1] < 10 and 0.1 < 1e-20 * scales.features[2] < 10
