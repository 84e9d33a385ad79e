"""The gallery: all maps as thumbnails of tiny cells, the kernels that make them, and arrows to what reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import Array, Shape
from ...arrays.grid import Grid, Grids
from ...xlsx import palette
from ...xlsx.cells import Cell, CellBlock
from ...xlsx.columns import square_width
from ...xlsx.draft import WorkbookDraft
from ...xlsx.labels import merged, put
from ..content import WorkbookContent
from ..flow import draw
from ..layer.look import cell_block
from ..page import LEFT, Block
from ..scales.content import bar_name, bar_view, has_live_scale
from ..scales.look import colour_array, write_bar
from .content import GALLERY, SALIENCY, sheet_shown, shown_of, thumbnails
from .place import HEADER, TOP, GalleryPage, gallery_page

WORDS = "The whole network, live: change a kernel or a pixel and look here again. A click on a map goes to its cells."


def gallery_sheet(draft: WorkbookDraft, content: WorkbookContent, sizes: bool = True, kernels: bool = True) -> None:
    """All maps as thumbnails of tiny cells, which point at the maps' cells: an edit is seen everywhere at once.

    Without `sizes` it does not say how large the layers are, nor how many maps there are; without `kernels` it has none.
    """
    sheet = draft.sheet(GALLERY, "one page")
    page = gallery_page(content.graph, content.gallery, kernels)
    _tiny_cells(sheet, page)
    put(sheet, 1, LEFT, GALLERY, "title")
    put(sheet, 2, LEFT, content.home, "link", content.home)
    after = len(content.home) * 7 + 14  # pixels
    put(sheet, 2, LEFT + -(-after // page.size), _words(content, page, sizes), "soft")
    for label in page.labels:
        if sizes or not label.tells_size:
            at = "A1" if label.map is None else _corner(content, label.layer, label.map)
            link = sheet_shown(label.layer) if label.layer else None
            put(sheet, label.row, label.column, label.text, label.style, link, at)
            merged(sheet, label.row, label.column, label.rows, label.columns)
    draw(sheet, page.lines, page.places.head, page.half_head)
    by_array: dict[Array, list[Block]] = {}
    for block in page.blocks:
        by_array.setdefault(block.array, []).append(block)
        draft.name(block.name, block.grid)
    for array, blocks in by_array.items():
        _thumbnails(draft, sheet, content, array, blocks)
        if has_live_scale(array):  # in the margin, unseen
            draft.bars[bar_name(array)] = Grid(GALLERY, TOP + len(draft.bars), 1, 1, 1)
        colour_array(draft, sheet, content, array, [(block.index, block.grid) for block in blocks])


def gallery_scales(draft: WorkbookDraft, content: WorkbookContent) -> None:
    """The cells from which its colours come; to be written when the layers' scale bars have their places."""
    style = draft.style("thumbnail", ";;;")
    for array in thumbnails(content.graph, content.gallery):
        if has_live_scale(array):
            grids = content.grids[array.inputs[0].id]
            write_bar(draft, bar_view(array, grids, draft.bars, content.written), draft.bars[bar_name(array)], style)


def _words(content: WorkbookContent, page: GalleryPage, sizes: bool) -> str:
    """What this sheet is for, and what it leaves out."""
    stacks = content.network.shapes
    shown = [block.array.inputs[0] for block in page.blocks if block.array.grid_axes == 1 and block.array.key != SALIENCY]
    total = sum(shape[0] for shape in stacks.values() if len(shape) == 3)
    count = sum(len(array.shape) == 3 for array in shown)
    words = WORDS
    if count < total:
        words += "   It shows the first maps of each layer" + (f", {count} of {total}." if sizes else ".")
    owners = {array.owner for array in shown}
    left_out = [shape for name, shape in stacks.items() if name not in owners]
    if left_out:
        axes = {len(shape) for shape in left_out}
        what = {(1,): "Long vectors", (3,): "Large maps", (1, 3): "Large maps and long vectors"}[tuple(sorted(axes))]
        words += f"   {what} are left out."
    return words


def _corner(content: WorkbookContent, layer: str, index: int) -> str:
    """The first cell of a map, or the cell of a number of a vector, on its own sheet."""
    grids: Grids = content.grids[shown_of(content.graph, layer).id]
    return grids.seen_from(grids.sheet).at(index, 0) if isinstance(grids, Grid) else _own(grids[index]).at(0, 0)


def _own(grid: Grid) -> Grid:
    """A grid as formulas on its own sheet see it."""
    return grid.seen_from(grid.sheet)


def _thumbnails(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, array: Array, blocks: list[Block]) -> None:
    """The thumbnails of one array, each in a thin frame, so that an empty map is seen too, and a link to what it shows."""
    style = draft.style("thumbnail", ";;;")
    written = array.computed(content.written)
    write = array.written(content.grids, GALLERY)
    shown = content.grids[array.inputs[0].id]
    for block in blocks:
        draft.fill(GALLERY, _in_frame(draft, cell_block(block, written, write, style, style), block, written, write, style))
        grids = shown
        for i in block.index if not isinstance(grids, Grid) else ():
            grids = grids[i]
        draft.link(block.grid, grids)


def _in_frame(
    draft: WorkbookDraft, block: CellBlock, thumbnail: Block, written: np.ndarray, write: Callable[[Shape], str], style: int
) -> CellBlock:
    """A thumbnail with a line around it."""
    rows, columns = thumbnail.grid.rows, thumbnail.grid.columns
    cells = {}
    for i, j in np.ndindex(rows, columns):
        sides = (j == 0, j == columns - 1, i == 0, i == rows - 1)
        if any(sides):
            at = (*thumbnail.index, i, j)
            framed = draft.framed(style, sides, palette.FRAME, "thin")
            cells[i, j] = Cell(framed, write(at), float(written[at]))
    return replace(block, cells=cells)


def _tiny_cells(sheet: Worksheet, page: GalleryPage) -> None:
    """Square cells as large as fit; the first rows hold text. There are no headings, whose letters would be no wider than these."""
    width = square_width(page.size)
    sheet.column_dimensions["A"] = ColumnDimension(
        sheet, index="A", min=1, max=page.columns + 20, width=width, customWidth=True
    )
    sheet.sheet_format.defaultRowHeight = page.size * 0.75
    sheet.sheet_format.customHeight = True
    for row, height in enumerate(HEADER, start=1):
        sheet.row_dimensions[row].height = height
    sheet.sheet_view.showRowColHeaders = False
    if page.too_large:
        sheet.freeze_panes = f"A{TOP}"
