"""The engine as plain Python: with NUMBA_DISABLE_JIT=1 a debugger can step through a search."""

import os
import subprocess
import sys

import pytest

# Each line of the program prints one fact; all of them in one process, because its start takes a while.
PROGRAM = """
import inspect
import sys

import numpy as np

from srlib import EvolutionRegressor, Expression, kernels
from srlib.evolution import evolve, judge, mutation, simplify
from srlib.kernels import fit

steps = (mutation.rotate_tree, evolve.next_generation, judge.judge, simplify.fold, fit.fit_terms)
print("plain functions:", all(map(inspect.isfunction, steps)))

values, slopes = kernels.jacobian(Expression.parse("2*sin(x0) + exp(0.5*x1)"), [[1.0, 2.0], [0.0, 3.0]])
expected = 2 * np.sin([1.0, 2.0]) + np.exp([0.0, 1.5])
print("values:", np.allclose(values, expected, rtol=1e-14))
print("slopes:", np.allclose(slopes[:, 0], np.sin([1.0, 2.0])))

met = set()
def trace(frame, event, argument):
    if frame.f_globals.get("__name__", "").startswith(("srlib.evolution", "srlib.kernels")):
        met.add(frame.f_code.co_name)

X = np.random.default_rng(0).uniform(-1, 2, (12, 2))
small = dict(
    populations=2, population_size=8, ncycles_per_iteration=12, niterations=2, maxsize=8, random_state=0, n_jobs=1,
    binary_operators=["+", "*"], unary_operators=["square"],
)
sys.setprofile(trace)
model = EvolutionRegressor(regression=False, **small).fit(X, 2 * X[:, 0] + 1)
sys.setprofile(None)
print("linear law:", model.score(X, 2 * X[:, 0] + 1) > 1 - 1e-9)
print("stepped through:", {"judge", "fit_terms", "forward", "apply2", "splice", "satisfies"} <= met)

curved = EvolutionRegressor(regression=False, **small).fit(X, 3 * X[:, 1] ** 2 - X[:, 0])
print("curved law:", curved.score(X, 3 * X[:, 1] ** 2 - X[:, 0]) > 0.9)

paper = EvolutionRegressor(preset="paper", **small).fit(X, 2 * X[:, 0] + 1)
print("paper's preset:", np.isfinite(paper.predict(X)).all())

other = EvolutionRegressor(regression=False, elementwise_loss="absolute", **small).fit(X, 2 * X[:, 0] + 1)
print("absolute loss:", np.abs(other.predict(X) - 2 * X[:, 0] - 1).max() < 0.01)
"""

FACTS = [
    "plain functions", "values", "slopes", "linear law", "stepped through", "curved law", "paper's preset",
    "absolute loss",
]  # fmt: skip


@pytest.fixture(scope="module")
def output():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(line.split(": ") for line in done.stdout.splitlines() if ": " in line)


@pytest.mark.parametrize("fact", FACTS)
def test_a_search_without_compilation(output, fact):
    assert output[fact] == "True"
