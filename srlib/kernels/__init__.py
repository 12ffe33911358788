"""Compiled loops beneath all methods: values, exact derivatives, and constants fitted by Levenberg-Marquardt.

They run on the same postfix arrays as :class:`~srlib.Expression`, so that there is one representation of a formula in
the whole library. Reading order: :mod:`.program` (which block of memory each node uses), :mod:`.meaning` (what each
operator does to a block of rows, and its derivative) with :mod:`.functions` (exp, log, sin, cos on many numbers at a
time), :mod:`.evaluate` (forward and reverse), :mod:`.fit` (constants), :mod:`.many` (those of many formulas),
:mod:`.losses`, :mod:`.jit` (how all this is compiled).

``python -m srlib.evolution`` compiles everything once, for images of machines and hubs.
"""

from .api import evaluate, jacobian

__all__ = ["evaluate", "jacobian"]
