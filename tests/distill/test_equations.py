"""Differential operators: torch and sympy agree, true solutions leave nothing, and what is refused."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from srlib import Expression  # noqa: E402
from srlib.distill.pinn import (  # noqa: E402
    PHYSICS,
    Condition,
    DifferentialOperator,
    DifferentialProblem,
    burgers,
    cole_hopf,
    oscillator,
)

x, t = sympy.symbols("x t")
u = sympy.Function("u")(x, t)
CLOSED = [name for name in PHYSICS if name != "burgers"]


def as_network(formula, names):
    """A formula as something that autograd differentiates."""
    module = Expression.from_sympy(formula, names).torch()
    return lambda points: module(points)


@pytest.mark.parametrize("name", CLOSED)
def test_the_solution_leaves_no_residual_by_autograd(name):
    problem = PHYSICS[name]()
    network = as_network(problem.solution, problem.names)
    points = torch.tensor(np.random.default_rng(0).uniform(problem.low, problem.high, (50, len(problem.names))))
    terms = problem.residual.torch(network, points)
    assert terms.shape == (50,) and terms.abs().max() < 1e-12
    for condition, operator in zip(problem.conditions, problem.boundary, strict=True):
        at = points.clone()
        for j, variable in enumerate(problem.names):
            if variable in condition.on:
                at[:, j] = condition.on[variable]
        assert operator.torch(network, at).abs().max() < 1e-12


@pytest.mark.parametrize("name", CLOSED)
def test_the_solution_leaves_no_residual_by_sympy(name):
    problem = PHYSICS[name]()
    assert sympy.simplify(problem.residual.sympy(problem.solution)) == 0
    wrong = problem.residual.sympy(problem.solution + problem.u.args[0] ** 2 / 10)
    assert sympy.simplify(wrong) != 0


def test_burgers_has_no_residual_for_two_exact_solutions_of_its_equation():
    residual, nu = burgers().residual, sympy.Rational(1, 100) / sympy.pi
    assert sympy.simplify(residual.sympy(x / (1 + t))) == 0
    front = sympy.Rational(1, 2) - sympy.tanh((x - t / 2) / (2 * nu))  # a front of height 2 that travels at 1/2
    assert sympy.simplify(residual.sympy(front)) == 0
    assert sympy.simplify(residual.sympy(front.subs(t, 2 * t))) != 0


@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_torch_and_sympy_mean_the_same(numbers, seed):
    a, b, c, d, e, f = numbers
    formula = sympy.sin(a * x + b * t) + c * x**2 * t + d * t**3 + sympy.exp(x * t / 4) + e * x + f
    operator = DifferentialOperator(
        u.diff(t, t) + u * u.diff(x) - sympy.Rational(1, 3) * u.diff(x, x, x) + x * u.diff(x, t) - sympy.cos(t), u
    )
    points = np.random.default_rng(seed).uniform(-1, 1, (7, 2))
    expected = sympy.lambdify((x, t), operator.sympy(formula), "numpy")(*points.T)
    found = operator.torch(as_network(formula, ["x", "t"]), torch.tensor(points))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9, atol=1e-9)


def test_a_residual_can_be_differentiated_by_the_networks_parameters():
    module = Expression.parse("2*x*x*t", names=["x", "t"]).torch()
    operator = DifferentialOperator(u.diff(x, x) - 1, u)
    points = torch.tensor([[0.3, 0.5], [0.1, 2.0]], dtype=torch.float64)
    (slope,) = torch.autograd.grad(operator.torch(module, points).sum(), module.constants)
    assert slope.item() == pytest.approx(2 * 0.5 + 2 * 2.0)  # of 2*c*t - 1, by c


def test_cole_hopf_agrees_with_finite_differences_at_moderate_viscosity():
    from scipy.integrate import solve_ivp

    nu, n = 0.05, 801
    grid = np.linspace(-1, 1, n)
    h = grid[1] - grid[0]

    def slope(_, v):
        out = np.zeros(n)
        flux = v**2 / 2
        out[1:-1] = -(flux[2:] - flux[:-2]) / (2 * h) + nu * (v[2:] - 2 * v[1:-1] + v[:-2]) / h**2
        return out

    found = solve_ivp(slope, (0, 0.8), -np.sin(np.pi * grid), "LSODA", [0.3, 0.8], rtol=1e-8, atol=1e-10, lband=1,
                      uband=1)  # fmt: skip
    for k, time in enumerate((0.3, 0.8)):
        exact = cole_hopf(np.stack([grid, np.full(n, time)], axis=1), nu)
        assert np.abs(found.y[:, k] - exact).max() < 3e-4


def test_cole_hopf_meets_the_conditions_and_has_enough_nodes():
    line = np.linspace(-1, 1, 41)
    start = cole_hopf(np.stack([line, np.zeros(41)], axis=1))
    np.testing.assert_allclose(start, -np.sin(np.pi * line), atol=1e-13)
    ends = cole_hopf(np.array([[-1.0, 0.5], [1.0, 0.5], [0.0, 0.9]]))
    assert np.abs(ends).max() < 1e-10
    X = burgers().grid(65, 12)
    assert np.abs(cole_hopf(X) - cole_hopf(X, nodes=140)).max() < 1e-9
    assert np.abs(cole_hopf(X, 5e-4) - cole_hopf(X, 5e-4, nodes=240)).max() < 1e-7  # with 100 it would be 0.2


def test_grid_and_reference_have_their_shapes():
    problem = oscillator()
    X = problem.grid(9)
    assert X.shape == (9, 1) and problem.reference(X)[0] == pytest.approx(1.0)
    assert burgers().grid(3, 2).tolist()[1] == [-1.0, 0.99]


v, w = sympy.Function("v")(x, t), sympy.Symbol("w")


@pytest.mark.parametrize(
    "expression, message",
    [
        (sympy.sin(x), "does not depend on u"),
        (u.diff(x) + w, "holds 'w', which is no variable"),
        (u.diff(x) + v, "besides u"),
        (sympy.Derivative(x * u, x), "a derivative of something else"),
    ],
)
def test_expressions_that_are_refused(expression, message):
    with pytest.raises(ValueError, match=message):
        DifferentialOperator(expression, u)


HEAT = u.diff(t) - u.diff(x, x)
BOX = {"x": (0, 1), "t": (0, 1)}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"domain": {"x": (0, 1), "s": (0, 1)}}, "domain has s, x"),
        ({"domain": {"x": (0, 1), "t": (1, 1)}}, "needs a length"),
        ({"domain": {"x": (0, 1), "t": (2, 1)}}, "smaller first"),
        ({"conditions": []}, "conditions is empty"),
        ({"conditions": [Condition(u, {})]}, "has no place"),
        ({"conditions": [Condition(u, {"x": 2.0})]}, "outside the domain, where x is 0 to 1"),
        ({"conditions": [Condition(u, {"tt": 0.0})]}, "on 'tt', which is no variable"),
        ({"conditions": [Condition(x, {"t": 0.0})]}, "does not depend on u"),
        ({"equation": x + t}, "does not depend on u"),
    ],
)
def test_problems_that_are_refused(changes, message):
    given = {"name": "p", "equation": HEAT, "u": u, "domain": BOX, "conditions": [Condition(u, {"t": 0.0})]} | changes
    with pytest.raises(ValueError, match=message):
        DifferentialProblem(**given)


def test_a_formula_with_another_variable_is_refused():
    with pytest.raises(ValueError, match="holds 'y', which is no variable"):
        burgers().residual.sympy(Expression.parse("y + t", names=["y", "t"]))


@pytest.mark.parametrize("call, message", [
    (lambda: burgers(0.0), "viscosity is 0.0"),
    (lambda: burgers(1e-4), "viscosity is 0.0001: give a number of at least 0.0004"),
    (lambda: oscillator(3.0, 2.0), "nothing swings"),
])  # fmt: skip
def test_problems_check_their_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
