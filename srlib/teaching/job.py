"""Work in the background that can be watched, stopped, and trusted not to fail in silence.

A cell that runs blocks every button of a notebook, so work that is started by one and takes more than a second belongs
in a thread. An error in a thread is seen by nobody: :meth:`Job.wait` raises it where it is.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any

from ..events import Heartbeat, Iteration

__all__ = ["Job"]


class Job:
    """A function that runs in a background thread.

    Parameters
    ----------
    fn : callable
        ``fn(job)``; it looks at :attr:`stopping` often, and may call :meth:`report`.

    Attributes
    ----------
    result
        What ``fn`` returned, or None before that.
    error : BaseException or None
        What it raised.
    fraction : float or None
        How much is done, from 0 to 1; None if that is not known.
    text : str
        What is being done.

    Examples
    --------
    >>> Job(lambda job: 6 * 7).start().wait()
    42
    """

    def __init__(self, fn: Callable[[Job], Any]):
        self.fn = fn
        self.result, self.error = None, None
        self.fraction, self.text = None, ""
        self._stop, self._thread = threading.Event(), None

    @property
    def stopping(self) -> bool:
        """Whether somebody asked the job to stop."""
        return self._stop.is_set()

    @property
    def running(self) -> bool:
        """Whether the thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> Job:
        """Start the thread and return the job; a job runs once."""
        if self._thread is not None:
            raise RuntimeError("This job was started before; make a new Job for another run.")
        self._thread = threading.Thread(target=self.run, name="srlib job", daemon=True)
        self._thread.start()
        return self

    def run(self) -> None:
        """Do the work in the thread of the caller; an error is kept for :meth:`wait`."""
        try:
            self.result = self.fn(self)
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Ask the job to stop soon and keep what it has."""
        self._stop.set()

    def sleep(self, seconds: float) -> bool:
        """Wait, but not after :meth:`stop`; return :attr:`stopping`."""
        return self._stop.wait(seconds)

    def report(self, fraction: float | None = None, text: str = "") -> None:
        """Say how much is done (from 0 to 1) and what is being done."""
        self.fraction, self.text = fraction if fraction is None else min(max(float(fraction), 0.0), 1.0), text

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the end and return the result; raise the job's error here.

        Parameters
        ----------
        timeout : float, optional
            After so many seconds the job is asked to stop and TimeoutError is raised.
        """
        if self._thread is None:
            raise RuntimeError("This job was not started; call start() first.")
        try:
            self._thread.join(timeout)
        except KeyboardInterrupt:
            self.stop()
            self._thread.join(5)
            raise
        if self._thread.is_alive():
            self.stop()
            self._thread.join(2)
            raise TimeoutError(f"The job was not finished after {timeout} s and was asked to stop.")
        if self.error is not None:
            raise self.error
        return self.result

    def callback(self, event) -> bool:
        """Pass on the progress of a method of srlib and tell it to stop when the job shall.

        Give it to any estimator: ``GeneticRegressor(callbacks=[job.callback])``.
        """
        match event:
            case Iteration(number=number, total=total):
                best = min((row.loss for row in event.front), default=None) if event.front is not None else None
                words = f"iteration {number}" + (f" of {total}" if total else "")
                words += "" if best is None else f", best loss {best:.3g}"
                self.report(number / total if total else None, words)
            case Heartbeat(evaluations=evaluations):
                if not self.text:
                    self.report(None, f"{evaluations:,} formulas tried")
        return self.stopping

    def traceback(self) -> str:
        """Return where the error came from, as text; empty if there is none."""
        return "".join(traceback.format_exception(self.error)) if self.error is not None else ""
