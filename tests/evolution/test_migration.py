"""Who goes where between islands."""

import numpy as np
import pytest
from scipy.stats import chisquare, poisson

from srlib import EvolutionRegressor, Expression
from srlib.evolution import archipelago
from srlib.evolution.archipelago import Archipelago
from srlib.evolution.evolve import COUNTS, crowded
from srlib.evolution.island import expression_of, new_island
from srlib.evolution.judge import BIRTH, COMPLEXITY, LOSS, NAME, SIZE, members
from srlib.evolution.migration import best_of_each_complexity, migrate, receive, take_better
from srlib.evolution.settings import PRESETS
from srlib.evolution.warm import compile_engine
from srlib.run import Run, StopSearch

CLOCK, FILLED = COUNTS[5], COUNTS[6]
BINS = 12


def rules(**own):
    return PRESETS["paper"].rules(10, 1.0)._replace(**own)


def group(*formulas, bins=BINS):
    """A hall of fame of (loss, formula), each at the place of its complexity."""
    made = members(bins, 20)
    for loss, text in formulas:
        formula = Expression.parse(text)
        place = formula.size
        made.codes[place, : formula.size], made.values[place, : formula.size] = formula.codes, formula.values
        made.info[place, [SIZE, BIRTH, NAME]] = formula.size, 3, 100 + place
        made.costs[place] = loss, formula.size
    return made


def island_of(number, losses, hall=(), room=None):
    """An island whose members are lone features with these losses."""
    island = new_island(number, 0, room or len(losses), 20, BINS)
    for i, loss in enumerate(losses):
        island.population.codes[i, 0] = -1
        island.population.info[i, [SIZE, BIRTH, NAME]] = 1, i, 1000 * number + i
        island.population.costs[i] = loss, 1.0
    island.counts[FILLED], island.counts[CLOCK] = len(losses), len(losses)
    island.hall = group(*hall)
    return island


def test_what_is_better_at_its_complexity_is_copied():
    hall = group((5.0, "x0"), (3.0, "sin(x0)"), (1.0, "x0 + 2"))
    other = group((4.0, "x1"), (3.0, "cos(x0)"), (2.0, "x0 - 2"), (0.5, "sin(x0) + 2"))
    assert take_better(hall, other).tolist() == [1, 4]
    assert [str(expression_of(hall, place)) for place in (1, 2, 3, 4)] == ["x1", "sin(x0)", "x0 + 2", "sin(x0) + 2"]
    assert hall.costs[[1, 2, 3, 4], LOSS].tolist() == [4.0, 3.0, 1.0, 0.5]
    other.codes[1], other.costs[1] = 0, 99.0  # a copy, not a view
    assert str(expression_of(hall, 1)) == "x1" and hall.costs[1, LOSS] == 4.0
    assert take_better(hall, members(BINS, 20)).tolist() == []


@pytest.mark.parametrize("seed", range(20))
def test_best_of_each_complexity(seed):
    rng = np.random.default_rng(seed)
    hall = members(BINS, 4)
    losses = np.where(rng.random(BINS) < 0.3, np.inf, rng.integers(0, 6, BINS).astype(float))
    hall.costs[:, LOSS] = losses
    expected = [place for place in range(BINS) if losses[place] < min(losses[:place], default=np.inf)]
    assert best_of_each_complexity(hall).tolist() == expected


def test_immigrants_come_by_poisson_and_equally_often():
    """With room at the islands for all: how many arrive, and which."""
    share, times = 0.3, 3000
    hall = group((5.0, "x1"), (6.0, "sin(x1)"), (3.0, "x1 + 2"), (1.0, "sin(x1) + 2"))  # sin(x1) is too bad
    rng, arrivals, kinds = np.random.default_rng(0), [], np.zeros(BINS)
    for _ in range(times):
        island = island_of(0, [9.0] * 10)
        before = island.counts[CLOCK]
        migrate([island], hall, (share, 0.0), rules(crowding=False), rng)
        arrivals.append(int(island.counts[CLOCK] - before))
        complexities = island.population.costs[:, COMPLEXITY]
        for complexity in complexities[island.population.costs[:, LOSS] < 9]:
            kinds[int(complexity)] += 1
    mean = share * 10
    bins = np.bincount(np.minimum(arrivals, 7), minlength=8)
    expected = [*poisson.pmf(range(7), mean), poisson.sf(6, mean)]
    assert chisquare(bins, np.array(expected) * times).pvalue > 0.001
    assert np.flatnonzero(kinds).tolist() == [1, 3, 4]
    assert kinds[[1, 3, 4]].min() > 0.9 * kinds.max()  # later ones replace earlier ones equally often


def test_the_neighbours_best_come_but_not_ones_own():
    rng = np.random.default_rng(1)
    halls = [(5.0, "x1")], [(4.0, "sin(x1)")], [(3.0, "x1*x1"), (7.0, "sin(x1)*x1")]
    islands = [island_of(i, [9.0] * 20, hall) for i, hall in enumerate(halls)]
    migrate(islands, members(BINS, 20), (0.0, 2.0), rules(crowding=False), rng)
    arrived = [{loss for loss in island.population.costs[:, LOSS].tolist() if loss < 9} for island in islands]
    assert arrived == [{4.0, 3.0}, {5.0, 3.0}, {5.0, 4.0}]


def test_nobody_moves_when_nothing_is_shared():
    islands = [island_of(i, [9.0, 8.0], [(1.0, "x1")]) for i in range(2)]
    before = [island.population.costs.copy() for island in islands]
    migrate(islands, group((1.0, "x1")), (0.0, 0.0), rules(), np.random.default_rng(0))
    migrate(islands[:1], members(BINS, 20), (5.0, 5.0), rules(), np.random.default_rng(0))  # no hall, no neighbours
    assert all(np.array_equal(a, island.population.costs) for a, island in zip(before, islands, strict=True))


def test_an_immigrant_takes_any_members_place_alike():
    hall, counts = group((1.0, "x1*2")), np.zeros(5)
    island = island_of(0, [9.0] * 5)
    for k in range(2000):
        island.population.costs[:, LOSS] = 9.0
        receive(island, hall, 3, rules(crowding=False))
        (at,) = np.flatnonzero(island.population.costs[:, LOSS] < 9)
        counts[at] += 1
        assert island.population.info[at, BIRTH] == island.counts[CLOCK] == 6 + k
        assert island.population.info[at, NAME] == 103 and str(expression_of(island.population, at)) == "x1*2"
    assert chisquare(counts).pvalue > 0.001 and island.counts[FILLED] == 5
    assert hall.info[3, BIRTH] == 3


def test_with_crowding_an_immigrant_must_be_better_than_the_worst_of_its_complexity():
    crowding = rules(crowding=True, quota=2)
    island = island_of(0, [9.0, 8.0], room=4)
    receive(island, group((8.5, "x1")), 1, crowding)
    assert island.population.costs[:2, LOSS].tolist() == [8.5, 8.0] and island.counts[FILLED] == 2
    receive(island, group((8.6, "x1")), 1, crowding)  # no better
    receive(island, group((8.0, "x1")), 1, crowding)  # a twin
    assert island.population.costs[:2, LOSS].tolist() == [8.5, 8.0] and island.counts[CLOCK] == 3
    receive(island, group((20.0, "x1*2")), 3, crowding)  # a complexity of its own: there is a free place
    assert island.counts[FILLED] == 3 and island.population.costs[2].tolist() == [20.0, 3.0]
    receive(island, group((30.0, "x1/2")), 3, crowding)
    assert island.counts[FILLED] == 4
    receive(island, group((50.0, "sin(x1)")), 2, crowding)  # full, and nobody of its kind to replace
    assert island.counts[FILLED] == 4 and 50.0 not in island.population.costs[:, LOSS]


def slow_crowded(costs, filled, loss, weight, quota):
    own = [i for i in range(filled) if costs[i][1] == weight]
    if any(abs(costs[i][0] - loss) <= 1e-9 * loss for i in own):
        return {-1}
    if len(own) < quota and filled < len(costs):
        return {filled}
    worst = max((costs[i][0] for i in own), default=-np.inf)
    return {i for i in own if costs[i][0] == worst} if loss < worst else {-1}


@pytest.mark.parametrize("seed", range(10))
def test_crowded(seed):
    rng = np.random.default_rng(seed)
    for _ in range(200):
        size = int(rng.integers(1, 8))
        costs = np.column_stack([rng.integers(1, 9, size), rng.integers(1, 4, size)]).astype(float)
        filled, quota = int(rng.integers(0, size + 1)), int(rng.integers(1, 4))
        loss, weight = float(rng.integers(0, 9)), float(rng.integers(1, 5))
        assert int(crowded(costs, filled, loss, weight, quota)) in slow_crowded(costs, filled, loss, weight, quota)


# ---------------------------------------------------------------- the hall of fame and batches


def archipelago_of(*halls, hall=()):
    islands = [island_of(number, [1.0], hall=formulas) for number, formulas in enumerate(halls)]
    world = Archipelago(islands, BINS, 20, np.random.default_rng(0))
    world.hall = group(*hall)
    return world


BATCH = [(0.1, "x0"), (0.3, "x0 + x1")], [(0.2, "x1"), (0.05, "sin(x0) + 2")]
WHOLE = {"x0": 4.0, "x0 + x1": 1.0, "sin(x0) + 2": 0.9}  # the losses on all rows; x1 is not the best of its batch


def test_newcomers_are_compared_with_the_hall_on_all_rows():
    world = archipelago_of(*BATCH, hall=[(3.0, "x2"), (2.0, "x2*x1")])
    assert world.admit(lambda one: WHOLE[str(one)], Run("a test")) == {3, 4}
    assert [str(expression_of(world.hall, place)) for place in (1, 3, 4)] == ["x2", "x0 + x1", "sin(x0) + 2"]
    assert world.hall.costs[[1, 3, 4], LOSS].tolist() == [3.0, 1.0, 0.9]
    alike = archipelago_of(*BATCH, hall=[(3.0, "x2"), (2.0, "x2*x1")])
    assert alike.admit(None, Run("a test")) == {1, 3, 4}, "with all rows at hand their losses are what they are"
    assert alike.hall.costs[[1, 3, 4], LOSS].tolist() == [0.1, 0.3, 0.05]


def test_a_stop_leaves_the_newcomers_of_a_batch_in_the_hall(monkeypatch):
    def stop(*arguments):
        raise StopSearch("time_limit")

    for where in ("_work", "admit"):
        world = archipelago_of(*BATCH, hall=[(0.01, "x2"), (2.0, "x2*x1")])
        monkeypatch.setattr(world, "_work", lambda *arguments: None)
        monkeypatch.setattr(world, where, stop)
        with pytest.raises(StopSearch):
            world.iterate(None, lambda one: WHOLE[str(one)], None, True, (0.0, 0.0), Run("a test"))
        assert str(expression_of(world.hall, 1)) == "x0", "whatever its loss on a few rows is: the front has x2"


@pytest.mark.parametrize("batching", [True, False])
def test_losses_of_the_hall_are_of_all_rows_and_those_of_migrants_of_the_batch(batching, monkeypatch):
    compile_engine(lambda what: None)  # which is a search of its own
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (120, 2))
    y = np.sin(3 * X[:, 0]) + X[:, 1] ** 2 + 0.2 * rng.standard_normal(120)
    seen, tables = [], []
    iterate, move = Archipelago.iterate, migrate

    def noted(self, task, *arguments):
        tables.append(task.table)
        before = self.hall.costs[:, LOSS].copy()
        places = iterate(self, task, *arguments)
        filled = np.flatnonzero(np.isfinite(self.hall.costs[:, LOSS]))
        losses = [np.mean((expression_of(self.hall, place).evaluate(X) - y) ** 2) for place in filled]
        assert self.hall.costs[filled, LOSS] == pytest.approx(losses, rel=1e-9)
        assert (self.hall.costs[:, LOSS] <= before).all()
        seen.append(len(filled))
        return places

    def moved(islands, hall, *arguments):
        table = tables[-1]
        assert len(table.y) == (30 if batching else 120)
        for place in np.flatnonzero(np.isfinite(hall.costs[:, LOSS])):
            values = expression_of(hall, place).evaluate(table.columns.T)
            assert hall.costs[place, LOSS] == pytest.approx(np.mean((values - table.y) ** 2), rel=1e-9)
        move(islands, hall, *arguments)

    monkeypatch.setattr(Archipelago, "iterate", noted)
    monkeypatch.setattr(archipelago, "migrate", moved)
    EvolutionRegressor(
        niterations=4, populations=2, population_size=40, ncycles_per_iteration=80, random_state=0, regression=False,
        maxsize=12, batching=batching, batch_size=30, stop_when=None, rescale=False,
    ).fit(X, y)  # fmt: skip
    assert len(seen) == 4 and min(seen) > 3
