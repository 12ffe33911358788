"""What the dashboards of several lessons draw alike: the still picture of a panel, and where a formula comes from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from ..live import LiveRun
from ..style import BLUE, GREY, VERMILLION, blank, show

__all__ = ["cut", "draw_family", "place_by_hand", "still"]


def place_by_hand(fig) -> None:
    """Switch the automatic layout off: trees are drawn to fit the room that their axes have when they are drawn."""
    fig.figure.set_layout_engine("none")


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def still(panel, **setting) -> None:
    """Show the picture of a panel with a setting, or the last one of a live run, outside of the widget at full size."""
    result = panel.job.snapshot if isinstance(panel, LiveRun) else panel.compute(**panel.values | setting)
    fig = blank(*panel.size)
    panel.draw(result, fig)
    words = f" ({panel.controls.words(setting)})" if setting else ""
    show(fig, panel.describe(result), f'<small style="color:#555">The same{words}, to read without a kernel.</small>')


def draw_family(
    fig,
    points: Mapping[Hashable, tuple[float, float]],
    edges: Sequence[tuple[Hashable, Hashable]],
    line: Sequence[Hashable],
    rows: Sequence[tuple[str, str, str]],
    words: Mapping[str, str],
) -> None:
    """All ancestors of a formula as points, one line of descent among them, and the formulas of that line in a list.

    Parameters
    ----------
    points : mapping
        Where each ancestor stands, by its name.
    edges : sequence of (name, name)
        Parent and child; those without a point are left out.
    line : sequence of names
        The line of descent.
    rows : sequence of (str, str, str)
        For the list: when, the formula, how it was made.
    words : mapping
        "title", "xlabel", "ylabel", and "heading" of the list.
    """
    place_by_hand(fig)
    ax = fig.add_axes((0.09, 0.13, 0.40, 0.78))
    for parent, child in edges:
        if parent in points and child in points:
            ax.plot(
                *zip(points[parent], points[child], strict=True), color=GREY, linewidth=0.7, alpha=0.5, linestyle="-"
            )
    ax.plot(*zip(*points.values(), strict=True), "o", color=BLUE, markersize=4, alpha=0.6, linestyle="none")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.plot(*zip(*(points[name] for name in line), strict=True), "D-", color=VERMILLION, linewidth=2.5)
    ax.set(yscale="log", xlabel=words["xlabel"], ylabel=words["ylabel"])
    ax.set_title(words["title"], fontsize=13)
    step = 0.88 / max(len(rows), 1)
    for row, (when, formula, made_by) in enumerate(rows):
        y = 0.93 - row * step
        fig.text(0.53, y, when, fontsize=10, ha="right", va="top", color="#555555")
        fig.text(0.545, y, cut(formula, 44), fontsize=10.5, va="top", color=VERMILLION, parse_math=False)
        fig.text(0.545, y - 0.42 * step, made_by, fontsize=9, va="top", color="#555555")
    fig.text(0.51, 0.945, words["heading"], fontsize=10, va="bottom")
