"""Early stopping: of all that a meta-training went through, keep what did best over a whole run on other optimizees.

Unrolls are shorter than runs, and what is good for the former may be bad for the latter (short-horizon bias; Y. Wu and
others, arXiv 1803.02021). A validation looks at whole runs, and counts the rule as it was given among the candidates,
so that a meta-training ends no worse than it began, as far as the validation's optimizees tell. They are few, and the
best of many candidates is partly the luckiest: a margin asks for more than luck.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import torch

from ...validation import check_number
from .optimizees import Optimizees
from .rules import Rule
from .unroll import run_rule

__all__ = ["Validation"]


@dataclass(frozen=True)
class Validation:
    """Whole runs on optimizees that are not trained on.

    Attributes
    ----------
    optimizees : Optimizees
    steps : int
        Of a run.
    every : int
        The rule is looked at before the first episode, after each so-many-th, and after the last one.
    last : int
        The score is about the mean loss of so many last steps.
    margin : float
        A candidate replaces the best so far if its score is better by so many standard errors of the difference, which
        is taken optimizee by optimizee.
    """

    optimizees: Optimizees = field(repr=False)
    steps: int = 200
    every: int = 5
    last: int = 20
    margin: float = 2.0

    def __post_init__(self):
        if not isinstance(self.optimizees, Optimizees):
            raise ValueError(f"optimizees is {self.optimizees!r:.80}: give optimizees, such as DigitsMLP().sample(8)")
        for name in ("steps", "every", "last"):
            check_number(name, getattr(self, name), least=1, whole=True)
        check_number("margin", self.margin, least=0)

    def logarithms(self, rule: Rule) -> torch.Tensor:
        """Of the final loss of each optimizee; infinite where one diverged. (optimizees,)"""
        with torch.no_grad():
            return run_rule(rule, self.optimizees, self.steps).final(self.last).clamp(min=1e-12).log()

    def score(self, rule: Rule) -> float:
        """The mean logarithm of the final losses, the lower the better."""
        return self.logarithms(rule).mean().item()


class Kept(torch.nn.Module):
    """A rule in training, and a copy of it as it was when a validation liked it best.

    Attributes
    ----------
    now, best : Rule
        A checkpoint holds the weights of both.
    score : float
        Of the best.
    episode : int
        The episode after which it was best; 0: as it was given.
    """

    def __init__(self, rule: Rule, validation: Validation):
        super().__init__()
        self.now, self.best, self.validation = rule, copy.deepcopy(rule), validation
        self.logarithms, self.episode = torch.zeros(0), 0

    @property
    def score(self) -> float:
        return self.logarithms.mean().item()

    def begin(self, scores: list[float]) -> None:
        """Score the best, given those after each episode so far (NaN where nobody looked)."""
        self.logarithms = self.validation.logarithms(self.best)
        found = [number for number, score in enumerate(scores, 1) if score == self.score]
        self.episode = found[0] if found else 0

    def look(self, number: int, final: bool = False) -> float:
        """The score after an episode, if it is one to look at (otherwise NaN); the best is kept."""
        if number % self.validation.every and not final:
            return float("nan")
        logarithms = self.validation.logarithms(self.now)
        if self._better(logarithms):
            self.best.load_state_dict(self.now.state_dict())
            self.logarithms, self.episode = logarithms, number
        return logarithms.mean().item()

    def _better(self, logarithms: torch.Tensor) -> bool:
        gain = self.logarithms - logarithms  # (optimizees,)
        if not bool(gain.isfinite().all()):  # something diverged: fewer is better
            return logarithms.isinf().sum().item() < self.logarithms.isinf().sum().item()
        error = gain.std().item() / len(gain) ** 0.5 if len(gain) > 1 else 0.0
        return gain.mean().item() > self.validation.margin * error

    def end(self) -> None:
        """Put the best into the rule that was given."""
        self.now.load_state_dict(self.best.state_dict())
