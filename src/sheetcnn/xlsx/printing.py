"""How sheets are printed: their part that goes on paper, its size there, and page breaks between the grids.

A sheet that is fitted to the width of a page is cut wherever the page ends, and Excel ignores breaks then. So sheets of
grids get a scale and breaks of their own, computed from the widths and heights of their columns and rows.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.pagebreak import Break, ColBreak, RowBreak

from ..a1 import LETTERS, MAX_ROWS
from .cells import CellBlock
from .draft import WorkbookDraft
from .labels import Sheet

PAPER = {"portrait": (8.27, 11.69), "landscape": (11.69, 8.27)}  # A4 in inches: width, height
SIDE, ENDS, LINE = 0.4, 0.6, 0.25  # margins in inches: at the sides, above and below, and where header and footer begin
ROOM = 96 * 0.94  # pixels of an inch, less what printers' own fonts may add to widths and heights
SCALES = range(100, 28, -2)  # per cent
READABLE = 42  # per cent: below, numbers of 7 points are hard to read, and more pages are better
MOST_BREAKS = 1_000  # Excel takes 1,026 on a sheet
# A blank cell is what a sheet for the screen prints: without a print area LibreOffice prints hidden sheets too.
NOTHING = f"A{MAX_ROWS}"
FIRST = 2  # the first column that is printed: the one before it is a margin


@dataclass(frozen=True)
class Paper:
    """How a sheet of grids is put on paper; breaks are the numbers of the first row or column of the next page."""

    orientation: str
    scale: int  # per cent
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    cut: int  # grids that a break runs through

    @property
    def pages(self) -> int:
        return (len(self.rows) + 1) * (len(self.columns) + 1)


def set_up_printing(draft: WorkbookDraft) -> None:
    """Give every sheet its print area, and sheets of grids their breaks; to be done when all is drawn."""
    for sheet in draft.book.worksheets:
        sheet.page_margins = PageMargins(SIDE, SIDE, ENDS, ENDS, LINE, LINE)
        if sheet.sheet_state != "visible" or not draft.prints[sheet.title]:
            sheet.print_area = NOTHING
        elif draft.prints[sheet.title] == "grids":
            rooms = [CellBlock(room, np.empty((0, 0)), 0) for room in draft.whole if room.sheet == sheet.title]
            _print_grids(sheet, [*draft.blocks[sheet.title], *rooms])
        elif draft.prints[sheet.title] == "one page":
            sheet.page_setup.fitToHeight = 1


def _print_grids(sheet: Sheet, blocks: list[CellBlock]) -> None:
    widths, heights = sizes(sheet, blocks)
    shown = [block for block in blocks if FIRST <= block.grid.left < len(widths) and widths[block.grid.left]]
    bottom, right = len(heights) - 1, int(np.flatnonzero(widths)[-1])
    sheet.print_area = f"{LETTERS[FIRST]}1:{LETTERS[right]}{bottom}"
    paper = on_paper(widths[: right + 1], heights, shown)
    sheet.sheet_properties.pageSetUpPr.fitToPage = False
    sheet.page_setup.fitToHeight = None
    sheet.page_setup.orientation, sheet.page_setup.scale = paper.orientation, paper.scale
    if len(paper.rows) + len(paper.columns) <= MOST_BREAKS:
        # A break is named by the last row or column of the page before it.
        sheet.row_breaks = RowBreak(brk=tuple(Break(row - 1) for row in paper.rows))
        sheet.col_breaks = ColBreak(brk=tuple(Break(column - 1) for column in paper.columns))


def sizes(sheet: Sheet, blocks: list[CellBlock]) -> tuple[np.ndarray, np.ndarray]:
    """The widths of columns and the heights of rows in pixels, counted from 1, as far as anything is shown."""
    hidden = [(d.min, d.max) for d in sheet.column_dimensions.values() if d.hidden]
    seen = [b for b in blocks if not any(first <= b.grid.left <= last for first, last in hidden)]
    bottom = max([sheet.max_row, *(block.last_row for block in seen)])
    right = max([sheet.max_column, *(block.grid.right + block.margin[3] for block in seen)])
    square = _pixels(sheet.sheet_format.defaultColWidth or 13)
    # Texts reach over the cells beside them; a letter is half as wide as it is high, or somewhat wider.
    for (_, column), label in sheet.labels.items():
        if isinstance(label.value, str):
            font = sheet.styles.font(label.style)
            letters = len(label.value) * font.sz * (0.8 if font.name == "Courier New" else 0.72 if font.b else 0.66)
            right = max(right, column + math.ceil(letters / square) - 1)
    widths = np.full(right + 1, float(square))
    for dimension in sheet.column_dimensions.values():
        if (dimension.width is not None and dimension.customWidth) or dimension.hidden:
            widths[dimension.min : dimension.max + 1] = 0 if dimension.hidden else _pixels(dimension.width)
    heights = np.full(bottom + 1, (sheet.sheet_format.defaultRowHeight or 15) * 4 / 3)
    for row, dimension in sheet.row_dimensions.items():
        if dimension.height is not None and row <= bottom:
            heights[row] = dimension.height * 4 / 3
    widths[:FIRST] = heights[0] = 0  # not printed
    return widths, heights


def _pixels(width: float) -> int:
    return math.ceil(width * 7)


def on_paper(widths: np.ndarray, heights: np.ndarray, blocks: list[CellBlock]) -> Paper:
    """The orientation, scale and breaks that cut the fewest grids, are readable, and need the fewest pages, in this order."""
    # A grid's label stands in the row above it, a list of kernels in the row below.
    rows = _crossed([(first - 1, last + 1) for block in blocks for first, last in block.bands], len(heights))
    columns = _crossed([(b.grid.left - b.margin[1], b.grid.right + b.margin[3]) for b in blocks], len(widths))
    ends = np.cumsum(widths).tolist(), np.cumsum(heights).tolist()
    sizes = _sizes(blocks, ends)
    tried = []
    for n, (orientation, (width, height)) in enumerate(PAPER.items()):
        for scale in SCALES:
            room = [(width - 2 * SIDE) * ROOM * 100 / scale, (height - 2 * ENDS) * ROOM * 100 / scale]
            pages = math.prod(max(1, math.ceil(each[-1] / most)) for each, most in zip(ends, room, strict=True))
            cut = sum(len(each) - bisect_right(each, most) for each, most in zip(sizes, room, strict=True))
            tried.append(((cut, scale < READABLE, pages, -scale, n), orientation, room))
    best: tuple[tuple[int, bool, int, int, int], Paper] | None = None
    for least, orientation, room in sorted(tried):  # it cannot be better than that
        if best is not None and best[0] <= least:
            break
        _, small, _, scale, n = least
        across, cut = _breaks(ends[0], columns, room[0])
        down, more = _breaks(ends[1], rows, room[1])
        paper = Paper(orientation, -scale, tuple(down), tuple(across), cut + more)
        rank = (paper.cut, small, paper.pages, scale, n)
        if best is None or rank < best[0]:
            best = rank, paper
    assert best is not None
    return best[1]


def _sizes(blocks: list[CellBlock], ends: tuple[list[float], list[float]]) -> tuple[list[float], list[float]]:
    """How wide and how high grids are, from the smallest to the largest: what is larger than a page is cut at least once."""
    across, down = ends
    last_column, last_row = len(across) - 1, len(down) - 1  # what is hidden behind them has no width
    sides = [(b.grid.left - b.margin[1] - 1, min(b.grid.right + b.margin[3], last_column)) for b in blocks]
    bands = [(first - 1, min(last, last_row)) for block in blocks for first, last in block.bands]
    return sorted(across[j] - across[i] for i, j in sides), sorted(down[j] - down[i] for i, j in bands)


def _crossed(spans: list[tuple[int, int]], count: int) -> list[int]:
    """Through how many spans, each from its first line to its last, a break before each line would run."""
    change = np.zeros(count + 2, int)
    firsts, lasts = np.array(spans, int).reshape(-1, 2).clip(0, count - 1).T
    np.add.at(change, firsts + 1, 1)
    np.add.at(change, lasts + 1, -1)
    return np.cumsum(change)[:count].tolist()


def _breaks(ends: list[float], crossed: list[int], room: float) -> tuple[list[int], int]:
    """Before which lines pages begin, as late as they can without running through a grid; and how many they run through.

    `ends` says how far it is from the first line to the end of each.
    """
    found, cut, start = [], 0, 1
    while ends[-1] - ends[start - 1] > room:
        limit = max(start + 1, bisect_right(ends, ends[start - 1] + room))
        following = crossed[limit:start:-1]
        least = min(following)
        start = limit - following.index(least)
        found.append(start)
        cut += least
    return found, cut
