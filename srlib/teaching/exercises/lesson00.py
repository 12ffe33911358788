"""Exercises of lesson 00: measure an error, read a tree, repair a formula, give a constant its unit."""

import numbers

import numpy as np

from srlib.expression import Expression, ParseError

from ..checks import Almost, Wrong, exercise

KM_IN_MPC, SECONDS_IN_GYR = 3.0857e19, 3.1557e16


def number(answer, example):
    """The answer as a float, or a hint when it is none."""
    if isinstance(answer, str):
        raise Wrong(f"The check wants a number, such as {example}, not a text: leave out the quotes and the unit.")
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real) or not np.isfinite(answer):
        raise Wrong(f"The check wants one number, such as {example}.")
    return float(answer)


def near(value, target, tolerance=0.03):
    return abs(value - target) <= tolerance * abs(target)


# ---------------------------------------------------------------- 0.1


@exercise(
    "0.1",
    "a typical error",
    hints=(
        "Read the name from right to left: first the differences, then their squares, then the mean, then the root.",
        "With numpy: `model - truth` is an array; `** 2`, `np.mean` and `np.sqrt` do the rest, in this order.",
    ),
)
def _(rms):
    if not callable(rms):
        raise Wrong("Hand in the function itself: check(\"0.1\", rms), without brackets after rms.")
    cases = [
        (np.array([1.0, 6.0, 2.0]), np.array([2.0, 2.0, 2.0])),
        (np.array([3.0, 3.0, 3.0]), np.array([1.0, 1.0, 1.0])),
        (np.array([0.5, -0.5, 2.0, 4.0]), np.array([1.0, 1.0, 1.0, 1.0])),
    ]
    for model, truth in cases:
        got = rms(model.copy(), truth.copy())
        if got is None:
            raise Wrong("Your function gives back nothing: its last line should begin with `return`.")
        if np.ndim(got) > 0:
            raise Wrong(f"For {len(model)} points it gives {np.size(got)} numbers; the mean makes one of them.")
        got = number(got, "2.24")
        difference = model - truth  # (points,)
        squares = difference**2
        if near(got, np.sqrt(np.sum(squares)) / np.sqrt(len(model)), 1e-9):
            continue
        if near(got, np.mean(squares), 1e-9):
            raise Almost("This is the mean square; its root has the unit of y again.")
        if near(got, abs(np.mean(difference)), 1e-9) or near(got, np.mean(difference), 1e-9):
            raise Wrong("Here a point too high and a point too low cancel. Square the differences before the mean.")
        if near(got, np.mean(np.abs(difference)), 1e-9):
            raise Wrong("This is the mean absolute error, a good measure too. Asked for is the root mean square.")
        if near(got, np.sqrt(np.sum(squares)), 1e-9) or near(got, np.sum(squares), 1e-9):
            raise Wrong("This grows with the number of points: take the mean where you take the sum.")
        if near(got, np.std(difference), 1e-9) or (got == 0 and np.ptp(difference) == 0):
            raise Wrong("np.std subtracts the mean first: a model that is wrong by 2 everywhere gets error 0.")
        raise Wrong(
            f"For model {model.tolist()} and truth {truth.tolist()} your function gives {got:.3g}. "
            "Work this case out by hand."
        )
    return "It has the unit of y, and large misses weigh most."


# ---------------------------------------------------------------- 0.2


@exercise(
    "0.2",
    "the value of a tree",
    hints=(
        "Begin at the leaves: replace X by 11 and Y by π, then go up, one operator at a time.",
        "X/11 is 1, and the cosine of π is −1. What is left is a minus, a times and a plus.",
    ),
)
def _(answer):
    value = number(answer, "3.4")
    tree = Expression.parse("(2.2 - X/11) + 7*cos(Y)", names=["X", "Y"])
    here = [[11.0, np.pi]]
    if abs(value - tree.evaluate(here)[0]) < 0.006:
        return "The tree needs no rule about which operation comes first: what hangs lower is done earlier."
    slips = [
        (
            "2.2 - (X/11 + 7*cos(Y))",
            "Two slips lead here: the minus was taken further than X/11, or the cosine of π is not −1 for you.",
        ),
        ("(2.2 - X)/11 + 7*cos(Y)", "The division takes X and 11 only; 2.2 joins one level higher."),
        ("2.2 - X/11", "The right branch, 7 times a cosine, is not 0: that would be the cosine of π/2."),
        ("2.2 - X/11 + cos(Y)", "The cosine is multiplied by 7 on its way up."),
        ("2.2 - X/11 + cos(7*Y)", "The 7 stands above the cosine, so it multiplies the cosine, not its argument."),
        ("2.2 + X/11 + 7*cos(Y)", "The node above 2.2 and X/11 is a minus."),
        ("(2.2 - X/11)*7*cos(Y)", "The node at the top is a plus."),
    ]
    for text, words in slips:
        if abs(value - Expression.parse(text, names=["X", "Y"]).evaluate(here)[0]) < 0.006:
            raise Wrong(words)
    if abs(value - (1.2 + 7 * np.cos(np.radians(np.pi)))) < 0.02:
        raise Wrong("That is the cosine of 3.14 degrees; formulas use radians.")
    raise Wrong("Write beside each node of the drawing the value that it passes up.")


# ---------------------------------------------------------------- 0.3


@exercise(
    "0.3",
    "a formula that is not one",
    hints=(
        "Read the message: it says what is wrong, and where. Mend that, and check again; there is more than one slip.",
        "A product needs its *, and each bracket that closes needs one that opens.",
        "Three times the square of x0: the power belongs to x0 alone.",
    ),
)
def _(answer):
    if isinstance(answer, Expression):
        formula = answer
    elif not isinstance(answer, str):
        raise Wrong("Hand in the formula as text, in quotes.")
    else:
        try:
            formula = Expression.parse(answer)
        except ParseError as error:
            piece = answer[error.position : error.position + error.length] or "the end"
            raise Wrong(f"This cannot be read: {error.reason} (character {error.position + 1}, “{piece}”).") from None
    if any(feature != 0 for feature in formula.features):
        raise Wrong("There is one variable, x0.")
    x = np.array([0.3, 1.0, 2.0, -1.5])
    value = formula.evaluate_columns([x]) + np.zeros(len(x))
    same = lambda wanted: np.allclose(value, wanted, rtol=1e-9, atol=1e-9, equal_nan=False)  # noqa: E731
    if same(2 * np.sin(x) + 3 * x**2):
        return f"It has {formula.size} nodes." if formula.size else ""
    if same(2 * np.sin(x) + (3 * x) ** 2):
        raise Almost("Now the power takes 3 along: (3*x0)^2 is nine times the square.")
    if same(2 * np.sin(x) + 3 * x):
        raise Almost("The square is lost.")
    if same(2 * np.sin(x + 3 * x**2)) or same(np.sin(2 * x) + 3 * x**2):
        raise Wrong("A bracket is in the wrong place: the sine takes x0 alone, and the 2 stands before it.")
    if same(2 * np.sin(x) + 3 + x**2) or same(2 * np.sin(x) * 3 * x**2):
        raise Wrong("It can be read, but between 3 and the square there is a product, between the two parts a sum.")
    if same(2 * np.sin(x)) or same(3 * x**2):
        raise Wrong("It can be read because a part is gone; keep both.")
    raise Wrong("It can be read, but does not mean twice the sine of x0, plus three times the square of x0.")


# ---------------------------------------------------------------- 0.4


@exercise(
    "0.4",
    "a constant with a unit",
    hints=(
        "If all galaxies left one place at constant speed, the time is distance / speed. What is that in D and H0?",
        "1 / H0 has the unit Mpc s / km. How many km are in a Mpc? That leaves seconds.",
        "3.086e19 km per Mpc, divided by H0, divided by 3.156e16 seconds per billion years.",
    ),
)
def _(answer):
    value = number(answer, "0.7")
    h0 = 475.3
    time = KM_IN_MPC / h0 / SECONDS_IN_GYR  # billions of years
    if near(value, time):
        return (
            "Rocks on Earth are about twice as old: something had to be wrong, and it was the distances. "
            "With today's 70 km/s/Mpc it is 14."
        )
    if near(value, time * 1e9):
        raise Almost("Right, in years. Asked for are billions of years.")
    if near(value, time * 1e3):
        raise Almost("Right, in millions of years. Asked for are billions of years.")
    if near(value, KM_IN_MPC / 70 / SECONDS_IN_GYR, 0.06):
        raise Almost("This belongs to today's value of H0. Take the one that was fitted above, from 1929.")
    if near(value, time * SECONDS_IN_GYR):
        raise Wrong("These are seconds. A billion years has 3.156e16 of them.")
    if near(value, 1 / h0):
        raise Wrong("1 / H0 it is, but its unit is Mpc s / km: turn Mpc into km, and seconds into billions of years.")
    if near(value, h0) or near(value, 1 / time):
        raise Wrong("This is H0 itself, a speed per distance. A time is distance per speed.")
    if near(value, h0 * KM_IN_MPC / SECONDS_IN_GYR) or near(value, h0 * KM_IN_MPC):
        raise Wrong("H0 stands in the denominator of 1 / H0.")
    if near(value, 1 / h0 / KM_IN_MPC) or near(value, 1 / h0 / KM_IN_MPC / SECONDS_IN_GYR):
        raise Wrong("A Mpc is many km, so the number must grow: multiply by 3.086e19, do not divide.")
    raise Wrong("Carry the units through: (Mpc s / km) times (km / Mpc) gives seconds.")
