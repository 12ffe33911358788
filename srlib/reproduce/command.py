"""The command line: ``python -m srlib.reproduce SET``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from ..compare.table import fill

__all__ = ["main"]

SETS = {
    "eql": "equation-learner networks: protocol, default, timing, laws, penalties, digits",
    "gnn": "forces from graph networks: laws, units, cures, table, rollouts, split, speed",
    "gmeql": "Gumbel-Max equation learner: default, noise, linear, time, comparison, paper, variants, tenth, code, far",
    "l2o": "learning to optimise: recovery, distillation, tuned, horizon, races, cost",
    "meta": "meta-learning: speed, laws, adaptation, anchor, ablation, document 000",
    "pinn": "physics-informed networks: toy, polynomial, plane, shock, lab, burgers, deepxde",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the runs of a set that its files do not hold yet, and print their summaries."""
    parser = argparse.ArgumentParser(
        prog="python -m srlib.reproduce",
        description="Runs at full size, one row each in CSV files; started again, it goes on there.",
    )
    sets = parser.add_subparsers(dest="set", required=True, metavar="SET", help=", ".join(SETS))
    for name, about in SETS.items():
        one = sets.add_parser(name, help=about)
        one.add_argument("--parts", nargs="+", help="which parts (default: all, the quick ones first)")
        one.add_argument("--seeds", type=int, help="seeds 0 to SEEDS - 1, or so many trials (default: by part)")
        one.add_argument("--budget", type=float, help="seconds at most for each fit of the estimator")
        one.add_argument("--out", type=Path, default=Path("course/results"), help="folder (default: course/results)")
    chosen = parser.parse_args(arguments)
    parts = import_module(f".{chosen.set}", __package__).PARTS
    unknown = set(chosen.parts or ()) - set(parts)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}: choose from {', '.join(parts)}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name in chosen.parts or parts:
        part = parts[name]
        jobs: Iterable[tuple] = part.jobs(part.seeds if chosen.seeds is None else chosen.seeds, chosen.budget)
        table = fill(chosen.out / part.file, part.run, jobs, part.row, part.key, report=report)
        print(f"\n{part.title}\n{part.summary(table).to_string()}", flush=True)


def report(row) -> None:
    """One line for a run that is done."""
    print("  ".join(str(value)[:60] for value in vars(row).values()), flush=True)
