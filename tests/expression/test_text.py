import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srlib import Expression
from tests.strategies import expressions

NAMES = ["x1", "col name", "lambda", "a`b", "µ", "ﬁ", "pi", "2nd", "sin", "α_β", "'; --", "_", "e", "\n"]


@settings(max_examples=700, deadline=None)
@given(expressions(tokens=20))
def test_text_reads_back_exactly(e):
    again = Expression.parse(str(e))
    assert again == e and np.array_equal(np.signbit(again.values), np.signbit(e.values))


@settings(max_examples=250, deadline=None)
@given(expressions(features=len(NAMES), names=NAMES))
def test_text_with_odd_names_reads_back_exactly(e):
    again = Expression.parse(str(e), names=NAMES)
    assert again == e and str(again) == str(e)


@settings(max_examples=150, deadline=None)
@given(expressions(names=["n", "ü", "x y"]), st.lists(st.text(min_size=1), min_size=3, max_size=3, unique=True))
def test_any_text_can_be_a_name(e, names):
    e = e.with_names(names)
    assert Expression.parse(str(e), names=names) == e


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x0-(x1-x2)", "x0 - (x1 - x2)"),
        ("(x0-x1)-x2", "x0 - x1 - x2"),
        ("x0/(x1*x2)", "x0/(x1*x2)"),
        ("(x0**x1)**x2", "(x0**x1)**x2"),
        ("x0^x1^x2", "x0**(x1**x2)"),
        ("-x0**2", "-x0**2"),
        ("(-x0)**2", "(-x0)**2"),
        ("(-2)**x0", "(-2)**x0"),
        ("-2**x0", "-2**x0"),
        ("- -2", "-(-2)"),
        ("neg(2)", "neg(2)"),
        ("x0**-2", "x0**(-2)"),
        ("x0 - -2", "x0 - -2"),
        ("+x0", "x0"),
        ("min(x0, x1, 3)", "min(min(x0, x1), 3)"),
        ("1e3 + 1.50 + 1e22 + 1e-7", "1000 + 1.5 + 1e+22 + 1e-07"),
        ("arcsin(ln(x0))", "asin(log(x0))"),
        ("-(x0 + 1)*2", "-(x0 + 1)*2"),
    ],
)
def test_as_few_brackets_as_the_structure_allows(text, written):
    assert str(Expression.parse(text)) == written
    assert Expression.parse(written) == Expression.parse(text)


def test_format_rounds():
    e = Expression.parse("3.14159265*x0 + 6.67430e-11 + 299792458")
    assert e.format() == "3.142*x0 + 6.674e-11 + 2.998e+08" and e.format(precision=2) == "3.1*x0 + 6.7e-11 + 3e+08"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x0 + -2", "x0 - 2"),
        ("x0 - -2*x1", "x0 + 2*x1"),
        ("x0 + -(x1 - 3)", "x0 - (x1 - 3)"),
        ("x0 + -x1**2/x0", "x0 - x1**2/x0"),
        ("(x0 + -2)*-3", "(x0 - 2)*-3"),
    ],
)
def test_people_see_no_double_signs(text, written):
    expression = Expression.parse(text)
    assert expression.format() == written
    X = np.random.default_rng(0).normal(size=(20, 2))
    assert Expression.parse(written).evaluate(X) == pytest.approx(expression.evaluate(X))
