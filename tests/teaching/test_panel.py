import pytest

pytest.importorskip("ipywidgets")

from srlib.teaching import Choice, Panel, Slider, Toggle  # noqa: E402
from srlib.teaching import panel as module  # noqa: E402


def make(compute=None, calls=None, **options):
    calls = [] if calls is None else calls

    def record(degree, scale, kind, noisy):
        calls.append((degree, scale, kind, noisy))
        return (compute or (lambda *values: values))(degree, scale, kind, noisy)

    controls = [
        Slider("degree", 0, 8, 1, 3, label="Degree of the polynomial"),
        Slider("scale", 0.001, 10.0, 0.1, 1.0, log=True),
        Choice("kind", {"A line": "line", "A curve": "curve"}),
        Toggle("noisy", label="Noise"),
    ]
    options.setdefault("size", (2, 1.5))  # small pictures are quick
    options.setdefault("describe", lambda result: f"The degree is {result[0]}.")
    return Panel(record, lambda result, fig: fig.subplots().plot([0, result[0]]), controls, **options)


@pytest.fixture
def shown(monkeypatch):
    outputs = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a shell")
    monkeypatch.setattr("IPython.display.display", lambda data, raw: outputs.append(data))
    return outputs


def boxes(panel):
    return [row.children for row in panel.controls.box.children if type(row).__name__ == "HBox"]


def test_a_change_redraws_once_with_all_values():
    calls = []
    panel = make(calls=calls)
    panel.controls.widgets["degree"].value = 5
    assert calls == [(5, 1.0, "line", False)]
    assert 'alt="The degree is 5."' in panel.picture.widget.value


def test_slider_and_named_box_are_linked_both_ways():
    panel = make()
    box, slider = boxes(panel)[0]
    assert (type(box).__name__, type(slider).__name__) == ("BoundedIntText", "IntSlider")
    assert box.description == "Degree of the polynomial" and not slider.continuous_update
    box.value = 6
    assert slider.value == 6 == panel.result[0]
    slider.value = 2
    assert box.value == 2 == panel.result[0]


def test_sweep_drives_every_control_and_restores():
    calls = []
    panel = make(calls=calls)
    assert panel.sweep() == 10
    assert {call[0] for call in calls} == {0, 4, 8, 3}
    assert {round(call[1], 6) for call in calls} == {0.001, 0.1, 10, 1}
    assert {call[2] for call in calls} == {"line", "curve"} and {call[3] for call in calls} == {False, True}
    assert calls[-1] == (3, 1.0, "line", False)


def test_an_error_is_shown_remembered_and_raised():
    def fail(degree, *others):
        if degree == 8:
            raise ZeroDivisionError("no <way>")
        return (degree,)

    panel = make(fail)
    panel.controls.widgets["degree"].value = 8  # as a reader does: no exception leaves the callback
    assert isinstance(panel.error, ZeroDivisionError)
    assert 'role="alert"' in panel.picture.widget.value and "no &lt;way&gt;" in panel.picture.widget.value
    assert "Degree of the polynomial = 8" in panel.picture.widget.value
    with pytest.raises(ZeroDivisionError):
        panel.set(degree=8)
    panel.set(degree=2)
    assert panel.error is None and "alert" not in panel.picture.widget.value
    with pytest.raises(ZeroDivisionError):
        panel.sweep()
    assert panel.values["degree"] == 2
    panel.controls.widgets["degree"].value = 8
    with pytest.raises(ZeroDivisionError):
        panel.show()


def test_an_error_of_draw_counts_too():
    panel = Panel(lambda n: n, lambda result, fig: 1 / result, [Slider("n", 0, 2, 1, 1)])
    with pytest.raises(ZeroDivisionError):
        panel.sweep()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"degre": 1}, "did you mean 'degree'"),
        ({"degree": 9}, "from 0 to 8"),
        ({"degree": 1.5}, "whole number"),
        ({"degree": True}, "give a number"),
        ({"kind": "square"}, r"one of \['line', 'curve'\]"),
        ({"noisy": 1}, "True or False"),
    ],
)
def test_impossible_settings(values, message):
    with pytest.raises(ValueError, match=message):
        make().set(**values)


@pytest.mark.parametrize(
    ("make_control", "message"),
    [
        (lambda: Slider("n", 3, 3, 1, 3), "must be below"),
        (lambda: Slider("n", 0, 3, 0, 3), "positive"),
        (lambda: Slider("n", 0, 3, 1, 4), "from 0 to 3"),
        (lambda: Slider("n", 0, 3.0, 1, 1, log=True), "logarithmic"),
        (lambda: Choice("kind", []), "empty"),
        (lambda: Choice("kind", ["a"], "b"), "one of"),
    ],
)
def test_impossible_controls(make_control, message):
    with pytest.raises(ValueError, match=message):
        make_control()


def test_two_controls_of_one_name():
    with pytest.raises(ValueError, match="same name"):
        Panel(lambda n: n, lambda result, fig: None, [Toggle("n"), Toggle("n")])


def test_show_gives_widgets_and_a_twin(shown):
    make(title="Fits").show(twin=[{"degree": 1}, {"degree": 8, "noisy": True}])
    widget, twin = shown
    assert widget["text/plain"] == "[Interactive panel “Fits”: run this cell in JupyterLab or Colab to use it.]"
    assert module.WIDGET_VIEW in widget
    assert "Degree of the polynomial = 8, Noise = yes: The degree is 8." in twin["text/plain"]
    assert twin["text/html"].count("<img") == 1 and "Two settings" in twin["text/html"]


def test_a_panel_as_last_line_of_a_cell_shows_itself(shown):
    make()._ipython_display_()
    assert len(shown) == 1


def test_the_twin_changes_nothing_and_is_the_same_each_time(shown):
    panel = make()
    panel.twin([{"degree": 1}, {}])
    panel.twin([{"degree": 1}, {}])
    assert shown[0] == shown[1] and panel.values["degree"] == 3
    with pytest.raises(ValueError, match="did you mean"):
        panel.twin([{"degre": 1}])
    with pytest.raises(ValueError, match="at least one"):
        panel.twin([])


def test_without_describe_the_settings_are_the_text():
    panel = make(describe=None, title="Fits")
    panel.set(degree=4)
    assert "Fits: Degree of the polynomial = 4, scale = 1, kind = A line, Noise = no." in panel.picture.widget.value
