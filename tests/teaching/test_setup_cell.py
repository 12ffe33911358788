"""The setup cell: finds the library in a clone, adds it and nothing else where there is none."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from srlib.teaching import setup_cell

ROOT = Path(__file__).parents[2]


@pytest.fixture
def calls(monkeypatch, capsys):
    """Commands that the cell runs, none of which is really run; `sys.path` is restored."""
    noted = []
    monkeypatch.setattr(subprocess, "run", lambda command, **options: noted.append((command, options)))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return noted


@pytest.mark.parametrize("folder", ["course", "srlib/problems/data"])
def test_in_a_clone_it_takes_the_library_of_the_clone(calls, monkeypatch, capsys, folder):
    monkeypatch.chdir(ROOT / folder)
    exec(compile(setup_cell.SETUP, "setup", "exec"), {})
    assert calls == []
    assert sys.path[0] == str(ROOT)
    assert capsys.readouterr().out == "srlib is ready.\n"


def test_where_srlib_is_installed_it_does_nothing(calls, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    exec(compile(setup_cell.SETUP, "setup", "exec"), {})
    assert calls == [] and sys.path == before


def test_alone_it_installs_srlib_without_dependencies(calls, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "srlib" else found(name))
    exec(compile(setup_cell.SETUP, "setup", "exec"), {})
    ((command, options),) = calls
    assert command[0] == sys.executable and "--no-deps" in command and options == {"check": True}
    assert command[-1].startswith("git+https://")


def test_missing_packages_are_told_in_one_line(monkeypatch):
    monkeypatch.setattr(setup_cell, "NEEDED", {"sklearn_": "scikit-learn", "math": "math", "ipywidgets_": "ipywidgets"})
    with pytest.raises(ModuleNotFoundError) as raised:
        setup_cell.ready()
    assert str(raised.value).splitlines() == [
        "not installed: scikit-learn ipywidgets. Run `%pip install scikit-learn ipywidgets`, then restart the kernel."
    ]


def test_write_replaces_the_cell_and_only_the_cell(tmp_path, capsys):
    text = '# %% [markdown]\n# # Title\n\n# %% tags=["setup"]\nold = 1\n\n# %% [markdown]\n# Next\n'
    path = tmp_path / "00_first.py"
    path.write_text(text, encoding="utf-8")
    assert setup_cell.main(["--write", str(path)]) == 0
    written = path.read_text(encoding="utf-8")
    assert written == text.replace("old = 1", setup_cell.SETUP)
    assert setup_cell.main(["--write", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == written
    assert setup_cell.main([]) == 0
    assert capsys.readouterr().out.endswith(setup_cell.SETUP + "\n")
    with pytest.raises(ValueError, match="found 0"):
        setup_cell.with_setup("# %%\n1\n")
