"""Lesson 00: its dashboards over their whole range, its exercises with typical wrong answers, and what it claims."""

import re
from pathlib import Path

import numpy as np
import pytest

from srlib import Expression
from srlib.teaching.dashboards import contest, lesson00
from srlib.teaching.dashboards.environment import NEEDED, environment
from srlib.teaching.style import blank
from tests.teaching.bank import assert_bank

ROOT = Path(__file__).parents[2]


def outcome(made):
    return {model.kind: model.survives for model in made.models}


# ---------------------------------------------------------------- the extrapolation bench


def test_the_right_form_recovers_its_three_constants_without_noise():
    formula = lesson00.compute_bench(noise=0.0, until=10.0).models[2]
    assert formula.constants == 3
    assert formula.inside < 1e-9 and formula.outside < 1e-9


@pytest.mark.parametrize("sample", range(10))
def test_only_the_right_form_survives_at_the_noise_of_the_lesson(sample):
    made = lesson00.compute_bench(sample=sample, until=8.0)
    assert outcome(made) == {"polynomial": False, "network": False, "formula": True}
    assert all(model.inside < 0.1 for model in made.models)


@pytest.mark.parametrize("form", ["near miss: damped wave", "wrong form: growing wave"])
def test_a_formula_of_another_form_does_not_survive(form):
    made = lesson00.compute_bench(form=form, until=8.0)
    assert made.models[2].inside < 0.1
    assert not made.models[2].survives


def test_the_errors_are_those_of_the_curves_that_are_drawn():
    made = lesson00.compute_bench(until=7.0)
    outside = made.grid > 5
    for model in made.models:
        assert np.sqrt(np.mean((model.curve - made.truth)[outside] ** 2)) == pytest.approx(model.outside, rel=0.02)
        assert np.sqrt(np.mean((model.curve - made.truth)[~outside] ** 2)) == pytest.approx(model.inside, rel=0.02)


def test_nothing_is_said_about_the_outside_before_it_is_shown():
    made = lesson00.compute_bench()
    assert made.grid[-1] == 5 and all(np.isnan(model.outside) for model in made.models)
    assert "survives" not in contest.describe_contest(made)


# ---------------------------------------------------------------- Hubble's galaxies


def test_order_of_errors_is_turned_round_outside():
    polynomial, network, formula = lesson00.compute_hubble().models
    assert polynomial.inside < network.inside < formula.inside
    assert formula.outside < network.outside < polynomial.outside


@pytest.mark.parametrize("nearer", [0.6, 0.8, 1.0, 1.2, 1.5])
def test_hubbles_law_survives_wherever_the_galaxies_are_parted_and_the_square_does_not(nearer):
    law, square = (lesson00.compute_hubble(nearer, law=law).models[2] for law in ("v = H0*D", "v = k*D**2"))
    assert law.survives and not square.survives


def test_each_galaxy_is_either_fitted_or_kept_back():
    made = lesson00.compute_hubble(nearer=1.0)
    assert (len(made.points[0]), len(made.unseen[0])) == (20, 12)


# ---------------------------------------------------------------- pictures, panels, runs


@pytest.mark.parametrize("made", [lesson00.compute_bench(until=8.0), lesson00.compute_hubble()], ids=["x", "D"])
def test_table_under_the_picture_tells_each_model_and_its_errors(made):
    fig = blank(8, 6)
    contest.draw_contest(made, fig)
    (table,) = fig.axes[1].tables
    texts = {place: cell.get_text().get_text() for place, cell in table.get_celld().items()}
    for row, model in enumerate(made.models, start=1):
        assert model.label in texts[row, 0]
        assert texts[row, 2] == contest.short(model.inside) and texts[row, 3] == contest.short(model.outside)


def test_panels_draw_over_their_whole_range():
    assert lesson00.bench_panel().sweep() == 21
    assert lesson00.hubble_panel().sweep() == 18


def test_what_the_panels_say_has_no_digits_of_a_fit():
    for made in (lesson00.compute_bench(until=8.0), lesson00.compute_hubble()):
        numbers = set(re.findall(r"\d+(?:\.\d+)?", contest.describe_contest(made)))
        assert numbers <= {"5", "30", "8", "1", "20", "2.1"}


def test_first_search_stops_and_keeps_what_it_found():
    search = lesson00.first_search()
    search.start(population=100, generations=2000)
    while not search.job.published:
        search.job.sleep(0.01)
    search.stop()
    model = search.wait(20)
    assert model.stopped_by_ == "callback"
    assert np.isfinite(model.best().evaluate([[1.0]])).all()


def test_first_search_improves():
    search = lesson00.first_search()
    search.run(population=100, generations=20)
    losses = search.job.snapshot[1]
    assert len(losses) == 21 and losses[-1] < losses[0]
    assert "has fallen" in lesson00.describe_search(search.job.snapshot)


# ---------------------------------------------------------------- what is installed


def test_environment_knows_the_packages_of_pyproject():
    text = (ROOT / "pyproject.toml").read_text()
    for package, least in NEEDED.items():
        assert f'"{package}>={least}"' in text


def test_environment_says_what_is_missing_or_old(capsys, monkeypatch):
    from importlib import metadata

    def version(package):
        if package == "torch":
            raise metadata.PackageNotFoundError(package)
        return "0.1" if package == "sympy" else "99"

    monkeypatch.setattr(metadata, "version", version)
    environment()
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "missing: run %pip install torch" in lines["torch"]
    assert "old" in lines["sympy"] and "1.12" in lines["sympy"]
    assert lines["numpy"].endswith("fine")
    environment(versions=True)
    assert "99" in capsys.readouterr().out


# ---------------------------------------------------------------- exercises


def test_typical_error(capsys):
    def by_hand(model, truth):
        total = 0.0
        for m, t in zip(model, truth, strict=True):
            total += (m - t) ** 2
        return (total / len(model)) ** 0.5

    def without_return(model, truth):
        np.sqrt(np.mean((model - truth) ** 2))

    assert_bank(
        "0.1",
        capsys,
        correct=[lesson00.rms, by_hand],
        almost=[(lambda m, t: np.mean((m - t) ** 2), "its root has")],
        wrong=[
            (lambda m, t: np.mean(m - t), "cancel"),
            (lambda m, t: abs(np.mean(m - t)), "cancel"),
            (lambda m, t: np.mean(np.abs(m - t)), "mean absolute error"),
            (lambda m, t: np.sqrt(np.sum((m - t) ** 2)), "grows with the number"),
            (lambda m, t: np.sum((m - t) ** 2), "grows with the number"),
            (lambda m, t: np.std(m - t), "np.std subtracts"),
            (lambda m, t: np.sqrt((m - t) ** 2), "points it gives"),
            (without_return, "gives back nothing"),
            (lambda m, t: np.max(np.abs(m - t)), "Work this case out"),
            (lambda m, t: "2.24", "a text"),
            (lambda m: 1.0, "could not use"),
            (0.5, "Hand in the function"),
        ],
    )


def test_value_of_a_tree(capsys):
    assert_bank(
        "0.2",
        capsys,
        correct=[-5.8, 1.2 - 7, np.float64(-5.8), 2.2 - 11 / 11 + 7 * np.cos(np.pi)],
        wrong=[
            (8.2, "Two slips"),
            ((2.2 - 11) / 11 - 7, "The division takes"),
            (1.2, "cosine of π/2"),
            (0.2, "multiplied by 7"),
            (3.2 - 7, "is a minus"),
            (1.2 * -7, "is a plus"),
            (1.2 + 7 * np.cos(np.radians(np.pi)), "degrees"),
            (100, "Write beside each node"),
            ("-5.8", "not a text"),
            ([-5.8], "wants one number"),
            (float("nan"), "wants one number"),
        ],
    )


def test_formula_to_be_mended(capsys):
    assert_bank(
        "0.3",
        capsys,
        correct=["2*sin(x0) + 3*x0^2", "3*x0**2+2*sin(x0)", Expression.parse("2*sin(x0) + 3*x0*x0")],
        almost=[("2*sin(x0) + (3*x0)^2", "nine times"), ("2*sin(x0) + 3*x0", "square is lost")],
        wrong=[
            ("2*sin(x0) + 3x0^2)", "write 3*x0"),
            ("2*sin(x0) + 3*x0^2)", "unmatched"),
            ("2*sin(x0 + 3*x0^2)", "wrong place"),
            ("sin(2*x0) + 3*x0^2", "wrong place"),
            ("2*sin(x0) + 3 + x0^2", "there is a product"),
            ("2*sin(x0)", "a part is gone"),
            ("2*sin(x1) + 3*x1^2", "one variable"),
            ("2*sin(x0) - 3*x0^2", "does not mean"),
            ("", "empty"),
            (42, "as text"),
        ],
    )


def test_constant_with_a_unit(capsys):
    hubble_time = 3.0857e19 / 475.3
    assert_bank(
        "0.4",
        capsys,
        correct=[hubble_time / 3.1557e16, 2.06, 2.1, 2],
        almost=[(2.06e9, "in years"), (2060, "millions of years"), (13.97, "today's value")],
        wrong=[
            (hubble_time, "These are seconds"),
            (1 / 475.3, "turn Mpc into km"),
            (475.3, "This is H0 itself"),
            (475.3 * 3.0857e19, "denominator"),
            (1 / 475.3 / 3.0857e19, "must grow"),
            (0, "Carry the units"),
            ("2.06", "not a text"),
        ],
    )
