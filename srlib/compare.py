"""Methods x problems x seeds -> one table: ``python -m srlib.compare gplearn``.

Runs every method on every problem with every seed, judges each result with :func:`srlib.recovers`, and writes one row
per run to a CSV file as soon as it is done. Started again, it goes on where it stopped. Methods take turns on each
problem and seed, so that a busy machine slows all of them alike; compare their times as ratios.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, fields
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import problems
from .metrics import nrmse
from .operators import suggest
from .problems import Problem
from .recovery import recovers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHODS", "OPERATORS", "Row", "compare", "run_one", "summary"]

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
    from .genetic import GeneticRegressor

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
    from gplearn.functions import make_function
    from gplearn.genetic import SymbolicRegressor

    def protected_exp(a):
        with np.errstate(over="ignore"):
            return np.where(np.abs(a) < 100, np.exp(a), 0.0)

    own = {
        "exp": make_function(function=protected_exp, name="exp", arity=1),
        "square": make_function(function=lambda a: a * a, name="square", arity=1),
    }
    functions = ["add", "sub", "mul", "div", *(own.get(name, name) for name in OPERATORS[problem.suite])]
    options = {**SIZE, **options}
    model = SymbolicRegressor(function_set=functions, random_state=seed, n_jobs=1, **options)

    def answer(fitted) -> Answer:
        program = fitted._program
        return Answer(fitted.predict, [fitted], len(program.program), str(program))

    return lambda: model.fit(problem.X, problem.y), answer


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


def run_one(method: str, problem_name: str, seed: int) -> Row:
    """Fit one method to one problem with one seed, and judge what it found."""
    problem = problems.load(problem_name)
    fit, answer = METHODS[method](problem, seed)
    began = time.perf_counter()
    fitted = fit()
    seconds = time.perf_counter() - began
    found = answer(fitted)
    verdict = recovers(found.predict, problem).verdict
    ranks = ("recovered", "almost", "no", "failed")
    on_front = min((recovers(candidate, problem).verdict for candidate in found.candidates), key=ranks.index)
    X_test, y_test = problem.sample(300, rng=12345)
    return Row(
        method, problem_name, seed, verdict, on_front, round(seconds, 3),
        _error(problem.y, found.predict(problem.X)), _error(y_test, found.predict(X_test)),
        float(found.complexity), found.equation,
    )  # fmt: skip


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
    import pandas as pd

    methods, problem_names, seeds, path = list(methods), list(problem_names), list(seeds), Path(path)
    for method in methods:
        if method not in METHODS:
            raise ValueError(f"methods holds {method!r}{suggest(str(method), METHODS)}; known are {', '.join(METHODS)}")
    for name in problem_names:
        problems.load(name)  # a misspelt name is an error now, and not when the problems before it are done
    done = set()
    if path.exists():
        with path.open(newline="") as file:
            done = {(row["method"], row["problem"], int(row["seed"])) for row in csv.DictReader(file)}
    todo = [
        (method, problem, seed)
        for seed, problem, method in product(seeds, problem_names, methods)
        if (method, problem, seed) not in done
    ]
    results = (executor.map if executor else map)(run_one, *zip(*todo, strict=True)) if todo else ()
    for row in results:
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(asdict(row))
        report(row)
    return pd.read_csv(path)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row per problem and one for all: for each method, laws recovered and median seconds, and ratios of time.

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


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m srlib.compare", description=__doc__.split("\n\n")[0])
    parser.add_argument("set", choices=sorted(SETS), help="which methods on which problems")
    parser.add_argument("--seeds", type=int, default=10, help="seeds 0 to SEEDS - 1 (default: 10)")
    parser.add_argument("--out", type=Path, help="the CSV file (default: course/results/compare_SET.csv)")
    chosen = parser.parse_args(arguments)
    methods, names = SETS[chosen.set]
    path = chosen.out or Path("course/results") / f"compare_{chosen.set}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)

    def report(row: Row) -> None:
        run = f"{row.method:10} {row.problem:12} seed {row.seed}"
        print(f"{run}: {row.verdict:10} {row.seconds:7.2f} s  {row.equation[:70]}")

    table = compare(methods, names, range(chosen.seeds), path, report=report)
    print(summary(table).to_string())


if __name__ == "__main__":
    main()
