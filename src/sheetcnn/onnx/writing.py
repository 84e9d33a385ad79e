"""A network with its weights as an ONNX model: each layer writes itself."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..arrays.array import Values
from ..errors import NetworkError
from ..model.network import Network, Node
from ..model.settings import INPUT
from ..version import VERSION

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    raise NetworkError("models in .onnx need the package onnx; install it with  pip install 'sheetcnn[onnx]'") from None

OPSET, IR = 21, 10  # of the middle of 2024: new enough for all layers, old enough for runtimes in use


def model_of(network: Network, parameters: Values) -> bytes:
    """The model as the bytes of an .onnx file. It takes the pixels of one picture, 1×C×H×W, in single precision.

    Its outputs are the layers that the network file names as such, and those that no other layer reads. Raises NetworkError
    where numbers are too large for single precision.
    """
    to = Writing()
    values = {INPUT: _normalized(to, parameters)}
    for node in network.nodes:
        to.owner = network.owner(node.name)
        xs = [values[name] for name in node.inputs]
        values[node.name] = to.layer(node, xs, parameters)
    ends = [network.by_name[name] for name in network.outputs]
    graph = helper.make_graph(
        to.nodes,
        "network",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, *network.input.shape])],
        [helper.make_tensor_value_info(values[node.name], TensorProto.FLOAT, [1, *node.shape]) for node in ends],
        list(to.constants.values()),
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="sheetcnn", producer_version=VERSION)
    model.doc_string = network.settings.about
    helper.set_model_props(model, {"name": network.settings.name} | _labels(network))
    return model.SerializeToString()


def _labels(network: Network) -> dict[str, str]:
    labels = network.settings.labels
    return {} if labels is None else {"labels": json.dumps(labels, ensure_ascii=False)}


def _normalized(to: Writing, given: Values) -> str:
    """(pixel / scale − mean) / std, as far as these are given."""
    x = INPUT
    for key, operator in (("scale", "Div"), ("mean", "Sub"), ("std", "Div")):
        if (name := f"{INPUT}.{key}") in given:
            x = to.add(operator, f"{INPUT}_{key}", x, to.constant(name, given[name].reshape(-1, 1, 1)))
    return x


class Writing:
    """The nodes and constants written so far."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.owner = INPUT  # whose weights are being written; layers that share them write them once
        self.prefix = ""

    def add(self, operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        """The name of a new node's output."""
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def constant(self, name: str, array: np.ndarray) -> str:
        """The name of a constant; real numbers are in single precision."""
        if array.dtype.kind == "f":
            if np.abs(array).max(initial=0) > np.finfo(np.float32).max:
                raise NetworkError(
                    f"{name}: holds {np.abs(array).max():.4g}, too large for the single precision of ONNX models"
                )
            array = array.astype(np.float32)
        tensor = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        # Layers that share weights may need them in different shapes.
        while (held := self.constants.setdefault(tensor.name, tensor)) is not tensor and held != tensor:
            tensor.name += "_"
        return tensor.name

    def integers(self, name: str, numbers: list[int]) -> str:
        """The name of a constant of whole numbers."""
        return self.constant(name, np.array(numbers, np.int64))

    def weight(self, key: str, array: np.ndarray) -> str:
        """The name of a layer's weight."""
        return self.constant(f"{self.owner}.{self.prefix}{key}", array)

    def layer(self, node: Node, xs: list[str], parameters: Values) -> str:
        """The name of what a layer makes, its activation included. Raises NetworkError where ONNX has no such layer."""
        parts = node.layer.parts(*node.in_shapes)
        for part in parts:
            self.prefix = part.prefix
            name = node.name if part is parts[-1] else f"{node.name}_sum"
            own = {key: parameters[f"{self.owner}.{part.prefix}{key}"] for key in part.layer.parameters(*part.shapes)}
            try:
                xs = [part.layer.to_onnx(self, name, xs, part.shapes, **own)]
            except ValueError as error:
                raise NetworkError(f"{node.title}: {part.layer.type} {error}; export to .npz keeps its weights") from None
        return xs[0]
