"""A formula as a sum of terms: taken apart before a fit, and written anew with the fitted numbers after it."""

from __future__ import annotations

from .. import operators
from .fit import CONSTANTS, LEAF, MOST_CONSTANTS, MOST_TERMS, NODE, OWNER, TERM
from .jit import kernel
from .meaning import ADD, DIV, MUL, SUB
from .program import WHERE

__all__ = ["prepare", "rebuild", "split"]

CONSTANT = operators.CONSTANT


@kernel
def split(codes, size, starts, stack, terms):
    """The nodes that are the terms' roots, in the order of the formula; returns their number.

    ``2.5*cos(x3) + x0**2 - 2`` has the terms ``cos(x3)`` and ``x0**2``: constant factors and offsets are left out,
    those of ``2*(x0 - 3)`` too. Where there would be more than MOST_TERMS, the whole formula is the only term.
    """
    many, top = 0, 1
    stack[0] = size - 1
    while top > 0:
        top -= 1
        node = stack[top]
        code = codes[node]
        if code == ADD or code == SUB:
            stack[top], stack[top + 1] = node - 1, starts[node - 1] - 1  # the left one comes out first
            top += 2
        elif code != CONSTANT:
            if many == MOST_TERMS:
                terms[0] = size - 1
                return 1
            terms[many] = _bare(codes, node, starts)
            many += codes[terms[many]] != CONSTANT
    return many


@kernel
def _bare(codes, node, starts):
    """The node that is left of a product when its constant factors, and the offsets within them, are taken off."""
    while codes[node] == MUL or codes[node] == DIV or codes[node] == ADD or codes[node] == SUB:
        left, right = starts[node - 1] - 1, node - 1
        if codes[right] == CONSTANT:
            node = left
        elif codes[node] != DIV and codes[left] == CONSTANT:
            node = right
        else:
            break
    return node


@kernel
def prepare(codes, values, size, starts, k_terms, terms, work, fit):
    """Tell a fit which of the assembled program's nodes are the terms and their constants.

    Returns the number of constants inside the terms, or -1 if there are more than can be fitted.
    """
    many = 0
    for t in range(k_terms):
        fit.index[TERM, t] = work.node[WHERE, terms[t]]
        for i in range(starts[terms[t]], terms[t] + 1):
            if codes[i] == CONSTANT:
                if many == MOST_CONSTANTS:
                    return -1
                fit.vector[CONSTANTS, many], fit.index[OWNER, many] = values[i], t
                fit.index[NODE, many], fit.index[LEAF, many] = work.node[WHERE, i], i
                many += 1
    return many


@kernel
def leading(k_terms, coefficients):
    """The part of ``a + b_1 t_1 + …`` to write before a first term that is subtracted; k_terms + 1 for none."""
    first = 1
    while first <= k_terms and coefficients[first] == 0.0:
        first += 1
    if first > k_terms or coefficients[first] != -1.0:
        return k_terms + 1
    if coefficients[0] != 0.0:
        return 0
    for t in range(first + 1, k_terms + 1):
        if coefficients[t] != 0.0 and coefficients[t] != -1.0:
            return t
    return k_terms + 1


@kernel
def rebuild(codes, values, starts, k_terms, terms, coefficients, may_subtract, new_codes, new_values):
    """Write ``a + b_1 t_1 + …`` in postfix order; returns the number of nodes, or 0 where there is no room.

    ``coefficients`` holds a, b_1, …: a part whose number is 0 is left out, a factor of 1 is not written, and that of a
    term ``c/t`` goes into its c. What is subtracted does not come first where that saves a factor of -1: ``a - t``.
    """
    room, size = len(new_codes), 0
    lead = leading(k_terms, coefficients) if may_subtract else k_terms + 1
    for step in range(-1, k_terms + 1):
        part = lead if step < 0 else (step + 1) % (k_terms + 1)  # the leading one, the terms, the offset
        if part > k_terms or (step >= 0 and part == lead):
            continue
        factor = coefficients[part]
        if factor == 0.0 and (part > 0 or size > 0):
            continue
        begun = size > 0
        negative = begun and may_subtract and factor < 0.0
        factor = -factor if negative else factor
        if part == 0:
            if size + 2 > room:
                return 0
            new_codes[size], new_values[size] = CONSTANT, factor
            size += 1
        else:
            first, last = starts[terms[part - 1]], terms[part - 1]
            if size + last - first + 4 > room:
                return 0
            numerator = 1.0
            if codes[last] == DIV and codes[first] == CONSTANT and starts[last - 1] == first + 1:
                numerator, factor = factor, 1.0
            if factor != 1.0:
                new_codes[size], new_values[size] = CONSTANT, factor
                size += 1
            for i in range(first, last + 1):
                new_codes[size], new_values[size] = codes[i], values[i] * (numerator if i == first else 1.0)
                size += 1
            if factor != 1.0:
                new_codes[size], new_values[size] = MUL, 0.0
                size += 1
        if begun:
            new_codes[size], new_values[size] = SUB if negative else ADD, 0.0
            size += 1
    return size
