"""A workbook written anew from what was read of it, for other programs: numbers, texts, formulas and names, nothing else."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from ...a1 import cell_name
from ..book import Book, Sheet
from ..groups import Group
from ..parser import ARRAY
from ..values import BLANK, BOOLEAN, ERROR, ERRORS, NUMERIC, PENDING

# References to other files, which no engine may follow, are written as a function that none knows.
_EXTERNAL = re.compile(r"\[[^\[\]]*\][^\[\]!]*!|\bfile:|#\$", re.I)
MAX_CELLS = 2_000_000  # in all workbooks; a million takes about 10 s and 0.5 GB
MAX_LETTERS = 200_000_000  # of their formulas
UNREADABLE = "SHEETCNN_CANNOT_READ()"


class Written:
    """The workbooks as files, which are written when the first engine asks for them."""

    def __init__(self, books: Sequence[Book], groups: list[Group]) -> None:
        self._books, self._groups = books, groups
        self._files: list[bytes] = []

    @property
    def too_large(self) -> bool:
        """Whether writing them would take more time and memory than anybody has for a formula or two."""
        cells = sum(int(np.count_nonzero(sheet.kind)) for book in self._books for sheet in book.sheets.values())
        letters = sum(sheet.formulas.letters for sheet in self._books[0].sheets.values()) * len(self._books)
        return cells > MAX_CELLS or letters > MAX_LETTERS

    @property
    def files(self) -> list[bytes]:
        if not self._files:
            formulas = _formulas(self._books[0], self._groups)
            self._files = [_as_xlsx(book, formulas) for book in self._books]
        return self._files


def _formulas(book: Book, groups: list[Group]) -> dict[str, dict[int, list[tuple[int, str]]]]:
    """The cells that are formulas, by sheet and row, as XML; empty ones where an array formula fills them."""
    live = {name: np.zeros(sheet.kind.shape, bool) for name, sheet in book.sheets.items()}
    for group in groups:
        live[group.sheet][group.rows, group.columns] = True
    found: dict[str, dict[int, list[tuple[int, str]]]] = {}
    for name, sheet in book.sheets.items():
        rows = found.setdefault(name, {})
        for row, cells in sheet.formulas.items():
            for column, text in cells:
                if not live[name][row, column]:
                    continue
                if _EXTERNAL.search(text):
                    text = UNREADABLE
                kind = ""
                if text.startswith(ARRAY):
                    height, width = sheet.spills.get((row, column), (1, 1))
                    kind = f' t="array" ref="{cell_name(row, column)}:{cell_name(row + height - 1, column + width - 1)}"'
                    text = text[len(ARRAY) : -1]
                    for i, j in np.ndindex(height, width):
                        if i or j:
                            rows.setdefault(row + i, []).append((column + j, ""))
                rows.setdefault(row, []).append((column, f'<c r="{cell_name(row, column)}"><f{kind}>{escape(text)}</f></c>'))
    return found


def _as_xlsx(book: Book, formulas: dict[str, dict[int, list[tuple[int, str]]]]) -> bytes:
    """A workbook with these formulas, and no values saved beside them; everything else as it is."""
    stream = io.BytesIO()
    sheets, parts, types = [], [], []
    with zipfile.ZipFile(stream, "w") as archive:
        for n, (name, sheet) in enumerate(book.sheets.items(), start=1):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", _sheet_xml(sheet, formulas.get(name, {})))
            sheets.append(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="r{n}"/>')
            parts.append(f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>')
            types.append(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>')
        places = {name: n for n, name in enumerate(book.sheets)}
        names = "".join(
            f"<definedName name={quoteattr(name)}{_scope(scope, places)}>{escape(text)}</definedName>"
            for (scope, name), text in book.definitions.items()
            if text and not name.startswith("_xlnm.") and (not scope or scope in places)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{"".join(sheets)}</sheets><definedNames>{names}</definedNames></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(parts)}</Relationships>'
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{"".join(types)}</Types>',
        )
    return stream.getvalue()


def _scope(sheet: str, places: dict[str, int]) -> str:
    return f' localSheetId="{places[sheet]}"' if sheet else ""


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _sheet_xml(sheet: Sheet, formulas: dict[int, list[tuple[int, str]]]) -> str:
    kinds = sheet.kind.copy()
    for row, cells in formulas.items():
        kinds[row, [column for column, _ in cells]] = PENDING
    found = {row: list(cells) for row, cells in formulas.items()}
    for row, column in np.argwhere((kinds != BLANK) & (kinds != PENDING)).tolist():
        found.setdefault(row, []).append((column, _constant_xml(sheet, row, column)))
    rows = "".join(f'<row r="{row}">{"".join(text for _, text in sorted(found[row]))}</row>' for row in sorted(found))
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def _constant_xml(sheet: Sheet, row: int, column: int) -> str:
    kind, number, name = sheet.kind[row, column], float(sheet.number[row, column]), cell_name(row, column)
    if kind == NUMERIC:
        return f'<c r="{name}"><v>{number!r}</v></c>'
    if kind == BOOLEAN:
        return f'<c r="{name}" t="b"><v>{int(number)}</v></c>'
    if kind == ERROR:
        return f'<c r="{name}" t="e"><v>{ERRORS[int(number)]}</v></c>'
    text = escape(sheet.texts[row, column])
    return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
