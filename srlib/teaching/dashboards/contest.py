"""A contest: models that were fitted to the same points, on and beyond the range of these points, in one picture."""

import warnings
from dataclasses import dataclass

import numpy as np

from srlib.constants import refit

from ..style import BLUE, GREEN, ORANGE, VERMILLION

__all__ = ["Contest", "Model", "describe_contest", "draw_contest", "fit", "fit_network", "rms"]

_STYLES = {
    "polynomial": {"color": VERMILLION, "linestyle": "--"},
    "network": {"color": BLUE, "linestyle": "-."},
    "formula": {"color": GREEN, "linestyle": "-"},
}
_KEYS = {"polynomial": "– –", "network": "– ·", "formula": "───"}  # the lines of the curves, as text


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
    legend: str = "upper left"


def rms(model, truth):
    """The root of the mean squared difference: a typical error, in the units of the truth."""
    return float(np.sqrt(np.mean((np.asarray(model) - np.asarray(truth)) ** 2)))


# ---------------------------------------------------------------- three ways to fit points


def fit(kind, setting, x, y):
    """Fit a model of one kind to points.

    Parameters
    ----------
    kind : {"polynomial", "network", "formula"}
    setting : int, (int, float) or Expression
        The degree; hidden units and weight decay; the form, with constants to begin from.
    x, y : ndarray, shape (points,)

    Returns
    -------
    predict : callable
        From (rows,) to (rows,).
    constants : int
        How many were fitted.
    label : str
        The model in words, or the fitted formula.
    """
    if kind == "polynomial":
        # numpy moves the points to [-1, 1] first, or high powers would spoil the arithmetic.
        return np.polynomial.Polynomial.fit(x, y, setting), setting + 1, f"polynomial, degree {setting}"
    if kind == "network":
        return fit_network(x, y, *setting), 3 * setting[0] + 1, f"network, {setting[0]} units"
    formula = refit(setting, [x], y)
    return lambda new: formula.evaluate(new[:, None]), len(formula.constants), formula.format(3)


def fit_network(x, y, units, decay):
    """A network with one hidden layer of tanh units, trained on standardised points.

    With hardly any weight decay, what it does outside depends on the rounding errors of the machine.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    shift, scale, size = x.mean(), x.std(), y.std()
    network = MLPRegressor(
        hidden_layer_sizes=(units,), activation="tanh", solver="lbfgs", alpha=decay, tol=1e-6, max_iter=400,
        random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 400 steps are enough for a picture
        network.fit(((x - shift) / scale)[:, None], y / size)
    return lambda new: network.predict(((new - shift) / scale)[:, None]) * size


# ---------------------------------------------------------------- the picture, and what it says


def draw_contest(contest, fig):
    """Points and curves, and under them a table of errors, which is also the key to the curves."""
    ax, below = fig.subplots(2, 1, height_ratios=[3, 1])
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
    wide = is_wide(fig)
    ax.legend(loc=contest.legend, fontsize=12 if wide else 9)
    below.axis("off")
    rows = [
        [f"{_KEYS[model.kind]}  {model.label}", str(model.constants), short(model.inside), short(model.outside)]
        for model in contest.models
    ]
    table = below.table(
        cellText=rows, colLabels=["errors: root mean square", "constants", "inside", "outside"],
        colWidths=[0.5, 0.18, 0.16, 0.16], bbox=(0, 0, 1, 1), cellLoc="center", edges="horizontal",
    )  # fmt: skip
    table.set_in_layout(False)  # it fills its axes, whose place is known
    table.auto_set_font_size(False)
    table.set_fontsize(11 if wide else 8.5)
    for row, model in enumerate(contest.models, start=1):
        table[row, 0].set_text_props(color=_STYLES[model.kind]["color"], fontweight="bold", horizontalalignment="left")
        table[row, 0].PAD = 0.01


def is_wide(fig):
    """Whether there is room for letters of full size; in a row of small multiples there is not."""
    return fig.bbox.width / fig.dpi > 6.5  # inches


def describe_contest(contest):
    """What happens to each model outside, in words: the digits of a network depend on the machine."""
    inside = f"The grey range, up to {contest.edge:g}, holds the {len(contest.points[0])} points that were fitted."
    if all(np.isnan(model.outside) for model in contest.models):
        return f"{inside} Nothing beyond it is shown yet."
    fates = [f"the {model.kind} {'survives' if model.survives else 'is lost'}" for model in contest.models]
    return f"{inside} Beyond it, up to {contest.grid[-1]:g}: {', '.join(fates)}."


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
