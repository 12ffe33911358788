"""What all tests share: one thread per process, and nbval's settings found from any folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Tests run in several processes and each notebook has a kernel of its own, which inherits these.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# Jupyter warns about its own future folders unless told to use them already.
os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")

# No deadlines: a busy machine is no bug. On a CI server the same examples each time; elsewhere always new ones.
settings.register_profile("srlib", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("srlib")


def pytest_configure(config):
    """Make the path of the sanitize file independent of the folder in which pytest was started."""
    path = getattr(config.option, "nbval_sanitize_with", None)
    if path and not Path(path).is_absolute():
        config.option.nbval_sanitize_with = str(config.rootpath / path)


def pytest_sessionstart(session):
    """Compile the engine once, before the processes that share its cache begin."""
    if not hasattr(session.config, "workerinput"):
        subprocess.run([sys.executable, "-m", "srlib.evolution"], cwd=session.config.rootpath, check=True)


@pytest.fixture
def ctrl_c():
    """A process that was started in the background by a shell ignores Ctrl-C; not here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
