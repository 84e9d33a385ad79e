"""The Overview: what the network is, how to use the workbook, the layers as a table."""

from __future__ import annotations

import numpy as np
from openpyxl.styles import Border, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from ..grid import COLUMN, Grid
from ..layers.base import shape_text
from ..layout import LEFT
from ..network import INPUT
from ..views.gallery import GALLERY
from . import palette
from .cells import Pour
from .dress import Dressed, picture, put
from .model import Model
from .pages import torch_code

WIDTHS = (3, 3.5, 3.5, 3.5, 22, 38, 68, 14, 24, 15, 13)  # of the columns from A on


LAYER = 5  # the column of the layers' names


USE = (
    "1   Go to a layer by its link below. Every cell of a feature map is an ordinary formula: click one and read it.",
    "2   Type a new number into a blue cell (a pixel, a kernel, a bias, a weight): every later map follows at once.",
    "3   The sheet Check tells which maps your edit has reached. Undo brings everything back.",
)


OUTLINE = Border(*[Side("thin", color=palette.RULE)] * 4)


SWATCHES = (
    ((palette.NEGATIVE, palette.ZERO, palette.POSITIVE), "kernels and sums: negative, zero, positive"),
    ((palette.LIGHT, "929AB5", palette.DARK), "feature maps: from zero to the layer's largest cell"),
)


def overview_sheet(dressed: Dressed, sheet: Worksheet, model: Model, checked: tuple[int, int]) -> None:
    """Everything at a glance; `checked` is the first and last row of the Check sheet's table."""
    network = model.network
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[COLUMN[column]].width = width
    put(sheet, 1, 2, network.settings.name, "title")
    sheet.row_dimensions[1].height = 28
    put(sheet, 2, 2, network.settings.about, "body")
    sheet.merge_cells("B2:H2")
    sheet.row_dimensions[2].height = 14 * (1 + len(network.settings.about) // 115) + 6
    for row, text in enumerate(USE, start=4):
        put(sheet, row, 2, text, "row")
    sheets = [GALLERY] if GALLERY in dressed.pours else []
    for column, name in enumerate([*sheets, "Input", "Check"], start=LAYER):
        put(sheet, 8, column, name, "link", name)
    row = 9
    put(sheet, row, 2, "state", "soft")
    first, last = checked
    state = f'IF(SUM(Check!$H${first}:$H${last})=0,"every grid is as built","changed since it was built: Check tells what")'
    cell = Grid("Overview", row, LAYER, 1, 1)
    dressed.pour("Overview", Pour(cell, np.array([["every grid is as built"]]), dressed.style("left"), lambda i: [state]))
    row = _prediction(dressed, sheet, model, row + 1)
    row = _legend(dressed, sheet, row + 1)
    _table(sheet, model, max(row + 1, 16))
    if model.png is not None:
        picture(sheet, model.png, "I2")


def _prediction(dressed: Dressed, sheet: Worksheet, model: Model, row: int) -> int:
    """The label of the largest output, where the network has labels."""
    last = model.network.nodes[-1]
    labels = model.network.settings.labels
    if labels is None:
        return row
    out = model.values[last.name]["output"]
    grid = model.pages[last.name].grids["output"]
    names = Grid(last.name, grid.top, LEFT, grid.rows, 1).seen_from("Overview").area
    area = grid.seen_from("Overview").area
    put(sheet, row, 2, "answer", "soft")
    value = np.array([[labels[int(np.argmax(out))]]])
    pour = Pour(
        Grid("Overview", row, LAYER, 1, 1),
        value,
        dressed.style("left"),
        lambda i: [f"INDEX({names},MATCH(MAX({area}),{area},0))"],
    )
    dressed.pour("Overview", pour)
    return row + 1


def _legend(dressed: Dressed, sheet: Worksheet, row: int) -> int:
    put(sheet, row, 2, "12", "typed")
    put(sheet, row, LAYER, "  blue numbers are for typing, black ones are formulas", "soft")
    for shades, text in SWATCHES:
        row += 1
        for column, shade in enumerate(shades, start=2):
            sheet.cell(row, column).fill = PatternFill("solid", fgColor=shade)
            sheet.cell(row, column).border = OUTLINE
        put(sheet, row, LAYER, f"  {text}", "soft")
    row += 1
    padding = Grid("Overview", row, 2, 1, 3)
    dressed.pour("Overview", Pour(padding, np.empty((1, 3)), 0, None, blank=dressed.style("blank"), empty=True))
    put(sheet, row, LAYER, "  padding: blank cells around a grid, which count as 0", "soft")
    return row + 1


def _table(sheet: Worksheet, model: Model, row: int) -> None:
    """The network as a table, a row for each layer."""
    network = model.network
    heads = (
        "",
        "",
        "",
        "layer",
        "type",
        "as PyTorch code",
        "output C×H×W",
        "parameters",
        "multiplications",
        "sees (pixels)",
    )
    for column, text in enumerate(heads, start=2):
        put(sheet, row, column, text, "head")
    found = model.costs
    row += 1
    put(sheet, row, LAYER, "Input", "link", "Input")
    put(sheet, row, LAYER + 3, shape_text(network.input.shape), "row")
    before = INPUT
    for node in network.nodes:
        row += 1
        cost = found[node.name]
        put(sheet, row, 2, node.number, "soft")
        put(sheet, row, LAYER, node.name, "link", node.name)
        reads = "" if node.inputs == (before,) else f"  ← {', '.join(node.inputs)}"
        put(sheet, row, LAYER + 1, node.layer.type + reads, "row")
        before = node.name
        put(sheet, row, LAYER + 2, torch_code(node).replace("torch.nn.", "nn."), "row_code")
        put(sheet, row, LAYER + 3, shape_text(node.shape), "row")
        put(sheet, row, LAYER + 4, node.parameter_words, "row")
        put(sheet, row, LAYER + 5, f"{cost.multiplications:,}" if cost.multiplications else "", "row")
        put(sheet, row, LAYER + 6, shape_text(cost.receptive_field), "row")
    row += 1
    put(sheet, row, LAYER, "all layers", "row")
    put(sheet, row, LAYER + 4, f"{sum(cost.parameters for cost in found.values()):,}", "row")
    put(sheet, row, LAYER + 5, f"{sum(cost.multiplications for cost in found.values()):,}", "row")
