"""Where a teacher is asked: a box of inputs, and the rows drawn from it, all or those where it is most certain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..validation import check_choice, check_number, check_range

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Box", "CertainBox"]

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


@dataclass(frozen=True)
class CertainBox:
    """A sampler for :func:`srlib.distill.distill` that draws from a box and keeps the rows of least uncertainty.

    Parameters
    ----------
    box : Box
        Its ``rows`` is how many are kept.
    uncertainty : callable
        ``uncertainty(X)`` gives one number for each row (rows, inputs), large where the teacher is not to be trusted,
        such as the residual of a :class:`~srlib.distill.pinn.PINN` or the spread of several. Its sign does not count.
    share : float
        The share of the drawn rows that is kept, above 0 and at most 1.

    Examples
    --------
    >>> near = CertainBox(Box({"x": (0, 1)}, rows=4, how="grid"), lambda X: X[:, 0], share=0.5)
    >>> near(0).x.round(2).tolist()
    [0.0, 0.14, 0.29, 0.43]
    """

    box: Box
    uncertainty: Callable[[np.ndarray], np.ndarray]
    share: float = 0.5

    def __post_init__(self):
        check_number("share", self.share, above=0, most=1)

    def __call__(self, rng) -> pd.DataFrame:
        """Rows of the box with its names, in the order in which they were drawn."""
        import pandas as pd

        drawn = replace(self.box, rows=int(np.ceil(self.box.rows / self.share))).sample(rng)
        doubt = np.abs(np.asarray(self.uncertainty(drawn), dtype=float))
        if doubt.shape != (len(drawn),):
            raise ValueError(f"uncertainty gives shape {doubt.shape} for {len(drawn)} rows: give ({len(drawn)},)")
        kept = np.sort(np.argsort(np.where(np.isnan(doubt), np.inf, doubt), kind="stable")[: self.box.rows])
        return pd.DataFrame(drawn[kept], columns=list(self.box.names))
