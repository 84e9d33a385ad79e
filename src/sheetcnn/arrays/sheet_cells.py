"""Sheets as arrays of numbers: what stands in each cell of them, in NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from .array import Array, Shape, Values
from .grid import Grid, Grids, flat
from .terms import Area

Block = tuple[Array, Shape, Grid]  # an array, the index of one of its grids, and that


class SheetCells:
    """The cells of all sheets that have grids."""

    def __init__(self, arrays: Iterable[Array], grids: Mapping[str, Grids], values: Values) -> None:
        self.values = values
        self.blocks: dict[str, list[Block]] = {}  # by sheet
        for array in arrays:
            for index, grid in flat(grids[array.id]) if array.id in grids else ():
                self.blocks.setdefault(grid.sheet, []).append((array, index, grid))
        self._sheets: dict[str, np.ndarray] = {}

    def numbers(self, area: Area) -> np.ndarray:
        """What stands in a rectangle; NaN is a blank cell."""
        sheet = self._sheet(area.sheet)
        found = np.full((area.rows, area.columns), np.nan)
        part = sheet[area.top : area.top + area.rows, area.left : area.left + area.columns]
        found[: part.shape[0], : part.shape[1]] = part
        return found

    def grid_of(self, area: Area) -> tuple[Block, int, int] | None:
        """The grid that a rectangle lies on, with the element nearest to its corner, counted from 0."""
        for block in self.blocks.get(area.sheet, []):
            grid = block[2]
            if (
                area.top <= grid.bottom
                and area.left <= grid.right
                and grid.top < area.top + area.rows
                and grid.left < area.left + area.columns
            ):
                row, column = (
                    max(0, -(-(at - first) // step))
                    for at, first, step in zip((area.top, area.left), (grid.top, grid.left), grid.spacing, strict=True)
                )
                return block, row, column
        return None

    def _sheet(self, name: str) -> np.ndarray:
        if name not in self._sheets:
            blocks = self.blocks.get(name, [])
            size = [max((getattr(grid, end) for *_, grid in blocks), default=0) + 1 for end in ("bottom", "right")]
            cells = np.full(size, np.nan)
            for array, index, grid in blocks:
                (down, along), numbers = grid.spacing, self.values[array.id][index]
                cells[grid.top : grid.bottom + 1 : down, grid.left : grid.right + 1 : along] = np.reshape(
                    numbers, (grid.rows, grid.columns)
                )
            self._sheets[name] = cells
        return self._sheets[name]
