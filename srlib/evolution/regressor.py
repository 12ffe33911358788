"""Regularised evolution on islands as a scikit-learn estimator."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np

from ..events import Preparing
from ..operators import suggest
from ..parameters import chosen_operators, one_blas_thread, read_guesses, threads, words
from ..run import Run
from ..scikit import check_is_fitted, check_random_state
from ..units import unreachable
from .checks import check_parameters
from .engine import EXACT, STATE_VERSION, Engine
from .history import History
from .objective import Objective
from .options import Options
from .prepare import read_loss
from .settings import PRESETS, Settings
from .several import SeveralTargets
from .warm import compile_engine

__all__ = ["EvolutionRegressor"]

OWN = tuple(field.name for field in dataclasses.fields(Settings))


class EvolutionRegressor(SeveralTargets):
    """Symbolic regression by regularised evolution on islands: PySR's algorithm, compiled.

    Each part of the algorithm (Algorithms 1 to 3 of the symbolic-regression lecture, document 003) is a function of its
    own in :mod:`srlib.evolution`. Constants are fitted by Levenberg-Marquardt with exact derivatives. Parameters have
    PySR's names and meaning where PySR has them; those that say None take their number from the preset.

    Parameters
    ----------
    niterations : int
        How often the islands meet and trade members.
    binary_operators, unary_operators : sequence of str or Operator
        What formulas are made of: names or symbols (:mod:`srlib.operators`), definitions such as
        ``"special(x, y) = cos(x) * (x + y)"``, or Python functions that numba can compile
        (:func:`srlib.functions.from_function`).
    maxsize, maxdepth : int
        The largest complexity, and the most levels.
    preset : {"default", "paper"}
        "paper" is the pseudo-code of 2023, smaller: annealing, frecency, the oldest replaced, no regression. "default"
        is what we found strongest: a sparse regression over small expressions first, constants of every child fitted,
        scale and offset of every term solved for, formulas that came before not tried again, and a place in the
        population for each complexity, which is what frecency is for. The regression takes a few seconds, and
        at most half of the time that ``niterations`` gives to the islands where that is longer; a few scouting
        islands take turns with it.
    populations, population_size, ncycles_per_iteration : int, optional
        Islands (n_p), members of each (L), and children that each makes between two meetings (n_c).
    tournament_selection_n, tournament_selection_p : int, float, optional
        How many compete to be a parent (n_s), and how likely the fittest wins (p).
    adaptive_parsimony_scaling, use_frequency : float, bool, optional
        How much a crowded complexity counts against a formula in the tournament, and whether it does in the acceptance.
    annealing, alpha : bool, float, optional
        Whether a worse child may be rejected, by ``exp(-(new - old)/(alpha T))``, the temperature T falling from 1 to
        0.
    parsimony : float, optional
        What a unit of complexity costs, in units of the loss.
    crossover_probability, mutation_weights, perturbation_factor, probability_negate_constant, mutation_repeat
        How children are made. The weights are a mapping by mutation (:data:`srlib.evolution.MUTATIONS`).
    fraction_replaced, fraction_replaced_hof : float, optional
        The share of members that the other islands' best, and the hall of fame's, replace at a meeting.
    initial_operators : int, optional
        Operators of the first random formulas.
    optimize_probability, optimizer_iterations : float, int, optional
        The share of formulas whose constants are fitted (1: every child; otherwise of the members at a meeting), and
        the steps.
    replacement : {"crowding", "oldest"}, optional
        Whose place a child takes: the worst of its complexity's, or the oldest member's.
    linear_scaling, duplicates, regression, rescale : optional
        Whether the factors of a formula's terms and its offset are solved for (needs ``+`` and ``*``); how often a
        formula with constants is fitted anew (0: no look for duplicates); whether a sparse regression comes first;
        whether columns of order 1e20 are scaled during the search.
    constraints, nested_constraints : mapping, optional
        As in PySR: ``{"pow": (-1, 1)}``, ``{"sin": {"sin": 0}}`` (:mod:`srlib.evolution.constraints`).
    complexity_of_operators, complexity_of_constants, complexity_of_variables : optional
        What a node counts; 1 by default.
    elementwise_loss : str or callable
        "squared", "absolute", "huber(1.0)", "quantile(0.5)", "logcosh", or a function of (prediction, target) that is
        never negative and that numba can compile.
    batching : {"auto"} or bool
        Whether each iteration looks at a random part of the rows; "auto": above 2000 rows. The hall of fame and the
        front are judged on all of them.
    batch_size : int
        Rows of a batch.
    select_k_features : int, optional
        Use only so many columns, chosen by a random forest.
    denoise : bool
        Smooth the target by a Gaussian process first.
    guesses : sequence of str or Expression
        Formulas to begin with. One that breaks a limit or does not balance is an error.
    X_units, y_units : sequence of str, str, optional
        Units of the columns and of the target, such as ``["kg", "m"]`` and ``"m/s^2"``: only formulas that balance are
        kept (:mod:`srlib.units`). For a target of several columns ``y_units`` may be a list, one for each.
    dimensionless_constants_only : bool
        Whether constants in the front's formulas are pure numbers; otherwise a constant takes the unit that is needed,
        as it does on the islands in any case (:mod:`srlib.evolution.pure`).
    readable : bool
        Whether constants that the data cannot tell from a readable number (3, 1/2, pi) are written so in the end.
    executor : concurrent.futures.Executor, optional
        Where the islands are worked on; by default ``n_jobs`` threads. Past one machine:
        ``EvolutionRegressor(executor=client.get_executor())`` of dask.distributed; see Notes.
    stop_when : float, callable, "exact" or None
        "exact": end when a formula is exact up to rounding and a few more iterations have brought no shorter one.
    model_selection, random_state, time_limit, max_evaluations, n_jobs, callbacks, checkpoint, warm_start
        See :class:`~srlib.SymbolicRegressor`. With ``warm_start`` a fit that was stopped before its last iteration is
        finished, and any other goes on for ``niterations`` more.

    Attributes
    ----------
    history_ : srlib.evolution.History
        The front over time, and the ancestry of its formulas; see also :meth:`plot_history`.
    n_iterations_ : int
        Iterations that were completed.
    front_, equations_, …
        See :class:`~srlib.SymbolicRegressor`. For a target of several columns ``estimators_`` holds one fitted
        regressor for each, and ``equations_`` their tables.

    Notes
    -----
    **Clusters.** Any executor of the standard interface will do. On SLURM, PBS or LSF::

        from dask_jobqueue import SLURMCluster      # pip install dask-jobqueue
        from dask.distributed import Client

        cluster = SLURMCluster(cores=8, processes=8, memory="16GB", walltime="01:00:00")
        cluster.scale(jobs=10)
        model = EvolutionRegressor(populations=160, executor=Client(cluster).get_executor())

    and on Kubernetes, where Dask's operator is installed::

        from dask_kubernetes.operator import KubeCluster   # pip install dask-kubernetes

        cluster = KubeCluster(name="srlib", image="registry.example.org/srlib:1")
        cluster.scale(80)

    Workers need the same versions of Python, numpy and srlib as the process that fits. Each machine compiles the engine
    once; to have that done before, run ``python -m srlib.evolution`` where the image is built, or once on a file system
    that the workers share. An island's state travels with each task (about half a megabyte either way), the table only
    to workers that do not have it yet (a batch each time), and a task whose worker dies is done again elsewhere with
    the same result. Islands should be a multiple of the workers, and ``ncycles_per_iteration`` large enough that an
    iteration takes a second or more, because they wait for each other at its end. A ``checkpoint`` outlives the job
    that fits, too.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0.1, 3, 60)[:, None]
    >>> y = 2 * np.sin(1.5 * x[:, 0]) + x[:, 0]
    >>> model = EvolutionRegressor(unary_operators=["sin"], niterations=5, random_state=0).fit(x, y)
    >>> model.best().size, round(model.score(x, y), 9)
    (8, 1.0)
    """

    def __init__(
        self,
        niterations=50,
        binary_operators=("+", "-", "*", "/"),
        unary_operators=(),
        maxsize=30,
        maxdepth=None,
        *,
        preset="default",
        populations=None,
        population_size=None,
        ncycles_per_iteration=None,
        tournament_selection_n=None,
        tournament_selection_p=None,
        adaptive_parsimony_scaling=None,
        use_frequency=None,
        annealing=None,
        alpha=None,
        parsimony=None,
        crossover_probability=None,
        mutation_weights=None,
        perturbation_factor=None,
        probability_negate_constant=None,
        mutation_repeat=None,
        fraction_replaced=None,
        fraction_replaced_hof=None,
        initial_operators=None,
        optimize_probability=None,
        optimizer_iterations=None,
        replacement=None,
        linear_scaling=None,
        duplicates=None,
        regression=None,
        rescale=None,
        constraints=None,
        nested_constraints=None,
        complexity_of_operators=None,
        complexity_of_constants=1,
        complexity_of_variables=1,
        elementwise_loss="squared",
        batching="auto",
        batch_size=500,
        select_k_features=None,
        denoise=False,
        guesses=(),
        X_units=None,
        y_units=None,
        dimensionless_constants_only=False,
        readable=True,
        executor=None,
        stop_when="exact",
        model_selection="best",
        random_state=None,
        time_limit=None,
        max_evaluations=None,
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
        self.niterations = niterations
        self.binary_operators = binary_operators
        self.unary_operators = unary_operators
        self.maxsize = maxsize
        self.maxdepth = maxdepth
        self.preset = preset
        self.populations = populations
        self.population_size = population_size
        self.ncycles_per_iteration = ncycles_per_iteration
        self.tournament_selection_n = tournament_selection_n
        self.tournament_selection_p = tournament_selection_p
        self.adaptive_parsimony_scaling = adaptive_parsimony_scaling
        self.use_frequency = use_frequency
        self.annealing = annealing
        self.alpha = alpha
        self.parsimony = parsimony
        self.crossover_probability = crossover_probability
        self.mutation_weights = mutation_weights
        self.perturbation_factor = perturbation_factor
        self.probability_negate_constant = probability_negate_constant
        self.mutation_repeat = mutation_repeat
        self.fraction_replaced = fraction_replaced
        self.fraction_replaced_hof = fraction_replaced_hof
        self.initial_operators = initial_operators
        self.optimize_probability = optimize_probability
        self.optimizer_iterations = optimizer_iterations
        self.replacement = replacement
        self.linear_scaling = linear_scaling
        self.duplicates = duplicates
        self.regression = regression
        self.rescale = rescale
        self.constraints = constraints
        self.nested_constraints = nested_constraints
        self.complexity_of_operators = complexity_of_operators
        self.complexity_of_constants = complexity_of_constants
        self.complexity_of_variables = complexity_of_variables
        self.elementwise_loss = elementwise_loss
        self.batching = batching
        self.batch_size = batch_size
        self.select_k_features = select_k_features
        self.denoise = denoise
        self.guesses = guesses
        self.X_units = X_units
        self.y_units = y_units
        self.dimensionless_constants_only = dimensionless_constants_only
        self.readable = readable
        self.executor = executor

    # ------------------------------------------------------------ the search

    def _prepare(self):
        compile_engine(lambda what: [callback(Preparing(what)) for callback in self.callbacks])

    _state_version = STATE_VERSION

    def _search(self, X, y, sample_weight, run: Run, state: dict | None):
        history = getattr(self, "history_", None)
        if state is None or self.checkpoint is not None or history is None or state["data"] != run.about["data"]:
            history = History()
        history.go_on()
        self._engine, self.history_, self.n_iterations_ = None, history, 0
        if run.time_limit is not None:
            run.reserve = min(3.0, 0.1 * run.time_limit)
        if isinstance(run.stop_when, str):  # "exact": the engine sees to it
            run.stop_when = None
        done, began = (0, 0) if state is None else (state["iteration"], state["began"])
        end = began + self.niterations
        if state is not None and (done >= state["planned"] or end <= done):  # not to be finished, but to be continued
            began, end = done, done + self.niterations
        run.about.update(began=began, planned=end)
        run.start(end, done, *X.shape)
        seed = int(check_random_state(self.random_state).randint(2**31))
        with one_blas_thread():
            self._engine = Engine(
                self._options(X.shape[1]), X, y, sample_weight, self._names, seed, state, run.look, history
            )
            try:
                self._engine.search(run, state, end - done)
            finally:
                self.n_iterations_ = self._engine.completed
                self.history_.front(run.elapsed, run.evaluations, run.front.copy())

    def _polish(self, X, y, sample_weight, run: Run):
        if self._engine is not None:
            try:
                with one_blas_thread():
                    self._engine.polish(run)
            finally:
                self._engine = None
            self.history_.front(run.elapsed, run.evaluations, run.front.copy())

    def _loss(self, X, y, sample_weight):
        return Objective(np.ascontiguousarray(X.T), y, sample_weight, read_loss(self.elementwise_loss))

    def _options(self, n_features: int) -> Options:
        """The parameters, read and checked as far as they do not depend on the data."""
        operators = chosen_operators(self.binary_operators, self.unary_operators)
        own = {name: value for name in OWN if (value := getattr(self, name, None)) is not None}
        if "mutation_weights" in own:
            own["mutation_weights"] = dict(own["mutation_weights"])
        settings = dataclasses.replace(PRESETS[self.preset], **own)
        names = {operator.name for operator in operators}
        if not {"add", "mul"} <= names and settings.linear_scaling:
            settings = dataclasses.replace(settings, linear_scaling=False)
        return Options(
            operators=operators, settings=settings, maxsize=self.maxsize, maxdepth=self.maxdepth,
            limits={
                name: getattr(self, name)
                for name in (
                    "constraints", "nested_constraints", "complexity_of_operators", "complexity_of_constants",
                    "complexity_of_variables",
                )
            },
            loss=read_loss(self.elementwise_loss), batching=self.batching, batch_size=self.batch_size,
            select_k_features=self.select_k_features, denoise=self.denoise,
            guesses=read_guesses(self.guesses, self._names, n_features, operators),
            units=self._units(n_features), readable=self.readable, executor=self.executor, n_jobs=threads(self.n_jobs),
            until_exact=self.stop_when == EXACT if isinstance(self.stop_when, str) else False,
            time_limit=self.time_limit,
        )  # fmt: skip

    def _units(self, n_features: int):
        """The arguments of srlib.dimensions.unit_rules, or None; a ValueError if they cannot balance."""
        if self.X_units is None and self.y_units is None:
            return None
        X_units = [""] * n_features if self.X_units is None else list(self.X_units)
        if len(X_units) != n_features:
            raise ValueError(f"X_units has {len(X_units)} entries, but X has {n_features} columns: give one for each")
        y_units = self.y_units
        if y_units is not None:
            if not isinstance(y_units, str):
                raise ValueError(f"y_units is {y_units!r}: give the unit of y, such as 'm/s', or None")
            problem = unreachable(X_units, y_units, self.dimensionless_constants_only)
            if problem:
                raise ValueError(problem)
        return X_units, y_units, self.dimensionless_constants_only

    def _own_parameters(self, j: int, targets: int) -> dict:
        units = self.y_units
        if units is None or isinstance(units, str) or not np.iterable(units):
            return {}
        if len(units) != targets:
            raise ValueError(f"y_units has {len(units)} entries, but y has {targets} columns: give one for each")
        return {"y_units": units[j]}

    def _read_state(self, state: dict) -> dict:
        numbers = {name: int(state[name]) for name in ("iteration", "began", "planned", "idle")}
        missing = {"islands", "hall", "complexities", "rng", "chosen", "scales", "data"} - set(state)
        if missing:
            raise KeyError(*sorted(missing))
        return {**super()._read_state(state), **numbers}

    def _earlier_state(self, n_features: int) -> dict | None:
        state = super()._earlier_state(n_features)
        operators = chosen_operators(self.binary_operators, self.unary_operators)
        lacking = set(state.get("operators", ())) - set(map(words, operators)) if state else set()
        if lacking:
            raise ValueError(
                f"binary_operators and unary_operators lack {', '.join(map(repr, sorted(lacking)))}, which the earlier "
                "fit had: add what is missing, or fit with warm_start=False"
            )
        return state

    # ------------------------------------------------------------ answers

    def plot_history(self, ax=None):
        """The lowest loss against seconds, with the complexities that reached it; one line for each target.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        from .plots import draw_history

        if hasattr(self, "estimators_"):
            for j, one in enumerate(self.estimators_):
                ax = draw_history(one.history_, ax, f"target {j}")
            return ax
        check_is_fitted(self, "history_")
        return draw_history(self.history_, ax)

    def __getstate__(self):
        return {**super().__getstate__(), "_engine": None, "executor": None}  # an executor does not pickle

    def __sklearn_clone__(self):
        alone = copy.copy(self)  # has no executor, which cannot be copied: the clone works with the same one
        return super(EvolutionRegressor, alone).__sklearn_clone__().set_params(executor=self.executor)

    # ------------------------------------------------------------ checks

    def _check_parameters(self):
        stop_when = self.stop_when
        if isinstance(stop_when, str):
            if stop_when != EXACT:
                raise ValueError(
                    f"stop_when is {stop_when!r}: give 'exact', a loss, a function of (loss, complexity), or None"
                    f"{suggest(stop_when, (EXACT,))}"
                )
            self.stop_when = None
        try:
            super()._check_parameters()
        finally:
            self.stop_when = stop_when
        check_parameters(self)
