import os
import pickle
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srlib import Expression, ParseError
from srlib.expression.parse import MAX_LENGTH

# The text, the beginning of the reason, and the piece that the caret points at.
REFUSED = [
    ("", "the text is empty", ""),
    (" \n", "the text is empty", " "),
    ("2*", "the formula ends too early", "*"),
    ("x0 +\n", "the formula ends too early", "+"),
    ("2x0", "a number and a name stand together: write 2*x0", "2x0"),
    ("1 + 1j", "a number and a name stand together", "1j"),
    ("0xFF", "a number and a name stand together", "0xFF"),
    ("1_", "a number and a name stand together", "1_"),
    ("2(x0 + 1)", "write * between this and the bracket", "2"),
    ("x0(2)", "x0 is no operator: write *", "x0"),
    ("(x0 + 1)(x1)", "write * between this and the bracket", "x0 + 1"),
    ("pi(x0)", "pi is no operator", "pi"),
    ("x0 x1", "something is missing before this", "x"),
    ("sin x0", "something is missing before this", "x"),
    ("sin + 1", "sin is an operator: write it with brackets", "sin"),
    ("1 + sinn(x0)", "there is no operator 'sinn' - did you mean 'sin'?", "sinn"),
    ("print(x0)", "there is no operator 'print'", "print"),
    ("__import__(x0)", "there is no operator '__import__'", "__import__"),
    ("__import__('os').system('ls')", 'the character "\'" has no meaning', "'"),
    ("eval(x0)", "there is no operator 'eval'", "eval"),
    ("__builtins__", "there is no feature '__builtins__'", "__builtins__"),
    ("x0.real", "an attribute", "x0.real"),
    ("sin.__globals__", "an attribute", "sin.__globals__"),
    ("(1).__class__", "an attribute", "(1).__class__"),
    ("sin(x0).real(1)", "write * between this and the bracket", "sin(x0).real"),
    ("sin(x0", "'(' was never closed", "("),
    ("sin(x0))", "unmatched ')'", ")"),
    ("(x0]", "closing parenthesis", "]"),
    ("x0[1]", "an index", "x0[1]"),
    ("x0, x1", "a comma", "x0, x1"),
    ("()", "an empty pair of brackets", "()"),
    ("x0 = 1", "there is no = in a formula", "="),
    ("x0 == 1", "a comparison", "x0 == 1"),
    ("1 < x0 < 2", "a comparison", "1 < x0 < 2"),
    ("x0 is 1", "a comparison", "x0 is 1"),
    ("not x0", "the operator 'not'", "not x0"),
    ("x0 or x1", "and/or", "x0 or x1"),
    ("2 + (x0 % 2)", "the operator % cannot", "x0 % 2"),
    ("x0 // 2", "the operator //", "x0 // 2"),
    ("x0 @ x1", "the operator @", "x0 @ x1"),
    ("~x0", "the operator ~", "~x0"),
    ("lambda: 1", "a lambda", "lambda: 1"),
    ("[x0]", "a list", "[x0]"),
    ("{x0: 1}", "a dict", "{x0: 1}"),
    ("x0 if x1 else 2", "if/else", "x0 if x1 else 2"),
    ("(y := 3)", "an assignment", "y := 3"),
    ("[a for a in x0]", "'listcomp'", "[a for a in x0]"),
    ("True", "True is not a real number", "True"),
    ("2*None", "None is not a real number", "None"),
    ("...", "Ellipsis is not a real number", "..."),
    ("'x0'", 'the character "\'" has no meaning', "'"),
    ("x0 # x1", "the character '#' has no meaning", "#"),
    ("x0; x1", "the character ';' has no meaning", ";"),
    ("x0\\", "the character '\\\\' has no meaning", "\\"),
    ("x0\0", "the character '\\x00' has no meaning", "\0"),
    ("x0\u200b", "the character '\\u200b' has no meaning", "\u200b"),
    ("$x$", "the character '$' has no meaning", "$"),
    ("2 × x0", "write * instead of ×", "×"),
    ("x0 − 1", "write - instead of −", "−"),
    ("x0²", "write **2 instead of ²", "²"),
    ("sin()", "sin takes 1 argument, here it has 0", "sin()"),
    ("1 + sin(x0, x1)", "sin takes 1 argument, here it has 2", "sin(x0, x1)"),
    ("min(x0)", "min takes 2 arguments, here it has 1", "min(x0)"),
    ("sin(a=x0)", "operators take plain arguments", "a=x0"),
    ("sin(*x0)", "operators take plain arguments", "*x0"),
    ("x", "there is no feature 'x': features are called x0, x1", "x"),
    ("é + x0", "there is no feature 'é'", "é"),
    ("x0 + é*y", "there is no feature 'é'", "é"),
    ("x0 + x100000", "feature numbers go up to 99,999", "x100000"),
    ("x٣", "there is no feature 'x٣'", "x٣"),
    ("1e999", "this number is too large", "1e999"),
    ("007", "a number does not begin with 0", "0"),
    ("9" * 5000, "this number has too many digits", "9"),
    ("`abc", "this backtick opens a name", "`"),
    ("``", "there is no name between", "``"),
    ("2*a`b c`", "something is missing before this", "`b c`"),
    ("`b c`", "there is no feature 'b c'", "`b c`"),
    ("(" * 100 + "x0" + ")" * 100, "more than 90 brackets within each other", "("),
    ("(" * 10_000 + "x0", "more than 90 brackets within each other", "("),
    ("(" * 10_000 + "x0" + ")" * 10_000, "the text has 20,002 characters; at most 20,000", ""),
    ("[" * 10_000, "more than 90 brackets", "["),
    ("-" * 15_000 + "x0", "the formula is too deeply nested", "-"),
    ("x0**" * 4_000 + "x0", "the formula is too deeply nested", "x"),
    ("x0+" * 6_000 + "x0", "the formula is too deeply nested", "x"),
    ("x0+" * 350_000 + "x0", "the text has 1,050,002 characters", ""),
]


@pytest.mark.parametrize(("text", "reason", "piece"), REFUSED, ids=lambda value: repr(value)[:30])
@pytest.mark.filterwarnings("error")
def test_bad_text_is_refused_with_a_caret_under_it(text, reason, piece):
    with pytest.raises(ParseError) as caught:
        Expression.parse(text)
    error = caught.value
    assert isinstance(error, ValueError) and error.reason.startswith(reason)
    assert text[error.position : error.position + error.length] == piece or not piece
    message, shown, carets = str(error).rsplit("\n", 2)
    assert message == error.reason and len(str(error)) < 600
    under = shown[carets.index("^") : carets.rindex("^") + 1]
    assert under == piece or not piece or "\0" in text or len(text) > 100


@pytest.mark.parametrize("thing", [None, 3, 2.5, b"x0", ["x0"], True])
def test_only_text_is_parsed(thing):
    with pytest.raises(ParseError, match=f"a formula is a text, not {type(thing).__name__}"):
        Expression.parse(thing)


def test_nothing_is_executed(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "system", lambda command: pytest.fail("text was executed"))
    monkeypatch.setitem(__builtins__, "leak", lambda *a: pytest.fail("text was executed"))
    for text in ("leak()", "leak(x0)", "[leak(1) for y in (1,)]", "x0 + (lambda: leak())()", "os.system('a')",
                 "`leak()`", "(leak(1))", "sin(leak(2))", "{leak(1)}", "f(leak(1))"):  # fmt: skip
        with pytest.raises(ParseError):
            Expression.parse(text)
        with pytest.raises(ParseError):
            Expression.operator(f"f(x) = {text}")
        with pytest.raises(ValueError):
            Expression.from_sympy(text)


@pytest.mark.parametrize(
    "body",
    [
        '__import__("os")', "__import__(os)", '__import__("os").system("ls")', "x.__class__", "x.__class__.__mro__[1]",
        "().__class__.__bases__[0].__subclasses__()", "eval(x)", 'exec("import os")', 'open("secret")', "globals()",
        "getattr(x, y)", "(lambda: x)()", "[c for c in x]", "f'{x}'", "x; import os", "x\nimport os", "print(x)",
        "__builtins__", "cos.__globals__", "breakpoint()", "x if y else __import__(x)", "(y := x)", "f(x, y)",
        "`__import__('os')`",
    ],
)  # fmt: skip
def test_a_definition_that_is_no_expression_is_refused(body, monkeypatch):
    executed = []
    monkeypatch.setattr(os, "system", executed.append)
    for name in ("eval", "exec", "breakpoint"):
        monkeypatch.setitem(__builtins__, name, lambda *a: executed.append(a))
    with pytest.raises(ParseError, match=r"\^"):
        Expression.operator(f"f(x, y) = {body}")
    assert not executed


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ("temprature*2", ["temperature", "time"], "there is no feature 'temprature' - did you mean 'temperature'?"),
        ("q", ["a", "b"], "there is no feature 'q': the features are a, b"),
        ("x0", ["a"], "there is no feature 'x0': the features are a"),
        ("x0", [], "the features are (none)"),
        ("q", [f"column{k}" for k in range(50)], "column11, …"),
        ("class", ["a"], "this is not a formula"),
    ],
)
def test_unknown_features_are_named(text, names, message):
    with pytest.raises(ParseError) as caught:
        Expression.parse(text, names=names)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names", "feature"),
    [("lambda*2", ["a", "lambda"], 1), ("µ", ["μ", "µ"], 1), ("`2nd x`", ["2nd x"], 0), ("`a``b`", ["`", "a`b"], 1),
     ("e", ["e"], 0), ("x0", ["a", "x0"], 1), ("sin", ["sin"], 0), ("ab", ("b", "ab"), 1)],
)  # fmt: skip
def test_names_win(text, names, feature):
    assert Expression.parse(text, names=names).features == (feature,)


def test_named_constants():
    assert Expression.parse("2*pi - e").evaluate([[]])[0] == pytest.approx(3.564903478720541)


def test_arguments_that_are_no_lists():
    with pytest.raises(ValueError, match="names is the text 'ab': give a list of names"):
        Expression.parse("a", names="ab")
    with pytest.raises(ValueError, match="operators is one operator, 'f': give a list"):
        Expression.parse("f(x0)", operators=Expression.operator("f(x) = x + 1"))


def test_errors_can_be_pickled():
    with pytest.raises(ParseError) as caught:
        Expression.parse("2*sinn(x0)")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.position, again.length) == (str(caught.value), 2, 4)


PIECES = st.sampled_from(
    "x0 x1 x sin( log( max( ) ( [ ] { } + - * ** / // ^ , . : := = == < % @ ~ & | ! ? 1 2.5 1e5 1e 0x1 1j 007 _ __ "
    "lambda if else for in is not and or await yield True None ... ` `` # ' \" \\ f' \n \t \0 \u200b é µ ² × ٣ x٣ 𝟙 "
    "nan inf pi e import".split(" ")
)


@settings(max_examples=700, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=12).map("".join), st.lists(PIECES, max_size=12).map(" ".join), st.text()))
@example("\f x0")
@example("0_0")
@example("x0\r\n+ 1")
@example("1if 1else 1")
def test_any_text_gives_a_formula_or_a_parse_error(text):
    for names in (None, ["lambda", "é", "if", "`"]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                e = Expression.parse(text, names=names)
            except ParseError as error:
                assert 0 <= error.position <= max(len(text), MAX_LENGTH)
                continue
        assert Expression.parse(str(e), names=names) == e
