"""Where the loss stands: a table with a row for each answer, and below it what the step brings."""

from __future__ import annotations

from ...arrays.grid import Grid
from ...model.graph import Graph
from ...model.loss import LOSS
from ..page import GAP, HEADER, LEFT, Mark, Page, Pen, room_for

SHEET = "Loss"
TABLE_LEFT = LEFT + 14
TABLE = ("p", "target", "grad", "exp", "after_exp")
NUMBERS = ("answer", "rate", "now", "after", "falls", "straight")
WORDS = {
    "answer": "right answer",
    "rate": "learning rate",
    "now": "loss",
    "after": "loss after the step",
    "falls": "it falls by",
    "straight": "the straight line says",
}


def loss_page(graph: Graph) -> Page:
    """The page of the loss."""
    assert graph.learning is not None
    page = Page(SHEET, None)
    pen = Pen(page)
    arrays = {array.key: array for array in graph.learning.pages[LOSS]}
    row = HEADER + 2
    for key in NUMBERS:
        if key in arrays:
            page.marks.append(Mark(row, LEFT, WORDS[key], "label"))
            pen.put(arrays[key], (), row, LEFT + 8, "")
            row += 2
    if "size" in arrays:
        pen.put(arrays["size"], (), row + 1, LEFT + 8, "size of the gradient")
    column = TABLE_LEFT
    for key in (*TABLE, "target", "grad"):
        array = arrays.pop(key, None)
        if array is None:
            continue
        for index in array.indexes():
            k = index[0] if index else 0
            pen.put(array, index, HEADER + 2 + k * (array.size[0] + 2), column, key)
        column += max(array.size[1], room_for(key)) + GAP
    return pen.finish()


def names_place(page: Page) -> Grid:
    """Where the answers' names stand: at the left of the table."""
    target: Grid = page.grids[f"{LOSS}.target"]
    return Grid(page.sheet, target.top, TABLE_LEFT - 2, target.rows, 1)


def right_place(page: Page, count: int) -> Grid:
    """Where the right answers of so many pictures stand."""
    return Grid(page.sheet, page.rows + 3, LEFT, count, 1)
