"""GeneticRegressor: the contract of every estimator, on the simplest of them."""

import io
import json
import math
import pickle
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from srlib import Expression, GeneticRegressor, Operator, problems, recovers
from srlib.events import Finished, Heartbeat, Iteration, ProgressBar, Recorder, Started
from srlib.genetic import Fitness

SMALL = {"population_size": 100, "generations": 6, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    return X, X[:, 0] ** 2 + X[:, 1]


@parametrize_with_checks([GeneticRegressor(population_size=60, generations=4, random_state=0)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def fronts(model):
    return [(entry.complexity, entry.loss, str(entry.expression)) for entry in model.front_]


# ---------------------------------------------------------------- finding laws


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("hubble", {}),
        ("kepler", {"unary_operators": ["sqrt"]}),
        ("nguyen-1", {}),
    ],
)
def test_it_finds_laws(name, options):
    """From the original observations: Hubble 1929, Kepler's six planets."""
    problem = problems.load(name)
    model = GeneticRegressor(random_state=1, **options).fit(problem.X, problem.y)
    assert any(recovers(entry.expression, problem) for entry in model.front_), model.front_


def test_a_custom_operator_and_names_survive_into_the_formula():
    frame = pd.DataFrame({"distance": np.linspace(1, 3, 30), "angle": np.linspace(0, 2, 30)})
    y = np.cos(frame["angle"]) * (frame["angle"] + frame["distance"])
    model = GeneticRegressor(binary_operators=["special(x, y) = cos(x) * (x + y)"], **SMALL).fit(frame, y)
    assert str(model.best()) == "special(angle, distance)"
    assert model.feature_names_in_.tolist() == ["distance", "angle"]
    assert model.score(frame, y) == 1.0


def test_guesses_start_in_the_first_generation(data):
    model = GeneticRegressor(guesses=["x0**2 + x1"], **{**SMALL, "generations": 0}).fit(*data)
    assert str(model.best()) == "x0**2 + x1"
    assert model.population_[0].expression == Expression.parse("x0**2 + x1")


def test_parsimony_makes_formulas_shorter(data):
    def mean_size(parsimony):
        model = GeneticRegressor(parsimony=parsimony, **SMALL).fit(*data)
        return np.mean([one.expression.size for one in model.population_])

    assert mean_size(0.1) < 0.7 * mean_size(0.0)


def test_without_selection_pressure_the_population_does_not_improve(data):
    def median_loss(size):
        model = GeneticRegressor(tournament_size=size, **SMALL).fit(*data)
        return np.median([one.loss for one in model.population_])

    assert median_loss(7) < 0.5 * median_loss(1)


def test_limits_of_size_and_depth_hold_in_every_generation(data):
    model = GeneticRegressor(maxsize=9, maxdepth=4, **SMALL).fit(*data)
    everyone = [one.expression for population in model.history_.generations for one in population]
    assert max(e.size for e in everyone) <= 9 and max(e.depth for e in everyone) <= 4


# ---------------------------------------------------------------- what a fit leaves behind


def test_equations_predict_and_exports_agree(data):
    X, y = data
    model = GeneticRegressor(unary_operators=["sin"], **SMALL).fit(X, y)
    table = model.equations_
    assert list(table.columns) == ["complexity", "loss", "score", "equation", "sympy", "callable"]
    assert len(table) == len(model.front_) > 1
    for row in range(len(table)):
        prediction = model.predict(X, index=row)
        assert np.mean((prediction - y) ** 2) == pytest.approx(table["loss"][row], rel=1e-9, abs=1e-25)
        assert table["callable"][row](X) == pytest.approx(prediction)
        assert str(model.sympy(row)) == str(table["sympy"][row])
    assert model.best() == model.front_[model.front_.choose("best")].expression
    assert model.predict(X) == pytest.approx(model.best().evaluate(X))
    assert model.latex_table().count("\\\\") == len(table) + 1
    assert model.latex()


def test_ancestry_leads_from_the_winner_to_the_first_generation(data):
    model = GeneticRegressor(**SMALL).fit(*data)
    history = model.history_
    assert len(history) == 7 and all(len(population) == 100 for population in history.generations)
    ids = [one.id for population in history.generations for one in population]
    line = history.ancestry(history.best())
    assert line[0] is history.best() and line[-1].parents == () and line[-1].made_by == "random"
    for one in line:
        assert all(parent < one.id for parent in one.parents)
        assert {ancestor.id for ancestor in line} >= set(one.parents), "every parent is in the line"
    assert len(history.table()) == 7
    assert history.individual(line[0].id) is line[0]
    with pytest.raises(KeyError):
        history.individual(max(ids) + 1)


def test_pickle_and_clone(data):
    X, y = data
    model = GeneticRegressor(binary_operators=["+", "twice(a, b) = 2*a*b"], **SMALL).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert fronts(again) == fronts(model) and again.predict(X) == pytest.approx(model.predict(X))
    assert clone(model).get_params()["binary_operators"] == ["+", "twice(a, b) = 2*a*b"]


def test_the_front_knows_its_data_until_it_is_pickled(data):
    model = GeneticRegressor(loss="absolute", **SMALL).fit(*data)
    assert model.front_.rounded()["loss"].tolist() == pytest.approx([entry.loss for entry in model.front_])
    again = pickle.loads(pickle.dumps(model)).front_
    with pytest.raises(ValueError, match="does not know the data"):
        again.rounded()
    assert len(again.rounded(*data)) == len(again)


def test_works_inside_cross_validation(data):
    assert np.mean(cross_val_score(GeneticRegressor(**SMALL), *data, cv=3)) > 0.8


def test_predictions_outside_the_domain_are_nan_with_a_warning():
    X = np.linspace(1, 4, 30)[:, None]
    model = GeneticRegressor(guesses=["log(x0)"], unary_operators=["log"], **SMALL).fit(X, np.log(X[:, 0]))
    with pytest.warns(RuntimeWarning, match="1 of 2 rows lie outside the domain of log"):
        assert np.isnan(model.predict([[-1.0], [1.0]])).tolist() == [True, False]
    with pytest.warns(RuntimeWarning):
        assert model.score([[-1.0], [1.0]], [0.0, 0.0]) == -math.inf


# ---------------------------------------------------------------- determinism


def test_same_seed_same_result_whatever_the_threads(data, monkeypatch):
    monkeypatch.setattr("srlib.genetic.regressor.ROWS_WORTH_THREADS", 1)  # threads even on small data
    runs = [GeneticRegressor(n_jobs=n, **SMALL).fit(*data) for n in (1, 2, 4)]
    assert fronts(runs[0]) == fronts(runs[1]) == fronts(runs[2])
    other = GeneticRegressor(**{**SMALL, "random_state": 1}).fit(*data)
    assert fronts(other) != fronts(runs[0])


def test_same_seed_same_result_in_another_process(data):
    code = (
        "import numpy as np; from srlib import GeneticRegressor\n"
        "X = np.random.default_rng(0).uniform(-1, 1, (40, 2)); y = X[:, 0] ** 2 + X[:, 1]\n"
        f"m = GeneticRegressor(**{SMALL!r}).fit(X, y)\n"
        "print([(e.complexity, e.loss, str(e.expression)) for e in m.front_])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == str(fronts(GeneticRegressor(**SMALL).fit(*data)))


def test_the_data_are_left_alone(data):
    X, y = (array.copy() for array in data)
    X.flags.writeable = y.flags.writeable = False
    GeneticRegressor(**SMALL).fit(X, y)


# ---------------------------------------------------------------- budgets, events, interruption


def test_events_come_in_order(data):
    recorder = Recorder()
    model = GeneticRegressor(callbacks=[recorder], **SMALL).fit(*data)
    kinds = [type(event) for event in recorder.events]
    assert kinds == [Started, *[Iteration] * 7, Finished]
    assert [event.number for event in recorder.iterations] == list(range(7))
    evaluations = [event.evaluations for event in recorder.iterations]
    assert evaluations == sorted(evaluations)
    assert len(recorder.iterations[3].details["population"]) == 100
    losses = [event.front[-1].loss for event in recorder.iterations]
    assert losses == sorted(losses, reverse=True), "the front of an event does not change later"
    assert recorder.events[-1].reason == model.stopped_by_ == "completed"


def test_max_evaluations_is_exact(data):
    model = GeneticRegressor(max_evaluations=137, **SMALL).fit(*data)
    assert (model.n_evaluations_, model.stopped_by_) == (137, "max_evaluations")


def test_time_limit_ends_a_fit_that_would_take_hours(data):
    began = time.monotonic()
    model = GeneticRegressor(population_size=100, generations=10**6, time_limit=0.3, keep_history=False).fit(*data)
    assert model.stopped_by_ == "time_limit" and len(model.front_) > 0
    assert time.monotonic() - began < 30  # generous: it proves that it ends, not how fast


@pytest.mark.parametrize("stop_when", [1e-3, lambda loss, complexity: loss < 1e-3 and complexity < 12])
def test_stop_when(data, stop_when):
    model = GeneticRegressor(stop_when=stop_when, **{**SMALL, "generations": 200}).fit(*data)
    assert model.stopped_by_ == "stop_when" and model.front_[-1].loss < 1e-3


def test_a_callback_can_stop_the_fit_and_everything_is_kept(data):
    model = GeneticRegressor(callbacks=[lambda e: isinstance(e, Iteration) and e.number == 2], **SMALL).fit(*data)
    assert model.stopped_by_ == "callback" and len(model.history_) == 3 and len(model.front_) > 1


def test_a_heartbeat_can_stop_in_the_middle_of_a_generation():
    X = np.random.default_rng(0).normal(size=(20_000, 3))
    stop = threading.Event()
    stop.set()
    model = GeneticRegressor(
        population_size=5000, callbacks=[lambda e: isinstance(e, Heartbeat) and stop.is_set()], n_jobs=1
    ).fit(X, X[:, 0] * X[:, 1])
    assert model.stopped_by_ == "callback" and len(model.history_) == 0 and len(model.front_) > 0


def test_ctrl_c_keeps_what_was_found(data):
    def interrupt(event):
        if isinstance(event, Iteration) and event.number == 3:
            raise KeyboardInterrupt

    model = GeneticRegressor(callbacks=[interrupt], **SMALL).fit(*data)
    whole = GeneticRegressor(**{**SMALL, "generations": 3}).fit(*data)
    assert model.stopped_by_ == "interrupted"
    assert fronts(model) == fronts(whole)


def test_ctrl_c_before_anything_was_tried_leaves_the_mean(data):
    def interrupt(event):
        raise KeyboardInterrupt

    X, y = data
    model = GeneticRegressor(callbacks=[lambda e: interrupt(e) if isinstance(e, Started) else None], **SMALL).fit(X, y)
    assert model.predict(X) == pytest.approx(np.full(len(X), y.mean()))


# ---------------------------------------------------------------- going on


def test_a_resumed_fit_equals_one_that_was_never_stopped(data, tmp_path):
    path = tmp_path / "run.json"
    options = {**SMALL, "checkpoint": path}
    GeneticRegressor(callbacks=[lambda e: isinstance(e, Iteration) and e.number == 2], **options).fit(*data)
    resumed = GeneticRegressor(warm_start=True, **options).fit(*data)
    whole = GeneticRegressor(**SMALL).fit(*data)
    assert fronts(resumed) == fronts(whole)
    assert [one.expression for one in resumed.population_] == [one.expression for one in whole.population_]


def test_warm_start_goes_on_in_memory(data):
    model = GeneticRegressor(warm_start=True, **{**SMALL, "generations": 3}).fit(*data)
    model.set_params(generations=6).fit(*data)
    assert fronts(model) == fronts(GeneticRegressor(**SMALL).fit(*data))
    assert model.history_.first == 3


def test_a_killed_process_leaves_a_checkpoint(data, tmp_path):
    path = tmp_path / "run.json"
    code = (
        "import numpy as np, os\n"
        "from srlib import GeneticRegressor; from srlib.run import Run; from srlib.events import Iteration\n"
        "Run.checkpoint_every = 0\n"
        "X = np.random.default_rng(0).uniform(-1, 1, (40, 2)); y = X[:, 0] ** 2 + X[:, 1]\n"
        "die = lambda e: os._exit(9) if isinstance(e, Iteration) and e.number == 4 else None\n"
        f"GeneticRegressor(checkpoint={str(path)!r}, callbacks=[die], **{SMALL!r}).fit(X, y)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert json.loads(path.read_text())["generation"] >= 3
    resumed = GeneticRegressor(warm_start=True, checkpoint=path, **SMALL).fit(*data)
    assert fronts(resumed) == fronts(GeneticRegressor(**SMALL).fit(*data))
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"], "no temporary files stay"


@pytest.mark.parametrize("content", ["", "{", '{"method": 3', "[]", '{"method": "OtherRegressor"}'])
def test_a_damaged_or_foreign_checkpoint_is_refused_and_left_alone(data, tmp_path, content):
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="checkpoint"):
        GeneticRegressor(warm_start=True, checkpoint=path, **SMALL).fit(*data)
    assert path.read_text() == content


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("population_size", -5, "population_size is -5: give a whole number of at least 2"),
        ("population_size", 10.5, "population_size is 10.5: give a whole number"),
        ("population_size", "many", "population_size is 'many'"),
        ("generations", -1, "generations is -1"),
        ("tournament_size", 0, "tournament_size is 0: give a whole number of at least 1"),
        ("parsimony", -0.1, "parsimony is -0.1: give a number of at least 0"),
        ("parsimony", math.nan, "parsimony is nan"),
        ("p_crossover", 1.5, "p_crossover is 1.5: give a number of at least 0 and at most 1"),
        ("p_mutation", "often", "p_mutation is 'often'"),
        ("elitism", 100, "elitism is 100: give a whole number of at least 0 and at most 99"),
        ("maxsize", 2, "maxsize is 2: give a whole number of at least 3"),
        ("maxdepth", 0, "maxdepth is 0"),
        ("selection", "turnament", "selection is 'turnament'.*did you mean 'tournament'"),
        ("init_method", "ramped", "init_method is 'ramped': choose from 'half and half'"),
        ("init_depth", (5, 2), r"init_depth is \(5, 2\).*smaller first"),
        ("init_depth", 3, "init_depth is 3: give two numbers"),
        ("constant_range", (0, math.inf), "constant_range"),
        ("constant_range", "wide", "constant_range is 'wide'"),
        ("loss", "mse", "loss is 'mse': choose from 'squared'"),
        ("mutation_weights", {"hoits": 1}, "mutation_weights is 'hoits'.*did you mean 'hoist'"),
        ("mutation_weights", {"hoist": -1}, r"mutation_weights\['hoist'\] is -1"),
        ("mutation_weights", {"hoist": 0}, "mutation_weights are all 0"),
        ("unary_operators", ["sinn"], "unary_operators holds 'sinn'.*did you mean 'sin'"),
        ("unary_operators", "sin", r"unary_operators is 'sin': give a list of operators, such as \['sin'\]"),
        ("unary_operators", ["+"], "unary_operators holds '\\+'.*takes 2 argument"),
        ("binary_operators", [], "both empty: give at least one operator"),
        ("binary_operators", ["f(x, y) = __import__('os')"], "binary_operators holds.*\n.*__import__"),
        ("binary_operators", ["f(x) = x"], "takes 1 argument"),
        ("guesses", ["x0 + x7"], "guesses holds 'x0 \\+ x7', but X has only 2 columns"),
        ("guesses", ["x0 +"], "the formula ends too early"),
        ("model_selection", "bets", "model_selection is 'bets'.*did you mean 'best'"),
        ("time_limit", 0, "time_limit is 0: give a number above 0 or None"),
        ("max_evaluations", -1, "max_evaluations is -1"),
        ("stop_when", "soon", "stop_when is 'soon'.*function of"),
        ("n_jobs", 0, "n_jobs is 0"),
        ("callbacks", print, "callbacks is .*: give a list of functions"),
        ("callbacks", [3], "callbacks"),
        ("checkpoint", "no/such/folder/run.json", "checkpoint.*folder does not exist"),
    ],
)
def test_bad_parameters_are_named(data, parameter, value, message):
    with pytest.raises(ValueError, match=message):
        GeneticRegressor(**{**SMALL, parameter: value}).fit(*data)


X3 = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        ([[1.0], [np.nan], [2.0]], [1.0, 2.0, 3.0], {}, "X contains NaN"),
        ([[1.0], [np.inf], [2.0]], [1.0, 2.0, 3.0], {}, "X contains infinity"),
        ([[1.0], [2.0], [3.0]], [1.0, np.nan, 2.0], {}, "y contains NaN"),
        (np.empty((0, 2)), [], {}, "0 sample"),
        ([[1.0]], [1.0], {}, "X has 1 row.*at least 2"),
        (np.empty((5, 0)), np.arange(5.0), {}, "0 feature"),
        (X3, [2.0, 2.0, 2.0], {}, "y is constant \\(2 in all 3 rows\\)"),
        (X3, [1.0, 2.0], {}, "inconsistent numbers of samples"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], {}, "2D array"),
        (X3, [1.0, 2.0, 3e200], {}, "y holds 3e\\+200, whose square overflows"),
        (pd.DataFrame({"a": [1.0, 2.0, 3.0], "planet": ["M", "V", "E"]}), [1.0, 2.0, 3.0], {}, "column 'planet'"),
        (X3, [1.0, 2.0, 3.0], {"sample_weight": [1.0, 1.0]}, "sample_weight has shape \\(2,\\), but X has 3 rows"),
        (X3, [1.0, 2.0, 3.0], {"sample_weight": [1.0, -1.0, 1.0]}, "sample_weight holds -1: no weight may be negative"),
        (X3, [1.0, 2.0, 3.0], {"sample_weight": [0.0, 0.0, 0.0]}, "sample_weight is zero in every row"),
        (X3, [1.0, 2.0, 3.0], {"sample_weight": [0.0, 0.0, 1.0]}, "sample_weight.*every row but one"),
        (X3, [1e-170, 2e-170, 3e-170], {}, "y varies by 2e-170, whose square underflows"),
        ([["1.0"], ["a"], ["2.0"]], [1.0, 2.0, 3.0], {}, "X holds the text"),
        (X3, ["a", "b", "c"], {}, "y holds the text 'a'"),
        (pd.DataFrame(X3, columns=["a", "a"]), [1.0, 2.0, 3.0], {}, "X has more than one column 'a'"),
    ],
)
def test_bad_data_are_named(X, y, options, message):
    with pytest.raises(ValueError, match=message):
        GeneticRegressor(**SMALL).fit(X, y, **options)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("guesses", "x0", "guesses is 'x0': give a list"),
        ("guesses", None, "guesses is None: give a list"),
        ("guesses", ["foo("], "guesses holds 'foo\\('"),
        ("guesses", [Expression.parse("b", names=["b"])], "guesses holds .* but the columns of X"),
        ("mutation_weights", "point", "mutation_weights is 'point': give weights by name"),
        ("callbacks", None, "callbacks is None: give a list"),
        ("init_depth", (20, 25), "init_depth is \\(20, 25\\): give at most 10"),
        ("checkpoint", 3, "checkpoint is 3: give the path"),
        ("checkpoint", ".", "checkpoint is '.', a folder"),
        ("unary_operators", [Operator("foo", 1, np.sin, None, None)], "unary_operators holds .*has no code"),
    ],
)
def test_what_would_have_failed_late_or_never_is_refused_at_once(data, parameter, value, message):
    X, y = data
    with pytest.raises(ValueError, match=message):
        GeneticRegressor(**{**SMALL, parameter: value}).fit(pd.DataFrame(X, columns=["u", "v"][: X.shape[1]]), y)


def test_guesses_take_the_names_of_the_columns(data):
    X, y = data
    frame = pd.DataFrame(X, columns=["u", "v"][: X.shape[1]])
    model = GeneticRegressor(**{**SMALL, "generations": 0}, guesses=[Expression.parse("x0*x0*x0*x0")]).fit(frame, y)
    assert model.history_.generations[0][0].expression.names == tuple(frame.columns)


def test_warm_start_on_other_data_judges_anew(data):
    X, y = data
    model = GeneticRegressor(warm_start=True, refit_constants=False, **{**SMALL, "generations": 2}).fit(X, y)
    model.fit(X, 1000 + 7 * y)
    for entry in model.front_:
        assert entry.loss == pytest.approx(np.mean((entry.expression.evaluate(X) - 1000 - 7 * y) ** 2))
    for one in model.population_:
        assert one.loss == Fitness(X, 1000 + 7 * y, linear_scaling=True).loss(one.expression)


def test_warm_start_refuses_other_columns_and_fewer_operators(data, tmp_path):
    X, y = data
    frame = pd.DataFrame(np.c_[X[:, 0], y], columns=["u", "v"])
    options = {**SMALL, "generations": 1, "checkpoint": tmp_path / "run.json", "unary_operators": ["sin"]}
    GeneticRegressor(**options).fit(frame, y)
    with pytest.raises(ValueError, match="X has the columns \\['v', 'u'\\], but the earlier fit had \\['u', 'v'\\]"):
        GeneticRegressor(warm_start=True, **options).fit(frame[["v", "u"]], y)
    with pytest.raises(ValueError, match="lack 'sin', which the earlier fit had"):
        GeneticRegressor(warm_start=True, **{**options, "unary_operators": []}).fit(frame, y)
    GeneticRegressor(warm_start=True, **{**options, "unary_operators": ["sin", "cos"]}).fit(frame, y)


def test_a_resumed_fit_begins_with_started(data):
    model = GeneticRegressor(warm_start=True, **{**SMALL, "generations": 2}).fit(*data)
    recorder = Recorder()
    model.set_params(generations=3, callbacks=[recorder]).fit(*data)
    assert [type(event).__name__ for event in recorder.events] == ["Started", "Iteration", "Finished"]
    assert recorder.events[0].first == 2 and recorder.events[1].number == 3


def test_a_callback_that_raises_does_not_lose_what_was_found(data):
    def broken(event):
        if getattr(event, "number", 0) == 2:
            raise ZeroDivisionError("in a live plot")

    model = GeneticRegressor(**SMALL, callbacks=[broken])
    with pytest.raises(ZeroDivisionError, match="live plot"):
        model.fit(*data)
    assert len(model.front_) > 0 and model.stopped_by_ == "error"
    assert np.isfinite(model.predict(data[0])).all()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_trouble_with_the_checkpoint_loses_nothing(data, tmp_path, monkeypatch, error):
    def fail(*arguments, **options):
        raise error("no space left")

    monkeypatch.setattr("srlib.run.json.dump", fail)
    model = GeneticRegressor(checkpoint=tmp_path / "run.json", **SMALL)
    if error is OSError:
        with pytest.warns(RuntimeWarning, match="checkpoint.*no space left.*goes on without it"):
            model.fit(*data)
    else:
        assert model.fit(*data).stopped_by_ == "interrupted"
    assert len(model.front_) > 0 and list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_lacks_something_is_called_damaged(data, tmp_path):
    path = tmp_path / "run.json"
    path.write_text('{"method": "GeneticRegressor", "evaluations": 3}')
    with pytest.raises(ValueError, match="checkpoint .* is damaged"):
        GeneticRegressor(warm_start=True, checkpoint=path, **SMALL).fit(*data)


def test_the_time_limit_holds_for_the_polish_too(data, monkeypatch):
    given = []
    monkeypatch.setattr("srlib.genetic.regressor.refit", lambda e, *rest, until: given.append(until) or e)
    began = time.monotonic()
    GeneticRegressor(**SMALL, time_limit=1000).fit(*data)
    GeneticRegressor(**SMALL, callbacks=[lambda event: isinstance(event, Iteration)]).fit(*data)
    now = time.monotonic()
    assert began + 1000 <= max(given) <= now + 1000 and min(given) <= now + 1


def test_progress_without_a_finite_formula(data):
    bar = ProgressBar(file=io.StringIO())
    options = {"unary_operators": ["log"], "binary_operators": (), "constant_range": None, "callbacks": [bar]}
    X, y = data
    model = GeneticRegressor(**{**SMALL, **options}).fit(-1 - np.abs(X), y)
    assert len(model.front_) == 1 and "formulas" in bar.bar.postfix or "completed" in bar.bar.postfix


def test_a_defined_operator_works_in_another_process(data):
    first, second = Expression.operator("a_first(x) = x + 1"), Expression.operator("a_second(x) = x*x + 1")
    model = GeneticRegressor(unary_operators=[first, second], **SMALL)
    code = "import pickle, sys; print([str(o.definition) for o in pickle.loads(sys.stdin.buffer.read())._operators()])"
    run = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(model), capture_output=True, check=True)
    assert b"a_first(x) = x + 1" in run.stdout and b"a_second(x) = x*x + 1" in run.stdout
    assert clone(model).fit(*data).front_ == model.fit(*data).front_


def test_questions_that_have_no_answer(data):
    model = GeneticRegressor(**SMALL)
    with pytest.raises(ValueError, match="not fitted"):
        model.predict(data[0])
    model.fit(*data)
    with pytest.raises(ValueError, match=f"index is 99: give a row of equations_, 0 to {len(model.front_) - 1}"):
        model.predict(data[0], index=99)
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.predict(data[0][:, :1])


@pytest.mark.parametrize("kind", [int, bool, np.float32])
def test_other_kinds_of_columns(kind):
    X = np.array([[0, 1], [1, 0], [1, 1], [0, 0]], dtype=kind)
    y = X[:, 0].astype(float) * 2 + X[:, 1]
    assert GeneticRegressor(**SMALL).fit(X, y).score(X, y) > 0.9
