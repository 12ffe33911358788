"""Whether a message's formula is the force law: the family of all linear maps of the true force."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...expression import Expression
from ...metrics import Recovery, recovers
from ...operators import suggest
from ...problems import Problem
from ...problems.problem import Variable
from ...validation import check_choice
from ..student import Distillation
from .messages import TARGETS
from .potentials import PAIR

__all__ = ["LAWS", "judge", "law_problem"]

# The force on the receiver over a linear map: the sum of a_k d_k, times this, and constants to be found
LAWS = {
    "r1": "m1*m2/r**2",
    "r2": "m1*m2/r**3",
    "spring": "(r - r0)/r",
    "charge": "sign(q1)*sign(q2)/r**3",
    "superposition": "(k*sign(q1)*sign(q2) - m1*m2)/r**3",
}
CONSTANTS = {"spring": {"r0": 1.0}, "superposition": {"k": 1.0}}
RANGES = {"m1": (0.3, 3.0), "m2": (0.3, 3.0), "q1": (-1.0, 1.0), "q2": (-1.0, 1.0)}


EXACT = 1e-6  # up to which a formula has the law's form, and a slope beside the largest one counts as 0


def law_problem(
    law: str, learned: Distillation, target: str = "force", slopes: Mapping[str, float] | None = None
) -> Problem:
    """The law as a problem: ``(a_x dx + a_y dy) law``, over m1 where the target says so.

    Parameters
    ----------
    law : str
        A name of :data:`LAWS`, or a formula over r, m1, m2, q1, q2: the force over a linear map of (dx, dy).
    learned : Distillation
        Of :func:`srlib.distill.gnn.distill_message`; the law's values at its inputs are the problem's data.
    target : {"force", "acceleration"}
    slopes : mapping, optional
        a_x, a_y (a_z) by axis, ``{"dx": 1.0, "dy": -0.5}``; by default 1 for each. Axes that are missing, or 0, are
        left out of the law.
    """
    check_choice("target", target, TARGETS)
    if law not in LAWS and law.isidentifier() and law not in PAIR:
        raise ValueError(
            f"law is {law!r}: choose from {', '.join(LAWS)}, or give a formula over {', '.join(PAIR)}"
            f"{suggest(law, tuple(LAWS))}"
        )
    table = learned.student.feature_names_in_.tolist()
    slopes = dict.fromkeys(_axes(table), 1.0) if slopes is None else slopes
    named = {f"a{axis[1]}": slope for axis, slope in slopes.items() if slope}
    text = f"({' + '.join(f'{name}*d{name[1]}' for name in named)})*({LAWS.get(law, law)})"
    text += "/m1" if target == "acceleration" else ""
    parameters = named | CONSTANTS.get(law, {})
    family = Expression.parse(text, names=(*table, *parameters))
    X = np.asarray(learned.see(learned.X), dtype=float)
    variables = tuple(
        Variable(name, "", *RANGES.get(name, (0.3, 3.0) if name == "r" else (-2.0, 2.0))) for name in table
    )
    known = family.evaluate(np.column_stack([X, np.tile(list(parameters.values()), (len(X), 1))]))
    return Problem(
        f"{law} message", f"a message that is the {target} of {law}", "messages", variables, "message", "", family,
        parameters, X, known, noise="the network's error", noise_free=False,
    )  # fmt: skip


def judge(law: str, learned: Distillation, target: str = "force", formula: Expression | None = None) -> Recovery:
    """Whether a formula (by default the student's answer) is the law up to the linear map that messages allow.

    Training fixes messages up to an invertible linear map of the force only, so that one component may be
    ``w . F`` with any w that is not 0. A formula is recovered if it is **exactly** of this form, for the w that is
    nearest to it. A constant of the law itself, the rest length of the spring, must be right: with it the values may
    differ from those of the true law with the same w by at most 4 % of their spread (:func:`srlib.recovers`).

    How well the formula agrees with the message is another question, which ``learned.fidelity`` answers: where the
    message is ``F_x + 0.1 F_y``, a student that answers with F_x has found the law.

    Parameters
    ----------
    law, learned, target
        As in :func:`law_problem`. The target F/m is the only other map of the receiver's own features that is
        tried; a formula with an offset is "almost" the law.
    formula : Expression, optional

    Notes
    -----
    Charges enter by their sign where the law has their sign, since they are +1 or -1.
    """
    formula = learned.best() if formula is None else formula
    text = LAWS.get(law, law)
    names = learned.student.feature_names_in_.tolist()
    charges = [k for k, name in enumerate(names) if f"sign({name})" in text]

    def predict(X):
        X = np.array(X)
        X[:, charges] = np.sign(X[:, charges])
        return formula.evaluate(X)

    nearest = _nearest(predict, law, learned, target)
    if not nearest:
        return Recovery("no", np.inf, message="the formula has no part along the force")
    free = recovers(predict, law_problem(law, learned, target, nearest))  # finds w, and wants it as it was
    if free.residual > EXACT:
        return free
    w = {axis: free.constants[f"a{axis[1]}"] for axis in nearest}
    return recovers(predict, law_problem(law, learned, target, _that_count(w)))


def _axes(names) -> list[str]:
    return [name for name in names if name in ("dx", "dy", "dz")]


def _that_count(slopes: dict[str, float]) -> dict[str, float]:
    largest = max(map(abs, slopes.values()))
    return {axis: slope for axis, slope in slopes.items() if abs(slope) > EXACT * largest}


def _nearest(predict, law: str, learned: Distillation, target: str) -> dict[str, float]:
    """The w by axis with which the law, its own constants right, is nearest to a formula; empty if all are 0."""
    axes = _axes(learned.student.feature_names_in_.tolist())
    X = law_problem(law, learned, target).points(200)
    along = [law_problem(law, learned, target, {axis: 1.0}).truth.evaluate(X) for axis in axes]
    with np.errstate(all="ignore"):
        known = np.broadcast_to(predict(X), len(X))
    design = np.column_stack([*along, np.ones(len(X))])  # an offset, which is none of the law, bends no slope
    rows = np.isfinite(known) & np.isfinite(design).all(axis=1)
    weight = 1 / np.linalg.norm(design[rows], axis=1)
    found = np.linalg.lstsq(weight[:, None] * design[rows], weight * known[rows], rcond=None)[0]
    return _that_count(dict(zip(axes, found[: len(axes)].tolist(), strict=True)))
