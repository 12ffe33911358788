import threading

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.figure import Figure

from srlib import Expression
from srlib.expression.drawing import describe, draw
from tests.strategies import MODEST, expressions

matplotlib.use("Agg")
NAMES = ["x", "$money$", "temperature_of_the_gas"]


def boxes(ax):
    """The rectangles that the nodes fill, in pixels, once drawn."""
    ax.figure.canvas.draw()
    return [text.get_bbox_patch().get_window_extent() for text in ax.texts if text.get_bbox_patch()]


def chain(levels):
    e = Expression.variable(0)
    for k in range(levels):
        e = Expression.apply(["sin", "exp", "-"][k % 3], e)
    return e


@settings(max_examples=40, deadline=None)
@given(expressions(constants=MODEST, tokens=30, names=NAMES))
def test_every_node_is_shown_and_none_covers_another(e):
    ax = e.draw(Figure(figsize=(8, 5)).add_axes((0, 0, 1, 1)))
    places = boxes(ax)
    assert len(places) == e.size and len(ax.lines) == e.size - 1
    for k, one in enumerate(places):
        assert one.x0 > -1 and one.x1 < 801 and one.y0 > -1 and one.y1 < 501  # within the figure
        for other in places[:k]:
            over = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
            assert over[0] < 2 or over[1] < 2  # pixels


@pytest.mark.parametrize(
    ("e", "least"),
    [
        (Expression.parse("2.5*cos(x3) + x0**2 - 2*x1/(x2 + 1.5)"), 12),
        (Expression.parse("+".join(f"x{k}*x{k + 1}" for k in range(10))), 7.5),
        (Expression.parse("*".join(["(x0 + 2.25)*(x1 - x2)"] * 5)), 7),
        (chain(12), 10),
    ],
)
def test_labels_of_forty_nodes_are_large_enough_to_read(e, least):
    assert e.size <= 40
    ax = draw(e, Figure(figsize=(8, 5)).add_axes((0, 0, 1, 1)))
    assert min(text.get_fontsize() for text in ax.texts) >= least


def test_kinds_differ_in_shape_and_colour():
    ax = draw(Expression.parse("2*x0"), Figure().subplots())
    patches = [text.get_bbox_patch() for text in ax.texts]
    assert len({patch.get_facecolor() for patch in patches}) == len({patch.get_boxstyle() for patch in patches}) == 3


def test_children_stand_below_and_in_order():
    e = Expression.parse("(x0 - 2)/x1")
    ax = draw(e, Figure().subplots())
    place = {text.get_text(): text.get_position() for text in ax.texts}
    assert place["x0"][0] < place["-"][0] < place["2"][0] < place["x1"][0]
    assert place["/"][1] > place["-"][1] == place["x1"][1] > place["x0"][1] == place["2"][1]


def test_highlighted_and_faded_subtrees():
    e = Expression.parse("sin(x0 + 1) * x1")
    plain, marked = (draw(e, Figure().subplots(), **o) for o in ({}, {"highlight": 2, "faded": [3]}))
    edge = [text.get_bbox_patch().get_linewidth() for text in marked.texts]
    assert edge[0] == edge[1] == edge[2] > edge[3] == edge[4] == edge[5]
    fill = [[text.get_bbox_patch().get_facecolor() for text in ax.texts] for ax in (plain, marked)]
    assert [a == b for a, b in zip(*fill, strict=True)] == [True, True, True, False, True, True]
    with pytest.raises(IndexError, match="node 6 does not exist"):
        draw(e, Figure().subplots(), highlight=[6])


@pytest.mark.parametrize("e", [Expression.parse("2.5*cos(x3) + x0"), chain(30)])
def test_numbers_are_the_nodes_postfix_places(e):
    ax = draw(e, Figure().subplots(), numbers=True, title="$5")
    labels, numbers = ([t for t in ax.texts if bool(t.get_bbox_patch()) == boxed] for boxed in (True, False))
    assert [text.get_text() for text in numbers] == [str(node) for node in range(e.size)]
    assert [text.xy for text in numbers] == [text.get_position() for text in labels]
    assert ax.get_title() == "$5"
    ax.figure.canvas.draw()


def test_new_figures_and_threads():
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    ax = Expression.parse("x0 + 1").draw()
    assert ax.figure.number not in before
    plt.close(ax.figure)
    drawn = []
    thread = threading.Thread(target=lambda: drawn.append(Expression.parse("x0 + 1").draw()))
    thread.start()
    thread.join()
    assert plt.get_fignums() == before and len(boxes(drawn[0])) == 3


def test_drawing_again_replaces_what_was_there():
    ax = Figure().subplots()
    for text in ("x0 + 1", "x0"):
        draw(Expression.parse(text), ax)
    assert [text.get_text() for text in ax.texts] == ["x0"]


def test_trees_too_large_to_draw():
    with pytest.raises(ValueError, match="the formula has 501 nodes, more than 500: draw one of its subtrees"):
        draw(chain(500), Figure().subplots())
    assert np.isfinite(draw(chain(499), Figure().subplots()).get_xlim()).all()


def test_trees_in_words():
    assert describe(Expression.variable(0)) == "Tree of x0, 1 node on 1 level. It has no children."
    text = describe(Expression.parse("min(x0, 2)*y1", names=["x0", "y1"]))
    assert text.endswith("The root * has the children min and y1. Node min has the children x0 and 2.")
    assert describe(chain(40), longest=3).count("has the child") == 3
