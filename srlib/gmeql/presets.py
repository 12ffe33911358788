"""Architectures and settings that have a name.

The paper prints no architectures, and the released code has one, for its problems b1 to b4. That one is
``"released"``. It cannot represent b5 (it has one sine), b7 (three summands, one a product of three) or b8 (no root),
so the architectures for those are choices made here: the released one's kinds of nodes, and what the law needs. Each
is tested to contain its law. They give the answer's shape away; ``"generic"`` is one network for all eight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from ..operators import suggest
from ..validation import check_choice, check_number

__all__ = ["ARCHITECTURES", "DEFAULT", "PAPER", "PRESETS", "Settings", "read_preset"]

LARGEST = 1e6  # of settings that scale random numbers or steps

_RELEASED = (
    ("identity", "square", "cubic", "fourth", "fifth", "sixth", "sin", "cos"),
    ("plus", "times", "division", "sum"),
    ("plus", "times"),
)
ARCHITECTURES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    # Sines twice for b5; products and quotients of columns in the first layer for b7 and b8; powers 1 to 6 for b4.
    "generic": (
        ("identity", "square", "cubic", "fourth", "fifth", "sixth", "sin", "sin", "cos", "times", "division"),
        ("times", "plus", "sum"),
        ("identity", "plus", "times", "sqrt"),
    ),
    "released": _RELEASED,
    "b1": _RELEASED,
    "b2": _RELEASED,
    "b3": _RELEASED,
    "b4": _RELEASED,
    "b5": (("identity", "square", "sin", "sin", "cos"), ("plus", "times", "division"), ("plus", "times")),
    "b6": _RELEASED,
    "b7": (
        ("identity", "identity", "square", "sin", "cos", "times"),
        ("identity", "plus", "times"),
        ("plus", "times"),
    ),
    # the root of the absolute value: with weights from N(0, 1) that of the value itself would seldom have one
    "b8": (("identity", "square", "times", "division"), ("identity", "plus", "times"), ("plus", "times", "sqrt_abs")),
}


@dataclass(frozen=True)
class Settings:
    """How a network is trained: the letters are those of the paper's Algorithm 1, the values those of the paper.

    Attributes
    ----------
    rounds, steps : int
        n and m: stage 1 trains the structure so many times from new parameters, for so many steps. 0: no stage 1.
    stage2 : int
        q: steps of stage 2.
    instances : int
        p: networks sampled in a step.
    samples : {"soft", "hard"}
        What an instance computes with: the relaxed vectors V, or V rounded to one-hot, with the derivatives of V
        (straight-through).
    temperature : float
        lambda.
    repository : int
        Instances in the elite repository.
    exponent : float
        Of the power law by which elites are chosen.
    resampled : float
        The share of an elite's connections that are sampled anew. 1: elites do not guide the samples.
    offline : {"density", "match", None}
        How elites train the structure in stage 2: by equation 7, by equation 11, or not.
    batch : int
        r: elites in a step of offline training.
    learning_rate : float
        Of Adam, for all parameters.
    clip : float
        The largest derivative; larger ones count as this. The released code's, not in the paper.
    z_spread, w_center, w_spread : float
        Parameters begin as normal numbers: z around 0, weights around ``w_center``.
    refit : bool
        Instead of online training: each new expression gets weights of its own, by least squares. Then ``samples``
        must be "hard", no temperature is used, and offline training is by the likelihood of the elites' connections,
        whichever rule ``offline`` names. An expression with numbers inside is fitted up to eight times, from the second
        time on from weights that are stretched, because numbers such as frequencies are found only from nearby.
    z_limit : float
        Structure parameters stay within this size.
    patience : int
        After so many steps without a gain of 2 % repository and parameters are made anew. 0: never. Gains of an error
        below 1e-9 of the target's standard deviation do not count: look-alikes of a law get better for ever.
    until_exact : bool
        Whether to end when a formula is exact.
    """

    rounds: int = 3
    steps: int = 2000
    stage2: int = 48000
    instances: int = 40
    samples: str = "soft"
    temperature: float = 2 / 3
    repository: int = 400
    exponent: float = 1.5
    resampled: float = 0.2
    offline: str | None = "density"
    batch: int = 40
    learning_rate: float = 1e-3
    clip: float = 1.0
    z_spread: float = 1.0
    w_center: float = 0.0
    w_spread: float = 1.0
    refit: bool = False
    z_limit: float = float("inf")
    patience: int = 0
    until_exact: bool = True

    @property
    def total(self) -> int:
        """Steps of both stages."""
        return self.rounds * self.steps + self.stage2

    def check(self) -> None:
        """A ValueError that names the first setting that cannot be used."""
        for name in ("rounds", "steps", "stage2", "patience"):
            check_number(f"preset.{name}", getattr(self, name), least=0, whole=True)
        for name in ("instances", "repository", "batch"):
            check_number(f"preset.{name}", getattr(self, name), least=1, whole=True)
        check_number("preset.temperature", self.temperature, least=1e-6, most=LARGEST)  # z/lambda must stay finite
        for name in ("learning_rate", "exponent"):
            check_number(f"preset.{name}", getattr(self, name), above=0, most=LARGEST)
        for name in ("clip", "z_limit"):  # infinity is no limit
            check_number(f"preset.{name}", getattr(self, name), above=0)
        for name in ("z_spread", "w_spread"):
            check_number(f"preset.{name}", getattr(self, name), least=0, most=LARGEST)
        check_number("preset.w_center", self.w_center, least=-LARGEST, most=LARGEST)
        check_number("preset.resampled", self.resampled, above=0, most=1)
        check_choice("preset.samples", self.samples, ("soft", "hard"))
        if self.offline is not None:
            check_choice("preset.offline", self.offline, ("density", "match"))
        if self.total == 0:
            raise ValueError("preset has no steps (rounds*steps + stage2 is 0): give stage2 at least 1")
        if self.refit and self.samples == "soft":
            raise ValueError("preset has refit=True with samples='soft': a mixture has no formula; give samples='hard'")


PAPER = Settings()
DEFAULT = replace(
    PAPER, rounds=0, stage2=4000, samples="hard", refit=True, repository=100, learning_rate=0.05, z_spread=0.0,
    z_limit=3.0, w_center=1.0, w_spread=0.3, patience=100,
)  # fmt: skip
PRESETS = {"default": DEFAULT, "paper": PAPER}


def read_preset(preset) -> Settings:
    """The settings that a name, or an object of :class:`Settings`, stands for; checked."""
    if isinstance(preset, str) and preset in PRESETS:
        return PRESETS[preset]
    if not isinstance(preset, Settings):
        hint = suggest(preset, PRESETS) if isinstance(preset, str) else ""
        raise ValueError(
            f"preset is {preset!r}: choose from {', '.join(map(repr, PRESETS))}, or give Settings "
            f"({', '.join(one.name for one in fields(Settings)[:4])}, …){hint}"
        )
    preset.check()
    return preset
