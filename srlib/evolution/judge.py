"""A new formula before the judge: simplified, recognised or fitted, written anew with its numbers, and offered to the
hall of fame."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from ..dimensions import UnitRules, UnitWorkspace, unit_rules, unit_workspace
from ..kernels.fit import (
    COEFFICIENTS,
    COLUMNS,
    CONSTANTS,
    GRAM,
    LEAF,
    TERM,
    Data,
    Fit,
    call_fit,
    data,
    loss_of_terms,
    scratch,
)  # fmt: skip
from ..kernels.gate import Kept, caller, loader, storage
from ..kernels.jit import address_of, allocating, kernel
from ..kernels.program import Alphabet, Workspace, alphabet, assemble, workspace
from ..kernels.terms import prepare, rebuild, split
from .constraints import Limits, complexity, limits, satisfies
from .constraints import workspace as stack_for
from .dimensions import dimension_violations
from .duplicates import formula_key, visit
from .simplify import simplify
from .trees import empty, room, write

__all__ = [
    "REJECTED", "SEEN", "Bench", "Court", "Members", "bench", "call_judge", "enter_judge", "example_court", "judge",
    "members", "offer", "put", "rejudge", "restore_court", "wanted", "write_out",
]  # fmt: skip

REJECTED, SEEN = np.inf, -1.0  # what judge() says instead of a loss
SAME = 1e-10  # a number that is this near to 0 or 1, as a share of what matters, is written as 0 or 1
# columns of Members.info and Members.costs
SIZE, BIRTH, NAME, PARENT, OTHER, KIND = range(6)
LOSS, COMPLEXITY = range(2)


class Members(NamedTuple):
    """Formulas that live together: a population, or the best of each complexity."""

    codes: np.ndarray  # (members, room) int32
    values: np.ndarray  # (members, room)
    info: np.ndarray  # (members, 6) int64: size, birth, name, parent, other parent, how it was made
    costs: np.ndarray  # (members, 2): loss, complexity


class Bench(NamedTuple):
    """What the making of formulas needs to know, and where the court is found."""

    alphabet: Alphabet
    limits: Limits
    stack: np.ndarray  # (nodes, …) of srlib.evolution.constraints.satisfies
    gates: np.ndarray  # (5,) int64, where the large functions are found (srlib.evolution.evolve.gates)
    court: int  # the address of the court
    linear: bool


class Court(NamedTuple):
    """All that is needed to judge a formula."""

    data: Data
    alphabet: Alphabet
    work: Workspace
    fit: Fit
    limits: Limits
    stack: np.ndarray  # (nodes, …) of srlib.evolution.constraints.satisfies
    units: UnitRules
    unit_stack: UnitWorkspace
    terms: np.ndarray  # (COLUMNS,) int64
    places: np.ndarray  # (nodes,) int64
    gates: np.ndarray  # (5,) int64
    linear: bool
    may_subtract: bool
    may_multiply: bool
    has_units: bool


def members(count: int, room: int) -> Members:
    """Places for so many formulas; a place that is empty has infinite loss."""
    costs = np.full((count, 2), np.inf)
    return Members(np.zeros((count, room), np.int32), np.zeros((count, room)), np.zeros((count, 6), np.int64), costs)


def example_court() -> Court:
    """A court of the right types, for which nothing has to be compiled."""
    letters = Alphabet(np.zeros((5, 1), np.int64), np.zeros(1, np.int32), np.zeros(1), np.zeros(4, np.int64))
    work, nothing = workspace(np.zeros((1, 1)), 1), data(np.zeros(1))
    return _court(nothing, letters, work, limits((), 1), None, 1, (0,) * 5, True, True, True)


def _court(data, letters, work, limits, units, room, addresses, linear, may_subtract, may_multiply) -> Court:
    rules = unit_rules([""] * len(limits.variables)) if units is None else units
    return Court(
        data, letters, work, scratch(), limits, stack_for(limits, room), rules, unit_workspace(room),
        np.zeros(COLUMNS, np.int64), np.zeros(2 * room, np.int64), np.array(addresses, np.int64), linear, may_subtract,
        may_multiply, units is not None,
    )  # fmt: skip


_types = [numba.typeof(one) for one in (empty(1), members(1, 1), np.zeros(2, np.int64), example_court())]
store_court, drop_court, restore_court = storage(_types[3])


@allocating
def _put_court(court, memory):
    store_court(court, address_of(memory))


@allocating
def _release_court(memory):
    drop_court(address_of(memory))


@kernel
def judge(tree, out, steps, gain, visits, seen, address):
    """Fit a formula, write what came of it into ``out``, and return its loss.

    ``steps`` of Levenberg-Marquardt at most. REJECTED if it breaks a limit or has no finite value somewhere, SEEN if it
    came before (``visits`` times, where it has constants that may end in another minimum; 0: do not ask). The court is
    found at ``address``.
    """
    court = restore_court(address)
    alphabet, work, fit = court.alphabet, court.work, court.fit
    if not satisfies(tree.codes, tree.size[0], court.limits, court.stack):
        return REJECTED
    if not simplify(tree, alphabet, work, court.may_multiply):
        return REJECTED
    size = tree.size[0]
    k_terms = 1
    if court.linear:
        k_terms = split(tree.codes, size, tree.starts, court.places, court.terms)
        if k_terms == 0:
            return REJECTED
    else:
        court.terms[0] = size - 1
    length = assemble(tree.codes, tree.values, size, alphabet, work)
    if length == 0:
        return REJECTED
    constants = prepare(tree.codes, tree.values, size, tree.starts, k_terms, court.terms, work, fit)
    if constants < 0 or constants + k_terms > court.data.numbers:
        return REJECTED
    if visits > 0:
        key = formula_key(tree, length, k_terms, court.terms, court.linear, alphabet, work)
        if visit(key, seen) >= (visits if constants > 0 else 1):
            return SEEN
    if not court.linear:
        fit.vector[COEFFICIENTS, 0], fit.vector[COEFFICIENTS, 1] = 0.0, 1.0
    arguments = (length, k_terms, constants, court.linear, steps, gain, court.data, alphabet, work, fit)
    loss = call_fit(court.gates[0], arguments)
    if not loss < np.inf:
        return REJECTED
    for c in range(constants):
        tree.values[fit.index[LEAF, c]] = fit.vector[CONSTANTS, c]
    if not court.linear:
        write(out, tree.codes, tree.values, size, alphabet)
        return loss if _balanced(out, court) else REJECTED
    _round_off(k_terms, court)
    if not write_out(tree, k_terms, out, court):
        return REJECTED
    return loss


@kernel
def _round_off(k_terms, court):
    """Coefficients that are 0 or 1 up to rounding become 0 or 1."""
    coefficients, gram = court.fit.vector[COEFFICIENTS], court.fit.matrix[GRAM]
    spread = np.sqrt(court.data.variance)
    # other losses than the squared weigh the rows anew, and all of them lightly where they fit
    weighed = SAME * spread * np.sqrt(gram[0, 0])
    for t in range(k_terms):
        if abs(coefficients[1 + t]) * np.sqrt(gram[1 + t, 1 + t]) < weighed:
            coefficients[1 + t] = 0.0
        elif abs(abs(coefficients[1 + t]) - 1.0) <= SAME:
            coefficients[1 + t] = 1.0 if coefficients[1 + t] > 0.0 else -1.0
    if abs(coefficients[0]) < SAME * spread:
        coefficients[0] = 0.0


@kernel
def write_out(tree, k_terms, out, court):
    """The formula with its present coefficients; False if it breaks a limit."""
    size = rebuild(
        tree.codes, tree.values, tree.starts, k_terms, court.terms, court.fit.vector[COEFFICIENTS], court.may_subtract,
        out.codes[: room(out)], out.values[: room(out)],
    )  # fmt: skip
    if size == 0:
        return False
    write(out, out.codes, out.values, size, court.alphabet)
    return satisfies(out.codes, size, court.limits, court.stack) and _balanced(out, court)


@kernel
def _balanced(tree, court):
    """Whether the units fit, if there are any."""
    if not court.has_units:
        return True
    return dimension_violations(tree.codes, tree.values, tree.size[0], court.units, court.unit_stack) == 0


@kernel
def rejudge(members, filled, address, stop):
    """The members' losses on the court's rows, with the constants that they have; an empty place stays empty."""
    court = restore_court(address)
    fit = court.fit
    for i in range(filled):
        if stop[0] != 0:
            return
        if members.info[i, SIZE] == 0:
            continue
        size = members.info[i, SIZE]
        length = assemble(members.codes[i], members.values[i], size, court.alphabet, court.work)
        fit.index[TERM, 0], fit.vector[COEFFICIENTS, 0], fit.vector[COEFFICIENTS, 1] = length - 1, 0.0, 1.0
        members.costs[i, LOSS] = loss_of_terms(length, 1, np.inf, court.data, court.alphabet, court.work, fit)


@kernel
def offer(hall, tree, loss, name, limits):
    """Take a formula into the hall of fame if it is the best of its complexity and better than all shorter ones."""
    weight = complexity(tree.codes, tree.size[0], limits)
    if not wanted(hall, loss, weight):
        return False
    place = int(weight + 0.5)
    put(hall, place, tree, loss, weight, name, name, -1, -1, 0)
    return True


@kernel
def wanted(hall, loss, weight):
    """Whether a loss would be the best so far up to that complexity."""
    place = int(weight + 0.5)
    if place >= len(hall.costs):
        return False
    for i in range(place + 1):
        if hall.costs[i, LOSS] <= loss:
            return False
    return True


@kernel
def put(members, place, tree, loss, weight, name, birth, parent, other, kind):
    """Write a formula into a place."""
    size = tree.size[0]
    for i in range(size):
        members.codes[place, i], members.values[place, i] = tree.codes[i], tree.values[i]
    members.info[place, SIZE], members.info[place, BIRTH], members.info[place, NAME] = size, birth, name
    members.info[place, PARENT], members.info[place, OTHER], members.info[place, KIND] = parent, other, kind
    members.costs[place, LOSS], members.costs[place, COMPLEXITY] = loss, weight


def bench(
    data: Data,
    work: Workspace,
    limits: Limits,
    units: UnitRules | None,
    room: int,
    linear: bool,
    may_subtract: bool,
    may_multiply: bool,
    gates: tuple[int, ...],
) -> tuple[Bench, Kept]:
    """A bench for one thread, for formulas of up to ``room`` nodes; and what must live as long as the bench."""
    court = _court(data, alphabet(), work, limits, units, room, gates, linear, may_subtract, may_multiply)
    kept = Kept(court, _put_court, _release_court)
    return Bench(court.alphabet, limits, stack_for(limits, room), court.gates, kept.address, linear), kept


_whole, _number, _tree = numba.int64, numba.float64, _types[0]
JUDGE = numba.types.Tuple((_tree, _tree, _whole, _number, _whole, _types[2], _whole))
_load_judge, call_judge = loader(JUDGE), caller(JUDGE, judge)


def enter_judge(address):
    return judge(*_load_judge(address))
