"""What a graph computes from constants alone is computed at once, by ONNX's own reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from .file import Node, UnsupportedError

MOST = 300_000_000  # numbers in all constants that are computed
MOST_MADE = 10_000_000  # in one that is larger than each that it is made of
MOST_EACH = 200_000_000  # in any; VGG-19's largest has half as many

_BROADCAST = ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Where", "Equal", "Mod", "Expand", "Less", "LessOrEqual", "Greater",
              "GreaterOrEqual", "And", "Or")  # fmt: skip
_SAME_SIZE = (
    "Identity", "Cast", "CastLike", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Shape", "Size", "Neg", "Abs",
    "Sqrt", "Reciprocal", "Exp", "Log", "Floor", "Ceil", "Round", "Not", "Concat", "ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean",
    "DequantizeLinear", "Split", "GatherND", "GatherElements",
)  # fmt: skip


def folded(node: Node, inputs: Sequence[object], opset: int, room: int = MOST) -> tuple[np.ndarray, ...]:
    """The outputs of a node that reads constants only.

    Raises UnsupportedError where the operator is not one of those that exporters use for weights and shapes, or its result
    has more numbers than there is room for.
    """
    arrays = [one for one in inputs if isinstance(one, np.ndarray)]
    if node.operator == "Constant":
        return (_constant(node),)
    if node.operator in _BROADCAST:
        shapes = [
            tuple(int(n) for n in one) if node.operator == "Expand" and i else one.shape for i, one in enumerate(arrays)
        ]
        try:
            size = int(np.prod(np.broadcast_shapes(*shapes), dtype=object))
        except ValueError:
            raise UnsupportedError("the shapes of its constants do not fit") from None
    elif node.operator == "ConstantOfShape":
        size = int(np.prod([int(n) for n in arrays[0].reshape(-1)], dtype=object))
    elif node.operator == "Tile":
        size = arrays[0].size * int(np.prod([int(n) for n in arrays[1].reshape(-1)], dtype=object))
    elif node.operator == "Gather":
        size = arrays[0].size * arrays[1].size // max(1, arrays[0].shape[node.get("axis", 0)] if arrays[0].ndim else 1)
    elif node.operator in _SAME_SIZE:
        size = sum(one.size for one in arrays)
    else:
        raise UnsupportedError("no layer does this, nor is it among what is computed from constants")
    most = MOST_MADE if size > max((one.size for one in arrays), default=0) else MOST_EACH
    if node.operator == "ConstantOfShape" and size <= MOST_EACH:  # one number, which takes no room
        return (_filled(node, arrays[0]),)
    if size > most:
        raise UnsupportedError(f"it makes a constant of {size:,} numbers; sheetcnn computes up to {most:,}")
    if size > room:
        raise UnsupportedError(f"it makes a constant of {size:,} numbers; all together may have {MOST:,}")
    if node.operator == "DequantizeLinear":
        return (_dequantized(node, arrays),)
    names, outputs = [name for name in node.inputs if name], node.outputs
    graph = helper.make_graph([node.proto], "one", [_value(name) for name in names], [_value(name) for name in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    feeds: dict[str, np.ndarray] = dict(zip(names, arrays, strict=True))
    try:
        with np.errstate(all="ignore"):
            results: Any = ReferenceEvaluator(model).run(outputs, feeds)
            return tuple(map(np.asarray, results))
    except Exception as error:  # whatever the reference finds wrong with constants from outside
        raise UnsupportedError(
            f"its constants cannot be computed ({str(error).splitlines()[0][:80] if str(error) else error!r})"
        ) from None


def _value(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)


def _constant(node: Node) -> np.ndarray:
    for key, value in node.attributes.items():
        if key.startswith("value") and value is not None:
            return np.asarray(value)
    raise UnsupportedError("it holds no dense array of numbers")


def _filled(node: Node, shape: np.ndarray) -> np.ndarray:
    """One number everywhere, which stands in memory once."""
    value = node.get("value")
    one = np.zeros(1, np.float32) if value is None else np.asarray(value).reshape(-1)
    sizes = [int(n) for n in shape.reshape(-1)]
    if one.size != 1 or min(sizes, default=0) < 0:
        raise UnsupportedError("its constants cannot be computed")
    return np.broadcast_to(one[0], sizes)


def _dequantized(node: Node, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(q − zero point) · scale, of one scale, of one for each place along an axis, or of one for each block along it."""
    q, scale, *zero = (array.astype(np.float32) for array in arrays)
    if scale.size == 1:
        scale, zero = scale.reshape(()), [one.reshape(()) for one in zero]
    elif scale.ndim == 1:
        shape = [1] * q.ndim
        shape[node.get("axis", 1)] = -1
        scale, zero = scale.reshape(shape), [one.reshape(shape) for one in zero]
    elif block := node.get("block_size", 0):
        axis = node.get("axis", 1) % q.ndim
        scale, *zero = (np.repeat(one, block, axis=axis).take(range(q.shape[axis]), axis=axis) for one in (scale, *zero))
    return (q - zero[0] if zero else q) * scale
