"""How the best formulas came to be: the front over time, and the ancestry of each of its formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..expression import Expression
from ..operators import CONSTANT
from .evolve import KINDS
from .judge import KIND, NAME, OTHER, PARENT, SIZE, Members

if TYPE_CHECKING:
    import pandas as pd

    from ..front import ParetoFront

__all__ = ["Ancestor", "History"]

NO_NAME = -1
STRIDE = 1 << 44  # names of island i are i * STRIDE + 1, 2, …
KEPT = 50_000  # formulas that are remembered before those without living descendants are forgotten


@dataclass(frozen=True)
class Ancestor:
    """One formula on the way to another.

    Attributes
    ----------
    name : int
        Its number; no two formulas of a run share one.
    expression : Expression
        As it was fitted then.
    loss, complexity : float
        In the search's own units, as the formula itself.
    parents : tuple of int
        The formulas it was made from; none at the beginning.
    made_by : str
        The mutation, "crossover", "random", "guess" or "regression".
    """

    name: int
    expression: Expression
    loss: float
    complexity: float
    parents: tuple[int, ...]
    made_by: str


class History:
    """What a search remembers; kept small by forgetting whoever has no living descendant.

    Attributes
    ----------
    fronts : list of (float, int, ParetoFront)
        Seconds, formulas evaluated, and the front, each time that it changed.
    """

    def __init__(self):
        self.fronts: list[tuple[float, int, ParetoFront]] = []
        # name -> (parent, other parent, kind, loss, complexity, codes, values)
        self._made: dict[int, tuple] = {}
        self._names: dict[bytes, int] = {}  # by the codes of a formula of the front
        self._room = KEPT
        self._began = 0.0  # seconds of the fits before this one

    def go_on(self) -> None:
        """Another fit continues the search: its seconds come after those of the last one."""
        self._began = self.fronts[-1][0] if self.fronts else 0.0

    def __len__(self) -> int:
        return len(self._made)

    def front(self, elapsed: float, evaluations: int, front: ParetoFront) -> None:
        """Note the front if it has changed."""
        if not self.fronts or self.fronts[-1][2] != front:
            self.fronts.append((self._began + elapsed, evaluations, front))

    def record(self, log: Members) -> None:
        """Add what an island has made."""
        made = log.info[:, SIZE] > 0
        for row in np.flatnonzero(made).tolist():
            facts, (loss, weight) = log.info[row].tolist(), log.costs[row].tolist()
            size = facts[SIZE]
            self._made[facts[NAME]] = (
                facts[PARENT], facts[OTHER], facts[KIND], loss, weight, log.codes[row, :size].copy(),
                log.values[row, :size].copy(),
            )  # fmt: skip

    def found(self, name: int, kind: str, expression: Expression, loss: float) -> None:
        """Add a formula that no island has made: a guess, or one of the regression."""
        facts = (NO_NAME, NO_NAME, KINDS.index(kind), loss, expression.complexity)
        self._made[name] = (*facts, expression.codes.copy(), expression.values.copy())

    def forget(self, living: Callable[[], Iterable[int]]) -> None:
        """Forget who has no descendant among the living, whenever there are too many."""
        if len(self._made) < self._room:
            return
        to_visit, kept = [*living(), *self._names.values()], set()
        while to_visit:
            name = to_visit.pop()
            if name in self._made and name not in kept:
                kept.add(name)
                to_visit.extend(self._made[name][:2])
        self._made = {name: self._made[name] for name in sorted(kept)}
        self._room = max(KEPT, 2 * len(kept))

    def name(self, expression: Expression, name: int) -> None:
        """Note which formula of the search a formula of the front is."""
        self._names[expression.codes.tobytes()] = name

    def ancestry(self, expression: Expression) -> list[Ancestor]:
        """A formula of the front and all its recorded ancestors, the youngest first.

        Empty where the formula is none of the search's own: written anew by the final polish, or found before this
        process went on from a checkpoint, which does not hold the history.
        A shorter form of a formula that was judged (without offset, with factors of 1) has the latter's name, parents,
        loss and complexity.
        """
        start = self._names.get(expression.codes.tobytes())
        found, to_visit = {}, [start]
        while to_visit:
            name = to_visit.pop()
            if name in self._made and name not in found:
                found[name] = self._ancestor(name)
                to_visit.extend(found[name].parents)
        if start in found and not np.array_equal(found[start].expression.codes, expression.codes):
            found[start] = replace(found[start], expression=expression.with_names(None))
        return sorted(found.values(), key=lambda one: (one.name != start, -(one.name % STRIDE)))

    def line(self, expression: Expression) -> list[Ancestor]:
        """The way from a random formula to this one by each one's first parent, the youngest first."""
        known = {one.name: one for one in self.ancestry(expression)}
        line, name = [], self._names.get(expression.codes.tobytes())
        while name in known:
            line.append(known.pop(name))
            name = line[-1].parents[0] if line[-1].parents else None
        return line

    def _ancestor(self, name: int) -> Ancestor:
        parent, other, kind, loss, weight, codes, values = self._made[name]
        values = np.where(codes == CONSTANT, values, 0.0)
        parents = tuple(dict.fromkeys(one for one in (parent, other) if one >= 0))
        return Ancestor(name, Expression(codes, values), loss, weight, parents, KINDS[kind])

    def table(self) -> pd.DataFrame:
        """One row for each change of the front: seconds, evaluations, its length, lowest loss, and that formula."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "seconds": round(elapsed, 3), "evaluations": evaluations, "formulas": len(front),
                    "loss": front[-1].loss, "best": front[-1].expression.format(4),
                }
                for elapsed, evaluations, front in self.fronts
                if len(front)
            ]
        )  # fmt: skip
