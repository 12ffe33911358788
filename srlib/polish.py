"""What happens to a front after the search: constants fitted, dead terms dropped, numbers rounded, errors computed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import numpy as np

from .constants import mean_squared_error, refit, standard_errors
from .expression import Expression
from .front import Entry, ParetoFront
from .prune import pruned
from .readable import readable

__all__ = ["polish"]

DEAD = 1e-9  # of the target's standard deviation: what changes the values by less is no part of a law


def polish(
    front: ParetoFront,
    columns: Sequence[np.ndarray],
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
    *,
    until: float = math.inf,
    loss: Callable[[Expression], float] | None = None,
    complexity: Callable[[Expression], float] | None = None,
    fit: Callable[[Expression], Expression] | None = None,
    errors: bool = True,
    rounding: bool = True,
) -> None:
    """Improve a front in place, the most useful step for all its formulas before the next one.

    1. The constants are fitted.
    2. Constants that the data cannot tell from a readable number, or from one another, are written so
       (:func:`srlib.readable.readable`). Such a form takes the place of its entry although its loss is a little higher:
       by the Bayesian information criterion it is the better one, and it is often the law.
    3. Parts whose removal hardly changes a value are dropped, and the rest fitted (:func:`srlib.prune.pruned`).
    4. The standard errors of the constants are noted.

    Of all else the front takes only what is better than what it has.

    Parameters
    ----------
    front : ParetoFront
        The front.
    columns : sequence of ndarray, each of shape (rows,)
        The features.
    y : ndarray, shape (rows,)
        The target.
    sample_weight : ndarray, shape (rows,), optional
        Weights of the rows.
    until : float
        No further formula after this time of ``time.monotonic()``.
    loss : callable, optional
        ``loss(expression) -> float`` in the unit of the front's losses; by default the mean squared error.
    complexity : callable, optional
        ``complexity(expression) -> float``; by default the expression's own.
    fit : callable, optional
        ``fit(expression) -> Expression`` with better constants; by default :func:`srlib.constants.refit`.
    errors : bool
        Whether the loss is squared, so that standard errors have a meaning.
    rounding : bool
        Whether step 2 is done.
    """
    if loss is None:

        def loss(one):
            return mean_squared_error(one, columns, y, sample_weight)

    if fit is None:

        def fit(one):
            every = np.eye(len(one.constants))
            return refit(one, columns, y, sample_weight, until=until, directions=every)

    complexity = complexity or (lambda one: one.complexity)
    tolerance = DEAD * float(np.std(y))

    def offer(form: Expression, of: Expression) -> None:
        if form != of and _uses_only(form, of):
            front.add(form, loss(form), complexity(form))

    def without_dead_parts(one: Expression) -> Expression:
        shorter = pruned(one, columns, tolerance, until)
        return fit(shorter) if shorter.size < one.size else one

    def round_off(entry: Entry) -> None:
        form = readable(
            entry.expression, columns, y, sample_weight, loss=loss, resolution=front.resolution or None, algebra=False,
            decimals=False, until=until,
        )  # fmt: skip
        if form != entry.expression and _uses_only(form, entry.expression):
            front.exchange(entry, form, loss(form), complexity(form))

    def note_errors() -> None:
        for row, entry in enumerate(front):
            if errors and not entry.errors and len(entry.expression.constants) and time.monotonic() < until:
                front.annotate(row, standard_errors(entry.expression, columns, y, sample_weight))

    def improve(step: Callable[[Expression], Expression]) -> None:
        for entry in front.copy():
            if time.monotonic() < until:
                offer(step(entry.expression), entry.expression)

    improve(fit)
    for entry in front.copy() if rounding else ():
        if time.monotonic() < until:
            round_off(entry)
    improve(without_dead_parts)
    note_errors()


def _uses_only(form: Expression, of: Expression) -> bool:
    """Whether a form has no operators but those of the formula it comes from: a user may have excluded others."""
    return set(form.codes[form.codes > 0]) <= set(of.codes[of.codes > 0])
