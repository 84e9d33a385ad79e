"""Each template settles its question: what it shows is what its `about` says."""

from __future__ import annotations

import re
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
    # The same kernels: what type 1 keeps apart, type 2.1 sums; of type 2.2 the kernels on map 1 are those of type 1.
    kernels = {name: made.content.values[f"{name}.weight"] for name in shapes if name.startswith("type")}
    np.testing.assert_array_equal(kernels["type_1"], kernels["type_2_1"])
    np.testing.assert_array_equal(kernels["type_1"][:, 0], kernels["type_2_2"][:, 0])
    assert len({kernel.tobytes() for kernel in kernels["type_2_2"][0]}) == 3, "one for each map"
    one, shared, own = (made.values[name]["output"] for name in ("type_1", "type_2_1", "type_2_2"))
    np.testing.assert_allclose(shared, one.reshape(2, 3, *one.shape[1:]).sum(axis=1), atol=1e-12)
    assert (np.abs(own - shared) > 0.5).mean() > 0.5
    maps = made.values["maps"]["output"]
    for k, c in np.ndindex(2, 3):  # filter 1 on map 1, 2, 3, then filter 2
        line = maps[c, 3, 2:5] if k == 0 else maps[c, 2:5, 3]
        assert one[3 * k + c, 2, 2] == pytest.approx(line.sum())
    book = read_book(made.path)
    labels = set(book.sheets["type_1"].texts.values())
    assert {f"filter {k} on map {c}" for k in (1, 2) for c in (1, 2, 3)} <= labels
    texts = {name: " ".join(book.sheets[name].texts.values()) for name in ("type_1", "type_2_1", "type_2_2")}
    assert "This is not how CNNs do it" in texts["type_1"]
    assert "This is not how CNNs do it" in texts["type_2_1"]
    assert "This is not how CNNs do it" not in texts["type_2_2"]


def test_relu_placement(tmp_path: Path) -> None:
    made = built("relu-placement", tmp_path)
    right, mistaken, outside = (made.values[name]["output"] for name in ("right", "mistaken", "bias_outside"))
    x, weight, bias = (made.content.values[name] for name in ("input.normalized", "right.weight", "right.bias"))
    each = np.einsum("cijab,kcab->kcij", np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2)), weight)
    bias = bias[:, None, None]
    np.testing.assert_allclose(right, np.maximum(bias + each.sum(axis=1), 0), atol=1e-12)
    np.testing.assert_allclose(mistaken, bias + np.maximum(each, 0).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(outside, bias + np.maximum(each.sum(axis=1), 0), atol=1e-12)
    # The mistakes are plain: in most cells of either map, by far more than rounding; white is neither red nor blue.
    differences = [made.values[name]["output"] for name in ("difference", "bias_difference")]
    np.testing.assert_array_equal(differences, [mistaken - right, outside - right])
    assert [[int((np.abs(one) > 0.1).sum()) for one in maps] for maps in differences] == [[25, 25], [21, 19]]
    white = x[:, 3:6, 0:3] * (weight[0, 0] > 0)  # what the kernels count of it
    assert white[white > 0].min() > 0.72
    assert right[:, 3, 0].tolist() == [0, 0]
    assert mistaken[:, 3, 0] == pytest.approx([3.8, 5.2], abs=0.1), "as if it were"
    assert outside[:, 3, 0].tolist() == [-1, 0.5], "the bias is left over"
    assert right[0].argmax() // 5 < 2 < right[1].argmax() // 5, "the red disc is above, the blue triangle below"
    book = read_book(made.path)
    sheet, top, left, *_ = book.names["mistaken_kernel_1_1"]
    other, row, column, *_ = book.names["right_kernel_1_1"]
    assert book.sheets[sheet].formula(top, left) is not None, "the kernel points at the other's"
    assert "_kernels!" in book.sheets[other].formula(row, column), "which is chosen, or as built"
    sheet, top, left, *_ = book.names["mistaken_map_1"]
    assert str(book.sheets[sheet].formula(top, left)).count("MAX(0,") == 3
    sheet, top, left, *_ = book.names["bias_outside_map_1"]
    formula = str(book.sheets[sheet].formula(top, left))
    assert re.fullmatch(r"\$[A-Z]+\$\d+\+MAX\(0,[A-Z]+\d+\+[A-Z]+\d+\+[A-Z]+\d+\)", formula)
    assert formula.count("MAX(0,") == 1
    texts = {name: " ".join(book.sheets[name].texts.values()) for name in ("right", "mistaken", "bias_outside")}
    assert [name for name in texts if "This is not how CNNs do it" in texts[name]] == ["mistaken", "bias_outside"]
    assert "the bias is added before the activation" in texts["bias_outside"]


def test_relu_placement_in_the_inspector(tmp_path: Path) -> None:
    """Each way in its own words: what ReLU acts on, and when the bias is added."""
    made = built("relu-placement", tmp_path)
    steps = {name: " ".join(made.explain(name, 2, 4, 1).steps) for name in ("right", "mistaken", "bias_outside")}
    assert re.fullmatch(r"sum -\S+ \+ bias 0.5 = -\S+ relu → 0", steps["right"])
    assert re.fullmatch(r"sum 4.7\S* \+ bias 0.5 = 5.2\S*", steps["mistaken"])
    assert re.fullmatch(r"relu\(sum\) 0 \+ bias 0.5 = 0.5", steps["bias_outside"])
    assert "relu(Σ of the sums)" in read_book(made.path).sheets["_inspector"].texts.values()


def test_pool_order(tmp_path: Path) -> None:
    made = built("pool-order", tmp_path)
    assert made.values["conv"]["output"].min() < 0
    assert made.values["then_pool"]["output"].max() > 0
    np.testing.assert_array_equal(made.values["difference"]["output"], 0)
    # What the text tells to look for: windows of four negative cells, where the two ways differ before they meet.
    conv, pooled = made.values["conv"]["output"][0], made.values["pool_first"]["output"][0]
    windows = conv.reshape(4, 2, 4, 2).swapaxes(1, 2).reshape(4, 4, 4)
    negative = (windows < 0).all(axis=2)
    assert negative.sum() == 8, "half of them"
    assert (pooled[negative] < -0.13).all(), "to be seen with two decimals"
    assert (pooled[negative] < -0.9).sum() == 2
    np.testing.assert_array_equal(made.values["then_relu"]["output"][0][negative], 0)
    assert (made.values["relu_first"]["output"][0] == 0).sum() == (conv <= 0).sum() > 4 * 8


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
        ("relu-placement", {"right": 56, "mistaken": 0, "bias_outside": 0}),  # shared weights are counted once
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
