"""Raw evaluation speed, in nodes x rows per second and thread: ``python tests/benchmarks/throughput.py``.

srlib's kernels in double and single precision beside Operon (single), gplearn (double) and a formula compiled to numpy
calls (double), in one run, and beside the limits of the machine. Every evaluator gets 25-node formulas of its own
kind; with pyoperon installed srlib also evaluates Operon's very trees, of which a node that is a weighted variable
counts once for both. A peer that is not installed is left out. Seconds are those of the processor.
"""

import argparse
import csv
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec

import numpy as np
from threadpoolctl import threadpool_limits

from srlib import Expression

ALPHABETS = {
    "arithmetic": ("add", "sub", "mul", "div"),
    "transcendental": ("add", "sub", "mul", "div", "sin", "cos", "exp", "log"),
}
NODES, FORMULAS, FEATURES = 25, 1000, 5
REPEATS, SECONDS = 7, 0.3  # median of so many; each at least so long


def srlib_evaluator(expressions, columns, dtype):
    """A function that evaluates all expressions on the columns once, and the values of the last one after a call.

    This is the engine's own inner loop: assemble a program in a workspace, run it over blocks of rows.
    """
    from srlib.kernels.program import alphabet, workspace

    columns = np.ascontiguousarray(columns, dtype)
    codes = np.concatenate([one.codes for one in expressions])
    values = np.concatenate([one.values for one in expressions])
    ends = np.cumsum([one.size for one in expressions])
    letters, work = alphabet(dtype), workspace(columns, 4 * max(one.size for one in expressions), dtype)
    y = np.empty(columns.shape[1], dtype)
    evaluate_all = srlib_loop()
    return lambda: evaluate_all(codes, values, ends, letters, work, y), y


@cache
def srlib_loop():
    """The compiled loop over formulas that lie one behind the other."""
    import numba

    from srlib.kernels.evaluate import values_of
    from srlib.kernels.program import assemble

    @numba.njit(nogil=True)
    def evaluate_all(codes, values, ends, letters, work, y):
        start = 0
        for end in ends:
            length = assemble(codes[start:end], values[start:end], end - start, letters, work)
            values_of(length, letters, work, y)
            start = end

    return evaluate_all


# ---------------------------------------------------------------- formulas


def table(rows, rng):
    """Columns on which random formulas rarely leave their domain, shape (features, rows)."""
    return rng.uniform(0.5, 2, (FEATURES, rows))


def random_formula(names, nodes, rng):
    """A random formula of so many nodes, an odd number if all operators are binary; a fifth of its leaves constants."""
    if nodes == 1:
        leaf = Expression.variable(int(rng.integers(FEATURES)))
        return leaf if rng.random() < 0.8 else Expression.constant(float(rng.uniform(0.5, 2)))
    unary = [name for name in names if name not in ALPHABETS["arithmetic"]]
    name = str(rng.choice(names if nodes > 2 else unary))
    if name in unary:
        return Expression.apply(name, random_formula(names, nodes - 1, rng))
    left = int(rng.integers(1, nodes - 1)) if unary else 1 + 2 * int(rng.integers((nodes - 1) // 2))
    return Expression.apply(name, random_formula(names, left, rng), random_formula(names, nodes - 1 - left, rng))


def seconds_of(call):
    """The median time of one call, of the processor for all threads together: other programs do not disturb it much."""
    call()
    began = time.process_time()
    call()
    times = max(1, round(SECONDS / max(time.process_time() - began, 1e-6)))
    measured = []
    for _ in range(REPEATS):
        began = time.process_time()
        for _ in range(times):
            call()
        measured.append((time.process_time() - began) / times)
    return statistics.median(measured)


def in_threads(calls):
    """The median time of one of several calls that run side by side, one per thread."""
    if len(calls) == 1:
        return seconds_of(calls[0])
    with ThreadPoolExecutor(len(calls)) as pool:
        return seconds_of(lambda: list(pool.map(lambda call: call(), calls))) / len(calls)


# ---------------------------------------------------------------- evaluators: node-rows per second and thread


def srlib(expressions, columns, dtype, threads, nodes=None):
    """srlib's kernels; each thread evaluates all formulas. NaN where the kernels give wrong values."""
    evaluators = [srlib_evaluator(expressions, columns, dtype) for _ in range(threads)]
    call, y = evaluators[0]
    call()
    known = expressions[-1].evaluate(columns.T)
    ok = np.isfinite(known) & (np.abs(known) < 1e6)
    if dtype == np.float32:  # a rounded number may become a large angle: a few rows may be far off
        right = np.isclose(y[ok], known[ok], rtol=1e-3).mean() > 0.99
    else:
        right = np.allclose(y[ok], known[ok], rtol=1e-9)
    if not right:
        return float("nan")
    total = (nodes or sum(one.size for one in expressions)) * columns.shape[1]
    return total / in_threads([call for call, _ in evaluators])


def operon_trees(columns, names):
    """Operon's data set and a thousand of its balanced trees of 25 nodes, with random weights."""
    import pyoperon
    from pyoperon.sklearn import SymbolicRegressor

    X = columns.T
    data = pyoperon.Dataset(np.asfortranarray(np.column_stack((X, X[:, 0]))))
    inputs = sorted(data.Variables, key=lambda variable: variable.Index)[:-1]
    problem = pyoperon.Problem(data)
    problem.Target = max(data.Variables, key=lambda variable: variable.Index)
    problem.InputHashes = [variable.Hash for variable in inputs]
    problem.TrainingRange, problem.TestRange = pyoperon.Range(0, len(X)), pyoperon.Range(len(X) - 1, len(X))
    symbols = ",".join((*names, "constant", "variable"))
    problem.ConfigurePrimitiveSet(SymbolicRegressor._init_primitive_config(symbols))
    alphabet, hashes = problem.PrimitiveSet, problem.InputHashes  # pyoperon's objects do not keep what they use
    creator = pyoperon.BalancedTreeCreator(alphabet, hashes, 0.0)
    initialise, weights = pyoperon.UniformLengthTreeInitializer(creator), pyoperon.NormalCoefficientInitializer()
    initialise.ParameterizeDistribution(NODES, NODES)
    initialise.MinDepth, initialise.MaxDepth = 1, 1000
    weights.ParameterizeDistribution(0, 1)
    random, trees = pyoperon.RandomGenerator(np.uint64(1)), []
    for _ in range(FORMULAS):
        trees.append(initialise(random))
        weights(random, trees[-1])
    return data, trees


def operon(data, trees, rows, threads):
    """Operon's EvaluateTrees, which shares the trees among the threads."""
    import pyoperon

    values = np.zeros(len(trees) * rows, np.float32)
    nodes = sum(tree.Length for tree in trees)
    seconds = seconds_of(lambda: pyoperon.EvaluateTrees(trees, data, pyoperon.Range(0, rows), values, threads))
    return nodes * rows / seconds


def gplearn(columns, names):
    """gplearn's programs, each executed by itself; it has no exp."""
    from gplearn.genetic import SymbolicRegressor

    X = columns.T.copy()
    functions = [name for name in names if name != "exp"]
    model = SymbolicRegressor(
        population_size=300,
        generations=1,
        function_set=functions,
        init_depth=(4, 5),
        init_method="grow",
        random_state=0,
    ).fit(X[:20], X[:20, 0] + np.sin(X[:20, 1]))
    programs = model._programs[-1]

    def call():
        for program in programs:
            program.execute(X)

    return sum(program.length_ for program in programs) * len(X) / seconds_of(call)


def numpy_calls(columns, names, rng):
    """One formula of 25 nodes as Python compiles it: a numpy call for each node, and no interpreter's cost."""
    formula = next(one for one in iter(lambda: random_formula(names, NODES, rng), None) if len(one.constants) < 5)
    scope = {"np": np}
    exec(formula.numpy_source("formula"), scope)  # text that srlib itself wrote
    arguments = [columns[j] for j in range(FEATURES)]
    wanted = scope["formula"].__code__.co_argcount
    call = (lambda: scope["formula"](*arguments[:wanted])) if wanted > 1 else lambda: scope["formula"](arguments[0])
    with np.errstate(all="ignore"):
        return formula.size * columns.shape[1] / seconds_of(call)


# ---------------------------------------------------------------- the machine's limits


def limits():
    """What this machine can do at most, on one thread: (what, value, unit)."""
    import numba

    @numba.njit(nogil=True, fastmath=True)
    def blocks(a, b, c, times):
        for _ in range(times):
            for k in range(len(c)):
                c[k] = a[k] * c[k] + b[k]

    big, other = np.ones(2**24), np.empty(2**24)  # 128 MB each, far beyond the caches
    yield "memory, copy", 16 * len(big) / seconds_of(lambda: np.copyto(other, big)) / 1e9, "GB/s"
    third = np.ones(2**24)
    yield "memory, a + b -> c", 24 * len(big) / seconds_of(lambda: np.add(big, third, out=other)) / 1e9, "GB/s"
    for dtype in (np.float64, np.float32):
        a = np.random.default_rng(0).random((1024, 1024)).astype(dtype)
        name = np.dtype(dtype).name
        yield f"arithmetic, matrix product, {name}", 2 * 1024**3 / seconds_of(lambda a=a: a @ a) / 1e9, "Gflop/s"

        a, b, c = (np.full(512, 0.5, dtype) for _ in range(3))
        seconds = seconds_of(lambda a=a, b=b, c=c: blocks(a, b, c, 10_000))
        yield (
            f"a*c + b -> c in first-level cache, {name}",
            512 * 10_000 / seconds / 1e9,
            "G rows/s, two operations each",
        )


def measure(rows, threads):
    """(evaluator, alphabet, rows, threads, node-rows per second and thread) of everything that is installed."""
    rng = np.random.default_rng(0)
    for alphabet, names in ALPHABETS.items():
        columns = table(rows, rng)
        formulas = [random_formula(names, NODES, rng) for _ in range(FORMULAS)]
        for count in threads:
            for dtype in (np.float64, np.float32):
                yield f"srlib {np.dtype(dtype).name}", alphabet, rows, count, srlib(formulas, columns, dtype, count)
        if find_spec("pyoperon"):
            from srlib.compare.operon import to_expression

            data, trees = operon_trees(columns, names)
            features = {variable.Hash: variable.Index for variable in data.Variables}
            same = [to_expression(tree, features) for tree in trees]
            nodes = sum(tree.Length for tree in trees)
            for count in threads:
                yield "operon float32", alphabet, rows, count, operon(data, trees, rows, count)
                for dtype in (np.float64, np.float32):
                    value = srlib(same, columns, dtype, count, nodes)
                    yield f"srlib {np.dtype(dtype).name}, Operon's trees", alphabet, rows, count, value
        if find_spec("gplearn"):
            yield "gplearn float64", alphabet, rows, 1, gplearn(columns, names)
        yield "numpy calls float64", alphabet, rows, 1, numpy_calls(columns, names, rng)


def main():
    """Measure and print; with --out also write a CSV file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1000, 10_000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", help="a CSV file")
    chosen = parser.parse_args()
    found = []
    with threadpool_limits(1):  # of numpy's linear algebra
        for what, value, unit in limits():
            print(f"limit: {what}: {value:.3g} {unit}", flush=True)
        for rows in chosen.rows:
            for row in measure(rows, chosen.threads):
                found.append(row)
                print(f"{row[0]:32} {row[1]:15} {row[2]:6} rows {row[3]} threads {row[4]:10.3g}", flush=True)
    if chosen.out:
        with open(chosen.out, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["evaluator", "alphabet", "rows", "threads", "node_rows_per_second_and_thread"])
            writer.writerows([*row[:4], f"{row[4]:.4g}"] for row in found)


if __name__ == "__main__":
    main()
