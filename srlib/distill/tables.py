"""What a teacher is asked, and what a student sees of it: tables from all that :func:`srlib.distill.distill` takes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..validation import is_whole, refuse_text_columns
from .sampling import Box

__all__ = ["as_array", "hold_out", "in_order", "read_table", "seen_by"]


def read_table(name: str, given, seed, sample_weight):
    """The table (rows, features), its names, the weights, and how to draw another one (None: it cannot be).

    Parameters
    ----------
    name : str
        What errors call it.
    given : array_like, DataFrame, Box, mapping or callable
        See :func:`srlib.distill.distill`.
    seed : int or SeedSequence
        Of what is drawn.
    sample_weight : array_like, shape (rows,), optional
    """
    if isinstance(given, Mapping):
        given = Box(given)
    labels, again = None, None
    if isinstance(given, Box):
        labels = given.names
        again = (replace(given, how="halton") if given.how == "grid" else given).sample
        given = given.sample(np.random.default_rng(seed))
    elif callable(given):
        again, given = given, given(np.random.default_rng(seed))
    if again is not None and sample_weight is not None:
        raise ValueError("sample_weight is given, but X is drawn: weights belong to the rows of a table")
    if hasattr(given, "columns"):
        labels = tuple(map(str, given.columns))
    refuse_text_columns(given)
    table = as_array(given)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"{name} has shape {table.shape}: give (rows, features), at least one of each")
    if len(table) < 2 and name == "X":
        raise ValueError("X has 1 row: give at least 2")
    if sample_weight is not None:
        sample_weight = np.asarray(sample_weight, dtype=float)
        if sample_weight.shape != (len(table),):
            raise ValueError(
                f"sample_weight has shape {sample_weight.shape}, but X has {len(table)} rows: give one weight a row"
            )
    return table, labels, sample_weight, again


def in_order(table: np.ndarray, names: tuple | None, wanted: tuple | None) -> np.ndarray:
    """A table with its columns where those of X are, if both have names."""
    if names is None or wanted is None or names == wanted:
        return table
    if sorted(names) != sorted(wanted):
        raise ValueError(
            f"fresh has the columns {', '.join(names)}, but X has {', '.join(wanted)}: give the same inputs"
        )
    return table[:, [names.index(name) for name in wanted]]


def hold_out(table, weights, share: float, seed):
    """Rows to train on and rows to judge by, and the weights of the former."""
    if not 0 < share < 1:
        raise ValueError(f"fresh is {share!r}: give a share of the rows between 0 and 1, or a table of its own")
    count = max(1, round(share * len(table)))
    if len(table) - count < 2:
        raise ValueError(
            f"X has {len(table)} rows, of which {count} are held out: give more rows, or inputs to judge by as fresh"
        )
    order = np.random.default_rng(seed).permutation(len(table))
    train, judged = np.sort(order[count:]), np.sort(order[:count])
    return table[train], table[judged], None if weights is None else weights[train]


def seen_by(inputs, labels, names, table):
    """The function from the teacher's table to what the student sees: a DataFrame where there are names."""
    if inputs is None:
        look, found = (lambda X: X), labels
    elif callable(inputs):
        look, found = inputs, None
    else:
        places = [_place(one, labels, table.shape[1]) for one in inputs]
        if not places:
            raise ValueError("inputs is empty: name at least one column, or leave it out")
        look, found = (lambda X: X[:, places]), labels and tuple(labels[place] for place in places)
    sample = look(table)
    if hasattr(sample, "columns"):
        found = tuple(map(str, sample.columns))
    shape = np.shape(sample)
    if len(shape) != 2 or shape[0] != len(table):
        raise ValueError(f"inputs gives shape {shape} for {len(table)} rows: give (rows, features)")
    if names is not None:
        found = tuple(map(str, names))
        if len(found) != shape[1]:
            raise ValueError(f"names has {len(found)} entries, but the student sees {shape[1]} columns: one for each")
    if found is None:
        return lambda X: np.asarray(look(X), dtype=float)

    def see(X):
        import pandas as pd

        return pd.DataFrame(np.asarray(look(X), dtype=float), columns=list(found))

    return see


def _place(one, labels, count: int) -> int:
    if is_whole(one) and 0 <= one < count:
        return int(one)
    if labels is not None and one in labels:
        return labels.index(one)
    known = f"columns {', '.join(labels)}" if labels else f"{count} columns without names"
    raise ValueError(f"inputs names {one!r}, but X has {known}")


def as_array(table) -> np.ndarray:
    """As float64, from a torch tensor too."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(table, torch.Tensor):
        table = table.detach().cpu().numpy()
    return np.asarray(table, dtype=float)
