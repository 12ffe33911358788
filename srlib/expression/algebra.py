"""Formulas to and from sympy, which is the project's algebra system."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import sympy

from ..operators import CONSTANT, Operator, by_code, suggest
from .core import Expression

__all__ = ["from_sympy", "substitute", "to_sympy"]


def substitute(expression: Expression, arguments: Sequence[sympy.Expr]) -> sympy.Expr:
    """The formula with a sympy expression in the place of each feature.

    A part without features that is no finite number, such as ``log(0)``, becomes ``nan``: sympy would go on with
    complex or infinite numbers, or not come to an end (``exp(exp(exp(99)))``).
    """
    stack: list[tuple[sympy.Expr, float | None]] = []  # with the value of parts that hold no feature
    try:
        for code, value in zip(expression.codes.tolist(), expression.values.tolist(), strict=True):
            if code == CONSTANT:
                whole = value == int(value) and abs(value) < 2**53
                stack.append((sympy.Integer(int(value)) if whole else sympy.Float(value), value))
            elif code < 0:
                stack.append((arguments[-1 - code], None))
            else:
                operator = by_code(code)
                parts, numbers = zip(*stack[-operator.arity :], strict=True)
                del stack[-operator.arity :]
                with np.errstate(all="ignore"):
                    number = None if None in numbers else float(operator.numpy(*numbers))
                finite = number is None or math.isfinite(number)
                stack.append((_apply(operator, parts) if finite else sympy.nan, number))
    except RecursionError:
        raise ValueError(f"the formula has {expression.depth} levels, too many for sympy") from None
    return stack[0][0]


def _apply(operator: Operator, parts: Sequence[sympy.Expr]) -> sympy.Expr:
    """One operator on sympy expressions, on real numbers and without endless integers."""
    if operator.name == "pow" and parts[1].is_Integer and abs(parts[1]) > 1000:
        parts = [parts[0], sympy.Float(parts[1], 15)]  # sympy would write out all digits of (2*x)**(10**9)
    try:
        result = operator.sympy(sympy, *parts)
    except (TypeError, ValueError):  # sympy does not compare complex numbers
        return sympy.nan
    if result.is_number and result.has(sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
        return sympy.nan
    factor, rest = result.as_coeff_Mul()
    if factor.is_Rational and max(abs(factor.p), factor.q) > 2**200:
        return sympy.Float(factor, 15) * rest
    return result


def to_sympy(expression: Expression) -> sympy.Expr:
    """The formula over plain symbols, so that ``expr.subs("x0", 2)`` works.

    Whole constants become integers. sympy reorders and merges as it builds; what has no real value is ``nan``.

    Examples
    --------
    >>> to_sympy(Expression.parse("x0 + x0"))
    2*x0
    """
    count = max(expression.features, default=-1) + 1
    return substitute(expression, [sympy.Symbol(expression.feature_name(j)) for j in range(count)])


_FUNCTIONS = {
    sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan", sympy.asin: "asin",
    sympy.acos: "acos", sympy.atan: "atan", sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh",
    sympy.asinh: "asinh", sympy.acosh: "acosh", sympy.atanh: "atanh", sympy.Abs: "abs", sympy.sign: "sign",
}  # fmt: skip


def from_sympy(expression, names: Sequence[str] | None = None) -> Expression:
    """The formula that a sympy expression says.

    Parameters
    ----------
    expression : sympy.Expr
        Sums, products, powers, the usual functions, Min, Max, Abs, sign and Heaviside.
    names : sequence of str, optional
        The features' names in the order of the columns; without them symbols must be called ``x0``, ``x1``, …

    Raises
    ------
    ValueError
        If it holds a symbol that is no feature, or something that is not in the alphabet.

    Examples
    --------
    >>> str(from_sympy(sympy.sympify("x0**2/3 + sqrt(x1)")))
    'x0**2/3 + sqrt(x1)'
    """
    if isinstance(expression, str):  # sympify would execute it
        raise ValueError(f"{expression[:100]!r} is a text: read it by Expression.parse, or make a sympy expression")
    expression = sympy.sympify(expression)
    if not isinstance(expression, sympy.Expr):
        raise ValueError(f"{str(expression)[:100]!r} is no sympy expression of real numbers")
    try:
        return _Reader(names).read(expression)
    except RecursionError:
        raise ValueError("the sympy expression is too deeply nested") from None


class _Reader:
    def __init__(self, names: Sequence[str] | None):
        self.names = None if names is None else tuple(map(str, names))

    def read(self, e) -> Expression:
        if e.is_Symbol:
            return self._feature(e)
        if e.is_Number or e.is_NumberSymbol:
            return self._number(e)
        if e.is_Add:
            return self._sum(e)
        if e.is_Mul:
            return self._product(e)
        if e.is_Pow:
            return self._power(e)
        if e.func in _FUNCTIONS and len(e.args) == 1:
            return Expression.apply(_FUNCTIONS[e.func], self.read(e.args[0]))
        if isinstance(e, sympy.Heaviside):
            return Expression.apply("step", self.read(e.args[0]))
        if isinstance(e, (sympy.Min, sympy.Max)):
            name = "min" if isinstance(e, sympy.Min) else "max"
            return self._fold(name, [self.read(a) for a in e.args])
        raise ValueError(f"{e.func.__name__} in {e} is not in the alphabet of formulas")

    def _feature(self, symbol) -> Expression:
        known = self.names
        if known is not None and symbol.name in known:
            return Expression.variable(known.index(symbol.name), known)
        if known is None and symbol.name[:1] == "x" and symbol.name[1:].isdecimal():
            return Expression.variable(int(symbol.name[1:]))
        hint = suggest(symbol.name, known or ["x0", "x1"]) or "; give names="
        raise ValueError(f"the symbol {symbol.name!r} is no feature{hint}")

    def _number(self, e) -> Expression:
        if e.is_Rational and not e.is_Integer and max(abs(e.p), e.q) < 10_000:
            return self._constant(e.p) / self._constant(e.q)
        return self._constant(e)

    def _constant(self, e) -> Expression:
        value = float(e) if sympy.sympify(e).is_real else math.nan
        if not math.isfinite(value):
            raise ValueError(f"the constant {e} is not a finite real number")
        return Expression([CONSTANT], [value], self.names)

    def _fold(self, operator: str, parts: list[Expression]) -> Expression:
        result = parts[0]
        for part in parts[1:]:
            result = Expression.apply(operator, result, part)
        return result

    def _sum(self, e) -> Expression:
        terms = sorted(e.as_ordered_terms(), key=lambda term: term.could_extract_minus_sign())  # a - b, not -b + a
        result = self.read(terms[0])
        for term in terms[1:]:
            minus = term.could_extract_minus_sign()
            result = Expression.apply("sub" if minus else "add", result, self.read(-term if minus else term))
        return result

    def _product(self, e) -> Expression:
        if e.args[0] == -1:
            return -self.read(sympy.Mul(*e.args[1:]))
        above, below = sympy.fraction(e)
        if below != 1 and above != e:
            return self.read(above) / self.read(below)
        return self._fold("mul", [self.read(factor) for factor in e.as_ordered_factors()])

    def _power(self, e) -> Expression:
        base, exponent = e.as_base_exp()
        if base == sympy.E:
            return Expression.apply("exp", self.read(exponent))
        if exponent == sympy.Rational(1, 2):
            return Expression.apply("sqrt", self.read(base))
        if exponent.is_Number and exponent < 0:
            return self._constant(1) / self.read(sympy.Pow(base, -exponent))
        return self.read(base) ** self.read(exponent)

