"""The gallery shows every map, live; or the first maps of each layer, and says so."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import sheetcnn
from sheetcnn.formula import read_book
from sheetcnn.templates import LESSONS
from sheetcnn.xlsx.columns import square_width

NETWORK = """
name = "n"
[input]
channels = {channels}
height = {size}
width = {size}
[[layers]]
type = "conv2d"
name = "conv"
out_channels = {channels}
kernel_size = 3
[[layers]]
type = "global_avg_pool2d"
[[layers]]
type = "flatten"
name = "flat"
[[layers]]
type = "linear"
name = "fc"
out_features = 3
"""


def make_one(make: Callable[..., Path], channels: int, size: int, **options: Any) -> Path:
    pixels = np.random.default_rng(0).normal(size=(channels, size, size))
    return make(NETWORK.format(channels=channels, size=size), pixels, **options)


def area(book: Any, name: str) -> np.ndarray:
    sheet, top, left, bottom, right = book.names[name]
    return book.sheets[sheet].saved[top : bottom + 1, left : right + 1]


def test_every_map_is_there(make: Callable[..., Path]) -> None:
    book = read_book(make_one(make, 3, 6))
    for k in (1, 2, 3):
        np.testing.assert_array_equal(area(book, f"gallery_conv_{k}"), area(book, f"conv_map_{k}"))
    bars = np.repeat(np.repeat(area(book, "fc_out"), 4, axis=1), 2, axis=0)
    np.testing.assert_array_equal(area(book, "gallery_fc_1"), bars)
    sheet, top, left, *_ = book.names["gallery_conv_2"]
    shown, row, column, *_ = book.names["conv_map_2"]
    assert book.sheets[sheet].formula(top, left) == f"{shown}!{openpyxl.utils.get_column_letter(column)}{row}"


def test_numbers_are_hidden_and_cells_are_tiny_squares(make: Callable[..., Path]) -> None:
    """In Excel, whose digits of Arial 10 are 7 pixels wide, and in LibreOffice, whose are 7.4."""
    path = make_one(make, 3, 6)
    sheet, (_, top, left, *_) = openpyxl.load_workbook(path)["Gallery"], read_book(path).names["gallery_conv_1"]
    assert sheet.cell(top, left).number_format == ";;;"
    height = sheet.sheet_format.defaultRowHeight * 4 / 3
    assert height == 16
    assert int((256 * sheet.column_dimensions["A"].width + 128 // 7) / 256 * 7) == height
    assert int(sheet.column_dimensions["A"].width * 7.405) == height
    assert not sheet.sheet_view.showRowColHeaders


@pytest.mark.parametrize("pixels", range(2, 23))
def test_square_cells_of_every_size(pixels: int) -> None:
    width = square_width(pixels)
    assert int((256 * width + 128 // 7) / 256 * 7) == int(width * 7.405) == pixels


def test_places_by_hand(make: Callable[..., Path]) -> None:
    """Cells of 16 pixels: a row for a name and one for a shape, a blank one, and labels one cell wide before the maps.

    A title is as wide as its text, and between two layers there are a line, an arrow's head, and a blank.
    """
    network = 'name = "n"\n[input]\nchannels = 1\nheight = 2\nwidth = 2\n[[layers]]\ntype = "relu"\nname = "act"\n'
    path = make(network, [[[1, 2], [3, 4]]])
    names = read_book(path).names
    assert names["gallery_input_1"][:5] == ("Gallery", 7, 3, 8, 4)
    sheet = openpyxl.load_workbook(path)["Gallery"]
    texts = {
        cell.coordinate: cell.value for row in sheet.iter_rows(min_row=4) for cell in row if isinstance(cell.value, str)
    }
    title = 2 + math.ceil((5 * 6.6 + 6) / 16) + 3  # after the input's title
    assert names["gallery_act_1"][:5] == ("Gallery", 7, title + 1, 8, title + 2)
    letter = openpyxl.utils.get_column_letter
    found = {key: value for key, value in texts.items() if not value.startswith("=")}
    assert found == {
        "B4": "Input", "B5": "1×2×2", "B7": "1", f"{letter(title)}4": "act", f"{letter(title)}5": "1×2×2",
        f"{letter(title)}7": "1", f"{letter(title - 1)}4": "▸",
    }  # fmt: skip
    assert sheet["B4"].hyperlink.location == "Input!A1"


@pytest.mark.parametrize("template", ["digits", "edges", "lenet5", "shapes-rgb", "resnet-block"])
def test_is_whole_on_one_screen(template: str, tmp_path: Path) -> None:
    """Of 1366×700: LibreOffice shows 1,266×517 pixels of cells there, and those that headings would need."""
    path = sheetcnn.build(template, LESSONS[template].picture, tmp_path / "n.xlsx").path
    sheet, names = openpyxl.load_workbook(path)["Gallery"], read_book(path).names
    size = sheet.sheet_format.defaultRowHeight * 4 / 3
    assert size >= 4
    bottom = max([place[3] for place in names.values() if place[0] == "Gallery"])
    right = max([sheet.max_column, *(place[4] for place in names.values() if place[0] == "Gallery")])
    heights = [sheet.row_dimensions[row].height for row in (1, 2, 3)]
    assert sum(heights) * 4 / 3 + (bottom - 3) * size <= 517 + 16
    assert right * size <= 1266 + 34
    assert sheet.freeze_panes is None


def test_thumbnails_are_links_to_their_maps(tmp_path: Path) -> None:
    path = sheetcnn.build("digits", "digit-3", tmp_path / "n.xlsx").path
    sheet, names = openpyxl.load_workbook(path)["Gallery"], read_book(path).names
    letter = openpyxl.utils.get_column_letter
    links = {link.ref.split(":")[0]: link.location for link in sheet._hyperlinks}
    links |= {cell.coordinate: cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink}
    pairs = {f"gallery_conv2_{k}": f"conv2_map_{k}" for k in range(1, 9)}
    pairs |= {f"gallery_conv2_kernel_{k}_{c}": f"conv2_kernel_{k}_{c}" for k in range(1, 9) for c in range(1, 9)}
    pairs |= {"gallery_softmax_1": "softmax_out", "gallery_input_1": "input_channel_1"}
    for thumbnail, shown in pairs.items():
        _, top, left, *_ = names[thumbnail]
        there, row, column, *_ = names[shown]
        wanted = (f"{there}!{letter(column)}{row}", f"'{there}'!{letter(column)}{row}")
        if "input" not in thumbnail:  # the network reads the normalised pixels
            assert links[f"{letter(left)}{top}"] in wanted, thumbnail
        if "kernel" not in thumbnail and "softmax" not in thumbnail and "input" not in thumbnail:
            label = sheet.cell(top, left - 1)
            while label.value is None:
                label = sheet.cell(top, label.column - 1)
            assert label.value == thumbnail.split("_")[-1]
            assert label.hyperlink.location in wanted
    numbers = [cell.value for row in sheet.iter_rows() for cell in row if cell.value in [*"0123456789", "10"]]
    assert numbers.count("0") == 2, "what is fully connected is named as the answers are"
    assert numbers.count("10") == 2  # their shapes


def test_the_gradient_of_each_pixel_comes_last(tmp_path: Path) -> None:
    """Right of all layers, under a heading that says what it is; each cell shows the pixel's gradient, and leads to it."""
    path = sheetcnn.build("digits", "digit-9-hard", tmp_path / "n.xlsx", train=True, inspector=False).path
    sheet, names = openpyxl.load_workbook(path)["Gallery"], read_book(path).names
    _, top, left, bottom, right = names["gallery_input_back_1"]
    there, row, column, *_ = names["input_grad_channel_1"]
    first = f"{openpyxl.utils.get_column_letter(column)}{row}"
    assert sheet.cell(top, left).value == f"={there}!{first}"
    assert (bottom - top, right - left) == (7, 7)
    assert left > names["gallery_softmax_1"][4]
    heading = [cell for row in sheet.iter_rows(max_row=top) for cell in row if cell.value == "Input_back"]
    assert [cell.hyperlink.location for cell in heading] == ["Input_back!A1"]
    below = [sheet.cell(n, heading[0].column).value for n in range(heading[0].row + 1, top)]
    assert [text for text in below if text] == ["gradient of each pixel:", "which pixels matter,", "and which way"]
    report = sheetcnn.check(path)
    assert report.ok
    lost = openpyxl.load_workbook(path)
    del lost["conv2_back"]  # then the rest of the workbook is still checked
    for name in [name for name, defined in lost.defined_names.items() if "conv2_back" in defined.attr_text]:
        del lost.defined_names[name]
    lost.save(path)
    assert not any(finding.layer == "gallery" for finding in sheetcnn.check(path).findings)


def test_kernels_stand_beside_the_maps_that_they_make(make: Callable[..., Path]) -> None:
    path = make_one(make, 3, 6)
    book = read_book(path)
    for k, c in np.ndindex(3, 3):
        name = f"conv_kernel_{k + 1}_{c + 1}"
        np.testing.assert_array_equal(area(book, f"gallery_{name}"), area(book, name))
        _, top, _, _, right = book.names[f"gallery_{name}"]
        _, row, left, *_ = book.names[f"gallery_conv_{k + 1}"]
        assert top == row
        assert right < left
    edited = openpyxl.load_workbook(path)
    _, top, left, *_ = book.names["gallery_conv_kernel_2_3"]
    edited["Gallery"].cell(top, left).value = "=conv!A1"
    edited.save(path)
    assert [(f.layer, f.kind) for f in sheetcnn.check(path).findings] == [("gallery", "changed")]


@pytest.mark.parametrize(("channels", "shown"), [(8, 64), (9, 0)])
def test_many_kernels_are_not_shown(channels: int, shown: int, make: Callable[..., Path]) -> None:
    path = make_one(make, channels, 6)
    assert len([name for name in read_book(path).names if name.startswith("gallery_conv_kernel_")]) == shown
    assert sheetcnn.check(path).ok


def test_kernels_leave_names_to_maps(make: Callable[..., Path]) -> None:
    """`gallery_conv_kernel_1_1` is the first map of `conv_kernel_1`, and would be the first kernel of `conv`."""
    more = '[[layers]]\ntype = "relu"\nname = "conv_kernel_1"\ninput = "conv"\n'
    path = make(NETWORK.format(channels=2, size=5) + more, np.ones((2, 5, 5)))
    names = [name for name in read_book(path).names if name.startswith("gallery_conv_kernel_")]
    assert sorted(name for name in names if not name.endswith("scale")) == [
        "gallery_conv_kernel_1_1",
        "gallery_conv_kernel_1_2",
    ]
    assert sheetcnn.check(path).ok


def test_handouts_show_no_kernels(tmp_path: Path) -> None:
    [book] = sheetcnn.hand_out("edges", "cat", tmp_path).workbooks
    names = [name for name in openpyxl.load_workbook(book).defined_names if name.startswith("gallery_")]
    assert "gallery_edges_1" in names
    assert not [name for name in names if "kernel" in name]


def test_a_large_network_shows_its_first_maps_and_says_so(make: Callable[..., Path]) -> None:
    path = make_one(make, 24, 30)
    names = [name for name in read_book(path).names if name.startswith("gallery_conv_") and name != "gallery_conv_scale"]
    assert names == [f"gallery_conv_{k}" for k in range(1, len(names) + 1)]
    rest = (24 + 3 * 2) * 4  # `flat` in a row for each number, `fc` in two
    assert len(names) * (900 + 784 + 1) + rest <= 20_000 < (len(names) + 1) * (900 + 784 + 1) + rest
    texts = [
        cell.value for row in openpyxl.load_workbook(path)["Gallery"].iter_rows(max_row=3) for cell in row if cell.value
    ]
    assert any(f"It shows the first maps of each layer, {3 * len(names)} of 72." in text for text in texts)
    assert sheetcnn.check(path).ok


def test_without_a_gallery(make: Callable[..., Path]) -> None:
    path = make_one(make, 3, 6, gallery=False)
    assert "Gallery" not in openpyxl.load_workbook(path).sheetnames
    assert not [name for name in read_book(path).names if name.startswith("gallery")]
    assert sheetcnn.check(path).ok


def test_a_network_too_large_for_any_gallery(make: Callable[..., Path]) -> None:
    path = make(
        'name = "n"\n[input]\nchannels = 1\nheight = 150\nwidth = 150\n[[layers]]\ntype = "relu"\n', np.zeros((1, 150, 150))
    )
    assert "Gallery" not in openpyxl.load_workbook(path).sheetnames
    assert sheetcnn.check(path).ok


def test_maps_that_are_too_large_are_left_out(make: Callable[..., Path]) -> None:
    path = make(
        'name = "n"\n[input]\nchannels = 1\nheight = 150\nwidth = 150\n[[layers]]\ntype = "max_pool2d"\nname = "pool"\nkernel_size = 2\n'
        '[[layers]]\ntype = "flatten"\n',
        np.random.default_rng(0).normal(size=(1, 150, 150)),
    )
    assert [name for name in read_book(path).names if name.startswith("gallery")] == ["gallery_pool_1", "gallery_pool_scale"]
    texts = {cell.value for row in openpyxl.load_workbook(path)["Gallery"].iter_rows(max_row=3) for cell in row}
    assert any("Large maps and long vectors are left out." in text for text in texts if text)
    assert sheetcnn.check(path).ok


def test_check_covers_the_gallery(make: Callable[..., Path]) -> None:
    path = make_one(make, 3, 6)
    book = openpyxl.load_workbook(path)
    _, top, left, *_ = read_book(path).names["gallery_conv_2"]
    book["Gallery"].cell(top, left).value = "=conv!A1"
    book.save(path)
    findings = sheetcnn.check(path).findings
    assert [(f.layer, f.kind, f.cell) for f in findings] == [
        ("gallery", "changed", f"Gallery!{openpyxl.utils.get_column_letter(left)}{top}")
    ]


@pytest.mark.libreoffice
def test_an_edit_is_seen_at_once(make: Callable[..., Path], office: Callable, tmp_path: Path) -> None:
    path = make_one(make, 3, 6)
    book = read_book(path)
    _, top, left, *_ = book.names["conv_kernel_2_1"]
    _, row, column, last, end = book.names["gallery_conv_2"]
    letter = openpyxl.utils.get_column_letter
    shown = ["Gallery", f"{letter(column)}{row}:{letter(end)}{last}"]
    edit = ["conv", f"{letter(left)}{top}", 9]
    before, after = office([{"book": str(path), "read": [shown]}, {"book": str(path), "edits": [edit], "read": [shown]}])
    assert (np.array(before["read"][0]) != np.array(after["read"][0])).all()
