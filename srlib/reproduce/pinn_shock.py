"""The shock of Burgers' equation at a fixed time, as a formula of x.

There is no closed form of u(x, t) in elementary functions. Near the shock, where u_t is small beside the other terms,
u = -A tanh(A x/(2 nu)) solves u u_x = nu u_xx exactly; the slope outside of the layer adds c x to first order. So the
formula is an approximation that holds for |x| small and t past the steepening, and its numbers can be compared: A with
that of the exact solution, the steepness k with A/(2 nu).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, least_squares

from .. import EvolutionRegressor
from ..distill import Box, distill
from ..distill.pinn.problems import cole_hopf
from .part import rounded
from .pinn_burgers import solved

__all__ = ["TIMES", "ShockRow", "front", "shock"]

TIMES = (0.6, 0.75, 0.9)
NU = 0.01 / np.pi
REACH = 0.08  # |x| of the rows: some thirteen widths 2 nu/A
SIMPLEST = 2.0  # the formula may be so many times less accurate than the family's own fit to the teacher


@dataclass(frozen=True)
class ShockRow:
    """The student's formula at a time beside the exact solution, both measured by the fit of :func:`front`.

    ``amplitude`` and ``steepness`` are the student's, ``exact_amplitude`` is the exact solution's, ``inviscid`` the
    amplitude that characteristics give without viscosity. ``amplitude_off`` and ``width_off`` are the relative
    differences from the exact amplitude, and of 1/k from 2 nu/A with the student's own A. ``form`` is the student's
    largest distance from the fitted family over A: c x0 if the formula moves the tanh alone, rounding
    errors if it has exactly that form. ``error`` is the student's
    largest error against the exact solution.
    """

    time: float
    seed: int
    teacher: float
    amplitude: float
    steepness: float
    slope: float
    exact_amplitude: float
    inviscid: float
    amplitude_off: float
    width_off: float
    form: float
    error: float
    cpu: float
    formula: str


def front(x: np.ndarray, u: np.ndarray, start: float = 0.8) -> tuple[np.ndarray, float]:
    """A, k, c and x0 of ``-A tanh(k (x - x0)) + c (x - x0)``, fitted; and the largest difference that is left."""

    def rest(p):
        return -p[0] * np.tanh(p[1] * 100 * (x - p[3] / 100)) + p[2] * (x - p[3] / 100) - u

    found = least_squares(rest, [start, start / (2 * NU) / 100, 0.7, 0.0], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return found.x * [1, 100, 1, 0.01], float(np.abs(rest(found.x)).max())


def shock(at: float, seed: int) -> ShockRow:
    """Distill the lab-size network at a time; the simplest formula that is as good as the family is taken."""
    cpu = time.process_time()
    row, pinn = solved("lab", seed)
    student = EvolutionRegressor(
        niterations=15, maxsize=14, binary_operators=("+", "-", "*"), unary_operators=("tanh",), n_jobs=1
    )
    learned = distill(pinn.at(t=at), Box({"x": (-REACH, REACH)}, 200, "grid"), student, random_state=seed)
    x = np.linspace(-REACH, REACH, 801)
    told = pinn.at(t=at)(x[:, None])
    exact = cole_hopf(np.stack([x, np.full(len(x), at)], axis=1))
    known = learned.answers[:, 0]
    fitted, _ = front(learned.X[:, 0], known)
    limit = SIMPLEST * np.sqrt(np.mean((_value(fitted, learned.X[:, 0]) - known) ** 2))

    def rms(entry):
        return np.sqrt(np.mean((entry.expression.evaluate(learned.X) - known) ** 2))

    entry = next((one for one in learned.front if rms(one) <= limit), learned.front[-1])
    values = entry.expression.evaluate(x[:, None])
    (A, k, c, _), left = front(x, values)
    exact_A = front(x, exact)[0][0]
    inviscid = brentq(lambda a: np.sin(np.pi * a * at) - a, 0.1, 1.0)  # u = -sin(pi (x - u t)) at x = 0
    relative = np.linalg.norm(told - exact) / np.linalg.norm(exact)
    numbers = (A, k, c, exact_A, inviscid, A / exact_A - 1, A / (2 * NU) / k - 1, left / A)
    return ShockRow(
        at, seed, rounded(relative, 3), *(rounded(value) for value in numbers),
        rounded(np.abs(values - exact).max(), 3), round(time.process_time() - cpu, 1), entry.expression.format(6),
    )  # fmt: skip


def _value(p, x):
    return -p[0] * np.tanh(p[1] * (x - p[3])) + p[2] * (x - p[3])
