"""``python -m srlib.reproduce gnn``: its parts in miniature."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from srlib.distill.gnn import (  # noqa: E402
    Particles,
    Settings,
    accelerations,
    distill_message,
    distill_network,
    integrate,
    rollout,
)
from srlib.reproduce import gnn, gnn_laws, gnn_rollout, gnn_speed  # noqa: E402
from srlib.reproduce.command import main  # noqa: E402
from tests.distill.students import LeastSquares  # noqa: E402


@pytest.fixture(autouse=True)
def small(monkeypatch):
    gnn.data.cache_clear()
    gnn.fitted.cache_clear()
    gnn_rollout._simulators.cache_clear()
    monkeypatch.setattr(gnn, "SIZE", Settings(epochs=2, steps=5, batch=8))
    monkeypatch.setattr(gnn, "SIMULATIONS", 5)
    monkeypatch.setattr(gnn, "JUDGED", 5)
    monkeypatch.setattr(gnn_laws, "distill_message", partial(distill_message, student=LeastSquares()))
    students = {"message_student": LeastSquares(), "node_student": LeastSquares()}
    monkeypatch.setattr(gnn_rollout, "distill_network", partial(distill_network, **students))
    monkeypatch.setattr(gnn_rollout, "SIMULATIONS", 3)
    monkeypatch.setattr(gnn_rollout, "rollout", partial(rollout, steps=50))
    yield
    gnn.data.cache_clear()
    gnn.fitted.cache_clear()
    gnn_rollout._simulators.cache_clear()


def test_an_untrained_network_with_a_linear_student_finds_no_law(tmp_path, capsys):
    main(["gnn", "--parts", "laws", "--seeds", "1", "--out", str(tmp_path)])
    rows = pd.read_csv(tmp_path / "gnn_laws.csv")
    assert len(rows) == 6 and (rows.verdict != "recovered").all() and not rows.on_front.any()
    assert (rows.trimmed < 0.99).all() and "Force laws" in capsys.readouterr().out
    assert gnn_laws.by_law(rows).found.sum() == 0


def test_one_network_is_read_with_and_without_units(monkeypatch):
    given = []

    def read(said, student=None, units=False, random_state=None):
        given.append((units, student.dimensionless_constants_only, student.niterations))
        return distill_message(said, student=LeastSquares(), rows=50, random_state=random_state)

    monkeypatch.setattr(gnn_laws, "distill_message", read)
    rows = [gnn_laws.with_units("spring", "l1", 0, 80, 3, units) for units in ("none", "free", "numbers")]
    assert given == [(False, False, 3), (True, False, 3), (True, True, 3)]
    assert gnn.fitted.cache_info().misses == 1 and len({row.trimmed for row in rows}) == 1
    assert gnn_laws.by_units(pd.DataFrame(map(vars, rows))).seeds.tolist() == [1, 1, 1]


def test_rows_of_the_table_name_what_was_published():
    row = gnn.table("r2", "bottleneck", "mae", 0, 80)
    assert (row.graphs, row.published, row.document) == (80, "1.64", "0.17")
    assert row.summed == pytest.approx(8 * row.mae, rel=1e-3)
    other = gnn.table("charge", "custom", "huber", 0, 80)
    assert (other.published, other.document) == ("", "0.03") and 0 < other.top2 <= 1
    again = vars(row) | {"seed": 1, "mae": row.mae + 2}
    means = gnn.by_model(pd.DataFrame([vars(row), again, vars(other)]))
    assert means.seeds.tolist() == [2, 1] and means.mae.iloc[0] == pytest.approx(row.mae + 1, abs=1e-3)
    assert means.published.tolist() == ["1.64", ""]
    read = pd.DataFrame([vars(row)]).assign(published=1.64, document=np.nan)  # as a file with nothing else is read
    assert gnn.by_model(read).published.tolist() == [1.64]
    cured = gnn.cure("r1", "document", "mae", 0, 80)
    assert cured.model == "document" and cured.acpcr >= 0 and list(gnn.CURES)[-1] == "+ third law"
    assert len(list(gnn.PARTS["table"].jobs(1, None))) == 4 * 7 * 3


def test_training_and_test_are_other_simulations():
    known, test = gnn.data("spring", 0)
    assert not set(known.states[:, :, -1].ravel()) & set(test.states[:, :, -1].ravel())
    row = gnn.leak("spring", "time", 0)
    assert row.time_loss > 0 and row.new_loss > 0


def test_rollouts_compare_network_and_formula():
    rows = [gnn_rollout.rollouts("spring", 0, start) for start in gnn_rollout.STARTS]
    assert all(row.moved > 0 and row.network100 > 0 and row.messages for row in rows)
    assert gnn_rollout.shown(pd.DataFrame([vars(row) for row in rows])).shape[0] == 3


def test_the_loop_of_odeint_goes_where_small_steps_go():
    start = Particles.random(2, 3, 2, "spring", 0)
    looped = gnn_speed.odeint_loop("spring", start, 50)
    x, v = integrate(lambda *state: accelerations("spring", *state), start, 1e-2, 50, 1, substeps=50)
    assert np.allclose(looped[:, :, :6], x.reshape(2, 50, 6), atol=1e-4)
    assert gnn_speed._drift("spring", start, looped) < 1e-4


def test_speed_reports_both(monkeypatch):
    monkeypatch.setattr(gnn_speed, "LOOPED", 1)
    monkeypatch.setattr(gnn_speed, "TOGETHER", 20)
    row = gnn_speed.speed("spring", 0)
    assert row.ratio == pytest.approx(row.other / row.ours, rel=0.1)
