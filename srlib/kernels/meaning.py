"""What each operator does to a block of rows, and its derivative: the compiled twin of :mod:`srlib.operators`.

A kernel's memory is one long array; a block of rows of one node's values is the part ``mem[at : at + n]``. Codes are
those of the alphabet. Outside of its domain an operator gives NaN, as its numpy meaning does; the two are compared with
each other, number by number, in the tests.
"""

from __future__ import annotations

import math

import numpy as np

from .functions import beyond, cos, exp, log, sin
from .jit import call1, call2, kernel

__all__ = ["LAST_BUILTIN", "apply1", "apply2", "pull_back1", "pull_back2"]

NAN = math.nan
(
    ADD, SUB, MUL, DIV, POW, MIN, MAX, NEG, ABS, SIGN, STEP, SQUARE, CUBE, SQRT, CBRT, INV, EXP, LOG, LOG2, LOG10,
    LOG1P, SIN, COS, TAN, ASIN, ACOS, ATAN, SINH, COSH, TANH, ASINH, ACOSH, ATANH, SIGMOID, RELU,
) = range(1, 36)  # fmt: skip
LAST_BUILTIN = RELU
PER_LOG2, PER_LOG10 = 1 / math.log(2), 1 / math.log(10)
NUDGE = 6e-6  # the cube root of the rounding error: the best relative step of a central difference


@kernel
def apply2(code, mem, out, left, right, n, address):
    """``out = left op right`` on a block; ``address`` is that of a user's compiled function, or 0."""
    a, b, y = mem[left : left + n], mem[right : right + n], mem[out : out + n]
    if code == ADD:
        for k in range(n):
            y[k] = a[k] + b[k]
    elif code == SUB:
        for k in range(n):
            y[k] = a[k] - b[k]
    elif code == MUL:
        for k in range(n):
            y[k] = a[k] * b[k]
    elif code == DIV:
        for k in range(n):
            y[k] = a[k] / b[k] if b[k] != 0.0 else NAN
    elif code == POW:
        for k in range(n):
            y[k] = power(a[k], b[k])
    elif code == MIN:
        for k in range(n):
            y[k] = a[k] if a[k] < b[k] or a[k] != a[k] else b[k]
    elif code == MAX:
        for k in range(n):
            y[k] = a[k] if a[k] > b[k] or a[k] != a[k] else b[k]
    else:
        for k in range(n):
            y[k] = call2(address, a[k], b[k])


@kernel
def power(a, b):
    """a**b, NaN where it is infinite or has no real value, or where either part is NaN."""
    if (a == 0.0 and b < 0.0) or a != a or b != b:
        return NAN
    return a**b


@kernel
def apply1(code, mem, out, argument, n, address):
    """``out = op(argument)`` on a block."""
    a, y = mem[argument : argument + n], mem[out : out + n]
    if code == SQUARE:
        for k in range(n):
            y[k] = a[k] * a[k]
    elif code == CUBE:
        for k in range(n):
            y[k] = a[k] * a[k] * a[k]
    elif code == SQRT:
        for k in range(n):
            y[k] = np.sqrt(a[k])
    elif code == EXP:
        for k in range(n):
            y[k] = exp(a[k])
    elif code == LOG:
        for k in range(n):
            y[k] = log(a[k])
    elif code == SIN or code == COS:
        _sine(code, a, y, n)
    elif code == NEG:
        for k in range(n):
            y[k] = -a[k]
    elif code == ABS:
        for k in range(n):
            y[k] = abs(a[k])
    elif code == INV:
        for k in range(n):
            y[k] = 1.0 / a[k] if a[k] != 0.0 else NAN
    elif code == TANH:
        for k in range(n):
            y[k] = _tanh(a[k])
    elif code == SIGMOID:
        for k in range(n):
            y[k] = 1.0 / (1.0 + exp(-a[k]))
    elif code == RELU:
        for k in range(n):
            y[k] = a[k] if a[k] > 0.0 or a[k] != a[k] else 0.0
    elif code == LOG2:
        for k in range(n):
            y[k] = log(a[k]) * PER_LOG2
    elif code == LOG10:
        for k in range(n):
            y[k] = log(a[k]) * PER_LOG10
    elif code <= LAST_BUILTIN:
        for k in range(n):
            y[k] = _scalar(code, a[k])
    else:
        for k in range(n):
            y[k] = call1(address, a[k])


@kernel
def _sine(code, a, y, n):
    if beyond(a, n):  # rare
        for k in range(n):
            y[k] = np.sin(a[k]) if code == SIN else np.cos(a[k])
    elif code == SIN:
        for k in range(n):
            y[k] = sin(a[k])
    else:
        for k in range(n):
            y[k] = cos(a[k])


@kernel
def _tanh(a):
    """By exp where that loses no digits, by the first terms of its series near 0."""
    z = a * a
    series = a * (1.0 - z * (1 / 3 - z * (2 / 15 - z * (17 / 315 - z * (62 / 2835 - z * 1382 / 155925)))))
    big = 1.0 - 2.0 / (exp(2.0 * abs(a)) + 1.0)
    big = big if a > 0.0 else -big
    return series if abs(a) < 0.06 else big


@kernel
def _scalar(code, a):
    """The operators that are rarely used, one number at a time."""
    if code == SIGN:
        return a if a != a else (1.0 if a > 0.0 else (-1.0 if a < 0.0 else 0.0))
    if code == STEP:
        return a if a != a else (1.0 if a > 0.0 else 0.0)
    if code == CBRT:
        root = np.exp(np.log(abs(a)) / 3.0) if a != 0.0 else 0.0
        if 0.0 < root < math.inf:
            root -= (root - abs(a) / (root * root)) / 3.0  # one step of Newton's for the last digits
        return root if a > 0.0 else (-root if a == a else NAN)
    if code == LOG1P:
        return np.log1p(a) if a > -1.0 else NAN
    if code == TAN:
        return np.tan(a) if abs(a) < math.inf else NAN
    if code == ASIN:
        return np.arcsin(a) if abs(a) <= 1.0 else NAN
    if code == ACOS:
        return np.arccos(a) if abs(a) <= 1.0 else NAN
    if code == ATAN:
        return np.arctan(a)
    if code == SINH:
        return _sinh(a)
    if code == COSH:
        return _cosh(a)
    if code == ASINH:
        size = abs(a)
        if size > 1e150:
            value = np.log(size) + 0.6931471805599453
        else:
            value = np.log1p(size + size * size / (1.0 + np.sqrt(1.0 + size * size)))
        return value if a > 0.0 else -value
    if code == ACOSH:
        above = a - 1.0
        return np.log1p(above + np.sqrt(above * (a + 1.0))) if 1.0 <= a < 1e150 else (
            np.log(a) + 0.6931471805599453 if a >= 1.0 else NAN)  # fmt: skip
    if code == ATANH:
        size = abs(a)
        value = 0.5 * np.log1p(2.0 * size / (1.0 - size)) if size < 1.0 else NAN
        return value if a > 0.0 else -value
    return NAN


@kernel
def _sinh(a):
    if abs(a) < 700.0:
        return 0.5 * (np.expm1(a) - np.expm1(-a))
    root = exp(0.5 * abs(a))  # e**a itself is too large before sinh(a) is
    return 0.5 * root * root if a > 0.0 else -0.5 * root * root


@kernel
def _cosh(a):
    root = exp(0.5 * abs(a))
    return 0.5 * (exp(a) + exp(-a)) if abs(a) < 700.0 else 0.5 * root * root


@kernel
def pull_back2(code, mem, adj, out, left, right, adj_out, adj_left, adj_right, n, address):
    """Add to the adjoints of both arguments what the adjoint of the result says about them (reverse mode)."""
    a, b, y = mem[left : left + n], mem[right : right + n], mem[out : out + n]
    da, db, dy = adj[adj_left : adj_left + n], adj[adj_right : adj_right + n], adj[adj_out : adj_out + n]
    if code == ADD:
        for k in range(n):
            da[k] += dy[k]
            db[k] += dy[k]
    elif code == SUB:
        for k in range(n):
            da[k] += dy[k]
            db[k] -= dy[k]
    elif code == MUL:
        for k in range(n):
            da[k] += dy[k] * b[k]
            db[k] += dy[k] * a[k]
    elif code == DIV:
        for k in range(n):
            share = dy[k] / b[k]
            da[k] += share
            db[k] -= share * y[k]
    elif code == POW:
        for k in range(n):
            if a[k] != 0.0:
                da[k] += dy[k] * b[k] * y[k] / a[k]
            elif b[k] == 1.0:
                da[k] += dy[k]
            if a[k] > 0.0:
                db[k] += dy[k] * y[k] * np.log(a[k])
    elif code == MIN or code == MAX:
        for k in range(n):
            if y[k] == a[k]:
                da[k] += dy[k]
            else:
                db[k] += dy[k]
    else:
        for k in range(n):
            h, g = NUDGE * max(1.0, abs(a[k])), NUDGE * max(1.0, abs(b[k]))
            da[k] += dy[k] * (call2(address, a[k] + h, b[k]) - call2(address, a[k] - h, b[k])) / (2 * h)
            db[k] += dy[k] * (call2(address, a[k], b[k] + g) - call2(address, a[k], b[k] - g)) / (2 * g)


@kernel
def pull_back1(code, mem, adj, out, argument, adj_out, adj_argument, n, address):
    """Add to the adjoint of the argument what the adjoint of the result says about it."""
    a, y = mem[argument : argument + n], mem[out : out + n]
    da, dy = adj[adj_argument : adj_argument + n], adj[adj_out : adj_out + n]
    if code == SQUARE:
        for k in range(n):
            da[k] += dy[k] * 2.0 * a[k]
    elif code == CUBE:
        for k in range(n):
            da[k] += dy[k] * 3.0 * a[k] * a[k]
    elif code == SQRT:
        for k in range(n):
            da[k] += dy[k] * 0.5 / y[k]
    elif code == EXP:
        for k in range(n):
            da[k] += dy[k] * y[k]
    elif code == LOG:
        for k in range(n):
            da[k] += dy[k] / a[k]
    elif code == SIN or code == COS:
        _sine_slope(code, a, da, dy, n)
    elif code == NEG:
        for k in range(n):
            da[k] -= dy[k]
    elif code == INV:
        for k in range(n):
            da[k] -= dy[k] * y[k] * y[k]
    elif code == SIGN or code == STEP:
        return  # flat, whatever stands above
    elif code <= LAST_BUILTIN:
        for k in range(n):
            da[k] += dy[k] * _slope(code, a[k], y[k])
    else:
        for k in range(n):
            h = NUDGE * max(1.0, abs(a[k]))
            da[k] += dy[k] * (call1(address, a[k] + h) - call1(address, a[k] - h)) / (2 * h)


@kernel
def _sine_slope(code, a, da, dy, n):
    if beyond(a, n):
        for k in range(n):
            da[k] += dy[k] * (np.cos(a[k]) if code == SIN else -np.sin(a[k]))
    elif code == SIN:
        for k in range(n):
            da[k] += dy[k] * cos(a[k])
    else:
        for k in range(n):
            da[k] -= dy[k] * sin(a[k])


@kernel
def _slope(code, a, y):
    """The derivative of a rarely used operator at ``a``, where its value is ``y``."""
    if code == ABS:
        return 1.0 if a > 0.0 else (-1.0 if a < 0.0 else 0.0)
    if code == CBRT:
        return y / (3.0 * a)
    if code == LOG2:
        return PER_LOG2 / a
    if code == LOG10:
        return PER_LOG10 / a
    if code == LOG1P:
        return 1.0 / (1.0 + a)
    if code == TAN:
        return 1.0 + y * y
    if code == ASIN:
        return 1.0 / np.sqrt(1.0 - a * a)
    if code == ACOS:
        return -1.0 / np.sqrt(1.0 - a * a)
    if code == ATAN:
        return 1.0 / (1.0 + a * a)
    if code == SINH:
        return _cosh(a)
    if code == COSH:
        return _sinh(a)
    if code == TANH:
        return 1.0 - y * y
    if code == ASINH:
        return 1.0 / np.sqrt(1.0 + a * a)
    if code == ACOSH:
        return 1.0 / np.sqrt((a - 1.0) * (a + 1.0))
    if code == ATANH:
        return 1.0 / (1.0 - a * a)
    if code == SIGMOID:
        return y * (1.0 - y)
    return 1.0 if a > 0.0 else 0.0  # relu
