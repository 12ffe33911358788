"""The Gumbel-Max equation learner (GMEQL): networks of elementary functions whose connections are drawn at random.

Reading order: :mod:`.functions` (what nodes compute), :mod:`.sampling` (the Gumbel-Max trick), :mod:`.network` (layers,
many instances in one pass), :mod:`.elite` (the repository of the best), :mod:`.presets` (architectures and settings),
:mod:`.extraction` (an instance to its formula), :mod:`.training` (Algorithm 1), :mod:`.refitting` (the search by
default), :mod:`.formulas` (formulas to the front), :mod:`.graph` (what a picture needs);
:mod:`.regressor` wraps it as a scikit-learn estimator.
"""

from .elite import Repository, power_law, signatures
from .extraction import Form, extract
from .functions import FUNCTIONS, NodeFunction
from .graph import Edge, Graph, graph
from .network import Architecture, Weights, backward, forward, mixing
from .presets import ARCHITECTURES, DEFAULT, PAPER, Settings
from .refitting import RefittedTraining, begin
from .regressor import GMEQLRegressor
from .sampling import density_gradient, gumbel, log_density, one_hot, probabilities, relaxed, samples
from .training import Step, Training

__all__ = [
    "ARCHITECTURES", "Architecture", "DEFAULT", "Edge", "FUNCTIONS", "Form", "GMEQLRegressor", "Graph", "NodeFunction",
    "PAPER", "RefittedTraining", "Repository", "Settings", "Step", "Training", "Weights", "backward", "begin",
    "density_gradient", "extract", "forward", "graph", "gumbel", "log_density", "mixing", "one_hot", "power_law",
    "probabilities", "relaxed", "samples", "signatures",
]  # fmt: skip
