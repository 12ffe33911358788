"""``python -m srlib.reproduce gmeql``: it writes rows, and judges what it is given."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("gplearn")

from srlib import Expression, problems  # noqa: E402
from srlib.compare import methods  # noqa: E402
from srlib.gmeql import PAPER  # noqa: E402
from srlib.reproduce import gmeql, gmeql_others  # noqa: E402
from srlib.reproduce.command import main  # noqa: E402


def test_least_squares_on_fixed_features_solves_those_that_are_linear_in_them(tmp_path, capsys):
    main(["gmeql", "--parts", "linear", "--out", str(tmp_path)])
    found = pd.read_csv(tmp_path / "gmeql_linear.csv").set_index("problem")["verdict"]
    assert found.to_dict() == {**{f"b{k}": "recovered" for k in range(1, 6)}, **{f"b{k}": "no" for k in (6, 7, 8)}}
    assert "fixed features" in capsys.readouterr().out


def test_a_fit_is_a_row_with_its_curve(monkeypatch):
    row = gmeql.fit("default", "generic", "b5", 0.0, 0, 0.0)
    assert row.verdict == row.on_front == "recovered" and row.test < 1e-10
    monkeypatch.setitem(gmeql.VARIANTS, "paper", replace(PAPER, rounds=1, steps=60, stage2=60))
    row = gmeql.fit("paper", "b2", "b2", 0.5, 0, 0.0)
    steps, errors = gmeql.curve_of(row.curve)
    assert steps.tolist() == [20, 40, 60, 80, 100, 120] and row.steps == 120
    assert (errors[1:] <= errors[:-1]).all() and errors[-1] == pytest.approx(row.soft, rel=1e-3)
    table = gmeql.by_problem(pd.DataFrame([vars(row)]))
    assert table["paper %"].tolist() == [32] and table["runs"].tolist() == [1]


def test_a_law_with_all_its_numbers_twice_as_large():
    once, twice = problems.load("b6"), gmeql.load("b6*2")
    assert str(twice.truth) == "2.4*sin(2.2*x1)*cos(1.8*x2)"
    np.testing.assert_allclose(twice.y, twice.truth.evaluate(once.X))
    assert gmeql.load("b6").parameters == once.parameters


def test_other_methods_have_a_row_each_and_none_twice(monkeypatch, tmp_path):
    tiny = {"population_size": 30, "generations": 2}
    for name in ("genetic", "gplearn"):
        monkeypatch.setitem(gmeql_others.METHODS, name, partial(getattr(methods, name), **tiny))
    part = gmeql.PARTS["comparison"]
    jobs = [("genetic", "b5", 0, 0.0), ("gplearn", "b5", 0, 0.0), ("EQL", "b5", 0, 0.5)]
    assert {job[:2] for job in jobs} <= {job[:2] for job in part.jobs(1, None)}
    monkeypatch.setitem(gmeql.PARTS, "comparison", replace(part, jobs=lambda seeds, budget: iter(jobs)))
    for _ in range(2):
        main(["gmeql", "--parts", "comparison", "--out", str(tmp_path)])
    table = pd.read_csv(tmp_path / "gmeql_comparison.csv")
    assert table["method"].tolist() == ["genetic", "gplearn", "EQL"]
    assert (table[["train", "test", "seconds"]] >= 0).all(axis=None)


def test_other_methods_can_write_all_laws():
    b4 = "1.1*square(x1*square(x1)) + 0.8*(x2*square(square(x2))) + 0.9*square(square(x3)) + 1.3*(x1*square(x1))"
    law = Expression.parse(f"{b4} + 1.2*square(x2) + 0.9*x3", names=("x1", "x2", "x3"))
    problem = problems.load("b4")
    assert law.evaluate(problem.X) == pytest.approx(problem.y)
    fit, _ = gmeql_others.METHODS["genetic"](problem, 0)
    model = fit.__closure__[0].cell_contents
    assert law.size == 37 <= model.maxsize
    fit, _ = gmeql_others.METHODS["EQL"](problem, 0)
    model = fit.__closure__[0].cell_contents
    assert 2**model.n_layers >= 6 and model.maxsize >= 37  # each layer doubles the degree


def test_the_parts_of_a_step_are_all_found_and_no_more_than_it(monkeypatch):
    monkeypatch.setattr(gmeql, "WARM", 30)
    monkeypatch.setattr(gmeql, "TIMED", 30)
    row = gmeql.duration("b8", "b8", 0)
    parts = [row.forward, row.backward, row.repository, row.signatures, row.sampling, row.online, row.offline]
    assert min(parts) > 0 and 0.3 * row.step < sum(parts) < 10 * row.step  # the profiler takes its time, too
    assert row.full_run_minutes == pytest.approx(row.step * PAPER.total / 60_000, rel=0.01)


def test_noise_has_the_paper_s_standard_deviation():
    clean = problems.load("b2")
    noise = gmeql.noisy(clean, 0.5, 3).y - clean.y
    assert noise.std() == pytest.approx(0.5, rel=0.15) and gmeql.noisy(clean, 0.0, 3) is clean
