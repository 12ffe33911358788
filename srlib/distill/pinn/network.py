"""A physics-informed network: trained so that its own derivatives satisfy a differential equation.

M. Raissi, P. Perdikaris and G. Karniadakis, J. Comput. Phys. 378 (2019) 686. No data are needed: the loss is the mean
square of the equation's residual at collocation points, plus that of each condition at points of the boundary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from ...meta.models import FlatModel
from .equations import DifferentialProblem

__all__ = ["PINN", "TanhNetwork"]


class TanhNetwork(nn.Module):
    """A fully connected tanh network whose inputs are scaled from the domain to [-1, 1].

    Parameters
    ----------
    low, high : array_like, shape (variables,)
        The domain.
    width, layers : int
        Units of each hidden layer, and how many there are.
    seed : int
        Weights are drawn by Xavier's normal rule, offsets start at 0.
    """

    def __init__(self, low, high, width: int = 20, layers: int = 4, seed: int = 0):
        super().__init__()
        low, high = (torch.as_tensor(np.asarray(one, dtype=float)) for one in (low, high))
        self.register_buffer("centre", (low + high) / 2)
        self.register_buffer("reach", (high - low) / 2)
        generator = torch.Generator().manual_seed(seed)
        sizes, parts = [len(low), *[width] * layers, 1], []
        for n, m in zip(sizes, sizes[1:], strict=False):
            layer = nn.Linear(n, m, dtype=torch.float64)
            nn.init.xavier_normal_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
            parts += [layer, nn.Tanh()]
        self.body = nn.Sequential(*parts[:-1])  # the output is linear

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """From points (rows, variables) to u (rows,)."""
        return self.body((points - self.centre) / self.reach).squeeze(-1)


@dataclass(frozen=True)
class PINN:
    """A trained network as a function: call it with a table of points; it can be a teacher.

    Attributes
    ----------
    problem : DifferentialProblem
    model : FlatModel
        The network as a function of its parameters.
    theta : Tensor, shape (parameters,)
    history : tuple of (int, float, float)
        Evaluations of loss and gradient, seconds, and the loss there. Losses before and after new points or weights
        cannot be compared.
    parts : mapping of str to float
        Mean squares at the end: "residual", and each condition by its text.
    weights : mapping of str to float
        What they were multiplied by.
    points : ndarray, shape (rows, variables)
        The last collocation points.
    reason : {"completed", "time_limit", "callback", "interrupted"}
        Why the training ended.
    """

    problem: DifferentialProblem
    model: FlatModel = field(repr=False)
    theta: torch.Tensor = field(repr=False)
    history: tuple = field(default=(), repr=False)
    parts: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    points: np.ndarray | None = field(default=None, repr=False)
    reason: str = "completed"

    def __call__(self, X) -> np.ndarray:
        """The network's u at points (rows, variables), (rows,)."""
        with torch.no_grad():
            return self._network(self._points(X)).numpy()

    def residual(self, X) -> np.ndarray:
        """The equation's residual at points (rows, variables), (rows,)."""
        return self.problem.residual.torch(self._network, self._points(X)).detach().numpy()

    def at(self, **fixed: float) -> Callable[[np.ndarray], np.ndarray]:
        """The network with some variables fixed, as a function of the others: ``pinn.at(t=0.5)`` is one of x.

        Returns
        -------
        callable
            From points (rows, other variables) to u (rows,).
        """
        names = self.problem.names
        unknown = set(fixed) - set(names)
        if unknown or len(fixed) >= len(names):
            raise ValueError(f"fixed is {fixed}: fix some, not all, of {', '.join(names)}")
        return lambda X: self(_insert(np.asarray(X, dtype=float), names, fixed))

    def on_grid(self, *rows: int) -> np.ndarray:
        """The solution on ``problem.grid(*rows)``, as an array of shape ``rows``."""
        return self(self.problem.grid(*rows)).reshape(rows)

    def error(self, *rows: int) -> float:
        """The relative L2 error against the problem's reference on ``problem.grid(*rows)``.

        Raises
        ------
        ValueError
            If the problem has no reference.
        """
        if self.problem.reference is None:
            raise ValueError(f"the problem {self.problem.name!r} has no reference solution to compare with")
        X = self.problem.grid(*rows)
        truth = self.problem.reference(X)
        return float(np.linalg.norm(self(X) - truth) / np.linalg.norm(truth))

    def _points(self, X) -> torch.Tensor:
        X = np.asarray(X, dtype=float)
        if X.ndim == 1 and len(self.problem.names) == 1:
            X = X[:, None]
        if X.ndim != 2 or X.shape[1] != len(self.problem.names):
            raise ValueError(f"X has shape {X.shape}: give (rows, {len(self.problem.names)}), the columns "
                             f"{', '.join(self.problem.names)}")  # fmt: skip
        return torch.tensor(X)

    def _network(self, points: torch.Tensor) -> torch.Tensor:
        return self.model.one(self.theta, points)[:, 0]


def _insert(X: np.ndarray, names: Sequence[str], fixed: Mapping[str, float]) -> np.ndarray:
    """Points with the fixed variables put between the others, (rows, variables)."""
    X = X[:, None] if X.ndim == 1 else X
    free = iter(X.T)
    return np.stack([np.full(len(X), float(fixed[n])) if n in fixed else next(free) for n in names], axis=1)
