"""Rules against torch.optim step by step, features against their definitions, optimizees against autograd."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from srlib import Expression  # noqa: E402
from srlib.distill.l2o import (  # noqa: E402
    DigitsConvNet,
    DigitsLogistic,
    DigitsMLP,
    Features,
    FormulaRule,
    Quadratics,
    Rosenbrock,
    adam,
    cosine,
    dm,
    lags,
    momentum,
    race,
    rmsprop,
    rnnprop,
    rp_s,
    rp_si,
    run_rule,
    sgd,
    steps_of,
    tune,
)

NOISY = Quadratics(5, noise=0.1)
HAND_MADE = {
    "sgd": (sgd(0.05), lambda p: torch.optim.SGD(p, 0.05)),
    "momentum": (momentum(0.05, 0.8), lambda p: torch.optim.SGD(p, 0.05, momentum=0.8)),
    "rmsprop": (rmsprop(0.05), lambda p: torch.optim.RMSprop(p, 0.05)),
    "adam": (adam(0.05), lambda p: torch.optim.Adam(p, 0.05)),
}


# ---------------------------------------------------------------- hand-made rules


@pytest.mark.parametrize("name", HAND_MADE)
def test_hand_made_rules_are_those_of_torch_at_every_step(name):
    rule, make = HAND_MADE[name]
    batch = NOISY.sample(3, 1)
    weight = torch.nn.Parameter(batch.start.clone())
    optimizer = make([weight])
    for step in steps_of(rule, batch, 100):
        optimizer.zero_grad()
        batch.losses(weight, step.t).sum().backward()
        optimizer.step()
        torch.testing.assert_close(step.theta, weight.detach(), rtol=0, atol=1e-12)


def test_a_scale_for_each_optimizee_and_a_schedule():
    batch = NOISY.sample(2, 4)
    both = run_rule(momentum(torch.tensor([[0.02], [0.05]], dtype=torch.float64)), batch, 30, schedule=cosine(30))
    for k, rate in enumerate((0.02, 0.05)):
        weight = torch.nn.Parameter(batch.start.clone())
        optimizer = torch.optim.SGD([weight], rate, momentum=0.9)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)
        for t in range(1, 31):
            optimizer.zero_grad()
            batch.losses(weight, t).sum().backward()
            optimizer.step()
            schedule.step()
        torch.testing.assert_close(both.theta[k], weight.detach()[k], rtol=0, atol=1e-12)


# ---------------------------------------------------------------- features


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=12), st.floats(0.1, 0.99), st.floats(0.1, 0.99))
@settings(max_examples=40, deadline=None)
def test_features_are_what_their_definitions_say(gradients, beta1, beta2):
    names = ["g", "m", "v", "mhat", "vhat", "mt", "gt", "mt25", "mt30", "t", "g_1", "gt_2", "avg9_g", "rms9_mt"]
    features = Features(names, beta1, beta2)
    g, T = np.array(gradients), len(gradients)
    state, seen = features.start(torch.zeros(1, dtype=torch.float64)), []
    for t in range(1, T + 1):
        columns, state = features(torch.tensor([g[t - 1]], dtype=torch.float64), state, t)
        seen.append([column.item() for column in columns])
    got = dict(zip(names, np.array(seen).T, strict=True))

    def average(x, beta, corrected=True):  # written out as a sum, not as a recursion
        out = []
        for t in range(1, T + 1):
            weights = (1 - beta) * beta ** np.arange(t - 1, -1, -1.0)
            out.append(weights @ x[:t] / (1 - beta**t if corrected else 1))
        return np.array(out)

    root, eps = np.sqrt(average(g**2, beta2)), 1e-12
    mhat = average(g, beta1)
    wanted = {
        "g": g, "m": average(g, beta1, False), "v": average(g**2, beta2, False), "mhat": mhat,
        "vhat": average(g**2, beta2), "mt": mhat / (root + eps), "gt": g / (root + eps),
        "mt25": mhat / (average(abs(g) ** 2.5, beta2) ** 0.4 + eps),
        "mt30": mhat / (average(abs(g) ** 3, beta2) ** (1 / 3) + eps),
        "t": np.arange(1, T + 1), "g_1": np.r_[0, g[:-1]], "gt_2": np.r_[0, 0, g / (root + eps)][:T],
        "avg9_g": average(g, 0.9), "rms9_mt": np.sqrt(average((mhat / (root + eps)) ** 2, 0.9)),
    }  # fmt: skip
    for name in names:
        # sqrt(v) loses half of the digits where squares nearly underflow
        np.testing.assert_allclose(got[name], wanted[name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_the_logarithm_and_sign_of_dm():
    features, g = Features(["logg", "signg"]), torch.tensor([1.0, -math.exp(-5), 1e-6, 0.0], dtype=torch.float64)
    (log, sign), _ = features(g, features.start(g), 1)
    torch.testing.assert_close(log, torch.tensor([0, -0.5, -1, -1], dtype=torch.float64))
    torch.testing.assert_close(sign, torch.tensor([1, -1, math.exp(10) * 1e-6, 0], dtype=torch.float64))


@pytest.mark.parametrize("names", [["h"], ["g_0"], ["avg_g"], ["t_1"], [], "g"])
def test_what_is_no_feature_is_refused(names):
    with pytest.raises(ValueError, match="^names"):
        Features(names)


def test_zero_gradients_give_no_update_and_no_nan():
    for rule in (adam(), rmsprop(), rp_s(), rp_si(), rnnprop(), dm()):
        g = torch.zeros(4)
        state = rule.start(g)
        for t in (1, 2):
            update, state = rule(g, state, t)
            assert update.isfinite().all()
        if not isinstance(rule, FormulaRule):
            continue
        assert (update == 0).all()


# ---------------------------------------------------------------- optimizees


@pytest.mark.parametrize("family", [Quadratics(), Rosenbrock(), DigitsLogistic(), DigitsMLP(), DigitsConvNet()])
def test_gradients_of_a_batch_are_those_of_autograd_one_by_one(family):
    batch = family.sample(3, 2)
    losses, gradients = batch.gradients(batch.start, 5)
    data = batch.draw(5)
    for k in range(3):
        theta = batch.start[k].clone().requires_grad_()
        loss = batch.one_loss(theta, *(part[k] for part in data))
        loss.backward()
        torch.testing.assert_close(losses[k], loss.detach(), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(gradients[k], theta.grad, rtol=1e-4, atol=1e-5)


def test_the_same_seed_gives_the_same_problems_and_data_and_repeated_blocks_share_them():
    first, again, other = (DigitsMLP().sample(2, seed) for seed in (3, 3, 4))
    assert torch.equal(first.start, again.start) and not torch.equal(first.start, other.start)
    assert torch.equal(first.draw(7)[1], again.draw(7)[1]) and not torch.equal(first.draw(7)[1], first.draw(8)[1])
    twice = first.repeat(2)
    assert torch.equal(twice.start[2:], first.start) and torch.equal(twice.draw(7)[0][:2], first.draw(7)[0])


def test_the_two_halves_of_the_digits_share_no_digit():
    mine, other = DigitsMLP(half=0).sample(1), DigitsMLP(half=1).sample(1)
    assert len(mine.held_out[1]) + len(other.held_out[1]) == 1797
    drawn = torch.cat([mine.draw(step)[0][0] for step in range(20)])
    held = {row.numpy().tobytes() for row in mine.held_out[0]}
    assert not any(row.numpy().tobytes() in held for row in drawn)


def test_a_known_minimum_and_accuracy():
    assert Rosenbrock.value(torch.ones(2)) == 0
    batch = DigitsLogistic().sample(2)
    outcome = run_rule(adam(0.05), batch, 100)
    assert (batch.accuracies(outcome.theta) > 0.85).all() and (batch.judged(outcome.theta) < 0.6).all()
    with pytest.raises(ValueError, match="no metric"):
        Quadratics().sample(1).accuracies(torch.zeros(1, 10))


# ---------------------------------------------------------------- unrolls


def test_a_diverging_optimizee_is_stopped_and_the_others_go_on():
    batch = Quadratics(4).sample(2, 1)
    alone = run_rule(sgd(torch.tensor([[0.1], [0.1]], dtype=torch.float64)), batch, 60)
    mixed = run_rule(sgd(torch.tensor([[0.1], [50.0]], dtype=torch.float64)), batch, 60)
    assert mixed.diverged.tolist() == [False, True] and mixed.losses[-1, 1] == math.inf
    assert torch.equal(mixed.theta[0], alone.theta[0]) and mixed.theta[1].isfinite().all()
    gone = run_rule(sgd(1e6), batch, 60)  # all of them: the run ends
    assert gone.diverged.all() and gone.losses.shape == (60, 2) and gone.losses[-1].isinf().all()


def test_a_rule_that_divides_by_zero_stops_its_optimizee():
    outcome = run_rule(FormulaRule("-g/(g_1)", 0.1), Quadratics(3).sample(2), 10)
    assert outcome.diverged.all() and torch.equal(outcome.theta, Quadratics(3).sample(2).start)


def test_tuning_finds_the_best_of_a_grid_and_races_keep_paths():
    batch = Quadratics(6).sample(3, 5)
    tuned = tune(sgd, batch, 50, [1e-3, 0.1, 1.0, 100.0])
    alone = [run_rule(sgd(s), batch, 50).final().median().item() for s in (1e-3, 0.1, 1.0)]
    assert tuned.scale == (1e-3, 0.1, 1.0)[int(np.argmin(alone))] and len(tuned.tried) == 8
    assert tuned.tried[3][2] == math.inf  # 100 diverges
    np.testing.assert_allclose([one[2] for one in tuned.tried[:3]], alone, rtol=1e-9)
    with pytest.raises(ValueError, match="scales is \\[\\]"):
        tune(sgd, batch, 50, [])
    outcomes = race({"a": sgd(0.1), "b": (sgd(0.1), cosine(20))}, Rosenbrock().sample(2), 20, path=True)
    assert outcomes["a"].path.shape == (21, 2, 2) and torch.equal(outcomes["a"].path[-1], outcomes["a"].theta)
    assert not torch.equal(outcomes["a"].theta, outcomes["b"].theta)


def test_a_formula_with_names_it_does_not_use_finds_its_columns():
    formula = Expression.parse("2*vhat - g", names=["mt", "g", "t", "vhat"])
    rule, g = FormulaRule(formula), torch.tensor([3.0])
    assert rule.features.names == ("g", "vhat")
    assert rule(g, rule.start(g), 1)[0].item() == pytest.approx(15.0)
    assert lags("g", 1) == ("g", "g_1")
