"""How figures of the course look: colour-blind-safe, opaque, readable from the last row, and with a text for each.

Figures are made without pyplot (:class:`matplotlib.figure.Figure`), so they belong to nobody's global state and can be
drawn in a background thread. JupyterLab drops the alternative text of ``image/png`` outputs; :func:`show` therefore
displays an HTML ``<img>`` that carries it.
"""

from __future__ import annotations

import base64
import html
import io
import sys
import threading
from itertools import cycle, islice

__all__ = [
    "BLACK",
    "BLUE",
    "CYCLE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "YELLOW",
    "figure",
    "show",
    "to_html",
    "use_style",
]

# The palette of Okabe and Ito (2008), which people with any common colour blindness can tell apart.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#767676"  # for what stands in the background

_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)  # yellow is too faint on white for a line
_LINES = tuple(islice(cycle(("-", "--", "-.", ":")), len(_COLOURS)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

#: Colour, line and marker of the first seven curves: ``ax.plot(x, y, **CYCLE[0])``. No curve is told by colour alone.
CYCLE = tuple(
    {"color": colour, "linestyle": line, "marker": marker, "markevery": 0.15}
    for colour, line, marker in zip(_COLOURS, _LINES, _MARKERS, strict=True)
)

DPI = 110
_FEW = 10_000  # colours: the smooth edges of a drawing with many lines have about 3000
# Matplotlib's text and layout code is not safe in two threads at once: whoever draws holds this.
DRAWING = threading.RLock()

_RC = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 14,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 14,
    "figure.facecolor": "white",
    "figure.titlesize": 14,
    "font.size": 13,
    "grid.alpha": 0.3,
    "image.cmap": "cividis",
    "legend.fontsize": 12,
    "legend.framealpha": 0.9,
    "lines.linewidth": 2.2,
    "savefig.facecolor": "white",
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
}


def use_style() -> None:
    """Set the look for the whole session; :func:`figure` calls it.

    Matplotlib reads these settings when a legend or a label is made, which is after a figure was: a temporary setting
    would end too early, and is not safe beside a thread that draws.
    """
    from cycler import cycler
    from matplotlib import rcParams

    rcParams.update(_RC | {"axes.prop_cycle": cycler(color=_COLOURS) + cycler(linestyle=_LINES)})


def figure(width: float = 8, height: float = 4.5, columns: int = 1, rows: int = 1):
    """Return a new figure and its axes, in the style of the course.

    Parameters
    ----------
    width, height : float
        In inches.
    columns, rows : int
        How many axes.

    Returns
    -------
    fig : matplotlib.figure.Figure
        Opaque white, with constrained layout. It is not shown until :func:`show`.
    axes : matplotlib.axes.Axes or ndarray of them
        As ``fig.subplots(rows, columns)`` gives.

    Examples
    --------
    >>> fig, ax = figure()
    >>> line, = ax.plot([0, 1], [0, 1], **CYCLE[0])
    """
    with DRAWING:
        fig = blank(width, height)
        return fig, fig.subplots(rows, columns)


def blank(width: float, height: float):
    """Return a figure without axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for name, value in (("width", width), ("height", height)):
        if not 0 < value <= 40:
            raise ValueError(f"{name}={value!r}: give the {name} of a figure in inches, above 0 and at most 40.")
    use_style()
    fig = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(fig)
    return fig


def to_png(fig, small: bool = True) -> bytes:
    """Return the figure as the bytes of a PNG file, the same for the same figure at any time.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    small : bool
        Use 256 colours where that changes nothing that an eye could see: a third of the size, for stored notebooks.
    """
    from PIL import Image

    stream = io.BytesIO()
    with DRAWING:
        fig.savefig(stream, format="png", dpi=fig.dpi, facecolor="white", metadata={"Software": None})
    if not small:
        return stream.getvalue()
    picture = Image.open(stream).convert("RGB")
    if picture.getcolors(_FEW) is None:  # a photograph, or a surface in many shades
        return stream.getvalue()
    small_stream = io.BytesIO()
    reduced = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(small_stream, "PNG", optimize=True)
    return small_stream.getvalue()


def to_html(fig, alt: str, caption: str = "", small: bool = True) -> str:
    """Return the figure as one HTML ``<img>`` with its alternative text, and a caption below it if there is one.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    alt : str
        What the figure shows, in a sentence, for those who cannot see it.
    caption : str
        Text for everybody; HTML is allowed.
    small : bool
        As for :func:`to_png`.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt={alt!r}: say in a sentence what the figure shows, for those who cannot see it.")
    png, alt = to_png(fig, small), " ".join(alt.split())
    # The size lets the browser keep the place free; decoding at once avoids a flash when a picture is replaced.
    width, height = (round(float(inches * fig.dpi)) for inches in fig.get_size_inches())
    image = (
        f'<img alt="{html.escape(alt, quote=True)}" width="{width}" height="{height}" decoding="sync" '
        f'style="max-width:100%; height:auto" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
    )
    return image + (f'<div style="max-width:{width}px">{caption}</div>' if caption else "")


def show(fig, alt: str, caption: str = "") -> None:
    """Display the figure once, with an alternative text.

    The text is also the plain-text form of the output, so it can be read in a terminal and compared by a test.

    Parameters
    ----------
    fig, alt, caption
        As for :func:`to_html`.

    Examples
    --------
    >>> fig, ax = figure(2, 1)
    >>> show(fig, "An empty pair of axes.")
    An empty pair of axes.
    """
    markup = to_html(fig, alt, caption)
    if "matplotlib.pyplot" in sys.modules:  # a figure that pyplot made would be shown by the notebook once more
        sys.modules["matplotlib.pyplot"].close(fig)
    publish(markup, " ".join(alt.split()))


def publish(markup: str, text: str, **others) -> None:
    """Display HTML (and other forms by MIME type) with a plain text; outside of a notebook print that text."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(text)
        return
    forms = {"text/html": markup} if markup else {}
    display(forms | others | {"text/plain": text}, raw=True)
