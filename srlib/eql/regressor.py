"""The equation learner as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from ..data import canonical
from ..estimator import SymbolicRegressor
from ..events import Preparing
from ..parameters import threads
from ..polish import polish
from ..run import Run, StopSearch
from ..scikit import check_random_state
from ..validation import check_number, check_range
from .formulas import EXACT, Formulas
from .network import Architecture
from .search import Block, Candidate, one_torch_thread
from .sparsity import read_sparsity
from .training import Phase
from .units import read_units

__all__ = ["DEFAULT_UNITS", "EQLRegressor"]

DEFAULT_UNITS = {
    "constant": 1, "identity": 3, "square": 3, "sin": 4, "exp": 3, "sigmoid": 3, "product": 3
}  # fmt: skip
BLOCK = 20  # trials that train together; fixed, so that the number of threads does not change the result
SCALES = (0.5, 0.5, 1.0)  # standard deviations of first weights
CHAINS = 3  # of the best trials of a block are pruned
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
    extrapolation : float, optional
        How many times wider than the data the range is, in each column, on which formulas will be asked; at least 1.
        One step of training in 50 then lowers denominators near 0 and values beyond ten standard deviations of the
        target there (the penalty epochs of EQL-div; :class:`~srlib.eql.training.PenaltyEpochs`).
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
        extrapolation=None,
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
        self.extrapolation = extrapolation

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
        formulas = Formulas(X, y, sample_weight, run, self._names, rng, self.validation, self.maxsize)
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

    def _blocks(self, number: int, seed: int, formulas: Formulas) -> list[Block]:
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
                SCALES, tuple(self.density), self.threshold, CHAINS, EXACT, self.extrapolation,
            )
            for at in range(0, self.trials, BLOCK)
        ]  # fmt: skip

    def _train(self, blocks: list[Block], run: Run, formulas: Formulas) -> list[Candidate]:
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
        X, y, sample_weight = canonical(X, y, sample_weight)
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
        from ..kernels.api import compile_evaluation

        compile_evaluation(lambda what: [callback(Preparing(what)) for callback in self.callbacks])

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
        check_number("extrapolation", self.extrapolation, least=1, optional=True)


def _errors(blocks: list[Block]) -> np.ndarray:
    return np.concatenate([block.errors for block in blocks])
