"""One island for a while: Algorithm 2 of the lecture (document 003), with what PySR's code adds to it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np

from ..kernels.fit import fit_address
from ..kernels.gate import caller, entrance, loader
from ..kernels.jit import allocating, kernel
from .constraints import complexity, satisfies
from .judge import (
    BIRTH,
    COMPLEXITY,
    LOSS,
    NAME,
    REJECTED,
    SEEN,
    SIZE,
    Bench,
    call_judge,
    enter_judge,
    example_court,
    members,
    offer,
    put,
    wanted,
)  # fmt: skip
from .leaner import call_leaner, enter_leaner
from .mutation import (
    append_node,
    crossover,
    delete_node,
    graft,
    insert_node,
    mutate_constant,
    mutate_feature,
    mutate_operator,
    prepend_node,
    randomize,
    rotate_tree,
    swap_operands,
)  # fmt: skip
from .selection import acceptable_loss, frecency, oldest, tournament
from .trees import Letters, empty, write

__all__ = [
    "COUNTS", "KINDS", "Rules", "Scene", "compile_evolve", "enter_mutate", "enter_settle", "evolve", "gates", "mutate",
    "next_generation",
]  # fmt: skip

# How a formula was made. The mutations come in the order of their weights in Rules.weights.
KINDS = (
    "mutate_constant", "mutate_operator", "mutate_feature", "append_node", "prepend_node", "insert_node", "delete_node",
    "rotate_tree", "swap_operands", "graft", "randomize", "simplify", "optimize", "do_nothing",
    "crossover", "random", "migration", "guess", "regression", "constant",
)  # fmt: skip
(
    MUTATE_CONSTANT, MUTATE_OPERATOR, MUTATE_FEATURE, APPEND, PREPEND, INSERT, DELETE, ROTATE, SWAP, GRAFT, RANDOMIZE,
    SIMPLIFY, OPTIMIZE, DO_NOTHING, CROSSOVER,
) = range(15)  # fmt: skip
TRIES = 10  # to make a child that keeps to the limits
# what an island counts: formulas evaluated, proposals, those seen before, those accepted, next name, births, members
COUNTS = EVALUATED, PROPOSED, DUPLICATES, ACCEPTED, NEXT_NAME, CLOCK, FILLED = range(7)


class Rules(NamedTuple):
    """How an island evolves; the letters of the lecture in the comments."""

    weights: np.ndarray  # (14,) of the mutations, added up
    p_cross: float
    n_s: int  # tournament size
    p: float  # probability that the fittest wins
    scaling: float  # of the frecency in the tournament
    use_frequency: bool  # in the acceptance
    annealing: bool
    alpha: float
    parsimony: float
    factor: float  # of mutated constants
    p_negate: float
    p_repeat: float  # that one more mutation follows
    steps: int  # of Levenberg-Marquardt on each child; 0: constants are left alone
    gain: float
    visits: int  # how often a formula with constants is fitted; 0: duplicates are not looked for
    crowding: bool  # a child replaces the worst of its complexity rather than the oldest of all
    quota: int  # with crowding, places for each complexity


class Scene(NamedTuple):
    """The trees that a step works with."""

    mother: object
    father: object
    child: object
    out: object
    spare: object


@kernel
def crowded(costs, filled, loss, weight, quota):
    """The place of a child among ``quota`` members of its complexity; -1 if it is no better than they, or a twin."""
    many, worst = 0, -1
    for i in range(filled):
        if costs[i, COMPLEXITY] == weight:
            many += 1
            if abs(costs[i, LOSS] - loss) <= 1e-9 * loss:
                return -1
            if worst < 0 or costs[i, LOSS] > costs[worst, LOSS]:
                worst = i
    if many < quota and filled < len(costs):
        return filled
    return worst if worst >= 0 and loss < costs[worst, LOSS] else -1


@kernel
def replaced(population, filled, loss, weight, rules):
    """Whose place a child takes: a free one, the oldest member's or, with crowding, the worst of its complexity's.

    -1 if it takes none.
    """
    if rules.crowding:
        return crowded(population.costs, filled, loss, weight, rules.quota)
    return filled if filled < len(population.costs) else oldest(population.info[:, BIRTH])


@kernel
def settle(child, out, population, hall, seen, counts, log, rules, steps, limit, kind, mother, father, bench):
    """Judge a child; if it is acceptable it goes into the hall of fame and takes a member's place."""
    loss = call_judge(bench.gates[1], (child, out, steps, rules.gain, rules.visits, seen, bench.court))
    if loss == SEEN:
        counts[DUPLICATES] += 1
        return loss
    counts[EVALUATED] += 1
    if loss == REJECTED:
        return loss
    weight = complexity(out.codes, out.size[0], bench.limits)
    name = counts[NEXT_NAME]
    counts[NEXT_NAME] += 1
    kept = offer(hall, out, loss, name, bench.limits)
    if loss <= limit:
        counts[CLOCK] += 1
        place = replaced(population, counts[FILLED], loss, weight, rules)
        if place >= 0:
            kept = True
            counts[ACCEPTED] += 1
            counts[FILLED] += place == counts[FILLED]
            put(population, place, out, loss, weight, name, counts[CLOCK], mother, father, kind)
    row = name - log.info[0, NAME]
    if kept and 0 < row < len(log.info):
        put(log, row, out, loss, weight, name, counts[CLOCK], mother, father, kind)
    if bench.linear and wanted(hall, loss, weight - 4.0):
        call_leaner(bench.gates[2], (child, out, loss, rules.steps, hall, name, bench.court))
    return loss


@kernel
def mutate(tree, spare, temperature, rules, letters, alphabet, rng):
    """One random mutation by its weight; returns its kind, or -1 if it found nothing to change."""
    dice, kind = rng.random() * rules.weights[-1], 0
    while kind < DO_NOTHING and rules.weights[kind] <= dice:
        kind += 1
    changed = True
    if kind == MUTATE_CONSTANT:
        changed = mutate_constant(tree, temperature, rules.factor, rules.p_negate, alphabet, rng)
    elif kind == MUTATE_OPERATOR:
        changed = mutate_operator(tree, letters, alphabet, rng)
    elif kind == MUTATE_FEATURE:
        changed = mutate_feature(tree, letters, alphabet, rng)
    elif kind == APPEND:
        changed = append_node(tree, letters, alphabet, rng)
    elif kind == PREPEND:
        changed = prepend_node(tree, letters, alphabet, rng)
    elif kind == INSERT:
        changed = insert_node(tree, letters, alphabet, rng)
    elif kind == DELETE:
        changed = delete_node(tree, alphabet, rng)
    elif kind == ROTATE:
        changed = rotate_tree(tree, alphabet, rng)
    elif kind == SWAP:
        changed = swap_operands(tree, alphabet, rng)
    elif kind == GRAFT:
        changed = graft(tree, spare, 2, letters, alphabet, rng)
    elif kind == RANDOMIZE:
        changed = randomize(tree, 7, letters, alphabet, rng)
    return kind if changed else -1


def _example_bench() -> Bench:
    """A bench of the right types, for which nothing has to be compiled."""
    court = example_court()
    return Bench(court.alphabet, court.limits, court.stack, court.gates, 0, True)


_rules = Rules(np.zeros(14), *[0.1, 1, 0.1, 0.1], *[True, True], *[0.1] * 5, 1, 0.1, 1, True, 1)
_letters = Letters(np.zeros(1, np.int32), np.zeros(1, np.int32), 1)
_tree, _members, _rules_type, _letters_type, _bench_type, _dice, _whole_array = map(
    numba.typeof,
    (empty(1), members(1, 1), _rules, _letters, _example_bench(), np.random.default_rng(0), np.zeros(1, np.int64)),
)
_whole, _number = numba.int64, numba.float64
SETTLE = numba.types.Tuple((
    _tree, _tree, _members, _members, _whole_array, _whole_array, _members, _rules_type, _whole, _number, _whole,
    _whole, _whole, _bench_type,
))  # fmt: skip
MUTATE = numba.types.Tuple((_tree, _tree, _number, _rules_type, _letters_type, _bench_type.types[0], _dice))
_load_settle, _load_mutate = loader(SETTLE), loader(MUTATE)
call_settle, call_mutate = caller(SETTLE, settle), caller(MUTATE, mutate)


def enter_settle(address):
    return settle(*_load_settle(address))


def enter_mutate(address):
    return float(mutate(*_load_mutate(address)))


@lru_cache(maxsize=1)
def gates() -> tuple[int, ...]:
    """Where kernels find fit_terms, judge, offer_leaner, settle and mutate (:mod:`srlib.kernels.gate`)."""
    return fit_address(), *map(entrance, (enter_judge, enter_leaner, enter_settle, enter_mutate))


@kernel
def evolve(population, hall, frequency, cycles, budget, seen, counts, log, rules, letters, bench, scene, stop, rng):
    """Evolve one population for ``cycles`` steps, offering each formula to the hall of fame.

    Ends early when ``budget`` formulas were evaluated, or somebody has written into ``stop``. Returns the number of
    steps done.
    """
    last = counts[EVALUATED] + budget
    for k in range(cycles):
        if stop[0] != 0 or counts[EVALUATED] >= last or counts[FILLED] == 0:
            return k
        temperature = 1.0 - k / cycles
        if rng.random() < rules.p_cross and counts[EVALUATED] + 2 <= last:  # it evaluates two
            cross_over(population, hall, frequency, seen, counts, log, rules, bench, scene, rng)
        else:
            next_generation(
                population, hall, frequency, temperature, seen, counts, log, rules, letters, bench, scene, rng
            )
    return cycles


def compile_evolve() -> None:
    """Compile :func:`evolve` for the arguments that islands call it with."""
    scene = numba.typeof(Scene(*[empty(1)] * len(Scene._fields)))
    shares = numba.typeof(np.zeros(1))
    evolve.compile(
        _members, _members, shares, _whole, _whole, _whole_array, _whole_array, _members, _rules_type, _letters_type,
        _bench_type, scene, _whole_array, _dice,
    )  # fmt: skip


@allocating
def choose(population, filled, frequency, rules, rng):
    """A parent, by tournament."""
    complexities = population.costs[:filled, COMPLEXITY]
    costs = population.costs[:filled, LOSS] + rules.parsimony * complexities
    return tournament(costs, complexities, frequency, rules.scaling, rules.n_s, rules.p, rng)


@kernel
def next_generation(population, hall, frequency, temperature, seen, counts, log, rules, letters, bench, scene, rng):
    """A tournament's winner is mutated; the child, if it is accepted, replaces a member."""
    parent = choose(population, counts[FILLED], frequency, rules, rng)
    size = population.info[parent, SIZE]
    counts[PROPOSED] += 1
    for _ in range(TRIES):
        write(scene.child, population.codes[parent], population.values[parent], size, bench.alphabet)
        change = (scene.child, scene.spare, temperature, rules, letters, bench.alphabet, rng)
        kind = int(call_mutate(bench.gates[4], change))
        if kind >= 0 and rng.random() < rules.p_repeat:
            call_mutate(bench.gates[4], change)
        if kind >= 0 and satisfies(scene.child.codes, scene.child.size[0], bench.limits, bench.stack):
            break
        kind = -1
    if kind < 0:
        return
    old, new = population.costs[parent, COMPLEXITY], complexity(scene.child.codes, scene.child.size[0], bench.limits)
    limit = np.inf
    if kind < SIMPLIFY and (rules.annealing or rules.use_frequency):
        ratio = 1.0
        if rules.use_frequency:
            ratio = max(frecency(old, frequency), 1e-6) / max(frecency(new, frequency), 1e-6)
        cost = population.costs[parent, LOSS] + rules.parsimony * old
        limit = acceptable_loss(cost, rules.parsimony, new, new, temperature, rules.alpha, rules.annealing, ratio, rng)
        if limit == -np.inf:
            return
    steps = rules.steps if kind != OPTIMIZE else max(rules.steps, 8)
    name = population.info[parent, NAME]
    child = (scene.child, scene.out, population, hall, seen, counts, log, rules, steps, limit, kind, name, name, bench)
    call_settle(bench.gates[3], child)


@kernel
def cross_over(population, hall, frequency, seen, counts, log, rules, bench, scene, rng):
    """Two tournaments' winners exchange subtrees; both children replace members."""
    counts[PROPOSED] += 1
    first = choose(population, counts[FILLED], frequency, rules, rng)
    second = choose(population, counts[FILLED], frequency, rules, rng)
    limits, stack = bench.limits, bench.stack
    for _ in range(TRIES):
        for tree, index in ((scene.mother, first), (scene.father, second)):
            write(tree, population.codes[index], population.values[index], population.info[index, SIZE], bench.alphabet)
        if crossover(scene.mother, scene.father, bench.alphabet, rng):
            good = satisfies(scene.mother.codes, scene.mother.size[0], limits, stack)
            if good and satisfies(scene.father.codes, scene.father.size[0], limits, stack):
                names = population.info[first, NAME], population.info[second, NAME]
                for tree in (scene.mother, scene.father):
                    child = (
                        tree, scene.out, population, hall, seen, counts, log, rules, rules.steps, np.inf, CROSSOVER,
                        names[0], names[1], bench,
                    )  # fmt: skip
                    call_settle(bench.gates[3], child)
                return
