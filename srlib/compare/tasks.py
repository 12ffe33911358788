"""The problems of the race for exact formulas: 33 on which peers are usually compared, and 30 held out.

A task is 300 noise-free rows to learn from, 300 fresh ones to be judged on, and an alphabet, the same for everybody.
The held-out equations played no part in the choice of any of srlib's parameters. They are 12 of the Feynman
lectures, 6 of the equation learner's, and 12 from textbooks, written below with their sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .. import problems
from ..expression import Expression
from ..operators import suggest
from ..problems.build import random_state, variables

__all__ = ["BINARY", "TASKS", "Task", "load_task", "task_names"]

ROWS = 300  # to learn from, and as many to be judged on
BINARY = ("+", "-", "*", "/")

WAVES = ("sin", "cos", "exp", "log", "sqrt", "square")
GROWTH = ("exp", "log", "sqrt", "square")

# Problems of srlib.problems, and their alphabets besides + - * /. The data are drawn anew from the law.
KNOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "peers": {
        **{f"b{i}": ("sin", "cos", "sqrt", "square") for i in range(1, 9)},
        **{f"nguyen-{i}": ("sin", "cos", "exp", "log") for i in range(1, 13)},
        **dict.fromkeys(("I.29.16", "I.44.4", "III.10.19"), WAVES),
    },
    "peers-heldout": {
        **dict.fromkeys(
            (
                *("I.6.20", "I.8.14", "I.10.7", "I.12.11", "I.15.3x", "I.16.6", "I.18.4", "I.27.6", "I.37.4"),
                *("II.11.3", "II.35.18", "III.4.33"),
            ),
            WAVES,
        ),
        **dict.fromkeys(("eql-4", "eql-7", "eql-9", "eql-10", "eql-11", "eql-12"), ("sin", "cos", "exp", "square")),
    },
}

# Laws that are written here: form, ranges of the columns (scale "log" after a bar), alphabet.
EMPIRICAL = {  # EmpiricalBench (arXiv 2305.01582) without noise, by formula also where it has observations
    "hubble": ("73.3*D", "D 1..20", GROWTH),
    "kepler": ("365.25*sqrt(a*a*a)", "a 0.38..9.5 | log", GROWTH),
    "newton": (
        "log(6.67408e-11) + log(m1) + log(m2) - 2*log(r)", "r 3.7e8..7.37593e12, m1 m2 1.3e22..2e30 | log", GROWTH
    ),
    "planck": (  # log(2 h/c^2) + 3 log(nu) - log(exp(h nu/kT) - 1), written so that nothing overflows
        "log(2*6.62607004e-34) - 2*log(299792458) + 3*log(nu) - 6.62607004e-34/1.38064852e-23*(nu/T)"
        " - log(1 - exp(-6.62607004e-34/1.38064852e-23*(nu/T)))",
        "nu 1e9..1e16, T 100..6000 | log", GROWTH,
    ),
    "leavitt": ("15.65 - 2.084/log(10)*log(P)", "P 1.25..158 | log", GROWTH),
    "schechter": ("log(0.002/2.5e8) - 1.2*log(L/2.5e8) - L/2.5e8", "L 1e6..3e9 | log", GROWTH),
    "bode": ("log(0.4 + 0.3*exp(log(2)*n))", "n 0..7", GROWTH),
    "ideal_gas": ("log(8.314*n*T/V)", "n 1..100, T 300..400, V 1..100", GROWTH),
    "rydberg": ("-log(1.097e7*(1/square(n1) - 1/square(n2)))", "n1 1..6, n2 2..7 | integer", GROWTH),
}  # fmt: skip
PYSR = {  # the first example of PySR's documentation
    "pysr": ("2.5382*cos(x3) + x0*x0 - 0.5", "x0 x1 x2 x3 x4 -3..3", ("sin", "cos", "exp")),
}
TEXTBOOKS = {  # constants of nature are 1 or lumped into a round number, as a problem in class would do
    # J. D. van der Waals 1873: pressure of a real gas; P. Atkins, Physical Chemistry
    "van_der_waals": ("8.314*n*T/(V - 0.43*n) - 3.6*square(n/V)", "n 1..3, T 3..5, V 3..10", WAVES),
    # P. Morse 1929: potential of a diatomic molecule; P. Atkins, Physical Chemistry
    "morse": ("D*square(1 - exp(-1.9*(r - 0.74)))", "D 1..5, r 0.5..3", WAVES),
    # J. Lennard-Jones 1931: potential of two neutral atoms; C. Kittel, Introduction to Solid State Physics
    "lennard_jones": (
        "4*epsilon*(square(square(square(s/r)*s/r)) - square(square(s/r)*s/r))", "epsilon 1..5, s 1..1.5, r 1..2", WAVES
    ),
    # L. Landau, E. Lifshitz, Mechanics: damped oscillation, and the amplitude of a driven one
    "damped": ("A*exp(-gamma*t)*cos(2.2*t + 0.4)", "A 1..3, gamma 0.1..0.5, t 0..5", WAVES),
    "resonance": (
        "F/(m*sqrt(square(square(w0) - square(w)) + square(gamma*w)))",
        "F 1..3, m 1..3, w0 1..2, w 1..2, gamma 0.2..1", WAVES,
    ),
    # A. Compton 1923: wavelength of scattered X-rays (pm); D. Halliday, R. Resnick, Fundamentals of Physics
    "compton": ("l0 + 2.426*(1 - cos(theta))", "l0 1..20, theta 0..3.1", WAVES),
    # period of a pendulum to second order in its amplitude; D. Halliday, R. Resnick, Fundamentals of Physics
    "pendulum": ("2*pi*sqrt(l/g)*(1 + square(theta)/16)", "l 0.2..3, g 1.6..25, theta 0..1.5", WAVES),
    # H. Yukawa 1935: potential of a nucleon; H. Frauenfelder, E. Henley, Subatomic Physics
    "yukawa": ("-square(q)*exp(-r/l)/r", "q 1..3, r 0.5..4, l 0.5..2", WAVES),
    # K. Tsiolkovsky 1903: speed of a rocket that rises against gravity; H. Goldstein, Classical Mechanics
    "rocket": ("v*log(m0/m) - 9.81*t", "v 20..45, m0 50..100, m 10..40, t 0..3", WAVES),
    # two slits; E. Hecht, Optics
    "two_slits": ("4*I0*square(cos(pi*d*sin(theta)/l))", "I0 1..5, d 1..3, theta -0.5..0.5, l 0.5..0.7", WAVES),
    # flow through a Venturi tube by Bernoulli's equation; D. Halliday, R. Resnick, Fundamentals of Physics
    "venturi": ("a*sqrt(2*p/(rho*(square(A/a) - 1)))", "a 1..2, A 3..5, p 1..5, rho 1..3", WAVES),
    # E. Fermi, P. Dirac 1926: occupation of a level; C. Kittel, Introduction to Solid State Physics
    "fermi": ("1/(exp((E - mu)/kT) + 1)", "E 0..3, mu 1..2, kT 0.2..1", WAVES),
}  # fmt: skip
WRITTEN = {"peers": {**EMPIRICAL, **PYSR}, "peers-heldout": TEXTBOOKS}

# In the order in which suites are usually listed, and their results are printed.
TASKS: dict[str, tuple[str, ...]] = {
    name: (*KNOWN[name], *WRITTEN[name]) for name in ("peers", "peers-heldout")
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Task:
    """One problem of the race.

    Attributes
    ----------
    name : str
        Its name.
    law : Expression
        The formula behind the data, one of many ways to write it.
    unary_operators : tuple of str
        What formulas may be made of, besides + - * /.
    X, y, X_test, y_test : ndarray of shape (300, features), (300,), (300, features), (300,)
        The data to learn from and to be judged on.
    """

    name: str
    law: Expression
    unary_operators: tuple[str, ...]
    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def task_names() -> tuple[str, ...]:
    """All tasks' names."""
    return tuple(name for names in TASKS.values() for name in names)


@cache
def load_task(name: str) -> Task:
    """The task of that name; its data are the same at each call.

    Raises
    ------
    ValueError
        If there is none; the message has the nearest name.

    Examples
    --------
    >>> task = load_task("compton")
    >>> task.X.shape, str(task.law)
    ((300, 2), 'l0 + 2.426*(1 - cos(theta))')
    """
    rng = np.random.default_rng(random_state(name).randint(2**31))
    for known in KNOWN.values():
        if name in known:
            problem = problems.load(name)
            (X, y), (X_test, y_test) = problem.sample(ROWS, rng), problem.sample(ROWS, rng)
            return Task(name, problem.truth, known[name], X, y, X_test, y_test)
    for written in WRITTEN.values():
        if name in written:
            text, ranges, unary = written[name]
            columns = _columns(ranges)
            law = Expression.parse(text, names=[column.name for column in columns])
            draw = _two_levels if name == "rydberg" else _independent
            X, X_test = draw(columns, rng), draw(columns, rng)
            return Task(name, law, unary, X, law.evaluate(X), X_test, law.evaluate(X_test))
    raise ValueError(f"task is {name!r}{suggest(str(name), task_names())}; known are {', '.join(task_names())}")


def _columns(ranges: str):
    text, _, scale = ranges.partition("|")
    return variables(text, scale=scale.strip() or "linear")


def _independent(columns, rng) -> np.ndarray:
    return np.column_stack([column.spread(rng.uniform(size=ROWS)) for column in columns])  # (rows, features)


def _two_levels(columns, rng) -> np.ndarray:
    """Quantum numbers of the hydrogen atom, the first below the second; any first one is as frequent as another."""
    (first, _), (_, last) = (column.range("domain") for column in columns)
    low = rng.integers(first, last, ROWS)
    return np.column_stack([low, rng.integers(low + 1, last + 1)]).astype(float)  # (rows, 2)
