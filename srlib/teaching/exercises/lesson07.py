"""Checks of lesson 07: force and potential, energy drift, Huber's loss, what a linear map leaves open, a hidden law."""

import numpy as np

from ..checks import Almost, Wrong, exercise
from .lesson03 import _same, _values

__all__ = ["hidden_potential"]

# ---------------------------------------------------------------- force and potential


@exercise(
    "7.1",
    "the force of a potential",
    hints=(
        "A force points to where the energy falls. The energy U(r) of a pair depends on the distance alone.",
        "The slope of U by x1 is dU/dr times the slope of r by x1. What is the slope of r = |d| by d?",
        "The slope of |d| by d is d/|d|, a vector of length 1.",
    ),
)
def _(answer):
    rng = np.random.default_rng(7)
    d, slope = rng.normal(size=(20, 2)), rng.normal(size=20)
    got = _values(answer, d.copy(), slope.copy(), shape=d.shape, what="a force (x and y) for each row of d")
    r = np.linalg.norm(d, axis=1, keepdims=True)
    along = slope[:, None] * d
    if _same(got, -along / r):
        return "Where U grows with the distance, particles attract: the force on particle 1 points to particle 2."
    others = {
        "Turned around: your force points to where the energy grows, or it is the one on particle 2.": along / r,
        "The direction must be a vector of length 1, and yours has the length r: the force would grow with it.": -along,
        "You divide by r twice. The slope dU/dr has its powers of r already.": -along / r**2,
        "That is the size of the force without its direction: d must come in.": -np.repeat(slope[:, None], 2, axis=1),
    }
    for sentence, other in others.items():
        if _same(got, other):
            raise Wrong(sentence)
    if _same(got, along):
        raise Wrong("Two things: the direction must have length 1, and the sign is turned around.")
    raise Wrong(f"For d = {np.round(d[0], 2)} and dU/dr = {slope[0]:.2f} you give {np.round(got[0], 3)}; its length "
                f"should be |dU/dr|.")  # fmt: skip


# ---------------------------------------------------------------- energy drift


def _drift(kinetic, potential):
    energy = kinetic + potential
    return np.max(np.abs(energy - energy[0])) / (kinetic[0] + abs(potential[0]) + 1)


@exercise(
    "7.2",
    "energy drift",
    hints=(
        "First the total energy at each time. How far is it from that of the beginning, at the worst moment?",
        "Divide by kinetic[0] + abs(potential[0]) + 1. The 1 keeps a system with little energy from looking bad.",
    ),
)
def _(answer):
    rng = np.random.default_rng(3)
    cases = []
    for _ in range(3):
        kinetic = rng.uniform(1, 3, 30)
        cases.append((kinetic, -kinetic + rng.normal(scale=0.2, size=30) - 0.5))
    for kinetic, potential in cases:
        got = float(_values(answer, kinetic.copy(), potential.copy(), shape=(), what="one number"))
        if np.isclose(got, _drift(kinetic, potential)):
            continue
        energy, scale = kinetic + potential, kinetic[0] + abs(potential[0]) + 1
        others = {
            "A drift downwards counts as well: take the absolute value before the largest.":
                np.max(energy - energy[0]) / scale,
            "The last moment is not the worst one.": abs(energy[-1] - energy[0]) / scale,
            "Energy moves from kinetic to potential and back all the time. Only their sum is conserved.":
                np.max(np.abs(kinetic - kinetic[0])) / scale,
            "The total energy can be nearly 0, and then everything looks bad. Divide by the sum of sizes, plus 1.":
                np.max(np.abs(energy - energy[0])) / abs(energy[0]),
            "The energies of a pair can be negative: the divisor needs the size of the potential energy.":
                np.max(np.abs(energy - energy[0])) / (kinetic[0] + potential[0] + 1),
            "The 1 in the divisor is missing.": np.max(np.abs(energy - energy[0])) / (scale - 1),
            "Kinetic and potential energy are added, not subtracted.": _drift(kinetic, -potential),
            "It is not divided yet.": np.max(np.abs(energy - energy[0])),
        }  # fmt: skip
        for sentence, other in others.items():
            if np.isclose(got, other):
                raise Wrong(sentence)
        raise Wrong(f"For one simulation the drift is {_drift(kinetic, potential):.4f}, and you say {got:.4f}.")
    return "With a perfect integrator it is 0. It says how far to trust a simulation, and needs no other one for that."


# ---------------------------------------------------------------- Huber's loss


def _huber(error):
    size = np.abs(error)
    return np.where(size < 1, 0.5 * error**2, size - 0.5)


@exercise(
    "7.3",
    "Huber's loss",
    hints=(
        "Half the square where the error is smaller than 1, and a line elsewhere. `np.where` chooses for each.",
        "At |e| = 1 both branches must agree in value and in slope: 1/2 and 1.",
    ),
)
def _(answer):
    error = np.array([-40.0, -3.0, -1.0, -0.6, -0.1, 0.0, 0.2, 0.9, 1.0, 1.5, 7.0])
    got = _values(answer, error.copy(), shape=error.shape, what="a loss for each error")
    size = np.abs(error)
    if _same(got, _huber(error)):
        return "A square for the many, a line for the few: close encounters count, but they do not rule."
    others = {
        "The half before the square is missing: at |e| = 1 your loss jumps from 1 to 1/2.":
            np.where(size < 1, error**2, size - 0.5),
        "The line needs its - 1/2: at |e| = 1 your loss jumps from 1/2 to 1.": np.where(size < 1, error**2 / 2, size),
        "The condition is right, but the line uses the error with its sign.":
            np.where(size < 1, error**2 / 2, error - 0.5),
        "The condition uses the error with its sign: a large negative error is squared.":
            np.where(error < 1, error**2 / 2, size - 0.5),
        "The two branches are swapped.": np.where(size < 1, size - 0.5, error**2 / 2),
        "That is half the square everywhere: one error of 40 outweighs all the others.": error**2 / 2,
        "That is the square everywhere: one error of 40 outweighs all the others.": error**2,
        "That is the absolute error: at 0 it has a corner.": size,
    }  # fmt: skip
    for sentence, other in others.items():
        if _same(got, other):
            raise Wrong(sentence)
    worst = int(np.argmax(np.abs(np.nan_to_num(got, nan=1e9) - _huber(error))))
    raise Wrong(f"An error of {error[worst]:g} costs {_huber(error)[worst]:g}, and you say {got[worst]:g}.")


# ---------------------------------------------------------------- what a linear map leaves open


@exercise(
    "7.4",
    "a network that lies",
    hints=(
        "The sum over the senders is A times the sum of the forces, plus b as often as there are senders.",
        "Take the offset away first. Then solve A x = rest for each row, e.g. with np.linalg.inv(A).T on the right.",
        "What is left is the total force. What makes an acceleration of it?",
    ),
)
def _(answer):
    rng = np.random.default_rng(11)
    for count in (3, 7):
        A, b = np.array([[0.6, 1.1], [-0.8, 0.5]]), np.array([0.7, -1.9])
        forces, m = rng.normal(size=(12, count, 2)), rng.uniform(0.4, 3, 12)
        total = (forces @ A.T + b).sum(axis=1)
        got = _values(answer, total.copy(), count, m.copy(), A.copy(), b.copy(), shape=(12, 2),
                      what="an acceleration (x and y) for each particle")  # fmt: skip
        back, mass = np.linalg.inv(A).T, m[:, None]
        rest = total - count * b
        right = rest @ back / mass
        if _same(got, right):
            continue
        others = {
            "The offset b is still in it.": total @ back / mass,
            "Each of the messages brings its own b: how many are there?": (total - b) @ back / mass,
            "That is the force. The acceleration is wanted.": rest @ back,
            "Divide by the mass; you multiply.": rest @ back * mass,
            "You apply A once more; it must be undone.": rest @ A.T / mass,
            "Rows against columns: inv(A) must act on each row as a vector, so multiply by its transpose.":
                rest @ np.linalg.inv(A) / mass,
            "The order matters: the messages were A F + b, so b goes first and A after it.":
                (total @ back - count * b) / mass,
        }  # fmt: skip
        for sentence, other in others.items():
            if _same(got, other):
                raise Wrong(sentence)
        raise Wrong(f"With {count} senders the acceleration of particle 0 is {np.round(right[0], 3)}, and yours is "
                    f"{np.round(got[0], 3)}.")  # fmt: skip
    return "This network predicts as well as one that sends forces: predictions cannot tell the two apart."


# ---------------------------------------------------------------- the document's formula


@exercise(
    "7.5",
    "is the document's formula wrong?",
    hints=(
        "The acceleration of particle 1 by particle 2 has two components. Write both over m2, dx, dy and r.",
        "a_x = -m2 dx/r² and a_y = -m2 dy/r². Which numbers before them give m2 (dy - dx)/r²?",
    ),
)
def _(answer):
    got = _values(lambda: answer, shape=(2,), what="two numbers, alpha_x and alpha_y")
    if _same(got, [1, -1]):
        return "A message that is a_x - a_y: as right as the dx + dy that the document expected."
    for sentence, other in {
        "Both signs are turned around: mind the minus of the attraction.": [-1, 1],
        "That is dx + dy with the attraction's minus, the formula that the document expected, not the one it found.":
            [1, 1],
        "That is dx + dy with a plus.": [-1, -1],
    }.items():  # fmt: skip
        if _same(got, other):
            raise Wrong(sentence)
    x, y = got
    raise Wrong(f"Your message would be m2 ({-x:g} dx + {-y:g} dy)/r²; the document has m2 (dy - dx)/r².")


# ---------------------------------------------------------------- a hidden law


def hidden_potential():
    """The potential of exercise 7.6. (Whoever reads on spoils the game.)"""
    from srlib.distill.gnn import Potential

    return Potential("hidden", "*".join(reversed(["r", "q2", "q1"])), dt=1e-2)


@exercise(
    "7.6",
    "which law is it?",
    hints=(
        "The formula of a message is (a dx + b dy) times something. Numbers do not matter, the something does.",
        "The size of (dx, dy) is r. So the size of the force is r times the something.",
        "Which columns does the formula use at all? Which ones did the student see and leave out?",
    ),
)
def _(answer):
    from srlib import Expression

    names = ("r", "m1", "m2", "q1", "q2")
    if isinstance(answer, (int, float)) and not isinstance(answer, bool):
        answer = str(answer)
    if isinstance(answer, str):
        try:
            answer = Expression.parse(answer, names=names)
        except ValueError as error:
            raise Wrong(f"srlib cannot read this formula: {str(error).splitlines()[0]}") from None
    if not isinstance(answer, Expression):
        raise Wrong(f"Give the size of the force as a text over {', '.join(names)}, such as 'm1*m2/r**2'.")
    X = np.random.default_rng(5).uniform(0.4, 2.5, (60, 5))
    r, m1, m2, q1, q2 = X.T
    with np.errstate(all="ignore"):
        got = answer.evaluate(X)
    if not np.isfinite(got).all() or not np.any(got):
        raise Wrong("Your formula is 0 or not finite for some positive distances, masses and charges.")

    def like(other):
        ratio = got / other
        return np.ptp(ratio) < 1e-6 * np.max(np.abs(ratio))

    if like(q1 * q2):
        return "A force that does not care about the distance, as between quarks that are far apart."
    if like(q1 * q2 / r):
        raise Almost("That is what stands beside (dx, dy), whose size is r.")
    if like(q1 * q2 * r):
        raise Almost("That is how the energy grows with the distance. The force is its slope; in a message it is the "
                     "factor of (dx, dy), times r.")  # fmt: skip
    if like(q1 * q2 / m1) or like(q1 * q2 / m1 / r):
        raise Almost("That is an acceleration, over the receiver's mass. What is the force?")
    if like(q1 * q2 / r**2) or like(q1 * q2 / r**3):
        raise Wrong("So the document's charges do it. This force changes in another way with r: look again.")
    if like(np.ones(60)):
        raise Wrong("A number is not enough: the force depends on two of the columns.")
    doubled = (answer.evaluate(X * (1 + (np.arange(5) == k))) for k in range(5))
    uses = [name for name, other in zip(names, doubled, strict=True) if not np.allclose(other, got)]
    raise Wrong(f"Your force depends on {', '.join(uses)}. Read the formula again: on which columns, and how, does the "
                "message depend?")  # fmt: skip
