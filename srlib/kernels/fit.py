"""Constants by Levenberg-Marquardt, with the linear ones solved for exactly at each step (variable projection).

A formula is taken as a sum of terms, ``a + b_1 t_1 + … + b_K t_K``: the offset and the coefficients are linear, the
constants inside the terms are not. One pass over the data gives the Gram matrix of all columns that matter: one, the
terms, their derivatives by the inner constants, and the target. It holds everything that a step needs, so that the
cost of a step hardly depends on the number of constants. (G. Golub, V. Pereyra 1973; L. Kaufman 1975.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np

from .evaluate import backward, clear, forward, place
from .gate import caller, entrance, loader
from .jit import kernel, reduction
from .losses import SQUARED, row_loss, row_weight
from .program import BLOCK, Alphabet, set_constant, workspace
from .solve import solve

__all__ = [
    "COEFFICIENTS", "COLUMNS", "CONSTANTS", "FIT", "GRAM", "LAST", "LEAF", "LOWER", "MOST_CONSTANTS", "MOST_TERMS",
    "NODE", "OWNER", "SHIFT", "TERM", "Data", "Fit", "call_fit", "data", "fit_address", "fit_terms", "loss_of_terms",
    "scratch",
]  # fmt: skip

MOST_TERMS, MOST_CONSTANTS = 12, 20
COLUMNS = 2 + MOST_TERMS + MOST_CONSTANTS  # one, terms, derivatives, target
EXACT = 1e-14  # of the target's variance: below, the Gram matrix holds nothing but rounding errors
TRIES = 5  # dampings tried in one step
REWEIGHTINGS, REWEIGHTING_GAIN = 20, 1e-5  # for other losses than the squared


class Data(NamedTuple):
    """The target and how rows count."""

    y: np.ndarray  # (rows,)
    root_weight: np.ndarray  # (rows,) the root of each row's share of the whole weight
    mean: float  # of the target
    variance: float
    loss: int  # a kind of srlib.kernels.losses
    parameter: float
    address: int
    numbers: int  # how many may be fitted


# rows of Fit.vector: the offset and the terms' coefficients; the same before a trial; the constants; those on trial;
# what is taken off each column before squares are summed; and the parts of a system of equations
COEFFICIENTS, KEPT, CONSTANTS, TRIAL, SHIFT, RIGHT_SIDE, DAMPING, STEP = range(8)
# rows of Fit.index: the program's nodes that are the terms' roots; for each constant its node in the program, its node
# in the formula, and the term it lies in; and, as its first entry, the Gram matrix's last column, the target
TERM, NODE, LEAF, OWNER, LAST = range(5)
# Fit.matrix: the Gram matrix, that of a trial, a system of equations, and its triangular factor
GRAM, NEXT, SYSTEM, LOWER = range(4)


class Fit(NamedTuple):
    """What a fit works with and leaves behind; the rows have names above."""

    vector: np.ndarray  # (8, COLUMNS)
    index: np.ndarray  # (5, COLUMNS) int64
    matrix: np.ndarray  # (4, COLUMNS, COLUMNS)
    design: np.ndarray  # (COLUMNS * BLOCK,) one block of every column


def data(
    y, sample_weight=None, loss: int = SQUARED, parameter: float = 1.0, address: int = 0, numbers: int = COLUMNS
) -> Data:
    """The target as the kernels want it; weights are divided by their sum."""
    y = np.array(y, float)
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float)
    weight = weight / weight.sum()
    mean = float(weight @ y) if len(y) else 0.0
    variance = float(weight @ (y - mean) ** 2)
    return Data(y, np.sqrt(weight), mean, variance, loss, float(parameter), int(address), int(numbers))


def scratch() -> Fit:
    """Memory for one thread's fits."""
    index, matrix = np.zeros((5, COLUMNS), np.int64), np.zeros((4, COLUMNS, COLUMNS))
    return Fit(np.zeros((8, COLUMNS)), index, matrix, np.zeros(COLUMNS * BLOCK))


@reduction
def _dot(a, b, n):
    total = 0.0
    for k in range(n):
        total += a[k] * b[k]
    return total


@kernel
def _put(constants, n_constants, work, fit):
    """Write values of the constants into the program."""
    for c in range(n_constants):
        set_constant(fit.index[NODE, c], constants[c], work)


@kernel
def _gram(length, k_terms, n_constants, linear, derivatives, data, alphabet, work, fit, gram):
    """One pass over the data; False as soon as a value is not finite.

    Columns: one, the terms, the derivatives (in the order of the constants), the target. Without ``linear`` the target
    is what the formula as it stands leaves over.
    """
    many = 1 + k_terms + (n_constants if derivatives else 0)
    for i in range(many + 1):
        for j in range(many + 1):
            gram[i, j] = 0.0
    for lo in range(0, work.rows, BLOCK):
        n = min(BLOCK, work.rows - lo)
        forward(length, lo, n, alphabet, work)
        if derivatives:
            clear(length, work)
            for t in range(k_terms):
                root = work.adj[fit.index[TERM, t] * BLOCK : fit.index[TERM, t] * BLOCK + n]
                for k in range(n):
                    root[k] = 1.0
            backward(length, lo, n, alphabet, work)
        _fill_design(lo, n, k_terms, n_constants if derivatives else 0, linear, data, work, fit)
        for i in range(many + 1):
            a = fit.design[i * BLOCK : i * BLOCK + n]
            for j in range(i + 1):
                gram[i, j] += _dot(a, fit.design[j * BLOCK : j * BLOCK + n], n)
        for i in range(many + 1):
            if not abs(gram[i, i]) < np.inf:
                return False
    for i in range(many + 1):
        for j in range(i):
            gram[j, i] = gram[i, j]
    return True


@kernel
def _fill_design(lo, n, k_terms, n_derivatives, linear, data, work, fit):
    """One block of all columns, each less its shift and times the root of the row's weight."""
    weight = fit.design[:n]
    root = data.root_weight[lo : lo + n]
    target = fit.design[(1 + k_terms + n_derivatives) * BLOCK : (1 + k_terms + n_derivatives) * BLOCK + n]
    y = data.y[lo : lo + n]
    for k in range(n):
        weight[k] = root[k]
    if data.loss != SQUARED or not linear:
        for k in range(n):
            prediction = fit.vector[COEFFICIENTS, 0]
            for t in range(k_terms):
                prediction += fit.vector[COEFFICIENTS, 1 + t] * work.mem[place(fit.index[TERM, t], lo, work) + k]
            if data.loss != SQUARED:
                spread = np.sqrt(data.variance)
                w = row_weight(data.loss, data.parameter, data.address, prediction, y[k], spread)
                weight[k] *= np.sqrt(w)
            target[k] = (y[k] - data.mean if linear else y[k] - prediction) * weight[k]
    else:
        for k in range(n):
            target[k] = (y[k] - data.mean) * weight[k]
    for t in range(k_terms):
        at = place(fit.index[TERM, t], lo, work)
        values, column = work.mem[at : at + n], fit.design[(1 + t) * BLOCK : (1 + t) * BLOCK + n]
        if lo == 0:
            fit.vector[SHIFT, 1 + t] = values[0] if linear and abs(values[0]) < np.inf else 0.0
        shift = fit.vector[SHIFT, 1 + t]
        for k in range(n):
            column[k] = (values[k] - shift) * weight[k]
    for c in range(n_derivatives):
        at, to = fit.index[NODE, c] * BLOCK, (1 + k_terms + c) * BLOCK
        values, column = work.adj[at : at + n], fit.design[to : to + n]
        for k in range(n):  # sqrt(c*x) has no derivative by c at x = 0: such a row says nothing about c
            column[k] = values[k] * weight[k] if abs(values[k]) < np.inf else 0.0


@kernel
def _solve_linear(k_terms, gram, last, fit):
    """The best offset and coefficients from the Gram matrix; returns the weighted mean square that they leave."""
    n = 1 + k_terms
    for i in range(n):
        fit.vector[DAMPING, i] = 0.0
        fit.vector[RIGHT_SIDE, i] = gram[i, last]
    solve(gram, fit.vector[RIGHT_SIDE], fit.vector[DAMPING], n, fit.vector[STEP], fit.matrix[LOWER])
    left = gram[last, last]
    for i in range(n):
        left -= fit.vector[STEP, i] * fit.vector[RIGHT_SIDE, i]
    return max(left, 0.0)


@kernel
def _take_linear(k_terms, data, fit):
    """Write the solution of :func:`_solve_linear` into the fit's coefficients, the shifts undone."""
    offset = fit.vector[STEP, 0] + data.mean
    for t in range(k_terms):
        fit.vector[COEFFICIENTS, 1 + t] = fit.vector[STEP, 1 + t]
        offset -= fit.vector[STEP, 1 + t] * fit.vector[SHIFT, 1 + t]
    fit.vector[COEFFICIENTS, 0] = offset


@kernel
def loss_of_terms(length, k_terms, limit, data, alphabet, work, fit):
    """The weighted mean loss of ``a + b_1 t_1 + …`` as it stands; infinite if it has no finite value in some row.

    The sum is given up, and infinite, as soon as it exceeds ``limit``.
    """
    total = 0.0
    for lo in range(0, work.rows, BLOCK):
        n = min(BLOCK, work.rows - lo)
        forward(length, lo, n, alphabet, work)
        out = fit.design[:n]
        for k in range(n):
            out[k] = fit.vector[COEFFICIENTS, 0]
        for t in range(k_terms):
            at, factor = place(fit.index[TERM, t], lo, work), fit.vector[COEFFICIENTS, 1 + t]
            values = work.mem[at : at + n]
            for k in range(n):
                out[k] += factor * values[k]
        total += _block_loss(out, data.y[lo : lo + n], data.root_weight[lo : lo + n], n, data)
        if not total <= limit:
            return np.inf
    return total if total < np.inf else np.inf


@reduction
def _squares(out, y, root, n):
    total = 0.0
    for k in range(n):
        r = (out[k] - y[k]) * root[k]
        total += r * r
    return total


@kernel
def _block_loss(out, y, root, n, data):
    if data.loss == SQUARED:
        return _squares(out, y, root, n)
    total = 0.0
    for k in range(n):
        total += root[k] * root[k] * row_loss(data.loss, data.parameter, data.address, out[k], y[k])
    return total


@kernel
def _reweight(length, k_terms, data, alphabet, work, fit):
    """Offset and coefficients by iteratively reweighted least squares, the constants as they are; returns the loss."""
    best = np.inf
    # first by least squares: what a steep loss says of the mean's residuals may be larger than any number
    rows = Data(
        data.y, data.root_weight, data.mean, data.variance, SQUARED, data.parameter, data.address, data.numbers
    )
    for _ in range(REWEIGHTINGS):
        if not _gram(length, k_terms, 0, True, False, rows, alphabet, work, fit, fit.matrix[NEXT]):
            break
        rows = data
        _solve_linear(k_terms, fit.matrix[NEXT], 1 + k_terms, fit)
        for t in range(k_terms + 1):
            fit.vector[KEPT, t] = fit.vector[COEFFICIENTS, t]
        _take_linear(k_terms, data, fit)
        before, found = best, loss_of_terms(length, k_terms, np.inf, data, alphabet, work, fit)
        for _ in range(TRIES):
            if found < before or before == np.inf:
                break
            for t in range(k_terms + 1):  # too far: half the way back
                fit.vector[COEFFICIENTS, t] = 0.5 * (fit.vector[KEPT, t] + fit.vector[COEFFICIENTS, t])
            found = loss_of_terms(length, k_terms, np.inf, data, alphabet, work, fit)
        if not found < before:
            for t in range(k_terms + 1):
                fit.vector[COEFFICIENTS, t] = fit.vector[KEPT, t]
            break
        best = found
        if before < np.inf and before - best < REWEIGHTING_GAIN * before:
            break
    return best


@kernel
def fit_terms(length, k_terms, n_constants, linear, steps, gain, data, alphabet, work, fit):
    """Fit the constants of the assembled program, and return the loss.

    The fit's index and its row CONSTANTS say what the terms and the constants are (written by
    :func:`srlib.kernels.terms.prepare`); afterwards CONSTANTS and COEFFICIENTS hold the fitted ones, and so does the
    program. Without ``linear`` the coefficients stay as they are given, and only the constants are fitted. At most
    ``steps`` steps; it ends when one gains less than the share ``gain``.
    """
    squared, fitting, good, last = data.loss == SQUARED, n_constants > 0 and steps > 0, False, 0
    if linear and not squared and not _reweight(length, k_terms, data, alphabet, work, fit) < np.inf:
        return np.inf
    while not good:
        last = 1 + k_terms + (n_constants if fitting else 0)
        good = _gram(length, k_terms, n_constants, linear, fitting, data, alphabet, work, fit, fit.matrix[GRAM])
        for i in range(1 + k_terms):
            if not abs(fit.matrix[GRAM, i, i]) < np.inf:
                return np.inf
        if not good and not fitting:
            return np.inf
        fitting = fitting and good  # where only the derivatives are too large, the constants stay as they are
    fit.index[LAST, 0] = last
    if not squared:
        best = loss_of_terms(length, k_terms, np.inf, data, alphabet, work, fit)
    elif linear:
        best = _solve_linear(k_terms, fit.matrix[GRAM], last, fit)
        _take_linear(k_terms, data, fit)
    else:
        best = fit.matrix[GRAM, last, last]
    damping = 1e-2
    for _ in range(steps if fitting else 0):
        if squared and best <= EXACT * data.variance:
            break
        before, better = best, False
        for _ in range(TRIES):
            _step(k_terms, n_constants, linear, damping, last, fit)
            for c in range(n_constants):
                fit.vector[TRIAL, c] = fit.vector[CONSTANTS, c] + fit.vector[STEP, 1 + k_terms + c]
            _put(fit.vector[TRIAL], n_constants, work, fit)
            found = np.inf
            for t in range(k_terms + 1):
                fit.vector[KEPT, t] = fit.vector[COEFFICIENTS, t]
            if squared or not linear:
                if _gram(length, k_terms, n_constants, linear, True, data, alphabet, work, fit, fit.matrix[NEXT]):
                    found = fit.matrix[NEXT, last, last]
                    if linear:
                        found = _solve_linear(k_terms, fit.matrix[NEXT], last, fit)
                if not squared and found < np.inf:
                    found = loss_of_terms(length, k_terms, np.inf, data, alphabet, work, fit)
            else:
                _take_linear(k_terms, data, fit)
                found = loss_of_terms(length, k_terms, np.inf, data, alphabet, work, fit)
                if found < best and not _gram(
                    length, k_terms, n_constants, linear, True, data, alphabet, work, fit, fit.matrix[NEXT]
                ):
                    found = np.inf
            if found < best:
                better, best = True, found
                if linear and squared:
                    _take_linear(k_terms, data, fit)
                for c in range(n_constants):
                    fit.vector[CONSTANTS, c] = fit.vector[TRIAL, c]
                for i in range(last + 1):
                    for j in range(last + 1):
                        fit.matrix[GRAM, i, j] = fit.matrix[NEXT, i, j]
                damping = max(damping * 0.1, 1e-12)
                break
            for t in range(k_terms + 1):
                fit.vector[COEFFICIENTS, t] = fit.vector[KEPT, t]
            damping *= 10.0
        if not better or before - best < gain * before:
            break
    if fitting:
        _put(fit.vector[CONSTANTS], n_constants, work, fit)
    return loss_of_terms(length, k_terms, np.inf, data, alphabet, work, fit)


@kernel
def _step(k_terms, n_constants, linear, damping, last, fit):
    """Solve for the next coefficients and the change of the constants, together; into the row STEP."""
    n, first = 1 + k_terms + n_constants, 0 if linear else 1 + k_terms
    for i in range(first, n):
        scale = 1.0 if i <= k_terms else fit.vector[COEFFICIENTS, 1 + fit.index[OWNER, i - 1 - k_terms]]
        fit.vector[DAMPING, i - first] = 0.0 if i <= k_terms else damping
        fit.vector[RIGHT_SIDE, i - first] = fit.matrix[GRAM, i, last] * scale
        for j in range(first, i + 1):
            other = 1.0 if j <= k_terms else fit.vector[COEFFICIENTS, 1 + fit.index[OWNER, j - 1 - k_terms]]
            fit.matrix[SYSTEM, i - first, j - first] = fit.matrix[GRAM, i, j] * scale * other
    damped = fit.vector[DAMPING]
    solve(fit.matrix[SYSTEM], fit.vector[RIGHT_SIDE], damped, n - first, fit.vector[STEP], fit.matrix[LOWER])
    if first:  # the step of the constants stands behind that of the linear part
        for i in range(n - first - 1, -1, -1):
            fit.vector[STEP, first + i] = fit.vector[STEP, i]
        for i in range(first):
            fit.vector[STEP, i] = 0.0


def _types():
    """The types of fit_terms' arguments."""
    letters = Alphabet(np.zeros((5, 1), np.int64), np.zeros(1, np.int32), np.zeros(1), np.zeros(4, np.int64))
    things = data(np.zeros(1)), letters, workspace(np.zeros((1, 1)), 1), scratch()
    whole, number, truth = numba.int64, numba.float64, numba.boolean
    return numba.types.Tuple((whole, whole, whole, truth, whole, number, *map(numba.typeof, things)))


FIT = _types()
_load = loader(FIT)
call_fit = caller(FIT, fit_terms)


def _enter(address):
    return fit_terms(*_load(address))


@lru_cache(maxsize=1)
def fit_address() -> int:
    """Where kernels find :func:`fit_terms`, for ``call_fit(address, arguments)``."""
    return entrance(_enter)
