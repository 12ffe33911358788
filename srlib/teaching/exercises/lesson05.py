"""Checks of lesson 05: Gumbel numbers, relaxation, equation 7 and where it is 0, the power law, reading an instance."""

import math
import numbers
import warnings
from functools import lru_cache

import numpy as np
from scipy.special import softmax, zeta

from ..checks import Almost, Wrong, exercise
from .lesson03 import _same, _values

# ---------------------------------------------------------------- Gumbel numbers


@exercise(
    "5.1",
    "Gumbel numbers",
    hints=(
        "What is P(G < g) for a Gumbel number? Set it to u and solve for g.",
        "u = exp(-exp(-g)). Take the logarithm twice, and mind the signs.",
    ),
)
def _(answer):
    u = np.linspace(0.01, 0.99, 99)
    got = _values(answer, u.copy(), shape=u.shape, what="a Gumbel number for each u")
    with np.errstate(all="ignore"):
        right = -np.log(-np.log(u))
        if _same(got, right):
            return "u = 1/2 gives 0.37; now and then a large one comes, seldom a very negative one."
        if _same(got, right[::-1]):
            return "You use 1 - u, which is as uniform as u: the same distribution."
        if np.isnan(got).any():
            raise Wrong("Your function gives NaN. log u is negative: what must happen before the second logarithm?")
        if _same(got, -right) or _same(got, -right[::-1]):
            raise Almost("Turned around: large numbers are rare on your left, and must be rare on the right.")
        if _same(got, -np.log(u)) or _same(got, -np.log(1 - u)):
            raise Wrong("Those are exponential numbers, never below 0. One logarithm is missing.")
        if _same(got, np.log(u)):
            raise Wrong("That is the logarithm of a uniform number. There are two logarithms and two signs.")
    raise Wrong(f"At u = {u[49]:.2f}, where exp(-exp(-g)) = u, your g is {got[49]:.3f}: exp(-exp(-g)) is "
                f"{math.exp(-math.exp(-got[49])):.3f}.")  # fmt: skip


# ---------------------------------------------------------------- relaxation


@exercise(
    "5.2",
    "the relaxed sample",
    hints=(
        "Equation 2: first add, then divide, then the softmax.",
        "softmax(a) = exp(a)/sum(exp(a)); subtract the largest a first, so that nothing overflows.",
    ),
)
def _(answer):
    z, noise = np.array([1.0, 0.0, -1.0, 0.3]), np.array([-0.2, 1.4, 0.5, -0.9])
    for temperature in (0.5, 2.0):
        got = _values(answer, z.copy(), noise.copy(), temperature, shape=z.shape, what="a number for each place")
        if _same(got, softmax((z + noise) / temperature)):
            continue
        others = {
            "You multiply by the temperature: a cold sample would be vague.": softmax((z + noise) * temperature),
            "The temperature must divide z as well, not the noise alone.": softmax(z + noise / temperature),
            "The temperature must divide the noise as well, not z alone.": softmax(z / temperature + noise),
            "Your answer does not depend on the noise: each sample would be the same.": softmax(z / temperature),
            "Your answer does not depend on the temperature.": softmax(z + noise),
            "That is the one-hot vector itself, without any slope.": np.eye(4)[np.argmax(z + noise)],
        }
        for sentence, other in others.items():
            if _same(got, other):
                raise Wrong(sentence)
        if _same(got, np.exp((z + noise) / temperature)):
            raise Almost("The softmax is not finished: the four numbers must add up to 1.")
        if not np.isclose(got.sum(), 1):
            raise Wrong(f"The places must add up to 1; yours add up to {got.sum():.3g}.")
        raise Wrong(f"At λ = {temperature:g} your sample is {np.round(got, 3)}; compare it with equation 2.")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        cold = np.asarray(answer(z, noise, 1e-3), float)
    if not np.isfinite(cold).all():
        raise Almost("Right, but at λ = 0.001 it overflows: subtract the largest number before taking exp.")
    return "At λ = 0.001 it is one-hot. So the limit in statement S2 must be λ → 0; the paper prints λ → ∞."


# ---------------------------------------------------------------- equation 7


def _log_density(z, V, temperature):
    """Equation 10 without what does not depend on z."""
    return float(np.sum(z) - len(z) * np.log(np.sum(np.exp(z) * V**-temperature)))


def _cases():
    rng = np.random.default_rng(5)
    for places, temperature in ((3, 2 / 3), (5, 0.4), (4, 1.5)):
        yield rng.normal(size=places), rng.dirichlet(np.ones(places)), temperature


@exercise(
    "5.3",
    "equation 7",
    hints=(
        "The logarithm of the product is a sum over a. Which terms of it know z_l?",
        "The numerators give z_l once. Each of the M denominators is the same.",
        "The derivative of log sum_b exp(z_b) V_b^-λ by z_l is a softmax. There are M of these terms.",
    ),
)
def _(answer):
    for z, V, temperature in _cases():
        got = _values(answer, z.copy(), V.copy(), temperature, shape=z.shape, what="a derivative for each place")
        right, step = np.empty_like(z), 1e-5
        for place in range(len(z)):
            aside = step * np.eye(len(z))[place]
            right[place] = (_log_density(z + aside, V, temperature) - _log_density(z - aside, V, temperature)) / 2e-5
        if np.allclose(got, right, atol=1e-6):
            continue
        M, share = len(z), softmax(z - temperature * np.log(V))
        others = {
            "Only one of the M terms was derived. Each factor of the product has the same denominator.": 1 - share,
            "With M - 1 in the place of M your derivatives do not add up to 0: is it a factor or a subscript?":
                1 - (M - 1) * share,
            "All signs are turned around.": M * share - 1,
            "The power of V in the denominator is -λ, not +λ.": 1 - M * softmax(z + temperature * np.log(V)),
            "The power -λ - 1 belongs to the numerator, which has no z in it but exp(z_a).":
                1 - M * softmax(z - (temperature + 1) * np.log(V)),
            "V is missing in the denominator.": 1 - M * softmax(z),
        }  # fmt: skip
        for sentence, other in others.items():
            if np.allclose(got, other, atol=1e-6):
                raise Wrong(sentence)
        if np.allclose(got, M * right, atol=1e-5) or np.allclose(got * M, right, atol=1e-5):
            raise Almost("Right but for a factor M.")
        worst = int(np.argmax(np.abs(got - right)))
        raise Wrong(f"For M = {M}, λ = {temperature:.2g} and place {worst + 1} the slope of the log density is "
                    f"{right[worst]:.4f}, and yours is {got[worst]:.4f}.")  # fmt: skip
    return "It agrees with differences of the log density. It adds up to 0: a shift of all z changes nothing."


@exercise(
    "5.4",
    "where equation 7 is 0",
    hints=(
        "When is 1 - M p_l = 0 for all l?",
        "All shares must be equal: exp(z_l) V_l^-λ must not depend on l.",
    ),
)
def _(answer):
    for _, V, temperature in _cases():
        got = _values(answer, V.copy(), temperature, shape=V.shape, what="z for each place")
        with np.errstate(all="ignore"):
            gradient = 1 - len(V) * softmax(got - temperature * np.log(V))
        if np.allclose(gradient, 0, atol=1e-9):
            continue
        others = {
            "That is exp(z), as equation 11 has it. What is z?": V**temperature,
            "The temperature is missing.": np.log(V),
            "A sign is turned around: a place with a large V must get a large z.": -temperature * np.log(V),
            "The temperature multiplies the logarithm; you divide by it.": np.log(V) / temperature,
        }
        for sentence, other in others.items():
            if _same(got, other):
                raise Wrong(sentence)
        if np.ptp(got) < 1e-12:
            raise Wrong("With all z equal, equation 7 is 0 only for a V that is uniform.")
        raise Wrong(f"With your z the derivatives of equation 7 are {np.round(gradient, 3)} for λ = {temperature:.2g}.")
    return "Equation 11 is one solution. Any constant may be added, which equation 11 forbids without need."


# ---------------------------------------------------------------- the power law


@exercise(
    "5.5",
    "who is copied",
    hints=(
        "The chances of the ranks 1 to size are proportional to rank to the power of minus the exponent.",
        "They must add up to 1: divide by the sum over all ranks.",
    ),
)
def _(answer):
    for rank, size, exponent in ((1, 400, 1.5), (3, 10, 1.5), (7, 50, 0.5)):
        got = answer(rank, size, exponent)
        if isinstance(got, bool) or not isinstance(got, numbers.Real):
            raise Wrong(f"Return one probability, a number; your function returns {got!r}.")
        got, ranks = float(got), np.arange(1, size + 1, dtype=float)
        if math.isclose(got, rank**-exponent / np.sum(ranks**-exponent), rel_tol=1e-6):
            continue
        if math.isclose(got, rank**-exponent, rel_tol=1e-6):
            raise Wrong(f"Yours is not normalised: over all {size} ranks it adds up to {np.sum(ranks**-exponent):.2f}.")
        if math.isclose(got, rank**exponent / np.sum(ranks**exponent), rel_tol=1e-6):
            raise Wrong("The worst is copied most often: the exponent has a minus.")
        if exponent > 1 and math.isclose(got, rank**-exponent / zeta(exponent), rel_tol=1e-6):
            raise Almost("You have normalised over infinitely many ranks; the repository ends.")
        if math.isclose(got, (rank + 1) ** -exponent / np.sum((ranks + 1) ** -exponent), rel_tol=1e-6):
            raise Almost("Off by one: the best has rank 1, not 2.")
        if math.isclose(got, math.exp(-exponent * rank) / np.sum(np.exp(-exponent * ranks)), rel_tol=1e-6):
            raise Wrong("That is an exponential law; a power law has the rank in the base.")
        if math.isclose(got, 1 / size, rel_tol=1e-6):
            raise Wrong("That would be the same chance for all.")
        raise Wrong(f"For rank {rank} of {size} with exponent {exponent:g} you say {got:.4g}.")
    return "The best of 400 is the model of two samples in five."


# ---------------------------------------------------------------- an instance to read

WEIGHTS = {"square": 0.8, "sin": 3.0, "plus, first": 1.5, "plus, second": -0.5, "output": 2.0}


@lru_cache(maxsize=1)
def instance():
    """The instance of exercise 5.6: its architecture, edges and weights, by row."""
    from srlib.gmeql import Architecture

    from ..dashboards.sampler import LESSON_LAYERS

    architecture = Architecture(2, LESSON_LAYERS)
    taken = {  # connection: (node of the layer before, weight)
        "layer 1, identity 0, input 0": (2, 1.0), "layer 1, square 0, input 0": (1, WEIGHTS["square"]),
        "layer 1, sin 0, input 0": (0, WEIGHTS["sin"]), "layer 1, cos 0, input 0": (0, 0.7),
        "layer 2, plus 0, input 0": (1, WEIGHTS["plus, first"]),
        "layer 2, plus 0, input 1": (2, WEIGHTS["plus, second"]),
        "layer 2, times 0, input 0": (3, 1.0), "layer 2, times 0, input 1": (0, 1.0),
        "output": (0, WEIGHTS["output"]),
    }  # fmt: skip
    names = architecture.connection_names()
    edges = np.array([taken[name][0] for name in names])
    return architecture, edges, np.array([taken[name][1] for name in names])


@exercise(
    "5.6",
    "read an instance",
    hints=(
        "Go backwards from f: it takes the node +, times its weight.",
        "Each input of a node is its weight times the node it comes from; the function is applied after that.",
        "The square gets 0.8 x2, and squares all of it.",
    ),
)
def _(answer):
    from srlib import Expression

    if isinstance(answer, str):
        try:
            answer = Expression.parse(answer, names=("x1", "x2"))
        except ValueError as error:
            raise Wrong(f"srlib cannot read this formula: {str(error).splitlines()[0]}") from None
    if not isinstance(answer, Expression):
        raise Wrong(f"Give the formula as a text over x1 and x2, such as '2*x1 + sin(x2)'; {answer!r} is none.")
    X = np.random.default_rng(3).uniform(-1, 1, (60, 2))
    with np.errstate(all="ignore"):
        got = answer.evaluate(X)
    if not np.isfinite(got).all():
        raise Wrong("Your formula has no finite value for some x1 and x2 between -1 and 1; the network has.")
    x1, x2 = X.T

    def near(other):
        return np.max(np.abs(got - other)) < 1e-6

    square, sine = 1.5 * (0.8 * x2) ** 2, -0.5 * np.sin(3 * x1)
    if near(2 * (square + sine)):
        return "Five weights on the way, but at most three numbers in the formula: weights on one path multiply."
    if near(x2**2 + np.sin(x1)):
        raise Almost("That is its expression without weights, by which the repository tells instances apart.")
    if near(square + sine):
        raise Almost("The weight of the output is missing.")
    if near(2 * (1.5 * 0.8 * x2**2 + sine)):
        raise Almost("The square squares its weight, too.")
    if near(2 * (square + 0.5 * np.sin(3 * x1))):
        raise Almost("Look at the signs.")
    if near(2 * (square - 1.5 * np.sin(x1))):
        raise Wrong("The weight 3 stands before the sine's input, inside of it.")
    if near(2 * square * sine):
        raise Wrong("The output takes the node +, and you have multiplied.")
    if near(2 * (1.5 * (0.8 * x1) ** 2 - 0.5 * np.sin(3 * x2))):
        raise Wrong("You have swapped the columns: follow the lines back to the left side.")
    right = 2 * (square + sine)
    raise Wrong(f"At x1 = {x1[0]:.2f}, x2 = {x2[0]:.2f} the instance gives {right[0]:.3f}, and you {got[0]:.3f}.")
