"""Lesson 04: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import math
import time
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from srlib.meta import FlatModel, Tasks, WavesAndExponentials, meta_gradient  # noqa: E402
from srlib.teaching.dashboards import lesson04, oscillators, pitfalls  # noqa: E402
from srlib.teaching.exercises import lesson04 as exercises  # noqa: E402
from srlib.teaching.style import blank, to_png  # noqa: E402
from tests.teaching.bank import assert_bank  # noqa: E402

# ---------------------------------------------------------------- the exercises


def adapted(w, x, y, rate):
    return w - rate * 2 * np.mean((w * x - y) * x, axis=1)


def test_exercise_1_adapted(capsys):
    assert_bank(
        "4.1",
        capsys,
        correct=[adapted, lambda w, x, y, r: [w - r * float(np.mean(2 * (w * a - b) * a)) for a, b in zip(x, y)]],  # noqa: B905
        wrong=[
            (lambda w, x, y, r: 2 * w - adapted(w, x, y, r), "gone uphill"),
            (lambda w, x, y, r: adapted(w, x, y, r).mean(), "averaged over the tasks"),
            (lambda w, x, y, r: adapted(w, x, y, r) - w, "From where?"),
            (lambda w, x, y, r: adapted(w, x, y, 1.0), "does not know of the rate"),
            (lambda w, x, y, r: adapted(w, x, y, r)[:, None], "in the shape"),
            (lambda w, x, y, r: "w", "returns 'w'"),
            (lambda w, x, y, r: w + 0 * x[:, 0], "should come to"),
        ],
        almost=[
            (lambda w, x, y, r: adapted(w, x, y, r / 2), "has a 2"),
            (lambda w, x, y, r: adapted(w, x, y, r * x.shape[1]), "not a sum"),
        ],
    )


def slope(w, x, y, xq, yq, rate, *, factor=1.0, new=None, average=np.mean, other=None):
    at = (adapted(w, x, y, rate) if new is None else np.full(len(x), new))[:, None]
    h = 2 * np.mean((x if other is None else other) ** 2, axis=1)
    return float(average(2 * np.mean((at * xq - yq) * xq, axis=1) * (1 - factor * rate * h)))


def test_exercise_2_meta_gradient(capsys):
    assert_bank(
        "4.2",
        capsys,
        correct=[slope, lambda *case: np.float64(slope(*case)), lambda *case: torch.tensor(slope(*case)).double()],
        wrong=[
            (lambda *case: slope(*case, factor=0), "first-order MAML"),
            (lambda *case: slope(*case, factor=0, new=case[0]), "joint training follows"),
            (lambda *case: slope(*case, new=case[0]), "where the task has arrived"),
            (lambda *case: slope(*case, other=case[3]), "belongs to the support points"),
            (
                lambda w, x, y, xq, yq, r: slope(w, x, y, xq, yq, r, factor=0) * (1 - r * 2 * np.mean(x * x)),
                "multiply first",
            ),
            (lambda *case: 0.0, "you say 0"),
            (lambda *case: [1.0], "a number"),
        ],
        almost=[
            (lambda *case: slope(*case, average=np.sum), "summed over the tasks"),
            (lambda *case: slope(*case, factor=0.5), "twice the mean of x²"),
            (lambda *case: slope(*case, factor=-1), "Look at the sign"),
            (lambda *case: slope(*case) / 2, "has a 2 as well"),
        ],
    )


def test_the_meta_gradient_of_a_line_is_the_library_s():
    x, y, xq, yq = exercises._tasks(5)
    line = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
    tasks = Tasks(*(torch.from_numpy(one)[:, :, None] for one in (x, y, xq, yq)))
    by_theta, *_ = meta_gradient(FlatModel(line), torch.tensor([0.3], dtype=torch.float64), tasks, 0.2)
    assert by_theta.mean().item() == pytest.approx(slope(0.3, x, y, xq, yq, 0.2))
    by_theta, *_ = meta_gradient(FlatModel(line), torch.tensor([0.3], dtype=torch.float64), tasks, 0.2, order=1)
    assert by_theta.mean().item() == pytest.approx(slope(0.3, x, y, xq, yq, 0.2, factor=0))


def test_exercise_3_zero(capsys):
    growth = math.sinh(2) / 2
    inside, outside = 0.25 + growth / 3, 0.25 + 7 / 3 * growth + 2.25
    assert_bank(
        "4.3",
        capsys,
        correct=[(inside, outside), [0.855, 6.75], np.array([inside, outside])],
        wrong=[
            ((2 * inside, outside), "You have added"),
            ((0.5, outside), "waves alone"),
            ((2 / 3 * growth, outside), "exponentials alone"),
            ((0.3, 6.73), "Draw a few thousand"),
            ((inside, 8.56), "with e^x twice"),
            ((inside, 3.0), "between 1 and 2"),
            (1.0, "Give two numbers"),
            ("zero", "Give two numbers"),
        ],
        almost=[((outside, inside), "swapped"), ((inside, 0.25 + 7 / 3 * growth), "mixed term")],
    )


def test_zero_scores_what_the_family_says():
    for family, value in (
        (WavesAndExponentials(), exercises.INSIDE),
        (WavesAndExponentials().out_of_domain(), exercises.OUTSIDE),
    ):
        assert value == pytest.approx(family.zero_error())
        assert family.sample(20_000, seed=1).zero_errors().mean().item() == pytest.approx(value, rel=0.03)


def gain(errors, first=slice(None), sign=1):
    half = errors.shape[1] // 2
    choose, judge = errors[:, :half].mean(axis=1), errors[:, half:].mean(axis=1)
    return float(sign * (judge[np.argmin(choose)] - judge.min()))


def test_exercise_4_leak(capsys):
    def parts(errors):
        half = errors.shape[1] // 2
        return errors[:, :half].mean(axis=1), errors[:, half:].mean(axis=1)

    assert_bank(
        "4.4",
        capsys,
        correct=[gain, lambda e: np.float64(gain(e))],
        wrong=[
            (lambda e: float(parts(e)[1].min()), "one of the two errors"),
            (lambda e: float(parts(e)[0].min() - parts(e)[1].min()), "comes from the tasks"),
            (
                lambda e: float(parts(e)[1][np.argmin(parts(e)[0])] - parts(e)[1][np.argmin(e.mean(axis=1))]),
                "looks at all tasks",
            ),
            (lambda e: float(parts(e)[1].mean() - parts(e)[1].min()), "average candidate"),
            (lambda e: float(parts(e)[1][np.argmax(parts(e)[0])] - parts(e)[1].min()), "highest error"),
            (lambda e: 0.123, "your function says"),
            (lambda e: e, "a number"),
        ],
        almost=[(lambda e: gain(e, sign=-1), "The sign")],
    )


def kind(m, c, k, *, root=True, two=2.0, unit=True, critical="critical", flip=False, names=("under", "over")):
    omega = math.sqrt(k / m) if root else k / m
    zeta = c / (two * math.sqrt(m * k)) if unit else c / (2 * m)
    word = critical if zeta == 1 else names[(zeta > 1) != flip]
    return zeta, omega, word


def test_exercise_5_oscillator(capsys):
    assert_bank(
        "4.5",
        capsys,
        correct=[kind, lambda *case: list(kind(*case))],
        wrong=[
            (lambda *case: kind(*case, root=False), "that is its square"),
            (lambda m, c, k: (c, 1.0, "under"), "and yours 1"),
            (lambda *case: kind(*case, unit=False), "zeta has no unit"),
            (lambda m, c, k: (0.05, math.sqrt(k / m), "under"), "zeta is 0.1, and yours"),
            (lambda *case: kind(*case, flip=True), "does it swing"),
            (lambda *case: kind(*case, names=("underdamped", "over")), "The kind is"),
            (lambda *case: 1.0, "Return zeta"),
        ],
        almost=[
            (lambda *case: kind(*case, two=1.0), "twice too large"),
            (lambda *case: kind(*case, critical="over"), "exactly 1"),
        ],
    )


# ---------------------------------------------------------------- oscillator and landscapes


@pytest.mark.parametrize("zeta", [0.0, 0.3, 1.0, 1.7])
def test_the_motion_obeys_its_equation(zeta):
    result = oscillators.compute_oscillator(zeta, 5.0)
    x, h = result.position, result.time[1] - result.time[0]
    speed, push = (x[2:] - x[:-2]) / (2 * h), (x[2:] - 2 * x[1:-1] + x[:-2]) / h**2
    assert np.abs(push + 2 * zeta * 5 * speed + 25 * x[1:-1]).max() < 0.2  # of 25
    r = np.array(result.roots)
    assert np.abs(r**2 + 2 * zeta * 5 * r + 25).max() < 1e-9
    assert oscillators.kind_of(zeta) == kind(1.0, 2 * zeta * 5, 25.0)[2]
    for value in result.law.constants.values():
        assert f"{abs(value):.3g}" in oscillators.describe_oscillator(result)


def test_the_lowest_points_are_those_of_the_quadratics():
    tasks, rate = oscillators.lines(), 0.3
    X = torch.cat([tasks.x_query, torch.ones_like(tasks.x_query)], dim=2).numpy()  # (tasks, points, 2)
    H = 2 * np.einsum("tpi,tpj->tij", X, X) / X.shape[1]
    goals = np.array([line[:2] for line in oscillators.LINES])
    for steps in (0, 1, 5):
        left = np.stack([np.linalg.matrix_power(np.eye(2) - rate * one, steps) for one in H])
        A = np.einsum("tij,tjk,tkl->til", left, H, left)
        lowest = np.linalg.solve(A.sum(axis=0), np.einsum("tij,tj->i", A, goals))
        best = oscillators.compute_landscape(rate, max(steps, 1)).best["maml" if steps else "joint"]
        assert best[0] == pytest.approx(lowest[0], abs=0.06), steps  # half a cell of the grid
    slopes = [oscillators.compute_landscape(rate, steps).best["maml"][0] for steps in (1, 2, 5)]
    assert slopes[0] > slopes[1] > slopes[2]  # towards the narrow tasks


def test_the_answers_about_the_landscapes():
    timid = oscillators.compute_landscape(0.05, 1)
    assert timid.best["maml"][0] == pytest.approx(timid.best["joint"][0], abs=0.2)
    bold = oscillators.compute_landscape(0.5, 10).field.maml
    assert np.ptp(bold, axis=0).max() < 0.05 * np.ptp(bold, axis=1).min()  # stripes
    wrong = [
        first.gradients["maml"] @ second.gradients["maml"] < 0
        for steps in (1, 3, 5)
        for slope in (-0.5, 1.0, 2.5)
        for first, second in [
            [oscillators.compute_landscape(0.5, steps, slope, 0.5, order) for order in (1, 2)]
        ]
    ]  # fmt: skip
    assert any(wrong)


@pytest.mark.parametrize(
    ("panel", "settings"),
    [(oscillators.oscillator_panel, 6), (oscillators.landscape_panel, 14)],
    ids=["oscillator", "landscape"],
)
def test_panels_can_be_driven_everywhere(panel, settings):
    panel = panel()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert panel.sweep() == settings
    assert panel.error is None


# ---------------------------------------------------------------- networks


@pytest.fixture(scope="module")
def scratch():
    return {"scratch": lesson04.learn("scratch")}


def test_the_fit_of_a_new_task_is_the_library_s(scratch):
    panel = lesson04.fit_panel(scratch)
    assert panel.sweep() == 12 and panel.error is None
    result = panel.set(task=3, points=10, steps=0)
    assert result.seen.shape == (10, 2)
    before, after = result.curves["scratch"]
    assert np.array_equal(before, after)
    assert result.errors["scratch"][0] == pytest.approx(np.mean((before - result.truth) ** 2))


def test_the_pitfalls_add_what_they_say(monkeypatch):
    part = {"errors": np.array([4.0, 1.0]), "penalty": np.array([0.5, 0.25]), "train": np.array([9.0, 10.0]),
            "train penalty": np.array([2.0, 5.0])}  # fmt: skip
    monkeypatch.setattr(pitfalls, "_judgement", lambda: ({"maml": part, "joint": part}, 0.9))
    off = {"penalty": False, "cumulative": False, "unadapted": False, "hide_zero": False}

    def numbers(**on):
        reported = pitfalls.compute_fooled(**off | on).reported
        return reported.maml, reported.joint

    assert numbers() == (1.0, 1.0)
    assert numbers(penalty=True) == (1.25, 1.25)
    assert numbers(cumulative=True) == (3.0, 1.0)
    assert numbers(unadapted=True) == (1.0, 4.0)
    assert numbers(penalty=True, cumulative=True, unadapted=True) == (4.25, 4.5)
    assert pitfalls.fool_panel().sweep() == 8


def test_a_live_run_learns_and_stops_soon():
    live = lesson04.meta_run(outer=25)
    result = live.run(family=lesson04.FINN, inner_steps=2)
    assert len(result.history) == 25 and len(to_png(_drawn(live, result))) > 6_000
    assert "predicting 0 gives" in live.describe(result)
    live = lesson04.meta_run(outer=10_000)
    live.start(inner_steps=1)
    end = time.monotonic() + 30
    while not live.job.published and time.monotonic() < end:
        time.sleep(0.01)
    live.stop()
    assert len(live.wait(10).history) < 10_000


def _drawn(panel, result):
    fig = blank(*panel.size)
    panel.draw(result, fig)
    return fig


def test_a_rate_that_diverges_is_a_picture_and_no_error():
    live = lesson04.meta_run(outer=25)
    result = live.run(rate=1.0, inner_steps=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(to_png(_drawn(live, result))) > 6_000


def test_formulas_learned_repeat_and_share_their_units():
    made = lesson04.learn_formulas(steps=3)
    start, units = made["units and start"], made["which units"]
    assert torch.equal(start.alive, units.alive) and made["nothing"].alive is None
    assert torch.equal(made["nothing"].theta * units.alive, units.theta)
