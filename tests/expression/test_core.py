import copy
import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srlib import Expression
from srlib.operators import by_code
from tests.strategies import MEANING, MODEST, expressions, same, tree

X = np.random.default_rng(0).uniform(-3, 3, (20, 3))
X[0] = 0.0
X[1] = [1e308, -1e308, 1.0]


def parse(text, **options):
    return Expression.parse(text, **options)


# ------------------------------------------------------------ evaluation


@settings(max_examples=200, deadline=None)
@given(expressions())
def test_each_node_means_what_the_math_module_means(e):
    """Node by node on the values below it, so that rounding is not magnified by what stands above."""
    values = [e.subtree(node).evaluate(X) for node in range(e.size)]  # each (rows,)
    for node, code in enumerate(e.codes.tolist()):
        if code > 0:
            rows = zip(*(values[child].tolist() for child in e.children(node)), strict=True)
            expected = [MEANING[by_code(code).name](*row) for row in rows]
        else:
            expected = np.full(len(X), e.values[node]) if code == 0 else X[:, -1 - code]
        assert same(values[node], expected), e.subtree(node)


@settings(max_examples=200, deadline=None)
@given(expressions(names=["a", "b", "c"]))
def test_evaluate_is_the_same_by_row_and_keeps_x(e):
    before = X.copy()
    whole = e.evaluate(X)
    assert np.array_equal(X, before)
    assert whole.shape == (len(X),) and whole.dtype == np.float64 and not np.shares_memory(whole, X)
    # a loop over one row may use other instructions than one over many: equal to rounding of well-behaved formulas
    assert np.array_equal(np.isnan(e.evaluate(X[:1])), np.isnan(whole[:1]))
    assert e.evaluate(X[:0]).shape == (0,)


@pytest.mark.parametrize("text", ["1/x0", "log(x0)", "0**x0", "x0**-1", "inv(x0)", "log1p(x0 - 1)", "sqrt(x0 - 1)"])
def test_outside_the_domain_is_nan(text):
    value = parse(text).evaluate([[-0.0 if text == "0**x0" else 0.0]])
    assert np.isnan(value).all() != (text == "0**x0")
    assert np.isnan(parse("0**x0").evaluate([[-1.0]])).all()


def test_overflow_is_infinite():
    assert parse("exp(x0)").evaluate([[1000.0]]).tolist() == [np.inf]


@pytest.mark.filterwarnings("error")
def test_evaluation_is_silent_unless_asked():
    parse("log(x0)/x0 + exp(x0*1e9) + (-1)**0.5").evaluate([[0.0], [1.0], [-1.0]])


def test_nonfinite_values_are_explained():
    e = parse("1 + sqrt(v - 2)", names=["t", "v"])
    message = r"2 of 3 values of 1 \+ sqrt\(v - 2\) are not finite; the first in row 0 \(v = 1\): sqrt\(v - 2\) has no"
    with pytest.raises(ValueError, match=message):
        e.evaluate([[0, 1], [0, 3], [0, 0]], nonfinite="raise")
    with pytest.warns(RuntimeWarning, match=message):
        assert np.isnan(e.evaluate([[0, 1], [0, 3], [0, 0]], nonfinite="warn")).tolist() == [True, False, True]
    with pytest.raises(ValueError, match=r"nonfinite is 'ignore': choose"):
        e.evaluate([[0, 3]], nonfinite="ignore")
    with pytest.raises(ValueError, match=r"row 0 \(any\): 1/0 has no finite value"):
        parse("2 + 1/0").evaluate([[1.0]], nonfinite="raise")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1.0, 2.0], r"X has shape \(2,\): give a table of .* \(one feature: X.reshape\(-1, 1\)\)"),
        ([[1.0]], r"X has 1 columns, but the formula uses x1 \(column 1\)"),
        ([["1", "2"]], "holds text"),
        (pd.DataFrame({"a": [1.0], "b": ["2"]}), "holds text"),
        ([[1.0, 2j]], "complex"),
        ([[1.0, None, object()]], "X must be a table of real numbers"),
        ([[[1.0, 2.0]]], r"X has shape \(1, 1, 2\)"),
        ([[1.0, 2.0], [1.0]], "X must be a table|inhomogeneous"),
        (np.array([["2020-01-01", "2020-01-02"]], dtype="datetime64[D]"), "dates"),
    ],
)
def test_bad_tables_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        parse("x0 + x1").evaluate(table)


def test_tables_of_all_kinds():
    e = parse("a - b", names=["a", "b"])
    assert e.evaluate(pd.DataFrame({"a": [3, 4], "b": [1.5, 2.5]})).tolist() == [1.5, 1.5]
    assert e.evaluate(pd.DataFrame({"a": [3, 4], "b": [1, 2]}, dtype=object)).tolist() == [2.0, 2.0]
    assert e.evaluate(np.array([[3, 1]], dtype=np.int8)).tolist() == [2.0]
    assert e.evaluate([[True, False]]).tolist() == [1.0]
    assert parse("2").evaluate(np.empty((3, 0))).tolist() == [2.0, 2.0, 2.0]


# ------------------------------------------------------------ the tree


@settings(max_examples=200, deadline=None)
@given(expressions(), st.data())
def test_tree_walks_agree_with_nested_tuples(e, data):
    def size(node):
        return 1 + sum(map(size, node[2:]))

    def depth(node):
        return 1 + max(map(depth, node[2:]), default=0)

    def listed(node):  # all subtrees in postfix order
        return [one for child in node[2:] for one in listed(child)] + [node]

    nested = tree(e)
    subtrees = listed(nested)
    assert e.size == len(e) == size(nested) == e.complexity
    assert e.depth == depth(nested) and e.depths == tuple(map(depth, subtrees))
    for node, expected in enumerate(subtrees):
        start, stop = e.span(node)
        assert stop - start == size(expected) and stop == node + 1
        assert tree(e.subtree(node)) == expected
        assert [tree(e.subtree(child)) for child in e.children(node)] == list(expected[2:])
    other = data.draw(expressions(features=2))
    node = data.draw(st.integers(0, e.size - 1))
    start, stop = e.span(node)
    replaced = e.replace(node, other)
    expected = [*subtrees[:start], *listed(tree(other))]
    assert [one[:2] for one in listed(tree(replaced))] == [one[:2] for one in [*expected, *subtrees[stop:]]]
    assert Expression(replaced.codes, replaced.values) == replaced  # it is one whole formula
    assert tree(e) == nested and e.replace(node, e.subtree(node)) == e


def test_negative_nodes_count_from_the_root_and_others_do_not_exist():
    e = parse("2*sin(x0)")
    assert e.span(-1) == (0, 4) and e.children(-1) == (0, 2) and e.label(-1) == "*"
    for walk in (e.span, e.subtree, e.children):
        with pytest.raises(IndexError, match="node 4 does not exist: the formula has nodes 0 to 3"):
            walk(4)


def test_names_of_replaced_parts():
    named, plain = parse("v/d", names=["v", "d"]), parse("x0 + 1")
    assert str(named.replace(0, plain)) == "(v + 1)/d"
    assert str(plain.replace(0, named)) == "v/d + 1"
    with pytest.raises(ValueError, match="name their features differently"):
        named.replace(0, parse("a", names=["a"]))
    with pytest.raises(ValueError, match="names has 2 entries, but the formula uses feature 4"):
        named.replace(0, parse("x4"))


def test_weighted_complexity():
    e = parse("2*sin(x0) + sin(cos(x1))")
    assert e.weighted_complexity({"sin": 3, "+": 0.5}, constant=2, variable=0) == 3 + 3 + 0.5 + 1 + 1 + 2


# ------------------------------------------------------------ making, changing, comparing


@pytest.mark.parametrize(
    ("codes", "values", "names", "message"),
    [
        ([], [], None, "at least 1"),
        ([0, 0], [1.0], None, "codes has 2 nodes, values 1"),
        ([1], [0.0], None, r"node 0 \(add\) needs 2 arguments before it, but has 0"),
        ([0, 0], [1.0, 2.0], None, "leaves 2 values, not 1"),
        ([0], [np.nan], None, "values holds nan: every constant must be finite"),
        ([-3], [0.0], ["a", "b"], "names has 2 entries, but the formula uses feature 2"),
        ([-1], [0.0], ["a", "a"], "names has 'a' more than once"),
        ([-1], [0.0], ["a", ""], "names has an empty name, at column 1"),
        ([-1], [0.0], "ab", "give a list of names"),
        ([9999], [0.0], None, "9999 is the code of no operator"),
    ],
)
def test_arrays_that_are_no_formula_are_refused(codes, values, names, message):
    with pytest.raises(ValueError, match=message):
        Expression(codes, values, names)


def test_it_is_immutable():
    e = parse("2*x0")
    with pytest.raises(AttributeError, match="immutable"):
        e.names = ("a",)
    for array in (e.codes, e.values, e.subtree(0).values, e.replace(0, e).codes, e.with_constants([3]).values):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    codes = np.array([-1])
    kept = Expression(codes, [0.0])
    codes[0] = -2
    assert kept.features == (0,)


@given(expressions())
@settings(max_examples=100, deadline=None)
def test_constants_are_set_in_postfix_order(e):
    new = np.arange(1.0, len(e.constants) + 1)
    changed = e.with_constants(new)
    assert np.array_equal(changed.constants, new) and np.array_equal(changed.codes, e.codes)
    assert changed.with_constants(e.constants) == e


@pytest.mark.parametrize(
    ("values", "message"), [([1], r"constants has 1 values, but 2\*x0 \+ 3 has 2"), ([1, np.inf], "holds inf")]
)
def test_wrong_constants_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        parse("2*x0 + 3").with_constants(values)


def test_python_operators_build_formulas():
    x, y = Expression.variable(0), Expression.variable(1)
    assert -(x**2) / (1 - y) + 3 * x - 2**y == parse("-x0**2/(1 - x1) + 3*x0 - 2**x1")
    assert np.float64(2) * x == parse("2*x0")
    with pytest.raises(TypeError):
        x + "1"
    with pytest.raises(ValueError, match="feature is -1"):
        Expression.variable(-1)


def test_equal_formulas_have_equal_hashes():
    assert parse("0*x0") == parse("-0.0*x0") and hash(parse("0*x0")) == hash(parse("-0.0*x0"))
    assert parse("x0", names=None) == parse("a", names=["a"])
    assert parse("x0 + x1") != parse("x1 + x0") and parse("x0") != "x0"
    assert len({parse("x0 + 1"), parse("x0 + 1"), parse("x0 + 2")}) == 2


# ------------------------------------------------------------ storing


@settings(max_examples=200, deadline=None)
@given(expressions(names=["a", "col name", "ü`"]))
def test_stored_formulas_come_back_exactly(e):
    stored = json.loads(json.dumps(e.to_dict()))
    for again in (Expression.from_dict(stored), pickle.loads(pickle.dumps(e)), copy.deepcopy(e)):
        assert again == e and again.names == e.names and np.array_equal(again.values, e.values)


@pytest.mark.parametrize("data", [{}, None, [], {"postfix": 3, "names": None, "operators": []},
                                  {"postfix": [None], "names": None, "operators": []},
                                  {"postfix": ["sinn", 2.0], "names": None, "operators": []},
                                  {"postfix": ["x0"], "names": None, "operators": ["__import__('os')"]}])  # fmt: skip
def test_other_data_is_no_stored_formula(data):
    with pytest.raises(ValueError):
        Expression.from_dict(data)


# ------------------------------------------------------------ depth, imports


def test_formulas_far_deeper_than_python_recursion():
    e = Expression.variable(0)
    for _ in range(5_000):
        e = Expression.apply("sin", e)
    assert e.depth == e.size == 5_001 and hash(e) == hash(e.subtree(-1))
    assert 0 < e.evaluate([[1.0]])[0] < 0.03
    assert str(e).count("sin(") == 5_000 and Expression.from_dict(e.to_dict()) == e == pickle.loads(pickle.dumps(e))
    assert e.replace(0, Expression.constant(0.5)).evaluate([[1.0]], nonfinite="raise")[0] > 0
    with pytest.raises(ValueError, match=r"log\(-2\) has no finite value"):
        e.replace(0, parse("log(-2)")).evaluate([[1.0]], nonfinite="raise")
    for other_form in (e.sympy, e.latex):
        with pytest.raises(ValueError, match="5001 levels, too many"):
            other_form()
    with pytest.raises(ValueError, match="brackets within each other|characters"):
        parse(str(e))


def test_import_is_light():
    """`import srlib`, parsing and evaluating load none of the heavy libraries."""
    program = """
import sys, srlib
from srlib import Expression
assert srlib.__version__
e = Expression.parse("2*sin(x0)/x1")
e.evaluate([[1.0, 2.0]]); str(e), e.to_dict(), e.numpy_source(), e.replace(0, e), e.depth, e.complexity
print(*{"torch", "numba", "matplotlib", "sympy", "pandas", "sklearn", "scipy"}.intersection(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@settings(max_examples=50, deadline=None)
@given(expressions(constants=MODEST))
def test_repr_and_label(e):
    assert repr(e) == f"Expression({str(e)!r})"
    assert all(e.label(node) for node in range(e.size))


def test_a_dataframe_in_another_order_is_refused_rather_than_misread():
    e = Expression.parse("a - b", names=["a", "b"])
    table = pd.DataFrame({"a": [5.0], "b": [2.0]})
    assert e.evaluate(table) == [3.0]
    assert e.evaluate(table.rename(columns={"a": "u", "b": "v"})) == [3.0]  # other names: by their places
    with pytest.raises(ValueError, match="X has 'a' as its column 1, but the formula counts it as column 0"):
        e.evaluate(table[["b", "a"]])
    assert e.evaluate(table[["b", "a"]].to_numpy()) == [-3.0]


def test_codes_are_whole_numbers():
    with pytest.raises(ValueError, match="codes is .*give whole numbers"):
        Expression([0.5], [1.0])
