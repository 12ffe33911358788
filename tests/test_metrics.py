"""Error metrics against scikit-learn, numpy and hand calculation."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from srlib import metrics

RNG = np.random.default_rng(0)
Y, P, W = RNG.normal(3, 2, 50), RNG.normal(3, 2, 50), RNG.uniform(0, 2, 50)
Y2, P2 = RNG.normal(size=(50, 3)), RNG.normal(size=(50, 3))
ALL = [metrics.mse, metrics.rmse, metrics.nrmse, metrics.mae, metrics.huber, metrics.r2, metrics.acpcr, metrics.acper]


@pytest.mark.parametrize("weights", [None, W])
def test_errors_agree_with_scikit_learn(weights):
    args = {"sample_weight": weights}
    assert metrics.mse(Y, P, **args) == pytest.approx(oracle.mean_squared_error(Y, P, **args))
    assert metrics.rmse(Y, P, **args) == pytest.approx(np.sqrt(oracle.mean_squared_error(Y, P, **args)))
    assert metrics.mae(Y, P, **args) == pytest.approx(oracle.mean_absolute_error(Y, P, **args))
    assert metrics.r2(Y, P, **args) == pytest.approx(oracle.r2_score(Y, P, **args))
    r2_all = oracle.r2_score(Y2, P2, multioutput="variance_weighted", **args)
    assert metrics.r2(Y2, P2, **args) == pytest.approx(r2_all)
    assert metrics.mse(Y2, P2, **args) == pytest.approx(oracle.mean_squared_error(Y2, P2, **args))


def test_nrmse_is_in_units_of_the_targets_deviation():
    assert metrics.nrmse(Y, P) == pytest.approx(np.sqrt(np.mean((Y - P) ** 2)) / np.std(Y))
    assert metrics.nrmse(Y, P, W) ** 2 == pytest.approx(1 - metrics.r2(Y, P, W))
    assert metrics.nrmse(1e30 * Y, 1e30 * P) == pytest.approx(metrics.nrmse(Y, P))


def test_huber_by_hand_with_delta_one_and_two():
    y, p = np.zeros(4), np.array([0.5, -1.0, 2.0, -4.0])
    assert metrics.huber(y, p) == pytest.approx((0.125 + 0.5 + 1.5 + 3.5) / 4)
    assert metrics.huber(y, p, delta=2.0) == pytest.approx((0.125 + 0.5 + 2.0 + 6.0) / 4)
    assert metrics.huber(y, p, sample_weight=[1, 0, 0, 0]) == pytest.approx(0.125)


def test_huber_is_the_squared_loss_for_large_delta_and_the_absolute_one_for_small():
    assert metrics.huber(Y, P, delta=1e3) == pytest.approx(metrics.mse(Y, P) / 2)
    assert metrics.huber(Y, P, delta=1e-6) / 1e-6 == pytest.approx(metrics.mae(Y, P), rel=1e-4)


def test_acpcr_counts_errors_below_the_threshold():
    y, p = np.zeros(5), np.array([0.0, 0.019, -0.019, 0.02, 1.0])
    assert metrics.acpcr(y, p) == pytest.approx(3 / 5)  # exactly at the threshold is an error
    assert metrics.acper(y, p) == pytest.approx(2 / 5)
    assert metrics.acpcr(y, p, threshold=0.5) == pytest.approx(4 / 5)
    assert metrics.acpcr(y, p, sample_weight=[0, 0, 0, 1, 3]) == 0.0


@pytest.mark.parametrize("relative_to", [None, "rms", "value"])
def test_the_two_rates_add_up_to_one(relative_to):
    rates = [rate(Y, P, 0.3, relative_to=relative_to) for rate in (metrics.acpcr, metrics.acper)]
    assert sum(rates) == pytest.approx(1) and 0 < rates[0] < 1


def test_only_the_relative_rates_do_not_depend_on_the_scale_of_the_simulation():
    near = Y + 0.01 * RNG.normal(size=50)
    for scale in (1e-3, 1e3):
        for relative_to in ("rms", "value"):
            small = metrics.acpcr(scale * Y, scale * near, relative_to=relative_to)
            assert small == metrics.acpcr(Y, near, relative_to=relative_to)
    assert metrics.acpcr(1e-3 * Y, 1e-3 * P) == 1.0  # small accelerations: every model is "almost correct"
    assert metrics.acpcr(1e3 * Y, 1e3 * near) < 0.1


def test_array_likes_are_welcome_and_floats_returned():
    for metric in ALL:
        value = metric([1, 2, 4], (1.0, 2.5, 4))
        assert type(value) is float
        assert value == metric(np.array([1, 2, 4]), np.array([1.0, 2.5, 4]))


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([1, 2, 3], [1, 2], r"y_true has shape \(3,\) and y_pred \(2,\).*one prediction for each"),
        ([1, 2, 3], [[1], [2], [3]], r"y_pred \(3, 1\).*ravel"),
        ([], [], r"y_true has shape \(0,\).*at least one row"),
        (3.0, 3.0, r"y_true has shape \(\)"),
        (np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), r"y_true has shape \(2, 2, 2\)"),
        ([1, np.nan, 3], [1, 2, 3], "y_true holds 1 values that are NaN or infinite, the first in row 1"),
        ([1, 2, 3], [1, 2, np.inf], "y_pred holds 1 .* row 2: leave those rows out"),
        (["a", "b"], [1, 2], "y_true must be numbers.*convert text"),
    ],
)
def test_bad_arrays_are_refused_by_name(metric, y, p, message):
    with pytest.raises(ValueError, match=message):
        metric(y, p)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 2], r"sample_weight has shape \(2,\).*each of the 3 rows"),
        ([1, -1, 1], "must not be negative"),
        ([0, 0, 0], "at least one weight must be positive"),
        ([1, np.nan, 1], "sample_weight holds 1 values"),
    ],
)
def test_bad_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        metrics.mse([1, 2, 3], [1, 2, 3], sample_weight=weight)


@pytest.mark.parametrize("constant", [0.0, 2.0, 0.1, 1e30])
def test_a_constant_target_has_no_scale(constant):
    for metric in (metrics.r2, metrics.nrmse):
        with pytest.raises(ValueError, match="y_true is constant.*use rmse or mae"):
            metric([constant] * 7, np.arange(7.0))
    assert metrics.rmse([constant] * 7, [constant] * 7) == 0.0


def test_bad_parameters_name_themselves():
    for delta in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="delta="):
            metrics.huber(Y, P, delta=delta)
    for threshold in (0, -0.02, np.nan):
        with pytest.raises(ValueError, match="threshold="):
            metrics.acpcr(Y, P, threshold=threshold)
    with pytest.raises(ValueError, match="relative_to='sd': choose None"):
        metrics.acpcr(Y, P, relative_to="sd")
