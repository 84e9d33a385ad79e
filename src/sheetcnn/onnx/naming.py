"""Weights in a model get the names of the layers that they come from, which some exporters lose on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper


def name_weights(path: Path, names: Mapping[str, np.ndarray]) -> None:
    """Rename, in an .onnx file, each weight that has the same numbers, in whatever order, as one of these alone."""
    model = onnx.load(path)
    by_numbers: dict[bytes, list[str]] = {}
    for name, array in names.items():
        by_numbers.setdefault(_numbers(array), []).append(name)
    taken = {tensor.name for tensor in model.graph.initializer}
    found = {tensor.name: by_numbers.get(_numbers(numpy_helper.to_array(tensor)), []) for tensor in model.graph.initializer}
    times = Counter(name for several in found.values() for name in several)
    new = {
        old: several[0]
        for old, several in found.items()
        if len(several) == 1 and times[several[0]] == 1 and several[0] not in taken
    }
    for tensor in model.graph.initializer:
        tensor.name = new.get(tensor.name, tensor.name)
    for node in model.graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
    onnx.save(model, path)


def _numbers(array: np.ndarray) -> bytes:
    return np.sort(np.asarray(array, np.float32), axis=None).tobytes()
