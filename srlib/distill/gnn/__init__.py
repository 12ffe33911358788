"""Forces from a graph network.

Reading order: :mod:`.potentials`, :mod:`.particles` (simulations), :mod:`.graphs` (the data set), :mod:`.network`,
:mod:`.training`, :mod:`.messages` (what it says), :mod:`.laws` (whether that is the law), :mod:`.simulator` (the
network replaced by formulas). The names are loaded when they are first used.
"""

from ...lazy import lazy_names

_HOMES = {
    "Architecture": "network",
    "DOCUMENT": "network",
    "Epoch": "training",
    "Formulas": "simulator",
    "GraphNetwork": "network",
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
    "VARIANTS": "network",
    "accelerations": "particles",
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
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
