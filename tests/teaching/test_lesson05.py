"""Lesson 05: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import time
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax, zeta

from srlib import Expression, problems, recovers
from srlib.gmeql import Weights, density_gradient, extract, graph, power_law, signatures
from srlib.teaching.dashboards import lesson05, sampler, sampler_panels, sampler_stored
from srlib.teaching.exercises import lesson05 as exercises
from srlib.teaching.style import blank, to_png
from tests.teaching.bank import assert_bank


@pytest.fixture(scope="module")
def made():
    return sampler.record(sampler.Setup())


@pytest.fixture(scope="module")
def refitted():
    return sampler.record(sampler.Setup(way="refit", seed=1))


# ---------------------------------------------------------------- samples


@pytest.mark.parametrize("temperature", [0.05, 2 / 3, 50.0])
def test_the_largest_place_has_the_probability_of_the_softmax_at_any_temperature(temperature):
    result = lesson05.compute_samples(1.0, 0.0, -1.0, temperature)
    assert result.wanted == pytest.approx(softmax([1.0, 0.0, -1.0]))
    assert result.seen == pytest.approx(result.wanted, abs=4 * 0.5 / np.sqrt(4000))
    assert result.V.sum(axis=1) == pytest.approx(1)


def test_cold_samples_are_one_hot_and_hot_ones_uniform():
    shares = [lesson05.near_one_hot([0.0] * 5, temperature) for temperature in (0.01, 0.05, 2 / 3, 50.0)]
    assert shares[0] > 0.95 and shares[1] > 0.75 and shares[2] < 0.08 and shares[3] == 0
    assert lesson05.compute_samples(temperature=50.0).V.min() > 0.2


def test_ranks():
    result = lesson05.compute_ranks()
    assert result.chances == pytest.approx(power_law(400, 1.5)) and result.half == 2


@pytest.mark.parametrize(
    ("panel", "settings"), [(lesson05.temperature_panel, 12), (lesson05.ranks_panel, 6)], ids=["samples", "ranks"]
)
def test_panels_can_be_driven_everywhere(panel, settings):
    panel = panel()
    assert panel.sweep() == settings
    assert panel.error is None


# ---------------------------------------------------------------- trainings


def test_a_recording_is_a_training_of_srlib_and_repeats(made):
    assert [moment.step for moment in made.moments] == [1, *range(20, 601, 20)]
    assert {moment.stage for moment in made.moments} == {1, 2}
    best = [moment.best for moment in made.moments]
    assert best == sorted(best, reverse=True)
    again = next(iter(sampler.recordings(made.setup)))
    assert again.last.best == made.moments[0].best
    assert np.array_equal(again.last.probabilities, made.moments[0].probabilities)


def test_the_same_steps_with_and_without_stage_1():
    assert {setup.settings.total for setup in sampler.VARIANTS.values()} == {600}
    assert sampler.Setup(stage1=False).settings.rounds == 0 < sampler.Setup().settings.rounds


def test_the_outcome_is_what_its_formula_gives(made, refitted):
    for recording in (made, refitted):
        X, y = recording.problem.X[:100], recording.problem.y[:100]
        outcome = recording.outcome
        assert np.mean(np.abs(outcome.expression.evaluate(X) - y)) == pytest.approx(outcome.error, abs=1e-6)
        assert outcome.verdict == recovers(outcome.expression, recording.problem).verdict


def test_a_wrong_weight_hides_a_right_structure(made):
    """The lesson's claim: the best mixture is hardly better than a constant, although the law's structure is kept.

    Which weights it has then depends on the last digits of the processor, so they are not asked for.
    """
    y = made.problem.y[:100]
    constant = np.mean(np.abs(y - np.median(y)))
    assert 0.85 * constant < made.last.best < made.last.hard
    assert 1 < made.outcome.rank <= made.outcome.kept


def test_the_law_s_structure_and_the_number_of_formulas(made):
    edges = sampler.all_edges()
    keys = signatures(made.architecture, edges)
    assert (len(edges), len(np.unique(keys))) == (41472, 81)
    w = np.zeros(made.architecture.rows)
    w[[2, 3, 6, 7, 8]] = 1.1, 0.9, 1.2, 1.0, 1.0
    form = extract(made.architecture, sampler.law_edges(), Weights(w, np.zeros((0, made.architecture.widest))))
    assert recovers(form.expression(made.problem.names), made.problem).verdict == "recovered"
    assert 1 < made.outcome.rank <= made.outcome.kept <= 81


def test_refitting_finds_the_law_at_once(refitted):
    assert refitted.outcome.verdict == "recovered" and refitted.last.step < 300
    assert refitted.last.best < 1e-6


def test_the_graph_shows_each_connection_instance(made):
    network = graph(made.architecture, made.last.probabilities, made.last.edges, made.problem.names)
    ax = blank(4, 3).subplots()
    sampler_panels.draw_graph(ax, network)
    assert len(ax.collections[0].get_segments()) == len(network.edges)
    assert len(ax.collections[1].get_segments()) == sum(edge.chosen for edge in network.edges)


def test_pictures_are_drawn_without_warnings(made, refitted):
    pictures = [
        (lambda fig: sampler_panels.draw_moment(made, fig, 0), (10.5, 5.8)),
        (lambda fig: sampler_panels.draw_moment(refitted, fig), (10.5, 5.8)),
        (lambda fig: sampler_panels.draw_instance(fig.subplots(), *exercises.instance()[:2], ["x1", "x2"],
                                                  exercises.instance()[2]), (6, 3)),
        (lambda fig: sampler_panels.draw_ablation({"one": [made], "two": [refitted]}, fig), (10, 4)),
    ]  # fmt: skip
    for draw, size in pictures:
        fig = blank(*size)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            draw(fig)
            assert len(to_png(fig)) > 6_000


def test_the_film_can_be_driven_everywhere(made):
    film = sampler_panels.film_panel()
    assert film.sweep() == 3 and film.error is None
    assert film.values == {"moment": len(made.moments) - 1}


def test_the_live_run_ends_with_an_outcome():
    live = sampler_panels.sampler_run()
    result = live.run(way="refit", seed=1)
    assert result.outcome.verdict == "recovered"
    assert "is the law" in live.describe(result)


def test_every_control_of_the_live_run_can_be_swept():
    assert sampler_panels.sampler_run().sweep(60) == 3 + 3 * 4 + 2 + 3 + 3


def test_a_live_run_stops_soon():
    live = sampler_panels.sampler_run()
    live.start()
    end = time.monotonic() + 30
    while not live.job.published and time.monotonic() < end:
        time.sleep(0.01)
    live.stop()
    assert live.wait(10).outcome is None


def test_variants_record_only_their_ends():
    runs = sampler.run_variants(1, ["one-hot, refitted"])
    (made,) = runs["one-hot, refitted"]
    assert len(made.moments) <= 2 and made.setup == replace(sampler.Setup(), way="refit")


# ---------------------------------------------------------------- stored runs


def stored(*rows):
    return pd.DataFrame(rows, columns=["problem", "seed", "curve"])


def test_runs_of_different_lengths_are_averaged_at_the_steps_of_all():
    steps, mean, low, high = sampler_stored.spread(["1:8;20:4;40:0", "20:2", float("nan")])
    assert steps.tolist() == [1, 20, 40] and mean.tolist() == [5, 3, 1]
    assert low.tolist() == [2, 2, 0] and high.tolist() == [8, 4, 2]
    with pytest.raises(ValueError, match="no curve"):
        sampler_stored.spread([""])


def test_stored_runs_are_drawn_with_a_panel_for_each_problem_whatever_is_missing():
    lines = {
        "default": stored(("b2", 0, "4:1e-15"), ("b6", 0, "20:0.4;40:1e-12"), ("b6", 1, "20:0.4;60:0.1")),
        "paper": stored(("b2", 0, "20:3;5400:0.4")),
    }
    fig = blank(8, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler_stored.draw_stored(lines, fig)
        to_png(fig)
    assert [ax.get_title() for ax in fig.axes] == ["b2", "b6"]
    assert [len(ax.lines) for ax in fig.axes] == [2, 1]
    words = sampler_stored.describe_stored(lines)
    assert "default: b2 1e-15 (1), b6 0.05 (2)" in words and "paper: b2 0.4 (1)" in words


# ---------------------------------------------------------------- the exercises


def test_exercise_1_gumbel(capsys):
    assert_bank(
        "5.1",
        capsys,
        correct=[lambda u: -np.log(-np.log(u)), lambda u: -np.log(-np.log(1 - u))],
        wrong=[
            (lambda u: -np.log(np.log(u)), "gives NaN"),
            (lambda u: -np.log(u), "exponential numbers"),
            (lambda u: np.log(u), "logarithm of a uniform"),
            (lambda u: u, "where exp(-exp(-g)) = u"),
            (lambda u: 0.5, "in the shape"),
        ],
        almost=[(lambda u: np.log(-np.log(u)), "Turned around")],
    )


def test_exercise_2_relaxed(capsys):
    assert_bank(
        "5.2",
        capsys,
        correct=[lambda z, g, t: softmax((z + g) / t)],
        wrong=[
            (lambda z, g, t: softmax((z + g) * t), "You multiply by the temperature"),
            (lambda z, g, t: softmax(z + g / t), "must divide z as well"),
            (lambda z, g, t: softmax(z / t + g), "must divide the noise as well"),
            (lambda z, g, t: softmax(z / t), "does not depend on the noise"),
            (lambda z, g, t: softmax(z + g), "does not depend on the temperature"),
            (lambda z, g, t: np.eye(len(z))[np.argmax(z + g)], "one-hot vector itself"),
            (lambda z, g, t: z + g, "must add up to 1; yours"),
            (lambda z, g, t: np.full(4, 0.25), "compare it with equation 2"),
            (lambda z, g, t: 1.0, "in the shape"),
        ],
        almost=[
            (lambda z, g, t: np.exp((z + g) / t), "is not finished"),
            (lambda z, g, t: np.exp((z + g) / t) / np.exp((z + g) / t).sum(), "overflows"),
        ],
    )


def test_exercise_3_equation_7(capsys):
    def share(z, V, t):
        return softmax(z - t * np.log(V))

    assert_bank(
        "5.3",
        capsys,
        correct=[lambda z, V, t: 1 - len(z) * share(z, V, t), lambda z, V, t: density_gradient(z, np.log(V), t)],
        wrong=[
            (lambda z, V, t: 1 - share(z, V, t), "Only one of the M terms"),
            (lambda z, V, t: 1 - (len(z) - 1) * share(z, V, t), "With M - 1"),
            (lambda z, V, t: len(z) * share(z, V, t) - 1, "All signs"),
            (lambda z, V, t: 1 - len(z) * share(z, V, -t), "not +λ"),
            (lambda z, V, t: 1 - len(z) * share(z, V, t + 1), "belongs to the numerator"),
            (lambda z, V, t: 1 - len(z) * softmax(z), "V is missing"),
            (lambda z, V, t: z, "the slope of the log density is"),
            (lambda z, V, t: 1.0, "in the shape"),
        ],
        almost=[(lambda z, V, t: 1 / len(z) - share(z, V, t), "but for a factor M")],
    )


def test_exercise_4_zero(capsys):
    assert_bank(
        "5.4",
        capsys,
        correct=[lambda V, t: t * np.log(V), lambda V, t: t * np.log(V) + 3],
        wrong=[
            (lambda V, t: V**t, "What is z?"),
            (lambda V, t: np.log(V), "The temperature is missing"),
            (lambda V, t: -t * np.log(V), "A sign is turned around"),
            (lambda V, t: np.log(V) / t, "you divide by it"),
            (lambda V, t: 0 * V, "uniform"),
            (lambda V, t: V, "With your z the derivatives"),
            (lambda V, t: 1.0, "in the shape"),
        ],
    )


def test_exercise_5_power_law(capsys):
    def chance(rank, size, exponent, shift=0):
        return (rank + shift) ** -exponent / np.sum((np.arange(1.0, size + 1) + shift) ** -exponent)

    assert_bank(
        "5.5",
        capsys,
        correct=[chance, lambda r, s, e: power_law(s, e)[r - 1]],
        wrong=[
            (lambda r, s, e: float(r) ** -e, "not normalised"),
            (lambda r, s, e: chance(r, s, -e), "has a minus"),
            (lambda r, s, e: np.exp(-e * r) / np.exp(-e * np.arange(1, s + 1)).sum(), "an exponential law"),
            (lambda r, s, e: 1 / s, "same chance for all"),
            (lambda r, s, e: 0.123, "with exponent"),
            (lambda r, s, e: [chance(r, s, e)], "Return one probability"),
        ],
        almost=[
            (lambda r, s, e: r**-e / zeta(e), "infinitely many"),
            (lambda r, s, e: chance(r, s, e, 1), "Off by one"),
        ],
    )


def test_exercise_6_instance(capsys):
    architecture, edges, w = exercises.instance()
    form = extract(architecture, edges, Weights(w, np.zeros((0, architecture.widest))))
    assert_bank(
        "5.6",
        capsys,
        correct=["1.92*x2**2 - sin(3*x1)", form.expression(["x1", "x2"]), "2*(1.5*(0.8*x2)**2 - 0.5*sin(3*x1))"],
        wrong=[
            ("2*(1.5*(0.8*x2)**2 - 1.5*sin(x1))", "inside of it"),
            ("2*1.5*(0.8*x2)**2*(-0.5)*sin(3*x1)", "you have multiplied"),
            ("1.92*x1**2 - sin(3*x2)", "swapped the columns"),
            ("log(x1)", "no finite value"),
            ("x1 +", "cannot read"),
            ("x1 + x2", "the instance gives"),
            (3, "Give the formula as a text"),
        ],
        almost=[
            ("x2**2 + sin(x1)", "without weights"),
            ("0.96*x2**2 - 0.5*sin(3*x1)", "of the output is missing"),
            ("2.4*x2**2 - sin(3*x1)", "squares its weight"),
            ("1.92*x2**2 + sin(3*x1)", "Look at the signs"),
        ],
    )


# ---------------------------------------------------------------- what the lesson says in prose


def test_b1_is_a_linear_regression_on_fixed_features():
    problem = problems.load("b1")
    features = np.hstack([np.ones((len(problem.y), 1)), *(problem.X**k for k in range(1, 7))])
    found = np.linalg.lstsq(features, problem.y, rcond=None)[0].reshape(-1)
    big = np.flatnonzero(np.abs(found) > 1e-3)
    assert list(big) == [3, 5, 7] and found[big] == pytest.approx([1.2, 0.9, 0.8], abs=1e-4)
    assert recovers(Expression.parse("0.8*x1**3 + 0.9*x2**2 + 1.2*x3", problem.names), problem)
