"""What was recognised as an activation is compared with what ONNX's own reference makes of the nodes that it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper
from onnx.reference import ReferenceEvaluator

from .curves import UNIT, Curve, doubted, telling
from .file import Node, UnsupportedError
from .recognition import layer_values

_RANDOM = 300  # numbers of many magnitudes, beside the points that tell the curve from others
_POINTS = 300  # of those
_LEAST = 1e-30  # below it products leave what single precision can hold
_TOLERANCE = 1e-5


def compare(
    nodes: Sequence[Node],
    constants: Mapping[str, np.ndarray],
    pictures: set[str],
    opset: int,
    curve: Curve,
    kind: str,
    settings: dict[str, float],
) -> None:
    """Compare the nodes between some inputs, all of which are the same number, and the last node's output.

    Raises UnsupportedError where the reference makes another number than the activation. What the reference cannot compute
    is not compared.
    """
    x = _numbers(curve)
    feeds = dict.fromkeys(pictures, x)
    feeds |= {name: one.astype(np.float32) if one.dtype.kind == "f" else one for name, one in constants.items()}
    graph = helper.make_graph(
        [_single(node) for node in nodes], "pieces", [_value(name) for name in feeds], [_value(nodes[-1].outputs[0])]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        with np.errstate(all="ignore"):
            results: Any = ReferenceEvaluator(model).run(None, feeds)
            have = np.asarray(results[0], float).reshape(x.shape)
    except Exception:  # operators, or forms of them, that it does not have
        return
    exact = x.astype(float)
    want, (_, doubt) = layer_values(kind, settings, exact), doubted(curve, exact)
    allowed = 8 * doubt + _TOLERANCE * np.abs(want) + UNIT * np.minimum(1, np.abs(exact))
    wrong = np.isfinite(have) & (np.abs(have - want) > allowed)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise UnsupportedError(
            f"looks like {kind}, but ONNX's reference makes {have[at] + 0:.9g} of {x[at]:.9g}, where {kind} makes {want[at] + 0:.9g}"
        )


def _numbers(curve: Curve) -> np.ndarray:
    """Numbers of single precision to compare at: random ones of many magnitudes, and some that tell the curve from others."""
    rng = np.random.default_rng(0)
    size = 10.0 ** rng.uniform(-8, 6, _RANDOM)
    known = telling(curve)
    known = known[np.abs(known) > _LEAST]
    some = rng.choice(known, min(_POINTS, len(known)), replace=False)
    every = np.concatenate([size * rng.choice([-1, 1], _RANDOM), rng.normal(0, 3, _RANDOM), some, [0.0]])
    return every.astype(np.float32)


def _single(node: Node) -> NodeProto:
    """A node that computes in single precision, whatever it would be cast to."""
    if node.operator not in ("Cast", "CastLike"):
        return node.proto
    return helper.make_node("Cast", node.inputs[:1], node.outputs, to=TensorProto.FLOAT)


def _value(name: str) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
