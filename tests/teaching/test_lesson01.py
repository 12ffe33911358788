"""Lesson 01: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import copy
import warnings

import numpy as np
import pytest

from srlib import Expression, GeneticRegressor, problems
from srlib.teaching.dashboards import lesson01
from srlib.teaching.exercises.lesson01 import CROSSINGS, candidates
from srlib.teaching.style import blank, to_png
from tests.teaching.bank import assert_bank

# ---------------------------------------------------------------- the tree surgery bench


def texts(surgery):
    return [child.format(4) for child, _ in surgery.children]


def test_the_lecture_s_crossover():
    made = lesson01.compute_surgery()
    assert texts(made) == ["x + 0.86", "(1.15*y)**x"]
    assert made.fitness[3] == pytest.approx(5 * lesson01.PARSIMONY)  # the data were made by the second child
    assert [child.subtree(node).format(4) for child, node in made.children] == ["x", "1.15*y"]


def test_the_lecture_s_mutation_can_be_had_in_two_ways():
    point = {texts(lesson01.compute_surgery("the lecture's mutation", "point", 4, 0, k))[0] for k in range(20)}
    assert "1.15*y - 0.86" in point
    moved = [lesson01.compute_surgery("the lecture's mutation", "constant", 3, 0, k) for k in range(20)]
    assert any(made.children[0][0].constants[1] < 0 for made in moved)


def test_the_law_has_two_wrong_parents():
    made = lesson01.compute_surgery("Kepler's planets", "crossover", 1, 3)
    assert texts(made) == ["365*(a*sqrt(a))", "a"]
    assert made.fitness[2] < 0.02 < 0.5 < min(made.fitness[:2])


@pytest.mark.parametrize("operation", lesson01.OPERATIONS)
@pytest.mark.parametrize("parents", list(lesson01.cases()))
def test_an_operation_changes_nothing_outside_of_the_chosen_subtree(parents, operation):
    case = lesson01.cases()[parents]
    for node in range(case.mother.size):
        for again in range(3):
            made = lesson01.compute_surgery(parents, operation, node, 1, again)
            child, root = made.children[0]
            start, stop = case.mother.span(node)
            assert child.span(root)[0] == start
            assert child.codes[:start].tolist() == case.mother.codes[:start].tolist()
            assert child.codes[root + 1 :].tolist() == case.mother.codes[stop:].tolist()
            if operation == "constant" and case.mother.subtree(node).size > 1:
                assert child == case.mother and "is not a number" in made.note
            if operation == "hoist":
                assert child.size <= case.mother.size


def test_nodes_beyond_the_last_one_mean_the_root():
    assert lesson01.compute_surgery(mother=9, father=4).nodes == (4, 2)
    assert "Whole trees" in lesson01.compute_surgery(mother=9, father=4).note


def test_the_best_mother_has_no_better_children():
    judged = [
        lesson01.compute_surgery("the lecture's tree", operation, node, 2, again).fitness
        for operation in lesson01.OPERATIONS
        for node in range(10)
        for again in range(2)
    ]
    assert all(fitness[2] >= fitness[0] - 2 * lesson01.PARSIMONY for fitness in judged)


def test_the_bench_can_be_driven_everywhere():
    panel = lesson01.surgery_panel()
    assert panel.sweep() >= 4 + 5 + 3 + 3 + 3
    assert panel.error is None
    assert "(1.15*y)**x" in panel.picture.widget.value


# ---------------------------------------------------------------- a run


@pytest.fixture(scope="module")
def run():
    kepler = problems.load("kepler")
    options = dict(unary_operators=("sqrt",), parsimony=0.01, linear_scaling=False, n_jobs=1)
    model = GeneticRegressor(population_size=60, generations=6, random_state=0, **options)
    return model.fit(kepler.to_frame(), kepler.y)


def test_a_snapshot_is_the_generation(run):
    generations = run.history_.generations
    made = lesson01.compute_snapshot(generations, 4, "kepler")
    assert len(made.errors) == len(made.sizes) == 60 and len(made.history) == 5
    assert made.best == run.history_.best(4).expression
    kepler = problems.load("kepler")
    rms = np.sqrt(np.mean((made.best.evaluate(kepler.X) - kepler.y) ** 2))
    assert made.best_error == pytest.approx(rms / kepler.y.std())
    assert "Generation 4: 60 formulas" in lesson01.describe_snapshot(made)


def test_the_watch_panel(run):
    panel = lesson01.watch_panel({0.01: run, 0.0: run})
    assert panel.sweep() == 3 + 2


def test_pictures_are_drawn_without_warnings(run):
    pictures = [
        (lesson01.draw_surgery, lesson01.compute_surgery()),
        (lesson01.draw_surgery, lesson01.compute_surgery("the lecture's tree", "constant", 3)),
        (lesson01.draw_snapshot, lesson01.compute_snapshot(run.history_.generations, 0, "kepler")),
        (lesson01.draw_snapshot, lesson01.compute_snapshot(run.history_.generations, 0, "hubble")),
    ]
    for draw, result in pictures:
        fig = blank(10, 6.2)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # matplotlib's own; others come from older packages
            draw(result, fig)
            assert len(to_png(fig)) > 10_000


def test_the_main_line_leads_back_to_the_first_generation(run):
    winner = run.history_.best()
    line = lesson01.main_line(run.history_, winner)
    assert line[0][1] is winner and line[-1][0] == 0 and line[-1][1].made_by == "random"
    for (later, child), (earlier, parent) in zip(line, line[1:], strict=False):
        assert earlier < later and parent.id in child.parents
    fig = blank(10, 5.5)
    lesson01.draw_ancestry(run.history_, winner, 1e7, fig)
    assert winner.expression.format(4)[:20] in "".join(text.get_text() for text in fig.texts)


def test_the_live_run_starts_and_stops():
    live = lesson01.live_run()
    model = live.run(population=20, data="hubble", tournament=3)
    assert isinstance(model, GeneticRegressor) and live.job.snapshot.generation == 30
    live.start(population=1000)
    live.stop()
    stopped = live.wait(20)
    assert stopped.stopped_by_ == "callback" and len(stopped.front_) > 0


# ---------------------------------------------------------------- the exercises


def nodes(tree):
    return 1 + sum(map(nodes, tree[1:])) if isinstance(tree, list) else 1


def test_exercise_1_complexity(capsys):
    def leaves(tree):
        return sum(map(leaves, tree[1:])) if isinstance(tree, list) else 1

    def brackets(tree):
        return str(tree).count("[")

    def depth(tree):
        return 1 + max(map(depth, tree[1:])) if isinstance(tree, list) else 1

    def no_numbers(tree):
        return 1 + sum(map(no_numbers, tree[1:])) if isinstance(tree, list) else int(isinstance(tree, str))

    assert_bank(
        "1.1",
        capsys,
        correct=[nodes, lambda tree: str(tree).count(",") + 1 if isinstance(tree, list) else 1],
        wrong=[
            (leaves, "the leaves only"),
            (brackets, "the brackets"),
            (depth, "That is the depth"),
            (lambda tree: len(tree) if isinstance(tree, list) else 1, "outermost list"),
            (no_numbers, "left the constants out"),
            (lambda tree: nodes(tree) + 1, "Draw this tree"),
            (lambda tree: str(nodes(tree)), "is not a number"),
            (lambda tree: tree.size, "AttributeError"),
        ],
    )


def part(tree, place):
    for position in place:
        tree = tree[position]
    return tree


def planted(tree, place, new, copied=copy.deepcopy):
    if not place:
        return copied(new)
    tree = copied(tree)
    part(tree, place[:-1])[place[-1]] = copied(new)
    return tree


def swap(mother, at, father, to):
    return planted(mother, at, part(father, to)), planted(father, to, part(mother, at))


def test_exercise_2_crossover(capsys):
    def aliasing(mother, at, father, to):
        ours, theirs = part(mother, at), part(father, to)
        return planted(mother, at, theirs, lambda tree: tree), planted(father, to, ours, lambda tree: tree)

    def sharing(mother, at, father, to):
        def shared(tree, place, new):
            if not place:
                return new
            return [*tree[: place[0]], shared(tree[place[0]], place[1:], new), *tree[place[0] + 1 :]]

        return shared(mother, at, part(father, to)), shared(father, to, part(mother, at))

    def one_after_the_other(mother, at, father, to):
        mother, father = copy.deepcopy(mother), copy.deepcopy(father)
        first = planted(mother, at, part(father, to))
        return first, planted(father, to, part(first, at))

    def popping(mother, at, father, to):
        children = swap(mother, at, father, to)
        at.clear()
        return children

    assert_bank(
        "1.2",
        capsys,
        correct=[swap, lambda *parents: list(swap(*parents))],
        wrong=[
            (aliasing, "make a copy first"),
            (popping, "says where to cut"),
            (lambda *parents: swap(*parents)[0], "Two parents have two children"),
            (lambda mother, at, father, to: (copy.deepcopy(mother), copy.deepcopy(father)), "nothing was exchanged"),
            (one_after_the_other, "take both out first"),
            (lambda mother, at, father, to: (["x"], ["y"]), "should not be"),
        ],
        almost=[
            (lambda *parents: swap(*parents)[::-1], "Return first the one"),
            (sharing, "share lists with their parents"),
        ],
    )


def test_the_crossings_hold_the_lecture_s_example():
    assert swap(*copy.deepcopy(CROSSINGS[0])) == (["+", "x", 0.86], ["^", ["*", 1.15, "y"], "x"])


def test_exercise_3_parsimony(capsys):
    assert_bank(
        "1.3",
        capsys,
        correct=[0.01, 0.001, np.float64(0.05)],
        wrong=[
            (-0.01, "Mind the sign"),
            (0, "only the loss counts"),
            (1e-7, "the long formula still wins"),
            (1, "the short formula wins"),
            ("0.01", "Give one number"),
            (True, "Give one number"),
            (float("nan"), "not a finite number"),
        ],
    )


def test_the_three_candidates_are_a_fair_question():
    kepler = problems.load("kepler")
    short, law, long = candidates()
    assert short.size < law.size < long.size
    errors = [np.mean((one.evaluate(kepler.X) - kepler.y) ** 2) for one in (short, law, long)]
    assert errors[0] > 100 * errors[1] > 100 * errors[2]


def test_exercise_4_division(capsys):
    def right(a, b):
        with np.errstate(all="ignore"):
            return np.where(b == 0, np.nan, a / b)

    def quiet(replacement, limit=0.0):
        def divide(a, b):
            with np.errstate(all="ignore"):
                return np.where(np.abs(b) > limit, a / b, replacement)

        return divide

    def plain(a, b):
        with np.errstate(all="ignore"):
            return a / b

    def changing(a, b):
        b[b == 0] = np.nan
        return a / b

    assert_bank(
        "1.4",
        capsys,
        correct=[right, quiet(np.nan), lambda a, b: [x / y if y else float("nan") for x, y in zip(a, b, strict=True)]],
        wrong=[
            (quiet(1.0, 1e-12), "what a protected division says"),
            (quiet(1.0, 0.001), "also near 0"),
            (quiet(0.0), "perfectly good value"),
            (plain, "0/0 is not infinite"),
            (quiet(np.nan, 0.001), "small denominator"),
            (changing, "changed its arguments"),
            (lambda a, b: a / b if b != 0 else np.nan, "row by row"),
            (lambda a, b: [x / y for x, y in zip(a.tolist(), b.tolist(), strict=True)], "ZeroDivisionError"),
            (lambda a, b: np.nan, "one value a row"),
            (lambda a, b: right(b, a), "Where the denominator is 0, your"),
            (lambda a, b: right(-a, b), "not a/b"),
        ],
        almost=[(lambda a, b: np.where(b == 0, np.nan, a / b), "numpy warns")],
    )


def test_exercise_5_tournament(capsys):
    assert_bank(
        "1.5",
        capsys,
        correct=[lambda n, s: 1 - (1 - 1 / n) ** s, lambda n, s: 1 - ((n - 1) / n) ** s],
        wrong=[
            (lambda n, s: (1 / n) ** s, "One hit is enough"),
            (lambda n, s: 1 / n, "one of the two numbers only"),
            (lambda n, s: 1.0, "blind draw"),
            (lambda n, s: s * s / n, "no probability"),
            (lambda n, s: 1 / n if s == 1 else 0.5, "tournaments in srlib"),
            (lambda n, s: "s/n", "not a number"),
        ],
        almost=[
            (lambda n, s: s / n, "rng.choices puts everybody back"),
            (lambda n, s: min(s / n, 1), "rng.choices puts everybody back"),
            (lambda n, s: (1 - 1 / n) ** s, "all draws miss it"),
            (lambda n, s: min(1.0, (1 - (1 - 1 / n) ** s) * (1 + 1e-3 * (s > 1))), "said exactly"),
        ],
    )


def test_the_answers_of_the_bench_s_questions():
    """Which other pair of nodes gives the fittest child, and that a flipped sign is the same function as the minus."""
    pairs = [(mother, father) for mother in range(5) for father in range(3) if (mother, father) != (2, 0)]
    best = min(pairs, key=lambda pair: min(lesson01.compute_surgery(mother=pair[0], father=pair[1]).fitness[2:]))
    assert best == (1, 2)
    flipped, minus = (Expression.parse(text, ["y"]) for text in ("1.15*y + -0.86", "1.15*y - 0.86"))
    assert flipped.evaluate([[2.0]]) == minus.evaluate([[2.0]])
