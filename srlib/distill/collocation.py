"""Collocation points: where a network is asked to satisfy its equation and its conditions."""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

from ..validation import check_choice, check_number
from .equations import Condition, DifferentialProblem

__all__ = ["SAMPLINGS", "condition_points", "refined_points", "spread_points"]

SAMPLINGS = ("lhs", "sobol", "halton", "random")
POOL = 10  # candidates for each point that is to be drawn anew


def spread_points(problem: DifferentialProblem, rows: int, sampling: str = "lhs", seed=0) -> np.ndarray:
    """Points spread over the domain, (rows, variables).

    Parameters
    ----------
    rows : int
    sampling : {"lhs", "sobol", "halton", "random"}
        Latin hypercube, scrambled Sobol or Halton sequence (:mod:`scipy.stats.qmc`), or independent draws.
    seed : int or sequence of int
    """
    check_number("rows", rows, least=1, whole=True)
    return problem.low + _unit(len(problem.names), rows, sampling, seed) * (problem.high - problem.low)


def condition_points(
    problem: DifferentialProblem, condition: Condition, rows: int, sampling: str = "lhs", seed=0
) -> np.ndarray:
    """Points where a condition holds, (rows, variables); a single one if it fixes all variables."""
    free = [j for j, name in enumerate(problem.names) if name not in condition.on]
    points = np.tile([float(condition.on.get(name, 0.0)) for name in problem.names], (rows if free else 1, 1))
    if free:
        low, high = problem.low[free], problem.high[free]
        points[:, free] = low + _unit(len(free), rows, sampling, seed) * (high - low)
    return points


def refined_points(problem: DifferentialProblem, rows: int, residual, power: float = 1.0, seed=0) -> np.ndarray:
    """Points drawn where the residual is large, (rows, variables).

    With probability proportional to ``|r|^power / mean(|r|^power) + 1`` from candidates spread over the domain: the
    residual-based adaptive distribution of C. Wu and others (Comput. Methods Appl. Mech. Eng. 403, 2023), whose k is
    ``power`` and whose c is 1. Even where the residual is 0 points stay.

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


def _unit(dimensions: int, rows: int, sampling: str, seed) -> np.ndarray:
    """Points of the unit cube, (rows, dimensions)."""
    check_choice("sampling", sampling, SAMPLINGS)
    rng = np.random.default_rng(seed)
    if sampling == "random":
        return rng.random((rows, dimensions))
    engine = {"lhs": qmc.LatinHypercube, "sobol": qmc.Sobol, "halton": qmc.Halton}[sampling]
    # the generator's argument is called seed before scipy 1.15 and rng since
    sampler = engine(dimensions, **{"rng" if _takes_rng(engine) else "seed": rng})
    if sampling == "sobol":  # whole powers of 2 are balanced; of a larger block the first rows still are nearly
        return sampler.random_base2(int(np.ceil(np.log2(rows))))[:rows]
    return sampler.random(rows)


def _takes_rng(engine) -> bool:
    from inspect import signature

    return "rng" in signature(engine.__init__).parameters
