"""Write the .xlsx: openpyxl's parts, mended, and its sheets with their grids poured in."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import BinaryIO

from ..a1 import LETTERS
from ..files import write_whole
from ..progress import Progress
from .archive import PLAIN, Archive, archive
from .cells import CellBlock, Rows, sheet_rows
from .draft import WorkbookDraft
from .labels import Sheet
from .parts import TEXTS, Texts, mended, opaque

NUMBER_BYTES, FORMULA_BYTES = 37, 1000  # of a cell beside its digits, and of a formula's in all, at most about

_DIMENSION = re.compile(r'<dimension ref="[^"]*"\s*/>')
_DATA = re.compile(r"<sheetData\s*/>|<sheetData>\s*</sheetData>")
_HEIGHT = re.compile(r'<sheetFormatPr(?=[^>]* customHeight="1")[^>]* defaultRowHeight="([^"]*)"')


def write_workbook(path: Path, draft: WorkbookDraft, progress: Progress | None = None) -> None:
    """Write the workbook beside `path`, then put it in its place: what was there before is never left damaged.

    Raises SheetcnnError where the folder cannot be written to.
    """

    write_whole(path, lambda stream: write_stream(stream, draft, progress))


def write_stream(stream: BinaryIO, draft: WorkbookDraft, progress: Progress | None = None) -> None:
    """Write the workbook to a stream of bytes."""
    large = any(_bytes_of(blocks) > zipfile.ZIP64_LIMIT for blocks in draft.blocks.values())
    with archive(stream, large) as parts:
        poured = _Poured(parts, draft, progress)
        draft.write(poured)
        parts.writestr(TEXTS, poured.texts.part())


class _Poured:
    """What openpyxl takes for an archive: its parts go on mended, its sheets with their grids."""

    def __init__(self, parts: Archive, draft: WorkbookDraft, progress: Progress | None) -> None:
        self._parts, self._draft, self._progress = parts, draft, progress
        self._total = sum(block.values.size for blocks in draft.blocks.values() for block in blocks)
        self._done = 0
        self.texts = Texts()

    def writestr(self, item: str, part: str | bytes) -> None:
        """Write a part that is no sheet."""
        self._parts.writestr(item, mended(item, part.encode() if isinstance(part, str) else part, self._draft.descriptions))

    def namelist(self) -> list[str]:
        """The names of the parts so far."""
        return self._parts.namelist()

    def pour(self, sheet: Sheet, xml: str) -> None:
        """Write a sheet, its cells put into what openpyxl made of the rest."""
        # With the texts of windows that its formulas share: none is needed twice.
        labels, blocks = sheet.rows(self.texts), self._draft.blocks.pop(sheet.title)
        head, tail = _split(xml, labels, blocks)
        item, zip64 = sheet.path[1:], _bytes_of(blocks) > PLAIN
        self._parts.writestr(item, head, zip64)
        for piece in sheet_rows(labels, blocks, _row_height(head)):
            self._parts.writestr(item, piece)
            if self._progress is not None:
                self._done += piece.count("<v>")
                self._progress(min(self._total, self._done), self._total)
        self._parts.writestr(item, tail)


def _bytes_of(blocks: list[CellBlock]) -> float:
    """How large a sheet is before it is compressed, at most about; of numbers the first ones tell how many digits they have."""
    total = 0.0
    for block in blocks:
        if block.formula is not None or not block.values.size:
            total += FORMULA_BYTES * block.values.size
        elif block.values.size > 1000:
            digits = [len(repr(number)) for number in block.values[0][:40].tolist()]
            total += (NUMBER_BYTES + sum(digits) / len(digits)) * block.values.size
        else:
            total += (NUMBER_BYTES + 20) * block.values.size
    return total


def _row_height(head: str) -> str:
    """The attributes of rows, where a sheet has a height for all: LibreOffice shrinks those without when an edit is undone."""
    height = _HEIGHT.search(head)
    return f' ht="{height[1]}" customHeight="1"' if height else ""


def _split(xml: str, labels: Rows, blocks: list[CellBlock]) -> tuple[str, str]:
    """A sheet's XML before and after its rows, its <dimension> set to what will stand in them."""
    data = _DATA.search(xml)
    assert data is not None, "openpyxl wrote a sheet without <sheetData>"
    head = xml[: data.start()]
    columns = [column for _, cells in labels.values() for column, _ in cells]
    rows = [row for row, (_, cells) in labels.items() if cells]
    for block in blocks:
        columns += [block.grid.left - block.margin[1], block.grid.right + block.margin[3]]
        rows += [block.first_row, block.last_row]
    if rows:
        area = f"{LETTERS[min(columns)]}{min(rows)}:{LETTERS[max(columns)]}{max(rows)}"
        head = _DIMENSION.sub(f'<dimension ref="{area}"/>', head)
    return head + "<sheetData>", "</sheetData>" + opaque(xml[data.end() :])
