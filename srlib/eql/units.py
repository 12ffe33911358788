"""Activation units: what the neurons of an equation learner compute.

A unit is written once, as a formula over its arguments ``a`` and ``b``. The torch function, the slopes for training by
hand-written gradients and the sympy expression of the printed formula all follow from that text, so that they cannot
differ. (In a published PyTorch port the network computes sigmoid(z) and prints sigmoid(20 z).)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT, suggest

if TYPE_CHECKING:
    import sympy
    import torch

__all__ = ["PAPER_UNITS", "UNITS", "Unit", "folded", "read_units"]

ARGUMENTS = ("a", "b")
SMALLEST_DENOMINATOR = 1e-4  # theta at test time, EQL-div


@dataclass(frozen=True)
class Unit:
    """One kind of neuron.

    Attributes
    ----------
    name : str
        Its name in lists of units.
    text : str
        The formula over ``a`` and ``b``, with the scaling in it; one that uses neither is a constant.
    slope_texts : tuple of str
        The derivatives by ``a`` and ``b``; by default sympy derives them.
    guard_value : float, optional
        For a unit whose last argument must be positive: what stands in its place where it is not above a threshold.
        A denominator becomes infinite there, so that the unit and its slopes give 0 (EQL-div, Sahoo, Lampert and
        Martius 2018); the argument of a logarithm or a root becomes 1.

    Examples
    --------
    >>> UNITS["sin"].text, UNITS["sin"].arity
    ('sin(4*pi*a)', 1)
    >>> Unit("cube", "a**3/2").slopes[0]
    Expression('3*a**2/2')
    """

    name: str
    text: str
    slope_texts: tuple[str, ...] = ()
    guard_value: float | None = None

    @cached_property
    def expression(self) -> Expression:
        """The formula over ``a`` and ``b``."""
        return _read(self.text)

    @cached_property
    def arity(self) -> int:
        """How many arguments it takes: 0, 1 or 2."""
        return max(self.expression.features, default=-1) + 1

    @cached_property
    def slopes(self) -> tuple[Expression, ...]:
        """The derivatives by each argument."""
        if self.slope_texts:
            return tuple(map(_read, self.slope_texts))
        import sympy

        formula = self.expression.sympy()
        return tuple(
            Expression.from_sympy(sympy.diff(formula, sympy.Symbol(name)), ARGUMENTS)
            for name in ARGUMENTS[: self.arity]
        )

    def __getstate__(self) -> dict:
        """Without what is only remembered: pickles stay small and equal."""
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}

    def guard(self, arguments: tuple[torch.Tensor, ...], least: float = SMALLEST_DENOMINATOR):
        """The arguments as the unit sees them: one that must be above ``least`` and is not is replaced."""
        if self.guard_value is None:
            return arguments
        import torch

        *others, last = arguments
        return *others, torch.where(last > least, last, self.guard_value)

    def torch(self, *arguments: torch.Tensor, least: float = SMALLEST_DENOMINATOR) -> torch.Tensor | float:
        """The unit's value on tensors of one shape; a number if it is a constant."""
        return _run(self.expression, self.guard(arguments, least))

    def torch_slopes(self, *arguments: torch.Tensor, least: float = SMALLEST_DENOMINATOR):
        """The derivatives by each argument on tensors; a number where one is the same everywhere."""
        slopes = tuple(_run(slope, self.guard(arguments, least)) for slope in self.slopes)
        if self.guard_value is None:
            return slopes
        return *slopes[:-1], slopes[-1] * (arguments[-1] > least)

    def sympy(self, *arguments: sympy.Expr) -> sympy.Expr:
        """The unit applied to sympy expressions."""
        from ..expression.algebra import substitute

        return substitute(self.expression, arguments)


def _read(text: str) -> Expression:
    return folded(Expression.parse(text, names=ARGUMENTS))


def folded(formula: Expression) -> Expression:
    """The formula with its parts without features (``4*pi``) computed."""
    for node in reversed(range(formula.size)):
        if node < formula.size and formula.codes[node] > 0 and not (part := formula.subtree(node)).features:
            value = part.evaluate(np.zeros((1, 1)))
            if np.isfinite(value[0]):
                formula = formula.replace(node, Expression([CONSTANT], value, formula.names))
    return formula


def _run(expression: Expression, arguments):
    if not expression.features:
        return float(expression.constants[0])
    from ..expression.module import run

    return run(expression, arguments, _tensors(expression)).to(arguments[0].dtype)


@lru_cache(maxsize=256)
def _tensors(expression: Expression):
    """The constants as tensors without dimensions, which leave the precision of others as it is."""
    import torch

    return torch.tensor(expression.constants, dtype=torch.float64).unbind() if len(expression.constants) else ()


# S. Kim et al., arXiv 1912.04825, with the scalings of the code that they published
UNITS: dict[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("constant", "1"),
        Unit("identity", "a", ("1",)),
        Unit("square", "a*a", ("2*a",)),
        Unit("sin", "sin(4*pi*a)", ("4*pi*cos(4*pi*a)",)),
        Unit("exp", "(exp(a) - 1)*exp(-1)", ("exp(a)*exp(-1)",)),
        Unit("sigmoid", "sigmoid(20*a)", ("20*sigmoid(20*a)*sigmoid(-20*a)",)),
        Unit("product", "10*a*b", ("10*b", "10*a")),
        Unit("division", "a/b", ("1/b", "-a/b/b"), guard_value=math.inf),
        # further ones that users may name
        Unit("cos", "cos(4*pi*a)", ("-4*pi*sin(4*pi*a)",)),
        Unit("tanh", "tanh(a)", ("1 - tanh(a)*tanh(a)",)),
        Unit("log", "log(a)", ("1/a",), guard_value=1.0),
        Unit("sqrt", "sqrt(a)", ("0.5/sqrt(a)",), guard_value=1.0),
    )
}
PAPER_UNITS: Mapping[str, int] = {
    "constant": 2, "identity": 4, "square": 4, "sin": 2, "exp": 2, "sigmoid": 2, "product": 2
}  # fmt: skip


def read_units(units) -> tuple[tuple[Unit, int], ...]:
    """Kinds of units and how many there are of each in a layer, from what a user gives.

    Parameters
    ----------
    units : mapping of str or Unit to int, or iterable of str or Unit
        Such as ``{"identity": 4, "sin": 2}``; in a list each counts as often as it stands there.

    Raises
    ------
    ValueError
        If one is unknown, or there is none that takes an argument.

    Examples
    --------
    >>> [(unit.name, copies) for unit, copies in read_units(["identity", "sin", "sin"])]
    [('identity', 1), ('sin', 2)]
    """
    if isinstance(units, str) or not isinstance(units, Iterable):
        raise ValueError(f"units is {units!r}: give numbers by name, such as {{'identity': 4, 'sin': 2}}")
    pairs = units.items() if isinstance(units, Mapping) else [(one, 1) for one in units]
    found: dict[Unit, int] = {}
    for one, copies in pairs:
        if not isinstance(one, Unit) and one not in UNITS:
            raise ValueError(f"units holds {one!r}{suggest(str(one), UNITS)}; known are {', '.join(UNITS)}")
        if isinstance(copies, bool) or not isinstance(copies, int) or copies < 0:
            raise ValueError(f"units holds {copies!r} of {one!r}: give a whole number of at least 0")
        unit = one if isinstance(one, Unit) else UNITS[one]
        found[unit] = found.get(unit, 0) + copies
    kept = tuple((unit, copies) for unit, copies in found.items() if copies)
    if not any(unit.arity for unit, _ in kept):
        raise ValueError(f"units is {units!r}: give at least one unit that takes an argument, such as 'identity'")
    return kept
