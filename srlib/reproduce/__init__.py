"""Published tables and figures at full size, written to ``course/results/`` by ``python -m srlib.reproduce NAME``."""
