"""exp, log, sin and cos without branches, so that the compiler works on eight numbers at a time.

The usual method: reduce the argument to a small interval, where a short power series is exact to the last digit, and
put the power of two back by writing it into the bits of the result. Errors are at most 2 units in the last place
(1.5e-16 relative, for sin and cos of the result or of 1e-16 near their zeros) for sin and cos up to ``LARGE``.
Single precision has versions of its own (:mod:`.single`), with shorter series on twice as many numbers at a time.
"""

from __future__ import annotations

import math

from . import single
from .jit import bits_of_float, by_precision, contracting, float_of_bits, kernel

__all__ = ["LARGE", "beyond", "cos", "exp", "log", "sin"]

MAGIC = 6755399441055744.0  # 1.5 * 2**52: x + MAGIC - MAGIC rounds x, and the sum's low bits hold the integer
LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10
HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)  # together pi/2 to 99 bits
LARGE = 1e6  # beyond, the reduction of sin and cos loses digits
SQRT2 = math.sqrt(2)
NAN, INF = math.nan, math.inf
E2, E3, E4, E5, E6, E7 = 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040
E8, E9, E10, E11, E12, E13 = (1 / math.factorial(n) for n in range(8, 14))
C2, C4, C6, C8, C10, C12, C14, C16 = ((-1) ** n / math.factorial(2 * n) for n in range(1, 9))
S3, S5, S7, S9, S11, S13, S15, S17 = ((-1) ** n / math.factorial(2 * n + 1) for n in range(1, 9))
L3, L5, L7, L9, L11, L13, L15, L17, L19, L21 = (2 / n for n in range(3, 22, 2))
HALF_PI_1, HALF_PI_2, HALF_PI_3 = HALF_PI


@by_precision(single.exp)
@contracting
def exp(x):
    """e**x = 2**k * e**r with whole k and abs(r) <= ln(2)/2."""
    x = 710.0 if x > 710.0 else (-746.0 if x < -746.0 else x)
    k = (x * LOG2_E + MAGIC) - MAGIC
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    tail = E8 + r * (E9 + r * (E10 + r * (E11 + r * (E12 + r * E13))))
    p = 1.0 + r * (1.0 + r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * (E6 + r * (E7 + r * tail)))))))
    first = (0.5 * k + MAGIC) - MAGIC  # 2**k in two factors, because 2**1024 and 2**-1074 are no normal numbers
    one, two = bits_of_float(first + MAGIC), bits_of_float((k - first) + MAGIC)
    return p * float_of_bits((one + 1023) << 52) * float_of_bits((two + 1023) << 52)


@by_precision(single.log)
@contracting
def log(x):
    """ln(x) = k * ln(2) + 2 * atanh(s) with x = 2**k * m, m near 1 and s = (m - 1) / (m + 1); NaN for x <= 0."""
    small = x < 2.3e-308
    bits = bits_of_float(x * 18014398509481984.0 if small else x)  # 2**54
    m = float_of_bits((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    high = m > SQRT2
    m = 0.5 * m if high else m
    exponent = float_of_bits((bits >> 52) | 0x4330000000000000) - 4503599627370496.0  # 2**52: integer to float
    k = exponent - 1023.0 + (1.0 if high else 0.0) - (54.0 if small else 0.0)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    tail = L13 + z * (L15 + z * (L17 + z * (L19 + z * L21)))
    series = z * (L3 + z * (L5 + z * (L7 + z * (L9 + z * (L11 + z * tail)))))
    half = 0.5 * f * f
    value = k * LN2_HIGH - ((half - (s * (half + series) + k * LN2_LOW)) - f)
    value = value if x > 0.0 else NAN
    return INF if x == INF else value


@contracting
def _sin_cos(x, quarter_turns):
    """sin(x + quarter_turns * pi/2)."""
    k = (x * 0.6366197723675814 + MAGIC) - MAGIC
    r = ((x - k * HALF_PI_1) - k * HALF_PI_2) - k * HALF_PI_3
    q = bits_of_float(k + MAGIC) + quarter_turns
    z = r * r
    s = S3 + z * (S5 + z * (S7 + z * (S9 + z * (S11 + z * (S13 + z * (S15 + z * S17))))))
    c = C4 + z * (C6 + z * (C8 + z * (C10 + z * (C12 + z * (C14 + z * C16)))))
    value = 1.0 + z * (C2 + z * c) if q & 1 else r + r * z * s
    return -value if q & 2 else value


@by_precision(single.sin)
@contracting
def sin(x):
    """sin(x) for abs(x) <= LARGE."""
    return _sin_cos(x, 0)


@by_precision(single.cos)
@contracting
def cos(x):
    """cos(x) for abs(x) <= LARGE."""
    return _sin_cos(x, 1)


@kernel
def beyond(a, n):
    """How many of the first numbers are too large for sin and cos."""
    large, count = LARGE if a.itemsize == 8 else single.LARGE, 0
    for k in range(n):
        count += 1 if abs(a[k]) > large else 0
    return count
