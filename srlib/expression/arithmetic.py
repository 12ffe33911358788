"""Python's ``+ - * / **`` between formulas and numbers."""

from __future__ import annotations

import numpy as np

__all__ = ["Arithmetic"]


class Arithmetic:
    """Operators of Python that build formulas; the base of :class:`~srlib.expression.Expression`."""

    def __add__(self, other):
        return self._combine("add", self, other)

    def __radd__(self, other):
        return self._combine("add", other, self)

    def __sub__(self, other):
        return self._combine("sub", self, other)

    def __rsub__(self, other):
        return self._combine("sub", other, self)

    def __mul__(self, other):
        return self._combine("mul", self, other)

    def __rmul__(self, other):
        return self._combine("mul", other, self)

    def __truediv__(self, other):
        return self._combine("div", self, other)

    def __rtruediv__(self, other):
        return self._combine("div", other, self)

    def __pow__(self, other):
        return self._combine("pow", self, other)

    def __rpow__(self, other):
        return self._combine("pow", other, self)

    def __neg__(self):
        return self.apply("neg", self)

    def _combine(self, operator: str, a, b):
        if not all(isinstance(one, (Arithmetic, int, float, np.number)) for one in (a, b)):
            return NotImplemented
        return self.apply(operator, a, b)
