"""Teacher to formula: ask any callable, fit a symbolic regression to its answers, and measure how far they agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..estimator import SymbolicRegressor
from ..expression import Expression
from ..front import ParetoFront
from ..scikit import clone
from ..validation import check_number, is_whole
from .tables import as_array, hold_out, in_order, read_table, seen_by
from .teacher import answers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Distillation", "distill"]

HELD_OUT = 0.2  # of the rows of a table, where no fresh inputs are given


@dataclass(frozen=True)
class Distillation:
    """What a teacher's students have learned.

    Attributes
    ----------
    teacher : callable
    students : tuple of SymbolicRegressor
        One, fitted, for each output of the teacher.
    X, fresh : ndarray, shape (rows, features)
        The teacher's inputs that the students were trained and are judged on.
    answers, fresh_answers : ndarray, shape (rows, outputs)
        What the teacher answers there, without noise.
    see : callable
        From the teacher's inputs to what the students see of them.
    """

    teacher: Callable
    students: tuple[SymbolicRegressor, ...]
    X: np.ndarray = field(repr=False)
    fresh: np.ndarray = field(repr=False)
    answers: np.ndarray = field(repr=False)
    fresh_answers: np.ndarray = field(repr=False)
    see: Callable[[np.ndarray], object] = field(repr=False)

    @property
    def student(self) -> SymbolicRegressor:
        """The fitted estimator, of a teacher that has one output."""
        return self.students[self._output(None)]

    @property
    def front(self) -> ParetoFront:
        """The formulas that the student found, of a teacher that has one output."""
        return self.student.front_

    def best(self, output: int | None = None) -> Expression:
        """The formula that the student answers with; ``output`` is needed where the teacher has several."""
        return self.students[self._output(output)].best()

    def predict(self, X) -> np.ndarray:
        """The students' answers to the teacher's inputs, shape (rows,) or (rows, outputs) as the teacher's.

        Rows outside a formula's domain are NaN.
        """
        seen = as_array(self.see(as_array(X)))
        columns = [student.best().evaluate(seen) for student in self.students]
        return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)

    @property
    def fidelity(self) -> pd.DataFrame:
        """How well each formula of the front agrees with the teacher, on fresh inputs and on those of the training.

        Columns: complexity, equation, ``r2`` and ``relative_rms`` on fresh inputs, ``train_r2`` and
        ``train_relative_rms``; ``output`` first where there are several. The relative RMS is that of the error over
        that of the teacher's answers. A formula without a finite value in some row has R2 minus infinity.
        """
        import pandas as pd

        rows = []
        seen = [as_array(self.see(X)) for X in (self.fresh, self.X)]
        for output, student in enumerate(self.students):
            for entry in student.front_:
                row = {"output": output} if len(self.students) > 1 else {}
                row.update(complexity=entry.complexity, equation=entry.expression.format(6))
                for name, X, known in zip(("", "train_"), seen, (self.fresh_answers, self.answers), strict=True):
                    r2, rms = agreement(known[:, output], entry.expression.evaluate(X))
                    row.update({f"{name}r2": r2, f"{name}relative_rms": rms})
                rows.append(row)
        return pd.DataFrame(rows)

    def plot(self, ax=None, output: int | None = None):
        """Student against teacher on the fresh inputs, with the diagonal of agreement. Returns the matplotlib Axes."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(5, 5), layout="constrained").subplots()
        output = self._output(output)
        known, formula = self.fresh_answers[:, output], self.best(output)
        told = formula.evaluate(as_array(self.see(self.fresh)))
        ends = [known.min(), known.max()]
        ax.plot(ends, ends, color="#999999", linewidth=1, zorder=0, label="agreement")
        ax.scatter(known, told, s=8, color="#0072B2", alpha=0.6, linewidths=0, label="fresh inputs")
        ax.set_xlabel("teacher")
        ax.set_ylabel("student")
        ax.set_title(f"{formula.format(4)}   (R² {agreement(known, told)[0]:.4g})", fontsize="medium", wrap=True)
        ax.legend(loc="upper left")
        return ax

    def _output(self, output: int | None) -> int:
        count = len(self.students)
        if output is None and count == 1:
            return 0
        if output is None:
            raise ValueError(f"the teacher has {count} outputs: say which, as best(output=0), or take students[0]")
        if not is_whole(output) or not 0 <= output < count:
            raise ValueError(f"output is {output!r}: give a whole number from 0 to {count - 1}")
        return int(output)


def distill(
    teacher: Callable, X, student: SymbolicRegressor | None = None, *, names=None, inputs=None, fresh=None,
    noise: float = 0.0, sample_weight=None, random_state: int | None = None,
) -> Distillation:  # fmt: skip
    """Teach a formula what a function does.

    Parameters
    ----------
    teacher : callable
        ``teacher(X)`` answers (rows,) or (rows, outputs) for an array (rows, features). A torch module is called with a
        tensor of its own dtype, in evaluation mode and without gradients.
    X : array_like, DataFrame, Box, mapping or callable
        Where the teacher is asked: a table; a :class:`Box`, or a dictionary ``{"x": (low, high), …}`` (a Box of 1,000
        rows); or a sampler, ``X(rng)`` with a :class:`numpy.random.Generator`, that draws a table.
    student : SymbolicRegressor, optional
        Any of srlib's; it is cloned for each output and not changed. By default
        :class:`~srlib.EvolutionRegressor`.
    names : sequence of str, optional
        Of the columns that the student sees, where they have none.
    inputs : sequence or callable, optional
        What the student sees of the teacher's inputs: columns, by name or number, or a function of the array (rows,
        features) that gives a table, such as distances from positions. By default all columns as they are.
    fresh : float, array_like, DataFrame, Box, mapping or callable, optional
        Inputs that the student is judged on and does not train on. By default, and with a number, that share of the
        rows of a table is held out (one fifth); a box or a sampler is drawn from once more (a grid at random places).
    noise : float
        Gaussian noise on what the student is told, as a share of the standard deviation of the teacher's answers.
    sample_weight : array_like, shape (rows,), optional
        Weights of the rows of a table.
    random_state : int, optional
        Of inputs, noise and split; also of the student, where that has none.

    Returns
    -------
    Distillation

    Raises
    ------
    ValueError
        If an argument cannot be used, or the teacher raises, gives the wrong shape, a constant, or a value that is not
        finite; the message names the first such row.

    Examples
    --------
    >>> from srlib import EvolutionRegressor
    >>> quick = EvolutionRegressor(niterations=2)
    >>> learned = distill(lambda X: 3 * X[:, 0] * X[:, 1] + 1, {"u": (0, 2), "v": (-1, 1)}, quick, random_state=0)
    >>> print(learned.best(), round(learned.fidelity.r2.iloc[-1], 9))
    3*(u*v) + 1 1.0
    """
    if not callable(teacher):
        raise ValueError(f"teacher is {teacher!r:.80}: give a function of an array (rows, features), or a torch module")
    check_number("noise", noise, least=0)
    check_number("random_state", random_state, least=0, whole=True, optional=True)
    student = _student(student, random_state)
    drawn, held, told, split = np.random.SeedSequence(random_state).spawn(4)

    table, labels, weights, again = read_table("X", X, drawn, sample_weight)
    if fresh is None and again is not None:
        judged = as_array(again(np.random.default_rng(held)))
    elif fresh is None or (isinstance(fresh, float) and not isinstance(fresh, bool)):
        table, judged, weights = hold_out(table, weights, HELD_OUT if fresh is None else fresh, split)
    else:
        judged, others, _, _ = read_table("fresh", fresh, held, None)
        judged = in_order(judged, others, labels)
    if judged.shape[1] != table.shape[1]:
        raise ValueError(f"fresh has {judged.shape[1]} columns, but X has {table.shape[1]}: give the same inputs")

    see = seen_by(inputs, labels, names, table)
    known = answers(teacher, table)  # (rows, outputs)
    judged_known = answers(teacher, judged, "fresh")
    for output in np.flatnonzero(np.ptp(known, axis=0) == 0):
        raise ValueError(
            f"teacher answers {known[0, output]:.6g} in all {len(known)} rows of X (output {output}): there is nothing "
            "to learn; check that its inputs vary"
        )
    noisy = known + noise * known.std(axis=0) * np.random.default_rng(told).standard_normal(known.shape)
    students = tuple(clone(student).fit(see(table), column, sample_weight=weights) for column in noisy.T)
    return Distillation(teacher, students, table, judged, known, judged_known, see)


def agreement(known: np.ndarray, told: np.ndarray) -> tuple[float, float]:
    """R2, and the RMS of the error over that of the known values; minus and plus infinity if one is not finite.

    R2 is NaN where the known values, (rows,), are all the same.
    """
    if not np.isfinite(told).all():
        return -np.inf, np.inf
    error, spread, size = np.mean((told - known) ** 2), np.var(known), np.mean(known**2)
    r2 = 1 - error / spread if spread > 0 else np.nan
    return float(r2), float(np.sqrt(error / size)) if size > 0 else np.inf


def _student(student, random_state) -> SymbolicRegressor:
    if student is None:
        from ..evolution import EvolutionRegressor

        student = EvolutionRegressor()
    if not isinstance(student, SymbolicRegressor):
        raise ValueError(f"student is {student!r:.80}: give a regressor of srlib, such as EvolutionRegressor()")
    if random_state is not None and student.random_state is None:
        student = clone(student).set_params(random_state=int(random_state))
    return student
