"""Levenberg-Marquardt in plain numpy: all derivatives in one pass of the stack machine, equal constants kept equal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT, by_code

__all__ = ["Fitted", "evaluate_many", "fit_constants", "fixed_constants"]


@dataclass(frozen=True)
class Fitted:
    """A formula whose constants were fitted.

    Attributes
    ----------
    expression : Expression
    loss : float
        The sum of squared (weighted) errors.
    error : ndarray, shape (constants,)
        Standard errors of the constants; 0 for those that were held.
    """

    expression: Expression
    loss: float
    error: np.ndarray


def fixed_constants(expression: Expression) -> np.ndarray:
    """Which constants belong to the form: 1 and -1, and the exponents of ``**`` that are whole or half."""
    fixed, at_pow = [], set()
    for node, code in enumerate(expression.codes.tolist()):
        if code > 0 and by_code(code).name == "pow":
            at_pow.add(expression.children(node)[1])
    for node, code in enumerate(expression.codes.tolist()):
        if code == CONSTANT:
            value = expression.values[node]
            fixed.append(abs(value) == 1 or (node in at_pow and 2 * value == round(2 * value)))
    return np.array(fixed, dtype=bool)


def evaluate_many(expression: Expression, columns: Sequence[np.ndarray], constants: np.ndarray) -> np.ndarray:
    """The formula for many sets of constants, shape (sets, constants) -> (sets, rows)."""
    stack, at = [], 0
    for code in expression.codes.tolist():
        if code < 0:
            stack.append(columns[-1 - code])
        elif code == CONSTANT:
            stack.append(constants[:, at, None])  # (sets, 1)
            at += 1
        else:
            operator = by_code(code)
            arguments = stack[-operator.arity :]
            del stack[-operator.arity :]
            stack.append(operator.numpy(*arguments))
    return np.broadcast_to(stack[0], (len(constants), len(columns[0])))


def fit_constants(
    expression: Expression,
    columns: Sequence[np.ndarray],
    y: np.ndarray,
    root: np.ndarray | float = 1.0,
    steps: int = 25,
    fixed: np.ndarray | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Fitted | None:
    """The formula with its constants at a minimum of the squared error near where they are.

    Parameters
    ----------
    expression : Expression
        The formula. Constants of exactly the same size are one parameter, and stay so.
    columns : sequence of ndarray, each of shape (rows,)
        The features.
    y : ndarray, shape (rows,)
        The target.
    root : ndarray, shape (rows,), or float
        Square roots of the rows' weights.
    steps : int
        How many derivatives are taken at most.
    fixed : ndarray of bool, shape (constants,), optional
        Constants to be held; by default :func:`fixed_constants`.

    Returns
    -------
    Fitted or None
        None where the formula has no finite values to begin with.
    """
    start = expression.constants
    fixed = fixed_constants(expression) if fixed is None else fixed
    distinct = sorted(set(np.abs(start[~fixed]).tolist()))
    with np.errstate(all="ignore"):
        if not distinct or len(distinct) >= len(y):
            residual = (evaluate_many(expression, columns, start[None])[0] - y) * root
            loss = float(residual @ residual)
            return Fitted(expression, loss, np.zeros(len(start))) if np.isfinite(loss) else None
        spread = np.zeros((len(distinct), len(start)))  # (parameters, constants)
        for row, value in enumerate(distinct):
            same = ~fixed & (np.abs(start) == value)
            spread[row, same] = np.where(start[same] < 0, -1.0, 1.0)
        held = np.where(fixed, start, 0.0)
        theta = np.array(distinct)  # (parameters,)
        damping, best = 1e-3, np.inf
        jacobian = None
        for _ in range(steps):
            if should_stop():
                break
            h = 1e-7 * np.maximum(np.abs(theta), 1e-4)
            sets = held + np.concatenate([theta[None], theta + np.diag(h)]) @ spread  # (1 + parameters, constants)
            values = evaluate_many(expression, columns, sets)
            residual = (values[0] - y) * root  # (rows,)
            loss = float(residual @ residual)
            derivative = (values[1:] - values[0]) / h[:, None] * root  # (parameters, rows)
            if not np.isfinite(loss) or not np.isfinite(derivative).all():
                break
            best, jacobian = loss, derivative
            size = np.sqrt(np.einsum("ij,ij->i", derivative, derivative)) + 1e-300
            scaled = derivative / size[:, None]
            normal, slope = scaled @ scaled.T, scaled @ residual
            moved = False
            for _ in range(3):  # three dampings are tried in one pass
                dampings = damping * np.array([0.1, 1.0, 30.0])
                eye = np.eye(len(theta))
                try:
                    tries = np.array([theta - np.linalg.solve(normal + d * eye + 1e-14 * eye, slope) / size
                                      for d in dampings])  # fmt: skip
                except np.linalg.LinAlgError:
                    break
                errors = (evaluate_many(expression, columns, held + tries @ spread) - y) * root  # (3, rows)
                losses = np.einsum("ij,ij->i", errors, errors)
                losses[~np.isfinite(losses)] = np.inf
                pick = int(np.argmin(losses))
                if losses[pick] < best:
                    theta, damping, moved = tries[pick], max(dampings[pick], 1e-12), True
                    break
                damping *= 1000
            if not moved or losses[pick] > best * (1 - 1e-6):
                best = min(best, losses[pick]) if moved else best
                break
            best = losses[pick]
        if jacobian is None or not np.isfinite(theta).all():
            return None
        scatter = best / max(len(y) - len(theta), 1)
        covariance = np.linalg.pinv(jacobian @ jacobian.T) * scatter
        error = np.sqrt(np.maximum(np.diag(covariance), 0)) @ np.abs(spread)
    return Fitted(expression.with_constants(held + theta @ spread), best, error)
