import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings

from srlib import Expression
from srlib.operators import builtin
from tests.strategies import FINITE, MODEST, expressions

X = np.random.default_rng(1).uniform(0.2, 1.8, (12, 3))


def agree(first, second, atol=1e-7):
    """Whether two formulas have the same values wherever both have one that rounding does not govern."""
    a, b = first.evaluate(X), second.evaluate(X)
    with np.errstate(all="ignore"):
        shifts = 1 + 1e-9, 1 - 1e-9
        doubt = sum(np.abs(first.evaluate(X * s) - a) + np.abs(second.evaluate(X * s) - b) for s in shifts)  # (rows,)
        judged = np.isfinite(a) & np.isfinite(b) & np.isfinite(doubt) & (doubt < 1e-4 * (1 + np.abs(a)))
        return bool((np.abs(a - b) <= atol * (1 + np.abs(a)) + 100 * doubt)[judged].all())


@settings(max_examples=150, deadline=None)
@given(expressions(constants=MODEST, tokens=10))
def test_sympy_and_back_keeps_the_values(e):
    symbolic = e.sympy()
    try:
        again = Expression.from_sympy(symbolic)
    except ValueError as error:  # part of it has no value at all
        assert "not a finite real number" in str(error) or "not in the alphabet" in str(error)
        assume(False)
    assert agree(e, again), (str(e), str(again))


@settings(max_examples=150, deadline=None)
@given(expressions(operators=[o for o in builtin() if o.name not in ("pow", "tan")], constants=FINITE, tokens=10))
def test_sympy_and_latex_come_to_an_end(e):
    e.sympy()
    text = e.latex()
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


@pytest.mark.parametrize("text", [
    "9**9**9", "(2*x0)**1e9", "(12345*x0)**999", "exp(exp(exp(99.5)))", "max(exp(exp(exp(99))), x0)",
    "cube(cube(cube(cube(cube(cube(cube(7*x0)))))))",
])  # fmt: skip
def test_huge_numbers_come_to_an_end(text):
    assert len(str(Expression.parse(text).sympy())) < 1000


@pytest.mark.parametrize("text", [
    "1/0", "log(0)", "sqrt(-2)*x0", "(-8)**(1/3)", "min(sqrt(-1), x0)", "0**-1", "acosh(0.5)", "exp(1000)", "atanh(1)",
    "1/(x0 - x0)", "step(log(-1))",
])  # fmt: skip
def test_no_real_value_is_nan(text):
    e = Expression.parse(text)
    assert e.sympy() is sympy.nan and e.latex() == r"\text{NaN}"
    with pytest.raises(ValueError, match="the constant nan is not a finite real number"):
        Expression.from_sympy(e.sympy())


def test_symbols_are_plain():
    e = Expression.parse("v**2/d", names=["d", "v"])
    assert e.sympy() == sympy.Symbol("v") ** 2 / sympy.Symbol("d")
    assert e.sympy().subs({"v": 3, "d": 2}) == sympy.Rational(9, 2)
    assert str(Expression.parse("0.1*x0 + 3").sympy()) == "0.1*x0 + 3"


@pytest.mark.parametrize(
    ("symbolic", "text"),
    [
        ("x0**2/3 + sqrt(x1)", "x0**2/3 + sqrt(x1)"),
        ("x0 - 2*x1", "x0 - 2*x1"),
        ("1/x0", "1/x0"),
        ("-x0", "-x0"),
        ("exp(-x0)*x1", "x1*exp(-x0)"),
        ("x0**x1", "x0**x1"),
        ("Max(x0, x1, 2)", "max(max(2, x0), x1)"),
        ("Heaviside(x0)", "step(x0)"),
        ("pi*x0", "3.141592653589793*x0"),
        ("log(x0, 10)", "log(x0)/2.302585092994046"),
    ],
)
def test_sympy_reads_well(symbolic, text):
    got = Expression.from_sympy(sympy.sympify(symbolic))
    assert agree(got, Expression.parse(text)) and got.size <= Expression.parse(text).size + 2


@pytest.mark.parametrize(
    ("symbolic", "names", "message"),
    [
        (sympy.Symbol("y"), None, "the symbol 'y' is no feature"),
        (sympy.Symbol("tim"), ["time"], "did you mean 'time'"),
        (sympy.zeta(sympy.Symbol("x0")), None, "zeta in zeta.x0. is not in the alphabet"),
        (sympy.I, None, "not in the alphabet|not a finite real"),
        (sympy.oo, None, "not a finite real number"),
        ([1], None, "is no sympy expression"),
        ("x0", None, "'x0' is a text: read it by Expression.parse"),
    ],
)
def test_what_is_no_formula_is_refused(symbolic, names, message):
    with pytest.raises(ValueError, match=message):
        Expression.from_sympy(symbolic, names)


@pytest.mark.parametrize(
    ("text", "names", "latex"),
    [
        ("6.6743e-11*m1*m2/r**2", ["m1", "m2", "r"], r"\frac{6.674 \cdot 10^{-11} m_{1} m_{2}}{r^{2}}"),
        ("365.25*x0", None, "365.2 x_{0}"),
        ("1e22*x0", None, "10^{22} x_{0}"),
        ("-1e22*x0", None, "- 10^{22} x_{0}"),
        ("299792458*x0 + 2", None, r"2.998 \cdot 10^{8} x_{0} + 2"),
        ("x0**1.999999999", None, "x_{0}^{2}"),
        ("omega_0 + Delta_T", ["omega_0", "Delta_T"], r"\Delta_{T} + \omega_{0}"),
        ("`wind speed`*mass", ["wind speed", "mass"], r"\mathrm{mass} \, \mathrm{wind\ speed}"),
        ("`50%`*lambda_max", ["50%", "lambda_max"], r"\mathrm{50\%} \, \lambda_{\mathrm{max}}"),
        ("1.5e-7**x0", None, r"\left(1.5 \cdot 10^{-7}\right)^{x_{0}}"),
        ("step(x0)", None, r"\operatorname{step}{\left(x_{0}\right)}"),
        ("sqrt(x0)/2", None, r"\frac{\sqrt{x_{0}}}{2}"),
    ],
)
def test_latex_of_data(text, names, latex):
    assert Expression.parse(text, names=names).latex() == latex


def test_latex_precision():
    e = Expression.parse("3.14159*x0")
    assert e.latex(precision=2) == "3.1 x_{0}" and e._repr_latex_() == "$3.142 x_{0}$"
    with pytest.raises(ValueError, match="precision is 0"):
        e.latex(precision=0)
