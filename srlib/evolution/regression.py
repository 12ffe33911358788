"""The regression phase: before evolution begins, sparse regression over dictionaries of small expressions.

Many laws are sums of few terms, products of few factors, or become so after an outermost function is undone. Least squares
finds those in a fraction of a second, whatever the number of terms; evolution, which has to assemble them node by
node, does not. Nothing here is random, and nothing depends on the clock but where `should_stop` ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..expression import Expression
from ..operators import Operator
from .dictionary import Dictionary, enumerate_small, exponents, power_columns
from .forms import add_forms, inner_arguments
from .search import Search, merged
from .sparse import beam_search, eliminate, orthonormal, products, project, regress
from .targets import Target, targets

__all__ = ["regression_phase"]


def regression_phase(
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    operators: Sequence[Operator],
    maxsize: int,
    report: Callable[[Expression], None],
    should_stop: Callable[[], bool],
    effort: float = 1.0,
) -> list[Expression]:
    """Search for laws by sparse regression; see the module.

    Parameters
    ----------
    X : ndarray, shape (rows, features)
        Finite; columns of order one.
    y : ndarray, shape (rows,)
        The target.
    sample_weight : ndarray, shape (rows,), or None
        Weights of the squared errors.
    operators : sequence of Operator
        Formulas are written with these only.
    maxsize : int
        The largest number of nodes of a reported formula.
    report : callable
        Called at once with every promising formula. Its constants were fitted on at most 400 rows. Constants that
        are exactly equal to each other, or to 1, belong to its form.
    should_stop : callable
        Asked often; the search ends soon after it says True.
    effort : float
        Scales the number of candidates.

    Returns
    -------
    list of Expression
        At most 30 terms of the best models found, best first.
    """
    search = Search(X, y, sample_weight, operators, maxsize, report, should_stop)
    if search.rows < 3 or np.ptp(search.y) == 0:
        return []
    phase = Phase(search, effort)
    for step in (
        phase.straight_lines, phase.power_laws, phase.polynomials, phase.small_sums, phase.small_products,
        phase.inner_constants, phase.multiplied_pairs,
    ):  # fmt: skip
        if search.done:
            break
        step()
    return search.terms()


class Phase:
    """The steps of the regression phase, cheap ones first."""

    def __init__(self, search: Search, effort: float):
        self.search, self.effort = search, effort
        self.identity = Target("identity", search.y, np.ones(search.rows), lambda e: e)
        self.targets = targets(search.y, search.writer)
        self.features = _relevant(search)
        self.few = self.features[: 10 if search.rows > 30 else 6]
        self.small: Dictionary | None = None

    # ------------------------------------------------------------ steps

    def straight_lines(self) -> None:
        """Linear models of the features themselves."""
        search = self.search
        values = np.array([search.columns[j] for j in self.features])
        names = [Expression.variable(j) for j in self.features]
        for target in self.targets:
            self._eliminated(target, values, names.__getitem__)

    def power_laws(self) -> None:
        """``k * x0**a * x1**b …`` from a linear model of logarithms."""
        search = self.search
        if not (search.y != 0).all():
            return
        positive = [j for j in self.features if (search.columns[j] > 0).all() or (search.columns[j] < 0).all()]
        root = search.root * np.abs(search.y)
        logs = np.log(np.abs([search.columns[j] for j in positive])).reshape(len(positive), search.rows)
        columns = np.concatenate([logs * root, root[None]])
        names = [Expression.variable(j) for j in positive]
        for chosen, line in eliminate(columns, np.log(np.abs(search.y)) * root, [len(positive)], 12):
            if search.done:
                return
            terms = [names[i] for i in chosen if i < len(positive)]
            self._exponents(terms, line.coefficients[: len(terms)])

    def polynomials(self) -> None:
        """Backward elimination from all products of whole powers of low degree."""
        search = self.search
        n = len(self.features)
        degree = 6 if n < 4 else 4 if n == 4 else 3 if n < 10 else 2
        powers = exponents(n, degree, degree, min(150, search.rows // 2), negative=False)
        values, makes = power_columns(search.columns, self.features, powers, search.writer)
        for target in self.targets:
            self._eliminated(target, values, lambda i: makes[i]())

    def small_sums(self) -> None:
        """Sums of up to four small expressions, for the target and whatever can be undone."""
        search = self.search
        self._enumerate()
        small = self.small
        at = np.flatnonzero(small.column)
        values = small.values[at]
        for target in self.targets:
            if search.done:
                return
            wide = target.name == "identity"
            self._sums(target, values, lambda i: small.expression(int(at[i])), 5 if wide else 4, 1200 if wide else 700)

    def small_products(self) -> None:
        """Products of powers of small expressions: a linear model of logarithms on top of those of the features."""
        search = self.search
        if not (search.y != 0).all():
            return
        small = self.small
        nonzero = (small.values != 0).all(axis=1)
        at = np.flatnonzero(nonzero)
        with np.errstate(all="ignore"):
            values = np.log(np.abs(small.values[at]))
        self._log_products(values, lambda i: small.expression(int(at[i])))

    def inner_constants(self) -> None:
        """Functions with a number inside, from a grid of numbers, then fitted."""
        search = self.search
        arguments, makes = inner_arguments(search.columns, self.few, search.writer, 24)
        atoms = Dictionary(search.rows)
        add_forms(atoms, arguments, makes, search.writer, True, 14, search.should_stop)
        self.atoms = atoms
        for target in self.targets:
            if search.done:
                return
            self._sums(target, atoms.values, atoms.expression, 2, 700, width=4, bases=2)
        if (search.y != 0).all() and not search.done:
            at = np.flatnonzero((atoms.values != 0).all(axis=1))
            self._log_products(np.log(np.abs(atoms.values[at])), lambda i: atoms.expression(int(at[i])), fit=True)

    def multiplied_pairs(self) -> None:
        """Sums in which one term is a product of two dictionary entries."""
        search = self.search
        rows = min(search.rows, 128)
        columns, makes = [], []
        for dictionary, count in ((self.small, 500), (self.atoms, 500)):
            at = np.flatnonzero(dictionary.column)[:count]
            columns.append(dictionary.values[at])
            makes += [(dictionary, int(i)) for i in at]
        columns = np.concatenate(columns)

        def expression(i):
            return makes[i][0].expression(makes[i][1])

        for target in self.targets[:4]:
            root = (search.root * target.slope)[:rows]
            for base in self._bases()[:3]:
                if search.done:
                    return
                basis = orthonormal(np.concatenate([base[1], np.ones((1, search.rows))])[:, :rows] * root)
                t = target.values[:rows] * root
                t = t - basis.T @ (basis @ t)
                for _, i, j in products(columns[:, :rows], columns[:, :rows], root, t, basis, 6):
                    self._model(target, [(expression(i), columns[i]), (expression(j), columns[j])], base, True)

    # ------------------------------------------------------------ parts

    def _enumerate(self) -> None:
        search = self.search
        limit = int(2500 * self.effort)
        self.small = enumerate_small(search.columns, self.few, search.operators, limit, search.should_stop)
        n = len(self.few)
        powers = exponents(n, 4 if n < 3 else 3, 6 if n < 4 else 4, 250)
        if 3 <= n <= 6:
            powers = powers + exponents(n, 1, n, 729)
        values, makes = power_columns(search.columns, self.few, powers, search.writer)
        self.small.add(values, makes)
        arguments, makes = inner_arguments(search.columns, self.few, search.writer, 120)
        add_forms(self.small, arguments, makes, search.writer, False, 30, search.should_stop)

    def _bases(self) -> list[tuple[list[Expression], np.ndarray]]:
        """What a term is added to: nothing, the features, all products of two features."""
        search = self.search
        names = [Expression.variable(j) for j in self.few]
        linear = np.array([search.columns[j] for j in self.few])
        powers = exponents(len(self.few), 2, 2, min(30, search.rows // 6), negative=False)
        values, makes = power_columns(search.columns, self.few, powers, search.writer)
        return [([], np.empty((0, search.rows))), (names, linear), ([make() for make in makes], values)]

    def _eliminated(self, target: Target, values: np.ndarray, expression) -> None:
        """Backward elimination; every model on the way with at most ten terms is reported."""
        search = self.search
        root = search.root * target.slope
        columns = np.concatenate([values * root, root[None]])
        for chosen, _ in eliminate(columns, target.values * root, [len(values)], 9):
            if search.done:
                return
            chosen = [int(i) for i in chosen if i < len(values)]
            if chosen:
                search.linear(target, [expression(i) for i in chosen], values[chosen])

    def _sums(self, target, values, expression, terms, pairs, width=6, bases=1) -> None:
        search = self.search
        root = search.root * target.slope
        for names, base in self._bases()[:bases]:
            found = beam_search(
                values * root, target.values * root, np.concatenate([base, np.ones((1, search.rows))]) * root,
                min(terms, max(1, search.rows // 4 - 1)), width, pairs, search.should_stop,
            )  # fmt: skip
            for chosen in found:
                if search.done:
                    return
                self._model(target, [(expression(i), values[i]) for i in chosen], (names, base))

    def _model(self, target, chosen, base, multiply: bool = False) -> None:
        """Report a linear model of the chosen terms (or of their product) and of what is needed of the base."""
        search = self.search
        terms, values = [term for term, _ in chosen], np.array([value for _, value in chosen])
        if multiply:
            powers = merged(terms, [1.0] * len(terms))
            try:
                terms, values = [search.writer.product(1.0, powers)], np.prod(values, axis=0)[None]
            except ValueError:
                return
        values = np.array([search.values(term) for term in terms])  # with their own factors
        if not np.isfinite(values).all():
            return
        names, columns = base
        if not names:
            search.linear(target, terms, values)
            return
        everything = np.concatenate([values, columns])
        root = search.root * target.slope
        weighted = np.concatenate([everything * root, root[None]])
        keep = [*range(len(terms)), len(weighted) - 1]
        for kept, _ in eliminate(weighted, target.values * root, keep, 6 + len(terms)):
            if search.done:
                return
            kept = [int(i) for i in kept if i < len(everything)]
            search.linear(target, [(terms + names)[i] for i in kept], everything[kept])

    def _log_products(self, values: np.ndarray, expression, fit: bool = False) -> None:
        search = self.search
        nonzero = [j for j in self.features if (search.columns[j] != 0).all()]
        names = [Expression.variable(j) for j in nonzero]
        logs = np.log(np.abs([search.columns[j] for j in nonzero])).reshape(len(nonzero), search.rows)
        root = search.root * np.abs(search.y)
        base = np.concatenate([logs, np.ones((1, search.rows))])
        t = np.log(np.abs(search.y))
        found = beam_search(values * root, t * root, base * root, 2, 8, 700, search.should_stop)
        for chosen in found:
            if search.done:
                return
            columns = np.concatenate([values[list(chosen)], base])
            line = regress(columns * root, t * root)
            if line is not None:
                terms = [*(expression(i) for i in chosen), *names]
                self._exponents(terms, line.coefficients[:-1])

    def _exponents(self, terms: list[Expression], fitted: np.ndarray) -> None:
        """Report products of powers whose exponents are the fitted ones rounded to whole and half numbers."""
        search = self.search
        for step in (1.0, 0.5):
            rounded = np.round(fitted / step) * step
            powers = merged(terms, rounded)
            if np.abs(rounded - fitted).max(initial=0) <= 0.3 and powers and len(powers) <= 9:
                if all(abs(e) <= 6 for e in powers.values()):
                    search.multiplicative(powers)


def _relevant(search: Search) -> list[int]:
    """The features that vary, those that say most about the target first, at most 20."""
    y = search.y - search.y.mean()
    score = {}
    for j, x in enumerate(search.columns):
        if np.ptp(x) == 0:
            continue
        with np.errstate(all="ignore"):
            shapes = np.array([x, x * x, np.abs(x - x.mean()), np.sin(x), np.cos(x)]) * search.root
        clean, _ = project(shapes, orthonormal(search.root[None]))
        score[j] = float(np.max(np.abs(clean @ (y * search.root))))
    best = sorted(score, key=lambda j: -score[j])[:20]
    return sorted(best) if len(best) <= 10 else best
