"""Formulas in the equation: solutions pass, near fits do not, constants are refined, and the equation chooses."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from srlib import Expression, ParetoFront  # noqa: E402
from srlib.distill.pinn import (  # noqa: E402
    PHYSICS,
    Condition,
    DifferentialProblem,
    check_physics,
    choose_by_physics,
    heat,
    oscillator,
    refine_constants,
    toy,
)


def formula(text, names=("x",)):
    return Expression.parse(text, names=names)


@pytest.mark.parametrize("name", ["toy", "oscillator", "heat", "wave"])
def test_the_solution_passes_exactly(name):
    problem = PHYSICS[name]()
    check = check_physics(problem, problem.solution)
    assert check.exact and check.holds(1e-12) and check.residual == 0
    assert list(check.table.index) == ["equation", *map(str, problem.conditions)]


def test_a_solution_with_rounded_constants_passes_to_rounding():
    problem = heat()
    check = check_physics(problem, formula("exp(-0.9869604401*t)*sin(3.1415926536*x)", ("x", "t")))
    assert check.holds(1e-9) and not check.holds(1e-14)
    assert check_physics(problem, Expression.parse("exp(-0.9869604401*x1)*sin(3.1415926536*x0)")).holds(1e-9)


def test_a_good_fit_that_is_no_solution_is_told():
    x = np.linspace(-np.pi, np.pi, 201)
    truth = 3 * np.sin(x) - x / 2
    c = np.polynomial.Polynomial.fit(x, truth, 9).convert().coef
    text = " + ".join(f"{value!r}*x**{k}" for k, value in enumerate(c.tolist()))
    near = formula(text.replace("+ -", "- "))
    assert np.abs(near.evaluate(x[:, None]) - truth).max() < 2e-3
    check = check_physics(toy(), near)
    assert not check.exact and check.worst > 1e-4


def test_equation_and_conditions_are_told_apart():
    table = check_physics(heat(), sympy.Integer(0)).table  # nothing is a solution of the equation
    assert table.relative.iloc[0] == 0 and table.rms.iloc[1] == pytest.approx(np.sqrt(0.5), rel=0.05)
    assert not check_physics(heat(), sympy.Integer(0)).holds(0.1)


def test_a_formula_that_is_not_real_everywhere_does_not_hold():
    check = check_physics(toy(), formula("log(x)"))
    assert check.worst == np.inf and not check.holds(1e9)


@given(st.floats(0.7, 1.3), st.floats(0.9, 1.1), st.floats(0.7, 1.3))
@settings(max_examples=8, deadline=None)
def test_constants_are_refined_to_the_solution_without_a_teacher(a, b, c):
    start = formula(f"{3 * a!r}*sin({b!r}*x) - {0.5 * c!r}*x")
    refined = refine_constants(toy(), start)
    np.testing.assert_allclose(np.abs(refined.constants), [3, 1, 0.5], rtol=1e-8)


def test_a_teachers_errors_hardly_matter():
    problem, rng = heat(), np.random.default_rng(0)
    X = rng.uniform(0, 1, (300, 2))
    y = problem.reference(X) + 0.01 * rng.standard_normal(300)
    refined = refine_constants(problem, formula("1.02*exp(-0.95*t)*sin(3.1*x)", ("x", "t")), X, y)
    assert check_physics(problem, refined).worst < 1e-6


def test_a_teacher_holds_what_the_conditions_leave_open():
    x = sympy.Symbol("x")
    u = sympy.Function("u")(x)
    problem = DifferentialProblem("open", u.diff(x, x) + u, u, {"x": (0, 6)}, [Condition(u, {"x": 0})])
    X = np.linspace(0, 6, 50)[:, None]
    refined = refine_constants(problem, formula("2*sin(1.05*x)"), X, 1.7 * np.sin(X[:, 0]))
    np.testing.assert_allclose(refined.constants, [1.7, 1.0], rtol=1e-6)


def test_whole_exponents_stay_and_constants_alone_come_back():
    problem = oscillator()
    refined = refine_constants(problem, formula("1.1 - 4.2*t**2", ("t",)))
    assert refined.constants[-1] == 2.0 and not np.allclose(refined.constants[:2], [1.1, 4.2])
    assert refine_constants(problem, formula("t", ("t",))) == formula("t", ("t",))


def test_the_equation_chooses_the_solution_before_longer_fits():
    front, X = ParetoFront(), np.linspace(-np.pi, np.pi, 100)[:, None]
    y = 3 * np.sin(X[:, 0]) - X[:, 0] / 2 + 1e-3 * np.cos(3 * X[:, 0])  # a teacher with an error
    for text in ("0.0*x", "2.6*sin(1.1*x)", "3.01*sin(x) - 0.49*x", "3.005*sin(x) - 0.501*x + 0.001*cos(3*x)"):
        front.add(formula(text), float(np.mean((formula(text).evaluate(X) - y) ** 2)))
    assert len(front) == 4
    choice = choose_by_physics(toy(), front, X, y)
    assert choice.holds and choice.check.worst < 1e-6 < choice.before.worst
    np.testing.assert_allclose(np.abs(choice.expression.constants), [3, 0.5], rtol=1e-5)
    assert len(choice.tried) == 2  # 0 is far from the teacher; the longest is not looked at


def test_what_is_refused():
    with pytest.raises(ValueError, match="holds 'y', which is no variable"):
        check_physics(toy(), formula("y", ("y",)))
    with pytest.raises(ValueError, match="uses column 1"):
        check_physics(toy(), Expression.parse("x0*x1"))
    with pytest.raises(ValueError, match="give both, or neither"):
        refine_constants(toy(), formula("2*x"), X=np.zeros((2, 1)))
    for X, y in ((np.zeros((3, 2)), np.zeros(3)), (np.zeros((3, 1)), np.zeros(2)), (np.zeros((0, 1)), np.zeros(0))):
        with pytest.raises(ValueError, match=r"X has shape .*: give \(rows, 1\) and \(rows,\)"):
            refine_constants(toy(), formula("2*x"), X, y)
    with pytest.raises(ValueError, match="NaN or infinity"):
        choose_by_physics(toy(), ParetoFront(), np.zeros((2, 1)), np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="teacher is -1"):
        refine_constants(toy(), formula("2*x"), teacher=-1)
    front = ParetoFront()
    front.add(formula("100*x"), 1.0)
    with pytest.raises(ValueError, match="within 30% of the teacher"):
        choose_by_physics(toy(), front, np.array([[1.0], [2.0]]), np.array([1.0, 2.0]))
