# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 Evolution on islands: worked answers
#
# The exercises of [lesson 02](../02_evolution.ipynb). Try them there first: a check that says *not yet* teaches more
# than an answer that you have read.
#
# *Runs in about 25 s and 450 MB on 2 cores.*

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

from srlib import EvolutionRegressor, problems, recovers
from srlib.teaching import check, progress

# %% [markdown]
# ## 2.1 The score of a front
#
# Each row is compared with the row before it, so the two lists are walked through in pairs. The loss falls: the
# quotient "before over after" is above 1, and its logarithm positive.

# %%
def scores(complexities, losses):
    """The score of each row; the lists go from the shortest formula to the longest."""
    found = [0.0]
    for k in range(1, len(losses)):
        found.append(math.log(losses[k - 1] / losses[k]) / (complexities[k] - complexities[k - 1]))
    return found


check("2.1", scores)
print([round(one, 6) for one in scores([1, 3, 5, 6], [42.354317, 3.437307, 3.358285, 1.368308])])

# %% [markdown]
# Common mistakes: the sign; log10; no division by the additional nodes, which makes long jumps look good.
#
# ## 2.2 The complexities behind the printed scores
#
# Solve the definition for the difference, $C_i - C_{i-1} = \ln(\text{loss}_{i-1}/\text{loss}_i)/\text{score}_i$,
# round it, and add it to the complexity of the row before.

# %%
def true_complexities(losses, scores):
    """The complexity of each row, whole numbers; the first row is a formula of one node."""
    found = [1]
    for k in range(1, len(losses)):
        found.append(found[-1] + round(math.log(losses[k - 1] / losses[k]) / scores[k]))
    return found


check("2.2", true_complexities)
print(true_complexities([42.354317, 3.437307, 3.358285, 1.368308], [0, 1.255691, 0.011629, 0.897855]))

# %% [markdown]
# The printed table has the formulas of 1, 3, 5 and 6 nodes beside the numbers 0, 1, 3 and 5. Rounding each step (and
# not only the sum) keeps the small errors of printed losses from adding up.
#
# ## 2.3 Accept or reject?
#
# A child that is no worse is accepted. A worse one has the probability $\exp(-\Delta/\alpha T)$; at $T = 0$ that is its
# limit, 0.

# %%
def p_accept(old, new, T, alpha):
    """The probability that a child with loss `new` of a parent with loss `old` is accepted at temperature `T`."""
    if new <= old:
        return 1.0
    return math.exp(-(new - old) / (alpha * T)) if T > 0 else 0.0


check("2.3", p_accept)
print({T: round(p_accept(1.0, 1.1, T, 0.1), 5) for T in (1.0, 0.5, 0.1)})

# %% [markdown]
# The sentence of document 002 calls $\exp((L_F - L_E)/\alpha T)$ the probability of *rejection*. For a worse child
# (with losses) it is above 1. The rule of the code has the other sign, and accepts.
#
# ## 2.4 Who wins a tournament
#
# For the $k$-th to win, all $k - 1$ before it must lose their throw, and it must win its own: $p(1-p)^{k-1}$. The
# last one needs no throw.

# %%
def chances(n, p):
    """The probabilities that the fittest, the second, …, the n-th of a tournament wins."""
    return [p * (1 - p) ** k for k in range(n - 1)] + [(1 - p) ** (n - 1)]


check("2.4", chances)
print([round(one, 4) for one in chances(4, 0.9)], "sum", round(sum(chances(4, 0.9)), 12))

# %% [markdown]
# ## 2.5 An operator of your own
#
# From far enough away the law is "one over the distance of two differences".

# %%
operator = "dist(u, v) = sqrt(u*u + v*v)"

check("2.5", operator)

# %% [markdown]
# `1/dist(x - a, y - b)` has nine nodes. One over the distance as an operator, or the squared distance, will do as well.
# Does it help? The same search with the operator, and with `sqrt` and room for 20 nodes in its place:

# %%
from srlib.teaching.exercises.lesson02 import attraction

X, y = attraction()
small = dict(preset="paper", annealing=False, populations=4, population_size=60, ncycles_per_iteration=1000,
             niterations=30)  # fmt: skip
letters = {
    "with the operator": dict(binary_operators=["+", "-", "*", "/", operator], maxsize=12),
    "with sqrt": dict(unary_operators=["sqrt"], maxsize=20),
}
found = {}
for name, options in letters.items():
    runs = [EvolutionRegressor(random_state=seed, **small, **options).fit(X, y) for seed in range(3)]
    found[name] = sum(run.front_[-1].loss < 1e-20 for run in runs)
    print(f"{name:18} {found[name]} of 3 seeds")
assert found["with the operator"] >= 2 > found["with sqrt"]

# %% [markdown]
# ## 2.6 Planck's law, not Wien's
#
# The target of `problems.load("planck")` is the logarithm already. The law needs `log` and `exp`, and 22 nodes.

# %% tags=["nbval-ignore-output"]
planck = problems.load("planck")
for seed in range(5):
    planck_answer = EvolutionRegressor(unary_operators=["log", "exp"], niterations=30, time_limit=60, random_state=seed)
    planck_answer.fit(planck.to_frame(), planck.y)
    row = next((row for row in planck_answer.front_ if recovers(row.expression, planck)), None)
    print("seed", seed, ":", "not found" if row is None else f"{row.complexity:g} nodes, {row.expression.format(4)}")
    if row is not None:
        break

# %%
check("2.6", planck_answer)

# %% [markdown]
# A common mistake is to take the row with the steepest step, or the one with the highest correlation: that is Wien's
# limit. The rows with low frequencies decide, and the longer formula is worth its nodes.

# %%
progress(2)
