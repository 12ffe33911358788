"""A target of several columns: one search for each, with seeds, time and evaluations shared out fairly."""

from __future__ import annotations

import time

import numpy as np

from ..estimator import SymbolicRegressor
from ..scikit import check_random_state, validate_data
from ..validation import is_whole, refuse_text_columns, refuse_what_is_no_number

__all__ = ["SeveralTargets"]

NEVERMIND = ("interrupted", "callback")  # who stops one search means all of them


class SeveralTargets(SymbolicRegressor):
    """What a method does with a target of shape (rows, targets)."""

    def fit(self, X, y, sample_weight=None):
        """Search for formulas of ``X`` that give ``y``; as :meth:`srlib.SymbolicRegressor.fit`.

        With ``y`` of shape (rows, targets) there is one search for each column. Its seed is drawn from
        ``random_state``; it may use an equal share of the time and the evaluations that are left; its checkpoint has
        the column's number in its name, ``run.0.json``.
        """
        shape = getattr(y, "shape", None) or np.asarray(y, dtype=object).shape
        if len(shape) == 2 and shape[1] > 1:
            return self._fit_each(X, y, sample_weight)
        self.__dict__.pop("estimators_", None)
        return super().fit(X, y, sample_weight)

    def _fit_each(self, X, y, sample_weight):
        self._check_parameters()
        refuse_text_columns(X)
        refuse_what_is_no_number("y", y)
        Y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)[1]
        targets = Y.shape[1]
        if self.max_evaluations is not None and self.max_evaluations < targets:
            raise ValueError(
                f"max_evaluations is {self.max_evaluations}, but y has {targets} columns: give at least one for each"
            )
        seeds = check_random_state(self.random_state).randint(2**31, size=targets)
        earlier = getattr(self, "estimators_", ()) if self.warm_start else ()
        estimators = list(earlier) if len(earlier) == targets else [type(self)() for _ in range(targets)]
        began, evaluations, stopped = time.monotonic(), 0, ""
        for j, one in enumerate(estimators):
            left = targets - j
            own = {"random_state": int(seeds[j]), "checkpoint": self._own_checkpoint(j)}
            if self.time_limit is not None:
                own["time_limit"] = max((self.time_limit - (time.monotonic() - began)) / left, 1e-6)
            if self.max_evaluations is not None:
                own["max_evaluations"] = (self.max_evaluations - evaluations) // left
            if stopped:
                own["callbacks"] = (_stop,)
            own |= self._own_parameters(j, targets)
            one.set_params(**{**self.get_params(deep=False), **own})
            before = one.n_evaluations_ if self.warm_start and hasattr(one, "n_evaluations_") else 0
            one.fit(X, Y[:, j], sample_weight)
            evaluations += one.n_evaluations_ - min(before, one.n_evaluations_)
            if stopped:
                one.stopped_by_ = stopped
            elif one.stopped_by_ in NEVERMIND:
                stopped = one.stopped_by_
            kept = {"random_state": own["random_state"], "checkpoint": own["checkpoint"]}
            kept |= self._own_parameters(j, targets)
            one.set_params(**{**self.get_params(deep=False), **kept})
        for name in ("front_", "history_", "n_iterations_", "_state", "_table"):
            self.__dict__.pop(name, None)
        self.estimators_ = estimators
        reasons = [one.stopped_by_ for one in estimators]
        self.stopped_by_ = next((reason for reason in reasons if reason not in ("completed", "exact")), reasons[-1])
        self.n_evaluations_ = sum(one.n_evaluations_ for one in estimators)
        return self

    def _own_parameters(self, j: int, targets: int) -> dict:
        """Parameters of which each target has its own."""
        return {}

    def _own_checkpoint(self, j: int) -> str | None:
        if self.checkpoint is None:
            return None
        root, dot, suffix = str(self.checkpoint).rpartition(".")
        return f"{root}.{j}.{suffix}" if dot and "/" not in suffix else f"{self.checkpoint}.{j}"

    # ------------------------------------------------------------ answers

    @property
    def equations_(self):
        """The front as a table; for several targets a list of tables."""
        if hasattr(self, "estimators_"):
            return [one.equations_ for one in self.estimators_]
        return super().equations_

    def _each(self, method: str, index, *arguments):
        """The answers of all targets' searches; ``index`` is one row for all of them, or one for each."""
        if index is None or is_whole(index):
            index = [index] * len(self.estimators_)
        if np.ndim(index) != 1 or len(index) != len(self.estimators_):
            raise ValueError(f"index is {index!r}: give one row, or one for each of {len(self.estimators_)} targets")
        answers = []
        for one, row in zip(self.estimators_, index, strict=True):
            one.model_selection = self.model_selection
            answers.append(getattr(one, method)(*arguments, index=row))
        return answers

    def best(self, index=None):
        """The formula of a row of :attr:`equations_`; for several targets a list, one for each."""
        return self._each("best", index) if hasattr(self, "estimators_") else super().best(index)

    def predict(self, X, index=None) -> np.ndarray:
        """Values of a formula; for several targets of shape (rows, targets)."""
        if hasattr(self, "estimators_"):
            return np.stack(self._each("predict", index, X), axis=1)
        return super().predict(X, index)

    def sympy(self, index=None):
        """A formula as a sympy expression; for several targets a list."""
        return self._each("sympy", index) if hasattr(self, "estimators_") else super().sympy(index)

    def latex(self, index=None, precision: int = 3):
        """A formula in LaTeX; for several targets a list."""
        if hasattr(self, "estimators_"):
            return [one.latex(precision) for one in self._each("best", index)]
        return super().latex(index, precision)

    def latex_table(self, precision: int = 3):
        """The front as a LaTeX table; for several targets a list."""
        if hasattr(self, "estimators_"):
            return [one.latex_table(precision) for one in self.estimators_]
        return super().latex_table(precision)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _stop(event) -> bool:
    """A callback that ends a search before it has begun: only the mean is found."""
    return True
