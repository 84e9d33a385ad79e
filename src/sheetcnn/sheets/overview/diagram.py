"""The network as a diagram on the Overview: a box for each layer, arrows to what reads it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from openpyxl.styles import Border, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import shape_text
from ...model.graph import sheet_of
from ...model.network import Network
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.draft import merged, put
from ..flow import Flow, Places, Wiring, draw, flow_of, in_bands, wiring

MOST_BOXES = 150  # of larger networks no diagram is drawn
MOST_HEIGHT = 215  # pixels: where boxes of three lines would need more, they have the layers' names only
FEWEST, MOST = 7, 24  # columns that a box is wide
LETTER = 0.66  # columns that a letter of a box needs, at most


@dataclass(frozen=True)
class Form:
    """What boxes look like: their lines, and the heights in pixels of rows from the first one on."""

    lines: tuple[tuple[int, int], ...]  # the first row of each line of text, and how many rows it has
    rows: tuple[int, ...]  # of a lane with boxes: lines run between its two halves
    passing: tuple[int, ...]  # of a lane that lines only pass
    space: int  # below a lane


FULL = Form(((0, 1), (1, 2), (3, 1)), (15, 7, 7, 14), (5, 5), 7)
NAMES_ONLY = Form(((0, 2),), (8, 8), (4, 4), 6)


@dataclass(frozen=True)
class Diagram:
    """A diagram in its place on the sheet."""

    flow: Flow
    places: Places
    form: Form
    heights: dict[int, int]  # of its rows, in pixels
    lines: Wiring
    bottom: int  # its last row

    @property
    def height(self) -> int:
        """In pixels."""
        return sum(self.heights.values())


def diagram_of(network: Network, top: int, left: int, columns: int) -> Diagram | None:
    """The diagram of a network from a row and a column on, so many columns wide; None where there are too many layers."""
    if len(network.nodes) > MOST_BOXES:
        return None
    flow = flow_of(network)
    full = _placed(network, flow, FULL, (top, left, columns))
    return full if full.height <= MOST_HEIGHT else _placed(network, flow, NAMES_ONLY, (top, left, columns))


def words_of(network: Network, name: str) -> tuple[str, str, str]:
    """The lines of a layer's box: its name, what it is, and the shape that it puts out."""
    kind = "picture" if name == INPUT else network.by_name[name].layer.type
    return sheet_of(name), kind, shape_text(network.shapes[name])


def _placed(network: Network, flow: Flow, form: Form, where: tuple[int, int, int]) -> Diagram:
    top, left, columns = where
    longest = max(len(text) for name in flow.place for text in words_of(network, name)[: len(form.lines)])
    box = min(MOST, max(FEWEST, math.ceil(longest * LETTER) + 1))
    gaps = [max(3, 2 + flow.track_count(gap)) for gap in range(len(flow.gaps))]
    room = columns if sum(gaps) + box * len(gaps) - gaps[-1] <= columns else columns - 4
    widths = [box + gap for gap in gaps[:-1]] + [box]
    bands = in_bands(flow, widths, room)
    extents: list[tuple[int, int]] = []
    sides: dict[str, tuple[int, int]] = {}
    lines: dict[tuple[int, int], int] = {}
    heights: dict[int, int] = {}
    for columns_of in bands:
        at = left + (3 if len(bands) > 1 else 0)
        for column in columns_of:
            extents.append((at, at + box - 1))
            sides |= dict.fromkeys(flow.columns[column], extents[-1])
            at += widths[column]
    row = top
    for band, columns_of in enumerate(bands):
        boxed = {lane for column, lane in flow.place.values() if column in columns_of}
        for lane in flow.lanes(columns_of):
            sizes = form.rows if lane in boxed else form.passing
            lines[band, lane] = row + len(sizes) // 2
            heights |= dict(enumerate((*sizes, form.space), start=row))
            row += len(sizes) + 1
    places = Places(bands, left, extents, sides, lines)
    return Diagram(flow, places, form, heights, wiring(flow, places), row - 1)


def draw_diagram(sheet: Worksheet, network: Network, diagram: Diagram) -> None:
    """Boxes that are links, and arrows between them."""
    for row, height in diagram.heights.items():
        sheet.row_dimensions[row].height = height * 0.75
    draw(sheet, diagram.lines, diagram.places.head, 1)
    for name, (first, last) in diagram.places.sides.items():
        column, lane = diagram.flow.place[name]
        top = diagram.places.lines[diagram.places.band(column), lane] - len(diagram.form.rows) // 2
        _box(sheet, diagram.form, top, (first, last), words_of(network, name), learns(network, name))


def learns(network: Network, name: str) -> bool:
    """Whether a layer has numbers that training changes."""
    return name != INPUT and bool(network.by_name[name].layer.trainable(*network.by_name[name].in_shapes))


def _box(sheet: Worksheet, form: Form, top: int, columns: tuple[int, int], words: tuple[str, ...], learned: bool) -> None:
    side = Side("thin", color=palette.BAR if learned else palette.EDGE)
    for n, ((row, rows), text) in enumerate(zip(form.lines, words, strict=False)):
        put(sheet, top + row, columns[0], text, "box" if n == 0 else "box_more", words[0])
        cell = sheet.cell(top + row, columns[0])
        last = n == len(form.lines) - 1
        cell.border = Border(side, side, side if n == 0 else None, side if last else None)
        cell.fill = PatternFill("solid", fgColor=palette.LEARNS if learned else palette.BOX)
        merged(sheet, top + row, columns[0], rows, columns[1] - columns[0] + 1)
