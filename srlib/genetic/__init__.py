"""The textbook genetic algorithm for formulas, in Python that reads in one sitting.

The seven steps are those of the symbolic-regression lecture (document 003), one file each where they are an idea of
their own:

1. initialisation — :mod:`.initialisation`: random formulas by the grow, full, and ramped half-and-half methods;
2. fitness evaluation — :mod:`.fitness`: prediction loss + parsimony x complexity;
3. selection — :mod:`.selection`: tournament, roulette;
4. crossover and 5. mutation — :mod:`.variation`: subtree crossover; subtree, point, hoist and constant mutation;
6. replacement, with elitism, and 7. termination — the main loop, :func:`.evolve.evolve`.

:mod:`.history` remembers who came from whom; :mod:`.regressor` wraps it all as a scikit-learn estimator.
"""

from .evolve import Settings, breed, evaluate, evolve, initial_trees, replace
from .fitness import Fitness
from .history import History, Individual
from .initialisation import Primitives, full, grow, ramped_half_and_half
from .regressor import GeneticRegressor
from .selection import roulette, tournament
from .variation import (
    constant_mutation,
    crossover,
    hoist_mutation,
    pick_node,
    point_mutation,
    subtree_mutation,
    swap_subtrees,
)

__all__ = [
    "Fitness",
    "GeneticRegressor",
    "History",
    "Individual",
    "Primitives",
    "Settings",
    "breed",
    "constant_mutation",
    "crossover",
    "evaluate",
    "evolve",
    "full",
    "grow",
    "hoist_mutation",
    "initial_trees",
    "pick_node",
    "point_mutation",
    "ramped_half_and_half",
    "replace",
    "roulette",
    "subtree_mutation",
    "swap_subtrees",
    "tournament",
]
