"""Lesson 03: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import math
import time
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from srlib import Expression, problems, recovers  # noqa: E402
from srlib.eql import Architecture, EQLNetwork, HardConcrete, SmoothedL05, read_units, to_expression  # noqa: E402
from srlib.teaching.dashboards import learner, learner_panels, lesson03  # noqa: E402
from srlib.teaching.exercises import lesson03 as exercises  # noqa: E402
from srlib.teaching.style import blank, to_png  # noqa: E402
from tests.teaching.bank import assert_bank  # noqa: E402

QUICK = learner.Setup(layers=1, trials=4)


@pytest.fixture(scope="module")
def made():
    return learner.record(QUICK)


# ---------------------------------------------------------------- penalties and gates


def test_penalties_are_those_of_their_definitions():
    result = lesson03.compute_penalties(a=0.05, weight=0.02, width=0.2)
    w = torch.tensor(result.w, requires_grad=True)
    penalty = torch.where(w.abs() >= 0.05, w.abs(), -(w**4) / (8 * 0.05**3) + 3 * w**2 / 0.2 + 3 * 0.05 / 8).sqrt()
    penalty.sum().backward()
    assert result.values["smoothed L0.5"] == pytest.approx(penalty.detach().numpy())
    assert result.slopes["smoothed L0.5"] == pytest.approx(w.grad.numpy())
    assert result.at["L0.5"] == pytest.approx((math.sqrt(0.02), 0.5 / math.sqrt(0.02)))


@pytest.mark.parametrize("a", [0.005, 0.05, 0.5])
def test_smoothed_is_hardly_steeper_than_at_a(a):
    slopes = SmoothedL05(a).slopes(torch.linspace(0, 2 * a, 2001, dtype=torch.float64))
    assert 1 <= float(slopes.max()) / (0.5 * a**-0.5) < 1.1


def test_who_wins_the_tug_of_war():
    least = lesson03.compute_tug(wanted=0.5, strength=0.15).least
    assert least["L1"] == pytest.approx(0.5 - 0.15 / 2, abs=1e-3)  # the soft threshold
    assert least["L0"] == pytest.approx(0.5, abs=1e-3)
    assert least["L1"] < least["smoothed L0.5"] < least["L0"]
    assert lesson03.compute_tug(wanted=0.5, strength=0.26).least["L0"] == pytest.approx(0, abs=1e-3)  # 0.5**2 < 0.26
    assert lesson03.compute_tug(wanted=0.5, strength=0.24).least["L0"] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("case", [(0.0, 0.65, -0.1, 1.1), (-2.0, 0.3, -0.5, 1.3), (1.5, 1.8, -0.02, 1.02)])
def test_probabilities_of_gates_are_the_shares_of_samples(case):
    result = lesson03.compute_gates(*case)
    assert np.mean(result.samples == 0) == pytest.approx(result.closed, abs=1e-3)
    assert np.mean(result.samples == 1) == pytest.approx(result.open, abs=1e-3)


def test_the_answers_about_gates():
    half = HardConcrete().beta * math.log(0.1 / 1.1)
    assert half == pytest.approx(-1.6, abs=0.01)
    assert lesson03.compute_gates(half, 2 / 3).closed == pytest.approx(0.5)
    cold, hot = (lesson03.compute_gates(0.0, beta) for beta in (0.1, 2.0))
    assert cold.closed + cold.open > 0.7 > 0.5 > hot.closed + hot.open
    assert lesson03.compute_gates(0.0, 2 / 3, -0.02, 1.02).closed < 0.07
    nearly_closed = half - math.log(0.9 / 0.1)  # the quiz: P(z = 0) = 0.9
    assert lesson03.compute_gates(nearly_closed, 2 / 3).at_test == 0


@pytest.mark.parametrize(
    ("panel", "settings"),
    [(lesson03.penalty_panel, 3 + 3 + 3), (lesson03.tug_panel, 6), (lesson03.gate_panel, 12)],
    ids=["penalties", "tug", "gates"],
)
def test_panels_can_be_driven_everywhere(panel, settings):
    panel = panel()
    assert panel.sweep() == settings
    assert panel.error is None


# ---------------------------------------------------------------- networks


def test_a_setup_trains_as_srlib_does_and_repeats(made):
    again = next(iter(learner.recordings(QUICK)))
    assert np.array_equal(made.weights[0], again.weights[0]) and np.array_equal(made.weights[1], again.weights[1])
    assert made.steps[0] == 0 and made.steps[-1] == 1300 == sum(phase.steps for phase in QUICK.phases)
    assert len(made.steps) == len(made.weights) == len(made.errors)


def test_errors_and_verdicts_of_an_outcome_are_those_of_its_formulas(made):
    outcome, problem = made.outcome, made.problem
    X_out, y_out = problem.sample(500, 1, where="extrapolation")
    assert outcome.recovered.any()
    for weights, inside, outside, found in zip(
        outcome.weights, outcome.inside, outcome.outside, outcome.recovered, strict=True
    ):
        formula = to_expression(made.architecture, weights, names=problem.names)
        errors = [np.sqrt(np.mean((formula.evaluate(X) - y) ** 2)) / np.std(y)
                  for X, y in ((problem.X, problem.y), (X_out, y_out))]  # fmt: skip
        assert [inside, outside] == pytest.approx(errors, rel=1e-6, abs=1e-12)
        assert found == (recovers(formula, problem).verdict == "recovered")


def test_weights_that_matter_and_what_they_spell(made):
    best = made.outcome.best
    assert made.active(0, best) > made.active(-1, best) == (made.outcome.weights[best] != 0).sum()
    said = made.formula(len(made.steps) - 1, best)
    assert recovers(Expression.parse(said, ("x", "y")), made.problem).verdict != "failed"
    assert "sin" in said
    network = Architecture(2, read_units({"identity": 1}), layers=1)
    assert learner.spell(network, np.zeros(network.size), 0.0, ("x", "y")) == "0 (nothing is left)"
    wide = EQLNetwork(2, learner.LESSON_UNITS, layers=2, dtype=torch.float64)
    assert "too long" in learner.spell(wide.architecture, wide.flat[0].detach().numpy(), 0.0, ("x", "y"))


def test_the_graph_has_a_line_for_each_weight(made):
    ax = blank(4, 3).subplots()
    weights = made.outcome.weights[made.outcome.best]
    learner_panels.draw_network(ax, made.architecture, weights, made.problem.names)
    assert len(ax.collections[0].get_segments()) == np.count_nonzero(weights)
    empty = blank(4, 3).subplots()
    learner_panels.draw_network(empty, made.architecture, 0 * weights, made.problem.names)
    assert not empty.collections


def test_every_function_of_the_dashboard_has_data():
    for name in learner.FUNCTIONS.values():
        problem = learner._problem(name)
        places, X = learner.diagonal(problem)
        assert len(problem.y) >= learner.ROWS or name in ("f1", "f2")
        assert X.shape == (len(places), len(problem.names))


def test_the_lesson_s_own_law():
    target = learner.target()
    assert recovers("x*y + sin(3*x)", target) and not recovers("x*y + sin(2.9*x)", target)
    assert recovers("0.25*((x + y)**2 - (x - y)**2) + sin(3*x)", target)


def test_pictures_are_drawn_without_warnings(made):
    film = learner_panels.film_panel(QUICK)
    networks = lesson03.fit_networks(hidden=4, starts=2)
    pictures = [
        (lambda fig: film.draw((0, 0), fig), (10.5, 5.4)),
        (lambda fig: learner_panels.draw_frames(made, 0, (0, 5, 65), fig), (10.5, 3.5)),
        (lambda fig: learner_panels.draw_recording(made, fig), (10.5, 6.4)),
        (lambda fig: learner_panels.draw_strip({"one": made.outcome, "two": made.outcome}, fig), (10, 3)),
        (lambda fig: lesson03.draw_contest(networks, fig), (8, 4)),
        (lambda fig: lesson03.draw_contest(networks, fig, made.outcome), (10, 4)),
    ]
    for draw, size in pictures:
        fig = blank(*size)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            draw(fig)
            assert len(to_png(fig)) > 6_000


def test_the_film_can_be_driven_everywhere(made):
    film = learner_panels.film_panel(QUICK)
    assert film.sweep() == 6 and film.error is None
    assert film.values == {"moment": len(made.steps) - 1, "start": made.outcome.best}


def test_the_live_run_ends_with_an_outcome():
    live = learner_panels.learner_run()
    result = live.run(layers=1)
    assert result.outcome.recovered.sum() >= 10
    assert "starts recover the law" in live.describe(result)


def test_every_control_of_the_live_run_can_be_swept():
    assert learner_panels.learner_run().sweep(60) == len(learner.FUNCTIONS) + 3 + 3 + 3 + 3


def test_a_live_run_stops_soon():
    live = learner_panels.learner_run()
    live.start(layers=3)
    end = time.monotonic() + 30
    while not live.job.published and time.monotonic() < end:
        time.sleep(0.01)
    live.stop()
    assert live.wait(10).outcome is None


# ---------------------------------------------------------------- the exercises


def smoothed(w, a):
    inner = -(w**4) / (8 * a**3) + 3 * w**2 / (4 * a) + 3 * a / 8
    return np.where(np.abs(w) >= a, np.sqrt(np.abs(w)), np.sqrt(np.maximum(inner, 0)))


def test_exercise_1_smoothed(capsys):
    def piecewise(w, a, condition=np.abs, power=0.5, constant=3 / 8, swap=False):
        inner = -(w**4) / (8 * a**3) + 3 * w**2 / (4 * a) + constant * a
        large = condition(w) >= a
        return np.where(large != swap, np.abs(w) ** 0.5, inner if power == 1 else np.sqrt(inner))

    assert_bank(
        "3.1",
        capsys,
        correct=[smoothed, lambda w, a: SmoothedL05(a).values(torch.tensor(w)).numpy()],
        wrong=[
            (lambda w, a: piecewise(w, a, condition=lambda v: v), "to the letter"),
            (lambda w, a: np.where(w >= a, np.sqrt(w), np.sqrt(3 * a / 8 + 0 * w) * np.nan), "gets NaN"),
            (lambda w, a: np.sqrt(np.abs(w)), "without any smoothing"),
            (lambda w, a: piecewise(w, a, swap=True), "swapped the two lines"),
            (lambda w, a: np.abs(w), "and should get"),
            (lambda w, a: smoothed(w, a).sum(), "in the shape"),
            (lambda w, a: "root", "returns 'root'"),
        ],
        almost=[
            (lambda w, a: piecewise(w, a, power=1), "missing its exponent"),
            (lambda w, a: np.where(np.abs(w) >= a, np.sqrt(np.abs(w)), np.sqrt(
                np.maximum(-(w**4) / (8 * a**3) + 3 * w**2 / (4 * a), 0))), "a term is missing"),
        ],
    )  # fmt: skip


def slope(w, a, near=lambda g, w, a: g / (2 * smoothed(w, a)), far=lambda w: 0.5 * np.abs(w) ** -0.5):
    with np.errstate(all="ignore"):
        g = 3 * w / (2 * a) - w**3 / (2 * a**3)
        return np.where(np.abs(w) >= a, np.sign(w) * far(w), near(g, w, a))


def test_exercise_2_slope(capsys):
    assert_bank(
        "3.2",
        capsys,
        correct=[slope, lambda w, a: SmoothedL05(a).slopes(torch.tensor(w)).numpy()],
        wrong=[
            (lambda w, a: np.abs(slope(w, a)), "never negative"),
            (lambda w, a: -slope(w, a), "turned around"),
            (lambda w, a: slope(w, a, near=lambda g, w, a: g), "The chain rule goes on"),
            (lambda w, a: slope(w, a, near=lambda g, w, a: np.sign(w) * 0.5 / np.sqrt(np.abs(w))), "is not finite"),
            (lambda w, a: slope(w, a, near=lambda g, w, a: 0 * g), "near 0 your slopes differ"),
            (lambda w, a: slope(w, a, far=lambda w: np.abs(w) ** -0.5), "for large weights they are not"),
            (lambda w, a: np.sign(w), "the slope at w ="),
            (lambda w, a: 1.0, "in the shape"),
        ],
        almost=[(lambda w, a: slope(w, a, near=lambda g, w, a: g / smoothed(w, a)), "has a 2 below")],
    )


def gate(log_alpha, u, beta, gamma, zeta, inside=None, stretch=True, clip=True):
    logit = np.log(u) - np.log(1 - u)
    s = 1 / (1 + np.exp(-(inside(logit) if inside else (logit + log_alpha) / beta)))
    s = s * (zeta - gamma) + gamma if stretch else s
    return np.clip(s, 0, 1) if clip else s


def test_exercise_3_gate(capsys):
    def with_inside(formula):
        return lambda la, u, b, g, z: gate(la, u, b, g, z, inside=lambda x: formula(x, la, b))

    assert_bank(
        "3.3",
        capsys,
        correct=[
            gate,
            lambda la, u, b, g, z: HardConcrete(b, g, z).sample(torch.tensor(float(la)), torch.tensor(u)).numpy(),
        ],
        wrong=[
            (lambda *case: gate(*case, stretch=False), "Without the stretch"),
            (with_inside(lambda x, la, b: x / b + la), "divides log alpha as well"),
            (with_inside(lambda x, la, b: x + la / b), "divides the chance as well"),
            (with_inside(lambda x, la, b: (x + la) * b), "You multiply by the temperature"),
            (with_inside(lambda x, la, b: x + la), "makes no difference"),
            (with_inside(lambda x, la, b: (x - la) / b), "sign of log alpha"),
            (lambda la, u, b, g, z: np.clip(gate(la, u, b, g, z, stretch=False) * z + g, 0, 1), "does not end at zeta"),
            (lambda la, u, b, g, z: u, "it should be"),
            (lambda la, u, b, g, z: 0.5, "in the shape"),
        ],
        almost=[(lambda *case: gate(*case, clip=False), "beyond 0 and 1")],
    )


def closed(log_alpha, beta, gamma, zeta):
    return 1 / (1 + math.exp(log_alpha - beta * math.log(-gamma / zeta)))


def test_exercise_4_closed(capsys):
    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    def counted(*case):
        u = (np.arange(4000) + 0.5) / 4000
        return float(np.mean(gate(case[0], u, *case[1:]) == 0))

    assert_bank(
        "3.4",
        capsys,
        correct=[closed, lambda *case: np.float64(closed(*case)),
                 lambda la, b, g, z: 1 - float(HardConcrete(b, g, z).values(torch.tensor(la, dtype=torch.float64)))],
        wrong=[
            (lambda *case: 1 - closed(*case), "is not closed"),
            (lambda la, b, g, z: sigmoid(-la), "does not know of the stretch"),
            (lambda la, b, g, z: sigmoid(math.log(-g / z) - la), "The temperature is missing"),
            (lambda la, b, g, z: sigmoid(math.log(-g / z) / b - la), "you divide by it"),
            (lambda la, b, g, z: sigmoid(-b * math.log(-g / z) - la), "A sign is turned around"),
            (lambda la, b, g, z: sigmoid(la - b * math.log((1 - g) / (z - 1))), "fully open"),
            (lambda *case: 0.9, "of 4000 gates"),
            (lambda *case: [closed(*case)], "Return one probability"),
        ],
        almost=[(counted, "that is a count")],
    )  # fmt: skip


def test_exercise_5_formula(capsys):
    right = "0.5 + 2*sin(3.14159*x) - 1.2*x*y"
    assert_bank(
        "3.5",
        capsys,
        correct=[right, to_expression(*exercises.pruned(), names=["x", "y"]),
                 "0.5 + 2*sin(3.1416*x) - 6*(0.5*x)*(0.4*y)"],
        wrong=[
            ("0.5 + 2*sin(0.25*x) - 0.12*x*y", "without their scalings"),
            ("0.5 + 2*sin(0.25*x) - 1.2*x*y", "The sine has a scaling inside"),
            ("0.5 + 2*sin(3.14159*x) - 0.12*x*y", "The product has a scaling"),
            ("0.5 + 2*sin(3.14159*x) + 0.6*(0.5*x - 0.4*y)", "multiplies its two sums"),
            ("log(x)", "no finite value"),
            ("x +", "cannot read"),
            ("x + y", "the network gives"),
            (3, "Give the formula as a text"),
        ],
        almost=[
            ("2*sin(3.14159*x) - 1.2*x*y", "The constant unit is alive"),
            ("0.5 + 2*sin(3.14159*x) + 1.2*x*y", "Look at the signs"),
            ("0.5 + sin(3.14159*x) - 1.2*x*y", "the sine's"),
            ("0.5 + 2*sin(3.14159*x) - 2*x*y", "the product's"),
        ],
    )  # fmt: skip


def test_exercise_6_break_even(capsys):
    assert_bank(
        "3.6",
        capsys,
        correct=[1 / 108, 0.00926, np.float64(0.0093)],
        wrong=[
            (1 / 36, "price of one gate"),
            (108, "turn the quotient around"),
            (1 / 18, "with the root"),
            (1 / 27, "is the mean square of x y"),
            (1 / 54, "must be squared with the rest"),
            (1 / 24, "take squares"),
            (0.5, "is cheaper than"),
            (0.001, "is dearer than"),
            (-1.0, "above 0"),
            ("1/108", "without quotation marks"),
            ("a tenth", "Give a number; 'a tenth'"),
            (lambda: 1 / 108, "Give a number; <function"),
        ],
    )


def test_the_break_even_is_where_the_loss_says():
    X, _ = problems.load("eql-8").sample(200_000, 0)
    assert np.mean((0.5 * X[:, 0] * X[:, 1]) ** 2) / 3 == pytest.approx(1 / 108, rel=0.02)
