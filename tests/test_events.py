"""The callbacks that ship with the library."""

import io
import signal

import pytest

from srlib import Expression, ParetoFront
from srlib.events import Finished, Heartbeat, Iteration, ProgressBar, Recorder, Started
from srlib.run import Run


def a_fit():
    front = ParetoFront()
    front.add(Expression.variable(0), 0.25)
    yield Started("GeneticRegressor", total=3, first=0, rows=10, features=1)
    yield Iteration(1, 3, 0.1, 100, front)
    yield Heartbeat(0.15, 150)
    yield Iteration(2, 3, 0.2, 200, front)
    yield Finished("completed", 0.3, 300, front)


def test_recorder_keeps_everything_but_heartbeats():
    recorder = Recorder()
    assert not any(recorder(event) for event in a_fit())
    assert [type(event).__name__ for event in recorder.events] == ["Started", "Iteration", "Iteration", "Finished"]
    assert [event.number for event in recorder.iterations] == [1, 2]


def test_progress_bar_shows_the_loss_and_closes():
    out = io.StringIO()
    bar = ProgressBar(file=out, mininterval=0, ascii=True)
    assert not any(bar(event) for event in a_fit())
    assert "2/3" in out.getvalue() and "loss 0.25" in out.getvalue() and "completed" in out.getvalue()
    assert bar.bar.disable  # closed


def test_an_interrupt_that_was_swallowed_is_raised_at_the_next_look(ctrl_c):
    run, before = Run("method"), signal.getsignal(signal.SIGINT)
    with run.noting_interrupts():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pass  # as a compiled function does while it looks at its arguments
        with pytest.raises(KeyboardInterrupt):
            run.look()
        run.look()
    assert signal.getsignal(signal.SIGINT) is before
