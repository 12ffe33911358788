"""Rows where a teacher is most certain, to ask it there and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...validation import check_number
from ..sampling import Box

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CertainBox"]


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
