"""srlib: symbolic regression, small but complete.

Symbolic regression finds a formula where other methods fit a black box. Start with an estimator::

    from srlib import EvolutionRegressor, problems

    kepler = problems.load("kepler")
    model = EvolutionRegressor(unary_operators=["sqrt"], random_state=0).fit(kepler.X, kepler.y)
    print(model.equations_)

The names below are loaded when they are first used, so ``import srlib`` is quick.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "EQLRegressor": "eql",
    "EvolutionRegressor": "evolution",
    "Expression": "expression",
    "GMEQLRegressor": "gmeql",
    "GeneticRegressor": "genetic",
    "Operator": "operators",
    "ParetoFront": "front",
    "ParseError": "expression",
    "Problem": "problems",
    "ProgressBar": "events",
    "Recorder": "events",
    "Recovery": "metrics",
    "SymbolicRegressor": "estimator",
    "polish": "polish",
    "readable": "readable",
    "recovers": "metrics",
    "refit": "constants",
    "standard_errors": "constants",
}
_MODULES = (
    "compare", "constants", "dimensions", "distill", "eql", "estimator", "events", "evolution", "expression", "front",
    "functions", "genetic", "gmeql", "kernels", "meta", "metrics", "operators", "problems", "units",
)  # fmt: skip

__all__ = ["__version__", *sorted(_HOMES), *_MODULES]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module 'srlib' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
