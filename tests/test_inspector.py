"""The inspector takes one cell apart: by hand-worked numbers, for every kind of window, in our evaluator and in LibreOffice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from openpyxl.worksheet.cell_range import MultiCellRange

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.formula import read_book
from sheetcnn.model.trace import as_maps

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
[[layers]]
type = "adaptive_avg_pool2d"
name = "quarters"
input = "pad"
output_size = 2
"""

# And of every other kind.
OTHERS = """
[[layers]]
type = "pad"
name = "pad"
input = "input"
padding = [2, 1, 1, 3]
[[layers]]
type = "pad"
name = "mirrored"
input = "input"
padding = [2, 3, 2, 3]
mode = "reflect"
[[layers]]
type = "pad"
name = "repeated"
input = "input"
padding = 2
mode = "replicate"
[[layers]]
type = "upsample"
name = "larger"
input = "input"
scale_factor = [2, 3]
[[layers]]
type = "pixel_shuffle"
name = "finer"
input = "input"
upscale_factor = 2
[[layers]]
type = "channel_shuffle"
name = "dealt"
input = "input"
groups = 2
[[layers]]
type = "silu"
name = "curve"
[[layers]]
type = "prelu"
name = "learned_slopes"
num_parameters = 4
weight = [0.5, -1, 2, 0]
[[layers]]
type = "batch_norm2d"
name = "batch"
input = "input"
activation = "relu"
running_mean = [1, -1, 0, 0.5]
running_var = [1, 2, 0.5, 3]
weight = [2, 1, -1, 0.5]
bias = [0, 1, 2, 3]
[[layers]]
type = "group_norm"
name = "group"
input = "input"
num_groups = 2
[[layers]]
type = "lrn"
name = "neighbours"
input = "input"
size = 4
alpha = 2.0
[[layers]]
type = "softmax"
name = "shares"
input = "input"
[[layers]]
type = "log_softmax"
name = "logarithms"
input = "input"
[[layers]]
type = "multiply"
name = "scaled"
input = ["input", "average"]
[[layers]]
type = "subtract"
name = "apart"
input = ["group", "scaled"]
activation = "relu"
[[layers]]
type = "add"
name = "three"
input = ["group", "scaled", "average"]
activation = "prelu"
[[layers]]
type = "global_max_pool2d"
name = "tops"
input = "scaled"
[[layers]]
type = "concat"
name = "both"
input = ["average", "tops", "average"]
[[layers]]
type = "flatten"
name = "long"
input = "both"
[[layers]]
type = "linear"
name = "dense"
input = "long"
out_features = 7
activation = "relu"
[[layers]]
type = "linear"
name = "last"
out_features = 6
bias = false
activation = "softmax"
[[layers]]
type = "concat"
name = "ends"
input = ["last", "dense"]
[[layers]]
type = "log_softmax"
name = "end"
[[layers]]
type = "unflatten"
name = "maps"
input = "last"
size = [1, 2, 3]
[[layers]]
type = "dropout"
name = "kept"
"""
QUARTERS = ALL[ALL.index('[[layers]]\ntype = "adaptive') :]  # it reads a layer of the others


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


def lines(shown: list[list[Any]]) -> list[list[Any]]:
    """The lines of numbers, each as high as three rows of the thumbnails beside them."""
    return shown[::3]


def steps(head: list[list[Any]], box: list[list[Any]]) -> list[tuple[str, Any]]:
    """The words of the steps with their numbers."""
    return [(words, number) for words, number in zip(head[0][::8], box[0][::8], strict=True) if words]


@pytest.mark.libreoffice
def test_a_cell_by_hand(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(SMALL, PIXELS)
    names = ["window", "kernel", "product", "sum", "channel", "head", "box", "tick", "sentence", "maps", "rows", "columns"]
    window, kernel, product, total, channel, head, box, tick, sentence, *limits = shown(
        path, office, [f"inspector_{name}" for name in names], *choose(path, map=2, row=2, column=3)
    )
    # Windows stand at the right of their columns, as many lines apart as the thumbnails beside them are high.
    numbers = [row[-2:] for row in lines(window) if row[-1] != ""]
    assert numbers == [[3, 4], [7, 8], [2, 1], [1, 1]]
    assert [row for row in lines(kernel) if row[-1] != ""] == [[1, 0], [0, 0], [0, 0], [0, -5]]
    assert [row for row in lines(product) if row[-1] != ""] == [[3, 0], [0, 0], [0, 0], [0, -5]]
    assert [row[0] for row in lines(total) if row[0] != ""] == [3, -5]
    assert [row[0] for row in lines(channel) if row[0] != ""] == ["channel 1", "channel 2"]
    wanted = [("Σ of the sums", -2), ("bias", 0.5), ("sum", -1.5), ("relu", 0), ("cell on its sheet", 0)]
    assert steps(head, box) == wanted
    assert (tick, sentence) == ([["✓ as on its sheet"]], [["0 = max(0, 3 − 5 + 0.5)"]])
    assert limits == [[[2]], [[3]], [[3]]]


@pytest.mark.libreoffice
def test_padding_is_a_dot_and_counts_as_0(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(SMALL, PIXELS)
    window, product, box, reaches = shown(
        path,
        office,
        ["inspector_window", "inspector_product", "inspector_box", "inspector_reaches"],
        *choose(path, map=1, row=1, column=1),
    )
    assert [row[-2:] for row in lines(window)][:2] == [["·", "·"], [1, 2]]
    assert reaches == [["the window reaches into padding (·)"]]
    assert lines(product)[:2] == [[0, 0], [3, 8]]
    assert box[0][::8][:5] == [11 - 3, 10, 18, 18, 18]  # 3·1 + 4·2 of the first channel, −1·3 of the second


@pytest.mark.libreoffice
def test_pooling_by_hand(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(SMALL, PIXELS)
    names = [f"inspector_{name}" for name in ("window", "kernel", "head", "box", "sentence")]
    window, kernel, head, box, sentence = shown(path, office, names, *choose(path, layer="pool", map=1, row=3, column=1))
    largest = max(10 + 5 + 12 + 27 + 40 + 1 - 0, 10 + 6 + 14 + 30 + 44 + 1 - 2)  # the two cells of the map, by hand
    assert window[0][-2:] == [95.0, 103.0]
    assert steps(head, box) == [("largest of the window", largest), ("cell on its sheet", largest)]
    assert sentence == [["103 is the largest cell of its window"]]
    assert {cell for row in lines(kernel) for cell in row} == {""}
    window, _, head, box, sentence = shown(path, office, names, *choose(path, layer="mean", map=2, row=1, column=1))
    assert [row[-3:] for row in lines(window)][:3] == [["·", "·", "·"], ["·", 0, 0], ["·", 0, 0]]
    assert steps(head, box) == [("Σ of the window", 0), ("cells", 9), ("cell on its sheet", 0)]
    assert sentence == [["0 = 0 ÷ 9"]]


VECTOR = """
name = "n"
[input]
channels = 2
height = 1
width = 2
[[layers]]
type = "batch_norm2d"
name = "norm"
activation = "relu"
eps = 1.0
weight = [2, 3]
bias = [0.5, -1]
running_mean = [1, 4]
running_var = [3, 8]
[[layers]]
type = "add"
name = "joint"
input = ["input", "norm"]
[[layers]]
type = "flatten"
name = "flat"
[[layers]]
type = "linear"
name = "fc"
out_features = 2
weight = [[1, -1, 2, 0.5], [0, 0, 1, 0]]
bias = [0.25, -7]
[[layers]]
type = "softmax"
name = "soft"
"""


@pytest.mark.libreoffice
def test_other_layers_by_hand(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(VECTOR, np.array([[[3, 1]], [[10, 4]]]))
    names = [f"inspector_{name}" for name in ("head", "box", "sentence", "channel", "tick")]

    def of(**choice: Any) -> tuple[list[tuple[str, Any]], str, list[str]]:
        head, box, sentence, channel, tick = shown(path, office, names, *choose(path, **choice))
        assert tick == [["✓ as on its sheet"]]
        return steps(head, box), sentence[0][0], [row[0] for row in lines(channel) if row[0] != ""]

    # (10 − 4) / √(8 + 1) · 3 − 1 = 5
    found = of(layer="norm", map=2, row=1, column=1)
    assert [number for _, number in found[0]] == [10, 4, 3, 3, -1, 5, 5, 5]
    assert [words for words, _ in found[0]][:5] == ["the cell it reads", "mean", "√(variance + eps)", "weight", "bias"]
    assert found[1:] == ("5 = max(0, (10 − 4) ÷ 3 · 3 − 1)", ["channel 2"])
    found = of(layer="joint", map=1, row=1, column=1)  # 3 and (3 − 1) / √(3 + 1) · 2 + 0.5
    assert found == ([("sum of the cells", 5.5), ("cell on its sheet", 5.5)], "5.5 = 3 + 2.5", ["channel 1", "norm map 1"])
    # The vector is 5.5, 1.5, 15, 3 (norm's second map is 5 and max(0, −1)): 5.5 − 1.5 + 2·15 + 0.5·4 + 0.25
    found = of(layer="fc", map=1, row=1, column=1)
    assert found[0] == [("Σ of the sums", 36), ("bias", 0.25), ("cell on its sheet", 36.25)]
    assert found[1:] == ("36.25 = 4 + 32 + 0.25", ["joint map 1", "joint map 2"])
    found = of(layer="soft", map=1, row=2, column=1)  # 15 − 7 = 8, after 36.25
    assert [words for words, _ in found[0]][1:] == ["largest x", "so far", "exp", "Σ exp", "cell on its sheet"]
    assert [number for _, number in found[0]][:3] == [8, 36.25, -28.25]
    assert found[0][-1][1] == pytest.approx(np.exp(-28.25) / (1 + np.exp(-28.25)), rel=1e-12)


@pytest.mark.libreoffice
def test_choices_beyond_a_layer_are_refused_visibly(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(SMALL, PIXELS)
    names = ["inspector_at", "inspector_note", "inspector_tick"]
    at, note, tick = shown(path, office, names, *choose(path, layer="pool", map=9, row=-4, column=1.2))
    assert at[0][:4] == [2, 2, 1, 1]
    there = ["2 maps: map 2", "3 rows: row 1", "1 column: column 1"]
    assert note == [["".join(f"✗ only {words} is shown  " for words in there)]]
    assert tick == [["✗ not the cell that was chosen"]]
    at, note, tick = shown(path, office, names, *choose(path, layer="pool", map=2, row=3, column=1))
    assert (at[0][:4], note, tick) == ([2, 2, 3, 1], [[""]], [["✓ as on its sheet"]])
    for column in (1.2, 7, "x", True):
        report = sheetcnn.check(chosen(path, path.with_name("c.xlsx"), layer="pool", map=9, row=-4, column=column))
        assert report.ok, (column, report.findings)


@pytest.mark.libreoffice
def test_thumbnails(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    """Of maps of 3×4 each cell four by four; of 20×3 every second, of which the window covers some."""
    path = make(SMALL, PIXELS)
    names = [f"inspector_{name}" for name in ("shot", "shot_mark", "map_shot", "map_mark")]
    shot, mark, own, own_mark = shown(path, office, names, *choose(path, map=2, row=2, column=3))
    assert [row[::4] for row in shot[:12:4]] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    assert shot[0] == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
    assert list(mark[:12]) == [[8, 15]] * 8 + [[-1, -1]] * 4  # rows 1 and 2, columns 3 and 4
    assert [row for row in own_mark if row != [-1, -1]] == [[10, 14]] * 5  # three columns, five cells wide each
    assert own[5][10] == 0  # relu(−1.5)
    tall = SMALL.replace("height = 3", "height = 20").replace("width = 4", "width = 3")
    path = make(tall, np.arange(120).reshape(2, 20, 3))
    shot, mark, *_ = shown(path, office, names, *choose(path, map=1, row=4, column=1))
    assert [row[:2] for row in shot[:10]] == [[6 * n, 6 * n + 2] for n in range(10)]
    assert mark[:4] == [[-1, -1], [0, 0], [-1, -1], [-1, -1]]  # rows 3 and 4, the second pair; of columns 1 and 2 the first
    assert shot[10] == [""] * 16


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> sheetcnn.Built:
    folder = tmp_path_factory.mktemp("inspector")
    (folder / "net.toml").write_text(ALL.replace(QUARTERS, "") + OTHERS + QUARTERS, encoding="utf-8")
    np.save(folder / "net.npy", np.random.default_rng(0).normal(size=(4, 7, 8)))
    return sheetcnn.build(folder / "net.toml", folder / "net.npy", folder / "net.xlsx")


def choices_of(built: sheetcnn.Built, seed: int) -> list[dict[str, Any]]:
    """For every layer a corner, the first or the last one, and another cell."""
    random = np.random.default_rng(seed)
    found = []
    for n, node in enumerate(built.network.nodes):
        shape = as_maps(node.shape)
        corner = (0, 0, 0) if (n + seed) % 2 else tuple(size - 1 for size in shape)
        for place in (corner, tuple(int(random.integers(size)) for size in shape)):
            found.append({"layer": node.name, **dict(zip(("map", "row", "column"), (n + 1 for n in place), strict=True))})
    return found


def test_many_kinds_in_our_evaluator(everything: sheetcnn.Built, tmp_path: Path) -> None:
    """Some of the choices: each is a check of its own, while LibreOffice takes all below in one go."""
    listed = read_book(everything.path).names["inspector_layers"]
    assert listed[3] - listed[1] + 1 == len(everything.network.nodes), "not every layer can be chosen"
    for choice in choices_of(everything, 0)[5::20]:
        report = sheetcnn.check(chosen(everything.path, tmp_path / "c.xlsx", **choice))
        assert report.ok, (choice, report.findings[:3])


@pytest.mark.libreoffice
def test_every_kind_of_layer_in_libreoffice(everything: sheetcnn.Built, office: Callable[..., Any]) -> None:
    path = everything.path
    choices = choices_of(everything, 1)[1::2]  # of every layer the place that is drawn
    read = [place(path, f"inspector_{name}") for name in ("tick", "results", "at")]
    rounds = [{"edits": choose(path, **choice), "read": read} for choice in choices]
    [done] = office([{"book": str(path), "rounds": rounds}])
    for choice, shown_now in zip(choices, done["rounds"], strict=True):
        [[tick]], results, at = shown_now
        [cell] = [row[1] for row in results if row[1] != ""]
        where = tuple(choice[key] - 1 for key in ("map", "row", "column"))
        assert tick == "✓ as on its sheet", choice
        assert [n - 1 for n in at[0][1:4]] == list(where)
        arrays = everything.values[choice["layer"]]
        wanted = arrays["output"].reshape(as_maps(arrays["output"].shape))[where]
        assert cell == pytest.approx(wanted, rel=1e-12), choice


@pytest.mark.libreoffice
@pytest.mark.parametrize("layer", ["conv", "mean"])
def test_what_is_outlined(layer: str, make: Callable[..., Path], office: Callable[..., Any]) -> None:
    """The rules of conditional formatting, asked cell by cell in LibreOffice."""
    path = make(SMALL, PIXELS)
    book = openpyxl.load_workbook(path)
    edits, wanted, areas = choose(path, layer=layer, map=2, row=1, column=2), [], []
    # The window of conv reaches over rows 0 and 1, columns 2 and 3 of both channels; that of mean over rows 0 to 2,
    # columns 1 to 3 of map 2; row 0 is padding. The chosen cell is in row 1, column 2 of map 2.
    windows = {"conv": [(c, r, x) for c in (1, 2) for r in (0, 1) for x in (2, 3)]}
    windows["mean"] = [(2, r, x) for r in (0, 1, 2) for x in (1, 2, 3)]
    sheet = book[layer]
    rules = [
        (str(ranges.sqref), rule.formula[0])
        for ranges in sheet.conditional_formatting
        for rule in ranges.rules
        if rule.type == "expression" and "ROW()" in rule.formula[0] and rule.dxf.border is not None
        and rule.dxf.border.left is not None and rule.dxf.border.right is not None and rule.dxf.border.right.style is not None
    ]  # fmt: skip
    for name, places in (("reads", windows[layer]), ("map", [(2, 1, 2)])):
        corners = {k: read_book(path).names[f"{layer}_{name}_{k}"] for k in (1, 2)}
        for k, r, x in [(k, r, x) for k in (1, 2) for r in range(4) for x in range(4)]:
            _, top, left, *_ = corners[k]
            row, column = top + r - 1, left + x - 1
            tests = [formula for ranges, formula in rules if f"{LETTERS[column]}{row}" in MultiCellRange(ranges)]
            if not tests:
                continue
            # Those that ask for a colour besides have more tests.
            formula = min(tests, key=len).replace("ROW()", str(row)).replace("COLUMN()", str(column)).replace(",", ";")
            edits.append([layer, f"CA{len(areas) + 1}", f"=IF({formula};1;0)"])
            areas.append([layer, f"CA{len(areas) + 1}"])
            wanted.append((k, r, x) in places)
        assert sum(wanted) >= 1
    [done] = office([{"book": str(path), "edits": edits, "read": areas}])
    assert [bool(cell[0][0]) for cell in done["read"]] == wanted
    assert sum(wanted) == len(windows[layer]) + 1


def test_an_edited_inspector_is_found(make: Callable[..., Path], tmp_path: Path) -> None:
    path = make(SMALL, PIXELS)
    for name, value, kind in (
        ("inspector_product", 5, "overwritten"),
        ("inspector_box", "=1+1", "changed"),
        ("inspector_table", 77, "changed"),
        ("inspector_heads", "nonsense", "changed"),
        ("conv_inspected", "=0", "changed"),
    ):
        book = openpyxl.load_workbook(path)
        sheet, top, left, *_ = read_book(path).names[name]
        book[sheet].cell(top, left, value)
        book.save(tmp_path / "edited.xlsx")
        report = sheetcnn.check(tmp_path / "edited.xlsx")
        assert not report.ok
        assert ("inspector", kind) in {(finding.layer, finding.kind) for finding in report.findings}, name


def test_a_layer_that_does_not_exist(make: Callable[..., Path], tmp_path: Path) -> None:
    report = sheetcnn.check(chosen(make(SMALL, PIXELS), tmp_path / "c.xlsx", layer="nothing"))
    finding = report.findings[0]
    assert (finding.layer, finding.kind, finding.cell) == ("inspector", "input", "Inspector!F3")
    assert "'nothing'" in finding.text


def test_without_an_inspector(make: Callable[..., Path]) -> None:
    path = make(SMALL, PIXELS, inspector=False)
    assert "Inspector" not in openpyxl.load_workbook(path).sheetnames
    assert not [name for name in read_book(path).names if "inspect" in name]
    assert sheetcnn.check(path).ok


def test_what_cannot_be_shown_is_said(make: Callable[..., Path]) -> None:
    """A curve between cells; beside it a layer that can, and without one no inspector at all."""
    lines = '[[layers]]\ntype = "upsample"\nname = "up"\nscale_factor = 2\nmode = "bilinear"\n'
    network = SMALL[: SMALL.index("[[layers]]")] + lines
    book = openpyxl.load_workbook(make(network + '[[layers]]\ntype = "relu"\n', PIXELS))
    texts = [str(cell.value) for row in book["Inspector"].iter_rows() for cell in row if cell.value is not None]
    assert "Not shown here: up (no sum over windows or over a few cells)" in texts
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
