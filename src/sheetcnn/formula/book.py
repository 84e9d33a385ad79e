"""A workbook as arrays: numbers, texts, formulas with the values saved beside them, and defined names."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..a1 import cell_name
from ..errors import WorkbookError
from .below import BETWEEN, Below, Continued, PackedRow
from .pieces import Numbers
from .values import BOOLEAN, ERROR, ERRORS, NUMERIC, TEXT

_OPEN = 64  # rows that are kept taken apart


class Formulas(Mapping[int, list[tuple[int, str]]]):
    """The formulas of a sheet by row: columns in ascending order, and texts without "=".

    A row is kept as one text, since a million small ones would take twice the memory, or as going on like the rows above it;
    it is taken apart when asked for.
    """

    def __init__(self) -> None:
        self._rows: dict[int, tuple[array[int], str | Continued]] = {}
        self._late: dict[int, list[tuple[int, str]]] = {}  # further pieces of rows
        self._open: dict[int, list[tuple[int, str]]] = {}  # what was asked for last

    def add(self, row: int, cells: list[tuple[int, str]]) -> None:
        """Take in cells of a row, which may come in pieces."""
        if row in self._rows:
            self._late.setdefault(row, []).extend(cells)
        else:
            self._pack(row, cells)

    def add_joined(self, row: int, columns: array[int], texts: str) -> None:
        """Take in cells of a row in ascending order, their texts joined as they are kept here."""
        if row in self._rows:
            self._late.setdefault(row, []).extend(zip(columns, texts.split(BETWEEN), strict=True))
        else:
            self._rows[row] = columns, texts

    def _pack(self, row: int, cells: list[tuple[int, str]]) -> None:
        cells = sorted(cells)
        self._rows[row] = array("H", [column for column, _ in cells]), BETWEEN.join([text for _, text in cells])

    def finish(self) -> None:
        """Put the pieces together, and the rows in order."""
        for row, cells in self._late.items():
            self._pack(row, self[row] + cells)
        self._late, self._open = {}, {}
        rows, self._rows = self._rows, {}
        before, below, first = -1, None, ""  # the last row that is kept as a text, what is below it, and that text
        for row in sorted(rows):
            columns, texts = rows.pop(row)
            text, times = str(texts), row - before
            if below is not None and columns == below.columns and row - 1 in self._rows and text == below.text(times):
                self._rows[row] = below.columns, Continued(below, times)
                continue
            alike = times == 1 and columns == self._rows[before][0]
            below = Below.of(columns, first, text) if alike else None
            self._rows[row] = columns, text
            before, first = row, text

    def keep(self, last_row: int, last_column: int) -> None:
        """Forget those beyond a row and a column."""
        for row in [row for row, (columns, _) in self._rows.items() if row > last_row or columns[-1] > last_column]:
            cells = [one for one in self[row] if row <= last_row and one[0] <= last_column]
            self._open.pop(row)
            if cells:
                self._pack(row, cells)
            else:
                del self._rows[row]

    def __getitem__(self, row: int) -> list[tuple[int, str]]:
        if row not in self._open:
            columns, texts = self._rows[row]
            if len(self._open) >= _OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[row] = list(zip(columns, str(texts).split(BETWEEN), strict=True))
        return self._open[row]

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def packed(self) -> Iterator[PackedRow]:
        """Each row with its columns and its texts joined, or how they go on."""
        return ((row, columns, texts) for row, (columns, texts) in self._rows.items())

    @property
    def count(self) -> int:
        """How many cells hold a formula."""
        return sum(len(columns) for columns, _ in self._rows.values())

    @property
    def letters(self) -> int:
        """How long all of them are together."""
        return sum(len(str(texts)) for _, texts in self._rows.values())

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of all of them."""
        columns = [np.frombuffer(columns, np.uint16) for columns, _ in self._rows.values()]
        rows = np.repeat(np.array(list(self._rows), np.int32), [len(part) for part in columns])
        return rows, np.concatenate([np.empty(0, np.uint16), *columns]).astype(np.int32)


@dataclass
class Sheet:
    """A sheet's cells. Arrays are rows × columns from A1, with one blank row and column more at the end.

    `kind` says what a cell holds; `number` holds its number, 0 or 1 for a boolean, the place in ERRORS for an error,
    and 0 for blank cells and texts, which stand in `texts`. A formula's cell is PENDING until it is evaluated.
    """

    name: str
    kind: np.ndarray
    number: np.ndarray
    texts: dict[tuple[int, int], str]
    formulas: Formulas
    saved_numbers: list[Numbers]  # what the file says that formulas' values are, where these are numbers
    saved_texts: dict[tuple[int, int], str]  # texts and errors saved as formulas' values
    spills: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)  # sizes of array formulas of several cells
    errors_or_booleans: int = 0  # how many cells hold one

    @cached_property
    def saved(self) -> np.ndarray:
        """The numbers saved as formulas' values; NaN where there is none."""
        found = np.full(self.kind.shape, np.nan)
        for saved in self.saved_numbers:
            found[saved.rows, saved.columns] = saved.numbers
        return found

    def value(self, row: int, column: int) -> float | str | bool | None:
        """What one cell holds, counted from 1: errors as their text, None for a blank one."""
        if not (row < self.kind.shape[0] and column < self.kind.shape[1]):
            return None
        kind, number = self.kind[row, column], self.number[row, column]
        if kind == NUMERIC:
            return float(number)
        if kind == TEXT:
            return self.texts[row, column]
        if kind == BOOLEAN:
            return bool(number)
        return ERRORS[int(number)] if kind == ERROR else None

    def formula(self, row: int, column: int) -> str | None:
        """The formula of one cell without "=", None where it has none."""
        return next((text for at, text in self.formulas.get(row, ()) if at == column), None)


@dataclass(frozen=True)
class Far:
    """Cells that were left out of a sheet, since they stand far from all others."""

    REMEDY: ClassVar[str] = "clear the rows and columns far from all others, where {} is"

    rows: np.ndarray
    columns: np.ndarray

    def inside(self, top: int, left: int, bottom: int, right: int) -> str | None:
        """The name of one that stands in a rectangle."""
        found = (self.rows >= top) & (self.rows <= bottom) & (self.columns >= left) & (self.columns <= right)
        return cell_name(int(self.rows[found][0]), int(self.columns[found][0])) if found.any() else None

    def words(self, sheet: str) -> str:
        """A note on them."""
        cell = f"{sheet}!{cell_name(int(self.rows[0]), int(self.columns[0]))}"
        if len(self.rows) == 1:
            return f"{cell} stands far from all other cells, and was left out"
        return f"{len(self.rows):,} cells stand far from all others, {cell} among them, and were left out"


@dataclass
class Book:
    """A workbook: its sheets in order, and its defined names as (sheet, top, left, bottom, right), counted from 1.

    `definitions` are the texts of all names, those of one sheet only among them, by that sheet ("" for all) and the name
    in small letters.
    """

    source: str
    sheets: dict[str, Sheet]
    names: dict[str, tuple[str, int, int, int, int]]
    problems: dict[tuple[str, int, int], str] = field(default_factory=dict)  # formulas that could not be evaluated
    definitions: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what was left out in reading
    far: dict[str, Far] = field(default_factory=dict)  # by sheet, of that the cells that stand far from all others

    def refuse_far(self, sheet: str, top: int, left: int, bottom: int, right: int) -> None:
        """Raise WorkbookError where cells of a rectangle were left out, whose numbers somebody needs now."""
        if sheet in self.far and (cell := self.far[sheet].inside(top, left, bottom, right)) is not None:
            raise WorkbookError(f"{self.source}: sheet {sheet}: its cells are scattered; {Far.REMEDY.format(cell)}")
