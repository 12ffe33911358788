"""Physics-informed networks: points, optimisers, training, interruption, seeds, and what is refused."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import rosen, rosen_der

torch = pytest.importorskip("torch")

from srlib.distill.pinn import Condition, DifferentialProblem, burgers, heat, toy, train_pinn, training  # noqa: E402
from srlib.distill.pinn.collocation import condition_points, refined_points, spread_points  # noqa: E402
from srlib.distill.pinn.network import TanhNetwork  # noqa: E402
from srlib.distill.pinn.quasi_newton import LBFGS, SelfScaledBFGS  # noqa: E402
from srlib.distill.pinn.weights import balanced  # noqa: E402

QUICK = {"width": 8, "layers": 2, "points": 60, "condition_rows": 20}


# ------------------------------------------------------------ points


@given(st.integers(2, 200), st.sampled_from(["latin", "halton", "uniform"]), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_points_lie_in_the_domain_and_conditions_where_they_hold(rows, sampling, seed):
    problem = burgers()
    X = spread_points(problem, rows, sampling, seed)
    assert X.shape == (rows, 2) and (problem.low <= X).all() and (X <= problem.high).all()
    at = condition_points(problem, problem.conditions[1], rows, sampling, seed)
    assert at.shape == (rows, 2) and (at[:, 0] == -1).all() and (0 <= at[:, 1]).all() and (at[:, 1] <= 0.99).all()


def test_a_condition_that_fixes_everything_has_one_point():
    assert condition_points(toy(), toy().conditions[0], 50).tolist() == [[0.0]]


def test_refined_points_gather_where_the_residual_is_large():
    problem = burgers()
    X = refined_points(problem, 2000, lambda X: np.exp(-((X[:, 0] / 0.02) ** 2)), seed=1)
    near = np.mean(np.abs(X[:, 0]) < 0.05)  # a share of 0.05 if they were spread evenly
    assert len(np.unique(X, axis=0)) == 2000 and 0.2 < near < 0.6
    even = refined_points(problem, 2000, lambda X: np.zeros(len(X)), seed=1)
    assert 0.03 < np.mean(np.abs(even[:, 0]) < 0.05) < 0.07


# ------------------------------------------------------------ optimisers


@pytest.mark.parametrize("method", [LBFGS(10), SelfScaledBFGS()])
def test_quasi_newton_methods_find_the_minimum(method):
    best = method.minimise(lambda v: (rosen(v), rosen_der(v)), np.array([-1.2, 1.0]), 300, lambda v: None)
    np.testing.assert_allclose(best, 1.0, atol=1e-5)


def test_the_whole_matrix_becomes_the_inverse_hessian_of_a_quadratic():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((6, 6))
    A = A @ A.T + np.eye(6)
    method = SelfScaledBFGS()
    method.minimise(lambda v: (v @ A @ v / 2, A @ v), rng.standard_normal(6), 40, lambda v: None)
    H = np.triu(method.H) + np.triu(method.H, 1).T
    np.testing.assert_allclose(H, np.linalg.inv(A), atol=1e-2)


@pytest.mark.parametrize("method", [LBFGS(10), SelfScaledBFGS()])
def test_quasi_newton_methods_turn_back_where_the_loss_is_infinite(method):
    def objective(v):  # as in training: infinite and without gradient outside of the domain
        if (v <= 0).any():
            return np.inf, np.zeros(2)
        return float(np.sum(v - np.log(v))), 1 - 1 / v

    seen = [np.array([6.0, 0.3])]
    best = method.minimise(objective, seen[0], 200, lambda v: seen.append(v.copy()))
    assert np.isfinite(best).all() and objective(best)[0] <= objective(seen[0])[0]
    np.testing.assert_allclose(best, 1.0, atol=1e-4)


def test_weights_are_balanced_by_gradient_norms():
    np.testing.assert_allclose(balanced(np.array([1.0, 1.0, 2.0]), np.array([4.0, 2.0, 0.0])), [1, 1.1, 0.9 * 2 + 1e3])


# ------------------------------------------------------------ training


def test_the_network_scales_its_inputs():
    network = TanhNetwork([0.0, -2.0], [10.0, 2.0], 5, 2, seed=3)
    scaled = TanhNetwork([-1.0, -1.0], [1.0, 1.0], 5, 2, seed=3)
    points = torch.tensor([[0.0, -2.0], [7.5, 1.0]], dtype=torch.float64)
    assert torch.equal(network(points), scaled(torch.tensor([[-1.0, -1.0], [0.5, 0.5]], dtype=torch.float64)))


@pytest.fixture(scope="module")
def solved():
    steps = []
    pinn = train_pinn(toy(), width=12, layers=2, points=80, adam=100, iterations=250, callbacks=[steps.append])
    return pinn, steps


def test_the_toy_is_solved(solved):
    pinn, _ = solved
    assert pinn.reason == "completed" and pinn.error(200) < 1e-4
    X = toy().grid(50)
    assert np.abs(pinn(X) - (3 * np.sin(X[:, 0]) - X[:, 0] / 2)).max() < 1e-3
    assert np.abs(pinn.residual(X)).max() < 1e-2 and np.array_equal(pinn(X[:, 0]), pinn(X))


def test_events_tell_how_it_went(solved):
    pinn, steps = solved
    assert [step.phase for step in steps[:100]] == ["adam"] * 100 and steps[100].phase == "bfgs"
    first, last = steps[0], steps[-1]
    assert list(first.parts) == ["residual", *map(str, toy().conditions)] and first.points.shape == (80, 1)
    assert first.residuals.shape == (80,) and last.loss < 1e-4 * first.loss
    assert np.mean(first.residuals**2) == pytest.approx(first.parts["residual"])
    assert sum(first.parts.values()) == pytest.approx(first.loss)  # all weights are 1
    kept = steps[50].pinn(toy().grid(5))
    assert np.isfinite(kept).all() and not np.allclose(kept, pinn(toy().grid(5)))


def test_the_same_seed_gives_the_same_network_whatever_the_threads():
    before = torch.get_num_threads()
    found = []
    for threads, seed in ((1, 0), (2, 0), (1, 1)):
        torch.set_num_threads(threads)
        found.append(train_pinn(heat(), adam=5, iterations=12, refine_every=5, weights="adaptive", seed=seed, **QUICK))
    torch.set_num_threads(before)
    assert torch.equal(found[0].theta, found[1].theta) and not torch.equal(found[0].theta, found[2].theta)


def test_ctrl_c_and_a_callback_keep_what_was_found():
    def press(event):
        if event.phase == "bfgs" and event.number == 7:
            raise KeyboardInterrupt

    whole = train_pinn(heat(), adam=5, iterations=7, **QUICK)
    stopped = train_pinn(heat(), adam=5, iterations=50, callbacks=[press], **QUICK)
    assert stopped.reason == "interrupted" and torch.equal(stopped.theta, whole.theta)
    stopped = train_pinn(
        heat(), adam=5, iterations=50, callbacks=[lambda e: e.phase == "bfgs" and e.number == 7], **QUICK
    )
    assert stopped.reason == "callback" and torch.equal(stopped.theta, whole.theta)


def test_a_time_limit_ends_the_training():
    pinn = train_pinn(heat(), time_limit=0.3, iterations=10**6, adam=10**6, **QUICK)
    assert pinn.reason == "time_limit" and np.isfinite(pinn.on_grid(3, 4)).all()


@pytest.mark.parametrize("options", [{"optimiser": "lbfgs"}, {"optimiser": None}, {"weights": {0: 10.0}}])
def test_other_ways_to_train_lower_the_loss(options):
    pinn = train_pinn(heat(), adam=20, iterations=40, **QUICK, **options)
    assert pinn.history[-1][2] < 0.8 * pinn.history[0][2]


def test_points_are_drawn_anew_and_weights_adapt():
    fixed = train_pinn(heat(), adam=3, iterations=4, **QUICK)
    moved = train_pinn(heat(), adam=3, iterations=4, refine_every=2, weights="adaptive", **QUICK)
    assert not np.array_equal(fixed.points, moved.points) and len(moved.history) == 7
    labels = list(map(str, heat().conditions))
    assert all(fixed.weights[label] == 1 for label in labels)
    assert all(moved.weights[label] != 1 and moved.weights[label] > 0 for label in labels)


def test_some_variables_can_be_fixed():
    pinn = train_pinn(burgers(), adam=2, iterations=0, **QUICK)
    line = np.linspace(-1, 1, 5)
    points = np.stack([line, np.full(5, 0.3)], axis=1)
    assert np.array_equal(pinn.at(t=0.3)(line[:, None]), pinn(points))
    assert pinn.on_grid(5, 3).shape == (5, 3) and pinn.on_grid(5, 3)[2, 0] == pinn(np.array([[0.0, 0.0]]))[0]
    for wrong in ({"s": 1.0}, {"x": 0.0, "t": 0.0}):
        with pytest.raises(ValueError, match="fix some, not all, of x, t"):
            pinn.at(**wrong)
    with pytest.raises(ValueError, match=r"X has shape \(5, 1\)"):
        pinn(line[:, None])


# ------------------------------------------------------------ what is refused

x = sympy.Symbol("x")
u = sympy.Function("u")(x)


def explosive():
    """Its residual overflows for the values of any network: exp(1e4 + u)."""
    return DifferentialProblem(
        "explosive", u.diff(x) - sympy.exp(10_000 + u), u, {"x": (0, 1)}, [Condition(u, {"x": 0})]
    )


@pytest.mark.parametrize(
    "options, message",
    [
        ({"points": 5}, "points is 5: give a whole number of at least 10"),
        ({"condition_rows": 1}, "condition_rows is 1"),
        ({"sampling": "lattin"}, "sampling is 'lattin'"),
        ({"optimiser": "newton"}, "optimiser is 'newton'"),
        ({"weights": "adaptiv"}, "weights is 'adaptiv'"),
        ({"weights": {7: 1.0}}, "weights names condition 7: give numbers from 0 to 2"),
        ({"weights": -1.0}, "the weight of condition 0 is -1.0"),
        ({"time_limit": 0}, "time_limit is 0"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        train_pinn(heat(), **options)


def test_a_training_that_diverges_says_so():
    with pytest.raises(ValueError, match="not finite after 0 steps of Adam"):
        train_pinn(explosive(), **QUICK)
    with pytest.raises(ValueError, match="not finite where lbfgs begins"):
        train_pinn(explosive(), adam=0, optimiser="lbfgs", **QUICK)


def test_a_quasi_newton_method_that_diverges_is_reported_and_the_best_is_kept(monkeypatch):
    class Diverging:
        def minimise(self, objective, theta, iterations, note):
            objective(theta - 1e-3 * objective(theta)[1])  # a small step that helps
            return np.full_like(theta, np.nan)

    monkeypatch.setitem(training.OPTIMISERS, "lbfgs", Diverging)
    start = train_pinn(heat(), adam=5, iterations=0, **QUICK)
    with pytest.warns(RuntimeWarning, match="lbfgs diverged after 0 iterations: the best parameters"):
        pinn = train_pinn(heat(), adam=5, optimiser="lbfgs", iterations=9, **QUICK)
    assert np.isfinite(pinn.on_grid(3, 3)).all() and sum(pinn.parts.values()) < sum(start.parts.values())


def test_a_problem_without_reference_has_no_error():
    problem = DifferentialProblem("p", u.diff(x) - u, u, {"x": (0, 1)}, [Condition(u - 1, {"x": 0})])
    with pytest.raises(ValueError, match="'p' has no reference solution"):
        train_pinn(problem, adam=1, iterations=0, **QUICK).error(10)
