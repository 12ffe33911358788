"""EvolutionRegressor while it runs: the same result wherever the work is done; stopped, killed and resumed."""

import _thread
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from srlib import EvolutionRegressor
from srlib.events import Heartbeat, Iteration, Started
from srlib.evolution.island import Table, _local, _tables
from srlib.functions import from_function
from srlib.run import Run

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
SMALL = {
    "niterations": 4, "populations": 3, "population_size": 50, "ncycles_per_iteration": 150, "random_state": 0,
    "regression": False,
}  # fmt: skip
FOREVER = {**SMALL, "niterations": 10**6, "stop_when": None}

SETUP = """
import numpy as np
X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
y = np.sin(3 * (X[:, 0] ** 2 + X[:, 1])) / (1 + X[:, 1] ** 2)
"""
exec(SETUP)  # X and y: the same text makes them in other processes


def fronts(model):
    return [(entry.complexity, entry.loss, str(entry.expression)) for entry in model.front_]


def result(model):
    return fronts(model), model.n_evaluations_


def fitted(**options):
    return EvolutionRegressor(**{**SMALL, **options}).fit(X, y)  # noqa: F821


@pytest.fixture(scope="module")
def whole():
    """A fit that nothing has interrupted."""
    return fitted(n_jobs=1)


# ---------------------------------------------------------------- the same result everywhere


def test_threads_do_not_matter_and_seeds_do(whole):
    assert result(fitted(n_jobs=2)) == result(fitted(n_jobs=5)) == result(whole)
    assert len(fronts(whole)) > 5 and fronts(fitted(random_state=1)) != fronts(whole)


def test_a_fresh_process_gives_the_same_result(whole):
    code = f"""{SETUP}
from srlib import EvolutionRegressor
model = EvolutionRegressor(**{SMALL!r}, n_jobs=2).fit(X, y)
print(([(e.complexity, e.loss, str(e.expression)) for e in model.front_], model.n_evaluations_))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(result(whole))


def spawned(workers=1):
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))  # they know nothing of this process


def dent(x):
    return x - 0.2 if x > 0.2 else 0.0


def test_processes_give_the_same_result_and_learn_the_operators_of_a_user(whole):
    own = {
        "binary_operators": ["+", "*", "mixed(x, y) = x*y + x"],
        "unary_operators": [from_function(dent, "running_dent")],
        "elementwise_loss": lambda prediction, target: (prediction - target) ** 4,
    }  # fmt: skip
    with spawned() as pool:
        assert result(fitted(executor=pool)) == result(whole)
        assert result(fitted(executor=pool, **own)) == result(fitted(**own))


class Abroad(Executor):
    """Does the work at once, on what a pickle leaves of the arguments, and forgets its tables whenever told to."""

    def __init__(self, forgets):
        self.forgets, self.tables = forgets, []

    def submit(self, function, island, task, luggage):
        if self.forgets(len(self.tables)):
            _tables.clear()
        self.tables.append(len(pickle.dumps(task.table)))
        future = Future()
        future.set_result(pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps((island, task, luggage)))))))
        return future


def test_a_table_is_sent_once_and_again_to_whoever_does_not_know_it(whole):
    _tables.clear()
    faithful, forgetful = Abroad(lambda task: False), Abroad(lambda task: task == 4)  # in the second iteration
    assert result(fitted(executor=faithful)) == result(fitted(executor=forgetful)) == result(whole)
    assert len(faithful.tables) == 12
    sent = [size > 1500 for size in faithful.tables]  # 60 rows of 3 numbers
    assert sent == [True] * 3 + [False] * 9
    again = [size > 1500 for size in forgetful.tables]  # task 4 finds nothing, so does 5, and both are sent once more
    assert again[:3] == [True] * 3 and again[3:6] == [False] * 3 and again[6:8] == [True] * 2 and not any(again[8:])


def test_a_pool_of_threads_can_be_given_and_is_left_open(whole):
    with ThreadPoolExecutor(2) as pool:
        assert result(clone(EvolutionRegressor(**SMALL, executor=pool)).fit(X, y)) == result(whole)  # noqa: F821
        assert pool.submit(int, "3").result() == 3


@pytest.fixture(scope="module")
def cluster():
    import distributed

    settings = {"distributed.worker.daemon": True, "distributed.admin.tick.limit": "1h"}
    import dask

    with (
        dask.config.set(settings),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield cluster, client


def test_dask_gives_the_same_result(whole, cluster):
    assert result(fitted(executor=cluster[1].get_executor())) == result(whole)


def test_a_dask_worker_that_is_killed_loses_nothing(whole, cluster):
    processes, client = [], cluster[1]

    def kill(event):
        if isinstance(event, Heartbeat | Iteration) and not processes:
            processes.extend(client.run(os.getpid).values())
            os.kill(processes[0], KILL)

    long = {"ncycles_per_iteration": 3000, "niterations": 2}
    assert result(fitted(executor=client.get_executor(), callbacks=[kill], **long)) == result(fitted(**long))
    assert len(processes) == 2


def test_an_executor_that_dies_is_an_error_and_what_was_found_is_kept(whole, tmp_path):
    path = tmp_path / "run.json"

    def kill(event):
        if isinstance(event, Iteration) and event.number == 2:
            for process in pool._processes.values():
                os.kill(process.pid, KILL)

    with spawned() as pool:
        model = EvolutionRegressor(**SMALL, executor=pool, callbacks=[kill], checkpoint=path)
        with pytest.raises(RuntimeError, match="executor is .*stopped working .*start a new executor, and fit again"):
            model.fit(X, y)  # noqa: F821
    assert model.stopped_by_ == "error" and fronts(model)
    assert result(model.set_params(executor=None, callbacks=(), warm_start=True).fit(X, y)) == result(whole)  # noqa: F821


@pytest.mark.parametrize("pool", [ThreadPoolExecutor(1), ProcessPoolExecutor(1)])
def test_an_executor_that_was_shut_down_is_named(pool):
    pool.shutdown()
    with pytest.raises(RuntimeError, match="executor is .*PoolExecutor.* which stopped working"):
        fitted(executor=pool)


def test_tables_of_two_searches_are_told_apart_and_none_is_kept():
    tables = []
    original = Table.__init__

    def noted(self, *arguments, **options):
        original(self, *arguments, **options)
        tables.append(self.key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "__init__", noted)
        fitted(niterations=1), fitted(niterations=1)
    assert len(set(tables)) == len(tables) == 2
    assert not vars(_local), "the main thread has let go of the last table"


# ---------------------------------------------------------------- stopped


@pytest.mark.parametrize("budget", [1, 2, 30, 200, 777])
def test_max_evaluations_is_exact_and_deterministic(budget):
    runs = [EvolutionRegressor(**FOREVER, max_evaluations=budget, n_jobs=n).fit(X, y) for n in (1, 2)]  # noqa: F821
    assert [(one.n_evaluations_, one.stopped_by_) for one in runs] == [(budget, "max_evaluations")] * 2
    assert fronts(runs[0]) == fronts(runs[1])


def test_the_regression_and_the_paper_preset_keep_to_the_budget():
    for options in ({"regression": True}, {"preset": "paper"}, {"guesses": ["x0"] * 50}):
        model = EvolutionRegressor(**{**FOREVER, **options}, max_evaluations=160).fit(X, y)  # noqa: F821
        assert (model.n_evaluations_, model.stopped_by_) == (160, "max_evaluations")


def test_the_regression_has_a_share_of_the_work_that_the_islands_are_given(monkeypatch):
    looks = []

    def endless(X, y, weight, operators, maxsize, report, should_stop):
        looks.append(0)
        while not should_stop():
            looks[-1] += 1
        return []

    monkeypatch.setattr("srlib.evolution.opening.regression_phase", endless)
    monkeypatch.setattr("srlib.evolution.opening.LEAST_LOOKS", 100)
    given = {"niterations": 10**6, "populations": 2, "ncycles_per_iteration": 50, "regression": True}
    for niterations, most in ((1, 10**6), (320, 10**6), (320, 6400)):
        stop = lambda event: isinstance(event, Iteration)  # noqa: E731
        fitted(**{**given, "niterations": niterations, "max_evaluations": most, "callbacks": [stop]})
    assert looks == [100, 1000, 199], "the least, a 32nd of 320*2*50 evaluations, and of 6399"


@pytest.mark.parametrize("stop_when", [0.15, lambda loss, complexity: loss < 0.2 and complexity < 12])
def test_stop_when(stop_when):
    model = EvolutionRegressor(**{**FOREVER, "stop_when": stop_when}).fit(X, y)  # noqa: F821
    assert model.stopped_by_ == "stop_when" and model.front_[-1].loss < 0.2


def test_an_exact_formula_ends_the_search():
    model = EvolutionRegressor(**{**FOREVER, "stop_when": "exact"}).fit(X, X[:, 0] * X[:, 1] + 1)  # noqa: F821
    assert model.stopped_by_ == "exact" and str(model.best()) in ("x0*x1 + 1", "x1*x0 + 1")


BIG = np.random.default_rng(1).uniform(-1, 1, (100_000, 3))
BIG_Y = np.sin(3 * BIG[:, 0]) / (1 + BIG[:, 1] ** 2) + BIG[:, 2] * np.exp(BIG[:, 0])
PHASES = {
    "regression": (0.3, {"regression": True, "unary_operators": ["sin", "exp"]}),
    "population": (0.0, {"population_size": 2000, "replacement": "oldest"}),
    "many rows": (1.0, {"batching": False}),
    "islands": (0.5, {}),
    "denoise": (0.1, {"denoise": True}),
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("how", ["Ctrl-C", "callback", "time_limit"])
def test_a_stop_ends_any_phase_and_keeps_what_was_found(phase, how, ctrl_c):
    seconds, options = PHASES[phase]
    model = EvolutionRegressor(**{**FOREVER, **options})
    asked = threading.Event()

    def ask(event):
        if how == "callback" and isinstance(event, Heartbeat) and event.elapsed >= seconds:
            asked.set()
        if how == "Ctrl-C" and isinstance(event, Started):
            threading.Timer(seconds, _thread.interrupt_main).start()
        return asked.is_set()

    # a stop that is lost ends as "time_limit" instead of never
    model.set_params(callbacks=[ask], time_limit=(seconds or 0.01) if how == "time_limit" else 50)
    began = time.monotonic()
    model.fit(BIG, BIG_Y)
    assert model.stopped_by_ == {"Ctrl-C": "interrupted"}.get(how, how)
    assert time.monotonic() - began < 60, "generous: it proves that it ends"
    assert np.isfinite(model.predict(BIG)).all() and model.front_[-1].loss <= 1.01 * np.var(BIG_Y)


def test_ctrl_c_during_the_polish_loses_nothing(monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("srlib.evolution.engine.polish", interrupt)
    model = fitted()
    assert model.stopped_by_ == "interrupted" and len(model.front_) > 5 and model.n_iterations_ == 4


def test_a_callback_that_raises_loses_nothing():
    def broken(event):
        if getattr(event, "number", 0) == 2:
            raise ZeroDivisionError("in a live plot")

    model = EvolutionRegressor(**SMALL, callbacks=[broken])
    with pytest.raises(ZeroDivisionError):
        model.fit(X, y)  # noqa: F821
    assert model.stopped_by_ == "error" and np.isfinite(model.predict(X)).all()  # noqa: F821


# ---------------------------------------------------------------- resumed


@pytest.mark.parametrize("options", [{}, {"batching": True, "batch_size": 30}, {"preset": "paper"}])
def test_two_halves_equal_the_whole(options):
    model = fitted(**options, niterations=2, warm_start=True)
    assert result(model.fit(X, y)) == result(fitted(**options)) and model.n_iterations_ == 4  # noqa: F821


def test_an_unfinished_fit_is_finished(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("srlib.run.HEARTBEAT", 0.0)  # a heartbeat at the very first look
    path = tmp_path / "run.json"
    for stop in (lambda e: isinstance(e, Iteration) and e.number == 1, lambda e: isinstance(e, Heartbeat)):
        half = fitted(checkpoint=path, callbacks=[stop])
        assert half.n_iterations_ == path.exists(), "the first iteration ended, or the search had not begun"
        resumed = fitted(checkpoint=path, warm_start=True)
        assert result(resumed) == result(whole) and resumed.n_iterations_ == 4
        path.unlink(missing_ok=True)  # there is none before the islands have begun


def test_one_that_is_stopped_within_an_iteration_is_finished_too(whole, monkeypatch):
    monkeypatch.setattr("srlib.run.HEARTBEAT", 0.0)
    beats = []

    def stop(event):
        beats.append(isinstance(event, Iteration))
        return len(beats) > 1 and any(beats[:-1]) and not beats[-1]  # the first look after an iteration

    model = EvolutionRegressor(**SMALL, callbacks=[stop], warm_start=True).fit(X, y)  # noqa: F821
    assert model.stopped_by_ == "callback" and 0 < model.n_iterations_ < 4
    assert result(model.set_params(callbacks=()).fit(X, y)) == result(whole)  # noqa: F821


def test_a_killed_process_leaves_a_checkpoint(whole, tmp_path):
    path = tmp_path / "run.json"
    code = f"""{SETUP}
import os, signal
from srlib import EvolutionRegressor
from srlib.events import Iteration
from srlib.run import Run
Run.checkpoint_every = 0
die = lambda event: os.kill(os.getpid(), {int(KILL)}) if isinstance(event, Iteration) and event.number == 3 else None
EvolutionRegressor(**{SMALL!r}, checkpoint={str(path)!r}, callbacks=[die]).fit(X, y)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode != 0
    assert json.loads(path.read_text())["iteration"] == 3
    assert result(fitted(checkpoint=path, warm_start=True)) == result(whole)
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"], "no temporary files stay"


def test_warm_start_survives_a_pickle(whole):
    model = pickle.loads(pickle.dumps(fitted(niterations=2, warm_start=True)))
    assert result(model.fit(X, y)) == result(whole)  # noqa: F821


@pytest.mark.parametrize("batching", [True, False])
def test_other_rows_are_judged_anew(batching):
    model = fitted(warm_start=True, batching=batching, batch_size=40)
    other = np.random.default_rng(9).uniform(1e6, 2e6, (80, 2))  # would be scaled otherwise
    target = 1000 + 7 * other[:, 0]
    before = model.n_evaluations_
    model.fit(other, target)
    assert model.n_evaluations_ > before and model.front_[-1].loss < 1e-6 * np.var(target)
    for entry in model.front_:
        loss = np.mean((entry.expression.evaluate(other) - target) ** 2)
        assert entry.loss == pytest.approx(loss, rel=1e-6, abs=1e-9)


def test_a_checkpoint_that_cannot_be_used_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "run.json"
    fitted(checkpoint=path, niterations=1)
    good = path.read_text()
    state = json.loads(good)
    damaged = {
        "": "is damaged", good[: len(good) // 2]: "is damaged", "[]": "is damaged",
        json.dumps({**state, "version": 999}): "was written by another version of srlib .its format is 999",
        json.dumps({**state, "method": "GeneticRegressor"}): "was written by GeneticRegressor",
        json.dumps({**state, "n_features": 3}): "X has 2 columns, but the earlier fit had 3",
        json.dumps({**state, "names": ["a", "b"]}): "X has the columns without names, but the earlier fit had",
        json.dumps({key: value for key, value in state.items() if key != "islands"}): "is damaged .*islands",
        json.dumps({**state, "islands": [{**state["islands"][0], "arrays": "UEsDBA=="}]}): "checkpoint is damaged",
    }  # fmt: skip
    for text, message in damaged.items():
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            fitted(checkpoint=path, warm_start=True)
        assert path.read_text() == text
    path.write_text(good)
    with pytest.raises(ValueError, match="lack 'mul', which the earlier fit had"):
        fitted(checkpoint=path, warm_start=True, binary_operators=["+", "-", "/"])
    with pytest.raises(ValueError, match="population_size is 20"):
        fitted(checkpoint=path, warm_start=True, population_size=20)
    assert path.read_text() == good and Run.checkpoint_every > 0


def test_linear_algebra_keeps_to_one_thread_during_a_search():
    def threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    during = []
    with threadpool_limits(2, "blas"):
        before = threads()
        watch = [lambda event: during.append(threads()) if isinstance(event, Iteration) else None]
        EvolutionRegressor(**SMALL, callbacks=watch).fit(X, y)  # noqa: F821
        assert threads() == before
    assert during and set().union(*during) == {1}
