"""Checks of lesson 03: smoothed L0.5 and its slope, the hard concrete gate, reading a network, and a break-even."""

import math
import numbers
import re
import warnings
from functools import lru_cache

import numpy as np

from ..checks import Almost, Wrong, exercise

WEIGHTS = np.array([-2.0, -0.6, -0.15, -0.03, -0.004, 0.0, 0.004, 0.03, 0.15, 0.6, 2.0])


def _values(answer, *arguments, shape, what):
    """What an answer returns, as an array of floats, or a hint about its kind."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        got = answer(*arguments)
    try:
        got = np.asarray(got, float)
    except (TypeError, ValueError):
        raise Wrong(f"Return {what}; your function returns {got!r}.") from None
    if got.shape != shape:
        raise Wrong(f"Return {what}, in the shape {shape} of the argument; your function returns {got.shape}.")
    return got


def _same(got, other, rtol=1e-6):
    return np.allclose(got, other, rtol=rtol, atol=1e-10, equal_nan=True)


# ---------------------------------------------------------------- smoothed L0.5


def _inner(w, a):
    return -(w**4) / (8 * a**3) + 3 * w**2 / (4 * a) + 3 * a / 8


def _smoothed(w, a):
    return np.where(np.abs(w) >= a, np.sqrt(np.abs(w)), np.sqrt(np.maximum(_inner(w, a), 0)))


@exercise(
    "3.1",
    "smoothed L0.5",
    hints=(
        "Try the printed formula by hand with w = -3 a. Which of its two lines does it take?",
        "A penalty must not know the sign of a weight. Which quantity belongs in the condition?",
        "np.where(np.abs(w) >= a, …, …) computes both lines everywhere and then chooses.",
    ),
)
def _(answer):
    for a in (0.05, 0.3):
        w = WEIGHTS
        got = _values(answer, w.copy(), a, shape=w.shape, what="the penalty of each weight")
        right = _smoothed(w, a)
        if _same(got, right):
            continue
        with np.errstate(all="ignore"):
            literal = np.where(w >= a, np.sqrt(np.abs(w)), np.sqrt(_inner(w, a)))
            unrooted = np.where(np.abs(w) >= a, np.sqrt(np.abs(w)), _inner(w, a))
            no_constant = np.where(np.abs(w) >= a, np.sqrt(np.abs(w)), np.sqrt(np.maximum(_inner(w, a) - 3 * a / 8, 0)))
            plain = np.sqrt(np.abs(w))
            swapped = np.where(np.abs(w) < a, np.sqrt(np.abs(w)), np.sqrt(_inner(w, a)))
        if _same(got, literal):
            raise Wrong(
                f"For a = {a} the weight -2 gets {got[0]}: that is the document's condition to the letter. Every "
                "negative weight lands in the second line, whose root may be of a negative number."
            )
        if _same(got, swapped):
            raise Wrong("You have swapped the two lines: the root of |w| is for large weights.")
        if np.isnan(got).any():
            where = w[np.isnan(got)][0]
            raise Wrong(f"For a = {a} the weight {where:g} gets NaN. Of what is the root taken there?")
        if _same(got, plain):
            raise Wrong("That is L0.5 without any smoothing: at 0 it has the infinite slope that we want to lose.")
        if _same(got, unrooted):
            raise Almost("The second line is missing its exponent 1/2: the two lines do not meet at a.")
        if _same(got, no_constant):
            raise Almost("Near 0 a term is missing, the one without w: the two lines do not meet at a.")
        worst = int(np.argmax(np.abs(got - right)))
        raise Wrong(f"For a = {a} the weight {w[worst]:g} gets {got[worst]:.4g}, and should get {right[worst]:.4g}.")
    return "With |w| it is the same for both signs, and at 0 it is the root of 3a/8, not 0."


def _slopes(w, a):
    inner = (3 * w / (2 * a) - w**3 / (2 * a**3)) / (2 * np.sqrt(np.maximum(_inner(w, a), 1e-300)))
    far = np.sign(w) / (2 * np.sqrt(np.maximum(np.abs(w), 1e-300)))
    return np.where(np.abs(w) >= a, far, inner)


@exercise(
    "3.2",
    "its slope",
    hints=(
        "Both lines are roots. What is the derivative of the root of g(w)?",
        "The derivative of g to the power 1/2 is g'/(2 g to the power 1/2), with g' = 3w/(2a) - w³/(2a³).",
        "The derivative of the root of |w| is sign(w)/(2 root of |w|).",
    ),
)
def _(answer):
    w = WEIGHTS
    for a in (0.05, 0.3):
        got = _values(answer, w.copy(), a, shape=w.shape, what="the slope at each weight")
        right = _slopes(w, a)
        if _same(got, right):
            continue
        near = np.abs(w) < a
        if _same(got, np.abs(right)):
            raise Wrong("Your slopes are never negative. On the left of 0 the penalty falls towards 0.")
        if _same(got, -right):
            raise Wrong("All signs are turned around: gradient descent would make weights grow.")
        if _same(got[~near], right[~near]):
            if _same(got[near], 2 * right[near]):
                raise Almost("Near 0 your slope is twice too large: the derivative of a root has a 2 below.")
            if _same(got[near], (3 * w / (2 * a) - w**3 / (2 * a**3))[near]):
                raise Wrong("Near 0 that is the derivative of what stands under the root. The chain rule goes on.")
            if not np.isfinite(got[near]).all():
                raise Wrong("Near 0 your slope is not finite. Which line of the definition holds there?")
            raise Wrong(f"For a = {a} the large weights are right; near 0 your slopes differ.")
        if _same(got[near], right[near]):
            raise Wrong("Near 0 your slopes are right; for large weights they are not those of the root of |w|.")
        worst = int(np.nanargmax(np.abs(np.nan_to_num(got, nan=1e9) - right)))
        raise Wrong(f"For a = {a} the slope at w = {w[worst]:g} is {right[worst]:.4g}, not {got[worst]:.4g}.")
    return "At w = a both lines give 1/(2 root of a): 2.24 for a = 0.05. A slope is nowhere much steeper than that."


# ---------------------------------------------------------------- the hard concrete gate


def _gate(log_alpha, u, beta, gamma, zeta, *, stretch=True, clip=True):
    s = 1 / (1 + np.exp(-(np.log(u) - np.log(1 - u) + log_alpha) / beta))
    s = s * (zeta - gamma) + gamma if stretch else s
    return np.clip(s, 0, 1) if clip else s


@exercise(
    "3.3",
    "a hard concrete gate",
    hints=(
        "Three steps: a sigmoid of chance and log alpha, a stretch, a clip.",
        "The temperature divides the whole of log u - log(1 - u) + log alpha, not a part of it.",
        "Stretch: multiply by zeta - gamma and add gamma, so that 0 becomes gamma and 1 becomes zeta.",
    ),
)
def _(answer):
    u = np.linspace(0.01, 0.99, 50)
    for case in ((-1.5, 0.4, -0.3, 1.2), (0.0, 2 / 3, -0.1, 1.1), (2.0, 1.5, -0.1, 1.4)):
        log_alpha, beta, gamma, zeta = case
        got = _values(answer, log_alpha, u.copy(), beta, gamma, zeta, shape=u.shape, what="a gate for each u")
        right = _gate(log_alpha, u, beta, gamma, zeta)
        if _same(got, right):
            continue
        if _same(got, _gate(log_alpha, u, beta, gamma, zeta, stretch=False)):
            raise Wrong("Without the stretch a gate is never exactly 0 or 1, and a weight never exactly gone.")
        if _same(got, _gate(log_alpha, u, beta, gamma, zeta, clip=False)):
            raise Almost(f"Your gates lie between {got.min():.2f} and {got.max():.2f}. What happens beyond 0 and 1?")
        logit = np.log(u) - np.log(1 - u)
        others = {
            "The temperature divides log alpha as well, not the chance alone.": logit / beta + log_alpha,
            "The temperature divides the chance as well, not log alpha alone.": logit + log_alpha / beta,
            "You multiply by the temperature: a hot gate would be the sharper one.": (logit + log_alpha) * beta,
            "The temperature makes no difference in your gate.": logit + log_alpha,
            "The sign of log alpha is turned around: a large one must open the gate.": (logit - log_alpha) / beta,
        }
        for sentence, inside in others.items():
            if _same(got, np.clip((zeta - gamma) / (1 + np.exp(-inside)) + gamma, 0, 1)):
                raise Wrong(sentence)
        if _same(got, np.clip(_gate(log_alpha, u, beta, gamma, zeta, stretch=False) * zeta + gamma, 0, 1)):
            raise Wrong("Your stretch does not end at zeta: a sigmoid of 1 becomes zeta + gamma.")
        worst = int(np.argmax(np.abs(got - right)))
        raise Wrong(
            f"For log alpha {log_alpha:g}, u {u[worst]:.2f}, beta {beta:.2g}, gamma {gamma:g} and zeta {zeta:g} your "
            f"gate is {got[worst]:.3g}; it should be {right[worst]:.3g}."
        )
    return "A gate that is really 0 for some u and has a slope for others: that is the whole trick of relaxed L0."


@exercise(
    "3.4",
    "how often a gate is closed",
    hints=(
        "The gate is closed when s (zeta - gamma) + gamma is at most 0. For which s is that?",
        "s is at most -gamma/(zeta - gamma). Go back through the sigmoid: for which u is that?",
        "The logit of -gamma/(zeta - gamma) is log(-gamma/zeta). And P(logit u < t) is sigmoid(t).",
    ),
)
def _(answer):
    for case in ((-1.5, 0.4, -0.3, 1.2), (0.0, 2 / 3, -0.1, 1.1), (2.0, 1.5, -0.1, 1.4)):
        log_alpha, beta, gamma, zeta = case
        got = answer(*case)
        if isinstance(got, bool) or not isinstance(got, numbers.Real):
            raise Wrong(f"Return one probability, a number; your function returns {got!r}.")
        got = float(got)

        def closed(x):
            return 1 / (1 + math.exp(x))

        right = closed(log_alpha - beta * math.log(-gamma / zeta))
        if math.isclose(got, right, rel_tol=1e-6):
            continue
        others = {
            "That is the probability that the gate is not closed: what the penalty counts.": 1 - right,
            "Your answer does not know of the stretch: without it no gate would ever be closed.": closed(log_alpha),
            "The temperature is missing: it has divided, so on the way back it multiplies.": closed(
                log_alpha - math.log(-gamma / zeta)
            ),
            "On the way back the temperature multiplies the logarithm; you divide by it.": closed(
                log_alpha - math.log(-gamma / zeta) / beta
            ),
            "A sign is turned around before the logarithm.": closed(log_alpha + beta * math.log(-gamma / zeta)),
            "That is the probability that the gate is fully open.": 1
            - closed(log_alpha - beta * math.log((1 - gamma) / (zeta - 1))),
        }
        for sentence, other in others.items():
            if math.isclose(got, other, rel_tol=1e-6):
                raise Wrong(sentence)
        u = (np.arange(4000) + 0.5) / 4000
        seen = float(np.mean(_gate(log_alpha, u, beta, gamma, zeta) == 0))
        if abs(got - seen) < 0.002:
            raise Almost("Close: that is a count. A penalty needs a slope by log alpha; find the formula.")
        raise Wrong(
            f"For log alpha {log_alpha:g}, beta {beta:.2g}, gamma {gamma:g} and zeta {zeta:g} you say {got:.3g}; of "
            f"4000 gates {seen:.2f} are closed."
        )
    return "One minus it, summed over all gates, is the penalty: the expected number of weights, with a slope."


# ---------------------------------------------------------------- a network to read

UNITS = {"constant": 1, "identity": 1, "sin": 1, "product": 1}
LEFT = {  # (layer, from, to argument): weight
    (0, "x", "sin"): 0.25, (0, "x", "product a"): 0.5, (0, "y", "product b"): -0.4,
    (1, "constant", "out"): 0.5, (1, "sin", "out"): 2.0, (1, "product", "out"): 0.6,
}  # fmt: skip


@lru_cache(maxsize=1)
def pruned():
    """The network of exercise 3.5: its architecture, and its weights of which six are left."""
    from srlib.eql import Architecture, read_units

    architecture = Architecture(2, read_units(UNITS), layers=1)
    into = {"identity": 0, "sin": 1, "product a": 2, "product b": 3}
    rows = {"x": 0, "y": 1, "constant": 0, "identity": 1, "sin": 2, "product": 3}
    (n, m), _ = architecture.shapes
    weights = np.zeros(architecture.size)
    for (layer, source, end), value in LEFT.items():
        weights[rows[source] * m + into[end] if layer == 0 else n * m + rows[source]] = value
    return architecture, weights


@exercise(
    "3.5",
    "read the formula",
    hints=(
        "Go backwards from f: it is a sum of three units, each times its weight.",
        "What the units compute is in srlib.eql.UNITS, and they have scalings: UNITS['sin'].text.",
        "The sine gets 0.25 x, and multiplies it by 4 pi. The product unit multiplies by 10.",
    ),
)
def _(answer):
    from srlib import Expression

    if isinstance(answer, str):
        try:
            answer = Expression.parse(answer, names=("x", "y"))
        except ValueError as error:
            raise Wrong(f"srlib cannot read this formula: {str(error).splitlines()[0]}") from None
    if not isinstance(answer, Expression):
        raise Wrong(f"Give the formula as a text over x and y, such as '2*x + sin(y)'; {answer!r} is none.")
    X = np.random.default_rng(3).uniform(-1, 1, (60, 2))
    got = answer.evaluate(X)
    x, y = X.T
    if not np.isfinite(got).all():
        raise Wrong("Your formula has no finite value for some x and y between -1 and 1; the network has everywhere.")

    def near(other):
        return np.max(np.abs(got - other)) < 0.02

    sine, product = 2 * np.sin(math.pi * x), -1.2 * x * y
    if near(0.5 + sine + product):
        return "Six weights, one formula; to_expression() does the same walk."
    plain = 2 * np.sin(0.25 * x)
    if near(0.5 + plain - 0.12 * x * y):
        raise Wrong("You have read the units without their scalings: look at srlib.eql.UNITS for sin and product.")
    if near(0.5 + plain + product):
        raise Wrong("The sine has a scaling inside: see UNITS['sin'].text.")
    if near(0.5 + sine - 0.12 * x * y):
        raise Wrong("The product has a scaling: see UNITS['product'].text.")
    if near(sine + product):
        raise Almost("The constant unit is alive as well: it gives 1, times its weight.")
    if near(0.5 + sine - product):
        raise Almost("Look at the signs of the two weights that go into the product.")
    if near(0.5 + sine / 2 + product):
        raise Almost("One weight on the way to f is missing: the sine's.")
    if near(0.5 + sine - 2 * x * y):
        raise Almost("One weight on the way to f is missing: the product's.")
    if near(0.5 + sine + 0.6 * (0.5 * x - 0.4 * y)):
        raise Wrong("A product unit multiplies its two sums; you have added them.")
    right = (0.5 + sine + product)[0]
    raise Wrong(f"At x = {x[0]:.2f}, y = {y[0]:.2f} the network gives {right:.3f}, and you {got[0]:.3f}.")


# ---------------------------------------------------------------- break-even


@exercise(
    "3.6",
    "when the law is too expensive",
    hints=(
        "Two prices: what three open gates cost, and what the mean squared error rises by if the term is dropped.",
        "The mean of (x y / 2) squared is the mean of x² times the mean of y², over 4.",
        "The mean of x² for x uniform in (-1, 1) is 1/3.",
    ),
)
def _(answer):
    if isinstance(answer, str):
        if not re.fullmatch(r"[\d./e* -]+", answer):
            raise Wrong(f"Give a number; {answer!r} is none.")
        raise Wrong(f"Give a number, without quotation marks: {answer!r} is a text.")
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
        raise Wrong(f"Give a number; {answer!r} is none.")
    right, got = 1 / 108, float(answer)
    if abs(got / right - 1) < 0.015:
        return (
            "0.0093: the paper's λ = 0.01 for L0 is above it. On this function the true formula is not the cheapest "
            "one, however long you train."
        )
    others = {
        "That is the price of one gate. The term needs three more.": 1 / 36,
        "That is what the three gates cost together if λ were the error: turn the quotient around.": 108.0,
        "That is with the root of the mean square. The loss is a mean square error, without root.": 1 / 18,
        "That is the mean square of x y. The term has a factor 1/2, which is squared, too.": 1 / 27,
        "The factor 1/2 must be squared with the rest of the term.": 1 / 54,
        "The mean of |x y|/2 is not what the loss measures: take squares.": 1 / 24,
    }
    for sentence, other in others.items():
        if abs(got / other - 1) < 0.015:
            raise Wrong(sentence)
    if got <= 0:
        raise Wrong("A strength is above 0.")
    which = "cheaper" if got > right else "dearer"
    raise Wrong(
        f"At λ = {got:.3g} dropping the term is {which} than three gates. At the break-even both cost the same."
    )
