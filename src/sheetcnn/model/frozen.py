"""Layers that are not live: two sums of their numbers tell whether these are those that NumPy computed."""

from __future__ import annotations

import numpy as np

from ..arrays.array import Values
from .graph import Graph

GOLDEN = (5**0.5 - 1) / 2
Sums = tuple[float, float, float]  # of the numbers, of the numbers each with a weight of its own, and of their sizes


def sums_of(numbers: np.ndarray) -> Sums:
    """Sums that change where a number does, or where two change places."""
    flat = numbers.reshape(-1)
    weights = np.arange(1, flat.size + 1) * GOLDEN % 1 + 0.5
    return float(flat.sum()), float(flat @ weights), float(np.abs(flat).sum())


def frozen_sums(graph: Graph, values: Values) -> dict[str, Sums]:
    """The sums of each layer that is not live, by name."""
    return {node.name: sums_of(values[graph.output(node.name).id]) for node in graph.network.nodes if not node.live}
