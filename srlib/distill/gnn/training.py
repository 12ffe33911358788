"""Training of graph networks: the loss with its penalties, one cycle of the learning rate, events, checkpoints.

The loss of a batch is

    mean over graphs, particles and components of w_i l(a - a_hat)  +  alpha_1 L_e  +  alpha_2 L_n

with l the absolute error, the square or Huber's (delta = 1); w_i = 1/(1 + |a_i|) where the loss is relative, otherwise
1; L_e the mean over **all** edges of the batch of the sum over components of |message| (L1) or of the KL divergence
from the standard normal distribution, ``(mu^2 + sigma^2 - log sigma^2)/2`` (document 002 leaves its constant -1/2 out,
and so do we); L_n the sum of squares of the weights. (The original's code sums the errors of a graph and penalises the
edges of the first graph of each batch only, so that its constants are not these.)
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields

import numpy as np
import torch

from ...eql.search import one_torch_thread
from ...metrics import acpcr
from ...run import asked_to_stop
from ...validation import check_choice, check_number
from ..checkpoint import read_training, write_training
from .graphs import Graphs
from .network import SPARSE, Architecture, GraphNetwork

__all__ = ["Epoch", "LIVE", "LOSSES", "Settings", "Trained", "adam", "one_cycle", "penalty", "prediction_loss", "train"]

LOSSES = ("mae", "mse", "huber")
OBSERVED = 500  # graphs that the numbers of an epoch are computed from


@dataclass(frozen=True)
class Settings:
    """How a graph network is trained.

    Parameters
    ----------
    loss : {"mae", "mse", "huber"}
    relative : bool
        Whether an error counts relative to 1 + |a_i|; otherwise a close encounter outweighs a thousand others.
    epochs, steps, batch : int
        Steps of an epoch, and graphs of a step.
    learning_rate : float
        The peak of the cycle.
    alpha : float, optional
        Of the penalty on messages, alpha_1; by default 1e-2 for L1 and 1e-3 for KL (see Notes).
    weight_decay : float
        alpha_2.
    translate : float
        Standard deviation of the random translation of each batch (the original's: 3); 0: none. Only raw inputs
        need it.
    seed : int
        Of batches, translations and samples of messages.

    Notes
    -----
    The document has no factor before KL, ``alpha=1``. The sum over 100 components then stands beside a prediction loss
    that is a mean; the default gives the latter more weight.
    """

    loss: str = "mae"
    relative: bool = True
    epochs: int = 20
    steps: int = 200
    batch: int = 64
    learning_rate: float = 3e-3
    alpha: float | None = None
    weight_decay: float = 1e-8
    translate: float = 0.0
    seed: int = 0

    def __post_init__(self):
        check_choice("loss", self.loss, LOSSES)
        for name in ("epochs", "steps", "batch"):
            check_number(name, getattr(self, name), least=1, whole=True)
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("alpha", self.alpha, least=0, optional=True)
        check_number("weight_decay", self.weight_decay, least=0)
        check_number("translate", self.translate, least=0)
        check_number("seed", self.seed, least=0, whole=True)

    def strength(self, variant: str) -> float:
        """alpha_1 for a variant."""
        if variant not in SPARSE and variant != "kl":
            return 0.0
        return ({"kl": 1e-3}.get(variant, 1e-2)) if self.alpha is None else self.alpha


LIVE = Settings(epochs=20, steps=60)  # for a lesson: half a minute, and an event every second or two


@dataclass(frozen=True)
class Epoch:
    """An epoch has ended; callbacks get one after each, and end the training by answering something true.

    Attributes
    ----------
    number, total : int
    elapsed : float
        Seconds.
    loss : float
        Mean prediction loss of the epoch's batches, without penalties.
    test_loss, acpcr : float
        On (at most 500 of) the test graphs: the prediction loss, and the share of errors below 0.02.
    deviations : ndarray, shape (components,)
        The standard deviation of each component of the messages there: what the network still says.
    network : GraphNetwork
        As it is now; not to be changed.
    """

    number: int
    total: int
    elapsed: float
    loss: float
    test_loss: float
    acpcr: float
    deviations: np.ndarray = field(repr=False)
    network: GraphNetwork = field(repr=False)


@dataclass(frozen=True)
class Trained:
    """A network, how it got there, and why the training ended.

    Attributes
    ----------
    network : GraphNetwork
    settings : Settings
    history : tuple of Epoch
        Their ``network`` is the one that came out in the end.
    reason : {"completed", "callback", "time_limit", "interrupted"}
    seconds : float
    """

    network: GraphNetwork = field(repr=False)
    settings: Settings
    history: tuple[Epoch, ...] = field(repr=False)
    reason: str
    seconds: float


def prediction_loss(kind: str, error: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
    """The mean loss of errors (graphs, n, dim), each over ``scale`` (graphs, n, 1) if there is one."""
    each = {
        "mae": lambda e: e.abs(),
        "mse": lambda e: e.square(),
        "huber": lambda e: torch.where(e.abs() < 1, 0.5 * e.square(), e.abs() - 0.5),
    }[kind](error)
    return (each if scale is None else each / scale).mean()


def penalty(variant: str, outputs: torch.Tensor) -> torch.Tensor:
    """L_e: the mean over edges of the penalty on what the edge model gives, (graphs, edges, outputs)."""
    if variant == "kl":
        mean, log_variance = outputs.chunk(2, dim=-1)
        return 0.5 * (mean.square() + log_variance.exp() - log_variance).sum(dim=-1).mean()
    return outputs.abs().sum(dim=-1).mean() if variant in SPARSE else outputs.new_zeros(())


def one_cycle(step: int, total: int, peak: float) -> float:
    """The learning rate of a step: up along a cosine for 30 % of them, then down to 1/250,000 of the peak.

    As :class:`torch.optim.lr_scheduler.OneCycleLR` with ``final_div_factor=1e4``, but a function of the step.
    """
    rise, first, last = 0.3 * total - 1, peak / 25, peak / 25e4
    falling = (total - 1 - step) / (total - 1 - rise)
    low, high, part = (first, peak, step / rise) if step <= rise else (last, peak, falling)
    return high + (low - high) / 2 * (1 + math.cos(math.pi * part))


def train(
    data: Graphs, architecture: Architecture | GraphNetwork | None = None, settings: Settings | None = None, *,
    test: Graphs | None = None, callbacks: Sequence[Callable] = (), time_limit: float | None = None,
    checkpoint: str | os.PathLike | None = None,
) -> Trained:  # fmt: skip
    """Train a graph network to predict accelerations.

    Parameters
    ----------
    data : Graphs
    architecture : Architecture or GraphNetwork, optional
        A network is trained further, in place.
    settings : Settings, optional
    test : Graphs, optional
        What the events report on; by default training graphs.
    callbacks : sequence of callable
        Called with an :class:`Epoch`.
    time_limit : float, optional
        Seconds; looked at after every step.
    checkpoint : path, optional
        An NPZ file, written after each epoch. If it is there, the training goes on from it and ends with the same
        weights as one that was never interrupted.

    Raises
    ------
    ValueError
        If dimensions do not go together, the checkpoint is of another training, or the loss is not finite.

    Notes
    -----
    It runs in one thread, which is the fastest for networks of this size, so that the same seeds give the same weights
    on any number of cores.
    """
    settings = settings or Settings()
    network = architecture if isinstance(architecture, GraphNetwork) else GraphNetwork(architecture)
    kind = network.architecture
    if data.dim != kind.dim:
        raise ValueError(f"data has {data.dim} dimensions, but the network is for {kind.dim}: give dim={data.dim}")
    states, known = (network.tensor(data.states), torch.from_numpy(data.accelerations).to(network.edge_dtype))
    observed = (data if test is None else test).pick(OBSERVED, 0)
    optimiser = adam(network, settings)
    about = {"architecture": kind.to_dict(), "settings": asdict(settings)}
    history = [_event(row, network) for row in read_training(checkpoint, about, network, optimiser)]
    began, reason, total = time.monotonic(), "completed", settings.epochs * settings.steps
    try:
        with one_torch_thread():
            for epoch in range(len(history), settings.epochs):
                rng = np.random.default_rng([settings.seed, epoch])
                noise = torch.Generator().manual_seed(int(rng.integers(2**31)))
                losses = []
                for step in range(settings.steps):
                    for group in optimiser.param_groups:
                        group["lr"] = one_cycle(epoch * settings.steps + step, total, settings.learning_rate)
                    rows = torch.from_numpy(rng.integers(len(data), size=settings.batch))
                    losses.append(_step(network, settings, optimiser, states[rows], known[rows], rng, noise))
                    if time_limit is not None and time.monotonic() - began >= time_limit:
                        reason = "time_limit"
                        break
                mean = float(np.mean(losses))
                if not math.isfinite(mean):
                    high = settings.learning_rate
                    raise ValueError(f"the loss is {mean} in epoch {epoch + 1}: give a lower learning_rate than {high}")
                event = _observe(network, settings, observed, epoch + 1, time.monotonic() - began, mean)
                history.append(event)
                if checkpoint is not None and reason == "completed":
                    write_training(checkpoint, about, network, optimiser, [_row(one) for one in history])
                if asked_to_stop(callbacks, event):
                    reason = "callback"
                if reason != "completed":
                    break
    except KeyboardInterrupt:
        reason = "interrupted"
    return Trained(network, settings, tuple(history), reason, time.monotonic() - began)


def adam(network: GraphNetwork, settings: Settings) -> torch.optim.Adam:
    """Adam, whose own weight decay adds the gradient of ``settings.weight_decay * sum(w**2)``."""
    options = {"lr": settings.learning_rate, "weight_decay": 2 * settings.weight_decay}
    try:
        return torch.optim.Adam(network.parameters(), fused=True, **options)
    except RuntimeError:  # torch before 2.4 has no fused one for CPUs
        return torch.optim.Adam(network.parameters(), **options)


def _step(network, settings, optimiser, states, known, rng, noise) -> float:
    if settings.translate:
        dim = network.architecture.dim
        shift = torch.from_numpy(settings.translate * rng.standard_normal(dim)).to(states.dtype)
        states = torch.cat([states[..., :dim] + shift, states[..., dim:]], dim=-1)
    outputs = network.edge_outputs(states)
    error = network.accelerate(states, network.sampled(outputs, noise)) - known
    loss = prediction_loss(settings.loss, error, _scale(settings, known))
    variant = network.architecture.variant
    strength, objective = settings.strength(variant), loss
    if strength:
        objective = objective + strength * penalty(variant, outputs)
    optimiser.zero_grad()
    objective.backward()
    optimiser.step()
    return float(loss.detach())


def _scale(settings: Settings, known: torch.Tensor) -> torch.Tensor | None:
    return 1 + known.norm(dim=-1, keepdim=True) if settings.relative else None


def _observe(network, settings, graphs: Graphs, number: int, elapsed: float, loss: float) -> Epoch:
    with torch.no_grad():
        states = network.tensor(graphs.states)
        messages = network.messages(states)
        told = network.accelerate(states, messages)
        known = torch.from_numpy(graphs.accelerations).to(told.dtype)
        test_loss = float(prediction_loss(settings.loss, told - known, _scale(settings, known)))
        deviations = messages.flatten(0, 1).std(dim=0, correction=0).double().numpy()
    right = acpcr(graphs.accelerations.ravel(), told.double().numpy().ravel()) if math.isfinite(test_loss) else 0.0
    return Epoch(number, settings.epochs, elapsed, loss, test_loss, right, deviations, network)


def _row(event: Epoch) -> list:
    """An event without its network, as plain data."""
    return [*(getattr(event, one.name) for one in fields(Epoch)[:6]), event.deviations.tolist()]


def _event(row: list, network: GraphNetwork) -> Epoch:
    return Epoch(*row[:6], np.array(row[6]), network)
