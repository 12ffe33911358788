"""One JupyterLab and one Chromium for all browser tests, in which each test opens a notebook of its own."""

import os
import shutil
from pathlib import Path

import pytest

from tests.browser.lab import LabPage, browser, lab_server, missing

COURSE = Path(__file__).parents[2] / "course"


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The folder that JupyterLab serves: a copy of the course without its text and solutions."""
    lacking = missing()
    if lacking and os.environ.get("SRLIB_REQUIRE_BROWSER") == "1":
        pytest.fail(f"SRLIB_REQUIRE_BROWSER=1, but {lacking}")
    if lacking:
        pytest.skip(f"browser tests: {lacking}")
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(COURSE, folder / "course", ignore=shutil.ignore_patterns("text", "solutions", ".*"))
    return folder


@pytest.fixture(scope="session")
def lab(served):
    """Address of the server, and a function that opens a new page of the browser."""
    with lab_server(served) as address, browser() as new_page:
        yield address, new_page


@pytest.fixture
def page(lab):
    """An empty `LabPage`; an error in the notebook or in the page that a test did not ask about fails it in the end."""
    address, new_page = lab
    opened = LabPage(new_page(), address)
    yield opened
    try:
        opened.check()
    finally:
        opened.page.close()
