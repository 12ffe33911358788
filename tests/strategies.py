"""Random formulas for Hypothesis, and what they mean in plain Python: the oracle of the tests."""

import math

import numpy as np
from hypothesis import strategies as st

from srlib import Expression
from srlib.operators import CONSTANT, builtin, by_code

FINITE = st.floats(allow_nan=False, allow_infinity=False)
MODEST = st.one_of(st.integers(-5, 5).map(float), st.sampled_from([0.5, -1.5, 2.25, 1e-3, 3.7, 0.1]))


@st.composite
def expressions(draw, features=3, operators=None, constants=FINITE, tokens=16, names=None):
    """Formulas of every shape: a list of tokens read by a stack machine, so that they shrink well."""
    operators = list(builtin()) if operators is None else list(operators)
    choices = st.one_of(
        st.integers(0, features - 1).map(lambda j: (-1 - j, 0.0)),
        constants.map(lambda value: (CONSTANT, value)),
        st.sampled_from(operators).map(lambda operator: (operator.code, 0.0)),
        st.sampled_from(operators).map(lambda operator: (operator.code, 0.0)),
    )
    codes, values, height = [], [], 0
    for code, value in draw(st.lists(choices, min_size=1, max_size=tokens)):
        arity = by_code(code).arity if code > 0 else 0
        while height < arity:
            codes, values, height = [*codes, -1 - height % features], [*values, 0.0], height + 1
        codes, values, height = [*codes, code], [*values, value], height + 1 - arity
    joint = draw(st.sampled_from([o for o in builtin() if o.arity == 2])).code
    return Expression([*codes, *[joint] * (height - 1)], [*values, *[0.0] * (height - 1)], names)


def tree(expression):
    """The formula as nested tuples (code, value, child, …), built without the library's tree walks."""
    stack = []
    for code, value in zip(expression.codes.tolist(), expression.values.tolist(), strict=True):
        arity = by_code(code).arity if code > 0 else 0
        below, stack = stack[len(stack) - arity :], stack[: len(stack) - arity]
        stack.append((code, value, *below))
    (root,) = stack
    return root


def _or_nan(function):
    def guarded(*arguments):
        if any(math.isnan(a) for a in arguments):
            return math.nan
        try:
            return function(*arguments)
        except (ValueError, ZeroDivisionError):
            return math.nan

    return guarded


def _pow(a, b):
    if math.isnan(a) or math.isnan(b):
        return math.nan  # unlike IEEE 754, which has nan**0 = 1**nan = 1
    if a == 0 and b < 0:
        return math.nan  # a division by zero
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.nan


def _overflowing(function, low=math.inf):
    def guarded(a):
        try:
            return function(a)
        except OverflowError:
            return math.inf if a > 0 else low

    return guarded


_exp = _overflowing(math.exp)

# What each operator means for one number, by Python's math module.
MEANING = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": _or_nan(lambda a, b: a / b), "pow": _pow, "min": _or_nan(min), "max": _or_nan(max),
    "neg": lambda a: -a, "abs": abs, "sign": _or_nan(lambda a: float((a > 0) - (a < 0))),
    "step": _or_nan(lambda a: float(a > 0)), "square": lambda a: a * a, "cube": lambda a: a * a * a,
    "sqrt": _or_nan(math.sqrt), "cbrt": lambda a: math.copysign(abs(a) ** (1 / 3), a),
    "inv": _or_nan(lambda a: 1 / a), "exp": _or_nan(_exp), "log": _or_nan(math.log), "log2": _or_nan(math.log2),
    "log10": _or_nan(math.log10), "log1p": _or_nan(math.log1p), "sin": _or_nan(math.sin), "cos": _or_nan(math.cos),
    "tan": _or_nan(math.tan), "asin": _or_nan(math.asin), "acos": _or_nan(math.acos), "atan": math.atan,
    "sinh": _overflowing(math.sinh, -math.inf), "cosh": _overflowing(math.cosh), "tanh": math.tanh,
    "asinh": math.asinh, "acosh": _or_nan(math.acosh), "atanh": _or_nan(math.atanh),
    "sigmoid": lambda a: 1 / (1 + _exp(-a)), "relu": _or_nan(lambda a: max(a, 0.0)),
}  # fmt: skip


def same(a, b, rtol=1e-12):
    """Equal to rounding, with NaN and infinity at the same places."""
    return np.allclose(a, b, rtol=rtol, atol=1e-300, equal_nan=True)
