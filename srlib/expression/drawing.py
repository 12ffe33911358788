"""Drawings of formulas as trees, and the same in words for those who cannot see them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib import patheffects
from matplotlib.figure import Figure
from matplotlib.path import Path

from ..operators import CONSTANT
from .core import Expression

__all__ = ["describe", "draw"]

MAX_NODES = 500  # a larger tree would be a grey smear
# Okabe and Ito's palette for the colour-blind; black text is readable on all three fills.
_OPERATOR, _FEATURE, _CONSTANT, _STRONG, _LINE = "#56B4E9", "#E69F00", "#F5EFA0", "#B03A00", "#404040"


# ---------------------------------------------------------------- what a node looks like: shape and colour by its kind


def _pill(x0, y0, width, height, mutation_size):
    """Operators: rounded ends, a disc where the label is short."""
    left, right, bottom, top = _padded(x0, y0, width, height, mutation_size)
    radius, k = (top - bottom) / 2, 0.5523 * (top - bottom) / 2  # k: the Bezier handle of a quarter circle
    l, r, middle = left + radius, right - radius, (bottom + top) / 2  # noqa: E741
    points = [(l, bottom), (r, bottom), (r + k, bottom), (right, middle - k), (right, middle), (right, middle + k)]
    points += [(r + k, top), (r, top), (l, top), (l - k, top), (left, middle + k), (left, middle)]
    points += [(left, middle - k), (l - k, bottom), (l, bottom)]
    return Path(points, [1, 2, *[4] * 6, 2, *[4] * 6])


def _rectangle(x0, y0, width, height, mutation_size):
    """Features: sharp corners."""
    left, right, bottom, top = _padded(x0, y0, width, height, mutation_size)
    return Path([(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)], closed=True)


def _hexagon(x0, y0, width, height, mutation_size):
    """Constants: pointed to the left and right."""
    left, right, bottom, top = _padded(x0, y0, width, height, mutation_size)
    tip, middle = (top - bottom) / 4, (bottom + top) / 2
    corners = [(left, bottom), (right, bottom), (right + tip, middle), (right, top), (left, top), (left - tip, middle)]
    return Path([*corners, corners[0]], closed=True)


def _padded(x0, y0, width, height, size):
    """The box around a label, of one height for all labels and at least as wide as high."""
    middle_x, middle_y, half_height = x0 + width / 2, y0 + height / 2, 0.8 * size
    half_width = max(width / 2 + 0.4 * size, half_height)
    return middle_x - half_width, middle_x + half_width, middle_y - half_height, middle_y + half_height


def _look(code: int):
    return (_pill, _OPERATOR) if code > 0 else (_hexagon, _CONSTANT) if code == CONSTANT else (_rectangle, _FEATURE)


# ---------------------------------------------------------------- where nodes stand


def _arrange(expression: Expression, breadths: list[float]) -> list[float]:
    """Places along the direction of siblings, so that no two subtrees overlap (Reingold and Tilford 1981).

    ``breadths`` is the room that each node needs. A parent stands over the middle of its outermost children; subtrees
    are pushed together until their outlines touch on some level.
    """
    offsets = [0.0] * expression.size  # to the parent
    outlines: dict[int, list[tuple[float, float]]] = {}  # of the subtree at a node: (first, last) place by level
    for node, breadth in enumerate(breadths):
        places, merged = [], []
        for child in expression.children(node):
            outline = outlines.pop(child)
            place = max((m[1] - o[0] for m, o in zip(merged, outline, strict=False)), default=0.0)
            moved = [(place + first, place + last) for first, last in outline]
            both = [(m[0], o[1]) for m, o in zip(merged, moved, strict=False)]
            merged = both + (merged[len(both) :] or moved[len(both) :])
            places.append((child, place))
        middle = (places[0][1] + places[-1][1]) / 2 if places else 0.0
        for child, place in places:
            offsets[child] = place - middle
        outlines[node] = [(-breadth / 2, breadth / 2), *((a - middle, b - middle) for a, b in merged)]
    for node in reversed(range(expression.size)):
        for child in expression.children(node):
            offsets[child] += offsets[node]
    return offsets


@dataclass
class _Layout:
    """A tree with its places and sizes in units of the font size, y upwards."""

    labels: list[str]
    x: list[float]
    y: list[float]
    widths: list[float]
    sides: list[str]  # of each node: where its number stands, away from the lines
    font: float = 0.0  # points

    def fit(self, room: tuple[float, float], margin: float, largest: float) -> _Layout:
        """The font size at which the tree fills at most ``room`` (points)."""
        left = min(x - w / 2 for x, w in zip(self.x, self.widths, strict=True))
        right = max(x + w / 2 for x, w in zip(self.x, self.widths, strict=True))
        high = max(self.y) - min(self.y) + 2.0
        self.font = min(room[0] / (right - left + 2 * margin), room[1] / (high + margin), largest)
        return self


def _layouts(expression: Expression, room: tuple[float, float], numbered: bool, largest: float):
    """The tree from the top down and, for chains of many levels, from left to right."""
    nodes, levels = range(expression.size), _levels(expression)
    below = [expression.children(node) for node in nodes]
    first = {children[0] for children in below if len(children) > 1}  # the line to the parent leaves to the right
    down = ["below" if not below[node] else "left" if node in first else "right" for node in nodes]
    across = ["above" if below[node] else "right" for node in nodes]
    margin = 0.9 if numbered else 0.1
    for longest in (24, 14, 9):  # shorter labels where the tree is too wide for long ones
        labels = [_shorten(expression.label(node), longest) for node in nodes]
        widths = [max(1.6, 0.62 * len(labels[node]) + 0.8 + 0.5 * (expression.codes[node] == 0)) for node in nodes]
        x = _arrange(expression, [widths[node] + 0.5 + 1.6 * (numbered and bool(below[node])) for node in nodes])
        for pitch in (2.8, 2.5) if numbered else (2.7, 2.1):  # from level to level
            yield _Layout(labels, x, [-pitch * level for level in levels], widths, down).fit(room, margin, largest)
        if expression.depth > 8:
            columns = [max(widths[node] for node in nodes if levels[node] == n) for n in range(expression.depth)]
            centres = [sum(columns[:n]) + columns[n] / 2 + 0.7 * n for n in range(len(columns))]
            y = _arrange(expression, [2.7 if numbered else 2.2] * expression.size)
            x = [centres[n] for n in levels]
            yield _Layout(labels, x, [-v for v in y], widths, across).fit(room, margin, largest)


def _levels(expression: Expression) -> list[int]:
    levels = [0] * expression.size
    for node in reversed(range(expression.size)):
        for child in expression.children(node):
            levels[child] = levels[node] + 1
    return levels


def _shorten(label: str, longest: int) -> str:
    if len(label) <= longest:
        return label
    half = (longest - 1) // 2
    return f"{label[: longest - 1 - half]}…{label[len(label) - half :]}"


# ---------------------------------------------------------------- the drawing


def draw(
    expression: Expression,
    ax=None,
    highlight: Iterable[int] | int = (),
    faded: Iterable[int] | int = (),
    numbers: bool = False,
    title: str | None = None,
    fontsize: float = 14.0,
):
    """Draw a formula as a tree.

    Operators are blue discs, features orange boxes, constants yellow hexagons. Labels are as large as the room allows;
    a chain of very many levels grows from left to right.

    Parameters
    ----------
    expression : Expression
        The formula, of at most 500 nodes (readable to about 40).
    ax : matplotlib Axes, optional
        Where to draw; what stands there is removed. Without it a new figure of a suitable size is made: by pyplot, so
        that a notebook shows it, or outside the main thread (where pyplot must not be used) a plain ``Figure``.
    highlight : node or nodes
        The subtrees at these nodes get a strong outline.
    faded : node or nodes
        The subtrees at these nodes are drawn pale; a highlighted part of them is not.
    numbers : bool
        Whether to write each node's place in postfix order beside it: the number that ``span``, ``subtree`` and
        ``replace`` take.
    title : str, optional
        The title of the drawing; ``""`` for none. By default there is none either.
    fontsize : float
        The largest size of labels, in points.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the formula has more than 500 nodes.
    IndexError
        If ``highlight`` or ``faded`` names a node that does not exist.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = draw(Expression.parse("2.5*cos(x3)"), Figure().subplots(), highlight=2)
    >>> sorted(text.get_text() for text in ax.texts)
    ['*', '2.5', 'cos', 'x3']
    """
    if expression.size > MAX_NODES:
        raise ValueError(f"the formula has {expression.size} nodes, more than {MAX_NODES}: draw one of its subtrees")
    strong, pale = _below(expression, highlight), _below(expression, faded)
    ax = _new_axes(expression, bool(title)) if ax is None else ax
    ax.clear()
    ax.set_axis_off()
    if title:
        ax.set_title(title, parse_math=False)
    box, inch = ax.get_window_extent(), ax.figure.dpi
    room = box.width * 72 / inch, box.height * 72 / inch  # points
    layout = _best(_layouts(expression, room, numbers, fontsize))
    _scale_axes(ax, layout, room)
    for node in range(expression.size):
        for child in expression.children(node):
            inside = child in strong and node in strong
            colour = _STRONG if inside else _paler(_LINE) if child in pale and child not in strong else _LINE
            xs, ys = [layout.x[node], layout.x[child]], [layout.y[node], layout.y[child]]
            ax.plot(xs, ys, "-", color=colour, linewidth=layout.font * (0.22 if inside else 0.09), zorder=1)
    for node, code in enumerate(expression.codes.tolist()):
        shape, fill = _look(code)
        weak = node in pale and node not in strong
        edge, width = (_STRONG, 0.2) if node in strong else (_LINE, 0.07)
        ax.text(
            layout.x[node], layout.y[node], layout.labels[node],
            ha="center", va="center_baseline", fontsize=layout.font, zorder=3, parse_math=False,
            color="#8C8C8C" if weak else "black",
            bbox={
                "boxstyle": shape, "facecolor": _paler(fill) if weak else fill, "linewidth": width * layout.font,
                "edgecolor": _paler(edge) if weak else edge,
            },
        )  # fmt: skip
        if numbers:
            _number(ax, node, layout, "#6E6E6E" if weak else "black")
    return ax


def _number(ax, node: int, layout: _Layout, colour: str):
    """The node's place in postfix order, written beside it."""
    half = layout.widths[node] / 2
    x, y, across, upright = {
        "left": (-half - 0.1, 0.25, "right", "bottom"),
        "right": (half + 0.1, 0.25, "left", "bottom"),
        "above": (0.0, 0.85, "center", "bottom"),
        "below": (0.0, -1.0, "center", "top"),
    }[layout.sides[node]]
    ax.annotate(
        str(node), (layout.x[node], layout.y[node]), (x * layout.font, y * layout.font), textcoords="offset points",
        ha=across, va=upright, color=colour, fontsize=max(0.68 * layout.font, 5.0), zorder=4,
        path_effects=[patheffects.withStroke(linewidth=0.2 * layout.font, foreground="white")],
    )  # fmt: skip


def _below(expression: Expression, nodes: Iterable[int] | int) -> set[int]:
    """All nodes of the subtrees at ``nodes``."""
    nodes = nodes if isinstance(nodes, Iterable) else [nodes]
    return {below for node in nodes for below in range(*expression.span(int(node)))}


def _best(layouts: Iterable[_Layout]) -> _Layout:
    """The first layout of comfortable size, else the one with the largest labels."""
    best = None
    for layout in layouts:
        if best is None or layout.font > 1.15 * best.font:
            best = layout
        if best.font >= 8.0:
            break
    return best


def _scale_axes(ax, layout: _Layout, room: tuple[float, float]):
    """Limits that centre the tree and spread it, within reason, over the room that is left."""
    for values, half, points, limit, most in (
        (layout.x, [w / 2 for w in layout.widths], room[0], ax.set_xlim, 1.5),
        (layout.y, [1.2] * len(layout.y), room[1], ax.set_ylim, 2.0),
    ):
        low = min(v - h for v, h in zip(values, half, strict=True))
        high = max(v + h for v, h in zip(values, half, strict=True))
        shown = points / layout.font  # the room in font sizes
        span = max(high - low, 1.0)
        stretch = min(max(shown / span, 1.0), most)
        middle, shown = (low + high) / 2, shown / stretch
        limit(middle - shown / 2, middle + shown / 2)


def _paler(colour: str) -> str:
    parts = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(0.25 * part + 0.75 * 255):02X}" for part in parts)


def _new_axes(expression: Expression, titled: bool):
    leaves = sum(code <= 0 for code in expression.codes.tolist())
    high = min(max(1.6, 0.75 * expression.depth), max(5.0, min(0.22 * expression.depth, 9.0)))
    size = min(max(3.0, 0.75 * leaves), 9.0), high  # inches
    if threading.current_thread() is threading.main_thread():
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=size)
    else:
        figure = Figure(figsize=size)
    return figure.add_axes((0.02, 0.02, 0.96, 0.86 if titled else 0.96))


def describe(expression: Expression, longest: int = 15) -> str:
    """The tree in words: alternative text for a drawing.

    Parameters
    ----------
    expression : Expression
        The formula.
    longest : int
        How many operators are told of with their children; the rest is left to the formula.

    Examples
    --------
    >>> print(describe(Expression.parse("2.5*cos(x3)")))
    Tree of 2.5*cos(x3), 4 nodes on 3 levels. The root * has the children 2.5 and cos. Node cos has the child x3.
    """
    count = f"{expression.size} node{'s' * (expression.size > 1)} on {expression.depth} level"
    sentences = [f"Tree of {expression.format()}, {count}{'s' * (expression.depth > 1)}."]
    waiting = [expression.size - 1]
    for node in waiting:  # grows while it is read: breadth first
        below = expression.children(node)
        waiting += below
        if below and len(sentences) <= longest:
            labels = [expression.label(child) for child in below]
            several = f"the children {', '.join(labels[:-1])} and {labels[-1]}"
            words = several if labels[1:] else f"the child {labels[0]}"
            who = "The root" if node == expression.size - 1 else "Node"
            sentences.append(f"{who} {expression.label(node)} has {words}.")
    if expression.size == 1:
        sentences.append("It has no children.")
    return " ".join(sentences)
