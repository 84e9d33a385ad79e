"""A network as a graph of arrays: everything that a workbook draws of it, in the order in which it is computed."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..arrays.array import Array, Margin, Shape, Values, same_cell
from ..arrays.grid import Grids
from ..arrays.lazy import LazyValues
from ..layers.drawing import arrays_of
from .drawn import PLAIN, Drawn, maps_behind
from .network import Network, Node
from .settings import INPUT
from .training import Learning, back_of, learn

MAX_GRID_NAMES = 30_000  # thumbnails and lists have names too, all together no more than LibreOffice can tell apart

Change = Callable[
    [Array, np.ndarray, Values], np.ndarray
]  # an output or a gradient, its numbers, all numbers so far -> its numbers


def sheet_of(name: str) -> str:
    """The sheet of a layer (or of "input")."""
    return "Input" if name == INPUT else name


class Graph:
    """The arrays of a network: the input's, then each layer's with its output last.

    `drawn` says which steps and mirrors there are. Where not all grids can have a name, a filter's kernels have one together,
    in wide layers; where that is not enough, all maps of a layer have.
    """

    def __init__(self, network: Network, drawn: Drawn = PLAIN) -> None:
        self.network, self.drawn = network, drawn
        self.behind: dict[str, list[Array]] = {}  # the parameters of layers that are not live: they are not drawn
        self.of: dict[str, list[Array]] = {INPUT: network.input.arrays()}  # by the name of the layer
        self._read = {INPUT: network.input.reads} | {node.name: "output" for node in network.nodes}  # the keys
        for node in network.nodes:
            inputs = tuple(self.output(name) for name in node.inputs)
            lent = None if node.share is None else {array.key: array for array in self._lends(node.share)}
            if not node.live:
                self._numbers(node, inputs, lent)
                continue
            self.of[node.name] = arrays_of(
                node.layer, node.name, inputs, drawn.of(node.name), node.name in drawn.mirrors, lent
            )
            if node.name in drawn.folded:
                self.of[node.name].insert(-1, self._folded(node))
        self.order = [array for arrays in self.of.values() for array in arrays]  # in which they are computed
        if sum(array.names for array in self) > MAX_GRID_NAMES:
            self._share_names()
            if sum(array.names for arrays in self.of.values() for array in arrays) > MAX_GRID_NAMES:
                self._name_together()
            self.order = [array for arrays in self.of.values() for array in arrays]
        self.learning: Learning | None = None
        if drawn.training:
            self.learning = learn(network, self.of, self.read_by, drawn)
            self.order += self.learning.order

    def __reduce__(self) -> tuple[type[Graph], tuple[Network, Drawn]]:
        return Graph, (self.network, self.drawn)  # other processes make their own: functions cannot be sent

    def __iter__(self) -> Iterator[Array]:
        yield from self.order

    def output(self, name: str) -> Array:
        """What readers of a layer (or of "input") see."""
        return self.get(name, self._read[name])

    def get(self, name: str, key: str) -> Array:
        """One array of a layer by its key."""
        return next(array for array in self.of[name] if array.key == key)

    def margin(self, name: str) -> Margin:
        """The padding to draw around the maps of a layer (or of "input"): the most that any reader wants, but for mirrors."""
        sides = [
            node.layer.margin(*node.in_shapes)
            for node in self.network.nodes
            if node.live
            and name in node.inputs
            and node.name not in self.drawn.mirrors
            and all(len(s) == 3 for s in node.in_shapes)
        ]
        top, left, bottom, right = (max(side) for side in zip((0, 0, 0, 0), *sides, strict=True))
        return top, left, bottom, right

    def mirrors(self, name: str) -> list[Array]:
        """What a layer shows once more of what it reads."""
        return [array for array in self.of[name] if array.role == "mirror"]

    def read_by(self, name: str) -> list[Array]:
        """What the formulas of a layer read: mirrors, or the outputs of others."""
        return self.mirrors(name) or [self.output(other) for other in self.network.by_name[name].inputs]

    def readers(self, name: str) -> list[str]:
        """The layers that read a layer (or "input")."""
        return [node.name for node in self.network.nodes if name in node.inputs]

    def learning_page(self, name: str) -> list[Array]:
        """The arrays of a layer's back sheet."""
        return [] if self.learning is None else self.learning.pages.get(back_of(name), [])

    def _folded(self, node: Node) -> Array:
        """The weights of each output as maps, like those that were made one vector."""
        behind = maps_behind(self.network, node)
        assert behind is not None
        maps, weights = behind[1], self.get(node.name, node.layer.folds)

        def forward(**of: np.ndarray) -> np.ndarray:
            return of[weights.key].reshape(-1, *maps)

        def formula(at: Shape, **of: Grids) -> str:
            inputs = int(np.ravel_multi_index(at[1:], maps))
            return same_cell((at[0], *map(int, np.unravel_index(inputs, weights.shape[1:]))), of[weights.key])

        return Array("folded", (node.shape[0], *maps), forward, formula, owner=node.name, role="view", grid_axes=2,
                     parameters={weights.key: weights})  # fmt: skip

    def _share_names(self) -> None:
        for node in self.network.nodes:
            if node.layer.wide(*node.in_shapes):
                # What was made of the kernels before needs not know how they are named.
                self.of[node.name] = [replace(a, shared_name=a.label == "kernel") for a in self.of[node.name]]

    def _lends(self, name: str) -> list[Array]:
        """The arrays of a layer whose weights another uses."""
        return self.behind.get(name, self.of[name])

    def _numbers(self, node: Node, inputs: tuple[Array, ...], lent: Mapping[str, Array] | None) -> None:
        """A layer that is not live has nothing but its output, as numbers."""
        *others, output = arrays_of(node.layer, node.name, inputs, "compact", given=lent)
        self.behind[node.name] = [*(lent or {}).values()] or [array for array in others if array.role == "parameter"]
        self.of[node.name] = [replace(output, formula=None, bound=None, around=None, steps={})]

    def _name_together(self) -> None:
        """Give all maps of a layer one name, and all its biases and the like: they stand in bands of one height."""
        for node in self.network.nodes:
            if node.name not in self.drawn.mirrors:
                self.of[node.name] = [
                    replace(a, one_name=a.one_name or a.grid_axes == 1 < a.shape[0]) for a in self.of[node.name]
                ]

    def run(self, given: Values, change: Change | None = None) -> Values:
        """Every array in NumPy; `given` has the pixels and the parameters.

        `change` may put something else in the place of a layer's output, or of a gradient; what comes later reads that.
        """
        values: Values = given.unread() if isinstance(given, LazyValues) else {}
        with np.errstate(all="ignore"):  # what is not finite is reported by whoever asked, with its place
            for array in self:
                if array.id in values:  # too large to be kept
                    continue
                if array.forward is None or (array.formula is None and array.id in given):
                    numbers = given[array.id]
                else:  # the parameters of what is not live are none of its arrays
                    numbers = array.computed(ChainMap(values, given))
                if change is not None and array.role in ("output", "gradient") and array.owner != INPUT:
                    numbers = change(array, numbers, values)
                values[array.id] = numbers
        return values
