"""The gallery: all maps as thumbnails of tiny cells."""

from __future__ import annotations

from ..layout import LEFT, Block, channel_names, gallery_page
from ..model.settings import INPUT
from ..views.gallery import GALLERY
from . import palette
from .dress import Dressed, colour, put, put_line, signed_scale, spans, tiny_cells
from .model import Model
from .pages import channel_bounds, pour_of


def gallery_sheet(dressed: Dressed, model: Model, sizes: bool = True) -> None:
    """All maps as thumbnails of tiny cells, which point at the maps' cells: an edit is seen everywhere at once.

    Without `sizes` it does not say how large the layers are, nor how many maps there are.
    """
    network = model.network
    sheet = dressed.sheet(GALLERY)
    page = gallery_page(model.graph, model.gallery)
    tiny_cells(sheet, page.columns)
    put(sheet, 1, LEFT, GALLERY, "title")
    by_layer: dict[str, list[Block]] = {}
    for block in page.blocks:
        by_layer.setdefault(block.array.key, []).append(block)
        dressed.name(block.name, block.grid)
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
    put_line(sheet, 3, LEFT, [(model.home, model.home)])
    for mark in page.marks:
        name = mark.style
        text = mark.text if sizes or name == INPUT else name
        put(sheet, mark.row, mark.column, text, "link", "Input" if name == INPUT else name)
    style = dressed.style("thumbnail", ";;;")
    for blocks in by_layer.values():
        array = blocks[0].array
        values, written = array.computed(model.values) + 0.0, array.computed(model.written) + 0.0
        write = array.written(model.grids, GALLERY)
        for block in blocks:
            dressed.pour(GALLERY, pour_of(block, written, write, style, dressed.style("frame")))
        bounds = channel_bounds(model, array.inputs[0])
        if bounds is not None:
            for block, (low, high), channel in zip(blocks, bounds, channel_names(network, INPUT), strict=False):
                dark, light = palette.CHANNELS.get(channel, palette.GRAY)
                colour(sheet, spans([block.grid]), palette.Scale(((low, dark), (high, light))), None, typed=False)
        elif values.min() < 0:
            colour(sheet, spans([block.grid for block in blocks]), signed_scale([values]), None, typed=False)
        else:
            scale = palette.Scale(((0.0, palette.LIGHT), ("max", palette.DARK)))
            colour(sheet, spans([block.grid for block in blocks]), scale, None, typed=False)
