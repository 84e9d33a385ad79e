"""Every layer against values worked by hand: its forward, its formulas in our evaluator, and in LibreOffice.

Nothing here is about one layer: a new layer is tested as soon as it names its examples.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import Office

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.formula import read_book
from sheetcnn.layers import LAYERS
from sheetcnn.layers.activation import Activated
from sheetcnn.layers.base import Example

CASES = [
    pytest.param(kind, given, detail, id=f"{kind}-{n}-{detail}")
    for kind, layer in LAYERS.items()
    for n, given in enumerate(layer.examples)
    for detail in ("compact", "steps")
]


def write_network(folder: Path, kind: str, given: Example) -> tuple[Path, Path]:
    """A network of one layer, as JSON, and its input as .npy; before it stands what brings the input into its shape."""
    several = LAYERS[kind].inputs[1] > 1
    xs = [np.array(x, dtype=float) for x in (given.x if several else [given.x])]
    layers, pixels = picked(xs) if several else ([{"type": "flatten"}] if xs[0].ndim == 1 else [], as_maps(xs[0]))
    layers.append({"type": kind, "name": "it", **given.settings, **given.parameters})
    if several:
        layers[-1]["input"] = [f"x{n}" for n in range(len(xs))]
    network = {
        "name": kind,
        "input": dict(zip(("channels", "height", "width"), pixels.shape, strict=True)),
        "layers": layers,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.json").write_text(json.dumps(network))
    np.save(folder / "x.npy", pixels)
    return folder / "net.json", folder / "x.npy"


def as_maps(x: np.ndarray) -> np.ndarray:
    """A vector as maps of one cell."""
    return x.reshape(-1, 1, 1) if x.ndim == 1 else x


def picked(xs: list[np.ndarray]) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Several inputs on one canvas, and the convolutions that pick each out of it again: layers x0, x1, …"""
    maps = [as_maps(x) for x in xs]
    rows, columns = (max(x.shape[axis] for x in maps) for axis in (1, 2))
    canvas = np.concatenate([np.pad(x, ((0, 0), (0, rows - x.shape[1]), (0, columns - x.shape[2]))) for x in maps])
    layers: list[dict[str, Any]] = []
    first = 0
    for n, (x, whole) in enumerate(zip(maps, xs, strict=True)):
        size = [rows - x.shape[1] + 1, columns - x.shape[2] + 1]
        weight = np.zeros((len(x), len(canvas), *size))
        weight[range(len(x)), range(first, first + len(x)), 0, 0] = 1
        first += len(x)
        conv = {"type": "conv2d", "out_channels": len(x), "kernel_size": size, "bias": False, "weight": weight.tolist()}
        layers.append(conv | {"name": f"x{n}" if whole.ndim == 3 else f"pick{n}", "input": "input"})
        if whole.ndim == 1:
            layers.append({"type": "flatten", "name": f"x{n}"})
    return layers, canvas


@pytest.mark.parametrize("kind", LAYERS)
def test_has_examples(kind: str) -> None:
    assert LAYERS[kind].examples, f"{kind} names no examples"


@pytest.mark.parametrize(("kind", "given", "detail"), CASES)
def test_example(kind: str, given: Example, detail: str, tmp_path: Path, office_if_there: Office | None) -> None:
    want = np.array(given.y, dtype=float)
    network, x = write_network(tmp_path, kind, given)
    look = detail == "steps" and given is LAYERS[kind].examples[0]  # once is enough
    built = sheetcnn.build(network, x, tmp_path / "book.xlsx", detail=detail, gallery=look, inspector=look)
    np.testing.assert_allclose(built.values["it"]["output"], want, rtol=1e-12, atol=1e-12)
    report = sheetcnn.check(built.path)
    assert report.ok, report.findings
    # Every cell that is computed has a formula: one that is only a number would not be compared.
    computed = [array for array in built.graph.of["it"] if array.formula is not None]
    [found] = [layer for layer in report.layers if layer.layer == "it"]
    assert found.cells == sum(array.count for array in computed) >= want.size
    if office_if_there is not None:
        np.testing.assert_allclose(office_if_there.output(built), want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", [kind for kind, layer in LAYERS.items() if layer.activates])
@pytest.mark.parametrize("detail", ["compact", "steps"])
def test_activation_is_the_layer_of_that_name(kind: str, detail: str, tmp_path: Path) -> None:
    """A layer with activation = "x" makes the same as the layer followed by one of type x, on maps and on vectors."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(2, 4, 4)))
    conv = {"type": "conv2d", "name": "last", "out_channels": 3, "kernel_size": 3, "seed": 3}
    linear = [{"type": "flatten"}, {"type": "linear", "name": "last", "out_features": 3, "seed": 3}]
    for layers in ([conv], linear):
        results = []
        for chain in ([*layers[:-1], layers[-1] | {"activation": kind}], [*layers, {"type": kind}]):
            network = {"name": kind, "input": {"channels": 2, "height": 4, "width": 4}, "layers": chain}
            (tmp_path / "net.json").write_text(json.dumps(network))
            built = sheetcnn.build(
                tmp_path / "net.json",
                tmp_path / "x.npy",
                tmp_path / "book.xlsx",
                detail=detail,
                gallery=False,
                inspector=False,
            )
            report = sheetcnn.check(built.path)
            assert report.ok, report.findings[:3]
            results.append(list(built.values.values())[-1]["output"])
        np.testing.assert_array_equal(*results)


def test_activation_acts_once_after_the_sum(make: Any) -> None:
    """relu(b + Σ …), never Σ relu(…): 3 and −5 with bias 1 make 0, where the common mistake would make 4."""
    book = make(
        'name = "n"\n[input]\nchannels = 2\nheight = 1\nwidth = 1\n[[layers]]\ntype = "conv2d"\nname = "c"\nout_channels = 1\n'
        'kernel_size = 1\nactivation = "relu"\nweight = [[[[1]], [[1]]]]\nbias = [1]\n',
        [[[3]], [[-5]]],
    )
    opened = read_book(book)
    sheet, top, left, *_ = opened.names["c_map_1"]
    formula = opened.sheets[sheet].formula(top, left)
    assert formula is not None
    assert formula.startswith("MAX(0,")
    assert formula.count("MAX") == 1
    assert opened.sheets[sheet].saved[top, left] == 0


def test_with_steps_a_map_without_activation_is_its_sum(tmp_path: Path) -> None:
    """The sum stands in a grid of its own, and is not computed twice."""
    network, x = write_network(tmp_path, "conv2d", LAYERS["conv2d"].examples[0])
    opened = read_book(sheetcnn.build(network, x, tmp_path / "book.xlsx", detail="steps").path)
    (sheet, row, column, *_), (_, top, left, *_) = opened.names["it_sum_1"], opened.names["it_map_1"]
    assert opened.sheets[sheet].formula(top, left) == f"{LETTERS[column]}{row}"


@pytest.mark.parametrize("kind", [kind for kind, layer in LAYERS.items() if issubclass(layer, Activated)])
def test_words_can_take_an_activation(kind: str) -> None:
    assert " = " in LAYERS[kind].words


def strides(n: int, k: int, p: int, s: int) -> int:
    """The output size of the formula that everybody learns."""
    return (n - k + 2 * p) // s + 1


@pytest.mark.parametrize(
    ("n", "k", "p", "s", "published"),
    [(32, 5, 0, 1, 28), (32, 5, 0, 2, 14), (32, 3, 1, 1, 32), (32, 5, 2, 1, 32), (227, 11, 0, 4, 55), (5, 3, 1, 2, 3)],
)
def test_output_sizes(n: int, k: int, p: int, s: int, published: int) -> None:
    """Sizes that are published (CS231n notes, AlexNet)."""
    layer = LAYERS["conv2d"](out_channels=1, kernel_size=k, padding=p, stride=s)
    assert layer.output_shape((1, n, n)) == (1, published, published)
    assert strides(n, k, p, s) == published


@pytest.mark.parametrize(
    ("settings", "shape", "count"),
    [
        ({"out_channels": 1, "kernel_size": 5}, (3, 32, 32), 76),
        ({"out_channels": 10, "kernel_size": 3, "bias": False}, (3, 8, 8), 270),
        ({"out_channels": 1, "kernel_size": 3, "bias": False}, (10, 8, 8), 90),
        ({"out_channels": 20, "kernel_size": 3, "bias": False}, (10, 8, 8), 1800),
        ({"out_channels": 96, "kernel_size": 11}, (3, 227, 227), 34_944),
        ({"out_channels": 256, "kernel_size": 5, "groups": 2}, (96, 27, 27), 307_456),
    ],
)
def test_parameter_counts(settings: dict[str, Any], shape: tuple[int, ...], count: int) -> None:
    """Counts that are published (CS231n notes, the AlexNet paper's layers)."""
    assert sum(LAYERS["conv2d"](**settings).trainable(shape).values()) == count


def test_dense_unit_on_a_picture() -> None:
    assert sum(LAYERS["linear"](out_features=1).trainable((3072,)).values()) == 3073


@pytest.mark.libreoffice
@pytest.mark.parametrize("kind", ["softmax", "log_softmax"])
def test_softmax_over_a_thousand_maps_of_one_cell(kind: str, tmp_path: Path) -> None:
    """Named one by one, they would make a formula too long for Excel."""
    sizes = {"channels": 1000, "height": 1, "width": 1}
    x = np.random.default_rng(0).normal(size=(1000, 1, 1))
    want = x - np.log(np.exp(x).sum())
    network = {"name": "n", "input": sizes, "layers": [{"type": kind, "name": "it"}]}
    built = sheetcnn.build(network, x, tmp_path / "book.xlsx", gallery=False, inspector=False)
    found = built.values["it"]["output"]
    np.testing.assert_allclose(found, np.exp(want) if kind == "softmax" else want, rtol=1e-12)
    for engine in ("python", "libreoffice"):
        report = sheetcnn.check(built.path, engine=engine)
        assert report.ok, report.findings[:3]
