"""Many formulas fitted in one call: offset and coefficients exactly, the constants inside by Levenberg-Marquardt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..expression import Expression
from .api import compile_evaluation
from .fit import (
    COEFFICIENTS,
    COLUMNS,
    CONSTANTS,
    LEAF,
    MOST_TERMS,
    NODE,
    OWNER,
    call_fit,
    data,
    fit_address,
    loss_of_terms,
    scratch,
)
from .jit import COMPILED, forget_stale, kernel
from .program import alphabet, assemble, spans, workspace
from .terms import prepare, split

__all__ = ["ManyFits", "compile_many"]

ABSOLUTE = 1  # of srlib.kernels.losses


class ManyFits:
    """Fits sums of terms, ``a + b_1 t_1 + … + b_K t_K``, to one table.

    Parameters
    ----------
    columns : ndarray, shape (features, rows)
    y : ndarray, shape (rows,)
    sample_weight : ndarray, shape (rows,), optional
    room : int
        Nodes of the longest formula.

    Examples
    --------
    >>> x = np.linspace(0, 3, 50)
    >>> fits = ManyFits(x[None], 2 + 3 * np.sin(1.5 * x))
    >>> losses, errors, values, coefficients = fits([Expression.parse("sin(1.2*x0)")], steps=20)
    >>> coefficients[0, :2].round(6), values[0].round(6), bool(losses[0] < 1e-12)
    (array([2., 3.]), array([1.5]), True)
    """

    def __init__(self, columns: np.ndarray, y: np.ndarray, sample_weight=None, room: int = 150):
        columns = np.ascontiguousarray(columns, float)
        self.room, self.rows = room, len(y)
        self.data, self.absolute = data(y, sample_weight), data(y, sample_weight, loss=ABSOLUTE)
        self.letters, self.work, self.fit = alphabet(), workspace(columns, room), scratch()
        self.places = np.zeros((3, max(2 * room + 2, COLUMNS)), np.int64)
        self.address = fit_address()

    def __call__(self, formulas: Sequence[Expression], free: Sequence | None = None, steps: int = 10, gain=1e-3):
        """Fit each formula from the constants that it has.

        Parameters
        ----------
        formulas : sequence of Expression
        free : sequence of array_like of bool, each of shape (constants,), optional
            Which constants of a formula may move; by default all.
        steps : int
            Of Levenberg-Marquardt, at most; a fit also ends at a step that gains less than the share ``gain``.

        Returns
        -------
        losses, errors : ndarray, shape (formulas,)
            Mean squared and mean absolute errors; infinite where a formula has no finite value in some row, no term, or
            more terms or constants than can be fitted.
        values : ndarray, shape (formulas, most constants)
            The constants of each formula after the fit; those that stand before a term as they were.
        coefficients : ndarray, shape (formulas, MOST_TERMS + 1)
            The offset a, and b for each term in the formula's order.
        """
        many, longest = len(formulas), max((one.size for one in formulas), default=1)
        codes, numbers = np.zeros((many, longest), np.int32), np.zeros((many, longest))
        may_move, sizes = np.ones((many, longest), np.bool_), np.zeros(many, np.int64)
        for i, one in enumerate(formulas):
            sizes[i] = one.size if one.size <= self.room else 0
            codes[i, : one.size], numbers[i, : one.size] = one.codes, one.values
            if free is not None:
                may_move[i, np.flatnonzero(one.codes == 0)] = free[i]
        results = np.full((many, 2 + MOST_TERMS + 1), np.inf)
        _fit_many(
            codes, numbers, may_move, sizes, steps, gain, self.data, self.absolute, self.letters, self.work, self.fit,
            self.places, self.address, results,
        )  # fmt: skip
        most = max((len(one.constants) for one in formulas), default=0)
        values = np.zeros((many, most))
        for i, one in enumerate(formulas):
            values[i, : len(one.constants)] = numbers[i, : one.size][one.codes == 0]
        return results[:, 0], results[:, 1], values, results[:, 2:]


@kernel
def _fit_many(
    codes, numbers, may_move, sizes, steps, gain, data, absolute, alphabet, work, fit, places, address, results
):
    starts, stack, terms = places[0], places[1], places[2]
    for i in range(len(sizes)):
        size = sizes[i]
        if size == 0:
            continue
        spans(codes[i], size, alphabet, starts)
        k_terms = split(codes[i], size, starts, stack, terms)
        length = assemble(codes[i], numbers[i], size, alphabet, work)
        if k_terms == 0 or length == 0:
            continue
        constants = prepare(codes[i], numbers[i], size, starts, k_terms, terms, work, fit)
        constants = _movable(constants, may_move[i], fit)
        if constants < 0 or 1 + k_terms + constants > work.rows:
            continue
        arguments = (length, k_terms, constants, True, steps, gain, data, alphabet, work, fit)
        loss = call_fit(address, arguments)
        if not loss < np.inf:
            continue
        results[i, 0] = loss
        results[i, 1] = loss_of_terms(length, k_terms, np.inf, absolute, alphabet, work, fit)
        for t in range(k_terms + 1):
            results[i, 2 + t] = fit.vector[COEFFICIENTS, t]
        for c in range(constants):
            numbers[i, fit.index[LEAF, c]] = fit.vector[CONSTANTS, c]


@kernel
def _movable(constants, may_move, fit):
    """Leave those out that are held; returns how many are left."""
    kept = 0
    for c in range(constants):
        if may_move[fit.index[LEAF, c]]:
            fit.vector[CONSTANTS, kept] = fit.vector[CONSTANTS, c]
            for row in (NODE, LEAF, OWNER):
                fit.index[row, kept] = fit.index[row, c]
            kept += 1
    return kept if constants >= 0 else -1


def compile_many(say: Callable[[str], None] = lambda text: None) -> None:
    """Compile what :class:`ManyFits` and :func:`~srlib.kernels.evaluate` need, or load what has been compiled before.

    ``say`` is told if it will take long.
    """
    if COMPILED and not forget_stale(_fit_many.__wrapped__):
        say("compiling the fit of formulas, once on this machine: this takes about half a minute")
    compile_evaluation()
    x = np.arange(4.0)
    ManyFits(x[None], x)([Expression.parse("sin(2*x0)")])
