"""A helper for the tests of exercises: each typical wrong answer must get its own hint."""

import os
from unittest import mock

from srlib.teaching.checks import check


def verdict(number, answer, capsys):
    """Return the state and the printed text of a check, as a student sees it."""
    capsys.readouterr()
    with mock.patch.dict(os.environ):
        os.environ.pop("SRLIB_STRICT", None)
        state = check(number, answer)
    return state, capsys.readouterr().out


def assert_bank(number, capsys, *, correct, wrong, almost=(), stubs=()):
    """Assert that a check tells right answers from stubs and from each typical mistake.

    Parameters
    ----------
    number : str
        The exercise.
    capsys
        The fixture of pytest.
    correct : list
        Answers that must pass.
    wrong, almost : list of (answer, str)
        Answers that must not, and a part of the hint for each; different parts must belong to different hints.
    stubs : list
        Further ways not to answer, besides ``...``, None and a function that raises NotImplementedError.
    """

    def stub(*_arguments, **_options):
        raise NotImplementedError

    unattempted = [..., None, *stubs] + ([stub] if all(map(callable, correct)) else [])
    for answer in unattempted:
        state, text = verdict(number, answer, capsys)
        assert state == "todo", f"the stub {answer!r} is {state}: {text}"
    for answer in correct:
        state, text = verdict(number, answer, capsys)
        assert state == "correct", f"the right answer {answer!r} is {state}: {text}"
    hints = {}
    for expected, bank in (("wrong", wrong), ("almost", almost)):
        for answer, part in bank:
            state, text = verdict(number, answer, capsys)
            assert state == expected, f"{answer!r} is {state}, not {expected}: {text}"
            lines = text.splitlines()
            assert len(lines) == 2, f"{answer!r} gets {len(lines)} lines, not a verdict and a hint: {text}"
            assert part in lines[1], f"{answer!r} does not get the hint with {part!r} but: {lines[1]}"
            hints.setdefault(part, lines[1])
    for part, text in hints.items():
        others = [other for other, said in hints.items() if other != part and part in said]
        assert not others, f"the hint with {part!r} is also given for {others}: {text}"
