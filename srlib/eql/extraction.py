"""From weights to a formula: what a network computes, written by sympy, without the small weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import sympy
import torch

from ..expression import Expression
from .network import Architecture
from .units import folded

__all__ = ["to_expression", "to_sympy", "used_weights"]


def to_sympy(
    architecture: Architecture, weights: np.ndarray, threshold: float = 0.0, names: Sequence[str] | None = None
) -> sympy.Expr:
    """The formula that one trial computes.

    Parameters
    ----------
    architecture : Architecture
    weights : ndarray, shape (weights,)
        Of one trial.
    threshold : float
        Weights up to this size count as 0.
    names : sequence of str, optional
        The features' names; by default ``x0``, ``x1``, …

    Returns
    -------
    sympy.Expr
        sympy merges factors and like terms as it builds; nothing is expanded or rounded.
    """
    names = names or [f"x{j}" for j in range(architecture.features)]
    weights = np.where(np.abs(weights) > threshold, weights, 0.0)
    matrices = [matrix.numpy() for matrix in architecture.matrices(torch.from_numpy(weights))]

    @cache
    def value(layer: int, unit: int) -> sympy.Expr:
        """Of a feature (layer 0) or of a unit of a hidden layer."""
        if layer == 0:
            return sympy.Symbol(names[unit])
        kind, columns = architecture.arguments(unit)
        return kind.sympy(*(total(layer - 1, column) for column in columns))

    def total(layer: int, column: int) -> sympy.Expr:
        """What a matrix gives in a column; only units with a weight are looked at."""
        column = matrices[layer][:, column]  # (inputs,)
        return sympy.Add(*(sympy.Float(column[unit]) * value(layer, int(unit)) for unit in np.flatnonzero(column)))

    return total(architecture.layers, 0)


def to_expression(
    architecture: Architecture, weights: np.ndarray, threshold: float = 0.0, names: Sequence[str] | None = None
) -> Expression:
    """The formula of :func:`to_sympy` as an Expression; the same arguments.

    Raises
    ------
    ValueError
        If it has no finite value anywhere, such as 1/0 where all weights of a denominator are cut.
    """
    return folded(Expression.from_sympy(to_sympy(architecture, weights, threshold, names), names))


def used_weights(architecture: Architecture, alive: np.ndarray) -> np.ndarray:
    """Which of the weights that are not 0 matter: they lie on a way to the output, from a feature or a constant.

    Parameters
    ----------
    alive : ndarray of bool, shape (weights,)

    Returns
    -------
    ndarray of bool, shape (weights,)
    """
    matrices = [m.numpy() for m in architecture.matrices(torch.from_numpy(alive.copy()))]  # views, changed below
    kinds = [architecture.arguments(unit) for unit in range(architecture.width)]
    flowing = np.ones(architecture.features, bool)
    for layer, matrix in enumerate(matrices):  # forwards: what carries a value that is not 0 (or need not be)
        matrix &= flowing[:, None]
        if layer < architecture.layers:
            reached = matrix.any(axis=0)  # (arguments,)
            flowing = np.array([_passes(kind.name, [reached[c] for c in columns]) for kind, columns in kinds])
    for layer in reversed(range(architecture.layers)):  # backwards: what the output depends on
        needed = matrices[layer + 1].any(axis=1)  # (units,)
        for (_, columns), one in zip(kinds, needed, strict=True):
            matrices[layer][:, list(columns)] &= one
    return np.concatenate([matrix.ravel() for matrix in matrices])


def _passes(kind: str, reached: list[bool]) -> bool:
    """Whether a unit's value may differ from 0 if only these of its arguments do; True of kinds it does not know."""
    if kind in ("product", "division"):
        return all(reached)
    return any(reached) or kind not in ("identity", "square", "sin", "exp", "tanh")
