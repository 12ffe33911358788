"""Graph networks on particles: edge model, aggregation, node model (document 002), dense over all pairs.

The message from j to i is ``phi_e(i, j)``, the messages to i are summed, and the node model turns the sum and particle
i into its acceleration. All graphs of a batch have n particles, so that the n(n-1) edges of each are an axis of an
array and there is no list of edges.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn

from ...validation import check_choice, check_number
from .graphs import edges, reverse_edges

__all__ = ["DOCUMENT", "VARIANTS", "Architecture", "GraphNetwork"]

VARIANTS = ("plain", "bottleneck", "l1", "kl", "plus-minus", "custom", "antisymmetric")
SPARSE = ("l1", "plus-minus", "custom")  # whose messages carry an L1 penalty
WIDTHS = {"plus-minus": (1.0, 1.5, 2.0, 1.5, 1.0)}  # of the hidden layers, in units of ``hidden``
SMALLEST = 1e-2  # added to distances before their logarithm


@dataclass(frozen=True)
class Architecture:
    """What a graph network is made of.

    Parameters
    ----------
    variant : str
        "plain": a message of ``components`` numbers. "bottleneck": of ``dim`` numbers. "l1": as plain, with an L1
        penalty on the messages. "kl": normal distributions, sampled in training, with their divergence from the
        standard one as a penalty. "plus-minus": as l1, hidden layers of 1, 1.5, 2, 1.5 and 1 times ``hidden``.
        "custom": as l1, X of the first linear layer goes on as ``1/(1 + ReLU(X))`` and its square through a linear
        layer each. These are document 002's. "antisymmetric": a bottleneck whose message is
        ``phi(i, j) - phi(j, i)``, Newton's third law: the document does not have it.
    dim : int
        Dimensions of space, 2 or 3.
    components : int
        Of a message, except for the bottlenecks.
    hidden, layers : int
        Width and number of hidden layers, of both models.
    edge_inputs : {"log", "relative", "raw"}
        "raw": both states as they are. "relative": the difference of positions, the distance, both velocities, charges
        and masses. "log": unit vector, difference, distance, its logarithm, charges and log masses.
    node_inputs : {"own", "full"}
        What the node model sees besides the messages: charge, mass and log mass, or the whole state.
    activation : {"silu", "relu"}
    seed : int
        Of the initial weights.
    """

    variant: str = "antisymmetric"
    dim: int = 2
    components: int = 100
    hidden: int = 64
    layers: int = 3
    edge_inputs: str = "log"
    node_inputs: str = "own"
    activation: str = "silu"
    seed: int = 0

    def __post_init__(self):
        check_choice("variant", self.variant, VARIANTS)
        if self.dim not in (2, 3):
            raise ValueError(f"dim is {self.dim!r}: give 2 or 3")
        for name in ("components", "hidden", "layers"):
            check_number(name, getattr(self, name), least=1, whole=True)
        check_choice("edge_inputs", self.edge_inputs, ("log", "relative", "raw"))
        check_choice("node_inputs", self.node_inputs, ("own", "full"))
        check_choice("activation", self.activation, ("silu", "relu"))

    @property
    def message(self) -> int:
        """Components of a message."""
        return self.dim if self.variant in ("bottleneck", "antisymmetric") else self.components

    def to_dict(self) -> dict:
        """Plain data for JSON."""
        return asdict(self)


DOCUMENT = {"hidden": 300, "edge_inputs": "raw", "node_inputs": "full", "activation": "relu"}  # layers as there


class GraphNetwork(nn.Module):
    """The network of an :class:`Architecture`; the receiver's state comes first in every pair.

    Distances, masses and charges enter as they are, so that a trained network may be asked about any particles.
    """

    def __init__(self, architecture: Architecture | None = None, **options):
        super().__init__()
        self.architecture = one = Architecture(**options) if architecture is None else architecture
        state = 2 * one.dim + 2
        features = {"raw": 2 * state, "relative": 3 * one.dim + 5, "log": 2 * one.dim + 6}[one.edge_inputs]
        own = {"own": 3, "full": state}[one.node_inputs]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(one.seed)
            outputs = 2 * one.message if one.variant == "kl" else one.message
            widths = [round(one.hidden * share) for share in WIDTHS.get(one.variant, (1.0,) * one.layers)]
            activation = {"silu": nn.SiLU, "relu": nn.ReLU}[one.activation]
            if one.variant == "custom":
                self.edge = Reciprocal(features, one.hidden, outputs)
            else:
                self.edge = _mlp(features, widths, outputs, activation)
            self.node = _mlp(one.message + own, [one.hidden] * one.layers, one.dim, activation)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Accelerations (graphs, n, dim) of states (graphs, n, 2 dim + 2)."""
        return self.accelerate(states, self.messages(states))

    def accelerate(self, states: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        """Aggregation and node model: accelerations from messages (graphs, n(n-1), components)."""
        n = states.shape[1]
        total = messages.unflatten(1, (n, n - 1)).sum(dim=2)  # (graphs, n, components)
        return self.node(torch.cat([total, self.own(states)], dim=-1))

    def messages(self, states: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """The messages of all edges, receivers in order, (graphs, n(n-1), components)."""
        return self.sampled(self.edge_outputs(states), generator)

    def edge_outputs(self, states: torch.Tensor) -> torch.Tensor:
        """What the edge model gives for all edges: messages, or for "kl" their means and log variances."""
        n = states.shape[1]
        receivers, senders = (torch.from_numpy(one) for one in edges(n))
        receiver, sender = states[:, receivers], states[:, senders]
        if self.architecture.variant != "antisymmetric":
            return self.between(receiver, sender)
        there = self.edge(self.pair_features(receiver, sender))
        return there - there[:, torch.from_numpy(reverse_edges(n))]  # the way back is an edge, too

    def between(self, receiver: torch.Tensor, sender: torch.Tensor) -> torch.Tensor:
        """What the edge model gives for pairs of states, (…, 2 dim + 2) each."""
        there = self.edge(self.pair_features(receiver, sender))
        if self.architecture.variant == "antisymmetric":
            return there - self.edge(self.pair_features(sender, receiver))
        return there

    def sampled(self, outputs: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Messages from what the edge model gives: for "kl" a sample in training, the mean without a generator."""
        if self.architecture.variant != "kl":
            return outputs
        mean, log_variance = outputs.chunk(2, dim=-1)
        if generator is None:
            return mean
        return mean + torch.exp(0.5 * log_variance) * torch.randn(mean.shape, generator=generator, dtype=mean.dtype)

    def pair_features(self, receiver: torch.Tensor, sender: torch.Tensor) -> torch.Tensor:
        """What the edge model sees of a pair."""
        one, dim = self.architecture, self.architecture.dim
        if one.edge_inputs == "raw":
            return torch.cat([receiver, sender], dim=-1)
        d = receiver[..., :dim] - sender[..., :dim]
        r = d.square().sum(dim=-1, keepdim=True).sqrt()
        if one.edge_inputs == "relative":
            return torch.cat([d, r, receiver[..., dim:], sender[..., dim:]], dim=-1)
        charges = [receiver[..., -2:-1], sender[..., -2:-1]]
        masses = [receiver[..., -1:].log(), sender[..., -1:].log()]
        unit = d / r.clamp(min=1e-12)
        return torch.cat([unit, d, r, (r + SMALLEST).log(), *charges, *masses], dim=-1)

    def own(self, states: torch.Tensor) -> torch.Tensor:
        """What the node model sees of a particle besides its messages."""
        if self.architecture.node_inputs == "full":
            return states
        return torch.cat([states[..., -2:], states[..., -1:].log()], dim=-1)

    def predict(self, states: np.ndarray, block: int = 2048) -> np.ndarray:
        """Accelerations of numpy states, without gradient, shape (graphs, n, dim)."""
        with torch.no_grad():
            parts = [self(self.tensor(states[k : k + block])) for k in range(0, len(states), block)]
        return torch.cat(parts).double().numpy()

    def tensor(self, states: np.ndarray) -> torch.Tensor:
        """States in the network's dtype, their size checked."""
        states = np.asarray(states)
        if states.ndim != 3 or states.shape[2] != 2 * self.architecture.dim + 2 or states.shape[1] < 2:
            raise ValueError(
                f"states has shape {states.shape}: give (graphs, n, {2 * self.architecture.dim + 2}) with n of at "
                f"least 2, as the network is for {self.architecture.dim} dimensions"
            )
        return torch.from_numpy(np.ascontiguousarray(states)).to(self.edge_dtype)

    @property
    def edge_dtype(self) -> torch.dtype:
        """Of the weights."""
        return next(self.parameters()).dtype

    def acceleration(self, x, v, q, m) -> np.ndarray:
        """For :func:`srlib.distill.gnn.integrate`: the network as a simulator."""
        return self.predict(np.concatenate([x, v, q[..., None], m[..., None]], axis=2))


class Reciprocal(nn.Module):
    """Document 002's CUSTOM edge model: ``1/(1 + ReLU(X))`` and its square, each through a linear layer, then one.

    The document does not say how the two are joined; its code concatenates them.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.once, self.twice = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.last = nn.Linear(2 * hidden, outputs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        inverse = 1 / (1 + torch.relu(self.first(features)))
        return self.last(torch.cat([self.once(inverse), self.twice(inverse.square())], dim=-1))


def _mlp(inputs: int, widths, outputs: int, activation) -> nn.Sequential:
    sizes = [inputs, *widths]
    layers = []
    for one, other in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(one, other), activation()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))
