"""Models as functions of one flat vector of parameters, and the equation learner as a model for meta-learning."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.func import functional_call, vmap

from ..eql import EQLNetwork
from ..eql.units import folded
from ..expression import Expression
from ..operators import CONSTANT
from ..validation import check_number

__all__ = ["FlatModel", "OffsetEQL", "mlp"]


class FlatModel:
    """A module as a function of its parameters, which lie in one vector.

    Adaptation gives each task its own parameters. As rows of one tensor (tasks, parameters) they serve all tasks in one
    call (``torch.func.functional_call`` under ``vmap``), and gradients, step sizes and Jacobians need no bookkeeping.

    Parameters
    ----------
    module : torch.nn.Module
        From (points, features) to one value for each point, in any shape of that many numbers.

    Attributes
    ----------
    start : Tensor, shape (parameters,)
        The module's own parameters.

    Raises
    ------
    ValueError
        If the module has no parameters, or layers that depend on the batch or on chance.
    """

    def __init__(self, module: nn.Module):
        if not isinstance(module, nn.Module):
            raise ValueError(f"model is {module!r}: give a torch.nn.Module")
        for name, layer in module.named_modules():
            if reason := _unfit(layer):
                raise ValueError(f"model has the layer {name or 'itself'} ({type(layer).__name__}): {reason}")
        self.module = module
        self._names = [name for name, _ in module.named_parameters()]
        tensors = [one.detach() for _, one in module.named_parameters()]
        if not tensors:
            raise ValueError("model has no parameters: there is nothing to adapt")
        self._shapes = [one.shape for one in tensors]
        self._sizes = [one.numel() for one in tensors]
        self._buffers = dict(module.named_buffers())
        self.start = torch.cat([one.reshape(-1) for one in tensors]).clone()

    @property
    def size(self) -> int:
        """The number of parameters."""
        return len(self.start)

    def check(self, x: torch.Tensor) -> None:
        """A ValueError unless the module takes x (points, features), and gives one value for each point."""
        try:
            with torch.no_grad():
                values = self.module(x)
        except RuntimeError as error:
            raise ValueError(
                f"model cannot take points with {x.shape[1]} feature(s) of {x.dtype}: {str(error).splitlines()[0]}"
            ) from error
        if not isinstance(values, torch.Tensor) or values.numel() != len(x):
            shape = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
            raise ValueError(f"model gives {shape} for {len(x)} points: give a module with one value for each point")

    def unflatten(self, theta: torch.Tensor) -> dict[str, torch.Tensor]:
        """The parameters by name, as views of a vector (parameters,)."""
        parts = theta.split(self._sizes)
        return {name: part.view(shape) for name, part, shape in zip(self._names, parts, self._shapes, strict=True)}

    def one(self, theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The predictions of one task: theta (parameters,), x (points, features) to (points, 1)."""
        return functional_call(self.module, {**self.unflatten(theta), **self._buffers}, (x,)).reshape(len(x), 1)

    def __call__(self, theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Of all tasks: theta (tasks, parameters), x (tasks, points, features) to (tasks, points, 1)."""
        return vmap(self.one)(theta, x)

    def jacobian(self, theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The predictions' derivatives by the parameters, (tasks, points, parameters)."""

        def row(theta, x):  # of one point
            return self.one(theta, x[None]).reshape(())

        return vmap(vmap(torch.func.grad(row), (None, 0)))(theta, x)

    def module_with(self, theta: torch.Tensor) -> nn.Module:
        """A copy of the module with these parameters (parameters,)."""
        module = copy.deepcopy(self.module)
        with torch.no_grad():
            for name, value in self.unflatten(theta.detach()).items():
                module.get_parameter(name).copy_(value)
        return module


def _unfit(layer: nn.Module) -> str:
    """Why a layer cannot be meta-learned with; empty if it can."""
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):
        return (
            "batch normalisation makes a prediction depend on the other points and keeps statistics that tasks would "
            "share, so that query points leak into the adaptation; use nn.LayerNorm, or none"
        )
    if getattr(layer, "track_running_stats", False):
        return "it keeps running statistics that all tasks would share; set track_running_stats=False"
    if isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p > 0 and layer.training:
        return "dropout makes each inner step the gradient of another function; call model.eval(), or leave it out"
    if isinstance(layer, nn.MultiheadAttention) and layer.dropout > 0 and layer.training:
        return "its dropout is drawn by chance; give dropout=0, or call model.eval()"
    if isinstance(layer, nn.RReLU) and layer.training:
        return "its slopes are drawn by chance; call model.eval(), or use nn.LeakyReLU"
    if isinstance(layer, nn.modules.lazy.LazyModuleMixin) and layer.has_uninitialized_params():
        return "its size is not known yet; call the model once before"
    return ""


class OffsetEQL(nn.Module):
    """An equation learner of one input whose units have offsets: a column of ones is its second input.

    With one hidden layer a unit then computes ``sin(w x + b)`` with a frequency and a phase of its own. In the networks
    of arXiv 1912.04825 offsets come from constant units in the layer before, and the frequency is a product of weights.

    Parameters
    ----------
    units : mapping or sequence
        See :func:`srlib.eql.read_units`.
    layers : int
        Hidden layers; the ones are an input of the first.
    scales, seed, dtype
        As in :class:`~srlib.eql.EQLNetwork`.

    Examples
    --------
    >>> OffsetEQL({"sin": 2, "exp": 1})(torch.zeros(5, 1, dtype=torch.float64)).shape
    torch.Size([5])
    """

    def __init__(
        self, units: Mapping | Sequence, layers: int = 1, scales: Sequence[float] = (0.5, 0.5, 0.5), seed: int = 0,
        dtype: torch.dtype = torch.float64,
    ):  # fmt: skip
        super().__init__()
        check_number("layers", layers, least=1, whole=True)
        self.network = EQLNetwork(2, units, layers, scales=scales, seed=seed, dtype=dtype)

    @property
    def architecture(self):
        """The network's :class:`~srlib.eql.Architecture`, with two inputs."""
        return self.network.architecture

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The output for each row of x (points, 1), shape (points,)."""
        return self.network(torch.cat([x, torch.ones_like(x)], dim=-1))[0]

    def expression(self, threshold: float = 0.0) -> Expression:
        """The formula over x that the network computes without the weights up to ``threshold``."""
        return without_ones(self.network.expression(threshold=threshold))


def without_ones(formula: Expression) -> Expression:
    """A formula of the network's two inputs as one of x alone."""
    codes, values = formula.codes.copy(), formula.values.copy()
    ones = codes == -2
    codes[ones], values[ones] = CONSTANT, 1.0
    return folded(Expression(codes, values, names=("x",)))


def mlp(width: int = 40, layers: int = 2, activation=nn.ReLU, seed: int = 0, dtype=torch.float64) -> nn.Sequential:
    """The network of arXiv 1703.03400's sinusoid regression: one input, hidden layers all alike, one output.

    Weights and offsets start as those of :class:`torch.nn.Linear` from the seed.
    """
    check_number("width", width, least=1, whole=True)
    check_number("layers", layers, least=1, whole=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        sizes, parts = [1, *[width] * layers], []
        for n, m in zip(sizes, sizes[1:], strict=False):
            parts += [nn.Linear(n, m, dtype=dtype), activation()]
        return nn.Sequential(*parts, nn.Linear(width, 1, dtype=dtype))
