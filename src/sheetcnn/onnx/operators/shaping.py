"""Cells put together, resized, put into another shape or order, or passed on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...arrays.array import Shape, shape_text
from ...layers import LAYERS
from ..curves import LOGICAL
from ..file import Node, UnsupportedError
from ..reading import Reading
from ..resizing import reshaped
from ..values import Cells, Result, Value, stacked
from .moving import index_of, refuse_large
from .registry import axis_of, operator


@operator("Concat")
def concat(read: Reading, node: Node) -> Result:
    """concat, of channels or of vectors; what is constant at its ends stands in a concat_constant."""
    operands = [one for one in (read.operand(node, n) for n in range(len(node.inputs))) if 0 not in one.shape]
    values = [one for one in operands if isinstance(one, Value)]
    if len(operands) == 1:
        return values[0]
    first = values[0]
    axis = axis_of(node.get("axis", 1), len(first.shape))
    others = [tuple(size for n, size in enumerate(one.shape) if n != axis) for one in operands]
    if any(one != others[0] for one in others):
        raise UnsupportedError(f"{' and '.join(shape_text(one.shape) for one in operands)} do not fit along axis {axis}")
    if int(np.prod(first.shape[:axis])) != 1:
        found = [read.with_channels(value, axis) for value in values]
        layers, back = [layer for layer, _ in found], found[0][1]
    else:
        after = first.shape[axis + 1 :]
        layers = []
        for value in values:
            size = value.shape[axis]
            maps = (size, 1, *after) if len(after) == 1 else stacked((1, size, *after)[-4:])
            layers.append(read.plan.view(read.plan.settled(value), maps if after else (size,)))

        def back(made: int) -> Value:
            return Value((*first.shape[:axis], sum(one.shape[axis] for one in operands), *after), lambda: Cells(made))

    return back(_stacked(read, node, operands, iter(layers), axis))


def _stacked(read: Reading, node: Node, operands: list[Result], layers: Iterator[int], axis: int) -> int:
    """Layers in one stack, each with the constants that stand before it, the last with those behind it too."""
    runs: list[list[np.ndarray]] = [[]]  # before the first layer, between two, and after the last
    for one in operands:
        if isinstance(one, np.ndarray):
            runs[-1].append(np.moveaxis(one, axis, 0).astype(float))
        else:
            runs.append([])
    before, last = runs[:-1], len(runs) - 2
    parts = [_with_constants(read, node, layer, before[n], runs[-1] if n == last else []) for n, layer in enumerate(layers)]
    return parts[0] if len(parts) == 1 else read.plan.add("concat", *parts, name=read.name(node))


def _with_constants(read: Reading, node: Node, layer: int, before: list[np.ndarray], after: list[np.ndarray]) -> int:
    """A layer with constants of as many rows and columns before and after its own maps."""
    if not before + after:
        return layer
    rest = read.plan.steps[layer].shape[1:]
    maps = {"before": [one.reshape(-1, *rest) for one in before], "after": [one.reshape(-1, *rest) for one in after]}
    counts = {key: sum(map(len, some)) for key, some in maps.items() if some}
    weights = {"weight": np.concatenate([*maps["before"], *maps["after"]])}
    return read.plan.add("concat_constant", layer, name=read.name(node), weights=weights, **counts)


@operator("Pad")
def pad(read: Reading, node: Node) -> Result:
    """pad; what is cut off by less than 0, or repeats the cells of the other side, is rearranged."""
    x = read.value(node, 0)
    rank = len(x.shape)
    mode = node.get("mode", "constant")
    if mode not in _PADDED:
        raise UnsupportedError(f"pad has no mode {mode!r}")
    pads = node.get("pads") or read.optional_integers(node, 1) or []
    axes = [axis_of(a, rank) for a in read.optional_integers(node, 3) or range(rank)]
    if len(pads) != 2 * len(axes):
        raise UnsupportedError(f"it has {len(pads)} pads for {len(axes)} axes")
    sides = [(0, 0)] * rank
    for n, axis in enumerate(axes):
        sides[axis] = (pads[n], pads[n + len(axes)])
    if min(pads, default=0) < 0:
        cut = tuple(
            slice(max(0, -before), size - max(0, -after)) for (before, after), size in zip(sides, x.shape, strict=True)
        )
        x = read.moved(node, x, index_of(x)[cut])
        sides = [(max(0, before), max(0, after)) for before, after in sides]
    if not any(map(any, sides)):
        return x
    refuse_large(int(np.prod([size + sum(side) for size, side in zip(x.shape, sides, strict=True)], dtype=object)))
    if mode == "wrap" or (mode != "constant" and any(map(any, sides[: rank - 2]))):
        return read.moved(node, x, np.pad(index_of(x), sides, mode=mode))
    given = read.optional_weight(node, 2)
    value = float(node.get("value", 0.0) if given is None else given.reshape(-1)[0])
    if mode == "constant" and not (rank == 4 and read.plan.last(x.cells, x.shape)):
        for axis in range(1, rank - 2):
            if any(sides[axis]):
                x, sides[axis] = _more_channels(read, node, x, axis, sides[axis], value), (0, 0)
        if rank == 3 and any(sides[1]) and x.shape[1] > 1:
            x, sides[1] = _more_channels(read, node, x, 1, sides[1], value), (0, 0)
        if not any(map(any, sides)):
            return x
    settings = {"mode": _PADDED[mode]} if mode != "constant" else {"value": value}
    return _padded(read, node, x, sides, settings)


_PADDED = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "wrap"}


def _more_channels(read: Reading, node: Node, x: Value, axis: int, sides: tuple[int, int], value: float) -> Value:
    """More places along an axis, all of which hold one number, before and after those of a tensor."""
    layer, back = read.with_channels(x, axis)
    blank = [np.full((count, *read.plan.steps[layer].shape[1:]), value) for count in sides]
    return back(_with_constants(read, node, layer, *([one] * (len(one) > 0) for one in blank)))


def _padded(read: Reading, node: Node, x: Value, sides: list[tuple[int, int]], settings: dict[str, Any]) -> Result:
    """A `pad` of rows and columns, which may stand before the channels."""
    last = len(x.shape) == 4 and read.plan.last(x.cells, x.shape)
    rank = len(x.shape)
    rows, columns = (1, 2) if last else (rank - 2, rank - 1)
    row = rank == 3 and not any(sides[rows])  # of one dimension
    if any(any(side) for n, side in enumerate(sides) if n not in (rows, columns)):
        raise UnsupportedError("it pads other axes than rows and columns")
    (top, bottom), (left, right) = sides[rows], sides[columns]
    settings = {"padding": [top, left, bottom, right]} | settings
    if rank == 5:  # volumes, whose maps stand one after the other
        flat = read.reshaped(x, (1, x.shape[1] * x.shape[2], *x.shape[3:]))
        made = read.drawn(node, "pad", read.plan.maps(flat), **settings)
        return read.reshaped(made, (*x.shape[:3], *made.shape[2:]))
    if not (last or row):
        return read.drawn(node, "pad", read.plan.maps(x), **settings)
    layer = read.with_channels(x, 3 if last else 1)[0]
    padded = read.plan.add("pad", layer, name=read.name(node), **settings)
    channels, high, wide = read.plan.steps[padded].shape
    if row:
        return Value((1, channels, wide), lambda: Cells(padded))
    return Value((1, high, wide, channels), lambda: Cells(padded, read.plan.turned((channels, high, wide))))


@operator("Resize", "Upsample")
def resize(read: Reading, node: Node) -> Result:
    """The `upsample` whose output rows and columns are made of the same input rows and columns; nearest ones are rearranged."""
    x = read.value(node, 0)
    for setting in ("antialias", "exclude_outside"):
        if node.get(setting, 0) and node.get("mode", "nearest") != "nearest":
            raise UnsupportedError(f"upsample has no {setting}; export the model without it")
    scales, sizes = _resizing(read, node, x.shape)
    refuse_large(int(np.prod(sizes, dtype=object)))
    if min(sizes, default=1) < 1:
        raise UnsupportedError(f"it leaves nothing of {shape_text(x.shape)}")
    axes = zip(x.shape, sizes, scales, _cropping(read, node, len(sizes)), strict=True)
    where = [_where(node, read.opset, *axis) for axis in axes]
    if node.get("mode", "nearest") == "nearest":
        index = index_of(x)
        for axis, places in enumerate(where):
            near = _rounded(node, read.opset, places)
            index = index.take(np.clip(near, 0, x.shape[axis] - 1).astype(int), axis=axis)
        return read.moved(node, x, index)
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(node.get("mode", ""))
    if mode is None or node.get("cubic_coeff_a", -0.75) != -0.75:
        raise UnsupportedError(f"upsample has no mode {node.get('mode')!r} with cubic_coeff_a {node.get('cubic_coeff_a')}")
    if len(sizes) not in (3, 4) or sizes[:2] != list(x.shape[:2]):
        raise UnsupportedError("it resizes other axes than rows and columns")
    if len(sizes) == 3:  # of one dimension: maps of one row
        layer, _ = read.with_channels(x, 1)
        made = _resized(read, node, layer, mode, [np.zeros(1), where[2]])
        return read.reshaped(made, (1, x.shape[1], sizes[2]))
    return _resized(read, node, read.plan.maps(x), mode, where[2:])


def _resized(read: Reading, node: Node, layer: int, mode: str, where: list[np.ndarray]) -> Value:
    """The `upsample` of maps whose rows and columns lie at given places among the old ones."""
    shape = read.plan.steps[layer].shape
    sizes = [len(places) for places in where]
    factors = [new // old for new, old in zip(sizes, shape[1:], strict=True)]
    whole = [f * old for f, old in zip(factors, shape[1:], strict=True)] == sizes
    size: dict[str, Any] = {"scale_factor": factors} if whole else {"size": sizes}
    for settings in ({}, {"align_corners": True}, _affine(where)):
        trial = LAYERS["upsample"].model_validate(size | {"mode": mode} | settings)
        if all(_same_places(trial, axis, shape, places) for axis, places in enumerate(where)):
            return read.drawn(node, "upsample", layer, mode=mode, **size, **settings)
    raise UnsupportedError(f"upsample has no {node.get('coordinate_transformation_mode', 'half_pixel')!r} in this form")


def _affine(where: list[np.ndarray]) -> dict[str, Any]:
    """The settings that put the output's places where they are."""
    return {
        "start": [float(places[0]) for places in where],
        "step": [float(places[1] - places[0]) if len(places) > 1 else 1.0 for places in where],
    }


def _same_places(trial: Any, axis: int, shape: Shape, places: np.ndarray) -> bool:
    """Whether a layer's output rows or columns lie where they should."""
    mine = [trial.where(axis, n, shape) for n in range(len(places))]
    held = (0, shape[1 + axis] - 1) if trial.mode == "bilinear" else (-np.inf, np.inf)
    return bool(np.allclose(np.clip(mine, *held), np.clip(places, *held), atol=1e-6))


def _resizing(read: Reading, node: Node, shape: Shape) -> tuple[list[float], list[int]]:
    """The scale and the new size of every axis."""
    rank = len(shape)
    given = node.get("scales")
    if given is None:
        last = read.optional_weight(node, 2 if read.opset > 10 and node.operator == "Resize" else 1)
        given = [] if last is None else last.reshape(-1).tolist()
    axes = [axis_of(a, rank) for a in node.get("axes") or range(rank)]
    sizes = list(shape)
    scales = [1.0] * rank
    wanted = read.optional_integers(node, 3) if not given else None
    if len(given or wanted or []) != len(axes):
        raise UnsupportedError(f"it has {len(given or wanted or [])} scales for {len(axes)} axes")
    for n, axis in enumerate(axes):
        sizes[axis] = int(np.floor(shape[axis] * given[n])) if given else int((wanted or [])[n])
        scales[axis] = given[n] if given else sizes[axis] / shape[axis]
    policy = node.get("keep_aspect_ratio_policy", "stretch")
    if wanted and policy != "stretch":
        one = (min if policy == "not_larger" else max)(scales[axis] for axis in axes)
        for axis in axes:
            sizes[axis], scales[axis] = int(np.floor(shape[axis] * one + 0.5)), one
    return scales, sizes


def _cropping(read: Reading, node: Node, rank: int) -> list[tuple[float, float]]:
    """Of every axis the part that is resized, from 0 to 1 if it is all."""
    whole = [(0.0, 1.0)] * rank
    if node.get("coordinate_transformation_mode") != "tf_crop_and_resize":
        return whole
    axes = [axis_of(a, rank) for a in node.get("axes") or range(rank)]
    given = read.weight(node, 1).reshape(2, len(axes)).tolist()
    for axis, start, end in zip(axes, *given, strict=True):
        whole[axis] = (start, end)
    if not all(0 <= n <= 1 for part in whole for n in part):
        raise UnsupportedError("it resizes what lies beyond the picture; upsample has what lies inside")
    return whole


def _where(node: Node, opset: int, old: int, new: int, scale: float, part: tuple[float, float]) -> np.ndarray:
    """Where each new place lies among the old ones, by ONNX's definition of Resize."""
    simple = node.operator == "Upsample" or opset == 10
    transform = "asymmetric" if simple else node.get("coordinate_transformation_mode", "half_pixel")
    places = np.arange(new, dtype=float)
    if transform == "half_pixel_symmetric":
        return old / 2 * (1 - new / (old * scale)) + (places + 0.5) / scale - 0.5
    if transform == "half_pixel" or (transform == "pytorch_half_pixel" and new > 1):
        return (places + 0.5) / scale - 0.5
    if transform == "align_corners":
        length = scale * old  # not rounded
        return places * (old - 1) / (length - 1) if length != 1 else places * 0
    if transform in ("asymmetric", "pytorch_half_pixel"):
        return places / scale if transform == "asymmetric" else places * 0
    if transform == "tf_crop_and_resize":
        start, end = (n * (old - 1) for n in part)
        return np.linspace(start, end, new) if new > 1 else np.array([(start + end) / 2])
    raise UnsupportedError(f"upsample has no {transform!r}")


def _rounded(node: Node, opset: int, where: np.ndarray) -> np.ndarray:
    """The old place that is nearest, as the model rounds."""
    simple = node.operator == "Upsample" or opset == 10
    rounding = "floor" if simple else node.get("nearest_mode", "round_prefer_floor")
    halves = {"floor": np.floor(where), "ceil": np.ceil(where), "round_prefer_floor": np.ceil(where - 0.5)}
    near: np.ndarray = halves.get(rounding, np.floor(where + 0.5))
    return near


@operator("Flatten")
def flatten(read: Reading, node: Node) -> Result:
    """The same cells in two axes."""
    x = read.value(node, 0)
    axis = (
        axis_of(node.get("axis", 1), len(x.shape) + 1)
        if node.get("axis", 1) >= 0
        else axis_of(node.get("axis"), len(x.shape))
    )
    return read.reshaped(x, (int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis:]))))


@operator("Reshape")
def reshape(read: Reading, node: Node) -> Result:
    """The same cells in other axes."""
    x = read.value(node, 0)
    wanted = node.get("shape") or read.optional_integers(node, 1) or []
    sizes = list(wanted)
    if not node.get("allowzero", 0):
        sizes = [x.shape[n] if size == 0 and n < len(x.shape) else size for n, size in enumerate(wanted)]
    if sizes[:1] == [read.picture.batch] and x.shape[:1] == (1,):  # for so many pictures, of which one is read
        sizes[0] = 1
    if sizes.count(-1) == 1:
        rest = -int(np.prod(sizes))
        sizes[sizes.index(-1)] = int(np.prod(x.shape)) // rest if rest > 0 else 0
    return read.reshaped(x, _at_another_size(read, node, x.shape) or tuple(sizes))


def _at_another_size(read: Reading, node: Node, shape: Shape) -> Shape | None:
    """What a node makes of a picture of another size than the model's own, where that follows from what it makes there."""
    given, made = (None if read.own is None else read.own.result(name) for name in (node.inputs[0], node.outputs[0]))
    return reshaped(given.shape, made.shape, shape) if isinstance(given, Value) and isinstance(made, Value) else None


@operator("Squeeze")
def squeeze(read: Reading, node: Node) -> Result:
    """The same cells without axes of one."""
    x = read.value(node, 0)
    axes = node.get("axes") or read.optional_integers(node, 1)
    gone = {axis_of(a, len(x.shape)) for a in axes} if axes else {n for n, size in enumerate(x.shape) if size == 1}
    return read.reshaped(x, tuple(size for n, size in enumerate(x.shape) if n not in gone))


@operator("Unsqueeze")
def unsqueeze(read: Reading, node: Node) -> Result:
    """The same cells with more axes of one."""
    x = read.value(node, 0)
    axes = node.get("axes") or read.optional_integers(node, 1) or []
    rank = len(x.shape) + len(axes)
    new = {axis_of(a, rank) for a in axes}
    sizes = iter(x.shape)
    return read.reshaped(x, tuple(1 if n in new else next(sizes) for n in range(rank)))


@operator("Shape")
def shape_of(read: Reading, node: Node) -> Result:
    """A constant, since all sizes are known."""
    x = read.value(node, 0)
    return np.array(x.shape[node.get("start", 0) : node.get("end", len(x.shape))], dtype=np.int64)


# -- what passes through -----------------------------------------------------------------------------------------------


@operator("Identity")
def identity(read: Reading, node: Node) -> Result:
    """What it reads."""
    return read.value(node, 0)


@operator("Cast", "CastLike")
def cast(read: Reading, node: Node) -> Result:
    """What it reads: sheetcnn computes in double precision."""
    to = node.get("to", 1) if node.operator == "Cast" else 1
    maker = read.makers.get(node.inputs[0])
    logical = maker is not None and maker.operator in LOGICAL and to == 9  # BOOL, of what is true or false anyway
    if to not in (1, 10, 11, 16) and not logical:  # FLOAT, FLOAT16, DOUBLE, BFLOAT16
        raise UnsupportedError("it makes whole numbers; sheetcnn has real ones")
    return read.operand(node, 0)


@operator("Dropout")
def dropout(read: Reading, node: Node) -> Result:
    """dropout, as it acts in inference."""
    x = read.value(node, 0)
    if len(node.outputs) > 1 and read.is_used(node.outputs[1]):
        raise UnsupportedError("sheetcnn has no mask (output 2)")
    given, training = read.optional_weight(node, 1), read.optional_weight(node, 2)
    ratio = float(node.get("ratio", 0.5) if given is None else given.reshape(-1)[0])
    if training is not None and training.any() and ratio:
        raise UnsupportedError("it is in training mode; export the model with eval()")
    return Value(
        x.shape, lambda: Cells(read.plan.add("dropout", x.cells.layer, name=read.name(node), p=ratio), x.cells.order)
    )
