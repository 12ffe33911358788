"""The reproduce set: every job has a row of its own, quick rows are right, and stored results can be read."""

from pathlib import Path

import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from srlib.reproduce import l2o_learned, l2o_tuning  # noqa: E402
from srlib.reproduce.l2o import PARTS, recover  # noqa: E402
from srlib.reproduce.l2o_cost import cost  # noqa: E402
from srlib.reproduce.l2o_learned import TEACHERS, read_rule, teacher  # noqa: E402
from srlib.reproduce.l2o_race import RATES, SCALES, SETTINGS, best_of_grid, entrant, scaled  # noqa: E402
from srlib.reproduce.l2o_tuning import horizon  # noqa: E402

RESULTS = Path(__file__).parents[2] / "course" / "results"


@pytest.mark.parametrize("name", PARTS)
def test_each_job_is_done_once(name):
    jobs = list(PARTS[name].jobs(2, None))
    assert len(set(jobs)) == len(jobs) and all(len(job) == len(PARTS[name].key) for job in jobs)


def test_lags_recover_momentum_and_not_adam():
    assert recover("momentum", "linear, 100 lags", 0).r2 > 1 - 1e-5
    assert recover("adam", "linear, 20 lags", 0).r2 < 0.8


def test_the_cost_counts_what_is_kept():
    assert cost("sgd", 1000, 0).state == 0
    row = cost("adam", 1000, 0)
    assert row.state == 8 and row.peak >= 4 and row.microseconds > 0  # two averages of four bytes
    assert cost("rp 20 20", 1000, 0).state == 8 + 4 * 80


def test_a_baseline_is_tuned_and_kept():
    one = best_of_grid("width 16", "sgd", 0)
    assert one.rule.scale in RATES["sgd"][1] and isinstance(one.scheduled, bool)
    assert one.tuned_on == 4 and one.tried == 2 * len(RATES["sgd"][1])
    assert one.edge == (one.rule.scale in (RATES["sgd"][1][0], RATES["sgd"][1][-1]))
    assert set(SETTINGS) == {"width 16", "width 64", "convnet"}
    assert entrant("convnet", "sgd, as at width 16", 0) is one


def test_all_who_are_tuned_have_the_same_budget():
    assert {len(scales) for _, scales in RATES.values()} == {len(SCALES)}


def test_a_formula_gets_another_scale():
    rule = read_rule("-0.8*tanh(mt)")
    other = scaled(rule)(0.2)
    assert other.scale == 0.2 and rule.scale == 0.05 and str(other.formula) == str(rule.formula)


def test_larger_steps_are_better_at_first(monkeypatch):
    monkeypatch.setattr(l2o_tuning, "formula", lambda *key: "-0.3*mt")
    once, times = (horizon("rp_s", "any", factor, 0) for factor in (1.0, 2.0))
    assert once.error == 0 < times.error and times.first_20 < once.first_20


def test_stored_networks_and_formulas_are_read(monkeypatch):
    monkeypatch.setattr(l2o_learned, "FOLDER", RESULTS)
    for name in TEACHERS:
        if (RESULTS / f"l2o_{name}_0.json").exists():
            rule = teacher.__wrapped__(name, 0)
            assert any(one.abs().max() > 0 for one in rule.last.parameters())
    table = RESULTS / "l2o_tuned.csv"
    for text in pd.read_csv(table).equation if table.exists() else ():
        rule, g = read_rule(text), torch.ones(3)
        assert (rule(g, rule.start(g), 1)[0] < 0).all()  # it descends
