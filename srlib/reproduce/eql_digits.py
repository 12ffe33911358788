"""A larger use: an equation learner on top of an encoder, trained end to end on sums of two handwritten digits.

As the arithmetic task of arXiv 1912.04825, on the 8 x 8 images that ship with scikit-learn. The encoder gives one
number for an image; the equation learner sees two of them and is told nothing but the sum. Pairs whose sum is 15 or
more are left out of training: the formula has to hold there, too. Encoder and formula adapt to each other, and most
starts end in a pair that is wrong but consistent, such as the square of a sum of roots: so several starts are tried,
and the one with the lowest error goes on.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch

from ..eql import EQLNetwork, SmoothedL05
from ..eql.search import one_torch_thread

__all__ = ["DigitsRow", "digits"]

LARGEST_SUM = 15
IMAGES_TO_LEARN, PAIRS, BATCH = 1400, 2000, 100
STARTS, FIRST = 10, (400, 3e-3, 1e-3)  # steps, learning rate, strength of the penalty
LATER = ((4000, 2e-3, 1e-2), (2000, 3e-4, 0.0))  # before the last phase small weights are cut
CUT, WEIGHT_DECAY = 0.02, 0.3  # the decay is of the encoder
# Those of the paper but sin and sigmoid, of which a half wave is nearly a line over the sums below 15: with them the
# formula was a sine of a + b in most trainings, and wrong beyond.
UNITS = {"constant": 1, "identity": 4, "square": 4, "exp": 2, "product": 2}
SCALE = 10.0  # the network learns a tenth of the sum


@dataclass(frozen=True)
class DigitsRow:
    """One training: the share of test pairs whose rounded sum is right, and the formula over the two codes."""

    seed: int
    seconds: float
    right: float
    right_beyond: float
    active: int
    equation: str


def digits(seed: int) -> DigitsRow:
    """Train encoder and equation learner; sums from images that neither has seen."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    learn, test = order[:IMAGES_TO_LEARN], order[IMAGES_TO_LEARN:]
    images = torch.from_numpy(images / 16).float()
    began = time.perf_counter()
    with torch.random.fork_rng(), one_torch_thread():
        torch.manual_seed(seed)
        pairs = _pairs(labels, learn, PAIRS, rng, beyond=False)
        error, encoder, network = math.inf, None, None
        for start in range(STARTS):
            new = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
            formula = EQLNetwork(2, UNITS, layers=1, scales=(0.3, 0.5, 0.5), seed=seed * STARTS + start)
            train(new, formula, images, labels, learn, rng, *FIRST)
            with torch.no_grad():
                found = (_sums(new, formula, images, pairs) - _target(labels, pairs)).square().mean().item()
            if found < error or network is None:
                error, encoder, network = found, new, formula
        for steps, rate, strength in LATER:
            train(encoder, network, images, labels, learn, rng, steps, rate, strength)
    seconds = time.perf_counter() - began
    right = {beyond: _right(encoder, network, images, labels, test, rng, beyond) for beyond in (False, True)}
    expression = network.expression(names=["a", "b"])
    return DigitsRow(
        seed, round(seconds, 1), round(right[False], 4), round(right[True], 4),
        int((network.flat != 0).sum()), expression.format(3)[:200],
    )  # fmt: skip


def train(encoder, network: EQLNetwork, images, labels, learn, rng, steps: int, rate: float, strength: float) -> None:
    """Steps of AdamW on both; without a penalty only the weights above the cut live on."""
    penalty, alive = SmoothedL05(), torch.ones_like(network.flat)
    if not strength:
        alive = (network.flat.detach().abs() > CUT).float()
    groups = [
        {"params": encoder.parameters(), "weight_decay": WEIGHT_DECAY},
        {"params": network.parameters(), "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate)
    for _ in range(steps):
        pairs = _pairs(labels, learn, BATCH, rng, beyond=False)
        loss = (_sums(encoder, network, images, pairs) - _target(labels, pairs)).square().mean()
        if strength:
            loss = loss + strength * penalty.values(network.flat).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            network.flat *= alive


def _pairs(labels, among, count: int, rng, beyond: bool) -> np.ndarray:
    """Pairs of images whose sum is below the limit, or not, shape (count, 2)."""
    pairs = rng.choice(among, size=(8 * count, 2))
    return pairs[(labels[pairs].sum(axis=1) >= LARGEST_SUM) == beyond][:count]


def _target(labels, pairs) -> torch.Tensor:
    return torch.from_numpy(labels[pairs].sum(axis=1) / SCALE).float()


def _sums(encoder, network, images, pairs) -> torch.Tensor:
    """A tenth of each pair's sum, shape (pairs,)."""
    codes = encoder(images[pairs.reshape(-1)]).reshape(len(pairs), 2)
    return network(codes)[0]


def _right(encoder, network, images, labels, test, rng, beyond: bool) -> float:
    pairs = _pairs(labels, test, PAIRS, rng, beyond)
    with torch.no_grad():
        found = SCALE * _sums(encoder, network, images, pairs).numpy()
    return float(np.mean(np.round(found) == labels[pairs].sum(axis=1)))
