"""Lesson 07: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import time
import warnings
from dataclasses import replace

import numpy as np
import pytest

from srlib import Expression
from srlib.distill.gnn import Particles, accelerations, energies, simulate
from srlib.teaching.dashboards import forces, forces_panels, lesson07
from srlib.teaching.exercises import lesson07 as exercises
from srlib.teaching.style import blank, to_png
from tests.teaching.bank import assert_bank

SHORT = forces.Setup(epochs=2)


@pytest.fixture(scope="module")
def made():
    return forces.record(SHORT)


# ---------------------------------------------------------------- particles


def test_motion_is_a_simulation_of_srlib():
    result = lesson07.compute_motion("spring", 3, 4, 2, 50)
    run = simulate("spring", 1, 3, substeps=4, random_state=(70, 2))
    assert np.array_equal(result.x, run.x[0]) and result.drift == run.drift[0]
    q, m = (np.tile(one, (100, 1)) for one in (run.start.q[0], run.start.m[0]))
    kinetic, pair = energies("spring", run.x[0], run.v[0], q, m)
    assert result.kinetic == pytest.approx(kinetic) and result.pair == pytest.approx(pair)
    total = kinetic + pair
    assert np.max(np.abs(total - total[0])) / (kinetic[0] + abs(pair[0]) + 1) == pytest.approx(result.drift)


def test_motion_can_be_driven_everywhere_and_played():
    panel = lesson07.motion_panel()
    assert panel.sweep() == 19 and panel.error is None
    play = panel.box.children[-2].children[1]
    play.value = 7
    assert panel.values["frame"] == 7 and panel.result.frame == 7


# ---------------------------------------------------------------- trainings


def test_a_recording_is_a_training_of_srlib_and_repeats(made):
    assert [moment.number for moment in made.moments] == [1, 2]
    again = forces.recording(SHORT)
    assert again.last.test_loss == made.last.test_loss
    assert np.array_equal(again.last.values, made.last.values)
    said = made.messages
    for target in forces.TARGETS:
        assert made.last.r2[target] == said.fit(target).r2_trimmed.min()
    assert made.last.concentration == pytest.approx(1.0)  # there are only two


def test_watching_can_end_a_training():
    seen = []
    stopped = forces.recording(replace(SHORT, epochs=5), lambda made: seen.append(made.last.number) or True)
    assert seen == [1] and len(stopped.moments) == 1


def test_raw_inputs_are_the_document_s():
    setup = forces.Setup(variant="bottleneck", inputs="raw", relative=False)
    assert (setup.architecture.edge_inputs, setup.architecture.node_inputs) == ("raw", "full")
    assert (setup.settings.translate, setup.settings.learning_rate) == (3.0, 1e-3)


def test_test_graphs_are_of_other_simulations():
    known, test = forces.data("spring")
    assert (len(known), len(test)) == (20_000, 5_000)
    assert not np.isin(test.states[:, 0, 5], known.states[:, 0, 5]).any()  # masses


def test_the_way_of_a_message_adds_up(made):
    way = lesson07.compute_way(made, 4, 2)
    assert way.senders.tolist() == [0, 1, 3]
    assert way.forces.sum(axis=0) / way.m[2] == pytest.approx(way.truth)
    import torch

    total = torch.tensor(way.messages.sum(axis=0), dtype=torch.float32)
    row = np.linspace(0, 4999, 20).astype(int)[4]
    states = made.network.tensor(forces.data("spring")[1].states[row : row + 1])
    with torch.no_grad():
        told = made.network.node(torch.cat([total, made.network.own(states)[0, 2]]))
    assert told.numpy() == pytest.approx(way.told, abs=1e-4)


def test_rotating_finds_a_planted_map(made):
    """Messages that are a shear of the force: one angle shows F_x alone, and it is the one of the inverse."""

    class Said:
        values = None

        def __init__(self):
            rng = np.random.default_rng(0)
            self.force = rng.normal(size=(500, 2))
            self.values = self.force @ np.array([[1.0, 0.6], [0.0, 1.0]]).T

        def top(self):
            return (0, 1)

        def targets(self, target):
            return self.force

    class Made:
        messages = Said()

    spread = np.subtract(*np.percentile(Made.messages.values, [75, 25], axis=0))
    angle = np.degrees(np.arctan2(-0.6 * spread[1], spread[0])) % 180
    result = lesson07.rotated(Made, angle)
    assert result.r2[0] == pytest.approx(1) and result.r2[1] < 0.5


def test_node_map_of_a_network_without_a_node_model():
    """Where accelerations are a matrix times the summed messages over the mass, that matrix is found."""
    made = forces.record(SHORT)
    C, quality = forces.node_map(made)
    formulas = forces.replaced(made, (Expression.parse("dx*m2", names=("dx", "dy", "r", "m1", "m2", "q1", "q2")),
                                      Expression.parse("dy*m2", names=("dx", "dy", "r", "m1", "m2", "q1", "q2"))))
    x, q, m = np.array([[[0.0, 0], [1, 0], [0, 2]]]), np.ones((1, 3)), np.array([[1.0, 2, 3]])
    d = (x[:, :, None] - x[:, None]) * m[:, None, :, None]
    d *= np.where(np.linalg.norm(x[:, :, None] - x[:, None], axis=-1, keepdims=True) > 0, 1, 0)
    soft = 1 + 0.01 / np.where((r := np.linalg.norm(x[:, :, None] - x[:, None], axis=-1)) > 0, r, 1)
    sums = (d * soft[..., None]).sum(axis=2)
    expected = sums @ C[:, list(made.last.top)].T / m[..., None]
    assert formulas.acceleration(x, np.zeros_like(x), q, m) == pytest.approx(expected, rel=1e-4)
    assert quality <= 1


def test_pictures_are_drawn_without_warnings(made):
    from srlib.distill.gnn import rollout

    run = rollout("spring", {"network": made.network}, Particles.random(3, 4, random_state=0), steps=21)
    pictures = [
        (lambda fig: forces_panels.draw_moment(made, fig, 0, "acceleration"), (11, 4.6)),
        (lambda fig: forces_panels.draw_components({"one": made, "two": made}, fig), (10, 4)),
        (lambda fig: forces_panels.draw_rollout({"four": run, "again": run}, fig), (10, 4)),
        (lambda fig: lesson07.draw_way(lesson07.compute_way(made, 1, 0), fig), (10.5, 4.8)),
    ]
    for draw, size in pictures:
        fig = blank(*size)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            draw(fig)
            assert len(to_png(fig)) > 6_000


@pytest.mark.parametrize(
    ("panel", "settings"),
    [
        (lambda: forces_panels.film_panel(SHORT), 5),
        (lambda: lesson07.follow_panel(SHORT), 6),
        (lambda: lesson07.rotator_panel({"one": SHORT}), 6),
    ],
    ids=["film", "follow", "rotator"],
)
def test_panels_can_be_driven_everywhere(panel, settings):
    panel = panel()
    assert panel.sweep() == settings
    assert panel.error is None


def test_live_run_follows_the_training_and_can_be_stopped():
    live = forces_panels.forces_run()
    final = live.run(epochs=1, formula=False, variant="l1", alpha=1.0)
    assert final.last.number == 1 and len(final.last.deviations) == 100
    assert "R²" in forces_panels.describe(final)
    live.start(epochs=40, variant="bottleneck", formula=True)
    until = time.monotonic() + 60
    while live.job.snapshot is None and time.monotonic() < until:
        time.sleep(0.01)
    live.stop()
    kept = live.wait(60)
    assert kept is None or kept.learned is None


# ---------------------------------------------------------------- exercises


def along(slope, d):
    return slope[:, None] * d


def length(d):
    return np.linalg.norm(d, axis=1, keepdims=True)


def test_exercise_7_1(capsys):
    assert_bank(
        "7.1", capsys,
        correct=[lambda d, slope: -along(slope, d) / length(d)],
        wrong=[
            (lambda d, slope: along(slope, d) / length(d), "Turned around"),
            (lambda d, slope: -along(slope, d), "a vector of length 1, and yours"),
            (lambda d, slope: along(slope, d), "Two things"),
            (lambda d, slope: -along(slope, d) / length(d) ** 2, "divide by r twice"),
            (lambda d, slope: -np.repeat(slope[:, None], 2, axis=1), "without its direction"),
            (lambda d, slope: -slope, "in the shape"),
            (lambda d, slope: 3 * d, "its length"),
        ],
    )  # fmt: skip


def test_exercise_7_2(capsys):
    def scale(kinetic, potential):
        return kinetic[0] + abs(potential[0]) + 1

    def away(kinetic, potential):
        energy = kinetic + potential
        return energy - energy[0]

    assert_bank(
        "7.2", capsys,
        correct=[lambda k, p: np.abs(away(k, p)).max() / scale(k, p)],
        wrong=[
            (lambda k, p: away(k, p).max() / scale(k, p), "A drift downwards"),
            (lambda k, p: abs(away(k, p)[-1]) / scale(k, p), "The last moment"),
            (lambda k, p: np.abs(k - k[0]).max() / scale(k, p), "Only their sum"),
            (lambda k, p: np.abs(away(k, p)).max() / abs(k[0] + p[0]), "nearly 0"),
            (lambda k, p: np.abs(away(k, p)).max() / (k[0] + p[0] + 1), "can be negative"),
            (lambda k, p: np.abs(away(k, p)).max() / (scale(k, p) - 1), "The 1 in the divisor"),
            (lambda k, p: np.abs(away(k, -p)).max() / scale(k, p), "not subtracted"),
            (lambda k, p: np.abs(away(k, p)).max(), "not divided"),
            (lambda k, p: away(k, p), "Return one number"),
            (lambda k, p: 0.0, "the drift is"),
        ],
    )  # fmt: skip


def test_exercise_7_3(capsys):
    assert_bank(
        "7.3", capsys,
        correct=[lambda e: np.where(np.abs(e) < 1, e**2 / 2, np.abs(e) - 0.5),
                 lambda e: np.where(np.abs(e) <= 1, e**2 / 2, np.abs(e) - 0.5)],
        wrong=[
            (lambda e: np.where(np.abs(e) < 1, e**2, np.abs(e) - 0.5), "before the square is missing"),
            (lambda e: np.where(np.abs(e) < 1, e**2 / 2, np.abs(e)), "The line needs"),
            (lambda e: np.where(e < 1, e**2 / 2, np.abs(e) - 0.5), "is squared"),
            (lambda e: np.where(np.abs(e) < 1, e**2 / 2, e - 0.5), "the line uses the error"),
            (lambda e: np.where(np.abs(e) < 1, np.abs(e) - 0.5, e**2 / 2), "swapped"),
            (lambda e: e**2 / 2, "half the square everywhere"),
            (lambda e: e**2, "That is the square everywhere"),
            (np.abs, "a corner"),
            (lambda e: np.mean(e), "in the shape"),
            (lambda e: e * 0, "costs"),
        ],
    )  # fmt: skip


def test_exercise_7_4(capsys):
    def back(rows, A):
        return rows @ np.linalg.inv(A).T

    assert_bank(
        "7.4", capsys,
        correct=[
            lambda total, count, m, A, b: back(total - count * b, A) / m[:, None],
            lambda total, count, m, A, b: np.linalg.solve(A, (total - count * b).T).T / m[:, None],
        ],
        wrong=[
            (lambda total, count, m, A, b: back(total, A) / m[:, None], "still in it"),
            (lambda total, count, m, A, b: back(total - b, A) / m[:, None], "how many"),
            (lambda total, count, m, A, b: back(total - count * b, A), "acceleration is wanted"),
            (lambda total, count, m, A, b: back(total - count * b, A) * m[:, None], "you multiply"),
            (lambda total, count, m, A, b: (total - count * b) @ A.T / m[:, None], "once more"),
            (lambda total, count, m, A, b: (total - count * b) @ np.linalg.inv(A) / m[:, None], "Rows against"),
            (lambda total, count, m, A, b: (back(total, A) - count * b) / m[:, None], "The order"),
            (lambda total, count, m, A, b: total, "of particle 0"),
        ],
    )  # fmt: skip


def test_exercise_7_5(capsys):
    assert_bank(
        "7.5", capsys,
        correct=[(1, -1), [1.0, -1.0], np.array([1, -1])],
        wrong=[
            ((-1, 1), "Both signs"), ((1, 1), "expected, not"), ((-1, -1), "with a plus"),
            ((2, -1), "Your message would be"), (1, "two numbers"), ("1, -1", "two numbers"),
        ],
    )  # fmt: skip


def test_exercise_7_6(capsys):
    assert_bank(
        "7.6", capsys,
        correct=["q1*q2", "3.5*q2*q1", Expression.parse("q1*q2", names=("r", "m1", "m2", "q1", "q2"))],
        wrong=[
            ("q1*q2/r**2", "in another way"), ("1", "A number"), (2.0, "A number"), ("m1*m2/r", "depends on r, m1, m2"),
            ("q1*", "cannot read"), ([1], "as a text"), ("log(-r)", "not finite"), ("0", "not finite"),
        ],
        almost=[("q1*q2/r", "beside (dx, dy)"), ("q1*q2*r", "how the energy"), ("q1*q2/m1", "an acceleration")],
    )  # fmt: skip


def test_the_hidden_potential_is_what_the_check_says():
    x = np.array([[[0.0, 0], [2, 0]]])
    a = accelerations(exercises.hidden_potential(), x, x * 0, np.array([[2.0, -3.0]]), np.array([[0.5, 1.0]]))
    assert a[0] == pytest.approx(np.array([[-12, 0], [6, 0]]))  # they repel, with |q1 q2| = 6 at any distance
