"""The workbook keeps its contract: sheets, names, values, formulas, sizes, protection."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pytest
from openpyxl.utils import range_boundaries

import sheetcnn
from sheetcnn.arrays.grid import Grid
from sheetcnn.errors import LimitError, SheetcnnError
from sheetcnn.formula import read_book
from sheetcnn.templates import LESSONS, templates
from sheetcnn.xlsx import palette
from sheetcnn.xlsx.cells import CellBlock

PICTURE_OF = {
    "alexnet-block": "coffee",
    "conv-types": "cross",
    "conv-vs-dense": "cat",
    "conv3d": "cat",
    "cs231n": "cs231n",
    "digits": "digit-3",
    "edges": "cat",
    "inception-block": "cat",
    "learn-by-hand": "by-hand",
    "learn-by-heart": "digit-3",
    "learn-edge": "cat",
    "learn-pool-winner": "winners",
    "learn-relu-gate": "gate",
    "learn-sharing": "quarters",
    "learn-skip": "two-ways",
    "learn-twins": "gate",
    "learn-vanishing": "digit-3",
    "lenet5": "digit-3",
    "mobilenet-block": "cat",
    "pool-order": "stripes",
    "relu-placement": "shapes",
    "resnet-block": "cat",
    "rgb-filters": "shapes",
    "shapes-rgb": "red-disc",
    "squeeze-excite": "coffee",
    "two-convs": "cat",
    "unet-tiny": "shapes",
    "weights-90-1800": "cat",
}
NETWORK = """
name = "=1+1"
about = "An about with <tags> & signs, that begins with no equals sign."
labels = ["=cat", "dog & <co>"]
[input]
channels = 3
height = 9
width = 8
scale = 255
mean = [0.5, 0.25, 0.125]
std = 0.5
[[layers]]
type = "conv2d"
name = "fc1"
out_channels = 4
kernel_size = 3
padding = [1, 0]
dilation = [1, 2]
activation = "relu"
[[layers]]
type = "conv2d"
name = "wide"
out_channels = 18
kernel_size = 1
[[layers]]
type = "conv2d"
name = "conv3"
out_channels = 2
kernel_size = [3, 2]
padding = 1
groups = 2
activation = "leaky_relu"
[[layers]]
type = "batch_norm2d"
name = "bn"
[[layers]]
type = "conv2d"
name = "after"
input = "wide"
out_channels = 5
kernel_size = 3
padding = "same"
activation = "sigmoid"
[[layers]]
type = "avg_pool2d"
name = "pool"
kernel_size = 2
[[layers]]
type = "flatten"
name = "flat"
[[layers]]
type = "linear"
name = "dense"
out_features = 2
[[layers]]
type = "softmax"
name = "answer"
"""
PIXELS = np.random.default_rng(3).integers(0, 256, (3, 9, 8)).astype(float)


def conv(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolution with padding 1 and stride 1 in the plainest loops, to compare with."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    size = weight.shape[2]
    rows, columns = x.shape[1] - size + 1, x.shape[2] - size + 1
    out = np.zeros((len(weight), rows, columns))
    for k in range(len(weight)):
        for i in range(rows):
            for j in range(columns):
                out[k, i, j] = bias[k] + (x[:, i : i + size, j : j + size] * weight[k]).sum()
    return out


@pytest.fixture(params=["compact", "steps"])
def built(request: pytest.FixtureRequest, make: Callable[..., Path]) -> tuple[str, Path]:
    return request.param, make(NETWORK, PIXELS, detail=request.param)


def test_sheets_in_order(built: tuple[str, Path]) -> None:
    book = openpyxl.load_workbook(built[1])
    layers = ["fc1", "wide", "conv3", "bn", "after", "pool", "flat", "dense", "answer"]
    hidden = ["_kernels", "_inspector", "_sheetcnn"]
    assert book.sheetnames == ["Overview", "Gallery", "Inspector", "Input", *layers, "Check", *hidden]
    assert [sheet.title for sheet in book.worksheets if sheet.sheet_state == "hidden"] == hidden
    assert book.calculation.fullCalcOnLoad


def test_every_grid_has_its_name(built: tuple[str, Path]) -> None:
    detail, path = built
    names = set(openpyxl.load_workbook(path).defined_names)
    want = {f"input_{what}_{c}" for what in ("channel", "normalized", "mean", "std") for c in (1, 2, 3)} | {"input_scale"}
    for layer, filters, channels in (("fc1", 4, 3), ("wide", 18, 4), ("conv3", 2, 9), ("after", 5, 18)):
        want |= {f"{layer}_map_{k}" for k in range(1, filters + 1)} | {f"{layer}_bias_{k}" for k in range(1, filters + 1)}
        want |= {f"{layer}_kernel_{k}_{c}" for k in range(1, filters + 1) for c in range(1, channels + 1)}
        if detail == "steps" or layer == "conv3":
            want |= {f"{layer}_sum_{k}" for k in range(1, filters + 1)}
        if detail == "steps" and layer != "after":
            want |= {f"{layer}_product_{k}_{c}" for k in range(1, filters + 1) for c in range(1, channels + 1)}
    want |= {f"bn_{what}_{k}" for what in ("map", "weight", "bias", "running_mean", "running_var") for k in (1, 2)}
    want |= {f"pool_map_{k}" for k in range(1, 6)} | {"flat_out", "dense_out", "dense_weight", "dense_bias", "dense_in"}
    want |= {"answer_out", "answer_exp", "input_answer", "input_name", "input_bar", "input_number"}
    if detail == "steps":
        want |= {"bn_sum_1", "bn_sum_2", "dense_sum"}
    mirrored = {"fc1": 3, "wide": 4, "bn": 2, "pool": 5, "flat": 5, "answer": 1}  # conv3 and after read 18 channels
    want |= {f"{layer}_reads_{c}" for layer, count in mirrored.items() for c in range(1, count + 1)}
    labels = {"map": ("fc1", "wide", "conv3", "bn", "after", "pool"), "out": ("flat", "dense", "answer")}
    want |= {f"{layer}_{label}_scale" for label, layers in labels.items() for layer in layers}
    want |= {f"{layer}_reads_1_scale" for layer in mirrored if layer not in ("fc1",)}
    want |= {f"gallery_{layer}_scale" for layers in labels.values() for layer in layers}
    want |= {"dense_in_scale", "answer_exp_scale"}
    for name in ("sum", "product"):
        want |= {
            f"{layer}_{name}_scale"
            for layer in ("fc1", "wide", "conv3", "after", "bn", "dense")
            if {f"{layer}_{name}_1", f"{layer}_{name}_1_1", f"{layer}_{name}"} & want
        }
    counts = {
        "input": 3,
        "fc1": 4,
        "wide": 18,
        "conv3": 2,
        "bn": 2,
        "after": 5,
        "pool": 5,
        "flat": 1,
        "dense": 1,
        "answer": 1,
    }
    want |= {f"gallery_{layer}_{k}" for layer, count in counts.items() for k in range(1, count + 1)}
    want |= {f"dense_folded_{n}_{c}" for n in (1, 2) for c in range(1, 6)}
    shown = (("fc1", 4, 3), ("conv3", 2, 9))  # of 64 kernels at most
    want |= {f"gallery_{layer}_kernel_{k + 1}_{c + 1}" for layer, *sizes in shown for k, c in np.ndindex(*sizes)}
    assert {name for name in names if not name.startswith(("inspector_", "check_", "overview_", "kernel_"))} - {
        "answer_names"
    } == want | {
        f"{layer}_inspected" for layer in (*counts.keys() - {"input"}, "dense_in", *(f"{m}_reads_1" for m in mirrored))
    } | {
        f"{layer}_built_{k}_{c}"
        for layer, filters, channels in (("fc1", 4, 3), ("wide", 18, 4), ("conv3", 2, 9), ("after", 5, 18))
        for k in range(1, filters + 1)
        for c in range(1, channels + 1)
    } | {f"fc1_{what}_{k}" for what in ("choice", "chosen", "state") for k in range(1, 5)}


def test_values_are_saved_exactly(built: tuple[str, Path]) -> None:
    """Every double in the file is the very double that NumPy had, and every formula has a value beside it."""
    book = read_book(built[1])
    for sheet in book.sheets.values():
        for row, cells in sheet.formulas.items():
            for column, _ in cells:
                assert not np.isnan(sheet.saved[row, column]) or (row, column) in sheet.saved_texts
    sheet, top, left, bottom, right = book.names["input_channel_2"]
    np.testing.assert_array_equal(book.sheets[sheet].number[top : bottom + 1, left : right + 1], PIXELS[1])
    sheet, top, left, bottom, right = book.names["input_normalized_2"]
    want = (PIXELS[1] / 255 - 0.25) / 0.5
    np.testing.assert_array_equal(book.sheets[sheet].saved[top : bottom + 1, left : right + 1], want)


def test_doubles_survive(make: Callable[..., Path]) -> None:
    """Numbers that 15 or 16 digits cannot hold."""
    hard = np.random.default_rng(0).normal(size=(1, 20, 20)) * 10.0 ** np.random.default_rng(1).integers(
        -300, 300, (1, 20, 20)
    )
    path = make('name = "n"\n[input]\nchannels = 1\nheight = 20\nwidth = 20\n[[layers]]\ntype = "relu"\n', hard)
    book = read_book(path)
    sheet, top, left, bottom, right = book.names["input_channel_1"]
    np.testing.assert_array_equal(book.sheets[sheet].number[top : bottom + 1, left : right + 1], hard[0])
    assert sheetcnn.check(path).ok


def test_dimension_is_right(built: tuple[str, Path]) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/sheet"):
                continue
            xml = archive.read(name).decode()
            said = range_boundaries(re.search(r'<dimension ref="([^"]+)"', xml)[1])  # type: ignore[index]
            cells = [range_boundaries(cell)[:2] for cell in re.findall(r'<c r="([A-Z]+\d+)"', xml)]
            columns, rows = zip(*cells, strict=True)
            assert said == (min(columns), min(rows), max(columns), max(rows)), name
            assert len(cells) == len(set(cells)), name
            in_order = [tuple(reversed(cell)) for cell in cells]
            assert in_order == sorted(in_order), name


def test_read_only_mode_of_openpyxl_sees_all(built: tuple[str, Path]) -> None:
    book = openpyxl.load_workbook(built[1], read_only=True, data_only=True)
    rows = list(book["Input"].iter_rows(values_only=True))
    outlined, answers, bars = (
        7,
        2,
        2 * 3 * 5,
    )  # nothing is outlined but in mirrors; bars are of three channels, and what they are normalized to
    numbers = sum(isinstance(value, int | float) for row in rows for value in row)
    assert numbers == 2 * PIXELS.size + outlined + answers + bars
    book.close()


def test_texts_stay_texts(built: tuple[str, Path]) -> None:
    book = openpyxl.load_workbook(built[1])
    assert book["Overview"]["B1"].value == "=1+1"
    assert book["Overview"]["B1"].data_type == "s"
    texts = [cell.value for row in book["answer"].iter_rows() for cell in row if cell.data_type == "s"]
    assert "=cat" in texts
    assert "dog & <co>" in texts
    values = openpyxl.load_workbook(built[1], data_only=True)
    assert any(cell.value in ("=cat", "dog & <co>") for row in values["Overview"].iter_rows() for cell in row)


def test_formulas_use_what_means_the_same_everywhere(built: tuple[str, Path]) -> None:
    allowed = {
        "SUMPRODUCT",
        "SUM",
        "SUMSQ",
        "MAX",
        "MIN",
        "AVERAGE",
        "EXP",
        "LN",
        "TANH",
        "SQRT",
        "ABS",
        "IF",
        "INDEX",
        "COUNT",
    }
    allowed |= {"MATCH", "ERF", "NORMSDIST", "ROUND", "CHOOSE", "INT", "REPT", "LARGE", "ISNUMBER"}
    with zipfile.ZipFile(built[1]) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/sheet"):
                xml = archive.read(name).decode()
                assert "<f t=" not in xml
                for formula in re.findall(r"<f>([^<]*)</f>", xml):
                    assert set(re.findall(r"([A-Z0-9.]+)\(", formula)) <= allowed
                    assert len(formula) <= 8192


def test_sheets_that_look_like_cells_are_quoted(built: tuple[str, Path]) -> None:
    book = read_book(built[1])
    sheet, top, left, *_ = book.names["wide_kernel_1_1"]
    map_sheet, row, column, *_ = book.names["wide_map_1"]
    mirror = book.names["wide_reads_1"]
    assert str(book.sheets[map_sheet].formula(*mirror[1:3])).startswith("'fc1'!")
    assert "'fc1'!" in openpyxl.load_workbook(built[1]).defined_names["fc1_map_1"].attr_text
    assert sheet == map_sheet
    assert top >= row
    assert left > column


def test_many_channels_take_one_sumproduct(built: tuple[str, Path]) -> None:
    """Above 16 channels kernels stand below each other at their channels' heights; up to 16, side by side in a band."""
    book = read_book(built[1])
    for layer, wide in (("after", True), ("wide", False)):
        channels = {"after": 18, "wide": 4}[layer]
        reads = {"after": "wide", "wide": "fc1"}[layer]
        kernels = [book.names[f"{layer}_kernel_2_{c}"] for c in range(1, channels + 1)]
        rows, columns = {area[1] for area in kernels}, {area[2] for area in kernels}
        if wide:
            assert len(columns) == 1
            assert [area[1] for area in kernels] == [book.names[f"{reads}_map_{c}"][1] for c in range(1, channels + 1)]
        else:
            assert len(rows) == 1
            assert rows == {book.names[f"{layer}_bias_2"][1]}
        sheet, top, left, *_ = book.names[f"{layer}_{'sum' if built[0] == 'steps' else 'map'}_2"]
        formula = str(book.sheets[sheet].formula(top, left))
        assert formula.count("SUMPRODUCT") == (1 if wide else 0 if built[0] == "steps" else channels)
    assert sheetcnn.check(built[1]).ok


def test_maps_stand_in_the_same_columns_at_a_constant_pitch(built: tuple[str, Path]) -> None:
    book = read_book(built[1])
    for layer, count in (("fc1", 4), ("wide", 18), ("after", 5), ("bn", 2)):
        areas = [book.names[f"{layer}_map_{k}"] for k in range(1, count + 1)]
        assert len({area[2] for area in areas}) == 1
        assert len(set(np.diff([area[1] for area in areas]))) == 1


def test_no_two_grids_overlap_and_padding_is_blank(built: tuple[str, Path]) -> None:
    book = read_book(built[1])
    taken: dict[tuple[str, int, int], str] = {}
    for name, (sheet, top, left, bottom, right) in book.names.items():
        if name == "inspector_sign":  # each between two steps of inspector_box
            continue
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                assert (sheet, row, column) not in taken, (name, taken[sheet, row, column])
                taken[sheet, row, column] = name
    # conv3 has padding 1 on its 18 channels: the cells around `wide`'s maps are blank
    sheet, top, left, bottom, right = book.names["wide_map_4"]
    around = book.sheets[sheet].kind[top - 1 : bottom + 2, left - 1 : right + 2].copy()
    around[1:-1, 1:-1] = 0
    assert not around.any()


def test_padding_is_the_most_that_any_reader_wants(make: Callable[..., Path]) -> None:
    readers = "".join(
        f'[[layers]]\ntype = "conv2d"\nname = "c{p}"\ninput = "input"\nout_channels = 1\nkernel_size = 5\npadding = {p}\n'
        for p in (0, 2, 1)
    )
    path = make('name = "n"\n[input]\nchannels = 2\nheight = 6\nwidth = 6\n' + readers, np.ones((2, 6, 6)), mirrors=False)
    book = read_book(path)
    sheet, top, left, bottom, right = book.names["input_channel_2"]
    assert (book.sheets[sheet].kind[top - 2 : bottom + 3, left - 2 : right + 3] != 0).sum() == 36
    assert sheetcnn.check(path).ok


def test_no_negative_zeros(make: Callable[..., Path]) -> None:
    path = make('name = "n"\n[input]\nchannels = 1\nheight = 1\nwidth = 2\n[[layers]]\ntype = "identity"\n', [[[-0.0, 1]]])
    with zipfile.ZipFile(path) as archive:
        assert not any(b"<v>-0.0</v>" in archive.read(name) for name in archive.namelist())


def test_protection(make: Callable[..., Path]) -> None:
    path = make(NETWORK, PIXELS, protect=True)
    book, grids = openpyxl.load_workbook(path), read_book(path)
    assert all(sheet.protection.sheet for sheet in book.worksheets)
    assert all(not sheet.protection.password for sheet in book.worksheets)
    choices = {f"inspector_{choice}" for choice in ("layer", "map", "row", "column")}
    for name, (sheet, top, left, bottom, right) in grids.names.items():
        words = ("channel", "kernel", "bias", "weight", "scale", "mean", "std", "running", "choice")
        typed = any(f"_{word}" in name for word in words) and not name.startswith(("inspector_", "kernel_", "gallery_"))
        typed = (typed or name in choices) and not re.search(r"_(?!scale)\w+_scale$", name)
        cells = [book[sheet].cell(row, column) for row in (top, bottom) for column in (left, right)]
        assert {cell.protection.locked for cell in cells} == {not typed}, name
    assert not any(sheet.protection.sheet for sheet in openpyxl.load_workbook(make(NETWORK, PIXELS)).worksheets)


def test_blue_is_for_typing(built: tuple[str, Path]) -> None:
    book, grids = openpyxl.load_workbook(built[1]), read_book(built[1])
    for name, (sheet, top, left, *_) in grids.names.items():
        if sheet in ("Overview", "Inspector", "Check", "_kernels", "_inspector") or name == "answer_names":
            continue
        if name in ("input_answer", "input_name", "input_bar", "input_number"):
            assert book[sheet].cell(top, left).font.color.rgb != "FF0000CC"
            continue
        if name.startswith("fc1_kernel"):  # filled in by a list
            wanted = palette.LISTED
        elif name.startswith("fc1_state"):
            wanted = palette.WARNING
        else:  # kernels as built are to be copied, not to be typed over
            black = grids.sheets[sheet].formula(top, left) is not None or "_built_" in name
            wanted = "000000" if black else "0000CC"
        assert book[sheet].cell(top, left).font.color.rgb == f"FF{wanted}", name


def test_cells_are_square(built: tuple[str, Path]) -> None:
    """In pixels as Excel counts them: a digit of Arial 10 is 7 pixels wide, a point is 4/3 pixels."""
    book = openpyxl.load_workbook(built[1])
    assert (book._named_styles["Normal"].font.name, book._named_styles["Normal"].font.sz) == ("Arial", 10)
    for name in ("Input", "fc1", "dense"):
        width = int((256 * book[name].column_dimensions["A"].width + 128 // 7) / 256 * 7)
        assert width == book[name].sheet_format.defaultRowHeight * 4 / 3 == 22


def test_wide_sheets_are_shown_smaller(make: Callable[..., Path]) -> None:
    for width, zoom in ((20, 100), (88, 80), (300, 70)):
        network = f'name = "n"\n[input]\nchannels = 1\nheight = 1\nwidth = {width}\n[[layers]]\ntype = "relu"\n'
        book = openpyxl.load_workbook(make(network, np.zeros((1, 1, width))))
        assert book["Input"].sheet_view.zoomScale == zoom


def test_colour_scales(built: tuple[str, Path]) -> None:
    book, grids = openpyxl.load_workbook(built[1]), read_book(built[1])
    covered = {}
    for name in book.sheetnames:
        for ranges, rules in book[name].conditional_formatting._cf_rules.items():
            for rule in rules:
                if rule.type == "colorScale":
                    for area in str(ranges.sqref).split():
                        covered[name, range_boundaries(area)] = [color.rgb for color in rule.colorScale.color]
    for name, (sheet, top, left, bottom, right) in grids.names.items():
        if sheet in ("Overview", "Inspector", "Check", "_kernels", "_inspector"):
            continue
        if any(f"_{word}" in name for word in ("channel", "normalized", "map", "kernel", "sum", "product")):
            hit = [
                colours
                for (where, (first, above, last, below)), colours in covered.items()
                if where == sheet and first <= left and right <= last and above <= top and bottom <= below
            ]
            assert len(hit) == 1, name
            if "kernel" in name or "sum" in name:
                assert len(hit[0]) == 3, "negative, zero, positive"


@pytest.mark.parametrize("name", templates())
def test_templates_agree(name: str, tmp_path: Path) -> None:
    for detail in ("compact", "steps"):
        built = sheetcnn.build(name, PICTURE_OF[name], tmp_path / "book.xlsx", detail=detail)
        report = sheetcnn.check(built.path)
        assert report.ok, report.findings[:3]
        assert max(layer.largest_difference for layer in report.layers) < 1e-9


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", [name for name in templates() if not LESSONS[name].train])  # those: tests/test_lessons.py
def test_templates_agree_in_libreoffice(name: str, tmp_path: Path) -> None:
    for detail in ("compact", "steps"):
        report = sheetcnn.check(
            sheetcnn.build(name, PICTURE_OF[name], tmp_path / "book.xlsx", detail=detail).path, engine="libreoffice"
        )
        assert report.ok, report.findings[:3]


def test_rgb_filters_against_plain_loops(tmp_path: Path) -> None:
    built = sheetcnn.build("two-convs", "cat", tmp_path / "book.xlsx")
    assert [node.shape for node in built.network.nodes] == [(10, 24, 24), (10, 24, 24)]
    built = sheetcnn.build("rgb-filters", "shapes", tmp_path / "book.xlsx")
    assert [node.shape for node in built.network.nodes] == [(6, 28, 28), (6, 14, 14)]
    np.testing.assert_array_equal(built.values["conv"]["output"][:, ::2, ::2], built.values["conv_stride2"]["output"])


def test_same_convolution_in_plain_loops(make: Callable[..., Path]) -> None:
    rng = np.random.default_rng(2)
    x, weight, bias = rng.normal(size=(3, 6, 5)), rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4)
    path = make(
        'name = "n"\n[input]\nchannels = 3\nheight = 6\nwidth = 5\n[[layers]]\ntype = "conv2d"\nname = "c"\nout_channels = 4\n'
        f"kernel_size = 3\npadding = 1\nweight = {weight.tolist()}\nbias = {bias.tolist()}\n",
        x,
    )
    book = read_book(path)
    want = conv(x, weight, bias)
    for k in range(4):
        sheet, top, left, bottom, right = book.names[f"c_map_{k + 1}"]
        np.testing.assert_allclose(book.sheets[sheet].saved[top : bottom + 1, left : right + 1], want[k], atol=1e-12)
        for c in range(3):
            sheet, top, left, bottom, right = book.names[f"c_kernel_{k + 1}_{c + 1}"]
            np.testing.assert_array_equal(book.sheets[sheet].saved[top : bottom + 1, left : right + 1], weight[k, c])


def test_an_existing_file_is_never_damaged(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(NETWORK, PIXELS)
    before = path.read_bytes()

    def fail(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sheetcnn.xlsx.write.sheet_rows", fail)
    with pytest.raises(SheetcnnError, match="No space left"):
        sheetcnn.build(tmp_path / "net.toml", tmp_path / "net.npy", path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))


def test_what_is_not_finite_is_refused(make: Callable[..., Path], tmp_path: Path) -> None:
    text = (
        'name = "n"\n[input]\nchannels = 1\nheight = 2\nwidth = 2\n[[layers]]\ntype = "conv2d"\nname = "big"\nout_channels = 1\n'
        "kernel_size = 1\nweight = [[[[1e300]]]]\n"
    )
    for pixel, value in ((1e300, "inf"), (-2.0, "-2e\\+300")):  # a few times -2e300, and sums would be infinite
        with pytest.raises(SheetcnnError, match=rf'"big"\): output at \(1, 1, 2\) is {value} .* up to 1e\+300 only'):
            make(text, [[[1, pixel], [0, 0]]], detail="compact")
    with pytest.raises(SheetcnnError, match=r"the input: channel at \(1, 2, 1\) is 1\.1e\+300"):
        make(text, [[[0, 0], [1.1e300, 0]]])
    assert not (tmp_path / "net.xlsx").exists()


@pytest.mark.parametrize(
    "pixels", [[[1e300, 1e300], [1e300, 1e300]], [[1e300, -1e300], [0, 0]], [[-1e300, -1e300], [-1e300, -1e300]]]
)
def test_the_largest_numbers(pixels: list[list[float]], make: Callable[..., Path]) -> None:
    """Nothing that the sheets compute of them, sums and scales and pictures, overflows."""
    text = (
        'name = "n"\n[input]\nchannels = 1\nheight = 2\nwidth = 2\n[[layers]]\ntype = "conv2d"\nname = "big"\nout_channels = 1\n'
        "kernel_size = 1\nweight = [[[[1]]]]\n"
    )
    assert sheetcnn.check(make(text, [pixels])).ok


def test_too_long_formulas_are_refused(make: Callable[..., Path], tmp_path: Path) -> None:
    name = "a" * 31
    text = (
        f'name = "n"\n[input]\nchannels = 1\nheight = 60\nwidth = 60\n[[layers]]\ntype = "relu"\nname = "{name}"\n[[layers]]\n'
        'type = "max_pool2d"\nkernel_size = 15\ndilation = 2\n'
    )
    with pytest.raises(LimitError, match="Excel allows 8,192"):
        make(text, np.zeros((1, 60, 60)), mirrors=False)
    assert not (tmp_path / "net.xlsx").exists()


def test_a_too_long_formula_is_named() -> None:
    """The cell of the longest one in its row: B4 and D4 would fit."""
    texts = ["1", "1" + "+1" * 4_096, "2+2"]
    pour = CellBlock(Grid("s", 4, 2, 1, 3), np.array([[1.0, 4_097.0, 4.0]]), 0, lambda i: texts)
    with pytest.raises(LimitError, match=r"sheet s: the formula in C4 has 8,193 characters; Excel allows 8,192"):
        next(pour.rows())


@pytest.mark.parametrize("value", [1.0, "<&>"])
def test_formulas_of_a_row_that_differ_are_escaped(value: Any) -> None:
    """The first has nothing to escape, the others do."""
    texts = ["1", "IF(2<3,1,0)", '"a"&"b"', "IF(3>2,1,0)"]
    values = np.array([[1.0, 1.0, value, 1.0]], dtype=object if isinstance(value, str) else float)
    [xml] = CellBlock(Grid("s", 4, 2, 1, 4), values, 0, lambda i: texts).rows()
    assert [cell.findtext("f") for cell in ElementTree.fromstring(f"<row>{xml}</row>")] == texts


def test_a_kernel_that_is_spread_out() -> None:
    """Blanks between its elements, none after the last one; whole rows of them between its rows."""
    pour = CellBlock(Grid("s", 4, 2, 2, 2, (2, 3)), np.array([[1.0, 2.0], [3.0, 4.0]]), 7, blank=9)
    cells = [re.findall(r'r="([A-Z]+\d)" s="(\d)"', row) for row in pour.rows()]
    assert cells[0] == [("B4", "7"), ("C4", "9"), ("D4", "9"), ("E4", "7")]
    assert cells[1] == [("B5", "9"), ("C5", "9"), ("D5", "9"), ("E5", "9")]
    assert len(cells) == 3


def test_steps_show_products_and_sum(make: Callable[..., Path]) -> None:
    path = make(NETWORK, PIXELS, detail="steps")
    book = read_book(path)

    def numbers(name: str) -> np.ndarray:
        sheet, top, left, bottom, right = book.names[name]
        return book.sheets[sheet].saved[top : bottom + 1, left : right + 1]

    total = sum(numbers(f"fc1_product_2_{c}") for c in (1, 2, 3))
    np.testing.assert_allclose(numbers("fc1_sum_2"), total, atol=1e-12)  # the bias is 0
    np.testing.assert_array_equal(numbers("fc1_map_2"), np.maximum(numbers("fc1_sum_2"), 0))
    sheet, top, left, *_ = book.names["fc1_map_2"]
    assert re.fullmatch(r"MAX\(0,[A-Z]+\d+\)", str(book.sheets[sheet].formula(top, left)))
