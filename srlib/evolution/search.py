"""What the steps of the regression phase share: the rows they work on, and how terms become a reported formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..expression import Expression
from ..operators import Operator
from .fitting import fit_constants, fixed_constants
from .sparse import regress
from .targets import Target, identity
from .writing import Factors, Unwritable, Writer, factors, tidy

__all__ = ["Search"]

ROWS = 400  # rows that the search works on
NEAR = 4.0  # a loss that many times the best one may become the best when all constants are fitted
EXACT = 1e-20  # a loss below this fraction of the target's variance is rounding error


class Search:
    """The data, the alphabet, and what was reported so far.

    Attributes
    ----------
    columns : list of ndarray, each of shape (rows,)
        The features, on at most `ROWS` rows.
    y, root : ndarray, shape (rows,)
        The target and the square roots of the rows' weights.
    """

    def __init__(self, X, y, sample_weight, operators: Sequence[Operator], maxsize, report, should_stop):
        rows = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight > 0)
        if len(rows) > ROWS:
            rows = np.random.default_rng(0).permutation(rows)[:ROWS]
        X, y = np.asarray(X)[rows], np.asarray(y, dtype=float)[rows]
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)[rows]
        self.columns = [np.ascontiguousarray(column, dtype=float) for column in X.T]
        self.y, self.root = y, np.sqrt(weight / weight.mean())
        self.operators, self.writer = tuple(operators), Writer(operators)
        self.maxsize, self.report, self.should_stop = maxsize, report, should_stop
        centre = np.average(y, weights=weight)
        self.total = float(np.sum(np.square(self.root * (y - centre)))) or 1.0
        self.least = np.full(maxsize + 1, np.inf)  # by size: the least loss among formulas that are not longer
        self.found: dict[Expression, float] = {}  # terms of good models, and the models' scores
        self.exact = False
        self._seen: set[Expression] = set()

    @property
    def rows(self) -> int:
        return len(self.y)

    @property
    def done(self) -> bool:
        """Whether to end: told to, or nothing but rounding error is left to explain."""
        return self.exact or self.should_stop()

    def values(self, expression: Expression) -> np.ndarray:
        """The formula on the working rows, shape (rows,)."""
        with np.errstate(all="ignore"):
            return expression.evaluate_columns(self.columns) + np.zeros(self.rows)

    def loss(self, expression: Expression) -> float:
        """The sum of weighted squared errors; infinite where the formula is not finite."""
        with np.errstate(all="ignore"):
            residual = (self.values(expression) - self.y) * self.root
            loss = float(residual @ residual)
        return loss if np.isfinite(loss) else np.inf

    @property
    def price(self) -> float:
        """What a node costs, in the logarithm of the loss: twice what the Bayesian information criterion asks for."""
        return 2 * np.log(self.rows) / self.rows

    def prices(self, makes: Sequence[Callable[[], Expression]]) -> np.ndarray:
        """What each of many terms costs as a part of a formula, shape (terms,)."""
        return self.price * np.array([make().size for make in makes], dtype=float)

    # ------------------------------------------------------------ judging

    def offer(self, expression: Expression, loss: float | None = None, terms: Sequence[Expression] = ()) -> bool:
        """Report a formula if none that is at most as long is clearly better."""
        if expression.size > self.maxsize:
            return False
        loss = self.loss(expression) if loss is None else loss
        least = self.least[expression.size]
        if not loss <= max(1.02 * least, EXACT * self.total) or expression in self._seen:
            return False
        self._seen.add(expression)
        self.report(expression)
        better = np.arange(self.maxsize + 1) >= expression.size
        self.least[better] = np.minimum(self.least[better], loss)
        score = np.log(max(loss / self.total, EXACT)) * self.rows + 2 * expression.size * np.log(self.rows)
        for term in terms:
            if term.size > 1:
                self.found[term] = min(score, self.found.get(term, np.inf))
        if loss <= EXACT * self.total and self.rows > 2 * len(expression.constants) + 2:
            self.exact = True
        return True

    def polish(self, expression: Expression, terms: Sequence[Expression] = (), steps: int = 25) -> None:
        """Fit all constants of a formula and report it, and again with constants rounded that may be whole numbers."""
        if expression.size > self.maxsize + 4 or self.done:
            return
        fitted = fit_constants(expression, self.columns, self.y, self.root, steps, should_stop=self.should_stop)
        if fitted is None:
            return
        self.offer(tidy(fitted.expression), terms=terms)
        constants, fixed = fitted.expression.constants, fixed_constants(fitted.expression)
        nearest = np.round(constants)
        close = ~fixed & (nearest != 0) & (np.abs(nearest) <= 4)
        close &= np.abs(constants - nearest) <= np.maximum(2.5 * fitted.error, 1e-7 * np.abs(constants))
        simple = np.where(close, nearest, constants)
        tied = _tie(simple, fixed | close, np.maximum(2.5 * fitted.error, 1e-7 * np.abs(constants)))
        for new in ([simple] if close.any() else []) + ([tied] if (tied != simple).any() else []):
            if self.done:
                return
            start = fitted.expression.with_constants(new)
            again = fit_constants(start, self.columns, self.y, self.root, steps, fixed | close, self.should_stop)
            if again is not None:
                self.offer(tidy(again.expression), terms=terms)

    # ------------------------------------------------------------ linear models

    def linear(self, target: Target, terms: Sequence[Expression], values: np.ndarray) -> None:
        """Report ``h(c1*f1 + … + c0)``: with and without c0, and with coefficients equal to each other or to 1.

        Parameters
        ----------
        target : Target
            Its ``write`` is the h.
        terms : sequence of Expression
        values : ndarray, shape (terms, rows)
        """
        root = self.root * target.slope
        t = target.values * root
        inside = any((~fixed_constants(term)).any() for term in terms)
        plain = target.name == "identity" and not inside
        for intercept in (True, False):
            unweighted = np.concatenate([values, np.ones((1, self.rows))]) if intercept else values
            if len(unweighted) == 0 or 2 * len(unweighted) > len(t) + 2 or self.exact:
                continue
            for coefficients in _coefficients(unweighted * root, t):
                loss = self._undone(target, coefficients @ unweighted)
                shortest = _shortest(coefficients, terms)
                if shortest > self.maxsize + 4:
                    continue
                if not loss <= (1.02 if plain else NEAR) * self.least[min(shortest, self.maxsize)]:
                    continue
                try:
                    parts = [(c, f) for c, f in zip(coefficients, terms, strict=False) if c]
                    expression = target.write(self.writer.sum(parts, coefficients[-1] if intercept else 0.0))
                    expression = tidy(expression)
                except (Unwritable, OverflowError):
                    continue
                if not np.isfinite(expression.values).all():
                    continue
                if plain:
                    self.offer(expression, terms=terms)
                else:
                    self.refine(expression, terms)
                squared = self.writer.squares(parts)
                if len(squared) < len(parts):
                    try:
                        whole = self.writer.sum(squared, coefficients[-1] if intercept else 0.0)
                        self.refine(tidy(target.write(whole)), terms)
                    except Unwritable:
                        continue

    def _undone(self, target: Target, values: np.ndarray) -> float:
        """The loss in y of values of a transformed target."""
        with np.errstate(all="ignore"):
            residual = (target.undo(values) - self.y) * self.root
            loss = float(residual @ residual)
        return loss if np.isfinite(loss) else np.inf

    def refine(self, expression: Expression, terms: Sequence[Expression] = ()) -> None:
        """Report a formula as it is and, if it is near enough to what is known, with its constants fitted."""
        if expression.size > self.maxsize + 4:
            return
        loss = self.loss(expression)
        self.offer(expression, loss, terms)
        known = self.least[min(expression.size, self.maxsize)]
        if not self.exact and np.isfinite(loss) and EXACT * self.total < loss <= NEAR * known:
            self.polish(expression, terms)

    def multiplicative(self, powers: Factors, values: np.ndarray | None = None) -> None:
        """Report ``k*f``, ``k*f + c``, ``f`` and ``f + c`` for a product of powers f."""
        try:
            term = self.writer.product(1.0, powers)
        except Unwritable:
            return
        if term.size > self.maxsize:
            return
        values = self.values(term)
        if np.isfinite(values).all() and np.ptp(values) > 0:
            self.linear(identity(self.y), [term], values[None])

    def terms(self, count: int = 30) -> list[Expression]:
        """The terms of the best models, best first."""
        return sorted(self.found, key=lambda term: (self.found[term], term.size))[:count]


def _tie(constants: np.ndarray, held: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """The constants, those whose sizes are the same within their tolerances made so."""
    answer = constants.copy()
    free = np.flatnonzero(~held & (constants != 0))
    for at, i in enumerate(free):
        for k in free[:at]:
            if abs(abs(answer[i]) - abs(answer[k])) <= np.hypot(tolerance[i], tolerance[k]):
                answer[i] = np.copysign(answer[k], answer[i])
                break
    return answer


def _coefficients(columns: np.ndarray, target: np.ndarray) -> Iterator[np.ndarray]:
    """Coefficients that explain the target: free; those near 1 held there; those near each other made equal."""
    line = regress(columns, target)
    if line is None:
        return
    w = line.coefficients
    tolerance = np.maximum(2.5 * line.error, 1e-9 * np.abs(w))
    share = np.abs(w) * np.sqrt(np.einsum("ij,ij->i", columns, columns))
    w = np.where(share > 1e-11 * share.max(), w, 0.0)
    yield w
    signs = np.sign(w)
    unit = (np.abs(np.abs(w) - 1) <= tolerance) & (w != 0)
    left = np.abs(w)
    groups: list[list[int]] = []
    for i in np.argsort(left):
        if w[i] == 0:
            continue
        if groups and abs(left[i] - left[groups[-1][0]]) <= max(tolerance[i], tolerance[groups[-1][0]]):
            groups[-1].append(int(i))
        else:
            groups.append([int(i)])
    if len(groups) < np.count_nonzero(w):
        yield from _tied(columns, target, groups, signs, [])
    if unit.any():
        rest = [[i for i in group if not unit[i]] for group in groups]
        yield from _tied(columns, target, [group for group in rest if group], signs, np.flatnonzero(unit).tolist())


def _tied(columns, target, groups, signs, units):
    """Coefficients with one size for each group, and those of `units` at 1 or -1."""
    answer = np.zeros(len(columns))
    answer[units] = signs[units]
    if groups:
        rest = target - answer @ columns
        line = regress(np.array([signs[group] @ columns[group] for group in groups]), rest)
        if line is None:
            return
        for group, size in zip(groups, line.coefficients, strict=True):
            answer[group] = size * signs[group]
    yield answer


def _shortest(coefficients: np.ndarray, terms: Sequence[Expression]) -> int:
    """A size that no way of writing a sum of terms can be below: each number of its own takes a node and a product."""
    used = [term for c, term in zip(coefficients, terms, strict=False) if c]
    own = set(np.abs(coefficients[coefficients != 0]).tolist()) - {1.0}
    return max((term.size for term in used), default=1) + max(0, 2 * len(own) - 2) + max(0, len(used) - 1 - len(own))


def merged(terms: Sequence[Expression], exponents: Sequence[float], powers: Factors | None = None) -> Factors:
    """The product of powers of terms (and of other powers), as powers of their bases."""
    powers = dict(powers or {})
    for term, exponent in zip(terms, exponents, strict=True):
        for base, e in factors(term)[1].items():
            powers[base] = powers.get(base, 0) + e * exponent
    return {base: e for base, e in powers.items() if abs(e) > 1e-12}
