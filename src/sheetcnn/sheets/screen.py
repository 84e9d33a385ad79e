"""What of a sheet can be seen at once: how large it is shown, and what stays in place when the rest scrolls."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from ..a1 import LETTERS
from ..arrays.grid import CELL
from .page import LEFT, Page

# What LibreOffice's window leaves for cells, with its menus, toolbars, headings and tabs, in pixels across and down.
SMALL = (1266, 517)  # of a screen of 1366×700
LARGE = (1500, 817)  # of one of 1600×1000
WIDE = 24  # pixels that LibreOffice shows a column in: somewhat more than Excel, and than a row is high
TITLE = 35  # the height of a sheet's first row in pixels
TEXT_TOP = 3  # the first row of text at the top left of a matrix, below the title and the links
ZOOMS = range(90, 40, -10)  # per cent
MOST_FIXED = 0.64  # of the height, that may stay in place
LETTERS_WIDE = {"words": 6.6, "soft": 5.6, "code": 7.3, "warning": 7.6, "link": 7}  # a letter's width in pixels, by style


def extent(row: int, column: int) -> tuple[int, int]:
    """How many pixels it is from a sheet's corner to the end of a cell, across and down, in LibreOffice."""
    return column * WIDE, TITLE + (row - 1) * CELL


def filter_extent(page: Page) -> tuple[int, int]:
    """The pixels, across and down, in which a matrix shows all of its first filter: channels, kernels, bias and map."""
    return extent(page.first_band, page.columns)


def zoom_of(page: Page, least: int = 50) -> int:
    """How large a sheet is shown, in per cent: so small, where channels are too high for a small screen, that a large one fits a filter."""
    width, height = filter_extent(page)
    if height <= SMALL[1]:
        return 100
    fitting = (
        zoom for zoom in ZOOMS if zoom >= least and width * zoom <= LARGE[0] * 100 and height * zoom <= LARGE[1] * 100
    )
    return next(fitting, 100)


def show(sheet: Worksheet, page: Page, least: int = 50) -> None:
    """Let what scrolls begin where it should, and show a matrix at the size that fits, of so many per cent at `least`."""
    row, column = page.scrolls
    if page.first_band:
        zoom = zoom_of(page, least)
        screen = SMALL if zoom == 100 else LARGE
        width, height = (length * zoom / 100 for length in extent(row - 1, column - 1))
        row = row if height <= MOST_FIXED * screen[1] else TEXT_TOP  # the title and the links at least
        column = column if width <= screen[0] / 2 else 1
        sheet.sheet_view.zoomScale = zoom
    sheet.freeze_panes = f"{LETTERS[column]}{row}"


def rows_of(text: str, style: str, last: int) -> int:
    """How many rows a text takes that may reach as far as a column."""
    room = (last - LEFT + 1) * CELL
    return -int(-len(text) * LETTERS_WIDE[style] // room)
