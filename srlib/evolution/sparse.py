"""Sparse linear regression over many columns: scans of one, two and multiplied columns, beam search, elimination.

Everywhere a column is one row of a matrix, shape (columns, rows), already multiplied by the roots of the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["Line", "beam_search", "eliminate", "orthonormal", "products", "project", "regress"]

DEPENDENT = 1e-9  # a column whose part outside the others is smaller than this is one of them
FLOOR = 1e-16  # what is left unexplained is not looked at more closely


class Line:
    """A least-squares fit: ``coefficients`` (columns,), their standard ``error`` (columns,), and the ``loss``."""

    def __init__(self, coefficients, error, loss):
        self.coefficients, self.error, self.loss = coefficients, error, loss


def regress(columns: np.ndarray, target: np.ndarray) -> Line | None:
    """Least squares of the target on the columns, with standard errors; None if the columns depend on each other."""
    size = np.sqrt(np.einsum("ij,ij->i", columns, columns))  # (columns,)
    if len(columns) > len(target) or not np.isfinite(size).all() or (size == 0).any():
        return None
    q, r = np.linalg.qr((columns / size[:, None]).T)
    diagonal = np.abs(np.diag(r))
    if len(columns) and diagonal.min() < DEPENDENT:
        return None
    inverse = np.linalg.inv(r)
    coefficients = inverse @ (q.T @ target)
    rest = target - (columns / size[:, None]).T @ coefficients
    correction = inverse @ (q.T @ rest)  # one step of refinement
    coefficients += correction
    rest = target - (columns / size[:, None]).T @ coefficients
    loss = float(rest @ rest)
    scatter = loss / max(len(target) - len(columns), 1)
    error = np.sqrt(scatter * np.einsum("ij,ij->i", inverse, inverse))
    return Line(coefficients / size, error / size, loss)


def orthonormal(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis of what the columns span, shape (rank, rows)."""
    if len(columns) == 0:
        return columns
    size = np.sqrt(np.einsum("ij,ij->i", columns, columns))
    u, s, _ = np.linalg.svd((columns / np.maximum(size, 1e-300)[:, None]).T, full_matrices=False)
    return u[:, s > 1e-10 * s[0]].T


def project(columns: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns without their part in the basis, at length 1, and which of them had anything left."""
    before = np.einsum("ij,ij->i", columns, columns)
    rest = columns - (columns @ basis.T) @ basis if len(basis) else columns.copy()
    after = np.einsum("ij,ij->i", rest, rest)
    alive = after > DEPENDENT * before
    rest[alive] /= np.sqrt(after[alive])[:, None]
    rest[~alive] = 0.0
    return rest, alive


def _top(values: np.ndarray, count: int) -> np.ndarray:
    """Where the largest values are, largest first; equal values in their order."""
    count = min(count, values.size)
    at = np.argpartition(-values, count - 1)[:count] if count < values.size else np.arange(values.size)
    return at[np.lexsort((at, -values[at]))]


def best_pairs(columns: np.ndarray, target: np.ndarray, price: np.ndarray, count: int) -> list[tuple[int, int]]:
    """The pairs of columns (each of length 1) of the least cost, best first: all pairs are looked at.

    The cost is the logarithm of what they leave unexplained, and the price of both.
    """
    b = columns @ target  # (columns,)
    whole = float(target @ target)
    found: list[tuple[float, int, int]] = []
    for begin in range(0, len(columns), 256):
        end = min(begin + 256, len(columns))
        gram = columns[begin:end] @ columns.T  # (chunk, columns)
        left = b[begin:end, None]
        rest = 1 - gram * gram
        gain = np.where(rest > 1e-7, (left * left + b * b - 2 * left * b * gram) / np.maximum(rest, 1e-7), 0.0)
        cost = _cost(gain, whole) + price[begin:end, None] + price
        cost[(np.arange(len(columns)) <= np.arange(begin, end)[:, None]) | (rest <= 1e-7)] = np.inf
        for at in _top(-cost.ravel(), count):
            i, j = divmod(int(at), len(columns))
            found.append((float(cost[i, j]), begin + i, j))
    found.sort()
    return [(i, j) for cost, i, j in found[:count] if np.isfinite(cost)]


def _cost(explained: np.ndarray, whole: float) -> np.ndarray:
    return np.log(np.maximum(whole - explained, FLOOR * whole))


def beam_search(
    columns: np.ndarray,
    target: np.ndarray,
    base: np.ndarray,
    price: np.ndarray,
    terms: int,
    width: int,
    pairs: int = 1200,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[tuple[int, ...]]:
    """Sets of 1 to `terms` columns that, together with the base, explain the target well.

    All single columns are looked at, and all pairs among `pairs` columns: the first ones and the best ones. Larger sets
    grow from the best smaller ones and are then improved by exchanging one column at a time.

    Parameters
    ----------
    columns, target, base : ndarray, shapes (columns, rows), (rows,), (base, rows)
        Weighted.
    price : ndarray, shape (columns,)
        What using a column costs, in the logarithm of the unexplained sum of squares: with noise, many sets explain
        about the same, and the simplest of them are wanted.
    terms, width, pairs : int
    should_stop : callable

    Returns
    -------
    list of tuple of int
        The best `width` sets of each size, small sets first.
    """
    basis = orthonormal(base)
    rest = target - basis.T @ (basis @ target)
    whole = float(rest @ rest)
    if whole <= 0 or len(columns) == 0:
        return []
    clean, alive = project(columns, basis)  # (columns, rows)
    gain = np.where(alive, -_cost((clean @ rest) ** 2, whole) - price, -np.inf)
    answer = [(int(i),) for i in _top(gain, width) if alive[i]]
    beams = list(answer)
    if terms > 1 and len(columns) > 1 and not should_stop():
        half = pairs // 2  # the first columns, and those that explain most alone
        some = np.unique(np.concatenate([np.arange(min(half, len(columns))), _top(gain, half)]))
        some = some[alive[some]]
        beams = [(int(some[i]), int(some[j])) for i, j in best_pairs(clean[some], rest, price[some], width)] or beams
        answer += [beam for beam in beams if len(beam) == 2]
    for _ in range(3, terms + 1):
        if should_stop():
            break
        options: dict[tuple[int, ...], float] = {}
        for beam in beams:
            for extra, cost in _additions(clean, rest, price, beam, width):
                options[tuple(sorted((*beam, extra)))] = cost
        beams = sorted(options, key=lambda beam: (options[beam], beam))[:width]
        beams = [_exchange(clean, rest, price, beam, options[beam]) for beam in beams[:2]] + beams
        beams = list(dict.fromkeys(beams))[:width]
        answer += beams
    return answer


def _additions(columns, target, price, chosen, count):
    """The best columns to add to the chosen ones, with what it costs then."""
    basis = orthonormal(columns[list(chosen)])
    part = float(np.sum((basis @ target) ** 2))
    rest = target - basis.T @ (basis @ target)
    overlap = columns @ basis.T  # (columns, chosen)
    left = 1 - np.einsum("ij,ij->i", overlap, overlap)
    gain = np.where(left > 1e-7, (columns @ rest) ** 2 / np.maximum(left, 1e-7), 0.0)
    cost = _cost(part + gain, float(target @ target)) + price + float(price[list(chosen)].sum())
    cost[left <= 1e-7] = np.inf
    cost[list(chosen)] = np.inf
    return [(int(i), float(cost[i])) for i in _top(-cost, count) if np.isfinite(cost[i])]


def _exchange(columns, target, price, chosen, cost):
    """The set after single columns were exchanged as long as that lowers the cost."""
    chosen = tuple(chosen)
    for _ in range(3):
        before = cost
        for i in range(len(chosen)):
            others = chosen[:i] + chosen[i + 1 :]
            added = _additions(columns, target, price, others, 1)
            if added and added[0][1] < cost - 1e-9:
                chosen, cost = tuple(sorted((*others, added[0][0]))), added[0][1]
                break
        if cost >= before:
            break
    return chosen


def products(
    left: np.ndarray, right: np.ndarray, root: np.ndarray, target: np.ndarray, basis: np.ndarray, count: int,
    prices: tuple[np.ndarray, np.ndarray],
) -> list[tuple[float, int, int]]:  # fmt: skip
    """The products of a left and a right column that explain most of the target beside the basis.

    Parameters
    ----------
    left, right : ndarray, shapes (m, rows) and (n, rows)
        Unweighted columns.
    root : ndarray, shape (rows,)
        Roots of the weights.
    target, basis : ndarray, shapes (rows,) and (rank, rows)
        Weighted; the basis is orthonormal and the target has no part in it.
    count : int
    prices : (ndarray, ndarray), shapes (m,) and (n,)
        As in :func:`beam_search`.

    Returns
    -------
    list of (share explained, left, right)
    """
    whole = float(target @ target)
    if whole <= 0:
        return []
    found: list[tuple[float, float, int, int]] = []
    squares = np.square(right).T  # (rows, n)
    for begin in range(0, len(left), 256):
        part = left[begin : begin + 256]
        length = (np.square(part) * np.square(root)) @ squares  # (m, n)
        outside = length.copy()
        for q in basis:
            outside -= ((part * (root * q)) @ right.T) ** 2
        share = ((part * (root * target)) @ right.T) ** 2
        share = np.where(outside > 1e-7 * length, share / np.maximum(outside, 1e-300), 0.0) / whole
        cost = np.log(np.maximum(1 - share, FLOOR)) + prices[0][begin : begin + 256, None] + prices[1]
        for at in _top(-cost.ravel(), count):
            i, j = divmod(int(at), len(right))
            found.append((float(cost[i, j]), float(share[i, j]), begin + i, j))
    found.sort()
    return [(share, i, j) for _, share, i, j in found[:count] if share > 0]


def eliminate(columns: np.ndarray, target: np.ndarray, keep: Sequence[int] = (), largest: int = 12):
    """Backward elimination: yields ``(indices, Line)`` of ever fewer columns, those in `keep` never dropped.

    While there are more than `largest`, the least significant tenth goes at once and nothing is yielded; columns whose
    whole contribution is rounding error go first.
    """
    chosen = np.arange(len(columns))
    size = np.sqrt(np.einsum("ij,ij->i", columns, columns))
    fixed = set(keep)
    while len(chosen):
        line = regress(columns[chosen], target)
        if line is None:  # dependent columns: drop the last of them
            free = [i for i in range(len(chosen)) if chosen[i] not in fixed]
            if not free:
                return
            chosen = np.delete(chosen, free[-1])
            continue
        if len(chosen) <= largest:
            yield chosen, line
        weight = np.abs(line.coefficients) / np.maximum(line.error, 1e-300)
        share = np.abs(line.coefficients) * size[chosen]
        free = [i for i in range(len(chosen)) if chosen[i] not in fixed]
        if not free:
            return
        dead = [i for i in free if share[i] < 1e-9 * share.max()]
        order = dead or sorted(free, key=lambda i: weight[i])
        count = len(dead) or max(1, len(chosen) // 10 if len(chosen) > largest else 1)
        chosen = np.delete(chosen, order[:count])
