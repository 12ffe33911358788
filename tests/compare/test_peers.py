"""Who takes part: the engine stops when it has solved, and formulas of others mean here what they mean there."""

import os

import numpy as np
import pytest

from srlib import Expression
from srlib.compare.peers import ABLATIONS, MAXSIZE, RACERS, evolution, program_expression
from srlib.compare.race import race
from srlib.compare.tasks import load_task


def test_the_engine_is_stopped_at_the_first_solution(engine):
    engine.texts, engine.names = ["l0", "l0 + 2.426*(1 - cos(theta))", "l0 + 7*theta"], ("l0", "theta")
    row = race("evolution", "compton", 3, 2, 5.0)
    assert row.solved and row.nodes == 4 and (row.method, row.seed, row.threads) == ("evolution", 3, 2)
    (options,) = engine.made
    assert options["time_limit"] == 5.0 and options["n_jobs"] == 2 and options["random_state"] == 3
    assert options["maxsize"] == MAXSIZE and set(options["unary_operators"]) == set(
        load_task("compton").unary_operators
    )


def test_the_engine_that_finds_nothing_runs_to_its_end(engine):
    engine.texts = ["x0", "x0 + x1"]
    row = race("evolution", "compton", 0, 1, 5.0)
    assert not row.solved and row.equation == "x0 + x1" and row.test > 1e-6


def test_ablations_are_the_engine_with_other_options(engine, monkeypatch):
    engine.texts = ["x0"]
    assert ABLATIONS["default"] == {}
    RACERS["ablation: paper"](load_task("compton"), 0, 1, 5.0)
    assert engine.made[-1]["preset"] == "paper"
    evolution(load_task("compton"), 0, 1, 5.0, maxsize=12)
    assert engine.made[-1]["maxsize"] == 12


def test_operon_trees_become_expressions():
    """The values of random trees here and in Operon itself, which has half the digits."""
    pytest.importorskip("pyoperon")
    from pyoperon.sklearn import SymbolicRegressor

    from srlib.compare.operon import OPTIONS, to_expression

    rng = np.random.default_rng(0)
    X = rng.uniform(0.5, 2, (50, 3))
    y = np.sqrt(1.3 + 1.2 * X[:, 1] / X[:, 0]) - X[:, 2]
    symbols = "add,sub,mul,div,sin,cos,exp,log,sqrt,square,constant,variable"
    model = SymbolicRegressor(
        allowed_symbols=symbols, n_threads=1, random_state=1, **{**OPTIONS, "generations": 2, "optimizer_iterations": 0}
    ).fit(X, y)
    features = {code: int(name[1:]) - 1 for code, name in model.variables_.items()}
    compared = 0
    for individual in model.individuals_:
        ours, theirs = to_expression(individual.Genotype, features), model.evaluate_model(individual.Genotype, X)
        if ours is not None and np.isfinite(theirs).all() and np.abs(theirs).max() < 1e3:
            close = np.isclose(ours.evaluate(X), theirs, rtol=1e-2, atol=1e-3)
            compared += close.all()
    assert compared > 0.9 * len(model.individuals_) / 2


def test_operon_solves_what_is_easy():
    pytest.importorskip("pyoperon")
    for method in ("operon-nmse300", "operon-mo300"):
        row = race(method, "hubble", 0, 1, 10.0)
        assert row.solved and row.nodes <= 25 and row.test < 1e-6
        assert row.seconds < 10 and row.equation == str(Expression.parse(row.equation))


def test_operon_gives_its_best_when_time_is_over():
    pytest.importorskip("pyoperon")
    row = race("operon-nmse300", "I.29.16", 0, 1, 0.2)
    assert not row.solved and 1e-6 < row.test < 1 and 0.2 <= row.cpu_seconds < 2


def test_a_process_that_dies_is_an_unsolved_run(monkeypatch):
    pytest.importorskip("pyoperon")
    from srlib.compare import operon

    monkeypatch.setattr(operon, "_run", lambda *arguments: os._exit(7))
    row = race("operon-mo300", "hubble", 0, 1, 0.5)
    assert not row.solved and row.equation == "pyoperon's process died with exit code 7"


def test_gplearn_programs_become_expressions():
    pytest.importorskip("gplearn")
    from gplearn.functions import add2, div2, sin1, sub2

    program = [add2, sin1, 1, div2, sub2, 0.5, 0, 2]  # sin(x1) + (0.5 - x0)/x2
    assert str(program_expression(program)) == str(Expression.parse("sin(x1) + (0.5 - x0)/x2"))


def test_no_function_added_to_gplearn_leaves_the_numbers():
    """In its tournaments a fitness of nan wins."""
    pytest.importorskip("gplearn")
    from srlib.compare.methods import gplearn_functions

    added = [one for one in gplearn_functions(("sin", "square", "exp")) if not isinstance(one, str)]
    for function in added:
        assert np.isfinite(function(np.array([-1e300, -3.0, 0.0, 2.0, 1e300]))).all(), function.name
    assert added[0](np.array([-3.0])) == 9


def test_gplearn_runs():
    pytest.importorskip("gplearn")
    row = race("gplearn", "compton", 0, 1, 0.1)
    assert not row.solved and row.nodes <= 25 and row.test < 1
