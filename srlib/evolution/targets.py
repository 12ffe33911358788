"""What may stand outermost in a formula ``y = h(sum)``: with g the inverse of h, ``g(y)`` is a linear model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..expression import Expression
from .writing import Unwritable, Writer

__all__ = ["Target", "identity", "targets"]


@dataclass(frozen=True)
class Target:
    """A transformed target.

    Attributes
    ----------
    name : str
        The outermost operation, or ``"identity"``.
    values : ndarray, shape (rows,)
        ``g(y)``.
    slope : ndarray, shape (rows,)
        ``|dy/dg|``: what an error of 1 in ``g`` is in ``y``; the root of the row's weight, so that noise in y counts
        alike in all rows; at most 1.
    unit : float
        What the slope was divided by.
    write : callable
        ``write(sum) -> formula of y``.
    undo : callable
        ``undo(values of the sum) -> values of y``.
    """

    name: str
    values: np.ndarray
    slope: np.ndarray
    unit: float
    write: Callable[[Expression], Expression]
    undo: Callable[[np.ndarray], np.ndarray]


def identity(y: np.ndarray) -> Target:
    """The target as it is."""
    return Target("identity", y, np.ones_like(y), 1.0, lambda e: e, lambda t: t)


def targets(y: np.ndarray, writer: Writer) -> list[Target]:
    """The transformed targets that the data allow and the alphabet can undo; the target itself comes first."""
    found = [identity(y)]

    def add(name, values, slope, write):
        if not (np.isfinite(values).all() and np.isfinite(slope).all()) or np.ptp(values) == 0:
            return
        largest = slope.max()
        if largest > 0:
            # a row never counts more than 1e8 times less than the most important one
            try:
                formula = write(Expression.variable(0))
            except Unwritable:
                return
            weights = np.maximum(slope / largest, 1e-8)
            found.append(Target(name, values, weights, float(largest), write, lambda t: formula.evaluate_columns([t])))

    def unary(name):
        return lambda e: writer.apply(name, e)

    sign = 1.0 if (y > 0).all() else -1.0 if (y < 0).all() else 0.0
    size = np.abs(y)
    with np.errstate(all="ignore"):
        if "sqrt" in writer and (y >= 0).all():
            add("sqrt", y * y, 1 / np.maximum(2 * size, 1e-3 * size.max()), unary("sqrt"))
        if sign and ("div" in writer or "inv" in writer):
            add("div", 1 / y, y * y, lambda e: writer.over(1.0, e))
        if "log" in writer and size.max() < 300:
            t = np.exp(y)
            add("log", t, 1 / t, unary("log"))
            add("-log", 1 / t, t, lambda e: writer.times(-1.0, writer.apply("log", e)))
        if "exp" in writer and sign:
            write = unary("exp") if sign > 0 else lambda e: writer.times(-1.0, writer.apply("exp", e))
            add("exp", np.log(size), size, write)
        if "sqrt" in writer and sign > 0 and ("div" in writer or "inv" in writer):
            add("1/sqrt", 1 / (y * y), size**3, lambda e: writer.over(1.0, writer.apply("sqrt", e)))
        if "square" in writer and sign:
            write = unary("square") if sign > 0 else lambda e: writer.times(-1.0, writer.apply("square", e))
            add("square", np.sqrt(size), np.sqrt(size), write)
        inverses = {
            "asin": (np.sin, lambda t: 1 / np.sqrt(1 - t * t), (size <= np.pi / 2).all()),
            "acos": (np.cos, lambda t: 1 / np.sqrt(1 - t * t), ((y >= 0) & (y <= np.pi)).all()),
            "atan": (np.tan, lambda t: 1 / (1 + t * t), (size < np.pi / 2).all()),
            "tanh": (np.arctanh, lambda t: 1 / np.cosh(t) ** 2, (size < 1).all()),
            "sigmoid": (lambda v: np.log(v / (1 - v)), lambda t: 1 / (2 + 2 * np.cosh(t)), ((y > 0) & (y < 1)).all()),
            "asinh": (np.sinh, lambda t: 1 / np.sqrt(1 + t * t), size.max() < 300),
            "cbrt": (lambda v: v**3, lambda t: 1 / (3 * np.cbrt(t * t) + 1e-300), True),
            "cube": (np.cbrt, lambda t: 3 * t * t, True),
            "log10": (lambda v: 10.0**v, lambda t: 1 / t, size.max() < 100),
            "log2": (lambda v: 2.0**v, lambda t: 1 / t, size.max() < 300),
            "log1p": (np.expm1, lambda t: 1 / (1 + t), size.max() < 300),
        }
        for name, (inverse, slope, allowed) in inverses.items():
            if name in writer and allowed:
                t = inverse(y)
                limit = 1e4 if name in ("asin", "acos") else np.inf
                add(name, t, np.minimum(np.nan_to_num(slope(t), nan=limit, posinf=limit), limit), unary(name))
    return found
