"""The data of EmpiricalBench are the published ones, row by row."""

from importlib.resources import files

import numpy as np
import pytest

from srlib import problems

# first row of X, first and last y: from the benchmark's own generator (src/scripts/benchmark.py, pysr_paper b306874),
# which computes in multiple precision
FIRST_ROWS = {
    "hubble": (32, [0.03235071513128529], -17.679365017757164, 526.3249820489431),
    "kepler": (6, [0.389], 87.77, 10759.2),
    "newton": (30, [3834478410644.7314, 1.2097421716408091e27, 9.34279173285389e27], 45.455219251963264,
               34.459028112328475),
    "planck": (100, [5412767938301516.0, 3881.094715075921], -73.03691702272278, -19.558990071771568),
    "leavitt": (26, [1.275015861499829], 14.799304326506846, 11.219865002566637),
    "schechter": (27, [345480919.47919995], -27.40629656421129, -27.351537413371442),
    "bode": (8, [-1000.0], -0.941608539858445, 2.9559514035421466),
    "ideal_gas": (30, [26.860298512589043, 333.3080245622314, 53.25520445058058], 7.1690174604683055,
                  8.323636130300063),
    "rydberg": (50, [4.0, 5.0], -12.414660324444384, -15.917074952897318),
    "tully": (18, [109.84382150917187], 1.31431533225695e33, 8.937053038555592e34),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST_ROWS)
def test_rows_are_the_published_ones(name):
    problem = problems.load(name)
    rows, x, first, last = FIRST_ROWS[name]
    assert len(problem.y) == rows
    np.testing.assert_allclose(problem.X[0], x, rtol=1e-13)
    np.testing.assert_allclose(problem.y[[0, -1]], [first, last], rtol=1e-12)


# the constant that PySR's published front has at complexity 1: under its loss, the mean absolute error, a median of y
PUBLISHED_MEDIANS = {
    "kepler": 582.1133875154655, "newton": 45.51253900920172, "planck": -35.86815755728216,
    "leavitt": 14.10919731832774, "schechter": -23.81983423321313, "bode": 0.5146357131362332,
    "ideal_gas": 7.73950761912842, "rydberg": -13.190069758129287, "hubble": 419.8762955670547,
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED_MEDIANS)
def test_published_constant_fits_are_medians_of_our_targets(name):
    y = np.sort(problems.load(name).y)
    low, high = y[(len(y) - 1) // 2], y[len(y) // 2]  # equal where the number of rows is odd
    assert low * (1 - 1e-12 * np.sign(low)) <= PUBLISHED_MEDIANS[name] <= high * (1 + 1e-12 * np.sign(high))


@pytest.mark.parametrize("name", ["newton", "planck", "schechter", "bode", "ideal_gas", "rydberg"])
def test_targets_that_span_decades_are_natural_logarithms(name):
    problem = problems.load(name)
    assert problem.target_transform == "log"
    assert f"log {problem.target}" in repr(problem)


@pytest.mark.parametrize(
    ("name", "level"), [("newton", 0.1), ("planck", 0.1), ("schechter", 0.2), ("ideal_gas", 0.1), ("rydberg", 0.01)]
)
def test_noise_is_of_the_published_size(name, level):
    problem = problems.load(name)
    noise = np.expm1(problem.y - problem.truth.evaluate(problem.X))
    assert np.std(noise) == pytest.approx(level, rel=0.4)


def test_planck_overflows_in_the_published_form_but_not_in_ours():
    planck = problems.load("planck")
    nu, T = planck.X.T
    with np.errstate(over="ignore"):
        published = -np.log(np.exp(planck.parameters["k1"] * nu / T) - 1)
    assert np.isinf(published).sum() == 4  # so no search in float64 can find it there
    assert np.isfinite(planck.truth.evaluate(planck.X)).all()


def test_rydberg_has_transitions_only():
    n1, n2 = problems.load("rydberg").X.T
    assert set(n1) <= set(range(1, 7)) and set(n2) <= set(range(2, 8)) and (n2 > n1).all()


def test_fitted_constants_are_least_squares():
    hubble = problems.load("hubble")
    D = hubble.X[:, 0]
    assert hubble.parameters["k"] == pytest.approx(np.sum(D * hubble.y) / np.sum(D**2))
    leavitt = problems.load("leavitt")
    slope, intercept = np.polyfit(np.log10(leavitt.X[:, 0]), leavitt.y, 1)
    assert list(leavitt.parameters.values()) == pytest.approx([intercept, slope])


def test_data_come_with_their_licence():
    licence = files("srlib.problems").joinpath("data", "LICENSE.txt").read_text()
    assert "MIT License" in licence and "Miles" in licence
    for problem in problems.suite("empirical"):
        assert problem.licence.startswith("MIT") and "2305.01582" in problem.source and problem.law
