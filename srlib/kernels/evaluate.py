"""Values of a program and, in reverse, their exact derivatives by the constants; one block of rows at a time."""

from __future__ import annotations

from .jit import address_of, call_block, kernel
from .program import BLOCK

__all__ = ["backward", "derivatives_of", "forward", "place", "values_of"]


@kernel
def place(i, lo, work):
    """Where the block of node ``i`` begins that belongs to the rows from ``lo`` on."""
    return work.at[i] + lo if work.op[i] < 0 else work.at[i]


@kernel
def forward(length, lo, n, alphabet, work):
    """Evaluate every node on ``n`` rows from ``lo`` on."""
    mem, adj = address_of(work.mem), address_of(work.adj)
    for i in range(length):
        code = work.op[i]
        if code > 0:
            two = alphabet.arity[code] - 1
            a, b = place(work.left[i], lo, work), place(work.right[i], lo, work) if two else 0
            at = (work.at[i], a, b, 0, 0, 0, n, alphabet.address[code])
            call_block(alphabet.functions[two], code, mem, adj, at)


@kernel
def backward(length, lo, n, alphabet, work):
    """From the adjoints of the roots (set by the caller, the others 0) to those of the constants.

    After it, the adjoint of a constant holds the derivative of its root by that constant, row by row. What does not
    depend on a constant is left out.
    """
    mem, adj = address_of(work.mem), address_of(work.adj)
    nowhere = len(work.at) * BLOCK  # a block that nobody reads, for arguments without constants
    for i in range(length - 1, -1, -1):
        code = work.op[i]
        if code > 0 and work.active[i] == 1:
            two, left, right = alphabet.arity[code] - 1, work.left[i], work.right[i]
            a, to_a = place(left, lo, work), work.adj_at[left] if work.active[left] == 1 else nowhere
            b, to_b = 0, 0
            if two:
                b, to_b = place(right, lo, work), work.adj_at[right] if work.active[right] == 1 else nowhere
            at = (work.at[i], a, b, work.adj_at[i], to_a, to_b, n, alphabet.address[code])
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
            work.adj[work.adj_at[root] + k] = 1.0
        backward(length, lo, n, alphabet, work)
        for i in range(length):
            if work.constant[i] >= 0:
                for k in range(n):
                    jacobian[work.constant[i], lo + k] = work.adj[work.adj_at[i] + k]
