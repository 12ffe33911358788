"""Checks of lesson 04: an inner step, the meta-gradient of a line, what zero scores, a leaky choice, an oscillator."""

import math
import numbers

import numpy as np

from ..checks import Almost, Wrong, exercise


def _close(got, other, rtol=1e-6):
    return np.allclose(got, other, rtol=rtol, atol=1e-12)


def _number(value, what):
    value = getattr(value, "item", lambda: value)() if np.ndim(value) == 0 else value
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise Wrong(f"Return {what}, a number; your function returns {value!r}.")
    return float(value)


# ---------------------------------------------------------------- one step for each task


def _tasks(seed, tasks=4, points=6):
    rng = np.random.default_rng(seed)
    x, xq = rng.uniform(-1.5, 1.5, (2, tasks, points))
    slopes = rng.uniform(-2, 2, (tasks, 1))
    noise, noise_q = 0.5 * rng.standard_normal((2, tasks, points))  # or several wrong answers would be right
    return x, slopes * x + noise, xq, slopes * xq + noise_q


def _adapted(w, x, y, rate):
    return w - rate * 2 * np.mean((w * x - y) * x, axis=1)


@exercise(
    "4.1",
    "adapted parameters",
    hints=(
        "Line 6 of the algorithm, with one parameter: w minus rate times the slope of the support error by w.",
        "The mean of (w x - y)² over the points has the slope 2 times the mean of (w x - y) x.",
        "Each row of x is a task of its own: take the mean along axis 1, and no other.",
    ),
)
def _(answer):
    for seed, w, rate in ((0, 0.7, 0.1), (1, -1.2, 0.4)):
        x, y, *_ = _tasks(seed)
        got = answer(w, x.copy(), y.copy(), rate)
        try:
            got = np.asarray(got, float)
        except (TypeError, ValueError):
            raise Wrong(f"Return one adapted w for each task, an array; your function returns {got!r}.") from None
        right = _adapted(w, x, y, rate)
        step = right - w
        if got.shape == () and _close(got, right.mean()):
            raise Wrong("You have averaged over the tasks: that is one w for all of them. Each task gets its own.")
        if got.shape != right.shape:
            raise Wrong(
                f"Return one adapted w for each of the {len(x)} tasks, in the shape {right.shape}; yours has the shape "
                f"{got.shape}."
            )
        if _close(got, right):
            continue
        if _close(got, w - step):
            raise Wrong("The error of every task grows: you have gone uphill.")
        if _close(got, w + step / 2):
            raise Almost("Your steps are half of what they should be: the derivative of a square has a 2.")
        if _close(got, w + step * x.shape[1]):
            raise Almost("Your steps grow with the number of points: the error is a mean over them, not a sum.")
        if _close(got, step):
            raise Wrong("That is how far each task moves. From where?")
        if _close(got, w + step / rate):
            raise Wrong("Your step does not know of the rate.")
        worst = int(np.argmax(np.abs(got - right)))
        raise Wrong(f"From w = {w} task {worst} should come to {right[worst]:.4g}; yours comes to {got[worst]:.4g}.")
    return "Lines 4 to 7 of the algorithm in one line of numpy: the loop over tasks is an axis of an array."


# ---------------------------------------------------------------- the meta-gradient of a line


@exercise(
    "4.2",
    "the meta-gradient of a line",
    hints=(
        "The query error depends on w only through the adapted w'. So the chain rule has two factors.",
        "The first factor: the slope of the query error by w', taken at w'.",
        "The second: dw'/dw = 1 - rate h, where h = 2 mean(x²) is the curvature of the task's support error.",
    ),
)
def _(answer):
    for seed, w, rate in ((2, 0.4, 0.1), (3, -0.9, 0.45)):
        x, y, xq, yq = _tasks(seed)
        got = _number(answer(w, x.copy(), y.copy(), xq.copy(), yq.copy(), rate), "the derivative by w")
        new = _adapted(w, x, y, rate)[:, None]
        h = 2 * np.mean(x * x, axis=1)
        outer = 2 * np.mean((new * xq - yq) * xq, axis=1)
        terms = outer * (1 - rate * h)
        right = terms.mean()
        if _close(got, right):
            continue
        if _close(got, outer.mean()):
            raise Wrong(
                "That is the gradient at the adapted w', as if w' did not depend on w: first-order MAML, a method of "
                "its own. One factor of the chain rule is missing."
            )
        if _close(got, np.mean(2 * np.mean((w * xq - yq) * xq, axis=1))):
            raise Wrong("That is the gradient before any adaptation: joint training follows it.")
        if _close(got, np.mean(2 * np.mean((w * xq - yq) * xq, axis=1) * (1 - rate * h))):
            raise Wrong("The slope of the query error must be taken where the task has arrived, at w', not at w.")
        if _close(got, terms.sum()):
            raise Almost("You have summed over the tasks. (So does the algorithm as printed; here take the mean.)")
        if _close(got, np.mean(outer * (1 - rate * h / 2))):
            raise Almost("The curvature of the support error is twice the mean of x².")
        if _close(got, np.mean(outer * (1 + rate * h))):
            raise Almost("Look at the sign in dw'/dw: a step downhill brings different starts closer together.")
        if _close(got, np.mean(outer * (1 - rate * 2 * np.mean(xq * xq, axis=1)))):
            raise Wrong("The curvature in dw'/dw belongs to the support points: the step was taken on these.")
        if _close(got, outer.mean() * (1 - rate * h.mean())):
            raise Wrong("Each task has its own factor 1 - rate h: multiply first, then take the mean.")
        if _close(got, terms.mean() / 2):
            raise Almost("Yours is half of it: the derivative of the query error has a 2 as well.")
        raise Wrong(f"At w = {w} with rate {rate} the derivative is {right:.4g}; you say {got:.4g}.")
    return "The factor 1 - rate h is the whole difference between second and first order. At rate = 1/h it is 0."


# ---------------------------------------------------------------- what predicting zero scores

GROWTH = math.sinh(2) / 2  # the mean of exp(2 x), and of exp(-2 x), over x from -1 to 1
INSIDE = (1 / 2 + 2 / 3 * GROWTH) / 2
OUTSIDE = (1 / 2 + 14 / 3 * GROWTH + 9 / 2) / 2


@exercise(
    "4.3",
    "what predicting zero scores",
    hints=(
        "The error of predicting 0 is the mean of f². Half of the tasks are waves, half exponentials.",
        "Waves: the mean of sin² over all phases. Exponentials: multiply (a e^x + b e^-x)² out.",
        "E[a²] is 1/3 inside and 7/3 outside; 2 E[a] E[b] is 0 and 9/2; the mean of e^(2x) is sinh(2)/2.",
    ),
)
def _(answer):
    try:
        inside, outside = (float(one) for one in answer)
    except (TypeError, ValueError):
        raise Wrong(f"Give two numbers, (inside, outside); {answer!r} are none.") from None

    def near(got, other):
        return abs(got / other - 1) < 0.01

    if near(inside, OUTSIDE) and near(outside, INSIDE):
        raise Almost("You have swapped the two: inside first.")
    if near(inside, INSIDE) and near(outside, OUTSIDE):
        return "0.853 and 6.73. The slides report 0.68 and 0.72 inside, 8.76 and 6.75 outside. Judge for yourself."
    for sentence, other in {
        "You have added waves and exponentials. Each comes with probability 1/2.": 2 * INSIDE,
        "That is the score for the waves alone; the other half are exponentials.": 0.5,
        "That is the score for the exponentials alone; the other half are waves.": 2 / 3 * GROWTH,
    }.items():
        if near(inside, other):
            raise Wrong(f"Inside: {sentence}")
    if not near(inside, INSIDE):
        raise Wrong(f"Inside you say {inside:.4g}. Draw a few thousand tasks and take the mean of f²: what do you get?")
    if near(outside, (1 / 2 + (1 / 6 + 9) * GROWTH) / 2):
        raise Wrong(
            "Inside is right. Outside that is the formula as the slide prints it, with e^x twice. The second one is "
            "e^-x; inside it makes no difference."
        )
    if near(outside, (1 / 2 + 14 / 3 * GROWTH) / 2):
        raise Almost("Inside is right. Outside the mixed term 2 a b does not vanish: a and b are positive there.")
    raise Wrong(f"Inside is right. Outside a and b lie between 1 and 2: you say {outside:.4g}.")


# ---------------------------------------------------------------- a leaky choice


def _halves(errors):
    half = errors.shape[1] // 2
    return errors[:, :half].mean(axis=1), errors[:, half:].mean(axis=1)


@exercise(
    "4.4",
    "what a leaky choice gains",
    hints=(
        "Two numbers, both means over the second half of the tasks, of two candidates that may differ.",
        "Honest: the candidate with the lowest mean on the first half. Leaky: the one with the lowest on the second.",
        "np.argmin(means) is the number of the best candidate.",
    ),
)
def _(answer):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        errors = rng.exponential(1.0, (12, 20)) + rng.normal(0, 0.1, (12, 1))
        got = _number(answer(errors.copy()), "the gain")
        first, second = _halves(errors)
        honest, leaky = second[np.argmin(first)], second.min()
        right = honest - leaky
        if _close(got, right):
            continue
        if _close(got, leaky - honest):
            raise Almost("The sign: a gain is positive. How much lower is the leaky error?")
        if _close(got, leaky) or _close(got, honest):
            raise Wrong("That is one of the two errors. By how much do they differ?")
        if _close(got, first.min() - leaky):
            raise Wrong("Your honest number comes from the tasks that the candidate was chosen by.")
        if _close(got, honest - second[np.argmin(errors.mean(axis=1))]):
            raise Wrong("Your leaky choice looks at all tasks. Here let it look at the second half alone.")
        if _close(got, second.mean() - leaky):
            raise Wrong("Your honest number is that of an average candidate; choose the best of the first half.")
        if _close(got, second[np.argmax(first)] - second.min()):
            raise Wrong("You choose the candidate with the highest error.")
        raise Wrong(
            f"With 12 candidates and 20 tasks your function says {got:.4g}; the honest error is {honest:.4g}, the "
            f"leaky one {leaky:.4g}."
        )
    return "It is never negative, and it grows with the number of candidates: also when none is better than another."


# ---------------------------------------------------------------- an oscillator


@exercise(
    "4.5",
    "an oscillator's kind",
    hints=(
        "Divide m x'' + c x' + k x = 0 by m, and compare it with x'' + 2 zeta omega x' + omega² x = 0.",
        "omega is the root of k/m. Then 2 zeta omega = c/m.",
        "Try x = e^(rt): r² + 2 zeta omega r + omega² = 0. When are both r real?",
    ),
)
def _(answer):
    cases = ((1.0, 0.6, 9.0), (2.0, 8.0, 8.0), (0.5, 6.0, 2.0), (3.0, 0.0, 12.0))
    for m, c, k in cases:
        got = answer(m, c, k)
        try:
            zeta, omega, kind = got
            zeta, omega = float(zeta), float(omega)
        except (TypeError, ValueError):
            raise Wrong(f"Return zeta, omega and the kind, e.g. (0.1, 2.0, 'under'); yours is {got!r}.") from None
        w = math.sqrt(k / m)
        right = c / (2 * math.sqrt(m * k))
        where = f"For m = {m:g}, c = {c:g}, k = {k:g}"
        if not _close(omega, w):
            if _close(omega, k / m):
                raise Wrong(f"{where} your omega is k/m; that is its square.")
            raise Wrong(f"{where} omega is {w:.4g}, and yours {omega:.4g}.")
        if not _close(zeta, right):
            if _close(zeta, 2 * right):
                raise Almost(f"{where} your zeta is twice too large: the equation has 2 zeta omega.")
            if _close(zeta, right * w):
                raise Wrong(f"{where} that is zeta times omega; zeta has no unit.")
            raise Wrong(f"{where} zeta is {right:.4g}, and yours {zeta:.4g}.")
        expected = "under" if right < 1 else "critical" if right == 1 else "over"
        if kind != expected:
            if kind not in ("under", "critical", "over"):
                raise Wrong(f"The kind is 'under', 'critical' or 'over'; yours is {kind!r}.")
            if {kind, expected} == {"under", "over"}:
                raise Wrong(f"{where} zeta is {right:.3g}: does it swing, or creep back? You say {kind!r}.")
            raise Almost(f"{where} zeta is {right:.3g}, and you say {kind!r}. What happens at exactly 1?")
    return "Three kinds, three formulas, one equation of motion: that is why a network with one start is asked a lot."
