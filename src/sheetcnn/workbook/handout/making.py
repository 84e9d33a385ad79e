"""A handout's sheets in the making, which all that changes them shares."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ...arrays.grid import Grid
from ...handout.variant import Variant
from ...sheets.content import WorkbookContent
from ...sheets.page import Page
from ...xlsx.cells import Cell, CellBlock
from ...xlsx.draft import WorkbookDraft

EXERCISE, FEEDBACK = "Exercise", "_feedback"  # the sheets


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


@dataclass
class Making:
    """The sheets in the making, and the boxes and frames found so far."""

    draft: WorkbookDraft
    content: WorkbookContent
    variant: Variant
    key: bool
    boxes: list[Box] = field(default_factory=list)

    def page(self, layer: str) -> Page:
        return self.content.pages[layer]

    def block_at(self, grid: Grid) -> tuple[list[CellBlock], int]:
        """Where a grid's block is kept."""
        blocks = self.draft.blocks[grid.sheet]
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
        return Cell(block.style, formula, float(block.values[i, j]))
