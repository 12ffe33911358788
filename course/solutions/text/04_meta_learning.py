# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 Meta-learning: worked answers
#
# The exercises of [lesson 04](../04_meta_learning.ipynb). Try them there first: a check that says *not yet* teaches
# more than an answer that you have read.
#
# *Runs in about 10 s and 450 MB on 2 cores.*

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
import math

import numpy as np
import torch

from srlib.meta import FlatModel, Tasks, WavesAndExponentials, meta_gradient
from srlib.teaching import check, progress

# %% [markdown]
# ## 4.1 Adapted parameters
#
# The error of a task is the mean of $(wx - y)^2$, and its slope by $w$ is $2\,\text{mean}\big((wx - y)\,x\big)$. The
# tasks are rows, so the mean is taken along axis 1.

# %%
def adapted(w, x, y, rate):
    """w is a number; x and y have the shape (tasks, points). Return an array (tasks,)."""
    return w - rate * 2 * np.mean((w * x - y) * x, axis=1)


check("4.1", adapted)

# %% [markdown]
# ## 4.2 The meta-gradient of a line
#
# With $L(w') = \text{mean}\big((w'x_q - y_q)^2\big)$ and $w' = w - \alpha\,(h w - 2\,\text{mean}(xy))$,
# $h = 2\,\text{mean}(x^2)$, the chain rule gives
#
# $$\frac{dL}{dw} = 2\,\text{mean}\big((w'x_q - y_q)\,x_q\big) \cdot (1 - \alpha h)$$
#
# for each task. $h$ is the second derivative of the support error.

# %%
def meta_slope(w, x, y, x_query, y_query, rate):
    """All arrays have the shape (tasks, points). Return a number."""
    new = adapted(w, x, y, rate)[:, None]
    h = 2 * np.mean(x * x, axis=1)
    return np.mean(2 * np.mean((new * x_query - y_query) * x_query, axis=1) * (1 - rate * h))


check("4.2", meta_slope)
rng = np.random.default_rng(0)
x, x_query = rng.uniform(-1, 1, (2, 3, 5))
slopes = rng.uniform(-2, 2, (3, 1))
tasks = Tasks(*(torch.from_numpy(one)[:, :, None] for one in (x, slopes * x, x_query, slopes * x_query)))
line = FlatModel(torch.nn.Linear(1, 1, bias=False, dtype=torch.float64))
by_theta, *_ = meta_gradient(line, torch.tensor([0.5], dtype=torch.float64), tasks, rate=0.3)
by_hand = meta_slope(0.5, x, slopes * x, x_query, slopes * x_query, 0.3)
print("autograd agrees:", np.isclose(by_theta.mean().item(), by_hand))

# %% [markdown]
# ## 4.3 What predicting zero scores
#
# A wave's mean square is ½. For an exponential $E(ae^x + be^{-x})^2 = (E a^2 + E b^2)\,\tfrac{\sinh 2}{2} + 2\,E a\,E
# b$. Inside, $E a^2 = \tfrac13$ and $E a = 0$; outside $E a^2 = \tfrac73$ and $E a = \tfrac32$. Half of the tasks are
# of each kind.

# %%
growth = math.sinh(2) / 2
zero = (1 / 2 + 2 / 3 * growth) / 2, (1 / 2 + 14 / 3 * growth + 2 * 1.5 * 1.5) / 2

check("4.3", zero)
for name, family in (("inside", WavesAndExponentials()), ("outside", WavesAndExponentials().out_of_domain())):
    print(f"{name}: {family.zero_error():.3f}, and of 5000 drawn tasks {family.sample(5000).zero_errors().mean():.1f}")

# %% [markdown]
# Inside, 0.68 and 0.72 are hardly better than 0.853. Outside, joint training's 6.75 is zero's 6.73, and MAML's 8.76 is
# worse. Whatever these numbers are, they show no learning outside.
#
# ## 4.4 What a leaky choice gains

# %%
def gain(errors):
    """errors has the shape (candidates, tasks), an even number of tasks. Return a number."""
    half = errors.shape[1] // 2
    choose, judge = errors[:, :half].mean(axis=1), errors[:, half:].mean(axis=1)
    return judge[np.argmin(choose)] - judge.min()


if check("4.4", gain) == "correct":
    same = np.random.default_rng(0).exponential(size=(200, 40, 20))  # candidates none of which is better
    for candidates in (2, 10, 40):
        gains = [gain(errors[:candidates]) for errors in same]
        print(f"{candidates:2} equal candidates: the leaky error is lower by {np.mean(gains):.2f} of 1, on average")

# %% [markdown]
# No candidate is better than another, and yet the leaky number improves with each that is tried.
#
# ## 4.5 An oscillator's kind
#
# Divide Newton's law by $m$ and compare: $\omega_0^2 = k/m$ and $2\zeta\omega_0 = c/m$.

# %%
def oscillator_kind(m, c, k):
    """Return zeta, omega_0 and the kind, for mass m, friction c and stiffness k."""
    omega = math.sqrt(k / m)
    zeta = c / (2 * m * omega)
    return zeta, omega, "under" if zeta < 1 else "critical" if zeta == 1 else "over"


check("4.5", oscillator_kind)

# %%
progress(4)
