"""Checks of parameters and tables that all methods share: each error names the argument, its value and the remedy."""

from __future__ import annotations

import math
import numbers

import numpy as np

from .operators import suggest

__all__ = [
    "check_choice",
    "check_number",
    "check_range",
    "is_whole",
    "refuse_text_columns",
    "refuse_what_is_no_number",
]


def is_whole(value) -> bool:
    """Whether a value is an integer (and no bool)."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_number(
    name: str,
    value,
    *,
    least=None,
    above=None,
    most=None,
    whole: bool = False,
    optional: bool = False,
    remedy: str = "",
) -> None:
    """A ValueError that names the parameter, its value and what it may be, unless it is a number in the range."""
    if value is None and optional:
        return
    good = is_whole(value) if whole else isinstance(value, numbers.Real) and not isinstance(value, bool)
    if good and not math.isnan(value):
        too_small = (least is not None and value < least) or (above is not None and value <= above)
        good = not too_small and (most is None or value <= most)
    else:
        good = False
    if not good:
        kind = "a whole number" if whole else "a number"
        limits = [f"of at least {least}"] * (least is not None) + [f"above {above}"] * (above is not None)
        limits += [f"{'and ' if limits else 'of '}at most {most}"] * (most is not None)
        others = [remedy] * bool(remedy) + ["or None"] * optional
        raise ValueError(f"{name} is {value!r}: give {' '.join([kind, *limits, *others])}")


def check_choice(name: str, value, choices: tuple[str, ...]) -> None:
    """A ValueError that lists the choices, unless ``value`` is one of them."""
    if value not in choices:
        raise ValueError(
            f"{name} is {value!r}: choose from {', '.join(map(repr, choices))}{suggest(str(value), choices)}"
        )


def check_range(name: str, value, whole: bool = False, least: float | None = None) -> None:
    """A ValueError unless ``value`` is (low, high) with finite low <= high."""
    try:
        low, high = value
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {value!r}: give two numbers (low, high)") from None
    for one in (low, high):
        check_number(name, one, whole=whole, least=least)
    if not (low <= high and np.isfinite([low, high]).all()):
        raise ValueError(f"{name} is {value!r}: give two finite numbers, the smaller first")


def refuse_text_columns(X) -> None:
    """A ValueError that names the first column of a DataFrame that does not hold numbers."""
    names = list(map(str, getattr(X, "columns", ())))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"X has more than one column {twice!r}: give each column a name of its own")
    for name, kind in X.dtypes.items() if hasattr(getattr(X, "dtypes", None), "items") else ():
        if getattr(kind, "kind", "O") not in "biufO" or (kind.kind == "O" and not _all_numbers(X[name])):
            raise ValueError(
                f"X has a column {name!r} that does not hold numbers ({kind}): leave it out, or make it numbers first"
            )
    refuse_what_is_no_number("X", X)


def refuse_what_is_no_number(name: str, values) -> None:
    """A ValueError that names the argument and the first entry that is a text, NaN or infinite."""
    try:
        table = np.asarray(values)
    except (TypeError, ValueError):
        return  # scikit-learn has the words for what is no table at all
    if table.dtype.kind == "O" and hasattr(values, "isna"):  # pandas' own mark of a gap
        missing = np.asarray(values.isna())
        table = np.where(missing, np.nan, 0.0) if missing.any() else table
    texts = table.ravel() if table.dtype.kind in "OSU" else ()
    for entry in texts:
        if isinstance(entry, (str, bytes)):
            raise ValueError(
                f"{name} holds the text {str(entry)[:40]!r} (could not convert string to float): make it numbers first"
            )
    if table.dtype.kind == "f" and table.ndim in (1, 2) and not np.isfinite(table).all():
        at = np.argwhere(~np.isfinite(table))
        bad = table[tuple(at[0])]
        place = f"row {at[0][0]}" + (f", column {at[0][1]}" if table.ndim == 2 else "")
        raise ValueError(
            f"{name} contains {'NaN' if np.isnan(bad) else 'infinity'} (first: {bad} in {place}; {len(at)} entries in "
            "all are NaN or infinity): leave those rows out, or fill the gaps first"
        )


def _all_numbers(column) -> bool:
    return all(isinstance(value, numbers.Real) for value in column)
