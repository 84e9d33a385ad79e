"""Where the input's grids stand."""

from __future__ import annotations

from ...model.graph import Graph
from ...model.settings import INPUT
from ..page import GAP, HEADER, LEFT, NO_MARGIN, Page, Pen, channel_names, room_for


def input_page(graph: Graph) -> Page:
    """The channels one below the other, and beside each what it is normalised with and becomes."""
    network, settings = graph.network, graph.network.input
    page = Page("Input", None)
    pen = Pen(page)
    margin = graph.margin(INPUT)
    top, left, bottom, right = margin
    pitch = top + settings.height + bottom + 2
    arrays = {array.key: array for array in graph.of[INPUT]}
    for c, name in enumerate(channel_names(network, INPUT)):
        row = HEADER + 1 + c * pitch + 1 + top
        column = LEFT + left
        what = f"channel {name}"
        pen.put(arrays["channel"], (c,), row, column, what, NO_MARGIN if settings.normalizes else margin)
        column += settings.width + right + GAP
        if not settings.normalizes:
            continue
        for key in ("scale", "mean", "std"):
            if key in arrays and (key != "scale" or c == 0):
                pen.put(arrays[key], () if key == "scale" else (c,), row, column, key)
            if key in arrays:
                column += room_for(key) + 1
        pen.put(arrays["normalized"], (c,), row, column + left, f"{what}, normalized", margin)
    return pen.finish()
