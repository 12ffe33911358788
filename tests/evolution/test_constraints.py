"""The compiled limits against slow recursion over the tree."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from srlib import Expression
from srlib.evolution.constraints import complexity, limits, satisfies, workspace
from srlib.operators import builtin, by_code, find
from tests.strategies import expressions, tree

MIX = Expression.operator("mix3(x, y, w) = x*(1 - w) + y*w")
NAMES = ["add", "mul", "sub", "pow", "sin", "cos", "neg"]
SEARCH = [*map(find, NAMES), MIX]
WEIGHTS = st.sampled_from([0, 0.1, 0.5, 1, 2, 3.25])


def keeps(e, operators=SEARCH, **options):
    table = limits(operators, 3, **options)
    answer = satisfies(e.codes, e.size, table, workspace(table, e.size))
    assert type(answer) is bool or type(answer) is np.bool_
    return bool(answer)


class Oracle:
    """What the options say, word by word, of one formula."""

    def __init__(self, maxsize, maxdepth, constraints, nested, operators, constant, variables):
        self.maxsize, self.maxdepth, self.constraints, self.nested = maxsize, maxdepth, constraints, nested
        self.operators, self.constant, self.variables = operators, constant, variables

    def complexity(self, node):
        code, _, *below = node
        if code > 0:
            return self.operators.get(by_code(code).name, 1) + sum(map(self.complexity, below))
        return self.variables[-1 - code] if code < 0 else self.constant

    def depth(self, node):
        return 1 + max(map(self.depth, node[2:]), default=0)

    def on_a_path(self, name, node):
        """The most operators of that name that one path down from here meets, this node included."""
        here = node[0] > 0 and by_code(node[0]).name == name
        return here + max((self.on_a_path(name, child) for child in node[2:]), default=0)

    def good_below(self, node):
        code, _, *below = node
        if code <= 0:
            return True
        name = by_code(code).name
        for child, most in zip(below, self.constraints.get(name, [-1] * len(below)), strict=True):
            if most != -1 and self.complexity(child) > most + 1e-6:
                return False
        for inner, most in self.nested.get(name, {}).items():
            if max(self.on_a_path(inner, child) for child in below) > most:
                return False
        return all(map(self.good_below, below))

    def satisfied(self, node):
        small = self.complexity(node) <= self.maxsize + 1e-6 and self.depth(node) <= (self.maxdepth or math.inf)
        return small and self.good_below(node)


@st.composite
def options(draw):
    """A user's options, and the oracle that reads them."""
    operators = draw(st.dictionaries(st.sampled_from([*NAMES, "mix3"]), WEIGHTS, max_size=4))
    constant, variables = draw(WEIGHTS), draw(st.lists(WEIGHTS, min_size=3, max_size=3))
    sizes = st.sampled_from([-1, 4, 5, 6.5, 12])
    arities = {operator.name: operator.arity for operator in SEARCH}
    chosen = draw(st.sets(st.sampled_from(sorted(arities)), max_size=3))
    constraints = {name: [draw(sizes) for _ in range(arities[name])] for name in sorted(chosen)}
    inner = st.dictionaries(st.sampled_from([*NAMES, "mix3"]), st.integers(0, 2), max_size=3)
    nested = draw(st.dictionaries(st.sampled_from([*NAMES, "mix3"]), inner, max_size=3))
    maxsize, maxdepth = draw(st.sampled_from([3, 8.5, 30])), draw(st.sampled_from([None, 3, 6]))
    given = {
        "maxsize": maxsize,
        "maxdepth": maxdepth,
        "constraints": {name: each[0] if len(each) == 1 else tuple(each) for name, each in constraints.items()},
        "nested_constraints": nested,
        "complexity_of_operators": operators,
        "complexity_of_constants": constant,
        "complexity_of_variables": variables,
    }
    return given, Oracle(maxsize, maxdepth, constraints, nested, operators, constant, variables)


@given(expressions(operators=SEARCH, constants=st.just(1.5), tokens=14), options())
def test_as_slow_recursion_says(e, chosen):
    given, oracle = chosen
    table, root = limits(SEARCH, 3, **given), tree(e)
    assert math.isclose(complexity(e.codes, e.size, table), oracle.complexity(root), abs_tol=1e-9)
    event(f"satisfied: {oracle.satisfied(root)}")
    assert satisfies(e.codes, e.size, table, workspace(table, e.size)) == oracle.satisfied(root)


@given(expressions(operators=builtin(), constants=st.just(1.5)))
def test_defaults(e):
    table = limits(builtin(), 3)
    assert complexity(e.codes, e.size, table) == e.complexity == e.size
    assert satisfies(e.codes, e.size, table, workspace(table, e.size)) == (e.size <= 30)
    weights = {"sin": 3, "+": 0.5}
    table = limits(builtin(), 3, complexity_of_operators=weights, complexity_of_constants=2, complexity_of_variables=4)
    expected = e.weighted_complexity(weights, constant=2, variable=4)
    assert math.isclose(complexity(e.codes, e.size, table), expected)


def test_only_the_first_nodes_count_and_the_stack_is_overwritten():
    e, table = Expression.parse("sin(x0) + 2"), limits(SEARCH, 3, nested_constraints={"sin": {"sin": 0}})
    codes, work = np.append(e.codes, [99, 99]).astype(np.int32), workspace(table, 4)
    work[:] = np.nan
    assert satisfies(codes, e.size, table, work) and complexity(codes, e.size, table) == 4


@pytest.mark.parametrize(
    ("text", "options", "answer"),
    [
        ("x0**2", {"constraints": {"pow": (-1, 1)}}, True),
        ("x0**2", {"constraints": {"^": (-1, 1)}}, True),
        ("(x0 + x1)**2", {"constraints": {"**": (-1, 1)}}, True),
        ("2**(x0 + x1)", {"constraints": {"pow": (-1, 1)}}, False),
        ("2**(x0 + x1)", {"constraints": {find("pow"): [-1, 3]}}, True),
        ("sin(x0 + x1*x2)", {"constraints": {"sin": 5}}, True),
        ("sin(x0 + x1*sin(x2))", {"constraints": {"sin": 5}}, False),
        ("cos(x0 + x1*sin(x2))", {"constraints": {"sin": 5}}, True),
        ("sin(x0 + x1)", {"constraints": {"sin": (3,)}}, True),
        ("-(x0 + x1)", {"constraints": {"neg": 2}}, False),
        ("mix3(x0, x1, x0 + x1)", {"constraints": {"mix3": (-1, -1, 2)}}, False),
        ("mix3(x0, x0 + x1, 2)", {"constraints": {MIX: (-1, -1, 2)}}, True),
        ("sin(cos(sin(x0)))", {"nested_constraints": {"sin": {"sin": 0}}}, False),
        ("sin(cos(x0)) + sin(x1)", {"nested_constraints": {"sin": {"sin": 0, "cos": 1}}}, True),
        ("sin(cos(x0) + cos(x1))", {"nested_constraints": {"sin": {"cos": 1}}}, True),
        ("sin(cos(cos(x0)))", {"nested_constraints": {"sin": {"cos": 1}}}, False),
        ("x0 + (x1 - x2)", {"nested_constraints": {"+": {"-": 0}}}, False),
        ("x0 + -x1", {"nested_constraints": {"+": {"-": 0}}}, True),
        ("sin(sin(x0))", {"nested_constraints": {}}, True),
        ("x0 + x1 + x2", {"maxsize": 5}, True),
        ("x0 + x1 + x2", {"maxsize": 4.9}, False),
        ("x0 + x1 + x2", {"maxdepth": 3}, True),
        ("x0 + x1 + x2", {"maxdepth": 2}, False),
        ("x0 + x1 + x2", {"maxsize": 3, "complexity_of_variables": 1 / 3}, True),
        ("x0 + x1", {"maxsize": 4, "complexity_of_variables": [1, 2.5, 1]}, False),
        ("x0 + x2", {"maxsize": 4, "complexity_of_variables": [1, 2.5, 1]}, True),
        ("x0 + 2", {"maxsize": 3, "complexity_of_constants": 2}, False),
        ("x0 + 2", {"maxsize": 3, "complexity_of_operators": {"+": 2}}, False),
    ],
)
def test_cases(text, options, answer):
    assert keeps(Expression.parse(text, operators=[MIX]), **options) is answer


def test_minus_is_the_sign_where_there_is_no_difference():
    e = Expression.parse("-(x0 + x1)")
    assert not keeps(e, [find("neg"), find("add")], constraints={"-": 2})


def test_warm_up_replaces_one_number():
    e, table = Expression.parse("x0 + x1 + x2"), limits(SEARCH, 3)
    answers = [satisfies(e.codes, e.size, table._replace(maxsize=m), workspace(table, 5)) for m in (3.0, 5.0)]
    assert answers == [False, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maxsize": 2}, "maxsize is 2: give a number of at least 3"),
        ({"maxdepth": 1}, "maxdepth is 1: give a whole number of at least 2 or None"),
        ({"maxdepth": 4.5}, "maxdepth is 4.5: give a whole number"),
        ({"constraints": {"sine": 3}}, "constraints has the key 'sine', which is no operator of this search - did you "
         "mean 'sin'?"),
        ({"constraints": {"exp": 3}}, "no operator of this search: they are add, mul, sub, pow, sin, cos, neg, mix3"),
        ({"constraints": {3: 3}}, "constraints has the key '3', which is no operator"),
        ({"constraints": ["sin"]}, "constraints is ['sin']: give a dictionary by operator"),
        ({"constraints": {"^": (-1, 1), "pow": (1, 1)}}, "constraints has 'pow' twice, once as 'pow'"),
        ({"constraints": {"pow": 3}}, "constraints['pow'] is 3: pow takes 2 arguments, write (-1, 5)"),
        ({"constraints": {"pow": (1, 2, 3)}}, "constraints['pow'] is (1, 2, 3): pow takes 2 arguments"),
        ({"constraints": {"sin": (1, 2)}}, "constraints['sin'] is (1, 2): sin takes 1 argument, write 5"),
        ({"constraints": {"mix3": (1, 2)}}, "mix3 takes 3 arguments, write (-1, -1, 5)"),
        ({"constraints": {"sin": -2}}, "constraints['sin'] is -2: give the largest complexity of each operand, -1 for "
         "no limit, and at least 1"),
        ({"constraints": {"sin": 0}}, "constraints['sin'] is 0: give"),
        ({"constraints": {"sin": 1}, "complexity_of_constants": 2, "complexity_of_variables": 3}, "and at least 2"),
        ({"constraints": {"sin": "5"}}, "constraints['sin'] is '5': give"),
        ({"constraints": {"sin": True}}, "constraints['sin'] is True: give"),
        ({"constraints": {"sin": math.nan}}, "constraints['sin'] is nan: give"),
        ({"constraints": {"sin": None}}, "constraints['sin'] is None: give"),
        ({"nested_constraints": {"sin": 0}}, "nested_constraints['sin'] is 0: give a dictionary"),
        ({"nested_constraints": {"sine": {}}}, "nested_constraints has the key 'sine'"),
        ({"nested_constraints": {"sin": {"coss": 0}}}, "nested_constraints['sin'] has the key 'coss', which is no "
         "operator of this search - did you mean 'cos'?"),
        ({"nested_constraints": {"sin": {"cos": -1}}}, "nested_constraints['sin']['cos'] is -1: give a whole number"),
        ({"nested_constraints": {"sin": {"cos": 0.5}}}, "nested_constraints['sin']['cos'] is 0.5: give a whole number"),
        ({"complexity_of_operators": {"sinn": 2}}, "complexity_of_operators has the key 'sinn'"),
        ({"complexity_of_operators": {"sin": -1}}, "complexity_of_operators['sin'] is -1: give a number of at least 0"),
        ({"complexity_of_operators": {"sin": math.inf}}, "a complexity is infinite"),
        ({"complexity_of_operators": 3}, "complexity_of_operators is 3: give a dictionary"),
        ({"complexity_of_constants": -1}, "complexity_of_constants is -1: give a number of at least 0"),
        ({"complexity_of_variables": "1"}, "complexity_of_variables is '1': give a number, or a list"),
        ({"complexity_of_variables": None}, "complexity_of_variables is None: give a number, or a list"),
        ({"complexity_of_variables": [1, 2]}, "complexity_of_variables has 2 entries: give a number, or 3 of them"),
        ({"complexity_of_variables": [1, 2, -3]}, "complexity_of_variables[2] is -3: give a number of at least 0"),
        ({"complexity_of_variables": -3}, "complexity_of_variables is -3: give a number of at least 0"),
    ],
)  # fmt: skip
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError) as caught:
        limits(SEARCH, 3, **options)
    assert message in str(caught.value)


def test_uncompiled():
    """One run as a debugger has it; the functions are then plain Python."""
    program = """
from srlib import Expression
from srlib.evolution.constraints import complexity, limits, satisfies, workspace
from srlib.operators import find
table = limits([find("sin"), find("add")], 2, constraints={"sin": 3}, nested_constraints={"sin": {"sin": 0}})
for text in ("sin(x0 + x1)", "sin(x0 + (x1 + 2))", "sin(sin(x0))"):
    e = Expression.parse(text)
    answer = satisfies(e.codes, e.size, table, workspace(table, 9))
    print(type(satisfies).__name__, answer, complexity(e.codes, e.size, table))
"""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:3] == ["function True 4.0", "function False 6.0", "function False 3.0"]
