"""From a teacher to a formula: whatever computes numbers from numbers is taught to a symbolic regression.

Reading order: :mod:`.student` (any callable as a teacher), :mod:`.sampling` (where it is asked), :mod:`.teacher` (the
call). Forces from a graph network: :mod:`.potentials`, :mod:`.particles` (simulations), :mod:`.graphs` (the data set),
:mod:`.gnn` (the network), :mod:`.training`, :mod:`.messages` (what it says), :mod:`.laws` (whether that is the law),
:mod:`.simulator` (the network replaced by formulas).

The names below are loaded when they are first used, because some of the teachers need torch and the student does not.
"""

from importlib import import_module

_HOMES = {
    "Architecture": "gnn",
    "Box": "sampling",
    "DOCUMENT": "gnn",
    "Distillation": "student",
    "Epoch": "training",
    "Formulas": "simulator",
    "GraphNetwork": "gnn",
    "Graphs": "graphs",
    "LAWS": "laws",
    "LIVE": "training",
    "Messages": "messages",
    "POTENTIALS": "potentials",
    "Particles": "particles",
    "Potential": "potentials",
    "Settings": "training",
    "Trained": "training",
    "Trajectories": "particles",
    "VARIANTS": "gnn",
    "accelerations": "particles",
    "distill": "student",
    "distill_message": "messages",
    "distill_network": "simulator",
    "energies": "particles",
    "integrate": "particles",
    "judge": "laws",
    "message_table": "messages",
    "read_messages": "messages",
    "rollout": "simulator",
    "simulate": "particles",
    "to_graphs": "graphs",
    "train": "training",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module 'srlib.distill' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
