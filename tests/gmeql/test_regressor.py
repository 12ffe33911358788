"""GMEQLRegressor: laws, the contract of every estimator, and bad input."""

import json
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from srlib import GMEQLRegressor, problems, recovers
from srlib.events import Finished, Heartbeat, Iteration, Recorder, Started
from srlib.gmeql import DEFAULT, PAPER, graph

SMALL = {"preset": replace(DEFAULT, stage2=40), "random_state": 0}
LAYERS = [["identity", "square", "sin", "cos"], ["times", "plus", "sum"]]
SOFT = {"layers": LAYERS, "preset": replace(PAPER, rounds=1, steps=20, stage2=60), "random_state": 0}


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (60, 2))
    return X, X[:, 0] * X[:, 1] + np.sin(3 * X[:, 0]) + 0.1 * rng.standard_normal(60)


CHECKED = replace(DEFAULT, stage2=8, instances=10)


@parametrize_with_checks([GMEQLRegressor(layers=LAYERS, preset=CHECKED, random_state=0)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def fronts(model):
    return [(entry.complexity, entry.loss, str(entry.expression)) for entry in model.front_]


# ---------------------------------------------------------------- finding laws


@pytest.mark.parametrize("name", ["b1", "b2", "b5", "b7"])
def test_it_finds_laws_that_hold_outside_the_data(name):
    problem = problems.load(name)
    model = GMEQLRegressor(random_state=1).fit(problem.X, problem.y)
    assert recovers(model.best(), problem), model.front_
    assert model.stopped_by_ == "completed" and model.mae_["refit"] < 1e-12


@pytest.mark.parametrize("frequency", [0.3, 2.4])
def test_a_frequency_far_from_the_first_weights_is_found(frequency):
    X = np.random.default_rng(0).uniform(0, 10, (200, 2))
    model = GMEQLRegressor(random_state=0).fit(X, 3 * X[:, 1] * np.cos(frequency * X[:, 0]))
    found = model.best()
    assert model.mae_["refit"] < 1e-12 and np.min(np.abs(np.abs(found.constants) - frequency)) < 1e-9, found


def test_look_alikes_with_tiny_frequencies_do_not_end_the_search():
    problem = problems.load("b1")
    model = GMEQLRegressor(random_state=1).fit(problem.X, problem.y)
    assert model.best().size == 13


def test_noise_does_not_make_the_formula_long():
    problem = problems.load("b2")
    y = problem.y + 0.2 * np.random.default_rng(0).standard_normal(len(problem.y))
    model = GMEQLRegressor(preset=replace(DEFAULT, stage2=60), random_state=0).fit(problem.X, y)
    X, truth = problem.sample(300, 5)
    assert np.abs(model.predict(X) - truth).mean() < 0.1 and model.best().size < 30


def test_the_paper_s_training_reports_soft_and_hard_errors_of_the_same_instance():
    problem = problems.load("b6")
    model = GMEQLRegressor("b6", replace(PAPER, rounds=1, steps=100, stage2=200), random_state=0)
    model.fit(problem.X, problem.y)
    assert 0 < model.mae_["soft"] < model.mae_["hard"]
    assert len(model.front_) > 1 and model.mae_["refit"] > 0


def test_names_and_units_of_columns_survive():
    frame = pd.DataFrame({"length": np.linspace(1e3, 5e3, 40), "width": np.linspace(-1e-3, 2e-3, 40) ** 2})
    y = 1e6 * frame["length"] * frame["width"] + 3
    model = GMEQLRegressor(**SMALL).fit(frame, y)
    assert "length" in str(model.best()) and model.predict(frame) == pytest.approx(y.to_numpy(), rel=1e-6)


# ---------------------------------------------------------------- the contract


@pytest.mark.parametrize("options", [SMALL, SOFT], ids=["default", "paper"])
def test_the_same_seed_gives_the_same_front(noisy, options):
    one, two = (GMEQLRegressor(**options, n_jobs=n).fit(*noisy) for n in (1, 2))
    other = GMEQLRegressor(**{**options, "random_state": 1}).fit(*noisy)
    assert fronts(one) == fronts(two) and one.mae_ == two.mae_ != other.mae_


def test_events_tell_the_whole_story(noisy):
    recorder = Recorder()
    model = GMEQLRegressor(callbacks=[recorder], **SOFT).fit(*noisy)
    assert isinstance(recorder.events[0], Started) and isinstance(recorder.events[-1], Finished)
    assert [event.number for event in recorder.iterations] == [20, 40, 60, 80]
    assert [event.details["stage"] for event in recorder.iterations] == [1, 2, 2, 2]
    for event in recorder.iterations:
        details = event.details
        assert (np.diff(details["elite_errors"]) >= 0).all() and len(details["elites"]) == len(details["elite_errors"])
        shown = graph(model.architecture_, details["probabilities"], details["elite_edges"][0])
        assert any(edge.chosen for edge in shown.edges)
        drawn = [sum(e.probability for e in shown.edges if e.row == row) for row in model.architecture_.structural]
        assert np.array(drawn) == pytest.approx(1)


@pytest.mark.parametrize("options", [SMALL, SOFT], ids=["default", "paper"])
def test_stopping_keeps_what_was_found(noisy, options):
    long = {**options, "preset": replace(options["preset"], stage2=100_000)}
    for more, reason in (
        ({"callbacks": [lambda event: isinstance(event, Iteration)]}, "callback"),
        ({"max_evaluations": 400}, "max_evaluations"),
        ({"time_limit": 1.5}, "time_limit"),
    ):
        began = time.monotonic()
        model = GMEQLRegressor(**{**long, **more}).fit(*noisy)
        assert model.stopped_by_ == reason and len(model.front_) >= 2
        assert time.monotonic() - began < 30


def test_a_good_formula_ends_it(noisy):
    model = GMEQLRegressor(stop_when=0.2, **SMALL).fit(*noisy)
    assert model.stopped_by_ == "stop_when" and model.front_[-1].loss < 0.2


def test_ctrl_c_keeps_what_was_found(noisy):
    def interrupt(event):
        if isinstance(event, Heartbeat) and event.elapsed > 0.5:
            raise KeyboardInterrupt

    long = {**SOFT, "preset": replace(SOFT["preset"], stage2=100_000)}
    model = GMEQLRegressor(callbacks=[interrupt], **long).fit(*noisy)
    assert model.stopped_by_ == "interrupted" and len(model.front_) >= 2
    assert np.isfinite(model.predict(noisy[0])).all()


@pytest.mark.parametrize("options", [SMALL, SOFT], ids=["default", "paper"])
def test_a_fit_goes_on_from_its_checkpoint(noisy, tmp_path, options):
    path = tmp_path / "run.json"
    more = {**options, "preset": replace(options["preset"], stage2=options["preset"].stage2 + 20)}
    first = GMEQLRegressor(checkpoint=path, **options).fit(*noisy)
    done = json.loads(path.read_text())["training"]["number"]
    numbers = []
    watch = [lambda event: numbers.append(getattr(event, "first", None))]
    second = GMEQLRegressor(checkpoint=path, warm_start=True, callbacks=watch, **more).fit(*noisy)
    assert numbers[0] == done == (40 if options is SMALL else 80)
    assert second.front_[-1].loss <= first.front_[-1].loss
    whole = GMEQLRegressor(**more).fit(*noisy)
    assert second.front_[-1].loss == pytest.approx(whole.front_[-1].loss, rel=0.3)
    with pytest.raises(ValueError, match="damaged"):
        path.write_text(path.read_text().replace('"elites"', '"heroes"'))
        GMEQLRegressor(checkpoint=path, warm_start=True, **more).fit(*noisy)


@pytest.mark.parametrize("options", [SMALL, SOFT], ids=["default", "paper"])
def test_a_network_without_sums_goes_on(noisy, options):
    preset, layers = options["preset"], [["sin", "identity"], ["plus"]]
    model = GMEQLRegressor(**{**options, "layers": layers}, warm_start=True).fit(*noisy)
    before = model.front_[-1].loss
    model.set_params(preset=replace(preset, stage2=preset.stage2 + 20)).fit(*noisy)
    assert model.front_[-1].loss <= before


@pytest.mark.parametrize("options", [SMALL, SOFT], ids=["default", "paper"])
def test_a_warm_start_on_other_data_forgets_the_errors_on_the_earlier_ones(noisy, options):
    X, y = noisy
    preset = options["preset"]
    model = GMEQLRegressor(**{**options, "layers": LAYERS}, warm_start=True).fit(X, y)
    model.set_params(preset=replace(preset, stage2=preset.stage2 + 40)).fit(X, 1000 * y**2)
    assert model.mae_["hard"] > 10 and len(model.front_) > 1
    assert model.front_[-1].loss < np.var(1000 * y**2)


def test_a_warm_start_with_other_layers_of_the_same_size_is_refused(noisy):
    model = GMEQLRegressor([["sin"], ["plus"]], SMALL["preset"], random_state=0, warm_start=True).fit(*noisy)
    with pytest.raises(ValueError, match="had the layers"):
        model.set_params(layers=[["cos"], ["plus"]], preset=replace(DEFAULT, stage2=50)).fit(*noisy)


@pytest.mark.parametrize("kind", [int, bool, np.float32])
def test_columns_and_targets_of_any_kind_of_number(kind):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2 if kind is bool else 6, (60, 2)).astype(kind)
    y = X[:, 0] * X[:, 1]
    one, two = (GMEQLRegressor(layers=LAYERS, **SMALL).fit(*data) for data in ((X, y), (X.astype(float), y * 1.0)))
    assert fronts(one) == fronts(two) and one.predict(X).tolist() == two.predict(X.astype(float)).tolist()


def test_weights_count_in_the_errors_and_rows_of_weight_0_do_not(noisy):
    X, y = noisy
    twice = np.arange(len(y)) < 20
    weighted = GMEQLRegressor(layers=LAYERS, **SMALL).fit(X, y, sample_weight=1.0 + twice)
    assert weighted.mae_["refit"] == pytest.approx(
        np.average(np.abs(weighted.front_[-1].expression.evaluate(X) - y), weights=1.0 + twice)
    )
    spoilt = np.where(twice, 1e3, y)
    model = GMEQLRegressor(layers=LAYERS, **SMALL).fit(X, spoilt, sample_weight=1.0 - twice)
    assert np.abs(model.predict(X) - y)[~twice].mean() < 0.3


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": "generik"}, "did you mean 'generic'"),
        ({"layers": [["sine"]]}, "did you mean 'sin'"),
        ({"layers": []}, "layers is empty"),
        ({"preset": "papers"}, "did you mean 'paper'"),
        ({"preset": replace(PAPER, batch=0)}, "preset.batch is 0"),
        ({"maxsize": 1}, "maxsize is 1"),
    ],
)
def test_parameters_that_cannot_be_used(noisy, options, message):
    with pytest.raises(ValueError, match=message):
        GMEQLRegressor(**options).fit(*noisy)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0, np.nan], [2.0, 3.0]], [1, 2], "NaN"),
        ([[1.0, 2.0]], [1.0], "1 row"),
        (np.ones((5, 2)), np.ones(5), "y is constant"),
    ],
)
def test_data_that_cannot_be_used(X, y, message):
    with pytest.raises(ValueError, match=message):
        GMEQLRegressor(**SMALL).fit(X, y)


def test_too_few_layers_for_the_columns_are_told_of(noisy):
    with pytest.warns(RuntimeWarning, match="takes at most 1 of the 2 columns"):
        GMEQLRegressor(layers=[["sin", "cos"]], **SMALL).fit(*noisy)


def test_where_no_network_has_a_value_the_mean_is_left_and_a_warning_says_so():
    X = -np.linspace(1, 2, 30)[:, None]
    y = np.linspace(0, 1, 30) ** 2
    settings = replace(PAPER, rounds=0, stage2=20)
    with pytest.warns(RuntimeWarning, match="no finite value in some row"):
        model = GMEQLRegressor(layers=[["exp"], ["exp"], ["exp"], ["exp"], ["exp"]],
                               preset=replace(settings, w_center=50.0), random_state=0).fit(-X, y)  # fmt: skip
    assert model.n_dropped_ == model.n_evaluations_ - 1 and model.predict(X) == pytest.approx(y.mean())


def test_instances_without_a_value_are_dropped_and_counted():
    X = np.random.default_rng(0).uniform(-1, 1, (50, 1))
    model = GMEQLRegressor(layers=[["sqrt", "identity"], ["plus"]], **SMALL).fit(X, 3 * X[:, 0])
    assert model.n_dropped_ > 0 and model.score(X, 3 * X[:, 0]) == pytest.approx(1)


@pytest.mark.parametrize("column", [0.0, 7.0])
def test_a_constant_column_does_no_harm(noisy, column):
    X, y = noisy
    X = np.column_stack([X, np.full(len(y), column)])
    assert GMEQLRegressor(**SMALL).fit(X, y).score(X, y) > 0.9


def test_a_target_that_no_function_expresses_has_a_large_error_and_no_end_in_hanging():
    X = np.random.default_rng(0).uniform(-1, 1, (80, 1))
    y = np.random.default_rng(1).permutation(80).astype(float)
    model = GMEQLRegressor(**SMALL).fit(X, y)
    assert model.front_[-1].loss > 0.3 * y.var()
