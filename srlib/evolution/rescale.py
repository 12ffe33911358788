"""Columns and target brought to order one, and formulas brought back exactly.

Planck's constants are 1e-34 and frequencies 1e15: no search should begin by finding factors of that size. A column
whose typical size is far from one is multiplied by a power of 4, which changes no digit; a formula found over the new
columns becomes one over the old ones by moving the powers outwards through the formula into the constants that are
already there.
"""

from __future__ import annotations

import math

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT, Operator, by_code

__all__ = ["FAR", "Scales", "choose_scales", "into_scales", "out_of_scales"]

FAR = 1000.0  # sizes within this factor of one are left alone
SMALLEST = 1e-150  # a factor that is smaller, or larger than its reciprocal, is not moved further outwards
LARGEST = 500  # powers of 4, so that neither they nor their reciprocals overflow


def _power_of_four(size: float) -> float:
    if size == 0 or 1 / FAR < size < FAR:
        return 1.0
    return 4.0 ** -min(max(round(math.log(min(size, 1e308), 4)), -LARGEST), LARGEST)


def _spread(y: np.ndarray) -> float:
    """The standard deviation; of numbers whose squares overflow, too."""
    largest = float(np.abs(y).max(initial=0.0))
    return largest * float(np.std(y / largest)) if largest > 0 else 0.0


class Scales:
    """What the columns and the target are multiplied by.

    Attributes
    ----------
    features : ndarray, shape (features,)
    target : float
    """

    def __init__(self, features, target: float):
        self.features, self.target = np.asarray(features, float), float(target)

    @property
    def trivial(self) -> bool:
        """Whether nothing changes."""
        return self.target == 1.0 and bool((self.features == 1.0).all())


def choose_scales(X: np.ndarray, y: np.ndarray) -> Scales:
    """Powers of 4 by the columns' median size and the target's spread."""
    with np.errstate(over="ignore"):  # the middle of two numbers near the largest
        sizes = [float(np.median(np.abs(column[column != 0]))) if column.any() else 1.0 for column in X.T]
    return Scales([_power_of_four(size) for size in sizes], _power_of_four(_spread(y)))


def into_scales(expression: Expression, scales: Scales) -> Expression:
    """A formula over the user's columns, over the scaled ones."""
    if scales.trivial:
        return expression
    return _times(scales.target, *_moved(expression, 1.0 / scales.features))


def out_of_scales(expression: Expression, scales: Scales) -> Expression:
    """A formula over the scaled columns, over the user's; the value is the same to the last digits.

    A power that cannot be moved into a constant is multiplied or added.
    """
    if scales.trivial:
        return expression
    return _times(1.0 / scales.target, *_moved(expression, scales.features))


def _times(number: float, form: Expression, factor: float, offset: float) -> Expression:
    """``number * (factor * form + offset)`` as one formula."""
    try:
        if _safe(factor * number):
            return _whole(form, factor * number, offset * number)
    except ValueError:  # a constant that became infinite
        pass
    return Expression.constant(number) * _whole(form, factor, offset)


def _safe(factor: float) -> bool:
    return SMALLEST < abs(factor) < 1.0 / SMALLEST


def _moved(expression: Expression, scales: np.ndarray):
    """``(form, factor, offset)``: ``factor * form + offset`` is the formula if feature j stands for scales[j] * xj."""
    stack: list[tuple[Expression, float, float]] = []
    for code, value in zip(expression.codes.tolist(), expression.values.tolist(), strict=True):
        if code == CONSTANT:
            stack.append((Expression.constant(value), 1.0, 0.0))
        elif code < 0:
            stack.append((Expression.variable(-1 - code), float(scales[-1 - code]), 0.0))
        else:
            operator = by_code(code)
            arguments = stack[-operator.arity :]
            del stack[-operator.arity :]
            stack.append(_through(operator, arguments))
    return stack[0]


def _through(operator: Operator, arguments):
    """An operator on affine parts, again as an affine part."""
    try:
        form, factor, offset = _outwards(operator, arguments)
        if _safe(factor) and math.isfinite(offset):
            return form, factor, offset
    except (ArithmeticError, ValueError):  # a number that became infinite
        pass
    return Expression.apply(operator, *(_whole(*part) for part in arguments)), 1.0, 0.0


def _outwards(operator: Operator, arguments):
    """The same, however large the numbers become."""
    name = operator.name
    if len(arguments) == 2 and name in ("add", "sub"):
        return _sum(operator, *arguments)
    if len(arguments) == 2 and name in ("mul", "div"):
        (a, fa, oa), (b, fb, ob) = arguments
        if oa == 0 and ob == 0:
            return Expression.apply(operator, a, b), (fa * fb if name == "mul" else fa / fb), 0.0
        if name == "mul" and ob != 0 and _is_constant(a):  # c*(f*b + o)
            return Expression.apply(operator, a, b), fa * fb, fa * float(a.values[0]) * ob
        if oa != 0 and _is_constant(b):
            number = fb * float(b.values[0]) if name == "mul" else 1.0 / (fb * float(b.values[0]))
            return Expression.apply(operator, a, b), (fa * fb if name == "mul" else fa / fb), oa * number
    if len(arguments) == 1:
        a, fa, oa = arguments[0]
        if oa == 0:
            powers = {"square": 2, "cube": 3, "inv": -1, "neg": 1}
            if name in powers:
                return Expression.apply(operator, a), fa ** powers[name], 0.0
            if name in ("sqrt", "abs", "cbrt") and fa > 0:
                power = {"sqrt": 0.5, "abs": 1.0, "cbrt": 1 / 3}[name]
                return Expression.apply(operator, a), fa**power, 0.0
            if name in ("log", "log2", "log10") and fa > 0 and fa != 1.0:
                return Expression.apply(operator, a), 1.0, float(getattr(np, name)(fa))
    if name == "pow" and len(arguments) == 2:
        (a, fa, oa), (b, fb, ob) = arguments
        if oa == 0 and fa > 0 and _is_constant(b) and fb == 1.0 and ob == 0:
            return Expression.apply(operator, a, b), fa ** float(b.values[0]), 0.0
    return Expression.apply(operator, *(_whole(*part) for part in arguments)), 1.0, 0.0


def _sum(operator: Operator, left, right):
    (a, fa, oa), (b, fb, ob) = left, right
    sign = 1.0 if operator.name == "add" else -1.0
    offset = oa + sign * ob
    if _is_constant(b) and not _is_constant(a):
        b, fb = Expression.constant(float(b.values[0]) * fb / fa), fa
    elif _is_constant(a) and not _is_constant(b):
        a, fa = Expression.constant(float(a.values[0]) * fa / fb), fb
    elif fa != fb:
        a, fa = _scaled(a, fa / fb), fb
    return Expression.apply(operator, a, b), fa, offset


def _scaled(form: Expression, factor: float) -> Expression:
    """``factor * form``, the factor put into a constant that multiplies the form already, if there is one."""
    if factor == 1.0:
        return form
    root = int(form.codes[-1])
    if root == CONSTANT:
        return Expression.constant(float(form.values[0]) * factor)
    name = by_code(root).name if root > 0 else ""
    if name in ("mul", "div"):
        left, right = form.children(form.size - 1)
        for side in (left, right) if name == "mul" else (left,):
            part = form.subtree(side)
            if _has_factor(part):
                return form.replace(side, _scaled(part, factor))
    if name in ("add", "sub"):
        left, right = form.children(form.size - 1)
        sides = form.subtree(left), form.subtree(right)
        if all(map(_has_factor, sides)) or any(map(_is_constant, sides)):  # 4*(x0 + 2) is as long as 4*x0 + 8
            form = form.replace(right, _scaled(form.subtree(right), factor))
            return form.replace(form.children(form.size - 1)[0], _scaled(form.subtree(left), factor))
    return Expression.constant(factor) * form


def _has_factor(form: Expression) -> bool:
    """Whether a factor can be put into a constant of the form."""
    root = int(form.codes[-1])
    if root == CONSTANT:
        return True
    name = by_code(root).name if root > 0 else ""
    if name not in ("mul", "div", "add", "sub"):
        return False
    sides = [_has_factor(form.subtree(side)) for side in form.children(form.size - 1)]
    return all(sides) if name in ("add", "sub") else (any(sides) if name == "mul" else sides[0])


def _is_constant(form: Expression) -> bool:
    return form.size == 1 and form.codes[0] == CONSTANT


def _whole(form: Expression, factor: float, offset: float) -> Expression:
    """``factor * form + offset`` as one formula."""
    form = _scaled(form, factor)
    if offset == 0.0:
        return form
    root = int(form.codes[-1])
    if root == CONSTANT:
        return Expression.constant(float(form.values[0]) + offset)
    if root > 0 and by_code(root).name in ("add", "sub"):
        for side in form.children(form.size - 1):
            part = form.subtree(side)
            if _is_constant(part):
                added = -offset if by_code(root).name == "sub" and side == form.size - 2 else offset
                return form.replace(side, Expression.constant(float(part.values[0]) + added))
    return form + offset
