"""Lesson 07: graph networks in training, recorded epoch by epoch, what their messages say, and what becomes of them.

Simulations, networks and fits are those of :mod:`srlib.distill.gnn`. The pictures are in :mod:`.forces_panels`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from srlib import EvolutionRegressor, Expression
from srlib.constants import refit
from srlib.distill import Distillation
from srlib.distill.gnn import (
    LAWS,
    Architecture,
    Epoch,
    Formulas,
    GraphNetwork,
    Graphs,
    Messages,
    Settings,
    distill_message,
    judge,
    read_messages,
    simulate,
    to_graphs,
    train,
)
from srlib.distill.gnn.messages import MessageTeacher, fit_trimmed

__all__ = [
    "INPUTS", "Moment", "Recording", "Setup", "data", "learn", "node_map", "record", "recording", "replaced",
    "same_form", "student",
]  # fmt: skip

SIMULATIONS, JUDGED = 200, 50  # of 100 graphs each, for training and for the numbers shown
STEPS, SHOWN = 60, 400  # of an epoch; messages of a scatter plot
INPUTS = {"relative and logarithms": "log", "raw, as in the document": "raw"}
TARGETS = ("force", "acceleration")


@dataclass(frozen=True)
class Setup:
    """A short training.

    Attributes
    ----------
    potential : str
        A name of :data:`srlib.distill.gnn.POTENTIALS`, or "hidden": that of exercise 7.6.
    variant : str
    loss : {"mae", "mse", "huber"}
    relative : bool
    alpha : float
        alpha_1, of the penalty on messages, for the variants that have one.
    inputs : {"log", "raw"}
        "raw": the inputs, the activation, the translations and the learning rate of document 002.
    epochs : int
    seed : int
    """

    potential: str = "spring"
    variant: str = "antisymmetric"
    loss: str = "mae"
    relative: bool = True
    alpha: float = 0.01
    inputs: str = "log"
    epochs: int = 10
    seed: int = 0

    @property
    def architecture(self) -> Architecture:
        if self.inputs == "raw":
            return Architecture(
                self.variant, edge_inputs="raw", node_inputs="full", activation="relu", seed=self.seed
            )
        return Architecture(self.variant, seed=self.seed)

    @property
    def settings(self) -> Settings:
        common = Settings(
            self.loss, self.relative, epochs=self.epochs, steps=STEPS, alpha=self.alpha, seed=self.seed
        )
        return replace(common, translate=3.0, learning_rate=1e-3) if self.inputs == "raw" else common

    @property
    def law(self) -> str:
        """The force over a linear map, for :func:`srlib.distill.gnn.judge`."""
        return self.potential if self.potential in LAWS else "q1*q2/r"


@dataclass(frozen=True)
class Moment:
    """What is to be seen of a training after an epoch."""

    number: int
    test_loss: float
    acpcr: float
    deviations: np.ndarray  # (components,)
    top: tuple[int, ...]
    values: np.ndarray  # (SHOWN, 2): messages
    expected: dict[str, np.ndarray]  # by target, (SHOWN, 2): the fitted line's
    r2: dict[str, float]  # by target, the worse of two, best 90 % of rows
    plain: dict[str, float]  # by target, all rows

    @property
    def concentration(self) -> float:
        """The share of the messages' variance in the top components."""
        variance = self.deviations**2
        return float(variance[list(self.top)].sum() / variance.sum()) if variance.any() else 0.0


@dataclass(frozen=True)
class Recording:
    """A training, epoch by epoch, and the formula of its most important message if there is one."""

    setup: Setup
    moments: tuple[Moment, ...]
    network: GraphNetwork
    learned: Distillation | None = None
    verdict: str = ""

    @property
    def last(self) -> Moment:
        return self.moments[-1]

    @property
    def target(self) -> str:
        """Which of F and F/m its messages are closer to in the end."""
        return max(TARGETS, key=self.last.r2.get)

    @cached_property
    def messages(self) -> Messages:
        """On the test graphs."""
        return read_messages(self.network, data(self.setup.potential)[1], 200)


@lru_cache(maxsize=6)
def data(potential: str) -> tuple[Graphs, Graphs]:
    """Graphs to train on, and those of other simulations."""
    if potential == "hidden":
        from ..exercises.lesson07 import hidden_potential

        law = hidden_potential()
    else:
        law = potential
    return tuple(to_graphs(simulate(law, count, random_state=(7, part)))
                 for part, count in enumerate((SIMULATIONS, JUDGED)))  # fmt: skip


def _moment(event: Epoch, test: Graphs) -> Moment:
    said = read_messages(event.network, test, 200)
    top, shown = said.top(), slice(None, None, max(1, len(said.values) // SHOWN))
    fits = {target: said.fit(target) for target in TARGETS}
    return Moment(
        event.number, event.test_loss, event.acpcr, event.deviations, top, said.values[shown][:, list(top)],
        {target: fit.expected(said.targets(target)[shown]) for target, fit in fits.items()},
        {target: float(fit.r2_trimmed.min()) for target, fit in fits.items()},
        {target: float(fit.r2.min()) for target, fit in fits.items()},
    )  # fmt: skip


def recording(setup: Setup, watch: Callable[[Recording], bool] | None = None) -> Recording:
    """Train; ``watch`` gets the recording after each epoch, and ends the training by answering something true."""
    known, test = data(setup.potential)
    moments: list[Moment] = []

    def observe(event: Epoch) -> bool:
        moments.append(_moment(event, test))
        return bool(watch(Recording(setup, tuple(moments), event.network))) if watch else False

    trained = train(known, setup.architecture, setup.settings, test=test, callbacks=[observe])
    return Recording(setup, tuple(moments), trained.network)


@lru_cache(maxsize=8)
def record(setup: Setup) -> Recording:
    """The whole training, kept for the next who asks."""
    return recording(setup)


def student(niterations: int = 4, **options) -> EvolutionRegressor:
    """The search that reads a message, shorter than that of ``python -m srlib.reproduce gnn``."""
    return EvolutionRegressor(
        niterations=niterations, unary_operators=("square", "cube"), maxsize=18, model_selection="score",
        random_state=0, **options,
    )  # fmt: skip


def learn(made: Recording, component: int | None = None, callbacks=()) -> Recording:
    """The recording with the formula of a message, by default the most important one, and whether that is the law."""
    learned = distill_message(made.messages, component, student(callbacks=callbacks), rows=400)
    return replace(made, learned=learned, verdict=judge(made.setup.law, learned, made.target).verdict)


# ---------------------------------------------------------------- formulas in the place of the network


def same_form(read: Recording, component: int) -> tuple[Expression, float]:
    """The formula that was read, its constants fitted to another component of the messages, and its R2 on fresh pairs.

    Rows weigh as in :func:`srlib.distill.gnn.distill_message`.
    """
    teacher, learned = MessageTeacher(read.network, component), read.learned
    y, fresh = teacher(learned.X), teacher(learned.fresh)
    size = np.abs(y)
    columns, fresh_columns = (np.asarray(learned.see(X), dtype=float).T for X in (learned.X, learned.fresh))
    formula = refit(learned.best(), list(columns), y, (1 + size / np.median(size)) ** -2.0)
    return formula, float(1 - np.mean((fresh - formula.evaluate(fresh_columns.T)) ** 2) / np.var(fresh))


def node_map(made: Recording) -> tuple[np.ndarray, float]:
    """The node model as a linear map C of the summed messages over the mass: C, shape (2, 2), and the R2 of that.

    For a network whose messages are antisymmetric, and have no offset. It is asked on the test graphs, and the map is
    fitted on the best 90 % of particles, as messages are; the R2 is the worse one of the two components.
    """
    import torch

    test = data(made.setup.potential)[1].pick(500, 0)
    with torch.no_grad():
        states = made.network.tensor(test.states)
        sums = made.network.messages(states).unflatten(1, (test.n, test.n - 1)).sum(dim=2)
        told = made.network(states).double().numpy().reshape(-1, 2)
    over_mass = sums.double().numpy().reshape(-1, 2) / test.states[..., -1].reshape(-1, 1)
    fits = [fit_trimmed(over_mass, told[:, k]) for k in range(2)]
    return np.stack([fit[0] for fit in fits]), min(fit[3] for fit in fits)


def replaced(made: Recording, messages: tuple[Expression, ...]) -> Formulas:
    """The network written out: its messages as the given formulas, its node model as a linear map over the mass."""
    C = node_map(made)[0][:, list(made.last.top)]
    nodes = tuple(
        Expression.parse(f"({x:.6g}*e1 + {y:.6g}*e2)/m", names=("e1", "e2", "q", "m")) for x, y in C
    )
    return Formulas(messages, nodes)
