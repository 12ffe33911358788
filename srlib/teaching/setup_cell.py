"""The one setup cell that every lesson starts with, and what it calls.

The cell must run where nothing of the course is there but the notebook itself (Colab, Kaggle). Its text stands here
once, ``python -m srlib.teaching.setup_cell --write`` puts it into the texts of the lessons, and a test holds all
notebooks to it.
"""

import argparse
import importlib.util
import re
from pathlib import Path

__all__ = ["SETUP", "ready", "require", "with_setup"]

# In a clone (also on Binder) the library beside the notebook is taken. Elsewhere only srlib is added: with its
# dependencies, pip would replace the numpy or the ipywidgets of the hosted service.
SETUP = '''\
# Run this cell first. It finds srlib in a clone of the course; on Colab or Kaggle it installs srlib and nothing else.
import importlib.util
import subprocess
import sys
from pathlib import Path

SOURCE = "git+https://github.com/srlib/srlib"
folders = [Path.cwd(), *Path.cwd().parents]
clone = next((folder for folder in folders if (folder / "srlib" / "__init__.py").exists()), None)
if clone is not None:
    sys.path.insert(0, str(clone))
elif importlib.util.find_spec("srlib") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", SOURCE], check=True)
    importlib.invalidate_caches()

from srlib.teaching.setup_cell import ready

ready()'''

# What lessons import, and the name under which it is installed where the two differ.
NEEDED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "pandas": "pandas",
    "sympy": "sympy",
    "matplotlib": "matplotlib",
    "numba": "numba",
    "tqdm": "tqdm",
    "ipywidgets": "ipywidgets",
}

# A cell of a py:percent text that carries the tag `setup`, up to the next cell.
_CELL = re.compile(r'(?ms)^(# %%[^\n]*tags=\[[^\]\n]*"setup"[^\n]*\n).*?(?=^# %%|\Z)')


def require() -> None:
    """Say in one line which packages of the lessons are not installed.

    Raises
    ------
    ModuleNotFoundError
        If one is missing; the message tells the command that installs them.
    """
    missing = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        packages = " ".join(missing)
        raise ModuleNotFoundError(f"not installed: {packages}. Run `%pip install {packages}`, then restart the kernel.")


def ready() -> None:
    """Check what is installed, and say that the lesson can start.

    Examples
    --------
    >>> ready()
    srlib is ready.
    """
    require()
    from .style import use_style

    use_style()
    print("srlib is ready.")


def with_setup(text: str) -> str:
    """The py:percent text of a lesson with the body of its cell tagged ``setup`` replaced by `SETUP`.

    Parameters
    ----------
    text : str
        Source of a lesson, as in ``course/text/*.py``.

    Returns
    -------
    str
        The same text; only the cell tagged ``setup`` may differ.

    Raises
    ------
    ValueError
        If the text has not exactly one such cell.

    Examples
    --------
    >>> SETUP in with_setup('# %% tags=["setup"]\\nimport srlib\\n\\n# %% [markdown]\\n# The question\\n')
    True
    """
    changed, count = _CELL.subn(lambda match: f"{match[1]}{SETUP}\n\n", text)
    if count != 1:
        raise ValueError(f'expected one cell `# %% tags=["setup"]`, found {count}')
    return changed.rstrip("\n") + "\n"


def main(arguments=None) -> int:
    """Print the setup cell, or write it into the texts of the lessons."""
    parser = argparse.ArgumentParser(prog="python -m srlib.teaching.setup_cell", description=main.__doc__)
    parser.add_argument("--write", action="store_true", help="replace the setup cell of the given texts")
    parser.add_argument("texts", nargs="*", type=Path, help="default: course/text/*.py, course/solutions/text/*.py")
    options = parser.parse_args(arguments)
    if not options.write:
        print(SETUP)
        return 0
    course = Path("course")
    for path in options.texts or sorted([*course.glob("text/*.py"), *course.glob("solutions/text/*.py")]):
        before = path.read_text(encoding="utf-8")
        after = with_setup(before)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            print("written:", path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
