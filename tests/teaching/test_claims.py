"""Numbers that the lessons' prose states and no cell prints: each is measured here."""

import numpy as np

from srlib import GeneticRegressor, problems, recovers
from srlib.events import Iteration
from srlib.teaching.dashboards import lesson00, lesson01


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
