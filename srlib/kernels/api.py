"""The kernels for Python: whole expressions on whole tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..expression import Expression
from .evaluate import derivatives_of, values_of
from .jit import COMPILED, forget_stale, kernel
from .losses import row_loss
from .program import BODY_SIZE, Alphabet, Workspace, alphabet, assemble, workspace

__all__ = ["compile_evaluation", "evaluate", "jacobian", "mean_loss"]

CHUNK = 1 << 14  # rows whose columns are copied at a time


def evaluate(expression: Expression, columns, dtype=np.float64) -> np.ndarray:
    """The formula's values, shape (rows,); the same numbers as :meth:`Expression.evaluate` to the last digits.

    Parameters
    ----------
    expression : Expression
    columns : array_like, shape (features, rows)
        The table by its columns.
    dtype : float64 or float32

    Examples
    --------
    >>> evaluate(Expression.parse("2*x0 + 1"), [[1.0, 2.0]])
    array([3., 5.])
    """
    if dtype not in (np.float64, np.float32):
        raise ValueError(f"dtype is {dtype!r}: give numpy.float64 or numpy.float32")
    columns = _columns(expression, columns, dtype)
    y = np.empty(columns.shape[1], dtype)
    for lo in range(0, len(y), CHUNK):
        length, letters, work = _program(expression, columns[:, lo : lo + CHUNK])
        values_of(length, letters, work, y[lo : lo + CHUNK])
    return y


def jacobian(expression: Expression, columns) -> tuple[np.ndarray, np.ndarray]:
    """The formula's values and their derivatives by its constants, shapes (rows,) and (rows, constants).

    Examples
    --------
    >>> values, derivatives = jacobian(Expression.parse("2*x0 + 1"), [[1.0, 2.0]])
    >>> derivatives.tolist()
    [[1.0, 1.0], [2.0, 1.0]]
    """
    columns = _columns(expression, columns, np.float64)
    y = np.empty(columns.shape[1])
    derivatives = np.empty((len(expression.constants), len(y)))
    for lo in range(0, len(y), CHUNK):
        length, letters, work = _program(expression, columns[:, lo : lo + CHUNK])
        part = np.empty((len(derivatives), work.rows))
        derivatives_of(length, letters, work, y[lo : lo + CHUNK], part)
        derivatives[:, lo : lo + CHUNK] = part
    return y, derivatives.T


def compile_evaluation(say: Callable[[str], None] = lambda text: None) -> None:
    """Compile what :func:`evaluate` and :func:`jacobian` need, or load what an earlier process has compiled.

    ``say`` is told if it will take long.
    """
    if COMPILED and not forget_stale(derivatives_of.__wrapped__):
        say("compiling the evaluation of formulas, once on this machine: this takes some seconds")
    jacobian(Expression.parse("2*x0"), [[1.0]])


def _columns(expression: Expression, columns, dtype) -> np.ndarray:
    columns = np.asarray(columns, dtype)
    used = expression.features
    if columns.ndim != 2 or (used and used[-1] >= len(columns)):
        needed = used[-1] + 1 if used else 0
        raise ValueError(f"columns has shape {columns.shape}: give (features, rows) with at least {needed} features")
    return columns


def _program(expression: Expression, columns: np.ndarray) -> tuple[int, Alphabet, Workspace]:
    letters = alphabet(columns.dtype)
    operators = expression.codes[expression.codes > 0]
    nodes = expression.size + int(letters.table[BODY_SIZE, operators].sum())
    work = workspace(columns, nodes, columns.dtype)
    return assemble(expression.codes, expression.values, expression.size, letters, work), letters, work


def mean_loss(prediction, y, sample_weight=None, loss: int = 0, parameter: float = 1.0, address: int = 0) -> float:
    """The weighted mean of a loss (:mod:`srlib.kernels.losses`); infinite if a prediction is not finite.

    Examples
    --------
    >>> mean_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    2.0
    """
    if loss == 0:
        with np.errstate(all="ignore"):
            squares = (prediction - y) ** 2
            total = float(np.mean(squares) if sample_weight is None else np.average(squares, weights=sample_weight))
    else:
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float)
        total = float(_sum_losses(prediction, y, weight, loss, parameter, address) / weight.sum())
    return total if np.isfinite(total) else np.inf


@kernel
def _sum_losses(prediction, y, weight, loss, parameter, address):
    total = 0.0
    for k in range(len(y)):
        total += weight[k] * row_loss(loss, parameter, address, prediction[k], y[k])
    return total
