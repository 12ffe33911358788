"""The command line: every set, its options, and what it prints."""

import subprocess
import sys

import pandas as pd
import pytest

from srlib.compare import command, main
from srlib.compare.protocols import HARD, PROTOCOLS
from srlib.compare.tasks import task_names


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_set_has_jobs_that_its_row_can_tell_apart(name):
    protocol = PROTOCOLS[name]
    jobs = list(protocol.jobs())
    assert len(set(jobs)) == len(jobs) > 0
    assert set(protocol.order) == set(protocol.values)
    assert set(protocol.values) <= set(protocol.row.__dataclass_fields__)


def test_methods_take_turns_on_a_problem_and_seed():
    first, second, *_ = PROTOCOLS["peers"].jobs()
    assert first[0] != second[0] and first[1:] == second[1:]


def test_gplearn_has_three_seeds():
    seeds = {job[2] for job in PROTOCOLS["peers"].jobs() if job[0] == "gplearn"}
    assert seeds == {0, 1, 2}
    assert len({job[2] for job in PROTOCOLS["peers"].jobs() if job[0] == "evolution"}) == 10


def test_hard_problems_exist():
    assert set(HARD) <= set(task_names()) and len(HARD) == 12


def test_a_set_runs_goes_on_and_prints_its_tables(engine, tmp_path, capsys):
    engine.texts = ["73.3*x0"]
    path = tmp_path / "new" / "peers.csv"
    some = ["peers", "--method", "evolution", "--problem", "hubble", "kepler", "--out", str(path)]
    main([*some, "--seeds", "1"])
    main([*some, "--seeds", "2", "--budget", "10"])
    table = pd.read_csv(path)
    assert len(table) == 4 == len(engine.made) and table["solved"].sum() == 2
    printed = capsys.readouterr().out
    assert "2/2" in printed and "0/2" in printed and "PAR" in printed


@pytest.mark.parametrize("name", ["noise", "empirical"])
def test_sets_of_laws(engine, name, tmp_path, capsys):
    engine.texts = ["x0"]
    problem = {"noise": "b1", "empirical": "kepler"}[name]
    main([name, "--problem", problem, "--seeds", "1", "--out", str(tmp_path / "t.csv")])
    assert len(pd.read_csv(tmp_path / "t.csv")) == {"noise": 4, "empirical": 1}[name]
    assert "0/1" in capsys.readouterr().out or name == "empirical"


def test_what_is_not_installed_is_said_before_anything_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        main(["peers", "--method", "operon-mo300", "--out", str(tmp_path / "t.csv")])
    assert "pip install 'srlib[peers]'" in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()


def test_a_misspelt_set_or_method_is_refused(capsys):
    for words in (["peer"], ["peers", "--method", "operon"]):
        with pytest.raises(SystemExit):
            main(words)
    assert "operon-nmse300" in capsys.readouterr().err


def test_importing_it_loads_no_peer_and_no_compiler():
    """Peers are an extra: the package must be importable without them, and quickly."""
    heavy = "{'gplearn', 'pyoperon', 'distributed', 'numba', 'torch', 'matplotlib', 'sympy'}"
    code = f"import sys, srlib.compare; assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
