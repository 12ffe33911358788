"""Where a teacher is asked: boxes, and the rows of them where it is most certain."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srlib.distill import Box, CertainBox


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6)), min_size=1, max_size=4),
    st.integers(2, 60),
    st.sampled_from(["halton", "latin", "uniform", "grid"]),
    st.integers(0, 2**32),
)
def test_rows_lie_in_their_box_and_repeat(ranges, rows, how, seed):
    box = Box({f"x{k}": (low, low + width) for k, (low, width) in enumerate(ranges)}, rows, how)
    X = box.sample(seed)
    low, high = np.array(list(box.ranges.values())).T
    slack = 1e-9 * (1 + np.abs(low) + np.abs(high))
    assert (X >= low - slack).all() and (X <= high + slack).all()
    assert np.array_equal(X, box.sample(seed))
    assert len(X) == rows if how != "grid" else len(X) <= max(rows, 2 ** len(ranges))


def test_even_ways_fill_a_box_better_than_chance():
    ranges = {"x": (0, 1), "y": (0, 1)}

    def largest_gap(how):
        return np.diff(np.sort(Box(ranges, 200, how).sample(0)[:, 0])).max()

    assert largest_gap("halton") < 2 / 200 < largest_gap("uniform")
    assert largest_gap("latin") < 2.01 / 200


def test_a_box_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match=re.escape("how is 'sobl': choose from")):
        Box({"x": (0, 1)}, how="sobl")
    with pytest.raises(ValueError, match="rows is 1"):
        Box({"x": (0, 1)}, rows=1)


def test_a_certain_box_keeps_the_rows_of_least_doubt():
    sampler = CertainBox(Box({"x": (-1, 1)}, rows=100), lambda X: X[:, 0] - 0.5, share=0.25)
    table = sampler(np.random.default_rng(0))
    assert list(table.columns) == ["x"] and len(table) == 100 and np.abs(table.x - 0.5).max() < 0.27
    with pytest.raises(ValueError, match="uncertainty gives shape"):
        CertainBox(Box({"x": (-1, 1)}, rows=10), lambda X: X)(0)
    with pytest.raises(ValueError, match="share is 0"):
        CertainBox(Box({"x": (-1, 1)}), lambda X: X, share=0)
