import math

import pytest

from srlib.teaching import checks
from srlib.teaching.checks import Almost, State, Wrong, check, exercise, hint, predict, progress, recall
from tests.teaching.bank import assert_bank, verdict


@pytest.fixture(autouse=True)
def lesson(monkeypatch):
    """A lesson of its own: number 97."""
    monkeypatch.setattr(checks, "_EXERCISES", {})
    monkeypatch.setattr(checks, "_PREDICTIONS", {})
    monkeypatch.delenv("SRLIB_STRICT", raising=False)

    @exercise("97.1", "the logarithm", hints=("Which base?", "math.log"))
    def _(answer):
        got = answer(100.0)
        if got == 2:
            raise Wrong("Take the natural\n logarithm.")
        if math.isclose(got, -math.log(100)):
            raise Almost("Look at the sign.")
        if not math.isclose(got, math.log(100)):
            raise Wrong(f"For 100 it gives {got}.")
        return "Base e it is."

    @exercise("97.2", "a number")
    def _(answer):
        if answer + 1 != 4:
            raise Wrong("Count again.")


def test_bank(capsys):
    assert_bank(
        "97.1",
        capsys,
        correct=[math.log],
        wrong=[(math.log10, "natural logarithm"), (lambda x: x, "it gives 100")],
        almost=[(lambda x: -math.log(x), "the sign")],
    )


@pytest.mark.parametrize(
    "mistake",
    [
        {"wrong": [(math.log10, "the sign")]},
        {"wrong": [(math.log, "natural")]},
        {"correct": [math.log10]},
        {"wrong": [(math.log10, "natural"), (lambda x: 2, "logarithm")]},
        {"stubs": [math.log]},
    ],
)
def test_the_bank_finds_a_bad_check(capsys, mistake):
    with pytest.raises(AssertionError):
        assert_bank("97.1", capsys, **({"correct": [math.log], "wrong": []} | mistake))


def test_what_is_printed(capsys):
    assert verdict("97.1", math.log, capsys)[1] == "✓ Exercise 97.1, the logarithm: correct.\n  Base e it is.\n"
    assert verdict("97.1", ..., capsys)[1] == "○ Exercise 97.1, the logarithm: not attempted yet.\n"
    assert verdict("97.1", math.log10, capsys)[1].splitlines()[1] == "  Take the natural logarithm."
    assert verdict("97.2", 3, capsys)[1] == "✓ Exercise 97.2, a number: correct.\n"


def test_an_error_of_the_student_becomes_a_hint(capsys):
    def mine(x):
        return x / 0

    state, text = verdict("97.1", mine, capsys)
    assert state == "wrong"
    assert "ZeroDivisionError: " in text and "`return x / 0`, of mine" in text

    def deeper(x):
        return math.log(-x)

    assert "`return math.log(-x)`" in verdict("97.1", deeper, capsys)[1]


def test_an_endless_recursion_becomes_a_hint(capsys):
    def again(x):
        return again(x)

    state, text = verdict("97.1", again, capsys)
    assert state == "wrong" and "RecursionError" in text and len(text.splitlines()) == 2


def test_an_answer_of_another_kind(capsys):
    for answer in ("three", [3], {}):
        state, text = verdict("97.2", answer, capsys)
        assert state == "wrong" and "could not use this answer (TypeError" in text


def test_strict_raises_but_not_for_stubs(monkeypatch):
    monkeypatch.setenv("SRLIB_STRICT", "1")
    assert check("97.1", ...) == "todo" and check("97.1", math.log) == "correct"
    with pytest.raises(Wrong, match="natural"):
        check("97.1", math.log10)
    with pytest.raises(Almost):
        check("97.1", lambda x: -math.log(x))
    with pytest.raises(TypeError):
        check("97.2", "three")
    with pytest.raises(ValueError, match="97.1, 97.2"):
        check("97.3", 1)


def test_unknown_exercise(capsys):
    assert check("97.3", 1) == "unknown"
    hint("97.3")
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["? There is no exercise '97.3'. Known are: 97.1, 97.2."] * 2
    assert check("one", 1) == "unknown" == check("", 1)


def test_the_state_is_text_that_notebooks_do_not_echo():
    from IPython.core.interactiveshell import InteractiveShell

    state = State("correct")
    data, _ = InteractiveShell.instance().display_formatter.format(state)
    InteractiveShell.clear_instance()
    assert state == "correct" and data == {}


def test_hints_come_one_after_the_other(capsys):
    for _ in range(3):
        hint("97.1")
    hint("97.2")
    text = capsys.readouterr().out
    assert text.count("Hint 1 of 2") == 1 and text.count("Hint 2 of 2") == 2 and text.count("the last") == 2
    assert "There is no hint for exercise 97.2" in text


def test_progress(capsys):
    check("97.1", math.log)
    check("97.2", 5)
    capsys.readouterr()
    progress(97)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["✓ 97.1  the logarithm  correct", "✗ 97.2  a number       not yet", "1 of 2 correct"]
    progress("98")
    assert "no exercises" in capsys.readouterr().out


def test_lessons_are_loaded_by_number(tmp_path, monkeypatch, capsys):
    import srlib.teaching.exercises as package

    (tmp_path / "lesson96.py").write_text(
        "from srlib.teaching.checks import exercise\n@exercise('96.1', 'of a file')\ndef _(answer): pass\n"
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    assert check("96.1", 1) == "correct"
    assert "of a file" in capsys.readouterr().out


def test_predictions(capsys):
    predict("who", ..., ["a", "b"])
    recall("who")
    predict("who", "c", ["a", "b"])
    predict("who", "b", ["a", "b"])
    recall("who", "b")
    recall("who", "a")
    predict("how many", 7)
    recall("how many")
    assert capsys.readouterr().out.splitlines() == [
        "○ Prediction “who”: not made yet. Choose one of: 'a', 'b'.",
        "“who”. You made no prediction.",
        "✗ Prediction “who”: 'c' is not among the choices. Choose one of: 'a', 'b'.",
        "✓ Prediction “who”: b. We shall see.",
        "“who”. You predicted: b. What happened: b. As you predicted!",
        "“who”. You predicted: b. What happened: a.",
        "✓ Prediction “how many”: 7. We shall see.",
        "“how many”. You predicted: 7.",
    ]


def test_bad_registrations():
    with pytest.raises(ValueError, match="such as '1.1'"):
        exercise("one", "title")
    with pytest.raises(TypeError, match="tuple"):
        exercise("1.1", "title", hints="one hint")


def _with_docstring(x):
    """To be written."""


def _with_pass(x):
    pass


@pytest.mark.parametrize("stub", [lambda x: ..., lambda x: None, _with_docstring, _with_pass])
def test_a_function_without_a_body_is_not_an_attempt(stub, capsys):
    exercise("990.1", "anything")(lambda answer: str(answer(1)))
    assert check("990.1", stub) == "todo"
    assert check("990.1", lambda x: 5) == "correct"
    assert check("990.1", lambda x: x) == "correct"


def test_stopping_an_endless_answer_is_explained(capsys):
    def endless(answer):
        raise KeyboardInterrupt

    exercise("990.2", "anything")(endless)
    assert check("990.2", 3) == "wrong"
    assert "come to an end" in capsys.readouterr().out
