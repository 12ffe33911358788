"""Families and tasks: moments, closed forms, the equation of motion, seeds, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from srlib import recovers  # noqa: E402
from srlib.meta import (  # noqa: E402
    MOTION,
    WAVES,
    DampedOscillators,
    FixedLaws,
    Law,
    Sinusoids,
    Tasks,
    WavesAndExponentials,
)

FAMILIES = [Sinusoids(), WavesAndExponentials(), WavesAndExponentials().out_of_domain(), DampedOscillators(), WAVES]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: type(f).__name__)
def test_shapes_and_values_are_those_of_the_laws(family):
    tasks = family.sample(6, seed=3, support=4, query=5)
    assert tasks.x_support.shape == tasks.y_support.shape == (6, 4, 1) and tasks.x_query.shape == (6, 5, 1)
    for k, law in enumerate(tasks.laws):
        np.testing.assert_allclose(tasks.y_query[k].numpy(), law.values(tasks.x_query[k].numpy()), rtol=1e-12)
        assert law.domain[0] <= tasks.x_support[k].min() and tasks.x_support[k].max() <= law.domain[1]


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_a_seed_gives_the_same_tasks(seed, tasks, support):
    one, other = (WavesAndExponentials().sample(tasks, seed, support) for _ in range(2))
    assert torch.equal(one.y_support, other.y_support) and torch.equal(one.x_query, other.x_query)
    assert not torch.equal(one.x_query, WavesAndExponentials().sample(tasks, (seed, 1), support).x_query)


def test_moments_of_document_000():
    """The zero predictor scores .854 in the distribution and 6.73 out of it."""
    for family, expected in ((WavesAndExponentials(), 0.8545), (WavesAndExponentials().out_of_domain(), 6.731)):
        errors = family.sample(20_000, seed=1).zero_errors().numpy()
        assert family.zero_error() == pytest.approx(expected, rel=1e-3)
        assert errors.mean() == pytest.approx(expected, abs=5 * errors.std() / math.sqrt(len(errors)))
    laws = WavesAndExponentials().draw_many(np.random.default_rng(0), 4000)
    f = np.array([law.constants["f"] for law in laws if "f" in law.constants])
    assert len(f) / len(laws) == pytest.approx(0.5, abs=0.04)
    assert f.min() >= 0.5 and f.max() <= 2 and f.mean() == pytest.approx(1.25, abs=0.05)


def test_moments_of_finns_sinusoids():
    errors = Sinusoids().sample(20_000, seed=1).zero_errors().numpy()
    assert Sinusoids().variance() == pytest.approx((5**3 - 0.1**3) / (3 * 4.9) / 2)  # E[A^2]/2
    # the domain holds no whole number of periods: (1 - sin(10)/10 cos(2 phi))/2 has the mean 1/2 over phi in (0, pi)
    assert errors.mean() == pytest.approx(Sinusoids().variance(), rel=0.03)


@pytest.mark.parametrize("zeta", [0.0, 0.3, 0.99, 1.0, 1.01, 1.8])
def test_oscillators_obey_their_equation_of_motion(zeta):
    from scipy.integrate import solve_ivp

    omega, position, velocity = 3.0, 0.7, -0.4
    law, t = DampedOscillators().law(zeta, omega, position, velocity), np.linspace(0, 2, 20)
    found = solve_ivp(
        lambda t, s: [s[1], -2 * zeta * omega * s[1] - omega**2 * s[0]], (0, 2), [position, velocity], t_eval=t,
        rtol=1e-10, atol=1e-12,
    )  # fmt: skip
    np.testing.assert_allclose(law.values(t), found.y[0], atol=1e-8)


def test_all_three_kinds_of_damping_are_drawn_where_the_range_holds_them():
    laws = DampedOscillators().draw_many(np.random.default_rng(0), 40)
    assert {len(law.constants) for law in laws} == {4} and len({law.form for law in laws}) == 2
    assert DampedOscillators(damping=(1.0, 1.0)).draw(np.random.default_rng(0)).form.startswith("(a + b*x)")


def test_a_law_is_a_problem_that_recovers_understands():
    law = Law("sin(2*pi*f*x + phi)", {"f": 1.25, "phi": 0.5})
    assert recovers("sin(7.853981633974483*x + 0.5)", law.problem())
    assert recovers("-sin(7.853981633974483*x + 0.5 + pi)", law.problem())
    assert not recovers("sin(7.6*x + 0.5)", law.problem())


def test_a_fixed_family_keeps_its_laws_and_draws_points_anew():
    family = WavesAndExponentials().fixed(10, seed=4)
    one, other = family.sample(10, seed=0), family.sample(10, seed=1)
    assert one.laws == other.laws == family.laws and not torch.equal(one.x_support, other.x_support)
    assert set(map(id, family.sample(50, seed=2).laws)) <= set(map(id, family.laws))


def test_noise_is_on_the_support_set_only():
    clean, noisy = (WavesAndExponentials().sample(200, 5, noise=noise) for noise in (0.0, 0.1))
    assert (noisy.y_support - clean.y_support).std().item() == pytest.approx(0.1, rel=0.1)
    assert torch.equal(noisy.y_query, clean.y_query)


def test_hand_made_sets_hold_the_documents_seven_functions_each():
    assert len(WAVES.laws) == len(MOTION.laws) == 7
    assert MOTION.laws[1].values(np.zeros(3)).tolist() == [0.5] * 3


def test_points_are_split_without_overlap():
    x = np.arange(12.0).reshape(2, 6)
    tasks = Tasks.from_points(x, 10 * x, support=2)
    for k in range(2):
        points = torch.cat([tasks.x_support[k], tasks.x_query[k]])[:, 0]
        assert sorted(points.tolist()) == x[k].tolist()
    assert torch.equal(tasks.y_query, 10 * tasks.x_query)
    assert [len(one) for one in tasks] == [1, 1] and torch.equal(tasks[-1].x_query, tasks[1].x_query)
    assert len(tasks[1:]) == 1 and torch.equal(tasks[1].x_query, tasks.x_query[1:])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Sinusoids().sample(3, support=0), "support is 0"),
        (lambda: Sinusoids().sample(0), "tasks is 0"),
        (lambda: Sinusoids().sample(3, noise=-1), "noise is -1"),
        (lambda: Tasks.from_points(np.ones((2, 5)), np.ones((2, 5)), support=5), "a task has 5 points: give at most 4"),
        (lambda: Tasks.from_points(np.ones((2, 5)), np.ones((2, 5)), support=0), "support is 0"),
        (lambda: Tasks.from_points(np.ones(5), np.ones(5), support=2), "give \\(tasks, points\\)"),
        (lambda: Tasks(*[torch.ones(2, 0, 1)] * 4), "at least one task and one point"),
        (lambda: Tasks(*[torch.ones(2, 3)] * 4), "points, features"),
        (lambda: Tasks(*[torch.full((2, 3, 1), math.nan)] * 4), "NaN or infinity"),
        (lambda: FixedLaws(()), "laws is empty"),
        (lambda: FixedLaws(("x",)), "give a tuple of Law"),
        (lambda: FixedLaws(Law("x")), "give a tuple of Law"),
        (lambda: Tasks.from_points(np.ones((0, 5)), np.ones((0, 5)), support=2), "x has no rows"),
        (lambda: Sinusoids(amplitude=(5, 1)), "amplitude"),
        (lambda: Sinusoids(domain=(1, 1)), "domain"),
        (lambda: DampedOscillators(frequency=(0, 1)), "frequency"),
        (lambda: DampedOscillators().law(zeta=0.5, omega=0.0), "omega is 0"),
        (lambda: DampedOscillators().law(zeta=-2.0, omega=1.0), "zeta is -2"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
