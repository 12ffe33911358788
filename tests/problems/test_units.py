"""Each law of the feynman suite is dimensionally right in the units that its problem states.

A unit is the tuple of its exponents of m, kg, s, A, K. Numbers are free of dimension, and so are all free constants:
what a search fits in these problems are factors such as 1/(4 pi).
"""

import re

import numpy as np
import pytest

from srlib import problems
from srlib.operators import by_code

SI = {
    "m": (1, 0, 0, 0, 0), "kg": (0, 1, 0, 0, 0), "s": (0, 0, 1, 0, 0), "A": (0, 0, 0, 1, 0), "K": (0, 0, 0, 0, 1),
    "rad": (0, 0, 0, 0, 0), "N": (1, 1, -2, 0, 0), "J": (2, 1, -2, 0, 0), "W": (2, 1, -3, 0, 0), "C": (0, 0, 1, 1, 0),
    "V": (2, 1, -3, -1, 0), "F": (-2, -1, 4, 2, 0), "T": (0, 1, -2, -1, 0), "Pa": (-1, 1, -2, 0, 0),
}  # fmt: skip
NONE = np.zeros(5)


def exponents(unit):
    """Return the exponents of a text such as "kg m/s^2"."""
    total, sign = np.zeros(5), 1
    for token in re.findall(r"/|[A-Za-z]+(?:\^-?\d+)?", unit):
        if token == "/":
            sign = -1
        else:
            name, _, power = token.partition("^")
            total += sign * int(power or 1) * np.array(SI[name])
    return total


def dimension(formula, units):
    """Return the exponents of a formula's value, or raise AssertionError where unlike quantities are added."""
    stack = []  # of (exponents, value of a constant or None)
    for code, value in zip(formula.codes.tolist(), formula.values.tolist(), strict=True):
        if code == 0:
            stack.append((NONE, value))
            continue
        if code < 0:
            stack.append((units[-1 - code], None))
            continue
        operator = by_code(code)
        arguments = [stack.pop() for _ in range(operator.arity)][::-1]
        (a, _), (b, number) = arguments[0], arguments[-1]
        if operator.name in ("add", "sub"):
            assert np.array_equal(a, b), f"{a} and {b} added"
            stack.append((a, None))
        elif operator.name in ("mul", "div"):
            stack.append((a + b if operator.name == "mul" else a - b, None))
        elif operator.name == "pow":
            assert number is not None, "an exponent must be a number"
            stack.append((a * number, None))
        elif operator.name == "square":
            stack.append((2 * a, None))
        elif operator.name == "sqrt":
            stack.append((a / 2, None))
        elif operator.name == "neg":
            stack.append((a, None))
        else:
            assert not a.any(), f"{operator.name} of a quantity with dimension {a}"
            stack.append((NONE, None))
    return stack[0][0]


@pytest.mark.parametrize("name", problems.names("feynman"))
def test_dimensions_agree(name):
    problem = problems.load(name)
    units = [exponents(v.unit) for v in problem.variables]
    assert np.array_equal(dimension(problem.truth, units), exponents(problem.target_unit))


def test_the_check_itself_finds_mistakes():
    friction = problems.load("I.12.1")
    assert not np.array_equal(dimension(friction.truth, [exponents("m"), exponents("N")]), exponents("N"))
    distance = problems.load("I.8.14")
    with pytest.raises(AssertionError, match="added"):
        dimension(distance.truth, [exponents(unit) for unit in ("m", "m", "s", "m")])
    lens = problems.load("I.26.2")
    with pytest.raises(AssertionError, match="sin of"):
        dimension(lens.truth, [exponents(""), exponents("m")])
