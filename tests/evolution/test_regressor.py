"""EvolutionRegressor: the contract of every estimator, several targets, and what each option promises."""

import gc
import math
import pickle
import weakref

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from srlib import EvolutionRegressor, Expression
from srlib.dimensions import check_units
from srlib.events import Finished, Iteration, Recorder, Started
from srlib.evolution.engine import Engine
from srlib.evolution.prepare import denoised
from srlib.evolution.pure import without_offset
from srlib.functions import from_function
from srlib.operators import find

# the regression phase alone would find most of these laws: without it the islands have to
SMALL = {
    "niterations": 4, "populations": 2, "population_size": 60, "ncycles_per_iteration": 200, "random_state": 0,
    "regression": False,
}  # fmt: skip
TINY = {**SMALL, "niterations": 2, "population_size": 30, "ncycles_per_iteration": 60, "optimizer_iterations": 3}

SIN, EXP, MUL = (find(name).code for name in ("sin", "exp", "*"))
rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (60, 2))
LAW = X[:, 0] ** 2 + X[:, 1]
HARD = np.sin(3 * LAW) / (1 + X[:, 1] ** 2)  # no formula of + - * / is exact


def fronts(model):
    return [(entry.complexity, entry.loss, str(entry.expression)) for entry in model.front_]


def fitted(y=LAW, table=X, sample_weight=None, **options):
    return EvolutionRegressor(**{**SMALL, **options}).fit(table, y, sample_weight)


@parametrize_with_checks([EvolutionRegressor(**TINY), EvolutionRegressor(**{**TINY, "maxsize": 25})])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


# ---------------------------------------------------------------- scikit-learn's other tools


def test_names_of_columns_survive_into_the_formulas():
    frame = pd.DataFrame(X, columns=["speed", "angle of attack"])
    model = fitted(LAW, frame)
    assert model.feature_names_in_.tolist() == list(frame.columns) and model.best().names == tuple(frame.columns)
    assert "speed" in str(model.best()) and model.score(frame, LAW) == pytest.approx(1)


def test_pickle_keeps_the_answers_and_leaves_the_data():
    model = fitted(HARD, binary_operators=["+", "*", "half(x, y) = (x + y)/2"])
    again = pickle.loads(pickle.dumps(model))
    assert fronts(again) == fronts(model) and again.predict(X) == pytest.approx(model.predict(X))
    assert again.history_.ancestry(again.best()) or not model.history_.ancestry(model.best())
    assert model.front_.data is not None and again.front_.data is None
    assert len(model.front_.rounded()) == len(again.front_.rounded(X, HARD)) == len(model.front_)


def test_a_fitted_model_keeps_its_front_and_not_the_search(monkeypatch):
    engines = []
    original = Engine._set_up_tables

    def noted(self, n_features):
        engines.append(weakref.ref(self))
        original(self, n_features)

    monkeypatch.setattr(Engine, "_set_up_tables", noted)
    table = np.random.default_rng(2).uniform(-1, 1, (20_000, 2))
    model = EvolutionRegressor(**TINY).fit(table, np.exp(table[:, 0]) / (2 + table[:, 1]))
    gc.collect()
    assert engines and all(engine() is None for engine in engines)
    assert len(model.front_.rounded()) == len(model.front_)
    assert len(pickle.dumps(model)) < table.nbytes / 2, "nor the table"


def test_grid_search_pipeline_and_clone():
    search = GridSearchCV(EvolutionRegressor(**TINY), {"maxsize": [3, 9]}, cv=2).fit(X, LAW)
    assert search.best_params_ == {"maxsize": 9} and search.best_score_ > 0.9
    model = make_pipeline(StandardScaler(), EvolutionRegressor(**TINY)).fit(X, HARD)
    assert fronts(clone(model).fit(X, HARD)[-1]) == fronts(model[-1])


def test_set_params_and_the_answers_of_each_row():
    model = fitted(HARD).set_params(model_selection="accuracy")
    assert model.best() == model.front_[-1].expression
    for row, entry in enumerate(model.front_):
        assert np.mean((model.predict(X, index=row) - HARD) ** 2) == pytest.approx(entry.loss, rel=1e-9)
        assert model.equations_["complexity"][row] == entry.complexity
    assert model.latex_table().count("\\\\") == len(model.front_) + 1
    losses = [entry.loss for entry in model.front_]
    assert losses == sorted(losses, reverse=True) and len(losses) > 3


def test_events_come_in_order_and_the_history_tells_how_it_went():
    recorder = Recorder()
    model = fitted(HARD, callbacks=[recorder])
    assert [type(event) for event in recorder.events] == [Started, *[Iteration] * 4, Finished]
    assert [event.number for event in recorder.iterations] == [1, 2, 3, 4]
    assert recorder.iterations[-1].details["islands"] == 2
    alone, ends = [event.details["serial_seconds"] for event in recorder.iterations], recorder.iterations[-1].elapsed
    assert min(alone) > 0 and sum(alone) < ends, "what lies between the islands' work is a part of the whole"
    assert (model.n_iterations_, model.stopped_by_) == (4, "completed")
    assert recorder.events[-1].evaluations == model.n_evaluations_
    losses = [front[-1].loss for _, _, front in model.history_.fronts]
    while_it_ran = losses[:-1]  # the last front is the polished one: readable numbers may cost a little
    assert while_it_ran == sorted(while_it_ran, reverse=True) and len(model.history_.table()) == len(losses)
    found = [entry.expression for entry in model.front_ if model.history_.ancestry(entry.expression)]
    line = model.history_.line(found[-1])
    assert line[0].expression.codes.tolist() == found[-1].codes.tolist() and line[-1].parents == ()


def test_the_history_is_drawn():
    model = fitted(HARD)
    (line,) = model.plot_history().lines
    assert line.get_ydata().tolist() == [front[-1].loss for _, _, front in model.history_.fronts]
    assert line.axes.get_yscale() == "log"
    last = model.history_.fronts[-1][2][-1].complexity
    assert [text.get_text() for text in line.axes.texts][-1] == f"{last:g}"
    both = fitted(np.column_stack([LAW, HARD])).plot_history()
    assert [text.get_text() for text in both.get_legend().get_texts()] == ["target 0", "target 1"]
    with pytest.raises(NotFittedError):
        EvolutionRegressor().plot_history()


# ---------------------------------------------------------------- several targets


def test_several_targets_are_searched_one_by_one():
    Y = np.column_stack([LAW, HARD, X[:, 1] - X[:, 0]])
    model = fitted(Y)
    assert model.predict(X).shape == (60, 3) and len(model.equations_) == len(model.estimators_) == 3
    assert model.predict(X, index=[0, 1, -1]).shape == (60, 3) and not hasattr(model, "front_")
    assert [str(one) for one in model.best()][::2] == ["x1 + x0*x0", "x1 - x0"]
    mean = np.mean([one.score(X, y) for one, y in zip(model.estimators_, Y.T, strict=True)])
    assert model.score(X, Y) == pytest.approx(mean)
    for one, y in zip(model.estimators_, Y.T, strict=True):
        assert fronts(EvolutionRegressor(**{**SMALL, "random_state": one.random_state}).fit(X, y)) == fronts(one)
    again = pickle.loads(pickle.dumps(clone(model).fit(X, Y)))
    assert np.array_equal(again.predict(X), model.predict(X))
    assert len(model.sympy()) == len(model.latex()) == len(model.latex_table()) == 3
    assert model.fit(X, LAW).predict(X).shape == (60,) and len(model.front_)


def test_several_targets_share_the_budget_and_a_stop_ends_all():
    Y = np.column_stack([LAW, HARD, HARD**2])
    model = fitted(Y, max_evaluations=301)
    assert model.n_evaluations_ == 301 and model.stopped_by_ == "max_evaluations"
    assert [one.n_evaluations_ for one in model.estimators_] == [100, 100, 101]
    stops = fitted(Y, callbacks=[lambda event: isinstance(event, Iteration)])
    assert [one.stopped_by_ for one in stops.estimators_] == ["callback"] * 3 and stops.stopped_by_ == "callback"
    assert stops.predict(X)[:, 1] == pytest.approx(np.full(60, HARD.mean()))
    with pytest.raises(ValueError, match="max_evaluations is 2, but y has 3 columns"):
        fitted(Y, max_evaluations=2)
    with pytest.raises(ValueError, match="index is .0, 1.: give one row, or one for each of 3 targets"):
        model.predict(X, index=[0, 1])


def test_several_targets_go_on_from_their_checkpoints(tmp_path):
    Y, options = np.column_stack([LAW, HARD]), {**SMALL, "checkpoint": tmp_path / "run.json"}
    EvolutionRegressor(**{**options, "niterations": 2}).fit(X, Y)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.0.json", "run.1.json"]
    resumed = EvolutionRegressor(**{**options, "niterations": 2}, warm_start=True).fit(X, Y)
    assert [fronts(one) for one in resumed.estimators_] == [fronts(one) for one in fitted(Y).estimators_]


# ---------------------------------------------------------------- losses and weights

T = np.linspace(0.1, 3, 90)[:, None]


@pytest.mark.parametrize("size", [1.0, 1000.0])  # at the mean the larger one's losses are beyond all numbers
def test_a_steep_loss_finds_a_law(size):
    def steep(prediction, target):
        return math.cosh(prediction - target) - 1.0

    t = np.random.default_rng(0).uniform(0, 10, (80, 1))
    y = size * (0.3 * t[:, 0] ** 2 - t[:, 0] + 2)
    model = fitted(y, t, elementwise_loss=steep, maxsize=11, binary_operators=["+", "-", "*"])
    assert np.abs(model.predict(t, index=-1) - y).max() < 1e-6 * size


def test_the_quantile_loss_finds_the_line_that_nine_tenths_lie_under():
    noise = np.random.default_rng(5).normal(size=400)
    t = np.linspace(0, 4, 400)[:, None]
    y = 2 * t[:, 0] + 1 + (1 + t[:, 0]) * noise * 0.2
    model = fitted(y, t, elementwise_loss="quantile(0.9)", maxsize=5, binary_operators=["+", "*"])
    oracle = QuantileRegressor(quantile=0.9, alpha=0).fit(t, y).predict(t)
    best = mean_pinball_loss(y, oracle, alpha=0.9)
    assert mean_pinball_loss(y, model.predict(t, index=-1), alpha=0.9) == pytest.approx(best, rel=0.02)
    assert model.front_[-1].loss == pytest.approx(best, rel=0.02)


def power_of_the_error(prediction, target):
    return abs(prediction - target) ** 1.5


@pytest.mark.parametrize("loss", ["absolute", "huber(0.1)", "logcosh", "quantile(0.5)", power_of_the_error])
def test_other_losses_fit_the_law(loss):
    y = 1.7 * T[:, 0] ** 2 - 0.4
    robust = loss in ("absolute", "huber(0.1)", "quantile(0.5)")
    if robust:
        y[::9] += 30.0
    model = fitted(y, T, elementwise_loss=loss, maxsize=9, binary_operators=["+", "-", "*"])
    clean = np.delete(np.arange(90), np.arange(0, 90, 9)) if robust else np.arange(90)
    assert np.median(np.abs(model.predict(T, index=-1) - y)[clean]) < 0.05


def test_weights_count_and_rows_of_weight_zero_do_not():
    y = np.where(np.arange(90) % 2 == 0, 3 * T[:, 0], -5.0 - T[:, 0])
    weight = (np.arange(90) % 2 == 0).astype(float)
    assert str(fitted(y, T, weight).best().format(6)) == "3*x0"
    light = fitted(y, T, weight + 1e-9, maxsize=5)
    assert 1e-9 < light.front_[-1].loss < 1e-6, "a weight of 1e-9 is not 0"
    heavy = fitted(np.r_[LAW, LAW + 1], np.r_[X, X], np.r_[np.full(60, 3.0), np.ones(60)])
    assert heavy.predict(X) == pytest.approx(LAW + 0.25, abs=1e-6)


# ---------------------------------------------------------------- limits


def subtrees(expression):
    return [expression.subtree(i) for i in range(expression.size)]


def test_constraints_hold_on_the_whole_front():
    model = fitted(
        HARD, unary_operators=["sin", "exp"], maxsize=14, maxdepth=5, constraints={"sin": 3, "*": (-1, 3)},
        nested_constraints={"sin": {"sin": 0, "exp": 0}},
    )  # fmt: skip
    assert len(model.front_) > 3
    for entry in model.front_:
        assert entry.expression.size <= 14 and entry.expression.depth <= 5
        for part in subtrees(entry.expression):
            root = part.codes[-1]
            below = [part.subtree(i) for i in part.children(part.size - 1)] if root > 0 else []
            if root == SIN:
                assert below[0].size <= 3 and not {SIN, EXP} & set(below[0].codes.tolist())
            if root == MUL:
                assert below[1].size <= 3


@pytest.mark.parametrize("maxsize", [3, 5, 7])
def test_a_small_maxsize_leaves_room_for_what_is_not_a_scaled_sum(maxsize):
    y = 1.7 * X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=60)
    front = fitted(y, maxsize=maxsize).front_
    line = next(entry for entry in front if entry.complexity == 3)
    assert line.expression.features == (0,) and line.expression.constants == pytest.approx([1.7], abs=0.05)
    assert max(entry.complexity for entry in front) <= maxsize


def test_complexities_are_the_users():
    model = fitted(
        HARD, unary_operators=["exp"], maxsize=16, complexity_of_operators={"exp": 3}, complexity_of_constants=2,
        complexity_of_variables=[1, 4],
    )  # fmt: skip
    for entry in model.front_:
        codes = entry.expression.codes.tolist()
        assert entry.complexity == sum({0: 2, -1: 1, -2: 4, EXP: 3}.get(code, 1) for code in codes) <= 16


# ---------------------------------------------------------------- data


def test_batches_are_deterministic_and_the_front_is_judged_on_all_rows():
    table = np.random.default_rng(3).uniform(-1, 1, (10_000, 2))
    y = np.exp(table[:, 0]) / (2 + table[:, 1])
    first, second = (fitted(y, table, batch_size=100, niterations=3, n_jobs=n) for n in (1, 2))
    assert fronts(first) == fronts(second)
    for entry in first.front_:
        assert entry.loss == pytest.approx(np.mean((entry.expression.evaluate(table) - y) ** 2), rel=1e-6, abs=1e-25)


def test_two_of_twenty_columns_are_selected_and_keep_their_names():
    wide = pd.DataFrame(np.random.default_rng(4).normal(size=(200, 20)), columns=[f"c{j}" for j in range(20)])
    y = 3 * wide["c4"] + wide["c13"] ** 2
    model = fitted(y, wide, select_k_features=2)
    assert model.score(wide, y) == pytest.approx(1) and set(model.best().features) == {4, 13}
    assert {j for entry in model.front_ for j in entry.expression.features} <= {4, 13}


def test_denoising_smooths_the_target():
    t = np.linspace(0, 6, 150)[:, None]
    y = np.sin(t[:, 0])
    noisy = y + 0.3 * np.random.default_rng(6).normal(size=150)
    smooth = denoised(t, noisy, 0, lambda: None)
    assert np.mean((smooth - y) ** 2) < 0.2 * np.mean((noisy - y) ** 2)
    model = fitted(noisy, t, denoise=True, unary_operators=["sin"])
    assert model.front_[-1].loss < 0.5 * np.mean((noisy - y) ** 2), "judged by the smooth target"


def test_guesses_are_offered_and_improved():
    y = 2.5 * np.exp(-0.7 * T[:, 0]) + np.sin(4 * T[:, 0]) / (1 + T[:, 0])
    options = {"unary_operators": ["exp", "sin"], "niterations": 0, "maxsize": 20}
    guess = "2*exp(-1*x0) + sin(3.9*x0)/(1.2 + x0)"
    assert fitted(y, T, guesses=[guess], **options).front_[-1].loss < 1e-20
    assert fitted(y, T, **options).front_[-1].loss > 1e-4
    line = fitted(LAW, guesses=["x0*x0 + x1"], niterations=0).history_.line(Expression.parse("x0*x0 + x1"))
    assert [one.made_by for one in line] == ["guess"] and line[0].loss < 1e-20


@pytest.mark.parametrize("pure", [False, True])
def test_the_front_holds_balanced_formulas_only(pure):
    m, v = np.random.default_rng(8).uniform(1, 3, (2, 80))
    table, y = np.column_stack([m, v]), 0.5 * m * v**2
    model = fitted(y, table, X_units=["kg", "m/s"], y_units="J", dimensionless_constants_only=pure)
    assert model.front_[-1].loss < 1e-20 and len(model.front_) > 1 - pure
    units = ["kg", "m/s"], "J", pure
    assert {check_units(entry.expression, *units) for entry in model.front_} == {""}
    free = [check_units(entry.expression, *units) for entry in fitted(y, table).front_]
    assert any(free), "without units there are formulas that do not balance"


@pytest.mark.parametrize("options", [{}, {"elementwise_loss": "absolute"}, {"regression": True}])
def test_pure_constants_allow_no_offset_and_find_a_noisy_law(options):
    m, v = np.random.default_rng(8).uniform(1, 3, (2, 80))
    table, y = np.column_stack([m, v]), 0.5 * m * v**2 * (1 + 0.03 * np.random.default_rng(1).normal(size=80))
    units = ["kg", "m/s"], "J", True
    model = fitted(y, table, X_units=units[0], y_units=units[1], dimensionless_constants_only=True, **options)
    assert {check_units(entry.expression, *units) for entry in model.front_} == {""}
    law = next(entry.expression for entry in model.front_ if entry.complexity >= 7)
    grid = np.random.default_rng(3).uniform(5, 9, (9, 2))
    assert law.evaluate(grid) == pytest.approx(0.5 * grid[:, 0] * grid[:, 1] ** 2, rel=0.03)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2*x0 + 3", "2*x0"), ("3 + x0", "x0"), ("3 - x0", "-1*x0"), ("x0 + 1 + (x1 - 2)", "x0 + x1"),
        ("1 - (2 + x1*x0)", "-1*(x1*x0)"), ("(x0 + 1)*x1", "(x0 + 1)*x1"), ("x0 - x1", "x0 - x1"), ("5", "5"),
        ("1 + 2", "1 + 2"),
    ],
)  # fmt: skip
def test_without_offset(text, expected):
    assert str(without_offset(Expression.parse(text))) == expected


def test_each_target_has_a_unit_of_its_own():
    m, v = np.random.default_rng(8).uniform(1, 3, (2, 60))
    table, Y = np.column_stack([m, v]), np.column_stack([m * v, 2 * v])
    options = {"X_units": ["kg", "m/s"], "dimensionless_constants_only": True}
    model = fitted(Y, table, y_units=["kg*m/s", "m/s"], **options)
    for one, unit in zip(model.estimators_, model.y_units, strict=True):
        assert one.y_units == unit and one.score(table, Y[:, int(unit == "m/s")]) == pytest.approx(1)
    with pytest.raises(ValueError, match="y_units has 1 entries, but y has 2 columns"):
        fitted(Y, table, y_units=["kg"], **options)
    with pytest.raises(ValueError, match="y_units is .*: give the unit of y"):
        fitted(Y[:, 0], table, y_units=["kg*m/s"], **options)


# ---------------------------------------------------------------- operators


def bump(x):
    return 1.0 - abs(x) if abs(x) < 1.0 else 0.0


def test_operators_defined_in_words_and_in_python():
    y = 2 * np.cos(X[:, 1]) * (X[:, 0] + X[:, 1]) + 0.5
    model = fitted(y, binary_operators=["+", "*", "special(x, y) = cos(y) * (x + y)"])
    assert model.score(X, y) == pytest.approx(1) and "special" in str(model.best())
    y = np.vectorize(bump)(2 * X[:, 0]) + X[:, 1]
    model = fitted(y, unary_operators=[from_function(bump, "bump_of_tests")])
    assert "bump_of_tests" in str(model.best()) and model.score(X, y) > 0.999
    assert fronts(fitted(y, unary_operators=[bump]))[-1][2].count("bump(") == 1, "the function itself will do"


def test_readable_false_leaves_the_numbers_as_they_were_fitted():
    y = 3 * T[:, 0] + 0.5 + 0.01 * np.random.default_rng(2).normal(size=90)
    options = {"maxsize": 5, "binary_operators": ["+", "*"]}
    assert str(fitted(y, T, **options).best()) == "3*x0 + 0.5"
    plain = fitted(y, T, readable=False, **options).best().constants
    assert plain == pytest.approx([3, 0.5], abs=0.02) and not {3.0, 0.5} & set(plain.tolist())


def test_the_paper_preset_works_and_repeats():
    options = {"preset": "paper", "populations": 2, "population_size": 30, "ncycles_per_iteration": 300}
    runs = [EvolutionRegressor(5, random_state=2, n_jobs=n, **options).fit(X, LAW) for n in (1, 2)]
    assert fronts(runs[0]) == fronts(runs[1]) and runs[0].score(X, LAW) > 0.99


@pytest.mark.parametrize(
    "options",
    [
        {"unary_operators": ["sin", "exp"], "binary_operators": []},
        {"binary_operators": ["-", "/"]},
        {"binary_operators": ["*", "max"]},
        {"population_size": 2},
        {"populations": 1},
        {"maxsize": 3},
        {"maxsize": 200, "niterations": 1},
        {"niterations": 0},
    ],
)
def test_unusual_alphabets_and_sizes(options):
    model = fitted(HARD, **options)
    assert np.isfinite(model.predict(X)).all() and model.front_[-1].loss <= 1.05 * np.var(HARD)
    used = {code for entry in model.front_ for code in entry.expression.codes.tolist() if code > 0}
    given = [*options.get("binary_operators", "+-*/"), *options.get("unary_operators", [])]
    assert used <= {find(name, None if name != "-" else 2).code for name in given}
