import math

import numpy as np
import pytest
import torch

from srlib import Expression
from srlib.operators import ALIASES, UnknownOperator, builtin, by_code, find, suggest
from tests.strategies import MEANING, same

SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -27.0, 1e-320, 1e308, -1e308, 710.5]
SPECIAL += [math.inf, -math.inf, math.nan]
OPERATORS = pytest.mark.parametrize("operator", builtin(), ids=lambda operator: operator.name)


def points(operator, values=SPECIAL):
    """All combinations of special values, one row per argument."""
    return [grid.ravel() for grid in np.meshgrid(*[values] * operator.arity)]


@OPERATORS
def test_numpy_means_what_the_math_module_means(operator):
    arguments = points(operator)
    with np.errstate(all="ignore"):
        got = operator.numpy(*arguments)
        one_by_one = [operator.numpy(*row) for row in zip(*(a.tolist() for a in arguments), strict=True)]
    expected = [MEANING[operator.name](*row) for row in zip(*(a.tolist() for a in arguments), strict=True)]
    assert same(got, expected)
    # numbers, as a formula of constants has them; (-inf)**0.5 apart, where numpy takes the root of one number
    single = [k for k, row in enumerate(zip(*arguments, strict=True)) if row != (-math.inf, 0.5)]
    assert same(np.array(one_by_one)[single], np.array(expected)[single])


@OPERATORS
def test_torch_agrees_with_numpy(operator):
    arguments = points(operator)
    with np.errstate(all="ignore"):
        expected = operator.numpy(*arguments)
    assert same(operator.torch(torch, *map(torch.tensor, arguments)).numpy(), expected)


@OPERATORS
def test_sympy_agrees_with_numpy(operator):
    finite = [value for value in SPECIAL if math.isfinite(value)]
    for row in zip(*points(operator, finite), strict=True):
        expression = Expression.apply(operator, *row)
        expected, symbolic = expression.evaluate([[]])[0], expression.sympy()
        got = float(symbolic) if math.isfinite(expected) else math.nan
        assert same(got, expected, rtol=1e-9) or not math.isfinite(expected), (row, symbolic, expected)
        assert math.isfinite(expected) or str(symbolic) == "nan"


@OPERATORS
def test_numpy_keeps_its_arguments(operator):
    arguments = points(operator)
    copies = [a.copy() for a in arguments]
    with np.errstate(all="ignore"):
        operator.numpy(*arguments)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(arguments, copies, strict=True))


@OPERATORS
def test_commutative_is_true(operator):
    if operator.arity == 2:
        a, b = points(operator, [0.3, 2.0, 1.7])
        swapped = np.array_equal(operator.numpy(a, b), operator.numpy(b, a))
        assert swapped == operator.commutative


@OPERATORS
def test_gradients_are_those_of_finite_differences(operator):
    at = 1.2 if operator.name == "acosh" else 0.4
    arguments = [torch.tensor(at + 0.3 * k, dtype=torch.float64, requires_grad=True) for k in range(operator.arity)]
    assert torch.autograd.gradcheck(lambda *a: operator.torch(torch, *a), arguments)


def test_codes_are_fixed():
    # Stored arrays of codes and compiled kernels rely on these numbers.
    assert [o.name for o in builtin()][:5] == ["add", "sub", "mul", "div", "pow"]
    assert [find(name).code for name in ("neg", "exp", "sin", "cos", "relu")] == [8, 17, 22, 23, 35]
    assert all(by_code(operator.code) is operator for operator in builtin())


def test_every_alias_leads_to_an_operator():
    assert all(find(alias).name == name for alias, name in ALIASES.items())


@pytest.mark.parametrize(
    ("name", "arity", "message"),
    [
        ("sinn", None, r"there is no operator 'sinn' - did you mean 'sin'\?"),
        ("squareroot", None, "did you mean 'square'"),
        ("zzz", None, "known are add, sub, mul"),
        ("sin", 2, "operator 'sin' takes 1 argument"),
        ("*", 1, "operator 'mul' takes 2 argument"),
        (3, None, "an operator is a name such as 'sin'"),
    ],
)
def test_unknown_operators_are_named(name, arity, message):
    with pytest.raises(UnknownOperator, match=message):
        find(name, arity)


def test_suggest_is_silent_when_nothing_is_near():
    assert suggest("velocity", ["sin", "cos"]) == ""


@pytest.mark.parametrize("text", ["(1/x0)**0", "1**(1/x0)", "log(x0)**0", "1**sqrt(x0 - 1)"])
def test_a_power_of_something_without_value_has_no_value(text):
    """numpy and torch have nan**0 = 1**nan = 1; then a formula would print as undefined and compute as 1."""
    torch = pytest.importorskip("torch")
    expression = Expression.parse(text)
    assert np.isnan(expression.evaluate([[0.0]])).all()
    assert expression.torch()(torch.zeros(1, 1, dtype=torch.float64)).isnan().all()
