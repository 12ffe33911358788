"""Potentials against autograd, simulations against conservation laws, graphs and their splits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from srlib import Expression  # noqa: E402
from srlib.distill.gnn import (  # noqa: E402
    POTENTIALS,
    Particles,
    Potential,
    accelerations,
    energies,
    integrate,
    simulate,
    to_graphs,
)
from srlib.distill.gnn.graphs import edges, pair_forces  # noqa: E402
from srlib.distill.gnn.potentials import PAIR, read_potential  # noqa: E402

# written out once more, from document 002 and the original's code
ENERGY = {
    "r1": lambda r, m1, m2, q1, q2: m1 * m2 * torch.log(r),
    "r2": lambda r, m1, m2, q1, q2: -m1 * m2 / r,
    "spring": lambda r, m1, m2, q1, q2: (r - 1) ** 2,
    "charge": lambda r, m1, m2, q1, q2: q1 * q2 / r,
    "superposition": lambda r, m1, m2, q1, q2: q1 * q2 / r - m1 * m2 / r,
    "damped": lambda r, m1, m2, q1, q2: (r - 1) ** 2,
    "discontinuous": lambda r, m1, m2, q1, q2: torch.where(r < 2, 0 * r, (r - 1) ** 2),
}


@pytest.mark.parametrize("name", POTENTIALS)
@pytest.mark.parametrize("dim", [2, 3])
def test_accelerations_are_minus_the_gradient_of_the_energy(name, dim):
    p = Particles.random(5, 4, dim, name, random_state=0)
    x, v, q, m = (torch.tensor(one) for one in (p.x, p.v, p.q, p.m))

    def energy(x):
        total = 0.0
        for i in range(4):
            for j in range(i + 1, 4):
                r = (x[:, i] - x[:, j]).square().sum(dim=1).sqrt() + 0.01
                total = total + ENERGY[name](r, m[:, i], m[:, j], q[:, i], q[:, j]).sum()
                if name == "damped":
                    total = total + (x[:, i] * v[:, i]).sum() / 4
        return total

    expected = -torch.func.grad(energy)(x) / m[..., None]
    assert np.allclose(accelerations(name, p.x, p.v, p.q, p.m), expected.numpy(), rtol=1e-9, atol=1e-10)


def test_any_potential_as_formula_or_function():
    p = Particles.random(3, 3, random_state=1)
    formula = Potential("own", "m1*m2*exp(-r)")
    function = Potential("own", lambda r, m1, m2, q1, q2: m1 * m2 * torch.exp(-r))
    a, b = (accelerations(one, p.x, p.v, p.q, p.m) for one in (formula, function))
    assert np.allclose(a, b, rtol=1e-12)
    expression = Expression.parse("exp(-r)*m1*m2", names=("m2", "r", "m1"))  # in an order of its own
    assert np.allclose(accelerations(expression, p.x, p.v, p.q, p.m), a, rtol=1e-12)
    assert np.allclose(energies(formula, p.x, p.v, p.q, p.m), energies(function, p.x, p.v, p.q, p.m))
    assert not accelerations(Potential("flat", "q1*q2"), p.x, p.v, p.q, p.m).any()


@pytest.mark.parametrize("name", ["r1", "r2", "spring", "charge", "superposition"])
def test_momentum_is_conserved_and_energy_within_the_tolerance(name):
    run = simulate(name, 8, steps=41, tolerance=1e-3, random_state=0)
    momentum = run.momentum()
    assert np.abs(momentum - momentum[:, :1]).max() < 1e-10 * (1 + np.abs(momentum).max())
    kinetic, pair = (
        np.stack(one)
        for one in zip(
            *(energies(name, run.x[:, k], run.v[:, k], run.start.q, run.start.m) for k in range(9)), strict=True
        )
    )
    drift = np.abs(kinetic + pair - kinetic[0] - pair[0]).max(axis=0) / (kinetic[0] + np.abs(pair[0]) + 1)
    assert np.allclose(drift, run.drift)
    assert (run.drift[run.substeps < 128] <= 1e-3).all() and set(run.substeps) <= {2, 8, 32, 128}


def test_the_step_is_of_second_order_and_reversible():
    start = Particles(x=[[[0.0, 0.0], [1.5, 0.0]]], v=[[[0.0, 0.2], [0.0, -0.2]]], q=[[0, 0]], m=[[1.0, 2.0]])

    def end(substeps):
        return integrate(lambda *s: accelerations("spring", *s), start, 0.1, 11, 10, substeps)[0][0, -1]

    exact = end(400)
    ratio = np.abs(end(2) - exact).max() / np.abs(end(4) - exact).max()
    assert 3.8 < ratio < 4.2
    x, v = integrate(lambda *s: accelerations("spring", *s), start, 0.1, 11, 10)
    back = Particles(x[:, -1], -v[:, -1], start.q, start.m)
    assert np.allclose(integrate(lambda *s: accelerations("spring", *s), back, 0.1, 11, 10)[0][:, -1], start.x)


def test_two_particles_on_a_spring_swing_as_they_should():
    # without softening, r = 1 + A cos(w t) with w^2 = 2 (1/m1 + 1/m2)
    spring = Potential("spring", "(r - 1)**2", softening=0)
    start = Particles(x=[[[0.0, 0.0], [1.2, 0.0]]], v=np.zeros((1, 2, 2)), q=[[0, 0]], m=[[1.0, 2.0]])
    run = simulate(spring, start=start, steps=400, every=1, dt=0.01)
    r = np.linalg.norm(run.x[0, :, 0] - run.x[0, :, 1], axis=1)
    assert np.allclose(r, 1 + 0.2 * np.cos(np.sqrt(3) * run.times), atol=1e-4)


def test_drag_takes_energy_and_the_same_seed_the_same_run():
    run = simulate("damped", 10, steps=101, random_state=3)
    assert np.isnan(run.drift).all() and np.array_equal(run.x, simulate("damped", 10, steps=101, random_state=3).x)
    before, after = (sum(energies("damped", run.x[:, k], run.v[:, k], run.start.q, run.start.m)).sum() for k in (0, -1))
    assert after < before
    assert not np.array_equal(run.x, simulate("damped", 10, steps=101, random_state=4).x)


def test_masses_charges_and_spread_are_as_asked():
    p = Particles.random(4000, 4, 3, "charge", 0, spread=2.0, log_mass=(1.0, 0.5))
    assert set(np.unique(p.q)) == {-1, 1} and p.x.std() == pytest.approx(2, rel=0.02)
    assert np.log(p.m).mean() == pytest.approx(1, abs=0.02) and np.log(p.m).std() == pytest.approx(0.5, rel=0.02)


# ------------------------------------------------------------ graphs


def test_graphs_hold_states_and_their_accelerations():
    run = simulate("r1", 6, n=3, steps=20, every=5, random_state=0)
    g = to_graphs(run)
    assert len(g) == 24 and g.n == 3 and g.dim == 2
    k = 9  # simulation 2, time 1
    assert g.simulation[k] == 2 and g.time[k] == run.times[1]
    assert np.array_equal(g.states[k, :, :2], run.x[2, 1]) and np.array_equal(g.states[k, :, 5], run.start.m[2])
    expected = accelerations("r1", run.x[2:3, 1], run.v[2:3, 1], run.start.q[2:3], run.start.m[2:3])[0]
    assert np.allclose(g.accelerations[k], expected)


@given(st.integers(2, 6), st.sampled_from([2, 3]), st.sampled_from(["r1", "spring", "charge"]), st.integers(0, 1000))
def test_forces_of_the_edges_add_up_to_the_accelerations_and_oppose_each_other(n, dim, name, seed):
    g = to_graphs(simulate(name, 3, n=n, dim=dim, steps=2, random_state=seed))
    force = g.forces().reshape(len(g), n, n - 1, dim)
    total = force.sum(axis=2)
    expected = g.accelerations * g.states[..., -1:]
    assert np.allclose(total, expected, atol=1e-9 * (1 + np.abs(force).max()))
    swapped = np.concatenate(np.split(g.pairs(), 2, axis=1)[::-1], axis=1)
    assert np.allclose(pair_forces(g.potential, swapped), -g.forces())
    receivers, senders = edges(n)
    assert len(set(zip(receivers, senders, strict=True))) == n * (n - 1) and (receivers != senders).all()


def test_a_split_by_simulation_shares_none_and_one_by_time_shares_all():
    g = to_graphs(simulate("spring", 20, steps=50, random_state=0))
    train, test = g.split(0.25, random_state=1)
    assert len(set(test.simulation)) == 5 and not set(train.simulation) & set(test.simulation)
    assert len(train) + len(test) == len(g)
    train, test = g.split(0.2, by="time")
    assert set(train.simulation) == set(test.simulation) and train.time.max() < test.time.min()
    assert len(g.pick(7, 0)) == 7 and len(g.pick(10**6)) == len(g)
    closest = g.closest()
    assert closest.shape == (len(g),) and closest.min() > 0


# ------------------------------------------------------------ bad input

X = np.arange(8.0).reshape(1, 4, 2)
GOOD = {"x": X, "v": 0 * X, "q": np.zeros((1, 4)), "m": np.ones((1, 4))}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": X * 0}, "particles 0 and 1 of simulation 0 at the same place"),
        ({"m": [[1, 1, 0, 1]]}, "m is not positive.* in simulation 0, particle 2"),
        ({"x": np.where(X == 3, np.nan, X)}, "x is not finite in simulation 0, particle 1"),
        ({"v": X[:, :2]}, r"x has shape \(1, 4, 2\) and v \(1, 2, 2\)"),
        ({"q": [[1.0]]}, r"give \(1, 4\)"),
        ({"x": X[:, :1], "v": X[:, :1], "q": [[0]], "m": [[1]]}, "n is 1: .* a particle alone feels no force"),
        ({"x": X[..., :1], "v": X[..., :1]}, "dim is 1: give 2 or 3"),
    ],
)
def test_bad_particles_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        Particles(**{**GOOD, **changed})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"potential": "sprng"}, "potential is 'sprng': choose from .* did you mean 'spring'"),
        ({"n": 1}, "n is 1"),
        ({"dim": 4}, "dim is 4"),
        ({"dim": 1}, "dim is 1"),
        ({"simulations": 0}, "simulations is 0"),
        ({"dt": 0}, "dt is 0"),
        ({"steps": 1}, "steps is 1"),
        ({"potential": "damped", "tolerance": 1e-3}, "energy is lost by drag in 'damped'"),
        ({"spread": -1}, "spread is -1"),
    ],
)
def test_bad_simulations_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        simulate(**{"potential": "spring", "simulations": 2, "steps": 3, **options})


def test_a_trajectory_that_is_not_finite_is_reported_with_its_number():
    start = Particles.random(3, 2, random_state=0)
    start.x[1] *= 1e3  # a force that grows as r^8 throws it out
    with pytest.raises(ValueError, match=r"trajectory of simulation 1 is not finite from time .* \(1 of 3"):
        simulate(Potential("steep", "r**8"), start=start, steps=40, dt=1e-3)


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        (lambda: Potential("own", "x*r"), "x"),
        (lambda: Potential("own", Expression.parse("2*a", names=("a",))), "energy has 'a': write it over r, m1"),
        (lambda: Potential("own", 3.0), "energy is 3.0"),
        (lambda: Potential("own", "r", charges="plus"), "charges is 'plus'"),
        (lambda: Potential("own", "r", dt=-1), "dt is -1"),
    ],
)
def test_bad_potentials_are_refused(potential, message):
    with pytest.raises(ValueError, match=message):
        potential()


def test_split_says_what_it_cannot_do():
    g = to_graphs(simulate("spring", 1, steps=10, random_state=0))
    with pytest.raises(ValueError, match="there is 1 simulation, which cannot be split"):
        g.split()
    with pytest.raises(ValueError, match="by is 'row'"):
        g.split(by="row")
    assert read_potential("r1").energy.names == PAIR
