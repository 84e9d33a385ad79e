"""What each layer of a network costs, and how much of the picture its cells see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .layers.extent import Extent
from .network import INPUT, Network


@dataclass(frozen=True)
class Cost:
    """What `summary` says of one layer."""

    parameters: int
    multiplications: int
    receptive_field: tuple[int, int]  # the most rows and columns of the input picture that an output cell depends on


def costs(network: Network) -> dict[str, Cost]:
    """Parameters, multiplications and receptive field of every layer, by name.

    Receptive fields are traced row by row and column by column. Far from the edges they are those of the formula
    r ← r + (k − 1)·j, j ← j·s for window k and stride s (Araujo, Norris and Sim, "Computing Receptive Fields of
    Convolutional Neural Networks", 2019).
    """
    seen = {INPUT: [Extent(np.arange(size), np.arange(size)) for size in network.input.shape[1:]]}
    found = {}
    for node in network.nodes:
        layer, shapes = node.layer, node.in_shapes
        seen[node.name] = [layer.extent(axis, shapes, [seen[name][axis] for name in node.inputs]) for axis in (0, 1)]
        rows, columns = (extent.largest for extent in seen[node.name])
        count = 0 if node.share is not None else sum(layer.trainable(*shapes).values())
        found[node.name] = Cost(count, layer.multiplications(*shapes), (rows, columns))
    return found
