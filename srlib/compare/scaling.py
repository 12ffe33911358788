"""How the evolution engine's throughput grows with workers, and where its serial part would bind.

The islands of one epoch run side by side; what lies between two epochs, migration above all, does not. A share s of
serial time limits n workers to a speed-up of 1/(s + (1 - s)/n) (G. Amdahl 1967) when the islands stay as many. The
share is taken from the time that the engine itself reports for each epoch (``details["serial_seconds"]`` of its
:class:`~srlib.events.Iteration` events), and, as a check that contains every other loss, from the measured speed-up e
of n workers: (1/e - 1/n)/(1 - 1/n) (A. Karp, H. Flatt 1990).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..events import Finished, Iteration, Recorder
from .peers import ENDLESS, compile_kernels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ScalingRow", "bounds", "scaling", "speed_ups"]

WORKERS = (10, 100, 1000)  # for which the bound is computed


@dataclass(frozen=True)
class ScalingRow:
    """One fit.

    Attributes
    ----------
    executor : {"threads", "processes"}
        Threads of this process, or processes of a Dask cluster on this machine.
    workers : int
        How many.
    rate : float
        Evaluations a second.
    serial : float
        The share of the time that was spent between epochs.
    epochs : int
        How many ended.
    """

    executor: str
    workers: int
    seed: int
    budget: float
    seconds: float
    evaluations: int
    rate: float
    serial: float
    epochs: int


def scaling(executor: str, workers: int, seed: int, budget: float) -> ScalingRow:
    """Search for a law in pure noise, which never ends early, and count the evaluations."""
    from .. import EvolutionRegressor

    rng = np.random.default_rng(seed)
    X, y = rng.uniform(1, 5, (300, 5)), rng.standard_normal(300)  # (rows, features), (rows,)
    recorder = Recorder()
    with _pool(executor, workers) as pool:
        EvolutionRegressor(
            unary_operators=("sin", "cos", "exp", "log", "sqrt", "square"), regression=False, niterations=ENDLESS,
            time_limit=budget, random_state=seed, n_jobs=workers, executor=pool, callbacks=[recorder],
        ).fit(X, y)  # fmt: skip
    end = next(event for event in recorder.events if isinstance(event, Finished))
    epochs = [event for event in recorder.events if isinstance(event, Iteration)]
    serial = sum(event.details.get("serial_seconds", float("nan")) for event in epochs) / end.elapsed
    return ScalingRow(
        executor, workers, seed, budget, round(end.elapsed, 3), end.evaluations, round(end.evaluations / end.elapsed),
        float(f"{serial:.4g}"), len(epochs),
    )  # fmt: skip


@contextmanager
def _pool(executor: str, workers: int):
    """None for the engine's own threads, or an executor with workers whose kernels are compiled."""
    if executor == "threads":
        compile_kernels()
        yield None
        return
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.run(compile_kernels)
            yield client.get_executor()


def speed_ups(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each kind and number of workers: the median rate, how many times that of one worker, and losses."""
    medians = table.groupby(["executor", "workers"])[["rate", "serial", "epochs"]].median().reset_index()
    single = medians[medians["workers"] == 1].set_index("executor")["rate"]
    n, e = medians["workers"], medians["rate"] / medians["executor"].map(single)
    return medians.assign(
        **{
            "speed-up": e.round(3),
            "efficiency": (e / n).round(3),
            "serial by speed-up": ((1 / e - 1 / n) / (1 - 1 / n).where(n > 1)).round(4),
        }
    ).set_index(["executor", "workers"])


def bounds(table: pd.DataFrame) -> pd.DataFrame:
    """The speed-up that the serial share allows, by its own measurement and by the speed-up of the most workers."""
    import pandas as pd

    measured = speed_ups(table)
    rows = {}
    for executor, rows_of_one in measured.groupby(level="executor"):
        shares = {"reported": rows_of_one["serial"].iloc[0], "by speed-up": rows_of_one["serial by speed-up"].iloc[-1]}
        for name, share in shares.items():
            share = float(np.clip(share, 0.0, 1.0))  # a busy machine may give anything
            rows[executor, name] = {
                "serial share": share,
                **{f"{n} workers": round(1 / (share + (1 - share) / n), 1) for n in WORKERS},
            }
    return pd.DataFrame.from_dict(rows, orient="index")
