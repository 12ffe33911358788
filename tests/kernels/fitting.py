"""One formula fitted by the kernels, for the tests: split, prepare, fit and rebuild as the engine does it."""

from dataclasses import dataclass

import numpy as np

from srlib import Expression
from srlib.kernels import fit as kernel
from srlib.kernels.fit import COEFFICIENTS, COLUMNS, CONSTANTS, LEAF
from srlib.kernels.program import alphabet, assemble, spans, workspace
from srlib.kernels.terms import prepare, rebuild, split

ROOM = 400


@dataclass
class Fitted:
    """What came of a fit."""

    loss: float
    expression: Expression
    terms: list[int]  # nodes of the formula that was given
    coefficients: np.ndarray  # the offset, and one for each term
    constants: np.ndarray  # those within the terms


class Case:
    """A formula, assembled over a table, and all that a fit needs."""

    def __init__(self, formula, X, y, weight=None, loss=(0, 1.0, 0), linear=True):
        formula = Expression.parse(formula) if isinstance(formula, str) else formula
        self.codes, self.values, size = formula.codes.copy(), formula.values.copy(), formula.size
        self.letters, self.linear = alphabet(), linear
        self.work = workspace(np.ascontiguousarray(np.asarray(X, float).T), ROOM)
        self.data, self.fit = kernel.data(y, weight, *loss), kernel.scratch()
        self.starts, self.terms = np.zeros(size, np.int64), np.zeros(COLUMNS, np.int64)
        spans(self.codes, size, self.letters, self.starts)
        if linear:
            self.k_terms = split(self.codes, size, self.starts, np.zeros(2 * size + 2, np.int64), self.terms)
        else:
            self.k_terms, self.terms[0], self.fit.vector[COEFFICIENTS, 1] = 1, size - 1, 1.0
        self.length = assemble(self.codes, self.values, size, self.letters, self.work)
        self.constants = prepare(
            self.codes, self.values, size, self.starts, self.k_terms, self.terms, self.work, self.fit
        )

    def arguments(self, steps, gain):
        """Those of fit_terms."""
        return (
            self.length, self.k_terms, self.constants, self.linear, steps, gain, self.data, self.letters, self.work,
            self.fit,
        )  # fmt: skip

    def result(self, loss):
        """What the fit has left behind."""
        k, c = self.k_terms, self.constants
        values = self.values.copy()
        values[self.fit.index[LEAF, :c]] = self.fit.vector[CONSTANTS, :c]
        codes = self.codes
        if self.linear:
            codes, new = np.zeros(ROOM, np.int32), np.zeros(ROOM)
            arguments = self.codes, values, self.starts, k, self.terms, self.fit.vector[COEFFICIENTS], True
            size = rebuild(*arguments, codes, new)
            codes, values = codes[:size], new[:size]
        expression = Expression(codes, values) if np.isfinite(values).all() else None
        coefficients, constants = self.fit.vector[COEFFICIENTS, : k + 1].copy(), self.fit.vector[CONSTANTS, :c].copy()
        return Fitted(loss, expression, self.terms[:k].tolist(), coefficients, constants)


def fitted(formula, X, y, weight=None, loss=(0, 1.0, 0), linear=True, steps=50, gain=1e-13):
    """The formula after its fit."""
    case = Case(formula, X, y, weight, loss, linear)
    return case.result(kernel.fit_terms(*case.arguments(steps, gain)))
