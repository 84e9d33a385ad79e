"""The network as a diagram on the Overview: a box for each layer, arrows to what reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from openpyxl.styles import Border, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import shape_text
from ...model.graph import Graph, sheet_of
from ...model.loss import LOSS
from ...model.network import Network
from ...model.settings import INPUT
from ...model.training import back_of
from ...xlsx import palette
from ...xlsx.labels import dress, merged, put
from ..back.content import behind
from ..flow import Flow, Places, Wiring, draw, flow_among, in_bands, wiring
from ..loss.place import SHEET as LOSS_SHEET

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
class Drawing:
    """What is drawn as a diagram: what reads what, and of each its sheet and the lines of its box."""

    reads: Mapping[str, tuple[str, ...]]
    words: Mapping[str, tuple[str, ...]]  # the first is its name
    sheets: Mapping[str, str]
    learned: frozenset[str]  # what is shaded: it has numbers that training changes
    forms: tuple[Form, ...]  # the first that is not too high
    back: bool = False  # arrows lead from what reads to what is read


@dataclass(frozen=True)
class Diagram:
    """A diagram in its place on the sheet."""

    drawing: Drawing
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


def forward_drawing(graph: Graph) -> Drawing:
    """The layers, and the loss behind the last one."""
    network = graph.network
    reads = {node.name: node.inputs for node in network.nodes}
    names = [INPUT, *reads]
    words: dict[str, tuple[str, ...]] = {name: words_of(network, name) for name in names}
    sheets = {name: sheet_of(name) for name in names}
    if graph.learning is not None:
        reads[LOSS], words[LOSS], sheets[LOSS] = (network.nodes[-1].name,), (LOSS_SHEET, "how wrong", "1"), LOSS_SHEET
    learned = frozenset(name for name in names if learns(network, name))
    return Drawing(reads, words, sheets, learned, (FULL, NAMES_ONLY))


def back_drawing(graph: Graph) -> Drawing | None:
    """The sheets of gradients, from the loss back to the pixels; None where there are none."""
    if graph.learning is None:
        return None
    nodes = [node for node in graph.network.nodes if graph.learning_page(node.name)]
    names = [node.name for node in nodes]
    reads = {node.name: tuple(name for name in node.inputs if name == INPUT or name in names) or (INPUT,) for node in nodes}
    reads[LOSS] = tuple(name for name in names if behind(graph, name) == [LOSS_SHEET]) or (INPUT,)
    sheets = {name: back_of(sheet_of(name)) for name in [INPUT, *names]} | {LOSS: LOSS_SHEET}
    words = {name: (sheet,) for name, sheet in sheets.items()}
    learned = frozenset(name for name in names if learns(graph.network, name))
    return Drawing(reads, words, sheets, learned, (NAMES_ONLY,), True)


def diagrams_of(graph: Graph, top: int, left: int, columns: int) -> list[Diagram]:
    """The diagram of a network from a row and a column on, so many columns wide, and below it that of the way back.

    There is none where there are too many layers.
    """
    if len(graph.network.nodes) > MOST_BOXES:
        return []
    where = (top, left, columns)
    forward, back = forward_drawing(graph), back_drawing(graph)
    if back is None:
        return [diagram_of(forward, where)]
    least = _box_width(back, NAMES_ONLY)  # boxes of both are as wide: then they stand above each other
    found = diagram_of(forward, where, least)
    return [found, diagram_of(back, (found.bottom + 1, left, columns), _box_width(forward, found.form))]


def diagram_of(drawing: Drawing, where: tuple[int, int, int], least: int = 0) -> Diagram:
    """A diagram from a row and a column on, so many columns wide, its boxes at `least` so wide."""
    flow = flow_among(drawing.reads)
    ways = (_placed(drawing, flow, form, where, max(least, _box_width(drawing, form))) for form in drawing.forms)
    return next(way for way in ways if way.height <= MOST_HEIGHT or way.form is drawing.forms[-1])


def _box_width(drawing: Drawing, form: Form) -> int:
    longest = max(len(text) for words in drawing.words.values() for text in words[: len(form.lines)])
    return min(MOST, max(FEWEST, math.ceil(longest * LETTER) + 1))


def words_of(network: Network, name: str) -> tuple[str, str, str]:
    """The lines of a layer's box: its name, what it is, and the shape that it puts out."""
    kind = "picture" if name == INPUT else network.by_name[name].layer.type
    return sheet_of(name), kind, shape_text(network.shapes[name])


def _placed(drawing: Drawing, flow: Flow, form: Form, where: tuple[int, int, int], box: int) -> Diagram:
    top, left, columns = where
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
    return Diagram(drawing, flow, places, form, heights, wiring(flow, places, drawing.back), row - 1)


def draw_diagram(sheet: Worksheet, diagram: Diagram) -> None:
    """Boxes that are links, and arrows between them."""
    drawing = diagram.drawing
    for row, height in diagram.heights.items():
        sheet.row_dimensions[row].height = height * 0.75
    draw(sheet, diagram.lines, diagram.places.head, 1, drawing.back)
    for name, columns in diagram.places.sides.items():
        column, lane = diagram.flow.place[name]
        top = diagram.places.lines[diagram.places.band(column), lane] - len(diagram.form.rows) // 2
        _box(sheet, diagram, top, columns, name)


def learns(network: Network, name: str) -> bool:
    """Whether a layer has numbers that training changes."""
    return name != INPUT and bool(network.by_name[name].layer.trainable(*network.by_name[name].in_shapes))


def _box(sheet: Worksheet, diagram: Diagram, top: int, columns: tuple[int, int], name: str) -> None:
    form, drawing, learned = diagram.form, diagram.drawing, name in diagram.drawing.learned
    side = Side("thin", color=palette.BAR if learned else palette.EDGE)
    fill = PatternFill("solid", fgColor=palette.LEARNS if learned else palette.BOX)
    for n, ((row, rows), text) in enumerate(zip(form.lines, drawing.words[name], strict=False)):
        put(sheet, top + row, columns[0], text, "box" if n == 0 else "box_more", drawing.sheets[name])
        border = Border(side, side, side if n == 0 else None, side if n == len(form.lines) - 1 else None)
        dress(sheet, top + row, columns[0], border=border, fill=fill)
        merged(sheet, top + row, columns[0], rows, columns[1] - columns[0] + 1)
