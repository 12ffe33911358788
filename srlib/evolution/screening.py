"""Which multiplier and which argument: does ``m * h(u)`` explain the target for *some* smooth function h?

A dozen polynomials of u stand for the unknown h, so that one small regression answers for all functions and all
constants inside them at once. Only for the best pairs (m, u) are real functions tried and their constants fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..expression import Expression
from .fitting import evaluate_many, fixed_constants
from .sparse import orthonormal

__all__ = ["fit_terms", "screen", "smooth_basis"]


def smooth_basis(arguments: np.ndarray) -> np.ndarray:
    """Chebyshev polynomials of each argument and, where it spans a wide positive range, of its logarithm.

    Returns
    -------
    ndarray, shape (arguments, 8, rows)
        The first is the constant 1.
    """
    answer = np.empty((len(arguments), 8, arguments.shape[1]))
    for u, out in zip(arguments, answer, strict=True):
        size = np.abs(u)
        low = size.min()
        if low > 0 and size.max() > 8 * low and (u > 0).all() | (u < 0).all():
            out[:4] = _chebyshev(u, 4)
            out[4:] = _chebyshev(np.log(size), 5)[1:]
        else:
            out[:] = _chebyshev(u, 8)
    return answer


def _chebyshev(u: np.ndarray, count: int) -> np.ndarray:
    low, high = u.min(), u.max()
    z = (2 * u - low - high) / (high - low)
    out = [np.ones_like(z), z]
    while len(out) < count:
        out.append(2 * z * out[-1] - out[-2])
    return np.array(out[:count])


def screen(
    target: np.ndarray,
    basis: np.ndarray,
    root: np.ndarray,
    multipliers: np.ndarray,
    smooth: np.ndarray,
    should_stop: Callable[[], bool],
) -> np.ndarray:
    """The share of the target that ``m * h(u)`` explains beside a basis, shape (multipliers, arguments).

    Parameters
    ----------
    target : ndarray, shape (rows,)
        Weighted, without a part in the basis.
    basis : ndarray, shape (rank, rows)
        Orthonormal, weighted.
    root : ndarray, shape (rows,)
        Roots of the weights.
    multipliers : ndarray, shape (multipliers, rows)
    smooth : ndarray, shape (arguments, functions, rows)
        From :func:`smooth_basis`.
    """
    whole = float(target @ target)
    count, functions, rows = smooth.shape
    shares = np.zeros((len(multipliers), count))
    if whole <= 0:
        return shares
    for at, m in enumerate(multipliers):
        if should_stop():
            break
        columns = (smooth * (m * root)).reshape(-1, rows)
        before = np.einsum("ij,ij->i", columns, columns)
        columns = columns - (columns @ basis.T) @ basis
        after = np.einsum("ij,ij->i", columns, columns)
        columns *= np.where(after > 1e-10 * before, 1 / np.sqrt(np.maximum(after, 1e-300)), 0.0)[:, None]
        right = (columns @ target).reshape(count, functions, 1)
        columns = columns.reshape(count, functions, rows)
        gram = columns @ columns.transpose(0, 2, 1) + 1e-9 * np.eye(functions)
        solved = np.linalg.solve(gram, right)
        shares[at] = np.einsum("ijk,ijk->i", solved, right) / whole
    free = max(rows - len(basis) - functions, 1)
    return np.clip(1 - (1 - shares) * (free + functions) / free, 0, 1)


def fit_terms(
    terms: Sequence[Expression],
    columns: Sequence[np.ndarray],
    view: Callable[[np.ndarray], np.ndarray],
    target: np.ndarray,
    base: np.ndarray,
    root: np.ndarray,
    steps: int = 12,
) -> tuple[list[Expression], float]:
    """The terms of a linear model with the constants inside them fitted, by variable projection.

    Parameters
    ----------
    terms : sequence of Expression
    columns : sequence of ndarray, each of shape (rows,)
        The features.
    view : callable
        What the model is linear in: the term's values, or the logarithms of their sizes.
    target, base, root : ndarray, shapes (rows,), (base, rows), (rows,)
        The target and the base are weighted already; `root` weights the terms.

    Returns
    -------
    (terms, loss)
        The loss is infinite if the terms have no finite values.
    """
    free = [~fixed_constants(term) for term in terms]
    counts = [int(mask.sum()) for mask in free]
    constants = [term.constants for term in terms]
    theta = np.concatenate([c[mask] for c, mask in zip(constants, free, strict=True)]) if terms else np.empty(0)
    basis = orthonormal(base)
    target = target - basis.T @ (basis @ target)

    def place(theta):  # -> the constants of each term
        parts = np.split(theta, np.cumsum(counts)[:-1])
        placed = []
        for c, mask, part in zip(constants, free, parts, strict=True):
            c = c.copy()
            c[mask] = part
            placed.append(c)
        return placed

    def model(theta, derivatives):
        """(loss, residual, derivatives of the residual) at theta."""
        values, slopes = [], []
        for i, c in enumerate(place(theta)):
            h = 1e-7 * np.maximum(np.abs(c[free[i]]), 1e-4)
            sets = np.repeat(c[None], counts[i] + 1 if derivatives else 1, axis=0)
            if derivatives:
                sets[1:, free[i]] += np.diag(h)
            v = view(evaluate_many(terms[i], columns, sets)) * root  # (sets, rows)
            values.append(v[0])
            if derivatives:
                slopes.append((v[1:] - v[0]) / h[:, None])
        matrix = np.array(values)
        if not np.isfinite(matrix).all():
            return np.inf, None, None
        size = np.sqrt(np.einsum("ij,ij->i", matrix, matrix)) + 1e-300
        matrix = matrix / size[:, None]
        matrix = matrix - (matrix @ basis.T) @ basis
        q, r = np.linalg.qr(matrix.T)  # (rows, terms)
        if np.abs(np.diag(r)).min() < 1e-9:
            return np.inf, None, None
        along = q.T @ target
        residual = target - q @ along
        loss = float(residual @ residual)
        if not derivatives:
            return loss, None, None
        weights = np.linalg.solve(r, along) / size
        d = np.concatenate([s * w for s, w in zip(slopes, weights, strict=True)])  # (parameters, rows)
        d = d - (d @ basis.T) @ basis
        d = d - (d @ q) @ q.T
        return loss, residual, d

    with np.errstate(all="ignore"):
        loss, residual, d = model(theta, len(theta) > 0)
        damping = 1e-2
        for _ in range(steps if len(theta) and np.isfinite(loss) else 0):
            if not np.isfinite(d).all():
                break
            size = np.sqrt(np.einsum("ij,ij->i", d, d)) + 1e-300
            normal, slope = (d / size[:, None]) @ (d / size[:, None]).T, (d / size[:, None]) @ residual
            for _ in range(5):
                step = np.linalg.solve(normal + (damping + 1e-13) * np.eye(len(theta)), slope) / size
                new, *_ = model(theta + step, False)
                if new < loss:
                    break
                damping *= 10
            if not new < loss:
                break
            theta, damping, gain = theta + step, max(damping / 10, 1e-10), 1 - new / loss
            loss, residual, d = model(theta, True)
            if gain < 1e-4 or not np.isfinite(loss):
                break
    if len(theta) and np.isfinite(theta).all():
        terms = [term.with_constants(c) for term, c in zip(terms, place(theta), strict=True)]
    return list(terms), loss
