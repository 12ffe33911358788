"""Python functions as operators: compiled by numba, so that a search runs them at full speed.

Where an operator can be written as a formula, ``Expression.operator("special(x, y) = cos(x)*(x + y)")`` is better: its
derivative is exact and it travels to other processes. A function may do what a formula cannot, such as branches and
loops::

    def pulse(t):
        return 1.0 if 0 < t < 1 else 0.0

    model = EvolutionRegressor(unary_operators=[from_function(pulse)])

Like all operators it has no value (NaN) where an argument has none, and where it raises an exception.
"""

from __future__ import annotations

import ctypes
import dis
import functools
import inspect
import math
import re
import types
from collections.abc import Callable

import numpy as np

from .operators import ALIASES, Operator, builtin, register

__all__ = ["address", "from_function", "function_of"]

NUDGE = 6e-6  # the cube root of the rounding error: the best relative step of a central difference
_made: dict[int, _Function | _Registered] = {}  # by the operator's code


def from_function(function: Callable[..., float], name: str | None = None) -> Operator:
    """An operator that does what a Python function does.

    Parameters
    ----------
    function : callable
        Takes one or two numbers and returns one; numba must be able to compile it.
    name : str, optional
        What it is called in formulas; by default its own name.

    Returns
    -------
    Operator
        The same one for the same function. A new function of an old name (a notebook's cell that was run again) is a
        new operator, and the name then means the new one.

    Raises
    ------
    ValueError
        If it has no name or one that means something else, takes another number of arguments, does not return a
        number, or cannot be compiled.

    Notes
    -----
    torch and the compiled search differentiate it by differences. In sympy it is the formula it computes where that can
    be found out (no branches, only functions of the alphabet), otherwise an unknown function of its name. Formulas that
    hold it can be pickled and stored; a process that reads them must have called ``from_function`` before.

    Examples
    --------
    >>> from srlib import Expression
    >>> def hinge(x):
    ...     return x - 1.0 if x > 1.0 else 0.0
    >>> Expression.parse("2*hinge(x0)", operators=[from_function(hinge)]).evaluate([[0.0], [3.0]])
    array([0., 4.])
    """
    function = getattr(function, "py_func", function)  # one that numba has compiled already
    if not isinstance(function, types.FunctionType):
        raise ValueError(f"function is {function!r}: give a Python function, such as def f(x): return math.erf(x)")
    name = _checked_name(function, name)
    for made in list(_made.values()):
        if made.function is function and made.operator.name == name:
            return made.operator
    made = _Function(function, name, _arity(function, name))
    made.operator = register(Operator(name, made.arity, made.values, made.torch, made.sympy))
    _made[made.operator.code] = made
    return made.operator


def address(operator: Operator) -> int | None:
    """Where the code begins that compiled loops call for an operator; None for built-in and defined ones.

    It takes and returns C doubles, one for each argument. That of an operator from :func:`from_function` is compiled
    when it is first asked for; that of one which was registered with meanings of its own calls the one in numpy (slow).
    """
    if operator.definition or operator.code <= len(builtin()):
        return None
    made = _made.get(operator.code)
    if made is None:
        made = _made[operator.code] = _Registered(operator)
    return made.address


def function_of(operator: Operator) -> Callable[..., float] | None:
    """The Python function that :func:`from_function` made the operator of; None if it did not."""
    made = _made.get(operator.code)
    return None if made is None else made.function


def _callback(scalar: Callable[..., float], arity: int):
    """Plain Python that can be called by its address, from any thread."""
    return ctypes.CFUNCTYPE(*[ctypes.c_double] * (arity + 1))(scalar)


class _Registered:
    """An operator that was registered with its meanings: only its address is missing."""

    function = None

    def __init__(self, operator: Operator):
        self.operator, self._kept = operator, _callback(_guarded_plain(operator.numpy), operator.arity)

    @property
    def address(self) -> int:
        return ctypes.cast(self._kept, ctypes.c_void_p).value


def _checked_name(function: types.FunctionType, name: str | None) -> str:
    from .expression.parse import is_plain_name

    name = function.__name__ if name is None else name
    if name == "<lambda>":
        raise ValueError("function is a lambda, which has no name: give one, from_function(function, name='bump')")
    if not isinstance(name, str) or not is_plain_name(name):
        raise ValueError(f"name is {name!r}: give a name that Python would read, such as 'bump'")
    if re.fullmatch(r"x[0-9]+|pi|e", name) or name in {*ALIASES, *(operator.name for operator in builtin())}:
        raise ValueError(f"name is {name!r}, which already means something in formulas: choose another name")
    return name


def _arity(function: types.FunctionType, name: str) -> int:
    parameters = inspect.signature(function).parameters.values()
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(one.kind not in plain or one.default is not inspect.Parameter.empty for one in parameters):
        raise ValueError(f"function {name!r} has optional, starred or keyword arguments: give one with plain arguments")
    if len(parameters) not in (1, 2):
        raise ValueError(f"function {name!r} takes {len(parameters)} arguments: an operator takes 1 or 2")
    return len(parameters)


class _Function:
    """The meanings of one function."""

    operator: Operator

    def __init__(self, function: types.FunctionType, name: str, arity: int):
        self.function, self.name, self.arity = function, name, arity
        numba = _numba()
        if numba is None:
            self.scalar = _guarded_plain(function)
            self.values = np.vectorize(self.scalar, otypes=[float])
        else:
            self.scalar = _guarded(_compiled(numba, function, name, arity), arity)
            self.values = numba.vectorize([f"float64({', '.join(['float64'] * arity)})"], nopython=True)(self.scalar)

    def _value(self, *point) -> float:
        """The value for numbers, without warnings."""
        with np.errstate(all="ignore"):
            return float(self.values(*map(float, point)))

    @functools.cached_property
    def _compiled_once(self):
        """What must stay alive as long as its address is used."""
        numba = _numba()
        if numba is None:
            return _callback(self.scalar, self.arity)
        return numba.cfunc(f"float64({', '.join(['float64'] * self.arity)})", error_model="numpy")(self.scalar)

    @property
    def address(self) -> int:
        once = self._compiled_once
        return ctypes.cast(once, ctypes.c_void_p).value if _numba() is None else once.address

    def torch(self, torch, *tensors):
        """The meaning in torch, with derivatives by differences."""
        return _differentiable().apply(self.values, *torch.broadcast_tensors(*tensors))

    def sympy(self, sympy, *arguments):
        """The meaning in sympy."""
        if self._formula is None:
            return self._unknown(*arguments)
        symbols, formula = self._formula
        return formula.xreplace(dict(zip(symbols, map(sympy.sympify, arguments), strict=True)))

    @functools.cached_property
    def _unknown(self):
        """A function that sympy knows by name and number only."""
        from sympy.utilities.lambdify import implemented_function

        return implemented_function(self.name, self._value)

    @functools.cached_property
    def _formula(self):
        """The function's arguments as symbols and its formula; None if that cannot be found out."""
        import sympy

        if any(i.opcode in (*dis.hasjrel, *dis.hasjabs) for i in dis.get_instructions(self.function)):
            return None  # with branches or loops it is no one formula
        symbols = [sympy.Dummy(letter) for letter in "ab"[: self.arity]]
        try:
            formula = sympy.sympify(_on_symbols(self.function)(*symbols))
            if not isinstance(formula, sympy.Expr) or not formula.free_symbols <= set(symbols):
                return None
            for point in ((0.0, 1.0), (0.7, -1.3), (-1.6, 0.4), (2.0, 3.0)):
                expected = self._value(*point[: self.arity])
                value = complex(formula.subs(dict(zip(symbols, point, strict=False))))
                if math.isfinite(expected) and abs(value - expected) > 1e-9 * (1 + abs(expected)):
                    return None
        except Exception:  # whatever a stranger's function does with symbols
            return None
        return symbols, formula


def _numba():
    """numba, or None where it is missing or told not to compile."""
    try:
        import numba
    except ImportError:
        return None
    return None if numba.config.DISABLE_JIT else numba


def _compiled(numba, function: types.FunctionType, name: str, arity: int):
    """The function compiled for numbers; a ValueError says why it cannot be."""
    compiled = numba.njit(error_model="numpy")(function)
    try:
        compiled.compile((numba.float64,) * arity)
    except Exception as error:  # numba's errors are of many types
        raise ValueError(f"function {name!r} cannot be compiled by numba: {_short(error)}") from None
    returned = numba.types.unliteral(compiled.nopython_signatures[0].return_type)
    if isinstance(returned, numba.types.Optional):
        raise ValueError(f"function {name!r} returns None in some cases: let it return a number in all")
    if not isinstance(returned, (numba.types.Float, numba.types.Integer, numba.types.Boolean)):
        what = "several values" if isinstance(returned, numba.types.BaseTuple) else returned
        raise ValueError(f"function {name!r} returns {what}: let it return one real number")
    return compiled


def _short(error: Exception) -> str:
    """What numba says is wrong, without its account of how it found out."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()]
    lines = [line for line in lines if line and not line.startswith(("Failed in nopython", "During:", "File "))]
    return re.sub(r"\.? Raised from .*", "", " ".join(lines[:2]))[:200]


def _guarded(compiled, arity: int):
    """The compiled function as an operator: NaN for NaN, and instead of an exception."""
    nan = math.nan
    if arity == 1:

        def scalar(a):
            if a != a:
                return nan
            try:
                return 1.0 * compiled(a)
            except Exception:
                return nan
    else:

        def scalar(a, b):
            if a != a or b != b:
                return nan
            try:
                return 1.0 * compiled(a, b)
            except Exception:
                return nan

    return scalar


def _guarded_plain(function: types.FunctionType):
    """The same without compilation."""

    def scalar(*arguments):
        if any(a != a for a in arguments):
            return math.nan
        try:
            with np.errstate(all="ignore"):
                result = function(*map(float, arguments))
            return math.nan if isinstance(result, complex) else float(result)  # (-8)**(1/3)
        except (ArithmeticError, ValueError):
            return math.nan

    return scalar


@functools.cache
def _differentiable():
    """The torch function of operators whose derivatives are differences."""
    import torch

    class ByDifferences(torch.autograd.Function):
        @staticmethod
        def forward(ctx, values, *tensors):
            ctx.values = values
            ctx.save_for_backward(*tensors)
            with np.errstate(all="ignore"):
                return ByDifferences.like(values(*ByDifferences.arrays(tensors)), tensors)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, gradient):
            tensors, slopes = ctx.saved_tensors, []
            for at in range(len(tensors)):
                arrays = ByDifferences.arrays(tensors)
                step = NUDGE * np.maximum(1.0, np.abs(arrays[at]))
                above, below = ([*arrays[:at], arrays[at] + sign * step, *arrays[at + 1 :]] for sign in (1, -1))
                with np.errstate(all="ignore"):
                    slope = (ctx.values(*above) - ctx.values(*below)) / (2 * step)
                slopes.append(gradient * ByDifferences.like(slope, tensors))
            return None, *slopes

        @staticmethod
        def arrays(tensors):
            return [tensor.detach().cpu().double().numpy() for tensor in tensors]

        @staticmethod
        def like(array, tensors):
            kind = functools.reduce(torch.promote_types, (tensor.dtype for tensor in tensors))
            return torch.as_tensor(array, dtype=kind, device=tensors[0].device)

    return ByDifferences


def _on_symbols(function: types.FunctionType) -> types.FunctionType:
    """A copy of the function whose ``math`` and ``numpy`` are sympy."""
    import sympy

    known = {one.name: functools.partial(one.sympy, sympy) for one in builtin()}
    known |= {alias: known[name] for alias, name in ALIASES.items()}
    known |= {"fabs": sympy.Abs, "absolute": sympy.Abs, "erf": sympy.erf, "gamma": sympy.gamma, "expm1": _expm1}
    known |= {"pi": sympy.pi, "e": sympy.E, "negative": known["neg"], "reciprocal": known["inv"]}
    scope = dict(function.__globals__)
    for key in function.__code__.co_names:
        value = scope.get(key)
        if value is math or value is np:
            scope[key] = types.SimpleNamespace(**known)
        elif isinstance(value, np.ufunc) or getattr(value, "__module__", None) == "math":
            scope[key] = known[value.__name__]
    return types.FunctionType(function.__code__, scope, function.__name__, None, function.__closure__)


def _expm1(argument):
    import sympy

    return sympy.exp(argument) - 1
