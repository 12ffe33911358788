from fractions import Fraction

import numpy as np
import pytest

from srlib import problems
from srlib.units import BASE, echelon, parse_unit, unit_dimensions, unit_text, unreachable

READ = [
    ("", ""), ("1", ""), ("rad", ""), ("%", ""), ("mag", ""), ("m", "m"), ("km", "m"), ("kg", "kg"), ("mg", "kg"),
    ("kg*m/s^2", "N"), ("m s^-2", "m/s^2"), ("km/s", "m/h"), ("N", "kg m s^-2"), ("Hz", "1/s"), ("AU", "m"),
    ("Mpc", "m"), ("d", "s"), ("min", "s"), ("W sr^-1 m^-2 Hz^-1", "kg s^-2"), ("mol", "mol"), ("K", "K"),
    ("cd", "cd"), ("Lsun", "W"), ("Msun", "kg"), ("m s-2", "m/s^2"), ("m3", "m^3"), ("cm²", "m^2"), ("s⁻¹", "Hz"),
    ("m**2", "m^2"), ("Hz^(1/2)", "Hz^0.5"), ("V/Hz^(1/2)", "V Hz^(-1/2)"), ("10^3 kg", "kg"), ("1e-3 m", "m"),
    ("J/(kg K)", "m^2 s^-2 K^-1"), ("J K/kg", "m^2 s^-2 K"), ("m/s/s", "m/s^2"), ("m/s*kg", "kg m/s"),
    ("kilometers/hour", "m/s"), ("microseconds", "s"), ("newton meter", "J"), ("µm", "m"), ("μm", "m"), ("Ω", "ohm"),
    ("Å", "m"), ("°C", "K"), ("kWh", "J"), ("MeV", "J"), ("mmol/L", "mol m^-3"), ("hPa", "N/m^2"), ("dB", ""),
    ("T", "kg s^-2 A^-1"), ("V", "J/C"), ("F", "C/V"), ("H", "V s/A"), ("Gyr", "s"), ("m·s⁻²", "m/s^2"), (" m ", "m"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "same"), READ)
def test_units_are_read(text, same):
    assert parse_unit(text) == parse_unit(same)
    assert parse_unit(unit_text(parse_unit(text))) == parse_unit(text)


def test_base_units_are_independent():
    rows = [parse_unit(name) for name in BASE]
    assert rows == [tuple(Fraction(int(j == k)) for j in range(7)) for k in range(7)]
    assert parse_unit("kg m^-3 s^0.5") == (-3, 1, Fraction(1, 2), 0, 0, 0, 0)


@pytest.mark.parametrize("name", problems.names())
def test_all_units_of_the_problems_are_read(name):
    problem = problems.load(name)
    assert unit_dimensions(list(problem.units.values())).shape == (len(problem.units), 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("newtn", "the unit 'newtn' cannot be read: there is no unit 'newtn' - did you mean 'newton'?"),
        ("quux", "there is no unit 'quux'; write it in base units, such as kg m/s^2"),
        ("J/kg K", "can be read in two ways: write J/(kg K), or J K/kg"),
        ("Hz^1/2", "a number after / is neither unit nor power: write a power as (1/2)"),
        ("m^", "an exponent is a number such as 2"),
        ("m^x", "an exponent is a number such as 2"),
        ("m^(1/0)", "an exponent is a number such as 2"),
        ("m^(1/2", "an exponent is a number such as 2"),
        ("m^1e999999999", "an exponent is a number such as 2"),
        ("m^101", "an exponent is a number such as 2"),
        ("(m", "a bracket is not closed"),
        ("m)", "')' stands where nothing is expected"),
        ("m -2", "'-' stands where nothing is expected"),
        ("*m", "a unit is missing before '*'"),
        ("m//s", "a unit is missing before '/'"),
        ("m/", "it ends too early"),
        ("m_s", "'_' has no meaning in a unit"),
        ("m; import os", "';' has no meaning in a unit"),
        ("(" * 5000 + "m", "it has too many brackets"),
        (3, "a unit is a text such as 'm/s^2', not 3"),
    ],
)
def test_bad_units_are_refused(text, message):
    with pytest.raises(ValueError) as caught:
        parse_unit(text)
    assert message in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("units", "count", "message"),
    [
        ("m", None, "X_units is 'm': give a list"),
        (3, None, "X_units is 3: give a list"),
        (["m"], 2, "X_units has 1 units, but there are 2 columns"),
        (["m", "newtn"], 2, r"X_units\[1\]: the unit 'newtn'"),
        (["m", ["s"]], 2, r"X_units\[1\]"),
    ],
)
def test_bad_lists_of_units(units, count, message):
    with pytest.raises(ValueError, match=message):
        unit_dimensions(units, count=count)


def test_columns_without_units():
    assert not unit_dimensions([None, ""], count=2).any() and unit_dimensions([]).shape == (0, 7)


@pytest.mark.parametrize(
    ("columns", "target", "reason"),
    [
        (["m", "s"], "m/s^2", ""),
        (["m/s", "kg"], "J", ""),
        (["m^2", "s"], "m", ""),
        ([], "", ""),
        ([], "m", "none of X_units () holds m"),
        (["m", "s"], "N", "none of X_units ('m', 's') holds kg"),
        (["m/s"], "m", "no product of powers of X_units ('m/s') has that unit"),
        (["m s", "m/s", "kg m"], "K mol", "holds K or mol"),
        (["m s", "s kg", "kg/m"], "kg", "no product of powers"),
    ],
)
def test_units_that_cannot_balance_are_named(columns, target, reason):
    text = unreachable(columns, target)
    assert (reason in text and f"y_units is {target!r}" in text) if reason else text == ""
    assert unreachable(columns, target, dimensionless_constants=False) == ""


def test_reachable_as_numpy_says():
    random = np.random.default_rng(0)
    for _ in range(200):
        rows = random.integers(-2, 3, size=(random.integers(1, 4), 3))
        target = random.integers(-1, 2, size=3)
        units = [unit_text([*row, 0, 0, 0, 0]) for row in rows.tolist()]
        reachable = np.linalg.matrix_rank(rows) == np.linalg.matrix_rank(np.vstack([rows, target]))
        assert (unreachable(units, unit_text([*target.tolist(), 0, 0, 0, 0])) == "") == reachable


def test_echelon_form():
    rows = [[Fraction(x) for x in row] for row in ([0, 2, 4], [1, 1, 1], [1, 2, 3])]
    assert echelon(rows) == {0: [1, 0, -1], 1: [0, 1, 2]}
