"""A student's own variant of an exercise: its numbers, what is right, what is blank, and where the mistakes are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..arrays.array import Array, Values
from ..model.graph import Graph
from ..model.network import Network, Node
from ..model.settings import INPUT
from .mistakes import Planted


@dataclass(frozen=True)
class Variant:
    """One student's variant: the numbers, what is right, and where the mistakes are."""

    number: int
    graph: Graph
    picture: str
    pixels: np.ndarray
    parameters: Values
    values: Values  # what is right, of every array
    taken: frozenset[str]  # layers that tasks use, or build on: no mistake is there
    blanks: dict[str, np.ndarray]  # by the ids of arrays, which of their cells are left blank
    planted: dict[int, Planted] = field(default_factory=dict)  # by the number of the task

    @property
    def network(self) -> Network:
        return self.graph.network

    def read_by(self, node: Node, values: Values | None = None) -> tuple[tuple[np.ndarray, ...], Values]:
        """What a layer reads, and its parameters by key; of what is right, or of other values."""
        values = self.values if values is None else values
        numbers = {key: values[f"{node.name}.{key}"] for key in node.layer.all_parameters(*node.in_shapes)}
        return tuple(values[self.graph.output(name).id] for name in node.inputs), numbers

    def shown(self) -> Values:
        """What the student's workbook shows at first: NaN in the blanks, and in all that depends on them."""
        return self._computed(self.blanks)

    def filled_in(self) -> Values:
        """What it will show when all blanks are filled in, and the planted mistakes are still there."""
        return self._computed({})

    def _computed(self, blanks: dict[str, np.ndarray]) -> Values:
        planted = {one.node.name: one for one in self.planted.values()}

        def left_blank(id: str, numbers: np.ndarray) -> np.ndarray:
            return np.where(blanks[id], np.nan, numbers) if id in blanks else numbers

        def change(array: Array, output: np.ndarray, values: Values) -> np.ndarray:
            if one := planted.get(array.owner):
                output = one.values(output, *self.read_by(one.node, values))
            return left_blank(array.id, output)

        given = {id: left_blank(id, numbers) for id, numbers in self.parameters.items()}
        return self.graph.run(given | {f"{INPUT}.channel": self.pixels}, change)
