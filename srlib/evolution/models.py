"""From terms to reported formulas: sums with what is needed of a base, products of powers, quotients of sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..expression import Expression
from .search import Search, merged
from .sparse import beam_search, eliminate, orthonormal, project, regress
from .targets import Target

__all__ = ["Base", "eliminated", "log_features", "powers_of", "product_of", "quotients", "separable", "sum_of", "sums"]

Base = tuple[list[Expression], np.ndarray]  # terms and their values, shape (terms, rows)
LARGEST = 9  # terms of the longest sum that is written


def eliminated(search: Search, target: Target, base: Base) -> None:
    """Backward elimination from all terms of a base; each model on the way that is short enough is reported."""
    names, values = base
    root = search.root * target.slope
    columns = np.concatenate([values * root, root[None]])
    for chosen, _ in eliminate(columns, target.values * root, [len(values)], LARGEST + 1):
        if search.done:
            return
        chosen = [int(i) for i in chosen if i < len(values)]
        if chosen:
            search.linear(target, [names[i] for i in chosen], values[chosen])


def sums(
    search: Search, target: Target, values: np.ndarray, makes: Sequence[Callable[[], Expression]], terms: int,
    pairs: int, width: int = 6,
) -> None:  # fmt: skip
    """Beam search for sums of up to `terms` of many columns; the best of each length are reported."""
    root = search.root * target.slope
    most = min(terms, max(1, search.rows // 4 - 1))
    found = beam_search(
        values * root, target.values * root, root[None], search.prices(makes), most, width, pairs, lambda: search.done
    )
    for chosen in found:
        if search.done:
            return
        sum_of(search, target, [makes[i]() for i in chosen])


def sum_of(search: Search, target: Target, terms: Sequence[Expression], base: Base | None = None) -> None:
    """Report a linear model of the terms and of as much of the base as it takes, from much to nothing."""
    terms = list(terms)
    values = np.array([search.values(term) for term in terms])
    if not np.isfinite(values).all():
        return
    if base is None or not base[0]:
        search.linear(target, terms, values)
        return
    everything = np.concatenate([values, base[1]])
    root = search.root * target.slope
    weighted = np.concatenate([everything * root, root[None]])
    keep = [*range(len(terms)), len(weighted) - 1]
    for kept, _ in eliminate(weighted, target.values * root, keep, 6 + len(terms)):
        if search.done:
            return
        kept = [int(i) for i in kept if i < len(everything)]
        search.linear(target, [(terms + base[0])[i] for i in kept], everything[kept])


# ---------------------------------------------------------------- products


def log_features(search: Search, features: Sequence[int]) -> Base:
    """The features that are nowhere zero, with the logarithms of their sizes."""
    kept = [j for j in features if (search.columns[j] != 0).all()]
    logs = np.log(np.abs([search.columns[j] for j in kept])).reshape(len(kept), search.rows)
    return [Expression.variable(j) for j in kept], logs


def product_of(search: Search, terms: Sequence[Expression], base: Base) -> None:
    """Report the products of powers of the terms and of the base, with exponents that are whole or half."""
    with np.errstate(all="ignore"):
        values = np.log(np.abs([search.values(term) for term in terms])).reshape(len(terms), search.rows)
    root = search.root * np.abs(search.y)
    columns = np.concatenate([values, base[1], np.ones((1, search.rows))]) * root
    if not np.isfinite(columns).all():
        return
    line = regress(columns, np.log(np.abs(search.y)) * root)
    if line is not None:
        powers_of(search, [*terms, *base[0]], line.coefficients[:-1])


def powers_of(search: Search, terms: Sequence[Expression], fitted: np.ndarray) -> None:
    """Report products of powers whose exponents are the fitted ones rounded to whole and to half numbers."""
    for step in (1.0, 0.5):
        rounded = np.round(fitted / step) * step
        if np.abs(rounded - fitted).max(initial=0) > 0.3 or np.abs(rounded).max(initial=0) > 6:
            continue
        powers = merged(terms, rounded)
        if powers and len(powers) <= LARGEST:
            search.multiplicative(powers)


def separable(search: Search, features: Sequence[int]) -> Iterator[dict[int, float]]:
    """Products of powers of some features that seem to stand before a function of the others alone.

    In the logarithms, such a feature is linear: it has no curvature and no interaction with others. Exponents are
    rounded to whole and half numbers.
    """
    kept = [j for j in features if (search.columns[j] != 0).all()]
    if not (search.y != 0).all() or len(kept) < 2 or search.rows < 30:
        return
    logs = np.log(np.abs([search.columns[j] for j in kept]))
    spread = logs.std(axis=1)
    kept = [j for j, s in zip(kept, spread, strict=True) if s > 0]
    logs = ((logs.T - logs.mean(axis=1)) / np.where(spread > 0, spread, 1.0)).T[spread > 0]  # (features, rows)
    n = len(kept)
    pairs = [(i, k) for i in range(n) for k in range(i, n)]
    if 2 * (len(pairs) + n + 1) > search.rows:
        pairs = [(i, i) for i in range(n)]
    columns = [*logs, *(logs[i] * logs[k] for i, k in pairs), np.ones(search.rows)]
    root = search.root * np.abs(search.y)
    line = regress(np.array(columns) * root, np.log(np.abs(search.y)) * root)
    if line is None:
        return
    bend = np.zeros(n)
    for (i, k), c in zip(pairs, line.coefficients[n:-1], strict=True):
        bend[i] += c * c
        bend[k] += c * c * (i != k)
    doubt = np.sqrt(bend)
    order = np.argsort(doubt)
    seen = []
    for count in range(n - 1, 0, -1):
        chosen = order[:count]
        rest = [i for i in range(n) if i not in chosen]
        columns = [*logs[chosen], *(logs[i] for i in rest), np.ones(search.rows)]
        columns += [logs[i] * logs[k] for i, k in pairs if i in rest and k in rest]
        fit = regress(np.array(columns) * root, np.log(np.abs(search.y)) * root)
        if fit is None:
            continue
        exponent = fit.coefficients[:count] / spread[spread > 0][chosen]
        rounded = np.round(2 * exponent) / 2
        if np.abs(exponent - rounded).max() > 0.12 or not rounded.any():
            continue
        powers = {kept[i]: float(e) for i, e in zip(chosen, rounded, strict=True) if e}
        if powers not in seen:
            seen.append(powers)
            yield powers
        if len(seen) == 2:
            return


# ---------------------------------------------------------------- quotients


def quotients(search: Search, tops: Base, bottoms: Base, count: int) -> None:
    """Report ``(a1*p1 + …)/(q0 + b*q)``.

    If y is such a quotient, then ``y*q0`` and ``y*q`` are proportional beside the sums of all p, whatever the a are;
    so every pair (q0, q) is looked at without knowing which p are needed. Elimination then finds those.

    Parameters
    ----------
    search : Search
    tops, bottoms : (terms, values)
        What may stand in the numerator and in the denominator.
    count : int
        How many denominators are tried.
    """
    root = search.root
    ones = np.ones((1, search.rows))
    basis = orthonormal(np.concatenate([tops[1], ones]) * root)
    names, values = [Expression.constant(1.0), *bottoms[0]], np.concatenate([ones, bottoms[1]])
    clean, alive = project(values * (search.y * root), basis)
    if 2 * len(basis) > search.rows:
        return
    alike = np.abs(clean @ clean.T)  # (bottoms, bottoms)
    alike[np.tril_indices(len(alike))] = 0.0
    alike[~alive] = alike[:, ~alive] = 0.0
    for at in np.argsort(-alike, axis=None, kind="stable")[:count].tolist():
        i, k = divmod(at, len(alike))
        if search.done or alike[i, k] == 0:
            return
        line = regress(np.array([values[k] * search.y * root, *basis]), values[i] * search.y * root)
        if line is None:
            continue
        b = -float(line.coefficients[0])
        b = float(np.round(b)) if abs(b - np.round(b)) < 1e-9 * abs(b) else b
        bottom = values[i] + b * values[k]
        if b and (np.abs(bottom) > 1e-3 * np.median(np.abs(bottom))).all():
            eliminated(search, _over(search, bottom, [(1.0, names[i]), (b, names[k])]), tops)


def _over(search: Search, bottom: np.ndarray, parts: list[tuple[float, Expression]]) -> Target:
    """The target ``y*bottom``, which is undone by dividing."""
    slope = 1 / np.abs(bottom)

    def write(e):
        return search.writer.over(e, search.writer.sum(parts))

    return Target("quotient", search.y * bottom, slope / slope.max(), slope.max(), write, lambda t: t / bottom)
