"""A cell of a workbook explained, with the numbers that are in it now."""

from __future__ import annotations

from typing import Any

from .checking.contents import read_all
from .explaining import CellExplanation, Explanation, explained_cell, explanation
from .progress import Progress


def explain_cell(
    book: Any, place: str, row: int = 1, column: int = 1, *, progress: Progress | None = None
) -> Explanation | CellExplanation:
    """How a cell of a workbook comes about, with the numbers that are in it now, edits included.

    `place` is a cell, as `conv1_back!C14`, or the name of a grid, as `conv1_grad_kernel_3_1`, with a row and a column in it;
    a layer's own name means its first map. Raises SheetcnnError.
    """
    graph, grids, values = read_all(book, progress)
    if place in graph.network.by_name:
        return explanation(graph, values, place, (1, row, column))
    return explained_cell(graph, grids, values, place, row, column)
