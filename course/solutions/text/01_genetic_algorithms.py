# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 Evolve a formula: worked answers
#
# The exercises of [lesson 01](../01_genetic_algorithms.ipynb). Try them there first: a check that says *not yet*
# teaches more than an answer that you have read.
#
# *Runs in about 5 s and 200 MB on 2 cores.*

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
from copy import deepcopy
from random import Random

import numpy as np

from srlib import problems
from srlib.genetic import Fitness
from srlib.teaching import check, progress

# %% [markdown]
# ## 1.1 The complexity of a tree
#
# A tree is a leaf, or an operator over smaller trees. The function follows that sentence: a leaf counts 1, anything
# else 1 for its operator and what its arguments count.


# %%
def complexity(tree):
    """The number of nodes of a nested list."""
    if not isinstance(tree, list):
        return 1
    return 1 + sum(complexity(argument) for argument in tree[1:])


print(complexity(["+", ["*", 1.15, "y"], 0.86]), "nodes in 1.15*y + 0.86")
check("1.1", complexity)

# %% [markdown]
# Common mistakes: leaves only (3 here, not 5), operators only (2), levels instead of nodes (3).
#
# ## 1.2 Crossover that leaves the parents alone
#
# Take both subtrees out first, as copies; then put each into a copy of the other parent. An empty place is the whole
# tree, for which there is no list to change, so `planted` treats it apart.


# %%
def part(tree, place):
    """The subtree at a place."""
    for position in place:
        tree = tree[position]
    return tree


def planted(tree, place, new):
    """A copy of the tree with `new` at the place."""
    if not place:
        return deepcopy(new)
    tree = deepcopy(tree)
    part(tree, place[:-1])[place[-1]] = deepcopy(new)
    return tree


def swap(mother, at, father, to):
    """Two children: the subtree of `mother` at place `at` and that of `father` at `to` change places."""
    return planted(mother, at, part(father, to)), planted(father, to, part(mother, at))


for child in swap(["+", ["*", 1.15, "y"], 0.86], [1], ["^", "x", "x"], [1]):
    print(child)
check("1.2", swap)

# %% [markdown]
# A common mistake: `mother[1] = father[1]` changes the mother herself, and from then on she and the father share a
# branch. A shallow copy, `list(mother)`, only moves the accident one level down.
#
# ## 1.3 A parsimony that lets the law win
#
# Two inequalities. The law (6 nodes) beats the long formula (21 nodes) when 15 more nodes cost more than the error they
# save, and it beats the short one (5 nodes) when its one more node costs less than what it saves.

# %%
from srlib.teaching.exercises.lesson01 import candidates

kepler = problems.load("kepler")
judge = Fitness(kepler.X, kepler.y, parsimony=0.0)
short, law, long = ((one.size, judge.of(one)) for one in candidates())
low = (law[1] - long[1]) / (long[0] - law[0])
high = (short[1] - law[1]) / (law[0] - short[0])
print(f"from {low:.1e} to {high:.1e}")

parsimony = 0.01
assert low < parsimony < high
check("1.3", parsimony)

# %% [markdown]
# The range is three powers of ten wide, because the law stands apart from what is shorter and from what is longer. The
# formulas of another front may have a narrow range or none.
#
# ## 1.4 Division that admits it has no value
#
# `numpy.where` chooses row by row. It computes both sides in all rows first, so the division must be silenced.


# %%
def divide(a, b):
    """a/b row by row; NaN where there is no quotient, without any warning."""
    with np.errstate(all="ignore"):
        return np.where(b == 0, np.nan, a / b)


print(divide(np.array([6.0, 1.0, 0.0]), np.array([3.0, 0.0, 0.0])))
check("1.4", divide)

# %% [markdown]
# A threshold, as in `abs(b) > 0.001`, throws away good rows: 3/0.0001 is 30000 and nothing else.
#
# ## 1.5 The chance that the best one wins
#
# The best one wins whenever it takes part. One draw misses it with probability $1 - 1/n$, all $s$ draws with
# $(1 - 1/n)^s$, since nobody is taken out between the draws. For $s = 1$ that leaves $1/n$: no preference at all.


# %%
def p_best_wins(n, s):
    """The probability that the best of `n` wins one tournament of size `s`."""
    return 1 - (1 - 1 / n) ** s


rng = Random(0)
seen = np.mean([0 in rng.choices(range(200), k=7) for _ in range(20_000)])
print(f"by the formula {p_best_wins(200, 7):.3f}, in 20000 tournaments {seen:.3f}")
assert abs(seen - p_best_wins(200, 7)) < 0.005
check("1.5", p_best_wins)

# %%
progress(1)
