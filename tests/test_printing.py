"""Printed, no grid is cut in two that fits on a page, and no page is empty."""

from __future__ import annotations

import itertools
import re
import subprocess
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from test_workbook import NETWORK, PIXELS

import sheetcnn
from sheetcnn.arrays.grid import CELL, Grid
from sheetcnn.formula import read_book
from sheetcnn.office.libreoffice import find_libreoffice
from sheetcnn.xlsx.cells import CellBlock
from sheetcnn.xlsx.printing import PAPER, on_paper

SAMPLES = Path(__file__).parents[1] / "samples"


def pages(book: Path, folder: Path) -> list[str]:
    """The texts of the pages that LibreOffice prints."""
    office = find_libreoffice()
    assert office is not None
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [str(office), profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pdf = folder / f"{book.stem}.pdf"
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    return text.split("\f")[:-1]


@pytest.mark.libreoffice
@pytest.mark.parametrize(("network", "picture"), [("edges", "cat"), ("digits", "digit-3")])
def test_a_workbook_is_printed_on_eight_pages_at_most(network: str, picture: str, tmp_path: Path) -> None:
    printed = pages(sheetcnn.build(network, picture, tmp_path / "book.xlsx").path, tmp_path)
    assert 5 <= len(printed) <= 8
    for page in printed:
        assert not page.lstrip().startswith("_"), "a hidden sheet is printed"
        assert len(page.split()) > 20, f"hardly anything is on a page: {page!r}"


@pytest.mark.libreoffice
@pytest.mark.parametrize(("network", "picture"), [("edges", "cat"), ("digits", "digit-3"), ("cs231n", "cs231n")])
def test_the_tasks_are_printed_on_one_page(network: str, picture: str, tmp_path: Path) -> None:
    [book] = sheetcnn.hand_out(network, picture, tmp_path).workbooks
    heads = [page.split()[0] for page in pages(book, tmp_path)]
    assert heads.count("Exercise") == 1
    assert not [head for head in heads if head.startswith("_")]


@pytest.mark.parametrize(
    ("network", "picture"),
    [("edges", "cat"), ("digits", "digit-3"), ("rgb-filters", "shapes"), ("lenet5", "digit-3"), ("weights-90-1800", "cat")],
)
def test_no_break_runs_through_a_map(network: str, picture: str, tmp_path: Path) -> None:
    path = sheetcnn.build(network, picture, tmp_path / "book.xlsx").path
    names, book, breaks = read_book(path).names, openpyxl.load_workbook(path), 0
    for name, (title, top, left, bottom, right) in ((n, where[:5]) for n, where in names.items()):
        sheet = book[title]
        for at in (each.id for each in sheet.row_breaks.brk):
            breaks += 1
            assert not top <= at < bottom, f"row {at} of {title} cuts {name}"
        if "_map_" in name or name.startswith("input_channel"):
            for at in (each.id for each in sheet.col_breaks.brk):
                assert not left <= at < right, f"column {at} of {title} cuts {name}"
    assert breaks or network in ("digits", "lenet5"), "nothing was looked at"


def test_pages_hold_what_is_between_their_breaks(tmp_path: Path) -> None:
    """Else programs would break them once more, wherever the page ends."""
    book = openpyxl.load_workbook(sheetcnn.build("edges", "cat", tmp_path / "book.xlsx").path)
    for title in ("Input", "edges", "pool"):
        sheet = book[title]
        found = re.fullmatch(r"'?\w+'?!\$B\$1:\$([A-Z]+)\$(\d+)", sheet.print_area)
        assert found is not None
        last, width = openpyxl.utils.column_index_from_string(found[1]), PAPER[sheet.page_setup.orientation][0]
        height, scale = PAPER[sheet.page_setup.orientation][1], sheet.page_setup.scale / 100
        ends = [0, *(each.id for each in sheet.row_breaks.brk), int(found[2])]
        assert max(b - a for a, b in itertools.pairwise(ends)) * CELL * scale < (height - 1) * 96
        ends = [1, *(each.id for each in sheet.col_breaks.brk), last]
        assert max(b - a for a, b in itertools.pairwise(ends)) * CELL * scale < (width - 0.5) * 96
        assert not sheet.sheet_properties.pageSetUpPr.fitToPage, "Excel ignores breaks then"


def test_sheets_for_the_screen_print_a_blank_cell(make) -> None:  # type: ignore[no-untyped-def]
    book = openpyxl.load_workbook(make(NETWORK, PIXELS))
    areas = {sheet.title: sheet.print_area for sheet in book.worksheets}
    assert {title for title, area in areas.items() if area.endswith("$A$1048576")} == {
        "Inspector",
        "Check",
        "flat",
        *(title for title in areas if title.startswith("_")),
    }


def block(top: int, rows: int, left: int = 2, columns: int = 10) -> CellBlock:
    return CellBlock(Grid("", top, left, rows, columns), np.zeros((rows, columns)), 0)


def cells(count: int) -> np.ndarray:
    return np.array([0.0, *[CELL] * (count - 1)])


def test_breaks_lie_between_grids() -> None:
    paper = on_paper(cells(13), cells(400), [block(n, 35) for n in range(2, 360, 38)])
    assert paper.cut == 0
    assert len(paper.rows) >= 2
    assert all((row - 1) % 38 == 0 or row % 38 == 0 for row in paper.rows), paper


def test_what_fits_at_full_size_is_not_made_smaller() -> None:
    assert on_paper(cells(13), cells(30), [block(2, 20)]).scale == 100


def test_a_tall_grid_is_made_smaller_until_it_fits() -> None:
    paper = on_paper(cells(13), cells(98), [block(2, 95)])
    assert (paper.cut, paper.rows, paper.orientation) == (0, (), "portrait")
    assert paper.scale < 50


def test_only_what_fits_on_no_page_is_cut() -> None:
    paper = on_paper(cells(13), cells(1000), [block(2, 900), block(910, 50)])
    assert paper.rows
    assert paper.cut == len(paper.rows)  # each runs through the first; none through the second
