"""A formula as a ``torch.optim.Optimizer``."""

from __future__ import annotations

import torch

from ...expression import Expression
from .rules import FormulaRule

__all__ = ["SymbolicOptimizer"]


class SymbolicOptimizer(torch.optim.Optimizer):
    """Any network is trained by a formula over features of its gradients.

    Parameters
    ----------
    params : iterable
        Tensors, or groups, as for all of torch's optimisers.
    rule : FormulaRule, str or Expression
        The update before scaling; see :class:`~srlib.distill.l2o.FormulaRule`.
    lr : float, optional
        What it is multiplied by: a float, and schedulers may change it. By default the rule's scale.
    not_finite : {"raise", "skip"}
        What happens where the formula has no finite value (it divides by zero, say): an error before anything is
        changed, or these entries stay as they are in this step.

    Raises
    ------
    ValueError
        If the rule is no formula over features, or ``lr`` no number.

    Notes
    -----
    The state of each parameter is the features' state, by name: ``state_dict`` and ``load_state_dict`` are torch's.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    >>> optimizer = SymbolicOptimizer([weight], "-mhat/(sqrt(vhat) + 1e-8)", lr=0.1)
    >>> (weight**2).sum().backward()
    >>> optimizer.step()
    >>> [round(w, 6) for w in weight.tolist()]
    [0.9, -1.9]
    """

    def __init__(
        self, params, rule: FormulaRule | str | Expression, lr: float | None = None, not_finite: str = "raise"
    ):
        if not isinstance(rule, FormulaRule):
            rule = FormulaRule(rule)
        lr = rule.scale if lr is None else lr
        if isinstance(lr, torch.Tensor) or not isinstance(lr, (int, float)) or not lr > 0:
            raise ValueError(f"lr is {lr!r}: give a number above 0")
        if not_finite not in ("raise", "skip"):
            raise ValueError(f"not_finite is {not_finite!r}: give 'raise' or 'skip'")
        self.rule, self.not_finite = rule, not_finite
        super().__init__(params, {"lr": float(lr)})

    @torch.no_grad()
    def step(self, closure=None):
        """One step; parameters without gradient are left alone.

        Raises
        ------
        FloatingPointError
            If the formula has no finite value; parameters and state are as before.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        changes = []
        for group in self.param_groups:
            for place, parameter in enumerate(group["params"]):
                if parameter.grad is None:
                    continue
                if parameter.grad.is_sparse or parameter.is_complex():
                    raise ValueError(f"parameter {place} is complex or has a sparse gradient: give dense real ones")
                state = self.state.get(parameter) or {"t": 0, **self.rule.start(parameter)}
                t, gradient = state["t"] + 1, parameter.grad
                if "g_1" in state:  # it is remembered, and zero_grad may overwrite it
                    gradient = gradient.clone()
                update, after = self.rule(gradient, state, t)
                update = self._finite(update, parameter, place)
                changes.append((parameter, update, {"t": t, **after}, group["lr"]))
        for parameter, update, state, lr in changes:
            parameter.add_(update, alpha=lr)
            self.state[parameter] = state
        return loss

    def _finite(self, update, parameter, place: int):
        sound = update.isfinite()
        if bool(sound.all()):
            return update
        if self.not_finite == "skip":
            return torch.where(sound, update, 0.0)
        at = tuple((~sound).nonzero()[0].tolist())
        raise FloatingPointError(
            f"the rule {self.rule.expression().format(4)} gives {update[at].item()} in {int((~sound).sum())} of "
            f"{update.numel()} entries of parameter {place} (shape {tuple(parameter.shape)}), first at {at}, where the "
            f"gradient is {parameter.grad[at].item():.4g}: add a small constant to what it divides by, or give "
            "not_finite='skip'"
        )
