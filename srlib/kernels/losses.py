"""The loss of one row, and the weight with which it enters a least-squares step.

A loss l(r) of the residual r is brought down by weighted least squares, each row with the weight l'(r) / (2 r), which
is 1 for the squared loss (iteratively reweighted least squares). All losses of the list are convex, so these weights
are never negative; those of a user's function are cut at 0.
"""

from __future__ import annotations

import math

from .jit import call2, kernel

__all__ = ["LOSSES", "row_loss", "row_weight"]

SQUARED, ABSOLUTE, HUBER, QUANTILE, LOGCOSH, CUSTOM = range(6)
LOSSES = {"squared": SQUARED, "absolute": ABSOLUTE, "huber": HUBER, "quantile": QUANTILE, "logcosh": LOGCOSH}
NEAR = 1e-9  # residuals below this share of the target's spread count as this large, so that weights stay finite


@kernel
def row_loss(kind, parameter, address, prediction, target):
    """The loss of one row; ``parameter`` is Huber's threshold or the quantile, ``address`` a user's function."""
    r = prediction - target
    if kind == SQUARED:
        return r * r
    if kind == ABSOLUTE:
        return abs(r)
    if kind == HUBER:
        return 0.5 * r * r if abs(r) <= parameter else parameter * (abs(r) - 0.5 * parameter)
    if kind == QUANTILE:
        return -parameter * r if r < 0.0 else (1.0 - parameter) * r
    if kind == LOGCOSH:
        return abs(r) + math.log1p(math.exp(-2.0 * abs(r))) - 0.6931471805599453
    return call2(address, prediction, target)


@kernel
def row_weight(kind, parameter, address, prediction, target, spread):
    """The weight of one row in the next least-squares step."""
    r = prediction - target
    size = max(abs(r), NEAR * spread)
    if kind == SQUARED:
        return 1.0
    if kind == ABSOLUTE:
        return 0.5 / size
    if kind == HUBER:
        return 0.5 if abs(r) <= parameter else 0.5 * parameter / abs(r)
    if kind == QUANTILE:
        return 0.5 * parameter / size if r < 0.0 else 0.5 * (1.0 - parameter) / size
    if kind == LOGCOSH:
        return 0.5 * math.tanh(size) / size
    h = 1e-5 * size + 1e-12 * abs(prediction)
    slope = (call2(address, prediction + h, target) - call2(address, prediction - h, target)) / (2.0 * h)
    return max(0.0, 0.5 * slope / (size if r >= 0.0 else -size))
