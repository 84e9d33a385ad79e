"""A sheet with its grids: where each stands, and what is written beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ..a1 import MAX_COLUMNS, MAX_ROWS
from ..arrays.array import Array, Margin, Shape
from ..arrays.grid import CELL, Grid, Grids, Stack
from ..errors import LimitError
from ..model.network import Network, Node
from ..model.settings import INPUT

HEADER = 7  # rows above the grids, the same on every sheet: wide kernels stand at their channels' heights
LEFT = 2  # the first column of grids; column A is a margin
GAP = 2  # columns between two grids
LETTER = 4.2  # a letter's width in a grid's label, in pixels
NO_MARGIN: Margin = (0, 0, 0, 0)


@dataclass(frozen=True)
class Block:
    """One grid in its place: which array it shows, and what is written above it; or a stack of them."""

    array: Array
    index: Shape  # of the grid in its array, counted from 0; of a stack, that of all its grids
    grid: Grid
    name: str  # the defined name
    label: str
    margin: Margin = NO_MARGIN
    stack: Stack | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of what it shows."""
        rows, columns = self.array.size
        return (rows if self.stack is None else rows * len(self.stack)), columns


@dataclass(frozen=True)
class Mark:
    """A text beside the grids: a label, an operator, the name of a vector's element."""

    row: int
    column: int
    text: str
    style: str


@dataclass
class KernelLists:
    """Lists of classic kernels on a sheet: a cell for each filter, its state below it, and the kernels as built."""

    choices: list[Grid]  # filter by filter
    states: list[Grid]
    built: dict[Shape, Grid]  # by filter and channel
    marks: list[Mark]

    @property
    def first_row(self) -> int:
        """The row in which the kernels as built are announced."""
        return self.marks[0].row


@dataclass
class Page:
    """A sheet with its grids."""

    sheet: str
    node: Node | None
    blocks: list[Block] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    grids: dict[str, Grids] = field(default_factory=dict)  # by the id of their array
    lists: KernelLists | None = None
    rows: int = HEADER
    columns: int = 1
    corner: int = 0  # the last column for the text at the top left; 0: it may be as wide as the sheet
    scrolls: tuple[int, int] = (HEADER + 1, 1)  # the first row and column of what scrolls
    first_band: int = 0  # the last row of the first filter's band, where the sheet is a matrix

    @property
    def names(self) -> dict[str, Grid]:
        """The defined names: of each grid, or of all that have one name together."""
        found: dict[str, Grid] = {}
        for block in self.blocks:
            first = found.setdefault(block.name, block.grid)
            if first is not block.grid:
                bottom, right = max(first.bottom, block.grid.bottom), max(first.right, block.grid.right)
                rows, columns = bottom - first.top + 1, right - first.left + 1
                found[block.name] = Grid(self.sheet, first.top, first.left, rows, columns)
        return found

    def add(self, block: Block) -> None:
        """Take a block in, with its label above it."""
        grid, (top, _, bottom, right) = block.grid, block.margin
        self.blocks.append(block)
        if block.label:
            self.marks.append(Mark(grid.top - top - 1, grid.left - block.margin[1], block.label, "label"))
        self.rows = max(self.rows, grid.bottom + bottom)
        self.columns = max(self.columns, grid.right + right)


def channel_names(network: Network, name: str) -> list[str]:
    """What the channels of a layer's output are called: R, G, B for a colour picture, else 1, 2, 3."""
    if name == INPUT and network.input.channels == 3:
        return ["R", "G", "B"]
    return [str(c + 1) for c in range(network.shapes[name][0])]


def refuse_too_large(network: Network, title: str, page: Page) -> None:
    """Raise LimitError where a page has more rows or columns than a sheet."""
    for have, limit, what in ((page.rows, MAX_ROWS, "rows"), (page.columns, MAX_COLUMNS, "columns")):
        if have > limit:
            raise LimitError(
                f"{network.source}: {title}: its sheet would have {have:,} {what}; Excel allows {limit:,}; make it smaller"
            )


def fitting(texts: list[str], columns: int) -> str:
    """The longest text that fits above a grid of so many columns and the gap beside it."""
    room = (columns + GAP) * CELL
    return next((text for text in texts if len(text) * LETTER <= room), texts[-1])


def room_for(text: str) -> int:
    """How many columns a text needs."""
    return math.ceil(len(text) * LETTER / CELL)


class Pen:
    """Places the grids of one page and collects them by array."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._found: dict[str, dict[Shape, Grids]] = {}

    def put(self, array: Array, index: Shape, top: int, left: int, label: str, margin: Margin = NO_MARGIN) -> Grid:
        """Place one grid of an array."""
        grid = self._grid(array, top, left)
        self.page.add(Block(array, index, grid, array.name(index), label, margin))
        self._found.setdefault(array.id, {})[index] = grid
        return grid

    def stack(self, array: Array, index: Shape, tops: list[int], left: int, label: str) -> None:
        """Place grids that have one name together, one below the other."""
        grids = Stack(self._grid(array, tops[0], left), tuple(top - tops[0] for top in tops))
        self.page.add(Block(array, index, grids.whole, array.name(index), label, stack=grids))
        self._found.setdefault(array.id, {})[index] = grids

    def _grid(self, array: Array, top: int, left: int) -> Grid:
        # Columns have letters up to Excel's last: what goes beyond is refused before any is asked for.
        rows, columns = array.size
        last = left + (columns - 1) * array.spacing[1]
        if last > MAX_COLUMNS:
            raise LimitError(
                f'the sheet of "{array.owner}" would have at least {last:,} columns; Excel allows {MAX_COLUMNS:,}; make the layer smaller'
            )
        return Grid(self.page.sheet, top, left, rows, columns, array.spacing)

    def finish(self) -> Page:
        """The page, its grids nested as their arrays' axes are."""
        for name, grids in self._found.items():
            self.page.grids[name] = _nested(grids)
        return self.page


def _nested(grids: dict[Shape, Grids]) -> Grids:
    """Grids by index as nested lists."""
    if () in grids:
        return grids[()]
    inner: dict[int, dict[Shape, Grids]] = {}
    for index, grid in grids.items():
        inner.setdefault(index[0], {})[index[1:]] = grid
    return [_nested(part) for part in inner.values()]
