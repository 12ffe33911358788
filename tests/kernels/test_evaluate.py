"""Values and derivatives of compiled programs against numpy, torch and differences, on thousands of formulas."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from srlib import Expression, kernels
from srlib.expression.module import run
from srlib.functions import from_function
from srlib.operators import builtin, by_code, find
from tests.strategies import MODEST, expressions

INF, NAN, TINY, HUGE = np.inf, np.nan, 5e-324, 1.7976931348623157e308
BELOW, ABOVE = np.nextafter(1, 0), np.nextafter(1, 2)  # the edges of asin, acosh, atanh
SPECIAL = np.array([
    0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1 / 3, NAN, INF, -INF, TINY, -TINY, 2.3e-308, 1e-310, 1e-160, 1e160,
    -1e160, 1e308, HUGE, -HUGE, 709.78, 710.4, -710.4, 711, -745.2, -746, 699.9, 700.1, -700.1, 0.06, -0.06, 0.0599,
    1e-8, -1e-8, 1e-17, 1e6, 1e6 + 1, -1e7, 1e22, np.pi / 2, np.pi, BELOW, ABOVE, -BELOW, -ABOVE, 1e150, 1.1e150,
    -1.1e150, 36.0, -37.0, 0.999, 1.001, -0.999, 4503599627370497.0, 1e16,
])  # fmt: skip
rng = np.random.default_rng(0)
NUMBERS = np.concatenate([
    SPECIAL, rng.normal(size=500), rng.uniform(-1, 1, 300), rng.uniform(-1000, 1000, 300),
    rng.choice([-1, 1], 500) * 10.0 ** rng.uniform(-300, 300, 500),
])  # fmt: skip
# Units in the last place by which numpy and the kernels may differ: both round. tanh takes more at 0.06, where it goes
# over from its series to exp.
ULPS = {"tanh": 32, "log2": 4, "log10": 6, "cbrt": 4, "sigmoid": 4, "pow": 4, "sinh": 4, "cosh": 4}


def applied(operator):
    """The operator alone, over features."""
    return Expression([-1 - j for j in range(operator.arity)] + [operator.code], [0.0] * (operator.arity + 1))


def close(values, expected, ulps=2.0):
    """NaN and infinity at the same places, the rest within units in the last place."""
    values, expected = np.asarray(values), np.asarray(expected)
    finite = np.isfinite(expected)
    if not np.array_equal(values[~finite], expected[~finite], equal_nan=True) or not np.isfinite(values[finite]).all():
        return False
    unit = np.spacing(np.abs(expected[finite]).clip(1e-300, 1e308))
    return bool((np.abs(values[finite] - expected[finite]) <= ulps * unit).all())


# ------------------------------------------------------------ values


@pytest.mark.parametrize("operator", builtin(), ids=lambda operator: operator.name)
def test_each_operator_means_what_numpy_means(operator):
    columns = NUMBERS[None]
    if operator.arity == 2:
        grid = np.array(np.meshgrid(SPECIAL, SPECIAL)).reshape(2, -1)
        columns = np.concatenate([grid, rng.choice(NUMBERS, (2, 4000))], axis=1)
    formula = applied(operator)
    values, expected = kernels.evaluate(formula, columns), formula.evaluate(columns.T)
    ulps = ULPS.get(operator.name, 2)
    wrong = [at for at in range(len(values)) if not close(values[at : at + 1], expected[at : at + 1], ulps)]
    assert not wrong, [(columns[:, at], values[at], expected[at]) for at in wrong[:5]]


def composed(formula, columns):
    """The values node by node, each operator by a program of its own: bit by bit what one whole program gives."""
    stack = []
    for code, value in zip(formula.codes.tolist(), formula.values.tolist(), strict=True):
        if code <= 0:
            stack.append(columns[-1 - code] if code < 0 else np.full(columns.shape[1], value))
        else:
            operator = by_code(code)
            arguments = np.array(stack[-operator.arity :])
            del stack[-operator.arity :]
            stack.append(kernels.evaluate(applied(operator), arguments))
    return stack[0]


def random_formula(rng, operators, features=3, most=12):
    """A formula of up to so many operators, its constants over many orders of magnitude."""
    formula = random_leaf(rng, features)
    for _ in range(rng.integers(most + 1)):
        operator = operators[rng.integers(len(operators))]
        others = [random_leaf(rng, features) for _ in range(operator.arity - 1)]
        arguments = [formula, *others] if rng.random() < 0.5 else [*others, formula]
        if operator.arity == 2 and rng.random() < 0.3:
            arguments = [formula, formula] if rng.random() < 0.2 else arguments
        formula = Expression.apply(operator, *arguments)
    return formula


def random_leaf(rng, features):
    if rng.random() < 0.4:
        return Expression.constant(float(rng.normal() * 10.0 ** rng.choice([-3, -1, 0, 0, 0, 1, 200])))
    return Expression.variable(int(rng.integers(features)))


TABLE = np.random.default_rng(1).normal(size=(3, 150)) * 3  # (features, rows), more than one block
TABLE[:, : len(SPECIAL)] = [np.random.default_rng(seed).permutation(SPECIAL) for seed in range(3)]


def test_whole_programs_are_their_nodes():
    """2,000 formulas, seeded: a program's blocks and stack must not mix anything up."""
    own = np.random.default_rng(2)
    for _ in range(2000):
        formula = random_formula(own, builtin())
        assert np.array_equal(kernels.evaluate(formula, TABLE), composed(formula, TABLE), equal_nan=True), formula


@settings(max_examples=200)
@given(expressions())
def test_nodes_mean_what_numpy_means(formula):
    """Node by node on numpy's values below it, so that rounding is not magnified by what stands above."""
    assert np.array_equal(kernels.evaluate(formula, TABLE), composed(formula, TABLE), equal_nan=True)
    for node, code in enumerate(formula.codes.tolist()):
        if code > 0:
            operator = by_code(code)
            below = np.array([formula.subtree(child).evaluate(TABLE.T) for child in formula.children(node)])
            expected = formula.subtree(node).evaluate(TABLE.T)
            assert close(kernels.evaluate(applied(operator), below), expected, ULPS.get(operator.name, 2)), operator


@pytest.mark.parametrize("rows", [0, 1, 127, 128, 129, 255, 256, 1000, (1 << 14) - 1, (1 << 14) + 1, 40_000])
def test_any_number_of_rows(rows):
    columns = np.random.default_rng(rows).uniform(0.5, 2, (2, rows))
    formula = Expression.parse("1.5*sin(x0*x1) + exp(0.3*x0)/x1 - 2.25")
    values, derivatives = kernels.jacobian(formula, columns)
    a, b = columns
    assert np.allclose(values, formula.evaluate(columns.T), rtol=1e-13, atol=1e-14)
    assert np.array_equal(values, kernels.evaluate(formula, columns))
    expected = np.column_stack([np.sin(a * b), a * np.exp(0.3 * a) / b, -np.ones(rows)])
    assert derivatives.shape == (rows, 3) and np.allclose(derivatives, expected, rtol=1e-13)


def test_a_block_does_not_see_its_neighbours():
    """Each row alone gives what it gives among others (but for the last digit: other instructions)."""
    columns = np.random.default_rng(0).normal(size=(2, 300))
    formula = Expression.parse("tanh(x0)*x1 + log(x1)/3")
    whole = kernels.evaluate(formula, columns)
    alone = [kernels.evaluate(formula, columns[:, k : k + 1])[0] for k in range(300)]
    assert close(alone, whole, 4)


def test_single_precision():
    own, columns = np.random.default_rng(3), np.random.default_rng(3).uniform(0.5, 2, (3, 300))
    operators = [o for o in builtin() if o.name not in ("sub", "pow", "tan", "step", "sign")]  # those magnify rounding
    checked = 0
    for _ in range(300):
        formula = random_formula(own, operators, most=6)
        values, expected = kernels.evaluate(formula, columns, np.float32), formula.evaluate(columns.T)
        assert values.dtype == np.float32
        sober = np.isfinite(expected) & (np.abs(expected) < 1e6) & (np.abs(formula.constants) < 1e6).all()
        good = np.isclose(values, expected, rtol=1e-3, atol=1e-3)[sober]
        checked += sober.sum()
        assert good.mean() > 0.95 if len(good) else True, formula
    assert checked > 20_000


def test_the_table_is_not_changed():
    columns = TABLE.copy()
    kernels.jacobian(Expression.parse("2*x0 + sin(x1)*3"), columns)
    assert np.array_equal(columns, TABLE, equal_nan=True)


# ------------------------------------------------------------ derivatives


def domain(operator, rng):
    """Arguments at which an operator is smooth."""
    size = 10.0 ** rng.uniform(-3, 2)
    arguments = rng.normal(size=operator.arity) * size
    if operator.name in ("asin", "acos", "atanh"):
        arguments = rng.uniform(-0.999, 0.999, 1)
    elif operator.name == "acosh":
        arguments = 1 + 10.0 ** rng.uniform(-3, 2, 1)
    elif operator.name in ("sqrt", "log", "log2", "log10", "log1p") or operator.name == "pow":
        arguments = np.abs(arguments)
    elif operator.name in ("tanh", "sigmoid"):
        arguments = arguments.clip(-5, 5)  # 1 - y*y has no digits beyond
    return arguments


@pytest.mark.parametrize("operator", builtin(), ids=lambda operator: operator.name)
def test_each_derivative_is_that_of_torch(operator):
    own = np.random.default_rng(operator.code)
    formula = Expression([0] * operator.arity + [operator.code], [1.0] * operator.arity + [0.0])
    for _ in range(300):
        arguments = domain(operator, own)
        values, derivatives = kernels.jacobian(formula.with_constants(arguments), np.zeros((0, 1)))
        tensors = [torch.tensor([a], dtype=torch.float64, requires_grad=True) for a in arguments]
        result = operator.torch(torch, *tensors)
        if result.requires_grad:
            result.sum().backward()
        expected = [0.0 if t.grad is None else t.grad.item() for t in tensors]
        if np.isfinite(values).all() and np.isfinite(expected).all():
            assert np.allclose(derivatives[0], expected, rtol=1e-11, atol=1e-290), arguments


@pytest.mark.parametrize(
    "name, constants, expected",
    [
        ("pow", [-3.0, 2.0], [-6.0, 0.0]),  # a power of a negative number: nothing to say about the exponent
        ("pow", [0.0, 2.0], [0.0, 0.0]),
        ("pow", [0.0, 1.0], [1.0, 0.0]),
        ("abs", [0.0], [0.0]),
        ("relu", [0.0], [0.0]),
        ("relu", [-1.0], [0.0]),
        ("sign", [2.0], [0.0]),
        ("step", [2.0], [0.0]),
        ("min", [0.5, 1.0], [1.0, 0.0]),
        ("min", [1.5, 1.0], [0.0, 1.0]),
        ("max", [0.5, 1.0], [0.0, 1.0]),
        ("inv", [2.0], [-0.25]),
        ("sinh", [710.2], [np.cosh(710.2)]),
        ("cosh", [-710.2], [np.sinh(-710.2)]),
        ("acosh", [1 + 1e-10], [1 / np.sqrt(2e-10)]),
        ("sin", [3e7], [np.cos(3e7)]),
        ("cos", [-1e20], [-np.sin(-1e20)]),
        ("asin", [0.0], [1.0]),
        ("log1p", [-0.5], [2.0]),
    ],
)
def test_derivatives_at_the_edges(name, constants, expected):
    operator = find(name)
    formula = Expression([0] * operator.arity + [operator.code], [*constants, 0.0])
    assert np.allclose(kernels.jacobian(formula, np.zeros((0, 1)))[1][0], expected, rtol=1e-6)


def gradients(formula, columns):
    """Values and derivatives by the constants in torch, shapes (rows,) and (rows, constants)."""
    rows = columns.shape[1]
    constants = [torch.full((rows,), c, dtype=torch.float64, requires_grad=True) for c in formula.constants.tolist()]
    values = run(formula, torch.tensor(columns).unbind(), constants)
    if constants and values.requires_grad:
        values.sum().backward()
    by = [np.zeros(rows) if c.grad is None else c.grad.numpy() for c in constants]
    return values.detach().numpy(), np.array(by).reshape(-1, rows).T


def compare_with_torch(formula, columns):
    """The derivatives must agree as far as torch's own are no rounding errors; returns how many were compared."""
    values, derivatives = kernels.jacobian(formula, columns)
    _, expected = gradients(formula, columns)
    unsure = np.zeros_like(expected)
    for seed in range(2):  # what changes with the last digits of the constants and columns
        nudge, constants = np.random.default_rng(seed), formula.constants
        shift = 1e-13 * nudge.normal(size=(2, len(constants)))  # the second takes min(0, 0) off its tie
        other = formula.with_constants(constants * (1 + shift[0]) + shift[1])
        _, near = gradients(other, columns * (1 + 1e-13 * nudge.choice([-1, 1], columns.shape)))
        with np.errstate(invalid="ignore"):
            unsure = np.maximum(unsure, np.abs(near - expected))
    sure = np.isfinite(values)[:, None] & (unsure <= 1e-8 * np.abs(expected)) & (np.abs(expected) < 1e200)
    sure &= np.isfinite(derivatives) | (expected != 0)  # relu and the like: 0 * inf has no value in the kernels
    with np.errstate(invalid="ignore"):
        wrong = sure & ~(np.abs(derivatives - expected) <= 1e-6 * np.abs(expected) + 100 * unsure + 1e-12)
    assert not wrong.any(), (str(formula), derivatives[wrong], expected[wrong])
    return int(sure.sum())


def test_derivatives_of_formulas_are_those_of_torch():
    """3,000 formulas, seeded."""
    own, checked = np.random.default_rng(4), 0
    for _ in range(3000):
        formula = random_formula(own, builtin(), most=7)
        columns = own.normal(size=(3, 2)) * 2
        if len(formula.constants):
            checked += compare_with_torch(formula, columns)
    assert checked > 2000


@settings(max_examples=100)
@given(expressions(constants=MODEST))
def test_derivatives_of_any_formula_are_those_of_torch(formula):
    if len(formula.constants):
        compare_with_torch(formula, np.random.default_rng(len(formula)).uniform(0.5, 2, (3, 2)))


def test_a_lone_constant_and_none_at_all():
    values, derivatives = kernels.jacobian(Expression.constant(2.5), np.zeros((0, 3)))
    assert values.tolist() == [2.5] * 3 and derivatives.tolist() == [[1.0]] * 3
    values, derivatives = kernels.jacobian(Expression.variable(1), [[1.0], [7.0]])
    assert values.tolist() == [7.0] and derivatives.shape == (1, 0)


# ------------------------------------------------------------ users' operators


def ramp_between(x):
    return 0.0 if x < -1 else (x if x < 1 else 1.0 + (x - 1) ** 2)


def ring_distance(a, b):
    return np.sqrt(a * a + b * b) - 1.0


def users_operators():
    return [
        Expression.operator("twisted(x, y) = cos(x)*(x + 2.5*y) - y/3"),
        Expression.operator("thrice(u, v, w) = u*v + sin(w)*u"),
        Expression.operator("ignores(x, y) = 3*y"),
        Expression.operator("plain(x) = x"),
        Expression.operator("same_sum(x, y) = x + y"),
        from_function(ramp_between),
        from_function(ring_distance),
    ]


def test_users_operators_are_the_formulas_they_stand_for():
    own, operators = np.random.default_rng(5), users_operators()
    for _ in range(300):
        formula = random_formula(own, [*operators, *builtin()[:4]], most=8)
        columns = own.normal(size=(3, 2)) * 2
        values, derivatives = kernels.jacobian(formula, columns)
        expected = formula.evaluate(columns.T)
        sober = np.isfinite(expected) & (np.abs(expected) < 1e8)
        assert np.isfinite(values[sober]).all()
        scale = 1 + max(np.abs(formula.subtree(node).evaluate(columns.T)).max() for node in range(formula.size))
        if np.isfinite(scale) and scale < 1e8:
            assert np.allclose(values, expected, rtol=1e-12, atol=1e-13 * scale, equal_nan=True), formula


def test_derivatives_of_users_operators():
    twisted, thrice, ignores, plain, _, ramp, ring = users_operators()
    c = [0.7, -1.3, 2.1]

    def slopes(operator):
        arity = operator.arity
        formula = Expression([0] * arity + [operator.code], [*c[:arity], 0.0])
        return kernels.jacobian(formula, np.zeros((0, 1)))[1][0]

    a, b, w = c
    assert np.allclose(slopes(twisted), [np.cos(a) - np.sin(a) * (a + 2.5 * b), 2.5 * np.cos(a) - 1 / 3], rtol=1e-13)
    assert np.allclose(slopes(thrice), [b + np.sin(w), a, np.cos(w) * a], rtol=1e-13)
    assert slopes(ignores).tolist() == [0.0, 3.0] and slopes(plain).tolist() == [1.0]
    assert np.allclose(slopes(ramp), [1.0], rtol=1e-8)  # by differences
    assert np.allclose(slopes(ring), np.array([a, b]) / np.hypot(a, b), rtol=1e-8)
    values = kernels.evaluate(Expression.apply(plain, Expression.variable(0)), TABLE)
    assert np.array_equal(values, TABLE[0], equal_nan=True)


def test_a_new_operator_is_known_at_once():
    before = kernels.evaluate(Expression.parse("x0 + 1"), [[1.0]])
    late = Expression.operator("defined_late(x) = x**3 - 1")
    assert before.tolist() == [2.0] and kernels.evaluate(applied(late), [[2.0]]).tolist() == [7.0]


# ------------------------------------------------------------ errors


@pytest.mark.parametrize("columns", [[[1.0, 2.0]], [1.0, 2.0], [[[1.0]]], np.zeros((0, 4))])
def test_columns_of_the_wrong_shape(columns):
    with pytest.raises(ValueError, match=r"columns has shape .*: give \(features, rows\) with at least 2 features"):
        kernels.evaluate(Expression.parse("x0*x1"), columns)
    with pytest.raises(ValueError, match="columns has shape"):
        kernels.jacobian(Expression.parse("x0*x1"), columns)


@pytest.mark.parametrize("dtype", [int, np.float16, "complex", bool])
def test_types_that_the_kernels_have_not(dtype):
    with pytest.raises(ValueError, match="dtype is .*: give numpy.float64 or numpy.float32"):
        kernels.evaluate(Expression.parse("x0"), [[1.0]], dtype)


def test_whole_numbers_truth_values_and_strides():
    table = np.arange(12).reshape(4, 3)
    formula = Expression.parse("x0 + 10*x2")
    assert kernels.evaluate(formula, table.T).tolist() == [20.0, 53.0, 86.0, 119.0]
    assert kernels.evaluate(formula, np.asfortranarray(table.T * 1.0)[:, ::2]).tolist() == [20.0, 86.0]
    assert kernels.evaluate(Expression.parse("x0*2"), [[True, False]]).tolist() == [2.0, 0.0]
