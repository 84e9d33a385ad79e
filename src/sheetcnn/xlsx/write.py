"""Write the .xlsx: openpyxl's parts, mended, and its sheets with their grids poured in."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from ..a1 import LETTERS
from ..files import write_whole
from ..progress import Progress
from .cells import CHUNK, CellBlock, Rows, sheet_rows
from .draft import WorkbookDraft
from .parts import TEXTS, Texts, mended, opaque

LEVEL = 5  # of deflate: files of formulas are 0.4 % larger than at the usual 6, in two thirds of the time

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
    target = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
    try:
        _fill(target, draft, progress)
        target.close()
    except BaseException:
        target.fp = None  # nobody wants its end any more, which could not be written after half a part either
        raise


def _fill(target: zipfile.ZipFile, draft: WorkbookDraft, progress: Progress | None) -> None:
    texts = Texts()
    rows = {sheet.title: sheet.rows(texts) for sheet in draft.book.worksheets}  # before styles are written: it numbers them
    parts = draft.parts()
    sheets = {sheet.path[1:]: sheet.title for sheet in draft.book.worksheets}
    total = sum(block.values.size for blocks in draft.blocks.values() for block in blocks)
    done = 0
    for item, part in parts.items():
        if item not in sheets:
            target.writestr(item, mended(item, part, draft.descriptions))
            continue
        # With the texts of windows that its formulas share: none is needed twice.
        labels, blocks = rows.pop(sheets[item]), draft.blocks.pop(sheets[item])
        head, tail = _split(part.decode(), labels, blocks)
        with target.open(item, "w") as stream, _compressor(stream) as compress:
            compress(head)
            for piece in sheet_rows(labels, blocks, _row_height(head)):
                compress(piece)
                if progress is not None:
                    done += piece.count("<v>")
                    progress(min(total, done), total)
            compress(tail)
    target.writestr(TEXTS, texts.part())


@contextmanager
def _compressor(stream: IO[bytes]) -> Iterator[Callable[[str], None]]:
    """What compresses one piece after the other, large ones in a thread while the next is made: zlib lets go of the interpreter.

    Where no thread can be started, as in a browser, it does so at once.
    """
    kept, before = b"", None

    def compress(piece: str) -> None:
        nonlocal kept, before
        kept += piece.encode()
        if len(kept) < CHUNK:
            return
        try:
            before = before or pool.submit(int)
        except RuntimeError:
            stream.write(kept)
        else:
            before.result()
            before = pool.submit(stream.write, kept)
        kept = b""

    with ThreadPoolExecutor(1) as pool:
        yield compress
        if before is not None:
            before.result()
        stream.write(kept)


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
