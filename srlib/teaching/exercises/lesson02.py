"""Checks of lesson 02: the score of a front, the complexities behind printed scores, acceptance, tournaments, an
operator of one's own, and Planck's law."""

import itertools
import math
import numbers
import re
import warnings
from functools import lru_cache

import numpy as np

from ..checks import Almost, Wrong, exercise

# The front that the lecture prints (document 003) with the complexities that its scores stand for, and the front that
# the study of particle forces prints (document 002, whose first score is against a formula that is not shown).
LECTURE = ((1, 3, 5, 6), (42.354317, 3.437307, 3.358285, 1.368308), (0.0, 1.255691, 0.011629, 0.897855))
PARTICLES = (
    (1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18),
    (17.16, 16.22, 15.33, 15.08, 14.53, 13.93, 13.53, 13.13, 13.01, 11.71, 11.40, 11.30, 11.22, 11.17, 10.94),
    (0.0, 2.829e-2, 2.812e-2, 1.682e-2, 3.674e-2, 4.215e-2, 2.932e-2, 2.994e-2, 9.357e-3, 1.050e-1, 1.320e-2, 8.885e-3,
     7.546e-3, 3.967e-3, 2.097e-2),
)  # fmt: skip
OTHER = ((1, 4, 6, 13), (8.0, 2.0, 0.5, 1e-6))  # for a check against answers that know the printed tables


def _numbers(got, count, what):
    """The answer as floats, or a hint about its shape."""
    try:
        values = [float(one) for one in got]
    except (TypeError, ValueError):
        raise Wrong(f"Return a list of numbers, {what}; your function returns {got!r}.") from None
    if len(values) == count - 1:
        raise Almost(f"One number is missing: {count} are needed, {what}. What is the first one?")
    if len(values) != count:
        raise Wrong(f"Your function returns {len(values)} numbers; {count} are needed, {what}.")
    return values


def _scores(complexities, losses, log=math.log, per_node=True):
    steps = itertools.pairwise(zip(complexities, losses, strict=True))
    return [0.0, *(log(a / b) / (d - c if per_node else 1) for (c, a), (d, b) in steps)]


@exercise(
    "2.1",
    "the score of a front",
    hints=(
        "The score compares each row with the row before it. The first row has none before it: its score is 0.",
        "The loss falls, so log(loss after) - log(loss before) is negative. The score turns the sign around.",
        "Divide by the additional nodes: two rows may differ by 1, 2 or more in complexity.",
    ),
)
def _(answer):
    for complexities, losses in (LECTURE[:2], OTHER):
        right = _scores(complexities, losses)
        got = _numbers(answer(list(complexities), list(losses)), len(right), "one for each row")

        def same(other, got=got):
            return np.allclose(got, other, rtol=1e-6, atol=1e-9)

        if same(right):
            continue
        if same([-one for one in right]):
            raise Wrong("Your scores are the right ones with the wrong sign: a fall of the loss must count as good.")
        if same(_scores(complexities, losses, math.log10)) or same(_scores(complexities, losses, math.log2)):
            raise Wrong("That is another logarithm. PySR, and the lecture's table, take the natural one.")
        if same(_scores(complexities, losses, per_node=False)):
            raise Wrong(
                "Your score does not ask what the fall has cost. Two more nodes must bring more than one more node: "
                "divide by the difference of the complexities."
            )
        rows = zip(complexities, losses, strict=True)
        first = [math.log(losses[0] / b) / max(d - complexities[0], 1) for d, b in rows]
        if same(first):
            raise Wrong("You compare each row with the first one. The cliff is between a row and the one before it.")
        differences = [0.0, *(-np.diff(losses) / np.diff(complexities))]
        if same(differences):
            raise Wrong(
                "Those are differences of the losses themselves. From 1 to 0.1 and from 0.001 to 0.0001 is the same "
                "step forward, a factor of ten: take logarithms first."
            )
        row = next(k for k in range(len(right)) if not math.isclose(got[k], right[k], rel_tol=1e-6, abs_tol=1e-9))
        raise Wrong(f"For losses {list(losses)} at complexities {list(complexities)}, row {row} is not {got[row]:.6g}.")
    return "1.2557, 0.0116 and 0.8979, as the lecture prints them."


@exercise(
    "2.2",
    "the complexities behind the printed scores",
    hints=(
        "Solve the definition of the score for the difference of the two complexities.",
        "That gives how many nodes each row has more than the one before it. The first row is a number: 1 node.",
        "Add the differences up, and round: complexities are whole numbers, printed losses are not exact.",
    ),
)
def _(answer):
    other = [*_scores(*OTHER)]
    for complexities, losses, scores in (LECTURE, (*OTHER, other), PARTICLES):
        got = _numbers(answer(list(losses), list(scores)), len(losses), "the complexity of each row")
        right = list(complexities)
        steps = [right[0], *np.diff(right).tolist()]
        if got == right:
            continue
        if np.allclose(np.rint(got), right) and np.allclose(got, right, atol=0.6):
            raise Almost("Right, but nodes are whole numbers: the printed losses are rounded, so round what you get.")
        if got == list(range(len(right))) or got == list(range(1, len(right) + 1)):
            raise Wrong("Those are the numbers of the rows. The score knows better: what is ΔC in it?")
        if got == [0, *right[:-1]]:
            raise Wrong("That is the printed column. It has slid down by a row; the losses and scores tell the truth.")
        if np.allclose(np.rint(got), steps) or np.allclose(np.rint(got), [0, *steps[1:]]):
            raise Wrong("Those are the steps from row to row. Add them up to get the complexities.")
        if np.allclose(np.rint(got), np.array(right) - 1):
            raise Wrong("The first row is a lone number, which is a formula of one node: begin with 1, not with 0.")
        if np.allclose(np.rint(got[1:]), np.rint(1 + np.cumsum(np.diff(right) / math.log(10))), atol=1):
            raise Wrong("With log10 the steps come out too small. The scores were made with the natural logarithm.")
        if np.allclose(np.rint(got), 2 - np.array(right)):
            raise Wrong("Mind the sign: from row to row the loss falls and the complexity rises.")
        raise Wrong(f"For losses {list(losses)} and scores {list(scores)} the complexities are not {got}.")
    return (
        "1, 3, 5, 6 for the lecture's table, without counting a node. In the study of particle forces (document 002) "
        "the printed complexities are the true ones: all fourteen agree."
    )


@exercise(
    "2.3",
    "accept or reject?",
    hints=(
        "A child that is at least as good as its parent is always accepted: probability 1.",
        "For a worse child: the worse it is, and the colder it is, the smaller the probability.",
        "exp(-(new - old)/(alpha*T)), at most 1. At T = 0 do not divide: a worse child has no chance at all.",
    ),
)
def _(answer):
    cases = [(old, new, T, alpha) for old, new in ((1.0, 1.05), (0.5, 0.8), (1.0, 0.4), (2.0, 2.0))
             for T in (1.0, 0.5, 0.05) for alpha in (0.1, 1.0)]  # fmt: skip
    got = []
    for case in cases:
        p = answer(*case)
        if isinstance(p, bool) or not isinstance(p, numbers.Real):
            raise Wrong(
                f"For old={case[0]}, new={case[1]}, T={case[2]}, alpha={case[3]} your function returns {p!r}. Return "
                "the probability, a number; somebody else throws the dice."
            )
        got.append(float(p))
    right = [_accepted(*case) for case in cases]
    exponent = [(new - old) / (alpha * T) for old, new, T, alpha in cases]

    def same(values):
        return np.allclose(got, values, rtol=1e-6, atol=1e-12)

    if same(np.exp(exponent)) or same(np.minimum(1, np.exp(exponent))):
        raise Wrong(
            "Your worse children are welcome and the better ones are not. The document's sentence, read with losses, "
            "does exactly that: turn the sign around."
        )
    if same(1 - np.array(right)) or same(1 - np.exp(exponent)):
        raise Wrong(
            "That is a probability of rejection, as the document says. Look at a child that is much worse: it should "
            "hardly ever be accepted, and exp(-difference/(alpha T)) is nearly 0 for it. So what is that number?"
        )
    if same(np.exp(-np.array(exponent))):
        raise Almost(f"{max(got):.3g} is no probability. What happens to a child that is better than its parent?")
    if same([_accepted(old, new, T, 1.0) for old, new, T, _ in cases]):
        raise Wrong("alpha makes no difference in your function.")
    if same([_accepted(old, new, 1.0, alpha) for old, new, _, alpha in cases]):
        raise Wrong("The temperature makes no difference in your function: then it is no annealing.")
    if same([_accepted(old, new, 1 / T, alpha) for old, new, T, alpha in cases]):
        raise Wrong("In your function the cold accepts more than the heat: T stands in the denominator.")
    for case, p, true in zip(cases, got, right, strict=True):
        if not math.isclose(p, true, rel_tol=1e-6, abs_tol=1e-12):
            seen = _share_accepted(*case)
            raise Wrong(
                f"For old={case[0]}, new={case[1]}, T={case[2]}, alpha={case[3]} you say {p:.3g}; of 4000 children in "
                f"srlib {seen:.2f} were accepted."
            )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            cold = [float(answer(1.0, new, 0.0, 0.1)) for new in (1.2, 0.8)]
        except ZeroDivisionError:
            raise Almost("At T = 0, the end of the cooling, your function divides by zero.") from None
    if cold != [0.0, 1.0]:
        raise Almost(f"At T = 0 a worse child has probability 0 and a better one 1; your function says {cold}.")
    return "At T = 1 and alpha = 0.1 a child that is worse by 0.1 gets in 37 times of 100; at T = 0.1 hardly ever."


def _accepted(old, new, T, alpha):
    return min(1.0, math.exp(-(new - old) / (alpha * T)))


def _share_accepted(old, new, T, alpha):
    from srlib.evolution.selection import acceptable_loss

    rng = np.random.default_rng(0)
    return float(np.mean([acceptable_loss(old, 0.0, 5, 5, T, alpha, True, 1.0, rng) >= new for _ in range(4000)]))


@exercise(
    "2.4",
    "who wins a tournament",
    hints=(
        "The fittest wins with probability p. When does the second get a chance at all?",
        "The k-th wins when all the k - 1 before it have lost, and then it wins itself.",
        "The last one left has nobody to lose to. What has to be true for the sum of all the probabilities?",
    ),
)
def _(answer):
    cases = [(2, 0.7), (12, 0.9), (5, 0.5), (1, 0.9), (4, 1.0)]
    for n, p in cases:
        k = np.arange(n)
        right = p * (1 - p) ** k
        forgotten = right.copy()
        right[-1] = (1 - p) ** (n - 1)
        got = np.array(_numbers(answer(n, p), n, "one for each place"))
        if np.allclose(got, right, atol=1e-9):
            continue
        if np.allclose(got, forgotten, atol=1e-9):
            raise Almost(
                f"For n={n} and p={p} your probabilities add up to {got.sum():.4g}. Who wins when all have lost their "
                "throw but the last one, who has nobody left to lose to?"
            )
        if np.allclose(got, forgotten / forgotten.sum(), atol=1e-9):
            raise Almost("You spread what is missing over all. In the pseudo-code all of it goes to the last one left.")
        if np.allclose(got, p * (1 - p) ** (k + 1), atol=1e-9):
            raise Wrong("The exponent is one too large: the fittest has nobody before it, so (1 - p) to the power 0.")
        if np.allclose(got, p ** (k + 1), atol=1e-9):
            raise Wrong("p to the power k would mean that the k before it have all won. They must have lost.")
        if np.allclose(got, right[::-1], atol=1e-9):
            raise Wrong("The order is turned around: the first is the fittest, with the lowest loss.")
        if np.allclose(got, 1 / n, atol=1e-9):
            raise Wrong("All the same: that would be a draw without any preference for the fitter.")
        if not math.isclose(got.sum(), 1, abs_tol=1e-6):
            raise Wrong(f"For n={n} and p={p} your probabilities add up to {got.sum():.4g}, but somebody always wins.")
        seen = _share_of_places(n, p)
        place = int(np.argmax(np.abs(got - seen)))
        raise Wrong(
            f"For n={n} and p={p} you give place {place + 1} a probability of {got[place]:.3f}; of 4000 tournaments in "
            f"srlib it won {seen[place]:.2f}."
        )
    return "With p = 0.9 the fittest of 12 wins nine times out of ten, and the third once in a hundred."


@lru_cache(maxsize=8)
def _share_of_places(n, p):
    from srlib.evolution.selection import tournament

    rng, sizes, none = np.random.default_rng(0), np.ones(n), np.zeros(2)
    won = [tournament(np.arange(1.0, n + 1), sizes, none, 0.0, n, p, rng) for _ in range(4000)]
    return np.bincount(won, minlength=n) / 4000


WAYS = ("1/{0}(x - a, y - b)", "{0}(x - a, y - b)", "1/sqrt({0}(x - a, y - b))")  # to write the law of exercise 2.5


@lru_cache(maxsize=1)
def attraction():
    """The data of exercise 2.5: columns x, y, a, b, and one over the distance of (x, y) and (a, b)."""
    X = np.random.default_rng(2).uniform(-2, 2, (100, 4))
    distance = np.hypot(X[:, 0] - X[:, 2], X[:, 1] - X[:, 3])
    apart = distance > 0.7  # or a few rows would make nearly all of the loss
    return X[apart], 1 / distance[apart]


@exercise(
    "2.5",
    "an operator of your own",
    hints=(
        "Which part of the law is long, and has two arguments once you look at it from far enough away?",
        "Write it as text: a name, its arguments in brackets, an equals sign, and a formula of these arguments.",
        "The distance of two points needs the two differences. Squares are products: u*u.",
    ),
)
def _(answer):
    from srlib import Expression

    if callable(answer):
        raise Wrong("srlib takes functions as well, but here write the operator as a text: 'name(u, v) = formula'.")
    if not isinstance(answer, str):
        raise Wrong(f"Give the operator as a text, such as 'special(x, y) = cos(x) * (x + y)'; {answer!r} is none.")
    try:
        operator = Expression.operator(answer)
    except ValueError as error:
        said = str(error).splitlines()[0]
        if "=" not in answer or "lambda" in answer or "def " in answer:
            raise Wrong(f"Write the operator as 'name(u, v) = formula', without lambda or def: {said}") from None
        if re.search(r"\b(np|numpy|math)\b", answer):
            raise Wrong(
                f"No modules: formulas are read, not executed, and sqrt is simply called sqrt. {said}"
            ) from None
        raise Wrong(f"srlib cannot read this operator: {said}") from None
    if operator.arity != 2:
        many = f"{operator.arity} argument{'s' * (operator.arity != 1)}"
        raise Wrong(f"Your operator has {many}; the two differences are two.")
    X, y = attraction()
    for template in WAYS:
        one = Expression.parse(template.format(operator.name), names=["x", "y", "a", "b"], operators=[operator])
        with np.errstate(all="ignore"):
            if np.allclose(one.evaluate(X), y, rtol=1e-9):
                return f"The law is now {one.format(3)}: {one.size} nodes, and found in a second or two."
    squares = Expression.parse("sqrt(u*u + v*v)", names=["u", "v"])
    minus = Expression.parse("u*u - v*v", names=["u", "v"])
    try:
        mine = Expression.parse(f"{operator.name}(u, v)", names=["u", "v"], operators=[operator])
        points = np.random.default_rng(0).uniform((2, 0.1), (4, 2), (20, 2))
        with np.errstate(all="ignore"):
            values, distance, wrong = mine.evaluate(points), squares.evaluate(points), minus.evaluate(points)
        if np.allclose(values, wrong) or np.allclose(values, np.sqrt(wrong)):
            raise Wrong("Pythagoras adds the two squares; you take one from the other.")
        if np.allclose(values, points.sum(axis=1)) or np.allclose(values, np.abs(points).sum(axis=1)):
            raise Wrong("The sum of the two is the way along the streets, not the way as the crow flies.")
        if np.allclose(values / distance, (values / distance)[0]):
            raise Almost("Right up to a factor. Leave the factor to the search: then the operator is of use elsewhere.")
    except ValueError:
        pass
    raise Wrong(
        "The law is neither this operator of the two differences x - a and y - b, nor one over it or over its root."
    )


@exercise(
    "2.6",
    "Planck's law",
    hints=(
        "The target spans 600 powers of ten. problems.load('planck') gives its logarithm already: do not undo it.",
        "The law needs log and exp. How many nodes has 3*log(nu) - c*nu/T - log(1 - exp(-(c*nu/T))) + k? maxsize must "
        "allow them, and niterations give some time.",
        "model = EvolutionRegressor(unary_operators=('log', 'exp'), niterations=..., random_state=0); look at all of "
        "model.front_, and at recovers(row.expression, planck) for each row: the last row is not the law.",
    ),
)
def _(answer):
    from srlib import problems, recovers

    planck = problems.load("planck")
    rows = _candidates(answer, planck)
    verdicts = [recovers(row, planck).verdict for row in rows]
    if "recovered" in verdicts:
        return "With the -1: good from radio waves to X-rays."
    if len(rows) > 1:
        raise Wrong(
            f"None of the {len(rows)} rows is Planck's law. Give the search exp and log, room for some 25 nodes and "
            "more iterations, or another seed."
        )
    formula = rows[0]
    X, y = planck.X, planck.y
    nu, T = X.T
    z = 6.62607004e-34 * nu / (1.38064852e-23 * T)
    with np.errstate(all="ignore"):
        error = formula.evaluate(X) - y
        exponential = np.exp(formula.evaluate(X[:3]) - np.exp(y[:3]))
    known = {"wien": -z, "plus": -z - np.log1p(np.exp(-np.minimum(z, 700)))}
    base = 3 * np.log(nu) + math.log(2 * 6.62607004e-34 / 299792458.0**2)
    value = formula.evaluate(X)
    if not np.isfinite(value).all():
        raise Wrong(
            "Your formula has no finite value in some rows: exp(h nu/kT) overflows for X-rays. Write the law with "
            "exp(-(h nu/kT)), which only becomes 0."
        )
    if np.std(value - (base + known["wien"])) < 0.2:
        raise Wrong(
            "That is Wien's limit: right for high frequencies, and wrong by more and more for low ones, where Planck's "
            "-1 counts. It does not pass."
        )
    if np.std(value - (base + known["plus"])) < 0.2:
        raise Wrong("A + 1 instead of the - 1: that is another statistics, of fermions. Light needs the minus.")
    if np.std(value - (2 * np.log(nu) + np.log(T))) < 0.2:
        raise Wrong("That is the law of Rayleigh and Jeans: right for low frequencies, and far too much at high ones.")
    if np.isfinite(exponential).all() and np.abs(error).max() > 50 and (y < 0).all() and (value >= 0).all():
        raise Wrong("Your formula gives the radiance itself. The target is its natural logarithm.")
    if "almost" in verdicts:
        raise Almost("The form is right, but its constants do not fit the data: fit them, or let the search do it.")
    raise Wrong(f"This formula misses the logarithm of the radiance by {np.sqrt(np.mean(error**2)):.2g} (rms).")


def _candidates(answer, problem):
    """The formulas that an answer stands for: a text, an Expression, a front or a fitted estimator."""
    from srlib import Expression
    from srlib.front import ParetoFront

    front = getattr(answer, "front_", answer)
    if isinstance(front, ParetoFront):
        return [row.expression for row in front]
    if hasattr(answer, "fit"):
        raise Wrong("Your estimator has not been fitted yet: call fit(planck.to_frame(), planck.y) first.")
    if isinstance(answer, Expression):
        return [answer]
    if isinstance(answer, str):
        try:
            return [Expression.parse(answer, names=problem.names)]
        except ValueError as error:
            raise Wrong(f"srlib cannot read this formula: {str(error).splitlines()[0]}") from None
    raise Wrong("Give the fitted estimator, a row's expression, or the formula as a text over nu and T.")
