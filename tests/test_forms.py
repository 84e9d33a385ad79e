"""Grades as Moodle and Canvas import them: a line for each student, and one grade or none."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from test_roster import FILES

from sheetcnn.cli import main
from sheetcnn.errors import ExerciseError
from sheetcnn.handout.forms import write_form
from sheetcnn.handout.grade import Grade
from sheetcnn.handout.grader import read_key
from sheetcnn.handout.handout import Handout
from sheetcnn.handout.marking import Graded
from sheetcnn.handout.roster import read_roster
from sheetcnn.handout.writer import hand_out

Give = Callable[[str], Handout]


@pytest.fixture
def give(tmp_path: Path) -> Give:
    """What a key tells of a handout to the students of a roster."""

    def handed_out(roster: str) -> Handout:
        (tmp_path / "r.csv").write_text(roster, encoding="utf-8")
        return read_key(hand_out("cs231n", "cs231n", tmp_path / "out", students=tmp_path / "r.csv", overwrite=True).key)[0]

    return handed_out


def grades(handout: Handout) -> list[Grade]:
    """Of Anna two files, of which one counts; Bob has handed in none; and a file of nobody."""
    anna, bob, *_ = handout.students
    wrong = Graded(1.5, 3.0, 1, 2, ["wrong: conv!B9 is 8, should be 7", "left blank: conv!C9"])
    return [
        Grade("Anna.xlsx", anna.name, 7.0, [wrong, Graded(4.0, 4.0)], ["this is the second attempt"], 1, anna),
        Grade("Anna-1.xlsx", anna.name, 7.0, [Graded(0.0, 3.0), Graded(0.0, 4.0)], [], 1, anna, False),
        Grade("", bob.name, 7.0, [], ["no file was handed in"], None, bob),
        Grade("zoe.xlsx", "zoe", 7.0, [Graded(3.0, 3.0)], [], 1, None),
    ]


SAID = "this is the second attempt; task 1: 1.5 of 3 (wrong: conv!B9 is 8, should be 7; left blank: conv!C9); task 2: 4 of 4"


def written(kind: str, handout: Handout, tmp_path: Path) -> tuple[list[list[str]], tuple[str, ...]]:
    path = tmp_path / f"{kind}.csv"
    notes = write_form(kind, path, grades(handout), handout)
    data = path.read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(data.decode().splitlines())), notes


def test_moodle(give: Give, tmp_path: Path) -> None:
    rows, notes = written("moodle", give(FILES["moodle quoted"][0]), tmp_path)
    title = rows[0][3]
    assert rows == [
        ["Full name", "Email address", "ID number", title, f"{title} (feedback)"],
        ["Anna Schmidt", "a@x.org", "101", "5.5", SAID],
        ["Bob Jones", "b@x.org", "102", "", ""],
    ]
    assert notes == ("1 file is of nobody on the roster, and not in it",)
    assert written("moodle", give("Anna\nBob\n"), tmp_path)[1][0] == (
        "the roster has neither e-mail addresses nor numbers by which Moodle finds Anna, Bob"
    )


def test_moodles_worksheet(give: Give, tmp_path: Path) -> None:
    """It comes back as it was, with grades and comments in it: Moodle reads its own words only."""
    roster = FILES["moodle worksheet german"][0]
    rows, notes = written("moodle", give(roster), tmp_path)
    expected = list(csv.reader(roster.splitlines()))
    expected[1][5], expected[1][9] = "5.5", SAID
    assert rows == expected
    assert rows[1][0] == "Teilnehmer/in7"
    assert notes[0] == "the exercise has 7 points, Moodle's assignment 10,00: let them be the same there"
    rows, notes = written("moodle", give(FILES["moodle worksheet"][0].replace("10.00", "7.00")), tmp_path)
    assert [row[4] for row in rows] == ["Grade", "5.5", ""]
    assert [row[0] for row in rows] == ["Identifier", "Participant 101", "Participant 102"]
    assert len(notes) == 1


def test_canvas(give: Give, tmp_path: Path) -> None:
    handout = give(FILES["canvas"][0])
    rows, _ = written("canvas", handout, tmp_path)
    title = handout.exercise.settings.title
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title],
        ["    Points Possible", "", "", "", "", "7"],
        ["Schmidt, Anna", "101", "s1", "anna", "Sec1", "5.5"],
        ["Jones, Bob", "102", "s2", "bob", "Sec1 and Sec2", ""],
    ]
    again = read_roster(tmp_path / "canvas.csv").students
    assert [(one.name, one.number, one.columns) for one in again] == [
        (one.name, one.number, one.columns) for one in handout.students
    ]
    rows, _ = written("canvas", give(FILES["canvas first and last"][0]), tmp_path)
    assert rows[0][:5] == ["LastName", "FirstName", "ID", "SIS Login ID", "Section"]
    assert rows[2][:3] == ["Schmidt", "Anna", "101"]


def test_canvas_without_its_roster(give: Give, tmp_path: Path) -> None:
    rows, notes = written("canvas", give(FILES["moodle quoted"][0]), tmp_path)
    assert rows[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert rows[2:] == [
        ["Anna Schmidt", "", "101", "a@x.org", "", "5.5"],
        ["Bob Jones", "", "102", "b@x.org", "", ""],
    ]
    assert len(notes) == 1


@pytest.mark.parametrize("kind", ["moodle", "canvas"])
def test_no_formulas(give: Give, tmp_path: Path, kind: str) -> None:
    """Whatever separator a spreadsheet program reads the form by, no cell begins as a formula does."""
    handout = give("Name;ID\n=1+A1;101\nBo =2+A1;+5A\n")
    written(kind, handout, tmp_path)
    text = (tmp_path / f"{kind}.csv").read_text(encoding="utf-8")
    assert "1+A1" in text
    for sign in ",;\t|":
        for row in csv.reader(text.splitlines(), delimiter=sign):
            assert not [cell for cell in row if cell.strip("\"' ") != "-" and cell.lstrip('" ')[:1] in ("=", "+", "-", "@")]


def test_without_a_roster(tmp_path: Path) -> None:
    made = hand_out("cs231n", "cs231n", tmp_path / "out")
    with pytest.raises(ExerciseError, match="a form for Canvas needs a roster; hand out with --students"):
        write_form("canvas", tmp_path / "c.csv", [], made.handout)
    assert not (tmp_path / "c.csv").exists()
    with pytest.raises(SystemExit) as done:
        main(["grade", str(tmp_path / "out"), "--key", str(made.key), "-o", str(tmp_path / "g.csv"), "--form", "moodle"])
    assert done.value.code == 2
    assert not (tmp_path / "g.csv").exists()


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.csv").write_text(FILES["canvas"][0], encoding="utf-8")
    made = hand_out("cs231n", "cs231n", tmp_path / "out", students=tmp_path / "r.csv")
    made.workbooks[1].unlink()
    out = tmp_path / "grades.csv"
    for form in ("canvas", "moodle"):
        with pytest.raises(SystemExit) as done:
            main(["grade", str(made.workbooks[0].parent), "--key", str(made.key), "-o", str(out), "--form", form])
        assert done.value.code == 0
        assert f"wrote {tmp_path / f'grades-{form}.csv'}, to be imported in {form.capitalize()}" in capsys.readouterr().out
    rows = list(csv.reader((tmp_path / "grades-canvas.csv").read_text(encoding="utf-8").splitlines()))
    assert [row[-1] for row in rows[1:]] == ["7", "0", ""]
    table = csv.DictReader((tmp_path / "grades.csv").read_text(encoding="utf-8-sig").splitlines())
    assert [row["number"] for row in table] == ["101", "102"]
