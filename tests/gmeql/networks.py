"""What the tests of GMEQL share: random instances, networks wired by name, and a torch version of the network."""

import numpy as np

from srlib.gmeql import Architecture, Weights

EVERY = (
    ("identity", "square", "cubic", "fourth", "fifth", "sixth", "sin", "sin", "cos", "exp"),
    ("plus", "minus", "times", "times", "division", "sum", "sqrt_abs"),
    ("plus", "times", "identity", "sin", "sum"),
)


def random_instances(architecture, count, seed, spread=1.0):
    """Edges (count, rows) and weights of their own."""
    rng = np.random.default_rng(seed)
    edges = np.stack([rng.integers(0, architecture.reach[:, 0]) for _ in range(count)])
    w = spread * rng.standard_normal((count, architecture.rows))
    u = spread * rng.standard_normal((count, len(architecture.sums), architecture.widest))
    return edges, Weights(w, u * architecture.real[architecture.sums])


def table(features, rows=60, seed=1, low=0.3, high=1.5):
    """A table with the row of ones, shape (features + 1, rows)."""
    X = np.random.default_rng(seed).uniform(low, high, (features, rows))
    return np.vstack([X, np.ones(rows)])


def wired(architecture: Architecture, connections: dict[str, str], names) -> np.ndarray:
    """Edges from words: ``{"1 sin 0": "x1", "2 plus 0": "sin 0, cos 0"}``, a copy's number after its name.

    What is not named takes the constant, or the first node.
    """
    places = [[*names, "1"]]
    for layer in architecture.layers:
        seen, here = {}, []
        for name in layer.names:
            here.append(f"{name} {seen.get(name, 0)}")
            seen[name] = seen.get(name, 0) + 1
        places.append(here)
    edges = np.zeros(architecture.rows, int)
    edges[: architecture.layers[0].rows.stop] = len(names)
    at = {name: row for row, name in enumerate(architecture.connection_names())}
    for target, sources in connections.items():
        layer, _, node = target.partition(" ")
        for k, source in enumerate(sources.split(", ")):
            number = len(architecture.layers) if target == "output" else int(layer)
            name = "output" if target == "output" else f"layer {layer}, {node}, input {k}"
            edges[at[name]] = places[number - 1].index(source)
    return edges


def torch_network(architecture, A, X):
    """The outputs of all instances, (instances, rows of data), by torch alone."""
    import torch

    functions = {
        "identity": lambda a: a, "square": lambda a: a**2, "cubic": lambda a: a**3, "fourth": lambda a: a**4,
        "fifth": lambda a: a**5, "sixth": lambda a: a**6, "sin": torch.sin, "cos": torch.cos, "exp": torch.exp,
        "sqrt": torch.sqrt, "sqrt_abs": lambda a: torch.sqrt(torch.abs(a)), "plus": lambda a, b: a + b,
        "minus": lambda a, b: a - b, "times": lambda a, b: a * b, "division": lambda a, b: a / b,
    }  # fmt: skip
    values = X.expand(len(A), -1, -1)
    for layer in architecture.layers:
        inputs = torch.einsum("irm,imd->ird", A[:, layer.rows, : layer.before], values)
        nodes = [functions[g.function.name](*(inputs[:, rows] for rows in g.arguments)) for g in layer.groups]
        values = torch.cat([*nodes, inputs[:, layer.sums]], dim=1)
    return values[:, 0]
