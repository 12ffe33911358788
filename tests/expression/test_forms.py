"""Formulas as torch modules, as plain Python text, and with operators defined by formulas."""

import json
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from srlib import Expression, ParseError
from srlib.functions import from_function
from srlib.operators import find
from tests.strategies import MODEST, expressions

rng = np.random.default_rng(2)
X = np.vstack([rng.uniform(-3, 3, (15, 3)), [[0, 0, 0], [1, -1, 0], [1e308, -1e308, 2]]])  # (rows, features)
T = torch.tensor(X)


def run_source(text, name="formula"):
    namespace = {}
    exec(compile(text, "<source>", "exec"), namespace)  # the library never does this: it is what a user would do
    return namespace[name]


# ------------------------------------------------------------ torch


@settings(max_examples=120, deadline=None)
@given(expressions(constants=MODEST, tokens=10))
def test_torch_has_the_values_of_numpy(e):
    value, expected = e.torch()(T).detach().numpy(), e.evaluate(X)
    for node in range(e.size):  # rounding may be magnified above a node whose values differ in the last digits
        below, shifted = e.subtree(node), e.subtree(node).evaluate(X)
        if not np.allclose(below.torch()(T).detach().numpy(), shifted, rtol=1e-9, atol=1e-12, equal_nan=True):
            assert node > 0 and not np.array_equal(below.evaluate(X * (1 + 1e-15)), shifted, equal_nan=True)
            return
    assert np.allclose(value, expected, rtol=1e-9, atol=1e-12, equal_nan=True)


@settings(max_examples=100, deadline=None)
@given(expressions(constants=MODEST, tokens=8))
def test_gradients_are_those_of_finite_differences(e):
    module = e.torch()
    X = np.random.default_rng(3).uniform(0.3, 0.9, (4, 3))
    smooth = not re.search("abs|sign|step|relu|min|max", str(e))
    step = 1e-6
    for k in range(len(e.constants)):
        unit = step * np.eye(len(e.constants))[k]
        there = [e.with_constants(e.constants + d * unit).evaluate(X) for d in (-2, -1, 1, 2)]
        with np.errstate(invalid="ignore"):
            coarse, fine = (there[3] - there[0]) / (4 * step), (there[2] - there[1]) / (2 * step)
            judged = np.isfinite(e.evaluate(X)) & (np.abs(coarse - fine) < 1e-5 * (1 + np.abs(fine)))
        for row in np.flatnonzero(judged):
            module.zero_grad()
            module(torch.tensor(X[row : row + 1])).sum().backward()
            gradient = module.constants.grad[k].item()
            if smooth and np.isfinite(gradient):
                assert abs(gradient - fine[row]) < 1e-3 * (1 + abs(fine[row]))


def test_constants_are_trained():
    truth, start = Expression.parse("2.5*sin(x0) - 0.7*x1"), Expression.parse("1.0*sin(x0) - 1.0*x1")
    module, y = start.torch(), torch.tensor(truth.evaluate(X[:15]))
    optimizer = torch.optim.LBFGS(module.parameters(), max_iter=50, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = torch.mean((module(T[:15]) - y) ** 2)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert np.allclose(module.expression().constants, truth.constants, atol=1e-4)
    assert start.constants.tolist() == [1.0, 1.0]  # the formula that it began with is as it was


def test_torch_in_single_precision_and_with_bad_input():
    module = Expression.parse("2*v + w", names=["v", "w"]).torch().to(torch.float32)
    assert module(torch.ones(3, 2)).dtype == torch.float32
    assert Expression.parse("2").torch()(torch.ones(3, 0)).tolist() == [2.0, 2.0, 2.0]
    assert "2*v + w" in repr(module)
    with pytest.raises(ValueError, match=r"X has 1 columns, but the formula uses w \(column 1\)"):
        module(torch.ones(3, 1))
    with pytest.raises(ValueError, match=r"X has shape \(3,\)"):
        module(torch.ones(3))


# ------------------------------------------------------------ plain Python


@settings(max_examples=150, deadline=None)
@given(expressions(names=["a", "lambda", "np"]))
def test_source_gives_exactly_what_evaluate_gives(e):
    function = run_source(e.numpy_source())
    assert np.array_equal(np.broadcast_to(function(*X.T), len(X)), e.evaluate(X), equal_nan=True)


def test_source_needs_numpy_only_and_reads_well():
    text = Expression.parse("log(x0)/(2*x2 - 1)").numpy_source("law")
    assert re.findall("^import .*", text, re.M) == ["import numpy as np"] and "srlib" not in text
    assert "def law(x0, x1, x2):" in text and "return _div(_log(x0), 2.0 * x2 - 1.0)" in text
    with pytest.raises(ValueError, match="name is 'a b'"):
        Expression.parse("x0").numpy_source("a b")


def test_a_python_function_has_no_source():
    def dent(x):
        return x - 1.0 if x > 1.0 else 0.0

    with pytest.raises(ValueError, match="'dent' is a Python function, which cannot be written out: define it as text"):
        Expression.parse("2*dent(x0)", operators=[from_function(dent)]).numpy_source()


# ------------------------------------------------------------ operators defined by formulas

SPECIAL = Expression.operator("special(x, y) = cos(x) * (x + y)")
OWN = [
    SPECIAL,
    Expression.operator("half(x) = x / 2"),
    Expression.operator("same(x) = x"),
    Expression.operator("two(x) = 2"),
    Expression.operator("mix(a, b, c) = a*(1 - c) + log(b)*c"),
    Expression.operator("four(a, b, c, d) = (a - b)/(c - d)"),
    Expression.operator("half(x) = 0.5*x + 0"),  # another meaning of a name that is taken
    find("*"),
    find("sin"),
]


@settings(max_examples=120, deadline=None)
@given(expressions(operators=OWN, constants=MODEST, names=["a", "b b", "c"]))
def test_own_operators_in_every_form(e):
    expected = e.evaluate(X)
    assert np.array_equal(np.broadcast_to(run_source(e.numpy_source())(*X.T), len(X)), expected, equal_nan=True)
    for again in (Expression.from_dict(json.loads(json.dumps(e.to_dict()))), pickle.loads(pickle.dumps(e))):
        assert again == e and again.names == e.names
    assert not np.shares_memory(expected, X)
    if "half" not in str(e):
        assert Expression.parse(str(e), names=e.names, operators=OWN) == e
    assert np.allclose(e.torch()(T[:15]).detach().numpy(), expected[:15], rtol=1e-6, atol=1e-8, equal_nan=True)


def test_own_operators_mean_their_definition():
    e = Expression.parse("special(x0, mix(x1, x2, 3))", operators=OWN)
    inlined = Expression.parse("cos(x0)*(x0 + (x1*(1 - 3) + log(x2)*3))")
    assert np.array_equal(e.evaluate(X), inlined.evaluate(X), equal_nan=True)
    assert (e.sympy() - inlined.sympy()).simplify() == 0
    assert e.size == 6 and Expression.operator("special(x,y)=cos(x)*(x+y)") is SPECIAL


def test_own_operators_travel_to_another_process():
    e = Expression.parse("special(half(x0), x1)", operators=OWN)
    program = """
import pickle, sys
from srlib import Expression
Expression.operator("other(q) = q**3")  # so that codes differ
e = pickle.loads(sys.stdin.buffer.read())
print(e, e.evaluate([[1.0, 2.0]])[0])
"""
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(e), capture_output=True, check=True)
    assert done.stdout.decode().split("\n")[0].strip() == f"special(half(x0), x1) {e.evaluate([[1.0, 2.0]])[0]}"


@pytest.mark.parametrize(
    ("definition", "reason", "piece"),
    [
        ("special", "an operator is defined as in", None),
        ("f(x) == x", "an operator is defined as in", None),
        ("f(x, x) = x", "the arguments must be different names", "x, x"),
        ("f() = 2", "the arguments must be different names", None),
        ("f(2) = 2", "the arguments must be different names", "2"),
        ("f(lambda) = 2", "the arguments must be different names", "lambda"),
        ("sin(x) = x", "'sin' already means something", "sin"),
        ("ln(x) = x", "'ln' already means something", "ln"),
        ("x3(x) = x", "'x3' already means something", "x3"),
        ("lambda(x) = x", "'lambda' already means something", "lambda"),
        ("f(x) = x + y", "there is no feature 'y'", "y"),
        ("f(x) = f(x)", "there is no operator 'f'", "f"),
        ("f(x) = sinn(x)", "there is no operator 'sinn'", "sinn"),
        ("f(x) = ", "the text is empty", None),
        (3, "an operator is defined as in", None),
    ],
)
def test_bad_definitions_are_refused(definition, reason, piece):
    with pytest.raises(ParseError) as caught:
        Expression.operator(definition)
    assert caught.value.reason.startswith(reason)
    if piece:
        start = caught.value.position
        assert definition[start : start + caught.value.length] == piece


def test_source_with_two_operators_of_one_name():
    with_first, with_second = (Expression.apply(OWN[k], Expression.variable(0)) for k in (1, 6))
    text = (with_first + with_second).numpy_source()
    assert "def _half(a0)" in text and "def _half_2(a0)" in text
