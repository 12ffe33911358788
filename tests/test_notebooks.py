"""The notebooks as they are stored: run from top to bottom, with outputs that nbval can compare, and small.

nbval compares nothing, without a word, for a cell that was never run; so a stripped notebook would always pass.
"""

from pathlib import Path

import nbformat
import pytest

COURSE = Path(__file__).parents[1] / "course"
NOTEBOOKS = sorted(COURSE.glob("*.ipynb")) + sorted(COURSE.glob("solutions/*.ipynb"))

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.relative_to(COURSE).as_posix() for path in NOTEBOOKS])


def cells(path, kind="code"):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_is_valid_and_small(path):
    nbformat.validate(nbformat.read(path, as_version=4))
    assert path.stat().st_size < 1_000_000


def test_was_run_from_top_to_bottom_without_error(path):
    code = [cell for cell in cells(path) if cell.source.strip() and "nbval-skip" not in cell.metadata.get("tags", [])]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    failed = [cell.id for cell in code for output in cell.outputs if output.output_type == "error"]
    assert not failed


def test_stores_nothing_that_changes_with_each_run(path):
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    assert not [cell.id for cell in notebook.cells if "execution" in cell.metadata]


def test_ignored_outputs_are_chosen_one_by_one(path):
    ignored = [cell for cell in cells(path) if "nbval-ignore-output" in cell.metadata.get("tags", [])]
    assert len(ignored) <= len(cells(path)) / 3, "most outputs must be compared"


def test_pictures_in_html_have_alternative_text(path):
    for cell in cells(path):
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            for tag in html.split("<img")[1:]:
                assert 'alt="' in tag.split(">")[0] and 'alt=""' not in tag.split(">")[0], cell.id
