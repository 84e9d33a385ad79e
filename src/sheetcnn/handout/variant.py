"""A student's own variant of an exercise: its numbers, what is right, what is blank, and where the mistakes are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..arrays.array import Array, Values
from ..model.graph import Graph
from ..model.network import Network, Node
from ..model.optimizer import AFTER
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

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """Every array by its id."""
        return {array.id: array for array in self.graph}

    def scale(self, id: str) -> float:
        """What is large for an array: a value counts as right where it is off by much less.

        Gradients may all be small, and a step changes weights but little.
        """
        array, right = self.arrays[id], self.values[id]
        if array.role != "gradient":
            return max(1.0, float(np.abs(right).max(initial=0.0)))
        before = self.values.get(f"{array.owner}.{array.key.removeprefix(AFTER)}") if array.key.startswith(AFTER) else None
        return float(np.abs(right if before is None else right - before).max(initial=0.0)) or 1.0

    def shown(self) -> Values:
        """What the student's workbook shows at first: NaN in the blanks, and in all that depends on them."""
        shown = self._computed(self.blanks)
        if self.graph.learning is not None and any(np.isnan(shown[id]).any() for id in self._outputs()):
            shown |= {
                array.id: np.full(array.shape, np.nan) for array in self.graph.learning.order if array.forward is not None
            }
        return shown

    def _outputs(self) -> list[str]:
        return [self.graph.output(node.name).id for node in self.network.nodes]

    def filled_in(self) -> Values:
        """What it will show when all blanks are filled in, and the planted mistakes are still there."""
        return self._computed({})

    def _computed(self, blanks: dict[str, np.ndarray]) -> Values:
        planted = {one.id: one for one in self.planted.values()}

        def left_blank(id: str, numbers: np.ndarray) -> np.ndarray:
            return np.where(blanks[id], np.nan, numbers) if id in blanks else numbers

        def change(array: Array, output: np.ndarray, values: Values) -> np.ndarray:
            if one := planted.get(array.id):
                output = one.values(output, *(() if one.wrong else self.read_by(one.node, values)), known=values)
            return left_blank(array.id, output)

        given = {id: left_blank(id, numbers) for id, numbers in self.parameters.items()}
        return self.graph.run(given | {f"{INPUT}.channel": self.pixels}, change)
