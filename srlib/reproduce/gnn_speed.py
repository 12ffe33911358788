"""Speed: many simulations at once against a loop of ``odeint``, and training dense against message passing."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass

import numpy as np
import torch

from ..distill.gnn import (
    Architecture,
    GraphNetwork,
    Particles,
    Settings,
    accelerations,
    energies,
    simulate,
    to_graphs,
    train,
)
from ..eql.search import one_torch_thread
from .part import rounded

__all__ = ["TRAININGS", "SpeedRow", "odeint_loop", "speed"]

LOOPED, TOGETHER = 20, 1000  # simulations
TRAININGS = {"training": "bottleneck", "training, antisymmetric": "antisymmetric"}


@dataclass(frozen=True)
class SpeedRow:
    """CPU milliseconds per simulation (500 steps, 4 particles), or per 1,000 graphs of training (batch 64, width 64).

    ``other`` is the loop of odeint, or torch_geometric's message passing; 0 where that is not installed. ``drift`` and
    ``other_drift`` are the 90 % quantiles of the relative change of energy.
    """

    what: str
    run: int
    ours: float
    other: float
    ratio: float
    drift: float
    other_drift: float


def odeint_loop(potential: str, start: Particles, steps: int = 500) -> np.ndarray:
    """The states of each simulation by scipy's odeint with its default tolerances, (simulations, steps, 2 n dim)."""
    from scipy.integrate import odeint

    from ..distill.gnn import POTENTIALS

    one, shape, runs = POTENTIALS[potential], start.x.shape[1:], []
    half, times = int(np.prod(shape)), np.arange(steps) * POTENTIALS[potential].dt
    for x, v, q, m in zip(start.x, start.v, start.q, start.m, strict=True):

        def slope(y, t, q=q, m=m):
            now, speed = y[:half].reshape(1, *shape), y[half:].reshape(1, *shape)
            return np.concatenate([y[half:], accelerations(one, now, speed, q[None], m[None]).ravel()])

        runs.append(odeint(slope, np.concatenate([x.ravel(), v.ravel()]), times, mxstep=2000))
    return np.stack(runs)


def _drift(potential: str, start: Particles, states: np.ndarray) -> float:
    n, dim = start.x.shape[1:]
    x, v = (one.reshape(len(states), -1, n, dim) for one in np.split(states, 2, axis=2))
    kinetic, pair = zip(
        *(energies(potential, x[:, k], v[:, k], start.q, start.m) for k in range(0, x.shape[1], 5)), strict=True
    )
    kinetic, pair = np.stack(kinetic, axis=1), np.stack(pair, axis=1)
    change = np.abs(kinetic + pair - (kinetic + pair)[:, :1]).max(axis=1)
    return float(np.quantile(change / (kinetic[:, 0] + np.abs(pair[:, 0]) + 1), 0.9))


def speed(what: str, run: int) -> SpeedRow:
    """Times of a potential, or of a training."""
    if what in TRAININGS:
        return _training(what, run)
    began = time.process_time()
    ours = simulate(what, TOGETHER, random_state=(run, 5))
    together = 1e3 * (time.process_time() - began) / TOGETHER
    start = Particles.random(LOOPED, 4, 2, what, (run, 6))
    began = time.process_time()
    states = odeint_loop(what, start)
    loop = 1e3 * (time.process_time() - began) / LOOPED
    return SpeedRow(
        what, run, round(together, 3), round(loop, 3), round(loop / together, 1),
        rounded(np.quantile(ours.drift, 0.9), 2), rounded(_drift(what, start, states), 2),
    )  # fmt: skip


def _training(what: str, run: int) -> SpeedRow:
    data = to_graphs(simulate("spring", 50, random_state=(run, 7)))
    kind = Architecture(TRAININGS[what], edge_inputs="raw", node_inputs="full")
    settings = Settings(epochs=1, steps=200)
    with one_torch_thread():
        train(data, kind, Settings(epochs=1, steps=20))
        began = time.process_time()
        train(data, kind, settings)
        dense = 1e6 * (time.process_time() - began) / (settings.steps * settings.batch)
        other = _message_passing(data, kind, settings) if importlib.util.find_spec("torch_geometric") else 0.0
    return SpeedRow(what, run, round(dense, 2), round(other, 2), round(other / dense, 2), 0.0, 0.0)


def _message_passing(data, kind, settings) -> float:
    """The same network and steps with torch_geometric's message passing over lists of edges.

    Adam is torch's default one and the weight decay a sum of squares in the loss, as in the code of the original; ours
    is the fused Adam with its own decay. An antisymmetric message is the edge model's answer less that for the way
    back, which message passing, edge by edge, has to compute.
    """
    from torch_geometric.nn import MessagePassing

    from ..distill.gnn.graphs import edges
    from ..distill.gnn.training import prediction_loss

    network = GraphNetwork(kind)

    class Passing(MessagePassing):
        def __init__(self):
            super().__init__(aggr="add")
            self.inner = network

        def forward(self, x, edge_index):
            return self.propagate(edge_index, x=x)

        def message(self, x_i, x_j):
            there = self.inner.edge(torch.cat([x_i, x_j], dim=1))
            if kind.variant == "antisymmetric":
                return there - self.inner.edge(torch.cat([x_j, x_i], dim=1))
            return there

        def update(self, aggregated, x):
            return self.inner.node(torch.cat([aggregated, x], dim=1))

    model, n = Passing(), data.n
    receivers, senders = edges(n)
    offset = n * np.repeat(np.arange(settings.batch), len(receivers))
    index = torch.from_numpy(np.stack([np.tile(senders, settings.batch), np.tile(receivers, settings.batch)]) + offset)
    states, known = network.tensor(data.states), torch.from_numpy(data.accelerations).float()
    optimiser, rng = torch.optim.Adam(model.parameters()), np.random.default_rng(0)

    def step():
        rows = torch.from_numpy(rng.integers(len(data), size=settings.batch))
        target = known[rows].flatten(0, 1)
        scale = 1 + target.norm(dim=1, keepdim=True)
        loss = prediction_loss("mae", model(states[rows].flatten(0, 1), index) - target, scale)
        loss = loss + settings.weight_decay * sum(one.square().sum() for one in model.parameters())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    for _ in range(20):
        step()
    began = time.process_time()
    for _ in range(settings.steps):
        step()
    return 1e6 * (time.process_time() - began) / (settings.steps * settings.batch)
