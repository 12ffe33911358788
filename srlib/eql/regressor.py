"""The equation learner as a scikit-learn estimator."""

from __future__ import annotations

import time
import warnings
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
from sklearn.utils import check_random_state

from ..constants import mean_squared_error, refit
from ..estimator import SymbolicRegressor
from ..events import Preparing
from ..expression import Expression
from ..front import ParetoFront
from ..parameters import threads
from ..polish import polish
from ..run import Run, StopSearch
from ..validation import check_number, check_range
from .extraction import to_expression
from .network import Architecture
from .search import Block, Candidate, Table, one_torch_thread
from .sparsity import read_sparsity
from .training import Phase
from .units import read_units

__all__ = ["DEFAULT_UNITS", "EQLRegressor"]

DEFAULT_UNITS = {
    "constant": 1, "identity": 3, "square": 3, "sin": 4, "exp": 3, "sigmoid": 3, "product": 3
}  # fmt: skip
BLOCK = 20  # trials that train together; fixed, so that the number of threads does not change the result
CHAINS = 3  # of the best trials of a block are pruned
ROUNDING = 1e-13  # of the largest target
EXACT = 1e-22  # of the target's variance: an error of rounding
MOST_WEIGHTS = 15  # of a network that becomes a formula
ROWS = 1_000  # networks learn from at most so many; the formulas' constants are fitted to all
ROWS_TO_JUDGE = 20  # below so many rows none are held out
RESERVE = 0.8  # seconds of a time limit that are kept for the blocks to stop in


class EQLRegressor(SymbolicRegressor):
    """Symbolic regression by equation-learner networks (S. Kim et al., arXiv 1912.04825; document 000).

    A network whose neurons compute sin, exp, products and so on is trained under a penalty that makes most of its
    weights vanish; what is left is a formula. Here many small trainings replace a long one. They run together,
    from networks of different density, shallow ones before deep ones. Then weights are fitted exactly and pruned, the
    formulas of all trials and all stages of pruning meet in one front, and the search ends as soon as one is exact.

    Parameters
    ----------
    units : mapping of str or Unit to int
        How many units of each kind a layer has; see :data:`srlib.eql.UNITS`. :data:`srlib.eql.PAPER_UNITS` are those
        of the paper.
    n_layers : int
        Hidden layers of the deepest networks; rounds go through 1, 2, …, ``n_layers``.
    sparsity : {"L0.5", "L1", "L0"} or a penalty
        What makes weights vanish (:mod:`srlib.eql.sparsity`): smoothed L0.5, L1, relaxed L0, or an object of theirs.
    strength : float
        The penalty's factor, for a target of variance 1.
    threshold : float
        Weights up to this size are cut after training.
    trials : int
        Networks in a round.
    rounds : int
        How often new networks are trained, unless an exact formula is found before.
    steps : int
        Steps of training in a round; the last quarter at a fifth of the learning rate.
    learning_rate : float
        Of RMSProp.
    density : (float, float)
        The least and the largest share of its connections that a trial starts with; (1, 1) starts all from the same
        full network, as the paper does.
    validation : float
        The share of rows that are held out while formulas are made: a longer one must be better there, too. In the end
        constants are fitted to all rows.
    maxsize : int
        The largest formula, in nodes.
    model_selection, random_state, time_limit, max_evaluations, stop_when, n_jobs, callbacks, checkpoint, warm_start
        See :class:`~srlib.estimator.SymbolicRegressor`. The state for ``warm_start`` is that of the last full round.

    Attributes
    ----------
    n_restarts_ : int
        How many trials diverged and began anew.
    front_, equations_, …
        See :class:`~srlib.estimator.SymbolicRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    >>> model = EQLRegressor(random_state=0).fit(X, X[:, 0] * X[:, 1] + np.sin(3 * X[:, 0]))
    >>> print(model.best().format(3))
    x0*x1 + sin(3*x0)
    """

    _state_version = 1

    def __init__(
        self,
        units=None,
        n_layers=2,
        sparsity="L0.5",
        strength=5e-3,
        threshold=0.01,
        trials=40,
        rounds=16,
        steps=700,
        learning_rate=0.03,
        density=(0.3, 1.0),
        validation=0.2,
        maxsize=40,
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
        self.units = units
        self.n_layers = n_layers
        self.sparsity = sparsity
        self.strength = strength
        self.threshold = threshold
        self.trials = trials
        self.rounds = rounds
        self.steps = steps
        self.learning_rate = learning_rate
        self.density = density
        self.validation = validation
        self.maxsize = maxsize

    # ------------------------------------------------------------ the search

    def _search(self, X, y, sample_weight, run: Run, state: dict | None):
        if state is None:
            done, self.n_restarts_ = 0, 0
            seed = int(check_random_state(self.random_state).randint(2**31))
        else:
            done, seed, self.n_restarts_ = state["round"], state["seed"], state["restarts"]
        if self.time_limit is not None:
            run.reserve = min(RESERVE, 0.5 * self.time_limit)
        rng = np.random.default_rng(seed)
        formulas = _Formulas(X, y, sample_weight, run, self._names, rng, self.validation, self.maxsize)
        run.remember(self._describe(done, seed))
        run.start(self.rounds, done, *X.shape)
        formulas.begin()
        with one_torch_thread():
            for number in range(done, 0 if formulas.exact() else self.rounds):
                blocks = self._blocks(number, seed, formulas)
                candidates = self._train(blocks, run, formulas)
                formulas.offer(blocks[0].architecture, candidates)
                details = {
                    "layers": blocks[0].architecture.layers,
                    "restarts": self.n_restarts_,
                    "errors": _errors(blocks),
                }
                run.iteration(number + 1, self.rounds, self._describe(number + 1, seed), details)
                if formulas.exact():
                    break
        if formulas.all_cut and not formulas.candidates:
            warnings.warn(
                f"every weight was cut in all trials (threshold={self.threshold!r}, strength={self.strength!r}): the "
                "formula is the constant, or a plain linear one; choose smaller values",
                RuntimeWarning,
                stacklevel=4,
            )

    def _blocks(self, number: int, seed: int, formulas: _Formulas) -> list[Block]:
        """The blocks of a round: shallow networks and deep ones take turns."""
        layers = 1 + number % self.n_layers
        architecture = Architecture(self.n_features_in_, read_units(self._units()), layers)
        late = self.steps // 4
        phases = (
            Phase(self.steps - late, self.learning_rate, self.strength),
            Phase(late, self.learning_rate / 5, self.strength),
        )
        seeds = [(seed, number, trial) for trial in range(self.trials)]
        return [
            Block(
                architecture, formulas.table, read_sparsity(self.sparsity), phases, seeds[at : at + BLOCK],
                SCALES, tuple(self.density), self.threshold, CHAINS, EXACT,
            )
            for at in range(0, self.trials, BLOCK)
        ]  # fmt: skip

    def _train(self, blocks: list[Block], run: Run, formulas: _Formulas) -> list[Candidate]:
        """Run the blocks, some beside each other; stopped early, offer what they have and raise again."""
        with ThreadPoolExecutor(min(threads(self.n_jobs), len(blocks))) as executor:
            jobs = [executor.submit(block.run) for block in blocks]
            try:
                while wait(jobs, timeout=0.03).not_done:
                    run.check()
            except (StopSearch, KeyboardInterrupt):
                for block in blocks:
                    block.stop.set()
                for job in jobs:
                    job.cancel()
                wait(jobs)
                finished = [job.result() for job in jobs if not job.cancelled()]
                formulas.take(blocks[0].architecture, [one for found in finished for one in found], quick=True)
                self.n_restarts_ += sum(block.restarts for block in blocks)
                raise
            except BaseException:
                for block in blocks:
                    block.stop.set()
                raise
        self.n_restarts_ += sum(block.restarts for block in blocks)
        formulas.all_cut += sum(block.all_cut for block in blocks)
        return [candidate for job in jobs for candidate in job.result()]

    def _polish(self, X, y, sample_weight, run: Run):
        """Constants fitted once more and written readably, dead parts dropped, standard errors."""
        X, y, sample_weight = _canonical(X, y, sample_weight)
        polish(run.front, list(X.T), y, sample_weight, until=run.polish_until)

    # ------------------------------------------------------------ state

    def _describe(self, number: int, seed: int):
        restarts = self.n_restarts_
        return lambda: {"round": number, "seed": seed, "restarts": restarts, "version": self._state_version}

    def _read_state(self, state: dict) -> dict:
        whole = {name: int(state[name]) for name in ("round", "seed", "restarts")}
        return {**super()._read_state(state), **whole}

    # ------------------------------------------------------------ parameters

    def _prepare(self):
        from ..evolution.warm import compile_engine

        compile_engine(lambda what: [callback(Preparing(what)) for callback in self.callbacks])

    def _units(self):
        return DEFAULT_UNITS if self.units is None else self.units

    def _check_parameters(self):
        super()._check_parameters()
        read_units(self._units())
        read_sparsity(self.sparsity)
        check_number("n_layers", self.n_layers, least=1, most=5, whole=True)
        check_number("strength", self.strength, least=0)
        check_number("threshold", self.threshold, least=0)
        check_number("trials", self.trials, least=1, whole=True)
        check_number("rounds", self.rounds, least=1, whole=True)
        check_number("steps", self.steps, least=1, whole=True)
        check_number("learning_rate", self.learning_rate, above=0)
        check_range("density", self.density, least=0)
        check_number("maxsize", self.maxsize, least=3, whole=True)
        check_number("validation", self.validation, least=0, most=0.9)


SCALES = (0.5, 0.5, 1.0)  # standard deviations of first weights


def _errors(blocks: list[Block]) -> np.ndarray:
    return np.concatenate([block.errors for block in blocks])


def _canonical(X, y, sample_weight):
    """The table with equal rows once, in an order of its own, and how much each counts."""
    rows = np.column_stack([X, y])
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    unique, inverse = np.unique(rows, axis=0, return_inverse=True)
    total = np.bincount(np.reshape(inverse, -1), weights=weights, minlength=len(unique))
    if sample_weight is None and len(unique) == len(rows):
        total = None
    return np.ascontiguousarray(unique[:, :-1]), np.ascontiguousarray(unique[:, -1]), total


class _Formulas:
    """From networks to the front: the data as networks see them, and the formulas as they are judged.

    Columns are divided by their largest size and the target by its standard deviation. Nothing is shifted: that would
    turn x0*x1 into a sum of four terms.
    """

    def __init__(self, X, y, sample_weight, run: Run, names, rng: np.random.Generator, validation: float, maxsize: int):
        self.run, self.names = run, names
        X, y, self.sample_weight = _canonical(X, y, sample_weight)
        self.columns, self.y = list(X.T), y
        size = np.abs(X).max(axis=0)
        self.size = np.where(size > 0, size, 1.0)  # (features,)
        weights = np.ones(len(y)) if self.sample_weight is None else self.sample_weight
        self.variance = float(np.average((y - np.average(y, weights=weights)) ** 2, weights=weights))
        self.spread = float(np.sqrt(self.variance))
        chosen = np.sort(rng.permutation(len(y))[:ROWS])
        held_out = int(validation * len(chosen)) if len(chosen) >= ROWS_TO_JUDGE else 0
        judging = np.isin(np.arange(len(chosen)), rng.permutation(len(chosen))[:held_out])
        learn, judge = chosen[~judging], chosen[judging]
        self.table = Table(
            X[learn] / self.size, y[learn] / self.spread, weights[learn],
            X[judge] / self.size, y[judge] / self.spread, weights[judge],
        )  # fmt: skip
        self.most = min(MOST_WEIGHTS, max(3, len(learn) // 4))
        self.maxsize = maxsize
        self.all_cut = self.candidates = 0
        self.best: list[tuple[float, float]] = []  # complexity and validation error of what was taken

    def begin(self) -> None:
        """What comes before any network: the earlier fit's formulas on these data, the mean, the best plane."""
        earlier, self.run.front = list(self.run.front), ParetoFront(self.run.front.resolution)
        for entry in earlier:
            self.run.offer(entry.expression, self.loss(entry.expression), entry.complexity)
        weights = np.ones(len(self.y)) if self.sample_weight is None else self.sample_weight
        for features in (0, len(self.columns)):
            self.run.check()
            form = self._plane(features, np.stack(self.columns, 1), self.y, weights)
            on_these = self._plane(
                features, self.table.X * self.size, self.table.y * self.spread, self.table.sample_weight
            )
            self.best.append((form.complexity, self._validation_error(on_these)))
            self.run.count()
            self.run.offer(form, self.loss(form))

    def _plane(self, features: int, X, y, weights) -> Expression:
        """The best linear formula of the first so many features."""
        design = np.column_stack([np.ones(len(y)), X[:, :features] / self.size[:features]])
        root = np.sqrt(weights)
        found = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
        found[np.abs(found) < ROUNDING * np.abs(y).max()] = 0
        plane = Expression.constant(float(found[0]))
        for feature, slope in enumerate(found[1:] / self.size[:features]):
            if slope != 0:
                term = float(slope) * Expression.variable(feature, self.names)
                plane = term if plane.size == 1 and plane.constants[0] == 0 else plane + term
        return plane.with_names(self.names)

    def _validation_error(self, expression: Expression) -> float:
        """On the rows that judge, in the networks' scale; 0 where there are none."""
        table = self.table
        if len(table.y_valid) == 0:
            return 0.0
        error = mean_squared_error(
            expression, list((table.X_valid * self.size).T), table.y_valid * self.spread, table.weight_valid
        )
        return error / self.variance

    def loss(self, expression: Expression) -> float:
        return mean_squared_error(expression, self.columns, self.y, self.sample_weight)

    def exact(self) -> bool:
        return len(self.run.front) > 0 and self.run.front[-1].loss <= EXACT * self.variance

    def take(self, architecture: Architecture, candidates: list[Candidate], quick: bool = False) -> None:
        """As :meth:`offer`, but nothing ends it: the search has been stopped already."""
        until = time.monotonic() + 0.3
        for candidate in sorted(candidates, key=lambda one: one.stage.error)[:5]:
            form = self._form(architecture, candidate)
            if form is None or time.monotonic() > until or self.run.evaluations_left <= 0:
                continue
            self.run.count()
            self.run.front.add(form, self.loss(form))

    def offer(self, architecture: Architecture, candidates: list[Candidate]) -> None:
        """Judge formulas, the smallest networks first."""
        self.candidates += len(candidates)
        for candidate in sorted(candidates, key=lambda one: (one.stage.active, one.stage.error)):
            form = self._form(architecture, candidate)
            if form is None or self._no_better(form.complexity, candidate.validation):
                continue
            self.run.check()
            every = np.eye(len(form.constants))
            fitted = refit(form, self.columns, self.y, self.sample_weight, directions=every)
            self.run.count()
            loss = self.loss(fitted)
            if np.isfinite(loss):
                self.best.append((form.complexity, candidate.validation))
            self.run.offer(fitted, loss)

    def _no_better(self, complexity: float, validation: float) -> bool:
        """Whether a formula that is no longer did as well on the rows that judge."""
        return len(self.table.y_valid) > 0 and any(
            size <= complexity and error <= validation for size, error in self.best
        )

    def _form(self, architecture: Architecture, candidate: Candidate) -> Expression | None:
        """The formula over the user's columns."""
        if candidate.stage.active > self.most:
            return None
        weights = candidate.stage.weights.copy()
        n, m = architecture.shapes[0]
        weights[: n * m] /= np.repeat(self.size, m)
        weights[-architecture.width :] *= self.spread
        try:
            form = to_expression(architecture, weights, names=self.names)
        except ValueError:  # a denominator without any weight, or nothing finite
            return None
        return form.with_names(self.names) if form.size <= self.maxsize else None
