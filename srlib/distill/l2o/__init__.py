"""Learning to optimise, then reading the rule: update rules that are learned, distilled to formulas, and tuned again.

W. Zheng, T. Chen, T.-K. Hu and Z. Wang, *Symbolic learning to optimize* (ICLR 2022; document 001). Reading order:
:mod:`.optimizees` (problems, a batch at once), :mod:`.features` (what a rule sees), :mod:`.rules` (formulas as rules;
SGD, momentum, RMSprop and Adam), :mod:`.unroll` (a rule at work), :mod:`.networks` (DM and RNNprop), :mod:`.objective`
and :mod:`.training` (meta-training by back-propagation through unrolls, of networks and of a formula's constants;
:mod:`.early_stopping` keeps what did best), :mod:`.trajectories` (what a rule did, as a table), :mod:`.forms` (rules of
a given form for it), :mod:`.perception` (how far back a rule looks), :mod:`.symbolic` (a formula as a torch optimiser),
:mod:`.comparison` (races with tuned baselines).

It needs torch, which ``pip install 'srlib[torch]'`` brings.
"""

from .comparison import Tuned, race, tune
from .early_stopping import Validation
from .features import SIGNALS, Features, lags
from .forms import linear_rule, tanh_sum, tanh_units
from .networks import RecurrentRule, dm, rnnprop, rp_s, rp_si
from .objective import unroll_loss
from .optimizees import DigitsConvNet, DigitsLogistic, DigitsMLP, Family, Optimizees, Quadratics, Rosenbrock
from .perception import Perception, mapping_complexity, mapping_curve, perception
from .rules import FormulaRule, Rule, adam, cosine, momentum, rmsprop, sgd
from .symbolic import SymbolicOptimizer
from .training import Episode, MetaTraining, meta_train
from .trajectories import DOCUMENT_OPERATORS, Trajectories, record
from .unroll import Outcome, Step, run_rule, steps_of

__all__ = [
    "DOCUMENT_OPERATORS", "DigitsConvNet", "DigitsLogistic", "DigitsMLP", "Episode", "Family", "Features",
    "FormulaRule", "MetaTraining", "Optimizees", "Outcome", "Perception", "Quadratics", "RecurrentRule", "Rosenbrock",
    "Rule", "SIGNALS", "Step", "SymbolicOptimizer", "Trajectories", "Tuned", "Validation", "adam", "cosine", "dm",
    "lags", "linear_rule", "mapping_complexity", "mapping_curve", "meta_train", "momentum", "perception", "race",
    "record", "rmsprop", "rnnprop", "rp_s", "rp_si", "run_rule", "sgd", "steps_of", "tanh_sum", "tanh_units", "tune",
    "unroll_loss",
]  # fmt: skip
