"""The parts of the equation learner against autograd, sympy, closed forms, and one another."""

import numpy as np
import pytest
import sympy

torch = pytest.importorskip("torch")

from srlib.eql import (  # noqa: E402
    L05,
    L1,
    PAPER_UNITS,
    UNITS,
    Architecture,
    EQLNetwork,
    HardConcrete,
    PenaltyEpochs,
    Phase,
    SmoothedL05,
    Training,
    Unit,
    levenberg_marquardt,
    prune,
    read_units,
    to_expression,
)
from srlib.eql.extraction import used_weights  # noqa: E402
from srlib.eql.network import backward, forward  # noqa: E402

EVERY_UNIT = dict.fromkeys(UNITS, 2)


def double(*shape, seed=0, low=-2.0, high=2.0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(low, high, shape))


# ---------------------------------------------------------------- units


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.name)
def test_a_units_torch_value_is_its_sympy_value(unit):
    low = -2.0 if unit.guard_value is None else 0.05
    arguments = [double(50, seed=k, low=low) for k in range(unit.arity)]
    symbols = sympy.symbols("p q")[: unit.arity]
    formula = sympy.lambdify(symbols, unit.sympy(*symbols), "numpy")
    expected = formula(*(a.numpy() for a in arguments))
    value = unit.torch(*arguments)
    assert np.asarray(value) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.name)
def test_a_units_slopes_are_those_of_autograd(unit):
    low = -2.0 if unit.guard_value is None else 0.05
    arguments = [double(50, seed=k, low=low).requires_grad_() for k in range(unit.arity)]
    if not arguments:
        assert unit.torch_slopes() == ()
        return
    expected = torch.autograd.grad(unit.torch(*arguments).sum(), arguments)
    for slope, right in zip(unit.torch_slopes(*arguments), expected, strict=True):
        assert torch.allclose(torch.as_tensor(slope, dtype=torch.float64).expand(50), right, rtol=1e-10, atol=1e-12)


def test_the_scalings_are_those_of_the_paper():
    z = torch.tensor([0.3], dtype=torch.float64)
    assert UNITS["sin"].torch(z).item() == pytest.approx(np.sin(4 * np.pi * 0.3))
    assert UNITS["exp"].torch(z).item() == pytest.approx((np.exp(0.3) - 1) / np.e)
    assert UNITS["sigmoid"].torch(z).item() == pytest.approx(1 / (1 + np.exp(-20 * 0.3)))
    assert UNITS["product"].torch(z, z).item() == pytest.approx(0.3 * 0.3 / 0.1)


def test_division_is_0_where_its_denominator_is_not_positive():
    a, b = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, -1.0, 0.0])
    assert UNITS["division"].torch(a, b).tolist() == [0.5, 0, 0]
    assert [slope.tolist() for slope in UNITS["division"].torch_slopes(a, b)] == [[0.5, 0, 0], [-0.25, 0, 0]]
    assert UNITS["division"].torch(a, b, least=3.0).tolist() == [0, 0, 0]


def test_a_unit_of_ones_own_has_slopes_by_sympy():
    cube = Unit("cube", "a**3/2")
    x = torch.tensor([2.0, -1.0])
    assert cube.torch(x).tolist() == [4.0, -0.5] and cube.torch_slopes(x)[0].tolist() == [6.0, 1.5]


# ---------------------------------------------------------------- penalties


@pytest.mark.parametrize("penalty", [L1(), L05(), SmoothedL05(), SmoothedL05(0.3), HardConcrete()], ids=repr)
def test_a_penaltys_slope_is_that_of_autograd(penalty):
    w = torch.cat([double(200), double(200, low=-0.1, high=0.1)]).requires_grad_()
    (expected,) = torch.autograd.grad(penalty.values(w).sum(), w)
    assert torch.allclose(penalty.slopes(w.detach()), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("a", [0.05, 0.5])
def test_smoothed_l05_is_the_documents_formula_and_joins_smoothly(a):
    penalty, w = SmoothedL05(a), double(300, low=-2 * a, high=2 * a)
    inner = (-(w**4) / (8 * a**3) + 3 * w**2 / (4 * a) + 3 * a / 8).clamp(min=0).sqrt()
    assert torch.allclose(penalty.values(w), torch.where(w.abs() < a, inner, w.abs().sqrt()), rtol=1e-12)
    for sign in (1, -1):
        sides = torch.tensor([sign * a * (1 - 1e-9), sign * a * (1 + 1e-9)], dtype=torch.float64)
        for part in (penalty.values(sides), penalty.slopes(sides)):
            assert part[0].item() == pytest.approx(part[1].item(), rel=1e-7)
    assert penalty.values(torch.zeros(1)).item() == pytest.approx(np.sqrt(3 * a / 8), rel=1e-6)
    zero = torch.zeros(1, requires_grad=True)
    assert penalty.slopes(zero.detach()).item() == 0 == torch.autograd.grad(penalty.values(zero).sum(), zero)[0].item()


def test_hard_concrete_gates_have_the_probabilities_of_their_closed_form():
    penalty = HardConcrete()
    u = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000  # every quantile once
    for log_alpha in (-2.0, 0.0, 1.5):
        gates = penalty.sample(torch.full_like(u, log_alpha), u)
        one = torch.tensor(log_alpha, dtype=torch.float64)
        assert (gates != 0).double().mean().item() == pytest.approx(penalty.values(one).item(), abs=1e-5)
        assert (gates == 1).double().mean().item() == pytest.approx(penalty.probability_of_one(one).item(), abs=1e-5)


def test_the_slope_of_sampled_gates_is_that_of_autograd():
    penalty, u = HardConcrete(), double(500, low=0.001, high=0.999)
    log_alpha = double(500, seed=1).requires_grad_()
    gates = penalty.sample(log_alpha, u)
    (expected,) = torch.autograd.grad(gates.sum(), log_alpha)
    assert torch.allclose(penalty.sample_slopes(gates.detach()), expected, rtol=1e-9, atol=1e-12)
    assert 0 < (expected == 0).sum() < 500


# ---------------------------------------------------------------- networks


def network(trials=3, layers=2, units=EVERY_UNIT, features=2, seed=0, scales=(0.3, 0.3, 1.0)):
    return EQLNetwork(features, units, layers, trials, scales, seed, torch.float64)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_hand_written_gradient_is_that_of_autograd(layers):
    net, X = network(layers=layers, scales=(0.1, 0.01, 1.0)), double(40, 2, seed=5)
    output = net(X)
    upstream = double(*output.shape, seed=6)
    (expected,) = torch.autograd.grad((output * upstream).sum(), net.flat)
    matrices = [m.detach() for m in net.matrices]
    _, tape = forward(net.architecture, matrices, X.mT)
    deltas = backward(net.architecture, matrices, tape, upstream)
    found = torch.cat([(h @ d.mT).flatten(1) for h, d in zip(tape.inputs, deltas, strict=True)], dim=1)
    assert torch.allclose(found, expected, rtol=1e-8, atol=1e-10 * expected.abs().max().item())


def test_gradients_reach_what_feeds_the_network():
    net, X = network(units=PAPER_UNITS), double(7, 2).requires_grad_()
    (by_input,) = torch.autograd.grad(net(X).sum(), X)
    assert by_input.shape == X.shape and (by_input != 0).any()


@pytest.mark.parametrize("seed", range(4))
def test_the_formula_computes_what_the_network_computes(seed):
    net, X = network(units=PAPER_UNITS, seed=seed), double(30, 2, seed=9, low=-1, high=1)
    output = net(X).detach().numpy()
    for trial in range(3):
        values = net.expression(trial).evaluate(X.numpy())
        assert values == pytest.approx(output[trial], rel=1e-10, abs=1e-10)


def test_the_formula_leaves_out_weights_up_to_the_threshold():
    net = network(units=PAPER_UNITS)
    X, flat = double(30, 2), net.flat.detach().clone()
    with torch.no_grad():
        net.flat[flat.abs() <= 0.2] = 0
    expected = net(X).detach().numpy()[1]
    with torch.no_grad():
        net.flat.copy_(flat)
    assert net.expression(1, threshold=0.2).evaluate(X.numpy()) == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_weights_that_do_not_matter_are_found():
    net, X = network(units=PAPER_UNITS, trials=20), double(30, 2)
    alive = torch.from_numpy(np.random.default_rng(0).random(net.flat.shape) < 0.08)
    used = torch.from_numpy(np.stack([used_weights(net.architecture, one) for one in alive.numpy()]))
    assert (used & ~alive).sum() == 0 and (used.sum(1) < alive.sum(1)).any()
    outputs = []
    for mask in (alive, used):
        weights = net.flat.detach() * mask
        outputs.append(forward(net.architecture, net.architecture.matrices(weights), X.mT)[0])
    assert torch.equal(*outputs)


# ---------------------------------------------------------------- training


SHORT = (Phase(25, 0.002, 5e-3), Phase(15, 0.001, 0.0, cut=0.05))


def training(seeds, penalty, phases=SHORT):
    X = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    architecture = Architecture(2, read_units(PAPER_UNITS), 2)
    return Training(architecture, X, X[:, 0] * X[:, 1], penalty, phases, seeds, dtype=torch.float64)


@pytest.mark.parametrize("penalty", [SmoothedL05(), HardConcrete()], ids=["L0.5", "L0"])
def test_a_batch_of_trials_is_the_same_trials_alone(penalty):
    together = training([(7, k) for k in range(3)], penalty)
    list(together.run())
    for trial in range(3):
        alone = training([(7, trial)], penalty)
        list(alone.run())
        assert alone.final_weights()[0] == pytest.approx(together.final_weights()[trial], rel=1e-6, abs=1e-8)


def test_training_lowers_the_error_and_a_cut_lasts():
    run = training([1, 2], SmoothedL05(), (Phase(300, 0.02, 5e-3), Phase(50, 0.01, 0.0, cut=0.05)))
    first = run.errors()
    snapshots = list(run.run(every=50))
    assert (snapshots[-1].errors < 0.5 * first).all()
    assert [s.step for s in snapshots] == [50, 100, 150, 200, 250, 300, 350] and snapshots[-1].phase == 1
    assert (run.final_weights() == 0).mean() > 0.3


def test_a_trial_that_diverges_begins_anew_and_is_counted():
    run = training([1, 2], SmoothedL05(), (Phase(100, 0.02, 0.0),))
    run.weights[0] = torch.nan
    snapshots = list(run.run(every=10))
    assert snapshots[-1].restarts == 1 and np.isfinite(snapshots[-1].errors).all()
    untouched = training([1, 2], SmoothedL05(), (Phase(100, 0.02, 0.0),))
    list(untouched.run(every=10))
    assert run.final_weights()[1] == pytest.approx(untouched.final_weights()[1], rel=1e-6, abs=1e-9)


def test_the_gradient_of_a_penalty_epoch_is_that_of_its_definition():
    X = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    architecture = Architecture(2, read_units({"identity": 2, "division": 3}), 2)
    beyond = PenaltyEpochs.around(X, 3.0, bound=0.2, every=5)
    assert beyond.high - beyond.low == pytest.approx(3 * np.ptp(X, axis=0))
    step, seeds = 44, [1, 2]  # the 45th step is a penalty epoch
    run = Training(architecture, X, X[:, 0], L1(), SHORT, seeds, (1.0, 1.0, 1.0), None, torch.float64, beyond)
    flat, least = run.weights.clone().requires_grad_(), (step + 1) ** -0.5
    h = torch.from_numpy(beyond.inputs(50, step))  # (features, rows)
    assert (h.numpy() < beyond.high[:, None]).all() and (h.numpy() > beyond.low[:, None]).all() and (h.abs() > 1).any()
    penalty, matrices = 0.0, architecture.matrices(flat)
    for W in matrices[:-1]:
        z = W.mT @ h  # (trials, arguments, rows): two of identity, three above and three below the line
        above, below = z[:, 2:5], z[:, 5:8]
        penalty = penalty + (least - below).clamp(min=0).mean(-1).sum()
        h = torch.cat([z[:, :2], torch.where(below > least, above / below, 0.0)], dim=1)
    output = (matrices[-1].mT @ h).squeeze(1)
    penalty = penalty + (output.abs() - beyond.bound).clamp(min=0).mean(-1).sum()
    (expected,) = torch.autograd.grad(penalty, flat)
    assert torch.allclose(run._gradient(run.weights, step), expected, rtol=1e-8, atol=1e-10)
    ordinary = Training(architecture, X, X[:, 0], L1(), SHORT, seeds, (1.0, 1.0, 1.0), None, torch.float64)
    assert torch.equal(run._gradient(run.weights, step + 1), ordinary._gradient(run.weights, step + 1))


# ---------------------------------------------------------------- exact weights


def test_least_squares_finds_the_weights_of_a_network():
    net, X = network(units=PAPER_UNITS, trials=1), np.random.default_rng(1).uniform(-1, 1, (80, 2))
    keep = np.random.default_rng(3).random(net.architecture.size) < 0.06
    keep[-net.architecture.width :] = True
    weights = np.where(keep, net.flat.detach().numpy(), 0.0)
    y = forward(net.architecture, net.architecture.matrices(torch.from_numpy(weights)), torch.from_numpy(X.T))[0][0]
    fitted, errors = levenberg_marquardt(net.architecture, X, y.numpy(), weights * 1.02, steps=100)
    assert errors[0] < 1e-20 and (fitted[weights == 0] == 0).all()


def test_pruning_leaves_the_weights_of_the_law():
    architecture = Architecture(1, read_units({"identity": 2, "square": 2, "sin": 2}), 1)
    X = np.linspace(-1, 1, 60)[:, None]
    y = 2 * X[:, 0] ** 2 + np.sin(2 * np.pi * X[:, 0])
    matrices = [np.array([[0.3, 0.01, 1.1, 0.1, 0.45, 0.02]]), np.array([[0.02, 0.3, 2.0, 0.1, 0.9, 0.05]]).T]
    start = np.concatenate([m.ravel() for m in matrices])[None]
    (chain,) = prune(architecture, X, y, start, tolerance=1e-22)
    active = [stage.active for stage in chain]
    assert active == sorted(active, reverse=True) and active[-1] <= 2
    exact = min((stage for stage in chain if stage.error < 1e-20), key=lambda stage: stage.active)
    assert exact.active == 4
    formula = to_expression(architecture, exact.weights)
    assert formula.evaluate(X) == pytest.approx(y, abs=1e-9)
