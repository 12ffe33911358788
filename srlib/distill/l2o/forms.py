"""Forms of update rules, fitted to trajectories: linear ones, the document's sum of tanh, and sums of tanh units."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from ...expression import Expression
from ...validation import check_number
from .features import lags
from .trajectories import Trajectories

__all__ = ["linear_rule", "tanh_sum", "tanh_units"]


def tanh_sum(
    trajectories: Trajectories, signals: Sequence[str] = ("mt", "gt"), count: int = 20, ridge: float = 1e-6
) -> Expression:
    """The best rule ``sum W[s, tau] * gamma[s] * tanh(s_tau / gamma[s])`` (document 001, eq. 6), tau up to ``count``.

    Parameters
    ----------
    trajectories : Trajectories
        With the lags of each signal.
    signals : sequence of str
    count : int
        The longest lag.
    ridge : float
        Penalty of the squared weights, as a share of the mean square of the terms: lags of an average are nearly the
        same, and would cancel with huge weights.

    Notes
    -----
    Weights are least squares for given gamma; these, one for each signal, are minimised over by Nelder and Mead,
    between exp(-7) and exp(7). At the upper end, which is far beyond the features, the terms are linear: the best rule
    of this form is then :func:`linear_rule`.
    """
    from scipy.optimize import minimize

    names = [name for signal in signals for name in lags(signal, count)]
    X = trajectories.only(names).X  # (rows, signals * lags)
    y, group = trajectories.y, np.repeat(np.arange(len(signals)), count + 1)

    def fitted(log_gamma):
        gamma = np.exp(np.clip(log_gamma, -7, 7))[group]
        terms = gamma * np.tanh(X / gamma)
        W = _ridge(terms, y, ridge)
        return gamma, W, float(np.mean((terms @ W - y) ** 2))

    best = minimize(lambda z: fitted(z)[2], np.zeros(len(signals)), method="Nelder-Mead", options={"maxiter": 60})
    gamma, W, _ = fitted(best.x)
    pieces = [f"{w * c!r}*tanh({name}/{c!r})" for w, c, name in zip(W.tolist(), gamma.tolist(), names, strict=True)]
    return Expression.parse(" + ".join(pieces), names=names)


def linear_rule(trajectories: Trajectories, ridge: float = 0.0) -> Expression:
    """The best linear combination of the features, by least squares."""
    names, W = trajectories.names, _ridge(trajectories.X, trajectories.y, ridge)
    pieces = [f"{w!r}*{name}" for w, name in zip(W.tolist(), names, strict=True)]
    return Expression.parse(" + ".join(pieces), names=names)


def tanh_units(
    trajectories: Trajectories, units: int = 4, starts: int = 3, penalty: float = 1e-3, seed: int = 0
) -> Expression:
    """A rule ``c + sum_k w_k tanh(b_k + sum_x a_kx x)`` over the features x: equation 6 with the sum inside the tanh.

    It is a network with one layer of tanh units, written as a formula: the features of a unit can act on each other,
    which they cannot in :func:`tanh_sum`.

    Parameters
    ----------
    trajectories : Trajectories
        All of its features are used.
    units : int
    starts : int
        Fits from so many random weights; the one with the smallest error is taken.
    penalty : float
        Of the squared weights, for features and updates of unit variance (scikit-learn's ``alpha``).
    seed : int

    Notes
    -----
    scikit-learn's MLPRegressor fits it by L-BFGS in at most 500 iterations, usually not to the end: that is no error.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    for name, value in (("units", units), ("starts", starts)):
        check_number(name, value, least=1, whole=True)
    check_number("penalty", penalty, least=0)
    X, y = trajectories.X, trajectories.y
    middle, width = X.mean(axis=0), X.std(axis=0)
    width = np.where(width > 0, width, 1.0)
    shift, size = float(y.mean()), float(y.std()) or 1.0
    fits = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for start in range(starts):
            network = MLPRegressor(
                hidden_layer_sizes=(units,), activation="tanh", solver="lbfgs", alpha=penalty, max_iter=500,
                random_state=seed + start,
            )  # fmt: skip
            fits.append(network.fit((X - middle) / width, (y - shift) / size))
    best = min(fits, key=lambda one: one.loss_)
    (A, w), (b, c) = best.coefs_, best.intercepts_  # (features, units), (units, 1), (units,), (1,)
    A = A / width[:, None]
    b = b - middle @ A
    pieces = [repr(float(shift + size * c[0]))]
    for unit in range(units):
        inner = " + ".join(f"{a!r}*{name}" for a, name in zip(A[:, unit].tolist(), trajectories.names, strict=True))
        pieces.append(f"{float(size * w[unit, 0])!r}*tanh({float(b[unit])!r} + {inner})")
    return Expression.parse(" + ".join(pieces), names=trajectories.names)


def _ridge(terms: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """Weights of least squares with a penalty of ``ridge`` times the mean square of the terms."""
    if ridge == 0:
        return np.linalg.lstsq(terms, y, rcond=None)[0]
    gram = terms.T @ terms
    penalty = ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram + penalty, terms.T @ y)
