"""What happens to the data before the search: the choice of columns, smoothing, batches; and what a loss is called."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable

import numpy as np

from ..functions import address, from_function
from ..kernels.losses import CUSTOM, LOSSES
from ..operators import suggest

__all__ = ["batch_rows", "denoised", "numbers_for", "read_loss", "select_columns"]

ROWS_EACH = 2  # rows that a fitted number needs
ENOUGH = 1000  # rows for as many numbers as any formula has
JULIA = {  # what PySR's users call them
    "l2distloss": "squared", "l1distloss": "absolute", "huberloss": "huber", "quantileloss": "quantile",
}  # fmt: skip
PARAMETERS = {"huber": (1.0, 0.0, np.inf), "quantile": (0.5, 0.0, 1.0)}  # default, and the open range it must lie in


def read_loss(loss: str | Callable) -> tuple[int, float, int]:
    """``(kind, parameter, address)`` of a loss for the kernels (:mod:`srlib.kernels.losses`).

    Parameters
    ----------
    loss : str or callable
        "squared", "absolute", "huber" or "huber(0.5)", "quantile(0.9)", "logcosh"; PySR's names "L2DistLoss()",
        "L1DistLoss()", "HuberLoss(0.5)", "QuantileLoss(0.9)" for four of them; or a Python function
        ``loss(prediction, target) -> float`` that numba can compile.

    Examples
    --------
    >>> read_loss("huber(0.5)")
    (2, 0.5, 0)
    """
    if callable(loss):
        try:
            operator = from_function(loss, name=f"loss_{getattr(loss, '__name__', 'function').strip('<>')}")
        except ValueError as error:
            raise ValueError(f"elementwise_loss is {loss!r}: {error}") from None
        if operator.arity != 2:
            raise ValueError(f"elementwise_loss is {loss!r}: give a function of (prediction, target)")
        return CUSTOM, 0.0, address(operator)
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(\s*([-+.\deE]*)\s*\))?\s*", loss) if isinstance(loss, str) else None
    name = match[1].lower() if match else ""
    name = JULIA.get(name, name)
    if name not in LOSSES:
        hint = suggest(name, LOSSES) or f": choose from {', '.join(map(repr, LOSSES))}, or give a function"
        raise ValueError(f"elementwise_loss is {loss!r}{hint}")
    value = PARAMETERS.get(name, (0.0,))[0]
    if match[2]:
        try:
            value = float(match[2])
        except ValueError:
            raise ValueError(f"elementwise_loss is {loss!r}: {match[2]!r} is not a number") from None
        if name not in PARAMETERS:
            raise ValueError(f"elementwise_loss is {loss!r}: {name} takes no number")
        _, low, high = PARAMETERS[name]
        if not low < value < high:
            raise ValueError(f"elementwise_loss is {loss!r}: give a number between {low:g} and {high:g}")
    return LOSSES[name], value, 0


def select_columns(X: np.ndarray, y: np.ndarray, k: int, seed: int, look: Callable[[], None]) -> np.ndarray:
    """The ``k`` columns that a random forest finds most important, in their order; ``look`` may end it by an error."""
    from sklearn.ensemble import RandomForestRegressor

    rows = np.random.default_rng(seed).permutation(len(y))[:5000]
    forest = RandomForestRegressor(max_depth=3, random_state=seed, warm_start=True)
    for trees in range(5, 101, 5):
        look()
        forest.set_params(n_estimators=trees).fit(X[rows], y[rows])
    return np.sort(np.argsort(-forest.feature_importances_, kind="stable")[:k])


def denoised(X: np.ndarray, y: np.ndarray, seed: int, look: Callable[[], None]) -> np.ndarray:
    """The target smoothed by a Gaussian process (at most 1000 rows of it are learnt from).

    ``look`` may end it by an error.
    """
    from scipy.optimize import minimize
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    spread = np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    scaled, centre, scale = (X - X.mean(axis=0)) / spread, y.mean(), y.std()
    rows = np.sort(np.random.default_rng(seed).permutation(len(y))[:1000])
    kernel = ConstantKernel() * RBF(np.ones(X.shape[1])) + WhiteKernel(0.1)

    def optimizer(objective, start, bounds):
        def looked(theta):
            look()
            return objective(theta)

        found = minimize(looked, start, method="L-BFGS-B", jac=True, bounds=bounds)
        return found.x, found.fun

    process = GaussianProcessRegressor(kernel, random_state=seed, n_restarts_optimizer=1, optimizer=optimizer)
    with warnings.catch_warnings():  # data with hardly any noise end at the bounds of the kernel, and that is well
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(scaled[rows], (y[rows] - centre) / scale)
    smooth = []
    for at in range(0, len(y), 1000):  # a kernel matrix of 1000 x 1000 at a time
        look()
        smooth.append(process.predict(scaled[at : at + 1000]))
    return np.concatenate(smooth) * scale + centre


def numbers_for(columns: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> int:
    """How many numbers may be fitted: through six points goes every formula of six.

    Only rows that differ count, because one that is there three times says as much as one of weight 3.
    """
    table = np.vstack([columns, y]) if weight is None else np.vstack([columns, y])[:, weight > 0]
    first = table[:, :ENOUGH]
    many = len(np.unique(first, axis=1).T)
    if many < ENOUGH // 2 and first.shape < table.shape:
        many = len(np.unique(table, axis=1).T)
    return max(many // ROWS_EACH, 2)


def batch_rows(rows: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """The rows of one batch, in their order."""
    return np.sort(rng.choice(rows, size=min(size, rows), replace=False))
