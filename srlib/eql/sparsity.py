"""Penalties that make weights vanish: L1, L0.5, smoothed L0.5, and relaxed L0 by the hard concrete distribution.

Each is a small object over tensors: :meth:`values` is the penalty of each weight, :meth:`slopes` its derivative,
written by hand because training takes it thousands of times. Sources: document 000; S. Kim et al., arXiv 1912.04825;
C. Louizos, M. Welling and D. Kingma, arXiv 1712.01312.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ..validation import check_choice

__all__ = ["HardConcrete", "L05", "L1", "Penalty", "SmoothedL05", "read_sparsity"]


@dataclass(frozen=True)
class L1:
    """The sum of ``|w|``.

    Examples
    --------
    >>> L1().values(torch.tensor([-2.0, 0.5])).tolist()
    [2.0, 0.5]
    """

    def values(self, w: torch.Tensor) -> torch.Tensor:
        """The penalty of each weight, in the shape of ``w``."""
        return w.abs()

    def slopes(self, w: torch.Tensor) -> torch.Tensor:
        """Its derivative."""
        return torch.sign(w)


@dataclass(frozen=True)
class L05:
    """The sum of ``|w|**0.5``: sparser than L1, but its slope is infinite at 0; to be shown, not to train with."""

    def values(self, w: torch.Tensor) -> torch.Tensor:
        """The penalty of each weight, in the shape of ``w``."""
        return w.abs().sqrt()

    def slopes(self, w: torch.Tensor) -> torch.Tensor:
        """Its derivative; infinite at 0, with the sign of the zero."""
        return torch.copysign(0.5 * w.abs().rsqrt(), w)


@dataclass(frozen=True)
class SmoothedL05:
    """L0.5 whose slope stays finite (document 000).

    ``|w|**0.5`` for ``|w| >= a``, below it ``(-w**4/(8 a**3) + 3 w**2/(4 a) + 3 a/8)**0.5``, which joins with the same
    value, slope and curvature. The document prints the condition as ``w >= a``; it is the size of w that counts.

    Attributes
    ----------
    a : float
        Where the two parts join; 0.05 in the paper's code.
    """

    a: float = 0.05

    def __post_init__(self):
        if not (math.isfinite(self.a) and self.a > 0):
            raise ValueError(f"a is {self.a!r}: the size of weight where smoothed L0.5 begins must be above 0")

    def values(self, w: torch.Tensor) -> torch.Tensor:
        """The penalty of each weight, in the shape of ``w``."""
        return self._values(w * w)

    def _values(self, square: torch.Tensor) -> torch.Tensor:
        near, far = square.clamp(max=self.a * self.a), square.clamp(min=self.a * self.a)  # autograd sees both parts
        inner = (near * near).mul_(-0.125 / self.a**3).add_(near, alpha=0.75 / self.a).add_(0.375 * self.a)
        return torch.where(square < self.a * self.a, inner, far.sqrt()).sqrt()

    def slopes(self, w: torch.Tensor) -> torch.Tensor:
        """Its derivative: the derivative of the inner part by w, over twice the value."""
        square = w * w
        inner = (1.5 / self.a - 0.5 / self.a**3 * square).mul_(w)
        inner = torch.where(square < self.a * self.a, inner, torch.sign(w))
        return inner.div_(self._values(square).mul_(2))


@dataclass(frozen=True)
class HardConcrete:
    """Gates that multiply the weights; the penalty is the expected number that are not 0 (relaxed L0).

    A gate is ``clip(s (zeta - gamma) + gamma, 0, 1)`` with ``s = sigmoid((log u - log(1 - u) + log_alpha)/beta)`` and u
    uniform: a stretched concrete variable, of which the parts beyond 0 and 1 become exactly 0 and 1. Its ``log_alpha``
    is trained like a weight.

    Attributes
    ----------
    beta : float
        The temperature: the lower, the more a gate is 0 or 1.
    gamma, zeta : float
        The stretch, below 0 and above 1.
    closed : float
        The drop rate that log alpha starts from.
    """

    beta: float = 2 / 3
    gamma: float = -0.1
    zeta: float = 1.1
    closed: float = 0.5

    def __post_init__(self):
        if not (math.isfinite(self.beta) and self.beta > 0):
            raise ValueError(f"beta is {self.beta!r}: the temperature must be above 0")
        if not (self.gamma < 0 and self.zeta > 1):
            raise ValueError(f"gamma is {self.gamma!r} and zeta {self.zeta!r}: give gamma < 0 and zeta > 1")
        if not 0 < self.closed < 1:
            raise ValueError(f"closed is {self.closed!r}: give a drop rate between 0 and 1")

    @property
    def start(self) -> float:
        """The mean of log alpha at the start."""
        return math.log((1 - self.closed) / self.closed)

    def sample(self, log_alpha: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """Gates for uniform numbers ``u`` in (0, 1), in the shape of ``log_alpha``."""
        s = torch.sigmoid((torch.logit(u) + log_alpha) / self.beta)
        return (s * (self.zeta - self.gamma) + self.gamma).clamp(0, 1)

    def sample_slopes(self, gates: torch.Tensor) -> torch.Tensor:
        """The derivative of sampled gates by log alpha, from the gates alone; 0 where one is exactly 0 or 1."""
        width = self.zeta - self.gamma
        s = (gates - self.gamma) / width
        return torch.where((gates > 0) & (gates < 1), s * (1 - s) * (width / self.beta), 0.0)

    def gates(self, log_alpha: torch.Tensor) -> torch.Tensor:
        """The gates at test time, without chance."""
        return (torch.sigmoid(log_alpha) * (self.zeta - self.gamma) + self.gamma).clamp(0, 1)

    def values(self, log_alpha: torch.Tensor) -> torch.Tensor:
        """The probability that each gate is not 0: the penalty."""
        return torch.sigmoid(log_alpha - self.beta * math.log(-self.gamma / self.zeta))

    def slopes(self, log_alpha: torch.Tensor) -> torch.Tensor:
        """Its derivative."""
        p = self.values(log_alpha)
        return p * (1 - p)

    def probability_of_one(self, log_alpha: torch.Tensor) -> torch.Tensor:
        """The probability that each gate is exactly 1."""
        return torch.sigmoid(log_alpha - self.beta * math.log((1 - self.gamma) / (self.zeta - 1)))


Penalty = L1 | L05 | SmoothedL05 | HardConcrete
NAMES = {"L0.5": SmoothedL05, "L1": L1, "L0": HardConcrete}


def read_sparsity(sparsity) -> L1 | SmoothedL05 | HardConcrete:
    """The object that a name stands for; objects come back as they are."""
    if isinstance(sparsity, L1 | SmoothedL05 | HardConcrete):
        return sparsity
    if isinstance(sparsity, L05):
        raise ValueError("sparsity is L05(), whose slope is infinite at 0: train with SmoothedL05()")
    check_choice("sparsity", sparsity, tuple(NAMES))
    return NAMES[sparsity]()
