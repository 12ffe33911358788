"""The numbers of a search, in two presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .evolve import KINDS, Rules

__all__ = ["PRESETS", "Settings"]

MUTATIONS = KINDS[:14]

# PySR's own names and weights (default_options of SymbolicRegression.jl 2.0, as passed by PySR); its add_node is half
# append, half prepend
PYSR_WEIGHTS = {
    "mutate_constant": 0.0346, "mutate_operator": 0.293, "mutate_feature": 0.1, "append_node": 1.235,
    "prepend_node": 1.235, "insert_node": 0.0112, "delete_node": 0.870, "rotate_tree": 4.26, "swap_operands": 0.198,
    "simplify": 0.00209, "randomize": 0.000502, "optimize": 0.0, "do_nothing": 0.273,
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How the islands evolve; see :class:`~srlib.EvolutionRegressor` for what each number means."""

    populations: int = 8
    population_size: int = 180
    ncycles_per_iteration: int = 1000
    tournament_selection_n: int = 5
    tournament_selection_p: float = 0.9
    adaptive_parsimony_scaling: float = 0.0
    use_frequency: bool = False
    annealing: bool = False
    alpha: float = 0.1
    parsimony: float = 0.0
    crossover_probability: float = 0.2
    perturbation_factor: float = 0.1
    probability_negate_constant: float = 0.01
    mutation_repeat: float = 0.25
    mutation_weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "mutate_constant": 0.3, "mutate_operator": 1.0, "mutate_feature": 0.7, "append_node": 1.0,
            "prepend_node": 0.7, "insert_node": 1.5, "delete_node": 1.2, "rotate_tree": 1.0, "graft": 1.5,
            "randomize": 0.1,
        }
    )  # fmt: skip
    fraction_replaced: float = 0.005
    fraction_replaced_hof: float = 0.02
    initial_operators: int = 3
    optimize_probability: float = 1.0
    optimizer_iterations: int = 6
    should_simplify: bool = True
    replacement: str = "crowding"
    linear_scaling: bool = True
    duplicates: int = 3
    regression: bool = True
    rescale: bool = True

    def rules(self, maxsize: float, baseline: float) -> Rules:
        """The same for the compiled loop.

        Losses are compared as shares of the ``baseline``, the loss of the best constant, so that what alpha and
        parsimony mean does not depend on the target's unit.
        """
        weights = np.cumsum([float(self.mutation_weights.get(kind, 0.0)) for kind in MUTATIONS])
        every_child = self.optimize_probability >= 1.0
        return Rules(
            weights=weights, p_cross=float(self.crossover_probability), n_s=int(self.tournament_selection_n),
            p=float(self.tournament_selection_p), scaling=float(self.adaptive_parsimony_scaling),
            use_frequency=bool(self.use_frequency), annealing=bool(self.annealing), alpha=float(self.alpha) * baseline,
            parsimony=float(self.parsimony) * baseline, factor=float(self.perturbation_factor),
            p_negate=float(self.probability_negate_constant), p_repeat=float(self.mutation_repeat),
            steps=int(self.optimizer_iterations) if every_child else 0, gain=1e-6, visits=int(self.duplicates),
            crowding=self.replacement == "crowding", quota=max(1, int(self.population_size // maxsize)),
        )  # fmt: skip


PRESETS: dict[str, Settings] = {
    "default": Settings(),
    # The pseudo-code of the 2023 paper (documents 002 and 003), scaled down from 40 islands of 1000 and 300 000
    # mutations a call, which 8 cores work on for an hour.
    "paper": Settings(
        populations=15, population_size=100, ncycles_per_iteration=3000, tournament_selection_n=12,
        tournament_selection_p=0.9, adaptive_parsimony_scaling=1.0, use_frequency=True, annealing=True, alpha=0.1,
        crossover_probability=0.01, perturbation_factor=1.0, probability_negate_constant=0.5, mutation_repeat=0.0,
        mutation_weights=PYSR_WEIGHTS, fraction_replaced=0.05, fraction_replaced_hof=0.05, initial_operators=1,
        optimize_probability=0.999999, optimizer_iterations=8, should_simplify=True, replacement="oldest",
        linear_scaling=False, duplicates=0, regression=False, rescale=True,
    ),
}  # fmt: skip
