"""exp, log, sin and cos of the kernels against mpmath: two units in the last place, over their whole range."""

import math

import mpmath
import numpy as np
import pytest

from srlib import Expression, kernels
from srlib.kernels import functions
from srlib.kernels.functions import LARGE

rng = np.random.default_rng(0)
INF, NAN, TINY, HUGE = math.inf, math.nan, 5e-324, 1.7976931348623157e308


def around(*numbers):
    """The numbers and their neighbours."""
    return [near for x in numbers for near in (math.nextafter(x, -INF), x, math.nextafter(x, INF))]


def both_signs(x):
    return np.concatenate([x, -x])


LN2 = math.log(2)
TURNS = np.arange(-200, 200) * (math.pi / 2)
FAR_TURNS = np.round(rng.uniform(-LARGE, LARGE, 300) / (math.pi / 2)) * (math.pi / 2)
ANGLES = [
    rng.uniform(-10, 10, 1000), rng.uniform(-LARGE, LARGE, 1000), both_signs(10.0 ** rng.uniform(-300, 6, 300)),
    around(*TURNS[::4], *FAR_TURNS[:100]), TURNS, FAR_TURNS, [LARGE, -LARGE],
]  # fmt: skip
ARGUMENTS = {
    "exp": [
        rng.uniform(-745, 709.7, 1500), rng.uniform(-1, 1, 500), both_signs(10.0 ** rng.uniform(-320, 0, 200)),
        around(0.0, 709.782712893384, -744.44, -745.1332191019411, -708.3964185322641, *(np.arange(-9, 9) * LN2 / 2)),
    ],
    "log": [
        10.0 ** rng.uniform(-323, 308, 1500), rng.uniform(0.5, 2, 1000), 1 + rng.uniform(-1e-3, 1e-3, 500),
        1 + rng.uniform(-1e-12, 1e-12, 200), [TINY, HUGE],
        around(1.0, 2.0, 0.5, math.sqrt(2), 1 / math.sqrt(2), 2.2250738585072014e-308),
    ],
    "sin": ANGLES, "cos": ANGLES,
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_two_units_in_the_last_place(name):
    function, exact = getattr(functions, name), getattr(mpmath, name)
    worst = (0.0, None)
    with mpmath.workprec(160):
        for x in np.concatenate(ARGUMENTS[name]).tolist():
            truth = exact(mpmath.mpf(x))
            rounded = float(truth)
            if math.isinf(rounded):
                assert function(x) == rounded, x
            else:
                error = abs(mpmath.mpf(function(x)) - truth) / math.ulp(rounded)
                worst = max(worst, (float(error), x))
    assert worst[0] <= 2, worst


@pytest.mark.parametrize(
    "name, pairs",
    [
        ("exp", [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN), (710.0, INF), (HUGE, INF)]),
        ("log", [(1.0, 0.0), (0.0, NAN), (-0.0, NAN), (-1.0, NAN), (-INF, NAN), (INF, INF), (NAN, NAN), (-TINY, NAN)]),
        ("sin", [(0.0, 0.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (TINY, TINY), (-1e-200, -1e-200)]),
        ("cos", [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (1e-9, 1.0)]),
    ],
)
def test_special_values(name, pairs):
    for x, expected in pairs:
        value = getattr(functions, name)(x)
        assert value == expected or (math.isnan(value) and math.isnan(expected)), x


@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos"])
def test_many_numbers_at_a_time_are_the_same_as_one(name):
    """The compiled loop works on eight numbers at a time; the last ones of a block are on their own."""
    x = np.concatenate(ARGUMENTS[name])[: 5 * 128 + 3]
    one_by_one = np.array([getattr(functions, name)(value) for value in x.tolist()])
    assert np.array_equal(kernels.evaluate(Expression.parse(f"{name}(x0)"), [x]), one_by_one)


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize("neighbours", [[1.0, 2.0], [NAN, 0.5], [INF, -3.0], [1e300]])
def test_large_angles_are_right_whatever_else_is_in_the_block(name, neighbours):
    large = [1.1e6, -3e9, 1e15, 1e22, 1e300, -HUGE]
    for order in (large + neighbours, neighbours + large):
        x = np.array(order)
        values, slopes = kernels.jacobian(Expression.parse(f"{name}(x0*1.0)"), [x])
        with np.errstate(invalid="ignore"):
            expected, slope = (np.sin(x), np.cos(x)) if name == "sin" else (np.cos(x), -np.sin(x))
        finite = np.isfinite(x) & (np.abs(x) < 1e300)
        assert np.allclose(values, expected, rtol=1e-12, atol=0, equal_nan=True)
        assert np.allclose(slopes[finite, 0], (slope * x)[finite], rtol=1e-12)


def singles(*parts):
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


SINGLES = {
    "exp": singles(rng.uniform(-103, 88.7, 20_000), rng.uniform(-1, 1, 5000), np.arange(-9, 9) * LN2 / 2, [0.0]),
    "log": singles(10.0 ** rng.uniform(-44, 38, 20_000), 1 + rng.uniform(-1e-3, 1e-3, 5000), [1.0, 2.0, 0.5]),
    "sin": singles(
        rng.uniform(-8192, 8192, 20_000), rng.uniform(-10, 10, 5000), TURNS,
        both_signs(10.0 ** rng.uniform(-30, 3, 300)),
    ),
}  # fmt: skip
SINGLES["cos"] = SINGLES["sin"]


@pytest.mark.parametrize("name", SINGLES)
def test_single_precision(name):
    """The version for float32 is chosen by the type of the block."""
    x = SINGLES[name][np.isfinite(SINGLES[name])]
    truth = getattr(np, name)(x.astype(float))
    unit = np.spacing(np.abs(truth).astype(np.float32)).astype(float)
    if name in ("sin", "cos"):
        unit = np.maximum(unit, float(np.spacing(np.float32(1e-4))))
    values = kernels.evaluate(Expression.parse(f"{name}(x0)"), [x], dtype=np.float32)
    assert values.dtype == np.float32
    assert np.max(np.abs(values - truth) / unit) <= 2


@pytest.mark.parametrize(
    "name, pairs",
    [
        ("exp", [(INF, INF), (-INF, 0.0), (NAN, NAN), (90.0, INF), (-110.0, 0.0)]),
        ("log", [(0.0, NAN), (-1.0, NAN), (INF, INF), (NAN, NAN)]),
        ("sin", [(INF, NAN), (NAN, NAN), (1e6, -0.3499935)]),  # the last one is beyond single.LARGE
        ("cos", [(-INF, NAN), (NAN, NAN), (1e6, 0.9367521)]),
    ],
)
def test_special_values_in_single_precision(name, pairs):
    x, expected = np.array(pairs, np.float32).T
    values = kernels.evaluate(Expression.parse(f"{name}(x0)"), [np.tile(x, 9)], dtype=np.float32)
    np.testing.assert_allclose(values, np.tile(expected, 9), rtol=1e-6)
