"""Other pixels and kernels, on which a formula must give what NumPy says."""

from __future__ import annotations

import numpy as np

from ..layers.base import Arrays
from ..network import Node

TRIALS = 3


def trial(node: Node, number: int) -> tuple[dict[str, np.ndarray], Arrays]:
    """What a layer reads, by layer name, and its parameters, for one of the trials.

    ReLU must not hide a mistake by making 0 of everything, nor may a missing ReLU go unseen: so every sum of a window is
    positive in the first trial and negative in the second. One channel's kernels are made to outweigh all others, which
    have the other sign: then ReLU before the sum over the channels differs from ReLU after it.
    """
    rng = np.random.default_rng([number, node.number])
    read = {name: rng.uniform(0.8, 1.2, shape) for name, shape in zip(node.inputs, node.in_shapes, strict=True)}
    sign = -1.0 if number == 1 else 1.0
    numbers: Arrays = {}
    for key, shape in node.layer.all_parameters(*node.in_shapes).items():
        array = rng.uniform(0.8, 1.2, shape)
        if len(shape) > 1:
            factors = np.full(shape[1], -0.5 if shape[1] > 1 else 1.0)
            factors[number % shape[1]] = 2 * shape[1] if shape[1] > 1 else 1.0
            array *= sign * factors.reshape(-1, *[1] * (len(shape) - 2))
        elif key == "bias":
            array *= sign
        numbers[key] = array
    return read, numbers
