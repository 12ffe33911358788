"""Lesson 00: the extrapolation bench, Hubble's galaxies, and a first search to watch and to stop."""

from functools import lru_cache

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from srlib import Expression, GeneticRegressor, problems
from srlib.events import Iteration

from ..controls import Choice, Slider
from ..live import LiveRun
from ..panel import Panel
from ..style import BLUE, GREEN
from .contest import Contest, Model, describe_contest, draw_contest, fit, is_wide, rms
from .environment import environment

__all__ = ["bench_panel", "compute_bench", "compute_hubble", "environment", "first_search", "hubble_panel", "rms"]

INSIDE = (0.0, 5.0)  # where the thirty points lie
# The slide's expression with its three numbers free, and two forms that somebody might have guessed instead.
FORMS = {
    "right form": "exp(-0.5*x)*cube(x)*cos(x)*sin(x)*(0.5*cos(x)*square(sin(x)) - 0.5)",
    "near miss: damped wave": "0.5*exp(-0.5*x)*cube(x)*sin(1.9*x + 2.5)",
    "wrong form: growing wave": "(0.5 + 0.5*x - 0.1*square(x))*sin(1.9*x + 0.5)",
}
LAWS = {"v = H0*D": "400*D", "v = k*D**2": "400*square(D)", "v = k*sqrt(D)": "400*sqrt(D)"}


# ---------------------------------------------------------------- the extrapolation bench


@lru_cache(maxsize=64)
def opening_points(noise=0.05, sample=0):
    """Thirty points of the opening slide's expression (document 000); ``noise`` is the standard deviation added."""
    x = np.linspace(*INSIDE, 30)  # (points,)
    noisy = noise * np.random.default_rng(sample).standard_normal(len(x))
    return x, problems.load("opening").truth.evaluate(x[:, None]) + noisy


@lru_cache(maxsize=256)
def _bench_fit(kind, setting, noise, sample):
    form = Expression.parse(FORMS[setting], ["x"]) if kind == "formula" else None
    return fit(kind, form or setting, *opening_points(noise, sample))


def compute_bench(degree=9, units=20, decay=0.03, form="right form", noise=0.05, sample=0, until=5.0):
    """Fit the three models to the thirty points, and follow them up to ``until``.

    The errors are those against the noise-free expression: inside from 0 to 5, outside from 5 to ``until``.
    """
    truth = problems.load("opening").truth
    inside, outside = np.linspace(*INSIDE, 300)[:, None], np.linspace(INSIDE[1], until, 300)[:, None]  # (rows, 1)
    shown = until > INSIDE[1]
    grid = np.concatenate([inside, outside[1:]]) if shown else inside
    # Half the size of the truth out there: a model that always says 0 is at twice this error.
    limit = 0.5 * rms(truth.evaluate(outside), 0.0)
    models = []
    for kind, setting in {"polynomial": degree, "network": (units, decay), "formula": form}.items():
        predict, constants, label = _bench_fit(kind, setting, noise, sample)
        near, far = (rms(predict(x[:, 0]), truth.evaluate(x)) for x in (inside, outside))
        label = f"formula, {form.split(':')[0]}" if kind == "formula" else label
        models.append(Model(kind, label, constants, predict(grid[:, 0]), near, far if shown else np.nan, far < limit))
    y = truth.evaluate(grid)
    points, look = opening_points(noise, sample), (("x", "y"), (-1.2, 1.2), "lower left")
    return Contest(grid[:, 0], points, None, y, INSIDE[1], tuple(models), *look)


def bench_panel(until=5.0):
    """The extrapolation bench; by default it opens with nothing but the points' own range in view."""
    controls = [
        Slider("until", 5.0, 10.0, 0.5, until, label="shown up to x"),
        Slider("degree", 1, 12, 1, 9, label="polynomial degree"),
        Slider("units", 2, 60, 2, 20, label="hidden units"),
        Slider("decay", 0.001, 1.0, 0.25, 0.03, label="weight decay", log=True),
        Choice("form", list(FORMS), label="formula"),
        Slider("noise", 0.0, 0.3, 0.05, 0.05, label="noise"),
        Slider("sample", 0, 9, 1, 0, label="noise sample"),
    ]
    return Panel(compute_bench, draw_contest, controls, describe_contest, "The extrapolation bench", (8, 5.4))


# ---------------------------------------------------------------- Hubble's galaxies


@lru_cache(maxsize=256)
def _hubble_fit(kind, setting, nearer):
    hubble = problems.load("hubble")
    near = hubble.X[:, 0] <= nearer
    form = Expression.parse(LAWS[setting], ["D"]) if kind == "formula" else None
    return fit(kind, form or setting, hubble.X[near, 0], hubble.y[near])


def compute_hubble(nearer=1.0, degree=9, units=20, decay=0.03, law="v = H0*D", until=2.1):
    """Fit the galaxies nearer than ``nearer``, and see how the models meet the ones beyond (in Mpc and km/s)."""
    hubble = problems.load("hubble")
    D, v = hubble.X[:, 0], hubble.y  # (galaxies,)
    near = D <= nearer
    grid = np.linspace(0.0, until, 400)
    models = []
    for kind, setting in {"polynomial": degree, "network": (units, decay), "formula": law}.items():
        predict, constants, label = _hubble_fit(kind, setting, nearer)
        inside, outside = (rms(predict(D[some]), v[some]) for some in (near, ~near))
        label = f"v = {label}" if kind == "formula" else label
        # The galaxies scatter by about 200 km/s around any smooth curve.
        models.append(Model(kind, label, constants, predict(grid), inside, outside, outside < 300))
    top = max(1600.0, 900 * until)
    labels = ("distance D (Mpc)", "velocity v (km/s)")
    unseen = (D[~near], v[~near])
    return Contest(grid, (D[near], v[near]), unseen, None, nearer, tuple(models), labels, (-0.35 * top, top))


def hubble_panel():
    """The same contest on real data: near galaxies are fitted, far ones are the test."""
    controls = [
        Slider("nearer", 0.6, 1.5, 0.1, 1.0, label="fitted up to (Mpc)"),
        Choice("law", list(LAWS), label="formula"),
        Slider("degree", 1, 9, 1, 9, label="polynomial degree"),
        Slider("units", 2, 60, 2, 20, label="hidden units"),
        Slider("decay", 0.001, 1.0, 0.25, 0.03, label="weight decay", log=True),
        Slider("until", 2.1, 6.1, 0.5, 2.1, label="shown up to (Mpc)"),
    ]
    return Panel(compute_hubble, draw_contest, controls, describe_contest, "Hubble's galaxies", (8, 5.4))


# ---------------------------------------------------------------- a run to start and to stop


def search_opening(job, population=300, generations=600):
    """Evolve formulas on the thirty points; the result is the fitted estimator, whenever the run is stopped."""
    x, y = opening_points()
    losses = []

    def watch(event):
        if isinstance(event, Iteration):
            best = event.front[-1]
            losses.append(best.loss)
            job.publish((event.number, tuple(losses), best.expression))
        return job.callback(event)

    model = GeneticRegressor(
        population_size=population, generations=generations, unary_operators=("sin", "cos", "exp"), random_state=0,
        n_jobs=1, keep_history=False, callbacks=[watch],
    )  # fmt: skip
    return model.fit(x[:, None], y)


def draw_search(snapshot, fig):
    """The best formula so far on the points, and the fall of its loss."""
    number, losses, expression = snapshot
    left, right = fig.subplots(1, 2)
    x, y = opening_points()
    grid = np.linspace(*INSIDE, 200)
    left.plot(x, y, "o", color="black", markersize=5, label="points")
    left.plot(grid, expression.evaluate(grid[:, None]), color=GREEN, label=f"best, {expression.size} nodes")
    left.set(xlabel="x", ylabel="y", ylim=(-1.2, 2.0), title=f"generation {number}")
    left.legend(loc="upper right", fontsize=12 if is_wide(fig) else 9)
    right.plot(range(len(losses)), losses, color=BLUE, linestyle="-")
    right.set(xlabel="generation", ylabel="loss", yscale="log", title="loss of the best")
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_formatter(NullFormatter())


def describe_search(snapshot):
    """Whether the loss fell; no digits, which may differ between machines."""
    fell = "has fallen" if snapshot[1][-1] < snapshot[1][0] else "has not fallen yet"
    return f"The best formula so far on the thirty points, and its loss against the generation: the loss {fell}."


def first_search():
    """A search with Start and Stop, long enough to be stopped."""
    controls = [
        Slider("population", 100, 1000, 100, 300, label="population"),
        Slider("generations", 20, 2000, 20, 600, label="generations"),
    ]
    return LiveRun(search_opening, draw_search, controls, describe_search, "A first search", (9, 4))
