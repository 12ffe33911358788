"""The network: elementary functions in layers, and the values of many sampled instances in one pass.

Every input of a function is a connection. It has structure parameters z, one for each node of the layer before, and
one weight w. An instance decides for each connection how much each node of the layer before is involved in it: a vector
V on the simplex, or one-hot. (G. Chen 2020, Learning Symbolic Expressions via Gumbel-Max Equation Learner Networks;
document 004, section 3.)

Everything about connections lies in arrays with one row for each, through all layers, padded to the widest layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..validation import check_number
from .functions import SUM, NodeFunction, find_function

__all__ = ["Architecture", "Group", "Layer", "Tape", "Weights", "backward", "forward", "mixing"]


@dataclass(frozen=True)
class Group:
    """Nodes of one layer that compute the same function."""

    function: NodeFunction
    nodes: slice  # of the layer's nodes
    arguments: tuple[slice, ...]  # of the layer's rows: the first inputs of all these nodes, then the second ones


@dataclass(frozen=True)
class Layer:
    """One layer; the last is the output, a single identity."""

    names: tuple[str, ...]  # of its nodes' functions
    groups: tuple[Group, ...]
    rows: slice  # of all rows of the network
    sums: slice  # of the layer's rows: those of its sum nodes, which are its last nodes
    before: int  # M_{k-1}, nodes of the layer before


@dataclass(frozen=True)
class Architecture:
    """The layers of a network for so many columns.

    Parameters
    ----------
    features : int
        The columns; the input layer has them and the constant 1.
    functions : sequence of sequence of str
        For each hidden layer the functions of its nodes (:data:`srlib.gmeql.FUNCTIONS`, and ``"sum"``). Nodes of one
        kind are put side by side, sums last.

    Raises
    ------
    ValueError
        If there is no column, no layer, an empty one, or a function that does not exist.

    Examples
    --------
    >>> network = Architecture(2, [["identity", "sin"], ["plus", "times"]])
    >>> network.connections, network.widths
    (7, (3, 2, 2, 1))
    """

    features: int
    functions: tuple[tuple[str, ...], ...]

    def __init__(self, features: int, functions: Iterable[Sequence[str]]):
        check_number("features", features, least=1, whole=True)
        object.__setattr__(self, "features", int(features))
        object.__setattr__(self, "functions", read_layers(functions))

    def __getstate__(self) -> dict:
        """Without what is only remembered."""
        return {"features": self.features, "functions": self.functions}

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        layers, first, before = [], 0, self.features + 1
        for names in (*self.functions, ("identity",)):
            groups, row = [], 0
            for name in dict.fromkeys(names):
                if name == SUM:
                    continue
                function, count, at = find_function(name), names.count(name), names.index(name)
                arguments = tuple(slice(row + k * count, row + (k + 1) * count) for k in range(function.arity))
                groups.append(Group(function, slice(at, at + count), arguments))
                row += function.arity * count
            rows = slice(first, first + row + names.count(SUM))
            layers.append(Layer(names, tuple(groups), rows, slice(row, row + names.count(SUM)), before))
            first, before = rows.stop, len(names)
        return tuple(layers)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """How many nodes each layer has, from the inputs to the output."""
        return (self.features + 1, *(len(layer.names) for layer in self.layers))

    @cached_property
    def widest(self) -> int:
        """Places in the padded arrays."""
        return max(layer.before for layer in self.layers)

    @cached_property
    def rows(self) -> int:
        """Connections and sums together."""
        return self.layers[-1].rows.stop

    @cached_property
    def sums(self) -> np.ndarray:
        """The rows that belong to sum nodes, which have no structure."""
        found = [np.arange(layer.rows.start + layer.sums.start, layer.rows.stop) for layer in self.layers]
        return np.concatenate(found)

    @cached_property
    def structural(self) -> np.ndarray:
        """The rows that are connections: those with structure parameters."""
        return np.setdiff1d(np.arange(self.rows), self.sums)

    @property
    def connections(self) -> int:
        return len(self.structural)

    @cached_property
    def real(self) -> np.ndarray:
        """Which places are no padding, shape (rows, widest)."""
        real = np.zeros((self.rows, self.widest), bool)
        for layer in self.layers:
            real[layer.rows, : layer.before] = True
        return real

    @cached_property
    def reach(self) -> np.ndarray:
        """M_{k-1} of each row's layer, shape (rows, 1)."""
        return self.real.sum(axis=1, keepdims=True)

    @cached_property
    def most_inputs(self) -> int:
        """How many times a formula of this network can take a column, at most."""
        leaves = [1] * self.widths[0]
        for layer in self.layers:
            of_sum, one = sum(leaves), max(leaves)
            leaves = [of_sum if name == SUM else one * find_function(name).arity for name in layer.names]
        return leaves[0]

    def connection_names(self) -> list[str]:
        """A name for each row, such as ``"layer 2, times 0, input 1"``."""
        names = [""] * self.rows
        for number, layer in enumerate(self.layers, 1):
            where = f"layer {number}" if number < len(self.layers) else "output"
            for group in layer.groups:
                for k, rows in enumerate(group.arguments):
                    for copy, row in enumerate(range(rows.start, rows.stop)):
                        name = f"{where}, {group.function.name} {copy}, input {k}"
                        names[layer.rows.start + row] = where if where == "output" else name
            for copy, row in enumerate(range(layer.sums.start, layer.sums.stop)):
                names[layer.rows.start + row] = f"{where}, sum {copy}"
        return names


def read_layers(functions: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Hidden layers with nodes of one kind side by side and sums last."""
    if isinstance(functions, str) or not isinstance(functions, Iterable):
        raise ValueError(f"layers is {functions!r}: give a list of layers, such as [['identity', 'sin'], ['plus']]")
    found = []
    for number, names in enumerate(functions, 1):
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise ValueError(f"layers holds {names!r} as layer {number}: give a list of functions, such as ['sin']")
        names = tuple(names)
        if wrong := [name for name in names if not isinstance(name, str)]:
            raise ValueError(f"layers holds {wrong[0]!r} in layer {number}: give names of functions, such as 'sin'")
        if not names:
            raise ValueError(f"layers holds no function in layer {number}: give each layer at least one node")
        kinds = [name for name in dict.fromkeys(names) if name != SUM]
        for name in kinds:
            find_function(name)
        kinds += [SUM] * (SUM in names)
        found.append(tuple(kind for kind in kinds for _ in range(names.count(kind))))
    if not found:
        raise ValueError("layers is empty: give at least one layer of functions, such as [['identity', 'sin']]")
    return tuple(found)


@dataclass(frozen=True)
class Weights:
    """The regression parameters, of one network or with a first axis of instances.

    Attributes
    ----------
    w : ndarray, shape (rows,) or (instances, rows)
        The weight of each connection; those of sums are not used.
    u : ndarray, shape (sums, widest) or (instances, sums, widest)
        The weights of the sum nodes' inputs.
    """

    w: np.ndarray
    u: np.ndarray

    def take(self, which) -> Weights:
        return Weights(self.w[which], self.u[which])


def mixing(architecture: Architecture, V: np.ndarray, weights: Weights) -> np.ndarray:
    """What multiplies the layer before in each row: w V for connections, u for sums; (instances, rows, widest)."""
    A = V * weights.w[..., :, None]
    A[:, architecture.sums] = weights.u
    return A


@dataclass
class Tape:
    """What :func:`backward` needs: the inputs and the values of all nodes, by layer."""

    A: np.ndarray  # (instances, rows, widest)
    inputs: list[np.ndarray]  # (instances, rows of the layer, data rows)
    values: list[np.ndarray]  # from the input layer, (nodes, data rows), to the output, (instances, 1, data rows)
    broken: list[np.ndarray | None]  # nodes without finite values, whose values are 0 here, (instances, nodes)


def forward(architecture: Architecture, A: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Tape]:
    """The outputs of all instances.

    Parameters
    ----------
    architecture : Architecture
    A : ndarray, shape (instances, rows, widest)
        See :func:`mixing`.
    X : ndarray, shape (features + 1, data rows)
        The columns, and a row of ones.

    Returns
    -------
    ndarray, shape (instances, data rows)
        NaN in all rows for an instance that has no finite value in some row.
    Tape
    """
    tape, values, broken = Tape(A, [], [X], [None]), X, None
    with np.errstate(all="ignore"):
        for layer in architecture.layers:
            mixed = A[:, layer.rows, : layer.before]
            inputs = mixed @ values  # (instances, rows of the layer, data rows)
            values = np.empty((len(A), len(layer.names), X.shape[1]))
            for group in layer.groups:
                values[:, group.nodes] = group.function.value(*(inputs[:, rows] for rows in group.arguments))
            sums = layer.sums.stop - layer.sums.start
            if sums:
                values[:, -sums:] = inputs[:, layer.sums]
            broken = _broken(layer, mixed, values, broken)
            if broken is not None:
                values[broken] = 0.0
            tape.inputs.append(inputs)
            tape.values.append(values)
            tape.broken.append(broken)
    output = values[:, 0]
    if broken is not None:
        output[broken[:, 0]] = np.nan
    return output, tape


def _broken(layer: Layer, mixed: np.ndarray, values: np.ndarray, before: np.ndarray | None) -> np.ndarray | None:
    """Which nodes have no finite value in some row, (instances, nodes), by themselves or through what they take.

    A node that nobody takes may be broken without harm: 0 times NaN would be NaN, so it counts as 0 from there on.
    """
    if before is None and np.isfinite(values.sum()):
        return None
    broken = ~np.isfinite(values).all(axis=2)
    if before is not None:
        rows = ((mixed != 0) & before[:, None]).any(axis=2)  # (instances, rows)
        for group in layer.groups:
            for arguments in group.arguments:
                broken[:, group.nodes] |= rows[:, arguments]
        if layer.sums.stop > layer.sums.start:
            broken[:, layer.sums.start - layer.sums.stop :] |= rows[:, layer.sums]
    return broken if broken.any() else None


def backward(architecture: Architecture, tape: Tape, gradient: np.ndarray) -> np.ndarray:
    """The derivatives of a loss by A, shape (instances, rows, widest), from those by the outputs.

    Those of an instance without finite values must be 0.
    """
    dA = np.zeros_like(tape.A)
    flowing = gradient[:, None]  # (instances, nodes of the layer, data rows)
    with np.errstate(all="ignore"):
        for number in range(len(architecture.layers) - 1, -1, -1):
            layer, inputs, values = architecture.layers[number], tape.inputs[number], tape.values[number + 1]
            delta = np.empty_like(inputs)
            for group in layer.groups:
                arguments = [inputs[:, rows] for rows in group.arguments]
                slopes = group.function.slopes(arguments, values[:, group.nodes])
                for rows, slope in zip(group.arguments, slopes, strict=True):
                    np.multiply(flowing[:, group.nodes], slope, out=delta[:, rows])
            sums = layer.sums.stop - layer.sums.start
            if sums:
                delta[:, layer.sums] = flowing[:, -sums:]
            # 0 times the slope of a root at 0; the instances' derivatives are added up, and one would spoil them all
            if tape.broken[number + 1] is not None or not np.isfinite(delta.sum()):
                np.nan_to_num(delta, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            dA[:, layer.rows, : layer.before] = delta @ np.swapaxes(tape.values[number], -1, -2)
            if number:
                flowing = np.swapaxes(tape.A[:, layer.rows, : layer.before], 1, 2) @ delta
    return dA
