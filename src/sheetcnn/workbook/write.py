"""Write the .xlsx: openpyxl's parts, mended, and its sheets with their grids poured in."""

from __future__ import annotations

import io
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from ..files import write_whole
from ..grid import COLUMN
from ..progress import Progress
from .cells import Pour, sheet_rows
from .dress import Dressed
from .parts import TEXTS, Texts, mended, opaque

LEVEL = 5  # of deflate: files of formulas are 0.4 % larger than at the usual 6, in two thirds of the time

_DIMENSION = re.compile(r'<dimension ref="[^"]*"\s*/>')
_DATA = re.compile(r"<sheetData\s*/>|<sheetData>(.*?)</sheetData>", re.S)
_SPANS = re.compile(r' spans="[^"]*"')


def write_workbook(path: Path, dressed: Dressed, progress: Progress | None = None) -> None:
    """Write the workbook beside `path`, then put it in its place: what was there before is never left damaged.

    Raises SheetcnnError where the folder cannot be written to.
    """

    def fill(stream: BinaryIO) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as target:
            _fill(target, dressed, progress)

    write_whole(path, fill)


def _fill(target: zipfile.ZipFile, dressed: Dressed, progress: Progress | None) -> None:
    sheets = {f"xl/worksheets/sheet{n}.xml": sheet.title for n, sheet in enumerate(dressed.book.worksheets, start=1)}
    total = sum(pour.values.size for pours in dressed.pours.values() for pour in pours)
    done = 0
    texts = Texts()
    with zipfile.ZipFile(io.BytesIO(dressed.save())) as source:
        for item in source.namelist():
            if item not in sheets:
                target.writestr(item, mended(item, source.read(item), dressed.descriptions))
                continue
            # With the texts of windows that its formulas share: none is needed twice.
            pours = dressed.pours.pop(sheets[item])
            head, data, tail = _split(source.read(item).decode("utf-8"), pours)
            # One piece is compressed in a thread of its own (zlib lets go of the interpreter) while the next is written.
            with target.open(item, "w") as stream, ThreadPoolExecutor(1) as compressor:
                before = compressor.submit(stream.write, head.encode())
                for piece in sheet_rows(texts.shared(data), pours):
                    before.result()
                    before = compressor.submit(stream.write, piece.encode())
                    if progress is not None:
                        done += piece.count("<v>")
                        progress(min(total, done), total)
                before.result()
                stream.write(tail.encode())
    target.writestr(TEXTS, texts.part())


def _split(xml: str, pours: list[Pour]) -> tuple[str, str, str]:
    """A sheet's XML before, inside and after <sheetData>, its <dimension> set to what will stand in it."""
    data = _DATA.search(xml)
    assert data is not None, "openpyxl wrote a sheet without <sheetData>"
    head = xml[: data.start()]
    labels = re.findall(r'<c r="([A-Z]+)(\d+)"', data[1] or "")
    columns = [COLUMN.index(letters) for letters, _ in labels]
    rows = [int(row) for _, row in labels]
    for pour in pours:
        columns += [pour.grid.left - pour.margin[1], pour.grid.right + pour.margin[3]]
        rows += [pour.first_row, pour.last_row]
    if rows:
        area = f"{COLUMN[min(columns)]}{min(rows)}:{COLUMN[max(columns)]}{max(rows)}"
        head = _DIMENSION.sub(f'<dimension ref="{area}"/>', head)
    return head + "<sheetData>", _SPANS.sub("", data[1] or ""), "</sheetData>" + opaque(xml[data.end() :])
