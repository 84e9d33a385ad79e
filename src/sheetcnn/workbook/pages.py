"""The sheet of the input or of a layer: header, labels, grids, names, colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from openpyxl.utils.cell import absolute_coordinate
from openpyxl.worksheet.worksheet import Worksheet

from ..arrays.array import Array, CellFormula, shape_text
from ..arrays.grid import Grid
from ..layout import HEADER, LEFT, Block, Page, channel_names
from ..model.network import Node
from ..model.settings import INPUT
from . import palette
from .cells import Pour
from .dress import Dressed, Outline, add_rules, colour, header, known, marks, put, signed_scale, spans, square_cells
from .kernels import kernel_choices
from .model import Model
from .pictures import choice_of_pictures


def layer_sheet(
    dressed: Dressed,
    model: Model,
    page: Page,
    neighbours: tuple[str, str],
    banks: dict[str, Page],
    outlines: dict[str, Outline],
    sizes: bool = True,
) -> None:
    """The sheet of the input or of a layer; pixels and kernels are chosen from `banks`, where there are any.

    Without `sizes` a layer's sheet does not say how large its output is, nor how many parameters it has.
    """
    sheet = dressed.sheet(page.sheet)
    square_cells(sheet, page.columns)
    node = page.node
    owner = node.name if node else INPUT
    title, lines = _layer_lines(model, node) if node else _input_lines(model)
    if node is not None and not sizes:
        lines = lines[:1]  # the formula in words; any other line may tell
    column = header(sheet, title, lines, *neighbours, model.home)
    if node is not None and node.layer.warning():
        put(sheet, HEADER, LEFT, node.layer.warning(), "warning")
    marks(sheet, page)
    arrays = {array.id: array for array in model.graph.of[owner]}
    choosing: dict[str, CellFormula] = {}  # what is typed, but can also be chosen
    if node is None and "pictures" in banks:
        choosing[arrays[f"{owner}.channel"].id] = choice_of_pictures(dressed, sheet, model, banks["pictures"])
    if page.choices:
        kernels = model.graph.get(owner, "weight")
        choosing[kernels.id] = kernel_choices(dressed, sheet, page, kernels, banks["kernels"])
    by_array: dict[str, list[Block]] = {}
    for block in page.blocks:
        by_array.setdefault(block.array.id, []).append(block)
    for name, grid in page.names.items():
        dressed.name(name, grid)
    for name, blocks in by_array.items():
        array = arrays[name]
        numbers, written = model.values[name] + 0.0, model.written[name] + 0.0  # no negative zeros
        typed = array.formula is None
        write = choosing.get(name) if typed else array.written(model.grids, page.sheet)
        style = dressed.style("typed" if typed else "formula", palette.number_format(known(numbers)))
        blank = dressed.style("blank")
        for block in blocks:
            dressed.pour(page.sheet, pour_of(block, written, write, style, blank))
        column = _colour(dressed, sheet, model, blocks, (numbers, written), column, typed, outlines.get(name))


def pour_of(block: Block, array: np.ndarray, write: Any, style: int, blank: int) -> Pour:
    """A block ready to be poured: its part of an array, and its formulas where `write` gives one for an index."""
    index, columns = block.index, range(block.grid.columns)
    formula = None
    if write is not None and array.ndim - block.array.grid_axes == 2:
        formula = lambda i: [write((*index, i, j)) for j in columns]  # noqa: E731
    elif write is not None:  # a column, or a single cell
        formula = lambda i: [write((*index, i)[: array.ndim])]  # noqa: E731
    values = array[index].reshape(block.array.size)
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
    cost = model.costs[node.name]
    words = node.layer.formula_words()
    activation = node.layer.final
    if activation is not None:
        left, right = words.rsplit(" = ", 1)
        words = f"{left} = {activation.type}({right})"
    shapes = f"{' and '.join(map(shape_text, node.in_shapes))}  →  {shape_text(node.shape)}"
    size = node.layer.size_words(*node.in_shapes)
    work = f"      multiplications: {cost.multiplications:,}" if cost.multiplications else ""
    sees = f"      one cell here sees up to {cost.sees} pixels of the input" if cost.sees else ""
    lines = [
        (words, "words"),
        (f"reads {' and '.join(node.inputs)}:  {shapes}{f'      size: {size}' if size else ''}", "soft"),
        (f"parameters: {node.parameter_words}{work}{sees}", "soft"),
        (torch_code(node), "code"),
    ]
    return f"{node.name}  ·  {node.layer.type}", lines


def torch_code(node: Node) -> str:
    """A layer with its activation as PyTorch code."""
    code = node.layer.torch(*node.in_shapes)
    activation = node.layer.final
    parts = [code, "" if activation is None else activation.torch(node.shape)]
    return ", then ".join(part for part in parts if part)


def _colour(
    dressed: Dressed,
    sheet: Worksheet,
    model: Model,
    blocks: list[Block],
    arrays: tuple[np.ndarray, np.ndarray],
    column: int,
    typed: bool,
    outline: Outline | None,
) -> int:
    """Colour the grids of one array, whose values and written values are given; returns the next free column of links."""
    numbers, written = arrays
    array, grids = blocks[0].array, [block.grid for block in blocks]
    if outline is not None and outline.around:
        add_rules(sheet, outline.around, outline.rules())
    single = array.role in ("parameter", "shared") and numbers.ndim < 2
    if single or (array.role == "step" and array.grid_axes and numbers.ndim == 1):
        return column  # a single number needs no colour
    bounds = channel_bounds(model, array)
    if bounds is not None:
        for block, (low, high), name in zip(blocks, bounds, channel_names(model.network, INPUT), strict=True):
            dark, light = palette.CHANNELS.get(name, palette.GRAY)
            scale = palette.Scale(
                ((low, dark), (high, light)), pale_below=low + palette.pale_until(dark, light) * (high - low)
            )
            colour(sheet, spans([block.grid]), scale, None, typed, outline)
        return column
    if typed or numbers.min() < 0 or array.signed or array.role == "shared":
        colour(sheet, spans(grids), signed_scale([known(numbers)]), None, typed, outline)
        return column
    ranges = spans(grids)
    text = "largest cell" if array.role == "output" else f"largest of {array.label}"
    put(sheet, HEADER - 1, column, text, "soft")
    cell = Grid(sheet.title, HEADER - 1, column + 4, 1, 1)
    absolute = ",".join(absolute_coordinate(part) for part in ranges.split(" "))
    dressed.pour(
        sheet.title,
        Pour(
            cell,
            np.array([[float(written.max())]]),
            dressed.style("formula", palette.number_format(numbers)),
            lambda i: [f"MAX({absolute})"],
        ),
    )
    colour(
        sheet,
        ranges,
        palette.Scale(((0.0, palette.LIGHT), ("max", palette.DARK)), pale_above=0.5),
        cell.area,
        typed,
        outline,
    )
    return column + 6


def channel_bounds(model: Model, array: Array) -> list[tuple[float, float]] | None:
    """The darkest and lightest value of each channel of a picture; None for what is no picture."""
    pixels = model.values[f"{INPUT}.channel"]
    if array.owner != INPUT or array.role == "parameter" or len(pixels) not in (1, 3):
        return None
    if pixels.min() < 0 or pixels.max() > 255 or pixels.max() <= 1:
        return None
    if array.role == "pixels":
        return [(0.0, 255.0)] * len(pixels)
    ends = [
        array.computed(model.values | {f"{INPUT}.channel": np.full((len(pixels), 1, 1), end)}).ravel()
        for end in (0.0, 255.0)
    ]
    return [(float(low), float(high)) for low, high in zip(*ends, strict=True)]
