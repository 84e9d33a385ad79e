"""The inspector takes one cell apart: by hand-worked numbers, for every kind of window, in our evaluator and in LibreOffice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.formula import read_book

SMALL = """
name = "n"
[input]
channels = 2
height = 3
width = 4
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 2
kernel_size = 2
padding = [1, 0, 0, 0]
activation = "relu"
weight = [[[[1, 2], [3, 4]], [[0, 1], [0, -1]]], [[[1, 0], [0, 0]], [[0, 0], [0, -5]]]]
bias = [10, 0.5]
[[layers]]
type = "max_pool2d"
name = "pool"
kernel_size = [1, 2]
[[layers]]
type = "avg_pool2d"
name = "mean"
kernel_size = 3
stride = 1
padding = 1
input = "conv"
"""
PIXELS = np.array([[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], [[4, 3, 2, 1], [1, 1, 1, 1], [2, 0, 2, 0]]])

# One layer of every kind with windows, and every setting that moves them.
ALL = """
name = "n"
[input]
channels = 4
height = 7
width = 8
mean = 0.1
[[layers]]
type = "conv2d"
name = "plain"
out_channels = 3
kernel_size = [3, 2]
stride = [1, 2]
padding = [1, 0, 2, 1]
activation = "leaky_relu"
[[layers]]
type = "conv2d"
name = "grouped"
input = "input"
out_channels = 4
kernel_size = 2
groups = 2
dilation = [1, 2]
activation = "gelu"
[[layers]]
type = "conv2d"
name = "depthwise"
input = "input"
out_channels = 8
kernel_size = 3
groups = 4
padding = "same"
bias = false
[[layers]]
type = "conv2d"
name = "shared"
input = "input"
out_channels = 2
kernel_size = 2
channel_mix = "shared"
[[layers]]
type = "conv2d"
name = "separate"
input = "input"
out_channels = 2
kernel_size = 2
channel_mix = "separate"
[[layers]]
type = "conv2d"
name = "averaged"
input = "input"
out_channels = 2
kernel_size = 2
channel_mix = "mean"
[[layers]]
type = "conv2d"
name = "early"
input = "input"
out_channels = 2
kernel_size = 2
activation = "relu"
activation_scope = "channel"
[[layers]]
type = "conv2d"
name = "outside"
input = "input"
out_channels = 2
kernel_size = 2
bias = [-1, 2]
activation = "relu"
activation_scope = "sum"
[[layers]]
type = "conv2d"
name = "learned"
input = "input"
out_channels = 2
kernel_size = 2
activation = "prelu"
[[layers]]
type = "conv2d"
name = "many"
input = "input"
out_channels = 20
kernel_size = 1
[[layers]]
type = "conv2d"
name = "wide"
out_channels = 3
kernel_size = 3
dilation = 2
stride = 2
padding = 2
[[layers]]
type = "conv2d"
name = "wide_groups"
input = "many"
out_channels = 3
kernel_size = 2
[[layers]]
type = "conv3d"
name = "deep"
input = "input"
out_channels = 2
kernel_size = [2, 3, 2]
stride = [2, 1, 1]
padding = [1, 1, 0]
activation = "tanh"
[[layers]]
type = "conv_transpose2d"
name = "up"
input = "input"
out_channels = 4
kernel_size = [3, 2]
stride = [2, 3]
padding = [1, 0]
output_padding = [1, 0]
groups = 2
[[layers]]
type = "conv_transpose2d"
name = "cropped"
input = "input"
out_channels = 1
kernel_size = 2
stride = 2
padding = 2
dilation = 2
[[layers]]
type = "max_pool2d"
name = "largest"
input = "input"
kernel_size = 3
stride = 2
padding = 1
dilation = 2
[[layers]]
type = "max_pool2d"
name = "rounded"
input = "input"
kernel_size = [3, 2]
ceil_mode = true
[[layers]]
type = "avg_pool2d"
name = "mean"
input = "input"
kernel_size = 3
stride = 2
padding = 1
ceil_mode = true
[[layers]]
type = "avg_pool2d"
name = "inside"
input = "input"
kernel_size = 3
stride = 2
padding = 1
count_include_pad = false
[[layers]]
type = "global_max_pool2d"
name = "top"
input = "input"
[[layers]]
type = "global_avg_pool2d"
name = "average"
input = "input"
"""


def chosen(path: Path, target: Path, **choices: Any) -> Path:
    """A copy of a workbook with something else chosen in the inspector."""
    book = openpyxl.load_workbook(path)
    for key, value in choices.items():
        sheet, cell = next(book.defined_names[f"inspector_{key}"].destinations)
        book[sheet][cell] = value
    book.save(target)
    return target


def place(path: Path, name: str) -> tuple[str, str]:
    sheet, top, left, bottom, right = read_book(path).names[name]
    return sheet, f"{LETTERS[left]}{top}:{LETTERS[right]}{bottom}"


def shown(path: Path, office: Callable[..., Any], names: list[str], *edits: list[Any]) -> list[Any]:
    """What LibreOffice shows in named rectangles after edits."""
    [done] = office([{"book": str(path), "edits": list(edits), "read": [place(path, name) for name in names]}])
    return done["read"]


def choose(path: Path, **choices: Any) -> list[list[Any]]:
    """Edits for LibreOffice that choose something in the inspector."""
    return [[*(part.split(":")[0] for part in place(path, f"inspector_{key}")), value] for key, value in choices.items()]


@pytest.mark.libreoffice
def test_a_cell_by_hand(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(SMALL, PIXELS)
    names = ["window", "kernel", "product", "sum", "channel", "result", "word", "limit", "first", "last", "source"]
    window, kernel, product, total, channel, result, word, limit, first, last, source = shown(
        path, office, [f"inspector_{name}" for name in names], *choose(path, map=2, row=2, column=3)
    )
    assert [row[:2] for row in window] == [[3, 4], [7, 8], ["", ""], [2, 1], [1, 1], ["", ""]]
    assert kernel == [[1, 0], [0, 0], ["", ""], [0, 0], [0, -5], ["", ""]]
    assert product == [[3, 0], [0, 0], ["", ""], [0, 0], [0, -5], ["", ""]]
    assert [row[0] for row in total] == [3, "", "", -5, "", ""]
    assert [row[0] for row in channel] == ["channel 1", "", "", "channel 2", "", ""]
    assert [row[0] for row in result] == [-2, 0.5, -1.5, 0, 0, "✓"]
    assert [row[0] for row in word][:5] == ["Σ of the sums", "+ bias", "= total", "relu(total)", "the cell on its sheet"]
    assert [row[0] for row in limit] == [2, 3, 3]
    assert (first, last, source) == ([[1], [3]], [[2], [4]], [["input"]])  # rows 1 and 2, columns 3 and 4


@pytest.mark.libreoffice
def test_padding_is_a_dot_and_counts_as_0(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(SMALL, PIXELS)
    window, product, result = shown(
        path,
        office,
        ["inspector_window", "inspector_product", "inspector_result"],
        *choose(path, map=1, row=1, column=1),
    )
    assert [row[:2] for row in window][:2] == [["·", "·"], [1, 2]]
    assert product[:2] == [[0, 0], [3, 8]]
    assert [row[0] for row in result] == [11 - 3, 10, 18, 18, 18, "✓"]  # 3·1 + 4·2 of the first channel, −1·3 of the second


@pytest.mark.libreoffice
def test_pooling_by_hand(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(SMALL, PIXELS)
    names = ["inspector_window", "inspector_kernel", "inspector_result", "inspector_word", "inspector_divisor"]
    window, kernel, result, word, _ = shown(path, office, names, *choose(path, layer="pool", map=1, row=3, column=1))
    largest = max(10 + 5 + 12 + 27 + 40 + 1 - 0, 10 + 6 + 14 + 30 + 44 + 1 - 2)  # the two cells of the map, by hand
    assert window[0][:2] == [95.0, 103.0]
    assert [row[0] for row in result] == [largest, "", largest, "", largest, "✓"]
    assert word[0] == ["largest of the window"]
    assert {cell for row in kernel for cell in row} == {""}
    window, _, result, word, divisor = shown(path, office, names, *choose(path, layer="mean", map=2, row=1, column=1))
    assert [row[:3] for row in window][:3] == [["·", "·", "·"], ["·", 0, 0], ["·", 0, 0]]
    assert (result[0], result[2], divisor, word[0]) == ([0.0], [0.0], [[9.0]], ["Σ of the window"])


@pytest.mark.libreoffice
def test_choices_beyond_a_layer_are_its_last(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(SMALL, PIXELS)
    at, result = shown(
        path, office, ["inspector_at", "inspector_result"], *choose(path, layer="pool", map=9, row=-4, column=1.2)
    )
    assert at[0][:4] == [2, 2, 1, 1]
    assert result[-1] == ["✓"]
    report = sheetcnn.check(chosen(path, path.with_name("c.xlsx"), layer="pool", map=9, row=-4, column=1.2))
    assert report.ok, report.findings


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> sheetcnn.Built:
    folder = tmp_path_factory.mktemp("inspector")
    (folder / "net.toml").write_text(ALL, encoding="utf-8")
    np.save(folder / "net.npy", np.random.default_rng(0).normal(size=(4, 7, 8)))
    return sheetcnn.build(folder / "net.toml", folder / "net.npy", folder / "net.xlsx")


def choices_of(built: sheetcnn.Built, seed: int) -> list[dict[str, Any]]:
    """For every layer a corner, the first or the last one, and another cell."""
    random = np.random.default_rng(seed)
    found = []
    for n, node in enumerate(built.network.nodes):
        corner = (0, 0, 0) if (n + seed) % 2 else tuple(size - 1 for size in node.shape)
        for place in (corner, tuple(int(random.integers(size)) for size in node.shape)):
            found.append({"layer": node.name, **dict(zip(("map", "row", "column"), (n + 1 for n in place), strict=True))})
    return found


def test_every_kind_of_window_in_our_evaluator(everything: sheetcnn.Built, tmp_path: Path) -> None:
    listed = read_book(everything.path).names["inspector_layers"]
    assert listed[3] - listed[1] + 1 == len(everything.network.nodes), "not every layer can be chosen"
    for choice in choices_of(everything, 0):
        report = sheetcnn.check(chosen(everything.path, tmp_path / "c.xlsx", **choice))
        assert report.ok, (choice, report.findings[:3])


@pytest.mark.libreoffice
def test_every_kind_of_window_in_libreoffice(everything: sheetcnn.Built, office: Callable[..., Any]) -> None:
    path = everything.path
    choices = choices_of(everything, 1)
    read = [place(path, "inspector_result"), place(path, "inspector_at")]
    jobs = [{"book": str(path), "edits": choose(path, **choice), "read": read} for choice in choices]
    for choice, done in zip(choices, office(jobs), strict=True):
        (*_, [cell], [tick]), at = done["read"]
        where = tuple(choice[key] - 1 for key in ("map", "row", "column"))
        assert tick == "✓", choice
        assert [n - 1 for n in at[0][1:4]] == list(where)
        arrays = everything.values[choice["layer"]]
        wanted = arrays["sum" if choice["layer"] == "learned" else "output"][where]
        assert cell == pytest.approx(wanted, rel=1e-12), choice


@pytest.mark.libreoffice
@pytest.mark.parametrize("layer", ["conv", "mean"])
def test_what_is_outlined(layer: str, make: Callable[..., Path], office: Callable[..., Any]) -> None:
    """The rules of conditional formatting, asked cell by cell in LibreOffice."""
    path = make(SMALL, PIXELS)
    book = openpyxl.load_workbook(path)
    source = "Input" if layer == "conv" else "conv"
    edits, wanted, areas = choose(path, layer=layer, map=2, row=1, column=2), [], []
    # The window of conv reaches over rows 0 and 1, columns 2 and 3 of both channels; that of mean over rows 0 to 2,
    # columns 1 to 3 of map 2; row 0 is padding. The chosen cell is in row 1, column 2 of map 2.
    windows = {"conv": [(c, r, x) for c in (1, 2) for r in (0, 1) for x in (2, 3)]}
    windows["mean"] = [(2, r, x) for r in (0, 1, 2) for x in (1, 2, 3)]
    for sheet, name, places in (
        (source, "map" if source == "conv" else "channel", windows[layer]),
        (layer, "map", [(2, 1, 2)]),
    ):
        owner = "input" if sheet == "Input" else sheet
        corners = {k: read_book(path).names[f"{owner}_{name}_{k}"] for k in (1, 2)}
        rules = [
            (str(ranges.sqref), rule.formula[0])
            for ranges in book[sheet].conditional_formatting
            for rule in ranges.rules
            if rule.type == "expression" and rule.dxf.border.left is not None and rule.dxf.border.right is not None
            and rule.dxf.border.right.style is not None and rule.dxf.font is None
        ]  # fmt: skip
        test = {formula for _, formula in rules}
        assert len(test) == 1
        covered = openpyxl.worksheet.cell_range.MultiCellRange(" ".join(ranges for ranges, _ in rules))
        cells = [(k, r, x) for k in (1, 2) for r in range(4) for x in range(4)]
        for n, (k, r, x) in enumerate(cells):
            _, top, left, *_ = corners[k]
            row, column = top + r - 1, left + x - 1
            if f"{LETTERS[column]}{row}" not in covered:
                continue
            formula = test.copy().pop().replace("ROW()", str(row)).replace("COLUMN()", str(column)).replace(",", ";")
            edits.append([sheet, f"CA{n + 1}", f"=IF({formula};1;0)"])
            wanted.append((k, r, x) in places)
            areas.append([sheet, f"CA{n + 1}"])
        assert sum(wanted) >= 1
    [done] = office([{"book": str(path), "edits": edits, "read": areas}])
    assert [bool(cell[0][0]) for cell in done["read"]] == wanted
    assert sum(wanted) == len(windows[layer]) + 1


def test_an_edited_inspector_is_found(make: Callable[..., Path], tmp_path: Path) -> None:
    path = make(SMALL, PIXELS)
    for name, value, kind in (
        ("inspector_product", 5, "overwritten"),
        ("inspector_result", "=1+1", "changed"),
        ("inspector_table", 77, "changed"),
        ("inspector_words", "nonsense", "changed"),
        ("conv_inspected", "=0", "changed"),
    ):
        book = openpyxl.load_workbook(path)
        sheet, top, left, *_ = read_book(path).names[name]
        book[sheet].cell(top, left, value)
        book.save(tmp_path / "edited.xlsx")
        report = sheetcnn.check(tmp_path / "edited.xlsx")
        assert not report.ok
        assert (report.findings[0].layer, report.findings[0].kind) == ("inspector", kind), name


def test_a_layer_that_does_not_exist(make: Callable[..., Path], tmp_path: Path) -> None:
    report = sheetcnn.check(chosen(make(SMALL, PIXELS), tmp_path / "c.xlsx", layer="nothing"))
    finding = report.findings[0]
    assert (finding.layer, finding.kind, finding.cell) == ("inspector", "input", "Inspector!C8")
    assert "'nothing'" in finding.text


def test_without_an_inspector(make: Callable[..., Path]) -> None:
    path = make(SMALL, PIXELS, inspector=False)
    assert "Inspector" not in openpyxl.load_workbook(path).sheetnames
    assert not [name for name in read_book(path).names if "inspect" in name]
    assert sheetcnn.check(path).ok


def test_a_network_without_windows_has_none(make: Callable[..., Path]) -> None:
    network = SMALL[: SMALL.index("[[layers]]")] + '[[layers]]\ntype = "relu"\n'
    path = make(network, PIXELS)
    assert "Inspector" not in openpyxl.load_workbook(path).sheetnames
    assert sheetcnn.check(path).ok


@pytest.mark.libreoffice
def test_rows_inserted_above_the_grids_do_no_harm(
    make: Callable[..., Path], office: Callable[..., Any], tmp_path: Path
) -> None:
    path = make(SMALL, PIXELS)
    saved = tmp_path / "rows.xlsx"
    office([{"book": str(path), "insert_rows": [["Input", 4, 2], ["conv", 1, 3]], "save": str(saved)}])
    report = sheetcnn.check(saved)
    assert report.ok, report.findings[:3]


def test_nothing_is_volatile(everything: sheetcnn.Built) -> None:
    book = read_book(everything.path)
    for sheet in book.sheets.values():
        for cells in sheet.formulas.values():
            for _, text in cells:
                assert not re.search(r"OFFSET|INDIRECT|NOW|TODAY|RAND|CELL\(|INFO\(", text), text
