"""What is written and said of a class: the table, which no separator brings to life, and the summary."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from test_hand_ins import Lay, lay, made, same  # noqa: F401 - fixtures

from sheetcnn.cli import main
from sheetcnn.errors import ExerciseError
from sheetcnn.handout.grade import Grade
from sheetcnn.handout.grader import read_key
from sheetcnn.handout.marking import Graded
from sheetcnn.handout.report import class_summary, harmless, page, points_text, refuse_output, write_csv
from sheetcnn.handout.student import Student
from sheetcnn.handout.writer import HandedOut

NASTY = [
    ";=1+1;",
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    " =1+1",
    '"=1+1',
    ';"=1+1',
    'a";"=1+1',
    "a,=1",
    "a\t=1",
    "a|+1",
    "a; -cmd|' /C calc'!A0",
    "a\n=1+1",
    "a\r\n@x",
    "a\u2028=1",
    "=HYPERLINK(\"x\";\"y\")",
    "a =1",
    "a:=1",
    "＝1+1",
    '";";=1',
]  # fmt: skip


def cells(text: str, separator: str) -> list[str]:
    """What a program that takes this separator sees, with quotation marks minded and not."""
    lines = text.removeprefix("\ufeff").splitlines()
    minded = [cell for row in csv.reader(lines, delimiter=separator) for cell in row]
    return minded + [cell for line in lines for cell in line.split(separator)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":", " "])
def test_no_cell_is_a_formula_whatever_the_separator(separator: str, same: HandedOut, tmp_path: Path) -> None:  # noqa: F811
    task = Graded(1.0, 2.0, 0, 0, ["wrong: conv!B9 is -3, should be -2", "a;=1"], ["'=x'!B9"])
    grades = [Grade(text, text, 2.0, [task], [text], who=Student(text, "x", text, text)) for text in NASTY]
    write_csv(tmp_path / "g.csv", grades, same.handout.exercise)
    for cell in cells((tmp_path / "g.csv").read_text(encoding="utf-8"), separator):
        bare = cell.lstrip(' \t"“”')
        assert not bare.startswith(("=", "+", "@", "＝")), cell
        assert not re.match(r"-(?!\d+[,;]?\Z)", bare), cell


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (";=1+1;", ";'=1+1;"),
        ("=1", "'=1"),
        ("-1", "'-1"),
        ("a; -1", "a; '-1"),
        ('a;"=1', "a;\"'=1"),
        ("a\n=1", "a '=1"),
        # What is no formula stays as it is.
        ("Anna-Lena Schmidt", "Anna-Lena Schmidt"),
        ("handout - Anna.xlsx", "handout - Anna.xlsx"),
        ("anna@school.org", "anna@school.org"),
        ("wrong: conv!B9 is -3, should be 4", "wrong: conv!B9 is -3, should be 4"),
        ("a_1_assignsubmission_file_/x.xlsx", "a_1_assignsubmission_file_/x.xlsx"),
        ("", ""),
    ],
)
def test_harmless(text: str, becomes: str) -> None:
    assert harmless(text) == becomes


def test_the_table(same: HandedOut, tmp_path: Path) -> None:  # noqa: F811
    anna = Student("Anna Schmidt", "Anna_Schmidt.xlsx", "a@school.org", "0471")
    look = [f"conv!B{row}" for row in range(9, 17)]
    grades = [
        Grade("a.xlsx", "Anna Schmidt", 4.0, [Graded(2.5, 4.0, 1, 2, ["left blank: conv!B9"], look)], ["late"], 1, anna),
        Grade("b.xlsx", "Anna Schmidt", 4.0, [], ["does not count"], None, anna, counts=False),
        Grade("", "Bob Jones", 4.0, [], ["no file was handed in"]),
    ]
    write_csv(tmp_path / "g.csv", grades, same.handout.exercise)
    with (tmp_path / "g.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["student", "e-mail", "number", "file", "points", "of", "task 1 (fill)", "counts", "look at", "remarks"],
            [
                "Anna Schmidt",
                "a@school.org",
                "0471",
                "a.xlsx",
                "2.5",
                "4",
                "2.5",
                "yes",
                "task 1: conv!B9, conv!B10, conv!B11, conv!B12, conv!B13, conv!B14 and 2 more",
                "late; task 1: left blank: conv!B9",
            ],
            ["Anna Schmidt", "a@school.org", "0471", "b.xlsx", "0", "4", "", "no", "", "does not count"],
            ["Bob Jones", "", "", "", "0", "4", "", "", "", "no file was handed in"],
        ]


def test_what_is_said_of_a_class() -> None:
    anna, bob = Student("Anna", "a.xlsx"), Student("Bob", "b.xlsx")
    right, unknown = Graded(1.0, 1.0), Graded(0.0, 1.0, look=["conv!B9"])
    grades = [
        Grade("a.xlsx", "Anna", 1.0, [unknown], who=anna),
        Grade("a-1.xlsx", "Anna", 1.0, [unknown], who=anna, counts=False),
        Grade("b.pdf", "Bob", 1.0, who=bob),
        Grade("x.xlsx", "x", 1.0, [right]),
        Grade("", "Cem", 1.0),
    ]
    assert class_summary(grades, 3) == [
        "2 of 3 students handed in; missing: Cem",
        "1 file of nobody on the roster",
        "1 file not graded: the remarks say why",
        "1 student has cells that nobody could evaluate: look at them (column “look at”)",
    ]
    assert class_summary([grades[3]], 0) == ["1 student handed in"]
    many = [Grade("", f"s{n}", 1.0) for n in range(10)]
    assert class_summary(many, 10) == ["0 of 10 students handed in; missing: s0, s1, s2, s3, s4, s5, s6, s7 and 2 more"]


def test_the_place_of_the_table_is_looked_at_first(
    same: HandedOut,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before the key is read even, let alone a class graded."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.csv").mkdir()
    for place, words in (
        ("none/g.csv", f"there is no folder {tmp_path / 'none'}"),
        ("file/g.csv", f"there is no folder {tmp_path / 'file'}"),
        ("folder.csv", "is a folder; give the table a name"),
    ):
        with pytest.raises(ExerciseError, match=re.escape(words)):
            refuse_output(tmp_path / place)
        with pytest.raises(SystemExit) as stopped:
            main(["grade", str(tmp_path), "--key", str(tmp_path / "no key"), "-o", str(tmp_path / place)])
        assert stopped.value.code == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert words in err
    refuse_output(tmp_path / "g.csv")


def test_command(made: HandedOut, lay: Lay, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    (tmp_path / "g.csv").write_text("an older table")
    folder = lay({"Anna Schmidt_1_assignsubmission_file_/=1+1.xlsx": made.workbooks[0], "Bob Jones.pdf": b"%PDF"})
    with pytest.raises(SystemExit) as stopped:
        main(["grade", str(folder), "--key", str(made.key), "-o", str(tmp_path / "g.csv")])
    assert not stopped.value.code
    out = capsys.readouterr().out
    assert "2 of 3 students handed in; missing: Cem Öz\n1 file not graded: the remarks say why\n" in out
    table = list(csv.reader((tmp_path / "g.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row[3] for row in table[1:]] == ["Anna Schmidt_1_assignsubmission_file_/'=1+1.xlsx", "Bob Jones.pdf", ""]
    assert len(list((tmp_path / "g-reports").iterdir())) == 2


def test_names_that_are_no_text(same: HandedOut, tmp_path: Path) -> None:  # noqa: F811
    """Linux lets a name be any bytes."""
    grade = Grade("\udcff.xlsx", "\udcff", 4.0)
    write_csv(tmp_path / "g.csv", [grade], read_key(same.key)[0].exercise)
    assert (tmp_path / "g.csv").read_text(encoding="utf-8").endswith("?,,,?.xlsx,0,4,,yes,,\n")
    assert "?" in page(grade, same.handout.exercise)
    assert points_text(2.50) == "2.5"
