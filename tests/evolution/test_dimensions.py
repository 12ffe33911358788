"""Dimensional analysis against linear algebra: each constant is an unknown, each sum or sine an equation."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srlib import Expression, problems
from srlib.dimensions import check_units, first_unbalanced, unit_rules, unit_workspace
from srlib.evolution.dimensions import dimension_violations
from srlib.operators import by_code, find
from srlib.units import unit_dimensions, unit_text
from tests.strategies import MODEST, expressions, tree

UNITS = ["m", "s", ""]
SPECIAL = Expression.operator("special(x, y) = cos(x) * (x + y)")
OWN = [
    SPECIAL,
    Expression.operator("ratio(a, b) = sqrt(a/b)"),
    Expression.operator("wave(a, b) = sin(a)*b"),
    Expression.operator("hyper(a, b) = sqrt(a*a + b*b)"),
    Expression.operator("cubed(a) = a**(6/2)"),
    Expression.operator("mean(a, b, c) = max(a, b*c)"),
]
SAMPLE = [find(n) for n in ("add", "mul", "div", "pow", "neg", "sqrt", "square", "sin", "sign", "max", "cbrt", "inv")]


class Unbalanced(Exception):
    pass


class Oracle:
    """The equations of a formula: exponents of each part, linear in the unknown exponents of the constants."""

    def __init__(self, X_units, dimensionless):
        self.features, self.dimensionless = unit_dimensions(X_units), dimensionless
        self.left, self.right, self.unknowns = [], [], 0

    def part(self, node):
        """A part's exponents as (coefficients of the unknowns, numbers of the seven bases), and its known value."""
        code, value, *below = node
        if code < 0:
            return (np.zeros(40), self.features[-1 - code]), None
        if code == 0:
            coefficients = np.zeros(40)
            coefficients[self.unknowns] = not self.dimensionless
            self.unknowns += 1
            return (coefficients, np.zeros(7)), value
        name, parts = by_code(code).name, [self.part(child) for child in below]
        (a, known), (b, other) = parts[0], parts[-1]
        known = None if None in (known, other) else known
        if name in ("add", "sub", "max", "min"):
            self.vanish(a[0] - b[0], a[1] - b[1])
            return b, known + other if name == "add" and known is not None else None
        if name == "mul":
            return (a[0] + b[0], a[1] + b[1]), None if known is None else known * other
        if name == "div":
            value = None if known is None or other == 0 else known / other
            return (a[0] - b[0], a[1] - b[1]), value
        powers = {"neg": 1, "sqrt": 1 / 2, "cbrt": 1 / 3, "square": 2, "inv": -1, "sign": 0}
        power = powers.get(name, other if name == "pow" else None)
        if name == "pow":
            self.vanish(*b)
        if power is None:
            self.vanish(*a)
            return (np.zeros(40), np.zeros(7)), None
        return (power * a[0], power * a[1]), -known if name == "neg" and known is not None else None

    def vanish(self, coefficients, numbers):
        self.left.append(coefficients)
        self.right.append(-numbers)

    def solvable(self):
        left, right = np.array(self.left).reshape(-1, 40), np.array(self.right).reshape(-1, 7)
        if not len(left):
            return True
        solution = np.linalg.lstsq(left, right, rcond=1e-10)[0]
        return bool(np.allclose(left @ solution, right, atol=1e-7))


def expected(expression, X_units, y_units, dimensionless):
    """What first_unbalanced must return."""
    for node in range(expression.size):
        oracle = Oracle(X_units, dimensionless)
        whole, _ = oracle.part(tree(expression.subtree(node)))
        if not oracle.solvable():
            return node + 1
    if y_units is not None:
        oracle.vanish(whole[0], whole[1] - unit_dimensions([y_units])[0])
    return 0 if oracle.solvable() else expression.size + 1


def got(expression, X_units, y_units, dimensionless, check=dimension_violations, operators=OWN):
    rules = unit_rules(X_units, y_units, operators, dimensionless)
    return check(expression.codes, expression.values, expression.size, rules, unit_workspace(expression.size))


def all_expressions(size, leaves, unary, binary):
    """Every formula of up to that many nodes."""
    by_size = {1: leaves}
    for total in range(2, size + 1):
        by_size[total] = [Expression.apply(o, e) for o in unary for e in by_size[total - 1]]
        for left in range(1, total - 1):
            pairs = itertools.product(by_size[left], by_size[total - 1 - left])
            by_size[total] += [Expression.apply(o, a, b) for a, b in pairs for o in binary]
    return list(itertools.chain(*by_size.values()))


@pytest.mark.parametrize("dimensionless", [False, True])
def test_every_small_formula_as_linear_algebra_says(dimensionless):
    leaves = [Expression.variable(0), Expression.variable(1), Expression.variable(2), Expression.constant(2.0)]
    formulas = all_expressions(5, leaves, ["sin", "sqrt"], ["add", "mul", "pow"])
    answers = [expected(e, UNITS, "m s", dimensionless) for e in formulas]
    rules, work = unit_rules(UNITS, "m s", (), dimensionless), unit_workspace(5)
    assert [dimension_violations(e.codes, e.values, e.size, rules, work) for e in formulas] == answers
    assert {0, 3, 4, 5, 6} <= set(answers)


@given(
    expressions(operators=SAMPLE, constants=st.sampled_from([-1.0, 0.5, 2.0, 3.0, 0.0])),
    st.lists(st.sampled_from(["m", "s", "", "m/s", "m^(1/2)"]), min_size=3, max_size=3),
    st.sampled_from([None, "", "m", "m/s"]),
    st.booleans(),
)
def test_random_formulas_as_linear_algebra_says(e, X_units, y_units, dimensionless):
    answer = expected(e, X_units, y_units, dimensionless)
    assert got(e, X_units, y_units, dimensionless) == answer
    assert (check_units(e, X_units, y_units, dimensionless) == "") == (answer == 0)


@given(expressions(constants=MODEST, tokens=25), st.booleans())
def test_compiled_and_plain_agree(e, dimensionless):
    with np.errstate(all="ignore"):
        plain = got(e, ["m", "", "s"], "m", dimensionless, first_unbalanced)
    assert got(e, ["m", "", "s"], "m", dimensionless) == plain


@pytest.mark.parametrize("operator", OWN, ids=str)
def test_defined_operators_balance_as_their_formulas(operator):
    bodies = {
        "special": "cos({0})*({0} + {1})", "ratio": "sqrt({0}/{1})", "wave": "sin({0})*{1}",
        "hyper": "sqrt({0}*{0} + {1}*{1})", "cubed": "{0}**(6/2)", "mean": "max({0}, {1}*{2})",
    }  # fmt: skip
    arguments = ["x0", "x1", "x2", "x0*x1", "x0/x1", "sqrt(x0)", "x2/x0"]
    arguments += ["2", "3*x0"] if operator.name in ("ratio", "wave", "cubed") else []  # those that use each one once
    outcomes = set()
    for chosen in itertools.product(arguments, repeat=operator.arity):
        call = Expression.parse(f"{operator.name}({', '.join(chosen)})", operators=OWN)
        inlined = Expression.parse(bodies[operator.name].format(*(f"({one})" for one in chosen)))
        outcomes.add(outcome := check_units(inlined, UNITS) == "")
        assert (check_units(call, UNITS) == "") == outcome, chosen
        for target in ("", "m", "m^3", "m^(1/2)") if outcome else ():
            assert (check_units(call, UNITS, target) == "") == (check_units(inlined, UNITS, target) == ""), chosen
    assert outcomes == ({True} if operator.name in ("ratio", "cubed") else {True, False})


def test_numbers_in_definitions_have_no_unit():
    more = Expression.operator("more(x) = x + 1")
    assert check_units(Expression.parse("more(x0)", operators=[more]), ["m"]) == "node 1 (more(x0)) takes more of m"
    assert check_units(Expression.parse("more(x0)", operators=[more]), [""]) == ""
    assert check_units(Expression.parse("more(2*x0)", operators=[more]), ["m"], "") == ""


@pytest.mark.parametrize("name", problems.names("feynman"))
def test_laws_balance(name):
    problem = problems.load(name)
    X_units = [v.unit for v in problem.variables]
    assert check_units(problem.truth, X_units, problem.target_unit, dimensionless_constants=True) == ""
    assert check_units(problem.truth, X_units, problem.target_unit) == ""


@pytest.mark.parametrize("name", ["hubble", "kepler", "tully"])
def test_laws_with_measured_constants_balance_by_their_constants(name):
    problem = problems.load(name)
    X_units = [v.unit for v in problem.variables]
    assert check_units(problem.truth, X_units, problem.target_unit) == ""
    wrong = check_units(problem.truth, X_units, problem.target_unit, dimensionless_constants=True)
    assert wrong.startswith("the formula has the unit m") and wrong.endswith(f"but y_units is {problem.target_unit!r}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x0 + x1", "node 2 (x0 + x1) adds m and s"),
        ("2*(x0 - x1)", "node 3 (x0 - x1) subtracts m and s"),
        ("min(x0, x1*x1)", "node 4 (min(x0, x1*x1)) compares m and s^2"),
        ("x1*sin(x0)", "node 2 (sin(x0)) takes sin of m"),
        ("2**x0", "node 2 (2**x0) raises a unit to choose to a power that has the unit m"),
        ("x0**x2", "node 2 (x0**x2) raises m to a power that varies: only numbers have such a power"),
        ("x0**1.5", "the formula has the unit m^(3/2), but y_units is 'm'"),
        ("x0/x0 + x0", "node 4 (x0/x0 + x0) adds 1 and m"),
        ("special(x0, x1)", "node 2 (special(x0, x1)) takes special of m and s"),
        ("special(2, x1)", "node 2 (special(2, x1)) takes special of a unit to choose and s"),  # 2 is a number in cos
        ("(2*x0)**0", "the formula has the unit 1, but y_units is 'm'"),
        ("pick(x1, 2, 3)", ""),
        ("exp(2*x0/x1)*x0", ""),
        ("(x0**2)**(1/2)", ""),
        ("x0**(3 - 2) + 2", ""),
        ("sqrt(2*x1)", ""),
        ("sign(x1)*x0", ""),
        ("2", ""),
    ],
)
def test_faults_in_words(text, message):
    pick = Expression.operator("pick(a, b, c) = b*exp(a/(b*c))")
    assert check_units(Expression.parse(text, operators=[*OWN, pick]), UNITS, "m") == message


def test_a_column_without_a_unit_is_named():
    with pytest.raises(ValueError, match="X_units has 1 units, but the formula uses time"):
        check_units(Expression.parse("d/time", names=["d", "time"]), ["m"])


def test_result_can_be_read_from_the_workspace():
    e, work = Expression.parse("x0*x1**2"), unit_workspace(9)
    rules = unit_rules(UNITS)
    assert dimension_violations(e.codes, e.values, e.size, rules, work) == 0
    assert unit_text(work.dimensions[0]) == "m s^2" and not work.free[0]


def test_uncompiled():
    """One run as a debugger has it; the functions are then plain Python."""
    program = """
from srlib import Expression
from srlib.dimensions import unit_rules, unit_workspace, first_unbalanced
from srlib.evolution.dimensions import dimension_violations as check
assert check is first_unbalanced
for text in ("x0 + x1", "x0/x1 + 2", "x0", "x0**1.5/x0**0.5"):
    e = Expression.parse(text)
    print(check(e.codes, e.values, e.size, unit_rules(["m", "s"], "m/s"), unit_workspace(9)))
"""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["3", "0", "2", "8"]
