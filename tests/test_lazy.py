"""Modules that are loaded when they are needed."""

import subprocess
import sys

import pytest

from srlib.lazy import postponed

HEAVY = {"pandas", "scipy.stats", "sympy", "torch", "matplotlib"}


def output_of(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that notes how often it is loaded."""
    (tmp_path / "srlib_test_heavy.py").write_text("import builtins\nbuiltins.srlib_loads += 1\nANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("builtins.srlib_loads", 0, raising=False)
    yield "srlib_test_heavy"
    sys.modules.pop("srlib_test_heavy", None)


def loads():
    import builtins

    return builtins.srlib_loads


def test_a_postponed_module_is_loaded_once_when_it_is_used(module):
    with postponed(module):
        import srlib_test_heavy as stand_in
    assert loads() == 0 and module not in sys.modules
    assert stand_in.ANSWER == 42 and loads() == 1
    import srlib_test_heavy

    assert srlib_test_heavy.ANSWER == stand_in.ANSWER == 42 and loads() == 1
    assert srlib_test_heavy is sys.modules[module] is not stand_in


def test_it_may_be_used_at_once(module):
    with postponed(module):
        from srlib_test_heavy import ANSWER
    assert ANSWER == 42 and loads() == 1 and sys.modules[module].ANSWER == 42


def test_what_is_loaded_already_stays_as_it_is(module):
    import srlib_test_heavy

    with postponed(module):
        assert sys.modules[module] is srlib_test_heavy
    assert sys.modules[module] is srlib_test_heavy and loads() == 1


def test_errors_leave_nothing_behind(module):
    with pytest.raises(RuntimeError), postponed(module):
        raise RuntimeError
    assert module not in sys.modules
    with postponed(module):
        import srlib_test_heavy as stand_in
    with pytest.raises(AttributeError, match="nonsense"):
        _ = stand_in.nonsense


@pytest.mark.parametrize("name", ["EvolutionRegressor", "GMEQLRegressor", "GeneticRegressor"])
def test_estimators_load_without_what_they_need_later(name):
    assert output_of(f"import sys; from srlib import {name}; print(*{HEAVY!r}.intersection(sys.modules))") == []


def test_scikit_learn_works_on_tables_as_ever():
    program = """
import srlib.scikit
import pandas as pd
import scipy.stats
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OrdinalEncoder
print(SimpleImputer(strategy="most_frequent").fit_transform(pd.DataFrame({"a": [1.0, None, 1.0]})).ravel().tolist())
print(OrdinalEncoder().fit_transform(pd.DataFrame({"a": ["u", "v"]})).ravel().tolist(), scipy.stats.norm.cdf(0.0))
"""
    assert output_of(program) == ["[1.0,", "1.0,", "1.0]", "[0.0,", "1.0]", "0.5"]


def test_scikit_learn_first_makes_no_difference():
    program = """
import sklearn.base
import srlib.scikit
print(srlib.scikit.BaseEstimator is sklearn.base.BaseEstimator)
"""
    assert output_of(program) == ["True"]
