"""The table that all comparisons write: one CSV row per run, added as soon as it is done, none done twice."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fill"]


def fill(
    path: str | Path,
    run: Callable[..., Any],
    jobs: Iterable[tuple],
    row: type,
    key: Sequence[str],
    executor: Executor | None = None,
    report: Callable[[Any], None] = lambda row: None,
) -> pd.DataFrame:
    """Do the jobs whose row a CSV file does not hold yet, and return the whole table.

    Parameters
    ----------
    path : path
        The CSV file; one row is added for each job.
    run : callable
        ``run(*job)`` gives the job's row, an instance of ``row``.
    jobs : iterable of tuple
        The arguments of ``run``; they are also the values of the row's fields ``key``, in this order.
    row : type
        A dataclass; its fields are the columns.
    key : sequence of str
        The fields that tell one job from another.
    executor : concurrent.futures.Executor, optional
        Where the jobs are done: a process pool, or Dask's ``client.get_executor()``. By default here, one by one.
    report : callable, optional
        Called with each new row.

    Raises
    ------
    ValueError
        If the file has other columns.
    """
    import pandas as pd

    path, columns = Path(path), [field.name for field in fields(row)]
    done = set()
    if path.exists():
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            if list(reader.fieldnames or ()) != columns:
                raise ValueError(
                    f"path is {str(path)!r}, whose columns are {reader.fieldnames}, not {columns}: "
                    "name a new file, or move this one away"
                )
            done = {tuple(one[name] for name in key) for one in reader}
    todo = [job for job in jobs if tuple(map(str, job)) not in done]
    results = (executor.map if executor else map)(run, *zip(*todo, strict=True)) if todo else ()
    for result in results:
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(asdict(result))
        report(result)
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=columns)
