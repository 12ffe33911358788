"""Lesson 02: a mutation under the glass, a tournament with a crowd, and the choice of a row of a front.

Everything is done by the functions of :mod:`srlib.evolution` that the search itself calls; :func:`after`,
:func:`tree_of` and :func:`expression_of` only carry formulas there and back. The live run is in :mod:`.islands`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from srlib import Expression
from srlib.evolution import mutation, selection
from srlib.evolution.trees import Letters, Tree, empty, write
from srlib.front import ParetoFront
from srlib.kernels.program import alphabet
from srlib.operators import find

from ..controls import Choice, Slider
from ..panel import Panel
from ..style import BLUE, GREY, ORANGE, VERMILLION
from .pictures import cut, draw_family, place_by_hand, still

__all__ = [
    "MUTATIONS", "after", "compute_mutation", "compute_tournament", "crossed", "draw_line", "draw_mutation",
    "draw_tournament", "expression_of", "letters", "milestones", "mutation_panel", "score_panel", "still",
    "tournament_panel", "tree_of",
]  # fmt: skip

ROOM = 60  # nodes that a formula of the bench may have

# ---------------------------------------------------------------- formulas there and back


def tree_of(expression: Expression, room: int = ROOM) -> Tree:
    """An Expression as the tree that the functions of srlib.evolution change in place."""
    tree = empty(room)
    write(tree, expression.codes.astype(np.int32), expression.values, expression.size, alphabet())
    return tree


def expression_of(tree: Tree, names: Sequence[str] | None = None) -> Expression:
    """A tree as an Expression."""
    size = int(tree.size[0])
    return Expression(tree.codes[:size].copy(), tree.values[:size].copy(), names)


def letters(
    binary: Sequence[str] = ("+", "-", "*", "/"), unary: Sequence[str] = ("sqrt",), features: int = 1
) -> Letters:
    """What formulas are made of."""
    codes = [
        np.array([find(name, arity).code for name in names], np.int32) for names, arity in ((unary, 1), (binary, 2))
    ]
    return Letters(*codes, features)


# How each mutation is called: (tree, letters, alphabet, dice) -> whether anything has changed. The temperature is 1,
# the factor of constants and the probability of a change of sign are the paper's.
MUTATIONS = {
    "mutate constant": lambda t, _, a, rng: mutation.mutate_constant(t, 1.0, 1.0, 0.5, a, rng),
    "mutate operator": lambda t, own, a, rng: mutation.mutate_operator(t, own, a, rng),
    "mutate feature": lambda t, own, a, rng: mutation.mutate_feature(t, own, a, rng),
    "append node": lambda t, own, a, rng: mutation.append_node(t, own, a, rng),
    "prepend node": lambda t, own, a, rng: mutation.prepend_node(t, own, a, rng),
    "insert node": lambda t, own, a, rng: mutation.insert_node(t, own, a, rng),
    "delete node": lambda t, _, a, rng: mutation.delete_node(t, a, rng),
    "rotate tree": lambda t, _, a, rng: mutation.rotate_tree(t, a, rng),
    "swap operands": lambda t, _, a, rng: mutation.swap_operands(t, a, rng),
    "graft": lambda t, own, a, rng: mutation.graft(t, empty(ROOM), 2, own, a, rng),
    "randomize": lambda t, own, a, rng: mutation.randomize(t, 4, own, a, rng),
}


def after(name: str, expression: Expression, seed: int = 0, own: Letters | None = None) -> Expression:
    """What a mutation makes of a formula, with these dice; the formula itself if there was nothing to change.

    Examples
    --------
    >>> after("delete node", Expression.parse("x0 + 1"), seed=1).format(3) in ("x0", "1")
    True
    """
    tree = tree_of(expression)
    own = letters(features=1 + max((*expression.features, 0))) if own is None else own
    MUTATIONS[name](tree, own, alphabet(), np.random.default_rng(seed))
    return expression_of(tree, expression.names)


def crossed(mother: Expression, father: Expression, seed: int = 0) -> tuple[Expression, Expression]:
    """The two children of a crossover, with these dice."""
    trees = tree_of(mother), tree_of(father)
    mutation.crossover(*trees, alphabet(), np.random.default_rng(seed))
    return expression_of(trees[0], mother.names), expression_of(trees[1], father.names)


# ---------------------------------------------------------------- a mutation under the glass

FORMULAS = {
    "the lecture's  1.15*y + 0.86": ("1.15*y + 0.86", ("y", "z")),
    "a product of a sum  (a + b)*c": ("(a + b)*c", ("a", "b", "c")),
    "Kepler's law": ("367*(a*sqrt(a))", ("a",)),
    "the lecture's tree": ("2.2 - X/11 + 7*cos(Y)", ("X", "Y")),
}


@dataclass(frozen=True)
class Mutated:
    """A formula before and after, and in each the node whose subtree has changed (-1: none)."""

    name: str
    before: Expression
    after: Expression
    nodes: tuple[int, int]


def compute_mutation(
    formula: str = "a product of a sum  (a + b)*c", name: str = "rotate tree", seed: int = 0
) -> Mutated:
    """Mutate one of the presets."""
    text, names = FORMULAS[formula]
    before = Expression.parse(text, names)
    own = letters(unary=("sqrt",) if "Kepler" in formula else ("cos",), features=len(names))
    child = after(name, before, seed, own)
    return Mutated(name, before, child, _changed(before, child))


def _changed(one: Expression, other: Expression) -> tuple[int, int]:
    """The roots of the smallest subtrees outside of which both formulas are the same; -1, -1 if nothing differs."""
    nodes = one.size - 1, other.size - 1
    if one == other:
        return -1, -1
    while one.codes[nodes[0]] == other.codes[nodes[1]]:
        pairs = zip(one.children(nodes[0]), other.children(nodes[1]), strict=True)
        differ = [(i, j) for i, j in pairs if one.subtree(i) != other.subtree(j)]
        if len(differ) != 1:
            break
        nodes = differ[0]
    return nodes


def draw_mutation(result: Mutated, fig) -> None:
    """Both trees, with what has changed outlined."""
    place_by_hand(fig)
    for left, title, tree, node in (
        (0.02, "before", result.before, result.nodes[0]),
        (0.52, "after", result.after, result.nodes[1]),
    ):
        ax = fig.add_axes((left, 0.03, 0.46, 0.76))
        tree.draw(ax, fontsize=13, **({"highlight": node} if node >= 0 else {}))
        ax.set_title(f"{title}: {cut(tree.format(3), 40)}\n{tree.size} nodes", fontsize=12, parse_math=False)
    arrow = "nothing to change" if result.nodes[0] < 0 else result.name
    fig.text(0.5, 0.40, f"{arrow}\n→", ha="center", va="center", fontsize=12, color=VERMILLION)


def describe_mutation(result: Mutated) -> str:
    """The change in a sentence."""
    before, child = result.before.format(3), result.after.format(3)
    if result.nodes[0] < 0:
        return f"The mutation “{result.name}” finds nothing to change in {before}."
    more = result.after.size - result.before.size
    size = (
        "the size stays" if more == 0 else f"{abs(more)} node{'s' * (abs(more) > 1)} {'more' if more > 0 else 'fewer'}"
    )
    return f"The mutation “{result.name}” makes {child} of {before}: {size}."


def mutation_panel() -> Panel:
    """Any mutation on any of the presets."""
    controls = [
        Choice("formula", list(FORMULAS), "a product of a sum  (a + b)*c", label="formula"),
        Choice("name", list(MUTATIONS), "rotate tree", label="mutation"),
        Slider("seed", 0, 30, 1, 0, label="roll the dice again"),
    ]
    return Panel(compute_mutation, draw_mutation, controls, describe_mutation, "A mutation under the glass", (9, 4))


# ---------------------------------------------------------------- who becomes a parent

BINS, CROWDED = 21, 9


@lru_cache(maxsize=1)
def crowd() -> tuple[np.ndarray, np.ndarray]:
    """Complexities and losses of 60 formulas, most of them of nine nodes: a population that got stuck there."""
    rng = np.random.default_rng(3)
    complexities = np.concatenate([np.full(34, CROWDED), rng.choice([1, 3, 5, 7, 8, 11, 13, 15, 17], 26)]).astype(float)
    losses = 0.1 * np.exp(np.abs(rng.normal(0, 0.1, 60)))  # copies of a good one, with other constants
    losses[34:] = 0.1 * np.exp(0.25 + np.abs(rng.normal(0.3, 0.6, 26)) + 0.15 * np.maximum(9 - complexities[34:], 0))
    return complexities, losses


@dataclass(frozen=True)
class Chances:
    """How often each member of the crowd won."""

    won: np.ndarray  # (members,), shares
    scaling: float
    n_s: int


def compute_tournament(n_s: int = 12, p: float = 0.9, scaling: float = 1.0, draws: int = 3000) -> Chances:
    """Let srlib's tournament choose again and again."""
    complexities, losses = crowd()
    frequency = np.bincount(complexities.astype(int), minlength=BINS) / len(losses)
    rng = np.random.default_rng(0)
    winners = [
        selection.tournament(losses, complexities, frequency, float(scaling), int(n_s), float(p), rng)
        for _ in range(draws)
    ]
    return Chances(np.bincount(winners, minlength=len(losses)) / draws, scaling, n_s)


def by_complexity(won: np.ndarray) -> np.ndarray:
    """The shares of the winners by complexity."""
    return np.bincount(crowd()[0].astype(int), weights=won, minlength=BINS)


def draw_tournament(result: Chances, fig) -> None:
    """The crowd with a circle for each one's chance, and the complexities of members and of winners."""
    complexities, losses = crowd()
    left, right = fig.subplots(1, 2, width_ratios=(3, 2))
    left.scatter(complexities, losses, s=14, color=GREY, zorder=2)
    left.scatter(complexities, losses, s=3000 * result.won, facecolor=ORANGE, edgecolor=VERMILLION, alpha=0.5, zorder=1)
    left.set(yscale="log", xlabel="complexity", ylabel="loss", xlim=(0, BINS - 2))
    left.set_title("60 formulas; circle: how often each wins", fontsize=12)
    places = np.arange(BINS)
    share = np.bincount(complexities.astype(int), minlength=BINS) / len(losses)
    right.bar(places - 0.2, share, 0.4, color=GREY, label="members (frecency)")
    right.bar(places + 0.2, by_complexity(result.won), 0.4, color=VERMILLION, label="winners", hatch="//")
    right.set(xlabel="complexity", ylabel="share", xlim=(0, BINS - 2), ylim=(0, 1))
    for ax in (left, right):
        ax.set_xticks(range(0, BINS - 1, 5))
    right.legend(fontsize=10, loc="upper right")


def describe_tournament(result: Chances) -> str:
    """Who wins, in a sentence."""
    shares = by_complexity(result.won)
    top, crowded = int(shares.argmax()), shares[CROWDED]
    return (
        f"Tournaments of {result.n_s} with scaling {result.scaling:g}: of the winners {100 * crowded:.0f} % are from "
        f"the crowd of {CROWDED} nodes, which is 57 % of the members; most have {top} nodes "
        f"({100 * shares[top]:.0f} %)."
    )


def tournament_panel() -> Panel:
    """Tournament size, probability and the price of a crowd."""
    controls = [
        Slider("n_s", 1, 40, 1, 12, label="tournament size n_s"),
        Slider("p", 0.05, 1.0, 0.05, 0.9, label="p, the fittest wins"),
        Choice("scaling", {"0: no adaptive parsimony": 0.0, "1: the lecture": 1.0, "5": 5.0, "20": 20.0,
                           "1040: PySR today": 1040.0}, 1.0, label="scaling of frecency"),
    ]  # fmt: skip
    return Panel(compute_tournament, draw_tournament, controls, describe_tournament, "Who becomes a parent?", (10, 4))


# ---------------------------------------------------------------- which row of a front


def score_panel(front: ParetoFront, title: str = "Which row?") -> Panel:
    """A front, its scores, and a row of the reader's own choice beside the three rules."""
    scores = front.scores()
    rules = {rule: front.choose(rule) for rule in ("best", "accuracy", "score")}

    def draw(row, fig):
        left, right = fig.subplots(1, 2)
        front.draw(left, chosen=row)
        left.set_title(cut(front[row].expression.format(4), 44), fontsize=11, parse_math=False, color=VERMILLION)
        complexities = [entry.complexity for entry in front]
        right.bar(complexities, scores, 0.8, color=[VERMILLION if k == row else BLUE for k in range(len(front))])
        for place, (rule, chosen) in enumerate(rules.items()):
            right.annotate(
                rule, (complexities[chosen], scores[chosen]), xytext=(0, 4 + 13 * place), textcoords="offset points",
                ha="center", fontsize=10,
            )  # fmt: skip
        right.set(xlabel="complexity", ylabel="score", ylim=(0, 1.25 * max(max(scores), 0.1)))
        right.set_title("score: ln(loss before / loss) per node", fontsize=11)
        for ax in (left, right):
            ax.xaxis.get_major_locator().set_params(integer=True)

    def describe(row):
        entry = front[row]
        also = [rule for rule, chosen in rules.items() if chosen == row]
        picked = f" The rule{'s' * (len(also) > 1)} {' and '.join(also)} would take it." if also else ""
        return (
            f"Row {row}: {entry.expression.format(4)}, complexity {entry.complexity:g}, loss {entry.loss:.3g}, score "
            f"{scores[row]:.3g}.{picked}"
        )

    control = Slider("row", 0, len(front) - 1, 1, rules["best"], label="row of the front")
    return Panel(lambda row: row, draw, [control], describe, title, (10, 4))


# ---------------------------------------------------------------- where a formula comes from


def milestones(line: Sequence) -> list[tuple[int, object]]:
    """Of a line of descent (the youngest first) the steps with a loss lower than all before by a quarter, and the ends.

    Returns
    -------
    list of (int, Ancestor)
        The number of the step, counted from the first random formula.
    """
    steps = list(enumerate(reversed(line)))
    kept, least = [], np.inf
    for number, one in steps:
        if one.loss < 0.75 * least or number == len(steps) - 1:
            kept.append((number, one))
        least = min(least, one.loss)
    return kept


def draw_line(history, expression: Expression, baseline: float, fig, most: int = 11) -> None:
    """The ancestors of a formula of the front by step and error, and the milestones of the line that leads to it.

    ``baseline`` is the loss of the best constant.
    """
    line = history.line(expression)[::-1]
    points = {one.name: (step, max(np.sqrt(one.loss / baseline), 1e-6)) for step, one in enumerate(line)}
    others = [one for one in history.ancestry(expression) if one.name not in points]
    shown = milestones(line[::-1])
    if len(shown) > most:  # the beginning, the end, and steps between them
        shown = [shown[round(k)] for k in np.linspace(0, len(shown) - 1, most)]
    rows = [
        (str(step), one.expression.with_names(expression.names).format(3), one.made_by.replace("_", " "))
        for step, one in shown
    ]
    words = {
        "title": f"{len(line) - 1} steps ({len(others)} more ancestors by crossover)", "xlabel": "step",
        "ylabel": "error (best constant = 1)", "heading": "milestones (step, formula, made by)",
    }  # fmt: skip
    edges = [(parent, one.name) for one in line for parent in one.parents]
    draw_family(fig, points, edges, [one.name for _, one in shown], rows, words)
