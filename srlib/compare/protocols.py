"""The sets of runs that have a name: what is run, how often, and what is printed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from .laws import PUBLISHED, LawRow, by_law, by_level, empirical, noise
from .methods import SETS
from .peers import ABLATIONS, RACERS
from .picked import Row, run_one, summary
from .race import RaceRow, per_problem, race, ratios, totals
from .scaling import ScalingRow, bounds, scaling, speed_ups
from .tasks import TASKS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PROTOCOLS", "Protocol"]


@dataclass(frozen=True)
class Protocol:
    """A set of runs.

    Attributes
    ----------
    run : callable
        Does one: ``run(*values)`` gives its row.
    row : type
        The dataclass of its result.
    values : dict
        The arguments of ``run``, which are also fields of the row, and the values that each takes.
    order : sequence of str
        The arguments from the one that changes least to the one that changes most from run to run.
    tables : callable
        Gives what is printed at the end, by title.
    path : str
        The CSV file.
    skip : callable
        Whether a run is left out, from the dictionary of its arguments.
    """

    run: Callable[..., Any]
    row: type
    values: Mapping[str, Sequence]
    order: Sequence[str]
    tables: Callable[[pd.DataFrame], Mapping[str, pd.DataFrame]]
    path: str
    skip: Callable[[Mapping[str, Any]], bool] = lambda job: False

    def jobs(self, **chosen: Sequence) -> Iterator[tuple]:
        """The arguments of each run, with other values in the place of some."""
        values = {**self.values, **chosen}
        for combination in product(*(values[name] for name in self.order)):
            job = dict(zip(self.order, combination, strict=True))
            if not self.skip(job):
                yield tuple(job[name] for name in self.values)


def _race_tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    ours = "evolution" if "evolution" in set(table["method"]) else "ablation: default"
    return {
        "Solved and median seconds, by problem": per_problem(table),
        "All problems": totals(table),
        "Time of others as a multiple of ours": ratios(table, ours),
    }


def _race(tasks: Sequence[str], methods: Sequence[str], path: str, seeds: int) -> Protocol:
    return Protocol(
        race, RaceRow,
        {"method": methods, "problem": tasks, "seed": range(seeds), "threads": (1,), "budget": (10.0,)},
        ("budget", "threads", "seed", "problem", "method"), _race_tables, path,
        skip=lambda job: job["method"] == "gplearn" and job["seed"] >= 3,  # it needs its whole budget nearly always
    )  # fmt: skip


PEERS = tuple(name for name in RACERS if not name.startswith("ablation"))
HARD = (
    "b4", "b6", "b7", "nguyen-5", "nguyen-6", "I.29.16", "I.44.4", "III.10.19", "planck", "bode",
    "II.35.18", "resonance",
)  # fmt: skip

PROTOCOLS: dict[str, Protocol] = {
    "gplearn": Protocol(
        run_one, Row, {"method": SETS["gplearn"][0], "problem": SETS["gplearn"][1], "seed": range(10)},
        ("seed", "problem", "method"), lambda table: {"Laws recovered": summary(table)}, "compare_gplearn.csv",
    ),
    "peers": _race(TASKS["peers"], PEERS, "peers.csv", 10),
    "peers-heldout": _race(TASKS["peers-heldout"], PEERS, "peers-heldout.csv", 10),
    "ablation": _race(HARD, tuple(f"ablation: {name}" for name in ABLATIONS), "engine_ablation.csv", 3),
    "empirical": Protocol(
        empirical, LawRow, {"problem": tuple(PUBLISHED), "seed": range(5), "threads": (2,), "budget": (60.0,)},
        ("budget", "threads", "seed", "problem"), lambda table: {"EmpiricalBench": by_law(table)}, "empirical.csv",
    ),
    "noise": Protocol(
        noise, LawRow,
        {
            "problem": tuple(f"b{i}" for i in range(1, 9)), "level": (0.0, 0.001, 0.01, 0.1), "seed": range(5),
            "threads": (1,), "budget": (10.0,),
        },
        ("budget", "threads", "seed", "level", "problem"), lambda table: {"Law on the front": by_level(table)},
        "noise.csv",
    ),
    "scaling": Protocol(
        scaling, ScalingRow,
        {"executor": ("threads", "processes"), "workers": (1, 2), "seed": range(3), "budget": (20.0,)},
        ("budget", "seed", "executor", "workers"),
        lambda table: {"Throughput": speed_ups(table), "The most that more workers could give": bounds(table)},
        "scaling.csv",
    ),
}  # fmt: skip
