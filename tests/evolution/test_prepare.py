"""Losses by name, the choice of columns, smoothing, batches."""

import ctypes
import math

import numpy as np
import pytest

from srlib.evolution.prepare import batch_rows, denoised, read_loss, select_columns
from srlib.kernels.api import mean_loss
from srlib.kernels.losses import CUSTOM, LOSSES


def nothing():
    """What looks at the clock has nothing to say."""


class Halt(Exception):
    """The user has pressed Stop."""


def halt_at(count):
    """A look that ends whatever looks for the count-th time."""
    looks = iter(range(1, count))

    def look():
        if next(looks, None) is None:
            raise Halt

    return look


# ------------------------------------------------------------ losses


@pytest.mark.parametrize(
    "text, expected",
    [
        ("squared", ("squared", 0.0)), ("absolute", ("absolute", 0.0)), ("logcosh", ("logcosh", 0.0)),
        ("huber", ("huber", 1.0)), ("huber(0.5)", ("huber", 0.5)), ("huber(2)", ("huber", 2.0)),
        (" Huber( 1e-3 ) ", ("huber", 1e-3)), ("quantile", ("quantile", 0.5)), ("quantile(0.9)", ("quantile", 0.9)),
        ("QUANTILE(.25)", ("quantile", 0.25)), ("huber(+3)", ("huber", 3.0)),
        ("L2DistLoss()", ("squared", 0.0)), ("L1DistLoss()", ("absolute", 0.0)), ("HuberLoss(2.0)", ("huber", 2.0)),
        ("QuantileLoss(0.3)", ("quantile", 0.3)),
    ],
)  # fmt: skip
def test_names(text, expected):
    name, parameter = expected
    kind, number, address = read_loss(text)
    assert (kind, address) == (LOSSES[name], 0)
    if name in ("huber", "quantile"):
        assert number == parameter


@pytest.mark.parametrize(
    "text, words",
    [
        ("square", "did you mean 'squared'"),
        ("hubert", "did you mean 'huber'"),
        ("nonsense", "choose from 'squared', 'absolute', 'huber', 'quantile', 'logcosh', or give a function"),
        ("", "choose from"),
        ("huber(", "choose from"),
        ("huber(0.5) + 1", "choose from"),
        ("huber(x)", "choose from"),
        ("huber(1.2.3)", "'1.2.3' is not a number"),
        ("huber(--1)", "'--1' is not a number"),
        ("huber(0)", "give a number between 0 and inf"),
        ("huber(-1)", "give a number between 0 and inf"),
        ("huber(1e999)", "give a number between 0 and inf"),
        ("quantile(1)", "give a number between 0 and 1"),
        ("quantile(0.0)", "give a number between 0 and 1"),
        ("squared(2)", "squared takes no number"),
        ("logcosh(0.5)", "logcosh takes no number"),
        (None, "choose from"),
        (2, "choose from"),
        (["squared"], "choose from"),
    ],
)
def test_losses_that_are_none(text, words):
    with pytest.raises(ValueError) as error:
        read_loss(text)
    assert str(error.value).startswith(f"elementwise_loss is {text!r}") and words in str(error.value)


def root_loss(prediction, target):
    return math.sqrt(abs(prediction - target))


def test_a_python_function():
    kind, _, address = read_loss(root_loss)
    assert kind == CUSTOM and address != 0
    assert read_loss(root_loss) == (kind, 0.0, address)
    called = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)(address)
    assert called(5.0, 1.0) == 2.0
    assert mean_loss(np.array([4.0, 0.0]), np.zeros(2), None, kind, 0.0, address) == 1.0
    kind, _, address = read_loss(lambda prediction, target: 3.0 if prediction > target else 1.0)
    assert mean_loss(np.array([4.0, -1.0]), np.zeros(2), None, kind, 0.0, address) == 2.0


def only_one(residual):
    return residual**2


def not_a_number(prediction, target):
    return "large"


class Callable:
    def __call__(self, prediction, target):
        return 0.0


@pytest.mark.parametrize(
    "function, words",
    [
        (only_one, "give a function of (prediction, target)"),
        (not_a_number, "let it return one real number"),
        (lambda: 0.0, "takes 0 arguments"),
        (lambda a, b, c: 0.0, "takes 3 arguments"),
        (Callable(), "give a Python function"),
        (np.subtract, "give a Python function"),
    ],
)
def test_functions_that_are_no_losses(function, words):
    with pytest.raises(ValueError) as error:
        read_loss(function)
    assert "elementwise_loss is" in str(error.value) and words in str(error.value)


# ------------------------------------------------------------ columns


def test_the_columns_that_matter_in_their_order():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 12))
    y = 3 * X[:, 7] + X[:, 2] * 2 + 3 * np.abs(X[:, 10])
    assert select_columns(X, y, 3, 0, nothing).tolist() == [2, 7, 10]
    assert select_columns(X, y, 2, 0, nothing).tolist() == [2, 7]
    assert select_columns(X, y, 12, 0, nothing).tolist() == list(range(12))
    first, second = (select_columns(X[:40], X[:40, 0], 5, 3, nothing) for _ in range(2))
    assert np.array_equal(first, second)


def test_the_choice_of_columns_can_be_stopped():
    X = np.random.default_rng(0).normal(size=(50, 3))
    with pytest.raises(Halt):
        select_columns(X, X[:, 0], 1, 0, halt_at(3))


# ------------------------------------------------------------ smoothing


def test_noise_goes_and_the_curve_stays():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-3, 3, 150))
    curve = 1e6 + 3e5 * np.sin(2 * x)
    y = curve + 5e4 * rng.normal(size=150)
    X = np.column_stack([x * 1e-9, np.full(150, 7.0)])  # any units, and a column that does not vary
    smooth = denoised(X, y, 0, nothing)
    assert smooth.shape == (150,) and np.array_equal(smooth, denoised(X, y, 0, nothing))
    assert np.std(smooth - curve) < 0.5 * np.std(y - curve)


def test_smoothing_can_be_stopped():
    x = np.linspace(0, 1, 30)
    for count in (1, 4):
        with pytest.raises(Halt):
            denoised(x[:, None], np.sin(5 * x), 0, halt_at(count))


# ------------------------------------------------------------ batches


def test_batches_are_rows_in_order_each_once():
    rng, seen = np.random.default_rng(0), np.zeros(50)
    for _ in range(400):
        rows = batch_rows(50, 20, rng)
        assert len(set(rows.tolist())) == 20 and (np.diff(rows) > 0).all()
        seen[rows] += 1
    assert seen.min() > 100  # all rows alike: 160 times each
    assert batch_rows(10, 20, rng).tolist() == list(range(10))
    assert np.array_equal(batch_rows(99, 5, np.random.default_rng(1)), batch_rows(99, 5, np.random.default_rng(1)))
