"""From elites to the front: their formulas with fewer and fewer terms, each with its constants fitted."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from ..constants import mean_squared_error, refit
from ..expression import Expression
from ..front import ParetoFront
from ..kernels.many import ManyFits
from ..run import Run
from .extraction import Form

__all__ = ["EXACT", "Formulas"]

EXACT = 1e-22  # of the target's variance: an error of rounding
STEPS, GAIN = 30, 1e-6  # of the kernels' fits
LAST_STEPS = 5  # of the fit after that
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
        fitted = self._fitted([form])
        if not fitted:
            return
        add, refined = self.run.front.add if quietly else self.run.offer, False
        for shorter in reversed(self._refitted(self._fewer_terms(fitted[0]))):
            if time.monotonic() > until:
                break
            expression = shorter.expression(self.names)
            if expression.size > self.maxsize:
                continue
            loss = self.loss(expression)
            if not refined and EXACT * self.variance < loss < NEARLY * self.variance:
                refined, expression = True, self.refit(expression, until)
                loss = self.loss(expression)
            add(expression, loss)
            if loss <= EXACT * self.variance:
                break

    def refit(self, expression: Expression, until: float = math.inf) -> Expression:
        """Some steps of least squares without the rounding errors of the kernels' Gram matrices."""
        every = np.eye(len(expression.constants))
        return refit(
            expression, self.columns, self.y, self.sample_weight, LAST_STEPS, until=until, directions=every
        )  # fmt: skip

    def _fitted(self, forms: list[Form]) -> list[Form]:
        """With fitted numbers; without those that cannot be fitted."""
        forms = [form for form in forms if form.bodies and form.terms.size <= self.fits.room]
        if not forms:
            return []
        losses, _, values, coefficients = self.fits([form.terms for form in forms], steps=STEPS, gain=GAIN)
        found = zip(forms, losses, values, coefficients, strict=True)
        return [form.fitted(v, c) for form, loss, v, c in found if loss < np.inf]

    def _refitted(self, chain: list[Form]) -> list[Form]:
        """The numbers inside the terms fitted anew, then offset and coefficients, where the chain has an offset."""
        inside = [form for form in chain if len(form.owners)]
        fitted = iter(self._fitted(inside))
        result = []
        for form in chain:
            if form in inside and (new := next(fitted, None)) is not None and len(new.bodies) == len(form.bodies):
                form = self._solved(replace(new, offset=form.offset), range(0 if form.offset else 1, 99))
            result.append(form)
        return result

    def _columns(self, form: Form) -> np.ndarray:
        """One and the terms, each times the root of the rows' shares, shape (rows, 1 + terms)."""
        columns = [np.ones(len(self.y))]
        for body in form.bodies:
            term = Form((1.0,), (body,)).expression()
            columns.append(term.evaluate_columns(self.columns) + np.zeros(len(self.y)))
        return np.stack(columns, 1) * self.root[:, None]

    def _solved(self, form: Form, kept) -> Form:
        """Offset and coefficients by least squares, those that are not kept 0."""
        F = self._columns(form)
        scale, kept = np.linalg.norm(F, axis=0), [k for k in kept if k < F.shape[1]]
        if not (np.isfinite(F).all() and (scale > 0).all()):
            return form
        coefficients = np.zeros(len(scale))
        coefficients[kept] = np.linalg.lstsq(F[:, kept] / scale[kept], self.y * self.root, rcond=1e-13)[0]
        return _with(form, coefficients / scale)

    def _fewer_terms(self, form: Form) -> list[Form]:
        """The form with all its terms, then with one less each time, down to one; the offset counts as a term.

        A term goes whose loss, answered by the coefficients of the others, raises the squared error least.
        """
        F, target = self._columns(form), self.y * self.root  # (rows, offset and terms)
        scale = np.linalg.norm(F, axis=0)
        if not (np.isfinite(F).all() and (scale > 0).all()):
            return [form]
        F, kept, chain = F / scale, list(range(F.shape[1])), []
        while kept:
            coefficients = np.zeros(len(scale))
            coefficients[kept] = np.linalg.lstsq(F[:, kept], target, rcond=1e-13)[0]
            chain.append(_with(form, coefficients / scale))
            inverse = np.linalg.pinv(F[:, kept].T @ F[:, kept], rcond=1e-13, hermitian=True)
            matter = coefficients[kept] ** 2 / np.maximum(np.diagonal(inverse), 1e-300)
            kept.pop(int(np.argmin(matter)))
        return chain


def _with(form: Form, coefficients: np.ndarray) -> Form:
    """The terms whose coefficient is not 0."""
    kept = [(float(c), body) for c, body in zip(coefficients[1:], form.bodies, strict=True) if c != 0]
    return Form(tuple(c for c, _ in kept), tuple(body for _, body in kept), float(coefficients[0]))
