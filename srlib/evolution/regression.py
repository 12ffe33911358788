"""The regression phase: before evolution begins, sparse regression over dictionaries of small expressions.

Many laws are sums of few terms, products of few factors, or become so after an outermost function is undone. Least
squares finds those in a fraction of a second, whatever the number of terms; evolution, which has to assemble them node
by node, does not. Nothing here is random, and nothing depends on the clock but where `should_stop` ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..expression import Expression
from ..operators import Operator
from .dictionary import exponents, power_columns, writable
from .models import Base, eliminated, log_features, powers_of, product_of, quotients, separable, sum_of, sums
from .pursuit import Pool, Problem, pursue
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
    with np.errstate(all="ignore"):
        search = Search(X, y, sample_weight, operators, maxsize, report, should_stop)
        if search.rows < 3 or np.ptp(search.y) == 0:
            return []
        phase = Phase(search, relevant(X, y, sample_weight), effort)
        for step in (
            phase.straight_lines, phase.power_laws, phase.polynomials, phase.small_sums, phase.small_products,
            phase.multiplied_pairs, phase.separated, phase.quotients, phase.pursuits,
        ):  # fmt: skip
            if search.done:
                break
            step()
    return search.terms()


class Phase:
    """The steps of the regression phase, cheap ones first."""

    def __init__(self, search: Search, features: list[int], effort: float):
        self.search, self.effort = search, effort
        self.targets = targets(search.y, search.writer)
        self.features = [j for j in features if np.ptp(search.columns[j]) > 0]
        self.few = self.features[: 10 if search.rows > 30 else 6]
        self.one_sided = bool((search.y != 0).all())  # then the target has a logarithm, up to its sign
        self.reduced: list[tuple[Target, list[int]]] = []
        self._pools: dict[tuple[int, ...], Pool] = {}

    def pool(self, features: list[int]) -> Pool:
        key = tuple(features)
        if key not in self._pools:
            self._pools[key] = Pool(self.search, features, self.effort)
        return self._pools[key]

    # ------------------------------------------------------------ steps

    def straight_lines(self) -> None:
        """Linear models of the features themselves."""
        for target in self.targets:
            eliminated(self.search, target, self._powers(self.features, 1, 1))

    def power_laws(self) -> None:
        """``k * x0**a * x1**b …`` from a linear model of logarithms."""
        search = self.search
        names, logs = log_features(search, self.features)
        if not self.one_sided or not names:
            return
        root = search.root * np.abs(search.y)
        columns = np.concatenate([logs, np.ones((1, search.rows))]) * root
        for chosen, line in eliminate(columns, np.log(np.abs(search.y)) * root, [len(names)], 12):
            if search.done:
                return
            terms = [names[i] for i in chosen if i < len(names)]
            powers_of(search, terms, line.coefficients[: len(terms)])

    def polynomials(self) -> None:
        """Products of whole powers of low degree: elimination from all of them, and sums of few."""
        for target in self.targets:
            self._polynomial(target, self.features)
        if not self.search.done:
            names, values = self._powers(self.features, 6, 150)
            sums(self.search, self.targets[0], values, [lambda n=n: n for n in names], 6, 200, 8)

    def small_sums(self) -> None:
        """Sums of a few small expressions, for the target and whatever can be undone."""
        values, makes = self.pool(self.few).small
        for target in self.targets:
            if self.search.done:
                return
            wide = target is self.targets[0]
            sums(self.search, target, values, makes, 5 if wide else 3, 1200 if wide else 600)

    def small_products(self) -> None:
        """Products of powers of small expressions: a linear model of logarithms on top of those of the features."""
        search = self.search
        if not self.one_sided:
            return
        values, makes = self.pool(self.few).small
        at = np.flatnonzero((values != 0).all(axis=1))
        base = log_features(search, self.features)
        root = search.root * np.abs(search.y)
        fixed = np.concatenate([base[1], np.ones((1, search.rows))]) * root
        logs, target = np.log(np.abs(values[at])) * root, np.log(np.abs(search.y)) * root
        prices = search.prices([makes[i] for i in at])
        for chosen in beam_search(logs, target, fixed, prices, 2, 10, 1000, lambda: search.done):
            if search.done:
                return
            product_of(search, [makes[at[i]]() for i in chosen], base)

    def separated(self) -> None:
        """The same for ``y/m``, where m is a product of powers of features that nothing else seems to depend on."""
        search = self.search
        for powers in separable(search, self.few) if self.one_sided else ():
            self._reduce(powers)
        for target, features in self.reduced:
            if search.done:
                return
            self._polynomial(target, features, 4 if len(features) < 4 else 2)
            sums(search, target, *self.pool(features).small, 3, 500)

    def _reduce(self, powers: dict[int, float]) -> None:
        """Add the targets that ``y/m`` gives, and the features that are left."""
        search = self.search
        features = [j for j in self.few if j not in powers]
        factor = {Expression.variable(j): e for j, e in powers.items()}
        if not features or not writable(lambda: search.writer.product(1.0, factor)):
            return
        m = search.values(search.writer.product(1.0, factor))
        if not np.isfinite(m).all() or (m == 0).any():
            return
        for target in targets(search.y / m, search.writer):
            slope = target.slope * target.unit * np.abs(m)

            def write(e, target=target):
                return search.writer.product(1.0, merged([target.write(e)], [1.0], factor))

            def undo(t, target=target):
                return m * target.undo(t)

            largest = float(slope.max())
            new = Target(f"{target.name} of y/m", target.values, slope / largest, largest, write, undo)
            self.reduced.append((new, features))

    def quotients(self) -> None:
        """Quotients of two sums of products of powers."""
        search, n = self.search, len(self.few)
        bottoms = exponents(n, 2, 2, 60)
        if 2 < n <= 5:
            bottoms += [e for e in exponents(n, 2, 4, 900) if sum(map(abs, e)) == 4 and sum(e) == 0][:60]
        bottoms = self._columns(self.few, bottoms)
        most = min(60, search.rows // 4)
        for negative in (False, True):
            tops = self._columns(self.few, exponents(n, 2, 2, most, negative=negative))
            quotients(search, tops, bottoms, int(12 * self.effort))

    def pursuits(self) -> None:
        """Functions with numbers inside."""
        search = self.search
        nothing: Base = ([], np.empty((0, search.rows)))
        jobs = [(self._product_problem(), self.few, 2)] if self.one_sided else []
        jobs.append((self._sum_problem(self.targets[0], nothing), self.few, 4))
        for base in (self._powers(self.few, 1, 20), self._rich(), self._powers(self.few, 2, min(30, search.rows // 6))):
            jobs.append((self._sum_problem(self.targets[0], base), self.few, 3))
        for target, features in [(t, self.few) for t in self.targets[1:]] + self.reduced:
            jobs.append((self._sum_problem(target, nothing), features, 2))
        for problem, features, most in jobs:
            if search.done:
                return
            pursue(search, problem, self.pool(features), most)

    def multiplied_pairs(self) -> None:
        """Sums in which one term is a product of two small expressions."""
        search = self.search
        rows = slice(0, min(search.rows, 128))
        values, makes = self.pool(self.few).small
        columns = values[: int(900 * self.effort), rows]
        prices = search.prices(makes[: len(columns)])
        bases = [self._powers(self.few, degree, min(30, search.rows // 6)) for degree in (0, 1, 2)]
        for target in self.targets[:4]:
            root = (search.root * target.slope)[rows]
            for base in bases:
                if search.done:
                    return
                basis = orthonormal(np.concatenate([base[1], np.ones((1, search.rows))])[:, rows] * root)
                t = target.values[rows] * root
                t = t - basis.T @ (basis @ t)
                for _, i, j in products(columns, columns, root, t, basis, 8, (prices, prices)):
                    powers = merged([makes[i](), makes[j]()], [1.0, 1.0])
                    if writable(lambda powers=powers: search.writer.product(1.0, powers)):
                        sum_of(search, target, [search.writer.product(1.0, powers)], base)

    # ------------------------------------------------------------ parts

    def _columns(self, features: list[int], powers) -> Base:
        """Products of powers as terms, those that are finite and can be written."""
        search = self.search
        values, makes = power_columns(search.columns, features, powers, search.writer)
        kept = [i for i, make in enumerate(makes) if np.isfinite(values[i]).all() and writable(make)]
        return [makes[i]() for i in kept], values[kept].reshape(len(kept), search.rows)

    def _powers(self, features: list[int], degree: int, most: int) -> Base:
        """Products of whole powers up to a degree."""
        most = min(most, len(features) if degree == 1 else most)
        return self._columns(features, exponents(len(features), degree, degree, most, negative=False) if degree else [])

    def _rich(self) -> Base:
        """The features and their logarithms, products and quotients of two, squares and reciprocals."""
        search = self.search
        names, values = self._columns(self.few, exponents(len(self.few), 2, 2, min(40, search.rows // 5)))
        bases, logs = log_features(search, self.few)
        kept = [i for i, base in enumerate(bases) if (search.values(base) > 0).all()] if "log" in search.writer else []
        return names + [search.writer.apply("log", bases[i]) for i in kept], np.concatenate([values, logs[kept]])

    def _polynomial(self, target: Target, features: list[int], most: int = 6) -> None:
        """Elimination from all products of whole powers; first of degree 2, then of as much as the data can tell."""
        n = len(features)
        largest = min(most, 6 if n < 4 else 4 if n == 4 else 3 if n < 10 else 2)
        last = 0
        for degree in sorted({2, 4, largest}):
            base = self._powers(features, degree, min(150, self.search.rows // 2))
            if self.search.done or degree > largest or len(base[0]) == last:
                return
            last = len(base[0])
            eliminated(self.search, target, base)

    def _sum_problem(self, target: Target, base: Base) -> Problem:
        root = self.search.root * target.slope
        columns = np.concatenate([base[1], np.ones((1, self.search.rows))]) * root
        return Problem(
            target.values * root, root, columns, target.unit, 40 if target is self.targets[0] else 1, False,
            lambda terms: sum_of(self.search, target, terms, base),
        )  # fmt: skip

    def _product_problem(self) -> Problem:
        search = self.search
        base = log_features(search, self.features)
        root = search.root * np.abs(search.y)
        columns = np.concatenate([base[1], np.ones((1, search.rows))]) * root
        target = np.log(np.abs(search.y)) * root
        return Problem(target, root, columns, 1.0, 1, True, lambda terms: product_of(search, terms, base))


def relevant(X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, most: int = 20) -> list[int]:
    """The features that say most about the target, alone or beside the others, at most `most`."""
    rows = slice(0, 5000) if len(y) <= 5000 else np.random.default_rng(1).permutation(len(y))[:5000]
    X, y = np.asarray(X, dtype=float)[rows], np.asarray(y, dtype=float)[rows]
    root = np.ones(len(y)) if sample_weight is None else np.sqrt(np.asarray(sample_weight, dtype=float)[rows])
    varying = [j for j in range(X.shape[1]) if np.ptp(X[:, j]) > 0]
    if len(varying) <= 10:
        return varying
    basis = orthonormal(root[None])
    target = y * root - basis.T @ (basis @ (y * root))
    columns, _ = project(X[:, varying].T * root, basis)  # (features, rows)
    rest, line = np.zeros(len(y)), regress(columns, target) if 3 * len(varying) < len(y) else None
    if line is not None:
        rest = target - line.coefficients @ columns
    score = []
    for k, j in enumerate(varying):
        x = X[:, j]
        shapes, _ = project(np.array([x, x * x, np.abs(x - x.mean()), np.sin(x), np.cos(x)]) * root, basis)
        alone = np.max(np.abs(shapes @ target)) / np.linalg.norm(target)
        own = rest + (0.0 if line is None else line.coefficients[k]) * columns[k]  # what the other features leave
        beside = np.max(np.abs(shapes @ own)) / max(np.linalg.norm(own), 1e-300)
        score.append(max(alone, beside))
    return [varying[k] for k in np.argsort(-np.array(score), kind="stable")[:most]]
