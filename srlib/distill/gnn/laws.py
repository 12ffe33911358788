"""Whether a message's formula is the force law: the family of all linear maps of the true force."""

from __future__ import annotations

import numpy as np

from ...expression import Expression
from ...metrics import Recovery, recovers
from ...operators import suggest
from ...problems import Problem
from ...problems.problem import Variable
from ...validation import check_choice
from ..student import Distillation
from .messages import TARGETS, share_weights
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


def law_problem(law: str, learned: Distillation, target: str = "force") -> Problem:
    """The law as a problem whose data are a message: ``(a_x dx + a_y dy) law``, over m1 where the target says so.

    The slopes a are those that fit the message best, rows weighted as for the student. The data are the law's own
    values with them: a formula must have the law's form to rounding errors, and constants by which it differs from
    these values by at most 4 % of their spread (:func:`srlib.recovers`). How much of the message it explains is
    another question, which ``learned.fidelity`` answers. Charges enter by their sign, since they are +1 or -1.

    Parameters
    ----------
    law : str
        A name of :data:`LAWS`, or a formula over r, m1, m2, q1, q2: the force over a linear map of (dx, dy).
    learned : Distillation
        Of :func:`srlib.distill.gnn.distill_message`.
    target : {"force", "acceleration"}
    """
    check_choice("target", target, TARGETS)
    if law not in LAWS and law.isidentifier() and law not in PAIR:
        raise ValueError(
            f"law is {law!r}: choose from {', '.join(LAWS)}, or give a formula over {', '.join(PAIR)}"
            f"{suggest(law, tuple(LAWS))}"
        )
    table, y = learned.student.feature_names_in_.tolist(), learned.answers[:, 0]
    X = np.asarray(learned.see(learned.X), dtype=float)
    axes = [name for name in table if name.startswith("d")]
    slopes = [f"a{axis[1]}" for axis in axes]
    text = f"({' + '.join(f'{slope}*{axis}' for slope, axis in zip(slopes, axes, strict=True))})*({LAWS.get(law, law)})"
    text += "/m1" if target == "acceleration" else ""
    constants = CONSTANTS.get(law, {})
    family = Expression.parse(text, names=(*table, *slopes, *constants))
    # the slopes of the data: the family is linear in them
    weight = np.sqrt(share_weights(y))
    unit = [family.evaluate(np.column_stack([X, np.tile([*row, *constants.values()], (len(X), 1))]))
            for row in np.eye(len(axes))]  # fmt: skip
    found = np.linalg.lstsq(weight[:, None] * np.stack(unit, axis=1), weight * y, rcond=None)[0]
    variables = tuple(
        Variable(name, "", *RANGES.get(name, (0.3, 3.0) if name == "r" else (-2.0, 2.0))) for name in table
    )
    parameters = dict(zip(slopes, found.tolist(), strict=True)) | constants
    told = np.stack(unit, axis=1) @ found
    return Problem(
        f"{law} message", f"a message that is the {target} of {law}", "messages", variables, "message", "", family,
        parameters, X, told, noise="the network's error", noise_free=False,
    )  # fmt: skip


def judge(law: str, learned: Distillation, target: str = "force", formula: Expression | None = None) -> Recovery:
    """Whether a formula (by default the student's answer) is the law up to the linear map that messages allow."""
    problem = law_problem(law, learned, target)
    formula = learned.best() if formula is None else formula
    charges = [k for k, name in enumerate(problem.names) if name.startswith("q")]

    def with_signs(X):
        X = np.array(X)
        if "sign(" in LAWS.get(law, law):
            X[:, charges] = np.sign(X[:, charges])
        return formula.evaluate(X)

    return recovers(with_signs, problem)
