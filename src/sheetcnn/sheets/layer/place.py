"""Where a layer's grids stand: what it reads beside what it makes of it, or across the top where kernels are laid on it."""

from __future__ import annotations

from ...arrays.array import Array, Shape
from ...arrays.grid import Grids, flat
from ...model.drawn import maps_behind
from ...model.graph import Graph
from ...model.network import Network, Node
from ...model.settings import INPUT
from ..answer.content import MAX_NAMED, labelled
from ..kernels.place import place_lists
from ..page import GAP, HEADER, LEFT, Mark, Page, Pen, channel_names, fitting, room_for
from .bands import Bands, width_of
from .content import Lines
from .matrix import matrix_page, read_across


def layer_page(graph: Graph, node: Node, read: Grids, lines: Lines) -> Page:
    """The page of a layer; `read` are the grids of the first layer that it reads, `lines` the text above."""
    if len(node.shape) != 3:
        return vector_page(graph, node)
    if read_across(graph, node) and any(array.grid_axes > 1 for array in graph.of[node.name]):
        return matrix_page(graph, node, lines)
    return maps_page(graph, node, read)


def maps_page(graph: Graph, node: Node, read: Grids) -> Page:
    """A page of feature maps: a band for each, read left to right like the equation, with the channel that it is made of."""
    page = Page(node.name, node)
    pen = Pen(page)
    bands = Bands(graph, node, HEADER + 2)
    mirrors = graph.mirrors(node.name)
    wide = node.live and node.layer.wide(*node.in_shapes)
    slots: list[tuple[Array, Shape]] = [(array, ()) for array in bands.singles]
    if not wide:
        slots += bands.places
    for array in mirrors:
        bands.make_room(array)
    bands.put_maps(pen)
    column = bands.put_slots(pen, slots)
    sign = "=" if node.layer.sign else "←"
    for n, array in enumerate(mirrors):
        column = beside(node, bands, pen, n, array, column, sign)
        sign = node.layer.sign
    if wide:
        _wide_kernels(node, bands.paired[0], pen, column, read, bands.channels)
    if bands.chooses:
        place_lists(page)
    return pen.finish()


def beside(node: Node, bands: Bands, pen: Pen, n: int, array: Array, column: int, sign: str) -> int:
    """The nth input, shown once more beside what is made of it; returns the next free column."""
    maps = node.shape[0]
    top, left, _, right = array.margin
    if not array.grid_axes:
        pen.put(array, (), bands.top(0), column, node.inputs[n])
        return column + room_for(node.inputs[n]) + GAP
    count = array.shape[0]
    each = count // maps if count % maps == 0 else 1  # side by side, where a map is made of several
    apart = maps // count if maps % count == 0 else 1
    first = sum(shape[0] for shape in node.in_shapes[:n]) if sum(shape[0] for shape in node.in_shapes) == maps else 0
    width = left + array.size[1] + right
    labels = bands.labels_of_read(n, width)
    for c in range(count):
        band, place = (c // each, c % each) if each > 1 else (c * apart, 0)
        row, at = bands.top(first + band), column + place * (width + GAP)
        if sign and not place:
            pen.page.marks.append(Mark(row, column - 1, sign, "sign"))
        pen.put(array, (c,), row + top, at + left, labels[c], array.margin)
    return column + each * (width + GAP)


def _wide_kernels(node: Node, array: Array, pen: Pen, column: int, read: Grids, channels: list[str]) -> None:
    """A filter's kernels one below the other at the heights of their channels: one SUMPRODUCT then spans them all."""
    width = width_of(array)
    names = max(room_for(f"channel {name}") for name in channels)
    column += names + 1
    tops = {name: grid.top for name, (_, grid) in zip(channels, flat(read), strict=True)}
    for name, top in tops.items():
        pen.page.marks.append(Mark(top, column - names - 1, f"channel {name}", "label"))
    for k in range(node.shape[0]):
        own = [tops[name] for name in channels[node.layer.channels_of(k, len(channels))]]
        label = fitting([f"filter {k + 1}", str(k + 1)], width)
        if array.shared_name:
            pen.stack(array, (k,), own, column, label)
        else:
            for c, top in enumerate(own):
                pen.put(array, (k, c), top, column, "" if c else label)
        column += width + GAP - 1


def vector_page(graph: Graph, node: Node) -> Page:
    """A page of a vector: one row for each of its numbers, the output first, then what it is made of."""
    network, arrays = graph.network, graph.of[node.name]
    page = Page(node.name, node)
    pen = Pen(page)
    mirrors = graph.mirrors(node.name)
    above = [d for d in arrays if d.role == "step" and len(d.shape) == 2]  # a row over the weights
    columns = [arrays[-1], *(d for d in arrays[:-1] if len(d.shape) == 1 and d.role == "step")]
    columns += [d for d in mirrors if not d.grid_axes]
    columns += [d for d in arrays[:-1] if len(d.shape) == 1 and d.role not in ("step", "mirror")]
    tables = [d for d in arrays[:-1] if len(d.shape) == 2 and d.role != "step"]
    first = HEADER + 2 + (3 if above else 0)
    names = element_names(network, node)
    column = put_names(page, names, first)
    for array in columns:
        label = array.label if array.role != "mirror" else node.inputs[mirrors.index(array)]
        if array.role == "mirror":
            page.marks.append(Mark(first, column - 1, "←", "sign"))
        pen.put(array, (), first, column, label)
        column += max(1, room_for(label)) + 1
    column += 1
    for n, array in enumerate(mirrors):
        if array.grid_axes:
            column = _maps_beside(node, pen, array, (first, column), _map_labels(network, node.inputs[n]))
    for array in tables:
        for row in above:
            pen.put(row, (), first - 3, column, f"{node.inputs[0]}, as a row")
        pen.put(array, (), first, column, f"{array.label}: a row for each output, a column for each input")
        column += array.size[1] + GAP
    for array in arrays:
        if array.key == "folded":
            _folded(graph, node, pen, array, first + node.shape[0] + 2, names)
    return pen.finish()


def element_names(network: Network, node: Node) -> list[str]:
    """What the numbers of a vector are called: by the labels, where they are the answers, else by their numbers."""
    labels = network.settings.labels if node.name in labelled(network) else None
    return list(labels) if labels else [str(n + 1) for n in range(node.shape[0])]


def put_names(page: Page, names: list[str], row: int) -> int:
    """The names of a vector's numbers at the left, from a row on; returns the next free column."""
    for n, name in enumerate(names[:MAX_NAMED]):
        page.marks.append(Mark(row + n, LEFT, name, "element"))
    return LEFT + min(8, max(1, *(room_for(name) for name in names[:MAX_NAMED]))) + 1


def _folded(graph: Graph, node: Node, pen: Pen, array: Array, row: int, names: list[str]) -> None:
    """The weights of each output as maps below the table: those of one map of the layer behind in one column."""
    behind = maps_behind(graph.network, node)
    assert behind is not None
    text = f"the same weights as maps: a row for each output, a column for each map of {behind[0]}"
    pen.page.marks.append(Mark(row, LEFT, text, "strong"))
    labels = _map_labels(graph.network, behind[0])
    rows, columns = array.size
    start, width = LEFT + min(8, max(2, *map(room_for, names))) + 1, max(columns, room_for(labels[-1]) - GAP + 1) + GAP
    for k in range(array.shape[0]):
        top = row + 3 + k * (rows + 1)
        pen.page.marks.append(Mark(top, LEFT, names[k], "element"))
        for c, label in enumerate(labels):
            pen.put(array, (k, c), top, start + c * width, label if k == 0 else "")


def _maps_beside(node: Node, pen: Pen, array: Array, corner: tuple[int, int], labels: list[str]) -> int:
    """The maps that a vector is made of, each where its numbers begin; returns the next free column."""
    rows, columns = array.size
    room = rows * columns - rows > 1  # for a label above it
    for c in range(array.shape[0]):
        row = corner[0] + c * rows * columns
        pen.page.marks.append(Mark(row, corner[1] - 1, "←", "sign"))
        pen.put(array, (c,), row, corner[1], labels[c] if room or c == 0 else "")
    return corner[1] + columns + GAP


def _map_labels(network: Network, name: str) -> list[str]:
    """What the maps of a layer are called on another's sheet."""
    names = channel_names(network, name)
    return [f"channel {c}" if name == INPUT else f"{name} map {c}" for c in names]
