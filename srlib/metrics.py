"""How wrong a prediction is: errors, R2, the two rates of document 002, and `recovers` for the formula itself.

Every function takes the targets first and the predictions second, of shape (rows,) or (rows, outputs), and returns
a float. `sample_weight` has one weight for each row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .recovery import Recovery, recovers

__all__ = ["Recovery", "acpcr", "acper", "huber", "mae", "mse", "nrmse", "r2", "recovers", "rmse"]


def mse(y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean squared error.

    >>> mse([1.0, 2.0, 3.0], [1.0, 2.0, 5.0])
    1.3333333333333333
    """
    y, p, w = _checked(y_true, y_pred, sample_weight)
    return _mean((y - p) ** 2, w)


def rmse(y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the root of the mean squared error, in the units of the target.

    >>> rmse([0.0, 0.0], [3.0, 3.0])
    3.0
    """
    return float(np.sqrt(mse(y_true, y_pred, sample_weight)))


def nrmse(y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the root mean squared error divided by the standard deviation of the target.

    The deviation is the population one (divided by the number of rows), so that ``nrmse**2 == 1 - r2``: the mean of
    the target scores 1, a perfect prediction 0. This is the NRMSE in the reward of deep symbolic regression.

    >>> nrmse([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    1.0
    """
    y, p, w = _checked(y_true, y_pred, sample_weight)
    return float(np.sqrt(_mean((y - p) ** 2, w) / _variance(y, w)))


def mae(y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean absolute error, the L1 loss of document 002.

    >>> mae([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    1.0
    """
    y, p, w = _checked(y_true, y_pred, sample_weight)
    return _mean(np.abs(y - p), w)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean Huber loss: quadratic for errors below `delta`, linear above.

    An error e costs e**2/2 up to `delta` and delta*(|e| - delta/2) beyond, which joins smoothly. Document 002 prints
    the case delta = 1.

    >>> huber([0.0, 0.0], [1.0, 3.0])
    1.5
    """
    if not (np.isfinite(delta) and delta > 0):
        raise ValueError(f"delta={delta!r}: the error where the Huber loss turns linear must be a positive number")
    y, p, w = _checked(y_true, y_pred, sample_weight)
    e = np.abs(y - p)
    return _mean(np.where(e < delta, 0.5 * e**2, delta * (e - 0.5 * delta)), w)


def r2(y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the coefficient of determination: 1 is perfect, 0 is as good as the mean, negative is worse.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    y, p, w = _checked(y_true, y_pred, sample_weight)
    return 1.0 - _mean((y - p) ** 2, w) / _variance(y, w)


def acpcr(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    threshold: float = 0.02,
    relative_to: str | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the Almost Correct Prediction Correct Rate: the share of errors below a threshold (document 002).

    Parameters
    ----------
    threshold : float
        0.02 in the document, in the units of the target: a simulation with small accelerations then scores well
        whatever the model does.
    relative_to : None, "rms" or "value"
        What the threshold is a fraction of. None: of nothing, as in the document. "rms": of the root mean square of
        the target (one scale for all rows). "value": of each row's own target, strict where it is near zero.

    Returns
    -------
    float
        Between 0 and 1. With several outputs each component counts by itself.

    Examples
    --------
    >>> acpcr([1.0, 2.0, 3.0, 4.0], [1.01, 2.01, 3.01, 4.5])
    0.75
    >>> acpcr([0.001, 0.002], [0.0, 0.0]), acpcr([0.001, 0.002], [0.0, 0.0], relative_to="rms")
    (1.0, 0.0)
    """
    if not (np.isfinite(threshold) and threshold > 0):
        raise ValueError(f"threshold={threshold!r}: must be a positive number such as 0.02")
    y, p, w = _checked(y_true, y_pred, sample_weight)
    if relative_to is None:
        scale = 1.0
    elif relative_to == "rms":
        scale = np.sqrt(_mean(y**2, w))
    elif relative_to == "value":
        scale = np.abs(y)
    else:
        raise ValueError(f'relative_to={relative_to!r}: choose None, "rms" or "value"')
    return _mean((np.abs(y - p) < threshold * scale).astype(float), w)


def acper(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    threshold: float = 0.02,
    relative_to: str | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the Almost Correct Prediction Error Rate, 1 - ACPCR (document 002; see `acpcr`).

    The document leaves an error exactly at the threshold out of both rates, and says that they add up to 1; here it
    counts as an error, so that they do.

    >>> acper([1.0, 2.0, 3.0, 4.0], [1.01, 2.01, 3.01, 4.5])
    0.25
    """
    return 1.0 - acpcr(y_true, y_pred, threshold, relative_to, sample_weight)


def _checked(y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> tuple[np.ndarray, ...]:
    """Return targets, predictions and weights as float arrays of one shape, or raise ValueError."""
    y, p = _array("y_true", y_true), _array("y_pred", y_pred)
    if y.shape != p.shape:
        raise ValueError(
            f"y_true has shape {y.shape} and y_pred {p.shape}: give one prediction for each target "
            "(a column of shape (rows, 1) becomes (rows,) by .ravel())"
        )
    if sample_weight is None:
        return y, p, np.ones_like(y)
    w = _array("sample_weight", sample_weight)
    if w.shape != (len(y),):
        raise ValueError(f"sample_weight has shape {w.shape}: give one weight for each of the {len(y)} rows")
    if (w < 0).any() or w.sum() == 0:
        raise ValueError("sample_weight must not be negative, and at least one weight must be positive")
    return y, p, np.broadcast_to(w.reshape(-1, *[1] * (y.ndim - 1)), y.shape)


def _array(name: str, values: ArrayLike) -> np.ndarray:
    """Return `values` as a finite, non-empty float array of one or two dimensions."""
    try:
        a = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got {str(values)[:60]!r}: convert text columns first") from None
    if a.ndim not in (1, 2) or a.size == 0:
        raise ValueError(f"{name} has shape {a.shape}: expected (rows,) or (rows, outputs) with at least one row")
    if not np.isfinite(a).all():
        bad = np.argwhere(~np.isfinite(a))[0]
        raise ValueError(
            f"{name} holds {(~np.isfinite(a)).sum()} values that are NaN or infinite, the first in row {bad[0]}: "
            "leave those rows out of both arrays, or count the formula as failed"
        )
    return a


def _mean(a: np.ndarray, w: np.ndarray) -> float:
    return float(np.sum(w * a) / np.sum(w))


def _variance(y: np.ndarray, w: np.ndarray) -> float:
    """Return the weighted population variance of the target, each output about its own mean."""
    mean = np.sum(w * y, axis=0) / np.sum(w, axis=0)
    variance = _mean((y - mean) ** 2, w)
    # a constant column's mean is rounded, so that its variance is not exactly zero
    if variance <= (1e-15 * np.abs(y).max()) ** 2:
        raise ValueError("y_true is constant: its standard deviation is 0 and cannot scale an error; use rmse or mae")
    return variance
