"""The search by default: as Algorithm 1, but each new expression has weights of its own, by least squares.

Samples are one-hot, so that each is a formula. Only the structure is trained, by the likelihood of the elites.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.many import ManyFits
from .elite import signatures
from .extraction import Form, extract
from .network import Architecture, Weights
from .presets import Settings
from .sampling import gumbel
from .training import Training

__all__ = ["RefittedTraining", "begin"]

VISITS = 8  # fits of one expression, from different weights, if it has numbers inside
STRETCH = 1.0  # from the second visit on, weights are times the exponential of normal numbers of this spread: by the
# first ones, near 1, no frequency of 2.2 would ever be found
FIT_STEPS, FIT_GAIN = 4, 1e-2  # of Levenberg-Marquardt for each new expression
MORE_STEPS, MORE_GAIN = 60, 1e-6  # for one that leads
LARGEST = 1e6  # weight that instances made of an elite begin with


class RefittedTraining(Training):
    """A search with refitted weights; parameters and attributes as of :class:`Training`, and:

    Parameters
    ----------
    parameters : callable
        How many fitted numbers a form needs: errors count as ``rows**(k/(2 rows))`` times as large for the repository,
        as in the Bayesian information criterion. (A sum node gives each structure a dozen terms, and with noise a dozen
        wrong ones do as well as the right four.)

    Attributes
    ----------
    elites : Repository
        With "edges", "w", "u", and "mae", the error itself.
    forms : dict of int to Form
        The formulas of the elites, by signature.
    seen : dict of int to int
        How often an expression was fitted.
    """

    parts = {"edges", "mae", "w", "u"}

    def __init__(
        self, architecture: Architecture, X, y, settings: Settings, sample_weight=None, seed: int = 0,
        parameters: Callable[[Form], int] = lambda form: 0,
    ):  # fmt: skip
        super().__init__(architecture, X, y, settings, sample_weight, seed)
        self.parameters, self.fits = parameters, ManyFits(X.T, y, sample_weight)
        self.forms: dict[int, Form] = {}
        self.seen: dict[int, int] = {}

    def forget(self) -> None:
        super().forget()
        self.forms.clear()
        self.seen.clear()

    def _sample(self, stage: int) -> tuple[np.ndarray, int]:
        """Hard instances with weights of their own: those of the elite as a start, then least squares."""
        s, architecture = self.settings, self.architecture
        ranks = self.elites.choose(s.instances, self.rng)
        labels = self._labels(ranks)
        noise = gumbel(self.rng, (s.instances, *self.z.shape))
        edges = np.argmax(np.where(architecture.real, self.z + noise, -np.inf), axis=2)
        weights = self._new_weights((s.instances,))
        if (ranks >= 0).any():
            known = np.maximum(ranks, 0)
            edges = np.where(labels, edges, self.elites.take("edges", known))
            w = np.where(labels, weights.w, self.elites.take("w", known))
            u = np.where((ranks < 0)[:, None, None], weights.u, self.elites.take("u", known))
            weights = Weights(w, u)
        keys = signatures(architecture, edges)
        chosen, forms, formulas = [], [], []
        for i, key in enumerate(keys.tolist()):
            visits = self.seen.get(key, 0)
            if visits >= VISITS:
                continue
            if visits:
                weights.w[i] *= np.exp(STRETCH * self.rng.standard_normal(architecture.rows))
            form = extract(architecture, edges[i], weights.take(i))
            self.seen[key] = visits + 1 if form is not None and len(form.owners) else VISITS
            if form is None or not form.bodies:
                continue
            chosen.append(i)
            forms.append(form)
            formulas.append(form.terms)
        if not chosen:
            return np.empty(0), 0
        _, errors, values, coefficients = self.fits(formulas, steps=FIT_STEPS, gain=FIT_GAIN)
        first = int(np.argmin(errors))
        if errors[first] < self.record:  # one that leads is worth an exact fit
            start = forms[first].fitted(values[first], coefficients[first]).terms
            _, found, better, theirs = self.fits([start], steps=MORE_STEPS, gain=MORE_GAIN)
            if found[0] <= errors[first]:
                errors[first], coefficients[first] = found[0], theirs[0]
                values[first, : better.shape[1]] = better[0]
        mae = np.where(np.isfinite(errors), errors, np.nan)
        errors, rows = mae.copy(), len(self.y)
        for row, (i, form) in enumerate(zip(chosen, forms, strict=True)):
            if np.isfinite(mae[row]):
                forms[row] = form.fitted(values[row], coefficients[row])
                self._take_back(weights, i, form, values[row])
                errors[row] *= rows ** (self.parameters(forms[row]) / (2 * rows))
        parts = {"edges": edges[chosen], "w": weights.w[chosen], "u": weights.u[chosen], "mae": mae}
        taken = self.elites.add(errors, keys[chosen], parts)
        for row in taken:
            self.forms[int(keys[chosen[row]])] = forms[row]
        if len(self.forms) > 4 * s.repository:
            known = self.elites.keys.tolist()  # after a restore the forms of the earlier ones are not known
            self.forms = {key: self.forms[key] for key in known if key in self.forms}
        return mae, len(taken)

    def _take_back(self, weights: Weights, instance: int, form: Form, values: np.ndarray) -> None:
        """The fitted numbers inside the terms become weights, so that instances made of this one begin there."""
        before, rows = form.terms.constants, self.architecture.rows
        for owner, old, new in zip(form.owners.tolist(), before.tolist(), values.tolist(), strict=False):
            place = (weights.w[instance], owner) if owner < rows else (weights.u[instance].reshape(-1), owner - rows)
            found = float(place[0][place[1]]) * (new / old) if old else math.inf
            if abs(found) < LARGEST:
                place[0][place[1]] = found

    def _likelihood_gradient(self, ranks: np.ndarray) -> np.ndarray:
        """Of the log probability of the elites' categories."""
        one_hot = np.eye(self.architecture.widest)[self.elites.take("edges", ranks)]
        return one_hot.mean(axis=0) - self.probabilities()

    def form(self, rank: int) -> Form | None:
        known = self.forms.get(int(self.elites.keys[rank]))
        return super().form(rank) if known is None else known

    def errors(self) -> dict[str, float]:
        return {"hard": float(self.elites.take("mae", np.array([0]))[0])} if len(self.elites) else {}

    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "seen": list(self.seen.items())}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.seen = {int(key): int(count) for key, count in state["seen"]}
        self.forms.clear()


def begin(
    architecture: Architecture, X, y, settings: Settings, sample_weight=None, seed: int = 0,
    parameters: Callable[[Form], int] = lambda form: 0,
) -> Training:  # fmt: skip
    """The training that the settings ask for."""
    if settings.refit:
        return RefittedTraining(architecture, X, y, settings, sample_weight, seed, parameters)
    return Training(architecture, X, y, settings, sample_weight, seed)
