"""Live runs: a method at work in the background, with a picture that follows it, and Start and Stop.

As a panel, a live run is made of pure parts that tests call without a browser: ``work(job, **parameters)`` and
``draw(snapshot, fig)``. :meth:`LiveRun.run` does the same work in the cell, for a notebook that runs unattended.
"""

from __future__ import annotations

import html
import inspect
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .controls import Controls
from .job import Job
from .panel import Picture, _heading, _live, display_widget, show_multiples

__all__ = ["LiveJob", "LiveRun"]

_QUIET = 0.25  # seconds between two pictures, so that drawing leaves the processor to the work


class LiveJob(Job):
    """A job that shows its snapshots.

    Parameters
    ----------
    fn : callable
        ``fn(job)``.
    view : callable
        ``view(job, final)`` shows the job's state; called at most four times a second and once at the end.
    """

    def __init__(self, fn: Callable[[LiveJob], Any], view: Callable[[LiveJob, bool], None] | None = None):
        super().__init__(fn)
        self.snapshot, self.published = None, 0
        self._view, self._next = view, 0.0

    def publish(self, snapshot: Any) -> bool:
        """Show a snapshot, or keep it until the next one is due; return :attr:`stopping`."""
        self.snapshot, self.published = snapshot, self.published + 1
        self._refresh()
        return self.stopping

    def report(self, fraction: float | None = None, text: str = "") -> None:
        """Say how much is done (from 0 to 1) and what is being done."""
        super().report(fraction, text)
        self._refresh()

    def run(self) -> None:
        """Do the work, then show its last state."""
        super().run()
        try:
            if self._view:
                self._view(self, True)
        except Exception as error:
            self.error = self.error or error

    def _refresh(self) -> None:
        if self._view and time.monotonic() >= self._next:
            self._view(self, False)
            self._next = time.monotonic() + _QUIET


class LiveRun:
    """Controls, Start and Stop, a progress bar, a line of status and a picture that follows the work.

    Parameters
    ----------
    work : callable
        ``work(job, **parameters)``, one parameter per control. It calls ``job.publish(snapshot)`` now and then and
        ends soon when ``job.stopping``; or it is a generator, and each value that it yields is a snapshot. To an
        estimator of srlib give ``callbacks=[job.callback]``. Its return value is the result (by default the last
        snapshot). It works on its own data: a snapshot must not change after it was published.
    draw : callable
        ``draw(snapshot, fig)`` draws into an empty figure.
    controls : sequence of Slider, Choice or Toggle
        Changes count from the next start.
    describe : callable, optional
        ``describe(snapshot)`` says in a sentence what the picture shows.
    title : str
    size : (float, float)
        Width and height of the picture in inches.

    Attributes
    ----------
    job : LiveJob or None
        The present or last run.

    Examples
    --------
    >>> def count(job, last):
    ...     for number in range(last + 1):
    ...         job.report(number / last, f"at {number}")
    ...         yield number
    >>> from srlib.teaching import Slider
    >>> live = LiveRun(count, lambda n, fig: fig.text(0.5, 0.5, n), [Slider("last", 1, 9, 1, 3)])
    >>> live.run(last=5)
    5
    """

    def __init__(
        self,
        work: Callable[..., Any],
        draw: Callable[[Any, Any], Any],
        controls: Sequence = (),
        describe: Callable[[Any], str] | None = None,
        title: str = "",
        size: tuple[float, float] = (8, 4.5),
    ):
        import ipywidgets as w

        self.work, self.draw, self.describe, self.title, self.size = work, draw, describe, title, size
        self.job: LiveJob | None = None
        self.controls = Controls(controls, lambda: None)
        self.picture = Picture(size, "<i>Press Start, and a picture will appear here.</i>")
        # No icons: a screen reader, and a test, would find them in the names of the buttons.
        self.start_button = w.Button(description="Start", button_style="primary")
        self.stop_button = w.Button(description="Stop", disabled=True)
        self.progress = w.FloatProgress(min=0, max=1, description="Progress", layout={"width": "20em"})
        self.status = w.HTML(_live("Ready."))
        self._lock, self._open, self._parameters = threading.Lock(), False, {}
        self.start_button.on_click(lambda _button: None if self.running else self.start())
        self.stop_button.on_click(lambda _button: self.stop())
        line = w.HBox([self.start_button, self.stop_button, self.progress, self.status])
        line.layout.flex_flow = "row wrap"
        self.box = w.VBox([*_heading(title), self.controls.box, line, self.picture.widget])

    @property
    def running(self) -> bool:
        """Whether a run is at work in the background."""
        return self.job is not None and self.job.running

    def start(self, **values) -> LiveRun:
        """Start a run in the background, with the settings of the controls; ``values`` set some of them first."""
        if self.running:
            raise RuntimeError("A run is at work; stop() it and wait() for its end first.")
        self.controls.set(values)
        self._begin().start()
        return self

    def stop(self) -> None:
        """Ask the run to stop; its last picture stays."""
        with self._lock:  # or the run could end between the question and the message
            if self._open:
                self.job.stop()
                self.status.value = _live("Stopping…")

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the end of the run and return its result; raise its error here."""
        if self.job is None:
            raise RuntimeError("No run was started; call start() first.")
        return self.job.wait(timeout)

    def run(self, **values) -> Any:
        """Run in this cell until the end and return the result; only the last picture is drawn."""
        self.controls.set(values)
        job = self._begin(watched=False)
        job.run()
        if job.error is not None:
            raise job.error
        return job.result

    def _begin(self, watched: bool = True) -> LiveJob:
        parameters = self._parameters = self.controls.values
        self._watched, self._drawn, self._open = watched, 0, True
        self.job = LiveJob(lambda job: self._work(job, parameters), self._view)
        self.start_button.disabled, self.stop_button.disabled = True, False
        self.progress.value, self.progress.bar_style = 0.0, ""
        self.status.value = _live("Running…")
        return self.job

    def _work(self, job: LiveJob, parameters: dict[str, Any]) -> Any:
        if not inspect.isgeneratorfunction(self.work):
            result = self.work(job, **parameters)
            return job.snapshot if result is None else result
        steps = self.work(job, **parameters)
        while True:
            try:
                snapshot = next(steps)
            except StopIteration as end:
                return job.snapshot if end.value is None else end.value
            if job.publish(snapshot):
                steps.close()
                return snapshot

    def _view(self, job: LiveJob, final: bool) -> None:
        """Show the state of the job, in whatever thread this is."""
        if not (self._watched or final):
            return
        try:
            if job.published > self._drawn:
                self._drawn = job.published
                self.picture.draw(self.draw, job.snapshot, self._sentence(job.snapshot))
        except Exception as error:
            if not final:
                raise
            job.error = job.error or error
        with self._lock:
            self._say(job, final)

    def _say(self, job: LiveJob, final: bool) -> None:
        text = html.escape(job.text)
        if not final:
            self.progress.value = job.fraction or 0.0
            self.status.value = _live("Stopping…" if job.stopping else f"Running: {text}" if text else "Running…")
            return
        self._open = False
        if job.error is not None:
            self.picture.fail(job.error, self.controls.words(self._parameters))
            self.progress.bar_style, self.status.value = "danger", _live("Ended with an error.")
        elif job.stopping and job.fraction != 1:
            self.progress.bar_style = "warning"
            self.status.value = _live(f"Stopped at {text}." if text else "Stopped.")
        else:
            self.progress.value, self.progress.bar_style = 1.0, "success"
            self.status.value = _live(f"Finished: {text}." if text else "Finished.")
        self.start_button.disabled, self.stop_button.disabled = False, True

    def _sentence(self, snapshot) -> str:
        return self.describe(snapshot) if self.describe else f"{self.title or 'Picture'} of a run."

    def sweep(self, limit: float = 10.0) -> int:
        """Start and stop a run at the lowest, a middle and the highest setting of each control.

        Parameters
        ----------
        limit : float
            Seconds that a run may take to publish a first snapshot and to stop; TimeoutError after that.

        Returns
        -------
        int
            How many runs were started. The first error is raised.
        """
        before, runs = self.controls.values, 0
        settings = [{name: value} for name, control in self.controls.specs.items() for value in control.sweep()]
        try:
            for setting in settings or [{}]:
                self.start(**before | setting)
                end = time.monotonic() + limit
                while self.running and not self.job.published and time.monotonic() < end:
                    time.sleep(0.01)
                self.stop()
                self.wait(limit)
                runs += 1
        finally:
            self.controls.set(before)
        return runs

    def show(self, twin: Sequence[Mapping[str, Any]] = ()) -> None:
        """Display the controls and, for readers without a running kernel, the last pictures of a few runs.

        Parameters
        ----------
        twin : sequence of dict
            For each run the parameters that differ from the present setting. They run in this cell, so keep them
            short. The last one's picture is also the first that the controls show.
        """
        settings = [dict(setting) for setting in twin]
        before, snapshots = self.controls.values, []
        try:
            for setting in settings:
                self.run(**before | setting)
                snapshots.append(self.job.snapshot)
        finally:
            self.controls.set(before)
        if settings:
            self.progress.value, self.progress.bar_style, self.status.value = 0.0, "", _live("Ready.")
        display_widget(self.box, "run", self.title)
        if settings:
            words = [self.controls.words(setting or before) or "the last picture" for setting in settings]
            sentences = [self._sentence(snapshot) for snapshot in snapshots]
            show_multiples(self.draw, snapshots, words, sentences, self.size, self.title, None, "run")

    _ipython_display_ = show
