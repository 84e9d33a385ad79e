"""Where a layer's grids stand."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, Shape
from ...arrays.grid import Grid, Grids, flat
from ...model.network import Network, Node
from ..kernels.content import choosable
from ..overview.content import MAX_NAMED
from ..page import GAP, HEADER, LEFT, Mark, Page, Pen, channel_names, fitting, room_for

KERNEL = ("filter {k} · channel {c}", "channel {c}", "ch {c}", "{c}")
DEEP = ("filter {k} · depth {c}", "depth {c}", "{c}")


def maps_page(network: Network, node: Node, arrays: list[Array], read: Grids) -> Page:
    """A page of feature maps: one band per map, read left to right like the equation."""
    page = Page(node.name, node)
    pen = Pen(page)
    output = arrays[-1]
    # The sum first, then what is added to it, then kernels with what is made of them.
    parts = sorted(arrays[:-1], key=lambda d: (d.grid_axes > 1, d.grid_axes == 1 and d.role != "step"))
    paired = [array for array in parts if array.grid_axes > 1]  # a grid for each filter and input channel
    wide = node.layer.wide(*node.in_shapes)
    slots: list[tuple[Array, Shape]] = [(array, ()) for array in parts if array.grid_axes == 1]
    if not wide:
        places = sorted({rest for array in paired for rest in np.ndindex(*array.shape[1 : array.grid_axes])})
        slots += [(d, rest) for rest in places for d in paired if all(map(int.__lt__, rest, d.shape[1 : d.grid_axes]))]
    margin = network.margin(node.name)
    top, left, bottom, right = margin
    chooses = choosable(node)  # then a list of kernels stands below each kernel
    heights = [d.margin[0] + (d.size[0] - 1) * d.spacing[0] + 1 + d.margin[2] + chooses for d, _ in slots]
    pitch = 1 + max([top + output.size[0] + bottom, *(top + height for height in heights)]) + 1
    channels = channel_names(network, node.inputs[0])
    forms = {array.key: _form(array, node.shape[0], channels) for array in parts}
    map_label = fitting([f"map {node.shape[0]}", str(node.shape[0])], output.size[1] + left + right)
    for k in range(node.shape[0]):
        plain = f"map {k + 1}" if map_label.startswith("map") else str(k + 1)
        words = node.layer.map_words(k, *node.in_shapes)
        label = fitting([words, plain], output.size[1] + left + right) if words else plain
        pen.put(output, (k,), HEADER + 2 + k * pitch + top, LEFT + left, label, margin)
    column = LEFT + left + output.size[1] + right + GAP
    before = output
    for array, rest in slots:
        width = array.margin[1] + (array.size[1] - 1) * array.spacing[1] + 1 + array.margin[3]
        form, letters = forms[array.key]
        sign = array.sign if array.sign is not None else "=" if before.label in ("map", "sum") else "+"
        for k in range(array.shape[0]):
            seen = channels[node.layer.channels_of(k, len(channels))]
            # What belongs to several maps, such as the mean of a group, stands beside the first of them.
            several = node.shape[0] // array.shape[0] if node.shape[0] % array.shape[0] == 0 else 1
            row = HEADER + 2 + k * max(1, several) * pitch + top
            if paired and sign:
                page.marks.append(Mark(row, column - 1, sign, "sign"))
            label = form.format(k=k + 1, c=_channel(array, rest, seen)).replace("channel all", "all channels")
            pen.put(array, (k, *rest), row + array.margin[0], column + array.margin[1], label, array.margin)
        column += max(width, room_for(letters) - GAP + 1) + GAP
        before = array if sign else before
    if wide:
        _wide_kernels(node, paired[0], pen, column, read, channels)
    if chooses:
        _choices(page)
    return pen.finish()


def _choices(page: Page) -> None:
    """A cell below each kernel, as wide as the kernel, for choosing another."""
    for block in page.blocks:
        if block.array.key == "weight":
            grid = block.grid
            page.choices[block.index] = Grid(page.sheet, grid.bottom + 1, grid.left, 1, grid.right - grid.left + 1)
            page.rows = max(page.rows, grid.bottom + 1)


def _form(array: Array, maps: int, channels: list[str]) -> tuple[str, str]:
    """The longest form of a array's label that fits above all its grids, so that bands stay alike; and its longest text."""
    longest = max([*channels, "all"] if array.grid_axes == 2 and array.shape[1] == 1 else channels, key=len)
    width = array.margin[1] + (array.size[1] - 1) * array.spacing[1] + 1 + array.margin[3]
    forms = array.labels or (DEEP if array.grid_axes > 2 else KERNEL if array.label == "kernel" else (array.label,))
    texts = {form.format(k=maps, c=longest): form for form in forms}
    text = fitting(list(texts), width)
    return texts[text], text


def _channel(array: Array, rest: Shape, seen: list[str]) -> str:
    """What the input channel (or the depth) of a grid is called."""
    if len(rest) > 1:
        return str(rest[-1] + 1)
    if not rest:
        return ""
    return seen[rest[0]] if len(seen) == array.shape[1] else "all"


def _wide_kernels(node: Node, array: Array, pen: Pen, column: int, read: Grids, channels: list[str]) -> None:
    """A filter's kernels one below the other at the heights of their channels: one SUMPRODUCT then spans them all."""
    width = (array.size[1] - 1) * array.spacing[1] + 1
    names = max(room_for(f"channel {name}") for name in channels)
    column += names + 1
    tops = {name: grid.top for name, (_, grid) in zip(channels, flat(read), strict=True)}
    for name, top in tops.items():
        pen.page.marks.append(Mark(top, column - names - 1, f"channel {name}", "label"))
    for k in range(node.shape[0]):
        for c, name in enumerate(channels[node.layer.channels_of(k, len(channels))]):
            label = fitting([f"filter {k + 1}", str(k + 1)], width) if c == 0 else ""
            pen.put(array, (k, c), tops[name], column, label)
        column += width + GAP - 1


def vector_page(network: Network, node: Node, arrays: list[Array]) -> Page:
    """A page of a vector: one row for each of its numbers, the output first, then what it is made of."""
    page = Page(node.name, node)
    pen = Pen(page)
    above = [d for d in arrays if d.role == "step" and len(d.shape) == 2]  # a row over the weights
    columns = [arrays[-1], *(d for d in arrays[:-1] if len(d.shape) == 1 and d.role == "step")]
    columns += [d for d in arrays[:-1] if len(d.shape) == 1 and d.role != "step"]
    tables = [d for d in arrays[:-1] if len(d.shape) == 2 and d.role != "step"]
    first = HEADER + 2 + (3 if above else 0)
    last_labels = network.settings.labels if node is network.nodes[-1] else None
    names = list(last_labels) if last_labels else [str(n + 1) for n in range(node.shape[0])]
    column = LEFT + min(8, max(1, *(room_for(name) for name in names[:MAX_NAMED]))) + 1
    for n, name in enumerate(names[:MAX_NAMED]):
        page.marks.append(Mark(first + n, LEFT, name, "element"))
    for array in columns:
        pen.put(array, (), first, column, array.label)
        column += max(1, room_for(array.label)) + 1
    column += 1
    for array in tables:
        for row in above:
            pen.put(row, (), first - 3, column, "input, as a row")
        pen.put(array, (), first, column, f"{array.label}: a row for each output, a column for each input")
        column += array.size[1] + GAP
    return pen.finish()
