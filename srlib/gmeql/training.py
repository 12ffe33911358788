"""Algorithm 1: two stages of training, guided by an elite repository (document 004, section 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .elite import Repository, signatures
from .extraction import Form, extract
from .network import Architecture, Weights, backward, forward, mixing
from .presets import Settings
from .sampling import density_gradient, gumbel, match_gradient, one_hot, probabilities, relaxed, relaxed_gradient

__all__ = ["Adam", "Step", "Training", "plain"]

GAIN = 0.98  # times the best error: what counts as progress
LOOK_ALIKE = 1e-9  # of the target's standard deviation: from here on look-alikes get better for ever, as frequencies of
# theirs go to 0, and that is no progress


class Adam:
    """D. Kingma and J. Ba 2014 (arXiv 1412.6980), with its usual constants."""

    def __init__(self, shape, learning_rate: float):
        self.m, self.v, self.t, self.learning_rate = np.zeros(shape), np.zeros(shape), 0, learning_rate

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """What to subtract from the parameters."""
        self.t += 1
        self.m += 0.1 * (gradient - self.m)
        self.v += 0.001 * (gradient * gradient - self.v)
        root = np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8
        return self.learning_rate / (1 - 0.9**self.t) * self.m / root


@dataclass(frozen=True)
class Step:
    """What a step of training did.

    Attributes
    ----------
    number, stage : int
    errors : ndarray, shape (measured instances,)
        Mean absolute errors; NaN for an instance that was dropped.
    taken : int
        How many instances the repository took.
    improved : bool
        Whether one is better than all before.
    """

    number: int
    stage: int
    errors: np.ndarray
    taken: int
    improved: bool


class Training:
    """A network in training, with its repository.

    Parameters
    ----------
    architecture : Architecture
    X : ndarray, shape (rows, features)
    y : ndarray, shape (rows,)
    settings : Settings
    sample_weight : ndarray, shape (rows,), optional
    seed : int

    Attributes
    ----------
    z : ndarray, shape (rows, widest)
        Structure parameters.
    weights : Weights
        Regression parameters.
    elites : Repository
        With "edges", "log_V", "w" and "u".
    number : int
        Steps done.
    dropped : int
        Instances without a finite value in some row, so far.
    """

    parts = {"edges", "log_V", "w", "u"}  # of an elite

    def __init__(self, architecture: Architecture, X, y, settings: Settings, sample_weight=None, seed: int = 0):
        self.architecture, self.settings = architecture, settings
        self.X = np.vstack([np.ascontiguousarray(X.T), np.ones(len(y))])  # (features + 1, rows)
        self.y = y
        self.share = np.full(len(y), 1 / len(y)) if sample_weight is None else sample_weight / sample_weight.sum()
        self.floor = LOOK_ALIKE * float(np.std(y))
        self.rng = np.random.default_rng(seed)
        self.elites = Repository(settings.repository, settings.exponent)
        self.number = self.dropped = self.measured = self.restarts = 0
        self.best, self.record, self.idle = math.inf, math.inf, 0
        self._initialise()

    # ------------------------------------------------------------ parameters

    def _initialise(self) -> None:
        s, architecture = self.settings, self.architecture
        self.z = np.where(architecture.real, s.z_spread * self.rng.standard_normal(architecture.real.shape), 0.0)
        self.weights = self._new_weights(())
        rate = s.learning_rate
        self.online = {
            "z": Adam(self.z.shape, rate), "w": Adam(self.weights.w.shape, rate), "u": Adam(self.weights.u.shape, rate),
        }  # fmt: skip
        self.offline = Adam(self.z.shape, rate)

    def _new_weights(self, shape: tuple[int, ...]) -> Weights:
        s, architecture = self.settings, self.architecture
        w = s.w_center + s.w_spread * self.rng.standard_normal((*shape, architecture.rows))
        u = s.w_center + s.w_spread * self.rng.standard_normal((*shape, len(architecture.sums), architecture.widest))
        return Weights(w, u * architecture.real[architecture.sums])

    def probabilities(self) -> np.ndarray:
        """How likely each connection instance is, shape (rows, widest); the rows of sums mean nothing."""
        return probabilities(self.z, self.architecture.real)

    @property
    def stage(self) -> int:
        """Of the next step."""
        return 1 if self.number < self.settings.rounds * self.settings.steps else 2

    # ------------------------------------------------------------ one step

    def step(self) -> Step:
        """Sample, measure, keep the best, train."""
        s, first = self.settings, self.settings.rounds * self.settings.steps
        if s.patience and self.idle >= s.patience:  # only now, so that the caller has seen the elites of the last step
            self._restart()
        if (self.number < first and self.number % s.steps == 0) or self.number == first:
            self._initialise()
        stage, before = self.stage, self.best
        errors, taken = self._sample(stage)
        if s.offline and stage == 2:
            self._train_offline()
        np.clip(self.z, -s.z_limit, s.z_limit, out=self.z)
        self.number += 1
        self.measured += len(errors)
        self.dropped += int(np.isnan(errors).sum())
        if len(self.elites) and self.elites.errors[0] < GAIN * self.record and self.record > self.floor:
            self.record, self.idle = self.elites.errors[0], 0
        else:
            self.idle += 1
        self.best = min(before, self.elites.errors[0] if len(self.elites) else math.inf)
        return Step(self.number, stage, errors, taken, self.best < before)

    def _restart(self) -> None:
        self.forget()
        self._initialise()
        self.restarts += 1

    def forget(self) -> None:
        """Empty the repository, as one must for other data: its errors are those on the earlier ones."""
        self.elites.clear()
        self.record, self.idle = math.inf, 0

    def _labels(self, ranks: np.ndarray) -> np.ndarray:
        """Which connections are sampled anew, shape (instances, rows): a share of them, all where no elite guides."""
        structural = self.architecture.structural
        count = max(1, round(self.settings.resampled * len(structural)))
        labels = np.zeros((len(ranks), self.architecture.rows), bool)
        order = np.argpartition(self.rng.random((len(ranks), len(structural))), count - 1, axis=1)
        np.put_along_axis(labels, structural[order[:, :count]], True, axis=1)
        labels[ranks < 0] = True
        return labels

    def _sample(self, stage: int) -> tuple[np.ndarray, int]:
        """Instances of the network with its shared weights, and online training."""
        s, architecture, real = self.settings, self.architecture, self.architecture.real
        ranks = self.elites.choose(s.instances, self.rng)
        labels = self._labels(ranks)
        log_V = relaxed(self.z, gumbel(self.rng, (s.instances, *self.z.shape)), s.temperature, real)
        if (ranks >= 0).any():
            copied = self.elites.take("log_V", np.maximum(ranks, 0))
            log_V = np.where(labels[:, :, None], log_V, copied)
        V = np.exp(log_V)
        used = V if s.samples == "soft" else one_hot(log_V)
        output, tape = forward(architecture, mixing(architecture, used, self.weights), self.X)
        residuals = output - self.y
        errors = np.abs(residuals) @ self.share  # (instances,)
        errors[~np.isfinite(errors)] = np.nan
        edges = np.argmax(log_V, axis=2)
        w, u = (np.broadcast_to(one, (s.instances, *one.shape)) for one in (self.weights.w, self.weights.u))
        parts = {"edges": edges, "log_V": log_V, "w": w, "u": u}
        taken = len(self.elites.add(errors, signatures(architecture, edges), parts))
        valid = np.isfinite(errors)
        if valid.any():
            slopes = np.where(valid[:, None], np.sign(residuals), 0.0) * self.share / valid.sum()
            self._train_online(stage, V, used, backward(architecture, tape, slopes), labels)
        return errors, taken

    def _train_online(self, stage: int, V, used, dA, labels) -> None:
        s = self.settings
        dV = dA * self.weights.w[:, None]
        dz = np.sum(relaxed_gradient(V, dV, s.temperature) * labels[:, :, None], axis=0)
        dz[self.architecture.sums] = 0.0
        gradients = {"z": dz}
        if stage == 2:
            gradients["w"] = np.einsum("irm,irm->r", dA, used)
            gradients["u"] = dA[:, self.architecture.sums].sum(axis=0)
        steps = {name: self.online[name].step(_clipped(one, s.clip)) for name, one in gradients.items()}
        self.z = self.z - steps["z"]
        if stage == 2:
            self.weights = Weights(self.weights.w - steps["w"], self.weights.u - steps["u"])

    def _train_offline(self) -> None:
        """Structure parameters towards those that would sample the elites."""
        ranks = self.elites.choose_known(self.settings.batch, self.rng)
        if len(ranks) == 0:
            return
        gradient = self._likelihood_gradient(ranks) * self.architecture.real
        gradient[self.architecture.sums] = 0.0
        self.z = self.z - self.offline.step(_clipped(-gradient, self.settings.clip))

    def _likelihood_gradient(self, ranks: np.ndarray) -> np.ndarray:
        """Of the log density of these elites by z, or what equation 11 puts in its place."""
        rule = density_gradient if self.settings.offline == "density" else match_gradient
        log_V = self.elites.take("log_V", ranks)
        return rule(self.z, log_V, self.settings.temperature, self.architecture.real).mean(axis=0)

    # ------------------------------------------------------------ answers

    def form(self, rank: int) -> Form | None:
        """The formula of an elite, made hard; None where it has no finite number."""
        at = np.array([rank])
        edges, w, u = (self.elites.take(name, at)[0] for name in ("edges", "w", "u"))
        return extract(self.architecture, edges, Weights(w, u))

    def errors(self) -> dict[str, float]:
        """Mean absolute errors of the best instance: "soft" as its mixture, "hard" with its connections one-hot."""
        if len(self.elites) == 0:
            return {}
        at = np.array([0])
        V = one_hot(self.elites.take("log_V", at))
        weights = Weights(self.elites.take("w", at), self.elites.take("u", at))
        output, _ = forward(self.architecture, mixing(self.architecture, V, weights), self.X)
        found = {"hard": float(np.abs(output[0] - self.y) @ self.share)}
        return found if self.settings.samples == "hard" else {"soft": float(self.elites.errors[0]), **found}

    # ------------------------------------------------------------ state

    def snapshot(self) -> dict[str, Any]:
        """All from which :meth:`restore` goes on exactly here; :func:`plain` makes it fit for JSON."""
        adams = {**self.online, "offline": self.offline}
        return {
            "layers": [list(names) for names in self.architecture.functions],
            "number": self.number, "dropped": self.dropped, "measured": self.measured, "restarts": self.restarts,
            "record": [self.best, self.record, self.idle], "rng": self.rng.bit_generator.state,
            "z": self.z.copy(), "w": self.weights.w.copy(), "u": self.weights.u.copy(),
            "adam": {name: [one.m.copy(), one.v.copy(), one.t] for name, one in adams.items()},
            "elites": self.elites.snapshot(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a :meth:`snapshot` of the same architecture and settings."""
        self.number, self.dropped = int(state["number"]), int(state["dropped"])
        self.measured, self.restarts = int(state["measured"]), int(state["restarts"])
        self.best, self.record, self.idle = state["record"]
        self.rng.bit_generator.state = state["rng"]
        kept = set(state["elites"]["kept"])
        if kept and kept != self.parts:
            raise ValueError(
                "the earlier fit's preset was another kind (refit): give the same, or fit with warm_start=False"
            )
        if [tuple(names) for names in state["layers"]] != [*self.architecture.functions]:
            raise ValueError(
                f"the earlier fit's network had the layers {state['layers']}: give the same, or fit with "
                "warm_start=False"
            )
        self.z = np.array(state["z"], float)
        shapes = self.weights.w.shape, self.weights.u.shape
        self.weights = Weights(*(np.array(state[name], float).reshape(s) for name, s in zip("wu", shapes, strict=True)))
        for name, (m, v, t) in state["adam"].items():
            adam = self.offline if name == "offline" else self.online[name]
            adam.m, adam.v, adam.t = np.reshape(m, adam.m.shape), np.reshape(v, adam.v.shape), int(t)
        self.elites.restore(state["elites"])


def plain(value):
    """A snapshot with lists in the place of arrays."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _clipped(gradient: np.ndarray, limit: float) -> np.ndarray:
    return np.clip(np.nan_to_num(gradient, nan=0.0), -limit, limit)
