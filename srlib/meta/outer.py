"""The outer loop that joint training and MAML share: Adam on meta-parameters, with events, limits and interruption."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from ..run import asked_to_stop
from ..validation import check_number
from .adapt import Adapted, GradientDescent, adapt
from .models import FlatModel
from .tasks import Tasks

__all__ = ["MetaLearned", "MetaStep", "mean_gradient", "outer_loop"]


@dataclass(frozen=True)
class MetaStep:
    """An outer step has been taken; callbacks get one after each.

    Attributes
    ----------
    number, total : int
        This step, from 1, and how many are planned.
    elapsed : float
        Seconds since the training began.
    before, after : float
        Mean query error of the batch before and after the inner steps (the same for joint training, which has none);
        without any penalty.
    diverged : int
        Tasks of the batch that were left out because their error was not finite.
    theta : Tensor, shape (parameters,)
        The parameters now; not to be changed.
    """

    number: int
    total: int
    elapsed: float
    before: float
    after: float
    diverged: int
    theta: torch.Tensor = field(repr=False)


@dataclass(frozen=True)
class MetaLearned:
    """Where new tasks begin, and how they adapt.

    Attributes
    ----------
    model : FlatModel
    theta : Tensor, shape (parameters,)
    rate : float or Tensor, shape (parameters,)
        The inner rates.
    method : GradientDescent, Adam or GaussNewton
        The inner optimiser.
    history : tuple of (int, float, float)
        Outer step, and errors before and after adaptation.
    reason : {"completed", "time_limit", "callback", "interrupted"}
        Why the training ended.
    alive : Tensor of bool, shape (parameters,), optional
        Parameters that adaptation may change.
    """

    model: FlatModel = field(repr=False)
    theta: torch.Tensor = field(repr=False)
    rate: float | torch.Tensor = field(repr=False)
    method: object = field(default_factory=GradientDescent)
    history: tuple = field(default=(), repr=False)
    reason: str = "completed"
    alive: torch.Tensor | None = field(default=None, repr=False)

    @classmethod
    def from_scratch(cls, model, rate=0.01, method=None) -> MetaLearned:
        """The model's own parameters, as it starts: what has to be beaten."""
        model = model if isinstance(model, FlatModel) else FlatModel(model)
        return cls(model, model.start, rate, method or GradientDescent(), reason="not trained")

    def adapt(self, tasks: Tasks, steps: int = 5, rate=None, factor: float = 1.0, method=None, keep=None) -> Adapted:
        """Adapt to each task (:func:`srlib.meta.adapt`), by default as in the training.

        ``factor`` multiplies the rates.
        """
        rate = self.rate if rate is None else rate
        return adapt(
            self.model, self.theta, tasks, steps, rate * factor, method or self.method, keep=keep, alive=self.alive
        )


def mean_gradient(gradients: torch.Tensor, sound: torch.Tensor, clip: float | None = None) -> torch.Tensor:
    """The mean over the tasks that are sound, (parameters,); 0 if none is.

    Parameters
    ----------
    gradients : Tensor, shape (tasks, parameters)
        Those of the other tasks may be NaN or infinite.
    sound : Tensor of bool, shape (tasks,)
    clip : float, optional
        Entries of a task's gradient are cut to this size.
    """
    gradients = torch.where(sound[:, None], gradients, 0.0)
    if clip is not None:
        gradients = gradients.clamp(-clip, clip)
    return gradients.sum(dim=0) / sound.sum().clamp(min=1)


def outer_loop(
    objective: Callable[[int], tuple[float, float, int]], parameters: Sequence[torch.Tensor], theta: torch.Tensor,
    steps: int, learning_rate: float, decay: bool = True, time_limit: float | None = None, callbacks: Sequence = (),
) -> tuple[list, str]:  # fmt: skip
    """Run Adam on what ``objective`` leaves in the gradients.

    Parameters
    ----------
    objective : callable
        ``objective(step)`` sets ``.grad`` of the parameters and gives the errors before and after adaptation, and the
        number of tasks left out.
    parameters : sequence of Tensor
        What is trained; changed in place.
    theta : Tensor
        The one of them that events show.
    steps : int
    learning_rate : float
        At the start.
    decay : bool
        Whether it falls to 0 along a half cosine.
    time_limit : float, optional
        Seconds.
    callbacks : sequence of callable
        Called with a :class:`MetaStep`; one that returns something true ends the training.

    Returns
    -------
    history : list of (int, float, float)
    reason : str
        As in :class:`MetaLearned`. What was learned until then is in the parameters, also after Ctrl-C. A warning says
        so if no task had a finite error and gradient in any step, because then nothing was learned.
    """
    check_number("steps", steps, least=1, whole=True)
    check_number("learning_rate", learning_rate, above=0)
    check_number("time_limit", time_limit, above=0, optional=True)
    optimiser = torch.optim.Adam(parameters, lr=learning_rate)
    began, history, reason = time.monotonic(), [], "completed"
    try:
        for number in range(1, steps + 1):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * (0.5 + 0.5 * math.cos(math.pi * (number - 1) / steps) if decay else 1.0)
            optimiser.zero_grad()
            before, after, left_out = objective(number)
            optimiser.step()
            history.append((number, before, after))
            elapsed = time.monotonic() - began
            event = MetaStep(number, steps, elapsed, before, after, left_out, theta.detach())
            if asked_to_stop(callbacks, event):
                reason = "callback"
                break
            if time_limit is not None and elapsed >= time_limit:
                reason = "time_limit"
                break
    except KeyboardInterrupt:
        reason = "interrupted"
    if history and all(after == math.inf for *_, after in history):
        warnings.warn(
            f"nothing was learned in {len(history)} steps: no task had a finite error and gradient; try a smaller "
            "inner rate, fewer inner steps, or a model with smaller first parameters",
            RuntimeWarning,
            stacklevel=4,  # 2 is maml or joint, 3 the decorator's
        )
    return history, reason
