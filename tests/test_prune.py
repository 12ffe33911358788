"""Parts of formulas that do nothing."""

import numpy as np
import pytest
from hypothesis import given

from srlib import Expression
from srlib.prune import pruned, simplified
from tests.strategies import MODEST, expressions

rng = np.random.default_rng(0)
COLUMNS = rng.uniform(0.5, 2, (3, 50))


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        ("1*x0", "x0"),
        ("x0*1 + 0", "x0"),
        ("x0**1/1", "x0"),
        ("0*sin(3*x0) + x1", "x1"),
        ("2*3*x0", "6*x0"),
        ("x0 + (1 - 1)*x1", "x0"),
        ("max(x0, -99)", "x0"),
        ("abs(x0)", "x0"),
        ("x0 + 1e-20*x1", "x0"),
        ("x1*tanh(99*x0)", "x1"),
        ("x0/x0", "1"),
        ("x0 - 1", "x0 - 1"),
        ("sin(x0)*x1 + 0.3", "sin(x0)*x1 + 0.3"),
        ("0*x0", "0"),
        ("x2 + (x0 - (0 - x1))", "x2 + (x0 + x1)"),
        ("x2 - (x0 + -1*x1)", "x2 - (x0 - x1)"),
        ("x2 - (x0*-1 + x1)", "x2 - (x1 - x0)"),
        ("(0 - x0) + x1", "x1 - x0"),
        ("x0 - (0 - x1)", "x0 - (0 - x1)"),  # has no sum, which the user may have excluded
        ("x2 + (x0 - (1 - x1))", "x2 + (x0 - (1 - x1))"),
        ("3", "3"),
    ],
)
def test_what_does_nothing_goes(text, shorter):
    assert str(pruned(Expression.parse(text), COLUMNS)) == shorter


def test_the_tolerance_says_what_is_nothing():
    expression = Expression.parse("x0 + 1e-10*x1")
    assert str(pruned(expression, COLUMNS, tolerance=1e-9)) == "x0"
    assert pruned(expression, COLUMNS, tolerance=1e-11) == expression


def test_every_row_counts():
    x = np.linspace(1, 2, 5000)
    x[1237] = -1.0
    assert str(pruned(Expression.parse("abs(x0)"), [x])) == "abs(x0)"


def test_changes_do_not_add_up():
    expression = Expression.parse("x0" + " + 0.6*x1" * 9)
    found = pruned(expression, COLUMNS, tolerance=1.5)
    assert np.max(np.abs(found.evaluate(COLUMNS.T) - expression.evaluate(COLUMNS.T))) <= 1.5
    assert found.size < expression.size


def test_no_values_no_change_and_no_time_no_change():
    assert str(pruned(Expression.parse("1*log(x0 - 1)"), COLUMNS)) == "1*log(x0 - 1)"
    assert str(pruned(Expression.parse("1*x0"), COLUMNS, until=0.0)) == "1*x0"


@given(expressions(constants=MODEST))
def test_values_stay_and_nothing_grows(expression):
    found = pruned(expression, COLUMNS)
    with np.errstate(all="ignore"):
        before, after = (e.evaluate(COLUMNS.T) for e in (expression, found))
    assert found.size <= expression.size
    if not np.isfinite(before).all():
        assert found == expression
    else:
        assert np.max(np.abs(before - after)) <= 1e-9 * max(1, np.max(np.abs(before)))


def test_sympy_simplifies_where_that_is_shorter():
    assert str(simplified(Expression.parse("x0 + -1*x1"), COLUMNS)) == "x0 - x1"
    assert str(simplified(Expression.parse("x0*x1 + x0*x1"), COLUMNS)) == "2*x0*x1"
    named = Expression.parse("b + -1*a", names=["a", "b"])
    assert str(simplified(named, COLUMNS)) in ("b - a", "-a + b")
    for kept in ("2*x0 + 1", "log(x0 - 1)", "step(x0 - 1)*2"):
        assert str(simplified(Expression.parse(kept), COLUMNS)) == kept


def test_sympy_leaves_long_formulas_alone():
    long = Expression.parse("x0" + " + 0*x1" * 40)
    assert simplified(long, COLUMNS) == long
