"""Softmax and normalisations in pieces: known by the numbers that the nodes make, whatever nodes they are.

A value is followed back to every earlier one that all its ways lead to. If there is a mean or a sum of that one on the way,
ONNX's reference computes the nodes between them from random numbers, and these are compared with what a layer would make.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from ..layers import LAYERS
from .file import Node
from .reading import Reading
from .values import Cells, Value

PIECES = ("ReduceMean", "ReduceSum", "ReduceMax", "Sub", "Add", "Mul", "Div", "Pow", "Sqrt", "Reciprocal", "Exp", "Log", "Neg",
          "Abs", "Cast", "CastLike", "Identity")  # fmt: skip
_BETWEEN = ("Reshape", "Pad", "AveragePool", "Squeeze", "Unsqueeze")  # what PyTorch puts around the squares of lrn
_LAST = ("Sub", "Add", "Mul", "Div")
_FAR = 12  # values back that are looked at
_ROUNDS = 4  # of random numbers
_MOST = 200_000  # numbers to compare
_TOLERANCE = 1e-4  # the reference computes in single precision


@dataclass(frozen=True)
class Found:
    """A layer that nodes are: what it reads, along which axis, and the numbers that it has."""

    kind: str
    base: str
    axis: int
    settings: dict[str, Any] = field(default_factory=dict)
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None


def whole(read: Reading, node: Node) -> Value | None:
    """The layer that a node is the last piece of, if it is one."""
    if node.operator not in (*PIECES, *_BETWEEN) or not node.outputs:
        return None
    seen = [read.bases.get(name, [name]) for name in node.inputs if name and not read.is_constant(name)]
    bases = [base for base in seen[0] if all(base in other for other in seen)][:_FAR]
    read.bases[node.outputs[0]] = [node.outputs[0], *bases]
    if node.operator not in _LAST:
        return None
    found = next((one for base in bases if (one := _found(read, node, base)) is not None), None)
    if found is None:
        return None
    x = read.value_of(found.base)
    inside = set(_between(read, node, found.base)) - {node}
    for piece in inside:  # what nobody else needs may be what it likes
        if all(reader in inside or reader is node for name in piece.outputs for reader in read.readers.get(name, ())):
            read.faults.pop(piece, None)
    return Value(x.shape, lambda: _drawn(read, node, x, found), node=node)


def _drawn(read: Reading, node: Node, x: Value, found: Found) -> Cells:
    plan, name, kind = read.plan, read.name(node), found.kind
    settings, weights = dict[str, Any](found.settings), dict[str, np.ndarray]()
    if found.weight is not None and found.bias is not None:
        settings["affine"] = bool((found.weight != 1).any() or (found.bias != 0).any())
        weights = {"weight": found.weight, "bias": found.bias} if settings["affine"] else {}
    shape = plan.steps[x.cells.layer].shape
    rows = found.axis == len(x.shape) - 1 == 2 and x.shape[0] == 1 and x.cells.order is None
    if kind == "layer_norm" and not weights and rows and len(shape) == 3 and shape[0] % x.shape[1] == 0:
        # Groups of channels, each in a row.
        kind = "instance_norm2d" if shape[0] == x.shape[1] else "group_norm"
        settings |= {} if kind == "instance_norm2d" else {"num_groups": x.shape[1]}
        return Cells(plan.add(kind, x.cells.layer, name=name, **settings))
    if kind != "lrn" and x.shape[found.axis] == int(np.prod(x.shape)):  # lrn reads maps, of one cell each too
        layer = plan.view(plan.settled(x), (x.shape[found.axis],))
        return Cells(plan.add(kind, layer, name=name, weights=weights, **settings))
    layer, back = read.with_channels(x, found.axis)
    return back(plan.add(kind, layer, name=name, weights=weights, **settings)).cells


def _found(read: Reading, node: Node, base: str) -> Found | None:
    """The layer that makes a value of an earlier one."""
    if not isinstance(x := read.result(base), Value):
        return None
    shape, nodes = x.shape, _between(read, node, base)
    operators = {one.operator for one in nodes}
    local = "AveragePool" in operators and node.operator == "Div" and node.inputs[0] == base and len(shape) == 4
    whole_axis = base in {one.inputs[0] for one in nodes if one.operator.startswith("Reduce")} and operators & {
        "Exp",
        "Sqrt",
    }
    if int(np.prod(shape)) > _MOST or not (local or whole_axis):
        return None
    rng = np.random.default_rng(0)
    # Small numbers too, since they tell what is added to their variance.
    xs = [rng.normal(0.1, (2, 0.02)[n % 2], shape).astype(np.float32) for n in range(_ROUNDS)]
    names = dict.fromkeys(name for one in nodes for name in one.inputs if name and read.is_constant(name))
    held = {name: np.asarray(read.result(name)) for name in names}
    ys = _computed(nodes, base, xs, held, read.opset)
    if local and ys is not None:
        return _local(read, nodes, base, np.stack(xs).astype(float), ys)
    return None if ys is None else next(_alike(np.stack(xs).astype(float), ys, base, operators, [*held.values()]), None)


def _local(read: Reading, nodes: Sequence[Node], base: str, x: np.ndarray, y: np.ndarray) -> Found | None:
    """lrn, its settings read off the nodes."""
    numbers = {
        one.operator: float(np.asarray(read.result(name)).reshape(-1)[0])
        for one in nodes
        for name in one.inputs
        if one.operator in ("Mul", "Add", "Pow") and read.is_constant(name)
    }
    size = next(one.get("kernel_shape", [0])[0] for one in nodes if one.operator == "AveragePool")
    if len(numbers) < 3 or size < 1:
        return None
    alpha, k, beta = (float(str(np.float32(numbers[key]))) for key in ("Mul", "Add", "Pow"))
    settings = {"size": int(size), "alpha": alpha, "k": k, "beta": beta}
    want = np.stack([LAYERS["lrn"](**settings).forward(one[0])[None] for one in x])
    return Found("lrn", base, 1, settings) if np.allclose(want, y, atol=_TOLERANCE, rtol=_TOLERANCE) else None


def _between(read: Reading, node: Node, base: str) -> list[Node]:
    """The nodes that make one of another, each after those that it reads."""
    found, waiting = {node}, [node]
    while waiting:
        for name in filter(None, waiting.pop().inputs):
            if name != base and not read.is_constant(name) and (maker := read.makers[name]) not in found:
                found.add(maker)
                waiting.append(maker)
    return sorted(found, key=read.places.__getitem__)


def _computed(
    nodes: Sequence[Node], base: str, xs: Sequence[np.ndarray], held: dict[str, np.ndarray], opset: int
) -> np.ndarray | None:
    """What ONNX's reference makes of each of some arrays; None where it cannot."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in (base, *held)]
    last = helper.make_tensor_value_info(nodes[-1].outputs[0], TensorProto.FLOAT, None)
    graph = helper.make_graph([one.proto for one in nodes], "pieces", values, [last])
    try:
        with np.errstate(all="ignore"):
            reference: Any = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]))
            ys = [np.asarray(reference.run(None, {base: x, **held})[0], float) for x in xs]
    except Exception:  # operators, or forms of them, that it does not have
        return None
    made = np.stack(ys)
    return made if made.shape[1:] == xs[0].shape and np.isfinite(made).all() else None


def _alike(x: np.ndarray, y: np.ndarray, base: str, operators: set[str], numbers: Sequence[np.ndarray]) -> Iterator[Found]:
    """The layers that make the same of some arrays, which are numbered by the first axis."""
    for axis in range(x.ndim - 1):
        if x.shape[1 + axis] < 2:
            continue
        if "Exp" in operators:
            powers = np.exp(x - x.max(axis=1 + axis, keepdims=True))
            share = powers / powers.sum(axis=1 + axis, keepdims=True)
            if np.allclose(share, y, atol=_TOLERANCE):
                yield Found("softmax", base, axis)
            if np.allclose(np.log(share), y, atol=_TOLERANCE):
                yield Found("log_softmax", base, axis)
            continue
        if (found := _normal(x, y, 1 + axis, numbers)) is not None:
            yield Found("layer_norm", base, axis, *found)


def _normal(
    x: np.ndarray, y: np.ndarray, axis: int, numbers: Sequence[np.ndarray]
) -> tuple[dict[str, float], np.ndarray, np.ndarray] | None:
    """What is added to the variance, the weights and biases, with which a normalisation along an axis makes the same."""
    centred, variance = x - x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True)
    have = np.moveaxis(y, axis, 0).reshape(x.shape[axis], -1)
    best, found = _TOLERANCE * max(1.0, np.abs(have).max()), None
    for eps in {0.0} | {float(one.reshape(-1)[0]) for one in numbers if one.size == 1 and 0 < float(one.reshape(-1)[0]) < 1}:
        normal = np.moveaxis(centred / np.sqrt(variance + eps), axis, 0).reshape(x.shape[axis], -1)
        weight, bias = _line(normal, have)
        off = np.abs(normal * weight[:, None] + bias[:, None] - have).max()
        if off < best:
            best = off
            found = {"eps": float(str(np.float32(eps)))}, _exact(weight, numbers), _exact(bias, numbers)
    return found


def _line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and start of the line through the points of each row, those that are nothing put at 0 and 1."""
    middle = x.mean(axis=1, keepdims=True)
    slope = ((x - middle) * (y - y.mean(axis=1, keepdims=True))).sum(axis=1) / ((x - middle) ** 2).sum(axis=1)
    slope = slope.astype(np.float32).astype(float)
    start = y.mean(axis=1) - slope * middle[:, 0]
    slope = np.where(np.abs(slope - 1) < _TOLERANCE, 1.0, slope)
    return slope, np.where(np.abs(start) < _TOLERANCE, 0.0, start)


def _exact(found: np.ndarray, numbers: Sequence[np.ndarray]) -> np.ndarray:
    """A constant of the model that these numbers are nearly."""
    alike = (one.reshape(-1).astype(float) for one in numbers if one.size == len(found))
    return next((one for one in alike if np.allclose(one, found, rtol=_TOLERANCE, atol=_TOLERANCE)), found)
