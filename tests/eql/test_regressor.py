"""EQLRegressor: laws, the contract of every estimator, and bad input."""

import json
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

torch = pytest.importorskip("torch")

from srlib import EQLRegressor, problems, recovers  # noqa: E402
from srlib.eql import HardConcrete, SmoothedL05, Unit  # noqa: E402
from srlib.events import Finished, Heartbeat, Iteration, Recorder, Started  # noqa: E402

SMALL = {"trials": 6, "rounds": 2, "steps": 60, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    return X, X[:, 0] * X[:, 1] + np.sin(3 * X[:, 0])


@pytest.fixture(scope="module")
def noisy(data):
    X, y = data
    return X, y + 0.1 * np.random.default_rng(1).standard_normal(len(y))


@parametrize_with_checks([EQLRegressor(trials=2, rounds=2, steps=10, random_state=0)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def fronts(model):
    return [(entry.complexity, entry.loss, str(entry.expression)) for entry in model.front_]


# ---------------------------------------------------------------- finding laws


@pytest.mark.parametrize("name", ["eql-2", "eql-5", "eql-8", "eql-12"])
def test_it_finds_laws_that_hold_outside_the_data(name):
    problem = problems.load(name)
    model = EQLRegressor(random_state=1).fit(problem.X, problem.y)
    assert recovers(model.best(), problem), model.front_
    X, y = problem.sample(200, 0, where="extrapolation")
    assert np.abs(model.predict(X) - y).max() < 1e-6
    assert model.stopped_by_ == "completed"


def test_noise_does_not_make_the_formula_long(noisy):
    X, y = noisy
    model = EQLRegressor(random_state=0, rounds=4).fit(X, y)
    fresh = np.random.default_rng(5).uniform(-1, 1, (500, 2))
    truth = fresh[:, 0] * fresh[:, 1] + np.sin(3 * fresh[:, 0])
    assert np.sqrt(np.mean((model.predict(fresh) - truth) ** 2)) < 0.06
    assert model.best().size < 25


def test_names_and_units_of_columns_survive():
    frame = pd.DataFrame({"length": np.linspace(1e3, 5e3, 40), "width": np.linspace(-1e-3, 2e-3, 40) ** 2})
    y = 1e6 * frame["length"] * frame["width"] + 3
    model = EQLRegressor(random_state=0, rounds=4).fit(frame, y)
    assert set(str(model.sympy().free_symbols)) >= set("length")
    assert model.predict(frame) == pytest.approx(y.to_numpy(), rel=1e-6)


def test_a_unit_of_ones_own_enters_the_formula():
    x = np.linspace(-2, 2, 60)[:, None]
    units = {"constant": 1, "identity": 1, Unit("bell", "exp(-a*a)"): 2}
    model = EQLRegressor(units=units, n_layers=1, random_state=0, rounds=4).fit(x, 3 * np.exp(-4 * x[:, 0] ** 2))
    assert model.score(x, 3 * np.exp(-4 * x[:, 0] ** 2)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("sparsity", ["L1", "L0", HardConcrete(beta=0.5), SmoothedL05(0.1)], ids=str)
def test_every_penalty_trains(data, sparsity):
    model = EQLRegressor(sparsity=sparsity, **{**SMALL, "steps": 200, "trials": 10}).fit(*data)
    assert model.score(*data) > 0.8


# ---------------------------------------------------------------- the contract


def test_the_same_seed_gives_the_same_front_whatever_the_threads(noisy):
    options = {**SMALL, "trials": 25}
    one = EQLRegressor(n_jobs=1, **options).fit(*noisy)
    two = EQLRegressor(n_jobs=2, **options).fit(*noisy)
    other = EQLRegressor(n_jobs=1, **{**options, "random_state": 1}).fit(*noisy)
    assert fronts(one) == fronts(two) != fronts(other)


def test_events_tell_the_whole_story(noisy):
    recorder, beats = Recorder(), []
    EQLRegressor(callbacks=[recorder, lambda e: beats.append(isinstance(e, Heartbeat)) and None], **SMALL).fit(*noisy)
    assert isinstance(recorder.events[0], Started) and isinstance(recorder.events[-1], Finished)
    assert [event.number for event in recorder.iterations] == [1, 2]
    assert [event.details["layers"] for event in recorder.iterations] == [1, 2]
    assert all(len(event.details["errors"]) == 6 for event in recorder.iterations)
    assert recorder.events[0].total == 2 and any(beats)


def test_stopping_keeps_what_was_found(noisy):
    for options, reason in (
        ({"callbacks": [lambda event: isinstance(event, Iteration)]}, "callback"),
        ({"stop_when": 0.2}, "stop_when"),
        ({"max_evaluations": 4}, "max_evaluations"),
        ({"time_limit": 5.0, "steps": 100_000}, "time_limit"),  # time for a busy machine to find something
    ):
        began = time.monotonic()
        model = EQLRegressor(**{**SMALL, "rounds": 50, **options}).fit(*noisy)
        assert model.stopped_by_ == reason and len(model.front_) >= 2
        assert time.monotonic() - began < 30
        if reason == "max_evaluations":
            assert model.n_evaluations_ <= 4


def test_ctrl_c_in_the_middle_of_training_keeps_the_networks(noisy):
    def interrupt(event):
        if isinstance(event, Heartbeat) and event.elapsed > 1:
            raise KeyboardInterrupt

    model = EQLRegressor(callbacks=[interrupt], **{**SMALL, "steps": 100_000, "n_layers": 1}).fit(*noisy)
    assert model.stopped_by_ == "interrupted"
    assert model.score(*noisy) > 0.8  # the plane has less, so this is a network's formula


def test_a_fit_goes_on_from_its_checkpoint(noisy, tmp_path):
    path = tmp_path / "run.json"
    whole = EQLRegressor(**{**SMALL, "rounds": 3}).fit(*noisy)
    first = EQLRegressor(checkpoint=path, **{**SMALL, "rounds": 1}).fit(*noisy)
    assert json.loads(path.read_text())["round"] == 1
    second = EQLRegressor(checkpoint=path, warm_start=True, **{**SMALL, "rounds": 3, "random_state": 5}).fit(*noisy)
    assert second.front_[-1].loss <= first.front_[-1].loss
    assert second.front_[-1].loss == pytest.approx(whole.front_[-1].loss, rel=0.2)


def test_a_quotient_is_found_with_penalty_epochs_and_holds_beyond_the_data():
    X = np.random.default_rng(0).uniform(-1, 1, (100, 1))
    units = {"constant": 1, "identity": 2, "square": 2, "division": 2}
    model = EQLRegressor(units=units, extrapolation=3, random_state=0).fit(X, X[:, 0] / (X[:, 0] ** 2 + 1.5))
    far = np.linspace(-3, 3, 200)[:, None]
    assert model.predict(far) == pytest.approx(far[:, 0] / (far[:, 0] ** 2 + 1.5), abs=1e-4)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": {"sine": 2}}, "did you mean 'sin'"),
        ({"units": {"constant": 2}}, "at least one unit that takes an argument"),
        ({"units": "sin"}, "units is 'sin'"),
        ({"units": {"sin": -1}}, "whole number of at least 0"),
        ({"sparsity": "L2"}, "sparsity is 'L2'"),
        ({"sparsity": "L05"}, "did you mean 'L0.5'"),
        ({"strength": -1}, "strength is -1"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"n_layers": 0}, "n_layers is 0"),
        ({"trials": 0}, "trials is 0"),
        ({"density": (0.9, 0.1)}, "density is"),
        ({"validation": 1.0}, "validation is 1.0"),
        ({"extrapolation": 0.5}, "extrapolation is 0.5"),
    ],
)
def test_parameters_that_cannot_be_used(data, options, message):
    with pytest.raises(ValueError, match=message):
        EQLRegressor(**options).fit(*data)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0, np.nan], [2.0, 3.0]], [1, 2], "NaN"),
        ([[1.0, 2.0]], [1.0], "1 row"),
        (np.ones((5, 0)), np.arange(5), "0 feature"),
        (np.ones((5, 2)), np.ones(5), "y is constant"),
    ],
)
def test_data_that_cannot_be_used(X, y, message):
    with pytest.raises(ValueError, match=message):
        EQLRegressor(**SMALL).fit(X, y)


@pytest.mark.parametrize("column", [0.0, 7.0])
def test_a_constant_column_does_no_harm(data, column):
    X, y = data
    model = EQLRegressor(**{**SMALL, "trials": 20, "steps": 300}).fit(np.column_stack([X, np.full(len(y), column)]), y)
    assert model.score(np.column_stack([X, np.full(len(y), column)]), y) > 0.9


@pytest.mark.parametrize("options", [{"strength": 1e4}, {"threshold": 1e3}])
def test_where_every_weight_is_cut_a_warning_says_so(data, options):
    with pytest.warns(RuntimeWarning, match="every weight was cut"):
        model = EQLRegressor(**SMALL, **options).fit(*data)
    assert np.isfinite(model.predict(data[0])).all()


def test_no_penalty_is_allowed(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = EQLRegressor(strength=0, **SMALL).fit(*data)
    assert np.isfinite(model.front_[-1].loss)


def test_a_target_that_no_unit_expresses_has_a_large_error_and_no_end_in_hanging():
    X = np.random.default_rng(0).uniform(-1, 1, (80, 1))
    y = np.random.default_rng(1).permutation(80).astype(float)
    model = EQLRegressor(**SMALL).fit(X, y)
    assert model.front_[-1].loss > 0.3 * y.var()


def test_divergence_is_counted(data):
    model = EQLRegressor(learning_rate=1e3, units={"exp": 3, "product": 3}, **SMALL).fit(*data)
    assert model.n_restarts_ > 0 and np.isfinite(model.predict(data[0])).all()
