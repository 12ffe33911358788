"""A user's parameters as a search reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from ..expression import Expression
from ..operators import Operator
from .settings import Settings

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """A user's parameters, read."""

    operators: tuple[Operator, ...]
    settings: Settings
    maxsize: float
    maxdepth: int | None
    limits: Mapping
    loss: tuple[int, float, int]
    batching: bool | str
    batch_size: int
    select_k_features: int | None
    denoise: bool
    guesses: Sequence[Expression]
    units: tuple | None
    readable: bool
    executor: Executor | None
    n_jobs: int
    until_exact: bool
    time_limit: float | None
