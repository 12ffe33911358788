import threading

import pytest

from srlib.events import Finished, Heartbeat, Iteration, Started
from srlib.teaching import Job

LIMIT = 20  # seconds after which a test gives up


def test_the_result_comes_back():
    job = Job(lambda job: 42)
    assert not job.running and job.result is None
    assert job.start().wait(LIMIT) == 42 == job.result
    assert not job.running


def test_the_error_is_raised_by_wait():
    def fail(job):
        raise ZeroDivisionError("boom")

    job = Job(fail).start()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="boom"):
            job.wait(LIMIT)
    assert isinstance(job.error, ZeroDivisionError) and "boom" in job.traceback()


def test_stop_keeps_what_there_is():
    begun = threading.Event()

    def count(job):
        number = 0
        while not job.sleep(0.001):
            number += 1
            begun.set()
        return number

    job = Job(count).start()
    assert begun.wait(LIMIT) and job.running
    job.stop()
    assert job.wait(LIMIT) > 0


def test_a_timeout_stops_the_job():
    job = Job(lambda job: job.sleep(LIMIT)).start()
    with pytest.raises(TimeoutError, match="not finished"):
        job.wait(0.01)
    assert job.stopping and not job.running


def test_ctrl_c_stops_the_job(monkeypatch):
    job = Job(lambda job: job.sleep(LIMIT)).start()
    join, calls = job._thread.join, []

    def interrupted(timeout=None):
        calls.append(timeout)
        if len(calls) == 1:
            raise KeyboardInterrupt
        join(timeout)

    monkeypatch.setattr(job._thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        job.wait()
    assert job.stopping and not job.running and job.result is True


def test_misuse():
    with pytest.raises(RuntimeError, match="start"):
        Job(lambda job: 1).wait()
    job = Job(lambda job: 1).start()
    with pytest.raises(RuntimeError, match="new Job"):
        job.start()


def test_report_keeps_to_the_range():
    job = Job(lambda job: None)
    job.report(1.7, "nearly")
    assert (job.fraction, job.text) == (1.0, "nearly")


def test_the_callback_reports_and_stops():
    job = Job(lambda job: None)
    assert not job.callback(Started("GeneticRegressor", 10, 0, 6, 1))
    assert not job.callback(Heartbeat(0.1, 1234)) and job.text == "1,234 formulas tried"
    assert not job.callback(Iteration(3, 10, 0.5, 2000, [])) and job.fraction == 0.3
    assert job.text == "iteration 3 of 10"
    assert not job.callback(Iteration(4, None, 0.5, 2000, [])) and job.fraction is None
    job.stop()
    assert job.callback(Heartbeat(0.6, 2345))
    assert job.callback(Finished("callback", 0.6, 2345, []))


def test_an_estimator_can_be_stopped():
    import numpy as np

    from srlib import GeneticRegressor

    X = np.linspace(1, 2, 20)[:, None]  # (rows, 1)
    model = GeneticRegressor(population_size=30, generations=100_000, random_state=0)

    def work(job):
        def watch(event):
            if isinstance(event, Iteration) and event.number == 2:
                job.stop()
            return job.callback(event)

        return model.set_params(callbacks=[watch]).fit(X, np.sin(X[:, 0]))

    job = Job(work).start()
    assert len(job.wait(60).front_) >= 1
    assert job.text.startswith("iteration 2 of 100000, best loss ")
