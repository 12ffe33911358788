"""What messages say: their importance, how far they are forces, and their formulas.

The node model can undo any invertible map of the messages that depends on the receiver, so that a network may send
forces F or, as well, accelerations F/m of the receiver. Only messages that are antisymmetric (Newton's third law) must
be forces up to a linear map. Every number here says which of the two it compares with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from ...estimator import SymbolicRegressor
from ...scikit import clone
from ...validation import check_choice, check_number
from ..student import Distillation, distill
from .graphs import Graphs, pair_forces
from .network import GraphNetwork

__all__ = [
    "ForceFit", "MessageTeacher", "Messages", "UNITS", "distill_message", "fit_trimmed", "message_table",
    "read_messages", "share_weights",
]  # fmt: skip

TARGETS = ("force", "acceleration")
UNITS = {"dx": "m", "dy": "m", "dz": "m", "r": "m", "m1": "kg", "m2": "kg", "q1": "C", "q2": "C"}


@dataclass(frozen=True)
class ForceFit:
    """Message components as linear functions of a target, ``m = A t + b``, fitted on the best rows.

    Attributes
    ----------
    target : {"force", "acceleration"}
        The force on the receiver, or that over its mass.
    components : tuple of int
        Which ones, the most important first.
    A, b : ndarray, shape (components, dim), (components,)
    r2, r2_trimmed : ndarray, shape (components,)
        The share of the variance that is explained: on all rows by ordinary least squares, and on the best rows by
        ``A`` and ``b``.
    """

    target: str
    components: tuple[int, ...]
    A: np.ndarray
    b: np.ndarray
    r2: np.ndarray
    r2_trimmed: np.ndarray

    def expected(self, targets: np.ndarray) -> np.ndarray:
        """The messages that targets (edges, dim) would give, shape (edges, components): for a scatter plot."""
        return targets @ self.A.T + self.b


@dataclass(frozen=True)
class Messages:
    """The messages of a network on the edges of some graphs.

    Attributes
    ----------
    network : GraphNetwork
    pair : ndarray, shape (edges, 2 (2 dim + 2))
        The states of receiver and sender.
    values : ndarray, shape (edges, components)
    forces : ndarray, shape (edges, dim)
        The true forces on the receivers.
    softening : float
        Of the potential.
    """

    network: GraphNetwork
    pair: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    forces: np.ndarray = field(repr=False)
    softening: float = 0.01

    @property
    def deviations(self) -> np.ndarray:
        """The importance of each component, its standard deviation, shape (components,)."""
        return self.values.std(axis=0)

    def top(self, count: int | None = None) -> tuple[int, ...]:
        """The most important components, by default as many as space has dimensions."""
        count = self.forces.shape[1] if count is None else count
        return tuple(np.argsort(-self.deviations, kind="stable")[:count].tolist())

    @property
    def concentration(self) -> float:
        """The share of the messages' variance in the most important components, as many as there are dimensions."""
        variance = self.deviations**2
        return float(variance[list(self.top())].sum() / variance.sum()) if variance.any() else 0.0

    def targets(self, target: str = "force") -> np.ndarray:
        """True forces, or forces over the receiver's mass, shape (edges, dim)."""
        check_choice("target", target, TARGETS)
        mass = self.pair[:, self.pair.shape[1] // 2 - 1]
        return self.forces / mass[:, None] if target == "acceleration" else self.forces

    def fit(self, target: str = "force", trim: float = 0.1, components: Sequence[int] | None = None) -> ForceFit:
        """The top components as linear functions of the target; ``trim`` is the share of rows left out, the worst."""
        truth = self.targets(target)
        components = self.top() if components is None else tuple(components)
        fits = [fit_trimmed(truth, self.values[:, one], trim) for one in components]
        A, b, r2, trimmed = (np.array(one) for one in zip(*fits, strict=True))
        return ForceFit(target, components, A, b, r2, trimmed)


def read_messages(network: GraphNetwork, graphs: Graphs, count: int = 1000, random_state=0) -> Messages:
    """The messages on all edges of so many graphs (the original: 1,000)."""
    graphs = graphs.pick(count, random_state)
    pair = graphs.pairs()
    with torch.no_grad():
        values = network.messages(network.tensor(graphs.states)).flatten(0, 1).double().numpy()
    return Messages(network, pair, values, pair_forces(graphs.potential, pair), graphs.potential.softening)


def fit_trimmed(X: np.ndarray, y: np.ndarray, trim: float = 0.1) -> tuple[np.ndarray, float, float, float]:
    """Least trimmed squares: the line whose squared errors on its best rows have the least sum.

    From least squares on all rows, and from the same with rows weighted by their size, the best rows are refitted until
    they stay the same (the concentration steps of Rousseeuw and Van Driessen 1999).

    Parameters
    ----------
    X : ndarray, shape (rows, columns)
    y : ndarray, shape (rows,)
    trim : float
        The share of rows left out.

    Returns
    -------
    slopes : ndarray, shape (columns,)
    offset, r2, r2_trimmed : float
        R2 of ordinary least squares on all rows, and of this line on its best rows; 0 where ``y`` does not vary.
    """
    check_number("trim", trim, least=0, most=0.5)
    design = np.column_stack([X, np.ones(len(X))])
    keep = len(y) - int(trim * len(y))
    size = np.sqrt(share_weights(y))
    best, least = np.zeros(design.shape[1]), np.inf
    for weight in (np.ones(len(y)), size):
        rows, before = slice(None), None
        weight = weight[:, None]
        for _ in range(50):
            line = np.linalg.lstsq((weight * design)[rows], (weight[:, 0] * y)[rows], rcond=None)[0]
            weight = np.ones((len(y), 1))
            square = (y - design @ line) ** 2
            rows = np.argpartition(square, keep - 1)[:keep]
            now = square[rows].sum()
            if before is not None and now >= before * (1 - 1e-12):
                break
            before = now
        if now < least:
            best, least = line, now
    square = (y - design @ best) ** 2
    kept = np.argpartition(square, keep - 1)[:keep]
    ordinary = (y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2
    return best[:-1], float(best[-1]), _r2(y, ordinary), _r2(y[kept], square[kept])


def share_weights(y: np.ndarray) -> np.ndarray:
    """Weights of rows, (rows,), by which errors count as a share of the values y and not by their size.

    They are ``(1 + |y|/s)^-2`` with s the median of ``|y|``, or the mean where more than half of the values are 0.
    """
    size = np.abs(y)
    return (1 + size / (np.median(size) or size.mean() or 1.0)) ** -2.0


def _r2(y: np.ndarray, square: np.ndarray) -> float:
    variance = np.var(y)
    return float(1 - square.mean() / variance) if variance > 0 else 0.0


# ------------------------------------------------------------ to symbols


class MessageTeacher:
    """A component of the messages as a function of pairs of states (edges, 2 (2 dim + 2)), receiver first."""

    def __init__(self, network: GraphNetwork, component: int):
        if not 0 <= component < network.architecture.message:
            raise ValueError(f"component is {component!r}: give 0 to {network.architecture.message - 1}")
        self.network, self.component = network, component

    def __call__(self, pair: np.ndarray) -> np.ndarray:
        half = pair.shape[1] // 2
        both = torch.from_numpy(np.ascontiguousarray(pair)).to(self.network.edge_dtype)
        with torch.no_grad():
            values = self.network.sampled(self.network.between(both[:, :half], both[:, half:]))
        return values[:, self.component].double().numpy()


def message_table(pair: np.ndarray, softening: float = 0.01) -> pd.DataFrame:
    """What a formula of a message is written in: dx, dy (dz), r, m1, m2, q1, q2; 1 is the receiver.

    r is the softened distance as in the potentials, and (dx, dy) the direction from 2 to 1 times r, so that dx/r is
    exactly what stands in the force (without softening: x1 - x2).
    """
    half = pair.shape[1] // 2
    dim = half // 2 - 1
    d = pair[:, :dim] - pair[:, half : half + dim]
    distance = np.linalg.norm(d, axis=1)
    r = distance + softening
    columns = {f"d{axis}": d[:, k] * (r / distance) for k, axis in enumerate("xyz"[:dim])}
    columns["r"] = r
    columns.update(m1=pair[:, half - 1], m2=pair[:, -1], q1=pair[:, half - 2], q2=pair[:, -2])
    return pd.DataFrame(columns)


def distill_message(
    said: Messages, component: int | None = None, student: SymbolicRegressor | None = None, *, rows: int = 600,
    nearest: float = 0.5, charges: bool = True, units: bool | Mapping[str, str] = False, random_state: int | None = 0,
) -> Distillation:  # fmt: skip
    """A component of the messages as a formula over dx, dy (dz), r, m1, m2 (q1, q2).

    Parameters
    ----------
    said : Messages
        Where the network is asked.
    component : int, optional
        By default the most important one.
    student : SymbolicRegressor, optional
        By default an :class:`~srlib.EvolutionRegressor` with square and cube, as in document 002, that answers with the
        formula of the best score.
    rows : int
        Training rows; a fifth as many are held out.
    nearest : float
        Pairs that are closer are left out, because few of them outweigh all others.
    charges : bool
        Whether the student sees them.
    units : bool or mapping
        Whether only formulas whose units balance are searched, document 002's second inductive bias: lengths are in m,
        masses in kg, charges in C (:data:`UNITS`), or as a mapping from column to unit says.
    random_state : int, optional

    Raises
    ------
    ValueError
        If ``nearest`` leaves too few pairs, a column lacks its unit, or units are given to a student that knows none or
        has its own.

    Notes
    -----
    Rows have the weights of :func:`share_weights`, so that errors count by their share.

    A message has no unit of its own, because the linear map between it and the force may have any; so with ``units``
    the formula as a whole may have any, too, and what is asked of it is that it agrees with itself. How much that
    forbids is for the student's ``dimensionless_constants_only`` to say. False, its default: each constant takes the
    unit that is needed, as the rest length of the spring does; ``dx + m1`` is refused, ``dx + 0.3*m1`` is not. True:
    constants are numbers, and the latter is refused as well; but so is the spring, whose ``r - 1`` has a length in it.
    Who knows the unit of the message gives the student ``X_units`` and ``y_units``.
    """
    component = said.top()[0] if component is None else component
    teacher = MessageTeacher(said.network, component)
    table = message_table(said.pair, said.softening)
    far = np.flatnonzero(table["r"] >= nearest)
    if len(far) < 10:
        raise ValueError(f"nearest is {nearest!r}, which leaves {len(far)} pairs: give a smaller one")
    chosen = np.random.default_rng(random_state).permutation(far)[: rows + rows // 4]
    pair = said.pair[chosen]
    if student is None:
        from ...evolution import EvolutionRegressor

        student = EvolutionRegressor(
            niterations=12, unary_operators=("square", "cube"), maxsize=22, model_selection="score"
        )
    if units:
        columns = list(_columns(table, charges))
        student = _with_units(student, UNITS if units is True else units, columns)
    return distill(
        teacher, pair, student, sample_weight=share_weights(teacher(pair)), random_state=random_state,
        inputs=lambda pair: _columns(message_table(pair, said.softening), charges),
    )  # fmt: skip


def _columns(table: pd.DataFrame, charges: bool) -> pd.DataFrame:
    return table if charges else table.drop(columns=["q1", "q2"])


def _with_units(student: SymbolicRegressor, units: Mapping[str, str], columns: list[str]) -> SymbolicRegressor:
    known = student.get_params()
    if "X_units" not in known:
        raise ValueError(f"units is given, but {type(student).__name__} knows no units: give an EvolutionRegressor")
    if known["X_units"] is not None:
        raise ValueError(f"units is given, but student has X_units={known['X_units']!r}: give one of the two")
    for column in columns:
        if column not in units:
            raise ValueError(f"units has none for {column!r}: give one for each of {', '.join(columns)}")
    return clone(student).set_params(X_units=[units[column] for column in columns])
