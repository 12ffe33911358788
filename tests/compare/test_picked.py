"""The comparison table: rows, judgement, going on where it stopped."""

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from srlib import Expression, compare, problems
from srlib.compare import METHODS, Answer, Row


@pytest.fixture
def oracle(monkeypatch):
    """A method that knows the law, and counts how often it is asked."""
    asked = []

    def knows(problem, seed):
        def answer(fitted):
            wrong = Expression.constant(float(seed))
            return Answer(problem.truth.evaluate, [wrong, problem.truth], problem.truth.complexity, str(problem.truth))

        return lambda: asked.append((problem.name, seed)), answer

    def guesses(problem, seed):
        wrong = Expression.constant(1.0)
        return lambda: None, lambda fitted: Answer(wrong.evaluate, [wrong, problem.truth], 1.0, "1")

    monkeypatch.setitem(METHODS, "knows", knows)
    monkeypatch.setitem(METHODS, "guesses", guesses)
    return asked


def test_picked_formula_and_front_are_judged_apart(oracle):
    right, wrong = (compare.run_one(method, "kepler", 0) for method in ("knows", "guesses"))
    assert (right.verdict, right.on_front) == ("recovered", "recovered")
    assert (wrong.verdict, wrong.on_front) == ("no", "recovered")
    assert right.test == 0.0 and right.train < 0.01 < wrong.test


def test_it_goes_on_where_it_stopped(oracle, tmp_path):
    path = tmp_path / "table.csv"
    compare.compare(["knows"], ["kepler"], [0, 1], path)
    table = compare.compare(["knows", "guesses"], ["kepler", "nguyen-1"], [0, 1, 2], path)
    assert len(table) == 12 and not table.duplicated(["method", "problem", "seed"]).any()
    assert len(oracle) == 6, "no run was done twice"
    assert list(table.columns) == [name for name in Row.__dataclass_fields__]


def test_an_executor_gives_the_same_table(oracle, tmp_path):
    plain = compare.compare(["knows", "guesses"], ["kepler", "b1"], [0, 1], tmp_path / "a.csv")
    with ThreadPoolExecutor(2) as executor:
        pooled = compare.compare(["knows", "guesses"], ["kepler", "b1"], [0, 1], tmp_path / "b.csv", executor)
    pd.testing.assert_frame_equal(plain.drop(columns="seconds"), pooled.drop(columns="seconds"))


def test_summary_counts(oracle, tmp_path):
    table = compare.compare(["knows", "guesses"], ["kepler", "b1"], [0, 1, 2], tmp_path / "table.csv")
    result = compare.summary(table)
    assert list(result.index) == ["kepler", "b1", "all"]
    assert result.loc["all", "knows: recovered"] == 6 and result.loc["all", "guesses: recovered"] == 0
    assert result.loc["all", "guesses: on front"] == 6


def test_every_set_names_methods_and_problems_that_exist():
    for methods, names in compare.SETS.values():
        assert set(methods) <= set(METHODS)
        for name in names:
            problem = compare.problems.load(name)
            assert problem.suite in compare.OPERATORS


def test_the_genetic_method_runs():
    row = compare.run_one("genetic", "hubble", 0)
    assert row.on_front == "recovered" and row.seconds > 0


def test_misspelt_names_are_refused_before_anything_runs(oracle, tmp_path):
    with pytest.raises(ValueError, match="methods holds 'genetics' - did you mean 'genetic'"):
        compare.compare(["genetics"], ["kepler"], [0], tmp_path / "t.csv")
    with pytest.raises(ValueError, match="keplr"):
        compare.compare(["genetic"], ["kepler", "keplr"], [0], tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def test_each_suite_has_its_operators():
    assert set(compare.OPERATORS) == set(problems.suites())
