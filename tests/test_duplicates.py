"""The same formula in other words."""

import time

import numpy as np
import pytest
from hypothesis import given, settings

from srlib import Expression, ParetoFront
from srlib.duplicates import _differ, as_the_other, equal_to_sympy, probes
from tests.strategies import MODEST, expressions

SAME = [
    ("x0*(x0 + 1)", "x0**2 + x0"),
    ("3*x0", "2*(x0 + 1) - 2"),
    ("sin(2*x0)", "2*sin(x0)*cos(x0)"),
    ("1.5*sin(2*x0)", "3.1*sin(x0)*cos(x0)"),
    ("1.2*exp(0.5*x0)", "2*exp(0.3*x0 + 1.1)"),
    ("x0/(x0 + 2)", "1/(1 + 3/x0)"),
    ("tanh(1.1*x0)", "1 - 2/(exp(2.5*x0) + 1)"),
    ("abs(x0)", "sqrt(x0*x0)"),
    ("x0", "sqrt(x0)*sqrt(x0)"),
    ("exp(x0 + x1)", "exp(x0)*exp(x1)"),
]
DIFFERENT = [
    ("x0", "x1"),
    ("x0", "abs(x0)"),
    ("x0", "x0 + 1e-7"),
    ("3*x0", "2*(x0 + 1)"),
    ("2e-23*x0**2*x1", "6.6e-34*x0**3/(exp(4.8e-11*x0/x1) - 1)"),  # Rayleigh's limit of Planck's law
    ("6.6e-34*x0**3/exp(4.8e-11*x0/x1)", "6.6e-34*x0**3/(exp(4.8e-11*x0/x1) - 1)"),  # Wien's
    ("sin(x0)", "x0 - x0**3/6 + x0**5/120"),
    ("x0", "min(x0, 1e6)"),
]


@pytest.mark.parametrize(("shorter", "longer"), SAME)
def test_equal_formulas_are_found(shorter, longer):
    a, b = Expression.parse(shorter), Expression.parse(longer)
    found = as_the_other(a, b, probes(2))
    assert np.array_equal(found.codes, a.codes)
    X = np.random.default_rng(3).uniform(0.1, 4, (100, 2))
    assert found.evaluate(X) == pytest.approx(b.evaluate(X), rel=1e-7)


@pytest.mark.parametrize(("shorter", "longer"), DIFFERENT)
def test_different_formulas_are_kept_apart(shorter, longer):
    assert as_the_other(Expression.parse(shorter), Expression.parse(longer), probes(2)) is None
    assert not equal_to_sympy(Expression.parse(shorter), Expression.parse(longer))


@settings(max_examples=50, deadline=None)
@given(expressions(constants=MODEST, tokens=10))
def test_what_sympy_finds_equal_is_not_called_different_by_its_values(formula):
    try:
        other = Expression.from_sympy(formula.sympy())
    except ValueError:
        return
    if equal_to_sympy(formula, other):
        assert not _differ(formula, other, probes(3))


def test_clearly_different_formulas_need_no_sympy():
    assert _differ(Expression.parse("x0*x1"), Expression.parse("x0 + 2*x1"), probes(2))
    assert _differ(Expression.parse("1.001*x0"), Expression.parse("x0"), probes(1))
    assert not _differ(Expression.parse("1.0000001*x0"), Expression.parse("x0"), probes(1))  # the same to six digits
    assert not _differ(Expression.parse("log(-1 - x0**2)"), Expression.parse("x0"), probes(1))  # nothing to compare


def test_data_say_where_formulas_are_compared():
    columns = np.random.default_rng(1).uniform([1e13, 3000], [1e15, 9000], (200, 2)).T
    points = probes(2, columns)
    assert (points.min(axis=1) >= columns.min(axis=1)).all() and (points.max(axis=1) <= columns.max(axis=1)).all()
    planck = Expression.parse("6.6e-34*x0*x0*x0/(exp(4.8e-11*x0/x1) - 1)")
    other = Expression.parse("2e-34*x0**3/(exp(4.9e-11*x0/x1) - 1)")
    assert as_the_other(other, planck, points).constants == pytest.approx([6.6e-34, 3, 4.8e-11, 1], rel=1e-6)
    assert as_the_other(Expression.parse("x0"), Expression.parse("abs(x0)"), points) is not None


def test_sympy_compares_to_six_digits():
    assert equal_to_sympy(Expression.parse("2.0000001*x0 + x1"), Expression.parse("x1 - -2*x0"))
    assert not equal_to_sympy(Expression.parse("2.0001*x0 + x1"), Expression.parse("x1 - -2*x0"))
    nowhere = Expression.parse("log(0)")
    assert not equal_to_sympy(nowhere, Expression.parse("log(-1)"))


def front_of(*rows) -> ParetoFront:
    front = ParetoFront()
    for text, loss in rows:
        assert front.add(Expression.parse(text), loss)
    return front


def texts(front) -> list[str]:
    return [entry.expression.format(6) for entry in front]


def test_the_simpler_of_two_equal_formulas_stays_with_the_better_constants():
    front = front_of(
        ("1", 9.0), ("1.9*x0", 4.0), ("1.3*x0*x1", 3.0), ("2*(x0 + 1) - 2", 1.0), ("2*x0 + x1*sin(x1)", 0.5)
    )
    found = front.without_duplicates()
    assert texts(found) == ["1", "2*x0", "2*x0 + x1*sin(x1)"]  # x0*x1 is longer and worse
    assert [entry.loss for entry in found] == [9.0, 1.0, 0.5]
    assert len(front) == 5


def test_with_data_the_loss_is_measured():
    X = np.random.default_rng(0).uniform(0.5, 3, (50, 1))
    y = 2.1 * X[:, 0]
    front = ParetoFront()
    front.attach(X, y)
    for text in ("1.9*x0", "2*(x0 + 1) - 2"):
        front.add(Expression.parse(text), front.data.loss(Expression.parse(text)), errors=())
    found = front.without_duplicates()
    assert texts(found) == ["2*x0"] and found.data is front.data
    assert found[0].loss == pytest.approx(np.mean((0.1 * X) ** 2))


def test_nothing_is_lost_when_time_is_short_or_formulas_differ():
    front = front_of(("1", 9.0), ("1.9*x0", 4.0), ("2*(x0 + 1) - 2", 1.0))
    assert front.without_duplicates(seconds=0.0) == front
    different = front_of(("1", 9.0), ("1.9*x0", 4.0), ("2*x0 + x1*sin(x1)", 0.5))
    assert different.without_duplicates() == different
    assert len(ParetoFront().without_duplicates()) == 0


def test_nasty_formulas_do_not_hang():
    front = front_of(
        ("exp(exp(exp(x0)))", 9.0), ("x0**99999999**x1", 4.0), ("(x0 + x1)**1000*(x0 - x1)**1001*0.1", 1.0),
        ("exp(exp(exp(99)))*x0*x1*sin(sin(sin(x0)))*tan(x1)*1e300", 0.5),
    )  # fmt: skip
    began = time.monotonic()
    assert len(front.without_duplicates(seconds=5)) == 4
    assert time.monotonic() - began < 30  # it took half a second
