"""Models in ONNX: each pattern that exporters write, and each thing that a file from anywhere may be."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import sheetcnn
from sheetcnn.errors import SheetcnnError
from sheetcnn.onnx import Imported, read_onnx

RNG = np.random.default_rng(7)
CONV = RNG.normal(size=(4, 2, 3, 3)).astype(np.float32)
Nodes = list[onnx.NodeProto]


def node(operator: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """A node; names stand with blanks between them, "-" for an input that is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(operator, names, outputs.split(), outputs.split()[0], **attributes)


def model(
    nodes: Nodes, shape: Any = (1, 2, 5, 5), opset: int = 20, outputs: str = "y", folder: Path | None = None, **weights: Any
) -> onnx.ModelProto:
    """A model with the input x; `__` in a weight's name stands for a point."""
    arrays = [numpy_helper.from_array(np.asarray(array), name.replace("__", ".")) for name, array in weights.items()]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.split()],
        arrays,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def read(made: onnx.ModelProto, folder: Path, **options: Any) -> Imported:
    onnx.save(made, folder / "model.onnx")
    return read_onnx(folder / "model.onnx", **options)


def agrees(made: onnx.ModelProto, folder: Path, tolerance: float = 1e-5) -> Imported:
    """What the model became, once the workbook's numbers are those of onnx.reference."""
    imported = read(made, folder)
    shape = tuple(side.dim_value or 1 for side in made.graph.input[0].type.tensor_type.shape.dim)
    x = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    picture = imported.description["input"]
    maps = (picture["channels"], picture["height"], picture["width"])
    last = len(shape) == 4 and shape[1:] != maps  # channels come last
    np.save(folder / "x.npy", (x[0].transpose(2, 0, 1) if last else x.reshape(maps)).astype(float))
    built = sheetcnn.build(folder / "model.onnx", folder / "x.npy", folder / "book.xlsx", gallery=False)
    with np.errstate(all="ignore"):
        want = ReferenceEvaluator(made).run(None, {"x": x})[0]
    have = list(built.values.values())[-1]["output"]
    if np.ndim(want) == have.ndim + 1 == 4 and want[0].shape == (*have.shape[1:], have.shape[0]) != have.shape:
        have = have.transpose(1, 2, 0)  # channels come last
    np.testing.assert_allclose(have.reshape(-1), np.asarray(want).reshape(-1), rtol=tolerance, atol=tolerance)
    report = sheetcnn.check(built.path)
    assert report.ok, report.findings[:3]
    return imported


def kinds(imported: Imported) -> list[str]:
    return [layer["type"] for layer in imported.description["layers"]]


# -- activations in pieces -----------------------------------------------------------------------------------------------

HALF, ONE, TWO, THREE, SIX = (np.float32(n) for n in (0.5, 1, 2, 3, 6))
ROOT2 = np.float32(np.sqrt(2))
PIECES: dict[str, tuple[Nodes, dict[str, Any]]] = {
    "silu": ([node("Sigmoid", "x", "s"), node("Mul", "x s", "y")], {}),
    "silu turned around": (
        [node("Neg", "x", "n"), node("Exp", "n", "e"), node("Add", "e one", "d"), node("Div", "x d", "y")],
        {"one": ONE},
    ),
    "gelu": (
        [node("Div", "x root", "d"), node("Erf", "d", "e"), node("Add", "e one", "a"), node("Mul", "x a", "m"), node("Mul", "m half", "y")],
        {"root": ROOT2, "one": ONE, "half": HALF},
    ),
    "gelu otherwise": (
        [node("Mul", "x inverse", "d"), node("Erf", "d", "e"), node("Add", "one e", "a"), node("Mul", "half x", "h"), node("Mul", "h a", "y")],
        {"inverse": 1 / ROOT2, "one": ONE, "half": HALF},
    ),
    "gelu with tanh": (
        [node("Pow", "x three", "p"), node("Mul", "p k", "q"), node("Add", "x q", "r"), node("Mul", "r c", "s"), node("Tanh", "s", "t"),
         node("Add", "t one", "u"), node("Mul", "x u", "v"), node("Mul", "v half", "y")],
        {"three": THREE, "k": np.float32(0.044715), "c": np.float32(np.sqrt(2 / np.pi)), "one": ONE, "half": HALF},
    ),
    "hard_swish": ([node("HardSigmoid", "x", "h", alpha=1 / 6, beta=0.5), node("Mul", "x h", "y")], {}),
    "hard_swish in more pieces": (
        [node("Add", "x three", "a"), node("Clip", "a zero six", "c"), node("Mul", "x c", "m"), node("Div", "m six", "y")],
        {"three": THREE, "zero": np.float32(0), "six": SIX},
    ),
    "hard_sigmoid": (
        [node("Add", "x three", "a"), node("Clip", "a zero six", "c"), node("Div", "c six", "y")],
        {"three": THREE, "zero": np.float32(0), "six": SIX},
    ),
    "mish": ([node("Softplus", "x", "s"), node("Tanh", "s", "t"), node("Mul", "x t", "y")], {}),
    "mish in more pieces": (
        [node("Exp", "x", "e"), node("Add", "e one", "a"), node("Log", "a", "l"), node("Tanh", "l", "t"), node("Mul", "t x", "y")],
        {"one": ONE},
    ),
    "softsign": ([node("Abs", "x", "a"), node("Add", "a one", "b"), node("Div", "x b", "y")], {"one": ONE}),
    "sigmoid": ([node("Neg", "x", "n"), node("Exp", "n", "e"), node("Add", "e one", "a"), node("Reciprocal", "a", "y")], {"one": ONE}),
    "relu": ([node("Max", "x zero", "y")], {"zero": np.float32(0)}),
    "relu6": ([node("Relu", "x", "r"), node("Min", "r six", "y")], {"six": SIX}),
    "clip": ([node("Max", "x low", "a"), node("Min", "a high", "y")], {"low": np.float32(-0.5), "high": TWO}),
    "leaky_relu": (
        [node("Less", "x zero", "c"), node("Mul", "x k", "k_x"), node("Where", "c k_x x", "y")],
        {"zero": np.float32(0), "k": np.float32(0.2)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PIECES)
def test_activation_in_pieces(name: str, tmp_path: Path) -> None:
    nodes, weights = PIECES[name]
    assert kinds(agrees(model(nodes, **weights), tmp_path)) == [name.split(" ")[0]]


def test_bound_far_away_is_seen(tmp_path: Path) -> None:
    """min(relu(x), 1000) is not relu."""
    imported = agrees(model([node("Relu", "x", "r"), node("Min", "r far", "y")], far=np.float32(1000)), tmp_path)
    assert imported.description["layers"] == [{"type": "clip", "name": "y", "min_val": 0.0, "max_val": 1000.0}]


def test_activation_after_an_activation(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "r"), node("Sigmoid", "r", "s"), node("Mul", "r s", "y")]
    assert kinds(agrees(model(nodes), tmp_path)) == ["relu", "silu"]


def test_what_is_no_activation_is_drawn_in_pieces(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "r"), node("Add", "x r", "y")]
    assert kinds(agrees(model(nodes), tmp_path)) == ["relu", "add"]


# -- constants -----------------------------------------------------------------------------------------------------------


def test_constants_become_normalisation(tmp_path: Path) -> None:
    mean, std = np.array([0.5, 0.25], np.float32).reshape(2, 1, 1), np.array([0.5, 0.125], np.float32).reshape(2, 1, 1)
    nodes = [node("Div", "x scale", "a"), node("Sub", "a mean", "b"), node("Div", "b std", "c"), node("Relu", "c", "y")]
    imported = agrees(model(nodes, scale=np.float32(255), mean=mean, std=std), tmp_path)
    assert imported.description["input"] == {
        "channels": 2, "height": 5, "width": 5, "scale": 255.0, "mean": [0.5, 0.25], "std": [0.5, 0.125],
    }  # fmt: skip
    assert kinds(imported) == ["relu"]
    given = read(model(nodes, scale=np.float32(255), mean=mean, std=std), tmp_path, scale=2.0)
    assert given.description["input"]["scale"] == 2.0
    assert kinds(given) == ["batch_norm2d", "batch_norm2d"]  # scale, then mean and std


def test_model_of_constants_only(tmp_path: Path) -> None:
    """What normalises is the input's; the last of it stays a layer, since there must be one."""
    nodes = [node("Div", "x k", "a"), node("Sub", "a k", "y")]
    imported = agrees(model(nodes, k=np.float32(2)), tmp_path)
    assert imported.description["input"]["scale"] == 2.0
    assert kinds(imported) == ["batch_norm2d"]


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("first", [False, True])
def test_constants_become_batch_norm(operator: str, first: bool, tmp_path: Path) -> None:
    if operator == "Div" and first:
        return
    constant = np.array([-0.5, 2.0], np.float32).reshape(1, 2, 1, 1)
    nodes = [node("Tanh", "x", "t"), node(operator, "c t" if first else "t c", "y")]
    assert kinds(agrees(model(nodes, c=constant), tmp_path)) == ["tanh", "batch_norm2d"]


def test_scale_and_shift_are_one_layer(tmp_path: Path) -> None:
    nodes = [node("Tanh", "x", "t"), node("Mul", "t k", "m"), node("Add", "m b", "a"), node("Relu", "a", "y")]
    arrays = {"k": np.array([[[2.0]], [[3.0]]], np.float32), "b": np.array([[[1.0]], [[-1.0]]], np.float32)}
    norm = agrees(model(nodes, **arrays), tmp_path).description["layers"][1]
    assert norm == {"type": "batch_norm2d", "name": "m", "eps": 0.0, "activation": "relu"}


def test_bias_that_is_added_later(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "c", kernel_shape=[3, 3]), node("Add", "c b", "y")]
    imported = agrees(model(nodes, w=CONV, b=np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1)), tmp_path)
    assert kinds(imported) == ["conv2d"]
    np.testing.assert_array_equal(imported.weights["c.bias"], [0, 1, 2, 3])
    nodes.append(node("Add", "c y", "z"))  # the sum without the bias is read as well: the bias stays apart
    assert kinds(agrees(model(nodes, outputs="z", w=CONV, b=np.ones((4, 1, 1), np.float32)), tmp_path)) == [
        "conv2d", "batch_norm2d", "add",
    ]  # fmt: skip


def test_matmul_and_add(tmp_path: Path) -> None:
    nodes = [node("Flatten", "x", "f"), node("MatMul", "f w", "m"), node("Add", "m b", "a"), node("Relu", "a", "y")]
    arrays = {"w": RNG.normal(size=(50, 3)).astype(np.float32), "b": np.array([1, 2, 3], np.float32)}
    assert kinds(agrees(model(nodes, **arrays), tmp_path)) == ["flatten", "linear"]


def test_constants_on_a_vector(tmp_path: Path) -> None:
    nodes = [node("Flatten", "x", "f"), node("Tanh", "f", "t"), node("Mul", "t k", "y")]
    constant = np.arange(8, dtype=np.float32)
    imported = agrees(model(nodes, (1, 2, 2, 2), k=constant), tmp_path)
    assert kinds(imported) == ["tanh", "flatten", "unflatten", "batch_norm2d", "flatten"]


@pytest.mark.parametrize("turned", [False, True])
def test_gemm(turned: bool, tmp_path: Path) -> None:
    weight = RNG.normal(size=(3, 50) if turned else (50, 3)).astype(np.float32)
    nodes = [node("Flatten", "x", "f"), node("Gemm", "f w b", "y", transB=int(turned), alpha=0.5, beta=2.0)]
    assert kinds(agrees(model(nodes, w=weight, b=np.ones(3, np.float32)), tmp_path)) == ["flatten", "linear"]


# -- shapes --------------------------------------------------------------------------------------------------------------


def test_chain_that_only_flattens(tmp_path: Path) -> None:
    """Shape, Gather, Unsqueeze, Concat and Reshape, as exporters write x.view(x.size(0), -1)."""
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Unsqueeze", "n axes", "u"),
        node("Concat", "u rest", "c", axis=0),
        node("Reshape", "x c", "r"),
        node("Gemm", "r w", "y", transB=1),
    ]
    arrays = {
        "zero": np.array(0),
        "axes": np.array([0]),
        "rest": np.array([-1]),
        "w": RNG.normal(size=(3, 50)).astype(np.float32),
    }
    assert kinds(agrees(model(nodes, ("N", 2, 5, 5), **arrays), tmp_path)) == ["flatten", "linear"]


def test_weights_through_other_nodes(tmp_path: Path) -> None:
    nodes = [
        node("Constant", "", "k", value=numpy_helper.from_array(CONV.astype(np.float16).transpose(1, 0, 2, 3))),
        node("Cast", "k", "k32", to=1),
        node("Transpose", "k32", "t", perm=[1, 0, 2, 3]),
        node("Identity", "t", "w"),
        node("Conv", "x w", "y", kernel_shape=[3, 3]),
    ]
    imported = agrees(model(nodes), tmp_path)
    np.testing.assert_array_equal(imported.weights["y.weight"], CONV.astype(np.float16))


@pytest.mark.parametrize("mode", ["reflect", "constant"])
def test_pad(mode: str, tmp_path: Path) -> None:
    nodes = [node("Pad", "x p", "q", mode=mode), node("Conv", "q w", "y", kernel_shape=[3, 3], pads=[1, 0, 0, 1])]
    imported = agrees(model(nodes, w=CONV, p=np.array([0, 0, 1, 2, 0, 0, 0, 1])), tmp_path)
    assert kinds(imported) == (["conv2d"] if mode == "constant" else ["pad", "conv2d"])


@pytest.mark.parametrize("auto", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_auto_pad(auto: str, tmp_path: Path) -> None:
    nodes = [
        node("MaxPool", "x", "p", kernel_shape=[2, 2], auto_pad=auto),
        node("Conv", "p w", "y", strides=[2, 2], auto_pad=auto),
    ]
    agrees(model(nodes, w=CONV), tmp_path)


def test_channels_last(tmp_path: Path) -> None:
    """As Keras models come: turned around at the beginning, and again before they are flattened."""
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w", "c", kernel_shape=[3, 3]),
        node("Relu", "c", "r"),
        node("Transpose", "r", "u", perm=[0, 2, 3, 1]),
        node("Reshape", "u size", "f"),
        node("MatMul", "f v", "y"),
    ]
    arrays = {"w": CONV, "size": np.array([1, -1]), "v": RNG.normal(size=(48, 3)).astype(np.float32)}
    imported = agrees(model(nodes, (1, 6, 5, 2), **arrays), tmp_path)
    assert kinds(imported) == ["conv2d", "flatten", "linear"]
    assert imported.description["input"] == {"channels": 2, "height": 6, "width": 5}


MOVED: dict[str, tuple[Nodes, dict[str, Any], list[dict[str, Any]]]] = {
    "crop": (
        [node("Slice", "x a b axes", "c"), node("Slice", "c a b other", "y")],
        {"a": np.array([1]), "b": np.array([-1]), "axes": np.array([2]), "other": np.array([3])},
        [{"rows": "1:4", "columns": "1:4"}],
    ),
    "flip": ([node("Slice", "x a b axes steps", "y")], {"a": np.array([-1]), "b": np.array([-99]), "axes": np.array([3]), "steps": np.array([-1])}, [{"columns": "::-1"}]),
    "backwards": ([node("Slice", "x a b axes steps", "y")], {"a": np.array([3]), "b": np.array([0]), "axes": np.array([2]), "steps": np.array([-2])}, [{"rows": [3, 1]}]),
    "halves": ([node("Split", "x", "a b", axis=1, num_outputs=2), node("Sub", "a b", "y")], {}, [{"channels": 0}, {"channels": 1}]),
    "parts": ([node("Split", "x k", "a b", axis=3), node("Relu", "b", "y")], {"k": np.array([2, 3])}, [{"columns": "2:"}, {}]),
    "bgr": ([node("Gather", "x k", "y", axis=1)], {"k": np.array([1, 0])}, [{"channels": "::-1"}]),
    "one channel": ([node("Gather", "x k", "y", axis=1)], {"k": np.array(-1)}, [{"channels": 1}]),
    "tile": ([node("Tile", "x k", "y")], {"k": np.array([1, 1, 2, 1])}, [{"rows": [":", ":"]}]),
    "broadcast": ([node("GlobalMaxPool", "x", "g"), node("Expand", "g k", "y")], {"k": np.array([1, 2, 3, 4])}, [{}, {"scale_factor": [3, 4]}]),
    "rows and columns": ([node("Transpose", "x", "t", perm=[0, 1, 3, 2]), node("Relu", "t", "r"), node("GlobalAveragePool", "r", "g"), node("Mul", "g r", "y")], {}, None),
    "in circles": ([node("Pad", "x p", "y", mode="wrap")], {"p": np.array([0, 0, 2, 0, 0, 0, 1, 1])}, [{"rows": [3, 4, ":", 0], "columns": [":", 0]}]),
    "channels repeated": ([node("Pad", "x p", "y", mode="edge")], {"p": np.array([0, 1, 0, 0, 0, 1, 0, 0])}, [{"channels": [0, 0, 1, 1]}]),
    "nearest": ([node("Resize", "x - - s", "y", mode="nearest")], {"s": np.array([1, 2, 7, 3])}, None),
    "repeated rows": (
        [node("Unsqueeze", "x k", "u"), node("Tile", "u t", "v"), node("Reshape", "v s", "y")],
        {"k": np.array([3]), "t": np.array([1, 1, 1, 2, 1]), "s": np.array([1, 2, 10, 5])},
        [{"scale_factor": [2, 1]}],
    ),
    "cells of a vector": ([node("Flatten", "x", "f"), node("Slice", "f a b axes", "y")], {"a": np.array([10]), "b": np.array([20]), "axes": np.array([1])}, [{}, {"cells": "10:20"}]),
    "quarter turn": ([node("Transpose", "x", "t", perm=[0, 1, 3, 2]), node("Slice", "t a b axes steps", "y")], {"a": np.array([-1]), "b": np.array([-99]), "axes": np.array([3]), "steps": np.array([-1])}, [{"rows": "::-1", "pattern": "c h w -> c w h"}]),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVED)
def test_moved_cells(name: str, tmp_path: Path) -> None:
    """Whatever refers each cell to one cell is drawn, in as few layers as say it."""
    nodes, weights, want = MOVED[name]
    imported = agrees(model(nodes, **weights), tmp_path)
    if want is not None:
        moved = [layer for layer in imported.description["layers"] if layer["type"] != "subtract"]
        assert [
            {key: value for key, value in layer.items() if key not in ("type", "name", "input")} for layer in moved
        ] == want


def test_padding_that_cuts_off(tmp_path: Path) -> None:
    """Less than none is a crop; onnx.reference does not have it."""
    made = model([node("Pad", "x p v", "y")], p=np.array([0, 0, -1, 1, 0, 0, 0, -2]), v=np.float32(7))
    imported = read(made, tmp_path)
    assert kinds(imported) == ["rearrange", "pad"]
    x = np.random.default_rng(0).normal(size=(2, 5, 5))
    np.save(tmp_path / "x.npy", x)
    built = sheetcnn.build(tmp_path / "model.onnx", tmp_path / "x.npy", tmp_path / "book.xlsx")
    want = np.concatenate([np.full((2, 4, 1), 7.0), x[:, 1:, :3]], axis=2)
    np.testing.assert_array_equal(list(built.values.values())[-1]["output"], want)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_blocks(mode: str, tmp_path: Path) -> None:
    nodes = [node("SpaceToDepth", "x", "s", blocksize=2), node("Relu", "s", "r"), node("DepthToSpace", "r", "y", blocksize=2, mode=mode)]  # fmt: skip
    imported = agrees(model(nodes, (1, 2, 4, 6)), tmp_path)
    assert kinds(imported) == ["relu"] if mode == "DCR" else ["rearrange", "relu", "pixel_shuffle"]


def test_moved_channels_last(tmp_path: Path) -> None:
    """What is done to a tensor whose channels come last is drawn on maps, and the maps are shown as they are."""
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w", "c", kernel_shape=[3, 3]),
        node("Transpose", "c", "u", perm=[0, 2, 3, 1]),
        node("Slice", "u a b axes", "s"),
        node("Pad", "s p", "y"),
    ]
    arrays = {
        "w": CONV,
        "a": np.array([1]),
        "b": np.array([3]),
        "axes": np.array([1]),
        "p": np.array([0, 0, 2, 0, 0, 1, 0, 0]),
    }
    imported = agrees(model(nodes, (1, 6, 5, 2), **arrays), tmp_path)
    assert [layer["type"] for layer in imported.description["layers"]] == ["conv2d", "rearrange", "pad"]
    assert imported.description["layers"][1]["rows"] == "1:3"
    assert imported.description["layers"][2]["padding"] == [0, 2, 1, 0]


def test_channels_last_without_a_turn(tmp_path: Path) -> None:
    """Keras turns one channel by Reshape, since nothing moves; a normalisation may stand before it."""
    nodes = [node("Div", "x k", "d"), node("Reshape", "d s", "t"), node("Conv", "t w", "y", kernel_shape=[3, 3])]
    arrays = {"w": CONV[:, :1], "k": np.float32(255), "s": np.array([-1, 1, 6, 5])}
    imported = agrees(model(nodes, ("N", 6, 5, 1), **arrays), tmp_path)
    assert imported.description["input"] == {"channels": 1, "height": 6, "width": 5, "scale": 255.0}
    assert kinds(imported) == ["conv2d"]


def test_channels_first_stay_first(tmp_path: Path) -> None:
    """Of 4×3×3 pictures the first axis is the channels where a convolution reads it so, whatever the sizes look like."""
    imported = agrees(model([node("Neg", "x", "n"), node("Conv", "n w", "y")], (1, 8, 8, 3), w=np.ones((1, 8, 2, 2), np.float32)), tmp_path)  # fmt: skip
    assert imported.description["input"] == {"channels": 8, "height": 8, "width": 3}


LAST: dict[str, tuple[Nodes, dict[str, Any], list[str]]] = {
    "softmax": ([node("Softmax", "u", "y", axis=-1)], {}, ["conv2d", "softmax"]),
    "concat": ([node("Relu", "u", "r"), node("Concat", "u r", "y", axis=3)], {}, ["conv2d", "relu", "concat"]),
    "dense": (
        [node("MatMul", "u m", "d"), node("Add", "d b", "y")],
        {"m": RNG.normal(size=(4, 3)).astype(np.float32), "b": np.arange(3, dtype=np.float32)},
        ["conv2d", "conv2d"],
    ),
    "scaled by a mean": (
        [node("ReduceMean", "u axes", "g"), node("Sigmoid", "g", "s"), node("Mul", "u s", "y")],
        {"axes": np.array([1, 2])},
        ["conv2d", "global_avg_pool2d", "sigmoid", "multiply"],
    ),
    "flattens end to end": (
        [node("Flatten", "u", "f"), node("Relu", "u", "r"), node("Flatten", "r", "g"), node("Concat", "f g", "y", axis=1)],
        {},
        ["conv2d", "rearrange", "relu", "rearrange", "concat"],
    ),
    "rows beside rows": ([node("Concat", "u u", "y", axis=1)], {}, ["conv2d", "rearrange", "concat"]),
}


@pytest.mark.parametrize("name", LAST)
def test_operators_on_channels_last(name: str, tmp_path: Path) -> None:
    nodes, weights, want = LAST[name]
    before = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "c", kernel_shape=[3, 3])]
    before += [node("Transpose", "c", "u", perm=[0, 2, 3, 1])]
    assert kinds(agrees(model([*before, *nodes], (1, 6, 5, 2), w=CONV, **weights), tmp_path)) == want


REDUCED: dict[str, tuple[Nodes, dict[str, Any], list[str]]] = {
    "spatial attention": (
        [node("ReduceMean", "x k", "m"), node("ReduceMax", "x k", "n"), node("Concat", "m n", "y", axis=1)],
        {"k": np.array([1])},
        ["channel_pool", "channel_pool", "concat"],
    ),
    "sum of all": ([node("ReduceSum", "x k", "y", keepdims=0)], {"k": np.array([1, 2, 3])}, None),
    "smallest of maps": ([node("ReduceMin", "x k", "y")], {"k": np.array([2, 3])}, None),
    "larger": ([node("Tanh", "x", "r"), node("Neg", "x", "n"), node("Max", "r n", "y")], {}, ["tanh", "batch_norm2d", "maximum"]),
    "smaller": ([node("Tanh", "x", "r"), node("Min", "r x", "y")], {}, ["tanh", "minimum"]),
    "layer norm": (
        [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("LayerNormalization", "t k b", "l"), node("Transpose", "l", "y", perm=[0, 3, 1, 2])],
        {"k": np.array([2, 3], np.float32), "b": np.array([1, -1], np.float32)},
        ["layer_norm"],
    ),
    "layer norm of a vector": ([node("Flatten", "x", "f"), node("LayerNormalization", "f k", "y")], {"k": np.ones(50, np.float32)}, ["flatten", "layer_norm"]),
    "layer norm over all": (
        [node("LayerNormalization", "x k b", "y", axis=1)],
        {"k": np.full((2, 5, 5), 2, np.float32), "b": np.arange(50, dtype=np.float32).reshape(2, 5, 5)},
        ["flatten", "layer_norm"],
    ),
    "scaled afterwards": (
        [node("LayerNormalization", "x one", "l", axis=1), node("Mul", "l k", "m"), node("Relu", "m", "y")],
        {"one": np.ones((2, 5, 5), np.float32), "k": np.full(1, 3, np.float32)},
        ["flatten", "layer_norm"],
    ),
    # A group for each channel of moved cells: PixelUnshuffle and GroupNorm, as PyTorch's newer exporter writes them.
    "group norm of turned maps": (
        [node("Transpose", "x", "t", perm=[0, 1, 3, 2]), node("Reshape", "t s", "g"), node("InstanceNormalization", "g k b", "n"), node("Reshape", "n o", "y")],
        {"s": np.array([1, 2, 25]), "o": np.array([1, 2, 5, 5]), "k": np.array([2, 3], np.float32), "b": np.array([1, -1], np.float32)},
        ["rearrange", "instance_norm2d"],
    ),
    # As PyTorch writes PReLU of N×C×L, where the channels were rows of the layer's maps.
    "prelu of rows": ([node("Reshape", "x s", "r"), node("PRelu", "r k", "y")], {"s": np.array([1, 10, 5, 1]), "k": np.linspace(-1, 1, 10, dtype=np.float32).reshape(10, 1, 1)}, None),
    "instance norm of rows of moved cells": (
        [node("Slice", "x from to at", "t"), node("Reshape", "t s", "g"), node("InstanceNormalization", "g k b", "y")],
        {"from": np.array([1]), "to": np.array([5]), "at": np.array([2]), "s": np.array([1, 4, 10]), "k": np.ones(4, np.float32), "b": np.zeros(4, np.float32)},
        ["rearrange", "flatten", "unflatten", "instance_norm2d"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCED)
def test_over_channels_and_all(name: str, tmp_path: Path) -> None:
    nodes, weights, want = REDUCED[name]
    found = kinds(agrees(model(nodes, **weights), tmp_path))
    assert want is None or found[: len(want)] == want


@pytest.mark.parametrize("opset", [10, 13, 19, 21])
@pytest.mark.parametrize("how", ["one", "axis", "block"])
def test_weights_of_whole_numbers(opset: int, how: str, tmp_path: Path) -> None:
    """(q − zero point) · scale, by hand: 3 minus 1, times ½."""
    if (how == "axis" and opset < 13) or (how == "block" and opset < 21):
        return
    q, settings = (
        np.full((4, 2, 3, 3), 3, np.int8),
        {"axis": {"axis": 0}, "block": {"axis": 1, "block_size": 2}}.get(how, {}),
    )
    size: Any = {"one": (), "axis": 4, "block": (4, 1, 3, 3)}[how]
    nodes = [node("DequantizeLinear", "q s z", "w", **settings), node("Conv", "x w", "y")]
    arrays = {"q": q, "s": np.full(size, 0.5, np.float32), "z": np.full(size, 1, np.int8)}
    imported = read(model(nodes, opset=opset, **arrays), tmp_path)
    np.testing.assert_array_equal(imported.weights["y.weight"], np.ones((4, 2, 3, 3)))


def test_quantised_model_is_read_as_its_float_network(tmp_path: Path) -> None:
    """Numbers are rounded between layers; a relu may be nothing but that no whole number stands for less than 0."""

    def rounded(name: str, zero: str) -> Nodes:
        return [
            node("QuantizeLinear", f"{name} s {zero}", f"{name}q"),
            node("DequantizeLinear", f"{name}q s {zero}", f"{name}d"),
        ]

    nodes = [
        *rounded("x", "zero"),
        node("Conv", "xd w", "c"),
        *rounded("c", "zero"),
        node("MaxPool", "cd", "p", kernel_shape=[2, 2]),
    ]
    nodes += [*rounded("p", "zero"), node("Conv", "pd v", "e"), *rounded("e", "middle"), node("Identity", "ed", "y")]
    arrays = {
        "s": np.float32(0.02),
        "zero": np.uint8(0),
        "middle": np.int8(3),
        "w": CONV / 10,
        "v": np.full((1, 4, 1, 1), -0.1, np.float32),
    }
    made = model(nodes, **arrays)
    imported = read(made, tmp_path)
    assert [(layer["type"], layer.get("activation")) for layer in imported.description["layers"]] == [
        ("conv2d", "relu"), ("max_pool2d", None), ("conv2d", None),
    ]  # fmt: skip
    assert imported.description["about"] == "Its numbers are rounded to whole steps in the model; read as real numbers."
    x = np.random.default_rng(0).uniform(0, 1, (1, 2, 5, 5)).astype(np.float32)
    np.save(tmp_path / "x.npy", x[0].astype(float))
    built = sheetcnn.build(tmp_path / "model.onnx", tmp_path / "x.npy", tmp_path / "book.xlsx")
    want = ReferenceEvaluator(made).run(None, {"x": x})[0]
    np.testing.assert_allclose(list(built.values.values())[-1]["output"], np.asarray(want)[0], atol=0.05)
    nodes[3:] = [node("QuantizeLinear", "c s zero", "cq"), helper.make_node("ConvInteger", ["cq", "q"], ["y"], "y")]
    assert "ConvInteger would compute with whole numbers" in refused(
        model(nodes, q=np.ones((1, 4, 1, 1), np.uint8), **arrays), tmp_path
    )


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("first", [False, True])
def test_constant_for_each_cell(operator: str, first: bool, tmp_path: Path) -> None:
    if operator == "Div" and first:
        return
    constant = np.arange(1, 51, dtype=np.float32).reshape(1, 2, 5, 5)
    nodes = [node("Tanh", "x", "t"), node(operator, "c t" if first else "t c", "m"), node("Relu", "m", "y")]
    found = kinds(agrees(model(nodes, c=constant), tmp_path))
    assert found[:1] + found[-1:] == ["tanh", "cellwise"]


def softmax_nodes(x: str, y: str) -> Nodes:
    return [node("ReduceMax", f"{x} k", "m"), node("Sub", f"{x} m", "d"), node("Exp", "d", "e"), node("ReduceSum", "e k", "s"),
            node("Div", "e s", y)]  # fmt: skip


def norm_nodes(x: str, y: str) -> Nodes:
    return [node("ReduceMean", f"{x} k", "m"), node("Sub", f"{x} m", "d"), node("Mul", "d d", "q"), node("ReduceMean", "q k", "v"),
            node("Add", "v eps", "a"), node("Sqrt", "a", "r"), node("Div", "d r", y)]  # fmt: skip


WEIGHT, BIAS = np.array([2, 3], np.float32).reshape(2, 1, 1), np.array([1, -1], np.float32).reshape(2, 1, 1)
IN_PIECES: dict[str, tuple[Nodes, dict[str, Any], list[str]]] = {
    "softmax": (softmax_nodes("x", "y"), {"k": np.array([1])}, ["softmax"]),
    "softmax of a vector": ([node("Flatten", "x", "f"), *softmax_nodes("f", "y")], {"k": np.array([1])}, ["flatten", "softmax"]),
    "log_softmax": ([*softmax_nodes("x", "z"), node("Log", "s", "l"), node("Sub", "d l", "y")], {"k": np.array([1])}, ["log_softmax"]),
    "layer_norm": (
        [node("Tanh", "x", "t"), *norm_nodes("t", "n"), node("Mul", "n w", "p"), node("Add", "p b", "y")],
        {"k": np.array([1]), "eps": np.float32(0.25), "w": WEIGHT, "b": BIAS},
        ["tanh", "layer_norm"],
    ),
    "layer_norm as TensorFlow writes it": (
        [*norm_nodes("x", "n"), node("Reciprocal", "r", "c"), node("Mul", "c w", "g"), node("Mul", "x g", "p"), node("Neg", "m", "h"),
         node("Mul", "h g", "i"), node("Add", "i b", "j"), node("Add", "p j", "y")],
        {"k": np.array([1]), "eps": np.float32(1e-3), "w": WEIGHT, "b": BIAS},
        ["layer_norm"],
    ),
    "lrn as PyTorch writes it": (
        [node("Mul", "x x", "q"), node("Reshape", "q s", "g"), node("Pad", "g p", "h"),
         node("AveragePool", "h", "a", kernel_shape=[3, 1, 1], strides=[1, 1, 1], count_include_pad=1), node("Squeeze", "a k", "r"),
         node("Mul", "r alpha", "i"), node("Add", "i one", "j"), node("Pow", "j beta", "l"), node("Div", "x l", "y")],
        {"k": np.array([1]), "s": np.array([1, 1, 2, 5, 5]), "p": np.array([0, 0, 1, 0, 0, 0, 0, 1, 0, 0]),
         "alpha": np.float32(0.5), "one": np.float32(2), "beta": np.float32(0.75)},
        ["lrn"],
    ),
    "group_norm": (
        [node("Reshape", "x s", "g"), *norm_nodes("g", "n"), node("Reshape", "n t", "y")],
        {"k": np.array([2]), "eps": np.float32(0.5), "s": np.array([1, 1, -1]), "t": np.array([1, 2, 5, 5])},
        ["group_norm"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_PIECES)
def test_layers_in_pieces(name: str, tmp_path: Path) -> None:
    nodes, weights, want = IN_PIECES[name]
    imported = agrees(model(nodes, **weights), tmp_path)
    assert kinds(imported) == want
    norm = imported.description["layers"][-1]
    if norm["type"] == "layer_norm":
        assert norm.get("eps", 1e-5) == (0.25 if want[0] == "tanh" else 0.001)
        np.testing.assert_array_equal(imported.weights[f"{norm['name']}.weight"], [2, 3])
        np.testing.assert_array_equal(imported.weights[f"{norm['name']}.bias"], [1, -1])


def test_what_is_nearly_softmax_is_refused(tmp_path: Path) -> None:
    nodes = softmax_nodes("x", "z")
    nodes[3] = node("ReduceSum", "e other", "s")
    made = model([*nodes[:4], node("Div", "e s", "y")], k=np.array([1]), other=np.array([2]))
    assert "no layer does this, unless it is part of an activation" in refused(made, tmp_path)


def test_one_dimension(tmp_path: Path) -> None:
    """Maps of one row: what comes before of the picture's axes, and what goes out."""
    nodes = [
        node("Conv", "x w b", "c", kernel_shape=[3], pads=[1, 0], strides=[2]),
        node("Pad", "c p", "q"),
        node("MaxPool", "q", "m", kernel_shape=[2], strides=[1], dilations=[2]),
        node("AveragePool", "m", "a", kernel_shape=[2], auto_pad="SAME_UPPER"),
        node("ConvTranspose", "a v", "t", strides=[2], output_padding=[1]),
        node("GlobalAveragePool", "t", "g"),
        node("Mul", "t g", "y"),
    ]
    arrays = {"w": CONV[:, :, 0], "b": np.arange(4, dtype=np.float32), "p": np.array([0, 0, 1, 0, 0, 2]), "v": CONV[:, :, 0]}
    imported = agrees(model(nodes, (1, 2, 12), **arrays), tmp_path)
    assert imported.description["input"] == {"channels": 2, "height": 1, "width": 12}
    assert imported.description["layers"][0]["kernel_size"] == [1, 3]


def test_rows_are_no_dimension_of_their_own(tmp_path: Path) -> None:
    """A picture without an axis for channels stays one where these are added, before or after."""
    for axes, perm in (([1], [0, 1, 2, 3]), ([3], [0, 3, 1, 2])):
        nodes = [node("Unsqueeze", "x k", "u"), node("Transpose", "u", "t", perm=perm), node("Conv", "t w", "y")]
        imported = agrees(model(nodes, (1, 6, 5), w=CONV[:, :1], k=np.array(axes)), tmp_path)
        assert imported.description["input"] == {"channels": 1, "height": 6, "width": 5}


@pytest.mark.parametrize("batch", [10, -1])
def test_batch(batch: int, tmp_path: Path) -> None:
    """Exported for many pictures, read for one, which the description says."""
    nodes = [node("Conv", "x w", "c", kernel_shape=[3, 3]), node("Reshape", "c s", "f"), node("MatMul", "f m", "y")]
    made = model(nodes, (batch, 2, 5, 5), w=CONV, s=np.array([batch, 36]), m=np.ones((36, 2), np.float32))
    imported = read(made, tmp_path)
    assert kinds(imported) == ["conv2d", "flatten", "linear"]
    assert imported.description.get("about", "") == ("Exported for 10 pictures at once, read for one." if batch > 0 else "")


def test_names_of_keras(tmp_path: Path) -> None:
    """The scopes that the backend TensorFlow writes, numbered once more or not; what is fused is called as its weights are."""
    names = ["m/conv2d_1/BiasAdd", "m/conv2d_1/Relu", "m/pool/MaxPool2d", "Conv__91", "m/out/Tensordot/Softmax"]
    wants = {"": ["conv2d_1", "pool", "norm", "out"], "_1": ["conv2d", "pool", "norm", "out"]}
    for end, want in wants.items():
        scoped = [re.sub(r"^m/(\w+)/", rf"m{end}/\1{end if 'conv' not in name else ''}/", name) for name in names]
        weight = f"m{end}/norm{end}/convolution/merged_input:0"
        nodes = [
            helper.make_node("Conv", ["x", "w"], ["a"], scoped[0]),
            helper.make_node("Relu", ["a"], ["b"], scoped[1]),
            helper.make_node("MaxPool", ["b"], ["c"], scoped[2], kernel_shape=[2, 2]),
            helper.make_node("Conv", ["c", weight], ["d"], scoped[3]),
            helper.make_node("Softmax", ["d"], ["y"], scoped[4], axis=1),
        ]
        imported = read(model(nodes, w=CONV, **{weight: np.ones((3, 4, 1, 1), np.float32)}), tmp_path)
        assert [layer["name"] for layer in imported.description["layers"]] == want


def test_means_in_channels_last(tmp_path: Path) -> None:
    nodes = [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("ReduceMean", "t axes", "y", keepdims=0)]
    assert kinds(agrees(model(nodes, axes=np.array([1, 2])), tmp_path)) == ["global_avg_pool2d", "flatten"]


def test_vector_that_is_a_picture(tmp_path: Path) -> None:
    imported = read(
        model([node("Gemm", "x w", "y", transB=1)], (1, 12), w=np.ones((2, 12), np.float32)), tmp_path, size=(3, 4)
    )
    assert imported.description["input"] == {"channels": 1, "height": 3, "width": 4}
    assert kinds(imported) == ["flatten", "linear"]


@pytest.mark.parametrize("opset", [9, 11, 13, 18, 21])
def test_opsets(opset: int, tmp_path: Path) -> None:
    """What became an input with time stands as an attribute before."""
    nodes, arrays = [node("Conv", "x w", "c", kernel_shape=[3, 3])], {"w": CONV}
    if opset < 11:
        nodes += [
            node("Clip", "c", "l", min=0.0, max=6.0),
            node("Pad", "l", "p", pads=[0, 0, 1, 1, 0, 0, 1, 1]),
            node("Upsample", "p s", "u"),
        ]
        arrays |= {"s": np.array([1, 1, 2, 2], np.float32)}
    else:
        nodes += [node("Clip", "c low high", "l"), node("Pad", "l pads", "p"), node("Resize", "p - s", "u", mode="nearest")]
        arrays |= {
            "low": np.float32(0),
            "high": SIX,
            "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
            "s": np.array([1, 1, 2, 2], np.float32),
        }
    axes: dict[str, Any] = {"axes": [2, 3]} if opset < 18 else {}
    arrays |= {} if axes else {"mean_axes": np.array([2, 3])}
    nodes += [node("ReduceMean", "u" if axes else "u mean_axes", "m", **axes)]
    squeeze: dict[str, Any] = {"axes": [2, 3]} if opset < 13 else {}
    arrays |= {} if squeeze else {"squeezed": np.array([2, 3])}
    nodes += [node("Squeeze", "m" if squeeze else "m squeezed", "q", **squeeze), node("Softmax", "q", "y", axis=1)]
    imported = agrees(model(nodes, opset=opset, **arrays), tmp_path)
    assert kinds(imported) == ["conv2d", "pad", "upsample", "global_avg_pool2d", "flatten", "softmax"]


# -- names and files -----------------------------------------------------------------------------------------------------


def test_names(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "features.0.weight"], ["a"], "/features/features.0/Conv"),
        helper.make_node("Conv", ["a", "0.weight"], ["b"], "0"),
        helper.make_node("Tanh", ["b"], ["c"], "/net/check/Tanh"),
        helper.make_node("Tanh", ["c"], ["d"], "FEATURES_0"),
        helper.make_node("Tanh", ["d"], ["y"], "ünd a very long name " * 9),
    ]
    one = np.ones((2, 2, 1, 1), np.float32)
    imported = read(model(nodes, features__0__weight=one, **{"0__weight": one}), tmp_path)
    names = [layer["name"] for layer in imported.description["layers"]]
    assert names[:3] == ["features_0", "conv2d_0", "FEATURES_0_tanh"]
    assert len(names[3]) <= 31


def test_import_writes_a_network_file(tmp_path: Path) -> None:
    nodes = [node("Conv", "x conv.weight conv.bias", "c", kernel_shape=[3, 3]), node("LeakyRelu", "c", "y", alpha=0.1)]
    onnx.save(model(nodes, conv__weight=CONV, conv__bias=np.ones(4, np.float32)), tmp_path / "small.onnx")
    written = sheetcnn.import_onnx(tmp_path / "small.onnx", tmp_path / "out", scale=255.0, mean=[0.5], std=[0.25])
    assert written.paths == (tmp_path / "out" / "small.toml", tmp_path / "out" / "small.npz")
    assert tomllib.loads(written.paths[0].read_text(encoding="utf-8")) == {
        "name": "small",
        "weights": "small.npz",
        "input": {"channels": 2, "height": 5, "width": 5, "scale": 255.0, "mean": [0.5], "std": [0.25]},
        "layers": [
            {
                "type": "conv2d",
                "name": "conv",
                "out_channels": 4,
                "kernel_size": 3,
                "activation": {"type": "leaky_relu", "negative_slope": 0.1},
            }
        ],
    }
    np.testing.assert_array_equal(np.load(written.paths[1])["conv.weight"], CONV)
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(2, 5, 5)))
    values = [
        sheetcnn.build(path, tmp_path / "x.npy", tmp_path / "book.xlsx", **options).values["conv"]["output"]
        for path, options in (
            (written.paths[0], {}),
            (tmp_path / "small.onnx", {"scale": 255.0, "mean": [0.5], "std": [0.25]}),
        )
    ]
    np.testing.assert_array_equal(*values)
    with pytest.raises(SheetcnnError, match=r"small.toml: exists already; give another folder"):
        sheetcnn.import_onnx(tmp_path / "small.onnx", tmp_path / "out")


def external(folder: Path, location: str) -> onnx.ModelProto:
    """A model whose weight lies in a file beside it."""
    made = model([node("Conv", "x w", "y", kernel_shape=[3, 3])], w=CONV)
    tensor = made.graph.initializer[0]
    (folder / "w.bin").write_bytes(b"12345678" + tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "8"), ("length", str(CONV.nbytes))):
        tensor.external_data.add(key=key, value=value)
    return made


def save(made: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(made.SerializeToString())
    return path


def test_external_data(tmp_path: Path) -> None:
    imported = read_onnx(save(external(tmp_path, "w.bin"), tmp_path / "m.onnx"))
    np.testing.assert_array_equal(imported.weights["y.weight"], CONV)


@pytest.mark.parametrize("way", ["../w.bin", "/etc/passwd", "link", "none.bin", "", "w.bin?"])
def test_external_data_elsewhere(way: str, tmp_path: Path) -> None:
    inner = tmp_path / "model"
    inner.mkdir()
    made = external(tmp_path, way.rstrip("?"))
    (inner / "link").symlink_to(tmp_path / "w.bin")
    if way == "w.bin?":  # shorter than it says
        (inner / "w.bin").write_bytes(b"1234")
    with pytest.raises(SheetcnnError) as caught:
        read_onnx(save(made, inner / "m.onnx"))
    wanted = {"none.bin": "cannot be read (No such file", "w.bin?": "has 4 bytes, it needs 288 from 8 on"}
    assert wanted.get(way, "leaves the model's folder; put it beside the model") in str(caught.value)


# -- what cannot be drawn ------------------------------------------------------------------------------------------------


def refused(made: onnx.ModelProto, folder: Path, **options: Any) -> str:
    with pytest.raises(SheetcnnError) as caught:
        sheetcnn.import_onnx(save(made, folder / "bad.onnx"), folder / "out", **options)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'bad.onnx'}: ")
    assert "\n" not in message
    assert not (folder / "out").exists()
    return message.partition(": ")[2]


def test_all_that_is_unsupported_is_listed_at_once(tmp_path: Path) -> None:
    nodes = [
        node("NonZero", "x", "a"),
        node("Conv", "x w", "b", auto_pad="SAME_UPPER"),
        node("Einsum", "b", "c", equation="ncij->ncji"),
        node("Relu", "c", "d"),
        node("Einsum", "d", "e", equation="ncij->ncji"),
        node("TopK", "b k", "f", axis=1),
        node("Conv", "b w1", "g"),
        helper.make_node("Fancy", ["g"], ["h"], "h", domain="com.example"),
        node("Add", "e f", "i"),
        node("Sum", "a i h", "y"),
    ]
    message = refused(model(nodes, w=CONV, k=np.array([1]), w1=np.ones((2, 4, 3), np.float32)), tmp_path)
    assert message == (
        "has 6 nodes that sheetcnn cannot draw: NonZero (a): no layer does this; Einsum (c, e): no layer does this; "
        "TopK (f): no layer does this; Conv (g): it reads 1×4×5×5, but works along 1 dimension; "
        "com.example.Fancy (h): no layer does this; what comes before can be drawn, 1 of 10 nodes: add  --until b"
    )


BODY = helper.make_graph([node("Identity", "x", "z")], "body", [], [helper.make_tensor_value_info("z", 1, None)])
SPARSE = helper.make_sparse_tensor(
    numpy_helper.from_array(np.ones(1, np.float32), "v"), numpy_helper.from_array(np.array([0])), [2]
)
ONES = np.ones((2, 2, 3, 3), np.float32)


def changed(change: Callable[[onnx.ModelProto], object]) -> onnx.ModelProto:
    made = model([node("Conv", "x w", "y", kernel_shape=[3, 3])], w=CONV)
    change(made)
    return made


BAD: list[tuple[str, Callable[[], onnx.ModelProto], str]] = [
    ("no graph", lambda: changed(lambda m: m.ClearField("graph")), "is no ONNX model with a graph"),
    ("too old", lambda: model([node("Relu", "x", "y")], opset=4), "has opset 4; sheetcnn reads 6 to"),
    ("too new", lambda: model([node("Relu", "x", "y")], opset=99), "has opset 99"),
    ("circle", lambda: model([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")]), "read each other in a circle (a, b, y)"),
    ("missing weight", lambda: model([node("Conv", "x w", "y")]), "'w' is read, but no node and no weight has that name"),
    ("written twice", lambda: model([node("Relu", "x", "y"), node("Tanh", "x", "y")]), "'y' is written twice"),
    ("sparse", lambda: changed(lambda m: m.graph.sparse_initializer.append(SPARSE)), "has sparse weights"),
    ("If", lambda: model([node("ReduceMax", "x", "c", keepdims=0), helper.make_node("If", ["c"], ["i"], "i", then_branch=BODY, else_branch=BODY), node("Add", "x i", "y")]), "If (i): no layer does this"),
    ("Loop", lambda: model([helper.make_node("Loop", ["n", "", "x"], ["y"], "y", body=BODY)], n=np.array(3)), "Loop (y): no layer does this"),
    ("function", lambda: model([helper.make_node("Mine", ["x"], ["y"], "y", domain="here")]), "here.Mine (y): no layer does this"),
    ("NaN", lambda: model([node("Conv", "x w", "y")], w=np.where(CONV > 1, np.nan, CONV)), "y.weight: holds nan at ("),
    ("wrong shape", lambda: model([node("Conv", "x w", "y")], w=np.ones((4, 3, 3, 3), np.float32)), "Conv (y): its weight is 4×3×3×3, not 4×2×3×3"),
    ("wrong bias", lambda: model([node("Conv", "x w b", "y")], w=CONV, b=np.ones(3, np.float32)), "Conv (y): its bias is 3, not 4"),
    ("large kernel", lambda: model([node("Conv", "x w", "y")], w=np.ones((1, 2, 9, 9), np.float32)), "kernel_size 9 is larger than its 5×5 input"),
    ("two inputs", lambda: changed(lambda m: (m.graph.input.append(helper.make_tensor_value_info("z", 1, [1])), m.graph.node.append(node("Add", "y z", "q")), m.graph.output.append(helper.make_tensor_value_info("q", 1, None)))), "has 2 inputs (x, z)"),
    ("no input", lambda: model([node("Relu", "w", "y")], w=np.ones(3, np.float32)), "has 0 inputs (none)"),
    ("free size", lambda: model([node("Relu", "x", "y")], (1, 2, "h", "w")), "give it with --size ROWSxCOLUMNS"),
    ("free channels", lambda: model([node("Relu", "x", "y")], (1, "c", 5, 5)), "its input is 1, ?, 5, 5; only rows and columns may be free"),
    ("huge input", lambda: model([node("Relu", "x", "y")], (1, 3, 100_000, 100_000)), "reads 30,000,000,000 numbers"),
    ("zero", lambda: model([node("Relu", "x", "y")], (1, 3, 0, 5)), "has the shape [1, 3, 0, 5]"),
    ("no shape", lambda: model([node("Relu", "x", "y")], None), "input 'x' has no shape"),
    ("huge constant", lambda: model([node("ConstantOfShape", "s", "k"), node("Add", "x k", "y")], s=np.array([10**6, 10**6])), "makes a constant of 1,000,000,000,000 numbers"),
    ("huge expansion", lambda: model([node("Expand", "k s", "e"), node("Add", "x e", "y")], s=np.array([10**6, 10**6]), k=np.float32(1)), "makes a constant of 1,000,000,000,000 numbers"),
    ("growing constant", lambda: model([node("Concat", f"k{n} k{n}", f"k{n + 1}", axis=0) for n in range(60)] + [node("Add", "x k60", "y")], k0=np.ones(1000, np.float32)), "Concat (k14): it makes a constant of 16,384,000 numbers; sheetcnn computes up to 10,000,000"),
    ("huge maps", lambda: model([node("Pad", "x p", "y")], p=np.array([0, 0, 9000, 9000, 0, 0, 0, 0])), "makes 162,180,050 cells"),
    ("division", lambda: model([node("Div", "x k", "y")], k=np.float32(0)), "its constant holds 0, NaN or infinity"),
    ("impossible reshape", lambda: model([node("Reshape", "x s", "y")], s=np.array([1, 7])), "1×2×5×5 cannot be shaped as 1×7"),
    ("places that are not there", lambda: model([node("Gather", "x k", "y", axis=1)], k=np.array([2])), "it takes place 2 of 2"),
    ("nothing left", lambda: model([node("Slice", "x a b", "y")], a=np.array([1]), b=np.array([9])), "it leaves nothing of 1×2×5×5"),
    ("many times", lambda: model([node("Tile", "x k", "y")], k=np.array([1, 10**6, 10**6, 1])), "it makes 50,000,000,000,000 cells"),
    ("wide expansion", lambda: model([node("Expand", "x k", "y")], k=np.array([10**7, 2, 5, 5])), "it makes 500,000,000 cells"),
    ("split in other parts", lambda: model([node("Split", "x k", "y z", axis=3)], k=np.array([2, 2])), "it splits 5 into [2, 2] for 2 outputs"),
    ("without any order", lambda: model([node("Reshape", "x s", "f"), node("Gather", "f k", "y", axis=0)], (1, 2, 50, 50), s=np.array([-1]), k=np.random.default_rng(0).permutation(5000)), "without any order"),
    ("training", lambda: model([node("BatchNormalization", "x k k k k", "y", training_mode=1)], k=np.ones(2, np.float32)), "export the model with eval()"),
    ("places", lambda: model([node("MaxPool", "x", "y i", kernel_shape=[2, 2])], outputs="y i"), "not their places (output Indices)"),
    ("wrong attribute", lambda: model([node("Conv", "x w", "y", strides=[2])], w=CONV), "Conv (y): "),
    ("text attribute", lambda: model([node("Conv", "x w", "y", strides="two")], w=CONV), "Conv (y): "),
    ("too many nodes", lambda: model([node("Relu", "x", f"r{n}") for n in range(5001)] + [node("Relu", "r0", "y")]), "has 5,002 nodes; sheetcnn draws at most 5,000"),
    ("no output of it", lambda: model([node("Relu", "x", "z"), node("Identity", "k", "y")], k=np.ones(2, np.float32)), "has 0 inputs"),
    ("text weight", lambda: model([node("Conv", "x w", "y")], w=np.array(["a"], object)), "Conv (y): "),
    ("impossible weight", lambda: changed(lambda m: m.graph.initializer[0].dims.__setitem__(0, 10**15)), "has the impossible shape"),
    ("short weight", lambda: changed(lambda m: m.graph.initializer[0].dims.__setitem__(0, 5)), "weight 'w': cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "message"), BAD, ids=[name for name, *_ in BAD])
def test_bad_model(name: str, make: Callable[[], onnx.ModelProto], message: str, tmp_path: Path) -> None:
    assert message in refused(make(), tmp_path)


def test_long_chains_end(tmp_path: Path) -> None:
    """A chain of thousands of activations, drawn only when somebody needs them, is no reason to run out of stack."""
    nodes = [node("Sigmoid", "x" if n == 0 else f"s{n - 1}", f"s{n}") for n in range(900)]
    assert kinds(read(model(nodes, outputs="s899"), tmp_path)) == ["sigmoid"] * 900
    nodes = [node("Neg", "x" if n == 0 else f"s{n - 1}", f"s{n}") for n in range(4000)]
    with pytest.raises(SheetcnnError, match=r"the model has 4,000 layers; sheetcnn draws at most 2,000"):
        read(model(nodes, outputs="s3999"), tmp_path)


def test_files_that_are_no_models(tmp_path: Path) -> None:
    whole = model([node("Conv", "x w", "y", kernel_shape=[3, 3])], w=CONV).SerializeToString()
    for content in (b"", b"hello", b"\x89PNG\r\n", whole[:200], whole[:-1], b"\x00" * 100, b"\xff" * 100):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(SheetcnnError, match=r"^\S+bad\.onnx: "):
            read_onnx(tmp_path / "bad.onnx")
    with pytest.raises(SheetcnnError, match="cannot be read"):
        read_onnx(tmp_path / "none.onnx")


def test_damaged_bytes_end_in_one_line(tmp_path: Path) -> None:
    """Hundreds of seeded damages to good models: each is read, or refused with one line."""
    rng = np.random.default_rng(11)
    nodes, weights = PIECES["hard_swish in more pieces"]
    good = [
        model([node("Conv", "x w", "c", kernel_shape=[3, 3], pads=[1, 1, 1, 1]), node("MaxPool", "c", "y", kernel_shape=[2, 2])], w=CONV[:1]),
        model(nodes, **weights),
        model([node("Flatten", "x", "f"), node("Gemm", "f w", "g", transB=1), node("Softmax", "g", "y", axis=1)], w=np.ones((2, 50), np.float32)),
        model([node("Shape", "x", "s"), node("Slice", "s a b", "t"), node("Concat", "t m", "u", axis=0), node("Reshape", "x u", "y")],
              a=np.array([0]), b=np.array([2]), m=np.array([-1])),
    ]  # fmt: skip
    messages = []
    for number in range(1000):
        data = bytearray(good[number % len(good)].SerializeToString())
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        (tmp_path / "bad.onnx").write_bytes(bytes(data))
        try:
            read_onnx(tmp_path / "bad.onnx")
        except SheetcnnError as error:
            messages.append(str(error))
    assert 100 < len(messages) < 1000
    assert not any("\n" in message for message in messages)


def test_options_are_for_models() -> None:
    with pytest.raises(SheetcnnError, match=r"size, scale, mean and std are for models"):
        sheetcnn.build("edges", "cat", "never.xlsx", scale=255.0)


def test_without_the_package(tmp_path: Path) -> None:
    """A clear line says how to get it; all else works."""
    code = "import sys; sys.modules['onnx'] = None; from sheetcnn.cli import main; main(sys.argv[1:])"
    save(model([node("Relu", "x", "y")]), tmp_path / "m.onnx")
    for arguments in (
        ["summary", "m.onnx"],
        ["build", "m.onnx", "cat"],
        ["import", "m.onnx"],
        ["export", "cs231n.xlsx", "-o", "m.onnx"],
    ):
        if arguments[0] == "export":
            done = subprocess.run([sys.executable, "-c", code, "build", "cs231n", "cs231n"], cwd=tmp_path, check=False)
            assert done.returncode == 0
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "need the package onnx; install it with pip install 'sheetcnn[onnx]'" in done.stderr
        assert done.stderr.count("\n") == 1
