"""What people do to a workbook without harm to its numbers: no finding, and a note where something was left out.

Beside each innocent thing stands one that is not: it must be found, in words that say what happened.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table
from rearrange import changed, cut_and_paste, delete

import sheetcnn
from sheetcnn.cli import main
from sheetcnn.errors import WorkbookError

Make = Callable[..., Path]
Office = Callable[..., Any]

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
[[layers]]
type = "softmax"
name = "answer"
"""
PIXELS = np.random.default_rng(5).integers(0, 9, (2, 6, 7))
GALLERY, INSPECTOR = "not checked: Gallery, since it is gone", "not checked: Inspector, since it is gone"
CHECK, OVERVIEW = "not checked: Check, since it is gone", "not checked: Overview, since it is gone"
MOVED = "were moved, or rows or columns inserted between them, and it looks where they were"
OF_CONV = f"not checked: Inspector, since grids of conv {MOVED}"
OF_BOTH = f"not checked: Inspector, since grids of conv and pool {MOVED}"
BAR = "not checked: scale bars {}, since their grids were moved, and they look where these were"
MISSING = "is missing; was its sheet or its grid deleted?"


@pytest.fixture
def book(make: Make) -> Path:
    return make(NETWORK, PIXELS, mirrors=False, detail="compact")  # so that a cell's formula reads another sheet


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A workbook with two pictures to choose from."""
    for name in ("one", "two"):
        np.save(tmp_path / f"{name}.npy", PIXELS + (name == "two"))
    (tmp_path / "net.toml").write_text(NETWORK, encoding="utf-8")
    return sheetcnn.build(
        tmp_path / "net.toml", [tmp_path / "one.npy", tmp_path / "two.npy"], tmp_path / "p.xlsx", mirrors=False
    ).path


def cells_of(opened: openpyxl.Workbook, name: str) -> list[Any]:
    """The cells of a named grid, row by row."""
    sheet, area = next(iter(opened.defined_names[name].destinations))
    found = opened[sheet][area.replace("$", "")]
    return [cell for line in found for cell in line] if isinstance(found, tuple) else [found]


def notes(report: sheetcnn.Report) -> list[str]:
    """All but those on saved values, which openpyxl drops, and on who evaluated what."""
    others = "have no saved value", "that no grid reads", "own evaluator cannot"
    return [note for note in report.notes if not any(words in note for words in others)]


def found(report: sheetcnn.Report) -> list[tuple[str, str, str]]:
    return [(finding.layer, finding.kind, finding.cell) for finding in report.findings]


def innocent(book: Path, *expected: str) -> sheetcnn.Report:
    """There is no finding, and these are the notes."""
    report = sheetcnn.check(book)
    assert not report.findings, report.findings[:3]
    assert notes(report) == list(expected)
    assert report.ok
    return report


# -- cut and pasted --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sheet", ["conv", "mine", "fc"])
@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("conv_kernel_1_1", OF_CONV),
        ("conv_kernel_3_2", OF_CONV),
        ("conv_map_2", OF_BOTH),
        ("conv_bias_3", OF_CONV),
        ("pool_map_1", f"not checked: Inspector, since grids of pool and flat {MOVED}"),
        ("input_channel_1", None),
        ("input_scale", None),
        ("fc_weight", None),
        ("fc_out", None),
        ("conv_choice_1", None),
        ("conv_state_1", None),
        ("conv_built_2_1", None),
        ("conv_chosen_1", None),
        ("gallery_conv_1", None),
        ("check_sum", None),
    ],
)
def test_a_grid_is_cut_and_pasted(book: Path, name: str, note: str | None, sheet: str) -> None:
    if name == "conv_choice_1":  # only its first cell holds something
        with changed(book) as opened:
            for area in [str(area) for area in opened["conv"].merged_cells.ranges]:
                opened["conv"].unmerge_cells(area)
    cut_and_paste(book, name, sheet, 60, 50)
    bars = [BAR.format(f"{name[:4]}_map_scale")] if "_map_" in name else []
    report = innocent(book, *bars, *([note] if note else []))
    assert report.cells == sheetcnn.check(book).cells
    assert {"input", "conv", "pool", "flat", "fc", "answer", "gallery", "check", "overview"} <= {
        layer.layer for layer in report.layers
    }


@pytest.mark.parametrize(
    ("name", "column", "row", "note"), [("conv_map_2", 2, 17, OF_BOTH), ("conv_kernel_2_1", 14, 17, OF_CONV)]
)
def test_a_grid_is_moved_to_the_same_cells_of_another_sheet(book: Path, name: str, column: int, row: int, note: str) -> None:
    cut_and_paste(book, name, "mine", column, row)
    innocent(book, *([BAR.format("conv_map_scale")] if "_map_" in name else []), note)


@pytest.mark.parametrize("sheet", ["conv", "mine"])
@pytest.mark.parametrize(
    ("names", "columns"),
    [
        ([f"conv_kernel_{k}_{c}" for k in (1, 2, 3) for c in (1, 2)], 40),
        ([f"conv_bias_{k}" for k in (1, 2, 3)], 60),
        ([f"conv_map_{k}" for k in (1, 2, 3)], 70),
    ],
)
def test_all_grids_of_a_kind_are_moved_one_by_one(book: Path, names: list[str], columns: int, sheet: str) -> None:
    """They stand as far apart as before, so the inspector's table is right, but the area around them did not follow."""
    with changed(book) as opened:
        places = {name: next(iter(opened.defined_names[name].destinations))[1].split(":")[0] for name in names}
    for name, corner in places.items():
        column, row = openpyxl.utils.cell.coordinate_from_string(corner.replace("$", ""))
        cut_and_paste(book, name, sheet, openpyxl.utils.column_index_from_string(column) + columns, row)
    bars = [BAR.format("conv_map_scale")] if columns == 70 else []
    innocent(book, *bars, f"not checked: Inspector, since grids {MOVED}")


def test_a_mistake_is_found_wherever_the_kernels_stand(book: Path) -> None:
    cut_and_paste(book, "conv_kernel_1_1", "mine", 3, 3)
    with changed(book) as opened:
        opened["conv"]["C10"] = opened["conv"]["C10"].value.replace("'mine'!$C$3:$E$5", "'mine'!$C$4:$E$6")
        opened["pool"]["B9"] = 1.5
    report = sheetcnn.check(book)
    assert found(report)[0] == ("conv", "changed", "conv!C10")
    assert ("pool", "overwritten", "pool!B9") in found(report)


def test_maps_moved_without_their_padding_are_no_longer_read_whole(book: Path) -> None:
    """Windows that reach into the padding stay where they were: the numbers change, and each formula is named."""
    cut_and_paste(book, "input_normalized_1", "Input", 60, 50)
    report = sheetcnn.check(book)
    border = [(row, column) for row in range(9, 15) for column in range(2, 9) if row in (9, 14) or column in (2, 8)]
    cells = {f"conv!{openpyxl.utils.get_column_letter(column)}{row + 8 * k}" for k in range(3) for row, column in border}
    assert {cell for layer, kind, cell in found(report) if (layer, kind) == ("conv", "changed")} == cells


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
"""


@pytest.mark.parametrize(
    ("name", "row", "note"),
    [
        ("conv_kernel_2_7", 50, "conv_kernel_2_7 does not stand at the height of its channel"),
        ("input_channel_3", 50, "conv_kernel_1_3 does not stand at the height of its channel"),
        ("input_channel_3", 23, "channel 3 of input does not stand in line with the others"),
    ],
)
def test_what_one_sumproduct_spans_must_stay_together(make: Make, name: str, row: int, note: str) -> None:
    """In a wide layer a kernel or a channel that is moved alone is not read any more."""
    book = make(WIDE, np.random.default_rng(1).integers(0, 9, (20, 5, 5)))
    cut_and_paste(book, name, name.split("_")[0].replace("input", "Input"), 60, row)
    report = sheetcnn.check(book)
    assert not report.ok
    assert f"{note}, and one SUMPRODUCT of conv spans them all: move it back" in notes(report)
    assert {finding.kind for finding in report.findings if finding.layer == "conv"} == {"value"}


@pytest.mark.parametrize("names", [{"conv": "x", "pool": "conv", "x": "pool"}, {"Gallery": "x", "conv": "Gallery"}])
def test_sheets_that_take_each_others_names(book: Path, tmp_path: Path, names: dict[str, str]) -> None:
    """As a program renames them: in formulas, names and the list of sheets."""
    target = tmp_path / "renamed.xlsx"
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            data = old.read(part)
            if part.startswith(("xl/workbook", "xl/worksheets/sheet")):
                text = data.decode()
                for one, other in names.items():
                    text = re.sub(rf"\b{one}!", f"{other}!", text).replace(
                        f'name="{one}" sheetId', f'name="{other}" sheetId'
                    )
                data = text.encode()
            new.writestr(part, data)
    assert openpyxl.load_workbook(target).sheetnames != openpyxl.load_workbook(book).sheetnames
    innocent(target)
    with changed(target) as opened:
        sheet, area = next(iter(opened.defined_names["pool_map_1"].destinations))
        opened[sheet][area.split(":")[0].replace("$", "")] = f"=MAX('{sheet}'!B9:C10)"
    assert not sheetcnn.check(target).ok


@pytest.mark.libreoffice
@pytest.mark.parametrize(
    ("rows", "note"),
    [
        (["conv", 15, 2], OF_BOTH),  # between two maps of three
        (["Input", 17, 2], OF_CONV),  # between two channels of two, which stay regular
        (["Inspector", 10, 1], "not checked: Inspector, since inspector_shot has 31×16 cells, the network needs 30×16"),
        (["Check", 8, 1], "not checked: Check, since check_sum_built has 10×1 cells, the network needs 9×1"),
        (["Gallery", 7, 1], "not checked: thumbnails of input, pool, flat, fc, answer, since gallery_input_"),
    ],
)
def test_inserted_rows(book: Path, office: Office, tmp_path: Path, rows: list[Any], note: str) -> None:
    saved = tmp_path / "saved.xlsx"
    office([{"book": str(book), "insert_rows": [rows], "save": str(saved)}])
    report = sheetcnn.check(saved)
    assert not report.findings, report.findings[:3]
    assert [text[: len(note)] for text in report.notes] == [note]


# -- gone ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        (["Gallery"], [GALLERY]),
        (["Inspector"], [INSPECTOR]),
        (["_inspector"], ["not checked: Inspector, since _inspector is gone"]),
        (["Inspector", "_inspector"], [INSPECTOR]),
        (["Check"], [CHECK]),
        (["Overview"], [OVERVIEW]),
        (["Overview", "Check"], [CHECK, OVERVIEW]),
        (["Overview", "Gallery", "Inspector", "_inspector", "Check"], [GALLERY, INSPECTOR, CHECK, OVERVIEW]),
    ],
)
def test_added_sheets_are_deleted(book: Path, sheets: list[str], expected: list[str]) -> None:
    delete(book, *sheets)
    report = innocent(book, *expected)
    assert [layer.layer for layer in report.layers][:6] == ["input", "conv", "pool", "flat", "fc", "answer"]
    assert ("overview" in [layer.layer for layer in report.layers]) == ("Overview" not in sheets)
    with changed(book) as opened:
        opened["conv"]["C10"] = 1.5
    assert found(sheetcnn.check(book))[0] == ("conv", "overwritten", "conv!C10")


def test_the_answer_is_checked_without_the_check_sheet(book: Path) -> None:
    delete(book, "Check")
    with changed(book) as opened:
        sheet, area = next(iter(opened.defined_names["overview_answer"].destinations))
        opened[sheet][area.replace("$", "")] = "nonsense"
    assert ("overview", "overwritten", f"{sheet}!{area.replace('$', '')}") in found(sheetcnn.check(book))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gallery_conv_1", f"thumbnails of conv, since the defined name gallery_conv_1 {MISSING}"),
        ("inspector_table", f"Inspector, since the defined name inspector_table {MISSING}"),
        ("conv_inspected", f"Inspector, since the defined name conv_inspected {MISSING}"),
        ("check_sum", f"Check, since the defined name check_sum {MISSING}"),
        ("overview_state", f"the state on Overview, since the defined name overview_state {MISSING}"),
        ("overview_bar", f"the answer on Overview, since the defined name overview_bar {MISSING}"),
        ("conv_choice_2", f"the lists of kernels of conv, since the defined name conv_choice_2 {MISSING}"),
        ("conv_state_1", f"the lists of kernels of conv, since the defined name conv_state_1 {MISSING}"),
        ("conv_built_3_2", f"the lists of kernels of conv, since the defined name conv_built_3_2 {MISSING}"),
        ("kernel_names", f"the lists of kernels of conv, since the defined name kernel_names {MISSING}"),
    ],
)
@pytest.mark.parametrize("left", [None, "#REF!", "#REF!$A$1:$B$2", "Check!#REF!"])
def test_single_names_are_deleted(book: Path, name: str, expected: str, left: str | None) -> None:
    with changed(book) as opened:
        if left is None:
            del opened.defined_names[name]
        else:
            opened.defined_names[name].attr_text = left
    innocent(book, f"not checked: {expected}")


def test_the_names_of_the_answers_are_deleted(book: Path) -> None:
    """Both answers read them."""
    with changed(book) as opened:
        del opened.defined_names["answer_names"]
    said = [
        f"not checked: the answer on {sheet}, since the defined name answer_names {MISSING}"
        for sheet in ("Overview", "Input")
    ]
    innocent(book, *said)


def test_the_number_of_the_picture_loses_its_name(pictures: Path) -> None:
    with changed(pictures) as opened:
        del opened.defined_names["input_picture_number"]
    innocent(pictures, f"not checked: the list of pictures, since the defined name input_picture_number {MISSING}")


def test_the_banks_are_deleted(pictures: Path) -> None:
    """Innocent after numbers were typed over all pixels; kernels as built stand on the layer's own sheet."""
    with changed(pictures) as opened:
        for line in (*opened["Input"]["C10:I15"], *opened["Input"]["C20:I25"]):
            for cell in line:
                cell.value = 1
    delete(pictures, "_kernels", "_pictures")
    gone = ("the list of pictures, since _pictures is gone", "the lists of kernels of conv, since _kernels is gone")
    innocent(pictures, *(f"not checked: {each}" for each in gone))


GONE = "is missing, with all other names of {}: its sheet was deleted; take it back, or build the workbook anew"


@pytest.mark.parametrize(
    ("sheet", "name", "readers", "left"),
    [
        ("conv", "conv_kernel_1_1", "pool and flat and fc and answer", ["input", "conv", "gallery"]),
        ("pool", "pool_map_1", "flat and fc and answer", ["input", "conv", "pool", "gallery"]),
        ("fc", "fc_weight", "answer", ["input", "conv", "pool", "flat", "fc", "gallery"]),
        ("answer", "answer_exp", None, ["input", "conv", "pool", "flat", "fc", "answer", "gallery"]),
    ],
)
def test_the_sheet_of_a_layer_is_deleted(book: Path, sheet: str, name: str, readers: str | None, left: list[str]) -> None:
    delete(book, sheet)
    report = sheetcnn.check(book)
    assert [(f.layer, f.kind, f.cell, f.text) for f in report.findings] == [(sheet, "missing", name, GONE.format(sheet))]
    assert notes(report) == [
        *([f"{readers} could not be checked, since {sheet} is gone"] if readers else []),
        f"not checked: Inspector, Check and Overview, since they tell of {sheet}, too",
    ]
    assert [layer.layer for layer in report.layers if layer.layer not in ("other sheets", "scale bars")] == left
    with changed(book) as opened:
        opened["Input"]["P10"] = 1
    assert ("input", "overwritten", "Input!P10") in found(sheetcnn.check(book))


def test_the_pixels_are_gone(book: Path) -> None:
    delete(book, "Input")
    with pytest.raises(WorkbookError, match="the pixels are gone: the defined name input_channel_1 and all others"):
        sheetcnn.check(book)


def test_export_needs_what_it_writes(book: Path, tmp_path: Path) -> None:
    delete(book, "pool", "Gallery", "Check")
    [path] = sheetcnn.export(book, tmp_path / "w.npz")
    assert sorted(np.load(path)) == ["conv.bias", "conv.weight", "fc.bias", "fc.weight"]
    delete(book, "fc")
    with pytest.raises(WorkbookError, match="the weights of fc are gone: the defined name fc_weight is missing"):
        sheetcnn.export(book, tmp_path / "w.npz")


def test_the_description_may_have_another_name_but_must_be_there(book: Path) -> None:
    with changed(book) as opened:
        opened["_sheetcnn"].title = "daten"
    innocent(book)
    delete(book, "daten")
    with pytest.raises(WorkbookError, match="or its hidden sheet _sheetcnn was deleted"):
        sheetcnn.check(book)


# -- cleared, typed, chosen --------------------------------------------------------------------------------------------
@pytest.mark.libreoffice
@pytest.mark.parametrize("cells", ["conv!N9:P11", "conv!O10:O10", "conv!K9:K9", "Input!C10:I15", "fc!I12:L15"])
def test_cleared_in_libreoffice(book: Path, office: Office, tmp_path: Path, cells: str) -> None:
    """There a formula that points at a blank cell equals ""; the inspector's products are blank then, and 0 in Excel."""
    sheet, area = cells.split("!")
    edits = [[sheet, cell.coordinate, None] for line in openpyxl.Workbook().active[area] for cell in line]
    saved = tmp_path / "saved.xlsx"
    office([{"book": str(book), "edits": edits, "save": str(saved)}])
    innocent(saved)
    assert sheetcnn.check(saved, engine="libreoffice").ok
    cut_and_paste(book, "conv_kernel_3_2", "mine", 3, 3)  # the inspector is left out, with what was saved for it
    office([{"book": str(book), "edits": edits, "save": str(saved)}])
    innocent(saved, OF_CONV)


@pytest.mark.parametrize("value", [None, 3, "blurr"])
def test_a_choice_of_no_kernel(book: Path, value: Any) -> None:
    """One finding, not one for each cell that follows; none where the kernel does not follow its list."""
    with changed(book) as opened:
        choice = cells_of(opened, "conv_choice_1")[0]
        choice.value = value
    report = sheetcnn.check(book)
    assert found(report) == [("conv", "input", f"conv!{choice.coordinate}")]
    assert "which is no kernel; choose one of the list" in report.findings[0].text
    assert not report.ok
    assert next(layer for layer in report.layers if layer.layer == "pool").follow > 0
    with changed(book) as opened:
        for c in (1, 2):
            for cell in cells_of(opened, f"conv_kernel_1_{c}"):
                cell.value = 1
    innocent(book)


@pytest.mark.parametrize("value", [None, "three", 0, 3, 1.5])
def test_a_choice_of_no_picture(pictures: Path, value: Any) -> None:
    with changed(pictures) as opened:
        opened["Input"]["E5"] = value
    report = sheetcnn.check(pictures)
    assert found(report) == [("input", "input", "Input!E5")]
    assert report.findings[0].text.endswith("which is none of the pictures; choose one of the list, or type its number")
    with changed(pictures) as opened:
        opened["Input"]["E5"] = "two.npy"
    if value is not None:
        with changed(pictures) as opened:
            opened["Input"]["E5"] = opened["_pictures"]["A3"].value
        innocent(pictures)


def test_errors_follow_from_what_is_typed(book: Path) -> None:
    """A space in a pixel makes errors of all that reads it; only wrong formulas are named beside it."""
    with changed(book) as opened:
        opened["Input"]["C10"] = " "
        opened["conv"]["B9"] = "=1/0"
    report = sheetcnn.check(book)
    assert found(report) == [("input", "input", "Input!C10"), ("conv", "changed", "conv!B9")]


def test_errors_follow_from_nothing_else(book: Path) -> None:
    with changed(book) as opened:
        opened["conv"]["B9"] = "=1/0"
    report = sheetcnn.check(book)
    assert found(report)[:2] == [("conv", "changed", "conv!B9"), ("pool", "value", "pool!B9")]
    assert not any(layer.follow for layer in report.layers)


def test_a_blank_scale(book: Path) -> None:
    with changed(book) as opened:
        opened["Input"]["L10"] = None
    report = sheetcnn.check(book)
    assert found(report) == [("input", "input", "Input!L10")]
    assert report.findings[0].text == "holds nothing, and pixels are divided by it; type another number"


# -- notes beside grids ----------------------------------------------------------------------------------------------
COLOURS = "conv!C15 holds {}, which conv!Y6 takes for a cell of conv when it colours the maps; move it"


@pytest.mark.parametrize(("value", "held"), [(3, "3"), ("=1+1", "2"), ("=1/0", "'#DIV/0!'"), ("=SUM(B9:H14)*0", "0")])
def test_a_number_below_a_map_is_read_by_its_colours(book: Path, value: Any, held: str) -> None:
    with changed(book) as opened:
        opened["conv"]["C15"] = value
    innocent(book, COLOURS.format(held))


def test_several_numbers_have_one_note(book: Path) -> None:
    with changed(book) as opened:
        for cell in ("C15", "D15", "C23"):
            opened["conv"][cell] = 3
    innocent(book, COLOURS.format(3) + "; 2 more numbers are read so")


def test_what_nothing_reads_needs_no_note(book: Path) -> None:
    with changed(book) as opened:
        sheet = opened["conv"]
        sheet["C15"], sheet["D15"], sheet["E15"] = "a note", True, '="another"'
        opened["Input"]["Z60"] = 5
        sheet["BA20"], sheet["BB20"], sheet["N9"] = 3, "=BA20*2", "=BB20"  # a number of one's own, and who reads it
    innocent(book)


def test_padding_is_another_matter(book: Path) -> None:
    with changed(book) as opened:
        opened["Input"]["N12"] = 3
    report = sheetcnn.check(book)
    assert found(report)[0] == ("input", "stray", "Input!N12")
    assert report.findings[0].text == "holds 3 where padding or the gaps of a kernel must be blank; clear it"
    assert not notes(report)


# -- other things in the workbook ------------------------------------------------------------------------------------
def _chart(book: openpyxl.Workbook) -> None:
    chart = BarChart()
    chart.add_data(Reference(book["conv"], min_col=2, max_col=8, min_row=9, max_row=14))
    book["conv"].add_chart(chart, "BA3")
    book.create_chartsheet("Diagramm", 0).add_chart(BarChart())


def _table(book: openpyxl.Workbook) -> None:
    sheet = book.create_sheet("T", 0)
    sheet.append(["a", "b"])
    sheet.append([1, 2])
    sheet.add_table(Table(displayName="Tab", ref="A1:B2"))


def _dressing(book: openpyxl.Workbook) -> None:
    sheet = book["conv"]
    sheet["B9"].comment = Comment("look", "me")
    sheet.merge_cells("BA3:BC5")
    sheet.print_area = "A1:Z40"
    sheet.protection.sheet = True
    sheet.row_dimensions[9].hidden = sheet.column_dimensions["B"].hidden = True
    book["Check"].auto_filter.ref = "B6:H15"
    book["conv"].sheet_state, book["_kernels"].sheet_state = "hidden", "visible"
    book.move_sheet("conv", -3)


def _other_names(book: openpyxl.Workbook) -> None:
    """Names in other case, as programs take them for the same; and a sheet's own name, which is another."""
    for name in list(book.defined_names):
        text = book.defined_names.pop(name).attr_text
        book.defined_names[name.upper()] = DefinedName(name.upper(), attr_text=text)
    book["conv"].defined_names["conv_map_1"] = DefinedName("conv_map_1", attr_text="conv!$A$1:$B$2")


def _second(book: openpyxl.Workbook) -> None:
    """Copies of sheets, also of the hidden one."""
    for name in ("conv", "Inspector", "_sheetcnn"):
        book.copy_worksheet(book[name]).title = f"{name} (2)"


@pytest.mark.parametrize("edit", [_chart, _table, _dressing, _other_names, _second])
@pytest.mark.parametrize("ending", [".xlsx", ".xlsm"])
def test_things_that_do_not_matter(book: Path, tmp_path: Path, edit: Callable[[Any], None], ending: str) -> None:
    opened = openpyxl.load_workbook(book)
    edit(opened)
    opened.save(tmp_path / f"other{ending}")
    innocent(tmp_path / f"other{ending}")


def test_the_command_prints_notes(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    delete(book, "Gallery", "pool")
    with pytest.raises(SystemExit) as end:
        main(["check", str(book)])
    printed = capsys.readouterr().out
    assert end.value.code == 1
    assert f"note: {GALLERY}\n" in printed
    assert "pool_map_1  is missing, with all other names of pool" in printed
    assert re.search(r"^pool +max_pool2d .* gone *$", printed, re.M)
