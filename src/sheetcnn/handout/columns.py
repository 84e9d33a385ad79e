"""Which column of a roster holds what: found by headings in the words of schools' systems, or by what stands below."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ExerciseError
from .headings import GIVEN, meaning, means_name, plain, rank
from .table import NEAR_TOP, Row, Table

ONE_EACH = "give one student a line"
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
TEACHES = re.compile(
    r"lehr|\b(teach|instruct|do[zc]ent|enseign|prof|tutor|train|manager|owner|besitz|propri|kurs(admin|leit)|betreu)", re.I
)


@dataclass
class Columns:
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
            return " and ".join(quoted(name) if self.headings else name for name in names)

        parts = [f"name from {named(self.full, self.first, self.last, self.second)}"]
        parts += [f"e-mail from {named(self.email)}"] if self.email is not None else []
        parts += [f"number from {named(self.number)}"] if self.number is not None else []
        return ", ".join(parts)


def columns_of(table: Table, path: Path, remarks: list[str]) -> Columns:
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
    columns = _unheaded(rows[1:], table, path, remarks) if len(rows) > 1 else Columns([])
    if columns.full is None:
        words = ", ".join(map(quoted, rows[0].cells[:8]))
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


def _headed(headings: list[str], rows: list[Row], table: Table, path: Path) -> Columns:
    """The columns by their headings."""
    rows = [_mended(row, headings, table) for row in rows]
    meanings = [meaning(heading) for heading in headings]

    def column(kind: str, fits: Callable[[str], bool] = bool) -> int | None:
        """The first column of that kind with a cell that fits; or the first one."""
        those = [n for n, one in enumerate(meanings) if one == kind]
        return next((n for n in those if any(fits(row.cell(n)) for row in rows)), those[0] if those else None)

    found = Columns(rows, headings, column("full"), column("first"), column("last"))
    found.email = column("email", is_email)
    found.role = column("role", lambda cell: bool(TEACHES.search(cell)))
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
                f"{path}: are names in the column {quoted(heading)}, too? call it “First name” or “Last name”, or take it out"
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


def _unheaded(rows: list[Row], table: Table, path: Path, remarks: list[str]) -> Columns:
    """The columns by what stands in them."""
    found = Columns(rows)
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
            f"{path}: line {row.line}: {quoted(row.cells[0])} is no name, and no column has names; give each student's name"
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
    words = ", ".join(quoted(rows[0].cell(n)) for n in texts[:6])
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


def is_email(cell: str) -> bool:
    """Whether a cell holds an e-mail address."""
    return _EMAIL.fullmatch(cell) is not None


def _all_emails(cells: list[str]) -> bool:
    return any(cells) and all(is_email(cell) for cell in cells if cell)


def _all_numbers(cells: list[str]) -> bool:
    """Whether the cells are numbers as schools give them: a digit at least, and no blank."""
    return all(re.fullmatch(r"\S*\d\S*", cell) for cell in cells if cell)


def _counts(cells: list[str]) -> bool:
    return [cell.rstrip(".)") for cell in cells] == [str(n) for n in range(1, len(cells) + 1)]


def quoted(text: str) -> str:
    """A cell as messages show it: on one line, and no more of it than tells which it is."""
    words = " ".join(text.split())
    return f"“{words[:40]}…”" if len(words) > 41 else f"“{words}”"
