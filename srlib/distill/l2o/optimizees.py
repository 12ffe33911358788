"""Optimizees: the problems that an optimiser is trained and judged on, a batch of them at once.

Each optimizee has its own parameters, a row of one tensor; ``torch.func`` gives the losses and gradients of all rows in
one call. Data are scikit-learn's digits, which come with the package: one half to train on, the other held out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vmap

from ...validation import check_number

__all__ = ["DigitsConvNet", "DigitsLogistic", "DigitsMLP", "Family", "Optimizees", "Quadratics", "Rosenbrock"]

Loss = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class Optimizees:
    """A batch of problems, each with a start of its own.

    Attributes
    ----------
    start : Tensor, shape (optimizees, parameters)
    one_loss : callable
        ``one_loss(theta, *data)`` of one problem, theta (parameters,), a scalar.
    draw : callable
        ``draw(step)`` gives the data of a step, a tuple of tensors (optimizees, …); the same for the same step.
    held_out : tuple of Tensor, optional
        Data (…) that are not trained on, the same for all problems; None where there are none.
    metric : callable, optional
        ``metric(theta, *data)`` of one problem, such as its accuracy.
    """

    start: torch.Tensor
    one_loss: Loss = field(repr=False)
    draw: Callable[[int], tuple[torch.Tensor, ...]] = field(repr=False)
    held_out: tuple[torch.Tensor, ...] | None = field(default=None, repr=False)
    metric: Loss | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.start)

    def losses(self, theta: torch.Tensor, step: int) -> torch.Tensor:
        """The loss of each problem on the data of a step, (optimizees,)."""
        return vmap(self.one_loss)(theta, *self.draw(step))

    def gradients(self, theta: torch.Tensor, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Losses (optimizees,) and gradients (optimizees, parameters) on the data of a step."""
        gradients, losses = vmap(grad_and_value(self.one_loss))(theta, *self.draw(step))
        return losses, gradients

    def judged(self, theta: torch.Tensor) -> torch.Tensor:
        """The loss of each problem on its held-out data; where there are none, that of step 0. (optimizees,)"""
        with torch.no_grad():
            if self.held_out is None:
                return self.losses(theta, 0)
            return vmap(lambda one: self.one_loss(one, *self.held_out))(theta)

    def accuracies(self, theta: torch.Tensor) -> torch.Tensor:
        """The share of held-out digits that each network gets right, (optimizees,)."""
        if self.metric is None:
            raise ValueError("these optimizees have no metric: only classifiers have an accuracy")
        with torch.no_grad():
            return vmap(lambda one: self.metric(one, *self.held_out))(theta)

    def repeat(self, times: int) -> Optimizees:
        """The same problems so many times, as whole blocks one after the other: one block for each setting."""
        draw = self.draw

        def repeated(step):
            return tuple(part.repeat(times, *[1] * (part.ndim - 1)) for part in draw(step))

        return replace(self, start=self.start.repeat(times, 1), draw=repeated)


class Family:
    """Where optimizees are drawn from.

    Subclasses give ``sample(count, seed)``: so many :class:`Optimizees`, the same for the same seed.
    """

    def sample(self, count: int, seed: int | Sequence[int] = 0) -> Optimizees:
        raise NotImplementedError


def _generator(seed) -> torch.Generator:
    """A torch stream of its own for each seed, a number or several."""
    mixed = np.random.SeedSequence(np.atleast_1d(seed).tolist()).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed >> 1))


def _no_data(step: int) -> tuple:
    return ()


@dataclass(frozen=True)
class Quadratics(Family):
    """``|W theta - y|² / 2``, W with singular values between 1 and ``1 / sqrt(condition)``.

    Attributes
    ----------
    size : int
        Parameters.
    condition : float
        The largest curvature over the smallest.
    noise : float
        Standard deviation of what is added to y, drawn anew at each step: gradients as of minibatches.
    """

    size: int = 10
    condition: float = 30.0
    noise: float = 0.0
    dtype: torch.dtype = torch.float64

    def sample(self, count: int, seed: int | Sequence[int] = 0) -> Optimizees:
        """So many quadratics; ``theta`` begins at random, the minimum lies elsewhere."""
        _check_count(count)
        check_number("condition", self.condition, least=1)
        random, shape = _generator(seed), (count, self.size)
        turned, _ = torch.linalg.qr(torch.randn(*shape, self.size, generator=random, dtype=self.dtype))
        exponent = torch.linspace(0, -0.5, self.size, dtype=self.dtype)
        W = self.condition ** exponent[:, None] * turned  # (count, size, size)
        y, start = (torch.randn(*shape, generator=random, dtype=self.dtype) for _ in range(2))
        stream = [*np.atleast_1d(seed).tolist(), 1]

        def draw(step):
            away = torch.randn(*shape, generator=_generator([*stream, step]), dtype=self.dtype) if self.noise else 0.0
            return W, y + self.noise * away

        def one_loss(theta, W, y):
            return 0.5 * ((W @ theta - y) ** 2).sum()

        return Optimizees(start, one_loss, draw)


@dataclass(frozen=True)
class Rosenbrock(Family):
    """``(1 - x)² + 100 (y - x²)²``, scaled by 1/100, from random starts around (-1, 1)."""

    dtype: torch.dtype = torch.float64

    def sample(self, count: int, seed: int | Sequence[int] = 0) -> Optimizees:
        """So many starts."""
        _check_count(count)
        away = torch.randn(count, 2, generator=_generator(seed), dtype=self.dtype)
        start = torch.tensor([-1.0, 1.0], dtype=self.dtype) + 0.3 * away
        return Optimizees(start, self.value, _no_data)

    @staticmethod
    def value(theta: torch.Tensor) -> torch.Tensor:
        """Of one place (2,)."""
        x, y = theta.unbind(-1)
        return ((1 - x) ** 2 + 100 * (y - x**2) ** 2) / 100


# ------------------------------------------------------------ digits


@functools.cache
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels (1797, 64) from 0 to 1 and labels (1797,), shuffled once."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    return torch.from_numpy(data.data[order] / 16.0).float(), torch.from_numpy(data.target[order]).long()


@dataclass(frozen=True)
class Digits(Family):
    """A classifier of scikit-learn's digits, 8 x 8 pixels; each optimizee has its own start and minibatches.

    Attributes
    ----------
    batch : int
        Digits of a step.
    half : {0, 1}
        Which half of the digits the minibatches come from; :meth:`Optimizees.judged` looks at the other. Meta-train on
        one half and evaluate on the other, and no digit is used for both.
    """

    batch: int = 64
    half: int = 0

    def module(self) -> nn.Module:
        """The network, from (digits, 64) to (digits, 10)."""
        raise NotImplementedError

    def sample(self, count: int, seed: int | Sequence[int] = 0) -> Optimizees:
        """So many networks: weights normal with variance 1 / inputs, biases 0."""
        _check_count(count)
        check_number("batch", self.batch, least=1, whole=True)
        if self.half not in (0, 1):
            raise ValueError(f"half is {self.half!r}: give 0 or 1")
        X, labels = digits()
        own, other = slice(self.half, None, 2), slice(1 - self.half, None, 2)
        X_own, labels_own = X[own], labels[own]
        random = _generator(seed)
        with torch.device("meta"):  # only its shapes are used
            module = self.module()
        names = [name for name, _ in module.named_parameters()]
        shapes = [one.shape for one in module.parameters()]
        sizes = [one.numel() for one in module.parameters()]
        start = torch.cat([_begin(shape, count, random) for shape in shapes], dim=1)
        stream = [*np.atleast_1d(seed).tolist(), 1]

        def draw(step):
            rows = torch.randint(len(X_own), (count, self.batch), generator=_generator([*stream, step]))
            return X_own[rows], labels_own[rows]

        def scores(theta, X):  # (parameters,), (digits, 64) -> (digits, 10)
            parts = theta.split(sizes)
            weights = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
            return functional_call(module, weights, (X,))

        def one_loss(theta, X, labels):
            return nn.functional.cross_entropy(scores(theta, X), labels)

        def accuracy(theta, X, labels):
            return (scores(theta, X).argmax(dim=1) == labels).float().mean()

        return Optimizees(start, one_loss, draw, (X[other], labels[other]), accuracy)


def _begin(shape, count: int, random: torch.Generator) -> torch.Tensor:
    size = int(np.prod(shape))
    if len(shape) == 1:
        return torch.zeros(count, size)
    return torch.randn(count, size, generator=random) / np.sqrt(np.prod(shape[1:]))


def _check_count(count) -> None:
    check_number("count", count, least=1, whole=True)


@dataclass(frozen=True)
class DigitsLogistic(Digits):
    """Logistic regression, 650 parameters."""

    def module(self) -> nn.Module:
        return nn.Linear(64, 10)


@dataclass(frozen=True)
class DigitsMLP(Digits):
    """A network with ReLU units.

    Attributes
    ----------
    hidden : tuple of int
        Units of each hidden layer.
    """

    hidden: tuple[int, ...] = (16,)

    def module(self) -> nn.Module:
        layers, width = [], 64
        for units in self.hidden:
            layers += [nn.Linear(width, units), nn.ReLU()]
            width = units
        return nn.Sequential(*layers, nn.Linear(width, 10))


@dataclass(frozen=True)
class DigitsConvNet(Digits):
    """Two convolutions, each with pooling, and a linear layer: 666 parameters with 4 and 8 channels."""

    channels: tuple[int, int] = (4, 8)

    def module(self) -> nn.Module:
        first, second = self.channels
        return nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(4 * second, 10),
        )  # fmt: skip
