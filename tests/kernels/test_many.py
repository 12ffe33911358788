"""Many fits in one call, and the command that compiles them beforehand."""

import runpy

import numpy as np
import pytest

import srlib.evolution.warm
import srlib.kernels.many
from srlib import Expression
from srlib.kernels.many import ManyFits, compile_many


def test_one_command_compiles_all_kernels(monkeypatch):
    called = []
    monkeypatch.setattr(srlib.evolution.warm, "compile_engine", lambda say: called.append("engine"))
    monkeypatch.setattr(srlib.kernels.many, "compile_many", lambda say: called.append("many"))
    runpy.run_module("srlib.evolution", run_name="__main__")
    assert called == ["engine", "many"]


def test_after_the_command_nothing_is_left_to_compile():
    said = []
    compile_many(said.append)  # the command has run when the tests began
    assert said == []


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    columns = rng.uniform(-1, 1, (2, 40))
    return columns, 1 + 2 * np.sin(1.5 * columns[0]) - columns[1] + 0.1 * rng.standard_normal(40)


def test_coefficients_are_those_of_least_squares_with_weights(data):
    columns, y = data
    weight = np.random.default_rng(1).uniform(0, 2, 40)
    losses, errors, _, coefficients = ManyFits(columns, y, weight)([Expression.parse("x0*x0 + sin(x1)")])
    F = np.column_stack([np.ones(40), columns[0] ** 2, np.sin(columns[1])])
    root = np.sqrt(weight)
    expected = np.linalg.lstsq(F * root[:, None], y * root, rcond=None)[0]
    assert coefficients[0, :3] == pytest.approx(expected, rel=1e-6)
    residuals = F @ expected - y
    assert losses[0] == pytest.approx(np.average(residuals**2, weights=weight), rel=1e-9)
    assert errors[0] == pytest.approx(np.average(np.abs(residuals), weights=weight), rel=1e-6)


def test_constants_that_are_held_stay_and_those_that_are_free_move(data):
    columns, y = data
    formula = Expression.parse("sin(1.2*x0) + sin(0.5*x1)")
    fits = ManyFits(columns, y)
    held, _, values, _ = fits([formula, formula], [[False, True], [False, False]], steps=20)
    assert values[0, 0] == 1.2 and values[0, 1] != 0.5 and values[1].tolist() == [1.2, 0.5]
    free, *_ = fits([formula], steps=20)
    assert free[0] <= held[0] <= held[1]


def test_what_cannot_be_fitted_has_an_infinite_error_and_harms_no_other(data):
    columns, y = data
    long = Expression.parse(" + ".join(["x0"] * 100))
    good = Expression.parse("sin(x0) + x1")
    losses, errors, _, _ = ManyFits(columns, y, room=50)([Expression.parse("log(x0)"), good, long])
    assert np.isinf(losses[[0, 2]]).all() and np.isinf(errors[[0, 2]]).all()
    assert losses[1] == ManyFits(columns, y)([good])[0][0] < np.inf
