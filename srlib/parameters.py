"""From what a user gives to the parts of a search: operators, formulas to begin with, threads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache

from threadpoolctl import ThreadpoolController

from .expression import Expression
from .functions import from_function
from .operators import Operator, find

__all__ = ["chosen_operators", "one_blas_thread", "read_guesses", "threads", "words"]


def chosen_operators(binary, unary) -> tuple[Operator, ...]:
    """The operators that ``binary_operators`` and ``unary_operators`` name, each once.

    Raises
    ------
    ValueError
        If one does not exist or takes another number of arguments, or there is none at all.
    """
    chosen = []
    for name, given, arity in (("binary_operators", binary, 2), ("unary_operators", unary, 1)):
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise ValueError(f"{name} is {given!r}: give a list of operators, such as {[given]!r}")
        for one in given:
            try:
                operator = _operator(one, arity)
            except ValueError as error:
                raise ValueError(f"{name} holds {one!r}: {error}") from None
            if operator.arity != arity:
                raise ValueError(f"{name} holds {one!r}, which takes {operator.arity} argument(s), not {arity}")
            chosen.append(operator)
    if not chosen:
        raise ValueError("binary_operators and unary_operators are both empty: give at least one operator, such as '+'")
    return tuple(dict.fromkeys(chosen))


def _operator(one, arity: int) -> Operator:
    """The operator that a name, a definition, an Operator or a Python function stands for."""
    if isinstance(one, str) and "=" in one:
        return Expression.operator(one)
    if callable(one) and not isinstance(one, Operator):
        return from_function(one)
    return find(one, arity)


def read_guesses(guesses, names: Sequence[str] | None, n_features: int, operators: Iterable[Operator] = ()):
    """Formulas that a user gives as text or Expression, over the columns' names.

    Raises
    ------
    ValueError
        If one cannot be read, or uses a column that there is not.
    """
    found = []
    operators = [one for one in operators if one.definition]
    for guess in guesses:
        try:
            tree = guess if isinstance(guess, Expression) else Expression.parse(guess, names, operators)
        except ValueError as error:
            raise ValueError(f"guesses holds {guess!r}: {error}") from None
        if tree.features and tree.features[-1] >= n_features:
            raise ValueError(f"guesses holds {guess!r}, but X has only {n_features} columns")
        if None not in (tree.names, names) and tree.names != names:
            raise ValueError(f"guesses holds {guess!r} over {tree.names}, but the columns of X are {names}")
        found.append(tree.with_names(names))
    return found


def threads(n_jobs: int | None) -> int:
    """How many threads ``n_jobs`` means: None and -1 all cores, -2 all but one."""
    cores = os.cpu_count() or 1
    if n_jobs is None:
        return cores
    return n_jobs if n_jobs > 0 else max(1, cores + 1 + n_jobs)


@lru_cache(maxsize=1)
def _pools() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread():
    """A context in which numpy's and scipy's linear algebra runs in one thread.

    Searches solve many small systems, which further threads only slow down; and with another number of threads the
    last digits of a solution may be others.
    """
    return _pools().limit(limits=1, user_api="blas")


def words(operator: Operator) -> str:
    """What tells an operator from all others, in any process."""
    return operator.definition or operator.name
