"""A real JupyterLab in headless Chromium: open a notebook, run it, use its controls, look at it.

For tests through the fixtures of `conftest.py`; for authors, who want to see a lesson as a student does, by
``python tests/browser/lab.py course/00_start_here.ipynb --png /tmp/shots``.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SETTINGS = {
    # All cells stand in the page, also those that are not in view; nothing covers the page.
    "notebook-extension/tracker": {"windowingMode": "none", "scrollPastEnd": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}
OUTPUT = ".jp-OutputArea-output"
# The notebook in front: whether it has a kernel, and what its cells hold. `window.jupyterapp` is there because of
# --LabApp.expose_app_in_browser.
STATE = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    if (!panel?.content?.widgets || !panel.context.isReady) return null;
    const cells = panel.content.widgets.filter(c => c.model.type === 'code' && c.model.sharedModel.source.trim());
    return {
        kernel: panel.sessionContext.session?.kernel?.status ?? 'none',
        run: cells.filter(c => c.model.executionCount !== null).length,
        cells: cells.length,
        errors: cells.flatMap(c => c.model.outputs.toJSON()).filter(o => o.output_type === 'error')
            .map(o => `${o.ename}: ${o.evalue}`),
    };
}"""
PICTURES = """async element => {
    const found = [...(element.matches('img,svg,canvas') ? [element] : element.querySelectorAll('img,svg,canvas'))];
    return Promise.all(found.map(async e => e.tagName === 'IMG'
        ? (e.src.startsWith('blob:') ? [...new Uint8Array(await (await fetch(e.src)).arrayBuffer())].join() : e.src)
        : e.tagName === 'CANVAS' ? e.toDataURL() : e.outerHTML));
}"""


class LabError(AssertionError):
    """Something went wrong in the notebook or in its page."""


def chromium() -> str | None:
    """The path of Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("SRLIB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def missing() -> str:
    """Why there is no browser to test with, or an empty string."""
    lacking = [name for name in ("playwright", "jupyterlab", "ipywidgets") if importlib.util.find_spec(name) is None]
    if chromium() is None:
        lacking.append("Chromium")
    return f"{', '.join(lacking)} not installed" if lacking else ""


@contextlib.contextmanager
def lab_server(folder: Path):
    """JupyterLab with factory settings on a free local port, serving `folder`; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as scratch:
        scratch = Path(scratch)
        names = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
                 "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}  # fmt: skip
        environment = os.environ | {name: str(scratch / part) for name, part in names.items()}
        environment |= {"JUPYTER_PLATFORM_DIRS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
        # The copied notebooks find srlib also where it is not installed.
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        for plugin, values in SETTINGS.items():
            path = scratch / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), encoding="utf-8")
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            "--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
            "--LabApp.expose_app_in_browser=True",
        ]  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        with open(scratch / "log", "w+", encoding="utf-8") as log:
            server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
            try:
                _wait_for(f"{address}/api/status", server, log)
                yield address
            finally:
                server.terminate()
                try:
                    server.wait(20)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()


def _wait_for(address: str, server, log, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while server.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            direct.open(address, timeout=5).close()
            return
        time.sleep(0.2)
    log.seek(0)
    raise LabError(f"JupyterLab did not start:\n{log.read()[-3000:]}")


@contextlib.contextmanager
def browser(width: int = 1280, height: int = 900):
    """Headless Chromium; gives a function that opens a new page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium(), headless=True, args=FLAGS)
        try:
            yield lambda: instance.new_page(viewport={"width": width, "height": height})
        finally:
            instance.close()


class LabPage:
    """One notebook open in JupyterLab.

    Parameters
    ----------
    page : playwright.sync_api.Page
    address : str
        Of the server.

    Attributes
    ----------
    page : playwright.sync_api.Page
        For what the methods do not cover.
    """

    def __init__(self, page, address: str):
        self.page, self.address = page, address
        self._heard, self._stderr, self._page_errors = [], "", []
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self._page_errors.append(str(error)))
        page.on("websocket", lambda socket: socket.on("framereceived", self._listen))

    def _listen(self, frame) -> None:
        """Note errors that the kernel reports, also those that the page does not show (from callbacks of widgets)."""
        for kind, content in _messages(frame):
            if kind == "error":
                self._heard.append(f"{content.get('ename')}: {content.get('evalue')}")
            elif kind == "stream" and content.get("name") == "stderr":  # comes in pieces
                self._stderr += content.get("text", "")

    def open(self, notebook: str) -> None:
        """Open a notebook, by its path below the server's folder, and wait for its kernel."""
        self.page.goto(f"{self.address}/lab/tree/{notebook}?reset")
        self._until(lambda state: state["kernel"] == "idle", 90, "a kernel")
        self.page.evaluate("window.jupyterapp.shell.collapseLeft()")

    def run_all(self, seconds: float = 300) -> None:
        """Clear all outputs, run all cells, wait for the last, and raise if there was an error."""
        command = "name => window.jupyterapp.commands.execute(name)"
        self.page.evaluate(command, "notebook:clear-all-cell-outputs")
        self._until(lambda state: state["run"] == 0, 30, "the outputs to be cleared")
        self.page.evaluate("name => void window.jupyterapp.commands.execute(name)", "notebook:run-all-cells")
        self._until(lambda state: state["run"] == state["cells"] and state["kernel"] == "idle", seconds, "all cells")
        self.page.wait_for_timeout(300)
        self.check()

    def _until(self, done, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.page.evaluate(STATE)
            dialog = self.page.locator(".jp-Dialog .jp-mod-accept")  # "Select Kernel", now and then
            if dialog.count():
                dialog.first.click()
            if state and state["errors"]:
                self.check()
            if state and done(state):
                return
            self.page.wait_for_timeout(100)
        raise LabError(f"waited {seconds} s for {what}; the notebook: {state}")

    def error_outputs(self) -> list[str]:
        """Each error: of a cell, of a widget's callback, in a thread, in the page, in place of a widget."""
        state = (self.page.evaluate(STATE) if self.page.url.startswith("http") else None) or {"errors": []}
        broken = self.page.locator(OUTPUT).get_by_text(re.compile("Error displaying widget|model not found")).all()
        parts = self._stderr.split("Traceback (most recent call last)")[1:]  # of a thread
        uncaught = [re.split(r"\n(?=[\w.]+(?::|$))", part, maxsplit=1)[-1].split("\n")[0] for part in parts]
        broken += self.page.locator(f"{OUTPUT} [role=alert]:visible").all()  # where a panel tells what failed
        places = [place.inner_text() for place in broken]
        return list(dict.fromkeys([*state["errors"], *self._heard, *uncaught, *self._page_errors, *places]))

    def check(self) -> None:
        """Raise `LabError` if there was any error."""
        if found := self.error_outputs():
            raise LabError("\n".join(found))

    def forget_errors(self) -> None:
        """After a test that provoked an error: start anew on an empty page."""
        self.page.goto("about:blank")
        self._heard, self._stderr, self._page_errors = [], "", []

    @property
    def outputs(self):
        """All outputs of cells, as a locator; the source of a cell is never among them."""
        return self.page.locator(OUTPUT)

    def output(self, element):
        """The output of a cell in which a locator's element is, such as a button."""
        return element.first.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea-output')][last()]")

    def panels(self) -> tuple[list, list]:
        """The outputs with a slider and a picture but no Start button, and those with a Start button."""
        sliders, starts = self.outputs.get_by_role("slider"), self.outputs.get_by_role("button", name="Start")
        each = [self.output(sliders.nth(i)) for i in range(sliders.count())]
        panels = {o.evaluate("e => [...document.querySelectorAll('.jp-OutputArea-output')].indexOf(e)"): o for o in each
                  if o.locator("img").count() and not o.get_by_role("button", name="Start").count()}  # fmt: skip
        return list(panels.values()), [self.output(starts.nth(i)) for i in range(starts.count())]

    def figures(self, within=None) -> list[dict]:
        """Alternative text and a hash of the picture of each image in the outputs."""
        images = (within or self.outputs).locator("img:visible").all()
        return [{"alt": image.get_attribute("alt"), "src": self.picture(image)} for image in images]

    def slider(self, name=0, within=None):
        """A slider's handle by its position, or by the label of the number box beside it."""
        if isinstance(name, int):
            return (within or self.outputs).get_by_role("slider").nth(name)
        row = self.number_box(name, within).locator("xpath=ancestor::*[.//*[@role='slider']][1]")
        return row.get_by_role("slider").first

    def number_box(self, label: str, within=None):
        """The number box with this label; ``.fill("3")`` then ``.press("Enter")``."""
        return (within or self.outputs).get_by_label(label, exact=True).first

    def press(self, locator, key: str) -> None:
        """Give the element the keyboard's focus and press a key."""
        locator.focus()
        locator.press(key)

    def button(self, name, within=None):
        """The first visible button by its text or a pattern."""
        exact = isinstance(name, str)
        return (within or self.outputs).get_by_role("button", name=name, exact=exact).first

    def press_button(self, name, within=None) -> None:
        """Press a button by the keyboard."""
        self.press(self.button(name, within), "Enter")

    def picture(self, locator) -> str:
        """A hash of all images, drawings and canvases in an element."""
        return hashlib.sha1(json.dumps(locator.first.evaluate(PICTURES)).encode()).hexdigest()

    def wait_until_changed(self, locator, before: str, look=None, seconds: float = 20) -> str:
        """Wait until what `look` sees (default: `picture`) is no longer `before`, and return it."""
        look = look or self.picture
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            now = look(locator)
            if now != before:
                return now
            self.page.wait_for_timeout(50)
        self.check()
        raise LabError(f"nothing changed in {seconds} s")

    def screenshot(self, path) -> None:
        """The window as it is."""
        self.page.screenshot(path=str(path))

    def screens(self, folder: Path, stem: str) -> list[Path]:
        """The whole notebook as pictures of one window each; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        scroll = """top => {
            const all = [...document.querySelectorAll('.jp-NotebookPanel-notebook, .jp-NotebookPanel-notebook *')];
            const box = all.find(e => e.scrollHeight > e.clientHeight + 5 &&
                /auto|scroll/.test(getComputedStyle(e).overflowY) && e.clientHeight > 300);
            if (!box) return null;
            box.scrollTop = top;
            return [box.scrollTop, box.clientHeight, box.scrollHeight];
        }"""
        paths, top = [], 0
        while True:
            place = self.page.evaluate(scroll, top)
            self.page.wait_for_timeout(200)
            paths.append(folder / f"{stem}_{len(paths) + 1:02d}.png")
            self.screenshot(paths[-1])
            if place is None or place[0] + place[1] >= place[2] - 1:
                return paths
            top = place[0] + place[1] - 60  # an overlap, so that no line is cut in both


def _messages(frame):
    """Type and content of the kernel's messages in a frame of a websocket, of either Jupyter protocol."""
    with contextlib.suppress(ValueError, KeyError, IndexError, UnicodeDecodeError, AttributeError):
        if isinstance(frame, bytes):  # v1.kernel.websocket.jupyter.org: a count, then offsets of the parts
            count = int.from_bytes(frame[:8], "little")
            if not 6 <= count <= 64:
                return
            at = [int.from_bytes(frame[8 * i : 8 * i + 8], "little") for i in range(1, count + 1)]
            header, content = json.loads(frame[at[1] : at[2]]), json.loads(frame[at[4] : at[5]])
            yield header["msg_type"], content
        else:
            message = json.loads(frame)
            yield message["header"]["msg_type"], message["content"]


def main(arguments=None) -> int:
    """Run notebooks in JupyterLab and write what a student sees as pictures of 1280x900."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--png", type=Path, default=Path("screens"), metavar="FOLDER")
    parser.add_argument("--as-stored", action="store_true", help="do not run the cells: what opens before that")
    options = parser.parse_args(arguments)
    if lacking := missing():
        parser.error(lacking)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="lesson-", ignore_cleanup_errors=True) as folder, browser() as new_page:
        for path in options.notebooks:
            shutil.copytree(path.parent, Path(folder) / path.stem, ignore=shutil.ignore_patterns("text", ".*"))
        with lab_server(Path(folder)) as address:
            for path in options.notebooks:
                page = LabPage(new_page(), address)
                try:
                    page.open(f"{path.stem}/{path.name}")
                    if not options.as_stored:
                        page.run_all()
                except LabError as error:
                    print(f"{path}: {error}", file=sys.stderr)
                    failed += 1
                for png in page.screens(options.png, path.stem):
                    print(png)
                page.page.close()
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
