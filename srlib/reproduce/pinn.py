"""Physics-informed networks and the formulas of their students: Burgers' equation, the toy of document 003, u(x, t)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from .part import Part
from .pinn_burgers import SETTINGS, BurgersRow, solve
from .pinn_deepxde import PeerRow, peer, peers
from .pinn_shock import TIMES, ShockRow, shock
from .pinn_students import NOISES, PlaneRow, PolynomialRow, ToyRow, plane, polynomial, toy_student

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS"]


def medians(table: pd.DataFrame) -> pd.DataFrame:
    """Medians over the seeds, and the worst error."""
    groups = table.groupby("setting", sort=False)
    columns = ["e25", "e50", "e75", "error", "residual", "conditions", "evaluations", "seconds", "cpu"]
    return groups[columns].median().assign(worst=groups["error"].max(), seeds=groups.size())


def successes(table: pd.DataFrame) -> pd.DataFrame:
    """How many formulas are recovered, by the student's own choice and by the equation's."""
    groups = table.groupby("noise")
    return groups.agg(
        fit=("fit", lambda verdicts: (verdicts == "recovered").sum()),
        front=("front", "sum"),
        physics=("physics", lambda verdicts: (verdicts == "recovered").sum()),
        residual=("residual", "median"),
        cpu=("cpu", "median"),
        seeds=("seed", "size"),
    )


def _numbers(*keys: str):
    """Medians of all numbers, by these columns."""
    return lambda table: table.groupby(list(keys)).median(numeric_only=True).drop(columns="seed", errors="ignore")


def _each(names):
    return lambda seeds, budget: ((name, seed) for name, seed in product(names, range(seeds)))


PARTS = {
    "toy": Part(
        "3 sin(x) - 0.5 x from a network, with noise on its answers", "pinn_toy.csv", toy_student, ToyRow,
        ("noise", "seed"), _each(NOISES), 5, successes,
    ),
    "polynomial": Part(
        "The same without sin", "pinn_polynomial.csv", polynomial, PolynomialRow, ("seed",),
        lambda seeds, budget: ((seed,) for seed in range(seeds)), 5, _numbers("degree"),
    ),
    "plane": Part(
        "Formulas of x and t", "pinn_plane.csv", plane, PlaneRow, ("problem", "seed"), _each(("heat", "wave")), 3,
        _numbers("problem"),
    ),
    "shock": Part(
        "The shock of Burgers' equation at fixed times", "pinn_shock.csv", shock, ShockRow, ("time", "seed"),
        lambda seeds, budget: ((at, seed) for seed, at in product(range(seeds), TIMES)), 3, _numbers("time"),
    ),
    "lab": Part(
        "Burgers' equation at lab size: optimiser, points, weights", "pinn_lab.csv", solve, BurgersRow,
        ("setting", "seed"), lambda seeds, budget: (
            (name, seed) for seed, name in product(range(seeds), [name for name in SETTINGS if name != "raissi"])
        ), 3, medians,
    ),
    "burgers": Part(
        "Burgers' equation at the published size", "pinn_burgers.csv", solve, BurgersRow, ("setting", "seed"),
        _each(["raissi"]), 5, medians,
    ),
    "deepxde": Part(
        "Burgers' equation beside DeepXDE's demonstration", "pinn_deepxde.csv", peer, PeerRow, ("method", "seed"),
        peers, 3, _numbers("method"),
    ),
}  # fmt: skip
