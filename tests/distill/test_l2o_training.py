"""Meta-gradients against finite differences and closed forms; training resumes, imitates and survives divergence."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from srlib.distill.l2o import (  # noqa: E402
    DigitsMLP,
    Features,
    FormulaRule,
    Quadratics,
    RecurrentRule,
    Rosenbrock,
    adam,
    dm,
    meta_train,
    rp_s,
    run_rule,
    sgd,
    unroll_loss,
)


def small_network(seed=0, skip=(-0.3, -0.1)):
    return RecurrentRule(Features(["mt", "gt"]), (4,), 3, True, skip, 0.1, seed, torch.float64)


def nudge(parameter, at, by):
    with torch.no_grad():
        parameter.view(-1)[at] += by


# ---------------------------------------------------------------- the meta-gradient


@pytest.mark.parametrize("objective", ["log", "sum"])
@pytest.mark.parametrize("kind", ["network", "formula", "imitation"])
def test_the_gradient_through_the_unroll_is_that_of_finite_differences(kind, objective):
    rule = small_network() if kind != "formula" else FormulaRule("-2*tanh(0.8*mt)/(1 + 0.1*t)", 0.1)
    for parameter in rule.parameters():  # away from zeros
        torch.nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(1))
    batch = Quadratics(4, noise=0.1).sample(3, 7)
    options = {"objective": objective, "order": 2}
    if kind == "imitation":
        options.update(imitate=adam(0.05), share=0.4)

    def value():
        return unroll_loss(rule, batch, 6, **options)[0]

    value().backward()
    for parameter in rule.parameters():
        for at in range(0, parameter.numel(), max(1, parameter.numel() // 3)):
            nudge(parameter, at, 1e-5)
            above = value().item()
            nudge(parameter, at, -2e-5)
            below = value().item()
            nudge(parameter, at, 1e-5)
            assert parameter.grad.view(-1)[at].item() == pytest.approx((above - below) / 2e-5, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("formula", ["-0.5*mt - 0.2*gt", "-0.5*mt30/(rms99_gt + 0.1)", "-0.5*mt25 - 0.1*avg9_gt"])
def test_the_second_order_gradient_is_finite_where_gradients_are_zero(formula):
    rule, batch = FormulaRule(formula, 0.05), DigitsMLP(hidden=(3,), batch=4).sample(2)
    assert (batch.gradients(batch.start, 1)[1] == 0).any()  # weights of pixels that are black
    loss, *_ = unroll_loss(rule, batch, 5, order=2)
    loss.backward()
    assert rule.relative.grad.isfinite().all() and (rule.relative.grad != 0).any()


def test_first_and_second_order_agree_where_gradients_do_not_depend_on_the_parameters():
    """With the gradient known beforehand, leaving out its derivative leaves out nothing."""
    batch = Quadratics(3).sample(2, 1)
    slope = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    class Linear:
        start = batch.start

        def __len__(self):
            return 2

        def gradients(self, theta, step):
            return theta @ slope + 50, slope.expand(2, 3)

    gradients = []
    for order in (1, 2):
        rule = small_network()
        unroll_loss(rule, Linear(), 8, order=order)[0].backward()
        gradients.append(torch.cat([p.grad.reshape(-1) for p in rule.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-12)
    assert gradients[0].abs().max() > 1e-6


def test_the_first_order_gradient_of_gradient_descent_in_closed_form():
    """One step of -c*g with scale s: d loss(theta_1)/d log c = -s*c*g_0*g_1, over the first loss."""
    batch, rule = Quadratics(4).sample(1, 3), FormulaRule("-0.7*g", 0.2)
    loss, *_ = unroll_loss(rule, batch, 1, objective="sum")
    loss.backward()
    first, g0 = batch.gradients(batch.start, 1)
    last, g1 = batch.gradients(batch.start - 0.2 * 0.7 * g0, 2)
    assert loss.item() == pytest.approx((last / first).item())
    assert rule.relative.grad.item() == pytest.approx((-0.14 * (g0 * g1).sum() / first).item(), rel=1e-9)


# ---------------------------------------------------------------- training


def test_training_a_rate_finds_a_better_one_and_keeps_its_sign():
    rule, family = FormulaRule("-0.01*g"), Quadratics(6)
    before = run_rule(rule, family.sample(8, 99), 20).final(1).mean()
    trained = meta_train(rule, family, episodes=30, steps=20, learning_rate=0.2)
    after = run_rule(rule, family.sample(8, 99), 20).final(1).mean()
    assert after < 0.5 * before and trained.reason == "completed" and len(trained.history) == 30
    assert rule.expression().constants[0] < 0


def test_networks_learn_to_descend_and_the_same_seed_gives_the_same_weights():
    family, weights, batch = DigitsMLP(hidden=(4,), batch=16), [], DigitsMLP(hidden=(4,), half=1).sample(4, 99)
    before = run_rule(rp_s(), batch, 20).final(1).mean()
    for _ in range(2):
        rule = rp_s()
        meta_train(rule, family, episodes=6, steps=20, optimizees=2, unroll=10, learning_rate=0.02)
        weights.append(torch.cat([p.detach().reshape(-1) for p in rule.parameters()]))
    assert torch.equal(*weights)
    assert run_rule(rule, batch, 20).final(1).mean() < before


def test_a_training_that_was_interrupted_goes_on_as_if_it_was_not(tmp_path):
    def train(path, callbacks=()):
        rule = small_network(seed=2)
        done = meta_train(
            rule, Quadratics(3, noise=0.1), episodes=14, optimizees=2, unroll=5, steps=(5, 10), checkpoint=path,
            callbacks=callbacks,
        )  # fmt: skip
        return done, torch.cat([p.detach().reshape(-1) for p in rule.parameters()])

    whole, weights = train(None)
    part, _ = train(tmp_path / "run.npz", [lambda event: event.number == 6])
    assert part.reason == "callback" and len(part.history) == 6
    rest, again = train(tmp_path / "run.npz")
    assert torch.equal(weights, again) and [e.last for e in rest.history] == [e.last for e in whole.history]
    assert (tmp_path / "run.npz").exists() and len(list(tmp_path.iterdir())) == 1


def test_a_checkpoint_of_another_training_is_refused_and_the_same_rule_may_go_on(tmp_path):
    path, family = tmp_path / "run.npz", Quadratics(3, noise=0.1)

    def train(rule, **options):
        given = {"episodes": 4, "optimizees": 2, "unroll": 5, "steps": 5, "checkpoint": path, **options}
        return meta_train(rule, family, **given)

    rule = FormulaRule("-0.123456*mt", 0.1)
    train(rule, callbacks=[lambda event: event.number == 2])
    assert len(train(rule).history) == 4  # its constants have moved since; the formula is the same
    for options in ({"seed": 5}, {"order": 2}, {"decay": False}, {"clip": 3.0}, {"max_norm": 2.0}, {"share": 0.1},
                    {"imitate": adam(0.1)}, {"until": 3}):  # fmt: skip
        (name,) = options
        with pytest.raises(ValueError, match=f"training with {name} = .*: choose another file"):
            train(FormulaRule("-0.123456*mt", 0.1), **options)
    for other in (
        FormulaRule("-0.123457*mt", 0.1),
        FormulaRule("-0.123456*mt", 0.2),
        FormulaRule("-0.123456*mt", 0.1, 0.5),
    ):
        with pytest.raises(ValueError, match="training with rule = "):
            train(other)
    path.write_bytes(b"{}")
    with pytest.raises(ValueError, match="is damaged"):
        train(FormulaRule("-0.123456*mt", 0.1))
    assert path.read_bytes() == b"{}"


def test_the_curriculum_lengthens_and_families_take_turns_and_limits_hold():
    seen = []
    meta_train(
        FormulaRule("-0.1*mt"), [Quadratics(2), Rosenbrock()], episodes=6, steps=[3, 5, 8], optimizees=1,
        callbacks=[seen.append],
    )  # fmt: skip
    assert [e.steps for e in seen] == [3, 3, 5, 5, 8, 8] and [e.number for e in seen] == [1, 2, 3, 4, 5, 6]
    ticks = iter(np.arange(0, 100, 0.5))
    limited = meta_train(FormulaRule("-0.1*mt"), Rosenbrock(), time_limit=5.0, steps=2, clock=lambda: next(ticks))
    assert limited.reason == "time_limit" and 1 <= len(limited.history) <= 6


def test_imitation_makes_a_formula_its_teacher():
    rule = FormulaRule("-0.3*mhat/(sqrt(vhat) + 1e-3)", 0.1, 0.9, 0.999)
    meta_train(
        rule, Quadratics(5, noise=0.2), imitate=adam(0.05), share=1.0, episodes=40, steps=10, unroll=10,
        learning_rate=0.1,
    )  # fmt: skip
    g = torch.tensor([2.0], dtype=torch.float64)
    update, _ = rule(g, rule.start(g), 1)
    assert update.item() == pytest.approx(-0.5, rel=0.05)  # the teacher's scale over the rule's


def test_diverging_unrolls_are_counted_and_nothing_becomes_nan():
    rule = FormulaRule("-40*g", 1.0)
    trained = meta_train(rule, Quadratics(3), episodes=5, steps=40, unroll=10, optimizees=2)
    assert trained.diverged == 10 and rule.relative.isfinite().all()
    broken = FormulaRule("-g*log(-1*g*g)", 1.0)  # never has a value
    with pytest.warns(RuntimeWarning, match="nothing was learned"):
        trained = meta_train(broken, Quadratics(3), episodes=2, steps=10, unroll=5, optimizees=2)
    assert trained.diverged == 4 and all(e.skipped for e in trained.history) and broken.relative.isfinite().all()


def test_losses_beyond_the_clip_count_as_the_clip_and_have_no_gradient():
    rule, batch = FormulaRule("5*g", 1.0), Quadratics(3).sample(2, 1)  # uphill
    loss, *_ = unroll_loss(rule, batch, 3, objective="sum", clip=2.0)
    assert loss.item() == pytest.approx(2.0)
    loss.backward()
    assert rule.relative.grad.item() == 0.0


def test_an_optimizee_that_grows_slowly_over_many_unrolls_has_diverged_too():
    """A hundredfold at each unroll is a thousandfold of the first loss at the second."""
    uphill = FormulaRule("9*g", 1.0)
    trained = meta_train(uphill, Quadratics(2, condition=1.0), episodes=1, steps=6, unroll=1, optimizees=3)
    assert trained.diverged == 3 and trained.history[0].unrolls <= 4


def test_an_optimizee_without_a_gradient_at_the_end_leaves_the_others_theirs():
    batch = Quadratics(3).sample(2, 1)

    class Broken:
        start = batch.start

        def __init__(self, bad):
            self.bad = torch.tensor(bad)

        def __len__(self):
            return 2

        def gradients(self, theta, step):
            losses, gradients = batch.gradients(theta, step)
            if step > 3:  # after the last step of the unroll
                gradients = torch.where(self.bad[:, None], torch.inf, gradients)
            return losses, gradients

    slopes = []
    for bad in ([False, True], [False, False]):
        rule = FormulaRule("-0.7*g", 0.1)
        unroll_loss(rule, Broken(bad), 3)[0].backward()
        slopes.append(rule.relative.grad.item())
    assert np.isfinite(slopes).all() and slopes[0] != 0 and slopes[0] != slopes[1]


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        (FormulaRule("-g"), {}, "rule with parameters"),
        (dm(), {"episodes": None}, "both None"),
        (dm(), {"episodes": 0}, "episodes is 0"),
        (dm(), {"steps": []}, "steps is empty"),
        (dm(), {"unroll": 0}, "unroll is 0"),
        (dm(), {"objective": "loss"}, "objective is 'loss'"),
        (dm(), {"order": 0}, "order is 0"),
        (dm(), {"family": "digits"}, "family is"),
        (dm(), {"imitate": "adam"}, "imitate is 'adam'"),
        (dm(), {"max_norm": 0}, "max_norm is 0"),
        (dm(), {"seed": -1}, "seed is -1"),
        (sgd(0.1), {}, "rule with parameters"),
    ],
)
def test_bad_arguments_are_named(rule, options, message):
    given = {"family": Quadratics(2), "episodes": 1, "steps": 2, **options}
    with pytest.raises(ValueError, match=message):
        meta_train(rule, **given)
