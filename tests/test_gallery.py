"""The gallery shows every map, live; or the first maps of each layer, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import sheetcnn
from sheetcnn.formula import read_book

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
    np.testing.assert_array_equal(area(book, "gallery_fc_1"), np.repeat(area(book, "fc_out"), 4, axis=1))
    sheet, top, left, *_ = book.names["gallery_conv_2"]
    shown, row, column, *_ = book.names["conv_map_2"]
    assert book.sheets[sheet].formula(top, left) == f"{shown}!{openpyxl.utils.get_column_letter(column)}{row}"


def test_numbers_are_hidden_and_cells_are_tiny_squares(make: Callable[..., Path]) -> None:
    path = make_one(make, 3, 6)
    sheet, (_, top, left, *_) = openpyxl.load_workbook(path)["Gallery"], read_book(path).names["gallery_conv_1"]
    assert sheet.cell(top, left).number_format == ";;;"
    width = int((256 * sheet.column_dimensions["A"].width + 128 // 7) / 256 * 7)
    assert width == sheet.sheet_format.defaultRowHeight * 4 / 3 == 5


def test_a_large_network_shows_its_first_maps_and_says_so(make: Callable[..., Path]) -> None:
    path = make_one(make, 24, 30)
    names = [name for name in read_book(path).names if name.startswith("gallery_conv_") and name != "gallery_conv_scale"]
    assert names == [f"gallery_conv_{k}" for k in range(1, len(names) + 1)]
    assert len(names) * (900 + 784 + 1) + (24 + 3) * 4 <= 20_000 < (len(names) + 1) * (900 + 784 + 1) + (24 + 3) * 4
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
