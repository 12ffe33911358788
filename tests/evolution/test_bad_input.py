"""EvolutionRegressor: bad input is refused in words, and odd input does not stop it."""

import math

import numpy as np
import pandas as pd
import pytest

from srlib import EvolutionRegressor, Expression

SMALL = {
    "niterations": 2, "populations": 2, "population_size": 40, "ncycles_per_iteration": 100, "random_state": 0,
    "regression": False,
}  # fmt: skip
rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (40, 2))
Y = X[:, 0] ** 2 + X[:, 1]
X3 = np.arange(6.0).reshape(3, 2)


def fitted(table=X, y=Y, sample_weight=None, **options):
    return EvolutionRegressor(**{**SMALL, **options}).fit(table, y, sample_weight)


# ---------------------------------------------------------------- parameters


def nothing(prediction):
    return prediction


def product(a, b):
    return a * b


def text_of(a):
    return open(a).read()


def less_than_nothing(prediction, target):
    return -((prediction - target) ** 2)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("niterations", -1, "niterations is -1: give a whole number of at least 0"),
        ("maxsize", 2, "maxsize is 2: give a number of at least 3"),
        ("maxsize", 1000, "maxsize is 1000: give a number of at least 3 and at most 200"),
        ("maxdepth", 1, "maxdepth is 1: give a whole number of at least 2"),
        ("preset", "papre", "preset is 'papre'.*did you mean 'paper'"),
        ("populations", 0, "populations is 0: give a whole number of at least 1"),
        ("population_size", 1, "population_size is 1: give a whole number of at least 2"),
        ("ncycles_per_iteration", 0.5, "ncycles_per_iteration is 0.5"),
        ("tournament_selection_p", 1.5, "tournament_selection_p is 1.5"),
        ("alpha", 0, "alpha is 0: give a number above 0"),
        ("parsimony", math.nan, "parsimony is nan"),
        ("replacement", "youngest", "replacement is 'youngest': choose from"),
        ("mutation_weights", {"mutate_operatr": 1}, "mutation_weights is .mutate_operatr.*did you mean"),
        ("mutation_weights", {"randomize": 0}, "mutation_weights are all 0"),
        ("mutation_weights", {"randomize": -1}, r"mutation_weights\['randomize'\] is -1"),
        ("unary_operators", ["sinn"], "unary_operators holds 'sinn'.*did you mean 'sin'"),
        ("unary_operators", "sin", r"unary_operators is 'sin': give a list of operators, such as \['sin'\]"),
        ("binary_operators", ["sin"], "binary_operators holds 'sin'.*takes 1 argument"),
        ("binary_operators", [], "both empty: give at least one operator"),
        ("binary_operators", ["f(x, y) = __import__('os')"], "binary_operators holds.*\n.*__import__"),
        ("binary_operators", ["f(x, y) = x.__class__ + y"], "binary_operators holds"),
        ("binary_operators", ["f(x, y) = (lambda: x)()"], "binary_operators holds"),
        ("unary_operators", ["f(x) = exec('1')"], "unary_operators holds.*\n.*exec"),
        ("unary_operators", ["f(x) = [x for x in x]"], "unary_operators holds"),
        ("unary_operators", ["f(x) = f(x)"], "unary_operators holds"),
        ("unary_operators", ["inv(x) = 1/x"], "give 'inv' alone for what it means already"),
        ("unary_operators", [lambda x: x], "unary_operators holds .*lambda, which has no name"),
        ("unary_operators", [product], "unary_operators holds <function product.*takes 2 argument.s., not 1"),
        ("unary_operators", [text_of], "unary_operators holds <function text_of.*numba"),
        ("constraints", {"sin": 3}, "constraints has 'sin'|sin"),
        ("constraints", {"*": (1, 2, 3)}, r"constraints\['mul'\]|constraints"),
        ("nested_constraints", {"*": {"*": -1}}, r"nested_constraints\['mul'\]\['mul'\] is -1"),
        ("complexity_of_operators", {"+": -1}, r"complexity_of_operators\['add'\] is -1"),
        ("complexity_of_variables", [1, 2, 3], "complexity_of_variables"),
        ("complexity_of_constants", "two", "complexity_of_constants is 'two'"),
        ("elementwise_loss", "mse", "elementwise_loss is 'mse': choose from 'squared'"),
        ("elementwise_loss", "qantile(0.5)", "elementwise_loss is 'qantile.0.5.'.*did you mean 'quantile'"),
        ("elementwise_loss", "quantile(2)", "elementwise_loss is 'quantile.2.': give a number between 0 and 1"),
        ("elementwise_loss", "huber(x)", "elementwise_loss is 'huber.x.'"),
        ("elementwise_loss", nothing, "elementwise_loss is .*give a function of .prediction, target."),
        ("batching", "always", "batching is 'always': give True, False or 'auto'"),
        ("batch_size", 3, "batch_size is 3"),
        ("select_k_features", 0, "select_k_features is 0"),
        ("guesses", ["x0 + x7"], "guesses holds 'x0 \\+ x7', but X has only 2 columns"),
        ("guesses", "x0", "guesses is 'x0': give a list"),
        ("elementwise_loss", less_than_nothing, "elementwise_loss has the mean -.*must not be negative"),
        ("X_units", ["m"], "X_units has 1 entries, but X has 2 columns"),
        ("X_units", ["m", "sekond"], "X_units.*sekond.*did you mean 'second'"),
        ("y_units", "furlongs", "y_units.*furlongs"),
        ("executor", 3, "executor is 3: give a concurrent.futures.Executor"),
        ("stop_when", "soon", "stop_when is 'soon': give 'exact', a loss, a function of .loss, complexity., or None"),
        ("stop_when", "exactly", "stop_when is 'exactly'.*did you mean 'exact'"),
        ("model_selection", "bets", "model_selection is 'bets'.*did you mean 'best'"),
        ("time_limit", 0, "time_limit is 0"),
        ("max_evaluations", 0, "max_evaluations is 0"),
        ("n_jobs", 0, "n_jobs is 0"),
        ("callbacks", [3], "callbacks"),
        ("checkpoint", "no/such/folder/run.json", "checkpoint.*folder does not exist"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named(parameter, value, message):
    with pytest.raises(ValueError, match=message) as error:
        fitted(**{parameter: value})
    assert parameter in str(error.value)


GUESSES = {
    "its complexity is 11, and maxsize is 7": {"guesses": ["x0*x0 + x1*x1 + 1/x0"], "maxsize": 7},
    "it has 4 levels, and maxdepth is 3": {"guesses": ["x0*(x0 + x1*x0)"], "maxdepth": 3},
    "it breaks constraints or nested_constraints": {
        "guesses": ["sin(sin(x0))"], "unary_operators": ["sin"], "nested_constraints": {"sin": {"sin": 0}},
    },
    "it does not balance: .* adds m and s": {"guesses": ["x0 + x1"], "X_units": ["m", "s"], "y_units": "m"},
    "select_k_features has left out x1": {"guesses": ["x0*x1"], "select_k_features": 1, "y": 3 * X[:, 0]},
    "it has 3 constants, and the rows .* determine at most": {"guesses": ["2*exp(3*x0) + 4"], "rows": 4},
    "the operator 'unasked' is none of the search's": {
        "guesses": [Expression.parse("unasked(x0)", operators=[Expression.operator("unasked(x) = x*x + 1")])],
    },
}  # fmt: skip


@pytest.mark.parametrize("message", GUESSES)
def test_guesses_that_the_search_may_not_use_are_refused_and_not_forgotten(message):
    options = dict(GUESSES[message])
    rows, y = options.pop("rows", len(Y)), options.pop("y", Y)
    with pytest.raises(ValueError, match=f"guesses holds .*: {message}"):
        fitted(X[:rows], y[:rows], **options)


def test_units_that_cannot_balance_are_named():
    units = {"X_units": ["m", "s"], "y_units": "kg", "dimensionless_constants_only": True}
    with pytest.raises(ValueError, match=r"y_units is 'kg', but none of X_units \('m', 's'\) holds kg"):
        fitted(**units)
    with pytest.warns(RuntimeWarning, match="or none keeps to the units"):  # no product, no power
        model = fitted(**{**units, "X_units": ["m", "m"], "y_units": "m^2"}, binary_operators=["+", "-"])
    assert len(model.front_) == 1 and model.predict(X) == pytest.approx(np.full(40, Y.mean()))
    model = fitted(**{**units, "dimensionless_constants_only": False})
    assert len(model.front_) > 0, "a constant takes the unit that is needed"


def test_limits_that_nothing_keeps_to_leave_the_shortest_formula():
    dear = {"complexity_of_constants": 9, "complexity_of_variables": 9}
    model = fitted(maxsize=5, **dear)
    assert np.isfinite(model.predict(X)).all() and len(model.front_) == 1


# ---------------------------------------------------------------- data


@pytest.mark.parametrize(
    ("table", "y", "weight", "message"),
    [
        ([[1.0], [np.nan], [2.0]], [1.0, 2.0, 3.0], None, "X contains NaN"),
        ([[1.0], [np.inf], [2.0]], [1.0, 2.0, 3.0], None, "X contains infinity"),
        (X3, [1.0, np.nan, 2.0], None, "y contains NaN"),
        (
            pd.DataFrame({"a": pd.array([1, None, 2], dtype="Int64")}),
            [1.0, 2.0, 3.0],
            None,
            "X contains NaN .first: .*row 1",
        ),
        (X3, [[1.0, 2.0], [np.nan, 1.0], [2.0, 3.0]], None, "y contains NaN"),
        ([[1.0]], [1.0], None, "X has 1 row.*at least 2"),
        (np.empty((0, 2)), [], None, "0 sample"),
        (X3, [2.0, 2.0, 2.0], None, "y is constant .2 in all 3 rows."),
        (X3, [1.0, 2.0], None, "inconsistent numbers of samples"),
        (X3, [1.0, 2.0, 3e200], None, "y holds 3e\\+200, whose square overflows"),
        (X3, [1.0, 2.0, 3.0], [1.0, -1.0, 1.0], "sample_weight holds -1: no weight may be negative"),
        (X3, [1.0, 2.0, 3.0], [0.0, 0.0, 0.0], "sample_weight is zero in every row"),
        (X3, [1.0, 2.0, 3.0], [1.0, 1.0], "sample_weight has shape .2,., but X has 3 rows"),
        (pd.DataFrame({"a": [1.0, 2.0, 3.0], "planet": ["M", "V", "E"]}), [1.0, 2.0, 3.0], None, "column 'planet'"),
        ([["1.0"], ["a"], ["2.0"]], [1.0, 2.0, 3.0], None, "X holds the text"),
    ],
)
def test_bad_data_are_named(table, y, weight, message):
    with pytest.raises(ValueError, match=message):
        fitted(table, y, weight)


def test_an_alphabet_without_values_on_the_data_ends_with_a_constant():
    with pytest.warns(RuntimeWarning, match="only a constant: its operators may have no value on these data"):
        model = fitted(-1 - np.abs(X), unary_operators=["log"], binary_operators=[], niterations=30)
    assert str(model.front_[0].expression).lstrip("-")[0].isdigit() and np.isfinite(model.predict(X)).all()
    assert model.stopped_by_ == "completed"


ODD = {
    "integers": rng.integers(-5, 6, (40, 2)),
    "booleans": rng.random((40, 2)) < 0.5,
    "single precision": X.astype(np.float32),
    "a column of zeros": np.column_stack([X[:, 0], np.zeros(40)]),
    "zeros only": np.zeros((40, 2)),
    "a column twice": np.column_stack([X[:, 0], X[:, 0]]),
    "constant columns": np.column_stack([X[:, 0], np.full(40, 7.0)]),
    "enormous": X * 1e300,
    "minute": X * 1e-300,
    "far apart": X * [1e-30, 1e30],
    "wide": rng.normal(size=(40, 60)),
    "two rows": X[:2],
    "a DataFrame of nullable integers": pd.DataFrame(rng.integers(0, 5, (40, 2)), columns=["a", "b"]).astype("Int64"),
}


@pytest.mark.parametrize("regression", [False, True])
@pytest.mark.parametrize("kind", ODD)
def test_odd_columns(kind, regression):
    table = ODD[kind]
    y = 2 * X[: len(table), 0] + 1
    model = fitted(table, y, unary_operators=["exp"], regression=regression, max_evaluations=4000)
    assert np.isfinite(model.predict(table)).all()
    assert model.score(table, y) > (-0.02 if kind in ("integers", "booleans", "zeros only", "wide") else 0.99) or (
        "nullable" in kind
    )


def test_targets_of_any_size():
    for factor in (1e150, 1e-150, 1e-30):
        model = fitted(y=Y * factor)
        assert model.score(X, Y * factor) > 0.99
    assert fitted(y=Y > 0.3).score(X, Y > 0.3) > 0.3
    assert fitted(y=np.round(4 * Y).astype(int)).score(X, np.round(4 * Y)) > 0.8


def test_more_columns_than_rows_and_names_that_are_numbers():
    table = pd.DataFrame(rng.normal(size=(12, 30)), columns=[str(j) for j in range(30)])
    model = fitted(table, table["4"] * 3, select_k_features=5)
    assert model.score(table, table["4"] * 3) > 0.99


def test_questions_that_have_no_answer():
    with pytest.raises(ValueError, match="not fitted"):
        EvolutionRegressor().predict(X)
    model = fitted()
    with pytest.raises(ValueError, match=f"index is 99: give a row of equations_, 0 to {len(model.front_) - 1}"):
        model.predict(X, index=99)
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.predict(X[:, :1])
    assert isinstance(model.best(), Expression)
