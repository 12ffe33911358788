"""Peak memory of a fit on a long table: ``python tests/benchmarks/memory.py``.

The peak is the largest resident set of the process so far, of which the table is a part; what Python and the imports
take is told apart.
"""

import argparse
import resource
import sys
import time


def peak():
    """The largest resident set so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30.0, help="time limit of the fit (default: 30)")
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()

    import numpy as np

    from srlib import EvolutionRegressor

    imported = peak()
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 2, (chosen.rows, chosen.features))  # (rows, features)
    y = 2.5 * np.cos(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.standard_normal(chosen.rows)
    with_data = peak()
    began = time.perf_counter()
    model = EvolutionRegressor(
        unary_operators=["sin", "cos", "exp", "log"],
        niterations=10**6,
        time_limit=chosen.seconds,
        n_jobs=chosen.threads,
        random_state=0,
    ).fit(X, y)
    seconds = time.perf_counter() - began
    print(f"{chosen.rows:,} rows x {chosen.features} features, {chosen.threads} threads")
    print(f"imports {imported:.0f} MB, with the table of {X.nbytes / 1e6:.0f} MB {with_data:.0f} MB")
    print(f"peak after a fit of {seconds:.1f} s and {model.n_evaluations_:,} evaluations: {peak():.0f} MB")
    print(f"best: {model.best().format(4)}")


if __name__ == "__main__":
    main()
