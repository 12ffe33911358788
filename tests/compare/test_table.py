"""Rows of a CSV file: added one by one, none twice, and never to a file of another kind."""

from dataclasses import dataclass

import pytest

from srlib.compare.table import fill


@dataclass(frozen=True)
class Square:
    number: int
    weight: float
    square: float


def square(number, weight):
    return Square(number, weight, weight * number**2)


KEY = ("number", "weight")


def test_jobs_are_done_once(tmp_path):
    path, reported = tmp_path / "t.csv", []
    fill(path, square, [(1, 1.0), (2, 1.0)], Square, KEY, report=reported.append)
    table = fill(path, square, [(2, 1.0), (3, 1.0), (3, 0.5)], Square, KEY, report=reported.append)
    assert [row.square for row in reported] == [1.0, 4.0, 9.0, 4.5]
    assert table["square"].tolist() == [1.0, 4.0, 9.0, 4.5]


def test_what_was_done_before_a_failure_is_kept(tmp_path):
    path = tmp_path / "t.csv"

    def fails_at_3(number, weight):
        return square(number, weight) if number != 3 else 1 / 0

    with pytest.raises(ZeroDivisionError):
        fill(path, fails_at_3, [(1, 1.0), (2, 1.0), (3, 1.0)], Square, KEY)
    assert len(fill(path, square, [], Square, KEY)) == 2


def test_no_job_and_no_file_is_an_empty_table(tmp_path):
    table = fill(tmp_path / "t.csv", square, [], Square, KEY)
    assert len(table) == 0 and list(table.columns) == ["number", "weight", "square"]


def test_a_file_with_other_columns_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="t.csv.*columns are"):
        fill(path, square, [(1, 1.0)], Square, KEY)
    assert path.read_text() == "a,b\n1,2\n"
