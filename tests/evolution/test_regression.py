"""The regression phase: laws come out, in the user's operators only, the same at each run, and it stops when told."""

import numpy as np
import pytest

from srlib import problems, recovers
from srlib.evolution.regression import regression_phase
from srlib.expression import Expression
from srlib.operators import builtin, find


def alphabet(names):
    return [find(name, arity=2) for name in "+-*/"] + [find(name) for name in names.split()]


def draw(law, *ranges, rows=200, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.uniform(low, high, rows) for low, high in ranges])
    y = law(*X.T)
    return X, y + noise * np.std(y) * rng.standard_normal(rows)


def search(X, y, operators, maxsize=30, until=None, **options):
    """The reported formulas; the search is stopped once `until` holds for one."""
    found, hit = [], []

    def report(expression):
        found.append(expression)
        if until is not None and until(expression):
            hit.append(expression)

    options = {"sample_weight": None, **options}
    terms = regression_phase(
        X, y, operators=operators, maxsize=maxsize, report=report, should_stop=lambda: bool(hit), **options
    )
    return found, terms


def exact(X, y):
    sd = np.std(y)
    return lambda e: bool(np.sqrt(np.mean((e.evaluate(X) - y) ** 2)) < 1e-6 * sd)


LAWS = {
    "sum of powers": (lambda x, y: 0.7 * x**4 + 1.3 * y**3 - 2.1 * x * y + 0.4, [(0, 2), (-1, 2)], ""),
    "power law": (lambda x, y, z: 0.3 * x * np.sqrt(y) / z**2, [(1, 5), (1, 5), (1, 5)], "sqrt"),
    "under a root": (lambda x, y: np.sqrt(1.7 * x + 0.6 * y * y), [(0, 3), (0, 3)], "sqrt"),
    "inside a logarithm": (lambda x, y: np.log(2.5 * x + np.sin(y)), [(1, 3), (0, 3)], "log sin"),
    "product of functions": (lambda x, y: np.exp(-x) * np.cos(y * y) + 3, [(0, 2), (0, 2)], "exp cos"),
    "quotient of sums": (lambda x, y, z: (x + y) / (1 + x * y / z**2), [(1, 5), (1, 5), (1, 5)], ""),
    "two frequencies": (lambda x, y: 1.4 * np.sin(1.3 * x) * np.cos(0.7 * y), [(0, 8), (0, 8)], "sin cos"),
    "wave with phase": (lambda x, y: np.sin(5.3 * x + 0.4) + 0.5 * y, [(-1, 1), (-1, 1)], "sin"),
    "factor and saturation": (lambda x, y, z: x / (np.exp(0.6 * y / z) - 1), [(1, 5), (1, 5), (1, 5)], "exp"),
}


@pytest.mark.parametrize("name", LAWS)
def test_law(name):
    law, ranges, names = LAWS[name]
    X, y = draw(law, *ranges, rows=80)
    fresh = draw(law, *ranges, seed=1)
    found, _ = search(X, y, alphabet(names), until=exact(*fresh))
    assert exact(*fresh)(found[-1]), f"of {len(found)} formulas the last is {found[-1]}"


def test_planck_from_noisy_data():
    problem = problems.load("planck")
    scale = 2.0 ** np.round(np.log2(np.median(problem.X, axis=0)))
    operators = alphabet("exp log sqrt square")

    def recovered(e):  # Wien's limit, which lacks a term, has 15 nodes
        return e.size > 17 and recovers(lambda X: e.evaluate(X / scale), problem).verdict == "recovered"

    found, _ = search(problem.X / scale, problem.y, operators, until=recovered)
    assert recovered(found[-1])


def test_form_on_noisy_data():
    X, y = draw(lambda x, y: 2 * x / y**2, (1, 5), (1, 5), noise=0.1)
    laws = {tuple(Expression.parse(text).codes) for text in ("2*x0/square(x1)", "2*(x0/square(x1))")}
    found, _ = search(X, y, alphabet("sqrt square"), until=lambda e: tuple(e.codes) in laws)
    assert tuple(found[-1].codes) in laws
    assert found[-1].constants == pytest.approx([2], rel=0.05)


def test_only_the_operators_given():
    X, y = draw(lambda x, y: np.sin(x) * y + x**2, (0, 3), (0, 3), rows=30)
    for names in (["sin"], ["+", "sin"], ["*", "sin"], ["-", "/", "exp"]):
        operators = [find(name, arity=2 if name in "+-*/" else None) for name in names]
        found, terms = search(X, y, operators, effort=0.2)
        used = {code for e in [*found, *terms] for code in e.codes[e.codes > 0].tolist()}
        assert used <= {operator.code for operator in operators}


def test_sizes_and_values():
    X, y = draw(lambda x, y: 1 / (x + np.exp(y)), (-1, 1), (0, 3))
    found, terms = search(X, y, alphabet("exp log"), maxsize=9)
    assert found and max(e.size for e in found) <= 9
    assert all(np.isfinite(e.evaluate(X)).all() for e in found)
    assert len(terms) <= 30


def test_a_defined_operator_takes_part():
    special = Expression.operator("special(a, b) = cos(a)*(a + b)")
    X, y = draw(lambda x, y: 1.5 * np.cos(x) * (x + y) - 0.3, (0, 3), (0, 3))
    found, _ = search(X, y, [*alphabet(""), special], until=exact(X, y))
    assert exact(X, y)(found[-1]) and special.code in found[-1].codes


def test_the_same_at_each_run():
    X, y = draw(lambda x, y: np.log(x) + np.sin(x * y), (1, 3), (0, 3), noise=0.05, rows=40)

    def run():
        found, calls = [], iter(range(600))
        stop = lambda: next(calls, None) is None  # noqa: E731
        return found, regression_phase(X, y, None, alphabet("log sin"), 20, found.append, stop)

    first, second = run(), run()
    assert first == second and len(first[0]) > 10


def test_stops_when_told():
    X, y = draw(lambda x, y: np.cos(x * np.exp(np.sin(y))) / (x + 2), (1, 3), (0, 3))
    calls = [0]

    def stop():
        calls[0] += 1
        return True

    found = []
    regression_phase(X, y, None, alphabet("sin cos exp"), 30, found.append, stop)
    assert len(found) <= 2 and calls[0] <= 30


def test_weights_switch_rows_off():
    X, y = draw(lambda x: 3 * x**2 + 1, (0, 2))
    broken = y.copy()
    broken[::3] += 5
    weight = np.where(np.arange(len(y)) % 3 == 0, 0.0, 2.0)
    found, _ = search(X, broken, alphabet("square"), sample_weight=weight, until=exact(X, y))
    assert exact(X, y)(found[-1])


def test_any_alphabet():
    X, y = draw(lambda x, y: x * x + np.sin(3 * y), (0, 2), (-1, 1), noise=0.05, rows=15)
    everything = builtin()
    rng = np.random.default_rng(0)
    for _ in range(8):
        operators = [everything[i] for i in rng.choice(len(everything), size=4, replace=False)]
        found, _ = search(X, y, operators, maxsize=12, effort=0.1)
        used = {code for e in found for code in e.codes[e.codes > 0].tolist()}
        assert used <= {operator.code for operator in operators}


@pytest.mark.parametrize(
    "X, y",
    [
        (np.ones((5, 2)), np.arange(5.0)),  # no feature varies
        (np.arange(8.0).reshape(4, 2), np.ones(4)),  # nor the target
        (np.array([[1.0]]), np.array([2.0])),
        (np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 2.0, 5.0])),
        (np.array([[1e150], [-1e150], [3e149], [0.0]]), np.array([1e300, -1e300, 3e299, 0.0])),
    ],
)
def test_odd_tables(X, y):
    found, _ = search(X, y, alphabet("exp log sqrt sin"))
    assert all(np.isfinite(e.evaluate(X)).all() for e in found)


def test_many_rows_and_features():
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 3, (100_000, 60))
    y = 2 * X[:, 41] * X[:, 7] + np.sqrt(X[:, 30])
    found, _ = search(X, y, alphabet("sqrt"), until=exact(X[:1000], y[:1000]))
    assert exact(X[:1000], y[:1000])(found[-1])
