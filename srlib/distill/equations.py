"""Differential equations with their conditions: written once in sympy, computed in torch for a network.

The same object serves teacher and student. A network is trained on ``problem.residual`` by autograd, and a formula is
put into the very same expression by sympy, where a solution gives 0 and not merely a small number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sympy
import torch
from sympy.core.function import AppliedUndef

from ..expression import Expression
from ..expression.module import run
from ..operators import suggest
from ..validation import check_range

__all__ = ["Condition", "DifferentialOperator", "DifferentialProblem"]


class DifferentialOperator:
    """An expression in u, its derivatives and the variables, as something to compute for networks and formulas.

    Parameters
    ----------
    expression : sympy.Expr or sympy.Eq
        Such as ``u.diff(t) - u.diff(x, x)``; of an equation, its left side minus its right.
    u : applied sympy function
        Such as ``sympy.Function("u")(x, t)``; its arguments are the columns of all tables, in this order.

    Raises
    ------
    ValueError
        If the expression does not depend on u, holds a symbol that is no argument of u, another unknown function, or
        something outside the alphabet of formulas.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> u = sympy.Function("u")(x)
    >>> operator = DifferentialOperator(u.diff(x, x) + u, u)
    >>> operator.sympy(sympy.sin(x))
    0
    >>> points = torch.linspace(0.0, 1.0, 3, dtype=torch.float64)[:, None]
    >>> operator.torch(lambda points: points[:, 0] ** 2, points).detach().numpy()
    array([2.  , 2.25, 3.  ])
    """

    def __init__(self, expression, u: AppliedUndef):
        if isinstance(expression, sympy.Equality):
            expression = expression.lhs - expression.rhs
        self.expression, self.u, self.variables = sympy.sympify(expression), u, u.args
        names = [variable.name for variable in self.variables]
        if not self.expression.has(u):
            raise ValueError(f"the expression {self.expression} does not depend on {u}: there is nothing to solve")
        for symbol in self.expression.free_symbols - set(self.variables):
            raise ValueError(
                f"the expression {self.expression} holds {symbol.name!r}, which is no variable of {u}"
                f"{suggest(symbol.name, names)}; give parameters as numbers"
            )
        derivatives = sorted(self.expression.atoms(sympy.Derivative), key=sympy.default_sort_key)
        for one in derivatives:
            if one.expr != u:
                raise ValueError(f"the expression holds {one}, a derivative of something else than {u}: call .doit()")
        for other in self.expression.atoms(AppliedUndef) - {u}:
            raise ValueError(f"the expression holds {other} besides {u}: only one unknown function can be solved for")
        # each derivative as the columns by which u is differentiated, such as (0, 0) for u_xx
        self.orders = [self._columns(one) for one in derivatives]
        stands = [sympy.Dummy("_".join(["u", *(names[j] for j in order)])) for order in self.orders]
        value = sympy.Dummy("u")
        plain = self.expression.xreplace(dict(zip(derivatives, stands, strict=True))).xreplace({u: value})
        columns = [*self.variables, value, *stands]
        renamed = {old: sympy.Symbol(f"x{j}") for j, old in enumerate(columns)}
        self._formula = Expression.from_sympy(plain.xreplace(renamed))
        self._constants = torch.tensor(self._formula.constants, dtype=torch.float64)

    def _columns(self, derivative: sympy.Derivative) -> tuple[int, ...]:
        return tuple(sorted(self.variables.index(variable) for variable in derivative.variables))

    def torch(self, network: Callable[[torch.Tensor], torch.Tensor], points: torch.Tensor) -> torch.Tensor:
        """The expression at each point, by autograd; it can be differentiated by the network's parameters.

        Parameters
        ----------
        network : callable
            From points (rows, variables) to u (rows,), each row by itself.
        points : Tensor, shape (rows, variables)

        Returns
        -------
        Tensor, shape (rows,)

        Notes
        -----
        Backward passes through backward passes, each of which gives all first derivatives of one quantity. For Burgers'
        equation, 4 layers of 20 and 2,000 points that took a third of the time of nested ``torch.func.jvp``, and less
        than ``vmap`` over ``grad`` and ``jacfwd``.
        """
        points = points.detach().requires_grad_()
        known = {(): network(points)}  # derivatives of u by order, (rows,)
        gradients: dict[tuple, torch.Tensor] = {}

        def derivative(order: tuple[int, ...]) -> torch.Tensor:
            if order not in known:
                lower = derivative(order[:-1])
                if order[:-1] not in gradients:  # rows do not mix, so the sum's gradient is each row's own
                    gradients[order[:-1]] = _gradient(lower, points)
                known[order] = gradients[order[:-1]][:, order[-1]]
            return known[order]

        values = [*points.unbind(dim=1), known[()], *(derivative(order) for order in self.orders)]
        result = run(self._formula, values, self._constants.to(points.dtype).unbind() if len(self._constants) else ())
        return result.expand(len(points))

    def sympy(self, formula, constants: Sequence[sympy.Symbol] = ()) -> sympy.Expr:
        """The expression with a formula in the place of u, differentiated but not simplified.

        ``constants`` are symbols that the formula may hold besides the variables.
        """
        return sum(self.terms(formula, constants), sympy.S.Zero)

    def terms(self, formula, constants: Sequence[sympy.Symbol] = ()) -> list[sympy.Expr]:
        """The summands of :meth:`sympy`, one by one."""
        formula = formula.sympy() if isinstance(formula, Expression) else sympy.sympify(formula)
        names = [variable.name for variable in self.variables]
        for symbol in formula.free_symbols - set(constants):
            if symbol.name not in names:
                hint = suggest(symbol.name, names)
                raise ValueError(f"the formula holds {symbol.name!r}, which is no variable{hint}")
        own = {s: self.variables[names.index(s.name)] for s in formula.free_symbols - set(constants)}
        formula = formula.xreplace(own)
        meaning = {self.u: formula}
        for derivative in self.expression.atoms(sympy.Derivative):
            meaning[derivative] = formula.diff(*derivative.variables)
        return [term.xreplace(meaning) for term in sympy.Add.make_args(self.expression.expand())]

    def __repr__(self) -> str:
        return f"DifferentialOperator({self.expression})"


def _gradient(values: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Derivatives of each row's value by its coordinates, (rows, variables); 0 where there is no dependence."""
    if not values.requires_grad:
        return torch.zeros_like(points)
    found = torch.autograd.grad(values.sum(), points, create_graph=True, allow_unused=True)[0]
    return torch.zeros_like(points) if found is None else found


@dataclass(frozen=True)
class Condition:
    """What holds on a part of the boundary: an expression vanishes where some variables have fixed values.

    Attributes
    ----------
    expression : sympy.Expr or sympy.Eq
        Such as ``u + sin(pi*x)``, or ``Eq(u, -sin(pi*x))``; it may hold derivatives of u.
    on : mapping of str to float
        Such as ``{"t": 0}``.
    """

    expression: object
    on: Mapping[str, float]

    def __str__(self) -> str:
        left, right = self.expression, 0
        if isinstance(self.expression, sympy.Equality):
            left, right = self.expression.args
        return f"{left} = {right} at " + ", ".join(f"{name} = {value}" for name, value in self.on.items())


@dataclass(frozen=True)
class DifferentialProblem:
    """A differential equation for one unknown function, its conditions and its domain.

    Attributes
    ----------
    name : str
    equation : sympy.Expr or sympy.Eq
        See :class:`DifferentialOperator`.
    u : applied sympy function
        Its arguments are one variable (an ODE) or more.
    domain : mapping of str to (float, float)
        The range of each variable.
    conditions : sequence of Condition
        Initial and boundary conditions; at least one.
    solution : sympy.Expr, optional
        The exact solution, where it is known in closed form.
    reference : callable, optional
        ``reference(X)`` gives the solution at points (rows, variables), (rows,); by default from ``solution``.
    about : str
        Where the problem is from.

    Raises
    ------
    ValueError
        If variables and domain do not belong together, a condition lies outside the domain, or there is none.
    """

    name: str
    equation: object
    u: AppliedUndef
    domain: Mapping[str, tuple[float, float]]
    conditions: Sequence[Condition]
    solution: sympy.Expr | None = None
    reference: Callable[[np.ndarray], np.ndarray] | None = field(default=None, repr=False)
    about: str = ""

    def __post_init__(self):
        if set(self.names) != set(self.domain):
            raise ValueError(
                f"domain has {', '.join(sorted(self.domain))}, but {self.u} needs {' and '.join(self.names)}"
            )
        for name in self.names:
            check_range(f"domain[{name!r}]", self.domain[name])
            if self.domain[name][0] == self.domain[name][1]:
                raise ValueError(f"domain[{name!r}] is {self.domain[name]}: a range needs a length")
        if not self.conditions:
            raise ValueError("conditions is empty: without any, the equation has more than one solution")
        for condition in self.conditions:
            if not condition.on:
                raise ValueError(
                    f"the condition {condition.expression} has no place: give on={{'{self.names[-1]}': ...}}"
                )
            for name, value in condition.on.items():
                if name not in self.names:
                    hint = suggest(name, self.names)
                    raise ValueError(f"the condition {condition} is on {name!r}, which is no variable{hint}")
                low, high = self.domain[name]
                if not low <= value <= high:
                    raise ValueError(
                        f"the condition {condition} lies outside the domain, where {name} is {low} to {high}"
                    )
        _ = self.residual, self.boundary  # wrong expressions are errors now, not when they are first used
        if self.reference is None and self.solution is not None:
            object.__setattr__(self, "reference", self._from_solution)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names, in the order of the columns."""
        return tuple(variable.name for variable in self.u.args)

    @property
    def low(self) -> np.ndarray:
        """The lower ends of the domain, shape (variables,)."""
        return np.array([self.domain[name][0] for name in self.names], dtype=float)

    @property
    def high(self) -> np.ndarray:
        """The upper ends of the domain, shape (variables,)."""
        return np.array([self.domain[name][1] for name in self.names], dtype=float)

    @cached_property
    def residual(self) -> DifferentialOperator:
        """The equation, left side minus right."""
        return DifferentialOperator(self.equation, self.u)

    @cached_property
    def boundary(self) -> tuple[DifferentialOperator, ...]:
        """The conditions' expressions, in their order."""
        return tuple(DifferentialOperator(condition.expression, self.u) for condition in self.conditions)

    def grid(self, *rows: int) -> np.ndarray:
        """Points of a regular grid with so many values of each variable, the last variable fastest.

        Returns
        -------
        ndarray, shape (product of rows, variables)
        """
        if len(rows) != len(self.names):
            raise ValueError(f"rows is {rows}: give one number for each of {', '.join(self.names)}")
        axes = [np.linspace(*self.domain[name], n) for name, n in zip(self.names, rows, strict=True)]
        return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)

    def _from_solution(self, X: np.ndarray) -> np.ndarray:
        values = sympy.lambdify(self.u.args, self.solution, "numpy")(*np.asarray(X, dtype=float).T)
        return np.broadcast_to(values, len(X)).astype(float)
