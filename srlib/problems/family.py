"""The family of a law: its form with free constants, fitted to values."""

import numpy as np

VANISHED = 0.1  # a constant below this fraction of its true value, or above its inverse, is lost rather than fitted


class Family:
    """The family of a problem's law on given rows, with constants in units of their true values."""

    def __init__(self, problem, X):
        self.form, self.X = problem.family, X  # (rows, features)
        self.true = np.array(list(problem.parameters.values()), dtype=float)  # (constants,)
        self.unit = np.where(self.true == 0, 1.0, self.true)  # SI constants span 50 decades

    def values(self, u, X=None):
        """Return the member with constants ``u * unit``."""
        columns = list((self.X if X is None else X).T)
        with np.errstate(all="ignore"):
            f = self.form.evaluate_columns(columns + (u * self.unit).tolist())
        return np.broadcast_to(np.asarray(f, dtype=float), columns[0].shape)

    def truth_on(self, X):
        """Return the law itself on other rows."""
        return self.values(self.true / self.unit, X)

    def fit(self, v, scale, good_enough):
        """Return the constants nearest to the values v, and the largest relative difference that remains."""

        def difference(u):
            return _bounded((self.values(u) - v) / scale)

        start = self.true / self.unit
        best = start, largest(difference(start))
        if len(start) == 0:
            return self.true, best[1]
        half = slice(None, len(v) // 2)  # the first half lies in the domain, where fewer local minima are
        rng = np.random.RandomState(0)
        for guess in (start, None, None):
            if guess is None:
                guess = start * np.exp(0.5 * rng.standard_normal(len(start)))
            if len(start) <= len(v[half]):
                guess = _levenberg_marquardt(lambda u: difference(u)[half], guess)
            u = _levenberg_marquardt(difference, guess)
            rest = largest(difference(u))
            settled = abs(rest - best[1]) < 1e-3 * rest  # two starts, one minimum
            if rest < best[1]:
                best = u, rest
            if best[1] <= good_enough or settled:
                break
        return best[0] * self.unit, best[1]

    def matches_scaled(self, theta, v, scale, tolerance):
        """Return whether alpha * member + beta equals the values v, with a part of it that counts."""
        start = theta / self.unit

        def solve(u):
            f = self.values(u)
            if not np.isfinite(f).all():
                return np.zeros(2), np.full_like(v, 1e10)
            A = np.column_stack([f, np.ones_like(f)]) / scale[:, None]  # (rows, 2)
            norm = np.linalg.norm(A, axis=0) + 1e-300
            ab = np.linalg.lstsq(A / norm, v / scale, rcond=None)[0] / norm
            return ab, _bounded(A @ ab - v / scale)

        for guess in (self.true / self.unit, start):
            u = _levenberg_marquardt(lambda u: solve(u)[1], guess) if len(guess) else guess
            (alpha, _), rest = solve(u)
            member = self.values(u)
            counts = np.ptp(alpha * member) > VANISHED * np.ptp(v) > 1e-9 * np.abs(v).max()
            if largest(rest) <= tolerance and counts and not self.lost(u * self.unit).any():
                return True
        return False

    def lost(self, theta):
        """Return which constants have vanished or run away, and with them a part of the law.

        Wien's limit is alpha times Planck's law for a constant that grows without bound, a straight line is
        alpha times log(x + c).
        """
        size = np.abs(theta / self.unit)
        return (size < VANISHED) | (size > 1 / VANISHED)


def _levenberg_marquardt(difference, start):
    from scipy.optimize import leastsq

    most = 20 * (len(start) + 1)  # evaluations; a family that fits does so in a few steps of len(start) + 1
    with np.errstate(all="ignore"):
        return np.atleast_1d(leastsq(difference, start, full_output=True, ftol=1e-8, xtol=1e-10, maxfev=most)[0])


def _bounded(difference):
    """Return the differences with 1e10 where a trial has no value, which leads the fit away from there."""
    return np.clip(np.where(np.isnan(difference), 1e10, difference), -1e10, 1e10)


def largest(difference):
    """Return the largest magnitude."""
    return float(np.max(np.abs(difference)))
