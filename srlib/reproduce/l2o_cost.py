"""What a step of a rule costs, in time and memory for each parameter."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from ..distill.l2o import Rule, adam, rnnprop, sgd
from ..eql.search import one_torch_thread
from .l2o_learned import formula, read_rule, teacher
from .l2o_tuning import TEMPLATES

__all__ = ["CostRow", "cost"]


@dataclass(frozen=True)
class CostRow:
    """One step of a rule on float32 parameters: medians of repetitions.

    ``state`` is what is kept between steps, bytes for each parameter, and ``peak`` the most memory that a step holds at
    once besides (by torch's profiler).
    """

    rule: str
    parameters: int
    run: int
    microseconds: float
    nanoseconds_each: float
    state: float
    peak: float


def rule_of(name: str) -> Rule:
    """The rules that are compared."""
    if name in ("sgd", "adam"):
        return {"sgd": sgd, "adam": adam}[name](0.01)
    if name == "rp 20 20":  # RNNprop's size in the literature; what it has learned does not matter here
        return rnnprop()
    if name in TEMPLATES:
        return read_rule(TEMPLATES[name])
    return teacher(name) if name in ("rp_s", "dm") else read_rule(str(formula("rp_s", name)))


@one_torch_thread()
def cost(name: str, parameters: int, run: int) -> CostRow:
    """Measure one rule."""
    rule = rule_of(name)
    random = torch.Generator().manual_seed(run)
    g = torch.randn(parameters, generator=random)
    state = rule.start(g)
    with torch.no_grad():
        for t in range(1, 4):
            _, state = rule(g, state, t)
        times = []
        for t in range(4, 14):
            began = time.perf_counter()
            _, state = rule(g, state, t)
            times.append(time.perf_counter() - began)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
            update, after = rule(g, state, 20)
    kept = sum(one.numel() * one.element_size() for one in state.values())
    median = float(np.median(times))
    return CostRow(
        name, parameters, run, round(median * 1e6, 1), round(median * 1e9 / parameters, 3), round(kept / parameters, 2),
        round(_peak(seen) / parameters, 2),
    )  # fmt: skip


def _peak(seen) -> int:
    """The largest sum of allocations less releases, in bytes, in the order of the profiler's memory events."""
    events = sorted(
        (one.start_ns(), one.nbytes()) for one in seen.profiler.kineto_results.events() if one.name() == "[memory]"
    )
    held, most = 0, 0
    for _, size in events:
        held += size
        most = max(most, held)
    return most
