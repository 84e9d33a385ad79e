"""Where the loss stands: at the left what it is and what a step brings, at the right a row for each answer, and the layers."""

from __future__ import annotations

from dataclasses import dataclass

from ...a1 import LETTERS
from ...arrays.array import Array
from ...arrays.grid import Grid
from ...model.graph import Graph
from ...model.loss import LOSS
from ...model.training import STEPS
from ..page import GAP, HEADER, LEFT, Mark, Page, Pen, room_for
from .content import STEP_WORDS

SHEET = "Loss"
NUMBER = LEFT + 9  # the column of the numbers at the left; a picture's right answer may take several
WIDE = 3  # columns of such a number
TABLE = NUMBER + WIDE + GAP + 5  # the first column of the table: names of answers stand before it
CHART = 13  # columns of the chart of the loss by step, which stands between
SIZES = "size of the gradient, by layer"
BOTTOM = HEADER + 15  # the last row of a small screen: the sizes of more layers stand beside the numbers, not below
# What stands at the left, one below the other, in groups.
NUMBERS = (("answer",), ("now",), ("rate", "momentum", "beta1", "beta2", "eps"), ("after", "falls", "straight"))
WORDS = {
    "answer": "its row in the table",
    "rate": "learning rate (type another)",
    "momentum": "momentum",
    "beta1": "beta 1: of the mean of gradients",
    "beta2": "beta 2: of the mean of squares",
    "eps": "eps: against dividing by 0",
    "now": "loss",
    **STEP_WORDS,
    "straight": "a straight line would fall by",
}
BY_LAYER = "link"  # the style of a layer's name, which leads to its gradients
COLUMNS = {
    "exp": "exp(x − largest)",
    "p": "p = exp / Σ exp",
    "target": "target",
    "grad": "p − target",
    "after_exp": "exp after",
}
MAPS = {"y": "y, put out", "target": "wanted (type numbers)", "grad": "2 · (y − wanted) / n"}


@dataclass
class LossPage(Page):
    """The sheet of the loss."""

    table: int = TABLE  # its first column
    words: Grid | None = None  # what the loss after a step is, where that depends on a list
    between: int = NUMBER + WIDE + GAP  # the first column of what stands before it: the chart

    @property
    def chart(self) -> str:
        """The cell where the chart begins."""
        return f"{LETTERS[self.between]}{HEADER + 2}"

    def shift(self, columns: int) -> None:
        """Make room before the chart and the table."""
        self.between += columns
        self.table += columns


def loss_page(graph: Graph) -> LossPage:
    """The page of the loss."""
    assert graph.learning is not None
    page = LossPage(SHEET, None, table=TABLE + (CHART + GAP if graph.drawn.updates > 1 else 0))
    pen = Pen(page)
    orders = any(array.id == f"{LOSS}.order" for array in graph.learning.pages.get(STEPS, []))
    arrays = {array.key: array for array in graph.learning.pages[LOSS]}
    row = HEADER + 2
    if "answer" in arrays:  # above its number
        page.marks.append(Mark(row, LEFT, "right answer", "row"))
        row += 1
    for group in NUMBERS:
        for key in group:
            if key in arrays:
                if key in STEP_WORDS and orders:
                    page.words = page.words or Grid(page.sheet, row, LEFT, len(STEP_WORDS), 1)
                else:
                    page.marks.append(Mark(row, LEFT, WORDS[key], "row"))
                pen.put(arrays[key], (), row, NUMBER, "")
                row += 1
        row += 1
    if "size" in arrays:
        _sizes(page, pen, arrays["size"], row)
    entropy = graph.network.loss == "cross_entropy"
    words = COLUMNS if entropy else MAPS
    column = page.table
    for key, text in words.items():
        array = arrays.get(key)
        for index in array.indexes() if array is not None else ():
            assert array is not None
            k = index[0] if index else 0
            pen.put(array, index, HEADER + 2 + k * (array.size[0] + 2), column, text if k == 0 else f"map {k + 1}")
        column += 0 if array is None else max(WIDE, array.size[1], room_for(text)) + GAP
    pen.finish()
    return page


def _sizes(page: LossPage, pen: Pen, size: Array, row: int) -> None:
    """How large each layer's gradient is: from a row on, or beside the numbers, where all of them are to be seen at once."""
    owners = list(dict.fromkeys(array.owner for array in size.inputs))
    left, number = LEFT, NUMBER
    if row + len(owners) > BOTTOM:
        row, left = HEADER + 1, NUMBER + WIDE + GAP
        number = left + max(map(room_for, owners)) + GAP
        page.shift(max(number + WIDE - left, room_for(SIZES)) + GAP)
    page.marks.append(Mark(row, left, SIZES, "strong"))
    page.marks += [Mark(n, left, name, BY_LAYER) for n, name in enumerate(owners, start=row + 1)]
    pen.put(size, (), row + 1, number, "")


def names_place(page: LossPage) -> Grid:
    """Where the answers' names stand: at the left of the table."""
    target: Grid = page.grids[f"{LOSS}.target"]
    return Grid(page.sheet, target.top, page.table - 4, target.rows, 1)


def right_place(page: Page, count: int) -> Grid:
    """Where the right answer stands; those of several pictures at the right of the table."""
    return Grid(page.sheet, HEADER + 2, NUMBER if count == 1 else page.columns + 2 * GAP, count, 1)
