"""Every layer that ONNX has against `onnx.reference`, an implementation that is not ours, over a seeded sweep of settings.

Each case goes through our forward, our evaluator, and a forced recalculation in LibreOffice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import Office
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from test_layers import as_maps, picked

import sheetcnn
from sheetcnn.layers import LAYERS

ROUNDS = 5
Random = np.random.Generator


@dataclass
class Case:
    """A layer's settings, inputs and parameters, and the same as an ONNX operator: its name, attributes and more inputs."""

    xs: list[np.ndarray]
    settings: dict[str, Any]
    operator: str
    attributes: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    more: list[np.ndarray] | None = None  # inputs of the operator after the xs; default: the parameters
    shape: tuple[int, ...] | None = None  # what the operator's input is reshaped to
    by_hand: np.ndarray | None = None  # the output, where ONNX has no such operator


CASES: dict[str, Callable[[Random], Case]] = {}


def case(make: Callable[[Random], Case]) -> Callable[[Random], Case]:
    CASES[make.__name__] = make
    return make


def single(number: float) -> float:
    """The nearest number of single precision, which an attribute of ONNX can hold."""
    return float(np.float32(number))


def maps(rng: Random, channels: int | None = None, least: int = 5) -> np.ndarray:
    size = rng.integers(least, least + 4, 2)
    return rng.normal(size=(channels or int(rng.integers(1, 5)), *size)) * 3


def ints(rng: Random, low: int, high: int, count: int) -> list[int]:
    return [int(n) for n in rng.integers(low, high + 1, count)]


@case
def conv2d(rng: Random) -> Case:
    groups, size = int(rng.integers(1, 4)), ints(rng, 1, 3, 2)
    channels, filters = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    stride, dilation, pads = ints(rng, 1, 3, 2), ints(rng, 1, 2, 2), ints(rng, 0, 2, 4)
    weight, bias = rng.normal(size=(filters, channels // groups, *size)), rng.normal(size=filters)
    settings = {"out_channels": filters, "kernel_size": size, "stride": stride, "dilation": dilation, "padding": pads}
    attributes = {"strides": stride, "dilations": dilation, "pads": pads, "group": groups, "kernel_shape": size}
    x = maps(rng, channels)
    return Case([x], settings | {"groups": groups}, "Conv", attributes, {"weight": weight, "bias": bias})


@case
def conv2d_of_many_channels(rng: Random) -> Case:
    """The form for wide layers: one SUMPRODUCT over all channels."""
    weight = rng.normal(size=(2, 18, 2, 2))
    dilation = ints(rng, 1, 2, 2)
    settings = {"out_channels": 2, "kernel_size": 2, "dilation": dilation, "padding": 1, "bias": False}
    attributes = {"pads": [1] * 4, "dilations": dilation, "kernel_shape": [2, 2]}
    return Case([maps(rng, 18, 3)], settings, "Conv", attributes, {"weight": weight})


@case
def conv3d(rng: Random) -> Case:
    size, stride, pads = ints(rng, 1, 3, 3), ints(rng, 1, 2, 3), ints(rng, 0, 1, 3)
    volumes, depth, filters = int(rng.integers(1, 3)), 4, int(rng.integers(1, 3))
    weight, bias = rng.normal(size=(filters, volumes, *size)), rng.normal(size=filters)
    x = maps(rng, volumes * depth)
    settings = {"out_channels": filters, "in_channels": volumes, "kernel_size": size, "stride": stride, "padding": pads}
    attributes = {"strides": stride, "pads": pads * 2, "kernel_shape": size}
    return Case([x], settings, "Conv", attributes, {"weight": weight, "bias": bias}, shape=(1, volumes, depth, *x.shape[1:]))


@case
def conv_transpose2d(rng: Random) -> Case:
    groups, size, stride = int(rng.integers(1, 3)), ints(rng, 1, 3, 2), ints(rng, 1, 3, 2)
    channels, filters = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    pads = [int(rng.integers(0, k)) for k in size] * 2
    extra = [int(rng.integers(0, s)) for s in stride]
    weight, bias = rng.normal(size=(channels, filters // groups, *size)), rng.normal(size=filters)
    settings = {"out_channels": filters, "kernel_size": size, "stride": stride, "padding": pads, "output_padding": extra}
    attributes = {"strides": stride, "pads": pads, "output_padding": extra, "group": groups, "kernel_shape": size}
    x = maps(rng, channels, 3)
    return Case([x], settings | {"groups": groups}, "ConvTranspose", attributes, {"weight": weight, "bias": bias})


def pooling(rng: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    size, stride = ints(rng, 2, 3, 2), ints(rng, 1, 3, 2)
    pads = [int(rng.integers(0, k // 2 + 1)) for k in size * 2]
    settings = {"kernel_size": size, "stride": stride, "padding": pads}
    return settings, {"kernel_shape": size, "strides": stride, "pads": pads}


@case
def max_pool2d(rng: Random) -> Case:
    settings, attributes = pooling(rng)
    ceil, dilation = bool(rng.integers(0, 2)), ints(rng, 1, 2, 2)
    settings |= {"ceil_mode": ceil, "dilation": dilation}
    return Case([maps(rng)], settings, "MaxPool", attributes | {"ceil_mode": int(ceil), "dilations": dilation})


@case
def avg_pool2d(rng: Random) -> Case:
    settings, attributes = pooling(rng)
    count = bool(rng.integers(0, 2))
    return Case(
        [maps(rng)], settings | {"count_include_pad": count}, "AveragePool", attributes | {"count_include_pad": int(count)}
    )


@case
def global_avg_pool2d(rng: Random) -> Case:
    return Case([maps(rng)], {}, "GlobalAveragePool")


@case
def global_max_pool2d(rng: Random) -> Case:
    return Case([maps(rng)], {}, "GlobalMaxPool")


@case
def batch_norm2d(rng: Random) -> Case:
    x = maps(rng)
    given = {key: rng.uniform(0.5, 2, len(x)) for key in ("weight", "bias", "running_mean", "running_var")}
    eps = single(rng.uniform(0, 0.1))
    return Case([x], {"eps": eps}, "BatchNormalization", {"epsilon": eps}, given)


@case
def instance_norm2d(rng: Random) -> Case:
    x = maps(rng)
    given = {"weight": rng.normal(size=len(x)), "bias": rng.normal(size=len(x))}
    eps = single(rng.uniform(0, 0.1))
    return Case([x], {"eps": eps, "affine": True}, "InstanceNormalization", {"epsilon": eps}, given)


@case
def group_norm(rng: Random) -> Case:
    groups = int(rng.integers(1, 4))
    x = maps(rng, groups * int(rng.integers(1, 3)))
    given = {"weight": rng.normal(size=len(x)), "bias": rng.normal(size=len(x))}
    attributes = {"epsilon": 2.0**-10, "num_groups": groups}
    return Case([x], {"num_groups": groups, "eps": 2.0**-10}, "GroupNormalization", attributes, given)


@case
def lrn(rng: Random) -> Case:
    size, alpha, beta, k = int(rng.choice([1, 3, 5])), *(single(n) for n in rng.uniform(0.3, 1.5, 3))
    settings = {"size": size, "alpha": alpha, "beta": beta}
    return Case([maps(rng)], settings | {"k": k}, "LRN", settings | {"bias": k})


def plain(
    name: str, operator: str, settings: dict[str, Any] | None = None, attributes: dict[str, Any] | None = None
) -> None:
    """A layer without settings of its own, on maps."""
    CASES[name] = lambda rng: Case([maps(rng)], settings or {}, operator, attributes or {})


plain("relu", "Relu")
plain("leaky_relu", "LeakyRelu", {"negative_slope": 0.25}, {"alpha": 0.25})
plain("elu", "Elu", {"alpha": 1.5}, {"alpha": 1.5})
plain("selu", "Selu")
plain("gelu", "Gelu")
plain("gelu tanh", "Gelu", {"approximate": "tanh"}, {"approximate": "tanh"})
plain("mish", "Mish")
plain("softplus", "Softplus")
plain("softsign", "Softsign")
plain("sigmoid", "Sigmoid")
plain("hard_sigmoid", "HardSigmoid", {"alpha": 0.25}, {"alpha": 0.25, "beta": 0.5})
plain("hard_swish", "HardSwish")
plain("shrink", "Shrink", {"lambd": 0.75, "shift": 0.25}, {"lambd": 0.75, "bias": 0.25})
plain("tanh", "Tanh")
plain("softmax", "Softmax", {}, {"axis": 1})
plain("log_softmax", "LogSoftmax", {}, {"axis": 1})
plain("identity", "Identity")
plain("dropout", "Dropout")


@case
def log_sigmoid(rng: Random) -> Case:
    """ONNX has no such operator; as NumPy has it."""
    x = maps(rng)
    return Case([x], {}, "by hand", by_hand=np.log(1 / (1 + np.exp(-x))))


@case
def silu(rng: Random) -> Case:
    return Case([maps(rng)], {}, "Swish", {"alpha": 1.0})


@case
def relu6(rng: Random) -> Case:
    return Case([maps(rng) * 3], {}, "Clip", {}, {}, [np.array(0.0), np.array(6.0)])


@case
def clip(rng: Random) -> Case:
    low, high = sorted(float(n) for n in rng.normal(size=2))
    return Case([maps(rng)], {"min_val": low, "max_val": high}, "Clip", {}, {}, [np.array(low), np.array(high)])


@case
def threshold(rng: Random) -> Case:
    level = float(rng.normal())
    return Case([maps(rng)], {"threshold": level, "value": 0.0}, "ThresholdedRelu", {"alpha": level})


@case
def prelu(rng: Random) -> Case:
    x = maps(rng)
    weight = rng.normal(size=len(x))
    return Case([x], {"num_parameters": len(x)}, "PRelu", {}, {"weight": weight}, [weight[:, None, None]])


@case
def add(rng: Random) -> Case:
    x = maps(rng)
    return Case([x, rng.normal(size=(len(x), 1, 1))], {}, "Add")


@case
def subtract(rng: Random) -> Case:
    x = maps(rng)
    return Case([x, rng.normal(size=x.shape)], {}, "Sub")


@case
def multiply(rng: Random) -> Case:
    x = maps(rng)
    return Case([x, rng.normal(size=(len(x), 1, 1))], {}, "Mul")


@case
def maximum(rng: Random) -> Case:
    x = maps(rng)
    return Case([x, rng.normal(size=(len(x), 1, 1)), rng.normal(size=x.shape)], {}, "Max")


@case
def minimum(rng: Random) -> Case:
    x = maps(rng)
    return Case([x, rng.normal(size=(len(x), 1, 1)), rng.normal(size=x.shape)], {}, "Min")


@case
def channel_pool(rng: Random) -> Case:
    mode = str(rng.choice(["mean", "max", "min", "sum"]))
    return Case([maps(rng)], {"mode": mode}, f"Reduce{mode.capitalize()}", {"keepdims": 1}, {}, [np.array([1])])


@case
def cellwise(rng: Random) -> Case:
    x, operation = maps(rng), str(rng.choice(["add", "multiply"]))
    weight = rng.normal(size=x.shape)
    return Case([x], {"operation": operation}, {"add": "Add", "multiply": "Mul"}[operation], {}, {"weight": weight})


@case
def layer_norm(rng: Random) -> Case:
    x = rng.normal(size=(int(rng.integers(1, 5)), 1, 1)) * 3
    given = {"weight": rng.normal(size=len(x)), "bias": rng.normal(size=len(x))}
    more = [array[:, None, None] for array in given.values()]
    return Case([x], {"eps": 2.0**-10}, "LayerNormalization", {"axis": 1, "epsilon": 2.0**-10}, given, more)


@case
def layer_norm_over_channels(rng: Random) -> Case:
    """Of each place by itself, as NumPy has it."""
    x = maps(rng)
    given = {"weight": rng.normal(size=len(x)), "bias": rng.normal(size=len(x))}
    y = np.stack([(x[:, i, j] - x[:, i, j].mean()) / np.sqrt(x[:, i, j].var() + 0.5) for i, j in np.ndindex(x.shape[1:])])
    want = (y * given["weight"] + given["bias"]).T.reshape(x.shape)
    return Case([x], {"eps": 0.5}, "by hand", {}, given, by_hand=want)


@case
def concat(rng: Random) -> Case:
    x = maps(rng)
    return Case([x, rng.normal(size=(2, *x.shape[1:])), x[:1]], {}, "Concat", {"axis": 1})


@case
def concat_constant(rng: Random) -> Case:
    x = maps(rng)
    weight = rng.normal(size=(3, *x.shape[1:]))
    want = np.stack([weight[0], *x, weight[1], weight[2]])
    return Case([x], {"before": 1, "after": 2}, "by hand", {}, {"weight": weight}, by_hand=want)


@case
def pad(rng: Random) -> Case:
    mode = str(rng.choice(["constant", "reflect", "replicate"]))
    top, left, bottom, right = sides = ints(rng, 0, 3, 4)
    more = [np.array([0, 0, top, left, 0, 0, bottom, right]), np.array(1.5)]
    name = {"replicate": "edge"}.get(mode, mode)
    return Case([maps(rng)], {"padding": sides, "mode": mode, "value": 1.5}, "Pad", {"mode": name}, {}, more)


@case
def upsample(rng: Random) -> Case:
    scale = ints(rng, 1, 3, 2)
    how = int(rng.integers(0, 3))
    mode = ("nearest", "half_pixel", "align_corners")[how]
    settings = {"scale_factor": scale, "mode": "bilinear" if how else "nearest", "align_corners": how == 2}
    attributes = {"mode": "linear", "coordinate_transformation_mode": mode}
    if not how:
        attributes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    more = [np.array([], float), np.array([1, 1, *scale], np.float32)]
    return Case([maps(rng, least=2)], settings, "Resize", attributes, {}, more)


@case
def upsample_to_a_size(rng: Random) -> Case:
    size, x = ints(rng, 1, 9, 2), maps(rng, least=2)
    mode, how = (("bilinear", "linear"), ("bicubic", "cubic"))[int(rng.integers(0, 2))], bool(rng.integers(0, 2))
    attributes = {"mode": mode[1], "coordinate_transformation_mode": "align_corners" if how else "half_pixel"}
    more = [np.array([], float), np.array([], np.float32), np.array([1, len(x), *size])]
    return Case([x], {"size": size, "mode": mode[0], "align_corners": how}, "Resize", attributes, {}, more)


@case
def pixel_shuffle(rng: Random) -> Case:
    r = int(rng.integers(1, 4))
    x = maps(rng, r * r * int(rng.integers(1, 3)), 2)
    return Case([x], {"upscale_factor": r}, "DepthToSpace", {"blocksize": r, "mode": "CRD"})


@case
def flatten(rng: Random) -> Case:
    return Case([maps(rng)], {}, "Flatten")


@case
def unflatten(rng: Random) -> Case:
    size = ints(rng, 1, 4, 3)
    return Case([rng.normal(size=int(np.prod(size)))], {"size": size}, "Reshape", {}, {}, [np.array([1, *size])])


@case
def rearrange(rng: Random) -> Case:
    x = maps(rng, int(rng.integers(2, 5)))
    cut, picked = [slice(int(rng.integers(0, 2)), None, 2), slice(None, None, -1)], ints(rng, 0, len(x) - 1, 3)
    rows, columns = (f"{'' if one.start is None else one.start}::{one.step}" for one in cut)
    more = [np.array([cut[0].start, -1]), np.array([99, -99]), np.array([2, 3]), np.array([2, -1])]
    return Case([x[picked]], {"rows": rows, "columns": columns}, "Slice", {}, {}, more)


@case
def rearrange_of_channels(rng: Random) -> Case:
    x = maps(rng)
    picked = ints(rng, -len(x), len(x) - 1, 5)
    return Case([x], {"channels": picked}, "Gather", {"axis": 1}, {}, [np.array(picked)])


@case
def rearrange_in_circles(rng: Random) -> Case:
    top, left, bottom, right = ints(rng, 1, 3, 4)
    rows, columns = [f"-{top}:", ":", f":{bottom}"], [f"-{left}:", ":", f":{right}"]
    more = [np.array([0, 0, top, left, 0, 0, bottom, right])]
    return Case([maps(rng)], {"rows": rows, "columns": columns}, "Pad", {"mode": "wrap"}, {}, more)


@case
def rearrange_turned(rng: Random) -> Case:
    turn = [int(n) for n in rng.permutation(3)]
    pattern = f"c h w -> {' '.join('chw'[n] for n in turn)}"
    return Case([maps(rng)], {"pattern": pattern}, "Transpose", {"perm": [0, *(n + 1 for n in turn)]})


@case
def rearrange_blocks(rng: Random) -> Case:
    r = int(rng.integers(1, 4))
    x = rng.normal(size=(int(rng.integers(1, 3)), r * 2, r * 3))
    settings = {"pattern": "c (h a) (w b) -> (a b c) h w", "sizes": {"a": r, "b": r}}
    return Case([x], settings, "SpaceToDepth", {"blocksize": r})


@case
def linear(rng: Random) -> Case:
    x, units = rng.normal(size=int(rng.integers(2, 9))), int(rng.integers(1, 6))
    weight, bias = rng.normal(size=(units, len(x))), rng.normal(size=units)
    return Case([x], {"out_features": units}, "Gemm", {"transB": 1}, {"weight": weight, "bias": bias})


@case
def adaptive_avg_pool2d(rng: Random) -> Case:
    """ONNX has no such operator; PyTorch's definition in plain loops."""
    x, (rows, columns) = maps(rng), ints(rng, 1, 9, 2)
    want = np.zeros((len(x), rows, columns))
    for k, i, j in np.ndindex(*want.shape):
        top, bottom = math.floor(i * x.shape[1] / rows), math.ceil((i + 1) * x.shape[1] / rows)
        left, right = math.floor(j * x.shape[2] / columns), math.ceil((j + 1) * x.shape[2] / columns)
        cells = [x[k, a, b] for a in range(top, bottom) for b in range(left, right)]
        want[k, i, j] = sum(cells) / len(cells)
    return Case([x], {"output_size": [rows, columns]}, "by hand", by_hand=want)


@case
def channel_shuffle(rng: Random) -> Case:
    """ONNX has no such operator; the channels of each group dealt out in turn."""
    groups = int(rng.integers(1, 5))
    x = maps(rng, groups * int(rng.integers(1, 4)), 2)
    hands = [list(hand) for hand in np.split(x, groups)]
    want = np.stack([hand[n] for n in range(len(hands[0])) for hand in hands])
    return Case([x], {"groups": groups}, "by hand", by_hand=want)


@case
def softmax_of_many_channels(rng: Random) -> Case:
    """More channels than Excel allows arguments."""
    return Case([rng.normal(size=(260, 1, 2))], {}, "Softmax", {"axis": 1})


def reference(given: Case) -> np.ndarray:
    """What onnx.reference makes of a case, its first axis (one picture) taken off."""
    if given.by_hand is not None:
        return given.by_hand
    if given.operator == "ConvTranspose" and given.attributes["group"] > 1:
        return grouped(given)
    # onnx.reference normalises only as many channels as there are pictures, so it gets that many (they are the same).
    copies = len(given.xs[0]) if given.operator == "LRN" else 1
    inputs = [np.stack([x] * copies) for x in given.xs] if given.shape is None else [given.xs[0].reshape(given.shape)]
    inputs += list(given.parameters.values()) if given.more is None else given.more
    names = [f"x{n}" if array.size else "" for n, array in enumerate(inputs)]
    node = helper.make_node(given.operator, names, ["y"], **given.attributes)
    values = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in names if name]
    graph = helper.make_graph([node], "it", values, [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)])
    feeds = {name: array for name, array in zip(names, inputs, strict=True) if name}
    (y,) = ReferenceEvaluator(model).run(None, feeds)
    y = y[0]
    return y.reshape(-1, *y.shape[-2:]) if y.ndim == 4 else y


def grouped(given: Case) -> np.ndarray:
    """Group by group, since onnx.reference gives every group of a ConvTranspose the first bias."""
    count = given.attributes["group"]
    parts = zip(np.split(given.xs[0], count), *(np.split(array, count) for array in given.parameters.values()), strict=True)
    attributes = given.attributes | {"group": 1}
    return np.concatenate([reference(Case([x], {}, given.operator, attributes, {"w": w, "b": b})) for x, w, b in parts])


def build(given: Case, kind: str, folder: Path, detail: str) -> sheetcnn.Built:
    """The workbook of a case."""
    several = len(given.xs) > 1
    layers, pixels = (
        picked(given.xs) if several else ([{"type": "flatten"}] if given.xs[0].ndim == 1 else [], as_maps(given.xs[0]))
    )
    it = {"type": kind, "name": "it"} | given.settings | {key: array.tolist() for key, array in given.parameters.items()}
    layers.append(it | ({"input": [f"x{n}" for n in range(len(given.xs))]} if several else {}))
    settings = dict(zip(("channels", "height", "width"), pixels.shape, strict=True))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.json").write_text(json.dumps({"name": kind, "input": settings, "layers": layers}))
    np.save(folder / "x.npy", pixels)
    return sheetcnn.build(
        folder / "net.json", folder / "x.npy", folder / "book.xlsx", detail=detail, gallery=False, inspector=False
    )


ALL = [(name, number) for name in CASES for number in range(ROUNDS)]


def kind_of(name: str) -> str:
    plain = name.split(" ")[0].removesuffix("_of_many_channels")
    return next((kind for kind in ("rearrange", "layer_norm", "upsample") if plain.startswith(kind)), plain)


def drawn(name: str, number: int) -> Case:
    return CASES[name](np.random.default_rng([number, *name.encode()]))


SINGLE = {
    "Selu",
    "Gelu",
    "HardSwish",
    "GroupNormalization",
    "LRN",
}  # onnx.reference computes parts of these in single precision


def close(name: str, have: np.ndarray, want: np.ndarray) -> None:
    exact = want.dtype == np.float64 and drawn(name, 0).operator not in SINGLE
    np.testing.assert_allclose(have, want, rtol=1e-9 if exact else 1e-5, atol=1e-9 if exact else 1e-5)


def test_every_layer_has_cases() -> None:
    lacking = set(LAYERS) - {kind_of(name) for name in CASES}
    assert not lacking, f"test_onnx.py has no cases for {', '.join(sorted(lacking))}"


@pytest.mark.parametrize(("name", "number"), ALL)
def test_against_onnx(name: str, number: int, tmp_path: Path, office_if_there: Office | None) -> None:
    given = drawn(name, number)
    want = reference(given)
    built = build(given, kind_of(name), tmp_path, ("compact", "steps")[number % 2])
    have = built.values["it"]["output"]
    assert have.shape == want.shape
    close(name, have, want)
    report = sheetcnn.check(built.path)
    assert report.ok, report.findings[:3]
    if office_if_there is not None:
        close(name, office_if_there.output(built), want)
