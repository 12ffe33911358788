"""What is installed, in words that a student can act upon."""

import sys
from importlib import metadata

from packaging.version import Version

# The packages of the course and the oldest versions that it is tested with; a test compares them with pyproject.toml.
NEEDED = {
    "numpy": "1.26", "scipy": "1.11.3", "scikit-learn": "1.6", "pandas": "2.1.1", "sympy": "1.12",
    "matplotlib": "3.7.3", "tqdm": "4.64", "ipywidgets": "7.7.1", "torch": "2.2",
}  # fmt: skip


def environment(versions=False):
    """Print, package by package, whether what the course needs is there.

    Parameters
    ----------
    versions : bool
        Whether to print the versions too, for a question or a bug report.
    """
    rows = [("Python", "3.10", sys.version.split()[0])]
    for package, least in NEEDED.items():
        try:
            rows.append((package, least, metadata.version(package)))
        except metadata.PackageNotFoundError:
            rows.append((package, least, None))
    for package, least, found in rows:
        if found is None:
            verdict = f"missing: run %pip install {package}"
        elif Version(found) < Version(least):
            verdict = f"old: the course is tested with {least} and later"
        else:
            verdict = "fine"
        print(f"{package:<13} {found or '–':<12} {verdict}" if versions else f"{package:<13} {verdict}")
