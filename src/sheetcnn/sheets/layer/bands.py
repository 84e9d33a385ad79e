"""What pages of feature maps have in common: a band for each map, read left to right like the equation."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, Shape
from ...model.graph import Graph
from ...model.network import Node
from ...model.settings import INPUT
from ..kernels.content import choosable
from ..page import GAP, LEFT, Mark, Pen, channel_names, fitting, room_for

KERNEL = ("filter {k} · channel {c}", "channel {c}", "ch {c}", "{c}")
DEEP = ("filter {k} · depth {c}", "depth {c}", "{c}")


class Bands:
    """The bands of a layer's page: how high they are, and the maps and numbers in them."""

    def __init__(self, graph: Graph, node: Node, first: int = 0, arrays: list[Array] | None = None) -> None:
        """`arrays` are others than the layer's own, the maps last, with the padding around these as they say."""
        self.graph, self.node = graph, node
        self.close = 0  # by how many columns less than others a kernel stands apart from what is made of it
        self.first = first  # row of the first band's grids; its label stands above it
        *others, self.output = arrays or graph.of[node.name]
        self.margin = self.output.margin if arrays else graph.margin(node.name)
        parts = [array for array in others if array.role != "mirror"]
        # The sum first, then what is added to it, then kernels with what is made of them.
        parts.sort(key=lambda d: (d.grid_axes > 1, d.grid_axes == 1 and d.role != "step"))
        self.singles = [array for array in parts if array.grid_axes == 1]
        self.paired = [array for array in parts if array.grid_axes > 1]  # a grid for each filter and input channel
        self.channels = channel_names(graph.network, node.inputs[0])
        self.chooses = choosable(node) and not arrays  # then a list of kernels stands below the first of each filter
        self.height = (self.output.size[0] - 1) * self.output.spacing[0] + 1 + self.margin[0] + self.margin[2]
        self.width = (self.output.size[1] - 1) * self.output.spacing[1] + 1 + self.margin[1] + self.margin[3]
        wide = node.layer.wide(*node.in_shapes)
        for array in [*self.singles, *([] if wide else self.paired)]:
            self.make_room(array, self.margin[0], int(self.chooses and array.key == "weight"))

    def make_room(self, array: Array, above: int = 0, below: int = 0) -> None:
        """Let bands be as high as an array's grids with their padding, and so many rows above and below them."""
        self.height = max(self.height, above + height_of(array) + below)

    def without(self, arrays: list[Array]) -> None:
        """Take arrays out that stand elsewhere."""
        self.singles = [array for array in self.singles if array not in arrays]

    @property
    def pitch(self) -> int:
        """How many rows lie from one band to the next: its label, its grids, and a blank one."""
        return 1 + self.height + 1

    @property
    def column(self) -> int:
        """The first column beside the maps."""
        return LEFT + self.width + GAP

    @property
    def places(self) -> list[tuple[Array, Shape]]:
        """What belongs to a filter and a channel, channel after channel, each with its index after the filter's."""
        rests = sorted({rest for array in self.paired for rest in np.ndindex(*array.shape[1 : array.grid_axes])})
        return [(d, rest) for rest in rests for d in self.paired if all(map(int.__lt__, rest, d.shape[1 : d.grid_axes]))]

    def top(self, k: int) -> int:
        """The first row of a band below its label."""
        return self.first + k * self.pitch

    def put_maps(self, pen: Pen) -> None:
        """Each map at the left of its band."""
        node, (top, left, _, _) = self.node, self.margin
        width, count = self.width, node.shape[0]
        forms = self.output.labels or ("map {k}", "{k}")
        texts = {form.format(k=count): form for form in forms}
        form = texts[fitting(list(texts), width)]
        for k in range(count):
            plain = form.format(k=k + 1)
            words = node.layer.map_words(k, *node.in_shapes)
            label = fitting([words, plain], width) if words else plain
            pen.put(self.output, (k,), self.top(k) + top, LEFT + left, label, self.margin)

    def put_slots(self, pen: Pen, slots: list[tuple[Array, Shape]]) -> int:
        """Arrays one beside the other, each in the bands of its filters; returns the next free column."""
        before, column = self.output, self.column
        for array, rest in slots:
            self.put(pen, array, rest, column + room_before(array), before)
            column += self.room_of(array)
            before = before if array.sign == "" else array
        return column

    def end_of(self, slots: list[tuple[Array, Shape]]) -> int:
        """The first column beside them all."""
        return self.column + sum(self.room_of(array) for array, _ in slots)

    def room_of(self, array: Array) -> int:
        """How many columns an array's grid and label take, with what lies before the next."""
        return room_before(array) + max(width_of(array), room_for(self.form(array)[1]) - GAP + 1) + GAP

    def put(self, pen: Pen, array: Array, rest: Shape, column: int, before: Array, filters: range | None = None) -> None:
        """The grids of an array with this index after the filter's, in the bands of all filters, or of some."""
        sign = array.sign if array.sign is not None else "=" if before.label in ("map", "sum") else "+"
        form, _ = self.form(array)
        count, layer = array.shape[0], self.node.layer
        for k in filters if filters is not None else range(count):
            row = self.top(layer.first_map(k, count, *self.node.in_shapes)) + self.margin[0]
            if sign and (self.paired or array.sign is not None):
                pen.page.marks.append(sign_mark(row, column, sign))
            seen = self.channels[layer.channels_of(k, len(self.channels))]
            label = form.format(k=k + 1, c=_channel(array, rest, seen)).replace("channel all", "all channels")
            pen.put(array, (k, *rest), row + array.margin[0], column + array.margin[1], label, array.margin)

    def form(self, array: Array) -> tuple[str, str]:
        """The longest form of an array's label that fits above all its grids, so that bands stay alike; and its longest text."""
        shared = array.grid_axes == 2 and array.shape[1] == 1
        longest = max([*self.channels, "all"] if shared else self.channels, key=len)
        forms = array.labels or (DEEP if array.grid_axes > 2 else KERNEL if array.label == "kernel" else (array.label,))
        texts = {form.format(k=self.node.shape[0], c=longest): form for form in forms}
        text = fitting(list(texts), width_of(array) - (self.close if array in self.paired[:-1] else 0))
        return texts[text], text

    def labels_of_read(self, n: int, width: int) -> list[str]:
        """What stands above the channels of the nth input, shown once more: all in the longest form that fits."""
        name = self.node.inputs[n]
        channels = channel_names(self.graph.network, name)
        forms = ["channel {c}", "{c}"]
        if name != INPUT:
            forms = [f"{name} map {{c}}", "map {c}", "{c}"]
            if len(self.node.inputs) == 1:
                forms.insert(0, f"{name} map {{c}} → channel {{c}}")
        longest = max(channels, key=len)
        texts = {form.format(c=longest): form for form in forms}
        form = texts[fitting(list(texts), width)]
        return [form.format(c=c) for c in channels]


def room_before(array: Array) -> int:
    """How many more columns than others a sign of several letters takes before an array."""
    return 1 if len(array.sign or "") > 1 else 0


def sign_mark(row: int, column: int, sign: str) -> Mark:
    """A sign before the grid that begins there."""
    return Mark(row, column - 1, sign, "sign") if len(sign) == 1 else Mark(row, column - 2, sign, "long_sign")


def width_of(array: Array) -> int:
    """How many columns a grid of an array takes, its padding and what lies between its cells included."""
    return array.margin[1] + (array.size[1] - 1) * array.spacing[1] + 1 + array.margin[3]


def height_of(array: Array) -> int:
    """How many rows a grid of an array takes, likewise."""
    return array.margin[0] + (array.size[0] - 1) * array.spacing[0] + 1 + array.margin[2]


def _channel(array: Array, rest: Shape, seen: list[str]) -> str:
    """What the input channel (or the depth) of a grid is called."""
    if len(rest) > 1:
        return str(rest[-1] + 1)
    if not rest:
        return ""
    return seen[rest[0]] if len(seen) == array.shape[1] else "all"
