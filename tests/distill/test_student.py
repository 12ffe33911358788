"""Teachers of every kind, and what their students say; the student is mostly least squares, which has an oracle."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from srlib import EvolutionRegressor
from srlib.distill import Box, distill
from srlib.distill.student import agreement
from srlib.metrics import r2
from tests.distill.students import LeastSquares


def line(X):
    return 2 * X[:, 0] - X[:, 1] + 1


TABLE = np.random.default_rng(0).normal(size=(50, 2))


def constants(formula):
    return [round(float(value), 9) for value in formula.constants]


# ------------------------------------------------------------ teachers


def test_a_function_on_a_table_a_fifth_of_which_is_held_out():
    learned = distill(line, TABLE, LeastSquares(), random_state=0)
    assert len(learned.X) == 40 and len(learned.fresh) == 10
    together = np.concatenate([learned.X, learned.fresh])
    assert np.array_equal(np.sort(together, axis=0), np.sort(TABLE, axis=0))
    fidelity = learned.fidelity
    assert list(fidelity) == [
        "complexity", "equation", "r2", "relative_rms", "train_r2", "train_relative_rms",
    ]  # fmt: skip
    assert fidelity.r2.iloc[-1] == pytest.approx(1) and fidelity.train_relative_rms.iloc[-1] < 1e-12
    # the constant, the first of the front, against the plain formulas
    known, told = line(learned.fresh), np.full(10, line(learned.X).mean())
    assert fidelity.r2.iloc[0] == pytest.approx(r2(known, told))
    assert fidelity.relative_rms.iloc[0] == pytest.approx(np.sqrt(np.sum((known - told) ** 2) / np.sum(known**2)))
    assert learned.student.front_ is learned.front and learned.teacher is line
    assert np.allclose(learned.predict(TABLE), line(TABLE))


def test_a_named_box_names_the_formula():
    learned = distill(line, {"u": (0, 1), "v": (-3, 2)}, LeastSquares(), random_state=1)
    assert learned.X.shape == learned.fresh.shape == (1000, 2)
    assert learned.best().names == ("u", "v")
    assert not np.isin(learned.fresh[:, 0], learned.X[:, 0]).any()
    assert (learned.X >= [0, -3]).all() and (learned.X <= [1, 2]).all()


def test_a_data_frame_keeps_its_names_and_the_teacher_gets_an_array():
    seen = []

    def teacher(X):
        seen.append(type(X))
        return line(X)

    learned = distill(teacher, pd.DataFrame(TABLE, columns=["left", "right"]), LeastSquares())
    assert learned.best().names == ("left", "right") and set(seen) == {np.ndarray}


def test_a_sampler_draws_twice():
    learned = distill(line, lambda rng: rng.normal(size=(30, 2)), LeastSquares(), names=["a", "b"], random_state=3)
    assert learned.X.shape == learned.fresh.shape == (30, 2) and not np.array_equal(learned.X, learned.fresh)
    again = distill(line, lambda rng: rng.normal(size=(30, 2)), LeastSquares(), names=["a", "b"], random_state=3)
    assert np.array_equal(learned.X, again.X) and np.array_equal(learned.fresh, again.fresh)


def test_fresh_inputs_may_lie_elsewhere():
    def teacher(X):
        return np.where(X[:, 0] < 1, X[:, 0], 1.0)

    learned = distill(teacher, {"x": (0, 1)}, LeastSquares(), fresh=Box({"x": (0, 3)}, rows=200), random_state=0)
    assert learned.fidelity.train_r2.iloc[-1] == pytest.approx(1)
    assert learned.fidelity.r2.iloc[-1] < 0.5


def test_fresh_columns_go_by_their_names():
    table = pd.DataFrame(TABLE, columns=["a", "b"])
    learned = distill(line, table, LeastSquares(), fresh=table[["b", "a"]])
    assert np.array_equal(learned.fresh, TABLE) and np.array_equal(learned.fresh_answers, learned.answers)
    learned = distill(line, table, LeastSquares(), fresh={"b": (5, 6), "a": (0, 1)}, random_state=0)
    assert learned.fresh[:, 1].min() >= 5 and learned.fresh[:, 0].max() <= 1
    with pytest.raises(ValueError, match="fresh has the columns a, c, but X has a, b"):
        distill(line, table, LeastSquares(), fresh=table.rename(columns={"b": "c"}))


def test_the_student_sees_features_of_the_teachers_inputs():
    def spring(X):  # of two positions
        return 3 * np.abs(X[:, 0] - X[:, 1])

    def distance(X):
        return pd.DataFrame({"r": np.abs(X[:, 0] - X[:, 1])})

    learned = distill(spring, TABLE, LeastSquares(), inputs=distance)
    assert learned.best().names == ("r",) and constants(learned.best())[1] == 3
    assert np.allclose(learned.predict(TABLE), spring(TABLE))
    one = distill(lambda X: X[:, 1], pd.DataFrame(TABLE, columns=["a", "b"]), LeastSquares(), inputs=["b"])
    assert one.best().names == ("b",) and one.fidelity.r2.iloc[-1] == pytest.approx(1)
    by_number = distill(lambda X: X[:, 1], TABLE, LeastSquares(), inputs=[1], names=["y"])
    assert by_number.best().names == ("y",)


def test_several_outputs_have_a_student_each():
    learned = distill(lambda X: np.stack([line(X), X[:, 1]], axis=1), TABLE, LeastSquares(), random_state=0)
    assert len(learned.students) == 2 and set(learned.fidelity.output) == {0, 1}
    assert np.allclose(learned.predict(TABLE)[:, 1], TABLE[:, 1])
    assert np.allclose(learned.best(0).evaluate(TABLE), line(TABLE))
    with pytest.raises(ValueError, match=r"2 outputs: say which, as best\(output=0\)"):
        learned.best()
    with pytest.raises(ValueError, match="2 outputs"):
        _ = learned.student
    with pytest.raises(ValueError, match="output is 2"):
        learned.plot(output=2)


def test_a_torch_module_answers_without_gradient_and_keeps_its_mode():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(2, 1, dtype=torch.float64), torch.nn.Dropout(0.5))
    learned = distill(module, TABLE, LeastSquares(), random_state=0)
    weight = module[0].weight.detach().numpy()[0]
    assert np.allclose(learned.best().evaluate(np.eye(2)) - learned.best().evaluate(np.zeros((2, 2))), weight)
    assert module[1].training
    half = torch.nn.Linear(2, 1)  # float32, and a function that answers with a tensor
    assert distill(half, TABLE, LeastSquares()).fidelity.r2.iloc[-1] > 1 - 1e-10
    told = distill(lambda X: torch.tensor(line(X), requires_grad=True), TABLE, LeastSquares())
    assert told.fidelity.r2.iloc[-1] == pytest.approx(1)


def test_noise_and_weights_reach_the_student():
    noisy = [distill(line, TABLE, LeastSquares(), noise=0.1, random_state=seed) for seed in (0, 0, 1)]
    texts = [str(one.best()) for one in noisy]
    assert texts[0] == texts[1] != texts[2]
    assert np.array_equal(noisy[0].answers[:, 0], line(noisy[0].X))  # fidelity is to the teacher, not to the noise
    assert 0.9 < noisy[0].fidelity.r2.iloc[-1] < 1

    def kinked(X):
        return np.where(X[:, 0] < 0, 0, X[:, 0])

    weights = (TABLE[:, 0] > 0).astype(float)
    learned = distill(kinked, TABLE, LeastSquares(), sample_weight=weights, random_state=0)
    assert np.allclose(learned.best().evaluate(np.array([[1.0, 0.0], [2.0, 5.0]])), [1, 2])


def test_the_student_is_not_changed_and_gets_the_seed():
    student = LeastSquares()
    learned = distill(line, TABLE, student, random_state=7)
    assert student.random_state is None and not hasattr(student, "front_")
    assert learned.student.random_state == 7
    assert distill(line, TABLE, LeastSquares(random_state=1), random_state=7).student.random_state == 1


def test_the_evolution_finds_a_law_of_a_teacher():
    def gravity(X):
        return X[:, 0] * X[:, 1] / X[:, 2] ** 2

    student = EvolutionRegressor(niterations=3)
    learned = distill(gravity, {"m1": (1, 3), "m2": (1, 3), "r": (0.5, 2)}, student, random_state=0)
    assert np.allclose(learned.predict(learned.fresh), learned.fresh_answers[:, 0], rtol=1e-6)


def test_the_plot_shows_the_fresh_inputs():
    ax = distill(line, TABLE, LeastSquares(), random_state=0).plot()
    points = ax.collections[0].get_offsets()
    assert points.shape == (10, 2) and np.allclose(points[:, 0], points[:, 1])
    assert ax.get_xlabel() == "teacher" and "R² 1" in ax.get_title()


def test_agreement_outside_the_domain_of_a_formula():
    assert agreement(np.array([1.0, 2.0]), np.array([1.0, np.nan])) == (-np.inf, np.inf)
    r2_of_constant, rms = agreement(np.array([2.0, 2.0]), np.array([2.0, 2.0]))
    assert np.isnan(r2_of_constant) and rms == 0


# ------------------------------------------------------------ bad input


def nan_in_row_7(X):
    y = line(X)
    y[7] = np.nan
    return y


def raises_on_minus_five(X):
    if (X[:, 0] == -5).any():
        raise ZeroDivisionError("division by zero")
    return line(X)


WITH_MINUS_FIVE = np.vstack([TABLE[:20], [[-5, 0]], TABLE[20:]])
FRESH = np.random.default_rng(1).normal(size=(5, 2))


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (nan_in_row_7, r"teacher answers nan in row 7 of X, \(.*\) \(1 of 50 rows"),
        (lambda X: 1 / np.zeros(len(X)), "teacher answers inf in row 0 of X"),
        (lambda X: line(X)[:-1], r"shape \(49,\) to 50 rows: it must give \(50,\) or \(50, outputs\)"),
        (lambda X: 3.0, r"shape \(\) to 50 rows"),
        (lambda X: np.zeros((len(X), 2, 2)), r"shape \(50, 2, 2\)"),
        (lambda X: ["a"] * len(X), "not with numbers"),
        (lambda X: np.ones(len(X)), r"teacher answers 1 in all 50 rows of X \(output 0\)"),
        (lambda X: np.stack([X[:, 0], 0 * X[:, 0]], axis=1), "answers 0 in all 50 rows of X .output 1"),
        ("3*x", "teacher is '3\\*x': give a function"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_failures_of_a_teacher_name_the_row(teacher, message):
    with pytest.raises(ValueError, match=message):
        distill(teacher, TABLE, LeastSquares(), fresh=FRESH)


def test_a_teacher_that_raises_is_asked_again_to_name_the_row():
    with pytest.raises(ValueError, match=r"ZeroDivisionError \(division by zero\) on row 20 of X, \(-5, 0\)") as caught:
        distill(raises_on_minus_five, WITH_MINUS_FIVE, LeastSquares(), fresh=FRESH)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(ValueError, match="on row 0 of fresh"):
        distill(raises_on_minus_five, TABLE, LeastSquares(), fresh=[[-5.0, 1.0], [1.0, 1.0]])

    def small_only(X):
        if len(X) > 1:
            raise MemoryError("too much")
        return line(X)

    with pytest.raises(ValueError, match="MemoryError .* on X as a whole"):
        distill(small_only, TABLE, LeastSquares(), fresh=FRESH)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"X": {}}, "ranges is {}"),
        ({"X": {"x": (1, 0)}}, r"ranges\['x'\] is \(1, 0\)"),
        ({"X": {"x": 3}}, r"ranges\['x'\] is 3"),
        ({"X": np.zeros(5)}, r"X has shape \(5,\)"),
        ({"X": TABLE[:1]}, "X has 1 row"),
        ({"X": TABLE[:2]}, "X has 2 rows, of which 1 are held out"),
        ({"X": np.where(TABLE == TABLE[3, 1], np.nan, TABLE)}, "row 3, column 1"),
        ({"fresh": 1.5}, "fresh is 1.5"),
        ({"fresh": TABLE[:, :1]}, "fresh has 1 columns, but X has 2"),
        ({"student": "evolution"}, "student is 'evolution'"),
        ({"noise": -1}, "noise is -1"),
        ({"names": ["a"]}, "names has 1 entries, but the student sees 2"),
        ({"inputs": [2]}, "inputs names 2, but X has 2 columns"),
        ({"inputs": ["a"]}, "inputs names 'a'"),
        ({"inputs": []}, "inputs is empty"),
        ({"inputs": lambda X: X[:, 0]}, r"inputs gives shape \(40,\)"),
        ({"sample_weight": np.ones(3)}, r"sample_weight has shape \(3,\)"),
        ({"X": {"x": (0, 1), "y": (0, 1)}, "sample_weight": np.ones(1000)}, "weights belong to the rows of a table"),
        ({"random_state": "a"}, "random_state is 'a'"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        distill(line, **{"X": TABLE, "student": LeastSquares(), **options})


def test_the_package_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys; import srlib; from srlib.distill import distill, Box; "
        "assert srlib.distill.distill is distill; "
        "print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
