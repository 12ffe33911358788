"""From adapted networks to formulas: gates, cuts and verdicts; and the rows of ``python -m srlib.reproduce meta``."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from srlib.eql import Architecture, Unit, levenberg_marquardt, read_units  # noqa: E402
from srlib.meta import (  # noqa: E402
    FixedLaws,
    FlatModel,
    GaussNewton,
    Law,
    MetaLearned,
    OffsetEQL,
    maml,
    mlp,
    open_gates,
    open_units,
    recover,
    with_units,
)
from srlib.reproduce import meta, meta_document, meta_laws  # noqa: E402
from srlib.reproduce.command import main  # noqa: E402

UNITS = {"square": 1, Unit("sine", "sin(a)"): 2, Unit("exponential", "exp(a)"): 2}
SQUARE, SINE, EXPONENTIAL = 0, 1, 3  # unit numbers


def planted(output, **inputs):
    """A network of the units above: output weights by unit, and (frequency, offset) by column."""
    model = FlatModel(OffsetEQL(UNITS))
    first, last = model.module.architecture.matrices(torch.zeros(model.size, dtype=torch.float64))
    for column, values in inputs.items():
        first[:, int(column[1:])] = torch.tensor(values, dtype=torch.float64)
    last[:, 0] = torch.tensor(output, dtype=torch.float64)
    return model, torch.cat([first.flatten(), last.flatten()])


def wave_tasks(count=3):
    laws = [Law("sin(2*pi*f*x + phi)", {"f": 1.0 + 0.1 * k, "phi": 0.5}) for k in range(count)]
    return FixedLaws(tuple(laws)).sample(count, seed=0)


def test_least_squares_with_a_table_for_each_trial_is_that_of_each_alone():
    architecture = Architecture(2, read_units(UNITS), layers=1)
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(3, 20, 2)), rng.normal(size=(3, architecture.size))
    y = rng.normal(size=(3, 20))
    together, errors = levenberg_marquardt(architecture, X, y, weights, steps=5)
    for k in range(3):
        alone, error = levenberg_marquardt(architecture, X[k], y[k], weights[k : k + 1], steps=5)
        np.testing.assert_allclose(together[k], alone[0], rtol=1e-6, atol=1e-8)
        assert errors[k] == pytest.approx(error[0], rel=1e-6)


@pytest.mark.parametrize("threshold", [0.05, None], ids=["cut", "stepwise"])
def test_a_network_near_the_law_becomes_the_law(threshold):
    model, theta = planted([1e-3, 1.05, 0.0, 1e-3, 0.0], c0=(0.3, 0.2), c1=(6.6, 0.4), c3=(0.1, 0.0))
    found = recover(model, theta.expand(3, -1), wave_tasks(), threshold)
    assert [one.verdict for one in found] == ["recovered"] * 3
    assert all(one.units == 1 and one.error < 1e-20 for one in found)
    assert found[0].expression.names == ("x",)


def test_a_network_that_does_not_fit_is_no_law_and_has_no_formula():
    model, theta = planted([1.0, 0.0, 0.0, 0.0, 0.0], c0=(1.0, 0.0))
    found = recover(model, theta.expand(3, -1), wave_tasks())
    assert [one.verdict for one in found] == ["no"] * 3 and found[0].expression is None


def test_as_many_constants_as_points_are_no_law():
    model = FlatModel(OffsetEQL(UNITS, scales=(2.0, 1.0, 1.0)))
    assert model.size > 10
    assert {one.verdict for one in recover(model, model.start.expand(3, -1), wave_tasks(), 0.0)} == {"no"}


def test_formulas_are_read_from_equation_learners_only():
    model = FlatModel(mlp(width=3))
    for call in (lambda: recover(model, model.start[None], wave_tasks(1)),
                 lambda: open_gates(MetaLearned.from_scratch(model), wave_tasks(1))):  # fmt: skip
        with pytest.raises(ValueError, match="OffsetEQL"):
            call()


def test_closed_units_stay_closed_through_adaptation_and_training():
    learned = MetaLearned.from_scratch(OffsetEQL(UNITS, seed=1), 1.0, GaussNewton())
    gated = with_units(learned, [SINE, EXPONENTIAL])
    assert open_units(learned) == [0, 1, 2, 3, 4] and open_units(gated) == [SINE, EXPONENTIAL]
    theta = gated.adapt(wave_tasks(), 3).theta[-1]
    assert (theta[:, ~gated.alive] == 0).all() and (theta[:, gated.alive] != 0).all()
    family = FixedLaws(tuple(wave_tasks().laws))
    more = maml(gated.model, family, steps=2, tasks=3, begin=gated, method=GaussNewton(), learn_rates=True)
    assert (more.theta[~gated.alive] == 0).all() and open_units(more) == [SINE, EXPONENTIAL]


def test_gates_open_for_the_units_that_the_laws_are_made_of():
    model, theta = planted([0.1] * 5, c0=(1.0, 0.3), c1=(6.0, 0.5), c2=(2.0, 1.0), c3=(0.8, 0.0), c4=(-0.8, 0.0))
    learned = replace(MetaLearned.from_scratch(model, 1.0, GaussNewton()), theta=theta)
    assert open_units(open_gates(learned, wave_tasks(6), most=3, steps=10)) == [SINE]
    assert open_units(open_gates(with_units(learned, [SINE]), wave_tasks(6), most=3)) == [SINE]
    both = [Law("a*exp(x) + b*exp(-x)", {"a": a, "b": b}) for a, b in ((0.5, -0.4), (-0.7, 0.6), (0.3, 0.9))]
    chosen = open_units(open_gates(learned, FixedLaws(tuple(both)).sample(3), most=3, steps=10))
    assert set(chosen) == {EXPONENTIAL, EXPONENTIAL + 1}


# ---------------------------------------------------------------- python -m srlib.reproduce meta


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(meta_laws, "FIRST", 2)
    monkeypatch.setattr(meta_laws, "SECOND", 2)
    monkeypatch.setattr(meta_laws, "FOR_GATES", 3)
    monkeypatch.setattr(meta_laws, "MOST_UNITS", 1)
    monkeypatch.setattr(meta_laws, "UNITS", UNITS)
    monkeypatch.setattr(meta, "JUDGED", 4)
    monkeypatch.setattr(meta, "TUNED", 3)
    monkeypatch.setattr(meta, "ANCHOR", 2)
    monkeypatch.setattr(meta, "LAW_STEPS", (0, 1, 2, 3, 4, 5, 6, 7))
    monkeypatch.setattr(meta_document, "OUTER", 2)
    meta_laws._trained.cache_clear()
    meta_document._learned.cache_clear()
    yield
    meta_laws._trained.cache_clear()


def test_rows_are_written_once_and_summarised(tiny, tmp_path, monkeypatch, capsys):
    jobs = meta._variants(("maml", "gates, random start"))
    monkeypatch.setitem(meta.PARTS, "laws", replace(meta.PARTS["laws"], jobs=jobs))
    monkeypatch.setattr(meta, "by_variant", lambda table: table)
    monkeypatch.setitem(meta.PARTS, "laws", replace(meta.PARTS["laws"], summary=lambda table: table))
    for _ in range(2):
        main(["meta", "--parts", "laws", "--seeds", "1", "--out", str(tmp_path)])
    table = pd.read_csv(tmp_path / "meta_laws.csv")
    assert table["variant"].tolist() == ["maml", "gates, random start"]
    assert table["units"].nunique() == 1, "the structure is the same"
    assert "Laws recovered" in capsys.readouterr().out


def test_every_variant_trains(tiny):
    for variant in ("scratch", "joint, gates", *meta_laws.ABLATION, "no gates", "gates only", "ten fixed laws"):
        learned, _ = meta_laws.trained(variant, 0)
        assert learned.theta.isfinite().all(), variant
    with pytest.raises(ValueError, match="choose from"):
        meta_laws.trained("magic", 0)


def test_half_of_the_laws_is_where_the_mean_over_the_seeds_reaches_it():
    shares = [f"s{k}" for k in meta.LAW_STEPS]
    others = dict.fromkeys(("m5", "waves", "exponentials", "stepwise0", "stepwise", "units", "seconds"), 0.0)
    rows = [
        {"variant": name, "seed": seed, **others, **dict(zip(shares, values, strict=True))}
        for name, seed, values in (
            ("a", 0, (0, 0.2, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6)), ("a", 1, (0, 0.2, 0.2, 0.4, 0.6, 0.6, 0.6, 0.6)),
            ("b", 0, (0, 0, 0, 0, 0, 0, 0, 0.4)),
        )
    ]  # fmt: skip
    found = meta.by_variant(pd.DataFrame(rows))
    assert found.half.to_dict() == {"a": 20, "b": 0} and found.seeds.to_dict() == {"a": 2, "b": 1}


def test_rows_of_the_other_parts(tiny):
    row = meta.adaptation("gradient descent", "maml", "out", 0)
    assert row.m0 >= 0 and row.method == "maml"
    assert meta.adaptation("Gauss-Newton", "zero", "in", 0).a5 == pytest.approx(
        meta.judged(meta.FAMILY, 0).zero_errors().mean().item(), rel=1e-3
    )
    rows = [meta.anchor("2 x 40", method, "in", 0) for method in meta.METHODS]
    found = meta.by_method(pd.DataFrame(map(vars, rows))).loc["2 x 40"]
    assert found.index.get_level_values("method").tolist() == list(meta.METHODS) and (found.seeds == 1).all()
    assert (found.m0 > 0).all() and found.m0["zero", "in"] == found.m100["zero", "in"]
    row = meta_document.document("maml", "in", 0)
    assert row.published == 0.68 and row.logged > row.penalty > 0
    row = meta.speed("offsets", 0)
    assert row.difference < 1e-8 and row.ratio > 1
