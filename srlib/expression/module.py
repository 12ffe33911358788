"""Formulas as torch modules, for gradients with respect to constants and inputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..operators import CONSTANT, by_code
from .core import Expression

__all__ = ["ExpressionModule", "run"]


def run(expression: Expression, columns: Sequence[torch.Tensor], constants: Sequence[torch.Tensor]) -> torch.Tensor:
    """The formula's value on tensors; ``constants`` in postfix order."""
    constants, stack = iter(constants), []
    for code in expression.codes.tolist():
        if code == CONSTANT:
            stack.append(next(constants))
        elif code < 0:
            stack.append(columns[-1 - code])
        else:
            operator = by_code(code)
            arguments = stack[-operator.arity :]
            del stack[-operator.arity :]
            stack.append(operator.torch(torch, *arguments))
    return stack[0]


class ExpressionModule(torch.nn.Module):
    """A formula whose constants are trained by gradient descent.

    Parameters
    ----------
    expression : Expression
        The formula; its constants are the starting values.

    Notes
    -----
    ``module.constants`` is one ``Parameter`` of shape (constants,), float64; ``module.to(torch.float32)`` changes it.

    Examples
    --------
    >>> module = Expression.parse("2*x0").torch()
    >>> module(torch.tensor([[3.0]], dtype=torch.float64)).item()
    6.0
    """

    def __init__(self, expression: Expression):
        super().__init__()
        self.formula = expression
        self.constants = torch.nn.Parameter(torch.tensor(expression.constants, dtype=torch.float64))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """The value for each row of ``X`` (rows, features), shape (rows,)."""
        if X.ndim != 2:
            raise ValueError(f"X has shape {tuple(X.shape)}: give a tensor of shape (rows, features)")
        used = self.formula.features
        if used and used[-1] >= X.shape[1]:
            missing = self.formula.feature_name(used[-1])
            raise ValueError(f"X has {X.shape[1]} columns, but the formula uses {missing} (column {used[-1]})")
        y = run(self.formula, X.unbind(dim=1), self.constants.unbind() if len(self.constants) else ())
        return y.expand(len(X))

    def expression(self) -> Expression:
        """The formula with the constants as they are trained now."""
        return self.formula.with_constants(self.constants.detach().cpu().numpy())

    def extra_repr(self) -> str:
        return str(self.expression().format())
