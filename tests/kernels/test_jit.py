"""How kernels are compiled: for Python and for one another, kept on disk, and given up when the source is newer."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core.caching import FunctionCache

from srlib.kernels import jit
from srlib.kernels.jit import allocating, forget_stale, kernel, reduction

pytestmark = pytest.mark.skipif(not jit.COMPILED, reason="nothing is compiled")

PROGRAM = """
import sys
from srlib.kernels.jit import forget_stale, kernel

def plain(x):
    return 2.0 * x

print(forget_stale(plain))
print(kernel(plain)(21.0))
print("numba.np.linalg" in sys.modules)  # one of all that numba can compile
"""


@kernel
def twice(x):
    """Two of it."""
    return 2 * x


@allocating
def squares(n):
    table = np.zeros(n)
    for k in range(n):
        table[k] = twice(k) * twice(k) / 4
    return table


@reduction
def total(numbers):
    result = 0.0
    for k in range(len(numbers)):
        result += numbers[k]
    return result


@kernel
def chain(numbers):
    return twice(twice(total(numbers)))


def test_kernels_call_one_another_and_are_called():
    assert twice(3) == 6 and twice(1.5) == 3.0
    assert squares(4).tolist() == [0, 1, 4, 9]
    assert chain(np.array([1.0, 2.0])) == 12.0
    assert twice.__doc__ == "Two of it." and twice.__name__ == "twice"


def test_a_kernel_without_arrays_of_its_own_may_not_make_any():
    @kernel
    def wrong(n):
        return np.zeros(n)[0]

    with pytest.raises(Exception, match="(?s)NRT|zeros"):
        wrong(3)


def test_without_numbas_inner_parts_the_usual_compiler_is_used(monkeypatch):
    monkeypatch.setattr(jit, "InnerCompiler", None)

    @kernel
    def inner(x):
        return x + 1

    @kernel
    def outer(x):
        return 10 * inner(x)

    assert outer(1) == 20


def test_what_was_compiled_of_an_older_source_is_dropped(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}

    def run():
        done = subprocess.run([sys.executable, str(file)], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert run() == ["False", "42.0", "True"]
    assert run() == ["True", "42.0", "False"]  # what is on disk needs no compiler
    for index in (tmp_path / "cache").rglob("*.nbi"):
        os.utime(index, (1e9, 1e9))  # made in 2001, before any kernel was written
    assert run() == ["False", "42.0", "True"]
    assert run() == ["True", "42.0", "False"]


def test_no_place_for_a_cache_is_no_error():
    function = eval("lambda x: x")  # of no file
    with pytest.raises(RuntimeError):
        FunctionCache(function)
    assert forget_stale(function) is False
