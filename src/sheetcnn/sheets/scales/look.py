"""Which colours an array has: one scale for each, on its own sheet and wherever else it is shown."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import Array, Shape, original
from ...arrays.grid import Grid
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.colours import Outline, colour, map_scale, weight_scale
from ...xlsx.draft import spans
from ..content import WorkbookContent
from ..page import channel_names

RULES = (palette.MAPS_RULE, palette.WEIGHTS_RULE)  # what readers are told


def scale_of(content: WorkbookContent, array: Array, channel: int = 0, largest: str | None = None) -> palette.Scale:
    """The scale of an array or, of the input, of one of its channels; what shows an array once more has that one's.

    `largest` is a cell on the same sheet with the size of its largest number, which the colours then follow: see `scale_bar`.
    """
    shown = original(array)
    if shown.owner == INPUT and shown.role != "parameter":
        return _pixels(content, shown, channel)
    if shown.role == "parameter":
        return weight_scale(content.values[shown.id])
    return map_scale(content.values[shown.id], largest)


def _pixels(content: WorkbookContent, array: Array, channel: int) -> palette.Scale:
    """From the darkest to the lightest number that the input may have, in the channel's own colour; around 0 with negative ones."""
    low, high = content.pixel_range
    if array.role != "pixels":
        flat = [content.values | {f"{INPUT}.channel": np.full((array.shape[0], 1, 1), end)} for end in (low, high)]
        ends = [array.computed(values) for values in flat]
        low, high = sorted(float(end[channel, 0, 0]) for end in ends)
    if low < 0:
        return map_scale(np.array([low, high]))
    name = channel_names(content.network, INPUT)[channel]
    return palette.Scale(palette.CHANNELS.get(name, palette.GRAY), (low, high))


def colour_array(
    sheet: Worksheet,
    content: WorkbookContent,
    array: Array,
    grids: Iterable[tuple[Shape, Grid]],
    ink: str = "formula",
    largest: str | None = None,
    outline: Outline | None = None,
) -> None:
    """Colour some grids of an array, given with their indexes: all alike, but for channels of the input."""
    alike: dict[palette.Scale, list[Grid]] = {}
    for index, grid in grids:
        alike.setdefault(scale_of(content, array, index[0] if index else 0, largest), []).append(grid)
    for scale, together in alike.items():
        colour(sheet, spans(together), scale, ink, outline)
