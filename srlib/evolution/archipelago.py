"""The main loop: islands evolve at the same time, meet, trade members, and go on (Algorithm 1, document 003).

One iteration is a barrier: every island does the same amount of work with its own dice, and what they found is put
together in the order of the islands. So the result does not depend on who did the work: one thread, many, or the
workers of a cluster.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from ..run import Run, StopSearch
from .evolve import COUNTS
from .island import Island, Task, advance, advance_abroad, expression_of, rejudge_hall
from .judge import COMPLEXITY, LOSS, NAME, Members, members
from .migration import best_of_each_complexity, migrate, take_better
from .objective import Objective
from .selection import update_frequencies
from .travel import pack

__all__ = ["Archipelago", "BrokenExecutorError"]

EVALUATED, FILLED = COUNTS[0], COUNTS[6]
LOOK = 0.05  # seconds between two looks at the clock, the callbacks and Ctrl-C


class BrokenExecutorError(RuntimeError):
    """The executor cannot do any more work."""


def _broken(executor: Executor, error: Exception) -> BrokenExecutorError:
    return BrokenExecutorError(
        f"executor is {executor!r:.80}, which stopped working ({type(error).__name__}: {error}): what was "
        "found so far is kept; start a new executor, and fit again with warm_start=True to go on"
    )


class Archipelago:
    """All islands, their hall of fame, and the histogram of complexities that they share.

    Parameters
    ----------
    islands : list of Island
    bins : int
        Complexities 0 … bins - 1.
    room : int
        Nodes that a formula may have.
    rng : numpy.random.Generator
        The dice of migration and batches.
    """

    def __init__(self, islands: list[Island], bins: int, room: int, rng: np.random.Generator):
        self.islands, self.rng = islands, rng
        self.hall: Members = members(bins, room)
        self.counts = np.ones(bins)  # of the complexities of late
        self._sent: tuple | None = None  # the key of the table that workers in other processes were sent last
        self.seconds_of_work = 0.0  # of the islands, in the last iteration

    @property
    def evaluated(self) -> int:
        """Formulas that the islands have evaluated so far."""
        return sum(int(island.counts[EVALUATED]) for island in self.islands)

    def iterate(
        self,
        task: Task,
        all_rows: Objective | None,
        executor: Executor,
        local: bool,
        shares: tuple[float, float],
        run: Run,
    ) -> list[int]:
        """One iteration; returns the places of the hall of fame that are new. Ends early by StopSearch.

        ``all_rows`` is what the hall of fame is judged by where the task has but a batch of the rows. ``local`` says
        that the executor's workers share this process's memory, so that islands are changed in place and can be stopped
        in the middle of their work.
        """
        frequency = self.counts / self.counts.sum()
        before = self.evaluated
        for island in self.islands:
            island.frequency[:] = frequency
        stop = np.zeros(1, np.int64)
        try:
            began = time.perf_counter()
            self._work(task, executor, local, stop, run)
            self.seconds_of_work = time.perf_counter() - began
            changed = self.admit(all_rows, run)
        except (StopSearch, KeyboardInterrupt):
            self.hall = self._newcomers()  # to be judged by whoever asked for the end; the front has all others
            raise
        finally:
            run.count(self.evaluated - before)
        for island in self.islands:
            update_frequencies(self.counts, island.population.costs[: int(island.counts[FILLED]), COMPLEXITY])
        migrate(self.islands, self.hall if all_rows is None else self._hall_on(task), shares, task.rules, self.rng)
        return [int(place) for place in best_of_each_complexity(self.hall) if int(place) in changed]

    def _work(self, task: Task, executor: Executor, local: bool, stop: np.ndarray, run: Run) -> None:
        """An iteration of all islands, wherever they are worked on."""
        futures: list[Future] = []
        share, more = divmod(task.budget, len(self.islands))
        luggage = None if local else pack(task.loss)
        nothing = members(0, task.room)

        def submit(number: int, bare: bool) -> Future:
            island, own = self.islands[number], replace(task, budget=share + (number < more))
            if local:
                what = (advance, island, own, stop)
            else:
                own = replace(own, table=task.table.bare()) if bare else own
                what = (advance_abroad, replace(island, log=nothing), own, luggage)
            try:
                return executor.submit(*what)
            except Exception as error:
                raise _broken(executor, error) from error

        try:
            for number in range(len(self.islands)):
                futures.append(submit(number, bare=task.table.key == self._sent))
            pending = set(futures)
            while pending:
                done, pending = wait(pending, timeout=LOOK, return_when=FIRST_EXCEPTION)
                run.look()
                for number, future in enumerate(futures):
                    if future in done and future.exception() is None and future.result() is None:  # a new worker
                        futures[number] = submit(number, bare=False)
                        pending.add(futures[number])
            self._sent = task.table.key
            self.islands = [future.result() for future in futures]
        except (StopSearch, KeyboardInterrupt):
            self._stop(futures, local, stop)
            raise
        except Exception as error:
            self._stop(futures, local, stop)
            if local or isinstance(error, BrokenExecutorError):
                raise
            raise _broken(executor, error) from error

    def _stop(self, futures: list[Future], local: bool, stop: np.ndarray) -> None:
        """End the work; islands of other processes that have come back already are taken over."""
        stop[0] = 1
        for future in futures:
            future.cancel()
        if local:
            wait(futures)
            return
        for number, future in enumerate(futures):
            if future.done() and not future.cancelled() and future.exception() is None:
                self.islands[number] = future.result() or self.islands[number]

    def _newcomers(self) -> Members:
        """The best of each complexity that the islands have found since the last look."""
        best = members(*self.hall.codes.shape)
        for island in self.islands:
            take_better(best, island.hall)
        return best

    def admit(self, all_rows: Objective | None, run: Run) -> set[int]:
        """Take what the islands have found into the hall of fame; returns the places that changed.

        The losses of a batch tell who is the best of this iteration, but not who is better than those of earlier
        batches: with ``all_rows`` the newcomers are judged on all of them (as PySR does).
        """
        best = self._newcomers()
        if all_rows is not None:
            for place in np.flatnonzero(np.isfinite(best.costs[:, LOSS])):
                run.look()
                best.costs[place, LOSS] = all_rows(expression_of(best, place))
        return set(take_better(self.hall, best).tolist())

    def judge_hall(self, objective: Objective) -> None:
        """The hall of fame's losses by an objective."""
        for place in np.flatnonzero(np.isfinite(self.hall.costs[:, LOSS])):
            self.hall.costs[place, LOSS] = objective(expression_of(self.hall, place))

    def _hall_on(self, task: Task) -> Members:
        """The hall of fame with its losses on a batch, which are those of the members whose places it may take."""
        hall = Members(*(part.copy() for part in self.hall))
        rejudge_hall(hall, task)
        return hall

    def living(self) -> list[int]:
        """The names of all members and of the hall of fame."""
        names = [island.population.info[: int(island.counts[FILLED]), NAME] for island in self.islands]
        return np.concatenate([*names, self.hall.info[np.isfinite(self.hall.costs[:, LOSS]), NAME]]).tolist()


def thread_pool(n_jobs: int, islands: int) -> ThreadPoolExecutor:
    """Threads for the islands; the compiled loops hold no lock while they work."""
    return ThreadPoolExecutor(max(1, min(n_jobs, islands)), thread_name_prefix="srlib island")
