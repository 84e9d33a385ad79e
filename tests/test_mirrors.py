"""What a layer reads stands on its own sheet, and its formulas read it there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from test_workbook import PICTURE_OF

import sheetcnn
from sheetcnn.formula import read_book
from sheetcnn.formula.parser import skeleton
from sheetcnn.model.drawn import MOST_CELLS, MOST_CHANNELS, mirrored
from sheetcnn.model.network import parse_network
from sheetcnn.templates import templates

Make = Callable[..., Path]

NETWORK = """
name = "small"
[input]
channels = 3
height = 5
width = 5
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 4
kernel_size = 3
padding = 1
activation = "relu"
[[layers]]
type = "conv2d"
name = "pairs"
out_channels = 4
kernel_size = 3
groups = 2
[[layers]]
type = "max_pool2d"
name = "pool"
input = "conv"
kernel_size = 3
[[layers]]
type = "add"
name = "joined"
input = ["pairs", "conv"]
input = ["pairs", "pairs"]
[[layers]]
type = "flatten"
name = "flat"
[[layers]]
type = "linear"
name = "fc"
out_features = 2
[[layers]]
type = "softmax"
name = "answer"
""".replace('input = ["pairs", "conv"]\n', "")
PIXELS = np.random.default_rng(3).integers(0, 9, (3, 5, 5))


@pytest.fixture
def book(make: Make) -> Path:
    return make(NETWORK, PIXELS)


def test_their_names_count_over_all_inputs(book: Path) -> None:
    names = [name for name in read_book(book).names if re.search(r"_reads_\d+$", name)]
    counts = {"conv": 3, "pairs": 4, "pool": 4, "joined": 8, "flat": 4, "answer": 1}
    assert sorted(names) == sorted(f"{layer}_reads_{c}" for layer, count in counts.items() for c in range(1, count + 1))


def test_each_cell_is_the_one_that_it_mirrors(book: Path) -> None:
    opened = read_book(book)
    for mirror, original in (
        ("conv_reads_2", "input_channel_2"),
        ("joined_reads_7", "pairs_map_3"),
        ("answer_reads_1", "fc_out"),
    ):
        (sheet, *corner, bottom, right), (home, top, left, *_) = opened.names[mirror], opened.names[original]
        for row in range(corner[0], bottom + 1):
            for column in range(corner[1], right + 1):
                [read] = skeleton(str(opened.sheets[sheet].formula(row, column)))[1]
                assert (read.sheet, read[1], read[2]) == (home, top + row - corner[0], left + column - corner[1])


def test_formulas_read_nothing_beyond_their_sheet(book: Path) -> None:
    """But for mirrors themselves, and for fully connected layers, whose row is the mirror."""
    opened = read_book(book)
    for layer in ("conv", "pairs", "pool", "joined", "flat", "fc", "answer"):
        name = f"{layer}_out" if layer in ("flat", "fc", "answer") else f"{layer}_map_1"
        sheet, top, left, bottom, right = opened.names[name]
        assert sheet == layer
        for row in range(top, bottom + 1):
            assert all("!" not in str(opened.sheets[sheet].formula(row, column)) for column in range(left, right + 1))


@pytest.mark.parametrize("detail", ["auto", "compact", "steps"])
@pytest.mark.parametrize("mirrors", [None, True, False])
def test_every_cell_agrees(detail: str, mirrors: bool | None, make: Make) -> None:
    path = make(NETWORK, PIXELS, detail=detail, mirrors=mirrors)
    assert sheetcnn.check(path).ok
    assert any("_reads_" in name for name in read_book(path).names) == (mirrors is not False)


@pytest.mark.libreoffice
def test_every_cell_agrees_in_libreoffice(book: Path) -> None:
    assert sheetcnn.check(book, engine="libreoffice").ok


def test_a_number_typed_over_one_is_found(book: Path) -> None:
    opened = openpyxl.load_workbook(book)
    sheet, top, left, *_ = read_book(book).names["pool_reads_3"]
    opened[sheet].cell(top + 1, left + 2).value = 100
    opened.save(book)
    [over] = [finding for finding in sheetcnn.check(book).findings if finding.kind == "overwritten"]
    assert (over.layer, over.value) == ("pool", 100)


def test_a_number_in_their_padding_is_found(book: Path) -> None:
    opened = openpyxl.load_workbook(book)
    sheet, top, left, *_ = read_book(book).names["conv_reads_1"]
    opened[sheet].cell(top - 1, left).value = 7
    opened.save(book)
    assert ("conv", "stray") in {(finding.layer, finding.kind) for finding in sheetcnn.check(book).findings}


def test_they_cost_no_more_than_what_they_mirror() -> None:
    for name in templates():
        graph = sheetcnn.build(name, PICTURE_OF[name]).graph
        cells = sum(array.count for array in graph if array.role == "mirror")
        assert cells <= sum(int(np.prod(shape)) for node in graph.network.nodes for shape in node.in_shapes)


def test_limits() -> None:
    """Up to 16 channels of a layer, and 100,000 cells in all; the sheet of a layer beyond says so."""

    def network(channels: int, side: int) -> list[str]:
        layers = [
            {"type": "conv2d", "name": "wide", "out_channels": channels, "kernel_size": 1},
            {"type": "max_pool2d", "name": "pool", "kernel_size": 2},
        ]
        made = parse_network(
            {"name": "n", "input": {"channels": 1, "height": side, "width": side}, "layers": layers}, "test"
        )
        return sorted(mirrored(made, None))

    assert (MOST_CHANNELS, MOST_CELLS) == (16, 100_000)
    assert network(16, 4) == ["pool", "wide"]
    assert network(17, 4) == ["wide"]
    assert network(16, 76) == ["pool", "wide"], "17 · 76² = 98,192"
    assert network(16, 77) == [], "17 · 77² = 100,793"


def test_a_sheet_without_says_so(make: Make) -> None:
    texts = {
        mirrors: " ".join(read_book(make(NETWORK, PIXELS, mirrors=mirrors)).sheets["conv"].texts.values())
        for mirrors in (True, False)
    }
    assert "What it reads stands on its own sheet" in texts[False]
    assert "What it reads stands on its own sheet" not in texts[True]


def test_a_workbook_says_what_is_drawn(book: Path) -> None:
    texts = [text for place, text in sorted(read_book(book).sheets["_sheetcnn"].texts.items()) if place[0] > 1]
    data = json.loads("".join(texts))
    assert data["mirrors"] == ["answer", "conv", "flat", "joined", "pairs", "pool"]
    assert data["folded"] == ["fc"]
    assert set(data["detail"].values()) <= {"products"}


def test_weights_as_maps(book: Path) -> None:
    """What flatten has made one row of is folded back: the weight of output 2 for map 3, row 1, column 2 of 3×3 maps."""
    opened = read_book(book)
    sheet, top, left, *_ = opened.names["fc_folded_2_3"]
    _, row, column, *_ = opened.names["fc_weight"]
    [read] = skeleton(str(opened.sheets[sheet].formula(top, left + 1)))[1]
    assert (read[1], read[2]) == (row + 1, column + 2 * 9 + 1)


def test_the_label_says_where_it_comes_from(book: Path) -> None:
    texts = set(read_book(book).sheets["pairs"].texts.values())
    assert {f"conv map {c} → channel {c}" for c in range(1, 5)} <= texts
    assert {f"pairs map {c}" for c in range(1, 5)} <= set(read_book(book).sheets["joined"].texts.values())


def test_the_equation_reads_from_left_to_right(book: Path) -> None:
    """map = sum = bias + kernel → product, and both kernels of a group below its own channels."""
    opened = read_book(book)
    first = {
        name: opened.names[name][2]
        for name in ("pairs_map_3", "pairs_bias_3", "pairs_kernel_3_1", "pairs_product_3_1", "pairs_kernel_3_2")
    }
    assert list(first.values()) == sorted(first.values())
    assert opened.names["pairs_kernel_3_1"][2] == opened.names["pairs_reads_3"][2], "filter 3 is of the second group"
    assert re.search(r"=", opened.sheets["pairs"].texts[opened.names["pairs_map_3"][1], first["pairs_bias_3"] - 1])
