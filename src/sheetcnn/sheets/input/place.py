"""Where the input's grids stand, what is typed beside them, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...arrays.grid import Grid
from ...model.graph import Graph
from ...model.settings import INPUT
from ..answer.place import answer_room
from ..page import GAP, HEADER, LEFT, NO_MARGIN, Mark, Page, Pen, channel_names, fitting, room_for
from ..screen import SMALL, WIDE

SCREEN = SMALL[0] // WIDE  # columns that a small screen shows
TYPE_HERE = ("type here to change a pixel; delete to clear", "type here; delete to clear", "type here", "type")


@dataclass
class InputPage(Page):
    """The sheet of the input."""

    typed: list[Grid] = field(default_factory=list)  # beside the channels, where other pixels can be typed
    answer: Grid | None = None  # the answer's room


def input_page(graph: Graph, typed: bool = False, answer: bool = False) -> InputPage:
    """The channels one below the other; beside each what is typed, and what it is normalised with and becomes; the answer."""
    network, settings = graph.network, graph.network.input
    page = InputPage("Input", None)
    pen = Pen(page)
    margin = graph.margin(INPUT)
    top, left, bottom, _ = margin
    pitch = top + settings.height + bottom + 2
    arrays = {array.key: array for array in graph.of[INPUT]}
    columns = _columns(graph, typed, answer)
    for c, name in enumerate(channel_names(network, INPUT)):
        row = HEADER + 1 + c * pitch + 1 + top
        what = f"channel {name}"
        pen.put(arrays["channel"], (c,), row, columns["channel"], what, NO_MARGIN if settings.normalizes else margin)
        if typed:
            page.typed.append(Grid(page.sheet, row, columns["typed"], settings.height, settings.width))
            page.marks.append(Mark(row - 1, columns["typed"], fitting([*TYPE_HERE], settings.width), "label"))
            page.columns = max(page.columns, columns["typed"] + settings.width - 1)
        for key in ("scale", "mean", "std"):
            if key in arrays and (key != "scale" or c == 0):
                pen.put(arrays[key], () if key == "scale" else (c,), row, columns[key], key)
        if settings.normalizes:
            pen.put(arrays["normalized"], (c,), row, columns["normalized"] + left, f"{what}, normalized", margin)
    if answer:
        page.answer = Grid(page.sheet, HEADER + 2, columns["answer"], *answer_room(network))
        page.rows, page.columns = max(page.rows, page.answer.bottom), max(page.columns, page.answer.right)
    pen.finish()
    return page


def _columns(graph: Graph, typed: bool, answer: bool) -> dict[str, int]:
    """The first column of each part of the sheet, from left to right.

    The answer stands where a small window still shows it: after all others, after what is typed, or close to the pixels.
    """
    network, settings = graph.network, graph.network.input
    _, left, _, right = graph.margin(INPUT)
    first = LEFT + left
    parts = [("channel", settings.width + GAP + (0 if settings.normalizes else right))]
    if typed:
        parts.append(("typed", settings.width + GAP))
    parts += [(key, room_for(key) + 1) for key in ("scale", "mean", "std") if key in settings.constants()]
    if settings.normalizes:
        parts.append(("normalized", left + settings.width + right + GAP))
    if answer:
        width = answer_room(network)[1]
        ends = [first + sum(size for _, size in parts[:n]) + width - 1 for n in range(len(parts) + 1)]
        at = next((n for n in (len(parts), 1 + typed) if ends[n] <= SCREEN), 1)
        parts.insert(at, ("answer", width + GAP))
    starts = np.cumsum([first, *(size for _, size in parts)])
    return {key: int(start) for (key, _), start in zip(parts, starts, strict=False)}
