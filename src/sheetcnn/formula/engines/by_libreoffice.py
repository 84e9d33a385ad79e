"""LibreOffice, where it is installed."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import unescape

import numpy as np

from ...errors import EngineError, WorkbookError
from ...office.libreoffice import converted, find_libreoffice
from ..book import Book
from ..reader import read_book
from ..values import ERRORS
from .engine import TIME, Answer, Place

_FORMULA = re.compile(r"<(?:f|definedName)\b[^>]*>([^<]*)<")
# What reads other files or asks servers; INDIRECT, since it may be given such an address.
_OUTSIDE = re.compile(r"WEBSERVICE|\bDDE\b|INDIRECT|\[|://|file:|#\$|\bRTD\b|\bIMAGE\b", re.I)


class LibreOffice:
    """LibreOffice, where it is installed: a recalculation of all workbooks at once."""

    name = "LibreOffice"

    def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
        """The values of cells in each workbook."""
        if find_libreoffice() is None or any(map(_reaches_outside, books)):
            return []
        found = []
        try:
            with converted(books, 2 * TIME) as results:
                for path in results:
                    found.append(saved_answers(read_book(path), cells))
        except (EngineError, WorkbookError):
            return []
        return found


def _reaches_outside(data: bytes) -> bool:
    """Whether a workbook's formulas or names might read other files or ask servers."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/w")]
    return any(_OUTSIDE.search(unescape(text)) for part in parts for text in _FORMULA.findall(part))


def saved_answers(book: Book, cells: Mapping[Place, str]) -> dict[Place, Answer]:
    """What a program saved as formulas' values."""
    found: dict[Place, Answer] = {}
    for place in cells:
        name, row, column = place
        sheet = book.sheets.get(name)
        if sheet is None or row >= sheet.saved.shape[0] or column >= sheet.saved.shape[1]:
            continue
        if not np.isnan(sheet.saved[row, column]):
            found[place] = float(sheet.saved[row, column])
            continue
        text = sheet.saved_texts.get((row, column))
        # An error may only say that the program is older than the formula's functions.
        if text is not None and (text not in ERRORS or (text != "#NAME?" and "_xl" not in cells[place])):
            found[place] = text
    return found
