"""Constants of a formula: fitted to data with its structure as it is, and how well the data determine them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from .expression import Expression

__all__ = ["covariance", "mean_squared_error", "refit", "standard_errors", "with_error"]

DEPENDENT = 1e-11  # singular values below this share of the largest are those of constants that replace each other
DEPENDS = 1e-4  # a constant whose share in such a combination is smaller is determined nevertheless


def refit(
    expression: Expression,
    columns: Sequence[np.ndarray],
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
    max_steps: int = 100,
    until: float = math.inf,
    directions: np.ndarray | None = None,
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
        How many steps within a trust region (:func:`scipy.optimize.least_squares`).
    until : float
        When the fit has not ended at this time of ``time.monotonic()``, the formula comes back as it is.
    directions : ndarray, shape (constants, parameters), optional
        The constants move along the columns of this matrix only: a row of zeros holds one as it is, two rows that
        are equal move two together. Then derivatives are exact, so that constants such as 6.6e-34 can be fitted. By
        default each moves freely, with derivatives by finite differences.

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
    start = values = expression.constants
    if directions is not None and len(start):
        start = directions.T @ values / np.maximum(np.sum(directions**2, axis=0), 1.0)  # (parameters,)
    if len(start) == 0:
        return expression
    from scipy.optimize import least_squares

    root = 1.0 if sample_weight is None else np.sqrt(sample_weight)  # (rows,) or a number
    scale = float(np.sqrt(np.mean(np.square(y)))) or 1.0

    def moved(parameters):
        if directions is None:
            return expression.with_constants(parameters)
        return expression.with_constants(values + directions @ (parameters - start))

    late = time.monotonic() > until

    def residuals(constants):  # (parameters,) -> (rows,)
        nonlocal late
        late = late or time.monotonic() > until
        if late:  # a flat sum of squares ends the fit at once
            return np.zeros(len(y))
        try:
            r = (moved(constants).evaluate_columns(columns) - y) / scale * root
        except ValueError:  # a step to infinity
            r = np.full(len(y), np.nan)
        return np.where(np.isfinite(r), r, 1e6) + np.zeros(len(y))

    def exact_derivatives(parameters):  # (parameters,) -> (rows, parameters)
        from .kernels import jacobian

        derivatives = jacobian(moved(parameters), columns)[1] @ directions / scale * np.reshape(root, (-1, 1))
        return np.where(np.isfinite(derivatives), derivatives, 0.0)

    jac, size = "2-point", np.maximum(np.abs(start), 1e-8)
    if directions is not None:
        jac, size = exact_derivatives, np.where(start == 0, 1.0, np.abs(start))
    with np.errstate(all="ignore"):
        before = residuals(start)
        try:
            # not method="lm": scipy's MINPACK gives other last digits from one call to the next, and where constants
            # are hardly determined that becomes another formula
            found = least_squares(
                residuals, start, jac, method="trf", x_scale=size,
                xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=max_steps * (len(start) + 1),
            )  # fmt: skip
        except ValueError:
            return expression
        better = np.isfinite(found.x).all() and np.sum(residuals(found.x) ** 2) < np.sum(before**2)
        if late or not better:
            return expression
    return moved(found.x)


def standard_errors(
    expression: Expression, columns: Sequence[np.ndarray], y: np.ndarray, sample_weight: np.ndarray | None = None
) -> np.ndarray:
    """How far each constant may be off, by the Gauss-Newton approximation at a least-squares fit.

    Parameters
    ----------
    expression : Expression
        The formula, with its constants at (or near) their least-squares values.
    columns : sequence of ndarray, each of shape (rows,)
        The features.
    y : ndarray, shape (rows,)
        The target.
    sample_weight : ndarray, shape (rows,), optional
        Weights of the squared errors: only their ratios count, and rows of weight 0 do not.

    Returns
    -------
    ndarray, shape (constants,)
        One standard deviation each. NaN for a constant that the data do not determine: others can make up for it
        (both in ``2*3*x0``), it has no effect, or there are no more rows than constants.

    Notes
    -----
    The square roots of the diagonal of ``s² (JᵀWJ)⁻¹``, where ``J`` holds the derivatives by the constants and ``s²``
    is the weighted sum of squared errors by the rows minus the constants that are determined.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> standard_errors(Expression.parse("2*x0 + 1"), [x], 2 * x + 1 + np.array([0.1, -0.1, -0.1, 0.1])).round(3)
    array([0.063, 0.118])
    """
    matrix, variance = covariance(expression, columns, y, sample_weight)
    return np.sqrt(np.diagonal(matrix) * variance)


def covariance(
    expression: Expression,
    columns: Sequence[np.ndarray],
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
    directions: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """``(JᵀWJ)⁻¹`` and the residuals' variance ``s²``; arguments as in :func:`refit` and :func:`standard_errors`.

    Returns
    -------
    ndarray, shape (parameters, parameters)
        NaN in the rows and columns of what the data do not determine.
    float
        NaN where there are no more rows than determined parameters.
    """
    from .kernels import jacobian  # numba, which takes a moment to load

    values, J = jacobian(expression, columns)  # (rows,), (rows, constants)
    if directions is not None:
        J = J @ directions  # (rows, parameters)
    residuals = values - y
    if sample_weight is not None:
        used = sample_weight > 0
        root = np.sqrt(sample_weight[used])
        residuals, J = residuals[used] * root, J[used] * root[:, None]
    rows, parameters = J.shape
    unknown = np.full((parameters, parameters), np.nan)
    if parameters == 0:
        return unknown, _variance(residuals, rows)
    if not (np.isfinite(J).all() and np.isfinite(residuals).all()):
        return unknown, math.nan
    length = np.abs(J).max(axis=0)  # first by the largest entry: squares of 1e-200 would vanish
    length[length == 0] = 1.0
    norms = length * np.maximum(np.linalg.norm(J / length, axis=0), np.finfo(float).tiny)  # (parameters,)
    _, singular, axes = np.linalg.svd(J / norms, full_matrices=False)  # axes: (min(rows, parameters), parameters)
    kept = singular > DEPENDENT * singular[0] if singular[0] > 0 else np.zeros(len(singular), dtype=bool)
    # what a unit vector loses when it is projected on the directions that the data see
    lost = 1.0 - np.sum(axes[kept] ** 2, axis=0)
    half = axes[kept] / singular[kept, None] / norms  # (rank, parameters)
    with np.errstate(all="ignore"):  # constants of 1e-200 have variances that overflow
        matrix = half.T @ half
    undetermined = lost > DEPENDS**2
    matrix[undetermined, :] = matrix[:, undetermined] = np.nan
    return matrix, _variance(residuals, rows - int(kept.sum()))


def _variance(residuals: np.ndarray, freedom: int) -> float:
    return float(np.sum(np.square(residuals)) / freedom) if freedom > 0 else math.nan


def mean_squared_error(
    expression: Expression, columns: Sequence[np.ndarray], y: np.ndarray, sample_weight: np.ndarray | None = None
) -> float:
    """The (weighted) mean squared error; infinite if the formula has no finite value in some row."""
    with np.errstate(all="ignore"):
        errors = np.square(expression.evaluate_columns(columns) - y)
        loss = float(np.average(errors + np.zeros(len(y)), weights=sample_weight))
    return loss if math.isfinite(loss) else math.inf


def with_error(value: float, error: float) -> str:
    """A constant and its standard error, written to the digits that the error leaves.

    Examples
    --------
    >>> with_error(2.4983, 0.0312), with_error(6.67412e-11, 2.3e-14), with_error(1234.5, 56), with_error(2.5, np.nan)
    ('2.50 ± 0.03', '(6.674 ± 0.002)e-11', '1230 ± 60', '2.5 ± ?')
    """
    if not math.isfinite(error):
        return f"{value:.6g} ± ?"
    if error < 1e-12 * abs(value) or error == 0:
        return f"{value:.12g}"  # known to rounding
    place = math.floor(math.log10(float(f"{error:.0e}")))  # of the error's only digit
    size = max(place, math.floor(math.log10(abs(value))) if value else place)
    if -4 <= size < 6:
        digits = max(0, -place)
        return f"{round(value, -place) + 0.0:.{digits}f} ± {float(f'{error:.0e}'):.{digits}f}"
    digits = size - place
    return f"({value / 10.0**size:.{digits}f} ± {error / 10.0**size:.{digits}f})e{size:+03d}"
