"""Measure how long each lesson runs and how much memory it takes: ``python -m srlib.teaching.budget [--write]``.

The measured numbers stand at the top of each lesson, in the line that `budget_line` gives; ``--write`` puts them there.
The exit code is 1 if a lesson is over the budget, or if its line promises clearly less than it takes.
"""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import NamedTuple

from .build import execute, find_pairs, read_text

__all__ = ["BUDGET_LINE", "Cost", "budget_line", "measure", "verdict", "with_line"]

MOST_SECONDS, MOST_MEGABYTES = 90, 1500
# A course's first impressions must be quick.
MOST_SECONDS_OF = {"00": 60, "01": 60}
BUDGET_LINE = re.compile(r"\*Runs in about (\d+) s and (\d+) MB on 2 cores\.\*")
# The peak of this process alone. Linux hands a parent's `ru_maxrss` on to the kernel that it starts, so VmHWM is asked.
_MEMORY = """
import pathlib, re, sys
status = pathlib.Path("/proc/self/status")
if status.exists():
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]) * 1024)
else:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


class Cost(NamedTuple):
    """What a run of a lesson takes: seconds with the start of the kernel, and its peak memory in MB (10^6 bytes)."""

    seconds: float
    megabytes: float


def measure(text: Path, folder: Path) -> Cost:
    """Run a lesson from its text, without writing its notebook.

    Parameters
    ----------
    text : Path
        The py:percent file.
    folder : Path
        The kernel's working directory, as for the notebook.

    Returns
    -------
    Cost

    Raises
    ------
    RuntimeError
        If a cell fails.
    """
    import nbformat

    notebook = read_text(text)
    notebook.cells.append(nbformat.v4.new_code_cell(_MEMORY))
    start = time.monotonic()
    execute(notebook, folder)
    seconds = time.monotonic() - start
    return Cost(seconds, int(notebook.cells[-1].outputs[0].text) / 1e6)


def budget_line(cost: Cost) -> str:
    """The line at the top of a lesson: seconds rounded up to 5, memory to 50 MB.

    Examples
    --------
    >>> budget_line(Cost(31.4, 377))
    '*Runs in about 35 s and 400 MB on 2 cores.*'
    """
    seconds, megabytes = -(-cost.seconds // 5) * 5, -(-cost.megabytes // 50) * 50
    return f"*Runs in about {seconds:.0f} s and {megabytes:.0f} MB on 2 cores.*"


def with_line(text: str, cost: Cost) -> str:
    """The text of a lesson with its budget line brought up to date.

    Raises
    ------
    ValueError
        If the text has not exactly one such line.

    Examples
    --------
    >>> with_line("# *Runs in about 5 s and 50 MB on 2 cores.*", Cost(31.4, 377))
    '# *Runs in about 35 s and 400 MB on 2 cores.*'
    """
    changed, count = BUDGET_LINE.subn(budget_line(cost), text)
    if count != 1:
        raise ValueError(f"expected one line like {budget_line(cost)!r}, found {count}")
    return changed


def verdict(name: str, text: str, cost: Cost) -> list[str]:
    """What is wrong with a lesson's cost, in sentences; empty if nothing is.

    Parameters
    ----------
    name : str
        How the file's name begins tells which budget holds, e.g. "01_genetic_algorithms".
    text : str
        Source of the lesson, with the line that promises its cost.
    cost : Cost
        As measured.
    """
    found = []
    most = MOST_SECONDS_OF.get(name[:2], MOST_SECONDS)
    if cost.seconds > most:
        found.append(f"{cost.seconds:.0f} s, the budget is {most} s")
    if cost.megabytes > MOST_MEGABYTES:
        found.append(f"{cost.megabytes:.0f} MB, the budget is {MOST_MEGABYTES} MB")
    line = BUDGET_LINE.search(text)
    if line is None:
        found.append(f"no line like {budget_line(cost)!r} at the top")
    # Other machines and other loads: only a promise that is clearly broken counts.
    elif cost.seconds > 1.5 * int(line[1]) + 5 or cost.megabytes > 1.2 * int(line[2]) + 50:
        found.append(f"promises {line[0]!r}")
    return found


def main(arguments=None) -> int:
    """Measure seconds and memory of the lessons, and compare them with the budget and with what each promises."""
    parser = argparse.ArgumentParser(prog="python -m srlib.teaching.budget", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a path, or how a name begins: 01, solutions/01")
    parser.add_argument("--write", action="store_true", help="bring the line in the lesson's text up to date")
    parser.add_argument("--course", type=Path, default=Path("course"), help="default: ./course")
    options = parser.parse_args(arguments)
    try:
        pairs = find_pairs(options.course, options.names)
    except FileNotFoundError as error:
        parser.error(str(error))
    failed = 0
    print(f"{'lesson':<40} {'seconds':>8} {'MB':>8}")
    for path, notebook in pairs:
        name = notebook.relative_to(options.course).with_suffix("").as_posix()
        try:
            cost = measure(path, notebook.parent)
        except RuntimeError as error:
            print(f"{name}\n{error}", file=sys.stderr)
            failed += 1
            continue
        print(f"{name:<40} {cost.seconds:8.1f} {cost.megabytes:8.0f}", flush=True)
        text = path.read_text(encoding="utf-8")
        if options.write and BUDGET_LINE.search(text):
            text = with_line(text, cost)
            path.write_text(text, encoding="utf-8", newline="\n")
        # Worked answers promise nothing, but the budget holds for them too.
        promised = text if path.parent.parent == options.course else budget_line(cost)
        for sentence in verdict(path.stem, promised, cost):
            print(f"    {sentence}", file=sys.stderr)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
