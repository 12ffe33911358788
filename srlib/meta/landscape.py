"""A model of two parameters, on which one sees what joint training and MAML look for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..eql.search import one_torch_thread
from .adapt import inner_loop, squared_errors
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
    first, second = np.asarray(first), np.asarray(second)
    places = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)  # (places, 2)
    tasks = tasks.to(flat.start.dtype)
    every = [part.repeat(len(places), 1, 1) for part in (tasks.x_support, tasks.y_support)]  # all tasks at each place
    x, y = (part.repeat(len(places), 1, 1) for part in (tasks.x_query, tasks.y_query))
    theta = torch.from_numpy(places).to(flat.start.dtype).repeat_interleave(len(tasks), dim=0).requires_grad_()

    def summed(adapted) -> tuple[np.ndarray, np.ndarray]:  # over the tasks: their mean error and its slopes
        errors = squared_errors(flat(adapted, x), y)
        slopes = torch.autograd.grad(errors.sum(), theta)[0]
        return tuple(
            one.detach().numpy().reshape(len(second), len(first), len(tasks), -1).mean(axis=2)
            for one in (errors, slopes)
        )

    joint, joint_gradient = summed(theta)
    for adapted in inner_loop(flat, theta, *every, inner_steps, rate, method, order):
        after = adapted
    maml, maml_gradient = summed(after)
    return Landscape(first, second, joint[..., 0], maml[..., 0], joint_gradient, maml_gradient)
