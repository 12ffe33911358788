"""Physics-informed networks as teachers.

Reading order: :mod:`.equations` (an equation and its conditions, written once for networks and formulas),
:mod:`.problems` (equations with known solutions), :mod:`.collocation` (points), :mod:`.weights`, :mod:`.quasi_newton`
and :mod:`.training`, :mod:`.network` (the network as a teacher), :mod:`.check` (a formula put into the equation, its
constants tuned there), :mod:`.choice` (the formula of a front that is the solution). The names are loaded when they
are first used.
"""

from ...lazy import lazy_names

_HOMES = {
    "CertainBox": ".sampling",  # of srlib.distill
    "Condition": "equations",
    "DifferentialOperator": "equations",
    "DifferentialProblem": "equations",
    "PHYSICS": "problems",
    "PINN": "network",
    "PhysicsCheck": "check",
    "PhysicsChoice": "choice",
    "TrainingStep": "training",
    "burgers": "problems",
    "check_physics": "check",
    "choose_by_physics": "choice",
    "cole_hopf": "problems",
    "heat": "problems",
    "oscillator": "problems",
    "reaction_diffusion": "problems",
    "refine_constants": "check",
    "toy": "problems",
    "train_pinn": "training",
    "wave": "problems",
}

__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
