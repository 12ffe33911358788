"""Numbers that the lessons' prose states and no cell prints: each is measured here."""

import numpy as np
import pytest

from srlib import EvolutionRegressor, Expression, GeneticRegressor, problems, recovers
from srlib.events import Iteration
from srlib.evolution import PRESETS
from srlib.teaching.dashboards import lesson00, lesson01
from srlib.teaching.exercises.lesson02 import attraction


def test_lesson_00_much_noise_spoils_the_right_form_on_three_of_ten_samples():
    outside = [lesson00.compute_bench(until=8.0, noise=0.3, sample=k).models[2].outside for k in range(10)]
    assert sum(error > 0.13 for error in outside) == 3  # 0.13: a model that always answers 0


def test_lesson_01_eleven_of_fifteen_pairs_of_nodes_give_a_fitter_child():
    name = "the lecture's crossover"
    case = lesson01.cases()[name]
    pairs = [(i, j) for i in range(case.mother.size) for j in range(case.father.size)]
    fitness = [lesson01.compute_surgery(name, "crossover", i, j).fitness for i, j in pairs]
    assert (sum(min(f[2:]) < min(f[:2]) for f in fitness), len(pairs)) == (11, 15)


def test_lesson_01_blind_search_has_kepler_s_law_by_generation_4():
    kepler = problems.load("kepler")

    def first_generation(seed):
        found = []

        def watch(event):
            if isinstance(event, Iteration):
                found.append(any(recovers(entry.expression, kepler) for entry in event.front))
            return any(found)

        GeneticRegressor(
            population_size=100, generations=10, parsimony=0.001, tournament_size=1, p_crossover=0.7, p_mutation=0.5,
            unary_operators=("sqrt",), refit_constants=False, random_state=seed, n_jobs=1, callbacks=[watch],
        ).fit(kepler.X, kepler.y)  # fmt: skip
        return found.index(True)

    first = [first_generation(seed) for seed in range(10)]
    assert first.count(0) == 6 and max(first) == 4


def test_lesson_01_parsimony_of_a_hundredth_shrinks_three_of_four_populations():
    kepler = problems.load("kepler")
    runs = [
        GeneticRegressor(
            population_size=100, generations=20, parsimony=0.01, tournament_size=7, maxsize=80, linear_scaling=False,
            refit_constants=False, random_state=seed, n_jobs=1,
        ).fit(kepler.X, kepler.y)
        for seed in range(4)
    ]  # fmt: skip
    medians = [np.median([one.expression.size for one in run.population_]) for run in runs]
    assert medians.count(3) == 3


def test_lesson_02_half_of_today_s_mutations_are_rotations():
    weights = PRESETS["paper"].mutation_weights
    assert round(weights["rotate_tree"] / sum(weights.values()), 2) == 0.50


def test_lesson_02_the_best_slope_of_leavitt_s_law_lowers_the_loss_by_a_quarter():
    leavitt = problems.load("leavitt")
    logs, M = np.log(leavitt.X[:, 0]), leavitt.y
    slope, offset = np.polyfit(logs, M, 1)
    assert (round(slope, 2), round(slope * np.log(10), 1)) == (-0.87, -2.0)
    assert round(np.mean((M - slope * logs - offset) ** 2) / np.var(M + logs), 2) == 0.76


def test_lesson_02_nodes_of_the_laws_that_it_counts():
    wien, square = "3*log(nu) - 2*(nu/T) + 1", "(x - a)*(x - a) + (y - b)*(y - b)"
    sizes = {
        wien: 12, f"{wien} - log(1 - exp(-2*(nu/T)))": 22, "log(1/P)": 4, f"1/sqrt({square})": 18,
        "3*sin(x) - 0.5*x": 8,
    }  # fmt: skip
    assert {text: Expression.parse(text, ["nu", "T", "P", "x", "y", "a", "b"]).size for text in sizes} == sizes


def test_lesson_02_an_operator_of_one_s_own_is_found_in_a_second_or_two():
    X, y = attraction()
    model = EvolutionRegressor(
        binary_operators=["+", "-", "*", "/", "dist(u, v) = sqrt(u*u + v*v)"], maxsize=12, preset="paper",
        annealing=False, populations=4, population_size=60, ncycles_per_iteration=1000, niterations=30, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert model.front_[-1].loss < 1e-20


def test_lesson_03_networks_of_about_the_same_size():
    torch = pytest.importorskip("torch")
    from srlib.eql import EQLNetwork
    from srlib.teaching.dashboards import learner, lesson03

    assert lesson03.fit_networks(hidden=11, starts=10).size == 177
    assert EQLNetwork(2, learner.LESSON_UNITS, layers=2, dtype=torch.float64).architecture.size == 167


def test_lesson_03_gradient_descent_is_off_in_the_third_digit_and_least_squares_is_not():
    pytest.importorskip("torch")
    from srlib.teaching.dashboards import learner

    made = learner.record(learner.Setup())
    before = made.errors[-1][made.outcome.recovered]
    assert 1e-4 < np.median(before) < 3e-2
    assert np.median(made.outcome.inside[made.outcome.recovered]) < 1e-12
