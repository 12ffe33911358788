"""The Gumbel-Max equation learner as a scikit-learn estimator."""

from __future__ import annotations

import math
import time
import warnings

import numpy as np

from ..data import canonical
from ..estimator import SymbolicRegressor
from ..events import Preparing
from ..operators import suggest
from ..parameters import one_blas_thread
from ..polish import polish
from ..run import LAST_TOUCH, Run, StopSearch
from ..scikit import check_random_state
from ..validation import check_number
from .formulas import Formulas
from .network import Architecture, read_layers
from .presets import ARCHITECTURES, read_preset
from .refitting import begin
from .training import Step, Training, plain

__all__ = ["GMEQLRegressor"]

EVERY = 20  # steps between two events
HARVEST = 500  # steps between two looks at the elites' formulas while weights are shared
BEST = 20  # elites that become formulas then, and in the end
SHOWN = 10  # elites in an event
PARTS_OF_STATE = ("layers", "number", "record", "rng", "z", "w", "u", "adam", "elites")


class GMEQLRegressor(SymbolicRegressor):
    """Symbolic regression by Gumbel-Max equation-learner networks (G. Chen 2020; document 004).

    The nodes of a network are elementary functions. What each of their inputs is connected to is drawn at random, with
    probabilities that are trained. A repository keeps the best networks, and new ones are made of them by drawing a
    part of the connections anew.

    With ``preset="paper"`` this is the paper's Algorithm 1. By default the connections of each network are one-hot, so
    that a network is a formula, and each new formula has weights of its own, found by least squares with an intercept;
    the repository trains the probabilities. That finds the laws of the paper in seconds, because a wrong weight no
    longer hides a right structure.

    Parameters
    ----------
    layers : str or sequence of sequence of str
        A name in :data:`srlib.gmeql.ARCHITECTURES`, or for each hidden layer the functions of its nodes
        (:data:`srlib.gmeql.FUNCTIONS` and ``"sum"``).
    preset : {"default", "paper"} or Settings
        How to train; see :class:`srlib.gmeql.Settings`.
    maxsize : int
        The largest formula, in nodes.
    model_selection, random_state, time_limit, max_evaluations, stop_when, n_jobs, callbacks, checkpoint, warm_start
        See :class:`~srlib.estimator.SymbolicRegressor`. Everything runs in one thread, whatever ``n_jobs`` says.

    Attributes
    ----------
    mae_ : dict
        Mean absolute errors of the best instance: "soft" of its mixture, which the paper reports ("soft" is absent
        where samples are hard), "hard" of the one-hot network with the same weights, which is a formula, and "refit" of
        the lowest on the front.
    probabilities_ : ndarray, shape (rows, widest)
        How likely each connection instance is in the end.
    architecture_ : Architecture
    n_dropped_ : int
        Network instances that had no finite value in some row.
    front_, equations_, …
        See :class:`~srlib.estimator.SymbolicRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).uniform(0, 3, (100, 2))
    >>> model = GMEQLRegressor(random_state=0).fit(X, 1.5 * np.sin(1.2 * X[:, 0]) * X[:, 1])
    >>> print(model.best().format(3))
    1.5*(sin(1.2*x0)*x1)
    """

    _state_version = 2

    def __init__(
        self,
        layers="generic",
        preset="default",
        maxsize=60,
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
        super().__init__(
            model_selection=model_selection,
            random_state=random_state,
            time_limit=time_limit,
            max_evaluations=max_evaluations,
            stop_when=stop_when,
            n_jobs=n_jobs,
            callbacks=callbacks,
            checkpoint=checkpoint,
            warm_start=warm_start,
        )
        self.layers = layers
        self.preset = preset
        self.maxsize = maxsize

    # ------------------------------------------------------------ the search

    def _search(self, X, y, sample_weight, run: Run, state: dict | None):
        settings, self.architecture_ = read_preset(self.preset), Architecture(X.shape[1], self._layers())
        if self.architecture_.most_inputs < X.shape[1]:
            warnings.warn(
                f"layers is {self.layers!r}: a formula of this network takes at most {self.architecture_.most_inputs} "
                f"of the {X.shape[1]} columns; add a layer, or functions of two arguments, if all matter",
                RuntimeWarning,
                stacklevel=3,
            )
        X, y, sample_weight = canonical(X, y, sample_weight)
        formulas = Formulas(X, y, sample_weight, run, self._names, self.maxsize)
        seed = int(check_random_state(self.random_state).randint(2**31)) if state is None else 0
        training = begin(self.architecture_, X, y, settings, sample_weight, seed, formulas.parameters)
        if state is not None:
            training.restore(state["training"])
            if state["data"] != run.about["data"]:
                training.best = math.inf
                training.forget()
        if self.time_limit is not None:
            run.reserve = min(LAST_TOUCH, 0.3 * self.time_limit)
        run.start(settings.total, training.number, len(y), X.shape[1])
        try:
            formulas.begin()
            with one_blas_thread():
                self._train(training, formulas, run, settings)
        except (StopSearch, KeyboardInterrupt):
            self._harvest(training, formulas, until=time.monotonic() + LAST_TOUCH / 2)
            raise
        finally:
            self.mae_, self.probabilities_ = training.errors(), training.probabilities()
            self.n_dropped_ = training.dropped
        if training.dropped == training.measured > 0:
            warnings.warn(
                f"all {training.measured} networks that were sampled had no finite value in some row: the formula is "
                f"the mean; choose other layers than {self.layers!r}, or data within the functions' domains",
                RuntimeWarning,
                stacklevel=4,
            )

    def _train(self, training: Training, formulas: Formulas, run: Run, settings) -> None:
        while training.number < settings.total:
            run.check()
            step = training.step()
            run.count(len(step.errors))
            if settings.refit and step.improved:
                formulas.offer(training.form(0))
            elif not settings.refit and training.number % HARVEST == 0:
                self._harvest(training, formulas)
            done = settings.until_exact and formulas.exact()
            if done or training.number % EVERY == 0 or training.number == settings.total:
                run.iteration(training.number, settings.total, self._describe(training), self._details(training, step))
            if done:
                break
        self._harvest(training, formulas)

    def _harvest(self, training: Training, formulas: Formulas, until: float | None = None) -> None:
        """The formulas of the best elites; with a time given, without being stopped."""
        for rank in range(min(BEST, len(training.elites))):
            if until is None:
                formulas.run.look()
            if formulas.exact() or (until is not None and time.monotonic() > until):
                break
            key, form = int(training.elites.keys[rank]), training.form(rank)
            if form is not None and key not in formulas.offered:
                formulas.offered.add(key)
                formulas.offer(form, *(() if until is None else (until, True)))

    def _describe(self, training: Training):
        snapshot = training.snapshot()
        return lambda: {"training": plain(snapshot), "version": self._state_version}

    def _details(self, training: Training, step: Step) -> dict:
        """What an event says of the network: its probabilities, and its elites as formulas.

        "best_error" and "elite_errors" are those by which the repository is sorted: with refitted weights they count
        parameters, too. :func:`srlib.gmeql.graph` makes nodes and edges of "probabilities" and of one of "elite_edges".
        """
        shown = range(min(SHOWN, len(training.elites)))
        forms = [training.form(rank) for rank in shown]
        return {
            "stage": step.stage, "errors": step.errors, "best_error": training.best, "dropped": training.dropped,
            "restarts": training.restarts, "probabilities": training.probabilities(),
            "elite_errors": training.elites.errors[:SHOWN].copy(),
            "elite_edges": training.elites.take("edges", np.array(shown)) if shown else None,
            "elites": [None if form is None else form.expression(self._names) for form in forms],
        }  # fmt: skip

    def _polish(self, X, y, sample_weight, run: Run):
        """Constants fitted once more and written readably, dead parts dropped, standard errors."""
        X, y, sample_weight = canonical(X, y, sample_weight)
        formulas = Formulas(X, y, sample_weight, run, self._names, self.maxsize)
        formulas.tidy()
        polish(
            run.front, list(X.T), y, sample_weight, until=run.polish_until,
            fit=lambda one: formulas.refit(one, run.polish_until),
        )  # fmt: skip
        if len(run.front) and self.mae_:
            with np.errstate(all="ignore"):
                errors = np.abs(run.front[-1].expression.evaluate(X) - y)
            self.mae_["refit"] = float(np.average(errors, weights=sample_weight))

    # ------------------------------------------------------------ state

    def _read_state(self, state: dict) -> dict:
        training = state["training"]  # a damaged one is refused before anything begins
        for name in PARTS_OF_STATE:
            training[name]
        return super()._read_state(state)

    # ------------------------------------------------------------ parameters

    def _prepare(self):
        from ..kernels.many import compile_many

        compile_many(lambda what: [callback(Preparing(what)) for callback in self.callbacks])

    def _layers(self):
        if not isinstance(self.layers, str):
            return self.layers
        if self.layers not in ARCHITECTURES:
            known = f"choose from {', '.join(ARCHITECTURES)}, or give a list of layers"
            raise ValueError(f"layers is {self.layers!r}: {known}{suggest(self.layers, ARCHITECTURES)}")
        return ARCHITECTURES[self.layers]

    def _check_parameters(self):
        super()._check_parameters()
        read_layers(self._layers())
        read_preset(self.preset)
        check_number("maxsize", self.maxsize, least=3, whole=True)
