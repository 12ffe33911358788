"""Lesson 06: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
import sympy
import torch

from srlib import Expression
from srlib.distill.pinn import check_physics, heat, refine_constants, toy, train_pinn
from srlib.teaching.dashboards import lesson06, pinns
from srlib.teaching.style import blank, to_png
from tests.teaching.bank import assert_bank

TINY = pinns.Setup(viscosity=10.0, width=8, layers=2, points=100, adam=40, iterations=60)


@pytest.fixture(scope="module")
def made():
    return pinns.record(TINY)


# ---------------------------------------------------------------- trainings and fronts


def test_a_recording_is_a_training_of_srlib_and_repeats(made):
    assert [moment.number for moment in made.moments] == [20, 40, 60, 80, 100]
    assert [moment.phase for moment in made.moments] == ["adam"] * 2 + ["bfgs"] * 3
    pinn = TINY.train()
    assert np.array_equal(pinn(made.reference.X), made.last.pinn(made.reference.X))
    truth = made.reference.u.ravel()
    known = np.linalg.norm(pinn(made.reference.X) - truth) / np.linalg.norm(truth)
    assert made.last.error == pytest.approx(known)
    assert made.last.residual.ravel() == pytest.approx(pinn.residual(made.reference.X))


def test_the_same_steps_whatever_the_optimiser():
    for optimiser in ("bfgs", "lbfgs", ""):
        setup = replace(TINY, optimiser=optimiser, adam=20, iterations=40)
        assert len(pinns.teach(setup).moments) == 3
    assert setup.train().history[-1][0] == 60


def test_watching_ends_a_training():
    assert len(pinns.teach(TINY, lambda made: len(made.moments) == 2).moments) == 2


def test_the_reference_solves_the_heat_like_limit():
    """For a large viscosity the wave decays as a sine before it can steepen."""
    known = pinns.reference(200 * pinns.UNIT)
    decayed = -np.sin(np.pi * known.x)[:, None] * np.exp(-200 * pinns.UNIT * np.pi**2 * known.t)
    assert np.abs(known.u - decayed).max() < 0.12


def test_a_front_is_found_again():
    found = pinns.fitted_front(lambda x: -0.8 * np.tanh(120 * (x - 0.002)) + 0.6 * (x - 0.002))
    assert (found.A, found.k, found.c, found.x0) == pytest.approx((0.8, 120, 0.6, 0.002), rel=1e-6)
    assert found.left < 1e-8
    x = np.linspace(-0.1, 0.1, 11)
    assert found(x) == pytest.approx(-0.8 * np.tanh(120 * (x - 0.002)) + 0.6 * (x - 0.002))


def test_the_exact_shock_has_the_width_that_its_height_gives():
    for t in (0.6, 0.75, 0.9):
        found = pinns.fitted_front(lambda x, t=t: pinns.exact(pinns.UNIT, t, x))
        assert found.k == pytest.approx(found.A / (2 * pinns.UNIT), rel=0.02)
        assert found.A == pytest.approx(pinns.amplitude(t), rel=0.02)
    assert pinns.amplitude(0.2) == 0


def test_noise_has_the_share_of_the_spread_and_repeats():
    X = np.linspace(-3, 3, 5000)[:, None]

    def teacher(X):
        return 7 * np.sin(X[:, 0])

    noise = pinns.noisy(teacher, 0.1, 0)(X) - teacher(X)
    assert noise.std() == pytest.approx(0.1 * teacher(X).std(), rel=0.05)
    assert np.array_equal(pinns.noisy(teacher, 0.1, 0)(X), pinns.noisy(teacher, 0.1, 0)(X))


# ---------------------------------------------------------------- panels


def test_panels_can_be_driven_everywhere():
    film, through = lesson06.film_panel(TINY), lesson06.time_panel(TINY)
    assert film.sweep() == 3 and film.error is None
    assert through.sweep() == 3 and through.error is None
    assert film.values == {"moment": 4}


def test_every_control_of_the_live_run_can_be_swept():
    live = lesson06.burgers_run()
    live.controls.set({"width": 4, "layers": 1, "points": 50})  # so that most of the runs are short
    assert live.sweep(60) == 6 * 3 + 2 + 3 + 3


def test_the_live_run_ends_with_a_recording():
    live = lesson06.burgers_run()
    result = live.run(viscosity=10.0, width=4, layers=1, points=50, iterations=50)
    assert result.last.number == result.setup.total == 250
    assert "relative error" in live.describe(result)


def test_a_live_run_stops_soon():
    live = lesson06.burgers_run()
    live.start(iterations=1500)
    end = time.monotonic() + 60
    while not live.job.published and time.monotonic() < end:
        time.sleep(0.01)
    live.stop()
    assert live.wait(60).last.number < live.job.result.setup.total


def test_pictures_are_drawn_without_warnings(made):
    small = {"width": 6, "layers": 1, "points": 20}
    trainings = {name: train_pinn(toy(), adam=5, iterations=5, **small) for name in "abc"}
    pictures = [
        (lambda fig: lesson06.draw_school(fig.subplots()), (10, 3)),
        (lambda fig: lesson06.draw_losses(trainings, fig.subplots()), (8, 4)),
        (lambda fig: lesson06.draw_moment(made, fig, 0), (10.5, 4.8)),
        (lambda fig: lesson06.draw_shocks(made, fig.subplots(), (0.6, 0.9)), (6, 4)),
    ]
    for draw, size in pictures:
        fig = blank(*size)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            draw(fig)
            assert len(to_png(fig)) > 6_000


# ---------------------------------------------------------------- the exercises


def test_exercise_1_noise(capsys):
    assert_bank(
        "6.1",
        capsys,
        correct=[
            lambda y, s, rng: y + s * y.std() * rng.standard_normal(len(y)),
            lambda y, s, rng: rng.normal(y, s * np.std(y)),
        ],
        wrong=[
            (lambda y, s, rng: s * y.std() * rng.standard_normal(len(y)), "Add the noise to y"),
            (lambda y, s, rng: y + rng.standard_normal(len(y)), "there is no noise"),
            (lambda y, s, rng: y, "nothing has changed"),
            (lambda y, s, rng: y + s * y.std() * rng.standard_normal(), "by the same number"),
            (lambda y, s, rng: y + s * y.std() * np.random.default_rng(0).standard_normal(len(y)), "the same noise"),
            (lambda y, s, rng: y + s * y.std() * np.sqrt(12) * (rng.random(len(y)) - 0.5), "uniform"),
            (lambda y, s, rng: y + 7 * s * y.std() * rng.standard_normal(len(y)), "should have the standard deviation"),
            (lambda y, s, rng: 1.0, "in the shape"),
            (lambda y, s, rng: "noise", "array of numbers"),
        ],
        almost=[
            (lambda y, s, rng: y + s * y * rng.standard_normal(len(y)), "larger where y is large"),
            (lambda y, s, rng: y + s * y.std() * (1 + rng.standard_normal(len(y))), "has the mean"),
            (lambda y, s, rng: y + s * rng.standard_normal(len(y)), "is the share itself"),
            (lambda y, s, rng: y + s * np.mean(np.abs(y)) * rng.standard_normal(len(y)), "size or of the range"),
            (lambda y, s, rng: y + s * y.var() * rng.standard_normal(len(y)), "mixed up variance"),
        ],
    )


def test_exercise_2_steepness(capsys):
    assert_bank(
        "6.2",
        capsys,
        correct=[lambda A, nu: A / (2 * nu)],
        wrong=[
            (lambda A, nu: 2 * nu / A, "is the width"),
            (lambda A, nu: A / (4 * nu), "2 too many"),
            (lambda A, nu: 1 / (2 * nu), "forgot the A"),
            (lambda A, nu: 1.0, "They must be equal"),
            (lambda A, nu: [A], "Return one number"),
        ],
        almost=[(lambda A, nu: A / nu, "factor of 2 is missing"), (lambda A, nu: -A / (2 * nu), "the sign is not")],
    )


def test_exercise_3_taylor(capsys):
    assert_bank(
        "6.3",
        capsys,
        correct=[(2.5, -0.5, 0.025), [5 / 2, -1 / 2, 1 / 40], np.array([2.5, -0.5, 0.025])],
        wrong=[
            ((2.5, 0.5, 0.025), "Signs of"),
            ((0.5, -1 / 6, 1 / 120), "multiplies all"),
            ((2.5, -1, 0.6), "3! = 6"),
            ((2.5, -3, 3), "divided by its factorial"),
            ((2.5, -0.5, 0.03), "number for x⁵"),
            ((2.5, -0.5), "yours are 2"),
            (2.5, "such as (1, 2, 3)"),
        ],
        almost=[((3, -0.5, 0.025), "sine alone")],
    )


def _parts(network, points):
    u = network(points)
    first = torch.autograd.grad(u.sum(), points, create_graph=True)[0]
    second = torch.autograd.grad(first[:, 0].sum(), points, create_graph=True)[0]
    return u, first[:, 0], first[:, 1], second[:, 0]


def _residual(combine):
    return lambda network, points, nu: combine(*_parts(network, points), nu)


def test_exercise_4_residual(capsys):
    assert_bank(
        "6.4",
        capsys,
        correct=[
            _residual(lambda u, ux, ut, uxx, nu: ut + u * ux - nu * uxx),
            _residual(lambda u, ux, ut, uxx, nu: nu * uxx - ut - u * ux),
        ],
        wrong=[
            (_residual(lambda u, ux, ut, uxx, nu: ut + ux - nu * uxx), "u_x alone"),
            (_residual(lambda u, ux, ut, uxx, nu: ut + u * ux + nu * uxx), "sign of ν"),
            (_residual(lambda u, ux, ut, uxx, nu: ut + u * ux - uxx), "ν is missing"),
            (_residual(lambda u, ux, ut, uxx, nu: ut + u * ux), "Where is"),
            (_residual(lambda u, ux, ut, uxx, nu: ut + u * ux - nu * ux), "needs the second derivative"),
            (_residual(lambda u, ux, ut, uxx, nu: ut + u * ux - nu * ux**2), "not the square"),
            (_residual(lambda u, ux, ut, uxx, nu: u * ux - nu * uxx), "Is it missing"),
            (_residual(lambda u, ux, ut, uxx, nu: u), "the first point has"),
            (_residual(lambda u, ux, ut, uxx, nu: u.sum()), "in the shape"),
            (lambda network, points, nu: "u", "Return a tensor"),
        ],
        almost=[(_residual(lambda u, ux, ut, uxx, nu: (ut + u * ux - nu * uxx).detach()), "cut off")],
    )


def test_exercise_4_tells_swapped_columns(capsys):
    def swapped(network, points, nu):
        u = network(points)
        first = torch.autograd.grad(u.sum(), points, create_graph=True)[0]
        second = torch.autograd.grad(first[:, 1].sum(), points, create_graph=True)[0]
        return first[:, 0] + u * first[:, 1] - nu * second[:, 1]

    right = _residual(lambda u, ux, ut, uxx, nu: ut + u * ux - nu * uxx)
    assert_bank("6.4", capsys, correct=[right], wrong=[(swapped, "are swapped")])


def test_exercise_5_left_over(capsys):
    assert_bank(
        "6.5",
        capsys,
        correct=[lambda u, x: u.diff(x, 2) + u + x / 2, lambda u, x: sympy.simplify(-x / 2 - u - u.diff(x, 2))],
        wrong=[
            (lambda u, x: u.diff(x) + u + x / 2, "differentiate once"),
            (lambda u, x: u.diff(x, 2) + u - x / 2, "right side: brought"),
            (lambda u, x: u.diff(x, 2) + u, "side, -0.5 x, is missing"),
            (lambda u, x: u.diff(x, 2) + x / 2, "term u itself"),
            (lambda u, x: u, "your function gives"),
            (lambda u, x: [u], "Return an expression"),
        ],
    )


# ---------------------------------------------------------------- what the lesson says in prose


def test_no_polynomial_but_the_particular_one_satisfies_the_toy():
    x = sympy.Symbol("x")
    for degree in (3, 5, 7):
        poly = sympy.series(3 * sympy.sin(x) - x / 2, x, 0, degree + 1).removeO()
        left = sympy.Poly(sympy.expand(poly.diff(x, 2) + poly + x / 2), x)
        assert left.degree() == degree


def test_tuning_brings_a_rough_formula_of_x_and_t_to_the_mode():
    rough = Expression.parse("exp(-0.985*t)*sin(3.14*x)", names=["x", "t"])
    tuned = refine_constants(heat(), rough)
    assert check_physics(heat(), tuned).worst < 1e-7
    assert tuned.constants == pytest.approx([-0.1 * np.pi**2, np.pi], rel=1e-7)


def test_the_network_of_the_toy_has_so_many_weights():
    assert len(train_pinn(toy(), width=16, layers=2, points=20, adam=1, optimiser=None).theta) == 321
