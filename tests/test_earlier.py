"""Workbooks and handouts of earlier versions: teachers hand out in October and grade in December.

Each folder of `earlier` holds what one version wrote: the ready workbooks of its samples, and a handout of the exercise
`digits` for two students (pictures digit-0, 1, 2, 5 and 7, seed 3), with its key.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from students import hand_in

import sheetcnn
from sheetcnn.checking.check import EARLIER as EARLIER_LOOKS
from sheetcnn.formula import read_book

EARLIER = Path(__file__).parent / "earlier"
BOOKS = sorted(EARLIER.glob("*/*.xlsx"))
WORKBOOKS = [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in BOOKS if path.stem != "key"]
KEYS = [pytest.param(path, id=path.parent.name) for path in BOOKS if path.stem == "key"]


@pytest.mark.parametrize("book", WORKBOOKS)
def test_they_are_checked(book: Path) -> None:
    report = sheetcnn.check(book)
    assert report.ok, report.findings[0]
    assert report.cells >= 18
    assert report.notes == [EARLIER_LOOKS]


@pytest.mark.libreoffice
@pytest.mark.parametrize("book", WORKBOOKS)
def test_they_are_checked_by_libreoffice(book: Path) -> None:
    assert sheetcnn.check(book, engine="libreoffice").ok


@pytest.mark.parametrize("book", WORKBOOKS)
def test_a_mistake_in_them_is_found(book: Path, tmp_path: Path) -> None:
    opened = openpyxl.load_workbook(book)
    sheet, row, column, *_ = next(where for name, where in read_book(book).names.items() if name.endswith("_map_1"))
    opened[sheet].cell(row, column).value = 1234.5
    opened.save(tmp_path / "edited.xlsx")
    found = [finding for finding in sheetcnn.check(tmp_path / "edited.xlsx").findings if finding.kind == "overwritten"]
    assert [finding.value for finding in found] == [1234.5]


def test_weights_come_out_of_them(tmp_path: Path) -> None:
    [path] = sheetcnn.export(EARLIER / "0.1" / "digits.xlsx", tmp_path / "weights.npz")
    with np.load(path) as arrays:
        assert sum(array.size for array in arrays.values()) == 1954


@pytest.mark.parametrize("key", KEYS)
def test_their_handouts_are_graded(key: Path, tmp_path: Path) -> None:
    """Anna fills three maps in with formulas, one of them by IFERROR; Bob hands in what he got."""
    shutil.copytree(key.parent / "students", tmp_path / "class")
    anna = tmp_path / "class" / "Anna_Schmidt.xlsx"
    hand_in(anna, read_book(key), "IFERROR({0},0)")
    grades = {grade.student: grade for grade in sheetcnn.grade(tmp_path / "class", key)}
    assert [task.points for task in grades["Anna Schmidt"].tasks] == [0, 0, 6, 0, 3]
    assert [task.of for task in grades["Anna Schmidt"].tasks] == [5, 4, 6, 6, 3]
    assert [task.points for task in grades["Bob Jones"].tasks] == [0] * 5
    assert grades["Bob Jones"].tasks[2].remarks[0].startswith("left blank: conv1!")
    assert grades["Anna Schmidt"].remarks == [
        "formulas that sheetcnn's own evaluator does not know were computed by formualizer"
    ]
