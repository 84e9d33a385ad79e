"""Quantised models, read as the network of real numbers that they stand for."""

from __future__ import annotations

import numpy as np

from ..file import Node, UnsupportedError
from ..reading import Reading
from ..values import Cells, Result, Value
from .registry import operator

NOTE = "Its numbers are rounded to whole steps in the model; read as real numbers."
_KEEPS = ("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze",
          "QuantizeLinear", "Identity", "Concat")  # fmt: skip
_POSITIVE = ("Relu", "Sigmoid", "Softmax", "HardSigmoid")


@operator("QuantizeLinear")
def quantize(read: Reading, node: Node) -> Result:
    """What it reads: only DequantizeLinear reads that again."""
    others = [reader.operator for name in node.outputs for reader in read.readers.get(name, ())]
    if any(reader not in (*_KEEPS, "DequantizeLinear") for reader in others):
        raise UnsupportedError(
            f"{' and '.join(sorted(set(others)))} would compute with whole numbers; give the model before"
        )
    read.notes[NOTE] = None
    return read.value(node, 0)


@operator("DequantizeLinear")
def dequantize(read: Reading, node: Node) -> Result:
    """What QuantizeLinear read. Where nothing below 0 has a whole number, that was a relu."""
    x = read.value(node, 0)
    zero = read.operand(node, 2) if len(node.inputs) > 2 and node.inputs[2] else np.zeros(1, np.uint8)
    least = np.iinfo(zero.dtype).min if isinstance(zero, np.ndarray) and zero.dtype.kind in "iu" else None
    if least is None or (np.asarray(zero) != least).any() or _positive(read, node.inputs[0]):
        return x
    return Value(x.shape, lambda: Cells(read.plan.add("relu", x.cells.layer, name=read.name(node)), x.cells.order))


def _positive(read: Reading, name: str) -> bool:
    """Whether a value has nothing below 0 anyway: pixels, and what comes from an activation that says so."""
    while name != read.graph.input:
        maker = read.makers.get(name)
        if maker is None or maker.operator in (*_POSITIVE, "DequantizeLinear"):
            return maker is not None
        if maker.operator not in _KEEPS:
            return False
        name = maker.inputs[0]
    return True
