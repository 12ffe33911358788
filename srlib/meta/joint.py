"""Joint training: one network for all functions at once, as document 000 compares MAML with.

It learns what is best without any adaptation, which for a family of functions is their mean at each x.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..eql.search import one_torch_thread
from ..eql.sparsity import SmoothedL05
from ..validation import check_number
from .adapt import squared_errors
from .models import FlatModel
from .outer import MetaLearned, mean_gradient, outer_loop
from .tasks import Family, check_family

__all__ = ["joint"]


@one_torch_thread()
def joint(
    model: torch.nn.Module | FlatModel, family: Family, *, steps: int = 1000, tasks: int = 25, points: int = 20,
    learning_rate: float = 1e-3, sequential: bool = False, strength: float = 0.0, noise: float = 0.0,
    seed: int | Sequence[int] = 0, decay: bool = True, time_limit: float | None = None, callbacks: Sequence = (),
) -> MetaLearned:  # fmt: skip
    """Train one set of parameters on all tasks.

    Parameters
    ----------
    points : int
        Of each task; there are no support and query sets.
    sequential : bool
        One step of Adam for one task after another, as document 000 describes it. Otherwise one for the mean of the
        batch.
    model, family, steps, tasks, learning_rate, strength, noise, seed, decay, time_limit, callbacks
        As in :func:`srlib.meta.maml`. With ``sequential`` the tasks of a batch are that many steps.

    Returns
    -------
    MetaLearned
        Its rate is only a default, to be tuned for the adaptation.
    """
    model = model if isinstance(model, FlatModel) else FlatModel(model)
    check_family(family)
    for name, value in (("steps", steps), ("tasks", tasks), ("points", points)):
        check_number(name, value, least=1, whole=True)
    check_number("strength", strength, least=0)
    theta = model.start.clone().requires_grad_()
    penalty, batch = SmoothedL05(), None

    def objective(step: int) -> tuple[float, float, int]:
        nonlocal batch
        at = (step - 1) % tasks if sequential else slice(None)
        if batch is None or not sequential or at == 0:
            drawn = (step - 1) // tasks + 1 if sequential else step
            batch = family.sample(tasks, (*np.atleast_1d(seed), drawn), points, 1, noise).to(theta.dtype)
        if step == 1:
            model.check(batch.x_support[0])
        own = batch[at]
        copies = theta.detach().repeat(len(own), 1).requires_grad_()  # each task's gradient is its own
        errors = squared_errors(model(copies, own.x_support), own.y_support)
        gradients = torch.autograd.grad(errors.sum(), copies)[0]  # (tasks, parameters)
        sound = errors.detach().isfinite() & gradients.isfinite().all(dim=1)
        theta.grad = mean_gradient(gradients, sound)
        if strength:
            theta.grad += torch.autograd.grad(strength * penalty.values(theta).sum(), theta)[0]
        kept = int(sound.sum())
        error = errors.detach()[sound].mean().item() if kept else float("inf")
        return error, error, len(own) - kept

    total = steps * tasks if sequential else steps
    history, reason = outer_loop(objective, (theta,), theta, total, learning_rate, decay, time_limit, callbacks)
    return MetaLearned(model, theta.detach(), 0.01, history=tuple(history), reason=reason)
