"""Operators defined by a formula, and formulas as plain data (which must carry such definitions along)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..operators import ALIASES, CONSTANT, Operator, builtin, by_code, find, register
from .core import Expression
from .parse import ParseError, is_plain_name, parse

__all__ = ["define", "from_tokens", "tokens"]

_DEFINITION = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*\(([^()=]*)\)\s*=(?!=)(.*)", re.DOTALL)


def _name(operator: Operator) -> str:
    return operator.name


def define(definition: str) -> Operator:
    """An operator from text; read by the parser of formulas, never executed.

    Parameters
    ----------
    definition : str
        ``"name(a, b, …) = formula"``, the formula over the arguments' names and built-in operators.

    Raises
    ------
    ParseError
        If the text has another shape, or its right-hand side is not a formula.

    Examples
    --------
    >>> special = define("special(x, y) = cos(x) * (x + y)")
    >>> Expression.parse("special(x0, 2)", operators=[special]).evaluate([[0.0]])
    array([2.])
    """
    if not isinstance(definition, str) or not (match := _DEFINITION.fullmatch(definition)):
        raise ParseError("an operator is defined as in 'special(x, y) = cos(x) * (x + y)'", str(definition)[:200])
    name, arguments = match[1], [a.strip() for a in match[2].split(",")]
    if not all(map(is_plain_name, arguments)) or len(set(arguments)) < len(arguments):
        raise ParseError("the arguments must be different names", definition, match.start(2), max(1, len(match[2])))
    known = name in {*ALIASES, *map(_name, builtin())}
    if re.fullmatch(r"x[0-9]+|pi|e", name) or not is_plain_name(name) or known:
        own = f", or give {name!r} alone for what it means already" * known
        reason = f"{name!r} already means something in formulas: choose another name{own}"
        raise ParseError(reason, definition, match.start(1), len(name))
    try:
        body = parse(match[3], names=arguments)
    except ParseError as error:
        raise ParseError(error.reason, definition, match.start(3) + error.position, error.length) from None

    def numpy_meaning(*columns):
        return body.evaluate_columns(columns)

    def torch_meaning(torch, *tensors):
        from .module import run

        return run(body, tensors, [torch.as_tensor(c, dtype=tensors[0].dtype) for c in body.constants.tolist()])

    def sympy_meaning(sympy, *expressions):
        from .algebra import substitute

        return substitute(body, expressions)

    return register(
        Operator(
            name,
            len(arguments),
            numpy_meaning,
            torch_meaning,
            sympy_meaning,
            definition=f"{name}({', '.join(arguments)}) = {body}",
        )
    )


def body_of(operator: Operator) -> Expression:
    """The formula behind an operator that was made by :func:`define`, over its arguments."""
    match = _DEFINITION.fullmatch(operator.definition)
    return parse(match[3], names=[a.strip() for a in match[2].split(",")])


def tokens(expression: Expression) -> dict:
    """The formula as plain data for JSON: its postfix order in words.

    Examples
    --------
    >>> tokens(Expression.parse("2*sin(x0)"))
    {'postfix': [2.0, 'x0', 'sin', 'mul'], 'names': None, 'operators': []}
    """
    used = [by_code(code) for code in expression.codes.tolist() if code > 0]
    own = list({operator.code: operator for operator in used if operator.definition}.values())
    tokens_of = dict(zip((operator.code for operator in own), _unique([o.name for o in own]), strict=True))
    postfix: list[str | float] = []
    for code, value in zip(expression.codes.tolist(), expression.values.tolist(), strict=True):
        if code > 0:
            postfix.append(tokens_of.get(code) or by_code(code).name)
        else:
            postfix.append(value if code == CONSTANT else f"x{-1 - code}")
    names = None if expression.names is None else list(expression.names)
    return {"postfix": postfix, "names": names, "operators": [operator.definition for operator in own]}


def _unique(names: list[str]) -> list[str]:
    """The names, with a count from the second use on: f, g, ``f 2``."""
    counts = [names[: at + 1].count(name) for at, name in enumerate(names)]
    return [name if count == 1 else f"{name} {count}" for name, count in zip(names, counts, strict=True)]


def from_tokens(data: Mapping) -> Expression:
    """The formula that :func:`tokens` wrote; a ValueError says what is wrong with other data."""
    try:
        own = [define(text) for text in data["operators"]]
        codes_of = dict(zip(_unique([o.name for o in own]), (o.code for o in own), strict=True))
        codes, values = [], []
        for token in data["postfix"]:
            if isinstance(token, str):
                feature = re.fullmatch(r"x([0-9]{1,9})", token)
                codes.append(-1 - int(feature[1]) if feature else codes_of.get(token) or find(token).code)
                values.append(0.0)
            else:
                codes.append(CONSTANT)
                values.append(float(token))
        return Expression(codes, values, data["names"])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"this is not a stored formula ({error!r}): {str(data)[:100]}") from None
