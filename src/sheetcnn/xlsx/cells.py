"""The row stream: cells of grids written straight into a sheet's XML, each formula with its value beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape as html_escape

import numpy as np

from ..a1 import LETTERS
from ..arrays.array import Margin
from ..arrays.grid import Grid
from ..arrays.lazy import Part
from ..errors import LimitError, located

MAX_FORMULA = 8_192  # characters, Excel's limit
CHUNK = 1 << 21  # rows are handed to the compressor in pieces of about this size


def escape(text: str) -> str:
    """A text as it stands in XML; that of xml.sax would load all that a browser needs."""
    return html_escape(text, quote=False)


@dataclass(frozen=True)
class Cell:
    """A cell unlike the others of its grid: its style, and what it holds, if anything."""

    style: int
    formula: str | None = None
    value: float = math.nan

    def xml(self, name: str) -> str:
        formula = "" if self.formula is None else f"<f>{escape(self.formula)}</f>"
        value = "" if math.isnan(self.value) else f"<v>{self.value + 0.0!r}</v>"  # + 0.0: no negative zeros
        return f'<c r="{name}" s="{self.style}">{formula}{value}</c>'


@dataclass(frozen=True)
class CellBlock:
    """A grid to be written: its values, its formulas where it has any, and the style numbers of its cells.

    `values` has the grid's rows × columns: floats, or an array of objects where formulas make texts too. `formula` gives the texts of a
    row, counted from 0. Where a value is not known yet, it is NaN, and the cell is written without one.
    """

    grid: Grid
    values: np.ndarray | Part
    style: int
    formula: Callable[[int], list[str]] | None = None
    margin: Margin = (0, 0, 0, 0)
    blank: int = 0  # the style of padding, and of the holes of a kernel that is drawn spread out
    empty: bool = False  # nothing but padding
    cells: Mapping[tuple[int, int], Cell] = field(default_factory=dict)  # those that differ, counted from 0

    @property
    def first_row(self) -> int:
        return self.grid.top - self.margin[0]

    @property
    def last_row(self) -> int:
        return self.grid.bottom + self.margin[2]

    def row(self, row: int) -> tuple[int, str]:
        """The first column and the cells of one row of the sheet, padding and holes included."""
        grid, (_, before, _, after) = self.grid, self.margin
        left, right = grid.left - before, grid.right + after
        inside, hole = divmod(row - grid.top, grid.spacing[0])
        if hole or self.empty or not 0 <= inside < grid.rows:
            return left, _blanks(row, left, right, self.blank)
        if grid.spacing[1] == 1:
            cells = "".join(self._all_cells(row, inside))
        else:
            starts = range(grid.left, grid.right + 1, grid.spacing[1])
            cells = "".join(
                cell + _blanks(row, start + 1, min(start + grid.spacing[1] - 1, grid.right), self.blank)
                for start, cell in zip(starts, self._all_cells(row, inside), strict=True)
            )
        if not before and not after:
            return left, cells
        return left, _blanks(row, left, grid.left - 1, self.blank) + cells + _blanks(row, grid.right + 1, right, self.blank)

    def _all_cells(self, row: int, inside: int) -> list[str]:
        cells = self._cells(row, inside)
        if self.values.dtype.kind == "f" and np.isnan(self.values[inside]).any():
            cells = [cell.replace("<v>nan</v>", "") for cell in cells]
        if self.cells:
            names = LETTERS[self.grid.left : self.grid.right + 1 : self.grid.spacing[1]]
            cells = [
                self.cells[inside, j].xml(f"{name}{row}") if (inside, j) in self.cells else cell
                for j, (name, cell) in enumerate(zip(names, cells, strict=True))
            ]
        return cells

    def _cells(self, row: int, inside: int) -> list[str]:
        grid, style = self.grid, self.style
        names = LETTERS[grid.left : grid.right + 1 : grid.spacing[1]]
        values = self.values[inside].tolist()
        mixed = self.values.dtype.kind != "f"
        if 0.0 in values:  # no negative zeros
            values = [value or 0.0 if isinstance(value, float) else value for value in values]
        if self.formula is None:
            return [
                f'<c r="{name}{row}" s="{style}"><v>{value!r}</v></c>' for name, value in zip(names, values, strict=True)
            ]
        formulas = self.formula(inside)
        longest = max(formulas, key=len)
        if len(longest) > MAX_FORMULA:
            cell = f"{grid.sheet}!{names[formulas.index(longest)]}{row}"
            with located(layer=grid.sheet, cell=cell):
                raise LimitError(
                    f"sheet {grid.sheet}: the formula in {names[formulas.index(longest)]}{row} has {len(longest):,} characters; "
                    f"Excel allows {MAX_FORMULA:,}; use fewer channels or a smaller window"
                )
        together = "".join(formulas)  # the formulas of a row may differ, but few rows have any of these
        if "<" in together or ">" in together or "&" in together:
            formulas = [escape(formula) for formula in formulas]
        if mixed:
            return [
                f'<c r="{name}{row}" s="{style}" t="str"><f>{formula}</f><v>{escape(value)}</v></c>'
                if isinstance(value, str)
                else f'<c r="{name}{row}" s="{style}"><f>{formula}</f><v>{value!r}</v></c>'
                for name, formula, value in zip(names, formulas, values, strict=True)
            ]
        return [
            f'<c r="{name}{row}" s="{style}"><f>{formula}</f><v>{value!r}</v></c>'
            for name, formula, value in zip(names, formulas, values, strict=True)
        ]


def _blanks(row: int, first: int, last: int, style: int) -> str:
    return "".join([f'<c r="{name}{row}" s="{style}"/>' for name in LETTERS[first : last + 1]])


Rows = dict[int, tuple[str, list[tuple[int, str]]]]  # a row's attributes, and its cells by their columns


def sheet_rows(labels: Rows, blocks: list[CellBlock], height: str = "") -> Iterator[str]:
    """The rows of a sheet in pieces of XML: its labels, and the grids among them.

    `height` are the attributes of rows that have no height of their own.
    """
    waiting = sorted(blocks, key=lambda block: (block.first_row, block.grid.left), reverse=True)
    active: list[CellBlock] = []
    last = max([block.last_row for block in blocks] + list(labels), default=0)
    piece: list[str] = []
    size = 0
    for row in range(1, last + 1):
        while waiting and waiting[-1].first_row == row:
            active.append(waiting.pop())
        attributes, cells = labels.get(row, ("", []))
        if " ht=" not in attributes:
            attributes += height
        if not active and row not in labels:
            continue
        parts = cells + [block.row(row) for block in active]
        parts.sort(key=lambda part: part[0])
        text = f'<row r="{row}"{attributes}>' + "".join([part[1] for part in parts]) + "</row>"
        piece.append(text)
        size += len(text)
        if size > CHUNK:
            yield "".join(piece)
            piece, size = [], 0
        active = [block for block in active if block.last_row > row]
    yield "".join(piece)
