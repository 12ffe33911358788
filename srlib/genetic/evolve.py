"""The main loop: the seven steps of the genetic algorithm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import count
from random import Random

from ..expression import Expression
from ..run import Run
from .fitness import Fitness
from .history import Individual
from .initialisation import Primitives, full, grow, ramped_half_and_half
from .selection import roulette, tournament
from .variation import constant_mutation, crossover, hoist_mutation, point_mutation, subtree_mutation

__all__ = ["MUTATIONS", "Settings", "breed", "evaluate", "evolve", "initial_trees", "replace"]

BLOCK = 64  # formulas between two looks at the clock

MUTATIONS: dict[str, Callable[[Expression, Primitives, Random], Expression]] = {
    "subtree": subtree_mutation,
    "point": point_mutation,
    "hoist": lambda expression, primitives, rng: hoist_mutation(expression, rng),
    "constant": lambda expression, primitives, rng: constant_mutation(expression, rng),
}


@dataclass(frozen=True)
class Settings:
    """How a population evolves; see :class:`~srlib.genetic.GeneticRegressor` for what each one means."""

    population_size: int = 1000
    generations: int = 20
    selection: str = "tournament"
    tournament_size: int = 7
    p_crossover: float = 0.7
    p_mutation: float = 0.5
    mutation_weights: Mapping[str, float] = field(
        default_factory=lambda: {"subtree": 1.0, "point": 1.0, "hoist": 0.5, "constant": 1.5}
    )
    elitism: int = 1
    init_method: str = "half and half"
    init_depth: tuple[int, int] = (2, 5)
    maxsize: int = 30
    maxdepth: int | None = None

    def allows(self, expression: Expression) -> bool:
        """Whether a formula keeps within the limits of size and depth."""
        return expression.size <= self.maxsize and (self.maxdepth is None or expression.depth <= self.maxdepth)


def evolve(
    fitness: Fitness,
    primitives: Primitives,
    settings: Settings,
    rng: Random,
    run: Run,
    population: Sequence[Individual] = (),
    generation: int = 0,
    guesses: Sequence[Expression] = (),
    executor: Executor | None = None,
) -> Iterator[tuple[int, list[Individual]]]:
    """Evolve a population; yields ``(generation, population)``, first the random one as generation 0.

    The seven steps are numbered as in the symbolic-regression lecture (document 003). A ``population`` that is given
    is taken to be that of ``generation``, and evolves on.
    """
    ids = count(1 + max((one.id for one in population), default=-1))
    if not population:
        trees = [*guesses, *initial_trees(primitives, settings, rng)][: settings.population_size]  # 1 initialisation
        population = evaluate([(tree, (), "random") for tree in trees], fitness, run, ids, {}, executor)  # 2 fitness
        yield 0, population
    while generation < settings.generations:  # 7 termination (or when `run` says stop)
        generation += 1
        offspring = breed(population, primitives, settings, rng)  # 3 selection, 4 crossover, 5 mutation
        known = {one.expression: one.loss for one in population}
        children = evaluate(offspring, fitness, run, ids, known, executor)  # 2 fitness evaluation
        population = replace(population, children, settings.elitism)  # 6 replacement
        yield generation, population


def breed(
    population: Sequence[Individual], primitives: Primitives, settings: Settings, rng: Random
) -> list[tuple[Expression, tuple[int, ...], str]]:
    """Steps 3 to 5: the next generation's new formulas, as (formula, its parents' ids, how it was made)."""
    wanted = settings.population_size - settings.elitism
    by_tournament = settings.selection == "tournament"
    select = tournament(population, settings.tournament_size) if by_tournament else roulette(population)
    offspring = []
    while len(offspring) < wanted:
        mother, father = select(rng), select(rng)  # 3 selection
        if rng.random() < settings.p_crossover:  # 4 crossover
            children = crossover(mother.expression, father.expression, rng)
            parents, how = (mother.id, father.id), "crossover"
        else:
            children, parents, how = (mother.expression,), (mother.id,), "copy"
        for child in children:
            made_by = how
            if rng.random() < settings.p_mutation:  # 5 mutation
                (kind,) = rng.choices(list(settings.mutation_weights), settings.mutation_weights.values())
                child, made_by = MUTATIONS[kind](child, primitives, rng), f"{how}, {kind}"
            if settings.allows(child):
                offspring.append((child, parents, made_by))
            else:  # too long: the mother lives on in its place
                offspring.append((mother.expression, (mother.id,), "copy"))
    return offspring[:wanted]


def replace(population: Sequence[Individual], offspring: Sequence[Individual], elitism: int) -> list[Individual]:
    """Step 6, replacement: the offspring take over, but the ``elitism`` fittest of their parents' generation stay."""
    elite = sorted(population, key=lambda individual: individual.fitness)[:elitism]
    return [*elite, *offspring]


def initial_trees(primitives: Primitives, settings: Settings, rng: Random) -> list[Expression]:
    """Step 1: the random formulas of the first generation, within the limits of size and depth."""
    first, last = settings.init_depth
    last = min(last, settings.maxdepth or last)
    first = min(first, last)
    if settings.init_method == "half and half":
        return ramped_half_and_half(primitives, settings.population_size, (first, last), rng, settings.maxsize)
    method = {"full": full, "grow": grow}[settings.init_method]
    trees = []
    while len(trees) < settings.population_size:
        depth = rng.randint(first, last)
        tree = method(primitives, depth, rng)
        while tree.size > settings.maxsize:
            depth -= depth > 1
            tree = method(primitives, depth, rng)
        trees.append(tree)
    return trees


def evaluate(
    trees: Sequence[tuple[Expression, tuple[int, ...], str]],
    fitness: Fitness,
    run: Run,
    ids: Iterator[int],
    known: dict[Expression, float],
    executor: Executor | None = None,
) -> list[Individual]:
    """Step 2: compare formulas with the data, each different one once.

    ``trees`` are (formula, parents, how it was made); ``known`` holds losses from before and gets the new ones. The
    order of events, and so the result, does not depend on the executor.
    """
    new = list(dict.fromkeys(tree for tree, _, _ in trees if tree not in known))
    at = 0
    while at < len(new):
        run.check()
        block = new[at : at + int(min(BLOCK, run.evaluations_left))]
        losses = (executor.map if executor else map)(fitness.loss, block)
        for tree, loss in zip(block, losses, strict=True):
            run.look()  # on a million rows, one formula takes long enough
            known[tree] = loss
            run.count()
            if run.front.wants(loss, tree.complexity):
                for form, its_loss in fitness.forms(tree, loss):
                    run.offer(form, its_loss)
        at += len(block)
    return [
        Individual(tree, known[tree], fitness.of(tree, known[tree]), next(ids), parents, how)
        for tree, parents, how in trees
    ]
