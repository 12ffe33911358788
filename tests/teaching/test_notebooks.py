"""Every lesson has the parts that students count on; every solution is one of a lesson."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

from srlib.teaching.budget import BUDGET_LINE, MOST_MEGABYTES, MOST_SECONDS, MOST_SECONDS_OF
from srlib.teaching.build import WIDGET_TEXT, check, find_pairs
from srlib.teaching.setup_cell import SETUP

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "course"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SLUG = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
PAIRS = find_pairs(COURSE)
LESSONS = [path for _, path in PAIRS if path.parent == COURSE]
SOLUTIONS = [path for _, path in PAIRS if path.parent != COURSE]


def name(path):
    return path.relative_to(COURSE).as_posix() if isinstance(path, Path) else ""


def cells(path, tag=None):
    """The notebook's cells, or those with a tag."""
    every = nbformat.read(path, as_version=4).cells
    return [cell for cell in every if tag is None or tag in cell.metadata.get("tags", [])]


def prose(path):
    return "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")


lesson = pytest.mark.parametrize("path", LESSONS, ids=name)
solution = pytest.mark.parametrize("path", SOLUTIONS, ids=name)
notebook = pytest.mark.parametrize("path", LESSONS + SOLUTIONS, ids=name)


@pytest.mark.parametrize(("text", "path"), PAIRS, ids=name)
def test_is_as_built_from_its_text(text, path):
    pytest.importorskip("jupytext")
    assert check(text, path) == [], "run: python -m srlib.teaching.build"


def test_each_notebook_has_a_text():
    stored = {*COURSE.glob("*.ipynb"), *COURSE.glob("solutions/*.ipynb")}
    assert stored == {path for _, path in PAIRS}


@notebook
def test_has_the_setup_cell_before_any_other_code(path):
    code = [cell for cell in cells(path) if cell.cell_type == "code"]
    assert code[0].source == SETUP, "run: python -m srlib.teaching.setup_cell --write"
    assert [cell.id for cell in cells(path, "setup")] == [code[0].id]


def test_setup_cell_installs_from_the_address_of_the_project():
    assert f'SOURCE = "git+{PROJECT["urls"]["Repository"]}"' in SETUP


@lesson
def test_starts_with_title_launch_buttons_and_objectives(path):
    first = cells(path)[0]
    assert first.cell_type == "markdown"
    assert re.match(r"# \S", first.source), "a title"
    place = path.relative_to(ROOT).as_posix()
    assert f"(https://mybinder.org/v2/gh/{SLUG}/HEAD?urlpath=lab/tree/{place})" in first.source
    assert f"(https://colab.research.google.com/github/{SLUG}/blob/main/{place})" in first.source
    _, objectives = first.source.split("You will be able to")
    assert 3 <= len(re.findall(r"^[-*] |^\d\. ", objectives.split("You need")[0], flags=re.M)) <= 5
    assert "You need" in first.source


@lesson
def test_promises_a_cost_within_the_budget(path):
    promised = BUDGET_LINE.findall(cells(path)[0].source)
    assert len(promised) == 1, "a line like *Runs in about 35 s and 400 MB on 2 cores.*"
    seconds, megabytes = map(int, promised[0])
    assert seconds <= MOST_SECONDS_OF.get(path.name[:2], MOST_SECONDS) and megabytes <= MOST_MEGABYTES


@lesson
def test_has_a_dashboard_exercises_recap_glossary_and_references(path):
    shown = [output.get("data", {}).get("text/plain", "") for cell in cells(path) for output in cell.get("outputs", [])]
    assert any(text.startswith(("[Interactive panel", WIDGET_TEXT)) for text in shown), "a panel"
    headings = "\n".join(re.findall(r"^##+ .*$", prose(path), flags=re.M))
    for part in ("Exercise", "Recap|Summary", "Words|Glossary", "Further reading|References"):
        assert re.search(part, headings), part


def answers(path):
    """Number of each exercise and the sign that its check printed, the first character of a line."""
    checked = [(re.search(r'(?m)^(?:if )?check\("([\d.]+)"', cell.source), cell) for cell in cells(path)]
    printed = {found[1]: "".join(o.get("text", "") for o in cell.outputs) for found, cell in checked if found}
    return {number: "".join(re.findall(r"(?m)^[○✗◐✓]", text)) for number, text in printed.items()}


@lesson
def test_lesson_leaves_its_exercises_to_the_student(path):
    printed = answers(path)
    assert 3 <= len(printed) <= 8
    assert printed == dict.fromkeys(printed, "○")
    assert COURSE / "solutions" / path.name in SOLUTIONS


@solution
def test_solution_passes_every_check_of_its_lesson(path):
    printed = answers(path)
    assert printed == dict.fromkeys(printed, "✓")
    assert COURSE / path.name in LESSONS
    assert printed.keys() == answers(COURSE / path.name).keys()


@notebook
def test_links_to_files_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", prose(path)):
        assert (path.parent / target).exists(), target
