"""What a formula adds up: its terms with the rectangles that they read, the gates before them, and what they are multiplied by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..a1 import LETTERS, NUMBER, sheet_prefix

Kind = Literal["products", "sum", "cell", "winner", "other"]

_AREA = re.compile(r"(?:('(?:[^']|'')+'|[^'!$:(),*/+<>=^&\"-]+)!)?\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?")
_NUMBER = re.compile(r"\d+\.?\d*(?:E[+-]?\d+)?|\.\d+")
_CALL = re.compile(r"([A-Z]+)\(")


class Area(NamedTuple):
    """A rectangle of cells on a sheet."""

    sheet: str
    top: int
    left: int
    rows: int
    columns: int

    def __str__(self) -> str:
        first = f"{sheet_prefix(self.sheet)}{LETTERS[self.left]}{self.top}"
        if self.rows == self.columns == 1:
            return first
        return f"{first}:{LETTERS[self.left + self.columns - 1]}{self.top + self.rows - 1}"


@dataclass(frozen=True)
class Term:
    """One of the numbers that a formula adds up.

    Of "products" the areas are the two whose cells are multiplied, of a "sum" the one, of a "cell" that. Of a "winner" they
    are the cell that may be the largest of its window, the largest, what it gets, and the cells before it in the window.
    """

    kind: Kind
    areas: tuple[Area, ...]
    text: str
    sign: str = "+"


@dataclass(frozen=True)
class Gate:
    """A cell that must be larger (or smaller) than a number, or nothing passes."""

    area: Area
    sign: str
    limit: float
    size: bool = False  # whether only its size counts


@dataclass(frozen=True)
class Taken:
    """A formula taken apart."""

    gates: tuple[Gate, ...]
    terms: tuple[Term, ...]
    factor: str = ""  # what the sum is multiplied or divided by, with its sign: "/4"


def area_in(text: str, sheet: str) -> Area | None:
    """The rectangle that a text is, read on a sheet; None where it is something else."""
    match = _AREA.fullmatch(text)
    return None if match is None else _area(match, sheet)


def areas_in(text: str, sheet: str) -> list[Area]:
    """All rectangles that a text names."""
    return [_area(match, sheet) for match in _AREA.finditer(text)]


def without_areas(text: str) -> str:
    """A text with a blank in the place of each rectangle."""
    return _AREA.sub(" ", text)


def with_cells(text: str, cells: list[str]) -> str:
    """A text with these cells in the places of its rectangles, in their order."""
    left = iter(cells)
    return _AREA.sub(lambda _: next(left), text)


def _area(match: re.Match[str], sheet: str) -> Area:
    name, left, top, right, bottom = match.groups()
    name = sheet if name is None else name[1:-1].replace("''", "'") if name[0] == "'" else name
    rows, columns = int(bottom or top) - int(top) + 1, NUMBER[right or left] - NUMBER[left] + 1
    return Area(name, int(top), NUMBER[left], rows, columns)


def number_in(factor: str) -> float | None:
    """What a factor is, where it is a number: "/4" is 0.25; None where it is anything else."""
    found = 1.0
    for part in _split(f"1{factor}", "*/")[1:]:
        if not _NUMBER.fullmatch(part[1:]):
            return None
        found = found * float(part[1:]) if part[0] == "*" else found / float(part[1:])
    return found if factor else None


def taken_apart(text: str, sheet: str) -> Taken:
    """The parts of a formula that stands on a sheet."""
    gates: list[Gate] = []
    while (call := _call(text)) is not None and call[0] == "IF" and len(call[1]) == 3 and call[1][2] == "0":
        gate = _gate(call[1][0], sheet)
        if gate is None:
            break
        gates.append(gate)
        text = call[1][1]
    factor = ""
    if len(_split(text, "+-")) == 1:
        first, *others = _split(text, "*/")
        plain = [area_in(one.lstrip("*/"), sheet) for one in (first, *others)]
        if others and not _NUMBER.fullmatch(first) and (len(others) > 1 or None in plain or others[0][0] == "/"):
            inner = first[1:-1] if first[0] == "(" else first
            text, factor = inner, "".join(others)
    return Taken(tuple(gates), tuple(_term(one, sheet) for one in _split(text, "+-")), factor)


def _term(text: str, sheet: str) -> Term:
    sign, text = (text[0], text[1:]) if text[0] in "+-" else ("+", text)
    name, given = _call(text) or ("", _split(text, "*"))
    given = [one.lstrip("*") for one in given]
    areas = [area_in(one, sheet) for one in given]
    known = tuple(area for area in areas if area is not None)
    if len(known) == len(areas):
        if len(known) == 2 and name in ("SUMPRODUCT", ""):
            return Term("products", known, text, sign)
        if len(known) == 1 and name in ("SUM", ""):
            return Term("sum" if name else "cell", known, text, sign)
    if name == "IF" and (found := _winner(given, sheet)) is not None:
        return Term("winner", found, text, sign)
    return Term("other", tuple(areas_in(text, sheet)), text, sign)


def _winner(given: list[str], sheet: str) -> tuple[Area, ...] | None:
    """A cell of a window, the window's largest, what the first of the largest gets, and the cells before this one."""
    own, _, least = given[0].partition(">=")
    cell, largest = area_in(own, sheet), area_in(least.partition("-")[0], sheet)
    inner, before = given[1], []
    if (call := _call(inner)) is not None and call[0] == "IF" and call[1][0].startswith("MAX("):
        before, inner = areas_in(call[1][0].partition(")<")[0], sheet), call[1][1]
    gets = area_in(inner, sheet)
    return None if cell is None or largest is None or gets is None else (cell, largest, gets, *before)


def _gate(text: str, sheet: str) -> Gate | None:
    match = re.fullmatch(r"(ABS\()?([^()<>]+?)\)?([<>])([-+.\dE]+)", text)
    if match is None or (area := area_in(match[2], sheet)) is None:
        return None
    limit = sum(float(part) for part in _split(match[4], "+-"))
    return Gate(area, match[3], limit, match[1] is not None)


def _call(text: str) -> tuple[str, list[str]] | None:
    """A function's name and what it is given, where the whole text is one call."""
    match = _CALL.match(text)
    if match is None or _closing(text, match.end() - 1) != len(text) - 1:
        return None
    return match[1], [part.lstrip(",") for part in _split(text[match.end() : -1], ",")]


def _closing(text: str, at: int) -> int:
    depth = 0
    for n in range(at, len(text)):
        depth += (text[n] == "(") - (text[n] == ")")
        if depth == 0:
            return n
    return -1


def _split(text: str, signs: str) -> list[str]:
    """A text cut before each of these signs that stands in no bracket, name or number."""
    found, depth, quoted, first = [], 0, False, 0
    for n, letter in enumerate(text):
        quoted ^= letter == "'"
        depth += (letter == "(") - (letter == ")")
        exponent = letter in "+-" and n > 1 and text[n - 1] == "E" and text[n - 2] in "0123456789."
        if letter in signs and not depth and not quoted and not exponent and n > first and text[n - 1] not in "+-*/^,<>=":
            found.append(text[first:n])
            first = n
    return [*found, text[first:]]
