"""Dimensional analysis of formulas: metres are not added to seconds, and only numbers have a sine.

Every operator but the power is one linear rule: the exponents of its result are a combination of its arguments'
exponents (``powers``; a product adds them, a root halves them), and some combinations of them must vanish (``needs``;
a sum needs those of its arguments to be equal, a sine needs those of its argument to be zero). The rule of an
operator that a user defined by a formula follows from the formula, whose numbers have no unit.

**Constants** may carry any unit, as Hubble's does, so they are *free*: they take whatever unit is asked of them. What
is free stays so in products, quotients and powers (``c*x`` can have any unit) and under operators that only scale
(a root, a sign change); it is free no longer once it is added to something that is not (``c + x`` has the unit of
``x``), and the result of a sine is a number. With ``dimensionless_constants`` constants are numbers and nothing is
free. The exponent of a power is a number; where it is not constant, its base must be one too.

The check is permissive in one case: an operator defined with three or more arguments, of which two are free and bound
to each other, may pass as free.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .operators import CONSTANT, Operator, builtin, by_code, find
from .units import BASE, echelon, unit_dimensions, unit_text

if TYPE_CHECKING:
    from .expression import Expression

__all__ = ["UnitRules", "UnitWorkspace", "check_units", "first_unbalanced", "unit_rules", "unit_workspace"]

ADD, SUB, MUL, DIV, POW, NEG = (find(name).code for name in ("add", "sub", "mul", "div", "pow", "neg"))
BASES = len(BASE)
NAN = math.nan
TOLERANCE = 1e-6  # of exponents: thirds are no floats, and fitted exponents are rounded
LARGEST = 1000.0  # an exponent beyond is no power of a unit, and many of them would overflow

_EQUAL = ([[1, -1]], [1, 0])  # (needs, powers) of what takes two like quantities
_LINEAR = {
    "add": _EQUAL, "sub": _EQUAL, "min": _EQUAL, "max": _EQUAL, "mul": ([], [1, 1]), "div": ([], [1, -1]),
    "neg": ([], [1]), "abs": ([], [1]), "relu": ([], [1]), "square": ([], [2]), "cube": ([], [3]), "inv": ([], [-1]),
    "sqrt": ([], [Fraction(1, 2)]), "cbrt": ([], [Fraction(1, 3)]), "sign": ([], [0]), "step": ([], [0]),
}  # fmt: skip


class UnitRules(NamedTuple):
    """What :func:`first_unbalanced` needs to know, in arrays for the compiled loop."""

    features: np.ndarray  # (features, 7) float64, their dimensions
    target: np.ndarray  # (7,) float64; NaN: any
    arity: np.ndarray  # (operators + 1,) int32, by code
    powers: np.ndarray  # (operators + 1, arguments) float64, with which each argument's dimension enters the result's
    needs: np.ndarray  # (operators + 1, arguments, arguments) float64, rows of zero sum; row k is led by argument k
    free_constants: bool


class UnitWorkspace(NamedTuple):
    """The stack of :func:`first_unbalanced`; after it, entry 0 describes the whole formula."""

    dimensions: np.ndarray  # (nodes, 7) float64
    free: np.ndarray  # (nodes,) bool, whether it can take any dimension
    known: np.ndarray  # (nodes,) float64, the value of a constant part, otherwise NaN


def unit_workspace(nodes: int) -> UnitWorkspace:
    """A stack for formulas of up to that many nodes."""
    return UnitWorkspace(np.zeros((nodes, BASES)), np.zeros(nodes, dtype=np.bool_), np.zeros(nodes))


def unit_rules(
    X_units: Sequence[str],
    y_units: str | None = None,
    operators: Iterable[Operator] = (),
    dimensionless_constants: bool = False,
) -> UnitRules:
    """The rules of dimensional analysis for a search.

    Parameters
    ----------
    X_units : sequence of str
        The unit of each column (:func:`srlib.units.parse_unit`).
    y_units : str, optional
        The target's unit; without it formulas need only be consistent in themselves.
    operators : iterable of Operator
        Those that a user defined; the built-in ones are always there.
    dimensionless_constants : bool
        Whether constants are pure numbers.

    Raises
    ------
    ValueError
        If a unit cannot be read.
    """
    own = {operator.code: operator for operator in (*builtin(), *operators)}
    most = max(operator.arity for operator in own.values())
    rules = UnitRules(
        features=unit_dimensions(X_units),
        target=np.full(BASES, NAN) if y_units is None else unit_dimensions([y_units], "y_units")[0],
        arity=np.zeros(max(own) + 1, dtype=np.int32),
        powers=np.zeros((max(own) + 1, most)),
        needs=np.zeros((max(own) + 1, most, most)),
        free_constants=not dimensionless_constants,
    )
    for code, operator in own.items():
        needs, powers = _linear(operator)
        rules.arity[code] = operator.arity
        rules.powers[code, : operator.arity] = powers
        for lead, row in needs.items():
            rules.needs[code, lead, : operator.arity] = row
    return rules


def _linear(operator: Operator) -> tuple[dict[int, list[Fraction]], list[Fraction]]:
    """An operator's needs in reduced form, and its powers in terms of arguments that lead no need."""
    if operator.definition:
        rows, powers = _follow(operator)
    else:
        numbers = [[int(j == k) for j in range(operator.arity)] for k in range(operator.arity)]
        rows, powers = _LINEAR.get(operator.name, (numbers, [0] * operator.arity))
    needs = echelon([[Fraction(entry) for entry in row] for row in rows])
    powers = [Fraction(power) for power in powers]
    for lead, row in needs.items():
        powers = [power - powers[lead] * entry for power, entry in zip(powers, row, strict=True)]
    return needs, powers


def _follow(operator: Operator) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Needs and powers of an operator that is defined by a formula, found by going through the formula."""
    from .expression.custom import body_of

    rows: list[list[Fraction]] = []
    stack: list[tuple[list[Fraction], float]] = []  # (exponents of the operator's arguments, value of a constant part)
    body, none = body_of(operator), [Fraction(0)] * operator.arity
    for code, value in zip(body.codes.tolist(), body.values.tolist(), strict=True):
        if code == CONSTANT:
            stack.append((none, value))
        elif code < 0:
            stack.append(([Fraction(int(k == -1 - code)) for k in range(operator.arity)], NAN))
        else:
            used = by_code(code)
            parts, numbers = zip(*stack[-used.arity :], strict=True)
            del stack[-used.arity :]
            with np.errstate(all="ignore"):
                number = float(used.numpy(*numbers))
            if used.code == POW and abs(numbers[1]) <= LARGEST:
                needs, powers = [], [Fraction(numbers[1]).limit_denominator(10**6), Fraction(0)]
            else:
                reduced, powers = _linear(used)
                needs = list(reduced.values())
            rows += [_combine(need, parts) for need in needs]
            stack.append((_combine(powers, parts), number if math.isfinite(number) else NAN))
    return rows, stack[0][0]


def _combine(weights: Sequence[Fraction], parts: Sequence[list[Fraction]]) -> list[Fraction]:
    return [sum(w * entry for w, entry in zip(weights, column, strict=True)) for column in zip(*parts, strict=True)]


def first_unbalanced(codes, values, size, rules, work):
    """Return 0 if a formula balances, otherwise 1 + the first node that does not (in postfix order).

    ``size + 1`` says that every node balances, but the whole has not the target's dimension. Plain loops, which
    :mod:`srlib.evolution.dimensions` compiles.

    Parameters
    ----------
    codes, values : numpy.ndarray, shape (nodes,)
        The formula: its first ``size`` entries.
    size : int
    rules : UnitRules
    work : UnitWorkspace
        Of at least ``size`` nodes; overwritten.
    """
    dimensions, free, known = work.dimensions, work.free, work.known
    top = 0
    for node in range(size):
        code = codes[node]
        if code <= 0:
            constant = code == CONSTANT
            free[top] = constant and rules.free_constants
            known[top] = values[node] if constant else NAN
            for b in range(BASES):
                dimensions[top, b] = 0.0 if constant else rules.features[-1 - code, b]
            top += 1
            continue
        count = rules.arity[code]
        top -= count  # the arguments are top … top + count - 1, the result goes to top
        if code == POW:
            exponent = known[top + 1]
            fixed = abs(exponent) <= LARGEST
            for b in range(BASES):
                numbers = (free[top] or fixed or abs(dimensions[top, b]) < TOLERANCE) and (
                    free[top + 1] or abs(dimensions[top + 1, b]) < TOLERANCE
                )
                if not numbers:
                    return node + 1
                dimensions[top, b] = exponent * dimensions[top, b] if fixed else 0.0
            free[top] = free[top] and fixed and exponent != 0
            known[top] = NAN
            top += 1
            continue

        for lead in range(count):
            # A free argument that leads a need takes what the need asks; the result is written without it.
            if rules.needs[code, lead, lead] == 0 or free[top + lead]:
                continue
            bound, others = -1, False  # the first other free argument takes it, unless there is none
            for k in range(count):
                if rules.needs[code, lead, k] != 0 and free[top + k]:
                    others = bound >= 0
                    bound = k if bound < 0 else bound
            for b in range(BASES):
                total = 0.0
                for k in range(count):
                    total += rules.needs[code, lead, k] * dimensions[top + k, b]
                if bound >= 0:
                    dimensions[top + bound, b] -= total / rules.needs[code, lead, bound]
                elif abs(total) > TOLERANCE:
                    return node + 1
            if bound >= 0:
                free[top + bound] = others

        any_free = False
        for k in range(count):
            any_free = any_free or (free[top + k] and rules.powers[code, k] != 0)
        for b in range(BASES):
            total = 0.0
            for k in range(count):
                total += rules.powers[code, k] * dimensions[top + k, b]
            dimensions[top, b] = total
        free[top] = any_free
        # Exponents such as 3/2 are constant parts.
        a, b = known[top], known[top + count - 1]
        if code == ADD:
            known[top] = a + b
        elif code == SUB:
            known[top] = a - b
        elif code == MUL:
            known[top] = a * b
        elif code == DIV:
            known[top] = a / b if b != 0 else NAN
        else:
            known[top] = -a if code == NEG else NAN
        top += 1
    if not free[0] and rules.target[0] == rules.target[0]:
        for b in range(BASES):
            if abs(dimensions[0, b] - rules.target[b]) > TOLERANCE:
                return size + 1
    return 0


def check_units(
    expression: Expression,
    X_units: Sequence[str],
    y_units: str | None = None,
    dimensionless_constants: bool = False,
) -> str:
    """What is wrong with a formula's units, in words; ``""`` if they balance.

    Parameters
    ----------
    expression : Expression
        The formula.
    X_units, y_units, dimensionless_constants
        As in :func:`unit_rules`.

    Raises
    ------
    ValueError
        If a unit cannot be read, or a column that the formula uses has none.

    Examples
    --------
    >>> from srlib import Expression
    >>> check_units(Expression.parse("2*(x0 + x1)"), ["m", "s"], "m")
    'node 3 (x0 + x1) adds m and s'
    >>> check_units(Expression.parse("2*x0/x1"), ["m", "s"], "N")
    ''
    """
    operators = [by_code(code) for code in set(expression.codes.tolist()) if code > 0]
    rules = unit_rules(X_units, y_units, operators, dimensionless_constants)
    if expression.features and expression.features[-1] >= len(rules.features):
        name = expression.feature_name(expression.features[-1])
        count = len(rules.features)
        raise ValueError(f"X_units has {count} units, but the formula uses {name}: give one for each column")
    work = unit_workspace(expression.size)
    with np.errstate(all="ignore"):
        place = first_unbalanced(expression.codes, expression.values, expression.size, rules, work)
    if place == 0:
        return ""
    if place > expression.size:
        return f"the formula has the unit {unit_text(work.dimensions[0])}, but y_units is {y_units!r}"
    units = []
    for child in expression.children(place - 1):
        part = expression.subtree(child)
        first_unbalanced(part.codes, part.values, part.size, rules, work)
        units.append("a unit to choose" if work.free[0] else unit_text(work.dimensions[0]))
    operator, part = by_code(int(expression.codes[place - 1])), expression.subtree(place - 1)
    return f"node {place - 1} ({part.format()}) {_fault(operator, units)}"


def _fault(operator: Operator, units: Sequence[str]) -> str:
    listed = " and ".join(units)
    if operator.code == POW:
        wrong = f"that has the unit {units[1]}" if units[1] != "1" else "that varies: only numbers have such a power"
        return f"raises {units[0]} to a power {wrong}"
    verbs = {"add": "adds", "sub": "subtracts", "min": "compares", "max": "compares"}
    if not operator.definition and operator.name in verbs:
        return f"{verbs[operator.name]} {listed}"
    return f"takes {operator.name} of {listed}"
