"""Progress events: the only way in which a method talks while it runs.

A method calls each of its ``callbacks`` with one of the small frozen dataclasses below. Progress bars, live plots,
dashboards and recorders are all just callbacks. A callback that returns something true asks the method to stop; the
method then ends within a fraction of a second and keeps everything it has found.

Examples
--------
>>> def stop_at_generation_5(event):
...     return isinstance(event, Iteration) and event.number >= 5
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .front import ParetoFront

__all__ = ["Callback", "Event", "Finished", "Heartbeat", "Iteration", "Preparing", "ProgressBar", "Recorder", "Started"]


@dataclass(frozen=True)
class Started:
    """A fit begins.

    Attributes
    ----------
    method : str
        The estimator's class name.
    total : int or None
        How many iterations are planned.
    first : int
        The number of iterations that were done before (when a fit goes on from an earlier one).
    rows, features : int
        The size of the table.
    """

    method: str
    total: int | None
    first: int
    rows: int
    features: int


@dataclass(frozen=True)
class Heartbeat:
    """The method is alive, in the middle of an iteration; sent ten times a second, at first a little more often.

    Attributes
    ----------
    elapsed : float
        Seconds since the fit began.
    evaluations : int
        How many formulas have been compared with the data.
    front : ParetoFront or None
        The best formulas so far; a copy that will not change.
    """

    elapsed: float
    evaluations: int
    front: ParetoFront | None = None


@dataclass(frozen=True)
class Preparing:
    """Something has to be done before the fit can begin, and its clock starts.

    Attributes
    ----------
    what : str
        Such as "compiling the engine, once on this machine (about 20 s)".
    """

    what: str


@dataclass(frozen=True)
class Iteration:
    """An iteration (a generation, an epoch) has ended.

    Attributes
    ----------
    number, total : int
        This iteration, from 1; how many are planned (None: no limit).
    elapsed, evaluations
        As in :class:`Heartbeat`.
    front : ParetoFront
        The best formulas so far; a copy that will not change.
    details : mapping
        What this method has to say beyond that, such as its population.
    """

    number: int
    total: int | None
    elapsed: float
    evaluations: int
    front: ParetoFront
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """The fit has ended.

    Attributes
    ----------
    reason : str
        ``"completed"``, ``"stop_when"``, ``"time_limit"``, ``"max_evaluations"``, ``"callback"`` or
        ``"interrupted"`` (Ctrl-C).
    elapsed, evaluations, front
        As in :class:`Iteration`.
    """

    reason: str
    elapsed: float
    evaluations: int
    front: ParetoFront


Event = Preparing | Started | Heartbeat | Iteration | Finished
Callback = Callable[[Event], Any]


class ProgressBar:
    """A tqdm bar over the iterations, with the best loss beside it.

    Parameters
    ----------
    **options
        Passed to :class:`tqdm.auto.tqdm`.
    """

    def __init__(self, **options):
        self.options, self.bar = options, None

    def __call__(self, event: Event) -> None:
        from tqdm.auto import tqdm

        match event:
            case Preparing(what=what):
                tqdm.write(what)
            case Started():
                self.bar = tqdm(desc=event.method, total=event.total, initial=event.first, **self.options)
            case Iteration() if self.bar is not None:
                self.bar.update(event.number - self.bar.n)
                best = f"loss {event.front[-1].loss:.3g}, " if len(event.front) else ""  # none is finite so far
                self.bar.set_postfix_str(f"{best}{event.evaluations:,} formulas")
            case Finished() if self.bar is not None:
                self.bar.set_postfix_str(f"{event.reason}, loss {event.front[-1].loss:.3g}")
                self.bar.close()


class Recorder:
    """A callback that keeps every event but heartbeats, in :attr:`events`.

    Examples
    --------
    >>> recorder = Recorder()
    >>> recorder(Heartbeat(0.1, 10)), len(recorder.events)
    (None, 0)
    """

    def __init__(self):
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        if not isinstance(event, Heartbeat):
            self.events.append(event)

    @property
    def iterations(self) -> list[Iteration]:
        """The iterations, in order."""
        return [event for event in self.events if isinstance(event, Iteration)]
