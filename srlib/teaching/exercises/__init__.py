"""The checks of the exercises, one module per lesson: ``lesson00.py``, ``lesson01.py``, …

They are loaded by the number before the dot when :func:`srlib.teaching.check` first needs them.
"""
