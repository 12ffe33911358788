"""The Gumbel-Max trick: one-hot vectors and their relaxation, sampled from structure parameters, and their density.

C. Maddison et al. 2016, The Concrete Distribution (arXiv 1611.00712); document 004, equations 2, 6, 7, 10
and 11. Structure parameters ``z`` have shape (..., places); where ``real`` is given, only those places exist.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, log_softmax, softmax

from ..validation import check_number

__all__ = [
    "density_gradient", "gumbel", "log_density", "match_gradient", "one_hot", "probabilities", "relaxed",
    "relaxed_gradient", "samples",
]  # fmt: skip

NOWHERE = -1e30  # the logit of a place that does not exist


def gumbel(rng: np.random.Generator, shape) -> np.ndarray:
    """Standard Gumbel numbers: minus the logarithm of exponential ones."""
    return -np.log(rng.standard_exponential(shape))


def _masked(z: np.ndarray, real: np.ndarray | None) -> np.ndarray:
    return z if real is None else np.where(real, z, NOWHERE)


def probabilities(z: np.ndarray, real: np.ndarray | None = None) -> np.ndarray:
    """How likely each place is to be the largest in a sample, at any temperature: the softmax of z.

    Examples
    --------
    >>> probabilities(np.log([1.0, 3.0]))
    array([0.25, 0.75])
    """
    return softmax(_masked(z, real), axis=-1)


def relaxed(z: np.ndarray, noise: np.ndarray, temperature: float, real: np.ndarray | None = None) -> np.ndarray:
    """The logarithm of V in equation 2: ``log softmax((z + G)/lambda)``.

    At a low temperature V is nearly one-hot, at a high one nearly uniform; its largest place is the same at all.

    Parameters
    ----------
    z : ndarray, shape (..., places)
    noise : ndarray
        Gumbel numbers of the same shape, or with further axes of samples in front.
    temperature : float
        lambda, above 0.
    """
    return log_softmax(_masked((z + noise) / temperature, real), axis=-1)


def samples(z: np.ndarray, temperature: float, count: int, rng: np.random.Generator | int) -> np.ndarray:
    """So many vectors V of one connection, shape (count, places).

    Examples
    --------
    >>> V = samples(np.log([1.0, 3.0]), 0.1, 10_000, 0)
    >>> round(float((V[:, 1] > 0.5).mean()), 2)
    0.75
    """
    check_number("temperature", temperature, above=0)
    check_number("count", count, least=1, whole=True)
    rng = np.random.default_rng(rng)
    return np.exp(relaxed(z, gumbel(rng, (count, *np.shape(z))), temperature))


def one_hot(log_V: np.ndarray) -> np.ndarray:
    """V rounded: 1 at the largest place, 0 elsewhere."""
    return np.eye(log_V.shape[-1])[np.argmax(log_V, axis=-1)]


def relaxed_gradient(V: np.ndarray, dV: np.ndarray, temperature: float) -> np.ndarray:
    """The derivatives of a loss by z from those by V, through equation 2."""
    return V * (dV - np.sum(V * dV, axis=-1, keepdims=True)) / temperature


def log_density(z: np.ndarray, log_V: np.ndarray, temperature: float) -> np.ndarray:
    """The logarithm of equation 10, the density of V on the simplex, for each connection, shape (...)."""
    places = z.shape[-1]
    shifted = z - temperature * log_V
    return (
        gammaln(places) + (places - 1) * np.log(temperature)
        + np.sum(z - (temperature + 1) * log_V, axis=-1) - places * np.logaddexp.reduce(shifted, axis=-1)
    )  # fmt: skip


def density_gradient(
    z: np.ndarray, log_V: np.ndarray, temperature: float, real: np.ndarray | None = None
) -> np.ndarray:
    """Equation 7: the derivatives of the log density by z, ``1 - M softmax(z - lambda log V)``.

    M is the number of places, the size of the layer *before*: where the paper prints "M_k - 1" as the limit of its
    sums, it means the subscript k - 1.
    """
    places = z.shape[-1] if real is None else real.sum(axis=-1, keepdims=True)
    gradient = 1.0 - places * softmax(_masked(z - temperature * log_V, real), axis=-1)
    return gradient if real is None else np.where(real, gradient, 0.0)


def match_gradient(z: np.ndarray, log_V: np.ndarray, temperature: float, real: np.ndarray | None = None) -> np.ndarray:
    """The other rule for training offline: minus the derivatives of ``sum (exp(z) - V**lambda)**2`` (equation 11)."""
    size = np.exp(z)
    gradient = -2.0 * size * (size - np.exp(temperature * log_V))
    return gradient if real is None else np.where(real, gradient, 0.0)
