"""How far back a rule looks, how complex it is, and its mapping curve.

Document 001 compares optimisers by a *temporal perception field* and a *mapping complexity*, and defines neither where
it can be read. The definitions here are **ours**; their values are not those of the document's tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from ...eql.search import one_torch_thread
from ...validation import check_choice, check_number
from .features import State
from .optimizees import Optimizees
from .rules import Rule
from .unroll import steps_of

__all__ = ["Perception", "mapping_complexity", "mapping_curve", "perception"]


@dataclass(frozen=True)
class Perception:
    """How the update depends on the past, for each signal.

    Attributes
    ----------
    names : tuple of str
        The signals: those that the rule sees, or ``("g",)``.
    sensitivity : ndarray, shape (signals, lags)
        The mean size of the derivative of the update by the signal ``tau`` = 0, 1, … steps ago, over the coordinates
        where there is one.
    """

    names: tuple[str, ...]
    sensitivity: np.ndarray = field(repr=False)

    @property
    def field(self) -> np.ndarray:
        """The temporal perception field of each signal (our definition), (signals,): its mean lag in steps,

        ``sum tau |du_t / ds_{t-tau}| / sum |du_t / ds_{t-tau}|``; NaN where nothing depends on the signal.
        """
        lags, total = np.arange(self.sensitivity.shape[1]), self.sensitivity.sum(axis=1)
        with np.errstate(invalid="ignore"):
            return self.sensitivity @ lags / total


@one_torch_thread()
def perception(
    rule: Rule, optimizees: Optimizees, steps: int = 100, window: int = 50, *, by: str = "gradient",
    coordinates: int = 50, seed: int = 0,
) -> Perception:  # fmt: skip
    """How the last update of a run depends on the past, averaged over coordinates.

    Parameters
    ----------
    rule : Rule
    optimizees : Optimizees
    steps : int
        The run's length.
    window : int
        How many lags to look at, with 0; not more than the steps.
    by : {"gradient", "signals"}
        Derivatives by the gradient, through all of its averages; or by each signal that the rule sees, as if these
        could be changed one by one (the document's table has one number for each input).
    coordinates : int
        So many at random, of all optimizees.
    seed : int
    """
    check_number("window", window, least=1, most=steps, whole=True)
    check_number("coordinates", coordinates, least=1, whole=True)
    check_choice("by", by, ("gradient", "signals"))
    size = optimizees.start.numel()
    chosen = torch.from_numpy(np.random.default_rng(seed).permutation(size)[:coordinates])
    seen = [step.gradients.reshape(-1)[chosen] for step in steps_of(rule, optimizees, steps)]
    if len(seen) < steps:
        raise ValueError(f"all optimizees diverged at step {len(seen)} of {steps}: give a smaller scale")
    state, begin = rule.start(seen[0]), steps - window
    with torch.no_grad():
        for t in range(1, begin + 1):
            _, state = rule(seen[t - 1], state, t)
    names = ("g",) if by == "gradient" else tuple(name for name in rule.features.signals if name != "t")
    leaves: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for t in range(begin + 1, steps + 1):
        g = seen[t - 1].clone()
        if by == "gradient":
            leaves["g"].append(g.requires_grad_())
        signals, moments = rule.features.now(g, state, t)
        if by == "signals":
            signals = {name: one.detach().clone().requires_grad_(name != "t") for name, one in signals.items()}
            for name in names:
                leaves[name].append(signals[name])
        columns, averages = rule.features.histories(signals, state, t)
        update, own = rule.update(columns, state)
        state = {**moments, **averages, **own}
    flat = [leaf for name in names for leaf in reversed(leaves[name])]
    derivatives = torch.autograd.grad(update.sum(), flat, allow_unused=True)
    sizes = [0.0 if one is None else one.abs().nanmean().item() for one in derivatives]
    return Perception(names, np.array(sizes).reshape(len(names), window))


def mapping_complexity(fidelity, within: float = 0.01) -> int:
    """The complexity of the shortest formula that agrees nearly as well as the best one (our definition).

    Parameters
    ----------
    fidelity : DataFrame
        Of a :class:`~srlib.distill.Distillation`: columns complexity and r2.
    within : float
        How much its R2 may be below the best.
    """
    good = fidelity[fidelity.r2 >= fidelity.r2.max() - within]
    return int(good.complexity.min())


def mapping_curve(
    rule: Rule, name: str, values, *, state: State | None = None, t: int = 1, others: dict[str, float] | None = None
) -> np.ndarray:
    """The update against one feature, the others at 0 (document 001, figure 3): shape (values,).

    Parameters
    ----------
    rule : Rule
    name : str
        One of the rule's features.
    values : array_like, shape (values,)
    state : dict of Tensor, optional
        Of an LSTM; by default that at the start.
    t : int
        The step, for rules that know the time.
    others : dict of float, optional
        Values of other features.
    """
    features, others = rule.features, {"t": float(t), **(others or {})}
    if name not in features.names:
        raise ValueError(f"name is {name!r}: the rule sees {', '.join(features.names)}")
    values = torch.as_tensor(np.asarray(values, dtype=float))
    columns = [values if one == name else torch.full_like(values, others.get(one, 0.0)) for one in features.names]
    with torch.no_grad():
        update, _ = rule.update(columns, rule.start(values) if state is None else state)
    return update.expand_as(values).numpy()
