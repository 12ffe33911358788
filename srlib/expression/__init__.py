"""Expressions: one immutable formula, stored in postfix order.

A formula is a tree; written children first, parent last, the tree becomes two arrays: ``codes`` says what each node
is, ``values`` holds the constants. ``2.5*cos(x3)`` is

====== ======== ===== ===== =====
node   0        1     2     3
====== ======== ===== ===== =====
what   ``2.5``  x3    cos   mul
code   0        -4    23    3
value  2.5      0     0     0
====== ======== ===== ===== =====

Every method of the library runs on these arrays, so no two of them can disagree about what a formula means.

Reading order: :mod:`.core` (the class), :mod:`.parse` and :mod:`.text` (from and to text), :mod:`.algebra` (sympy),
:mod:`.latex`, :mod:`.module` (torch), :mod:`.source` (plain Python), :mod:`.custom` (operators defined by a formula),
:mod:`.drawing` (the tree).
"""

from .core import Expression
from .parse import ParseError

__all__ = ["Expression", "ParseError"]
