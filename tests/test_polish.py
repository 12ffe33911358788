"""What happens to a front after the search."""

import math
import time

import numpy as np
import pytest

from srlib import Expression, ParetoFront
from srlib.constants import mean_squared_error, standard_errors
from srlib.polish import polish

rng = np.random.default_rng(0)
X = rng.uniform(0.5, 3, (2, 80))
Y = 2.5 * X[0] ** 2 + 0.3 * np.sin(X[1]) + 0.01 * rng.normal(size=80)


def front_of(*formulas: str, y=Y) -> ParetoFront:
    front = ParetoFront()
    for text in formulas:
        expression = Expression.parse(text)
        front.add(expression, mean_squared_error(expression, X, y))
    return front


def test_constants_are_fitted_and_their_errors_noted():
    front = front_of("9", "2.4*x0**2.1", "2.4*x0**2 + 0.2*sin(x1)")
    polish(front, X, Y, rounding=False)
    assert front[0].expression.constants[0] == pytest.approx(Y.mean())
    assert front[-1].expression.constants[[0, 2]] == pytest.approx([2.5, 0.3], abs=0.02)
    for entry in front:
        assert entry.loss == mean_squared_error(entry.expression, X, Y)
        assert entry.errors == tuple(standard_errors(entry.expression, X, Y))


def test_weights_are_used():
    weights = np.where(X[0] < 1.5, 1.0, 1e-9)
    bent = np.where(X[0] < 1.5, 2 * X[0], 7 * X[0])
    front = front_of("1.5*x0", y=bent)
    polish(front, X, bent, weights)
    assert front[-1].expression.constants == pytest.approx([2.0], abs=1e-5)
    assert front[-1].errors == tuple(standard_errors(front[-1].expression, X, bent, weights))


@pytest.mark.parametrize("text", ["2*x0 + 1e-13*sin(x1)", "2*x0*exp(1e-14*x1)", "max(2*x0, -99)", "2*x0 + (x1 - x1)"])
def test_dead_parts_go(text):
    y = 2 * X[0]
    front = front_of(text, y=y)
    polish(front, X, y)
    assert [entry.expression.format(6) for entry in front] == ["2*x0"]


def test_a_readable_form_takes_the_place_of_its_entry():
    y = X[0] + 0.1 * np.cos(9 * X[1])
    front = front_of("1.01*x0**0.99", y=y)
    before = front.copy()
    polish(front, X, y)
    assert [entry.expression.format(6) for entry in front][0] == "x0"
    assert len(front) == 1 and before[-1].loss < front[-1].loss < 1.02 * before[-1].loss
    polish(before, X, y, rounding=False)
    assert before[-1].expression.size == 5


def test_a_cube_by_products_is_no_obstacle_to_a_readable_number():
    """Sympy would write a power, which the user may have excluded; the rounding must not be lost with it."""
    y = 0.5 * X[0] ** 3 + 0.1 * np.cos(9 * X[1])
    front = front_of("0.499*(x0*x0*x0)", y=y)
    polish(front, X, y)
    assert [entry.expression.format(17) for entry in front][0] == "0.5*(x0*x0*x0)"


def test_a_difference_from_zero_is_written_as_a_sum():
    y = X[0] + X[1] + np.sin(X[1]) + 0.1 * np.cos(9 * X[0] * X[1])
    front = front_of("x0 + (x1 - (0.001 - sin(x1)))", y=y)
    polish(front, X, y)
    assert [entry.expression.format(17) for entry in front][0] == "x0 + (x1 + sin(x1))"


def test_the_front_is_never_worse_and_has_no_operators_of_its_own_making():
    front = front_of("3", "x0 + x1", "2*x0*x0 + 0.1", "x0*x0*2.2 + 0.1*sin(x1) + -1*x0")
    before = front.copy()
    polish(front, X, Y, rounding=False)
    for old in before:
        assert min(new.loss for new in front if new.complexity <= old.complexity) <= old.loss
    used = {"+", "*", "sin"}
    for entry in front:
        at = np.flatnonzero(entry.expression.codes > 0)
        assert {entry.expression.label(int(node)) for node in at} <= used


def test_another_loss_fit_and_complexity():
    def loss(one):
        return float(np.mean(np.abs(one.evaluate(X.T) - Y)))

    def fit(one):
        return one.with_constants(np.full(len(one.constants), 2.0))

    front = ParetoFront()
    front.add(Expression.parse("1*x0*x0"), loss(Expression.parse("1*x0*x0")), complexity=50)
    polish(front, X, Y, loss=loss, fit=fit, complexity=lambda one: 10 * one.size, errors=False)
    assert front[-1].loss <= loss(Expression.parse("2*x0*x0"))
    assert {entry.complexity for entry in front} <= {10.0, 30.0, 50.0} and all(not entry.errors for entry in front)


def test_nothing_is_begun_after_the_time():
    front = front_of("9", "2.4*x0**2.1")
    before = front.copy()
    polish(front, X, Y, until=time.monotonic() - 1)
    assert front == before and all(entry.errors == () for entry in front)


def test_formulas_without_value_or_constants():
    front = ParetoFront()
    front.add(Expression.parse("x0"), 1.0)
    polish(front, X, X[0])
    assert front[-1].errors == ()
    empty = ParetoFront()
    polish(empty, X, Y)
    assert len(empty) == 0


def test_planck_in_si_units():
    frequency, temperature = np.random.default_rng(1).uniform([1e13, 2000], [1e15, 8000], (200, 2)).T
    law = Expression.parse("1.5e-50*x0**3/(exp(4.8e-11*x0/x1) - 1)")
    columns = np.array([frequency, temperature])
    y = law.evaluate(columns.T)
    start = law.with_constants(law.constants * [0.9, 1.0, 1.03, 1.0])
    front = ParetoFront(resolution=float((1e-13 * np.sqrt(np.mean(y**2))) ** 2))
    front.add(start, mean_squared_error(start, columns, y))
    polish(front, columns, y)
    assert math.sqrt(front[-1].loss) < 1e-9 * y.std()
    front.attach(columns.T, y)
    assert front.rounded()["rounded"].tolist()[-1] == "1.5e-50*x0**3/(exp(4.8e-11*x0/x1) - 1)"
