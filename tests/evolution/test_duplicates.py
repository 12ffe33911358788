"""Keys of formulas: the same for equal ones, different for others, over thousands of random formulas."""

from collections import defaultdict

import numpy as np
import pytest

from srlib import Expression
from srlib.evolution.duplicates import formula_key, new_table, visit
from srlib.evolution.trees import empty, write
from srlib.kernels.fit import COLUMNS
from srlib.kernels.program import alphabet, assemble, workspace
from srlib.kernels.terms import split
from srlib.operators import builtin, by_code, find

ALPHABET = alphabet()
X = np.random.default_rng(0).uniform(0.3, 3, (200, 3))
WORK = workspace(X.T.copy(), 400)


def terms_of(formula, linear):
    made, terms, k_terms = empty(formula.size), np.zeros(COLUMNS, np.int64), 1
    write(made, formula.codes, formula.values, formula.size, ALPHABET)
    terms[0] = formula.size - 1
    if linear:
        k_terms = split(made.codes, formula.size, made.starts, np.zeros(2 * formula.size + 2, np.int64), terms)
    return made, k_terms, terms


def key(formula, linear=True, work=WORK):
    formula = Expression.parse(formula) if isinstance(formula, str) else formula
    made, k_terms, terms = terms_of(formula, linear)
    length = assemble(made.codes, made.values, formula.size, ALPHABET, work)
    return formula_key(made, length, k_terms, terms, linear, ALPHABET, work)


SAME = [
    ("x0*x1", "x1*x0"), ("x0 + x1", "x1 + x0"), ("x0*(x1*x2)", "(x2*x0)*x1"), ("x0/(x1*x2)", "(x0/x2)/x1"),
    ("square(x0)", "x0*x0"), ("x0 - (x1 - x2)", "(x0 + x2) - x1"), ("exp(x0)*exp(x1)", "exp(x0 + x1)"),
    ("log(x0*x1)", "log(x0) + log(x1)"),
]  # fmt: skip
SAME_WHEN_FITTED = [
    ("x0", "2*x0 - 5"), ("x0", "3 - x0/4"), ("x0 + x0", "2*x0"), ("x0 + x0", "x0"), ("x0 + x1", "3*x1 - x0/7 + 1"),
    ("x0 + x1 + x0", "x1 - x0"), ("sin(x0) + x1", "x1 + 2.5*sin(x0)"), ("neg(x0*x1)", "x1*x0"),
    ("2.5*(x0/x1)", "x0/x1/3"), ("x0", "3*(2 - x0)"), ("exp(1.5*x0)", "7*exp(-3*x0) - 1"),
    ("sin(x0 + 2) + x1", "x1 - sin(5 + x0)"),
    ("exp(2*x0) + exp(x1)", "exp(x1) - exp(x0*3)"), ("log(square(x0))", "log(x0)"),
]  # fmt: skip


@pytest.mark.parametrize("one, other", SAME)
def test_equal_formulas_share_their_key(one, other):
    assert key(one, False) == key(other, False)


@pytest.mark.parametrize("one, other", SAME_WHEN_FITTED + SAME[:5])
def test_formulas_that_fit_alike_share_their_key(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("x0", "x1"), ("x0*x1", "x0/x1"), ("x0 - x1", "x1/x0"), ("exp(2*x0)", "exp(2*x1)"), ("x0 + x1", "x0 + x2"),
        ("exp(2*x0)", "exp(2 + x0)"), ("exp(2*x0)", "exp(2*x0) + exp(3*x0)"), ("2/x0 - 1", "x0/(2 - x0)"),
        ("sin(x0)*(x1 + 2)", "(x0 + 2)*sin(x1)"), ("sin(x0/x1)", "sin(x1/x0)"),
        ("x0**2.5", "2.5**x0"), ("x0*x1", "x0*x1 + x2"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("linear", [True, False])
def test_other_formulas_have_other_keys(one, other, linear):
    assert key(one, linear) != key(other, linear)


@pytest.mark.parametrize("one, other", [("x0", "x0 - 1e-6"), ("x0", "x0*1.000001"), ("x0 - x1", "x1 - x0")])
def test_values_count_when_nothing_is_fitted(one, other):
    """These hold constants or signs that the fit of factors would make good."""
    assert key(one, False) != key(other, False)


def test_a_sorted_table_is_looked_at_all_over():
    """Its first rows alone cannot tell abs(x0) from x0, or a step from a constant."""
    x = np.linspace(-3, 3, 300)
    work = workspace(np.array([x, np.cos(3 * x), np.sin(x)]), 60)
    keys = [key(text, True, work) for text in ("x0", "abs(x0)", "relu(x0)", "step(x0)", "step(x1)", "max(x0, x1)")]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 15, 16, 17])
def test_tables_of_few_rows(rows):
    work = workspace(X[:rows].T.copy(), 60)
    assert key("x0*x1", True, work) == key("x1*x0", True, work)
    assert (key("x0", True, work) == key("x1", True, work)) == (rows <= 2)  # two points lie on a line
    assert (key("x0", False, work) == key("x1", False, work)) is False


def test_formulas_without_a_value_or_that_are_constant():
    assert key("log(neg(x0))") == key("sqrt(neg(x1))") != key("x0")
    assert key("x0/x0") == key("square(x1/x1)") != key("x0")
    assert key("exp(exp(exp(exp(x0*x0*x0))))", False) == key("log(neg(x0))", False)


# ------------------------------------------------------------ random formulas


def random_formulas(count, rng):
    operators = [o for o in builtin() if o.name in ("add", "sub", "mul", "div", "sin", "exp", "log", "square", "sqrt")]
    for _ in range(count):
        formula = Expression.variable(int(rng.integers(3)))
        for _ in range(rng.integers(1, 9)):
            operator = operators[rng.integers(len(operators))]
            if operator.arity == 1:
                formula = Expression.apply(operator, formula)
                continue
            other = Expression.variable(int(rng.integers(3))) if rng.random() < 0.7 else float(rng.normal())
            if rng.random() < 0.2:
                other = Expression.apply(operators[rng.integers(2)], Expression.variable(int(rng.integers(3))), other)
            formula = Expression.apply(operator, *((formula, other) if rng.random() < 0.5 else (other, formula)))
        yield formula


def shape(formula):
    """The formula without the values of its constants and the order of what commutes."""
    stack = []
    for code in formula.codes.tolist():
        arity = by_code(code).arity if code > 0 else 0
        below = stack[len(stack) - arity :]
        del stack[len(stack) - arity :]
        stack.append((code, *(sorted(below) if code > 0 and by_code(code).commutative else below)))
    return stack[0]


def affine(values):
    """Values up to factor and offset."""
    difference = values - values[0]
    return difference / difference[np.abs(difference).argmax()] if np.abs(difference).max() > 0 else difference


def meaning(formula, linear):
    """The shapes of the terms with constants, and the values of those without; None where there are none to compare."""
    made, k_terms, terms = terms_of(formula, linear)
    shapes, values = [], []
    for node in terms[:k_terms].tolist():
        term = formula.subtree(node)
        if len(term.constants):
            shapes.append(shape(term))
        else:
            with np.errstate(all="ignore"):
                y = term.evaluate(X)
            if not np.isfinite(y).all() or np.ptp(y) <= 1e-6 * np.abs(y).max() or np.abs(y).max() > 1e6:
                return None
            values.append(affine(y) if linear else y / np.abs(y).max())
    return sorted(shapes), values


def agree(one, other):
    """Whether two meanings are the same; of terms with the same values one counts."""

    def within(some, all_of_them):
        return all(any(np.allclose(a, b, rtol=1e-4, atol=1e-5) for b in all_of_them) for a in some)

    return one[0] == other[0] and within(one[1], other[1]) and within(other[1], one[1])


@pytest.mark.parametrize("linear", [True, False])
def test_different_formulas_do_not_collide(linear):
    """20,000 formulas: whichever share a key are the same by an independent look at all rows."""
    groups = defaultdict(list)
    for formula in random_formulas(20_000, np.random.default_rng(1)):
        groups[key(formula, linear)].append(formula)
    compared = 0
    for formulas in groups.values():
        known = [(one, found) for one in {str(f): f for f in formulas}.values() if (found := meaning(one, linear))]
        for formula, found in known[1:]:
            assert agree(known[0][1], found), (str(known[0][0]), str(formula))
            compared += 1
    assert compared > 500 and len(groups) > 5000


def test_equal_formulas_are_found():
    """Operands swapped at random, and with factors and offsets: the key stays."""
    rng, unequal, total = np.random.default_rng(2), 0, 0
    add, mul = find("add").code, find("mul").code
    for formula in random_formulas(1500, rng):
        if meaning(formula, True) is None or not len(formula.features):
            continue
        twin = formula
        for node in range(formula.size):
            if twin.codes[node] in (add, mul) and rng.random() < 0.5:
                left, right = twin.children(node)
                swap = Expression.apply(by_code(int(twin.codes[node])), twin.subtree(right), twin.subtree(left))
                twin = twin.replace(node, swap)
        if formula.codes[-1] not in (add, find("sub").code):  # the factor of a sum is no factor of its terms
            twin = twin * float(rng.uniform(0.5, 2)) - float(rng.normal())
        total += 1
        unequal += key(twin) != key(formula)
    assert total > 700 and unequal <= 0.01 * total  # values at the edge of rounding, now and then


# ------------------------------------------------------------ visits


def test_visits_are_counted_up_to_seven():
    table = new_table()
    assert [visit(12345, table) for _ in range(10)] == [0, 1, 2, 3, 4, 5, 6, 7, 7, 7]
    assert visit(54321, table) == 0 and table[0] == 2


def test_many_keys_with_collisions_in_a_small_table():
    rng, table, times = np.random.default_rng(3), np.zeros(64, np.int64), defaultdict(int)
    keys = rng.integers(0, 1 << 61, 40) // 8 * 8
    for _ in range(300):
        one = int(keys[rng.integers(len(keys))])
        assert visit(one, table) == min(times[one], 7)
        times[one] += 1
    assert table[0] == len(times)


def test_a_full_table_starts_anew():
    table = np.zeros(64, np.int64)
    for k in range(0, 200 * 8, 8):
        assert visit(k * 1000003, table) == 0
        full = table[0] > 0.7 * 64
        assert visit(k * 1000003, table) == (0 if full else 1)
        assert table[0] <= 0.7 * 64 + 1


def test_the_largest_key():
    table = new_table()
    for one in (0, 0x3FFFFFFFFFFFFFFF, 0x3FFFFFFFFFFFFFF0, 8):
        assert [visit(one, table) for _ in range(3)] == [0, 1, 2]
