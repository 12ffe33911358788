"""Who takes part in the race: srlib's EvolutionRegressor and, where they are installed, Operon and gplearn."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import islice
from typing import Any

import numpy as np

from ..expression import Expression
from .methods import gplearn_functions
from .operon import operon
from .race import MAX_NODES, Candidate, Outcome, Watch, structure_nodes
from .tasks import BINARY, Task

__all__ = ["ABLATIONS", "ENDLESS", "MAXSIZE", "RACERS", "compile_kernels", "evolution", "gplearn"]

ENDLESS = 10**6  # iterations: time ends a run
MAXSIZE = 40  # of all nodes, constants and their operators included; 25 count
LONG = 35  # Operon counts constants with a place of their own, which the rule of the race does not

# The default with one ingredient switched off at a time, and the parameters of the paper: options of the constructor.
ABLATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "no regression": {"regression": False},
    "no linear scaling": {"linear_scaling": False},
    "constants of few": {"optimize_probability": 0.14, "optimizer_iterations": 8},
    "no look for duplicates": {"duplicates": 0},
    "oldest replaced": {"replacement": "oldest"},
    "no crossover": {"crossover_probability": 0.0},
    "no migration": {"fraction_replaced": 0.0, "fraction_replaced_hof": 0.0},
    "one island": {"populations": 1},
    "paper": {"preset": "paper"},
}


def evolution(task: Task, seed: int, threads: int, budget: float, **options) -> Outcome:
    """srlib's EvolutionRegressor, asked at each event that shows its front."""
    from .. import EvolutionRegressor

    def candidates(front):
        return [Candidate.of(entry.expression) for entry in front]

    def stopper(event) -> bool:
        return getattr(event, "front", None) is not None and watch.look(candidates(event.front))

    parameters = {
        "binary_operators": BINARY, "unary_operators": task.unary_operators, "maxsize": MAXSIZE,
        "niterations": ENDLESS, "time_limit": budget, "n_jobs": threads, "random_state": seed, **options,
    }  # fmt: skip
    compile_kernels()
    model = EvolutionRegressor(**parameters, callbacks=[stopper])
    watch = Watch(task, budget, threads)
    model.fit(task.X, task.y)
    return watch.outcome(candidates(model.front_))


@cache
def compile_kernels() -> None:
    """One short fit for each process, so that nobody's clock runs while numba compiles or loads its cache.

    Its target is noise, so that no law ends it early, and it has no time limit, so that it compiles what there is.
    """
    from .. import EvolutionRegressor

    rng = np.random.default_rng(0)
    X, y = rng.uniform(1, 2, (50, 2)), rng.standard_normal(50)  # (rows, features), (rows,)
    EvolutionRegressor(max_evaluations=20_000, n_jobs=1, random_state=0).fit(X, y)


def gplearn(task: Task, seed: int, threads: int, budget: float) -> Outcome:
    """gplearn's SymbolicRegressor on the mean squared error, a population of 1,000, asked after each generation."""
    from gplearn.genetic import SymbolicRegressor

    model = SymbolicRegressor(
        population_size=1000, metric="mse", function_set=gplearn_functions(task.unary_operators),
        const_range=(-5.0, 5.0), stopping_criteria=0, low_memory=True, warm_start=True,
        n_jobs=threads, random_state=seed,
    )  # fmt: skip
    watch, generations, best = Watch(task, budget, threads), 0, []
    while not watch.over() and watch.solved is None:
        generations += 1
        model.set_params(generations=generations).fit(task.X, task.y)
        with watch.pause():
            programs = sorted(model._programs[-1], key=lambda program: program.raw_fitness_)
            found = (Candidate(program_expression(program.program), program.execute) for program in programs)
            short = (one for one in found if structure_nodes(one.expression) <= MAX_NODES)
            best = sorted([*best, *islice(short, 10)], key=lambda one: one.error(task.X, task.y))[:10]
        watch.look(best)
    return watch.outcome(best)


def program_expression(program: list) -> Expression:
    """A program of gplearn, in prefix order, as an Expression; its protected operators under their plain names."""
    stack: list[Expression] = []
    for node in reversed(program):
        if isinstance(node, int | np.integer):
            stack.append(Expression.variable(int(node)))
        elif isinstance(node, float | np.floating):
            stack.append(Expression.constant(float(node)))
        else:
            stack.append(Expression.apply(node.name, *(stack.pop() for _ in range(node.arity))))
    return stack[0]


Racer = Callable[[Task, int, int, float], Outcome]

RACERS: dict[str, Racer] = {
    "evolution": evolution,
    "operon-nmse300": operon,
    "operon-nmse300-long": partial(operon, max_length=LONG),
    "operon-nmse1000-long": partial(operon, max_length=LONG, population_size=1000),
    "operon-mo300": partial(operon, objective="r2"),
    "gplearn": gplearn,
    **{f"ablation: {name}": partial(evolution, **options) for name, options in ABLATIONS.items()},
}
