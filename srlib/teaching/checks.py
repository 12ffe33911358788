"""Checks of exercises: say what is wrong, never show a traceback, never give the answer away.

A lesson calls ``check("1.1", answer)``. The check itself is a function in ``srlib/teaching/exercises/lesson01.py``::

    @exercise("1.1", "complexity of a tree", hints=("Count every node.", "Leaves are nodes too."))
    def _(answer):
        if answer(tree) == leaves(tree):
            raise Wrong("You counted only the leaves.")
        if answer(tree) != tree.size:
            raise Wrong(f"For {tree} your function gives {answer(tree)}.")
        return "This is what the methods call complexity."

It tests properties; it does not contain the answer. With ``SRLIB_STRICT=1`` in the environment a wrong answer raises,
which the tests of the solutions use.
"""

from __future__ import annotations

import dis
import importlib
import importlib.util
import linecache
import os
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Almost", "Exercise", "State", "Wrong", "check", "exercise", "hint", "predict", "progress", "recall"]


class Wrong(AssertionError):
    """The answer is wrong; the message is the hint."""


class Almost(Wrong):
    """The answer is right but for a detail; the message says which."""


class State(str):
    """``"todo"``, ``"wrong"``, ``"almost"``, ``"correct"`` or ``"unknown"``: a string that notebooks do not echo."""

    def _ipython_display_(self) -> None:
        """Show nothing: the check has printed its message."""


_SIGNS = {"todo": "○", "wrong": "✗", "almost": "◐", "correct": "✓", "unknown": "?"}
_PACKAGE = Path(__file__).parents[1]


@dataclass
class Exercise:
    """An exercise: its number ``"lesson.number"``, title, staged hints and check; and how far the student is."""

    number: str
    title: str
    hints: tuple[str, ...]
    check: Callable[[Any], str | None]
    state: State = field(default_factory=lambda: State("todo"))
    hints_shown: int = 0


_EXERCISES: dict[str, Exercise] = {}
_PREDICTIONS: dict[str, Any] = {}


def exercise(number: str, title: str, hints: tuple[str, ...] = ()):
    """Register the decorated function as the check of an exercise.

    Parameters
    ----------
    number : str
        Such as ``"1.1"``: the lesson, a dot, the exercise.
    title : str
        A few words.
    hints : tuple of str
        From a nudge to nearly everything; :func:`hint` shows one after the other.
    """
    if not re.fullmatch(r"\d+\.\d+", number):
        raise ValueError(f"number={number!r}: write the lesson, a dot and the exercise, such as '1.1'.")
    if isinstance(hints, str):
        raise TypeError(f"hints={hints!r} of exercise {number}: give a tuple of strings, such as ('one hint',).")

    def register(function):
        _EXERCISES[number] = Exercise(number, title, tuple(hints), function)
        return function

    return register


def check(number: str, answer: Any) -> State:
    """Check an answer to an exercise, print what to do next, and return the state.

    Parameters
    ----------
    number : str
        Such as ``"1.1"``.
    answer
        What the exercise asks for: a value or a function. ``...``, None, or a function with no body yet (``...``,
        ``pass`` or NotImplementedError) is an exercise that was not attempted yet.

    Returns
    -------
    State
        ``"todo"``, ``"wrong"``, ``"almost"`` or ``"correct"``; ``"unknown"`` when there is no such exercise.
    """
    task = _find(number)
    if task is None:
        return _unknown(number)
    error, words = None, ""
    if answer is ... or answer is None or _is_stub(answer):
        state = "todo"
    else:
        try:
            state, words = "correct", task.check(answer) or ""
        except NotImplementedError:
            state = "todo"
        except Almost as caught:
            state, words, error = "almost", str(caught), caught
        except Wrong as caught:
            state, words, error = "wrong", str(caught), caught
        except Exception as caught:
            state, words, error = "wrong", _explain(caught, task.check), caught
        except KeyboardInterrupt as caught:
            state, words, error = "wrong", "You stopped the check. Does your function come to an end?", caught
    task.state = State(state)
    said = {"todo": "not attempted yet", "wrong": "not yet", "almost": "almost", "correct": "correct"}[state]
    print(f"{_SIGNS[state]} Exercise {number}, {task.title}: {said}.")
    if words:
        print("  " + " ".join(words.split()))
    if error is not None and os.environ.get("SRLIB_STRICT") == "1":
        raise error
    return task.state


def hint(number: str) -> None:
    """Print the next hint for an exercise; each call tells a little more."""
    task = _find(number)
    if task is None:
        _unknown(number)
        return
    if not task.hints:
        print(f"There is no hint for exercise {number}; its check says what is wrong with an answer.")
        return
    place = min(task.hints_shown, len(task.hints) - 1)
    task.hints_shown = place + 1
    last = "" if place + 1 < len(task.hints) else " (the last; what remains is the solution notebook)"
    print(f"Hint {place + 1} of {len(task.hints)} for exercise {number}{last}:")
    print("  " + " ".join(task.hints[place].split()))


def progress(lesson: int | str) -> None:
    """Print how far each exercise of a lesson is, in this session."""
    tasks = _lesson(lesson)
    if not tasks:
        print(f"Lesson {lesson} has no exercises.")
        return
    said = {"todo": "not attempted yet", "wrong": "not yet", "almost": "almost", "correct": "correct"}
    width = max(len(task.title) for task in tasks)
    for task in tasks:
        print(f"{_SIGNS[task.state]} {task.number:<5} {task.title:<{width}}  {said[task.state]}")
    print(f"{sum(task.state == 'correct' for task in tasks)} of {len(tasks)} correct")


def predict(key: str, guess: Any, choices=None) -> None:
    """Keep a prediction, to be compared with what happens by :func:`recall`.

    Parameters
    ----------
    key : str
        A name for the question.
    guess
        The prediction; ``...`` while there is none.
    choices : sequence, optional
        What can be predicted.
    """
    options = None if choices is None else list(choices)
    listed = "" if options is None else f" Choose one of: {', '.join(map(repr, options))}."
    if guess is ... or guess is None:
        _PREDICTIONS.pop(key, None)
        print(f"○ Prediction “{key}”: not made yet.{listed}")
    elif options is not None and guess not in options:
        print(f"✗ Prediction “{key}”: {guess!r} is not among the choices.{listed}")
    else:
        _PREDICTIONS[key] = guess
        print(f"✓ Prediction “{key}”: {guess}. We shall see.")


def recall(key: str, outcome: Any = None) -> None:
    """Print what was predicted, and beside it what happened, if that is given."""
    made = f"You predicted: {_PREDICTIONS[key]}." if key in _PREDICTIONS else "You made no prediction."
    if outcome is not None:
        same = " As you predicted!" if key in _PREDICTIONS and _PREDICTIONS[key] == outcome else ""
        made += f" What happened: {outcome}.{same}"
    print(f"“{key}”. {made}")


def _lesson(lesson: int | str) -> list[Exercise]:
    """Return the exercises of a lesson, in order; its module is loaded when it is first needed."""
    text = str(lesson).split(".")[0]
    if not text.isdigit():
        return []
    module = f"{__package__}.exercises.lesson{int(text):02d}"
    if importlib.util.find_spec(module) is not None:
        importlib.import_module(module)
    tasks = [task for task in _EXERCISES.values() if int(task.number.split(".")[0]) == int(text)]
    return sorted(tasks, key=lambda task: int(task.number.split(".")[1]))


def _find(number: str) -> Exercise | None:
    return next((task for task in _lesson(number) if task.number == number), None)


def _unknown(number: str) -> State:
    known = ", ".join(task.number for task in _lesson(number) or _EXERCISES.values())
    message = f"There is no exercise {number!r}. " + (f"Known are: {known}." if known else "None is known.")
    print(f"? {message}")
    if os.environ.get("SRLIB_STRICT") == "1":
        raise ValueError(message)
    return State("unknown")


def _explain(error: Exception, own_check: Callable) -> str:
    """Return what an exception in a student's code says and where it was raised, in one line."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    codes = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(code, line) for code, line in codes if code is not own_check.__code__ and _is_students(code.co_filename)]
    if not own:
        return f"The check could not use this answer ({said}). Is it of the kind that the exercise asks for?"
    code, number = own[-1]
    line = linecache.getline(code.co_filename, number).strip()
    return f"Your code raised {said} (line {number}{f', `{line}`' if line else ''}, of {code.co_name})."


def _is_stub(answer: Any) -> bool:
    """Whether the answer is a function that does nothing but return None or ``...``."""
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("RESUME", "NOP")]
    plain = all(step.opname in ("LOAD_CONST", "RETURN_VALUE", "RETURN_CONST") for step in steps)
    return plain and all(step.argval in (None, ...) for step in steps)


def _is_students(filename: str) -> bool:
    """Whether a file is neither part of srlib nor an installed package nor the standard library."""
    path = Path(filename)
    if _PACKAGE in path.parents or "site-packages" in path.parts or "dist-packages" in path.parts:
        return False
    return Path(os.__file__).parent not in path.parents and not filename.startswith("<frozen")
