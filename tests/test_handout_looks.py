"""What a student sees: links that lead to the blanks, frames that do not cross, and three looks of a cell to be filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from test_handout import saved_values_agree

import sheetcnn
from sheetcnn.handout.feedback import WRONG
from sheetcnn.xlsx import palette


def handed_out(network: str, picture: str, folder: Path, exercise: str = "") -> openpyxl.Workbook:
    given = None
    if exercise:
        given = folder / "exercise.toml"
        given.write_text(f'title = "t"\nfeedback = "live"\n{exercise}', encoding="utf-8")
    [path] = sheetcnn.hand_out(network, picture, folder / "out", exercise=given).workbooks
    return openpyxl.load_workbook(path)


def links(sheet: Worksheet) -> list[tuple[str, str]]:
    places = [cell.hyperlink.location for row in sheet.iter_rows(min_row=9) for cell in row if cell.hyperlink]
    return [(place.split("!")[0].strip("'"), place.split("!")[1]) for place in places]


@pytest.mark.parametrize(("network", "picture"), [("edges", "cat"), ("digits", "digit-3"), ("pool-order", "stripes")])
def test_links_lead_to_the_first_blank(network: str, picture: str, tmp_path: Path) -> None:
    book = handed_out(network, picture, tmp_path)
    found = links(book["Exercise"])
    assert found
    for title, at in found:
        if (title, at) == ("conv2", "A1"):  # a mistake: nothing is blank
            continue
        cell = book[title][at]
        assert cell.value is None
        assert cell.fill.fgColor.rgb == f"FF{palette.CHOICE}"
        before = [cell.offset(0, -1) if cell.column > 1 else None, cell.offset(-1, 0)]
        assert not any(other is not None and other.fill.fgColor.rgb == cell.fill.fgColor.rgb for other in before)


def frames(sheet: Any) -> set[str]:
    """The colours of thick lines."""
    sides = [side for row in sheet for c in row for side in (c.border.left, c.border.right, c.border.top, c.border.bottom)]
    return {side.color.rgb for side in sides if side is not None and side.style == "medium"}


@pytest.mark.parametrize(("second", "colours"), [((8, 8), 2), ((1, 4), 2), ((1, 3), 1), ((3, 3), 1), ((2, 1), 1)])
def test_frames_do_not_cross(second: tuple[int, int], colours: int, tmp_path: Path) -> None:
    """Two cells have a frame each where their windows of 3×3 have no pixel in common, else the first only."""
    task = '[[tasks]]\nkind = "compute"\nlayer = "conv1"\nmap = 1\nrows = {}\ncolumns = {}\n'
    book = handed_out("digits", "digit-3", tmp_path, task.format(1, 1) + task.format(*second))
    sheet, area = next(iter(book.defined_names["conv1_reads_1"].destinations))
    assert sheet == "conv1", "cause and effect on one sheet"
    assert len(frames(book[sheet][area.replace("$", "")])) == colours
    assert not frames(book["Input"])


@pytest.mark.parametrize(("network", "picture"), [("relu-placement", "shapes"), ("digits", "digit-3")])
def test_the_cell_of_the_example_is_there(network: str, picture: str, tmp_path: Path) -> None:
    book = handed_out(network, picture, tmp_path)
    texts = [cell.value for row in book["Exercise"] for cell in row if isinstance(cell.value, str)]
    examples = [found for text in texts for found in re.findall(r"such as (.*)!([A-Z]+\d+):", text)]
    assert examples
    for title, at in examples:
        assert str(book[title.strip("'")][at].value).startswith("=")


@pytest.mark.parametrize(
    ("network", "picture"),
    [("pool-order", "stripes"), ("edges", "cat"), ("digits", "digit-3"), ("cs231n", "cs231n"), ("rgb-filters", "shapes")],
)
def test_nothing_is_done_at_first(network: str, picture: str, tmp_path: Path) -> None:
    [path] = sheetcnn.hand_out(network, picture, tmp_path).workbooks
    saved = openpyxl.load_workbook(path, data_only=True)["Exercise"]
    counts = [cell for row in saved.iter_rows(min_row=9, min_col=6, max_col=6) for cell in row if cell.value is not None]
    counts = [cell for cell in counts if "of" in cell.number_format]
    assert counts
    assert [cell.value for cell in counts] == [0] * len(counts)
    saved_values_agree(path)


def test_only_live_tasks_tell_what_is_wrong(tmp_path: Path) -> None:
    for feedback, wrong in (("live", True), ("none", False)):
        folder = tmp_path / feedback
        folder.mkdir()
        task = f'[[tasks]]\nkind = "fill"\nlayer = "conv1"\nmap = 2\nfeedback = "{feedback}"\n'
        rules = handed_out("digits", "digit-3", folder, task)["conv1"].conditional_formatting
        fills = [rule.dxf.fill.bgColor.rgb for each in rules for rule in each.rules if rule.dxf and rule.dxf.fill]
        assert (f"FF{WRONG}" in fills) == wrong


def test_rows_keep_their_heights(tmp_path: Path) -> None:
    """LibreOffice makes rows without a height of their own as high as their text when an edit is undone."""
    book = handed_out("edges", "cat", tmp_path)
    for title in ("Input", "edges", "pool", "Gallery"):
        sheet = book[title]
        default = sheet.sheet_format.defaultRowHeight
        heights = [sheet.row_dimensions[row].height for row in range(8, sheet.max_row + 1) if row in sheet.row_dimensions]
        assert heights == [default] * len(heights)
        assert len(heights) > 30
