"""The gallery: all maps as thumbnails of tiny cells."""

from __future__ import annotations

from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.grid import Grid
from ...model.settings import INPUT
from ...xlsx.draft import WorkbookDraft, put, put_line
from ..content import WorkbookContent
from ..layer.look import cell_block
from ..page import LEFT, Block
from ..scales.content import bar_name, bar_view, has_live_scale
from ..scales.look import colour_array, write_bar
from .content import GALLERY, thumbnails
from .place import GALLERY_TOP, TINY, gallery_page


def gallery_sheet(draft: WorkbookDraft, content: WorkbookContent, sizes: bool = True) -> None:
    """All maps as thumbnails of tiny cells, which point at the maps' cells: an edit is seen everywhere at once.

    Without `sizes` it does not say how large the layers are, nor how many maps there are.
    """
    network = content.network
    sheet = draft.sheet(GALLERY, "one page")
    page = gallery_page(content.graph, content.gallery)
    _tiny_cells(sheet, page.columns)
    put(sheet, 1, LEFT, GALLERY, "title")
    by_layer: dict[str, list[Block]] = {}
    for block in page.blocks:
        by_layer.setdefault(block.array.key, []).append(block)
        draft.name(block.name, block.grid)
    stacks = network.shapes
    total = sum(shape[0] for shape in stacks.values() if len(shape) == 3)
    shown = sum(len(blocks) for name, blocks in by_layer.items() if len(stacks[name]) == 3)
    words = "The whole network, live: change a kernel or a pixel and look here again."
    if shown < total:
        words += "   It shows the first maps of each layer" + (f", {shown} of {total}." if sizes else ".")
    left_out = [shape for name, shape in stacks.items() if name not in by_layer]
    if left_out:
        axes = {len(shape) for shape in left_out}
        what = {(1,): "Long vectors", (3,): "Large maps", (1, 3): "Large maps and long vectors"}[tuple(sorted(axes))]
        words += f"   {what} are left out."
    put(sheet, 2, LEFT, words, "words")
    put_line(sheet, 3, LEFT, [(content.home, content.home)])
    for mark in page.marks:
        name = mark.style
        text = mark.text if sizes or name == INPUT else name
        put(sheet, mark.row, mark.column, text, "link", "Input" if name == INPUT else name)
    style = draft.style("thumbnail", ";;;")
    for blocks in by_layer.values():
        array = blocks[0].array
        written = array.computed(content.written) + 0.0
        write = array.written(content.grids, GALLERY)
        for block in blocks:
            draft.fill(GALLERY, cell_block(block, written, write, style, draft.style("frame")))
        if has_live_scale(array):  # in the margin, unseen
            draft.bars[bar_name(array)] = Grid(GALLERY, GALLERY_TOP + len(draft.bars), 1, 1, 1)
        colour_array(draft, sheet, content, array, [(block.index, block.grid) for block in blocks])


def gallery_scales(draft: WorkbookDraft, content: WorkbookContent) -> None:
    """The cells from which its colours come; to be written when the layers' scale bars have their places."""
    style = draft.style("thumbnail", ";;;")
    for array in thumbnails(content.graph, content.gallery):
        if has_live_scale(array):
            grids = content.grids[array.inputs[0].id]
            write_bar(draft, bar_view(array, grids, draft.bars, content.written), draft.bars[bar_name(array)], style)


def _tiny_cells(sheet: Worksheet, columns: int) -> None:
    """Tiny square cells for a sheet of thumbnails; its first rows hold text."""
    width = (TINY - 0.45) / 7
    sheet.column_dimensions["A"] = ColumnDimension(sheet, index="A", min=1, max=columns + 20, width=width, customWidth=True)
    sheet.sheet_format.defaultRowHeight = TINY * 0.75
    sheet.sheet_format.customHeight = True
    for row, height in enumerate((26, 18, 16, 8, 16), start=1):
        sheet.row_dimensions[row].height = height
    sheet.freeze_panes = f"A{GALLERY_TOP}"
