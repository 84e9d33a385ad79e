"""What a model writes shorter is written out in ONNX's own operators: its functions, and what ONNX Runtime fuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper
from onnx.inliner import inline_local_functions

from ..errors import NetworkError

MAX_NODES = 5_000
FUSED = "com.microsoft"
_Key = tuple[str, str]  # domain and name of a function


def expanded(model: ModelProto, source: str) -> ModelProto:
    """The model without functions of its own, and without nodes that stand for several."""
    if model.functions:
        try:
            model = inline_local_functions(model)
        except Exception as error:  # whatever is wrong with functions from outside
            raise NetworkError(f"{source}: has functions that cannot be read ({str(error)[:80]})") from None
    if any(node.domain == FUSED for node in model.graph.node):
        opset = next((given.version for given in model.opset_import if given.domain in ("", "ai.onnx")), 1)
        nodes = [part for node in model.graph.node for part in _parts(node, opset)]
        del model.graph.node[:]
        model.graph.node.extend(nodes)
    return model


def refuse_many(model: ModelProto, source: str) -> None:
    """Raise NetworkError where a model has more nodes than sheetcnn draws."""
    try:
        count = _count(model, source)
    except RecursionError:
        raise NetworkError(f"{source}: its functions are nested too deeply") from None
    if count > MAX_NODES:
        raise NetworkError(f"{source}: has {count:,} nodes; sheetcnn draws at most {MAX_NODES:,}")


def _count(model: ModelProto, source: str) -> int:
    """How many nodes the graph has, those of branches and functions counted wherever they are used."""
    functions = {(one.domain, one.name): one for one in model.functions}
    sizes: dict[_Key, int] = {}

    def size(nodes: Iterable[NodeProto], inside: tuple[_Key, ...]) -> int:
        total = 0
        for node in nodes:
            total += sum(size(graph.node, inside) for graph in branches(node))
            key = (node.domain, node.op_type)
            if key not in functions:
                total += 1
                continue
            if key in inside:
                raise NetworkError(f"{source}: its function {node.op_type!r:.60} calls itself; the model is damaged")
            if key not in sizes:
                sizes[key] = size(functions[key].node, (*inside, key))
            total += sizes[key]
        return total

    return size(model.graph.node, ())


def branches(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs that a node has as attributes."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


# -- operators of ONNX Runtime: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md --------------------


def _parts(node: NodeProto, opset: int) -> list[NodeProto]:
    """The nodes that a fused one stands for; the node itself where it is none that is known."""
    if node.domain != FUSED or node.op_type not in _FUSED or not node.output:
        return [node]
    settings = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    try:
        return list(_FUSED[node.op_type](node, settings, opset))
    except (IndexError, KeyError):  # an activation that is unknown, or one without its numbers
        return [node]


def _fused(operator: str, numbers: Callable[[dict[str, Any]], list[float]]) -> Callable[..., Iterator[NodeProto]]:
    """A convolution or fully connected layer, what is added to it, and an activation."""

    def parts(node: NodeProto, settings: dict[str, Any], opset: int) -> Iterator[NodeProto]:
        own = {key: value for key, value in settings.items() if not key.startswith("activation")}
        inputs, more = list(node.input[:3]), list(node.input[3:4])
        activation = settings.get("activation", b"").decode()
        last = f"{node.output[0]} before {activation}" if activation else node.output[0]
        first = f"{last} and sum" if more and more[0] else last
        yield helper.make_node(operator, inputs, [first], node.name, **own)
        if first != last:
            yield helper.make_node("Add", [first, more[0]], [last], node.name)
        if activation:
            given = numbers(settings)
            names = {"LeakyRelu": ("alpha",), "HardSigmoid": ("alpha", "beta"), "Clip": ("min", "max")}.get(activation, ())
            attributes: dict[str, Any] = dict(zip(names, given, strict=True)) if names else {}
            bounds = []
            if activation == "Clip" and opset >= 11:
                bounds = [f"{last} {name}" for name in names]
                for name, number in zip(bounds, given, strict=True):
                    yield helper.make_node("Constant", [], [name], value_float=number)
                attributes = {}
            elif activation not in ("Relu", "Tanh", "Sigmoid", *("LeakyRelu", "HardSigmoid", "Clip", "HardSwish")):
                raise KeyError(activation)
            yield helper.make_node(activation, [last, *bounds], [node.output[0]], node.name, **attributes)

    return parts


def _gelu(approximate: str) -> Callable[..., Iterator[NodeProto]]:
    def parts(node: NodeProto, settings: dict[str, Any], opset: int) -> Iterator[NodeProto]:
        read = node.input[0]
        if len(node.input) > 1 and node.input[1]:  # a bias
            read = f"{node.output[0]} with bias"
            yield helper.make_node("Add", node.input[:2], [read], node.name)
        yield helper.make_node("Gelu", [read], node.output, node.name, approximate=approximate)

    return parts


def _quick_gelu(node: NodeProto, settings: dict[str, Any], opset: int) -> Iterator[NodeProto]:
    """x · sigmoid(alpha · x)."""
    x, y = node.input[0], node.output[0]
    yield helper.make_node("Constant", [], [f"{y} alpha"], value_float=settings.get("alpha", 1.702))
    yield helper.make_node("Mul", [x, f"{y} alpha"], [f"{y} scaled"], node.name)
    yield helper.make_node("Sigmoid", [f"{y} scaled"], [f"{y} share"], node.name)
    yield helper.make_node("Mul", [x, f"{y} share"], [y], node.name)


_FUSED: dict[str, Callable[..., Iterator[NodeProto]]] = {
    "FusedConv": _fused("Conv", lambda given: list(given.get("activation_params", []))),
    "FusedGemm": _fused("Gemm", lambda given: [given[f"activation_{key}"] for key in ("alpha", "beta") if f"activation_{key}" in given]),
    "Gelu": _gelu("none"),
    "BiasGelu": _gelu("none"),
    "FastGelu": _gelu("tanh"),
    "QuickGelu": _quick_gelu,
}  # fmt: skip
