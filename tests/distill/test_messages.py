"""Messages with planted forces: fits, tables, laws and simulators must find what was put there."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from srlib import EvolutionRegressor, Expression  # noqa: E402
from srlib.dimensions import check_units  # noqa: E402
from srlib.distill.gnn import (  # noqa: E402
    Architecture,
    Formulas,
    GraphNetwork,
    Messages,
    Particles,
    Potential,
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
from srlib.distill.gnn.messages import UNITS, MessageTeacher, fit_trimmed, share_weights  # noqa: E402
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


FOUR = ("r1", "r2", "spring", "charge")


@lru_cache
def asked(name, over_mass=False):
    return distill_message(planted(name, over_mass)[0], 0, LeastSquares(), rows=200)


def member(name, w, target="force", other=None):
    """The formula of a message w . F of a potential."""
    problem = law_problem(name, asked(other or name, target == "acceleration"), target, w)
    return problem.truth


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize("over_mass", [False, True])
def test_a_law_holds_what_a_message_of_its_force_can_be(name, over_mass):
    learned, target = asked(name, over_mass), "acceleration" if over_mass else "force"
    axes = np.column_stack([law_problem(name, learned, target, {axis: 1.0}).y for axis in ("dx", "dy")])
    answers = learned.answers[:, 0]
    w = np.linalg.lstsq(axes, answers, rcond=None)[0]
    assert np.allclose(axes @ w, answers, rtol=1e-6, atol=1e-9 * np.abs(answers).max())
    assert judge(name, learned, target, member(name, dict(zip(("dx", "dy"), w, strict=True)), target))
    other = "force" if over_mass else "acceleration"
    assert judge(name, learned, other, member(name, {"dx": 1.0}, target)).verdict == "no"


slope = st.floats(-1e3, 1e3).filter(lambda w: abs(w) > 1e-3)


@given(st.sampled_from(FOUR), slope, slope, st.sampled_from(("both", "dx", "dy")), st.sampled_from(FOUR))
@settings(max_examples=20, deadline=None)
def test_every_map_of_the_force_is_the_law_and_no_other_force_is(name, wx, wy, along, other):
    w = {"both": {"dx": wx, "dy": wy}, "dx": {"dx": wx}, "dy": {"dy": wy}}[along]
    found = judge(name, asked(name), formula=member(name, w))
    assert found and found.constants["a" + ("y" if along == "dy" else "x")] == pytest.approx(w.get("dx", wy), rel=1e-5)
    if other != name:
        assert judge(name, asked(name), formula=member(other, w, other=name)).verdict == "no"


WRONG = ["3.2", "0*dx", "dx", "-1.04*dy", "dx/r", "m2*(dy - dx)/r**2", "m1*m2*dx", "r - 1", "dx/(r - r)"]


@pytest.mark.parametrize("name", FOUR)
def test_formulas_that_are_no_force_are_not_the_law(name):
    names = asked(name).student.feature_names_in_
    found = [judge(name, asked(name), formula=Expression.parse(text, names=names)).verdict for text in WRONG]
    assert set(found) == {"no"}


def test_the_rest_length_belongs_to_the_law_and_an_offset_does_not():
    names = asked("spring").student.feature_names_in_
    cases = {"dx*(2 - 2.02/r)": "recovered", "dx*(2 - 2.6/r)": "almost", "dx*(r - 1)/r + 1": "almost",
             "dx*(1 - 1/r) + dy*(1 - 1.3/r)": "no"}  # fmt: skip
    for text, verdict in cases.items():
        assert judge("spring", asked("spring"), formula=Expression.parse(text, names=names)).verdict == verdict


def test_charges_that_are_signs_may_be_divided_by():
    names = asked("charge").student.feature_names_in_
    assert judge("charge", asked("charge"), formula=Expression.parse("(2*dx - dy)*q1/q2/r**3", names=names))
    assert not judge("charge", asked("charge"), formula=Expression.parse("(2*dx - dy)*q1/r**3", names=names))


def test_a_small_part_of_the_message_that_the_student_leaves_out_is_a_matter_of_fidelity():
    learned = asked("r1")
    formula = Expression.parse("m1*m2*dx/r**2", names=learned.student.feature_names_in_)
    told = formula.evaluate(np.asarray(learned.see(learned.X)))
    assert judge("r1", learned, formula=formula)
    assert np.corrcoef(told, learned.answers[:, 0])[0, 1] ** 2 < 0.99  # as A has a part along y


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


class Unbalanced(Planted):
    """Messages dx + m1."""

    def between(self, receiver, sender):
        one = receiver[..., :1] - sender[..., :1] + receiver[..., -1:]
        return one.expand(*one.shape[:-1], 2)


@pytest.mark.parametrize("numbers", [False, True])
def test_units_refuse_formulas_that_do_not_balance(numbers):
    data = to_graphs(simulate(Potential("free", "0*r", softening=0.0), 30, steps=50, random_state=0))
    said = read_messages(Unbalanced(data.potential), data, 100)
    student = EvolutionRegressor(niterations=2, maxsize=9, dimensionless_constants_only=numbers, random_state=0)
    learned = distill_message(said, 0, student, rows=100, charges=False, units=True)
    units = ["m", "m", "m", "kg", "kg"]
    faults = [check_units(entry.expression, units, dimensionless_constants=numbers) for entry in learned.front]
    assert not any(faults) and student.X_units is None
    assert check_units(Expression.parse("dx + m1", names=("dx", "dy", "r", "m1", "m2")), units)
    if numbers:  # nothing that balances is exact
        assert min(entry.loss for entry in learned.front) > 1e-3


def test_units_that_cannot_be_used_say_why():
    said, _ = planted("r1")
    with pytest.raises(ValueError, match="LeastSquares knows no units"):
        distill_message(said, 0, LeastSquares(), units=True)
    student = EvolutionRegressor(X_units=["m"] * 7)
    with pytest.raises(ValueError, match="student has X_units=.*one of the two"):
        distill_message(said, 0, student, units=True)
    with pytest.raises(ValueError, match="units has none for 'q1'"):
        distill_message(said, 0, EvolutionRegressor(), units={name: "m" for name in ("dx", "dy", "r", "m1", "m2")})


@pytest.mark.parametrize(("name", "numbers"), [("r1", True), ("r2", True), ("charge", True), ("spring", False)])
def test_the_laws_balance_and_only_the_spring_has_a_constant_with_a_unit(name, numbers):
    formula = member(name, {"dx": 2.0, "dy": 0.3}).format().replace("sign(q1)", "q1").replace("sign(q2)", "q2")
    names = asked(name).student.feature_names_in_.tolist()
    expression, units = Expression.parse(formula, names=names), [UNITS[column] for column in names]
    assert not check_units(expression, units)
    assert (not check_units(expression, units, dimensionless_constants=True)) == numbers


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


def test_constants_of_all_formulas_are_refitted_together():
    data = to_graphs(simulate("spring", 10, steps=20, random_state=1))
    names, over = ("dx", "dy", "r", "m1", "m2", "q1", "q2"), ("e1", "e2", "q", "m")
    rough = Formulas(
        tuple(Expression.parse(text, names=names) for text in ("(0.9*dx + 0.2*dy)*(1.1 - r)/r", "1.2*dy*(0.9 - r)/r")),
        tuple(Expression.parse(text, names=over) for text in ("1.7*e1/m", "(2.2*e2 + 0.1)/m")),
    )
    fine = rough.refit(data)
    told = fine.acceleration(*(data.states[..., :2], data.states[..., 2:4], data.states[..., 4], data.states[..., 5]))
    assert np.allclose(told, data.accelerations, rtol=1e-5, atol=1e-5)
    assert np.allclose(fine.with_constants(rough.constants).constants, rough.constants)
    bare = Formulas((Expression.parse("dx", names=names),), (Expression.parse("e1/m", names=over),) * 2)
    assert bare.refit(data) is bare and len(bare.constants) == 0


def test_the_node_model_is_asked_with_the_messages_that_count():
    said, data = planted("spring")
    learned = distill_node(said, data, LeastSquares(), rows=50)
    assert len(learned.students) == 2 and learned.best(0).names == ("e1", "e2", "q", "m")
    network, X = said.network, learned.X
    own = np.column_stack([X[:, 2], X[:, 3], np.log(X[:, 3])])
    order = np.argsort(said.top())  # the node model takes components in their own order
    seen = torch.from_numpy(np.column_stack([X[:, :2][:, order], own]))
    assert np.allclose(learned.answers, network.node(seen).detach().numpy())
