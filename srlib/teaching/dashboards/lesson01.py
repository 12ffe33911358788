"""Lesson 01: the tree surgery bench, a run watched generation by generation, a live run, and the winner's ancestry.

The bench lets the reader choose the nodes that the genetic algorithm draws at random; all the rest is done by the
functions of :mod:`srlib.genetic`. The recorded and the live run share one picture, a :class:`Snapshot`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np

from srlib import Expression, GeneticRegressor, problems
from srlib.events import Iteration
from srlib.genetic import Fitness, Primitives, constant_mutation, grow, point_mutation, swap_subtrees
from srlib.operators import find

from ..controls import Choice, Slider, Toggle
from ..live import LiveRun
from ..panel import Panel
from ..style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILLION
from .pictures import cut, draw_family, place_by_hand, still

__all__ = [
    "compute_snapshot", "compute_surgery", "draw_ancestry", "draw_snapshot", "draw_surgery", "live_run", "main_line",
    "still", "surgery_panel", "watch_panel",
]  # fmt: skip

PARSIMONY = 0.001  # of the bench: a node costs a thousandth of the best constant's error

# ---------------------------------------------------------------- the tree surgery bench


@dataclass(frozen=True)
class Case:
    """Two parents, and the data on which they and their children are judged."""

    mother: Expression
    father: Expression
    X: np.ndarray  # (rows, features)
    y: np.ndarray  # (rows,)
    along: int  # the feature that the curves are drawn against
    target: str
    log: bool = False


@lru_cache(maxsize=1)
def cases() -> dict[str, Case]:
    """The presets of the bench: the lecture's three examples (document 003), and one on Kepler's data."""

    def made(mother, father, target, names, along, low, high, rest):
        X = np.full((15, len(names)), rest, dtype=float)
        X[:, along] = np.linspace(low, high, len(X))
        y = Expression.parse(target, names).evaluate(X)
        return Case(Expression.parse(mother, names), Expression.parse(father, names), X, y, along, target)

    kepler = problems.load("kepler")
    parents = (Expression.parse(text, kepler.names) for text in ("365*a", "a*sqrt(a)"))
    xy, XY = ("x", "y"), ("X", "Y")
    return {
        "the lecture's crossover": made("1.15*y + 0.86", "x**x", "(1.15*y)**x", xy, 0, 0.1, 2, 2.0),
        "the lecture's mutation": made("1.15*y + 0.86", "y - 0.86", "1.15*y - 0.86", xy, 1, 0, 3, 1.0),
        "the lecture's tree": made("2.2 - X/11 + 7*cos(Y)", "X*cos(Y)", "2.2 - X/11 + 7*cos(Y)", XY, 1, 0, 7, 4.0),
        "Kepler's planets": Case(*parents, kepler.X, kepler.y, 0, "the six planets", log=True),
    }


OPERATIONS = {
    "crossover": "crossover: the two subtrees change places",
    "subtree": "subtree mutation: a new random tree at the mother's node",
    "point": "point mutation: another label at the mother's node",
    "hoist": "hoist mutation: a part of the subtree takes its place",
    "constant": "constant mutation: the mother's number moves",
}


@dataclass(frozen=True)
class Surgery:
    """What was cut where, what came of it, and how fit it is."""

    case: Case
    operation: str
    nodes: tuple[int, ...]  # of the mother and, in a crossover, of the father
    children: tuple[tuple[Expression, int], ...]  # with the node that came in
    fitness: tuple[float, ...]  # of the mother, the father and the children
    note: str

    @property
    def parents(self):
        """The mother and, in a crossover, the father."""
        return (self.case.mother, self.case.father)[: len(self.nodes)]


def compute_surgery(parents="the lecture's crossover", operation="crossover", mother=2, father=0, again=0):
    """Operate on the chosen nodes; numbers beyond the last node mean the root, ``again`` seeds the dice."""
    case = cases()[parents]
    i, j = min(mother, case.mother.size - 1), min(father, case.father.size - 1)
    rng, root = Random(again), i == case.mother.size - 1
    nodes, note = (i,), ""
    if operation == "crossover":
        nodes, both = (i, j), swap_subtrees(case.mother, i, case.father, j)
        grafts = case.father.subtree(j).size, case.mother.subtree(i).size
        starts = case.mother.span(i)[0], case.father.span(j)[0]
        children = tuple((child, start + size - 1) for child, start, size in zip(both, starts, grafts, strict=True))
        if root and j == case.father.size - 1:
            note = "Whole trees changed places: nothing new."
    else:
        part = _changed_part(case.mother.subtree(i), operation, _primitives(case), rng)
        child = case.mother.replace(i, part)
        children = ((child, case.mother.span(i)[0] + part.size - 1),)
        if child == case.mother:
            what = "is not a number" if operation == "constant" else "has nothing to change into"
            note = f"Node {i} ({case.mother.label(i)}) {what}: the child is a copy."
    judge = Fitness(case.X, case.y, parsimony=PARSIMONY)
    family = (case.mother, case.father, *(child for child, _ in children))
    return Surgery(case, operation, nodes, children, tuple(judge.of(one) for one in family), note)


def _changed_part(part, operation, primitives, rng):
    """The subtree at the chosen node after a mutation of that very node."""
    if operation == "subtree":
        return grow(primitives, rng.randint(2, 3), rng)
    if operation == "hoist":
        return part.subtree(rng.randrange(part.size - 1)) if part.size > 1 else part
    if operation == "constant":
        return constant_mutation(part, rng) if part.size == 1 else part
    for _ in range(200):  # until the root of the part is the node that was drawn
        new = point_mutation(part, primitives, rng)
        if new.label(new.size - 1) != part.label(part.size - 1):
            return new
    return part


def _primitives(case):
    binary = ("+", "-", "*", "/") if case.log else ("+", "-", "*", "/", "**")
    operators = [*(find(name, 2) for name in binary), find("sqrt" if case.log else "cos", 1)]
    return Primitives(tuple(operators), case.X.shape[1], names=case.mother.names)


def draw_surgery(surgery, fig):
    """Parents above, children below, with the part that was cut or came in outlined; the curves on the right."""
    place_by_hand(fig)
    case, both = surgery.case, len(surgery.nodes) == 2
    for column, (name, tree) in enumerate((("mother", case.mother), ("father", case.father))):
        ax = fig.add_axes((0.01 + 0.335 * column, 0.50, 0.32, 0.38))
        if column == 0 or both:
            tree.draw(ax, highlight=surgery.nodes[column], numbers=True, fontsize=13)
        else:
            tree.draw(ax, faded=tree.size - 1, fontsize=13)
        used = "" if column == 0 or both else " (not used)"
        _title(ax, f"{name}{used}", tree, surgery.fitness[column])
    names = ("first child", "second child") if both else ("child",)
    for column, (name, (tree, node)) in enumerate(zip(names, surgery.children, strict=True)):
        ax = fig.add_axes((0.01 + 0.335 * column, 0.01, 0.32, 0.36))
        tree.draw(ax, highlight=node, fontsize=13)
        _title(ax, name, tree, surgery.fitness[2 + column])
    ax = fig.add_axes((0.755, 0.12, 0.235, 0.72))
    _curves(ax, surgery)
    if surgery.note:
        fig.text(0.5 if both else 0.52, 0.43, surgery.note, ha="center", color=VERMILLION)


def _title(ax, name, tree, fitness):
    value = f"{fitness:.3g}" if np.isfinite(fitness) else "infinite"
    ax.set_title(
        f"{name}: {cut(tree.format(3), 30)}\nfitness {value}, {tree.size} nodes", fontsize=11, parse_math=False
    )


def _curves(ax, surgery):
    case = surgery.case
    x = case.X[:, case.along]
    grid = np.tile(case.X[0], (200, 1))
    grid[:, case.along] = np.geomspace(x.min(), x.max(), 200) if case.log else np.linspace(x.min(), x.max(), 200)
    ax.plot(x, case.y, "o", color=BLACK, markersize=5, label="data")
    family = [*surgery.parents, *(child for child, _ in surgery.children)]
    names = ["mother", "father"][: len(surgery.nodes)] + ["child 1", "child 2"][: len(surgery.children)]
    looks = {"mother": (BLUE, "--"), "father": (PURPLE, ":"), "child 1": (VERMILLION, "-"), "child 2": (GREEN, "-.")}
    for tree, name in zip(family, names, strict=True):
        colour, line = looks[name]
        ax.plot(grid[:, case.along], tree.evaluate(grid), color=colour, linestyle=line, label=name)
    reach = np.ptp(case.y)
    if case.log:
        ax.set(xscale="log", yscale="log", ylim=(case.y.min() / 500, case.y.max() * 3))
    else:
        ax.set_ylim(case.y.min() - 0.8 * reach, case.y.max() + 0.8 * reach)
    ax.set_xlabel("a (AU)" if case.log else case.mother.names[case.along], fontsize=12)
    ax.set_title("P (days)" if case.log else f"data: {case.target}", fontsize=11, loc="left", parse_math=False)
    ax.tick_params(labelsize=10)
    ax.legend(fontsize=9, loc="best", handlelength=2.2)


def describe_surgery(surgery):
    """The operation in a sentence, with the formulas and whether a child is fitter than its parents."""
    case, fitness = surgery.case, surgery.fitness
    at = " and ".join(
        f"node {node} of {tree.format(3)}" for tree, node in zip(surgery.parents, surgery.nodes, strict=True)
    )
    children = " and ".join(child.format(3) for child, _ in surgery.children)
    best, parents = min(fitness[2:]), min(fitness[: len(surgery.nodes)])
    verdict = "fitter than" if best < parents else "as fit as" if best == parents else "less fit than"
    who = "the better child is" if len(surgery.children) == 2 else "it is"
    target = case.target if case.log else f"data from {case.target}"
    whose = "its parents" if len(surgery.nodes) == 2 else "its parent"
    deed = f"{surgery.operation.capitalize()} at {at} gives {children}"
    return f"{deed}; on {target} {who} {verdict} {whose}. {surgery.note}".strip()


def surgery_panel():
    """The bench."""
    controls = [
        Choice("parents", list(cases()), label="parents"),
        Choice("operation", {words: name for name, words in OPERATIONS.items()}, label="operation"),
        Slider("mother", 0, 9, 1, 2, label="node of the mother"),
        Slider("father", 0, 4, 1, 0, label="node of the father"),
        Slider("again", 0, 20, 1, 0, label="roll the dice again", help="mutations only"),
    ]
    return Panel(compute_surgery, draw_surgery, controls, describe_surgery, "Tree surgery bench", (10, 6.2))


# ---------------------------------------------------------------- a run, generation by generation


@dataclass(frozen=True)
class Snapshot:
    """One generation of a run on data with one feature."""

    generation: int
    sizes: np.ndarray  # (individuals,)
    errors: np.ndarray  # (individuals,), rms in units of the best constant's; infinite where a formula has no value
    best: Expression
    best_error: float
    history: tuple[float, ...]  # the error of the fittest of each generation so far
    data: str  # the problem's name


@lru_cache(maxsize=4)
def _load(name):
    return problems.load(name)


def compute_snapshot(generations, generation: int, name: str) -> Snapshot:
    """The state at a generation of a recorded run; ``generations`` are populations, as in ``history_.generations``."""
    population = generations[generation]
    baseline = float(np.var(_load(name).y))

    def errors(individuals):
        return np.sqrt(np.array([one.loss for one in individuals]) / baseline)

    winners = [min(one, key=lambda individual: individual.fitness) for one in generations[: generation + 1]]
    return Snapshot(
        generation,
        np.array([one.expression.size for one in population]),
        errors(population),
        winners[-1].expression,
        float(errors(winners)[-1]),
        tuple(errors(winners).tolist()),
        name,
    )


FLOOR, CEILING = 1e-4, 5.0  # of the errors that are drawn


def draw_snapshot(snapshot, fig):
    """The population as a cloud, the fall of the best loss, the best formula as a tree and on the data."""
    place_by_hand(fig)
    _cloud(fig.add_axes((0.085, 0.12, 0.44, 0.76)), snapshot)
    fall = fig.add_axes((0.62, 0.74, 0.36, 0.17))
    fall.plot(
        range(len(snapshot.history)), np.clip(snapshot.history, FLOOR, None), ".-", color=VERMILLION, linewidth=1.8
    )
    fall.set(yscale="log", ylim=(FLOOR / 3, 3), xlim=(-0.5, max(20, len(snapshot.history))))
    fall.set_title("error of the fittest, by generation", fontsize=11)
    fall.tick_params(labelsize=10)

    tree = fig.add_axes((0.60, 0.385, 0.39, 0.21))
    snapshot.best.draw(tree, fontsize=12)
    tree.set_title(cut(snapshot.best.format(4), 46), fontsize=11, parse_math=False, color=VERMILLION)

    problem = _load(snapshot.data)
    data = fig.add_axes((0.62, 0.12, 0.36, 0.22))
    x, log = problem.X[:, 0], snapshot.data == "kepler"
    grid = np.geomspace(x.min(), x.max(), 200) if log else np.linspace(0, x.max(), 200)
    data.plot(x, problem.y, "o", color=BLACK, markersize=5)
    data.plot(grid, snapshot.best.evaluate(grid[:, None]), color=VERMILLION, linestyle="-", linewidth=1.8)
    if log:
        data.set(xscale="log", yscale="log", ylim=(30, 30_000))
    else:
        data.set_ylim(-400, 1400)
    units = problem.units
    data.set_xlabel(f"{problem.names[0]} ({units[problem.names[0]]})", fontsize=11, labelpad=1)
    data.set_ylabel(f"{problem.target} ({units[problem.target]})", fontsize=11)
    data.tick_params(labelsize=10)


def _cloud(ax, snapshot):
    errors, valid = np.clip(snapshot.errors, FLOOR, CEILING), np.isfinite(snapshot.errors)
    spread = (np.arange(len(errors)) * 0.618) % 1 - 0.5  # so that equal points lie side by side
    x, best = snapshot.sizes + 0.7 * spread, (snapshot.best.size, max(snapshot.best_error, FLOOR))
    ax.plot(x[valid], errors[valid], "o", color=BLUE, alpha=0.35, markersize=5)
    ax.plot(x[~valid], np.full((~valid).sum(), 2.2 * CEILING), "x", color=GREY, markersize=5)
    ax.plot(*best, "D", color=VERMILLION, markersize=11, markeredgecolor="white")
    ax.axhline(1.0, color=GREY, linestyle=":", linewidth=1.5)
    ax.text(30.7, 1.08, "best constant", ha="right", va="bottom", fontsize=10, color="#555555")
    ax.set(yscale="log", xlim=(0, 31), ylim=(FLOOR / 2, 5 * CEILING), xlabel="complexity (nodes)")
    ax.set_ylabel("error (best constant = 1)")
    ax.set_title(f"generation {snapshot.generation}: {len(errors)} formulas\n(× no value on the data)", fontsize=12)


def draw_clouds(snapshots, fig):
    """The clouds of a few generations, side by side."""
    for ax, snapshot in zip(fig.subplots(1, len(snapshots), sharey=True), snapshots, strict=True):
        _cloud(ax, snapshot)
        ax.set_title(f"generation {snapshot.generation}", fontsize=13)
        ax.set_xlabel("complexity", fontsize=12)
        if snapshot is not snapshots[0]:
            ax.set_ylabel("")


def describe_snapshot(snapshot):
    """The generation in a sentence."""
    valid = np.isfinite(snapshot.errors)
    return (
        f"Generation {snapshot.generation}: {len(valid)} formulas of {snapshot.sizes.mean():.0f} nodes on average, "
        f"{int((~valid).sum())} of them without a value; the fittest is {snapshot.best.format(3)}, "
        f"with {100 * snapshot.best_error:.2g} % of the best constant's error."
    )


def watch_panel(runs: Mapping[float, GeneticRegressor], name: str = "kepler"):
    """A panel over recorded runs; ``runs`` are fitted estimators by their parsimony."""
    last = min(len(run.history_) for run in runs.values()) - 1

    def compute(generation, parsimony):
        return compute_snapshot(runs[parsimony].history_.generations, generation, name)

    controls = [
        Slider("generation", 0, last, 1, 0, label="generation"),
        Choice("parsimony", {f"{value:g}": value for value in runs}, label="parsimony"),
    ]
    return Panel(compute, draw_snapshot, controls, describe_snapshot, "One run, generation by generation", (10, 6.2))


# ---------------------------------------------------------------- a run to start and stop


def search(job, data="kepler", population=200, tournament=7, parsimony=0.01, mutation=0.5, scaling=False, seed=0):
    """Evolve formulas on Kepler's or Hubble's data in the background; the result is the fitted estimator."""
    problem, generations = _load(data), []

    def watch(event):
        if isinstance(event, Iteration):
            generations.append(event.details["population"])
            job.publish(compute_snapshot(generations, len(generations) - 1, data))
        return job.callback(event)

    model = GeneticRegressor(
        population_size=population, generations=30, unary_operators=("sqrt",), tournament_size=tournament,
        parsimony=parsimony, p_mutation=mutation, linear_scaling=scaling, random_state=seed, n_jobs=1,
        callbacks=[watch],
    )  # fmt: skip
    return model.fit(problem.to_frame(), problem.y)


def live_run():
    """Start and Stop, on either law."""
    controls = [
        Choice("data", {"Kepler's planets": "kepler", "Hubble's galaxies": "hubble"}, label="data"),
        Slider("population", 20, 1000, 20, 200, label="population"),
        Slider("tournament", 1, 20, 1, 7, label="tournament size"),
        Slider("parsimony", 0.0, 0.05, 0.001, 0.01, label="parsimony"),
        Slider("mutation", 0.0, 1.0, 0.1, 0.5, label="mutation probability"),
        Toggle("scaling", False, label="linear scaling"),
        Slider("seed", 0, 20, 1, 0, label="seed"),
    ]
    return LiveRun(search, draw_snapshot, controls, describe_snapshot, "Evolve a law", (10, 6.2))


# ---------------------------------------------------------------- where the winner comes from


def main_line(history, individual):
    """The individual, its fittest parent, that one's fittest parent, and so on: (generation of birth, individual)."""
    born = _born(history)
    known = {one.id: one for one in history.ancestry(individual)}
    line = [individual]
    while parents := [known[parent] for parent in line[-1].parents if parent in known]:
        line.append(min(parents, key=lambda one: one.fitness))
    return [(born[one.id], one) for one in line]


def _changed(row, before):
    """Whether a formula is not the one of the generation before."""
    return row[1].expression != before[1].expression


def _born(history):
    born = {}
    for number, population in enumerate(history.generations, history.first):
        for one in population:
            born.setdefault(one.id, number)
    return born


def draw_ancestry(history, individual, baseline, fig):
    """All ancestors by generation and error, with the line of the fittest parents and its formulas."""
    born, family = _born(history), history.ancestry(individual)
    points = {one.id: (born[one.id], np.clip(np.sqrt(one.loss / baseline), FLOOR, CEILING)) for one in family}
    line = main_line(history, individual)
    rows = [line[-1], *(row for row, before in zip(line[-2::-1], line[:0:-1], strict=True) if _changed(row, before))]
    words = {
        "title": f"{len(family) - 1} ancestors", "xlabel": "generation of birth", "ylabel": "error (best constant = 1)",
        "heading": "the line of the fittest parents (generation, formula, made by)",
    }  # fmt: skip
    edges = [(parent, one.id) for one in family for parent in one.parents]
    lines = [(str(generation), one.expression.format(4), one.made_by) for generation, one in rows]
    draw_family(fig, points, edges, [one.id for _, one in line], lines, words)
