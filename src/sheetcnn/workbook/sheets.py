"""What stands on each sheet: the Overview, the input, the layers, and the check."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.utils.cell import absolute_coordinate
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ..grid import COLUMN, Grid, flat, seen_from
from ..layers.base import Activated, Arrays, Drawing, shape_text
from ..layout import HEADER, LEFT, Block, Page, channel_names, describe, gallery_page, pictures_page
from ..network import GALLERY, INPUT, Network, Node, costs
from . import palette
from .cells import Pour
from .dress import (
    Dressed,
    colour,
    description_sheet,
    header,
    marks,
    picture,
    protect,
    put,
    put_line,
    signed_scale,
    spans,
    square_cells,
    tiny_cells,
)

OUTLINE = Border(*[Side("thin", color=palette.RULE)] * 4)
CHANGED_FORMULA = "IF(ABS(E{row}-D{row})+ABS(G{row}-F{row})<=0.000000001*(1+ABS(D{row})+ABS(F{row})),0,1)"
CHANGED = '"changed";;"as built"'  # a number format: 1 reads as changed, 0 as built


@dataclass(frozen=True)
class Model:
    """All that a workbook shows: the network, its numbers, and where every grid goes."""

    network: Network
    detail: str
    parameters: dict[str, Arrays]
    values: dict[str, Arrays]  # what NumPy computed, by layer and key
    pages: dict[str, Page]
    png: bytes | None  # the input as a picture
    gallery: int = 0  # how many cells the gallery may have; 0: there is none
    pictures: dict[str, np.ndarray] = field(default_factory=dict)  # by name, where there are several to choose from


def dress(model: Model, protected: bool, version: str) -> Dressed:
    """The whole workbook, its grids ready to be poured."""
    dressed = Dressed()
    network = model.network
    dressed.book.properties.title = network.settings.name
    dressed.book.properties.creator = f"sheetcnn {version}"
    overview = dressed.sheet("Overview")
    if network.gallery(model.gallery):
        _gallery(dressed, model)
    names = ["Overview", *(page.sheet for page in model.pages.values()), "Check"]
    bank = pictures_page(network, len(model.pictures)) if model.pictures else None
    for page, before, after in zip(model.pages.values(), names, names[2:], strict=False):
        _page(dressed, model, page, before, after, bank if page.node is None else None)
    rows = _check(dressed, model)
    if bank is not None:
        _pictures(dressed, model, bank)
    _overview(dressed, overview, model, rows)
    description = {
        "format": 1,
        "version": version,
        "detail": model.detail,
        "gallery": model.gallery,
        "network": network.description(),
    }
    description_sheet(dressed, description)
    if protected:
        protect(dressed)
    return dressed


def _values(model: Model, owner: str, drawing: Drawing) -> np.ndarray:
    array = (model.parameters if drawing.role in ("parameter", "shared") else model.values)[owner][drawing.key]
    return array + 0.0  # no negative zeros


def _page(dressed: Dressed, model: Model, page: Page, before: str, after: str, bank: Page | None) -> None:
    """The sheet of the input or of a layer; pixels read from a bank of pictures, where there is one."""
    sheet = dressed.sheet(page.sheet)
    square_cells(sheet, page.columns)
    node = page.node
    owner = node.name if node else INPUT
    title, lines = _layer_lines(model, node) if node else _input_lines(model)
    column = header(sheet, title, lines, before, after)
    if node is not None and node.layer.warning():
        put(sheet, HEADER, LEFT, node.layer.warning(), "warning")
    marks(sheet, page)
    formulas = model.network.formulas(owner, model.detail, {name: page.grids for name, page in model.pages.items()})
    choose = None if bank is None else _choice(dressed, sheet, model, bank)
    by_drawing: dict[str, list[Block]] = {}
    for block in page.blocks:
        by_drawing.setdefault(block.drawing.key, []).append(block)
        dressed.name(block.name, block.grid)
    for key, blocks in by_drawing.items():
        array = _values(model, owner, blocks[0].drawing)
        role = "typed" if key not in formulas else "formula"
        style = dressed.style(role, palette.number_format(array))
        blank = dressed.style("blank")
        for block in blocks:
            write = formulas.get(key, choose if key == "channel" else None)
            dressed.pour(page.sheet, _pour(block, array, write, style, blank))
        column = _colour(dressed, sheet, model, blocks, array, column, typed=role == "typed")


def _choice(dressed: Dressed, sheet: Worksheet, model: Model, bank: Page) -> Any:
    """A drop-down of pictures on the Input sheet; returns the formula of a pixel, which chooses among them."""
    row, first, last = HEADER - 2, LEFT + 3, LEFT + 12
    put(sheet, row, LEFT, "picture", "soft")
    put(sheet, row, first, next(iter(model.pictures)), "choice")
    sheet.merge_cells(start_row=row, end_row=row, start_column=first, end_column=last)
    names = Grid(bank.sheet, 2, 1, len(model.pictures), 1).seen_from(sheet.title).area
    choice = DataValidation(type="list", formula1=f"={names}", allow_blank=False, showErrorMessage=True)
    choice.error, choice.errorTitle = "Choose one of the pictures in the list.", "No such picture"
    sheet.add_data_validation(choice)
    choice.add(sheet.cell(row, first).coordinate)
    chosen = Grid(sheet.title, row, first, 1, 1)
    number = Grid(sheet.title, row, last + 2, 1, 1)
    formula = f"MATCH({chosen.area},{names},0)"
    dressed.pour(sheet.title, Pour(number, np.array([[1.0]]), dressed.style("formula", "0"), lambda i: [formula]))
    dressed.name("input_picture", chosen)
    dressed.name("input_picture_number", number)
    pictures = seen_from(bank.grids["picture"], sheet.title)

    def write(at: tuple[int, ...]) -> str:
        c, i, j = at
        return f"CHOOSE({number.area},{','.join([picture[c].at(i, j) for picture in pictures])})"

    return write


def _pictures(dressed: Dressed, model: Model, bank: Page) -> None:
    """The hidden sheet that the pixels of several pictures are read from."""
    sheet = dressed.sheet(bank.sheet)
    sheet.sheet_state = "hidden"
    put(sheet, 1, 1, "pictures", "soft")
    for row, name in enumerate(model.pictures, start=2):
        put(sheet, row, 1, name, "row")
    stack = np.stack(list(model.pictures.values())) + 0.0
    style = dressed.style("formula", palette.number_format(stack))
    for block in bank.blocks:
        dressed.name(block.name, block.grid)
        dressed.pour(bank.sheet, Pour(block.grid, stack[block.index], style))


def _pour(block: Block, array: np.ndarray, write: Any, style: int, blank: int) -> Pour:
    index, columns = block.index, range(block.grid.columns)
    formula = None
    if write is not None and array.ndim - block.drawing.lead == 2:
        formula = lambda i: [write((*index, i, j)) for j in columns]  # noqa: E731
    elif write is not None:  # a column, or a single cell
        formula = lambda i: [write((*index, i)[: array.ndim])]  # noqa: E731
    values = array[index].reshape(block.drawing.size)
    return Pour(block.grid, values, style, formula, block.margin, blank)


def _input_lines(model: Model) -> tuple[str, list[tuple[str, str]]]:
    settings = model.network.input
    words = "The picture as numbers: one grid per channel. Type over any pixel."
    if settings.normalizes:
        given = [key for key in ("scale", "mean", "std") if getattr(settings, key) is not None]
        text = "pixel" + (" / scale" if "scale" in given else "") + (" − mean" if "mean" in given else "")
        words += f"   normalized = {f'({text}) / std' if 'std' in given else text}"
    lines = [(words, "words"), (f"{shape_text(settings.shape)}: channels × rows × columns", "soft")]
    if any(model.network.margin(INPUT)):
        lines.append(("The hatched border is the padding that the next layer wants: blank cells, which count as 0.", "soft"))
    return "Input", lines


def _layer_lines(model: Model, node: Node) -> tuple[str, list[tuple[str, str]]]:
    cost = costs(model.network)[node.name]
    words = node.layer.formula_words()
    activation = node.layer.final if isinstance(node.layer, Activated) else None
    if activation is not None:
        left, right = words.rsplit(" = ", 1)
        words = f"{left} = {activation.type}({right})"
    first, second = describe(node, cost.multiplications, cost.receptive_field)
    lines = [
        (words, "words"),
        (f"reads {' and '.join(node.inputs)}:  {first}", "soft"),
        (second, "soft"),
        (torch_code(node), "code"),
    ]
    return f"{node.name}  ·  {node.layer.type}", lines


def _colour(
    dressed: Dressed, sheet: Worksheet, model: Model, blocks: list[Block], array: np.ndarray, column: int, typed: bool
) -> int:
    """Colour the grids of one drawing; returns the next free column of the header's row of links."""
    drawing, grids = blocks[0].drawing, [block.grid for block in blocks]
    if drawing.role in ("parameter", "shared") and array.ndim < 2:
        return column  # a single number needs no colour
    bounds = _channel_bounds(model, drawing)
    if bounds is not None:
        for block, (low, high), name in zip(blocks, bounds, channel_names(model.network, INPUT), strict=True):
            dark, light = palette.CHANNELS.get(name, palette.GRAY)
            scale = palette.Scale(
                ((low, dark), (high, light)), pale_below=low + palette.pale_until(dark, light) * (high - low)
            )
            colour(sheet, spans([block.grid]), scale, None, typed)
        return column
    if typed or array.min() < 0 or drawing.label in ("sum", "product", "turned", "mean") or drawing.role == "shared":
        colour(sheet, spans(grids), signed_scale([array]), None, typed)
        return column
    ranges = spans(grids)
    text = "largest cell" if drawing.role == "output" else f"largest {drawing.label}"
    put(sheet, HEADER - 1, column, text, "soft")
    cell = Grid(sheet.title, HEADER - 1, column + 4, 1, 1)
    absolute = ",".join(absolute_coordinate(part) for part in ranges.split(" "))
    dressed.pour(
        sheet.title,
        Pour(
            cell,
            np.array([[float(array.max())]]),
            dressed.style("formula", palette.number_format(array)),
            lambda i: [f"MAX({absolute})"],
        ),
    )
    colour(sheet, ranges, palette.Scale(((0.0, palette.LIGHT), ("max", palette.DARK)), pale_above=0.5), cell.area, typed)
    return column + 6


def _channel_bounds(model: Model, drawing: Drawing) -> list[tuple[float, float]] | None:
    """The darkest and lightest value of each channel of a picture; None for what is no picture."""
    pixels = model.values[INPUT]["channel"]
    if drawing.key not in ("channel", "normalized") or len(pixels) not in (1, 3):
        return None
    if pixels.min() < 0 or pixels.max() > 255 or pixels.max() <= 1:
        return None
    if drawing.key == "channel":
        return [(0.0, 255.0)] * len(pixels)
    given = {key: np.broadcast_to(value, (len(pixels),)) for key, value in model.parameters[INPUT].items()}
    ends = [
        (v / given.get("scale", 1.0) - given.get("mean", 0.0)) / given.get("std", 1.0) + np.zeros(len(pixels))
        for v in (0.0, 255.0)
    ]
    return [(float(low), float(high)) for low, high in zip(*ends, strict=True)]


# -- Gallery ---------------------------------------------------------------------------------------------------------


def _gallery(dressed: Dressed, model: Model) -> None:
    """All maps as thumbnails of tiny cells, which point at the maps' cells: an edit is seen everywhere at once."""
    network = model.network
    sheet = dressed.sheet(GALLERY)
    page = gallery_page(network, model.gallery)
    tiny_cells(sheet, page.columns)
    put(sheet, 1, LEFT, GALLERY, "title")
    by_layer: dict[str, list[Block]] = {}
    for block in page.blocks:
        by_layer.setdefault(block.drawing.key, []).append(block)
        dressed.name(block.name, block.grid)
    stacks = {INPUT: network.input.shape} | {node.name: node.shape for node in network.nodes}
    total = sum(shape[0] for shape in stacks.values() if len(shape) == 3)
    shown = sum(len(blocks) for name, blocks in by_layer.items() if len(stacks[name]) == 3)
    words = "The whole network, live: change a kernel or a pixel and look here again."
    if shown < total:
        words += f"   It shows the first maps of each layer, {shown} of {total}."
    if len(by_layer) < len(stacks):
        words += "   Long vectors are left out."
    put(sheet, 2, LEFT, words, "words")
    put_line(sheet, 3, LEFT, [("Overview", "Overview")])
    grids = {name: other.grids for name, other in model.pages.items()}
    for mark in page.marks:
        put(sheet, mark.row, mark.column, mark.text, "link", "Input" if mark.style == INPUT else mark.style)
    style = dressed.style("thumbnail", ";;;")
    for name, blocks in by_layer.items():
        values = network.gallery_values(name, model.values) + 0.0
        write = partial(_gallery_cell, network, name, grids)
        for block in blocks:
            dressed.pour(GALLERY, _pour(block, values, write, style, dressed.style("frame")))
        key = "normalized" if network.input.normalizes else "channel"
        drawing = replace(blocks[0].drawing, key=key) if name == INPUT else blocks[0].drawing
        bounds = _channel_bounds(model, drawing)
        if bounds is not None:
            for block, (low, high), channel in zip(blocks, bounds, channel_names(network, INPUT), strict=False):
                dark, light = palette.CHANNELS.get(channel, palette.GRAY)
                colour(sheet, spans([block.grid]), palette.Scale(((low, dark), (high, light))), None, typed=False)
        elif values.min() < 0:
            colour(sheet, spans([block.grid for block in blocks]), signed_scale([values]), None, typed=False)
        else:
            scale = palette.Scale(((0.0, palette.LIGHT), ("max", palette.DARK)))
            colour(sheet, spans([block.grid for block in blocks]), scale, None, typed=False)


def _gallery_cell(network: Network, name: str, grids: dict[str, dict[str, Any]], at: tuple[int, ...]) -> str:
    return network.gallery_formula(name, at, grids)


# -- Check -----------------------------------------------------------------------------------------------------------


def _check(dressed: Dressed, model: Model) -> tuple[int, int]:
    """The sheet that tells which maps an edit has reached; returns the first and last row of its table."""
    sheet = dressed.sheet("Check")
    put(sheet, 1, 2, "Check", "title")
    put(
        sheet,
        2,
        2,
        "What NumPy found when this workbook was built, beside what the cells say now: see how far an edit reaches.",
        "words",
    )
    put(sheet, 3, 2, "For every cell against NumPy, save the workbook and run:  sheetcnn check BOOK.xlsx", "soft")
    put_line(sheet, 4, 2, [("Overview", "Overview")])
    for letter, width in zip("ABCDEFGH", (3, 22, 12, 16, 16, 16, 16, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    for column, text in enumerate(
        ("layer", "grid", "sum, as built", "sum, now", "largest, as built", "largest, now", "state"), start=2
    ):
        put(sheet, 6, column, text, "head" if column < 4 else "head_right")
    sheet.freeze_panes = "A7"
    entries = [
        (node.name, name, grid, model.values[node.name]["output"][index])
        for node in model.network.nodes
        for name, (index, grid) in zip(_output_names(node), flat(model.pages[node.name].grids["output"]), strict=True)
    ]
    first, last = 7, 6 + len(entries)
    for row, (layer, name, _, _) in enumerate(entries, start=first):
        put(sheet, row, 2, layer, "link", layer)
        put(sheet, row, 3, name, "row")
    areas = [grid.seen_from("Check").area for _, _, grid, _ in entries]
    sums = np.array([[float(np.sum(values))] for *_, values in entries])
    largest = np.array([[float(np.max(values))] for *_, values in entries])
    digits = "0.0000" if np.abs(largest).max() < 10 else "#,##0.00"
    number, state = dressed.style("table", digits), dressed.style("table", CHANGED)

    def column_of(letter: int, values: np.ndarray, style: int, formula: Any = None) -> None:
        dressed.pour("Check", Pour(Grid("Check", first, letter, len(entries), 1), values, style, formula))

    column_of(4, sums, number)
    column_of(5, sums, number, lambda i: [f"SUM({areas[i]})"])
    column_of(6, largest, number)
    column_of(7, largest, number, lambda i: [f"MAX({areas[i]})"])
    column_of(
        8,
        np.zeros_like(sums),
        state,
        lambda i: [CHANGED_FORMULA.format(row=first + i)],
    )
    amber = PatternFill("solid", bgColor="FDE68A")
    sheet.conditional_formatting.add(f"H{first}:H{last}", CellIsRule("equal", ["1"], fill=amber, font=Font(bold=True)))
    return first, last


def _output_names(node: Node) -> list[str]:
    if len(node.shape) == 1:
        return ["out"]
    return [f"map {k + 1}" for k in range(node.shape[0])]


# -- Overview --------------------------------------------------------------------------------------------------------

WIDTHS = (3, 3.5, 3.5, 3.5, 22, 19, 72, 14, 24, 15, 13)  # of the columns from A on
LAYER = 5  # the column of the layers' names
USE = (
    "1   Go to a layer by its link below. Every cell of a feature map is an ordinary formula: click one and read it.",
    "2   Type a new number into a blue cell (a pixel, a kernel, a bias, a weight): every later map follows at once.",
    "3   The sheet Check tells which maps your edit has reached. Undo brings everything back.",
)
SWATCHES = (
    ((palette.NEGATIVE, palette.ZERO, palette.POSITIVE), "kernels and sums: negative, zero, positive"),
    ((palette.LIGHT, "929AB5", palette.DARK), "feature maps: from zero to the layer's largest cell"),
)


def _overview(dressed: Dressed, sheet: Worksheet, model: Model, checked: tuple[int, int]) -> None:
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
    row = 8
    put(sheet, row, 2, "state", "soft")
    first, last = checked
    state = f'IF(SUM(Check!$H${first}:$H${last})=0,"every grid is as built","changed since it was built: Check tells what")'
    cell = Grid("Overview", row, LAYER, 1, 1)
    dressed.pour("Overview", Pour(cell, np.array([["every grid is as built"]]), dressed.style("left"), lambda i: [state]))
    put(sheet, row, LAYER + 3, "Check", "link", "Check")
    if GALLERY in dressed.pours:
        put(sheet, row, LAYER + 4, GALLERY, "link", GALLERY)
    row = _prediction(dressed, sheet, model, row + 1)
    row = _legend(dressed, sheet, row + 1)
    _table(sheet, model, max(row + 1, 15))
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
    found = costs(network)
    row += 1
    put(sheet, row, LAYER, "Input", "link", "Input")
    put(sheet, row, LAYER + 3, shape_text(network.input.shape), "row")
    for node in network.nodes:
        row += 1
        cost = found[node.name]
        put(sheet, row, 2, node.number, "soft")
        put(sheet, row, LAYER, node.name, "link", node.name)
        put(sheet, row, LAYER + 1, node.layer.type, "row")
        put(sheet, row, LAYER + 2, torch_code(node).replace("torch.nn.", "nn."), "row_code")
        put(sheet, row, LAYER + 3, shape_text(node.shape), "row")
        put(sheet, row, LAYER + 4, node.layer.parameter_words(*node.in_shapes), "row")
        put(sheet, row, LAYER + 5, f"{cost.multiplications:,}" if cost.multiplications else "", "row")
        put(sheet, row, LAYER + 6, shape_text(cost.receptive_field), "row")
    row += 1
    put(sheet, row, LAYER, "all layers", "row")
    put(sheet, row, LAYER + 4, f"{sum(cost.parameters for cost in found.values()):,}", "row")
    put(sheet, row, LAYER + 5, f"{sum(cost.multiplications for cost in found.values()):,}", "row")


def torch_code(node: Node) -> str:
    """A layer with its activation as PyTorch code."""
    code = node.layer.torch(*node.in_shapes)
    activation = node.layer.activation if isinstance(node.layer, Activated) else None
    parts = [code, "" if activation is None else activation.torch(node.shape)]
    return ", then ".join(part for part in parts if part)
