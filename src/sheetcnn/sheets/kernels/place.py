"""Where lists of kernels stand on a layer's sheet, and what the hidden bank of kernels has."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array
from ...arrays.grid import Grid
from ...model.graph import Graph
from ..page import GAP, HEADER, LEFT, KernelLists, Mark, Page, Pen, refuse_too_large
from .content import BANK, LISTED, NAMES, PRESETS, choosable, chosen_of, kept

HEADING = "kernels as built"
COPY = "Copy one from here over a kernel above, and its numbers are back."
ACROSS = 56  # columns of a small screen, that kernels as built are laid out for


def place_lists(page: Page) -> None:
    """A list below each filter's first kernel with its state at its right, and below all the kernels as built."""
    blocks = {block.index: block for block in page.blocks if block.array.key == "weight"}
    lists = KernelLists([], [], {}, [])
    for (_, *channel), block in blocks.items():
        grid = block.grid
        if not any(channel):
            lists.choices.append(Grid(page.sheet, grid.bottom + 1, grid.left, 1, grid.right - grid.left + 1))
            lists.states.append(Grid(page.sheet, grid.bottom + 2, grid.left, 1, 1))
    page.rows = max(page.rows, *(state.bottom for state in lists.states))
    row = page.rows + 2
    lists.marks += [Mark(row, LEFT, HEADING, "strong"), Mark(row + 1, LEFT, COPY, "soft")]
    row += 3
    kernel = next(iter(blocks.values())).grid
    height, width = kernel.bottom - kernel.top + 1, kernel.right - kernel.left + 1
    channels = max(c for _, c in blocks) + 1
    beside = max(1, (ACROSS + GAP) // (channels * (width + GAP)))  # filters in a row
    for (k, c), block in blocks.items():
        top = row + k // beside * (height + 2)
        left = LEFT + (k % beside * channels + c) * (width + GAP)
        lists.built[k, c] = Grid(page.sheet, top, left, kernel.rows, kernel.columns, kernel.spacing)
        lists.marks.append(Mark(top - 1, left, block.label, "label"))
        page.rows, page.columns = max(page.rows, top + height - 1), max(page.columns, left + width - 1)
    page.lists = lists


def kernels_page(graph: Graph) -> Page | None:
    """The bank of kernels: the classic ones, those that lists name, and those as built of layers without lists.

    None where no layer needs it.
    """
    weights = [array for array in graph if array.label == "kernel" and array.role == "parameter"]
    named = [chosen_of(array) for array in weights if choosable(graph.network.by_name[array.owner])]
    copies = kept(graph)
    if not named and not copies:
        return None
    page = Page(BANK, None)
    pen = Pen(page)
    pen.put(LISTED, (), HEADER + 2, LEFT, "")
    pen.put(PRESETS, (), HEADER + 3, LEFT + 6, "")
    row = HEADER + len(NAMES) + 5
    for array in [*named, *copies]:
        page.marks.append(Mark(row - 1, LEFT, f"{array.owner}: {array.key}", "strong"))
        row = _put(pen, array, row)
    refuse_too_large(graph.network, "the kernels", page)
    return pen.finish()


def _put(pen: Pen, array: Array, row: int) -> int:
    """The grids of an array, a filter in a row; returns the next free row."""
    (rows, columns), (down, along) = array.size, array.spacing
    height, width = (rows - 1) * down + 1, (columns - 1) * along + 1
    for index in array.indexes():
        place = int(np.ravel_multi_index(index[1:], array.shape[1 : array.grid_axes])) if len(index) > 1 else 0
        pen.put(array, index, row + 1 + index[0] * (height + 2), LEFT + place * (width + 1), "")
    return pen.page.rows + 4
