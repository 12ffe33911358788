"""The loss in the end: constants under any loss against exact solutions, and what a stop and a budget do."""

import time

import numpy as np
import pytest
from scipy.special import huber
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss

from srlib import EvolutionRegressor, Expression
from srlib.constants import refit
from srlib.evolution.objective import Objective, minimize_loss
from srlib.evolution.prepare import read_loss

rng = np.random.default_rng(0)
ROWS = 300
TABLE = rng.uniform(-1, 1, (3, ROWS))  # (features, rows)
NOISE = 0.3 * rng.standard_t(2, ROWS)
SUM = Expression.parse("1.9*x0 + 0.8*x1 + 0.4*x2 + 0.2")
WAVE = Expression.parse("1.8*sin(2.9*x0 + 0.1) + 0.9*exp(0.8*x1)")


def steep(prediction, target):
    return np.cosh(prediction - target) - 1


def objective(loss, y, weight=None):
    return Objective(TABLE, y, weight, read_loss(loss))


@pytest.mark.parametrize("quantile", [0.5, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_quantiles_of_a_sum_are_those_of_a_linear_programme(quantile, weighted):
    y = 2 * TABLE[0] + TABLE[1] + 1 + NOISE
    weight = rng.uniform(0.5, 2, ROWS) if weighted else None
    judge = objective(f"quantile({quantile})", y, weight)
    found = minimize_loss(refit(SUM, TABLE, y), judge)
    oracle = QuantileRegressor(quantile=quantile, alpha=0).fit(TABLE.T, y, weight).predict(TABLE.T)
    least = mean_pinball_loss(y, oracle, alpha=quantile, sample_weight=weight)
    assert judge(found) == pytest.approx(least, rel=1e-5) and judge(refit(SUM, TABLE, y)) > 1.01 * least


LOSSES = {
    "absolute": lambda r: np.abs(r),
    "huber(0.1)": lambda r: huber(0.1, r),
    "logcosh": lambda r: np.log(np.cosh(r)),
    steep: lambda r: np.cosh(r) - 1,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_no_step_away_from_the_fitted_constants_lowers_the_loss(loss):
    y = 2 * np.sin(3 * TABLE[0]) + np.exp(TABLE[1]) + 0.3 * NOISE
    judge, plain = objective(loss, y), LOSSES[loss]
    found = minimize_loss(WAVE, judge)
    least = float(np.mean(plain(found.evaluate(TABLE.T) - y)))
    assert judge(found) == pytest.approx(least, rel=1e-9) and least < 0.9 * judge(WAVE)
    steps = np.random.default_rng(1).standard_normal((300, len(found.constants)))
    for step in steps / np.linalg.norm(steps, axis=1)[:, None]:
        for size in (1e-3, 1e-2, 0.1):
            moved = found.with_constants(found.constants + size * step)
            assert np.mean(plain(moved.evaluate(TABLE.T) - y)) > least * (1 - 1e-6)


def test_a_loss_never_rises_and_odd_formulas_come_back_as_they_are():
    y = np.abs(TABLE[0]) + NOISE
    judge = objective("absolute", y)
    for text in ("x0", "log(x0 + 0.5)", "2*3*x0 + 0*x1", "0.5*sqrt(x0 + 1.5)", "exp(700*x0 + 300)", "1/(x0 - 1.2)"):
        start = Expression.parse(text)
        found = minimize_loss(start, judge)
        assert judge(found) <= judge(start) and found.codes.tolist() == start.codes.tolist()
    for text in ("x0", "log(x0 + 0.5)", "exp(700*x0 + 300)"):  # no constant, no value, no finite value
        assert minimize_loss(Expression.parse(text), judge) == Expression.parse(text)


def test_it_ends_in_time_with_the_best_so_far():
    y = 2 * TABLE[0] + TABLE[1] + 1 + NOISE
    wide = Objective(np.tile(TABLE, 300), np.tile(y, 300), None, read_loss("absolute"))
    assert minimize_loss(SUM, wide, until=time.monotonic() - 1) == SUM
    began = time.monotonic()
    soon = minimize_loss(SUM, wide, until=began + 0.05)
    assert wide(soon) <= wide(SUM) and time.monotonic() - began < 30, "generous: it proves that it ends"


LINE = np.linspace(0, 4, 200)[:, None]
SMALL = {
    "niterations": 2, "populations": 2, "population_size": 40, "ncycles_per_iteration": 60, "random_state": 0,
    "regression": False, "maxsize": 7, "binary_operators": ["+", "*"],
}  # fmt: skip


@pytest.mark.parametrize("loss", ["absolute", "quantile(0.8)", steep])
def test_a_front_is_polished_under_its_own_loss(loss, monkeypatch):
    y = 2 * LINE[:, 0] + 1 + 0.5 * np.random.default_rng(3).standard_t(3, 200)
    polished = EvolutionRegressor(**SMALL, elementwise_loss=loss).fit(LINE, y)
    with monkeypatch.context() as patch:
        patch.setattr("srlib.evolution.engine.minimize_loss", lambda one, objective, until: one)
        rough = EvolutionRegressor(**SMALL, elementwise_loss=loss).fit(LINE, y)
    before = {entry.complexity: entry.loss for entry in rough.front_}
    judge = Objective(LINE.T, y, None, read_loss(loss))
    gains = []
    for entry in polished.front_:
        assert entry.loss == pytest.approx(judge(entry.expression), rel=1e-12)
        assert judge(minimize_loss(entry.expression, judge)) == pytest.approx(entry.loss, rel=1e-4), "a minimum"
        if entry.complexity in before:
            gains.append(before[entry.complexity] - entry.loss)
    assert min(gains) >= 0 and max(gains) > 0


def test_a_time_limit_holds_for_the_polish(monkeypatch):
    asked = []

    def noted(expression, objective, until):
        asked.append(until - time.monotonic())
        return expression

    monkeypatch.setattr("srlib.evolution.engine.minimize_loss", noted)
    y = np.abs(LINE[:, 0] - 1.3)
    for limit in ({"max_evaluations": 300}, {"time_limit": 2.0, "niterations": 10**6}):
        EvolutionRegressor(**{**SMALL, **limit}, elementwise_loss="absolute").fit(LINE, y)
        assert asked and all(np.isfinite(asked) == ("time_limit" in limit))
        asked.clear()
