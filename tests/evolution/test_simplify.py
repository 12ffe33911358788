"""Simplification: by hand for each rule, and the same values with no more nodes for any formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srlib import Expression
from srlib.evolution.simplify import fold, move_factors, simplify
from srlib.evolution.trees import empty, write
from srlib.kernels.program import alphabet, workspace
from srlib.operators import builtin, find
from tests.strategies import MODEST, expressions

ALPHABET = alphabet()
X = np.random.default_rng(0).uniform(0.5, 3, (40, 3))
WORK = workspace(X.T.copy(), 300)


def loaded(formula, room=0):
    formula = Expression.parse(formula) if isinstance(formula, str) else formula
    made = empty(formula.size + room)
    write(made, formula.codes, formula.values, formula.size, ALPHABET)
    return made


def formula_of(made):
    size = int(made.size[0])
    formula = Expression(made.codes[:size], made.values[:size])
    assert made.starts[:size].tolist() == [formula.span(node)[0] for node in range(size)]
    return formula


def simplified(formula):
    """The simplified formula, or None where a constant part has no value."""
    made = loaded(formula)
    return formula_of(made) if simplify(made, ALPHABET, WORK) else None


RULES = [
    # constants alone
    ("2 + 3", "5"), ("2*sin(0)", "0"), ("x0*(2 + 3*4)", "14*x0"), ("sqrt(16) + x0", "4 + x0"), ("2**3", "8"),
    ("x0**(1 + 1)", "x0**2"), ("(2 - 5)/4", "-0.75"), ("sin(x0 + (1 - 1))", "sin(x0 + 0)"),
    # a factor comes first
    ("x0*3", "3*x0"), ("x0/4", "0.25*x0"), ("sin(x0)*3", "3*sin(x0)"),
    # and moves outwards
    ("(2*x0)*x1", "2*(x0*x1)"), ("x0*(2*x1)", "2*(x0*x1)"), ("(2*x0)/x1", "2*(x0/x1)"), ("x0/(4*x1)", "0.25*(x0/x1)"),
    ("x0*x1/4", "0.25*(x0*x1)"), ("(x0/4)*x1", "0.25*(x0*x1)"), ("x0/(x1*4)", "0.25*(x0/x1)"),
    # where it meets another one
    ("2*(3*x0)", "6*x0"), ("2*(x0*3)", "6*x0"), ("(2*x0)*(3*x1)", "6*(x0*x1)"), ("2*(x0/4)", "0.5*x0"),
    ("(2*x0)/(4*x1)", "0.5*(x0/x1)"), ("((2*x0)*3)*(4*(x1/8))", "3*(x0*x1)"), ("2*(3/x0)", "6/x0"),
    ("2*((x0*(3*x1))*(5*x2))", "30*((x0*x1)*x2)"),
    # sums of numbers
    ("(x0 + 2) + 3", "x0 + 5"), ("(x0 - 2) + 3", "x0 - -1"), ("(x0 + 2) - 3", "x0 + -1"), ("(x0 - 2) - 3", "x0 - 5"),
    ("((x0 + 1) + 1) + 1", "x0 + 3"),
    # within a function too
    ("sin((x0*2)*3)", "sin(6*x0)"), ("exp(x0/2) + (x1*2)*x2", "exp(0.5*x0) + 2*(x1*x2)"),
    # nothing to do
    ("x0 - x0", "x0 - x0"), ("x0/x1", "x0/x1"), ("2*x0 + 3*x0", "2*x0 + 3*x0"), ("x0", "x0"), ("2/x0", "2/x0"),
    ("x0/0 + x1", "x0/0 + x1"), ("x0/(0*x1)", "x0/(0*x1)"),
]  # fmt: skip


@pytest.mark.parametrize("before, after", RULES)
def test_rules(before, after):
    found, expected = simplified(before), Expression.parse(after)
    assert found.codes.tolist() == expected.codes.tolist(), str(found)
    assert found.values == pytest.approx(expected.values, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    ["1/0", "log(0) + x0", "x0*sqrt(-1)", "exp(1000)*x0", "sin(x0 + log(-1))", "1e308*10 + x0", "1e300*(1e300*x0)"],
)
def test_a_constant_part_without_a_finite_value(text):
    assert simplified(text) is None


def test_steps_one_at_a_time():
    made = loaded("(2*x0)*(3*x1)")
    assert fold(made, ALPHABET, WORK) and formula_of(made) == Expression.parse("(2*x0)*(3*x1)")
    assert move_factors(made, ALPHABET) and formula_of(made) == Expression.parse("2*(x0*(3*x1))")
    while move_factors(made, ALPHABET):
        pass
    assert formula_of(made) == Expression.parse("6*(x0*x1)")
    assert not move_factors(loaded("sin(x0) + x1"), ALPHABET)


def test_users_operators_are_folded():
    mix = Expression.operator("mixed(x, y) = 2*x + y*y")
    letters = alphabet()
    made = loaded(Expression.apply("add", Expression.apply(mix, 3.0, 4.0), Expression.variable(0)))
    assert simplify(made, letters, WORK)
    assert formula_of(made) == Expression.parse("22 + x0")


ARITHMETIC = [find(name) for name in ("add", "sub", "mul", "div", "mul", "div")] + [find("sin")]


def well_conditioned(formula):
    """The largest value of any part: what rounding is measured by; infinite if something has no value."""
    with np.errstate(all="ignore"):
        sizes = [np.abs(formula.subtree(node).evaluate(X)).max() for node in range(formula.size)]
    return max(sizes) if np.isfinite(sizes).all() else np.inf


@settings(max_examples=300)
@given(expressions(operators=ARITHMETIC, constants=MODEST, tokens=24))
def test_arithmetic_keeps_its_values(formula):
    found = simplified(formula)
    if found is None:
        return
    assert found.size <= formula.size
    again = simplified(found)
    assert again == found  # nothing is left to do
    scale = max(well_conditioned(formula), well_conditioned(found))
    if scale < 1e6:
        assert np.allclose(found.evaluate(X), formula.evaluate(X), rtol=1e-9, atol=1e-11 * (1 + scale))


@settings(max_examples=200)
@given(expressions(operators=builtin(), tokens=20))
def test_any_formula_becomes_one_with_finite_constants_or_none(formula):
    found = simplified(formula)
    constant_parts = [
        node for node in range(formula.size) if formula.codes[node] > 0 and not formula.subtree(node).features
    ]
    values = [formula.subtree(node).evaluate(X[:1])[0] for node in constant_parts]
    if not np.isfinite(values).all() and not any(formula.codes[node] in (1, 2) for node in range(formula.size)):
        assert found is None
    if found is not None:
        assert found.size <= formula.size and np.isfinite(found.constants).all()
        assert set(found.features) == set(formula.features)
        for node in range(found.size):  # no operator has only constants below it
            assert found.codes[node] <= 0 or found.subtree(node).features


@given(st.integers(2, 14), st.randoms(use_true_random=False))
def test_long_products_end_with_one_factor(count, random):
    formula = Expression.variable(0)
    for k in range(count):
        number = Expression.constant(random.choice([0.5, 2.0, 4.0]))
        part = Expression.variable(k % 3) if random.random() < 0.5 else number
        pair = (formula, part) if random.random() < 0.5 else (part, formula)
        formula = Expression.apply("mul", *pair)
    found = simplified(formula)
    numbers = formula.constants
    assert len(found.constants) == (1 if len(numbers) else 0)
    assert np.prod(found.constants) == np.prod(numbers)
    assert found.size == formula.size - 2 * max(0, len(numbers) - 1)
