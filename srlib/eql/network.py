"""The equation-learner network, for many independent trials at a time.

All weights of all trials lie in one tensor of shape (trials, weights), of which the layers' matrices are views. Values
have the shape (trials, units, rows): the units of one kind then lie together, and one operation serves all trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch

from .units import PAPER_UNITS, SMALLEST_DENOMINATOR, Unit, read_units

__all__ = ["Architecture", "EQLNetwork", "Tape", "backward", "forward"]


@dataclass(frozen=True)
class Architecture:
    """How a network is built: hidden layers that are all alike, and one linear output.

    A layer is a matrix without offsets (constant units stand in for them), then its units. Units without arguments
    have no column in the matrix.

    Attributes
    ----------
    features : int
        Columns of the data.
    units : tuple of (Unit, int)
        The kinds of units in a layer, and how many of each.
    layers : int
        Hidden layers.

    Examples
    --------
    >>> Architecture(1, read_units(PAPER_UNITS), layers=2).shapes
    ((1, 18), (18, 18), (18, 1))
    """

    features: int
    units: tuple[tuple[Unit, int], ...]
    layers: int = 2

    @cached_property
    def width(self) -> int:
        """Outputs of a layer."""
        return sum(copies for _, copies in self.units)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape of each layer's matrix, and of the output's."""
        arguments = sum(copies * unit.arity for unit, copies in self.units)
        inputs = [self.features, *[self.width] * self.layers]
        return tuple((n, arguments if k < self.layers else 1) for k, n in enumerate(inputs))

    @cached_property
    def size(self) -> int:
        """The number of weights."""
        return sum(n * m for n, m in self.shapes)

    def matrices(self, flat: torch.Tensor) -> list[torch.Tensor]:
        """The layers' matrices, (trials, inputs, arguments) each, as views of a tensor (trials, weights)."""
        parts = flat.split([n * m for n, m in self.shapes], dim=-1)
        return [part.unflatten(-1, shape) for part, shape in zip(parts, self.shapes, strict=True)]

    @cached_property
    def slots(self) -> tuple[tuple[Unit, int, int], ...]:
        """For each kind of unit: the unit, where its arguments begin in a layer, and how many copies there are."""
        found, at = [], 0
        for unit, copies in self.units:
            found.append((unit, at, copies))
            at += copies * unit.arity
        return tuple(found)

    def arguments(self, unit: int) -> tuple[Unit, tuple[int, ...]]:
        """The kind of a layer's unit by its number, and the columns that are its arguments."""
        for kind, at, copies in self.slots:
            if unit < copies:
                return kind, tuple(at + unit + k * copies for k in range(kind.arity))
            unit -= copies
        raise IndexError(f"a layer has {self.width} units, 0 to {self.width - 1}")


class Tape(NamedTuple):
    """What a forward pass leaves for the backward pass; both by layer."""

    inputs: list[torch.Tensor]  # (trials, inputs, rows)
    arguments: list[torch.Tensor]  # (trials, arguments, rows)


def _parts(layer: torch.Tensor, at: int, copies: int, arity: int) -> tuple[torch.Tensor, ...]:
    """The arguments of one kind of unit, each (trials, copies, rows)."""
    return tuple(layer.narrow(-2, at + k * copies, copies) for k in range(arity))


def forward(
    architecture: Architecture, matrices: Sequence[torch.Tensor], X: torch.Tensor, least: float = SMALLEST_DENOMINATOR
) -> tuple[torch.Tensor, Tape]:
    """The outputs of all trials.

    Parameters
    ----------
    architecture : Architecture
    matrices : sequence of Tensor
        :meth:`Architecture.matrices`.
    X : Tensor, shape (features, rows) or (trials, features, rows)
        The table by its columns, for all trials or one for each.
    least : float
        Guarded arguments must be above it (:class:`~srlib.eql.Unit`).

    Returns
    -------
    Tensor, shape (trials, rows)
    Tape
    """
    inputs, arguments, h = [], [], X
    for W in matrices[:-1]:
        inputs.append(h)
        z = torch.matmul(W.mT, h)  # (trials, arguments, rows)
        arguments.append(z)
        values = []
        for unit, at, copies in architecture.slots:
            value = unit.torch(*_parts(z, at, copies, unit.arity), least=least)
            if not isinstance(value, torch.Tensor):
                value = z.new_full((1, 1, 1), value).expand(len(z), copies, z.shape[-1])
            values.append(value)
        h = torch.cat(values, dim=-2)  # (trials, units, rows)
    inputs.append(h)
    return torch.matmul(matrices[-1].mT, h).squeeze(-2), Tape(inputs, arguments)


def backward(
    architecture: Architecture,
    matrices: Sequence[torch.Tensor],
    tape: Tape,
    upstream: torch.Tensor,
    least: float = SMALLEST_DENOMINATOR,
    share: torch.Tensor | None = None,
) -> list[torch.Tensor]:
    """The derivatives of the output by what each matrix gives: ``upstream`` times the slopes, layer by layer.

    With ``delta`` of a layer and its inputs ``h``, a weight ``W[i, j]`` has the derivative ``h[i] delta[j]`` in each
    row: summed over the rows that is a gradient, and row by row a Jacobian.

    Parameters
    ----------
    upstream : Tensor, shape (trials, rows)
        The derivative of something by the output of each row.
    least : float
        As in :func:`forward`.
    share : Tensor, shape (rows,), optional
        Adds the derivative of EQL-div's penalty ``max(least - b, 0)`` of guarded arguments, a mean with these weights.

    Returns
    -------
    list of Tensor, shape (trials, arguments, rows)
        One for each matrix.
    """
    deltas = [upstream.unsqueeze(-2)]
    for layer in reversed(range(architecture.layers)):
        d = torch.matmul(matrices[layer + 1], deltas[0])  # (trials, units, rows)
        z, parts, at_unit = tape.arguments[layer], [], 0
        for unit, at, copies in architecture.slots:
            own = d.narrow(-2, at_unit, copies)
            at_unit += copies
            arguments = _parts(z, at, copies, unit.arity)
            for slope in unit.torch_slopes(*arguments, least=least):
                parts.append(own if isinstance(slope, float) and slope == 1.0 else own * slope)
            if unit.guard_value is not None and share is not None:
                parts[-1] = parts[-1] - share * (arguments[-1] <= least)
        deltas.insert(0, torch.cat(parts, dim=-2))
    return deltas


class EQLNetwork(torch.nn.Module):
    """An equation learner as a torch module: to look at, to train by hand, or as a part of a larger model.

    Parameters
    ----------
    features : int
        Inputs.
    units : mapping or sequence
        See :func:`srlib.eql.read_units`.
    layers : int
        Hidden layers.
    trials : int
        Independent networks that run together.
    scales : sequence of float
        Standard deviations of the first weights: of the first layer, those between, and the output (by default those
        of the paper's code).
    seed : int
        Trial k starts from the same weights whatever the number of trials.
    dtype : torch.dtype

    Examples
    --------
    >>> network = EQLNetwork(features=2, trials=3)
    >>> network(torch.zeros(5, 2)).shape
    torch.Size([3, 5])
    """

    def __init__(
        self, features, units=PAPER_UNITS, layers=2, trials=1, scales=(0.1, 0.5, 1.0), seed=0, dtype=torch.float32
    ):
        from .training import initial_weights

        super().__init__()
        self.architecture = Architecture(features, read_units(units), layers)
        start = initial_weights(self.architecture, [(seed, trial) for trial in range(trials)], scales)
        self.flat = torch.nn.Parameter(start.to(dtype))  # (trials, weights)

    @property
    def matrices(self) -> list[torch.Tensor]:
        """The layers' matrices, (trials, inputs, arguments) each."""
        return self.architecture.matrices(self.flat)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """The outputs, shape (trials, rows), for ``X`` of shape (rows, features) or (trials, rows, features)."""
        if X.shape[-1] != self.architecture.features:
            raise ValueError(f"X has {X.shape[-1]} columns, but the network {self.architecture.features} inputs")
        return forward(self.architecture, self.matrices, X.mT)[0]

    def expression(self, trial: int = 0, threshold: float = 0.0, names=None):
        """What a trial computes, as a formula without the weights up to ``threshold``."""
        from .extraction import to_expression

        return to_expression(self.architecture, self.flat[trial].detach().double().cpu().numpy(), threshold, names)

    def extra_repr(self) -> str:
        a = self.architecture
        kinds = ", ".join(f"{copies} {unit.name}" for unit, copies in a.units)
        return f"{len(self.flat)} trials of {a.features} inputs, {a.layers} layers of {kinds}; {a.size} weights each"
