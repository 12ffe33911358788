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

__all__ = ["BLOCK", "Alphabet", "Workspace", "alphabet", "assemble", "set_constants", "spans", "workspace"]

BLOCK = 128  # rows that are worked on at a time: 40 nodes of them stay in a processor's first-level cache
CONSTANT = operators.CONSTANT


class Alphabet(NamedTuple):
    """What the kernels must know of the operators; all arrays are indexed by an operator's code."""

    arity: np.ndarray  # (codes,) int8
    commutative: np.ndarray  # (codes,) int8
    address: np.ndarray  # (codes,) int64, of a user's compiled function, otherwise 0
    body_start: np.ndarray  # (codes,) int32, of a user's formula, otherwise -1
    body_size: np.ndarray  # (codes,) int32
    body_codes: np.ndarray  # (all bodies' nodes,) int32
    body_values: np.ndarray  # (all bodies' nodes,) float64
    functions: np.ndarray  # (4,) int64, what call_block() needs to find apply1, apply2, pull_back1, pull_back2


class Workspace(NamedTuple):
    """The memory that one thread works in; see :func:`workspace`."""

    mem: np.ndarray  # (features * rows + nodes * BLOCK,) the columns, then the nodes' blocks
    adj: np.ndarray  # (nodes * BLOCK,) the nodes' adjoints
    op: np.ndarray  # (nodes,) int32: 0 constant, negative feature, positive operator
    left: np.ndarray  # (nodes,) int32, the node of the first argument
    right: np.ndarray  # (nodes,) int32, of the second
    at: np.ndarray  # (nodes,) int64, where the node's block begins (a column: that of its first row)
    adj_at: np.ndarray  # (nodes,) int64
    constant: np.ndarray  # (nodes,) int32, the number of a constant that can be fitted, otherwise -1
    active: np.ndarray  # (nodes,) int8, whether the node depends on a constant that can be fitted
    stack: np.ndarray  # (nodes,) int32
    rows: int
    features: int


def alphabet() -> Alphabet:
    """The operators that are registered at this moment."""
    return _alphabet(len(operators._table))


@lru_cache(maxsize=4)
def _alphabet(count: int) -> Alphabet:
    known = [None, *map(operators.by_code, range(1, count))]
    codes: list[int] = []
    values: list[float] = []
    start, size, address = np.full(count, -1, np.int32), np.zeros(count, np.int32), np.zeros(count, np.int64)
    for one in known[1:]:
        if one.definition:
            from ..expression.custom import body_of

            body = body_of(one)
            start[one.code], size[one.code] = len(codes), body.size
            codes.extend(body.codes.tolist())
            values.extend(body.values.tolist())
        elif one.code >= len(operators.builtin()) + 1:
            address[one.code] = operators.address(one)
    return Alphabet(
        np.array([0, *(one.arity for one in known[1:])], np.int8),
        np.array([0, *(one.commutative for one in known[1:])], np.int8),
        address, start, size, np.array(codes or [0], np.int32), np.array(values or [0.0]),
        np.array(block_functions(), np.int64),
    )  # fmt: skip


def workspace(columns: np.ndarray, nodes: int, dtype=np.float64) -> Workspace:
    """Memory for programs of up to ``nodes`` nodes on a table given by its columns, shape (features, rows)."""
    features, rows = columns.shape
    mem = np.zeros(features * rows + nodes * BLOCK, dtype)
    mem[: features * rows] = columns.reshape(-1)
    ints = [np.zeros(nodes, np.int32) for _ in range(5)]
    return Workspace(
        mem, np.zeros((nodes + 1) * BLOCK, dtype), ints[0], ints[1], ints[2], np.zeros(nodes, np.int64),
        np.arange(nodes, dtype=np.int64) * BLOCK, ints[3], np.zeros(nodes, np.int8), ints[4], rows, features,
    )  # fmt: skip


@kernel
def spans(codes, size, arity, starts):
    """For each node, where the subtree below it begins; into ``starts``."""
    for node in range(size):
        start = node
        if codes[node] > 0:
            for _ in range(arity[codes[node]]):
                start = starts[start - 1]
        starts[node] = start


@kernel
def assemble(codes, values, size, alphabet, work):
    """Write the program of a formula into the workspace; returns its number of nodes, or 0 if it is too long."""
    length, top, constants = 0, 0, 0
    stack = work.stack
    for i in range(size):
        code = codes[i]
        if code > 0 and alphabet.body_start[code] >= 0:
            length, top = _expand(code, length, top, alphabet, work)
        else:
            length = _append(code, values[i], length, top, alphabet, work)
            if length > 0 and code == CONSTANT:
                work.constant[length - 1] = constants
                work.active[length - 1] = 1
                constants += 1
            if code > 0:
                top -= alphabet.arity[code]
            if length > 0:
                stack[top] = length - 1
                top += 1
        if length <= 0:
            return 0
    return length


@kernel
def _append(code, value, length, top, alphabet, work):
    """One node more, whose arguments lie on top of the stack; returns the new length, or 0 where there is no room."""
    if length >= len(work.op):
        return 0
    i = length
    work.op[i], work.constant[i], work.active[i] = code, -1, 0
    work.at[i] = work.features * work.rows + i * BLOCK
    if code < 0:
        work.at[i] = (-1 - code) * work.rows
    elif code == CONSTANT:
        _fill(work.mem, work.at[i], value)
    elif alphabet.arity[code] == 1:
        work.left[i] = work.stack[top - 1]
        work.active[i] = work.active[work.left[i]]
    else:
        work.left[i], work.right[i] = work.stack[top - 2], work.stack[top - 1]
        work.active[i] = work.active[work.left[i]] | work.active[work.right[i]]
    return length + 1


@kernel
def _expand(code, length, top, alphabet, work):
    """The formula of a user's operator, its arguments in the place of its features."""
    arity, first = alphabet.arity[code], alphabet.body_start[code]
    bottom = top  # the body's own stack lies on that of the whole
    if top + alphabet.body_size[code] > len(work.stack):
        return 0, top
    for j in range(first, first + alphabet.body_size[code]):
        inner = alphabet.body_codes[j]
        if inner < 0:
            work.stack[top] = work.stack[bottom - arity + (-1 - inner)]
            top += 1
            continue
        length = _append(inner, alphabet.body_values[j], length, top, alphabet, work)
        if length <= 0:
            return 0, top
        if inner > 0:
            top -= alphabet.arity[inner]
        work.stack[top] = length - 1
        top += 1
    work.stack[bottom - arity] = work.stack[top - 1]
    return length, bottom - arity + 1


@kernel
def _fill(mem, at, value):
    block = mem[at : at + BLOCK]
    for k in range(BLOCK):
        block[k] = value


@kernel
def set_constants(length, constants, work):
    """Give the program's constants other values."""
    for i in range(length):
        if work.constant[i] >= 0:
            _fill(work.mem, work.at[i], constants[work.constant[i]])
