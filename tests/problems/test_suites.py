"""What every problem of every suite keeps, and finding them by name."""

import subprocess
import sys

import numpy as np
import pytest

from srlib import problems

SIZES = {"empirical": 10, "gmeql": 8, "eql": 12, "eqldiv": 5, "nguyen": 12, "feynman": 65, "meta": 21}
ROWS = {"gmeql": 300, "eql": 256, "eqldiv": 10_000, "nguyen": 20, "feynman": 200, "meta": 20}


def test_the_suites_are_complete():
    assert {suite: len(problems.names(suite)) for suite in problems.suites()} == SIZES
    assert len(set(problems.names())) == len(problems.names()) == sum(SIZES.values())


@pytest.mark.parametrize("suite", SIZES)
def test_every_problem_of_a_suite_is_sound(suite):
    for problem in problems.suite(suite):
        assert problem.suite == suite and problem.name in problems.names(suite)
        rows, features = problem.X.shape
        assert problem.y.shape == (rows,) and features == len(problem.names)
        assert rows == ROWS.get(suite, rows)
        assert np.isfinite(problem.X).all() and np.isfinite(problem.y).all()
        assert problem.title and problem.source and problem.licence and problem.noise
        assert set(problem.truth.features) <= set(range(features))
        truth = problem.truth.evaluate(problem.X)
        assert np.isfinite(truth).all()
        if problem.noise_free:
            assert np.array_equal(truth, problem.y)
        else:
            assert 0 < np.std(truth - problem.y) < 0.6 * np.std(problem.y)


def test_columns_without_influence_are_only_the_published_one():
    idle = [p.name for s in SIZES for p in problems.suite(s) if len(p.truth.features) < len(p.names)]
    assert idle == ["b8", "motion2"]  # the paper draws b8 from (1, 20)^3; motion2 is the constant 0.5


@pytest.mark.parametrize("suite", SIZES)
def test_the_extrapolation_domain_holds_the_domain_and_more(suite):
    for problem in problems.suite(suite):
        wider = False
        for name, (low, high, _) in problem.domain.items():
            wide_low, wide_high, _ = problem.extrapolation[name]
            assert wide_low <= low and wide_high >= high, (problem.name, name)
            wider |= (wide_low, wide_high) != (low, high)
        assert wider
        assert np.isfinite(problem.truth.evaluate(problem.points(64, "extrapolation"))).all()


def test_published_ranges():
    assert problems.load("b8").domain == {name: (1, 20, "linear") for name in ("x1", "x2", "x3")}
    assert problems.load("b5").domain == {name: (0, 10, "linear") for name in ("x1", "x2")}
    assert problems.load("eql-7").extrapolation == {name: (-2, 2, "linear") for name in ("x", "y")}
    assert problems.load("nguyen-7").domain == {"x": (0, 2, "linear")}
    assert problems.load("nguyen-8").domain == {"x": (0, 4, "linear")}


# the formulas as numpy writes them, independent of the tables
ORACLES = {
    "b1": lambda x, y, z: 0.8 * x**3 + 0.9 * y**2 + 1.2 * z,
    "b2": lambda x, y, z: 0.8 * z**4 + 0.8 * x**3 + 1.2 * y**2 + 1.4 * z,
    "b3": lambda x, y, z: 0.8 * z**5 + 1.2 * y**4 + 1.2 * x**3 + 0.9 * y**2 + 1.1 * z,
    "b4": lambda x, y, z: 1.1 * x**6 + 0.8 * y**5 + 0.9 * z**4 + 1.3 * x**3 + 1.2 * y**2 + 0.9 * z,
    "b5": lambda x, y: 1.5 * np.sin(x) + 1.3 * np.sin(y),
    "b6": lambda x, y: 1.2 * np.sin(1.1 * x) * np.cos(0.9 * y),
    "b7": lambda x, y, z: 1.1 * x + 0.9 * y + 2.1 * x * y * np.cos(1.2 * z),
    "b8": lambda x, y, z: np.sqrt(1.3 + 1.2 * y / x),
    "eql-4": lambda x: np.sin(2 * np.pi * x),
    "eql-7": lambda x, y: np.sin(2 * np.pi * x) + np.sin(4 * np.pi * y),
    "eql-8": lambda x, y, z: 0.5 * x * y + 0.5 * z,
    "eql-9": lambda x, y, z: x**2 + y - 2 * z,
    "eql-10": lambda x: np.exp(-(x**2)),
    "eql-11": lambda x: 1 / (1 + np.exp(-10 * x)),
    "eql-12": lambda x, y: x**2 + np.sin(2 * np.pi * y),
    "nguyen-4": lambda x: x**6 + x**5 + x**4 + x**3 + x**2 + x,
    "nguyen-5": lambda x: np.sin(x**2) * np.cos(x) - 1,
    "nguyen-6": lambda x: np.sin(x) + np.sin(x + x**2),
    "nguyen-7": lambda x: np.log(x + 1) + np.log(x**2 + 1),
    "nguyen-9": lambda x, y: np.sin(x) + np.sin(y**2),
    "nguyen-10": lambda x, y: 2 * np.sin(x) * np.cos(y),
    "nguyen-11": lambda x, y: x**y,
    "nguyen-12": lambda x, y: x**4 - x**3 + y**2 / 2 - y,
    "gaussian1": lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
    "f1": lambda x: x * np.sin(x) - 3,
    "f2": lambda x: x**2 + 3 * x + 1,
    "wave3": lambda x: 0.5 * np.exp(-x) * np.sin(0.5 * np.pi * x + 0.35 * np.pi),
    "motion4": lambda x: -(x + 1) * (x - 1),
    "motion6": lambda x: (x - 0.5) * x * (x + 1.2),
    "opening": lambda x: np.exp(-x) * x**3 * np.cos(x) * np.sin(x) * (np.cos(x) * np.sin(x) ** 2 - 1),
    "I.29.16": lambda a, b, s, t: np.sqrt(a**2 + b**2 + 2 * a * b * np.cos(s - t)),
    "I.44.4": lambda n, kB, T, V1, V2: n * kB * T * np.log(V2 / V1),
    "III.10.19": lambda mu, x, y, z: mu * np.sqrt(x**2 + y**2 + z**2),
    "III.4.33": lambda h, w, kB, T: (h * w / 2 / np.pi) / np.expm1(h * w / 2 / np.pi / (kB * T)),
    "I.41.16": lambda w, T, h, kB, c: (h / 2 / np.pi) * w**3
    / (np.pi**2 * c**2 * np.expm1(h / 2 / np.pi * w / (kB * T))),
}  # fmt: skip


@pytest.mark.parametrize("name", ORACLES)
def test_formulas_are_the_published_ones(name):
    problem = problems.load(name)
    np.testing.assert_allclose(problem.y, ORACLES[name](*problem.X.T), rtol=1e-12, atol=1e-14)


def test_noise_of_the_eql_div_problems_is_the_published_one():
    for problem in problems.suite("eqldiv"):
        assert np.std(problem.y - problem.truth.evaluate(problem.X)) == pytest.approx(0.01, rel=0.03)


def test_generated_data_never_change():
    assert problems.load("b1").X[0] == pytest.approx(PINNED["b1"], rel=1e-12)
    assert problems.load("I.12.2").X[0] == pytest.approx(PINNED["I.12.2"], rel=1e-12)


PINNED = {
    "b1": [0.15766477625414987, 1.4785372280884221, 0.11832928731898695],
    "I.12.2": [2.44774774875516, 4.220670591375791, 1.0476516731439713, 2.992285045126182],
}


def test_names_may_be_written_loosely():
    assert problems.load("Ideal-Gas").name == "ideal_gas"
    assert problems.load("NGUYEN_7").name == "nguyen-7"


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("huble", "hubble"), ("keppler", "kepler"), ("nguyen13", "nguyen-1"), ("I.12.22", "I.12.2")]
)
def test_an_unknown_name_is_answered_by_the_nearest(wrong, nearest):
    with pytest.raises(ValueError, match=f"unknown problem '{wrong}': did you mean .*'{nearest}'"):
        problems.load(wrong)


def test_unknown_suites_and_hopeless_names():
    with pytest.raises(ValueError, match="unknown suite 'empircal': did you mean 'empirical'"):
        problems.suite("empircal")
    with pytest.raises(ValueError, match="unknown suite 'feyman': did you mean 'feynman'"):
        problems.names("feyman")
    with pytest.raises(ValueError, match=r"unknown problem 42: no name is close.*names\(\)"):
        problems.load(42)


def test_importing_problems_loads_nothing_heavy():
    heavy = "{'torch', 'matplotlib', 'sympy', 'pandas', 'sklearn', 'numba'}"
    code = f"import sys, srlib.problems, srlib.metrics; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
