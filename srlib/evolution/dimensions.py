"""Dimensional analysis within the compiled search: the loop of :mod:`srlib.dimensions`, compiled.

:func:`srlib.dimensions.unit_rules` makes the tables, :func:`srlib.dimensions.unit_workspace` the stack that each island
needs of its own.
"""

from __future__ import annotations

from ..dimensions import first_unbalanced
from ..kernels.jit import kernel

__all__ = ["dimension_violations"]

dimension_violations = kernel(first_unbalanced)
