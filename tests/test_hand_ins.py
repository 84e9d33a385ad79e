"""What comes back from a class: archives and names as school systems make them, and files that are no workbooks."""

from __future__ import annotations

import io
import os
import shutil
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from sheetcnn.errors import ExerciseError
from sheetcnn.handout.grader import Grade, grade
from sheetcnn.handout.hand_ins import HandIn, hand_ins
from sheetcnn.handout.kinds import Kind, kind_of
from sheetcnn.handout.people import People, attempt_order
from sheetcnn.handout.student import Student
from sheetcnn.handout.writer import HandedOut, hand_out

NETWORK = """
name = "small"
[input]
channels = 1
height = 3
width = 3
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 1
kernel_size = 2
weight = [[[[1, 2], [0, 1]]]]
bias = [1]
"""
TASK = 'title = "Small"\n[[tasks]]\nkind = "fill"\nlayer = "conv"\npoints = 4\n'
ROSTER = "Anna Schmidt\nBob Jones\nCem Öz\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandedOut:
    """An exercise handed out to three students: Anna Schmidt, Bob Jones and Cem Öz."""
    return written(tmp_path_factory.mktemp("class"), ROSTER)


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> HandedOut:
    """The same workbook for everybody."""
    return written(tmp_path_factory.mktemp("class"), None)


def written(folder: Path, roster: str | None) -> HandedOut:
    (folder / "net.toml").write_text(NETWORK, encoding="utf-8")
    (folder / "net.exercise.toml").write_text(TASK, encoding="utf-8")
    np.save(folder / "net.npy", [[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]])
    if roster:
        (folder / "roster.csv").write_text(roster, encoding="utf-8")
    return hand_out(
        folder / "net.toml", folder / "net.npy", folder / "out", students=folder / "roster.csv" if roster else None
    )


Lay = Callable[..., Path]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """A function that makes a folder of files, which are copies of others, or bytes."""

    def make(files: dict[str, Path | bytes]) -> Path:
        folder = tmp_path / "in"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        return folder

    return make


def touched(book: Path, to: Path, words: str = "other bytes") -> Path:
    """A student's workbook saved once more, so that its bytes are its own."""
    opened = openpyxl.load_workbook(book)
    opened.properties.title = words
    opened.save(to)
    return to


def rows(grades: list[Grade]) -> list[tuple[str, str, list[str]]]:
    return [(one.student, one.file, one.remarks) for one in grades]


# -- whose they are ----------------------------------------------------------------------------------------------------------
def test_canvas(made: HandedOut, lay: Lay) -> None:
    """Who lies under another's name is told, and so is that person; nobody else is."""
    anna, _, cem = made.workbooks
    folder = lay(
        {
            "schmidtanna_501_9001_Anna_Schmidt.xlsx": anna,
            "jonesbob_LATE_502_9002_Bob_Jones-1.xlsx": anna,
            "zcem_503_9003_Cem_Öz.xlsx": cem,
            "zcem_503_text.html": b"<p>see the file</p>",
        }
    )
    assert rows(grade(folder, made.key)) == [
        (
            "Anna Schmidt",
            "schmidtanna_501_9001_Anna_Schmidt.xlsx",
            [
                "Bob Jones handed in the workbook made for Anna Schmidt (jonesbob_LATE_502_9002_Bob_Jones-1.xlsx)",
                "the same file, byte for byte, as jonesbob_LATE_502_9002_Bob_Jones-1.xlsx of Bob Jones",
            ],
        ),
        (
            "Bob Jones",
            "jonesbob_LATE_502_9002_Bob_Jones-1.xlsx",
            [
                "this is the workbook made for Anna Schmidt, by whose numbers it is graded",
                "the same file, byte for byte, as schmidtanna_501_9001_Anna_Schmidt.xlsx of Anna Schmidt",
            ],
        ),
        ("Cem Öz", "zcem_503_9003_Cem_Öz.xlsx", []),
    ]


def test_whose_workbook_another_handed_in_is_not_told_to_have_handed_in_nothing(made: HandedOut, lay: Lay) -> None:
    folder = lay({"Bob Jones_2_assignsubmission_file_/handout.xlsx": made.workbooks[0]})
    grades = grade(folder, made.key)
    assert rows(grades) == [
        (
            "Bob Jones",
            "Bob Jones_2_assignsubmission_file_/handout.xlsx",
            ["this is the workbook made for Anna Schmidt, by whose numbers it is graded"],
        ),
        (
            "Anna Schmidt",
            "",
            [
                "Bob Jones handed in the workbook made for Anna Schmidt (Bob Jones_2_assignsubmission_file_/handout.xlsx)",
            ],
        ),
        ("Cem Öz", "", ["no file was handed in"]),
    ]
    assert [(one.who.name if one.who else None, one.number) for one in grades] == [
        ("Bob Jones", 1),
        ("Anna Schmidt", None),
        ("Cem Öz", None),
    ]


def test_names_that_tell_nothing(made: HandedOut, lay: Lay) -> None:
    """Then the workbook says whose it is, and nothing is remarked on."""
    anna, bob, cem = made.workbooks
    folder = lay(
        {"Copy of handout.xlsx": anna, "handout (1).xlsx": bob, "Participant_101_assignsubmission_file_/handout.xlsx": cem}
    )
    assert rows(grade(folder, made.key)) == [
        ("Anna Schmidt", "Copy of handout.xlsx", []),
        ("Bob Jones", "handout (1).xlsx", []),
        ("Cem Öz", "Participant_101_assignsubmission_file_/handout.xlsx", []),
    ]


def test_a_name_that_the_roster_lacks(made: HandedOut, lay: Lay, tmp_path: Path) -> None:
    """It may be a nickname, or a stranger with somebody's workbook: where its own student has handed it in too."""
    anna, bob, _ = made.workbooks
    folder = lay(
        {
            "Annie Schmidt_1_assignsubmission_file_/handout.xlsx": anna,
            "Bob Jones_2_assignsubmission_file_/handout.xlsx": bob,
            "Zoe Zappa_3_assignsubmission_file_/handout.xlsx": touched(bob, tmp_path / "copy.xlsx"),
        }
    )
    assert rows(grade(folder, made.key)) == [
        (
            "Anna Schmidt",
            "Annie Schmidt_1_assignsubmission_file_/handout.xlsx",
            ["it lies under the name Annie Schmidt, which is not on the roster"],
        ),
        (
            "Bob Jones",
            "Bob Jones_2_assignsubmission_file_/handout.xlsx",
            ["Zoe Zappa handed in the workbook made for Bob Jones (Zoe Zappa_3_assignsubmission_file_/handout.xlsx)"],
        ),
        (
            "Zoe Zappa",
            "Zoe Zappa_3_assignsubmission_file_/handout.xlsx",
            [
                "it lies under the name Zoe Zappa, which is not on the roster",
                "this is the workbook made for Bob Jones, by whose numbers it is graded",
            ],
        ),
        ("Cem Öz", "", ["no file was handed in"]),
    ]


def test_two_people_of_one_name(lay: Lay, tmp_path: Path) -> None:
    """The workbook settles which of them it is; where it cannot, both are told."""
    made = written(tmp_path, "Anna Schmidt\nAnna Schmidt\n")
    first, second = made.workbooks
    folder = lay(
        {
            "Anna Schmidt_1_assignsubmission_file_/a.xlsx": second,
            "Anna Schmidt_2_assignsubmission_file_/b.xlsx": b"%PDF-1.7",
        }
    )
    assert rows(grade(folder, made.key)) == [
        ("Anna Schmidt", "Anna Schmidt_1_assignsubmission_file_/a.xlsx", []),
        (
            "Anna Schmidt 2",
            "Anna Schmidt_2_assignsubmission_file_/b.xlsx",
            [
                "not graded: is no workbook but a PDF; ask for the workbook itself, saved as .xlsx",
                "the name that it lies under is that of Anna Schmidt or Anna Schmidt",
            ],
        ),
        ("Anna Schmidt", "", ["no file is surely theirs; Anna Schmidt_2_assignsubmission_file_/b.xlsx may be"]),
    ]
    assert first.name == "Anna_Schmidt.xlsx"


def test_a_workbook_without_its_hidden_sheet_is_graded_by_its_name(made: HandedOut, lay: Lay, tmp_path: Path) -> None:
    opened = openpyxl.load_workbook(made.workbooks[1])
    opened.remove(opened["_sheetcnn"])
    opened.save(tmp_path / "gone.xlsx")
    folder = lay({"Bob Jones/work.xlsx": tmp_path / "gone.xlsx", "work.xlsx": tmp_path / "gone.xlsx"})
    grades = {one.file: one for one in grade(folder, made.key)}
    assert grades["Bob Jones/work.xlsx"].number == 2
    assert grades["Bob Jones/work.xlsx"].remarks[0] == (
        "its hidden sheet _sheetcnn is missing or damaged; the name that it lies under tells whose it is"
    )
    assert (
        grades["work.xlsx"].remarks[0]
        == "not graded: is no workbook of this handout (its hidden sheet _sheetcnn is missing)"
    )


STUDENTS = [
    Student("Anna Schmidt", "Anna_Schmidt.xlsx", "a.schmidt@school.org", "4711"),
    Student("Jones, Bob", "Jones_Bob.xlsx", "bob@school.org", "1234567"),
    Student("Cem Öz", "Cem_Öz.xlsx"),
    Student("Jürgen Strauß", "Jürgen_Strauß.xlsx", columns=(("Identifier", "Participant 105"),)),
    Student("Anna Maria López García", "Anna_Maria_López_García.xlsx"),
    Student("Kate O'Brien", "Kate_O_Brien.xlsx"),
    Student("Bo", "Bo.xlsx"),
    Student("Łukasz Żak", "Łukasz_Żak.xlsx"),
]
MOODLE = "_101_assignsubmission_file_/handout.xlsx"


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("Anna Schmidt" + MOODLE, "Anna Schmidt"),
        ("Schmidt, Anna" + MOODLE, "Anna Schmidt"),
        ("Schmidt Anna_101_assignsubmission_file_my work.xlsx", "Anna Schmidt"),
        ("Group 3-Anna Schmidt" + MOODLE, "Anna Schmidt"),
        ("Team Bo-Anna Schmidt" + MOODLE, "Anna Schmidt"),
        ("Group A-Bo" + MOODLE, "Bo"),
        ("Bob Jones_1_assignsubmission_file_/Anna_Schmidt.xlsx", "Jones, Bob"),  # the file's name is the student's own
        ("Anna Maria López García" + MOODLE, "Anna Maria López García"),
        ("Anna Lopez" + MOODLE, "Anna Maria López García"),
        ("schmidtanna_501_9001_Jones_Bob.xlsx", "Anna Schmidt"),
        ("jonesbob_late_502_9002_x.xlsx", "Jones, Bob"),
        ("jonesbob_502_9002_all.zip/handout.xlsx", "Jones, Bob"),
        ("zcem_503_9003_Cem_Öz.xlsx", "Cem Öz"),
        ("öz cem_503_9003_x.xlsx", "Cem Öz"),
        ("straujrgen_504_9004_x.xlsx", "Jürgen Strauß"),
        ("straussjuergen_504_9004_x.xlsx", "Jürgen Strauß"),
        ("lpezgarcaannamaria_505_9005_x.xlsx", "Anna Maria López García"),
        ("obrienkate_506_9006_x.xlsx", "Kate O'Brien"),
        ("akukasz_507_9007_x.xlsx", "Łukasz Żak"),
        ("Homework 1_bob_attempt_2026-01-31-10-11-12_work.xlsx", "Jones, Bob"),
        ("Homework_1_a.schmidt_attempt_2026-01-31-10-11-12_work.xlsx", "Anna Schmidt"),
        ("1234-567 - Anna Schmidt - Jan 31, 2026 1011 AM/work.xlsx", "Anna Schmidt"),
        ("Submitted files/Anna Schmidt/Small/Version 2/handout.xlsx", "Anna Schmidt"),
        ("Schmidt, Anna(aschmidt)/Submission attachment(s)/handout.xlsx", "Anna Schmidt"),
        ("handout - Anna Schmidt.xlsx", "Anna Schmidt"),
        ("Anna Schmidt - handout (2).xlsx", "Anna Schmidt"),
        ("Copy of handout - Bo.xlsx", "Bo"),
        ("Anna_Schmidt-2.xlsx", "Anna Schmidt"),
        ("bob.jones.xlsx", "Jones, Bob"),
        ("BobJones.xlsx", "Jones, Bob"),
        ("1234567_work.xlsx", "Jones, Bob"),
        ("bob@school.org.xlsx", "Jones, Bob"),
        (unicodedata.normalize("NFD", "Cem Öz") + "/handout.xlsx", "Cem Öz"),
        ("Cem #U00d6z/handout.xlsx", "Cem Öz"),  # as unzip writes it
        ("Cem Ã–z/handout.xlsx", "Cem Öz"),
        ("Cem _z/handout.xlsx", "Cem Öz"),
        ("Juergen Strauss.xlsx", "Jürgen Strauß"),
        ("handout.xlsx", None),
        ("week 4711.xlsx", None),  # a number as short as this may be anything
        ("Anna.xlsx", None),
        ("Zoe Zappa" + MOODLE, None),
        ("anon_x1Y2z_9001_handout.xlsx", None),
        ("May_homework.xlsx", None),
    ],
)
def test_names_in_paths(name: str, who: str | None) -> None:
    [claim] = People(STUDENTS).claims([HandIn(Path(), name, 0.0)])
    assert [STUDENTS[n - 1].name for n in claim.students] == ([who] if who else [])


def test_numbers_of_a_system_say_only_what_names_leave_open() -> None:
    """Moodle's are others in each assignment, and the roster may be that of another."""
    names = ["Participant_105_assignsubmission_file_/handout.xlsx", "Anna Schmidt_105_assignsubmission_file_/handout.xlsx"]
    nameless, named = People(STUDENTS).claims([HandIn(Path(), name, 0.0) for name in names])
    assert (nameless.students, nameless.rest, nameless.by_system) == (frozenset(), {4}, False)
    assert (named.students, named.rest, named.by_system) == ({1}, frozenset(), True)


@pytest.mark.parametrize(
    ("names", "people"),
    [
        (["Anna Schmidt" + MOODLE, "Bob Jones_102_assignsubmission_file_/x.xlsx"], ["Anna Schmidt", "Bob Jones"]),
        (["Group A-Anna Schmidt" + MOODLE], ["Anna Schmidt"]),
        (["Anna-Lena Schmidt" + MOODLE], ["Anna-Lena Schmidt"]),
        (["Participant" + MOODLE], ["Participant 101"]),
        (["Anna_1_assignsubmission_file_/a.xlsx", "Anna_2_assignsubmission_file_/a.xlsx"], ["Anna 1", "Anna 2"]),
        (["schmidtanna_LATE_501_9001_handout.xlsx"], ["schmidtanna"]),
        (["Task 1_aschmidt_attempt_2026-01-31-10-11-12_handout.xlsx"], ["aschmidt"]),
        (["Anna/handout.xlsx", "Bob/handout (1).xlsx"], ["Anna", "Bob"]),
        (["g/Anna/Task/Version 1/work.xlsx", "g/Bob/Task/Version 2/work.xlsx"], ["Anna", "Bob"]),
        (["Anna.zip/handout.xlsx", "Bob.zip/handout.xlsx"], ["Anna", "Bob"]),
        (["group 1/anna.xlsx", "group 1/bob.xlsx"], ["anna", "bob"]),
        (["handout - Anna.xlsx", "Bob - handout.xlsx"], ["Anna", "Bob"]),
        (["handout.xlsx", "handout (1).xlsx"], ["handout", "handout (1)"]),  # two people's, numbered by a browser
        ([";=1+1;.xlsx"], [";=1+1;"]),
    ],
)
def test_names_without_a_roster(names: list[str], people: list[str]) -> None:
    claims = People(()).claims([HandIn(Path(), name, 0.0) for name in names])
    assert [claim.person for claim in claims] == people
    assert len({claim.key for claim in claims}) == len(people)


# -- attempts and copies -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "names",
    [
        ["a_1_9001_x-2.xlsx", "a_1_9002_x-1.xlsx"],  # uploads are numbered
        ["a_1_9001_x.xlsx", "a_1_9001_x-1.xlsx", "a_1_9001_x-2.xlsx", "a_1_9001_x-10.xlsx"],
        ["t_anna_attempt_2026-01-31-10-11-12_x.xlsx", "t_anna_attempt_2026-02-01-09-00-00_x.xlsx"],
        ["Anna/Version 2/x.xlsx", "Anna/Version 10/x.xlsx"],
        ["x.xlsx", "x_v2.xlsx"],
        ["x.xlsx", "Copy of x.xlsx", "x (2).xlsx"],
    ],
)
def test_the_order_of_attempts(names: list[str]) -> None:
    found = [HandIn(Path(), name, 10.0 - n) for n, name in enumerate(names)]  # the time of a copy is no proof
    found.reverse()
    assert [one.name for one in sorted(found, key=attempt_order)] == names
    older, newer = HandIn(Path(), "b.xlsx", 1.0), HandIn(Path(), "a.xlsx", 2.0)
    assert attempt_order(older) < attempt_order(newer)


def test_the_latest_attempt_counts_and_all_are_listed(made: HandedOut, lay: Lay, tmp_path: Path) -> None:
    bob = made.workbooks[1]
    folder = lay(
        {
            "jonesbob_502_9001_x.xlsx": bob,
            "jonesbob_502_9002_x-1.xlsx": touched(bob, tmp_path / "b.xlsx"),
            "jonesbob_502_9003_screen.png": b"\x89PNG\r\n",
        }
    )
    grades = grade(folder, made.key)[:3]
    assert [(one.student, one.file, one.counts, one.remarks) for one in grades] == [
        (
            "Bob Jones",
            "jonesbob_502_9001_x.xlsx",
            False,
            ["does not count: jonesbob_502_9002_x-1.xlsx is the latest attempt"],
        ),
        (
            "Bob Jones",
            "jonesbob_502_9002_x-1.xlsx",
            True,
            ["the latest of 3 attempts; handed in too: jonesbob_502_9001_x.xlsx, jonesbob_502_9003_screen.png"],
        ),
        (
            "Bob Jones",
            "jonesbob_502_9003_screen.png",
            False,
            [
                "not graded: is no workbook but a picture; ask for the workbook itself, saved as .xlsx",
                "does not count: jonesbob_502_9002_x-1.xlsx is the latest attempt",
            ],
        ),
    ]


def test_identical_copies(same: HandedOut, lay: Lay, tmp_path: Path) -> None:
    """Two people's are told; one's own are nobody's business, nor are empty files."""
    [book] = same.workbooks
    other = touched(book, tmp_path / "other.xlsx")
    folder = lay(
        {
            "Anna/handout.xlsx": book,
            "Bob/handout.xlsx": book,
            "Cem/handout.xlsx": other,
            "Cem/handout (1).xlsx": other,
            "Dora/handout.xlsx": b"",
            "Emil/handout.xlsx": b"",
        }
    )
    assert [(one.student, one.counts, one.remarks) for one in grade(folder, same.key)] == [
        ("Anna", True, ["the same file, byte for byte, as Bob/handout.xlsx of Bob"]),
        ("Bob", True, ["the same file, byte for byte, as Anna/handout.xlsx of Anna"]),
        ("Cem", True, ["the latest of 2 attempts; handed in too: Cem/handout.xlsx"]),
        ("Cem", False, ["does not count: Cem/handout (1).xlsx is the latest attempt"]),
        ("Dora", True, ["not graded: is empty; ask for it again"]),
        ("Emil", True, ["not graded: is empty; ask for it again"]),
    ]


def test_the_key_itself(made: HandedOut, lay: Lay) -> None:
    folder = lay({"Anna Schmidt_1_assignsubmission_file_/handout.xlsx": made.key})
    one = grade(folder, made.key)[0]
    assert (one.student, one.points, one.tasks) == ("Anna Schmidt", 0.0, [])
    assert one.remarks == ["not graded: this is the key, not a student's workbook"]


# -- archives ----------------------------------------------------------------------------------------------------------------
def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_the_archive_as_it_was_downloaded(made: HandedOut, tmp_path: Path, private: Path) -> None:
    """With folders, a student's own archive in it, and what systems and programs leave beside."""
    anna, bob, cem = (path.read_bytes() for path in made.workbooks)
    archive = zipped(
        tmp_path / "Small-1234.zip",
        {
            "Anna Schmidt_1_assignsubmission_file_/handout.xlsx": anna,
            "Anna Schmidt_1_assignsubmission_onlinetext_/onlinetext.html": b"<p>here it is</p>",
            "Bob Jones_2_assignsubmission_file_/work.zip": packed(
                {"work/handout.xlsx": bob, "__MACOSX/work/._handout.xlsx": b"x"}
            ),
            "Cem Öz_3_assignsubmission_file_/handout.xlsx": cem,
            "Cem Öz_3_assignsubmission_file_/Thumbs.db": b"x",
            "Cem Öz_3_assignsubmission_file_/desktop.ini": b"x",
            "Cem Öz_3_assignsubmission_file_/~$handout.xlsx": b"x",
            "Cem Öz_3_assignsubmission_file_/.DS_Store": b"x",
        },
    )
    assert rows(grade(archive, made.key)) == [
        ("Anna Schmidt", "Anna Schmidt_1_assignsubmission_file_/handout.xlsx", []),
        ("Bob Jones", "Bob Jones_2_assignsubmission_file_/work.zip/work/handout.xlsx", []),
        ("Cem Öz", "Cem Öz_3_assignsubmission_file_/handout.xlsx", []),
    ]
    assert not list(private.glob("sheetcnn-*"))
    shutil.rmtree(tmp_path / "in", ignore_errors=True)
    (tmp_path / "in").mkdir()
    shutil.copy(archive, tmp_path / "in")
    assert [one.file for one in grade(tmp_path / "in", made.key)][2] == (
        "Small-1234.zip/Cem Öz_3_assignsubmission_file_/handout.xlsx"
    )


def listed(path: Path) -> list[tuple[str, str]]:
    with hand_ins(path, set()) as found:
        return [(one.name, one.complaint) for one in found]


def test_names_in_archives(tmp_path: Path) -> None:
    """In UTF-8 whether it is said or not, in what DOS wrote, and none that leads out of the archive."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("Cem Öz.txt", b"flagged")
        archive.writestr("../../escaped.txt", b"x")
        archive.writestr("/absolute.txt", b"x")
        archive.writestr("C:\\windows\\system.txt", b"x")
        archive.writestr("two.txt", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("two.txt", b"2")
    for raw, ours in (("Ã–", "mac"), ("X", "dos")):
        with zipfile.ZipFile(tmp_path / f"{ours}.zip", "w") as archive:
            archive.writestr(f"{ours} {'XX' if ours == 'mac' else 'X'}.txt", raw)
        data = (tmp_path / f"{ours}.zip").read_bytes()
        new = "Ö".encode() if ours == "mac" else b"\x99"
        (tmp_path / f"{ours}.zip").write_bytes(
            data.replace(f"{ours} {'XX' if ours == 'mac' else 'X'}".encode(), f"{ours} ".encode() + new)
        )
    assert [name for name, _ in listed(tmp_path / "a.zip")] == [
        "Cem Öz.txt",
        "escaped.txt",
        "absolute.txt",
        "windows/system.txt",
        "two.txt",
        "two.txt [2]",
    ]
    assert [name for name, _ in listed(tmp_path / "mac.zip")] == ["mac Ö.txt"]
    assert [name for name, _ in listed(tmp_path / "dos.zip")] == ["dos Ö.txt"]
    assert not (tmp_path.parent / "escaped.txt").exists()
    assert not (tmp_path / "escaped.txt").exists()


def test_hostile_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        link = zipfile.ZipInfo("Anna.xlsx")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert listed(tmp_path / "link.zip") == [("Anna.xlsx", "is a link to another file; ask for the file itself")]
    (tmp_path / "in").mkdir()
    zipped(tmp_path / "in" / "bomb.zip", {"zeros.xlsx": bytes(60_000_000)})
    [(name, complaint)] = listed(tmp_path / "in")
    assert name == "bomb.zip"
    assert "unpack to 60,000,000, more than sheetcnn takes" in complaint
    with pytest.raises(ExerciseError, match=r"bomb.zip: is an archive whose .* unpack to 60,000,000"):
        listed(tmp_path / "in" / "bomb.zip")
    inner = packed({"Anna.txt": b"deep"})
    for _ in range(3):
        inner = packed({"a.zip": inner})
    (tmp_path / "deep.zip").write_bytes(inner)
    assert listed(tmp_path / "deep.zip") == [
        ("a.zip/a.zip/a.zip", "is an archive in an archive in an archive; ask for the workbook itself")
    ]
    data = bytearray(packed({"Anna.xlsx": b"locked"}))
    for start, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag that says so
        data[data.find(start) + at] |= 1
    (tmp_path / "locked.zip").write_bytes(data)
    assert listed(tmp_path / "locked.zip") == [
        ("Anna.xlsx", "lies in an archive that has a password; ask for it without one")
    ]
    data = bytearray(packed({"Anna.xlsx": b"0123456789"}))
    data[data.find(b"0123456789")] ^= 1
    (tmp_path / "damaged.zip").write_bytes(data)
    assert listed(tmp_path / "damaged.zip") == [
        ("Anna.xlsx", "is damaged, or packed in a way that is not known (Bad CRC-32); ask for it once more")
    ]
    monkeypatch.setattr("sheetcnn.handout.hand_ins.MAX_FILES", 1)
    with pytest.raises(ExerciseError, match="is an archive of 2 files; sheetcnn takes 1"):
        listed(zipped(tmp_path / "many.zip", {"a": b"a", "b": b"b"}))


def test_no_folder_and_no_archive(made: HandedOut, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    for path in (tmp_path / "none", tmp_path / "a.zip", made.workbooks[0]):
        with pytest.raises(
            ExerciseError, match="is no folder; give the folder with the students' workbooks, or the archive"
        ):
            grade(path, made.key)


def test_blackboard_says_who_in_a_text_beside_the_file(made: HandedOut, lay: Lay) -> None:
    attempt = "Small_x123_attempt_2026-01-31-10-11-12"
    folder = lay(
        {
            f"{attempt}.txt": b"Name: Cem \xc3\x96z (x123)\r\nAssignment: Small\r\n",
            f"{attempt}_handout.xlsx": made.workbooks[2],
        }
    )
    assert rows(grade(folder, made.key))[0] == ("Cem Öz", f"{attempt}_handout.xlsx", [])


def test_links_in_a_folder_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "outside.xlsx").write_text("nobody handed this in")
    try:
        os.symlink(tmp_path, tmp_path / "in" / "loop", target_is_directory=True)
        os.symlink(tmp_path / "gone", tmp_path / "in" / "broken.xlsx")
    except OSError:
        pytest.skip("no links here")
    assert listed(tmp_path / "in") == []


# -- what they are -----------------------------------------------------------------------------------------------------------
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
ASK = "ask for the workbook itself, saved as .xlsx"
KINDS = [
    ("a.xlsx", b"", "is empty; ask for it again"),
    ("a.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "has a password; ask for it without one"),
    ("a.xls", OLE + b"\x09\x08\x10\0\0\x06\x05\0" + bytes(12) + b"\x2f\0\x36\0", "has a password; ask for it without one"),
    ("a.xlsx", OLE, "has a password, or is damaged; ask for it once more, as .xlsx and without a password"),
    ("a.doc", OLE + "WordDocument".encode("utf-16-le"), f"is no workbook but a Word document; {ASK}"),
    ("a.pdf", b"%PDF", f"is no workbook but a PDF; {ASK}"),
    ("a.xlsx", b"%PDF-1.4 ...", f"is no workbook but a PDF; {ASK}"),
    ("a.xlsx", b"PK\x03\x04" + bytes(100), "is damaged, its end is missing perhaps; ask for it once more"),
    ("a.docx", packed({"[Content_Types].xml": b"", "word/document.xml": b""}), f"is no workbook but a Word document; {ASK}"),
    (
        "a.numbers",
        packed({"Index/Document.iwa": b""}),
        "is no workbook of Excel’s but a Numbers file; ask for it by File > Export To > Excel",
    ),
    ("a.xlsx", packed({}), f"is no workbook but an empty archive; {ASK}"),
    (
        "a.ods",
        packed(
            {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "META-INF/manifest.xml": b"<encryption-data/>"}
        ),
        "has a password; ask for it without one",
    ),
    (
        "a.odt",
        packed({"mimetype": b"application/vnd.oasis.opendocument.text"}),
        f"is no workbook but a text or a drawing; {ASK}",
    ),
    (
        "a.gsheet",
        b'{"doc_id": "x"}',
        "is no workbook but a link to one of Google’s; ask for it by File > Download > Microsoft Excel (.xlsx)",
    ),
    ("a.csv", b"1,2\n3,4\n", f"is no workbook but a CSV file, which holds no formulas; {ASK}"),
    ("a.xlsx", b"a;b\n1;2\n", f"is no workbook but a CSV file, which holds no formulas; {ASK}"),
    ("a.xlsx", b"<!DOCTYPE html><html>", f"is no workbook but a web page, that of a sign-in perhaps; {ASK}"),
    ("a.url", b"[InternetShortcut]\r\nURL=x", f"is no workbook but a link, which holds nothing itself; {ASK}"),
    ("a.jpg", b"\xff\xd8\xff\xe0", f"is no workbook but a picture; {ASK}"),
    ("a.heic", b"\0\0\0\x18ftypheic", f"is no workbook but a picture or a film; {ASK}"),
    ("a.rar", b"Rar!\x1a\x07", f"is no workbook but a .rar archive; {ASK}"),
    ("a.xlsx", b"Sorry, my dog ate it", f"is no .xlsx workbook but a text; {ASK}"),
    ("a.xlsx", bytes(5000), f"is no .xlsx workbook, or a damaged one; {ASK}"),
    ("a.xlsx.crdownload", b"PK", "is damaged, its end is missing perhaps; ask for it once more"),
]


@pytest.mark.parametrize(("name", "data", "words"), KINDS)
def test_files_are_told_for_what_they_are(name: str, data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert kind_of(tmp_path / name) == (Kind.OTHER, words)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.pdf", packed({"xl/workbook.xml": b""}), Kind.WORKBOOK),  # whatever it is called
        ("a.xlsb", packed({"xl/workbook.bin": b""}), Kind.OFFICE),
        ("a.xlsx", OLE + "Workbook\0".encode("utf-16-le"), Kind.OFFICE),  # an old one under a new name
        ("a.ods", packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), Kind.OFFICE),
        ("a.fods", b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument"/>', Kind.OFFICE),
        ("a.xlsx", packed({"handout.xlsx": b""}), Kind.ARCHIVE),
    ],
)
def test_files_that_may_be_graded(name: str, data: bytes, kind: Kind, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert kind_of(tmp_path / name) == (kind, "")


def test_what_is_no_workbook_stands_in_the_students_own_row(made: HandedOut, lay: Lay) -> None:
    folder = lay({"Bob_Jones.xlsx": OLE, "Cem_Öz.pdf": b"%PDF", "Anna Schmidt/work.numbers/Index.zip": b"x"})
    assert rows(grade(folder, made.key)) == [
        ("Anna Schmidt", "Anna Schmidt/work.numbers", ["not graded: is a Numbers file or its like; ask for it as .xlsx"]),
        (
            "Bob Jones",
            "Bob_Jones.xlsx",
            ["not graded: has a password, or is damaged; ask for it once more, as .xlsx and without a password"],
        ),
        ("Cem Öz", "Cem_Öz.pdf", ["not graded: is no workbook but a PDF; ask for the workbook itself, saved as .xlsx"]),
    ]
