"""The table that a formula is evaluated on: what it must be, and what to say where the value is not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..operators import CONSTANT, by_code

if TYPE_CHECKING:
    from .core import Expression

__all__ = ["describe_nonfinite", "table_columns"]


def table_columns(expression: Expression, X) -> np.ndarray:
    """The table as float64, turned so that its columns come first: (features, rows)."""
    _refuse_other_order(expression, X)
    table = np.asarray(X)
    textual = table.dtype == object and any(isinstance(entry, (str, bytes, complex)) for entry in table.flat)
    if table.dtype.kind not in "biufO" or textual:
        raise ValueError("X must be a table of real numbers, but holds text, dates or complex numbers")
    try:
        table = table.astype(float, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be a table of real numbers: {error}") from None
    if table.ndim != 2:
        remedy = " (one feature: X.reshape(-1, 1))" if table.ndim == 1 else ""
        raise ValueError(f"X has shape {table.shape}: give a table of shape (rows, features){remedy}")
    used = expression.features
    if used and used[-1] >= table.shape[1]:
        missing = expression.feature_name(used[-1])
        raise ValueError(f"X has {table.shape[1]} columns, but the formula uses {missing} (column {used[-1]})")
    return table.T


def _refuse_other_order(expression: Expression, X) -> None:
    """Columns are taken by their places: a DataFrame that has the names elsewhere would give wrong values silently."""
    places = {str(name): place for place, name in enumerate(getattr(X, "columns", ()))}
    for feature in expression.features if expression.names else ():
        name = expression.names[feature]
        if places.get(name, feature) != feature:
            raise ValueError(
                f"X has {name!r} as its column {places[name]}, but the formula counts it as column {feature}: "
                "put the columns in the order of `names`, or give X.to_numpy() if that is what you mean"
            )


def describe_nonfinite(expression: Expression, columns: np.ndarray, y: np.ndarray) -> str:
    """Where the first non-finite value comes from."""
    row = int(np.flatnonzero(~np.isfinite(y))[0])
    point, values = columns[:, row].tolist(), []
    with np.errstate(all="ignore"):
        for node, code in enumerate(expression.codes.tolist()):
            if code > 0:
                value = by_code(code).numpy(*(values[child] for child in expression.children(node)))
            else:
                value = expression.values[node] if code == CONSTANT else point[-1 - code]
            if not np.isfinite(value):
                break
            values.append(value)
    inputs = ", ".join(f"{expression.feature_name(j)} = {columns[j][row]:.6g}" for j in expression.features)
    return (
        f"{int((~np.isfinite(y)).sum())} of {len(y)} values of {_short(expression)} are not finite; "
        f"the first in row {row} ({inputs or 'any'}): {_short(expression.subtree(node))} has no finite value there"
    )


def _short(expression: Expression, longest: int = 200) -> str:
    """Its text, cut for messages."""
    text = expression.format()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
