"""From elites to the front: their formulas with fewer and fewer terms, each with its constants fitted."""

from __future__ import annotations

import math
import time

import numpy as np

from ..constants import mean_squared_error, refit
from ..expression import Expression
from ..front import ParetoFront
from ..kernels.many import ManyFits
from ..run import Run
from .extraction import Form

__all__ = ["EXACT", "Formulas"]

EXACT = 1e-26  # of the target's variance: an error of rounding; look-alikes (800*sin(0.001*x0)) seldom come so near
STEPS, GAIN = 30, 1e-6  # of the kernels' fits
LAST_STEPS = 5  # of the fit after that
RIDGE = 1e-13  # of a column's square: columns that are the same are told apart
NEARLY = 1e-12  # of the target's variance: what the kernels' fit leaves of an exact formula, and more


class Formulas:
    """The formulas of one fit, judged by their mean squared error on all rows."""

    def __init__(self, X, y, sample_weight, run: Run, names, maxsize: int):
        self.run, self.names, self.maxsize = run, names, maxsize
        self.columns, self.y, self.sample_weight = list(X.T), y, sample_weight
        weights = np.full(len(y), 1 / len(y)) if sample_weight is None else sample_weight / sample_weight.sum()
        self.root = np.sqrt(weights)
        self.variance = float(weights @ (y - weights @ y) ** 2)
        self.fits = ManyFits(X.T, y, sample_weight)
        self.offered: set[int] = set()

    def begin(self) -> None:
        """An earlier fit's formulas on these data, and the mean."""
        earlier, self.run.front = list(self.run.front), ParetoFront(self.run.front.resolution)
        for entry in earlier:
            self.run.offer(entry.expression, self.loss(entry.expression), entry.complexity)
        mean = Expression.constant(float(np.average(self.y, weights=self.sample_weight))).with_names(self.names)
        self.run.check()
        self.run.count()
        self.run.offer(mean, self.loss(mean))

    def loss(self, expression: Expression) -> float:
        return mean_squared_error(expression, self.columns, self.y, self.sample_weight)

    def exact(self) -> bool:
        return len(self.run.front) > 0 and self.run.front[-1].loss <= EXACT * self.variance

    def offer(self, form: Form, until: float = math.inf, quietly: bool = False) -> None:
        """A formula and those that are left when its terms go, the one that matters least each time; short ones first.

        ``quietly``: the search has been stopped already, and nothing stops it now.
        """
        fitted = self._fitted([form])[0]
        if fitted is None:
            return
        add, refined = self.run.front.add if quietly else self.run.offer, False
        for shorter in reversed(self._refitted(self._fewer_terms(fitted))):
            if time.monotonic() > until:
                break
            expression = shorter.expression(self.names)
            if expression.size > self.maxsize:
                continue
            loss = self.loss(expression)
            if not refined and EXACT * self.variance < loss < NEARLY * self.variance:
                refined, expression = True, self.refit(expression, until)
                loss = self.loss(expression)
            if self.worth(expression, loss, expression.complexity):
                add(expression, loss)
            if loss <= EXACT * self.variance:
                break

    def refit(self, expression: Expression, until: float = math.inf) -> Expression:
        """Some steps of least squares without the rounding errors of the kernels' Gram matrices."""
        every = np.eye(len(expression.constants))
        return refit(
            expression, self.columns, self.y, self.sample_weight, LAST_STEPS, until=until, directions=every
        )  # fmt: skip

    def _fitted(self, forms: list[Form]) -> list[Form | None]:
        """Each with fitted numbers; None where that cannot be done."""
        usable = [k for k, form in enumerate(forms) if form.bodies and form.terms.size <= self.fits.room]
        result: list[Form | None] = [None] * len(forms)
        if usable:
            losses, _, values, coefficients = self.fits([forms[k].terms for k in usable], steps=STEPS, gain=GAIN)
            for row, k in enumerate(usable):
                if losses[row] < np.inf:
                    result[k] = forms[k].fitted(values[row], coefficients[row])
        return result

    def _refitted(self, chain: list[Form]) -> list[Form]:
        """The numbers inside the terms fitted anew, then the coefficients, and the offset where there was one."""
        inside = [k for k, form in enumerate(chain) if len(form.owners)]
        result = list(chain)
        for k, fitted in zip(inside, self._fitted([chain[k] for k in inside]), strict=True):
            if fitted is not None:
                first = 0 if chain[k].offset else 1
                result[k] = self._solved(fitted, range(first, len(fitted.bodies) + 1))
        return result

    def _columns(self, form: Form) -> np.ndarray:
        """One and the terms, each times the root of the rows' shares, shape (rows, 1 + terms)."""
        columns = [np.ones(len(self.y))]
        with np.errstate(all="ignore"):
            for body in form.bodies:
                term = Form((1.0,), (body,)).expression()
                columns.append(term.evaluate_columns(self.columns) + np.zeros(len(self.y)))
            return np.stack(columns, 1) * self.root[:, None]

    def _solved(self, form: Form, kept) -> Form:
        """Offset and coefficients by least squares, those that are not kept 0."""
        F = self._columns(form)
        scale, kept = np.linalg.norm(F, axis=0), list(kept)
        if not (np.isfinite(F).all() and (scale > 0).all()):
            return form
        coefficients = np.zeros(len(scale))
        coefficients[kept] = np.linalg.lstsq(F[:, kept] / scale[kept], self.y * self.root, rcond=1e-13)[0]
        return _with(form, coefficients / scale)

    def parameters(self, form: Form) -> int:
        """How many numbers a form with fitted ones needs: as many as :func:`criterion` likes best.

        Terms may go for that; the numbers inside them count all the same, because they were fitted.
        """
        losses = [loss for _, loss in eliminated(self._columns(form), self.y * self.root)]
        counts = len(form.owners) + np.arange(len(form.bodies) + 1, 0, -1)
        if not losses:
            return int(counts[0])
        rows, floor = len(self.y), EXACT * self.variance
        return int(counts[np.argmin([criterion(loss, k, rows, floor) for loss, k in zip(losses, counts, strict=True)])])

    def _fewer_terms(self, form: Form) -> list[Form]:
        """The form with all its terms, then with one less each time, down to one; the offset counts as a term."""
        chain = eliminated(self._columns(form), self.y * self.root)
        return [self._solved(form, kept) for kept, _ in chain] or [form]

    def worth(self, expression: Expression, loss: float, complexity: float) -> bool:
        """Whether no formula of the front that is shorter is as good by :func:`criterion`."""
        rows, floor = len(self.y), EXACT * self.variance
        own = criterion(loss, len(expression.constants), rows, floor)
        return all(
            entry.complexity >= complexity or own < criterion(entry.loss, len(entry.expression.constants), rows, floor)
            for entry in self.run.front
        )

    def tidy(self) -> None:
        """Take those formulas off the front that are not worth their length."""
        entries, self.run.front = list(self.run.front), ParetoFront(self.run.front.resolution)
        for entry in entries:
            if self.worth(entry.expression, entry.loss, entry.complexity):
                self.run.front.update([entry])


def criterion(loss: float, parameters: int, rows: int, floor: float) -> float:
    """The Bayesian information criterion of a least-squares fit, ``n log(loss) + k log(n)`` (G. Schwarz 1978)."""
    return rows * math.log(max(loss, floor, 1e-300)) + parameters * math.log(rows)


def eliminated(F: np.ndarray, target: np.ndarray) -> list[tuple[list[int], float]]:
    """Columns of a least-squares problem that are left when they go one by one, with the squared error of each set.

    The column goes whose removal, answered by the coefficients of the others, raises the squared error least: by
    ``c_j**2/(G^-1)_jj``, where ``G`` is the Gram matrix. Empty if a column is not finite.

    Parameters
    ----------
    F : ndarray, shape (rows, columns)
    target : ndarray, shape (rows,)

    Examples
    --------
    >>> x = np.linspace(0, 1, 20)
    >>> for kept, error in eliminated(np.stack([x, x**2, np.sin(9 * x)], 1), 3 * x + 0.1 * np.sin(9 * x)):
    ...     print(kept, round(error, 3))
    [0, 1, 2] 0.0
    [0, 2] 0.0
    [0] 0.092
    """
    with np.errstate(all="ignore"):
        scale = np.sqrt(np.einsum("ij,ij->j", F, F))
    if not np.isfinite(scale).all():
        return []
    F = F / np.where(scale > 0, scale, 1.0)
    inverse = np.linalg.inv(F.T @ F + RIDGE * np.eye(F.shape[1]))
    c, kept, chain = inverse @ (F.T @ target), list(range(F.shape[1])), []
    error = max(float(np.sum((target - F @ c) ** 2)), 0.0)
    while kept:
        chain.append((list(kept), error))
        matter = c**2 / np.diagonal(inverse)
        j = int(np.argmin(matter))
        error += float(matter[j])
        others = np.arange(len(kept)) != j
        c = (c - inverse[:, j] * (c[j] / inverse[j, j]))[others]
        inverse = (inverse - np.outer(inverse[:, j], inverse[j] / inverse[j, j]))[np.ix_(others, others)]
        kept.pop(j)
    return chain


def _with(form: Form, coefficients: np.ndarray) -> Form:
    """The terms whose coefficient is not 0."""
    kept = [(float(c), body) for c, body in zip(coefficients[1:], form.bodies, strict=True) if c != 0]
    return Form(tuple(c for c, _ in kept), tuple(body for _, body in kept), float(coefficients[0]))
