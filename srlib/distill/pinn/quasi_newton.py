"""Quasi-Newton methods on one flat vector: L-BFGS by scipy, and self-scaled BFGS with the whole inverse Hessian."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy.linalg import blas
from scipy.optimize import line_search, minimize

__all__ = ["LBFGS", "SelfScaledBFGS"]

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


class LBFGS:
    """scipy's L-BFGS-B without bounds, begun anew from the last good point where a trial step has no finite loss.

    scipy's line search ends the whole minimisation there, and says no more than that it has ended.

    Parameters
    ----------
    history : int
        How many steps are remembered (Raissi's program: 50).
    """

    def __init__(self, history: int = 50):
        self.history = history

    def minimise(self, objective: Objective, theta: np.ndarray, iterations: int, note: Callable) -> np.ndarray:
        """Up to so many iterations from ``theta``; ``note(theta)`` is called after each."""
        done, infinite = 0, False

        def evaluate(at):
            nonlocal infinite
            loss, gradient = objective(at)
            infinite = infinite or not np.isfinite(loss)
            return loss, gradient

        def count(at):
            nonlocal done, theta
            done, theta = done + 1, at.copy()
            note(at)

        while True:
            before, infinite = done, False
            found = minimize(
                evaluate, theta, jac=True, method="L-BFGS-B", callback=count,
                options={
                    "maxiter": iterations - done, "maxfun": 10 * iterations, "maxcor": self.history, "maxls": 50,
                    "ftol": np.finfo(float).eps, "gtol": 1e-12,
                },
            )  # fmt: skip
            if not infinite or done == before or done >= iterations:
                return theta if infinite else found.x


class SelfScaledBFGS:
    """BFGS that scales the inverse Hessian before each update where the step's curvature is below the model's.

    M. Al-Baali's rule (Comput. Optim. Appl. 9, 1998); J. Urban, P. Stefanou and J. Pons (J. Comput. Phys. 523, 2025,
    "Unveiling the optimization process of physics informed neural networks") use it for PINNs. It keeps a matrix
    (parameters, parameters): 73 MB for 3,021 parameters, of which BLAS touches one triangle.

    The matrix survives from one call of :meth:`minimise` to the next, also when the points have changed between.
    """

    def __init__(self):
        self.H: np.ndarray | None = None  # upper triangle of the inverse Hessian, Fortran order

    def minimise(self, objective: Objective, theta: np.ndarray, iterations: int, note: Callable) -> np.ndarray:
        """Up to so many iterations from ``theta``; ``note(theta)`` is called after each."""
        cache: dict[bytes, tuple] = {}

        def evaluate(at):
            key = at.tobytes()
            if key not in cache:
                if len(cache) > 8:
                    cache.clear()
                cache[key] = objective(at)
            return cache[key]

        n, before, fresh = len(theta), None, self.H is None
        loss, gradient = evaluate(theta)
        for _ in range(iterations):
            if self.H is None:
                self.H, fresh, before = np.eye(n, order="F") / max(np.linalg.norm(gradient), 1e-300), True, None
            direction = -blas.dsymv(1.0, self.H, gradient)
            with warnings.catch_warnings():  # the line search's answer says so, too
                warnings.filterwarnings("ignore", "The line search|Rounding errors", RuntimeWarning)
                step, *_ = line_search(
                    lambda at: evaluate(at)[0], lambda at: evaluate(at)[1], theta, direction, gradient, loss, before,
                    c1=1e-4, c2=0.9, maxiter=20,
                )  # fmt: skip
            if step is None:  # the model of the curvature is of no use here
                if fresh:
                    break
                self.H = None
                continue
            s = step * direction
            theta = theta + s
            before, old = loss, gradient
            loss, gradient = evaluate(theta)
            y = gradient - old
            if fresh and s @ y > 0:  # in the units of the first step (Nocedal and Wright, equation 6.20)
                self.H = np.eye(n, order="F") * ((s @ y) / (y @ y))
            self._update(s, y, curvature=-step * (s @ old), scaled=not fresh)
            fresh = False
            note(theta)
        return theta

    def _update(self, s: np.ndarray, y: np.ndarray, curvature: float, scaled: bool) -> None:
        """One update; ``curvature`` is s B s with B the inverse of H."""
        sy = s @ y
        if sy <= 0:
            return
        Hy = blas.dsymv(1.0, self.H, y)
        yHy = y @ Hy
        v = s / sy - Hy / yHy
        H = blas.dsyr(-1.0 / yHy, Hy, a=self.H, overwrite_a=True)
        H = blas.dsyr(yHy, v, a=H, overwrite_a=True)
        if scaled:
            H *= 1.0 / min(1.0, sy / curvature)
        self.H = blas.dsyr(1.0 / sy, s, a=H, overwrite_a=True)
