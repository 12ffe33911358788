"""One search from the data to the front: the opening with its regression, then the islands, then the polish."""

from __future__ import annotations

import math
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import numpy as np

from ..constants import refit
from ..dimensions import unit_rules
from ..expression import Expression
from ..kernels.losses import SQUARED
from ..operators import CONSTANT, find
from ..parameters import words
from ..polish import polish
from ..run import Run, StopSearch
from . import constraints
from .archipelago import Archipelago, thread_pool
from .dimensions import dimension_violations
from .evolve import COUNTS
from .history import History
from .island import Table, Task, expression_of, forget_bench, new_island, populate
from .judge import LOSS, NAME
from .migration import take_better
from .objective import Objective, minimize_loss
from .opening import Opening
from .options import Options
from .prepare import batch_rows, denoised, numbers_for, select_columns
from .pure import in_pure_numbers
from .rescale import Scales, choose_scales, out_of_scales
from .state import restored, snapshot
from .trees import Letters

__all__ = ["EXACT", "STATE_VERSION", "Engine"]

EXACT = "exact"
STATE_VERSION = 1  # of the checkpoint's format
MANY_ROWS = 2000  # above, batching="auto" takes batches
PATIENCE = 5  # iterations without a better front after which an exact formula ends the search
NEARLY_EXACT = 1e-7  # of the target's variance: constants are worth fitting to the last digit
CRAMPED = 8  # a maxsize of which an offset and a factor take half
SPARE_NODES = 24  # nodes that a formula in the making may have beyond the largest one
FIRST_MEMBERS = 60
QUIETLY = 0.2  # seconds for the constants of what a stopped search has found last


class Engine:
    """A search on one table; see :class:`~srlib.EvolutionRegressor`."""

    def __init__(
        self, options: Options, X, y, sample_weight, names, seed: int, state: dict | None, look, history: History
    ):  # fmt: skip
        self.options, self.settings, self.names, self.seed = options, options.settings, names, seed
        self.chosen = np.arange(X.shape[1])
        if state is not None:
            self.chosen = np.array(state["chosen"])
        elif options.select_k_features is not None and options.select_k_features < X.shape[1]:
            self.chosen = select_columns(X, y, options.select_k_features, seed, look)
        self.y = denoised(X, y, seed, look) if options.denoise else y
        self.columns = np.ascontiguousarray(X.T)  # (all features, rows), the user's
        self.weight = sample_weight
        self.loss = Objective(self.columns, self.y, sample_weight, options.loss)
        mean = np.average(self.y, weights=sample_weight)
        self.variance = float(np.average((self.y - mean) ** 2, weights=sample_weight))
        X = X[:, self.chosen]
        linear = self.settings.linear_scaling
        scales = choose_scales(X, self.y) if self.settings.rescale else Scales(np.ones(X.shape[1]), 1.0)
        self.scales = Scales(scales.features, 1.0 if linear else scales.target)
        if state is not None:  # its formulas are over the columns as they were scaled then
            self.scales = Scales(state["scales"][:-1], state["scales"][-1])
        self.scaled = np.ascontiguousarray((X * self.scales.features).T)  # (chosen features, rows)
        self.target = self.y * self.scales.target
        self.numbers = numbers_for(self.scaled, self.target, sample_weight)
        self._inside_loss = Objective(self.scaled, self.target, sample_weight, options.loss)
        self.history = history
        self._token, self._world = uuid.uuid4().hex, None
        self.completed = 0 if state is None else int(state["iteration"])  # iterations
        self._offered: dict[bytes, float] = {}
        self._set_up_tables(X.shape[1])

    def _set_up_tables(self, n_features: int) -> None:
        options = self.options
        limits = dict(options.limits)
        weights = constraints.complexities_of_variables(limits["complexity_of_variables"], len(self.columns))
        limits["complexity_of_variables"] = weights[self.chosen]
        self.limits = constraints.limits(
            options.operators, n_features, maxsize=options.maxsize, maxdepth=options.maxdepth, **limits
        )
        self.units = self.front_units = None  # what the islands keep to, and what the front does
        if options.units is not None:
            X_units, y_units, pure = options.units
            own = [one for one in options.operators if one.definition]
            X_units = [X_units[j] for j in self.chosen]
            self.units, self.front_units = (unit_rules(X_units, y_units, own, strict) for strict in (False, pure))
        by_arity = [[one.code for one in options.operators if one.arity == arity] for arity in (1, 2)]
        self.letters = Letters(*(np.array(codes, np.int32) for codes in by_arity), n_features)
        of_guesses = {code for guess in options.guesses for code in guess.codes.tolist() if code > 0}
        known = range(len(self.limits.arity))  # a guess may hold any built-in operator
        self.alphabet = {one.code for one in options.operators} | of_guesses.intersection(known)
        light = min(1.0, *self.limits.variables, *self.limits.operators[[0, *(o.code for o in options.operators)]])
        self.room = int(min(options.maxsize / max(light, 0.25), 250)) + SPARE_NODES
        self.bins = int(math.floor(options.maxsize + 0.5)) + 1
        self._stack = constraints.workspace(self.limits, 4 * self.room)

    # ------------------------------------------------------------ the search

    def search(self, run: Run, state: dict | None, wanted: int) -> None:
        """Search for so many iterations. What was found until a stop is kept, and :attr:`completed` counts."""
        given = self.options.executor
        local = given is None or isinstance(given, ThreadPoolExecutor)
        pool = nullcontext(given) if given else thread_pool(self.options.n_jobs, self.settings.populations)
        try:
            with pool as executor:
                self._search(run, state, wanted, executor, local)
        except (StopSearch, KeyboardInterrupt):
            if self._world is not None:
                self._take_new(self._world, range(self.bins), run, quietly=True)
            raise
        finally:
            forget_bench()

    def _search(self, run: Run, state: dict | None, wanted: int, executor, local: bool) -> None:
        options, shares = self.options, (self.settings.fraction_replaced_hof, self.settings.fraction_replaced)

        def advance(world: Archipelago, task: Task) -> None:
            places = world.iterate(task, all_rows, executor, local, shares, run)
            for island in world.islands:
                self.history.record(island.log)
            self.history.forget(world.living)
            self._take_new(world, places, run)

        batching = options.batching if options.batching != "auto" else len(self.y) > MANY_ROWS
        all_rows = self._inside_loss if batching else None
        if state is None:
            rng, first = np.random.default_rng([self.seed, 1 << 32]), 0
            task = self._task(self._table(rng, batching, 0), batching)
            self._offer_constant(run)
            world = Opening(self, run, task, all_rows, rng, advance).play(wanted)
        else:
            world, first = restored(state, self.settings.population_size, self.room, self.bins), state["iteration"]
            self._world = world
            others = state["data"] != run.about["data"]
            self._judge_again(run)
            task = self._task(self._table(world.rng, batching, first), batching or others)
            if others:
                self._judge_world_again(world)
        run.remember(self._describe(world, first))
        idle = 0 if state is None else state["idle"]
        for iteration in range(first + 1, first + wanted + 1):
            began = time.perf_counter()
            run.check()
            if batching and iteration > first + 1:
                task = replace(task, table=self._table(world.rng, batching, iteration))
            before = run.front.copy()
            advance(world, replace(task, budget=self.budget(run)))
            self.completed = iteration
            task = replace(task, fresh=batching)
            self.history.front(run.elapsed, run.evaluations, run.front.copy())
            idle = 0 if run.front != before else idle + 1
            describe = self._describe(world, iteration, idle)
            alone = time.perf_counter() - began - world.seconds_of_work
            run.iteration(iteration, first + wanted, describe, {**self._details(world), "serial_seconds": alone})
            if self.until_exact(run) and idle >= PATIENCE:
                raise StopSearch("exact")

    def budget(self, run: Run) -> int:
        """How many formulas may still be evaluated."""
        left = run.evaluations_left
        return 1 << 40 if math.isinf(left) else int(left)

    def until_exact(self, run: Run) -> bool:
        """Whether an exact formula is to end the search, and the front has one."""
        if not self.options.until_exact or len(run.front) == 0:
            return False
        return run.front[-1].loss <= max(run.front.resolution, 1e-26 * self.variance)

    def _table(self, rng, batching: bool, iteration: int) -> Table:
        """The rows that the islands look at in this iteration."""
        key = (self._token, iteration if batching else 0)
        if not batching:
            return Table(self.scaled, self.target, self.weight, self.numbers, key)
        rows = batch_rows(len(self.y), self.options.batch_size, rng)
        weight = None if self.weight is None else self.weight[rows]
        columns, target = np.ascontiguousarray(self.scaled[:, rows]), self.target[rows]
        return Table(columns, target, weight, numbers_for(columns, target, weight), key)

    def _task(self, table: Table, fresh: bool) -> Task:
        settings = self.settings
        every_child = settings.optimize_probability >= 1.0
        names = {one.name for one in self.options.operators}
        return Task(
            table=table, letters=self.letters, limits=self._limits_of_islands(), units=self.units,
            rules=settings.rules(self.options.maxsize, self._baseline()), linear=settings.linear_scaling,
            may_subtract="sub" in names, may_multiply="mul" in names, room=self.room, loss=self.options.loss,
            cycles=settings.ncycles_per_iteration, budget=1 << 40,
            optimize=(0.0, 0) if every_child else (settings.optimize_probability, settings.optimizer_iterations),
            simplify=settings.should_simplify, fresh=fresh,
        )  # fmt: skip

    def _limits_of_islands(self) -> constraints.Limits:
        """The front's limits, with room for the offset and the factor of ``a + b*f`` where there would be none for f.

        Shorter forms of it, without one or both, may then be within the user's ``maxsize``; only they reach the front.
        """
        limits = self.limits
        if not self.settings.linear_scaling or limits.maxsize > CRAMPED:
            return limits
        numbers_and_operators = [CONSTANT, CONSTANT, find("add").code, find("mul").code]
        return limits._replace(maxsize=limits.maxsize + float(limits.operators[numbers_and_operators].sum()))

    def new_world(
        self, task: Task, all_rows: Objective | None, given, rng, run: Run, first: int = 0, many: int | None = None
    ) -> Archipelago:
        """Islands with the given formulas, each with how it was made, and random ones; so many, from a number on."""
        settings = self.settings
        size, numbers = settings.population_size, range(first, first + (many or settings.populations))
        islands = [new_island(number, self.seed, size, self.room, self.bins) for number in numbers]
        world = self._world = Archipelago(islands, self.bins, self.room, rng)

        def look(evaluated: int) -> None:
            run.count(evaluated)
            run.check()

        members = size if settings.replacement == "oldest" else min(size, FIRST_MEMBERS)
        for i, island in enumerate(islands):
            mine = [one for j, one in enumerate(given) if j < 12 or j % len(islands) == i]
            try:
                populate(island, task, members, settings.initial_operators, mine, look)
            finally:
                take_better(world.hall, island.hall)
                self.history.record(island.log)
        if all_rows is not None:
            world.judge_hall(all_rows)
        self._take_new(world, range(self.bins), run)
        return world

    # ------------------------------------------------------------ from the search's formulas to the user's

    def outside(self, expression: Expression) -> Expression | None:
        """A formula over the scaled columns, over the user's; None where a number would leave the range of floats."""
        try:
            expression = out_of_scales(expression.with_names(None), self.scales)
        except (OverflowError, ValueError, ZeroDivisionError):
            return None
        codes = expression.codes.copy()
        features = codes < 0
        codes[features] = -1 - self.chosen[-1 - codes[features]]
        return Expression(codes, expression.values, self.names)

    def complexity(self, expression: Expression) -> float:
        """The complexity by the user's weights."""
        codes = self._inside_codes(expression)
        return float(constraints.complexity(codes, len(codes), self.limits))

    def _inside_codes(self, expression: Expression) -> np.ndarray:
        back = np.zeros(len(self.columns), np.int32)
        back[self.chosen] = np.arange(len(self.chosen))
        codes = expression.codes.astype(np.int32)
        codes[codes < 0] = -1 - back[-1 - codes[codes < 0]]
        return codes

    def allowed(self, expression: Expression) -> bool:
        """Whether a formula over the user's columns keeps to the limits and the units."""
        if len(expression.constants) > self.numbers:
            return False
        if expression.size > 3 * self.room or not set(expression.features) <= set(self.chosen.tolist()):
            return False
        codes = self._inside_codes(expression)
        if not set(codes[codes > 0].tolist()) <= self.alphabet:
            return False
        if not constraints.satisfies(codes, len(codes), self.limits, self._stack):
            return False
        if self.front_units is None:
            return True
        from ..dimensions import unit_workspace

        work = unit_workspace(len(codes))
        return dimension_violations(codes, expression.values.copy(), len(codes), self.front_units, work) == 0

    def offer(self, expression: Expression | None, run: Run, name: int | None = None, until=math.inf) -> float:
        """Judge a formula on all rows and offer it to the front; returns its loss, infinite if it is not allowed."""
        if expression is not None and not self.allowed(expression):
            expression = in_pure_numbers(self, expression, run, until)
        if expression is None:
            return np.inf
        loss = self.loss(expression)
        weight = self.complexity(expression)
        if not run.front.wants(loss, weight):
            return loss
        near = loss < NEARLY_EXACT * self.variance and self.options.loss[0] == SQUARED
        if near and len(expression.constants):
            fitted = refit(expression, self.columns, self.y, self.weight, until=until)
            better = self.loss(fitted)
            if better < loss:
                expression, loss = fitted, better
        if name is not None:
            self.history.name(expression, name)
        run.offer(expression, loss, weight)
        return loss

    def _middle(self, y) -> float:
        """A number in the middle of a target."""
        return float(np.average(y, weights=self.weight) if self.options.loss[0] == SQUARED else np.median(y))

    def _baseline(self) -> float:
        """The loss of a constant on the scaled target; 1 where that is 0."""
        loss = self._inside_loss(Expression.constant(self._middle(self.target)))
        return loss if 0 < loss < np.inf else 1.0

    def _offer_constant(self, run: Run) -> None:
        constant = Expression([CONSTANT], [self._middle(self.y)], self.names)
        if self.allowed(constant):
            run.count()
            run.front.add(constant, self.loss(constant), self.complexity(constant))

    def _take_new(self, world: Archipelago, places, run: Run, quietly: bool = False) -> None:
        """Offer places of the hall of fame to the front; ``quietly`` without ending the search, and at once."""
        until = time.monotonic() + QUIETLY if quietly else math.inf
        for place in places:
            if not np.isfinite(world.hall.costs[place, LOSS]):
                continue
            inside = expression_of(world.hall, place)
            try:
                self.offer(self.outside(inside), run, int(world.hall.info[place, NAME]), until)
            except StopSearch:
                if not quietly:
                    raise

    def _judge_again(self, run: Run) -> None:
        """An earlier fit's front with its losses now: the data may be others."""
        front = run.front
        run.front = type(front)(front.resolution)
        for entry in front:
            run.front.add(entry.expression, self.loss(entry.expression), self.complexity(entry.expression))

    def _judge_world_again(self, world: Archipelago) -> None:
        """What the islands share, on other rows than those of the earlier fit; nothing counts as tried before."""
        world.judge_hall(self._inside_loss)
        for island in world.islands:
            island.seen[:] = 0

    def polish(self, run: Run) -> None:
        """The end: constants to the last digit, no formula twice; for the squared loss readable numbers and errors."""
        if len(run.front) == 0:
            return
        squared, until = self.options.loss[0] == SQUARED, run.polish_until
        polish(
            run.front, self.columns, self.y, self.weight, until=until, loss=self.loss,
            complexity=lambda one: self.complexity(one) if self.allowed(one) else math.inf,
            fit=None if squared else lambda one: minimize_loss(one, self.loss, until),
            errors=squared, rounding=squared and self.options.readable,
        )  # fmt: skip
        run.front.attach(self.columns.T, self.y, self.weight, self.loss)
        run.front = run.front.without_duplicates(seconds=max(0.0, min(1.0, run.polish_until - time.monotonic())))

    # ------------------------------------------------------------ state

    def _details(self, world: Archipelago) -> dict:
        islands = world.islands
        sizes = [island.population.costs[: int(island.counts[COUNTS[6]]), 1] for island in islands]
        return {
            "complexities": np.concatenate(sizes), "frequencies": world.counts / world.counts.sum(),
            "islands": len(islands), "proposed": int(sum(island.counts[COUNTS[1]] for island in islands)),
            "duplicates": int(sum(island.counts[COUNTS[2]] for island in islands)),
        }  # fmt: skip

    def _describe(self, world: Archipelago, iteration: int, idle: int = 0):
        """The state at this moment, as plain data when somebody asks for it."""
        now = snapshot(world, self.bins)
        about = {
            "version": STATE_VERSION, "iteration": iteration, "operators": list(map(words, self.options.operators)),
            "seed": self.seed, "idle": idle, "chosen": self.chosen.tolist(),
            "scales": [*self.scales.features.tolist(), self.scales.target],
        }  # fmt: skip
        return lambda: {**about, **now()}
