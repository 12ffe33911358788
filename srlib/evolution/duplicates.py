"""Formulas that were tried before: recognised by a number made of their values, so that none is fitted twice."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.evaluate import forward, place
from ..kernels.jit import kernel
from ..kernels.program import ACTIVE, ARITY, COMMUTATIVE, STACK, WHERE
from ..operators import CONSTANT

__all__ = ["PROBE", "formula_key", "new_table", "visit"]

PROBE, STRETCHES = 16, 4  # rows on which values are compared, in so many places of the table, which may be sorted
BITS = 15  # of the table's size
MODULUS = 2147483647  # 2**31 - 1, so that products of two numbers below it stay within 63 bits


def new_table() -> np.ndarray:
    """An empty table of visited formulas: ``8 * key + visits`` each; the first entry counts them."""
    return np.zeros(1 << BITS, np.int64)


@kernel
def formula_key(tree, length, k_terms, terms, linear, alphabet, work):
    """A number that equal formulas share.

    The key is the sum of its terms' keys. A term without constants is known by its values on a few rows: with
    ``linear``, where factor and offset are fitted anyway, up to factor and offset, and once only. A term with
    constants, which a fit will move, is known by its structure, whatever the constants are.
    """
    _probe(length, k_terms, terms, alphabet, work)
    total = 0
    for t in range(k_terms):
        node = terms[t]
        if work.node[ACTIVE, work.node[WHERE, node]] == 1:
            total += _structure_key(tree, tree.starts[node], node, alphabet, work)
            work.adj[t * PROBE] = -1.0
        else:
            key, again = _value_key(work.adj[t * PROBE : (t + 1) * PROBE], linear), False
            for other in range(t):
                again = again or work.adj[other * PROBE] == key
            if not (linear and again):
                total += key
            work.adj[t * PROBE] = key  # its values are not needed again; a float holds it exactly
    return total & 0x3FFFFFFFFFFFFFFF


@kernel
def _probe(length, k_terms, terms, alphabet, work):
    """The terms' values on the probe, PROBE each; into the adjoints, which nobody needs at this moment."""
    n = PROBE // STRETCHES
    for stretch in range(STRETCHES):
        lo = max(0, work.rows - n) * stretch // (STRETCHES - 1)
        many = min(n, work.rows)
        forward(length, lo, many, alphabet, work)
        for t in range(k_terms):
            at, to = place(work.node[WHERE, terms[t]], lo, work), t * PROBE + stretch * n
            for k in range(n):  # a table of fewer rows is read again from its first
                work.adj[to + k] = work.mem[at + k % many]


@kernel
def _value_key(values, linear):
    first, size = (values[0] if linear else 0.0), 0.0
    for k in range(PROBE):
        difference = values[k] - first
        if not abs(difference) < np.inf:
            return 1
        if abs(difference) > abs(size):
            size = difference
    if abs(size) <= 1e-12 * abs(first):
        return 2  # constant on the probe
    key = 17
    for k in range(PROBE):
        share = (values[k] - first) / size if linear else values[k]
        if share != 0.0 and not linear:  # nine digits, whatever the size
            exponent = math.floor(math.log10(abs(share)))
            share = share * 10.0**-exponent + exponent
        key = (key * 31337 + int(math.floor(share * 1e8 + 0.5)) % MODULUS) % MODULUS
    return key * 1000003 + 7


@kernel
def _structure_key(tree, start, node, alphabet, work):
    """A number that formulas of the same operators and features share, whatever their constants."""
    stack, top = work.node[STACK], 0  # free, once the program is assembled
    for i in range(start, node + 1):
        code = tree.codes[i]
        if code <= 0:
            stack[top] = 5 if code == CONSTANT else 101 - code * 7919
            top += 1
            continue
        if alphabet.table[ARITY, code] == 1:
            stack[top - 1] = _mix(stack[top - 1], 3, code)
            continue
        a, b = stack[top - 2], stack[top - 1]
        if alphabet.table[COMMUTATIVE, code] == 1 and a > b:
            a, b = b, a
        stack[top - 2] = _mix(a, b, code)
        top -= 1
    return stack[0] * 1000003 + 11


@kernel
def _mix(a, b, code):
    key = (a * 48271 + 12345) % MODULUS
    key = (key * key + b) % MODULUS  # a sum of multiples would be the same for sin(x0)*(x1 + c) and (x0 + c)*sin(x1)
    return (key * key + code * 2654435) % MODULUS


@kernel
def visit(key, table):
    """How often this formula came before; and note that it came now. A table that is full starts anew."""
    size = len(table)
    if table[0] > size * 0.7:
        table[:] = 0
    mark = (key >> 3) + 1
    at = 1 + mark % (size - 1)
    while table[at] != 0 and table[at] >> 3 != mark:
        at = at + 1 if at + 1 < size else 1
    if table[at] == 0:
        table[at] = mark << 3
        table[0] += 1
    visits = table[at] & 7
    table[at] += visits < 7
    return visits
