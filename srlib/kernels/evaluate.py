"""Values of a program and, in reverse, their exact derivatives by the constants; one block of rows at a time."""

from __future__ import annotations

from .jit import address_of, call_block, kernel
from .program import ACTIVE, ADDRESS, ARITY, AT, BLOCK, CONSTANT_NUMBER, LEFT, OP, RIGHT

__all__ = ["backward", "derivatives_of", "forward", "place", "values_of"]


@kernel
def place(i, lo, work):
    """Where the block of node ``i`` begins that belongs to the rows from ``lo`` on."""
    return work.node[AT, i] + lo if work.node[OP, i] < 0 else work.node[AT, i]


@kernel
def forward(length, lo, n, alphabet, work):
    """Evaluate every node on ``n`` rows from ``lo`` on."""
    mem, adj = address_of(work.mem), address_of(work.adj)
    for i in range(length):
        code = work.node[OP, i]
        if code > 0:
            two = alphabet.table[ARITY, code] - 1
            a, b = place(work.node[LEFT, i], lo, work), place(work.node[RIGHT, i], lo, work) if two else 0
            at = (work.node[AT, i], a, b, 0, 0, 0, n, alphabet.table[ADDRESS, code])
            call_block(alphabet.functions[two], code, mem, adj, at)


@kernel
def backward(length, lo, n, alphabet, work):
    """From the adjoints of the roots (set by the caller, the others 0) to those of the constants.

    After it, the adjoint of a constant holds the derivative of its root by that constant, row by row. What does not
    depend on a constant is left out.
    """
    mem, adj = address_of(work.mem), address_of(work.adj)
    nowhere = work.node.shape[1] * BLOCK  # a block that nobody reads, for arguments without constants
    for i in range(length - 1, -1, -1):
        code = work.node[OP, i]
        if code > 0 and work.node[ACTIVE, i] == 1:
            two, left, right = alphabet.table[ARITY, code] - 1, work.node[LEFT, i], work.node[RIGHT, i]
            a, to_a = place(left, lo, work), left * BLOCK if work.node[ACTIVE, left] == 1 else nowhere
            b, to_b = 0, 0
            if two:
                b, to_b = place(right, lo, work), right * BLOCK if work.node[ACTIVE, right] == 1 else nowhere
            at = (work.node[AT, i], a, b, i * BLOCK, to_a, to_b, n, alphabet.table[ADDRESS, code])
            call_block(alphabet.functions[2 + two], code, mem, adj, at)


@kernel
def clear(length, work):
    """Set all adjoints to 0."""
    adj = work.adj[: length * BLOCK]
    for k in range(len(adj)):
        adj[k] = 0.0


@kernel
def values_of(length, alphabet, work, y):
    """The values of the whole formula on all rows; into ``y``."""
    root = length - 1
    for lo in range(0, work.rows, BLOCK):
        n = min(BLOCK, work.rows - lo)
        forward(length, lo, n, alphabet, work)
        block = work.mem[place(root, lo, work) : place(root, lo, work) + n]
        out = y[lo : lo + n]
        for k in range(n):
            out[k] = block[k]


@kernel
def derivatives_of(length, alphabet, work, y, jacobian):
    """Values and their derivatives by the constants, shapes (rows,) and (constants, rows)."""
    root = length - 1
    for lo in range(0, work.rows, BLOCK):
        n = min(BLOCK, work.rows - lo)
        forward(length, lo, n, alphabet, work)
        clear(length, work)
        for k in range(n):
            y[lo + k] = work.mem[place(root, lo, work) + k]
            work.adj[root * BLOCK + k] = 1.0
        backward(length, lo, n, alphabet, work)
        for i in range(length):
            if work.node[CONSTANT_NUMBER, i] >= 0:
                for k in range(n):
                    jacobian[work.node[CONSTANT_NUMBER, i], lo + k] = work.adj[i * BLOCK + k]
