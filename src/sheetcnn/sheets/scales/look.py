"""Which colours an array has: one scale for each, on its own sheet and wherever else it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import Array, Shape, original
from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.cells import Cell, CellBlock
from ...xlsx.colours import Outline, colour, known, map_scale, weight_scale
from ...xlsx.draft import WorkbookDraft, area_of, spans
from ...xlsx.labels import put
from ..content import WorkbookContent
from ..page import channel_names, room_for
from .content import LEARNING, bar_name, bar_size, bar_view, has_colours, has_live_scale

MOST_BARS = 6  # of channels that have colours of their own


def scale_of(content: WorkbookContent, array: Array, channel: int = 0, largest: str | None = None) -> palette.Scale:
    """The scale of an array or, of the input, of one of its channels; what shows an array once more has that one's.

    `largest` is a cell on the same sheet with the size of its largest number, which the colours then follow: see `scale_bar`.
    """
    shown = original(array)
    if shown.role in LEARNING:
        return weight_scale(content.values[shown.id], largest)
    if shown.owner == INPUT and shown.role != "parameter":
        return _pixels(content, shown, channel)
    if shown.role == "parameter":
        return weight_scale(content.values[shown.id])
    return (weight_scale if shown.of_weights else map_scale)(content.values[shown.id], largest)


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
    draft: WorkbookDraft,
    sheet: Worksheet,
    content: WorkbookContent,
    array: Array,
    grids: Iterable[tuple[Shape, Grid]],
    ink: str = "formula",
    outline: Outline | None = None,
) -> None:
    """Colour some grids of an array, given with their indexes: all alike, but for channels of the input.

    The array's scale bar must stand on the sheet already, where the colours follow its numbers.
    """
    bar = draft.bars.get(bar_name(array))
    largest = None if bar is None else Grid("", bar.top, bar.right, 1, 1).area
    shown = original(array)
    of_channels = shown.owner == INPUT and shown.role != "parameter"  # all others have one scale, which takes time to find
    by_channel: dict[int, list[Grid]] = {}
    for index, grid in grids:
        by_channel.setdefault(index[0] if of_channels and index else 0, []).append(grid)
    alike: dict[palette.Scale, list[Grid]] = {}
    for channel, of_one in by_channel.items():
        alike.setdefault(scale_of(content, array, channel, largest), []).extend(of_one)
    for scale, together in alike.items():
        colour(sheet, spans(together), scale, ink, outline)


def scale_bars(
    draft: WorkbookDraft,
    sheet: Worksheet,
    content: WorkbookContent,
    arrays: list[Array],
    row: int,
    column: int,
    word_of: Callable[[str], str] = str,
) -> None:
    """The scale bars of a sheet's arrays side by side, the output's first; `word_of` a label is what an array is called there."""
    mirrors = sum(array.role == "mirror" for array in arrays)
    for array in sorted(arrays, key=lambda array: array.role != "output" or array.owner == INPUT):
        if has_live_scale(array) or (array.role in ("parameter", "shared") and has_colours(array)):
            own = array.key if array.role == "parameter" and array.labels else word_of(array.label)
            text = own if array.role != "mirror" else "reads" if mirrors == 1 else f"reads {array.inputs[0].owner}"
            put(sheet, row, column, text, "soft")
            column = scale_bar(draft, sheet, content, array, row, column + room_for(text) + 1)
        elif array.owner == INPUT and array.role in ("pixels", "output"):
            column = _channel_bars(draft, sheet, content, array, row, column)


def _channel_bars(
    draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, array: Array, row: int, column: int
) -> int:
    """A bar for each of the input's channels, or one for all where their colours are the same; returns the next free column."""
    names = channel_names(content.network, INPUT)
    alike: dict[palette.Scale, int] = {}
    for channel in range(array.shape[0]):
        alike.setdefault(scale_of(content, array, channel), channel)
    for channel in list(alike.values())[:MOST_BARS]:
        text = f"{array.label} {names[channel]}" if len(alike) > 1 else array.label
        put(sheet, row, column, text, "soft")
        column = scale_bar(draft, sheet, content, array, row, column + room_for(text) + 1, channel)
    return column


def scale_bar(
    draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, array: Array, row: int, column: int, channel: int = 0
) -> int:
    """The colours of an array, from its lowest to its largest number, with numbers at the ends and in the middle.

    Where colours follow the numbers, they come from its last cell. Returns the next column that is free.
    """
    live = has_live_scale(array)
    _, cells = bar_size(array)
    place, last = (Grid(sheet.title, row, left, 1, count) for left, count in ((column, cells), (column + cells - 1, 1)))
    scale = scale_of(content, array, channel, last.area if live else None)
    view = None
    if live:
        draft.bars[bar_name(array)] = place
        view = bar_view(array, content.grids[original(array).id], draft.bars, content.written)
    write_bar(draft, view or np.linspace(scale.values[0], scale.values[-1], cells)[None], place)
    colour(sheet, area_of(place), scale)
    return column + cells + 1


def write_bar(draft: WorkbookDraft, bar: ComputedRange | np.ndarray, place: Grid, style: int | None = None) -> None:
    """Pour the cells of a scale bar, with numbers shown at its ends and in its middle where no other style is given."""
    middle, last = place.columns // 2, place.columns - 1
    if isinstance(bar, ComputedRange):
        draft.name(bar.name, place)
        line, texts = np.array(bar.values, float), [bar.formula(0, n) for n in range(place.columns)]
    else:
        line, texts = bar, []
    if style is None:
        style = draft.style("formula", palette.number_format(known(line[:, [0, middle, last]])))
    hidden = draft.style("formula", ";;;")
    between = {
        (0, n): Cell(hidden, texts[n] if texts else None, float(line[0, n])) for n in range(last) if n not in (0, middle)
    }
    write = (lambda _: texts) if texts else None
    draft.fill(place.sheet, CellBlock(place, line, style, write, cells=between))
