"""The row stream: cells of grids written straight into a sheet's XML, each formula with its value beside it."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape as html_escape
from itertools import chain
from operator import itemgetter

import numpy as np
from pydantic_core import to_json

from ..a1 import LETTERS
from ..arrays.array import Margin
from ..arrays.grid import BESIDE, Grid, Stack
from ..arrays.lazy import Part
from ..arrays.pattern import Pattern
from ..errors import LimitError, located

MAX_FORMULA = 8_192  # characters, Excel's limit
CHUNK = 1 << 18  # rows are handed to the compressor in pieces of about this size


def escape(text: str) -> str:
    """A text as it stands in XML; that of xml.sax would load all that a browser needs."""
    return html_escape(text, quote=False)


def texts_of(numbers: list[float]) -> list[str]:
    """Numbers with the digits that tell them from all others, as Python's own `repr` has them, in a sixth of its time."""
    return to_json(numbers)[1:-1].decode().split(",")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell unlike the others of its grid: its style, and what it holds, if anything."""

    style: int
    formula: str | None = None
    value: float = math.nan

    def xml(self, name: str) -> str:
        formula = "" if self.formula is None else f"<f>{escape(self.formula)}</f>"
        value = "" if math.isnan(self.value) else f"<v>{self.value + 0.0!r}</v>"  # + 0.0: no negative zeros
        return f'<c r="{name}" s="{self.style}">{formula}{value}</c>'


@dataclass(frozen=True, slots=True)
class CellBlock:
    """A grid to be written: its values, its formulas where it has any, and the style numbers of its cells.

    `values` has the grid's rows × columns: floats, or an array of objects where formulas make texts too. `formula` gives the texts of a
    row, counted from 0. Where a value is not known yet, it is NaN, and the cell is written without one.
    """

    grid: Grid
    values: np.ndarray | Part
    style: int
    formula: Callable[[int], list[str]] | None = None
    pattern: Pattern | None = None  # of the formulas, where they read alike
    margin: Margin = (0, 0, 0, 0)
    blank: int = 0  # the style of padding, and of the holes of a kernel that is drawn spread out
    empty: bool = False  # nothing but padding
    cells: Mapping[tuple[int, int], Cell] = field(default_factory=dict)  # those that differ, counted from 0
    stack: Stack | None = None  # the grids that it is of, where it is of several; `grid` is around them

    @property
    def first_row(self) -> int:
        return self.grid.top - self.margin[0]

    @property
    def last_row(self) -> int:
        return self.grid.bottom + self.margin[2]

    @property
    def first_column(self) -> int:
        return self.grid.left - self.margin[1]

    @property
    def last_column(self) -> int:
        return self.grid.right + self.margin[3]

    @property
    def bands(self) -> list[tuple[int, int]]:
        """The first and the last row of each grid, padding included."""
        if self.stack is None:
            return [(self.first_row, self.last_row)]
        first = self.stack.first
        return [(first.top + height, first.bottom + height) for height in self.stack.heights]

    def rows(self) -> Iterator[str]:
        """Its cells row by row from `first_row` on, padding and holes included."""
        grid, ends = self.grid, (self.first_column, self.last_column)
        columns = grid.left, grid.right, grid.spacing[1]
        differ = {i for i, _ in self.cells}
        cells: Iterable[str]
        lines = () if self.stack is None else self.stack.lines
        for row in range(self.first_row, self.last_row + 1):
            inside, hole = divmod(row - grid.top, grid.spacing[0])
            if lines:
                inside = lines[inside]
                if inside == BESIDE:
                    yield ""
                    continue
            if hole or self.empty or not 0 <= inside < grid.rows:
                yield _blanks(*ends, self.blank).replace(_ROW_HERE, str(row))
                continue
            if inside in differ or self.values.dtype.kind != "f":
                content, cells = "%s", self._each(row, inside)
                frame = _frame(*ends, *columns, None, self.blank)
            else:
                content, cells = self._alike(row, inside)
                frame = _frame(*ends, *columns, self.style, self.blank)
            yield frame.replace(_ROW_HERE, str(row)).replace(_CONTENT, content) % tuple(cells)

    def _alike(self, row: int, inside: int) -> tuple[str, Iterable[str]]:
        """What the cells of a row hold, as something to be formatted and the parts that differ."""
        values, value = texts_of((self.values[inside] + 0.0).tolist()), "<v>%s</v>"  # no negative zeros
        if "NaN" in values:
            values, value = ["" if text == "NaN" else value % text for text in values], "%s"
        if self.formula is None:
            return value, values
        if self.pattern is not None and self.pattern.longest <= MAX_FORMULA:
            text = f"<f>{escape(self.pattern.row(inside))}</f>{value}"
            return text, chain.from_iterable(zip(*self.pattern.places, values, strict=True))
        return f"<f>%s</f>{value}", chain.from_iterable(zip(self._formulas(row, inside), values, strict=True))

    def _each(self, row: int, inside: int) -> list[str]:
        """The cells of a row, each with its own style and type."""
        grid, style = self.grid, self.style
        names = LETTERS[grid.left : grid.right + 1 : grid.spacing[1]]
        values = [value + 0.0 if isinstance(value, float) else value for value in self.values[inside].tolist()]
        formulas = [""] * len(values)
        if self.formula is not None:
            formulas = [f"<f>{text}</f>" for text in self._formulas(row, inside)]
        cells = [
            f'<c r="{name}{row}" s="{style}" t="str">{formula}<v>{escape(value)}</v></c>'
            if isinstance(value, str)
            else f'<c r="{name}{row}" s="{style}">{formula}{"" if value != value else f"<v>{value!r}</v>"}</c>'
            for name, formula, value in zip(names, formulas, values, strict=True)
        ]
        for j, name in enumerate(names):
            if (inside, j) in self.cells:
                cells[j] = self.cells[inside, j].xml(f"{name}{row}")
        return cells

    def _formulas(self, row: int, inside: int) -> list[str]:
        """The formulas of a row as they stand in XML. Raises LimitError where one is too long."""
        assert self.formula is not None
        formulas = self.formula(inside)
        longest = max(formulas, key=len)
        if len(longest) > MAX_FORMULA:
            grid = self.grid
            place = f"{LETTERS[grid.left + formulas.index(longest) * grid.spacing[1]]}{row}"
            with located(layer=grid.sheet, cell=f"{grid.sheet}!{place}"):
                raise LimitError(
                    f"sheet {grid.sheet}: the formula in {place} has {len(longest):,} characters; "
                    f"Excel allows {MAX_FORMULA:,}; use fewer channels or a smaller window"
                )
        together = "".join(formulas)  # the formulas of a row may differ, but few rows have any of these
        if "<" in together or ">" in together or "&" in together:
            formulas = [escape(formula) for formula in formulas]
        return formulas


_ROW_HERE, _CONTENT = "\0", "\1"  # in what is made for all rows: no cell can hold these characters


@lru_cache(8192)
def _frame(first: int, last: int, left: int, right: int, step: int, style: int | None, blank: int) -> str:
    """A row's cells without what they hold, among blank ones; without a `style` only places for whole cells."""
    parts = [_blanks(first, left - 1, blank)]
    for column in range(left, right + 1, step):
        parts.append(_CONTENT if style is None else f'<c r="{LETTERS[column]}{_ROW_HERE}" s="{style}">{_CONTENT}</c>')
        parts.append(_blanks(column + 1, min(column + step - 1, right), blank))
    parts.append(_blanks(right + 1, last, blank))
    return "".join(parts)


def _blanks(first: int, last: int, style: int) -> str:
    return "".join([f'<c r="{name}{_ROW_HERE}" s="{style}"/>' for name in LETTERS[first : last + 1]])


Rows = dict[int, tuple[str, list[tuple[int, str]]]]  # a row's attributes, and its cells by their columns


def sheet_rows(labels: Rows, blocks: list[CellBlock], height: str = "") -> Iterator[str]:
    """The rows of a sheet in pieces of XML: its labels, and the grids among them.

    `height` are the attributes of rows that have no height of their own.
    """
    waiting = sorted(blocks, key=lambda block: (block.first_row, block.grid.left), reverse=True)
    active: list[tuple[int, int, Iterator[str]]] = []  # first column, last row, rows
    last = max([block.last_row for block in blocks] + list(labels), default=0)
    ends = 0  # the row after which the next of the active blocks has no more
    piece: list[str] = []
    size = 0
    for row in range(1, last + 1):
        while waiting and waiting[-1].first_row == row:
            block = waiting.pop()
            insort(active, (block.first_column, block.last_row, block.rows()), key=itemgetter(0))
            ends = min(ends or block.last_row, block.last_row)
        attributes, cells = labels.get(row, ("", []))
        if " ht=" not in attributes:
            attributes += height
        if not active and row not in labels:
            continue
        parts = [next(rows) for *_, rows in active]
        if cells:
            columns = [column for column, *_ in active]
            parts = [text for _, text in sorted([*cells, *zip(columns, parts, strict=True)], key=itemgetter(0))]
        inside = "".join(parts)
        if inside or row in labels:
            piece.append(f'<row r="{row}"{attributes}>{inside}</row>')
            size += len(inside)
        if size > CHUNK:
            yield "".join(piece)
            piece, size = [], 0
        if row == ends:
            active = [block for block in active if block[1] > row]
            ends = min([end for _, end, _ in active], default=0)
    yield "".join(piece)
