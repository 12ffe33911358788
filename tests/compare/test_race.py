"""The rules of the race: what counts as a node, as solved, and as time."""

import time

import numpy as np
import pandas as pd
import pytest

from srlib import Expression
from srlib.compare import race as rules
from srlib.compare.peers import RACERS
from srlib.compare.race import Candidate, Watch, race, structure_nodes
from srlib.compare.tasks import load_task

FORMULAS = {
    "x0": 1,
    "3.0": 0,
    "2.5*x0": 1,
    "x0/3": 1,
    "3/x0": 3,
    "-x0": 1,
    "x0 + 1": 1,
    "2*(x0 + 1) - 7": 1,
    "1 - x0": 1,
    "(x0 + 1) + (x1 - 2)": 3,
    "x0*x1": 3,
    "(x0 + 1)*x1": 5,
    "sin(2*x0)": 2,
    "sin(2*x0 + 1)": 4,
    "3*sin(x0) + 2*cos(x1) + 1": 5,
    "sqrt(1.3 + 1.2*x1/x0)": 6,
    "x0**2": 3,
    "sin(2*3 + 1)*x0": 1,
    "exp(sin(1))": 0,
    "x0 - x0*2": 3,
    "sin(-(x0/2))": 2,
}


@pytest.mark.parametrize("text", FORMULAS)
def test_nodes(text):
    assert structure_nodes(Expression.parse(text)) == FORMULAS[text]


def test_scale_offset_and_weights_are_free():
    """What Operon adds to each of its trees changes nothing for any method."""
    plain = Expression.parse("sin(x0*x1)/x2 + exp(x0)")
    weighted = Expression.parse("3*(2*(sin(0.1*x0*(4*x1))/(5*x2)) + (7*exp(2*x0) + 3)) - 8")
    assert structure_nodes(plain) == structure_nodes(weighted) == 9


def candidates(*texts):
    return [Candidate.of(Expression.parse(text, names=("l0", "theta"))) for text in texts]


LAW = "l0 + 2.426*(1 - cos(theta))"


def test_the_law_solves_and_what_is_found_later_changes_nothing():
    watch = Watch(load_task("compton"), 10.0)
    assert not watch.look(candidates("l0", "2*l0"))
    assert watch.look(candidates("l0 + 2", LAW))
    assert watch.look(candidates("l0 + 3"))
    outcome = watch.outcome(candidates("l0"))
    assert outcome.solved and outcome.test < 1e-6 and outcome.nodes == 4 and outcome.size == 8
    assert outcome.equation == str(Expression.parse(LAW, names=("l0", "theta")))


def test_a_good_approximation_does_not_solve():
    watch = Watch(load_task("compton"), 10.0)
    assert not watch.look(candidates("l0 + 2.42602*(1 - cos(theta))"))
    assert not watch.outcome(candidates("l0 + 2.42602*(1 - cos(theta))")).solved


def test_a_long_formula_does_not_solve():
    padded = LAW + "".join(" + 0*sin(l0)*cos(l0)" for _ in range(4))
    watch = Watch(load_task("compton"), 10.0)
    assert not watch.look(candidates(padded))
    outcome = watch.outcome(candidates(padded, "2*l0"))
    assert (outcome.solved, outcome.equation) == (False, "2*l0")


def test_a_formula_without_a_value_somewhere_does_not_solve():
    nowhere = Candidate(Expression.parse("x0"), lambda X: np.full(len(X), np.nan))
    watch = Watch(load_task("compton"), 10.0)
    outcome = watch.outcome([nowhere])
    assert not outcome.solved and outcome.test == np.inf


def test_nothing_solves_after_the_budget(monkeypatch):
    watch = Watch(load_task("compton"), 10.0)
    monkeypatch.setattr(time, "process_time", lambda: watch._cpu + 11.0)
    assert watch.over() and not watch.look(candidates(LAW))
    assert not watch.outcome(candidates(LAW)).solved


def test_the_best_on_the_rows_to_learn_from_speaks_for_an_unsolved_run():
    watch = Watch(load_task("compton"), 10.0)
    outcome = watch.outcome(candidates("theta", "l0", "l0 + 2*theta"))
    assert outcome.equation == "l0 + 2*theta" and 0.01 < outcome.test < 1


def test_no_candidates_at_all_is_the_mean():
    outcome = Watch(load_task("compton"), 10.0).outcome([])
    assert not outcome.solved and outcome.test == pytest.approx(1, abs=0.02)


class Clock:
    """Time that passes when told to."""

    def __init__(self, monkeypatch):
        self.wall = self.cpu = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.wall)
        monkeypatch.setattr(time, "process_time", lambda: self.cpu)

    def pass_by(self, wall, cpu):
        self.wall, self.cpu = self.wall + wall, self.cpu + cpu


def test_pauses_do_not_count(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Watch(load_task("compton"), 10.0)
    clock.pass_by(2, 1)
    with watch.pause():
        clock.pass_by(50, 40)
    clock.pass_by(1, 1)
    assert watch.times() == (3, 2)


def test_asking_does_not_count(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Watch(load_task("compton"), 10.0)

    def slow(X):
        clock.pass_by(5, 5)
        return X[:, 0] * np.nan

    watch.look([Candidate(Expression.parse("x0"), slow)])
    assert watch.times() == (0, 0)


def test_the_budget_is_processor_time_per_thread(monkeypatch):
    clock = Clock(monkeypatch)
    watch = Watch(load_task("compton"), 10.0, threads=2)
    clock.pass_by(15, 19)
    assert not watch.over()
    clock.pass_by(0, 1)
    assert watch.over()


@pytest.fixture
def racer(monkeypatch):
    """One that needs as many seconds as the seed says, and solves what is not "fermi"."""

    def runs(task, seed, threads, budget):
        watch = Watch(task, budget, threads)
        watch._cpu -= seed + 1
        watch._wall -= seed + 1
        return watch.outcome([Candidate.of(task.law)] if task.name != "fermi" else [])

    monkeypatch.setitem(RACERS, "evolution", runs)
    monkeypatch.setitem(RACERS, "gplearn", lambda *arguments: runs(arguments[0], 3 * arguments[1] + 2, *arguments[2:]))


@pytest.fixture
def table(racer):
    names = [(m, p, s, 1, 10.0) for s in range(3) for p in ("compton", "fermi") for m in ("evolution", "gplearn")]
    return pd.DataFrame([vars(race(*job)) for job in names])


def test_totals(table):
    totals = rules.totals(table)
    ours = totals.loc[(10.0, 1, "evolution")]
    assert (ours["runs"], ours["solved"], ours["problems, any seed"]) == (6, 3, "1/2")
    assert ours["median cpu s"] == pytest.approx(2, abs=0.05)
    assert ours["PAR cpu s"] == pytest.approx((1 + 2 + 3 + 30) / 6, abs=0.05)


def test_ratios(table):
    (row,) = rules.ratios(table).to_dict("records")
    assert row["method"] == "gplearn" and row["problems solved by both"] == 1
    assert row["on solved by both"] == pytest.approx(6 / 2, abs=0.1)
    assert row["on all"] == pytest.approx((3 + 6 + 9 + 30) / (1 + 2 + 3 + 30), abs=0.05)


def test_ratios_take_the_problems_and_seeds_that_both_have_run(table):
    fewer = table[(table["method"] == "evolution") | (table["seed"] == 0)]
    (row,) = rules.ratios(fewer).to_dict("records")
    assert row["on all"] == pytest.approx((3 + 10) / (1 + 10), abs=0.05)


def test_per_problem(table):
    cells = rules.per_problem(table)
    assert list(cells.index) == ["compton", "fermi"]
    assert cells.loc["compton", (10.0, 1, "evolution")].startswith("3/3 2.0")
    assert cells.loc["fermi", (10.0, 1, "gplearn")] == "0/3"
