"""Differential equations with known solutions, to teach a network and to judge it and its student by.

Each function gives a :class:`~srlib.distill.pinn.equations.DifferentialProblem`; ``PHYSICS`` lists them by name.
"""

from __future__ import annotations

import math

import numpy as np
import sympy
from sympy import Eq, Rational, cos, exp, pi, sin, sqrt

from ...validation import check_number
from .equations import Condition, DifferentialProblem

__all__ = ["PHYSICS", "burgers", "cole_hopf", "heat", "oscillator", "reaction_diffusion", "toy", "wave"]

x, t = sympy.symbols("x t")
NODES = 100  # of Gauss-Hermite, at least; 100 agree with 240 to 6e-8 at nu = 0.001
THINNEST = 4e-4  # the viscosity at which 0.1/nu nodes are 250; numpy has weights up to 360, and NaN for 380


def toy() -> DifferentialProblem:
    """An equation whose solution is 3 sin(x) - 0.5 x, the formula of source document 003.

    The document shows the formula and not the equation that its network solved; u'' + u = -0.5 x with u(0) = 0 and
    u'(0) = 2.5, on one period around 0, is our choice.
    """
    u = sympy.Function("u")(x)
    solution = 3 * sin(x) - x / 2
    return DifferentialProblem(
        "toy", Eq(u.diff(x, x) + u, -x / 2), u, {"x": (-math.pi, math.pi)},
        [Condition(Eq(u, 0), {"x": 0.0}), Condition(Eq(u.diff(x), Rational(5, 2)), {"x": 0.0})],
        solution, about="source document 003; the equation is ours",
    )  # fmt: skip


def oscillator(damping: float = 0.4, frequency: float = 3.0) -> DifferentialProblem:
    """A damped oscillator released at rest, u'' + 2 damping u' + frequency^2 u = 0 with u(0) = 1.

    Parameters
    ----------
    damping : float
        In 1/s; below the frequency.
    frequency : float
        Without damping, in rad/s.
    """
    check_number("frequency", frequency, above=0)
    check_number("damping", damping, least=0)
    if damping >= frequency:
        raise ValueError(f"damping is {damping}: give less than frequency = {frequency}, or nothing swings")
    u = sympy.Function("u")(t)
    d, w = sympy.nsimplify(damping), sympy.nsimplify(frequency)
    swing = sqrt(w**2 - d**2)
    solution = exp(-d * t) * (cos(swing * t) + d / swing * sin(swing * t))
    return DifferentialProblem(
        "oscillator", u.diff(t, t) + 2 * d * u.diff(t) + w**2 * u, u, {"t": (0.0, 5.0)},
        [Condition(Eq(u, 1), {"t": 0.0}), Condition(u.diff(t), {"t": 0.0})],
        solution, about="textbooks",
    )  # fmt: skip


def burgers(viscosity: float | None = None) -> DifferentialProblem:
    """Burgers' equation as M. Raissi and others solve it (J. Comput. Phys. 378, 2019): a wave that steepens to a shock.

    u_t + u u_x = nu u_xx with u(x, 0) = -sin(pi x) and u(-1, t) = u(1, t) = 0, for t up to 0.99 as in their data.

    Parameters
    ----------
    viscosity : float, optional
        nu; by default 0.01/pi. At least 4e-4, because of the reference.
    """
    check_number("viscosity", viscosity, least=THINNEST, optional=True)
    nu = Rational(1, 100) / pi if viscosity is None else sympy.nsimplify(viscosity)
    u = sympy.Function("u")(x, t)
    number = float(nu)
    return DifferentialProblem(
        "burgers", Eq(u.diff(t) + u * u.diff(x), nu * u.diff(x, x)), u, {"x": (-1.0, 1.0), "t": (0.0, 0.99)},
        [
            Condition(Eq(u, -sin(pi * x)), {"t": 0.0}),
            Condition(u, {"x": -1.0}),
            Condition(u, {"x": 1.0}),
        ],
        reference=lambda X: cole_hopf(X, number), about="Raissi, Perdikaris, Karniadakis 2019",
    )  # fmt: skip


def cole_hopf(X: np.ndarray, viscosity: float = 0.01 / math.pi, nodes: int | None = None) -> np.ndarray:
    """The solution of :func:`burgers`, by the Cole-Hopf transform and Gauss-Hermite quadrature.

    With phi = exp(-cos(pi y)/(2 pi nu)) the transform turns Burgers' equation into the heat equation, and
    u(x, t) = -E[sin(pi y) phi(y)] / E[phi(y)] over normal y with mean x and variance 2 nu t (C. Basdevant and others,
    Computers and Fluids 14, 1986).

    Parameters
    ----------
    X : ndarray, shape (rows, 2)
        x and t.
    viscosity : float
        nu.
    nodes : int, optional
        Of the quadrature; by default 0.1/nu, and at least 100. With too few, a small nu gives a wrong solution: 100
        leave an error of 0.2 at nu = 5e-4.

    Returns
    -------
    ndarray, shape (rows,)
    """
    check_number("viscosity", viscosity, least=THINNEST)
    nodes = max(NODES, math.ceil(0.1 / viscosity)) if nodes is None else nodes
    X = np.asarray(X, dtype=float)
    z, weights = np.polynomial.hermite.hermgauss(nodes)
    y = X[:, :1] - 2 * np.sqrt(viscosity * X[:, 1:2]) * z  # (rows, nodes)
    power = -np.cos(np.pi * y) / (2 * np.pi * viscosity)
    share = weights * np.exp(power - power.max(axis=1, keepdims=True))  # powers of 50 would overflow by themselves
    return -np.sum(np.sin(np.pi * y) * share, axis=1) / np.sum(share, axis=1)


def heat(diffusivity: float = 0.1) -> DifferentialProblem:
    """The heat equation u_t = k u_xx on a rod whose ends are kept at 0; one mode decays."""
    check_number("diffusivity", diffusivity, above=0)
    k = sympy.nsimplify(diffusivity)
    u = sympy.Function("u")(x, t)
    return DifferentialProblem(
        "heat", Eq(u.diff(t), k * u.diff(x, x)), u, {"x": (0.0, 1.0), "t": (0.0, 1.0)},
        [Condition(Eq(u, sin(pi * x)), {"t": 0.0}), Condition(u, {"x": 0.0}), Condition(u, {"x": 1.0})],
        exp(-k * pi**2 * t) * sin(pi * x), about="textbooks",
    )  # fmt: skip


def wave(speed: float = 1.0) -> DifferentialProblem:
    """The wave equation u_tt = c^2 u_xx of a string plucked in its first mode and let go at rest."""
    check_number("speed", speed, above=0)
    c = sympy.nsimplify(speed)
    u = sympy.Function("u")(x, t)
    return DifferentialProblem(
        "wave", Eq(u.diff(t, t), c**2 * u.diff(x, x)), u, {"x": (0.0, 1.0), "t": (0.0, 1.0)},
        [
            Condition(Eq(u, sin(pi * x)), {"t": 0.0}),
            Condition(u.diff(t), {"t": 0.0}),
            Condition(u, {"x": 0.0}),
            Condition(u, {"x": 1.0}),
        ],
        cos(c * pi * t) * sin(pi * x), about="textbooks",
    )  # fmt: skip


def reaction_diffusion() -> DifferentialProblem:
    """Fisher's equation u_t = u_xx + 6 u (1 - u) with the travelling front u = (1 + exp(x - 5 t))^-2.

    The closed form is that of M. Ablowitz and A. Zeppetella (Bull. Math. Biol. 41, 1979), scaled.
    """
    u = sympy.Function("u")(x, t)
    solution = (1 + exp(x - 5 * t)) ** -2
    low, high = -4.0, 6.0
    return DifferentialProblem(
        "reaction_diffusion", Eq(u.diff(t), u.diff(x, x) + 6 * u * (1 - u)), u, {"x": (low, high), "t": (0.0, 0.6)},
        [
            Condition(Eq(u, solution.subs(t, 0)), {"t": 0.0}),
            Condition(Eq(u, solution.subs(x, sympy.Integer(int(low)))), {"x": low}),
            Condition(Eq(u, solution.subs(x, sympy.Integer(int(high)))), {"x": high}),
        ],
        solution, about="Ablowitz and Zeppetella 1979",
    )  # fmt: skip


PHYSICS = {one.__name__: one for one in (toy, oscillator, burgers, heat, wave, reaction_diffusion)}
