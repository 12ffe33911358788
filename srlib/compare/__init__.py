"""Methods x problems x seeds -> one table: ``python -m srlib.compare gplearn``.

Every set of runs writes one row per run to a CSV file as soon as it is done; started again, it goes on where it
stopped. Methods take turns on each problem and seed, so that a busy machine slows all of them alike; compare their
times as ratios.

- ``gplearn``: the genetic algorithm beside gplearn, judged by the formula picked (:mod:`~srlib.compare.picked`).
- ``peers``, ``peers-heldout``: the race for exact formulas with Operon and gplearn (:mod:`~srlib.compare.race`).
- ``ablation``: the race of the evolution engine with itself, one ingredient switched off at a time.
- ``empirical``, ``noise``: laws on the front, from observed and from noisy data (:mod:`~srlib.compare.laws`).
- ``scaling``: evaluations a second against workers (:mod:`~srlib.compare.scaling`).
"""

from .. import problems
from .command import main
from .methods import METHODS, OPERATORS, SETS, Answer
from .picked import Row, compare, run_one, summary

__all__ = ["METHODS", "OPERATORS", "SETS", "Answer", "Row", "compare", "main", "problems", "run_one", "summary"]
