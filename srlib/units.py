"""Units of measurement as text, and the dimension behind each: ``"N"`` and ``"kg m/s^2"`` are the same.

A dimension is the tuple of its exponents of the seven base units of the SI. Only dimensions matter to a search, so
factors are read and forgotten: ``"km/s"`` and ``"m/h"`` are both a speed.

What must hold of a formula's dimensions is in :mod:`srlib.dimensions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from .operators import suggest

__all__ = ["BASE", "echelon", "parse_unit", "unit_dimensions", "unit_text", "unreachable"]

BASE = ("m", "kg", "s", "A", "K", "mol", "cd")

# Units that take prefixes, in words of the base units and of each other; names of four letters or more take long ones.
_PREFIXED = {
    "Hz": "s^-1", "N": "kg m s^-2", "Pa": "N m^-2", "J": "N m", "W": "J s^-1", "C": "A s", "V": "W A^-1", "F": "C V^-1",
    "ohm": "V A^-1", "S": "A V^-1", "Wb": "V s", "T": "Wb m^-2", "H": "Wb A^-1", "lm": "cd", "lx": "cd m^-2",
    "Bq": "s^-1", "Gy": "J kg^-1", "Sv": "J kg^-1", "kat": "mol s^-1", "M": "mol m^-3", "rad": "", "sr": "", "eV": "J",
    "pc": "m", "yr": "s", "L": "m^3", "l": "m^3", "bar": "Pa", "cal": "J", "Jy": "W m^-2 Hz^-1", "Wh": "J", "t": "kg",
    "meter": "m", "metre": "m", "gram": "g", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol",
    "candela": "cd", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W", "coulomb": "C",
    "volt": "V", "farad": "F", "tesla": "T", "weber": "Wb", "henry": "H", "siemens": "S", "radian": "",
    "steradian": "", "parsec": "m", "electronvolt": "J", "liter": "L", "litre": "L",
}  # fmt: skip
_ALONE = {
    "min": "s", "h": "s", "hr": "s", "d": "s", "week": "s", "a": "s", "minute": "s", "hour": "s", "day": "s",
    "year": "s", "AU": "m", "au": "m", "ly": "m", "Rsun": "m", "Rearth": "m", "angstrom": "m", "in": "m", "ft": "m",
    "mi": "m", "inch": "m", "foot": "m", "mile": "m", "ha": "m^2", "u": "kg", "Da": "kg", "lb": "kg", "Msun": "kg",
    "Mearth": "kg", "Mjup": "kg", "tonne": "kg", "Lsun": "W", "erg": "J", "dyn": "N", "atm": "Pa", "mmHg": "Pa",
    "Torr": "Pa", "psi": "Pa", "hp": "W", "degC": "K", "°C": "K", "rpm": "s^-1", "mph": "m s^-1", "knot": "m s^-1",
    "deg": "", "°": "", "degree": "", "arcmin": "", "arcsec": "", "mas": "", "mag": "", "dex": "", "dB": "", "%": "",
    "percent": "", "ppm": "", "ppb": "", "bit": "", "count": "",
}  # fmt: skip
_ROOTS = ("m", "g", "s", "A", "K", "mol", "cd")  # the base units as prefixes see them
_KNOWN = {**dict.fromkeys(_ROOTS, ""), **_PREFIXED, **_ALONE}
_PREFIXES = tuple("Q R Y Z E P T G M k h da d c m u n p f a z y r q".split())
_LONG_PREFIXES = tuple("tera giga mega kilo hecto deca deci centi milli micro nano pico femto".split())
_PLAIN = str.maketrans({"\u00b5": "u", "\u03bc": "u", "\u03a9": "ohm", "\u2126": "ohm", "\u00c5": "angstrom",
                        "\u212b": "angstrom", "−": "-", "·": "*", "⋅": "*", "×": "*", "∙": "*"})  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_TOKENS = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d_]+|%|°C?)|(?P<sign>\*\*|[*/^()+-]))"
)

Dimension = tuple[Fraction, ...]
NONE: Dimension = (Fraction(0),) * len(BASE)


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Dimension:
    """The exponents of m, kg, s, A, K, mol and cd in a unit.

    Parameters
    ----------
    text : str
        Units with powers (``m^2``, ``m**2``, ``m2``, ``m²``, ``Hz^(1/2)``), multiplied by a space or ``*``, divided
        by ``/``; ``""`` and ``"1"`` have no dimension. Prefixes, factors and full names are understood.

    Returns
    -------
    tuple of Fraction, length 7

    Raises
    ------
    ValueError
        If a unit is unknown (the message suggests the nearest), or the text can be read in two ways.

    Examples
    --------
    >>> [int(e) for e in parse_unit("kg*m/s^2")], parse_unit("N") == parse_unit("kg*m/s^2")
    ([1, 1, -2, 0, 0, 0, 0], True)
    """
    if not isinstance(text, str):
        raise ValueError(f"a unit is a text such as 'm/s^2', not {text!r}")
    return _Reader(text).read()


class _Reader:
    """One text on its way to exponents: quotients of products of powers."""

    def __init__(self, text: str):
        self.text, self.tokens, at = text, [], 0  # tokens are (kind, word, whether no space stands before it)
        plain = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda m: f"^{m[0].translate(_SUPERSCRIPTS)}", text).translate(_PLAIN).strip()
        while at < len(plain):
            if not (match := _TOKENS.match(plain, at)):
                raise self._error(f"{plain[at:].strip()[0]!r} has no meaning in a unit")
            self.tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) == at))
            at = match.end()
        self.tokens.append(("end", "", False))

    def _error(self, reason: str) -> ValueError:
        return ValueError(f"the unit {self.text[:100]!r} cannot be read: {reason}")

    def read(self) -> Dimension:
        if len(self.tokens) == 1:
            return NONE
        try:
            result = self._quotient()
        except RecursionError:
            raise self._error("it has too many brackets") from None
        if self.tokens[0][0] != "end":
            raise self._error(f"{self.tokens[0][1]!r} stands where nothing is expected")
        return result

    def _take(self, *wanted: str) -> bool:
        if taken := self.tokens[0][1] in wanted:
            del self.tokens[0]
        return taken

    def _quotient(self) -> Dimension:
        result, divided = self._factor(), False
        while True:
            sign = 1
            if self._take("/"):
                divided, sign = True, -1
                if self.tokens[0][0] == "number":  # Hz^1/2
                    raise self._error("a number after / is neither unit nor power: write a power as (1/2)")
            elif not self._take("*"):
                if self.tokens[0][0] not in ("name", "number") and self.tokens[0][1] != "(":
                    return result
                if divided:  # J/kg K: people mean J/(kg K), programs (J/kg) K
                    raise self._error("a product after / can be read in two ways: write J/(kg K), or J K/kg")
            result = tuple(a + sign * b for a, b in zip(result, self._factor(), strict=True))

    def _factor(self) -> Dimension:
        kind, word, _ = self.tokens[0]
        if kind == "end" or (kind == "sign" and word != "("):
            raise self._error(f"a unit is missing before {word!r}" if word else "it ends too early")
        del self.tokens[0]
        base = NONE
        if kind == "name":
            base = self._unit(word)
        elif kind == "sign":
            base = self._quotient()
            if not self._take(")"):
                raise self._error("a bracket is not closed")
        power = self._power(after_name=kind == "name")
        return tuple(power * exponent for exponent in base)

    def _power(self, after_name: bool) -> Fraction:
        """The exponent after ``^`` or ``**``, or right after a name (``s-2``, ``m3``); otherwise 1."""
        (kind, word, adjacent), follows = self.tokens[0], [*self.tokens[1:2], ("end", "", False)][0]
        bare = kind == "number" or (word in "+-" and follows[0] == "number" and follows[2])
        if not self._take("^", "**") and not (after_name and adjacent and bare and word):
            return Fraction(1)
        bracket = self._take("(")
        sign = -1 if self._take("-") else 1
        self._take("+")
        power = [sign * self._number()]
        if bracket and self._take("/"):
            power.append(self._number())
        if (bracket and not self._take(")")) or 0 in power[1:] or abs(power[0]) > 100:
            raise self._error(_EXPONENT)
        return power[0] / power[1] if power[1:] else power[0]

    def _number(self) -> Fraction:
        kind, word, _ = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        if kind != "number" or len(word) > 6:
            raise self._error(_EXPONENT)
        return Fraction(word)

    def _unit(self, word: str) -> Dimension:
        for name in (word, word.removesuffix("s")) if len(word) > 4 else (word,):
            if name in _KNOWN:
                return _dimension(name)
            for prefix in (*_PREFIXES, *_LONG_PREFIXES):
                rest = name.removeprefix(prefix)
                takes_prefixes = rest in _PREFIXED or rest in _ROOTS
                if rest != name and takes_prefixes and (len(rest) > 3) == (prefix in _LONG_PREFIXES):
                    return _dimension(rest)
        hint = suggest(word, [*_KNOWN, "kg", "km", "ms"]) or "; write it in base units, such as kg m/s^2"
        raise self._error(f"there is no unit {word!r}{hint}")


_EXPONENT = "an exponent is a number such as 2, -1, 0.5 or (1/2)"


def _dimension(name: str) -> Dimension:
    """The dimension of a unit of the table."""
    if name in _ROOTS:
        return tuple(Fraction(int(name == root)) for root in _ROOTS)
    return parse_unit(_KNOWN[name])


def unit_text(exponents: Iterable[float]) -> str:
    """A dimension as text that :func:`parse_unit` reads; ``"1"`` if it has none.

    Examples
    --------
    >>> unit_text([1, 0, -1.5, 0, 0, 0, 0])
    'm s^(-3/2)'
    """
    parts = []
    for name, exponent in zip(BASE, exponents, strict=True):
        power = Fraction(exponent).limit_denominator(60)
        if power:
            text = str(power) if power.denominator == 1 else f"({power})"
            parts.append(name if power == 1 else f"{name}^{text}")
    return " ".join(parts) or "1"


def unit_dimensions(units: Sequence[str], argument: str = "X_units", count: int | None = None) -> np.ndarray:
    """The dimensions of units, one row each.

    Parameters
    ----------
    units : sequence of str
        A unit for each column; None is none.
    argument : str
        What the caller calls them, for messages.
    count : int, optional
        How many there must be.

    Returns
    -------
    numpy.ndarray, shape (units, 7)

    Raises
    ------
    ValueError
        If there are too few or too many, or one of them cannot be read.
    """
    if isinstance(units, str) or not isinstance(units, Iterable):
        raise ValueError(f"{argument} is {units!r}: give a list with one unit for each column, such as ['m', 's']")
    units = list(units)
    if count is not None and len(units) != count:
        raise ValueError(f"{argument} has {len(units)} units, but there are {count} columns: give one unit for each")
    rows = []
    for place, unit in enumerate(units):
        try:
            rows.append(parse_unit("" if unit is None else unit))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{argument}[{place}]: {error}") from None
    return np.array(rows, dtype=float).reshape(len(rows), len(BASE))


def unreachable(X_units: Sequence[str], y_units: str, dimensionless_constants: bool = True) -> str:
    """Why no formula of the columns can have the target's unit; ``""`` if one can.

    A formula whose constants are pure numbers has the unit of a product of powers of its columns; where constants may
    carry units, every unit can be had.

    Examples
    --------
    >>> unreachable(["m", "s"], "m/s^2"), unreachable(["m", "s"], "N")
    ('', "y_units is 'N' (m kg s^-2), but none of X_units ('m', 's') holds kg: units that cannot balance with constants
    that have none")
    """
    columns, target = unit_dimensions(X_units), unit_dimensions([y_units], "y_units")[0]
    if not dimensionless_constants:
        return ""
    rows = [[Fraction(e).limit_denominator(1000) for e in row] for row in np.vstack([columns, target[None]])]
    if len(echelon(rows)) == len(echelon(rows[:-1])):
        return ""
    missing = [BASE[k] for k in np.flatnonzero(target) if not columns[:, k].any()]
    listed = ", ".join(repr(unit or "") for unit in X_units)
    reason = f"none of X_units ({listed}) holds {' or '.join(missing)}"
    if not missing:
        reason = f"no product of powers of X_units ({listed}) has that unit"
    own = unit_text(target)
    shown = repr(y_units) + f" ({own})" * (own != y_units)
    return f"y_units is {shown}, but {reason}: units that cannot balance with constants that have none"


def echelon(rows: Sequence[Sequence[Fraction]]) -> dict[int, list[Fraction]]:
    """The reduced row echelon form, each row by the column of its leading 1."""
    reduced: dict[int, list[Fraction]] = {}
    for row in rows:
        row = list(row)
        for pivot, other in reduced.items():
            row = [a - row[pivot] * b for a, b in zip(row, other, strict=True)]
        lead = next((column for column, entry in enumerate(row) if entry), None)
        if lead is None:
            continue
        row = [entry / row[lead] for entry in row]
        for pivot, other in reduced.items():
            reduced[pivot] = [a - other[lead] * b for a, b in zip(other, row, strict=True)]
        reduced[lead] = row
    return reduced
