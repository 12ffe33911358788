"""An evolution engine that needs no time: it is told which formulas come to its front, one per iteration."""

import pytest

import srlib
from srlib import Expression, ParetoFront
from srlib.events import Finished, Heartbeat, Iteration


class Fake:
    """Stands in for EvolutionRegressor; `texts` come to the front one by one, ten seconds apart."""

    texts: list[str] = []
    made: list[dict] = []
    details: dict = {}
    names = None

    def __init__(self, *, callbacks=(), **options):
        self.callbacks, self.options = callbacks, options
        Fake.made.append(options)

    def fit(self, X, y):
        self.front_, self.steps = ParetoFront(), 0
        names = Fake.names or [f"x{j}" for j in range(X.shape[1])]
        for number, text in enumerate(Fake.texts, start=1):
            formula = Expression.parse(text, names=names)
            self.front_.add(formula, float(((formula.evaluate(X) - y) ** 2).mean()))
            seen = Iteration(number, None, 10.0 * number, 100 * number, self.front_.copy(), Fake.details)
            self.steps = number
            if any([callback(event) for callback in self.callbacks for event in (Heartbeat(0.0, 0), seen)]):
                break
        for callback in self.callbacks:
            callback(Finished("completed", 10.0 * self.steps, 100 * self.steps, self.front_.copy()))
        return self

    def best(self):
        return self.front_[-1].expression


@pytest.fixture
def engine(monkeypatch):
    monkeypatch.setattr(srlib, "EvolutionRegressor", Fake, raising=False)
    from srlib.compare import laws, peers, scaling

    for module in (laws, peers, scaling):
        monkeypatch.setattr(module, "compile_kernels", lambda: None)
    Fake.texts, Fake.made, Fake.details, Fake.names = [], [], {}, None
    return Fake
