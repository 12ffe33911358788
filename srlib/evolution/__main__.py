"""Compile all kernels once, for images of machines and hubs: ``python -m srlib.evolution``.

That is the engine of the evolution, and the fit of many formulas that GMEQLRegressor needs.
"""

import time

from ..kernels.many import compile_many
from .warm import compile_engine

if __name__ == "__main__":
    began = time.perf_counter()
    compile_engine(print)
    compile_many(print)
    print(f"ready after {time.perf_counter() - began:.1f} s; the next process needs a second or two")
