"""Lesson 05: stored runs on document 004's problems, error by step, as its figures 2 and 3 show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from srlib.reproduce.gmeql import curve_of

from ..style import CYCLE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe_stored", "draw_stored", "spread"]

FLOOR = 1e-10  # what is smaller is drawn here: an exact formula


def spread(curves: Iterable[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Several runs' best errors at the steps of all of them.

    The best error so far changes at a step and holds until the next one, also after a run has ended. Before the first
    step that is stored, a run counts with its first error.

    Parameters
    ----------
    curves : iterable of str
        As the column ``curve`` of ``gmeql_*.csv`` has them.

    Returns
    -------
    steps, mean, low, high : ndarray, shape (steps,)
        The mean over the runs, the lowest and the highest error.

    Examples
    --------
    >>> [part.tolist() for part in spread(["20:4;40:2", "20:2;60:1"])]
    [[20, 40, 60], [3.0, 2.0, 1.5], [2.0, 2.0, 1.0], [4.0, 2.0, 2.0]]
    """
    runs = [curve_of(text) for text in curves if isinstance(text, str) and text]
    if not runs:
        raise ValueError("curves holds no curve: give at least one, such as '20:0.5;40:0.25'")
    steps = np.unique(np.concatenate([at for at, _ in runs]))
    errors = np.stack([best[np.maximum(np.searchsorted(at, steps, side="right") - 1, 0)] for at, best in runs])
    return steps, errors.mean(axis=0), errors.min(axis=0), errors.max(axis=0)


def draw_stored(lines: Mapping[str, pd.DataFrame], fig) -> None:
    """A panel for each problem, with a line for each table: the mean over its runs, and a band from best to worst.

    Parameters
    ----------
    lines : mapping of str to DataFrame
        Rows of ``gmeql_*.csv`` by the label of their line; at least one row in all.
    fig : Figure
    """
    names = sorted({name for rows in lines.values() for name in rows.problem})
    columns = min(4, len(names))
    panels = fig.subplots(-(-len(names) // columns), columns, squeeze=False, sharex=True, sharey=True)
    for ax, name in zip(panels.flat, names, strict=False):
        for (label, rows), look in zip(lines.items(), CYCLE, strict=False):
            rows = rows[rows.problem == name]
            if len(rows) == 0:
                continue
            steps, mean, low, high = (np.maximum(one, FLOOR) for one in spread(rows.curve))
            ax.step(steps, mean, where="post", label=label, linewidth=1.8, markersize=5, **look)
            ax.fill_between(steps, low, high, step="post", color=look["color"], alpha=0.15, linewidth=0)
        ax.set_title(name, fontsize=11)
        ax.set(xscale="log", yscale="log")
    for ax in panels[-1]:
        ax.set_xlabel("step")
    for ax in panels[:, 0]:
        ax.set_ylabel("best error so far")
    for ax in list(panels.flat)[len(names) :]:
        ax.axis("off")
    panels[0, 0].legend(fontsize=8 if columns > 1 else 10)


def describe_stored(lines: Mapping[str, pd.DataFrame]) -> str:
    """The last mean error of each line on each problem, and how many runs it is of."""
    parts = []
    for label, rows in lines.items():
        ends = [
            f"{name} {spread(own.curve)[1][-1]:.2g} ({len(own)})" for name, own in rows.groupby("problem") if len(own)
        ]
        parts.append(f"{label}: {', '.join(ends)}")
    return f"Best error so far by step. Mean error in the end, and number of runs. {'; '.join(parts)}."
