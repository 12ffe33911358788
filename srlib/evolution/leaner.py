"""The shorter forms that a fitted sum of terms stands for: without offset, and with factors of 1."""

from __future__ import annotations

import numba
import numpy as np

from ..kernels.fit import COEFFICIENTS, CONSTANTS, GRAM, LAST, LEAF, LOWER, SHIFT, call_fit
from ..kernels.gate import caller, loader
from ..kernels.jit import allocating, kernel
from ..kernels.program import assemble
from ..kernels.solve import solve
from ..kernels.terms import prepare, split
from .constraints import complexity
from .judge import LOSS, members, offer, restore_court, wanted, write_out
from .trees import empty

__all__ = ["call_leaner", "enter_leaner", "offer_leaner"]

HOPE = 100.0  # a shorter form this much worse than the best so far may still win when its constants are fitted


@allocating
def offer_leaner(tree, out, loss, steps, hall, name, address):
    """Offer the shorter forms that a fitted sum of terms stands for: without offset, and with factors of 1.

    ``f`` was judged by the best ``a + b*f``; many laws are ``b*f``, ``f + a`` or ``f``. The step that costs least is
    taken first. Works from the Gram matrix that the fit has left behind, so it must come right after it. A form that
    may be good enough is fitted once more, because its inner constants have to make up for what is now fixed.
    """
    court = restore_court(address)
    k_terms = split(tree.codes, tree.size[0], tree.starts, court.places, court.terms)
    n = 2 + k_terms
    gram, fit, rows = court.fit.matrix[GRAM], court.fit, court.data
    last = n - 1
    # columns one, terms, target without their shifts: an offset of 0 is then a column left out
    full, reduced, right = np.zeros((n, n)), np.zeros((n, n)), np.zeros(n)
    shift, at, target = np.zeros(n), np.arange(n), fit.index[LAST, 0]
    at[last] = target
    for t in range(k_terms):
        shift[1 + t] = fit.vector[SHIFT, 1 + t]
    shift[last] = rows.mean
    for i in range(n):
        for j in range(n):
            back = gram[at[i], 0] + shift[i] * gram[0, 0]
            full[i, j] = gram[at[i], at[j]] + shift[i] * gram[0, at[j]] + shift[j] * back
    state = np.zeros(n, np.int64)  # 0 free, 1 fixed
    fixed, x, kept, none, solution = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    free = np.zeros(n, np.int64)
    system = (full, reduced, right, none, free, solution, fit.matrix[LOWER])
    for i in range(k_terms + 1):
        kept[i] = fit.vector[COEFFICIENTS, i]
        if kept[i] == 0.0 or (i > 0 and abs(kept[i]) == 1.0):
            state[i], fixed[i] = 1, kept[i]
    for _ in range(k_terms + 1):
        best, choice = np.inf, -1
        for i in range(k_terms + 1):
            if state[i] == 0:
                fixed[i] = 0.0 if i == 0 else (1.0 if kept[i] > 0.0 else -1.0)
                state[i] = 1
                left = _solve_free(state, fixed, last, system, x)
                state[i] = 0
                if left < best:
                    best, choice = left, i
        if choice < 0 or best > 4.0 * rows.variance:
            break
        state[choice] = 1
        fixed[choice] = 0.0 if choice == 0 else (1.0 if kept[choice] > 0.0 else -1.0)
        _solve_free(state, fixed, last, system, x)
        for i in range(k_terms + 1):
            fit.vector[COEFFICIENTS, i] = x[i]
        if write_out(tree, k_terms, out, court):
            weight = complexity(out.codes, out.size[0], court.limits)
            if wanted(hall, loss, weight) and best < HOPE * _best_up_to(hall, weight):
                found = _refit(out, steps, court)
                if found < np.inf:
                    offer(hall, out, found, name, court.limits)
    return 0.0


@kernel
def _best_up_to(hall, weight):
    """The lowest loss in the hall of fame among formulas of at most that complexity."""
    best = np.inf
    for i in range(min(int(weight + 0.5) + 1, len(hall.costs))):
        best = min(best, hall.costs[i, LOSS])
    return best


@kernel
def _refit(tree, steps, court):
    """Fit all constants of a formula as it is written; returns the loss."""
    alphabet, work, fit = court.alphabet, court.work, court.fit
    size, root = tree.size[0], court.places
    root[0] = size - 1
    length = assemble(tree.codes, tree.values, size, alphabet, work)
    constants = prepare(tree.codes, tree.values, size, tree.starts, 1, root, work, fit)
    if length == 0 or constants < 0:
        return np.inf
    fit.vector[COEFFICIENTS, 0], fit.vector[COEFFICIENTS, 1] = 0.0, 1.0
    arguments = (length, 1, constants, False, steps, 1e-6, court.data, alphabet, work, fit)
    loss = call_fit(court.gates[0], arguments)
    for c in range(constants):
        tree.values[fit.index[LEAF, c]] = fit.vector[CONSTANTS, c]
    return loss


@kernel
def _solve_free(state, fixed, last, system, x):
    """The best free coefficients when the others are fixed; the weighted mean square that is left."""
    full, reduced, right, none, free, solution, lower = system
    many = 0
    left = full[last, last]
    for i in range(last):
        x[i] = fixed[i] if state[i] == 1 else 0.0
        if state[i] == 0:
            free[many] = i
            many += 1
    for i in range(last):
        if state[i] == 1 and fixed[i] != 0.0:
            left -= 2.0 * fixed[i] * full[i, last]
            for j in range(last):
                if state[j] == 1:
                    left += fixed[i] * fixed[j] * full[i, j]
    for a in range(many):
        right[a] = full[free[a], last]
        for j in range(last):
            if state[j] == 1:
                right[a] -= fixed[j] * full[free[a], j]
        for b in range(many):
            reduced[a, b] = full[free[a], free[b]]
    solve(reduced, right, none, many, solution, lower)
    for a in range(many):
        x[free[a]] = solution[a]
        left -= solution[a] * right[a]
    return max(left, 0.0)


_whole, _tree = numba.int64, numba.typeof(empty(1))
LEANER = numba.types.Tuple((_tree, _tree, numba.float64, _whole, numba.typeof(members(1, 1)), _whole, _whole))
_load_leaner, call_leaner = loader(LEANER), caller(LEANER, offer_leaner)


def enter_leaner(address):
    return offer_leaner(*_load_leaner(address))
