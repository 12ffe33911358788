"""Laws on the front: what the runs look for, how they are judged, and when the law was there."""

import numpy as np
import pandas as pd
import pytest

from srlib import problems
from srlib.compare import laws
from srlib.compare.laws import PUBLISHED, empirical, noise


def test_the_law_on_the_front_is_found_and_timed(engine):
    engine.names, engine.texts = ("a",), ["a", "365*a*sqrt(a)", "365.3*a*sqrt(a) + 0.01*sin(a)*a"]
    row = empirical("kepler", 1, 2, 60.0)
    assert row.on_front == "recovered" and row.law_seconds == 20.0
    assert "365" in row.law and row.problem == "kepler" and (row.seed, row.threads, row.budget) == (1, 2, 60.0)
    (options,) = engine.made
    assert set(options["unary_operators"]) == {"exp", "log", "sqrt", "square", "cube"} and options["maxsize"] == 30


def test_a_law_that_was_only_passed_through_does_not_count(engine):
    """An equally long formula that fits better takes its place on the front, which alone is judged."""
    engine.names = ("a",)
    engine.texts = ["3000*sqrt(a) - 3000*a", "200*a*sqrt(a)", "365*a*log(a + 9)"]
    row = empirical("kepler", 0, 1, 60.0)
    assert row.on_front != "recovered" and np.isnan(row.law_seconds) and row.law == ""


def test_noise_is_of_the_level_and_repeats(engine, monkeypatch):
    seen = []
    monkeypatch.setattr(engine, "fit", lambda self, X, y, fit=engine.fit: (seen.append(y), fit(self, X, y))[1])
    engine.names = ("x1", "x2")
    engine.texts = ["x1", "1.5*sin(x1) + 1.3*sin(x2)"]
    clean = problems.load("b5").y
    for level in (0.0, 0.1, 0.1):
        row = noise("b5", level, 4, 1, 10.0)
        assert row.on_front == row.verdict == "recovered" and row.level == level
    np.testing.assert_array_equal(seen[0], clean)
    np.testing.assert_array_equal(seen[1], seen[2])
    assert np.std(seen[1] - clean) == pytest.approx(0.1 * np.std(clean), rel=0.1)


def test_published_counts_are_the_papers():
    totals = {method: sum(row[method] for row in PUBLISHED.values()) for method in PUBLISHED["hubble"]}
    assert totals == {"PySR": 35, "Operon": 9, "DSR": 22, "EQL": 0, "QLattice": 5, "SR-Transformer": 0}
    assert set(PUBLISHED) == set(problems.names("empirical")) - {"tully"}


def rows(**columns):
    return pd.DataFrame(columns)


def test_by_law():
    table = laws.by_law(
        rows(
            problem=["kepler", "kepler", "planck"],
            verdict=["recovered", "no", "no"],
            on_front=["recovered", "recovered", "almost"],
            law_seconds=[1.0, 3.0, np.nan],
        )
    )
    assert list(table.index) == ["kepler", "planck", "all"]
    assert table.loc["kepler", ["runs", "on front", "picked", "law s (median)"]].tolist() == [2, 2, 1, 2.0]
    assert table.loc["all", ["runs", "on front", "picked", "PySR (of 5)"]].tolist() == [3, 2, 1, 5]


def test_by_level():
    table = laws.by_level(
        rows(
            problem=["b1", "b1", "b5", "b5"],
            level=[0.0, 0.1, 0.0, 0.1],
            on_front=["recovered", "no", "recovered", "recovered"],
        )
    )
    assert table.loc["all"].tolist() == ["2/2", "1/2"] and table.loc["b1", "10 % noise"] == "0/1"
