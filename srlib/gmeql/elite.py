"""The elite repository: the best instances of different expressions that were ever sampled.

Document 004, section 4.2. An instance is kept if its expression is new, or better than the same one before. Two
instances have the same expression if they agree when all weights are left out. That is decided by a number for each
node, made of its function and of the numbers of its arguments, from the inputs to the output, for all instances at
once; what is not connected to the output does not enter. (The paper compares traversals from the output.)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..validation import check_number
from .network import Architecture

__all__ = ["Repository", "power_law", "signatures"]

COMMUTATIVE = ("plus", "times")
EXPONENT = 1.5  # of the power law


def _mixed(h: np.ndarray) -> np.ndarray:
    """Whole numbers scattered over all 64-bit ones (the finalizer of splitmix64, G. Steele et al. 2014)."""
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@lru_cache(maxsize=256)
def _number(text: str) -> np.uint64:
    """A number for a name, the same in each process."""
    value = np.uint64(1469598103934665603)
    for byte in text.encode():
        value = _mixed(np.array([value ^ np.uint64(byte)]))[0]
    return value


def signatures(architecture: Architecture, edges: np.ndarray) -> np.ndarray:
    """A number for the expression of each instance, weights left out.

    A constant times, or divided into, a part is a weight and leaves that part as it is; an identity too.

    Parameters
    ----------
    architecture : Architecture
    edges : ndarray of int, shape (instances, rows)
        Which node of the layer before each connection takes; ignored for sums.

    Returns
    -------
    ndarray of uint64, shape (instances,)
    """
    one = _number("1")
    inputs = [_number(f"x{j}") for j in range(architecture.features)] + [one]
    before = np.tile(np.array(inputs, np.uint64), (len(edges), 1))  # (instances, nodes)
    for layer in architecture.layers:
        taken = np.take_along_axis(before, np.clip(edges[:, layer.rows], 0, layer.before - 1), axis=1)
        values = np.empty((len(edges), len(layer.names)), np.uint64)
        for group in layer.groups:
            name, own = group.function.name, _number(group.function.name)
            arguments = [taken[:, rows] for rows in group.arguments]
            constant = np.logical_and.reduce([a == one for a in arguments])
            if name == "identity":
                found = arguments[0]
            elif len(arguments) == 1:
                found = _mixed(arguments[0] + own)
            else:
                a, b = arguments
                found = _mixed(_mixed(a) + _mixed(b) + own) if name in COMMUTATIVE else _mixed(_mixed(a + own) + b)
                if name in ("times", "division"):
                    found = np.where(b == one, a, found)
                if name == "times":
                    found = np.where(a == one, b, found)
            values[:, group.nodes] = np.where(constant, one, found)
        sums = layer.sums.stop - layer.sums.start
        if sums:
            values[:, -sums:] = _mixed(_mixed(before).sum(axis=1) + _number("sum"))[:, None]
        before = values
    return before[:, 0]


def power_law(size: int, exponent: float = EXPONENT) -> np.ndarray:
    """The probabilities of the ranks 1, 2, … in a list of so many: ``rank**-exponent``, normalised."""
    weights = np.arange(1, size + 1) ** -float(exponent)
    return weights / weights.sum()


class Repository:
    """At most ``size`` instances, sorted by mean absolute error, no two with the same signature.

    What is kept of an instance is a dictionary of arrays whose first axis is the instance.

    Attributes
    ----------
    errors : ndarray, shape (count,)
        Rising.
    keys : ndarray of uint64, shape (count,)
        The signatures.

    Examples
    --------
    >>> elites = Repository(2)
    >>> elites.add(np.array([3.0, 1.0, 2.0]), np.array([7, 8, 9], np.uint64), {"edges": np.array([[0], [1], [2]])})
    array([1, 2])
    >>> elites.errors, elites["edges"].ravel()
    (array([1., 2.]), array([1, 2]))
    """

    def __init__(self, size: int, exponent: float = EXPONENT):
        check_number("size", size, least=1, whole=True)
        check_number("exponent", exponent, above=0)
        self.size, self._cumulative = size, np.cumsum(power_law(size, exponent))
        self.clear()

    def clear(self) -> None:
        self.errors, self.keys = np.empty(0), np.empty(0, np.uint64)
        self._slots, self._kept = np.empty(0, np.intp), {}

    def __len__(self) -> int:
        return len(self.errors)

    def __getitem__(self, name: str) -> np.ndarray:
        """What is kept under a name, the best instance first, shape (count, …)."""
        return self._kept[name][self._slots]

    def take(self, name: str, ranks: np.ndarray) -> np.ndarray:
        """What is kept under a name of the instances at these ranks, counted from 0."""
        return self._kept[name][self._slots[ranks]]

    def add(self, errors: np.ndarray, keys: np.ndarray, parts: dict[str, np.ndarray]) -> np.ndarray:
        """Offer instances; those whose error is not finite are left out.

        Returns
        -------
        ndarray of int
            Which of them were taken, the best first.
        """
        if not self._kept:
            self._kept = {name: np.zeros((self.size, *a.shape[1:]), a.dtype) for name, a in parts.items()}
        usable = np.flatnonzero(np.isfinite(errors))
        all_errors = np.concatenate([self.errors, errors[usable]])
        all_keys = np.concatenate([self.keys, keys[usable]])
        order = np.argsort(all_errors, kind="stable")  # of equals the one that was there before stays
        _, first = np.unique(all_keys[order], return_index=True)
        kept = order[np.sort(first)][: self.size]
        old = len(self.errors)
        places = np.full(old + len(usable), -1)
        places[:old] = self._slots
        new = kept[kept >= old]
        free = np.setdiff1d(np.arange(self.size), self._slots[kept[kept < old]])[: len(new)]
        places[new] = free
        for name, stored in self._kept.items():
            stored[free] = parts[name][usable[new - old]]
        self.errors, self.keys, self._slots = all_errors[kept], all_keys[kept], places[kept]
        return usable[new - old]

    def choose(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Ranks drawn by the power law over a full repository; -1 where there is no instance at that rank yet."""
        ranks = np.searchsorted(self._cumulative, rng.random(count), side="right")
        return np.where(ranks < len(self), ranks, -1)

    def choose_known(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Ranks drawn by the power law over the instances that there are."""
        if len(self) == 0:
            return np.empty(0, np.intp)
        limit = self._cumulative[len(self) - 1]
        return np.minimum(np.searchsorted(self._cumulative, limit * rng.random(count), side="right"), len(self) - 1)

    def snapshot(self) -> dict:
        """A copy of all that is kept."""
        kept = {name: [a.dtype.str, [len(self), *a.shape[1:]], self[name]] for name, a in self._kept.items()}
        return {"errors": self.errors.copy(), "keys": self.keys.copy(), "kept": kept}

    def restore(self, snapshot: dict) -> None:
        """The contents of a :meth:`snapshot`."""
        self.clear()
        parts = snapshot["kept"].items()  # a list does not tell the shape of an array without elements
        kept = {name: np.array(values, np.dtype(kind)).reshape(shape) for name, (kind, shape, values) in parts}
        if len(snapshot["errors"]):
            self.add(np.array(snapshot["errors"], float), np.array(snapshot["keys"], np.uint64), kept)
