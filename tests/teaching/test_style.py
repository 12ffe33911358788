import io
import re
import sys
from base64 import b64decode
from html import unescape

import numpy as np
import pytest
from matplotlib.image import imread

from srlib.teaching import style
from srlib.teaching.style import CYCLE, figure, show, to_html


def pixels(markup):
    data = re.search(r"base64,([^\"]+)\"", markup).group(1)
    return imread(io.BytesIO(b64decode(data)), format="png")  # (height, width, 4)


def drawing():
    fig, ax = figure()
    x = np.linspace(0, 1, 50)
    for number, look in enumerate(CYCLE):
        ax.plot(x, x * number, label=f"line {number}", **look)
    ax.set_xlabel("time (s)")
    ax.legend()
    return fig


def test_the_picture_is_opaque_and_white_at_the_edge():
    picture = pixels(to_html(drawing(), "Lines."))
    assert picture.shape[:2] == (495, 880)
    assert (picture[..., 3:] == 1).all() and (picture[0] == 1).all()


def test_fewer_colours_look_the_same():
    fig = drawing()
    small, full = (pixels(to_html(fig, "Lines.", small=small))[..., :3] for small in (True, False))
    assert np.abs(small - full).max() < 0.4 and np.abs(small - full).mean() < 0.002


def test_a_surface_keeps_its_shades():
    fig, ax = figure()
    ax.imshow(np.random.default_rng(0).random((100, 200, 3)))
    style.to_png(fig)  # the first drawing of an image of fixed aspect moves it
    assert style.to_png(fig) == style.to_png(fig, small=False)


def test_the_same_figure_gives_the_same_bytes():
    assert to_html(drawing(), "Lines.") == to_html(drawing(), "Lines.")
    assert b"Software" not in style.to_png(drawing())


def test_ten_figures_fit_into_a_notebook():
    assert len(to_html(drawing(), "Lines.")) < 50_000


def test_curves_differ_in_more_than_colour():
    looks = [(look["linestyle"], look["marker"]) for look in CYCLE]
    assert len(set(looks)) == len(CYCLE) == len({look["color"] for look in CYCLE})


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_each_figure_needs_a_text(alt):
    with pytest.raises(ValueError, match="alt="):
        show(drawing(), alt)


def test_the_text_is_escaped_and_on_one_line():
    markup = to_html(figure(2, 1)[0], 'a "quote" <b>\n and more')
    assert unescape(re.search(r'alt="([^"]*)"', markup).group(1)) == 'a "quote" <b> and more'


@pytest.mark.parametrize("size", [{"width": 0}, {"height": -1}, {"width": 1000}])
def test_a_size_that_cannot_be(size):
    with pytest.raises(ValueError, match="inches"):
        figure(**size)


def test_several_axes():
    assert figure(columns=3, rows=2)[1].shape == (2, 3)


def test_pyplot_keeps_no_figure():
    figure()
    if "matplotlib.pyplot" in sys.modules:
        assert not sys.modules["matplotlib.pyplot"].get_fignums()


def test_letters_are_large_also_in_what_is_added_later():
    fig, ax = figure()
    ax.plot([0, 1], label="a")
    sizes = [text.get_fontsize() for text in (*ax.legend().get_texts(), *ax.get_xticklabels(), ax.set_ylabel("y"))]
    assert min(sizes) >= 12


def test_show_displays_one_output(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a shell")
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    show(figure(2, 1)[0], "Nothing.", caption="Empty axes")
    ((data, raw),) = shown
    assert raw and sorted(data) == ["text/html", "text/plain"]
    assert data["text/plain"] == "Nothing." and "Empty axes" in data["text/html"]
