"""Weights of a problem's conditions in the loss of its network, given or balanced by gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...validation import check_choice, check_number

__all__ = ["balanced", "read_weights"]

KEPT = 0.9  # of the old weights, at each look (Wang, Teng, Perdikaris 2021: alpha)
RANGE = (1e-2, 1e4)


def read_weights(weights: float | Mapping[int, float] | str, conditions: int) -> list[float]:
    """One weight for each condition, to begin with; see :func:`~srlib.distill.pinn.training.train_pinn`."""
    if isinstance(weights, str):
        check_choice("weights", weights, ("adaptive",))
        return [1.0] * conditions
    if isinstance(weights, Mapping):
        unknown = set(weights) - set(range(conditions))
        if unknown:
            raise ValueError(
                f"weights names condition {min(unknown, key=str)!r}: give numbers from 0 to {conditions - 1}"
            )
    else:
        weights = dict.fromkeys(range(conditions), weights)
    for number, weight in weights.items():
        check_number(f"the weight of condition {number}", weight, least=0)
    return [float(weights.get(j, 1.0)) for j in range(conditions)]


def balanced(weights: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Weights moved towards the ratio of the residual's gradient norm to that of each part, (parts,).

    Parameters
    ----------
    weights, norms : ndarray, shape (parts,)
        Before, and the norms of the gradients of the mean squares by the parameters; the residual's are the first, and
        its weight stays 1.
    """
    goal = np.clip(norms[0] / np.maximum(norms, 1e-300), *RANGE)
    return np.append(1.0, KEPT * weights[1:] + (1 - KEPT) * goal[1:])
