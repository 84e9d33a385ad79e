"""Formulas with names, array formulas, and what other engines compute where ours does not know a formula."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from sheetcnn.errors import EngineError
from sheetcnn.formula import (
    Book,
    Formualizer,
    LibreOffice,
    beyond_ours,
    evaluate,
    evaluate_with_help,
    group_formulas,
    needed,
    read_book,
)
from sheetcnn.formula.engines import Answer, Place
from sheetcnn.formula.engines.by_formualizer import _crosses
from sheetcnn.formula.groups import groups_of, mark
from sheetcnn.formula.parser import MAX_EXPANDED, expanded, same_meaning

# A1:C3 hold 1 to 9, B5 a text; the sheet Other has 10 in A1 and 20 in A2.
NAMES = {
    "all": "Sheet!$A$1:$C$3",
    "one": "Sheet!$B$2",
    "half": "0.5",
    "twice": "2*Sheet!$B$2",
    "again": "twice+half",
    "there": "Other!$A$1",
    "moving": "Sheet!A1",
    "sheetless": "$A$1",
    "loop": "loop+1",
    "été": "Sheet!$C$3",
}


def made(
    tmp_path: Path, cells: dict[str, Any], names: Mapping[str, str] = NAMES, own: Mapping[str, str] | None = None
) -> Book:
    """A workbook as it is read; formulas in braces are array formulas, "C1:D2 {…}" such of several cells."""
    book = Workbook()
    sheet, other = book.active, book.create_sheet("Other")
    for r, c in np.ndindex(3, 3):
        sheet.cell(r + 1, c + 1).value = 3 * r + c + 1
    sheet["B5"] = "text"
    other["A1"], other["A2"] = 10, 20
    for cell, value in cells.items():
        where = other if cell.startswith("Other!") else sheet
        place = cell.removeprefix("Other!")
        if isinstance(value, str) and value.startswith("{"):
            where[place.partition(":")[0]] = ArrayFormula(place, value[1:-1])
        else:
            where[place] = value
    for name, text in names.items():
        book.defined_names[name] = DefinedName(name, attr_text=text)
    for name, text in (own or {}).items():
        other.defined_names[name] = DefinedName(name, attr_text=text)
    book.save(tmp_path / "book.xlsx")
    return read_book(tmp_path / "book.xlsx")


def value(tmp_path: Path, formula: str, **more: Any) -> Any:
    """What our evaluator says of one formula in E1, and that it knows it."""
    book = made(tmp_path, {"E1": formula}, **more)
    evaluate(book, group_formulas(book))
    assert not book.problems, book.problems
    return book.sheets["Sheet"].value(1, 5)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=SUM(all)", 45),
        ("=SUMPRODUCT(all,all)", 285),
        ("=SUMPRODUCT(ALL*All)", 285),
        ("=one+1", 6),
        ("=-one", -5),
        ("=one^2", 25),
        ("=twice*3", 30),  # (2·5)·3: what a name means is computed first
        ("=2^half", 2**0.5),
        ("=again", 10.5),
        ("=there+Other!A2", 30),
        ("=été", 9),
        ('=IF("one"="one",1,0)', 1),  # in a text, one is no name
        ("=MAX(0,one-there)", 0),
        ("=INDEX(all,2,3)", 6),
        ("=MATCH(4,Sheet!A1:A3,0)+one", 7),
        ("=Sheet!one", 5),  # a name of all sheets, by one of them
    ],
)
def test_names_of_cells_and_numbers(formula: str, expected: float, tmp_path: Path) -> None:
    assert value(tmp_path, formula) == pytest.approx(expected)


def test_names_of_one_sheet_only(tmp_path: Path) -> None:
    """They go before those of all sheets, on their own sheet; others say the sheet."""
    cells = {"E1": "=one", "E2": "=Other!one", "Other!E1": "=one", "Other!E2": "=one*2+mine"}
    book = made(tmp_path, cells, own={"one": "Other!$A$1", "mine": "Other!$A$2"})
    evaluate(book, group_formulas(book))
    assert [book.sheets["Sheet"].value(n, 5) for n in (1, 2)] == [5, 10]
    assert [book.sheets["Other"].value(n, 5) for n in (1, 2)] == [10, 40]


@pytest.mark.parametrize("formula", ["=moving", "=sheetless", "=loop", "=nobody", "=one(1)"])
def test_names_that_ours_does_not_know(formula: str, tmp_path: Path) -> None:
    """They mean another cell in each cell, or nothing."""
    book = made(tmp_path, {"E1": formula})
    evaluate(book, group_formulas(book))
    assert list(book.problems) == [("Sheet", 1, 5)]


def test_names_written_out_stay_short() -> None:
    """Names of names that would fill the memory are left alone."""
    definitions = {("", f"n{n}_"): "+".join([f"n{n + 1}_"] * 40) for n in range(7)} | {("", "n7_"): "1"}
    assert len(expanded("n0_", "Sheet", definitions)) <= 2 * MAX_EXPANDED
    assert expanded("n7_+n7_", "Sheet", definitions) == "(1)+(1)"


def test_runs_with_names_are_one_group(tmp_path: Path) -> None:
    """A row of formulas in which only the window moves is taken apart twice, whatever names stand in it."""
    cells = {
        f"{column}8": f"=SUMPRODUCT({column}1:{after}2,all_)+one" for column, after in zip("ABCDEF", "BCDEFG", strict=True)
    }
    book = made(tmp_path, cells, names=NAMES | {"all_": "Sheet!$A$1:$B$2"})
    [group] = groups_of(book.sheets["Sheet"], book.definitions)
    assert group.columns.tolist() == [1, 2, 3, 4, 5, 6]
    assert group.lefts.tolist() == [[n, 1, 2] for n in range(1, 7)]
    evaluate(book, [group])
    assert book.sheets["Sheet"].value(8, 1) == 1 + 4 + 16 + 25 + 5
    assert book.sheets["Sheet"].value(8, 2) == 1 * 2 + 2 * 3 + 4 * 5 + 5 * 6 + 5


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("{=SUM(A1:C1*A2:C2)}", 32),
        ("{=MAX(0,SUM(A1:B2*B2:C3)-7)}", 1 * 5 + 2 * 6 + 4 * 8 + 5 * 9 - 7),
        ("{=SUM(IF(A1:C3>5,A1:C3,0))}", 6 + 7 + 8 + 9),
        ("{=MAX(IF(A1:C3<5,A1:C3))}", 4),
        ("{=SUM((A1:C3>2)*(A1:C3<5))}", 2),
        ("{=SUMPRODUCT(A1:C1,A2:C2)}", 32),
        ("{=A1:C3*2}", 2),  # in one cell, the first
        ("{=SUM(A1:A3*A1:C1)}", (1 + 4 + 7) * (1 + 2 + 3)),
        ("{=SUM(EXP(A1:A3-A1:A3))}", 3),
        ("{=MIN(-A1:C3)}", -9),
        ("{=SUM(all*all)}", 285),
        ("{=SUM(ROUND(A1:C3/2,0))}", 1 + 1 + 2 + 2 + 3 + 3 + 4 + 4 + 5),
        ("{=SUM(A1:B2*A1:A3)}", None),  # ranges that do not fit
        ("{=INDEX(A1:A3,A1:A2)}", None),
    ],
)
def test_array_formulas_of_one_cell(formula: str, expected: float | None, tmp_path: Path) -> None:
    if expected is not None:
        assert value(tmp_path, formula) == pytest.approx(expected)
        return
    book = made(tmp_path, {"E1": formula})
    evaluate(book, group_formulas(book))
    assert list(book.problems) == [("Sheet", 1, 5)]


@pytest.mark.parametrize(
    ("cell", "formula", "expected"),
    [
        ("E2", "=A1:A3", 4),  # the cell in the formula's own row
        ("E2", "=A1:A3*10", 40),
        ("B8", "=A1:C1+1", 3),  # or column
        ("E9", "=A1:A3", "#VALUE!"),
        ("E9", "=A1:C3", "#VALUE!"),
        ("E2", "=A1:C3", "#VALUE!"),
        ("E1", "=SUM(A1:C1*A2:C2)", "#VALUE!"),
        ("E2", "=SUM(A1:A3*B1:B3)", 20),
        ("E1", "=IF(A1:A3>0,1,2)", 1),
        ("E5", "=B4:B6", "text"),
        ("E2", "=Other!A1:A3", 20),
        ("E2", "=_xlfn.SINGLE(A1:A3)*10", 40),
        ("E2", "{=SUM(_xlfn.SINGLE(A1:A3)*A1:C1)}", 4 * 6),
        ("E9", "=_xlfn.SINGLE(A1:C3)", "#VALUE!"),
    ],
)
def test_a_range_where_one_number_is_needed(cell: str, formula: str, expected: Any, tmp_path: Path) -> None:
    book = made(tmp_path, {cell: formula})
    evaluate(book, group_formulas(book))
    column = "ABCDE".index(cell[0]) + 1
    assert not book.problems
    assert book.sheets["Sheet"].value(int(cell[1:]), column) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("SUM(all)", "SUM(A1:C3)", True),
        ("SUM(all)", "SUM($A$1:C$3)", True),
        ("SUM(all)", "SUM(A1:C4)", False),
        ("{=SUM(A1:C3)}", "SUM(all)", True),
        ("one+half", "B2+0.5", True),
        ("one+half", "B2+0.25", False),
        ("sum( All )", "SUM(A1:C3)", True),
        ("nobody", "nobody", False),
    ],
)
def test_formulas_that_mean_the_same(one: str, other: str, same: bool) -> None:
    definitions = {("", name): text for name, text in NAMES.items()}
    assert same_meaning(one, other, ("Sheet", "Sheet"), definitions) is same


# -- others ----------------------------------------------------------------------------------------------------------------
def helped(book: Book, engines: Sequence[Any], *areas: tuple[str, int, int, int, int]) -> list[Any]:
    groups = group_formulas(book)
    wanted = needed(book, groups, areas) if areas else groups
    return evaluate_with_help([book], groups, wanted, engines)


class Stub:
    """An engine that knows some cells, and remembers what it was asked."""

    def __init__(self, name: str, answers: dict[tuple[int, int], Answer]) -> None:
        self.name, self.answers, self.asked = name, answers, []

    def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
        self.asked.append(dict(cells))
        return [{place: self.answers[place[1:]] for place in cells if place[1:] in self.answers} for _ in books]


def test_only_what_ours_does_not_know_is_asked(tmp_path: Path) -> None:
    book = made(tmp_path, {"E1": "=SUM(A1:C1)", "E2": "=PI()", "E3": "=E1+E2", "E4": "=SIGN(E3)*E1"})
    stub = Stub("stub", {(2, 5): 3.0, (4, 5): 6.0})
    [said] = helped(book, [stub])
    assert stub.asked == [{("Sheet", 2, 5): "PI()", ("Sheet", 4, 5): "SIGN(E3)*E1"}]
    assert [book.sheets["Sheet"].value(n, 5) for n in (1, 2, 3, 4)] == [6, 3, 9, 6]
    assert (
        said.words
        == "stub computed 2 formulas that sheetcnn's own evaluator cannot (calls PI, which sheetcnn does not know)"
    )


def test_the_first_engine_that_knows_all_is_chosen(tmp_path: Path) -> None:
    cells = {"E1": "=PI()", "E2": "=SIGN(2)"}
    some, every, never = Stub("some", {(1, 5): 1.0}), Stub("every", {(1, 5): 2.0, (2, 5): 3.0}), Stub("never", {})
    book = made(tmp_path, cells)
    [said] = helped(book, [some, every, never])
    assert said.engine == "every"
    assert not never.asked
    assert [book.sheets["Sheet"].value(n, 5) for n in (1, 2)] == [2, 3]
    book = made(tmp_path, cells | {"E3": "=E2+1", "E4": "=E1+1"})
    [said] = helped(book, [never, some])
    assert (said.engine, said.cells) == ("some", 1)
    assert [book.sheets["Sheet"].value(n, 5) for n in (1, 2, 3, 4)] == [1, "#UNKNOWN!", "#UNKNOWN!", 2]
    assert list(book.problems) == [("Sheet", 2, 5)]


def test_what_may_have_caught_an_unknown_formula_is_not_known(tmp_path: Path) -> None:
    """IFERROR makes 0 of an error that only says that the engine lacks a function."""
    book = made(tmp_path, {"E1": "=NOBODY(1)", "E2": "=IFERROR(E1,0)", "E3": "=SIGN(5)"})
    helped(book, [Formualizer()])
    assert [book.sheets["Sheet"].value(n, 5) for n in (1, 2, 3)] == ["#UNKNOWN!", "#UNKNOWN!", 1]


def test_what_google_sheets_alone_computes_is_not_known(tmp_path: Path) -> None:
    """It writes such functions with the value that they had, which would not follow."""
    formula = '=IFERROR(__xludf.DUMMYFUNCTION("SPARKLINE(A1)"),7)'
    book = made(tmp_path, {"E1": formula, "E2": "=E1+1"})
    helped(book, [Formualizer()])
    assert [book.sheets["Sheet"].value(n, 5) for n in (1, 2)] == ["#UNKNOWN!", "#UNKNOWN!"]


def test_an_error_that_a_program_saved_tells_nothing(tmp_path: Path) -> None:
    """It may be older than the formula, or have converted the file only."""
    book = made(tmp_path, {"E1": "=_xlfn.LAMBDA(_xlpm.x,_xlpm.x)(2)"})
    book.sheets["Sheet"].saved_texts[1, 5] = "#NAME?"
    helped(book, [Formualizer()])
    assert book.sheets["Sheet"].value(1, 5) == "#UNKNOWN!"
    assert list(book.problems) == [("Sheet", 1, 5)]


def test_what_no_grid_reads_is_not_evaluated(tmp_path: Path) -> None:
    cells = {"E1": "=E5+1", "E2": "=SIGN(1)", "E3": "=E2*2", "E5": "=E6", "E6": "=A1"}
    book, stub = made(tmp_path, cells), Stub("stub", {})
    assert helped(book, [stub], ("Sheet", 1, 5, 1, 5)) == []
    assert not stub.asked
    assert book.sheets["Sheet"].value(1, 5) == 2
    assert book.sheets["Sheet"].value(3, 5) is None


@pytest.mark.parametrize("text", ["=A1:C3*2", "=A1:C3*A1:A3"])
def test_spilled_formulas(text: str, tmp_path: Path) -> None:
    """One formula fills nine cells; what reads them waits for it."""
    book = made(tmp_path, {"E1:G3": f"{{{text}}}", "I1": "=SUM(E1:G3)", "I2": "=F2+1"})
    assert book.sheets["Sheet"].spills == {(1, 5): (3, 3)}
    [said] = helped(book, [Formualizer()])
    assert (said.cells, said.reason) == (9, "fills several cells at once")
    sheet = book.sheets["Sheet"]
    square = np.arange(1, 10).reshape(3, 3)
    want = square * 2 if "2" in text else square * square[:, :1]
    assert [[sheet.value(r, c) for c in (5, 6, 7)] for r in (1, 2, 3)] == want.tolist()
    assert [sheet.value(n, 9) for n in (1, 2)] == [want.sum(), want[1, 1] + 1]


@pytest.mark.parametrize(
    ("formula", "crosses"),
    [
        ("IFERROR(SUM(A1:C1*A2:C2),0)", True),
        ("IFERROR(SUMPRODUCT(A1:C1*A2:C2),0)", False),
        ("{=IFERROR(SUM(A1:C1*A2:C2),0)}", False),
        ("A1:C1", True),
        ("IFERROR(SUM(-A1:C1),0)", True),
        ("SUM(SIGN(A1:C1))", True),
        ("SUM(OFFSET(A1,0,0,1,3)*OFFSET(A2,0,0,1,3))", True),
        ("OFFSET(A1,1,1)*2", False),
        ("SUM(OFFSET(A1,0,0,1,3))", False),
        ("SUMPRODUCT(INDEX(A1:C3,1,1):INDEX(A1:C3,3,3),A1:C3)", False),
        ("IF(A1:A3>0,1,0)", True),
        ("AND(A1>0,B1>0)", False),
        ("_xlfn.LET(_xlpm.z,SUM(A1:C1),_xlpm.z*2)", False),
        ("1 2", True),  # not even read
    ],
)
def test_what_formualizer_would_mean_otherwise(formula: str, crosses: bool) -> None:
    """It takes whole ranges where other programs take one cell of each."""
    assert _crosses(formula) is crosses


def test_one_formula_that_it_refuses_costs_only_itself(tmp_path: Path) -> None:
    book = made(tmp_path, {"E1": "=[1]Sheet!A1", "E2": "=SIGN(3)", "E3": "=1 2"})
    helped(book, [Formualizer()])
    assert [book.sheets["Sheet"].value(n, 5) for n in (1, 2, 3)] == ["#UNKNOWN!", 1, "#UNKNOWN!"]


def test_a_panic_is_no_traceback(tmp_path: Path) -> None:
    class Panic(BaseException):
        """As Rust's panics come."""

    book = made(tmp_path, {"E1": "=PI()"})
    with patch("formualizer.Workbook.from_bytes", side_effect=Panic):
        helped(book, [Formualizer()])
    assert book.sheets["Sheet"].value(1, 5) == "#UNKNOWN!"


@pytest.mark.parametrize("formula", ['=WEBSERVICE("http://localhost")', '=INDIRECT("A1")', "=DDE(1,2,3)", "=MOON()"])
def test_what_reaches_outside_is_not_given_to_libreoffice(formula: str, tmp_path: Path) -> None:
    """Anywhere in the workbook: it recalculates everything."""
    book = made(tmp_path, {"E1": "=MMULT(A1:C1,A1:A3)", "H9": formula})
    with (
        patch("sheetcnn.formula.engines.by_libreoffice.find_libreoffice", return_value="soffice"),
        patch("sheetcnn.formula.engines.by_libreoffice.converted", side_effect=EngineError("asked")) as asked,
    ):
        helped(book, [LibreOffice()])
    assert asked.called == (formula == "=MOON()")  # which only nobody knows
    assert book.sheets["Sheet"].value(1, 5) == "#UNKNOWN!"


@pytest.mark.parametrize("formula", ["=[1]Sheet!A1", "='[book.xlsx]Sheet 1'!A1", "='file:///x'#$Sheet.A1"])
def test_references_to_other_files_are_given_to_nobody(formula: str, tmp_path: Path) -> None:
    """What reads such a cell is not known either; all others are."""

    class Reader(Formualizer):
        def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
            with zipfile.ZipFile(io.BytesIO(books[0])) as archive:
                sheet = archive.read("xl/worksheets/sheet1.xml").decode()
            assert re.findall(r'<c r="E1"><f>([^<]*)</f>', sheet) == ["SHEETCNN_CANNOT_READ()"]
            return super().compute(books, cells)

    book = made(tmp_path, {"E1": formula, "E2": "=SIGN(E1)", "E3": "=SIGN(A1)"})
    helped(book, [Reader()])
    assert [book.sheets["Sheet"].value(n, 5) for n in (1, 2, 3)] == ["#UNKNOWN!", "#UNKNOWN!", 1]


@pytest.mark.libreoffice
def test_libreoffice_computes_several_workbooks_at_once(tmp_path: Path) -> None:
    """{=SUM(MMULT(…))} is beyond the others; texts, blanks and names go along."""
    cells = {"E1": '{=SUM(MMULT(all,all))+IF(B5="text",0.5,0)+D9}', "E2": "=E1*2"}
    books = [made(tmp_path, cells), made(tmp_path, cells | {"A1": 0})]
    groups = group_formulas(books[0])
    assert beyond_ours(books[0], groups[0]) == "calls MMULT, which sheetcnn does not know"
    [said] = evaluate_with_help(books, groups, groups, [Formualizer(), LibreOffice()])
    assert said.engine == "LibreOffice"
    square = np.arange(1, 10).reshape(3, 3)
    first = (square @ square).sum() + 0.5
    square[0, 0] = 0
    second = (square @ square).sum() + 0.5
    assert [book.sheets["Sheet"].value(1, 5) for book in books] == [first, second]
    assert [book.sheets["Sheet"].value(2, 5) for book in books] == [2 * first, 2 * second]


def test_what_references_read_is_marked_cell_by_cell() -> None:
    """References one by one, many at once, with much between them, and so many that all between their corners is."""
    rng = np.random.default_rng(4)
    for count, rows, columns in ((5, 2, 3), (200, 1, 1), (500, 3, 2), (40, 9, 9)):
        tops, lefts = rng.integers(1, 60, count), rng.integers(1, 50, count)  # some reach beyond the sheet's last cell
        want, have = np.zeros((50, 40), bool), np.zeros((50, 40), bool)
        for top, left in zip(tops, lefts, strict=True):
            want[top : top + rows, left : left + columns] = True
        mark(have, tops, lefts, rows, columns)
        assert (have == want).all()
        have[...] = False
        with patch("sheetcnn.formula.groups._GATHER", 100):  # one after the other
            mark(have, tops, lefts, rows, columns)
        assert (have == want).all()
    with patch("sheetcnn.formula.groups._GATHER", 100), patch("sheetcnn.formula.groups._RECTANGLES", 3):
        mark(have, tops, lefts, rows, columns)
    assert have[tops.min() :, lefts.min() :].all()
