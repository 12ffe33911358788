"""How well methods adapt: the same steps on the same fresh tasks for each, with each one's inner rate tuned alike."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .adapt import Adapted
from .outer import MetaLearned
from .tasks import Tasks

__all__ = ["Curve", "adaptation_curve", "tune_rate"]


@dataclass(frozen=True)
class Curve:
    """Query errors (mean squared, without any penalty) by inner step.

    Attributes
    ----------
    steps : tuple of int
    median, low, high : ndarray, shape (steps,)
        Over the tasks; 90 % of them lie between low and high.
    mean : ndarray, shape (steps,)
        Infinite as soon as a task has diverged.
    diverged : int
    zero_median, zero_mean : float
        Of predicting zero on the same tasks.
    """

    steps: tuple[int, ...]
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    diverged: int
    zero_median: float
    zero_mean: float

    @classmethod
    def of(cls, adapted: Adapted, tasks: Tasks) -> Curve:
        """The summary of an adaptation."""
        errors, zero = adapted.query_errors.double().numpy(), tasks.zero_errors().numpy()
        # the nearest task, not a mean of two: one of them may be infinite
        low, median, high = np.quantile(errors, [0.05, 0.5, 0.95], axis=1, method="nearest")
        diverged = int(adapted.diverged.sum())
        return cls(
            adapted.steps, median, low, high, errors.mean(axis=1), diverged, float(np.median(zero)), float(zero.mean())
        )


def adaptation_curve(
    learned: MetaLearned, tasks: Tasks, steps: Sequence[int] = (0, 1, 5, 10, 100), factor: float = 1.0
) -> Curve:
    """Adapt to fresh tasks, and summarise their query errors after so many steps.

    Parameters
    ----------
    learned : MetaLearned
        From :func:`maml`, :func:`joint`, or the model as it starts (:meth:`MetaLearned.from_scratch`).
    tasks : Tasks
        None of those that the training or :func:`tune_rate` has seen.
    steps : sequence of int
    factor : float
        Of the inner rates.
    """
    if len(steps) == 0:
        raise ValueError(f"steps is {steps!r}: give at least one number of inner steps, such as (0, 1, 5)")
    return Curve.of(learned.adapt(tasks, max(steps), factor=factor, keep=steps), tasks)


def tune_rate(
    learned: MetaLearned, tasks: Tasks, factors: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0), steps: int = 5
) -> float:
    """The factor of the inner rates with the lowest median query error after so many steps.

    Compare methods only after each was tuned with the same factors: most of what MAML seems to gain over joint training
    at one rate for both is the rate.

    Parameters
    ----------
    tasks : Tasks
        To choose by; judge on others.
    """
    if len(factors) == 0:
        raise ValueError(f"factors is {factors!r}: give at least one number, such as (0.1, 1.0, 10.0)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        errors = [
            learned.adapt(tasks, steps, factor=factor, keep=[steps]).query_errors[0].median().item()
            for factor in factors
        ]
    return float(factors[int(np.argmin(errors))])
