"""Pair potentials: those of document 002 and of its original, and any other one, with their forces.

A potential is the energy U of a pair of particles. The softened distance r = |x1 - x2| + 0.01 takes the place of the
distance in it, as in the original's code (Cranmer et al. 2020, arXiv 2006.11287), so that the force on the first
particle is ``-dU/dr (x1 - x2)/|x1 - x2|``. All quantities are in the units of the simulation, which has no others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...expression import Expression
from ...operators import suggest
from ...validation import check_choice, check_number

__all__ = ["PAIR", "POTENTIALS", "Potential", "read_potential"]

PAIR = ("r", "m1", "m2", "q1", "q2")  # what an energy is a function of


@dataclass(frozen=True)
class Potential:
    """The energy of a pair.

    Parameters
    ----------
    name : str
    energy : str, Expression or callable
        A formula over r, m1, m2, q1, q2, or a function of these five (torch tensors of one shape), which is
        differentiated automatically.
    dt : float
        A time step that suits it; the default of simulations.
    charges : {"normal", "signs"}
        Whether charges are drawn from a normal distribution or are +1 and -1.
    drag : bool
        Whether the first particle of each pair is slowed down besides, by the force -v/n: the original's "damped".
    softening : float
        What is added to distances.

    Examples
    --------
    >>> spring = POTENTIALS["spring"]
    >>> spring.slope(np.array([1.5]), *[np.ones(1)] * 4)
    array([1.])
    """

    name: str
    energy: str | Expression | Callable
    dt: float = 1e-2
    charges: str = "normal"
    drag: bool = False
    softening: float = 0.01

    def __post_init__(self):
        check_number("dt", self.dt, above=0)
        check_number("softening", self.softening, least=0)
        check_choice("charges", self.charges, ("normal", "signs"))
        if isinstance(self.energy, str):
            object.__setattr__(self, "energy", Expression.parse(self.energy, names=PAIR))
        elif isinstance(self.energy, Expression):
            object.__setattr__(self, "energy", _over_the_pair(self.energy))
        elif not callable(self.energy):
            raise ValueError(f"energy is {self.energy!r}: give a formula over {', '.join(PAIR)}, or a function of them")

    @cached_property
    def slope_formula(self) -> Expression | None:
        """dU/dr as a formula over the pair; None if the energy is a function."""
        if not isinstance(self.energy, Expression):
            return None
        energy = self.energy.sympy()
        r = next((symbol for symbol in energy.free_symbols if symbol.name == "r"), None)
        if r is None:
            return Expression.constant(0.0).with_names(PAIR)
        return Expression.from_sympy(energy.diff(r), names=PAIR)

    def value(self, r, m1, m2, q1, q2) -> np.ndarray:
        """U, of arrays of one shape; r is the softened distance."""
        return self._run(self.energy, (r, m1, m2, q1, q2))

    def slope(self, r, m1, m2, q1, q2) -> np.ndarray:
        """dU/dr, of arrays of one shape; r is the softened distance."""
        if self.slope_formula is not None:
            return self._run(self.slope_formula, (r, m1, m2, q1, q2))
        import torch

        r, *rest = (torch.from_numpy(np.ascontiguousarray(one, dtype=float)) for one in (r, m1, m2, q1, q2))
        return torch.func.grad(lambda distance: self.energy(distance, *rest).sum())(r).numpy()

    def _run(self, what, columns) -> np.ndarray:
        shape = np.shape(columns[0])
        if isinstance(what, Expression):
            with np.errstate(all="ignore"):
                return np.broadcast_to(what.evaluate_columns(list(columns)), shape)
        import torch

        return what(*(torch.from_numpy(np.ascontiguousarray(one, dtype=float)) for one in columns)).numpy()


def _over_the_pair(energy: Expression) -> Expression:
    if energy.names == PAIR:
        return energy
    used = [energy.feature_name(feature) for feature in energy.features]
    strange = [name for name in used if name not in PAIR]
    if strange:
        raise ValueError(f"energy has {strange[0]!r}: write it over {', '.join(PAIR)}")
    return Expression.parse(str(energy), names=PAIR)


def _discontinuous(r, m1, m2, q1, q2):
    import torch

    return torch.where(r < 2, torch.zeros_like(r), (r - 1) ** 2)


POTENTIALS = {
    one.name: one
    for one in (
        Potential("r1", "m1*m2*log(r)", dt=5e-3),
        Potential("r2", "-m1*m2/r", dt=1e-3),
        Potential("spring", "(r - 1)**2", dt=1e-2),
        Potential("charge", "q1*q2/r", dt=1e-3, charges="signs"),
        Potential("superposition", "q1*q2/r - m1*m2/r", dt=1e-3, charges="signs"),
        Potential("damped", "(r - 1)**2", dt=2e-2, drag=True),
        Potential("discontinuous", _discontinuous, dt=1e-2),
    )
}


def read_potential(which) -> Potential:
    """The potential that a name, an Expression, a function or a Potential stands for."""
    if isinstance(which, Potential):
        return which
    if isinstance(which, str):
        if which in POTENTIALS:
            return POTENTIALS[which]
        raise ValueError(
            f"potential is {which!r}: choose from {', '.join(POTENTIALS)}, or give Potential(name, energy)"
            f"{suggest(which, tuple(POTENTIALS))}"
        )
    return Potential("own", which)
