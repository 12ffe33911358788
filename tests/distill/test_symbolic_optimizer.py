"""A formula as torch's optimiser: Adam's is Adam, states are saved, and a rule without a value says so."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from srlib.distill.l2o import FormulaRule, SymbolicOptimizer  # noqa: E402

ADAM = "-mhat/(sqrt(vhat) + 1e-8)"


def network(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()


def train(model, optimizer, steps, first=0, schedule=None):
    for step in range(first, first + steps):
        x = torch.randn(16, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        (model(x) - x.sum(dim=1, keepdim=True)).square().mean().backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
    return torch.cat([one.detach().reshape(-1) for one in model.parameters()])


@pytest.mark.parametrize("scheduled", [False, True])
def test_adams_formula_is_torchs_adam(scheduled):
    results = []
    for symbolic in (True, False):
        model = network()
        if symbolic:
            optimizer = SymbolicOptimizer(model.parameters(), FormulaRule(ADAM, beta1=0.9, beta2=0.999), lr=0.01)
        else:
            optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100) if scheduled else None
        results.append(train(model, optimizer, 100, schedule=schedule))
    torch.testing.assert_close(*results, rtol=0, atol=1e-10)


@pytest.mark.parametrize("formula", [ADAM, "-tanh(gt) - 0.3*gt_2 - 0.1*avg9_g", "-g - 0.5*g_1"])
def test_state_is_saved_and_loaded(formula, tmp_path):
    model = network()
    whole = train(model, SymbolicOptimizer(model.parameters(), formula, lr=0.01), 20)
    model = network()
    optimizer = SymbolicOptimizer(model.parameters(), formula, lr=0.01)
    train(model, optimizer, 9)
    torch.save(optimizer.state_dict(), tmp_path / "state.pt")
    other = network(1)
    other.load_state_dict(model.state_dict())
    optimizer = SymbolicOptimizer(other.parameters(), formula, lr=1.0)
    optimizer.load_state_dict(torch.load(tmp_path / "state.pt"))
    assert torch.equal(train(other, optimizer, 11, first=9), whole)


def test_remembered_gradients_survive_zero_grad_in_place():
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = SymbolicOptimizer([weight], "-g_1", lr=1.0)
    for _ in range(2):
        weight.grad = torch.ones(2) if weight.grad is None else weight.grad.add_(1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
    assert weight.tolist() == [-1.0, -1.0]


def test_parameters_without_gradient_stay_and_closures_work():
    weight, idle = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizer = SymbolicOptimizer([{"params": [weight]}, {"params": [idle], "lr": 5.0}], "-g", lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2.0
    torch.testing.assert_close(weight.detach(), torch.full((2,), 0.8))
    assert idle.tolist() == [1.0, 1.0] and idle not in optimizer.state


def test_a_rule_without_a_value_raises_before_anything_is_changed_or_is_skipped():
    first, second = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))
    first.grad, second.grad = torch.ones(2), torch.tensor([0.0, 1.0, 2.0])
    optimizer = SymbolicOptimizer([first, second], "-g/vhat", lr=0.1)
    with pytest.raises(FloatingPointError, match=r"1 of 3 entries of parameter 1 .*gradient is 0"):
        optimizer.step()
    assert first.tolist() == [1.0, 1.0] and first not in optimizer.state
    skipping = SymbolicOptimizer([first, second], "-g/vhat", lr=0.1, not_finite="skip")
    skipping.step()
    np.testing.assert_allclose(second.detach().numpy(), [1.0, 0.9, 0.95], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("3*mt", -1.0), "lr is"), (("2.5",), "uses no feature"), (("-x0",), "x0"), (("-g", 0.1, "maybe"), "not_finite")],
)
def test_bad_rules_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SymbolicOptimizer([torch.nn.Parameter(torch.ones(1))], *arguments)
