"""Labels are written without openpyxl's cells: they must be what these would have been."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

import openpyxl
from openpyxl.styles import Border, PatternFill, Side
from openpyxl.worksheet.hyperlink import Hyperlink

from sheetcnn.xlsx.draft import WorkbookDraft
from sheetcnn.xlsx.labels import dress, merged, put
from sheetcnn.xlsx.styles import TEXT_STYLES
from sheetcnn.xlsx.write import write_stream

LINE, FILL = Side("thin", color="FF112233"), PatternFill("solid", fgColor="FFEEF0FB")
BOX = Border(LINE, LINE, LINE, LINE)
TEXTS = ["plain", " blanks at its ends ", "=1+1", "<&>\"'", "Σ → ×", "two\nlines", "", 12, "plain"]
# Style, what the first cell wears besides, and how many rows and columns are made one.
MERGES = [("choice", {}, 1, 4), ("body", {"border": BOX, "fill": FILL}, 3, 3), ("head", {}, 1, 3), ("soft", {}, 2, 1)]


def ours() -> io.BytesIO:
    draft = WorkbookDraft()
    sheet = draft.sheet("labels")
    draft.sheet("other sheet")
    for row, text in enumerate(TEXTS, start=1):
        put(sheet, row, 2, text, list(TEXT_STYLES)[row])
    put(sheet, 1, 4, "there", "link", "other sheet", "C3")
    dress(sheet, 2, 4, border=Border(top=LINE))
    for n, (style, looks, rows, columns) in enumerate(MERGES):
        top = 20 + 5 * n
        put(sheet, top, 3, "covered", "row")
        put(sheet, top, 2, "first", style)
        if looks:
            dress(sheet, top, 2, **looks)
        merged(sheet, top, 2, rows, columns)
    stream = io.BytesIO()
    write_stream(stream, draft)
    return stream


def theirs() -> io.BytesIO:
    book = openpyxl.Workbook()
    sheet = book.active
    book.create_sheet("other sheet")

    def label(row: int, column: int, text: Any, looks: dict[str, Any]) -> Any:
        cell = sheet.cell(row, column, text if text != "" else None)
        if isinstance(text, str) and text:
            cell.data_type = "s"
        for attribute, value in looks.items():
            setattr(cell, attribute, value)
        return cell

    for row, text in enumerate(TEXTS, start=1):
        label(row, 2, text, list(TEXT_STYLES.values())[row])
    cell = label(1, 4, "there", TEXT_STYLES["link"])
    cell.hyperlink = Hyperlink(ref="D1", location="'other sheet'!C3", display="there")
    label(2, 4, "", {"border": Border(top=LINE)})
    for n, (style, looks, rows, columns) in enumerate(MERGES):
        top = 20 + 5 * n
        label(top, 3, "covered", TEXT_STYLES["row"])
        label(top, 2, "first", TEXT_STYLES[style] | looks)
        sheet.merge_cells(start_row=top, end_row=top + rows - 1, start_column=2, end_column=1 + columns)
    stream = io.BytesIO()
    book.save(stream)
    return stream


def cells(stream: io.BytesIO) -> dict[str, tuple[str, ...]]:
    """Each cell of the first sheet as the file has it: its text or number, and the parts of its style."""
    with zipfile.ZipFile(stream) as archive:
        sheet, styles, *texts = (
            ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", archive.read(f"xl/{name}.xml")))
            for name in ("worksheets/sheet1", "styles", "sharedStrings")
            if f"xl/{name}.xml" in archive.namelist()  # openpyxl's own cells hold their texts
        )

    def written(element: ElementTree.Element | None) -> str:
        return "" if element is None else re.sub('rgb="00', 'rgb="FF', ElementTree.tostring(element, "unicode"))

    found = {}
    for cell in sheet.iter("c"):
        style = styles.find("cellXfs")[int(cell.get("s", 0))]
        value = cell.findtext("v", "")
        text = written(texts[0][int(value)][0]) if cell.get("t") == "s" and value else value or written(cell.find("is/t"))
        own = [written(styles.find(f"{part}s")[int(style.get(f"{part}Id"))]) for part in ("fill", "border")]
        font = sorted(re.findall("<[^<]*>", written(styles.find("fonts")[int(style.get("fontId"))])))
        font = [] if text == "" else font  # the Normal style has another one
        found[cell.get("r")] = (text, *own, *font, *(written(style.find(part)) for part in ("alignment", "protection")))
    return found


def test_cells_are_alike() -> None:
    found, want = cells(ours()), cells(theirs())
    assert found.keys() == want.keys()
    for name, looks in want.items():
        assert found[name] == looks, name
    assert len(found) > len(TEXTS) + 15  # edges of what is one are cells too


def test_merges_and_links_are_alike() -> None:
    found, want = (openpyxl.load_workbook(stream).worksheets[0] for stream in (ours(), theirs()))
    assert sorted(map(str, found.merged_cells.ranges)) == sorted(map(str, want.merged_cells.ranges))
    one, other = found["D1"].hyperlink, want["D1"].hyperlink
    assert (one.ref, one.location, one.display) == (other.ref, other.location, other.display)
    assert found.dimensions == want.dimensions
