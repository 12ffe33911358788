"""Lesson 02: a search on islands that runs while one watches, with Start, Stop and Resume, beside the run before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from srlib import EvolutionRegressor, Expression, problems
from srlib.events import Iteration
from srlib.problems import Problem, Variable

from ..controls import Choice, Slider, Toggle
from ..live import LiveRun
from ..style import BLUE, GREY, VERMILLION
from .pictures import cut, place_by_hand

__all__ = ["IslandRun", "Snapshot", "curve", "describe_snapshot", "draw_snapshot", "island_run"]

ITERATIONS = 60


@lru_cache(maxsize=8)
def data_of(name: str):
    """Columns, target, names and unary operators of a data set that can be chosen."""
    problem = curve() if name == "curve" else problems.load(name)
    unary = {"kepler": ("sqrt",), "leavitt": ("log",)}.get(name, ("sin", "cos"))
    rows = slice(0, 60)
    return problem.X[rows], problem.y[rows], problem.names, unary


def curve(noise: float = 0.0, seed: int = 0) -> Problem:
    """The lecture's recovered expression, 3 sin(x) - 0.5 x, on 60 points; Gaussian noise is a share of its spread."""
    x = np.linspace(-5, 5, 60)[:, None]
    y = 3 * np.sin(x[:, 0]) - 0.5 * x[:, 0]
    y = y + noise * np.std(y) * np.random.default_rng(seed).standard_normal(60)
    return Problem(
        "curve", "The lecture's curve", "lecture", (Variable("x", "", -5, 5, wide=(-10, 10)),), "y", "",
        Expression.parse("k0*sin(x) + k1*x", names=("x", "k0", "k1")), {"k0": 3.0, "k1": -0.5}, x, y,
        noise=f"{noise:.0%} Gaussian", noise_free=noise == 0, law=r"y = 3\sin x - 0.5x", source="document 003",
    )  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """One moment of a search, and the end of the search before it."""

    data: str
    setting: str
    iteration: int
    front: tuple[tuple[float, float], ...]  # complexity, error in units of the best constant's
    best: Expression
    trace: tuple[tuple[int, float], ...]  # formulas evaluated, the front's lowest error
    complexities: np.ndarray  # of all members of all islands
    before: Snapshot | None = None


class IslandRun(LiveRun):
    """A live run of EvolutionRegressor that can go on after Stop.

    Attributes
    ----------
    model : EvolutionRegressor or None
        The estimator of the present or last run.
    """

    def __init__(self, controls):
        import ipywidgets as w

        self.model, self.last, self._resuming, self._state = None, None, False, None
        self.resume_button = w.Button(description="Resume", disabled=True)
        super().__init__(self._search, draw_snapshot, controls, describe_snapshot, "A search on islands", (10, 6.4))
        self.resume_button.on_click(lambda _button: None if self.running else self.resume())
        line = self.box.children[-2]
        line.children = (*line.children[:2], self.resume_button, *line.children[2:])

    def resume(self) -> LiveRun:
        """Go on with the last run, with the setting that it had."""
        if self.model is None:
            raise RuntimeError("There is no run to go on with; start() one first.")
        self._resuming = True
        return self.start()

    def _begin(self, watched=True):
        job = super()._begin(watched)
        self.resume_button.disabled = True
        return job

    def _say(self, job, final):
        super()._say(job, final)
        if final:
            self.resume_button.disabled = self.model is None

    def _search(self, job, data, islands, n_s, p, frecency, annealing, parsimony, migration, seed):
        resuming, self._resuming = self._resuming, False
        if resuming:
            model = self.model
            data, setting, before, trace = self._state
        else:
            setting = (
                f"{islands} island{'s' * (islands > 1)}, n_s={n_s}, p={p:g}, frecency x{frecency:g}, annealing "
                f"{'on' if annealing else 'off'}, parsimony {parsimony:g}, migration {migration:g}, seed {seed}"
            )
            # The same run as before compares with nothing new: keep what it was compared with.
            before, trace = self.last, []
            if before is not None and (before.data != data or before.setting == setting):
                before = before.before if before.data == data else None
            self._state = data, setting, before and _alone(before), trace
            self.model, model = None, EvolutionRegressor(
                preset="paper", populations=islands, population_size=60, ncycles_per_iteration=500, maxsize=20,
                unary_operators=data_of(data)[3], tournament_selection_n=n_s, tournament_selection_p=p,
                adaptive_parsimony_scaling=frecency, use_frequency=frecency > 0, annealing=annealing,
                parsimony=parsimony, fraction_replaced=migration, fraction_replaced_hof=migration, rescale=False,
                random_state=seed,
            )  # fmt: skip
        X, y, names, _ = data_of(data)
        spread = float(np.std(y))

        def watch(event):
            if isinstance(event, Iteration):
                errors = [(entry.complexity, max(np.sqrt(entry.loss), 1e-9 * spread) / spread) for entry in event.front]
                trace.append((event.evaluations, errors[-1][1]))
                self.last = Snapshot(
                    data, setting, event.number, tuple(errors), event.front[-1].expression, tuple(trace),
                    event.details["complexities"].copy(), self._state[2],
                )  # fmt: skip
                job.publish(self.last)
            return job.callback(event)

        model.set_params(callbacks=[watch], warm_start=resuming, niterations=ITERATIONS)
        self.model = model.fit(_frame(X, names), y)
        return self.model


def _alone(snapshot: Snapshot) -> Snapshot:
    """Without the run before it, or the runs of an hour would hang on each other."""
    return Snapshot(**{**snapshot.__dict__, "before": None})


def _frame(X, names):
    import pandas as pd

    return pd.DataFrame(X, columns=list(names))


def draw_snapshot(snapshot: Snapshot, fig) -> None:
    """Front, complexities, best tree and the fall of the error; the run before it in grey."""
    place_by_hand(fig)
    before = snapshot.before
    runs = [(before, GREY, "s--", "the run before"), (snapshot, VERMILLION, "o-", "this run")]
    runs = [one for one in runs if one[0] is not None]
    front = fig.add_axes((0.085, 0.585, 0.40, 0.335))
    for run, colour, style, label in runs:
        x, y = zip(*run.front, strict=True)
        front.plot(x, y, style, color=colour, drawstyle="steps-post", linewidth=1.8, markersize=5, label=label)
    front.set(yscale="log", xlim=(0, 21), xlabel="complexity", ylabel="error (best constant = 1)")
    front.set_title("the front", fontsize=12)
    front.legend(fontsize=10, loc="lower left")

    fall = fig.add_axes((0.585, 0.585, 0.40, 0.335))
    for run, colour, style, _ in runs:
        x, y = zip(*run.trace, strict=True)
        fall.plot(np.array(x) / 1000, y, style[1:], color=colour, linewidth=2)
    fall.set(yscale="log", xlabel="thousands of formulas tried")
    fall.set_title("lowest error on the front", fontsize=12)

    crowd = fig.add_axes((0.085, 0.09, 0.40, 0.335))
    places = np.arange(22)
    for run, colour, _, _ in runs:
        share = np.bincount(np.clip(run.complexities.astype(int), 0, 21), minlength=22) / len(run.complexities)
        if run is snapshot:
            crowd.bar(places, share, 0.8, color=BLUE)
        else:
            crowd.step(places, share, where="mid", color=colour, linewidth=1.8)
    crowd.set(xlim=(0, 21), ylim=(0, 1), xlabel="complexity", ylabel="share of all members")
    crowd.set_title("who lives on the islands (frecency)", fontsize=12)

    tree = fig.add_axes((0.54, 0.05, 0.45, 0.37))
    snapshot.best.draw(tree, fontsize=10)
    tree.set_title(cut(snapshot.best.format(3), 52), fontsize=11, parse_math=False, color=VERMILLION)


def describe_snapshot(snapshot: Snapshot) -> str:
    """The moment in a sentence."""
    _, error = snapshot.front[-1]
    crowd = np.bincount(snapshot.complexities.astype(int))
    words = (
        f"Iteration {snapshot.iteration} with {snapshot.setting}: the last row of the front is "
        f"{snapshot.best.format(3)}, with {100 * error:.2g} % of the best constant's error; most members "
        f"({100 * crowd.max() / crowd.sum():.0f} %) have {int(crowd.argmax())} nodes."
    )
    if snapshot.before is not None:
        words += (
            f" The run before it, with {snapshot.before.setting}, came to {100 * snapshot.before.front[-1][1]:.2g} %."
        )
    return words


def island_run() -> IslandRun:
    """Start, Stop and Resume, on four sets of data."""
    data = {"3 sin(x) - 0.5 x": "curve", "1.2 sin(1.1 x1) cos(0.9 x2)": "b6", "Kepler's planets": "kepler",
            "Leavitt's stars": "leavitt"}  # fmt: skip
    return IslandRun([
        Choice("data", data, "b6", label="data"),
        Slider("islands", 1, 12, 1, 4, label="islands"),
        Slider("n_s", 1, 40, 1, 12, label="tournament size n_s"),
        Slider("p", 0.1, 1.0, 0.05, 0.9, label="p, the fittest wins"),
        Slider("frecency", 0.0, 40.0, 1.0, 1.0, label="scaling of frecency", help="0: off"),
        Toggle("annealing", False, label="annealing"),
        Slider("parsimony", 0.0, 0.05, 0.001, 0.0, label="parsimony"),
        Slider("migration", 0.0, 0.3, 0.01, 0.05, label="migration", help="share that is replaced"),
        Slider("seed", 0, 20, 1, 0, label="seed"),
    ])  # fmt: skip
