"""Cause and effect on one screen: what a layer reads, its kernels, its bias and its map, computed from the layout."""

from __future__ import annotations

import itertools

import pytest
from test_workbook import PICTURE_OF

import sheetcnn
from sheetcnn.sheets.page import Page
from sheetcnn.sheets.screen import zoom_of

COLUMN, ROW, FIRST_ROW = 24, 22, 35  # pixels, as LibreOffice shows them
WINDOW = {(1366, 700): (1266, 517), (1600, 1000): (1500, 817)}  # what is left for cells in LibreOffice's own window


def box(page: Page, filter_: int = 0) -> tuple[int, int]:
    """Pixels from the sheet's corner to the end of all that belongs to a filter, margins and lists included."""
    own = [
        block
        for block in page.blocks
        if block.array.role == "mirror" or block.index[:1] == (filter_,) or block.array.key == "spread"
    ]
    right = max(block.grid.right + block.margin[3] for block in own)
    bottom = max(block.grid.bottom + block.margin[2] for block in own)
    return right * COLUMN, FIRST_ROW + (bottom - 1) * ROW


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("cs231n", ["conv"]),
        ("conv-types", ["type_1", "type_2_1", "type_2_2"]),
        ("relu-placement", ["right", "mistaken", "bias_outside"]),
        ("pool-order", ["conv", "relu_first", "then_pool", "pool_first", "then_relu"]),
        ("digits", ["conv1"]),
    ],
)
def test_a_whole_filter_is_on_a_small_screen(name: str, layers: list[str]) -> None:
    made = sheetcnn.build(name, PICTURE_OF[name])
    for layer in layers:
        page = made.content.pages[layer]
        width, height = box(page)
        assert width <= WINDOW[1366, 700][0], layer
        assert height <= WINDOW[1366, 700][1], layer
        assert not page.first_band or zoom_of(page) == 100, layer
        keys = {block.array.key for block in page.blocks if block.index[:1] in ((), (0,))}
        if made.network.by_name[layer].layer.type == "conv2d":
            steps = {"product", "sum"} if made.network.by_name[layer].layer.final else {"product"}
            assert {"reads_1", "weight", "bias", "output"} | (steps if layer != "type_1" else set()) <= keys


def test_edges_is_on_a_large_screen() -> None:
    page = sheetcnn.build("edges", "cat").content.pages["edges"]
    zoom = zoom_of(page)
    assert zoom >= 60
    for length, room in zip(box(page), WINDOW[1600, 1000], strict=True):
        assert length * zoom / 100 <= room


def test_kernels_stand_below_their_channels() -> None:
    """Where a filter's row meets its channel's column; of a depthwise layer on the diagonal."""
    for name, layer in (("cs231n", "conv"), ("digits", "conv2"), ("mobilenet-block", "depthwise"), ("unet-tiny", "up")):
        made = sheetcnn.build(name, PICTURE_OF[name])
        page, node = made.content.pages[layer], made.network.by_name[layer]
        across = [block for block in page.blocks if block.array.role == "mirror" or block.array.key == "spread"]
        columns = [block.grid.left - block.margin[1] for block in across]
        assert len(columns) == node.in_shapes[0][0]
        assert {b - a for a, b in itertools.pairwise(columns)} == {columns[1] - columns[0]}
        rows = {block.index[0]: block.grid.top for block in page.blocks if block.array.key == "output"}
        kernels = [block for block in page.blocks if block.array.key == "weight"]
        for block in kernels:
            k, c = block.index
            channel = node.layer.channels_of(k, len(columns)).start + c
            assert block.grid.left == columns[channel], (layer, block.index)
            assert rows[k] <= block.grid.top < rows[k] + 3
            assert all(block.grid.top > one.grid.bottom for one in across)
