"""`check` on workbooks as people leave them: edited, broken, saved by other programs."""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from spoil import spoil_saved_values

import sheetcnn
from sheetcnn.errors import EngineError, WorkbookError
from sheetcnn.formula import read_book
from sheetcnn.office.libreoffice import recalculated

NETWORK = """
name = "small"
[input]
channels = 2
height = 6
width = 7
scale = 2
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 3
kernel_size = 3
padding = 1
activation = "relu"
[[layers]]
type = "max_pool2d"
name = "pool"
kernel_size = 2
[[layers]]
type = "flatten"
name = "flat"
[[layers]]
type = "linear"
name = "fc"
out_features = 4
"""
PIXELS = np.random.default_rng(5).integers(0, 9, (2, 6, 7))
WIDE = """
name = "wide"
[input]
channels = 20
height = 5
width = 5
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 3
kernel_size = 2
dilation = 2
"""


def cell(book: Path, name: str, i: int = 0, j: int = 0) -> tuple[str, str]:
    """The sheet and the cell of an element of a named grid."""
    sheet, top, left, *_ = read_book(book).names[name]
    return sheet, openpyxl.utils.get_column_letter(left + j) + str(top + i)


def edit(book: Path, name: str, value: Any, i: int = 0, j: int = 0) -> str:
    """Change one cell with openpyxl, which drops all saved values; returns the cell with its sheet."""
    sheet, where = cell(book, name, i, j)
    opened = openpyxl.load_workbook(book)
    opened[sheet][where] = value
    opened.save(book)
    return f"{sheet}!{where}"


ADDED = ["gallery", "scale bars", "inspector", "check", "overview"]


@pytest.fixture
def book(make: Callable[..., Path]) -> Path:
    """Without mirrors, so that formulas read other sheets."""
    return make(NETWORK, PIXELS, mirrors=False, detail="compact")


def test_fresh_workbook_agrees(book: Path) -> None:
    report = sheetcnn.check(book)
    assert report.ok
    assert [layer.layer for layer in report.layers] == ["input", "conv", "pool", "flat", "fc", *ADDED]
    assert [layer.cells for layer in report.layers[:5]] == [
        84,
        126 + 54 + 3 * (9 + 1),
        27,
        27,
        31,
    ]  # 54 cells of kernels that can be chosen; of each of 3 filters the chosen kernel, and what is said of it
    assert all(layer.largest_difference < 1e-12 for layer in report.layers)
    assert not report.notes


@pytest.mark.parametrize(
    "name", ["input_channel_1", "input_scale", "conv_kernel_2_1", "conv_bias_3", "fc_weight", "fc_bias"]
)
def test_edits_that_are_meant_agree(book: Path, name: str) -> None:
    edit(book, name, 4.5)
    before = read_book(book)
    report = sheetcnn.check(book)
    assert report.ok, report.findings
    assert report.notes == [
        f"{len_formulas(before):,} formulas have no saved value; a spreadsheet program writes them when it saves"
    ]


def len_formulas(book: Any) -> int:
    return sum(len(cells) for sheet in book.sheets.values() for cells in sheet.formulas.values())


def test_a_kernel_may_be_a_formula(book: Path) -> None:
    edit(book, "conv_kernel_1_1", "=1/3", 1, 1)
    assert sheetcnn.check(book).ok


def test_number_over_a_formula_is_named_even_if_right(book: Path) -> None:
    opened = read_book(book)
    sheet, top, left, *_ = opened.names["conv_map_2"]
    right = float(opened.sheets[sheet].saved[top + 2, left + 3])
    where = edit(book, "conv_map_2", right, 2, 3)
    report = sheetcnn.check(book)
    assert [(f.kind, f.cell, f.layer) for f in report.findings] == [("overwritten", where, "conv")]
    assert "it was =MAX(0," in report.findings[0].text


def test_text_or_nothing_over_a_formula(book: Path) -> None:
    where = edit(book, "pool_map_1", "oops", 1, 1)
    assert [(f.kind, f.cell) for f in sheetcnn.check(book).findings if f.layer == "pool"] == [("overwritten", where)]
    edit(book, "pool_map_1", None, 1, 1)
    findings = [f for f in sheetcnn.check(book).findings if f.layer == "pool"]
    assert [(f.kind, f.cell) for f in findings] == [("overwritten", where)]
    assert "is blank" in findings[0].text


def test_formula_unlike_its_neighbours_is_named_even_if_right(book: Path) -> None:
    opened = read_book(book)
    sheet, top, left, *_ = opened.names["conv_map_1"]
    formula = opened.sheets[sheet].formula(top + 1, left + 1)
    where = edit(book, "conv_map_1", f"={formula}+0", 1, 1)
    report = sheetcnn.check(book)
    assert [(f.kind, f.cell) for f in report.findings] == [("changed", where)]
    assert "no longer reads like its neighbours" in report.findings[0].text


def test_shifted_window_is_named_once_and_its_consequences_follow(book: Path) -> None:
    opened = read_book(book)
    sheet, top, left, *_ = opened.names["conv_map_1"]
    wrong = opened.sheets[sheet].formula(top, left)
    where = edit(book, "conv_map_1", f"={wrong}", 3, 3)
    findings = sheetcnn.check(book).findings
    assert [(f.kind, f.cell) for f in findings if f.layer == "conv"] == [("changed", where)]


def test_values_that_differ_are_named_with_both_values_and_the_formula(book: Path) -> None:
    """A number over a formula of `conv` is a mistake there; in `pool`, whose formulas are whole, it is a wrong value."""
    edit(book, "conv_map_1", 1000, 2, 2)
    opened = read_book(book)
    sheet, top, left, *_ = opened.names["pool_map_1"]
    found = [f for f in sheetcnn.check(book).findings if f.layer == "pool"]
    assert [(f.kind, f.cell, f.value) for f in found] == [("value", cell_of(book, "pool_map_1", 1, 1), 1000)]
    assert found[0].formula == opened.sheets[sheet].formula(top + 1, left + 1)
    assert isinstance(found[0].expected, float)
    assert abs(found[0].expected) < 100


def cell_of(book: Path, name: str, i: int, j: int) -> str:
    return "!".join(cell(book, name, i, j))


def test_same_meaning_in_other_writing_agrees(book: Path) -> None:
    opened = read_book(book)
    sheet, top, left, *_ = opened.names["conv_map_1"]
    formula = str(opened.sheets[sheet].formula(top, left))
    edit(
        book,
        "conv_map_1",
        "=" + formula.replace("$", "").replace(",", " , ").replace("MAX", "max").replace("Input!", "'Input'!"),
    )
    assert sheetcnn.check(book).ok


def test_common_mistake_is_found_by_its_values(book: Path) -> None:
    """ReLU before the channel sum, in every cell of a map."""
    opened = openpyxl.load_workbook(book)
    sheet, top, left, bottom, right = read_book(book).names["conv_map_1"]
    for row in opened[sheet].iter_rows(top, bottom, left, right):
        for target in row:
            bias, one, two = target.value.removeprefix("=MAX(0,").removesuffix(")").split("+")
            target.value = f"={bias}+MAX(0,{one})+MAX(0,{two})"
    opened.save(book)
    report = sheetcnn.check(book)
    assert not report.ok
    assert {f.kind for f in report.findings if f.layer == "conv"} == {"changed"}
    assert next(layer for layer in report.layers if layer.layer == "conv").largest_difference > 1e-3


@pytest.mark.parametrize("formula", ["=1/0", "=RAND()", "=_xlfn.IFS(1,2)", "=NoSuchName", "=conv!ZZ9", "=1+"])
def test_broken_formula(book: Path, formula: str) -> None:
    where = edit(book, "conv_map_1", formula)
    report = sheetcnn.check(book)
    assert not report.ok
    assert report.findings[0].cell == where


def test_circular_reference_is_reported(book: Path) -> None:
    sheet, where = cell(book, "pool_map_1")
    edit(book, "input_channel_1", f"={sheet}!{where}")
    report = sheetcnn.check(book)
    assert not report.ok
    assert any("circular" in finding.text for finding in report.findings)


def test_text_in_a_kernel_is_reported(book: Path) -> None:
    where = edit(book, "conv_kernel_1_1", "one")
    findings = sheetcnn.check(book).findings
    assert findings[0].kind == "input"
    assert findings[0].cell == where


def test_blank_kernel_cell_counts_as_zero(book: Path) -> None:
    edit(book, "conv_kernel_1_1", None, 1, 1)
    assert sheetcnn.check(book).ok


def test_number_in_padding_is_reported(book: Path) -> None:
    where = edit(book, "input_normalized_2", 5, -1, 2)
    report = sheetcnn.check(book)
    assert not report.ok
    assert (report.findings[0].kind, report.findings[0].cell) == ("stray", where)


def test_zero_in_padding_is_reported_too(book: Path) -> None:
    where = edit(book, "input_normalized_2", 0, -1, 2)
    findings = sheetcnn.check(book).findings
    assert [(f.kind, f.cell) for f in findings] == [("stray", where)]


def test_number_between_grids_that_nothing_reads_is_fine(book: Path) -> None:
    edit(book, "conv_map_1", 7, 0, 200)
    assert sheetcnn.check(book).ok


def test_number_in_a_dilated_kernels_hole_is_reported(make: Callable[..., Path]) -> None:
    book = make(WIDE, np.ones((20, 5, 5)))
    assert sheetcnn.check(book).ok
    where = edit(book, "conv_kernel_2_7", 1, 0, 1)
    assert (sheetcnn.check(book).findings[0].kind, sheetcnn.check(book).findings[0].cell) == ("stray", where)


def test_saved_values_are_compared(book: Path, tmp_path: Path) -> None:
    spoil_saved_values(book, tmp_path / "spoiled.xlsx")
    report = sheetcnn.check(tmp_path / "spoiled.xlsx")
    assert not report.ok
    assert {finding.kind for finding in report.findings} == {"saved"}
    assert all(layer.largest_difference < 1e-12 for layer in report.layers)


@pytest.mark.libreoffice
def test_libreoffice_really_recalculates(book: Path, tmp_path: Path) -> None:
    """Wrong values are saved in the file; LibreOffice's answer has the right ones in their place."""
    spoil_saved_values(book, tmp_path / "spoiled.xlsx")
    before, spoiled = read_book(book), read_book(tmp_path / "spoiled.xlsx")
    with recalculated(tmp_path / "spoiled.xlsx") as result:
        after = read_book(result)
    for name in ("conv", "pool", "flat", "fc"):
        right, wrong = before.sheets[name].saved, spoiled.sheets[name].saved
        known = ~np.isnan(right)
        assert known.any()
        assert (wrong[known] == 987654).all()
        np.testing.assert_allclose(
            after.sheets[name].saved[: right.shape[0], : right.shape[1]][known], right[known], rtol=1e-9, atol=1e-9
        )
    report = sheetcnn.check(tmp_path / "spoiled.xlsx", engine="libreoffice")
    assert {finding.kind for finding in report.findings} == {"saved"}


@pytest.mark.libreoffice
def test_engine_libreoffice_finds_what_is_wrong(book: Path) -> None:
    assert sheetcnn.check(book, engine="libreoffice").ok
    where = edit(book, "conv_map_1", "=MAX(0,1)", 2, 2)
    report = sheetcnn.check(book, engine="libreoffice")
    assert report.findings[0].cell == where
    assert report.engine == "libreoffice"


@pytest.mark.libreoffice
@pytest.mark.parametrize("detail", ["compact", "steps"])
def test_edited_and_saved_by_libreoffice(make: Callable[..., Path], office: Callable, tmp_path: Path, detail: str) -> None:
    """Edit a pixel, a kernel and a bias there; every later map follows; the saved file agrees with NumPy."""
    book, saved = make(NETWORK, PIXELS, detail=detail), tmp_path / "saved.xlsx"
    edits = [
        [*cell(book, "conv_kernel_1_2", 1, 1), 2.5],
        [*cell(book, "input_channel_1"), 8],
        [*cell(book, "conv_bias_1"), -0.25],
    ]
    edits.append([*cell(book, "fc_weight", 2, 3), "=1/7"])
    names = read_book(book).names
    area = names["conv_map_1"]
    a1 = f"{cell(book, 'conv_map_1')[1]}:{cell(book, 'conv_map_1', 5, 6)[1]}"
    before, after = office(
        [
            {"book": str(book), "read": [[area[0], a1]]},
            {"book": str(book), "edits": edits, "read": [[area[0], a1]], "save": str(saved)},
        ]
    )
    assert before["read"] != after["read"]
    # What LibreOffice shows is what NumPy makes of the edited numbers, worked out here once more.
    opened = read_book(saved)

    def numbers(name: str) -> np.ndarray:
        sheet, top, left, bottom, right = opened.names[name]
        typed, saved = (
            array[top : bottom + 1, left : right + 1] for array in (opened.sheets[sheet].number, opened.sheets[sheet].saved)
        )
        return np.where(np.isnan(saved), typed, saved)

    x = np.pad(np.stack([numbers(f"input_channel_{c}") for c in (1, 2)]) / 2, ((0, 0), (1, 1), (1, 1)))
    kernel = np.stack([numbers(f"conv_kernel_1_{c}") for c in (1, 2)])
    assert kernel[1, 1, 1] == 2.5
    want = [[max(0, (x[:, i : i + 3, j : j + 3] * kernel).sum() - 0.25) for j in range(7)] for i in range(6)]
    np.testing.assert_allclose(after["read"][0], want, rtol=1e-9, atol=1e-9)
    for engine in ("python", "libreoffice"):
        report = sheetcnn.check(saved, engine=engine)
        assert report.ok, report.findings[:3]
        assert report.cells == sheetcnn.check(book).cells - 1  # the kernel's, no longer a formula


@pytest.mark.libreoffice
def test_broken_in_libreoffice(book: Path, office: Callable, tmp_path: Path) -> None:
    sheet, where = cell(book, "conv_map_1", 1, 1)
    padding = cell(book, "input_normalized_1", 0, -1)
    office([{"book": str(book), "edits": [[sheet, where, 3.25], [*padding, 1.5]], "save": str(tmp_path / "saved.xlsx")}])
    found = {(f.kind, f.cell) for f in sheetcnn.check(tmp_path / "saved.xlsx").findings}
    assert ("overwritten", f"{sheet}!{where}") in found
    assert ("stray", f"{padding[0]}!{padding[1]}") in found


@pytest.mark.libreoffice
def test_renamed_sheet_and_inserted_rows(book: Path, office: Callable, tmp_path: Path) -> None:
    """Names and formulas follow when a sheet is renamed or rows are inserted above a grid; so does the check."""
    padding = cell(book, "input_normalized_1", -1, 0)
    names = {"conv": "My layer", "Input": "The cat's picture", "pool": "Übung", "flat": "数据"}
    steps = {"rename": [list(pair) for pair in names.items()], "insert_rows": [["pool", 2, 3]]}
    saved = tmp_path / "saved.xlsx"
    office([{"book": str(book), "edits": [[*padding, 2]], **steps, "save": str(saved)}])
    assert set(names.values()) <= set(openpyxl.load_workbook(saved).sheetnames)
    assert {f.kind for f in sheetcnn.check(saved).findings if f.layer == "input"} == {"stray"}
    office([{"book": str(book), **steps, "save": str(saved)}])
    report = sheetcnn.check(saved)
    assert report.ok, report.findings[:3]
    assert [layer.layer for layer in report.layers] == ["input", "conv", "pool", "flat", "fc", *ADDED]


@pytest.mark.parametrize("name", ["Übung", "数据", "Sheet😀"])
@pytest.mark.parametrize("quote", ["", "'"])
def test_sheets_renamed_to_words_of_other_languages(book: Path, tmp_path: Path, name: str, quote: str) -> None:
    """As Excel writes them, which needs no quotes around their letters, and as others do."""
    target = tmp_path / "renamed.xlsx"
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            data = old.read(part)
            if part.startswith(("xl/workbook", "xl/worksheets/sheet")):
                text = data.decode().replace('name="Input"', f'name="{name}"').replace('name="conv"', f'name="{name}2"')
                text = re.sub(r"\bInput!", f"{quote}{name}{quote}!", text)
                data = re.sub(r"\bconv!", f"{quote}{name}2{quote}!", text).encode()
            new.writestr(part, data)
    opened = read_book(target)
    assert opened.names["input_normalized_1"][0] == name
    assert f"{quote}{name}{quote}!" in str(opened.sheets[f"{name}2"].formula(*opened.names["conv_map_1"][1:3]))
    report = sheetcnn.check(target)
    assert report.ok, report.findings[:3]
    assert report.cells == sheetcnn.check(book).cells


def test_missing_name(book: Path) -> None:
    opened = openpyxl.load_workbook(book)
    del opened.defined_names["conv_kernel_2_1"]
    opened.save(book)
    with pytest.raises(WorkbookError, match="conv_kernel_2_1 is missing"):
        sheetcnn.check(book)


def test_name_of_another_size(book: Path) -> None:
    opened = openpyxl.load_workbook(book)
    opened.defined_names["conv_kernel_2_1"].attr_text = "conv!$A$1:$B$9"
    opened.save(book)
    with pytest.raises(WorkbookError, match="conv_kernel_2_1 has 9×2 cells, the network needs 3×3"):
        sheetcnn.check(book)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format":2}',
        '{"format":1,"detail":"compact"}',
        '{"format":1,"detail":"x","network":{}}',
        "[" * 20_000,
    ],
)
def test_damaged_description(book: Path, text: str) -> None:
    opened = openpyxl.load_workbook(book)
    opened["_sheetcnn"]["A2"] = text
    opened.save(book)
    with pytest.raises(WorkbookError, match=r"_sheetcnn|newer"):
        sheetcnn.check(book)


def test_a_network_too_large_for_its_workbook_is_refused(book: Path) -> None:
    """A description that claims a huge network must not make us take the memory for it."""
    opened = openpyxl.load_workbook(book)
    text = opened["_sheetcnn"]["A2"].value
    opened["_sheetcnn"]["A2"] = text.replace('"out_channels":3', '"out_channels":16000')
    opened.save(book)
    with pytest.raises(sheetcnn.SheetcnnError):
        sheetcnn.check(book)


def test_other_files(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "other.xlsx")
    with pytest.raises(WorkbookError, match="not made by sheetcnn"):
        sheetcnn.check(tmp_path / "other.xlsx")
    (tmp_path / "text.xlsx").write_text("hello")
    with pytest.raises(WorkbookError, match=r"no \.xlsx workbook"):
        sheetcnn.check(tmp_path / "text.xlsx")
    with pytest.raises(WorkbookError, match="cannot be read"):
        sheetcnn.check(tmp_path / "nothing.xlsx")
    with pytest.raises(WorkbookError):
        sheetcnn.check(tmp_path)


def test_truncated_workbooks_are_refused(book: Path, tmp_path: Path) -> None:
    data = book.read_bytes()
    for part in (0.1, 0.5, 0.9, 0.999):
        (tmp_path / "cut.xlsx").write_bytes(data[: int(len(data) * part)])
        with pytest.raises(WorkbookError):
            sheetcnn.check(tmp_path / "cut.xlsx")


def test_flipped_bytes_never_crash(book: Path, tmp_path: Path) -> None:
    data = bytearray(book.read_bytes())
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        broken = data.copy()
        for place in rng.integers(0, len(data), 3):
            broken[place] ^= 1 << rng.integers(0, 8)
        (tmp_path / "bad.xlsx").write_bytes(broken)
        try:
            sheetcnn.check(tmp_path / "bad.xlsx")
        except sheetcnn.SheetcnnError:
            refused += 1
    assert refused > 30


def test_without_libreoffice(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sheetcnn.office.libreoffice.find_libreoffice", lambda: None)
    with pytest.raises(EngineError, match="not installed"):
        sheetcnn.check(book, engine="libreoffice")


ONE = """
name = "one"
[input]
channels = {channels}
height = 1
width = 1
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 1
kernel_size = 1
weight = {weight}
bias = [0]
"""


def test_saved_values_as_far_apart_as_can_be(make: Callable[..., Path], tmp_path: Path) -> None:
    """Their difference is beyond what a double can hold; it is reported as the largest double."""
    book = make(ONE.format(channels=1, weight=[[[[-7]]]]), [[[1]]])
    target = tmp_path / "opposite.xlsx"
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            data = old.read(part).replace(b"</f><v>-7.0<", b"</f><v>1.7e+308<")
            new.writestr(part, data.replace(b"><v>-7.0<", b"><v>-8e+307<"))
    report = sheetcnn.check(target)
    assert {finding.kind for finding in report.findings} == {"saved"}
    layers = {layer["layer"]: layer for layer in json.loads(json.dumps(report.to_dict(), allow_nan=False))["layers"]}
    assert layers["conv"]["largest_saved_difference"] == sys.float_info.max


@pytest.mark.parametrize("name", ["input_channel_2", "conv_kernel_1_1", "conv_kernel_1_2", "conv_bias_1", "fc_bias"])
@pytest.mark.parametrize("value", [1.7e308, -1.7e308])
def test_numbers_as_large_as_a_cell_can_hold(book: Path, name: str, value: float) -> None:
    """Sums overflow on the way, in formulas as in NumPy, which is no reason to warn or to write infinity as JSON."""
    edit(book, name, value)
    json.dumps(sheetcnn.check(book).to_dict(), allow_nan=False)


def test_no_number_agrees_with_infinity(make: Callable[..., Path]) -> None:
    """Where NumPy overflows and the formula does not: it adds the bias first, and NumPy last."""
    book = make(ONE.format(channels=2, weight=[[[[1]], [[1]]]]), [[[1]], [[1]]])
    for name, value in (("conv_kernel_1_1", 1.7e308), ("conv_kernel_1_2", 1.7e308), ("conv_bias_1", -1.7e308)):
        edit(book, name, value)
    report = sheetcnn.check(book)
    found = [f for f in report.findings if f.layer == "conv"]
    assert [(f.kind, f.cell, f.value, f.expected) for f in found] == [
        ("value", cell_of(book, "conv_map_1", 0, 0), 1.7e308, None)
    ]
    assert "NumPy says inf" in found[0].text
    json.dumps(report.to_dict(), allow_nan=False)


def test_report_as_json(book: Path) -> None:
    edit(book, "conv_map_1", "=1/0")
    report = sheetcnn.check(book)
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["ok"] is False
    assert data["findings"][0]["kind"] == "changed"
    assert data["layers"][1]["layer"] == "conv"
