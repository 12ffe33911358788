"""The opening of a search: the regression phase and a few scouting islands take turns; then the islands are settled.

Some laws are found by the regression at once and by evolution late or never, others the other way round, and nobody
knows beforehand which. So neither waits for the other. The clock of the turns counts the regression's looks at whether
to stop, not seconds: the result is the same on every machine, and for any number of threads.

The scouts only look for laws that are found soon. The islands of the search itself begin afresh, with what the
regression has found: evolved members would leave it no room.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..expression import Expression
from ..run import Run
from .evolve import KINDS
from .history import STRIDE
from .objective import Objective
from .refusals import refusal
from .regression import regression_phase
from .rescale import into_scales

if TYPE_CHECKING:
    from .archipelago import Archipelago
    from .engine import Engine
    from .island import Task

__all__ = ["Opening"]

REGRESSION_SHARE = 0.8  # of a time limit
# The regression asks whether to stop about every 1 to 2 ms, in which islands evaluate 8 to 16 formulas: it may take up
# to half of the islands' time, but a few seconds in any case.
EVALUATIONS_A_LOOK, LEAST_LOOKS = 32, 4000
FIRST_TURN = 90  # looks: straight lines, power laws and polynomials are behind then, mostly
SCOUTS, TURN = 4, 100  # scouting islands, and what each of them has in a turn: cycles
OFTEN, SELDOM, MANY = 60, 400, 6  # looks between turns: at first, and after so many of them
SIZES = 12  # of so many sizes, the best formula that the regression has found is given to the islands

Given = list[tuple[Expression, int]]  # formulas over the scaled columns, and how each was made


class Opening:
    """How a search begins; see the module.

    Parameters
    ----------
    engine : Engine
    run : Run
    task : Task
        Of the first iteration.
    all_rows : Objective, optional
        What judges the hall of fame, if the islands see batches of the rows.
    rng : numpy.random.Generator
        The dice of migration.
    advance : callable
        ``advance(world, task)`` lets all islands evolve and takes over what they find.
    """

    def __init__(
        self, engine: Engine, run: Run, task: Task, all_rows: Objective | None, rng: np.random.Generator,
        advance: Callable[[Archipelago, Task], None],
    ):  # fmt: skip
        self.engine, self.run, self.task, self.all_rows, self.rng = engine, run, task, all_rows, rng
        self.advance = advance
        self._scouts: Archipelago | None = None
        self._guesses: Given = []
        self._found: list[tuple[float, Expression]] = []  # by the regression, with their losses
        self._looks = self._turns = 0
        self._next = FIRST_TURN
        self._name = (engine.settings.populations + SCOUTS) * STRIDE  # beyond those of all islands

    def play(self, wanted: int) -> Archipelago:
        """The islands with their members, when all is tried; ``wanted`` iterations are to follow."""
        self._take_guesses()
        terms: list[Expression] = []
        if self.engine.settings.regression and len(self.engine.y) > 3:
            terms = self._regress(wanted)
        found = [(e, KINDS.index("regression")) for e in (*self._best_of_each_size(), *terms)]
        return self.engine.new_world(self.task, self.all_rows, [*self._guesses, *found], self.rng, self.run)

    def _take_guesses(self) -> None:
        """The user's guesses, on the front and for the islands."""
        engine, run = self.engine, self.run
        back = {int(j): place for place, j in enumerate(engine.chosen)}
        for guess in engine.options.guesses:
            run.check()
            if reason := refusal(engine, guess):
                raise ValueError(f"guesses holds {guess.format(6)!r}: {reason}")
            run.count()
            name = self._new_name()
            engine.history.found(name, "guess", guess, engine.offer(guess, run, name))
            if all(j in back for j in guess.features):
                codes = [-1 - back[-1 - code] if code < 0 else code for code in guess.codes.tolist()]
                inside = into_scales(Expression(codes, guess.values), engine.scales)
                self._guesses.append((inside, KINDS.index("guess")))

    def _new_name(self) -> int:
        self._name += 1
        return self._name

    def _regress(self, wanted: int) -> list[Expression]:
        """The regression phase; returns the terms of its best models."""
        engine, run = self.engine, self.run
        settings, options = engine.settings, engine.options
        allowed = wanted * settings.populations * settings.ncycles_per_iteration
        most = max(LEAST_LOOKS, int(min(allowed, run.evaluations_left) / EVALUATIONS_A_LOOK))

        def report(expression: Expression) -> None:
            run.check()
            run.count()
            name = self._new_name()
            loss = engine.offer(engine.outside(expression), run, name)
            if loss < np.inf:
                engine.history.found(name, "regression", expression, loss)
                self._found.append((loss, expression))

        def should_stop() -> bool:
            run.check()
            self._looks += 1
            limit = options.time_limit
            late = self._looks > most or (limit is not None and run.elapsed > REGRESSION_SHARE * limit)
            if late or engine.until_exact(run):
                return True
            if self._looks >= self._next:
                self._turn()
                self._next = self._looks + (OFTEN if self._turns < MANY else SELDOM)
            return engine.until_exact(run)

        terms = regression_phase(
            engine.scaled.T, engine.target, engine.weight, options.operators, int(options.maxsize), report, should_stop
        )
        return [term.with_names(None) for term in terms]

    def _turn(self) -> None:
        """The scouts' turn."""
        self._turns += 1
        if self._scouts is None:
            rng, first = np.random.default_rng([self.engine.seed, 1 << 33]), self.engine.settings.populations
            arguments = self.task, self.all_rows, self._guesses, rng, self.run
            self._scouts = self.engine.new_world(*arguments, first, SCOUTS)
        self.advance(self._scouts, replace(self.task, cycles=TURN, budget=self.engine.budget(self.run)))

    def _best_of_each_size(self) -> list[Expression]:
        found: dict[int, Expression] = {}
        for _, expression in sorted(self._found, key=lambda pair: pair[0]):
            found.setdefault(expression.size, expression.with_names(None))
        return list(found.values())[:SIZES]
