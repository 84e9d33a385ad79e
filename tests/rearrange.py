"""What spreadsheet programs do to a workbook when sheets are deleted, and cells cut and pasted: names and formulas follow.

With openpyxl, which moves cells and nothing else, and drops all saved values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl
from openpyxl.utils import get_column_letter, range_boundaries

Area = tuple[str, int, int, int, int]  # sheet, first column, first row, last column, last row
_REFERENCE = re.compile(
    r"""("[^"]*")|(?:(?:'([^']+)'|([A-Za-z_]\w*))!)?(?<![\w$.])(\$?)([A-Z]{1,3})(\$?)(\d+)"""
    r"""(?::\$?([A-Z]{1,3})\$?(\d+))?(?![\w(!])"""
)


@contextmanager
def changed(book: Path) -> Iterator[openpyxl.Workbook]:
    """A workbook to be changed, which is saved then."""
    opened = openpyxl.load_workbook(book)
    yield opened
    opened.save(book)


def _rewrite(book: openpyxl.Workbook, new: Callable[[Area], Area | None]) -> None:
    """Let every reference of formulas and names point where `new` says, None being nowhere."""

    def text(formula: str, sheet: str) -> str:
        def put(match: re.Match[str]) -> str:
            if match[1] is not None:
                return match[0]
            quoted, plain, dollar, left, dollar_row, top, right, bottom = match.groups()[1:]
            own = quoted or plain or sheet
            area = (own, *range_boundaries(f"{left}{top}:{right or left}{bottom or top}"))
            moved = new(area)
            if moved == area:
                return match[0]
            if moved is None:
                return "#REF!"
            first, last = (
                f"{dollar}{get_column_letter(x)}{dollar_row}{y}" for x, y in ((moved[1], moved[2]), (moved[3], moved[4]))
            )
            return f"'{moved[0]}'!{first}" + (f":{last}" if right else "")

        return _REFERENCE.sub(put, formula)

    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f" and isinstance(cell.value, str):
                    cell.value = text(cell.value, sheet.title)
    for name in book.defined_names.values():
        name.attr_text = text(name.attr_text, "")


def delete(book: Path, *sheets: str) -> None:
    """Delete sheets: what pointed at them says #REF!."""
    with changed(book) as opened:
        for sheet in sheets:
            _rewrite(opened, lambda area, gone=sheet: None if area[0] == gone else area)  # type: ignore[misc]
            del opened[sheet]


def cut_and_paste(book: Path, name: str, sheet: str, column: int, row: int) -> None:
    """Move a named grid: whatever pointed into it follows. A sheet that does not exist is made."""
    with changed(book) as opened:
        old, area = next(iter(opened.defined_names[name].destinations))
        left, top, right, bottom = range_boundaries(area)
        if sheet not in opened.sheetnames:
            opened.create_sheet(sheet)
        values = [[cell.value for cell in line] for line in opened[old].iter_rows(top, bottom, left, right)]
        prefixed = [[_with_sheet(value, old) for value in line] for line in values] if sheet != old else values
        for y, line in enumerate(prefixed):
            for x, value in enumerate(line):
                opened[old].cell(top + y, left + x).value = None
                opened[sheet].cell(row + y, column + x).value = value

        def new(area: Area) -> Area:
            where, x0, y0, x1, y1 = area
            if where != old or x0 < left or y0 < top or x1 > right or y1 > bottom:
                return area
            return sheet, x0 - left + column, y0 - top + row, x1 - left + column, y1 - top + row

        _rewrite(opened, new)


def _with_sheet(value: object, sheet: str) -> object:
    """A formula that is moved to another sheet says which one it reads."""
    if not (isinstance(value, str) and value.startswith("=")):
        return value

    def put(match: re.Match[str]) -> str:
        alone = match[1] is None and match[2] is None and match[3] is None
        return f"'{sheet}'!{match[0]}" if alone else match[0]

    return _REFERENCE.sub(put, value)
