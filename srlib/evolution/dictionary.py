"""Small expressions with their values: enumerated by size, products of powers, and forms with a constant inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from ..expression import Expression
from ..operators import Operator
from .writing import Unwritable, Writer

__all__ = ["Dictionary", "enumerate_small", "exponents", "power_columns"]

Make = Callable[[], Expression]
LARGE = 1e12  # values beyond are of no use as columns
SPAN = 1e-9  # a column that varies by less than this fraction of its size is a constant


class Dictionary:
    """Expressions whose values differ, up to a positive factor; formulas are built only when they are asked for.

    Parameters
    ----------
    rows : int
        The length of a column of values.

    Attributes
    ----------
    values : ndarray, shape (expressions, rows)
        Each at a root mean square of 1.
    column : ndarray of bool, shape (expressions,)
        False where an earlier expression has the same values up to a factor and an offset.
    """

    def __init__(self, rows: int):
        rng = np.random.default_rng(0)
        self._probe = rng.standard_normal((rows, 2)) / np.sqrt(rows)
        self._seen: set[tuple[int, int]] = set()
        self._seen_affine: set[tuple[int, int]] = set()
        self._make: list[Make] = []
        self._made: dict[int, Expression] = {}
        self._blocks: list[np.ndarray] = [np.empty((0, rows))]
        self._flags: list[bool] = []

    def __len__(self) -> int:
        return len(self._make)

    @property
    def values(self) -> np.ndarray:
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0]

    @property
    def column(self) -> np.ndarray:
        return np.array(self._flags, dtype=bool)

    def expression(self, index: int) -> Expression:
        """The formula of an entry."""
        if index not in self._made:
            self._made[index] = self._make[index]()
        return self._made[index]

    def add(self, values: np.ndarray, makes: Sequence[Make], most: int = 10**9) -> list[int]:
        """Add expressions, shape (new, rows), whose values are finite, vary and are new; return the rows kept."""
        with np.errstate(all="ignore"):
            size = np.sqrt(np.mean(np.square(values), axis=1))  # (new,)
            good = np.isfinite(size) & (size > 1 / LARGE) & (size < LARGE)
            scaled = np.where(good[:, None], values / np.where(good, size, 1.0)[:, None], 0.0)
            centred = scaled - scaled.mean(axis=1, keepdims=True)
            spread = np.sqrt(np.mean(np.square(centred), axis=1))
            good &= spread > SPAN
            affine = centred / np.where(good, spread, 1.0)[:, None] @ self._probe  # (new, 2)
            affine *= np.where(affine[:, :1] < 0, -1.0, 1.0)
        keys = np.round(np.nan_to_num(scaled) @ self._probe * 1e8).astype(np.int64).tolist()
        affine_keys = np.round(np.nan_to_num(affine) * 1e8).astype(np.int64).tolist()
        kept = []
        for i in np.flatnonzero(good).tolist():
            if len(self._make) >= most:
                break
            key = tuple(keys[i])
            if key in self._seen:
                continue
            self._seen.add(key)
            other = tuple(affine_keys[i])
            self._flags.append(other not in self._seen_affine)
            self._seen_affine.add(other)
            self._make.append(makes[i])
            kept.append(i)
        if kept:
            self._blocks.append(scaled[kept])
        return kept


def enumerate_small(
    columns: Sequence[np.ndarray],
    features: Sequence[int],
    operators: Sequence[Operator],
    limit: int,
    should_stop: Callable[[], bool],
    largest: int = 7,
) -> Dictionary:
    """All expressions over some features by size, until there are `limit` with different values.

    The number 1 is a leaf too.
    """
    rows = len(columns[0])
    found = Dictionary(rows)
    raw: list[np.ndarray] = []  # values as they are, by index of `found`; entry -1 is the constant 1
    levels: dict[int, list[int]] = {1: []}

    def new(level, values, makes):
        before = len(found)
        values = np.atleast_2d(values)
        kept = found.add(values, makes, limit)
        raw.extend(values[i] for i in kept)
        levels.setdefault(level, []).extend(range(before, len(found)))

    for j in features:
        new(1, columns[j], [lambda j=j: Expression.variable(j)])
    one = np.ones(rows)

    def leafs(level):  # the entries of a size, the number 1 among the leaves
        return levels.get(level, []) + ([-1] if level == 1 else [])

    def values_of(indices):
        return np.array([one if i < 0 else raw[i] for i in indices])

    def expression(i):
        return Expression.constant(1.0) if i < 0 else found.expression(i)

    apply = Expression.apply
    unary = [operator for operator in operators if operator.arity == 1]
    binary = [operator for operator in operators if operator.arity == 2 and operator.name != "pow"]
    binary += [operator for operator in operators if operator.name == "pow"]
    with np.errstate(all="ignore"):
        for level in range(2, largest + 1):
            for operator in unary:
                inner = levels.get(level - 1, [])
                if should_stop() or len(found) >= limit:
                    return found
                if inner:
                    values = np.asarray(operator.numpy(values_of(inner)), dtype=float)
                    new(level, values, [lambda i=i, o=operator: Expression.apply(o, expression(i)) for i in inner])
            for first in range(1, level - 1):
                second = level - 1 - first
                for operator in binary:
                    if operator.commutative and first < second:
                        continue
                    right = leafs(second)
                    matrix = values_of(right) if right else None
                    for i in leafs(first):
                        if should_stop() or len(found) >= limit:
                            return found
                        if not right:
                            continue
                        values = np.asarray(operator.numpy(one if i < 0 else raw[i], matrix), dtype=float)
                        new(
                            level,
                            np.broadcast_to(values, matrix.shape),
                            [lambda i=i, j=j, o=operator: apply(o, expression(i), expression(j)) for j in right],
                        )
    return found


def exponents(features: int, largest: int, degree: int, limit: int, negative: bool = True) -> list[tuple[int, ...]]:
    """Exponents of products of powers: few factors of low degree first, at most `limit`."""
    choices = range(-largest if negative else 0, largest + 1)
    found: list[tuple[int, ...]] = []

    def grow(start: int, left: int, prefix: dict[int, int]) -> Iterator[dict[int, int]]:
        if prefix:
            yield prefix
        for j in range(start, features):
            for e in choices:
                if e and abs(e) <= left:
                    yield from grow(j + 1, left - abs(e), {**prefix, j: e})

    while degree > 1 and _count(features, len(choices), degree) > 40 * limit:
        degree -= 1
    for powers in grow(0, degree, {}):
        found.append(tuple(powers.get(j, 0) for j in range(features)))
    found.sort(key=lambda e: (sum(map(abs, e)), sum(x != 0 for x in e), [-abs(x) for x in e], [-x for x in e]))
    return found[:limit]


def _count(features: int, choices: int, degree: int) -> float:
    """About how many products of powers there are."""
    from math import comb

    each = min(choices - 1, 2 * degree)
    return float(sum(comb(features, k) * each**k for k in range(1, min(features, degree) + 1)))


def power_columns(
    columns: Sequence[np.ndarray], features: Sequence[int], powers: Sequence[tuple[int, ...]], writer: Writer
) -> tuple[np.ndarray, list[Make]]:
    """The values and the formulas of products of powers of some features."""
    values, makes = [], []
    variables = [Expression.variable(j) for j in features]
    with np.errstate(all="ignore"):
        for exponent in powers:
            value = np.ones(len(columns[0]))
            for j, e in zip(features, exponent, strict=True):
                if e:
                    value = value * columns[j] ** float(e) if abs(e) > 2 else value * (
                        columns[j] if e == 1 else 1 / columns[j] if e == -1 else columns[j] ** 2 if e == 2
                        else columns[j] ** -2.0
                    )  # fmt: skip
            factors = {v: float(e) for v, e in zip(variables, exponent, strict=True) if e}
            values.append(value)
            makes.append(lambda factors=factors: writer.product(1.0, factors))
    return np.array(values).reshape(len(values), len(columns[0])), makes


def writable(make: Make) -> bool:
    """Whether the alphabet has what the formula needs."""
    try:
        make()
    except Unwritable:
        return False
    return True


def grid(scales: Sequence[float], factors: Sequence[float]) -> list[float]:
    """Numbers ``factor/scale``, none closer to another than 25 %."""
    found: list[float] = []
    for scale, factor in product(scales, factors):
        value = factor / scale
        if np.isfinite(value) and value and all(not 0.8 < value / other < 1.25 for other in found):
            found.append(value)
    return found
