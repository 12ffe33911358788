"""The one contract of every method: a scikit-learn regressor whose model is a front of formulas."""

from __future__ import annotations

import hashlib
import math
import os
import warnings
from abc import abstractmethod
from collections.abc import Iterable

import numpy as np

from .expression import Expression
from .front import ParetoFront, check_model_selection
from .run import Run, StopSearch, read_checkpoint
from .scikit import BaseEstimator, RegressorMixin, check_is_fitted, validate_data
from .validation import check_number, is_whole, refuse_text_columns, refuse_what_is_no_number

__all__ = ["SymbolicRegressor"]


class SymbolicRegressor(RegressorMixin, BaseEstimator):
    """Base of all methods: checks what it is given, runs the method's search, and answers for its front.

    A method is a subclass with its own ``__init__`` that takes, besides its own parameters, the common ones below,
    and a :meth:`_search`.

    Parameters
    ----------
    model_selection : {"best", "accuracy", "score"}
        Which formula of the front speaks for the model; see :meth:`srlib.front.ParetoFront.choose`.
    random_state : int, RandomState or None
        With an int the same data give the same result, whatever the number of threads.
    time_limit : float, optional
        Seconds after which the search ends.
    max_evaluations : int, optional
        How many formulas may be compared with the data.
    stop_when : float or callable, optional
        End as soon as the loss is below this number, or ``stop_when(loss, complexity)`` is true.
    n_jobs : int, optional
        Threads; None means all cores, -1 all, -2 all but one.
    callbacks : sequence of callable
        Called with progress events (:mod:`srlib.events`); a true answer stops the fit.
    checkpoint : path, optional
        A JSON file that keeps the state of the search while it runs.
    warm_start : bool
        Whether ``fit`` goes on from the checkpoint, or from the last fit, instead of starting anew. On other rows or
        targets its formulas are judged anew; other columns are an error.

    Attributes
    ----------
    front_ : ParetoFront
        The best formula at each complexity.
    equations_ : pandas.DataFrame
        The front as a table: complexity, loss, score, equation, sympy, callable.
    stopped_by_ : str
        Why the search ended; see :class:`srlib.events.Finished`. "error" when a callback raised an error: ``fit``
        raised it too, but kept what it had found.
    n_evaluations_ : int
        How many formulas were compared with the data.
    n_features_in_, feature_names_in_
        As in scikit-learn.
    """

    def __init__(
        self,
        *,
        model_selection="best",
        random_state=None,
        time_limit=None,
        max_evaluations=None,
        stop_when=None,
        n_jobs=None,
        callbacks=(),
        checkpoint=None,
        warm_start=False,
    ):
        self.model_selection = model_selection
        self.random_state = random_state
        self.time_limit = time_limit
        self.max_evaluations = max_evaluations
        self.stop_when = stop_when
        self.n_jobs = n_jobs
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.warm_start = warm_start

    _state_version = None  # of the plain data that a method's search describes

    @abstractmethod
    def _search(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, run: Run, state: dict | None):
        """Search until done or until ``run`` raises StopSearch, offering to ``run`` each formula that is tried.

        ``X`` (rows, features) and ``y`` (rows,) are float64 and finite. ``state`` is what an earlier search described
        (:meth:`srlib.run.Run.iteration`), or None.
        """

    def _prepare(self) -> None:  # noqa: B027
        """What has to be done once in a process before the clock of a fit starts."""

    def _polish(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, run: Run):  # noqa: B027
        """What a method still does to ``run.front`` when its search has ended, for whatever reason; quick."""

    def _loss(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None):
        """The loss that the front's formulas were judged by, as a function of one; None is the mean squared error."""
        return None

    # ------------------------------------------------------------ fit

    def fit(self, X, y, sample_weight=None):
        """Search for formulas of ``X`` that give ``y``.

        Parameters
        ----------
        X : array_like or DataFrame, shape (rows, features)
            The table. A DataFrame's column names become the features' names.
        y : array_like, shape (rows,)
            The target.
        sample_weight : array_like, shape (rows,), optional
            Weights of the rows; a row of weight 0 is left out.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used; the message says which, and what to do.

        Notes
        -----
        Ctrl-C ends the search; everything found so far is kept. After that, and after ``time_limit``, the method may
        improve its front's constants for a moment more.
        """
        self._check_parameters()
        X, y, sample_weight = self._check_data(X, y, sample_weight)
        state = self._earlier_state(X.shape[1]) if self.warm_start else None
        self._prepare()
        run = Run(
            type(self).__name__,
            self.callbacks,
            self.time_limit,
            self.max_evaluations,
            self.stop_when,
            resolution=self._resolution(y),
            checkpoint=self.checkpoint,
        )
        run.about = {
            "n_features": X.shape[1], "names": list(self._names) if self._names else None,
            "data": _fingerprint(X, y, sample_weight),
        }  # fmt: skip
        if state is not None:
            run.front, run.evaluations = state["front"], state["evaluations"]
        try:
            with run.noting_interrupts():
                self._search(X, y, sample_weight, run, state)
            reason = "completed"
        except StopSearch as stop:
            reason = str(stop)
        except KeyboardInterrupt:
            reason, run.interrupted = "interrupted", False
        except Exception:  # of a callback, say: the error is raised, but what was found is kept
            if len(run.front):
                self._state = run.state() or getattr(self, "_state", None)
                run.save()
                self._keep(run, "error")
            raise
        run.limit_polish(reason)
        # the state before the polish, so that a resumed search goes on from what this one had
        for last_step in (lambda: self._remember(run), lambda: self._polish(X, y, sample_weight, run)):
            try:
                last_step()
            except KeyboardInterrupt:
                reason = "interrupted"
        if len(run.front) == 0:  # stopped before anything was tried: the mean is the formula of last resort
            mean = Expression.constant(float(np.average(y, weights=sample_weight)))
            run.front.add(mean, float(np.average((y - mean.values[0]) ** 2, weights=sample_weight)))
        if reason == "completed" and not any(entry.expression.features for entry in run.front):
            warnings.warn(
                "no formula of the columns of X came out, only a constant: its operators may have no value on these "
                "data, or none keeps to the units and limits; give more operators, fewer limits or more time",
                RuntimeWarning,
                stacklevel=3,
            )
        if run.front.data is None:
            run.front.attach(X, y, sample_weight, self._loss(X, y, sample_weight))
        self._keep(run, reason)
        run.finish(reason)
        return self

    def _remember(self, run: Run) -> None:
        self._state = run.state()
        run.save()

    def _keep(self, run: Run, reason: str) -> None:
        self.front_, self.stopped_by_, self.n_evaluations_, self._table = run.front, reason, run.evaluations, None

    def _earlier_state(self, n_features: int) -> dict | None:
        if self.checkpoint is not None:
            state = read_checkpoint(self.checkpoint, type(self).__name__)
        else:
            state = getattr(self, "_state", None)
        if state is None:
            return None
        if state.get("n_features", n_features) != n_features:
            raise ValueError(
                f"X has {n_features} columns, but the earlier fit had {state['n_features']}: "
                "give the same columns, or fit with warm_start=False"
            )
        names = list(self._names) if self._names else None
        if state.get("names", names) != names:
            raise ValueError(
                f"X has the columns {names or 'without names'}, but the earlier fit had "
                f"{state['names'] or 'columns without names'}: give the same in the same order, "
                "or fit with warm_start=False"
            )
        what = "the earlier fit" if self.checkpoint is None else f"checkpoint {str(self.checkpoint)!r}"
        if state.get("version", self._state_version) != self._state_version:
            raise ValueError(
                f"{what} was written by another version of srlib (its format is {state['version']}, not "
                f"{self._state_version}): go on with that version, or fit with warm_start=False or another file"
            )
        try:
            return self._read_state(state)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{what} is damaged ({error!r}); the file was left as it is") from None

    def _read_state(self, state: dict) -> dict:
        """The state with objects in the place of their plain data; a method adds its own."""
        return {**state, "front": ParetoFront.from_dict(state["front"]), "evaluations": int(state["evaluations"])}

    def _resolution(self, y: np.ndarray) -> float:
        """A difference in squared error that rounding alone can make."""
        return float((1e-13 * np.sqrt(np.mean(np.square(y)))) ** 2)

    def _check_parameters(self):
        check_model_selection(self.model_selection)
        check_number("time_limit", self.time_limit, above=0, optional=True)
        check_number("max_evaluations", self.max_evaluations, least=1, whole=True, optional=True)
        if not callable(self.stop_when):
            check_number(
                "stop_when", self.stop_when, least=0, optional=True, remedy="or a function of (loss, complexity)"
            )
        if self.n_jobs is not None and (not is_whole(self.n_jobs) or self.n_jobs == 0):
            raise ValueError(f"n_jobs is {self.n_jobs!r}: give a number of threads, or None for all cores")
        given = self.callbacks
        if callable(given) or not isinstance(given, Iterable) or not all(callable(one) for one in given):
            raise ValueError(f"callbacks is {given!r}: give a list of functions of one event")
        self._check_checkpoint()

    def _check_checkpoint(self):
        """Now rather than when the search has run for an hour."""
        path = self.checkpoint
        if path is None:
            return
        if not isinstance(path, (str, os.PathLike)) or not str(path):
            raise ValueError(f"checkpoint is {path!r}: give the path of a file, such as 'run.json', or None")
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise ValueError(f"checkpoint is {path!r}: its folder does not exist; make it first")
        if os.path.isdir(path):
            raise ValueError(f"checkpoint is {path!r}, a folder: give the path of a file in it")
        if not os.access(folder, os.W_OK):
            raise ValueError(f"checkpoint is {path!r}: its folder cannot be written; choose another one")

    def _check_data(self, X, y, sample_weight):
        refuse_text_columns(X)
        refuse_what_is_no_number("y", y)
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, order="F")
        y = y.astype(np.float64, copy=False)
        if len(y) < 2:
            raise ValueError("X has 1 row (n_samples = 1): at least 2 rows are needed to fit a formula")
        if sample_weight is not None:
            try:
                sample_weight = np.asarray(sample_weight, dtype=np.float64)
            except (TypeError, ValueError):
                raise ValueError(f"sample_weight is {sample_weight!r:.80}: give one number a row") from None
            if sample_weight.ndim == 0:
                sample_weight = np.full(len(y), float(sample_weight))
            if sample_weight.shape != y.shape:
                raise ValueError(
                    f"sample_weight has shape {sample_weight.shape}, but X has {len(y)} rows: give one weight a row"
                )
            if not np.isfinite(sample_weight).all():
                raise ValueError("sample_weight contains NaN or infinity: give every row a finite weight")
            if (sample_weight < 0).any():
                raise ValueError(f"sample_weight holds {sample_weight.min():.6g}: no weight may be negative")
            used = sample_weight > 0
            if used.sum() < 2:
                where = "every row" if not used.any() else "every row but one"
                raise ValueError(f"sample_weight is zero in {where}: give at least two rows a positive weight")
            if not used.all():
                X, y, sample_weight = X[used], y[used], sample_weight[used]
        if np.ptp(y) == 0:
            raise ValueError(
                f"y is constant ({y[0]:.6g} in all {len(y)} rows): there is nothing to find; check that y is the target"
            )
        with np.errstate(over="ignore"):
            if not np.isfinite(np.square(y).sum()):
                raise ValueError(f"y holds {np.abs(y).max():.3g}, whose square overflows: divide y by a power of ten")
        if np.square(y - y.mean()).sum() < np.finfo(float).tiny:
            raise ValueError(f"y varies by {np.ptp(y):.3g}, whose square underflows: multiply y by a power of ten")
        return np.asfortranarray(X), y, sample_weight

    @property
    def _names(self) -> tuple[str, ...] | None:
        """The columns' names, if the table had any."""
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else tuple(map(str, names))

    # ------------------------------------------------------------ answers

    @property
    def equations_(self):
        """The front as a table, one row per formula."""
        check_is_fitted(self, "front_")
        if self._table is None:
            self._table = self.front_.table()
        return self._table

    def best(self, index: int | None = None) -> Expression:
        """The formula of a row of :attr:`equations_`; by default the one that ``model_selection`` picks."""
        check_is_fitted(self, "front_")
        if index is None:
            index = self.front_.choose(self.model_selection)
        if not is_whole(index) or not -len(self.front_) <= index < len(self.front_):
            raise ValueError(f"index is {index!r}: give a row of equations_, 0 to {len(self.front_) - 1}")
        return self.front_[int(index)].expression

    def predict(self, X, index: int | None = None) -> np.ndarray:
        """Values of a formula.

        Parameters
        ----------
        X : array_like, shape (rows, features)
            The table.
        index : int, optional
            A row of :attr:`equations_`; by default the one that ``model_selection`` picks.

        Returns
        -------
        numpy.ndarray, shape (rows,)
            NaN in rows that lie outside the formula's domain, with a warning.
        """
        expression = self.best(index)
        refuse_text_columns(X)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        y = expression.evaluate(X)
        if not np.isfinite(y).all():
            outside = f"{(~np.isfinite(y)).sum()} of {len(y)} rows lie outside the domain of {expression.format()}"
            warnings.warn(f"{outside}: their predictions are not finite", RuntimeWarning, stacklevel=2)
        return y

    def score(self, X, y, sample_weight=None) -> float:
        """R², or minus infinity where the formula has no finite value in some row."""
        from sklearn.metrics import r2_score

        prediction = self.predict(X)
        if not np.isfinite(prediction).all():
            return -math.inf
        return float(r2_score(y, prediction, sample_weight=sample_weight))

    def sympy(self, index: int | None = None):
        """A formula as a sympy expression."""
        return self.best(index).sympy()

    def latex(self, index: int | None = None, precision: int = 3) -> str:
        """A formula in LaTeX."""
        return self.best(index).latex(precision)

    def latex_table(self, precision: int = 3) -> str:
        """The front as a LaTeX table (package booktabs), to paste into a paper."""
        check_is_fitted(self, "front_")
        rows = [
            f"${entry.expression.latex(precision)}$ & ${entry.complexity:g}$ "
            f"& ${_latex_number(entry.loss, precision)}$ & ${_latex_number(score, precision)}$ \\\\"
            for entry, score in zip(self.front_, self.front_.scores(), strict=True)
        ]
        head = ["\\begin{tabular}{lccc}", "\\toprule", "Equation & Complexity & Loss & Score \\\\", "\\midrule"]
        return "\n".join([*head, *rows, "\\bottomrule", "\\end{tabular}"])

    def __getstate__(self):
        state = dict(super().__getstate__())
        state["_table"] = None  # its callables do not pickle; it is made again when asked for
        return state


def _fingerprint(*arrays: np.ndarray | None) -> str:
    """A text that only the same numbers share."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(b"none" if array is None else np.ascontiguousarray(array.T))
    return digest.hexdigest()


def _latex_number(value: float, precision: int) -> str:
    """``3.53e-05`` as LaTeX sets it."""
    if math.isinf(value):
        return r"\infty"
    mantissa, _, exponent = f"{value:.{precision}g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
