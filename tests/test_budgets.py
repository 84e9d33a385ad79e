"""What a workbook may ask for: work and memory are bounded, and what is honest is computed all the same."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import openpyxl
import pytest
from conftest import Make
from onnx import helper
from openpyxl import Workbook

import sheetcnn
from sheetcnn.checking.contents import read_contents
from sheetcnn.errors import LimitError, NetworkError, WorkbookError
from sheetcnn.formula import Book, evaluate, group_formulas, read_book
from sheetcnn.formula.evaluate import Evaluator
from sheetcnn.layers.avg_pool2d import AvgPool2d
from sheetcnn.layers.conv2d import Conv2d
from sheetcnn.layers.conv3d import Conv3d
from sheetcnn.layers.max_pool2d import MaxPool2d
from sheetcnn.onnx.counting import GRAPH_NODE, MODEL_GRAPH, _count, too_many_parts

HEAD = 'name = "n"\n[input]\nchannels = 1\nheight = 4\nwidth = 4\n'


def read(tmp_path: Path, cells: dict[str, Any]) -> Book:
    book = Workbook()
    for cell, value in cells.items():
        book.active[cell] = value
    book.save(tmp_path / "book.xlsx")
    return read_book(tmp_path / "book.xlsx")


def evaluated(tmp_path: Path, cells: dict[str, Any]) -> Book:
    book = read(tmp_path, cells)
    evaluate(book, group_formulas(book))
    return book


def test_a_chain_of_formulas_of_different_kinds(tmp_path: Path) -> None:
    """Each waits for the next one: they are taken in the order in which they are ready, not tried again and again."""
    count = 400
    book = read(tmp_path, {f"A{n}": f"=A{n + 1}+{n}.5" for n in range(1, count)} | {f"A{count}": 1})
    with patch.object(Evaluator, "waits_for", autospec=True, side_effect=Evaluator.waits_for) as tried:
        evaluate(book, group_formulas(book))
    assert book.sheets["Sheet"].value(1, 1) == 1 + sum(n + 0.5 for n in range(1, count))
    assert tried.call_count <= 2 * count


def test_formulas_that_wait_for_very_much_are_given_up(tmp_path: Path) -> None:
    with patch("sheetcnn.formula.evaluate._LOOKED", 5):
        book = evaluated(tmp_path, {f"A{n}": f"=A{n + 1}+{n}.5" for n in range(1, 20)} | {"A20": 1})
    assert "gives up" in book.problems["Sheet", 1, 1]


def test_whole_sheets_cost_what_is_on_them(tmp_path: Path) -> None:
    """References reach to the ends of the sheet; what counts numbers only looks at the used part."""
    cells = {
        "A1": 1,
        "B2": 2,
        "C3": 4,
        "E1": "=SUM(A1:C1048576)",
        "E2": "=MAX(A1:C1048576,F1:XFD1048576)",
        "E3": "=SUM(F9:XFD1048576)",
    }
    cells |= {"E4": "=AVERAGE(A1:C1048576)", "E5": "=LARGE(A1:C1048576,2)"}
    sheet = evaluated(tmp_path, cells).sheets["Sheet"]
    assert [sheet.value(n, 5) for n in range(1, 6)] == [7, 4, 0, 7 / 3, 2]


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("=SUMPRODUCT(C1:Z1048576,C1:Z1048576)", "reads 25,165,824 cells at once"),
        ("=SUMPRODUCT(C1:Z1048576*2)", "reads 25,165,824 cells at once"),
    ],
)
def test_what_reads_too_much_at_once(formula: str, why: str, tmp_path: Path) -> None:
    assert evaluated(tmp_path, {"A1": formula}).problems == {("Sheet", 1, 1): why}


def test_index_reads_one_cell_of_any_range(tmp_path: Path) -> None:
    cells = {
        "A1": "=INDEX(C1:Z1048576,2,3)",
        "A2": "=INDEX(C1:Z1048576,1048576,24)",
        "A3": '=INDEX(C1:C9,3)&"!"',
        "C3": "c",
        "E2": 7,
    }
    sheet = evaluated(tmp_path, cells).sheets["Sheet"]
    assert [sheet.value(n, 1) for n in (1, 2, 3)] == [7, 0, "c!"]


def test_formulas_between_the_cells_that_others_read_do_not_wait(tmp_path: Path) -> None:
    """C1 and C3 are read, and between them stands what reads the result: nothing is evaluated cell by cell."""
    cells: dict[str, Any] = {"C1": 1, "C2": "=SUM(A1:A2)*2", "C3": 3, "A1": "=C1+1", "A2": "=C3+1"}
    with patch.object(Evaluator, "evaluated_some", autospec=True, return_value=False) as some:
        sheet = evaluated(tmp_path, cells).sheets["Sheet"]
    assert [sheet.value(1, 1), sheet.value(2, 1), sheet.value(2, 3)] == [2, 4, 12]
    assert not some.called


def test_what_reads_too_much_in_all(tmp_path: Path) -> None:
    cells = {f"A{n}": n for n in range(1, 101)} | {f"C{n}": f"=SUM($A$1:$A$100)+{n}" for n in range(1, 11)}
    with patch("sheetcnn.formula.evaluate._READ", 500), patch("sheetcnn.formula.evaluate._READ_EACH", 50):
        book = evaluated(tmp_path, cells)
    sheet = book.sheets["Sheet"]
    values = [sheet.value(n, 3) for n in range(1, 11)]
    assert values == [5050 + n for n in range(1, 6)] + ["#VALUE!"] * 5
    assert len(book.problems) == 5
    assert "more than 500 cells" in book.problems["Sheet", 6, 3]


def test_texts_that_are_repeated_very_often(tmp_path: Path) -> None:
    cells: dict[str, Any] = {f"A{n}": f'=REPT("abcdefghij",B{n})' for n in range(1, 400)}
    cells |= {f"B{n}": 3000 for n in range(1, 400)}
    book = evaluated(tmp_path, cells)
    assert len(book.problems) == 399
    assert "letters" in book.problems["Sheet", 1, 1]
    assert evaluated(tmp_path, {"A1": '=REPT("ab",3)'}).sheets["Sheet"].value(1, 1) == "ababab"
    joined = {f"C{n}": f"=A{n}&B{n}" for n in range(1, 400)} | {f"A{n}": "x" * 30_000 for n in range(1, 400)}
    book = evaluated(tmp_path, joined)
    assert len(book.problems) == 399
    assert "letters" in book.problems["Sheet", 1, 3]


@pytest.mark.parametrize("cell", ["A1048576", "J1048576", "XFD1048576"])
@pytest.mark.parametrize("value", [1, "text", "=A1+1", "=NOSUCH(1)"])
def test_a_single_cell_far_off(cell: str, value: Any, tmp_path: Path) -> None:
    """Everything between would take memory: it is left out, and whoever reads it is told so."""
    cells: dict[str, Any] = {f"{column}{row}": row for column in "ABCDEFGHIJ" for row in range(1, 40)}
    book = read(tmp_path, cells | {cell: value})
    sheet = book.sheets["Sheet"]
    assert sheet.kind.shape == (41, 12)
    assert sheet.formulas.count == 0
    assert sheet.value(39, 10) == 39
    assert book.notes == [f"Sheet!{cell} stands far from all other cells, and was left out"]
    row, column = 1_048_576, {"A": 1, "J": 10, "X": 16_384}[cell[0]]
    book.refuse_far("Sheet", 1, 1, row - 1, 16_384)
    with pytest.raises(WorkbookError, match=f"Sheet: its cells are scattered; clear the rows and .* where {cell} is"):
        book.refuse_far("Sheet", row, column, row, column)
    assert read(tmp_path, cells | {"A90000": 1}).notes == []  # not so far


def test_cells_far_off_in_several_places(tmp_path: Path) -> None:
    cells: dict[str, Any] = {f"{column}{row}": row for column in "ABCDEFGHIJ" for row in range(1, 40)} | {"L3": "=A1"}
    book = read(tmp_path, cells | {"B400000": 1, "C800000": "=A1", "J1048576": 1})
    assert book.notes == ["3 cells stand far from all others, Sheet!B400000 among them, and were left out"]
    assert book.sheets["Sheet"].formulas.count == 1
    many: dict[str, Any] = {f"J{n * n}": 1 for n in range(7, 1001)}
    with pytest.raises(
        WorkbookError, match=r"scattered over [\d,]+ places; clear the rows and columns .* where J1000000 is"
    ):
        read(tmp_path, cells | many)


@pytest.mark.parametrize("formula", ["=SUM(net!A:A)", "=net!A1048576", "=SUM(net!A1:B1048576)", "=Overview!A1000"])
def test_a_cell_far_off_that_a_grid_reads(formula: str, make: Make) -> None:
    """Nobody may take it for a blank one, neither directly nor by way of another formula."""
    path = make(f"{HEAD}[[layers]]\ntype = 'relu'\nname = 'net'\n", np.ones((4, 4)), gallery=False, inspector=False)
    book = openpyxl.load_workbook(path)
    book["net"]["A1048576"] = 5
    book["Overview"]["A900"] = "=1+1"
    book.save(path)
    assert sheetcnn.check(path).ok
    book = openpyxl.load_workbook(path)
    first = book.defined_names["input_channel_1"].attr_text.rpartition("!")[2].partition(":")[0].replace("$", "")
    book["Overview"]["A1000"] = "=net!A1048576"
    book["Input"][first] = formula
    book.save(path)
    for read_it in (sheetcnn.check, read_contents):
        with pytest.raises(WorkbookError, match=r"net: its cells are scattered; clear the rows .* where A1048576 is"):
            read_it(path)


def test_shared_formulas_are_not_written_out_for_ever(tmp_path: Path) -> None:
    from test_reader import sheet

    rows = '<row r="1"><c r="A1"><f t="shared" si="0" ref="A1:C1">SUM(B9:C9)+1</f></c>'
    rows += '<c r="B1"><f t="shared" si="0"/></c><c r="C1"><f t="shared" si="0"/></c></row>'
    assert sheet(tmp_path, rows).formula(1, 3) == "SUM(D9:E9)+1"
    with (
        patch("sheetcnn.formula.sheet_reader.MAX_SHARED", 20),
        pytest.raises(WorkbookError, match="shared formulas have more than 20 letters"),
    ):
        sheet(tmp_path, rows)


def test_texts_in_pieces(tmp_path: Path) -> None:
    """Comments cut a cell's text and formula, which the parser then gives in pieces."""
    from test_reader import sheet

    cut = "<!-- -->"
    rows = f'<row r="1"><c r="A1"><f>1{cut}+{cut}1</f><v>1{cut}2</v></c><c r="B1" t="str"><v>a{cut}b{cut}c</v></c></row>'
    read = sheet(tmp_path, rows)
    assert (read.formula(1, 1), read.saved[1, 1], read.value(1, 2)) == ("1+1", 12, "abc")


@pytest.mark.parametrize("text", ['"\'" * 200_000', "\"'a''\" * 70_000", '"a\'" * 100_000', "\"''!\" * 70_000"])
def test_quotes_are_read_in_one_go(text: str) -> None:
    """A formula of apostrophes: were each of them tried as the beginning of a name, this would take an hour."""
    code = f"from sheetcnn.formula.parser import skeleton, words; from sheetcnn.formula.shared import moved; t = {text}; skeleton(t); words(t); moved(t, 1, 1)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize(
    ("layer", "read"),
    [
        ({"type": "conv2d", "out_channels": 1, "kernel_size": 1001, "padding": 500}, 1000**2 * 1001**2),
        ({"type": "max_pool2d", "kernel_size": 500, "stride": 1}, 501**2 * 500**2),
        ({"type": "conv_transpose2d", "out_channels": 1, "kernel_size": 700}, 1000**2 * 700**2),
    ],
)
def test_kernels_that_nobody_would_wait_for(layer: dict[str, Any], read: int, tmp_path: Path) -> None:
    """Few cells, but each reads a million: refused before anything is computed."""
    network = {"name": "n", "input": {"channels": 1, "height": 1000, "width": 1000}, "layers": [{"name": "big", **layer}]}
    (tmp_path / "n.json").write_text(json.dumps(network), encoding="utf-8")
    np.save(tmp_path / "x.npy", np.zeros((1, 1000, 1000)))
    with pytest.raises(
        LimitError, match=rf"n\.json: its cells would read {read:,} others, {read:,} of them in \"big\"; sheetcnn takes"
    ):
        sheetcnn.build(tmp_path / "n.json", tmp_path / "x.npy", tmp_path / "a.xlsx")
    assert not (tmp_path / "a.xlsx").exists()


def test_names_that_lead_to_the_same_cells(tmp_path: Path) -> None:
    """A description of many large layers costs nothing if all its names may lead to one grid."""
    layer = {"type": "conv2d", "out_channels": 4, "kernel_size": 1, "init": "ones"}
    network = {"name": "n", "input": {"channels": 4, "height": 60, "width": 60}, "layers": [layer] * 3}
    (tmp_path / "n.json").write_text(json.dumps(network), encoding="utf-8")
    np.save(tmp_path / "x.npy", np.zeros((4, 60, 60)))
    book = sheetcnn.build(tmp_path / "n.json", tmp_path / "x.npy", tmp_path / "a.xlsx", gallery=False, inspector=False).path
    assert sheetcnn.check(book).ok
    opened = openpyxl.load_workbook(book)
    for name in opened.defined_names.values():
        if name.name.startswith(("conv2d_1_map", "conv2d_2_map", "conv2d_3_map")):
            name.attr_text = opened.defined_names["input_channel_1"].attr_text
    for sheet in ("conv2d_1", "conv2d_2", "conv2d_3"):
        opened[sheet].delete_cols(1, 75)
        opened[sheet].delete_rows(5, 250)
    opened.save(book)
    with pytest.raises(WorkbookError, match=r"grids have [\d,]+ cells, .*names lead to the same cells"):
        sheetcnn.check(book)


def test_formulas_of_millions_of_letters(tmp_path: Path) -> None:
    """They are not even taken apart; a long one within the limit is computed."""
    book = evaluated(tmp_path, {"A1": "=" + "1+" * 15_000 + "1", "A2": "=" + "1+" * 17_000 + "1", "A3": "=A2+1"})
    sheet = book.sheets["Sheet"]
    assert [sheet.value(n, 1) for n in (1, 2, 3)] == [15_001, "#VALUE!", "#VALUE!"]
    assert book.problems == {("Sheet", 2, 1): "is longer than 32,000 characters"}


def test_onnx_models_of_millions_of_empty_nodes(tmp_path: Path) -> None:
    """Forty megabytes would become gigabytes of objects; they are counted before."""
    graph = b"\x0a\x00" * 600_000
    length = len(graph)
    varint = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14 & 127 | 128, length >> 21])
    (tmp_path / "m.onnx").write_bytes(b"\x08\x08\x3a" + varint + graph)
    assert len(onnx.load(tmp_path / "m.onnx").graph.node) == 600_000
    with pytest.raises(NetworkError, match=r"m\.onnx: has more than 500,000 parts"):
        sheetcnn.build(tmp_path / "m.onnx", "cross", tmp_path / "a.xlsx")


def test_parts_of_an_onnx_model_are_counted_as_onnx_does() -> None:
    node = helper.make_node("Relu", ["x"], ["y"], "a")  # input, output, name, operator
    value = helper.make_tensor_value_info("x", 1, [1, 1, 2, 2])
    graph = helper.make_graph([node] * 3, "g", [value], [])  # three nodes, a name, an input: 5, and 12 in the nodes
    model = helper.make_model(graph, ir_version=8, producer_name="p", opset_imports=[helper.make_opsetid("", 13)])
    assert _count(memoryview(model.SerializeToString()), (MODEL_GRAPH, GRAPH_NODE)) == 4 + 5 + 12
    assert not too_many_parts(b"\xff" * 100)  # damaged: whoever reads it says so


@pytest.mark.parametrize(
    ("layer", "channels", "side"),
    [
        (Conv2d(out_channels=1, kernel_size=101, padding=50), 1, 200),
        (Conv2d(out_channels=2, kernel_size=101, padding=50, groups=2), 2, 150),
        (Conv2d(out_channels=300, kernel_size=1, activation="relu", activation_scope="channel"), 300, 30),
        (Conv3d(out_channels=1, kernel_size=[9, 31, 31], padding=[4, 15, 15]), 10, 60),
        (MaxPool2d(kernel_size=151, stride=1), 1, 300),
        (AvgPool2d(kernel_size=151, stride=1), 1, 300),
    ],
)
def test_numpy_is_quick_and_small_with_large_windows(layer: Any, channels: int, side: int) -> None:
    """At `MAX_WORK` it takes some twenty seconds, and it never holds all windows at once."""
    shape = (channels, side, side)
    x = np.random.default_rng(0).normal(size=shape)
    parameters = {key: np.ones(size) for key, size in layer.all_parameters(*[shape]).items()}
    began = time.process_time()
    tracemalloc.start()
    layer.forward(x, **parameters)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    seconds = time.process_time() - began
    assert seconds < 1 + 3e-9 * layer.cells_read(shape), seconds
    assert most < 50_000_000 + 10 * x.nbytes


def test_what_is_too_large_for_other_engines(make: Make) -> None:
    """Nobody writes millions of cells anew for one formula that another engine may know; asked by name, it gets them."""
    path = make(f"{HEAD}[[layers]]\ntype = 'relu'\nname = 'net'\n", np.ones((4, 4)), gallery=False, inspector=False)
    book = openpyxl.load_workbook(path)
    first = book.defined_names["input_channel_1"].attr_text.rpartition("!")[2].partition(":")[0].replace("$", "")
    book["Input"][first] = "=BESSELJ(1,1)"
    book.save(path)
    assert any("formualizer" in note or "LibreOffice" in note for note in sheetcnn.check(path).notes)
    for name in ("MAX_CELLS", "MAX_LETTERS"):
        with patch(f"sheetcnn.formula.engines.written.{name}", 10):
            report = sheetcnn.check(path)
            assert not any("formualizer" in note or "LibreOffice" in note for note in report.notes)
            assert "cannot be evaluated" in report.findings[0].text


def test_export_computes_only_what_it_needs(make: Make) -> None:
    path = make(f"{HEAD}[[layers]]\ntype = 'conv2d'\nout_channels = 1\nkernel_size = 3\n", np.ones((4, 4)))
    with patch.object(Evaluator, "compute", autospec=True, side_effect=Evaluator.compute) as computed:
        assert read_contents(path).values["input.channel"].shape == (1, 4, 4)
    texts = [call.args[1].text for call in computed.call_args_list]
    assert texts  # a kernel's, which may be chosen from a list
    assert not any("SUMPRODUCT" in text for text in texts)
