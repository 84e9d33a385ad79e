"""Formulas that people write into a workbook: beside the network, into its kernels, and in the place of its own."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

import sheetcnn
from sheetcnn.a1 import cell_name
from sheetcnn.checking.check import Engine
from sheetcnn.formula import read_book

NETWORK = """
name = "small"
[input]
channels = 1
height = 5
width = 5
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 2
kernel_size = 3
activation = "relu"
"""
PIXELS = np.arange(25).reshape(1, 5, 5) % 7
ENGINES: tuple[Engine, ...] = ("python", "formualizer")
Change = Callable[[openpyxl.Workbook], None]


@pytest.fixture
def book(make: Callable[..., Path]) -> Path:
    return make(NETWORK, PIXELS, mirrors=False, detail="compact")  # cells read other sheets, and stand where they did


def changed(book: Path, change: Change) -> Path:
    opened = openpyxl.load_workbook(book)
    change(opened)
    opened.save(book)
    return book


def place(book: Path, name: str, i: int = 0, j: int = 0) -> tuple[str, str]:
    """The sheet and the cell of an element of a named grid."""
    sheet, top, left, *_ = read_book(book).names[name]
    return sheet, cell_name(top + i, left + j)


def agrees(book: Path, engine: Engine, *expected: str) -> sheetcnn.Report:
    report = sheetcnn.check(book, engine=engine)
    assert report.ok, report.findings[:2]
    notes = [note for note in report.notes if "have no saved value" not in note]
    assert notes == list(expected)
    return report


# -- beside the network ----------------------------------------------------------------------------------------------
OWN = [
    '=TEXT(conv!B9,"0.00")',
    '=HYPERLINK("#conv!B9","see the map")',
    '=IF(conv!B9>0,"bright","dark")',
    "=TODAY()-1",
    "=RAND()",
    '="sum: "&SUM(conv!B9:D11)',
    '=VLOOKUP("x",A1:B9,2,FALSE)',
    "=_xlfn.XLOOKUP(1,A1:A3,B1:B3)",
    "=SUM(conv!B:B)",
    "=1/0",
    "=NOBODYKNOWS(1)",
    "=A99",
    "=[1]Other!A1",
    "=1 2",
]


@pytest.mark.parametrize("engine", ENGINES)
def test_notes_of_ones_own_with_any_formula(book: Path, engine: Engine) -> None:
    def write(opened: openpyxl.Workbook) -> None:
        sheet = opened.create_sheet("My notes")
        for n, formula in enumerate(OWN, start=1):
            sheet[f"A{n}"] = formula
        sheet["C1"] = ArrayFormula("C1:E3", "=conv!B9:D11*2")
        sheet["H1"] = "=H2"  # circular
        sheet["H2"] = "=H1"

    changed(book, write)
    agrees(book, engine, f"{len(OWN) + 3} formulas that no grid reads were left out: My notes")


def test_notes_on_a_layers_sheet(book: Path) -> None:
    """What ours knows there is passed over in silence, as labels are."""

    def write(opened: openpyxl.Workbook) -> None:
        opened["conv"]["Z40"], opened["conv"]["Z41"] = '=TEXT(B9,"0.0")', "=SUM(B9:D11)"
        opened["Check"]["Z40"] = "=NOW()"

    report = agrees(changed(book, write), "python", "2 formulas that no grid reads were left out: conv!Z40, Check!Z40")
    assert report.cells == sheetcnn.check(book).cells


def test_stale_values_of_ones_own(book: Path) -> None:
    """The program may not have recalculated them, or they change by themselves."""

    def write(opened: openpyxl.Workbook) -> None:
        opened.create_sheet("Mine")["A1"] = "=SUM(conv!B9:C11)"

    changed(book, write)
    with zipfile.ZipFile(book) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    mine = next(name for name, data in parts.items() if b"SUM(conv!B9:C11)</f>" in data)
    parts[mine] = re.sub(rb"(SUM\(conv!B9:C11\)</f>)<v ?/?>(?:</v>)?", rb"\1<v>-77</v>", parts[mine])
    assert b"-77" in parts[mine]
    with zipfile.ZipFile(book, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    agrees(book, "python", "1 formula that no grid reads was left out: Mine")


def test_a_what_if_table(book: Path) -> None:
    def write(opened: openpyxl.Workbook) -> None:
        sheet = opened["Overview"]
        sheet["B60"], sheet["C60"] = 1, DataTableFormula("C60:C62", r1="B60")
        sheet["C61"], sheet["C62"] = 4, 9

    agrees(changed(book, write), "python", "the what-if table at Overview!C60:C62 was left out")


# -- in kernels and biases -------------------------------------------------------------------------------------------
NUMBERS = [
    ("=1/9", 1 / 9, None),
    ("=-2", -2, None),
    ("=EXP(-(1^2+1^2)/2)/(2*3.14159)", np.exp(-1) / (2 * 3.14159), None),
    ("=EXP(-1)/(2*PI())", np.exp(-1) / (2 * np.pi), "PI"),
    ("=conv_bias_1*2+1", 1, None),
    ("=-conv_kernel_2_1_centre", -5, None),
    ("=POWER(2,-1)", 0.5, "POWER"),
    ("=SQRT(2)/2", 2**0.5 / 2, None),
    ("=SIN(0.5)", np.sin(0.5), "SIN"),
    ("{=SUM(Input!B9:C9*Input!B9:C9)}", None, None),
    ("=IFERROR(1/0,3)", 3, "IFERROR"),
    ("=N(4)", 4, "N"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("formula", "number", "beyond"), NUMBERS)
def test_a_number_typed_as_a_formula_is_a_number(
    book: Path, formula: str, number: float | None, beyond: str | None, engine: Engine
) -> None:
    sheet, cell = place(book, "conv_kernel_1_1", 1, 2)
    other, centre = place(book, "conv_kernel_2_1", 1, 1)

    def write(opened: openpyxl.Workbook) -> None:
        opened[other][centre] = 5
        name = openpyxl.workbook.defined_name.DefinedName(
            "conv_kernel_2_1_centre", attr_text=f"{other}!${centre[:-2]}${centre[-2:]}"
        )
        opened.defined_names["conv_kernel_2_1_centre"] = name
        opened[sheet][cell] = ArrayFormula(cell, formula[1:-1]) if formula.startswith("{") else formula

    changed(book, write)
    said = (
        f"formualizer computed 1 formula that sheetcnn's own evaluator cannot (calls {beyond}, which sheetcnn does not know)"
    )
    agrees(book, engine, *([said] if beyond and engine == "python" else []))
    [weights] = sheetcnn.export(book, book.with_suffix(".npz"))
    with np.load(weights) as arrays:
        want = float((PIXELS[0, 0, :2] ** 2).sum()) if number is None else number
        assert arrays["conv.weight"][0, 0, 1, 2] == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("formula", ["=NOBODYKNOWS(1)", '=TEXT(1,"0")', "=1/0", "=SUM(conv!B9:D11)"])
def test_what_is_no_number_in_a_kernel(book: Path, formula: str) -> None:
    sheet, cell = place(book, "conv_kernel_1_1", 1, 2)
    report = sheetcnn.check(changed(book, lambda opened: opened[sheet].__setitem__(cell, formula)))
    assert not report.ok
    assert report.findings[0].cell == f"{sheet}!{cell}" or "circular" in report.findings[0].text


# -- in the place of the network's own -------------------------------------------------------------------------------
def rewritten(book: Path, change: Callable[[str], Any]) -> None:
    """Change the formulas of the first map."""
    names = read_book(book).names
    sheet, top, left, bottom, right = names["conv_map_1"]
    opened = openpyxl.load_workbook(book)
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            cell = cell_name(row, column)
            text = change(opened[sheet][cell].value)
            opened[sheet][cell] = ArrayFormula(text[0].format(cell), text[1]) if isinstance(text, tuple) else text
    opened.save(book)


def test_apply_names(book: Path) -> None:
    """What Excel makes of references that have names."""
    opened = read_book(book)
    (_, r, c, *_), (_, top, left, bottom, right) = (opened.names[name] for name in ("conv_bias_1", "conv_kernel_1_1"))
    bias = f"${cell_name(r, c)[:-1]}${r}"
    assert bias in str(opened.sheets["conv"].formula(9, 2))
    ends = [f"${re.sub(r'[0-9]+', '', cell_name(i, j))}${i}" for i, j in ((top, left), (bottom, right))]
    rewritten(book, lambda text: text.replace(bias, "conv_bias_1").replace(":".join(ends), "conv_kernel_1_1"))
    text = read_book(book).sheets["conv"].formula(9, 2)
    assert text == "MAX(0,conv_bias_1+SUMPRODUCT(Input!B9:D11,conv_kernel_1_1))"
    for engine in ENGINES:
        agrees(book, engine)


@pytest.mark.parametrize("reference", ["{0}", "{0}:{0}", "${0}"])
def test_ctrl_shift_enter(book: Path, reference: str) -> None:
    """LibreOffice writes B9:B9, Excel B9."""
    rewritten(book, lambda text: (reference.replace("$", ""), text))
    for engine in ENGINES:
        agrees(book, engine)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("conv_bias_1", "conv_bias_2").replace("MAX(0,", "MAX(0,conv_bias_2+0*", 1),
        lambda text: text.replace("MAX(0,", "IFERROR(0,", 1),
        lambda text: ("{0}", text.replace("MAX(0,", "(", 1)),
    ],
)
def test_other_formulas_are_named(book: Path, change: Callable[[str], Any]) -> None:
    rewritten(book, change)
    for engine in ENGINES:
        found = [finding for finding in sheetcnn.check(book, engine=engine).findings if finding.kind == "changed"]
        assert len(found) == 9
        assert found[0].text.startswith("no longer reads like its neighbours: =")


@pytest.mark.libreoffice
def test_libreoffice_agrees(book: Path) -> None:
    """All innocent things at once, checked by the real program."""
    sheet, cell = place(book, "conv_kernel_1_1", 1, 2)

    def write(opened: openpyxl.Workbook) -> None:
        notes = opened.create_sheet("My notes")
        notes["A1"], notes["A2"] = '=TEXT(conv!B9,"0.00")', "=TODAY()"
        opened[sheet][cell] = "=EXP(-1)/(2*PI())+conv_bias_1"

    changed(book, write)
    rewritten(book, lambda text: ("{0}:{0}", text))
    agrees(book, "libreoffice", "2 formulas that no grid reads were left out: My notes")
