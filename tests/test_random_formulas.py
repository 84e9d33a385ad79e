"""Random formulas: our evaluator beside LibreOffice and IronCalc, on cells that hold everything that cells can hold.

Neither program is Excel. Where one of them gives another value than ours, it must be for a reason listed here; Excel's
documentation decides which is right. docs/check.md has the list in words.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from engines import Office, by_ironcalc
from grammar import Grammar, cells
from openpyxl import Workbook

from sheetcnn.formula import Book, evaluate, group_formulas, read_book
from sheetcnn.formula.parser import skeleton
from sheetcnn.formula.values import BLANK, BOOLEAN, ERRORS, NUMERIC, TEXT

FORMULAS = int(os.environ.get("FORMULAS", "6000"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = 2
BOOK = 1_500  # formulas in one workbook: of many more LibreOffice's file is refused, since it unpacks to too much
AT = 8  # the column of the formulas

Value = float | str | None


class Case:
    """A formula with our value, another program's, and the kinds of cells that it reads."""

    def __init__(self, formula: str, ours: Value, theirs: Value, book: Book) -> None:
        self.formula, self.ours, self.theirs = formula, ours, theirs
        sheet = book.sheets["Sheet1"]
        areas = [(slice(r.top, r.top + r.rows), slice(r.left, r.left + r.columns)) for r in skeleton(formula)[1]]
        self.reads = {int(kind) for area in areas for kind in sheet.kind[area].ravel()}
        self.largest = max((float(abs(sheet.number[area]).max(initial=0)) for area in areas), default=0.0)

    def has(self, pattern: str) -> bool:
        return re.search(pattern, self.formula) is not None

    @property
    def truths(self) -> bool:
        return BOOLEAN in self.reads or self.has("[<>=]|TRUE|FALSE")

    @property
    def numbers(self) -> bool:
        return (
            bool(self.reads & {NUMERIC, BLANK})
            or re.search(r"(?<![A-Z\d])\d|\(", re.sub('"[^"]*"', "", self.formula)) is not None
        )

    @property
    def cancels(self) -> bool:
        """Whether the difference is nothing beside the numbers that are added up."""
        both = isinstance(self.ours, float) and isinstance(self.theirs, float)
        return both and abs(self.ours - self.theirs) < 1e-12 * self.largest  # type: ignore[operator]

    @property
    def texts(self) -> bool:
        return TEXT in self.reads or self.has('"')


Reason = tuple[str, Callable[[Case], bool]]
BOTH_ERRORS: Reason = ("which of several errors it is", lambda case: case.ours in ERRORS and case.theirs in ERRORS)
LIBREOFFICE: list[Reason] = [
    BOTH_ERRORS,
    ("0^0 is 1, negative numbers have odd roots, powers too small for a double are #NUM!", lambda case: case.has(r"\^")),
    ("truth values are numbers, in ranges and in comparisons", lambda case: case.truths),
    ("texts count as numbers, or do not, by other rules", lambda case: case.texts),
    ("errors within array arithmetic can be lost", lambda case: case.has(r"SUMPRODUCT\([A-Z]+\(") and case.ours in ERRORS),
    ("INDEX with 0 is a whole row or column", lambda case: case.has("INDEX") and case.ours == "#VALUE!"),
    ("ROUND takes no more than thousands of digits", lambda case: case.has("ROUND") and case.theirs == "#VALUE!"),
    ("sums that nearly cancel keep more digits: what is lost by rounding is added again", lambda case: case.cancels),
    ("huge numbers overflow earlier or later", lambda case: "#NUM!" in (case.ours, case.theirs)),
]
IRONCALC: list[Reason] = [
    BOTH_ERRORS,
    ("brackets before % are lost", lambda case: case.has(r"\)%")),
    ("no arithmetic on ranges inside SUMPRODUCT", lambda case: case.has(r"SUMPRODUCT\((?![A-F]\d:[A-F]\d[,)])")),
    ("numbers that are nearly equal are equal", lambda case: case.has("MATCH|[<>=]") and case.numbers),
    ("some functions take no truth values, or only written ones", lambda case: case.truths and case.has(r"\(")),
    ("SUMSQ and others pass over texts", lambda case: case.texts),
    ("infinity is carried on", lambda case: case.ours == "#NUM!"),
    ("INDEX with 0 is a whole row or column", lambda case: case.has("INDEX") and case.ours == "#VALUE!"),
    ("a cell that INDEX, IF or CHOOSE picks is taken for its value", lambda case: case.has("INDEX|IF|CHOOSE")),
]


def write(seed: int, formulas: list[str], path: Path) -> None:
    """A workbook of random cells and of formulas, one below the other."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Sheet1"
    for cell, value in cells(Random(seed)).items():
        sheet[cell] = value
        if isinstance(value, str) and value[0] not in "=#":
            sheet[cell].data_type = "s"
    for row, formula in enumerate(formulas, start=1):
        sheet.cell(row, AT, f"={formula}")
    book.save(path)


def same(ours: Value, theirs: Value) -> bool:
    if isinstance(ours, str) or isinstance(theirs, str):
        return ours == theirs
    return (ours or 0.0) == pytest.approx(theirs, rel=1e-9, abs=1e-12)


PANIC = "IronCalc panics"


def compared(path: Path, formulas: list[str], office: Office, count: Counter[str]) -> list[tuple[str, str, Value, Value]]:
    """The formulas of a workbook for whose difference there is no reason, with the program and both values; counts the reasons."""
    book = read_book(path)
    evaluate(book, group_formulas(book))
    refused = {row for _, row, column in book.problems if column == AT}
    count["refused"] += len(refused)
    others = {}
    with office.recalculated(path) as result:
        others["LibreOffice"] = (read_book(result).sheets["Sheet1"], LIBREOFFICE)
    try:
        with by_ironcalc(path) as result:
            others["IronCalc"] = (read_book(result).sheets["Sheet1"], IRONCALC)
    except BaseException as error:  # what ends a program in Rust is no Exception
        if type(error).__name__ != "PanicException":
            raise
        count[PANIC] += len(formulas)
    unexplained = []
    for row, formula in enumerate(formulas, start=1):
        if row in refused:
            continue
        value: Any = book.sheets["Sheet1"].value(row, AT)
        ours = float(value) if isinstance(value, bool) else value
        differs = 0
        for name, (sheet, reasons) in others.items():
            theirs = sheet.saved_texts.get((row, AT), float(sheet.saved[row, AT]))
            if same(ours, theirs):
                continue
            case = Case(formula, ours, theirs, book)
            reason = next((words for words, explains in reasons if explains(case)), None)
            if reason is None:
                unexplained.append((formula, name, ours, theirs))
            count[f"{name}: {reason}"] += 1
            differs += 0 if reason == BOTH_ERRORS[0] else 1
        count[f"differs from {differs}"] += 1
    return unexplained


@pytest.mark.libreoffice
@pytest.mark.parametrize("part", range(PARTS))
def test_random_formulas(part: int, tmp_path: Path, office: Office) -> None:
    grammar, count = Grammar(SEED * PARTS + part), Counter[str]()
    unexplained = []
    left = FORMULAS // PARTS
    for number in range(-(-left // BOOK)):
        formulas = [grammar.formula() for _ in range(min(BOOK, left - number * BOOK))]
        path = tmp_path / f"book{number}.xlsx"
        write((SEED * PARTS + part) * 1_000_000 + number, formulas, path)
        unexplained += compared(path, formulas, office, count)
    print(count)  # `pytest -rP` shows it
    assert unexplained == []
    total = FORMULAS // PARTS
    assert count["refused"] < 0.01 * total
    assert count["differs from 0"] > 0.8 * total
    assert count["differs from 2"] < 0.01 * total
    assert count[PANIC] < 0.1 * total
