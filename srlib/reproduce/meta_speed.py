"""One outer step of second-order MAML, for all tasks at once and in a plain loop over tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from ..eql.search import one_torch_thread
from ..meta import FlatModel, Tasks, WavesAndExponentials, meta_gradient
from .meta_document import network

__all__ = ["SpeedRow", "speed"]


@dataclass(frozen=True)
class SpeedRow:
    """Milliseconds of one second-order meta-gradient over 25 tasks and 5 inner steps: medians of repetitions."""

    network: str
    run: int
    parameters: int
    together: float
    loop: float
    ratio: float
    difference: float


def speed(name: str, run: int) -> SpeedRow:
    """All tasks at once against a plain loop over tasks, alternating; and how far their gradients differ."""
    model, tasks = FlatModel(network(name, run)), WavesAndExponentials().sample(25, (run, 1))
    rate = 1e-5  # random networks with exponentials explode at 1e-3

    def together():
        return meta_gradient(model, model.start, tasks, rate, inner_steps=5)[0].mean(dim=0)

    def loop():
        return torch.stack([_plain(model, tasks[k], rate) for k in range(len(tasks))]).mean(dim=0)

    with one_torch_thread():
        a, b, times = together(), loop(), {together: [], loop: []}
        for way in (together, loop) * 7:
            began = time.perf_counter()
            way()
            times[way].append(1e3 * (time.perf_counter() - began))
    one, other = (float(np.median(times[way])) for way in (together, loop))
    difference = (a - b).abs().max().item() / a.abs().max().item()
    return SpeedRow(
        name, run, model.size, round(one, 2), round(other, 2), round(other / one, 2), float(f"{difference:.1e}")
    )


def _plain(model: FlatModel, task: Tasks, rate: float) -> torch.Tensor:
    """The meta-gradient of one task by autograd alone."""
    start = theta = model.start.clone().requires_grad_()
    for _ in range(5):
        error = (model.one(theta, task.x_support[0]) - task.y_support[0]).square().mean()
        theta = theta - rate * torch.autograd.grad(error, theta, create_graph=True)[0]
    return torch.autograd.grad((model.one(theta, task.x_query[0]) - task.y_query[0]).square().mean(), start)[0]
