# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 The Gumbel-Max equation learner: worked answers
#
# The exercises of [lesson 05](../05_gmeql.ipynb). Try them there first: a check that says *not yet* teaches
# more than an answer that you have read.
#
# *Runs in about 10 s and 150 MB on 2 cores.*

# %% tags=["setup"]
# Run this cell first. It finds srlib in a clone of the course; on Colab or Kaggle it installs srlib and nothing else.
import importlib.util
import subprocess
import sys
from pathlib import Path

SOURCE = "git+https://github.com/srlib/srlib"
folders = [Path.cwd(), *Path.cwd().parents]
clone = next((folder for folder in folders if (folder / "srlib" / "__init__.py").exists()), None)
if clone is not None:
    sys.path.insert(0, str(clone))
elif importlib.util.find_spec("srlib") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", SOURCE], check=True)
    importlib.invalidate_caches()

from srlib.teaching.setup_cell import ready

ready()

# %%
import numpy as np

from srlib.teaching import check, progress

# %% [markdown]
# ## 5.1 Gumbel numbers
#
# Set $u = P(G < g) = e^{-e^{-g}}$ and solve for $g$: $-\log u = e^{-g}$, so $g = -\log(-\log u)$.

# %%
def gumbel_of(u):
    """A Gumbel number for each number of the array `u`, which are between 0 and 1."""
    return -np.log(-np.log(u))


check("5.1", gumbel_of)

# %% [markdown]
# ## 5.2 The relaxed sample
#
# Add, divide, softmax. The largest number is subtracted first: that changes nothing but keeps `exp` from overflowing.

# %%
def relaxed_sample(z, noise, temperature):
    """V of equation 2, for arrays `z` and `noise` of one length."""
    inside = (z + noise) / temperature
    size = np.exp(inside - inside.max())
    return size / size.sum()


check("5.2", relaxed_sample)

# %% [markdown]
# ## 5.3 Equation 7
#
# Of $\log P = \text{const} + \sum_a \big(z_a - (\lambda + 1)\log V_a\big) - M \log \sum_b e^{z_b} V_b^{-\lambda}$ the
# first sum gives 1 for $z_l$. The last term gives $-M$ times a softmax, that of $z - \lambda \log V$. (The paper's form
# is the same: $1 - M p_l = (1 - p_l) - (M - 1) p_l$.)

# %%
def slope(z, V, temperature):
    """The derivative of log P by each z; arrays of length M."""
    size = np.exp(z) * V**-temperature
    return 1 - len(z) * size / size.sum()


check("5.3", slope)

# %% [markdown]
# ## 5.4 Where it is 0
#
# All shares must be $1/M$, so $e^{z_l} V_l^{-\lambda}$ is the same for all $l$: $z_l = \lambda \log V_l + c$, with any
# constant $c$. Equation 11 takes $c = 0$.

# %%
def zero(V, temperature):
    """A z, for each place, at which equation 7 is 0 for the sample `V`."""
    return temperature * np.log(V)


check("5.4", zero)
V = np.array([0.7, 0.2, 0.1])
print("equation 7 there:", slope(zero(V, 2 / 3) + 5, V, 2 / 3).round(12) + 0.0)

# %% [markdown]
# ## 5.5 Who is copied

# %%
def chance(rank, size, exponent):
    """The probability that the elite at `rank` (1 is the best) of `size` elites is copied."""
    return rank**-exponent / np.sum(np.arange(1, size + 1) ** -exponent)


check("5.5", chance)
shares = [chance(rank, 400, 1.5) for rank in (1, 2)]
print("the best of 400:", round(shares[0], 3), "| the best two:", round(sum(shares), 3))

# %% [markdown]
# ## 5.6 Read an instance
#
# From f backwards: $2\,(1.5\,(0.8 x_2)^2 - 0.5 \sin 3x_1)$. Weights on one path multiply, also through a square:
# $2 \cdot 1.5 \cdot 0.64 = 1.92$. The 3 stays inside of the sine.

# %%
formula = "1.92*x2**2 - sin(3*x1)"

check("5.6", formula)

# %%
progress(5)
