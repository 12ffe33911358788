"""Lesson 00: the extrapolation bench, Hubble's galaxies, a first run to watch, and a look at what is installed.

Two panels draw the same picture, a :class:`Contest`: models that were fitted to the same points, on and beyond the
range of these points. What their text alternatives say is said in words, because the last digits of a fitted network
depend on the machine.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from srlib import Expression, GeneticRegressor, problems
from srlib.constants import refit
from srlib.events import Iteration

from ..controls import Choice, Slider
from ..live import LiveRun
from ..panel import Panel
from ..style import BLUE, GREEN, ORANGE, VERMILLION

__all__ = ["bench_panel", "environment", "fit_form", "first_run", "hubble_panel", "opening_points", "rms"]

INSIDE = (0.0, 5.0)  # where the thirty points lie
# The slide's expression with its three numbers free, and two forms that somebody might have guessed instead.
FORMS = {
    "the right form": "exp(-0.5*x)*cube(x)*cos(x)*sin(x)*(0.5*cos(x)*square(sin(x)) - 0.5)",
    "a near miss: damped wave": "0.5*exp(-0.5*x)*cube(x)*sin(1.9*x + 2.5)",
    "a wrong form: growing wave": "(0.5 + 0.5*x - 0.1*square(x))*sin(1.9*x + 0.5)",
}
LAWS = {"v = H0*D": "400*D", "v = k*D**2": "400*square(D)", "v = k*sqrt(D)": "400*sqrt(D)"}
_STYLES = {
    "polynomial": {"color": VERMILLION, "linestyle": "--"},
    "network": {"color": BLUE, "linestyle": "-."},
    "formula": {"color": GREEN, "linestyle": "-"},
}
_KEYS = {"polynomial": "– –", "network": "– ·", "formula": "—–"}  # the lines of the curves, as text


@dataclass(frozen=True)
class Model:
    """A fitted model: its kind, how to call it, how many constants were fitted, its curve, and its errors."""

    kind: str
    label: str
    constants: int
    curve: np.ndarray  # (grid,)
    inside: float
    outside: float  # NaN where nothing outside is shown
    survives: bool


@dataclass(frozen=True)
class Contest:
    """Models on the same points.

    ``points`` were fitted, ``unseen`` not; ``truth`` is None where nobody knows it. All pairs are (x, y).
    """

    grid: np.ndarray  # (grid,)
    points: tuple
    unseen: tuple | None
    truth: np.ndarray | None  # (grid,)
    edge: float
    models: tuple
    labels: tuple
    limits: tuple


def rms(model, truth):
    """The root of the mean squared difference: a typical error, in the units of the truth."""
    return float(np.sqrt(np.mean((np.asarray(model) - np.asarray(truth)) ** 2)))


# ---------------------------------------------------------------- three ways to fit points


def fit_polynomial(x, y, degree):
    """Least squares; the points are moved to [-1, 1] first, or high powers would spoil the arithmetic."""
    return np.polynomial.Polynomial.fit(x, y, degree)


def fit_network(x, y, units):
    """A network with one hidden layer of tanh units, trained on standardised points."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    shift, scale, size = x.mean(), x.std(), y.std()
    network = MLPRegressor(
        hidden_layer_sizes=(units,), activation="tanh", solver="lbfgs", alpha=1e-4, max_iter=400, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 400 steps are enough for a picture
        network.fit(((x - shift) / scale)[:, None], y / size)
    return lambda new: network.predict(((new - shift) / scale)[:, None]) * size


def fit_form(form, x, y):
    """The Expression ``form`` of one variable with its constants moved to where the squared error is least."""
    return refit(form, [x], y)


# ---------------------------------------------------------------- the extrapolation bench


@lru_cache(maxsize=64)
def opening_points(noise=0.05, sample=0):
    """Thirty points of the opening slide's expression (document 000); ``noise`` is the standard deviation added."""
    x = np.linspace(*INSIDE, 30)  # (points,)
    noisy = noise * np.random.default_rng(sample).standard_normal(len(x))
    return x, problems.load("opening").truth.evaluate(x[:, None]) + noisy


@lru_cache(maxsize=256)
def _bench_fit(kind, setting, noise, sample):
    x, y = opening_points(noise, sample)
    if kind == "polynomial":
        return fit_polynomial(x, y, setting)
    if kind == "network":
        return fit_network(x, y, setting)
    formula = fit_form(Expression.parse(FORMS[setting], ["x"]), x, y)
    return lambda new: formula.evaluate(new[:, None])


def compute_bench(degree=9, units=20, form="the right form", noise=0.05, sample=0, until=5.0):
    """Fit the three models to the thirty points, and follow them up to ``until``.

    The errors are those against the noise-free expression: inside from 0 to 5, outside from 5 to ``until``.
    """
    truth = problems.load("opening").truth
    inside, outside = np.linspace(*INSIDE, 300), np.linspace(INSIDE[1], until, 300)
    grid = np.concatenate([inside, outside[1:]]) if until > INSIDE[1] else inside
    settings = {"polynomial": degree, "network": units, "formula": form}
    names = {"polynomial": f"polynomial of degree {degree}", "network": f"network, {units} hidden units"}
    counts = {"polynomial": degree + 1, "network": 3 * units + 1}
    models = []
    for kind, setting in settings.items():
        predict = _bench_fit(kind, setting, noise, sample)
        errors = [rms(predict(x), truth.evaluate(x[:, None])) for x in (inside, outside)]
        far = errors[1] if until > INSIDE[1] else np.nan
        # Half the size of the truth out there: a model that always says 0 is at twice this error.
        survives = far < 0.5 * rms(truth.evaluate(outside[:, None]), 0.0)
        count = counts.get(kind) or len(Expression.parse(FORMS[form], ["x"]).constants)
        label = names.get(kind, "formula, " + form.split(":")[0])
        models.append(Model(kind, label, count, predict(grid), errors[0], far, survives))
    return Contest(
        grid, opening_points(noise, sample), None, truth.evaluate(grid[:, None]), INSIDE[1], tuple(models),
        ("x", "y"), (-1.2, 1.2),
    )  # fmt: skip


def bench_panel():
    """The extrapolation bench; it opens with nothing but the points' own range in view."""
    controls = [
        Slider("until", 5.0, 10.0, 0.5, 5.0, label="look as far as x ="),
        Slider("degree", 1, 12, 1, 9, label="polynomial's degree"),
        Slider("units", 2, 60, 2, 20, label="network's hidden units"),
        Choice("form", list(FORMS), label="formula"),
        Slider("noise", 0.0, 0.3, 0.05, 0.05, label="noise"),
        Slider("sample", 0, 9, 1, 0, label="sample of the noise"),
    ]
    return Panel(compute_bench, draw_contest, controls, describe_contest, "The extrapolation bench", (8, 6.2))


# ---------------------------------------------------------------- Hubble's galaxies


def compute_hubble(nearer=1.0, degree=9, units=20, law="v = H0*D", until=2.1):
    """Fit the galaxies nearer than ``nearer``, and see how the models meet the ones beyond (in Mpc and km/s)."""
    hubble = problems.load("hubble")
    D, v = hubble.X[:, 0], hubble.y  # (galaxies,)
    near, far = D <= nearer, (D > nearer) & (D <= until)
    grid = np.linspace(0.0, until, 400)
    models = []
    form = Expression.parse(LAWS[law], ["D"])
    for kind in _STYLES:
        if kind == "formula":
            formula = fit_form(form, D[near], v[near])
            count, label = len(form.constants), f"v = {formula.format(3)}"
            predict = lambda x, f=formula: f.evaluate(x[:, None])  # noqa: E731
        else:
            predict = _hubble_fit(kind, degree if kind == "polynomial" else units, nearer)
            count = degree + 1 if kind == "polynomial" else 3 * units + 1
            label = f"polynomial of degree {degree}" if kind == "polynomial" else f"network, {units} hidden units"
        errors = [rms(predict(D[some]), v[some]) if some.any() else np.nan for some in (near, far)]
        # About twice the scatter of the galaxies around the law.
        models.append(Model(kind, label, count, predict(grid), *errors, errors[1] < 350))
    unseen = (D[far], v[far]) if far.any() else None
    labels = ("distance D (Mpc)", "velocity v (km/s)")
    top = max(1600.0, 900 * until)
    return Contest(grid, (D[near], v[near]), unseen, None, nearer, tuple(models), labels, (-0.35 * top, top))


@lru_cache(maxsize=128)
def _hubble_fit(kind, setting, nearer):
    hubble = problems.load("hubble")
    near = hubble.X[:, 0] <= nearer
    fit = fit_polynomial if kind == "polynomial" else fit_network
    return fit(hubble.X[near, 0], hubble.y[near], setting)


def hubble_panel():
    """The same contest on real data: near galaxies are fitted, far ones are the test."""
    controls = [
        Slider("nearer", 0.6, 1.7, 0.1, 1.0, label="fit galaxies up to (Mpc)"),
        Choice("law", list(LAWS), label="formula"),
        Slider("degree", 1, 9, 1, 9, label="polynomial's degree"),
        Slider("units", 2, 60, 2, 20, label="network's hidden units"),
        Slider("until", 2.1, 6.1, 0.5, 2.1, label="look as far as (Mpc)"),
    ]
    return Panel(compute_hubble, draw_contest, controls, describe_contest, "Hubble's galaxies", (8, 6.2))


# ---------------------------------------------------------------- one picture for both


def draw_contest(contest, fig):
    """Points and curves, and under them a table of errors, which is also the key to the curves."""
    ax, below = fig.subplots(2, 1, height_ratios=[3.4, 1])
    ax.axvspan(contest.grid[0], contest.edge, color="#EFEFEF", zorder=0)
    if contest.truth is not None:
        ax.plot(contest.grid, contest.truth, color="black", linestyle=":", linewidth=3, label="truth")
    for model in contest.models:
        ax.plot(contest.grid, model.curve, **_STYLES[model.kind])
    ax.plot(*contest.points, "o", color="black", markersize=5, label="points fitted")
    if contest.unseen is not None:
        ax.plot(*contest.unseen, "s", color=ORANGE, markeredgecolor="black", markersize=7, label="points kept back")
    ax.set(xlabel=contest.labels[0], ylabel=contest.labels[1], ylim=contest.limits)
    ax.set_xlim(contest.grid[0], contest.grid[-1])
    ax.legend(loc="upper left")
    below.axis("off")
    heads = ["", "constants", "error inside", "error outside"]
    rows = [
        [f"{_KEYS[model.kind]}  {model.label}", str(model.constants), short(model.inside), short(model.outside)]
        for model in contest.models
    ]
    table = below.table(
        cellText=rows, colLabels=heads, colWidths=[0.52, 0.14, 0.17, 0.17], loc="center", cellLoc="center",
        edges="horizontal",
    )  # fmt: skip
    table.auto_set_font_size(False)
    table.set_fontsize(11)
    table.scale(1, 1.45)
    for row, model in enumerate(contest.models, start=1):
        table[row, 0].set_text_props(color=_STYLES[model.kind]["color"], fontweight="bold", horizontalalignment="left")




def describe_contest(contest):
    """What happens to each model outside, in words that are the same on each machine."""
    width = f"The grey range, up to {contest.edge:g}, holds the {len(contest.points[0])} points that were fitted."
    if all(np.isnan(model.outside) for model in contest.models):
        return f"{width} Nothing beyond it is shown: all errors are errors inside."
    fates = "; ".join(f"{m.kind}: {'survives' if m.survives else 'is lost'}" for m in contest.models)
    return f"{width} Beyond it, up to {contest.grid[-1]:g}: {fates}."


def short(number):
    """A number in two digits, short enough for a table.

    Examples
    --------
    >>> short(0.0312), short(152.4), short(3.1e9), short(float("nan"))
    ('0.031', '150', '$3\\\\times10^{9}$', '–')
    """
    if np.isnan(number):
        return "–"
    if abs(number) >= 1e5:
        digit, power = f"{number:.0e}".split("e")
        return rf"${digit}\times10^{{{int(power)}}}$"
    return f"{float(f'{number:.2g}'):g}" if abs(number) >= 1 else f"{number:.2g}"


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
    left.set(xlabel="x", ylabel="y", ylim=(-1.2, 1.7), title=f"generation {number}")
    left.legend(loc="upper right")
    right.plot(range(len(losses)), losses, color=BLUE, linestyle="-")
    right.set(xlabel="generation", ylabel="loss (mean square)", yscale="log", title="loss of the best")


def describe_search(snapshot):
    """Whether the loss fell; no digits, which may differ between machines."""
    fell = "has fallen" if snapshot[1][-1] < snapshot[1][0] else "has not fallen yet"
    return f"The best formula so far on the thirty points, and its loss against the generation: the loss {fell}."


def first_run():
    """A search with Start and Stop, long enough to be stopped."""
    controls = [
        Slider("population", 100, 1000, 100, 300, label="formulas alive at a time"),
        Slider("generations", 20, 2000, 20, 600, label="generations"),
    ]
    return LiveRun(search_opening, draw_search, controls, describe_search, "A first search", (9, 4))


# ---------------------------------------------------------------- what is installed


def environment(versions=False):
    """Print, package by package, whether what the course needs is there; with ``versions`` also which version."""
    import sys
    from importlib import metadata

    from packaging.version import Version

    rows = [("Python", "3.10", sys.version.split()[0])]
    for package, least in NEEDED.items():
        try:
            rows.append((package, least, metadata.version(package)))
        except metadata.PackageNotFoundError:
            rows.append((package, least, None))
    for package, least, found in rows:
        if found is None:
            verdict = f"missing: %pip install {package}"
        elif Version(found) < Version(least):
            verdict = f"old: the course was made for {least} and later"
        else:
            verdict = "fine"
        print(f"{package:<13} {found or '–':<10} {verdict}" if versions else f"{package:<13} {verdict}")


# The packages of the course and the oldest versions that it is tested with; a test compares them with pyproject.toml.
NEEDED = {
    "numpy": "1.26", "scipy": "1.11.3", "scikit-learn": "1.6", "pandas": "2.1.1", "sympy": "1.12",
    "matplotlib": "3.7.3", "tqdm": "4.64", "torch": "2.2", "ipywidgets": "7.7.1", "jupyterlab": "4.0",
}  # fmt: skip
