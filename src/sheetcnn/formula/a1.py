"""Cell references as text and as numbers."""

from __future__ import annotations

import re
from string import ascii_uppercase

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384

# What a sheet's or a function's name may hold where it has no quotes: of ASCII letters, digits, dots and underscores,
# beyond ASCII anything but blanks. Excel puts no quotes around été or Sheet😀, and \w would lack the latter.
_NOT_IN_NAMES = r"\s\x00-\x2d\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f"
IN_NAME = f"[^{_NOT_IN_NAMES}]"
NAME = f"[^{_NOT_IN_NAMES}0-9.]{IN_NAME}*"


def letters(column: int) -> str:
    """Column 1 is A, 27 is AA."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = ascii_uppercase[rest] + text
    return text


LETTERS = [letters(column) for column in range(MAX_COLUMN + 1)]  # by number, counted from 1
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
    if not (1 <= area[0] <= area[2] <= MAX_ROW and area[1] <= area[3]):
        return None
    return (quoted.replace("''", "'") if quoted else plain, *area)
