"""Grids by their defined names, wherever they have moved to in a workbook, and the cells that they cover."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays.array import Array
from ..arrays.grid import Grid, Grids, Stack
from ..errors import WorkbookError
from ..formula import Area, Book, Sheet


class NamedAreas:
    """The rectangles that a workbook's defined names stand for."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._lower = {name.lower(): area for name, area in book.names.items()}  # to programs, capitals are no difference

    def area(self, name: str) -> Area | None:
        """Where a name leads, whatever its size; None where it leads nowhere."""
        return self.book.names.get(name) or self._lower.get(name.lower())

    def lacks(self, name: str, size: tuple[int, int]) -> str | None:
        """Why a rectangle of this size cannot be found by its name; None where it can."""
        area = self.area(name)
        if area is None:
            return f"the defined name {name} is missing; was its sheet or its grid deleted?"
        _, top, left, bottom, right = area
        have = bottom - top + 1, right - left + 1
        if have == size:
            return None
        cells = f"{name} has {have[0]}×{have[1]} cells, the network needs {size[0]}×{size[1]}"
        return f"{cells}; perhaps rows or columns were inserted or deleted"

    def place(self, name: str, size: tuple[int, int], spacing: tuple[int, int] = (1, 1)) -> Grid:
        """The grid of so many rows and columns that a name stands for. Raises WorkbookError where there is none."""
        rows, columns = size
        reason = self.lacks(name, ((rows - 1) * spacing[0] + 1, (columns - 1) * spacing[1] + 1))
        if reason is not None:
            raise WorkbookError(f"{self.book.source}: {reason}")
        area = self.area(name)
        assert area is not None
        self.book.refuse_far(*area)
        sheet, top, left, *_ = area
        return Grid(sheet, top, left, rows, columns, spacing)

    def grid(self, array: Array, index: tuple[int, ...]) -> Grid:
        """One grid of an array. Raises WorkbookError where it is missing or was cut up."""
        return self.place(array.name(index), array.size, array.spacing)


@dataclass(frozen=True)
class Batch:
    """Grids of one size on one sheet, by their corners: what is done to all of them is done at once."""

    sheet: str
    which: np.ndarray  # their places among all grids of their array
    tops: np.ndarray
    lefts: np.ndarray
    size: tuple[int, int]
    spacing: tuple[int, int]

    def of(self, cells: np.ndarray) -> np.ndarray:
        """Their elements out of a sheet's array: grids × rows × columns. What lies beyond the sheet's last cell is blank."""
        return cut(cells, self.grid(0))[None] if len(self.which) == 1 else cells[self._places(cells)]

    def put(self, cells: np.ndarray, value: bool) -> None:
        """Write one value into all their cells."""
        cells[self._places(cells)] = value

    def grid(self, n: int) -> Grid:
        """One of them."""
        return Grid(self.sheet, int(self.tops[n]), int(self.lefts[n]), *self.size, self.spacing)

    def _places(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = (
            np.minimum(first[:, None] + np.arange(size) * apart, end - 1)
            for first, size, apart, end in zip((self.tops, self.lefts), self.size, self.spacing, cells.shape, strict=True)
        )
        return rows[:, :, None], columns[:, None, :]


def batched(grids: Grids) -> list[Batch]:
    """All grids of an array, by their sheets."""
    leaves = grids if isinstance(grids, list) else [grids]
    while isinstance(leaves[0], list):
        leaves = [leaf for inner in leaves for leaf in inner]
    heights = [leaf.heights if isinstance(leaf, Stack) else (0,) for leaf in leaves]
    firsts = [leaf.first if isinstance(leaf, Stack) else leaf for leaf in leaves]
    counts = [len(each) for each in heights]
    tops = np.repeat([grid.top for grid in firsts], counts) + np.concatenate(heights)
    lefts = np.repeat([grid.left for grid in firsts], counts)
    names = {grid.sheet: None for grid in firsts}
    sheets = np.repeat([list(names).index(grid.sheet) for grid in firsts], counts)
    found = []
    for n, sheet in enumerate(names):
        which = np.flatnonzero(sheets == n)
        size = firsts[0].rows, firsts[0].columns
        found.append(Batch(sheet, which, tops[which], lefts[which], size, firsts[0].spacing))
    return found


def cell_at(grid: Grid, i: int, j: int) -> tuple[int, int]:
    """The row and column of one element's cell."""
    return grid.top + int(i) * grid.spacing[0], grid.left + int(j) * grid.spacing[1]


def part(cells: np.ndarray, grid: Grid) -> np.ndarray:
    """A grid's elements in a sheet's array, as far as the array reaches; what is written into them is written there."""
    return cells[grid.top : grid.bottom + 1 : grid.spacing[0], grid.left : grid.right + 1 : grid.spacing[1]]


def cut(cells: np.ndarray, grid: Grid) -> np.ndarray:
    """A grid's elements out of a sheet's array; what lies beyond the sheet's last cell is blank."""
    found = part(cells, grid)
    if found.shape != (grid.rows, grid.columns):
        full = np.zeros((grid.rows, grid.columns), cells.dtype)
        full[: found.shape[0], : found.shape[1]] = found
        return full
    return found


def with_room(sheet: Sheet, grid: Grid) -> Sheet:
    """A sheet whose arrays reach as far as a grid, also where its last cell lies within the grid."""
    more = [(0, max(0, end + 2 - size)) for end, size in zip((grid.bottom, grid.right), sheet.kind.shape, strict=True)]
    if not any(after for _, after in more):
        return sheet
    return replace(sheet, kind=np.pad(sheet.kind, more), number=np.pad(sheet.number, more))
