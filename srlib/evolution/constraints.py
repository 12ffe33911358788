"""Which formulas a search may make: their complexity and depth, and what may stand within what.

The user's dictionaries become a few tables (:func:`limits`), and one pass over the nodes says whether a formula keeps
to them (:func:`satisfies`). Names and meanings are PySR's:

- the complexity of a formula is the sum of its nodes' (1 each, unless ``complexity_of_…`` says otherwise);
- ``constraints={"pow": (-1, 1), "sin": 5}`` limits the complexity of each operand, -1 being no limit;
- ``nested_constraints={"sin": {"sin": 0, "cos": 1}}``: below a sine, no path to a leaf may meet another sine, or more
  than one cosine.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..kernels.jit import kernel
from ..operators import ALIASES, CONSTANT, Operator, builtin, suggest
from ..validation import check_number

__all__ = ["Limits", "complexities_of_variables", "complexity", "limits", "satisfies", "workspace"]

SLACK = 1e-9  # 0.1 + 0.2 is not above 0.3


class Limits(NamedTuple):
    """What a formula must keep to, in tables for the compiled loop; ``_replace(maxsize=…)`` for a warm-up."""

    maxsize: float  # the largest complexity
    maxdepth: float
    arity: np.ndarray  # (operators + 1,) int32, by code
    operators: np.ndarray  # (operators + 1,) float64, complexity by code; entry 0 is a constant's
    variables: np.ndarray  # (features,) float64, complexity of each
    operands: np.ndarray  # (operators + 1, arguments) float64, the largest complexity of each operand; inf: any
    counter: np.ndarray  # (operators + 1,) int32, which counter an operator steps when it is nested; -1: none
    nested: np.ndarray  # (operators + 1, counters) float64, the most that each counter may show below an operator


def limits(
    operators: Sequence[Operator],
    n_features: int,
    *,
    maxsize: float = 30,
    maxdepth: int | None = None,
    constraints: Mapping | None = None,
    nested_constraints: Mapping | None = None,
    complexity_of_operators: Mapping | None = None,
    complexity_of_constants: float = 1,
    complexity_of_variables: float | Sequence[float] = 1,
) -> Limits:
    """The tables of a search.

    Parameters
    ----------
    operators : sequence of Operator
        The operators that may stand in a formula.
    n_features : int
    maxsize : float
        The largest complexity, at least 3.
    maxdepth : int, optional
        The most levels of the tree; None is no limit.
    constraints : mapping, optional
        By operator: the largest complexity of its operand, or one for each of two; -1 is no limit.
    nested_constraints : mapping, optional
        By operator: a mapping from operators to how often they may stand below one another within it.
    complexity_of_operators : mapping, optional
        By operator; the others keep their own.
    complexity_of_constants : float
    complexity_of_variables : float or sequence of float
        One for all, or one for each column.

    Raises
    ------
    ValueError
        If an entry names no operator of the search, or has not the shape or range that it needs.
    """
    check_number("maxsize", maxsize, least=3)
    check_number("maxdepth", maxdepth, whole=True, least=2, optional=True)
    check_number("complexity_of_constants", complexity_of_constants, least=0)
    variables = complexities_of_variables(complexity_of_variables, n_features)
    own = {operator.code: operator for operator in (*builtin(), *operators)}  # a guess may hold any built-in one
    count, most = max(own) + 1, max(operator.arity for operator in own.values())
    arity, weights = np.zeros(count, dtype=np.int32), np.zeros(count)
    for code, operator in own.items():
        arity[code], weights[code] = operator.arity, operator.complexity
    weights[CONSTANT] = complexity_of_constants
    for operator, value in _entries("complexity_of_operators", complexity_of_operators, operators):
        check_number(f"complexity_of_operators[{operator.name!r}]", value, least=0)
        weights[operator.code] = value
    if not np.isfinite([*weights, *variables]).all():
        raise ValueError("a complexity is infinite: give finite numbers, and leave out what must not be used")

    operands = np.full((count, most), math.inf)
    smallest = min(weights[CONSTANT], variables.min(initial=math.inf))
    for operator, value in _entries("constraints", constraints, operators):
        operands[operator.code, : operator.arity] = _operands(operator, value, smallest)

    nests = []  # (outer code, inner code, how often)
    for outer, table in _entries("nested_constraints", nested_constraints, operators):
        argument = f"nested_constraints[{outer.name!r}]"
        for inner, value in _entries(argument, table, operators):
            check_number(f"{argument}[{inner.name!r}]", value, whole=True, least=0)
            nests.append((outer.code, inner.code, value))
    counted = sorted({inner for _, inner, _ in nests})
    counter, nested = np.full(count, -1, dtype=np.int32), np.full((count, len(counted)), math.inf)
    counter[counted] = np.arange(len(counted))
    for outer, inner, value in nests:
        nested[outer, counter[inner]] = value
    depth = math.inf if maxdepth is None else float(maxdepth)
    return Limits(float(maxsize), depth, arity, weights, variables, operands, counter, nested)


def _entries(argument: str, table, operators: Sequence[Operator]) -> list[tuple[Operator, object]]:
    """The entries of a user's dictionary, each with its operator; a ValueError for one that the search has not."""
    if table is None:
        return []
    if not isinstance(table, Mapping):
        raise ValueError(f"{argument} is {table!r}: give a dictionary by operator, such as {{'sin': …}}, or None")
    found: dict[int, tuple[Operator, object]] = {}
    for key, value in table.items():
        operator = _named(argument, key, operators)
        if operator.code in found:
            raise ValueError(f"{argument} has {operator.name!r} twice, once as {str(key)!r}: give it once")
        found[operator.code] = operator, value
    return list(found.values())


def _named(argument: str, key, operators: Sequence[Operator]) -> Operator:
    """The operator of the search that a user's key means: by itself, its name, symbol or alias."""
    known = {operator.name: operator for operator in operators}
    if isinstance(key, Operator) and key in operators:
        return key
    if isinstance(key, str):
        for name in (key, ALIASES.get(key), "neg" if key == "-" else None):
            if name in known:
                return known[name]
    hint = suggest(str(key), known) or f": they are {', '.join(known) or '(none)'}"
    raise ValueError(f"{argument} has the key {str(key)!r}, which is no operator of this search{hint}")


def complexities_of_variables(value, n_features: int) -> np.ndarray:
    """The complexity of each feature, shape (features,); a ValueError if a user's value is none."""
    one_for_all = isinstance(value, numbers.Real)
    if not one_for_all and (isinstance(value, (str, Mapping)) or not np.iterable(value)):
        raise ValueError(f"complexity_of_variables is {value!r}: give a number, or a list with one for each column")
    each = [value] * n_features if one_for_all else list(value)
    if len(each) != n_features:
        raise ValueError(f"complexity_of_variables has {len(each)} entries: give a number, or {n_features} of them")
    for place, one in enumerate(each):
        check_number("complexity_of_variables" + f"[{place}]" * (not one_for_all), one, least=0)
    return np.array(each, dtype=float)


def _operands(operator: Operator, value, smallest: float) -> list[float]:
    """The largest complexity of each operand, from what a user gives."""
    argument = f"constraints[{operator.name!r}] is {value!r}"
    several = np.iterable(value) and not isinstance(value, (str, Mapping))
    each = list(value) if several else [value]
    if len(each) != operator.arity or (operator.arity > 1 and not several):
        pattern = f"({', '.join(['-1'] * (operator.arity - 1) + ['5'])})" if operator.arity > 1 else "5"
        plural = "s" * (operator.arity > 1)
        raise ValueError(f"{argument}: {operator.name} takes {operator.arity} argument{plural}, write {pattern}")
    for one in each:
        number = isinstance(one, numbers.Real) and not isinstance(one, bool)
        if not number or not (one == -1 or one >= smallest):
            raise ValueError(
                f"{argument}: give the largest complexity of each operand, -1 for no limit, and at least {smallest:g}, "
                "which is that of the smallest operand"
            )
    return [math.inf if one == -1 else float(one) for one in each]


def workspace(limits: Limits, nodes: int) -> np.ndarray:
    """The stack of :func:`satisfies` for formulas of up to that many nodes; each thread needs its own."""
    return np.zeros((nodes, 2 + limits.nested.shape[1]))


@kernel
def complexity(codes, size, limits):
    """The sum of the complexities of the first ``size`` nodes."""
    total = 0.0
    for node in range(size):
        code = codes[node]
        total += limits.variables[-1 - code] if code < 0 else limits.operators[code]
    return total


@kernel
def satisfies(codes, size, limits, work):
    """Whether the formula of the first ``size`` nodes keeps to the limits.

    Each entry of the stack ``work`` describes one subtree: its complexity, its depth, and for each counter the most
    operators of that kind on a path from its root to a leaf.
    """
    counters = limits.nested.shape[1]
    top = 0
    for node in range(size):
        code = codes[node]
        if code <= 0:
            work[top, 0] = limits.operators[code] if code == CONSTANT else limits.variables[-1 - code]
            work[top, 1] = 1.0
            for counter in range(counters):
                work[top, 2 + counter] = 0.0
            top += 1
            continue
        count = limits.arity[code]
        top -= count
        for k in range(count):
            if work[top + k, 0] > limits.operands[code, k] + SLACK:
                return False
        for k in range(1, count):
            work[top, 0] += work[top + k, 0]
            for column in range(1, 2 + counters):
                work[top, column] = max(work[top, column], work[top + k, column])
        work[top, 0] += limits.operators[code]
        work[top, 1] += 1.0
        for counter in range(counters):
            if work[top, 2 + counter] > limits.nested[code, counter]:
                return False
        if limits.counter[code] >= 0:
            work[top, 2 + limits.counter[code]] += 1.0
        top += 1
    return work[0, 0] <= limits.maxsize + SLACK and work[0, 1] <= limits.maxdepth
