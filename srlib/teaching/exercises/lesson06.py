"""Checks of lesson 06: noise on a teacher's answers, a shock's steepness, Taylor's polynomial, residuals."""

import numbers
import warnings

import numpy as np
import sympy

from ..checks import Almost, Wrong, exercise
from .lesson03 import _same

# ---------------------------------------------------------------- noise on what the teacher says


@exercise(
    "6.1",
    "noise on the answers",
    hints=(
        "The noise's size is a share of the standard deviation of all answers together, y.std().",
        "rng.standard_normal(len(y)) gives one number for each answer, of standard deviation 1.",
    ),
)
def _(answer):
    y = 3 * np.sin(np.linspace(-np.pi, np.pi, 4001)) + 5.0  # far from 0, so that a size is no spread
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        got, again, none = (
            _array(answer(y.copy(), share, np.random.default_rng(seed)), y.shape)
            for share, seed in ((0.1, 0), (0.1, 1), (0.0, 0))
        )
    noise, wanted = got - y, 0.1 * y.std()
    size = noise.std()
    if not np.allclose(none, y):
        if np.allclose(none, 0):
            raise Wrong("With share = 0 your answers are all 0. Add the noise to y: y + …")
        raise Wrong("With share = 0 there is no noise, so y must come back as it is.")
    if np.allclose(noise, 0):
        raise Wrong("With share = 0.1 nothing has changed.")
    if np.ptp(noise) < 1e-9:
        raise Wrong("All answers are moved by the same number. Each needs a random number of its own.")
    if np.array_equal(got, again):
        raise Wrong("Two generators give the same noise: draw from the `rng` that you are given.")
    if np.abs(noise).max() < 2.5 * size:
        raise Wrong("That is uniform noise, which ends suddenly. Gaussian noise comes from rng.normal.")
    halves = noise[y > y.mean()].std(), noise[y <= y.mean()].std()
    if not 0.8 < halves[0] / halves[1] < 1.25:
        raise Almost("Your noise is larger where y is large. Here it has one size for all answers: a share of y.std().")
    if abs(noise.mean()) > 0.1 * size:
        raise Almost(f"Your noise has the mean {noise.mean():.2g}; it should push as often up as down.")
    if 0.9 < size / wanted < 1.1:
        return "This is what distill(…, noise=share) does to what the student is told."
    if 0.9 < size / 0.1 < 1.1:
        raise Almost("Its standard deviation is the share itself, whatever the size of y. Multiply by y.std().")
    if 0.9 < size / (0.1 * np.abs(y).mean()) < 1.1 or 0.9 < size / (0.1 * np.ptp(y)) < 1.1:
        raise Almost("A share of the size or of the range of y; we want a share of its standard deviation.")
    if 0.9 < size / (0.1 * y.var()) < 1.1 or 0.9 < size / (np.sqrt(0.1) * y.std()) < 1.1:
        raise Almost("You have mixed up variance and standard deviation.")
    raise Wrong(f"With share = 0.1 the noise should have the standard deviation {wanted:.3f}; yours has {size:.3f}.")


def _array(got, shape):
    try:
        got = np.asarray(got, float)
    except (TypeError, ValueError):
        raise Wrong(f"Return an array of numbers; your function returns {got!r:.60}.") from None
    if got.shape != shape:
        raise Wrong(f"Return one number for each answer, in the shape {shape}; yours has {got.shape}.")
    return got


# ---------------------------------------------------------------- the steepness of a shock


@exercise(
    "6.2",
    "the steepness of the shock",
    hints=(
        "With T = tanh(k x): u = -A T, u' = -A k (1 - T²). What is u''?",
        "u'' = 2 A k² T (1 - T²). Both sides of the equation now hold T (1 - T²): compare what is before it.",
    ),
)
def _(answer):
    cases = [(0.8, 0.01 / np.pi), (1.0, 0.05), (0.3, 0.2)]
    got = [answer(A, nu) for A, nu in cases]
    if not all(isinstance(k, numbers.Real) for k in got):
        raise Wrong(f"Return one number, k; your function returns {got[0]!r:.60}.")
    got, A, nu = np.array(got, float), *np.array(cases).T
    if _same(got, A / (2 * nu)):
        return "So a higher shock is a thinner one: its width, 1/k = 2ν/A, is not a free number. We shall measure it."
    others = {
        "That is the width 1/k. We want k.": 2 * nu / A,
        "The size is right, the sign is not: the wave from both sides runs towards 0, so u falls.": -A / (2 * nu),
        "A factor of 2 is missing: the second derivative of tanh has one.": A / nu,
        "There is a 2 too many: u u' gives A² k, and ν u'' gives 2 ν A k².": A / (4 * nu),
        "You forgot the A in front of the tanh when you put it into u u'.": 1 / (2 * nu),
    }
    for sentence, other in others.items():
        if _same(got, other):
            raise (Almost if "sign" in sentence or "factor" in sentence else Wrong)(sentence)
    x, k = np.linspace(-1, 1, 201) / np.abs(got[1]), got[1]
    T = np.tanh(k * x)
    left, right = A[1] ** 2 * k * T * (1 - T**2), 2 * nu[1] * A[1] * k**2 * T * (1 - T**2)
    raise Wrong(f"For A = {A[1]:g}, ν = {nu[1]:g} your k is {k:.4g}; then u u' reaches {np.abs(left).max():.3g} and "
                f"ν u'' {np.abs(right).max():.3g}. They must be equal.")  # fmt: skip


# ---------------------------------------------------------------- Taylor


@exercise(
    "6.3",
    "Taylor's polynomial",
    hints=(
        "sin x = x - x³/3! + x⁵/5! - …",
        "Multiply by 3, and do not forget the other term of the law; it has the power 1.",
    ),
)
def _(answer):
    try:
        got = np.asarray(list(answer), float)
    except (TypeError, ValueError):
        raise Wrong(f"Give three numbers, such as (1, 2, 3), for x, x³ and x⁵; yours is {answer!r:.60}.") from None
    if got.shape != (3,):
        raise Wrong(f"Give three numbers, for x, x³ and x⁵; yours are {got.size}.")
    x = sympy.Symbol("x")
    series = sympy.series(3 * sympy.sin(x) - x / 2, x, 0, 6).removeO()
    right = np.array([float(series.coeff(x, k)) for k in (1, 3, 5)])
    if _same(got, right, 1e-3):
        return "At 0 nothing of degree 5 is nearer. The student is asked for nearness on all of [-π, π]."
    others = {
        "That is the sine alone. The law has a second term, -0.5 x, in the first number.": right + [0.5, 0, 0],
        "Signs of the sine's series alternate.": np.abs(right),
        "The 3 in front of the sine multiplies all of its terms.": (right + [0.5, 0, 0]) / 3 - [0.5, 0, 0],
        "You divide by 3 and 5; the series has 3! = 6 and 5! = 120.": np.array([2.5, -1, 0.6]),
        "Those are derivatives at 0. Each has still to be divided by its factorial.": right * [1, 6, 120],
    }
    for sentence, other in others.items():
        if _same(got, other, 1e-3):
            raise (Almost if "alone" in sentence else Wrong)(sentence)
    wrong = int(np.argmax(~np.isclose(got, right, rtol=1e-3)))
    power = ("", "³", "⁵")[wrong]
    raise Wrong(f"The number for x{power} is not right. Which derivative of the law at 0 belongs to it?")


# ---------------------------------------------------------------- the residual of Burgers' equation


@exercise(
    "6.4",
    "the residual of Burgers' equation",
    hints=(
        "torch.autograd.grad(u.sum(), points, create_graph=True)[0] gives u_x and u_t of each row, as two columns.",
        "u_xx is the first column of the gradient of u_x, taken in the same way.",
        "Bring everything to the left: u_t + u u_x - ν u_xx.",
    ),
)
def _(answer):
    import torch

    points = torch.tensor(np.random.default_rng(0).uniform(0.1, 1, (7, 2)))
    x, t = points.numpy().T
    nu = 0.3

    def network(points):  # u = sin(2 x) exp(-t) + x t**2: all of its derivatives differ
        return torch.sin(2 * points[:, 0]) * torch.exp(-points[:, 1]) + points[:, 0] * points[:, 1] ** 2

    decay = np.exp(-t)
    u, ut = np.sin(2 * x) * decay + x * t**2, -np.sin(2 * x) * decay + 2 * x * t
    ux, uxx = 2 * np.cos(2 * x) * decay + t**2, -4 * np.sin(2 * x) * decay
    utt = np.sin(2 * x) * decay + 2 * x
    got = answer(network, points.clone().requires_grad_(), nu)
    trained = isinstance(got, torch.Tensor) and got.requires_grad
    if isinstance(got, torch.Tensor):
        got = got.detach().numpy()
    try:
        got = np.asarray(got, float)
    except (TypeError, ValueError):
        raise Wrong(f"Return a tensor with one number for each point; yours is {got!r:.60}.") from None
    if got.shape != (7,):
        raise Wrong(f"Return one number for each of the 7 points, in the shape (7,); yours has {got.shape}.")
    if _same(got, ut + u * ux - nu * uxx):
        if not trained:
            raise Almost("The numbers are right, but they are cut off from the network: it could not be trained on "
                         "them. Keep tensors, and say create_graph=True.")  # fmt: skip
        return "srlib makes the same from `problem.residual`, for any equation that one can write in sympy."
    others = {
        "You have u_x alone in the second term; it is u u_x, and that u makes the shock.": ut + ux - nu * uxx,
        "Look at the sign of ν: with everything on the left it is negative.": ut + u * ux + nu * uxx,
        "u_x and u_t are swapped: the columns of the points are x and t.": ux + u * ut - nu * utt,
        "ν is missing.": ut + u * ux - uxx,
        "That is the left side of the equation. Where is ν u_xx?": ut + u * ux,
        "The last term needs the second derivative, u_xx.": ut + u * ux - nu * ux,
        "u_xx is not the square of u_x.": ut + u * ux - nu * ux**2,
        "The first term is u_t. Is it missing?": u * ux - nu * uxx,
    }
    for sentence, other in others.items():
        if _same(got, other):
            raise Wrong(sentence)
    if _same(got, -(ut + u * ux - nu * uxx)):
        return "All signs are turned around, which changes nothing: it is squared."
    raise Wrong(f"For u = sin(2x) exp(-t) + x t² and ν = {nu} the first point has the residual "
                f"{(ut + u * ux - nu * uxx)[0]:.3f}; yours is {got[0]:.3f}.")  # fmt: skip


# ---------------------------------------------------------------- what is left of an equation


@exercise(
    "6.5",
    "what is left of the equation",
    hints=(
        "The equation is u'' + u = -0.5 x. Bring all to the left, and put the formula in the place of u.",
        "sympy differentiates: formula.diff(x, 2).",
    ),
)
def _(answer):
    x = sympy.Symbol("x")
    tests = (3 * sympy.sin(x) - x / 2, sympy.exp(x) + x, sympy.cos(3 * x))
    for formula in tests:
        got = answer(formula, x)
        try:
            got = sympy.sympify(got)
        except (sympy.SympifyError, TypeError):
            raise Wrong(f"Return an expression of sympy; your function returns {got!r:.60}.") from None
        if not isinstance(got, sympy.Expr):
            raise Wrong(f"Return an expression of sympy; your function returns {got!r:.60}.")
        if _zero(got - (formula.diff(x, 2) + formula + x / 2)) or _zero(got + formula.diff(x, 2) + formula + x / 2):
            continue
        others = {
            "You differentiate once; the equation has the second derivative.": formula.diff(x) + formula + x / 2,
            "Look at the right side: brought to the left, -0.5 x becomes +0.5 x.": formula.diff(x, 2) + formula - x / 2,
            "The right side, -0.5 x, is missing.": formula.diff(x, 2) + formula,
            "The term u itself is missing.": formula.diff(x, 2) + x / 2,
        }
        for sentence, other in others.items():
            if _zero(got - other):
                raise Wrong(sentence)
        raise Wrong(f"For u = {formula} your function gives {sympy.simplify(got)}. Compare it with u'' + u + x/2.")
    return "For the law it gives 0: no number that is nearly 0, but 0. That is a proof."


def _zero(expression) -> bool:
    return sympy.simplify(expression) == 0
