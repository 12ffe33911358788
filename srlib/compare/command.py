"""The command line: ``python -m srlib.compare SET``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

from .protocols import PROTOCOLS
from .table import fill

__all__ = ["main"]

NEEDS = {"operon": "pyoperon", "gplearn": "gplearn", "processes": "distributed"}  # by how a value begins
OPTIONS = {  # the argument of a run: (type, what it is)
    "method": (str, "which methods"),
    "problem": (str, "which problems"),
    "level": (float, "levels of noise"),
    "threads": (int, "numbers of threads"),
    "budget": (float, "seconds for each run"),
    "executor": (str, "threads, processes"),
    "workers": (int, "numbers of workers"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the runs of a set that its file does not hold yet, and print its summary."""
    parser = argparse.ArgumentParser(
        prog="python -m srlib.compare",
        description="Runs of methods on problems, one row each in a CSV file; started again, it goes on there.",
    )
    sets = parser.add_subparsers(dest="set", required=True, metavar="SET", help=", ".join(PROTOCOLS))
    for name, protocol in PROTOCOLS.items():
        one = sets.add_parser(name, help=f"writes {protocol.path}")
        seeds = len(protocol.values["seed"])
        one.add_argument("--seeds", type=int, default=seeds, help=f"seeds 0 to SEEDS - 1 (default: {seeds})")
        one.add_argument("--out", type=Path, help=f"the CSV file (default: course/results/{protocol.path})")
        one.add_argument("--jobs", type=int, default=1, help="runs at the same time (default: 1)")
        for option, values in protocol.values.items():
            if option != "seed":
                kind, about = OPTIONS[option]
                chosen = {"choices": list(values), "metavar": option.upper()} if kind is str else {}
                text = f"{about} (default: {', '.join(map(str, values))})"
                one.add_argument(f"--{option}", type=kind, nargs="+", default=list(values), help=text, **chosen)
    chosen = parser.parse_args(arguments)
    protocol = PROTOCOLS[chosen.set]
    values = {name: getattr(chosen, name) for name in protocol.values if name != "seed"}
    for value in values.get("method", values.get("executor", ())):
        package = next((needed for start, needed in NEEDS.items() if value.startswith(start)), None)
        if package and find_spec(package) is None:
            extra = "cluster" if package == "distributed" else "peers"
            parser.error(f"{value} needs the package {package}: pip install 'srlib[{extra}]'")
    path = chosen.out or Path("course/results") / protocol.path
    path.parent.mkdir(parents=True, exist_ok=True)

    def report(row) -> None:
        print("  ".join(str(value)[:70] for value in vars(row).values()), flush=True)

    jobs = list(protocol.jobs(seed=range(chosen.seeds), **values))
    with ProcessPoolExecutor(chosen.jobs) if chosen.jobs > 1 else nullcontext() as executor:
        table = fill(path, protocol.run, jobs, protocol.row, tuple(protocol.values), executor, report)
    for title, part in protocol.tables(table).items():
        print(f"\n{title}\n{part.to_string()}")
