"""Training a physics-informed network: Adam, then a quasi-Newton method, with weights and points that may adapt."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from ...eql.search import one_torch_thread
from ...meta.models import FlatModel
from ...run import StopSearch, asked_to_stop
from ...validation import check_choice, check_number
from .collocation import SAMPLINGS, condition_points, refined_points, spread_points
from .equations import DifferentialProblem
from .network import PINN, TanhNetwork
from .quasi_newton import LBFGS, SelfScaledBFGS
from .weights import balanced, read_weights

__all__ = ["TrainingStep", "train_pinn"]

OPTIMISERS = {"lbfgs": LBFGS, "bfgs": SelfScaledBFGS}
LEAST_POINTS = 10
WEIGHT_EVERY = 100  # steps of Adam between two looks at the weights


@dataclass(frozen=True)
class TrainingStep:
    """A step has been taken; callbacks get one, and one that returns something true ends the training.

    Attributes
    ----------
    phase : {"adam", "lbfgs", "bfgs"}
    number, total : int
        This step of the phase, from 1, and how many are planned.
    evaluations : int
        Of loss and gradient, since the training began.
    elapsed : float
        Seconds since then.
    loss : float
    parts : mapping of str to float
        Mean squares: "residual", and each condition by its text.
    weights : mapping of str to float
        Of the parts in the loss.
    points : ndarray, shape (rows, variables)
        The collocation points.
    residuals : ndarray, shape (rows,)
        The equation's residual there.
    pinn : PINN
        The network as it is now, which can be called and kept.
    """

    phase: str
    number: int
    total: int
    evaluations: int
    elapsed: float
    loss: float
    parts: Mapping[str, float] = field(repr=False)
    weights: Mapping[str, float] = field(repr=False)
    points: np.ndarray = field(repr=False)
    residuals: np.ndarray = field(repr=False)
    pinn: PINN = field(repr=False)


@one_torch_thread()
def train_pinn(
    problem: DifferentialProblem, *, width: int = 20, layers: int = 4, points: int = 2000, condition_rows: int = 100,
    sampling: str = "latin", weights: float | Mapping[int, float] | str = 1.0, refine_every: int | None = None,
    adam: int = 300, learning_rate: float = 3e-3, optimiser: str | None = "bfgs", iterations: int = 2000,
    time_limit: float | None = None, seed: int = 0, callbacks: Sequence[Callable] = (), every: int = 1,
) -> PINN:  # fmt: skip
    """Train a network on an equation and its conditions.

    Parameters
    ----------
    problem : DifferentialProblem
    width, layers : int
        Of the :class:`~srlib.distill.pinn.network.TanhNetwork`.
    points, condition_rows : int
        Collocation points inside the domain, and for each condition.
    sampling : {"latin", "halton", "uniform"}
        How they are spread; see :class:`~srlib.distill.sampling.Box`.
    weights : float, mapping or "adaptive"
        Of the conditions' mean squares in the loss; the residual's weight is 1. A mapping goes from a condition's
        number (from 0) to its weight. "adaptive" balances the norms of the parts' gradients: every 100 steps of Adam,
        and with new points (S. Wang, Y. Teng and P. Perdikaris, SIAM J. Sci. Comput. 43, 2021, with norms in the place
        of maximum and mean).
    refine_every : int, optional
        Draw the collocation points anew after so many quasi-Newton iterations, more of them where the residual is
        large (:func:`~srlib.distill.pinn.collocation.refined_points`), a first time after Adam. By default they stay.
    adam : int
        Steps of Adam, whose rate falls from ``learning_rate`` to a tenth along a half cosine.
    learning_rate : float
    optimiser : {"bfgs", "lbfgs"} or None
        What follows Adam: self-scaled BFGS with a whole matrix, or L-BFGS (:mod:`~srlib.distill.pinn.quasi_newton`).
    iterations : int
        Of the quasi-Newton method.
    time_limit : float, optional
        Seconds.
    seed : int
        The same seed gives the same network, whatever the number of threads.
    callbacks : sequence of callable
        Called with a :class:`TrainingStep`.
    every : int
        So many steps from one call of them to the next.

    Returns
    -------
    PINN
        After a time limit, a callback's stop or Ctrl-C: the best network of the phase so far.

    Raises
    ------
    ValueError
        If a parameter is impossible, or the loss is not finite after Adam.
    """
    for name, value in (("width", width), ("layers", layers), ("every", every)):
        check_number(name, value, least=1, whole=True)
    check_number("condition_rows", condition_rows, least=2, whole=True)
    check_number("points", points, least=LEAST_POINTS, whole=True)
    for name, value in (("adam", adam), ("iterations", iterations)):
        check_number(name, value, least=0, whole=True)
    check_number("learning_rate", learning_rate, above=0)
    check_number("refine_every", refine_every, least=1, whole=True, optional=True)
    check_number("time_limit", time_limit, above=0, optional=True)
    check_number("seed", seed, least=0, whole=True)
    check_choice("sampling", sampling, SAMPLINGS)
    if optimiser is not None:
        check_choice("optimiser", optimiser, tuple(OPTIMISERS))
    training = _Training(
        problem, TanhNetwork(problem.low, problem.high, width, layers, seed), points, condition_rows, sampling,
        weights, seed, time_limit, tuple(callbacks), every,
    )  # fmt: skip
    return training.run(adam, learning_rate, optimiser, iterations, refine_every)


class _Training:
    """The state of one training: points, weights, the loss and the best parameters."""

    def __init__(
        self, problem, network, points, condition_rows, sampling, weights, seed, time_limit, callbacks, every
    ):  # fmt: skip
        self.problem, self.model, self.seed = problem, FlatModel(network), seed
        self.time_limit, self.callbacks, self.every = time_limit, callbacks, every
        self.theta = self.model.start.numpy().copy()
        self.points = torch.tensor(spread_points(problem, points, sampling, (seed, 0)))
        self.places = [
            torch.tensor(condition_points(problem, condition, condition_rows, sampling, (seed, 1, j)))
            for j, condition in enumerate(problem.conditions)
        ]
        self.labels = ["residual", *map(str, problem.conditions)]
        self.adaptive = isinstance(weights, str)
        self.weights = np.array([1.0, *read_weights(weights, len(self.places))])
        self.parts = np.full(len(self.labels), np.nan)
        self.residuals = np.full(points, np.nan)
        self.evaluations, self.history, self.best = 0, [], (math.inf, self.theta)
        self.began = time.monotonic()

    def mean_squares(self, theta: torch.Tensor) -> torch.Tensor:
        """Of the residual and of each condition, (parts,)."""

        def network(points):
            return self.model.one(theta, points)[:, 0]

        r = self.problem.residual.torch(network, self.points)
        self.residuals = r.detach()
        values = [r, *(op.torch(network, at) for op, at in zip(self.problem.boundary, self.places, strict=True))]
        return torch.stack([value.square().mean() for value in values])

    def objective(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss and its gradient (parameters,); infinite where the loss is not finite."""
        if self.time_limit is not None and time.monotonic() - self.began >= self.time_limit:
            raise StopSearch("time_limit")
        leaf = torch.tensor(theta, requires_grad=True)
        parts = self.mean_squares(leaf)
        loss = parts @ torch.as_tensor(self.weights)
        gradient = torch.autograd.grad(loss, leaf)[0].numpy()
        loss, self.parts, self.evaluations = loss.item(), parts.detach().numpy(), self.evaluations + 1
        if not (math.isfinite(loss) and np.isfinite(gradient).all()):
            return math.inf, np.zeros_like(gradient)
        if loss < self.best[0]:
            self.best = (loss, np.array(theta))
        return loss, gradient

    def run(self, adam, learning_rate, optimiser, iterations, refine_every) -> PINN:
        reason = "completed"
        try:
            if adam:
                self.adam(adam, learning_rate)
            if optimiser is not None and iterations:
                self.quasi_newton(optimiser, iterations, refine_every)
        except StopSearch as stop:
            reason = stop.args[0]
        except KeyboardInterrupt:
            reason = "interrupted"
        self.theta = self.best[1]
        self.parts = self.mean_squares(torch.tensor(self.theta)).detach().numpy()
        return self.snapshot(reason)

    def snapshot(self, reason: str = "running") -> PINN:
        weights = dict(zip(self.labels, self.weights.tolist(), strict=True))
        parts = dict(zip(self.labels, self.parts.tolist(), strict=True))
        return PINN(
            self.problem, self.model, torch.tensor(self.theta), tuple(self.history), parts, weights,
            self.points.numpy(), reason,
        )  # fmt: skip

    def adam(self, steps: int, learning_rate: float) -> None:
        theta = torch.tensor(self.theta, requires_grad=True)
        optimiser = torch.optim.Adam([theta], lr=learning_rate)
        for number in range(1, steps + 1):
            fall = 0.55 + 0.45 * math.cos(math.pi * (number - 1) / steps)
            optimiser.param_groups[0]["lr"] = learning_rate * fall
            if self.adaptive and number % WEIGHT_EVERY == 1:
                self.balance()
            loss, gradient = self.objective(theta.detach().numpy())
            if not math.isfinite(loss):
                raise ValueError(
                    f"the loss is not finite after {number - 1} steps of Adam at learning_rate = {learning_rate}: try "
                    "a smaller one, or scale the problem's variables"
                )
            self.theta = theta.detach().numpy().copy()
            theta.grad = torch.tensor(gradient)
            optimiser.step()
            self.note("adam", number, steps, loss)

    def quasi_newton(self, name: str, iterations: int, refine_every: int | None) -> None:
        method, done = OPTIMISERS[name](), 0
        self.theta = self.best[1]
        if not math.isfinite(self.objective(self.theta)[0]):
            raise ValueError(
                f"the loss is not finite where {name} begins: take more steps of Adam first, or scale the problem's "
                "variables"
            )
        while done < iterations:
            if refine_every is not None:
                self.refine(done)
            if self.adaptive and (refine_every is not None or done == 0):
                self.balance()
            planned = min(refine_every or iterations, iterations - done)
            first = done

            def note(theta):
                nonlocal done
                done += 1
                self.theta = np.array(theta)
                self.note(name, done, iterations, self.best[0])

            found = method.minimise(self.objective, self.theta, planned, note)
            if not np.isfinite(found).all():
                warnings.warn(
                    f"{name} diverged after {done} iterations: the best parameters before that are kept; try more "
                    "steps of Adam first",
                    RuntimeWarning,
                    stacklevel=5,
                )
                return
            self.theta = self.best[1]
            if done - first < planned and (refine_every is None or done == first):
                return  # no step lowers the loss further in float64

    def refine(self, done: int) -> None:
        network = self.snapshot()
        self.points = torch.tensor(
            refined_points(self.problem, len(self.points), network.residual, seed=(self.seed, 2, done))
        )
        self.best = (math.inf, self.theta)

    def balance(self) -> None:
        """Move the conditions' weights by the norms of the parts' gradients."""
        leaf = torch.tensor(self.theta, requires_grad=True)
        parts = self.mean_squares(leaf)
        norms = np.array([torch.autograd.grad(p, leaf, retain_graph=True)[0].norm().item() for p in parts])
        self.weights = balanced(self.weights, norms)
        self.best = (math.inf, self.theta)

    def note(self, phase: str, number: int, total: int, loss: float) -> None:
        elapsed = time.monotonic() - self.began
        self.history.append((self.evaluations, elapsed, loss))
        if not self.callbacks or (number % self.every and number != total):
            return
        now = self.snapshot()
        event = TrainingStep(
            phase, number, total, self.evaluations, elapsed, loss, now.parts, now.weights, now.points,
            self.residuals.numpy(), now,
        )  # fmt: skip
        if asked_to_stop(self.callbacks, event):
            raise StopSearch("callback")
