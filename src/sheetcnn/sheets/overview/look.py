"""The Overview: what the network is, how to use the workbook, the layers as a table."""

from __future__ import annotations

import math

import numpy as np
from openpyxl.styles import Border, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from ...a1 import LETTERS
from ...arrays.array import shape_text
from ...arrays.grid import Grid
from ...model.network import Network
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft, put
from ..check.content import CHECK
from ..content import WorkbookContent
from ..gallery.content import GALLERY
from ..inspector.table import INSPECTOR
from ..page import LEFT
from .content import OVERVIEW, gives_answer, overview_sizes, overview_views

# Of the columns from A on: together as wide as a window of 1,366 pixels at 100 %. What needs more breaks into lines.
WIDTHS = (2, 3.5, 3.5, 3.5, 18, 24, 42, 14, 22, 14, 13)
LETTERS_A_UNIT = 1.1  # of a column's width, on the average, in lines that break between words
LINE, MOST_HEIGHT = 14, 400  # the height of a line of text, and of the highest row, in points
MOST_NAMED = 4  # layers in a sentence
LAYER = 5  # the column of the layers' names
PICTURE = 9  # the column of the picture
WHAT = (
    "A {kind}neural network, laid out in cells: it looks at a {picture} ({shape} numbers), layer by layer. Each layer makes "
    "new grids of numbers, its feature maps, from those of the layer before."
)
WORDS = (
    ("channel", "one of the grids that a layer reads: a colour of the picture, or a feature map of the layer before"),
    ("kernel", "a small grid of weights, laid on one channel"),
    ("filter", "a kernel for each channel, and one bias: together they make one feature map"),
    (
        "window",
        "the cells of a channel that a kernel lies on; each is multiplied by the weight on it, and all products are summed",
    ),
    ("feature map", "what a filter found: a cell for each place of its windows"),
    ("bias", "a number that is added to the sum of all channels, once"),
    ("activation", "what is done to each sum, after the bias: ReLU sets what is negative to 0"),
    ("stride", "how many cells a window moves to its next place: with 2, maps are half as wide"),
    ("padding", "blank cells around a channel, so that windows fit at its edge; they count as 0"),
    ("pooling", "makes each map smaller by itself: of each window the largest number, or the mean"),
)
USE = (
    "Follow a link below. Each cell of a feature map is an ordinary formula: click it and read{apart}.",
    "Type a new number into a blue cell (a pixel, a kernel, a bias, a weight): every later map follows at once.",
    "The sheet Check tells which maps your edit has reached. Undo brings everything back.",
)
ALTERNATIVE = "{name}: the picture that {network} reads, at the size that it reads"
OUTLINE = Border(*[Side("thin", color=palette.RULE)] * 4)
SWATCHES = (
    (palette.MAPS, palette.MAPS_RULE),
    (palette.WEIGHTS, palette.WEIGHTS_RULE),
)


def overview_sheet(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, checked: dict[str, Grid]) -> None:
    """Everything at a glance; `checked` are the Check sheet's columns."""
    network = content.network
    sheet.page_setup.orientation = "portrait"  # a long page: table, legend and words on one
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[LETTERS[column]].width = width
    names = max(len(node.name) for node in network.nodes)
    sheet.column_dimensions[LETTERS[LAYER]].width = max(WIDTHS[LAYER - 1], names + 1)
    put(sheet, 1, 2, network.settings.name, "title")
    sheet.row_dimensions[1].height = 28
    for row, text in ((2, _what(network)), (3, network.settings.about)):
        put(sheet, row, 2, text, "body")
        sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=PICTURE - 1)
        sheet.row_dimensions[row].height = _height(text, sum(WIDTHS[1 : PICTURE - 1])) + 6
    if words := _not_learned(content):
        put(sheet, 4, 2, words, "words")
    apart = f", or take it apart on the sheet {INSPECTOR}" if INSPECTOR in draft.blocks else ""
    for row, text in enumerate(USE, start=5):
        put(sheet, row, 2, f"{row - 4}   {text.format(apart=apart)}", "row")
    links = [name for name in (GALLERY, INSPECTOR) if name in draft.blocks] + ["Input", CHECK]
    for n, name in enumerate(links):
        put(sheet, 9 + n // 2, LAYER + n % 2, name, "link", name)
    row = _computed(draft, sheet, content, checked, 12)
    row = _table(sheet, content, max(row, _pictures(draft, sheet, content)) + 1)
    _words(sheet, _legend(draft, sheet, row + 2) + 1)


def _what(network: Network) -> str:
    """What kind of thing this is, for who never saw one."""
    shapes = [shape for node in network.nodes for shape in node.layer.all_parameters(*node.in_shapes).values()]
    kind = "convolutional " * any(len(shape) > 2 for shape in shapes)  # kernels have rows and columns
    picture = "picture" if network.input.channels in (1, 3) else "grid of numbers"
    return WHAT.format(kind=kind, picture=picture, shape=shape_text(network.input.shape))


def _height(text: str, width: float) -> float:
    """The height of a row, in points, that shows a text in a column so wide."""
    return min(MOST_HEIGHT, LINE * math.ceil(len(text) / (width * LETTERS_A_UNIT)))


def _not_learned(content: WorkbookContent) -> str:
    """That weights are random, where any are: who looks for sense in such maps looks in vain."""
    nodes = content.network.nodes
    weighted = {
        node.name for node in nodes if any(len(shape) > 1 for shape in node.layer.all_parameters(*node.in_shapes).values())
    }
    names = [node.name for node in nodes if node.name in content.random]
    if not names:
        return ""
    if weighted <= content.random:
        return "Weights are random: this network has not learned."
    if len(names) > MOST_NAMED:
        return f"Weights are random in {len(names)} of {len(weighted)} layers that have some: these have not learned."
    layers = " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])
    return f"Weights of {layers} are random: {'it has' if len(names) == 1 else 'they have'} not learned."


def _computed(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, checked: dict[str, Grid], row: int) -> int:
    """The state of the check, and what the network answers, with bars; returns the next free row."""
    network = content.network
    places = checked | {"overview_state": Grid(OVERVIEW, row, LAYER, 1, 1)}
    put(sheet, row, 2, "state", "soft")
    sizes = overview_sizes(network)
    styles = {"overview_state": "strong", "overview_answer": "strong", "overview_name": "aside", "overview_bar": "bar"}
    row += 1
    if gives_answer(network):
        put(sheet, row, 2, "answer", "soft")
        places["overview_answer"] = Grid(OVERVIEW, row, LAYER, 1, 1)
        for column, name in enumerate(("overview_name", "overview_bar", "overview_number"), start=LAYER):
            places[name] = Grid(OVERVIEW, row + 1, column, *sizes[name])
        row += 1 + sizes["overview_bar"][0]
        places["answer_names"] = _names(draft, content)
    for view in overview_views(content.graph, content.grids, places, content.values, 0):
        number_format = "0.0%" if network.gives_probabilities and view.name == "overview_number" else "General"
        draft.view(view, places[view.name], draft.style(styles.get(view.name, "note"), number_format))
    return row


def _names(draft: WorkbookDraft, content: WorkbookContent) -> Grid:
    """The names of the last layer's numbers, beside them on their sheet."""
    last = content.graph.output(content.network.nodes[-1].name)
    out = content.grids[last.id]
    grid = Grid(last.owner, out.top, LEFT, out.rows, 1)
    draft.name("answer_names", grid)
    return grid


def _pictures(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent) -> int:
    """The input as a picture, or the first few of several with their names; returns the last row that they need."""
    for n, (name, png) in enumerate(content.pngs.items()):
        row, column = 2 + n // 3 * 3, PICTURE + n % 3
        draft.picture(
            sheet, png, f"{LETTERS[column]}{row}", ALTERNATIVE.format(name=name, network=content.network.settings.name)
        )
        if len(content.pngs) > 1:
            put(sheet, 4 + n // 3 * 6, column, name, "soft")
    return 11 if content.pngs else 0


def _legend(draft: WorkbookDraft, sheet: Worksheet, row: int) -> int:
    put(sheet, row, 2, "12", "typed")
    put(sheet, row, LAYER, "  blue numbers are for typing, black ones are formulas", "soft")
    row += 1
    put(sheet, row, 2, "12", "listed")
    put(sheet, row, LAYER, "  green numbers are filled in by a yellow list; they may be typed over, too", "soft")
    for shades, text in SWATCHES:
        row += 1
        for column, shade in enumerate(shades, start=2):
            sheet.cell(row, column).fill = PatternFill("solid", fgColor=shade)
            sheet.cell(row, column).border = OUTLINE
        put(sheet, row, LAYER, f"  {text}", "soft")
    row += 1
    padding = Grid("Overview", row, 2, 1, 3)
    draft.fill("Overview", CellBlock(padding, np.empty((1, 3)), 0, None, blank=draft.style("blank"), empty=True))
    put(sheet, row, LAYER, "  padding: blank cells around a grid, which count as 0", "soft")
    return row + 1


def _table(sheet: Worksheet, content: WorkbookContent, row: int) -> int:
    """The network as a table, a row for each layer; returns its last row."""
    heads = (
        "",
        "",
        "",
        "layer",
        "type",
        "settings",
        "output C×H×W",
        "parameters",
        "multiplications",
        "sees (pixels)",
    )
    for column, text in enumerate(heads, start=2):
        put(sheet, row, column, text, "head")
    for number, (name, *texts) in enumerate(_rows(content)):
        row += 1
        if number:
            put(sheet, row, 2, number, "element")
        put(sheet, row, LAYER, name, "link", name)
        for column, text in enumerate(texts, start=LAYER + 1):
            put(sheet, row, column, text, "body")
        sheet.row_dimensions[row].height = max(
            LINE + 1, *(_height(text, width) for text, width in zip(texts, WIDTHS[LAYER:], strict=True))
        )
    found = content.costs.values()
    row += 1
    put(sheet, row, LAYER, "all layers", "row")
    put(sheet, row, LAYER + 4, f"{sum(cost.parameters for cost in found):,}", "row")
    put(sheet, row, LAYER + 5, f"{sum(cost.multiplications for cost in found):,}", "row")
    return row


def _words(sheet: Worksheet, row: int) -> None:
    """The field's own words, as this workbook uses them."""
    for column in range(2, len(WIDTHS) + 1):
        put(sheet, row, column, "  what the words mean" if column == LAYER else "", "head")
    for below, (word, meaning) in enumerate(WORDS, start=row + 1):
        put(sheet, below, 2, word, "strong")
        put(sheet, below, LAYER, f"  {meaning}", "row")


def _rows(content: WorkbookContent) -> list[list[str]]:
    """The table's texts from the column of the layers' names on: first the input, then the layers."""
    network = content.network
    rows = [["Input", "", "", shape_text(network.input.shape), "", "", ""]]
    before = INPUT
    for node in network.nodes:
        cost = content.costs[node.name]
        reads = "" if node.inputs == (before,) else f"  ← {', '.join(node.inputs)}"
        before = node.name
        row = [node.name, node.layer.type + reads, node.layer.setting_words(), shape_text(node.shape), node.parameter_words]
        multiplications = f"{cost.multiplications:,}" if cost.multiplications else ""
        rows.append([*row, multiplications, cost.sees])
    return rows
