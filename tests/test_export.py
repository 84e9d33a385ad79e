"""Out of a workbook again: weights as .npz, a model that another runtime runs to the same numbers, pixels as PNG."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openpyxl
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from PIL import Image
from test_layers import write_network

import sheetcnn
from sheetcnn.errors import SheetcnnError
from sheetcnn.layers import LAYERS
from sheetcnn.layers.base import Example, Layer
from sheetcnn.templates import templates

# onnx.reference takes the logarithm of a softmax that has become 0.
UNSTABLE = ("log_softmax", [0, -1000])
EXAMPLES = [
    pytest.param(kind, given, id=f"{kind}-{n}")
    for kind, layer in LAYERS.items()
    for n, given in enumerate(layer.examples)
    if (kind, given.y) != UNSTABLE
]


def ran(model: Path, pixels: np.ndarray) -> list[np.ndarray]:
    """What onnx.reference makes of a model, one picture's outputs."""
    loaded = onnx.load(model)
    onnx.checker.check_model(loaded, full_check=True)
    with np.errstate(all="ignore"):
        outputs = ReferenceEvaluator(loaded).run(None, {"input": pixels[None].astype(np.float32)})
    return [output[0] for output in outputs]


def close(have: np.ndarray, want: np.ndarray) -> None:
    """Equal to 1e-5, relative to the largest number."""
    assert have.shape == want.shape
    np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(want).max())))


def write(folder: Path, layers: list[dict[str, Any]], shape: tuple[int, int, int], **more: Any) -> tuple[Path, Path]:
    """A network file, and pixels from 0 to 255."""
    settings = dict(zip(("channels", "height", "width"), shape, strict=True)) | more.pop("input", {})
    (folder / "net.json").write_text(json.dumps({"name": "net", "input": settings, "layers": layers} | more))
    np.save(folder / "x.npy", np.random.default_rng(5).integers(0, 256, shape).astype(float))
    return folder / "net.json", folder / "x.npy"


@pytest.mark.parametrize(("kind", "given"), EXAMPLES)
def test_every_layer_runs_elsewhere(kind: str, given: Example, tmp_path: Path) -> None:
    if LAYERS[kind].to_onnx is Layer.to_onnx and not LAYERS[kind].onnx_operator:
        pytest.skip(f"{kind} says nothing of how it is written in ONNX")
    network, x = write_network(tmp_path, kind, given)
    built = sheetcnn.build(network, x, tmp_path / "book.xlsx")
    sheetcnn.export(built.path, tmp_path / "model.onnx")
    close(ran(tmp_path / "model.onnx", np.load(x))[-1], np.array(given.y, float))


@pytest.mark.parametrize("name", templates())
def test_templates_run_elsewhere(name: str, tmp_path: Path) -> None:
    built = sheetcnn.build(name, "cs231n" if name == "cs231n" else "cat", tmp_path / "book.xlsx", gallery=False)
    sheetcnn.export(built.path, tmp_path / "model.onnx")
    read = {layer for node in built.network.nodes for layer in node.inputs}
    ends = [node.name for node in built.network.nodes if node.name not in read]
    outputs = ran(tmp_path / "model.onnx", built.values["input"]["channel"])
    for end, output in zip(ends, outputs, strict=True):
        close(output, built.values[end]["output"])


def test_normalisation_is_part_of_the_model(tmp_path: Path) -> None:
    """The model takes the pixels, not the normalised ones; edited constants count."""
    settings = {"scale": 255.0, "mean": [0.5, 0.25], "std": 0.5}
    files = write(tmp_path, [{"type": "identity", "name": "end"}], (2, 2, 2), input=settings)
    built = sheetcnn.build(*files, tmp_path / "book.xlsx")
    sheetcnn.export(built.path, tmp_path / "model.onnx")
    pixels = np.load(files[1])
    close(ran(tmp_path / "model.onnx", pixels)[0], (pixels / 255 - np.array([0.5, 0.25]).reshape(2, 1, 1)) / 0.5)


def test_model_comes_back_as_the_same_network(tmp_path: Path) -> None:
    layers = [
        {"type": "conv2d", "name": "conv1", "out_channels": 4, "kernel_size": 3, "padding": 1, "activation": "relu"},
        {"type": "max_pool2d", "name": "pool", "kernel_size": 2},
        {"type": "flatten", "name": "flat"},
        {"type": "linear", "name": "fc", "out_features": 3},
        {"type": "softmax", "name": "answer"},
    ]
    settings = {"scale": 255.0, "mean": [0.5], "std": [0.5]}
    files = write(tmp_path, layers, (1, 6, 6), input=settings, labels=["a", "b", "c"], about="Three classes.")
    built = sheetcnn.build(*files, tmp_path / "book.xlsx")
    sheetcnn.export(built.path, tmp_path / "model.onnx")
    again = sheetcnn.build(tmp_path / "model.onnx", files[1], tmp_path / "again.xlsx")
    assert again.network.settings.labels == ("a", "b", "c")
    assert again.network.settings.about == "Three classes."
    assert again.network.settings.name == "net"
    assert again.network.input == built.network.input
    assert [(node.name, node.layer) for node in again.network.nodes] == [(n.name, n.layer) for n in built.network.nodes]
    close(again.values["answer"]["output"], built.values["answer"]["output"])


def edited(book: Path, name: str, value: float | str) -> None:
    """Type into the first cell of a grid, found by its defined name."""
    opened = openpyxl.load_workbook(book)
    sheet, area = next(iter(opened.defined_names[name].destinations))
    opened[sheet][area.replace("$", "").split(":")[0]] = value
    opened.save(book)


def test_weights_come_back_in_pytorchs_order(tmp_path: Path) -> None:
    """A transposed convolution's weights have other axes in files, its bias has not."""
    layer = {"type": "conv_transpose2d", "name": "up", "out_channels": 6, "kernel_size": [2, 3], "groups": 2}
    rng = np.random.default_rng(4)
    arrays = {"up.weight": rng.normal(size=(4, 3, 2, 3)), "up.bias": rng.normal(size=6)}
    np.savez(tmp_path / "given.npz", **arrays)  # type: ignore[arg-type]
    network, pixels = write(tmp_path, [layer], (4, 2, 2), weights="given.npz")
    [path] = sheetcnn.export(sheetcnn.build(network, pixels, tmp_path / "b.xlsx").path, tmp_path / "again.npz")
    with np.load(path) as again:
        assert {key: array.tolist() for key, array in again.items()} == {key: a.tolist() for key, a in arrays.items()}


def test_weights_with_edits_and_formulas(tmp_path: Path) -> None:
    layers = [
        {"type": "conv2d", "name": "a", "out_channels": 2, "kernel_size": 2, "activation": {"type": "prelu"}},
        {"type": "conv_transpose2d", "name": "b", "out_channels": 4, "kernel_size": 2, "groups": 2},
        {"type": "batch_norm2d", "name": "bn"},
        {"type": "conv2d", "name": "c", "out_channels": 4, "kernel_size": 1, "seed": 3},
        {"type": "conv2d", "name": "d", "out_channels": 4, "kernel_size": 1, "share": "c"},
    ]
    built = sheetcnn.build(*write(tmp_path, layers, (1, 4, 4)), tmp_path / "book.xlsx")
    edited(built.path, "a_kernel_2_1", 7.5)
    edited(built.path, "a_bias_1", "=1/8+2")
    assert sheetcnn.export(built.path, tmp_path / "w.npz") == (tmp_path / "w.npz",)
    arrays = dict(np.load(tmp_path / "w.npz"))
    assert {key: array.shape for key, array in arrays.items()} == {
        "a.weight": (2, 1, 2, 2),
        "a.bias": (2,),
        "a.activation_weight": (1,),
        "b.weight": (2, 2, 2, 2),
        "b.bias": (4,),
        "bn.weight": (4,),
        "bn.bias": (4,),
        "bn.running_mean": (4,),
        "bn.running_var": (4,),
        "c.weight": (4, 4, 1, 1),
        "c.bias": (4,),
    }
    assert arrays["a.weight"][1, 0, 0, 0] == 7.5
    assert arrays["a.bias"][0] == 2.125
    network = json.loads((tmp_path / "net.json").read_text())
    (tmp_path / "again.json").write_text(json.dumps(network | {"weights": "w.npz"}))
    again = sheetcnn.build(tmp_path / "again.json", tmp_path / "x.npy", tmp_path / "again.xlsx")
    opened = dict(np.load(tmp_path / "w.npz"))
    sheetcnn.export(again.path, tmp_path / "again.npz")
    for key, array in np.load(tmp_path / "again.npz").items():
        np.testing.assert_array_equal(array, opened[key])


def test_pixels(tmp_path: Path) -> None:
    built = sheetcnn.build("rgb-filters", "shapes", tmp_path / "book.xlsx")
    edited(built.path, "input_channel_2", 77)
    sheetcnn.export(built.path, picture=tmp_path / "out.png")
    have = np.asarray(Image.open(io.BytesIO((tmp_path / "out.png").read_bytes()))).transpose(2, 0, 1).astype(float)
    want = built.values["input"]["channel"].copy()
    want[1, 0, 0] = 77
    np.testing.assert_array_equal(have, want)


def test_bad_input(tmp_path: Path) -> None:
    built = sheetcnn.build(*write(tmp_path, [{"type": "prelu", "name": "p"}], (2, 3, 3)), tmp_path / "book.xlsx")
    (tmp_path / "old.npz").write_bytes(b"precious")
    cases: list[tuple[tuple[Any, ...], str]] = [
        ((built.path,), "nothing to export; give a file to write"),
        ((built.path, tmp_path / "w.txt"), "w.txt: must end in .npz (weights) or .onnx (a model)"),
        ((built.path, None, tmp_path / "p.jpg"), "p.jpg: must end in .png"),
        ((built.path, tmp_path / "old.npz", tmp_path / "p.png"), "the input has 2 channels; a PNG has 1 or 3"),
        ((tmp_path / "none.xlsx", tmp_path / "w.npz"), "none.xlsx: cannot be read"),
        ((built.path, tmp_path / "nowhere" / "w.npz"), "give a folder that exists"),
    ]
    for (book, *paths), message in cases:
        with pytest.raises(SheetcnnError) as caught:
            sheetcnn.export(book, *paths[:1], picture=(paths[1:] or [None])[0])
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "old.npz").read_bytes() == b"precious"
    edited(built.path, "p_weight_1", "a word")
    with pytest.raises(SheetcnnError, match=r"book.xlsx: p!\w+ holds 'a word', and a number is needed"):
        sheetcnn.export(built.path, tmp_path / "w.npz")
    edited(built.path, "p_weight_1", 1e300)
    with pytest.raises(SheetcnnError, match="too large for the single precision"):
        sheetcnn.export(built.path, tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("pixels", "message"), [([[0.0, 0.5]], "run from 0 to 0.5"), ([[-1.0, 5.0]], "from -1 to 5"), ([[1.0, 256.0]], "to 256")]
)
def test_pixels_that_no_png_holds(pixels: Any, message: str, make: Any, tmp_path: Path) -> None:
    book = make('name = "n"\n[input]\nchannels = 1\nheight = 1\nwidth = 2\n[[layers]]\ntype = "identity"\n', [pixels])
    with pytest.raises(SheetcnnError, match=message):
        sheetcnn.export(book, picture=tmp_path / "out.png")


@pytest.mark.libreoffice
def test_round_trip(tmp_path: Path, office: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """model.onnx → workbook → edited in LibreOffice → model.onnx, which another runtime runs to the workbook's numbers."""
    rng = np.random.default_rng(1)
    weights = {"c.weight": (3, 2, 3, 3), "c.bias": (3,), "t.weight": (3, 2, 2, 2), "fc.weight": (4, 98), "fc.bias": (4,)}
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in weights.items()}
    nodes = [
        helper.make_node("Conv", ["x", "c.weight", "c.bias"], ["c"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("LeakyRelu", ["c"], ["r"], alpha=0.1),
        helper.make_node("ConvTranspose", ["r", "t.weight"], ["t"], strides=[2, 2], pads=[0, 0, 1, 1]),
        helper.make_node("Sigmoid", ["t"], ["s"]),
        helper.make_node("Mul", ["t", "s"], ["silu"]),
        helper.make_node("Flatten", ["silu"], ["f"]),
        helper.make_node("Gemm", ["f", "fc.weight", "fc.bias"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "round",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, 7, 7])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "model.onnx")
    pixels = rng.normal(size=(2, 7, 7))
    np.save(tmp_path / "x.npy", pixels)
    built = sheetcnn.build(tmp_path / "model.onnx", tmp_path / "x.npy", tmp_path / "book.xlsx")
    opened = openpyxl.load_workbook(built.path)
    edits = []
    for name, value in (("c_kernel_2_1", 4.0), ("t_kernel_1_3", -2.5), ("fc_bias", 0.75), ("input_channel_1", 3.0)):
        sheet, area = next(iter(opened.defined_names[name].destinations))
        edits.append([sheet, area.replace("$", "").split(":")[0], value])
    sheet, area = next(iter(opened.defined_names["fc_out"].destinations))
    job = {
        "book": str(built.path),
        "edits": edits,
        "read": [[sheet, area.replace("$", "")]],
        "save": str(tmp_path / "edited.xlsx"),
    }
    (done,) = office([job])
    want = np.array(done["read"][0], float)[:, 0]
    assert np.abs(want - built.values["fc"]["output"]).max() > 1e-3
    sheetcnn.export(tmp_path / "edited.xlsx", tmp_path / "out.onnx")
    pixels[0, 0, 0] = 3.0
    (have,) = ran(tmp_path / "out.onnx", pixels)
    np.testing.assert_allclose(have, want, rtol=1e-5)
