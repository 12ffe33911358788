"""Trainings of physics-informed networks on Burgers' equation, recorded moment by moment for the pictures of lesson 06.

The networks are those of :mod:`srlib.distill`; nothing is trained here but by :func:`srlib.distill.train_pinn`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from srlib.distill.pinn import PINN, DifferentialProblem, burgers, train_pinn
from srlib.reproduce.pinn_shock import front

__all__ = [
    "EVERY", "Front", "Moment", "Reference", "Setup", "Solving", "UNIT", "amplitude", "exact", "fitted_front",
    "noisy", "record", "reference", "teach",
]  # fmt: skip

UNIT = 0.01 / math.pi  # the viscosity of the published problem
EVERY = 20  # steps from one moment to the next
REFINE = 150  # quasi-Newton iterations between two drawings of points
TIMES, PLACES = 41, 121  # of the grid on which errors and residuals are looked at
REACH = 0.1  # of x, on each side of the shock


@dataclass(frozen=True)
class Setup:
    """A training on Burgers' equation.

    Attributes
    ----------
    viscosity : float
        In units of 0.01/pi.
    width, layers, points : int
    weight : float
        Of the three conditions in the loss; the equation's is 1.
    refine : bool
        Draw the points anew every 150 quasi-Newton iterations, more of them where the residual is large.
    optimiser : str
        "bfgs", "lbfgs", or "" for Adam alone; the number of steps is the same.
    adam, iterations, seed : int
    """

    viscosity: float = 1.0
    width: int = 20
    layers: int = 4
    points: int = 1000
    weight: float = 10.0
    refine: bool = True
    optimiser: str = "bfgs"
    adam: int = 200
    iterations: int = 450
    seed: int = 0

    @property
    def total(self) -> int:
        """Steps of both phases."""
        return self.adam + self.iterations

    @property
    def nu(self) -> float:
        """The viscosity."""
        return self.viscosity * UNIT

    def train(self, callbacks=()) -> PINN:
        """The network."""
        alone = not self.optimiser
        return train_pinn(
            _problem(self.nu), width=self.width, layers=self.layers, points=self.points, condition_rows=50,
            weights=self.weight, refine_every=REFINE if self.refine and not alone else None,
            adam=self.total if alone else self.adam, optimiser=self.optimiser or None, iterations=self.iterations,
            seed=self.seed, callbacks=callbacks, every=EVERY,
        )  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """The exact solution of Burgers' equation on a grid.

    Attributes
    ----------
    x, t : ndarray, shape (places,), (times,)
    X : ndarray, shape (places * times, 2)
    u : ndarray, shape (places, times)
    """

    x: np.ndarray
    t: np.ndarray
    X: np.ndarray = field(repr=False)
    u: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Moment:
    """A moment of a training.

    Attributes
    ----------
    phase : str
    number, evaluations : int
        Steps of both phases; evaluations of the loss and its gradient.
    loss, error : float
        ``error`` is the relative L2 error on the grid of the reference.
    parts : dict
        Mean squares of the equation's residual and of each condition.
    points : ndarray, shape (rows, 2)
        The collocation points.
    residual : ndarray, shape (places, times)
        The equation's, on the grid.
    pinn : PINN
    """

    phase: str
    number: int
    evaluations: int
    loss: float
    error: float
    parts: dict = field(repr=False)
    points: np.ndarray = field(repr=False)
    residual: np.ndarray = field(repr=False)
    pinn: PINN = field(repr=False)


@dataclass(frozen=True)
class Solving:
    """A training, moment by moment."""

    setup: Setup
    reference: Reference = field(repr=False)
    moments: tuple[Moment, ...] = field(repr=False)

    @property
    def last(self) -> Moment:
        return self.moments[-1]


@lru_cache(maxsize=16)
def _problem(nu: float) -> DifferentialProblem:
    return burgers(None if nu == UNIT else nu)


@lru_cache(maxsize=16)
def reference(nu: float) -> Reference:
    """The exact solution for a viscosity."""
    problem = _problem(nu)
    X = problem.grid(PLACES, TIMES)
    u = problem.reference(X).reshape(PLACES, TIMES)
    return Reference(np.linspace(*problem.domain["x"], PLACES), np.linspace(*problem.domain["t"], TIMES), X, u)


def exact(nu: float, t: float, x: np.ndarray) -> np.ndarray:
    """The exact u at a time, (rows,)."""
    return _problem(nu).reference(np.stack([x, np.full(len(x), float(t))], axis=1))


def teach(setup: Setup, watch: Callable[[Solving], bool] | None = None) -> Solving:
    """Train, with a moment every 20 steps; ``watch`` sees each recording so far and ends it by something true."""
    known = reference(setup.nu)
    size, made = float(np.linalg.norm(known.u)), Solving(setup, known, ())

    def note(event) -> bool:
        nonlocal made
        pinn = event.pinn
        error = float(np.linalg.norm(pinn(known.X).reshape(known.u.shape) - known.u)) / size
        done = event.number + (setup.adam if event.phase != "adam" else 0)
        moment = Moment(
            event.phase, done, event.evaluations, event.loss, error, dict(event.parts), event.points,
            pinn.residual(known.X).reshape(known.u.shape), pinn,
        )  # fmt: skip
        made = replace(made, moments=(*made.moments, moment))
        return bool(watch and watch(made))

    setup.train([note])
    return made


@lru_cache(maxsize=8)
def record(setup: Setup) -> Solving:
    """The whole recording of a training."""
    return teach(setup)


# ---------------------------------------------------------------- the shock


@dataclass(frozen=True)
class Front:
    """The nearest ``-A tanh(k (x - x0)) + c (x - x0)`` to a solution at a time.

    Attributes
    ----------
    A, k, c, x0 : float
    left : float
        The largest difference that is left.
    """

    A: float
    k: float
    c: float
    x0: float
    left: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return -self.A * np.tanh(self.k * (x - self.x0)) + self.c * (x - self.x0)


def fitted_front(solution: Callable[[np.ndarray], np.ndarray], reach: float = REACH) -> Front:
    """The front nearest to a solution, a function of x, for x from -reach to reach."""
    x = np.linspace(-reach, reach, 201)
    (A, k, c, x0), left = front(x, solution(x))
    return Front(float(A), float(k), float(c), float(x0), left)


def amplitude(t: float) -> float:
    """Half the jump that characteristics give without viscosity: the A above 0 with ``A = sin(pi A t)``."""
    from scipy.optimize import brentq

    return float(brentq(lambda a: np.sin(np.pi * a * t) - a, 0.05, 1.0)) if t * np.pi > 1.01 else 0.0


# ---------------------------------------------------------------- a teacher with noise


def noisy(teacher: Callable[[np.ndarray], np.ndarray], share: float, seed: int = 0) -> Callable:
    """The teacher with Gaussian noise on its answers, a share of their standard deviation."""
    rng = np.random.default_rng(seed)

    def told(X):
        u = teacher(X)
        return u + share * u.std() * rng.standard_normal(len(u))

    return told
