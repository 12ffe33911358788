"""Physics-informed networks and the formulas of their students: Burgers' equation, the toy of document 003, heat."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from .part import Part
from .pinn_burgers import SETTINGS, BurgersRow, solve

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS"]


def medians(table: pd.DataFrame) -> pd.DataFrame:
    """Medians over the seeds, and the worst error."""
    groups = table.groupby("setting", sort=False)
    columns = ["e25", "e50", "e75", "error", "residual", "conditions", "evaluations", "seconds", "cpu"]
    return groups[columns].median().assign(worst=groups["error"].max(), seeds=groups.size())


def _settings(names):
    return lambda seeds, budget: ((name, seed) for name, seed in product(names, range(seeds)))


PARTS = {
    "lab": Part(
        "Burgers' equation at lab size: optimiser, points, weights", "pinn_lab.csv", solve, BurgersRow,
        ("setting", "seed"), _settings([name for name in SETTINGS if name != "raissi"]), 3, medians,
    ),
    "burgers": Part(
        "Burgers' equation at the published size", "pinn_burgers.csv", solve, BurgersRow, ("setting", "seed"),
        _settings(["raissi"]), 5, medians,
    ),
}  # fmt: skip
