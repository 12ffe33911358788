"""Seconds and memory of lessons: measured, compared with the budget and with what the lesson promises."""

import sys

import pytest

from srlib.teaching import budget
from srlib.teaching.budget import Cost, verdict

PROMISE = "# *Runs in about 40 s and 400 MB on 2 cores.*"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
def test_memory_and_promise_of_a_small_lesson(tmp_path, capsys):
    pytest.importorskip("jupytext")
    text = tmp_path / "text" / "02_small.py"
    text.parent.mkdir()
    # About 250 MB, of which nothing is left at the end: the peak counts.
    source = "# %% [markdown]\n# *Runs in about 900 s and 50 MB on 2 cores.*\n\n# %%\nx = b'1' * 250_000_000\ndel x\n"
    text.write_text(source, encoding="utf-8")
    assert budget.main(["--course", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert "promises '*Runs in about 900 s and 50 MB" in shown.err
    megabytes = float(shown.out.split()[-1])
    assert 300 <= megabytes <= 600, "the array and an empty kernel"

    assert budget.main(["--course", str(tmp_path), "--write"]) == 0
    promised = budget.BUDGET_LINE.search(text.read_text(encoding="utf-8"))
    assert 300 <= int(promised[2]) <= 600 and int(promised[1]) < 900
    assert text.read_text(encoding="utf-8").endswith(source.split("cores.*")[1]), "nothing else is changed"


@pytest.mark.parametrize(
    ("name", "cost", "sentences"),
    [
        ("02_evolution", Cost(60, 450), []),
        ("02_evolution", Cost(66, 450), ["promises"]),
        ("02_evolution", Cost(40, 600), ["promises"]),
        ("02_evolution", Cost(91, 400), ["91 s, the budget is 90 s", "promises"]),
        ("01_genetic", Cost(61, 400), ["61 s, the budget is 60 s"]),
        ("02_evolution", Cost(40, 1501), ["1501 MB, the budget is 1500 MB", "promises"]),
    ],
)
def test_verdict(name, cost, sentences):
    found = verdict(name, PROMISE, cost)
    assert len(found) == len(sentences)
    assert all(start in sentence for start, sentence in zip(sentences, found, strict=True)), found


def test_lesson_without_the_line_is_told_which():
    assert verdict("02_evolution", "# no line", Cost(31, 377)) == [
        "no line like '*Runs in about 35 s and 400 MB on 2 cores.*' at the top"
    ]
    with pytest.raises(ValueError, match="found 0"):
        budget.with_line("# no line", Cost(1, 1))
    with pytest.raises(ValueError, match="found 2"):
        budget.with_line(PROMISE * 2, Cost(1, 1))


def test_failing_cell_fails(tmp_path, capsys):
    pytest.importorskip("jupytext")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "02_small.py").write_text("# %%\n1 / 0\n", encoding="utf-8")
    assert budget.main(["--course", str(tmp_path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
