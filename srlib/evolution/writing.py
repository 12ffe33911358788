"""Formulas written with the user's operators only, in as few nodes as possible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT, Operator, by_code

__all__ = ["Unwritable", "Writer", "factors", "tidy"]

Factors = dict[Expression, float]  # a product of powers: base -> exponent


class Unwritable(ValueError):
    """A formula that the alphabet has no operators for."""


def factors(expression: Expression) -> tuple[float, Factors]:
    """``(number, {base: exponent})`` of the product that a formula is; a formula that is no product is its own base."""
    number, found = 1.0, {}

    def collect(node: int, exponent: float) -> None:
        nonlocal number
        code = int(expression.codes[node])
        if code == CONSTANT and exponent == int(exponent) and expression.values[node] != 0:
            number *= float(expression.values[node]) ** int(exponent)
            return
        name = by_code(code).name if code > 0 else ""
        below = expression.children(node)
        if name == "mul":
            collect(below[0], exponent)
            collect(below[1], exponent)
        elif name == "div":
            collect(below[0], exponent)
            collect(below[1], -exponent)
        elif name in ("square", "cube", "inv"):
            collect(below[0], exponent * {"square": 2, "cube": 3, "inv": -1}[name])
        elif name == "neg" and exponent == int(exponent):
            number *= (-1.0) ** int(exponent)
            collect(below[0], exponent)
        else:
            base = expression.subtree(node)
            found[base] = found.get(base, 0) + exponent

    collect(expression.size - 1, 1)
    return number, {base: exponent for base, exponent in found.items() if exponent}


def number(value: float) -> Expression:
    """A formula that is one finite number (quicker than :meth:`Expression.constant`, which checks it)."""
    return Expression._trusted(np.zeros(1, dtype=np.int32), np.array([value], dtype=np.float64), None)


class Writer:
    """Builds formulas from an alphabet.

    Parameters
    ----------
    operators : sequence of Operator
        The only operators that may be used.

    Raises
    ------
    Unwritable
        By every method, if the operators do not suffice.

    Examples
    --------
    >>> from srlib.operators import find
    >>> writer = Writer([find(name) for name in ("+", "*", "square")])
    >>> x, y = Expression.variable(0), Expression.variable(1)
    >>> print(writer.sum([(2.0, x * x * y), (3.0, x * y)], 1.0))
    x0*(x1*(2*x0 + 3)) + 1
    """

    def __init__(self, operators: Sequence[Operator]):
        self.operators = {operator.name: operator for operator in operators if not operator.definition}
        self._factors: dict[Expression, tuple[float, Factors]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.operators

    def apply(self, name: str, *arguments: Expression | float) -> Expression:
        """The operator of that name applied, if the alphabet has it."""
        if name not in self.operators:
            raise Unwritable(f"the alphabet lacks {name!r}")
        arguments = [a if isinstance(a, Expression) else number(a) for a in arguments]
        return Expression.apply(self.operators[name], *arguments)

    def times(self, a: Expression | float, b: Expression) -> Expression:
        """``a*b``; a number that is 1 is left out."""
        if not isinstance(a, Expression):
            if a == 1:
                return b
            if a == -1 and "neg" in self:
                return self.apply("neg", b)
            if "mul" not in self and "div" in self:
                return self.apply("div", b, 1.0 / a)
        return self.apply("mul", a, b)

    def over(self, a: Expression | float, b: Expression) -> Expression:
        """``a/b``."""
        if "div" in self:
            return self.apply("div", a, b)
        inverse = self.apply("inv", b) if "inv" in self else self.apply("pow", b, -1.0)
        return self.times(a, inverse)

    def plus(self, a: Expression | float, b: Expression | float) -> Expression:
        """``a + b``, written as ``a - -b`` where there is only a minus and b is a number."""
        if "add" not in self and not isinstance(b, Expression):
            return self.apply("sub", a, -b)
        return self.apply("add", a, b)

    def power(self, base: Expression, exponent: float) -> Expression:
        """``base**exponent`` for an exponent above zero."""
        if exponent == 1:
            return base
        options = []
        if exponent == int(exponent):
            n = int(exponent)
            routes = [("square", 2), ("cube", 3)]
            for name, step in routes:
                if n % step == 0 and name in self:
                    options.append(self.apply(name, self.power(base, n // step)))
            if not options and "mul" in self:
                options.append(self.times(self.power(base, n - 1), base))
        elif 2 * exponent == int(2 * exponent) and "sqrt" in self:
            options.append(self.apply("sqrt", self.power(base, 2 * exponent)))
            if exponent > 1 and "mul" in self:
                options.append(self.times(self.power(base, exponent - 0.5), self.apply("sqrt", base)))
        elif abs(3 * exponent - round(3 * exponent)) < 1e-9 and "cbrt" in self:
            options.append(self.apply("cbrt", self.power(base, round(3 * exponent))))
        if "pow" in self:
            options.append(self.apply("pow", base, float(exponent)))
        if not options:
            raise Unwritable(f"the alphabet cannot write the power {exponent:g}")
        return min(options, key=lambda one: one.size)

    def product(self, factor: float, powers: Factors) -> Expression:
        """``factor * base**exponent * …``."""
        groups: dict[float, Factors] = {}  # bases of the same exponent, up to its sign, share one power
        for base, exponent in powers.items():
            if exponent:
                groups.setdefault(abs(exponent), {})[base] = exponent
        above: list[Expression] = []
        below: list[Expression] = []
        for exponent, group in sorted(groups.items()):
            up = [base for base, e in group.items() if e > 0]
            down = [base for base, e in group.items() if e < 0]
            if exponent == 1:
                above += up
                below += down
            elif up:
                inner = self._times_all(up)
                above.append(self.power(self.over(inner, self._times_all(down)) if down else inner, exponent))
            else:
                below.append(self.power(self._times_all(down), exponent))
        if not below:
            return self.times(factor, self._times_all(above)) if above else number(factor)
        if above:
            return self.over(self.times(factor, self._times_all(above)), self._times_all(below))
        return self.over(factor, self._times_all(below))

    def _times_all(self, parts: Iterable[Expression]) -> Expression:
        parts = list(parts)
        result = parts[0]
        for part in parts[1:]:
            result = self.apply("mul", result, part)
        return result

    def sum(self, terms: Sequence[tuple[float, Expression]], intercept: float = 0.0) -> Expression:
        """``c1*f1 + c2*f2 + … + intercept``, with common factors taken out where that is shorter."""
        split = []
        for coefficient, term in terms:
            inner, powers = self._factors_of(term)
            split.append((coefficient * inner, powers))
        if intercept or not split:
            split.append((intercept, {}))
        return self._factored(split)

    def _factors_of(self, term: Expression) -> tuple[float, Factors]:
        if term not in self._factors:
            self._factors[term] = factors(term)
        return self._factors[term]

    def squares(self, terms: Sequence[tuple[float, Expression]]) -> list[tuple[float, Expression]]:
        """The terms of a sum in which ``c*a**2 + d*b**2 + e*a*b`` became ``c*(a + k*b)**2`` where it nearly is that."""
        if "square" not in self:
            return list(terms)
        left = [(c * self._factors_of(term)[0], self._factors_of(term)[1], term) for c, term in terms]
        found: list[tuple[float, Expression]] = []
        again = True
        while again:
            again = False
            for c, powers, _ in left:
                if len(powers) != 2 or any(e != 1 for e in powers.values()):
                    continue
                a, b = powers
                ends = [next((one for one in left if one[1] == {base: 2}), None) for base in (a, b)]
                if None in ends or ends[0][0] * ends[1][0] <= 0:
                    continue
                square = 4 * ends[0][0] * ends[1][0]
                if abs(c * c - square) > 0.1 * square:
                    continue
                k = float(np.sqrt(ends[1][0] / ends[0][0]))
                other = self.times(1.0 if abs(k - 1) < 0.02 else k, b)
                try:
                    inner = self.apply("add" if c * ends[0][0] > 0 else "sub", a, other)
                except Unwritable:
                    continue
                found.append((ends[0][0], self.apply("square", inner)))
                left = [one for one in left if one[1] != powers and one[1] != {a: 2} and one[1] != {b: 2}]
                again = True
                break
        return found + [(c / self._factors_of(term)[0], term) for c, _, term in left]

    def _factored(self, split: list[tuple[float, Factors]]) -> Expression:
        """The shorter of the plain sum and the sum with its most common factor taken out, and so on inside (Horner)."""
        if len(split) == 1:
            return self.product(*split[0])
        sizes = {abs(c) for c, _ in split}
        if len(sizes) == 1 and sizes != {1.0}:  # one number for all terms
            try:
                return self.times(sizes.pop(), self._factored([(np.sign(c), powers) for c, powers in split]))
            except Unwritable:
                pass
        try:
            plain = self._plain([self.product(abs(c), powers) for c, powers in split], [c < 0 for c, _ in split])
        except Unwritable:
            plain = self._plain([self.product(c, powers) for c, powers in split], [False] * len(split))
        count: dict[tuple[Expression, bool], int] = {}
        for _, powers in split:
            for base, exponent in powers.items():
                key = (base, exponent > 0)
                count[key] = count.get(key, 0) + 1
        shared = [key for key, times in count.items() if times > 1]
        best = plain
        for base, positive in sorted(shared, key=lambda key: -count[key])[: 2 if len(split) < 5 else 1]:
            inside = [(c, p) for c, p in split if base in p and (p[base] > 0) == positive]
            outside = [(c, p) for c, p in split if not (base in p and (p[base] > 0) == positive)]
            common = min((p[base] for _, p in inside), key=abs)
            inside = [(c, {**p, base: p[base] - common}) for c, p in inside]
            inside = [(c, {b: e for b, e in p.items() if e}) for c, p in inside]
            try:
                group = self._factored(inside)
                option = self._taken_out(group, base, common)
                if outside:
                    option = self._plain([option, self._factored(outside)], [False, False])
            except Unwritable:
                continue
            if option.size < best.size:
                best = option
        return best

    def _taken_out(self, group: Expression, base: Expression, exponent: float) -> Expression:
        power = self.power(base, abs(exponent))
        return self.times(power, group) if exponent > 0 else self.over(group, power)

    def _plain(self, parts: list[Expression], minus: list[bool]) -> Expression:
        """The sum of the parts, those marked by ``minus`` subtracted."""
        lone = [part.size == 1 and part.codes[0] == CONSTANT for part in parts]
        order = sorted(range(len(parts)), key=lambda i: (minus[i], lone[i]))
        first, *rest = order
        result = self.times(-1.0, parts[first]) if minus[first] else parts[first]
        for i in rest:
            if minus[i]:
                result = self.apply("sub", result, parts[i])
            elif "add" not in self and lone[i]:
                result = self.plus(result, float(parts[i].values[0]))
            else:
                result = self.apply("add", result, parts[i])
        return result


def tidy(expression: Expression) -> Expression:
    """The formula without ``1*``, ``/1``, ``+ 0``, ``**1`` and with operations on numbers alone done."""
    stack: list[Expression] = []
    for code, value in zip(expression.codes.tolist(), expression.values.tolist(), strict=True):
        if code <= 0:
            leaf = np.array([code], dtype=np.int32), np.array([value], dtype=np.float64)
            stack.append(Expression._trusted(*leaf, None))
            continue
        operator = by_code(code)
        arguments = stack[-operator.arity :]
        del stack[-operator.arity :]
        numbers = [float(a.values[0]) if a.size == 1 and a.codes[0] == CONSTANT else None for a in arguments]
        if None not in numbers:
            with np.errstate(all="ignore"):
                result = float(operator.numpy(*numbers))
            if np.isfinite(result):
                stack.append(number(result))
                continue
        name = operator.name
        if (name, numbers[0]) in (("mul", 1.0), ("add", 0.0)):
            stack.append(arguments[1])
        elif (name, numbers[-1]) in (("mul", 1.0), ("div", 1.0), ("pow", 1.0), ("add", 0.0), ("sub", 0.0)):
            stack.append(arguments[0])
        else:
            stack.append(Expression.apply(operator, *arguments))
    return stack[0]
