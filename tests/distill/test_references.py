"""References in docstrings lead to something that exists, also after modules have moved."""

import re
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "srlib" / "distill").rglob("*.py"))
REFERENCE = re.compile(r":(?:mod|class|func|meth|data|attr):`~?(\.?srlib[\w.]*|\.\w+)`")


def target(name: str, package: str):
    """What a full name, or a module of a package, stands for."""
    parts = (package + name if name.startswith(".") else name).split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            found = getattr(found, attribute)
        return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_references_exist(file):
    package = ".".join(file.relative_to(ROOT).parent.parts)
    for name in REFERENCE.findall(file.read_text("utf-8")):
        target(name, package)


def test_a_reference_to_nothing_is_noticed():
    with pytest.raises(AttributeError):
        target("srlib.distill.no_such_function", "")
