"""Lesson 08: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import time
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from srlib.distill.l2o import FormulaRule, adam, mapping_complexity, mapping_curve, momentum  # noqa: E402
from srlib.teaching.dashboards import lesson08, optimizers, unrolls  # noqa: E402
from srlib.teaching.style import blank, to_png  # noqa: E402
from tests.teaching.bank import assert_bank  # noqa: E402

# ---------------------------------------------------------------- rules and recordings


def test_the_learned_rule_is_the_stored_one():
    rule, where = optimizers.learned_rule()
    assert where.startswith("stored")
    assert sum(one.numel() for one in rule.parameters()) == 448
    assert mapping_curve(rule, "mt", [1.0])[0] < -0.2  # it goes downhill


def test_momentum_is_found_in_its_past():
    result = optimizers.short_rule("momentum", "noisy quadratics", "g and its past", 20, 12, 100.0)
    weights = {name: weight for weight, name in result.terms}
    assert len(result.held) == 12 and result.held[-1] > 0.9
    assert weights["g"] == pytest.approx(-1, abs=0.2)


def test_adam_is_one_term_of_mt():
    result = optimizers.short_rule("Adam", "noisy quadratics", "mt, gt and their past", 0, 1, 100.0)
    assert [name for _, name in result.terms] == ["mt"]
    assert result.terms[0][0] == pytest.approx(-1, abs=1e-3) and result.held[-1] > 0.9999


def test_small_gamma_makes_signs():
    rough = optimizers.short_rule("Adam", "noisy quadratics", "mt, gt and their past", 0, 1, 0.1)
    assert rough.held[-1] < 0.95
    assert np.median(np.abs(rough.told)) == pytest.approx(np.abs(rough.told).max(), rel=0.1)


def test_rows_without_gradient_are_left_out():
    train, _ = optimizers.recorded(optimizers.LEARNED, "digits")
    assert (train.X[:, train.names.index("g")] != 0).all()


# ---------------------------------------------------------------- panels


def test_the_race_is_that_of_the_rules():
    result = lesson08.compute_race(steps=10)
    path = result.paths["gradient descent"]
    problem = lesson08.LANDSCAPES["a narrow valley"].sample(1, 3)
    _, gradients = problem.gradients(torch.from_numpy(path[:1]), 1)
    assert path[1] == pytest.approx(path[0] - 0.3 * gradients[0].numpy())
    assert {len(losses) for losses in result.losses.values()} == {10}


def test_a_rate_that_is_too_large_is_drawn():
    result = lesson08.compute_race(sgd_rate=3.0, steps=200)
    assert result.losses["gradient descent"][-1] > 1e3  # or infinite
    lesson08.draw_race(result, blank(8, 4))
    assert "gradient descent" in lesson08.describe_race(result)


def test_the_mapping_curve_goes_downhill_and_is_bounded():
    result = lesson08.compute_mapping(after=0)
    (curve,) = result.learned.values()
    assert np.abs(curve).max() <= 1 and curve[0] > 0 > curve[-1]
    assert result.formula == pytest.approx(-0.6 * 0.5 * np.tanh(result.values / 0.5))


@pytest.mark.parametrize(
    ("panel", "settings"),
    [(lesson08.race_panel, 14), (lesson08.mapping_panel, 14), (lesson08.distil_panel, 18)],
    ids=["race", "mapping", "distil"],
)
def test_panels_can_be_driven_everywhere(panel, settings):
    panel = panel()
    assert panel.sweep() == settings
    assert panel.error is None
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fig = blank(*panel.size)
        panel.draw(panel.result, fig)
        assert len(to_png(fig)) > 6_000


def test_the_unroll_is_drawn():
    fig = blank(9, 3.2)
    unrolls.draw_unroll(fig)
    assert len(to_png(fig)) > 6_000


# ---------------------------------------------------------------- meta-training


def test_live_runs_repeat_and_change_the_rule():
    first, again = (unrolls.meta_run().run(episodes=5, seed=1) for _ in range(2))
    assert [one.last for one in first.history] == [one.last for one in again.history]
    assert len(first.history) == 5 and not np.array_equal(first.before, first.now)
    assert "Episode 5" in unrolls.describe_training(first)


def test_a_formula_is_tuned():
    result = unrolls.meta_run().run(what="formula", episodes=5, unroll=30)
    start = FormulaRule(unrolls.START).expression().format(3)
    assert result.formula and result.formula != start
    unrolls.draw_training(result, blank(9, 4))


def test_a_live_run_stops_soon():
    live = unrolls.meta_run()
    live.start(episodes=120)
    end = time.monotonic() + 60
    while not live.job.published and time.monotonic() < end:
        time.sleep(0.01)
    live.stop()
    assert len(live.wait(60).history) < 120


# ---------------------------------------------------------------- the exercises


def test_exercise_1_momentum(capsys):
    def powers(decay, count):
        return decay ** np.arange(count)

    assert_bank(
        "8.1",
        capsys,
        correct=[powers, lambda d, n: [d**k for k in range(n)]],
        wrong=[
            (lambda d, n: powers(d, n)[::-1], "from the oldest"),
            (lambda d, n: d * powers(d, n), "exponents begin at 0"),
            (lambda d, n: np.full(n, d), "do not fall off"),
            (lambda d, n: np.ones(n), "count the same"),
            (lambda d, n: (1 - d) ** np.arange(n), "turned decay"),
            (lambda d, n: 1 / np.arange(1, n + 1), "the first weights are"),
            (lambda d, n: 0.9, "in the shape"),
        ],
        almost=[
            (lambda d, n: (1 - d) * powers(d, n), "the average m"),
            (lambda d, n: -powers(d, n), "minus comes when"),
        ],
    )


def test_exercise_2_adam(capsys):
    def parts(g, b1, b2, correct=(True, True), shift=0):
        m = v = 0.0
        for one in g:
            m, v = b1 * m + (1 - b1) * one, b2 * v + (1 - b2) * one**2
        t = len(g) - shift
        return m / (1 - b1**t if correct[0] else 1), v / (1 - b2**t if correct[1] else 1)

    def ratio(g, b1, b2, **options):
        m, v = parts(g, b1, b2, **options)
        return float(-m / np.sqrt(v))

    def late(g, b1, b2):
        return ratio(g, b1, b2, shift=1) if len(g) > 1 else ratio(g, b1, b2)

    assert_bank(
        "8.2",
        capsys,
        correct=[ratio],
        wrong=[
            (lambda g, a, b: ratio(g, a, b, correct=(False, False)), "Without bias correction"),
            (lambda g, a, b: float(-parts(g, a, b)[0] / parts(g, a, b)[1]), "not by its root"),
            (lambda g, a, b: float(-g[-1] / np.sqrt(parts(g, a, b)[1])) if len(g) > 1 else ratio(g, a, b), "RMSprop"),
            (lambda g, a, b: ratio(g, a, b, correct=(True, False)), "Only m"),
            (lambda g, a, b: ratio(g, a, b, correct=(False, True)), "Only v"),
            (late, "power t - 1"),
            (lambda g, a, b: 0.123, "For the gradients"),
            (lambda g, a, b: [1.0], "one number"),
        ],
        almost=[(lambda g, a, b: -ratio(g, a, b), "but for the sign")],
    )


def test_exercise_3_unroll(capsys):
    def right(a, h, theta, T):
        return -T * h**2 * theta**2 * (1 - a * h) ** (2 * T - 1)

    def differences(a, h, theta, T):
        def loss(rate):
            return h / 2 * (theta * (1 - rate * h) ** T) ** 2

        return (loss(a + 1e-6) - loss(a - 1e-6)) / 2e-6

    def autograd(a, h, theta, T):
        rate = torch.tensor(a, dtype=torch.float64, requires_grad=True)
        place = torch.tensor(theta, dtype=torch.float64)
        for _ in range(T):
            place = place - rate * h * place
        (h / 2 * place**2).backward()
        return rate.grad.item()

    assert differences(0.1, 2.0, 1.5, 5) == pytest.approx(right(0.1, 2.0, 1.5, 5), rel=1e-6)
    assert_bank(
        "8.3",
        capsys,
        correct=[right, autograd],
        wrong=[
            (lambda a, h, th, T: h / 2 * th**2 * (1 - a * h) ** (2 * T), "not its derivative"),
            (lambda a, h, th, T: right(a, h, th, 1), "one step only"),
            (lambda a, h, th, T: right(a, h, th, T) / T if T > 1 else right(a, h, th, T), "factor T is missing"),
            (lambda a, h, th, T: right(a, h, th, T) / -h, "inner derivative"),
            (lambda a, h, th, T: h * th * (1 - a * h) ** (2 * T), "derived by theta"),
            (lambda a, h, th, T: 7.0, "it is"),
            (lambda a, h, th, T: "x", "Return one number"),
        ],
        almost=[
            (lambda a, h, th, T: -right(a, h, th, T), "but for the sign"),
            (lambda a, h, th, T: 2 * right(a, h, th, T), "the 1/2 of the loss"),
        ],
    )


def test_exercise_4_mean_lag(capsys):
    def mean(s):
        size = np.abs(s)
        return np.arange(len(s)) @ size / size.sum()

    assert_bank(
        "8.4",
        capsys,
        correct=[mean],
        wrong=[
            (lambda s: np.arange(1, len(s) + 1) @ np.abs(s) / np.abs(s).sum(), "yours has lag 1"),
            (lambda s: np.arange(len(s)) @ np.abs(s), "add up to 1"),
            (lambda s: (np.arange(len(s)) * np.abs(s)).mean(), "not by their number"),
            (lambda s: np.arange(len(s)) @ s**2 / (s**2).sum(), "squared"),
            (lambda s: float(np.abs(s).argmax()), "the largest sensitivity"),
            (lambda s: np.arange(len(s)) @ s / s.sum(), "cancel"),
            (lambda s: 3.3, "For the sensitivities"),
            (lambda s: s, "one number of steps"),
        ],
    )


def test_exercise_5_knee(capsys):
    import pandas as pd

    def longest(c, r):
        return int(c[-1]) if r[-1] < r.max() else int(c[r >= r.max() - 0.01].min())

    assert_bank(
        "8.5",
        capsys,
        correct=[
            lambda c, r: int(c[r >= r.max() - 0.01].min()),
            lambda c, r: mapping_complexity(pd.DataFrame({"complexity": c, "r2": r})),
        ],
        wrong=[
            (lambda c, r: int(c[r.argmax()]), "That is the most faithful"),
            (longest, "the longest formula, and"),
            (lambda c, r: int(c[np.argmax(np.diff(r)) + 1]), "the largest jump"),
            (lambda c, r: int(c[r >= r[-1] - 0.01].min()), "compare with the largest R2"),
            (lambda c, r: int(c[0]), "The shortest formula has"),
            (lambda c, r: 1000, "For complexities"),
            (lambda c, r: c, "Return one complexity"),
        ],
    )


# ---------------------------------------------------------------- what the lesson says in prose


def test_hand_made_rules_are_named():
    assert [type(optimizers.rule_named(name)) for name in ("momentum", "Adam")] == [FormulaRule, FormulaRule]
    assert str(optimizers.rule_named("Adam").formula) == str(adam().formula)
    assert str(optimizers.rule_named("momentum").formula) == str(momentum().formula)
