# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 Learning to optimise: worked answers
#
# The exercises of [lesson 08](../08_learning_to_optimize.ipynb). Try them there first: a check that says *not yet*
# teaches more than an answer that you have read.
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
# ## 8.1 Momentum as a sum
#
# $b_t = g_t + \mu b_{t-1} = g_t + \mu g_{t-1} + \mu^2 b_{t-2} = \dots$: the gradient of $k$ steps ago has the weight
# $\mu^k$.

# %%
def momentum_weights(decay, count):
    """The weights of the newest `count` gradients in b, the newest first."""
    return decay ** np.arange(count)


check("8.1", momentum_weights)

# %% [markdown]
# ## 8.2 Adam's update
#
# From 0, an average with decay $\beta$ has after $t$ steps only the share $1 - \beta^t$ of what it will have: divide
# by that.

# %%
def adam_update(gradients, beta1, beta2):
    """The last update, before the learning rate, after all `gradients` of one parameter (the newest is the last)."""
    m = v = 0.0
    for g in gradients:
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
    t = len(gradients)
    return -m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t))


check("8.2", adam_update)

# %% [markdown]
# ## 8.3 Through the unroll
#
# Each step multiplies $\theta$ by $1 - ah$, so $\theta_T = \theta_0 (1 - ah)^T$ and
#
# $$\frac{d}{da}\, \frac h2 \theta_0^2 (1 - ah)^{2T} = -T h^2 \theta_0^2 (1 - ah)^{2T - 1}$$

# %%
def meta_gradient(a, h, theta, T):
    """d(h/2 theta_T**2)/da, where theta is the parameter at the start."""
    return -T * h**2 * theta**2 * (1 - a * h) ** (2 * T - 1)


check("8.3", meta_gradient)

# %% [markdown]
# ## 8.4 How far back a rule looks

# %%
def mean_lag(sensitivities):
    """The temporal perception field of an array of derivatives, the newest gradient's first."""
    size = np.abs(sensitivities)
    return np.sum(np.arange(len(size)) * size) / np.sum(size)


check("8.4", mean_lag)

# %% [markdown]
# ## 8.5 The knee
#
# First the best R2, then all that are near it, then the shortest of these.

# %%
def knee(complexity, r2):
    """The mapping complexity, from arrays of complexities and of R2 on held-out optimizees."""
    return int(complexity[r2 >= r2.max() - 0.01].min())


check("8.5", knee)

# %%
progress(8)
