"""Cell references and sheet names, as formulas write them."""

from __future__ import annotations

import re
from string import ascii_uppercase

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # of a sheet

# What a sheet's or a function's name may hold where it has no quotes: of ASCII letters, digits, dots and underscores,
# beyond ASCII anything but blanks. Excel puts no quotes around été or Sheet😀, and \w would lack the latter.
_NOT_IN_NAMES = r"\s\x00-\x2d\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f"
IN_NAME = f"[^{_NOT_IN_NAMES}]"
NAME = f"[^{_NOT_IN_NAMES}0-9.]{IN_NAME}*"


_ONE = list(ascii_uppercase)
_TWO = [a + b for a in _ONE for b in _ONE]
_THREE = [a + b for a in _ONE for b in _TWO]
LETTERS = ["", *_ONE, *_TWO, *_THREE][: MAX_COLUMNS + 1]  # of columns by number, counted from 1: column 27 is AA
NUMBER = {text: column for column, text in enumerate(LETTERS)}


def cell_name(row: int, column: int) -> str:
    """Row and column, counted from 1, as A1."""
    return f"{LETTERS[column]}{row}"


_AREA = re.compile(r"(?:'((?:[^']|'')++)'|([^'!:$]+))!\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?\Z")


def parse_area(text: str) -> tuple[str, int, int, int, int] | None:
    """`'Sheet 1'!$A$1:$B$2` as sheet, top, left, bottom, right; None for anything else."""
    match = _AREA.match(text)
    if match is None:
        return None
    quoted, plain, left, top, right, bottom = match.groups()
    if left not in NUMBER or (right or left) not in NUMBER:
        return None
    area = int(top), NUMBER[left], int(bottom or top), NUMBER[right or left]
    if not (1 <= area[0] <= area[2] <= MAX_ROWS and area[1] <= area[3]):
        return None
    return (quoted.replace("''", "'") if quoted else plain, *area)


# What Excel would read as something else than a sheet's name: a cell (FC1, R1C1) or a truth value.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_CELL_LIKE = re.compile(r"(?:[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*(?:[Cc][0-9]*)?|[Cc][0-9]*|true|false)\Z", re.I)


def sheet_prefix(sheet: str) -> str:
    """The sheet's name as a formula writes it before a cell, quoted where it must be: `Input!`, `'fc1'!`."""
    if _PLAIN.match(sheet) and not _CELL_LIKE.match(sheet):
        return f"{sheet}!"
    return "'" + sheet.replace("'", "''") + "'!"
