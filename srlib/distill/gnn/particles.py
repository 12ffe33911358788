"""Particles that move under a pair potential: many simulations at once, with a symplectic step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...validation import check_number
from .potentials import Potential, read_potential

__all__ = ["Particles", "Trajectories", "accelerations", "energies", "integrate", "pairs", "simulate"]

REFINED = (1, 4, 16, 64)  # times the substeps, for a simulation whose energy drifts too much


@dataclass(frozen=True)
class Particles:
    """Where particles are at one time, in many simulations.

    Attributes
    ----------
    x, v : ndarray, shape (simulations, n, dim)
        Positions and velocities.
    q, m : ndarray, shape (simulations, n)
        Charges and masses.

    Raises
    ------
    ValueError
        If shapes do not go together, a mass is not positive or two particles are at the same place.
    """

    x: np.ndarray
    v: np.ndarray
    q: np.ndarray
    m: np.ndarray

    def __post_init__(self):
        for name in ("x", "v", "q", "m"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))
        if self.x.ndim != 3 or self.v.shape != self.x.shape:
            raise ValueError(
                f"x has shape {self.x.shape} and v {self.v.shape}: give both as (simulations, particles, dim)"
            )
        if self.q.shape != self.x.shape[:2] or self.m.shape != self.x.shape[:2]:
            raise ValueError(f"q has shape {self.q.shape} and m {self.m.shape}: give {self.x.shape[:2]}")
        _check_size(*self.x.shape)
        for name in ("x", "v", "q", "m"):
            _refuse(~np.isfinite(getattr(self, name)), f"{name} is not finite")
        _refuse(self.m <= 0, "m is not positive, and a particle without mass has no acceleration,")
        first, second = pairs(self.x.shape[1])
        same = (self.x[:, first] == self.x[:, second]).all(axis=2)  # (simulations, pairs)
        if same.any():
            simulation, pair = np.argwhere(same)[0]
            raise ValueError(
                f"x puts particles {first[pair]} and {second[pair]} of simulation {simulation} at the same place: "
                "their force has no direction; move one of them"
            )

    @classmethod
    def random(
        cls, simulations: int, n: int = 4, dim: int = 2, potential="spring", random_state=None, spread: float = 1.0,
        log_mass: tuple[float, float] = (0.0, 1.0),
    ) -> Particles:  # fmt: skip
        """Random ones, as in the original: positions and velocities normal, masses log-normal.

        Parameters
        ----------
        simulations, n, dim : int
        potential : Potential or str
            Says whether charges are normal or signs.
        random_state : int or sequence of int, optional
        spread : float
            Standard deviation of the positions.
        log_mass : (float, float)
            Mean and standard deviation of log m.
        """
        _check_size(simulations, n, dim)
        check_number("spread", spread, above=0)
        rng = np.random.default_rng(random_state)
        x, v = rng.standard_normal((2, simulations, n, dim))
        q, log_m = rng.standard_normal((2, simulations, n))
        if read_potential(potential).charges == "signs":
            q = np.sign(q)
        return cls(spread * x, v, q, np.exp(log_mass[0] + log_mass[1] * log_m))

    def take(self, rows) -> Particles:
        """Some of the simulations."""
        return Particles(self.x[rows], self.v[rows], self.q[rows], self.m[rows])


def _check_size(simulations: int, n: int, dim: int) -> None:
    check_number("simulations", simulations, least=1, whole=True)
    check_number("n", n, least=2, whole=True, remedy="because a particle alone feels no force")
    if dim not in (2, 3):
        raise ValueError(f"dim is {dim!r}: give 2 or 3")


def _refuse(bad: np.ndarray, what: str) -> None:
    if bad.any():
        simulation, particle = np.argwhere(bad)[0][:2]
        raise ValueError(f"{what} in simulation {simulation}, particle {particle}")


def pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The first and the second particle of each of the n(n-1)/2 pairs."""
    return np.triu_indices(n, 1)


def _apart(potential: Potential, x, q, m):
    """Difference of positions (simulations, pairs, dim), distance, and what the energy is a function of."""
    first, second = pairs(x.shape[1])
    d = x[:, first] - x[:, second]
    distance = np.sqrt(np.einsum("spd,spd->sp", d, d))  # (simulations, pairs)
    return d, distance, (distance + potential.softening, m[:, first], m[:, second], q[:, first], q[:, second])


def accelerations(potential, x, v, q, m) -> np.ndarray:
    """What a potential does to particles, shape (simulations, n, dim); arguments as in :class:`Particles`."""
    potential, n = read_potential(potential), x.shape[1]
    d, distance, columns = _apart(potential, x, q, m)
    with np.errstate(invalid="ignore", divide="ignore"):
        force = (-potential.slope(*columns) / distance)[:, :, None] * d  # on the first of each pair
    first, second = pairs(n)
    total = np.zeros_like(x)
    for pair in range(len(first)):  # n(n-1)/2 of them, each for all simulations
        total[:, first[pair]] += force[:, pair]
        total[:, second[pair]] -= force[:, pair]
    if potential.drag:  # particle i is the first of n - 1 - i pairs
        total -= (np.arange(n - 1, -1, -1) / n)[:, None] * v
    return total / m[:, :, None]


def energies(potential, x, v, q, m) -> tuple[np.ndarray, np.ndarray]:
    """Kinetic and potential energy, each of shape (simulations,)."""
    potential = read_potential(potential)
    kinetic = 0.5 * np.einsum("sn,snd,snd->s", m, v, v)
    return kinetic, potential.value(*_apart(potential, x, q, m)[2]).sum(axis=1)


def integrate(
    acceleration: Callable, start: Particles, dt: float, steps: int, every: int = 1, substeps: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Move particles by the velocity-Verlet (leapfrog) step.

    Parameters
    ----------
    acceleration : callable
        ``acceleration(x, v, q, m)`` gives (simulations, n, dim): a potential's, a network's or a formula's.
    start : Particles
    dt : float
        Time between two steps, of which each is done in ``substeps`` parts.
    steps, every : int
        How many; every so many are kept, the start among them.
    substeps : int

    Returns
    -------
    x, v : ndarray, shape (simulations, kept, n, dim)
        NaN or infinite where a simulation has got out of hand.

    Raises
    ------
    ValueError
        If ``dt`` or a number of steps is impossible.
    """
    _check_times(dt, steps, every, substeps)
    x, v, q, m = start.x, start.v, start.q, start.m
    h = dt / substeps
    kept_x, kept_v = [x], [v]
    with np.errstate(all="ignore"):
        a = acceleration(x, v, q, m)
        for step in range(1, steps):
            for _ in range(substeps):
                half = v + 0.5 * h * a
                x = x + h * half
                a = acceleration(x, half, q, m)
                v = half + 0.5 * h * a
            if step % every == 0:
                kept_x.append(x)
                kept_v.append(v)
    return np.stack(kept_x, axis=1), np.stack(kept_v, axis=1)


def _check_times(dt: float, steps: int, every: int, substeps: int) -> None:
    check_number("dt", dt, above=0)
    for name, value, least in (("steps", steps, 2), ("every", every, 1), ("substeps", substeps, 1)):
        check_number(name, value, least=least, whole=True)


@dataclass(frozen=True)
class Trajectories:
    """Simulations that have run.

    Attributes
    ----------
    potential : Potential
    start : Particles
    times : ndarray, shape (times,)
    x, v : ndarray, shape (simulations, times, n, dim)
    drift : ndarray, shape (simulations,)
        The largest change of the energy, over (kinetic energy + |potential energy| + 1) at the start. With drag, where
        energy is lost, NaN.
    substeps : ndarray of int, shape (simulations,)
        What each step was divided into.
    """

    potential: Potential
    start: Particles = field(repr=False)
    times: np.ndarray = field(repr=False)
    x: np.ndarray = field(repr=False)
    v: np.ndarray = field(repr=False)
    drift: np.ndarray = field(repr=False)
    substeps: np.ndarray = field(repr=False)

    def momentum(self) -> np.ndarray:
        """Total momentum, shape (simulations, times, dim); conserved without drag."""
        return np.einsum("sn,stnd->std", self.start.m, self.v)


def simulate(
    potential, simulations: int = 1000, n: int = 4, dim: int = 2, *, steps: int = 500, every: int = 5,
    dt: float | None = None, substeps: int = 2, tolerance: float | None = None, start: Particles | None = None,
    random_state=None, **options,
) -> Trajectories:  # fmt: skip
    """Let particles move.

    The step is the same for all simulations: an adaptive one for all together would be set by the worst of them.

    Parameters
    ----------
    potential : str, Potential, Expression or callable
        A name of :data:`srlib.distill.gnn.POTENTIALS`, or another potential.
    simulations, n, dim : int
        How many simulations, particles and dimensions (2 or 3).
    steps, every : int
        Steps, and how many of them make one that is kept (the original keeps 100 of 500).
    dt : float, optional
        Time of a step; by default the potential's.
    substeps : int
        Parts of each step.
    tolerance : float, optional
        Simulations whose energy drifts by more are done again with 4, 16 and 64 times the substeps; what still drifts
        then is kept and reported in :class:`Trajectories`. (Accelerations are computed from the state, and are exact
        on a trajectory that has drifted.) Not for a potential with drag.
    start : Particles, optional
        Where to begin; by default :meth:`Particles.random` with ``options``.
    random_state : int or sequence of int, optional
    **options
        Passed to :meth:`Particles.random`: spread, log_mass.

    Raises
    ------
    ValueError
        If an argument cannot be used, or a trajectory is not finite; with the simulation's number.
    """
    potential = read_potential(potential)
    dt = potential.dt if dt is None else dt
    _check_times(dt, steps, every, substeps)
    check_number("tolerance", tolerance, above=0, optional=True)
    if potential.drag and tolerance is not None:
        raise ValueError(f"tolerance is {tolerance!r}: energy is lost by drag in {potential.name!r}; leave it out")
    if start is None:
        start = Particles.random(simulations, n, dim, potential, random_state, **options)
    count = len(start.x)
    kept = 1 + (steps - 1) // every
    x, v = np.empty((2, count, kept, *start.x.shape[1:]))
    drift, used, todo = np.full(count, np.nan), np.zeros(count, dtype=int), np.arange(count)
    for parts in [substeps] if tolerance is None else [substeps * factor for factor in REFINED]:
        part = start.take(todo)
        x[todo], v[todo] = integrate(
            lambda *state: accelerations(potential, *state), part, dt, steps, every, substeps=parts
        )
        used[todo] = parts
        if potential.drag:
            break
        drift[todo] = _drift(potential, part, x[todo], v[todo])
        todo = np.flatnonzero(~(drift <= (np.inf if tolerance is None else tolerance)))
        if not len(todo):
            break
    bad = ~(np.isfinite(x) & np.isfinite(v)).all(axis=(2, 3))  # (simulations, times)
    if bad.any():
        simulation, time = np.argwhere(bad)[0]
        raise ValueError(
            f"the trajectory of simulation {simulation} is not finite from time {time * every * dt:.4g} on "
            f"({int(bad.any(axis=1).sum())} of {count} simulations): give a smaller dt, or other masses"
        )
    return Trajectories(potential, start, np.arange(kept) * every * dt, x, v, drift, used)


def _drift(potential, start: Particles, x, v) -> np.ndarray:
    count, kept = x.shape[:2]
    flat = (x.reshape(-1, *x.shape[2:]), v.reshape(-1, *x.shape[2:]))
    q, m = (np.repeat(one, kept, axis=0) for one in (start.q, start.m))
    with np.errstate(all="ignore"):
        kinetic, pair = (one.reshape(count, kept) for one in energies(potential, *flat, q, m))
        scale = kinetic[:, 0] + np.abs(pair[:, 0]) + 1
        return np.abs(kinetic + pair - (kinetic + pair)[:, :1]).max(axis=1) / scale
