"""Each template settles its question: what it shows is what its `about` says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_workbook import PICTURE_OF

import sheetcnn
from sheetcnn.builder import Built
from sheetcnn.formula import read_book
from sheetcnn.model.costs import costs
from sheetcnn.model.network_file import read_network
from sheetcnn.templates import templates


def built(name: str, folder: Path) -> Built:
    return sheetcnn.build(name, PICTURE_OF[name], folder / "book.xlsx")


def test_every_template_is_tried_and_says_what_it_is() -> None:
    assert set(PICTURE_OF) == set(templates())
    for name, path in templates().items():
        network = read_network(path)
        assert len(network.settings.about) > 100, name
        assert f"sheetcnn build {name} {PICTURE_OF[name]}" in path.read_text(encoding="utf-8").splitlines()[0]


def test_conv_types(tmp_path: Path) -> None:
    made = built("conv-types", tmp_path)
    found = costs(made.network)
    shapes = {node.name: node.shape[0] for node in made.network.nodes}
    assert (shapes["type_1"], shapes["type_2_1"], shapes["type_2_2"]) == (6, 2, 2)
    assert [found[name].parameters for name in ("type_1", "type_2_1", "type_2_2")] == [20, 20, 56]
    # Type 2.1 is the sum of type 1's maps of a filter, were their kernels the same; so with 2.2 and equal kernels.
    book = read_book(made.path)
    texts = {name: " ".join(book.sheets[name].texts.values()) for name in ("type_1", "type_2_1", "type_2_2")}
    assert "This is not how CNNs do it" in texts["type_1"]
    assert "This is not how CNNs do it" in texts["type_2_1"]
    assert "This is not how CNNs do it" not in texts["type_2_2"]


def test_relu_placement(tmp_path: Path) -> None:
    made = built("relu-placement", tmp_path)
    right, mistaken = (made.values[name]["output"] for name in ("right", "mistaken"))
    assert (mistaken >= right - 1e-12).all()
    assert (mistaken > right + 0.1).any()
    np.testing.assert_array_equal(made.values["difference"]["output"], mistaken - right)
    book = read_book(made.path)
    sheet, top, left, *_ = book.names["mistaken_kernel_1_1"]
    other, row, column, *_ = book.names["right_kernel_1_1"]
    assert book.sheets[sheet].formula(top, left) is not None, "the kernel points at the other's"
    assert "_kernels!" in book.sheets[other].formula(row, column), "which is chosen, or as built"
    sheet, top, left, *_ = book.names["mistaken_map_1"]
    assert str(book.sheets[sheet].formula(top, left)).count("MAX(0,") == 3


def test_pool_order(tmp_path: Path) -> None:
    made = built("pool-order", tmp_path)
    assert made.values["conv"]["output"].min() < 0
    assert made.values["then_pool"]["output"].max() > 0
    np.testing.assert_array_equal(made.values["difference"]["output"], 0)


def test_cs231n(tmp_path: Path) -> None:
    """The output that the course notes show."""
    output = built("cs231n", tmp_path).values["conv"]["output"]
    np.testing.assert_array_equal(output[0], [[2, 3, 3], [3, 7, 3], [8, 10, -3]])
    np.testing.assert_array_equal(output[1], [[-8, -8, -3], [-3, 1, 0], [-3, -8, -5]])


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("weights-90-1800", {"one_filter": 90, "twenty_filters": 1800}),
        ("conv-vs-dense", {"one_filter": 76, "one_unit": 3073}),
        ("mobilenet-block", {"plain": 288, "depthwise": 36, "pointwise": 32}),
        ("two-convs", {"conv2": 910}),
        ("relu-placement", {"right": 56, "mistaken": 0}),  # shared weights are counted once
        ("rgb-filters", {"conv": 456, "conv_stride2": 456}),
        ("alexnet-block", {"conv2": 6 * 2 * 9 + 6}),
    ],
)
def test_parameters(name: str, parameters: dict[str, int]) -> None:
    found = costs(read_network(templates()[name]))
    assert {layer: found[layer].parameters for layer in parameters} == parameters


def test_shapes() -> None:
    """What the templates' texts promise."""
    shapes = {name: {node.name: node.shape for node in read_network(path).nodes} for name, path in templates().items()}
    assert shapes["two-convs"]["conv2"] == (10, 24, 24)
    assert shapes["inception-block"]["stacked"] == (8, 12, 12)
    assert shapes["conv3d"]["conv3d"] == (4, 9, 8)
    assert shapes["unet-tiny"]["up"] == (2, 16, 16)
    assert shapes["unet-tiny"]["skip"] == (4, 16, 16)
    assert shapes["squeeze-excite"]["excite"] == (4, 1, 1)
    assert shapes["weights-90-1800"]["twenty_filters"][0] == 20


def test_residual_block_adds_its_input(tmp_path: Path) -> None:
    made = built("resnet-block", tmp_path)
    total = made.values["bn2"]["output"] + made.values["stem"]["output"]
    np.testing.assert_array_equal(made.values["sum_with_input"]["output"], np.maximum(total, 0))


def test_squeeze_and_excitation_scales_whole_maps(tmp_path: Path) -> None:
    made = built("squeeze-excite", tmp_path)
    maps, weights = made.values["maps"]["output"], made.values["excite"]["output"]
    np.testing.assert_allclose(made.values["squeeze"]["output"][:, 0, 0], maps.mean(axis=(1, 2)))
    np.testing.assert_array_equal(made.values["scaled"]["output"], maps * weights)
    assert ((weights > 0) & (weights < 1)).all()
