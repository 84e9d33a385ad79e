"""The Loss sheet."""

from __future__ import annotations

import numpy as np
from openpyxl.worksheet.datavalidation import DataValidation

from ...arrays.array import Array
from ...arrays.grid import Grid
from ...model.loss import LOSS
from ...model.training import back_of
from ...xlsx.cells import CellBlock
from ...xlsx.colours import known
from ...xlsx.columns import square_cells
from ...xlsx.draft import WorkbookDraft
from ...xlsx.labels import merged, put
from ..answer.look import widen
from ..back.look import pour
from ..content import WorkbookContent
from ..layer.look import cell_block, header, links_of, marks
from ..page import Page
from ..pictures.place import number_place
from .content import NAMES, RIGHT, answer_view, words_view
from .place import BY_LAYER, NUMBER, WIDE, LossPage, names_place, right_place

MOST_LARGE = 100  # numbers of a vector that are shown with four places
PLACES = "[>=0.00005]0.0000;0E+0"  # of what is not negative; small numbers keep a digit


def loss_sheet(draft: WorkbookDraft, content: WorkbookContent, page: LossPage, neighbours: tuple[str, str]) -> None:
    """The right answer, the loss, and what a step brings."""
    graph = content.graph
    assert graph.learning is not None
    sheet = draft.sheet(page.sheet, "grids")
    square_cells(sheet, page.columns + 4)
    words = "How far the answer is from the right one: 0 is perfect. Training makes it small."
    steps = "A step follows the gradient as if the loss were a straight line. Where both part ways, the learning rate is too large."
    code = (
        "torch.nn.functional.cross_entropy(scores, target)"
        if graph.network.loss == "cross_entropy"
        else "torch.nn.functional.mse_loss(y, target)"
    )
    header(sheet, "Loss", [([words], "words"), ([steps], "soft"), ([code], "code")], links_of(*neighbours, content.home))
    marks(sheet, page)
    for mark in page.marks:
        if mark.style == BY_LAYER:
            put(sheet, mark.row, mark.column, mark.text, mark.style, back_of(mark.text))
    arrays = graph.learning.pages[LOSS]
    large = [array for array in arrays if len(array.shape) == 1 and array.count <= MOST_LARGE]
    pour(draft, content, page, [array for array in arrays if array not in large])
    for array in large:
        _large(draft, content, page, array)
    if content.right:
        _answers(draft, content, page)
    if page.words is not None:
        order = content.grids[f"{LOSS}.order"].seen_from(page.sheet)
        draft.view(words_view(order, float(content.written[f"{LOSS}.order"][0])), page.words, draft.style("row"))


def _large(draft: WorkbookDraft, content: WorkbookContent, page: Page, array: Array) -> None:
    """Numbers that are read one by one, in cells so wide that they can be read to four places."""
    place, numbers = _grid(page, array.id), content.written[array.id]
    draft.name(array.name(), place)
    typed = array.formula is None
    style = draft.style("typed" if typed else "formula", "General" if typed else _format(known(content.values[array.id])))
    boxed(draft, place, WIDE, style)
    if array.key == "answer":
        return  # the list has its formula
    write = None if typed else array.written(content.grids, page.sheet)
    [block] = [block for block in page.blocks if block.array.id == array.id]
    draft.fill(page.sheet, cell_block(block, numbers, write, style, 0))


def boxed(draft: WorkbookDraft, place: Grid, columns: int, style: int) -> None:
    """Make each cell of a column so many wide, with a line all around it."""
    widen(draft.book[place.sheet], place, columns)
    rest = Grid(place.sheet, place.top, place.left + 1, place.rows, columns - 1)
    draft.fill(place.sheet, CellBlock(rest, np.empty((rest.rows, rest.columns)), 0, blank=style, empty=True))


def _format(numbers: np.ndarray) -> str:
    """Four places, or as many digits as small and large numbers need."""
    size = float(np.abs(numbers).max(initial=0.0))
    if (numbers == np.rint(numbers)).all() and size < 1e5:
        return "General"
    if numbers.size > 1 and numbers.min() >= 0 and size < 1e5:
        return PLACES
    return "0.0000" if 1e-3 <= size < 1e5 else "0.00E+0"


def _answers(draft: WorkbookDraft, content: WorkbookContent, page: LossPage) -> None:
    """The right answer of each picture, to be chosen from a list, and the number of the one that counts now."""
    sheet, names = draft.book[page.sheet], content.network.answers
    listed, right = names_place(page), right_place(page, len(content.right))
    if len(content.right) > 1:
        put(sheet, right.top, NUMBER, "list at the right", "soft")
        put(sheet, right.top - 1, right.left, "right answers, by picture", "label")
    for n, name in enumerate(names):
        put(sheet, listed.top + n, listed.left, name, "element")
    draft.name(NAMES, listed)
    choice = DataValidation(type="list", formula1=listed.area, allow_blank=False)
    choice.showErrorMessage = True
    choice.error, choice.errorTitle = "Choose one of the answers.", "No answer"
    sheet.add_data_validation(choice)
    for n, (picture, answer) in enumerate(content.right.items()):
        put(sheet, right.top + n, right.left, answer, "choice")
        merged(sheet, right.top + n, right.left, 1, WIDE)
        if len(content.right) > 1:
            put(sheet, right.top + n, right.left + WIDE + 1, picture, "soft")
        choice.add(right.at(n, 0))
    draft.name(RIGHT, right)
    number = number_place().seen_from(page.sheet) if content.pictures else None
    view = answer_view(right, listed, number, next(iter(content.right.values())), names)
    draft.view(view, _grid(page, f"{LOSS}.answer"), draft.style("formula"))


def _grid(page: Page, name: str) -> Grid:
    grid = page.grids[name]
    assert isinstance(grid, Grid)
    return grid
