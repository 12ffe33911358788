"""Formulas as text that :func:`srlib.expression.parse.parse` reads back exactly."""

from __future__ import annotations

from ..operators import CONSTANT, by_code
from .core import Expression
from .parse import is_plain_name

__all__ = ["to_text"]

# How tightly each way of writing binds; an argument that binds less tightly goes in brackets.
_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = 1, 2, 3, 4, 5
_BINDS = {"add": _SUM, "sub": _SUM, "mul": _PRODUCT, "div": _PRODUCT, "pow": _POWER, "neg": _UNARY}


def number(value: float, precision: int | None = None) -> str:
    """A constant as short as it can be written: exactly, or to ``precision`` significant digits."""
    if precision is not None:
        return f"{value:.{precision}g}"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 and str(value) != "-0.0" else repr(value)


def name_text(name: str) -> str:
    """A feature's name, in backticks (doubled within it) where it is no Python identifier."""
    return name if is_plain_name(name) else f"`{name.replace('`', '``')}`"


def to_text(expression: Expression, precision: int | None = None) -> str:
    """The formula with as few brackets as its exact structure allows; rounded, also without double signs.

    Examples
    --------
    >>> to_text(Expression.parse("(x0 - (x1 - 2.0)) * -x0"))
    '(x0 - (x1 - 2))*-x0'
    >>> to_text(Expression.parse("x0 + -2.345*x1"), precision=2)
    'x0 - 2.3*x1'
    """
    stack: list[tuple[str, int]] = []  # (text, how tightly it binds)
    for code, value in zip(expression.codes.tolist(), expression.values.tolist(), strict=True):
        if code == CONSTANT:
            text = number(value, precision)
            stack.append((text, _UNARY if text.startswith("-") else _ATOM))
        elif code < 0:
            stack.append((name_text(expression.feature_name(-1 - code)), _ATOM))
        else:
            operator = by_code(code)
            arguments = stack[-operator.arity :]
            del stack[-operator.arity :]
            stack.append(_write(operator, arguments, exact=precision is None))
    return stack[0][0]


def _write(operator, arguments: list[tuple[str, int]], exact: bool) -> tuple[str, int]:
    binds = _BINDS.get(operator.name) if operator.symbol else None
    if binds is None:
        return f"{operator.name}({', '.join(text for text, _ in arguments)})", _ATOM
    if operator.arity == 1:
        (text, inner) = arguments[0]
        if text[0].isdigit() and inner == _ATOM:
            return f"neg({text})", _ATOM  # "-2" would be read as a constant
        return f"-{_bracket(text, inner, _POWER)}", _UNARY
    (left, tight_left), (right, tight_right) = arguments
    if operator.name == "pow":  # binds to the right, and more tightly than a sign
        return f"{_bracket(left, tight_left, _ATOM)}**{_bracket(right, tight_right, _ATOM)}", binds
    left, right = _bracket(left, tight_left, binds), _bracket(right, tight_right, binds + 1)
    if binds != _SUM:
        return f"{left}{operator}{right}", binds
    symbol = operator.symbol
    if not exact and right.startswith("-"):  # for people, a + -2*b is a - 2*b
        symbol, right = "-" if symbol == "+" else "+", right[1:]
    return f"{left} {symbol} {right}", binds


def _bracket(text: str, binds: int, needed: int) -> str:
    return text if binds >= needed else f"({text})"
