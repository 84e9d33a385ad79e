"""The workbook without its grids, made with openpyxl: sheets, labels, links, names, colours, protection."""

from __future__ import annotations

import io
import json
import zipfile
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.drawing.image import Image
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule, FormulaRule
from openpyxl.styles import Border, Font, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from ..errors import LimitError
from ..grid import COLUMN, Grid, sheet_prefix
from ..layout import CELL, GALLERY_TOP, HEADER, LEFT, TINY, Page
from ..views.view import View
from . import palette
from .cells import Pour
from .styles import CELL_STYLES, FONT, IN_GRIDS, TEXT_STYLES

# A file counts widths in digits of the Normal font. Excel takes those of Arial 10 for 7 pixels and rounds to the pixel,
# LibreOffice for 7.4: the least width that Excel still rounds up to a cell's pixels is square in both.
WIDTH = (CELL - 0.45) / 7
HEIGHT = CELL * 0.75  # points
SCREEN = 1600  # pixels
# LibreOffice counts defined names in 16 bits: one more, and it mixes them up and crashes (seen with 7.4).
MAX_DEFINED_NAMES = 65_535


@dataclass
class Dressed:
    """The openpyxl workbook, and for each of its sheets what is to be poured in."""

    book: Workbook = field(default_factory=Workbook)
    pours: dict[str, list[Pour]] = field(default_factory=dict)
    descriptions: list[str] = field(default_factory=list)  # of the pictures, in their order
    _styles: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.book.remove(self.book.active)
        # The Normal style's font sets the unit of column widths: with another, LibreOffice's cells are no squares.
        self.book._named_styles["Normal"].font = Font(FONT, 10)

    def sheet(self, name: str) -> Worksheet:
        """A new sheet at the end."""
        sheet = self.book.create_sheet(name)
        sheet.sheet_view.showGridLines = False
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.oddHeader.left.text = name.replace("&", "&&")
        sheet.oddFooter.right.text = "&P / &N"
        self.pours[name] = []
        return sheet

    def pour(self, sheet: str, pour: Pour) -> None:
        self.pours[sheet].append(pour)

    def style(self, kind: str, number_format: str = "General") -> int:
        """The number of a cell style, one of `CELL_STYLES`."""
        key = (kind, number_format)
        if key not in self._styles:
            cell = WriteOnlyCell(self.book.worksheets[0])
            cell.number_format = number_format
            for attribute, value in (IN_GRIDS | CELL_STYLES[kind]).items():
                setattr(cell, attribute, value)
            self._styles[key] = cell.style_id
        return self._styles[key]

    def framed(self, style: int, sides: tuple[bool, ...], colour: str) -> int:
        """The number of a style with a thick line at its left, right, top or bottom."""
        key = (f"{style} {sides}", colour)
        if key not in self._styles:
            cell = WriteOnlyCell(self.book.worksheets[0])
            cell._style = copy(self.book._cell_styles[style])
            now, line = cell.border, Side("medium", color=colour)
            kept = (now.left, now.right, now.top, now.bottom)
            cell.border = Border(*(line if thick else side for thick, side in zip(sides, kept, strict=True)))
            self._styles[key] = cell.style_id
        return self._styles[key]

    def name(self, name: str, grid: Grid) -> None:
        """Give a grid its defined name."""
        self.book.defined_names[name] = DefinedName(name, attr_text=grid.reference)

    def view(self, view: View, grid: Grid, style: int) -> None:
        """Pour the computed cells of an added sheet, and give them their name."""
        self.name(view.name, grid)
        columns = range(view.size[1])
        values = np.array(view.values, dtype=object)
        self.pour(grid.sheet, Pour(grid, values, style, lambda i: [view.formula(i, j) for j in columns]))

    def picture(self, sheet: Worksheet, png: bytes, cell: str, words: str) -> None:
        """Show a PNG at a cell, described in words for those who cannot see it."""
        sheet.add_image(Image(io.BytesIO(png)), cell)
        self.descriptions.append(words)

    def save(self) -> bytes:
        """The .xlsx without the poured cells. Raises LimitError where it has more names than programs can take."""
        if (count := len(self.book.defined_names)) > MAX_DEFINED_NAMES:
            raise LimitError(
                f"the workbook would have {count:,} defined names; LibreOffice takes {MAX_DEFINED_NAMES:,}; use fewer channels, or --no-gallery"
            )
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            writer = ExcelWriter(self.book, archive)
            writer.write_worksheet = partial(_write_sheet, writer)
            writer.save()
        return stream.getvalue()


def _write_sheet(writer: ExcelWriter, sheet: Worksheet) -> None:
    """Write a sheet, small as it is without its grids, as openpyxl does but for its temporary files.

    Of a process that is killed, these would stay.
    """
    sheet._drawing = SpreadsheetDrawing()
    sheet._drawing.charts, sheet._drawing.images = sheet._charts, sheet._images
    rows = WorksheetWriter(sheet, io.BytesIO())
    rows.write()
    sheet._rels = rows._rels
    writer._archive.writestr(sheet.path[1:], rows.read())
    writer.manifest.append(sheet)


def put(sheet: Worksheet, row: int, column: int, text: Any, style: str, link: str | None = None) -> None:
    """Write a label; text stays text even where it begins with "="."""
    cell = sheet.cell(row, column, text)
    if isinstance(text, str):
        cell.data_type = "s"
    for attribute, value in TEXT_STYLES[style].items():
        setattr(cell, attribute, value)
    if link is not None:
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{sheet_prefix(link)}A1", display=text)


def put_line(sheet: Worksheet, row: int, column: int, items: list[tuple[str, str | None]]) -> int:
    """Write links side by side; returns the next free column."""
    for text, link in items:
        put(sheet, row, column, text, "link", link)
        column += -(-len(text) * 7 // CELL) + 1
    return column


def square_cells(sheet: Worksheet, columns: int) -> None:
    """Square cells for a sheet of grids, its header frozen."""
    sheet.column_dimensions["A"] = ColumnDimension(sheet, index="A", min=1, max=columns + 2, width=WIDTH, customWidth=True)
    sheet.sheet_format.defaultColWidth = WIDTH
    sheet.sheet_format.defaultRowHeight = HEIGHT
    sheet.sheet_format.customHeight = True
    sheet.row_dimensions[1].height = 26
    sheet.freeze_panes = f"A{HEADER + 1}"
    # Wide sheets are shown smaller, so that maps and kernels stand on one screen, but never too small to be read.
    sheet.sheet_view.zoomScale = max(70, min(100, SCREEN * 100 // (columns * CELL) // 5 * 5))


def tiny_cells(sheet: Worksheet, columns: int) -> None:
    """Tiny square cells for a sheet of thumbnails; its first rows hold text."""
    width = (TINY - 0.45) / 7
    sheet.column_dimensions["A"] = ColumnDimension(sheet, index="A", min=1, max=columns + 20, width=width, customWidth=True)
    sheet.sheet_format.defaultRowHeight = TINY * 0.75
    sheet.sheet_format.customHeight = True
    for row, height in enumerate((26, 18, 16, 8, 16), start=1):
        sheet.row_dimensions[row].height = height
    sheet.freeze_panes = f"A{GALLERY_TOP}"


def header(sheet: Worksheet, title: str, lines: list[tuple[str, str]], before: str, after: str, home: str) -> int:
    """Title, lines of text and links at the top of a sheet; returns the next free column of the row of links."""
    put(sheet, 1, LEFT, title, "title")
    for row, (text, style) in enumerate(lines, start=2):
        put(sheet, row, LEFT, text, style)
    links: list[tuple[str, str | None]] = [(f"← {before}", before), (home, home), (f"{after} →", after)]
    if before == home:
        del links[1]
    elif after == home:
        del links[2]
    return put_line(sheet, HEADER - 1, LEFT, links)


def marks(sheet: Worksheet, page: Page) -> None:
    """Labels, operators and the names of a vector's elements."""
    for mark in page.marks:
        put(sheet, mark.row, mark.column, mark.text, mark.style)


def area_of(grid: Grid) -> str:
    """A grid's cells without a sheet: C4:F8."""
    return f"{COLUMN[grid.left]}{grid.top}:{COLUMN[grid.right]}{grid.bottom}"


def spans(grids: list[Grid]) -> str:
    """The ranges of grids, those in the same columns joined into one tall range: what lies between is blank or text."""
    tall: dict[tuple[int, int], list[int]] = {}
    for grid in grids:
        rows = tall.setdefault((grid.left, grid.right), [grid.top, grid.bottom])
        rows[0], rows[1] = min(rows[0], grid.top), max(rows[1], grid.bottom)
    return " ".join(f"{COLUMN[left]}{top}:{COLUMN[right]}{bottom}" for (left, right), (top, bottom) in tall.items())


@dataclass(frozen=True)
class Outline:
    """When cells get an orange box.

    `inside`, `right` and `below` are lists of tests, separated by commas: for the cells themselves, and for those beside
    and below them, whose own borders would hide the box's. `around` are the ranges of padding that may be outlined.
    """

    inside: str
    right: str
    below: str
    around: str

    def rules(self, *more: str, **format_: Any) -> list[FormulaRule]:
        """The rules, with further tests and formats."""
        side = Side("thin", color=palette.OUTLINE)
        borders = (Border(side, side, side, side), Border(left=side), Border(top=side))
        return [
            FormulaRule([f"AND({','.join([tests, *more])})"], border=border, **format_)
            for tests, border in zip((self.inside, self.right, self.below), borders, strict=True)
        ]


def add_rules(sheet: Worksheet, ranges: str, rules: list[FormulaRule]) -> None:
    """Lay several rules over ranges, the first before the others."""
    for rule in rules:
        sheet.conditional_formatting.add(ranges, rule)


def colour(
    sheet: Worksheet, ranges: str, scale: palette.Scale, largest: str | None, typed: bool, outline: Outline | None = None
) -> None:
    """Lay a colour scale over ranges, and make text pale where cells are dark; `largest` is the maximum, or its cell.

    LibreOffice gives a cell the format of one rule only, and sees one set of rules where ranges overlap: what is outlined
    and dark has a rule of its own, before the others.
    """
    dark = []
    if scale.pale_below is not None:
        dark.append(("lessThan", "<", repr(scale.pale_below)))
    if scale.pale_above is not None and largest is not None:
        dark.append(("greaterThan", ">", f"{scale.pale_above}*{largest}"))
    pale = Font(color=palette.PALE_TYPED if typed else palette.PALE_TEXT)
    if outline is not None:
        corner = ranges.split(" ")[0].split(":")[0]
        for _, sign, limit in dark:
            add_rules(sheet, ranges, outline.rules(f"{corner}{sign}{limit}", font=pale))
        add_rules(sheet, ranges, outline.rules())
    points = scale.points
    keys = ("start", "mid", "end") if len(points) == 3 else ("start", "end")
    arguments: dict[str, Any] = {}
    for key, (value, shade) in zip(keys, points, strict=True):
        arguments[f"{key}_type"] = value if isinstance(value, str) else "num"
        arguments[f"{key}_value"] = None if isinstance(value, str) else value
        arguments[f"{key}_color"] = shade
    sheet.conditional_formatting.add(ranges, ColorScaleRule(**arguments))
    for operator, _, limit in dark:
        sheet.conditional_formatting.add(ranges, CellIsRule(operator, [limit], font=pale))


def protect(dressed: Dressed) -> None:
    """Lock every cell but those to type in; there is no password."""
    for sheet in dressed.book.worksheets:
        sheet.protection.sheet = True
        sheet.protection.formatColumns = False
        sheet.protection.formatRows = False


def description_sheet(dressed: Dressed, description: dict[str, Any]) -> None:
    """The hidden sheet that lets `check` do with nothing but the workbook."""
    sheet = dressed.sheet("_sheetcnn")
    sheet.sheet_state = "hidden"
    # Spaces stand in JSON's texts only; written as escapes, none can get lost at the end of a cell.
    text = json.dumps(description, ensure_ascii=True, separators=(",", ":")).replace(" ", "\\u0020")
    put(sheet, 1, 1, "sheetcnn", "row")
    for row, start in enumerate(range(0, len(text), 30_000), start=2):  # a cell holds 32,767 characters
        put(sheet, row, 1, text[start : start + 30_000], "row")


def known(array: np.ndarray) -> np.ndarray:
    """The numbers of an array that may be shown: those that a student is to find are NaN."""
    hidden = np.isnan(array)
    return array[~hidden] if hidden.any() else array


def signed_scale(values: list[np.ndarray]) -> palette.Scale:
    """Blue, white, red, centred on 0 and as wide as the largest value."""
    size = max((float(np.abs(array).max()) for array in values if array.size), default=0.0) or 1.0
    return palette.Scale(((-size, palette.NEGATIVE), (0.0, palette.ZERO), (size, palette.POSITIVE)))
