"""The genetic algorithm as a scikit-learn estimator."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from random import Random

import numpy as np

from ..constants import refit
from ..estimator import SymbolicRegressor
from ..expression import Expression
from ..front import ParetoFront
from ..operators import Operator
from ..parameters import chosen_operators, read_guesses, threads, words
from ..run import Run
from ..scikit import check_random_state
from ..validation import check_choice, check_number, check_range
from .evolve import MUTATIONS, Settings, evolve
from .fitness import LOSSES, Fitness
from .history import History, Individual
from .initialisation import Primitives

__all__ = ["GeneticRegressor"]

DEEPEST = 10  # levels of a random formula: full trees grow like 2**depth
ROWS_WORTH_THREADS = 5_000  # below, numpy is done before a second thread has begun


class GeneticRegressor(SymbolicRegressor):
    """Symbolic regression by the textbook genetic algorithm (the lecture's seven steps, document 003).

    Made to be read and watched: each step is a function of its own in :mod:`srlib.genetic`, and each generation is
    kept with the ancestry of every individual.

    Parameters
    ----------
    population_size : int
        How many formulas live at a time.
    generations : int
        How many times they are replaced.
    binary_operators, unary_operators : sequence of str or Operator
        What formulas are made of: names or symbols (:mod:`srlib.operators`), or definitions such as
        ``"special(x, y) = cos(x) * (x + y)"``.
    parsimony : float
        What a node costs, as a share of the target's standard deviation (:mod:`srlib.genetic.fitness`).
    selection : {"tournament", "roulette"}
        Who has children (:mod:`srlib.genetic.selection`).
    tournament_size : int
        How many compete for each place; 1 means no selection at all.
    p_crossover, p_mutation : float
        How likely two parents cross over, and how likely each child is mutated after that.
    mutation_weights : mapping of str to float, optional
        How often each mutation is taken: "subtree", "point", "hoist", "constant".
    elitism : int
        How many of the fittest live on unchanged.
    init_method : {"half and half", "full", "grow"}
        How the first formulas are made.
    init_depth : (int, int)
        The least and the largest depth of the first formulas.
    maxsize, maxdepth : int
        The largest formula; a child above it is replaced by its parent. None: no limit of depth.
    constant_range : (float, float), "auto" or None
        Where new constants are drawn from, uniformly. "auto": from (-5, 5), and half of them of any size between 1 and
        the ratio of the target's spread to the features', where that is far from 1 (days per astronomical unit, say).
        None: formulas without constants.
    loss : {"squared", "absolute", "huber"}
        The loss of one row.
    linear_scaling : bool
        Judge a formula ``f`` by the best ``a + b*f`` ("squared" loss only): evolution looks for the shape, least
        squares finds scale and offset (Keijzer 2003). Switch it off for the textbook's fitness.
    refit_constants : bool
        Whether the constants of the final front are fitted once more, by least squares ("squared" loss only).
    guesses : sequence of str or Expression
        Formulas that start in the first generation ("prior knowledge").
    keep_history : bool
        Whether all generations are kept in ``history_`` (about 1 kB per individual), or the last one only.
    model_selection, random_state, time_limit, max_evaluations, stop_when, n_jobs, callbacks, checkpoint, warm_start
        See :class:`~srlib.estimator.SymbolicRegressor`. With ``warm_start`` a fit goes on to ``generations`` from
        where the earlier one stood.

    Attributes
    ----------
    history_ : History
        All generations, with ancestry.
    population_ : list of Individual
        The last generation that was complete.
    front_, equations_, …
        See :class:`~srlib.estimator.SymbolicRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 30)[:, None]
    >>> model = GeneticRegressor(population_size=200, generations=10, random_state=1).fit(x, x[:, 0] ** 2 + x[:, 0])
    >>> bool(model.score(x, x[:, 0] ** 2 + x[:, 0]) > 0.999)
    True
    """

    def __init__(
        self,
        population_size=1000,
        generations=20,
        binary_operators=("+", "-", "*", "/"),
        unary_operators=(),
        parsimony=0.001,
        selection="tournament",
        tournament_size=7,
        p_crossover=0.7,
        p_mutation=0.5,
        mutation_weights=None,
        elitism=1,
        init_method="half and half",
        init_depth=(2, 5),
        maxsize=30,
        maxdepth=None,
        constant_range="auto",
        loss="squared",
        linear_scaling=True,
        refit_constants=True,
        guesses=(),
        keep_history=True,
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
        self.population_size = population_size
        self.generations = generations
        self.binary_operators = binary_operators
        self.unary_operators = unary_operators
        self.parsimony = parsimony
        self.selection = selection
        self.tournament_size = tournament_size
        self.p_crossover = p_crossover
        self.p_mutation = p_mutation
        self.mutation_weights = mutation_weights
        self.elitism = elitism
        self.init_method = init_method
        self.init_depth = init_depth
        self.maxsize = maxsize
        self.maxdepth = maxdepth
        self.constant_range = constant_range
        self.loss = loss
        self.linear_scaling = linear_scaling
        self.refit_constants = refit_constants
        self.guesses = guesses
        self.keep_history = keep_history

    def _search(self, X, y, sample_weight, run: Run, state: dict | None):
        scaled = self.linear_scaling and self.loss == "squared"
        fitness = Fitness(X, y, sample_weight, self.parsimony, self.loss, scaled)
        primitives, settings, rng = self._primitives(X, y), self._settings(), Random()
        population: list[Individual] = []
        generation = 0
        if state is None:
            rng.seed(int(check_random_state(self.random_state).randint(2**31)))
        else:
            generation = state["generation"]
            rng.setstate(state["rng"])
            population = self._judge_again(state["population"], fitness, run, X, y, sample_weight)
        self.history_ = History(first=generation)
        self.population_ = population
        if population:
            self.history_.add(population)
            run.remember(self._describe(generation, population, rng))
        run.start(self.generations, generation, *X.shape)
        with self._executor(len(y)) as executor:
            generations = evolve(
                fitness, primitives, settings, rng, run, population, generation, self._guesses(), executor
            )
            for generation, population in generations:
                self.population_ = population
                if not self.keep_history:
                    self.history_ = History(first=generation)
                self.history_.add(population)
                describe = self._describe(generation, population, rng)
                run.iteration(generation, self.generations, describe, {"population": tuple(population)})

    def _polish(self, X, y, sample_weight, run: Run):
        """The front's constants, fitted once more: mutation alone finds two or three digits of them."""
        if not self.refit_constants or self.loss != "squared":
            return
        fitness = Fitness(X, y, sample_weight, self.parsimony, self.loss)
        for entry in run.front.copy():
            fitted = refit(entry.expression, fitness.columns, fitness.y, fitness.weights, until=run.polish_until)
            run.front.add(fitted, fitness.loss(fitted), entry.complexity)

    def _loss(self, X, y, sample_weight):
        return Fitness(X, y, sample_weight, loss=self.loss).loss

    def _judge_again(self, population, fitness: Fitness, run: Run, X, y, sample_weight) -> list[Individual]:
        """An earlier fit's population and front with their losses now: data or parameters may be others."""
        plain, front = Fitness(X, y, sample_weight, self.parsimony, self.loss), ParetoFront(run.front.resolution)
        for entry in run.front:
            front.add(entry.expression, plain.loss(entry.expression), entry.complexity)
        run.front = front
        losses = [fitness.loss(one.expression) for one in population]
        return [
            dataclasses.replace(one, loss=loss, fitness=fitness.of(one.expression, loss))
            for one, loss in zip(population, losses, strict=True)
        ]

    def _read_state(self, state: dict) -> dict:
        version, internal, gauss = state["rng"]
        return {
            **super()._read_state(state),
            "generation": int(state["generation"]),
            "population": [Individual.from_dict(data) for data in state["population"]],
            "rng": (version, tuple(internal), gauss),
        }

    def _earlier_state(self, n_features: int) -> dict | None:
        state = super()._earlier_state(n_features)
        lacking = set(state.get("operators", ())) - set(map(words, self._operators())) if state else set()
        if lacking:
            raise ValueError(
                f"binary_operators and unary_operators lack {', '.join(map(repr, sorted(lacking)))}, which the earlier "
                "fit had: add what is missing, or fit with warm_start=False"
            )
        return state

    def _describe(self, generation, population, rng):
        """The state at this moment, as plain data when somebody asks for it."""
        rng_state, operators = rng.getstate(), list(map(words, self._operators()))
        return lambda: {
            "generation": generation,
            "operators": operators,
            "population": [individual.to_dict() for individual in population],
            "rng": rng_state,
        }

    # ------------------------------------------------------------ from parameters to parts

    def _operators(self) -> tuple[Operator, ...]:
        return chosen_operators(self.binary_operators, self.unary_operators)

    def _primitives(self, X, y) -> Primitives:
        scale, constant_range = 1.0, self.constant_range
        if isinstance(constant_range, str):  # "auto"
            spread = X.std(axis=0)  # (features,)
            ratio = 2 * np.median(y.std() / spread[spread > 0]) if (spread > 0).any() else 1.0
            scale = 1.0 if 0.1 < ratio < 10 else float(np.clip(ratio, 1e-30, 1e30))
            constant_range = (-5.0, 5.0)
        return Primitives(self._operators(), X.shape[1], constant_range, scale, names=self._names)

    def _settings(self) -> Settings:
        weights = {} if self.mutation_weights is None else {"mutation_weights": dict(self.mutation_weights)}
        same = (name for name in Settings.__dataclass_fields__ if name != "mutation_weights")
        return Settings(**{name: getattr(self, name) for name in same}, **weights)

    def _guesses(self) -> list[Expression]:
        return read_guesses(self.guesses, self._names, self.n_features_in_)

    def _executor(self, rows: int):
        """Threads where they help; the result is the same without them."""
        count = threads(self.n_jobs)
        return ThreadPoolExecutor(count) if count > 1 and rows >= ROWS_WORTH_THREADS else nullcontext()

    def _check_parameters(self):
        super()._check_parameters()
        check_number("population_size", self.population_size, least=2, whole=True)
        check_number("generations", self.generations, least=0, whole=True)
        check_number("parsimony", self.parsimony, least=0)
        check_number("tournament_size", self.tournament_size, least=1, whole=True)
        check_number("p_crossover", self.p_crossover, least=0, most=1)
        check_number("p_mutation", self.p_mutation, least=0, most=1)
        check_number("elitism", self.elitism, least=0, most=self.population_size - 1, whole=True)
        check_number("maxsize", self.maxsize, least=3, whole=True)
        check_number("maxdepth", self.maxdepth, least=1, whole=True, optional=True)
        check_choice("selection", self.selection, ("tournament", "roulette"))
        check_choice("init_method", self.init_method, ("half and half", "full", "grow"))
        check_choice("loss", self.loss, tuple(LOSSES))
        check_range("init_depth", self.init_depth, whole=True, least=1)
        if isinstance(self.constant_range, str):
            check_choice("constant_range", self.constant_range, ("auto",))
        elif self.constant_range is not None:
            check_range("constant_range", self.constant_range)
        if isinstance(self.init_depth[1], int) and self.init_depth[1] > DEEPEST and self.binary_operators:
            raise ValueError(
                f"init_depth is {self.init_depth!r}: give at most {DEEPEST} levels; a full tree of {DEEPEST} has "
                f"{2**DEEPEST - 1:,} nodes"
            )
        if isinstance(self.guesses, str) or not isinstance(self.guesses, Iterable):
            raise ValueError(f"guesses is {self.guesses!r}: give a list of formulas, such as ['x0**2'], or ()")
        if self.mutation_weights is not None and not isinstance(self.mutation_weights, Mapping):
            raise ValueError(
                f"mutation_weights is {self.mutation_weights!r}: give weights by name ({{'point': 1.0}}), or None"
            )
        for name, weight in (self.mutation_weights or {}).items():
            check_choice("mutation_weights", name, tuple(MUTATIONS))
            check_number(f"mutation_weights[{name!r}]", weight, least=0)
        if self.mutation_weights is not None and not sum(self.mutation_weights.values()) > 0 and self.p_mutation > 0:
            raise ValueError("mutation_weights are all 0: give one a positive weight, or set p_mutation=0")
        self._operators()
