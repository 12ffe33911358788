"""Operon in the race: its best configurations, each run in a process that ends as soon as it has solved its task.

Operon computes in float32 and cannot be stopped by its callback. So a child process runs it, looks at the whole Pareto
front after each generation, refits the constants of the formulas that come near in float64, and answers through a
pipe. None of this is charged to Operon's time.
"""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Iterator
from functools import cache

import numpy as np

from ..constants import refit
from ..expression import Expression
from .race import Candidate, Outcome, Watch
from .tasks import BINARY, Task

__all__ = ["operon"]

NEAR = 1e-5  # of 1 - R2 or NMSE: from here a refit in float64 may reach the law
NAMES = {"+": "add", "-": "sub", "*": "mul", "/": "div"}

OPTIONS = {  # the library's own defaults fit no constants at all (optimizer_iterations=0), and do far worse
    "population_size": 300,
    "optimizer_iterations": 10,
    "max_length": 25,
    "generations": 10**6,
    "max_evaluations": 10**9,
    "model_selection_criterion": "mean_squared_error",
}


def operon(task: Task, seed: int, threads: int, budget: float, objective: str = "nmse", **options) -> Outcome:
    """pyoperon's NSGA-II on (objective, length), population 300, 10 steps of Levenberg-Marquardt on each child.

    Parameters
    ----------
    objective : {"nmse", "r2"}
        What it minimises besides the length.
    **options
        Of pyoperon.sklearn.SymbolicRegressor, in the place of :data:`OPTIONS`.
    """
    import pyoperon.sklearn  # noqa: F401  here, so that the child's clock does not begin with an import

    _load_kernels()
    context = multiprocessing.get_context("fork")
    answer, ask = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(ask, task, seed, threads, budget, objective, options))
    child.start()
    ask.close()
    try:
        return answer.recv()
    except EOFError:  # an assertion in C++, say: an unsolved run, and not the end of all runs
        child.join()
        died = f"pyoperon's process died with exit code {child.exitcode}"
        return Outcome(False, budget, budget * threads, math.inf, 0, 0, died)
    finally:
        child.kill()  # it has answered or died, or somebody pressed Ctrl-C
        child.join()


@cache
def _load_kernels() -> None:
    """What the child needs for its refits: loaded, or compiled, once and not by each child."""
    refit(Expression.parse("2*x0"), [np.arange(3.0)], np.arange(3.0), directions=np.eye(1))


def _run(ask, task: Task, seed: int, threads: int, budget: float, objective: str, options: dict) -> None:
    """The child: runs until solved or out of time, answers and ends without any clean-up."""
    import pyoperon
    import pyoperon.sklearn

    watch, found = Watch(task, budget, threads), _Found(task, objective)

    class Watched:
        """pyoperon's NSGA-II with a callback after each generation."""

        def __init__(self, *parts):
            self.algorithm = pyoperon.NSGA2Algorithm(*parts)

        def Run(self, rng, callback, threads, warm_start):  # noqa: N802
            def look():
                with watch.pause():
                    near = list(found.near(self.algorithm.BestFront))
                if watch.look(near) or watch.over():
                    with watch.pause():
                        candidates = [*found.refitted, *found.all(self.algorithm.BestFront)]
                    ask.send(watch.outcome(candidates))
                    os._exit(0)

            self.algorithm.Run(rng, look, threads, warm_start)

        def __getattr__(self, name):
            return getattr(self.algorithm, name)

    class Module:
        """pyoperon with the watched algorithm in the place of its own."""

        NSGA2Algorithm = Watched

        def __getattr__(self, name):
            return getattr(pyoperon, name)

    pyoperon.sklearn.op = Module()
    symbols = [NAMES[name] for name in BINARY] + [*task.unary_operators, "constant", "variable"]
    model = pyoperon.sklearn.SymbolicRegressor(
        allowed_symbols=",".join(symbols), objectives=[objective, "length"], n_threads=threads, random_state=seed,
        max_time=math.ceil(1000 * budget), **{**OPTIONS, **options},
    )  # fmt: skip
    model.fit(task.X, task.y)


class _Found:
    """Operon's individuals as candidates, scaled to the target and with constants in float64."""

    def __init__(self, task: Task, objective: str):
        import pyoperon

        self.task, self.columns = task, list(np.ascontiguousarray(task.X.T))
        self.perfect = -1.0 if objective == "r2" else 0.0  # the fitness of an exact formula
        self.refitted: list[Candidate] = []
        self.tried: dict[bytes, float] = {}  # the fitness at which a structure was refitted
        data = pyoperon.Dataset(np.asfortranarray(np.column_stack((task.X, task.y))))
        self.features = {variable.Hash: variable.Index for variable in data.Variables}

    def near(self, individuals) -> Iterator[Candidate]:
        """Those worth a refit: near to exact, and ten times nearer than when their structure was last seen."""
        for individual in individuals:
            miss = max(individual.GetFitness(0) - self.perfect, 1e-30)
            if not miss < NEAR:
                continue
            expression = self.scaled(individual.Genotype)
            if expression is not None and miss < 0.1 * self.tried.get(key := expression.codes.tobytes(), 1.0):
                self.tried[key] = miss
                free = np.eye(len(expression.constants))  # all of them, with exact derivatives
                better = refit(expression, self.columns, self.task.y, max_steps=10, directions=free)
                self.refitted.append(Candidate.of(better))
                yield self.refitted[-1]

    def all(self, individuals) -> Iterator[Candidate]:
        """All that have a value, as they are."""
        for individual in individuals:
            if (expression := self.scaled(individual.Genotype)) is not None:
                yield Candidate.of(expression)

    def scaled(self, tree) -> Expression | None:
        """A tree with the scale and offset that Operon's objectives leave out, or None if it has no value."""
        expression = to_expression(tree, self.features)
        if expression is None:
            return None
        values = expression.evaluate(self.task.X)
        if not np.isfinite(values).all() or np.ptp(values) == 0:
            return None
        deviation = values - values.mean()
        scale = float(deviation @ self.task.y / (deviation @ deviation))
        return scale * expression + float(self.task.y.mean() - scale * values.mean())


def to_expression(tree, features: dict[int, int]) -> Expression | None:
    """A tree of pyoperon as an Expression; None if a constant is not finite.

    Its nodes are in postfix order as ours, but each argument list is in reverse, and a variable has a weight.

    Parameters
    ----------
    tree : pyoperon.Tree
        The formula.
    features : dict
        The column of each variable, by its hash.
    """
    stack: list[Expression] = []
    for node in tree.Nodes:
        if (node.IsConstant or node.IsVariable) and not math.isfinite(node.Value):
            return None
        if node.IsConstant:
            stack.append(Expression.constant(node.Value))
        elif node.IsVariable:
            stack.append(node.Value * Expression.variable(features[node.HashValue]))
        else:
            arguments = [stack.pop() for _ in range(node.Arity)]
            stack.append(Expression.apply(node.Name, *arguments))
    return stack[0]
