"""Building notebooks from text: the same bytes each time, outputs that nbval accepts, and a check that sees drift."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from srlib.teaching import build
from srlib.teaching.stored import WIDGET, problems

pytest.importorskip("jupytext")
pytest.importorskip("nbclient")
ROOT = Path(__file__).parents[2]

LESSON = """\
# %% [markdown]
# # A lesson

# %% tags=["setup"]
import sys
import ipywidgets
from IPython.display import HTML, display
for step in range(3):
    print(f"\\rstep {step}", end="")
print("\\ndone")

# %% tags=["dashboard"]
display(ipywidgets.VBox([ipywidgets.IntSlider(description="bend")]))
view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "[a panel]"}
display(view, raw=True)

# %%
HTML('<img alt="A dot." src="data:image/png;base64,AAAA/tmp/AAAA">')

# %% [markdown]
# The same again.

# %%
1 + 1

# %%
1 + 1
"""
FAILING = "# %%\nprint('before')\n\n# %%\nmistake = 1\nmistake / 0\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A course with one lesson and its worked answers, built once; tests must not change it."""
    course = tmp_path_factory.mktemp("build") / "course"
    for folder, source in (("text", LESSON), ("solutions/text", "# %%\nprint('answer')\n")):
        (course / folder).mkdir(parents=True)
        (course / folder / "00_first.py").write_text(source, encoding="utf-8")
    assert build.main(["--course", str(course)]) == 0
    return course


@pytest.fixture
def stored(built):
    """The built lesson, in memory."""
    return nbformat.read(built / "00_first.ipynb", as_version=4)


@pytest.fixture
def text(built):
    return build.read_text(built / "text" / "00_first.py")


def test_building_again_gives_the_same_bytes(built, capsys):
    path = built / "00_first.ipynb"
    before = path.read_bytes()
    assert build.main(["--course", str(built), "--all", "00"]) == 0
    assert "built in" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_what_did_not_change_is_not_run_again(built, capsys):
    times = [path.stat().st_mtime_ns for path in sorted(built.rglob("*.ipynb"))]
    os.utime(built / "text" / "00_first.py")  # a newer text of the same content, as after a checkout
    assert build.main(["--course", str(built)]) == 0
    assert [path.stat().st_mtime_ns for path in sorted(built.rglob("*.ipynb"))] == times
    assert capsys.readouterr().out.count("as built") == 2


def test_changed_prose_keeps_the_outputs_and_changed_code_does_not(tmp_path, monkeypatch):
    runs = []

    def execute(notebook, folder):
        runs.append(folder)
        for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
            cell.execution_count = number
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"run {len(runs)}")]

    monkeypatch.setattr(build, "execute", execute)
    text, path = tmp_path / "text" / "00_first.py", tmp_path / "00_first.ipynb"
    text.parent.mkdir()
    for source, count in (
        ("# %% [markdown]\n# One.\n\n# %%\nx = 1\n", 1),
        ("# %% [markdown]\n# Two.\n\n# %% [markdown]\n# More.\n\n# %%\nx = 1\n", 1),
        ("# %% [markdown]\n# Two.\n\n# %%\nx = 2\n", 2),
        ('# %% [markdown]\n# Two.\n\n# %% tags=["setup"]\nx = 2\n', 3),
    ):
        text.write_text(source, encoding="utf-8")
        assert build.main(["--course", str(tmp_path)]) == 0
        assert len(runs) == count
        stored = nbformat.read(path, as_version=4)
        assert stored.cells[-1].outputs[0].text == f"run {count}"
        assert problems(stored, build.read_text(text)) == []


def test_stored_notebook_is_valid_run_and_tidy(stored, text):
    nbformat.validate(stored)
    assert problems(stored, text) == []
    ids = [cell.id for cell in stored.cells]
    assert ids[-1] == f"{ids[-2]}-1" and len(set(ids)) == len(ids)
    assert stored.metadata == build.METADATA
    assert {key for cell in stored.cells for key in cell.metadata} == {"tags"}
    first, widgets = stored.cells[1].outputs, stored.cells[2].outputs
    assert [output.text for output in first] == ["step 2\ndone\n"]
    assert [output.data for output in widgets] == [{"text/plain": build.WIDGET_TEXT}, {"text/plain": "[a panel]"}]


def test_nbval_accepts_what_was_built_and_sees_a_changed_output(built, stored, tmp_path):
    (tmp_path / "good.ipynb").write_bytes((built / "00_first.ipynb").read_bytes())
    stored.cells[-1].outputs[0].data["text/plain"] = "3"
    nbformat.write(stored, tmp_path / "changed.ipynb")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    command += [f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval_sanitize.cfg'}", "changed.ipynb", "good.ipynb"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert "1 failed, 9 passed" in run.stdout, run.stdout[-3000:]
    assert "FAILED changed.ipynb::Cell 4" in run.stdout


def test_error_in_a_cell_fails_the_build_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "00_first.py").write_text(FAILING, encoding="utf-8")
    assert build.main(["--course", str(tmp_path)]) == 1
    shown = capsys.readouterr().err
    assert "mistake / 0" in shown and "ZeroDivisionError: division by zero" in shown and "\x1b" not in shown
    assert not (tmp_path / "00_first.ipynb").exists()


def test_output_widget_is_refused(stored):
    stored.cells[1].source = "import ipywidgets\nwith ipywidgets.Output() as out:\n    print('hidden')\nout"
    assert any("an Output widget" in sentence for sentence in problems(stored))


def change_source(notebook):
    notebook.cells[0].source += " changed"


def change_tags(notebook):
    notebook.cells[1].metadata.tags = ["other"]


def change_id(notebook):
    notebook.cells[0].id = "other"


def drop_cell(notebook):
    del notebook.cells[-1]


def forget_a_run(notebook):
    notebook.cells[1].execution_count = None


def run_out_of_order(notebook):
    notebook.cells[-1].execution_count = 9


def output(**data):
    def change(notebook):
        data_of = {key.replace("_", "/"): value for key, value in data.items()}
        notebook.cells[1].outputs.append(nbformat.v4.new_output("display_data", data_of))

    return change


def fail(notebook):
    notebook.cells[1].outputs.append(nbformat.v4.new_output("error", ename="KeyError", evalue="'a'", traceback=[]))


def warn(notebook):
    shown = "/home/someone/lib/module.py:3: UserWarning: careful\n"
    notebook.cells[1].outputs.append(nbformat.v4.new_output("stream", name="stderr", text=shown))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (change_source, "cell 0 differs from the text"),
        (change_tags, "cell 1 differs from the text"),
        (drop_cell, "cell 6 differs from the text"),
        (change_id, "ids or metadata"),
        (forget_a_run, "run as number None, expected 1"),
        (run_out_of_order, "run as number 9, expected 5"),
        (fail, "error KeyError: 'a'"),
        (warn, "path of this machine: /home/someone/lib/module.py:3:"),
        (output(text_plain="<function f at 0x7f3a5c2d1e40>"), "memory address: 0x7f3a5c2d1e40"),
        (output(image_png="AAAA"), "a bare image has no alternative text"),
        (output(text_html='<img src="data:image/png;base64,AAAA">'), "an <img> without alternative text"),
        (output(text_html='<img alt="" src="a.png">'), "an <img> without alternative text"),
        (lambda notebook: notebook.cells[1].outputs.append(
            nbformat.v4.new_output("display_data", {WIDGET: {"model_id": "1"}})), "its model is gone"),
    ],
)  # fmt: skip
def test_check_names_what_is_wrong(stored, text, change, sentence):
    assert problems(stored, text) == []
    change(stored)
    found = problems(stored, text)
    assert len(found) == 1 and sentence in found[0], found


def test_check_names_a_notebook_that_is_too_large(stored):
    assert problems(stored, size=1_000_000) == ["1.00 MB, the limit is 1 MB"]


def test_check_writes_nothing_and_tells_which(tmp_path, capsys):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "00_first.py").write_text(LESSON, encoding="utf-8")
    (tmp_path / "05_orphan.ipynb").write_text("{}", encoding="utf-8")
    assert build.main(["--course", str(tmp_path), "--check"]) == 1
    shown = capsys.readouterr()
    assert "00_first.ipynb: 1 problem" in shown.out and "not built yet" in shown.err
    assert "05_orphan.ipynb: has no text" in shown.err
    assert not (tmp_path / "00_first.ipynb").exists()


def test_without_execution_the_inputs_are_written(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "00_first.py").write_text(FAILING, encoding="utf-8")
    assert build.main(["--course", str(tmp_path), "--no-execute"]) == 0
    notebook = nbformat.read(tmp_path / "00_first.ipynb", as_version=4)
    assert [cell.source for cell in notebook.cells] == ["print('before')", "mistake = 1\nmistake / 0"]
    assert build.check(tmp_path / "text" / "00_first.py", tmp_path / "00_first.ipynb") != []


def test_names_choose_lessons_or_solutions(built):
    def names(*chosen):
        return [path.relative_to(built).as_posix() for _, path in build.find_pairs(built, chosen)]

    assert names() == ["00_first.ipynb", "solutions/00_first.ipynb"]
    assert names("00") == ["00_first.ipynb"]
    assert names("solutions/00") == ["solutions/00_first.ipynb"]
    assert names(str(built / "text" / "00_first.py")) == ["00_first.ipynb"]
    assert names(str(built / "00_first.ipynb"), "00") == ["00_first.ipynb"]
    with pytest.raises(FileNotFoundError, match="07"):
        names("07")


def test_missing_jupytext_is_told_with_its_remedy(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "jupytext", None)
    with pytest.raises(SystemExit, match=r"jupytext is missing.*\.\[dev\]"):
        build.read_text(tmp_path / "any.py")
