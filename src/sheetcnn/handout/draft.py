"""The workbook of a handout as it is drafted: what its tasks leave blank and frame, and what is to turn green."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from openpyxl.worksheet.worksheet import Worksheet

from ..arrays.grid import Grid
from ..sheets.content import WorkbookContent
from ..xlsx.cells import Cell, CellBlock
from ..xlsx.draft import WorkbookDraft
from .variant import Variant

EXERCISE, FEEDBACK = "Exercise", "_feedback"  # the sheets
# Of cells to compute, and their windows: seen on dark cells and on light ones; blue is for what is negative.
FRAMES = ("E0408A", "EA580C", "A855F7", "0D9488", "B7791F", "65A30D")


@dataclass
class Box:
    """A rectangle of cells that turn green when they are right."""

    task: int
    grid: Grid
    right: np.ndarray
    tolerance: float
    largest: float = 0.0  # of the whole layer, where the picture is to appear in shades of green
    typed: bool = False  # whether numbers are typed, and are right as far as the tolerance goes
    shown: Grid | None = None  # what is compared with, where that may be seen
    given: tuple[Grid, ...] = ()  # what is to be typed elsewhere: nothing is right before any of it is


@dataclass
class Total:
    """Outputs whose sum tells that a task is done, so that nothing tells in which cell."""

    task: int
    arrays: list[str]  # by their ids
    number_format: str  # of 1 where it is done, else 0


@dataclass(kw_only=True)
class HandoutDraft(WorkbookDraft):
    """A student's workbook, or the key, and what turns green in it."""

    content: WorkbookContent
    variant: Variant
    key: bool
    live: frozenset[int]  # the numbers of the tasks that tell at once what is right
    boxes: list[Box] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    windows: list[Grid] = field(default_factory=list)  # those that have a frame
    colours: list[str] = field(default_factory=list)  # of the cells that have one

    @property
    def home(self) -> Worksheet:
        """The sheet with the instructions."""
        return self.book[EXERCISE]

    def block_at(self, grid: Grid) -> tuple[list[CellBlock], int]:
        """Where a grid's block is kept."""
        blocks = self.blocks[grid.sheet]
        places = (n for n, block in enumerate(blocks) if (block.grid.top, block.grid.left) == (grid.top, grid.left))
        return blocks, next(places)

    def put_cells(self, grid: Grid, cells: dict[tuple[int, int], Cell]) -> None:
        """Write some cells of a grid otherwise."""
        blocks, n = self.block_at(grid)
        blocks[n] = replace(blocks[n], cells={**blocks[n].cells, **cells})

    def cell(self, grid: Grid, i: int, j: int) -> Cell:
        """What is written in a cell so far."""
        blocks, n = self.block_at(grid)
        block = blocks[n]
        if (i, j) in block.cells:
            return block.cells[i, j]
        formula = None if block.formula is None else block.formula(i)[j]
        return Cell(block.style, formula, float(block.values[i][j]))

    def leave_blank(self, grid: Grid, places: Iterable[tuple[int, int]], style: int) -> None:
        """Cells in a style for what is to be filled in, which only the key has filled in."""
        cells = {(i, j): replace(self.cell(grid, i, j), style=style) if self.key else Cell(style) for i, j in places}
        self.put_cells(grid, cells)

    def own_colour(self, areas: list[Grid]) -> str | None:
        """The colour of the frames around some areas, which no other frame may cross; None where one would."""
        if any(area.meets(other) for area in areas for other in self.windows):
            return None
        self.colours.append(FRAMES[len(self.colours) % len(FRAMES)])
        self.windows += areas
        return self.colours[-1]

    def frame(self, grid: Grid, first: tuple[int, int], last: tuple[int, int], colour: str) -> None:
        """A frame around some cells of a grid."""
        (top, left), (bottom, right) = first, last
        cells = {}
        for i in range(top, bottom + 1):
            for j in range(left, right + 1):
                sides = (j == left, j == right, i == top, i == bottom)
                if any(sides):
                    cell = self.cell(grid, i, j)
                    cells[i, j] = replace(cell, style=self.framed(cell.style, sides, colour))
        self.put_cells(grid, cells)
