"""Algorithm 1 and its parts that can be switched off."""

from dataclasses import replace

import numpy as np
import pytest

from srlib import problems
from srlib.gmeql import ARCHITECTURES, DEFAULT, PAPER, Architecture, Settings, Weights, begin, forward, mixing
from srlib.gmeql.training import Adam, plain

SHORT = replace(PAPER, rounds=2, steps=15, stage2=30)


def training(settings=SHORT, seed=0, name="b6", layers="b6"):
    problem = problems.load(name)
    return begin(Architecture(problem.X.shape[1], ARCHITECTURES[layers]), problem.X, problem.y, settings, seed=seed)


def run(one, steps):
    for _ in range(steps):
        one.step()
    return one


def test_adam_is_that_of_torch():
    torch = pytest.importorskip("torch")
    theirs = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer, ours, value = torch.optim.Adam([theirs], lr=0.01), Adam(3, 0.01), np.zeros(3)
    for k in range(20):
        gradient = np.sin(np.arange(3) + k)
        theirs.grad = torch.from_numpy(gradient)
        optimizer.step()
        value = value - ours.step(gradient)
    assert value == pytest.approx(theirs.detach().numpy(), rel=1e-9)


def test_stage_1_leaves_the_weights_alone_and_each_round_begins_anew():
    one = training()
    run(one, 1)
    w, z = one.weights.w.copy(), one.z.copy()
    run(one, 14)
    assert (one.weights.w == w).all() and (one.z != z).any() and one.stage == 1
    run(one, 1)
    assert (one.weights.w != w).all()
    run(one, 15)
    assert one.stage == 2 and len(one.elites) > 40  # what stage 1 found is kept
    w = one.weights.w.copy()
    run(one, 5)
    assert (one.weights.w != w).any()


def test_the_paper_s_numbers():
    assert (PAPER.rounds, PAPER.steps, PAPER.stage2) == (3, 2000, 48000)
    assert (PAPER.instances, PAPER.batch, PAPER.repository, PAPER.resampled) == (40, 40, 400, 0.2)
    assert PAPER.temperature == pytest.approx(2 / 3) and PAPER.learning_rate == 0.001 and PAPER.exponent == 1.5


def test_a_fifth_of_the_connections_is_sampled_anew_and_only_those_are_trained():
    one = run(training(), 20)
    labels = one._labels(np.array([0, 3, -1]))
    assert labels[:2].sum(axis=1).tolist() == [round(0.2 * one.architecture.connections)] * 2
    assert labels[2, one.architecture.structural].all() and not labels[:2, one.architecture.sums].any()
    V = np.full((3, *one.z.shape), 0.2)
    before = one.z.copy()
    one.online["z"] = Adam(one.z.shape, 0.1)
    dA = np.random.default_rng(0).standard_normal(V.shape)
    one._train_online(1, V, V, dA, labels & (np.arange(3) < 1)[:, None])
    moved = (one.z != before).any(axis=1)
    assert (moved == labels[0]).all()


@pytest.mark.parametrize(
    "change",
    [
        {"rounds": 0},
        {"resampled": 1.0, "offline": None},
        {"offline": "match"},
        {"samples": "hard"},
    ],
    ids=str,
)
def test_every_part_can_be_switched_off(change):
    one = run(training(replace(SHORT, **change)), 50)
    assert np.isfinite(one.best) and np.isfinite(one.z).all()
    assert set(one.errors()) == ({"hard"} if change.get("samples") else {"soft", "hard"})


def test_training_lowers_the_error_of_what_is_sampled():
    settings = replace(PAPER, rounds=0, stage2=400, resampled=1.0, offline=None, learning_rate=0.02)
    one = training(settings, name="b5", layers="b5")
    first = np.mean([np.nanmean(one.step().errors) for _ in range(20)])
    run(one, 300)
    last = np.mean([np.nanmean(one.step().errors) for _ in range(20)])
    assert last < 0.7 * first


def test_offline_training_makes_elites_likelier():
    for settings in (replace(SHORT, learning_rate=0.05), replace(DEFAULT, patience=0)):
        one = run(training(settings), 25)
        edges = one.elites["edges"][0]
        rows = one.architecture.structural

        def likely(one=one, rows=rows, edges=edges):
            return np.log(one.probabilities()[rows, edges[rows]]).sum()

        before = likely()
        for _ in range(30):
            one._train_offline()
        assert likely() > before + 1


@pytest.mark.parametrize("settings", [SHORT, replace(DEFAULT, stage2=40)], ids=["paper", "default"])
def test_it_goes_on_exactly_from_a_snapshot(settings):
    whole = run(training(settings), 30)
    state = plain(whole.snapshot())
    other = training(settings, seed=99)
    other.restore(state)
    for _ in range(10):
        a, b = whole.step(), other.step()
        assert np.array_equal(a.errors, b.errors, equal_nan=True)
    assert whole.elites.errors.tolist() == other.elites.errors.tolist()
    assert (whole.z == other.z).all()


def test_formulas_are_cleared_away_after_a_restore():
    whole = run(training(replace(DEFAULT, stage2=40)), 10)
    other = training(replace(DEFAULT, stage2=40))
    other.restore(plain(whole.snapshot()))
    other.forms.update(dict.fromkeys(range(5 * DEFAULT.repository)))  # as after many more steps
    other.step()
    assert set(other.forms) <= set(other.elites.keys.tolist())


def test_the_same_seed_gives_the_same_run():
    a, b, c = (run(training(seed=seed), 40) for seed in (3, 3, 4))
    assert a.elites.errors.tolist() == b.elites.errors.tolist() != c.elites.errors.tolist()


def test_soft_and_hard_errors_are_those_of_the_two_networks():
    one = run(training(), 50)
    found, rank = one.errors(), np.array([0])
    weights = Weights(one.elites.take("w", rank), one.elites.take("u", rank))
    for name, V in (("soft", np.exp(one.elites.take("log_V", rank))),
                    ("hard", np.eye(one.z.shape[1])[one.elites["edges"][:1]])):  # fmt: skip
        output, _ = forward(one.architecture, mixing(one.architecture, V, weights), one.X)
        assert found[name] == pytest.approx(np.abs(output[0] - one.y).mean())
    form = one.form(0)
    values = form.expression().evaluate(one.X[:-1].T)
    assert np.abs(values - one.y).mean() == pytest.approx(found["hard"], rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0}, "preset.temperature is 0"),
        ({"temperature": float("inf")}, "preset.temperature is inf"),
        ({"temperature": 1e-300}, "preset.temperature is 1e-300"),
        ({"learning_rate": float("inf")}, "preset.learning_rate is inf"),
        ({"w_center": float("inf")}, "preset.w_center is inf"),
        ({"z_spread": float("inf")}, "preset.z_spread is inf"),
        ({"instances": 0}, "preset.instances is 0"),
        ({"resampled": 1.5}, "preset.resampled is 1.5"),
        ({"samples": "sharp"}, "preset.samples is 'sharp'"),
        ({"offline": "eq7"}, "preset.offline is 'eq7'"),
        ({"rounds": 0, "stage2": 0}, "no steps"),
        ({"refit": True}, "samples='hard'"),
    ],
)
def test_settings_that_cannot_be_used(change, message):
    with pytest.raises(ValueError, match=message):
        Settings(**change).check()


def test_a_restart_does_not_take_the_elites_of_its_last_step_away(monkeypatch):
    monkeypatch.setattr("srlib.gmeql.training.GAIN", 0.0)  # nothing counts as progress: a restart after every step
    one = training(replace(DEFAULT, patience=1))
    for _ in range(5):
        if one.step().improved:
            assert one.elites.errors[0] == one.best and one.form(0) is not None
    assert one.restarts == 4
