"""Where gradients stand: those of maps in bands, as on the layer's own sheet, each kernel's below the channel that it is laid on."""

from __future__ import annotations

from dataclasses import replace

from ...arrays.array import Array
from ...arrays.grid import Grids, flat
from ...model.graph import Graph
from ...model.network import Node
from ...model.optimizer import AFTER
from ...model.settings import INPUT
from ...model.training import back_of
from ..layer.bands import Bands, room_before, sign_mark, width_of
from ..layer.content import Lines
from ..layer.matrix import laid_out
from ..layer.place import beside, element_names, put_names
from ..page import GAP, HEADER, LEFT, NO_MARGIN, Page, Pen, channel_names, room_for
from ..step.place import strip
from .content import EQUATIONS, LABELS, WEIGHTS, sheet_name, word_of

MOST_BESIDE = 40  # columns of weights, their gradient and what they are after the step, side by side


def back_page(graph: Graph, name: str, read_again: Grids | None, lines: Lines) -> Page:
    """The page of what the backward pass makes of a layer; `read_again` are the grids that it reads after the step."""
    assert graph.learning is not None
    arrays = _dressed(graph, graph.learning.pages[back_of(name)])
    if name == INPUT:
        return _input_page(graph, arrays)
    node = graph.network.by_name[name]
    page = Page(sheet_name(back_of(name)), node)
    return (
        _maps_page(graph, node, page, arrays, read_again, lines)
        if len(node.shape) == 3
        else _vector_page(graph, node, page, arrays)
    )


def _dressed(graph: Graph, arrays: list[Array]) -> list[Array]:
    """Arrays with what is written above and before their grids, those of each parameter as the equation has them."""
    parameters = [array.label.removeprefix(AFTER) for array in arrays if array.label.startswith(AFTER)]
    equation = EQUATIONS[graph.network.training.optimizer]
    starts = list(equation)

    def place(array: Array) -> tuple[int, int]:
        """Of which parameter it is, and where in the equation."""
        for n, name in enumerate(parameters):
            if array.label.endswith(name) and (start := array.label.removesuffix(name)) in starts:
                return n, starts.index(start)
        return len(parameters), 0

    def dressed(array: Array) -> Array:
        n, at = place(array)
        sign = equation[starts[at]] if n < len(parameters) else ""
        return replace(array, labels=LABELS.get(array.label, (word_of(array.label),)), sign=sign)

    return [array if array.role == "mirror" else dressed(array) for array in sorted(arrays, key=place)]


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
    if bands.paired:
        page = laid_out(page, bands, across, lines)
        pen = Pen(page)
    else:
        pen = Pen(page)
        for array in across:
            bands.make_room(array)
        bands.put_maps(pen)
        column = bands.put_slots(pen, [(array, ()) for array in bands.singles])
        for n, array in enumerate(across):
            column = beside(node, bands, pen, n, array, column, "")
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
                pen.put(array, (k, c), tops[name], column, f"{word_of(array.label)} {k + 1}" if c == 0 else "")
            column += width_of(array) + GAP


def _vector_page(graph: Graph, node: Node, page: Page, arrays: list[Array]) -> Page:
    """A row for each number: its gradient, the bias with its step, and the weights below what they are multiplied by."""
    pen = Pen(page)
    vectors = [array for array in arrays if len(array.shape) == 1]
    over = [array for array in arrays if array.label == f"back_{node.layer.row_back}"]
    tables = [array for array in arrays if len(array.shape) == 2 and array not in over]
    first, names = HEADER + 2 + 3 * len(over), element_names(graph.network, node)
    column = put_names(page, names, first)
    own = [array for array in vectors if array.owner == node.name and array.key in ("grad_out", "grad_sum")]
    for array in [*own, *(array for array in vectors if array not in own)]:
        column += room_before(array)
        if array.sign:
            page.marks.append(sign_mark(first, column, array.sign))
        label = word_of(array.label)
        pen.put(array, (), first, column, label)
        column += max(1, room_for(label)) + 1
    _tables(pen, node, names, tables, over, (first, column + 1))
    return pen.finish()


def _tables(pen: Pen, node: Node, names: list[str], tables: list[Array], over: list[Array], corner: tuple[int, int]) -> None:
    """The equation of the weights: side by side where that fits a screen, else the gradient first and the others below it."""
    row, column = corner
    wide = sum(array.size[1] + GAP + room_before(array) for array in tables) > MOST_BESIDE
    for array in sorted(tables, key=lambda array: wide and not array.label.startswith("grad_")):
        label = WEIGHTS.get(array.label, word_of(array.label)) if wide else word_of(array.label)
        if not wide:
            column += room_before(array)
            if array.sign:
                pen.page.marks.append(sign_mark(row, column, array.sign))
        elif row > corner[0]:
            put_names(pen.page, names, row)
        if array.label.startswith("grad_"):
            for one in over:
                pen.put(one, (), row - 3, column, f"{node.inputs[0]}, as a row")
        pen.put(array, (), row, column, label)
        if wide:
            row += array.size[0] + 2
        else:
            column += array.size[1] + GAP
