"""Collocation points: where a network is asked to satisfy its equation and its conditions."""

from __future__ import annotations

import numpy as np

from ..sampling import Box
from .equations import Condition, DifferentialProblem

__all__ = ["SAMPLINGS", "condition_points", "refined_points", "spread_points"]

SAMPLINGS = ("latin", "halton", "uniform")
POOL = 10  # candidates for each point that is to be drawn anew


def spread_points(problem: DifferentialProblem, rows: int, sampling: str = "latin", seed=0) -> np.ndarray:
    """Points spread over the domain as a :class:`~srlib.distill.sampling.Box` spreads them, (rows, variables)."""
    return Box({name: problem.domain[name] for name in problem.names}, rows, sampling).sample(seed)


def condition_points(
    problem: DifferentialProblem, condition: Condition, rows: int, sampling: str = "latin", seed=0
) -> np.ndarray:
    """Points where a condition holds, (rows, variables); a single one if it fixes all variables."""
    free = {name: problem.domain[name] for name in problem.names if name not in condition.on}
    drawn = iter(Box(free, rows, sampling).sample(seed).T) if free else None
    count = rows if free else 1
    return np.stack(
        [np.full(count, float(condition.on[n])) if n in condition.on else next(drawn) for n in problem.names], axis=1
    )


def refined_points(problem: DifferentialProblem, rows: int, residual, power: float = 1.0, seed=0) -> np.ndarray:
    """Points drawn where the residual is large, (rows, variables).

    With probability proportional to ``|r|^power / mean(|r|^power) + 1`` from candidates spread over the domain: the
    residual-based adaptive distribution of C. Wu and others (Comput. Methods Appl. Mech. Eng. 403, 2023), whose k is
    ``power`` and whose c is 1. Some points stay where the residual is 0.

    Parameters
    ----------
    residual : callable
        ``residual(points)`` gives one number for each row.
    """
    rng = np.random.default_rng(seed)
    candidates = problem.low + rng.random((POOL * rows, len(problem.names))) * (problem.high - problem.low)
    size = np.abs(residual(candidates)) ** power
    mean = size.mean()
    chance = size / mean + 1.0 if np.isfinite(mean) and mean > 0 else np.ones(len(size))
    return candidates[rng.choice(len(candidates), rows, replace=False, p=chance / chance.sum())]
