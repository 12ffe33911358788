"""exp, log, sin and cos in single precision: :mod:`.functions` with 32 bits and shorter series.

Errors are at most 2 units in the last place; for sin and cos of the result or, near their zeros, of 1e-4. Every
constant is a float32, and the whole numbers stay 32 bits wide, or the compiler would do it all in 64.
"""

from __future__ import annotations

import math

import numpy as np

from .jit import add_to_exponent, bits_of_single, contracting, exponent_of_single, mantissa_of_single

__all__ = ["LARGE", "cos", "exp", "log", "sin"]

f = np.float32
MAGIC = f(12582912.0)  # 1.5 * 2**23: see functions.MAGIC
LOG2_E, LN2_HIGH, LN2_LOW = f(1.44269504), f(0.693359375), f(-2.12194440e-4)
TWO_BY_PI = f(0.636619772)
HALF_PI_1, HALF_PI_2, HALF_PI_3 = f(1.5703125), f(4.83751297e-4), f(7.54978995e-8)  # few bits each
LARGE = f(8192.0)  # beyond, the reduction of sin and cos loses digits
SQRT2, SMALLEST, UP = f(math.sqrt(2)), f(1.17549435e-38), f(33554432.0)  # 2**25
ZERO, HALF, ONE, TWO, UPS = f(0.0), f(0.5), f(1.0), f(2.0), f(25.0)
HIGHEST, LOWEST = f(89.0), f(-105.0)
NAN, INF = f(math.nan), f(math.inf)
E2, E3, E4, E5, E6, E7 = (f(1 / math.factorial(n)) for n in range(2, 8))
C2, C4, C6, C8, C10 = (f((-1) ** n / math.factorial(2 * n)) for n in range(1, 6))
S3, S5, S7, S9 = (f((-1) ** n / math.factorial(2 * n + 1)) for n in range(1, 5))
L3, L5, L7, L9 = (f(2 / n) for n in range(3, 10, 2))


@contracting
def exp(x):
    """e**x = 2**k * e**r."""
    x = HIGHEST if x > HIGHEST else (LOWEST if x < LOWEST else x)
    k = (x * LOG2_E + MAGIC) - MAGIC
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = ONE + r * (ONE + r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * (E6 + r * E7))))))
    first = (HALF * k + MAGIC) - MAGIC
    return p * add_to_exponent(ONE, first + MAGIC) * add_to_exponent(ONE, (k - first) + MAGIC)


@contracting
def log(x):
    """ln(x) = k * ln(2) + 2 * atanh(s); NaN for x <= 0."""
    small = x < SMALLEST
    y = x * UP if small else x
    m = mantissa_of_single(y)
    high = m > SQRT2
    m = HALF * m if high else m
    k = exponent_of_single(y) + (ONE if high else ZERO) - (UPS if small else ZERO)
    f = m - ONE
    s = f / (TWO + f)
    z = s * s
    series = z * (L3 + z * (L5 + z * (L7 + z * L9)))
    half = HALF * f * f
    value = k * LN2_HIGH - ((half - (s * (half + series) + k * LN2_LOW)) - f)
    value = value if x > ZERO else NAN
    return INF if x == INF else value


@contracting
def _sin_cos(x, cosine):
    """sin(x), or with 1 cos(x)."""
    k = (x * TWO_BY_PI + MAGIC) - MAGIC
    r = ((x - k * HALF_PI_1) - k * HALF_PI_2) - k * HALF_PI_3
    q = bits_of_single(k + MAGIC, cosine)
    z = r * r
    s = S3 + z * (S5 + z * (S7 + z * S9))
    c = C4 + z * (C6 + z * (C8 + z * C10))
    value = ONE + z * (C2 + z * c) if q & 1 else r + r * z * s
    return -value if q & 2 else value


@contracting
def sin(x):
    """sin(x) for abs(x) <= LARGE."""
    return _sin_cos(x, 0)


@contracting
def cos(x):
    """cos(x) for abs(x) <= LARGE."""
    return _sin_cos(x, 1)
