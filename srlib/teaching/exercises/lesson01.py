"""Checks of lesson 01: trees, crossover, parsimony, division by zero, tournaments.

Trees are nested lists here, so that students can write the operations themselves: a leaf is a number or a name, every
other node is a list of its operator and its arguments, as in ``["+", ["*", 1.15, "y"], 0.86]``.
"""

import math
import numbers
import warnings
from copy import deepcopy
from functools import lru_cache
from random import Random

import numpy as np

from ..checks import Almost, Wrong, exercise

TREES = (  # with the number of nodes
    ("y", 1),
    (["cos", "Y"], 2),
    (["+", ["*", 1.15, "y"], 0.86], 5),
    (["+", ["-", 2.2, ["/", "X", 11]], ["*", 7, ["cos", "Y"]]], 10),
    (["sqrt", ["sqrt", ["sqrt", "a"]]], 4),
)


@exercise(
    "1.1",
    "the complexity of a tree",
    hints=(
        "A tree is a leaf, or an operator with smaller trees below it. What is the complexity of a leaf?",
        "For a list: 1 for the operator, plus the complexities of all the arguments. A function may call itself.",
        "isinstance(tree, list) tells the two cases apart; tree[1:] are the arguments.",
    ),
)
def _(answer):
    given = [(tree, answer(deepcopy(tree)), nodes) for tree, nodes in TREES]
    got = [number for _, number, _ in given]
    for mistake, hint in (
        (_leaves, "You counted the leaves only. The operators are nodes of the tree as well."),
        (_inner, "You counted the operators (the brackets) only. Numbers and variables are nodes as well."),
        (_depth, "That is the depth: the levels of the tree. The complexity counts all nodes, also side by side."),
        (_length, "len() of the outermost list does not look inside: a tree within the tree counts as one there."),
        (
            _without_constants,
            "You left the constants out. Each number is a node, and each one makes a formula harder to explain.",
        ),
    ):
        if got == [mistake(tree) for tree, _ in TREES]:
            raise Wrong(hint)
    for tree, number, nodes in given:
        if not isinstance(number, numbers.Real):
            raise Wrong(f"For {tree} your function returns {number!r}, which is not a number.")
        if number != nodes:
            raise Wrong(f"For {tree} your function says {number}. Draw this tree on paper and count every node.")
    return "Operators, numbers and variables: each is a node, and each costs 1."


def _leaves(tree):
    return sum(map(_leaves, tree[1:])) if isinstance(tree, list) else 1


def _inner(tree):
    return 1 + sum(map(_inner, tree[1:])) if isinstance(tree, list) else 0


def _depth(tree):
    return 1 + max(map(_depth, tree[1:])) if isinstance(tree, list) else 1


def _length(tree):
    return len(tree) if isinstance(tree, list) else 1


def _without_constants(tree):
    return 1 + sum(map(_without_constants, tree[1:])) if isinstance(tree, list) else int(isinstance(tree, str))


# Parents, the places where they are cut, and the subtree that stands there. A place is a list of positions, from the
# root down: [1] is the first argument, [1, 2] that one's second argument, [] the whole tree.
CROSSINGS = (
    (["+", ["*", 1.15, "y"], 0.86], [1], ["^", "x", "x"], [1]),
    (["+", ["*", 1.15, "y"], 0.86], [1, 2], ["*", "a", ["sqrt", "a"]], [2]),
    (["-", ["*", ["cos", "Y"], 7], "X"], [1, 1, 1], ["/", ["+", "X", ["*", 2, "X"]], 11], [1, 2]),
    (["*", 365, "a"], [2], ["*", "a", ["sqrt", "a"]], []),
)


@exercise(
    "1.2",
    "crossover that leaves the parents alone",
    hints=(
        "Lists are not copied when you pass them to a function: whatever you change in them has changed for everybody.",
        "copy.deepcopy copies a list and all the lists inside it. Work on the copies.",
        "Follow the place down to the list that holds the subtree: all positions but the last lead there, and the last "
        "one is where the subtree is exchanged. An empty place is the whole tree.",
    ),
)
def _(answer):
    for mother, at, father, to in CROSSINGS:
        ours, theirs = deepcopy((mother, at)), deepcopy((father, to))
        where = f"For mother {mother} at {at} and father {father} at {to}"
        children = answer(ours[0], ours[1], theirs[0], theirs[1])
        if (ours[0], theirs[0]) != (mother, father):
            raise Wrong(
                "Your function changed a parent. It may win another tournament, and must still be what it was: make a "
                "copy first. (A copy of the outer list is not enough: the inner lists would still be shared.)"
            )
        if (ours[1], theirs[1]) != (at, to):
            raise Wrong("Your function changed the list that says where to cut (pop?). Read it without changing it.")
        if not isinstance(children, (tuple, list)) or len(children) != 2:
            raise Wrong(f"{where} your function returns {children!r}. Two parents have two children: return both.")
        expected = _planted(mother, at, _part(father, to)), _planted(father, to, _part(mother, at))
        if tuple(children) == expected[::-1] and expected[0] != expected[1]:
            raise Almost("Both children are right. Return first the one that keeps the mother's root.")
        if tuple(children) == (mother, father):
            raise Wrong("Your children are copies of their parents: nothing was exchanged.")
        if (children[0] == expected[0]) != (children[1] == expected[1]):
            raise Wrong(
                f"{where} one child is right, the other is {children[children[0] == expected[0]]}. If the second "
                "exchange comes after the first, it finds a subtree that is there no longer: take both out first."
            )
        if tuple(children) != expected:
            raise Wrong(f"{where} the children should not be {children[0]} and {children[1]}.")
        shared = {id(part) for parent in (ours[0], theirs[0]) for part in _lists(parent)}
        if any(id(part) in shared for child in children for part in _lists(child)):
            raise Almost(
                "The children are right, but they share lists with their parents: the first mutation of a child would "
                "change a parent too. A deep copy of everything that you pass on cures it."
            )
    return "The parents live on unchanged. srlib makes that sure once and for all: an Expression cannot be changed."


def _lists(tree):
    return [tree, *(part for argument in tree[1:] for part in _lists(argument))] if isinstance(tree, list) else []


def _part(tree, place):
    for position in place:
        tree = tree[position]
    return tree


def _planted(tree, place, part):
    if not place:
        return deepcopy(part)
    return [*tree[: place[0]], _planted(tree[place[0]], place[1:], part), *tree[place[0] + 1 :]]


SHORT, LAW, LONG = "1165*a - 818", "366.7*(a*sqrt(a))", "360*(a*sqrt(a)) + 7*a + 0.5*sqrt(a)*a*a - 2"


@lru_cache(maxsize=1)
def candidates():
    """Three formulas for Kepler's planets with their best constants: too short, the law, too long."""
    from srlib import Expression, problems
    from srlib.constants import refit

    kepler = problems.load("kepler")
    return tuple(refit(Expression.parse(text, kepler.names), [kepler.X[:, 0]], kepler.y) for text in (SHORT, LAW, LONG))


def winner(parsimony):
    """Which of the three :func:`candidates` has the lowest fitness on Kepler's planets: 0, 1 or 2."""
    from srlib import problems
    from srlib.genetic import Fitness

    kepler = problems.load("kepler")
    fitness = Fitness(kepler.X, kepler.y, parsimony=parsimony)
    return int(np.argmin([fitness.of(formula) for formula in candidates()]))


@exercise(
    "1.3",
    "a parsimony that lets the law win",
    hints=(
        "Write the fitness of each formula as error + parsimony*complexity. For which parsimony are two of them equal?",
        "The law must beat the long formula: parsimony > (its gain in error) / (its additional nodes). And it must "
        "still beat the short one, which has the larger error and fewer nodes.",
        "The limits are the two slopes between the three rows of the table. Any number between them will do.",
    ),
)
def _(answer):
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
        raise Wrong(f"Give one number, the parsimony; {answer!r} is none.")
    if not math.isfinite(answer):
        raise Wrong(f"{answer!r} is not a finite number.")
    if answer < 0:
        raise Wrong("A negative parsimony pays for every further node: formulas would grow without end. Mind the sign.")
    if answer == 0:
        raise Wrong("With parsimony 0 only the loss counts, and the longest formula has the lowest loss.")
    won = winner(float(answer))
    if won == 2:
        raise Wrong(
            f"With {answer:g} the long formula still wins: the price of its additional nodes is less than the error "
            "that they save. A larger parsimony is needed; think in powers of ten."
        )
    if won == 0:
        raise Wrong(
            f"With {answer:g} the short formula wins, though it misses the planets: a node costs more than it can ever "
            "save. Remember the scale: an error of 1 is that of the best constant."
        )
    return (
        "There is a wide range of parsimonies that works here, because the law is so much better than what is shorter."
    )


@exercise(
    "1.4",
    "division that admits it has no value",
    hints=(
        "Only a denominator that is exactly 0 has no quotient. 1/1e-9 is a good number.",
        "numpy.where(condition, this, that) chooses row by row; numpy.nan is the value that is none.",
        "numpy computes a/b in all rows before `where` chooses: numpy.errstate(all='ignore') keeps it from warning.",
    ),
)
def _(answer):
    a, b = np.array([6.0, 1.0, 0.0, -1.0, 2.0, 3.0]), np.array([3.0, 0.0, 0.0, 0.0, 1e-4, -1e-9])
    quotient = np.array([2.0, np.nan, np.nan, np.nan, 2e4, -3e9])
    zero = b == 0
    ours = a.copy(), b.copy()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            got = np.asarray(answer(*ours), dtype=float)
        except ZeroDivisionError:
            raise Wrong("Your function raises ZeroDivisionError: one bad row would end the whole run.") from None
        except ValueError as error:
            if "ambiguous" in str(error):
                raise Wrong(
                    "`if b == 0` asks one question of a whole column. Choose row by row, with numpy.where."
                ) from None
            raise
    if not (np.array_equal(ours[0], a) and np.array_equal(ours[1], b)):
        raise Wrong("Your function changed its arguments. They are columns of the data: all other formulas need them.")
    if got.shape != a.shape:
        raise Wrong(f"For columns of {len(a)} rows your function returns shape {got.shape}: one value a row is needed.")
    at_zero, elsewhere = got[zero], got[~zero]
    if (at_zero == 1).all():
        if np.allclose(elsewhere, quotient[~zero]):
            raise Wrong("1 is what a protected division says. What is computed is then not what is printed.")
        raise Wrong("That is gplearn's protected division: 1 at 0 and also near 0, where the quotient is a good one.")
    if (at_zero == 0).all():
        raise Wrong("0 is a perfectly good value, and evolution will use it. Which value says that there is none?")
    if np.isinf(at_zero).any():
        raise Wrong(
            "An infinity at 0, as numpy does it: but 0/0 is not infinite, and 1/0 is neither plus nor minus infinity."
        )
    if not np.isnan(at_zero).all():
        raise Wrong(f"Where the denominator is 0, your function returns {at_zero}.")
    if not np.allclose(elsewhere, quotient[~zero], equal_nan=False):
        if np.isnan(elsewhere).any():
            raise Wrong(
                "You return NaN also for a small denominator that is not 0. 3/-1e-9 is -3e9, and that is right."
            )
        raise Wrong(f"Where the denominator is not 0, your function returns {elsewhere}, not a/b = {quotient[~zero]}.")
    if any(issubclass(one.category, RuntimeWarning) for one in caught):
        raise Almost("The values are right, but numpy warns. A run divides by zero a thousand times: silence it there.")
    return "NaN spreads through the formula, its loss is infinite, and it loses every tournament. No more is needed."


@exercise(
    "1.5",
    "the chance that the best one wins",
    hints=(
        "The best one wins every tournament that it takes part in. When does it not take part?",
        "A draw misses it with probability 1 - 1/n, and the draws do not know of each other.",
        "It takes part unless all s draws miss it: 1 - (1 - 1/n)**s.",
    ),
)
def _(answer):
    cases = [(n, s) for n in (2, 5, 200, 1000) for s in (1, 2, 7, 50)]
    got = [answer(n, s) for n, s in cases]
    for n, s, p in ((n, s, p) for (n, s), p in zip(cases, got, strict=True)):
        if not isinstance(p, numbers.Real):
            raise Wrong(f"For n={n} and s={s} your function returns {p!r}, which is not a number.")

    def same(formula):
        return all(
            math.isclose(p, formula(n, s), rel_tol=1e-9, abs_tol=1e-12) for (n, s), p in zip(cases, got, strict=True)
        )

    if same(lambda n, s: (1 - 1 / n) ** s):
        raise Almost("That is the chance that all draws miss it. It wins when they do not.")
    if same(lambda n, s: s / n) or same(lambda n, s: min(s / n, 1)):
        raise Almost(
            "s/n would be right if nobody could be drawn twice in one tournament. Look at srlib's tournament: "
            "rng.choices puts everybody back. Try n=2, s=2."
        )
    if same(lambda n, s: (1 / n) ** s):
        raise Wrong("(1/n)**s is the chance that every single draw hits the best one. One hit is enough.")
    if same(lambda n, s: 1 / n) or same(lambda n, s: 1 / s):
        raise Wrong(
            "Your chance depends on one of the two numbers only. It grows with the tournament, and falls with n."
        )
    for (n, s), p in zip(cases, got, strict=True):
        if not 0 <= p <= 1:
            raise Wrong(f"For n={n} and s={s} your function says {p:.4g}, which is no probability.")
        if s == 1 and not math.isclose(p, 1 / n, rel_tol=1e-6):
            raise Wrong(f"A tournament of one among {n} is a blind draw: its chance is 1/{n}, yours {p:.4g}.")
    for n, s in ((5, 2), (5, 7), (20, 7)):
        seen = _share_won_by_the_best(n, s)
        if abs(answer(n, s) - seen) > 0.03:
            raise Wrong(
                f"For n={n} and s={s} you say {answer(n, s):.3f}; of 4000 tournaments in srlib it won {seen:.2f}."
            )
    if not all(math.isclose(p, 1 - (1 - 1 / n) ** s, rel_tol=1e-6) for (n, s), p in zip(cases, got, strict=True)):
        raise Almost("Near, but this can be said exactly.")
    return "With n=200, a tournament of 7 picks the best one 7 times as often as a blind draw (3.4 % instead of 0.5 %)."


@lru_cache(maxsize=8)
def _share_won_by_the_best(n, s):
    from srlib import Expression
    from srlib.genetic import Individual, tournament

    population = [Individual(Expression.constant(k), loss=k, fitness=k, id=k) for k in range(n)]
    select, rng = tournament(population, s), Random(0)
    return sum(select(rng).id == 0 for _ in range(4000)) / 4000
