"""The sheet of the input or of a layer: header, labels, grids, names, colours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import shape_text
from ...arrays.lazy import Whole, part_of, whole
from ...arrays.pattern import pattern_of
from ...model.network import Node
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.cells import Cell, CellBlock
from ...xlsx.colours import Outline, known
from ...xlsx.columns import square_cells
from ...xlsx.draft import WorkbookDraft
from ...xlsx.flags import flag_no_numbers
from ...xlsx.labels import dress, merged, put, put_line
from ..content import WorkbookContent
from ..epochs.look import recorded_formulas
from ..input.place import InputPage
from ..kernels.look import kernel_lists
from ..page import GAP, HEADER, LEFT, Block, Page
from ..pictures.look import choice_of_pictures
from ..scales.content import has_colours
from ..scales.look import colour_array, scale_bars
from ..screen import TEXT_TOP, rows_of, show
from .content import Lines, gradients_line, layer_lines
from .matrix import texts_of


def layer_sheet(
    draft: WorkbookDraft,
    content: WorkbookContent,
    page: Page,
    neighbours: tuple[str, str],
    banks: dict[str, Page],
    outlines: dict[str, Outline],
    sizes: bool = True,
) -> None:
    """The sheet of the input or of a layer; pixels and kernels are chosen from `banks`, where there are any.

    Without `sizes` a layer's sheet does not say how large its output is, nor how many parameters it has.
    """
    sheet = draft.sheet(page.sheet, "" if _repeats(page.node) else "grids")
    square_cells(sheet, page.columns)
    show(sheet, page)
    node = page.node
    owner = node.name if node else INPUT
    title, lines = "Input", _input_lines(content)
    if node is not None:
        title, lines = f"{node.name}  ·  {node.layer.type}", lines_of(content, page, sizes)
    choosing = recorded_formulas(content, owner, page.sheet)  # what is typed, but can also be chosen
    links = links_of(*neighbours, content.home)
    if choosing and not content.learning:
        links.append(("epoch", content.home))
    gradients = gradients_line(content.graph, owner)
    if page.corner:
        corner(sheet, page, title, [*lines, *gradients], links)
        row, column = 1, page.corner + GAP
    else:
        row = HEADER - 1
        links += [("gradients", target_of(text)) for texts, _ in gradients for text in texts]
        column = header(sheet, title, lines, links)
    marks(sheet, page)
    arrays = {array.id: array for array in content.graph.of[owner]}
    if node is None and "pictures" in banks:
        choosing[arrays[f"{owner}.channel"].id] = choice_of_pictures(draft, sheet, content, banks["pictures"])
    if page.lists is not None:
        choosing[f"{owner}.weight"] = kernel_lists(
            draft, sheet, content, page, banks["kernels"], choosing.get(f"{owner}.weight")
        )
    scale_bars(draft, sheet, content, content.graph.of[owner], row, column)
    pixels = choosing.keys() if node is None else ()  # formulas: others are typed beside them, where there is room
    beside = isinstance(page, InputPage) and page.typed
    by_array: dict[str, list[Block]] = {}
    for block in page.blocks:
        by_array.setdefault(block.array.id, []).append(block)
    for name, grid in page.names.items():
        draft.name(name, grid)
    for name, blocks in by_array.items():
        array = arrays[name]
        numbers, written = content.values[name], whole(content.written, name)
        typed = array.formula is None and name not in pixels
        write = choosing.get(name) if array.formula is None else array.written(content.grids, page.sheet)
        kind = "formula" if not typed else "typed" if write is None else "listed"
        looks = "open" if name in pixels and not beside else kind
        style = draft.style(looks, palette.number_format(known(numbers), typed))
        blank = draft.style("blank")
        in_need = typed and palette.needs_room(written() if callable(written) else np.asarray(written)).any()
        poured = [cell_block(block, written, write, style, blank) for block in blocks]
        for each in poured:
            draft.fill(page.sheet, with_room(draft, each, kind) if in_need else each)
        if typed and array.role == "parameter" and numbers.ndim > 1:
            flag_no_numbers(sheet, poured, blanks=not np.isnan(numbers).any())
        outline = outlines.get(name)
        if outline is not None and outline.around:
            sheet.add_rules(outline.around, *outline.rules())
        if has_colours(array):
            shown = [(block.index, block.grid) for block in blocks]
            colour_array(draft, sheet, content, array, shown, kind, outline)


def _repeats(node: Node | None) -> bool:
    """Whether a sheet has nothing but a vector of numbers that another sheet has already: paper is too good for it."""
    return node is not None and len(node.shape) == 1 and node.layer.family in ("passing", "shape")


def lines_of(content: WorkbookContent, page: Page, sizes: bool) -> Lines:
    """The text at the top of a layer's sheet; without `sizes` the formula and warnings: any other line may tell of sizes."""
    node = page.node
    assert node is not None
    lines = layer_lines(
        node,
        content.costs[node.name],
        random=node.name in content.random,
        chooses=page.lists is not None,
        mirrored=bool(content.graph.mirrors(node.name)),
    )
    return lines if sizes else [line for line in lines if line[1] in ("words", "warning")]


def links_of(before: str, after: str, home: str) -> list[tuple[str, str | None]]:
    """Links to the sheets before and after a sheet, and to the first."""
    links: list[tuple[str, str | None]] = [(f"← {before}", before), (home, home), (f"{after} →", after)]
    if before == home:
        del links[1]
    elif after == home:
        del links[2]
    return links


def header(sheet: Worksheet, title: str, lines: Lines, links: list[tuple[str, str | None]]) -> int:
    """Title, lines of text and links at the top of a sheet; returns the next free column of the row of links."""
    put(sheet, 1, LEFT, title, "title")
    for row, (texts, style) in enumerate(lines, start=2):
        at = row if row < HEADER - 1 else HEADER
        if style == "link":
            put_line(sheet, at, LEFT, [(text, target_of(text)) for text in texts])
        else:
            put(sheet, at, LEFT, "      ".join(texts), style)
    return put_line(sheet, HEADER - 1, LEFT, links)


def corner(sheet: Worksheet, page: Page, title: str, lines: Lines, links: list[tuple[str, str | None]]) -> None:
    """The same at the top left, above the maps and beside the channels, where a text may need several rows."""
    put(sheet, 1, LEFT, title, "title")
    put_line(sheet, 2, LEFT, links)
    row = TEXT_TOP
    for text, style in texts_of(lines):
        put(sheet, row, LEFT, text, style, target_of(text) if style == "link" else None)
        rows = rows_of(text, style, page.corner)
        if rows > 1:
            merged(sheet, row, LEFT, rows, page.corner - LEFT + 1)
            dress(sheet, row, LEFT, alignment=Alignment(vertical="center", wrap_text=True))
        row += rows


def target_of(text: str) -> str:
    """The sheet that a line leads to which says what for: "forward: conv1"."""
    return text.rpartition(": ")[2]


def marks(sheet: Worksheet, page: Page) -> None:
    """Labels, operators and the names of a vector's elements."""
    for mark in page.marks:
        put(sheet, mark.row, mark.column, mark.text, mark.style)


def cell_block(block: Block, array: Whole, write: Any, style: int, blank: int) -> CellBlock:
    """A block ready to be poured: its part of an array, and its formulas where `write` gives one for an index."""
    index, (rows, columns), axes = block.index, block.size, len(block.array.shape)
    formula = pattern = None
    if write is not None and block.stack is not None:
        each = block.array.size[0]
        formula = lambda line: [write((*index, *divmod(line, each), j)) for j in range(columns)]  # noqa: E731
    elif write is not None and axes - block.array.grid_axes == 2:
        pattern = pattern_of(write, index, rows, columns)
        formula = lambda i: [write((*index, i, j)) for j in range(columns)]  # noqa: E731
    elif write is not None:  # a column, or a single cell
        formula = lambda i: [write((*index, i)[:axes])]  # noqa: E731
    numbers = part_of(array, index, block.size)
    return CellBlock(block.grid, numbers, style, formula, pattern, block.margin, blank, stack=block.stack)


def with_room(draft: WorkbookDraft, block: CellBlock, kind: str) -> CellBlock:
    """A block of typed numbers, those with a decimal less for which two are too many beside their sign."""
    numbers = np.asarray(block.values)
    if palette.whole(numbers):
        return block
    style = draft.style(kind, palette.ONE_DECIMAL)
    at = np.argwhere(palette.needs_room(numbers)).tolist()
    cells = {(i, j): Cell(style, block.formula(i)[j] if block.formula else None, float(numbers[i, j])) for i, j in at}
    return replace(block, cells=cells)


def _input_lines(content: WorkbookContent) -> Lines:
    settings = content.network.input
    page = content.pages[INPUT]
    beside = isinstance(page, InputPage) and page.typed
    how = "Type a number into a yellow cell: it takes the place of that pixel." if beside else "Type over any pixel."
    words = f"The picture as numbers: one grid per channel. {how}"
    if settings.normalizes:
        given = [key for key in ("scale", "mean", "std") if getattr(settings, key) is not None]
        text = "pixel" + (" / scale" if "scale" in given else "") + (" − mean" if "mean" in given else "")
        words += f"   normalized = {f'({text}) / std' if 'std' in given else text}"
    lines: Lines = [
        ([words], "words"),
        ([f"{shape_text(settings.shape)}: channels × rows × columns", palette.MAPS_RULE], "soft"),
    ]
    if any(content.graph.margin(INPUT)):
        lines.append(
            (["The hatched border is the padding that the next layer wants: blank cells, which count as 0."], "soft")
        )
    return lines
