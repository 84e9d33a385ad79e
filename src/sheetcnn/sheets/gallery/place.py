"""Where the gallery's thumbnails stand."""

from __future__ import annotations

import math

from ...arrays.array import shape_text
from ...model.graph import Graph
from ..page import LEFT, Mark, Page, Pen
from .content import GALLERY, thumbnails

TINY = 5  # the width and height of a gallery's cells in pixels
GALLERY_TOP = 6  # the row of the first thumbnails; above them stands what layer they are of
GALLERY_LETTER = 6.5  # a letter's width there, in pixels


def gallery_page(graph: Graph, limit: int) -> Page:
    """The whole network on one sheet: a column for each layer, its maps one below the other."""
    page = Page(GALLERY, None)
    pen = Pen(page)
    column = LEFT
    for array in thumbnails(graph, limit):
        title = f"{array.key}: {shape_text(graph.network.shapes[array.key])}"
        page.marks.append(Mark(GALLERY_TOP - 1, column, title, array.key))
        row = GALLERY_TOP + 1
        for k in range(array.shape[0]):
            pen.put(array, (k,), row, column + 1, "", (1, 1, 1, 1))  # a frame, so that an empty map is seen too
            row += array.shape[1] + 3
        column += max(array.shape[2] + 2, math.ceil(len(title) * GALLERY_LETTER / TINY)) + 4
    return pen.finish()
