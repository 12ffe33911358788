"""One fit as it runs: its budget, its messages, the formulas found so far, and its checkpoint.

A method receives a :class:`Run` and tells it what happens; the run raises :class:`StopSearch` when the fit should
end. What was found lies in :attr:`Run.front`, so nothing is lost, wherever the method is stopped.
"""

from __future__ import annotations

import json
import math
import os
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .events import Finished, Heartbeat, Iteration, Started
from .expression import Expression
from .front import ParetoFront

__all__ = ["Run", "StopSearch", "asked_to_stop", "read_checkpoint", "whole_file", "write_checkpoint"]

HEARTBEAT, FIRST_BEAT = 0.1, 0.005  # seconds between two looks at the clock's consequences, and before the first
LAST_TOUCH = 0.6  # seconds that a method may still polish its front after somebody or the clock has stopped it


class StopSearch(Exception):
    """Raised inside a method to end its search; ``args[0]`` is the reason in :class:`~srlib.events.Finished`."""


class Run:
    """What a method needs to know and to say while it runs.

    Parameters
    ----------
    method : str
        The estimator's class name.
    callbacks : sequence of callable
        See :mod:`srlib.events`.
    time_limit : float, optional
        Seconds.
    max_evaluations : int, optional
        How many formulas may be compared with the data.
    stop_when : float or callable, optional
        Stop as soon as the front holds a loss below this, or a formula for which ``stop_when(loss, complexity)`` is
        true.
    resolution : float
        See :class:`~srlib.front.ParetoFront`.
    checkpoint : path, optional
        Where to keep the state, every ``checkpoint_every`` seconds, and when the estimator asks for it.
    """

    checkpoint_every = 5.0

    def __init__(
        self,
        method: str,
        callbacks: Sequence[Callable] = (),
        time_limit: float | None = None,
        max_evaluations: int | None = None,
        stop_when: float | Callable | None = None,
        resolution: float = 0.0,
        checkpoint: str | os.PathLike | None = None,
    ):
        self.method, self.callbacks = method, tuple(callbacks)
        self.time_limit, self.max_evaluations, self.stop_when = time_limit, max_evaluations, stop_when
        self.front, self.evaluations = ParetoFront(resolution), 0
        self.checkpoint = checkpoint
        self.about: dict[str, Any] = {}  # of the data; kept in the state, so that a later fit can tell others apart
        self.polish_until = math.inf  # on the clock of time.monotonic
        self.reserve = 0.0  # seconds of the time limit that the search leaves to the polish
        self.interrupted = False  # whether Ctrl-C was pressed and nobody has acted on it yet
        self._describe: Callable[[], dict] | None = None
        self._described = 0  # evaluations at that moment: what came later is done again by whoever goes on from there
        self._began = self._beat = self._saved = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the fit began."""
        return time.monotonic() - self._began

    @property
    def evaluations_left(self) -> float:
        """How many more formulas may be compared with the data."""
        return float("inf") if self.max_evaluations is None else self.max_evaluations - self.evaluations

    def start(self, total: int | None, first: int, rows: int, features: int) -> None:
        """Say that the search begins."""
        self._send(Started(self.method, total, first, rows, features))

    def count(self, formulas: int = 1) -> None:
        """So many formulas were compared with the data."""
        self.evaluations += formulas

    def offer(self, expression: Expression, loss: float, complexity: float | None = None) -> None:
        """A formula and its loss: taken to the front if it belongs there, and perhaps reason enough to stop."""
        if self.front.add(expression, loss, complexity) and self._good_enough(
            loss, complexity or expression.complexity
        ):
            raise StopSearch("stop_when")

    def _good_enough(self, loss: float, complexity: float) -> bool:
        if self.stop_when is None:
            return False
        return bool(self.stop_when(loss, complexity)) if callable(self.stop_when) else loss < self.stop_when

    def check(self) -> None:
        """End the search if its budget is spent or somebody asked for it. Call it often: it costs a microsecond."""
        if self.evaluations_left <= 0:
            raise StopSearch("max_evaluations")
        self.look()

    def look(self) -> None:
        """Look at the clock alone: for the middle of a block of evaluations that are already granted."""
        if self.interrupted:
            self.interrupted = False
            raise KeyboardInterrupt
        now = time.monotonic()
        if self.time_limit is not None and now - self._began >= self.time_limit - self.reserve:
            raise StopSearch("time_limit")
        # what is found in the first moment need not wait long: each pause is half of the time so far
        if now - self._beat >= min(HEARTBEAT, max(FIRST_BEAT, 0.5 * (self._beat - self._began))):
            self._beat = now
            self._send(Heartbeat(now - self._began, self.evaluations, self.front.copy()))

    @contextmanager
    def noting_interrupts(self) -> Iterator[None]:
        """Note each Ctrl-C besides raising it, because it is lost where it hits code that swallows exceptions.

        Compiled functions do so while they look at their arguments; the next :meth:`look` then raises it once more.
        """
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or not callable(before):
            yield
            return

        def note(number, frame):
            self.interrupted = True
            before(number, frame)

        signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def iteration(
        self, number: int, total: int | None, describe: Callable[[], dict], details: Mapping[str, Any] | None = None
    ) -> None:
        """Say that an iteration has ended.

        Parameters
        ----------
        number, total : int
            This iteration, and how many are planned.
        describe : callable
            Gives the method's state as plain data for JSON. The state must be the one of this moment whenever it is
            called later.
        details : mapping, optional
            See :class:`~srlib.events.Iteration`.
        """
        self.remember(describe)
        if self.checkpoint is not None and time.monotonic() - self._saved >= self.checkpoint_every:
            self.save()
        self._send(Iteration(number, total, self.elapsed, self.evaluations, self.front.copy(), details or {}))

    def remember(self, describe: Callable[[], dict]) -> None:
        """Where a later fit would go on from; ``describe`` as in :meth:`iteration`."""
        self._describe, self._described = describe, self.evaluations

    def limit_polish(self, reason: str) -> None:
        """Set :attr:`polish_until`: nobody waits long after a stop, and a time limit holds for the polish, too."""
        if reason in ("time_limit", "interrupted", "callback"):
            self.polish_until = time.monotonic() + LAST_TOUCH
        if self.time_limit is not None and reason not in ("interrupted", "callback"):
            self.polish_until = max(self._began + self.time_limit, time.monotonic() + LAST_TOUCH)

    def finish(self, reason: str) -> None:
        """Say that the search has ended."""
        event = Finished(reason, self.elapsed, self.evaluations, self.front.copy())
        for callback in self.callbacks:
            callback(event)

    def state(self) -> dict | None:
        """What a later fit needs to go on from the last iteration that ended; None before the first one."""
        if self._describe is None:
            return None
        return {
            "method": self.method,
            "front": self.front.to_dict(),
            "evaluations": self._described,
            **self.about,
            **self._describe(),
        }

    def save(self) -> None:
        """Write the checkpoint, if there is one to write; a full disk is a warning and does not end the search."""
        if self.checkpoint is not None and self._describe is not None:
            try:
                write_checkpoint(self.checkpoint, self.state())
            except ValueError as error:
                warnings.warn(f"{error}; the search goes on without it", RuntimeWarning, stacklevel=2)
            self._saved = time.monotonic()

    def _send(self, event) -> None:
        if asked_to_stop(self.callbacks, event):
            raise StopSearch("callback")


def asked_to_stop(callbacks: Sequence[Callable], event) -> bool:
    """Give all callbacks an event, and say whether one of them answers something true: that the work should end."""
    return any([bool(callback(event)) for callback in callbacks])  # a list, so that all are called


def write_checkpoint(path: str | os.PathLike, state: Mapping) -> None:
    """Write ``state`` as JSON, whole or not at all: a killed process leaves the old file or the new one."""
    with whole_file(path, "w") as file:
        json.dump(state, file)


@contextmanager
def whole_file(path: str | os.PathLike, mode: str = "wb") -> Iterator[IO]:
    """A file to write to, which takes the place of the old one when all is written, or not at all.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    path, unfinished = Path(path), None
    try:
        with tempfile.NamedTemporaryFile(mode, dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            unfinished = file.name
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        unfinished = None
    except OSError as error:
        raise ValueError(f"checkpoint is {str(path)!r}, which cannot be written: {error}") from error
    finally:
        if unfinished is not None:  # an error, or Ctrl-C
            Path(unfinished).unlink(missing_ok=True)


def read_checkpoint(path: str | os.PathLike, method: str) -> dict | None:
    """The state that :func:`write_checkpoint` wrote; None if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged or another method wrote it; the file is left as it is.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        state = json.loads(path.read_text())
        written_by = state["method"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"checkpoint {str(path)!r} is damaged ({error!r}); the file was left as it is") from None
    if written_by != method:
        raise ValueError(f"checkpoint {str(path)!r} was written by {written_by}, not {method}: choose another file")
    return state
