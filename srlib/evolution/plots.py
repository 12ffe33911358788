"""Pictures of a search."""

from __future__ import annotations

from .history import History

__all__ = ["draw_history"]


def draw_history(history: History, ax=None):
    """The lowest loss against seconds, each step marked by the complexity that reached it; returns the Axes."""
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(7, 4), layout="constrained").subplots()
    moments = [(elapsed, front) for elapsed, _, front in history.fronts if len(front)]
    seconds, losses = [one for one, _ in moments], [front[-1].loss for _, front in moments]
    ax.plot(seconds, losses, drawstyle="steps-post", color="#0072B2", marker="o")
    if losses and all(loss > 0 for loss in losses):
        ax.set_yscale("log")
    ax.set_xlabel("seconds")
    ax.set_ylabel("lowest loss")
    return ax
