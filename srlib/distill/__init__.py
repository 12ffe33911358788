"""From a teacher to a formula: whatever computes numbers from numbers is taught to a symbolic regression.

Reading order: :mod:`.student` (any callable as a teacher), :mod:`.sampling` and :mod:`.tables` (where it is asked),
:mod:`.teacher` (the call). Teachers: :mod:`.gnn` (forces in the messages of a graph network), :mod:`.pinn` (the
solution of a differential equation), :mod:`.l2o` (the rule of a learned optimizer); :mod:`.checkpoint` keeps their
trainings.

The names below are loaded when they are first used; the teachers need torch, the student does not.
"""

from ..lazy import lazy_names

_HOMES = {
    "Box": "sampling",
    "CertainBox": "sampling",
    "Distillation": "student",
    "distill": "student",
}

__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
