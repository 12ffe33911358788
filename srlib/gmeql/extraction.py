"""From a hard instance, one node for each connection, to its formula.

Weights on a path multiply: ``(2*(3*x))**2`` has one free number and not two. So each node's value is written as a sum
of terms ``coefficient * body`` whose bodies hold no number that could be moved outside. What is left inside, such as
the frequency of a sine or the ratio of two summands below a root, is owned by a connection, so that a fitted number
can become a weight again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT, find
from .functions import find_function
from .network import Architecture, Weights

__all__ = ["Body", "Form", "extract"]

ONE = ((), (), ())  # the body of a constant term
MOST_NODES = 400  # of one body; networks with many sums could grow without limit

Body = tuple[tuple[int, ...], tuple[float, ...], tuple[int, ...]]  # codes, values, owners (of constants, else -1)


@lru_cache(maxsize=64)
def _code(name: str) -> int:
    return find(name, arity=2 if name in ("add", "mul", "div") else 1).code


@dataclass(frozen=True)
class Form:
    """A formula as a sum of terms.

    Attributes
    ----------
    coefficients : tuple of float
    bodies : tuple of Body
    offset : float
    """

    coefficients: tuple[float, ...]
    bodies: tuple[Body, ...]
    offset: float = 0.0

    @property
    def terms(self) -> Expression | None:
        """The sum of the bodies without their coefficients, to be fitted; None if there are none."""
        return None if not self.bodies else _trusted(_sum([(1.0, body) for body in self.bodies], 0.0))

    @property
    def owners(self) -> np.ndarray:
        """For each constant of :attr:`terms` the row that owns it, as in :func:`extract`."""
        owners = [
            owner for codes, _, of in self.bodies for owner, code in zip(of, codes, strict=True) if code == CONSTANT
        ]
        return np.array(owners, dtype=int)

    def fitted(self, values: Sequence[float], coefficients: Sequence[float]) -> Form:
        """With other numbers: the constants of :attr:`terms`, and the offset followed by the coefficients."""
        bodies, at = [], 0
        for codes, numbers, owners in self.bodies:
            new = list(numbers)
            for node, code in enumerate(codes):
                if code == CONSTANT:
                    new[node] = float(values[at])
                    at += 1
            bodies.append((codes, tuple(new), owners))
        count = len(bodies)
        return Form(tuple(map(float, coefficients[1 : count + 1])), tuple(bodies), float(coefficients[0]))

    def without(self, term: int) -> Form:
        """With one term less."""
        drop = slice(term, term + 1)
        coefficients, bodies = list(self.coefficients), list(self.bodies)
        del coefficients[drop], bodies[drop]
        return replace(self, coefficients=tuple(coefficients), bodies=tuple(bodies))

    def expression(self, names=None) -> Expression:
        """The formula; terms whose coefficient is 0 are left out."""
        kept = [(c, body) for c, body in zip(self.coefficients, self.bodies, strict=True) if c != 0]
        return Expression(*_sum(kept, self.offset)).with_names(names)


def _trusted(arrays) -> Expression:
    return Expression._trusted(np.array(arrays[0], np.int32), np.array(arrays[1], float), None)


def _sum(terms, offset: float) -> tuple[list[int], list[float]]:
    """Postfix codes and values of ``c_1 body_1 + … + offset``; a coefficient of 1 is not written."""
    codes: list[int] = []
    values: list[float] = []
    for coefficient, (body, numbers, _) in terms:
        begun = bool(codes)
        negative = begun and coefficient < 0
        factor = -coefficient if negative else coefficient
        scaled = factor != 1
        if scaled:
            codes.append(CONSTANT)
            values.append(factor)
        codes.extend(body)
        values.extend(numbers)
        if scaled:
            codes.append(_code("mul"))
            values.append(0.0)
        if begun:
            codes.append(find("sub").code if negative else _code("add"))
            values.append(0.0)
    if offset or not codes:
        begun = bool(codes)
        codes.append(CONSTANT)
        values.append(abs(offset) if begun else offset)
        if begun:
            codes.append(find("sub").code if offset < 0 else _code("add"))
            values.append(0.0)
    return codes, values


class _Value:
    """A node's value: terms by body, each with a coefficient and the row that multiplied it last."""

    def __init__(self, terms: dict[Body, tuple[float, int]]):
        self.terms = terms

    @property
    def is_constant(self) -> bool:
        return all(body == ONE or c == 0 for body, (c, _) in self.terms.items())

    @property
    def number(self) -> float:
        return self.terms.get(ONE, (0.0, -1))[0]

    def times(self, factor: float, owner: int | None = None) -> _Value:
        return _Value({body: (factor * c, o if owner is None else owner) for body, (c, o) in self.terms.items()})

    def plus(self, other: _Value) -> _Value:
        terms = dict(self.terms)
        for body, (c, o) in other.terms.items():
            terms[body] = (terms[body][0] + c, o) if body in terms else (c, o)
        return _Value(terms)

    def collapsed(self) -> tuple[float, Body]:
        """One coefficient and one body: further terms keep the ratio of their coefficient to the first."""
        terms = {body: term for body, term in self.terms.items() if term[0] != 0}
        scale, body = next(c for one, (c, _) in terms.items() if one != ONE), None
        for one, (c, owner) in sorted(terms.items(), key=lambda item: item[0] == ONE):
            body = one if body is None else _joined(body, c / scale, owner, one)
        return scale, body

    def inside(self) -> Body:
        """One body with all coefficients in it, as the argument of a sine."""
        body = None
        for one, (c, owner) in sorted(self.terms.items(), key=lambda item: item[0] == ONE):
            body = _scaled(c, owner, one) if body is None else _joined(body, c, owner, one)
        return body


def _scaled(c: float, owner: int, body: Body) -> Body:
    codes, values, owners = body
    return (CONSTANT, *codes, _code("mul")), (c, *values, 0.0), (owner, *owners, -1)


def _joined(body: Body, c: float, owner: int, other: Body) -> Body:
    """``body + c*other``; a constant's own body is empty."""
    codes, values, owners = ((CONSTANT,), (c,), (owner,)) if other == ONE else _scaled(c, owner, other)
    plus = _code("add")
    return (*body[0], *codes, plus), (*body[1], *values, 0.0), (*body[2], *owners, -1)


def _applied(names: Sequence[str], *bodies: Body) -> Body:
    """Operators around one or two bodies."""
    codes, values, owners = (tuple(x for body in bodies for x in body[part]) for part in range(3))
    return (*codes, *map(_code, names)), (*values, *(0.0 for _ in names)), (*owners, *(-1 for _ in names))


def _power(body: Body, k: int) -> Body:
    match k:
        case 2 | 3:
            return _applied(["square" if k == 2 else "cube"], body)
        case 4 | 6:
            return _applied(["square", "square"] if k == 4 else ["cube", "square"], body)
    return _applied(["mul"], _power(body, k - 1), body)


POWERS = {"square": 2, "cubic": 3, "fourth": 4, "fifth": 5, "sixth": 6}


def _unary(name: str, a: _Value) -> _Value:
    if a.is_constant:
        with np.errstate(all="ignore"):
            return _Value({ONE: (float(find_function(name).value(np.float64(a.number))), -1)})
    if name == "identity":
        return a
    if name in ("sin", "cos", "exp"):
        return _Value({_applied([name], a.inside()): (1.0, -1)})
    scale, body = a.collapsed()
    if name in POWERS:
        return _Value({_power(body, POWERS[name]): (scale ** POWERS[name], -1)})
    inner = ["neg"] * (scale < 0 and name == "sqrt") + ["abs"] * (name == "sqrt_abs") + ["sqrt"]
    return _Value({_applied(inner, body): (abs(scale) ** 0.5, -1)})


def _binary(name: str, a: _Value, b: _Value) -> _Value:
    if name == "plus":
        return a.plus(b)
    if name == "minus":
        return a.plus(b.times(-1.0))
    if name == "times" and a.is_constant:
        return b.times(a.number)
    if b.is_constant:
        with np.errstate(all="ignore"):
            return a.times(b.number if name == "times" else float(np.float64(1) / np.float64(b.number)))
    below, divisor = b.collapsed()
    with np.errstate(all="ignore"):
        below = below if name == "times" else float(np.float64(1) / np.float64(below))
    if a.is_constant:
        return _Value({_applied(["inv"], divisor): (a.number * below, -1)})
    scale, body = a.collapsed()
    return _Value({_applied(["mul" if name == "times" else "div"], body, divisor): (scale * below, -1)})


def extract(architecture: Architecture, edges: np.ndarray, weights: Weights) -> Form | None:
    """The formula of one hard instance.

    Parameters
    ----------
    architecture : Architecture
    edges : ndarray of int, shape (rows,)
    weights : Weights, shapes (rows,) and (sums, widest)

    Returns
    -------
    Form or None
        With the same values as the network. An owner below ``architecture.rows`` is a connection's weight, a higher one
        a sum's: ``rows + widest*sum + place``. None where a number is not finite, a weight that divides is 0, or the
        formula is too long. A node that is used twice appears twice, and then each copy has constants of its own.
    """
    edges, w = edges.tolist(), weights.w.tolist()
    rows, widest, first_sum = architecture.rows, architecture.widest, architecture.sums.tolist()
    known: dict[tuple[int, int], _Value] = {}

    def value(layer: int, node: int) -> _Value:
        """The value of a node; layer 0 is that of the inputs."""
        if (layer, node) not in known:
            known[layer, node] = _input(node) if layer == 0 else computed(layer, node)
        return known[layer, node]

    def computed(number: int, node: int) -> _Value:
        layer = architecture.layers[number - 1]
        for group in layer.groups:
            if group.nodes.start <= node < group.nodes.stop:
                at = [layer.rows.start + r.start + node - group.nodes.start for r in group.arguments]
                arguments = [value(number - 1, edges[row]).times(w[row], row) for row in at]
                return _unary(group.function.name, *arguments) if len(at) == 1 else _binary(
                    group.function.name, *arguments
                )  # fmt: skip
        which = first_sum.index(layer.rows.stop - (len(layer.names) - node))
        total: dict[Body, tuple[float, int]] = {}
        for place, factor in enumerate(weights.u[which, : layer.before].tolist()):
            owner = rows + widest * which + place
            for body, (c, _) in value(number - 1, place).terms.items() if factor else ():
                total[body] = (total.get(body, (0.0, owner))[0] + factor * c, owner)
        return _Value(total)

    def _input(node: int) -> _Value:
        body = ONE if node == architecture.features else ((-1 - node,), (0.0,), (-1,))
        return _Value({body: (1.0, -1)})

    final = value(len(architecture.layers), 0).terms
    offset = final.get(ONE, (0.0, -1))[0]
    bodies = [(body, c) for body, (c, _) in final.items() if body != ONE]
    numbers = [offset, *(c for _, c in bodies), *(x for body, _ in bodies for x in body[1])]
    if not np.isfinite(numbers).all() or sum(len(body[0]) for body, _ in bodies) > MOST_NODES:
        return None
    return Form(tuple(c for _, c in bodies), tuple(body for body, _ in bodies), offset)
