"""``python -m srlib.reproduce eql``: it writes rows, goes on where it stopped, and says what it does not know."""

import pandas as pd
import pytest

pytest.importorskip("torch")

from srlib.reproduce import eql  # noqa: E402
from srlib.reproduce.command import main  # noqa: E402


def test_a_part_writes_a_row_for_each_run_and_does_none_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(eql, "METHODS", {"L0.5": (*eql.METHODS["L0.5"][:1], (eql.Phase(40, 0.01, 5e-3),), (0.5,) * 3)})
    monkeypatch.setattr(eql, "TOGETHER", 2)
    jobs = eql._trials({"L0.5": (5e-3,)}, ("eql-1",))
    monkeypatch.setitem(eql.PARTS, "protocol", eql.Part(**{**vars(eql.PARTS["protocol"]), "jobs": jobs, "seeds": 2}))
    eql._batch.cache_clear()
    for _ in range(2):
        main(["eql", "--parts", "protocol", "--out", str(tmp_path)])
    table = pd.read_csv(tmp_path / "eql_protocol.csv")
    assert table["trial"].tolist() == [0, 1] and (table["seconds"] > 0).all()
    assert "The paper's protocol" in capsys.readouterr().out


def test_a_fit_of_the_estimator_is_a_row():
    row = eql.fit("default", "eql-1", 0)
    assert row.verdict == row.on_front == "recovered" and row.extrapolation < 1e-6


def test_an_unknown_part_is_an_error(capsys):
    with pytest.raises(SystemExit):
        main(["eql", "--parts", "speed"])
    assert "no part speed" in capsys.readouterr().err
