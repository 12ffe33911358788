"""What may be wrong with a stored notebook: not as its text says, not run, too large, or with outputs that must not be.

`srlib.teaching.build` and the tests of the course ask the same questions here.
"""

import re

__all__ = ["LARGEST", "WIDGET", "problems"]

LARGEST = 1_000_000  # bytes of a notebook
WIDGET = "application/vnd.jupyter.widget-view+json"
_PICTURE = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]*")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")
_PATH = re.compile(r"(?:/(?:home|root|Users|tmp|opt|usr|var|private)/|[A-Z]:\\Users\\|site-packages)[^\s'\"<>]*")
_IMAGE_TAG = re.compile(r"<img\b[^>]*>")


def problems(notebook, text=None, size: int = 0) -> list[str]:
    """What is wrong with a stored notebook, in sentences; empty if nothing is.

    Parameters
    ----------
    notebook : NotebookNode
        As stored.
    text : NotebookNode, optional
        As `read_text` gives it; the inputs must be equal by type, source and tags.
    size : int
        Bytes of the stored file.
    """
    found = []
    if text is not None:
        found += _differences(notebook, text)
    if size >= LARGEST:
        found.append(f"{size / 1e6:.2f} MB, the limit is {LARGEST / 1e6:.0f} MB")
    count = 0
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        place = f"cell {number} ({cell.source.strip().splitlines()[0][:50] if cell.source.strip() else 'empty'})"
        if re.search(r"\bOutput\(", cell.source):
            # nbval sees what such a widget holds as output of the cell, nbclient does not, and may wait for it forever.
            found.append(f"{place}: an Output widget; use HTML or Image widgets, whose value is compared")
        if cell.source.strip():
            count += 1
            if cell.execution_count != count:
                found.append(f"{place}: run as number {cell.execution_count}, expected {count}")
        found += [f"{place}: {sentence}" for output in cell.outputs for sentence in _output_problems(output)]
    return found


def _differences(notebook, text) -> list[str]:
    stored = [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in notebook.cells]
    wanted = [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in text.cells]
    if stored != wanted:
        pairs = enumerate(zip(stored, wanted, strict=False))
        first = next((i for i, (a, b) in pairs if a != b), min(len(stored), len(wanted)))
        return [f"cell {first} differs from the text ({len(stored)} cells stored, {len(wanted)} in the text)"]
    if [c.get("id") for c in notebook.cells] != [c.id for c in text.cells] or notebook.metadata != text.metadata:
        return ["ids or metadata are not those that the build gives"]
    return []


def _output_problems(output) -> list[str]:
    if output.output_type == "error":
        return [f"error {output.ename}: {output.evalue}"]
    data = output.get("data", {})
    found = []
    if WIDGET in data:
        found.append("a widget's view is stored; its model is gone")
    html = "".join(data.get("text/html", ""))
    if any(key in data for key in ("image/png", "image/jpeg", "image/svg+xml")):
        found.append("a bare image has no alternative text; show it as HTML with alt")
    if any(not re.search(r'\balt="[^"]', tag) for tag in _IMAGE_TAG.findall(html)):
        found.append("an <img> without alternative text")
    texts = [output.get("text", ""), *(value for value in data.values() if isinstance(value, str))]
    for text in texts:
        text = _PICTURE.sub("", text)
        for what, pattern in (("memory address", _ADDRESS), ("path of this machine", _PATH)):
            match = pattern.search(text)
            if match:
                found.append(f"{what}: {match[0]}")
    return found
