"""What each operator does to arrays: the numpy column of the alphabet (:mod:`srlib.operators`).

Each is a few lines with no dependency but numpy, because ``numpy_source()`` copies them into the text it writes.
count_nonzero is the cheapest way to see that no row needs the detour through NaN.
"""

from __future__ import annotations

import numpy as np


def add(a, b):
    return np.add(a, b)


def sub(a, b):
    return np.subtract(a, b)


def mul(a, b):
    return np.multiply(a, b)


def div(a, b):
    if np.count_nonzero(b) < np.size(b):
        b = np.where(np.equal(b, 0), np.nan, b)
    return np.divide(a, b)


def power(a, b):
    # numpy's nan**0 and 1**nan are 1; here a part without a value leaves the whole without one.
    outside = np.equal(a, 0) & np.less(b, 0) | np.isnan(a) | np.isnan(b)
    return np.where(outside, np.nan, np.power(a, b, dtype=float))


def minimum(a, b):
    return np.minimum(a, b)


def maximum(a, b):
    return np.maximum(a, b)


def neg(a):
    return np.negative(a)


def absolute(a):
    return np.abs(a)


def sign(a):
    return np.sign(a)


def step(a):
    return np.heaviside(a, 0.0)


def square(a):
    return np.multiply(a, a)


def cube(a):
    return np.multiply(np.multiply(a, a), a)


def sqrt(a):
    return np.sqrt(a)


def cbrt(a):
    return np.cbrt(a)


def inv(a):
    if np.count_nonzero(a) < np.size(a):
        a = np.where(np.equal(a, 0), np.nan, a)
    return np.divide(1.0, a)


def exp(a):
    return np.exp(a)


def log(a):
    if np.count_nonzero(a) < np.size(a):
        a = np.where(np.equal(a, 0), np.nan, a)
    return np.log(a)


def log2(a):
    if np.count_nonzero(a) < np.size(a):
        a = np.where(np.equal(a, 0), np.nan, a)
    return np.log2(a)


def log10(a):
    if np.count_nonzero(a) < np.size(a):
        a = np.where(np.equal(a, 0), np.nan, a)
    return np.log10(a)


def log1p(a):
    return np.log1p(np.where(np.equal(a, -1), np.nan, a))


def sin(a):
    return np.sin(a)


def cos(a):
    return np.cos(a)


def tan(a):
    return np.tan(a)


def asin(a):
    return np.arcsin(a)


def acos(a):
    return np.arccos(a)


def atan(a):
    return np.arctan(a)


def sinh(a):
    return np.sinh(a)


def cosh(a):
    return np.cosh(a)


def tanh(a):
    return np.tanh(a)


def asinh(a):
    return np.arcsinh(a)


def acosh(a):
    return np.arccosh(a)


def atanh(a):
    return np.arctanh(np.where(np.equal(np.abs(a), 1), np.nan, a))


def sigmoid(a):
    return np.divide(1.0, 1.0 + np.exp(np.negative(a)))


def relu(a):
    return np.maximum(a, 0.0)
