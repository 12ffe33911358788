"""Why a search cannot take a formula that its user gave it to begin with, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dimensions import check_units
from ..expression import Expression
from ..operators import by_code
from .constraints import SLACK

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["refusal"]


def refusal(engine: Engine, guess: Expression) -> str:
    """What is wrong with a guess, and the remedy; "" if the search may use it."""
    if engine.allowed(guess):
        return ""
    if dropped := [j for j in guess.features if j not in engine.chosen]:
        names = ", ".join(engine.names[j] if engine.names else f"x{j}" for j in dropped)
        return f"select_k_features has left out {names}; give a larger number, or choose the columns yourself"
    if len(guess.constants) > engine.numbers:
        return (
            f"it has {len(guess.constants)} constants, and the rows of X and y that differ determine at most "
            f"{engine.numbers}"
        )
    for code in guess.codes.tolist():
        if code > 0 and code not in engine.alphabet:
            return f"the operator {by_code(code).name!r} is none of the search's; add it to them"
    if (weight := engine.complexity(guess)) > engine.limits.maxsize + SLACK:
        return f"its complexity is {weight:g}, and maxsize is {engine.limits.maxsize:g}"
    if guess.depth > engine.limits.maxdepth:
        return f"it has {guess.depth} levels, and maxdepth is {engine.limits.maxdepth:g}"
    if engine.units is not None and (fault := check_units(guess, *engine.options.units)):
        return f"it does not balance: {fault}"
    return "it breaks constraints or nested_constraints"
