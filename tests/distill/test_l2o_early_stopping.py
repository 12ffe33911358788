"""With a validation a meta-training ends as what did best over whole runs; a meta-loss of the last losses only."""

import math

import pytest

torch = pytest.importorskip("torch")

from srlib.distill.l2o import FormulaRule, Quadratics, Validation, meta_train, run_rule, unroll_loss  # noqa: E402
from srlib.distill.l2o.early_stopping import Kept  # noqa: E402

FAMILY = Quadratics(4, noise=0.1)


def trained(formula="-0.3*g", validation=None, callbacks=(), **options):
    rule = FormulaRule(formula, 1.0)
    given = {"episodes": 7, "steps": 10, "unroll": 10, "learning_rate": 0.1, "optimizees": 2, **options}
    done = meta_train(rule, FAMILY, validation=validation, callbacks=callbacks, **given)
    return rule, done


def test_the_score_is_the_mean_logarithm_of_the_final_losses():
    batch, rule = FAMILY.sample(3, 5), FormulaRule("-0.3*g", 1.0)
    final = run_rule(rule, batch, 12).losses[-4:].mean(dim=0)
    assert Validation(batch, 12, last=4).score(rule) == pytest.approx(final.log().mean().item(), rel=1e-12)
    assert Validation(batch, 12).score(FormulaRule("9*g", 1.0)) == math.inf  # it diverges


def test_a_rule_that_only_gets_worse_comes_back_as_it_was_given():
    """It imitates a rule that goes uphill; its constant keeps its sign, so that it can only become slower."""
    validation = Validation(FAMILY.sample(4, 5), 50, every=1)
    uphill = {"imitate": FormulaRule("5*g", 1.0), "share": 1.0}
    rule, done = trained(validation=validation, **uphill)
    assert done.kept == 0 and (rule.relative == 0).all()
    scores = [one.validation for one in done.history]
    assert min(scores) > validation.score(rule)
    without, done = trained(**uphill)
    assert done.kept is None and (without.relative != 0).any()
    assert validation.score(without) == scores[-1]  # looking changes nothing of the training


def test_what_is_kept_is_the_best_that_was_looked_at():
    validation = Validation(FAMILY.sample(4, 5), 20, every=3, margin=0)
    seen = []
    start = FormulaRule("-0.01*g", 1.0)
    rule, done = trained("-0.01*g", validation, [lambda e: seen.append(e.validation)])
    looked = [not math.isnan(score) for score in seen]
    assert looked == [False, False, True, False, False, True, True]  # each third, and the last
    scores = {0: validation.score(start), **{n: s for n, s in enumerate(seen, 1) if not math.isnan(s)}}
    assert done.kept == min(scores, key=scores.get) > 0
    assert validation.score(rule) == scores[done.kept]


def test_a_margin_asks_for_more_than_luck():
    batch, slow, fast = FAMILY.sample(6, 5), FormulaRule("-0.1*g", 1.0), FormulaRule("-0.5*g", 1.0)
    easy, hard = (Kept(slow, Validation(batch, 20, margin=margin)) for margin in (0.5, 1e6))
    for kept in (easy, hard):
        kept.begin([])
        kept.now = fast
    gain = easy.logarithms - Validation(batch, 20).logarithms(fast)
    assert gain.mean() > 0.5 * gain.std() / 6**0.5 > 0  # or there is nothing to test
    assert easy.look(5) == hard.look(5)
    assert (easy.episode, hard.episode) == (5, 0)


def test_where_some_diverge_fewer_is_better():
    batch = FAMILY.sample(3, 5)
    wild, tame = FormulaRule("-9*g", 1.0), FormulaRule("-0.1*g", 1.0)
    kept = Kept(wild, Validation(batch, 60))
    kept.begin([])
    assert kept.score == math.inf
    assert kept.look(5) == math.inf and kept.episode == 0
    kept.now = tame
    assert kept.look(10) < math.inf and kept.episode == 10
    kept.now = wild
    assert kept.look(15) == math.inf and kept.episode == 10


@pytest.mark.parametrize("stop", [2, 4])
def test_an_interrupted_training_knows_its_best(tmp_path, stop):
    path, validation = tmp_path / "run.npz", Validation(FAMILY.sample(4, 5), 20, every=2)
    options = {"learning_rate": 1.5}  # some of the episodes make it worse
    whole, done = trained(validation=validation, **options)
    trained(validation=validation, callbacks=[lambda e: e.number == stop], checkpoint=path, **options)
    again, rest = trained(validation=validation, checkpoint=path, **options)
    assert torch.equal(whole.relative, again.relative) and rest.kept == done.kept
    with pytest.raises(ValueError, match="training with validation = "):
        trained(validation=Validation(FAMILY.sample(4, 5), 21, every=2), checkpoint=path, **options)


def test_only_the_last_losses_of_an_unroll_count():
    rule, batch = FormulaRule("-0.3*g", 1.0), FAMILY.sample(3, 5)
    losses = run_rule(rule, batch, 9).losses
    for counted in (1, 3):
        loss, *_ = unroll_loss(rule, batch, 8, counted=counted, objective="sum")
        assert loss.item() == pytest.approx((losses[9 - counted :] / losses[0]).mean().item(), rel=1e-9)
    every, *_ = unroll_loss(rule, batch, 8, counted=100)
    assert torch.equal(every, unroll_loss(rule, batch, 8)[0])


def test_bad_validations_are_named():
    with pytest.raises(ValueError, match="give optimizees"):
        Validation(FAMILY)
    with pytest.raises(ValueError, match="every is 0"):
        Validation(FAMILY.sample(1), every=0)
    with pytest.raises(ValueError, match="margin is -1"):
        Validation(FAMILY.sample(1), margin=-1)
    with pytest.raises(ValueError, match="counted is 0"):
        trained(counted=0)
