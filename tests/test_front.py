"""The Pareto front: what it keeps, how it scores, which row it picks."""

import itertools
import json
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srlib import Expression, ParetoFront


def chain(complexity: int) -> Expression:
    """A formula of that complexity."""
    expression = Expression.variable(0)
    for _ in range(complexity - 1):
        expression = -expression
    return expression


def front_of(*points: tuple[int, float], **options) -> ParetoFront:
    front = ParetoFront(**options)
    for complexity, loss in points:
        front.add(chain(complexity), loss)
    return front


def points(front: ParetoFront) -> list[tuple[float, float]]:
    return [(entry.complexity, entry.loss) for entry in front]


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 10**6).map(lambda n: n / 1000)), min_size=1, max_size=40))
def test_it_keeps_exactly_what_nothing_beats(offered):
    beaten = {
        (c, loss)
        for (c, loss), (d, other) in itertools.product(offered, offered)
        if (d < c and loss >= other * (1 - 1e-9)) or (d == c and other < loss)
    }
    best = [point for point in set(offered) if point not in beaten]
    assert points(front_of(*offered)) == sorted(best)


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 20)), max_size=20))
def test_order_of_offers_does_not_matter(offered):
    assert points(front_of(*offered)) == points(front_of(*reversed(offered)))


def test_add_says_whether_it_took_the_formula():
    front = front_of((3, 1.0))
    assert not front.add(chain(3), 1.0)
    assert not front.add(chain(4), 1.0)
    assert front.add(chain(2), 1.0)
    assert points(front) == [(2, 1.0)]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_never_enters(loss):
    assert not ParetoFront().add(chain(1), loss)


def test_differences_of_rounding_size_do_not_buy_a_longer_formula():
    assert points(front_of((1, 1e-30), (3, 1e-31), resolution=1e-29)) == [(1, 1e-30)]
    assert points(front_of((1, 1.0), (3, 1.0 - 1e-12))) == [(1, 1.0)]


def test_scores_of_the_lecture_table():
    """The table of document 003; its first column is the row's number, the complexities are 1, 3, 5, 6."""
    front = front_of((1, 42.354317), (3, 3.437307), (5, 3.358285), (6, 1.368308))
    assert front.scores() == pytest.approx([0.0, 1.255691, 0.011629, 0.897855], abs=2e-6)
    assert front.choose("accuracy") == 3
    assert front.choose("score") == 1
    assert front.choose("best") == 3  # the others' losses are more than 1.5 times the lowest


def test_a_perfect_fit_scores_infinity():
    front = front_of((1, 1.0), (3, 0.0))
    assert front.scores()[1] == math.inf
    assert front.choose("best") == 1


def test_choose_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="model_selection is 'acuracy'.*did you mean 'accuracy'"):
        front_of((1, 1.0)).choose("acuracy")
    with pytest.raises(ValueError, match="empty"):
        ParetoFront().choose()
    with pytest.raises(IndexError, match="row 5 does not exist: the front has 1 rows"):
        front_of((1, 1.0))[5]


def test_json_round_trip():
    front = front_of((1, 0.1 + 0.2), (4, 1e-17), resolution=1e-20)
    again = ParetoFront.from_dict(json.loads(json.dumps(front.to_dict())))
    assert again == front and again.resolution == front.resolution


def test_a_copy_does_not_change_with_the_original():
    front = front_of((3, 1.0))
    copy = front.copy()
    front.add(chain(1), 0.5)
    assert points(copy) == [(3, 1.0)]


def test_table_and_drawing_show_every_row():
    front = front_of((1, 4.0), (2, 1.0), (5, 0.1))
    table = front.table()
    assert table["complexity"].tolist() == [1, 2, 5]
    X = np.array([[2.0]])
    assert [f(X).tolist() for f in table["callable"]] == [[2.0], [-2.0], [2.0]]
    ax = front.draw(chosen=1)
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 5]
    assert "complexity" in repr(front) and "<table" in front._repr_html_()


def test_it_is_shown_without_sympy():
    code = (
        "import sys; from srlib import Expression, ParetoFront; front = ParetoFront(); "
        "front.add(Expression.parse('x0'), 1.0); print(repr(front), front._repr_html_(), 'sympy' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "equation" in shown and shown.strip().endswith("False")


def test_an_empty_front_says_so():
    with pytest.raises(IndexError, match="row -1 does not exist: the front is empty"):
        ParetoFront()[-1]


def test_errors_of_constants_are_kept_and_shown():
    front = front_of((1, 4.0))
    assert "constants" not in front.table()
    line = Expression.parse("2.5*x0 + 1")
    front.add(line, 1.0, errors=(0.0312, math.nan))
    assert front.table()["constants"].tolist() == ["", "2.50 ± 0.03, 1 ± ?"]
    stored = json.dumps(front.to_dict(), allow_nan=False)
    updated = ParetoFront()
    updated.update(front)
    for again in (ParetoFront.from_dict(json.loads(stored)), front.copy(), updated):
        assert again == front
        assert again[1].errors[0] == 0.0312 and math.isnan(again[1].errors[1]) and again[0].errors == ()
    front.annotate(1, [0.1, 0.2])
    assert front[1].errors == (0.1, 0.2) and front[1].expression == line


def test_errors_are_one_for_each_constant():
    with pytest.raises(ValueError, match="errors has 1 values, but 2.5\\*x0 \\+ 1 has 2 constants"):
        ParetoFront().add(Expression.parse("2.5*x0 + 1"), 1.0, errors=[0.1])


def test_checkpoints_from_before_there_were_errors_are_read():
    old = {"resolution": 0.0, "entries": [{"complexity": 1, "loss": 2.0, "expression": chain(1).to_dict()}]}
    front = ParetoFront.from_dict(old)
    assert front[0].errors == () and front.to_dict() == old


X = np.random.default_rng(0).uniform(0.5, 3, (60, 2))
Y = 3 * X[:, 0] ** 1.5 + 0.01 * np.cos(40 * X[:, 1])


def power_front() -> ParetoFront:
    front = ParetoFront()
    for text in ("4.1*x0", "3.01*x0**1.499", "3.01*x0**1.499 + -0.01"):
        expression = Expression.parse(text)
        front.add(expression, float(np.mean((expression.evaluate(X) - Y) ** 2)))
    assert len(front) == 3
    return front


def test_rounded_says_the_readable_form_and_what_it_costs():
    front = power_front()
    front.attach(X, Y)
    table = front.rounded()
    assert table["rounded"].tolist()[1:] == ["3*x0**1.5", "3*x0**1.5"]
    assert table["complexity"].tolist() == [entry.complexity for entry in front]
    for row, entry in zip(table.itertuples(), front, strict=True):
        assert row.loss == pytest.approx(entry.loss)
        assert row.rounded_loss == pytest.approx(np.mean((row.expression.evaluate(X) - Y) ** 2))
        assert row.cost == pytest.approx(row.rounded_loss / row.loss - 1)
    assert front.rounded(X, Y).equals(table)


def test_rounded_on_other_data_and_weights():
    table = power_front().rounded(X, 2 * X[:, 0], np.ones(60))
    assert table.loc[0, "rounded"] == "2*x0"
    first = np.arange(60) < 30
    bent = np.where(first, 2 * X[:, 0], 3.7 * X[:, 0])
    assert power_front().rounded(X, bent, first).loc[0, "rounded"] == "2*x0"


def test_rounded_without_data_says_what_to_do():
    front = power_front()
    with pytest.raises(ValueError, match="does not know the data.*call rounded\\(X, y\\)"):
        front.rounded()
    with pytest.raises(ValueError, match="y is missing"):
        front.rounded(X)
    with pytest.raises(ValueError, match="X has shape \\(60, 2\\), y \\(59,\\)"):
        front.rounded(X, Y[:-1])


def test_another_loss_is_attached():
    front = power_front()
    front.attach(X, Y, loss=lambda e: float(np.mean(np.abs(e.evaluate(X) - Y))))
    table = front.rounded()
    assert table["rounded_loss"][1] == pytest.approx(np.mean(np.abs(table["expression"][1].evaluate(X) - Y)))


def test_attached_data_are_in_copies_but_not_in_files():
    front = power_front()
    front.attach(X, Y)
    assert front.copy().data is front.data
    again = pickle.loads(pickle.dumps(front))
    assert again == front and again.data is None
    assert ParetoFront.from_dict(front.to_dict()).data is None
