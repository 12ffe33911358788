"""The inner loop: from one set of parameters to one for each task, by a few steps on the support sets.

All methods share it: MAML takes these steps while it trains and differentiates through them; everything is evaluated
by them. A step is computed for all tasks at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..eql.search import one_torch_thread
from ..validation import check_number
from .models import FlatModel
from .tasks import Tasks

__all__ = ["Adam", "Adapted", "GaussNewton", "GradientDescent", "adapt", "inner_loop", "squared_errors"]

DIVERGED = 1e6  # a support error so many times that at the start, or the target's mean square, has diverged


def squared_errors(predictions: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The mean squared error of each task, (tasks,)."""
    return (predictions - y).square().mean(dim=(-2, -1))


@dataclass(frozen=True)
class GradientDescent:
    """``theta - rate * gradient`` of the mean squared error (document 000, algorithm 1, line 6).

    Attributes
    ----------
    clip : float, optional
        Gradient entries are cut to this size first.
    """

    clip: float | None = None

    def begin(self, theta: torch.Tensor):
        """What the method remembers from step to step."""
        return None

    def step(self, model: FlatModel, theta, x, y, rate, memory, create_graph: bool):
        """The change of theta (tasks, parameters), and the new memory."""
        gradient = _gradient(model, theta, x, y, create_graph)
        if self.clip is not None:
            gradient = gradient.clamp(-self.clip, self.clip)
        return -rate * gradient, memory


@dataclass(frozen=True)
class Adam:
    """Adam (D. Kingma and J. Ba, arXiv 1412.6980) as the inner optimiser."""

    decay: float = 0.9
    decay_of_squares: float = 0.999
    epsilon: float = 1e-8

    def begin(self, theta: torch.Tensor):
        """The means of gradients and of their squares, and the number of steps."""
        return torch.zeros_like(theta), torch.zeros_like(theta), 0

    def step(self, model: FlatModel, theta, x, y, rate, memory, create_graph: bool):
        """The change of theta (tasks, parameters), and the new memory."""
        gradient = _gradient(model, theta, x, y, create_graph)
        mean, square, steps = memory
        mean = self.decay * mean + (1 - self.decay) * gradient
        square = self.decay_of_squares * square + (1 - self.decay_of_squares) * gradient * gradient
        steps += 1
        corrected = mean / (1 - self.decay**steps)
        # the root of 0 has no slope, and second order needs one
        root = (square / (1 - self.decay_of_squares**steps) + self.epsilon**2).sqrt()
        return -rate * corrected / (root + self.epsilon), (mean, square, steps)


@dataclass(frozen=True)
class GaussNewton:
    """A damped Gauss-Newton step whose metric are the rates, and whose damping falls with the error.

    With residuals r (points,), Jacobian J (points, parameters), rates R and the current mean squared error s it is
    ``-R J^T (J R J^T + points*s*I)^-1 r``: the most probable change if the parameters have the prior variances R and
    the points errors of variance s. Damping by the error itself keeps Newton's quadratic convergence where the error
    can vanish (N. Yamashita and M. Fukushima 2001). The equations have as many unknowns as there are support points,
    so that a step is cheap where these are few.

    Attributes
    ----------
    floor : float
        Added to s; 1e-12 keeps the equations solvable in float64.
    """

    floor: float = 1e-12

    def begin(self, theta: torch.Tensor):
        """Nothing is remembered."""
        return None

    def step(self, model: FlatModel, theta, x, y, rate, memory, create_graph: bool):
        """The change of theta (tasks, parameters), and the memory."""
        J = model.jacobian(theta, x)  # (tasks, points, parameters)
        residuals = model(theta, x) - y  # (tasks, points, 1)
        scaled = J * (rate[..., None, :] if isinstance(rate, torch.Tensor) and rate.ndim else rate)
        points = x.shape[1]
        damping = points * (residuals.square().mean(dim=1, keepdim=True) + self.floor)  # (tasks, 1, 1)
        H = scaled @ J.mT + damping * torch.eye(points, dtype=x.dtype)
        answer, _ = torch.linalg.solve_ex(H, residuals)
        return -(scaled.mT @ answer).squeeze(-1), memory


def _gradient(model: FlatModel, theta, x, y, create_graph: bool) -> torch.Tensor:
    """The gradient of each task's error by its own parameters, (tasks, parameters)."""
    error = squared_errors(model(theta, x), y).sum()  # a task's parameters appear in its own term only
    return torch.autograd.grad(error, theta, create_graph=create_graph)[0]


def inner_loop(model: FlatModel, theta, x, y, steps: int, rate, method=None, order: int = 2):
    """Yield the parameters (tasks, parameters) after each step; differentiable by ``theta`` and ``rate``.

    Parameters
    ----------
    theta : Tensor, shape (tasks, parameters)
        For order 2 it must require a gradient.
    x, y : Tensor, shape (tasks, points, features), (tasks, points, 1)
    rate : float or Tensor, shape (parameters,) or (tasks, parameters)
    order : {1, 2}
        2 differentiates through the steps; 1 takes the gradients as constants.
    """
    method = method or GradientDescent()
    memory = method.begin(theta)
    for _ in range(steps):
        if order == 2:
            change, memory = method.step(model, theta, x, y, rate, memory, True)
        else:
            change, memory = method.step(model, theta.detach().requires_grad_(), x, y, rate, memory, False)
        theta = theta + change
        yield theta


@dataclass(frozen=True)
class Adapted:
    """What an adaptation gives.

    Attributes
    ----------
    steps : tuple of int
        The steps that are kept; 0 is before the first one.
    theta : Tensor, shape (kept steps, tasks, parameters)
    predictions : Tensor, shape (kept steps, tasks, query points, 1)
    support_errors, query_errors : Tensor, shape (kept steps, tasks)
        Mean squared errors, without any penalty; infinite after a task has diverged.
    diverged : Tensor of bool, shape (tasks,)
    """

    steps: tuple[int, ...]
    theta: torch.Tensor
    predictions: torch.Tensor
    support_errors: torch.Tensor
    query_errors: torch.Tensor
    diverged: torch.Tensor


@one_torch_thread()
def adapt(
    model: FlatModel | torch.nn.Module, theta: torch.Tensor | None, tasks: Tasks, steps: int = 5, rate=0.01,
    method=None, keep: Sequence[int] | None = None, alive: torch.Tensor | None = None,
) -> Adapted:  # fmt: skip
    """Adapt to each task by itself, and predict its query set after every step.

    Parameters
    ----------
    model : torch.nn.Module or FlatModel
    theta : Tensor, shape (parameters,) or (tasks, parameters), optional
        Where to begin; by default the module's own parameters.
    tasks : Tasks
    steps : int
    rate : float or Tensor, shape (parameters,)
        The inner rate, one for all parameters or one for each.
    method : GradientDescent, Adam or GaussNewton, optional
        By default plain gradient descent.
    keep : sequence of int, optional
        Which steps to keep; by default all.
    alive : Tensor of bool, shape (parameters,) or (tasks, parameters), optional
        Parameters that may change; by default all.

    Returns
    -------
    Adapted
        A task whose error grows beyond all bounds is marked as diverged and stays where it was last finite; a warning
        says so, and the other tasks go on.
    """
    model = model if isinstance(model, FlatModel) else FlatModel(model)
    check_number("steps", steps, least=0, whole=True)
    check_rate(rate, model.size)
    check_method(method)
    tasks = tasks.to(model.start.dtype)
    model.check(tasks.x_support[0])
    for name, value in (("theta", theta), ("alive", alive)):
        if value is not None and value.shape not in ((model.size,), (len(tasks), model.size)):
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}: give ({model.size},), or ({len(tasks)}, {model.size}), a row "
                "for each task"
            )
    keep = tuple(range(steps + 1)) if keep is None else tuple(sorted(set(keep)))
    if not keep or keep[0] < 0 or keep[-1] > steps:
        raise ValueError(f"keep is {keep!r}: give steps from 0 to {steps}")
    theta = (model.start if theta is None else theta).detach().to(model.start.dtype).expand(len(tasks), -1)
    rate = rate.detach().to(theta.dtype) if isinstance(rate, torch.Tensor) else rate
    if alive is not None:
        rate = rate * alive.to(theta.dtype)
    x, y = tasks.x_support, tasks.y_support
    with torch.no_grad():
        first = squared_errors(model(theta, x), y)
        limit = DIVERGED * torch.maximum(first, y.square().mean(dim=(1, 2)))
    diverged = torch.zeros(len(tasks), dtype=torch.bool)
    kept: list[tuple] = []

    def note(number: int, theta) -> None:
        if number in keep:
            with torch.no_grad():
                predictions = model(theta, tasks.x_query)
                query = squared_errors(predictions, tasks.y_query)
                support = squared_errors(model(theta, x), y)
            bad = diverged | ~query.isfinite()
            kept.append((theta, predictions, support.masked_fill(bad, torch.inf), query.masked_fill(bad, torch.inf)))

    note(0, theta)
    memory = (method := method or GradientDescent()).begin(theta)
    for number in range(1, keep[-1] + 1):
        change, memory = method.step(model, theta.detach().requires_grad_(), x, y, rate, memory, False)
        new = theta + change.detach()
        with torch.no_grad():
            error = squared_errors(model(new, x), y)
        diverged = diverged | ~(error <= limit) | ~new.isfinite().all(dim=1)
        theta = torch.where(diverged[:, None], theta, new)
        note(number, theta)
    if diverged.any():
        warnings.warn(
            f"{int(diverged.sum())} of {len(tasks)} tasks diverged at inner rates up to "
            f"{float(torch.as_tensor(rate).max()):.3g}: they are marked and count as infinite errors; try a smaller "
            "rate",
            RuntimeWarning,
            stacklevel=3,  # 2 is the decorator's
        )
    return Adapted(keep, *map(torch.stack, zip(*kept, strict=True)), diverged)


def check_method(method) -> None:
    """A ValueError unless it is None or an inner optimiser."""
    if method is not None and (isinstance(method, type) or not hasattr(method, "begin")):
        raise ValueError(f"method is {method!r}: give GradientDescent(), Adam() or GaussNewton()")


def check_rate(rate, size: int) -> None:
    """A ValueError unless it is a positive number, or a vector of rates that are at least 0."""
    if not isinstance(rate, torch.Tensor):
        check_number("rate", rate, above=0, most=1e12)
    elif rate.shape not in ((), (size,)) or not (rate.isfinite().all() and (rate >= 0).all()):
        raise ValueError(
            f"rate has shape {tuple(rate.shape)}: give a number, or one finite rate of at least 0 for each of the "
            f"{size} parameters"
        )
