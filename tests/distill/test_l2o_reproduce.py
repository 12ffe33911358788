"""The reproduce set: every job has a row of its own, quick rows are right, and stored results can be read."""

from pathlib import Path

import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from srlib.reproduce import l2o_learned  # noqa: E402
from srlib.reproduce.l2o import PARTS, recover  # noqa: E402
from srlib.reproduce.l2o_cost import cost  # noqa: E402
from srlib.reproduce.l2o_learned import TEACHERS, read_rule, teacher  # noqa: E402
from srlib.reproduce.l2o_race import SETTINGS, best_of_grid  # noqa: E402

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
    rule, scheduled = best_of_grid("width 16", "sgd", 0)
    assert rule.scale in (0.1, 0.3, 1.0, 3.0) and isinstance(scheduled, bool)
    assert set(SETTINGS) == {"width 16", "width 64", "convnet"}


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
