"""Checks of lesson 08: momentum as a sum, Adam's update, a derivative through an unroll, the mean lag, the knee."""

import numbers

import numpy as np

from ..checks import Almost, Wrong, exercise
from .lesson03 import _same, _values

# ---------------------------------------------------------------- momentum as a sum


@exercise(
    "8.1",
    "momentum as a sum",
    hints=(
        "Write b_t = decay*b_(t-1) + g_t, and put the same for b_(t-1) into it. What stands before each g?",
        "g_t counts 1, g_(t-1) counts decay, g_(t-2) counts decay*decay.",
    ),
)
def _(answer):
    for decay, count in ((0.9, 6), (0.5, 4)):
        got = _values(answer, decay, count, shape=(count,), what=f"{count} weights for count = {count}")
        k = np.arange(count)
        right = decay**k
        if _same(got, right):
            continue
        others = {
            "That is their order from the oldest to the newest; the newest gradient g_t comes first.": right[::-1],
            "The newest gradient enters b with weight 1: the exponents begin at 0.": decay ** (k + 1),
            "Each step multiplies once more by decay; your weights do not fall off like that.": decay * np.ones(count),
            "All gradients count the same in your sum. What happens to b in each step?": np.ones(count),
            "You have turned decay and 1 - decay around.": (1 - decay) ** k,
        }
        for sentence, other in others.items():
            if _same(got, other):
                raise Wrong(sentence)
        if _same(got, (1 - decay) * right):
            raise Almost("Those weights add up to 1: it is the average m. Torch's momentum has no factor 1 - decay.")
        if _same(got, -right):
            raise Almost("The weights of b itself are positive; the minus comes when the parameters are moved.")
        raise Wrong(f"With decay = {decay} the first weights are {right[:2]}, and yours {np.round(got[:2], 3)}.")
    return "They add up to 1/(1 - decay) in the long run: with decay 0.9 the steps are ten times those of -g."


# ---------------------------------------------------------------- Adam


def _moments(g, beta1, beta2):
    m = v = 0.0
    for one in g:
        m, v = beta1 * m + (1 - beta1) * one, beta2 * v + (1 - beta2) * one * one
    return m, v


@exercise(
    "8.2",
    "Adam's update",
    hints=(
        "Two exponential averages from 0: m of the gradients, v of their squares. Run through the gradients in order.",
        "After t steps from 0, an average with decay beta is too small by the factor 1 - beta**t.",
        "The update is -(m/(1 - beta1**t)) / sqrt(v/(1 - beta2**t)).",
    ),
)
def _(answer):
    beta1, beta2 = 0.9, 0.99
    for g in (np.array([2.0]), np.array([0.5, -1.0, 3.0, 2.0, -0.3])):
        got = answer(g.copy(), beta1, beta2)
        if isinstance(got, bool) or not isinstance(got, numbers.Real):
            raise Wrong(f"Return the last update, one number; your function returns {got!r}.")
        m, v = _moments(g, beta1, beta2)
        first, second, t = 1 - beta1 ** len(g), 1 - beta2 ** len(g), len(g)
        right = -(m / first) / np.sqrt(v / second)
        if _same(got, right):
            continue
        others = {
            "Without bias correction the first averages are too small, and not by the same factor.": -m / np.sqrt(v),
            "You divide by v, not by its root: the units of the gradient must cancel.": -(m / first) / (v / second),
            "You use the last gradient where Adam uses the average of them: that is RMSprop with bias correction.": -g[
                -1
            ]
            / np.sqrt(v / second),
            "Only m is corrected.": -(m / first) / np.sqrt(v),
            "Only v is corrected.": -m / np.sqrt(v / second),
            "The correction has the power t - 1: t counts the gradients that have been seen.": -(
                m / max(1 - beta1 ** (t - 1), 1e-300) / np.sqrt(v / max(1 - beta2 ** (t - 1), 1e-300))
            ),
        }
        if _same(got, -right):
            raise Almost("Right but for the sign: the update goes downhill.")
        for sentence, other in others.items():
            if _same(got, other):
                raise Wrong(sentence)
        raise Wrong(f"For the gradients {g.tolist()} the update is {right:.4f}, and yours {float(got):.4f}.")
    return "At the first step it is minus the sign of the gradient, however small that is."


# ---------------------------------------------------------------- through the unroll


def _through(a, h, theta, T):
    """The derivative of h/2 * theta_T**2 by a, theta_T = theta * (1 - a*h)**T."""
    return -T * h**2 * theta**2 * (1 - a * h) ** (2 * T - 1)


@exercise(
    "8.3",
    "through the unroll",
    hints=(
        "Each step multiplies the parameter by the same number. Which one, and what is theta after T steps?",
        "theta_T = theta_0 (1 - a h)**T. Put that into the loss h/2 theta_T**2 and derive it by a.",
        "The chain rule gives a factor 2T from the power, and a factor -h from inside.",
    ),
)
def _(answer):
    for a, h, theta, T in ((0.1, 2.0, 1.5, 1), (0.1, 2.0, 1.5, 5), (0.7, 2.0, -1.0, 4)):
        got = answer(a, h, theta, T)
        if isinstance(got, bool) or not isinstance(got, numbers.Real):
            raise Wrong(f"Return one number; your function returns {got!r}.")
        right = _through(a, h, theta, T)
        if _same(got, right):
            continue
        factor = 1 - a * h
        others = {
            "That is the loss after T steps, not its derivative.": h / 2 * theta**2 * factor ** (2 * T),
            "Right for one step only. The rate acts in each of the T steps.": _through(a, h, theta, 1),
            "The factor T is missing: the rate acts in each of the T steps.": right / T,
            "The inner derivative is missing: what is 1 - a h derived by a?": right / -h,
            "You have derived by theta, not by the rate.": h * theta * factor ** (2 * T),
        }
        if _same(got, -right):
            raise Almost("Right but for the sign. With small rates a larger one lowers the loss.")
        if _same(got, 2 * right):
            raise Almost("Too large by a factor 2. Look at the 1/2 of the loss.")
        for sentence, other in others.items():
            if _same(got, other):
                raise Wrong(sentence)
        raise Wrong(f"With a = {a}, h = {h:g}, θ = {theta:g}, T = {T} it is {right:.4f}, and yours {float(got):.4f}.")
    return "It is 0 at a = 1/h, the rate that solves the problem in one step, and explodes with T where |1 - a h| > 1."


# ---------------------------------------------------------------- how far back


@exercise(
    "8.4",
    "how far back a rule looks",
    hints=(
        "It is a weighted mean of the lags 0, 1, 2, …. What are the weights?",
        "Sensitivities may be negative, but a weight must not be.",
    ),
)
def _(answer):
    for s in (0.9 ** np.arange(60), np.array([-1.0, 0.5, -0.25, 0.0, 2.0])):
        got = answer(s.copy())
        if isinstance(got, bool) or not isinstance(got, numbers.Real):
            raise Wrong(f"Return one number of steps; your function returns {got!r}.")
        lag, size = np.arange(len(s)), np.abs(s)
        right = (lag * size).sum() / size.sum()
        if _same(got, right):
            continue
        others = {
            "The newest gradient has lag 0; yours has lag 1.": ((lag + 1) * size).sum() / size.sum(),
            "The weights do not add up to 1: divide by their sum.": (lag * size).sum(),
            "Divide by the sum of the sensitivities, not by their number.": (lag * size).mean(),
            "You have squared the sensitivities; the definition takes their sizes.": (lag * s**2).sum() / (s**2).sum(),
            "That is the lag of the largest sensitivity, not the mean lag.": float(size.argmax()),
            "Positive and negative sensitivities cancel in your sum: take their sizes.": (lag * s).sum() / s.sum(),
        }
        for sentence, other in others.items():
            if _same(got, other):
                raise Wrong(sentence)
        raise Wrong(f"For the sensitivities {np.round(s[:5], 2).tolist()}… it is {right:.3f}, and yours {got:.3f}.")
    return "Momentum with decay 0.9 looks 9 steps back in the mean: 0.9/(1 - 0.9)."


# ---------------------------------------------------------------- the knee


@exercise(
    "8.5",
    "the knee",
    hints=(
        "Which R2 counts as good enough, given the best one?",
        "Of all formulas that are good enough, which is the shortest? The front need not be sorted by R2.",
    ),
)
def _(answer):
    cases = (
        ([1, 3, 5, 7, 11, 19], [0.31, 0.62, 0.755, 0.761, 0.7635, 0.7640]),
        ([2, 4, 9, 12], [0.5, 0.9, 0.93, 0.893]),  # held out: longer is not always better
        ([1, 2, 3], [0.98, 0.981, 0.999]),
    )
    for complexity, r2 in cases:
        c, r = np.array(complexity), np.array(r2)
        got = answer(c.copy(), r.copy())
        if isinstance(got, bool) or not isinstance(got, numbers.Real):
            raise Wrong(f"Return one complexity; your function returns {got!r}.")
        right = c[r >= r.max() - 0.01].min()
        if got == right:
            continue
        if got == c[r.argmax()]:
            raise Wrong("That is the most faithful formula. A shorter one is within 0.01 of it.")
        if got == c[-1]:
            raise Wrong("That is the longest formula, and not even the most faithful one on held-out optimizees.")
        if got == c[r >= r[-1] - 0.01].min():
            raise Wrong("You compare with the longest formula; compare with the largest R2.")
        if got == c[int(np.argmax(np.diff(r))) + 1]:
            raise Wrong("You look for the largest jump. The definition asks who is within 0.01 of the best R2.")
        if got == c[0]:
            raise Wrong(f"The shortest formula has R2 {r[0]}, and the best {r.max()}: more than 0.01 apart.")
        raise Wrong(f"For complexities {complexity} with R2 {r2} it is {right}, and yours {got}.")
    return "srlib calls it mapping_complexity."
