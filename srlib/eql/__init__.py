"""The equation learner (EQL): a network whose neurons are sin, exp, products, …, and whose weights become a formula.

Reading order: :mod:`.units` (what neurons compute), :mod:`.sparsity` (penalties that make weights vanish),
:mod:`.network` (layers, for many trials at once), :mod:`.training` (phases of RMSProp), :mod:`.extraction` (weights to
a formula), :mod:`.fitting` (exact weights, and pruning), :mod:`.search` (all that for a block of trials),
:mod:`.formulas` (the formulas of all trials on one front);
:mod:`.regressor` wraps it as a scikit-learn estimator.

It needs torch, which ``pip install 'srlib[torch]'`` brings.
"""

from .extraction import to_expression, to_sympy
from .fitting import Stage, levenberg_marquardt, prune
from .network import Architecture, EQLNetwork
from .regressor import DEFAULT_UNITS, EQLRegressor
from .sparsity import L05, L1, HardConcrete, SmoothedL05
from .training import PAPER_L0, PAPER_L05, PenaltyEpochs, Phase, Snapshot, Training
from .units import PAPER_UNITS, UNITS, Unit, read_units

__all__ = [
    "Architecture", "DEFAULT_UNITS", "EQLNetwork", "EQLRegressor", "HardConcrete", "L05", "L1", "PAPER_L0",
    "PAPER_L05", "PAPER_UNITS", "PenaltyEpochs", "Phase", "SmoothedL05", "Snapshot", "Stage", "Training", "UNITS",
    "Unit", "levenberg_marquardt", "prune", "read_units", "to_expression", "to_sympy",
]  # fmt: skip
