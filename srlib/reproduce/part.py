"""What a set of published results is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Part", "rounded"]


def rounded(value: float, digits: int = 4) -> float:
    """A number with so many digits, for a table."""
    return float(f"{value:.{digits}g}")


@dataclass(frozen=True)
class Part:
    """A file of runs.

    Attributes
    ----------
    title, file : str
    run : callable
        Does one: ``run(*job)`` gives its row.
    row : type
        The dataclass of a row.
    key : tuple of str
        The fields that tell one job from another.
    jobs : callable
        ``jobs(seeds, budget)`` gives the arguments of all runs.
    seeds : int
        How many by default.
    summary : callable
        A table for the end, from all rows.
    """

    title: str
    file: str
    run: Callable
    row: type
    key: tuple[str, ...]
    jobs: Callable[[int, float | None], Iterator[tuple]]
    seeds: int
    summary: Callable[[pd.DataFrame], pd.DataFrame]
