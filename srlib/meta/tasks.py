"""Families of functions, and tasks drawn from them: a few points to adapt to, and others to judge by.

A *law* is a formula with numbers for its free constants, a *family* a distribution over laws. A *task* is a law seen
at some points: the support set, to which a network adapts, and the query set, on which it is judged. All tasks of a
batch lie in tensors of shape (tasks, points, 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch

from ..expression import Expression
from ..problems import Problem
from ..problems.problem import Variable
from ..validation import check_number

__all__ = ["Family", "FixedLaws", "Law", "Tasks", "check_family"]


@dataclass(frozen=True)
class Law:
    """A function of x: a form with free constants, and their values.

    Attributes
    ----------
    form : str
        Over ``x`` and the names of the constants, such as ``"sin(2*pi*f*x + phi)"``.
    constants : mapping of str to float
    domain, wide : (float, float)
        Where x is drawn from, and the wider range on which a formula that claims to be the law is judged.

    Examples
    --------
    >>> Law("a*x", {"a": 2.0}).values(np.array([1.0, 3.0]))
    array([2., 6.])
    """

    form: str
    constants: Mapping[str, float] = field(default_factory=dict)
    domain: tuple[float, float] = (-1.0, 1.0)
    wide: tuple[float, float] = (-2.0, 2.0)

    @property
    def family(self) -> Expression:
        """The form over x, then the constants."""
        return _read(self.form, ("x", *self.constants))

    def values(self, x: np.ndarray) -> np.ndarray:
        """The law's values, in the shape of ``x``."""
        with np.errstate(all="ignore"):
            return np.zeros(np.shape(x)) + self.family.evaluate_columns([np.asarray(x), *self.constants.values()])

    def problem(self, points: int = 64) -> Problem:
        """The law as a Problem, by which :func:`srlib.recovers` judges formulas."""
        x = np.linspace(*self.domain, points)
        column = Variable("x", "", *self.domain, wide=self.wide)
        constants = {name: float(value) for name, value in self.constants.items()}
        return Problem(
            "task", self.form, "meta", (column,), "y", "", self.family, constants, x[:, None], self.values(x),
            law=self.form, source="drawn from a family of laws", licence="generated from the formula; no restrictions",
        )  # fmt: skip


@lru_cache(maxsize=256)
def _read(form: str, names: tuple[str, ...]) -> Expression:
    return Expression.parse(form, names=names)


@dataclass(frozen=True)
class Tasks:
    """A batch of tasks.

    Attributes
    ----------
    x_support, y_support : Tensor, shape (tasks, support points, 1)
    x_query, y_query : Tensor, shape (tasks, query points, 1)
    laws : tuple of Law
        Those behind the tasks; empty if nobody knows them.

    Raises
    ------
    ValueError
        If a set is empty, shapes do not match, or a value is NaN or infinite.
    """

    x_support: torch.Tensor
    y_support: torch.Tensor
    x_query: torch.Tensor
    y_query: torch.Tensor
    laws: tuple[Law, ...] = ()

    def __post_init__(self):
        for name in ("support", "query"):
            x, y = getattr(self, f"x_{name}"), getattr(self, f"y_{name}")
            if x.ndim != 3 or y.shape != (*x.shape[:2], 1):
                raise ValueError(
                    f"x_{name} has shape {tuple(x.shape)} and y_{name} {tuple(y.shape)}: give (tasks, points, "
                    "features) and (tasks, points, 1)"
                )
            if x.shape[0] == 0 or x.shape[1] == 0:
                raise ValueError(f"the {name} set has shape {tuple(x.shape)}: give at least one task and one point")
            if not (x.isfinite().all() and y.isfinite().all()):
                raise ValueError(f"the {name} set contains NaN or infinity: leave those points out")
        if len(self.x_support) != len(self.x_query) or (self.laws and len(self.laws) != len(self.x_support)):
            raise ValueError(
                f"there are {len(self.x_support)} support sets, {len(self.x_query)} query sets and {len(self.laws)} "
                "laws: give one of each for a task"
            )

    @classmethod
    def from_points(cls, x, y, support: int, seed: int = 0) -> Tasks:
        """Tasks from measured points, split by chance into support and query sets.

        Parameters
        ----------
        x, y : array, shape (tasks, points)
        support : int
            How many points of each task are its support set; the others are the query set.
        seed : int

        Raises
        ------
        ValueError
            If that leaves no point for one of the sets.
        """
        x, y = (torch.as_tensor(np.asarray(values, dtype=float)) for values in (x, y))
        if x.ndim != 2 or x.shape != y.shape:
            raise ValueError(f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}: give (tasks, points) for both")
        if len(x) == 0:
            raise ValueError("x has no rows: give at least one task")
        check_number("support", support, least=1, whole=True)
        if support >= x.shape[1]:
            raise ValueError(
                f"support is {support}, but a task has {x.shape[1]} points: give at most {x.shape[1] - 1}, so that the "
                "query set has one"
            )
        rng = np.random.default_rng(seed)
        order = torch.from_numpy(np.stack([rng.permutation(x.shape[1]) for _ in x]))
        x, y = x.gather(1, order)[:, :, None], y.gather(1, order)[:, :, None]
        return cls(x[:, :support], y[:, :support], x[:, support:], y[:, support:])

    def __len__(self) -> int:
        return len(self.x_support)

    def __getitem__(self, which) -> Tasks:
        """One task, or those of a slice, as a batch."""
        if not isinstance(which, slice):
            at = range(len(self))[which]  # beyond the end an IndexError, which is what ends a loop over tasks
            which = slice(at, at + 1)
        parts = (getattr(self, name)[which] for name in ("x_support", "y_support", "x_query", "y_query"))
        return Tasks(*parts, laws=self.laws[which])

    def to(self, dtype: torch.dtype) -> Tasks:
        """The same numbers in another precision."""
        if dtype == self.x_support.dtype:
            return self
        parts = (getattr(self, name).to(dtype) for name in ("x_support", "y_support", "x_query", "y_query"))
        return Tasks(*parts, laws=self.laws)

    def zero_errors(self) -> torch.Tensor:
        """The query errors of predicting zero, shape (tasks,): what every method has to beat."""
        return self.y_query.square().mean(dim=(1, 2))


class Family:
    """A distribution over laws. Subclasses say how a law is drawn (:meth:`draw`)."""

    domain: tuple[float, float] = (-1.0, 1.0)

    def draw(self, rng: np.random.Generator) -> Law:
        """One law."""
        raise NotImplementedError

    def sample(
        self, tasks: int, seed: int | Sequence[int] = 0, support: int = 10, query: int = 10, noise: float = 0.0
    ) -> Tasks:
        """Fresh tasks.

        Parameters
        ----------
        tasks : int
            How many.
        seed : int or sequence of int
            The same seed gives the same laws and points.
        support, query : int
            Points of the two sets, drawn uniformly from the domain.
        noise : float
            The standard deviation of Gaussian noise on the values of the support set. Query values are the law's own.
        """
        for name, value in (("tasks", tasks), ("support", support), ("query", query)):
            check_number(name, value, least=1, whole=True)
        check_number("noise", noise, least=0)
        rng = np.random.default_rng(seed)
        laws = self.draw_many(rng, tasks)
        low, high = np.array([law.domain for law in laws]).T[:, :, None]  # (tasks, 1) each
        x = low + (high - low) * rng.random((tasks, support + query))
        y = _values(laws, x)
        y[:, :support] += noise * rng.standard_normal((tasks, support))
        x, y = torch.from_numpy(x)[:, :, None], torch.from_numpy(y)[:, :, None]
        return Tasks(x[:, :support], y[:, :support], x[:, support:], y[:, support:], tuple(laws))

    def draw_many(self, rng: np.random.Generator, count: int) -> list[Law]:
        """So many laws."""
        return [self.draw(rng) for _ in range(count)]

    def fixed(self, laws: int, seed: int | Sequence[int] = 0) -> FixedLaws:
        """A family of only so many laws, drawn once. Points are still drawn anew.

        Document 000 trains on 10 functions that are drawn once.
        """
        check_number("laws", laws, least=1, whole=True)
        return FixedLaws(tuple(self.draw_many(np.random.default_rng(seed), laws)))


def check_family(family) -> None:
    """A ValueError unless it is a :class:`Family`."""
    if not isinstance(family, Family):
        raise ValueError(f"family is {family!r}: give a Family, such as WavesAndExponentials()")


def _values(laws: Sequence[Law], x: np.ndarray) -> np.ndarray:
    """The values of each law at its own points, (tasks, points); laws of one form are computed together."""
    y = np.empty_like(x)
    forms: dict[tuple, list[int]] = {}
    for at, law in enumerate(laws):
        forms.setdefault((law.form, *law.constants), []).append(at)
    with np.errstate(all="ignore"):
        for (form, *names), at in forms.items():
            constants = [np.array([laws[k].constants[name] for k in at])[:, None] for name in names]
            y[at] = _read(form, ("x", *names)).evaluate_columns([x[at], *constants])
    return y


@dataclass(frozen=True)
class FixedLaws(Family):
    """Each law with the same probability; a batch of as many tasks as there are laws has each once.

    Examples
    --------
    >>> FixedLaws((Law("x"), Law("x*x"))).sample(2).x_query.shape
    torch.Size([2, 10, 1])
    """

    laws: tuple[Law, ...]

    def __post_init__(self):
        if isinstance(self.laws, Law) or not all(isinstance(law, Law) for law in self.laws):
            raise ValueError(f"laws is {self.laws!r}: give a tuple of Law, such as (Law('x'), Law('x*x'))")
        if not self.laws:
            raise ValueError("laws is empty: give at least one Law")

    def draw(self, rng: np.random.Generator) -> Law:
        return self.laws[int(rng.integers(len(self.laws)))]

    def draw_many(self, rng: np.random.Generator, count: int) -> list[Law]:
        if count == len(self.laws):
            return list(self.laws)
        return super().draw_many(rng, count)
