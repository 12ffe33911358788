"""Methods x problems x seeds, judged by the formula that each method picks and by all that it returns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import problems
from ..metrics import nrmse
from ..operators import suggest
from ..recovery import recovers
from .methods import METHODS
from .table import fill

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Row", "compare", "run_one", "summary"]

VERDICTS = ("recovered", "almost", "no", "failed")  # from best to worst


@dataclass(frozen=True)
class Row:
    """The result of one method on one problem with one seed.

    Attributes
    ----------
    verdict : str
        Of the formula that the method itself picks; see :class:`srlib.recovery.Recovery`.
    on_front : str
        The best verdict among all formulas that the method returns.
    seconds : float
        Wall time of ``fit``.
    train, test : float
        NRMSE of the picked formula on the data and on fresh noise-free rows of the same domain.
    """

    method: str
    problem: str
    seed: int
    verdict: str
    on_front: str
    seconds: float
    train: float
    test: float
    complexity: float
    equation: str


def run_one(method: str, problem_name: str, seed: int) -> Row:
    """Fit one method to one problem with one seed, and judge what it found."""
    problem = problems.load(problem_name)
    fit, answer = METHODS[method](problem, seed)
    began = time.perf_counter()
    fitted = fit()
    seconds = time.perf_counter() - began
    found = answer(fitted)
    verdict = recovers(found.predict, problem).verdict
    on_front = best_verdict(found.candidates, problem)
    X_test, y_test = problem.sample(300, rng=12345)
    return Row(
        method, problem_name, seed, verdict, on_front, round(seconds, 3),
        _error(problem.y, found.predict(problem.X)), _error(y_test, found.predict(X_test)),
        float(found.complexity), found.equation,
    )  # fmt: skip


def best_verdict(candidates: Iterable[Any], problem: problems.Problem) -> str:
    """The best verdict among candidates: "recovered" if any of them is the law."""
    return min((recovers(candidate, problem).verdict for candidate in candidates), key=VERDICTS.index)


def _error(y: np.ndarray, prediction: np.ndarray) -> float:
    return float(f"{nrmse(y, prediction):.4g}") if np.isfinite(prediction).all() else float("inf")


def compare(
    methods: Iterable[str],
    problem_names: Iterable[str],
    seeds: Iterable[int],
    path: str | Path,
    executor: Executor | None = None,
    report: Callable[[Row], None] = lambda row: None,
) -> pd.DataFrame:
    """Run all combinations that ``path`` does not hold yet, and return the whole table.

    Parameters
    ----------
    methods, problem_names, seeds : iterables
        Names in :data:`METHODS`, names of problems, whole numbers.
    path : path
        The CSV file; one row is added for each run.
    executor : concurrent.futures.Executor, optional
        Where the runs are done: a process pool, or Dask's ``client.get_executor()``. By default here, one by one.
    report : callable, optional
        Called with each new row.
    """
    methods, problem_names, seeds = list(methods), list(problem_names), list(seeds)
    for method in methods:
        if method not in METHODS:
            raise ValueError(f"methods holds {method!r}{suggest(str(method), METHODS)}; known are {', '.join(METHODS)}")
    for name in problem_names:
        problems.load(name)  # a misspelt name is an error now, and not when the problems before it are done
    jobs = [(method, problem, seed) for seed, problem, method in product(seeds, problem_names, methods)]
    return fill(path, run_one, jobs, Row, ("method", "problem", "seed"), executor, report)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row per problem and one for all: for each method, laws recovered and median seconds.

    ``recovered`` counts runs whose picked formula is the law, ``on_front`` those that return it at all.
    """
    import pandas as pd

    def one(group: pd.DataFrame) -> dict[str, float]:
        by_method = {method: rows for method, rows in group.groupby("method")}
        result: dict[str, float] = {}
        for method, rows in by_method.items():
            result[f"{method}: runs"] = len(rows)
            result[f"{method}: recovered"] = int((rows["verdict"] == "recovered").sum())
            result[f"{method}: on front"] = int((rows["on_front"] == "recovered").sum())
            result[f"{method}: median s"] = round(float(rows["seconds"].median()), 2)
        return result

    rows: Mapping[str, dict] = {name: one(group) for name, group in table.groupby("problem", sort=False)}
    return pd.DataFrame.from_dict({**rows, "all": one(table)}, orient="index")
