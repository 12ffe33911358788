"""`recovers`: is this formula the law behind the data? One rule for every method and every problem.

A formula may be written in many ways, and its constants are fitted, so that comparing texts or simplifying a
difference is no test. Instead the *family* of the law, its form with free constants, is fitted to the noise-free
values of the candidate, on a domain wider than the data. A candidate of the right form is matched to rounding error;
anything else, however well it fits the data, is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .expression import Expression
from .problems.family import Family, largest

if TYPE_CHECKING:
    from .problems import Problem

__all__ = ["Recovery", "recovers"]

NOT_FINITE = 0.1  # the share of points that may overflow: exp(h nu/kT) in Planck's law does so on 3 % of its domain
FLOOR = 0.01  # below this fraction of a candidate's spread, differences count as if its value were not smaller
AS_GOOD = 1.5  # on noisy data, constants agree whose rmse is at most this many times that of the best ones …
GOOD_ENOUGH = 0.04  # … or this fraction of the target's standard deviation, where the best ones leave almost nothing


@dataclass(frozen=True)
class Recovery:
    """The verdict on a candidate; true in a condition if the law is recovered.

    Attributes
    ----------
    verdict : {"recovered", "almost", "no", "failed"}
        "almost": the form is right up to a constant factor or offset, or its constants are wrong. "failed": the
        candidate has no finite values.
    residual : float
        The largest relative difference between the candidate and the nearest member of the family.
    constants : dict
        That member's free constants.
    message : str
        The reason, in a sentence.
    """

    verdict: str
    residual: float
    constants: dict[str, float] = field(default_factory=dict)
    message: str = ""

    def __bool__(self) -> bool:
        return self.verdict == "recovered"

    def __str__(self) -> str:
        return f"{self.verdict}: {self.message}"


def recovers(
    candidate: Any, problem: Problem, tolerance: float = 1e-6, constants: float = 1e-2, points: int = 200
) -> Recovery:
    """Decide whether a candidate is the law behind a problem.

    The candidate is evaluated on `points` points that cover the problem's domain and as many on its extrapolation
    domain. The free constants of the law's family are fitted to these values by Levenberg-Marquardt. Then it is

    - *recovered* if the largest relative difference is at most `tolerance` **and** the constants are right: within
      `constants` of the true ones where data are noise-free, otherwise none of them lost and the problem's data
      explained about as well as by the best constants;
    - *almost* if only the constants are wrong, or if ``alpha * law + beta`` matches;
    - *no* otherwise, *failed* if the candidate has no finite value.

    Parameters
    ----------
    candidate : Expression, str, sympy expression, estimator with predict, or callable
        Text and sympy name the columns as the problem does. An Expression that has other names goes by column order.
    problem : Problem
        From `srlib.problems`.
    tolerance : float
        Rearranged formulas differ by at most 1e-9 here, a fitted exponent of 2.999 or a Taylor polynomial by more
        than 1e-4; the default lies in the gap between.
    constants : float
        Relative; used where the problem is noise-free. Constants with the same values everywhere (a phase plus 2 pi)
        are right whatever they are.
    points : int
        Points on each of the two domains.

    Returns
    -------
    Recovery

    Raises
    ------
    ValueError
        If the text cannot be parsed or the candidate uses columns that the problem lacks.

    Notes
    -----
    Points on which the law itself has no value are not used. Up to a tenth of the others may overflow in the
    candidate: log(exp(z) - 1) is right, although float64 gives infinity beyond z = 709. The verdicts are those of
    EmpiricalBench (arXiv 2305.01582), which were given by eye.

    Examples
    --------
    >>> from srlib import problems
    >>> recovers("366*a*sqrt(a)", problems.load("kepler")).verdict
    'recovered'
    >>> recovers("366*a**1.4", problems.load("kepler")).verdict
    'no'
    """
    for name, value in (("tolerance", tolerance), ("constants", constants)):
        if not (np.isscalar(value) and np.isfinite(value) and value > 0):
            raise ValueError(f"{name}={value!r}: must be a positive number")
    if isinstance(points, bool) or not isinstance(points, int | np.integer) or points < 2:
        raise ValueError(f"points={points!r}: must be a whole number of at least 2")
    if not hasattr(problem, "family"):
        raise ValueError(f"problem={problem!r}: give a Problem, such as srlib.problems.load('hubble')")
    predict = _predictor(candidate, problem)
    X = [problem.points(points, where) for where in ("domain", "extrapolation")]
    v = predict(np.concatenate(X))  # (2 * points,)
    finite = np.isfinite(v)
    if not finite.any():
        return Recovery("failed", np.inf, message="the candidate has no finite value on the domain")
    lost = 1 - finite.mean()
    if lost > NOT_FINITE:
        return Recovery("no", np.inf, message=f"the candidate is not finite on {lost:.0%} of the points")

    family = Family(problem, np.concatenate(X)[finite])
    scale = _scale(v, family.truth_on(np.concatenate(X)), points)[finite]  # (finite points,)
    v = v[finite]
    theta, residual = family.fit(v, scale, tolerance)
    fitted = dict(zip(problem.parameters, theta.tolist(), strict=True))
    note = f", {lost:.1%} of the points left out because it overflows" if lost else ""
    reason = f"differs from every form of the law by up to {residual:.1e}"
    if residual <= tolerance:
        wrong = _wrong_constants(theta, family, predict, problem, constants, v, scale, tolerance)
        if not wrong:
            return Recovery("recovered", residual, fitted, f"differs from the law by {residual:.1e} at most{note}")
        if not family.lost(theta).any():
            return Recovery("almost", residual, fitted, f"the form is right, but {wrong}{note}")
        reason = f"a part of the law is missing: {wrong}"
    if family.matches_scaled(theta, v, scale, tolerance):
        return Recovery("almost", residual, fitted, f"right up to a constant factor or offset{note}")
    return Recovery("no", residual, fitted, reason + note)


def _wrong_constants(theta, family, predict, problem, tolerance, v, scale, exact):
    """Return what is wrong with the constants of a candidate whose form is right, or an empty text."""
    names = list(problem.parameters)
    if problem.noise_free:
        if largest((family.values(family.true / family.unit) - v) / scale) <= exact:
            return ""
        off = np.abs(theta - family.true) / np.abs(family.unit)
        worst = int(np.argmax(off)) if len(off) else 0
        if len(off) == 0 or off[worst] <= tolerance:
            return ""
        return f"{names[worst]} is {theta[worst]:.6g} instead of {family.true[worst]:.6g}"
    lost = np.flatnonzero(family.lost(theta) | (theta * family.true < 0))
    if len(lost):
        return f"{names[lost[0]]} is {theta[lost[0]]:.6g}, where the law has {family.true[lost[0]]:.6g}"
    # the data themselves say how well their constants are known
    data = Family(problem, problem.X)
    prediction = predict(problem.X)
    ok = np.isfinite(prediction)
    spread = np.std(problem.y) or 1.0
    best, _ = data.fit(problem.y, np.full(len(problem.y), spread), np.inf)
    error = np.sqrt(np.mean((prediction - problem.y)[ok] ** 2))
    least = np.sqrt(np.mean((data.values(best / data.unit) - problem.y)[ok] ** 2))
    if error <= max(AS_GOOD * least, GOOD_ENOUGH * spread):
        return ""
    return f"on the data its rmse is {error:.3g}; with the best constants it would be {least:.3g}"


def _scale(v, truth, points):
    """Return for each point what a difference is compared with: the value there, or a share of the spread."""
    scale = np.abs(np.where(np.isfinite(v), v, 0.0))
    for half in (slice(None, points), slice(points, None)):
        known = v[half][np.isfinite(v[half])]
        # quantiles, because a pole or an overflow may put one point decades above the others
        low, high = np.quantile(known, [0.05, 0.95]) if len(known) else (0.0, 0.0)
        floor = max(FLOOR * min(high / 2 - low / 2, 1e300) * 2, 1e-9 * np.abs(truth[half]).max(), 1e-300)
        scale[half] = np.maximum(scale[half], floor)
    return scale


def _predictor(candidate, problem):
    """Return the function of X that a candidate stands for."""
    if isinstance(candidate, str):
        candidate = Expression.parse(candidate, names=problem.names)
    elif hasattr(candidate, "free_symbols"):
        candidate = Expression.from_sympy(candidate, names=problem.names)
    if isinstance(candidate, Expression):
        order = list(range(len(problem.names)))
        if candidate.names and set(candidate.names) == set(problem.names):
            order = [problem.names.index(name) for name in candidate.names]

        def function(X):
            return candidate.evaluate(X[:, order])

    elif hasattr(candidate, "predict"):
        function = candidate.predict
    elif callable(candidate):
        function = candidate
    else:
        raise ValueError(
            f"candidate={candidate!r}: give an Expression, text, a sympy expression, "
            "a fitted estimator or a function of X"
        )

    def predict(X):
        with np.errstate(all="ignore"):
            v = np.asarray(function(X), dtype=float)
        if v.shape in ((len(X), 1), ()):
            v = np.broadcast_to(v.reshape(-1), (len(X),))
        if v.shape != (len(X),):
            raise ValueError(f"the candidate gives shape {v.shape} for {len(X)} rows: it must give one value a row")
        return v

    return predict
