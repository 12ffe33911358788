"""Formulas as LaTeX: sympy's printer, with the numbers and names of measured data."""

from __future__ import annotations

import re

import numpy as np
import sympy
from sympy.printing.latex import LatexPrinter

from .algebra import to_sympy
from .core import Expression

__all__ = ["name_latex", "to_latex"]

_ESCAPES = {character: f"\\{character}" for character in "%$#&{}_ "} | {
    "\\": r"\backslash ", "^": r"\hat{\ }", "~": r"\sim ", "`": "'",
}  # fmt: skip
_GREEK = set(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)


def to_latex(expression: Expression, precision: int = 4) -> str:
    """LaTeX of :func:`to_sympy` with constants rounded to ``precision`` significant digits.

    Examples
    --------
    >>> print(to_latex(Expression.parse("6.6743e-11*m1*m2/r**2", names=["m1", "m2", "r"])))
    \\frac{6.674 \\cdot 10^{-11} m_{1} m_{2}}{r^{2}}
    """
    if precision < 1:
        raise ValueError(f"precision is {precision}: give at least 1 significant digit")
    largest = np.finfo(float).max  # rounding up must not make it infinite
    rounded = np.clip([float(f"{c:.{precision}g}") for c in expression.constants], -largest, largest)
    names = {sympy.Symbol(name): name_latex(name) for name in map(expression.feature_name, expression.features)}
    try:
        return _Printer(precision, names).doprint(to_sympy(expression.with_constants(rounded)))
    except RecursionError:
        raise ValueError(f"the formula has {expression.depth} levels, too many for LaTeX") from None


def name_latex(name: str) -> str:
    """A feature's name as LaTeX: Greek letters, single letters with an index, and upright words.

    Examples
    --------
    >>> print(name_latex("omega_0"), name_latex("x12"), name_latex("wind speed"))
    \\omega_{0} x_{12} \\mathrm{wind\\ speed}
    """
    if not name.isidentifier():
        return _word(name)
    base, _, index = name.strip("_").partition("_")
    if numbered := re.fullmatch(r"([^\W\d_]+)(\d+)", base):
        base, index = numbered[1], ",".join(filter(None, (numbered[2], index)))
    parts = ",".join(_word(part) for part in re.split(r"[_,]+", index) if part)
    return (_word(base) if base else _word(name)) + f"_{{{parts}}}" * bool(parts)


def _word(word: str) -> str:
    if word in _GREEK:
        return f"\\{word}"
    if len(word) == 1 and word.isalpha() or word.isdecimal():
        return word
    return f"\\mathrm{{{''.join(_ESCAPES.get(character, character) for character in word)}}}"


class _Printer(LatexPrinter):
    def __init__(self, precision: int, names: dict[sympy.Symbol, str]):
        words = any("mathrm" in name for name in names.values())  # words need a space between them
        super().__init__({"symbol_names": names, "mul_symbol": r" \, " if words else None})
        self.precision = precision

    def _print_Float(self, number) -> str:
        mantissa, _, exponent = f"{float(number):.{self.precision}g}".partition("e")
        if not exponent:
            return mantissa
        power = f"10^{{{int(exponent)}}}"
        return {"1": power, "-1": f"-{power}"}.get(mantissa, rf"{mantissa} \cdot {power}")

    def _print_Integer(self, number) -> str:
        return str(number) if abs(number) < 10 ** max(self.precision, 5) else self._print_Float(number)

    def _helper_print_standard_power(self, power, template: str) -> str:
        base = self.parenthesize(power.base, 60)  # 60: how tightly sympy's printers take a power to bind
        if power.base.is_Number and "^" in base:
            base = rf"\left({base}\right)"  # (10^{22})^{x}
        elif power.base.is_Symbol:
            base = self.parenthesize_super(base)
        return template % (base, self._print(power.exp))

    def _print_Heaviside(self, step, exp=None) -> str:
        text = rf"\operatorname{{step}}{{\left({self._print(step.args[0])}\right)}}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"
