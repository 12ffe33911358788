"""Laws from observed and from noisy data: does the evolution engine return them, and when were they on its front?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import problems
from ..expression import Expression
from ..front import ParetoFront
from ..problems import Problem
from ..recovery import recovers
from .methods import OPERATORS
from .peers import ENDLESS, MAXSIZE, compile_kernels
from .picked import VERDICTS
from .tasks import BINARY

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PUBLISHED", "LawRow", "by_law", "by_level", "empirical", "noise"]

# EmpiricalBench's alphabet and size for PySR (arXiv 2305.01582, benchmark/official_competitors/pysr)
UNARY, LONGEST = ("exp", "log", "sqrt", "square", "cube"), 30

# Of 5 runs, those judged correct by eye on the whole front, in an hour of 8 cores each: table of document 003
PUBLISHED: dict[str, dict[str, int]] = {
    "hubble": {"PySR": 5, "Operon": 0, "DSR": 1, "EQL": 0, "QLattice": 0, "SR-Transformer": 0},
    "kepler": {"PySR": 5, "Operon": 0, "DSR": 4, "EQL": 0, "QLattice": 0, "SR-Transformer": 0},
    "newton": {"PySR": 5, "Operon": 1, "DSR": 1, "EQL": 0, "QLattice": 0, "SR-Transformer": 0},
    "planck": {"PySR": 0, "Operon": 0, "DSR": 0, "EQL": 0, "QLattice": 0, "SR-Transformer": 0},
    "leavitt": {"PySR": 5, "Operon": 0, "DSR": 5, "EQL": 0, "QLattice": 0, "SR-Transformer": 0},
    "schechter": {"PySR": 5, "Operon": 5, "DSR": 5, "EQL": 0, "QLattice": 5, "SR-Transformer": 0},
    "bode": {"PySR": 5, "Operon": 3, "DSR": 1, "EQL": 0, "QLattice": 0, "SR-Transformer": 0},
    "ideal_gas": {"PySR": 5, "Operon": 0, "DSR": 5, "EQL": 0, "QLattice": 0, "SR-Transformer": 0},
    "rydberg": {"PySR": 0, "Operon": 0, "DSR": 0, "EQL": 0, "QLattice": 0, "SR-Transformer": 0},
}


@dataclass(frozen=True)
class LawRow:
    """One run.

    Attributes
    ----------
    level : float
        Noise that was added to the target, as a fraction of its standard deviation.
    verdict, on_front : str
        Of the formula that the model picks, and the best one on its front; see :class:`srlib.recovery.Recovery`.
    law_seconds : float
        When a formula with the law's form was first on the front, by the wall clock; NaN if none is there at the end.
    seconds : float
        Wall time of the whole fit.
    complexity, equation
        Of the formula picked.
    law : str
        The law as the front has it.
    """

    problem: str
    level: float
    seed: int
    threads: int
    budget: float
    verdict: str
    on_front: str
    law_seconds: float
    seconds: float
    complexity: float
    equation: str
    law: str


class Appearances:
    """A callback that notes when each form of a formula was first on the front, and how it was written last."""

    def __init__(self):
        self.forms: dict[bytes, tuple[float, Expression]] = {}  # by codes: seconds, expression

    def __call__(self, event) -> None:
        if getattr(event, "front", None) is not None:
            self.note(event.front, event.elapsed)

    def note(self, front: ParetoFront, seconds: float) -> None:
        """The front had these formulas at that time."""
        for entry in front:
            form = entry.expression.codes.tobytes()
            first, _ = self.forms.get(form, (seconds, None))
            self.forms[form] = first, entry.expression

    def first_law(self, problem: Problem) -> float:
        """When the law was first on the front; NaN if it never was."""
        found = (seconds for seconds, expression in sorted_by_time(self.forms) if recovers(expression, problem))
        return next(found, float("nan"))


def sorted_by_time(forms):
    """Pairs of seconds and expression, the earliest first."""
    return sorted(forms.values(), key=lambda form: form[0])


def empirical(problem: str, seed: int, threads: int, budget: float) -> LawRow:
    """One run on the data of EmpiricalBench, observed or with its published noise, with PySR's alphabet there."""
    return _find(problems.load(problem), 0.0, seed, threads, budget, unary_operators=UNARY, maxsize=LONGEST)


def noise(problem: str, level: float, seed: int, threads: int, budget: float) -> LawRow:
    """One run on a problem with Gaussian noise on its target."""
    noisy = problems.load(problem).with_noise(level, seed)
    return _find(
        noisy, level, seed, threads, budget, unary_operators=OPERATORS[noisy.suite], maxsize=MAXSIZE
    )  # fmt: skip


def _find(problem: Problem, level: float, seed: int, threads: int, budget: float, **options) -> LawRow:
    from .. import EvolutionRegressor

    compile_kernels()
    appearances = Appearances()
    model = EvolutionRegressor(
        binary_operators=BINARY,
        niterations=ENDLESS,
        time_limit=budget,
        n_jobs=threads,
        random_state=seed,
        callbacks=[appearances],
        **options,
    )
    began = time.perf_counter()
    model.fit(problem.X, problem.y)
    seconds = time.perf_counter() - began
    appearances.note(model.front_, seconds)
    picked = model.best()
    verdicts = [recovers(entry.expression, problem).verdict for entry in model.front_]
    on_front = min(verdicts, key=VERDICTS.index)
    nearest = model.front_[verdicts.index(on_front)].expression
    return LawRow(
        problem.name, level, seed, threads, budget, recovers(picked, problem).verdict, on_front,
        round(appearances.first_law(problem), 3) if on_front == "recovered" else float("nan"), round(seconds, 3),
        float(picked.complexity), str(picked), str(nearest) if on_front == "recovered" else "",
    )  # fmt: skip


def by_law(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each law of EmpiricalBench and one for all, the published counts of five beside ours.

    ``on front`` is the benchmark's own rule.
    """
    import pandas as pd

    rows = {}
    for law, runs in table.groupby("problem", sort=False):
        rows[law] = {
            "runs": len(runs),
            "on front": int((runs["on_front"] == "recovered").sum()),
            "picked": int((runs["verdict"] == "recovered").sum()),
            "law s (median)": round(runs["law_seconds"].median(), 2),
            **{f"{method} (of 5)": count for method, count in PUBLISHED[law].items()},
        }
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.loc["all"] = found.sum().where(found.columns != "law s (median)", table["law_seconds"].median())
    return found


def by_level(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each problem and one for all: on how many fronts the law is, by level of noise."""
    import pandas as pd

    on_front = table.assign(found=table["on_front"] == "recovered")
    counts = on_front.groupby(["problem", "level"], sort=False)["found"].agg(["sum", "size"])
    cells = (counts["sum"].astype(str) + "/" + counts["size"].astype(str)).unstack("level")
    total = on_front.groupby("level")["found"].agg(["sum", "size"])
    cells.loc["all"] = total["sum"].astype(str) + "/" + total["size"].astype(str)
    return pd.DataFrame(cells).rename(columns=lambda level: f"{100 * level:g} % noise")
