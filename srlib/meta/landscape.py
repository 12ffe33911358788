"""A model of two parameters, on which one sees what joint training and MAML look for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..eql.search import one_torch_thread
from .adapt import squared_errors
from .maml import meta_gradient
from .models import FlatModel
from .tasks import Tasks

__all__ = ["Landscape", "TwoParameters", "landscape"]


class TwoParameters(nn.Module):
    """``sin(first*x + second)``: a frequency (radians per unit of x) and a phase, and nothing else."""

    def __init__(self, frequency: float = 1.0, phase: float = 0.0):
        super().__init__()
        self.values = nn.Parameter(torch.tensor([frequency, phase], dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The value at each x (points, 1), shape (points,)."""
        return torch.sin(self.values[0] * x[:, 0] + self.values[1])


@dataclass(frozen=True)
class Landscape:
    """Mean query errors over a grid of two parameters, and their downhill directions.

    Attributes
    ----------
    first, second : ndarray, shape (n,), (m,)
        The grid.
    joint, maml : ndarray, shape (m, n)
        The mean error over the tasks before, and after adaptation from there.
    joint_gradient, maml_gradient : ndarray, shape (m, n, 2)
    """

    first: np.ndarray
    second: np.ndarray
    joint: np.ndarray
    maml: np.ndarray
    joint_gradient: np.ndarray
    maml_gradient: np.ndarray


@one_torch_thread()
def landscape(
    model: nn.Module, tasks: Tasks, first: np.ndarray, second: np.ndarray, rate: float = 0.01, inner_steps: int = 1,
    order: int = 2, method=None,
) -> Landscape:  # fmt: skip
    """The objectives of joint training and of MAML on a grid, for a model with exactly two parameters.

    Parameters
    ----------
    model : torch.nn.Module
        Such as :class:`TwoParameters`.
    tasks : Tasks
    first, second : ndarray
        Values of the two parameters.
    rate, inner_steps, order, method
        As in :func:`srlib.meta.maml`.
    """
    flat = FlatModel(model)
    if flat.size != 2:
        raise ValueError(f"model has {flat.size} parameters: a landscape is drawn over two")
    shape = len(second), len(first)
    values, slopes = np.zeros((2, *shape)), np.zeros((2, *shape, 2))
    tasks = tasks.to(flat.start.dtype)
    for at in np.ndindex(*shape):
        theta = torch.tensor([first[at[1]], second[at[0]]], dtype=flat.start.dtype)
        by_theta, _, before, after = meta_gradient(flat, theta, tasks, rate, inner_steps, method, order)
        values[0][at], values[1][at] = before.mean().item(), after.mean().item()
        slopes[1][at] = by_theta.mean(dim=0).numpy()
        start = theta.expand(len(tasks), 2).clone().requires_grad_()
        error = squared_errors(flat(start, tasks.x_query), tasks.y_query).sum()
        slopes[0][at] = torch.autograd.grad(error, start)[0].mean(dim=0).numpy()
    return Landscape(np.asarray(first), np.asarray(second), *values, *slopes)
