"""Python functions as operators, against the functions themselves."""

import copy
import ctypes
import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from srlib import Expression, kernels, operators
from srlib.dimensions import check_units
from srlib.functions import address, from_function
from srlib.operators import Operator, UnknownOperator, builtin, by_code, find, register

OFFSET = 0.25


def pulse_shape(t):
    return 1.0 if 0 < t < 1 else 0.0


def bell_curve(x):
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def steps_down(x):
    total = x
    for k in range(3):
        if total > k:
            total -= 1
    return total


def hypotenuse(a, b):
    return np.sqrt(a**2 + b**2)


def blend_of(a, b):
    return OFFSET * a + (1 - OFFSET) * b


def careful_ratio(a, b):
    if b == 0:
        raise ValueError("no ratio")
    return a / b


def whole_part(x):
    return 3 if x > 1 else -2


def is_positive(x):
    return x > 0


def erf_of(x):
    return math.erf(x)


def one_at_zero(x):
    return x == 0


def twice_at_zero(x):
    return 2.0 * (x == 0)


FUNCTIONS = [pulse_shape, bell_curve, steps_down, hypotenuse, blend_of, careful_ratio, whole_part, is_positive, erf_of]
ALL = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
SPECIAL = [0.0, -0.0, 0.3, 1.0, -1.0, 2.5, -7.0, 1e3]


def points(function):
    count = function.__code__.co_argcount
    return [grid.ravel() for grid in np.meshgrid(*[SPECIAL] * count)]


def oracle(function, *arguments):
    try:
        return float(function(*map(float, arguments)))
    except (ValueError, ZeroDivisionError):
        return math.nan


@ALL
def test_numpy_means_what_the_function_means(function):
    operator, arguments = from_function(function), points(function)
    expected = [oracle(function, *row) for row in zip(*arguments, strict=True)]
    with np.errstate(all="ignore"):
        assert np.allclose(operator.numpy(*arguments), expected, rtol=1e-12, equal_nan=True)
    names = ["a", "b"][: operator.arity]
    formula = Expression.parse(f"{operator.name}({', '.join(names)})", names=names, operators=[operator])
    assert np.allclose(formula.evaluate(np.column_stack(arguments)), expected, rtol=1e-12, equal_nan=True)
    with np.errstate(all="ignore"):
        single = [float(operator.numpy(*row)) for row in zip(*arguments, strict=True)]
    assert np.allclose(single, expected, rtol=1e-12, equal_nan=True)


@ALL
def test_the_compiled_code_is_at_the_address(function):
    operator = from_function(function)
    call = ctypes.CFUNCTYPE(*[ctypes.c_double] * (operator.arity + 1))(address(operator))
    for row in zip(*points(function), strict=True):
        assert np.isclose(call(*row), oracle(function, *row), rtol=1e-12, equal_nan=True)
    assert address(operator) == address(operator)


@ALL
def test_what_has_no_value_gives_none(function):
    operator = from_function(function)
    for place in range(operator.arity):
        row = [1.5] * operator.arity
        row[place] = math.nan
        with np.errstate(all="ignore"):
            assert math.isnan(operator.numpy(*row))
        assert operator.torch(torch, *(torch.tensor([value]) for value in row)).isnan().all()
        assert math.isnan(ctypes.CFUNCTYPE(*[ctypes.c_double] * (operator.arity + 1))(address(operator))(*row))


@ALL
def test_torch_agrees_with_numpy(function):
    operator, arguments = from_function(function), points(function)
    with np.errstate(all="ignore"):
        expected = operator.numpy(*arguments)
    values = operator.torch(torch, *map(torch.tensor, arguments))
    assert np.allclose(values.numpy(), expected, equal_nan=True)
    single = operator.torch(torch, *(torch.tensor(a, dtype=torch.float32) for a in arguments))
    assert single.dtype == torch.float32


@pytest.mark.parametrize("function", [bell_curve, hypotenuse, blend_of, careful_ratio, erf_of])
def test_torch_derivatives(function):
    operator = from_function(function)
    arguments = [torch.tensor([0.4, 1.3], dtype=torch.float64, requires_grad=True) for _ in range(operator.arity)]
    assert torch.autograd.gradcheck(lambda *a: operator.torch(torch, *a), arguments)


def test_constants_are_trained_through_a_function():
    formula = Expression.parse("bell_curve(x0 - 0.5)", operators=[from_function(bell_curve)]).torch()
    X = torch.linspace(-2, 2, 30, dtype=torch.float64)[:, None]
    target = torch.exp(-((X[:, 0] - 0.8) ** 2) / 2) / math.sqrt(2 * math.pi)
    optimiser = torch.optim.LBFGS(formula.parameters(), max_iter=50)

    def closure():
        optimiser.zero_grad()
        loss = ((formula(X) - target) ** 2).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert formula.constants.item() == pytest.approx(0.8, abs=1e-3)


def test_scalars_and_rows_are_broadcast_in_torch():
    operator = from_function(hypotenuse)
    constant = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    result = operator.torch(torch, torch.tensor([4.0, 0.0], dtype=torch.float64), constant)
    result.sum().backward()
    assert result.tolist() == [5.0, 3.0] and constant.grad.item() == pytest.approx(0.6 + 1.0)


def test_sympy_finds_the_formula_where_there_is_one():
    a, b = sympy.symbols("a b")
    assert from_function(bell_curve).sympy(sympy, a) == sympy.exp(-(a**2) / 2) / sympy.sqrt(2 * sympy.pi)
    assert from_function(hypotenuse).sympy(sympy, a, b + 1) == sympy.sqrt(a**2 + (b + 1) ** 2)
    assert from_function(erf_of).sympy(sympy, a) == sympy.erf(a)
    shift = 2.0

    def enclosing(x):
        return x**2 + shift

    assert from_function(enclosing).sympy(sympy, a) == a**2 + 2.0


@pytest.mark.parametrize("function", [pulse_shape, steps_down, careful_ratio, one_at_zero, twice_at_zero])
def test_sympy_knows_others_by_name(function):
    operator = from_function(function)
    symbols = sympy.symbols("a b")[: operator.arity]
    unknown = operator.sympy(sympy, *symbols)
    assert str(unknown) == f"{function.__name__}({', '.join(map(str, symbols))})"
    row = [0.5, 2.0][: operator.arity]
    assert float(unknown.subs(dict(zip(symbols, row, strict=True)))) == function(*row)
    assert (
        function.__name__.split("_")[0]
        in Expression.apply(operator, *map(Expression.variable, range(len(row)))).latex()
    )


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_formula_and_function_agree(a, b):
    operators = [from_function(f) for f in (bell_curve, hypotenuse, blend_of, pulse_shape)]
    formula = Expression.parse(
        "bell_curve(x0) + blend_of(x1, hypotenuse(x0, 2)) + pulse_shape(x1)", operators=operators
    )
    expected = bell_curve(a) + blend_of(b, hypotenuse(a, 2)) + pulse_shape(b)
    assert formula.evaluate([[a, b]])[0] == pytest.approx(expected, abs=1e-12)
    assert float(formula.sympy().subs({"x0": a, "x1": b})) == pytest.approx(expected, abs=1e-9)


def test_same_function_same_operator():
    operator = from_function(bell_curve)
    assert from_function(bell_curve) is operator is find("bell_curve") is by_code(operator.code)
    assert (operator.arity, operator.complexity, operator.definition) == (1, 1.0, "")
    other = from_function(bell_curve, name="normal_density")
    assert other.code != operator.code and str(Expression.apply(other, Expression.variable(0))) == "normal_density(x0)"


def test_a_cell_that_is_run_again_defines_a_new_operator():
    scope = {}
    for power in (2, 3):
        exec(f"def rerun_cell(x):\n    return x**{power}", scope)
        operator = from_function(scope["rerun_cell"])
        formula = Expression.parse("rerun_cell(x0)", operators=[operator])
        assert formula.evaluate([[2.0]])[0] == 2**power == pickle.loads(pickle.dumps(formula)).evaluate([[2.0]])[0]
        assert find("rerun_cell") is operator is copy.deepcopy(operator)


def test_the_alphabet_offers_both():
    def from_alphabet(x):
        return 3 * x

    operator = operators.from_function(from_alphabet, "tripled")
    assert operator is from_function(from_alphabet, "tripled") and operators.address(operator) == address(operator)
    assert not hasattr(operators, "from_functions")


def test_compiled_kernels_call_functions():
    formula = Expression.parse("2*steps_down(x0) + hypotenuse(x0, x1)", operators=[*map(from_function, FUNCTIONS)])
    X = np.random.default_rng(0).normal(size=(400, 2))
    assert np.allclose(kernels.evaluate(formula, X.T.copy()), formula.evaluate(X), rtol=1e-12)
    smooth = Expression.parse("bell_curve(x0*0.7) + hypotenuse(x0, 1.5)", operators=[*map(from_function, FUNCTIONS)])
    (_, J), (a, b) = kernels.jacobian(smooth, X.T.copy()), smooth.constants
    inner = a * X[:, 0]
    slopes = [-inner * np.exp(-(inner**2) / 2) / math.sqrt(2 * math.pi) * X[:, 0], b / np.hypot(X[:, 0], b)]
    assert np.allclose(J, np.column_stack(slopes), atol=1e-8)


def test_built_in_and_defined_operators_have_no_address():
    assert address(find("sin")) is None and address(Expression.operator("noaddr(x) = x + 1")) is None


def test_compiled_functions_are_taken_too():
    numba = pytest.importorskip("numba")

    @numba.njit
    def already_compiled(x):
        return x + 1

    assert from_function(already_compiled).numpy(2.0) == 3.0


def test_lambda_with_a_name():
    assert from_function(lambda x: 2 * x, name="twice_of").numpy(4.0) == 8.0


def test_units_of_functions_are_numbers():
    formula = Expression.parse("erf_of(x0)", operators=[from_function(erf_of)])
    assert check_units(formula, ["m"]) == "node 1 (erf_of(x0)) takes erf_of of m" and check_units(formula, [""]) == ""


def no_value_at_times(x):
    if x > 0:
        return x


def two_values(x):
    return x, x


def of_text(x):
    return "a"


def imaginary(x):
    return x + 1j


def opens_files(x):
    return open(x)


def unknown_name(x):
    return missing_function(x)  # noqa: F821


def imports_within(x):
    import scipy.special

    return scipy.special.gamma(x)


def optional_argument(x, k=2):
    return x + k


def starred(*x):
    return x[0]


def three_arguments(a, b, c):
    return a


def no_arguments():
    return 1.0


@pytest.mark.parametrize(
    ("function", "name", "message"),
    [
        (lambda x: x, None, "function is a lambda, which has no name: give one"),
        (math.erf, None, "give a Python function, such as def f"),
        (np.sin, None, "give a Python function"),
        ("x + 1", None, "function is 'x + 1': give a Python function"),
        (erf_of, "sin", "name is 'sin', which already means something in formulas"),
        (erf_of, "ln", "name is 'ln', which already means something"),
        (erf_of, "x3", "name is 'x3', which already means something"),
        (erf_of, "a b", "name is 'a b': give a name that Python would read"),
        (erf_of, "lambda", "name is 'lambda': give a name"),
        (erf_of, 3, "name is 3: give a name"),
        (optional_argument, None, "'optional_argument' has optional, starred or keyword arguments"),
        (starred, None, "'starred' has optional, starred or keyword"),
        (three_arguments, None, "'three_arguments' takes 3 arguments: an operator takes 1 or 2"),
        (no_arguments, None, "'no_arguments' takes 0 arguments"),
        (no_value_at_times, None, "'no_value_at_times' returns None in some cases"),
        (two_values, None, "'two_values' returns several values: let it return one real number"),
        (of_text, None, "'of_text' returns unicode_type: let it return one real number"),
        (imaginary, None, "'imaginary' returns complex128: let it return one real number"),
        (opens_files, None, "'opens_files' cannot be compiled by numba: Untyped global name 'open'"),
        (unknown_name, None, "cannot be compiled by numba: NameError: name 'missing_function' is not defined"),
        (imports_within, None, "cannot be compiled by numba: Use of unsupported opcode (IMPORT_NAME) found"),
    ],
)
def test_what_cannot_be_an_operator_is_refused(function, name, message):
    with pytest.raises(ValueError) as caught:
        from_function(function, name)
    assert message in str(caught.value) and len(str(caught.value)) < 300


def test_a_name_means_a_formula_or_a_function_but_not_both():
    Expression.operator("formula_first(x) = x + 1")
    with pytest.raises(ValueError, match="there is another operator 'formula_first' already: choose another name"):
        from_function(erf_of, name="formula_first")
    from_function(erf_of, name="function_first")
    with pytest.raises(ValueError, match="there is another operator 'function_first' already"):
        Expression.operator("function_first(x) = x + 1")


def test_registered_again_is_the_same():
    operator = Operator("registered_twice", 1, np.sin, lambda t, a: t.sin(a), lambda s, a: s.sin(a))
    known = register(operator)
    assert known is register(operator) is find("registered_twice")
    assert pickle.loads(pickle.dumps(Expression.apply("registered_twice", Expression.variable(0)))).size == 2
    assert len(builtin()) == 35
    call = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address(known))
    assert call(0.5) == np.sin(0.5) and math.isnan(call(math.nan)) and address(known) == address(known)


def test_another_process_must_know_the_function():
    formula = Expression.apply(from_function(erf_of), Expression.variable(0))
    program = """
import math, pickle, sys
from srlib.functions import from_function
data = sys.stdin.buffer.read()
try:
    pickle.loads(data)
except ValueError as error:
    print(error)
def other_first(x): return x
def erf_of(x): return math.erf(x)
from_function(other_first), from_function(erf_of)
print(pickle.loads(data).evaluate([[1.0]])[0])
"""
    run = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(formula), capture_output=True, check=True)
    message, value = run.stdout.decode().splitlines()
    assert message.startswith("there is no operator 'erf_of'") and float(value) == math.erf(1.0)
    with pytest.raises(UnknownOperator, match="not registered in this process: register it before"):
        pickle.loads(pickle.dumps(from_function(erf_of)).replace(b"erf_of", b"erf_zz"))


def test_uncompiled():
    """One run as a debugger has it: the same answers from plain Python."""
    program = """
import ctypes, math
import numpy as np
from srlib.functions import address, from_function
def uncompiled_log(x): return math.log(x)
def power_of(a, b): return a**b
log, power = from_function(uncompiled_log), from_function(power_of)
print(type(log.numpy).__name__, log.numpy(np.array([1.0, -1.0, np.nan])).tolist())
print(power.numpy(-8.0, 0.5), power.numpy(0.0, -1.0))
print(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address(log))(math.e))
"""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:3] == ["vectorize [0.0, nan, nan]", "nan nan", "1.0"]


def test_import_is_light():
    program = "import sys, srlib.functions; print(*{'numba', 'torch', 'sympy'}.intersection(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
