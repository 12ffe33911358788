"""Regularised evolution on islands: PySR's algorithm, readable as Python and compiled by numba.

Reading order: :mod:`.trees` (a formula in the making), :mod:`.mutation` (all changes), :mod:`.selection` (tournament,
frecency, annealing), :mod:`.judge` (a child is fitted and judged), :mod:`.evolve` (one island: Algorithm 2 of the
lecture, document 003), :mod:`.island`, :mod:`.migration`, :mod:`.archipelago` (all islands: Algorithm 1),
:mod:`.engine` (from the data to the front), :mod:`.regressor` (the estimator). Beside these stand :mod:`.simplify`,
:mod:`.duplicates`, :mod:`.constraints`, :mod:`.dimensions`, :mod:`.rescale`, :mod:`.prepare`, :mod:`.history`,
:mod:`.settings`; and :mod:`.regression`, the search for sums of small expressions that comes before the evolution.
"""

from .history import Ancestor, History
from .regressor import EvolutionRegressor
from .settings import MUTATIONS, PRESETS, Settings

__all__ = ["MUTATIONS", "PRESETS", "Ancestor", "EvolutionRegressor", "History", "Settings"]
