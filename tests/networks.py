"""Random networks as a hypothesis strategy: every layer, branches, shared weights, every option of a workbook."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from pydantic import ValidationError

import sheetcnn
from sheetcnn.arrays.array import Shape
from sheetcnn.arrays.kernels import KERNELS
from sheetcnn.errors import SheetcnnError
from sheetcnn.layers import LAYERS
from sheetcnn.model.network import parse_network

MOST_LAYERS = 7
MOST_CELLS = 4_000  # of one network's layers
ACTIVATIONS = [kind for kind, layer in LAYERS.items() if layer.activates]
OFTEN = ("conv2d", "conv3d", "conv_transpose2d", "linear", "flatten")  # each drawn as often as four others
TRIES = 5  # at a layer that must be there
PIXELS = {
    "ordinary": lambda rng, shape: rng.normal(size=shape),
    "bytes": lambda rng, shape: rng.integers(0, 256, shape).astype(float),
    "all the same": lambda rng, shape: np.full(shape, 3.0),
    "tiny and huge": lambda rng, shape: rng.choice([-1.0, 1.0], shape) * 10.0 ** rng.uniform(-6, 3, shape),
}


@dataclass(frozen=True)
class Case:
    """A network, the numbers that go in, and how its workbook is built."""

    network: dict[str, Any]
    pixels: str
    options: dict[str, Any]

    def build(self, folder: Path, **more: Any) -> Path:
        """Write the workbook into a folder."""
        shape = tuple(self.network["input"][key] for key in ("channels", "height", "width"))
        (folder / "net.json").write_text(json.dumps(self.network))
        np.save(folder / "x.npy", PIXELS[self.pixels](np.random.default_rng(7), shape))
        return sheetcnn.build(folder / "net.json", folder / "x.npy", folder / "book.xlsx", **(self.options | more)).path


@st.composite
def names(draw: st.DrawFn, options: Iterable[str]) -> str:
    """One of some names; a name that is added changes only the draws in which it wins."""
    number = draw(st.integers(0, 1 << 16))
    return max(options, key=lambda name: blake2b(f"{number} {name}".encode()).digest())


@st.composite
def cases(draw: st.DrawFn, kind: str | None = None) -> Case:
    """A network of up to seven layers, one of a given kind; a layer that does not fit is left out."""
    sizes = {
        "channels": draw(st.sampled_from([1, 2, 3, 4, 18])),
        "height": draw(st.integers(1, 8)),
        "width": draw(st.integers(1, 8)),
    }
    network: dict[str, Any] = {"name": "random", "input": sizes, "layers": []}
    for key, values in (("scale", [2.0, 255.0]), ("mean", [[0.1], 0.5]), ("std", [0.7])):
        if draw(st.sampled_from([False, False, True])):
            network["input"] |= {key: draw(st.sampled_from(values))}
    shapes: dict[str, Shape] = {"input": (sizes["channels"], sizes["height"], sizes["width"])}
    count = draw(st.integers(1, MOST_LAYERS))
    for number in range(1, count + 1 + (TRIES if kind else 0)):
        if number > count and any(layer["type"] == kind for layer in network["layers"]):
            break
        if number > count and kind and not any(_takes(kind, shape) for shape in shapes.values()):
            pair = [{"type": "flatten", "name": f"layer{number}"}]
        else:
            pair = draw(_layers(shapes, number, kind if number > count else None))
        longer = network | {"layers": [*network["layers"], *pair]}
        try:
            nodes = parse_network(longer, "random").nodes
        except SheetcnnError:
            continue
        if sum(int(np.prod(node.shape)) for node in nodes) <= MOST_CELLS:
            network = longer
            shapes |= {node.name: node.shape for node in nodes}
    if kind:
        assume(any(layer["type"] == kind for layer in network["layers"]))
    if not network["layers"]:
        network["layers"] = [{"type": "relu"}]
    if len(final := shapes[next(reversed(shapes))]) == 1 and draw(st.booleans()):
        network["labels"] = [f"label {n}" for n in range(final[0])]
    detail = draw(st.sampled_from(["compact", "steps"]))
    options = {name: draw(st.sampled_from([True, True, True, False])) for name in ("gallery", "inspector")}
    return Case(network, draw(st.sampled_from(list(PIXELS))), options | {"detail": detail, "protect": draw(st.booleans())})


def _takes(kind: str, shape: Shape) -> bool:
    return LAYERS[kind].takes in ("any", "maps" if len(shape) == 3 else "vector")


@st.composite
def _layers(draw: st.DrawFn, shapes: dict[str, Shape], number: int, kind: str | None) -> list[dict[str, Any]]:
    """A layer that mostly fits what it reads, of a kind if one is given; sometimes with a twin that shares its weights."""
    reads = draw(st.sampled_from([name for name, shape in shapes.items() if kind is None or _takes(kind, shape)][::-1]))
    shape = shapes[reads]
    if kind is None:
        several = [f"{name} {n}" for name in LAYERS if _takes(name, shape) for n in range(4 if name in OFTEN else 1)]
        kind = draw(names(several)).split()[0]
    layer = {"type": kind, "name": f"layer{number}", "input": reads} | draw(_settings(kind, shape))
    if LAYERS[kind].inputs[1] > 1:
        like = [name for name, other in shapes.items() if len(other) == len(shape) and {*other[1:]} <= {*shape[1:], 1}]
        layer["input"] = [
            reads,
            *draw(st.lists(st.sampled_from(like), min_size=1, max_size=LAYERS[kind].inputs[1] - 1 and 2)),
        ]
    if "activation" in LAYERS[kind].model_fields and draw(st.booleans()):
        layer["activation"] = draw(names(ACTIVATIONS))
    if "kernels" in layer or not _has_weights(layer, shape):
        return [layer]
    layer |= {"seed": draw(st.integers(0, 9)), "init": draw(st.sampled_from(["he_normal", "xavier_uniform", "ones"]))}
    if draw(st.sampled_from([True, False, False])):
        twin = {key: value for key, value in layer.items() if key not in ("seed", "init")}
        return [layer, twin | {"name": f"twin{number}", "share": layer["name"]}]
    return [layer]


def _has_weights(layer: dict[str, Any], shape: Shape) -> bool:
    """Whether there are weights to initialise, by `init` and `seed`."""
    kind = LAYERS[layer["type"]]
    try:
        made = kind(**{key: value for key, value in layer.items() if key in kind.model_fields})
        return any(len(size) > 1 for size in made.parameters(shape).values())
    except (ValidationError, ValueError, ArithmeticError):
        return False  # it does not fit, and is left out


@st.composite
def _settings(draw: st.DrawFn, kind: str, shape: Shape) -> dict[str, Any]:
    """Settings of one layer for an input of a shape."""

    def number(low: int, high: int) -> int:
        return draw(st.integers(low, high))

    def numbers(count: int, low: int, high: int) -> list[int]:
        return [number(low, high) for _ in range(count)]

    def pick(*options: Any) -> Any:
        return draw(st.sampled_from(options))

    def divisor(size: int) -> int:
        return pick(*(n for n in range(1, size + 1) if size % n == 0))

    match kind:
        case "conv2d" if pick(*[False] * 7, True):
            kernels = draw(st.lists(st.sampled_from(list(KERNELS)), min_size=1, max_size=3))
            return {"kernels": kernels, "padding": pick(0, 1, "same")}
        case "conv2d":
            groups = divisor(shape[0])
            return {
                "out_channels": groups * number(1, 3 if groups < 4 else 1),
                "groups": groups,
                "bias": pick(True, False),
                "kernel_size": numbers(2, 1, 3),
                "stride": numbers(2, 1, 2),
                "padding": pick(numbers(4, 0, 2), "valid"),
                "dilation": number(1, 2),
                "channel_mix": pick("sum", "sum", "sum", "shared", "separate", "mean"),
                "activation_scope": pick("map", "map", "channel", "sum"),
            }
        case "conv3d":
            sizes = {"kernel_size": numbers(3, 1, 2), "stride": numbers(3, 1, 2), "dilation": numbers(3, 1, 2)}
            return sizes | {"out_channels": number(1, 2), "padding": number(0, 1), "in_channels": divisor(shape[0])}
        case "conv_transpose2d":
            groups = divisor(shape[0])
            sizes = {"kernel_size": number(1, 3), "stride": number(1, 3), "padding": number(0, 1), "dilation": number(1, 2)}
            return sizes | {"out_channels": groups * number(1, 2), "groups": groups, "output_padding": number(0, 1)}
        case "max_pool2d" | "avg_pool2d":
            sizes = {"kernel_size": numbers(2, 1, 3), "padding": number(0, 1), "ceil_mode": pick(False, True)}
            sizes |= {"stride": number(1, 3)} if pick(False, True) else {}
            own = {"dilation": number(1, 2)} if kind == "max_pool2d" else {"count_include_pad": pick(True, False)}
            return sizes | own
        case "adaptive_avg_pool2d":
            return {"output_size": numbers(2, 1, 5)}
        case "batch_norm2d" | "instance_norm2d" | "layer_norm":
            return {"affine": pick(True, False)}
        case "group_norm":
            return {"num_groups": divisor(shape[0]), "affine": pick(True, False)}
        case "lrn":
            return {"size": number(1, 5), "alpha": 0.3, "beta": pick(0.75, 0.5), "k": pick(1.0, 2.0)}
        case "clip":
            return {"min_val": pick(-1.0, 0.0), "max_val": pick(1.0, 0.5)}
        case "threshold":
            return {"threshold": pick(0.5, -0.25), "value": pick(0.0, 1.5)}
        case "prelu":
            return {"num_parameters": pick(1, shape[0])}
        case "gelu":
            return {"approximate": pick("none", "tanh")}
        case "pad":
            modes = pick("constant", "reflect", "replicate")
            return {"padding": numbers(4, 0, 2), "mode": modes} | ({"value": 0.5} if modes == "constant" else {})
        case "upsample":
            mode = pick("nearest", "bilinear", "bicubic")
            size = pick({"scale_factor": numbers(2, 1, 3)}, {"size": numbers(2, 1, 9)})
            return size | {"mode": mode, "align_corners": mode != "nearest" and pick(True, False)}
        case "pixel_shuffle":
            return {"upscale_factor": pick(*(n for n in (1, 2, 3) if shape[0] % n**2 == 0))}
        case "channel_shuffle":
            return {"groups": divisor(shape[0])}
        case "rearrange":
            if len(shape) == 1:
                return {"cells": pick("::2", "::-1", [0, ":", -1])}
            cut = {"rows": pick("::2", ":", [-1, ":", 0]), "columns": pick("::-1", "1:", 0), "channels": pick(":", [0, -1])}
            return cut | pick({}, {"pattern": "c h w -> w c h"}, {"pattern": "c h w -> (h w c)"})
        case "linear":
            return {"out_features": number(1, 5), "bias": pick(True, False)}
        case "unflatten":
            rows = divisor(shape[0])
            return {"size": [shape[0] // rows, rows, 1]}
    # Of other layers what the names of their settings say, and what one of their own examples has.
    sizes = {
        "kernel_size": st.lists(st.integers(1, 3), min_size=2, max_size=2),
        "stride": st.integers(1, 2),
        "padding": st.integers(0, 1),
        "dilation": st.integers(1, 2),
        "bias": st.booleans(),
    }
    drawn = {key: draw(sizes[key]) for key in LAYERS[kind].model_fields if key in sizes}
    return pick(*(given.settings for given in LAYERS[kind].examples)) | drawn
