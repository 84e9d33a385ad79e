"""The workbook without its grids, made with openpyxl: sheets, labels, links, names, colours, protection."""

from __future__ import annotations

import io
import zipfile
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.drawing.image import Image
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.styles import Border, Font, Side
from openpyxl.styles.differential import DifferentialStyle, DifferentialStyleList
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from ..a1 import LETTERS, sheet_prefix
from ..arrays.computed_range import ComputedRange
from ..arrays.grid import CELL, Grid, in_columns
from ..errors import LimitError
from . import palette
from .cells import CellBlock
from .styles import CELL_STYLES, FONT, IN_GRIDS, NUMBERS, TEXT_STYLES, UNSHRUNK

# LibreOffice counts defined names in 16 bits: one more, and it mixes them up and crashes (seen with 7.4).
MAX_DEFINED_NAMES = 65_535


Prints = Literal["", "page width", "one page", "grids"]  # "": a sheet for the screen


@dataclass
class WorkbookDraft:
    """The openpyxl workbook, and for each of its sheets what is to be poured in."""

    book: Workbook = field(default_factory=Workbook)
    blocks: dict[str, list[CellBlock]] = field(default_factory=dict)
    descriptions: list[str] = field(default_factory=list)  # of the pictures, in their order
    prints: dict[str, Prints] = field(default_factory=dict)  # how each sheet is put on paper
    bars: dict[str, Grid] = field(default_factory=dict)  # scale bars whose colours follow numbers, by name
    links: dict[str, list[Hyperlink]] = field(default_factory=dict)  # of poured cells, by their sheet
    whole: list[Grid] = field(default_factory=list)  # rooms of several blocks that no page break shall cut
    _styles: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.book.remove(self.book.active)
        self.book._differential_styles = _RuleStyles()
        self.book.security = None  # would be written though it says nothing, and Gnumeric complains
        # The Normal style's font sets the unit of column widths: with another, LibreOffice's cells are no squares.
        self.book._named_styles["Normal"].font = Font(FONT, 10)

    def sheet(self, name: str, prints: Prints = "page width") -> Worksheet:
        """A new sheet at the end."""
        sheet = self.book.create_sheet(name)
        sheet.sheet_view.showGridLines = False
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.oddHeader.left.text = name.replace("&", "&&")
        sheet.oddFooter.right.text = "&P / &N"
        for page in ("even", "first"):  # the same, and written though they say nothing
            setattr(sheet.HeaderFooter, f"{page}Header", None)
            setattr(sheet.HeaderFooter, f"{page}Footer", None)
        self.blocks[name] = []
        self.prints[name] = prints
        return sheet

    def fill(self, sheet: str, block: CellBlock) -> None:
        self.blocks[sheet].append(block)

    def link(self, grid: Grid, to: Grid) -> None:
        """Make a poured grid a link to the first cell of another."""
        place = f"{sheet_prefix(to.sheet)}{LETTERS[to.left]}{to.top}"
        self.links.setdefault(grid.sheet, []).append(Hyperlink(ref=area_of(grid), location=place, display=place))

    def style(self, kind: str, number_format: str = "General") -> int:
        """The number of a cell style, one of `CELL_STYLES`."""
        key = (kind, number_format)
        if key not in self._styles:
            cell = WriteOnlyCell(self.book.worksheets[0])
            cell.number_format = number_format
            for attribute, value in (IN_GRIDS | CELL_STYLES[kind]).items():
                setattr(cell, attribute, value)
            if number_format == palette.FITTING and kind in NUMBERS:
                cell.alignment = UNSHRUNK
            self._styles[key] = cell.style_id
        return self._styles[key]

    def framed(self, style: int, sides: tuple[bool, ...], colour: str, line: Any = "medium") -> int:
        """The number of a style with a line at its left, right, top or bottom."""
        key = (f"{style} {sides} {line}", colour)
        if key not in self._styles:
            cell = WriteOnlyCell(self.book.worksheets[0])
            cell._style = copy(self.book._cell_styles[style])
            now, own = cell.border, Side(line, color=colour)
            kept = (now.left, now.right, now.top, now.bottom)
            cell.border = Border(*(own if given else side for given, side in zip(sides, kept, strict=True)))
            self._styles[key] = cell.style_id
        return self._styles[key]

    def name(self, name: str, grid: Grid) -> None:
        """Give a grid its defined name."""
        self.book.defined_names[name] = DefinedName(name, attr_text=grid.reference)

    def view(self, view: ComputedRange, grid: Grid, style: int, blank: int = 0) -> None:
        """Pour the computed cells of an added sheet, and give them their name; `blank` is the style of those between them."""
        self.name(view.name, grid)
        values = np.array(view.values, dtype=object)
        (down, along), count = grid.spacing, view.size[1]
        # What lies between columns that are apart is not this rectangle's, which may be one of several that take turns.
        for first, wide in [(0, count)] if along == 1 else [(j, 1) for j in range(count)]:
            part = Grid(grid.sheet, grid.top, grid.left + first * along, grid.rows, wide, (down, 1))
            columns = range(first, first + wide)
            texts = lambda i, columns=columns: [view.formula(i, j) for j in columns]  # noqa: E731
            self.fill(grid.sheet, CellBlock(part, values[:, first : first + wide], style, texts, blank=blank))

    def picture(self, sheet: Worksheet, png: bytes, cell: str, words: str, most: int) -> None:
        """Show a PNG at a cell, at most so many pixels of the screen wide and high, described for those who cannot see it."""
        image = Image(io.BytesIO(png))
        part = min(1.0, most / max(image.width, image.height))
        image.width, image.height = round(image.width * part), round(image.height * part)
        sheet.add_image(image, cell)
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
            writer.write_worksheet = partial(_write_sheet, writer, self.links)
            writer.save()
        return stream.getvalue()


class _RuleStyles(DifferentialStyleList):  # type: ignore[misc]  # openpyxl has no types
    """openpyxl's list of what rules make of cells, which would be searched from its beginning for each rule."""

    def __init__(self) -> None:
        super().__init__([])
        self._places: dict[DifferentialStyle, int] = {}

    def add(self, style: DifferentialStyle) -> int:
        """The place of a style, which is put in where it is new."""
        place = self._places.setdefault(style, len(self.dxf))
        if place == len(self.dxf):
            self.dxf.append(style)
        return place


def _write_sheet(writer: ExcelWriter, links: dict[str, list[Hyperlink]], sheet: Worksheet) -> None:
    """Write a sheet, small as it is without its grids, as openpyxl does but for its temporary files.

    Of a process that is killed, these would stay.
    """
    sheet._drawing = SpreadsheetDrawing()
    sheet._drawing.charts, sheet._drawing.images = sheet._charts, sheet._images
    rows = WorksheetWriter(sheet, io.BytesIO())
    sheet._hyperlinks += links.get(sheet.title, [])
    rows.write()
    sheet._rels = rows._rels
    writer._archive.writestr(sheet.path[1:], rows.read())
    writer.manifest.append(sheet)


def put(sheet: Worksheet, row: int, column: int, text: Any, style: str, link: str | None = None, at: str = "A1") -> None:
    """Write a label, perhaps with a link to a cell of a sheet; text stays text even where it begins with "="."""
    cell = sheet.cell(row, column, text if text != "" else None)  # a blank cell, not a text of no letters
    if isinstance(cell.value, str):
        cell.data_type = "s"
    for attribute, value in TEXT_STYLES[style].items():
        setattr(cell, attribute, value)
    if link is not None:
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{sheet_prefix(link)}{at}", display=text)


def merged(sheet: Worksheet, row: int, column: int, rows: int, columns: int) -> None:
    """Make cells one, so that a text has room whatever their sizes; to be done when the first one is dressed."""
    if rows > 1 or columns > 1:
        sheet.merge_cells(start_row=row, end_row=row + rows - 1, start_column=column, end_column=column + columns - 1)


def put_line(sheet: Worksheet, row: int, column: int, items: list[tuple[str, str | None]]) -> int:
    """Write links side by side; returns the next free column."""
    for item in items:
        put(sheet, row, column, item[0], "link", item[1])
        column += line_columns([item])
    return column


def line_columns(items: list[tuple[str, str | None]]) -> int:
    """How many columns such links take."""
    return sum(-(-len(text) * 7 // CELL) + 1 for text, _ in items)


def area_of(grid: Grid) -> str:
    """A grid's cells without a sheet: C4:F8."""
    return f"{LETTERS[grid.left]}{grid.top}:{LETTERS[grid.right]}{grid.bottom}"


def spans(grids: list[Grid]) -> str:
    """The ranges of grids, those in the same columns joined into one tall range."""
    return " ".join(map(area_of, in_columns(grids)))


def protect(draft: WorkbookDraft) -> None:
    """Lock every cell but those to type in; there is no password."""
    for sheet in draft.book.worksheets:
        sheet.protection.sheet = True
        sheet.protection.formatColumns = False
        sheet.protection.formatRows = False
