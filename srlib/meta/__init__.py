"""Meta-learning: what a family of functions has in common, so that a few points of a new one are enough.

Reading order: :mod:`.tasks` and :mod:`.families` (laws, and the tasks drawn from them), :mod:`.models` (a network as a
function of one vector of parameters), :mod:`.adapt` (the inner loop), :mod:`.outer` (the outer loop), :mod:`.joint`
and :mod:`.maml` (the two methods of document 000), :mod:`.evaluate` (adaptation curves, rates tuned alike),
:mod:`.gates` (which units a family needs), :mod:`.recover` (from an adapted network to a formula).

It needs torch, which ``pip install 'srlib[torch]'`` brings.
"""

from .adapt import Adam, Adapted, GaussNewton, GradientDescent, adapt
from .evaluate import Curve, adaptation_curve, tune_rate
from .families import MOTION, WAVES, DampedOscillators, Sinusoids, WavesAndExponentials
from .gates import open_gates, open_units, with_units
from .joint import joint
from .landscape import Landscape, landscape
from .maml import maml, meta_gradient
from .models import FlatModel, OffsetEQL, mlp
from .outer import MetaLearned, MetaStep
from .recover import Recovered, recover
from .tasks import Family, FixedLaws, Law, Tasks

__all__ = [
    "Adam", "Adapted", "Curve", "DampedOscillators", "Family", "FixedLaws", "FlatModel", "GaussNewton",
    "GradientDescent", "Landscape", "Law", "MOTION", "MetaLearned", "MetaStep", "OffsetEQL", "Recovered", "Sinusoids",
    "Tasks", "WAVES", "WavesAndExponentials", "adapt", "adaptation_curve", "joint", "landscape", "maml",
    "meta_gradient", "mlp", "open_gates", "open_units", "recover", "tune_rate", "with_units",
]  # fmt: skip
