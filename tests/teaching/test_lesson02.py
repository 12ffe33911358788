"""Lesson 02: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import math
import time
import warnings

import numpy as np
import pytest

from srlib import EvolutionRegressor, Expression, problems, recovers
from srlib.front import ParetoFront
from srlib.teaching import ablation
from srlib.teaching.dashboards import islands, lesson02
from srlib.teaching.exercises import lesson02 as exercises
from srlib.teaching.style import blank, to_png
from tests.teaching.bank import assert_bank

PRODUCT = Expression.parse("(a + b)*c", ["a", "b", "c"])

# ---------------------------------------------------------------- formulas there and back


@pytest.mark.parametrize("text", ["x", "2.5", "1.15*y + 0.86", "x**y - cos(x)/3"])
def test_a_formula_comes_back_from_a_tree_as_it_was(text):
    formula = Expression.parse(text, ["x", "y"])
    assert lesson02.expression_of(lesson02.tree_of(formula), formula.names) == formula


def test_a_mutation_leaves_the_formula_alone_and_repeats_with_its_seed():
    for name in lesson02.MUTATIONS:
        before = Expression.parse("(a + 2)*b", ["a", "b"])
        children = [lesson02.after(name, before, seed) for seed in range(20)]
        assert before == Expression.parse("(a + 2)*b", ["a", "b"])
        assert children == [lesson02.after(name, before, seed) for seed in range(20)]
        assert any(child != before for child in children), name


def test_the_answers_under_the_glass():
    """Two rotations; what delete, graft and randomize can leave; no constant to mutate."""

    def children(name):
        return {lesson02.after(name, PRODUCT, seed).format(3) for seed in range(200)}

    assert children("rotate tree") == {"a + b*c", "a*c + b"}
    assert children("delete node") == {"a + b", "a*c", "b*c", "c"}
    assert children("mutate constant") == {PRODUCT.format(3)}
    shorter = {name: {lesson02.after(name, PRODUCT, seed).size for seed in range(200)} for name in lesson02.MUTATIONS}
    assert {name for name, sizes in shorter.items() if min(sizes) < 5} == {"delete node", "graft", "randomize"}
    assert {name for name, sizes in shorter.items() if min(sizes) == 1} == {"delete node", "graft"}


@pytest.mark.parametrize("name", lesson02.MUTATIONS)
@pytest.mark.parametrize("formula", lesson02.FORMULAS)
def test_nothing_differs_outside_of_the_outlined_subtrees(formula, name):
    for seed in range(10):
        made = lesson02.compute_mutation(formula, name, seed)
        one, other = made.nodes
        if one < 0:
            assert made.before == made.after
        else:
            graft = made.after.subtree(other)
            assert made.before.replace(one, graft) == made.after
            assert made.before.subtree(one) != graft


def test_crossover_has_two_children_of_the_parents_nodes():
    mother, father = Expression.parse("1.15*y + 0.86", ["x", "y"]), Expression.parse("x**x", ["x", "y"])
    for seed in range(10):
        children = lesson02.crossed(mother, father, seed)
        assert sum(child.size for child in children) == mother.size + father.size


def test_the_mutation_panel_can_be_driven_everywhere():
    panel = lesson02.mutation_panel()
    assert panel.sweep() >= 4 + 11 + 3
    assert panel.error is None


# ---------------------------------------------------------------- tournaments and fronts


def test_frecency_opens_the_crowd():
    shares = [
        lesson02.by_complexity(lesson02.compute_tournament(scaling=s).won)[lesson02.CROWDED] for s in (0.0, 1.0, 20.0)
    ]
    assert shares[0] > 0.95 and 0.4 < shares[1] < 0.7 and shares[2] < 0.05
    blind = lesson02.compute_tournament(n_s=1, draws=20_000).won
    assert blind == pytest.approx(np.full(60, 1 / 60), abs=0.01)


def test_the_tournament_panel_can_be_driven_everywhere():
    panel = lesson02.tournament_panel()
    assert panel.sweep() == 3 + 3 + 5
    assert panel.error is None


def front():
    made = ParetoFront()
    for text, loss in (("1", 8.0), ("x0", 2.0), ("x0*x0", 1.9), ("x0*x0 + 3", 0.01), ("x0*x0*x0 + 3", 0.009)):
        made.add(Expression.parse(text), loss)
    return made


def test_the_score_panel_knows_the_rules():
    panel = lesson02.score_panel(front())
    assert panel.sweep() == 3
    words = panel.describe(panel.values["row"])
    assert "rule" in words and "best" in words


def test_pictures_are_drawn_without_warnings():
    panel = lesson02.score_panel(front())
    pictures = [
        (lesson02.draw_mutation, lesson02.compute_mutation(), (9, 4)),
        (lesson02.draw_mutation, lesson02.compute_mutation(name="mutate constant"), (9, 4)),
        (lesson02.draw_tournament, lesson02.compute_tournament(draws=200), (10, 4)),
        (panel.draw, 2, (10, 4)),
    ]
    for draw, result, size in pictures:
        fig = blank(*size)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            draw(result, fig)
            assert len(to_png(fig)) > 8_000


# ---------------------------------------------------------------- the live run, and ancestry


@pytest.fixture(scope="module")
def live():
    run = islands.island_run()
    run.run(data="curve", islands=2)
    return run


def test_two_runs_are_compared(live):
    first = live.last
    live.run(data="curve", islands=2, annealing=True)
    assert live.last.before.setting == first.setting and live.last.setting != first.setting
    assert "The run before it" in islands.describe_snapshot(live.last)
    for snapshot in (first, live.last):
        fig = blank(10, 6.4)
        islands.draw_snapshot(snapshot, fig)
        assert len(to_png(fig)) > 10_000
    live.run(data="kepler", islands=2)
    assert live.last.before is None  # other data: nothing to compare with


def test_the_live_run_starts_stops_and_resumes():
    run = islands.island_run()
    with pytest.raises(RuntimeError, match="no run to go on with"):
        run.resume()
    assert run.resume_button.disabled
    run.start(data="b6", islands=1, annealing=True)
    end = time.monotonic() + 60
    while run.last is None and time.monotonic() < end:
        time.sleep(0.01)
    run.stop()
    stopped = run.wait(20)
    assert stopped.stopped_by_ == "callback" and not run.resume_button.disabled
    tried, iteration = run.last.trace[-1][0], run.last.iteration
    assert iteration < islands.ITERATIONS
    run.resume()
    while run.last.iteration == iteration and time.monotonic() < end:
        time.sleep(0.01)
    run.stop()
    run.wait(20)
    assert run.last.iteration > iteration and run.last.trace[-1][0] > tried
    assert run.last.setting.startswith("1 island,")


def test_every_control_can_be_swept(live):
    assert live.sweep(60) >= 4 + 3 * 7 + 2


def test_the_line_of_descent_ends_at_the_formula():
    kepler = problems.load("kepler")
    model = EvolutionRegressor(
        preset="paper", annealing=False, populations=2, population_size=40, ncycles_per_iteration=300, niterations=5,
        unary_operators=["sqrt"], maxsize=12, rescale=False, random_state=0,
    ).fit(kepler.to_frame(), kepler.y)  # fmt: skip
    row = max(model.front_, key=lambda entry: len(model.history_.line(entry.expression)))
    line = model.history_.line(row.expression)
    steps = lesson02.milestones(line)
    assert steps[-1][1] is line[0] and steps[0][1] is line[-1] and line[-1].made_by == "random"
    losses = [one.loss for _, one in steps[:-1]]
    assert losses == sorted(losses, reverse=True)
    fig = blank(10, 5.5)
    lesson02.draw_line(model.history_, row.expression, np.var(kepler.y), fig)
    assert any(text.get_text() == "random" for text in fig.texts)


def test_the_curve_s_law_is_recovered_whatever_its_noise():
    assert islands.curve().noise_free and not islands.curve(0.2, 1).noise_free
    assert recovers("3*sin(x) - 0.5*x", islands.curve())
    assert recovers("3*sin(x) - 0.5*x", islands.curve(0.05, 1))
    assert not recovers("3.5*sin(x)", islands.curve(0.2, 1))


def test_a_row_of_the_ablation():
    quick = dict(niterations=1, ncycles_per_iteration=50)
    row = ablation.measure("kepler", "pseudo-code", 0, **quick)
    assert row == ablation.measure("kepler", "pseudo-code", 0, **quick)
    assert row["found"] in (True, False) and 0 < row["error"] <= 1
    assert len(ablation.table(["kepler"], ["neither", "no migration"], seeds=2, **quick)) == 4


# ---------------------------------------------------------------- the exercises


def score(complexities, losses, log=math.log, per_node=True):
    rows = list(zip(complexities, losses, strict=True))
    return [0.0, *(log(a / b) / (d - c if per_node else 1) for (c, a), (d, b) in zip(rows, rows[1:], strict=False))]


def test_exercise_1_score(capsys):
    def against_the_first(complexities, losses):
        rows = zip(complexities[1:], losses[1:], strict=True)
        return [0.0, *(math.log(losses[0] / b) / (c - complexities[0]) for c, b in rows)]

    def differences(complexities, losses):
        return [0.0, *(-np.diff(losses) / np.diff(complexities))]

    assert_bank(
        "2.1",
        capsys,
        correct=[score, lambda c, losses: np.append(0, -np.diff(np.log(losses)) / np.diff(c))],
        wrong=[
            (lambda c, losses: [-one for one in score(c, losses)], "wrong sign"),
            (lambda c, losses: score(c, losses, math.log10), "another logarithm"),
            (lambda c, losses: score(c, losses, math.log2), "another logarithm"),
            (lambda c, losses: score(c, losses, per_node=False), "what the fall has cost"),
            (against_the_first, "with the first one"),
            (differences, "take logarithms first"),
            (lambda c, losses: [0.5 * one for one in score(c, losses)], "row 1 is not"),
            (lambda c, losses: sum(score(c, losses)), "Return a list of numbers"),
            (lambda c, losses: [*score(c, losses), 0.0], "numbers; 4 are needed"),
        ],
        almost=[(lambda c, losses: score(c, losses)[1:], "One number is missing")],
    )


def behind(losses, scores, first=1, log=math.log, rounded=round):
    found = [first]
    for k in range(1, len(losses)):
        found.append(found[-1] + rounded(log(losses[k - 1] / losses[k]) / scores[k]))
    return found


def test_exercise_2_complexities(capsys):
    assert_bank(
        "2.2",
        capsys,
        correct=[behind, lambda losses, scores: np.array(behind(losses, scores))],
        wrong=[
            (lambda losses, scores: list(range(len(losses))), "numbers of the rows"),
            (lambda losses, scores: list(range(1, len(losses) + 1)), "numbers of the rows"),
            (lambda losses, scores: [0, *behind(losses, scores)[:-1]], "printed column"),
            (lambda losses, scores: [1, *np.diff(behind(losses, scores))], "Add them up"),
            (lambda losses, scores: [0, *np.diff(behind(losses, scores))], "Add them up"),
            (lambda losses, scores: behind(losses, scores, first=0), "begin with 1"),
            (lambda losses, scores: behind(losses, scores, log=math.log10, rounded=float), "With log10"),
            (lambda losses, scores: behind(losses, scores, log=lambda x: -math.log(x)), "Mind the sign"),
            (lambda losses, scores: [1, 3, 5, 6][: len(losses)] if len(losses) == 4 else 7, "are not"),
        ],
        almost=[(lambda losses, scores: behind(losses, scores, rounded=float), "nodes are whole numbers")],
    )


def test_document_002_prints_true_complexities():
    complexities, losses, scores = exercises.PARTICLES
    assert tuple(behind(losses, scores)) == complexities


def accepted(old, new, T, alpha):
    return 1.0 if new <= old else math.exp(-(new - old) / (alpha * T)) if T > 0 else 0.0


def test_exercise_3_acceptance(capsys):
    def always_divides(old, new, T, alpha):
        return min(1.0, math.exp(-(new - old) / (alpha * T)))

    def literally(old, new, T, alpha):
        return math.exp((new - old) / (alpha * T))

    assert_bank(
        "2.3",
        capsys,
        correct=[accepted, lambda old, new, T, alpha: np.float64(accepted(old, new, T, alpha))],
        wrong=[
            (literally, "turn the sign around"),
            (lambda *case: min(1.0, literally(*case)), "turn the sign around"),
            (lambda *case: 1 - accepted(*case), "probability of rejection"),
            (lambda *case: 1 - literally(*case), "probability of rejection"),
            (lambda old, new, T, alpha: accepted(old, new, T, 1.0), "alpha makes no difference"),
            (lambda old, new, T, alpha: accepted(old, new, 1.0, alpha), "The temperature makes no difference"),
            (lambda old, new, T, alpha: accepted(old, new, 1 / T, alpha), "the cold accepts more"),
            (lambda old, new, T, alpha: 0.5, "children in srlib"),
            (lambda old, new, T, alpha: new < old, "throws the dice"),
            (lambda old, new, T, alpha: "yes", "throws the dice"),
        ],
        almost=[
            (lambda old, new, T, alpha: math.exp(-(new - old) / (alpha * T)), "is no probability"),
            (always_divides, "divides by zero"),
            (lambda old, new, T, alpha: accepted(old, new, max(T, 0.03), alpha) or 0.1, "At T = 0 a worse child"),
        ],
    )


def chances(n, p):
    return [p * (1 - p) ** k for k in range(n - 1)] + [(1 - p) ** (n - 1)]


def test_exercise_4_tournament(capsys):
    def normalised(n, p):
        values = p * (1 - p) ** np.arange(n)
        return values / values.sum()

    assert_bank(
        "2.4",
        capsys,
        correct=[chances, lambda n, p: np.array(chances(n, p))],
        wrong=[
            (lambda n, p: [p * (1 - p) ** (k + 1) for k in range(n)], "one too large"),
            (lambda n, p: [p ** (k + 1) for k in range(n)], "must have lost"),
            (lambda n, p: chances(n, p)[::-1], "turned around"),
            (lambda n, p: [1 / n] * n, "without any preference"),
            (lambda n, p: [0.4] * n, "somebody always wins"),
            (lambda n, p: [0.6, 0.4] if n == 2 else chances(n, p), "tournaments in srlib"),
            (lambda n, p: p, "Return a list of numbers"),
        ],
        almost=[
            (lambda n, p: [p * (1 - p) ** k for k in range(n)], "the last one, who has nobody left"),
            (normalised, "all of it goes to the last one left"),
            (lambda n, p: chances(n, p)[:-1], "One number is missing"),
        ],
    )


def test_exercise_5_operator(capsys):
    assert_bank(
        "2.5",
        capsys,
        correct=[
            "dist(u, v) = sqrt(u*u + v*v)", "far2(u, v) = u**2 + v**2", "near(p, q) = 1/sqrt(p*p + q*q)",
            "dist2(u, v) = sqrt(v*v + u*u)",
        ],
        wrong=[
            ("lambda u, v: sqrt(u*u + v*v)", "without lambda or def"),
            ("sqrt(u*u + v*v)", "without lambda or def"),
            ("root(u, v) = np.sqrt(u*u + v*v)", "No modules"),
            ('evil(u, v) = __import__("os")', "cannot read this operator"),
            ("square_of(u) = u*u", "has 1 argument"),
            ("distance(x, y, a, b) = sqrt((x - a)*(x - a) + (y - b)*(y - b))", "4 arguments"),
            ("hyperbola(u, v) = sqrt(u*u - v*v)", "Pythagoras adds"),
            ("streets(u, v) = abs(u) + abs(v)", "along the streets"),
            ("special(u, v) = cos(u)*(u + v)", "is neither this operator"),
            (7, "Give the operator as a text"),
            (lambda u, v: math.hypot(u, v), "takes functions as well"),
        ],
        almost=[("twice(u, v) = 2*sqrt(u*u + v*v)", "Right up to a factor")],
    )  # fmt: skip


WIEN = "3*log(nu) - 4.79924e-11*nu/T"
LAW = f"{WIEN} - log(1 - exp(-(4.79924e-11*nu/T))) - 114.741"


def test_exercise_6_planck(capsys):
    planck = problems.load("planck")
    found = ParetoFront()
    found.add(Expression.parse(f"{WIEN} - 114.741", planck.names), 1.0)
    poor = found.copy()
    poor.add(Expression.parse(f"{WIEN} - 114.741 + 1/nu", planck.names), 0.9)
    found.add(Expression.parse(LAW, planck.names), 0.01)
    assert_bank(
        "2.6",
        capsys,
        correct=[LAW, Expression.parse(LAW, planck.names), found],
        wrong=[
            (f"{WIEN} - 114.741", "Wien's limit"),
            (f"{WIEN} - log(1 + exp(-(4.79924e-11*nu/T))) - 114.741", "needs the minus"),
            ("2*log(nu) + log(T) - 90.98", "Rayleigh and Jeans"),
            (f"exp({WIEN} - 114.741)", "the radiance itself"),
            ("log(exp(nu/T))", "overflows for X-rays"),
            ("nu +", "cannot read this formula"),
            ("3*log(nu) - 90", "(rms)"),
            (poor, "None of the 2 rows"),
            (EvolutionRegressor(), "has not been fitted"),
            (42, "Give the fitted estimator"),
        ],
        almost=[("3*log(nu) - 3.8e-11*nu/T - log(1 - exp(-(3.8e-11*nu/T))) - 110", "constants do not fit")],
    )


def test_wien_is_off_on_two_thirds_of_the_rows_and_yet_explains_nearly_all_of_the_variance():
    planck = problems.load("planck")
    z = 4.79924e-11 * planck.X[:, 0] / planck.X[:, 1]
    assert int((-np.log(-np.expm1(-z)) > 0.1).sum()) == 66
    wien = 3 * np.log(planck.X[:, 0]) - z - 114.741
    assert np.mean((wien - planck.y) ** 2) < 1e-3 * np.var(planck.y)
