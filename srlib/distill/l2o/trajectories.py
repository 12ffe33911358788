"""What an optimiser did, as a table: features of the gradient's history, and the update that it made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from ...eql.search import one_torch_thread
from ...estimator import SymbolicRegressor
from ...expression import Expression
from ...validation import check_number
from ..student import Distillation, agreement, distill
from .features import Features
from .optimizees import Optimizees
from .rules import Rule
from .unroll import steps_of

__all__ = ["DOCUMENT_OPERATORS", "Trajectories", "record"]

#: Unary and binary operators of document 001's symbolic regression, for EvolutionRegressor; ``relu``, ``erfc`` and
#: comparison are left out.
DOCUMENT_OPERATORS = {
    "binary_operators": ["+", "-", "*", "/", "spow(x, y) = sign(x) * abs(x)**y"],
    "unary_operators": [
        "tanh", "asinh", "sinh", "exp", "square", "cube", "abs", "sign", "logm(x) = log(abs(x) + 1e-8)",
        "sqrtm(x) = sqrt(abs(x))",
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Trajectories:
    """Rows of features and updates.

    Attributes
    ----------
    names : tuple of str
        The features; see :mod:`srlib.distill.l2o.features`.
    X : ndarray, shape (rows, features)
    y : ndarray, shape (rows,)
        The rule's update before scaling.
    optimizee, step : ndarray of int, shape (rows,)
        Where each row comes from.
    beta1, beta2 : float
        Of the features.
    """

    names: tuple[str, ...]
    X: np.ndarray = field(repr=False)
    y: np.ndarray = field(repr=False)
    optimizee: np.ndarray = field(repr=False)
    step: np.ndarray = field(repr=False)
    beta1: float = 0.95
    beta2: float = 0.95

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, which: np.ndarray) -> Trajectories:
        """Some of the rows, by a mask or by their numbers."""
        parts = (part[which] for part in (self.X, self.y, self.optimizee, self.step))
        return Trajectories(self.names, *parts, self.beta1, self.beta2)

    def only(self, names: Sequence[str]) -> Trajectories:
        """Some of the features."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise ValueError(f"names has {missing[0]!r}, which was not recorded: choose from {', '.join(self.names)}")
        X = self.X[:, [self.names.index(name) for name in names]]
        return Trajectories(tuple(names), X, self.y, self.optimizee, self.step, self.beta1, self.beta2)

    def split(self, share: float = 0.25) -> tuple[Trajectories, Trajectories]:
        """To train on, and held out: the last ``share`` of the **optimizees**, at least one.

        Rows of one trajectory resemble each other, so that a random split of rows would test nothing.
        """
        check_number("share", share, above=0)
        every = np.unique(self.optimizee)
        count = max(1, round(share * len(every)))
        if count >= len(every):
            raise ValueError(f"share is {share!r} of {len(every)} optimizees: record more, or hold out fewer")
        held = np.isin(self.optimizee, every[-count:])
        return self.rows(~held), self.rows(held)

    def sample(self, count: int, seed: int = 0) -> Trajectories:
        """So many rows at random (all, if there are no more)."""
        return self.rows(np.sort(np.random.default_rng(seed).permutation(len(self))[:count]))

    def r2(self, formula: Expression) -> float:
        """R2 of a formula over the features; minus infinity if a value is not finite.

        Raises
        ------
        ValueError
            If the formula uses a feature that was not recorded.
        """
        if formula.names is None:  # its columns are ours
            return agreement(self.y, formula.evaluate(self.X))[0]
        X = np.zeros((len(self), len(formula.names)))
        for j in formula.features:
            X[:, j] = self.only([formula.names[j]]).X[:, 0]
        return agreement(self.y, formula.evaluate(X))[0]

    def distill(
        self, student: SymbolicRegressor | None = None, held_out: Trajectories | None = None,
        random_state: int | None = None,
    ) -> Distillation:  # fmt: skip
        """Teach the updates to a formula (:func:`srlib.distill.distill`); by default one fourth is held out.

        An LSTM's update is no function of a row alone, so that the teacher answers with what was recorded.
        """
        train, held = self.split() if held_out is None else (self, held_out.only(self.names))
        recorded = np.concatenate([train.y, held.y])
        numbers = np.arange(len(recorded))[:, None]  # the first column tells the teacher which row is meant
        given = np.hstack([numbers, np.concatenate([train.X, held.X])])
        return distill(
            lambda X: recorded[X[:, 0].astype(int)], given[: len(train)], student, names=self.names,
            inputs=lambda X: X[:, 1:], fresh=given[len(train) :], random_state=random_state,
        )  # fmt: skip


@one_torch_thread()
def record(
    rule: Rule, optimizees: Optimizees, steps: int, names: Sequence[str] | None = None, *, coordinates: int = 40,
    every: int = 1, idle: bool = True, beta1: float | None = None, beta2: float | None = None, eps: float | None = None,
    seed: int = 0, schedule=None,
) -> Trajectories:  # fmt: skip
    """Run a rule and write down what it does.

    Parameters
    ----------
    rule : Rule
    optimizees : Optimizees
    steps : int
    names : sequence of str, optional
        Features to record; by default those that the rule sees.
    coordinates : int
        Of each optimizee, at random among those whose gradient is not always 0.
    every : int
        Rows are kept of each so-many-th step.
    idle : bool
        Whether rows whose gradient is exactly 0 are kept: weights of pixels that are black, of units that are off. The
        step's loss does not see such a weight, but later ones do when its pixel or unit is on again. So meta-training
        says little about these updates, though not nothing, and a rule that is used makes them all the same.
    beta1, beta2, eps : float, optional
        Of the recorded features; by default the rule's.
    seed : int
        Of the coordinates.
    schedule : callable, optional
        See :func:`~srlib.distill.l2o.steps_of`.

    Returns
    -------
    Trajectories
        Rows of optimizees that diverged end where they were stopped.

    Raises
    ------
    ValueError
        If nothing remains.
    """
    check_number("coordinates", coordinates, least=1, whole=True)
    check_number("every", every, least=1, whole=True)
    own = rule.features
    features = Features(
        own.names if names is None else names, own.beta1 if beta1 is None else beta1,
        own.beta2 if beta2 is None else beta2, own.eps if eps is None else eps,
    )  # fmt: skip
    count, size = optimizees.start.shape
    random = np.random.default_rng(seed)
    chosen = torch.from_numpy(np.stack([random.permutation(size) for _ in range(count)]))[:, : 4 * coordinates]
    state = features.start(optimizees.start.gather(1, chosen))
    tables, moved = [], torch.zeros(chosen.shape, dtype=torch.bool)
    for step in steps_of(rule, optimizees, steps, schedule=schedule):
        gradients = step.gradients.gather(1, chosen)
        moved |= gradients != 0
        columns, state = features(gradients, state, step.t)
        if step.t % every == 0:
            columns = torch.stack([column.expand_as(gradients) for column in columns], dim=-1)
            counts = ~step.diverged[:, None] & (idle | (gradients != 0))  # (optimizees, coordinates)
            tables.append((step.t, columns, step.updates.gather(1, chosen), counts))
    kept = moved & (moved.cumsum(dim=1) <= coordinates)  # (optimizees, coordinates)
    parts: list[tuple] = []
    for t, columns, updates, counts in tables:
        now = kept & counts
        parts.append((columns[now], updates[now], now.nonzero()[:, 0], torch.full((int(now.sum()),), t)))
    X, y, optimizee, step = (torch.cat(part).numpy() for part in zip(*parts, strict=True)) if parts else ([],) * 4
    if not len(y):
        raise ValueError("nothing was recorded: all optimizees diverged at once, or their gradients are all 0")
    return Trajectories(
        features.names, X.astype(np.float64), y.astype(np.float64), optimizee, step, features.beta1, features.beta2
    )
