"""Benchmark problems and real data, each with its law, domain, source and licence.

>>> from srlib import problems
>>> problems.suites()
('empirical', 'gmeql', 'eql', 'eqldiv', 'nguyen', 'feynman', 'meta')
>>> hubble = problems.load("hubble")
>>> hubble.X.shape, hubble.units
((32, 1), {'D': 'Mpc', 'v': 'km/s'})
"""

from difflib import get_close_matches

from . import benchmarks, empirical, feynman
from .problem import Problem, Variable

__all__ = ["Problem", "Variable", "load", "names", "suite", "suites"]

_TABLES = {
    "empirical": empirical.LAWS,
    **{suite: row[0] for suite, row in benchmarks.SUITES.items() if suite != "meta"},
    "feynman": feynman.LAWS,
    "meta": benchmarks.META,
}


def suites() -> tuple[str, ...]:
    """Return the names of the suites."""
    return tuple(_TABLES)


def names(suite: str | None = None) -> tuple[str, ...]:
    """Return the names of the problems of one suite, or of all.

    >>> names("gmeql")
    ('b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8')
    """
    return tuple(name for s in ([_known("suite", suite, _TABLES)] if suite else _TABLES) for name in _TABLES[s])


def suite(name: str) -> list[Problem]:
    """Return the list of the Problems of a suite.

    >>> [problem.name for problem in suite("empirical")][:3]
    ['hubble', 'kepler', 'newton']
    """
    return [load(key) for key in names(_known("suite", name, _TABLES))]


def load(name: str) -> Problem:
    """Return a Problem by its name; capitals, "-" and "_" make no difference.

    Raises
    ------
    ValueError
        If there is no such problem; the message has the nearest names.

    Examples
    --------
    >>> load("I.12.2").title
    "Coulomb's law"
    """
    name = _known("problem", name, names())
    suite = next(s for s, table in _TABLES.items() if name in table)
    if suite == "empirical":
        return empirical.build(name)
    return feynman.build(name) if suite == "feynman" else benchmarks.build(suite, name)


def _known(kind, name, known):
    """Return the known name that is meant, or raise ValueError with the nearest ones."""
    plain = {key.casefold().replace("_", "-"): key for key in known}
    wanted = name.casefold().replace("_", "-") if isinstance(name, str) else None
    if wanted in plain:
        return plain[wanted]
    near = get_close_matches(wanted or "", plain, n=3, cutoff=0.5)
    hint = "did you mean " + " or ".join(repr(plain[key]) for key in near) + "?" if near else ""
    listing = f"srlib.problems.{'suites' if kind == 'suite' else 'names'}() lists them all"
    raise ValueError(f"unknown {kind} {name!r}: {hint or 'no name is close;'} {listing}")
