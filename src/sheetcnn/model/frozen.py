"""Layers that are not live: sums of their numbers tell whether these are those that NumPy computed, and which are not."""

from __future__ import annotations

import numpy as np

from ..arrays.array import Values
from .graph import Graph

DIGITS = 12  # of a sum, as it is kept
Sums = list[list[float]]  # along each axis, at each of its places, the sum of all numbers there


def sums_of(numbers: np.ndarray) -> Sums:
    """The sums of each map, of each row and of each column: those that change say where a number did. A vector's are its numbers."""
    axes = range(numbers.ndim)
    each = [numbers.sum(axis=tuple(other for other in axes if other != axis)) for axis in axes]
    return [[float(f"{number:.{DIGITS}g}") for number in sums.tolist()] for sums in each]


def frozen_sums(graph: Graph, values: Values) -> dict[str, Sums]:
    """The sums of each layer that is not live, by name."""
    return {node.name: sums_of(values[graph.output(node.name).id]) for node in graph.network.nodes if not node.live}
