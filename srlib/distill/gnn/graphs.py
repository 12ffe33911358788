"""Graphs of particles and what their accelerations are: the data set of a graph network, split by simulation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...validation import check_choice, check_number
from .particles import Trajectories, accelerations
from .potentials import Potential

__all__ = ["Graphs", "edges", "pair_forces", "to_graphs"]


def edges(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Receivers and senders of the n(n-1) directed edges, sorted by receiver."""
    receivers, senders = np.nonzero(~np.eye(n, dtype=bool))
    return receivers, senders


def reverse_edges(n: int) -> np.ndarray:
    """For each edge of :func:`edges`, where the one from receiver to sender stands.

    Examples
    --------
    >>> reverse_edges(3).tolist()  # of 0-1, 0-2, 1-0, 1-2, 2-0, 2-1
    [2, 4, 0, 5, 1, 3]
    """
    receivers, senders = edges(n)
    return senders * (n - 1) + receivers - (receivers > senders)


@dataclass(frozen=True)
class Graphs:
    """Fully connected graphs, one for each time of each simulation.

    Attributes
    ----------
    potential : Potential
    states : ndarray, shape (graphs, n, 2 dim + 2)
        Position, velocity, charge and mass of each particle, in this order.
    accelerations : ndarray, shape (graphs, n, dim)
    simulation : ndarray of int, shape (graphs,)
    time : ndarray, shape (graphs,)
    """

    potential: Potential
    states: np.ndarray = field(repr=False)
    accelerations: np.ndarray = field(repr=False)
    simulation: np.ndarray = field(repr=False)
    time: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.states)

    @property
    def n(self) -> int:
        """Particles of a graph."""
        return self.states.shape[1]

    @property
    def dim(self) -> int:
        """Dimensions of space."""
        return self.accelerations.shape[2]

    def take(self, rows) -> Graphs:
        """Some of the graphs."""
        return Graphs(
            self.potential, self.states[rows], self.accelerations[rows], self.simulation[rows], self.time[rows]
        )

    def pick(self, count: int, random_state=None) -> Graphs:
        """So many graphs at random, or all if there are not more."""
        if count >= len(self):
            return self
        return self.take(np.sort(np.random.default_rng(random_state).choice(len(self), count, replace=False)))

    def split(self, share: float = 0.25, by: str = "simulation", random_state=None) -> tuple[Graphs, Graphs]:
        """Training and test graphs.

        Parameters
        ----------
        share : float
            Of the graphs, for the test.
        by : {"simulation", "time"}
            "simulation": whole simulations, at random. "time": the last times of all simulations, as the original does;
            the test then shows particles, with their masses and charges, that the training has seen.
        random_state : int, optional
        """
        check_choice("by", by, ("simulation", "time"))
        check_number("share", share, above=0, most=0.9)
        key = self.simulation if by == "simulation" else self.time
        values = np.unique(key)
        count = max(1, round(share * len(values)))
        if count >= len(values):
            raise ValueError(f"there is 1 {by}, which cannot be split: simulate more")
        if by == "simulation":
            values = np.random.default_rng(random_state).permutation(values)
        test = np.isin(key, values[-count:])
        return self.take(~test), self.take(test)

    def pairs(self) -> np.ndarray:
        """The two states of each directed edge, receiver first, shape (graphs n (n - 1), 2 (2 dim + 2))."""
        receivers, senders = edges(self.n)
        both = np.concatenate([self.states[:, receivers], self.states[:, senders]], axis=2)
        return both.reshape(-1, both.shape[2])

    def forces(self) -> np.ndarray:
        """The true force on the receiver of each edge, without drag, shape (graphs n (n - 1), dim)."""
        return pair_forces(self.potential, self.pairs())

    def closest(self) -> np.ndarray:
        """The smallest distance of two particles in each graph, shape (graphs,)."""
        pair = self.pairs()
        distance = np.linalg.norm(pair[:, : self.dim] - pair[:, pair.shape[1] // 2 :][:, : self.dim], axis=1)
        return distance.reshape(len(self), -1).min(axis=1)


def pair_forces(potential: Potential, pair: np.ndarray) -> np.ndarray:
    """The force on the receiver of each pair of states (:meth:`Graphs.pairs`), shape (pairs, dim)."""
    half = pair.shape[1] // 2
    dim = half // 2 - 1
    one, other = pair[:, :half], pair[:, half:]
    d = one[:, :dim] - other[:, :dim]
    distance = np.linalg.norm(d, axis=1)
    slope = potential.slope(distance + potential.softening, one[:, -1], other[:, -1], one[:, -2], other[:, -2])
    return -(slope / distance)[:, None] * d


def to_graphs(trajectories: Trajectories) -> Graphs:
    """The graphs of all times of all simulations, sorted by simulation."""
    x, v, start = trajectories.x, trajectories.v, trajectories.start
    count, kept = x.shape[:2]
    q, m = (np.repeat(one, kept, axis=0) for one in (start.q, start.m))  # (graphs, n)
    x, v = (one.reshape(-1, *one.shape[2:]) for one in (x, v))
    states = np.concatenate([x, v, q[..., None], m[..., None]], axis=2)
    return Graphs(
        trajectories.potential, states, accelerations(trajectories.potential, x, v, q, m),
        np.repeat(np.arange(count), kept), np.tile(trajectories.times, count),
    )  # fmt: skip
