"""Asking a teacher: one call for all rows, and a clear word where it fails."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

__all__ = ["answers"]


def answers(teacher: Callable, X: np.ndarray, name: str = "X") -> np.ndarray:
    """What a teacher answers, shape (rows, outputs), float64.

    Parameters
    ----------
    teacher : callable
        See :func:`srlib.distill.distill`.
    X : ndarray, shape (rows, features)
    name : str
        What errors call ``X``.

    Raises
    ------
    ValueError
        If it raises, answers in the wrong shape, or with what is no finite number; with the first row of trouble.
    """
    given = _called(teacher, X, name)
    try:
        y = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f"teacher answers with {str(given)[:60]!r}, not with numbers: give (rows,) or (rows, outputs)"
        ) from None
    if y.ndim not in (1, 2) or len(y) != len(X) or y.size == 0:
        raise ValueError(
            f"teacher answers with shape {y.shape} to {len(X)} rows: it must give ({len(X)},) or ({len(X)}, outputs)"
        )
    y = y.reshape(len(X), -1)
    if not np.isfinite(y).all():
        row, output = np.argwhere(~np.isfinite(y))[0]
        count = int((~np.isfinite(y)).any(axis=1).sum())
        raise ValueError(
            f"teacher answers {y[row, output]} in row {row} of {name}, {_shown(X[row])} ({count} of {len(X)} rows "
            "are not finite): leave such inputs out"
        )
    return y


def _called(teacher: Callable, X: np.ndarray, name: str):
    torch = sys.modules.get("torch")
    call = teacher
    if torch is not None and isinstance(teacher, torch.nn.Module):
        call = _module(torch, teacher)
    try:
        given = call(X)
    except Exception as error:
        row = _first_failure(call, X)
        where = f"{name} as a whole" if row is None else f"row {row} of {name}, {_shown(X[row])}"
        raise ValueError(f"teacher raised {type(error).__name__} ({error}) on {where}") from error
    if torch is not None and isinstance(given, torch.Tensor):
        given = given.detach().cpu().numpy()
    return given


def _module(torch, teacher) -> Callable:
    """A torch module as a function of arrays: evaluation mode, no gradients, its own dtype."""

    def call(X):
        known = next(teacher.parameters(), None)
        dtype, device = (torch.get_default_dtype(), None) if known is None else (known.dtype, known.device)
        modes = [(one, one.training) for one in teacher.modules()]
        teacher.eval()
        try:
            with torch.no_grad():
                return teacher(torch.tensor(X, dtype=dtype, device=device))
        finally:
            for one, training in modes:
                one.training = training

    return call


def _first_failure(call: Callable, X: np.ndarray) -> int | None:
    """The first row on which a call raises, found by halving; None if it is no single row."""

    def raises(first: int, last: int) -> bool:
        try:
            call(X[first:last])
        except Exception:
            return True
        return False

    first, last = 0, len(X)
    while last - first > 1:
        middle = (first + last) // 2
        if raises(first, middle):
            last = middle
        elif raises(middle, last):
            first = middle
        else:
            return None
    return first


def _shown(row: np.ndarray) -> str:
    numbers = [f"{value:.4g}" for value in row[:8]]
    return f"({', '.join(numbers)}{', …' if len(row) > 8 else ''})"
