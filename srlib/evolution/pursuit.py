"""Terms with numbers inside, found one at a time: screened for any smooth function, then tried, then fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..expression import Expression
from .dictionary import Dictionary, Make, enumerate_small, exponents, power_columns, writable
from .forms import add_forms, add_growth, add_waves, binomials, frequencies, inner_arguments, liberated
from .screening import fit_terms, screen, smooth_basis
from .search import Search, merged
from .sparse import orthonormal, products, project
from .writing import Unwritable, factors, tidy

__all__ = ["Pool", "Problem", "pursue"]

MIDDLE = 15  # what formulas of up to so many nodes leave unexplained is what others have to beat
FEW = 50  # on fewer rows smooth functions fit anything, and trying real ones is quick
SMOOTH = 1e-5  # less than this share may be left by any smooth function just because it has few polynomials
SCREENED = 150  # arguments that are tried with every multiplier
TRIED = 6  # how many candidates of each kind have their constants fitted


class Pool:
    """What terms are made of, for some of the features: arguments of functions, and multipliers of them."""

    def __init__(self, search: Search, features: list[int], effort: float):
        writer, columns = search.writer, search.columns
        self.search, self.features = search, features
        self.arguments, self.argument_makes = inner_arguments(columns, features, writer, int(300 * effort))
        self.smooth = smooth_basis(self.arguments)  # (arguments, functions, rows)
        n = len(features)
        powers = exponents(n, 1, 1, n)
        powers += [e for e in exponents(n, 1, min(n, 4), 60, negative=False) if sum(e) > 1][: int(16 * effort)]
        powers = list(dict.fromkeys(powers + exponents(n, 2, 2, 60)))[: int(36 * effort)]
        values, makes = power_columns(columns, features, powers, writer)
        good = np.isfinite(values).all(axis=1)
        one = np.ones((1, search.rows))
        self.multipliers = np.concatenate([one, values[good]])
        self.multiplier_makes: list[Make | None] = [None, *(m for m, ok in zip(makes, good, strict=True) if ok)]
        self._atoms: dict[int, Dictionary] = {}
        self._waves: Dictionary | None = None
        self._growth: Dictionary | None = None
        self._small: tuple[np.ndarray, list[Make]] | None = None
        self._limit = int(2500 * effort)

    @property
    def small(self) -> tuple[np.ndarray, list[Make]]:
        """Columns without numbers inside, small ones first: enumerated, products of powers, the usual forms."""
        if self._small is None:
            search, n = self.search, len(self.features)
            found = enumerate_small(search.columns, self.features, search.operators, self._limit, search.should_stop)
            powers = exponents(n, 4 if n < 3 else 3, 6 if n < 4 else 4, 250)
            values, makes = binomials(search.columns, self.features, search.writer, 1600)
            found.add(values, makes)
            if 3 <= n <= 6:
                powers = powers + exponents(n, 1, n, 729)
            values, makes = power_columns(search.columns, self.features, powers, search.writer)
            kept = [i for i, make in enumerate(makes) if writable(make)]
            found.add(values[kept], [makes[i] for i in kept])
            add_forms(found, self.arguments, self.argument_makes, search.writer, False, 30, search.should_stop)
            at = np.flatnonzero(found.column).tolist()
            self._small = found.values[at], [lambda i=i: found.expression(i) for i in at]
        return self._small

    def atoms(self, argument: int) -> Dictionary:
        """Functions of one argument with many numbers inside."""
        if argument not in self._atoms:
            found = Dictionary(self.search.rows)
            values, makes = self.arguments[argument : argument + 1], self.argument_makes[argument : argument + 1]
            add_forms(found, values, makes, self.search.writer, True, 1, self.search.should_stop)
            self._atoms[argument] = found
        return self._atoms[argument]

    def waves(self) -> Dictionary:
        """Sines and cosines of the single features, of many frequencies."""
        if self._waves is None:
            self._waves = Dictionary(self.search.rows)
            for j in self.features[:6]:
                add_waves(self._waves, self.search.columns[j], Expression.variable(j), self.search.writer)
        return self._waves

    def growth(self) -> Dictionary:
        """Exponentials of the single features, of many rates."""
        if self._growth is None:
            self._growth = Dictionary(self.search.rows)
            for j in self.features[:6] if "exp" in self.search.writer else ():
                add_growth(self._growth, self.search.columns[j], Expression.variable(j), self.search.writer)
        return self._growth

    def extended(self, arguments: list[Expression]) -> Pool:
        """A pool with more arguments."""
        values = np.array([self.search.values(argument) for argument in arguments])
        makes: list[Make] = [lambda argument=argument: argument for argument in arguments]
        good = np.isfinite(values).all(axis=1) & (np.ptp(values, axis=1) > 0)
        new = object.__new__(Pool)
        new.__dict__.update(self.__dict__, _atoms={})
        new.arguments = np.concatenate([values[good], self.arguments])
        new.argument_makes = [make for make, ok in zip(makes, good, strict=True) if ok] + self.argument_makes
        new.smooth = np.concatenate([smooth_basis(values[good]), self.smooth])
        return new


@dataclass
class Problem:
    """A linear problem: a weighted target, what terms are added to, and how a term becomes a column.

    Attributes
    ----------
    target, root : ndarray, shape (rows,)
        Weighted, and the roots of the weights.
    base : ndarray, shape (base, rows)
        Weighted.
    unit : float
        What errors are multiplied by to be errors in y.
    multipliers : int
        How many multipliers of functions are tried, 1 among them.
    logarithmic : bool
        Whether terms are factors, and their logarithms the columns.
    model : callable
        ``model(terms)`` reports the formulas that these terms give.
    """

    target: np.ndarray
    root: np.ndarray
    base: np.ndarray
    unit: float
    multipliers: int
    logarithmic: bool
    model: Callable[[list[Expression]], None]

    def view(self, values: np.ndarray) -> np.ndarray:
        if not self.logarithmic:
            return values
        with np.errstate(all="ignore"):
            return np.log(np.abs(values))

    def residual(self, basis: np.ndarray) -> np.ndarray:
        return self.target - basis.T @ (basis @ self.target)


def pursue(search: Search, problem: Problem, pool: Pool, most: int) -> None:
    """Add terms one at a time, with the numbers inside all of them fitted each time.

    Parameters
    ----------
    search : Search
    problem : Problem
    pool : Pool
        Where terms come from.
    most : int
        How many terms are added.
    """
    price = search.price
    floor = 1e-20 * float(problem.target @ problem.target)

    def cost(one: tuple[list[Expression], float]) -> float:
        return float(np.log(one[1] + floor)) + price * sum(term.size for term in one[0])

    terms: list[Expression] = []
    rest = problem.residual(orthonormal(problem.base))
    loss = float(rest @ rest)
    for step in range(most):
        if search.done or loss <= 0:
            return
        tried = []
        # the last term must beat what is known already; those before it need not, by themselves
        enough = (0.8 if step == most - 1 else 20.0) * search.least[min(MIDDLE, search.maxsize)]
        for candidate in candidates(search, problem, pool, terms, enough):
            if search.done:
                return
            new = fit_terms(
                [*terms, candidate], search.columns, problem.view, problem.target, problem.base, problem.root
            )
            if np.isfinite(new[1]):
                tried.append(new)
        if not tried:
            return
        tried.sort(key=cost)
        for option, _ in tried[:3]:
            problem.model(option)
            if search.done:
                return
        best = _improved(search, problem, pool, tried[0], cost)
        if best is not tried[0]:
            problem.model(best[0])
        terms, before, loss = best[0], loss, best[1]
        if loss > before * (1 - 3 * price):
            return
        if "mul" in search.writer and terms[-1].size < 8:
            pool = pool.extended([search.writer.times(Expression.variable(j), terms[-1]) for j in pool.features[:6]])


def candidates(search, problem, pool, terms, enough: float) -> list[Expression]:
    """Terms that may explain much of what is left; none if no smooth function leaves less than `enough`."""
    columns = np.array([problem.view(search.values(term)) * problem.root for term in terms]).reshape(-1, search.rows)
    basis = orthonormal(np.concatenate([problem.base, columns]))
    rest = problem.residual(basis)
    whole = float(rest @ rest)
    last = problem.multipliers
    multipliers = pool.multipliers[:last], pool.multiplier_makes[:last]
    smooth = pool.smooth if problem.logarithmic else pool.smooth[:SCREENED]
    shares = screen(rest, basis, problem.root, multipliers[0], smooth, search.should_stop)
    found: dict[Expression, float] = {}
    small = pool.small
    left, alive = project(problem.view(small[0]) * problem.root, basis)
    for i, gain in _best((left @ rest) ** 2 * alive, TRIED):
        found[small[1][i]()] = gain
    if not problem.logarithmic:
        found.update(_periodic(search, pool, problem.root, basis, rest))
        found.update(_wave_products(search, problem, pool, basis, rest))
    explained = max([whole * shares.max(initial=0.0), *found.values()])
    if search.rows >= FEW and (whole - explained) * problem.unit**2 > enough and whole - explained > SMOOTH * whole:
        return []
    found.update(_functions(search, problem, pool, basis, rest, multipliers, shares, 2 * TRIED))
    ordered = sorted(found, key=lambda term: -found[term])
    return [term for term in ordered if term.size <= search.maxsize][: 3 * TRIED]


def _functions(search, problem, pool, basis, rest, multipliers, shares, count) -> dict[Expression, float]:
    """Functions with numbers inside of the best arguments, times multipliers, and how much they explain."""
    found: dict[Expression, float] = {}
    for at, _ in _best(shares.ravel(), count):
        m, u = divmod(at, shares.shape[1])
        if search.should_stop():
            break
        atoms = pool.atoms(u)
        columns = problem.view(atoms.values)
        good = np.isfinite(columns).all(axis=1)
        columns = np.where(good[:, None], columns, 0.0) * (multipliers[0][m] * problem.root)
        left, alive = project(columns, basis)
        shapes: set[bytes] = set()  # of each form, only the best number inside
        for i, gain in _best((left @ rest) ** 2 * alive * good, 25):
            term = atoms.expression(i)
            if len(shapes) < 4 and term.codes.tobytes() not in shapes:
                shapes.add(term.codes.tobytes())
                _multiply(search, found, multipliers[1][m], term, gain)
    return found


def _wave_products(search, problem, pool, basis, rest) -> dict[Expression, float]:
    """Products of a wave and another wave, an exponential or a small expression."""
    found: dict[Expression, float] = {}
    waves, small = pool.waves(), pool.small
    if not len(waves):
        return found
    rows, several = slice(0, 200), [lambda i=i: waves.expression(i) for i in range(len(waves))]
    growth = pool.growth()
    grown = [lambda i=i: growth.expression(i) for i in range(len(growth))]
    for values, makes in ((waves.values, several), (growth.values, grown), (small[0][:500], small[1][:500])):
        if not makes:
            continue
        best = products(
            waves.values[:, rows], values[:, rows], problem.root[rows], rest[rows], basis[:, rows], 3,
            (search.prices(several), search.prices(makes)),
        )  # fmt: skip
        for share, i, j in best:
            _multiply(search, found, several[i], makes[j](), share * float(rest @ rest))
    return found


def _exchanged(search, problem, pool, terms) -> list[list[Expression]]:
    """The terms with one factor of the last one replaced by another function."""
    *others, term = terms
    powers = factors(term)[1]
    if problem.logarithmic or len(powers) < 2:
        return []
    columns = np.array([search.values(other) * problem.root for other in others]).reshape(-1, search.rows)
    basis = orthonormal(np.concatenate([problem.base, columns]))
    rest, found = problem.residual(basis), {}
    for factor in powers:
        if factor.size > 1:
            rest_of = {base: e for base, e in powers.items() if base != factor}
            if not writable(lambda rest_of=rest_of: search.writer.product(1.0, rest_of)):
                continue
            left = search.writer.product(1.0, rest_of)
            multipliers = search.values(left)[None], [lambda left=left: left]
            if np.isfinite(multipliers[0]).all():
                shares = screen(rest, basis, problem.root, multipliers[0], pool.smooth[:SCREENED], search.should_stop)
                found.update(_functions(search, problem, pool, basis, rest, multipliers, shares, 4))
    return [[*others, new] for new in sorted(found, key=lambda new: -found[new])[:12]]


def _improved(search, problem, pool, best, cost):
    """The terms with what they do not need left out, with numbers where there were none, or with other factors."""
    for _ in range(3):
        options = _exchanged(search, problem, pool, best[0])
        for at, term in enumerate(best[0]):
            for shorter in _shortened(term):
                try:
                    bare = search.writer.product(1.0, factors(shorter)[1])
                except Unwritable:
                    continue
                options.append([*best[0][:at], bare, *best[0][at + 1 :]])
        for phases in (False, True):
            freed = [liberated(term, search.writer, phases) for term in best[0]]
            if freed != best[0] and all(term.size <= search.maxsize for term in freed):
                options.insert(0, freed)
        before = best
        for option in options[:36]:
            if search.done:
                return best
            new = fit_terms(option, search.columns, problem.view, problem.target, problem.base, problem.root, 5)
            if np.isfinite(new[1]):
                best = min(best, new, key=cost)
        if best is before:
            break
    return best


def _shortened(term: Expression) -> list[Expression]:
    """The term with one operator replaced by one of its arguments, or a function of one argument by a number."""
    found = []
    for node in range(term.size):
        below = term.children(node)
        for child in below:
            if term.subtree(child).features:
                found.append(term.replace(node, term.subtree(child)))
        if len(below) == 1 and node < term.size - 1:
            found.append(term.replace(node, Expression.constant(1.5)))
    return [tidy(short) for short in found if short.features]


def _periodic(search, pool, root, basis, rest) -> dict[Expression, float]:
    """The waves of any frequency, argument and phase that explain most, and how much."""
    writer = search.writer
    name = next((name for name in ("sin", "cos") if name in writer), None)
    if name is None or "mul" not in writer:
        return {}
    best: list[tuple[float, int, float]] = []
    for at, u in enumerate(pool.arguments[:60]):
        if search.should_stop():
            break
        numbers = np.array(frequencies(u))[:, None]
        sine, sines = project(np.sin(numbers * u) * root, basis)
        cosine, cosines = project(np.cos(numbers * u) * root, basis)
        overlap = np.einsum("ij,ij->i", sine, cosine)
        a, b = sine @ rest, cosine @ rest
        left = 1 - overlap**2
        gain = (a * a + b * b - 2 * a * b * overlap) / np.maximum(left, 1e-3)
        gain[~(sines & cosines) | (left < 1e-3)] = 0.0
        k = int(np.argmax(gain))
        best.append((float(gain[k]), at, float(numbers[k, 0])))
    best.sort(key=lambda one: (-one[0], one[1]))
    found = {}
    for gain, at, number in best[:3]:
        if gain > 0:
            argument = writer.times(number, pool.argument_makes[at]())
            found.update({writer.apply(n, argument): gain for n in ("sin", "cos") if n in writer})
            if "add" in writer:
                found[writer.apply(name, writer.plus(argument, 0.8))] = gain
    return found


def _multiply(search, found, make: Make | None, term: Expression, gain: float) -> None:
    try:
        if make is not None:
            term = search.writer.product(1.0, merged([make(), term], [1.0, 1.0]))
    except Unwritable:
        return
    found[term] = max(gain, found.get(term, 0.0))


def _best(values: np.ndarray, count: int):
    """Where the largest values are, and the values; of equal ones, which are the same column, only the first."""
    last = np.inf
    for i in np.argsort(-values, kind="stable")[: 4 * count].tolist():
        if values[i] > 0 and values[i] < last * (1 - 1e-9) and count > 0:
            last, count = float(values[i]), count - 1
            yield i, last
