# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 Start here: worked answers
#
# The exercises of [lesson 00](../00_start_here.ipynb). Try them there first: a check that says *not yet* teaches more
# than an answer that you have read.
#
# *Runs in about 5 s and 150 MB on 2 cores.*

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

from srlib import Expression
from srlib.teaching import check, figure, progress, show

# %% [markdown]
# ## 0.1 A typical error
#
# The root of the mean of the squared differences. From the inside out: difference, square, mean, root.


# %%
def rms(model, truth):
    return np.sqrt(np.mean((model - truth) ** 2))


check("0.1", rms)

# %% [markdown]
# Squares keep a point that is too high from cancelling one that is too low. The mean makes the number independent of
# how many points there are, and the root gives it the unit of $y$ again.

# %% [markdown]
# ## 0.2 The value of a tree
#
# Go from the leaves upwards. $X/11$ is $1$, so the left branch is $2.2 - 1 = 1.2$. The cosine of $\pi$ is $-1$, so
# the right branch is $7 \cdot (-1) = -7$. The plus at the top makes $1.2 - 7$.

# %%
value = 1.2 - 7

check("0.2", value)

# %% [markdown]
# The same on the tree, with the value of each node:

# %%
tree = Expression.parse("(2.2 - X/11) + 7*cos(Y)", names=["X", "Y"])
for node in range(tree.size):
    part = tree.subtree(node)
    print(f"{part.format(3):>20} = {part.evaluate([[11.0, np.pi]])[0]:.1f}")

fig, ax = figure(6, 4)
tree.draw(ax, numbers=True)
show(fig, "The tree of the exercise; small numbers count its nodes in the order of the lines above, children first.")

# %% [markdown]
# ## 0.3 A formula that is not one
#
# `2*sin(x0) + 3x0^2)` has two slips: between `3` and `x0` the `*` is missing, and the last bracket was never opened.
# The parser reports one at a time.

# %%
mended = "2*sin(x0) + 3*x0^2"

check("0.3", mended)

# %% [markdown]
# `^` and `**` both mean a power, and a power binds more tightly than a product: `3*x0^2` is three times the square,
# while `(3*x0)^2` is nine times the square.

# %% [markdown]
# ## 0.4 A constant with a unit
#
# A galaxy at distance $D$ with speed $v$ has needed the time $D/v = D/(H_0 D) = 1/H_0$, whatever its distance. That
# is why they all could have been in one place at the same time. In numbers:
#
# $$\frac{1}{475.3\ \text{km/s per Mpc}} \cdot 3.086 \cdot 10^{19}\ \frac{\text{km}}{\text{Mpc}}
# = 6.5 \cdot 10^{16}\ \text{s} = 2.1\ \text{billion years}.$$

# %%
seconds = 3.086e19 / 475.3
billions_of_years = seconds / 3.156e16
print(f"{billions_of_years:.1f} billion years")

check("0.4", billions_of_years)

# %% [markdown]
# The oldest rocks on Earth are about 4 billion years old, so the universe would be younger than its stones. The form
# of the law was right and its constant wrong by a factor of about seven: the distances had been taken too small.

# %%
progress(0)
