"""The workbook without its grids, made with openpyxl: sheets, labels, links, names, colours, protection."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from openpyxl import Workbook
from openpyxl.drawing.image import Image
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.styles import Border, Font, Side
from openpyxl.styles.differential import DifferentialStyle, DifferentialStyleList
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter
from openpyxl.xml.functions import Element, SubElement

from ..a1 import LETTERS, sheet_prefix
from ..arrays.computed_range import ComputedRange
from ..arrays.grid import Grid, in_columns
from ..errors import LimitError
from . import palette
from .cells import CellBlock
from .labels import Sheet, Styles
from .rules import areas_with_rules
from .styles import CELL_STYLES, FONT, IN_GRIDS, NUMBERS, UNSHRUNK

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
    whole: list[Grid] = field(default_factory=list)  # rooms of several blocks that no page break shall cut
    styles: Styles = field(init=False)
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)  # of styles

    def __post_init__(self) -> None:
        self.book.remove(self.book.active)
        self.book._differential_styles = _RuleStyles()
        for name in ("fonts", "fills", "borders", "alignments", "protections"):
            setattr(self.book, f"_{name}", _Found(getattr(self.book, f"_{name}")))
        self.book._colors = ()  # would be written though they are the usual ones
        self.book.security = None  # would be written though it says nothing, and Gnumeric complains
        # The Normal style's font sets the unit of column widths: with another, LibreOffice's cells are no squares.
        self.book._named_styles["Normal"].font = Font(FONT, 10)
        self.styles = Styles(self.book)

    def sheet(self, name: str, prints: Prints = "page width") -> Sheet:
        """A new sheet at the end."""
        sheet = Sheet(self.book, name, self.styles)
        self.book._add_sheet(sheet)
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
        self.book[grid.sheet].links.append((area_of(grid), f"{sheet_prefix(to.sheet)}{LETTERS[to.left]}{to.top}"))

    def style(self, kind: str, number_format: str = "General") -> int:
        """The number of a cell style, one of `CELL_STYLES`."""
        key = (kind, number_format)
        if key not in self._numbers:
            looks = {"number_format": number_format} | IN_GRIDS | CELL_STYLES[kind]
            if number_format == palette.FITTING and kind in NUMBERS:
                looks["alignment"] = UNSHRUNK
            self._numbers[key] = self.styles.number(self.styles.made(looks))
        return self._numbers[key]

    def framed(self, style: int, sides: tuple[bool, ...], colour: str, line: Any = "medium") -> int:
        """The number of a style with a line at its left, right, top or bottom."""
        key = (f"{style} {sides} {line}", colour)
        if key not in self._numbers:
            whole = self.book._cell_styles[style]
            now, own = self.styles.border(whole), Side(line, color=colour)
            kept = (now.left, now.right, now.top, now.bottom)
            border = Border(*(own if given else side for given, side in zip(sides, kept, strict=True)))
            self._numbers[key] = self.styles.number(self.styles.made({"border": border}, whole))
        return self._numbers[key]

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

    def picture(self, sheet: Sheet, png: bytes, cell: str, words: str, most: int) -> None:
        """Show a PNG at a cell, at most so many pixels of the screen wide and high, described for those who cannot see it."""
        image = Image(io.BytesIO(png))
        part = min(1.0, most / max(image.width, image.height))
        image.width, image.height = round(image.width * part), round(image.height * part)
        sheet.add_image(image, cell)
        self.descriptions.append(words)

    def write(self, archive: Any) -> None:
        """Write the parts of the .xlsx, to what has a ZipFile's `writestr` and `namelist`, and
        sheets without their cells to its `pour`.

        Raises LimitError where it has more names than programs can take.
        """
        if (count := len(self.book.defined_names)) > MAX_DEFINED_NAMES:
            raise LimitError(
                f"the workbook would have {count:,} defined names; LibreOffice takes {MAX_DEFINED_NAMES:,}; use fewer channels, or --no-gallery"
            )
        writer = ExcelWriter(self.book, archive)
        writer.write_worksheet = partial(_write_sheet, writer)
        writer.write_data()


class _Found(IndexedList):  # type: ignore[misc]
    """openpyxl's list of fonts or the like, which computes the key of what it looks for, a slow thing, once instead of thrice."""

    def add(self, value: Any) -> int:
        place = self._dict.setdefault(value, len(self))
        if place == len(self):
            list.append(self, value)
        return place


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


class _SheetWriter(WorksheetWriter):  # type: ignore[misc]
    """openpyxl's writer of a sheet, but for its cells; it needs a millisecond for thirty links or cells that are one."""

    def rows(self) -> list[Any]:
        return []

    def write_formatting(self) -> None:
        for area in areas_with_rules(self.ws.rules, self.ws.parent._differential_styles):
            self.xf.send(area)

    def write_merged_cells(self) -> None:
        areas = [f"{LETTERS[left]}{top}:{LETTERS[right]}{bottom}" for top, left, bottom, right in self.ws.merges]
        if areas:
            self._write_all("mergeCells", "mergeCell", [{"ref": area} for area in areas], count=str(len(areas)))

    def write_hyperlinks(self) -> None:
        links = [{"ref": cells, "location": to, "display": text} for cells, to, text in self.ws.leads()]
        if links:
            self._write_all("hyperlinks", "hyperlink", links)

    def _write_all(self, name: str, each: str, items: list[dict[str, str]], **attributes: str) -> None:
        element = Element(name, attributes)
        for item in items:
            SubElement(element, each, item)
        self.xf.send(element)


def _write_sheet(writer: ExcelWriter, sheet: Sheet) -> None:
    """Write a sheet without its cells, as openpyxl does but for its temporary files.

    Of a process that is killed, these would stay.
    """
    sheet._drawing = SpreadsheetDrawing()
    sheet._drawing.charts, sheet._drawing.images = sheet._charts, sheet._images
    rows = _SheetWriter(sheet, io.BytesIO())
    rows.write()
    sheet._rels = rows._rels
    writer._archive.pour(sheet, rows.read().decode())
    writer.manifest.append(sheet)


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
