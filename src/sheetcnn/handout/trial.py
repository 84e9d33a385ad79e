"""Other pixels and kernels, on which a formula must give what NumPy says."""

from __future__ import annotations

import numpy as np

from ..arrays.array import Shape, Values
from ..model.graph import Graph
from ..model.loss import LOSS
from ..model.network import Node

TRIALS = 3
DRAWN = 8  # runs of the whole network, of which those are taken that tell the most


def trial(node: Node, number: int) -> tuple[dict[str, np.ndarray], Values]:
    """What a layer reads, by layer name, and its parameters, for one of the trials.

    ReLU must not hide a mistake by making 0 of everything, nor may a missing ReLU go unseen: so every sum of a window is
    negative in the second trial and positive in the others. One channel's kernels are made to outweigh all others, which
    have the other sign: then ReLU before the sum over the channels differs from ReLU after it. Maps grow towards their
    ends in one trial and towards their beginnings in another: then a shifted window has another largest cell.
    """
    rng = np.random.default_rng([number, node.number])
    read = {name: _map(shape, number, rng) for name, shape in zip(node.inputs, node.in_shapes, strict=True)}
    sign = -1.0 if number == 1 else 1.0
    numbers: Values = {}
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


def _map(shape: Shape, number: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers between 0.8 and 1.2 for a layer to read."""
    noise = rng.uniform(0, 1, shape)
    if len(shape) == 1 or number == 1:
        return 0.8 + 0.4 * noise
    rows, columns = np.indices(shape[1:])
    slope = (rows + columns + 0.9 * noise) / sum(shape[1:])
    return 0.8 + 0.4 * slope if number == 0 else 1.2 - 0.4 * slope


def runs(graph: Graph, given: Values, id: str) -> list[Values]:
    """Runs of the whole network on other pixels, parameters, answers and rates, that tell much of one array.

    A gate must be open in some cells and shut in others, and a gradient must be there at all.
    """
    found = []
    for number in range(DRAWN):
        rng = np.random.default_rng([number, 23])
        run = graph.run({name: _other(graph, name, numbers, rng) for name, numbers in given.items()})
        if all(np.isfinite(numbers).all() for numbers in run.values()):
            zeros = int((run[id] == 0).sum())
            found.append((min(zeros, run[id].size - zeros), run[id].size - zeros, -number, run))
    found.sort(key=lambda one: one[:3], reverse=True)
    return [run for *_, run in found[:TRIALS]]


def _other(graph: Graph, name: str, numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other numbers of the same size; another right answer, but no other normalisation."""
    if name in (f"{LOSS}.answer", f"{LOSS}.answers"):
        return np.full(numbers.shape, float(rng.integers(1, len(graph.network.answers) + 1)))
    if name.endswith((".scale", ".mean", ".std", ".running_mean", ".running_var", ".beta1", ".beta2", ".eps")):
        return numbers
    if name.startswith(f"{LOSS}.") and name != f"{LOSS}.target":
        return numbers * rng.uniform(0.5, 2.0)
    size = float(np.abs(numbers).max(initial=0.0)) or 1.0
    shuffled = rng.permutation(numbers.reshape(-1)).reshape(numbers.shape)
    return shuffled * rng.uniform(0.6, 1.4, numbers.shape) + size * rng.normal(scale=0.2, size=numbers.shape)
