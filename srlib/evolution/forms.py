"""Forms that laws are often made of, with a number c or with 1: ``sin(c*u)``, ``u + c``, ``log(1 - exp(c*u))``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT, by_code
from .dictionary import Dictionary, Make, exponents, grid, power_columns, writable
from .writing import Writer

__all__ = ["add_forms", "add_growth", "add_waves", "binomials", "frequencies", "inner_arguments", "liberated"]

WAVES = ("sin", "cos")
NEARLY = 1 + 1e-6  # not 1, which belongs to the form and is not fitted
QUARTER = 0.25 * np.pi  # a phase between those of sine and cosine
GROWTH = ("exp", "tanh", "sigmoid", "sinh", "cosh", "atan", "asinh")
# Powers and the like are covered by products of powers; steps and kinks have no constant that a derivative could move.
PLAIN = ("neg", "square", "cube", "inv", "abs", "sign", "step", "sqrt", "relu", "cbrt")


def inner_arguments(
    columns: Sequence[np.ndarray], features: Sequence[int], writer: Writer, limit: int
) -> tuple[np.ndarray, list[Make]]:
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
    good &= np.array([writable(make) for make in makes], dtype=bool)
    return values[good], [make for make, ok in zip(makes, good, strict=True) if ok]


def binomials(
    columns: Sequence[np.ndarray], features: Sequence[int], writer: Writer, limit: int
) -> tuple[np.ndarray, list[Make]]:
    """Sums and differences of two products or quotients of at most two features."""
    powers = [e for e in exponents(len(features), 2, 2, 60) if sum(e) >= 0]
    values, makes = power_columns(columns, features, powers, writer)
    kept = [i for i, make in enumerate(makes) if np.isfinite(values[i]).all() and writable(make)]
    found, found_makes = [np.empty((0, len(columns[0])))], []
    for at, i in enumerate(kept):
        others = kept[at + 1 :]
        for name, op in (("sub", np.subtract), ("add", np.add)):
            if name in writer and others and len(found_makes) < limit:
                found.append(op(values[i], values[others]))
                found_makes += [lambda i=i, k=k, name=name: writer.apply(name, makes[i](), makes[k]()) for k in others]
    return np.concatenate(found), found_makes


def add_forms(
    dictionary: Dictionary,
    arguments: np.ndarray,
    makes: Sequence[Make],
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
    scaled = "mul" in writer or "div" in writer
    first = []  # functions of ±u and c*u, for the second level
    for operator in functions:
        for c in _inner_numbers(operator.name, u, constants):
            value = np.broadcast_to(np.asarray(operator.numpy(c * u), dtype=float), (rows,))

            def maker(c=c, operator=operator):
                return Expression.apply(operator, writer.times(c, make()))

            if c != 1 and not scaled and not (c == -1 and "neg" in writer):
                continue
            yield value, maker
            if operator.name in WAVES and "square" in writer:
                yield value * value, lambda maker=maker: writer.apply("square", maker())
            if constants and plus and operator.name in WAVES and c != 1:
                yield operator.numpy(c * u + QUARTER), lambda c=c, o=operator: Expression.apply(
                    o, writer.plus(writer.times(c, make()), QUARTER)
                )
            if operator.name in ("exp", "log", "sqrt", "tanh"):
                first.append((value, maker))
    if "exp" in writer and "add" in writer and minus and scaled:
        yield from _hyperbolic(u, make, writer, _inner_numbers("exp", u, constants))
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


def _hyperbolic(u, make, writer: Writer, numbers) -> Iterator:
    """Hyperbolic sine, cosine and tangent in terms of the exponential, where the alphabet lacks them."""
    for c in numbers:
        if c <= 0:
            continue
        up, down = np.exp(c * u), np.exp(-c * u)

        def both(c=c):
            return writer.apply("exp", writer.times(c, make())), writer.apply("exp", writer.times(-c, make()))

        if "cosh" not in writer:
            yield up + down, lambda both=both: writer.apply("add", *both())
        if "sinh" not in writer:
            yield up - down, lambda both=both: writer.apply("sub", *both())
        if "tanh" not in writer and "div" in writer:
            yield (
                np.tanh(c * u / 2),
                lambda c=c: writer.apply("sub", 1.0, writer.over(
                    2.0, writer.apply("add", 1.0, writer.apply("exp", writer.times(c, make()))))),
            )  # fmt: skip


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
    if name in WAVES:
        return [1.0, *frequencies(u)]
    if name in GROWTH:
        size = np.quantile(np.abs(u), [0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
        scales = [s for s in size if s > 0]
        return [1.0, -1.0, *(s * c for c in grid(scales, (0.4, 1.2, 3.6)) for s in (1, -1))]
    return [1.0]


def frequencies(u: np.ndarray) -> list[float]:
    """Frequencies up to 14 periods over the range, close enough to each other for a fit to lock in."""
    step = 2.0 / np.ptp(u)
    return [step * k for k in np.arange(0.5, 46)] if np.isfinite(step) else [1.0]


def _shifts(u: np.ndarray) -> list[float]:
    """Numbers c such that u + c is worth trying: of the size of u, and such that u + c keeps its sign."""
    low, high = float(u.min()), float(u.max())
    width = high - low
    found = [1.0, -1.0]
    found += [-low + width * f for f in (0.02, 0.1, 0.3, 1.0, 3.0)]
    found += [-high - width * f for f in (0.02, 0.1, 0.3, 1.0, 3.0)]
    return found


def liberated(expression: Expression, writer: Writer, phases: bool = False) -> Expression:
    """The formula with a number, almost 1, before the argument of each function, and its ones free to be fitted.

    With `phases` waves also get a phase.
    """
    stack: list[Expression] = []
    scaled = "mul" in writer or "div" in writer
    for code, value in zip(expression.codes.tolist(), expression.values.tolist(), strict=True):
        if code <= 0:
            value = value * NEARLY if abs(value) == 1 else value
            stack.append(Expression._trusted(np.array([code], dtype=np.int32), np.array([value]), None))
            continue
        operator = by_code(code)
        arguments = stack[-operator.arity :]
        del stack[-operator.arity :]
        if scaled and operator.name in WAVES + GROWTH and not _scaled(arguments[0]):
            arguments = [writer.times(NEARLY, arguments[0])]
        if phases and operator.name in WAVES and ("add" in writer or "sub" in writer):
            arguments = [writer.plus(arguments[0], 0.1)]
        stack.append(Expression.apply(operator, *arguments))
    return stack[0]


def _scaled(argument: Expression) -> bool:
    """Whether a number multiplies an argument, or one more would say nothing new."""
    last = int(argument.codes[-1])
    if last <= 0 or by_code(last).name not in ("mul", "div"):
        return last == CONSTANT
    return any(argument.codes[node] == CONSTANT for node in argument.children(argument.size - 1))


def add_waves(dictionary: Dictionary, u: np.ndarray, argument: Expression, writer: Writer) -> None:
    """Add sines and cosines of many frequencies to a dictionary."""
    for name in WAVES:
        if name in writer and ("mul" in writer or "div" in writer):
            numbers = _inner_numbers(name, u, True)
            values = writer.operators[name].numpy(np.array(numbers)[:, None] * u)
            dictionary.add(values, [lambda c=c, n=name: writer.apply(n, writer.times(c, argument)) for c in numbers])


def add_growth(dictionary: Dictionary, u: np.ndarray, argument: Expression, writer: Writer) -> None:
    """Add exponentials of many rates to a dictionary."""
    if "mul" in writer or "div" in writer:
        numbers = _inner_numbers("exp", u, True)
        values = np.exp(np.array(numbers)[:, None] * u)
        dictionary.add(values, [lambda c=c: writer.apply("exp", writer.times(c, argument)) for c in numbers])
