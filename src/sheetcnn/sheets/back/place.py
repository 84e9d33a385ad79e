"""Where gradients stand: those of maps in bands, as on the layer's own sheet, each kernel's below the channel that it is laid on."""

from __future__ import annotations

from dataclasses import replace

from ...arrays.array import Array
from ...arrays.grid import Grids, flat
from ...model.graph import Graph
from ...model.network import Node
from ...model.settings import INPUT
from ...model.training import back_of
from ..layer.bands import Bands, width_of
from ..layer.content import Lines
from ..layer.matrix import laid_out
from ..page import GAP, HEADER, LEFT, NO_MARGIN, Mark, Page, Pen, channel_names, room_for
from ..step.place import strip
from .content import LABELS, SIGNS, WORDS, sheet_name


def back_page(graph: Graph, name: str, read_again: Grids | None, lines: Lines) -> Page:
    """The page of what the backward pass makes of a layer; `read_again` are the grids that it reads after the step."""
    assert graph.learning is not None
    arrays = [_labelled(array) for array in graph.learning.pages[back_of(name)]]
    if name == INPUT:
        return _input_page(graph, arrays)
    node = graph.network.by_name[name]
    page = Page(sheet_name(back_of(name)), node)
    return (
        _maps_page(graph, node, page, arrays, read_again, lines)
        if len(node.shape) == 3
        else _vector_page(node, page, arrays)
    )


def _labelled(array: Array) -> Array:
    """An array with what is written above and before its grids."""
    if array.grid_axes == 0 or array.role == "mirror":
        return array
    sign = next((sign for start, sign in SIGNS.items() if array.label.startswith(start)), "")
    return replace(array, labels=LABELS.get(array.label, ()), sign=sign)


def _input_page(graph: Graph, arrays: list[Array]) -> Page:
    """The gradient of each pixel, a channel below the other."""
    page = Page(sheet_name(back_of(INPUT)), None)
    pen = Pen(page)
    (array,) = arrays
    for c, channel in enumerate(channel_names(graph.network, INPUT)):
        pen.put(array, (c,), HEADER + 2 + c * (array.size[0] + 2), LEFT, f"channel {channel}")
    return pen.finish()


def _maps_page(graph: Graph, node: Node, page: Page, arrays: list[Array], read_again: Grids | None, lines: Lines) -> Page:
    """A band for each filter: the gradient at its sum, what that makes of the bias, and of the kernel of each channel."""
    across = [array for array in arrays if array.role == "mirror"]
    others = [array for array in arrays if array.role != "mirror"]
    grad = next((array for array in reversed(others) if array.key in ("grad_sum", "grad_map")), None)
    if grad is None:  # it only lends its weights to others
        pen = Pen(page)
        strip(pen, others, HEADER + 1, NO_MARGIN)
        return pen.finish()
    stacked = (
        [array for array in others if array.grid_axes > 1 and array.key != "turned"]
        if node.layer.wide(*node.in_shapes)
        else []
    )
    bands = Bands(
        graph, node, HEADER + 2, [*(array for array in others if array is not grad and array not in stacked), grad]
    )
    if bands.paired or across:
        page = laid_out(page, bands, across, lines)
        pen = Pen(page)
    else:
        pen = Pen(page)
        bands.put_maps(pen)
        bands.put_slots(pen, [(array, ()) for array in bands.singles])
        pen.finish()
    if stacked:
        assert read_again is not None
        _stacked(node, stacked, pen, page.columns + GAP + 1, read_again, bands.channels)
        pen.finish()
    return page


def _stacked(node: Node, arrays: list[Array], pen: Pen, column: int, read: Grids, channels: list[str]) -> None:
    """A filter's kernels one below the other at the heights of the channels that they are laid on after the step."""
    tops = {name: grid.top for name, (_, grid) in zip(channels, flat(read), strict=True)}
    for array in arrays:
        for k in range(node.shape[0]):
            for c, name in enumerate(channels[node.layer.channels_of(k, len(channels))]):
                pen.put(array, (k, c), tops[name], column, f"{array.label} {k + 1}" if c == 0 else "")
            column += width_of(array) + GAP


def _vector_page(node: Node, page: Page, arrays: list[Array]) -> Page:
    """A row for each number: its gradient, then those of the bias and the weights, with what the step makes of them."""
    pen = Pen(page)
    first, column = HEADER + 2, LEFT
    columns = [array for array in arrays if len(array.shape) == 1]
    tables = [array for array in arrays if len(array.shape) == 2]
    for n in range(node.shape[0]):
        page.marks.append(Mark(first + n, LEFT, str(n + 1), "element"))
    column += max(1, room_for(str(node.shape[0]))) + 1
    for array in columns:
        label = WORDS.get(array.label, LABELS.get(array.label, (array.label,))[0])
        pen.put(array, (), first, column, label)
        column += max(1, room_for(label)) + 1
    for array in tables:
        pen.put(array, (), first, column + 1, WORDS.get(array.label, array.label))
        column += array.size[1] + GAP
    return pen.finish()
