"""The matrix of a layer: its channels across the top, and each kernel where its filter's row meets its channel's column."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, Shape
from ...model.graph import Graph
from ...model.network import Node
from ..kernels.place import place_lists
from ..page import GAP, LEFT, Page, Pen
from ..screen import TEXT_TOP, rows_of
from .bands import Bands, height_of, room_before, width_of
from .content import Lines

CORNER = 12  # columns at the top left, at least, for the text that stands above the maps
PAIR = 1  # columns between a kernel and what is made of it
TOP = 3  # the row in which channels begin, below the title's and that of their labels


def read_across(graph: Graph, node: Node) -> list[Array]:
    """What stands across the top: mirrors of the channels, or the channels spread out."""
    reduction = node.layer.reduction(*node.in_shapes)
    if node.live and reduction is not None and reduction.source is not None:
        return [graph.get(node.name, reduction.source)]
    return graph.mirrors(node.name)


def texts_of(lines: Lines) -> list[tuple[str, str]]:
    """The lines of a sheet's text as the matrix has them: each text for itself."""
    return [(text, style) for texts, style in lines for text in texts if text]


def matrix_page(graph: Graph, node: Node, lines: Lines) -> Page:
    """A page with the channels across the top, and below a band for each filter: map = bias + kernel + kernel …"""
    across = read_across(graph, node)
    bands = Bands(graph, node)
    bands.without(across)
    return laid_out(Page(node.name, node), bands, across, lines)


def laid_out(page: Page, bands: Bands, across: list[Array], lines: Lines) -> Page:
    """The channels across the top of a page, and bands below."""
    node, pen = bands.node, Pen(page)
    bands.close = GAP - PAIR
    slots: list[tuple[Array, Shape]] = [(array, ()) for array in bands.singles]
    start = max(bands.end_of(slots), LEFT + CORNER + GAP)
    page.corner = start - GAP
    text = TEXT_TOP - 1 + sum(rows_of(text, style, page.corner) for text, style in texts_of(lines))
    bands.first = max(TOP - 1 + max((height_of(array) for array in across), default=0), text) + 2
    bands.put_maps(pen)
    bands.put_slots(pen, slots)
    together = sum(room_before(array) + width_of(array) for array in bands.paired) + PAIR * (len(bands.paired) - 1)
    pitch = max([together, *(width_of(array) for array in across)]) + GAP
    for array in across:
        labels = bands.labels_of_read(0, width_of(array))
        for c in range(array.shape[0]):
            left = start + c * pitch + array.margin[1]
            pen.put(array, (c,), TOP + array.margin[0], left, labels[c], array.margin)
    last = bands.singles[-1] if bands.singles else bands.output
    _pairs(node, bands, pen, start, pitch, last)
    if bands.chooses:
        place_lists(page)
    page.scrolls = bands.first - 1, start - 1
    page.first_band = bands.first + bands.height - 1
    return pen.finish()


def _pairs(node: Node, bands: Bands, pen: Pen, start: int, pitch: int, last: Array) -> None:
    """Kernels, and what is made of each, below their channels."""
    beside: dict[Shape, int] = {}  # how far from its channel's first column the next grid stands
    channels = len(bands.channels)
    for array, rest in bands.places:
        for k in range(array.shape[0]):
            # Of a kernel that has a depth besides, the slices stand one beside the other.
            channel = (
                node.layer.channels_of(k, channels).start + rest[0]
                if len(rest) == 1
                else int(np.ravel_multi_index(rest, array.shape[1 : array.grid_axes]))
            )
            column = start + channel * pitch + beside.get(rest, 0) + room_before(array)
            first = last if beside.get(rest, 0) == 0 and not any(rest) else bands.paired[0]
            bands.put(pen, array, rest, column, first, range(k, k + 1))
        beside[rest] = beside.get(rest, 0) + room_before(array) + width_of(array) + PAIR
