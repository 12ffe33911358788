"""The tasks of the race: can be solved within its limits, with the given alphabet, by data that never change."""

import numpy as np
import pytest

from srlib import problems
from srlib.compare.race import MAX_NODES, structure_nodes
from srlib.compare.tasks import BINARY, TASKS, load_task, task_names
from srlib.operators import by_code, find


def test_as_many_as_promised_and_none_in_both_sets():
    assert len(TASKS["peers"]) == 33 and len(TASKS["peers-heldout"]) == 30
    assert len(set(task_names())) == 63


@pytest.mark.parametrize("name", task_names())
def test_a_task_can_be_solved(name):
    task = load_task(name)
    assert task.X.shape == task.X_test.shape and len(task.X) == len(task.y) == len(task.y_test) == 300
    assert np.isfinite(task.y).all() and np.isfinite(task.y_test).all() and np.ptp(task.y) > 0
    assert not np.array_equal(task.X, task.X_test)
    np.testing.assert_array_equal(task.law.evaluate(task.X), task.y)
    assert structure_nodes(task.law) <= MAX_NODES
    allowed = {find(name).name for name in (*BINARY, *task.unary_operators)} | {"neg"}  # a sign costs nothing
    allowed |= {"pow"}  # short for products, quotients and exp(y*log(x)); as is nguyen-8's square root
    allowed |= {"sqrt"} if name == "nguyen-8" else set()
    assert {by_code(code).name for code in task.law.codes.tolist() if code > 0} <= allowed


def test_data_do_not_depend_on_what_was_drawn_before():
    before = load_task("compton").X
    load_task.cache_clear()
    load_task("fermi")
    np.testing.assert_array_equal(load_task("compton").X, before)


@pytest.mark.parametrize("name", ["newton", "planck", "schechter", "ideal_gas", "rydberg", "bode"])
def test_laws_of_empirical_bench_are_the_benchmarks(name):
    """The formulas written here against those of the benchmark's problems, which are written in another way."""
    task, problem = load_task(name), problems.load(name)
    columns = [task.law.names.index(column) for column in problem.names]
    known = problem.truth.evaluate(task.X[:, columns])
    np.testing.assert_allclose(task.y, known, rtol=1e-9, atol=1e-9)


def test_levels_of_hydrogen_are_in_order():
    X = load_task("rydberg").X
    assert (X[:, 0] < X[:, 1]).all() and len(np.unique(X, axis=0)) == 21


def test_a_misspelt_name_is_refused():
    with pytest.raises(ValueError, match="task is 'planc' - did you mean 'planck'"):
        load_task("planc")
