"""The reproduce set of physics-informed networks: its measurements, on cases whose answers are known."""

import numpy as np
import pytest

pytest.importorskip("torch")

from srlib.distill.pinn import cole_hopf  # noqa: E402
from srlib.reproduce.pinn import PARTS, medians, successes  # noqa: E402
from srlib.reproduce.pinn_burgers import SETTINGS, BurgersRow, relative_error  # noqa: E402
from srlib.reproduce.pinn_shock import NU, TIMES, front  # noqa: E402
from srlib.reproduce.pinn_students import NOISES, toy_student  # noqa: E402


def test_jobs_are_those_of_the_tables():
    assert list(PARTS["toy"].jobs(2, None)) == [(noise, seed) for noise in NOISES for seed in (0, 1)]
    assert list(PARTS["shock"].jobs(1, None)) == [(at, 0) for at in TIMES]
    assert len(list(PARTS["lab"].jobs(3, None))) == 3 * (len(SETTINGS) - 1)
    assert list(PARTS["burgers"].jobs(5, None)) == [("raissi", seed) for seed in range(5)]


@pytest.mark.parametrize("at", TIMES)
def test_the_shock_of_the_exact_solution_has_the_width_of_theory(at):
    x = np.linspace(-0.05, 0.05, 401)
    (A, k, c, x0), left = front(x, cole_hopf(np.stack([x, np.full(401, at)], axis=1)))
    assert k / (A / (2 * NU)) == pytest.approx(1, abs=0.005) and abs(x0) < 1e-9 and c > 0 and left < 1e-2 * A


def test_the_fit_of_a_front_finds_its_numbers():
    x = np.linspace(-0.05, 0.05, 201)
    (A, k, c, x0), left = front(x, -0.7 * np.tanh(90 * (x - 0.001)) + 0.4 * (x - 0.001))
    np.testing.assert_allclose([A, k, c, x0], [0.7, 90, 0.4, 0.001], rtol=1e-6)
    assert left < 1e-9


def test_the_relative_error_is_that_of_the_published_grid():
    assert relative_error(cole_hopf) < 1e-15
    assert relative_error(lambda X: 1.01 * cole_hopf(X)) == pytest.approx(0.01)


def test_the_toys_formula_is_chosen_by_the_equation():
    row = toy_student(0.05, 0)
    assert row.physics == "recovered" and row.holds and row.residual < 1e-6 and row.teacher < 1e-3


def test_summaries():
    import pandas as pd

    errors = enumerate((1, 3, 9))
    rows = [BurgersRow("lab", seed, 1, 1, 1, error, 0, 0, 10, 10, 1, 1, "completed") for seed, error in errors]
    table = medians(pd.DataFrame(map(vars, rows)))
    assert table.loc["lab", "error"] == 3 and table.loc["lab", "worst"] == 9 and table.loc["lab", "seeds"] == 3
    toys = pd.DataFrame({
        "noise": [0.0, 0.0], "seed": [0, 1], "fit": ["no", "recovered"], "front": [True, True],
        "physics": ["recovered"] * 2, "residual": [1e-9, 3e-9], "cpu": [1.0, 2.0],
    })  # fmt: skip
    assert successes(toys).loc[0.0, ["fit", "front", "physics", "seeds"]].tolist() == [1, 2, 2, 2]
