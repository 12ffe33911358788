"""Burgers' equation by DeepXDE at the settings of its demonstration, beside ours; only where DeepXDE is installed.

``pip install deepxde`` brings it (LGPL-2.1). Its demonstration trains 3 layers of 20 on 2,540 points with 80 on the
boundary and 160 at t = 0, by Adam for 15,000 steps and then by L-BFGS.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..eql.search import one_torch_thread
from .pinn_burgers import relative_error, solved

__all__ = ["PeerRow", "peer", "peers"]

ADAM = 15_000


@dataclass(frozen=True)
class PeerRow:
    """Relative L2 errors on the 256 x 100 grid and the seconds of the process; one thread for both."""

    method: str
    seed: int
    error: float
    seconds: float
    cpu: float


def peers(seeds: int, budget: float | None) -> Iterator[tuple]:
    """The jobs: none where DeepXDE is not installed."""
    if importlib.util.find_spec("deepxde") is None:
        print("deepxde is not installed: this part is left out")
        return
    for seed in range(seeds):
        yield "srlib, lab", seed
        yield "deepxde", seed


def peer(method: str, seed: int) -> PeerRow:
    """Train by one of the two."""
    if method != "deepxde":
        row = solved("lab", seed)[0]
        return PeerRow(method, seed, row.error, row.seconds, row.cpu)
    with one_torch_thread():
        return _deepxde(seed)


def _deepxde(seed: int, adam: int = ADAM, lbfgs: bool = True) -> PeerRow:
    os.environ.setdefault("DDE_BACKEND", "pytorch")
    import deepxde as dde
    import torch

    torch.set_num_threads(1)
    dde.config.set_random_seed(seed)
    began, cpu = time.perf_counter(), time.process_time()

    def residual(x, u):
        u_x, u_t = (dde.grad.jacobian(u, x, i=0, j=j) for j in (0, 1))
        return u_t + u * u_x - 0.01 / np.pi * dde.grad.hessian(u, x, i=0, j=0)

    place = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 0.99))
    ends = dde.icbc.DirichletBC(place, lambda x: 0, lambda _, on_boundary: on_boundary)
    start = dde.icbc.IC(place, lambda x: -np.sin(np.pi * x[:, :1]), lambda _, on_initial: on_initial)
    data = dde.data.TimePDE(place, residual, [ends, start], num_domain=2540, num_boundary=80, num_initial=160)
    model = dde.Model(data, dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal"))
    model.compile("adam", lr=1e-3)
    model.train(iterations=adam, display_every=adam, verbose=0)
    if lbfgs:
        model.compile("L-BFGS")
        model.train(verbose=0)
    error = relative_error(lambda X: model.predict(X.astype(np.float32))[:, 0])
    return PeerRow(
        "deepxde", seed, error, round(time.perf_counter() - began, 1), round(time.process_time() - cpu, 1)
    )  # fmt: skip
