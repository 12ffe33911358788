"""Messages with planted forces: fits, tables, laws and simulators must find what was put there."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from srlib import EvolutionRegressor, Expression  # noqa: E402
from srlib.distill.gnn import (  # noqa: E402
    Architecture,
    Formulas,
    GraphNetwork,
    Messages,
    Particles,
    accelerations,
    distill_message,
    judge,
    message_table,
    read_messages,
    rollout,
    simulate,
    to_graphs,
)
from srlib.distill.gnn.graphs import pair_forces  # noqa: E402
from srlib.distill.gnn.laws import LAWS, law_problem  # noqa: E402
from srlib.distill.gnn.messages import MessageTeacher, fit_trimmed, share_weights  # noqa: E402
from srlib.distill.gnn.simulator import distill_node  # noqa: E402
from tests.distill.students import LeastSquares  # noqa: E402

A = np.array([[1.5, -0.5], [0.7, 2.0]])  # the linear map from forces to the planted messages


class Planted(GraphNetwork):
    """A network whose messages are a linear map of the true forces (over the receiver's mass), and no learning."""

    def __init__(self, potential, over_mass=False):
        super().__init__(Architecture("bottleneck", hidden=4))
        self.double()
        self.potential, self.over_mass = potential, over_mass

    def between(self, receiver, sender):
        pair = torch.cat([receiver, sender], dim=-1).flatten(0, -2).numpy()
        force = pair_forces(self.potential, pair)
        if self.over_mass:
            force = force / pair[:, pair.shape[1] // 2 - 1][:, None]
        return torch.from_numpy(force @ A.T).unflatten(0, receiver.shape[:-1])


def planted(name, over_mass=False, seed=0):
    data = to_graphs(simulate(name, 60, steps=50, random_state=seed))
    return read_messages(Planted(data.potential, over_mass), data, 300), data


# ------------------------------------------------------------ fits


@given(st.integers(0, 10**6), st.integers(1, 3))
def test_trimmed_fits_recover_a_planted_map_whatever_the_worst_rows_hold(seed, columns):
    rng = np.random.default_rng(seed)
    X, slopes = rng.normal(size=(200, columns)), rng.normal(size=columns)
    y = X @ slopes + 0.3
    y[rng.permutation(200)[:15]] += 100 * rng.normal(size=15)
    found, offset, plain, trimmed = fit_trimmed(X, y, 0.1)
    assert np.allclose(found, slopes, atol=1e-9) and offset == pytest.approx(0.3)
    assert trimmed == pytest.approx(1) and plain < 0.9


def test_without_trimming_it_is_least_squares():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    slopes, offset, plain, trimmed = fit_trimmed(X, y, 0.0)
    expected = np.linalg.lstsq(np.column_stack([X, np.ones(50)]), y, rcond=None)[0]
    assert np.allclose([*slopes, offset], expected)
    residual = y - X @ expected[:2] - expected[2]
    assert plain == pytest.approx(1 - residual.var() / y.var()) and trimmed == pytest.approx(plain)
    assert fit_trimmed(X, np.zeros(50))[2:] == (0.0, 0.0)
    with pytest.raises(ValueError, match="trim is 0.9"):
        fit_trimmed(X, y, 0.9)


@pytest.mark.parametrize("over_mass", [False, True])
def test_a_fit_names_what_the_messages_are(over_mass):
    said, _ = planted("r1", over_mass)
    right, wrong = ("acceleration", "force") if over_mass else ("force", "acceleration")
    fit = said.fit(right)
    assert np.allclose(fit.A, A[list(fit.components)], atol=1e-8) and np.allclose(fit.b, 0, atol=1e-8)
    assert (fit.r2 > 1 - 1e-9).all() and (fit.r2_trimmed > 1 - 1e-9).all()
    assert np.allclose(fit.expected(said.targets(right)), said.values[:, list(fit.components)], atol=1e-7)
    assert said.fit(wrong).r2_trimmed.max() < 0.99
    assert said.concentration == pytest.approx(1)
    with pytest.raises(ValueError, match="target is 'forces'"):
        said.fit("forces")


def test_the_most_important_components_have_the_largest_deviation():
    values = np.random.default_rng(0).normal(size=(100, 4)) * [0.1, 3, 0.2, 2]
    said = Messages(None, np.ones((100, 12)), values, np.zeros((100, 2)))
    assert said.top() == (1, 3) and said.top(3) == (1, 3, 2)
    assert 0.99 < said.concentration < 1


# ------------------------------------------------------------ symbols


def test_the_table_holds_the_pair():
    pair = np.array([[1.0, 2, 0, 0, -1, 3, 4.0, 6, 0, 0, 1, 5]])
    table = message_table(pair, softening=0.5)
    assert list(table) == ["dx", "dy", "r", "m1", "m2", "q1", "q2"]
    row = table.iloc[0]
    assert row.r == 5.5 and (row.m1, row.m2, row.q1, row.q2) == (3, 5, -1, 1)
    assert row.dx / row.r == pytest.approx(-3 / 5) and row.dy / row.r == pytest.approx(-4 / 5)
    assert list(message_table(np.ones((1, 16)) * np.arange(16)))[:3] == ["dx", "dy", "dz"]


@pytest.mark.parametrize("name", ["r1", "r2", "spring", "charge"])
@pytest.mark.parametrize("over_mass", [False, True])
def test_a_law_is_recovered_up_to_a_linear_map_and_a_wrong_one_is_not(name, over_mass):
    said, _ = planted(name, over_mass)
    target = "acceleration" if over_mass else "force"
    learned = distill_message(said, 0, LeastSquares(), rows=200)
    problem = law_problem(name, learned, target)
    said_so = learned.answers[:, 0]
    assert np.allclose(problem.truth.evaluate(problem.X), said_so, rtol=1e-6, atol=1e-9 * np.abs(said_so).max())
    assert judge(name, learned, target, problem.truth)
    double = Expression.parse(f"2*({problem.truth})", names=problem.names)
    wrong = [Expression.parse(text, names=problem.names) for text in ("dx/r**2", "m2*(dy - dx)/r**2", "-1.04*dy")]
    assert not any(judge(name, learned, target, one) for one in [double, *wrong])
    other = "force" if over_mass else "acceleration"
    assert not judge(name, learned, other, problem.truth)


def test_charges_that_are_signs_may_be_divided_by():
    said, _ = planted("charge")
    learned = distill_message(said, 0, LeastSquares(), rows=200)
    names, slopes = law_problem("charge", learned).names, law_problem("charge", learned).parameters
    text = f"({slopes['ax']!r}*dx + {slopes['ay']!r}*dy)*q1/q2/r**3"
    assert judge("charge", learned, formula=Expression.parse(text, names=names))


def test_the_student_is_asked_about_pairs_that_are_far_enough():
    said, _ = planted("r1")
    learned = distill_message(said, 1, LeastSquares(), rows=100, nearest=0.6, charges=False)
    assert learned.best().names == ("dx", "dy", "r", "m1", "m2")
    assert len(learned.X) == 100 and len(learned.fresh) == 25
    assert message_table(np.concatenate([learned.X, learned.fresh])).r.min() >= 0.6
    assert np.allclose(learned.answers[:, 0], MessageTeacher(said.network, 1)(learned.X))
    with pytest.raises(ValueError, match="nearest is 1000.*leaves 0 pairs"):
        distill_message(said, nearest=1000)
    with pytest.raises(ValueError, match="component is 2: give 0 to 1"):
        MessageTeacher(said.network, 2)


def test_the_evolution_reads_the_law_of_exact_messages():
    said, _ = planted("r2")
    student = EvolutionRegressor(niterations=2, unary_operators=["cube"], model_selection="score")
    assert judge("r2", distill_message(said, student=student, rows=200))


def test_a_law_may_be_given_as_a_formula():
    said, _ = planted("r1")
    learned = distill_message(said, 0, LeastSquares(), rows=200, charges=False)
    truth = law_problem("r1", learned).truth
    assert judge("m1*m2/r**2", learned, formula=truth) and not judge("m1*m2/r**3", learned, formula=truth)
    with pytest.raises(ValueError, match="law is 'sprng': choose from .* did you mean 'spring'"):
        judge("sprng", learned)


def test_a_target_that_is_none_is_refused():
    said, _ = planted("r1")
    learned = distill_message(said, 0, LeastSquares(), rows=50)
    with pytest.raises(ValueError, match="target is 'forces'"):
        judge("r1", learned, "forces")


def test_messages_that_are_mostly_zero_can_be_distilled_and_dead_ones_say_so():
    weights = share_weights(np.array([0.0, 0, 0, 4]))
    assert np.allclose(weights, [1, 1, 1, 1 / 25]) and np.allclose(share_weights(np.zeros(3)), 1)
    said, _ = planted("discontinuous")  # no force within a distance of 2
    assert np.median(np.abs(said.values)) == 0
    learned = distill_message(said, 0, LeastSquares(), rows=100)
    assert np.isfinite(learned.best().evaluate(np.ones((1, 7)))).all()
    said.network.potential = replace(said.network.potential, energy="0*r")
    with pytest.raises(ValueError, match="there is nothing to learn"):
        distill_message(said, 0, LeastSquares(), rows=100)


# ------------------------------------------------------------ simulators


def truth_as_formulas(name):
    names = ("dx", "dy", "r", "m1", "m2", "q1", "q2")
    law = LAWS[name].replace("r0", "1")
    text = {"spring": f"-2*{law}", "r1": f"-{law}"}[name]
    nodes = ("e1/m", "e2/m")
    return Formulas(
        tuple(Expression.parse(f"{axis}*({text})", names=names) for axis in ("dx", "dy")),
        tuple(Expression.parse(one, names=("e1", "e2", "q", "m")) for one in nodes),
    )


@pytest.mark.parametrize("name", ["spring", "r1"])
def test_the_true_formulas_move_particles_as_the_potential_does(name):
    start, formulas = Particles.random(4, 5, random_state=0), truth_as_formulas(name)
    a = formulas.acceleration(start.x, start.v, start.q, start.m)
    assert np.allclose(a, accelerations(name, start.x, start.v, start.q, start.m))
    wrong = Formulas(formulas.messages, tuple(reversed(formulas.nodes)))
    run = rollout(name, {"right": formulas, "wrong": wrong}, start, steps=60, every=10)
    assert run.truth.shape == (4, 6, 5, 2) and isinstance(run.errors, pd.DataFrame)
    assert run.errors["right"].max() < 1e-6 < run.errors["wrong"].iloc[-1]
    assert run.errors["right"].iloc[0] == 0 and list(run.errors.index) == list(run.times)
    with pytest.raises(ValueError, match="every is 0"):
        rollout(name, {"right": formulas}, start, every=0)


def test_the_node_model_is_asked_with_the_messages_that_count():
    said, data = planted("spring")
    learned = distill_node(said, data, LeastSquares(), rows=50)
    assert len(learned.students) == 2 and learned.best(0).names == ("e1", "e2", "q", "m")
    network, X = said.network, learned.X
    own = np.column_stack([X[:, 2], X[:, 3], np.log(X[:, 3])])
    order = np.argsort(said.top())  # the node model takes components in their own order
    seen = torch.from_numpy(np.column_stack([X[:, :2][:, order], own]))
    assert np.allclose(learned.answers, network.node(seen).detach().numpy())
