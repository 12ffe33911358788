"""The class :class:`Expression`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from operator import index

import numpy as np

from ..operators import CONSTANT, Operator, by_code, find
from .arithmetic import Arithmetic
from .tables import describe_nonfinite, table_columns

__all__ = ["Expression"]

_NOTHING = np.zeros(1)  # the value of a node that is no constant


class Expression(Arithmetic):
    """One immutable formula over the columns of a table.

    Parameters
    ----------
    codes : array_like of int, shape (nodes,)
        The nodes in postfix order: 0 is a constant, ``-1 - j`` is feature ``j``, a positive number is the operator of
        that code (:func:`srlib.operators.by_code`).
    values : array_like of float, shape (nodes,)
        The value of each constant; 0 at every other node.
    names : sequence of str, optional
        The features' names, used in text; without them feature ``j`` is called ``xj``. Names do not count when two
        expressions are compared.

    Raises
    ------
    ValueError
        If the arrays are not one whole formula, or a constant is not finite.

    Examples
    --------
    >>> e = Expression.parse("2.5*cos(x3) + x0**2 - 2")
    >>> e.size, e.depth, e.features
    (10, 5, (0, 3))
    """

    codes: np.ndarray  # (nodes,) int32
    values: np.ndarray  # (nodes,) float64
    names: tuple[str, ...] | None

    def __init__(self, codes, values, names: Sequence[str] | None = None):
        if isinstance(names, str):
            raise ValueError(f"names is the text {names!r}: give a list of names")
        if np.asarray(codes).dtype.kind not in "iu" and np.size(codes):
            raise ValueError(f"codes is {codes!r:.60}: give whole numbers")
        self.__dict__.update(
            codes=np.array(codes, dtype=np.int32).reshape(-1),
            values=np.array(values, dtype=np.float64).reshape(-1),
            names=None if names is None else tuple(map(str, names)),
        )
        self._check()
        self.values[self.codes != CONSTANT] = 0.0
        self.codes.flags.writeable = self.values.flags.writeable = False

    def __setattr__(self, name, value):
        raise AttributeError(f"an Expression is immutable: make a new one instead of setting {name!r}")

    def _check(self):
        if len(self.codes) != len(self.values) or len(self.codes) == 0:
            raise ValueError(f"codes has {len(self.codes)} nodes, values {len(self.values)}: give as many, at least 1")
        on_stack = 0
        for node, code in enumerate(self.codes.tolist()):
            arity = by_code(code).arity if code > 0 else 0
            if on_stack < arity:
                name = by_code(code).name
                raise ValueError(f"node {node} ({name}) needs {arity} arguments before it, but has {on_stack}")
            on_stack += 1 - arity
        if on_stack != 1:
            raise ValueError(f"codes is not one formula: it leaves {on_stack} values, not 1")
        if not np.isfinite(self.values).all():
            raise ValueError(f"values holds {self.values[~np.isfinite(self.values)][0]}: every constant must be finite")
        if self.names is None:
            return
        if self.features and self.features[-1] >= len(self.names):
            raise ValueError(f"names has {len(self.names)} entries, but the formula uses feature {self.features[-1]}")
        if "" in self.names:
            raise ValueError(f"names has an empty name, at column {self.names.index('')}: give each feature a name")
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ValueError(f"names has {twice!r} more than once: give each feature a name of its own")

    @classmethod
    def _trusted(cls, codes: np.ndarray, values: np.ndarray, names: tuple[str, ...] | None) -> Expression:
        """An expression from arrays that are known to be one whole formula: the quick way of the search methods."""
        self = object.__new__(cls)
        fields = self.__dict__
        fields["codes"], fields["values"], fields["names"] = codes, values, names
        codes.flags.writeable = values.flags.writeable = False
        return self

    # ------------------------------------------------------------ making

    @classmethod
    def parse(cls, text: str, names: Sequence[str] | None = None, operators: Iterable[Operator] = ()) -> Expression:
        """The formula that ``text`` says; see :func:`srlib.expression.parse.parse`."""
        from .parse import parse

        return parse(text, names, operators)

    @classmethod
    def constant(cls, value: float) -> Expression:
        """A formula that is one constant."""
        return cls([CONSTANT], [value])

    @classmethod
    def variable(cls, feature: int, names: Sequence[str] | None = None) -> Expression:
        """A formula that is one feature (column number ``feature``, from 0)."""
        if index(feature) < 0:
            raise ValueError(f"feature is {feature}: give a column number of 0 or more")
        return cls([-1 - feature], [0.0], names)

    @classmethod
    def apply(cls, operator: str | Operator, *arguments: Expression | float) -> Expression:
        """The operator applied to formulas or numbers.

        Examples
        --------
        >>> str(Expression.apply("sin", Expression.variable(0)))
        'sin(x0)'
        """
        operator = find(operator, arity=len(arguments))
        arguments = [a if isinstance(a, Expression) else cls.constant(a) for a in arguments]
        codes = np.concatenate([*[a.codes for a in arguments], np.array([operator.code], dtype=np.int32)])
        values = np.concatenate([*[a.values for a in arguments], _NOTHING])
        names = arguments[0].names
        if all(a.names is names for a in arguments):  # a shortcut: this is called very often
            return cls._trusted(codes, values, names)
        names = _common_names(arguments)
        if all(a.names == names for a in arguments):
            return cls._trusted(codes, values, names)
        return cls(codes, values, names)

    @classmethod
    def operator(cls, definition: str) -> Operator:
        """A new operator from a definition such as ``"special(x, y) = cos(x) * (x + y)"``; never executed."""
        from .custom import define

        return define(definition)

    @classmethod
    def from_sympy(cls, expression, names: Sequence[str] | None = None) -> Expression:
        """The formula that a sympy expression says; see :func:`srlib.expression.algebra.from_sympy`."""
        from .algebra import from_sympy

        return from_sympy(expression, names)

    # ------------------------------------------------------------ the tree

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def _starts(self) -> list[int]:
        """For each node, where the subtree below it begins."""
        starts: list[int] = []
        for node, code in enumerate(self.codes.tolist()):
            start = node
            for _ in range(by_code(code).arity if code > 0 else 0):
                start = starts[start - 1]  # the argument that ends just before
            starts.append(start)
        return starts

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """The height of the subtree below each node; a leaf has 1."""
        depths, stack = [], []
        for code in self.codes.tolist():
            depth = 1
            for _ in range(by_code(code).arity if code > 0 else 0):
                depth = max(depth, stack.pop() + 1)
            stack.append(depth)
            depths.append(depth)
        return tuple(depths)

    @property
    def depth(self) -> int:
        """The number of levels of the tree; a single node has 1."""
        return self.depths[-1]

    def _index(self, node: int) -> int:
        if not -self.size <= node < self.size:
            raise IndexError(f"node {node} does not exist: the formula has nodes 0 to {self.size - 1}")
        return node % self.size

    def span(self, node: int) -> tuple[int, int]:
        """``(start, stop)`` such that nodes ``start … stop - 1`` are the subtree whose root is ``node``."""
        node = self._index(node)
        return self._starts[node], node + 1

    def subtree(self, node: int) -> Expression:
        """The subtree whose root is ``node``, as a formula of its own."""
        start, stop = self.span(node)
        return self._trusted(self.codes[start:stop].copy(), self.values[start:stop].copy(), self.names)

    def replace(self, node: int, new: Expression) -> Expression:
        """A copy in which the subtree at ``node`` is ``new``; neither formula is changed.

        Examples
        --------
        >>> parent = Expression.parse("1.15*x0 + 0.86")
        >>> str(parent.replace(2, Expression.parse("cos(x1)"))), str(parent)
        ('cos(x1) + 0.86', '1.15*x0 + 0.86')
        """
        start, stop = self.span(node)
        codes = np.concatenate((self.codes[:start], new.codes, self.codes[stop:]))
        values = np.concatenate((self.values[:start], new.values, self.values[stop:]))
        if self.names == new.names:
            return self._trusted(codes, values, self.names)
        return Expression(codes, values, _common_names((self, new)))

    def children(self, node: int) -> tuple[int, ...]:
        """The nodes directly below ``node``, left to right."""
        node, code = self._index(node), int(self.codes[node])
        below, at = [], node - 1
        for _ in range(by_code(code).arity if code > 0 else 0):
            below.append(at)
            at = self._starts[at] - 1
        return tuple(reversed(below))

    def label(self, node: int, precision: int = 3) -> str:
        """What stands at ``node``: an operator's symbol or name, a feature's name, or a rounded constant."""
        code = int(self.codes[node])
        if code > 0:
            return str(by_code(code))
        return f"{self.values[node]:.{precision}g}" if code == CONSTANT else self.feature_name(-1 - code)

    def feature_name(self, feature: int) -> str:
        """The name of a column: from ``names``, otherwise ``x0``, ``x1``, …"""
        return f"x{feature}" if self.names is None else self.names[feature]

    # ------------------------------------------------------------ what it holds

    @property
    def features(self) -> tuple[int, ...]:
        """The column numbers that the formula uses, in order."""
        return tuple(sorted({-1 - code for code in self.codes.tolist() if code < 0}))

    @property
    def constants(self) -> np.ndarray:
        """The constants in postfix order, shape (constants,); a copy."""
        return self.values[self.codes == CONSTANT]

    def with_constants(self, constants) -> Expression:
        """A copy with other constants, in the order of :attr:`constants`."""
        constants = np.asarray(constants, dtype=float).reshape(-1)
        at = np.flatnonzero(self.codes == CONSTANT)
        if len(constants) != len(at):
            raise ValueError(f"constants has {len(constants)} values, but {str(self):.200} has {len(at)}")
        if not np.isfinite(constants).all():
            raise ValueError(f"constants holds {constants[~np.isfinite(constants)][0]}: every constant must be finite")
        values = self.values.copy()
        values[at] = constants
        return self._trusted(self.codes, values, self.names)

    def with_names(self, names: Sequence[str] | None) -> Expression:
        """A copy that calls its features by other names (None: ``x0``, ``x1``, …)."""
        return Expression(self.codes, self.values, names)

    @property
    def complexity(self) -> float:
        """The sum of the operators' own complexities, 1 for each constant and feature (by default: the size)."""
        return self.weighted_complexity()

    def weighted_complexity(
        self, operators: Mapping[str, float] | None = None, constant: float = 1.0, variable: float = 1.0
    ) -> float:
        """The complexity with other weights.

        Parameters
        ----------
        operators : mapping of str to float, optional
            Weights of operators by name, such as ``{"sin": 3}``; the others keep their own.
        constant, variable : float
            The weight of each constant and of each feature.

        Examples
        --------
        >>> Expression.parse("2*sin(x0)").weighted_complexity({"sin": 3}, constant=2)
        7.0
        """
        weights = {find(name).code: float(weight) for name, weight in (operators or {}).items()}
        total = 0.0
        for code in self.codes.tolist():
            if code > 0:
                total += weights[code] if code in weights else by_code(code).complexity
            else:
                total += constant if code == CONSTANT else variable
        return total

    # ------------------------------------------------------------ evaluating

    def evaluate(self, X, nonfinite: str = "keep") -> np.ndarray:
        """The formula's value for each row.

        Parameters
        ----------
        X : array_like, shape (rows, features)
            The table. A DataFrame's columns are taken in their order.
        nonfinite : {"keep", "warn", "raise"}
            What to do about rows whose value is NaN (outside the domain) or infinite (overflow): return them as they
            are, warn, or raise an error. The message names the part of the formula where it begins.

        Returns
        -------
        numpy.ndarray, shape (rows,)

        Raises
        ------
        ValueError
            If ``X`` is not a table of numbers with enough columns, or on non-finite values when asked to.

        Examples
        --------
        >>> Expression.parse("log(x0)").evaluate([[1.0], [0.0]])
        array([ 0., nan])
        """
        if nonfinite not in ("keep", "warn", "raise"):
            raise ValueError(f"nonfinite is {nonfinite!r}: choose 'keep', 'warn' or 'raise'")
        columns = table_columns(self, X)  # (features, rows)
        with np.errstate(all="ignore"):
            y = self.evaluate_columns(columns)
        y = np.full(columns.shape[1], y) if np.ndim(y) == 0 else np.array(y)  # (rows,), never a view of X
        if nonfinite != "keep" and not np.isfinite(y).all():
            report = describe_nonfinite(self, columns, y)
            if nonfinite == "raise":
                raise ValueError(report)
            warnings.warn(report, RuntimeWarning, stacklevel=2)
        return y

    def evaluate_columns(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """The value on columns that are known to be good: a stack machine that reads the arrays once, left to right.

        A constant formula gives a number, not an array, and a lone feature the column itself. Call it under
        ``numpy.errstate(all="ignore")``.
        """
        stack = []
        for code, value in zip(self.codes.tolist(), self.values.tolist(), strict=True):
            if code < 0:
                stack.append(columns[-1 - code])
            elif code == CONSTANT:
                stack.append(value)
            else:
                operator = by_code(code)
                arguments = stack[-operator.arity :]
                del stack[-operator.arity :]
                stack.append(operator.numpy(*arguments))
        return stack[0]

    # ------------------------------------------------------------ other forms

    def __str__(self) -> str:
        from .text import to_text

        return to_text(self)

    def format(self, precision: int = 4) -> str:
        """The text with constants rounded to ``precision`` significant digits: for people, not for parsing back."""
        from .text import to_text

        return to_text(self, precision)

    def __repr__(self) -> str:
        return f"Expression({str(self)!r})"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def sympy(self):
        """The same formula as a sympy expression (plain symbols by the features' names)."""
        from .algebra import to_sympy

        return to_sympy(self)

    def latex(self, precision: int = 4) -> str:
        """LaTeX, simplified as sympy writes it, with constants rounded to ``precision`` significant digits."""
        from .latex import to_latex

        return to_latex(self, precision)

    def torch(self):
        """The same formula as a ``torch.nn.Module`` whose constants can be trained.

        Returns
        -------
        torch.nn.Module
            Called with a tensor of shape (rows, features), it gives one of shape (rows,).
        """
        from .module import ExpressionModule

        return ExpressionModule(self)

    def numpy_source(self, name: str = "formula") -> str:
        """Python text of a function ``name(x0, x1, …)`` that needs numpy and nothing else."""
        from .source import numpy_source

        return numpy_source(self, name)

    def draw(self, ax=None, **options):
        """Draw the tree with matplotlib; see :func:`srlib.expression.drawing.draw`."""
        from .drawing import draw

        return draw(self, ax, **options)

    def to_dict(self) -> dict:
        """What a JSON file needs to hold the formula; :meth:`from_dict` reads it back exactly."""
        from .custom import tokens

        return tokens(self)

    @classmethod
    def from_dict(cls, data: Mapping) -> Expression:
        """The formula that :meth:`to_dict` wrote."""
        from .custom import from_tokens

        return from_tokens(data)

    def __reduce__(self):
        return Expression.from_dict, (self.to_dict(),)  # codes of user-defined operators differ between processes

    # ------------------------------------------------------------ comparing

    def __eq__(self, other) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        return self is other or self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[bytes, bytes]:
        """The same for equal formulas and for no others; their values are finite."""
        return self.codes.tobytes(), (self.values + 0.0).tobytes()  # + 0.0: -0.0 equals 0.0


def _common_names(expressions: Iterable[Expression]) -> tuple[str, ...] | None:
    """The names of all of them; those that name nothing agree with everything."""
    named = {e.names for e in expressions} - {None}
    if len(named) > 1:
        raise ValueError(f"the formulas name their features differently: {' and '.join(map(str, named))}")
    return named.pop() if named else None
