"""How long a student waits: import and first fit in fresh processes, ``python tests/benchmarks/startup.py``.

srlib's first fit with nothing compiled (the compiler's cache in an empty folder), then with a warm cache, then another
fit with other operators and another shape; the peers' imports and first fits beside it. Wall time by the parent's
clock, and processor time of the child.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec

DATA = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.uniform(1, 2, (200, 2)); y = 2.5*np.cos(X[:, 0]) + X[:, 1]**2
"""
FIT = """
from srlib import EvolutionRegressor
EvolutionRegressor(max_evaluations=2000, random_state=0).fit(X, y)
"""
AGAIN = """
import time
X = rng.uniform(1, 2, (1000, 5)); y = np.exp(-X[:, 0])*X[:, 3]
began = time.perf_counter()
other = {"unary_operators": ["exp", "log"], "elementwise_loss": "absolute"}
EvolutionRegressor(max_evaluations=2000, random_state=0, **other).fit(X, y)
print(time.perf_counter() - began)
"""
OPERON = """
from pyoperon.sklearn import SymbolicRegressor
SymbolicRegressor(generations=1, optimizer_iterations=10, n_threads=1, random_state=0).fit(X, y)
"""
GPLEARN = """
from gplearn.genetic import SymbolicRegressor
SymbolicRegressor(generations=1, random_state=0).fit(X, y)
"""


def run(code, **environment):
    """Wall and processor seconds of a fresh process, and what it printed.

    Python may keep the bytecode of modules, as it does for a user, whatever is set here.
    """
    environment = {**os.environ, **environment}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def show(what, measured):
    """One line: medians of the runs."""
    wall, cpu = (statistics.median(one[k] for one in measured) for k in (0, 1))
    print(f"{what:58} {wall:7.2f} s wall {cpu:7.2f} s cpu   ({len(measured)} runs)", flush=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="runs of each but the cold one (default: 5)")
    parser.add_argument("--cold", type=int, default=1, help="runs with an empty cache (default: 1)")
    chosen = parser.parse_args()
    times = range(chosen.repeats)
    run("from srlib import EvolutionRegressor")  # bytecode
    show("python and numpy", [run("import numpy") for _ in times])
    show("import srlib", [run("import srlib") for _ in times])
    show("import srlib and its estimators", [run("from srlib import EvolutionRegressor") for _ in times])
    fit = DATA + FIT
    for _ in range(chosen.cold):
        with tempfile.TemporaryDirectory() as cache:
            show("srlib, first fit, cold cache", [run(fit, NUMBA_CACHE_DIR=cache)])
            show("srlib, first fit, warm cache", [run(fit, NUMBA_CACHE_DIR=cache) for _ in times])
            again = [run(fit + AGAIN, NUMBA_CACHE_DIR=cache) for _ in times]
            seconds = statistics.median(float(out) for _, _, out in again)
            print(f"{'srlib, a later fit: other operators, shape and loss':58} {seconds:7.2f} s wall")
    if find_spec("pyoperon"):
        show("import pyoperon.sklearn", [run("import pyoperon.sklearn") for _ in times])
        show("pyoperon, first fit of one generation", [run(DATA + OPERON) for _ in times])
    if find_spec("gplearn"):
        show("import gplearn.genetic", [run("import gplearn.genetic") for _ in times])
        show("gplearn, first fit of one generation", [run(DATA + GPLEARN) for _ in times])


if __name__ == "__main__":
    main()
