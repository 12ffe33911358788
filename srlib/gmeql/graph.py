"""A network as nodes and edges with probabilities: what a picture of it needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .network import Architecture

__all__ = ["Edge", "Graph", "graph"]


@dataclass(frozen=True)
class Edge:
    """A connection instance: from a node of a layer to an input of a node of the next one.

    Attributes
    ----------
    layer : int
        That of the node it leads to, from 1.
    source, target : int
        Places in their layers.
    row : int
        The connection, a row of the structure parameters.
    probability : float
        How likely it is to be drawn; 1 for the inputs of sums.
    chosen : bool
        Whether the instance that was given takes it.
    """

    layer: int
    source: int
    target: int
    row: int
    probability: float
    chosen: bool


@dataclass(frozen=True)
class Graph:
    """Labels of the nodes by layer, from the inputs to the output, and the edges."""

    labels: tuple[tuple[str, ...], ...]
    edges: tuple[Edge, ...]


def graph(architecture: Architecture, probabilities: np.ndarray, edges: np.ndarray | None = None, names=None) -> Graph:
    """The network's nodes and edges.

    Parameters
    ----------
    architecture : Architecture
    probabilities : ndarray, shape (rows, widest)
        :attr:`GMEQLRegressor.probabilities_`, or an event's.
    edges : ndarray of int, shape (rows,), optional
        An instance, such as one of an event's "elite_edges": its edges are chosen, but only those that lead to the
        output.
    names : sequence of str, optional
        Of the columns.

    Examples
    --------
    >>> network = Architecture(1, [["sin"]])
    >>> for edge in graph(network, np.array([[0.9, 0.1], [1.0, 0.0]]), np.array([0, 0])).edges:
    ...     print(edge.layer, edge.source, edge.target, edge.probability, edge.chosen)
    1 0 0 0.9 True
    1 1 0 0.1 False
    2 0 0 1.0 True
    """
    names = [f"x{j}" for j in range(architecture.features)] if names is None else list(map(str, names))
    labels = [(*names, "1"), *(layer.names for layer in architecture.layers[:-1]), ("output",)]
    needed, found = {0}, []  # nodes of the layer that the output depends on
    for number in range(len(architecture.layers), 0, -1):
        layer, before = architecture.layers[number - 1], set()
        targets = {row: group.nodes.start + k for group in layer.groups for rows in group.arguments
                   for k, row in enumerate(range(rows.start, rows.stop))}  # fmt: skip
        first_sum = len(layer.names) - (layer.sums.stop - layer.sums.start)
        targets |= {row: first_sum + k for k, row in enumerate(range(layer.sums.start, layer.sums.stop))}
        for row, target in sorted(targets.items()):
            is_sum, at = row >= layer.sums.start, layer.rows.start + row
            for source in range(layer.before):
                chosen = edges is not None and target in needed and (is_sum or int(edges[at]) == source)
                if chosen:
                    before.add(source)
                likely = 1.0 if is_sum else float(probabilities[at, source])
                found.append(Edge(number, source, target, at, likely, chosen))
        needed = before
    return Graph(tuple(labels), tuple(sorted(found, key=lambda edge: (edge.layer, edge.row, edge.source))))
