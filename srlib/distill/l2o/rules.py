"""Update rules: what an optimiser does with its features; SGD, momentum, RMSprop and Adam as formulas.

A rule moves each coordinate by ``scale * schedule * update``, with an update that depends on the history of its own
gradient only. A formula over :class:`~srlib.distill.l2o.Features` is such a rule, whether somebody thought of it or it
was distilled from a network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from ...expression import Expression
from ...expression.module import run
from .features import Features, State, mentioned

__all__ = ["FormulaRule", "Rule", "adam", "cosine", "momentum", "rmsprop", "sgd"]

Scale = float | torch.Tensor


class Rule(nn.Module):
    """An update rule, the same for each coordinate.

    Attributes
    ----------
    features : Features
        What it sees of the gradients.
    scale : float or Tensor
        What the update is multiplied by (a learning rate); a tensor (optimizees, 1) gives each optimizee its own.
    """

    def __init__(self, features: Features, scale: Scale):
        super().__init__()
        self.features, self.scale = features, scale

    def start(self, theta: torch.Tensor) -> State:
        """The state before the first step, tensors by name."""
        return self.features.start(theta)

    def forward(self, gradient: torch.Tensor, state: State, t: int) -> tuple[torch.Tensor, State]:
        """The update before scaling, of the gradient's shape, at step ``t`` = 1, 2, …; and the state after it."""
        columns, seen = self.features(gradient, state, t)
        update, own = self.update(columns, state)
        return update.expand_as(gradient), {**seen, **own}

    def update(self, columns: list[torch.Tensor], state: State) -> tuple[torch.Tensor, State]:
        """The update from the features, and what the rule remembers besides; subclasses give this."""
        raise NotImplementedError


class FormulaRule(Rule):
    """A rule from a formula over features of the gradients.

    Parameters
    ----------
    formula : str or Expression
        Over names of features. Its value is added to the parameters, so that it usually begins with a minus.
    scale : float or Tensor
    beta1, beta2, eps : float
        See :class:`~srlib.distill.l2o.Features`.
    operators : sequence of Operator
        That the text uses besides the built-in ones (:meth:`srlib.Expression.operator`).

    Notes
    -----
    The constants are trained as ``start * exp(relative)``: each keeps its sign, and steps are relative to its size.
    ``relative`` is a ``Parameter`` of zeros, shape (constants,). Outside the formula's domain the update is NaN.

    Examples
    --------
    >>> rule = FormulaRule("-2*tanh(mt)", scale=0.1)
    >>> g = torch.tensor([1.0, -3.0])
    >>> rule(g, rule.start(g), 1)[0].tolist()  # at the first step mt is the sign
    [-1.52..., 1.52...]
    """

    def __init__(
        self, formula: str | Expression, scale: Scale = 1.0, beta1: float = 0.95, beta2: float = 0.95,
        eps: float = 1e-12, operators: Sequence = (),
    ):  # fmt: skip
        if isinstance(formula, Expression):
            names = [formula.feature_name(j) for j in formula.features]
            text, columns = str(formula), formula.features
        else:
            text, names = str(formula), list(mentioned(str(formula)))
            formula, columns = Expression.parse(text, names=names, operators=operators), None
        if not names:
            raise ValueError(f"formula is {text!r}, which uses no feature of the gradient: its update never changes")
        super().__init__(Features(names, beta1, beta2, eps), scale)
        self.formula = formula
        self._columns = columns
        self.relative = nn.Parameter(torch.zeros(len(formula.constants), dtype=torch.float64))
        self.register_buffer("_start", torch.tensor(formula.constants, dtype=torch.float64))

    def update(self, columns, state):
        """The formula's value."""
        dtype = columns[0].dtype
        if self._columns is not None:
            columns = dict(zip(self._columns, columns, strict=True))
        constants = (self._start * self.relative.exp()).to(dtype).unbind() if len(self.relative) else ()
        return run(self.formula, columns, constants), {}

    def expression(self) -> Expression:
        """The formula with the constants as they are now."""
        values = self._start * self.relative.detach().exp()
        return self.formula.with_constants(values.cpu().numpy())

    def extra_repr(self) -> str:
        return f"{self.expression().format(4)}, scale={self.scale}"


def cosine(total: int) -> Callable[[int], float]:
    """A schedule: from 1 at the first step along half a cosine to 0 after the last of ``total`` steps."""
    return lambda t: 0.5 + 0.5 * math.cos(math.pi * (t - 1) / total)


# ------------------------------------------------------------ hand-made rules, as in torch.optim


def sgd(rate: Scale = 0.1) -> FormulaRule:
    """Gradient descent, ``-g``."""
    return FormulaRule("-g", rate)


def momentum(rate: Scale = 0.1, decay: float = 0.9) -> FormulaRule:
    """``b = decay*b + g``, update ``-b``: the exponential average over ``1 - decay``."""
    return FormulaRule(Expression.parse(f"-m/{1 - decay!r}", names=["m"]), rate, beta1=decay)


def rmsprop(rate: Scale = 0.01, decay: float = 0.99, eps: float = 1e-8) -> FormulaRule:
    """``-g/(sqrt(v) + eps)``, without bias correction."""
    return FormulaRule(f"-g/(sqrt(v) + {eps!r})", rate, beta2=decay)


def adam(rate: Scale = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> FormulaRule:
    """``-mhat/(sqrt(vhat) + eps)``."""
    return FormulaRule(f"-mhat/(sqrt(vhat) + {eps!r})", rate, beta1, beta2)
