"""From an expression's postfix arrays to a program: which block of memory each node reads and writes.

A column of the table is read where it lies, a constant is one block that is filled once, and each operator writes to a
block of its own, so nothing is copied. An operator that a user defined by a formula is replaced by that formula.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .. import operators
from .blocks import block_functions
from .jit import kernel

__all__ = [
    "ACTIVE", "ADDRESS", "ARITY", "AT", "BLOCK", "BODY_SIZE", "BODY_START", "COMMUTATIVE", "CONSTANT_NUMBER", "LEFT",
    "OP", "RIGHT", "STACK", "WHERE", "Alphabet", "Workspace", "alphabet", "assemble", "set_constant", "spans",
    "workspace",
]  # fmt: skip

BLOCK = 128  # rows that are worked on at a time: 40 nodes of them stay in a processor's first-level cache
CONSTANT = operators.CONSTANT


# rows of Alphabet.table
ARITY, COMMUTATIVE, ADDRESS, BODY_START, BODY_SIZE = range(5)
# rows of Workspace.node
OP, LEFT, RIGHT, AT, CONSTANT_NUMBER, ACTIVE, WHERE, STACK = range(8)


class Alphabet(NamedTuple):
    """What the kernels must know of the operators. (Few arrays, because each one that is passed on costs compile time.)

    ``table[:, code]`` says of an operator: its arity; whether it is commutative; the address of a user's compiled
    function, otherwise 0; where the nodes of a user's formula begin, otherwise -1, and how many there are.
    """

    table: np.ndarray  # (5, codes) int64
    body_codes: np.ndarray  # (all bodies' nodes,) int32
    body_values: np.ndarray  # (all bodies' nodes,) float64
    functions: np.ndarray  # (4,) int64, what call_block() needs to find apply1, apply2, pull_back1, pull_back2


class Workspace(NamedTuple):
    """The memory that one thread works in; see :func:`workspace`.

    ``node[:, i]`` says of a program's node: its code (0 constant, negative feature, positive operator); the nodes of
    its first and second argument; where its block begins (a column: that of its first row); the number of a constant,
    otherwise -1; whether it depends on a constant; and, for node i of the formula, its node in the program. The last
    row is a stack. The adjoints of node i begin at ``i * BLOCK``.
    """

    mem: np.ndarray  # (features * rows + nodes * BLOCK,) the columns, then the nodes' blocks
    adj: np.ndarray  # ((nodes + 1) * BLOCK,) the nodes' adjoints, and a block that nobody reads
    node: np.ndarray  # (8, nodes) int64
    rows: int
    features: int


def alphabet(dtype=np.float64) -> Alphabet:
    """The operators that are registered at this moment, for workspaces of a type, float64 or float32."""
    return _alphabet(len(operators._table), np.dtype(dtype))


@lru_cache(maxsize=4)
def _alphabet(count: int, dtype: np.dtype) -> Alphabet:
    known = [None, *map(operators.by_code, range(1, count))]
    codes: list[int] = []
    values: list[float] = []
    table = np.zeros((5, count), np.int64)
    table[BODY_START] = -1
    for one in known[1:]:
        if one.definition:
            from ..expression.custom import body_of

            body = body_of(one)
            table[[BODY_START, BODY_SIZE], one.code] = len(codes), body.size
            codes.extend(body.codes.tolist())
            values.extend(body.values.tolist())
        elif one.code >= len(operators.builtin()) + 1:
            table[ADDRESS, one.code] = operators.address(one)
        table[[ARITY, COMMUTATIVE], one.code] = one.arity, one.commutative
    bodies = np.array(codes or [0], np.int32), np.array(values or [0.0])
    return Alphabet(table, *bodies, np.array(block_functions(dtype), np.int64))


def workspace(columns: np.ndarray, nodes: int, dtype=np.float64) -> Workspace:
    """Memory for programs of up to ``nodes`` nodes on a table given by its columns, shape (features, rows)."""
    features, rows = columns.shape
    mem = np.zeros(features * rows + nodes * BLOCK, dtype)
    mem[: features * rows] = columns.reshape(-1)
    return Workspace(mem, np.zeros((nodes + 1) * BLOCK, dtype), np.zeros((8, nodes), np.int64), rows, features)


@kernel
def spans(codes, size, alphabet, starts):
    """For each node, where the subtree below it begins; into ``starts``."""
    for node in range(size):
        start = node
        if codes[node] > 0:
            for _ in range(alphabet.table[ARITY, codes[node]]):
                start = starts[start - 1]
        starts[node] = start


@kernel
def assemble(codes, values, size, alphabet, work):
    """Write the program of a formula into the workspace; returns its number of nodes, or 0 if it is too long."""
    length, top, constants = 0, 0, 0
    stack = work.node[STACK]
    for i in range(size):
        code = codes[i]
        if code > 0 and alphabet.table[BODY_START, code] >= 0:
            length, top = _expand(code, length, top, alphabet, work)
        else:
            length = _append(code, values[i], length, top, alphabet, work)
            if length > 0 and code == CONSTANT:
                work.node[CONSTANT_NUMBER, length - 1] = constants
                work.node[ACTIVE, length - 1] = 1
                constants += 1
            if code > 0:
                top -= alphabet.table[ARITY, code]
            if length > 0:
                stack[top] = length - 1
                top += 1
        if length <= 0:
            return 0
        work.node[WHERE, i] = stack[top - 1]
    return length


@kernel
def _append(code, value, length, top, alphabet, work):
    """One node more, whose arguments lie on top of the stack; returns the new length, or 0 where there is no room."""
    if length >= work.node.shape[1]:
        return 0
    i = length
    work.node[OP, i], work.node[CONSTANT_NUMBER, i], work.node[ACTIVE, i] = code, -1, 0
    work.node[AT, i] = work.features * work.rows + i * BLOCK
    if code < 0:
        work.node[AT, i] = (-1 - code) * work.rows
    elif code == CONSTANT:
        _fill(work.mem, work.node[AT, i], value)
    elif alphabet.table[ARITY, code] == 1:
        work.node[LEFT, i] = work.node[STACK, top - 1]
        work.node[ACTIVE, i] = work.node[ACTIVE, work.node[LEFT, i]]
    else:
        work.node[LEFT, i], work.node[RIGHT, i] = work.node[STACK, top - 2], work.node[STACK, top - 1]
        work.node[ACTIVE, i] = work.node[ACTIVE, work.node[LEFT, i]] | work.node[ACTIVE, work.node[RIGHT, i]]
    return length + 1


@kernel
def _expand(code, length, top, alphabet, work):
    """The formula of a user's operator, its arguments in the place of its features."""
    arity, first = alphabet.table[ARITY, code], alphabet.table[BODY_START, code]
    bottom = top  # the body's own stack lies on that of the whole
    if top + alphabet.table[BODY_SIZE, code] > work.node.shape[1]:
        return 0, top
    for j in range(first, first + alphabet.table[BODY_SIZE, code]):
        inner = alphabet.body_codes[j]
        if inner < 0:
            work.node[STACK, top] = work.node[STACK, bottom - arity + (-1 - inner)]
            top += 1
            continue
        length = _append(inner, alphabet.body_values[j], length, top, alphabet, work)
        if length <= 0:
            return 0, top
        if inner > 0:
            top -= alphabet.table[ARITY, inner]
        work.node[STACK, top] = length - 1
        top += 1
    work.node[STACK, bottom - arity] = work.node[STACK, top - 1]
    return length, bottom - arity + 1


@kernel
def _fill(mem, at, value):
    block = mem[at : at + BLOCK]
    for k in range(BLOCK):
        block[k] = value


@kernel
def set_constant(node, value, work):
    """Give a constant's node another value."""
    _fill(work.mem, work.node[AT, node], value)
