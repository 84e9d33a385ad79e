"""Where the steps stand: the film of a kernel, and below it a row for each step."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...arrays.array import Array
from ...arrays.grid import Grid
from ...model.graph import Graph
from ...model.loss import LOSS
from ..page import GAP, HEADER, LEFT, Mark, Page, Pen, room_for
from .content import LISTS, ORDER_WORDS, SHEET, Filmed, filmed, frame_size

WIDE = 3  # columns of a number of the table
CHOICE_COLUMN, CHOICE_COLUMNS = LEFT + 3, 11  # of the cell that chooses a kernel
ACROSS = 54  # columns of a small screen, which the film is broken at


@dataclass
class StepsPage(Page):
    """The sheet of the steps."""

    kernels: list[Filmed] = field(default_factory=list)
    frames: list[Grid] = field(default_factory=list)  # a film's pictures: before training, and after each step
    choice: Grid | None = None
    number: Grid | None = None
    largest: Grid | None = None
    listed: Grid | None = None
    order: Grid | None = None
    orders: Grid | None = None


def steps_page(graph: Graph) -> StepsPage:
    """The page of the steps."""
    assert graph.learning is not None
    curve, sizes, *given = graph.learning.pages["steps"]
    page = StepsPage(SHEET, None, kernels=filmed(graph))
    pen = Pen(page)
    row = HEADER + 1
    if given:
        _order(page, row, given)
        row += 2
    if page.kernels:
        row = _film(page, row, curve.count)
    page.marks.append(Mark(row, LEFT, "step", "label"))
    column = LEFT + 3
    page.marks.append(Mark(row, column, "loss", "label"))
    for step in range(curve.count):
        page.marks.append(Mark(row + 1 + step, LEFT, str(step), "row"))
    pen.put(curve, (), row + 1, column, "")
    column += WIDE + GAP + 1
    page.marks.append(Mark(row - 1, column, "size of the gradient, by layer, at the network after so many steps", "soft"))
    pitch = 1 + max([WIDE, *(room_for(name) for name in owners(graph))])
    for n, name in enumerate(owners(graph)):
        pen.put(sizes, (n,), row + 1, column + n * pitch, name)
    pen.finish()
    return page


def owners(graph: Graph) -> list[str]:
    """The layers that have weights, in the order of their columns."""
    assert graph.learning is not None
    return list(dict.fromkeys(name for name, _ in graph.learning.course))


def _order(page: StepsPage, row: int, given: list[Array]) -> None:
    """The list of which pictures the steps take, and on a hidden sheet what formulas make of it."""
    page.marks.append(Mark(row, LEFT, "pictures", "row"))
    page.order = Grid(page.sheet, row, CHOICE_COLUMN, 1, 1)
    page.orders = Grid(LISTS, 1, 2, len(ORDER_WORDS), 1)
    hidden, column = Pen(Page(LISTS, None)), 3
    for array in given:
        if array.owner == LOSS:
            hidden.put(array, (), 1, column, "")
            column += 1
    page.grids |= hidden.finish().grids


def _film(page: StepsPage, row: int, count: int) -> int:
    """The film of a kernel from a row on; returns the next free row."""
    rows, columns = frame_size(page.kernels)
    page.marks.append(Mark(row, LEFT, "kernel", "row"))
    page.choice = Grid(page.sheet, row, CHOICE_COLUMN, 1, 1)
    page.number = Grid(page.sheet, row, CHOICE_COLUMN + CHOICE_COLUMNS + 1, 1, 1)
    page.largest = Grid(page.sheet, row, CHOICE_COLUMN + CHOICE_COLUMNS + 2, 1, 1)
    wide = max(columns, room_for("after 00")) + GAP
    along = max(1, (ACROSS + 1 - LEFT + GAP) // wide)  # the last needs no gap behind it
    for step in range(count):
        down, across = divmod(step, along)
        top, left = row + 3 + down * (rows + 2), LEFT + across * wide
        page.frames.append(Grid(page.sheet, top, left, rows, columns))
        page.marks.append(Mark(top - 1, left, f"after {step}" if step else "before", "label"))
    last = page.frames[-1].bottom
    page.columns = max(page.columns, max(grid.right for grid in page.frames))
    page.listed = Grid(LISTS, 1, 1, len(page.kernels), 1)
    return last + 4
