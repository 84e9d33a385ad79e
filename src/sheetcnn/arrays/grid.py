"""A rectangular array drawn on a sheet, and the A1 text that formulas use to point at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from ..a1 import LETTERS, sheet_prefix
from .pattern import Moving

CELL = 22  # a cell's width and height in pixels: cells are square


class _Windows(dict[tuple[int, int, int, int], str]):
    """The texts of a grid's windows by (row, column, rows, columns), made when first asked for: every filter reads the same."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def __missing__(self, key: tuple[int, int, int, int]) -> str:
        text = self[key] = self.grid.window(*key)
        return text


@dataclass(slots=True)
class Grid:
    """An array of rows × columns on a sheet, its first element in the cell (top, left), counted from 1.

    `spacing` is the distance between neighbouring elements in cells: (1, 1), or the dilation of a kernel that is
    drawn spread out. `prefix` is what formulas write before the cell: nothing on the grid's own sheet.
    """

    sheet: str
    top: int
    left: int
    rows: int
    columns: int
    spacing: tuple[int, int] = (1, 1)
    prefix: str = ""
    area: str = field(init=False)  # all its cells, as $A$1:$C$3
    windows: dict[tuple[int, int, int, int], str] = field(init=False, repr=False, compare=False)  # only in `seen_from`

    def __post_init__(self) -> None:
        first = f"${LETTERS[self.left]}${self.top}"
        last = f"${LETTERS[self.right]}${self.bottom}"
        self.area = self.prefix + (first if first == last else f"{first}:{last}")

    @property
    def bottom(self) -> int:
        """The last row of cells."""
        return self.top + (self.rows - 1) * self.spacing[0]

    @property
    def right(self) -> int:
        """The last column of cells."""
        return self.left + (self.columns - 1) * self.spacing[1]

    def meets(self, other: Grid) -> bool:
        """Whether both have a cell in common, or one between cells of a spread-out grid."""
        down = self.top <= other.bottom and other.top <= self.bottom
        return self.sheet == other.sheet and down and self.left <= other.right and other.left <= self.right

    def seen_from(self, sheet: str) -> Grid:
        """The same grid for formulas that stand on `sheet`."""
        prefix = "" if sheet == self.sheet else sheet_prefix(self.sheet)
        grid = Grid(self.sheet, self.top, self.left, self.rows, self.columns, self.spacing, prefix)
        grid.windows = _Windows(grid)
        return grid

    @property
    def reference(self) -> str:
        """The grid's cells with the sheet's name, as a defined name states them."""
        return replace(self, prefix=sheet_prefix(self.sheet)).area

    def at(self, row: int, column: int) -> str:
        """The cell of one element, counted from 0."""
        left: Any = self.left + column * self.spacing[1]
        letters = left.letters if type(left) is Moving else LETTERS[left]
        return f"{self.prefix}{letters}{self.top + row * self.spacing[0]}"

    def window(self, row: int, column: int, rows: int, columns: int) -> str:
        """The rectangle of cells whose corner is the element (row, column); it may reach into the padding around."""
        top, left = self.top + row, self.left + column  # type: Any, Any
        if type(left) is Moving:
            before, after = left.letters, (left + (columns - 1)).letters
        else:
            before, after = LETTERS[left], LETTERS[left + columns - 1]
        first = f"{self.prefix}{before}{top}"
        return first if rows == columns == 1 else f"{first}:{after}{top + rows - 1}"


@dataclass(slots=True)
class Stack(Sequence[Grid]):
    """Grids of one size one below the other, made when they are asked for: a network's kernels may be millions.

    `heights` says how far below the first one each of them begins.
    """

    first: Grid
    heights: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.heights)

    def __getitem__(self, n: Any) -> Any:
        if isinstance(n, slice):
            return [self[place] for place in range(*n.indices(len(self)))]
        first = self.first
        top = first.top + self.heights[n]
        return Grid(first.sheet, top, first.left, first.rows, first.columns, first.spacing, first.prefix)

    @property
    def whole(self) -> Grid:
        """All rows from the first grid to the last."""
        first = self.first
        rows = self.heights[-1] + first.bottom - first.top + 1
        return Grid(first.sheet, first.top, first.left, rows, first.columns, (1, first.spacing[1]))

    @property
    def lines(self) -> tuple[int, ...]:
        """For each row of the whole the line of the grids that stands there, HOLE between lines, or BESIDE between grids."""
        return _lines(self.heights, self.first.rows, self.first.spacing[0])


HOLE, BESIDE = -1, -2


@lru_cache(64)
def _lines(heights: tuple[int, ...], rows: int, spacing: int) -> tuple[int, ...]:
    found = [BESIDE] * (heights[-1] + (rows - 1) * spacing + 1)
    for n, height in enumerate(heights):
        for i in range((rows - 1) * spacing + 1):
            found[height + i] = HOLE if i % spacing else n * rows + i // spacing
    return tuple(found)


Grids = Any  # one grid, or lists of them, maps[k], kernels[k][c]: which one is known only when a network is read


def seen_from(grids: Grids, sheet: str) -> Grids:
    """A grid, or nested lists of grids, for formulas that stand on `sheet`."""
    if isinstance(grids, Grid):
        return grids.seen_from(sheet)
    if isinstance(grids, Stack):
        return Stack(grids.first.seen_from(sheet), grids.heights)
    return [seen_from(grid, sheet) for grid in grids]


def flat(grids: Grids) -> Iterator[tuple[tuple[int, ...], Grid]]:
    """Every grid of nested lists with its index, counted from 0."""
    if isinstance(grids, Grid):
        yield (), grids
        return
    for position, inner in enumerate(grids):
        for index, grid in flat(inner):
            yield (position, *index), grid


def span(grids: list[Grid]) -> str:
    """The cells from the first to the last of grids that stand one below the other, with all between them."""
    first, last = grids[0], grids[-1]
    return f"{first.prefix}${LETTERS[first.left]}${first.top}:${LETTERS[last.right]}${last.bottom}"


def in_columns(grids: Iterable[Grid]) -> list[Grid]:
    """Grids in the same columns of a sheet joined into one tall one: what lies between is blank or text."""
    tall: dict[tuple[str, int, int], list[int]] = {}
    for grid in grids:
        rows = tall.setdefault((grid.sheet, grid.left, grid.right), [grid.top, grid.bottom])
        rows[0], rows[1] = min(rows[0], grid.top), max(rows[1], grid.bottom)
    return [
        Grid(sheet, top, left, bottom - top + 1, right - left + 1) for (sheet, left, right), (top, bottom) in tall.items()
    ]
