"""What each layer of a network costs, and how much of the picture its cells see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays.array import shape_text
from ..arrays.receptive_field import ReceptiveField
from .network import Network, Node
from .settings import INPUT

MAX_TRACED = 1_000_000  # rows, columns and numbers of vectors, whose receptive fields are traced one by one


@dataclass(frozen=True)
class Cost:
    """What `summary` says of one layer."""

    parameters: int
    multiplications: int
    # The most rows and columns of the input picture that an output cell depends on; None where it was not traced.
    receptive_field: tuple[int, int] | None

    @property
    def sees(self) -> str:
        """The receptive field as people write it: 5×5."""
        return "" if self.receptive_field is None else shape_text(self.receptive_field)


def costs(network: Network) -> dict[str, Cost]:
    """Parameters, multiplications and receptive field of every layer, by name.

    Receptive fields are traced row by row and column by column, up to `MAX_TRACED` of them in all. Far from the edges
    they are those of the formula r ← r + (k − 1)·j, j ← j·s for window k and stride s (Araujo, Norris and Sim, "Computing
    Receptive Fields of Convolutional Neural Networks", 2019).
    """
    seen: dict[str, list[ReceptiveField]] = {
        INPUT: [ReceptiveField(np.arange(size), np.arange(size)) for size in network.input.shape[1:]]
    }
    found, room = {}, MAX_TRACED
    for node in network.nodes:
        room -= sum(node.shape[1:]) if len(node.shape) == 3 else 2 * node.shape[0]
        if room >= 0:
            seen[node.name] = [_field(node, axis, [seen[name][axis] for name in node.inputs]) for axis in (0, 1)]
        field = tuple(along.largest for along in seen.get(node.name, []))
        work = node.layer.multiplications(*node.in_shapes)
        found[node.name] = Cost(node.parameter_count, work, (field[0], field[1]) if field else None)
    return found


def _field(node: Node, axis: int, fields: list[ReceptiveField]) -> ReceptiveField:
    """That of a layer and its activation, from those of its inputs."""
    for part in node.layer.parts(*node.in_shapes):
        fields = [part.layer.receptive_field(axis, part.shapes, fields)]
    return fields[0]
