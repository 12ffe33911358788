"""Pictures of a search."""

from __future__ import annotations

from .history import History

__all__ = ["draw_history"]

COLOURS = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"  # told apart by the colour-blind


def draw_history(history: History, ax=None, label: str = ""):
    """The lowest loss against seconds, and above each step the complexity of the formula that has it.

    Parameters
    ----------
    history : History
        Of one search.
    ax : matplotlib Axes, optional
        Where to draw; a line that is there already keeps its colour.
    label : str
        What the line is called in a legend.

    Returns
    -------
    matplotlib Axes
    """
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(7, 4), layout="constrained").subplots()
    moments = [(elapsed, front[-1]) for elapsed, _, front in history.fronts if len(front)]
    seconds, losses = [one for one, _ in moments], [entry.loss for _, entry in moments]
    colour = COLOURS[len(ax.lines) % len(COLOURS)]
    ax.plot(seconds, losses, drawstyle="steps-post", color=colour, marker="o", label=label or None)
    before = None
    for when, entry in moments:
        if entry.complexity != before:
            ax.annotate(
                f"{entry.complexity:g}", (when, entry.loss), xytext=(2, 4), textcoords="offset points", color=colour,
                fontsize=9,
            )  # fmt: skip
        before = entry.complexity
    if all(loss > 0 for line in ax.lines for loss in line.get_ydata()) and ax.lines:
        ax.set_yscale("log")
    if label:
        ax.legend()
    ax.set_xlabel("seconds")
    ax.set_ylabel("lowest loss (numbers: complexity)")
    return ax
