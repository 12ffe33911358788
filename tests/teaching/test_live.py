import threading

import pytest

pytest.importorskip("ipywidgets")

from srlib.teaching import LiveRun, Slider, Toggle  # noqa: E402

LIMIT = 20  # seconds after which a test gives up


def draw(snapshot, fig):
    fig.subplots().plot([0, snapshot])


def describe(snapshot):
    return f"The count is {snapshot}."


def count(job, last):
    for number in range(1, last + 1):
        job.report(number / last, f"step {number}")
        yield number


def endless(job, fast=True):
    number = 0
    while not job.sleep(0.001):
        number += 1
        job.report(None, f"step {number}")
        job.publish(number)


def live(work=count, controls=None, **options):
    return LiveRun(work, draw, [Slider("last", 1, 9, 1, 3)] if controls is None else controls, describe, **options)


def test_a_run_in_the_cell():
    run = live()
    assert run.run(last=4) == 4
    assert 'alt="The count is 4."' in run.picture.widget.value
    assert "Finished: step 4." in run.status.value and run.progress.value == 1


def test_a_run_in_the_background():
    run = live()
    run.start_button.click()
    assert run.wait(LIMIT) == 3
    assert "The count is 3." in run.picture.widget.value
    assert (run.start_button.disabled, run.stop_button.disabled) == (False, True)


def test_it_starts_again():
    run = live()
    assert run.start(last=2).wait(LIMIT) == 2
    assert run.start(last=5).wait(LIMIT) == 5


def test_stop_keeps_the_last_snapshot():
    run = live(endless, controls=[])
    run.start()
    assert (run.start_button.disabled, run.stop_button.disabled) == (True, False)
    with pytest.raises(RuntimeError, match="A run is at work"):
        run.start()
    while not run.job.published:
        run.job.sleep(0.001)
    run.stop_button.click()
    last = run.wait(LIMIT)
    assert last == run.job.snapshot and f"The count is {last}." in run.picture.widget.value
    assert "Stopped at step" in run.status.value and run.progress.bar_style == "warning"
    assert not run.start_button.disabled


def test_stop_ends_a_generator_that_does_not_look():
    def forever(job):
        number = 0
        while True:
            number += 1
            yield number

    run = live(forever, controls=[])
    run.start().stop()
    assert run.wait(LIMIT) >= 1


def test_pictures_come_at_most_four_times_a_second():
    drawn = []

    def busy(job):
        yield from range(10_000)

    run = LiveRun(busy, lambda snapshot, fig: drawn.append(snapshot))
    run.start().wait(LIMIT)
    assert drawn[0] == 0 and drawn[-1] == 9999 and len(drawn) < 1000
    drawn.clear()
    run.run()
    assert drawn == [9999]


def test_they_are_drawn_in_the_background():
    threads = []
    run = LiveRun(count, lambda snapshot, fig: threads.append(threading.current_thread()), [Slider("last", 1, 9, 1, 3)])
    run.start().wait(LIMIT)
    assert threads and threading.main_thread() not in threads


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("part", ["work", "draw"])
def test_errors_are_shown_and_raised(background, part):
    def fail(*_arguments):
        raise ZeroDivisionError("boom <1>")

    def work(job):
        yield 1
        if part == "work":
            fail()

    run = LiveRun(work, draw if part == "work" else fail)
    with pytest.raises(ZeroDivisionError, match="boom"):
        run.start().wait(LIMIT) if background else run.run()
    assert "boom &lt;1&gt;" in run.picture.widget.value and 'role="alert"' in run.picture.widget.value
    assert "error" in run.status.value and not run.start_button.disabled


def test_sweep_starts_and_stops_at_each_extreme():
    seen = []

    def work(job, last, fast):
        seen.append((last, fast))
        return endless(job)

    run = live(work, [Slider("last", 1, 9, 1, 3), Toggle("fast", True)])
    assert run.sweep() == 5
    assert seen == [(1, True), (5, True), (9, True), (3, False), (3, True)]
    assert run.controls.values == {"last": 3, "fast": True}


def test_sweep_raises():
    def work(job, last):
        if last == 9:
            raise ValueError("too many")

    with pytest.raises(ValueError, match="too many"):
        live(work).sweep()


def test_sweep_finds_work_that_does_not_stop():
    release = threading.Event()

    def deaf(job):
        job.publish(1)
        release.wait(LIMIT)

    with pytest.raises(TimeoutError):
        live(deaf, controls=[]).sweep(limit=0.01)
    release.set()


def test_show_gives_widgets_and_pictures_of_runs(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a shell")
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    run = live(title="Counting")
    run.show(twin=[{"last": 2}, {"last": 9}])
    widget, twin = shown
    assert widget["text/plain"].startswith("[Interactive run “Counting”")
    assert "last = 2: The count is 2. last = 9: The count is 9." in twin["text/plain"]
    assert run.controls.values == {"last": 3} and "Ready." in run.status.value


def test_misuse():
    with pytest.raises(RuntimeError, match="start"):
        live().wait()
    with pytest.raises(ValueError, match="did you mean 'last'"):
        live().start(lst=3)
    live().stop()  # nothing to stop: no error
