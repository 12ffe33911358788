"""The network against torch, instances against one another, and formulas against the network."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srlib import problems, recovers
from srlib.gmeql import ARCHITECTURES, FUNCTIONS, Architecture, Weights, backward, extract, forward, graph, mixing
from srlib.gmeql.sampling import relaxed, relaxed_gradient
from srlib.kernels.many import ManyFits
from tests.gmeql.networks import EVERY, random_instances, table, torch_network, wired


def hard(architecture, edges):
    return np.eye(architecture.widest)[edges]


# ---------------------------------------------------------------- values and derivatives


@pytest.mark.parametrize("name", FUNCTIONS)
def test_slopes_are_derivatives(name):
    function, h = FUNCTIONS[name], 1e-6
    arguments = [np.random.default_rng(k).uniform(0.3, 1.5, 40) for k in range(function.arity)]
    slopes = function.slopes(arguments, function.value(*arguments))
    for k, slope in enumerate(slopes):
        up, down = ([a + s * h * (j == k) for j, a in enumerate(arguments)] for s in (1, -1))
        expected = (function.value(*up) - function.value(*down)) / (2 * h)
        assert np.broadcast_to(slope, expected.shape) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_values_and_derivatives_are_those_of_torch():
    torch = pytest.importorskip("torch")
    architecture, X = Architecture(2, EVERY), table(2)
    rng = np.random.default_rng(0)
    z = rng.standard_normal((6, *architecture.real.shape))
    V = np.exp(relaxed(z, 0.0, 0.7, architecture.real))
    _, weights = random_instances(architecture, 6, 1, 0.3)
    weights = Weights(0.5 + weights.w, weights.u)
    A = mixing(architecture, V, weights)
    output, tape = forward(architecture, A, X)
    target = rng.standard_normal(X.shape[1])
    gradient = np.sign(output - target) / X.shape[1]
    dA = backward(architecture, tape, gradient)
    theirs = torch.from_numpy(A).requires_grad_()
    value = torch_network(architecture, theirs, torch.from_numpy(X))
    (value - torch.from_numpy(target)).abs().mean(dim=1).sum().backward()
    assert output == pytest.approx(value.detach().numpy(), rel=1e-10)
    assert dA == pytest.approx(theirs.grad.numpy(), rel=1e-8, abs=1e-9)


def test_the_gradient_through_the_relaxation_is_that_of_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    z, noise, dV, temperature = rng.standard_normal((5, 4)), rng.gumbel(size=(5, 4)), rng.standard_normal((5, 4)), 0.6
    theirs = torch.from_numpy(z).requires_grad_()
    (torch.softmax((theirs + torch.from_numpy(noise)) / temperature, -1) * torch.from_numpy(dV)).sum().backward()
    V = np.exp(relaxed(z, noise, temperature))
    assert relaxed_gradient(V, dV, temperature) == pytest.approx(theirs.grad.numpy(), rel=1e-10)


def test_all_instances_at_once_are_each_instance_by_itself():
    architecture, X = Architecture(3, EVERY), table(3)
    edges, weights = random_instances(architecture, 50, 2)
    A = mixing(architecture, hard(architecture, edges), weights)
    together, _ = forward(architecture, A, X)
    for i in range(50):
        alone, _ = forward(architecture, A[i : i + 1], X)
        assert np.array_equal(np.isnan(alone[0]), np.isnan(together[i]))
        assert alone[0] == pytest.approx(together[i], rel=1e-12, nan_ok=True)


def test_a_node_without_a_value_harms_only_who_takes_it():
    architecture, X = Architecture(1, [["sqrt", "identity"]]), np.array([[-1.0, 4.0], [1.0, 1.0]])
    edges = np.array([[0, 0, 0], [0, 0, 1]])  # the output takes the root, or the identity
    A = mixing(architecture, hard(architecture, edges), Weights(np.ones((2, 3)), np.zeros((2, 0, 2))))
    output, tape = forward(architecture, A, X)
    assert np.isnan(output[0]).all() and output[1].tolist() == [-1.0, 4.0]
    gradient = np.array([[0.0, 0.0], [0.5, 0.5]])
    assert np.isfinite(backward(architecture, tape, gradient)).all()


@pytest.mark.parametrize("root", ["sqrt", "sqrt_abs"])
def test_a_root_of_zero_does_not_spoil_the_derivatives_of_other_instances(root):
    architecture, X = Architecture(1, [[root, "identity"], ["plus"]]), np.array([[0.0, 1.0, 4.0], [1.0, 1.0, 1.0]])
    edges = np.array([[0, 0, 0, 1, 0], [1, 1, 0, 1, 0]])  # the root of x, or of 1
    A = mixing(architecture, hard(architecture, edges), Weights(np.ones((2, 5)), np.zeros((2, 0, 2))))
    output, tape = forward(architecture, A, X)
    assert output[0].tolist() == [0, 2, 6]
    dA = backward(architecture, tape, np.ones((2, 3)))
    alone = backward(architecture, forward(architecture, A[1:], X)[1], np.ones((1, 3)))
    assert np.isfinite(dA).all() and (dA[1] == alone[0]).all()


def test_a_division_by_zero_in_one_row_drops_the_instance():
    architecture, X = Architecture(1, [["division"]]), np.array([[0.0, 1.0, 4.0], [1.0, 1.0, 1.0]])
    edges = np.array([[1, 0, 0], [0, 1, 0]])  # 1/x, and x/1
    A = mixing(architecture, hard(architecture, edges), Weights(np.ones((2, 3)), np.zeros((2, 0, 2))))
    output, _ = forward(architecture, A, X)
    assert np.isnan(output[0]).all() and output[1].tolist() == [0, 1, 4]


# ---------------------------------------------------------------- formulas


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
@example(seed=589)
def test_a_formula_has_the_values_of_its_network(seed):
    architecture, X = Architecture(2, EVERY), table(2)
    edges, weights = random_instances(architecture, 8, seed)
    structure = mixing(architecture, hard(architecture, edges), weights)
    output, _ = forward(architecture, structure, X)
    with np.errstate(all="ignore"):  # what rounding alone may do, where a sine has a large argument
        nudged, _ = forward(architecture, structure, X * (1 + 1e-14))
        slack = 1e-7 * (1 + np.abs(output)) + 1e3 * np.abs(nudged - output)
    for i in range(8):
        form = extract(architecture, edges[i], weights.take(i))
        if form is None:
            continue
        with np.errstate(all="ignore"):
            values = form.expression().evaluate(X[:-1].T) + np.zeros(X.shape[1])
        if np.isfinite(output[i]).all() and np.abs(output[i]).max() < 1e8:
            assert (np.abs(values - output[i]) <= slack[i]).all()


def test_weights_on_a_path_are_one_number():
    architecture = Architecture(1, [["square"], ["identity"], ["sin"]])
    form = extract(architecture, np.array([0, 0, 0, 0]), Weights(np.array([2.0, 3.0, 5.0, 7.0]), np.zeros((0, 2))))
    assert str(form.expression()) == "7*sin(60*square(x0))"
    assert form.owners.tolist() == [2]


def test_a_weight_of_zero_takes_only_its_own_part_away():
    architecture = Architecture(2, [["plus"], ["square"]])
    w = Weights(np.array([0.0, 3.0, 1.0, 1.0]), np.zeros((0, 3)))
    assert str(extract(architecture, np.array([0, 1, 0, 0]), w).expression()) == "9*square(x1)"


LAWS = {  # layers: problem: connections
    "b1": {"b1": {"1 cubic 0": "x1", "1 square 0": "x2", "1 identity 0": "x3", "3 plus 0": "sum 0, sum 0"}},
    "b2": {
        "b2": {
            "1 fourth 0": "x3", "1 cubic 0": "x1", "1 square 0": "x2", "1 identity 0": "x3", "3 plus 0": "sum 0, sum 0"
        }
    },
    "b3": {
        "b3": {
            "1 fifth 0": "x3", "1 fourth 0": "x2", "1 cubic 0": "x1", "1 square 0": "x2", "1 identity 0": "x3",
            "3 plus 0": "sum 0, sum 0",
        }
    },
    "b4": {
        "b4": {
            "1 sixth 0": "x1", "1 fifth 0": "x2", "1 fourth 0": "x3", "1 cubic 0": "x1", "1 square 0": "x2",
            "1 identity 0": "x3", "3 plus 0": "sum 0, sum 0",
        }
    },
    "b5": {
        "b5": {
            "1 sin 0": "x1", "1 sin 1": "x2", "1 identity 0": "1", "2 plus 0": "sin 0, sin 1",
            "2 times 0": "identity 0, identity 0", "3 times 0": "plus 0, times 0", "output": "times 0",
        }
    },
    "b6": {
        "b6": {
            "1 sin 0": "x1", "1 cos 0": "x2", "2 times 0": "sin 0, cos 0", "2 plus 0": "identity 0, identity 0",
            "3 times 0": "times 0, plus 0", "output": "times 0",
        }
    },
    "b7": {
        "b7": {
            "1 identity 0": "x1", "1 identity 1": "x2", "1 times 0": "x1, x2", "1 cos 0": "x3",
            "2 plus 0": "identity 0, identity 1", "2 times 0": "times 0, cos 0", "3 plus 0": "plus 0, times 0",
        }
    },
    "b8": {
        "b8": {
            "1 division 0": "x2, x1", "1 identity 0": "1", "2 plus 0": "division 0, identity 0",
            "3 sqrt_abs 0": "plus 0", "output": "sqrt_abs 0",
        }
    },
    "generic": {
        "b4": {
            "1 sixth 0": "x1", "1 fifth 0": "x2", "1 fourth 0": "x3", "1 cubic 0": "x1", "1 square 0": "x2",
            "1 identity 0": "x3", "3 identity 0": "sum 0", "output": "identity 0",
        },
        "b5": {"1 sin 0": "x1", "1 sin 1": "x2", "2 plus 0": "sin 0, sin 1", "3 identity 0": "plus 0"},
        "b6": {"1 sin 0": "x1", "1 cos 0": "x2", "2 times 0": "sin 0, cos 0", "3 identity 0": "times 0"},
        "b7": {
            "1 identity 0": "x1", "1 division 0": "x2, 1", "1 times 0": "x1, x2", "1 cos 0": "x3",
            "2 times 0": "times 0, cos 0", "3 plus 0": "sum 0, times 0", "output": "plus 0",
        },
        "b8": {
            "1 division 0": "x2, x1", "1 identity 0": "1", "2 plus 0": "division 0, identity 0", "3 sqrt 0": "plus 0",
            "output": "sqrt 0",
        },
    },
}  # fmt: skip


@pytest.mark.parametrize(("layers", "name"), [(layers, name) for layers, laws in LAWS.items() for name in laws])
def test_the_architectures_contain_the_laws(layers, name):
    problem = problems.load(name)
    architecture = Architecture(problem.X.shape[1], ARCHITECTURES[layers])
    edges = wired(architecture, LAWS[layers][name], problem.names)
    one = Weights(np.ones(architecture.rows), np.ones((len(architecture.sums), architecture.widest)))
    form = extract(architecture, edges, one)
    _, _, values, coefficients = ManyFits(problem.X.T, problem.y)([form.terms], steps=200, gain=1e-12)
    fitted = form.fitted(values[0], coefficients[0])
    assert recovers(fitted.expression(problem.names), problem, tolerance=1e-5), fitted.expression(problem.names)


def test_the_released_architecture_lacks_what_b5_b7_and_b8_need():
    first = ARCHITECTURES["released"][0]
    assert first.count("sin") == 1 and not {"sqrt", "sqrt_abs"} & set(sum(ARCHITECTURES["released"], ()))


# ---------------------------------------------------------------- what a picture needs


def test_a_graph_has_each_connection_instance_once_and_follows_the_instance():
    architecture = Architecture(2, [["identity", "sin"], ["plus", "times"]])
    edges = wired(architecture, {"1 identity 0": "x0", "2 times 0": "identity 0, identity 0", "output": "times 0"},
                  ["x0", "x1"])  # fmt: skip
    shown = graph(architecture, np.full(architecture.real.shape, 0.25), edges, ["a", "b"])
    assert shown.labels == (("a", "b", "1"), ("identity", "sin"), ("plus", "times"), ("output",))
    assert len(shown.edges) == architecture.real.sum()
    chosen = [(edge.layer, edge.source, edge.target) for edge in shown.edges if edge.chosen]
    assert chosen == [(1, 0, 0), (2, 0, 1), (2, 0, 1), (3, 1, 0)]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "layers is empty"),
        ([[]], "no function in layer 1"),
        (["sin"], "layers holds 'sin' as layer 1"),
        ([["sin"], [["plus"]]], r"layers holds \['plus'\] in layer 2"),
        ([["sine"]], "did you mean 'sin'"),
        (7, "layers is 7"),
    ],
)
def test_layers_that_make_no_network(layers, message):
    with pytest.raises(ValueError, match=message):
        Architecture(2, layers)


@pytest.mark.parametrize("features", [0, -1, 2.5, "two"])
def test_a_network_without_columns(features):
    with pytest.raises(ValueError, match="features is"):
        Architecture(features, [["sin"]])


def test_how_many_columns_a_formula_can_take():
    assert Architecture(5, [["sin", "cos"]]).most_inputs == 1
    assert Architecture(5, [["sin"], ["times", "plus"]]).most_inputs == 2
    assert Architecture(5, [["times", "sin"], ["sum"]]).most_inputs == 3
