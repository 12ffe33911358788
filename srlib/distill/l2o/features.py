"""What an update rule sees: features of the history of one coordinate's gradient.

Learned optimisers, hand-made ones and formulas are functions of the same features, coordinate by coordinate. A feature
is named by a **signal**

=========  ==========================================================================================================
``g``      the gradient
``m``      its exponential average, ``m = beta1*m + (1 - beta1)*g``, from 0
``v``      that of its square, ``v = beta2*v + (1 - beta2)*g**2``
``mhat``   ``m / (1 - beta1**t)``, at step t = 1, 2, …; and ``vhat`` likewise (Adam's bias correction)
``mt``     ``mhat / (sqrt(vhat) + eps)``, RNNprop's normalised average
``gt``     ``g / (sqrt(vhat) + eps)``, RNNprop's normalised gradient
``mt25``   ``mhat / (w**(1/2.5) + eps)``, w the corrected average of ``|g|**2.5``; ``mt30`` likewise with ``|g|**3``
``logg``   ``log|g| / 10`` where ``|g| >= e**-10``, otherwise -1: DM's preprocessing in the literature
``signg``  ``sign(g)`` where ``|g| >= e**-10``, otherwise ``e**10 * g``
``t``      the step
=========  ==========================================================================================================

or by a signal and how its past counts: ``gt_3`` is the value three steps ago (0 before the first), ``avg99_gt`` the
exponential average with decay 0.99 and ``rms99_gt`` the root of that of the square, both with bias correction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import torch

from ...validation import check_number

__all__ = ["SIGNALS", "Features", "lags", "mentioned"]

SIGNALS = ("g", "m", "v", "mhat", "vhat", "mt", "gt", "mt25", "mt30", "logg", "signg", "t")
POWERS = {"mt25": 2.5, "mt30": 3.0}
MOMENTS = {  # the averages of the gradient's powers that a signal is computed from
    "m": ("m",), "mhat": ("m",), "v": ("v",), "vhat": ("v",), "mt": ("m", "v"), "gt": ("v",),
    "mt25": ("m", "wmt25"), "mt30": ("m", "wmt30"),
}  # fmt: skip
SMALLEST = math.exp(-10)  # DM's preprocessing takes the sign above, and the gradient itself below

_SIGNAL = "(?:" + "|".join(sorted(SIGNALS, key=len, reverse=True)) + ")"
_NAME = re.compile(rf"(?:(avg|rms)([0-9]{{1,4}})_)?({_SIGNAL})(?:_([1-9][0-9]{{0,2}}))?")

State = dict[str, torch.Tensor]


def lags(signal: str, count: int) -> tuple[str, ...]:
    """A signal now and so many steps back.

    Examples
    --------
    >>> lags("gt", 2)
    ('gt', 'gt_1', 'gt_2')
    """
    return (signal, *(f"{signal}_{lag}" for lag in range(1, count + 1)))


def mentioned(text: str) -> tuple[str, ...]:
    """The features that a formula's text names, in their order of appearance."""
    words = re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text)
    return tuple(dict.fromkeys(word for word in words if _NAME.fullmatch(word)))


def parts(name: str) -> tuple[str, str | None, float, int]:
    """A feature's signal, how it is averaged (None, "avg" or "rms"), the decay, and the lag.

    Raises
    ------
    ValueError
        If there is no such feature.
    """
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None or (match[1] and match[4]) or (match[3] == "t" and name != "t"):
        raise ValueError(
            f"names has {name!r}, which is no feature: give one of {', '.join(SIGNALS)}, with a lag as in 'g_3', or "
            "averaged as in 'avg99_g' or 'rms99_g'"
        )
    return match[3], match[1], float(f"0.{match[2]}") if match[1] else 0.0, int(match[4] or 0)


class Features:
    """Features of gradients, step by step.

    Parameters
    ----------
    names : sequence of str
        Which; see the table of :mod:`srlib.distill.l2o.features`.
    beta1, beta2 : float
        Decays of the averages; RNNprop's by default.
    eps : float
        Keeps a zero gradient from being divided by zero in the normalised signals (not in ``mhat`` and ``vhat``).

    Examples
    --------
    >>> features, g = Features(["g", "g_1", "avg50_g"]), torch.tensor([2.0])
    >>> state = features.start(g)
    >>> columns, state = features(g, state, 1)
    >>> columns, state = features(2 * g, state, 2)
    >>> [round(column.item(), 3) for column in columns]
    [4.0, 2.0, 3.333]
    """

    def __init__(self, names: Sequence[str], beta1: float = 0.95, beta2: float = 0.95, eps: float = 1e-12):
        if isinstance(names, str) or not len(names):
            raise ValueError(f"names is {names!r}: give a list of features")
        for which, value in (("beta1", beta1), ("beta2", beta2)):
            check_number(which, value, least=0)
            if value >= 1:
                raise ValueError(f"{which} is {value!r}: give a number of at least 0 and below 1")
        check_number("eps", eps, least=0)
        self.names = tuple(names)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self._parts = [parts(name) for name in self.names]
        self.signals = tuple(dict.fromkeys(signal for signal, *_ in self._parts))
        self._lags: dict[str, int] = {}
        for signal, average, _, lag in self._parts:
            if not average:
                self._lags[signal] = max(self._lags.get(signal, 0), lag)
        self._moments = sorted({name for signal in self.signals for name in MOMENTS.get(signal, ())})

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Features({list(self.names)}, beta1={self.beta1:g}, beta2={self.beta2:g}, eps={self.eps:g})"

    def start(self, theta: torch.Tensor) -> State:
        """What is remembered before the first step: zeros of theta's shape, by name."""
        averages = [name for name, (_, average, *_) in zip(self.names, self._parts, strict=True) if average]
        names = [*self._moments, *averages]
        names += [f"{signal}_{lag}" for signal, most in self._lags.items() for lag in range(1, most + 1)]
        return {name: torch.zeros_like(theta) for name in names}

    def __call__(self, gradient: torch.Tensor, state: State, t: int) -> tuple[list[torch.Tensor], State]:
        """The features at step ``t`` = 1, 2, …: each of the gradient's shape (``t`` itself is a scalar); and the state.

        The given state is left as it is.
        """
        signals, moments = self.now(gradient, state, t)
        columns, averages = self.histories(signals, state, t)
        return columns, {**moments, **averages}

    def now(self, g: torch.Tensor, state: State, t: int) -> tuple[State, State]:
        """The signals at step ``t`` by name, and the averages of the gradient that they come from."""
        new = {}
        for name in self._moments:
            if name == "m":
                new[name] = self.beta1 * state[name] + (1 - self.beta1) * g
            else:
                power = g * g if name == "v" else g.abs() ** POWERS[name[1:]]
                new[name] = self.beta2 * state[name] + (1 - self.beta2) * power
        return {signal: self._signal(signal, g, new, t) for signal in self.signals}, new

    def _signal(self, name: str, g: torch.Tensor, moments: State, t: int) -> torch.Tensor:
        if name in ("g", "m", "v"):
            return g if name == "g" else moments[name]
        if name == "t":
            return torch.tensor(float(t), dtype=g.dtype, device=g.device)
        if name in ("logg", "signg"):
            large = g.abs() >= SMALLEST
            if name == "logg":
                return torch.where(large, torch.where(large, g, 1.0).abs().log() / 10, -1.0)
            return torch.where(large, g.sign(), g / SMALLEST)
        first, second = 1 - self.beta1**t, 1 - self.beta2**t
        if name == "mhat":
            return moments["m"] / first
        if name == "vhat":
            return moments["v"] / second
        if name in POWERS:
            size = _root(moments[f"w{name}"] / second, 1 / POWERS[name])
        else:
            size = _root(moments["v"] / second)
        return (g if name == "gt" else moments["m"] / first) / (size + self.eps)

    def histories(self, signals: State, state: State, t: int) -> tuple[list[torch.Tensor], State]:
        """The features from the signals now and what is remembered of them; and what is remembered after."""
        columns, new = [], {}
        for name, (signal, average, decay, lag) in zip(self.names, self._parts, strict=True):
            now = signals[signal]
            if average:
                new[name] = decay * state[name] + (1 - decay) * (now if average == "avg" else now * now)
                mean = new[name] / (1 - decay**t)
                columns.append(mean if average == "avg" else _root(mean))
            else:
                columns.append(now if lag == 0 else state[f"{signal}_{lag}"])
        for signal, most in self._lags.items():
            for lag in range(most, 1, -1):
                new[f"{signal}_{lag}"] = state[f"{signal}_{lag - 1}"]
            if most:
                new[f"{signal}_1"] = signals[signal]
        return columns, new


def _root(x: torch.Tensor, power: float = 0.5) -> torch.Tensor:
    """``x**power`` for x >= 0, with derivative 0 at 0: infinity there would be NaN in second-order meta-gradients."""
    zero = x == 0
    root = torch.where(zero, 1.0, x)
    return torch.where(zero, x, root.sqrt() if power == 0.5 else root**power)
