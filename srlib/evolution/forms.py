"""Forms that laws are often made of, with a constant inside: ``sin(c*u)``, ``exp(c*u)``, ``u + c``, ``log(1 - exp(c*u))``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..expression import Expression
from .dictionary import Dictionary, exponents, grid, power_columns
from .writing import Unwritable, Writer

__all__ = ["add_forms", "inner_arguments"]

WAVES = ("sin", "cos")
GROWTH = ("exp", "tanh", "sigmoid", "sinh", "cosh", "atan", "asinh")
# Powers and the like are covered by products of powers; steps and kinks have no constant that a derivative could move.
PLAIN = ("neg", "square", "cube", "inv", "abs", "sign", "step", "sqrt", "relu", "cbrt")


def inner_arguments(
    columns: Sequence[np.ndarray], features: Sequence[int], writer: Writer, limit: int
) -> tuple[np.ndarray, list[Callable[[], Expression]]]:
    """What may stand inside a function: features, their products, quotients and squares, sums and differences."""
    powers = exponents(len(features), 2, 2, limit)
    if 3 <= len(features) <= 7:  # a quotient of products such as h*f/(k*T)
        more = [e for e in exponents(len(features), 1, len(features), 1500) if sum(map(abs, e)) > 2]
        powers = powers + more[: max(0, limit - len(powers))]
    values, makes = power_columns(columns, features, powers, writer)
    extra, extra_makes = [], []
    for k, i in enumerate(features):
        for j in features[k + 1 :]:
            for name, op in (("sub", np.subtract), ("add", np.add)):
                if name in writer and len(makes) + len(extra) < limit + 40:
                    extra.append(op(columns[i], columns[j]))
                    extra_makes.append(
                        lambda i=i, j=j, name=name: writer.apply(name, Expression.variable(i), Expression.variable(j))
                    )
    if extra:
        values, makes = np.concatenate([values, extra]), makes + extra_makes
    good = np.isfinite(values).all(axis=1) & (np.ptp(values, axis=1) > 0)
    makes = [make for make, ok in zip(makes, good, strict=True) if ok and _writable(make)]
    return values[good][: len(makes)] if len(makes) == good.sum() else _again(values, good, makes), makes


def _again(values, good, makes):
    raise Unwritable("a power")


def _writable(make) -> bool:
    try:
        make()
    except Unwritable:
        return False
    return True


def add_forms(
    dictionary: Dictionary,
    arguments: np.ndarray,
    makes: Sequence[Callable[[], Expression]],
    writer: Writer,
    constants: bool,
    deep: int,
    should_stop: Callable[[], bool],
) -> None:
    """Add functions of each argument u to a dictionary.

    Parameters
    ----------
    dictionary : Dictionary
    arguments : ndarray, shape (arguments, rows)
    makes : sequence of callable
        Their formulas.
    constants : bool
        Whether to try many numbers c inside, as starting points of a fit; otherwise only 1 and -1.
    deep : int
        For how many of the arguments two functions in each other are tried.
    """
    for at, (u, make) in enumerate(zip(arguments, makes, strict=True)):
        if should_stop():
            return
        values, built = [], []
        with np.errstate(all="ignore"):
            for value, maker in _forms(u, make, writer, constants, at < deep):
                values.append(value)
                built.append(maker)
            if values:
                dictionary.add(np.array(values), built)


def _forms(u, make, writer: Writer, constants: bool, deep: bool) -> Iterator:
    """Values and formulas of the functions of one argument."""
    rows = len(u)
    functions = [op for name, op in writer.operators.items() if op.arity == 1 and name not in PLAIN]
    plus, minus = "add" in writer or "sub" in writer, "sub" in writer
    first = []  # functions of ±u and c*u, for the second level
    for operator in functions:
        for c in _inner_numbers(operator.name, u, constants):
            value = np.broadcast_to(np.asarray(operator.numpy(c * u), dtype=float), (rows,))

            def maker(c=c, operator=operator):
                return Expression.apply(operator, writer.times(c, make()))

            if c == 1 or "mul" in writer or "div" in writer or (c == -1 and "neg" in writer):
                yield value, maker
                if operator.name in ("exp", "log", "sqrt", "tanh"):
                    first.append((value, maker))
    if not plus:
        return
    shifts = _shifts(u) if constants else ([1.0, -1.0] if (np.abs(u) < 1e6).all() else [])
    inner = [(u, make, c) for c in shifts]
    if deep:
        inner += [(value, maker, c) for value, maker in first for c in (1.0, -1.0)]
    for value, maker, c in inner:
        if "add" in writer or "sub" in writer:
            yield from _outer(value + c, lambda m=maker, c=c: writer.plus(m(), c), functions, deep, writer)
        if minus and c > 0:
            yield from _outer(
                c - value, lambda m=maker, c=c: writer.apply("sub", c, m()), functions, deep, writer, signed=True
            )


def _outer(value, maker, functions, deep: bool, writer: Writer, signed: bool = False) -> Iterator:
    """A sum, its reciprocal, its root, and functions of it."""
    if not signed:
        yield value, maker
        if "div" in writer or "inv" in writer:
            yield 1 / np.where(value == 0, np.nan, value), lambda: writer.over(1.0, maker())
    if "sqrt" in writer:
        yield np.sqrt(value), lambda: writer.apply("sqrt", maker())
    if deep:
        for operator in functions:
            if operator.name not in WAVES:
                result = np.asarray(operator.numpy(value), dtype=float)
                yield result, lambda o=operator: Expression.apply(o, maker())


def _inner_numbers(name: str, u: np.ndarray, constants: bool) -> list[float]:
    if not constants:
        return [1.0, -1.0] if name == "exp" else [1.0]
    if name in WAVES:  # frequencies up to eight periods over the range, close enough for a fit to lock in
        step = 1.5 / max(np.ptp(u) / 2, 1e-300)
        return [1.0, *(step * k for k in np.arange(0.5, 34))] if step < 1e300 else [1.0]
    if name in GROWTH:
        size = np.quantile(np.abs(u), [0.3, 0.8, 1.0])
        scales = [s for s in size if s > 0]
        return [1.0, -1.0, *(s * c for c in grid(scales, (0.4, 1.2, 3.6)) for s in (1, -1))]
    return [1.0]


def _shifts(u: np.ndarray) -> list[float]:
    """Numbers c such that u + c is worth trying: of the size of u, and such that u + c keeps its sign."""
    low, high = float(u.min()), float(u.max())
    width = high - low
    found = [1.0, -1.0]
    found += [-low + width * f for f in (0.02, 0.1, 0.3, 1.0, 3.0)]
    found += [-high - width * f for f in (0.02, 0.1, 0.3, 1.0, 3.0)]
    return found
