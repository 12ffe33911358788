"""How a line of a table becomes a Problem."""

import re
from hashlib import sha256

import numpy as np

from ..expression import Expression
from .problem import Problem, Variable


def random_state(key):
    """Return the legacy generator whose seed is the SHA-256 of a key, the rule that EmpiricalBench publishes.

    Its streams never change between versions of numpy, so that a key stands for one fixed data set.
    """
    return np.random.RandomState(np.frombuffer(sha256(key.encode()).digest(), dtype="<u4"))


def variables(text, widen=None, scale="linear"):
    """Return the Variables that a text such as "q1 [C] 1..5, r [m] 1..5" describes.

    `widen` gives the extrapolation range from (low, high). Several names may share one range: "x y 0..1".

    >>> variables("m [kg] 1..5")[0]
    Variable(name='m', unit='kg', low=1.0, high=5.0, scale='linear', wide=None, meaning='')
    """
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([\w ]+?)\s*(?:\[(.*)\])?\s*(-?[\d.e]+?)\.\.(-?[\d.e]+)\s*", part)
        if match is None:
            raise ValueError(f"cannot read the variable {part!r}: write it like 'r [m] 1..5'")
        names, unit, low, high = match.groups()
        low, high = float(low), float(high)
        wide = widen(low, high) if widen else None
        found += [Variable(name, unit or "", low, high, scale, wide) for name in names.split()]
    return tuple(found)


def number(text):
    """Return the value of a constant written as text, such as "1/(4*pi)"."""
    return float(Expression.parse(text, names=("unused",)).evaluate(np.zeros((1, 1)))[0])


def parameters(text):
    """Return {"k": 0.25, "k2": 2.0} for "k=1/4 k2=2"."""
    return {name: number(value) for name, value in (pair.split("=") for pair in text.split())}


def family(form, names, constants):
    """Return the form of a law as an Expression over the columns followed by its free constants."""
    return Expression.parse(form, names=(*names, *constants))


def generated(name, title, suite, columns, form, constants, rows, target="y", unit="", noise_sd=0.0, **about):
    """Return a Problem whose data are drawn from its own formula, the same ones each time."""
    names = [v.name for v in columns]
    about.setdefault("licence", "generated from the formula; no restrictions")
    problem = Problem(
        name, title, suite, columns, target, unit, family(form, names, constants), constants, None, None, **about
    )
    rng = random_state(name)
    X, y = problem.sample(rows, rng)
    object.__setattr__(problem, "X", X)
    object.__setattr__(problem, "y", y)
    return problem.with_noise(noise_sd, rng, relative_to="absolute")
