"""Cells of one size for whole sheets."""

from __future__ import annotations

from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from ..arrays.grid import CELL

# A file counts widths in digits of the Normal font. Excel takes those of Arial 10 for 7 pixels and rounds to the pixel,
# LibreOffice for 7.4: the least width that Excel still rounds up to a cell's pixels is square in both.
WIDTH = (CELL - 0.45) / 7
HEIGHT = CELL * 0.75  # points
DIGIT, SLACK = 7.405, 0.15  # pixels of LibreOffice, which shows no part of a pixel, and what keeps it from rounding down
SCREEN = 1600  # pixels


def square_width(pixels: int) -> float:
    """The width of a column, as a file counts it, that is so many pixels in Excel and in LibreOffice."""
    return max((pixels + SLACK) / DIGIT, (pixels - 0.45) / 7)


def square_cells(sheet: Worksheet, columns: int) -> None:
    """Square cells for a sheet of grids."""
    sheet.column_dimensions["A"] = ColumnDimension(sheet, index="A", min=1, max=columns + 2, width=WIDTH, customWidth=True)
    sheet.sheet_format.defaultColWidth = WIDTH
    sheet.sheet_format.defaultRowHeight = HEIGHT
    sheet.sheet_format.customHeight = True
    sheet.row_dimensions[1].height = 26
    # Wide sheets are shown smaller, so that maps and kernels stand on one screen, but never too small to be read.
    sheet.sheet_view.zoomScale = max(70, min(100, SCREEN * 100 // (columns * CELL) // 5 * 5))
