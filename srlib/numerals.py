"""Numbers as people write them: 2, 1/3, pi/2, sqrt(2), 1e-7, 6.63e-34."""

from __future__ import annotations

import bisect
import math
from functools import lru_cache

import numpy as np

from .expression import Expression
from .operators import CONSTANT

__all__ = ["EASY", "numerals", "spelled"]

EASY = 3.0  # nats; numbers up to this cost are easy: small whole numbers, simple fractions, multiples of pi, …
LARGEST_WHOLE = 100
NAMED = {"pi": math.pi, "e": math.e}


@lru_cache(maxsize=1)
def _spellings() -> dict[str, tuple[float, float]]:
    """Positive numbers that are written as a little formula: text to (number, cost in nats)."""
    costs = {f"{n}/{d}": math.log(n * d) for d in (2, 3, 4, 6) for n in range(1, 13) if math.gcd(n, d) == 1}
    for n in (1, 2, 3, 4, 8):
        for d in (1, 2, 3, 4, 6, 8):
            if math.gcd(n, d) == 1:
                above = "pi" if n == 1 else f"{n}*pi"
                costs[above if d == 1 else f"{above}/{d}"] = 1.0 + math.log(n * d)
    costs |= dict.fromkeys(("e", "sqrt(2)", "sqrt(3)", "log(2)"), 2.0)
    costs |= dict.fromkeys(
        ("1/pi", "1/(2*pi)", "1/(4*pi)", "pi**2", "1/e", "1/sqrt(2)", "sqrt(pi)", "sqrt(2*pi)", "1/sqrt(2*pi)"), 2.5
    )
    read = {text: Expression.parse(text, names=list(NAMED)) for text in costs}
    return {text: (float(e.evaluate_columns(list(NAMED.values()))), costs[text]) for text, e in read.items()}


@lru_cache(maxsize=1)
def _spelled_numbers() -> list[tuple[float, float]]:
    """The same as a sorted list of (number, cost)."""
    return sorted(_spellings().values())


def numerals(value: float, digits: int = 3) -> list[tuple[float, float]]:
    """Readable numbers on both sides of a value, each with what it costs to say it, cheapest first.

    Parameters
    ----------
    value : float
        A constant.
    digits : int
        How many significant digits a decimal number may have.

    Returns
    -------
    list of (float, float)
        Number and cost. The cost in nats is about the logarithm of how many numbers are as simple: a number that is
        drawn at random comes as near to one of them by chance.

    Examples
    --------
    >>> [round(number, 4) for number, cost in numerals(3.139) if cost < EASY]
    [0.0, 1.0, -1.0, 3.1416, 3.0, 4.0, 2.7183, 10.0]
    """
    costs: dict[float, float] = {0.0: 0.0, 1.0: math.log(2), -1.0: math.log(2)}
    sign, size = math.copysign(1.0, value), abs(value)

    def offer(number: float, cost: float):
        number *= sign
        if math.isfinite(number) and cost < costs.get(number, math.inf):
            costs[number] = cost

    if size < LARGEST_WHOLE:
        for whole in {math.floor(size), math.ceil(size)} - {0}:
            offer(float(whole), math.log(whole + 1))
    known = _spelled_numbers()
    at = bisect.bisect(known, (size, math.inf))
    for number, cost in known[max(0, at - 2) : at + 2]:
        offer(number, cost)
    if size > 0:
        exponent = math.floor(math.log10(size))
        for power in (exponent, exponent + 1):
            offer(float(f"1e{power}"), 2.5)
        for places in range(digits):
            mantissa, _, power = f"{size:.{places}e}".partition("e")
            nearest = int(mantissa.replace(".", ""))
            for whole in (nearest - 1, nearest, nearest + 1):
                offer(float(f"{whole}e{int(power) - places}"), 0.8 + (places + 1) * math.log(10))
    return sorted(costs.items(), key=lambda pair: pair[1])


def spelled(expression: Expression, precision: int = 6) -> str:
    """The formula's text for people, with pi/2, 1/3 or sqrt(2) where a constant is that number.

    Examples
    --------
    >>> spelled(Expression.parse("0.5*x0**0.6666666666666666 + 3.141592653589793*cos(x1)"))
    '1/2*x0**(2/3) + pi*cos(x1)'
    """
    names = expression.names or tuple(f"x{j}" for j in range(max(expression.features, default=-1) + 1))
    if set(names) & set(NAMED):  # a feature of that name would be taken for the number
        return expression.format(precision)
    names += tuple(NAMED)
    by_number = {number: text for text, (number, _) in _spellings().items() if not _is_short(number)}
    whole = expression.with_names(names)
    for node in reversed(np.flatnonzero(expression.codes == CONSTANT)):
        value = expression.values[node]
        near = [text for number, text in by_number.items() if abs(abs(value) - number) <= 4e-16 * number]
        if near:
            text = near[0] if value > 0 else f"-{near[0]}"
            whole = whole.replace(int(node), Expression.parse(text, names))
    return whole.format(precision)


def _is_short(number: float) -> bool:
    """2.5 is shorter than 5/2, but 1/2 is what people write for 0.5."""
    return number > 1 and number * 4 == int(number * 4)
