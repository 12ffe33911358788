"""Formulas as plain Python text, to paste where srlib is not installed."""

from __future__ import annotations

import inspect
import re

from .. import meanings
from ..operators import CONSTANT, Operator, by_code
from .core import Expression
from .custom import body_of
from .parse import is_plain_name

__all__ = ["numpy_source"]

_INFIX = {"add", "sub", "mul"}  # what plain Python writes with the very same meaning


def numpy_source(expression: Expression, name: str = "formula") -> str:
    """Text of a module with one function, one argument per feature, that gives exactly what ``evaluate`` gives.

    Parameters
    ----------
    expression : Expression
        The formula.
    name : str
        The function's name.

    Raises
    ------
    ValueError
        If ``name`` is no Python name, or the formula holds an operator that is a Python function.

    Examples
    --------
    >>> print(numpy_source(Expression.parse("2*x0 + 1")))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def formula(x0):
        with np.errstate(all="ignore"):
            return 2.0 * x0 + 1.0
    <BLANKLINE>
    """
    if not is_plain_name(name):
        raise ValueError(f"name is {name!r}: give a Python name for the function")
    helpers: dict[str, str] = {}
    arguments = _arguments(expression, taken={name, "np"})
    body = _body(expression, arguments, helpers)
    functions = [*helpers.values(), _function(name, list(arguments.values()), body, guarded=True)]
    return "import numpy as np\n\n\n" + "\n\n".join(functions)


def _arguments(expression: Expression, taken: set[str]) -> dict[int, str]:
    """A Python name for each feature: all columns if they are named, otherwise x0 up to the last one used."""
    count = len(expression.names) if expression.names else max(expression.features, default=-1) + 1
    result: dict[int, str] = {}
    for feature in range(count):
        name = expression.feature_name(feature)
        usable = is_plain_name(name) and name not in taken and not name.startswith("_")
        result[feature] = name if usable else f"column{feature}"
        taken.add(result[feature])
    return result


def _function(name: str, arguments: list[str], body: str, guarded: bool = False) -> str:
    head = f"def {name}({', '.join(arguments)}):\n"
    if guarded:
        return f'{head}    with np.errstate(all="ignore"):\n        return {body}\n'
    return f"{head}    return {body}\n"


def _body(expression: Expression, arguments: dict[int, str], helpers: dict[str, str]) -> str:
    stack: list[tuple[str, int]] = []  # (text, how tightly it binds: 1 sum, 2 product, 3 rest)
    for code, value in zip(expression.codes.tolist(), expression.values.tolist(), strict=True):
        if code == CONSTANT:
            stack.append((repr(value) if value >= 0 else f"({value!r})", 3))
        elif code < 0:
            stack.append((arguments[-1 - code], 3))
        else:
            operator = by_code(code)
            parts = stack[-operator.arity :]
            del stack[-operator.arity :]
            if operator.name in _INFIX and not operator.definition:
                binds = 2 if operator.name == "mul" else 1
                left, right = (t if b >= n else f"({t})" for (t, b), n in zip(parts, (binds, binds + 1), strict=True))
                stack.append((f"{left} {operator.symbol} {right}", binds))
            else:
                stack.append((f"{_helper(operator, helpers)}({', '.join(text for text, _ in parts)})", 3))
    return stack[0][0]


def _helper(operator: Operator, helpers: dict[str, str]) -> str:
    """The name of the function that means ``operator`` in the text, added to ``helpers`` on first use."""
    key = f"{operator.name} {operator.code}"
    if key not in helpers:
        name, taken = f"_{operator.name}", sum(other.split()[0] == operator.name for other in helpers)
        name += f"_{taken + 1}" * bool(taken)  # another definition of the same name
        if operator.definition:
            body = body_of(operator)
            arguments = dict(enumerate(f"a{j}" for j in range(operator.arity)))
            text = _function(name, list(arguments.values()), _body(body, arguments, helpers))
        elif not _has_source(operator):
            raise ValueError(
                f"{operator.name!r} is a Python function, which cannot be written out: define it as text, "
                f"{operator.name}({', '.join('xy'[: operator.arity])}) = …"
            )
        else:
            original = operator.numpy.__name__
            text = inspect.getsource(operator.numpy).replace(f"def {original}(", f"def {name}(", 1)
        helpers[key] = text
    return re.search(r"def (\w+)", helpers[key])[1]


def _has_source(operator: Operator) -> bool:
    """Whether the meaning in numpy is a few lines of :mod:`srlib.meanings`."""
    return getattr(operator.numpy, "__module__", None) == meanings.__name__
