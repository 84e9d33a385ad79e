"""The roster: the students in a file of a school's system, each with a file name that every system accepts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ..errors import ExerciseError
from ..model.settings import Text
from .columns import ONE_EACH, TEACHES, Columns, columns_of, is_email, quoted
from .headings import CANVAS, NO_STUDENT, is_canvas, is_worksheet, plain
from .student import Student
from .table import Row, read_table

MAX_STUDENTS = 10_000
MAX_LETTERS = 100
MAX_KEPT = 200  # letters of a cell that goes into an import form
SHOWN = 5  # students named before anything is written
REMARKS = 20
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\Z", re.I)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)
_NO_NAME = re.compile(r"[\d\s.,:;|/()_?'\"–—-]*")
_SUFFIX = re.compile(r"(jr|sr|ii|iii|iv|ph\. ?d|phd|esq)\.?", re.I)
_TEST_STUDENT = ("Student, Test", "Test Student")  # Canvas's own, to try a course out
_LEARNS = re.compile(
    r"lehrling|\b(stud|schül|pupil|learn|lern|teilnehm|particip|partecip|mitglied|member|autor|étud|élève|alum|estud)", re.I
)


@dataclass(frozen=True)
class Roster:
    """The students of a file, in one line what was understood, and what a teacher should know about it."""

    students: tuple[Student, ...]
    understood: str
    remarks: tuple[str, ...]


def read_roster(path: Path) -> Roster:
    """The students of a CSV file, another text file with separators, or the first sheet of an .xlsx workbook.

    Raises ExerciseError with one line that names the file, the line and the rule.
    """
    table = read_table(path)
    remarks = list(table.remarks)
    columns = columns_of(table, path, remarks)
    kept = _kept(columns.headings)
    people: list[Student] = []
    listed: dict[tuple[str, str], tuple[int, Student]] = {}  # by name and e-mail address, and by name and number
    for row in columns.rows:
        person = _person(row, columns, path, remarks)
        if person is None:
            continue
        marks = [(person.name, mark) for mark in (person.email.casefold(), f"#{person.number}") if mark not in ("", "#")]
        before = next((listed[mark][0] for mark in marks if mark in listed and _same(listed[mark][1], person)), None)
        if before is None:
            for mark in marks:
                listed.setdefault(mark, (row.line, person))
            cells = [(columns.headings[n], cell if len(cell := row.cell(n)) <= MAX_KEPT else "") for n in kept]
            people.append(replace(person, columns=tuple(cells)))
        else:
            remarks.append(f"line {row.line}: “{person.name}” stands in line {before} too, and counts once")
    if not people:
        raise ExerciseError(f"{path}: has no students; {ONE_EACH}")
    if len(people) > MAX_STUDENTS:
        raise ExerciseError(f"{path}: has {len(people):,} students; sheetcnn takes {MAX_STUDENTS:,}")
    taken: set[str] = set()
    students = tuple(replace(person, file=_file(person.name, taken)) for person in people)
    remarks += _alike(students)
    if len(remarks) > REMARKS:
        remarks[REMARKS:] = [f"and {len(remarks) - REMARKS:,} more remarks of these kinds"]
    return Roster(students, f"{_count(students)}; {columns.words()}", tuple(remarks))


def _person(row: Row, columns: Columns, path: Path, remarks: list[str]) -> Student | None:
    """The student of a row, still without a file; None, and a remark, where it is no student's."""
    name = row.cell(columns.full) if columns.full is not None else ""
    if columns.full is None:
        name = " ".join(filter(None, map(row.cell, (columns.first, columns.last, columns.second))))
    email, number = row.cell(columns.email), row.cell(columns.number)
    if len(name) > 5 * MAX_LETTERS:  # with an address in it, maybe
        _refuse_odd("name", name, row.line, path)
    if listed := re.fullmatch(r"(.*\S)\s*<([^<>]+@[^<>]+)>", name):  # as mail programs write it
        name, email = listed[1].strip('" '), email or listed[2]
    said = f"line {row.line}: {quoted(name or next(filter(None, row.cells)))}"
    if name in _TEST_STUDENT or (not email and plain(name or "".join(row.cells)) in NO_STUDENT):
        remarks.append(f"{said} is no student: left out")
        return None
    if not name and not number and _is_row_of_points(row, columns):
        remarks.append(f"line {row.line}, with points only, is no student: left out")
        return None
    if _is_note(row, columns, bool(name)):
        remarks.append(f"{said} is no student, but a note: left out")
        return None
    role = row.cell(columns.role)
    if TEACHES.search(role) and not _LEARNS.search(role):
        remarks.append(f"{said} is no student, but {quoted(role)}: left out")
        return None
    if columns.full is not None:
        name = _turned(re.sub(r"\A(\d+[.)]|[-–•*·]) ", "", name))
    if not name:
        raise ExerciseError(f"{path}: line {row.line} has no name; give each student one, or take the line out")
    if email and not is_email(email):
        remarks.append(f"{said}: {quoted(email)} is no e-mail address, and left out")
        email = ""
    for what, text in (("name", name), ("e-mail address", email), ("number", number)):
        _refuse_odd(what, text, row.line, path)
    if sign := re.search(r"[;|]", name):
        raise ExerciseError(f"{path}: line {row.line}: the name “{name}” holds “{sign[0]}”; is it meant to separate cells?")
    if _NO_NAME.fullmatch(name) or is_email(name):
        raise ExerciseError(f"{path}: line {row.line}: “{name}” is no name; give each student one, or take the line out")
    return Student(name, "", email, number)


def _is_row_of_points(row: Row, columns: Columns) -> bool:
    """Whether a row right below headings tells the points of tasks; only a table that knows its students has such."""
    known = columns.email is not None or columns.number is not None
    return known and row is columns.rows[0] and all(re.fullmatch(r"[\d.,]*|\(read only\)", cell) for cell in row.cells)


def _is_note(row: Row, columns: Columns, named: bool) -> bool:
    """Whether a row has one cell only, which is not the name, or looks like none in a table that knows its students."""
    filled = [cell for cell in row.cells if cell]
    if len(filled) > 1 or not re.search(r"[^\W\d_]", filled[0]) or not columns.headings or "@" in filled[0]:
        return False
    known = columns.email is not None or columns.number is not None
    return not named or (known and bool(re.search(r"\d|:", filled[0])))


def _refuse_odd(what: str, text: str, line: int, path: Path) -> None:
    """Refuse what cannot be somebody's name, address or number."""
    if "\n" in text:
        raise ExerciseError(
            f"{path}: line {line}: the {what} {text[:40]!r} goes over two lines; is a quotation mark missing?"
        )
    if len(text) > MAX_LETTERS:
        raise ExerciseError(
            f"{path}: line {line}: the {what} has {len(text)} letters; {MAX_LETTERS} are allowed; {ONE_EACH}"
        )
    try:
        _TEXT.validate_python(text)
    except ValidationError:
        raise ExerciseError(f"{path}: line {line}: {text!r} holds a control character; leave it out") from None


def _turned(name: str) -> str:
    """“Schmidt, Anna” as Anna Schmidt; what has more commas, or none, stays as it is."""
    last, comma, first = name.partition(",")
    if not comma or "," in first or not last.strip() or not first.strip() or _SUFFIX.fullmatch(first.strip()):
        return name.strip(" ,")
    return f"{first.strip()} {last.strip()}"


def _same(one: Student, other: Student) -> bool:
    """Whether two rows of one name are one person's, who is in two sections, say: what they have in common tells."""
    if one.email and one.email.casefold() == other.email.casefold():
        return True
    return one.number != "" and one.number == other.number and not (one.email and other.email)


def _alike(students: tuple[Student, ...]) -> list[str]:
    """Remarks on students of one name, and on different ones with one address or number."""
    remarks = []
    by_name: dict[str, list[Student]] = {}
    for student in students:
        by_name.setdefault(student.name.casefold(), []).append(student)
    for same in by_name.values():
        if len(same) > 1:
            marks = [student.email or student.number for student in same]
            if len({*marks}) == len(same):
                whose = ", ".join(
                    f"{one.file} is of {mark or 'the one without either'}" for one, mark in zip(same, marks, strict=True)
                )
                remarks.append(f"{len(same)} students are called “{same[0].name}”: {whose}")
            else:
                files = ", ".join(one.file for one in same)
                remarks.append(
                    f"“{same[0].name}” stands there {len(same)} times, with nothing to tell them apart: {files}; "
                    "take out who is there twice, or add e-mail addresses"
                )
    for what in ("email", "number"):
        owners: dict[str, list[str]] = {}
        for student in students:
            owners.setdefault(getattr(student, what).casefold(), []).append(student.name)
        shared = {mark: names for mark, names in owners.items() if mark and len(names) > 1}
        remarks += [
            f"{' and '.join(names[:4])} have the same {what.replace('em', 'e-m')}, {mark}" for mark, names in shared.items()
        ]
    return remarks


def _count(students: tuple[Student, ...]) -> str:
    """How many there are, and who: the first ones, and the last."""

    def shown(student: Student) -> str:
        mark = student.email or student.number
        return f"{student.name} ({mark})" if mark else student.name

    shown_ones = [shown(student) for student in students[:SHOWN]]
    if len(students) > SHOWN + 1:
        shown_ones.append("…")
    if len(students) > SHOWN:
        shown_ones.append(shown(students[-1]))
    return f"{len(students):,} student{'s' * (len(students) != 1)}: {', '.join(shown_ones)}"


def _kept(headings: list[str]) -> list[int]:
    """The columns that go into an import form as they are."""
    if is_worksheet(headings):
        return list(range(len(headings)))
    return [n for n, heading in enumerate(headings) if heading in CANVAS] if is_canvas(headings) else []


def _file(name: str, taken: set[str]) -> str:
    """A file name made of a person's: letters and digits of any script, no two alike."""
    plain_name = unicodedata.normalize("NFC", name)
    stem = re.sub(r"[^\w-]+", "_", plain_name).strip("_")[:60] or "student"
    if _RESERVED.match(stem):
        stem += "_"
    number, unique = 1, stem
    while unique.casefold() in taken:
        number += 1
        unique = f"{stem}_{number}"
    taken.add(unique.casefold())
    return f"{unique}.xlsx"
