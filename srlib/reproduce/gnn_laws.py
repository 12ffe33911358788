"""Force laws read from the messages of trained networks, with and without units that must balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..distill.gnn import Messages, distill_message, judge, read_messages
from ..distill.student import Distillation
from ..eql.search import one_torch_thread
from ..metrics import acpcr
from .part import rounded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LawRow", "UnitsRow", "by_law", "by_units", "law", "with_units"]


@dataclass(frozen=True)
class LawRow:
    """The force law from a network: the most important message distilled.

    R2 (the worse of the top two components) is to the better of F and F/m, named in ``target``; ``r2`` plain and
    ``trimmed`` by 10 %. ``verdict`` is that of the student's answer, ``on_front`` whether any formula of the front is
    the law; ``fidelity`` is the R2 of the answer to the message.
    """

    potential: str
    variant: str
    seed: int
    acpcr: float
    target: str
    r2: float
    trimmed: float
    verdict: str
    on_front: bool
    complexity: float
    fidelity: float
    formula: str


def law(potential: str, variant: str, seed: int) -> LawRow:
    """Train, distil the most important message, and judge it."""
    from .gnn import fitted

    with one_torch_thread():
        trained, test = fitted(potential, variant, seed)
        said = read_messages(trained.network, test)
        right = acpcr(test.accelerations.reshape(-1, 2), trained.network.predict(test.states).reshape(-1, 2))
    fit = better(said)
    learned = distill_message(said, random_state=seed)
    return LawRow(
        potential, variant, seed, rounded(right), fit.target, rounded(fit.r2.min()), rounded(fit.r2_trimmed.min()),
        **_read(potential, learned, fit.target),
    )  # fmt: skip


def better(said: Messages):
    """The fit to F or to F/m, whichever is closer."""
    return max((said.fit(target) for target in ("force", "acceleration")), key=lambda fit: fit.r2_trimmed.min())


def _read(potential: str, learned: Distillation, target: str) -> dict:
    """What the student says, and what it is worth."""
    best, table = learned.best(), learned.fidelity
    row = table[table.equation == best.format(6)].iloc[0]
    return {
        "verdict": judge(potential, learned, target).verdict,
        "on_front": any(judge(potential, learned, target, entry.expression) for entry in learned.front),
        "complexity": row.complexity, "fidelity": round(row.r2, 5), "formula": best.format(4),
    }  # fmt: skip


def by_law(rows: pd.DataFrame) -> pd.DataFrame:
    """How many seeds found the law, by potential and variant."""
    groups = rows.assign(found=rows.verdict == "recovered").groupby(["potential", "variant"], sort=False)
    return groups.agg(
        found=("found", "sum"), on_front=("on_front", "sum"), seeds=("seed", "size"), acpcr=("acpcr", "median"),
        r2=("r2", "median"), trimmed=("trimmed", "median"), target=("target", "first"),
    )  # fmt: skip


# ------------------------------------------------------------ units


@dataclass(frozen=True)
class UnitsRow:
    """A message read by a short search with one of three rules for units.

    ``units``: "none"; "free" (a constant takes the unit that is needed); "numbers" (constants have none). ``graphs`` is
    how many the network's training saw. Otherwise as in the laws.
    """

    potential: str
    variant: str
    seed: int
    graphs: int
    iterations: int
    units: str
    target: str
    trimmed: float
    verdict: str
    on_front: bool
    complexity: float
    fidelity: float
    formula: str


def with_units(potential: str, variant: str, seed: int, graphs: int, iterations: int, units: str) -> UnitsRow:
    """Read one network's most important message by a search that is told units, or not."""
    from ..evolution import EvolutionRegressor
    from .gnn import fitted

    with one_torch_thread():
        trained, test = fitted(potential, variant, seed, graphs)
        said = read_messages(trained.network, test)
    student = EvolutionRegressor(
        niterations=iterations, unary_operators=("square", "cube"), maxsize=22, model_selection="score",
        dimensionless_constants_only=units == "numbers",
    )  # fmt: skip
    learned, fit = distill_message(said, student=student, units=units != "none", random_state=seed), better(said)
    return UnitsRow(
        potential, variant, seed, graphs, iterations, units, fit.target, rounded(fit.r2_trimmed.min()),
        **_read(potential, learned, fit.target),
    )  # fmt: skip


def by_units(rows: pd.DataFrame) -> pd.DataFrame:
    """How many searches found the law, by potential and rule."""
    groups = rows.assign(found=rows.verdict == "recovered").groupby(["potential", "units"], sort=False)
    return groups.agg(
        found=("found", "sum"), on_front=("on_front", "sum"), seeds=("seed", "size"), fidelity=("fidelity", "median")
    )
