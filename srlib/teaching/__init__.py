"""What the lessons are made of: figures, panels, live runs, and exercises with checks.

A figure is shown once, with a text for those who cannot see it::

    from srlib.teaching import BLUE, CYCLE, figure, show

    fig, ax = figure()
    ax.plot(x, y, **CYCLE[0])
    show(fig, "The loss falls from 10 to 0.1 in 50 generations.")

A panel redraws at once when a control is changed. ``compute`` and ``draw`` are pure functions::

    from srlib.teaching import Choice, Panel, Slider, Toggle

    def compute(degree, noise): return ...          # < 1 s
    def draw(result, fig): ax = fig.subplots(); ...
    def describe(result): return f"The curve misses the points by {result.error:.2g}."

    panel = Panel(compute, draw, [Slider("degree", 0, 9, 1, 3), Toggle("noise")], describe, title="Polynomials")
    panel.show(twin=[{"degree": 1}, {"degree": 3}, {"degree": 9}])   # widgets, and pictures for readers without kernel

A live run is for work that takes longer: it runs in the background, with Start, Stop and progress::

    from srlib.teaching import LiveRun

    def work(job, population):
        def watch(event):
            if isinstance(event, Iteration):
                job.publish(event.front)
            return job.callback(event)              # progress, and Stop
        GeneticRegressor(population_size=population, callbacks=[watch]).fit(X, y)

    LiveRun(work, draw, [Slider("population", 50, 500, 50, 100)], title="Evolution").show(twin=[{}])

An exercise is checked by number; stubs are ``...`` or ``raise NotImplementedError``::

    from srlib.teaching import check, hint, predict, progress, recall

    predict("who survives", ..., ["polynomial", "network", "formula"])
    check("1.1", my_function)
    hint("1.1")
    progress(1)

Tests call ``panel.sweep()`` and ``live.sweep()``, which drive every control through its range.
"""

from .checks import Almost, State, Wrong, check, exercise, hint, predict, progress, recall
from .controls import Choice, Slider, Toggle
from .job import Job
from .live import LiveRun
from .panel import Panel
from .style import (
    BLACK,
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    figure,
    show,
    to_html,
    use_style,
)

__all__ = [
    "Almost",
    "BLACK",
    "BLUE",
    "CYCLE",
    "Choice",
    "GREEN",
    "GREY",
    "Job",
    "LiveRun",
    "ORANGE",
    "PURPLE",
    "Panel",
    "SKY",
    "Slider",
    "State",
    "Toggle",
    "VERMILLION",
    "Wrong",
    "YELLOW",
    "check",
    "exercise",
    "figure",
    "hint",
    "predict",
    "progress",
    "ready",
    "recall",
    "show",
    "to_html",
    "use_style",
]


def __getattr__(name: str):
    # Not imported above, because `python -m srlib.teaching.setup_cell` would then load its module twice.
    if name == "ready":
        from .setup_cell import ready

        return ready
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
