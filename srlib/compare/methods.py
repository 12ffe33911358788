"""The methods that the table compares by what they pick, and the sets of methods and problems that have a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..problems import Problem

__all__ = ["METHODS", "OPERATORS", "SETS", "Answer", "Method"]

# What each suite's formulas may be made of, besides + - * /; as in the comparisons that the suites come from.
OPERATORS: dict[str, tuple[str, ...]] = {
    "empirical": ("exp", "log", "sqrt", "square"),
    "gmeql": ("sin", "cos", "sqrt", "square"),
    "nguyen": ("sin", "cos", "exp", "log"),
    "feynman": ("sin", "cos", "exp", "log", "sqrt", "square"),
    "eql": ("sin", "exp", "square", "sigmoid"),
    "eqldiv": ("sin", "cos"),
    "meta": ("sin", "cos", "exp", "square"),
}


SIZE = {"population_size": 500, "generations": 20}  # of both genetic algorithms


@dataclass(frozen=True)
class Answer:
    """What a method found: something that predicts, all its candidates, and the picked one in words."""

    predict: Callable[[np.ndarray], np.ndarray]
    candidates: Sequence[Any]
    complexity: float
    equation: str


Method = Callable[[Problem, int], tuple[Callable[[], Any], Callable[[Any], Answer]]]


def genetic(problem: Problem, seed: int, **options):
    """srlib's GeneticRegressor."""
    from ..genetic import GeneticRegressor

    options = {**SIZE, "keep_history": False, **options}
    model = GeneticRegressor(unary_operators=OPERATORS[problem.suite], random_state=seed, n_jobs=1, **options)

    def answer(fitted) -> Answer:
        best = fitted.best()
        return Answer(best.evaluate, [entry.expression for entry in fitted.front_], best.complexity, str(best))

    return lambda: model.fit(problem.X, problem.y), answer


def textbook(problem: Problem, seed: int, **options):
    """srlib's GeneticRegressor with the textbook's fitness: a formula is judged as it stands, not as a + b*f."""
    return genetic(problem, seed, linear_scaling=False, **options)


def gplearn(problem: Problem, seed: int, **options):
    """gplearn's SymbolicRegressor at the same population and number of generations, otherwise its defaults."""
    from gplearn.genetic import SymbolicRegressor

    options = {**SIZE, **options}
    functions = gplearn_functions(OPERATORS[problem.suite])
    model = SymbolicRegressor(function_set=functions, random_state=seed, n_jobs=1, **options)

    def answer(fitted) -> Answer:
        program = fitted._program
        return Answer(fitted.predict, [fitted], len(program.program), str(program))

    return lambda: model.fit(problem.X, problem.y), answer


def gplearn_functions(unary_operators: Sequence[str]) -> list:
    """gplearn's function set: + - * / and the unary operators, with the two that it lacks added.

    They are closed, as gplearn's own: in its tournaments a fitness of nan wins, and overflows end in nan.
    """
    from gplearn.functions import make_function

    def protected_exp(a):
        with np.errstate(over="ignore"):
            return np.where(np.abs(a) < 100, np.exp(a), 0.0)

    def protected_square(a):
        return np.square(np.where(np.abs(a) < 1e150, a, 0.0))

    own = {
        "exp": make_function(function=protected_exp, name="exp", arity=1),
        "square": make_function(function=protected_square, name="square", arity=1),
    }
    return ["add", "sub", "mul", "div", *(own.get(name, name) for name in unary_operators)]


METHODS: dict[str, Method] = {"genetic": genetic, "textbook": textbook, "gplearn": gplearn}

SETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # name: (methods, problems)
    "gplearn": (
        ("genetic", "textbook", "gplearn"),
        (
            *(f"nguyen-{i}" for i in range(1, 9)),
            *(f"b{i}" for i in range(1, 9)),
            *("hubble", "kepler", "newton", "leavitt", "schechter", "bode", "ideal_gas"),
        ),
    ),
}
