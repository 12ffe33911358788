"""What else is run on b1 to b8: other methods at the paper's size, and least squares on fixed features."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from .. import problems
from ..compare import methods
from ..expression import Expression
from ..problems import Problem
from ..prune import pruned
from ..recovery import recovers

__all__ = ["METHODS", "OtherRow", "closed_form", "other"]

PAPER_SIZE = {"population_size": 5000, "generations": 100}  # "at the same level" as GMEQL's samples, section 5
LARGEST = 60  # nodes, as GMEQLRegressor; by squares and products alone b4 has 37, and GeneticRegressor stops at 30


@dataclass(frozen=True)
class OtherRow:
    """One run: mean absolute errors on the problem's rows and on 300 new ones; a budget of 0 seconds is none."""

    method: str
    problem: str
    seed: int
    budget: float
    verdict: str
    train: float
    test: float
    seconds: float
    complexity: float
    equation: str


def eql(problem: Problem, seed: int, time_limit=None):
    """EQLRegressor with the functions that these laws are made of; three layers, because two reach degree 4 only."""
    from ..eql import EQLRegressor

    units = {"constant": 1, "identity": 3, "square": 3, "sin": 3, "cos": 2, "product": 3, "division": 1, "sqrt": 1}
    model = EQLRegressor(
        units=units, n_layers=3, maxsize=LARGEST, random_state=seed, time_limit=time_limit, n_jobs=1
    )  # fmt: skip
    model._prepare()

    def answer(fitted) -> methods.Answer:
        best = fitted.best()
        return methods.Answer(best.evaluate, [entry.expression for entry in fitted.front_], best.complexity, str(best))

    return lambda: model.fit(problem.X, problem.y), answer


METHODS: dict[str, Callable] = {
    "EQL": eql,
    "genetic": partial(methods.genetic, maxsize=LARGEST, **PAPER_SIZE),
    "gplearn": partial(methods.gplearn, **PAPER_SIZE),
}


def other(method: str, problem: str, seed: int, budget: float) -> OtherRow:
    """One run of another method; gplearn knows no budget and runs to its end."""
    data = problems.load(problem)
    options = {"time_limit": budget} if budget and method != "gplearn" else {}
    fit, answer = METHODS[method](data, seed, **options)
    began = time.perf_counter()
    fitted = fit()
    seconds = time.perf_counter() - began
    found = answer(fitted)
    return _row(method, problem, seed, budget, data, found.predict, seconds, found.complexity, found.equation)


def _row(method, problem, seed, budget, data, predict, seconds, complexity, equation) -> OtherRow:
    X, y = data.sample(300, 1)
    with np.errstate(all="ignore"):
        train, test = (float(np.mean(np.abs(predict(a) - b))) for a, b in ((data.X, data.y), (X, y)))
    verdict = recovers(predict, data).verdict
    return OtherRow(
        method, problem, seed, budget, verdict, float(f"{train:.4g}"), float(f"{test:.4g}"), round(seconds, 2),
        float(complexity), equation[:200],
    )  # fmt: skip


def closed_form(method: str, problem: str, seed: int, budget: float) -> OtherRow:
    """Least squares on the powers 1 to 6, the sine and the cosine of each column: no search at all.

    These are what the first layer of the released network offers to its sum node.
    """
    data = problems.load(problem)
    began = time.perf_counter()
    features = [f"{name}**{k}" for name in data.names for k in range(1, 7)]
    features += [f"{function}({name})" for name in data.names for function in ("sin", "cos")]
    formulas = [Expression.parse(text, data.names) for text in features]
    F = np.column_stack([*(one.evaluate(data.X) for one in formulas), np.ones(len(data.y))])
    scale = np.linalg.norm(F, axis=0)
    found = np.linalg.lstsq(F / scale, data.y, rcond=None)[0] / scale
    total = Expression.constant(float(found[-1])).with_names(data.names)
    for coefficient, one in zip(found, formulas, strict=False):
        total = total + float(coefficient) * one
    total = pruned(total, list(data.X.T), tolerance=1e-9 * float(np.std(data.y)))
    seconds = time.perf_counter() - began
    return _row(method, problem, seed, budget, data, total.evaluate, seconds, total.complexity, total.format(4))
