"""From a teacher to a formula: whatever computes numbers from numbers is taught to a symbolic regression.

Reading order: :mod:`.student` (any callable as a teacher), :mod:`.sampling` (where it is asked).

Physics-informed networks: :mod:`.equations` (an equation and its conditions, written once), :mod:`.physics_problems`
(equations with known solutions), :mod:`.collocation` (points), :mod:`.quasi_newton` and :mod:`.pinn_training` (the
training), :mod:`.pinn` (the network as a teacher), :mod:`.physics` (a formula put into the equation, its constants
tuned there), :mod:`.physics_choice` (the formula of a front that is the solution), :mod:`.physics_sampling` (rows where
a teacher is certain).

The names below are loaded when they are first used, because some of the teachers need torch and the student does not.
"""

from importlib import import_module

_HOMES = {
    "Condition": "equations",
    "DifferentialOperator": "equations",
    "DifferentialProblem": "equations",
    "PHYSICS": "physics_problems",
    "PINN": "pinn",
    "PhysicsCheck": "physics",
    "PhysicsChoice": "physics_choice",
    "TrainingStep": "pinn_training",
    "burgers": "physics_problems",
    "check_physics": "physics",
    "choose_by_physics": "physics_choice",
    "cole_hopf": "physics_problems",
    "heat": "physics_problems",
    "oscillator": "physics_problems",
    "reaction_diffusion": "physics_problems",
    "refine_constants": "physics",
    "CertainBox": "physics_sampling",
    "toy": "physics_problems",
    "train_pinn": "pinn_training",
    "wave": "physics_problems",
    "Box": "sampling",
    "Distillation": "student",
    "distill": "student",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module 'srlib.distill' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
