"""What a search remembers: ancestors, the front over time, and whom it forgets."""

import numpy as np
import pytest

from srlib import EvolutionRegressor, Expression
from srlib.evolution import history as module
from srlib.evolution.evolve import KINDS
from srlib.evolution.history import STRIDE, History
from srlib.evolution.judge import members
from srlib.front import ParetoFront


def log_of(*rows):
    """A log as an island writes it: (name, parent, other parent, kind, loss, formula), and places left free."""
    log = members(len(rows) + 2, 12)
    for place, (name, parent, other, kind, loss, text) in enumerate(rows):
        formula = Expression.parse(text)
        log.codes[place, : formula.size], log.values[place, : formula.size] = formula.codes, formula.values
        log.info[place] = formula.size, 0, name, parent, other, KINDS.index(kind)
        log.costs[place] = loss, formula.size
    return log


FAMILY = [
    (1, -1, -1, "random", 9.0, "x0"),
    (2, -1, -1, "guess", 8.0, "sin(x1)"),
    (3, 1, 1, "append_node", 5.0, "x0 + 2.5"),
    (STRIDE + 1, -1, -1, "random", 7.0, "x1"),
    (4, 3, STRIDE + 1, "crossover", 3.0, "x0 + x1"),
    (5, 4, 4, "mutate_constant", 1.0, "2*x0 + x1"),
    (6, 2, 2, "swap_operands", 6.0, "sin(x0)"),
]


@pytest.fixture
def history():
    made = History()
    made.record(log_of(*FAMILY[:4]))
    made.record(log_of(*FAMILY[4:]))
    made.name(Expression.parse("2*x0 + x1"), 5)
    return made


def test_all_ancestors(history):
    found = history.ancestry(Expression.parse("3*x0 + x1"))  # the numbers may have been polished since
    assert [one.name for one in found][0] == 5
    assert {one.name: one.parents for one in found} == {
        5: (4,), 4: (3, STRIDE + 1), 3: (1,), 1: (), STRIDE + 1: (),
    }  # fmt: skip
    facts = {one.name: one for one in found}
    assert facts[3].expression == Expression.parse("x0 + 2.5") and facts[3].made_by == "append_node"
    assert facts[3].loss == 5.0 and facts[3].complexity == 3.0
    assert [one.made_by for one in found if not one.parents] == ["random", "random"]


def test_a_shorter_form_of_what_was_judged(history):
    lean = Expression.parse("a + b", names=["a", "b"])
    history.name(lean, 5)  # the island wrote 2*x0 + x1 into its log under this name
    assert history.ancestry(lean)[0].expression == Expression.parse("x0 + x1")
    assert [one.name for one in history.line(lean)] == [5, 4, 3, 1]
    assert history.ancestry(Expression.parse("2*x0 + x1"))[0].expression == Expression.parse("2*x0 + x1")


def test_the_line_of_first_parents(history):
    line = history.line(Expression.parse("2*x0 + x1"))
    assert [one.name for one in line] == [5, 4, 3, 1]
    assert [one.made_by for one in line] == ["mutate_constant", "crossover", "append_node", "random"]


def test_formulas_that_are_none_of_the_searches_own(history):
    stranger = Expression.parse("cos(x0)")
    assert history.ancestry(stranger) == [] and history.line(stranger) == []
    history.name(stranger, 77)  # a name that was forgotten
    assert history.ancestry(stranger) == [] and history.line(stranger) == []


def test_each_child_is_younger_than_its_parents(history):
    found = history.ancestry(Expression.parse("2*x0 + x1"))
    own = [one.name for one in found if one.name < STRIDE]
    assert own == sorted(own, reverse=True)


def test_rings_end():
    """A member whose parent is itself or its own child must not hang the walk."""
    made = History()
    made.record(log_of((1, 2, 2, "do_nothing", 1.0, "x0"), (2, 1, 2, "crossover", 1.0, "x1")))
    made.name(Expression.variable(0), 1)
    assert [one.name for one in made.ancestry(Expression.variable(0))] == [1, 2]
    assert [one.name for one in made.line(Expression.variable(0))] == [1, 2]


def test_those_without_living_descendants_are_forgotten(history, monkeypatch):
    asked = []
    history.forget(lambda: asked.append(1) or [])
    assert len(history) == 7 and not asked  # there is room
    history._room = 7
    history.forget(lambda: [6, 12345])
    assert len(history) == 7  # 5 is on the front, 6 lives: everybody has a descendant among them
    history.record(log_of((7, 6, 6, "rotate_tree", 4.0, "sin(x1)"), (8, 7, 7, "delete_node", 4.0, "x1")))
    history._room = 8
    history.forget(lambda: [6])
    assert len(history) == 7
    assert [one.name for one in history.line(Expression.parse("2*x0 + x1"))] == [5, 4, 3, 1]


def test_the_room_grows_with_what_must_be_kept(monkeypatch):
    monkeypatch.setattr(module, "KEPT", 10)
    made = History()
    made._room = 10
    made.record(log_of(*((n, n - 1 if n > 1 else -1, -1, "append_node", 1.0, "x0") for n in range(1, 41))))
    made.forget(lambda: [30])
    assert len(made) == 30  # the whole line of 30, none of the later ones
    made.record(log_of(*((n, n - 1, -1, "append_node", 1.0, "x0") for n in range(41, 60))))
    made.forget(lambda: [30])
    assert len(made) == 49
    made.record(log_of(*((n, n - 1, -1, "append_node", 1.0, "x0") for n in range(60, 75))))
    made.forget(lambda: [30])
    assert len(made) == 30


def test_the_record_is_a_copy(history):
    log = log_of((9, -1, -1, "random", 1.0, "sin(x0)"))
    history.record(log)
    log.codes[:], log.values[:] = 1, 3.0
    history.name(Expression.parse("sin(x0)"), 9)
    assert history.ancestry(Expression.parse("sin(x0)"))[0].expression == Expression.parse("sin(x0)")


def front_of(*pairs):
    front = ParetoFront()
    for loss, text in pairs:
        formula = Expression.parse(text)
        front.add(formula, loss, formula.complexity)
    return front


def test_the_front_over_time():
    made = History()
    made.front(0.5, 10, front_of((3.0, "x0")))
    made.front(0.8, 20, front_of((3.0, "x0")))  # unchanged
    made.front(1.0, 30, front_of((3.0, "x0"), (1.0, "2*x0")))
    assert [(seconds, count, len(front)) for seconds, count, front in made.fronts] == [(0.5, 10, 1), (1.0, 30, 2)]
    table = made.table()
    assert table["loss"].tolist() == [3.0, 1.0] and table["best"].tolist() == ["x0", "2*x0"]
    assert table["seconds"].tolist() == [0.5, 1.0] and table["formulas"].tolist() == [1, 2]


def test_what_the_regression_has_found_has_an_origin():
    x = np.linspace(0.1, 3, 40)[:, None]
    model = EvolutionRegressor(1, populations=1, population_size=20, ncycles_per_iteration=20, random_state=0)
    model.fit(x, 2 * x[:, 0] ** 3 + 1)
    assert [one.made_by for one in model.history_.line(model.best())] == ["regression"]


def test_a_fit_that_goes_on_keeps_its_history_and_one_on_other_data_does_not():
    X = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    y = np.sin(3 * X[:, 0]) / (1 + X[:, 1] ** 2)
    options = {
        "populations": 2, "population_size": 30, "ncycles_per_iteration": 100, "random_state": 0, "regression": False,
        "readable": False,
    }  # fmt: skip
    whole = EvolutionRegressor(4, **options).fit(X, y)
    halves = EvolutionRegressor(2, warm_start=True, **options).fit(X, y)
    before = len(halves.history_.fronts)
    halves.fit(X, y)
    seconds = [elapsed for elapsed, _, _ in halves.history_.fronts]
    assert len(seconds) > before and seconds == sorted(seconds)

    def lines(model):
        return [[one.name for one in model.history_.line(entry.expression)] for entry in model.front_]

    assert lines(halves) == lines(whole) and max(map(len, lines(whole))) > 3
    moments = len(halves.fit(X, y + X[:, 0]).history_.fronts)
    assert moments <= 4, "of these data alone"


def test_a_front_without_formulas():
    made = History()
    made.front(0.1, 0, ParetoFront())
    assert len(made.table()) == 0 and len(made) == 0
    assert made.ancestry(Expression.variable(0)) == []


def test_user_operators_and_other_values_in_constants():
    """Arrays of the search may hold anything beside operators and features."""
    made, log = History(), log_of((1, -1, -1, "random", 1.0, "x0 + 2.5"))
    log.values[0, [0, 2]] = 9.0
    made.record(log)
    made.name(Expression.parse("x0 + 1"), 1)
    assert made.ancestry(Expression.parse("x0 + 1"))[0].expression.values.tolist() == [0.0, 2.5, 0.0]
    assert np.isfinite(made.ancestry(Expression.parse("x0 + 1"))[0].loss)
