"""Build the notebooks of the course from their text: ``python -m srlib.teaching.build [NAMES]``.

The py:percent files in ``course/text`` (lessons) and ``course/solutions/text`` (worked answers) are the only source.
Each becomes the notebook of the same name one folder up: executed, outputs kept, and without anything that changes from
run to run (cell ids come from the content; no timings, no widget state), so that building twice gives the same bytes.
``--check`` compares stored notebooks with their text by content; file times play no part.
"""

import argparse
import hashlib
import os
import re
import sys
import time
from pathlib import Path

from .stored import WIDGET, problems

__all__ = ["build", "check", "execute", "find_pairs", "read_text", "tidy"]

# What stands in a stored notebook where a running one shows controls. `tests/nbval_sanitize.cfg` knows this sentence.
WIDGET_TEXT = "(interactive controls: run the notebook to use them)"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_WIDGET_REPR = re.compile(r"\w+\((?:children|description|layout|options|value)=")
_KEPT = ("tags", "slideshow")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)


def _need(module: str):
    """Import a package that only authors of lessons have."""
    import importlib

    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error.name} is missing; authors of lessons need: pip install -e '.[dev]'") from None


def find_pairs(course: Path, names=()) -> list[tuple[Path, Path]]:
    """Text and notebook of each lesson and solution, as two paths.

    Parameters
    ----------
    course : Path
        The folder ``course``.
    names : sequence of str
        A path of either file, or how the name begins ("01"; for worked answers "solutions/01"). Empty: all.

    Returns
    -------
    list of (Path, Path)

    Raises
    ------
    FileNotFoundError
        If a name fits nothing.
    """
    texts = [*sorted(course.glob("text/*.py")), *sorted(course.glob("solutions/text/*.py"))]
    pairs = [(text, text.parent.parent / f"{text.stem}.ipynb") for text in texts]
    if not names:
        return pairs
    chosen = []
    for name in names:
        found = [
            pair
            for pair in pairs
            if Path(name).resolve() in (pair[0].resolve(), pair[1].resolve())
            or pair[1].relative_to(course).as_posix().startswith(str(name).removeprefix("course/"))
        ]
        if not found:
            raise FileNotFoundError(f"no lesson {name!r} in {course / 'text'} or {course / 'solutions' / 'text'}")
        chosen += [pair for pair in found if pair not in chosen]
    return chosen


def read_text(path: Path):
    """The notebook that a py:percent file describes, without outputs, in the form in which notebooks are stored."""
    return tidy(_need("jupytext").read(path, fmt="py:percent"))


def tidy(notebook):
    """Normalise a notebook in place: metadata, cell ids from the content, outputs that do not depend on timing.

    Returns
    -------
    NotebookNode
        The notebook itself.
    """
    nbformat = _need("nbformat")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen = {}
    for cell in notebook.cells:
        cell.source = cell.source.strip("\n")
        digest = hashlib.sha1((cell.cell_type + cell.source).encode()).hexdigest()[:8]
        number = seen[digest] = seen.get(digest, -1) + 1
        cell.id = f"{digest}-{number}" if number else digest
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in _KEPT if cell.metadata.get(key)})
        if cell.cell_type == "code":
            cell.outputs = _tidy_outputs(cell.outputs)
        else:
            cell.pop("attachments", None)
    return notebook


def _tidy_outputs(outputs) -> list:
    """Merge neighbouring pieces of one stream, and put a sentence in the place of live controls."""
    kept = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
            continue
        if WIDGET in output.get("data", {}):
            # The model lives in the kernel only: stored, its random id would show as "model not found".
            del output.data[WIDGET]
            if _WIDGET_REPR.match(output.data.get("text/plain", "Widget(value=")):
                output.data["text/plain"] = WIDGET_TEXT
            output.metadata.pop(WIDGET, None)
        kept.append(output)
    for output in kept:
        if output.output_type == "stream":
            output.text = _OVERWRITTEN.sub("", output.text)
    return kept


def execute(notebook, folder: Path, timeout: float = 600):
    """Run a notebook in place, in a kernel of this Python, with `folder` as its working directory.

    Returns
    -------
    NotebookNode
        The notebook itself, with outputs.

    Raises
    ------
    RuntimeError
        If a cell raises; the message holds the cell's source and the traceback.
    """
    nbclient = _need("nbclient")
    _need("ipykernel")
    # The kernel `python3` of this environment, also where the user's own folder has another of that name.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # as in the tests, which compare the last digits
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=timeout,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        raise RuntimeError(_COLOUR.sub("", str(error))) from None
    except nbclient.exceptions.CellTimeoutError as error:
        raise RuntimeError(str(error)) from None
    return notebook


def check(text_path: Path, path: Path) -> list[str]:
    """What is wrong with the stored notebook at `path`, compared with its text."""
    nbformat = _need("nbformat")
    if not path.exists():
        return ["not built yet"]
    return problems(nbformat.read(path, as_version=4), read_text(text_path), path.stat().st_size)


def with_outputs_of(notebook, stored) -> bool:
    """Take over the outputs of a stored notebook if it has the same code; return whether it was so."""
    code, old = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (notebook, stored))
    same = [(c.source, c.metadata.get("tags")) for c in code] == [(c.source, c.metadata.get("tags")) for c in old]
    if not same or problems(stored):
        return False
    for cell, run in zip(code, old, strict=True):
        cell.outputs, cell.execution_count = run.outputs, run.execution_count
    return True


def build(text_path: Path, path: Path, run: bool = True, again: bool = True) -> list[str]:
    """Write the notebook of a text, and return what is wrong with it (it is written all the same, to be looked at).

    Parameters
    ----------
    text_path, path : Path
        The text, and where the notebook goes.
    run : bool
        False: inputs only.
    again : bool
        False: where only prose was changed, keep the outputs of the stored notebook.

    Raises
    ------
    RuntimeError
        If a cell fails; nothing is written then.
    """
    nbformat = _need("nbformat")
    notebook = read_text(text_path)
    stored = nbformat.read(path, as_version=4) if path.exists() and run and not again else None
    if run and not (stored and with_outputs_of(notebook, stored)):
        execute(notebook, path.parent)
        tidy(notebook)
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    return check(text_path, path) if run else []


def main(arguments=None) -> int:
    """Build the notebooks of the course from their text, or check that they belong to it."""
    parser = argparse.ArgumentParser(prog="python -m srlib.teaching.build", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help='a path, or how a name begins: 01, solutions/01')
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a notebook is not as built")
    parser.add_argument("--all", action="store_true", help="run also what did not change (srlib may have)")
    parser.add_argument("--no-execute", action="store_true", help="inputs only, without outputs")
    parser.add_argument("--course", type=Path, default=Path("course"), help="default: ./course")
    options = parser.parse_args(arguments)
    try:
        pairs = find_pairs(options.course, options.names)
    except FileNotFoundError as error:
        parser.error(str(error))
    if not pairs:
        parser.error(f"no lessons in {options.course / 'text'}")
    failed = 0
    if not options.names:
        texts = {notebook for _, notebook in pairs}
        for orphan in sorted({*options.course.glob("*.ipynb"), *options.course.glob("solutions/*.ipynb")} - texts):
            print(f"{orphan}: has no text", file=sys.stderr)
            failed += 1
    for text_path, path in pairs:
        found = check(text_path, path) if not (options.all or options.no_execute) or options.check else []
        verb = "as built"
        if not options.check and (found or options.all or options.no_execute):
            start = time.monotonic()
            try:
                found = build(text_path, path, not options.no_execute, again=options.all)
            except RuntimeError as error:
                print(f"{path}: not built\n{error}", file=sys.stderr)
                failed += 1
                continue
            verb = f"built in {time.monotonic() - start:.0f} s"
        print(f"{path}: {verb if not found else f'{len(found)} problem(s)'}", flush=True)
        for sentence in found:
            print(f"    {sentence}", file=sys.stderr)
        failed += bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
