"""Inner and outer loops against autograd, finite differences, a case derived by hand, and a plain loop over tasks."""

import math
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from srlib.meta import (  # noqa: E402
    Adam,
    FixedLaws,
    FlatModel,
    GaussNewton,
    GradientDescent,
    Law,
    MetaLearned,
    OffsetEQL,
    Sinusoids,
    Tasks,
    WavesAndExponentials,
    adapt,
    adaptation_curve,
    joint,
    landscape,
    maml,
    meta_gradient,
    mlp,
    tune_rate,
)
from srlib.meta.landscape import TwoParameters  # noqa: E402

UNITS = {"identity": 1, "sin": 1, "exp": 1, "product": 1}
FAMILY = WavesAndExponentials()
METHODS = [GradientDescent(), Adam(), GaussNewton()]


def small_model(seed=0):
    return FlatModel(mlp(width=4, layers=1, activation=nn.Tanh, seed=seed))


class Line(nn.Module):
    """a*x, one parameter."""

    def __init__(self, slope=0.5):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([slope], dtype=torch.float64))

    def forward(self, x):
        return x * self.slope


# ---------------------------------------------------------------- models


@pytest.mark.parametrize("module", [mlp(width=5), OffsetEQL(UNITS)], ids=["mlp", "eql"])
def test_a_flat_model_computes_what_the_module_does(module):
    model, x = FlatModel(module), torch.linspace(-1, 1, 7, dtype=torch.float64)[:, None]
    expected = module(x).reshape(7, 1)
    torch.testing.assert_close(model.one(model.start, x), expected)
    both = torch.stack([model.start, 2 * model.start])
    torch.testing.assert_close(model(both, x.expand(2, 7, 1))[0], expected)
    torch.testing.assert_close(model.module_with(model.start)(x).reshape(7, 1), expected)


def test_the_jacobian_is_autograds():
    model, x = small_model(), torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None]
    expected = torch.autograd.functional.jacobian(lambda theta: model.one(theta, x)[:, 0], model.start)
    torch.testing.assert_close(model.jacobian(model.start[None], x[None])[0], expected)


def test_a_formula_of_a_network_with_offsets_has_its_values():
    network = OffsetEQL(UNITS, seed=3)
    x = np.linspace(-1, 1, 9)
    expected = network(torch.from_numpy(x)[:, None]).detach().numpy()
    formula = network.expression()
    assert formula.names == ("x",)
    np.testing.assert_allclose(formula.evaluate(x[:, None]), expected, rtol=1e-9)


@pytest.mark.parametrize(
    "layer, reason",
    [(nn.BatchNorm1d(3), "leak"), (nn.Dropout(0.5), "another function"), (nn.LazyLinear(3), "size is not known"),
     (nn.InstanceNorm1d(3, track_running_stats=True), "running statistics"),
     (nn.MultiheadAttention(3, 1, dropout=0.5), "drawn by chance")],
)  # fmt: skip
def test_layers_that_depend_on_the_batch_or_on_chance_are_refused_with_the_reason(layer, reason):
    with pytest.raises(ValueError, match=reason):
        maml(nn.Sequential(nn.Linear(1, 3), layer, nn.Linear(3, 1)), Sinusoids(), steps=1)


def test_other_models_that_cannot_be_adapted_are_refused():
    with pytest.raises(ValueError, match="no parameters"):
        FlatModel(nn.ReLU())
    with pytest.raises(ValueError, match=r"give a torch\.nn\.Module"):
        FlatModel(np.sin)
    for module, message in ((nn.Linear(2, 1), "model cannot take points with 1 feature"),
                            (nn.Linear(1, 2), r"model gives \(10, 2\) for 10 points"),
                            (nn.GRU(1, 1), "model gives tuple for 10 points")):  # fmt: skip
        for call in (lambda m=module: maml(m, FAMILY, steps=1), lambda m=module: adapt(m, None, FAMILY.sample(2))):
            with pytest.raises(ValueError, match=message):
                call()
    with pytest.raises(ValueError, match="model gives"):
        joint(nn.Linear(1, 2), FAMILY, steps=1, points=10)
    for call, message in ((lambda: mlp(width=0), "width is 0"), (lambda: OffsetEQL(UNITS, layers=0), "layers is 0")):
        with pytest.raises(ValueError, match=message):
            call()


# ---------------------------------------------------------------- the inner loop


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_all_tasks_at_once_adapt_as_each_alone(method):
    model, tasks = small_model(), FAMILY.sample(4, seed=1)
    together = adapt(model, None, tasks, 5, 0.05, method)
    for k in range(len(tasks)):
        alone = adapt(model, None, tasks[k], 5, 0.05, method)
        torch.testing.assert_close(together.theta[:, k], alone.theta[:, 0])
        torch.testing.assert_close(together.query_errors[:, k], alone.query_errors[:, 0])


def test_gradient_descent_is_torchs_sgd_and_adam_is_torchs_adam():
    tasks = FAMILY.sample(1, seed=2)
    for method, reference in ((GradientDescent(), torch.optim.SGD), (Adam(), torch.optim.Adam)):
        module = mlp(width=4, layers=1, activation=nn.Tanh)
        adapted = adapt(module, None, tasks, 6, 0.02, method)
        optimiser = reference(module.parameters(), lr=0.02)
        for _ in range(6):
            optimiser.zero_grad()
            (module(tasks.x_support[0]) - tasks.y_support[0]).square().mean().backward()
            optimiser.step()
        torch.testing.assert_close(adapted.theta[-1, 0], FlatModel(module).start, rtol=1e-6, atol=1e-8)


def test_a_gauss_newton_step_is_ridge_regression_for_a_linear_model():
    model, tasks = FlatModel(nn.Linear(1, 1, dtype=torch.float64)), FAMILY.sample(1, seed=3)
    x, y = tasks.x_support[0].numpy(), tasks.y_support[0].numpy()
    J = np.hstack([x, np.ones_like(x)])
    residuals = J @ model.start.numpy()[:, None] - y
    ridge = len(y) * (np.mean(residuals**2) + 1e-12) / 3.0
    expected = model.start.numpy() - np.linalg.solve(J.T @ J + ridge * np.eye(2), J.T @ residuals)[:, 0]
    found = adapt(model, None, tasks, 1, 3.0, GaussNewton()).theta[-1, 0]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


def test_every_step_is_kept_and_predictions_belong_to_it():
    model, tasks = small_model(), FAMILY.sample(3, seed=4, query=7)
    adapted = adapt(model, None, tasks, 3, 0.1)
    assert adapted.steps == (0, 1, 2, 3) and adapted.predictions.shape == (4, 3, 7, 1)
    torch.testing.assert_close(adapted.predictions[2], model(adapted.theta[2], tasks.x_query))
    torch.testing.assert_close(adapt(model, None, tasks, 3, 0.1, keep=[0, 3]).theta[1], adapted.theta[3])


def test_a_task_that_diverges_is_marked_and_the_others_go_on():
    tasks = Tasks.from_points([[1.0, 1, 2], [1e3, 1e3, 2e3]], [[1.0, 1, 2], [1, 1, 2]], support=2)
    with pytest.warns(RuntimeWarning, match="1 of 2 tasks diverged"):
        adapted = adapt(Line(), None, tasks, 30, 0.1)
    assert adapted.diverged.tolist() == [False, True]
    assert adapted.query_errors[-1, 0] < 1e-3 and adapted.query_errors[-1, 1] == torch.inf
    assert adapted.theta.isfinite().all()


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), torch.ones(3), -torch.ones(13), "fast"])
def test_impossible_inner_rates_are_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        adapt(small_model(), None, FAMILY.sample(1), 1, rate)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"theta": torch.zeros(5)}, r"theta has shape \(5,\): give \(13,\), or \(3, 13\)"),
        ({"theta": torch.zeros(2, 13)}, "theta has shape"),
        ({"alive": torch.ones(3, dtype=torch.bool)}, "alive has shape"),
        ({"method": Adam}, "method is <class"),
        ({"method": "adam"}, "method is 'adam'"),
        ({"keep": [7]}, "keep is"),
        ({"steps": -1}, "steps is -1"),
    ],
)
def test_adaptations_that_cannot_be_done(options, message):
    with pytest.raises(ValueError, match=message):
        adapt(small_model(), **{"theta": None, "tasks": FAMILY.sample(3), "rate": 0.1, **options})


# ---------------------------------------------------------------- the meta-gradient


def objective(model, theta, tasks, rate, steps, method):
    return adapt(model, theta, tasks, steps, rate, method, keep=[steps]).query_errors[0].mean().item()


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_the_second_order_meta_gradient_is_that_of_finite_differences(method):
    model, tasks = small_model(1), FAMILY.sample(3, seed=5)
    rate = torch.full((model.size,), 0.05, dtype=torch.float64)
    by_theta, by_rate, _, after = meta_gradient(model, model.start, tasks, rate, 3, method)
    assert after.mean().item() == pytest.approx(objective(model, model.start, tasks, rate, 3, method))
    for at in (0, 5, model.size - 1):
        step = torch.zeros(model.size, dtype=torch.float64)
        step[at] = 1e-5
        slope = (objective(model, model.start + step, tasks, rate, 3, method)
                 - objective(model, model.start - step, tasks, rate, 3, method)) / 2e-5  # fmt: skip
        assert by_theta.mean(dim=0)[at].item() == pytest.approx(slope, rel=1e-4, abs=1e-7)
        slope = (objective(model, model.start, tasks, rate + step, 3, method)
                 - objective(model, model.start, tasks, rate - step, 3, method)) / 2e-5  # fmt: skip
        assert by_rate.mean(dim=0)[at].item() == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_a_line_has_the_meta_gradient_derived_by_hand():
    """With support error a -> mean (a x - y)^2, a' = a - 2 alpha mean x (a x - y), and the chain rule."""
    tasks, a, alpha = FAMILY.sample(4, seed=6), 0.5, 0.1
    model = FlatModel(Line(a))
    x, y, u, v = (part[..., 0].numpy() for part in (tasks.x_support, tasks.y_support, tasks.x_query, tasks.y_query))
    adapted = a - 2 * alpha * np.mean(x * (a * x - y), axis=1)  # (tasks,)
    outer = 2 * np.mean(u * (adapted[:, None] * u - v), axis=1)
    second, first = outer * (1 - 2 * alpha * np.mean(x * x, axis=1)), outer
    for order, expected in ((2, second), (1, first)):
        found = meta_gradient(model, model.start, tasks, alpha, 1, order=order)[0]
        np.testing.assert_allclose(found[:, 0].numpy(), expected, rtol=1e-10)


def test_first_order_is_the_gradient_at_the_adapted_parameters():
    model, tasks = small_model(2), FAMILY.sample(3, seed=7)
    theta = adapt(model, None, tasks, 4, 0.05).theta[-1].clone().requires_grad_()
    error = (model(theta, tasks.x_query) - tasks.y_query).square().mean(dim=(1, 2)).sum()
    found = meta_gradient(model, model.start, tasks, 0.05, 4, order=1)[0]
    torch.testing.assert_close(found, torch.autograd.grad(error, theta)[0])


def test_all_tasks_at_once_have_the_meta_gradients_of_a_plain_loop():
    model, tasks = FlatModel(OffsetEQL(UNITS, seed=1)), FAMILY.sample(5, seed=8)
    found = meta_gradient(model, model.start, tasks, 0.01, 3)[0]
    for k in range(len(tasks)):
        start = theta = model.start.clone().requires_grad_()
        for _ in range(3):
            error = (model.one(theta, tasks.x_support[k]) - tasks.y_support[k]).square().mean()
            theta = theta - 0.01 * torch.autograd.grad(error, theta, create_graph=True)[0]
        error = (model.one(theta, tasks.x_query[k]) - tasks.y_query[k]).square().mean()
        torch.testing.assert_close(found[k], torch.autograd.grad(error, start)[0], rtol=1e-9, atol=1e-11)


# ---------------------------------------------------------------- the outer loop


def test_maml_beats_joint_training_on_sinusoids_after_one_step():
    model = FlatModel(mlp(width=40, dtype=torch.float32))
    settings = dict(steps=600, tasks=25, learning_rate=3e-3)
    tasks, other = Sinusoids().sample(100, seed=99), Sinusoids().sample(50, seed=98)
    learned = maml(model, Sinusoids(), inner_steps=1, rate=0.01, **settings)
    average = joint(model, Sinusoids(), **settings)
    factors = (0.3, 1.0, 3.0)
    errors = [
        adaptation_curve(one, tasks, (0, 1), tune_rate(one, other, factors, steps=1)) for one in (learned, average)
    ]
    assert errors[0].mean[1] < 0.7 * errors[1].mean[1]
    assert errors[1].mean[0] < 1.1 * errors[1].zero_mean


def test_seeds_reproduce_and_the_model_is_left_as_it_is():
    module = mlp(width=4)
    before = FlatModel(module).start
    one, other = (maml(module, FAMILY, steps=3, tasks=4, learn_rates=True, seed=5) for _ in range(2))
    assert torch.equal(one.theta, other.theta) and torch.equal(one.rate, other.rate)
    assert torch.equal(FlatModel(module).start, before)
    assert not torch.equal(one.theta, maml(module, FAMILY, steps=3, tasks=4, learn_rates=True, seed=6).theta)


def test_the_number_of_threads_changes_nothing():
    found = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(maml(mlp(), FAMILY, steps=3, tasks=25, inner_steps=2, seed=1).theta)
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert torch.equal(*found)


def test_settings_that_make_no_sense_are_refused():
    for settings, message in (({"order": 3}, "order is 3"), ({"inner_steps": 0}, "inner_steps is 0"),
                              ({"steps": 0}, "steps is 0"), ({"strength": -1}, "strength is -1"),
                              ({"clip": -1.0}, "clip is -1"), ({"log_floor": 0.0}, "log_floor is 0"),
                              ({"begin": MetaLearned.from_scratch(Line())}, "begin has 1 parameters"),
                              ({"begin": "here"}, "begin is 'here'"), ({"support": 0}, "support is 0"),
                              ({"method": "adam"}, "method is 'adam'"), ({"rate": 0.0}, "rate is 0")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            maml(small_model(), FAMILY, **{"steps": 1, **settings})
    for train in (maml, joint):
        for family in (None, WavesAndExponentials, [Law("x")]):
            with pytest.raises(ValueError, match="give a Family"):
                train(small_model(), family, steps=1)
    with pytest.raises(ValueError, match="tasks is 0"):
        joint(small_model(), FAMILY, steps=1, tasks=0, sequential=True)


def test_training_goes_on_from_an_earlier_one():
    first = maml(small_model(), FAMILY, steps=2, tasks=3, learn_rates=True)
    more = maml(small_model(), FAMILY, steps=1, tasks=3, learn_rates=True, begin=first, learning_rate=1e-9)
    torch.testing.assert_close(more.theta, first.theta)
    torch.testing.assert_close(more.rate, first.rate)


@pytest.mark.parametrize("train", [maml, joint])
def test_callbacks_see_each_step_and_end_the_training(train):
    seen = []
    learned = train(small_model(), FAMILY, steps=50, tasks=3, callbacks=[seen.append, lambda e: e.number == 4])
    assert learned.reason == "callback" and [event.number for event in seen] == [1, 2, 3, 4]
    assert len(learned.history) == 4 and all(event.diverged == 0 for event in seen)


def test_an_interrupt_and_a_time_limit_keep_what_was_learned():
    def interrupt(event):
        if event.number == 2:
            raise KeyboardInterrupt

    learned = maml(small_model(), FAMILY, steps=50, tasks=3, callbacks=[interrupt])
    assert learned.reason == "interrupted" and len(learned.history) == 2
    assert not torch.equal(learned.theta, small_model().start)
    assert maml(small_model(), FAMILY, steps=10**6, tasks=3, time_limit=0.05).reason == "time_limit"


def test_tasks_that_diverge_in_training_are_left_out_and_counted():
    left_out = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learned = maml(
            OffsetEQL({"exp": 2, "square": 1}, scales=(2.0, 1.0, 1.0)), FAMILY, steps=5, tasks=8, inner_steps=8,
            rate=1.0, callbacks=[lambda event: left_out.append(event.diverged)],
        )  # fmt: skip
    assert max(left_out) > 0 and learned.theta.isfinite().all()


def test_a_training_at_a_rate_at_which_every_task_diverges_says_that_nothing_was_learned():
    cubic = nn.Sequential(nn.Linear(1, 3, dtype=torch.float64), Cube(), nn.Linear(3, 1, dtype=torch.float64))
    with pytest.warns(RuntimeWarning, match="nothing was learned in 2 steps.*smaller inner rate") as caught:
        learned = maml(cubic, FAMILY, steps=2, tasks=3, inner_steps=8, rate=1e6)
    assert caught[0].filename == __file__
    assert learned.reason == "completed" and torch.equal(learned.theta, FlatModel(cubic).start)


class Cube(nn.Module):
    def forward(self, x):
        return x**3


def test_a_task_without_a_finite_error_does_not_hold_up_joint_training():
    class Exponential(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))

        def forward(self, x):
            return self.a * torch.exp(x[:, 0])

    laws = FixedLaws((Law("2*exp(x)", domain=(0, 1)), Law("x", domain=(1000, 2000))))
    seen = []
    learned = joint(Exponential(), laws, steps=300, tasks=2, learning_rate=0.05, callbacks=[seen.append])
    assert learned.theta.item() == pytest.approx(2, rel=1e-3)
    assert all(event.diverged == 1 and math.isfinite(event.after) for event in seen)
    with pytest.warns(RuntimeWarning, match="nothing was learned in 1 steps"):
        hopeless = joint(Exponential(), FixedLaws(laws.laws[1:]), steps=1, tasks=1)
    assert hopeless.theta.item() == 1 and hopeless.history[0][2] == math.inf


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rates_may_have_another_precision_than_the_model(dtype):
    model = FlatModel(mlp(width=3, dtype=torch.float32))
    learned = maml(model, FAMILY, steps=1, tasks=2, rate=torch.full((model.size,), 0.01, dtype=dtype))
    assert learned.adapt(FAMILY.sample(2), 2).theta.dtype == torch.float32


def test_sequential_joint_training_takes_one_step_for_each_task():
    learned = joint(small_model(), FAMILY.fixed(3), steps=4, tasks=3, sequential=True)
    assert len(learned.history) == 12


# ---------------------------------------------------------------- evaluation


def test_the_rate_is_tuned_on_its_own_tasks():
    learned = MetaLearned.from_scratch(Line(0.0), 0.1)
    tasks = Tasks.from_points(np.ones((3, 6)), np.full((3, 6), 2.0), support=4)
    assert tune_rate(learned, tasks, (0.01, 5.0, 1e3), steps=1) == 5.0  # 2*rate*x^2 = 1: there in one step
    for call, message in ((lambda: tune_rate(learned, tasks, ()), "factors is"),
                          (lambda: adaptation_curve(learned, tasks, ()), "steps is")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            call()


def test_a_curve_counts_diverged_tasks_as_infinite():
    tasks = Tasks.from_points([[1.0, 1, 2]] * 3 + [[1e3, 1e3, 2e3]], [[1.0, 1, 2]] * 4, support=2)
    with pytest.warns(RuntimeWarning, match="diverged"):
        curve = adaptation_curve(MetaLearned.from_scratch(Line(), 0.1), tasks, (0, 30))
    assert curve.diverged == 1 and curve.mean[1] == np.inf and curve.median[1] < 1e-3
    assert curve.zero_mean == pytest.approx(np.mean(tasks.y_query.numpy() ** 2))


def test_the_landscapes_slopes_are_those_of_its_heights():
    tasks = WavesAndExponentials(frequency=(0.3, 0.5)).sample(3, seed=1)
    h = 1e-4
    found = landscape(TwoParameters(), tasks, np.array([2 - h, 2.0, 2 + h]), np.array([0.5]), rate=0.05)
    for heights, slopes in ((found.joint, found.joint_gradient), (found.maml, found.maml_gradient)):
        assert slopes[0, 1, 0] == pytest.approx((heights[0, 2] - heights[0, 0]) / (2 * h), rel=1e-5)
    with pytest.raises(ValueError, match="13 parameters"):
        landscape(small_model().module, tasks, [0.0], [0.0])
