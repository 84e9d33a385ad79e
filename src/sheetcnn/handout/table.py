"""A table as somebody's system wrote it: bytes of a file to rows of cells, with the lines where they stand."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..a1 import MAX_COLUMNS as LAST_COLUMN
from ..a1 import MAX_ROWS as LAST_ROW
from ..errors import ExerciseError, WorkbookError
from ..formula import Sheet, read_book
from ..reading import read_bytes
from .headings import meaning

MAX_BYTES = 1_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 500  # of a sheet; names stand at its left
NEAR_TOP = 20  # rows among which headings are looked for
SAVE_AS = "save it as “CSV UTF-8” or as .xlsx"
_OLD = {"cp1252": "Windows text (1252)", "mac_roman": "text of an old Mac"}
_KINDS = {  # what files begin with that are no table
    b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)", b"{\\rtf": "a text document",
    b"<": "a web page, whatever its name says", b"{": "JSON", b"[{": "JSON", b"BEGIN:VCARD": "an address card",
}  # fmt: skip


class Row(NamedTuple):
    """A row that holds something: the line of the file where it begins, and its cells, the last one not blank."""

    line: int
    cells: list[str]
    width: int = 1  # how many cells there are, with blank ones at the end

    def cell(self, column: int | None) -> str:
        """What stands in a column, counted from 0; nothing beyond the end, or where there is no such column."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


class Table(NamedTuple):
    """The rows of a file, and how they were read."""

    rows: list[Row]
    sign: str  # what stands between cells; nothing in a workbook, and where each line is one cell
    spaced: bool  # whether there is a blank after every such sign
    remarks: list[str]


def read_table(path: Path) -> Table:
    """Read a text file with separators, or the first sheet of an .xlsx workbook that has cells.

    Raises ExerciseError with one line that names the file and what to do.
    """
    data = read_bytes(path, MAX_BYTES, ExerciseError, "give a CSV or .xlsx file with one student a line")
    if data.startswith(b"PK"):
        return Table(_sheet_rows(path), "", False, [])
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, kind in _KINDS.items():
        if start.startswith(magic):
            raise ExerciseError(f"{path}: is {kind}, no table; {SAVE_AS}")
    remarks = []
    text, encoding = _text(data, path)
    if encoding in _OLD:
        remarks.append(f"read as {_OLD[encoding]}, since it is no UTF-8: look at the umlauts and accents")
    sign = ""
    first, _, rest = text.partition("\n")
    if declared := re.fullmatch(r'"?sep=(.)"?', first.strip(" \r"), re.I) or re.fullmatch(r"sep=(\t)", first, re.I):
        sign, text = declared[1], f"\n{rest}"  # the line stays, so that lines are counted as people count them
    signs = [sign] if sign else ["\t", ";", "|", ","]
    read = {one: _rows(text, one, path) for one in signs}
    if not sign:
        sign = max(signs, key=lambda one: _likely(read[one]))
        if _likely(read[sign]) == (0, 0.0):
            sign = ""
    if sign:
        return Table(read[sign], sign, text.count(sign) == text.count(f"{sign} "), remarks)
    rows = _rows(text, "\x1f", path)
    if rows and all(";" in row.cells[0] for row in rows):  # each line in quotation marks as a whole
        return Table(_rows(text.replace('"', ""), ";", path), ";", False, remarks)
    return Table(rows, "", False, remarks)


def _text(data: bytes, path: Path) -> tuple[str, str]:
    """The text and its encoding; lines end in one way."""
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    old = "mac_roman" if b"\r" in data and b"\n" not in data else "cp1252"  # with a Mac's ends of lines
    for encoding in ("utf-16",) if marked else ("utf-8-sig", old):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]", text):
            line = text.count("\n", 0, bad.start()) + 1
            around = re.split(r"[\n\t,;]", text[: bad.end()])[-1][-30:]
            raise ExerciseError(f"{path}: line {line}: {around!r} holds a control character; leave it out, or {SAVE_AS}")
        return text, encoding
    raise ExerciseError(f"{path}: is no text in UTF-8, UTF-16 or Windows-1252; {SAVE_AS}")


def _rows(text: str, sign: str, path: Path) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=sign, skipinitialspace=sign != "\t")
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            _add(rows, line, cells)
            line = reader.line_num + 1
            if len(rows) > MAX_ROWS:
                raise ExerciseError(f"{path}: has more than {MAX_ROWS:,} rows; give a file with one student a line")
    except csv.Error as error:
        raise ExerciseError(f"{path}: line {line} cannot be read as CSV ({error}); give one student a line") from None
    return rows


def _add(rows: list[Row], line: int, cells: list[str]) -> None:
    """Take in a row, where it holds anything."""
    texts = [_cell(cell) for cell in cells]
    while texts and not texts[-1]:
        del texts[-1]
    if "".join(texts).strip(",;|"):
        rows.append(Row(line, texts, len(cells)))


def _cell(text: str) -> str:
    """A cell as people see it: without blanks around, invisible signs, and Excel's ways to keep a number text."""
    text = re.sub(r"[\ufeff\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text).strip()
    if kept := re.fullmatch(r'="?"?([^"]*)"?"?', text) if text.startswith('="') else None:
        text = kept[1]
    return re.sub(r"[^\S\n]+", " ", re.sub(r"\A'(?=[\d=+@-])", "", text).strip())


def _likely(rows: list[Row]) -> tuple[int, float]:
    """How likely rows were taken apart rightly: the headings known, the share of rows as long as most."""
    widths = Counter(row.width for row in rows)
    if max(widths, default=1) == 1:
        return 0, 0.0
    known = max(sum(map(bool, map(meaning, row.cells[:MAX_COLUMNS]))) for row in rows[:NEAR_TOP])
    several = sum(count for width, count in widths.items() if width > 1) / len(rows)
    if known < 2 and several <= 0.5:  # a comma here and there is part of a name
        return 0, 0.0
    return known, max(count for width, count in widths.items() if width > 1) / len(rows)


def _sheet_rows(path: Path) -> list[Row]:
    try:
        book = read_book(path)
        for sheet in book.sheets.values():
            book.refuse_far(sheet.name, 1, 1, LAST_ROW, LAST_COLUMN)  # it may be a student
            if rows := _cells(sheet, path):
                return rows
    except WorkbookError as error:
        raise ExerciseError(f"{error}") from None
    return []


def _cells(sheet: Sheet, path: Path) -> list[Row]:
    filled, columns = np.nonzero(sheet.kind[:, : MAX_COLUMNS + 1])
    if len(lines := np.unique(filled)) > MAX_ROWS:
        raise ExerciseError(f"{path}: sheet {sheet.name} has {len(lines):,} rows; give a sheet with one student a row")
    found: dict[int, list[str]] = {}
    for line, column in zip(filled.tolist(), columns.tolist(), strict=True):
        cells = found.setdefault(line, [])
        cells += [""] * (column - len(cells) - 1)
        cells.append(_seen(sheet, line, column))
    rows: list[Row] = []
    for line, cells in found.items():
        _add(rows, line, cells)
    return rows


def _seen(sheet: Sheet, row: int, column: int) -> str:
    """What a cell shows; for a formula what is saved beside it."""
    value = sheet.value(row, column)
    if value is None:
        value = sheet.saved_texts.get((row, column), float(sheet.saved[row, column]))
    if isinstance(value, float):  # a number of a student is shown as it is written, not as 12345.0
        return "" if np.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    return str(value)
