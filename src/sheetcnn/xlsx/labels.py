"""Labels: the cells of a sheet beside its grids, which openpyxl would make an object of each, slow to dress and to merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Border, Font
from openpyxl.styles.cell_style import StyleArray
from openpyxl.styles.styleable import StyleableObject
from openpyxl.worksheet.worksheet import Worksheet

from ..a1 import LETTERS, cell_name, sheet_prefix
from ..arrays.grid import CELL
from .cells import Rows
from .parts import Texts
from .rules import Rule
from .styles import TEXT_STYLES

SIDES = ("top", "left", "right", "bottom")  # of a border


@dataclass(slots=True)
class Label:
    """A cell beside the grids: its text or number, its style, and the cell to which it leads."""

    value: str | int | None
    style: StyleArray
    link: str | None = None


class Sheet(Worksheet):  # type: ignore[misc]  # openpyxl has no types
    """A sheet of openpyxl's, but for its cells: labels are kept here, and grids are poured."""

    def __init__(self, book: Workbook, title: str, styles: Styles) -> None:
        super().__init__(book, title)
        self.styles = styles
        self.labels: dict[tuple[int, int], Label] = {}  # by row and column
        self.merges: set[tuple[int, int, int, int]] = set()  # cells that are one: top, left, bottom, right
        self.rules: list[tuple[str, Rule]] = []  # of conditional formatting: ranges, and what they look like when
        self.links: list[tuple[str, str]] = []  # poured cells and where they lead

    @property
    def max_row(self) -> int:
        """The last row with a label."""
        return max([row for row, _ in self.labels] + [bottom for _, _, bottom, _ in self.merges], default=1)

    @property
    def max_column(self) -> int:
        """The last column with a label."""
        return max([column for _, column in self.labels] + [right for *_, right in self.merges], default=1)

    def add_rules(self, ranges: str, *rules: Rule) -> None:
        """Lay rules over ranges: those that come first are asked first."""
        self.rules += [(ranges, rule) for rule in rules]

    def rows(self, texts: Texts) -> Rows:
        """What openpyxl would write of the labels, and of the heights of rows; texts are where those of all sheets are."""
        found: Rows = {
            row: ("".join(f' {key}="{value}"' for key, value in dimension), [])
            for row, dimension in self.row_dimensions.items()
        }
        for top, _, bottom, _ in self.merges:
            found |= {row: ("", []) for row in range(top, bottom + 1) if row not in found}
        for (row, column), label in sorted(self.labels.items()):
            if label.value is None and not any(label.style):
                continue
            text = isinstance(label.value, str)
            kind = f'r="{LETTERS[column]}{row}" s="{self.styles.number(label.style)}" t="{"s" if text else "n"}"'
            shown = texts.number(label.value) if isinstance(label.value, str) else label.value
            cell = f"<c {kind}/>" if shown is None else f"<c {kind}><v>{shown}</v></c>"
            found.setdefault(row, ("", []))[1].append((column, cell))
        return found

    def leads(self) -> Iterator[tuple[str, str, str]]:
        """All links: their cells, where they lead, and what they say."""
        yield from ((cells, to, to) for cells, to in self.links)
        for (row, column), label in sorted(self.labels.items()):
            if label.link is not None:
                yield cell_name(row, column), label.link, str(label.value)


class Styles:
    """The styles of a workbook's cells, each put together once: openpyxl compares a font with all that it knows."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._texts: dict[str, StyleArray] = {}
        self._edged: dict[tuple[bytes, tuple[str, ...], int], StyleArray] = {}

    def made(self, looks: Mapping[str, Any], of: StyleArray | None = None) -> StyleArray:
        """A style with these fonts, fills and the like, otherwise as another one."""
        cell = StyleableObject(self, of)
        for attribute, value in looks.items():
            setattr(cell, attribute, value)
        return cell._style

    @property
    def parent(self) -> Workbook:
        """Where a cell of openpyxl's looks for fonts, fills and the like."""
        return self._book

    def text(self, name: str) -> StyleArray:
        """The style of a label, one of `TEXT_STYLES`."""
        if name not in self._texts:
            self._texts[name] = self.made(TEXT_STYLES[name])
        return self._texts[name]

    def font(self, style: StyleArray) -> Font:
        """The font of a style."""
        return self._book._fonts[style.fontId]

    def border(self, style: StyleArray) -> Border:
        """The border of a style."""
        return self._book._borders[style.borderId]

    def edged(self, style: StyleArray, sides: tuple[str, ...], of: StyleArray) -> StyleArray:
        """A style with some sides of its border from another."""
        key = style.tobytes(), sides, of.borderId
        if key not in self._edged:
            kept, given = self.border(style), self.border(of)
            border = Border(**{side: getattr(given if side in sides else kept, side) for side in (*SIDES, "diagonal")})
            self._edged[key] = self.made({"border": border}, style)
        return self._edged[key]

    def number(self, style: StyleArray) -> int:
        """The number of a style, as cells in a file have it."""
        return self._book._cell_styles.add(style)


def put(sheet: Sheet, row: int, column: int, text: Any, style: str, link: str | None = None, at: str = "A1") -> None:
    """Write a label, perhaps with a link to a cell of a sheet; text stays text even where it begins with "="."""
    value = text if text != "" else None  # a blank cell, not a text of no letters
    sheet.labels[row, column] = Label(value, sheet.styles.text(style), link and f"{sheet_prefix(link)}{at}")


def dress(sheet: Sheet, row: int, column: int, **looks: Any) -> None:
    """Give a cell a border, a fill or the like of its own."""
    label = sheet.labels.get((row, column)) or Label(None, StyleArray())
    label.style = sheet.styles.made(looks, label.style)
    sheet.labels[row, column] = label


def merged(sheet: Sheet, row: int, column: int, rows: int, columns: int) -> None:
    """Make cells one, so that a text has room whatever their sizes; to be done when the first one is dressed."""
    if rows == columns == 1:
        return
    bottom, right = row + rows - 1, column + columns - 1
    sheet.merges.add((row, column, bottom, right))
    cells = list(product(range(row, bottom + 1), range(column, right + 1)))
    for cell in cells[1:]:
        sheet.labels.pop(cell, None)
    first = sheet.labels.get((row, column))
    if first is not None:
        _spread(sheet, first.style, cells)


def _spread(sheet: Sheet, style: StyleArray, cells: list[tuple[int, int]]) -> None:
    """Give cells that are one the border and the protection of the first, since programs draw each one's own."""
    (top, left), (bottom, right) = cells[0], cells[-1]
    border = sheet.styles.border(style)
    drawn = {side for side in SIDES if (line := getattr(border, side)) is not None and line.style is not None}
    for row, column in cells if drawn else ():
        at = {"top": row == top, "left": column == left, "right": column == right, "bottom": row == bottom}
        sides = tuple(side for side in SIDES if at[side] and side in drawn)
        if sides and (row, column) != cells[0]:
            label = sheet.labels.setdefault((row, column), Label(None, StyleArray()))
            label.style = sheet.styles.edged(label.style, sides, style)
    if style.protectionId:
        for cell in cells[1:]:
            label = sheet.labels.setdefault(cell, Label(None, StyleArray()))
            label.style = StyleArray(label.style)
            label.style.protectionId = style.protectionId


def put_line(sheet: Sheet, row: int, column: int, items: list[tuple[str, str | None]]) -> int:
    """Write links side by side; returns the next free column."""
    for item in items:
        put(sheet, row, column, item[0], "link", item[1])
        column += line_columns([item])
    return column


def line_columns(items: list[tuple[str, str | None]]) -> int:
    """How many columns such links take."""
    return sum(-(-len(text) * 7 // CELL) + 1 for text, _ in items)
