"""Model-agnostic meta-learning: a place from which a few steps lead to each task.

C. Finn, P. Abbeel and S. Levine (arXiv 1703.03400; document 000, algorithm 1); its first-order version; and rates that
are learned, one for each parameter (Meta-SGD; Z. Li, F. Zhou, F. Chen and H. Li, arXiv 1707.09835).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..eql.search import one_torch_thread
from ..eql.sparsity import SmoothedL05
from ..validation import check_number
from .adapt import GradientDescent, check_method, check_rate, inner_loop, squared_errors
from .models import FlatModel
from .outer import MetaLearned, mean_gradient, outer_loop
from .tasks import Family, Tasks, check_family

__all__ = ["maml", "meta_gradient"]


def meta_gradient(
    model: FlatModel, theta: torch.Tensor, tasks: Tasks, rate, inner_steps: int = 1, method=None, order: int = 2,
    penalty=None, strength: float = 0.0, log_floor: float | None = None,
):  # fmt: skip
    """The derivative of the tasks' mean query error after adaptation, by where adaptation began and by the rates.

    Parameters
    ----------
    model : FlatModel
    theta : Tensor, shape (parameters,)
    tasks : Tasks
    rate : float or Tensor, shape (parameters,)
    inner_steps, method
        As in :func:`maml`.
    order : {1, 2}
        1 leaves out the second derivatives.
    penalty, strength
        ``strength`` times the penalty of the adapted parameters is added to the error.
    log_floor : float, optional
        The objective is the logarithm of the error plus this, instead of the error.

    Returns
    -------
    by_theta : Tensor, shape (tasks, parameters)
        Of each task's own term; the meta-gradient is the mean over the tasks.
    by_rate : Tensor, shape (tasks, parameters)
    before, after : Tensor, shape (tasks,)
        Query errors, without the penalty.
    """
    count = len(tasks)
    start = theta.detach().expand(count, -1).clone().requires_grad_()  # a copy for each task: its gradient is its own
    rates = torch.as_tensor(rate, dtype=theta.dtype).detach().expand(count, len(theta)).clone().requires_grad_()
    adapted = start
    for theta_after in inner_loop(model, start, tasks.x_support, tasks.y_support, inner_steps, rates, method, order):
        adapted = theta_after
    after = squared_errors(model(adapted, tasks.x_query), tasks.y_query)
    objective = after if log_floor is None else (after + log_floor).log()
    if penalty is not None and strength:
        objective = objective + strength * penalty.values(adapted).sum(dim=1)
    by_theta, by_rate = torch.autograd.grad(objective.sum(), (start, rates), allow_unused=True)
    with torch.no_grad():
        before = squared_errors(model(start, tasks.x_query), tasks.y_query)
    return by_theta, torch.zeros_like(rates) if by_rate is None else by_rate, before, after.detach()


@one_torch_thread()
def maml(
    model: torch.nn.Module | FlatModel, family: Family, *, steps: int = 1000, tasks: int = 25, support: int = 10,
    query: int = 10, inner_steps: int = 1, rate: float | torch.Tensor = 0.01, method=None, order: int = 2,
    learn_rates: bool = False, learning_rate: float = 1e-3, strength: float = 0.0, noise: float = 0.0,
    seed: int | Sequence[int] = 0, clip: float | None = 10.0, log_floor: float | None = None, decay: bool = True,
    begin: MetaLearned | None = None, time_limit: float | None = None, callbacks: Sequence = (),
) -> MetaLearned:  # fmt: skip
    """Learn where to begin, so that a few steps on a support set give low errors on the query set.

    Parameters
    ----------
    model : torch.nn.Module or FlatModel
        Left as it is.
    family : Family
        Where each outer step draws fresh tasks from; for a fixed set give ``family.fixed(10)``.
    steps, tasks, support, query : int
        Outer steps; tasks of each, and their points.
    inner_steps : int
        Steps of adaptation that are differentiated through.
    rate : float or Tensor, shape (parameters,)
        The inner rate (alpha); the start of the rates if they are learned.
    method : GradientDescent, Adam or GaussNewton, optional
        The inner optimiser; by default plain gradient descent.
    order : {1, 2}
        1 leaves out the second derivatives.
    learn_rates : bool
        Whether each parameter's rate is learned, too (Meta-SGD; here by its logarithm, so that it stays positive).
    learning_rate : float
        Of Adam, in the outer loop (beta).
    strength : float
        Of the smoothed L0.5 penalty of the adapted parameters.
    noise : float
        On the support sets.
    seed : int or sequence of int
        Of the tasks; the first parameters are those of the model.
    clip : float, optional
        Entries of a task's meta-gradient are cut to this size.
    log_floor : float, optional
        The outer objective is ``log(error + log_floor)`` instead of the error: tasks that are nearly solved count as
        much as those that are not. A law leaves no error, so that this asks for laws.
    begin : MetaLearned, optional
        Where the training goes on from: parameters, rates, and which of them may change.
    decay : bool
        Whether the outer learning rate falls to 0 along a half cosine.
    time_limit : float, optional
        Seconds.
    callbacks : sequence of callable
        Called with a :class:`~srlib.meta.MetaStep` after each outer step; one that returns something true ends the
        training. So does Ctrl-C; what was learned until then is returned.

    Returns
    -------
    MetaLearned
    """
    model = model if isinstance(model, FlatModel) else FlatModel(model)
    check_family(family)
    check_method(method)
    check_number("inner_steps", inner_steps, least=1, whole=True)
    check_number("strength", strength, least=0)
    if order not in (1, 2):
        raise ValueError(f"order is {order!r}: give 2, or 1 to leave out the second derivatives")
    check_number("clip", clip, above=0, optional=True)
    check_number("log_floor", log_floor, above=0, optional=True)
    check_rate(rate, model.size)
    if begin is not None and not isinstance(begin, MetaLearned):
        raise ValueError(f"begin is {begin!r}: give a MetaLearned, as maml and joint return it")
    if begin is not None and len(begin.theta) != model.size:
        raise ValueError(f"begin has {len(begin.theta)} parameters and model {model.size}: give the model it is of")
    alive = None if begin is None else begin.alive
    theta, rate = (model.start, rate) if begin is None else (begin.theta, begin.rate)
    theta = theta.clone().requires_grad_()
    log_rate = torch.as_tensor(rate, dtype=theta.dtype).log().expand(model.size).clone().requires_grad_()
    penalty = SmoothedL05()

    def objective(step: int) -> tuple[float, float, int]:
        batch = family.sample(tasks, (*np.atleast_1d(seed), step), support, query, noise).to(theta.dtype)
        if step == 1:
            model.check(batch.x_support[0])
        rates = log_rate.detach().exp()
        rates = rates if alive is None else rates * alive
        by_theta, by_rate, before, after = meta_gradient(
            model, theta, batch, rates, inner_steps, method, order, penalty, strength, log_floor
        )
        sound = after.isfinite() & by_theta.isfinite().all(dim=1) & by_rate.isfinite().all(dim=1)  # (tasks,)
        theta.grad = mean_gradient(by_theta, sound, clip) * (1 if alive is None else alive)
        log_rate.grad = mean_gradient(by_rate * rates, sound, clip)
        kept = int(sound.sum())
        return before.mean().item(), after[sound].mean().item() if kept else float("inf"), len(batch) - kept

    history, reason = outer_loop(
        objective, (theta, log_rate) if learn_rates else (theta,), theta, steps, learning_rate, decay, time_limit,
        callbacks,
    )  # fmt: skip
    learned = log_rate.detach().exp().clone() if learn_rates else rate
    return MetaLearned(model, theta.detach(), learned, method or GradientDescent(), tuple(history), reason, alive)
