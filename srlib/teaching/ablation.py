"""What each part of the 2023 algorithm buys: one part at a time taken away, over laws and seeds.

``python -m srlib.teaching.ablation`` writes the table that lesson 02 reads, ``course/results/ablation.csv``, in about
ten minutes on two cores; the lesson itself makes a small part of it anew.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from srlib import EvolutionRegressor, problems, recovers

__all__ = ["LAWS", "PARTS", "measure", "table"]

# Each law with the unary operators that are offered; at most 40 rows, so that a run takes about a second.
LAWS = {
    "b1": (), "b6": ("sin", "cos"), "b7": ("sin", "cos"), "nguyen-4": (), "nguyen-7": ("log",),
    "nguyen-9": ("sin", "cos"), "kepler": ("sqrt",),
}  # fmt: skip
ROWS = 40
SMALL = dict(preset="paper", populations=3, population_size=100, ncycles_per_iteration=2000, niterations=6)
PARTS = {
    "pseudo-code": {},
    "no annealing": {"annealing": False},
    "no frecency": {"adaptive_parsimony_scaling": 0.0, "use_frequency": False},
    "neither": {"annealing": False, "adaptive_parsimony_scaling": 0.0, "use_frequency": False},
    "no migration": {"fraction_replaced": 0.0, "fraction_replaced_hof": 0.0},
    "no constants fitted": {"optimize_probability": 0.0},
}


def measure(law: str, part: str, seed: int, **options) -> dict:
    """One run: whether the law is on its front, and the error of the front's last row.

    Parameters
    ----------
    law, part : str
        Of :data:`LAWS` and :data:`PARTS`.
    seed : int
    **options
        Further parameters of the estimator.

    Returns
    -------
    dict
        "law", "part", "seed", "found", and "error": the root of the mean square in units of the best constant's.
    """
    problem = problems.load(law)
    problem = dataclasses.replace(problem, X=problem.X[:ROWS], y=problem.y[:ROWS])
    settings = SMALL | PARTS[part] | {"unary_operators": LAWS[law], "random_state": seed} | options
    model = EvolutionRegressor(**settings).fit(problem.X, problem.y)
    found = any(recovers(entry.expression, problem) for entry in model.front_)
    error = np.sqrt(model.front_[-1].loss / np.var(problem.y))
    return {"law": law, "part": part, "seed": seed, "found": found, "error": float(f"{max(error, 1e-12):.3g}")}


def table(laws=tuple(LAWS), parts=tuple(PARTS), seeds: int = 10, report=None, **options) -> pd.DataFrame:
    """Runs of all laws and parts with seeds 0, 1, …; ``report`` is called with each row."""
    rows = []
    for law in laws:
        for part in parts:
            for seed in range(seeds):
                rows.append(measure(law, part, seed, **options))
                if report:
                    report(rows[-1])
    return pd.DataFrame(rows)


def main(arguments=None) -> int:
    """Measure what each part of the 2023 algorithm buys, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m srlib.teaching.ablation", description=main.__doc__)
    parser.add_argument(
        "--laws", nargs="*", default=list(LAWS), choices=LAWS, metavar="LAW", help=f"of {', '.join(LAWS)}"
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("course/results/ablation.csv"))
    options = parser.parse_args(arguments)
    results = table(options.laws, seeds=options.seeds, report=lambda row: print(*row.values(), flush=True))
    results.to_csv(options.out, index=False, lineterminator="\n")
    print(results.groupby("part", sort=False)["found"].agg(["sum", "size"]).to_string())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
