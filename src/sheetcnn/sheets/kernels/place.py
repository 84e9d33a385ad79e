"""Where the bank of kernels has its grids."""

from __future__ import annotations

import numpy as np

from ...model.graph import Graph
from ..page import HEADER, LEFT, Mark, Page, Pen, refuse_too_large
from .content import BANK, LISTED, NAMES, PRESETS, kept


def kernels_page(graph: Graph) -> Page:
    """The bank of kernels: the classic ones, then those of each layer as they were built."""
    page = Page(BANK, None)
    pen = Pen(page)
    pen.put(LISTED, (), HEADER + 2, LEFT, "")
    pen.put(PRESETS, (), HEADER + 3, LEFT + 6, "")
    row = HEADER + len(NAMES) + 5
    for array in kept(graph):
        page.marks.append(Mark(row - 1, LEFT, array.owner, "strong"))
        rows, columns = array.size
        for index in array.indexes():
            place = int(np.ravel_multi_index(index[1:], array.shape[1 : array.grid_axes]))
            pen.put(array, index, row + 1 + index[0] * (rows + 2), LEFT + place * (columns + 1), "")
        row = page.rows + 4
    refuse_too_large(graph.network, "the kernels", page)
    return pen.finish()
