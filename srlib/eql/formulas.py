"""From networks to the front: the data as networks see them, and the formulas as they are judged."""

from __future__ import annotations

import time

import numpy as np

from ..constants import mean_squared_error, refit
from ..data import canonical
from ..expression import Expression
from ..front import ParetoFront
from ..run import Run
from .extraction import to_expression
from .network import Architecture
from .search import Candidate, Table

__all__ = ["EXACT", "Formulas"]

ROUNDING = 1e-13  # of the largest target
EXACT = 1e-22  # of the target's variance: an error of rounding
MOST_WEIGHTS = 15  # of a network that becomes a formula
ROWS = 1_000  # networks learn from at most so many; the formulas' constants are fitted to all
ROWS_TO_JUDGE = 20  # below so many rows none are held out


class Formulas:
    """The formulas of one fit.

    Columns are divided by their largest size and the target by its standard deviation. Nothing is shifted: that would
    turn x0*x1 into a sum of four terms.
    """

    def __init__(self, X, y, sample_weight, run: Run, names, rng: np.random.Generator, validation: float, maxsize: int):
        self.run, self.names = run, names
        X, y, self.sample_weight = canonical(X, y, sample_weight)
        self.columns, self.y = list(X.T), y
        size = np.abs(X).max(axis=0)
        self.size = np.where(size > 0, size, 1.0)  # (features,)
        weights = np.ones(len(y)) if self.sample_weight is None else self.sample_weight
        self.variance = float(np.average((y - np.average(y, weights=weights)) ** 2, weights=weights))
        self.spread = float(np.sqrt(self.variance))
        chosen = np.sort(rng.permutation(len(y))[:ROWS])
        held_out = int(validation * len(chosen)) if len(chosen) >= ROWS_TO_JUDGE else 0
        judging = np.isin(np.arange(len(chosen)), rng.permutation(len(chosen))[:held_out])
        learn, judge = chosen[~judging], chosen[judging]
        self.table = Table(
            X[learn] / self.size, y[learn] / self.spread, weights[learn],
            X[judge] / self.size, y[judge] / self.spread, weights[judge],
        )  # fmt: skip
        self.most = min(MOST_WEIGHTS, max(3, len(learn) // 4))
        self.maxsize = maxsize
        self.all_cut = self.candidates = 0
        self.best: list[tuple[float, float]] = []  # complexity and validation error of what was taken

    def begin(self) -> None:
        """What comes before any network: the earlier fit's formulas on these data, the mean, the best plane."""
        earlier, self.run.front = list(self.run.front), ParetoFront(self.run.front.resolution)
        for entry in earlier:
            self.run.offer(entry.expression, self.loss(entry.expression), entry.complexity)
        weights = np.ones(len(self.y)) if self.sample_weight is None else self.sample_weight
        for features in (0, len(self.columns)):
            self.run.check()
            form = self._plane(features, np.stack(self.columns, 1), self.y, weights)
            on_these = self._plane(
                features, self.table.X * self.size, self.table.y * self.spread, self.table.sample_weight
            )
            self.best.append((form.complexity, self._validation_error(on_these)))
            self.run.count()
            self.run.offer(form, self.loss(form))

    def _plane(self, features: int, X, y, weights) -> Expression:
        """The best linear formula of the first so many features."""
        design = np.column_stack([np.ones(len(y)), X[:, :features] / self.size[:features]])
        root = np.sqrt(weights)
        found = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
        found[np.abs(found) < ROUNDING * np.abs(y).max()] = 0
        plane = Expression.constant(float(found[0]))
        for feature, slope in enumerate(found[1:] / self.size[:features]):
            if slope != 0:
                term = float(slope) * Expression.variable(feature, self.names)
                plane = term if plane.size == 1 and plane.constants[0] == 0 else plane + term
        return plane.with_names(self.names)

    def _validation_error(self, expression: Expression) -> float:
        """On the rows that judge, in the networks' scale; 0 where there are none."""
        table = self.table
        if len(table.y_valid) == 0:
            return 0.0
        error = mean_squared_error(
            expression, list((table.X_valid * self.size).T), table.y_valid * self.spread, table.weight_valid
        )
        return error / self.variance

    def loss(self, expression: Expression) -> float:
        return mean_squared_error(expression, self.columns, self.y, self.sample_weight)

    def exact(self) -> bool:
        return len(self.run.front) > 0 and self.run.front[-1].loss <= EXACT * self.variance

    def take(self, architecture: Architecture, candidates: list[Candidate], quick: bool = False) -> None:
        """As :meth:`offer`, but nothing ends it: the search has been stopped already."""
        until = time.monotonic() + 0.3
        for candidate in sorted(candidates, key=lambda one: one.stage.error)[:5]:
            form = self._form(architecture, candidate)
            if form is None or time.monotonic() > until or self.run.evaluations_left <= 0:
                continue
            self.run.count()
            self.run.front.add(form, self.loss(form))

    def offer(self, architecture: Architecture, candidates: list[Candidate]) -> None:
        """Judge formulas, the smallest networks first."""
        self.candidates += len(candidates)
        for candidate in sorted(candidates, key=lambda one: (one.stage.active, one.stage.error)):
            form = self._form(architecture, candidate)
            if form is None or self._no_better(form.complexity, candidate.validation):
                continue
            self.run.check()
            every = np.eye(len(form.constants))
            fitted = refit(form, self.columns, self.y, self.sample_weight, directions=every)
            self.run.count()
            loss = self.loss(fitted)
            if np.isfinite(loss):
                self.best.append((form.complexity, candidate.validation))
            self.run.offer(fitted, loss)

    def _no_better(self, complexity: float, validation: float) -> bool:
        """Whether a formula that is no longer did as well on the rows that judge."""
        return len(self.table.y_valid) > 0 and any(
            size <= complexity and error <= validation for size, error in self.best
        )

    def _form(self, architecture: Architecture, candidate: Candidate) -> Expression | None:
        """The formula over the user's columns."""
        if candidate.stage.active > self.most:
            return None
        weights = candidate.stage.weights.copy()
        n, m = architecture.shapes[0]
        weights[: n * m] /= np.repeat(self.size, m)
        weights[-architecture.width :] *= self.spread
        try:
            form = to_expression(architecture, weights, names=self.names)
        except ValueError:  # a denominator without any weight, or nothing finite
            return None
        return form.with_names(self.names) if form.size <= self.maxsize else None
