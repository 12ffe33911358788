"""Throughput against workers, and the bound that the serial part sets."""

import pandas as pd
import pytest

from srlib.compare.scaling import ScalingRow, bounds, scaling, speed_ups


def test_evaluations_and_serial_time_are_taken_from_the_events(engine):
    engine.texts, engine.details = ["x0", "x0*x0"], {"serial_seconds": 0.5}
    row = scaling("threads", 2, 7, 20.0)
    assert (row.evaluations, row.seconds, row.rate, row.epochs) == (200, 20.0, 10, 2)
    assert row.serial == pytest.approx(1 / 20)
    assert engine.made[0]["n_jobs"] == 2 and engine.made[0]["executor"] is None


def test_without_that_report_the_share_is_unknown(engine):
    engine.texts = ["x0"]
    assert scaling("threads", 1, 0, 20.0).serial != 0.0


def table(**rates):
    """Rates of 1 and 4 workers, and a serial share of 10 % where there is one worker."""
    rows = [
        ScalingRow(executor, workers, 0, 20.0, 20.0, 1, rate, 0.1, 5)
        for executor, pair in rates.items()
        for workers, rate in zip((1, 4), pair, strict=True)
    ]
    return pd.DataFrame([vars(row) for row in rows])


def test_speed_ups():
    result = speed_ups(table(threads=(100.0, 200.0), processes=(80.0, 320.0)))
    assert result.loc[("threads", 4), "speed-up"] == 2 and result.loc[("threads", 4), "efficiency"] == 0.5
    assert result.loc[("threads", 4), "serial by speed-up"] == pytest.approx(1 / 3, abs=1e-4)
    assert result.loc[("processes", 4), "serial by speed-up"] == 0


def test_bounds_are_amdahls():
    result = bounds(table(threads=(100.0, 400.0)))
    reported, by_speed_up = result.loc[("threads", "reported")], result.loc[("threads", "by speed-up")]
    assert reported["10 workers"] == pytest.approx(1 / (0.1 + 0.9 / 10), abs=0.1)
    assert reported["1000 workers"] == pytest.approx(1 / (0.1 + 0.9 / 1000), abs=0.1)
    assert by_speed_up["1000 workers"] == 1000
