"""The race for exact formulas: who finds them, how often, and how soon.

A run has solved its task when a formula of at most 25 nodes has an NRMSE below 1e-6 on 300 fresh rows, in float64. It
ends there, or when its budget is spent. Methods are asked between their iterations; the time of asking is not theirs.

**Nodes** are counted by one rule for everybody, on the same kind of tree: :func:`structure_nodes`.

**Time** is measured by the wall clock and by the processor. The budget is processor time per thread, which on a quiet
machine is the same, and on a busy one takes nothing from a method whose turn falls on a bad moment. A method that can
only be limited by the wall clock has at most that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..expression import Expression
from ..metrics import nrmse
from ..operators import CONSTANT, by_code
from .tasks import Task, load_task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "Outcome", "RaceRow", "Watch", "per_problem", "race", "ratios", "structure_nodes", "totals"]

EXACT = 1e-6  # test NRMSE
MAX_NODES = 25
PATIENCE = 20  # a run on a busy machine ends after this many budgets by the wall clock


def structure_nodes(expression: Expression) -> int:
    """How many nodes a formula has, not counting what any method may put anywhere for nothing.

    Not counted are a constant that multiplies or divides, with its operator, and on the top level an additive
    constant: 2.5 sin(3 x) + 1 has the two nodes of sin(x). A sign is a factor of -1, and an operation between
    constants is a constant. Everything else counts one; so does a constant that is added inside of a function or
    product, and its operator.

    This is the rule of those who count least: Operon's variables carry a weight, and its formulas a scale and an
    offset, that its length does not include.

    Examples
    --------
    >>> structure_nodes(Expression.parse("2.5*sin(3*x0) + 1")), structure_nodes(Expression.parse("sin(x0 + 3)"))
    (2, 4)
    """
    stack: list[tuple[int, int, bool]] = []  # nodes inside of something, nodes on the top level, whether constant
    for code in expression.codes.tolist():
        if code <= CONSTANT:
            stack.append((1, 0, True) if code == CONSTANT else (1, 1, False))
            continue
        operator = by_code(code)
        arguments = stack[-operator.arity :]
        del stack[-operator.arity :]
        name, varying = operator.name, [one for one in arguments if not one[2]]
        inside = 1 + sum(nodes for nodes, _, _ in arguments)
        if not varying:
            stack.append((1, 0, True))
        elif name == "neg" or (name == "mul" and len(varying) == 1) or (name == "div" and arguments[1][2]):
            stack.append(varying[0])
        elif name in ("add", "sub"):
            stack.append((inside, len(varying) - 1 + sum(top for _, top, _ in varying), False))
        else:
            stack.append((inside, inside, False))
    return stack[0][1]


@dataclass(frozen=True)
class Candidate:
    """A formula as its method evaluates it, and as an Expression, of which the nodes are counted."""

    expression: Expression
    predict: Callable[[np.ndarray], np.ndarray]

    @classmethod
    def of(cls, expression: Expression) -> Candidate:
        """A candidate that is evaluated as an Expression."""
        return cls(expression, expression.evaluate)

    def error(self, X: np.ndarray, y: np.ndarray) -> float:
        """Its NRMSE; infinite where it has no value in some row."""
        with np.errstate(all="ignore"):
            prediction = self.predict(X)
            if not np.isfinite(prediction).all():
                return float("inf")
            return nrmse(y, prediction)


@dataclass(frozen=True)
class Outcome:
    """What became of a run; see :class:`RaceRow`."""

    solved: bool
    seconds: float
    cpu_seconds: float
    test: float
    nodes: int
    size: int
    equation: str


class Watch:
    """Asked by a method between its iterations: has it solved the task, has it spent its budget?

    Parameters
    ----------
    task : Task
        What is to be solved.
    budget : float
        Seconds of the processor, per thread.
    threads : int
        How many the method has.
    """

    def __init__(self, task: Task, budget: float, threads: int = 1):
        self.task, self.budget, self.threads = task, budget, threads
        self.solved: Outcome | None = None
        self._seen: set[Expression] = set()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def times(self) -> tuple[float, float]:
        """Seconds since the run began by the wall clock and of the processor, pauses left out."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu

    @contextmanager
    def pause(self) -> Iterator[None]:
        """What is done inside does not count."""
        wall, cpu = self.times()
        try:
            yield
        finally:
            self._wall, self._cpu = time.perf_counter() - wall, time.process_time() - cpu

    def over(self) -> bool:
        """Whether the budget is spent."""
        wall, cpu = self.times()
        return cpu / self.threads >= self.budget or wall >= PATIENCE * self.budget

    def look(self, candidates: Iterable[Candidate]) -> bool:
        """Judge the candidates that are new; whether the task is solved."""
        with self.pause():
            for candidate in candidates:
                if self.solved is None and candidate.expression not in self._seen:
                    self._seen.add(candidate.expression)
                    self._judge(candidate)
        return self.solved is not None

    def _judge(self, candidate: Candidate) -> None:
        if structure_nodes(candidate.expression) > MAX_NODES:
            return
        test = candidate.error(self.task.X_test, self.task.y_test)
        if test < EXACT and not self.over():
            self.solved = self._outcome(candidate, test)

    def outcome(self, candidates: Iterable[Candidate]) -> Outcome:
        """What became of the run, when it has ended with these candidates."""
        if self.look(candidates := list(candidates)):
            return self.solved
        short = [one for one in candidates if structure_nodes(one.expression) <= MAX_NODES]
        short = short or [Candidate.of(Expression.constant(float(self.task.y.mean())))]
        best = min(short, key=lambda one: one.error(self.task.X, self.task.y))
        return self._outcome(best, best.error(self.task.X_test, self.task.y_test))

    def _outcome(self, candidate: Candidate, test: float) -> Outcome:
        wall, cpu = self.times()
        expression = candidate.expression
        return Outcome(
            test < EXACT and not self.over(), round(wall, 4), round(cpu, 4), float(f"{test:.4g}"),
            structure_nodes(expression), expression.size, str(expression),
        )  # fmt: skip


@dataclass(frozen=True)
class RaceRow:
    """One run.

    Attributes
    ----------
    budget : float
        Seconds of the processor per thread.
    solved : bool
        Whether a formula of at most 25 nodes reached a test NRMSE below 1e-6 within the budget.
    seconds, cpu_seconds : float
        When it did, or what was spent, by the wall clock and of the processor.
    test : float
        NRMSE of that formula on fresh rows; of the best one on the rows to learn from, where none did.
    nodes, size : int
        By :func:`structure_nodes`, and all of them.
    """

    method: str
    problem: str
    seed: int
    threads: int
    budget: float
    solved: bool
    seconds: float
    cpu_seconds: float
    test: float
    nodes: int
    size: int
    equation: str


def race(method: str, problem: str, seed: int, threads: int, budget: float) -> RaceRow:
    """Let one of :data:`srlib.compare.peers.RACERS` run for one task with one seed."""
    from .peers import RACERS

    outcome = RACERS[method](load_task(problem), seed, threads, budget)
    return RaceRow(method, problem, seed, threads, budget, **vars(outcome))


def totals(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each method, number of threads and budget.

    ``PAR`` is the mean time with unsolved runs counted as the whole budget; the medians are of solved runs.
    """
    import pandas as pd

    def one(runs: pd.DataFrame) -> pd.Series:
        solved = runs[runs["solved"]]
        by_problem = runs.groupby("problem")["solved"]
        spent = (runs["cpu_seconds"] / runs["threads"]).where(runs["solved"], runs["budget"])
        return pd.Series(
            {
                "runs": len(runs),
                "solved": len(solved),
                "solved %": round(100 * len(solved) / len(runs), 1),
                "problems, any seed": f"{by_problem.any().sum()}/{by_problem.ngroups}",
                "problems, all seeds": f"{by_problem.all().sum()}/{by_problem.ngroups}",
                "median s": round(solved["seconds"].median(), 3),
                "median cpu s": round(solved["cpu_seconds"].median(), 3),
                "PAR cpu s": round(spent.mean(), 3),
            }
        )

    return table.groupby(["budget", "threads", "method"], sort=False)[list(table.columns)].apply(one)


def per_problem(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each problem: what share of runs each method solved, and the median seconds of the processor."""

    def cell(runs: pd.DataFrame) -> str:
        solved = runs[runs["solved"]]
        seconds = f" {solved['cpu_seconds'].median():.2f} s" if len(solved) else ""
        return f"{len(solved)}/{len(runs)}{seconds}"

    cells = table.groupby(["problem", "budget", "threads", "method"], sort=False)[list(table.columns)].apply(cell)
    return cells.unstack(["budget", "threads", "method"]).fillna("").loc[list(dict.fromkeys(table["problem"]))]


def ratios(table: pd.DataFrame, ours: str = "evolution") -> pd.DataFrame:
    """How many times longer the others take: one row for each of them, number of threads and budget.

    ``on solved by both`` is the median, over the problems that both have solved with some seed, of the ratio of
    their median times. ``on all`` is the ratio of the two mean times with unsolved runs counted as the whole budget,
    on the problems and seeds that both have run: a lower bound, because nobody knows when those would have ended.
    """
    import pandas as pd

    rows = []
    for (budget, threads), group in table.groupby(["budget", "threads"], sort=False):
        spent = group.assign(spent=(group["cpu_seconds"] / threads).where(group["solved"], budget))
        mine, others = (spent[chosen] for chosen in (group["method"] == ours, group["method"] != ours))
        for method, theirs in others.groupby("method", sort=False):
            both = mine.merge(theirs, on=["problem", "seed"], suffixes=("", "_theirs"))
            if both.empty:
                continue
            a, b = (runs[runs["solved"]].groupby("problem")["cpu_seconds"].median() for runs in (mine, theirs))
            shared = a.index.intersection(b.index)
            rows.append(
                {
                    "budget": budget, "threads": threads, "method": method, "problems solved by both": len(shared),
                    f"median s: {ours}": round(a[shared].median(), 3), "median s: theirs": round(b[shared].median(), 3),
                    "on solved by both": round((b[shared] / a[shared]).median(), 2),
                    "on all": round(both["spent_theirs"].mean() / both["spent"].mean(), 2),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)
