# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 What is a force? Worked answers
#
# The exercises of [lesson 07](../07_graph_network_distillation.ipynb). Try them there first: a check that says *not
# yet* teaches more than an answer that you have read.
#
# *Runs in about 5 s and 100 MB on 2 cores.*

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
# ## 7.1 The force of a potential
#
# $F_1 = -\partial U(r)/\partial x_1 = -U'(r)\,\partial r/\partial x_1$, and with $r = |d|$, $d = x_1 - x_2$, the last
# factor is $d/r$: the direction from 2 to 1, of length 1.

# %%
def force(d, slope):
    """The force on particle 1 of each pair, shape (pairs, 2)."""
    r = np.linalg.norm(d, axis=1)
    return -(slope / r)[:, None] * d


check("7.1", force)

# %% [markdown]
# ## 7.2 Energy drift

# %%
def drift(kinetic, potential):
    """How far the energy moves, at the worst moment; arrays of length `times`."""
    energy = kinetic + potential
    return np.max(np.abs(energy - energy[0])) / (kinetic[0] + abs(potential[0]) + 1)


check("7.2", drift)

# %% [markdown]
# ## 7.3 Huber's loss
#
# At $|e| = 1$ both branches are 1/2, and both have the slope 1: there is neither a jump nor a corner.

# %%
def huber(error):
    """The loss of each error."""
    size = np.abs(error)
    return np.where(size < 1, error**2 / 2, size - 0.5)


check("7.3", huber)

# %% [markdown]
# ## 7.4 A network that lies
#
# The sum over the senders is $\sum_j (A F_{ij} + b) = A \sum_j F_{ij} + \text{count}\, b$. Take the offsets away, undo
# $A$, divide by the mass. (Rows are vectors here, so $A^{-1}$ stands transposed, on the right.) As the predictions are
# exact for each invertible $A$ and each $b$, they cannot tell which of them the messages have: a message is a force
# only up to a linear map. The same proof works if $A$ and $b$ depend on the receiver, as long as the node model sees
# what they depend on.

# %%
def node(total, count, m, A, b):
    """The accelerations, shape (particles, 2), of particles whose summed messages are `total`."""
    return (total - count * b) @ np.linalg.inv(A).T / m[:, None]


check("7.4", node)

# %% [markdown]
# ## 7.5 Is the document's formula wrong?
#
# $a_x - a_y = -m_2\,dx/r^2 + m_2\,dy/r^2 = m_2 (dy - dx)/r^2$. It is a linear combination of the acceleration's
# components, as any message is, and so is the document's expectation, $a_x + a_y$.

# %%
alphas = (1, -1)

check("7.5", alphas)

# %% [markdown]
# ## 7.6 A hidden law
#
# The message is $(a\,dx + b\,dy)\,q_1 q_2/r$. Masses do not occur, so it is the force, and a force between charges. The
# vector (dx, dy) has the length r, which takes the r in the denominator away: the size of the force is $q_1 q_2$ at
# each distance.

# %%
law = "q1*q2"

check("7.6", law)

# %%
progress(7)
