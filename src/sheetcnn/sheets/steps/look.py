"""The sheet of the steps, and the curve of the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from openpyxl.chart import LineChart, Reference
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import Array
from ...arrays.grid import Grid
from ...model.loss import LOSS
from ...model.training import STEPS
from ...xlsx import palette
from ...xlsx.colours import colour
from ...xlsx.columns import square_cells
from ...xlsx.draft import WorkbookDraft, spans
from ...xlsx.labels import merged, put
from ..content import WorkbookContent
from ..layer.look import cell_block, header, links_of, marks
from ..loss.look import boxed
from ..loss.place import LossPage, names_place, right_place
from ..page import LEFT, Page
from ..pictures.place import number_place
from .content import CHOICE, LISTED, LISTS, ORDER, ORDER_WORDS, ORDERS, choice_views, frame, order_views
from .place import CHOICE_COLUMNS, WIDE, StepsPage

HINT = "With the next one, the loss after a step is that of the picture which comes then."
NAMES = {"sgd": "gradient descent", "momentum": "gradient descent with momentum", "adam": "Adam"}
RULES = {
    "sgd": "weight ← weight − rate · gradient",
    "momentum": "momentum ← {momentum:g} · momentum + gradient;   weight ← weight − rate · momentum",
    "adam": "weight ← weight − rate · mean of gradients / √ mean of their squares",
}
CODES = {
    "sgd": "torch.optim.SGD(net.parameters(), lr={rate:g})",
    "momentum": "torch.optim.SGD(net.parameters(), lr={rate:g}, momentum={momentum:g})",
    "adam": "torch.optim.Adam(net.parameters(), lr={rate:g}, betas=({beta1:g}, {beta2:g}), eps={eps:g})",
}
CHART_HEIGHT, WIDE_CELL = 6.0, 0.62  # centimetres; of a cell as wide as LibreOffice shows it
LINE, GRIDLINE = "C2410C", "E5E7EB"


def steps_sheet(draft: WorkbookDraft, content: WorkbookContent, page: Page, neighbours: tuple[str, str]) -> None:
    """The film of a kernel, and the loss and the gradients by step."""
    assert isinstance(page, StepsPage)
    assert content.graph.learning is not None
    sheet = draft.sheet(page.sheet, "grids")
    square_cells(sheet, page.columns + 4)
    training, count = content.network.training, content.graph.drawn.updates
    numbers = training.numbers()
    words = f"{count} steps of gradient descent: each goes a little way down, against the gradient."
    lines = [([words], "words"), ([RULES[training.optimizer].format(**numbers)], "words"),
             (["Type another learning rate on the sheet Loss: all steps follow. They stand on hidden sheets, _step_1 and so on."], "soft"),
             ([CODES[training.optimizer].format(**numbers)], "code")]  # fmt: skip
    header(sheet, f"Steps  ·  {NAMES[training.optimizer]}", lines, links_of(*neighbours, content.home))
    marks(sheet, page)
    curve, sizes, *_ = content.graph.learning.pages[STEPS]
    if page.kernels or page.order is not None:
        draft.sheet(LISTS).sheet_state = "hidden"
    if page.order is not None:
        _orders(draft, sheet, content, page, page.order)
    for array in (curve, sizes):
        _table(draft, content, page, array)
    if page.kernels:
        _film(draft, sheet, content, page)


def _table(draft: WorkbookDraft, content: WorkbookContent, page: Page, array: Array) -> None:
    """Numbers in cells so wide that they can be read to four places."""
    numbers = content.written[array.id]
    style, write = draft.style("formula", wide_format(numbers)), array.written(content.grids, page.sheet)
    for block in page.blocks:
        if block.array.id == array.id:
            draft.name(block.name, block.grid)
            boxed(draft, block.grid, WIDE, style)
            draft.fill(page.sheet, cell_block(block, numbers, write, style, 0))


def wide_format(numbers: np.ndarray) -> str:
    """How numbers are written that have room for four places."""
    size = float(np.nanmax(np.abs(numbers), initial=0))
    return "0.0000" if 1e-2 <= size < 1e5 else "0.00E+0"


def _orders(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, page: StepsPage, choice: Grid) -> None:
    """The list of which pictures the steps take."""
    loss, orders = content.learning[LOSS], page.orders
    assert isinstance(loss, LossPage)
    assert orders is not None
    _list(draft, choice, (ORDER, ORDERS), orders, ORDER_WORDS)
    put(sheet, choice.top, choice.left + CHOICE_COLUMNS + 1, HINT, "soft")
    right = names = None
    if content.right:
        right, names = right_place(loss, len(content.right)).seen_from(LISTS), names_place(loss).seen_from(LISTS)
    shown = number_place().seen_from(LISTS)
    for view in order_views(choice.seen_from(LISTS), orders, shown, right, names, content.written):
        draft.view(view, content.grids[f"{LOSS}.{view.name.removeprefix(f'{LOSS}_')}"], draft.style("plain"))


def _list(draft: WorkbookDraft, choice: Grid, names: tuple[str, str], listed: Grid, entries: Sequence[str]) -> None:
    """A cell that chooses one of a list, at first the first one; `names` are those of the cell and of the list."""
    sheet, lists = draft.book[choice.sheet], draft.book[listed.sheet]
    for n, entry in enumerate(entries):
        put(lists, listed.top + n, listed.left, entry, "row")
    put(sheet, choice.top, choice.left, entries[0], "choice")
    merged(sheet, choice.top, choice.left, 1, CHOICE_COLUMNS)
    for name, grid in zip(names, (choice, listed), strict=True):
        draft.name(name, grid)
    rule = DataValidation(type="list", formula1=listed.seen_from(choice.sheet).area, allow_blank=False)
    rule.showErrorMessage, rule.error, rule.errorTitle = True, "Choose one of the list.", "Not in the list"
    sheet.add_data_validation(rule)
    rule.add(choice.at(0, 0))


def _film(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, page: StepsPage) -> None:
    """The list of kernels, and the one that is chosen as it is before training and after each step."""
    choice, number, largest, listed = page.choice, page.number, page.largest, page.listed
    assert choice is not None
    assert number is not None
    assert largest is not None
    assert listed is not None
    _list(draft, choice, (CHOICE, LISTED), listed, [kernel.name for kernel in page.kernels])
    listed = listed.seen_from(page.sheet)
    values = content.written
    first = page.kernels[0]
    size = max(float(np.abs(values[array.id][first.index]).max()) for array in first.arrays)
    for view, place in zip(choice_views(choice, listed, number, page.frames, 1, size), (number, largest), strict=True):
        draft.view(view, place, draft.style("plain", ";;;"))
    style = draft.style("formula", palette.number_format(np.array([size, -size])))
    for step, place in enumerate(page.frames):
        draft.view(frame(content.graph, page.kernels, content.grids, number, values, 1, step), place, style)
    scale = palette.Scale(palette.WEIGHTS, (-1.0, 0.0, 1.0), largest.area)
    colour(sheet, spans(page.frames), scale)


def loss_chart(draft: WorkbookDraft, page: Page, sheet: Worksheet, at: str, width: int) -> None:
    """The loss by step as a chart at a cell of a sheet, so many cells wide: it follows the learning rate."""
    [curve] = [block.grid for block in page.blocks if block.array.id == f"{LOSS}.curve"]
    source = draft.book[page.sheet]
    chart = LineChart()
    chart.title, chart.legend = _title("loss by step"), None
    chart.width, chart.height = width * WIDE_CELL, CHART_HEIGHT
    numbers, steps = (
        Reference(source, min_col=column, min_row=curve.top, max_row=curve.bottom) for column in (curve.left, LEFT)
    )
    chart.add_data(numbers)
    chart.set_categories(steps)
    line = chart.series[0]
    line.graphicalProperties.line.solidFill = LINE
    line.graphicalProperties.line.width = 22_000  # EMU
    line.marker.symbol, line.marker.size = "circle", 5
    line.marker.graphicalProperties = GraphicalProperties(solidFill=LINE)
    line.smooth = False
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = "General"
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill=GRIDLINE))
    sheet.add_chart(chart, at)


def _title(text: str) -> Title:
    """A title that is no larger than the words on the sheet."""
    looks = CharacterProperties(sz=1100, b=True)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=looks), r=[RegularTextRun(rPr=looks, t=text)])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)
