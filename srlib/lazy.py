"""Names and modules that are loaded when they are first used, so that importing what mentions them is quick."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

__all__ = ["lazy_names", "postponed"]


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable, Callable]:
    """The ``__getattr__`` and ``__dir__`` of a package (PEP 562).

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        From each name to the module in the package that has it. No module may be called as one of the names.
    """

    def get(name: str):
        if name in homes:
            return getattr(import_module(f".{homes[name]}", package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names


@contextmanager
def postponed(*modules: str) -> Iterator[None]:
    """Within it an import of these modules is put off until one of their names is asked for.

    It is for the imports of a package that loads other large ones for what is seldom used. What it imported keeps
    stand-ins, which answer for the modules; after it an import of the modules is what it always was.

    Examples
    --------
    >>> with postponed("zipapp"):
    ...     import zipapp
    >>> zipapp.ZipAppError.__name__  # now it is loaded
    'ZipAppError'
    """
    standing_in = {name: _StandIn(name) for name in modules if name not in sys.modules}
    sys.modules.update(standing_in)
    try:
        yield
    finally:
        for one in standing_in.values():
            one._step_aside()


class _StandIn(ModuleType):
    """A module that imports the one of its name when it is asked for anything."""

    def _step_aside(self) -> None:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def __getattr__(self, name: str):
        self._step_aside()
        return getattr(import_module(self.__name__), name)
