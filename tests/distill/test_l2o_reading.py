"""Recorded trajectories, rules recovered from them, and how far back a rule looks, against closed forms."""

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from srlib import EvolutionRegressor, Expression  # noqa: E402
from srlib.distill.l2o import (  # noqa: E402
    DOCUMENT_OPERATORS,
    DigitsMLP,
    FormulaRule,
    Quadratics,
    adam,
    dm,
    lags,
    linear_rule,
    mapping_complexity,
    mapping_curve,
    momentum,
    perception,
    record,
    rnnprop,
    run_rule,
    sgd,
    steps_of,
    tanh_sum,
    tanh_units,
)

NOISY = Quadratics(6, noise=0.3)


# ---------------------------------------------------------------- trajectories


def test_rows_are_what_the_rule_saw_and_did():
    rule, batch = momentum(0.05), NOISY.sample(3, 2)
    runs = record(rule, batch, 10, ["g", "g_1", "m", "t"], coordinates=6)
    steps = list(steps_of(rule, batch, 10))
    assert len(runs) == 3 * 6 * 10 and runs.beta1 == 0.9
    for k in range(3):
        for t in (1, 7):
            rows = runs.rows((runs.optimizee == k) & (runs.step == t))
            order = [np.argmin(abs(steps[t - 1].gradients[k].numpy() - g)) for g in rows.X[:, 0]]
            np.testing.assert_allclose(rows.y, steps[t - 1].updates[k].numpy()[order])
            before = 0.0 if t == 1 else steps[t - 2].gradients[k].numpy()[order]
            np.testing.assert_allclose(rows.X[:, 1], before)
            assert (rows.X[:, 3] == t).all()
    np.testing.assert_allclose(runs.y, -10 * runs.X[:, 2])


def test_whole_optimizees_are_held_out():
    train, held = record(sgd(0.05), NOISY.sample(4), 5, coordinates=2).split()
    assert set(train.optimizee) == {0, 1, 2} and set(held.optimizee) == {3}
    assert len(train.sample(7, 1)) == 7
    with pytest.raises(ValueError, match="share is 1.0"):
        train.split(1.0)
    with pytest.raises(ValueError, match="'gt'"):
        train.only(["gt"])
    assert train.r2(Expression.parse("-1*x0")) == train.r2(Expression.parse("-g", names=["g"])) == 1.0
    with pytest.raises(ValueError, match="'gt', which was not recorded"):
        train.r2(Expression.parse("-gt", names=["gt"]))


def test_coordinates_that_never_move_are_left_out_and_divergence_ends_a_trajectory():
    runs = record(adam(0.01), DigitsMLP(hidden=(4,), batch=8).sample(2), 4, ["g", "vhat"], coordinates=20)
    assert (runs.X[runs.step == 4][:, 1] > 0).all()  # dead pixels have a gradient of 0 for ever
    scale = torch.tensor([[0.05], [1e3]], dtype=torch.float64)
    runs = record(sgd(scale), NOISY.sample(2), 30, coordinates=3)
    assert (runs.optimizee == 0).sum() == 90 and 0 < (runs.optimizee == 1).sum() < 30
    with pytest.raises(ValueError, match="nothing was recorded"):
        record(FormulaRule("-g/g_1"), NOISY.sample(2), 3)


# ---------------------------------------------------------------- rules from trajectories


def test_momentum_is_a_sum_over_lags_with_weights_that_decay():
    runs = record(momentum(0.05, 0.7), NOISY.sample(6, 1), 60, lags("g", 40), coordinates=6)
    train, held = runs.split()
    rule = linear_rule(train)
    assert held.r2(rule) > 1 - 1e-6
    weights = np.array([Expression.parse(str(rule), names=rule.names).evaluate(row[None])[0] for row in np.eye(41)])
    np.testing.assert_allclose(weights[:20], -(0.7 ** np.arange(20)), atol=1e-3)


def test_adam_is_found_from_corrected_averages_and_not_from_lags():
    runs = record(adam(0.05), NOISY.sample(6, 1), 60, ["mhat", "vhat", *lags("g", 10)], coordinates=6)
    train, held = runs.split()
    assert held.r2(linear_rule(train.only(lags("g", 10)))) < 0.9
    student = EvolutionRegressor(3, unary_operators=["sqrt"], random_state=0, n_jobs=1, maxsize=12)
    learned = train.only(["mhat", "vhat"]).distill(student, held.only(["mhat", "vhat"]))
    assert learned.fidelity.r2.max() > 1 - 1e-9
    wanted = Expression.parse("-mhat/sqrt(vhat)", names=["mhat", "vhat"])
    X = np.array([[0.5, 2.0], [-1.0, 0.3]])
    np.testing.assert_allclose(learned.best().evaluate(X), wanted.evaluate(X), rtol=1e-5)
    again = FormulaRule(learned.best(), 0.05, 0.9, 0.999)  # and it runs
    batch = NOISY.sample(2, 9)
    torch.testing.assert_close(
        run_rule(again, batch, 30).theta, run_rule(adam(0.05), batch, 30).theta, rtol=1e-4, atol=1e-4
    )


def test_the_documents_form_is_fitted_and_runs():
    wanted = FormulaRule("-0.6*tanh(mt/0.5) - 0.2*tanh(mt_2/0.5) + 0.9*tanh(gt/3)", 0.05)
    runs = record(wanted, NOISY.sample(5, 3), 60, [*lags("mt", 2), *lags("gt", 2)], coordinates=6)
    train, held = runs.split()
    found = tanh_sum(train, count=2, ridge=1e-12)
    assert held.r2(found) > 0.9999
    assert str(FormulaRule(found, 0.05).expression()).count("tanh") == 6


def test_features_that_act_on_each_other_need_tanh_units():
    wanted = FormulaRule("0.1 - 0.7*tanh(2*mt + gt - 0.5) + 0.4*tanh(gt - 3*mt)", 0.05)
    runs = record(wanted, NOISY.sample(5, 3), 60, ["mt", "gt"], coordinates=6)
    train, held = runs.split()
    found = tanh_units(train, 2, penalty=0.0)
    assert held.r2(found) > 0.999 > 0.95 > held.r2(tanh_sum(train, count=0))
    again = FormulaRule(found, 0.05)
    told = record(again, NOISY.sample(2, 4), 20, ["mt", "gt"], coordinates=6)
    assert told.r2(found) > 1 - 1e-9  # the text of the formula is the formula
    assert str(tanh_units(train, 2, penalty=0.0)) == str(found)
    with pytest.raises(ValueError, match="units is 0"):
        tanh_units(train, 0)


def test_the_documents_operators_are_known_to_the_search():
    X = np.linspace(-2, 2, 40)[:, None]
    y = np.sign(X[:, 0]) * np.abs(X[:, 0]) ** 1.5
    student = EvolutionRegressor(2, random_state=0, n_jobs=1, **DOCUMENT_OPERATORS)
    assert student.fit(X, y).score(X, y) > 0.99


# ---------------------------------------------------------------- perception


@pytest.mark.parametrize("decay", [0.5, 0.9])
def test_momentum_perceives_lags_by_its_decay(decay):
    seen = perception(momentum(0.05, decay), NOISY.sample(3), 80, 60)
    tau = np.arange(60)
    np.testing.assert_allclose(seen.sensitivity[0], decay**tau, rtol=1e-9)
    np.testing.assert_allclose(seen.field, [(tau * decay**tau).sum() / (decay**tau).sum()])


def test_perception_by_signal_sees_the_lags_of_a_formula():
    rule = FormulaRule("-3*mt - 1*mt_2 + 0*gt_1 - 2*gt", 0.05)
    seen = perception(rule, NOISY.sample(3), 20, 5, by="signals")
    assert seen.names == ("mt", "gt")
    np.testing.assert_allclose(seen.sensitivity, [[3, 0, 1, 0, 0], [2, 0, 0, 0, 0]])
    np.testing.assert_allclose(seen.field, [0.5, 0.0])
    with pytest.raises(ValueError, match="window is 30"):
        perception(rule, NOISY.sample(1), 20, 30)


def test_perception_of_a_network_is_that_of_finite_differences():
    rule, batch = dm((3,), skip=None).double(), NOISY.sample(2)
    seen = perception(rule, batch, 6, 4, coordinates=12)
    gradients = [step.gradients for step in steps_of(rule, batch, 6)]

    def last(change, at):
        state = rule.start(gradients[0])
        for t, g in enumerate(gradients, 1):
            update, state = rule(g + change * (t == at), state, t)
        return update

    for lag in range(4):
        slope = (last(1e-6, 6 - lag) - last(-1e-6, 6 - lag)) / 2e-6
        assert seen.sensitivity[0, lag] == pytest.approx(slope.abs().mean().item(), rel=1e-5)


def test_mapping_curves_and_complexity():
    values = np.linspace(-2, 2, 5)
    np.testing.assert_allclose(mapping_curve(FormulaRule("-2*tanh(mt) + gt/t"), "mt", values), -2 * np.tanh(values))
    at_4 = mapping_curve(FormulaRule("-2*tanh(mt) + gt/t"), "gt", values, t=4, others={"mt": 1.0})
    np.testing.assert_allclose(at_4, values / 4 - 2 * np.tanh(1))
    np.testing.assert_allclose(mapping_curve(rnnprop(), "mt", values), np.tanh(-0.3 * values), atol=1e-6)
    with pytest.raises(ValueError, match="the rule sees g"):
        mapping_curve(sgd(), "mt", values)
    table = pd.DataFrame({"complexity": [1, 3, 7, 9], "r2": [0.2, 0.895, 0.9, 0.901]})
    assert mapping_complexity(table) == 3 and mapping_complexity(table, 0.001) == 7
