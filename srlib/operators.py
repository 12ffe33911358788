"""The alphabet of formulas: every operator with its one meaning in numpy, torch and sympy.

An :class:`Operator` is a name, a number of arguments and what it does to arrays, tensors and symbols. The three
meanings stand in one row of one table, so that what is evaluated, what is differentiated and what is printed cannot
drift apart. Functions of the ``numpy`` column (:mod:`srlib.meanings`) are also the source text that
:meth:`srlib.Expression.numpy_source` writes out.

**Outside its domain an operator gives NaN** (``1/0``, ``log(0)``, ``sqrt(-1)``), never a protected value: what is
evaluated is what is printed. Overflow is ``inf``, as IEEE arithmetic has it.

Each operator has a ``code``, its place in the alphabet; formulas are arrays of these codes
(:mod:`srlib.expression`). Codes of the built-in operators never change; operators that a user defines get the next
free ones.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .meanings import (
    absolute,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atanh,
    cbrt,
    cos,
    cosh,
    cube,
    div,
    exp,
    inv,
    log,
    log1p,
    log2,
    log10,
    maximum,
    minimum,
    mul,
    neg,
    power,
    relu,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    step,
    sub,
    tan,
    tanh,
)

__all__ = [
    "ALIASES", "CONSTANT", "Operator", "UnknownOperator", "builtin", "by_code", "find", "register", "registered",
    "suggest",
]  # fmt: skip

CONSTANT = 0  # the code of a constant; features are -1, -2, …; operators 1, 2, …


@dataclass(frozen=True)
class Operator:
    """One operator of the alphabet.

    Attributes
    ----------
    name : str
        The name in text, as in ``name(a, b)``.
    arity : int
        The number of arguments.
    numpy : callable
        ``numpy(*arrays) -> array``; NaN outside the domain.
    torch : callable
        ``torch(torch_module, *tensors) -> tensor``; the module is passed so that nothing imports it before it is used.
    sympy : callable
        ``sympy(sympy_module, *expressions) -> expression``.
    symbol : str
        How it is written between its arguments (``"+"``), or ``""`` when it is written as a function.
    complexity : float
        What one use of it adds to :attr:`srlib.Expression.complexity`.
    commutative : bool
        Whether swapping its two arguments leaves the value alone.
    code : int
        Its place in the alphabet.
    definition : str
        For an operator defined by a user, the text of its definition; otherwise ``""``.
    """

    name: str
    arity: int
    numpy: Callable[..., Any] = field(repr=False, compare=False)
    torch: Callable[..., Any] = field(repr=False, compare=False)
    sympy: Callable[..., Any] = field(repr=False, compare=False)
    symbol: str = ""
    complexity: float = 1.0
    commutative: bool = False
    code: int = 0
    definition: str = ""

    def __str__(self) -> str:
        return self.symbol or self.name

    def __reduce__(self):
        """Pickled in words: codes of user-defined operators differ between processes, and functions do not pickle."""
        return _recall, (self.name, self.arity, self.definition)


def _recall(name: str, arity: int, definition: str) -> Operator:
    """The operator that was pickled: from its definition, or the registered one of that name."""
    if definition:
        from .expression import Expression  # only needed for operators that it made

        return Expression.operator(definition)
    known = _named.get(name)
    if known is not None and known.arity == arity:
        return known
    raise UnknownOperator(f"operator {name!r} is not registered in this process: register it before unpickling")


class UnknownOperator(ValueError):
    """An operator's name that the alphabet does not have."""


# ---------------------------------------------------------------- meanings in torch


def _outside(torch, condition, a):
    """``a`` with NaN where ``condition`` holds; the gradient stops there."""
    return torch.where(condition, torch.full_like(a, float("nan")), a)


def _torch_pow(t, a, b):
    a, b = t.broadcast_tensors(a, b)
    return _outside(t, (a == 0) & (b < 0) | t.isnan(a) | t.isnan(b), t.pow(a, b))


def _torch_step(t, a):
    return t.where(t.isnan(a), a, (a > 0).to(a.dtype))


def _sympy_cbrt(s, a):
    return s.cbrt(a) if a.is_nonnegative else s.sign(a) * s.cbrt(s.Abs(a))  # the real root, not the principal one


_BUILTIN = [
    # name, arity, numpy, torch, sympy, symbol, commutative
    ("add", 2, add, lambda t, a, b: a + b, lambda s, a, b: a + b, "+", True),
    ("sub", 2, sub, lambda t, a, b: a - b, lambda s, a, b: a - b, "-", False),
    ("mul", 2, mul, lambda t, a, b: a * b, lambda s, a, b: a * b, "*", True),
    ("div", 2, div, lambda t, a, b: a / _outside(t, b == 0, b), lambda s, a, b: a / b, "/", False),
    ("pow", 2, power, _torch_pow, lambda s, a, b: a**b, "**", False),
    ("min", 2, minimum, lambda t, a, b: t.minimum(a, b), lambda s, a, b: s.Min(a, b), "", True),
    ("max", 2, maximum, lambda t, a, b: t.maximum(a, b), lambda s, a, b: s.Max(a, b), "", True),
    ("neg", 1, neg, lambda t, a: -a, lambda s, a: -a, "-", False),
    ("abs", 1, absolute, lambda t, a: t.abs(a), lambda s, a: s.Abs(a), "", False),
    ("sign", 1, sign, lambda t, a: t.where(t.isnan(a), a, t.sign(a)), lambda s, a: s.sign(a), "", False),
    ("step", 1, step, _torch_step, lambda s, a: s.Heaviside(a, 0), "", False),
    ("square", 1, square, lambda t, a: a * a, lambda s, a: a**2, "", False),
    ("cube", 1, cube, lambda t, a: a * a * a, lambda s, a: a**3, "", False),
    ("sqrt", 1, sqrt, lambda t, a: t.sqrt(a), lambda s, a: s.sqrt(a), "", False),
    ("cbrt", 1, cbrt, lambda t, a: t.sign(a) * t.abs(a) ** (1 / 3), _sympy_cbrt, "", False),
    ("inv", 1, inv, lambda t, a: 1 / _outside(t, a == 0, a), lambda s, a: 1 / a, "", False),
    ("exp", 1, exp, lambda t, a: t.exp(a), lambda s, a: s.exp(a), "", False),
    ("log", 1, log, lambda t, a: t.log(_outside(t, a == 0, a)), lambda s, a: s.log(a), "", False),
    ("log2", 1, log2, lambda t, a: t.log2(_outside(t, a == 0, a)), lambda s, a: s.log(a) / s.log(2), "", False),
    ("log10", 1, log10, lambda t, a: t.log10(_outside(t, a == 0, a)), lambda s, a: s.log(a) / s.log(10), "", False),
    ("log1p", 1, log1p, lambda t, a: t.log1p(_outside(t, a == -1, a)), lambda s, a: s.log(1 + a), "", False),
    ("sin", 1, sin, lambda t, a: t.sin(a), lambda s, a: s.sin(a), "", False),
    ("cos", 1, cos, lambda t, a: t.cos(a), lambda s, a: s.cos(a), "", False),
    ("tan", 1, tan, lambda t, a: t.tan(a), lambda s, a: s.tan(a), "", False),
    ("asin", 1, asin, lambda t, a: t.asin(a), lambda s, a: s.asin(a), "", False),
    ("acos", 1, acos, lambda t, a: t.acos(a), lambda s, a: s.acos(a), "", False),
    ("atan", 1, atan, lambda t, a: t.atan(a), lambda s, a: s.atan(a), "", False),
    ("sinh", 1, sinh, lambda t, a: t.sinh(a), lambda s, a: s.sinh(a), "", False),
    ("cosh", 1, cosh, lambda t, a: t.cosh(a), lambda s, a: s.cosh(a), "", False),
    ("tanh", 1, tanh, lambda t, a: t.tanh(a), lambda s, a: s.tanh(a), "", False),
    ("asinh", 1, asinh, lambda t, a: t.asinh(a), lambda s, a: s.asinh(a), "", False),
    ("acosh", 1, acosh, lambda t, a: t.acosh(a), lambda s, a: s.acosh(a), "", False),
    ("atanh", 1, atanh, lambda t, a: t.atanh(_outside(t, a.abs() == 1, a)), lambda s, a: s.atanh(a), "", False),
    ("sigmoid", 1, sigmoid, lambda t, a: t.sigmoid(a), lambda s, a: 1 / (1 + s.exp(-a)), "", False),
    ("relu", 1, relu, lambda t, a: t.relu(a), lambda s, a: s.Max(a, 0), "", False),
]

ALIASES = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow", "^": "pow", "plus": "add", "mult": "mul",
    "divide": "div", "power": "pow", "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "heaviside": "step", "Heaviside": "step",
    "Abs": "abs", "Min": "min", "Max": "max", "minimum": "min", "maximum": "max", "logistic": "sigmoid",
}  # fmt: skip

_table: list[Operator | None] = [None]  # by code; 0 is the constant's
_named: dict[str, Operator] = {}  # the latest of each name, without those that a formula defines
_lock = threading.Lock()


def register(operator: Operator) -> Operator:
    """The operator with a code of its own; one that was defined in the same words before keeps its code.

    A name belongs to formulas or to functions: stored formulas could not tell an operator of each kind apart.
    """
    with _lock:
        for known in _table[1:]:
            if known.name != operator.name:
                continue
            if known.definition == operator.definition and (known.definition or known.numpy is operator.numpy):
                return known
            if bool(known.definition) != bool(operator.definition):
                raise ValueError(f"there is another operator {known.name!r} already: choose another name")
        numbered = Operator(**{**vars(operator), "code": len(_table)})
        _table.append(numbered)
        if not numbered.definition:
            _named[numbered.name] = numbered
        return numbered


for _name, _arity, _numpy, _torch, _sympy, _symbol, _commutative in _BUILTIN:
    register(Operator(_name, _arity, _numpy, _torch, _sympy, _symbol, commutative=_commutative))

_builtin = tuple(_table[1:])


def builtin() -> tuple[Operator, ...]:
    """All built-in operators, in the order of their codes."""
    return _builtin


def registered() -> tuple[Operator, ...]:
    """All operators of this process, in the order of their codes: the built-in ones, then those of users."""
    return tuple(_table[1:])


def by_code(code: int) -> Operator:
    """The operator that an expression's code (1, 2, …) stands for."""
    if 0 < code < len(_table):
        return _table[code]
    raise ValueError(f"{code} is the code of no operator: they go from 1 to {len(_table) - 1}")


def suggest(name: str, known: Iterable[str]) -> str:
    """``" - did you mean 'sin'?"`` where a known name is near, otherwise ``""``; for error messages."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" - did you mean {near[0]!r}?" if near else ""


def find(name: str | Operator, arity: int | None = None, extra: Iterable[Operator] = ()) -> Operator:
    """The operator of that name, symbol or alias.

    Parameters
    ----------
    name : str or Operator
        ``"sin"``, ``"+"``, ``"arcsin"`` …; an :class:`Operator` is returned as it is.
    arity : int, optional
        The number of arguments wanted: tells ``-`` of two arguments from ``-`` of one.
    extra : iterable of Operator
        Operators that a user defined; they come before built-in ones of the same name.

    Raises
    ------
    UnknownOperator
        If there is none of that name, or it takes another number of arguments.

    Examples
    --------
    >>> find("^").name, find("-", arity=1).name
    ('pow', 'neg')
    """
    if isinstance(name, Operator):
        operator = name
        known_as = _table[operator.code] if 0 < operator.code < len(_table) else None
        if known_as is not operator and known_as != operator:
            raise UnknownOperator(f"operator {operator.name!r} has no code: use what register() returns")
    elif not isinstance(name, str):
        raise UnknownOperator(f"an operator is a name such as 'sin' or '+', not {name!r}")
    else:
        known = {**_named, **{one.name: one for one in extra}}
        key = "neg" if name == "-" and arity == 1 else ALIASES.get(name, name) if name not in known else name
        if key not in known:
            hint = suggest(name, [*known, *ALIASES]) or f"; known are {', '.join(known)}"
            raise UnknownOperator(f"there is no operator {name!r}{hint}")
        operator = known[key]
    if arity is not None and operator.arity != arity:
        raise UnknownOperator(f"operator {operator.name!r} takes {operator.arity} argument(s), not {arity}")
    return operator


def __getattr__(name: str):
    if name in ("address", "from_function"):  # loaded when they are needed, and explained, in functions.py
        from . import functions

        return getattr(functions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
