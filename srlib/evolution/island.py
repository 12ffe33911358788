"""Islands: a population each, with its own dice, so that it does not matter who works on it, where, and when."""

from __future__ import annotations

import base64
import io
import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..dimensions import UnitRules
from ..expression import Expression
from ..kernels import fit as kernel_fit
from ..kernels.jit import kernel
from ..kernels.program import BODY_SIZE, alphabet, workspace
from ..operators import CONSTANT, by_code, find
from . import judge as court_of
from .constraints import Limits, complexity, satisfies
from .duplicates import new_table
from .evolve import COUNTS, KINDS, Rules, Scene, evolve, gates, settle
from .history import STRIDE
from .judge import LOSS, NAME, SIZE, Members, members
from .travel import Luggage, unpack
from .trees import Letters, empty, random_tree, write

__all__ = [
    "Island", "Table", "Task", "advance", "advance_abroad", "expression_of", "forget_bench", "from_dict", "new_island",
    "populate", "rejudge_hall", "to_dict",
]  # fmt: skip

NO_NAME = -1
KEPT_TABLES = 2  # of different searches on the same workers
EVALUATED = COUNTS[0]


@dataclass(frozen=True)
class Table:
    """The rows that islands are judged on: all, or a batch."""

    columns: np.ndarray  # (features, rows)
    y: np.ndarray  # (rows,)
    weight: np.ndarray | None  # (rows,)
    numbers: int  # how many may be fitted (srlib.evolution.prepare.numbers_for)
    key: tuple  # of one table of one search, in any process

    def bare(self) -> Table:
        """The key alone, for a worker that may have the rows already."""
        return replace(self, columns=None, y=None, weight=None)


@dataclass(frozen=True)
class Task:
    """What an island needs to know of the search, besides its own state."""

    table: Table
    letters: Letters
    limits: Limits
    units: UnitRules | None
    rules: Rules
    linear: bool
    may_subtract: bool
    may_multiply: bool
    room: int  # nodes that a formula may have
    loss: tuple[int, float, int]  # kind, parameter, address
    cycles: int
    budget: int  # formulas that may be evaluated, by one island, or by all of them
    optimize: tuple[float, int]  # the share of members whose constants are fitted at the end, and the steps
    simplify: bool
    fresh: bool  # whether the members' losses are of other rows


@dataclass
class Island:
    """The state of one island."""

    population: Members
    hall: Members  # by complexity, the best it has seen since the last look
    seen: np.ndarray
    counts: np.ndarray
    log: Members  # what was made since the last look, in the order of the names
    rng: np.random.Generator
    frequency: np.ndarray = field(default_factory=lambda: np.zeros(0))  # the complexities' shares, as of the last look


def new_island(number: int, seed: int, size: int, room: int, bins: int) -> Island:
    """An island without members."""
    counts = np.zeros(len(COUNTS), np.int64)
    counts[COUNTS[4]] = number * STRIDE + 1
    return Island(
        members(size, room), members(bins, room), new_table(), counts, members(1, room),
        np.random.default_rng([seed, number]), np.full(bins, 1.0 / bins),
    )  # fmt: skip


_local = threading.local()


def _bench(task: Task):
    """This thread's bench and trees for the task's table; kept while the table stays the same."""
    key = (task.table.key, task.room, task.linear)
    if getattr(_local, "key", None) != key:
        letters = alphabet()
        room = task.room + int(letters.table[BODY_SIZE].max()) * task.room // 2 + 2
        work = workspace(np.ascontiguousarray(task.table.columns), room)
        data = kernel_fit.data(task.table.y, task.table.weight, *task.loss, task.table.numbers)
        made, _local.alive = court_of.bench(
            data, work, task.limits, task.units, room, task.linear, task.may_subtract, task.may_multiply, gates()
        )
        _local.key, _local.bench = key, (made, Scene(*(empty(task.room) for _ in range(5))))
    return _local.bench


def forget_bench() -> None:
    """Let go of the table that this thread has worked on last."""
    _local.__dict__.clear()


def advance_abroad(island: Island, task: Task, luggage: Luggage) -> Island | None:
    """:func:`advance` in a process that may not know the user's operators; None where it does not know the table."""
    table = _known(task.table)
    if table is None:
        return None
    return advance(island, replace(task, table=table, loss=unpack(luggage, task.loss)))


_tables: dict[tuple, Table] = {}  # those that this process was sent last
_lock = threading.Lock()


def _known(table: Table) -> Table | None:
    """The table, or the one of its key that came before; the latest ones are kept."""
    with _lock:
        known = _tables.pop(table.key, None) if table.columns is None else table
        if known is not None:
            _tables[table.key] = known
        while len(_tables) > KEPT_TABLES:
            del _tables[next(iter(_tables))]
        return known


def advance(island: Island, task: Task, stop: np.ndarray | None = None) -> Island:
    """One iteration of one island: members judged anew if the rows are others, evolution, constants, simplification.

    Runs in any thread or process; the island is changed in place and returned.
    """
    stop = np.zeros(1, np.int64) if stop is None else stop
    bench, scene = _bench(task)
    filled = int(island.counts[COUNTS[6]])
    if task.fresh:
        court_of.rejudge(island.population, filled, bench.court, stop)
    island.hall.costs[:] = np.inf
    first, last = int(island.counts[COUNTS[4]]), int(island.counts[EVALUATED]) + task.budget
    island.log = members(min(task.cycles * 2 + 64, task.budget) + 1 + filled, task.room)
    island.log.info[0, NAME] = first - 1
    arguments = (island.seen, island.counts, island.log, task.rules)
    evolve(
        island.population, island.hall, island.frequency, task.cycles, task.budget, *arguments, task.letters, bench,
        scene, stop, island.rng,
    )  # fmt: skip
    share, steps = task.optimize
    if share > 0 and stop[0] == 0:
        optimize_members(
            island.population, int(island.counts[COUNTS[6]]), island.hall, share, steps, last, island.seen,
            island.counts, bench, scene, stop, island.rng,
        )  # fmt: skip
    made = int(island.counts[COUNTS[4]]) - first
    island.log = Members(*(part[1 : made + 1].copy() for part in island.log))
    return island


def rejudge_hall(hall: Members, task: Task) -> None:
    """The losses of the formulas of a hall of fame on the task's table."""
    court_of.rejudge(hall, len(hall.costs), _bench(task)[0].court, np.zeros(1, np.int64))


@kernel
def optimize_members(population, filled, hall, share, steps, last, seen, counts, bench, scene, stop, rng):
    """The end of an iteration (Algorithm 1, lines 13 to 17): members are simplified, and their constants fitted."""
    for i in range(filled):
        if stop[0] != 0 or counts[EVALUATED] >= last:
            return 0
        if rng.random() < share:
            counts[EVALUATED] += 1
            write(scene.child, population.codes[i], population.values[i], population.info[i, SIZE], bench.alphabet)
            loss = court_of.call_judge(bench.gates[1], (scene.child, scene.out, steps, 1e-6, 0, seen, bench.court))
            if loss <= population.costs[i, LOSS]:
                weight = complexity(scene.out.codes, scene.out.size[0], bench.limits)
                info = population.info[i]
                court_of.put(population, i, scene.out, loss, weight, info[2], info[1], info[3], info[4], info[5])
                court_of.offer(hall, scene.out, loss, info[2], bench.limits)
    return 0


def populate(
    island: Island, task: Task, size: int, operators: int, given: Sequence[tuple[Expression, int]],
    look: Callable[[int], None],
) -> None:
    """Fill an island: first the given formulas, each with how it was made, then random ones of so many operators.

    ``look`` is told before each formula how many were evaluated since the last look; it may end the search.
    """  # fmt: skip
    bench, scene = _bench(task)
    island.hall.costs[:] = np.inf
    rules = task.rules._replace(crowding=True, quota=len(island.population.costs), visits=0)
    log = members(2 * size + len(given) + 64, task.room)
    log.info[0, NAME] = island.counts[COUNTS[4]] - 1
    first, looked = int(island.counts[COUNTS[4]]), int(island.counts[EVALUATED])
    arguments = (island.population, island.hall, island.seen, island.counts, log, rules)

    def place(kind: int) -> None:
        nonlocal looked
        evaluated, looked = int(island.counts[EVALUATED]) - looked, int(island.counts[EVALUATED])
        look(evaluated)
        settle(scene.child, scene.out, *arguments, rules.steps, np.inf, kind, NO_NAME, NO_NAME, bench)

    try:
        for formula, kind in given:
            if formula.size <= task.room:
                write(scene.child, formula.codes, formula.values, formula.size, bench.alphabet)
                place(kind)
        many = operators
        for _ in range(20 * size):
            if island.counts[COUNTS[6]] >= min(size, len(island.population.costs)):
                break
            random_tree(scene.child, many, task.letters, bench.alphabet, island.rng)
            if satisfies(scene.child.codes, scene.child.size[0], bench.limits, bench.stack):
                place(KINDS.index("random"))
                many = operators
            else:  # too large, or not allowed: smaller ones may fit
                many = max(0, many - 1)
        look(int(island.counts[EVALUATED]) - looked)
    finally:
        made = int(island.counts[COUNTS[4]]) - first
        island.log = Members(*(part[1 : made + 1].copy() for part in log))


def expression_of(group: Members, place: int, names=None) -> Expression:
    """One of the members as an Expression."""
    size = int(group.info[place, SIZE])
    codes, values = group.codes[place, :size].copy(), group.values[place, :size].copy()
    values[codes != CONSTANT] = 0.0
    return Expression._trusted(codes, values, names)


# ---------------------------------------------------------------- as plain data


def to_dict(island: Island) -> dict:
    """The island as plain data for JSON; exact."""
    filled = int(island.counts[COUNTS[6]])
    arrays = {
        "codes": island.population.codes[:filled], "values": island.population.values[:filled],
        "info": island.population.info[:filled], "costs": island.population.costs[:filled], "seen": island.seen,
        "counts": island.counts, "frequency": island.frequency,
    }  # fmt: skip
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    used = np.unique(island.population.codes[:filled])
    words = {int(code): by_code(int(code)).definition or by_code(int(code)).name for code in used if code > 0}
    return {
        "arrays": base64.b64encode(file.getvalue()).decode(), "operators": words,
        "rng": island.rng.bit_generator.state,
    }  # fmt: skip


def from_dict(data: dict, size: int, room: int, bins: int) -> Island:
    """The island that :func:`to_dict` wrote; its operators may have other codes in this process."""
    try:
        arrays = np.load(io.BytesIO(base64.b64decode(data["arrays"])), allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"the checkpoint is damaged: an island cannot be read ({error})") from None
    codes = arrays["codes"]
    own = codes.copy()
    for code, words in data["operators"].items():
        operator = Expression.operator(words) if "=" in words else find(words)
        own[codes == int(code)] = operator.code
    filled, width = own.shape
    if filled > size or width > room:
        raise ValueError(
            f"population_size is {size}, and formulas may have {room} nodes, but the earlier fit had {filled} members "
            f"of {width} nodes: give a larger population_size or maxsize, or fit with warm_start=False"
        )
    island = new_island(0, 0, size, room, bins)
    population = island.population
    population.codes[:filled, :width], population.values[:filled, :width] = own, arrays["values"]
    population.info[:filled], population.costs[:filled] = arrays["info"], arrays["costs"]
    island.seen[:], island.counts[:] = arrays["seen"], arrays["counts"]
    island.frequency[:] = arrays["frequency"][:bins]
    island.rng.bit_generator.state = data["rng"]
    return island
