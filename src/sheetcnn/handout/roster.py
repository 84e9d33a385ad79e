"""The roster: the students in a file of a school's system, each with a file name that every system accepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ..errors import ExerciseError
from ..model.settings import Text
from .headings import CANVAS, GIVEN, NO_STUDENT, is_canvas, is_worksheet, meaning, means_name, plain, rank
from .student import Student
from .table import NEAR_TOP, Row, Table, read_table

MAX_STUDENTS = 10_000
MAX_LETTERS = 100
MAX_KEPT = 200  # letters of a cell that goes into an import form
SHOWN = 5  # students named before anything is written
REMARKS = 20
ONE_EACH = "give one student a line"
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\Z", re.I)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_NO_NAME = re.compile(r"[\d\s.,:;|/()_?'\"–—-]*")
_SUFFIX = re.compile(r"(jr|sr|ii|iii|iv|ph\. ?d|phd|esq)\.?", re.I)
_TEST_STUDENT = ("Student, Test", "Test Student")  # Canvas's own, to try a course out
_TEACHES = re.compile(
    r"lehr|\b(teach|instruct|do[zc]ent|enseign|prof|tutor|train|manager|owner|besitz|propri|kurs(admin|leit)|betreu)", re.I
)
_LEARNS = re.compile(
    r"lehrling|\b(stud|schül|pupil|learn|lern|teilnehm|particip|partecip|mitglied|member|autor|étud|élève|alum|estud)", re.I
)


@dataclass(frozen=True)
class Roster:
    """The students of a file, in one line what was understood, and what a teacher should know about it."""

    students: tuple[Student, ...]
    understood: str
    remarks: tuple[str, ...]


@dataclass
class _Columns:
    """Which column holds what, counted from 0, and the rows below the headings."""

    rows: list[Row]
    headings: list[str] = field(default_factory=list)
    full: int | None = None
    first: int | None = None
    last: int | None = None
    second: int | None = None  # a second last name
    email: int | None = None
    number: int | None = None
    role: int | None = None

    def words(self) -> str:
        """What was taken for what, for people to read."""

        def named(*columns: int | None) -> str:
            names = [self.headings[n] if n < len(self.headings) else f"column {n + 1}" for n in columns if n is not None]
            return " and ".join(_quoted(name) if self.headings else name for name in names)

        parts = [f"name from {named(self.full, self.first, self.last, self.second)}"]
        parts += [f"e-mail from {named(self.email)}"] if self.email is not None else []
        parts += [f"number from {named(self.number)}"] if self.number is not None else []
        return ", ".join(parts)


def read_roster(path: Path) -> Roster:
    """The students of a CSV file, another text file with separators, or the first sheet of an .xlsx workbook.

    Raises ExerciseError with one line that names the file, the line and the rule.
    """
    table = read_table(path)
    remarks = list(table.remarks)
    columns = _columns(table, path, remarks)
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


# -- columns ------------------------------------------------------------------------------------------------------------------
def _columns(table: Table, path: Path, remarks: list[str]) -> _Columns:
    """Find the headings, where there are any, and what each column holds."""
    top, headings = _headings(table.rows)
    if headings:
        if top:
            above = f"line {table.rows[0].line}" if top == 1 else f"lines {table.rows[0].line} to {table.rows[top - 1].line}"
            remarks.append(f"{above} above the headings: left out")
        rows = [row for row in table.rows[top + 1 :] if row.cells != headings]  # which some systems repeat
        return _headed(headings, _no_comments(rows), table, path)
    rows = _no_comments(table.rows)
    if not rows:
        raise ExerciseError(f"{path}: has no students; {ONE_EACH}")
    if not _unlike_those_below(rows):
        return _unheaded(rows, table, path, remarks)
    columns = _unheaded(rows[1:], table, path, remarks) if len(rows) > 1 else _Columns([])
    if columns.full is None:
        words = ", ".join(map(_quoted, rows[0].cells[:8]))
        raise ExerciseError(
            f"{path}: line {rows[0].line}: none of the headings {words} is known to mean a name; "
            "call a column “Name”, or two “First name” and “Last name”"
        )
    columns.headings = rows[0].cells
    return columns


def _headings(rows: list[Row]) -> tuple[int, list[str]]:
    """The first row near the top whose cells are words for names and such, and which one it is."""
    for n, row in enumerate(rows[:NEAR_TOP]):
        cells = row.cells
        if cells[0].startswith("#") and len(cells[0]) > 1:  # a comment, which may well say what the columns are
            cells = [cells[0].lstrip("# "), *cells[1:]]
        meanings = [meaning(cell) for cell in cells]
        known = sum(map(bool, meanings))
        surname = known == 1 and len(cells) > 1 and "schuler" in map(plain, cells)  # Schuler, Anna
        sure = known > 1 or known == sum(map(bool, cells)) or (n == 0 and cells == row.cells and not surname)
        if means_name(meanings) and sure and not any("@" in cell for cell in cells):
            return n, cells
    return 0, []


def _no_comments(rows: list[Row]) -> list[Row]:
    """Rows that do not begin with #, unless all do: Brightspace writes numbers so."""
    others = [row for row in rows if not row.cells[0].startswith("#")]
    if others or not any(len(row.cells) > 1 for row in rows):
        return others
    return [Row(row.line, [cell.removeprefix("#") for cell in row.cells]) for row in rows]


def _unlike_those_below(rows: list[Row]) -> bool:
    """Whether the first row is one of headings, in words that are not known: it has no number where all others do."""
    first, *below = rows
    if first.cells and _only_words(first.cells):
        return True
    for n, head in enumerate(first.cells):
        filled = [cell for row in below if (cell := row.cell(n))]
        if head and filled and not re.search(r"[@\d]", head):
            if all(_EMAIL.fullmatch(cell) for cell in filled):
                return True
            if len(filled) > 1 and all(cell.isdecimal() for cell in filled):
                return True
    return False


def _only_words(cells: list[str]) -> bool:
    """Whether one of the cells is a word for an e-mail address or a number, and none is either."""
    return any(meaning(cell) in ("email", "number", "running") for cell in cells if cell != "#") and not any(
        re.search(r"[@\d]", cell) for cell in cells
    )


def _headed(headings: list[str], rows: list[Row], table: Table, path: Path) -> _Columns:
    """The columns by their headings."""
    rows = [_mended(row, headings, table) for row in rows]
    meanings = [meaning(heading) for heading in headings]

    def column(kind: str, fits: Callable[[str], bool] = bool) -> int | None:
        """The first column of that kind with a cell that fits; or the first one."""
        those = [n for n, one in enumerate(meanings) if one == kind]
        return next((n for n in those if any(fits(row.cell(n)) for row in rows)), those[0] if those else None)

    found = _Columns(rows, headings, column("full"), column("first"), column("last"))
    found.email = column("email", _is_email)
    found.role = column("role", lambda cell: bool(_TEACHES.search(cell)))
    name = column("name")
    if name is not None:
        if found.first is not None and found.last is None and not _all_within(rows, found.first, name):
            found.last = name
        elif found.last is not None and found.first is None and not _all_within(rows, found.last, name):
            found.first = name
        elif found.full is None or not any(row.cell(found.full) for row in rows):
            found.full = name
    if found.first is not None and found.last is not None:
        found.full = None
        found.second = column("second")
    elif found.full is not None:
        found.first = found.last = None
    else:
        _refuse_half(headings, rows, path)
    if found.email is None:
        free = [n for n, one in enumerate(meanings) if not one]
        found.email = next((n for n in free if _all_emails([row.cell(n) for row in rows])), None)
    numbers = sorted((rank(head), n) for n, head in enumerate(headings) if meanings[n] == "number")
    found.number = next((n for _, n in numbers if any(row.cell(n) for row in rows)), None)
    if found.number is None and (running := column("running")) is not None:
        cells = [row.cell(running) for row in rows]
        found.number = None if _counts(cells) or not _all_numbers(cells) else running
    return found


def _refuse_half(headings: list[str], rows: list[Row], path: Path) -> None:
    """Refuse a table with only one of first and last names, where another column may well hold the other."""
    for n, heading in enumerate(headings):
        cells = [row.cell(n) for row in rows]
        names = all(re.fullmatch(r"[^\W\d_][^\d@]*", cell) and not cell.islower() for cell in cells)
        if cells and not meaning(heading) and names and len({*cells}) * 2 > len(cells) and max(map(len, cells)) > 1:
            raise ExerciseError(
                f"{path}: are names in the column {_quoted(heading)}, too? call it “First name” or “Last name”, or take it out"
            )


def _all_within(rows: list[Row], part: int, whole: int) -> bool:
    """Whether one column's names are parts of the other's."""
    return any(row.cell(part) for row in rows) and all(row.cell(part) in row.cell(whole) for row in rows)


def _mended(row: Row, headings: list[str], table: Table) -> Row:
    """A row with “Last, First” in one piece, where a comma that is no separator cut it in two."""
    if table.sign != "," or len(row.cells) != len(headings) + 1:
        return row
    for n, heading in enumerate(headings):
        if meaning(heading) in ("full", "name"):
            last, first = row.cells[n : n + 2]
            if re.search(r"[^\W\d_]", first) and "@" not in first and "," not in last:
                return Row(row.line, [*row.cells[:n], f"{last}, {first}", *row.cells[n + 2 :]])
    return row


def _unheaded(rows: list[Row], table: Table, path: Path, remarks: list[str]) -> _Columns:
    """The columns by what stands in them."""
    found = _Columns(rows)
    texts: list[int] = []
    columns = [[row.cell(n) for row in rows] for n in range(min(max(len(row.cells) for row in rows), NEAR_TOP))]
    running = None
    for n, cells in enumerate(columns):
        filled = [cell for cell in cells if cell]
        if not filled:
            continue
        if _all_emails(filled):
            found.email = n if found.email is None else found.email
        elif running is None and len(columns) > 1 and _counts(cells):
            running = n
        elif _all_numbers(filled):
            if found.number is None and len(set(filled)) == len(filled):
                found.number = n
        else:
            texts.append(n)
    if not texts:
        row = rows[0]
        raise ExerciseError(
            f"{path}: line {row.line}: {_quoted(row.cells[0])} is no name, and no column has names; give each student's name"
        )
    if len(texts) > 1:
        texts = _names(texts, columns, table) or _unclear(rows, texts, path)
    if len(texts) == 1:
        found.full = texts[0]
        return found
    found.last, found.first = texts
    if table.sign == "," and table.spaced:
        return found
    left = _first_is_left(columns[texts[0]], columns[texts[1]], columns[found.email] if found.email is not None else [])
    if left:
        found.first, found.last = texts
    elif left is None:
        remarks.append(
            f"there are no headings, so column {texts[0] + 1} counts as the last name and column {texts[1] + 1} as the first; "
            "a line of headings above says it otherwise"
        )
    return found


def _unclear(rows: list[Row], texts: list[int], path: Path) -> list[int]:
    words = ", ".join(_quoted(rows[0].cell(n)) for n in texts[:6])
    raise ExerciseError(
        f"{path}: line {rows[0].line}: which of {words} is the name cannot be told; put a line of headings above, "
        "such as “First name” and “Last name”"
    )


def _names(texts: list[int], columns: list[list[str]], table: Table) -> list[int]:
    """The one or two of several columns with texts that hold names; none where that cannot be told."""
    if len(texts) == 2 and table.sign == "," and table.spaced:
        return texts

    def whole(n: int) -> bool:
        return all(" " in cell for cell in columns[n] if cell)

    def various(n: int) -> bool:  # which classes, genders and log-in names are not
        filled = [cell for cell in columns[n] if cell]
        capital = any(not cell.islower() for cell in filled) or all(cell.islower() for m in texts for cell in columns[m])
        return (
            capital and 2 * len(set(filled)) > len(filled) and max(map(len, filled)) > 1 and len(filled) == len(columns[n])
        )

    likely = [n for n in texts if various(n)]
    if len(likely) == 1 and whole(likely[0]):
        return likely
    if whole(texts[0]):
        return []
    return likely if len(likely) == 2 else texts if len(texts) == 2 else []


def _first_is_left(left: list[str], right: list[str], emails: list[str]) -> bool | None:
    """Which of two columns holds the first names: addresses, capitals, well-known names or the order tell; or nothing."""
    votes = 0
    for one, other, email in zip(left, right, emails, strict=False):
        address = plain(email.split("@")[0])
        votes += (address == plain(one + other)) - (address == plain(other + one))
    if votes:
        return votes > 0
    capitals = [all(cell.isupper() and len(cell) > 1 for cell in cells) for cells in (left, right)]
    if capitals[0] != capitals[1]:
        return capitals[1]
    given = [sum(plain(re.split(r"[ -]", cell)[0]) in GIVEN for cell in cells) for cells in (left, right)]
    if given[0] != given[1]:
        return given[0] > given[1]
    ordered = [[*map(str.casefold, cells)] == sorted(map(str.casefold, cells)) for cells in (left, right)]
    return ordered[1] if ordered[0] != ordered[1] and len(left) > 3 else None


def _is_email(cell: str) -> bool:
    return _EMAIL.fullmatch(cell) is not None


def _all_emails(cells: list[str]) -> bool:
    return any(cells) and all(_is_email(cell) for cell in cells if cell)


def _all_numbers(cells: list[str]) -> bool:
    """Whether the cells are numbers as schools give them: a digit at least, and no blank."""
    return all(re.fullmatch(r"\S*\d\S*", cell) for cell in cells if cell)


def _counts(cells: list[str]) -> bool:
    return [cell.rstrip(".)") for cell in cells] == [str(n) for n in range(1, len(cells) + 1)]


def _quoted(text: str) -> str:
    """A cell as messages show it: on one line, and no more of it than tells which it is."""
    words = " ".join(text.split())
    return f"“{words[:40]}…”" if len(words) > 41 else f"“{words}”"


# -- people -------------------------------------------------------------------------------------------------------------------
def _person(row: Row, columns: _Columns, path: Path, remarks: list[str]) -> Student | None:
    """The student of a row, still without a file; None, and a remark, where it is no student's."""
    name = row.cell(columns.full) if columns.full is not None else ""
    if columns.full is None:
        name = " ".join(filter(None, map(row.cell, (columns.first, columns.last, columns.second))))
    email, number = row.cell(columns.email), row.cell(columns.number)
    if len(name) > 5 * MAX_LETTERS:  # with an address in it, maybe
        _refuse_odd("name", name, row.line, path)
    if listed := re.fullmatch(r"(.*\S)\s*<([^<>]+@[^<>]+)>", name):  # as mail programs write it
        name, email = listed[1].strip('" '), email or listed[2]
    said = f"line {row.line}: {_quoted(name or next(filter(None, row.cells)))}"
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
    if _TEACHES.search(role) and not _LEARNS.search(role):
        remarks.append(f"{said} is no student, but {_quoted(role)}: left out")
        return None
    if columns.full is not None:
        name = _turned(re.sub(r"\A(\d+[.)]|[-–•*·]) ", "", name))
    if not name:
        raise ExerciseError(f"{path}: line {row.line} has no name; give each student one, or take the line out")
    if email and not _is_email(email):
        remarks.append(f"{said}: {_quoted(email)} is no e-mail address, and left out")
        email = ""
    for what, text in (("name", name), ("e-mail address", email), ("number", number)):
        _refuse_odd(what, text, row.line, path)
    if sign := re.search(r"[;|]", name):
        raise ExerciseError(f"{path}: line {row.line}: the name “{name}” holds “{sign[0]}”; is it meant to separate cells?")
    if _NO_NAME.fullmatch(name) or _is_email(name):
        raise ExerciseError(f"{path}: line {row.line}: “{name}” is no name; give each student one, or take the line out")
    return Student(name, "", email, number)


def _is_row_of_points(row: Row, columns: _Columns) -> bool:
    """Whether a row right below headings tells the points of tasks; only a table that knows its students has such."""
    known = columns.email is not None or columns.number is not None
    return known and row is columns.rows[0] and all(re.fullmatch(r"[\d.,]*|\(read only\)", cell) for cell in row.cells)


def _is_note(row: Row, columns: _Columns, named: bool) -> bool:
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
