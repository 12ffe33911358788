"""Formulas from physics-informed networks: the toy of source document 003 with its exercises, and u(x, t)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import sympy

from .. import EvolutionRegressor
from ..distill import Box, Distillation, distill
from ..distill.pinn import PHYSICS, PINN, choose_by_physics, train_pinn
from ..problems import Problem
from ..problems.build import generated, variables
from ..recovery import recovers
from .part import rounded

__all__ = ["NOISES", "PlaneRow", "PolynomialRow", "ToyRow", "plane", "polynomial", "toy_student"]

NOISES = (0.0, 0.01, 0.05, 0.1, 0.2)
TEACHERS = {
    "toy": {"width": 16, "layers": 2, "points": 100, "adam": 200, "iterations": 300},
    "heat": {"width": 16, "layers": 3, "points": 500, "adam": 200, "iterations": 300},
    "wave": {"width": 16, "layers": 3, "points": 500, "adam": 200, "iterations": 600},
}
SEARCH = {"niterations": 6, "maxsize": 16, "binary_operators": ("+", "-", "*"), "n_jobs": 1}


@lru_cache(maxsize=8)
def teacher(name: str, seed: int) -> PINN:
    """The network of a problem and a seed."""
    return train_pinn(PHYSICS[name](), seed=seed, **TEACHERS[name])


def _learn(name: str, seed: int, operators, noise: float = 0.0, rows: int = 200, **search) -> Distillation:
    """The student of a network whose answers are noisy, by a share of their standard deviation."""
    problem, pinn, rng = PHYSICS[name](), teacher(name, seed), np.random.default_rng((seed, 1))

    def noisy(X):
        u = pinn(X)
        return u + noise * u.std() * rng.standard_normal(len(u))

    student = EvolutionRegressor(unary_operators=operators, **SEARCH | search)
    box = Box(problem.domain, rows, "grid" if len(problem.names) == 1 else "halton")
    return distill(noisy, box, student, random_state=seed)


def _law(name: str) -> Problem:
    """The solution as a law with free constants, for :func:`srlib.recovers`."""

    def wider(low, high):
        return low - (high - low) / 2, high + (high - low) / 2

    forms = {
        "toy": ("x -3.1416..3.1416", "a*sin(b*x) + c*x", {"a": 3.0, "b": 1.0, "c": -0.5}),
        "heat": ("x t 0..1", "exp(-a*t)*sin(b*x)", {"a": 0.1 * np.pi**2, "b": np.pi}),
        "wave": ("x t 0..1", "cos(a*t)*sin(b*x)", {"a": np.pi, "b": np.pi}),
    }
    columns, form, constants = forms[name]
    return generated(name, name, "physics", variables(columns, wider), form, constants, rows=50)


_rounded = partial(rounded, digits=3)


@dataclass(frozen=True)
class ToyRow:
    """``fit`` judges the formula that the student chooses, ``physics`` the one that the equation chooses.

    ``front`` says whether any formula of the front is the law. The equation sees no other values than the student.
    ``teacher`` is the network's relative error, ``residual`` the worst relative residual of the second formula.
    """

    noise: float
    seed: int
    teacher: float
    fit: str
    front: bool
    physics: str
    residual: float
    holds: bool
    seconds: float
    cpu: float
    fitted: str
    chosen: str


def toy_student(noise: float, seed: int) -> ToyRow:
    """Distill the toy's network, with noise on its answers as a share of their standard deviation."""
    began, cpu = time.perf_counter(), time.process_time()
    learned = _learn("toy", seed, ("sin",), noise)
    choice = choose_by_physics(PHYSICS["toy"](), learned.front, learned.X, learned.answers[:, 0])
    return ToyRow(
        noise, seed, _rounded(teacher("toy", seed).error(400)), recovers(learned.best(), _law("toy")).verdict,
        any(recovers(entry.expression, _law("toy")) for entry in learned.front),
        recovers(choice.expression, _law("toy")).verdict, _rounded(choice.check.worst), choice.holds,
        round(time.perf_counter() - began, 1), round(time.process_time() - cpu, 1), learned.best().format(6),
        choice.expression.format(10),
    )  # fmt: skip


@dataclass(frozen=True)
class PolynomialRow:
    """Without ``sin``: the most accurate polynomial, its coefficients, and its error inside and outside [-pi, pi].

    Taylor's are 2.5, -0.5 and 0.025 for x, x**3 and x**5. ``even`` is the largest coefficient of an even power.
    Relative RMS errors against 3 sin(x) - 0.5 x: on [-pi, pi], and on [pi, 2 pi]. ``taylor`` is that of Taylor's
    polynomial of the same degree inside. ``breaks`` is the first x > 0 where the error exceeds 0.3, a tenth of
    the sine's height.
    """

    seed: int
    degree: int
    c1: float
    c3: float
    c5: float
    c7: float
    even: float
    inside: float
    taylor: float
    outside: float
    breaks: float
    cpu: float
    equation: str


def polynomial(seed: int) -> PolynomialRow:
    """Distill the toy's network without ``sin`` (exercise 3 of source document 003)."""
    cpu = time.process_time()
    learned = _learn("toy", seed, (), maxsize=24)
    formula = learned.front[-1].expression
    x = sympy.Symbol("x")
    poly = sympy.Poly(sympy.expand(formula.sympy()), x)
    c = [float(poly.coeff_monomial(x**k)) for k in range(max(8, poly.degree() + 1))]

    def truth(at):
        return 3 * np.sin(at) - at / 2

    def relative(values, at):
        return _rounded(np.sqrt(np.mean((values - truth(at)) ** 2) / np.mean(truth(at) ** 2)))

    inside, outside = np.linspace(-np.pi, np.pi, 401), np.linspace(np.pi, 2 * np.pi, 401)
    taylor = sympy.lambdify(x, (3 * sympy.sin(x) - x / 2).series(x, 0, poly.degree() + 1).removeO())
    along = np.linspace(0, 4 * np.pi, 4001)
    far = np.abs(formula.evaluate(along[:, None]) - truth(along)) > 0.3
    return PolynomialRow(
        seed, poly.degree(), *(_rounded(c[k]) for k in (1, 3, 5, 7)), _rounded(max(np.abs(c[::2]))),
        relative(formula.evaluate(inside[:, None]), inside), relative(taylor(inside), inside),
        relative(formula.evaluate(outside[:, None]), outside), _rounded(along[far.argmax()] if far.any() else np.inf),
        round(time.process_time() - cpu, 1), formula.format(5),
    )  # fmt: skip


@dataclass(frozen=True)
class PlaneRow:
    """A formula u(x, t): relative residuals before and after its constants are refined, and the verdict on it."""

    problem: str
    seed: int
    teacher: float
    before: float
    equation: float
    conditions: float
    physics: str
    seconds: float
    cpu: float
    chosen: str


def plane(name: str, seed: int) -> PlaneRow:
    """Distill a network of x and t, and let the equation choose and refine."""
    began, cpu = time.perf_counter(), time.process_time()
    operators = {"heat": ("sin", "exp"), "wave": ("sin", "cos")}[name]
    learned = _learn(name, seed, operators, rows=300)
    problem = PHYSICS[name]()
    choice = choose_by_physics(problem, learned.front, learned.X, learned.answers[:, 0])
    parts = [relative for *_, relative in choice.check.parts]
    return PlaneRow(
        name, seed, _rounded(teacher(name, seed).error(60, 60)), _rounded(choice.before.worst), _rounded(parts[0]),
        _rounded(max(parts[1:])), recovers(choice.expression, _law(name)).verdict,
        round(time.perf_counter() - began, 1), round(time.process_time() - cpu, 1), choice.expression.format(10),
    )  # fmt: skip
