"""The whole network replaced by formulas, and simulators against the truth.

Each component of the messages that counts becomes a formula of the pair, and each component of the acceleration a
formula of the summed messages and the particle's mass and charge. Together they are a simulator without a network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from scipy.optimize import least_squares

from ...estimator import SymbolicRegressor
from ...expression import Expression
from ..student import Distillation, distill
from .graphs import Graphs, edges
from .messages import Messages, distill_message, message_table, share_weights
from .network import GraphNetwork
from .particles import Particles, accelerations, integrate
from .potentials import read_potential

__all__ = ["Formulas", "Rollout", "distill_network", "distill_node", "rollout"]


@dataclass(frozen=True)
class Formulas:
    """A graph network written out.

    Attributes
    ----------
    messages : tuple of Expression
        Over dx, dy (dz), r, m1, m2 (q1, q2).
    nodes : tuple of Expression
        The acceleration's components, over e1, e2, … (the summed messages), q and m.
    softening : float
    learned : tuple of Distillation
        How the messages, then the nodes, were found.
    """

    messages: tuple[Expression, ...]
    nodes: tuple[Expression, ...]
    softening: float = 0.01
    learned: tuple[Distillation, ...] = field(default=(), repr=False)

    def acceleration(self, x, v, q, m) -> np.ndarray:
        """For :func:`srlib.distill.gnn.integrate`, shape (simulations, n, dim)."""
        n = x.shape[1]
        receivers, senders = edges(n)
        states = np.concatenate([x, v, q[..., None], m[..., None]], axis=2)
        pair = np.concatenate([states[:, receivers], states[:, senders]], axis=2)
        table = message_table(pair.reshape(-1, pair.shape[2]), self.softening)
        sums = [
            one.evaluate(table[list(one.names)].to_numpy()).reshape(len(x), n, n - 1).sum(axis=2).ravel()
            for one in self.messages
        ]
        seen = np.column_stack([*sums, q.ravel(), m.ravel()])
        return np.stack([one.evaluate(seen).reshape(q.shape) for one in self.nodes], axis=2)

    @property
    def constants(self) -> np.ndarray:
        """Of all formulas, messages first."""
        return np.concatenate([one.constants for one in (*self.messages, *self.nodes)])

    def with_constants(self, values) -> Formulas:
        """The same formulas with other constants, in the order of :attr:`constants`."""
        formulas = (*self.messages, *self.nodes)
        own = np.split(np.asarray(values, dtype=float), np.cumsum([len(one.constants) for one in formulas])[:-1])
        changed = [one.with_constants(numbers) for one, numbers in zip(formulas, own, strict=True)]
        return replace(self, messages=tuple(changed[: len(self.messages)]), nodes=tuple(changed[len(self.messages) :]))

    def refit(self, graphs: Graphs, rows: int = 400, random_state: int | None = 0) -> Formulas:
        """All constants together, by least squares on known accelerations; errors count relative to 1 + |a|.

        Each formula alone was fitted to what a network says, and the errors of messages and nodes add up.

        Parameters
        ----------
        graphs : Graphs
        rows : int
            At most so many graphs, drawn by ``random_state``.
        """
        if len(self.constants) == 0:
            return self
        graphs, dim = graphs.pick(min(rows, len(graphs)), random_state), graphs.dim
        x, v, q, m = np.split(graphs.states, [dim, 2 * dim, 2 * dim + 1], axis=2)
        known, start = graphs.accelerations, self.constants
        scale = 1 + np.linalg.norm(known, axis=2, keepdims=True)

        def residual(values):
            with np.errstate(all="ignore"):
                told = self.with_constants(values).acceleration(x, v, q[..., 0], m[..., 0])
            return np.nan_to_num((told - known) / scale, nan=1e6, posinf=1e6, neginf=-1e6).ravel()

        found = least_squares(residual, start, x_scale=np.maximum(np.abs(start), 1e-3), max_nfev=100)
        return self.with_constants(found.x) if found.cost < 0.5 * np.sum(residual(start) ** 2) else self


def distill_node(
    said: Messages, graphs: Graphs, student: SymbolicRegressor | None = None, *, rows: int = 600,
    random_state: int | None = 0,
) -> Distillation:  # fmt: skip
    """The node model as formulas of the summed messages that count, charge and mass; an output for each dimension.

    Components of the messages that do not count are kept at 0, and a state that the node model sees besides at rest in
    the origin.
    """
    network, top = said.network, said.top()
    graphs = graphs.pick(max(2, -(-2 * rows // graphs.n)), random_state)
    with torch.no_grad():
        states = network.tensor(graphs.states)
        total = network.messages(states).unflatten(1, (graphs.n, graphs.n - 1)).sum(dim=2)  # (graphs, n, components)
    seen = np.column_stack(
        [total.double().numpy()[..., list(top)].reshape(-1, len(top)), graphs.states[..., -2:].reshape(-1, 2)]
    )
    chosen = np.random.default_rng(random_state).permutation(len(seen))[: rows + rows // 4]
    seen = seen[chosen]

    def teacher(X):
        sums = torch.zeros(len(X), network.architecture.message, dtype=network.edge_dtype)
        sums[:, list(top)] = torch.from_numpy(X[:, : len(top)]).to(sums.dtype)
        state = torch.zeros(len(X), 2 * network.architecture.dim + 2, dtype=sums.dtype)
        state[:, -2:] = torch.from_numpy(X[:, -2:]).to(sums.dtype)
        with torch.no_grad():
            return network.node(torch.cat([sums, network.own(state)], dim=-1))

    names = [f"e{k + 1}" for k in range(len(top))] + ["q", "m"]
    if student is None:
        from ...evolution import EvolutionRegressor

        student = EvolutionRegressor(niterations=12, maxsize=15, model_selection="score")
    return distill(
        teacher, pd.DataFrame(seen, columns=names), student,
        sample_weight=share_weights(np.linalg.norm(teacher(seen).numpy(), axis=1)), random_state=random_state,
    )  # fmt: skip


def distill_network(
    said: Messages, graphs: Graphs, message_student: SymbolicRegressor | None = None,
    node_student: SymbolicRegressor | None = None, random_state: int | None = 0,
) -> Formulas:  # fmt: skip
    """The whole network as formulas: of the messages that count, and of the node model.

    Parameters
    ----------
    said : Messages
    graphs : Graphs
        Where the node model is asked.
    message_student, node_student : SymbolicRegressor, optional
        See :func:`srlib.distill.gnn.distill_message` and :func:`distill_node`.
    random_state : int, optional
    """
    spoken = [distill_message(said, one, message_student, random_state=random_state) for one in said.top()]
    node = distill_node(said, graphs, node_student, random_state=random_state)
    return Formulas(
        tuple(one.best() for one in spoken), tuple(node.best(k) for k in range(len(node.students))), said.softening,
        (*spoken, node),
    )  # fmt: skip


@dataclass(frozen=True)
class Rollout:
    """How far simulators are from the truth.

    Attributes
    ----------
    times : ndarray, shape (times,)
    truth : ndarray, shape (simulations, times, n, dim)
        Positions.
    positions : dict of ndarray
        The simulators', by name; NaN where one has got out of hand.
    """

    times: np.ndarray = field(repr=False)
    truth: np.ndarray = field(repr=False)
    positions: dict[str, np.ndarray] = field(repr=False)

    @property
    def errors(self) -> pd.DataFrame:
        """The median over simulations of the RMS distance from the truth, by time and simulator."""
        columns = {}
        for name, x in self.positions.items():
            with np.errstate(all="ignore"):
                square = ((x - self.truth) ** 2).sum(axis=3).mean(axis=2)  # (simulations, times)
            columns[name] = np.median(np.where(np.isfinite(square), np.sqrt(square), np.inf), axis=0)
        return pd.DataFrame(columns, index=pd.Index(self.times, name="time"))


def rollout(
    potential, simulators: dict[str, Callable | GraphNetwork | Formulas], start: Particles, *, steps: int = 500,
    every: int = 5, dt: float | None = None, substeps: int = 2,
) -> Rollout:  # fmt: skip
    """Let simulators move the same particles by the same steps, and compare them with the true potential.

    Parameters
    ----------
    potential : Potential
    simulators : dict
        Networks, formulas or functions ``acceleration(x, v, q, m)``, by name.
    start : Particles
    steps, every, dt, substeps
        As in :func:`srlib.distill.gnn.simulate`; all simulators and the truth take the same steps, none of which is
        refined: in a close encounter the truth has its own error, too.
    """
    potential = read_potential(potential)
    dt = potential.dt if dt is None else dt

    def moved(acceleration):
        return integrate(acceleration, start, dt, steps, every, substeps)[0]

    truth = moved(lambda *state: accelerations(potential, *state))
    positions = {name: moved(getattr(one, "acceleration", one)) for name, one in simulators.items()}
    return Rollout(np.arange(truth.shape[1]) * every * dt, truth, positions)
