"""Where the bank of pictures has its table and its grids."""

from __future__ import annotations

import numpy as np

from ...arrays.grid import Grid
from ...errors import LimitError
from ...model.drawn import MOST_PICTURES
from ...model.limits import MAX_CELLS
from ...model.network import Network
from ...model.pictures import bank_array
from ..page import GAP, HEADER, LEFT, Page, Pen, refuse_too_large
from .content import PICTURES

TABLE_COLUMNS = 3  # and a fourth, the right labels
FIRST = 6  # the column of the first picture
CHOICE_ROW = HEADER - 2  # of the Input sheet
CHOICE_COLUMN, CHOICE_COLUMNS = LEFT + 3, 10  # of the cell that chooses
HINT_COLUMN, HINT_COLUMNS = CHOICE_COLUMN + CHOICE_COLUMNS + 1, 9  # of the words beside it


def number_place() -> Grid:
    """Where the number of the chosen picture stands."""
    return Grid("Input", CHOICE_ROW, HINT_COLUMN + HINT_COLUMNS, 1, 1)


def name_place() -> Grid:
    """Where its name stands."""
    number = number_place()
    return Grid(number.sheet, number.top, number.left + 1, 1, 1)


def table_place(count: int) -> Grid:
    """Where the table of pictures stands."""
    return Grid(PICTURES, 2, 1, count, TABLE_COLUMNS)


def truth_place(count: int) -> Grid:
    """Where the right labels stand."""
    return Grid(PICTURES, 2, 1 + TABLE_COLUMNS, count, 1)


def pictures_page(network: Network, count: int) -> Page:
    """The bank of several pictures: side by side, their channels one below the other.

    Raises LimitError where they are too many for a formula that chooses among them, or for a sheet.
    """
    if count > MOST_PICTURES:
        raise LimitError(f"{network.source}: {count} pictures are too many; a formula can choose among {MOST_PICTURES}")
    page = Page(PICTURES, None)
    pen = Pen(page)
    channels, rows, columns = network.input.shape
    if count * channels * rows * columns > MAX_CELLS:
        raise LimitError(
            f"{network.source}: {count} pictures have {count * channels * rows * columns:,} pixels; a spreadsheet takes "
            f"{MAX_CELLS:,}; give fewer, or a smaller input"
        )
    array = bank_array(network.input.shape, count)
    for p, c in np.ndindex(count, channels):
        pen.put(array, (p, c), HEADER + 2 + c * (rows + 2), FIRST + p * (columns + GAP), "")
    refuse_too_large(network, "the pictures", page)
    return pen.finish()
