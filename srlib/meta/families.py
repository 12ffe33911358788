"""The families of laws in the literature and in document 000."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..validation import check_number, check_range
from .tasks import Family, FixedLaws, Law

__all__ = ["MOTION", "WAVES", "DampedOscillators", "Sinusoids", "WavesAndExponentials"]


@dataclass(frozen=True)
class Sinusoids(Family):
    """``A sin(x - phi)``, the sinusoid regression of C. Finn, P. Abbeel and S. Levine (arXiv 1703.03400, section 5.1).

    Attributes
    ----------
    amplitude, phase : (float, float)
        Ranges of A and phi (radians).
    domain : (float, float)
        Of x.

    Examples
    --------
    >>> Sinusoids().sample(tasks=4, support=5, seed=0).x_support.shape
    torch.Size([4, 5, 1])
    """

    amplitude: tuple[float, float] = (0.1, 5.0)
    phase: tuple[float, float] = (0.0, math.pi)
    domain: tuple[float, float] = (-5.0, 5.0)

    def __post_init__(self):
        _check(self, "amplitude", "phase", "domain")

    def draw(self, rng: np.random.Generator) -> Law:
        low, high = self.domain
        constants = {"A": rng.uniform(*self.amplitude), "phi": rng.uniform(*self.phase)}
        return Law("A*sin(x - phi)", constants, self.domain, (2 * low, 2 * high))

    def variance(self) -> float:
        """The mean square of a value if the phase is uniform over whole half periods: what the zero function scores."""
        low, high = self.amplitude
        return (low * low + low * high + high * high) / 6


@dataclass(frozen=True)
class WavesAndExponentials(Family):
    """Document 000's family: ``sin(2 pi f x + phi)`` or ``a e^x + b e^-x``, each with probability 1/2.

    The slides print the second as ``a □ e^x + b □ e^x``; the released code shows what the boxes stood for.

    Attributes
    ----------
    frequency, phase : (float, float)
        Ranges of f (periods per unit of x) and phi (radians).
    coefficient : (float, float)
        Range of a and b.
    domain : (float, float)
        Of x.

    Examples
    --------
    >>> WavesAndExponentials().out_of_domain().frequency
    (2.0, 4.0)
    """

    frequency: tuple[float, float] = (0.5, 2.0)
    phase: tuple[float, float] = (0.0, 2 * math.pi)
    coefficient: tuple[float, float] = (-1.0, 1.0)
    domain: tuple[float, float] = (-1.0, 1.0)

    def __post_init__(self):
        _check(self, "frequency", "phase", "coefficient", "domain")

    def draw(self, rng: np.random.Generator) -> Law:
        wide = (2 * self.domain[0], 2 * self.domain[1])
        if rng.random() < 0.5:
            constants = {"f": rng.uniform(*self.frequency), "phi": rng.uniform(*self.phase)}
            return Law("sin(2*pi*f*x + phi)", constants, self.domain, wide)
        constants = {"a": rng.uniform(*self.coefficient), "b": rng.uniform(*self.coefficient)}
        return Law("a*exp(x) + b*exp(-x)", constants, self.domain, wide)

    def out_of_domain(self) -> WavesAndExponentials:
        """The document's other distribution: f in 2 to 4; a and b in 1 to 2, as the released code draws them."""
        return replace(self, frequency=(2.0, 4.0), coefficient=(1.0, 2.0))

    def zero_error(self) -> float:
        """The expected mean square of a value (of whole periods in phi and a symmetric domain): predicting 0."""
        low, high = self.coefficient
        mean, square = (low + high) / 2, (low * low + low * high + high * high) / 3
        half = self.domain[1]
        return 0.25 + square * math.sinh(2 * half) / (2 * half) + mean * mean


@dataclass(frozen=True)
class DampedOscillators(Family):
    """``x'' + 2 zeta omega_0 x' + omega_0^2 x = 0`` (document 000), from ``x(0) = position``, ``x'(0) = velocity``.

    Underdamped for zeta < 1, critically damped for zeta = 1 and overdamped beyond; the three have different forms. In
    the laws time is called ``x``, as every feature here.

    Attributes
    ----------
    damping, frequency : (float, float)
        Ranges of zeta (no unit) and omega_0 (radians per unit of time).
    position, velocity : (float, float)
        Ranges of the first values.
    domain : (float, float)
        Of time.

    Examples
    --------
    >>> DampedOscillators().law(zeta=1.0, omega=2.0).form
    '(a + b*x)*exp(-d*x)'
    """

    damping: tuple[float, float] = (0.05, 2.0)
    frequency: tuple[float, float] = (2.0, 10.0)
    position: tuple[float, float] = (1.0, 1.0)
    velocity: tuple[float, float] = (0.0, 0.0)
    domain: tuple[float, float] = (0.0, 2.0)

    def __post_init__(self):
        _check(self, "damping", "frequency", "position", "velocity", "domain")
        check_number("the smallest damping", self.damping[0], least=0)
        check_number("the smallest frequency", self.frequency[0], above=0)

    def draw(self, rng: np.random.Generator) -> Law:
        return self.law(*(rng.uniform(*one) for one in (self.damping, self.frequency, self.position, self.velocity)))

    def law(self, zeta: float, omega: float, position: float = 1.0, velocity: float = 0.0) -> Law:
        """The solution for one oscillator; zeta of at least 0, omega above 0."""
        check_number("zeta", zeta, least=0)
        check_number("omega", omega, above=0)
        d, wide = zeta * omega, (self.domain[0], 2 * self.domain[1])
        if zeta < 1:
            w = omega * math.sqrt(1 - zeta * zeta)
            constants = {"d": d, "w": w, "a": position, "b": (velocity + d * position) / w}
            form = "exp(-d*x)*(a*cos(w*x) + b*sin(w*x))"
        elif zeta == 1:
            constants = {"d": d, "a": position, "b": velocity + d * position}
            form = "(a + b*x)*exp(-d*x)"
        else:
            root = omega * math.sqrt(zeta * zeta - 1)
            slow, fast = d - root, d + root
            a = (velocity + fast * position) / (fast - slow)
            constants = {"p": slow, "q": fast, "a": a, "b": position - a}
            form = "a*exp(-p*x) + b*exp(-q*x)"
        return Law(form, constants, self.domain, wide)


def _check(family: Family, *names: str) -> None:
    for name in names:
        check_range(name, getattr(family, name))
    if family.domain[0] == family.domain[1]:
        raise ValueError(f"domain is {family.domain!r}: give a range of x that is not empty")


# The sets written by hand in document 000's released code: the last law of each is left for validation.
WAVES = FixedLaws(
    tuple(
        map(
            Law,
            (
                "sin(2*pi*x)", "sin(pi*x + pi/2)", "0.5*exp(-x)*sin(0.5*pi*x + 0.35*pi)", "sin(1.4*pi*x + 0.1)",
                "0.7*exp(-x)", "-0.4*exp(-x)", "0.3*exp(-x)*sin(pi*x)",
            ),
        )
    )
)  # fmt: skip
MOTION = FixedLaws(
    tuple(
        map(
            Law,
            (
                "x", "0.5 + 0*x", "0.3 - 1.2*x", "-(x + 1)*(x - 1)", "2*x*x + 3*x - 1.5", "(x - 0.5)*x*(x + 1.2)",
                "x*x - x",
            ),
        )
    )
)  # fmt: skip
