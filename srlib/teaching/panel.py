"""Panels: controls, and a picture that follows them.

A panel is three parts: ``compute(**parameters) -> result`` and ``draw(result, fig)``, both pure and tested without a
browser, and the wiring, which is here. A reader without a kernel (on GitHub, in print, by screen reader) gets the
*static twin*: the same two functions called for a few settings, as one figure outside of the widgets.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .controls import Controls
from .style import DPI, DRAWING, blank, publish, show, to_html

__all__ = ["Panel"]

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Panel:
    """Controls and a picture that is drawn anew when one of them is changed.

    Parameters
    ----------
    compute : callable
        ``compute(**parameters)`` returns the result; one parameter per control. It should take less than a second:
        use a :class:`~srlib.teaching.LiveRun` for more.
    draw : callable
        ``draw(result, fig)`` draws into an empty figure, e.g. ``ax = fig.subplots()``. Use ``ax.set_title``, not
        ``fig.suptitle``, which the static twin needs.
    controls : sequence of Slider, Choice or Toggle
    describe : callable, optional
        ``describe(result)`` says in a sentence what the picture shows. It stands under the picture and is its
        alternative text. Please give one.
    title : str
    size : (float, float)
        Width and height of the picture in inches.

    Attributes
    ----------
    error : Exception or None
        What went wrong with the present setting.
    result
        What ``compute`` returned for it.

    Examples
    --------
    >>> from srlib.teaching import Slider
    >>> panel = Panel(lambda slope: [0, slope], lambda ys, fig: fig.subplots().plot([0, 1], ys),
    ...               [Slider("slope", 0, 4, 1, 2)], describe=lambda ys: f"A line that ends at {ys[1]}.")
    >>> panel.set(slope=3)
    [0, 3]
    >>> panel.sweep()
    3
    """

    def __init__(
        self,
        compute: Callable[..., Any],
        draw: Callable[[Any, Any], Any],
        controls: Sequence,
        describe: Callable[[Any], str] | None = None,
        title: str = "",
        size: tuple[float, float] = (8, 4.5),
    ):
        import ipywidgets as w

        self.compute, self.draw, self.describe = compute, draw, describe
        self.title, self.size = title, size
        self.controls = Controls(controls, self._redraw)
        self.picture = Picture(size)
        self.result, self.error, self._fresh = None, None, False
        self.box = w.VBox([*_heading(title), self.controls.box, self.picture.widget])

    @property
    def values(self) -> dict[str, Any]:
        """The present setting of each control."""
        return self.controls.values

    def _redraw(self) -> None:
        """Draw the present setting; an error is shown in the panel."""
        values = self.values
        try:
            self.result, self.error = self.compute(**values), None
            self.picture.draw(self.draw, self.result, self._sentence(self.result, values))
        except Exception as error:
            self.error = error
            self.picture.fail(error, self.controls.words(values))
        self._fresh = True

    def _sentence(self, result, values) -> str:
        return self.describe(result) if self.describe else f"{self.title or 'Picture'}: {self.controls.words(values)}."

    def set(self, **values) -> Any:
        """Set controls, draw once, and return the result; raise what ``compute`` or ``draw`` raised."""
        self.controls.set(values)
        self._redraw()
        if self.error is not None:
            raise self.error
        return self.result

    def sweep(self) -> int:
        """Draw the lowest, a middle and the highest setting of each control, then the first setting again.

        Returns
        -------
        int
            How many settings were drawn, without the last. An error is raised with the setting that caused it.
        """
        before, drawn = self.values, 0
        try:
            for name, control in self.controls.specs.items():
                for value in control.sweep():
                    self.controls.set(before | {name: value})
                    self._redraw()
                    if self.error is not None:
                        raise self.error
                    drawn += 1
        finally:
            self.controls.set(before)
            self._redraw()
        return drawn

    def show(self, twin: Sequence[Mapping[str, Any]] = ()) -> None:
        """Display the panel and, for readers without a running kernel, the static twin of a few settings.

        Parameters
        ----------
        twin : sequence of dict
            For each picture the parameters that differ from the present setting.
        """
        if not self._fresh:
            self._redraw()
        display_widget(self.box, "panel", self.title)
        if self.error is not None:
            raise self.error
        if twin:
            self.twin(twin)

    _ipython_display_ = show

    def twin(self, settings: Sequence[Mapping[str, Any]], alt: str | None = None) -> None:
        """Display one figure with the pictures of a few settings, side by side.

        Parameters
        ----------
        settings : sequence of dict
            For each picture the parameters that differ from the present setting.
        alt : str, optional
            The alternative text; by default what ``describe`` says for each.
        """
        settings = [dict(setting) for setting in settings]
        for setting in settings:
            self.controls.check(setting)
        results = [self.compute(**self.values | setting) for setting in settings]
        words = [self.controls.words(setting or self.values) for setting in settings]
        sentences = [self._sentence(r, self.values | s) for r, s in zip(results, settings, strict=True)]
        show_multiples(self.draw, results, words, sentences, self.size, self.title, alt, "panel")


class Picture:
    """A widget that shows one figure, a sentence about it, or an error; its height does not change.

    Parameters
    ----------
    size : (float, float)
        Width and height of the figure in inches.
    hint : str
        What stands there before the first figure.
    """

    def __init__(self, size: tuple[float, float], hint: str = ""):
        import ipywidgets as w

        self.size = size
        # Setting .value of an HTML widget works from any thread and in each front end; an Output widget does not.
        # The place of the picture and its sentence is kept free, so that nothing below moves.
        self.widget = w.HTML(hint, layout={"min_height": f"{round(size[1] * DPI) + 40}px"})

    def draw(self, draw: Callable[[Any, Any], Any], result: Any, sentence: str) -> None:
        """Show what ``draw(result, fig)`` draws, with the sentence as its alternative text."""
        with DRAWING:
            fig = blank(*self.size)
            draw(result, fig)
            self.widget.value = to_html(fig, sentence, _live(html.escape(sentence)), small=False)

    def fail(self, error: BaseException, setting: str = "") -> None:
        """Show an error, in words and in red."""
        where = f" with {html.escape(setting)}" if setting else ""
        self.widget.value = (
            '<div role="alert" style="border-left:4px solid #B00020; padding:0.5em; color:#B00020; background:white">'
            f"<b>This did not work</b>{where}.<br>{html.escape(type(error).__name__)}: {html.escape(str(error))}</div>"
        )


def show_multiples(draw, results, titles, sentences, size, title="", alt=None, kind="panel") -> None:
    """Display ``draw(result, fig)`` of several results as one figure, with a title over each.

    Parameters
    ----------
    draw, results, titles, sentences, size
        For each result a short title and a sentence; the size of one picture in inches, which is made smaller.
    title, alt, kind : str
        Of the whole.
    """
    if not results:
        raise ValueError("There is no setting to show; give at least one, e.g. [{}] for the present one.")
    columns = min(len(results), 3)
    rows = -(-len(results) // columns)
    # About half the size keeps the letters readable when three pictures share the width of a page.
    width, height = columns * size[0] * 0.54, rows * (size[1] * 0.62 + 0.4)
    with DRAWING:
        fig = blank(width, height)
        parts = fig.subfigures(rows, columns, squeeze=False).ravel()
        for part, result, words in zip(parts, results, titles, strict=False):
            draw(result, part)
            part.suptitle(words, fontweight="bold")
        numbered = [f"{words}: {sentence}" for words, sentence in zip(titles, sentences, strict=True)]
        alt = alt or " ".join([f"{title}." if title else "", *numbered]).strip()
        count = "The same" if len(results) == 1 else f"{_COUNTS.get(len(results), len(results))} settings of this"
        caption = f"{count} {kind}, for reading without a running kernel."
        show(fig, alt, f'<small style="color:#555">{caption}</small>')


_COUNTS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}


def display_widget(box, kind: str, title: str) -> None:
    """Display a widget with a plain-text form that is the same in each run and tells what would be here."""
    name = f" “{title}”" if title else ""
    text = f"[Interactive {kind}{name}: run this cell in JupyterLab or Colab to use it.]"
    view = {"model_id": box.model_id, "version_major": 2, "version_minor": 0}
    publish("", text, **{WIDGET_VIEW: view})


def _live(text: str) -> str:
    """Return text that screen readers read out when it changes."""
    return f'<div role="status" aria-live="polite" style="padding:0.3em 0">{text}</div>'


def _heading(title: str) -> list:
    import ipywidgets as w

    return [w.HTML(f"<b>{html.escape(title)}</b>")] if title else []
