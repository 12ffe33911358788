"""The lessons in a real JupyterLab: run from top to bottom, dashboards used by keyboard, no error anywhere.

The first tests try the harness itself on a small notebook. All are in one module, so that with `--dist=loadscope` they
share one server and one browser.
"""

import re
from pathlib import Path

import nbformat
import pytest

from tests.browser.lab import LabError

LESSONS = sorted((Path(__file__).parents[2] / "course").glob("0*.ipynb"))
pytestmark = pytest.mark.browser

CONTROLS = """
import ipywidgets as widgets
def drawing(bend):
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'><path d='M0 0 L30 {bend} L90 0'/></svg>"
    return f'<img alt="A line with its bend at {bend}." src="data:image/svg+xml,{svg}">'.replace("<svg", "%3Csvg")
slider = widgets.IntSlider(value=20, min=0, max=60, step=5, continuous_update=False)
box = widgets.BoundedIntText(value=20, min=0, max=60, description="bend")
widgets.link((slider, "value"), (box, "value"))
view = widgets.HTML(drawing(20))
def redraw(change):
    if change["new"] == 60:
        raise ValueError("too much")
    view.value = drawing(change["new"])
slider.observe(redraw, "value")
widgets.VBox([widgets.HBox([slider, box]), view])
"""
THREAD = """
import threading
stop, status = threading.Event(), widgets.Label("not started")
def work():
    step = 0
    while not stop.wait(0.02):
        step += 1
        status.value = f"step {step}"
    status.value = "stopped"
start_button, stop_button = widgets.Button(description="Start"), widgets.Button(description="Stop")
start_button.on_click(lambda _: threading.Thread(target=work, daemon=True).start())
stop_button.on_click(lambda _: stop.set())
widgets.HBox([start_button, stop_button, status])
"""
BROKEN_THREAD = """
import threading
threading.Thread(target=lambda: 1 / 0).start()
"""


@pytest.fixture
def write(served, request):
    """Write code cells as a notebook into the served folder, and return its path there."""

    def notebook(*sources):
        name = re.sub(r"\W+", "_", request.node.name) + ".ipynb"
        content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        content.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        content.cells[0].execution_count = 7  # as if it had been run before
        nbformat.write(content, served / name)
        return name

    return notebook


def words(locator):
    return locator.first.inner_text()


def test_harness_uses_slider_number_box_and_buttons(page, write, tmp_path):
    page.open(write(CONTROLS, THREAD))
    page.run_all()
    panel = page.output(page.outputs.get_by_role("slider"))
    before = page.picture(panel)
    assert [figure["alt"] for figure in page.figures(panel)] == ["A line with its bend at 20."]

    page.press(page.slider(0), "ArrowRight")
    now = page.wait_until_changed(panel, before)
    assert page.figures(panel)[0]["alt"] == "A line with its bend at 25."
    assert float(page.slider("bend").get_attribute("aria-valuenow")) == 25

    with pytest.raises(LabError, match="nothing changed"):
        page.wait_until_changed(panel, now, seconds=0.3)

    page.number_box("bend").fill("40")
    page.number_box("bend").press("Enter")
    page.wait_until_changed(panel, now)
    assert page.figures(panel)[0]["alt"] == "A line with its bend at 40."

    run = page.output(page.button("Start"))
    page.press_button("Start")
    page.wait_until_changed(run, words(run), words)
    page.press_button("Stop")
    run.get_by_text("stopped").wait_for(timeout=10_000)
    assert [path.stat().st_size > 5000 for path in page.screens(tmp_path, "harness")][0]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1 + 1", "undefined_name", "2"], "NameError: name 'undefined_name'"),
        ([BROKEN_THREAD], "ZeroDivisionError"),
        (["from IPython.display import HTML", "HTML('<p role=alert>This did not work</p>')"], "did not work"),
    ],
    ids=["cell", "thread", "panel"],
)
def test_harness_fails_on_an_error(page, write, cells, message):
    page.open(write(*cells))
    with pytest.raises(LabError, match=message):
        page.run_all()
    page.forget_errors()


def test_harness_fails_on_an_error_in_a_callback(page, write):
    page.open(write(CONTROLS))
    page.run_all()
    panel = page.output(page.outputs.get_by_role("slider"))
    before = page.picture(panel)
    page.press(page.slider(0), "End")
    with pytest.raises(LabError, match="ValueError: too much"):
        page.wait_until_changed(panel, before, seconds=3)
    page.forget_errors()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson(page, path):
    from playwright.sync_api import expect

    page.open(f"course/{path.name}")
    page.run_all()
    assert all(figure["alt"] for figure in page.figures()), "a figure without alternative text"

    panels, runs = page.panels()
    assert panels, "a lesson has a dashboard with a slider and a picture"
    for panel in panels:
        slider = page.slider(0, panel)
        before = page.picture(panel)
        at_end = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
        page.press(slider, "ArrowLeft" if at_end else "ArrowRight")
        page.wait_until_changed(panel, before)
        page.check()

    for run in runs:
        status = run.get_by_role("status").first
        before = words(status)
        page.press_button("Start", run)
        page.wait_until_changed(status, before, words)
        stop = page.button("Stop", run)
        if stop.is_enabled():  # otherwise it has already come to its end
            page.press(stop, "Enter")
        expect(status).to_have_text(re.compile("^(Stopped|Finished)"), timeout=20_000)
        expect(page.button("Start", run)).to_be_enabled()
        page.check()
