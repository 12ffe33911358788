"""Formulas from text, by Python's own parser and a whitelist; nothing is ever executed.

The text is read by :mod:`ast`; only numbers, names, arithmetic and calls of known operators are let through. Every
refusal is a :class:`ParseError` with a caret under the offending piece.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Iterable, Sequence

import numpy as np

from ..operators import CONSTANT, Operator, UnknownOperator, find, suggest
from .core import Expression

__all__ = ["ParseError", "parse"]

MAX_LENGTH = 20_000  # characters; beyond that it is no formula that a person could read
MAX_NESTING = 90  # brackets within brackets; Python's own parser stops at 100-200
MAX_FEATURE = 99_999

_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
_NAMED_CONSTANTS = {"pi": math.pi, "e": math.e}


class ParseError(ValueError):
    """Text that is not a formula.

    Attributes
    ----------
    reason : str
        What is wrong.
    position, length : int
        Where in the text, in characters.
    """

    def __init__(self, reason: str, text: str, position: int = 0, length: int = 1):
        self.reason, self.position, self.length = reason, position, length
        first = max(0, position - 50)
        shown = text[first : first + 100].replace("\n", " ").replace("\t", " ")
        carets = max(1, min(length, len(shown) - (position - first)))
        super().__init__(f"{reason}\n  {shown}\n  {' ' * (position - first)}{'^' * carets}")

    def __reduce__(self):
        return _rebuild, (self.args[0], self.reason, self.position, self.length)


def _rebuild(message: str, reason: str, position: int, length: int) -> ParseError:
    error = ParseError.__new__(ParseError, message)
    error.args, error.reason, error.position, error.length = (message,), reason, position, length
    return error


def parse(text: str, names: Sequence[str] | None = None, operators: Iterable[Operator] = ()) -> Expression:
    """The formula that ``text`` says.

    Parameters
    ----------
    text : str
        Arithmetic ``+ - * / **`` (or ``^``), brackets, numbers, ``pi`` and ``e``, the features' names, and calls of
        operators such as ``sin(x0)``. A name that is no Python identifier stands in backticks.
    names : sequence of str, optional
        The features' names in the order of the columns; without them they are ``x0``, ``x1``, …
    operators : iterable of Operator, optional
        Operators of your own, from :meth:`Expression.operator`.

    Raises
    ------
    ParseError
        With a caret under what is wrong. It is a ValueError.

    Examples
    --------
    >>> parse("v / 2", names=["d", "v"]).features
    (1,)
    >>> parse("2*sinn(x0)")
    Traceback (most recent call last):
    srlib.expression.parse.ParseError: there is no operator 'sinn' - did you mean 'sin'?
      2*sinn(x0)
        ^^^^
    """
    if not isinstance(text, str):
        raise ParseError(f"a formula is a text, not {type(text).__name__}", repr(text)[:100])
    if isinstance(names, str):
        raise ValueError(f"names is the text {names!r}: give a list of names")
    if isinstance(operators, Operator):
        raise ValueError(f"operators is one operator, {operators.name!r}: give a list of operators")
    return _Reader(text, names, tuple(operators)).read()


class _Reader:
    """One text on its way to postfix order."""

    def __init__(self, text: str, names: Sequence[str] | None, operators: tuple[Operator, ...]):
        self.text, self.operators = text, operators
        self.names = None if names is None else [str(name) for name in names]
        self.index = {name: j for j, name in enumerate(self.names or ())}
        self.codes: list[int] = []
        self.values: list[float] = []

    def read(self) -> Expression:
        self._refuse_what_is_too_large()
        self._refuse_characters()
        self.source, self.origin, self.quoted = _prepare(self.text, self.index)
        self._refuse_numbers()
        source = self.source
        try:
            tree = ast.parse(source, mode="eval")
        except SyntaxError as error:
            raise self._error(*self._syntax(error)) from None
        except (RecursionError, MemoryError, ValueError):
            raise self._error("the formula is too deeply nested to be read", 0, 1) from None
        # ast counts bytes of utf-8; formulas may hold other letters
        self.characters = [n for n, letter in enumerate(source) for _ in letter.encode()] + [len(source)]
        try:
            self._visit(tree.body)
        except RecursionError:
            raise self._error("the formula is too deeply nested", 0, 1) from None
        return Expression(self.codes, self.values, self.names)

    def _refuse_what_is_too_large(self):
        if len(self.text) > MAX_LENGTH:
            reason = f"the text has {len(self.text):,} characters; at most {MAX_LENGTH:,} are read"
            raise self._error(reason, MAX_LENGTH, 1)
        if not self.text.strip():
            raise self._error("the text is empty: write a formula such as '2*x0 + 1'", 0, 1)
        open_brackets = 0
        for at, character in enumerate(self.text):
            open_brackets += (character in "([{") - (character in ")]}")
            if open_brackets > MAX_NESTING:
                raise self._error(f"more than {MAX_NESTING} brackets within each other", at, 1)

    def _refuse_characters(self):
        """Characters that no formula has; Python would read some of them as strings, comments or line breaks."""
        for piece in _PIECES.finditer(self.text):
            word, start, stop = piece[0], piece.start(), piece.end()
            if word == "`":
                raise self._error("this backtick opens a name that no second backtick closes", start, 1)
            if piece["quoted"] == "":
                raise self._error("there is no name between these backticks", start, 2)
            if piece["quoted"] is not None:
                if re.match(r"\w", self.text[start - 1 : start]) or re.match(r"[\w`]", self.text[stop : stop + 1]):
                    raise self._error(_MISSING, start, stop - start)
                continue
            for at, character in enumerate(word, start):
                if character in _MEANT:
                    raise self._error(f"write {_MEANT[character]} instead of {character}", at, 1)
                if not (character.isspace() or character in _ALLOWED or ("_" + character).isidentifier()):
                    raise self._error(f"the character {character!r} has no meaning in a formula", at, 1)

    def _refuse_numbers(self):
        """Numbers that run into a name: 2x0, 1j, 0xFF."""
        for word in _WORDS.finditer(self.source):
            if name := re.match(r"[^\W\d]\w*", self.source[word.end() :]) if word["number"] else None:
                place = self._place(word.start(), word.end() + len(name[0]))
                raise self._error(f"a number and a name stand together: write {word[0]}*{name[0]}", *place)

    def _syntax(self, error: SyntaxError) -> tuple[str, int, int]:
        """Python's complaint in the words of a formula: reason, position, length."""
        source, last, message = self.source, len(self.source.rstrip()) - 1, error.msg
        at = min(max((error.offset or 1) - 1, 0), last)
        before = source[:at].rstrip()[-1:]
        if message.startswith("Exceeds the limit"):
            message = "this number has too many digits"
        elif message.startswith("leading zeros"):
            message = "a number does not begin with 0"
        elif source[at] == "=" or "Maybe you meant '=='" in message:
            at = source.find("=")
            message = "there is no = in a formula: write its right-hand side alone"
        elif source[last] in "+-*/,." and message == "invalid syntax":
            at, message = last, "the formula ends too early"
        elif message.startswith("invalid syntax"):
            adjacent = re.match(r"[\w(]", source[at]) and re.match(r"[\w)]", before)
            message = _MISSING if adjacent else "this is not a formula"
        return message, *self._place(at, at + 1)

    def _error(self, reason: str, position: int, length: int) -> ParseError:
        return ParseError(reason, self.text, position, length)

    def _place(self, start: int, stop: int) -> tuple[int, int]:
        """Position and length in the user's text of a piece of the prepared source."""
        start, stop = self.origin[min(start, len(self.origin) - 1)], self.origin[min(stop, len(self.origin) - 1)]
        return start, max(1, stop - start)

    def _refuse(self, node: ast.AST, reason: str):
        inside = [self.characters[node.col_offset], self.characters[node.end_col_offset]]
        raise self._error(reason, *self._place(*inside)) from None

    def _emit(self, code: int, value: float = 0.0):
        self.codes.append(code)
        self.values.append(value)

    def _visit(self, node: ast.AST):
        match node:
            case ast.Constant():
                self._constant(node, node.value)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if not isinstance(
                value, bool
            ):
                self._constant(node, value, -1)
            case ast.UnaryOp(op=ast.USub()):
                self._visit(node.operand)
                self._emit(find("neg").code)
            case ast.UnaryOp(op=ast.UAdd()):
                self._visit(node.operand)
            case ast.BinOp() if type(node.op) in _BINARY:
                self._visit(node.left)
                self._visit(node.right)
                self._emit(find(_BINARY[type(node.op)]).code)
            case ast.Name():
                self._name(node)
            case ast.Call():
                self._call(node)
            case _:
                self._refuse(node, f"{_what(node)} cannot stand in a formula")

    def _constant(self, node: ast.AST, value, sign: int = 1):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._refuse(node, f"{value!r:.40} is not a real number")
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            self._refuse(node, "this number is too large for a float")
        self._emit(CONSTANT, sign * value)

    def _name(self, node: ast.Name):
        name = self._text(node)
        numbered = re.fullmatch(r"x([0-9]{1,9})", name)
        if name in self.index:
            self._emit(-1 - self.index[name])
        elif name in _NAMED_CONSTANTS:
            self._emit(CONSTANT, _NAMED_CONSTANTS[name])
        elif self.names is None and numbered:
            if int(numbered[1]) > MAX_FEATURE:
                self._refuse(node, f"feature numbers go up to {MAX_FEATURE:,}")
            self._emit(-1 - int(numbered[1]))
        elif self._is_operator(name):
            self._refuse(node, f"{name} is an operator: write it with brackets, as in sin(x0)")
        elif self.names is None:
            self._refuse(node, f"there is no feature {name!r}: features are called x0, x1, … unless names are given")
        else:
            known = self.names if len(self.names) <= 12 else [*self.names[:12], "…"]
            hint = suggest(name, self.names) or f": the features are {', '.join(known) or '(none)'}"
            self._refuse(node, f"there is no feature {name!r}{hint}")

    def _text(self, node: ast.Name) -> str:
        """The name as it is written; in ``node.id`` Python has replaced letters such as µ."""
        start, stop = self.characters[node.col_offset], self.characters[node.end_col_offset]
        return self.quoted.get(start, self.source[start:stop])

    def _is_operator(self, name: str) -> bool:
        try:
            return bool(find(name, extra=self.operators))
        except UnknownOperator:
            return False

    def _call(self, node: ast.Call):
        if not isinstance(node.func, ast.Name):
            self._refuse(node.func, "write * between this and the bracket; only operators are called, as in sin(x0)")
        for one in (*node.args, *node.keywords):
            if isinstance(one, (ast.Starred, ast.keyword)):
                self._refuse(one, "operators take plain arguments, without names or stars")
        name = self._text(node.func)
        if not self._is_operator(name) and (name in self.index or re.fullmatch(r"x[0-9]+|pi|e", name)):
            self._refuse(node.func, f"{name} is no operator: write * between it and the bracket")
        try:
            operator = find(name, extra=self.operators)
        except UnknownOperator as error:
            self._refuse(node.func, str(error))
        count = len(node.args)
        folded = operator.name in ("min", "max") and count > 2  # min(a, b, c) is min(min(a, b), c)
        if count != operator.arity and not folded:
            wanted = f"{operator.arity} argument{'s' * (operator.arity != 1)}"
            self._refuse(node, f"{operator.name} takes {wanted}, here it has {count}")
        for position, argument in enumerate(node.args):
            self._visit(argument)
            if folded and position > 0:
                self._emit(operator.code)
        if not folded:
            self._emit(operator.code)


_MISSING = "something is missing before this: an operator such as *, or brackets as in sin(x0)"
# A name in backticks (a backtick within it is doubled), a word, or one character.
_PIECES = re.compile(r"`(?P<quoted>(?:[^`]|``)*)`|[^\W\d]\w*|.", re.DOTALL)
_WORDS = re.compile(r"[^\W\d]\w*|(?P<number>(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_ALLOWED = set("+-*/^().,[]{}<>=!%&|~@:")  # those without meaning are refused in words, by what they do in Python
_MEANT = {"×": "*", "·": "*", "∙": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "²": "**2", "³": "**3", "√": "sqrt(…)"}


def _prepare(text: str, names: Iterable[str]) -> tuple[str, np.ndarray, dict[int, str]]:
    """Text for Python's parser: ``^`` is power, backticks hold a name, line breaks are spaces.

    Returns the source, for each of its characters the place in ``text`` it came from, and the names that Python would
    not read (in backticks, or words of its own such as ``lambda``) by their place in the source.
    """
    pieces, origin, quoted, length = [], [], {}, 0
    for piece in _PIECES.finditer(text):
        replacement = piece[0]
        if piece["quoted"] is not None or (keyword.iskeyword(replacement) and replacement in names):
            quoted[length] = replacement if piece["quoted"] is None else piece["quoted"].replace("``", "`")
            replacement = "_" * len(replacement)
        elif replacement == "^":
            replacement = "**"
        elif replacement.isspace():
            replacement = " " if length else ""  # leading space would be an indentation
        pieces.append(replacement)
        length += len(replacement)
        origin += [piece.start() + min(k, len(piece[0]) - 1) for k in range(len(replacement))]
    return "".join(pieces), np.array([*origin, len(text)]), quoted


def _what(node: ast.AST) -> str:
    """A piece of Python in words."""
    words = {
        ast.Attribute: "an attribute (a dot after a name)",
        ast.Subscript: "an index [...]",
        ast.Compare: "a comparison",
        ast.BoolOp: "and/or",
        ast.Lambda: "a lambda",
        ast.List: "a list",
        ast.Tuple: "a comma",
        ast.Dict: "a dict",
        ast.Set: "a set",
        ast.JoinedStr: "a string",
        ast.IfExp: "if/else",
        ast.NamedExpr: "an assignment",
        ast.Starred: "a star",
        ast.Call: "the result of a call",
        ast.Constant: "a number",
    }
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        return f"the operator {_SYMBOLS.get(type(node.op), type(node.op).__name__)}"
    if isinstance(node, ast.Tuple) and not node.elts:
        return "an empty pair of brackets"
    return words.get(type(node), f"{type(node).__name__.lower()!r}")


_SYMBOLS = {
    ast.Mod: "%", ast.FloorDiv: "//", ast.MatMult: "@", ast.Invert: "~", ast.Not: "'not'", ast.BitAnd: "&",
    ast.BitOr: "|", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip


def is_plain_name(name: str) -> bool:
    """Whether a feature's name can stand in text without backticks."""
    return name.isidentifier() and not keyword.iskeyword(name)
