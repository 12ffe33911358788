"""Small symmetric systems: the few linear equations that one Levenberg-Marquardt step has to solve."""

from __future__ import annotations

import math

from .jit import kernel

__all__ = ["solve"]

DEPENDENT = 1e-13  # a column whose square shrinks below this share, given those before it, adds nothing


@kernel
def solve(a, right, damping, n, x, lower):
    """Solve ``(a + damping * diag(a)) x = right`` by Cholesky's method; the solution goes into ``x``.

    Columns are scaled to unit length first. One that depends on those before it gets the solution 0. ``damping`` has
    one number for each column; ``lower``, of shape (n, n + 1) or larger, is overwritten.
    """
    scale = lower[:, n]
    for i in range(n):
        scale[i] = 1.0 / math.sqrt(a[i, i]) if a[i, i] > 0.0 else 0.0
    for i in range(n):
        for j in range(i + 1):
            total = a[i, j] * scale[i] * scale[j] if i != j else (1.0 + damping[i] if scale[i] > 0.0 else 0.0)
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i != j:
                lower[i, j] = total * lower[j, j] if lower[j, j] > 0.0 else 0.0  # the diagonal holds inverses
            else:
                lower[i, i] = 1.0 / math.sqrt(total) if total > DEPENDENT else 0.0
    for i in range(n):
        total = right[i] * scale[i]
        for k in range(i):
            total -= lower[i, k] * x[k]
        x[i] = total * lower[i, i]
    for i in range(n - 1, -1, -1):
        total = x[i]
        for k in range(i + 1, n):
            total -= lower[k, i] * x[k]
        x[i] = total * lower[i, i]
    for i in range(n):
        x[i] *= scale[i]
