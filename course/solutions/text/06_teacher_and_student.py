# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 Teacher and student: worked answers
#
# The exercises of [lesson 06](../06_teacher_and_student.ipynb). Try them there first: a check that says *not yet*
# teaches more than an answer that you have read.
#
# *Runs in about 15 s and 400 MB on 2 cores.*

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
import sympy
import torch

from srlib.teaching import check, progress

# %% [markdown]
# ## 6.1 Noise on the answers
#
# One size for all answers, a share of their spread; and from the generator that is given, so that a run can be
# repeated.

# %%
def with_noise(y, share, rng):
    """The answers `y` with Gaussian noise; `rng` is a numpy Generator."""
    return y + share * y.std() * rng.standard_normal(len(y))


check("6.1", with_noise)

# %% [markdown]
# ## 6.2 The steepness of the shock
#
# With $T = \tanh kx$ is $T' = k(1 - T^2)$. So $u = -A T$ has $u' = -A k (1 - T^2)$ and $u'' = 2 A k^2\, T (1 - T^2)$.
# The equation $u u' = \nu u''$ becomes $A^2 k\, T (1 - T^2) = 2 \nu A k^2\, T (1 - T^2)$, and $k = A/(2\nu)$. sympy
# agrees:

# %%
def steepness(A, nu):
    """The k for which u = -A tanh(k x) solves u u' = nu u''."""
    return A / (2 * nu)


x, A, nu = sympy.symbols("x A nu", positive=True)
u = -A * sympy.tanh(steepness(A, nu) * x)
print("what is left:", sympy.simplify(u * u.diff(x) - nu * u.diff(x, 2)))
check("6.2", steepness)

# %% [markdown]
# ## 6.3 Taylor's polynomial
#
# $3 (x - x^3/6 + x^5/120) - x/2$.

# %%
taylor = (3 - 1 / 2, -3 / 6, 3 / 120)

check("6.3", taylor)

# %% [markdown]
# How far one can go: a polynomial of degree 5 fitted by least squares on all of $[-\pi, \pi]$ has other coefficients,
# and there a smaller error. At 0 Taylor's wins.

# %%
at = np.linspace(-np.pi, np.pi, 201)
law = 3 * np.sin(at) - at / 2
powers = np.stack([at, at**3, at**5], axis=1)
fitted = np.linalg.lstsq(powers, law, rcond=None)[0]
for name, c in (("Taylor", np.array(taylor)), ("least squares", fitted)):
    wrong = np.abs(powers @ c - law)
    print(f"{name:14} {c.round(4)}  largest error {wrong.max():.3f}, for |x| < 0.5 {wrong[np.abs(at) < 0.5].max():.6f}")

# %% [markdown]
# ## 6.4 The residual of Burgers' equation
#
# The sum over the rows is differentiated: a row depends on its own point only, so each row gets its own derivative.
# `create_graph=True` keeps the way back to the network.

# %%
def residual(network, points, nu):
    """u_t + u u_x - nu u_xx at each point, shape (rows,)."""
    u = network(points)
    first = torch.autograd.grad(u.sum(), points, create_graph=True)[0]  # (rows, 2): u_x and u_t
    second = torch.autograd.grad(first[:, 0].sum(), points, create_graph=True)[0]  # (rows, 2): u_xx and u_xt
    return first[:, 1] + u * first[:, 0] - nu * second[:, 0]


check("6.4", residual)

# %% [markdown]
# ## 6.5 What is left of the equation

# %%
def left_over(formula, x):
    """What u'' + u = -x/2 leaves when `formula`, an expression in the symbol `x`, is put in for u."""
    return formula.diff(x, 2) + formula + x / 2


check("6.5", left_over)

# %%
X = sympy.Symbol("x")
print("law:            ", left_over(3 * sympy.sin(X) - X / 2, X))
print("nearly the law: ", left_over(3 * sympy.sin(1.001 * X) - X / 2, X))

# %%
progress(6)
