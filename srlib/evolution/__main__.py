"""Compile the engine once, for images of machines and hubs: ``python -m srlib.evolution``."""

import time

from .warm import compile_engine

if __name__ == "__main__":
    began = time.perf_counter()
    compile_engine(print)
    print(f"ready after {time.perf_counter() - began:.1f} s; the next process needs a second or two")
