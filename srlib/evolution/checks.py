"""The parameters of an EvolutionRegressor, checked before a search begins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..parameters import chosen_operators
from ..validation import check_choice, check_number
from .prepare import read_loss
from .settings import MUTATIONS, PRESETS

__all__ = ["check_parameters"]


def check_parameters(model) -> None:
    """A ValueError that names the first parameter that cannot be used, its value and the remedy."""
    check_choice("preset", model.preset, tuple(PRESETS))
    check_number("niterations", model.niterations, least=0, whole=True)
    check_number("maxsize", model.maxsize, least=3, most=200)
    for name, least in (
        ("populations", 1), ("population_size", 2), ("ncycles_per_iteration", 1), ("tournament_selection_n", 1),
        ("initial_operators", 0), ("optimizer_iterations", 0), ("duplicates", 0), ("select_k_features", 1),
    ):  # fmt: skip
        check_number(name, getattr(model, name), least=least, whole=True, optional=True)
    for name in (
        "tournament_selection_p", "crossover_probability", "probability_negate_constant", "mutation_repeat",
        "fraction_replaced", "fraction_replaced_hof", "optimize_probability",
    ):  # fmt: skip
        check_number(name, getattr(model, name), least=0, most=1, optional=True)
    for name in ("adaptive_parsimony_scaling", "parsimony", "perturbation_factor"):
        check_number(name, getattr(model, name), least=0, optional=True)
    check_number("alpha", model.alpha, above=0, optional=True)
    check_number("batch_size", model.batch_size, least=10, whole=True)
    if model.replacement is not None:
        check_choice("replacement", model.replacement, ("crowding", "oldest"))
    if model.batching not in (True, False) and model.batching != "auto":
        raise ValueError(f"batching is {model.batching!r}: give True, False or 'auto'")
    if model.executor is not None and not callable(getattr(model.executor, "submit", None)):
        raise ValueError(
            f"executor is {model.executor!r}: give a concurrent.futures.Executor, such as dask's "
            "client.get_executor(), or None"
        )
    if model.mutation_weights is not None:
        if not isinstance(model.mutation_weights, Mapping):
            raise ValueError(f"mutation_weights is {model.mutation_weights!r}: give weights by name, or None")
        for name, weight in model.mutation_weights.items():
            check_choice("mutation_weights", name, MUTATIONS)
            check_number(f"mutation_weights[{name!r}]", weight, least=0)
        if not sum(model.mutation_weights.values()) > 0:
            raise ValueError("mutation_weights are all 0: give at least one a positive weight")
    if isinstance(model.guesses, (str, bytes)) or not np.iterable(model.guesses):
        raise ValueError(f"guesses is {model.guesses!r}: give a list of formulas, such as ['x0**2'], or ()")
    read_loss(model.elementwise_loss)
    chosen_operators(model.binary_operators, model.unary_operators)
