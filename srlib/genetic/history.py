"""Who came from whom: individuals, and the record of all generations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING

from ..expression import Expression

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History", "Individual"]


@dataclass(frozen=True, slots=True)
class Individual:
    """One member of a population.

    Attributes
    ----------
    expression : Expression
        Its formula.
    loss : float
        The prediction loss, in the target's units.
    fitness : float
        Loss and parsimony (:class:`~srlib.genetic.fitness.Fitness`); the lower the better.
    id : int
        Its number; no two individuals of a run share one.
    parents : tuple of int
        The numbers of its parents; none in the first generation.
    made_by : str
        The steps that made it, such as ``"crossover, point"``.
    """

    expression: Expression
    loss: float
    fitness: float
    id: int
    parents: tuple[int, ...] = ()
    made_by: str = "random"

    def to_dict(self) -> dict:
        """Plain data for JSON."""
        return {
            "expression": self.expression.to_dict(), "loss": self.loss, "fitness": self.fitness, "id": self.id,
            "parents": list(self.parents), "made_by": self.made_by,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict) -> Individual:
        """The individual that :meth:`to_dict` wrote."""
        return cls(
            **{**data, "expression": Expression.from_dict(data["expression"]), "parents": tuple(data["parents"])}
        )


class History:
    """All generations of a run.

    Attributes
    ----------
    generations : list of tuple of Individual
        The populations; the first is the random one (or where a resumed run began).
    first : int
        The number of the first one in the list.
    """

    def __init__(self, first: int = 0):
        self.first = first
        self.generations: list[tuple[Individual, ...]] = []

    def add(self, population: Iterable[Individual]) -> None:
        """Record the next generation."""
        self.generations.append(tuple(population))

    def __len__(self) -> int:
        return len(self.generations)

    def best(self, generation: int = -1) -> Individual:
        """The fittest individual of a generation."""
        return min(self.generations[generation], key=lambda individual: individual.fitness)

    def individual(self, id: int) -> Individual:
        """The individual of that number.

        Raises
        ------
        KeyError
            If there was none.
        """
        for population in self.generations:
            for individual in population:
                if individual.id == id:
                    return individual
        raise KeyError(f"there is no individual {id} in this history")

    def ancestry(self, individual: Individual) -> list[Individual]:
        """The individual and all its recorded ancestors, the youngest first."""
        known = {one.id: one for population in self.generations for one in population}
        found, to_visit = {individual.id: individual}, [individual]
        while to_visit:
            for parent in to_visit.pop().parents:
                if parent in known and parent not in found:
                    found[parent] = known[parent]
                    to_visit.append(known[parent])
        return sorted(found.values(), key=lambda one: -one.id)

    def table(self) -> pd.DataFrame:
        """One row per generation: best and median loss, mean size, the share of distinct formulas, the best one."""
        import pandas as pd

        rows = []
        for number, population in enumerate(self.generations, self.first):
            best = min(population, key=lambda one: one.fitness)
            rows.append(
                {
                    "generation": number,
                    "best_loss": best.loss,
                    "median_loss": median(one.loss for one in population),
                    "invalid": mean(not math.isfinite(one.loss) for one in population),
                    "best_complexity": best.expression.complexity,
                    "mean_size": mean(one.expression.size for one in population),
                    "distinct": len({one.expression for one in population}) / len(population),
                    "best": best.expression.format(4),
                }
            )
        return pd.DataFrame(rows)
