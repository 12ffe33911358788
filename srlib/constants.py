"""Constants of a formula, fitted to data with its structure as it is."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from .expression import Expression

__all__ = ["refit"]


def refit(
    expression: Expression,
    columns: Sequence[np.ndarray],
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
    max_steps: int = 100,
    until: float = math.inf,
) -> Expression:
    """The formula with its constants moved to a minimum of the squared error near where they are.

    Parameters
    ----------
    expression : Expression
        The formula; without constants it comes back as it is.
    columns : sequence of ndarray, each of shape (rows,)
        The features.
    y : ndarray, shape (rows,)
        The target.
    sample_weight : ndarray, shape (rows,), optional
        Weights of the squared errors.
    max_steps : int
        How many steps of Levenberg–Marquardt (:func:`scipy.optimize.least_squares`).
    until : float
        When the fit has not ended at this time of ``time.monotonic()``, the formula comes back as it is.

    Returns
    -------
    Expression
        Never worse than the one given.

    Examples
    --------
    >>> x = np.arange(5.0)
    >>> print(refit(Expression.parse("1.5*x0"), [x], 2 * x).format(3))
    2*x0
    """
    start = expression.constants
    if len(start) == 0:
        return expression
    from scipy.optimize import least_squares

    root = 1.0 if sample_weight is None else np.sqrt(sample_weight)  # (rows,) or a number
    scale = float(np.sqrt(np.mean(np.square(y)))) or 1.0

    late = time.monotonic() > until

    def residuals(constants):  # (constants,) -> (rows,)
        nonlocal late
        late = late or time.monotonic() > until
        if late:  # a flat sum of squares ends the fit at once; not every minpack lets errors through
            return np.zeros(len(y))
        try:
            r = (expression.with_constants(constants).evaluate_columns(columns) - y) / scale * root
        except ValueError:  # a step to infinity
            r = np.full(len(y), np.nan)
        return np.where(np.isfinite(r), r, 1e6) + np.zeros(len(y))

    with np.errstate(all="ignore"):
        before = residuals(start)
        method = "lm" if len(y) >= len(start) else "trf"
        try:
            found = least_squares(
                residuals, start, method=method, x_scale=np.maximum(np.abs(start), 1e-8),
                xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=max_steps * (len(start) + 1),
            )  # fmt: skip
        except ValueError:
            return expression
        better = np.isfinite(found.x).all() and np.sum(residuals(found.x) ** 2) < np.sum(before**2)
        if late or not better:
            return expression
    return expression.with_constants(found.x)
