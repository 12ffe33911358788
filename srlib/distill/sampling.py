"""Where a teacher is asked: a box of inputs, and the rows drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..validation import check_choice, check_number, check_range

__all__ = ["Box"]

WAYS = ("halton", "latin", "uniform", "grid")


@dataclass(frozen=True)
class Box:
    """A range for each input, and how rows are drawn from it.

    Parameters
    ----------
    ranges : mapping
        By name of the input: (low, high), in the units of that input.
    rows : int
        How many rows. A grid has as many points along each input as fit into this number, and at least two.
    how : {"halton", "latin", "uniform", "grid"}
        "halton" and "latin" fill the box evenly (:class:`scipy.stats.qmc.Halton`, scrambled, and
        :class:`~scipy.stats.qmc.LatinHypercube`), "uniform" draws each row by itself.

    Raises
    ------
    ValueError
        If a range is none, or there are fewer than two rows.

    Examples
    --------
    >>> Box({"x": (-1, 1), "t": (0, 5)}, rows=9, how="grid").sample(0)[:4]
    array([[-1. ,  0. ],
           [-1. ,  2.5],
           [-1. ,  5. ],
           [ 0. ,  0. ]])
    """

    ranges: Mapping[str, tuple[float, float]]
    rows: int = 1000
    how: str = "halton"

    def __post_init__(self):
        if not isinstance(self.ranges, Mapping) or not self.ranges:
            raise ValueError(f"ranges is {self.ranges!r}: give a dictionary such as {{'x': (-1, 1), 't': (0, 5)}}")
        for name, limits in self.ranges.items():
            check_range(f"ranges[{name!r}]", limits)
        check_number("rows", self.rows, least=2, whole=True)
        check_choice("how", self.how, WAYS)

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs, in the order of the columns."""
        return tuple(map(str, self.ranges))

    def sample(self, random_state=None) -> np.ndarray:
        """Rows of the box, shape (rows, inputs); a grid needs no chance."""
        from scipy.stats import qmc

        low, high = np.array(list(self.ranges.values()), dtype=float).T  # (inputs,)
        rng = np.random.default_rng(random_state)
        if self.how == "grid":
            steps = max(2, int(self.rows ** (1 / len(low)) + 1e-9))
            axes = np.meshgrid(*np.linspace(low, high, steps).T, indexing="ij")
            return np.stack(axes, axis=-1).reshape(-1, len(low))
        if self.how == "uniform":
            unit = rng.random((self.rows, len(low)))
        else:
            kind = {"halton": qmc.Halton, "latin": qmc.LatinHypercube}[self.how]
            # the argument `seed` is called `rng` since scipy 1.15, and by position it means the same in both
            unit = _sampler(kind, len(low), rng).random(self.rows)
        return low + unit * (high - low)


def _sampler(kind, inputs: int, rng: np.random.Generator):
    try:
        return kind(inputs, rng=rng)
    except TypeError:  # scipy before 1.15
        return kind(inputs, seed=rng)
