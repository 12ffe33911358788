"""Learned optimisers: recurrent networks, the same for each coordinate.

DM is the coordinate-wise LSTM of M. Andrychowicz et al. (arXiv 1606.04474); RNNprop (RP) that of K. Lv, S. Jiang and J.
Li (arXiv 1703.03633), which sees Adam's normalised gradient and its average; RP_s and RP_si are document 001's small
version, and the small one that sees more.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ...validation import check_number
from .features import Features
from .rules import Rule, Scale

__all__ = ["RecurrentRule", "dm", "rnnprop", "rp_s", "rp_si"]


class RecurrentRule(Rule):
    """An update rule by LSTM cells: features, a linear layer with ELU (if any), cells, a linear layer.

    Parameters
    ----------
    features : Features
    hidden : sequence of int
        The size of each LSTM cell.
    preproc : int
        Units of the layer before them; 0 for none.
    bounded : bool
        Whether the update is the tanh of the output.
    skip : sequence of float, optional
        The output begins as this combination of the features, and the cells' share of it at 0: meta-training then
        starts from a rule that descends, and not from nothing (ours; None begins at random, as in the literature).
    scale : float or Tensor
        0.01 in the literature, whose runs are longer.
    seed : int
        Of the first weights.
    dtype : torch.dtype
    """

    def __init__(
        self, features: Features, hidden: Sequence[int] = (20, 20), preproc: int = 0, bounded: bool = False,
        skip: Sequence[float] | None = None, scale: Scale = 0.05, seed: int = 0, dtype=torch.float32,
    ):  # fmt: skip
        super().__init__(features, scale)
        check_number("preproc", preproc, least=0, whole=True)
        if not len(hidden):
            raise ValueError("hidden is empty: give the size of each LSTM cell, such as (20, 20)")
        if skip is not None and len(skip) != len(features):
            raise ValueError(f"skip has {len(skip)} numbers for {len(features)} features: give one for each")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            size = preproc or len(features)
            self.first = nn.Sequential(nn.Linear(len(features), preproc), nn.ELU()) if preproc else nn.Identity()
            self.cells = nn.ModuleList()
            for width in hidden:
                self.cells.append(nn.LSTMCell(size, width))
                size = width
            self.last = nn.Linear(size, 1)
        self.bounded, self.skip = bounded, None
        if skip is not None:
            self.skip = nn.Parameter(torch.tensor(skip, dtype=torch.float32))
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)
        self.to(dtype)

    def extra_repr(self) -> str:
        return f"bounded={self.bounded}, skip={self.skip is not None}"

    def start(self, theta):
        """The features' state, and zeros for each cell, theta's shape + (width,)."""
        state = super().start(theta)
        for at, cell in enumerate(self.cells):
            for part in "hc":
                state[f"{part}{at}"] = theta.new_zeros(*theta.shape, cell.hidden_size)
        return state

    def update(self, columns, state):
        """The network's output, and the cells' states."""
        shape = next(column.shape for column in columns if column.ndim)
        inputs = torch.stack([column.expand(shape) for column in columns], dim=-1)
        inputs = inputs.reshape(-1, len(columns)).to(self.last.weight.dtype)  # (coordinates, features)
        x, own = self.first(inputs), {}
        for at, cell in enumerate(self.cells):
            before = tuple(state[f"{part}{at}"].reshape(-1, cell.hidden_size).to(x.dtype) for part in "hc")
            x, memory = cell(x, before)
            own[f"h{at}"], own[f"c{at}"] = (one.view(*shape, -1) for one in (x, memory))
        output = self.last(x)[:, 0]
        if self.skip is not None:
            output = output + inputs @ self.skip
        output = output.tanh() if self.bounded else output
        return output.view(shape).to(columns[0].dtype), own


def dm(hidden: Sequence[int] = (20, 20), scale: Scale = 0.05, seed: int = 0, skip=(0.0, -0.3)) -> RecurrentRule:
    """DM: an LSTM that sees the logarithm and the sign of the gradient.

    Document 001's code has this preprocessing too, but leaves it off: its DM sees the gradient itself.
    """
    return RecurrentRule(Features(["logg", "signg"]), hidden, skip=skip, scale=scale, seed=seed)


def rnnprop(
    hidden: Sequence[int] = (20, 20), preproc: int = 20, features: Sequence[str] = ("mt", "gt"), scale: Scale = 0.05,
    seed: int = 0, skip="descend",
) -> RecurrentRule:  # fmt: skip
    """RNNprop: sees ``mt`` and ``gt``, and is bounded by tanh.

    ``skip="descend"`` begins with ``-0.3*mt - 0.05*gt``; see :class:`RecurrentRule`.
    """
    if isinstance(skip, str):
        first = {"mt": -0.3, "gt": -0.05}
        skip = [first.get(name, 0.0) for name in features]
    return RecurrentRule(Features(features), hidden, preproc, True, skip, scale, seed)


def rp_s(scale: Scale = 0.05, seed: int = 0, skip="descend") -> RecurrentRule:
    """The small version, RP_s: one cell of 7 after 6 units."""
    return rnnprop((7,), 6, scale=scale, seed=seed, skip=skip)


def rp_si(scale: Scale = 0.05, seed: int = 0, skip="descend") -> RecurrentRule:
    """The small version with more to see, RP_si: three averages, normalised with the powers 2, 2.5 and 3."""
    return rnnprop((7,), 6, ("mt", "mt25", "mt30"), scale, seed, skip)
