"""The Pareto front: the best formula at each complexity, its scores, and the choice among them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .expression import Expression
from .operators import suggest

if TYPE_CHECKING:
    import pandas as pd

    from .data import Data

__all__ = ["Entry", "MODEL_SELECTIONS", "ParetoFront"]

ROUNDING = 1e-9  # two ways to write one formula differ by less
MODEL_SELECTIONS = ("best", "accuracy", "score")


@dataclass(frozen=True)
class Entry:
    """One formula of the front.

    Attributes
    ----------
    complexity : float
        How long it is.
    loss : float
        How far it is from the data.
    expression : Expression
        The formula.
    errors : tuple of float
        The standard error of each of its constants, NaN where the data do not determine it
        (:func:`srlib.constants.standard_errors`); empty while nobody has computed them. It does not count when two
        entries are compared.
    """

    complexity: float
    loss: float
    expression: Expression
    errors: tuple[float, ...] = field(default=(), compare=False)


class ParetoFront:
    """Formulas of which none is beaten by another one that is no more complex; PySR's "hall of fame".

    Parameters
    ----------
    resolution : float
        Differences of loss up to this size are rounding errors: a longer formula must be better by more.

    Examples
    --------
    >>> front = ParetoFront()
    >>> front.add(Expression.parse("x0"), loss=4.0), front.add(Expression.parse("x0 + 1"), loss=4.5)
    (True, False)
    >>> front.add(Expression.parse("x0*x0"), loss=1.0)
    True
    >>> [round(score, 3) for score in front.scores()]
    [0.0, 0.693]
    """

    def __init__(self, resolution: float = 0.0):
        self.resolution = resolution
        self.data: Data | None = None
        self._entries: list[Entry] = []  # complexity rises, loss falls

    def add(
        self, expression: Expression, loss: float, complexity: float | None = None, errors: Iterable[float] = ()
    ) -> bool:
        """Offer a formula; True if the front takes it (and drops those that it beats).

        Parameters
        ----------
        expression : Expression
            The formula.
        loss : float
            Its loss; a NaN or infinite loss never enters.
        complexity : float, optional
            Its complexity, by default the expression's own.
        errors : iterable of float
            The standard errors of its constants, if they are known.
        """
        loss, complexity = float(loss), expression.complexity if complexity is None else complexity
        if not self.wants(loss, complexity):
            return False
        new = Entry(complexity, loss, expression, _checked_errors(expression, errors))
        kept = [e for e in self._entries if e.complexity < complexity or self._worth(new, e.loss, e.complexity)]
        self._entries = sorted([*kept, new], key=lambda e: e.complexity)
        return True

    def exchange(self, old: Entry, expression: Expression, loss: float, complexity: float | None = None) -> bool:
        """Put another form of a formula in its place, even if its loss is a little higher; True if that was done.

        It is not done where the form is longer, or where a formula that is no longer than it has a lower loss.
        """
        complexity = expression.complexity if complexity is None else complexity
        if old not in self._entries or complexity > old.complexity or not math.isfinite(loss):
            return False
        kept = self._entries
        self._entries = [entry for entry in kept if entry is not old and entry != old]
        done = self.add(expression, loss, complexity)
        if not done:
            self._entries = kept
        return done

    def wants(self, loss: float, complexity: float) -> bool:
        """Whether :meth:`add` would take a formula of that loss and complexity."""
        return math.isfinite(loss) and all(
            self._worth(entry, loss, complexity) for entry in self._entries if entry.complexity <= complexity
        )

    def _worth(self, entry: Entry, loss: float, complexity: float) -> bool:
        """Whether a formula of that loss and complexity is worth a place beside an entry that is no longer."""
        if entry.complexity == complexity:
            return loss < entry.loss
        return loss < entry.loss * (1 - ROUNDING) - self.resolution

    def update(self, entries: Iterable[Entry]) -> None:
        """Offer many."""
        for entry in entries:
            self.add(entry.expression, entry.loss, entry.complexity, entry.errors)

    def annotate(self, row: int, errors: Iterable[float]) -> None:
        """Note the standard errors of the constants in a row."""
        entry = self[row]
        self._entries[row] = replace(entry, errors=_checked_errors(entry.expression, errors))

    def copy(self) -> ParetoFront:
        """A front of its own with the same entries."""
        new = ParetoFront(self.resolution)
        new.data, new._entries = self.data, list(self._entries)
        return new

    def attach(self, X, y, sample_weight=None, loss: Callable[[Expression], float] | None = None) -> None:
        """Tell the front what its losses were measured on, for :meth:`rounded` and :meth:`without_duplicates`.

        Parameters
        ----------
        X : array_like, shape (rows, features)
            The table. The front keeps a reference, which goes neither into :meth:`to_dict` nor into a pickle.
        y : array_like, shape (rows,)
            The target.
        sample_weight : array_like, shape (rows,), optional
            Weights of the rows.
        loss : callable, optional
            ``loss(expression) -> float``; by default the (weighted) mean squared error.
        """
        from .data import data_of

        self.data = data_of(X, y, sample_weight, loss)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "data": None}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __getitem__(self, row: int) -> Entry:
        try:
            return self._entries[row]
        except IndexError:
            rows = f"has {len(self)} rows, 0 to {len(self) - 1}" if self._entries else "is empty"
            raise IndexError(f"row {row} does not exist: the front {rows}") from None

    def __eq__(self, other) -> bool:
        return isinstance(other, ParetoFront) and self._entries == other._entries

    __hash__ = None  # it changes

    def scores(self) -> list[float]:
        """For each entry ``-Δ log(loss) / Δ complexity`` against the entry before it.

        It says by what factor the loss falls for each further unit of complexity: a cliff has a high score, a formula
        that only fits the noise a little better a low one. The first entry has 0; a loss of 0 scores infinity
        (PySR; the symbolic-regression lecture, document 003, prints such a table).
        """
        scores = [0.0] if self._entries else []
        for before, entry in zip(self._entries, self._entries[1:], strict=False):
            gain = math.log(before.loss / entry.loss) if entry.loss > 0 else math.inf
            scores.append(gain / (entry.complexity - before.complexity))
        return scores

    def choose(self, model_selection: str = "best") -> int:
        """The row that a rule picks.

        Parameters
        ----------
        model_selection : {"best", "accuracy", "score"}
            ``"accuracy"``: the lowest loss. ``"score"``: the highest score. ``"best"``: the highest score among
            those whose loss is at most 1.5 times the lowest one (PySR's rules).

        Raises
        ------
        ValueError
            If the rule is unknown or the front is empty.
        """
        check_model_selection(model_selection)
        if not self._entries:
            raise ValueError("the front is empty: there is no formula to choose")
        if model_selection == "accuracy":
            return len(self) - 1
        limit = math.inf if model_selection == "score" else 1.5 * self._entries[-1].loss + self.resolution
        scores = self.scores()
        return max((row for row in range(len(self)) if self[row].loss <= limit), key=lambda row: scores[row])

    def _text_table(self) -> pd.DataFrame:
        """The table without sympy, which takes a second to load and longer for long formulas."""
        import pandas as pd

        return pd.DataFrame(
            {
                "complexity": [entry.complexity for entry in self],
                "loss": [entry.loss for entry in self],
                "score": self.scores(),
                "equation": [entry.expression.format(6) for entry in self],
            }
        )

    def table(self) -> pd.DataFrame:
        """The front as a table: complexity, loss, score, equation, sympy, callable; one row per entry.

        Where standard errors are known, a column "constants" says them: ``"2.50 ± 0.03"``, in the order of the text.
        """
        table = self._text_table()
        if any(entry.errors for entry in self):
            from .constants import with_error

            table["constants"] = [
                ", ".join(map(with_error, entry.expression.constants, entry.errors)) if entry.errors else ""
                for entry in self
            ]
        table["sympy"] = [entry.expression.sympy() for entry in self]
        table["callable"] = [entry.expression.evaluate for entry in self]
        return table

    def rounded(self, X=None, y=None, sample_weight=None) -> pd.DataFrame:
        """The formulas with readable constants - 2, 1/3, pi - and the loss that this costs.

        Parameters
        ----------
        X, y, sample_weight : array_like, optional
            The data that decide what may be rounded (:func:`srlib.readable.readable`); by default those of the fit.

        Returns
        -------
        pandas.DataFrame
            One row for each row of the front: its complexity and ``equation``; ``rounded``, the readable text; ``loss``
            and ``rounded_loss``; ``cost``, by what share the loss rises (0.01 is one per cent); ``expression``, the
            readable formula to go on with.

        Raises
        ------
        ValueError
            If the front does not know the data, as after pickling, and they are not given.

        Examples
        --------
        >>> import numpy as np
        >>> x = np.linspace(0, 1, 30)
        >>> front = ParetoFront()
        >>> front.add(Expression.parse("2.99*x0**1.51"), loss=1e-4)
        True
        >>> front.rounded(x[:, None], 3 * x**1.5 + 0.01 * np.cos(40 * x)).loc[0, "rounded"]
        '3*x0**1.5'
        """
        from .data import data_of
        from .readable import readable_table

        if (X is None) != (y is None):
            raise ValueError(f"{'X' if X is None else 'y'} is missing: give X and y, or neither of them")
        data = self.data if X is None else data_of(X, y, sample_weight)
        if data is None:
            raise ValueError("the front does not know the data it was fitted to: call rounded(X, y)")
        table = readable_table([entry.expression for entry in self], data, self.resolution)
        table.insert(0, "complexity", [entry.complexity for entry in self])
        return table

    def without_duplicates(self, seconds: float = 10.0) -> ParetoFront:
        """A front of its own, without formulas that are a simpler one of the front in other words.

        Two formulas are the same if they agree on random points, the simpler one's constants fitted to the other's
        values (``2.1*x0`` and ``2.1*(x0 + 1) - 2.1``): then the simpler one stays, with the constants of the better
        one. Where they have too few values to compare, sympy decides, with constants rounded to six digits.

        Parameters
        ----------
        seconds : float
            What has not been compared after this time stays.
        """
        from .duplicates import without_duplicates

        return without_duplicates(self, seconds)

    def _repr_html_(self) -> str:
        return self._text_table().to_html()

    def __repr__(self) -> str:
        if not self._entries:
            return "ParetoFront(empty)"
        return self._text_table().to_string(float_format=lambda number: f"{number:.4g}")

    def draw(self, ax=None, chosen: int | None = None):
        """Loss against complexity, as a staircase; ``chosen`` marks a row. Returns the matplotlib Axes."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(7, 4), layout="constrained").subplots()
        complexity, loss = [e.complexity for e in self], [e.loss for e in self]
        ax.plot(complexity, loss, drawstyle="steps-post", color="#0072B2", marker="o", label="front")
        if chosen is not None:
            at = self[chosen]
            ax.plot(
                at.complexity, at.loss, "D", color="#D55E00", markersize=11, label=f"chosen: {at.expression.format(3)}"
            )
            ax.legend()
        if all(value > 0 for value in loss):
            ax.set_yscale("log")
        ax.set_xlabel("complexity (nodes)")
        ax.set_ylabel("loss")
        return ax

    def to_dict(self) -> dict:
        """Plain data for JSON; :meth:`from_dict` reads it back exactly."""
        rows = []
        for e in self:
            rows.append({"complexity": e.complexity, "loss": e.loss, "expression": e.expression.to_dict()})
            if e.errors:  # JSON has no NaN
                rows[-1]["errors"] = [error if math.isfinite(error) else None for error in e.errors]
        return {"resolution": self.resolution, "entries": rows}

    @classmethod
    def from_dict(cls, data: dict) -> ParetoFront:
        """The front that :meth:`to_dict` wrote."""
        front = cls(data["resolution"])
        for row in data["entries"]:
            errors = tuple(math.nan if error is None else error for error in row.get("errors", ()))
            entry = Entry(row["complexity"], row["loss"], Expression.from_dict(row["expression"]), errors)
            front._entries.append(entry)
        return front


def _checked_errors(expression: Expression, errors: Iterable[float]) -> tuple[float, ...]:
    errors = tuple(map(float, errors))
    if errors and len(errors) != len(expression.constants):
        raise ValueError(
            f"errors has {len(errors)} values, but {expression.format()} has {len(expression.constants)} constants: "
            "give one for each, or none"
        )
    return errors


def check_model_selection(value: str) -> None:
    """A ValueError unless ``value`` is one of the rules."""
    if value not in MODEL_SELECTIONS:
        raise ValueError(
            f"model_selection is {value!r}: choose one of {', '.join(map(repr, MODEL_SELECTIONS))}"
            f"{suggest(str(value), MODEL_SELECTIONS)}"
        )
